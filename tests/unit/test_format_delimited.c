/*
 * test_format_delimited.c: rows as lines of CSV, by the rules of commons-csv 1.4.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/format_fixture.h"

/* --- writing --- */

static const char *write_texts(const char *first, const char *second, const char *delimiter)
{
    static char text[200];
    struct value cells[2] = { first ? text_value(first) : value_null(),
                              second ? text_value(second) : value_null() };
    struct fixture f;
    struct error err;

    fixture_init(&f, "DELIMITED");
    assert_int_equal(format_parse_delimiter(bytes_of(delimiter), &f.options, &err), 0);
    fixture_column(&f, "A", type_scalar(T_STRING));
    fixture_column(&f, "B", type_scalar(T_STRING));
    snprintf(text, sizeof text, "%s", fixture_write(&f, cells).text);
    fixture_fini(&f);
    return text;
}

static void first_column_is_quoted_unless_it_begins_with_letter_or_digit(void **state)
{
    assert_string_equal(write_texts("abc", "x", ","), "abc,x");
    assert_string_equal(write_texts("9", "x", ","), "9,x");
    assert_string_equal(write_texts("Z", "x", ","), "Z,x");
    assert_string_equal(write_texts("-1.5", "x", ","), "\"-1.5\",x");
    assert_string_equal(write_texts(".5", "x", ","), "\".5\",x");
    assert_string_equal(write_texts("_x", "x", ","), "\"_x\",x");
    assert_string_equal(write_texts("\xc3\xa9", "x", ","), "\"\xc3\xa9\",x");
    assert_string_equal(write_texts("", "x", ","), "\"\",x");
}

static void other_columns_are_quoted_from_their_first_character(void **state)
{
    assert_string_equal(write_texts("a", "-1.5", ","), "a,-1.5");
    assert_string_equal(write_texts("a", "#x", ","), "a,\"#x\"");
    assert_string_equal(write_texts("a", "$x", ","), "a,$x");
    assert_string_equal(write_texts("a", " x", ","), "a,\" x\"");
    assert_string_equal(write_texts("a", "!x", ","), "a,\"!x\"");
    assert_string_equal(write_texts("a", "\xc3\xa9", ","), "a,\xc3\xa9");
    assert_string_equal(write_texts("a", "", ","), "a,");
}

static void special_characters_anywhere_are_quoted(void **state)
{
    assert_string_equal(write_texts("a,b", "c,d", ","), "\"a,b\",\"c,d\"");
    assert_string_equal(write_texts("a\"b", "c\"", ","), "\"a\"\"b\",\"c\"\"\"");
    assert_string_equal(write_texts("a\nb", "c\rd", ","), "\"a\nb\",\"c\rd\"");
    assert_string_equal(write_texts("a ", "b\t", ","), "\"a \",\"b\t\"");
    assert_string_equal(write_texts("a b", "c d", ","), "a b,c d");
    assert_string_equal(write_texts("a,b", "c|d", "|"), "a,b|\"c|d\"");
}

static void nulls_are_written_as_nothing(void **state)
{
    assert_string_equal(write_texts(NULL, "x", ","), ",x");
    assert_string_equal(write_texts("x", NULL, ","), "x,");
    assert_string_equal(write_texts(NULL, NULL, ","), ",");
}

static void delimiters_are_one_character_or_a_word(void **state)
{
    struct format_options options = { .unwrapped = false };
    struct error err;
    static const char *const bad[] = {
        "", " ", "\t", "<~>", "ab", "tab", "\"", "\n", "\xf0\x9f\x98\x80", "\xff"
    };

    assert_string_equal(write_texts("a", "b", "TAB"), "a\tb");
    assert_string_equal(write_texts("a", "b", "SPACE"), "a b");
    assert_string_equal(write_texts("a", "b", "\xe2\x82\xac"), "a\xe2\x82\xac"
                                                               "b");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(format_parse_delimiter(bytes_of(bad[i]), &options, &err),
                         ERR_INVALID_PROPERTY);
    }
    assert_int_equal(options.delimiter_len, 0);
}

