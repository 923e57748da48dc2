/*
 * op_stage.c: filters and computed columns, one program per row.
 *
 * A stage copies no cell. What it computes goes into a block of registers, what it
 * filters is a list of rows; the batch goes on under the stage's shape. A program that
 * does nothing costs nothing.
 *
 * A row of a stream that has no value passes a projection and no filter. A table's
 * change has two images, each of which passes the program or does not
 * (queries.md 1, table filter):
 *
 *     new passes                 -> goes on
 *     new fails or is not there  -> a tombstone if the old image passed, else nothing
 *
 * Without a filter a delete goes on even where no old image is known.
 */
#include <assert.h>
#include <string.h>

#include "engine/operator/op.h"

struct stage_state {
    bool is_empty;
    bool filters;
    bool rekeys; /* the output's key is not the input's: a null key is decided anew */
};

/* What a failed step of the program is reported with. */
struct stage_row {
    struct op *op;
    const struct row_batch *in;
    uint32_t row;
};

static bool same_keys(const struct row_shape *a, const struct row_shape *b)
{
    if (a->key_count != b->key_count) {
        return false;
    }
    for (uint32_t i = 0; i < a->key_count; i++) {
        if (a->columns[i].at != b->columns[i].at) {
            return false;
        }
    }
    return true;
}

static int stage_open(struct op *op, struct error *err)
{
    struct stage_state *state = op_state(op);
    const struct program *program = op->plan->stage.program;

    state->filters = program_has_filter(program); /* TRUE filters too, and has no code */
    state->is_empty = program_is_empty(program) && !state->filters;
    state->rekeys = op->plan->stage.rekeys || !same_keys(op->plan->input, op->plan->output);
    assert(state->is_empty || op->plan->input->register_count == 0);
    assert(state->is_empty || op->plan->output->register_count == program_register_count(program));
    return 0;
}

static void report_failure(void *context, const char *what, const struct error *err)
{
    const struct stage_row *at = context;

    op_row_error(at->op, at->in, at->row, what, err);
}

static struct value *alloc_registers(const struct op *op, const struct row_batch *in)
{
    size_t count = (size_t)in->row_count * op->plan->output->register_count;

    return count ? arena_alloc(in->arena, count * sizeof(struct value)) : NULL;
}

/* The input as it goes on: the same rows under the stage's shape. */
static struct row_batch *begin_output(struct op *op, const struct row_batch *in)
{
    const struct stage_state *state = op_state(op);
    struct row_batch *out = arena_alloc(in->arena, sizeof *out);

    *out = *in;
    out->shape = op->plan->output;
    if (state->rekeys) {
        out->key_bytes = NULL;
    }
    if (!op->plan->needs_old) {
        out->old_cells = NULL;
        out->old_registers = NULL;
    }
    return out;
}

static struct row_meta *copy_meta(const struct row_batch *in)
{
    struct row_meta *meta = arena_alloc(in->arena, in->row_count * sizeof *meta);

    memcpy(meta, in->meta, in->row_count * sizeof *meta);
    return meta;
}

/* Rows of a stream: ROW_NULL_KEY speaks of the source's key, not of a new one. */
static void forget_null_keys(struct row_batch *out, const struct row_batch *in)
{
    unsigned seen = 0;
    struct row_meta *meta;

    for (uint32_t row = 0; row < in->row_count; row++) {
        seen |= in->meta[row].change;
    }
    if (!(seen & ROW_NULL_KEY)) {
        return;
    }
    meta = copy_meta(in);
    for (uint32_t row = 0; row < in->row_count; row++) {
        meta[row].change &= (uint16_t)~ROW_NULL_KEY;
    }
    out->meta = meta;
}

static void begin_row(struct program_row *row, const struct row_batch *in, uint32_t number,
                      struct row_banks banks, struct value *registers)
{
    row->banks = banks;
    row->registers = registers;
    row->banks.at[BANK_REGISTERS] = registers;
    row->meta = &in->meta[number];
    row->origin = &in->origins[in->meta[number].origin];
}

/* The key that was made of the value of a row that has none. */
static void null_key_columns(const struct stage_plan *plan, struct value *registers)
{
    for (uint32_t i = 0; i < plan->nulled_count; i++) {
        registers[plan->nulled[i] & OPERAND_SLOT_MASK] = value_null();
    }
}

