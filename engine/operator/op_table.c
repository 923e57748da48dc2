/*
 * op_table.c: turns upserts and deletes by key into changes of a table.
 *
 * The store holds the newest row of each key. A row with a null key is left out; a
 * row without a value deletes, and goes on as a tombstone even if the key was never
 * seen. Updates are applied in the order of their offsets, whatever their timestamps.
 *
 * Emission is per update, or, with a budget, at flush: then the rows are read back
 * from the store, and a key that was absent at the last flush and is again
 * emits nothing.
 *
 * A table of a join is looked up by the join, which must see neither more nor less than it is
 * told of: its changes go on at once, whatever the budget, with their key bytes. Where the
 * join only looks up (next is NULL), nothing goes on at all.
 *
 * Where output columns are just the input's cells, the input's cells go on untouched.
 * ROWTIME and its kind are stored with the row, so they are those of the stored record.
 */
#include <assert.h>
#include <string.h>

#include "engine/operator/emission.h"
#include "engine/operator/key_maker.h"
#include "engine/operator/output_rows.h"
#include "engine/operator/stored_row.h"

enum { PSEUDO_SLOTS = 3 }; /* ROWTIME, ROWPARTITION, ROWOFFSET: the bank BANK_OTHER of a row */

struct table_state {
    struct store *store;
    struct stored_row image_row;
    operand *columns;  /* of the output, in the input row beside the pseudo columns */
    bool passes_cells; /* the output's cells are the input's */
    bool has_pseudo;
    struct key_maker keys;
    struct key_run run;
    struct buffer image;
    struct emission *emission; /* NULL: per update */
    int64_t task_time;         /* of the newest row, for what is emitted at flush */
};

/* --- open --- */

static operand pseudo_operand(enum pseudo_column pseudo)
{
    return operand_make(BANK_OTHER, (uint32_t)pseudo - PSEUDO_ROWTIME);
}

static operand find_column(struct table_state *state, const struct op_plan *plan,
                           const struct shape_column *wanted)
{
    enum pseudo_column pseudo = pseudo_column_find(wanted->name);

    if (pseudo != PSEUDO_NONE) {
        assert(pseudo <= PSEUDO_ROWOFFSET);
        state->has_pseudo = true;
        return pseudo_operand(pseudo);
    }
    for (uint32_t i = 0; i < plan->input->column_count; i++) {
        if (bytes_equal(plan->input->columns[i].name, wanted->name)) {
            return plan->input->columns[i].at;
        }
    }
    assert(!"a table's column comes from its input");
    return 0;
}

static int table_open(struct op *op, struct error *err)
{
    struct table_state *state = op_state(op);
    const struct op_plan *plan = op->plan;
    const struct row_shape *output = plan->output;

    state->store = op->env->stores[plan->table.store];
    stored_row_init(&state->image_row, &op->env->plan->stores[plan->table.store].codec);
    assert(output->cell_count == output->column_count);
    assert(state->image_row.codec->column_count == output->column_count);
    state->columns = arena_array(op->env->arena, operand, output->column_count);
    state->passes_cells = plan->input->cell_count == output->cell_count;
    for (uint32_t i = 0; i < output->column_count; i++) {
        state->columns[i] = find_column(state, plan, &output->columns[i]);
        assert(output->columns[i].at == operand_make(BANK_CELLS, i));
        state->passes_cells = state->passes_cells && state->columns[i] == output->columns[i].at;
    }
    if (op->env->emission_budget && !plan->table.feeds_join) {
        state->emission = emission_create(op->env->emission_budget);
    }
    return plan->table.key_bytes_given ? 0 : key_maker_open(&state->keys, &plan->table.key, err);
}

static void table_close(struct op *op)
{
    struct table_state *state = op_state(op);

    key_maker_close(&state->keys);
    key_run_fini(&state->run);
    buffer_fini(&state->image);
    emission_destroy(state->emission);
}

/* --- a run --- */

static const char no_key[] = "primary key";

/* Appends the row's key; false: the row has none. */
static bool append_key(struct op *op, const struct row_batch *in, uint32_t row)
{
    struct table_state *state = op_state(op);
    struct row_banks banks = batch_row_new(in, row);
    bool is_null = (in->meta[row].change & ROW_NULL_KEY) != 0;
    struct error why;

    if (is_null) {
        return false;
    }
    if (op->plan->table.key_bytes_given) {
        buffer_append_bytes(&state->run.bytes, in->key_bytes[row]);
        return true;
    }
    if (key_maker_append(&state->keys, &banks, &state->run.bytes, &is_null, &why)) {
        op_row_error(op, in, row, no_key, &why);
        return false;
    }
    return !is_null;
}

