/*
 * test_format_json.c: JSON is read by the rules of coercion and spelling, and
 * written as Java would write it.
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

struct coercion {
    const char *in;
    const char *out; /* the column as JSON; NULL: refused */
    const char *why; /* part of the message */
};

/* Each value as the column of a row, alone in its document, and as a key. */
static void check_coercions_of(const struct sql_type *type, const struct coercion *table)
{
    struct fixture f;

    for (; table->in; table++) {
        char text[3000];
        char want[3000];
        struct reading got;

        fixture_init(&f, "JSON");
        fixture_column(&f, "C", type);
        snprintf(text, sizeof text, "{\"before\":[{}],\"c\":%s,\"after\":null}", table->in);
        snprintf(want, sizeof want, "{\"C\":%s}", table->out ? table->out : "");
        got = fixture_read(&f, text);
        if (table->out) {
            assert_int_equal(got.code, 0);
            assert_string_equal(got.json, want);
        } else {
            assert_int_equal(got.code, ERR_COERCE);
            assert_non_null(strstr(got.message, table->why));
            assert_non_null(strstr(got.message, "path: $.C"));
        }
        f.options.unwrapped = true;
        got = fixture_read(&f, table->in);
        assert_int_equal(got.code, table->out ? 0 : ERR_COERCE);
        if (table->out) {
            assert_string_equal(got.json, want);
        }
        fixture_fini(&f);
    }
}

static void booleans_take_true_and_false_only(void **state)
{
    static const struct coercion table[] = {
        { "true", "true", NULL },
        { "false", "false", NULL },
        { "null", "null", NULL },
        { "\"true\"", NULL, "sourceType: TextNode, requiredType: BOOLEAN" },
        { "1", NULL, "sourceType: IntNode, requiredType: BOOLEAN" },
        { "[true]", NULL, "sourceType: ArrayNode, requiredType: BOOLEAN" },
        { 0 },
    };

    check_coercions_of(type_scalar(T_BOOLEAN), table);
}

static void integers_are_cut_and_wrap_at_32_bits(void **state)
{
    static const struct coercion table[] = {
        { "0", "0", NULL },
        { "-0", "0", NULL },
        { "2147483647", "2147483647", NULL },
        { "2147483648", "-2147483648", NULL },
        { "-2147483649", "2147483647", NULL },
        { "4294967338", "42", NULL },
        { "9223372036854775807", "-1", NULL },
        { "9223372036854775850", "42", NULL },
        { "184467440737095516160", "0", NULL },
        { "7.99", "7", NULL },
        { "-7.99", "-7", NULL },
        { "0.001e4", "10", NULL },
        { "12345e-3", "12", NULL },
        { "1e40", "0", NULL },
        { "1E-400", "0", NULL },
        { "\"42\"", "42", NULL },
        { "\"-42\"", "-42", NULL },
        { "\"+42\"", "42", NULL },
        { "null", "null", NULL },
        { "\"2147483648\"", NULL, "Can't coerce string to type. targetType: INTEGER" },
        { "\"4.2\"", NULL, "Can't coerce string to type. targetType: INTEGER" },
        { "\" 4\"", NULL, "Can't coerce string" },
        { "\"\"", NULL, "Can't coerce string" },
        { "true", NULL, "sourceType: BooleanNode, requiredType: INTEGER" },
        { "{}", NULL, "sourceType: ObjectNode, requiredType: INTEGER" },
        { "[]", NULL, "sourceType: ArrayNode, requiredType: INTEGER" },
        { 0 },
    };

    check_coercions_of(type_scalar(T_INTEGER), table);
}

