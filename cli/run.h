/*
 * run.h: running statements and files on an engine of its own, then exiting.
 */
#ifndef SLUICE_CLI_RUN_H
#define SLUICE_CLI_RUN_H

#include "cli/output.h"
#include "cli/target.h"

/* Exit statuses of every command. */
enum { EXIT_OK = 0, EXIT_REJECTED = 1, EXIT_USAGE = 255 };

struct run_options {
    struct arena arena;
    const char *statements;             /* -e; NULL: not given */
    VEC(const char *) files;            /* -f, in order */
    struct node_options node;           /* --set, --bootstrap, --data */
    VEC(struct config_entry) variables; /* --define, in order */
    struct remote_options remote;
    const struct output_kind *output;
    int64_t row_limit;
    int64_t timeout_ms;
};

/* On the server, or the engine, that the options name. It is to be closed if it has a kind. */
int run_open_target(const struct run_options *options, const struct engine_config *base,
                    struct target *out, struct error *err);

/* Statements, files or standard input; the exit status. Errors are told on standard error. */
int run_statements(const struct run_options *options);

#endif
