/*
 * test_runtime_commit.c: what happens while a commit is under way, and what a refused or
 * lost one takes with it.
 *
 * A commit is held back as its own thread would: the worker is told that it has threads, so
 * it asks for the commit and goes on; the test then commits in the thread's place.
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

static void begin(struct rig *f, uint32_t partitions)
{
    rig_init(f);
    rig_open(f, "node");
    rig_topic(f, "orders", partitions);
    rig_sql(f, orders);
}

static struct worker *worker_of(struct rig *f)
{
    return &f->rt->workers[0];
}

static void step_all(struct rig *f)
{
    for (int i = 0; i < 1000 && runtime_step(f->rt); i++) {
    }
}

/* Steps until a commit is under way; it stays so. */
static void hold_commit(struct rig *f)
{
    struct worker *worker = worker_of(f);

    worker->has_threads = true;
    for (int i = 0; i < 1000 && worker->phase != WORKER_COMMITTING; i++) {
        runtime_step(f->rt);
    }
    assert_int_equal(worker->phase, WORKER_COMMITTING);
}

static void release_commit(struct rig *f)
{
    struct worker *worker = worker_of(f);
    struct error err = { 0 };
    int code;

    assert_int_equal(worker->phase, WORKER_COMMITTING);
    code = commit_execute(worker, &err);
    worker->has_threads = false;
    worker->commit_requested = false;
    commit_finish(worker, code, &err);
}

static void reading_goes_on_after_a_commit_that_filled_the_queues(void **state)
{
    struct rig f;

    (void)state;
    begin(&f, 1);
    rig_sql(&f, "CREATE STREAM copy AS SELECT id, qty FROM orders;");
    rig_put_many(&f, "orders", 0, 10);
    hold_commit(&f);
    rig_put_many(&f, "orders", 10, 20000);
    step_all(&f);
    release_commit(&f);
    rig_drain(&f);
    assert_int_equal(rig_count(&f, "COPY"), 20000);
    rig_fini(&f);
}

/* What is decoded ahead waits for its tasks instead of passing them by. */
static void rows_decoded_during_a_commit_are_not_read_again(void **state)
{
    struct rig f;
    uint64_t steps = 0;

    (void)state;
    begin(&f, 1);
    rig_sql(&f, "CREATE STREAM copy AS SELECT id, qty FROM orders;");
    for (int i = 0; i < 20; i++) {
        rig_put_many(&f, "orders", i * 5000, i * 5000 + 5000);
        hold_commit(&f);
        step_all(&f);
        release_commit(&f);
        for (int n = 0; n < 10; n++) {
            steps += runtime_step(f.rt);
        }
    }
    while (runtime_step(f.rt)) {
        steps++;
    }
    assert_int_equal(rig_count(&f, "COPY"), 100000);
    assert_true(steps < 700);
    rig_fini(&f);
}

/* Its tasks make room as soon as they run again. */
static void queue_that_is_full_behind_a_commit_is_not_passed_by(void **state)
{
    struct rig f;
    const struct reader *reader;

    (void)state;
    begin(&f, 1);
    rig_sql(&f, "CREATE STREAM copy AS SELECT id, qty FROM orders;");
    rig_put_many(&f, "orders", 0, 10);
    hold_commit(&f);
    rig_put_many(&f, "orders", 10, 20000);
    step_all(&f);
    reader = worker_of(&f)->tasks->inputs[0].reader;
    assert_non_null(reader->pending);
    release_commit(&f);
    do {
        assert_true(atomic_load(&reader->subscriber.lagging) == INT64_MAX);
    } while (runtime_step(f.rt));
    assert_int_equal(rig_count(&f, "COPY"), 20000);
    rig_fini(&f);
}

static void topic_that_vanishes_during_a_commit_stops_the_query_behind_it(void **state)
{
    struct rig f;
    struct query_status status;
    const struct physical_plan *plan;
    struct error err = { 0 };

    (void)state;
    begin(&f, 1);
    plan = rig_sql(&f, "CREATE STREAM copy AS SELECT id, qty FROM orders;");
    rig_drain(&f);
    rig_put_many(&f, "orders", 0, 10);
    hold_commit(&f);
    assert_int_equal(log_delete_topic(f.log, (struct bytes)BYTES("orders"), &err), 0);
    step_all(&f);
    release_commit(&f);
    step_all(&f);
    assert_int_equal(rig_count(&f, "COPY"), 10);
    assert_int_equal(runtime_query_status(f.rt, plan->query_id, &status, &err), 0);
    assert_int_equal(status.state, QUERY_ERROR);
    rig_fini(&f);
}

