/*
 * test_parser_errors.c: refused texts: code, place, words, excerpt, limits.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "parser/parse.h"

struct refusal {
    const char *text;
    enum error_code code;
    uint32_t line;
    uint32_t column;
    const char *says; /* part of the message */
};

static void assert_refused(struct bytes text, const struct refusal *expected)
{
    struct arena arena;
    struct ast_script script = { 0 };
    struct error err = { 0 };

    arena_init(&arena, 0);
    if (parse_script(&arena, text, &script, &err) != (int)expected->code ||
        err.code != expected->code) {
        fail_msg("%.60s: %s %s", text.data, error_name(err.code), err.message);
    }
    if (!strstr(err.message, expected->says)) {
        fail_msg("'%s' is not in: %s", expected->says, err.message);
    }
    if (err.at.line != expected->line || err.at.column != expected->column) {
        fail_msg("%.60s: at %u:%u", text.data, err.at.line, err.at.column);
    }
    assert_int_equal(script.statements.count, 0);
    arena_fini(&arena);
}

static void assert_all_refused(const struct refusal *cases)
{
    for (; cases->text; cases++) {
        assert_refused(bytes_of(cases->text), cases);
    }
}

static void syntax_errors_say_what_was_found_and_what_would_fit(void **state)
{
    static const struct refusal cases[] = {
        { "FOO;", ERR_SYNTAX, 1, 1, "Unexpected 'FOO'; expected a statement" },
        { ";", ERR_SYNTAX, 1, 1, "Unexpected ';'; expected a statement" },
        { "SELECT a FROM b", ERR_SYNTAX, 1, 16, "The text ends here; expected ';', " },
        { "SHOW TYPES;\nSELECT a,\n FROM b;", ERR_SYNTAX, 3, 2,
          "Unexpected keyword FROM; expected '*' or an expression" },
        { "CREATE STREAM s (NULL INT);", ERR_SYNTAX, 1, 18,
          "Unexpected keyword NULL; expected a name" },
        { "SELECT CAST(a AS NULL) FROM b;", ERR_SYNTAX, 1, 18, "expected a type" },
        { "SELECT a FROM b WINDOW TUMBLING (SIZE 3 WEEKS);", ERR_SYNTAX, 1, 41,
          "Unexpected 'WEEKS'; expected a time unit (DAYS, HOURS, MINUTES, SECONDS, "
          "MILLISECONDS)" },
        { "CREATE STREAM s WITH (a=b);", ERR_SYNTAX, 1, 25, "expected a literal" },
        { "SELECT 'ä', 'b' 'c' FROM d;", ERR_SYNTAX, 1, 17, "Unexpected string 'c'; expected" },
        { "SELECT a FROM b EMIT;", ERR_SYNTAX, 1, 21, "expected CHANGES or FINAL" },
        { "SELECT a FROM b GROUP BY c, (d, e);", ERR_SYNTAX, 1, 31, "Unexpected ','" },
        { "SELECT a FROM b PARTITION BY c AND d;", ERR_SYNTAX, 1, 32, "Unexpected keyword AND" },
        { "SELECT a FROM f(x);", ERR_SYNTAX, 1, 16, "Unexpected '('" },
        { "INSERT INTO s VALUES (1), (2);", ERR_SYNTAX, 1, 25, "expected ';'" },
        { "EXPLAIN EXPLAIN SELECT a FROM b;", ERR_SYNTAX, 1, 17, "expected ';'" },
        { "CREATE SOURCE STREAM s AS SELECT a FROM b;", ERR_SYNTAX, 1, 24, "CREATE SOURCE" },
        { "CREATE SOURCE CONNECTOR c;", ERR_SYNTAX, 1, 25, "WITH" },
        { NULL, ERR_NONE, 0, 0, NULL },
    };

    assert_all_refused(cases);
}

