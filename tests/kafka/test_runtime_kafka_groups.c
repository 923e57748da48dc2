/*
 * test_runtime_kafka_groups.c: the groups of queries on a real broker: what lag tools see, and
 * what a query takes over from ksqlDB.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/kafka/kafka_rig.h"

static void begin(struct rig *f)
{
    kafka_rig_init(f);
    rig_open(f, "node");
    rig_topic(f, "$orders", 2);
    rig_sql(f, kafka_rig_orders);
}

struct seen {
    struct log *log; /* another program's */
    const struct physical_plan *plan;
    int64_t offsets[2];
    int64_t ends[2];
    struct bytes metadata;
};

static void look(struct rig *f, struct seen *seen)
{
    struct group_position positions[2] = { { .partition = 0 }, { .partition = 1 } };
    const struct log_topic *topic = NULL;
    struct error err = { 0 };

    assert_int_equal(log_open_topic(seen->log, bytes_of(rig_text(f, "$orders")), &topic, &err), 0);
    positions[0].topic = positions[1].topic = topic;
    assert_int_equal(
        log_group_positions(seen->log, seen->plan->application_id, positions, 2, &f->arena, &err),
        0);
    seen->metadata = positions[0].metadata;
    for (uint32_t p = 0; p < 2; p++) {
        struct log_range range;

        assert_int_equal(log_topic_range(seen->log, topic, p, READ_COMMITTED, &range, &err), 0);
        seen->offsets[p] = positions[p].offset;
        seen->ends[p] = range.end;
    }
}

static bool has_no_lag(struct rig *f, void *context)
{
    struct seen *seen = context;

    look(f, seen);
    return seen->offsets[0] == seen->ends[0] && seen->offsets[1] == seen->ends[1];
}

static void others_see_how_far_a_query_is_until_it_is_gone(void **state)
{
    struct seen seen = { 0 };
    struct error err = { 0 };
    struct rig f;

    (void)state;
    begin(&f);
    seen.log = kafka_rig_another_log(&f);
    seen.plan = rig_sql(&f, kafka_rig_copy);
    kafka_rig_await_slots(&f);
    rig_put_many(&f, "$orders", 0, 100);
    assert_true(kafka_rig_await(&f, has_no_lag, &seen));
    assert_int_equal(seen.offsets[0] + seen.offsets[1], 100);
    assert_true(bytes_equal_text(seen.metadata, "sluice"));
    rig_put_many(&f, "$orders", 100, 200);
    assert_true(kafka_rig_await(&f, has_no_lag, &seen));
    assert_int_equal(seen.offsets[0] + seen.offsets[1], 200);
    assert_int_equal(runtime_stop(f.rt, seen.plan->query_id, &err), 0);
    look(&f, &seen);
    assert_int_equal(seen.offsets[0], -1);
    assert_int_equal(seen.offsets[1], -1);
    log_close(seen.log);
    rig_fini(&f);
}

static void leave_at(struct rig *f, struct bytes group, int64_t offset)
{
    struct group_position positions[2] = { { .partition = 0, .offset = offset },
                                           { .partition = 1, .offset = offset } };
    struct error err = { 0 };

    assert_int_equal(
        log_open_topic(f->log, bytes_of(rig_text(f, "$orders")), &positions[0].topic, &err), 0);
    positions[1].topic = positions[0].topic;
    assert_int_equal(log_group_alter(f->log, group, positions, 2, &err), 0);
}

static void a_query_goes_on_where_ksqldb_ended_and_once_only(void **state)
{
    const struct physical_plan *plan;
    struct seen seen = { 0 };
    struct error err = { 0 };
    struct rig f;

    (void)state;
    begin(&f);
    rig_put_many(&f, "$orders", 0, 100);
    plan = rig_plan(&f, kafka_rig_copy);
    seen.log = kafka_rig_another_log(&f);
    seen.plan = plan;
    leave_at(&f, plan->application_id, 10);
    rig_start(&f, plan);
    kafka_rig_await_slots(&f);
    rig_drain(&f);
    kafka_rig_await_count(&f, "$COPY", 80);
    assert_true(kafka_rig_await(&f, has_no_lag, &seen));
    runtime_close(f.rt);
    leave_at(&f, plan->application_id, 20);
    rig_open(&f, "node");
    rig_restart(&f, plan);
    kafka_rig_await_slots(&f);
    rig_put_many(&f, "$orders", 100, 110);
    rig_drain(&f);
    kafka_rig_await_count(&f, "$COPY", 90);
    assert_int_equal(runtime_stop(f.rt, plan->query_id, &err), 0);
    rig_start(&f, plan); /* the group is gone: all of it again */
    rig_drain(&f);
    kafka_rig_await_count(&f, "$COPY", 90 + 110);
    log_close(seen.log);
    rig_fini(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(others_see_how_far_a_query_is_until_it_is_gone),
        cmocka_unit_test(a_query_goes_on_where_ksqldb_ended_and_once_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
