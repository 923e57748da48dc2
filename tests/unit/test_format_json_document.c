/*
 * test_format_json_document.c: which documents are read as rows, and which of their
 * fields is a column's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/format_fixture.h"

/* --- names --- */

static const char *read_names(const char *text)
{
    static char json[300];
    struct fixture f;
    struct reading got;

    fixture_init(&f, "JSON");
    fixture_column(&f, "ID", type_scalar(T_INTEGER));
    fixture_column(&f, "Mixed", type_scalar(T_INTEGER));
    fixture_column(&f, "\xc3\x89T\xc3\x89", type_scalar(T_INTEGER));
    got = fixture_read(&f, text);
    assert_int_equal(got.code, 0);
    snprintf(json, sizeof json, "%s", got.json);
    fixture_fini(&f);
    return json;
}

static void names_match_exactly_or_upper_cased(void **state)
{
#define ROW(id, mixed, ete) "{\"ID\":" id ",\"Mixed\":" mixed ",\"\xc3\x89T\xc3\x89\":" ete "}"
    assert_string_equal(read_names("{\"id\":1,\"mixed\":2}"), ROW("1", "null", "null"));
    assert_string_equal(read_names("{\"Id\":1,\"Mixed\":2}"), ROW("1", "2", "null"));
    assert_string_equal(read_names("{\"MIXED\":1}"), ROW("null", "null", "null"));
    assert_string_equal(read_names("{\"\xc3\xa9t\xc3\xa9\":3}"), ROW("null", "null", "3"));
    assert_string_equal(read_names("{\"\\u00e9t\\u00C9\":3}"), ROW("null", "null", "3"));
    assert_string_equal(read_names("{\"\\u0069d\":4}"), ROW("4", "null", "null"));
}

static void exact_name_wins_over_other_spellings(void **state)
{
    assert_string_equal(read_names("{\"ID\":1,\"id\":2}"), ROW("1", "null", "null"));
    assert_string_equal(read_names("{\"id\":2,\"ID\":1}"), ROW("1", "null", "null"));
    assert_string_equal(read_names("{\"ID\":null,\"id\":2}"), ROW("null", "null", "null"));
    assert_string_equal(read_names("{\"id\":true,\"ID\":1}"), ROW("1", "null", "null"));
}

static void last_of_several_spellings_wins(void **state)
{
    assert_string_equal(read_names("{\"id\":1,\"Id\":2}"), ROW("2", "null", "null"));
    assert_string_equal(read_names("{\"Id\":2,\"id\":1}"), ROW("1", "null", "null"));
    assert_string_equal(read_names("{\"id\":[],\"Id\":2}"), ROW("2", "null", "null"));
    /* A repeated name keeps its first place. */
    assert_string_equal(read_names("{\"id\":1,\"Id\":2,\"id\":3}"), ROW("2", "null", "null"));
}

static void last_of_equal_names_wins(void **state)
{
    assert_string_equal(read_names("{\"ID\":1,\"ID\":2}"), ROW("2", "null", "null"));
    assert_string_equal(read_names("{\"ID\":{},\"ID\":2}"), ROW("2", "null", "null"));
    assert_string_equal(read_names("{\"ID\":1,\"ID\":null}"), ROW("null", "null", "null"));
#undef ROW
}

static void one_field_feeds_two_columns_that_differ_by_case(void **state)
{
    struct fixture f;

    fixture_init(&f, "JSON");
    fixture_column(&f, "foo", type_scalar(T_INTEGER));
    fixture_column(&f, "FOO", type_scalar(T_INTEGER));
    assert_string_equal(fixture_read(&f, "{\"foo\":1}").json, "{\"foo\":1,\"FOO\":1}");
    assert_string_equal(fixture_read(&f, "{\"FOO\":1}").json, "{\"foo\":null,\"FOO\":1}");
    assert_string_equal(fixture_read(&f, "{\"FOO\":1,\"foo\":2}").json, "{\"foo\":2,\"FOO\":1}");
    fixture_fini(&f);
}