/* --- refused records --- */

static enum query_state state_of(struct rig *f, const struct physical_plan *plan)
{
    struct query_status status;
    struct error err = { 0 };

    assert_int_equal(runtime_query_status(f->rt, plan->query_id, &status, &err), 0);
    return status.state;
}

enum { QUERIES = 4 };

/* Each in turn has a record refused: it alone is in error, the others miss and repeat nothing. */
static void refuse_one(uint32_t countdown, uint32_t workers)
{
    struct rig f;
    const struct physical_plan *plans[QUERIES];
    uint32_t failed = 0;

    rig_init(&f);
    f.workers = workers;
    rig_open(&f, "node");
    rig_topic(&f, "orders", 4);
    rig_sql(&f, orders);
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
        char sink[16];

        snprintf(sink, sizeof sink, "COPY%d", i);
        failed += state_of(&f, plans[i]) == QUERY_ERROR;
        if (state_of(&f, plans[i]) != QUERY_ERROR) {
            assert_int_equal(rig_count(&f, sink), 8000);
        }
    }
    assert_true(failed <= 1);
    log_memory_fail(f.log, LOG_FAULT_APPEND_REFUSED, 0);
    rig_put_many(&f, "orders", 8000, 8500);
    rig_drain(&f);
    rig_put_many(&f, "orders", 8500, 9000);
    clock_advance(&f.clock, 40000);
    rig_drain(&f);
    for (int i = 0; i < QUERIES; i++) {
        char sink[16];

        snprintf(sink, sizeof sink, "COPY%d", i);
        assert_int_equal(state_of(&f, plans[i]), QUERY_RUNNING);
        assert_int_equal(rig_count(&f, sink), 9000);
    }
    rig_fini(&f);
}

static void refused_record_stops_its_query_alone(void **state)
{
    (void)state;
    for (uint32_t countdown = 1; countdown < 30; countdown += 3) {
        refuse_one(countdown, 1);
    }
}

static void query_that_failed_on_one_worker_comes_back_on_all(void **state)
{
    (void)state;
    for (uint32_t countdown = 1; countdown < 30; countdown += 3) {
        refuse_one(countdown, 2);
    }
}

static void stopped_culprit_is_not_blamed_for_what_comes_later(void **state)
{
    struct rig f;
    const struct physical_plan *first, *second;
    struct error err = { 0 };

    (void)state;
    begin(&f, 1);
    first = rig_sql(&f, "CREATE STREAM one AS SELECT id, qty FROM orders;");
    rig_drain(&f);
    rig_put_many(&f, "orders", 0, 10);
    log_memory_fail(f.log, LOG_FAULT_APPEND_REFUSED, 1);
    (void)runtime_stop(f.rt, first->query_id, &err);
    second = rig_sql(&f, "CREATE STREAM two AS SELECT id, qty FROM orders;");
    rig_drain(&f);
    rig_put_many(&f, "orders", 10, 20);
    log_memory_fail(f.log, LOG_FAULT_APPEND_REFUSED, 1);
    rig_drain(&f);
    assert_int_equal(state_of(&f, second), QUERY_ERROR);
    clock_advance(&f.clock, 40000);
    rig_drain(&f);
    assert_int_equal(rig_count(&f, "TWO"), 20);
    rig_fini(&f);
}

