/*
 * test_runtime_at_least_once.c: without transactions nothing is lost, positions are never ahead
 * of what they speak of, and a refused record is its own query's affair.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/runtime/runtime_internal.h"
#include "tests/unit/runtime_rig.h"

static const char *const orders = "CREATE STREAM orders (id STRING KEY, item STRING, qty INT) "
                                  "WITH (KAFKA_TOPIC='orders', VALUE_FORMAT='JSON');";

static void begin(struct rig *f, uint32_t partitions, uint32_t workers)
{
    rig_init(f);
    f->guarantee = AT_LEAST_ONCE;
    f->workers = workers;
    rig_open(f, "node");
    rig_topic(f, "orders", partitions);
    rig_sql(f, orders);
}

/* How often each of the orders o0, o1, ... is in the topic. */
static void count_orders(struct rig *f, const char *topic, uint32_t *counts, uint32_t most)
{
    struct bytes text = rig_read(f, topic);
    const char *at = text.data, *end = text.data + text.len;

    memset(counts, 0, most * sizeof *counts);
    while (at < end) {
        long number = strtol(at + 1, NULL, 10);

        assert_true(number >= 0 && number < (long)most);
        counts[number]++;
        at = (const char *)memchr(at, '\n', (size_t)(end - at)) + 1;
    }
}

static void check_each(struct rig *f, const char *topic, uint32_t most, uint32_t at_most)
{
    uint32_t counts[9000];

    assert_true(most <= 9000);
    count_orders(f, topic, counts, most);
    for (uint32_t i = 0; i < most; i++) {
        assert_in_range(counts[i], 1, at_most);
    }
}

static enum query_state state_of(struct rig *f, const struct physical_plan *plan)
{
    struct query_status status;
    struct error err = { 0 };

    assert_int_equal(runtime_query_status(f->rt, plan->query_id, &status, &err), 0);
    return status.state;
}

static void without_a_fault_each_record_counts_once(void **state)
{
    struct rig f;

    (void)state;
    begin(&f, 4, 2);
    rig_sql(&f, "CREATE STREAM copy AS SELECT id, qty FROM orders;");
    rig_sql(&f, "CREATE TABLE totals AS SELECT item, COUNT(*) AS n FROM orders GROUP BY item;");
    for (int i = 0; i < 5; i++) {
        rig_put_many(&f, "orders", i * 500, i * 500 + 500);
        rig_drain(&f);
    }
    check_each(&f, "COPY", 2500, 1);
    assert_int_equal(rig_count(&f, "TOTALS"), 2500);
    rig_fini(&f);
}

static void nothing_is_lost_in_crashes(void **state)
{
    (void)state;
    for (int steps = 1; steps < 12; steps++) {
        struct error err = { 0 };
        struct rig f;

        begin(&f, 3, 2);
        rig_sql(&f, "CREATE STREAM copy AS SELECT id, qty FROM orders;");
        rig_sql(&f, "CREATE TABLE totals AS SELECT item, COUNT(*) AS n FROM orders GROUP BY item;");
        rig_drain(&f);
        for (int i = 0; i < 6; i++) {
            rig_put_many(&f, "orders", i * 1000, i * 1000 + 1000);
            for (int n = 0; n < steps; n++) {
                runtime_step(f.rt);
            }
            assert_int_equal(runtime_crash(f.rt, &err), 0);
        }
        rig_drain(&f);
        check_each(&f, "COPY", 6000, 100);
        assert_true(rig_count(&f, "TOTALS") >= 6000);
        rig_fini(&f);
    }
}

static int64_t progress_end(struct rig *f)
{
    const struct log_topic *topic = NULL;
    struct log_range range;
    int64_t sum = 0;

    assert_int_equal(
        log_open_topic(f->log, (struct bytes)BYTES("_sluice-test-progress"), &topic, NULL), 0);
    for (uint32_t p = 0; p < topic->partition_count; p++) {
        assert_int_equal(log_topic_range(f->log, topic, p, READ_COMMITTED, &range, NULL), 0);
        sum += range.end;
    }
    return sum;
}

