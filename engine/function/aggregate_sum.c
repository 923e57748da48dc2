/*
 * aggregate_sum.c: SUM over each kind of number.
 *
 * The accumulator is the sum so far in the argument's own type: integers wrap
 * in their width, a DECIMAL that outgrows its precision fails the query, as an
 * exception in an aggregate does. Nulls are skipped.
 */
#include "engine/function/function_internal.h"
#include "engine/type/decimal.h"

static int sum_plan(struct arena *arena, struct aggregate_plan *plan, struct error *err)
{
    plan->accumulator_types[0] = plan->argument_types[0];
    plan->accumulator_count = 1;
    plan->result_type = plan->argument_types[0];
    return 0;
}

static int sum_result(const struct aggregate_plan *plan, const struct value *accumulator,
                      struct arena *arena, struct value *out, struct error *err)
{
    *out = accumulator[0];
    return 0;
}

/* --- INT and BIGINT: two's complement, cut to the width of the type --- */

static void sum_init_integer(const struct aggregate_plan *plan, struct value *accumulator)
{
    accumulator[0] = value_i64(plan->result_type->id, 0);
}

static void accumulate(const struct aggregate_plan *plan, struct value *sum, uint64_t more)
{
    uint64_t total = (uint64_t)sum->i64 + more;

    sum->i64 = plan->result_type->id == T_INTEGER ? (int32_t)(uint32_t)total : (int64_t)total;
}

static int sum_add_integer(const struct aggregate_plan *plan, struct value *accumulator,
                           const struct value *const *arguments, struct arena *arena,
                           struct error *err)
{
    if (!value_is_null(arguments[0])) {
        accumulate(plan, &accumulator[0], (uint64_t)arguments[0]->i64);
    }
    return 0;
}

static int sum_undo_integer(const struct aggregate_plan *plan, struct value *accumulator,
                            const struct value *const *arguments, struct arena *arena,
                            struct error *err)
{
    if (!value_is_null(arguments[0])) {
        accumulate(plan, &accumulator[0], 0 - (uint64_t)arguments[0]->i64);
    }
    return 0;
}

static int sum_merge_integer(const struct aggregate_plan *plan, struct value *accumulator,
                             const struct value *other, struct arena *arena, struct error *err)
{
    accumulate(plan, &accumulator[0], (uint64_t)other[0].i64);
    return 0;
}

/* --- DOUBLE --- */

static void sum_init_double(const struct aggregate_plan *plan, struct value *accumulator)
{
    accumulator[0] = value_f64(0.0);
}

static int sum_add_double(const struct aggregate_plan *plan, struct value *accumulator,
                          const struct value *const *arguments, struct arena *arena,
                          struct error *err)
{
    accumulator[0].f64 += value_is_null(arguments[0]) ? 0.0 : arguments[0]->f64;
    return 0;
}

static int sum_undo_double(const struct aggregate_plan *plan, struct value *accumulator,
                           const struct value *const *arguments, struct arena *arena,
                           struct error *err)
{
    accumulator[0].f64 -= value_is_null(arguments[0]) ? 0.0 : arguments[0]->f64;
    return 0;
}

static int sum_merge_double(const struct aggregate_plan *plan, struct value *accumulator,
                            const struct value *other, struct arena *arena, struct error *err)
{
    accumulator[0].f64 += other[0].f64;
    return 0;
}

/* --- DECIMAL --- */

static void sum_init_decimal(const struct aggregate_plan *plan, struct value *accumulator)
{
    static const wide_int zero = 0;

    accumulator[0] = value_i64(T_DECIMAL, 0);
    if (type_decimal_is_wide(plan->result_type)) {
        accumulator[0].wide = &zero;
    }
}

typedef int (*decimal_operation)(struct decimal a, struct decimal b, const struct sql_type *result,
                                 struct decimal *out, struct error *err);

static int sum_decimal(const struct aggregate_plan *plan, struct value *sum,
                       const struct value *more, decimal_operation operation, struct arena *arena,
                       struct error *err)
{
    const struct sql_type *type = plan->result_type;
    struct sql_type widest = *type;
    struct decimal total = { 0 };

    if (value_is_null(more)) {
        return 0;
    }
    if (widest.precision < DECIMAL_MAX_DIGITS) {
        widest.precision = DECIMAL_MAX_DIGITS; /* the sum itself is exact: it fits or it does not */
    }
    TRY(operation(decimal_of_value(sum, type), decimal_of_value(more, type), &widest, &total, err));
    TRY(decimal_fit(total, type, &total, err));
    decimal_to_value(total, type, arena, sum);
    return 0;
}

static int sum_add_decimal(const struct aggregate_plan *plan, struct value *accumulator,
                           const struct value *const *arguments, struct arena *arena,
                           struct error *err)
{
    return sum_decimal(plan, &accumulator[0], arguments[0], decimal_add, arena, err);
}

static int sum_undo_decimal(const struct aggregate_plan *plan, struct value *accumulator,
                            const struct value *const *arguments, struct arena *arena,
                            struct error *err)
{
    return sum_decimal(plan, &accumulator[0], arguments[0], decimal_subtract, arena, err);
}

static int sum_merge_decimal(const struct aggregate_plan *plan, struct value *accumulator,
                             const struct value *other, struct arena *arena, struct error *err)
{
    return sum_decimal(plan, &accumulator[0], &other[0], decimal_add, arena, err);
}

#define SUM_ROW(type_, width)                                                       \
    {                                                                               \
        .name = "SUM", .takes = { PARAMETER_OF((type_), "val") }, .plan = sum_plan, \
        .init = sum_init_##width, .add = sum_add_##width, .undo = sum_undo_##width, \
        .merge = sum_merge_##width, .result = sum_result,                           \
        .doc = "The sum of the arguments that are not null; 0 when there are none." \
    }

const struct aggregate_kind sum_aggregates[] = {
    SUM_ROW(T_INTEGER, integer),
    SUM_ROW(T_BIGINT, integer),
    SUM_ROW(T_DOUBLE, double),
    SUM_ROW(T_DECIMAL, decimal),
    { 0 },
};
