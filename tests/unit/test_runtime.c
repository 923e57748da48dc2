/*
 * test_runtime.c: queries from topic to topic: positions, recovery, clients, threads.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/runtime_rig.h"

static const char *const orders = "CREATE STREAM orders (id STRING KEY, item STRING, qty INT) "
                                  "WITH (KAFKA_TOPIC='orders', VALUE_FORMAT='JSON');";

static void put_order(struct rig *f, int number, const char *item, int qty)
{
    char key[32], value[128];

    snprintf(key, sizeof key, "o%d", number);
    snprintf(value, sizeof value, "{\"ITEM\":\"%s\",\"QTY\":%d}", item, qty);
    rig_put(f, "orders", key, value, number);
}

static void begin(struct rig *f, uint32_t partitions)
{
    rig_init(f);
    rig_open(f, "node");
    rig_topic(f, "orders", partitions);
    rig_sql(f, orders);
}

static void filter_and_projection_reach_the_sink(void **state)
{
    struct rig f;

    (void)state;
    begin(&f, 1);
    rig_sql(&f, "CREATE STREAM big AS SELECT id, qty * 2 AS twice FROM orders WHERE qty > 5;");
    put_order(&f, 1, "a", 7);
    put_order(&f, 2, "b", 3);
    put_order(&f, 3, "c", 9);
    rig_drain(&f);
    assert_string_equal(rig_read(&f, "BIG").data, "o1={\"TWICE\":14}@1\no3={\"TWICE\":18}@3\n");
    rig_fini(&f);
}

static void bad_records_are_skipped_and_counted_and_the_others_run(void **state)
{
    struct rig f;

    (void)state;
    begin(&f, 1);
    rig_sql(&f, "CREATE STREAM copy AS SELECT id, qty FROM orders;");
    put_order(&f, 1, "a", 7);
    rig_put(&f, "orders", "o2", "{\"QTY\":", 2);
    rig_put(&f, "orders", "o3", "{\"QTY\":true}", 3);
    put_order(&f, 4, "c", 9);
    rig_drain(&f);
    assert_string_equal(rig_read(&f, "COPY").data, "o1={\"QTY\":7}@1\no4={\"QTY\":9}@4\n");
    assert_int_equal(f.skipped, 2);
    rig_fini(&f);
}

static void aggregate_goes_through_a_repartition_topic(void **state)
{
    struct rig f;

    (void)state;
    begin(&f, 3);
    rig_sql(&f, "CREATE TABLE totals AS SELECT item, COUNT(*) AS n, SUM(qty) AS q "
                "FROM orders GROUP BY item;");
    put_order(&f, 1, "x", 1);
    put_order(&f, 2, "x", 10);
    put_order(&f, 3, "x", 100);
    rig_drain(&f);
    assert_int_equal(rig_count(&f, "TOTALS"), 3);
    assert_non_null(strstr(rig_read(&f, "TOTALS").data, "x={\"N\":3,\"Q\":111}@"));
    rig_fini(&f);
}

static void earliest_and_latest_queries_share_a_reader(void **state)
{
    struct rig f;

    (void)state;
    begin(&f, 1);
    rig_sql(&f, "CREATE STREAM first AS SELECT id, qty FROM orders;");
    for (int i = 0; i < 600; i++) {
        put_order(&f, i, "a", i);
    }
    rig_drain(&f);
    rig_sql(&f, "CREATE STREAM early AS SELECT id, qty FROM orders;");
    f.options.reset = RESET_LATEST;
    rig_sql(&f, "CREATE STREAM late AS SELECT id, qty FROM orders;");
    for (int i = 600; i < 700; i++) {
        put_order(&f, i, "a", i);
    }
    rig_drain(&f);
    assert_int_equal(rig_count(&f, "FIRST"), 700);
    assert_int_equal(rig_count(&f, "EARLY"), 700);
    assert_int_equal(rig_count(&f, "LATE"), 100);
    assert_string_equal(rig_read(&f, "FIRST").data, rig_read(&f, "EARLY").data);
    rig_fini(&f);
}

static uint64_t take_all(struct row_queue *queue)
{
    struct arena arena;
    struct client_row row;
    bool tombstone = false, finished = false;
    uint64_t count = 0;

    arena_init(&arena, 0);
    while (row_queue_take(queue, 0, &arena, &row, &tombstone, &finished)) {
        count++;
    }
    arena_fini(&arena);
    return count;
}

static void slow_client_is_detached_and_misses_nothing(void **state)
{
    struct rig f;
    struct row_queue *queue = row_queue_create(2000);
    const struct physical_plan *plan;
    uint64_t got = 0, rounds = 0;

    (void)state;
    begin(&f, 1);
    rig_sql(&f, "CREATE STREAM copy AS SELECT id, qty FROM orders;");
    for (int i = 0; i < 2000; i++) {
        put_order(&f, i, "a", i);
    }
    plan = rig_push(&f, "SELECT id, qty FROM orders EMIT CHANGES;", queue);
    while (got < 2000 && rounds++ < 10000) {
        rig_drain(&f);
        got += take_all(queue);
    }
    assert_int_equal(got, 2000);
    assert_true(rounds > 3);
    assert_int_equal(rig_count(&f, "COPY"), 2000);
    assert_int_equal(runtime_stop(f.rt, plan->query_id, NULL), 0);
    row_queue_destroy(queue);
    rig_fini(&f);
}

/* --- pausing --- */

