/*
 * test_type_cast.c: CAST between types, the text of values, and what widens unasked.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "engine/type/cast.h"
#include "engine/type/compare.h"
#include "engine/type/decimal.h"
#include "tests/unit/type_random.h"

static struct arena arena;

static int make_arena(void **state)
{
    arena_init(&arena, 0);
    return 0;
}

static int end_arena(void **state)
{
    arena_fini(&arena);
    return 0;
}

static const struct sql_type *dec(uint32_t precision, uint32_t scale)
{
    return type_decimal(&arena, precision, scale);
}

static struct value text_of(const char *text)
{
    return value_text(T_STRING, bytes_of(text));
}

static struct value decimal_of(const char *text, const struct sql_type *type)
{
    struct decimal number;
    struct value v;

    assert_int_equal(decimal_parse(bytes_of(text), &number, NULL), 0);
    assert_int_equal(decimal_fit(number, type, &number, NULL), 0);
    decimal_to_value(number, type, &arena, &v);
    return v;
}

static int cast(struct value in, const struct sql_type *from, const struct sql_type *to,
                struct value *out)
{
    cast_function function = cast_find(from, to);

    assert_non_null(function);
    return function(&in, from, to, &arena, out, NULL);
}

/* Casts and compares the text of the result; NULL: the cast fails with that code. */
static void check_cast(struct value in, const struct sql_type *from, const struct sql_type *to,
                       const char *expected)
{
    struct buffer text = { 0 };
    struct value out;

    assert_int_equal(cast(in, from, to, &out), 0);
    assert_int_equal(out.kind, to->id);
    cast_print(&out, to, &text);
    assert_int_equal(text.len, strlen(expected));
    assert_memory_equal(text.data, expected, text.len);
    buffer_fini(&text);
}

static void check_fails(struct value in, const struct sql_type *from, const struct sql_type *to,
                        int code)
{
    struct value out = value_i64(T_TIME, 12);

    assert_int_equal(cast(in, from, to, &out), code);
    assert_true(out.kind == T_TIME && out.i64 == 12);
}

static void exactly_the_listed_casts_exist(void **state)
{
    static const char *const targets[T_COUNT] = {
        [T_BOOLEAN] = "s",   [T_INTEGER] = "lcds",     [T_BIGINT] = "icds", [T_DECIMAL] = "ilcds",
        [T_DOUBLE] = "ilcs", [T_STRING] = "bilcdtDTB", [T_ARRAY] = "as",    [T_MAP] = "ms",
        [T_STRUCT] = "rs",   [T_TIMESTAMP] = "DTs",    [T_DATE] = "ts",     [T_TIME] = "s",
        [T_BYTES] = "",
    };
    static const char letters[T_COUNT] = {
        [T_BOOLEAN] = 'b',   [T_INTEGER] = 'i', [T_BIGINT] = 'l', [T_DECIMAL] = 'c',
        [T_DOUBLE] = 'd',    [T_STRING] = 's',  [T_ARRAY] = 'a',  [T_MAP] = 'm',
        [T_STRUCT] = 'r',    [T_DATE] = 'D',    [T_TIME] = 'T',   [T_BYTES] = 'B',
        [T_TIMESTAMP] = 't',
    };
    const struct sql_type *integer = type_scalar(T_INTEGER);

    for (int from = 1; from < T_COUNT; from++) {
        for (int to = 1; to < T_COUNT; to++) {
            struct sql_type a = { .id = (enum type_id)from, .key = integer, .element = integer };
            struct sql_type b = { .id = (enum type_id)to, .key = integer, .element = integer };
            bool exists = from == to || strchr(targets[from], letters[to]);

            assert_int_equal(cast_find(&a, &b) != NULL, exists);
        }
        assert_non_null(cast_find(type_scalar(T_NULL), type_scalar((enum type_id)from)));
    }
}

static void containers_cast_when_their_parts_do(void **state)
{
    struct sql_field date = { BYTES("A"), type_scalar(T_DATE) };
    struct sql_field time = { BYTES("A"), type_scalar(T_TIME) };
    struct sql_field other = { BYTES("a"), type_scalar(T_TIME) };
    const struct sql_type *dates = type_array(&arena, date.type);
    const struct sql_type *times = type_array(&arena, time.type);

    assert_null(cast_find(dates, times));
    assert_null(cast_find(type_map(&arena, date.type, dates), type_map(&arena, time.type, dates)));
    assert_null(cast_find(type_map(&arena, date.type, dates), type_map(&arena, date.type, times)));
    assert_null(cast_find(type_struct(&arena, &date, 1), type_struct(&arena, &time, 1)));
    assert_non_null(cast_find(type_struct(&arena, &date, 1), type_struct(&arena, &other, 1)));
    assert_non_null(cast_find(dates, type_array(&arena, type_scalar(T_STRING))));
}

