/*
 * input.h: how far what was typed has come: nothing yet, half a statement, or all of one.
 */
#ifndef SLUICE_CLI_REPL_INPUT_H
#define SLUICE_CLI_REPL_INPUT_H

#include "base/bytes.h"

enum input_state {
    INPUT_BLANK,   /* blanks and comments */
    INPUT_OPEN,    /* goes on: a quote or comment is open, or no ";" ends it */
    INPUT_COMPLETE /* ends in ";" */
};

enum input_state input_examine(struct bytes text);
/* The text on one line for the history: without comments, line ends as blanks outside quotes. */
void input_join_lines(struct bytes text, struct buffer *out);

#endif
