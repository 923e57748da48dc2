/*
 * test_expr_bind.c: what expressions mean: canonical text, type, or why they are refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "parser/parse.h"
#include "tests/unit/expr_fixture.h"

struct typed_case {
    const char *text;
    const char *canonical;
    const char *type;
};

static void check_types(const struct typed_case *cases, size_t count, unsigned flags)
{
    struct expr_fixture f;

    expr_fixture_init(&f);
    f.flags = flags;
    for (size_t i = 0; i < count; i++) {
        const struct expr *e = NULL;
        struct error err = { 0 };

        if (expr_fixture_bind(&f, cases[i].text, &e, &err)) {
            fail_msg("%s: %s", cases[i].text, err.message);
        }
        assert_bytes_text(expr_fixture_expr_text(&f, e), cases[i].canonical, cases[i].text);
        assert_bytes_text(expr_fixture_type_text(&f, e->type), cases[i].type, cases[i].text);
    }
    expr_fixture_fini(&f);
}

#define CHECK_TYPES(cases, flags) check_types((cases), sizeof(cases) / sizeof *(cases), (flags))

static void literals_have_the_type_of_their_digits(void **state)
{
    static const struct typed_case cases[] = {
        { "1", "1", "INTEGER" },
        { "2147483648", "2147483648", "BIGINT" },
        { "-9223372036854775808", "-9223372036854775808", "BIGINT" },
        { "2.345", "2.345", "DECIMAL(4, 3)" },
        { ".5", "0.5", "DECIMAL(2, 1)" },
        { "0.005", "0.005", "DECIMAL(4, 3)" },
        { "0.0", "0.0", "DECIMAL(2, 1)" },
        { "1.", "1", "DECIMAL(1, 0)" },
        { "007.5", "7.5", "DECIMAL(2, 1)" },
        { "-1.50", "-1.50", "DECIMAL(3, 2)" },
        { "1.5e0", "1.5E0", "DOUBLE" },
        { "'it''s'", "'it''s'", "STRING" },
        { "TRUE", "true", "BOOLEAN" },
        { "NULL", "null", "NULL" },
    };

    CHECK_TYPES(cases, 0);
}

static void arithmetic_has_the_wider_type(void **state)
{
    static const struct typed_case cases[] = {
        { "i + 1", "(I + 1)", "INTEGER" },
        { "i + l", "(I + L)", "BIGINT" },
        { "i * d", "(I * D)", "DOUBLE" },
        { "dec * d", "(DEC * D)", "DOUBLE" },
        { "dec + dec4", "(DEC + DEC4)", "DECIMAL(5, 2)" },
        { "dec - i", "(DEC - I)", "DECIMAL(13, 2)" },
        { "dec * l", "(DEC * L)", "DECIMAL(24, 2)" },
        { "dec / dec4", "(DEC / DEC4)", "DECIMAL(11, 7)" },
        { "dec % dec4", "(DEC % DEC4)", "DECIMAL(4, 2)" },
        { "s + t", "(S + T)", "STRING" },
        { "s || t", "CONCAT(S, T)", "STRING" },
        { "-i", "-I", "INTEGER" },
        { "+dec", "DEC", "DECIMAL(4, 2)" },
        { "12 * 4 + 2", "((12 * 4) + 2)", "INTEGER" },
    };

    CHECK_TYPES(cases, 0);
}

static void predicates_are_boolean_and_print_as_written(void **state)
{
    static const struct typed_case cases[] = {
        { "i = l", "(I = L)", "BOOLEAN" },
        { "i != dec", "(I <> DEC)", "BOOLEAN" },
        { "da < ts", "(DA < TS)", "BOOLEAN" },
        { "ts >= '2020'", "(TS >= '2020')", "BOOLEAN" },
        { "i IS DISTINCT FROM j", "(I IS DISTINCT FROM J)", "BOOLEAN" },
        { "i IS NOT NULL", "(I IS NOT NULL)", "BOOLEAN" },
        { "NOT i IS NULL", "(NOT (I IS NULL))", "BOOLEAN" },
        { "i BETWEEN 1 AND l", "(I BETWEEN 1 AND L)", "BOOLEAN" },
        { "i NOT BETWEEN 1 AND 2", "(NOT (I BETWEEN 1 AND 2))", "BOOLEAN" },
        { "i IN (1, '2', l)", "(I IN (1, '2', L))", "BOOLEAN" },
        { "s LIKE 'a%' ESCAPE '!'", "(S LIKE 'a%' ESCAPE '!')", "BOOLEAN" },
        { "b AND bn OR NOT b", "((B AND BN) OR (NOT B))", "BOOLEAN" },
    };

    CHECK_TYPES(cases, 0);
}

static void other_expressions_have_the_type_of_their_parts(void **state)
{
    static const struct typed_case cases[] = {
        { "CAST(i AS VARCHAR)", "CAST(I AS STRING)", "STRING" },
        { "CAST(NULL AS DECIMAL(4, 2))", "CAST(null AS DECIMAL(4, 2))", "DECIMAL(4, 2)" },
        { "CAST(i AS INT)", "CAST(I AS INTEGER)", "INTEGER" },
        { "CASE WHEN b THEN NULL WHEN bn THEN i ELSE 2 END",
          "(CASE WHEN B THEN null WHEN BN THEN I ELSE 2 END)", "INTEGER" },
        { "arr[1]", "ARR[1]", "INTEGER" },
        { "m['a']", "M['a']", "INTEGER" },
        { "nest[1]->f1", "NEST[1]->F1", "STRING" },
        { "src.st->f0", "ST->F0", "BIGINT" },
        { "ucase(s)", "UCASE(S)", "STRING" },
        { "abs(dec)", "ABS(DEC)", "DECIMAL(4, 2)" },
        { "coalesce(arr, arrn)", "COALESCE(ARR, ARRN)", "ARRAY<INTEGER>" },
        { "rowtime", "ROWTIME", "BIGINT" },
    };

    CHECK_TYPES(cases, 0);
}

static void constructors_unify_their_items(void **state)
{
    static const struct typed_case cases[] = {
        { "ARRAY[1, 2]", "ARRAY[1, 2]", "ARRAY<INTEGER>" },
        { "ARRAY[null, 10, '2e1', i, l]", "ARRAY[null, 10, '2e1', I, L]", "ARRAY<DECIMAL(19, 0)>" },
        { "ARRAY['a', 1, true]", "ARRAY['a', 1, true]", "ARRAY<STRING>" },
        { "ARRAY[ARRAY[1], ARRAY['2', NULL]]", "ARRAY[ARRAY[1], ARRAY['2', null]]",
          "ARRAY<ARRAY<INTEGER>>" },
        { "ARRAY[STRUCT(a := 1), STRUCT(a := 2e0, b := 'x')]",
          "ARRAY[STRUCT(A:=1), STRUCT(A:=2E0, B:='x')]", "ARRAY<STRUCT<`A` DOUBLE, `B` STRING>>" },
        { "ARRAY[MAP(1 := l), MAP('2' := i)]", "ARRAY[MAP(1:=L), MAP('2':=I)]",
          "ARRAY<MAP<INTEGER, BIGINT>>" },
        { "MAP('a' := i, 'b' := l)", "MAP('a':=I, 'b':=L)", "MAP<STRING, BIGINT>" },
        { "MAP(NULL := 1, 'b' := NULL)", "MAP(null:=1, 'b':=null)", "MAP<STRING, INTEGER>" },
        { "STRUCT(a := i, `b` := s)", "STRUCT(A:=I, `b`:=S)", "STRUCT<`A` INTEGER, `b` STRING>" },
        { "STRUCT()", "STRUCT()", "STRUCT< >" },
        { "STRUCT(a := ARRAY[i])->a[1]", "STRUCT(A:=ARRAY[I])->A[1]", "INTEGER" },
    };

    CHECK_TYPES(cases, 0);
}

static void aggregates_have_their_own_result_types(void **state)
{
    static const struct typed_case cases[] = {
        { "COUNT(*)", "COUNT(*)", "BIGINT" },
        { "COUNT(s)", "COUNT(S)", "BIGINT" },
        { "SUM(i) + 1", "(SUM(I) + 1)", "INTEGER" },
        { "SUM(l)", "SUM(L)", "BIGINT" },
        { "SUM(d)", "SUM(D)", "DOUBLE" },
        { "SUM(dec)", "SUM(DEC)", "DECIMAL(4, 2)" },
        { "SUM()", "SUM(ROWTIME)", "BIGINT" },
    };

    CHECK_TYPES(cases, BIND_AGGREGATES);
}

static void time_text_becomes_milliseconds_in_conditions(void **state)
{
    static const struct typed_case cases[] = {
        { "ROWTIME > '2020-01-01'", "(ROWTIME > 1577836800000)", "BOOLEAN" },
        { "'2020' = WINDOWSTART", "(1577836800000 = WINDOWSTART)", "BOOLEAN" },
        { "WINDOWEND BETWEEN '1970-01-01T00:00:01' AND '1970-01-01T01+01'",
          "(WINDOWEND BETWEEN 1000 AND 0)", "BOOLEAN" },
    };

    CHECK_TYPES(cases, BIND_PREDICATE);
}

struct refusal {
    const char *text;
    enum error_code code;
    uint32_t column; /* 0: not checked */
};

