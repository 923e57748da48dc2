/*
 * test_runtime_groups.c: the groups that bear queries' names: what they are told, and what is
 * taken over from them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "engine/runtime/runtime_internal.h"
#include "tests/unit/runtime_rig.h"

enum { PARTITIONS = 2 };

static const char *const copy = "CREATE STREAM copy AS SELECT id, qty FROM orders;";
static const char *const totals =
    "CREATE TABLE totals AS SELECT item, COUNT(*) AS n FROM orders GROUP BY item;";

static void begin(struct rig *f)
{
    rig_init(f);
    f->is_shared = true;
    rig_open(f, "node");
    rig_topic(f, "orders", PARTITIONS);
    rig_sql(f, "CREATE STREAM orders (id STRING KEY, item STRING, qty INT) "
               "WITH (KAFKA_TOPIC='orders', VALUE_FORMAT='JSON');");
}

static const struct log_topic *orders_of(struct rig *f)
{
    const struct log_topic *topic = NULL;
    struct error err = { 0 };

    assert_int_equal(log_open_topic(f->log, (struct bytes)BYTES("orders"), &topic, &err), 0);
    return topic;
}

static int64_t end_of(struct rig *f, uint32_t partition)
{
    struct log_range range = { 0 };
    struct error err = { 0 };

    assert_int_equal(log_topic_range(f->log, orders_of(f), partition, READ_COMMITTED, &range, &err),
                     0);
    return range.end;
}

static int64_t told(struct rig *f, const struct physical_plan *plan, uint32_t partition)
{
    struct group_position position = { .topic = orders_of(f), .partition = partition };
    struct error err = { 0 };

    assert_int_equal(
        log_group_positions(f->log, plan->application_id, &position, 1, &f->arena, &err), 0);
    return position.offset;
}

static void leave_at(struct rig *f, struct bytes group, uint32_t partition, int64_t offset,
                     const char *metadata)
{
    struct group_position position = { orders_of(f), partition, offset, bytes_of(metadata) };
    struct error err = { 0 };

    assert_int_equal(log_group_alter(f->log, group, &position, 1, &err), 0);
}

static void put_in_both(struct rig *f, int count)
{
    for (int i = 0; i < count; i++) {
        for (uint32_t p = 0; p < PARTITIONS; p++) {
            rig_put_at(f, "orders", p, "k", "{\"ITEM\":\"a\",\"QTY\":1}", i);
        }
    }
}

static void restart(struct rig *f, const struct physical_plan *plan)
{
    runtime_close(f->rt);
    f->rt = NULL;
    rig_open(f, "node");
    rig_restart(f, plan);
}

static void the_group_stands_where_the_query_has_committed(void **state)
{
    const struct physical_plan *plan;
    struct rig f;

    (void)state;
    begin(&f);
    plan = rig_sql(&f, copy);
    put_in_both(&f, 5);
    mirror_step(f.rt->mirror);
    assert_int_equal(told(&f, plan, 0), -1);
    rig_drain(&f);
    mirror_step(f.rt->mirror);
    assert_int_equal(told(&f, plan, 0), 5);
    assert_int_equal(told(&f, plan, 1), 5);
    put_in_both(&f, 2);
    mirror_step(f.rt->mirror);
    assert_int_equal(told(&f, plan, 0), 5);
    rig_drain(&f);
    mirror_step(f.rt->mirror);
    assert_int_equal(told(&f, plan, 0), end_of(&f, 0));
    assert_int_equal(told(&f, plan, 1), end_of(&f, 1));
    rig_fini(&f);
}

static void a_topic_that_is_read_twice_is_told_once(void **state)
{
    const struct physical_plan *plan;
    struct rig f;

    (void)state;
    begin(&f);
    rig_sql(&f, "CREATE TABLE items (id STRING PRIMARY KEY, item STRING, qty INT) "
                "WITH (KAFKA_TOPIC='orders', VALUE_FORMAT='JSON');");
    plan = rig_sql(&f, "CREATE STREAM pairs AS SELECT o.id, o.qty, i.item FROM orders o JOIN "
                       "items i ON o.id = i.id;");
    put_in_both(&f, 3);
    rig_drain(&f);
    mirror_step(f.rt->mirror);
    assert_int_equal(told(&f, plan, 0), 3);
    rig_fini(&f);
}

static void a_position_that_has_not_changed_is_not_told_again(void **state)
{
    const struct physical_plan *plan;
    struct rig f;

    (void)state;
    begin(&f);
    plan = rig_sql(&f, copy);
    put_in_both(&f, 5);
    rig_drain(&f);
    mirror_step(f.rt->mirror);
    leave_at(&f, plan->application_id, 0, 1, NULL);
    mirror_step(f.rt->mirror);
    assert_int_equal(told(&f, plan, 0), 1);
    rig_fini(&f);
}

static void a_group_with_members_is_left_alone(void **state)
{
    const struct physical_plan *plan;
    struct log_member *member = NULL;
    struct error err = { 0 };
    struct member_spec spec;
    struct rig f;

    (void)state;
    begin(&f);
    plan = rig_sql(&f, copy);
    spec = (struct member_spec){ .group = plan->application_id,
                                 .topic = BYTES("orders"),
                                 .client_id = BYTES("ksqldb"),
                                 .session_timeout_ms = 1000000 };
    assert_int_equal(log_member_join(f.log, &spec, &member, &err), 0);
    put_in_both(&f, 5);
    rig_drain(&f);
    mirror_step(f.rt->mirror);
    assert_int_equal(told(&f, plan, 0), -1);
    assert_int_equal(rig_count(&f, "COPY"), 10);
    log_member_leave(member);
    put_in_both(&f, 1);
    rig_drain(&f);
    mirror_step(f.rt->mirror);
    assert_int_equal(told(&f, plan, 0), 6);
    rig_fini(&f);
}

static void the_group_goes_with_its_query(void **state)
{
    const struct physical_plan *plan;
    struct error err = { 0 };
    struct rig f;

    (void)state;
    begin(&f);
    plan = rig_sql(&f, copy);
    put_in_both(&f, 5);
    rig_drain(&f);
    mirror_step(f.rt->mirror);
    assert_int_equal(runtime_stop(f.rt, plan->query_id, &err), 0);
    mirror_step(f.rt->mirror);
    assert_int_equal(told(&f, plan, 0), -1);
    rig_start(&f, plan);
    rig_drain(&f);
    assert_int_equal(rig_count(&f, "COPY"), 20);
    rig_fini(&f);
}

static void a_recovery_asks_progress_and_not_the_group(void **state)
{
    const struct physical_plan *plan;
    struct rig f;

    (void)state;
    begin(&f);
    plan = rig_sql(&f, copy);
    put_in_both(&f, 5);
    rig_drain(&f);
    leave_at(&f, plan->application_id, 0, 1, NULL);
    restart(&f, plan);
    rig_drain(&f);
    assert_int_equal(rig_count(&f, "COPY"), 10);
    rig_fini(&f);
}

static void a_new_query_begins_where_its_group_was_left(void **state)
{
    const struct physical_plan *plan;
    struct rig f;

    (void)state;
    begin(&f);
    put_in_both(&f, 5);
    plan = rig_plan(&f, copy);
    leave_at(&f, plan->application_id, 0, 2, NULL);
    rig_start(&f, plan);
    rig_drain(&f);
    assert_int_equal(rig_count(&f, "COPY"), 3 + 5); /* nothing was left for the other one */
    leave_at(&f, plan->application_id, 0, 0, NULL);
    restart(&f, plan);
    put_in_both(&f, 1);
    rig_drain(&f);
    assert_int_equal(rig_count(&f, "COPY"), 8 + 2);
    rig_fini(&f);
}

