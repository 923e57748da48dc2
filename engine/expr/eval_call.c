/*
 * eval_call.c: casts, access to parts of a value, function calls.
 *
 * A cast of null is null, a part of a null container too; only a null array
 * index fails.
 */
#include "engine/expr/program_internal.h"
#include "engine/type/compare.h"

const struct instruction *eval_to_bigint(const struct instruction *self, struct frame *frame)
{
    const struct value *a = frame_value(frame, self->a);

    frame->registers[self->out] = value_is_null(a) ? value_null() : value_i64(T_BIGINT, a->i64);
    return self + 1;
}

const struct instruction *eval_to_double(const struct instruction *self, struct frame *frame)
{
    const struct value *a = frame_value(frame, self->a);

    frame->registers[self->out] = value_is_null(a) ? value_null() : value_f64((double)a->i64);
    return self + 1;
}

const struct instruction *eval_cast(const struct instruction *self, struct frame *frame)
{
    const struct cast_plan *plan = self->plan;
    const struct value *a = frame_value(frame, self->a);
    struct value *out = &frame->registers[self->out];

    if (value_is_null(a)) {
        *out = value_null();
        return self + 1;
    }
    return plan->cast(a, plan->from, plan->to, frame->context->arena, out, &frame->error)
               ? frame_fail(frame, self)
               : self + 1;
}

/* Text compared with a time: CAST would trim it, a comparison does not. */
const struct instruction *eval_cast_untrimmed(const struct instruction *self, struct frame *frame)
{
    const struct value *a = frame_value(frame, self->a);

    if (!value_is_null(a) && a->size &&
        ((unsigned char)a->bytes[0] <= ' ' || (unsigned char)a->bytes[a->size - 1] <= ' ')) {
        error_set(&frame->error, ERR_COERCE, NO_POSITION,
                  "'%.*s' cannot be compared with a time: it begins or ends with a space",
                  BYTES_ARG(value_bytes(a)));
        return frame_fail(frame, self);
    }
    return eval_cast(self, frame);
}

const struct instruction *eval_field(const struct instruction *self, struct frame *frame)
{
    const struct value *base = frame_value(frame, self->a);

    frame->registers[self->out] = value_is_null(base) ? value_null() : base->items[self->mask];
    return self + 1;
}

/* 1-based; a negative index counts from the end; outside is null. */
const struct instruction *eval_item(const struct instruction *self, struct frame *frame)
{
    const struct value *array = frame_value(frame, self->a);
    const struct value *index = frame_value(frame, self->b);
    int64_t at = 0;

    if (value_is_null(array)) {
        frame->registers[self->out] = value_null();
        return self + 1;
    }
    if (value_is_null(index)) {
        return frame_fail_null(frame, self, "the index of an array");
    }
    at = index->i64 > 0 ? index->i64 - 1 : index->i64 + (int64_t)array->size;
    frame->registers[self->out] =
        index->i64 != 0 && at >= 0 && at < (int64_t)array->size ? array->items[at] : value_null();
    return self + 1;
}

static bool is_key(const struct value *key, const struct value *wanted, const struct sql_type *type)
{
    if (value_is_null(key) || value_is_null(wanted)) {
        return value_is_null(key) && value_is_null(wanted);
    }
    return compare_equal(key, wanted, type);
}

const struct instruction *eval_entry(const struct instruction *self, struct frame *frame)
{
    const struct sql_type *type = self->plan;
    const struct value *map = frame_value(frame, self->a);
    const struct value *key = frame_value(frame, self->b);
    struct value found = value_null();

    for (uint32_t i = 0; !value_is_null(map) && i < map->size; i++) {
        if (is_key(&map->pairs[i].key, key, type->key)) {
            found = map->pairs[i].value;
            break;
        }
    }
    frame->registers[self->out] = found;
    return self + 1;
}

static const struct instruction *call(const struct instruction *self, struct frame *frame,
                                      const struct value *const *arguments, uint32_t count)
{
    const struct call_plan *plan = self->plan;
    struct call_context context = { plan->plan, count, plan->prepared, frame->context->arena };
    struct value *out = &frame->registers[self->out];

    if (plan->kind->flags & FN_NULL_IN_NULL_OUT) {
        for (uint32_t i = 0; i < count; i++) {
            if (value_is_null(arguments[i])) {
                *out = value_null();
                return self + 1;
            }
        }
    }
    return plan->kind->call(&context, arguments, out, &frame->error) ? frame_fail(frame, self)
                                                                     : self + 1;
}

const struct instruction *eval_call(const struct instruction *self, struct frame *frame)
{
    const struct call_plan *plan = self->plan;
    const struct value *arguments[ARGUMENTS_ON_STACK];
    uint32_t count = plan->plan->argument_count;

    for (uint32_t i = 0; i < count; i++) {
        arguments[i] = frame_value(frame, plan->arguments[i]);
    }
    return call(self, frame, arguments, count);
}

/* The items of a spread ARRAY stand for the repeated parameter; a null ARRAY has none. */
const struct instruction *eval_call_many(const struct instruction *self, struct frame *frame)
{
    const struct call_plan *plan = self->plan;
    uint32_t given = plan->plan->argument_count;
    const struct value *last = frame_value(frame, plan->arguments[given - 1]);
    uint32_t spread = plan->plan->spread_last ? last->size * !value_is_null(last) : 0;
    uint32_t single = plan->plan->spread_last ? given - 1 : given;
    const struct value **arguments =
        arena_alloc(frame->context->arena, ((size_t)single + spread) * sizeof(struct value *));

    for (uint32_t i = 0; i < single; i++) {
        arguments[i] = frame_value(frame, plan->arguments[i]);
    }
    for (uint32_t i = 0; i < spread; i++) {
        arguments[single + i] = &last->items[i];
    }
    return call(self, frame, arguments, single + spread);
}