static void check_refusals(const struct refusal *cases, size_t count, unsigned flags)
{
    struct expr_fixture f;

    expr_fixture_init(&f);
    f.flags = flags;
    for (size_t i = 0; i < count; i++) {
        const struct expr *e = NULL;
        struct error err = { 0 };
        int code = expr_fixture_bind(&f, cases[i].text, &e, &err);

        if (code != (int)cases[i].code) {
            fail_msg("%s: expected %s, got %s %s", cases[i].text, error_name(cases[i].code),
                     error_name((enum error_code)code), err.message);
        }
        assert_null(e);
        assert_int_equal(err.at.line, 1);
        if (cases[i].column && err.at.column != cases[i].column) {
            fail_msg("%s: at column %u", cases[i].text, err.at.column);
        }
    }
    expr_fixture_fini(&f);
}

#define CHECK_REFUSALS(cases, flags) \
    check_refusals((cases), sizeof(cases) / sizeof *(cases), (flags))

static void wrong_types_are_refused_at_their_place(void **state)
{
    static const struct refusal cases[] = {
        { "nowhere", ERR_UNKNOWN_COLUMN, 1 },
        { "x.i", ERR_UNKNOWN_COLUMN, 0 },
        { "s + 1", ERR_TYPE_MISMATCH, 3 },
        { "s * s", ERR_TYPE_MISMATCH, 3 },
        { "i + NULL", ERR_TYPE_MISMATCH, 3 },
        { "-s", ERR_TYPE_MISMATCH, 1 },
        { "da + 1", ERR_TYPE_MISMATCH, 0 },
        { "i = NULL", ERR_NULL_COMPARISON, 3 },
        { "NULL IS DISTINCT FROM i", ERR_NULL_COMPARISON, 0 },
        { "i BETWEEN NULL AND 1", ERR_NULL_COMPARISON, 0 },
        { "i = s", ERR_CANNOT_COMPARE, 3 },
        { "b < b", ERR_CANNOT_COMPARE, 0 },
        { "arr < arr", ERR_CANNOT_COMPARE, 0 },
        { "m >= m", ERR_CANNOT_COMPARE, 0 },
        { "arr = m", ERR_CANNOT_COMPARE, 0 },
        { "ti = da", ERR_CANNOT_COMPARE, 0 },
        { "byt = s", ERR_CANNOT_COMPARE, 0 },
        { "ts > 5", ERR_CANNOT_COMPARE, 0 },
        { "rowtime > '2020'", ERR_CANNOT_COMPARE, 0 },
        { "b AND i", ERR_NOT_BOOLEAN, 7 },
        { "NOT s", ERR_NOT_BOOLEAN, 5 },
        { "NULL OR b", ERR_NOT_BOOLEAN, 1 },
        { "CASE WHEN i THEN 1 END", ERR_NOT_BOOLEAN, 11 },
        { "CASE WHEN b THEN 1 ELSE l END", ERR_CASE_TYPES, 25 },
        { "CASE WHEN b THEN 1.0 ELSE 10.0 END", ERR_CASE_TYPES, 0 },
        { "CASE WHEN b THEN NULL END", ERR_CASE_TYPES, 1 },
        { "i LIKE 'x'", ERR_TYPE_MISMATCH, 1 },
        { "s LIKE NULL", ERR_TYPE_MISMATCH, 0 },
        { "CAST(byt AS STRING)", ERR_CANNOT_CAST, 0 },
        { "CAST(b AS INT)", ERR_CANNOT_CAST, 0 },
        { "CAST(l AS TIMESTAMP)", ERR_CANNOT_CAST, 0 },
        { "CAST(ti AS DATE)", ERR_CANNOT_CAST, 0 },
        { "CAST(i AS NOSUCH)", ERR_UNKNOWN_TYPE, 11 },
        { "CAST(i AS DECIMAL(0, 0))", ERR_INVALID_TYPE, 0 },
        { "CAST(i AS DECIMAL(2, 3))", ERR_INVALID_TYPE, 0 },
        { "CAST(st AS STRUCT<a INT, a INT>)", ERR_INVALID_TYPE, 0 },
        { "arr['a']", ERR_TYPE_MISMATCH, 5 },
        { "arr[l]", ERR_TYPE_MISMATCH, 0 },
        { "m[1]", ERR_TYPE_MISMATCH, 0 },
        { "st['f0']", ERR_TYPE_MISMATCH, 3 },
        { "st->nosuch", ERR_UNKNOWN_FIELD, 5 },
        { "i->f0", ERR_TYPE_MISMATCH, 0 },
    };

    CHECK_REFUSALS(cases, 0);
}

