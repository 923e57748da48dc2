/*
 * complete.h: what a word that is begun may become: commands, keywords, functions, and the
 * streams, tables and columns that there are.
 */
#ifndef SLUICE_CLI_REPL_COMPLETE_H
#define SLUICE_CLI_REPL_COMPLETE_H

#include "cli/repl/editor.h"
#include "cli/target.h"

/* `line` ends with the word. Keywords take the case that the word has begun in. */
void complete_word(const struct target *target, const char *const *commands, struct bytes line,
                   size_t word_len, struct completions *out);

#endif
