/*
 * op_join_stream_table.c: rows of a stream and what a table has for their key now.
 *
 * Only rows of the stream cause output; they keep their timestamps and headers
 * (queries.md 6.4). A row without a value is left out, and so is, unless the join is a
 * LEFT one, a row that finds nothing. A null key finds nothing.
 */
#include <assert.h>

#include "engine/operator/join_rows.h"
#include "engine/operator/key_maker.h"
#include "engine/operator/output_rows.h"

struct stream_table_state {
    const struct join_plan *plan;
    struct join_lookup table;
    struct key_maker keys;
    struct key_run run;
};

static int stream_table_open(struct op *op, struct error *err)
{
    struct stream_table_state *state = op_state(op);
    const struct join_plan *plan = &op->plan->join;

    assert(plan->kind == AST_JOIN_INNER || plan->kind == AST_JOIN_LEFT);
    state->plan = plan;
    join_lookup_init(&state->table, op->env, &plan->sides[1]);
    return plan->key_bytes_given ? 0 : key_maker_open(&state->keys, &plan->key, err);
}

static void stream_table_close(struct op *op)
{
    struct stream_table_state *state = op_state(op);

    key_maker_close(&state->keys);
    key_run_fini(&state->run);
}

/* Appends the row's key; *is_null: it has none. False: the row is left out. */
static bool append_key(struct op *op, const struct row_batch *in, uint32_t row, bool *is_null)
{
    struct stream_table_state *state = op_state(op);
    struct row_banks banks = batch_row_new(in, row);
    struct error why;

    *is_null = value_is_null(banks_value(&banks, state->plan->key_at[0]));
    if (*is_null) {
        return state->plan->kind == AST_JOIN_LEFT;
    }
    if (state->plan->key_bytes_given) {
        buffer_append_bytes(&state->run.bytes, in->key_bytes[row]);
    } else if (key_maker_append(&state->keys, &banks, &state->run.bytes, is_null, &why)) {
        op_row_error(op, in, row, "join key", &why);
        return false;
    }
    return !*is_null || state->plan->kind == AST_JOIN_LEFT;
}

/* The rows that may join, their numbers in `rows`, their keys in the run. */
static uint32_t collect_rows(struct op *op, const struct row_batch *in, uint16_t *rows,
                             bool *null_keys)
{
    struct stream_table_state *state = op_state(op);
    uint32_t count = 0;

    key_run_begin(&state->run, in->arena, in->selected_count);
    for (uint32_t n = 0; n < in->selected_count; n++) {
        uint32_t row = batch_selected(in, n);

        if ((in->meta[row].change & ROW_HAS_NEW) && append_key(op, in, row, &null_keys[count])) {
            key_run_end_key(&state->run);
            rows[count++] = (uint16_t)row;
        }
    }
    key_run_finish(&state->run);
    join_lookup_prefetch(&state->table, state->run.keys, count);
    return count;
}

static int join_row(struct op *op, const struct row_batch *in, uint32_t row,
                    const struct bytes *key, struct output_rows *rows, struct error *err)
{
    struct stream_table_state *state = op_state(op);
    struct row_banks banks = batch_row_new(in, row);
    struct output_row out;
    int64_t ignored; /* the table's time does not count */
    bool found = key && join_lookup_find(&state->table, *key, &ignored);

    if (!found && state->plan->kind == AST_JOIN_INNER) {
        return 0;
    }
    TRY(output_rows_next(rows, &out, err));
    *out.meta = in->meta[row];
    out.meta->change = key ? ROW_HAS_NEW : ROW_HAS_NEW | ROW_NULL_KEY;
    *out.task_time = in->task_time ? in->task_time[row] : in->meta[row].timestamp_ms;
    *out.key_bytes = key ? *key : (struct bytes){ NULL, 0 };
    out.cells[0] = *banks_value(&banks, state->plan->key_at[0]);
    join_copy_side(&state->plan->sides[0], &banks, out.cells);
    return found ? join_lookup_read(&state->table, out.cells, in->arena, err) : 0;
}

static int stream_table_push(struct op *op, unsigned port, const struct row_batch *in,
                             struct error *err)
{
    struct stream_table_state *state = op_state(op);
    uint16_t *numbers = arena_alloc(in->arena, in->selected_count * sizeof *numbers);
    bool *null_keys = arena_alloc(in->arena, in->selected_count * sizeof *null_keys);
    uint32_t count = collect_rows(op, in, numbers, null_keys);
    struct output_rows rows;

    output_rows_begin(&rows, op, in->arena, in->origins, count);
    rows.gives_keys = true;
    for (uint32_t i = 0; i < count; i++) {
        TRY(join_row(op, in, numbers[i], null_keys[i] ? NULL : &state->run.keys[i], &rows, err));
    }
    return output_rows_end(&rows, err);
}

const struct op_kind op_join_stream_table = {
    .name = "StreamTableJoin",
    .implements = PLAN_JOIN_STREAM_TABLE,
    .state_size = sizeof(struct stream_table_state),
    .open = stream_table_open,
    .push = stream_table_push,
    .close = stream_table_close,
};
