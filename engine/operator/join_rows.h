/*
 * join_rows.h: the row of a join: the key, then the cells of both sides.
 *
 * Cells of a row that came in are copied; those of a table that is looked up are decoded
 * where they belong, and text in them points into the store: no store that a join looks up
 * changes before the rows have passed.
 */
#ifndef SLUICE_ENGINE_OPERATOR_JOIN_ROWS_H
#define SLUICE_ENGINE_OPERATOR_JOIN_ROWS_H

#include "engine/operator/op.h"

struct join_lookup {
    struct op_env *env;
    const struct join_side *side;
    struct store_entry *entries; /* of the leaves, of one key */
    bool *has_entry;
};

void join_lookup_init(struct join_lookup *lookup, struct op_env *env, const struct join_side *side);
/* Memory for these keys is fetched in all stores of the side. */
void join_lookup_prefetch(const struct join_lookup *lookup, const struct bytes *keys,
                          uint32_t count);
/* Whether the side has a row under the key; its time is the latest of its leaves'. */
bool join_lookup_find(struct join_lookup *lookup, struct bytes key, int64_t *timestamp_ms);
/* The row found last, into the side's cells of the output row; what is not there stays null. */
int join_lookup_read(const struct join_lookup *lookup, struct value *cells, struct arena *arena,
                     struct error *err);
/* A row that came in, into its side's cells. */
void join_copy_side(const struct join_side *side, const struct row_banks *row, struct value *cells);

#endif
