/*
 * op.c: opening, running and closing the operators of a task.
 *
 * Successors stand behind their predecessors in the plan, so walking the array is
 * topological order: what one flush emits, the next operator still buffers or passes on.
 *
 * Saved metadata is, per operator that keeps any, its length in 4 bytes and its bytes.
 */
#include "engine/operator/op.h"

#include <assert.h>
#include <string.h>

#define OPERATOR(name) extern const struct op_kind op_##name;
#include "engine/operator/operators.def"
#undef OPERATOR

const struct op_kind *const all_operators[] = {
#define OPERATOR(name) &op_##name,
#include "engine/operator/operators.def"
#undef OPERATOR
    NULL,
};

const struct op_kind *op_kind_for(enum plan_tag tag)
{
    const struct op_kind *const *kind = all_operators;

    while ((*kind)->implements != tag) {
        kind++;
        assert(*kind);
    }
    return *kind;
}

static void connect_op(struct op_chain *chain, const struct sub_plan *plan, uint32_t number,
                       struct op_env *env)
{
    struct op *op = &chain->ops[number];

    op->plan = &plan->ops[number];
    op->env = env;
    op->kind = op_kind_for(op->plan->tag);
    if (op->plan->next != NO_OP) {
        assert(op->plan->next > number && op->plan->next < plan->op_count);
        op->next = &chain->ops[op->plan->next];
    }
}

int op_chain_open(struct op_chain *chain, const struct sub_plan *plan, struct op_env *env,
                  struct error *err)
{
    *chain =
        (struct op_chain){ arena_array(env->arena, struct op, plan->op_count), plan->op_count };
    for (uint32_t i = 0; i < plan->op_count; i++) {
        connect_op(chain, plan, i, env);
    }
    for (uint32_t i = 0; i < plan->op_count; i++) {
        struct op *op = &chain->ops[i];
        int code;

        op->state = arena_zalloc(env->arena, op->kind->state_size);
        code = op->kind->open(op, err);
        if (code) {
            op_chain_close(chain);
            return code;
        }
    }
    return 0;
}

void op_chain_close(struct op_chain *chain)
{
    for (uint32_t i = chain->op_count; i-- > 0;) {
        struct op *op = &chain->ops[i];

        if (op->state) { /* otherwise one before it failed to open */
            op->kind->close(op);
            op->state = NULL;
        }
    }
    *chain = (struct op_chain){ 0 };
}

int op_chain_push(struct op_chain *chain, const struct input_plan *input,
                  const struct row_batch *batch, struct error *err)
{
    struct op *op = &chain->ops[input->op];

    return op->kind->push(op, input->port, batch, err);
}

int op_chain_flush(struct op_chain *chain, struct error *err)
{
    for (uint32_t i = 0; i < chain->op_count; i++) {
        struct op *op = &chain->ops[i];

        if (op->kind->flush) {
            TRY(op->kind->flush(op, err));
        }
    }
    return 0;
}

int op_chain_tick(struct op_chain *chain, int64_t now_ms, struct error *err)
{
    for (uint32_t i = 0; i < chain->op_count; i++) {
        struct op *op = &chain->ops[i];

        if (op->kind->tick) {
            TRY(op->kind->tick(op, now_ms, err));
        }
    }
    return 0;
}

/* --- metadata --- */

void op_chain_save(struct op_chain *chain, struct buffer *metadata)
{
    for (uint32_t i = 0; i < chain->op_count; i++) {
        struct op *op = &chain->ops[i];
        size_t begin = metadata->len;
        uint32_t len = 0;

        if (!op->kind->save) {
            continue;
        }
        buffer_append(metadata, &len, sizeof len);
        op->kind->save(op, metadata);
        len = (uint32_t)(metadata->len - begin - sizeof len);
        memcpy(metadata->data + begin, &len, sizeof len);
    }
}

static int next_metadata(struct bytes *all, struct bytes *out, struct error *err)
{
    uint32_t len = 0;

    if (all->len >= sizeof len) {
        memcpy(&len, all->data, sizeof len);
    }
    if (all->len < sizeof len || all->len - sizeof len < len) {
        return error_set(err, ERR_STATE_DAMAGED, NO_POSITION, "The progress record is cut short");
    }
    *out = (struct bytes){ all->data + sizeof len, len };
    all->data += sizeof len + len;
    all->len -= sizeof len + len;
    return 0;
}

int op_chain_restore(struct op_chain *chain, struct bytes metadata, struct error *err)
{
    for (uint32_t i = 0; i < chain->op_count; i++) {
        struct op *op = &chain->ops[i];
        struct bytes own;

        if (op->kind->restore && metadata.data) {
            TRY(next_metadata(&metadata, &own, err));
            TRY(op->kind->restore(op, own, err));
        }
    }
    return 0;
}

void op_row_error(struct op *op, const struct row_batch *in, uint32_t row, const char *what,
                  const struct error *err)
{
    op->env->row_error(op->env, op, &in->origins[in->meta[row].origin], what, err);
}
