/*
 * op_join_table_table.c: two tables by their key: a change of either is a change of the result.
 *
 * With n the new and o the old row of the side that changes, v what the other side has now, and
 * a side that INNER and its kind cannot do without called required (queries.md 6.5):
 *
 *     v absent, other side required               -
 *     n and v absent                              a tombstone if o was there, else -
 *     n absent, this side required                a tombstone
 *     else                                        [n or null, v or null]
 *
 * The old image of the result is the same of o and v. Sides are looked up in the stores of
 * their tables, which hold the change already. The time is the later of the event's and of
 * the other row's.
 */
#include <assert.h>

#include "engine/operator/join_rows.h"
#include "engine/operator/output_rows.h"

struct table_table_state {
    const struct join_plan *plan;
    struct join_lookup sides[2];
};

/* A row of one side that meets what the other has under its key. */
struct meeting {
    const struct row_batch *in;
    uint32_t row;
    unsigned port;
    bool has_new;
    bool has_old;
    bool has_other;
    int64_t timestamp_ms;
};

static int table_table_open(struct op *op, struct error *err)
{
    struct table_table_state *state = op_state(op);

    state->plan = &op->plan->join;
    assert(state->plan->key_bytes_given);
    join_lookup_init(&state->sides[0], op->env, &state->plan->sides[0]);
    join_lookup_init(&state->sides[1], op->env, &state->plan->sides[1]);
    return 0;
}

static void table_table_close(struct op *op)
{
}

/* Whether there is no result without a row of the side. */
static bool is_required(enum ast_join_kind kind, unsigned side)
{
    return kind == AST_JOIN_INNER || (kind == AST_JOIN_LEFT && side == 0) ||
           (kind == AST_JOIN_RIGHT && side == 1);
}

static bool emits(const struct join_plan *plan, const struct meeting *m)
{
    if (!m->has_other && is_required(plan->kind, 1 - m->port)) {
        return false;
    }
    return m->has_new || m->has_other || m->has_old;
}

/* Of this side's row, if it has one, and the other's. */
static bool has_result(const struct join_plan *plan, const struct meeting *m, bool has_row)
{
    return has_row || (m->has_other && !is_required(plan->kind, m->port));
}

/* --- images --- */

static int fill_image(struct op *op, const struct meeting *m, const struct row_banks *row,
                      struct value *cells, struct error *err)
{
    struct table_table_state *state = op_state(op);

    if (row) {
        join_copy_side(&state->plan->sides[m->port], row, cells);
    }
    return m->has_other ? join_lookup_read(&state->sides[1 - m->port], cells, m->in->arena, err)
                        : 0;
}

/*
 * The key, of whichever row has it: a delete that came through a repartition topic has only its
 * bytes. The other side's first cell is its key too.
 */
static struct value find_key(const struct table_table_state *state, const struct meeting *m,
                             const struct value *other)
{
    operand at = state->plan->key_at[m->port];
    struct row_banks new = batch_row_new(m->in, m->row);
    struct row_banks old = batch_row_old(m->in, m->row);
    const struct value *key = banks_value(&new, at);

    if (value_is_null(key) && other) {
        key = other;
    }
    if (value_is_null(key) && m->has_old) {
        key = banks_value(&old, at);
    }
    return *key;
}

/* The key as the other side has it: that of the first of its tables that has a row. */
static const struct value *other_key(const struct join_lookup *lookup, const struct value *cells)
{
    for (uint32_t i = 0; i < lookup->side->leaf_count; i++) {
        if (lookup->has_entry[i]) {
            return cells + lookup->side->first_cell + lookup->side->leaves[i].first_cell;
        }
    }
    return NULL;
}

/* A tombstone has its key, and nothing else. */
static void keep_key(const struct row_shape *shape, struct value *cells)
{
    for (uint32_t i = 1; i < shape->cell_count; i++) {
        cells[i] = value_null();
    }
}

static int fill_new(struct op *op, const struct meeting *m, struct output_row *out,
                    struct error *err)
{
    struct table_table_state *state = op_state(op);
    struct row_banks banks = batch_row_new(m->in, m->row);

    TRY(fill_image(op, m, m->has_new ? &banks : NULL, out->cells, err));
    out->cells[0] = find_key(state, m, other_key(&state->sides[1 - m->port], out->cells));
    if (has_result(state->plan, m, m->has_new)) {
        out->meta->change |= ROW_HAS_NEW;
    } else {
        keep_key(op->plan->output, out->cells);
    }
    return 0;
}

static int fill_old(struct op *op, const struct meeting *m, struct output_row *out,
                    struct error *err)
{
    struct table_table_state *state = op_state(op);
    struct row_banks banks = batch_row_old(m->in, m->row);

    if (!has_result(state->plan, m, m->has_old)) {
        return 0;
    }
    out->meta->change |= ROW_HAS_OLD;
    TRY(fill_image(op, m, m->has_old ? &banks : NULL, out->old_cells, err));
    out->old_cells[0] = out->cells[0];
    return 0;
}

/* --- rows --- */

static void meet(struct op *op, struct meeting *m)
{
    struct table_table_state *state = op_state(op);
    const struct row_meta *meta = &m->in->meta[m->row];
    int64_t other_ms;

    m->has_new = (meta->change & ROW_HAS_NEW) != 0;
    m->has_old = (meta->change & ROW_HAS_OLD) && m->in->old_cells;
    m->has_other =
        join_lookup_find(&state->sides[1 - m->port], m->in->key_bytes[m->row], &other_ms);
    m->timestamp_ms = meta->timestamp_ms;
    if (m->has_other && other_ms > m->timestamp_ms) {
        m->timestamp_ms = other_ms;
    }
}

static int join_row(struct op *op, struct meeting *m, struct output_rows *rows, struct error *err)
{
    struct table_table_state *state = op_state(op);
    struct output_row out;

    meet(op, m);
    if (!emits(state->plan, m)) {
        return 0;
    }
    TRY(output_rows_next(rows, &out, err));
    out.meta->timestamp_ms = m->timestamp_ms;
    out.meta->origin = m->in->meta[m->row].origin;
    *out.task_time = m->in->task_time ? m->in->task_time[m->row] : m->timestamp_ms;
    *out.key_bytes = m->in->key_bytes[m->row];
    TRY(fill_new(op, m, &out, err));
    return out.old_cells ? fill_old(op, m, &out, err) : 0;
}

static void prefetch(struct table_table_state *state, unsigned port, const struct row_batch *in)
{
    struct bytes *keys = arena_alloc(in->arena, in->selected_count * sizeof *keys);

    for (uint32_t n = 0; n < in->selected_count; n++) {
        keys[n] = in->key_bytes[batch_selected(in, n)];
    }
    join_lookup_prefetch(&state->sides[1 - port], keys, in->selected_count);
}

static int table_table_push(struct op *op, unsigned port, const struct row_batch *in,
                            struct error *err)
{
    struct table_table_state *state = op_state(op);
    struct output_rows rows;

    prefetch(state, port, in);
    output_rows_begin(&rows, op, in->arena, in->origins, in->selected_count);
    rows.gives_keys = true;
    for (uint32_t n = 0; n < in->selected_count; n++) {
        struct meeting m = { .in = in, .row = batch_selected(in, n), .port = port };

        TRY(join_row(op, &m, &rows, err));
    }
    return output_rows_end(&rows, err);
}

const struct op_kind op_join_table_table = {
    .name = "TableTableJoin",
    .implements = PLAN_JOIN_TABLE_TABLE,
    .state_size = sizeof(struct table_table_state),
    .open = table_table_open,
    .push = table_table_push,
    .close = table_table_close,
};