static void misspelt_keywords_are_recognised(void **state)
{
    static const struct refusal cases[] = {
        { "SELCT a FROM b;", ERR_SYNTAX, 1, 1, "Did you mean SELECT instead of SELCT?" },
        { "CREATE STREM s;", ERR_SYNTAX, 1, 8, "Did you mean STREAM instead of STREM?" },
        { "SELECT a FRM b;", ERR_SYNTAX, 1, 14, "Did you mean FROM instead of FRM?" },
        { "select a from b grup by c;", ERR_SYNTAX, 1, 22, "Did you mean GROUP instead of grup?" },
        { "INSERT INTO s VALUE (1);", ERR_SYNTAX, 1, 15, "Did you mean VALUES instead of VALUE?" },
        { "SELECT a FROM b EMIT CHNGES;", ERR_SYNTAX, 1, 22, "Did you mean CHANGES" },
        { "DROP STREAM IF EXIST s;", ERR_SYNTAX, 1, 16, "Did you mean EXISTS instead of EXIST?" },
        { NULL, ERR_NONE, 0, 0, NULL },
    };
    struct arena arena;
    struct ast_script script;
    struct error err = { 0 };

    assert_all_refused(cases);
    arena_init(&arena, 0);
    assert_int_equal(parse_script(&arena, bytes_of("WORLD;"), &script, &err), ERR_SYNTAX);
    assert_null(strstr(err.message, "Did you mean"));
    arena_fini(&arena);
}

static void unclosed_and_stray_characters_are_placed(void **state)
{
    static const struct refusal cases[] = {
        { "SELECT 'abc FROM b;", ERR_SYNTAX, 1, 8, "string opened here" },
        { "SELECT 'abc'' FROM b;", ERR_SYNTAX, 1, 8, "string opened here" },
        { "SELECT `abc FROM b;", ERR_SYNTAX, 1, 8, "name opened here" },
        { "SELECT\n\"abc FROM b;", ERR_SYNTAX, 2, 1, "name opened here" },
        { "SHOW TYPES; /* x", ERR_SYNTAX, 1, 13, "comment opened here" },
        { "SELECT 'ä', § FROM b;", ERR_SYNTAX, 1, 13, "Unexpected character '§'" },
        { "SELECT a ? b;", ERR_SYNTAX, 1, 10, "Unexpected character '?'" },
        { "SELECT a \x01;", ERR_SYNTAX, 1, 10, "control character 0x01" },
        { "SELECT $x FROM b;", ERR_SYNTAX, 1, 8, "Unexpected character '$'" },
        { "SELECT a\xFF FROM b;", ERR_SYNTAX, 1, 9, "0xFF" },
        { "SELECT 'a\xC3' FROM b;", ERR_SYNTAX, 1, 10, "0xC3" },
        { "-- \xE2\x82", ERR_SYNTAX, 1, 4, "UTF-8" },
        { NULL, ERR_NONE, 0, 0, NULL },
    };
    static const struct refusal nul = { "", ERR_SYNTAX, 2, 2, "NUL" };
    static const char with_nul[] = "SHOW\n \0TYPES;";

    assert_all_refused(cases);
    assert_refused((struct bytes){ with_nul, sizeof with_nul - 1 }, &nul);
}

static void wrong_tokens_in_a_right_place_have_their_own_code(void **state)
{
    static const struct refusal cases[] = {
        { "SELECT 99999999999999999999 FROM b;", ERR_INVALID_LITERAL, 1, 8, "BIGINT" },
        { "SELECT 1e999 FROM b;", ERR_INVALID_LITERAL, 1, 8, "overflows DOUBLE" },
        { "SELECT a FROM b LIMIT 2.5;", ERR_INVALID_LITERAL, 1, 23, "whole number" },
        { "SELECT a FROM b WINDOW SESSION (9999999999999 DAYS);", ERR_INVALID_LITERAL, 1, 33,
          "too long" },
        { "CREATE STREAM `a b`;", ERR_INVALID_NAME, 1, 15, "'a b' cannot name" },
        { "SELECT x FROM a `b.c`;", ERR_INVALID_NAME, 1, 17, "'b.c' cannot name" },
        { "CREATE STREAM a@b;", ERR_INVALID_NAME, 1, 15, "cannot name" },
        { "SELECT x FROM ``;", ERR_INVALID_NAME, 1, 15, "empty" },
        { "SELECT DATE '2020' FROM b;", ERR_UNKNOWN_TYPE, 1, 8, "DATE" },
        { "SELECT a AT TIME ZONE 'UTC' FROM b;", ERR_UNSUPPORTED, 1, 10, "AT TIME ZONE" },
        { "SELECT ${x} FROM b;", ERR_VARIABLE, 1, 8, "${x}" },
        { "SHOW TYPES; SELECT a FROM ${x};", ERR_VARIABLE, 1, 27, "${x}" },
        { "CREATE STREAM s (a INT PRIMARY KEY);", ERR_INVALID_KEY, 1, 18, "PRIMARY KEY" },
        { "CREATE TABLE s (a INT, b INT KEY);", ERR_INVALID_KEY, 1, 24, "PRIMARY KEY" },
        { NULL, ERR_NONE, 0, 0, NULL },
    };

    assert_all_refused(cases);
}

