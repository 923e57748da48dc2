/*
 * test_parser_expressions.c: precedence, literals, names and types, seen through
 * the canonical text and the tree.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "parser/ast_print.h"
#include "parser/parse.h"

struct text_case {
    const char *text;
    const char *canonical; /* NULL: the text itself */
};

static struct ast_expr *parse(struct arena *arena, struct bytes text)
{
    struct ast_expr *expr = NULL;
    struct error err = { 0 };

    if (parse_expression(arena, text, &expr, &err)) {
        fail_msg("%u:%u %s in: %.*s", err.at.line, err.at.column, err.message, BYTES_ARG(text));
    }
    return expr;
}

static void assert_text(struct bytes actual, const char *expected)
{
    if (!bytes_equal_text(actual, expected)) {
        fail_msg("expected: %s\n  actual: %.*s", expected, BYTES_ARG(actual));
    }
}

/* The canonical text is as expected and reads back as an equal tree. */
static void assert_canonical(const struct text_case *cases)
{
    for (; cases->text; cases++) {
        struct arena arena;
        struct ast_expr *expr;
        struct bytes text;

        arena_init(&arena, 0);
        expr = parse(&arena, bytes_of(cases->text));
        text = ast_expr_text(&arena, expr);
        assert_text(text, cases->canonical ? cases->canonical : cases->text);
        assert_true(ast_expr_equal(expr, parse(&arena, text)));
        arena_fini(&arena);
    }
}

static void assert_refused(const char *text, enum error_code code, uint32_t column)
{
    struct arena arena;
    struct ast_expr *expr = NULL;
    struct error err = { 0 };

    arena_init(&arena, 0);
    if (parse_expression(&arena, bytes_of(text), &expr, &err) != (int)code) {
        fail_msg("%s: %s %s", text, error_name(err.code), err.message);
    }
    assert_null(expr);
    assert_int_equal(err.at.line, 1);
    assert_int_equal(err.at.column, column);
    arena_fini(&arena);
}

static void operators_bind_by_precedence(void **state)
{
    static const struct text_case cases[] = {
        { "12*4+2", "((12 * 4) + 2)" },
        { "1+2*3-4/5%6", "((1 + (2 * 3)) - ((4 / 5) % 6))" },
        { "a-b-c", "((A - B) - C)" },
        { "a || b + 1 || c", "CONCAT(CONCAT(A, (B + 1)), C)" },
        { "-a*b", "(-A * B)" },
        { "- a[1]->b", "-A[1]->B" },
        { "a = b or c = d and not e = f", "((A = B) OR ((C = D) AND (NOT (E = F))))" },
        { "not not a", "(NOT (NOT A))" },
        { "a + 1 between b and c + 2", "((A + 1) BETWEEN B AND (C + 2))" },
        { "a between 1 and 2 and b", "((A BETWEEN 1 AND 2) AND B)" },
        { "(a or b) and c", "((A OR B) AND C)" },
        { "a <> b", "(A <> B)" },
        { "a != b", "(A <> B)" },
        { "a<=b or a>=b or a<b or a>b", "((((A <= B) OR (A >= B)) OR (A < B)) OR (A > B))" },
        { NULL, NULL },
    };

    assert_canonical(cases);
}

static void predicates_do_not_chain(void **state)
{
    assert_refused("a = b = c", ERR_SYNTAX, 7);
    assert_refused("a < b < c", ERR_SYNTAX, 7);
    assert_refused("a IS NULL IS NULL", ERR_SYNTAX, 11);
    assert_refused("a = NOT b", ERR_SYNTAX, 5);
    assert_refused("a IN ()", ERR_SYNTAX, 7);
}

static void negated_predicates_are_not_over_the_predicate(void **state)
{
    static const struct text_case cases[] = {
        { "a not between 1 and 2", "(NOT (A BETWEEN 1 AND 2))" },
        { "a not in (1, 'x', null)", "(NOT (A IN (1, 'x', null)))" },
        { "a not like 'x%'", "(NOT (A LIKE 'x%'))" },
        { "a is not distinct from b", "(NOT (A IS DISTINCT FROM B))" },
        { "a is not null", "(A IS NOT NULL)" },
        { "a is null", "(A IS NULL)" },
        { "a is distinct from b + 1", "(A IS DISTINCT FROM (B + 1))" },
        { "a like 'x!%' escape '!'", "(A LIKE 'x!%' ESCAPE '!')" },
        { "a like b || c escape 'ü'", "(A LIKE CONCAT(B, C) ESCAPE 'ü')" },
        { NULL, NULL },
    };

    assert_canonical(cases);
    assert_refused("a like 'x' escape 'yz'", ERR_INVALID_LITERAL, 19);
    assert_refused("a like 'x' escape ''", ERR_INVALID_LITERAL, 19);
}

