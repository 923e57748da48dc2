/*
 * scalar_math.c: functions over numbers.
 *
 * Integers wrap in their own width, as Java's do; NaN and infinities are
 * ordinary results.
 */
#include <math.h>

#include "engine/function/function_internal.h"
#include "engine/type/decimal.h"

static int abs_integer(struct call_context *context, const struct value *const *arguments,
                       struct value *out, struct error *err)
{
    int64_t number = arguments[0]->i64;

    *out = value_i64(T_INTEGER, (int32_t)(uint32_t)(number < 0 ? -number : number));
    return 0;
}

static int abs_bigint(struct call_context *context, const struct value *const *arguments,
                      struct value *out, struct error *err)
{
    uint64_t number = (uint64_t)arguments[0]->i64;

    *out = value_i64(T_BIGINT, (int64_t)(arguments[0]->i64 < 0 ? 0 - number : number));
    return 0;
}

static int abs_double(struct call_context *context, const struct value *const *arguments,
                      struct value *out, struct error *err)
{
    *out = value_f64(fabs(arguments[0]->f64));
    return 0;
}

static int abs_decimal(struct call_context *context, const struct value *const *arguments,
                       struct value *out, struct error *err)
{
    const struct sql_type *type = context->plan->argument_types[0];
    struct decimal number = decimal_of_value(arguments[0], type);

    number.unscaled = number.unscaled < 0 ? -number.unscaled : number.unscaled;
    decimal_to_value(number, type, context->arena, out);
    return 0;
}

#define ABS_ROW(type_, function, example_)                                            \
    {                                                                                 \
        .name = "ABS", .call = (function), .takes = { PARAMETER_OF((type_), "val") }, \
        .returns = RETURNS(type_), .result_type = result_type_of_first,               \
        .flags = FN_NULL_IN_NULL_OUT, .category = "MATHEMATICAL",                     \
        .doc = "The absolute value; that of the smallest integer is itself.",         \
        .example = (example_)                                                         \
    }

const struct scalar_kind math_functions[] = { ABS_ROW(T_INTEGER, abs_integer, "ABS(-5) -> 5"),
                                              ABS_ROW(T_BIGINT, abs_bigint,
                                                      "ABS(-5000000000) -> 5000000000"),
                                              ABS_ROW(T_DOUBLE, abs_double, "ABS(-1.5e0) -> 1.5e0"),
                                              ABS_ROW(T_DECIMAL, abs_decimal, "ABS(-1.50) -> 1.50"),
                                              { 0 } };
