/*
 * editor.h: a line at a time from a terminal: editing, history, completion.
 */
#ifndef SLUICE_CLI_REPL_EDITOR_H
#define SLUICE_CLI_REPL_EDITOR_H

#include "base/bytes.h"
#include "base/vec.h"

struct editor;
struct interrupt;

struct completions {
    struct arena arena;
    VEC(struct bytes) words; /* what the word before the cursor may become, sorted */
};

struct editor_config {
    struct interrupt *interrupt;
    const char *history_file; /* NULL: kept in memory only */
    /* Adds words that begin as the last `word_len` bytes of the line do, in any case. */
    void (*complete)(void *context, struct bytes line, size_t word_len, struct completions *out);
    void *context;
};

enum editor_outcome { EDITOR_LINE, EDITOR_INTERRUPTED, EDITOR_END };

/* NULL: the terminal cannot be edited on. */
struct editor *editor_create(const struct editor_config *config);
void editor_destroy(struct editor *editor); /* saves the history */
/* The line without its end. */
enum editor_outcome editor_read(struct editor *editor, const char *prompt, struct buffer *line);
/* One more line of history, unless it is the last again. */
void editor_remember(struct editor *editor, struct bytes line);
/* The history, oldest first. */
void editor_list_history(struct editor *editor,
                         void (*each)(void *context, int number, const char *line), void *context);

#endif