/* The commit is held back as its own thread would (see test_runtime_commit.c). */
static void positions_wait_for_what_they_speak_of(void **state)
{
    struct rig f;
    struct worker *worker;
    struct error err = { 0 };
    int64_t before;
    int code;

    (void)state;
    begin(&f, 1, 1);
    rig_sql(&f, "CREATE STREAM copy AS SELECT id, qty FROM orders;");
    rig_drain(&f);
    before = progress_end(&f);
    rig_put_many(&f, "orders", 0, 10);
    worker = &f.rt->workers[0];
    worker->has_threads = true;
    for (int i = 0; i < 1000 && worker->phase != WORKER_COMMITTING; i++) {
        runtime_step(f.rt);
    }
    assert_int_equal(worker->phase, WORKER_COMMITTING);
    assert_int_equal(rig_count(&f, "COPY"), 10);
    assert_int_equal(progress_end(&f), before);
    code = commit_execute(worker, &err);
    assert_int_equal(code, 0);
    assert_true(progress_end(&f) > before);
    worker->has_threads = false;
    worker->commit_requested = false;
    commit_finish(worker, code, &err);
    rig_fini(&f);
}

enum { QUERIES = 4 };

/* There is no transaction to spoil, so the others need not even go back. */
static void refuse_one(uint32_t countdown, uint32_t workers)
{
    const struct physical_plan *plans[QUERIES];
    uint32_t failed = 0;
    struct rig f;

    begin(&f, 4, workers);
    for (int i = 0; i < QUERIES; i++) {
        char sql[128];

        snprintf(sql, sizeof sql, "CREATE STREAM copy%d AS SELECT id, item, qty FROM orders;", i);
        plans[i] = rig_sql(&f, sql);
    }
    rig_drain(&f);
    rig_put_many(&f, "orders", 0, 8000);
    log_memory_fail(f.log, LOG_FAULT_APPEND_REFUSED, countdown);
    rig_drain(&f);
    for (int i = 0; i < QUERIES; i++) {
        failed += state_of(&f, plans[i]) == QUERY_ERROR;
    }
    for (int i = 0; i < QUERIES && failed > 0; i++) { /* else it was a position: all go back */
        char sink[16];

        snprintf(sink, sizeof sink, "COPY%d", i);
        if (state_of(&f, plans[i]) != QUERY_ERROR) {
            assert_int_equal(rig_count(&f, sink), 8000);
        }
    }
    assert_true(failed <= 1);
    log_memory_fail(f.log, LOG_FAULT_APPEND_REFUSED, 0);
    clock_advance(&f.clock, 40000);
    rig_put_many(&f, "orders", 8000, 9000);
    rig_drain(&f);
    for (int i = 0; i < QUERIES; i++) {
        char sink[16];

        snprintf(sink, sizeof sink, "COPY%d", i);
        assert_int_equal(state_of(&f, plans[i]), QUERY_RUNNING);
        check_each(&f, sink, 9000, 2);
    }
    rig_fini(&f);
}

static void refused_record_loses_nothing_and_sets_nobody_else_back(void **state)
{
    (void)state;
    for (uint32_t countdown = 1; countdown < 40; countdown += 3) {
        refuse_one(countdown, 1 + countdown % 2);
    }
}

/* A crash behind the refusal finds the others where they really stand. */
static void refused_record_moves_no_position(void **state)
{
    (void)state;
    for (uint32_t countdown = 1; countdown < 24; countdown++) {
        struct error err = { 0 };
        struct rig f;

        begin(&f, 2, 1);
        rig_sql(&f, "CREATE STREAM one AS SELECT id, qty FROM orders;");
        rig_sql(&f, "CREATE TABLE totals AS SELECT id, COUNT(*) AS n FROM orders GROUP BY id;");
        rig_sql(&f, "CREATE STREAM two AS SELECT id, qty FROM orders;");
        rig_put_many(&f, "orders", 0, 3000);
        log_memory_fail(f.log, LOG_FAULT_APPEND_REFUSED, countdown);
        rig_drain(&f);
        log_memory_fail(f.log, LOG_FAULT_APPEND_REFUSED, 0);
        assert_int_equal(runtime_crash(f.rt, &err), 0);
        clock_advance(&f.clock, 40000);
        rig_put_many(&f, "orders", 3000, 4000);
        rig_drain(&f);
        check_each(&f, "ONE", 4000, 3);
        check_each(&f, "TWO", 4000, 3);
        check_each(&f, "TOTALS", 4000, 3);
        rig_fini(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_fault_each_record_counts_once),
        cmocka_unit_test(nothing_is_lost_in_crashes),
        cmocka_unit_test(positions_wait_for_what_they_speak_of),
        cmocka_unit_test(refused_record_loses_nothing_and_sets_nobody_else_back),
        cmocka_unit_test(refused_record_moves_no_position),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
