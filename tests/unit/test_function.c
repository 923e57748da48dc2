/*
 * test_function.c: functions by name and arguments; each row's example; aggregates.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/expr_fixture.h"

static void every_example_is_true(void **state)
{
    const struct scalar_kind *kind = NULL;
    struct expr_fixture f;

    expr_fixture_init(&f);
    for (uint32_t i = 0; (kind = scalar_at(i)); i++) {
        const char *arrow = strstr(kind->example, " -> ");
        struct bytes call = { kind->example, 0 };
        char *text = NULL;

        assert_non_null(arrow);
        call.len = (size_t)(arrow - kind->example);
        text = arena_copy_text(&f.arena, call);
        assert_memory_equal(text, kind->name, strlen(kind->name));
        assert_bytes_text(expr_fixture_evaluate(&f, text),
                          arena_copy_text(&f.arena, expr_fixture_evaluate(&f, arrow + 4)), text);
        assert_int_equal(f.failure_count, 0);
    }
    assert_true(scalar_at(5) != NULL);
    expr_fixture_fini(&f);
}

static void every_row_is_complete(void **state)
{
    const struct scalar_kind *scalar = NULL;
    const struct aggregate_kind *aggregate = NULL;

    for (uint32_t i = 0; (scalar = scalar_at(i)); i++) {
        assert_non_null(scalar->call);
        assert_non_null(scalar->doc);
        assert_non_null(scalar->category);
        for (uint32_t p = 0; p < FUNCTION_MAX_PARAMETERS && scalar->takes[p].kind; p++) {
            assert_non_null(scalar->takes[p].name);
        }
        assert_true(function_exists(bytes_of(scalar->name)));
    }
    for (uint32_t i = 0; (aggregate = aggregate_at(i)); i++) {
        assert_non_null(aggregate->doc);
        assert_true(aggregate->plan && aggregate->init && aggregate->add && aggregate->merge &&
                    aggregate->result);
        assert_true(function_exists(bytes_of(aggregate->name)));
        assert_non_null(aggregate_find(bytes_of(aggregate->name)));
    }
    assert_false(function_exists(bytes_of("NOSUCH")));
    assert_null(aggregate_find(bytes_of("UCASE")));
}

static void functions_follow_their_rules_for_null_and_width(void **state)
{
    static const struct {
        const char *text;
        const char *value;
    } cases[] = {
        { "ucase(sn)", "null" },
        { "UcAsE('straße')", "STRASSE" },
        { "LCASE('ΟΔΟΣ')", "οδος" },
        { "LEN('')", "0" },
        { "LEN('río')", "3" },
        { "LEN('😀')", "2" },
        { "LEN(byt)", "1" },
        { "CONCAT(sn)", "" },
        { "CONCAT(s, t, s5)", "abcx5" },
        { "CONCAT(s, 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h')", "abcabcdefgh" },
        { "CONCAT(arrt)", "ac" },
        { "COALESCE(sn, arrt)", "a" },
        { "ABS(imin)", "-2147483648" },
        { "ABS(lmin)", "-9223372036854775808" },
        { "ABS(dec - wide)", "1234567890123456789012335.57" },
        { "ABS(decn)", "null" },
        { "COALESCE(in_, in_)", "null" },
        { "IFNULL(sn, 'a')", "a" },
        { "NULLIF('a', CAST(NULL AS STRING))", "a" },
        { "NULLIF(i, 7)", "null" },
        { "NULLIF(in_, 7)", "null" },
        { "NULLIF(arr, arr)", "null" },
        { "AS_VALUE(arr)", "[10, null, 30]" },
    };
    struct expr_fixture f;

    expr_fixture_init(&f);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_bytes_text(expr_fixture_evaluate(&f, cases[i].text), cases[i].value, cases[i].text);
    }
    expr_fixture_fini(&f);
}

static void a_refused_call_shows_the_variants(void **state)
{
    struct expr_fixture f;
    const struct expr *e = NULL;
    struct error err = { 0 };

    expr_fixture_init(&f);
    assert_int_equal(expr_fixture_bind(&f, "LEN(i, NULL)", &e, &err), ERR_INVALID_ARGUMENTS);
    assert_non_null(strstr(err.message, "(INTEGER, null)"));
    assert_non_null(strstr(err.message, "LEN(VARCHAR input)"));
    assert_non_null(strstr(err.message, "LEN(BYTES input)"));
    assert_int_equal(expr_fixture_bind(&f, "CONCAT(i)", &e, &err), ERR_INVALID_ARGUMENTS);
    assert_non_null(strstr(err.message, "CONCAT(VARCHAR... inputs)"));
    assert_int_equal(expr_fixture_bind(&f, "COALESCE(i, s)", &e, &err), ERR_INVALID_ARGUMENTS);
    assert_non_null(strstr(err.message, "COALESCE(T first, T... others)"));
    expr_fixture_fini(&f);
}

/* --- aggregates --- */

static struct aggregate_plan plan_aggregate(struct expr_fixture *f, const char *name,
                                            const struct sql_type *type)
{
    struct aggregate_plan plan = { 0 };
    struct error err = { 0 };

    if (aggregate_resolve(&f->arena, bytes_of(name), NO_POSITION, &type, type ? 1 : 0, &plan,
                          &err)) {
        fail_msg("%s: %s", name, err.message);
    }
    return plan;
}

enum { ADD, UNDO };

static void apply(struct expr_fixture *f, const struct aggregate_plan *plan,
                  struct value *accumulator, int direction, struct value argument)
{
    const struct value *arguments[] = { &argument };
    int code = direction == ADD ? plan->kind->add(plan, accumulator, arguments, &f->arena, NULL)
                                : plan->kind->undo(plan, accumulator, arguments, &f->arena, NULL);