/* Keys of the rows that count; their numbers go to `rows`. */
static uint32_t collect_keys(struct op *op, const struct row_batch *in, uint16_t *rows)
{
    struct table_state *state = op_state(op);
    uint32_t count = 0;

    key_run_begin(&state->run, in->arena, in->selected_count);
    for (uint32_t n = 0; n < in->selected_count; n++) {
        uint32_t row = batch_selected(in, n);

        if (append_key(op, in, row)) {
            key_run_end_key(&state->run);
            rows[count++] = (uint16_t)row;
        }
    }
    key_run_finish(&state->run);
    store_prefetch(state->store, state->run.keys, count);
    return count;
}

static void fill_pseudo(const struct row_batch *in, uint32_t row, struct value slots[PSEUDO_SLOTS])
{
    const struct row_meta *meta = &in->meta[row];
    const struct row_origin *origin = &in->origins[meta->origin];

    slots[0] = value_i64(T_BIGINT, meta->timestamp_ms);
    slots[1] = value_i64(T_INTEGER, origin->partition);
    slots[2] = value_i64(T_BIGINT, origin->offset);
}

static void apply_to_store(struct table_state *state, struct bytes key, const struct row_banks *row,
                           const struct row_meta *meta)
{
    if (!(meta->change & ROW_HAS_NEW)) {
        (void)store_delete(state->store, key); /* whether it was there matters to nobody */
        return;
    }
    state->image.len = 0;
    row_codec_encode(state->image_row.codec, row, state->columns, &state->image);
    store_put(state->store, key, buffer_bytes(&state->image), meta->timestamp_ms);
}

static int table_flush(struct op *op, struct error *err);

static int buffer_change(struct op *op, const struct row_batch *in, uint32_t row, struct bytes key,
                         const struct row_banks *banks, struct error *err)
{
    struct table_state *state = op_state(op);
    const struct row_meta *meta = &in->meta[row];
    struct store_entry old = { { NULL, 0 }, 0 };
    bool is_full;

    (void)store_get(state->store, key, &old); /* stays absent where there is none */
    is_full = emission_note(state->emission, key, old.image, meta->timestamp_ms,
                            &in->origins[meta->origin]);
    apply_to_store(state, key, banks, meta);
    state->task_time = in->task_time ? in->task_time[row] : meta->timestamp_ms;
    return is_full ? table_flush(op, err) : 0;
}

/* The batch that goes on: the input's rows, with cells of their own where they differ. */
struct table_output {
    struct row_batch batch;
    struct value *cells; /* NULL: the input's */
    struct value *old_cells;
    struct row_meta *meta;
};

/* The keys of the run by row number. */
static const struct bytes *spread_keys(const struct table_state *state, const struct row_batch *in,
                                       const uint16_t *rows, uint32_t count)
{
    struct bytes *keys = arena_alloc(in->arena, in->row_count * sizeof *keys);

    for (uint32_t i = 0; i < count; i++) {
        keys[rows[i]] = state->run.keys[i];
    }
    return keys;
}

static void begin_output(struct op *op, const struct row_batch *in, uint16_t *rows, uint32_t count,
                         struct table_output *out)
{
    struct table_state *state = op_state(op);
    size_t cells = (size_t)in->row_count * op->plan->output->cell_count;

    out->batch = *in;
    out->batch.shape = op->plan->output;
    out->batch.registers = NULL;
    out->batch.old_registers = NULL;
    out->batch.key_bytes = NULL;
    out->batch.selected = rows;
    out->batch.selected_count = count;
    out->cells = NULL;
    if (!state->passes_cells) {
        out->cells = arena_alloc(in->arena, cells * sizeof *out->cells);
        out->batch.cells = out->cells;
    }
    out->old_cells =
        op->plan->needs_old ? arena_alloc(in->arena, cells * sizeof *out->old_cells) : NULL;
    out->batch.old_cells = out->old_cells;
    out->meta = arena_alloc(in->arena, in->row_count * sizeof *out->meta);
    memcpy(out->meta, in->meta, in->row_count * sizeof *out->meta);
    out->batch.meta = out->meta;
    if (op->plan->table.feeds_join) {
        out->batch.key_bytes = spread_keys(state, in, rows, count);
    }
}

