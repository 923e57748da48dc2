/*
 * test_format_json.c: JSON values are read by the rules of coercion.
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
        cmocka_unit_test(escapes_become_characters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
