/*
 * shell.h: the state of the interactive shell, shared by its loop and its commands.
 */
#ifndef SLUICE_CLI_REPL_SHELL_H
#define SLUICE_CLI_REPL_SHELL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "cli/repl/editor.h"
#include "cli/run.h"

struct interrupt;

struct shell {
    const struct run_options *options;
    struct target target;
    struct clock clock;
    struct interrupt *interrupt;
    struct editor *editor;
    struct output output;
    const struct output_kind *kind;
    FILE *spool;           /* gets a copy of all; NULL: none */
    pthread_mutex_t mutex; /* the two below: workers tell of records that they leave out */
    struct buffer skipped; /* lines */
    uint64_t skipped_count;
    bool pipelining;
    _Atomic bool wants_end; /* Ctrl-C has come */
    bool is_over;
};

/* Runs statements and tells what comes of them. */
void shell_execute(struct shell *shell, const char *from, struct bytes text);
/* For a person: on the terminal and the spool. */
void shell_say(struct shell *shell, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* --- commands of the shell itself (statements.md 8.2) --- */

enum { SHELL_MAX_WORDS = 16 };

struct shell_command {
    const char *name; /* words in lower case */
    const char *arguments;
    const char *doc;
    void (*run)(struct shell *shell, const struct bytes *words, uint32_t count);
};

extern const struct shell_command shell_commands[]; /* name NULL at the end */
extern const char *const shell_command_names[];     /* for completion; NULL at the end */

/* Whether the line is one of them; then it has been run. */
bool shell_run_command(struct shell *shell, struct bytes line);

#endif
