/*
 * bench_type.c: what values cost on the row path: images, numbers and times as text, decimals.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "engine/type/decimal.h"
#include "engine/type/java_pattern.h"
#include "engine/type/java_text.h"
#include "engine/type/row_codec.h"

enum { ROWS = 256, COLUMNS = 4, ROUNDS = 8000, NUMBERS = 4096, NUMBER_ROUNDS = 500 };

static volatile uint64_t sink;

static void report(const char *what, int64_t spent_us, uint64_t calls)
{
    (void)printf("%-40s %7.2f ns/call\n", what, (double)spent_us * 1000.0 / (double)calls);
}

static uint64_t random_next(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return *seed >> 11;
}

static void fill_row(struct value *row, int64_t number)
{
    row[0] = value_text(T_STRING, (struct bytes)BYTES("customer-123"));
    row[1] = value_i64(T_BIGINT, number);
    row[2] = value_f64((double)number * 1.5);
    row[3] = value_i64(T_TIMESTAMP, INT64_C(1700000000000) + number);
}

/* The typical row of an aggregate: key, count, sum, time. */
static void bench_row_codec(struct arena *arena)
{
    const struct sql_type *types[] = { type_scalar(T_STRING), type_scalar(T_BIGINT),
                                       type_scalar(T_DOUBLE), type_scalar(T_TIMESTAMP) };
    static struct value cells[ROWS][COLUMNS];
    size_t ends[ROWS + 1] = { 0 };
    struct buffer images = { 0 };
    struct value out[COLUMNS];
    struct row_codec codec;
    uint64_t sum = 0;
    int64_t start;

    row_codec_init(&codec, arena, types, COLUMNS, 3);
    for (int i = 0; i < ROWS; i++) {
        fill_row(cells[i], i);
    }
    start = clock_cpu_us();
    for (int round = 0; round < ROUNDS; round++) {
        images.len = 0;
        for (int i = 0; i < ROWS; i++) {
            row_codec_encode_cells(&codec, cells[i], &images);
            ends[i + 1] = images.len;
        }
    }
    report("row_codec_encode_cells, 4 columns", clock_cpu_us() - start, ROUNDS * ROWS);
    start = clock_cpu_us();
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < ROWS; i++) {
            struct bytes image = { images.data + ends[i], ends[i + 1] - ends[i] };

            sum += row_codec_decode(&codec, image, out, arena, NULL) ? 0 : (uint64_t)out[1].i64;
        }
    }
    report("row_codec_decode, 4 columns, 40 bytes", clock_cpu_us() - start, ROUNDS * ROWS);
    sink = sum;
    buffer_fini(&images);
}

static void bench_doubles(const char *what, const double *numbers)
{
    static char texts[NUMBERS][JAVA_DOUBLE_MAX];
    static size_t lengths[NUMBERS];
    int64_t start = clock_cpu_us();
    double sum = 0;
    char label[64];

    for (int round = 0; round < NUMBER_ROUNDS; round++) {
        for (int i = 0; i < NUMBERS; i++) {
            lengths[i] = java_double_print(numbers[i], texts[i]);
        }
    }
    (void)snprintf(label, sizeof label, "java_double_print, %s", what);
    report(label, clock_cpu_us() - start, NUMBER_ROUNDS * NUMBERS);
    start = clock_cpu_us();
    for (int round = 0; round < NUMBER_ROUNDS; round++) {
        for (int i = 0; i < NUMBERS; i++) {
            sum += java_double_of_digits(texts[i], lengths[i]);
        }
    }
    (void)snprintf(label, sizeof label, "java_double_of_digits, %s", what);
    report(label, clock_cpu_us() - start, NUMBER_ROUNDS * NUMBERS);
    sink = (uint64_t)(sum > 0);
}

static void bench_all_doubles(void)
{
    static double numbers[NUMBERS];
    uint64_t seed = 1;

    for (int i = 0; i < NUMBERS; i++) {
        numbers[i] = (double)(random_next(&seed) % 100000);
    }
    bench_doubles("whole", numbers);
    for (int i = 0; i < NUMBERS; i++) {
        numbers[i] = (double)(random_next(&seed) % 1000000) / 100;
    }
    bench_doubles("cents", numbers);
    for (int i = 0; i < NUMBERS; i++) {
        numbers[i] = (double)random_next(&seed) / 9007199254740992.0;
    }
    bench_doubles("17 digits", numbers);
}

typedef int (*operation)(struct decimal a, struct decimal b, const struct sql_type *result,
                         struct decimal *out, struct error *err);

static void bench_decimal(const char *what, operation run, struct decimal a, struct decimal b,
                          uint32_t scale)
{
    struct sql_type type = { .id = T_DECIMAL, .precision = 38, .scale = scale };
    struct decimal out = { 0, 0 };
    uint64_t sum = 0;
    int64_t start = clock_cpu_us();

    for (int i = 0; i < NUMBERS * NUMBER_ROUNDS; i++) {
        a.unscaled += 4;
        sum += (uint64_t)run(a, b, &type, &out, NULL) + (uint64_t)out.unscaled;
    }
    report(what, clock_cpu_us() - start, NUMBERS * NUMBER_ROUNDS);
    sink = sum;
}

/* In UTC and in a region that changes its clocks. */
static void bench_pattern(struct arena *arena, const char *zone_id)
{
    const struct java_pattern *pattern;
    struct time_zone zone;
    char text[256];
    size_t length = 0;
    uint64_t sum = 0;
    int64_t start;

    if (time_zone_init(&zone, bytes_of(zone_id), NULL) ||
        java_pattern_compile(arena, bytes_of("yyyy-MM-dd HH:mm:ss"), &pattern, NULL) ||
        java_pattern_print_max(pattern) > sizeof text) {
        return;
    }
    time_zone_index(&zone, arena);
    start = clock_cpu_us();
    for (int i = 0; i < NUMBERS * NUMBER_ROUNDS; i++) {
        int64_t ms = 0;

        (void)java_pattern_parse_timestamp(pattern, bytes_of("2020-05-11 17:58:33"), &zone, &ms,
                                           NULL); /* it fits */
        sum += (uint64_t)ms;
    }
    report("java_pattern_parse_timestamp", clock_cpu_us() - start, NUMBERS * NUMBER_ROUNDS);
    start = clock_cpu_us();
    for (int i = 0; i < NUMBERS * NUMBER_ROUNDS; i++) {
        struct java_moment moment = java_moment_of_timestamp(INT64_C(1589219913007) + i, &zone);

        (void)java_pattern_print(pattern, &moment, text, &length, NULL);
        sum += length;
    }
    report("java_pattern_print", clock_cpu_us() - start, NUMBERS * NUMBER_ROUNDS);
    sink = sum;
}

int main(void)
{
    const struct decimal money = { 1999, 2 };
    const struct decimal rate = { 125, 3 };
    const struct decimal wide = { (wide_int)1 << 100, 2 };
    struct arena arena;

    arena_init(&arena, 0);
    bench_row_codec(&arena);
    bench_all_doubles();
    bench_decimal("decimal_add, same scale", decimal_add, money, money, 2);
    bench_decimal("decimal_add, 31 digits, other scale", decimal_add, wide, rate, 3);
    bench_decimal("decimal_multiply", decimal_multiply, money, rate, 5);
    bench_decimal("decimal_divide, exact", decimal_divide, money, rate, 7);
    bench_pattern(&arena, "UTC");
    bench_pattern(&arena, "America/New_York");
    arena_fini(&arena);
    return 0;
}