static void pause_and_go_on(struct rig *f)
{
    const struct physical_plan *plan =
        rig_sql(f, "CREATE TABLE totals AS SELECT item, COUNT(*) AS n FROM orders GROUP BY item;");
    struct query_status status;

    rig_sql(f, "CREATE STREAM copy AS SELECT id, qty FROM orders;");
    put_order(f, 0, "x", 1);
    rig_drain(f);
    assert_int_equal(runtime_pause(f->rt, plan->query_id, NULL), 0);
    for (int i = 1; i < 1000; i++) {
        put_order(f, i, "x", 1);
    }
    rig_drain(f);
    assert_int_equal(rig_count(f, "TOTALS"), 1);
    assert_int_equal(rig_count(f, "COPY"), 1000);
    assert_int_equal(runtime_query_status(f->rt, plan->query_id, &status, NULL), 0);
    assert_int_equal(status.state, QUERY_PAUSED);
    if (f->mode == RUNTIME_STEPPED) {
        assert_int_equal(runtime_crash(f->rt, NULL), 0);
        rig_drain(f);
        assert_int_equal(rig_count(f, "TOTALS"), 1);
    }
    assert_int_equal(runtime_resume(f->rt, plan->query_id, NULL), 0);
    rig_drain(f);
    assert_int_equal(rig_count(f, "TOTALS"), 1000);
    assert_non_null(strstr(rig_read(f, "TOTALS").data, "x={\"N\":1000}@"));
    assert_int_equal(runtime_query_status(f->rt, plan->query_id, &status, NULL), 0);
    assert_int_equal(status.state, QUERY_RUNNING);
    assert_int_equal(runtime_pause(f->rt, bytes_of("NOSUCH"), NULL), ERR_UNKNOWN_QUERY);
}

static void a_paused_query_keeps_its_place_while_others_read_on(void **state)
{
    struct rig f;

    (void)state;
    begin(&f, 2);
    pause_and_go_on(&f);
    rig_fini(&f);
}

static void a_query_is_paused_in_threads_too(void **state)
{
    struct rig f;

    (void)state;
    rig_init(&f);
    clock_init_real(&f.clock);
    f.mode = RUNTIME_THREADED;
    f.workers = 2;
    rig_open(&f, "node");
    rig_topic(&f, "orders", 2);
    rig_sql(&f, orders);
    pause_and_go_on(&f);
    rig_fini(&f);
}

static void a_query_may_start_paused(void **state)
{
    const struct physical_plan *plan;
    struct rig f;

    (void)state;
    begin(&f, 1);
    put_order(&f, 1, "x", 1);
    f.options.paused = true;
    plan = rig_sql(&f, "CREATE STREAM copy AS SELECT id, qty FROM orders;");
    rig_drain(&f);
    assert_int_equal(rig_count(&f, "COPY"), 0);
    assert_int_equal(runtime_resume(f.rt, plan->query_id, NULL), 0);
    rig_drain(&f);
    assert_int_equal(rig_count(&f, "COPY"), 1);
    rig_fini(&f);
}

/* --- exactly once --- */

enum { KEYS = 5, UPDATES = 400 };

/* Every key's counts must run 1, 2, 3 ... without a gap, a repeat or a step back. */
static void check_counts(struct rig *f, const int *expected)
{
    struct bytes text = rig_read(f, "TOTALS");
    int seen[KEYS] = { 0 };

    for (const char *line = text.data; *line; line = strchr(line, '\n') + 1) {
        int key = line[1] - '0';
        const char *n = strstr(line, "\"N\":");

        assert_non_null(n);
        seen[key]++;
        assert_int_equal(strtol(n + 4, NULL, 10), seen[key]);
    }
    for (int k = 0; k < KEYS; k++) {
        assert_int_equal(seen[k], expected[k]);
    }
}

static void random_fault(struct rig *f, unsigned *seed)
{
    static const enum log_fault faults[] = { LOG_FAULT_COMMIT_LOST, LOG_FAULT_COMMIT_APPLIED,
                                             LOG_FAULT_COMMIT_FENCED };
    struct error err = { 0 };
    int dice = rand_r(seed) % 12;

    if (dice < 3) {
        log_memory_fail(f->log, faults[dice], 1 + (unsigned)rand_r(seed) % 3);
    } else if (dice < 6) {
        assert_int_equal(runtime_crash(f->rt, &err), 0);
    } else if (dice < 9) {
        runtime_step(f->rt);
    }
}