static void scalars_are_written_as_java_prints_them(void **state)
{
    wide_int wide = (wide_int)1000000000000000000 * 1000;
    struct value cells[] = {
        value_i64(T_BOOLEAN, 1),
        value_i64(T_INTEGER, -5),
        value_i64(T_BIGINT, 7),
        value_f64(1.5e-5),
        value_i64(T_DECIMAL, 1),
        { .kind = T_DECIMAL, .wide = &wide },
        value_i64(T_TIME, 86399),
        value_i64(T_DATE, -1),
        value_i64(T_TIMESTAMP, 1700000000000),
        value_text(T_BYTES, bytes_of("\xff")),
    };
    struct fixture f;

    fixture_init(&f, "DELIMITED");
    fixture_column(&f, "A", type_scalar(T_BOOLEAN));
    fixture_column(&f, "B", type_scalar(T_INTEGER));
    fixture_column(&f, "C", type_scalar(T_BIGINT));
    fixture_column(&f, "D", type_scalar(T_DOUBLE));
    fixture_column(&f, "E", fixture_decimal(&f, 10, 8));
    fixture_column(&f, "F", fixture_decimal(&f, 30, 2));
    fixture_column(&f, "G", type_scalar(T_TIME));
    fixture_column(&f, "H", type_scalar(T_DATE));
    fixture_column(&f, "I", type_scalar(T_TIMESTAMP));
    fixture_column(&f, "J", type_scalar(T_BYTES));
    assert_string_equal(
        fixture_write(&f, cells).text,
        "true,-5,7,1.5E-5,0.00000001,10000000000000000000.00,86399,-1,1700000000000,/w==");
    fixture_fini(&f);
}

static void single_null_column_is_no_bytes_but_no_null(void **state)
{
    struct value null = value_null();
    struct fixture f;
    struct writing written;

    fixture_init(&f, "DELIMITED");
    fixture_column(&f, "A", type_scalar(T_STRING));
    written = fixture_write(&f, &null);
    assert_false(written.is_null);
    assert_int_equal(written.len, 0);
    assert_int_equal(fixture_read(&f, "").code, ERR_DECODE);
    fixture_fini(&f);
}

/* --- reading: records and fields --- */

/* Two STRING columns as "[a][b]", a null as "-", or the error's name. */
static const char *read_texts(const char *in, const char *delimiter)
{
    static char text[400];
    struct fixture f;
    struct reading got;
    struct error err;

    fixture_init(&f, "DELIMITED");
    assert_int_equal(format_parse_delimiter(bytes_of(delimiter), &f.options, &err), 0);
    fixture_column(&f, "A", type_scalar(T_STRING));
    fixture_column(&f, "B", type_scalar(T_STRING));
    got = fixture_read(&f, in);
    if (got.code) {
        snprintf(text, sizeof text, "%s", error_name((enum error_code)got.code));
    } else {
        size_t len = 0;

        for (int i = 0; i < 2; i++) {
            struct bytes cell =
                value_is_null(&got.cells[i]) ? bytes_of("-") : value_bytes(&got.cells[i]);

            len += (size_t)snprintf(text + len, sizeof text - len, "[%.*s]", BYTES_ARG(cell));
        }
    }
    fixture_fini(&f);
    return text;
}

static void fields_are_split_at_the_delimiter(void **state)
{
    assert_string_equal(read_texts("a,b", ","), "[a][b]");
    assert_string_equal(read_texts("a,b\n", ","), "[a][b]");
    assert_string_equal(read_texts("a,b\r\n", ","), "[a][b]");
    assert_string_equal(read_texts("a\tb", "TAB"), "[a][b]");
    assert_string_equal(read_texts("a\xe2\x82\xac"
                                   "b",
                                   "\xe2\x82\xac"),
                        "[a][b]");
    assert_string_equal(read_texts(" a , b ", ","), "[ a ][ b ]");
    assert_string_equal(read_texts("a\"b,c\"\"", ","), "[a\"b][c\"\"]");
    assert_string_equal(read_texts("\xff,b", ","), "[\xef\xbf\xbd][b]");
}