static void push_query_with_a_lost_topic_ends_and_blames_nobody_else(void **state)
{
    struct rig f;
    struct row_queue *queue = row_queue_create(1 << 20);
    const struct physical_plan *copy;

    (void)state;
    begin(&f, 1);
    copy = rig_sql(&f, "CREATE STREAM copy AS SELECT id, qty FROM orders;");
    rig_push(&f, "SELECT item, COUNT(*) AS n FROM orders GROUP BY item EMIT CHANGES;", queue);
    rig_drain(&f);
    log_memory_fail(f.rt->transient_log, LOG_FAULT_APPEND_REFUSED, 1);
    rig_put_many(&f, "orders", 0, 100);
    rig_drain(&f);
    assert_non_null(row_queue_message(queue));
    assert_int_equal(rig_count(&f, "COPY"), 100);
    rig_put_many(&f, "orders", 100, 200);
    log_memory_fail(f.log, LOG_FAULT_APPEND_REFUSED, 1);
    rig_drain(&f);
    assert_int_equal(state_of(&f, copy), QUERY_ERROR);
    clock_advance(&f.clock, 40000);
    rig_drain(&f);
    assert_int_equal(rig_count(&f, "COPY"), 200);
    rig_fini(&f);
    row_queue_destroy(queue);
}

/* --- topics that vanish --- */

static void vanished_source_stops_its_readers_until_it_is_back(void **state)
{
    struct rig f;
    const struct physical_plan *copy, *totals, *other;
    struct row_queue *queue = row_queue_create(1 << 20);
    struct error err = { 0 };

    (void)state;
    begin(&f, 2);
    rig_topic(&f, "others", 2);
    rig_sql(&f, "CREATE STREAM others (id STRING KEY, item STRING, qty INT) "
                "WITH (KAFKA_TOPIC='others', VALUE_FORMAT='JSON');");
    copy = rig_sql(&f, "CREATE STREAM copy AS SELECT id, qty FROM orders;");
    totals = rig_sql(&f, "CREATE TABLE totals AS SELECT item, COUNT(*) AS n FROM orders "
                         "GROUP BY item;");
    other = rig_sql(&f, "CREATE STREAM other AS SELECT id, qty FROM others;");
    rig_push(&f, "SELECT id, qty FROM orders EMIT CHANGES;", queue);
    rig_put_many(&f, "orders", 0, 100);
    rig_drain(&f);
    assert_int_equal(log_delete_topic(f.log, (struct bytes)BYTES("orders"), &err), 0);
    rig_put_many(&f, "others", 0, 100);
    rig_drain(&f);
    assert_int_equal(state_of(&f, copy), QUERY_ERROR);
    assert_int_equal(state_of(&f, totals), QUERY_ERROR);
    assert_int_equal(state_of(&f, other), QUERY_RUNNING);
    assert_non_null(row_queue_message(queue));
    assert_int_equal(rig_count(&f, "OTHER"), 100);
    rig_topic(&f, "orders", 2);
    rig_put_many(&f, "orders", 100, 150);
    clock_advance(&f.clock, 40000);
    rig_drain(&f);
    assert_int_equal(rig_count(&f, "COPY"), 150);
    assert_int_equal(rig_count(&f, "TOTALS"), 150);
    assert_int_equal(state_of(&f, copy), QUERY_RUNNING);
    rig_fini(&f);
    row_queue_destroy(queue);
}

static void vanished_sink_stops_its_writer_until_it_is_back(void **state)
{
    struct rig f;
    const struct physical_plan *copy;

    (void)state;
    begin(&f, 1);
    copy = rig_sql(&f, "CREATE STREAM copy AS SELECT id, qty FROM orders;");
    rig_sql(&f, "CREATE STREAM other AS SELECT id, qty FROM orders WHERE qty >= 0;");
    rig_put_many(&f, "orders", 0, 100);
    rig_drain(&f);
    assert_int_equal(log_delete_topic(f.log, (struct bytes)BYTES("COPY"), NULL), 0);
    rig_put_many(&f, "orders", 100, 200);
    rig_drain(&f);
    assert_int_equal(state_of(&f, copy), QUERY_ERROR);
    assert_int_equal(rig_count(&f, "OTHER"), 200);
    rig_topic(&f, "COPY", 1);
    clock_advance(&f.clock, 40000);
    rig_drain(&f);
    assert_int_equal(rig_count(&f, "COPY"), 100);
    assert_int_equal(rig_count(&f, "OTHER"), 200);
    rig_fini(&f);
}

