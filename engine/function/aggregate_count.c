/*
 * aggregate_count.c: COUNT(*) and COUNT(x).
 *
 * The accumulator is one BIGINT, the number of rows, or of rows whose argument
 * is not null. COUNT() without arguments is how the parser writes COUNT(*).
 */
#include "engine/function/function_internal.h"

static int count_plan(struct arena *arena, struct aggregate_plan *plan, struct error *err)
{
    plan->accumulator_types[0] = type_scalar(T_BIGINT);
    plan->accumulator_count = 1;
    plan->result_type = type_scalar(T_BIGINT);
    return 0;
}

static void count_init(const struct aggregate_plan *plan, struct value *accumulator)
{
    accumulator[0] = value_i64(T_BIGINT, 0);
}

static bool is_counted(const struct aggregate_plan *plan, const struct value *const *arguments)
{
    return plan->argument_count == 0 || !value_is_null(arguments[0]);
}

static int count_add(const struct aggregate_plan *plan, struct value *accumulator,
                     const struct value *const *arguments, struct arena *arena, struct error *err)
{
    accumulator[0].i64 += is_counted(plan, arguments);
    return 0;
}

static int count_undo(const struct aggregate_plan *plan, struct value *accumulator,
                      const struct value *const *arguments, struct arena *arena, struct error *err)
{
    accumulator[0].i64 -= is_counted(plan, arguments);
    return 0;
}

static int count_merge(const struct aggregate_plan *plan, struct value *accumulator,
                       const struct value *other, struct arena *arena, struct error *err)
{
    accumulator[0].i64 += other[0].i64;
    return 0;
}

static int count_result(const struct aggregate_plan *plan, const struct value *accumulator,
                        struct arena *arena, struct value *out, struct error *err)
{
    *out = accumulator[0];
    return 0;
}

const struct aggregate_kind count_aggregates[] = {
    { .name = "COUNT",
      .plan = count_plan,
      .init = count_init,
      .add = count_add,
      .undo = count_undo,
      .merge = count_merge,
      .result = count_result,
      .doc = "The number of rows." },
    { .name = "COUNT",
      .takes = { VARIABLE('T', "val") },
      .plan = count_plan,
      .init = count_init,
      .add = count_add,
      .undo = count_undo,
      .merge = count_merge,
      .result = count_result,
      .doc = "The number of rows in which the argument is not null." },
    { 0 }
};