    assert_int_equal(code, 0);
}

static struct bytes result_text(struct expr_fixture *f, const struct aggregate_plan *plan,
                                const struct value *accumulator)
{
    struct value result = value_null();

    assert_int_equal(plan->kind->result(plan, accumulator, &f->arena, &result, NULL), 0);
    return expr_fixture_value_text(f, &result, plan->result_type);
}

static void count_counts_rows_or_values(void **state)
{
    struct expr_fixture f;
    struct aggregate_plan rows;
    struct aggregate_plan values;
    struct value all[1];
    struct value given[1];

    expr_fixture_init(&f);
    rows = plan_aggregate(&f, "count", NULL);
    values = plan_aggregate(&f, "COUNT", type_scalar(T_STRING));
    rows.kind->init(&rows, all);
    values.kind->init(&values, given);
    assert_bytes_text(result_text(&f, &values, given), "0", "empty");
    apply(&f, &rows, all, ADD, value_null());
    apply(&f, &rows, all, ADD, value_null());
    apply(&f, &values, given, ADD, value_null());
    apply(&f, &values, given, ADD, value_text(T_STRING, bytes_of("a")));
    apply(&f, &values, given, ADD, value_text(T_STRING, bytes_of("b")));
    apply(&f, &values, given, UNDO, value_text(T_STRING, bytes_of("a")));
    apply(&f, &values, given, UNDO, value_null());
    assert_bytes_text(result_text(&f, &rows, all), "2", "rows");
    assert_bytes_text(result_text(&f, &values, given), "1", "values");
    assert_int_equal(values.kind->merge(&values, given, all, &f.arena, NULL), 0);
    assert_bytes_text(result_text(&f, &values, given), "3", "merged");
    expr_fixture_fini(&f);
}

/* Adds both, checks the sum, takes the second back, merges with itself. */
static void check_sum(struct expr_fixture *f, const struct sql_type *type, struct value first,
                      struct value second, const char *sum, const char *undone, const char *doubled)
{
    struct aggregate_plan plan = plan_aggregate(f, "SUM", type);
    struct value accumulator[1];
    struct value other[1];

    plan.kind->init(&plan, accumulator);
    assert_true(type_equal(plan.result_type, type));
    apply(f, &plan, accumulator, ADD, first);
    apply(f, &plan, accumulator, ADD, value_null());
    apply(f, &plan, accumulator, ADD, second);
    assert_bytes_text(result_text(f, &plan, accumulator), sum, "sum");
    apply(f, &plan, accumulator, UNDO, second);
    apply(f, &plan, accumulator, UNDO, value_null());
    assert_bytes_text(result_text(f, &plan, accumulator), undone, "undone");
    other[0] = accumulator[0];
    assert_int_equal(plan.kind->merge(&plan, accumulator, other, &f->arena, NULL), 0);
    assert_bytes_text(result_text(f, &plan, accumulator), doubled, "merged");
}

static void sum_wraps_integers_and_keeps_the_type(void **state)
{
    static const wide_int wide = (wide_int)1000000000000 * 1000000000000;
    struct expr_fixture f;
    const struct sql_type *large = NULL;
    struct value big = { .kind = T_DECIMAL, .wide = &wide };

    expr_fixture_init(&f);
    large = type_decimal(&f.arena, 30, 2);
    check_sum(&f, type_scalar(T_INTEGER), value_i64(T_INTEGER, INT32_MAX), value_i64(T_INTEGER, 1),
              "-2147483648", "2147483647", "-2");
    check_sum(&f, type_scalar(T_BIGINT), value_i64(T_BIGINT, INT64_MAX), value_i64(T_BIGINT, 1),
              "-9223372036854775808", "9223372036854775807", "-2");
    check_sum(&f, type_scalar(T_DOUBLE), value_f64(1.5), value_f64(2.0), "3.5", "1.5", "3.0");
    check_sum(&f, type_decimal(&f.arena, 4, 2), value_i64(T_DECIMAL, 1010),
              value_i64(T_DECIMAL, -10), "10.00", "10.10", "20.20");
    check_sum(&f, large, big, big, "20000000000000000000000.00", "10000000000000000000000.00",
              "20000000000000000000000.00");
    expr_fixture_fini(&f);
}

static void a_decimal_sum_over_its_precision_fails(void **state)
{
    struct expr_fixture f;
    struct aggregate_plan plan;
    struct value accumulator[1];
    struct value argument = value_i64(T_DECIMAL, 9999);
    const struct value *arguments[] = { &argument };

    expr_fixture_init(&f);
    plan = plan_aggregate(&f, "SUM", type_decimal(&f.arena, 4, 2));
    plan.kind->init(&plan, accumulator);
    apply(&f, &plan, accumulator, ADD, argument);
    assert_int_not_equal(plan.kind->add(&plan, accumulator, arguments, &f.arena, NULL), 0);
    assert_bytes_text(result_text(&f, &plan, accumulator), "99.99", "after the failure");
    expr_fixture_fini(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_example_is_true),
        cmocka_unit_test(every_row_is_complete),
        cmocka_unit_test(functions_follow_their_rules_for_null_and_width),
        cmocka_unit_test(a_refused_call_shows_the_variants),
        cmocka_unit_test(count_counts_rows_or_values),
        cmocka_unit_test(sum_wraps_integers_and_keeps_the_type),
        cmocka_unit_test(a_decimal_sum_over_its_precision_fails),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