static void primaries_print_canonically(void **state)
{
    static const struct text_case cases[] = {
        { "cast(a as string)", "CAST(A AS STRING)" },
        { "cast(a as varchar(10))", "CAST(A AS STRING)" },
        { "cast(a as array<int>)", "CAST(A AS ARRAY<INTEGER>)" },
        { "array[1, 2]", "ARRAY[1, 2]" },
        { "array[]", "ARRAY[]" },
        { "map('a' := 1, b := 2 + 3)", "MAP('a':=1, B:=(2 + 3))" },
        { "map()", "MAP()" },
        { "struct(a := 1, `b c` := x->y)", "STRUCT(A:=1, `b c`:=X->Y)" },
        { "struct()", "STRUCT()" },
        { "a[1]", "A[1]" },
        { "t.a->b[2]->c", "T.A->B[2]->C" },
        { "case when a then b else c end", "(CASE WHEN A THEN B ELSE C END)" },
        { "case a + 1 when 1 then 2 when 3 then 4 end",
          "(CASE (A + 1) WHEN 1 THEN 2 WHEN 3 THEN 4 END)" },
        { "count(*)", "COUNT(*)" },
        { "Count()", "COUNT(*)" },
        { "f()", "F()" },
        { "f(*)", "F()" },
        { "dateadd(days, 1, d)", "DATEADD(DAYS, 1, D)" },
        { "f(millisecond, day)", "F(MILLISECONDS, DAY)" },
        { "`f g`(1)", "`f g`(1)" },
        { "(-a)[1]", "(-A)[1]" },
        { "(-a)->b", "(-A)->B" },
        { "(a = b)->c", "(A = B)->C" },
        { NULL, NULL },
    };

    assert_canonical(cases);
}

static void lambdas_come_last_and_take_names(void **state)
{
    static const struct text_case cases[] = {
        { "transform(a, x => x + 1)", "TRANSFORM(A, (X) => (X + 1))" },
        { "transform(a, (x) => x)", "TRANSFORM(A, (X) => X)" },
        { "transform(m, (k, v) => k, (k, v) => v = 1)",
          "TRANSFORM(M, (K, V) => K, (K, V) => (V = 1))" },
        { "reduce(a, 0, (s, x) => f(b, y => (y)))", "REDUCE(A, 0, (S, X) => F(B, (Y) => Y))" },
        { NULL, NULL },
    };

    assert_canonical(cases);
    assert_refused("f(x => x)", ERR_SYNTAX, 5);
    assert_refused("f(a, x => x, b)", ERR_SYNTAX, 15);
    assert_refused("f(a, (x, 1) => x)", ERR_SYNTAX, 10);
    assert_refused("f(a, (x, t.y) => x)", ERR_SYNTAX, 10);
    assert_refused("x => x", ERR_SYNTAX, 3);
}

static void lambda_holds_parameters_and_body(void **state)
{
    struct arena arena;
    const struct ast_expr *lambda;

    arena_init(&arena, 0);
    lambda = parse(&arena, bytes_of("f(a, (x, `y`) => x)"))->call.arguments.items[1];
    assert_int_equal(lambda->kind, AST_LAMBDA);
    assert_int_equal(lambda->lambda.parameters.count, 2);
    assert_text(lambda->lambda.parameters.items[1].text, "y");
    assert_int_equal(lambda->lambda.body->kind, AST_COLUMN);
    arena_fini(&arena);
}

/* --- literals --- */

static struct ast_literal literal(struct arena *arena, const char *text)
{
    const struct ast_expr *expr = parse(arena, bytes_of(text));

    assert_int_equal(expr->kind, AST_LITERAL);
    return expr->literal;
}