static int change_row(struct op *op, struct table_output *out, uint32_t row, struct bytes key,
                      const struct row_banks *banks, struct error *err)
{
    struct table_state *state = op_state(op);
    size_t at = (size_t)row * op->plan->output->cell_count;
    struct store_entry old;

    out->meta[row].change &= ROW_HAS_NEW;
    if (out->old_cells && store_get(state->store, key, &old)) {
        out->meta[row].change |= ROW_HAS_OLD;
        TRY(stored_row_decode(&state->image_row, old.image, out->old_cells + at, out->batch.arena,
                              err));
    }
    for (uint32_t i = 0; out->cells && i < op->plan->output->cell_count; i++) {
        out->cells[at + i] = *banks_value(banks, state->columns[i]);
    }
    apply_to_store(state, key, banks, &out->meta[row]);
    return 0;
}

static int table_push(struct op *op, unsigned port, const struct row_batch *in, struct error *err)
{
    struct table_state *state = op_state(op);
    uint16_t *rows = arena_alloc(in->arena, in->selected_count * sizeof *rows);
    uint32_t count = collect_keys(op, in, rows);
    struct table_output out;

    if (state->emission) {
        emission_prefetch(state->emission, state->run.keys, count);
    } else if (op->next) {
        begin_output(op, in, rows, count, &out);
    }
    for (uint32_t n = 0; n < count; n++) {
        struct value pseudo[PSEUDO_SLOTS];
        struct row_banks banks = batch_row_new(in, rows[n]);

        if (state->has_pseudo) {
            fill_pseudo(in, rows[n], pseudo);
            banks.at[BANK_OTHER] = pseudo;
        }
        if (!op->next) {
            apply_to_store(state, state->run.keys[n], &banks, &in->meta[rows[n]]);
        } else if (state->emission) {
            TRY(buffer_change(op, in, rows[n], state->run.keys[n], &banks, err));
        } else {
            TRY(change_row(op, &out, rows[n], state->run.keys[n], &banks, err));
        }
    }
    return op->next && !state->emission && count ? op_emit(op, &out.batch, err) : 0;
}

/* --- flush --- */

/* A tombstone has the key columns of the row that was there. */
static void keep_key(const struct row_shape *shape, struct value *cells)
{
    for (uint32_t i = 0; i < shape->column_count; i++) {
        if (shape->columns[i].role != COLUMN_KEY) {
            cells[i] = value_null();
        }
    }
}

/* A key that was absent at the last flush and is again emits nothing. */
static int fill_table_row(struct op *op, const struct emission_change *change,
                          struct output_row *row, bool *emits, struct arena *arena,
                          struct error *err)
{
    struct table_state *state = op_state(op);
    const struct row_codec *codec = state->image_row.codec;
    struct store_entry now;

    *row->task_time = state->task_time;
    if (store_get(state->store, change->key, &now)) {
        row->meta->change = ROW_HAS_NEW;
        TRY(row_codec_decode(codec, now.image, row->cells, arena, err));
    } else if (change->old_image.data) {
        TRY(row_codec_decode(codec, change->old_image, row->cells, arena, err));
        keep_key(op->plan->output, row->cells);
    } else {
        *emits = false;
    }
    if (row->old_cells && change->old_image.data) {
        row->meta->change |= ROW_HAS_OLD;
        TRY(row_codec_decode(codec, change->old_image, row->old_cells, arena, err));
    }
    return 0;
}

static int table_flush(struct op *op, struct error *err)
{
    struct table_state *state = op_state(op);

    return output_rows_flush(op, state->emission, state->store, fill_table_row, err);
}

static int table_read(struct op *op, struct bytes image, struct value *cells, struct arena *arena,
                      struct error *err)
{
    const struct table_state *state = op_state(op);

    return row_codec_decode(state->image_row.codec, image, cells, arena, err);
}

const struct op_kind op_table = {
    .name = "Table",
    .implements = PLAN_TABLE,
    .state_size = sizeof(struct table_state),
    .open = table_open,
    .push = table_push,
    .flush = table_flush,
    .read = table_read,
    .close = table_close,
};