static void bigints_are_cut_and_wrap_at_64_bits(void **state)
{
    static const struct coercion table[] = {
        { "9223372036854775807", "9223372036854775807", NULL },
        { "-9223372036854775808", "-9223372036854775808", NULL },
        { "9223372036854775808", "-9223372036854775808", NULL },
        { "18446744073709551658", "42", NULL },
        { "123456789012345678", "123456789012345678", NULL },
        { "1234567890123456789", "1234567890123456789", NULL },
        { "-1234567.9", "-1234567", NULL },
        { "1.5e3", "1500", NULL },
        { "12345678901234567890123456789e-20", "123456789", NULL },
        { "1e63", "-9223372036854775808", NULL },
        { "1e64", "0", NULL },
        { "1e2147479999", "0", NULL },
        { "\"9223372036854775807\"", "9223372036854775807", NULL },
        { "\"4\\u0032\"", "42", NULL },
        { "\"9223372036854775808\"", NULL, "Can't coerce string to type. targetType: BIGINT" },
        { "false", NULL, "sourceType: BooleanNode, requiredType: BIGINT" },
        { 0 },
    };

    check_coercions_of(type_scalar(T_BIGINT), table);
}

static void doubles_take_numbers_and_java_text(void **state)
{
    static const struct coercion table[] = {
        { "0", "0.0", NULL },
        { "-0.0", "0.0", NULL },
        { "-0e5", "0.0", NULL },
        { "12.5", "12.5", NULL },
        { "-12.25", "-12.25", NULL },
        { "0.1", "0.1", NULL },
        { "123456789012345", "1.23456789012345E14", NULL },
        { "1234567890123456", "1.234567890123456E15", NULL },
        { "0.000000000000001", "1.0E-15", NULL },
        { "0.3333333333333333", "0.3333333333333333", NULL },
        { "1e22", "1.0E22", NULL },
        { "1e400", "\"Infinity\"", NULL },
        { "1e-400", "0.0", NULL },
        { "\"12.5\"", "12.5", NULL },
        { "\" 1e3 \"", "1000.0", NULL },
        { "\"NaN\"", "\"NaN\"", NULL },
        { "\"-Infinity\"", "\"-Infinity\"", NULL },
        { "\"x\"", NULL, "Can't coerce string to type. targetType: DOUBLE" },
        { "true", NULL, "sourceType: BooleanNode, requiredType: DOUBLE" },
        { 0 },
    };

    check_coercions_of(type_scalar(T_DOUBLE), table);
}

static void anything_becomes_a_string(void **state)
{
    static const struct coercion table[] = {
        { "\"a b\"", "\"a b\"", NULL },
        { "\"\"", "\"\"", NULL },
        { "42", "\"42\"", NULL },
        { "-0", "\"0\"", NULL },
        { "123456789012345678901234567890", "\"123456789012345678901234567890\"", NULL },
        { "42.000", "\"42.000\"", NULL },
        { "-0.0", "\"0.0\"", NULL },
        { "-1.50", "\"-1.50\"", NULL },
        { "0.000001", "\"0.000001\"", NULL },
        { "0.0000001", "\"1E-7\"", NULL },
        { "0.00000123", "\"0.00000123\"", NULL },
        { "0.000000123", "\"1.23E-7\"", NULL },
        { "0.00000000", "\"0E-8\"", NULL },
        { "1e3", "\"1E+3\"", NULL },
        { "1.5e1", "\"15\"", NULL },
        { "1.5e+10", "\"1.5E+10\"", NULL },
        { "123e-1", "\"12.3\"", NULL },
        { "1e0", "\"1\"", NULL },
        { "0e5", "\"0E+5\"", NULL },
        { "true", "\"true\"", NULL },
        { "false", "\"false\"", NULL },
        { "null", "null", NULL },
        { "{}", "\"{}\"", NULL },
        { "[]", "\"[]\"", NULL },
        { "{ \"b\" : [1, 2.50, \"x\"], \"a\" : { \"c\" : null } }",
          "\"{\\\"b\\\":[1,2.50,\\\"x\\\"],\\\"a\\\":{\\\"c\\\":null}}\"", NULL },
        { "[1, \"two\", [3, null], {\"k\": \"v\"}, true]",
          "\"[1, two, [3, null], {\\\"k\\\":\\\"v\\\"}, true]\"", NULL },
        { "{\"a\":1,\"b\":2,\"a\":3}", "\"{\\\"a\\\":3,\\\"b\\\":2}\"", NULL },
        { "{\"n\":1e3}", "\"{\\\"n\\\":1E+3}\"", NULL },
        { "{\"\\u0041\\n\":\"\\/\\u001f\"}", "\"{\\\"A\\\\n\\\":\\\"/\\\\u001F\\\"}\"", NULL },
        { 0 },
    };

    check_coercions_of(type_scalar(T_STRING), table);
}

