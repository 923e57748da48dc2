/*
 * op_aggregate.c: un-windowed aggregation by key, over streams and over tables.
 *
 * The store holds, per group, the group columns of the last row and the typed
 * accumulators of every call. A batch becomes a list of updates first (which keys,
 * which image of which row), so that their entries are fetched together; then they are
 * applied one by one:
 *
 *     stream   add(new)
 *     table    undo(old) where a group is stored, then add(new): one update when both
 *              have the same key, else two, the old one first (queries.md 4.2)
 *
 * A row whose group column is null is left out and reported; of a table's change just
 * the image of which that is true, reported when it was new. Timestamps are the greater of the
 * row's and the group's.
 *
 * The old row of a group's first change is the freshly initialised one over a stream, and
 * none over a table (queries.md 4.1, HAVING); with an emission buffer it is what the
 * store had at the last flush, so none in both.
 */
#include <assert.h>
#include <string.h>

#include "engine/operator/emission.h"
#include "engine/operator/group_key.h"
#include "engine/operator/key_maker.h"
#include "engine/operator/output_rows.h"
#include "engine/operator/stored_row.h"

struct update {
    uint16_t row;
    bool undoes; /* the row's old image */
    bool adds;   /* its new one */
};

struct aggregate_state {
    const struct aggregate_op_plan *plan;
    struct store *store;
    struct stored_row image_row;
    struct value *cells;         /* the group at work, as in the image */
    const struct value **inputs; /* arguments of one call */
    struct key_maker keys;
    struct key_run run;
    struct update *updates; /* beside run.keys, in the batch's arena */
    struct buffer image;
    struct emission *emission; /* NULL: per update */
    int64_t task_time;         /* of the newest row, for what is emitted at flush */
};

/* --- open --- */

static uint32_t image_columns(const struct aggregate_op_plan *plan)
{
    uint32_t count = plan->group_count;

    for (uint32_t i = 0; i < plan->call_count; i++) {
        count += plan->calls[i].plan.accumulator_count;
    }
    return count;
}

static int aggregate_open(struct op *op, struct error *err)
{
    struct aggregate_state *state = op_state(op);
    const struct aggregate_op_plan *plan = &op->plan->aggregate;
    const struct store_plan *store = &op->env->plan->stores[plan->store];
    struct arena *arena = op->env->arena;

    state->plan = plan;
    state->store = op->env->stores[plan->store];
    stored_row_init(&state->image_row, &store->codec);
    assert(store->codec.column_count == image_columns(plan));
    assert(op->plan->output->cell_count == plan->group_count + plan->call_count);
    state->cells = arena_array(arena, struct value, image_columns(plan));
    state->inputs = arena_zalloc_array(arena, sizeof *state->inputs, FUNCTION_MAX_PARAMETERS);
    if (op->env->emission_budget) {
        state->emission = emission_create(op->env->emission_budget);
    }
    return plan->key_bytes_given ? 0 : key_maker_open(&state->keys, &plan->key, err);
}

static void aggregate_close(struct op *op)
{
    struct aggregate_state *state = op_state(op);

    key_maker_close(&state->keys);
    key_run_fini(&state->run);
    buffer_fini(&state->image);
    emission_destroy(state->emission);
}

/* --- from rows to updates --- */

/* Appends the key of one image of a row; false: the image has no group. */
static bool append_key(struct op *op, const struct row_batch *in, uint32_t row,
                       const struct row_banks *banks, bool is_new)
{
    struct aggregate_state *state = op_state(op);
    bool is_null = false;
    struct error why;
    uint32_t column;

    if (state->plan->key_bytes_given) {
        buffer_append_bytes(&state->run.bytes, in->key_bytes[row]);
        return true;
    }
    if (!group_is_whole(state->plan->group, state->plan->group_count, banks, &column)) {
        if (is_new) {
            group_report_null(op, in, row, column);
        }
        return false;
    }
    if (key_maker_append(&state->keys, banks, &state->run.bytes, &is_null, &why)) {
        op_row_error(op, in, row, "group-by columns", &why);
        return false;
    }
    return true; /* no key columns at all: one group under the empty key */
}

static void end_update(struct aggregate_state *state, uint32_t row, bool undoes, bool adds)
{
    state->updates[state->run.count] = (struct update){ (uint16_t)row, undoes, adds };
    key_run_end_key(&state->run);
}

static void collect_stream_row(struct op *op, const struct row_batch *in, uint32_t row)
{
    struct row_banks banks = batch_row_new(in, row);

    if ((in->meta[row].change & ROW_HAS_NEW) && append_key(op, in, row, &banks, true)) {
        end_update(op_state(op), row, false, true);
    }
}

