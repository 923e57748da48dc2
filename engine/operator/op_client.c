/*
 * op_client.c: the end of a push query: rows go to the client's queue.
 *
 * A row without a new image is a tombstone, of which only key columns are shown. LIMIT is the
 * queue's to count: every task of the query ends in it.
 */
#include "engine/operator/op.h"

struct client_state {
    struct row_queue *queue;
    struct value *cells; /* of a tombstone */
    struct buffer image;
};

static int client_open(struct op *op, struct error *err)
{
    struct client_state *state = op_state(op);
    const struct client_plan *plan = &op->plan->client;
    uint32_t count = plan->codec.column_count;

    state->queue = op->env->client;
    state->cells = arena_array(op->env->arena, struct value, count);
    if (plan->limit >= 0) {
        row_queue_limit(state->queue, (uint64_t)plan->limit);
    }
    return 0;
}

static void client_close(struct op *op)
{
    struct client_state *state = op_state(op);

    buffer_fini(&state->image);
}

static void encode_tombstone(struct client_state *state, const struct client_plan *plan,
                             const struct row_banks *banks)
{
    for (uint32_t i = 0; i < plan->codec.column_count; i++) {
        state->cells[i] = plan->is_key[i] ? *banks_value(banks, plan->columns[i]) : value_null();
    }
    row_codec_encode_cells(&plan->codec, state->cells, &state->image);
}

static int client_push(struct op *op, unsigned port, const struct row_batch *in, struct error *err)
{
    struct client_state *state = op_state(op);
    const struct client_plan *plan = &op->plan->client;

    for (uint32_t n = 0; n < in->selected_count; n++) {
        uint32_t row = batch_selected(in, n);
        struct row_banks banks = batch_row_new(in, row);
        bool is_tombstone = !(in->meta[row].change & ROW_HAS_NEW);

        if (is_tombstone && !op->env->plan->result_is_table) {
            continue; /* a stream's record without a value is nothing to see */
        }
        state->image.len = 0;
        if (is_tombstone) {
            encode_tombstone(state, plan, &banks);
        } else {
            row_codec_encode(&plan->codec, &banks, plan->columns, &state->image);
        }
        row_queue_put(state->queue, buffer_bytes(&state->image), is_tombstone,
                      in->meta[row].timestamp_ms);
    }
    return 0;
}

const struct op_kind op_client = {
    .name = "Client",
    .implements = PLAN_CLIENT,
    .state_size = sizeof(struct client_state),
    .open = client_open,
    .push = client_push,
    .close = client_close,
};
