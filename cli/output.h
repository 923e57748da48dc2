/*
 * output.h: how results look on a terminal: aligned tables, or JSON documents.
 *
 * An output is a result sink over a stream. Values are printed as Java does in tables, as the
 * REST API does in JSON.
 */
#ifndef SLUICE_CLI_OUTPUT_H
#define SLUICE_CLI_OUTPUT_H

#include <stdio.h>

#include "engine/command/engine.h"

struct output_settings {
    FILE *to;
    FILE *copy; /* gets the same; NULL: nobody does */
    const struct clock *clock;
    uint32_t width;        /* characters per line, for rows of queries */
    uint32_t column_width; /* characters per cell of those; 0: an even share of the line */
    bool cut_cells;        /* such a cell is cut where it is too long, not folded */
    int64_t row_limit;     /* rows per query; 0: all */
    int64_t timeout_ms;    /* per query; 0: none */
};

/* Counts rows and time of one query. */
struct row_guard {
    int64_t rows;
    int64_t began_us;
};

void row_guard_begin(struct row_guard *guard, const struct output_settings *settings);
/* After a row was printed: whether there may be another. */
bool row_guard_next(struct row_guard *guard, const struct output_settings *settings);

struct output {
    struct output_settings settings;
    struct arena arena;          /* of the result that is being told */
    struct bytes statement;      /* in the arena */
    const struct schema *schema; /* of the rows; borrowed from begin to end */
    struct row_guard guard;
    struct buffer line; /* scratch */
};

struct output_kind {
    const char *name;        /* of --output */
    struct result_sink sink; /* but for the context */
};

extern const struct output_kind output_table;
extern const struct output_kind output_json;
extern const struct output_kind *const all_outputs[]; /* NULL at the end */

/* What is told goes through `out`, which must outlive the sink. */
void output_init(struct output *out, const struct output_settings *settings);
struct result_sink output_sink(struct output *out, const struct output_kind *kind);
void output_fini(struct output *out);
/* Writes the scratch line and empties it. */
void output_flush(struct output *out);
/* The reader sees what was written so far. */
void output_show(struct output *out);

/* As the REST API prints a value (rest-api.md 4.3). */
void value_print_json(const struct value *v, const struct sql_type *type, struct buffer *out);
void text_print_json(struct bytes text, struct buffer *out); /* quoted */

#endif