static void integers_take_the_narrowest_type(void **state)
{
    static const struct {
        const char *text;
        enum ast_literal_kind kind;
        int64_t value;
    } cases[] = {
        { "0", AST_LITERAL_INTEGER, 0 },
        { "007", AST_LITERAL_INTEGER, 7 },
        { "2147483647", AST_LITERAL_INTEGER, INT32_MAX },
        { "2147483648", AST_LITERAL_BIGINT, 2147483648 },
        { "-2147483648", AST_LITERAL_INTEGER, INT32_MIN },
        { "-2147483649", AST_LITERAL_BIGINT, -2147483649 },
        { "9223372036854775807", AST_LITERAL_BIGINT, INT64_MAX },
        { "-9223372036854775808", AST_LITERAL_BIGINT, INT64_MIN },
        { "- 5", AST_LITERAL_INTEGER, -5 },
    };
    struct arena arena;

    arena_init(&arena, 0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ast_literal found = literal(&arena, cases[i].text);

        assert_int_equal(found.kind, cases[i].kind);
        assert_int_equal(found.integer, cases[i].value);
    }
    arena_fini(&arena);
    assert_refused("9223372036854775808", ERR_INVALID_LITERAL, 1);
    assert_refused("1 + -9223372036854775809", ERR_INVALID_LITERAL, 5);
    assert_refused("99999999999999999999999", ERR_INVALID_LITERAL, 1);
}

static void decimals_keep_their_text(void **state)
{
    static const struct {
        const char *text;
        const char *number;
    } cases[] = {
        { "1.50", "1.50" },
        { ".5", ".5" },
        { "1.", "1." },
        { "-1.5", "-1.5" },
        { "- .5", "-.5" },
        { "`DECIMAL` '1.2'", "1.2" },
        { "`DECIMAL` '-1.2'", "-1.2" },
        { "`DECIMAL` '+7'", "7." },
    };
    struct arena arena;

    arena_init(&arena, 0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ast_literal found = literal(&arena, cases[i].text);

        assert_int_equal(found.kind, AST_LITERAL_DECIMAL);
        assert_text(found.number, cases[i].number);
    }
    arena_fini(&arena);
    assert_refused("`DECIMAL` '1.2.3'", ERR_INVALID_LITERAL, 11);
    assert_refused("`DECIMAL` ''", ERR_INVALID_LITERAL, 11);
    assert_refused("DATE '2020-01-01'", ERR_UNKNOWN_TYPE, 1);
}

static void an_exponent_makes_a_double(void **state)
{
    static const struct text_case cases[] = {
        { "1e3", "1E3" },
        { "1.5E0", "1.5E0" },
        { ".5e-2", "5E-3" },
        { "-2.50E+10", "-2.5E10" },
        { "0e0", "0E0" },
        { "-0e0", "-0E0" },
        { "1.7976931348623157e308", "1.7976931348623157E308" },
        { "4.9e-324", "5E-324" },
        { "1e-400", "0E0" },
        { NULL, NULL },
    };

    assert_canonical(cases);
    assert_refused("1e309", ERR_INVALID_LITERAL, 1);
}

static void strings_double_their_quotes(void **state)
{
    struct arena arena;

    arena_init(&arena, 0);
    assert_text(literal(&arena, "'it''s'").string, "it's");
    assert_text(literal(&arena, "''").string, "");
    assert_text(literal(&arena, "''''").string, "'");
    assert_text(literal(&arena, "'a\nb -- c /* d \\n ${x}'").string, "a\nb -- c /* d \\n ${x}");
    assert_int_equal(literal(&arena, "true").kind, AST_LITERAL_BOOLEAN);
    assert_true(literal(&arena, "TRUE").boolean);
    assert_false(literal(&arena, "False").boolean);
    assert_int_equal(literal(&arena, "null").kind, AST_LITERAL_NULL);
    arena_fini(&arena);
}

static void signs_neither_merge_nor_make_comments(void **state)
{
    static const struct text_case cases[] = {
        { "- -5", "- -5" },      { "-(5)", "-(5)" },
        { "- - a", "- -A" },     { "a - -5", "(A - -5)" },
        { "-(-(5))", "- -(5)" }, { "+5", "+5" },
        { "+-5", "+ -5" },       { "-(5)[1]", "-(5[1])" },
        { "-5[1]", "-5[1]" },    { "-(9223372036854775807)", "-(9223372036854775807)" },
        { "-`1R`", "-1R" },      { NULL, NULL },
    };

    assert_canonical(cases);
}

