/*
 * connector.h: what the engine asks of whoever runs its connectors.
 *
 * Commands define connectors: in the statement log, hence in the catalog. What runs them lies to
 * the right (sinks/) and is handed to the engine as a table of functions. It is called under
 * the engine's lock and must not wait for it.
 *
 * Secrets are kept by the host under the connector's name and the option's; the statement log,
 * the catalog and all that is printed hold ${secret:OPTION} in their place.
 */
#ifndef SLUICE_ENGINE_COMMAND_CONNECTOR_H
#define SLUICE_ENGINE_COMMAND_CONNECTOR_H

#include "engine/catalog/catalog.h"
#include "engine/runtime/runtime.h"

/* What there is to say about options that are well-formed. */
struct connector_verdict {
    const struct bytes *warnings; /* unknown or unused options */
    uint32_t warning_count;
    const bool *is_secret; /* per option */
    uint32_t culprit;      /* when the check fails: the option's number from 1; 0: none of them */
};

struct connector_task_status {
    const char *state;  /* RUNNING, PAUSED, FAILED, UNASSIGNED */
    struct bytes trace; /* why it failed; absent: it has not */
};

struct connector_status {
    struct bytes name;
    struct bytes class_name; /* as configured */
    bool is_sink;
    const char *state; /* RUNNING, PAUSED, STOPPED, FAILED */
    struct bytes worker_id;
    struct bytes trace;
    const struct connector_task_status *tasks;
    uint32_t task_count;
    const struct bytes *topics;
    uint32_t topic_count;
    const struct bytes *warnings;
    uint32_t warning_count;
};

enum connector_action {
    CONNECTOR_PAUSE,  /* keeps its connections */
    CONNECTOR_RESUME, /* also what was stopped */
    CONNECTOR_STOP,   /* without tasks */
    CONNECTOR_RESTART /* tasks begin anew, failed ones too */
};

struct connector_plugin {
    const char *class_name;
    const char *type;    /* sink, source */
    const char *version; /* NULL: the program's */
};

/* An option that a class takes. */
struct connector_option_kind {
    const char *name;
    const char *type;    /* as Connect has them: STRING, PASSWORD, BOOLEAN, LONG, LIST */
    const char *usual;   /* NULL: none */
    const char *choices; /* separated by commas; NULL: any */
    bool is_required;
    const char *doc;
};

/* What is wrong with an option; it may be one that is missing. */
struct connector_finding {
    struct bytes option;
    struct bytes message;
};

/* The next record that a connector will read of a partition. */
struct connector_offset {
    struct bytes topic;
    uint32_t partition;
    int64_t offset; /* below 0: where one begins that was never read */
};

/* Which tasks run on this node. Asked from any thread, now and then; it waits for nothing. */
struct connector_placement {
    void *context;
    enum placement (*find)(void *context, struct bytes connector, uint32_t task);
};

struct connector_host {
    void *context;
    const struct connector_plugin *plugins; /* class_name NULL at the end */
    /* Options alone, no network. ERR_INVALID_PROPERTY, ERR_MISSING_PROPERTY, ERR_UNSUPPORTED. */
    int (*check)(void *context, const struct connector_entry *wanted, struct arena *arena,
                 struct connector_verdict *out, struct error *err);
    /* All that is wrong; its number. In the arena. */
    uint32_t (*validate)(void *context, const struct connector_entry *wanted, struct arena *arena,
                         struct connector_finding **out);
    /* Of a class, name NULL at the end, in the arena; NULL: there is no such class. */
    const struct connector_option_kind *(*options)(void *context, struct bytes class_name,
                                                   struct arena *arena);
    /* What it is to do when it is made next: CONNECTOR_RESUME, _PAUSE or _STOP. Durable. */
    int (*set_initial)(void *context, struct bytes connector, enum connector_action action,
                       struct error *err);
    /* Durable when it returns; replaces. */
    int (*keep_secret)(void *context, struct bytes connector, struct bytes option,
                       struct bytes value, struct error *err);
    /*
     * Copied. Without it, and after NULL, all tasks run here; before NULL returns nobody asks it
     * any more.
     */
    void (*place)(void *context, const struct connector_placement *placement);
    /* Other nodes may have controlled something. Called now and then, not under the engine's lock.
     */
    void (*follow)(void *context);
    /* The catalog has changed: what is not there any more ends, what is new or another begins. */
    void (*reconcile)(void *context, const struct catalog *catalog);
    /* In the arena; ERR_UNKNOWN_CONNECTOR. */
    int (*status)(void *context, struct bytes name, struct arena *arena,
                  struct connector_status *out, struct error *err);
    int (*control)(void *context, struct bytes name, enum connector_action action,
                   struct error *err);
    /*
     * Offsets that the log's group has, in the arena; those of the target are at most seconds
     * newer. Writing, of a connector that is stopped, reaches the target too. A partition that
     * the list lacks stays; without a list all begin anew. ERR_UNKNOWN_CONNECTOR,
     * ERR_INVALID_PROPERTY.
     */
    int (*read_offsets)(void *context, struct bytes name, struct arena *arena,
                        struct connector_offset **out, uint32_t *count, struct error *err);
    int (*write_offsets)(void *context, struct bytes name, const struct connector_offset *offsets,
                         uint32_t count, struct error *err);
    /* Waits until all that the log holds is in the targets; fails where a connector has. */
    int (*drain)(void *context, struct error *err);
};

#endif
