/*
 * scalar_conditional.c: functions that choose between their arguments.
 *
 * Arguments are evaluated before the call, all of them: CASE is the lazy one.
 */
#include "engine/function/function_internal.h"
#include "engine/type/compare.h"

static int coalesce(struct call_context *context, const struct value *const *arguments,
                    struct value *out, struct error *err)
{
    for (uint32_t i = 0; i < context->argument_count; i++) {
        if (!value_is_null(arguments[i])) {
            *out = *arguments[i];
            return 0;
        }
    }
    *out = value_null();
    return 0;
}

static int nullif(struct call_context *context, const struct value *const *arguments,
                  struct value *out, struct error *err)
{
    const struct value *value = arguments[0];
    const struct value *unwanted = arguments[1];
    bool equal = !value_is_null(value) && !value_is_null(unwanted) &&
                 compare_equal(value, unwanted, context->plan->argument_types[0]);

    *out = equal ? value_null() : *value;
    return 0;
}

static int as_value(struct call_context *context, const struct value *const *arguments,
                    struct value *out, struct error *err)
{
    *out = *arguments[0];
    return 0;
}

const struct scalar_kind conditional_functions[] = {
    { .name = "AS_VALUE",
      .call = as_value,
      .returns = RETURNS_VARIABLE('T'),
      .takes = { VARIABLE('T', "keyColumn") },
      .category = "CONDITIONAL",
      .doc = "Copies a key column into the value.",
      .example = "AS_VALUE(7) -> 7" },
    { .name = "COALESCE",
      .call = coalesce,
      .returns = RETURNS_VARIABLE('T'),
      .takes = { VARIABLE('T', "first"), VARIABLE('T', "others") },
      .flags = FN_VARIADIC,
      .category = "CONDITIONAL",
      .doc = "The first argument that is not null.",
      .example = "COALESCE(CAST(NULL AS STRING), 'b', 'c') -> 'b'" },
    { .name = "IFNULL",
      .call = coalesce,
      .returns = RETURNS_VARIABLE('T'),
      .takes = { VARIABLE('T', "expression"), VARIABLE('T', "altValue") },
      .category = "CONDITIONAL",
      .doc = "The first argument, or the second where the first is null.",
      .example = "IFNULL(CAST(NULL AS INT), 3) -> 3" },
    { .name = "NULLIF",
      .call = nullif,
      .returns = RETURNS_VARIABLE('T'),
      .takes = { VARIABLE('T', "expr1"), VARIABLE('T', "expr2") },
      .category = "CONDITIONAL",
      .doc = "Null where both arguments are equal, otherwise the first.",
      .example = "NULLIF('a', 'a') -> CAST(NULL AS STRING)" },
    { 0 }
};
