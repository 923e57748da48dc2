/*
 * test_format_json_differential.c: our scanner and jansson say the same of random
 * documents, whole and damaged: whether they are JSON, and what is in them.
 *
 * Where they are meant to differ: jansson refuses integers of more than 64 bits,
 * numbers beyond the range of a double, lone surrogates and NUL in names; we take
 * them, as Jackson does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "tests/unit/format_fixture.h"

enum { DOCUMENT_COUNT = 4000, DAMAGE_PER_DOCUMENT = 6 };

/* --- random documents --- */

static void add_value(struct buffer *out, uint32_t *seed, int depth);

static void add_space(struct buffer *out, uint32_t *seed)
{
    static const char *const spaces[] = { "", "", "", "", " ", "\n", "\t ", "\r\n" };

    buffer_append_text(out, spaces[fixture_random(seed, 8)]);
}

static void add_number(struct buffer *out, uint32_t *seed)
{
    buffer_append_text(out, fixture_random(seed, 3) ? "" : "-");
    if (fixture_random(seed, 4) == 0) {
        buffer_append_char(out, '0');
    } else {
        buffer_append_char(out, (char)('1' + fixture_random(seed, 9)));
        for (uint32_t i = fixture_random(seed, 18); i > 0; i--) {
            buffer_append_char(out, (char)('0' + fixture_random(seed, 10)));
        }
    }
    if (fixture_random(seed, 3) == 0) {
        buffer_append_char(out, '.');
        for (uint32_t i = fixture_random(seed, 12) + 1; i > 0; i--) {
            buffer_append_char(out, (char)('0' + fixture_random(seed, 10)));
        }
    }
    if (fixture_random(seed, 5) == 0) {
        static const char *const exponents[] = { "e1", "E-7", "e+20", "e-300", "E007" };

        buffer_append_text(out, exponents[fixture_random(seed, 5)]);
    }
}

static void add_string(struct buffer *out, uint32_t *seed)
{
    static const char *const parts[] = { "a",
                                         "id",
                                         "some plain text of some length",
                                         "\\n",
                                         "\\\"",
                                         "\\\\",
                                         "\\u0041",
                                         "\\ud83d\\ude00",
                                         "\\/",
                                         "\xc3\xa9",
                                         "\xf0\x9f\x98\x80",
                                         "\xe2\x82\xac",
                                         " ",
                                         "{",
                                         "]",
                                         "\\u001f",
                                         "\x7f",
                                         "," };

    buffer_append_char(out, '"');
    for (uint32_t i = fixture_random(seed, 6); i > 0; i--) {
        buffer_append_text(out, parts[fixture_random(seed, sizeof parts / sizeof *parts)]);
    }
    buffer_append_char(out, '"');
}

static void add_members(struct buffer *out, uint32_t *seed, int depth, bool object)
{
    uint32_t count = fixture_random(seed, 5);

    buffer_append_char(out, object ? '{' : '[');
    for (uint32_t i = 0; i < count; i++) {
        buffer_append_text(out, i ? "," : "");
        add_space(out, seed);
        if (object) {
            add_string(out, seed);
            add_space(out, seed);
            buffer_append_char(out, ':');
        }
        add_value(out, seed, depth - 1);
    }
    add_space(out, seed);
    buffer_append_char(out, object ? '}' : ']');
}

static void add_value(struct buffer *out, uint32_t *seed, int depth)
{
    static const char *const words[] = { "true", "false", "null" };
    uint32_t kind = fixture_random(seed, depth > 0 ? 6 : 4);

    add_space(out, seed);
    if (kind >= 4) {
        add_members(out, seed, depth, kind == 4);
    } else if (kind == 3) {
        buffer_append_text(out, words[fixture_random(seed, 3)]);
    } else if (kind == 2) {
        add_string(out, seed);
    } else {
        add_number(out, seed);
    }
    add_space(out, seed);
}

/* --- comparing --- */

static bool same_value(const json_t *a, const json_t *b);

static bool same_members(const json_t *a, const json_t *b)
{
    void *at = json_object_iter((json_t *)(uintptr_t)a);

    if (json_object_size(a) != json_object_size(b)) {
        return false;
    }
    for (; at; at = json_object_iter_next((json_t *)(uintptr_t)a, at)) {
        const json_t *other = json_object_get(b, json_object_iter_key(at));

        if (!other || !same_value(json_object_iter_value(at), other)) {
            return false;
        }
    }
    return true;
}

static bool same_value(const json_t *a, const json_t *b)
{
    if (json_is_number(a) && json_is_number(b)) {
        return json_number_value(a) == json_number_value(b);
    }
    if (json_typeof(a) != json_typeof(b)) {
        return false;
    }
    if (json_is_object(a)) {
        return same_members(a, b);
    }
    if (json_is_array(a)) {
        for (size_t i = 0; i < json_array_size(a) && i < json_array_size(b); i++) {
            if (!same_value(json_array_get(a, i), json_array_get(b, i))) {
                return false;
            }
        }
        return json_array_size(a) == json_array_size(b);
    }
    return json_equal(a, b) != 0;
}

static json_t *load(struct bytes text, size_t flags, json_error_t *error)
{
    return json_loadb(text.data, text.len, JSON_DISABLE_EOF_CHECK | JSON_ALLOW_NUL | flags, error);
}