static void collect_change(struct op *op, const struct row_batch *in, uint32_t row)
{
    struct aggregate_state *state = op_state(op);
    struct buffer *bytes = &state->run.bytes;
    struct row_banks old = batch_row_old(in, row);
    struct row_banks new = batch_row_new(in, row);
    size_t begin = bytes->len;
    bool undoes = (in->meta[row].change & ROW_HAS_OLD) && in->old_cells &&
                  append_key(op, in, row, &old, false);
    size_t middle = bytes->len;
    bool adds = (in->meta[row].change & ROW_HAS_NEW) && append_key(op, in, row, &new, true);

    if (undoes && adds && bytes->len - middle == middle - begin &&
        memcmp(buffer_bytes(bytes).data + begin, buffer_bytes(bytes).data + middle,
               middle - begin) == 0) {
        bytes->len = middle;
        end_update(state, row, true, true);
        return;
    }
    if (undoes) {
        size_t end = bytes->len;

        bytes->len = middle;
        end_update(state, row, true, false);
        bytes->len = end;
    }
    if (adds) {
        end_update(state, row, false, true);
    }
}

static void collect_updates(struct op *op, const struct row_batch *in)
{
    struct aggregate_state *state = op_state(op);

    uint32_t most = in->selected_count * (state->plan->over_table ? 2 : 1);

    key_run_begin(&state->run, in->arena, most);
    state->updates = arena_alloc(in->arena, most * sizeof *state->updates);
    for (uint32_t n = 0; n < in->selected_count; n++) {
        if (state->plan->over_table) {
            collect_change(op, in, batch_selected(in, n));
        } else {
            collect_stream_row(op, in, batch_selected(in, n));
        }
    }
    key_run_finish(&state->run);
    store_prefetch(state->store, state->run.keys, state->run.count);
    if (state->emission) {
        emission_prefetch(state->emission, state->run.keys, state->run.count);
    }
}

/* --- one update --- */

static void init_group(struct aggregate_state *state)
{
    struct value *accumulator = state->cells + state->plan->group_count;

    memset(state->cells, 0, state->plan->group_count * sizeof *state->cells);
    for (uint32_t i = 0; i < state->plan->call_count; i++) {
        const struct aggregate_plan *call = &state->plan->calls[i].plan;

        call->kind->init(call, accumulator);
        accumulator += call->accumulator_count;
    }
}

typedef int (*step_function)(const struct aggregate_plan *plan, struct value *accumulator,
                             const struct value *const *arguments, struct arena *arena,
                             struct error *err);

/*
 * Adds an image of the row to all accumulators, or takes it back. An accumulator that cannot take
 * the row stops the query: what it would hold from here on is not what was asked for.
 */
static int run_calls(struct op *op, const struct row_batch *in, const struct row_banks *banks,
                     bool undo, struct error *err)
{
    struct aggregate_state *state = op_state(op);
    struct value *accumulator = state->cells + state->plan->group_count;

    for (uint32_t i = 0; i < state->plan->call_count; i++) {
        const struct aggregate_call *call = &state->plan->calls[i];
        step_function step = undo ? call->plan.kind->undo : call->plan.kind->add;

        for (uint32_t a = 0; a < call->plan.argument_count; a++) {
            state->inputs[a] = banks_value(banks, call->arguments[a]);
        }
        if (step(&call->plan, accumulator, state->inputs, in->arena, err)) {
            return error_prefix(err, "%s: ", call->plan.kind->name);
        }
        accumulator += call->plan.accumulator_count;
    }
    return 0;
}

static int add_image(struct op *op, const struct row_batch *in, const struct update *update,
                     struct error *err)
{
    struct aggregate_state *state = op_state(op);
    struct row_banks banks = batch_row_new(in, update->row);

    for (uint32_t i = 0; i < state->plan->group_count; i++) {
        state->cells[i] = *banks_value(&banks, state->plan->group[i]);
    }
    return run_calls(op, in, &banks, false, err);
}

static int undo_image(struct op *op, const struct row_batch *in, const struct update *update,
                      struct error *err)
{
    struct row_banks banks = batch_row_old(in, update->row);

    return run_calls(op, in, &banks, true, err);
}

/* Group columns and results as the output has them; a result that fails is null. */
static int fill_results(const struct aggregate_op_plan *plan, const struct value *image,
                        struct value *out, struct arena *arena, struct error *err)
{
    const struct value *accumulator = image + plan->group_count;
    int code = 0;

    if (plan->group_count) {
        memcpy(out, image, plan->group_count * sizeof *out);
    }
    for (uint32_t i = 0; i < plan->call_count; i++) {
        const struct aggregate_plan *call = &plan->calls[i].plan;
        struct value *result = &out[plan->group_count + i];
        int failed = call->kind->result(call, accumulator, arena, result, err);

        if (failed) {
            *result = value_null();
            code = failed;
        }
        accumulator += call->accumulator_count;
    }
    return code;
}

