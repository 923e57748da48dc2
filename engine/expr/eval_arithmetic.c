/*
 * eval_arithmetic.c: + - * / % and unary minus (expressions.md 5).
 *
 * INTEGER and BIGINT wrap in their own width, DOUBLE is IEEE, DECIMAL is exact or
 * fails. A null operand fails: arithmetic has no null.
 */
#include <math.h>

#include "engine/expr/program_internal.h"

static const struct instruction *fail_division(const struct instruction *self, struct frame *frame)
{
    error_set(&frame->error, ERR_EVALUATE, NO_POSITION, "division by zero");
    return frame_fail(frame, self);
}

static inline int64_t wrap_integer(uint64_t number)
{
    return (int32_t)(uint32_t)number;
}

static inline int64_t wrap_bigint(uint64_t number)
{
    return (int64_t)number;
}

/* The smallest number by -1 wraps to itself. */
static inline uint64_t divide(int64_t a, int64_t b)
{
    return b == -1 ? 0 - (uint64_t)a : (uint64_t)(a / b);
}

static inline uint64_t remainder_of(int64_t a, int64_t b)
{
    return b == -1 ? 0 : (uint64_t)(a % b);
}

#define WRAPPING(name, operator, kind, wrap)                                                   \
    const struct instruction *eval_##name(const struct instruction *self, struct frame *frame) \
    {                                                                                          \
        const struct value *a = frame_value(frame, self->a);                                   \
        const struct value *b = frame_value(frame, self->b);                                   \
                                                                                               \
        if (value_is_null(a) || value_is_null(b)) {                                            \
            return frame_fail_null(frame, self, "an operand of " #operator);                   \
        }                                                                                      \
        frame->registers[self->out] =                                                          \
            value_i64(kind, wrap((uint64_t)a->i64 operator(uint64_t) b->i64));                 \
        return self + 1;                                                                       \
    }

#define DIVIDING(name, operation, kind, wrap)                                                  \
    const struct instruction *eval_##name(const struct instruction *self, struct frame *frame) \
    {                                                                                          \
        const struct value *a = frame_value(frame, self->a);                                   \
        const struct value *b = frame_value(frame, self->b);                                   \
                                                                                               \
        if (value_is_null(a) || value_is_null(b)) {                                            \
            return frame_fail_null(frame, self, "an operand of a division");                   \
        }                                                                                      \
        if (b->i64 == 0) {                                                                     \
            return fail_division(self, frame);                                                 \
        }                                                                                      \
        frame->registers[self->out] = value_i64(kind, wrap(operation(a->i64, b->i64)));        \
        return self + 1;                                                                       \
    }

#define REAL(name, expression)                                                                 \
    const struct instruction *eval_##name(const struct instruction *self, struct frame *frame) \
    {                                                                                          \
        const struct value *a = frame_value(frame, self->a);                                   \
        const struct value *b = frame_value(frame, self->b);                                   \
                                                                                               \
        if (value_is_null(a) || value_is_null(b)) {                                            \
            return frame_fail_null(frame, self, "an operand of arithmetic");                   \
        }                                                                                      \
        frame->registers[self->out] = value_f64(expression);                                   \
        return self + 1;                                                                       \
    }

#define NEGATION(name, result)                                                                 \
    const struct instruction *eval_##name(const struct instruction *self, struct frame *frame) \
    {                                                                                          \
        const struct value *a = frame_value(frame, self->a);                                   \
                                                                                               \
        if (value_is_null(a)) {                                                                \
            return frame_fail_null(frame, self, "the operand of -");                           \
        }                                                                                      \
        frame->registers[self->out] = result;                                                  \
        return self + 1;                                                                       \
    }

WRAPPING(add_integer, +, T_INTEGER, wrap_integer)
WRAPPING(subtract_integer, -, T_INTEGER, wrap_integer)
WRAPPING(multiply_integer, *, T_INTEGER, wrap_integer)
DIVIDING(divide_integer, divide, T_INTEGER, wrap_integer)
DIVIDING(remainder_integer, remainder_of, T_INTEGER, wrap_integer)
NEGATION(negate_integer, value_i64(T_INTEGER, wrap_integer(0 - (uint64_t)a->i64)))
WRAPPING(add_bigint, +, T_BIGINT, wrap_bigint)
WRAPPING(subtract_bigint, -, T_BIGINT, wrap_bigint)
WRAPPING(multiply_bigint, *, T_BIGINT, wrap_bigint)
DIVIDING(divide_bigint, divide, T_BIGINT, wrap_bigint)
DIVIDING(remainder_bigint, remainder_of, T_BIGINT, wrap_bigint)
NEGATION(negate_bigint, value_i64(T_BIGINT, wrap_bigint(0 - (uint64_t)a->i64)))
REAL(add_double, a->f64 + b->f64)
REAL(subtract_double, a->f64 - b->f64)
REAL(multiply_double, a->f64 * b->f64)
REAL(divide_double, a->f64 / b->f64)
REAL(remainder_double, fmod(a->f64, b->f64))
NEGATION(negate_double, value_f64(-a->f64))

const struct instruction *eval_decimal(const struct instruction *self, struct frame *frame)
{
    const struct decimal_plan *plan = self->plan;
    const struct value *a = frame_value(frame, self->a);
    const struct value *b = frame_value(frame, self->b);
    struct decimal result = { 0 };

    if (value_is_null(a) || value_is_null(b)) {
        return frame_fail_null(frame, self, "an operand of arithmetic");
    }
    if (plan->operation(decimal_of_value(a, plan->left), decimal_of_value(b, plan->right),
                        plan->result, &result, &frame->error)) {
        return frame_fail(frame, self);
    }
    decimal_to_value(result, plan->result, frame->context->arena, &frame->registers[self->out]);
    return self + 1;
}

const struct instruction *eval_negate_decimal(const struct instruction *self, struct frame *frame)
{
    const struct sql_type *type = self->plan;
    const struct value *a = frame_value(frame, self->a);
    struct decimal number = { 0 };

    if (value_is_null(a)) {
        return frame_fail_null(frame, self, "the operand of -");
    }
    number = decimal_of_value(a, type);
    number.unscaled = -number.unscaled;
    decimal_to_value(number, type, frame->context->arena, &frame->registers[self->out]);
    return self + 1;
}