static void decimals_fit_without_rounding(void **state)
{
    static const struct coercion table[] = {
        { "12.34", "12.34", NULL },
        { "-12.3", "-12.30", NULL },
        { "9999.99", "9999.99", NULL },
        { "0", "0.00", NULL },
        { "-0.5", "-0.50", NULL },
        { "1e2", "100.00", NULL },
        { "1234.5000", "1234.50", NULL },
        { "\"12.34\"", "12.34", NULL },
        { "\"1.2e1\"", "12.00", NULL },
        { "10000", NULL, "does not fit" },
        { "9999.995", NULL, "does not fit" },
        { "1e300", NULL, "does not fit" },
        { "0.001", NULL, "does not fit" },
        { "\"0.001\"", NULL, "does not fit" },
        { "\"abc\"", NULL, "Can't coerce string to type. targetType: DECIMAL(6, 2)" },
        { "true", NULL, "sourceType: BooleanNode, requiredType: DECIMAL(6, 2)" },
        { 0 },
    };
    static const struct coercion wide[] = {
        { "12345678901234567890.5", "12345678901234567890.50", NULL },
        { "\"-12345678901234567890.25\"", "-12345678901234567890.25", NULL },
        { "7", "7.00", NULL },
        { "1000000000000000000000000000000", NULL, "does not fit" },
        { 0 },
    };
    static const struct coercion tiny[] = {
        { "0", "0E-8", NULL },
        { "0.00000001", "1E-8", NULL },
        { "0.5", "0.50000000", NULL },
        { "1", NULL, "does not fit" },
        { 0 },
    };
    struct fixture f;

    fixture_init(&f, "JSON");
    check_coercions_of(fixture_decimal(&f, 6, 2), table);
    check_coercions_of(fixture_decimal(&f, 30, 2), wide);
    check_coercions_of(fixture_decimal(&f, 8, 8), tiny);
    fixture_fini(&f);
}

static void times_take_numbers_in_their_range(void **state)
{
    static const struct coercion time[] = {
        { "0", "0", NULL },
        { "86400000", "86400000", NULL },
        { "5.7", "5", NULL },
        { "\"77\"", "77", NULL },
        { "86400001", NULL, "out of range" },
        { "-1", NULL, "out of range" },
        { "\"10:00:00\"", NULL, "Can't coerce string to type. targetType: TIME" },
        { "true", NULL, "requiredType: TIME" },
        { 0 },
    };
    static const struct coercion date[] = {
        { "19000", "19000", NULL },
        { "-1", "-1", NULL },
        { "\"5\"", "5", NULL },
        { "2147483648", NULL, "out of range" },
        { "\"2022-01-01\"", NULL, "Can't coerce string to type. targetType: DATE" },
        { 0 },
    };
    static const struct coercion timestamp[] = {
        { "1700000000000", "1700000000000", NULL },
        { "-5", "-5", NULL },
        { "\"1700000000000\"", "1700000000000", NULL },
        { "\"2022-01-01T00:00:00\"", NULL, "Can't coerce string to type. targetType: TIMESTAMP" },
        { 0 },
    };

    check_coercions_of(type_scalar(T_TIME), time);
    check_coercions_of(type_scalar(T_DATE), date);
    check_coercions_of(type_scalar(T_TIMESTAMP), timestamp);
}