static int begin_group(struct op *op, const struct row_batch *in, bool was_there,
                       const struct store_entry *entry, struct error *err)
{
    struct aggregate_state *state = op_state(op);

    if (!was_there) {
        init_group(state);
        return 0;
    }
    return stored_row_decode(&state->image_row, entry->image, state->cells, in->arena, err);
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int begin_row(struct op *op, const struct row_batch *in, bool was_there,
                     struct output_rows *rows, struct output_row *out, struct error *err)
{
    struct aggregate_state *state = op_state(op);

    TRY(output_rows_next(rows, out, err));
    out->meta->change = ROW_HAS_NEW;
    if (out->old_cells && (was_there || !state->plan->over_table)) {
        out->meta->change |= ROW_HAS_OLD;
        /* What fails here was reported when the row was new. */
        (void)fill_results(state->plan, state->cells, out->old_cells, in->arena, NULL);
    }
    return 0;
}

static void end_row(struct op *op, const struct row_batch *in, uint32_t row, int64_t timestamp_ms,
                    struct output_row *out)
{
    struct aggregate_state *state = op_state(op);
    struct error why;

    out->meta->timestamp_ms = timestamp_ms;
    out->meta->origin = in->meta[row].origin;
    *out->task_time = state->task_time;
    if (fill_results(state->plan, state->cells, out->cells, in->arena, &why)) {
        op_row_error(op, in, row, "aggregate", &why);
    }
}

static int aggregate_flush(struct op *op, struct error *err);

static int apply_update(struct op *op, const struct row_batch *in, uint32_t number,
                        struct output_rows *rows, struct error *err)
{
    struct aggregate_state *state = op_state(op);
    const struct update *update = &state->updates[number];
    struct bytes key = state->run.keys[number];
    int64_t timestamp_ms = in->meta[update->row].timestamp_ms;
    struct store_entry entry = { { NULL, 0 }, timestamp_ms };
    bool was_there = store_get(state->store, key, &entry);
    bool is_full = false;
    struct output_row out;

    if (!was_there && !update->adds) {
        return 0;
    }
    timestamp_ms = later(timestamp_ms, entry.timestamp_ms);
    state->task_time = in->task_time ? in->task_time[update->row] : timestamp_ms;
    TRY(begin_group(op, in, was_there, &entry, err));
    if (!state->emission) {
        TRY(begin_row(op, in, was_there, rows, &out, err));
    }
    if (update->undoes && was_there) {
        TRY(undo_image(op, in, update, err));
    }
    if (update->adds) {
        TRY(add_image(op, in, update, err));
    }
    if (state->emission) {
        is_full = emission_note(state->emission, key, entry.image, timestamp_ms,
                                &in->origins[in->meta[update->row].origin]);
    } else {
        end_row(op, in, update->row, timestamp_ms, &out);
    }
    state->image.len = 0;
    row_codec_encode_cells(state->image_row.codec, state->cells, &state->image);
    store_put(state->store, key, buffer_bytes(&state->image), timestamp_ms);
    return is_full ? aggregate_flush(op, err) : 0;
}

static int aggregate_push(struct op *op, unsigned port, const struct row_batch *in,
                          struct error *err)
{
    struct aggregate_state *state = op_state(op);
    struct output_rows rows;

    collect_updates(op, in);
    output_rows_begin(&rows, op, in->arena, in->origins, state->run.count);
    for (uint32_t i = 0; i < state->run.count; i++) {
        TRY(apply_update(op, in, i, &rows, err));
    }
    return output_rows_end(&rows, err);
}

/* --- flush, read --- */

static int read_row(struct aggregate_state *state, struct bytes image, struct value *out,
                    struct arena *arena, struct error *err)
{
    TRY(row_codec_decode(state->image_row.codec, image, state->cells, arena, err));
    /* What fails is null in the row; there is no source row to report it with. */
    (void)fill_results(state->plan, state->cells, out, arena, NULL);
    return 0;
}

static int fill_aggregate_row(struct op *op, const struct emission_change *change,
                              struct output_row *row, bool *emits, struct arena *arena,
                              struct error *err)
{
    struct aggregate_state *state = op_state(op);
    struct store_entry now;
    bool is_there = store_get(state->store, change->key, &now);

    assert(is_there); /* groups are never deleted */
    *row->task_time = state->task_time;
    row->meta->change = ROW_HAS_NEW;
    if (row->old_cells && change->old_image.data) {
        row->meta->change |= ROW_HAS_OLD;
        TRY(read_row(state, change->old_image, row->old_cells, arena, err));
    }
    return read_row(state, now.image, row->cells, arena, err);
}

static int aggregate_flush(struct op *op, struct error *err)
{
    struct aggregate_state *state = op_state(op);

    return output_rows_flush(op, state->emission, state->store, fill_aggregate_row, err);
}

static int aggregate_read(struct op *op, struct bytes image, struct value *cells,
                          struct arena *arena, struct error *err)
{
    return read_row(op_state(op), image, cells, arena, err);
}

const struct op_kind op_aggregate = {
    .name = "Aggregate",
    .implements = PLAN_AGGREGATE,
    .state_size = sizeof(struct aggregate_state),
    .open = aggregate_open,
    .push = aggregate_push,
    .flush = aggregate_flush,
    .read = aggregate_read,
    .close = aggregate_close,
};
