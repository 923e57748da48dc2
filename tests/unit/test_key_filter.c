/*
 * test_key_filter.c: what was added is found; of what was not, little is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/state/key_filter.h"

enum { KEYS = 200000 };

/* A different number for each, in no order. */
static uint32_t hash_of(uint32_t n)
{
    n = (n ^ n >> 16) * 0x7feb352du;
    n = (n ^ n >> 15) * 0x846ca68bu;
    return n ^ n >> 16;
}

static void empty_filter_has_nothing(void **state)
{
    struct key_filter filter = { 0 };

    (void)state;
    key_filter_prefetch(&filter, 1);
    assert_false(key_filter_has(&filter, 1));
    key_filter_add(&filter, 1);
    assert_true(key_filter_has(&filter, 1));
    key_filter_fini(&filter);
    assert_false(key_filter_has(&filter, 1));
    assert_int_equal(filter.bytes, 0);
}

static void what_was_added_is_found_however_much_it_is(void **state)
{
    struct key_filter filter = { 0 };

    (void)state;
    for (uint32_t i = 0; i < KEYS; i++) {
        key_filter_add(&filter, hash_of(i));
        assert_true(key_filter_has(&filter, hash_of(i / 2)));
    }
    for (uint32_t i = 0; i < KEYS; i++) {
        assert_true(key_filter_has(&filter, hash_of(i)));
    }
    key_filter_fini(&filter);
}

static void little_else_is_found(void **state)
{
    struct key_filter filter = { 0 };
    uint32_t wrong = 0;

    (void)state;
    for (uint32_t i = 0; i < KEYS; i++) {
        key_filter_add(&filter, hash_of(i));
    }
    for (uint32_t i = KEYS; i < 2 * KEYS; i++) {
        wrong += key_filter_has(&filter, hash_of(i));
    }
    assert_in_range(wrong, 1, KEYS / 20);
    assert_in_range(filter.key_count, KEYS - KEYS / 20, KEYS);
    key_filter_fini(&filter);
}

static void memory_is_a_few_bytes_per_key(void **state)
{
    struct key_filter filter = { 0 };

    (void)state;
    for (uint32_t i = 0; i < KEYS; i++) {
        key_filter_add(&filter, hash_of(i));
        key_filter_add(&filter, hash_of(i)); /* is no other key */
        assert_true(filter.bytes <= 16384 + 4 * (size_t)(i + 1));
    }
    key_filter_fini(&filter);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(empty_filter_has_nothing),
        cmocka_unit_test(what_was_added_is_found_however_much_it_is),
        cmocka_unit_test(little_else_is_found),
        cmocka_unit_test(memory_is_a_few_bytes_per_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