static void members_of_in_must_unify(void **state)
{
    static const struct refusal cases[] = {
        { "b IN (10)", ERR_TYPE_MISMATCH, 7 },        { "i IN (s5)", ERR_TYPE_MISMATCH, 0 },
        { "i IN ('x')", ERR_INVALID_LITERAL, 7 },     { "d IN ('x')", ERR_INVALID_LITERAL, 0 },
        { "b IN ('maybe')", ERR_INVALID_LITERAL, 0 }, { "b IN ('')", ERR_INVALID_LITERAL, 0 },
        { "ts IN ('x')", ERR_INVALID_LITERAL, 0 },    { "s IN (i)", ERR_TYPE_MISMATCH, 0 },
        { "ts IN (da)", ERR_TYPE_MISMATCH, 0 },       { "arr IN (arrt)", ERR_TYPE_MISMATCH, 0 },
    };

    CHECK_REFUSALS(cases, 0);
}

static void constructors_without_a_type_are_refused(void **state)
{
    static const struct refusal cases[] = {
        { "ARRAY[]", ERR_INVALID_ARGUMENTS, 1 },
        { "MAP()", ERR_INVALID_ARGUMENTS, 1 },
        { "ARRAY[NULL, NULL]", ERR_NULL_TYPE, 1 },
        { "MAP('a' := NULL)", ERR_NULL_TYPE, 1 },
        { "MAP(NULL := 1)", ERR_NULL_TYPE, 1 },
        { "STRUCT(a := NULL)", ERR_NULL_TYPE, 13 },
        { "STRUCT(a := 1, a := 2)", ERR_DUPLICATE_COLUMN, 16 },
        { "MAP('a' := 1, 'a' := 2)", ERR_INVALID_ARGUMENTS, 15 },
        { "ARRAY[i, s]", ERR_TYPE_MISMATCH, 10 },
        { "ARRAY[1, 'x']", ERR_INVALID_LITERAL, 10 },
        { "ARRAY[ARRAY[1], ARRAY['x']]", ERR_INVALID_LITERAL, 23 },
        { "ARRAY[ARRAY[1], 2]", ERR_TYPE_MISMATCH, 17 },
        { "MAP('a' := 1, 'b' := true)", ERR_TYPE_MISMATCH, 22 },
        { "ARRAY[STRUCT(a := i), STRUCT(a := s)]", ERR_TYPE_MISMATCH, 35 },
    };

    CHECK_REFUSALS(cases, 0);
}

