/*
 * test_format_kafka.c: one column as Kafka's own serializers write it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/format_fixture.h"

static void setup_kafka(struct fixture *f, enum type_id type)
{
    fixture_init(f, "kafka");
    fixture_column(f, "K", type_scalar(type));
}

static void check_bytes(enum type_id type, struct value v, const char *bytes, size_t len)
{
    struct fixture f;
    struct writing written;
    struct reading got;

    setup_kafka(&f, type);
    written = fixture_write(&f, &v);
    assert_false(written.is_null);
    assert_int_equal(written.len, len);
    assert_memory_equal(written.text, bytes, len);
    got = fixture_read_bytes(&f, (struct bytes){ bytes, len });
    assert_int_equal(got.code, 0);
    assert_int_equal(got.cells[0].kind, type);
    if (type == T_STRING || type == T_BYTES) {
        assert_int_equal(got.cells[0].size, v.size);
        assert_memory_equal(got.cells[0].bytes, v.bytes, v.size);
    } else {
        assert_int_equal(got.cells[0].i64, v.i64);
    }
    fixture_fini(&f);
}

static void numbers_are_big_endian_at_full_width(void **state)
{
    check_bytes(T_INTEGER, value_i64(T_INTEGER, 42), "\0\0\0\x2a", 4);
    check_bytes(T_INTEGER, value_i64(T_INTEGER, -2), "\xff\xff\xff\xfe", 4);
    check_bytes(T_BIGINT, value_i64(T_BIGINT, 42), "\0\0\0\0\0\0\0\x2a", 8);
    check_bytes(T_BIGINT, value_i64(T_BIGINT, INT64_MIN), "\x80\0\0\0\0\0\0\0", 8);
    check_bytes(T_DOUBLE, value_f64(1.5), "\x3f\xf8\0\0\0\0\0\0", 8);
}

static void text_and_bytes_are_as_they_are(void **state)
{
    check_bytes(T_STRING, text_value("alice"), "alice", 5);
    check_bytes(T_STRING, text_value(""), "", 0);
    check_bytes(T_STRING, text_value("\xc3\xa9"), "\xc3\xa9", 2);
    check_bytes(T_BYTES, value_text(T_BYTES, (struct bytes){ "\xff\0\x01", 3 }), "\xff\0\x01", 3);
}

static void null_is_written_as_no_bytes(void **state)
{
    struct value null = value_null();
    struct fixture f;

    setup_kafka(&f, T_STRING);
    assert_true(fixture_write(&f, &null).is_null);
    fixture_fini(&f);
}

static void numbers_of_another_width_are_refused(void **state)
{
    static const enum type_id types[] = { T_INTEGER, T_BIGINT, T_DOUBLE };

    for (size_t i = 0; i < 3; i++) {
        struct fixture f;

        setup_kafka(&f, types[i]);
        for (size_t len = 0; len < 20; len++) {
            size_t want = types[i] == T_INTEGER ? 4 : 8;
            int code = fixture_read_bytes(&f, (struct bytes){ "01234567890123456789", len }).code;

            assert_int_equal(code, len == want ? 0 : ERR_DECODE);
        }
        fixture_fini(&f);
    }
}

/* The expectations are what new String(bytes, UTF_8) gives. */
static void malformed_text_is_replaced_as_java_does(void **state)
{
    static const struct {
        const char *in;
        const char *out; /* '?' stands for U+FFFD */
    } table[] = {
        { "a\xff", "a?" },
        { "\xc3", "?" },
        { "\xc3(", "?(" },
        { "\xc0\x80", "??" },
        { "\xe2\x82", "?" },
        { "\xe2\x82x", "?x" },
        { "\xe2(\xa1", "?(?" },
        { "\xe0\x80\x80", "???" },
        { "\xed\xa0\x80", "?" },
        { "\xed\xa0\x80\xed\xb0\x80", "??" },
        { "\xf0\x9f\x98", "?" },
        { "\xf0\x9f\x98x", "?x" },
        { "\xf0\x9fx", "?x" },
        { "\xf0\x80\x80\x80", "????" },
        { "\xf4\x90\x80\x80", "????" },
        { "\xf5\x80", "??" },
        { "\x80\x80", "??" },
        { "\xf0\x9f\x98\x80\xff", "\xf0\x9f\x98\x80?" },
    };

    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct buffer want = { 0 };
        struct fixture f;
        struct reading got;

        for (const char *at = table[i].out; *at; at++) {
            if (*at == '?') {
                buffer_append_text(&want, "\xef\xbf\xbd");
            } else {
                buffer_append_char(&want, *at);
            }
        }
        setup_kafka(&f, T_STRING);
        got = fixture_read(&f, table[i].in);
        assert_int_equal(got.code, 0);
        assert_int_equal(got.cells[0].size, want.len);
        assert_memory_equal(got.cells[0].bytes, want.data, want.len);
        fixture_fini(&f);
        buffer_fini(&want);
    }
}

static void only_one_column_of_five_types_is_supported(void **state)
{
    struct fixture f;
    struct error err;

    setup_kafka(&f, T_STRING);
    for (enum type_id id = T_BOOLEAN; id <= T_TIMESTAMP; id++) {
        bool fits =
            id == T_INTEGER || id == T_BIGINT || id == T_DOUBLE || id == T_STRING || id == T_BYTES;
        int code;

        f.columns[0].type = id == T_DECIMAL ? fixture_decimal(&f, 4, 2) : type_scalar(id);
        code = format_check_columns(f.kind, f.columns, 1, SIDE_KEY, &err);
        assert_int_equal(code, fits ? 0 : ERR_FORMAT_SCHEMA);
    }
    f.columns[0].type = fixture_array(&f, type_scalar(T_STRING));
    assert_int_equal(format_check_columns(f.kind, f.columns, 1, SIDE_KEY, &err), ERR_FORMAT_SCHEMA);
    assert_non_null(strstr(err.message, "The 'KAFKA' format does not support type 'ARRAY'"));
    assert_non_null(strstr(err.message, "Key format"));
    assert_int_equal(format_check_columns(f.kind, f.columns, 0, SIDE_VALUE, &err),
                     ERR_FORMAT_SCHEMA);
    f.columns[0].type = type_scalar(T_STRING);
    fixture_column(&f, "L", type_scalar(T_INTEGER));
    assert_int_equal(format_check_columns(f.kind, f.columns, 2, SIDE_VALUE, &err),
                     ERR_FORMAT_SCHEMA);
    assert_non_null(strstr(err.message, "The 'KAFKA' format only supports a single field. Got: "
                                        "[`K` STRING, `L` INTEGER]"));
    fixture_fini(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_big_endian_at_full_width),
        cmocka_unit_test(text_and_bytes_are_as_they_are),
        cmocka_unit_test(null_is_written_as_no_bytes),
        cmocka_unit_test(numbers_of_another_width_are_refused),
        cmocka_unit_test(malformed_text_is_replaced_as_java_does),
        cmocka_unit_test(only_one_column_of_five_types_is_supported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
