/*
 * test_type_row_codec.c: rows come back from their images; damaged images are refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "engine/type/compare.h"
#include "engine/type/row_codec.h"
#include "tests/unit/type_random.h"

enum { MAX_COLUMNS = 12, ROUNDS = 3000, DAMAGED_ROUNDS = 150 };

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

struct example {
    struct row_codec codec;
    const struct sql_type *types[MAX_COLUMNS];
    struct value cells[MAX_COLUMNS];
};

static void make_example(struct example *e, uint64_t *seed, struct arena *arena)
{
    uint32_t count = (uint32_t)random_below(seed, MAX_COLUMNS + 1);

    for (uint32_t i = 0; i < count; i++) {
        e->types[i] = random_type(seed, arena, 3);
        e->cells[i] = random_value(seed, arena, e->types[i]);
    }
    row_codec_init(&e->codec, arena, e->types, count, (uint32_t)random_below(seed, 1000));
}

static void check_equal(const struct example *e, const struct value *cells)
{
    for (uint32_t i = 0; i < e->codec.column_count; i++) {
        assert_true(compare_equal(&e->cells[i], &cells[i], e->types[i]));
        assert_int_equal(cells[i].kind, e->cells[i].kind);
    }
}

static void rows_come_back(void **state)
{
    struct arena *arena = *state;
    struct buffer image = { 0 };
    uint64_t seed = 42;

    for (int round = 0; round < ROUNDS; round++) {
        struct example e;
        struct value cells[MAX_COLUMNS];
        char *exact; /* of its very size, so that ASan sees a read beyond it */

        make_example(&e, &seed, arena);
        image.len = 0;
        row_codec_encode_cells(&e.codec, e.cells, &image);
        exact = malloc(image.len);
        memcpy(exact, image.data, image.len);
        assert_int_equal(
            row_codec_decode(&e.codec, (struct bytes){ exact, image.len }, cells, arena, NULL), 0);
        check_equal(&e, cells);
        free(exact);
        arena_reset(arena);
    }
    buffer_fini(&image);
}

static void operands_and_cells_give_the_same_image(void **state)
{
    struct arena *arena = *state;
    struct buffer image = { 0 };
    struct buffer other = { 0 };
    uint64_t seed = 43;

    for (int round = 0; round < ROUNDS / 4; round++) {
        struct example e;
        struct row_banks row = { { NULL, NULL, NULL, NULL } };
        operand columns[MAX_COLUMNS];

        make_example(&e, &seed, arena);
        for (uint32_t i = 0; i < e.codec.column_count; i++) {
            enum bank bank = (enum bank)random_below(&seed, BANK_COUNT);

            row.at[bank] = e.cells;
            columns[i] = operand_make(bank, i);
        }
        image.len = other.len = 0;
        row_codec_encode_cells(&e.codec, e.cells, &image);
        row_codec_encode(&e.codec, &row, columns, &other);
        assert_true(bytes_equal(buffer_bytes(&image), buffer_bytes(&other)));
        arena_reset(arena);
    }
    buffer_fini(&image);
    buffer_fini(&other);
}

static void images_append_to_what_is_there(void **state)
{
    struct arena *arena = *state;
    const struct sql_type *types[] = { type_scalar(T_STRING) };
    struct value cell = value_text(T_STRING, (struct bytes)BYTES("abc"));
    struct buffer out = { 0 };
    struct row_codec codec;

    row_codec_init(&codec, arena, types, 1, 300);
    buffer_append_text(&out, "before");
    row_codec_encode_cells(&codec, &cell, &out);
    assert_int_equal(out.len, 6 + 1 + 2 + 1 + 1 + 3);
    assert_memory_equal(out.data,
                        "before\x01\xac\x02\x00\x03"
                        "abc",
                        out.len);
    buffer_fini(&out);
}

static struct value text_value(const char *text)
{
    return value_text(T_STRING, bytes_of(text));
}

static void equal_maps_give_equal_bytes(void **state)
{
    struct arena *arena = *state;
    const struct sql_type *map = type_map(arena, type_scalar(T_STRING), type_scalar(T_BIGINT));
    struct map_pair pairs[] = { { text_value("a"), value_i64(T_BIGINT, 1) },
                                { text_value("b"), value_null() },
                                { value_null(), value_i64(T_BIGINT, 3) } };
    struct map_pair turned[] = { pairs[2], pairs[0], pairs[1] };
    struct value left = { .kind = T_MAP, .size = 3, .pairs = pairs };
    struct value right = { .kind = T_MAP, .size = 3, .pairs = turned };
    struct buffer a = { 0 };
    struct buffer b = { 0 };
    struct row_codec codec;

    row_codec_init(&codec, arena, &map, 1, 0);
    row_codec_encode_cells(&codec, &left, &a);
    row_codec_encode_cells(&codec, &right, &b);
    assert_true(bytes_equal(buffer_bytes(&a), buffer_bytes(&b)));
    buffer_fini(&a);
    buffer_fini(&b);
}

