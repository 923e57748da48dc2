/*
 * test_type_compare.c: order and equality of values.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "base/utf8.h"
#include "engine/type/compare.h"
#include "tests/unit/type_random.h"

static int make_arena(void **state)
{
    static struct arena arena;

    arena_init(&arena, 0);
    *state = &arena;
    return 0;
}

static int end_arena(void **state)
{
    arena_fini(*state);
    return 0;
}

/* The n-th UTF-16 code unit of well-formed text, -1 at its end. */
static int32_t utf16_unit(struct bytes text, size_t n)
{
    for (size_t at = 0; at < text.len;) {
        uint32_t c = 0;
        size_t len = utf8_decode(text, at, &c);

        if (n == 0) {
            return c < 0x10000 ? (int32_t)c : (int32_t)(0xd800 + ((c - 0x10000) >> 10));
        }
        if (n == 1 && c >= 0x10000) {
            return (int32_t)(0xdc00 + ((c - 0x10000) & 0x3ff));
        }
        n -= c < 0x10000 ? 1 : 2;
        at += len;
    }
    return -1;
}

static int utf16_compare(struct bytes a, struct bytes b)
{
    for (size_t n = 0;; n++) {
        int32_t left = utf16_unit(a, n);
        int32_t right = utf16_unit(b, n);

        if (left != right) {
            return left < right ? -1 : 1;
        }
        if (left < 0) {
            return 0;
        }
    }
}

static void text_orders_by_utf16_code_unit(void **state)
{
    const struct sql_type *type = type_scalar(T_STRING);
    struct arena *arena = *state;
    uint64_t seed = 3;

    assert_int_equal(compare_text(bytes_of("\xf0\x9f\x98\x80"), bytes_of("\xee\x80\x80")), -1);
    assert_int_equal(compare_text(bytes_of("\xf0\x9f\x98\x80"), bytes_of("\xed\x9f\xbf")), 1);
    for (int i = 0; i < 20000; i++) {
        struct value a = random_value(&seed, arena, type);
        struct value b = random_value(&seed, arena, type);

        assert_int_equal(compare_text(value_bytes(&a), value_bytes(&b)),
                         utf16_compare(value_bytes(&a), value_bytes(&b)));
        arena_reset(arena);
    }
}

static void text_orders_prefixes_first(void **state)
{
    assert_int_equal(compare_text(bytes_of(""), bytes_of("a")), -1);
    assert_int_equal(compare_text(bytes_of("abcdefghij"), bytes_of("abcdefghij")), 0);
    assert_int_equal(compare_text(bytes_of("abcdefghijk"), bytes_of("abcdefghij")), 1);
    assert_int_equal(compare_text(bytes_of("abcdefghX"), bytes_of("abcdefgha")), -1);
    assert_int_equal(compare_text(bytes_of("B"), bytes_of("a")), -1);
}

static void octets_are_signed(void **state)
{
    assert_int_equal(compare_octets(bytes_of("\x80"), bytes_of("\x7f")), -1);
    assert_int_equal(compare_octets(bytes_of("\xff"), bytes_of("\x80")), 1);
    assert_int_equal(compare_octets(bytes_of("a"), bytes_of("a\x80")), -1);
    assert_int_equal(compare_octets(bytes_of("abcdefgh\x01"), bytes_of("abcdefgh\x02")), -1);
}

static void scalars_order_by_value(void **state)
{
    struct arena *arena = *state;
    const struct sql_type *wide = type_decimal(arena, 30, 2);
    wide_int numbers[] = { (wide_int)1 << 90, -((wide_int)1 << 90) };
    struct value a = value_i64(T_BIGINT, INT64_MIN);
    struct value b = value_i64(T_BIGINT, INT64_MAX);

    assert_int_equal(compare_values(&a, &b, type_scalar(T_BIGINT)), -1);
    assert_int_equal(compare_values(&b, &a, type_decimal(arena, 18, 2)), 1);
    a = (struct value){ .kind = T_DECIMAL, .wide = &numbers[0] };
    b = (struct value){ .kind = T_DECIMAL, .wide = &numbers[1] };
    assert_int_equal(compare_values(&a, &b, wide), 1);
    a = value_f64(-0.0);
    b = value_f64(0.0);
    assert_int_equal(compare_values(&a, &b, type_scalar(T_DOUBLE)), 0);
    a = value_f64(-HUGE_VAL);
    assert_int_equal(compare_values(&a, &b, type_scalar(T_DOUBLE)), -1);
}

