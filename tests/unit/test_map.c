/*
 * test_map.c: a map answers as a plain array of keys would, and iterates in the
 * order of insertion.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/map.h"

enum { KEY_COUNT = 3000, STEP_COUNT = 60000 };

/* The same numbers in every run. */
static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

static void empty_map_answers_without_memory(void **state)
{
    struct map map;
    int visited = 0;

    map_init(&map);
    assert_null(map_find(&map, bytes_of("a")));
    assert_null(map_remove(&map, bytes_of("a")));
    MAP_FOREACH (entry, &map) {
        visited++;
    }
    assert_int_equal(visited, 0);
    assert_null(map.entries);
    map_fini(&map);
}

static void replacing_keeps_key_and_place(void **state)
{
    struct map map;
    char first_key[] = "a";
    char same_key[] = "a";
    int one = 1;
    int two = 2;

    map_init(&map);
    map_put(&map, bytes_of(first_key), &one);
    map_put(&map, bytes_of("b"), &one);
    map_put(&map, bytes_of(same_key), &two);
    assert_int_equal(map.live_count, 2);
    assert_ptr_equal(map.entries[0].key.data, first_key);
    assert_ptr_equal(map.entries[0].value, &two);
    map_fini(&map);
}

static void key_put_again_after_removal_goes_last(void **state)
{
    struct map map;
    int value = 1;
    const char *order[2];
    int at = 0;

    map_init(&map);
    map_put(&map, bytes_of("a"), &value);
    map_put(&map, bytes_of("b"), &value);
    assert_ptr_equal(map_remove(&map, bytes_of("a")), &value);
    assert_null(map_remove(&map, bytes_of("a")));
    map_put(&map, bytes_of("a"), &value);
    MAP_FOREACH (entry, &map) {
        order[at++] = entry->key.data;
    }
    assert_int_equal(at, 2);
    assert_string_equal(order[0], "b");
    assert_string_equal(order[1], "a");
    map_fini(&map);
}

static void absent_and_empty_are_different_keys(void **state)
{
    struct map map;
    int one = 1;
    int two = 2;

    map_init(&map);
    map_put(&map, (struct bytes){ 0 }, &one);
    map_put(&map, bytes_of(""), &two);
    assert_ptr_equal(map_find(&map, (struct bytes){ 0 }), &one);
    assert_ptr_equal(map_find(&map, bytes_of("")), &two);
    map_fini(&map);
}

static void check_against_model(const struct map *map, const struct bytes *keys, int *const *model)
{
    uint32_t live = 0;

    for (int i = 0; i < KEY_COUNT; i++) {
        assert_ptr_equal(map_find(map, keys[i]), model[i]);
        live += model[i] != NULL;
    }
    assert_int_equal(map->live_count, live);
}

static void thousands_of_puts_and_removes_match_a_model(void **state)
{
    struct arena arena;
    struct map map;
    struct bytes *keys;
    int **model;
    int *values;
    uint32_t seed = 1;

    arena_init(&arena, 0);
    map_init(&map);
    keys = arena_array(&arena, struct bytes, KEY_COUNT);
    model = arena_array(&arena, int *, KEY_COUNT);
    values = arena_array(&arena, int, KEY_COUNT);
    for (int i = 0; i < KEY_COUNT; i++) {
        keys[i] = arena_printf(&arena, "key-%d", i * 37);
    }
    for (int step = 0; step < STEP_COUNT; step++) {
        uint32_t which = next_random(&seed) % KEY_COUNT;

        if (next_random(&seed) % 2) {
            model[which] = &values[next_random(&seed) % KEY_COUNT];
            map_put(&map, keys[which], model[which]);
        } else {
            assert_ptr_equal(map_remove(&map, keys[which]), model[which]);
            model[which] = NULL;
        }
        if (step % 5000 == 0) {
            check_against_model(&map, keys, model);
        }
    }
    check_against_model(&map, keys, model);
    map_fini(&map);
    arena_fini(&arena);
}

static void put_and_remove_in_turn_does_not_grow_the_map(void **state)
{
    struct map map;
    int value = 1;

    map_init(&map);
    for (int i = 0; i < 10000; i++) {
        map_put(&map, bytes_of("only"), &value);
        assert_ptr_equal(map_remove(&map, bytes_of("only")), &value);
    }
    assert_int_equal(map.slot_count, 8);
    map_fini(&map);
}

static void removing_while_iterating_visits_each_once(void **state)
{
    struct arena arena;
    struct map map;
    int value = 1;
    int visited = 0;

    arena_init(&arena, 0);
    map_init(&map);
    for (int i = 0; i < 100; i++) {
        map_put(&map, arena_printf(&arena, "%d", i), &value);
    }
    MAP_FOREACH (entry, &map) {
        visited++;
        assert_ptr_equal(map_remove(&map, entry->key), &value);
    }
    assert_int_equal(visited, 100);
    assert_int_equal(map.live_count, 0);
    map_fini(&map);
    arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(empty_map_answers_without_memory),
        cmocka_unit_test(replacing_keeps_key_and_place),
        cmocka_unit_test(key_put_again_after_removal_goes_last),
        cmocka_unit_test(absent_and_empty_are_different_keys),
        cmocka_unit_test(thousands_of_puts_and_removes_match_a_model),
        cmocka_unit_test(put_and_remove_in_turn_does_not_grow_the_map),
        cmocka_unit_test(removing_while_iterating_visits_each_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
