/*
 * test_runtime_cursors.c: readers and their two cursors: nobody is left behind, nothing is
 * read in vain, and what was decoded lives as long as somebody needs it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/runtime_rig.h"

static void declare(struct rig *f, const char *stream, const char *topic)
{
    char sql[256];

    snprintf(sql, sizeof sql,
             "CREATE STREAM %s (id STRING KEY, item STRING, qty INT) "
             "WITH (KAFKA_TOPIC='%s', VALUE_FORMAT='JSON');",
             stream, topic);
    rig_sql(f, sql);
}

static void begin(struct rig *f, uint32_t partitions)
{
    rig_init(f);
    rig_open(f, "node");
    rig_topic(f, "orders", partitions);
    declare(f, "orders", "orders");
}

static void put_orders(struct rig *f, int from, int upto)
{
    rig_put_many(f, "orders", from, upto);
}

static uint64_t drain_client(struct row_queue *queue)
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

/* Takes until all rows were had; the number of steps of the runtime it took. */
static uint64_t steps_until(struct rig *f, struct row_queue *queue, uint64_t rows)
{
    uint64_t got = 0, steps = 0;

    while (got < rows && steps < 1000000) {
        while (runtime_step(f->rt)) {
            steps++;
        }
        steps++;
        got += drain_client(queue);
    }
    assert_int_equal(got, rows);
    return steps;
}

static void two_sources_over_a_topic_are_both_read_from_its_start(void **state)
{
    struct rig f;

    (void)state;
    begin(&f, 1);
    declare(&f, "again", "orders");
    put_orders(&f, 0, 500);
    rig_sql(&f, "CREATE STREAM one AS SELECT id, qty FROM orders;");
    rig_drain(&f);
    rig_sql(&f, "CREATE STREAM two AS SELECT id, qty FROM again;");
    rig_drain(&f);
    assert_int_equal(rig_count(&f, "ONE"), 500);
    assert_int_equal(rig_count(&f, "TWO"), 500);
    rig_fini(&f);
}

static void client_that_was_full_is_served_on(void **state)
{
    struct rig f;
    struct row_queue *queue = row_queue_create(2000);
    const struct physical_plan *plan;

    (void)state;
    begin(&f, 1);
    put_orders(&f, 0, 20000);
    plan = rig_push(&f, "SELECT id, qty FROM orders EMIT CHANGES;", queue);
    steps_until(&f, queue, 20000);
    assert_int_equal(runtime_stop(f.rt, plan->query_id, NULL), 0);
    row_queue_destroy(queue);
    rig_fini(&f);
}

/* Were the log read to its end each time, it would be the number of rows squared. */
static void slow_client_among_fast_queries_costs_no_extra_passes(void **state)
{
    struct rig f;
    struct row_queue *queue = row_queue_create(2000);
    const struct physical_plan *plan;
    uint64_t steps;

    (void)state;
    begin(&f, 1);
    rig_sql(&f, "CREATE STREAM copy AS SELECT id, qty FROM orders;");
    put_orders(&f, 0, 30000);
    rig_drain(&f);
    plan = rig_push(&f, "SELECT id, qty FROM orders EMIT CHANGES;", queue);
    steps = steps_until(&f, queue, 30000);
    assert_true(steps < 2000);
    assert_int_equal(rig_count(&f, "COPY"), 30000);
    assert_int_equal(runtime_stop(f.rt, plan->query_id, NULL), 0);
    row_queue_destroy(queue);
    rig_fini(&f);
}

/* The first takes a few rows each time, which must not bring the elevator back each time. */
static void slow_client_does_not_keep_the_catch_up_from_others(void **state)
{
    struct rig f;
    struct row_queue *slow = row_queue_create(500), *fast = row_queue_create(1 << 26);
    uint64_t got = 0;
    int rounds = 0;

    (void)state;
    begin(&f, 1);
    rig_sql(&f, "CREATE STREAM copy AS SELECT id, qty FROM orders;");
    put_orders(&f, 0, 20000);
    rig_drain(&f);
    rig_push(&f, "SELECT id, qty FROM orders EMIT CHANGES;", slow);
    for (int i = 0; i < 20; i++) {
        runtime_step(f.rt);
        drain_client(slow);
    }
    rig_push(&f, "SELECT id, qty FROM orders EMIT CHANGES;", fast);
    while (got < 20000 && rounds++ < 1000) {
        runtime_step(f.rt);
        drain_client(slow);
        got += drain_client(fast);
    }
    assert_int_equal(got, 20000);
    rig_fini(&f);
    row_queue_destroy(slow);
    row_queue_destroy(fast);
}

static void batches_outlive_the_decoder_that_made_them(void **state)
{
    struct rig f;
    const struct physical_plan *plan;
    const struct log_topic *topic;
    struct error err = { 0 };

    (void)state;
    begin(&f, 1);
    put_orders(&f, 0, 200);
    f.options.gate = QUERY_GATED;
    plan = rig_sql(&f, "CREATE STREAM narrow AS SELECT id, qty FROM orders;");
    assert_int_equal(log_open_topic(f.log, (struct bytes)BYTES("orders"), &topic, &err), 0);
    assert_int_equal(runtime_open_gate(f.rt, plan->query_id, topic, 0, 10, &err), 0);
    rig_drain(&f);
    assert_int_equal(rig_count(&f, "NARROW"), 10);
    f.options.gate = QUERY_FREE;
    rig_sql(&f, "CREATE STREAM wide AS SELECT id, item, qty FROM orders;");
    assert_int_equal(runtime_open_gate(f.rt, plan->query_id, topic, 0, 1000, &err), 0);
    rig_drain(&f);
    assert_int_equal(rig_count(&f, "NARROW"), 200);
    assert_int_equal(rig_count(&f, "WIDE"), 200);
    rig_fini(&f);
}

