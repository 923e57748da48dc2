/*
 * target.h: where a client's statements go: an engine in this process, or a server.
 *
 * Shells and statement files know nothing else of what they work on.
 */
#ifndef SLUICE_CLI_TARGET_H
#define SLUICE_CLI_TARGET_H

#include "cli/node.h"

struct target_kind {
    /* Until the last statement is through, or one is refused. */
    int (*execute)(void *context, struct bytes text, const struct result_sink *sink,
                   struct error *err);
    /*
     * Ends what waits in the text that runs: a query, PRINT, of an engine in this process ASSERT
     * too. From any thread, and waits for nobody.
     */
    void (*cancel)(void *context);
    /* Everything that was said has had its effect, as far as that can be waited for. */
    int (*finish)(void *context, struct error *err);
    /*
     * Whether statements are sent without waiting until those before them have been applied.
     * NULL: they have been, always.
     */
    void (*set_pipelining)(void *context, bool on);
    /* What it is: a line for a person. */
    void (*describe)(void *context, struct buffer *out);
    void (*close)(void *context);
};

struct target {
    const struct target_kind *kind; /* NULL: not open */
    void *context;
    struct session *session; /* what SET and DEFINE said; of a server's client it is here too */
};

/* An engine on what the options choose; of the base, what is neither log nor identity counts. */
int target_open_local(const struct node_options *options, const struct engine_config *base,
                      struct target *out, struct error *err);

struct remote_options {
    const char *url;  /* http://host:port; NULL: not given */
    const char *user; /* NULL: none */
    const char *password;
};

/* A server; it must answer. */
int target_open_remote(const struct remote_options *options, struct target *out, struct error *err);

#endif