static void calls_are_refused_with_the_reason(void **state)
{
    static const struct refusal cases[] = {
        { "1 + nosuch(i)", ERR_UNKNOWN_FUNCTION, 5 },
        { "ucase(i)", ERR_INVALID_ARGUMENTS, 1 },
        { "ucase(s, s)", ERR_INVALID_ARGUMENTS, 0 },
        { "ifnull(i, l)", ERR_INVALID_ARGUMENTS, 0 },
        { "coalesce()", ERR_INVALID_ARGUMENTS, 0 },
        { "coalesce(dec, 1.5)", ERR_INVALID_ARGUMENTS, 0 },
        { "abs(NULL)", ERR_AMBIGUOUS_FUNCTION, 0 },
        { "len(NULL)", ERR_AMBIGUOUS_FUNCTION, 0 },
        { "ifnull(i, NULL)", ERR_NULL_TYPE, 0 },
        { "coalesce(i, NULL)", ERR_NULL_TYPE, 0 },
        { "count(*)", ERR_AGGREGATE_NOT_HERE, 1 },
    };
    static const struct refusal aggregates[] = {
        { "sum(count(i))", ERR_AGGREGATE_NESTED, 5 },
        { "sum(s)", ERR_INVALID_ARGUMENTS, 0 },
        { "sum(i, i)", ERR_INVALID_ARGUMENTS, 0 },
    };

    CHECK_REFUSALS(cases, 0);
    CHECK_REFUSALS(aggregates, BIND_AGGREGATES);
}