static void bytes_are_padded_base64(void **state)
{
    static const struct coercion table[] = {
        { "\"\"", "\"\"", NULL },
        { "\"AQI=\"", "\"AQI=\"", NULL },
        { "\"AQID\"", "\"AQID\"", NULL },
        { "\"AQ\\u003d=\"", "\"AQ==\"", NULL },
        { "\"AQID\\n AQ==\"", "\"AQIDAQ==\"", NULL },
        { "\"AQI\"", NULL, "base64" },
        { "\"A\"", NULL, "base64" },
        { "\"A-_B\"", NULL, "base64" },
        { "12", NULL, "sourceType: IntNode, requiredType: BYTES" },
        { 0 },
    };

    check_coercions_of(type_scalar(T_BYTES), table);
}

static void arrays_convert_each_item(void **state)
{
    static const struct coercion table[] = {
        { "[]", "[]", NULL },
        { "[1, \"2\", 3.9, null]", "[1,2,3,null]", NULL },
        { "[ ]", "[]", NULL },
        { "{}", NULL, "sourceType: ObjectNode, requiredType: ARRAY<INTEGER>" },
        { "\"[1]\"", NULL, "sourceType: TextNode" },
        { "[1,2,true]", NULL, "requiredType: INTEGER, path: $.C[2]" },
        { 0 },
    };
    static const struct coercion nested[] = {
        { "[[1],[],null,[2,3]]", "[[1],[],null,[2,3]]", NULL },
        { "[[1],[2,[]]]", NULL, "path: $.C[1][1]" },
        { 0 },
    };
    struct fixture f;

    fixture_init(&f, "JSON");
    check_coercions_of(fixture_array(&f, type_scalar(T_INTEGER)), table);
    check_coercions_of(fixture_array(&f, fixture_array(&f, type_scalar(T_INTEGER))), nested);
    fixture_fini(&f);
}

static void maps_take_the_last_of_equal_keys(void **state)
{
    static const struct coercion table[] = {
        { "{}", "{}", NULL },
        { "{\"a\":1,\"b\":null}", "{\"a\":1,\"b\":null}", NULL },
        { "{\"a\":1,\"b\":2,\"\\u0061\":3}", "{\"a\":3,\"b\":2}", NULL },
        { "{\"a\":true,\"a\":3}", "{\"a\":3}", NULL },
        { "{\"a\":1,\"A\":2}", "{\"a\":1,\"A\":2}", NULL },
        { "{\"k0\":0,\"k1\":1,\"k2\":2,\"k3\":3,\"k4\":4,\"k5\":5,\"k6\":6,\"k7\":7,\"k8\":8,"
          "\"k0\":9}",
          "{\"k0\":9,\"k1\":1,\"k2\":2,\"k3\":3,\"k4\":4,\"k5\":5,\"k6\":6,\"k7\":7,\"k8\":8}",
          NULL },
        { "[]", NULL, "sourceType: ArrayNode, requiredType: MAP<STRING, INTEGER>" },
        { "{\"x\":{}}", NULL, "requiredType: INTEGER, path: $.C.x.value" },
        { 0 },
    };
    struct fixture f;

    fixture_init(&f, "JSON");
    check_coercions_of(fixture_map(&f, type_scalar(T_INTEGER)), table);
    fixture_fini(&f);
}

static void structs_follow_the_rules_of_rows(void **state)
{
    static const struct coercion table[] = {
        { "{}", "{\"F\":null,\"G\":null}", NULL },
        { "{\"f\":1,\"G\":\"x\",\"h\":{}}", "{\"F\":1,\"G\":\"x\"}", NULL },
        { "{\"f\":true,\"F\":1}", "{\"F\":1,\"G\":null}", NULL },
        { "{\"F\":null,\"f\":2}", "{\"F\":null,\"G\":null}", NULL },
        { "7", NULL, "requiredType: STRUCT<`F` INTEGER, `G` STRING>" },
        { "{\"F\":[]}", NULL, "sourceType: ArrayNode, requiredType: INTEGER, path: $.C.F" },
        { 0 },
    };
    struct fixture f;

    fixture_init(&f, "JSON");
    check_coercions_of(fixture_struct(&f, type_scalar(T_INTEGER), type_scalar(T_STRING)), table);
    fixture_fini(&f);
}