static void empty_fields_are_null_even_in_quotes(void **state)
{
    assert_string_equal(read_texts(",", ","), "[-][-]");
    assert_string_equal(read_texts("a,", ","), "[a][-]");
    assert_string_equal(read_texts(",b", ","), "[-][b]");
    assert_string_equal(read_texts("\"\",b", ","), "[-][b]");
}

static void quoted_fields_hold_anything(void **state)
{
    assert_string_equal(read_texts("\"a,b\",c", ","), "[a,b][c]");
    assert_string_equal(read_texts("\"a\"\"b\",\"\"\"\"", ","), "[a\"b][\"]");
    assert_string_equal(read_texts("\"a\nb\",\"c\r\n\"", ","), "[a\nb][c\r\n]");
    assert_string_equal(read_texts("\"a\" \t,\"b\" ", ","), "[a][b]");
    assert_string_equal(read_texts("\"a\"\xe3\x80\x80,b", ","), "[a][b]");
    assert_string_equal(read_texts("\"a\"\t\"b\"", "TAB"), "[a][b]");
}

static void damaged_quotes_are_refused(void **state)
{
    assert_string_equal(read_texts("\"a,b", ","), "ERR_DECODE");
    assert_string_equal(read_texts("\"a\"x,b", ","), "ERR_DECODE");
    assert_string_equal(read_texts("a,\"", ","), "ERR_DECODE");
    assert_string_equal(read_texts("\"a\"\xc2\xa0,b", ","), "ERR_DECODE");
}

static void first_record_counts_and_blank_lines_do_not(void **state)
{
    assert_string_equal(read_texts("\n\r\n\ra,b\n", ","), "[a][b]");
    assert_string_equal(read_texts("a,b\nc,d,e\n\nf", ","), "[a][b]");
    assert_string_equal(read_texts("a,b\n\"c", ","), "ERR_DECODE");
    assert_string_equal(read_texts("", ","), "ERR_DECODE");
    assert_string_equal(read_texts("\n\n", ","), "ERR_DECODE");
}

static void count_of_fields_must_be_that_of_columns(void **state)
{
    struct fixture f;
    struct reading got;

    assert_string_equal(read_texts("a", ","), "ERR_DECODE");
    assert_string_equal(read_texts("a,b,c", ","), "ERR_DECODE");
    assert_string_equal(read_texts(" ", ","), "ERR_DECODE");
    fixture_init(&f, "DELIMITED");
    fixture_column(&f, "A", type_scalar(T_STRING));
    got = fixture_read(&f, "a,b,c");
    assert_non_null(strstr(got.message, "expected: 1, got: 3"));
    fixture_fini(&f);
}

/* --- reading: values --- */

struct parsing {
    const char *in;
    const char *out; /* the row as JSON; NULL: refused */
};

static void check_parsing(const struct sql_type *type, const struct parsing *table)
{
    for (; table->in; table++) {
        struct fixture f;
        struct reading got;
        char want[200];

        fixture_init(&f, "DELIMITED");
        fixture_column(&f, "C", type);
        got = fixture_read(&f, table->in);
        if (table->out) {
            snprintf(want, sizeof want, "{\"C\":%s}", table->out);
            assert_int_equal(got.code, 0);
            assert_string_equal(got.json, want);
        } else {
            assert_int_equal(got.code, ERR_COERCE);
            assert_non_null(strstr(got.message, "column: C"));
            assert_null(strstr(got.message, table->in));
        }
        fixture_fini(&f);
    }
}

static void booleans_are_true_or_else_false(void **state)
{
    static const struct parsing table[] = { { "true", "true" },   { "TRUE", "true" },
                                            { "false", "false" }, { "yes", "false" },
                                            { " true", "false" }, { 0 } };

    check_parsing(type_scalar(T_BOOLEAN), table);
}

