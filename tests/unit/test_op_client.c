/*
 * test_op_client.c: rows for a client, LIMIT, and the queue between worker and client.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/operator_world.h"

static const struct row_shape *setup(struct world *w, int64_t limit)
{
    static const bool is_key[] = { true, false };
    const struct row_shape *shape;

    world_init(w);
    shape = world_shape(w, "K STRING KEY, V BIGINT");
    world_add_op(w, PLAN_CLIENT, shape, NULL)->client =
        (struct client_plan){ world_operands(w, shape, 0, 2), world_codec(w, shape), limit,
                              is_key };
    w->plan.result_is_table = true;
    w->env.client = row_queue_create(1 << 16);
    world_open(w);
    return shape;
}

static void teardown(struct world *w)
{
    row_queue_destroy(w->env.client);
    world_fini(w);
}

static void expect_row(struct world *w, const char *key, int64_t number, bool is_tombstone,
                       int64_t at)
{
    struct client_row row;
    struct value cells[2];
    bool tombstone;
    bool finished;
    struct error err;

    assert_true(row_queue_take(w->env.client, 0, &w->arena, &row, &tombstone, &finished));
    assert_int_equal(row_codec_decode(&w->ops[0].client.codec, row.image, cells, &w->arena, &err),
                     0);
    assert_true(bytes_equal_text(value_bytes(&cells[0]), key));
    assert_int_equal(tombstone, is_tombstone);
    assert_int_equal(row.timestamp_ms, at);
    if (is_tombstone) {
        assert_true(value_is_null(&cells[1]));
    } else {
        assert_int_equal(cells[1].i64, number);
    }
}

static void rows_arrive_in_order_and_tombstones_have_only_keys(void **state)
{
    struct world w;
    struct client_row row;
    bool tombstone;
    bool finished;

    setup(&w, -1);
    world_push(&w, "(a,1)@5 (b,2)@6 (a,-)@7");
    expect_row(&w, "a", 1, false, 5);
    expect_row(&w, "b", 2, false, 6);
    expect_row(&w, "a", 0, true, 7);
    assert_false(row_queue_take(w.env.client, 0, &w.arena, &row, &tombstone, &finished));
    assert_false(finished);
    teardown(&w);
}

static void one_limit_holds_for_all_tasks_of_the_query(void **state)
{
    struct row_queue *queue = row_queue_create(1 << 16);
    struct client_row row;
    bool tombstone = false;
    bool finished = false;
    struct arena arena;
    uint32_t count = 0;

    arena_init(&arena, 0);
    row_queue_limit(queue, 3);
    row_queue_put(queue, bytes_of("a"), false, 1);
    row_queue_limit(queue, 3); /* another task begins */
    row_queue_put(queue, bytes_of("b"), false, 2);
    assert_null(row_queue_message(queue));
    row_queue_put(queue, bytes_of("c"), false, 3);
    row_queue_put(queue, bytes_of("d"), false, 4);
    assert_string_equal(row_queue_message(queue), "Limit Reached");
    while (row_queue_take(queue, 0, &arena, &row, &tombstone, &finished)) {
        count++;
    }
    assert_int_equal(count, 3);
    assert_true(finished);
    arena_fini(&arena);
    row_queue_destroy(queue);
}

static void limit_finishes_the_queue_behind_its_last_row(void **state)
{
    struct world w;
    struct client_row row;
    bool tombstone;
    bool finished;

    setup(&w, 2);
    world_push(&w, "(a,1)@5");
    assert_null(row_queue_message(w.env.client));
    world_push(&w, "(b,2)@6 (c,3)@7");
    assert_string_equal(row_queue_message(w.env.client), "Limit Reached");
    world_push(&w, "(d,4)@8");
    expect_row(&w, "a", 1, false, 5);
    assert_true(row_queue_take(w.env.client, 0, &w.arena, &row, &tombstone, &finished));
    assert_true(finished);
    assert_false(row_queue_take(w.env.client, 0, &w.arena, &row, &tombstone, &finished));
    assert_true(finished);
    teardown(&w);
}

static void queue_has_room_until_its_budget_is_used(void **state)
{
    struct row_queue *queue = row_queue_create(100);
    struct bytes image = BYTES("0123456789012345678901234567890123456789");
    struct arena arena;
    struct client_row row;
    bool tombstone;
    bool finished;

    arena_init(&arena, 0);
    row_queue_put(queue, image, false, 1);
    assert_true(row_queue_has_room(queue));
    row_queue_put(queue, image, false, 2);
    assert_false(row_queue_has_room(queue));
    row_queue_put(queue, image, false, 3);
    for (int64_t n = 1; n <= 3; n++) {
        assert_true(row_queue_take(queue, 0, &arena, &row, &tombstone, &finished));
        assert_int_equal(row.timestamp_ms, n);
        assert_true(bytes_equal(row.image, image));
    }
    assert_true(row_queue_has_room(queue));
    arena_fini(&arena);
    row_queue_destroy(queue);
}

static void closed_queue_takes_nothing_and_says_so(void **state)
{
    struct row_queue *queue = row_queue_create(10);
    struct arena arena;
    struct client_row row;
    bool tombstone;
    bool finished;

    arena_init(&arena, 0);
    row_queue_put(queue, bytes_of("0123456789"), false, 1);
    assert_false(row_queue_is_closed(queue));
    row_queue_close(queue);
    assert_true(row_queue_is_closed(queue));
    assert_false(row_queue_has_room(queue));
    row_queue_put(queue, bytes_of("x"), false, 2);
    assert_false(row_queue_take(queue, 1000, &arena, &row, &tombstone, &finished));
    assert_true(finished);
    arena_fini(&arena);
    row_queue_destroy(queue);
}

static void *put_many(void *context)
{
    for (int64_t n = 0; n < 1000; n++) {
        row_queue_put(context, bytes_of("row"), n % 2, n);
    }
    row_queue_finish(context, "done");
    return NULL;
}

static void taker_waits_for_rows_of_another_thread(void **state)
{
    struct row_queue *queue = row_queue_create(1 << 20);
    struct arena arena;
    struct client_row row;
    bool tombstone;
    bool finished = false;
    pthread_t thread;
    int64_t taken = 0;

    arena_init(&arena, 0);
    assert_int_equal(pthread_create(&thread, NULL, put_many, queue), 0);
    while (!finished) {
        if (row_queue_take(queue, 60000, &arena, &row, &tombstone, &finished)) {
            assert_int_equal(row.timestamp_ms, taken);
            assert_int_equal(tombstone, taken % 2);
            taken++;
        }
    }
    pthread_join(thread, NULL);
    assert_int_equal(taken, 1000);
    assert_string_equal(row_queue_message(queue), "done");
    arena_fini(&arena);
    row_queue_destroy(queue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_arrive_in_order_and_tombstones_have_only_keys),
        cmocka_unit_test(one_limit_holds_for_all_tasks_of_the_query),
        cmocka_unit_test(limit_finishes_the_queue_behind_its_last_row),
        cmocka_unit_test(queue_has_room_until_its_budget_is_used),
        cmocka_unit_test(closed_queue_takes_nothing_and_says_so),
        cmocka_unit_test(taker_waits_for_rows_of_another_thread),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