static void source_types_are_told_apart(void **state)
{
    static const struct coercion table[] = {
        { "2147483647", NULL, "IntNode" },
        { "2147483648", NULL, "LongNode" },
        { "9223372036854775808", NULL, "BigIntegerNode" },
        { "1.0", NULL, "DecimalNode" },
        { "1e1", NULL, "DecimalNode" },
        { 0 },
    };

    check_coercions_of(type_scalar(T_BOOLEAN), table);
}

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

static void escapes_become_characters(void **state)
{
    static const struct coercion table[] = {
        { "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\\"\\\\/\\b\\f\\n\\r\\t\"", NULL },
        { "\"\\u0041\\u00e9\\u20AC\"", "\"A\xc3\xa9\xe2\x82\xac\"", NULL },
        { "\"\\ud83d\\ude00!\"", "\"\xf0\x9f\x98\x80!\"", NULL },
        { "\"\\ud83d\"", "\"\xef\xbf\xbd\"", NULL },
        { "\"\\ude00\\ud83d\"", "\"\xef\xbf\xbd\xef\xbf\xbd\"", NULL },
        { "\"\\ud83d\\u0041\"",
          "\"\xef\xbf\xbd"
          "A\"",
          NULL },
        { "\"\\ud83dx\"", "\"\xef\xbf\xbdx\"", NULL },
        { "\"\\u0000\"", "\"\\u0000\"", NULL },
        { "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80 sixteen bytes and more\"",
          "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80 sixteen bytes and more\"", NULL },
        { 0 },
    };

    check_coercions_of(type_scalar(T_STRING), table);
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

/* --- writing --- */

static const char *write_one(const struct sql_type *type, struct value v)
{
    static char text[4000];
    struct fixture f;

    fixture_init(&f, "JSON");
    f.options.unwrapped = true;
    fixture_column(&f, "A", type);
    snprintf(text, sizeof text, "%s", fixture_write(&f, &v).text);
    fixture_fini(&f);
    return text;
}

static void nulls_are_written(void **state)
{
    struct value cells[2] = { value_null(), value_null() };
    struct fixture f;

    fixture_init(&f, "JSON");
    fixture_column(&f, "A", type_scalar(T_INTEGER));
    assert_string_equal(fixture_write(&f, cells).text, "{\"A\":null}");
    fixture_column(&f, "b\"q", type_scalar(T_STRING));
    assert_string_equal(fixture_write(&f, cells).text, "{\"A\":null,\"b\\\"q\":null}");
    fixture_fini(&f);
}

static void numbers_are_written_as_java_does(void **state)
{
    const struct sql_type *bigint = type_scalar(T_BIGINT);
    const struct sql_type *real = type_scalar(T_DOUBLE);

    assert_string_equal(write_one(bigint, value_i64(T_BIGINT, 0)), "0");
    assert_string_equal(write_one(bigint, value_i64(T_BIGINT, -7)), "-7");
    assert_string_equal(write_one(bigint, value_i64(T_BIGINT, 100)), "100");
    assert_string_equal(write_one(bigint, value_i64(T_BIGINT, INT64_MAX)), "9223372036854775807");
    assert_string_equal(write_one(bigint, value_i64(T_BIGINT, INT64_MIN)), "-9223372036854775808");
    assert_string_equal(write_one(real, value_f64(10)), "10.0");
    assert_string_equal(write_one(real, value_f64(1e10)), "1.0E10");
    assert_string_equal(write_one(real, value_f64(1.5e-5)), "1.5E-5");
    assert_string_equal(write_one(real, value_f64(-1e308 * 10)), "\"-Infinity\"");
    assert_string_equal(write_one(type_scalar(T_BOOLEAN), value_i64(T_BOOLEAN, 1)), "true");
    assert_string_equal(write_one(type_scalar(T_BOOLEAN), value_i64(T_BOOLEAN, 0)), "false");
    assert_string_equal(write_one(type_scalar(T_DATE), value_i64(T_DATE, -1)), "-1");
}

static void bytes_are_written_as_base64(void **state)
{
    const struct sql_type *bytes = type_scalar(T_BYTES);

    assert_string_equal(write_one(bytes, value_text(T_BYTES, bytes_of(""))), "\"\"");
    assert_string_equal(write_one(bytes, value_text(T_BYTES, bytes_of("\xff"))), "\"/w==\"");
    assert_string_equal(write_one(bytes, value_text(T_BYTES, bytes_of("ab"))), "\"YWI=\"");
    assert_string_equal(write_one(bytes, value_text(T_BYTES, bytes_of("abc"))), "\"YWJj\"");
}

/* One character that needs an escape at every place of texts of every small length. */
static void escapes_are_found_at_every_place(void **state)
{
    static const struct {
        char c;
        const char *escaped;
    } table[] = { { '"', "\\\"" },   { '\\', "\\\\" }, { '\b', "\\b" }, { '\t', "\\t" },
                  { '\n', "\\n" },   { '\f', "\\f" },  { '\r', "\\r" }, { 1, "\\u0001" },
                  { 31, "\\u001F" }, { 127, "\x7f" },  { '/', "/" },    { ' ', " " },
                  { '!', "!" },      { '#', "#" },     { '[', "[" },    { ']', "]" } };

    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        for (size_t len = 1; len < 50; len++) {
            for (size_t place = 0; place < len; place++) {
                char text[64];
                char want[80];

                memset(text, 'x', len);
                text[place] = table[i].c;
                text[len] = '\0';
                snprintf(want, sizeof want, "\"%.*s%s%s\"", (int)place, text, table[i].escaped,
                         text + place + 1);
                assert_string_equal(write_one(type_scalar(T_STRING), text_value(text)), want);
            }
        }
    }
}