static bool holds(struct bytes text, const char *part)
{
    for (size_t i = 0; i + strlen(part) <= text.len; i++) {
        if (memcmp(text.data + i, part, strlen(part)) == 0) {
            return true;
        }
    }
    return false;
}

static bool may_differ(struct bytes text, const json_error_t *error)
{
    return json_error_code(error) == json_error_numeric_overflow ||
           json_error_code(error) == json_error_null_byte_in_key || holds(text, "\\ud") ||
           holds(text, "\\uD");
}

/* The document as a bare STRING takes anything that is JSON; an object keeps its form. */
static void compare_with_jansson(struct fixture *f, struct bytes text)
{
    json_error_t error;
    json_t *want = load(text, 0, &error);
    struct reading got = fixture_read_bytes(f, text);
    json_t *have;

    if (!want) {
        if (got.code != ERR_DECODE) {
            if (got.code || !may_differ(text, &error)) {
                print_message("%s: %.*s\n", error.text, BYTES_ARG(text));
            }
            assert_int_equal(got.code, 0);
            assert_true(may_differ(text, &error));
        }
        return;
    }
    assert_int_equal(got.code, 0);
    if (json_is_object(want)) {
        /* 1.5e20 comes out as an integer of more than 64 bits. */
        have = load(value_bytes(&got.cells[0]), JSON_DECODE_INT_AS_REAL, &error);
        if (!have) {
            print_message("%s: %.*s\n", error.text, BYTES_ARG(value_bytes(&got.cells[0])));
        }
        assert_non_null(have);
        assert_true(same_value(want, have));
        json_decref(have);
    }
    json_decref(want);
}

static void scanner_agrees_with_jansson(void **state)
{
    uint32_t seed = 1;
    struct buffer text = { 0 };
    struct fixture f;

    fixture_init(&f, "JSON");
    f.options.unwrapped = true;
    fixture_column(&f, "A", type_scalar(T_STRING));
    for (int i = 0; i < DOCUMENT_COUNT; i++) {
        text.len = 0;
        add_members(&text, &seed, 4, i % 4 != 0);
        compare_with_jansson(&f, buffer_bytes(&text));
        for (int j = 0; j < DAMAGE_PER_DOCUMENT; j++) {
            size_t place = 1 + fixture_random(&seed, (uint32_t)text.len - 1); /* not the root */
            char before = text.data[place];

            text.data[place] = "\"{}[],:0eE.-\\ x\x01\xc3t"[fixture_random(&seed, 18)];
            compare_with_jansson(&f, buffer_bytes(&text));
            text.data[place] = before;
        }
        arena_reset(&f.arena);
    }
    buffer_fini(&text);
    fixture_fini(&f);
}

/* An object of random members, some of them columns. */
static void add_row(struct buffer *out, uint32_t *seed)
{
    static const char *const names[] = { "L", "D", "S", "X", "Y" };

    buffer_append_char(out, '{');
    for (uint32_t j = fixture_random(seed, 8); j > 0; j--) {
        uint32_t which = fixture_random(seed, 5);

        buffer_printf(out, "\"%s\":", names[which]);
        if (which >= 3) {
            add_value(out, seed, 2);
        } else if (which == 2) {
            add_string(out, seed);
        } else {
            add_number(out, seed);
        }
        buffer_append_char(out, ',');
    }
    buffer_append_text(out, "\"Z\":0}");
}

static void compare_columns(const struct value *cells, const json_t *want)
{
    const json_t *bigint = json_object_get(want, "L");
    const json_t *real = json_object_get(want, "D");
    const json_t *text = json_object_get(want, "S");

    assert_true(value_is_null(&cells[0]) == !bigint);
    assert_true(value_is_null(&cells[1]) == !real);
    assert_true(value_is_null(&cells[2]) == !text);
    if (json_is_integer(bigint)) {
        assert_int_equal(cells[0].i64, json_integer_value(bigint));
    }
    if (real) {
        assert_true(cells[1].f64 == json_number_value(real));
    }
    if (text) {
        assert_int_equal(cells[2].size, json_string_length(text));
        assert_memory_equal(cells[2].bytes, json_string_value(text), cells[2].size);
    }
}

static void columns_agree_with_jansson(void **state)
{
    uint32_t seed = 5;
    struct buffer text = { 0 };
    struct fixture f;

    fixture_init(&f, "JSON");
    fixture_column(&f, "L", type_scalar(T_BIGINT));
    fixture_column(&f, "D", type_scalar(T_DOUBLE));
    fixture_column(&f, "S", type_scalar(T_STRING));
    for (int i = 0; i < DOCUMENT_COUNT; i++) {
        json_error_t error;
        struct reading got;
        json_t *want;

        text.len = 0;
        add_row(&text, &seed);
        want = load(buffer_bytes(&text), 0, &error);
        if (!want) {
            assert_int_equal(json_error_code(&error), json_error_numeric_overflow);
            continue;
        }
        got = fixture_read_bytes(&f, buffer_bytes(&text));
        assert_int_equal(got.code, 0);
        compare_columns(got.cells, want);
        json_decref(want);
        arena_reset(&f.arena);
    }
    buffer_fini(&text);
    fixture_fini(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scanner_agrees_with_jansson),
        cmocka_unit_test(columns_agree_with_jansson),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
