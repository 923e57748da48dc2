/*
 * output_rows.h: the batch that a stateful operator makes, row by row.
 *
 * Rows lie in an arena; a full batch is emitted before the next row begins. The
 * owner fills the cells and the meta of the row that output_rows_next gave it.
 */
#ifndef SLUICE_ENGINE_OPERATOR_OUTPUT_ROWS_H
#define SLUICE_ENGINE_OPERATOR_OUTPUT_ROWS_H

#include "engine/operator/emission.h"
#include "engine/operator/op.h"

struct output_rows {
    struct op *op;
    struct arena *arena;
    const struct row_origin *origins; /* of the rows; each row has its own number in it */
    uint32_t capacity;
    uint32_t count;
    struct value *cells;
    struct value *old_cells; /* NULL when the plan needs no old images */
    struct row_meta *meta;
    int64_t *task_time;
    bool gives_keys;         /* set after output_rows_begin: rows come with their key bytes */
    struct bytes *key_bytes; /* NULL unless so */
};

struct output_row {
    struct value *cells;
    struct value *old_cells; /* NULL when not needed */
    struct row_meta *meta;
    int64_t *task_time;
    struct bytes *key_bytes; /* NULL unless rows come with them */
};

/* most_rows: how many there may be at most; a hint of how much room to take. */
void output_rows_begin(struct output_rows *rows, struct op *op, struct arena *arena,
                       const struct row_origin *origins, uint32_t most_rows);
/* Room for one more row, its cells null, its meta zero; emits a full batch first. */
int output_rows_next(struct output_rows *rows, struct output_row *out, struct error *err);
void output_rows_drop(struct output_rows *rows);                  /* takes back the last one */
int output_rows_end(struct output_rows *rows, struct error *err); /* emits what there is */

/*
 * Emits what is buffered, and clears it; emission may be NULL. `fill` makes a row of a
 * change, whose timestamp and origin are set already; with *emits made false it emits
 * nothing.
 */
typedef int (*fill_change)(struct op *op, const struct emission_change *change,
                           struct output_row *row, bool *emits, struct arena *arena,
                           struct error *err);
int output_rows_flush(struct op *op, struct emission *emission, struct store *store,
                      fill_change fill, struct error *err);

#endif