/* --- excerpts --- */

static void assert_excerpt(const char *text, struct position at, const char *expected)
{
    struct buffer out = { 0 };

    parse_error_excerpt(bytes_of(text), at, &out);
    if (!bytes_equal_text(buffer_bytes(&out), expected)) {
        fail_msg("expected:\n%s\nactual:\n%.*s", expected, BYTES_ARG(buffer_bytes(&out)));
    }
    buffer_fini(&out);
}

static void the_caret_stands_below_the_place(void **state)
{
    assert_excerpt("SELECT a\nFRM b;\nc", (struct position){ 2, 5 }, "FRM b;\n    ^\n");
    assert_excerpt("SELECT a\r\nb", (struct position){ 1, 9 }, "SELECT a\n        ^\n");
    assert_excerpt("'äö€' x", (struct position){ 1, 7 }, "'äö€' x\n      ^\n");
    assert_excerpt("\ta\xFF!", (struct position){ 1, 3 }, " a?!\n  ^\n");
    assert_excerpt("", (struct position){ 1, 1 }, "\n^\n");
}

static void places_outside_the_text_have_no_excerpt(void **state)
{
    assert_excerpt("a", NO_POSITION, "");
    assert_excerpt("a", (struct position){ 3, 1 }, "");
}

static void long_lines_are_cut_around_the_place(void **state)
{
    struct buffer line = { 0 };
    struct buffer out = { 0 };

    for (int i = 0; i < 10000; i++) {
        buffer_append_text(&line, i == 5000 ? "X" : "ö");
    }
    parse_error_excerpt(buffer_bytes(&line), (struct position){ 1, 5001 }, &out);
    buffer_append_char(&out, '\0');
    assert_memory_equal(out.data, "...ö", 5);
    assert_true(out.len < 400);
    assert_non_null(strstr(out.data, "öXö"));
    assert_non_null(strstr(out.data, "ö...\n   "));
    assert_int_equal(strchr(out.data, '^') - strchr(out.data, '\n') - 1, 3 + 60);
    buffer_fini(&line);
    buffer_fini(&out);
}

/* --- limits --- */

static void append_times(struct buffer *out, const char *text, int times)
{
    for (int i = 0; i < times; i++) {
        buffer_append_text(out, text);
    }
}

/* head, then `times` of open, middle, `times` of close, tail */
static int parse_nested(const char *head, const char *open, const char *middle, const char *close,
                        int times, struct error *err)
{
    struct buffer text = { 0 };
    struct arena arena;
    struct ast_script script;
    int code;

    arena_init(&arena, 0);
    buffer_append_text(&text, head);
    append_times(&text, open, times);
    buffer_append_text(&text, middle);
    append_times(&text, close, times);
    buffer_append_text(&text, " FROM s;");
    code = parse_script(&arena, buffer_bytes(&text), &script, err);
    arena_fini(&arena);
    buffer_fini(&text);
    return code;
}