/* --- names --- */

static void names_fold_unless_quoted(void **state)
{
    static const struct text_case cases[] = {
        { "abc", "ABC" },
        { "`abc`", "`abc`" },
        { "\"ABC\"", "ABC" },
        { "\"a\"\"b\"", "`a\"b`" },
        { "`a``b`", "`a``b`" },
        { "a@b_1", "A@B_1" },
        { "1r", "1R" },
        { "1e5x", "1E5X" },
        { "`1E5`", "`1E5`" },
        { "`1`", "`1`" },
        { "`SELECT`", "`SELECT`" },
        { "`KEY`", "KEY" },
        { "`MAP`", "`MAP`" },
        { "`größe`", "`größe`" },
        { "`a.b`.`c`", "`a.b`.`c`" },
        { "_x", "_X" },
        { "a. 1r", "A.`1R`" },
        { "1r.a", "1R.A" },
        { NULL, NULL },
    };

    assert_canonical(cases);
    assert_refused("``", ERR_INVALID_NAME, 1);
    assert_refused("größe", ERR_SYNTAX, 3);
}

static void bare_names_are_those_that_read_back(void **state)
{
    static const char *const bare[] = { "A", "_", "A1", "1R", "KEY", "STRING", "A@B" };
    static const char *const quoted[] = { "",  "a",   "SELECT", "1",    "1E5", "A B", "A-B",
                                          "Ä", "MAP", "ARRAY",  "EMIT", "@A",  "A\n", "A--" };

    for (size_t i = 0; i < sizeof bare / sizeof bare[0]; i++) {
        assert_true(parse_is_bare_name(bytes_of(bare[i])));
    }
    for (size_t i = 0; i < sizeof quoted / sizeof quoted[0]; i++) {
        assert_false(parse_is_bare_name(bytes_of(quoted[i])));
    }
}

static void constructors_need_their_bracket(void **state)
{
    static const struct text_case cases[] = {
        { "array < 5", "(`ARRAY` < 5)" },
        { "map < struct", "(`MAP` < `STRUCT`)" },
        { "map[1] + array->x", "(`MAP`[1] + `ARRAY`->X)" },
        { "struct <> 1", "(`STRUCT` <> 1)" },
        { "array[array[1]]", "ARRAY[ARRAY[1]]" },
        { "`array`(1)", "`array`(1)" },
        { "`ARRAY`[1]", "`ARRAY`[1]" },
        { "if(a, b, c)", "`IF`(A, B, C)" },
        { NULL, NULL },
    };

    assert_canonical(cases);
}

/* --- types --- */

static void types_print_canonically(void **state)
{
    static const struct text_case cases[] = {
        { "int", "INTEGER" },
        { "varchar(string)", "STRING" },
        { "boolean", "BOOLEAN" },
        { "timestamp", "TIMESTAMP" },
        { "address", "ADDRESS" },
        { "`my type`", "`my type`" },
        { "decimal(4,2)", "DECIMAL(4, 2)" },
        { "DEC(4, -2)", "DECIMAL(4, -2)" },
        { "array<array<int>>", "ARRAY<ARRAY<INTEGER>>" },
        { "int array array", "ARRAY<ARRAY<INTEGER>>" },
        { "map<string, bigint array>", "MAP<STRING, ARRAY<BIGINT>>" },
        { "struct<>", "STRUCT< >" },
        { "struct< >", "STRUCT< >" },
        { "struct<a int, `b c` struct<map map<string, int>>>",
          "STRUCT<A INTEGER, `b c` STRUCT<`MAP` MAP<STRING, INTEGER>>>" },
        { NULL, NULL },
    };

    for (const struct text_case *c = cases; c->text; c++) {
        struct arena arena;
        struct ast_type *type = NULL;
        struct ast_type *again = NULL;
        struct buffer out = { 0 };

        arena_init(&arena, 0);
        assert_int_equal(parse_type(&arena, bytes_of(c->text), &type, NULL), 0);
        ast_print_type(&out, type);
        assert_text(buffer_bytes(&out), c->canonical);
        assert_int_equal(parse_type(&arena, buffer_bytes(&out), &again, NULL), 0);
        assert_int_equal(again->kind, type->kind);
        assert_int_equal(again->depth, type->depth);
        buffer_fini(&out);
        arena_fini(&arena);
    }
}