/* What was learned from one record must not change what the next one says. */
static void order_and_presence_of_fields_may_change_from_record_to_record(void **state)
{
    static const char *const texts[] = {
        "{\"a\":1,\"b\":2,\"c\":3}",
        "{\"a\":1,\"c\":3}",
        "{\"b\":2,\"a\":1,\"c\":3}",
        "{ \"a\" : 1 , \"b\" : 2 , \"c\" : 3 }",
        "{}",
        "{\"c\":3}",
        "{\"x\":[1,{}],\"a\":1,\"y\":\"\\\"\",\"b\":2,\"z\":-1.5e3,\"c\":3}",
        "{\"aa\":9,\"a\":1,\"bb\":9,\"b\":2}",
        "{\"A\":1,\"B\":2,\"C\":3}",
        "{\"a\":1,\"b\":2,\"c\":3,"
        "\"a_name_of_an_undeclared_field_that_is_longer_than_what_is_remembered\":0}",
        "{\"a_name_of_an_undeclared_field_that_is_longer_than_what_is_remembered\":0,\"a\":1}",
    };
    enum { COUNT = sizeof texts / sizeof *texts };
    struct fixture f;
    struct decoder d;
    struct error err;
    struct decoder_spec spec = { 0 };

    fixture_init(&f, "JSON");
    fixture_column(&f, "A", type_scalar(T_INTEGER));
    fixture_column(&f, "B", type_scalar(T_INTEGER));
    fixture_column(&f, "C", type_scalar(T_INTEGER));
    spec = (struct decoder_spec){ SIDE_VALUE, f.columns, 3, NULL, f.options };
    assert_int_equal(decoder_open(&d, f.kind, &spec, &err), 0);
    for (int i = 0; i < COUNT * COUNT * 2; i++) {
        const char *text = texts[i % 2 ? i / 2 % COUNT : i / 2 / COUNT];
        struct value cells[3];
        bool is_null = false;

        assert_int_equal(f.kind->decode_row(&d, bytes_of(text), cells, &is_null, &f.arena, &err),
                         0);
        for (int c = 0; c < 3; c++) {
            bool there = strstr(text, (const char *[]){ "\"a\"", "\"b\"", "\"c\"" }[c]) ||
                         strstr(text, (const char *[]){ "\"A\"", "\"B\"", "\"C\"" }[c]);

            assert_int_equal(!value_is_null(&cells[c]), there);
            assert_true(!there || cells[c].i64 == c + 1);
        }
    }
    decoder_close(&d);
    fixture_fini(&f);
}

/* --- documents --- */

static int read_code(const char *text)
{
    struct fixture f;
    int code;

    fixture_init(&f, "JSON");
    fixture_column(&f, "A", type_scalar(T_STRING));
    code = fixture_read(&f, text).code;
    fixture_fini(&f);
    return code;
}

static void malformed_documents_are_refused(void **state)
{
    static const char *const texts[] = {
        "{",
        "}",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{,\"a\":1}",
        "{\"a\":1 \"b\":2}",
        "{\"a\":1,,\"b\":2}",
        "{a:1}",
        "{'a':1}",
        "{\"a\":'x'}",
        "{\"x\":01}",
        "{\"x\":-}",
        "{\"x\":1.}",
        "{\"x\":.5}",
        "{\"x\":+1}",
        "{\"x\":1e}",
        "{\"x\":1e+}",
        "{\"x\":NaN}",
        "{\"x\":tru}",
        "{\"x\":nulll}",
        "{\"x\":[1,]}",
        "{\"x\":[1 2]}",
        "{\"x\":[}",
        "{\"x\":{]}",
        "{\"x\":[1}",
        "{\"x\":\"\\x\"}",
        "{\"x\":\"\\u12g4\"}",
        "{\"x\":\"a\nb\"}",
        "{\"x\":\"\x01\"}",
        "{\"x\":\"\xff\"}",
        "{\"x\":\"\xc3\"}",
        "{\"x\":\"\xc0\x80\"}",
        "{\"x\":\"\xed\xa0\x80\"}",
        "{\"\xe9\":1}",
        "{\"x\":/**/1}",
        "nul",
        "",
        " ",
        "\xef\xbb\xbf",
        "\xef\xbb",
    };

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        assert_int_equal(read_code(texts[i]), ERR_DECODE);
    }
}