static void positions_that_sluice_left_are_not_taken_over(void **state)
{
    const struct physical_plan *plan;
    struct rig f;

    (void)state;
    begin(&f);
    put_in_both(&f, 5);
    plan = rig_plan(&f, copy);
    leave_at(&f, plan->application_id, 0, 2, "sluice");
    rig_start(&f, plan);
    rig_drain(&f);
    assert_int_equal(rig_count(&f, "COPY"), 10);
    rig_fini(&f);
}

static void a_position_beyond_the_topic_is_not_taken_over(void **state)
{
    const struct physical_plan *plan;
    struct rig f;

    (void)state;
    begin(&f);
    put_in_both(&f, 5);
    plan = rig_plan(&f, copy);
    leave_at(&f, plan->application_id, 0, 6, NULL);
    leave_at(&f, plan->application_id, 1, 5, NULL);
    rig_start(&f, plan);
    rig_drain(&f);
    assert_int_equal(rig_count(&f, "COPY"), 5);
    rig_fini(&f);
}

static void a_query_with_state_takes_nothing_over(void **state)
{
    const struct physical_plan *plan;
    struct rig f;

    (void)state;
    begin(&f);
    put_in_both(&f, 5);
    plan = rig_plan(&f, totals);
    leave_at(&f, plan->application_id, 0, 2, NULL);
    leave_at(&f, plan->application_id, 1, 2, NULL);
    rig_start(&f, plan);
    rig_drain(&f);
    assert_int_equal(rig_count(&f, "TOTALS"), 10);
    rig_fini(&f);
}

static void a_log_of_one_program_has_no_groups_of_queries(void **state)
{
    const struct physical_plan *plan;
    struct rig f;

    (void)state;
    begin(&f);
    runtime_close(f.rt);
    f.rt = NULL;
    f.is_shared = false;
    rig_open(&f, "node");
    put_in_both(&f, 5);
    plan = rig_plan(&f, copy);
    leave_at(&f, plan->application_id, 0, 2, NULL);
    rig_start(&f, plan);
    rig_drain(&f);
    assert_int_equal(rig_count(&f, "COPY"), 10);
    rig_fini(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_group_stands_where_the_query_has_committed),
        cmocka_unit_test(a_topic_that_is_read_twice_is_told_once),
        cmocka_unit_test(a_position_that_has_not_changed_is_not_told_again),
        cmocka_unit_test(a_group_with_members_is_left_alone),
        cmocka_unit_test(the_group_goes_with_its_query),
        cmocka_unit_test(a_recovery_asks_progress_and_not_the_group),
        cmocka_unit_test(a_new_query_begins_where_its_group_was_left),
        cmocka_unit_test(positions_that_sluice_left_are_not_taken_over),
        cmocka_unit_test(a_position_beyond_the_topic_is_not_taken_over),
        cmocka_unit_test(a_query_with_state_takes_nothing_over),
        cmocka_unit_test(a_log_of_one_program_has_no_groups_of_queries),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
