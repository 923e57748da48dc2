/*
 * print_guess.h: in which format the bytes of a topic seem to be: for PRINT.
 */
#ifndef SLUICE_ENGINE_COMMAND_PRINT_GUESS_H
#define SLUICE_ENGINE_COMMAND_PRINT_GUESS_H

#include "base/bytes.h"

enum guess_side { GUESS_KEY, GUESS_VALUE };

/* What is still possible after everything that was seen; zeroed but for the side at the start. */
struct guess {
    enum guess_side side;
    uint64_t refuted; /* bit per candidate */
    bool has_data;    /* something was seen that is not null */
};

/* Whether the datum, absent for null, leaves fewer candidates, or is the first. */
bool guess_see(struct guess *guess, struct bytes datum);
/* The names of those that are left: "JSON or KAFKA_STRING". */
void guess_print_formats(const struct guess *guess, struct buffer *out);
/* The datum in the first of them. */
void guess_print(const struct guess *guess, struct bytes datum, struct buffer *out);

#endif