static void bad_record_is_told_once_to_each_query_that_reads_it(void **state)
{
    struct rig f;
    struct row_queue *queue = row_queue_create(2000);

    (void)state;
    begin(&f, 1);
    rig_sql(&f, "CREATE STREAM copy AS SELECT id, qty FROM orders;");
    for (int i = 0; i < 40; i++) {
        put_orders(&f, i * 100, i * 100 + 100);
        rig_put(&f, "orders", "bad", "{\"QTY\":true}", i);
    }
    rig_push(&f, "SELECT id, qty FROM orders EMIT CHANGES;", queue);
    steps_until(&f, queue, 4000);
    rig_drain(&f);
    assert_int_equal(rig_count(&f, "COPY"), 4000);
    assert_int_equal(f.skipped, 80);
    rig_fini(&f);
    row_queue_destroy(queue);
}

static uint64_t rows_in(struct rig *f, const struct physical_plan *plan)
{
    struct query_status status;
    struct error err = { 0 };

    assert_int_equal(runtime_query_status(f->rt, plan->query_id, &status, &err), 0);
    return status.rows_in;
}

static void rows_that_a_query_has_read_are_counted(void **state)
{
    struct rig f;
    const struct physical_plan *plan;

    (void)state;
    begin(&f, 2);
    plan = rig_sql(&f, "CREATE STREAM copy AS SELECT id, qty FROM orders WHERE qty > 10000000;");
    put_orders(&f, 0, 300);
    rig_drain(&f);
    assert_int_equal(rows_in(&f, plan), 300);
    rig_fini(&f);
}

static void query_without_a_listener_does_no_work(void **state)
{
    struct rig f;
    struct row_queue *gone = row_queue_create(1 << 20), *had = row_queue_create(1 << 20);
    const struct physical_plan *left, *limited;

    (void)state;
    begin(&f, 1);
    left = rig_push(&f, "SELECT id, qty FROM orders EMIT CHANGES;", gone);
    limited = rig_push(&f, "SELECT id, qty FROM orders EMIT CHANGES LIMIT 3;", had);
    put_orders(&f, 0, 10);
    rig_drain(&f);
    assert_int_equal(drain_client(had), 3);
    row_queue_close(gone);
    put_orders(&f, 10, 5000);
    rig_drain(&f);
    assert_int_equal(rows_in(&f, left), 10);
    assert_int_equal(rows_in(&f, limited), 10);
    rig_fini(&f);
    row_queue_destroy(gone);
    row_queue_destroy(had);
}

static void transaction_markers_hold_nobody_up(void **state)
{
    struct rig f;

    (void)state;
    begin(&f, 1);
    log_memory_set_gaps(f.log, 1);
    f.batch_rows = 3;
    rig_sql(&f, "CREATE STREAM one AS SELECT id, qty FROM orders;");
    rig_sql(&f, "CREATE STREAM two AS SELECT id, qty FROM one;");
    for (int i = 0; i < 50; i++) {
        put_orders(&f, i * 10, i * 10 + 10);
        rig_drain(&f);
        if (i == 25) {
            rig_sql(&f, "CREATE STREAM three AS SELECT id, qty FROM one;");
        }
    }
    assert_string_equal(rig_read(&f, "ONE").data, rig_read(&f, "TWO").data);
    assert_string_equal(rig_read(&f, "ONE").data, rig_read(&f, "THREE").data);
    assert_int_equal(rig_count(&f, "ONE"), 500);
    rig_fini(&f);
}

static void deleted_records_are_passed_over(void **state)
{
    struct rig f;
    const struct log_topic *topic;
    struct row_queue *queue = row_queue_create(500);

    (void)state;
    begin(&f, 1);
    rig_sql(&f, "CREATE STREAM copy AS SELECT id, qty FROM orders;");
    put_orders(&f, 0, 10000);
    rig_drain(&f);
    rig_push(&f, "SELECT id, qty FROM orders EMIT CHANGES;", queue);
    rig_drain(&f);
    assert_int_equal(log_open_topic(f.log, (struct bytes)BYTES("orders"), &topic, NULL), 0);
    assert_int_equal(log_delete_records(f.log, topic, 0, 9000, NULL), 0);
    put_orders(&f, 10000, 10100);
    for (int i = 0; i < 100; i++) {
        rig_drain(&f);
        drain_client(queue);
    }
    rig_drain(&f);
    assert_int_equal(rig_count(&f, "COPY"), 10100);
    put_orders(&f, 10100, 10101);
    rig_drain(&f);
    assert_int_equal(drain_client(queue), 1);
    rig_fini(&f);
    row_queue_destroy(queue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_sources_over_a_topic_are_both_read_from_its_start),
        cmocka_unit_test(client_that_was_full_is_served_on),
        cmocka_unit_test(slow_client_among_fast_queries_costs_no_extra_passes),
        cmocka_unit_test(slow_client_does_not_keep_the_catch_up_from_others),
        cmocka_unit_test(batches_outlive_the_decoder_that_made_them),
        cmocka_unit_test(bad_record_is_told_once_to_each_query_that_reads_it),
        cmocka_unit_test(rows_that_a_query_has_read_are_counted),
        cmocka_unit_test(query_without_a_listener_does_no_work),
        cmocka_unit_test(transaction_markers_hold_nobody_up),
        cmocka_unit_test(deleted_records_are_passed_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