static void what_is_not_built_is_refused_by_name(void **state)
{
    static const struct refusal cases[] = {
        { "CASE i WHEN 1 THEN 2 END", ERR_UNSUPPORTED, 1 },
        { "coalesce(i, x => x)", ERR_UNSUPPORTED, 0 },
        { "coalesce(DAYS, i)", ERR_UNSUPPORTED, 10 },
    };

    CHECK_REFUSALS(cases, 0);
}

static void the_example_of_each_type_is_of_the_type(void **state)
{
    struct expr_fixture f;

    expr_fixture_init(&f);
    for (int id = T_NULL + 1; id < T_COUNT; id++) {
        const struct expr *bound = NULL;
        struct error err = { 0 };

        assert_int_equal(expr_fixture_bind(&f, type_example((enum type_id)id), &bound, &err), 0);
        assert_int_equal(bound->type->id, id);
    }
    expr_fixture_fini(&f);
}

static void time_text_that_is_none_is_refused(void **state)
{
    static const struct refusal cases[] = {
        { "ROWTIME > 'x'", ERR_INVALID_LITERAL, 11 },
        { "ROWTIME > '2020-13-01'", ERR_INVALID_LITERAL, 0 },
        { "ROWTIME > s", ERR_CANNOT_COMPARE, 0 },
        { "l > '2020'", ERR_CANNOT_COMPARE, 0 },
    };

    CHECK_REFUSALS(cases, BIND_PREDICATE);
}

static void a_condition_must_be_boolean(void **state)
{
    struct expr_fixture f;

    expr_fixture_init(&f);
    assert_bytes_text(expr_fixture_filter(&f, "s"), "ERR_NOT_BOOLEAN", "s");
    assert_bytes_text(expr_fixture_filter(&f, "NULL"), "ERR_NOT_BOOLEAN", "NULL");
    assert_bytes_text(expr_fixture_filter(&f, "b"), "pass", "b");
    expr_fixture_fini(&f);
}

/* n times BETWEEN in the value of BETWEEN. */
static void append_between(struct buffer *text, int levels)
{
    for (int i = 0; i < levels; i++) {
        buffer_append_text(text, "LEN(CASE WHEN ");
    }
    buffer_append_text(text, "i");
    for (int i = 0; i < levels; i++) {
        buffer_append_text(text, " BETWEEN 1 AND 2 THEN 'a' END)");
    }
}

static void nested_between_is_limited(void **state)
{
    struct expr_fixture f;
    struct buffer text = { 0 };

    expr_fixture_init(&f);
    append_between(&text, 8);
    buffer_append_char(&text, 0);
    assert_bytes_text(expr_fixture_evaluate(&f, text.data), "null", "8 levels");
    text.len = 0;
    append_between(&text, 9);
    buffer_append_char(&text, 0);
    assert_bytes_text(expr_fixture_evaluate(&f, text.data), "ERR_TOO_DEEP", "9 levels");
    buffer_fini(&text);
    expr_fixture_fini(&f);
}

static const struct expr *bind_ok(struct expr_fixture *f, const char *text)
{
    const struct expr *e = NULL;
    struct error err = { 0 };

    if (expr_fixture_bind(f, text, &e, &err)) {
        fail_msg("%s: %s", text, err.message);
    }
    return e;
}

static void equality_is_of_meaning_not_of_place(void **state)
{
    static const struct {
        const char *a;
        const char *b;
        bool equal;
    } cases[] = {
        { "i + 1", "  I+1", true },
        { "i + 1", "i + 2", false },
        { "i + 1", "i - 1", false },
        { "ucase(s)", "UCASE(s)", true },
        { "ucase(s)", "lcase(s)", false },
        { "i < 1", "i <= 1", false },
        { "i IS NULL", "i IS NOT NULL", false },
        { "st->f0", "st->f1", false },
        { "1", "CAST(1 AS BIGINT)", false },
        { "1.0", "1.00", false },
        { "0e0", "-0e0", false },
        { "NULL", "NULL", true },
        { "src.i", "i", true },
        { "s LIKE 'a'", "s LIKE 'a' ESCAPE '!'", false },
        { "i", "rowtime", false },
    };
    struct expr_fixture f;

    expr_fixture_init(&f);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (expr_equal(bind_ok(&f, cases[i].a), bind_ok(&f, cases[i].b)) != cases[i].equal) {
            fail_msg("%s, %s", cases[i].a, cases[i].b);
        }
    }
    expr_fixture_fini(&f);
}