static void whole_numbers_wrap_and_widen(void **state)
{
    const struct sql_type *integer = type_scalar(T_INTEGER);
    const struct sql_type *bigint = type_scalar(T_BIGINT);

    check_cast(value_i64(T_INTEGER, -5), integer, bigint, "-5");
    check_cast(value_i64(T_BIGINT, 2147483648), bigint, integer, "-2147483648");
    check_cast(value_i64(T_BIGINT, 4294967301), bigint, integer, "5");
    check_cast(value_i64(T_BIGINT, 9007199254740993), bigint, type_scalar(T_DOUBLE),
               "9.007199254740992E15");
    check_cast(value_i64(T_INTEGER, 1), integer, dec(2, 1), "1.0");
    check_cast(value_i64(T_BIGINT, INT64_MIN), bigint, dec(21, 2), "-9223372036854775808.00");
    check_fails(value_i64(T_INTEGER, 10), integer, dec(2, 1), ERR_OVERFLOW);
    check_cast(value_i64(T_BIGINT, INT64_MIN), bigint, type_scalar(T_STRING),
               "-9223372036854775808");
    check_cast(value_i64(T_BOOLEAN, 1), type_scalar(T_BOOLEAN), type_scalar(T_STRING), "true");
    check_cast(value_i64(T_BOOLEAN, 0), type_scalar(T_BOOLEAN), type_scalar(T_STRING), "false");
}

static void decimals_truncate_to_whole_numbers(void **state)
{
    const struct sql_type *type = dec(30, 2);

    check_cast(decimal_of("-1.99", type), type, type_scalar(T_INTEGER), "-1");
    check_cast(decimal_of("4294967297.5", type), type, type_scalar(T_INTEGER), "1");
    check_cast(decimal_of("18446744073709551618", type), type, type_scalar(T_BIGINT), "2");
    check_cast(decimal_of("0.1", type), type, type_scalar(T_DOUBLE), "0.1");
    check_cast(decimal_of("10", type), type, type_scalar(T_STRING), "10.00");
    check_cast(decimal_of("9.99", type), type, dec(2, 1), "10.0");
    check_fails(decimal_of("10", type), type, dec(2, 1), ERR_OVERFLOW);
}

static void doubles_saturate(void **state)
{
    const struct sql_type *type = type_scalar(T_DOUBLE);

    check_cast(value_f64(1e300), type, type_scalar(T_BIGINT), "9223372036854775807");
    check_cast(value_f64(-1e300), type, type_scalar(T_INTEGER), "-2147483648");
    check_cast(value_f64((double)NAN), type, type_scalar(T_INTEGER), "0");
    check_cast(value_f64(-1.9), type, type_scalar(T_BIGINT), "-1");
    check_cast(value_f64(2.675), type, dec(10, 2), "2.68");
    check_cast(value_f64(1.255), type, dec(3, 2), "1.25");
    check_cast(value_f64(1e7), type, type_scalar(T_STRING), "1.0E7");
    check_fails(value_f64(HUGE_VAL), type, dec(3, 2), ERR_OVERFLOW);
    check_fails(value_f64(10), type, dec(2, 1), ERR_OVERFLOW);
}