static void malformed_types_are_refused(void **state)
{
    static const char *const texts[] = { "",        "decimal",     "decimal(4)",     "array",
                                         "array<>", "map<string>", "struct<a>",      "null",
                                         "int int", "varchar(x)",  "decimal(4, 1.5)" };

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct arena arena;
        struct ast_type *type = NULL;

        arena_init(&arena, 0);
        if (bytes_equal_text(bytes_of(texts[i]), "array")) { /* the name of a custom type */
            assert_int_equal(parse_type(&arena, bytes_of(texts[i]), &type, NULL), 0);
        } else {
            assert_int_not_equal(parse_type(&arena, bytes_of(texts[i]), &type, NULL), 0);
            assert_null(type);
        }
        arena_fini(&arena);
    }
}

/* --- equality, places --- */

static void equality_ignores_places_and_parentheses(void **state)
{
    static const struct {
        const char *a;
        const char *b;
        bool equal;
    } cases[] = {
        { "a+b", "(A)  +  `B`", true },
        { "a+b", "b+a", false },
        { "a", "t.a", false },
        { "1", "1.0", false },
        { "f(a, x => x)", "F(A, (X) => X)", true },
        { "f(a, x => x)", "f(a, y => y)", false },
        { "case when a then 1 end", "case when a then 1 else 2 end", false },
        { "case when a then 1 end", "case a when a then 1 end", false },
        { "a like 'x'", "a like 'x' escape '!'", false },
        { "a is null", "a is not null", false },
        { "cast(a as int)", "cast(a as bigint)", false },
        { "struct(a := 1)", "struct(b := 1)", false },
        { "map(a := 1)", "map(a := 2)", false },
        { "a in (1, 2)", "a in (1)", false },
        { "a between 1 and 2", "a between 1 and 2", true },
        { "cast(a as struct<x int>)", "cast(a as struct<y int>)", false },
        { "cast(a as map<string, int>)", "cast(a as map<string, int>)", true },
    };
    struct arena arena;

    arena_init(&arena, 0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct ast_expr *a = parse(&arena, bytes_of(cases[i].a));
        const struct ast_expr *b = parse(&arena, bytes_of(cases[i].b));

        assert_int_equal(ast_expr_equal(a, b), cases[i].equal);
    }
    arena_fini(&arena);
}

static void nodes_know_where_they_stand(void **state)
{
    struct arena arena;
    const struct ast_expr *expr;

    arena_init(&arena, 0);
    expr = parse(&arena, bytes_of("'äöü' ||\n  -f(x)"));
    assert_int_equal(expr->at.line, 1);
    assert_int_equal(expr->at.column, 7);
    expr = expr->call.arguments.items[1];
    assert_int_equal(expr->at.line, 2);
    assert_int_equal(expr->at.column, 3);
    assert_int_equal(expr->unary.operand->at.column, 4);
    arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(operators_bind_by_precedence),
        cmocka_unit_test(predicates_do_not_chain),
        cmocka_unit_test(negated_predicates_are_not_over_the_predicate),
        cmocka_unit_test(primaries_print_canonically),
        cmocka_unit_test(lambdas_come_last_and_take_names),
        cmocka_unit_test(lambda_holds_parameters_and_body),
        cmocka_unit_test(integers_take_the_narrowest_type),
        cmocka_unit_test(decimals_keep_their_text),
        cmocka_unit_test(an_exponent_makes_a_double),
        cmocka_unit_test(strings_double_their_quotes),
        cmocka_unit_test(signs_neither_merge_nor_make_comments),
        cmocka_unit_test(names_fold_unless_quoted),
        cmocka_unit_test(bare_names_are_those_that_read_back),
        cmocka_unit_test(constructors_need_their_bracket),
        cmocka_unit_test(types_print_canonically),
        cmocka_unit_test(malformed_types_are_refused),
        cmocka_unit_test(equality_ignores_places_and_parentheses),
        cmocka_unit_test(nodes_know_where_they_stand),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