static void integers_are_strict(void **state)
{
    static const struct parsing narrow[] = {
        { "42", "42" },
        { "-42", "-42" },
        { "+42", "42" },
        { "007", "7" },
        { "2147483647", "2147483647" },
        { "2147483648", NULL },
        { " 42", NULL },
        { "4.2", NULL },
        { "42 ", NULL },
        { "x42", NULL },
        { 0 },
    };
    static const struct parsing wide[] = {
        { "9223372036854775807", "9223372036854775807" },
        { "9223372036854775808", NULL },
        { "1e3", NULL },
        { 0 },
    };

    check_parsing(type_scalar(T_INTEGER), narrow);
    check_parsing(type_scalar(T_BIGINT), wide);
    check_parsing(type_scalar(T_TIMESTAMP), wide);
}

static void doubles_are_what_java_parses(void **state)
{
    static const struct parsing table[] = { { "1.5", "1.5" },     { " 1e3 ", "1000.0" },
                                            { "NaN", "\"NaN\"" }, { "0x1p3", "8.0" },
                                            { "2d", "2.0" },      { "1.5x", NULL },
                                            { "two", NULL },      { 0 } };

    check_parsing(type_scalar(T_DOUBLE), table);
}

static void decimals_fit_without_rounding(void **state)
{
    static const struct parsing table[] = { { "12.34", "12.34" },
                                            { "1.2e1", "12.00" },
                                            { "-.5", "-0.50" },
                                            { "12.345", NULL },
                                            { "10000", NULL },
                                            { "abc", NULL },
                                            { 0 } };
    struct fixture f;

    fixture_init(&f, "DELIMITED");
    check_parsing(fixture_decimal(&f, 6, 2), table);
    fixture_fini(&f);
}

static void times_and_bytes_have_their_ranges(void **state)
{
    static const struct parsing time[] = {
        { "0", "0" }, { "86400000", "86400000" }, { "86400001", NULL }, { "-1", NULL }, { 0 }
    };
    static const struct parsing date[] = {
        { "-1", "-1" }, { "2147483647", "2147483647" }, { "2147483648", NULL }, { 0 }
    };
    static const struct parsing bytes[] = { { "AQI=", "\"AQI=\"" },
                                            { "AQI", "\"AQI=\"" },
                                            { "AQ", "\"AQ==\"" },
                                            { "A", NULL },
                                            { "AQ I=", NULL },
                                            { "A-==", NULL },
                                            { 0 } };

    check_parsing(type_scalar(T_TIME), time);
    check_parsing(type_scalar(T_DATE), date);
    check_parsing(type_scalar(T_BYTES), bytes);
}

static void nested_types_are_refused(void **state)
{
    struct fixture f;
    struct error err;

    fixture_init(&f, "DELIMITED");
    fixture_column(&f, "K", fixture_struct(&f, type_scalar(T_DOUBLE), NULL));
    assert_int_equal(format_check_columns(f.kind, f.columns, 1, SIDE_KEY, &err), ERR_FORMAT_SCHEMA);
    assert_non_null(
        strstr(err.message, "The 'DELIMITED' format does not support type 'STRUCT', column: K"));
    fixture_fini(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_column_is_quoted_unless_it_begins_with_letter_or_digit),
        cmocka_unit_test(other_columns_are_quoted_from_their_first_character),
        cmocka_unit_test(special_characters_anywhere_are_quoted),
        cmocka_unit_test(nulls_are_written_as_nothing),
        cmocka_unit_test(delimiters_are_one_character_or_a_word),
        cmocka_unit_test(scalars_are_written_as_java_prints_them),
        cmocka_unit_test(single_null_column_is_no_bytes_but_no_null),
        cmocka_unit_test(fields_are_split_at_the_delimiter),
        cmocka_unit_test(empty_fields_are_null_even_in_quotes),
        cmocka_unit_test(quoted_fields_hold_anything),
        cmocka_unit_test(damaged_quotes_are_refused),
        cmocka_unit_test(first_record_counts_and_blank_lines_do_not),
        cmocka_unit_test(count_of_fields_must_be_that_of_columns),
        cmocka_unit_test(booleans_are_true_or_else_false),
        cmocka_unit_test(integers_are_strict),
        cmocka_unit_test(doubles_are_what_java_parses),
        cmocka_unit_test(decimals_fit_without_rounding),
        cmocka_unit_test(times_and_bytes_have_their_ranges),
        cmocka_unit_test(nested_types_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