static void text_is_trimmed_and_read_strictly(void **state)
{
    static const struct {
        const char *text;
        enum type_id to;
        const char *result; /* NULL: refused */
    } cases[] = {
        { " T ", T_BOOLEAN, "true" },
        { "yE", T_BOOLEAN, "true" },
        { "true", T_BOOLEAN, "true" },
        { "", T_BOOLEAN, "false" },
        { "truex", T_BOOLEAN, "false" },
        { "on", T_BOOLEAN, "false" },
        { "\t+12\n", T_INTEGER, "12" },
        { "2147483648", T_INTEGER, NULL },
        { "5.0", T_INTEGER, NULL },
        { "", T_BIGINT, NULL },
        { "2147483648", T_BIGINT, "2147483648" },
        { "1e3", T_DOUBLE, "1000.0" },
        { "0x1p3d", T_DOUBLE, "8.0" },
        { "NaN", T_DOUBLE, NULL },
        { "1e400", T_DOUBLE, NULL },
        { "2020-05", T_DATE, "2020-05-01" },
        { "2020-02-30", T_DATE, NULL },
        { "13:05:09.5", T_TIME, "13:05:09" },
        { "24:00", T_TIME, NULL },
        { " 2020-02-31T2+02 ", T_TIMESTAMP, "2020-02-29T18:00:00.000" },
        { "yesterday", T_TIMESTAMP, NULL },
        { "aGk=", T_BYTES, "aGk=" },
        { "aGk", T_BYTES, "aGk=" },
        { "", T_BYTES, "" },
        { "a", T_BYTES, NULL },
        { "a Gk=", T_BYTES, NULL },
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct sql_type *to = type_scalar(cases[i].to);

        if (cases[i].result) {
            check_cast(text_of(cases[i].text), type_scalar(T_STRING), to, cases[i].result);
        } else {
            check_fails(text_of(cases[i].text), type_scalar(T_STRING), to, ERR_COERCE);
        }
    }
    check_cast(text_of(" 1.1 "), type_scalar(T_STRING), dec(2, 1), "1.1");
    check_cast(text_of("1e-1"), type_scalar(T_STRING), dec(2, 1), "0.1");
    check_fails(text_of("1d"), type_scalar(T_STRING), dec(2, 1), ERR_COERCE);
    check_fails(text_of("10"), type_scalar(T_STRING), dec(2, 1), ERR_OVERFLOW);
}

static void errors_name_the_text_and_the_type(void **state)
{
    struct value text = text_of("ééééééééééééééééééééééééééééééééééééééé");
    struct error err = { 0 };
    struct value out;

    assert_int_equal(cast_find(type_scalar(T_STRING), type_scalar(T_DATE))(
                         &text, type_scalar(T_STRING), type_scalar(T_DATE), &arena, &out, &err),
                     ERR_COERCE);
    assert_non_null(
        strstr(err.message, "Cannot cast 'éééééééééééééééééééééééééééééé...' to DATE: "));
}

static void exact_booleans_are_prefixes_of_four_words(void **state)
{
    bool found = false;

    assert_int_equal(cast_parse_boolean(bytes_of(" YES"), &found, NULL), 0);
    assert_true(found);
    assert_int_equal(cast_parse_boolean(bytes_of("n"), &found, NULL), 0);
    assert_false(found);
    assert_int_equal(cast_parse_boolean(bytes_of("off"), &found, NULL), ERR_COERCE);
    assert_int_equal(cast_parse_boolean(bytes_of(""), &found, NULL), ERR_COERCE);
}

static void timestamps_split_at_utc_midnight(void **state)
{
    const struct sql_type *type = type_scalar(T_TIMESTAMP);

    check_cast(value_i64(T_TIMESTAMP, -2000), type, type_scalar(T_DATE), "1969-12-31");
    check_cast(value_i64(T_TIMESTAMP, -2000), type, type_scalar(T_TIME), "23:59:58");
    check_cast(value_i64(T_DATE, -1), type_scalar(T_DATE), type, "1969-12-31T00:00:00.000");
    check_fails(value_i64(T_DATE, INT64_MAX / 1000), type_scalar(T_DATE), type, ERR_OVERFLOW);
}

/* [null, 1] as ARRAY<INTEGER> */
static struct value example_array(void)
{
    struct value *items = arena_array(&arena, struct value, 2);

    items[1] = value_i64(T_INTEGER, 1);
    return (struct value){ .kind = T_ARRAY, .size = 2, .items = items };
}

static void arrays_cast_item_by_item(void **state)
{
    const struct sql_type *integers = type_array(&arena, type_scalar(T_INTEGER));
    const struct sql_type *texts = type_array(&arena, type_scalar(T_STRING));
    struct value strings[] = { text_of("1"), text_of("x") };
    struct value array = { .kind = T_ARRAY, .size = 2, .items = strings };

    check_cast(example_array(), integers, type_array(&arena, type_scalar(T_DOUBLE)), "[null, 1.0]");
    check_cast(example_array(), integers, type_scalar(T_STRING), "[null, 1]");
    check_fails(array, texts, integers, ERR_COERCE);
}