/* Whichever it is, the progress topic too: nobody hangs, and what is left is right. */
static void any_topic_may_vanish(void **state)
{
    (void)state;
    for (uint32_t countdown = 1; countdown <= 16; countdown++) {
        struct row_queue *queue = row_queue_create(1 << 20);
        const struct log_topic *topic = NULL;
        struct error err = { 0 };
        struct rig f;

        begin(&f, 2);
        rig_sql(&f, "CREATE STREAM copy AS SELECT id, qty FROM orders;");
        rig_sql(&f, "CREATE TABLE totals AS SELECT item, COUNT(*) AS n FROM orders "
                    "GROUP BY item;");
        rig_push(&f, "SELECT item, COUNT(*) AS n FROM orders GROUP BY item EMIT CHANGES;", queue);
        rig_put_many(&f, "orders", 0, 500);
        log_memory_fail(f.log, LOG_FAULT_TOPIC_VANISHES, countdown);
        for (int i = 0; i < 20; i++) {
            (void)runtime_drain(f.rt, &err);
            clock_advance(&f.clock, 20000);
        }
        if (!log_open_topic(f.log, (struct bytes)BYTES("COPY"), &topic, NULL)) {
            assert_true(rig_count(&f, "COPY") <= 500);
        }
        rig_fini(&f);
        row_queue_destroy(queue);
    }
}

static int64_t first_offset(struct log *log, struct bytes name)
{
    const struct log_topic *topic = NULL;
    struct log_range range = { 0 };

    assert_int_equal(log_open_topic(log, name, &topic, NULL), 0);
    assert_int_equal(log_topic_range(log, topic, 0, READ_COMMITTED, &range, NULL), 0);
    return range.begin;
}

static void repartition_topics_are_deleted_behind_their_readers(void **state)
{
    struct rig f;
    struct row_queue *queue = row_queue_create(1 << 26);
    const struct physical_plan *totals, *push;
    struct error err = { 0 };

    (void)state;
    begin(&f, 1);
    totals = rig_sql(&f, "CREATE TABLE totals AS SELECT item, COUNT(*) AS n FROM orders "
                         "GROUP BY item;");
    push =
        rig_push(&f, "SELECT item, COUNT(*) AS n FROM orders GROUP BY item EMIT CHANGES;", queue);
    for (int i = 0; i < 5; i++) {
        rig_put_many(&f, "orders", i * 4000, i * 4000 + 4000);
        rig_drain(&f);
    }
    assert_int_equal(runtime_crash(f.rt, &err), 0);
    rig_put_many(&f, "orders", 20000, 20100);
    rig_drain(&f);
    assert_true(first_offset(f.log, totals->outputs[0].topic) > 8000);
    assert_true(first_offset(f.rt->transient_log, push->outputs[0].topic) > 8000);
    assert_int_equal(rig_count(&f, "TOTALS"), 20100);
    rig_fini(&f);
    row_queue_destroy(queue);
}

/* A transaction of somebody else that came to nothing: offsets without records. */
static void abort_some(struct rig *f, const struct log_topic *topic, int count)
{
    struct writer_spec spec = { .client_id = BYTES("dead"), .transactional_id = BYTES("dead") };
    struct log_builder records = { 0 };
    struct log_writer *writer = NULL;

    assert_int_equal(log_writer_open(f->log, &spec, &writer, NULL), 0);
    assert_int_equal(log_writer_begin(writer, NULL), 0);
    for (int i = 0; i < count; i++) {
        log_builder_add(&records, (struct bytes)BYTES("k"), (struct bytes)BYTES("{}"), 0, NULL, 0);
    }
    assert_int_equal(log_writer_append(writer, topic, 0, &records, NULL, NULL), 0);
    assert_int_equal(log_writer_abort(writer, NULL), 0);
    log_writer_close(writer);
    log_builder_fini(&records);
}

static const struct task_input *input_reading(struct rig *f, const struct log_topic *topic)
{
    for (const struct task *task = worker_of(f)->tasks; task; task = task->next) {
        if (task->inputs[0].topic == topic) {
            return &task->inputs[0];
        }
    }
    fail_msg("no task reads the topic");
    return NULL;
}