static void maps_are_written_in_the_order_of_a_java_hash_map(void **state)
{
    struct fixture f;
    struct map_pair pairs[20];
    struct value map = { .kind = T_MAP, .pairs = pairs };
    static const char *const names[] = { "banana", "apple", "cherry", "Aa", "BB", "zebra", "k1" };

    fixture_init(&f, "JSON");
    f.options.unwrapped = true;
    fixture_column(&f, "M", fixture_map(&f, type_scalar(T_INTEGER)));
    for (uint32_t i = 0; i < 7; i++) {
        pairs[i] = (struct map_pair){ text_value(names[i]), value_i64(T_INTEGER, i) };
    }
    map.size = 7;
    /* Printed by a java.util.HashMap of these entries. */
    assert_string_equal(
        fixture_write(&f, &map).text,
        "{\"banana\":0,\"Aa\":3,\"BB\":4,\"zebra\":5,\"apple\":1,\"cherry\":2,\"k1\":6}");
    for (uint32_t i = 0; i < 20; i++) {
        char name[12];

        snprintf(name, sizeof name, "key%u", i);
        pairs[i].key = text_value(arena_copy_text(&f.arena, bytes_of(name)));
        pairs[i].value = value_i64(T_INTEGER, i);
    }
    map.size = 20;
    assert_string_equal(
        fixture_write(&f, &map).text,
        "{\"key1\":1,\"key2\":2,\"key0\":0,\"key5\":5,\"key6\":6,\"key3\":3,\"key4\":4,\"key9\":9,"
        "\"key7\":7,\"key8\":8,\"key11\":11,\"key10\":10,\"key15\":15,\"key14\":14,\"key13\":13,"
        "\"key12\":12,\"key19\":19,\"key18\":18,\"key17\":17,\"key16\":16}");
    pairs[0].key = value_null();
    pairs[1].key = text_value("\xf0\x9f\x98\x80\xc3\xa9");
    map.size = 2;
    assert_string_equal(fixture_write(&f, &map).text,
                        "{\"null\":0,\"\xf0\x9f\x98\x80\xc3\xa9\":1}");
    fixture_fini(&f);
}