static void maps_cast_keys_and_values(void **state)
{
    const struct sql_type *from = type_map(&arena, type_scalar(T_STRING), type_scalar(T_BIGINT));
    struct map_pair pairs[] = { { text_of("1"), value_i64(T_BIGINT, 2147483648) },
                                { text_of("2"), value_null() },
                                { text_of("+1"), value_i64(T_BIGINT, 7) },
                                { value_null(), value_i64(T_BIGINT, 8) } };
    struct value map = { .kind = T_MAP, .size = 4, .pairs = pairs };

    check_cast(map, from, type_map(&arena, type_scalar(T_STRING), type_scalar(T_INTEGER)),
               "{1=-2147483648, 2=null, +1=7, null=8}");
    check_cast(map, from, type_map(&arena, type_scalar(T_INTEGER), type_scalar(T_STRING)),
               "{1=7, 2=null, null=8}"); /* keys that became equal: the last wins */
    check_cast(map, from, type_scalar(T_STRING), "{1=2147483648, 2=null, +1=7, null=8}");
}

static void structs_cast_by_field_name(void **state)
{
    struct sql_field from_fields[] = { { BYTES("F0"), type_scalar(T_BIGINT) },
                                       { BYTES("f1"), type_scalar(T_BIGINT) } };
    struct sql_field to_fields[] = { { BYTES("f1"), type_scalar(T_STRING) },
                                     { BYTES("F3"), type_scalar(T_STRING) },
                                     { BYTES("F0"), type_scalar(T_INTEGER) } };
    const struct sql_type *from = type_struct(&arena, from_fields, 2);
    struct value items[] = { value_i64(T_BIGINT, 1), value_i64(T_BIGINT, 3) };
    struct value row = { .kind = T_STRUCT, .size = 2, .items = items };

    check_cast(row, from, type_struct(&arena, to_fields, 3), "Struct{f1=3,F0=1}");
    check_cast(row, from, type_struct(&arena, to_fields, 0), "Struct{}");
    check_cast(row, from, type_scalar(T_STRING), "Struct{F0=1,f1=3}");
}

static void nested_decimals_print_as_big_decimal(void **state)
{
    const struct sql_type *type = dec(10, 9);
    struct value item = decimal_of("0.000000001", type);
    struct value array = { .kind = T_ARRAY, .size = 1, .items = &item };

    check_cast(item, type, type_scalar(T_STRING), "0.000000001");
    check_cast(array, type_array(&arena, type), type_scalar(T_STRING), "[1E-9]");
}

static void every_value_casts_to_its_printed_text(void **state)
{
    uint64_t seed = 31;

    for (int i = 0; i < 5000; i++) {
        const struct sql_type *type = random_type(&seed, &arena, 3);
        struct value v = random_value(&seed, &arena, type);
        struct buffer text = { 0 };

        cast_print(&v, type, &text);
        if (value_is_null(&v)) {
            assert_true(bytes_equal_text(buffer_bytes(&text), "null"));
        } else if (type->id != T_BYTES) {
            struct value out;

            assert_int_equal(cast(v, type, type_scalar(T_STRING), &out), 0);
            assert_true(bytes_equal(buffer_bytes(&text), value_bytes(&out)));
        }
        buffer_fini(&text);
        arena_reset(&arena);
    }
}

/* What prints reads back as the same value, for the types whose text holds all of it. */
static void text_casts_back(void **state)
{
    const struct sql_type *types[] = { type_scalar(T_BOOLEAN),
                                       type_scalar(T_INTEGER),
                                       type_scalar(T_BIGINT),
                                       type_scalar(T_DOUBLE),
                                       type_scalar(T_DATE),
                                       dec(17, 5),
                                       dec(38, 20) };
    uint64_t seed = 32;

    for (int i = 0; i < 20000; i++) {
        const struct sql_type *type = types[i % 7];
        struct value v = random_value(&seed, &arena, type);
        struct value text;
        struct value back;

        if (value_is_null(&v) || (v.kind == T_DOUBLE && !isfinite(v.f64))) {
            continue;
        }
        assert_int_equal(cast(v, type, type_scalar(T_STRING), &text), 0);
        assert_int_equal(cast(text, type_scalar(T_STRING), type, &back), 0);
        assert_true(compare_equal(&v, &back, type));
    }
}

static void numbers_widen_one_way(void **state)
{
    const struct sql_type *ladder[] = { type_scalar(T_INTEGER), type_scalar(T_BIGINT), dec(21, 2),
                                        type_scalar(T_DOUBLE) };

    for (int from = 0; from < 4; from++) {
        for (int to = 0; to < 4; to++) {
            assert_int_equal(cast_is_implicit(ladder[from], ladder[to]), from <= to);
        }
    }
    assert_false(cast_is_implicit(type_scalar(T_BIGINT), dec(20, 2)));
    assert_true(cast_is_implicit(dec(4, 2), dec(5, 3)));
    assert_false(cast_is_implicit(dec(4, 2), dec(4, 3)));
    assert_false(cast_is_implicit(dec(4, 2), dec(6, 1)));
}