static int push_stream(struct op *op, const struct row_batch *in, struct error *err)
{
    const struct stage_state *state = op_state(op);
    const struct program *program = op->plan->stage.program;
    uint32_t stride = op->plan->output->register_count;
    uint16_t *selected = arena_alloc(in->arena, in->selected_count * sizeof *selected);
    struct stage_row at = { op, in, 0 };
    struct program_context context = { in->arena, report_failure, &at };
    struct program_row row = { .narrowed = true };
    uint32_t left = program_narrow(program, in->cells, in->shape->cell_count, in->selected,
                                   in->selected_count, selected);
    uint32_t count = 0;
    struct row_batch *out;
    struct value *registers;

    if (!left) {
        return 0;
    }
    out = begin_output(op, in);
    registers = alloc_registers(op, in);
    for (uint32_t n = 0; n < left; n++) {
        at.row = selected[n];
        if (state->filters && !(in->meta[at.row].change & ROW_HAS_NEW)) {
            continue;
        }
        begin_row(&row, in, at.row, batch_row_new(in, at.row),
                  registers ? registers + (size_t)at.row * stride : NULL);
        if (!program_run(program, &row, &context)) {
            continue;
        }
        selected[count++] = (uint16_t)at.row;
        if (op->plan->stage.nulled_count > 0 && !(in->meta[at.row].change & ROW_HAS_NEW)) {
            null_key_columns(&op->plan->stage, row.registers);
        }
    }
    out->registers = registers;
    out->selected = selected;
    out->selected_count = count;
    if (state->rekeys) {
        forget_null_keys(out, in);
    }
    return count ? op_emit(op, out, err) : 0;
}

/* --- tables --- */

struct table_pass {
    struct op *op;
    const struct row_batch *in;
    struct value *registers;
    struct value *old_registers; /* of all rows, or of one where they are not handed on */
    bool keeps_old;
};

static bool new_passes(struct table_pass *pass, uint32_t number)
{
    struct stage_row at = { pass->op, pass->in, number };
    struct program_context context = { pass->in->arena, report_failure, &at };
    uint32_t stride = pass->op->plan->output->register_count;
    struct program_row row = { 0 };

    begin_row(&row, pass->in, number, batch_row_new(pass->in, number),
              pass->registers ? pass->registers + (size_t)number * stride : NULL);
    return program_run(pass->op->plan->stage.program, &row, &context);
}

/* What failed for the old image was reported when that was new. */
static bool old_passes(struct table_pass *pass, uint32_t number)
{
    struct program_context context = { pass->in->arena, NULL, NULL };
    size_t stride = pass->keeps_old ? pass->op->plan->output->register_count : 0;
    struct program_row row = { 0 };

    begin_row(&row, pass->in, number, batch_row_old(pass->in, number),
              pass->old_registers ? pass->old_registers + number * stride : NULL);
    return program_run(pass->op->plan->stage.program, &row, &context);
}

/* The row's change as it goes on; false: nothing goes on. */
static bool filter_change(struct table_pass *pass, uint32_t number, struct row_meta *meta)
{
    const struct stage_state *state = op_state(pass->op);
    unsigned change = meta->change;
    bool has_new = (change & ROW_HAS_NEW) && new_passes(pass, number);
    bool asks_old = pass->keeps_old || (state->filters && !has_new);
    bool has_old =
        (change & ROW_HAS_OLD) && pass->in->old_cells && asks_old && old_passes(pass, number);

    if (!has_new && pass->registers) { /* nobody is to find another row's values there */
        uint32_t stride = pass->op->plan->output->register_count;

        memset(pass->registers + (size_t)number * stride, 0, stride * sizeof *pass->registers);
    }
    change &= ~(unsigned)(ROW_HAS_NEW | ROW_HAS_OLD);
    change |= has_new ? ROW_HAS_NEW : 0u;
    change |= has_old && pass->keeps_old ? ROW_HAS_OLD : 0u;
    meta->change = (uint16_t)change;
    return has_new || has_old || !state->filters;
}

static int push_table(struct op *op, const struct row_batch *in, struct error *err)
{
    struct row_batch *out = begin_output(op, in);
    uint16_t *selected = arena_alloc(in->arena, in->selected_count * sizeof *selected);
    struct row_meta *meta = copy_meta(in);
    uint32_t one_row = op->plan->output->register_count;
    struct table_pass pass = { .op = op, .in = in, .registers = alloc_registers(op, in) };
    uint32_t count = 0;

    pass.keeps_old = op->plan->needs_old && in->old_cells;
    pass.old_registers = pass.keeps_old ? alloc_registers(op, in)
                                        : arena_alloc(in->arena, one_row * sizeof(struct value));
    for (uint32_t n = 0; n < in->selected_count; n++) {
        uint32_t row = batch_selected(in, n);

        if (filter_change(&pass, row, &meta[row])) {
            selected[count++] = (uint16_t)row;
        }
    }
    out->meta = meta;
    out->registers = pass.registers;
    out->old_registers = pass.keeps_old ? pass.old_registers : NULL;
    out->selected = selected;
    out->selected_count = count;
    return count ? op_emit(op, out, err) : 0;
}

static int stage_push(struct op *op, unsigned port, const struct row_batch *in, struct error *err)
{
    const struct stage_state *state = op_state(op);

    if (!in->selected_count) {
        return 0;
    }
    if (state->is_empty) {
        struct row_batch *out = begin_output(op, in);

        if (state->rekeys && !op->plan->stage.over_table) {
            forget_null_keys(out, in);
        }
        return op_emit(op, out, err);
    }
    return op->plan->stage.over_table ? push_table(op, in, err) : push_stream(op, in, err);
}

static void stage_close(struct op *op)
{
}

const struct op_kind op_stage = {
    .name = "Stage",
    .implements = PLAN_STAGE,
    .state_size = sizeof(struct stage_state),
    .open = stage_open,
    .push = stage_push,
    .close = stage_close,
};