static void columns_are_written_from_where_they_lie(void **state)
{
    struct value cells[1] = { value_i64(T_INTEGER, 1) };
    struct value registers[2] = { value_null(), text_value("r") };
    struct value constants[1] = { value_i64(T_INTEGER, 3) };
    struct row_banks row = { { cells, NULL, registers, constants } };
    struct encoder_spec spec = { 0 };
    struct buffer out = { 0 };
    struct fixture f;
    struct encoder e;
    struct error err;
    bool is_null = false;

    fixture_init(&f, "JSON");
    fixture_column(&f, "A", type_scalar(T_STRING));
    fixture_column(&f, "B", type_scalar(T_INTEGER));
    fixture_column(&f, "C", type_scalar(T_INTEGER));
    f.at[0] = operand_make(BANK_REGISTERS, 1);
    f.at[1] = operand_make(BANK_CONSTANTS, 0);
    f.at[2] = operand_make(BANK_CELLS, 0);
    spec = (struct encoder_spec){ SIDE_VALUE, f.columns, 3, f.at, f.options };
    assert_int_equal(encoder_open(&e, f.kind, &spec, &err), 0);
    assert_int_equal(f.kind->encode_row(&e, &row, &out, &is_null, &err), 0);
    buffer_append_char(&out, '\0');
    assert_string_equal(out.data, "{\"A\":\"r\",\"B\":3,\"C\":1}");
    encoder_close(&e);
    buffer_fini(&out);
    fixture_fini(&f);
}

static void maps_need_string_keys(void **state)
{
    struct fixture f;
    struct error err;

    fixture_init(&f, "JSON");
    fixture_column(
        &f, "M",
        fixture_array(&f, type_map(&f.arena, type_scalar(T_INTEGER), type_scalar(T_INTEGER))));
    assert_int_equal(format_check_columns(f.kind, f.columns, 1, SIDE_VALUE, &err),
                     ERR_FORMAT_SCHEMA);
    assert_non_null(strstr(err.message, "JSON only supports MAP types with STRING keys"));
    f.columns[0].type = fixture_map(&f, type_scalar(T_INTEGER));
    assert_int_equal(format_check_columns(f.kind, f.columns, 1, SIDE_VALUE, &err), 0);
    assert_int_equal(format_check_columns(f.kind, f.columns, 1, SIDE_KEY, &err), ERR_INVALID_KEY);
    fixture_fini(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(booleans_take_true_and_false_only),
        cmocka_unit_test(integers_are_cut_and_wrap_at_32_bits),
        cmocka_unit_test(bigints_are_cut_and_wrap_at_64_bits),
        cmocka_unit_test(doubles_take_numbers_and_java_text),
        cmocka_unit_test(anything_becomes_a_string),
        cmocka_unit_test(decimals_fit_without_rounding),
        cmocka_unit_test(times_take_numbers_in_their_range),
        cmocka_unit_test(bytes_are_padded_base64),
        cmocka_unit_test(arrays_convert_each_item),
        cmocka_unit_test(maps_take_the_last_of_equal_keys),
        cmocka_unit_test(structs_follow_the_rules_of_rows),
        cmocka_unit_test(source_types_are_told_apart),
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
        cmocka_unit_test(escapes_become_characters),
        cmocka_unit_test(strings_without_escapes_point_into_the_input),
        cmocka_unit_test(messages_do_not_hold_the_data),
        cmocka_unit_test(bare_null_is_a_null_column_and_a_null_row),
        cmocka_unit_test(nothing_is_an_empty_string_when_bare),
        cmocka_unit_test(bare_numbers_and_words_end_where_they_end),
        cmocka_unit_test(single_key_columns_are_bare_and_several_are_an_object),
        cmocka_unit_test(bare_struct_is_its_own_object),
        cmocka_unit_test(nulls_are_written),
        cmocka_unit_test(numbers_are_written_as_java_does),
        cmocka_unit_test(bytes_are_written_as_base64),
        cmocka_unit_test(escapes_are_found_at_every_place),
        cmocka_unit_test(maps_are_written_in_the_order_of_a_java_hash_map),
        cmocka_unit_test(columns_are_written_from_where_they_lie),
        cmocka_unit_test(maps_need_string_keys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
