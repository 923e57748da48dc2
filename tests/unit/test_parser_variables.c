/*
 * test_parser_variables.c: what ${name} becomes, where it may stand, and where errors point.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "parser/ast_print.h"
#include "parser/parse.h"

/* --- a few variables --- */

struct world {
    struct arena arena;
    struct parse_variables variables;
    struct bytes late; /* what DEFINE late said */
    struct ast_script script;
    struct error err;
};

static const struct {
    const char *name;
    const char *value;
} known[] = {
    { "NAME", "orders" }, { "QUOTED", "`Mixed`" }, { "TEXT", "'it''s'" }, { "NUMBER", "3" },
    { "MINUS", "-5" },    { "REAL", "1.5e3" },     { "TRUTH", "true" },   { "RAW", "it's" },
    { "TWO", "a, b" },    { "KEYWORD", "SELECT" }, { "PART", "KEY" },     { "BLANK", "" },
    { "OPEN", "'a" },     { "SECOND", "a; DROP" }, { "NULLED", "NULL" },
};

static struct bytes find(void *context, struct bytes name)
{
    struct world *w = context;

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (bytes_equal_text(name, known[i].name)) {
            return bytes_of(known[i].value);
        }
    }
    return bytes_equal_text(name, "LATE") ? w->late : (struct bytes){ NULL, 0 };
}

static void read_statement(void *context, const struct ast_statement *statement)
{
    struct world *w = context;

    if (statement->kind == AST_DEFINE) {
        w->late = statement->setting.value.text;
    } else if (statement->kind == AST_SET) {
        w->variables.enabled = false;
    }
}

static int set_up(void **state)
{
    struct world *w = test_calloc(1, sizeof *w);

    arena_init(&w->arena, 0);
    w->variables = (struct parse_variables){ find, read_statement, w, true };
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;

    arena_fini(&w->arena);
    test_free(w);
    return 0;
}

static const struct ast_statement *last(const struct world *w)
{
    return w->script.statements.items[w->script.statements.count - 1];
}

/* The last statement of the text, as its tree is printed. */
static void assert_becomes(struct world *w, const char *text, const char *wanted)
{
    struct buffer printed = { 0 };

    if (parse_script_with(&w->arena, bytes_of(text), &w->variables, &w->script, &w->err)) {
        fail_msg("%s: %s", text, w->err.message);
    }
    ast_print_statement(&printed, last(w));
    if (!bytes_equal_text(buffer_bytes(&printed), wanted)) {
        fail_msg("%s: wanted %s, got %.*s", text, wanted, (int)printed.len, printed.data);
    }
    buffer_fini(&printed);
}

static void assert_refused(struct world *w, const char *text, enum error_code code, uint32_t line,
                           uint32_t column)
{
    int got = parse_script_with(&w->arena, bytes_of(text), &w->variables, &w->script, &w->err);

    if (got != (int)code || w->err.at.line != line || w->err.at.column != column) {
        fail_msg("%s: got %s at %u:%u: %s", text, error_name((enum error_code)got), w->err.at.line,
                 w->err.at.column, w->err.message);
    }
}

/* --- rules --- */

static void a_name_stands_where_names_stand(void **state)
{
    assert_becomes(*state, "DESCRIBE ${name};", "DESCRIBE ORDERS;");
    assert_becomes(*state, "DESCRIBE ${NaMe};", "DESCRIBE ORDERS;");
    assert_becomes(*state, "DESCRIBE ${quoted};", "DESCRIBE `Mixed`;");
    assert_becomes(*state, "PRINT ${name};", "PRINT 'orders';");
    assert_becomes(*state, "TERMINATE ${part};", "TERMINATE KEY;");
}

static void a_literal_stands_where_literals_stand(void **state)
{
    assert_becomes(*state,
                   "INSERT INTO s VALUES (${text}, ${number}, ${minus}, ${real}, ${truth});",
                   "INSERT INTO S VALUES ('it''s', 3, -5, 1.5E3, true);");
    assert_becomes(*state, "CREATE STREAM s WITH (PARTITIONS=${number});",
                   "CREATE STREAM S WITH (PARTITIONS=3);");
}

static void inside_a_string_it_is_text(void **state)
{
    assert_becomes(*state, "SET 'a' = 'x${raw}y${number}';", "SET 'a'='xit''sy3';");
    ((struct world *)*state)->variables.enabled = true;
    assert_becomes(*state, "PRINT 'p_${name}';", "PRINT 'p_orders';");
    assert_becomes(*state, "DEFINE t = '${number}${blank}';", "DEFINE T='3';");
    assert_becomes(*state, "DEFINE t = '${unknown} $${name} $name ${a${number}} ${9}';",
                   "DEFINE T='${unknown} ${name} $name ${a3} ${9}';");
}