/* Errors leave nothing but an error; success means every cell can be read and written again. */
static void check_damaged(const struct example *e, const char *image, size_t len,
                          struct arena *arena, struct buffer *again)
{
    struct value cells[MAX_COLUMNS];
    char *exact = malloc(len + 1);
    struct error err = { 0 };
    int failed;

    memcpy(exact, image, len);
    arena_unpoison(exact, len);
    failed = row_codec_decode(&e->codec, (struct bytes){ exact, len }, cells, arena, &err);
    if (failed) {
        assert_int_equal(failed, ERR_STATE_DAMAGED);
        assert_true(err.message[0] != '\0');
    } else {
        again->len = 0;
        row_codec_encode_cells(&e->codec, cells, again);
        assert_true(again->len <= len);
    }
    free(exact);
}

static void every_truncation_and_flip_is_survived(void **state)
{
    struct arena *arena = *state;
    struct arena reading;
    struct buffer image = { 0 };
    struct buffer again = { 0 };
    uint64_t seed = 44;

    arena_init(&reading, 0);
    for (int round = 0; round < DAMAGED_ROUNDS; round++) {
        struct example e;

        make_example(&e, &seed, arena);
        image.len = 0;
        row_codec_encode_cells(&e.codec, e.cells, &image);
        for (size_t at = 0; at < image.len; at++) {
            char kept = image.data[at];

            check_damaged(&e, image.data, at, &reading, &again);
            for (int bit = 0; bit < 8; bit++) {
                image.data[at] = (char)(kept ^ 1 << bit);
                check_damaged(&e, image.data, image.len, &reading, &again);
            }
            image.data[at] = kept;
            arena_reset(&reading);
        }
        arena_reset(arena);
    }
    arena_fini(&reading);
    buffer_fini(&image);
    buffer_fini(&again);
}

static void truncated_images_are_refused(void **state)
{
    struct arena *arena = *state;
    uint64_t seed = 45;

    for (int round = 0; round < ROUNDS / 10; round++) {
        struct buffer image = { 0 };
        struct value cells[MAX_COLUMNS];
        struct example e;

        make_example(&e, &seed, arena);
        row_codec_encode_cells(&e.codec, e.cells, &image);
        assert_int_equal(row_codec_decode(&e.codec, (struct bytes){ image.data, image.len - 1 },
                                          cells, arena, NULL),
                         ERR_STATE_DAMAGED);
        buffer_append_char(&image, 0);
        assert_int_equal(row_codec_decode(&e.codec, buffer_bytes(&image), cells, arena, NULL),
                         ERR_STATE_DAMAGED);
        buffer_fini(&image);
        arena_reset(arena);
    }
}

static void other_versions_and_shapes_are_named(void **state)
{
    struct arena *arena = *state;
    struct buffer image = { 0 };
    struct error err;
    struct row_codec codec;
    struct row_codec other;

    row_codec_init(&codec, arena, NULL, 0, 1);
    row_codec_init(&other, arena, NULL, 0, 2);
    row_codec_encode_cells(&codec, NULL, &image);
    assert_int_equal(row_codec_decode(&other, buffer_bytes(&image), NULL, arena, &err),
                     ERR_STATE_DAMAGED);
    assert_non_null(strstr(err.message, "columns number 1 where 2"));
    image.data[0] = 99;
    assert_int_equal(row_codec_decode(&codec, buffer_bytes(&image), NULL, arena, &err),
                     ERR_STATE_DAMAGED);
    assert_non_null(strstr(err.message, "version 99"));
    buffer_fini(&image);
}

static void copies_outlive_the_arena_of_the_value(void **state)
{
    struct arena *arena = *state;
    uint64_t seed = 46;

    for (int round = 0; round < ROUNDS / 10; round++) {
        struct arena batch;
        const struct sql_type *type = random_type(&seed, arena, 3);
        uint64_t same = seed;
        struct value copy;
        struct value v;

        arena_init(&batch, 0);
        v = random_value(&seed, &batch, type);
        copy = value_copy(&v, type, arena);
        arena_fini(&batch);
        v = random_value(&same, arena, type);
        assert_true(compare_equal(&copy, &v, type));
        arena_reset(arena);
    }
}

#define WITH_ARENA(test) cmocka_unit_test_setup_teardown(test, make_arena, end_arena)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_ARENA(rows_come_back),
        WITH_ARENA(operands_and_cells_give_the_same_image),
        WITH_ARENA(images_append_to_what_is_there),
        WITH_ARENA(equal_maps_give_equal_bytes),
        WITH_ARENA(every_truncation_and_flip_is_survived),
        WITH_ARENA(truncated_images_are_refused),
        WITH_ARENA(other_versions_and_shapes_are_named),
        WITH_ARENA(copies_outlive_the_arena_of_the_value),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
