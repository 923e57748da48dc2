/*
 * bench_base.c: what the calls under every row cost: arena, hash, map.
 *
 * CPU time per call, of loops long enough to drown the clock. Results go into a
 * volatile sink so that nothing is optimised away.
 */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/map.h"

enum { ROUND_COUNT = 500, CALLS_PER_ROUND = 20000, KEY_COUNT = 1000, KEY_BYTES = 24 };

static volatile uint64_t sink;

static void report(const char *what, int64_t spent_us, uint64_t calls)
{
    (void)printf("%-28s %7.2f ns/call\n", what, (double)spent_us * 1000.0 / (double)calls);
}

static void bench_arena(void)
{
    struct arena arena;
    int64_t start = clock_cpu_us();

    arena_init(&arena, 0);
    for (int round = 0; round < ROUND_COUNT; round++) {
        for (int i = 0; i < CALLS_PER_ROUND; i++) {
            *(int *)arena_alloc(&arena, 40) = i;
        }
        arena_reset(&arena);
    }
    report("arena_alloc, 40 bytes", clock_cpu_us() - start, ROUND_COUNT * CALLS_PER_ROUND);
    arena_fini(&arena);
}

static void bench_hash(void)
{
    char key[KEY_BYTES] = { 0 };
    uint64_t sum = 0;
    int64_t start = clock_cpu_us();

    for (uint64_t i = 0; i < ROUND_COUNT * CALLS_PER_ROUND; i++) {
        memcpy(key, &i, sizeof i);
        sum += bytes_hash((struct bytes){ key, sizeof key });
    }
    sink = sum;
    report("bytes_hash, 24 bytes", clock_cpu_us() - start, ROUND_COUNT * CALLS_PER_ROUND);
}

static void bench_map(void)
{
    struct arena arena;
    struct map map;
    struct bytes keys[KEY_COUNT];
    uint64_t found = 0;
    int64_t start;

    arena_init(&arena, 0);
    map_init(&map);
    for (int i = 0; i < KEY_COUNT; i++) {
        keys[i] = arena_printf(&arena, "column_name_%d", i);
        map_put(&map, keys[i], &keys[i]);
    }
    start = clock_cpu_us();
    for (int i = 0; i < ROUND_COUNT * CALLS_PER_ROUND; i++) {
        found += map_find(&map, keys[i * 7 % KEY_COUNT]) != NULL;
    }
    sink = found;
    report("map_find, 1000 keys", clock_cpu_us() - start, ROUND_COUNT * CALLS_PER_ROUND);
    map_fini(&map);
    arena_fini(&arena);
}

int main(void)
{
    bench_arena();
    bench_hash();
    bench_map();
    return 0;
}