/* What is passed while a commit is under way is not part of it. */
static void repartition_topics_are_not_deleted_beyond_what_is_committed(void **state)
{
    struct rig f;
    const struct physical_plan *totals;
    const struct log_topic *topic = NULL;
    const struct task_input *input;
    struct error err = { 0 };

    (void)state;
    begin(&f, 1);
    log_memory_set_gaps(f.log, 1);
    totals = rig_sql(&f, "CREATE TABLE totals AS SELECT item, COUNT(*) AS n FROM orders "
                         "GROUP BY item;");
    assert_int_equal(log_open_topic(f.log, totals->outputs[0].topic, &topic, NULL), 0);
    rig_put_many(&f, "orders", 0, 5000);
    do {
        hold_commit(&f);
        input = input_reading(&f, topic);
        if (input->processed < 5000) {
            release_commit(&f);
        }
    } while (input->processed < 5000);
    assert_true(input->task->in_commit);
    abort_some(&f, topic, 100);
    step_all(&f);
    assert_true(input->processed > 5100);
    release_commit(&f);
    rig_put_many(&f, "orders", 5000, 5001);
    hold_commit(&f);
    release_commit(&f); /* deletes what the one before has allowed */
    assert_true(first_offset(f.log, totals->outputs[0].topic) > 4000);
    assert_int_equal(runtime_crash(f.rt, &err), 0);
    input = input_reading(&f, topic);
    assert_true(input->committed >= first_offset(f.log, totals->outputs[0].topic));
    rig_drain(&f);
    assert_int_equal(rig_count(&f, "TOTALS"), 5001);
    rig_fini(&f);
}

static int64_t retry_in(struct rig *f, const struct physical_plan *plan)
{
    const struct query *query = map_find(&f->rt->queries, plan->query_id);

    assert_non_null(query);
    return query->retry_at_ms - clock_now_ms(&f->clock);
}

static void back_off_doubles_from_thirty_seconds_and_ends_with_health(void **state)
{
    static const int64_t expected[] = { 30000, 60000, 120000, 240000, 480000, 900000, 900000 };
    struct rig f;
    const struct physical_plan *copy;

    (void)state;
    begin(&f, 1);
    copy = rig_sql(&f, "CREATE STREAM copy AS SELECT id, qty FROM orders;");
    rig_put_many(&f, "orders", 0, 1);
    rig_drain(&f);
    assert_int_equal(log_delete_topic(f.log, (struct bytes)BYTES("orders"), NULL), 0);
    rig_drain(&f);
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        assert_int_equal(state_of(&f, copy), QUERY_ERROR);
        assert_int_equal(retry_in(&f, copy), expected[i]);
        clock_advance(&f.clock, expected[i]);
        rig_drain(&f);
    }
    rig_topic(&f, "orders", 1);
    clock_advance(&f.clock, 900000);
    rig_drain(&f);
    assert_int_equal(state_of(&f, copy), QUERY_RUNNING);
    clock_advance(&f.clock, 300000);
    assert_int_equal(log_delete_topic(f.log, (struct bytes)BYTES("orders"), NULL), 0);
    rig_drain(&f);
    assert_int_equal(state_of(&f, copy), QUERY_ERROR);
    assert_int_equal(retry_in(&f, copy), 30000);
    rig_fini(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reading_goes_on_after_a_commit_that_filled_the_queues),
        cmocka_unit_test(rows_decoded_during_a_commit_are_not_read_again),
        cmocka_unit_test(queue_that_is_full_behind_a_commit_is_not_passed_by),
        cmocka_unit_test(topic_that_vanishes_during_a_commit_stops_the_query_behind_it),
        cmocka_unit_test(refused_record_stops_its_query_alone),
        cmocka_unit_test(query_that_failed_on_one_worker_comes_back_on_all),
        cmocka_unit_test(stopped_culprit_is_not_blamed_for_what_comes_later),
        cmocka_unit_test(push_query_with_a_lost_topic_ends_and_blames_nobody_else),
        cmocka_unit_test(vanished_source_stops_its_readers_until_it_is_back),
        cmocka_unit_test(vanished_sink_stops_its_writer_until_it_is_back),
        cmocka_unit_test(any_topic_may_vanish),
        cmocka_unit_test(repartition_topics_are_deleted_behind_their_readers),
        cmocka_unit_test(repartition_topics_are_not_deleted_beyond_what_is_committed),
        cmocka_unit_test(back_off_doubles_from_thirty_seconds_and_ends_with_health),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