static const struct expr *column_becomes_literal(void *context, const struct expr *node)
{
    const struct expr *literal = context;

    return node->kind == EXPR_COLUMN ? literal : NULL;
}

static bool count_node(void *context, const struct expr *node)
{
    uint32_t *left = context;

    (*left)--;
    return *left > 0;
}

static void rewriting_replaces_from_the_top_and_copies_the_rest(void **state)
{
    struct expr_fixture f;
    const struct expr *e = NULL;
    const struct expr *five = NULL;
    uint32_t limit = 4;

    expr_fixture_init(&f);
    e = bind_ok(&f, "CASE WHEN i BETWEEN j AND 3 THEN i * 2 ELSE 0 END");
    five = bind_ok(&f, "5");
    assert_bytes_text(expr_fixture_expr_text(&f, expr_rewrite(&f.arena, e, column_becomes_literal,
                                                              (void *)(uintptr_t)five)),
                      "(CASE WHEN (5 BETWEEN 5 AND 3) THEN (5 * 2) ELSE 0 END)", "rewritten");
    assert_bytes_text(expr_fixture_expr_text(&f, e),
                      "(CASE WHEN (I BETWEEN J AND 3) THEN (I * 2) ELSE 0 END)", "the original");
    assert_false(expr_walk(e, count_node, &limit));
    assert_int_equal(limit, 0);
    expr_fixture_fini(&f);
}

static void constants_are_told_from_what_needs_a_row(void **state)
{
    struct expr_fixture f;
    struct value value = { 0 };
    struct error err = { 0 };

    expr_fixture_init(&f);
    f.flags = BIND_AGGREGATES;
    assert_true(expr_is_constant(bind_ok(&f, "UCASE('a') + 'b'")));
    assert_false(expr_is_constant(bind_ok(&f, "UCASE(s)")));
    assert_false(expr_is_constant(bind_ok(&f, "ROWTIME")));
    assert_false(expr_is_constant(bind_ok(&f, "COUNT(*)")));
    assert_int_equal(expr_evaluate_constant(bind_ok(&f, "1 + i"), &f.arena, &value, &err),
                     ERR_EVALUATE);
    assert_int_equal(expr_evaluate_constant(bind_ok(&f, "1 / 0"), &f.arena, &value, &err),
                     ERR_EVALUATE);
    assert_int_not_equal(
        expr_evaluate_constant(bind_ok(&f, "IFNULL(CAST('x' AS INT), 0)"), &f.arena, &value, &err),
        0);
    expr_fixture_fini(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(literals_have_the_type_of_their_digits),
        cmocka_unit_test(arithmetic_has_the_wider_type),
        cmocka_unit_test(predicates_are_boolean_and_print_as_written),
        cmocka_unit_test(other_expressions_have_the_type_of_their_parts),
        cmocka_unit_test(constructors_unify_their_items),
        cmocka_unit_test(constructors_without_a_type_are_refused),
        cmocka_unit_test(aggregates_have_their_own_result_types),
        cmocka_unit_test(time_text_becomes_milliseconds_in_conditions),
        cmocka_unit_test(wrong_types_are_refused_at_their_place),
        cmocka_unit_test(members_of_in_must_unify),
        cmocka_unit_test(calls_are_refused_with_the_reason),
        cmocka_unit_test(what_is_not_built_is_refused_by_name),
        cmocka_unit_test(time_text_that_is_none_is_refused),
        cmocka_unit_test(a_condition_must_be_boolean),
        cmocka_unit_test(nested_between_is_limited),
        cmocka_unit_test(the_example_of_each_type_is_of_the_type),
        cmocka_unit_test(equality_is_of_meaning_not_of_place),
        cmocka_unit_test(rewriting_replaces_from_the_top_and_copies_the_rest),
        cmocka_unit_test(constants_are_told_from_what_needs_a_row),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