static void nesting_has_a_limit_and_never_a_crash(void **state)
{
    static const struct {
        const char *head;
        const char *open;
        const char *middle;
        const char *close;
    } cases[] = {
        { "SELECT ", "(", "1", ")" },
        { "SELECT ", "(", "1", "" },
        { "SELECT ", "-", "a", "" },
        { "SELECT ", "- ", "a", "" },
        { "SELECT ", "NOT ", "a", "" },
        { "SELECT ", "a+", "a", "" },
        { "SELECT ", "", "a", "->b" },
        { "SELECT ", "", "a", "[1]" },
        { "SELECT ", "f(", "a", ")" },
        { "SELECT ", "f(a, x => ", "a", ")" },
        { "SELECT ", "ARRAY[", "a", "]" },
        { "SELECT ", "MAP(a := ", "a", ")" },
        { "SELECT ", "STRUCT(a := ", "a", ")" },
        { "SELECT ", "CASE WHEN a THEN ", "a", " END" },
        { "SELECT ", "CAST(", "a", " AS INT)" },
        { "SELECT CAST(a AS ", "ARRAY<", "INT", ">" },
        { "SELECT CAST(a AS ", "STRUCT<a ", "INT", ">" },
        { "SELECT CAST(a AS ", "MAP<STRING, ", "INT", ">" },
        { "SELECT CAST(a AS INT", "", "", " ARRAY" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct error err = { 0 };
        int code = parse_nested(cases[i].head, cases[i].open, cases[i].middle, cases[i].close,
                                100000, &err);

        if (cases[i].open[0] == '-' && cases[i].open[1] == '\0') { /* "--" is a comment */
            assert_int_equal(code, ERR_SYNTAX);
            continue;
        }
        if (code != ERR_TOO_DEEP) {
            fail_msg("%s: %s %s", cases[i].open, error_name(err.code), err.message);
        }
        assert_int_equal(err.at.line, 1);
        assert_in_range(err.at.column, 8, UINT32_MAX);
    }
}

static void nesting_within_the_limit_is_read(void **state)
{
    struct error err = { 0 };

    assert_int_equal(parse_nested("SELECT ", "(", "1", ")", 5000, &err), 0);
    assert_int_equal(parse_nested("SELECT ", "CASE WHEN a THEN ", "a", " END", 900, &err), 0);
    assert_int_equal(parse_nested("SELECT ", "a+", "a", "", AST_DEPTH_MAX - 1, &err), 0);
    assert_int_equal(parse_nested("SELECT ", "a+", "a", "", AST_DEPTH_MAX, &err), ERR_TOO_DEEP);
}

static void texts_of_eight_megabytes_are_read(void **state)
{
    static const char statement[] = "INSERT INTO s VALUES (1, 'äöü', a + b); -- comment\n";
    const size_t len = strlen(statement);
    struct buffer text = { 0 };
    struct arena arena;
    struct ast_script script;
    struct error err = { 0 };

    arena_init(&arena, 0);
    buffer_reserve(&text, PARSE_TEXT_MAX);
    while (text.len + len <= PARSE_TEXT_MAX) {
        buffer_append(&text, statement, len);
    }
    assert_int_equal(parse_script(&arena, buffer_bytes(&text), &script, &err), 0);
    assert_int_equal(script.statements.count, text.len / len);
    assert_int_equal(script.statements.items[script.statements.count - 1]->at.line, text.len / len);
    while (text.len <= PARSE_TEXT_MAX) {
        buffer_append_char(&text, ' ');
    }
    assert_int_equal(parse_script(&arena, buffer_bytes(&text), &script, &err), ERR_TOO_LARGE);
    buffer_fini(&text);
    arena_fini(&arena);
}

static void one_statement_may_fill_the_text(void **state)
{
    struct buffer text = { 0 };
    struct arena arena;
    struct ast_script script;
    struct error err = { 0 };

    arena_init(&arena, 0);
    buffer_append_text(&text, "INSERT INTO s VALUES (1");
    append_times(&text, ",1", 1000000);
    buffer_append_text(&text, ");");
    assert_int_equal(parse_script(&arena, buffer_bytes(&text), &script, &err), 0);
    assert_int_equal(script.statements.items[0]->insert_values.values.count, 1000001);
    text.data[text.len - 2] = '(';
    assert_int_equal(parse_script(&arena, buffer_bytes(&text), &script, &err), ERR_SYNTAX);
    assert_int_equal(err.at.column, text.len - 1);
    buffer_fini(&text);
    arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(syntax_errors_say_what_was_found_and_what_would_fit),
        cmocka_unit_test(misspelt_keywords_are_recognised),
        cmocka_unit_test(unclosed_and_stray_characters_are_placed),
        cmocka_unit_test(wrong_tokens_in_a_right_place_have_their_own_code),
        cmocka_unit_test(the_caret_stands_below_the_place),
        cmocka_unit_test(places_outside_the_text_have_no_excerpt),
        cmocka_unit_test(long_lines_are_cut_around_the_place),
        cmocka_unit_test(nesting_has_a_limit_and_never_a_crash),
        cmocka_unit_test(nesting_within_the_limit_is_read),
        cmocka_unit_test(texts_of_eight_megabytes_are_read),
        cmocka_unit_test(one_statement_may_fill_the_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