static void text_widens_to_what_it_can_spell(void **state)
{
    const struct sql_type *text = type_scalar(T_STRING);

    assert_true(cast_is_implicit(text, type_scalar(T_TIME)));
    assert_true(cast_is_implicit(text, type_scalar(T_BYTES)));
    assert_false(cast_is_implicit(text, type_scalar(T_INTEGER)));
    assert_false(cast_is_implicit(type_scalar(T_DATE), text));
    assert_false(cast_is_implicit(type_scalar(T_DATE), type_scalar(T_TIMESTAMP)));
    assert_true(
        cast_is_implicit(type_array(&arena, text), type_array(&arena, type_scalar(T_DATE))));
    assert_false(cast_is_implicit(type_map(&arena, type_scalar(T_BIGINT), text),
                                  type_map(&arena, type_scalar(T_INTEGER), text)));
}

static void check_unified(const struct sql_type *a, const struct sql_type *b, const char *expected)
{
    const struct sql_type *type = cast_unify(&arena, a, b);
    struct buffer text = { 0 };

    if (expected) {
        assert_non_null(type);
        type_print(type, &text);
        assert_true(bytes_equal_text(buffer_bytes(&text), expected));
        buffer_fini(&text);
    } else {
        assert_null(type);
    }
}

static void unification_finds_the_common_type(void **state)
{
    const struct sql_type *integer = type_scalar(T_INTEGER);
    const struct sql_type *bigint = type_scalar(T_BIGINT);
    const struct sql_type *text = type_scalar(T_STRING);
    const struct sql_type *date = type_scalar(T_DATE);
    struct sql_field a[] = { { BYTES("A"), integer }, { BYTES("B"), text } };
    struct sql_field b[] = { { BYTES("C"), date }, { BYTES("A"), bigint } };

    check_unified(type_scalar(T_NULL), integer, "INTEGER");
    check_unified(integer, type_scalar(T_NULL), "INTEGER");
    check_unified(integer, bigint, "BIGINT");
    check_unified(bigint, integer, "BIGINT");
    check_unified(dec(2, 0), bigint, "DECIMAL(19, 0)");
    check_unified(dec(4, 2), dec(5, 1), "DECIMAL(6, 2)");
    check_unified(integer, dec(4, 2), "DECIMAL(12, 2)");
    check_unified(dec(4, 2), type_scalar(T_DOUBLE), "DOUBLE");
    check_unified(date, text, "DATE");
    check_unified(text, date, NULL);
    check_unified(integer, text, NULL);
    check_unified(date, type_scalar(T_TIMESTAMP), NULL);
    check_unified(type_array(&arena, integer), type_array(&arena, bigint), "ARRAY<BIGINT>");
    check_unified(type_array(&arena, integer), type_array(&arena, text), NULL);
    check_unified(type_map(&arena, text, integer), type_map(&arena, text, bigint),
                  "MAP<STRING, BIGINT>");
    check_unified(type_struct(&arena, a, 2), type_struct(&arena, b, 2),
                  "STRUCT<`A` BIGINT, `B` STRING, `C` DATE>");
    check_unified(type_struct(&arena, a, 2), type_array(&arena, text), NULL);
}

#define WITH_ARENA(test) cmocka_unit_test_setup_teardown(test, make_arena, end_arena)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_ARENA(exactly_the_listed_casts_exist),
        WITH_ARENA(containers_cast_when_their_parts_do),
        WITH_ARENA(whole_numbers_wrap_and_widen),
        WITH_ARENA(decimals_truncate_to_whole_numbers),
        WITH_ARENA(doubles_saturate),
        WITH_ARENA(text_is_trimmed_and_read_strictly),
        WITH_ARENA(errors_name_the_text_and_the_type),
        WITH_ARENA(exact_booleans_are_prefixes_of_four_words),
        WITH_ARENA(timestamps_split_at_utc_midnight),
        WITH_ARENA(arrays_cast_item_by_item),
        WITH_ARENA(maps_cast_keys_and_values),
        WITH_ARENA(structs_cast_by_field_name),
        WITH_ARENA(nested_decimals_print_as_big_decimal),
        WITH_ARENA(every_value_casts_to_its_printed_text),
        WITH_ARENA(text_casts_back),
        WITH_ARENA(numbers_widen_one_way),
        WITH_ARENA(text_widens_to_what_it_can_spell),
        WITH_ARENA(unification_finds_the_common_type),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