static void other_values_than_objects_are_no_row(void **state)
{
    assert_int_equal(read_code("null"), ERR_DECODE);
    assert_int_equal(read_code("1"), ERR_COERCE);
    assert_int_equal(read_code("[]"), ERR_COERCE);
    assert_int_equal(read_code("\"{}\""), ERR_COERCE);
}

static void bytes_behind_the_first_value_are_ignored(void **state)
{
    assert_int_equal(read_code("{} x"), 0);
    assert_int_equal(read_code("{}{"), 0);
    assert_int_equal(read_code(" \t\r\n{\"a\":1}}"), 0);
    assert_int_equal(read_code("\xef\xbb\xbf{}"), 0);
}

static void malformed_text_counts_before_values_that_do_not_fit(void **state)
{
    struct fixture f;

    fixture_init(&f, "JSON");
    fixture_column(&f, "A", type_scalar(T_INTEGER));
    assert_int_equal(fixture_read(&f, "{\"a\":true,\"b\":1}").code, ERR_COERCE);
    assert_int_equal(fixture_read(&f, "{\"a\":true,\"b\":01}").code, ERR_DECODE);
    assert_int_equal(fixture_read(&f, "{\"a\":true").code, ERR_DECODE);
    fixture_fini(&f);
}

static void document_cut_at_any_byte_is_malformed(void **state)
{
    static const char text[] =
        "{\"i\":-12,\"l\":1700000000000,\"d\":12.25e1,\"b\":true,\"s\":\"a\\u00e9\\n\xc3\xa9 and "
        "more than sixteen bytes\",\"dec\":1.50,\"by\":\"AQI=\",\"arr\":[1,null,3],\"m\":{\"k\":1},"
        "\"st\":{\"f\":1,\"g\":\"x\"},\"skip\":[{\"a\":[]},false,\"\\\"\"]}";
    struct fixture f;

    fixture_init(&f, "JSON");
    fixture_column(&f, "I", type_scalar(T_INTEGER));
    fixture_column(&f, "L", type_scalar(T_BIGINT));
    fixture_column(&f, "D", type_scalar(T_DOUBLE));
    fixture_column(&f, "B", type_scalar(T_BOOLEAN));
    fixture_column(&f, "S", type_scalar(T_STRING));
    fixture_column(&f, "DEC", fixture_decimal(&f, 4, 2));
    fixture_column(&f, "BY", type_scalar(T_BYTES));
    fixture_column(&f, "ARR", fixture_array(&f, type_scalar(T_INTEGER)));
    fixture_column(&f, "M", fixture_map(&f, type_scalar(T_INTEGER)));
    fixture_column(&f, "ST", fixture_struct(&f, type_scalar(T_INTEGER), type_scalar(T_STRING)));
    assert_int_equal(fixture_read(&f, text).code, 0);
    for (size_t len = 0; len < sizeof text - 1; len++) {
        assert_int_equal(fixture_read_bytes(&f, (struct bytes){ text, len }).code, ERR_DECODE);
    }
    fixture_fini(&f);
}

static int read_nested(uint32_t depth, const char *name)
{
    struct buffer text = { 0 };
    struct fixture f;
    int code;

    buffer_printf(&text, "{\"%s\":", name);
    for (uint32_t i = 1; i < depth; i++) {
        buffer_append_text(&text, i % 2 ? "[" : "{\"k\":");
    }
    buffer_append_text(&text, "1");
    for (uint32_t i = depth - 1; i > 0; i--) {
        buffer_append_text(&text, i % 2 ? "]" : "}");
    }
    buffer_append_text(&text, "}");
    fixture_init(&f, "JSON");
    fixture_column(&f, "A", type_scalar(T_STRING));
    code = fixture_read_bytes(&f, buffer_bytes(&text)).code;
    fixture_fini(&f);
    buffer_fini(&text);
    return code;
}

