/*
 * test_format_json_strict.c: rows that are taken at their word: what fits which column.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "engine/format/json_strict.h"
#include "engine/type/cast.h"
#include "parser/parse.h"

static struct arena arena;

static int set_up(void **state)
{
    arena_init(&arena, 0);
    return 0;
}

static int tear_down(void **state)
{
    arena_fini(&arena);
    return 0;
}

/* What the column V becomes, as CAST to STRING prints it; or the error. */
static const char *read_column(const struct sql_type *type, const char *row)
{
    static char text[1100];
    const struct column column = { .name = bytes_of("V"), .type = type };
    struct error err = { 0 };
    struct value cell;
    struct buffer printed = { 0 };

    if (json_strict_read(bytes_of(row), &column, 1, &arena, &cell, &err)) {
        snprintf(text, sizeof text, "%s: %s", error_name(err.code), err.message);
    } else {
        cast_print(&cell, type, &printed);
        snprintf(text, sizeof text, "%.*s", BYTES_ARG(buffer_bytes(&printed)));
    }
    buffer_fini(&printed);
    return text;
}

static void fits(const struct sql_type *type, const char *value, const char *expected)
{
    char row[300];

    snprintf(row, sizeof row, "{\"V\":%s}", value);
    assert_string_equal(read_column(type, row), expected);
}

static void misfits(const struct sql_type *type, const char *value, const char *what)
{
    char expected[100];

    snprintf(expected, sizeof expected, "ERR_INSERT_VALUE: Column V: Can't coerce %s to ", what);
    {
        char row[300];

        snprintf(row, sizeof row, "{\"V\":%s}", value);
        assert_memory_equal(read_column(type, row), expected, strlen(expected));
    }
}

static const struct sql_type *scalar(enum type_id id)
{
    return type_scalar(id);
}

static void numbers_only_widen(void **state)
{
    fits(scalar(T_INTEGER), "-2147483648", "-2147483648");
    misfits(scalar(T_INTEGER), "2147483648", "a number");
    misfits(scalar(T_INTEGER), "1.0", "a number");
    fits(scalar(T_BIGINT), "9223372036854775807", "9223372036854775807");
    misfits(scalar(T_BIGINT), "9223372036854775808", "a number");
    misfits(scalar(T_BIGINT), "1e3", "a number");
    fits(scalar(T_DOUBLE), "7", "7.0");
    fits(scalar(T_DOUBLE), "-1.5e3", "-1500.0");
}

static void text_is_no_number_and_no_boolean_nor_the_reverse(void **state)
{
    misfits(scalar(T_INTEGER), "\"1\"", "text");
    misfits(scalar(T_DOUBLE), "\"1\"", "text");
    misfits(scalar(T_BOOLEAN), "\"true\"", "text");
    misfits(scalar(T_BOOLEAN), "1", "a number");
    misfits(scalar(T_STRING), "1", "a number");
    misfits(scalar(T_STRING), "true", "a boolean");
    misfits(scalar(T_STRING), "{\"a\":1}", "an object");
    fits(scalar(T_BOOLEAN), "false", "false");
    fits(scalar(T_STRING), "\"a\\u00e9\\n\"", "a\xc3\xa9\n");
}

static void decimals_take_numbers_and_text_and_round_half_up(void **state)
{
    const struct sql_type *money = type_decimal(&arena, 6, 2);

    fits(money, "1.005", "1.01");
    fits(money, "-1.005", "-1.01");
    fits(money, "\"12\"", "12.00");
    fits(type_decimal(&arena, 38, 10), "1234567890123456789012345678.0123456789",
         "1234567890123456789012345678.0123456789");
    misfits(money, "10000", "a number");
    misfits(money, "\"abc\"", "text");
    misfits(money, "true", "a boolean");
}

static void times_and_bytes_come_as_text(void **state)
{
    fits(scalar(T_DATE), "\"2024-02-29\"", "2024-02-29");
    fits(scalar(T_TIME), "\"10:30\"", "10:30");
    fits(scalar(T_TIMESTAMP), "\"2024-02-29T10:30:00\"", "2024-02-29T10:30:00.000");
    fits(scalar(T_BYTES), "\"YWI=\"", "YWI=");
    misfits(scalar(T_DATE), "\"2023-02-29\"", "text");
    misfits(scalar(T_TIMESTAMP), "1709200000000", "a number");
    misfits(scalar(T_BYTES), "\"not base64\"", "text");
}

static void containers_hold_what_fits_and_structs_go_by_name(void **state)
{
    const struct sql_field fields[] = { { bytes_of("A"), scalar(T_INTEGER) },
                                        { bytes_of("b"), scalar(T_STRING) } };
    const struct sql_type *record = type_struct(&arena, fields, 2);

    fits(type_array(&arena, scalar(T_BIGINT)), "[1, null, 3]", "[1, null, 3]");
    fits(type_array(&arena, scalar(T_BIGINT)), "[]", "[]");
    misfits(type_array(&arena, scalar(T_BIGINT)), "[1,\"2\"]", "text");
    misfits(type_array(&arena, scalar(T_BIGINT)), "{}", "an object");
    fits(type_map(&arena, scalar(T_STRING), scalar(T_INTEGER)), "{\"x\":1,\"y\":2,\"x\":3}",
         "{x=3, y=2}");
    fits(record, "{\"a\":1,\"B\":\"folded away\",\"`b`\":\"kept\",\"z\":[{}]}",
         "Struct{A=1,b=kept}");
    fits(record, "{\"A\":null}", "Struct{}");
}

static void names_are_folded_unless_quoted_and_unknown_ones_left_out(void **state)
{
    const struct sql_type *type = scalar(T_INTEGER);

    assert_string_equal(read_column(type, "{\"v\":1}"), "1");
    assert_string_equal(read_column(type, "{\"`V`\":2}"), "2");
    assert_string_equal(read_column(type, "{\"\\\"V\\\"\":3}"), "3");
    assert_string_equal(read_column(type, "{\"`v`\":4}"), "null");
    assert_string_equal(read_column(type, " { \"other\" : {\"deep\":[1,{}]} , \"v\" : 5 } "), "5");
    assert_string_equal(read_column(type, "{}"), "null");
    assert_string_equal(read_column(type, "{\"v\":null}"), "null");
}

static void what_is_no_object_is_refused_whole(void **state)
{
    static const char *const rows[] = { "",           "[]",         "1",          "{",
                                        "{\"v\"}",    "{\"v\":}",   "{\"v\":1",   "{\"v\":1,}",
                                        "{\"v\":1}x", "{\"v\":[1}", "{\"x\":[}}", "{\"v\":tru}" };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *got = read_column(type_array(&arena, scalar(T_INTEGER)), rows[i]);

        if (strstr(rows[i], "\"v\":1") || strstr(rows[i], "[1}") || strstr(rows[i], "tru")) {
            assert_non_null(strstr(got, "ERR_"));
        } else {
            assert_string_equal(got, "ERR_SYNTAX: The row is no JSON object");
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(numbers_only_widen, set_up, tear_down),
        cmocka_unit_test_setup_teardown(text_is_no_number_and_no_boolean_nor_the_reverse, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(decimals_take_numbers_and_text_and_round_half_up, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(times_and_bytes_come_as_text, set_up, tear_down),
        cmocka_unit_test_setup_teardown(containers_hold_what_fits_and_structs_go_by_name, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(names_are_folded_unless_quoted_and_unknown_ones_left_out,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_no_object_is_refused_whole, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