static void run_with_faults(unsigned seed, size_t cache_bytes)
{
    struct rig f;
    int expected[KEYS] = { 0 };

    begin(&f, 3);
    f.options.cache_bytes = cache_bytes;
    f.batch_rows = 7;
    log_memory_set_gaps(f.log, seed % 2);
    rig_sql(&f, "CREATE TABLE totals AS SELECT item, COUNT(*) AS n FROM orders GROUP BY item;");
    for (int i = 0; i < UPDATES; i++) {
        char item[4];
        int key = rand_r(&seed) % KEYS;

        snprintf(item, sizeof item, "k%d", key);
        put_order(&f, i, item, 1);
        expected[key]++;
        random_fault(&f, &seed);
        if (i % 50 == 49) {
            clock_advance(&f.clock, 60000); /* lets back-off pass */
        }
    }
    clock_advance(&f.clock, 60000);
    rig_drain(&f);
    if (cache_bytes == 0) {
        check_counts(&f, expected);
    } else {
        char last[64];

        for (int k = 0; k < KEYS; k++) {
            snprintf(last, sizeof last, "k%d={\"N\":%d}@", k, expected[k]);
            assert_non_null(strstr(rig_read(&f, "TOTALS").data, last));
        }
    }
    rig_fini(&f);
}

static void crashes_and_lost_commits_lose_and_repeat_nothing(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= 12; seed++) {
        run_with_faults(seed, 0);
    }
}

static void crashes_with_an_emission_buffer_end_at_the_same_rows(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= 6; seed++) {
        run_with_faults(seed, 100000);
    }
}

static void another_node_goes_on_where_the_first_ended(void **state)
{
    struct rig f;
    const struct physical_plan *plan;
    int expected[KEYS] = { 0 };

    (void)state;
    begin(&f, 3);
    plan = rig_sql(&f, "CREATE TABLE totals AS SELECT item, COUNT(*) AS n FROM orders "
                       "GROUP BY item;");
    for (int i = 0; i < 100; i++) {
        char item[4];

        if (i == 50) {
            rig_drain(&f);
            runtime_close(f.rt);
            rig_open(&f, "other");
            rig_start(&f, plan);
        }
        snprintf(item, sizeof item, "k%d", i % KEYS);
        put_order(&f, i, item, 1);
        expected[i % KEYS]++;
    }
    rig_drain(&f);
    check_counts(&f, expected);
    rig_fini(&f);
}

static void stopped_query_leaves_no_internal_topics(void **state)
{
    struct rig f;
    const struct physical_plan *plan;
    const struct log_topic **topics;
    uint32_t count = 0;

    (void)state;
    begin(&f, 1);
    plan = rig_sql(&f, "CREATE TABLE totals AS SELECT item, COUNT(*) AS n FROM orders "
                       "GROUP BY item;");
    put_order(&f, 1, "a", 1);
    rig_drain(&f);
    assert_int_equal(runtime_stop(f.rt, plan->query_id, NULL), 0);
    assert_int_equal(log_list_topics(f.log, &f.arena, &topics, &count, NULL), 0);
    for (uint32_t i = 0; i < count; i++) {
        assert_null(strstr(arena_copy_text(&f.arena, topics[i]->name), "changelog"));
        assert_null(strstr(arena_copy_text(&f.arena, topics[i]->name), "repartition"));
    }
    assert_int_equal(runtime_stop(f.rt, plan->query_id, NULL), ERR_UNKNOWN_QUERY);
    rig_fini(&f);
}

/* --- threads --- */

static void threads_do_what_steps_do(void **state)
{
    struct rig f;
    int expected[KEYS] = { 0 };

    (void)state;
    rig_init(&f);
    clock_init_real(&f.clock);
    f.mode = RUNTIME_THREADED;
    f.workers = 2;
    rig_open(&f, "node");
    rig_topic(&f, "orders", 4);
    rig_sql(&f, orders);
    rig_sql(&f, "CREATE TABLE totals AS SELECT item, COUNT(*) AS n FROM orders GROUP BY item;");
    rig_sql(&f, "CREATE STREAM copy AS SELECT id, qty FROM orders WHERE qty >= 0;");
    for (int i = 0; i < 2000; i++) {
        char item[4];

        snprintf(item, sizeof item, "k%d", i % KEYS);
        put_order(&f, i, item, 1);
        expected[i % KEYS]++;
    }
    rig_drain(&f);
    check_counts(&f, expected);
    assert_int_equal(rig_count(&f, "COPY"), 2000);
    rig_fini(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(filter_and_projection_reach_the_sink),
        cmocka_unit_test(bad_records_are_skipped_and_counted_and_the_others_run),
        cmocka_unit_test(aggregate_goes_through_a_repartition_topic),
        cmocka_unit_test(earliest_and_latest_queries_share_a_reader),
        cmocka_unit_test(slow_client_is_detached_and_misses_nothing),
        cmocka_unit_test(a_paused_query_keeps_its_place_while_others_read_on),
        cmocka_unit_test(a_query_is_paused_in_threads_too),
        cmocka_unit_test(a_query_may_start_paused),
        cmocka_unit_test(crashes_and_lost_commits_lose_and_repeat_nothing),
        cmocka_unit_test(crashes_with_an_emission_buffer_end_at_the_same_rows),
        cmocka_unit_test(another_node_goes_on_where_the_first_ended),
        cmocka_unit_test(stopped_query_leaves_no_internal_topics),
        cmocka_unit_test(threads_do_what_steps_do),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
