/*
 * test_format_json_write.c: rows are written as Java would write them.
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
