/*
 * text.h: the text of a script as characters and lines.
 */
#ifndef SLUICE_PARSER_TEXT_H
#define SLUICE_PARSER_TEXT_H

#include "base/error.h"

/* Well-formed UTF-8 without NUL, and not too large; else an error with its place. */
int text_check(struct bytes text, struct error *err);

/*
 * How many edits make one word of the other, ASCII case aside: a character more, less or other,
 * or two neighbours swapped; at most 9.
 */
int text_distance(struct bytes a, struct bytes b);

#endif
