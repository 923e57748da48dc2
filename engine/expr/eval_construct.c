/*
 * eval_construct.c: values made of other values, in the batch's arena. The parts are borrowed: what
 * they point at lives as long.
 */
#include "engine/expr/program_internal.h"
#include "engine/type/compare.h"

/* ARRAY and STRUCT. */
const struct instruction *eval_make_items(const struct instruction *self, struct frame *frame)
{
    const struct construct_plan *plan = self->plan;
    struct value *items = arena_alloc(frame->context->arena, plan->part_count * sizeof *items);

    for (uint32_t i = 0; i < plan->part_count; i++) {
        items[i] = *frame_value(frame, plan->parts[i]);
    }
    frame->registers[self->out] =
        (struct value){ .kind = (uint8_t)plan->type->id, .size = plan->part_count, .items = items };
    return self + 1;
}

static bool same_key(const struct value *a, const struct value *b, const struct sql_type *type)
{
    if (value_is_null(a) || value_is_null(b)) {
        return value_is_null(a) && value_is_null(b);
    }
    return compare_equal(a, b, type);
}

/* Of equal keys the last one's value counts. */
const struct instruction *eval_make_map(const struct instruction *self, struct frame *frame)
{
    const struct construct_plan *plan = self->plan;
    struct map_pair *pairs =
        arena_alloc(frame->context->arena, plan->part_count / 2 * sizeof *pairs);
    uint32_t count = 0;

    for (uint32_t i = 0; i < plan->part_count; i += 2) {
        const struct value *key = frame_value(frame, plan->parts[i]);
        uint32_t at = 0;

        while (at < count && !same_key(&pairs[at].key, key, plan->type->key)) {
            at++;
        }
        pairs[at] = (struct map_pair){ *key, *frame_value(frame, plan->parts[i + 1]) };
        count += at == count;
    }
    frame->registers[self->out] = (struct value){ .kind = T_MAP, .size = count, .pairs = pairs };
    return self + 1;
}