static void names_and_strings_in_quotes_are_apart(void **state)
{
    assert_becomes(*state, "DESCRIBE `${name}x`;", "DESCRIBE `${name}x`;");
}

static void a_variable_is_never_anything_else(void **state)
{
    assert_refused(*state, "DESCRIBE ${two};", ERR_VARIABLE, 1, 10);
    assert_refused(*state, "DESCRIBE ${keyword};", ERR_VARIABLE, 1, 10);
    assert_refused(*state, "DESCRIBE ${blank};", ERR_VARIABLE, 1, 10);
    assert_refused(*state, "DESCRIBE ${open};", ERR_VARIABLE, 1, 10);
    assert_refused(*state, "DESCRIBE ${second};", ERR_VARIABLE, 1, 10);
    assert_refused(*state, "DESCRIBE ${text};", ERR_SYNTAX, 1, 10);
    assert_refused(*state, "INSERT INTO s VALUES (${nulled});", ERR_VARIABLE, 1, 23);
    assert_refused(*state, "SELECT a ${minus} FROM s;", ERR_VARIABLE, 1, 10);
    assert_refused(*state, "${name} s;", ERR_SYNTAX, 1, 1);
}

static void errors_point_to_what_was_written(void **state)
{
    assert_refused(*state, "SHOW TOPICS;\nDESCRIBE ${unknown};", ERR_VARIABLE, 2, 10);
    assert_refused(*state, "SET 'a' = '${name}${name}' 'b';", ERR_SYNTAX, 1, 28);
    assert_refused(*state, "DESCRIBE ${name} ${number};", ERR_SYNTAX, 1, 18);
}

static void define_counts_for_the_statements_behind(void **state)
{
    assert_becomes(*state, "DEFINE late = 'x'; DESCRIBE ${late};", "DESCRIBE X;");
    assert_becomes(*state, "DEFINE late = '''${name}'''; INSERT INTO s VALUES (${late});",
                   "INSERT INTO S VALUES ('orders');");
}

static void substitution_can_be_switched_off(void **state)
{
    assert_becomes(*state, "SET 'off' = 'x'; DEFINE t = '${name} $${name}';",
                   "DEFINE T='${name} $${name}';");
    assert_refused(*state, "SET 'off' = 'x'; DESCRIBE ${name};", ERR_VARIABLE, 1, 27);
}

static void the_text_of_a_statement_has_its_values(void **state)
{
    struct world *w = *state;

    assert_becomes(w, "DESCRIBE /* ${x} */  ${name} ;", "DESCRIBE ORDERS;");
    assert_true(bytes_equal_text(last(w)->text, "DESCRIBE /* ${x} */  orders ;"));
    assert_becomes(w, "EXPLAIN SELECT ${minus} FROM ${name} EMIT CHANGES;",
                   "EXPLAIN SELECT\n  -5\nFROM ORDERS\nEMIT CHANGES;");
    assert_true(bytes_equal_text(last(w)->text, "EXPLAIN SELECT -5 FROM orders EMIT CHANGES;"));
    assert_true(
        bytes_equal_text(last(w)->explain.statement->text, "SELECT -5 FROM orders EMIT CHANGES"));
}

static void without_variables_a_string_keeps_its_text(void **state)
{
    struct world *w = *state;

    assert_int_equal(parse_script(&w->arena, bytes_of("DEFINE t='$${name}';"), &w->script, &w->err),
                     0);
    assert_true(bytes_equal_text(last(w)->setting.value.text, "$${name}"));
    assert_int_equal(parse_script(&w->arena, bytes_of("DESCRIBE ${name};"), &w->script, &w->err),
                     ERR_VARIABLE);
}

int main(void)
{
#define VARIABLE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        VARIABLE_TEST(a_name_stands_where_names_stand),
        VARIABLE_TEST(a_literal_stands_where_literals_stand),
        VARIABLE_TEST(inside_a_string_it_is_text),
        VARIABLE_TEST(names_and_strings_in_quotes_are_apart),
        VARIABLE_TEST(a_variable_is_never_anything_else),
        VARIABLE_TEST(errors_point_to_what_was_written),
        VARIABLE_TEST(define_counts_for_the_statements_behind),
        VARIABLE_TEST(substitution_can_be_switched_off),
        VARIABLE_TEST(the_text_of_a_statement_has_its_values),
        VARIABLE_TEST(without_variables_a_string_keeps_its_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