static void nesting_is_limited_to_a_thousand_levels(void **state)
{
    assert_int_equal(read_nested(1000, "x"), 0);
    assert_int_equal(read_nested(1001, "x"), ERR_DECODE);
    assert_int_equal(read_nested(1000, "a"), 0);
    assert_int_equal(read_nested(1001, "a"), ERR_DECODE);
    assert_int_equal(read_nested(20000, "a"), ERR_DECODE);
}

static void absurd_numbers_are_refused(void **state)
{
    char text[1200];
    struct fixture f;

    fixture_init(&f, "JSON");
    fixture_column(&f, "A", type_scalar(T_BIGINT));
    assert_int_equal(fixture_read(&f, "{\"a\":1e99999999999999999999}").code, ERR_DECODE);
    memset(text, '7', sizeof text);
    memcpy(text, "{\"a\":", 5);
    text[5 + 1000] = '}';
    assert_int_equal(fixture_read_bytes(&f, (struct bytes){ text, 1006 }).code, 0);
    text[5 + 1000] = '7';
    text[5 + 1001] = '}';
    assert_int_equal(fixture_read_bytes(&f, (struct bytes){ text, 1007 }).code, ERR_DECODE);
    fixture_fini(&f);
}

static void strings_without_escapes_point_into_the_input(void **state)
{
    static const char text[] = "{\"a\":\"plain\"}";
    struct decoder_spec spec = { 0 };
    struct value cell;
    struct fixture f;
    struct decoder d;
    struct error err;
    bool is_null = false;

    fixture_init(&f, "JSON");
    fixture_column(&f, "A", type_scalar(T_STRING));
    spec = (struct decoder_spec){ SIDE_VALUE, f.columns, 1, NULL, f.options };
    assert_int_equal(decoder_open(&d, f.kind, &spec, &err), 0);
    assert_int_equal(f.kind->decode_row(&d, bytes_of(text), &cell, &is_null, &f.arena, &err), 0);
    assert_ptr_equal(cell.bytes, text + 6);
    decoder_close(&d);
    fixture_fini(&f);
}

static void messages_do_not_hold_the_data(void **state)
{
    static const char *const texts[] = { "{\"a\":\"secret\"}",
                                         "{\"a\":\"secret\",\"a\":{\"s\":\"secret\"}}",
                                         "{\"a\":[\"secret\"", "{\"a\":\"secret\\q\"}" };
    struct fixture f;

    fixture_init(&f, "JSON");
    fixture_column(&f, "A", type_scalar(T_INTEGER));
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct reading got = fixture_read(&f, texts[i]);

        assert_int_not_equal(got.code, 0);
        assert_null(strstr(got.message, "secret"));
    }
    fixture_fini(&f);
}

/* --- bare values --- */

static void bare_null_is_a_null_column_and_a_null_row(void **state)
{
    struct fixture f;
    struct reading got;

    fixture_init(&f, "JSON");
    f.options.unwrapped = true;
    fixture_column(&f, "A", type_scalar(T_INTEGER));
    got = fixture_read(&f, " null ");
    assert_int_equal(got.code, 0);
    assert_true(got.is_null);
    assert_true(value_is_null(&got.cells[0]));
    got = fixture_read(&f, "7");
    assert_false(got.is_null);
    fixture_fini(&f);
}

static void nothing_is_an_empty_string_when_bare(void **state)
{
    struct fixture f;

    fixture_init(&f, "JSON");
    f.options.unwrapped = true;
    fixture_column(&f, "A", type_scalar(T_STRING));
    assert_string_equal(fixture_read(&f, "").json, "{\"A\":\"\"}");
    f.columns[0].type = type_scalar(T_INTEGER);
    assert_int_equal(fixture_read(&f, "").code, ERR_DECODE);
    f.options.unwrapped = false;
    assert_int_equal(fixture_read(&f, "").code, ERR_DECODE);
    fixture_fini(&f);
}