static void nan_equals_nothing(void **state)
{
    struct arena *arena = *state;
    struct value items[] = { value_f64((double)NAN) };
    struct value array = { .kind = T_ARRAY, .size = 1, .items = items };
    const struct sql_type *type = type_array(arena, type_scalar(T_DOUBLE));

    assert_false(compare_equal(&items[0], &items[0], type_scalar(T_DOUBLE)));
    assert_false(compare_equal(&array, &array, type));
    items[0] = value_f64(-0.0);
    assert_true(compare_equal(&array, &array, type));
}

static void nulls_inside_are_equal(void **state)
{
    struct arena *arena = *state;
    struct value a[] = { value_null(), value_i64(T_INTEGER, 1) };
    struct value b[] = { value_null(), value_null() };
    struct value left = { .kind = T_ARRAY, .size = 2, .items = a };
    struct value right = { .kind = T_ARRAY, .size = 2, .items = b };
    const struct sql_type *type = type_array(arena, type_scalar(T_INTEGER));

    assert_false(compare_equal(&left, &right, type));
    left.size = right.size = 1;
    assert_true(compare_equal(&left, &right, type));
    right.size = 2;
    assert_false(compare_equal(&left, &right, type));
}

static void every_value_equals_itself_and_few_others(void **state)
{
    struct arena *arena = *state;
    uint64_t seed = 9;

    for (int i = 0; i < 5000; i++) {
        const struct sql_type *type = random_type(&seed, arena, 3);
        uint64_t same = seed;
        struct value a = random_value(&seed, arena, type);
        struct value b = random_value(&same, arena, type);
        struct value other = random_value(&seed, arena, type);

        assert_true(compare_equal(&a, &b, type));
        assert_int_equal(compare_equal(&a, &other, type), compare_equal(&other, &a, type));
        arena_reset(arena);
    }
}

/* Turns the order of the pairs. */
static struct value turned(const struct value *map, struct arena *arena)
{
    struct map_pair *pairs = arena_array(arena, struct map_pair, map->size + 1);
    struct value copy = *map;

    for (uint32_t i = 0; i < map->size; i++) {
        pairs[map->size - 1 - i] = map->pairs[i];
    }
    copy.pairs = pairs;
    return copy;
}

static void maps_are_equal_in_any_order(void **state)
{
    struct arena *arena = *state;
    const struct sql_type *keys[] = { type_scalar(T_STRING), type_scalar(T_INTEGER),
                                      type_decimal(arena, 30, 3), type_scalar(T_DOUBLE),
                                      type_array(arena, type_scalar(T_BIGINT)) };
    uint64_t seed = 21;
    int changed = 0;

    for (int i = 0; i < 5000; i++) {
        const struct sql_type *type = type_map(arena, keys[i % 5], type_scalar(T_BIGINT));
        struct value map = random_value(&seed, arena, type);
        struct value other = value_is_null(&map) ? map : turned(&map, arena);
        struct map_pair *last;

        assert_true(compare_equal(&map, &other, type));
        if (map.size == 0) {
            continue;
        }
        last = arena_array(arena, struct map_pair, map.size);
        memcpy(last, other.pairs, map.size * sizeof *last);
        last[0].value = value_i64(T_BIGINT, value_is_null(&last[0].value) ? 0 : ~last[0].value.i64);
        other.pairs = last;
        assert_false(compare_equal(&map, &other, type));
        assert_false(compare_equal(&other, &map, type));
        other.size--;
        assert_false(compare_equal(&map, &other, type));
        changed++;
    }
    assert_true(changed > 1000);
}

#define WITH_ARENA(test) cmocka_unit_test_setup_teardown(test, make_arena, end_arena)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_ARENA(text_orders_by_utf16_code_unit),
        WITH_ARENA(text_orders_prefixes_first),
        WITH_ARENA(octets_are_signed),
        WITH_ARENA(scalars_order_by_value),
        WITH_ARENA(nan_equals_nothing),
        WITH_ARENA(nulls_inside_are_equal),
        WITH_ARENA(every_value_equals_itself_and_few_others),
        WITH_ARENA(maps_are_equal_in_any_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
