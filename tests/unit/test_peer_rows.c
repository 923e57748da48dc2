/*
 * test_peer_rows.c: rows between nodes come back as they were, however the answer is cut; what is
 * no whole answer is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "cli/remote/peer_rows.h"

enum { ROWS = 3, NEVER = 99 };

struct world {
    struct arena arena;
    struct column columns[2];
    struct schema schema;
    struct buffer answer;
    uint32_t taken;
    uint32_t enough; /* after so many rows */
};

static int setup(void **state)
{
    static struct world w;
    struct row_codec codec;

    w = (struct world){ .enough = NEVER };
    arena_init(&w.arena, 0);
    w.columns[0] = (struct column){ .name = BYTES("ID"), .type = type_scalar(T_STRING) };
    w.columns[1] = (struct column){ .name = BYTES("DAY"), .type = type_scalar(T_DATE) };
    w.schema = (struct schema){ .columns = w.columns, .column_count = 2 };
    peer_codec_init(&codec, &w.arena, &w.schema);
    peer_write_schema(&w.schema, &w.answer);
    for (int64_t i = 0; i < ROWS; i++) {
        const struct value cells[] = { { .kind = T_STRING, .size = 2, .bytes = "ab" },
                                       { .kind = T_DATE, .i64 = i } };

        peer_write_row(&codec, cells, 1000 + i, &w.answer);
    }
    *state = &w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    buffer_fini(&w->answer);
    arena_fini(&w->arena);
    return 0;
}

static bool take_row(void *context, const struct value *cells, int64_t timestamp_ms)
{
    struct world *w = context;

    assert_int_equal(cells[0].kind, T_STRING);
    assert_int_equal(cells[0].size, 2);
    assert_memory_equal(cells[0].bytes, "ab", 2);
    assert_int_equal(cells[1].kind, T_DATE);
    assert_int_equal(cells[1].i64, w->taken);
    assert_int_equal(timestamp_ms, 1000 + w->taken);
    w->taken++;
    return w->taken < w->enough;
}

/* In pieces of that size; what finish says. */
static int read_answer(struct world *w, size_t piece, struct error *err)
{
    struct peer_reader reader;
    int code;

    w->taken = 0;
    peer_reader_init(&reader, &w->schema, take_row, w);
    for (size_t at = 0; at < w->answer.len; at += piece) {
        size_t left = w->answer.len - at;

        if (!peer_reader_take(&reader,
                              (struct bytes){ w->answer.data + at, left < piece ? left : piece })) {
            break;
        }
    }
    code = peer_reader_finish(&reader, err);
    peer_reader_fini(&reader);
    return code;
}

static void rows_come_back_however_the_answer_is_cut(void **state)
{
    struct world *w = *state;
    struct error err = { 0 };

    peer_write_end(&w->answer);
    for (size_t piece = 1; piece <= w->answer.len; piece++) {
        assert_int_equal(read_answer(w, piece, &err), 0);
        assert_int_equal(w->taken, ROWS);
    }
}

static void an_answer_without_an_end_was_cut_off(void **state)
{
    struct world *w = *state;
    struct error err = { 0 };

    assert_int_equal(read_answer(w, w->answer.len, &err), ERR_LOG_UNAVAILABLE);
    assert_non_null(strstr(err.message, "cut off"));
    assert_int_equal(w->taken, ROWS);
}

static void who_has_enough_gets_no_more(void **state)
{
    struct world *w = *state;
    struct error err = { 0 };

    w->enough = 2;
    assert_int_equal(read_answer(w, w->answer.len, &err), 0);
    assert_int_equal(w->taken, 2);
}

static void a_failure_behind_rows_is_told(void **state)
{
    struct world *w = *state;
    struct error err = { 0 };

    peer_write_failure(bytes_of("the query is gone"), &w->answer);
    assert_int_equal(read_answer(w, 7, &err), ERR_LOG_UNAVAILABLE);
    assert_string_equal(err.message, "the query is gone");
}

static void rows_with_other_columns_are_refused(void **state)
{
    struct world *w = *state;
    struct error err = { 0 };

    w->columns[1].type = type_scalar(T_TIME);
    peer_write_end(&w->answer);
    assert_int_equal(read_answer(w, w->answer.len, &err), ERR_LOG_UNAVAILABLE);
    assert_non_null(strstr(err.message, "other columns"));
    assert_int_equal(w->taken, 0);
}

static void what_is_no_answer_is_refused(void **state)
{
    static const struct bytes wrong[] = { BYTES("Z\0\0\0\0"), BYTES("R\3\0\0\0abc"),
                                          BYTES("S\377\377\377\377"), BYTES("<html>...") };
    struct world *w = *state;

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct error err = { 0 };

        w->answer.len = 0;
        buffer_append_bytes(&w->answer, wrong[i]);
        assert_int_equal(read_answer(w, 1, &err), ERR_LOG_UNAVAILABLE);
        assert_int_equal(w->taken, 0);
    }
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(rows_come_back_however_the_answer_is_cut),
        CASE(an_answer_without_an_end_was_cut_off),
        CASE(who_has_enough_gets_no_more),
        CASE(a_failure_behind_rows_is_told),
        CASE(rows_with_other_columns_are_refused),
        CASE(what_is_no_answer_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