static void bare_numbers_and_words_end_where_they_end(void **state)
{
    struct fixture f;

    fixture_init(&f, "JSON");
    f.options.unwrapped = true;
    fixture_column(&f, "A", type_scalar(T_STRING));
    assert_int_equal(fixture_read(&f, "42 x").code, 0);
    assert_int_equal(fixture_read(&f, "42x").code, ERR_DECODE);
    assert_int_equal(fixture_read(&f, "042").code, ERR_DECODE);
    assert_int_equal(fixture_read(&f, "truex").code, ERR_DECODE);
    assert_int_equal(fixture_read(&f, "true,").code, 0);
    assert_int_equal(fixture_read(&f, "\"x\"y").code, 0);
    fixture_fini(&f);
}

static void single_key_columns_are_bare_and_several_are_an_object(void **state)
{
    struct value cells[2] = { value_i64(T_INTEGER, 42), text_value("x") };
    struct fixture f;

    fixture_init(&f, "JSON");
    f.side = SIDE_KEY;
    fixture_column(&f, "K", type_scalar(T_INTEGER));
    assert_string_equal(fixture_write(&f, cells).text, "42");
    assert_string_equal(fixture_read(&f, "42").json, "{\"K\":42}");
    fixture_column(&f, "L", type_scalar(T_STRING));
    assert_string_equal(fixture_write(&f, cells).text, "{\"K\":42,\"L\":\"x\"}");
    assert_string_equal(fixture_read(&f, "{\"l\":\"x\",\"K\":42}").json, "{\"K\":42,\"L\":\"x\"}");
    cells[0] = value_null();
    assert_string_equal(fixture_write(&f, cells).text, "{\"K\":null,\"L\":\"x\"}");
    f.column_count = 1;
    assert_true(fixture_write(&f, cells).is_null);
    fixture_fini(&f);
}

static void bare_struct_is_its_own_object(void **state)
{
    struct fixture f;
    struct reading got;

    fixture_init(&f, "JSON");
    f.side = SIDE_KEY;
    fixture_column(&f, "K", fixture_struct(&f, type_scalar(T_INTEGER), NULL));
    got = fixture_read(&f, "{\"f\":1}");
    assert_string_equal(got.json, "{\"K\":{\"F\":1}}");
    assert_string_equal(fixture_write(&f, got.cells).text, "{\"F\":1}");
    assert_non_null(strstr(fixture_read(&f, "{\"f\":{}}").message, "path: $.F"));
    fixture_fini(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_match_exactly_or_upper_cased),
        cmocka_unit_test(exact_name_wins_over_other_spellings),
        cmocka_unit_test(last_of_several_spellings_wins),
        cmocka_unit_test(last_of_equal_names_wins),
        cmocka_unit_test(one_field_feeds_two_columns_that_differ_by_case),
        cmocka_unit_test(order_and_presence_of_fields_may_change_from_record_to_record),
        cmocka_unit_test(malformed_documents_are_refused),
        cmocka_unit_test(other_values_than_objects_are_no_row),
        cmocka_unit_test(bytes_behind_the_first_value_are_ignored),
        cmocka_unit_test(malformed_text_counts_before_values_that_do_not_fit),
        cmocka_unit_test(document_cut_at_any_byte_is_malformed),
        cmocka_unit_test(nesting_is_limited_to_a_thousand_levels),
        cmocka_unit_test(absurd_numbers_are_refused),
        cmocka_unit_test(strings_without_escapes_point_into_the_input),
        cmocka_unit_test(messages_do_not_hold_the_data),
        cmocka_unit_test(bare_null_is_a_null_column_and_a_null_row),
        cmocka_unit_test(nothing_is_an_empty_string_when_bare),
        cmocka_unit_test(bare_numbers_and_words_end_where_they_end),
        cmocka_unit_test(single_key_columns_are_bare_and_several_are_an_object),
        cmocka_unit_test(bare_struct_is_its_own_object),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
