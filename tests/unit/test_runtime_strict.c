/*
 * test_runtime_strict.c: queries that stop at a record which others skip.
 *
 * What lies before the record is committed, once, however the input is cut into batches; the
 * query goes into ERROR there, and comes to the same record when it is tried again.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/runtime_rig.h"

static const char input[] = "CREATE STREAM s (id STRING KEY, v INT, t BIGINT) "
                            "WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', TIMESTAMP='t');";

static void open_with(struct rig *f, uint32_t batch_rows)
{
    rig_init(f);
    f->batch_rows = batch_rows;
    rig_open(f, "node");
    rig_topic(f, "s", 1);
    rig_sql(f, input);
}

static struct query_status status_of(struct rig *f, const struct physical_plan *plan)
{
    struct query_status status;
    struct error err;

    assert_int_equal(runtime_query_status(f->rt, plan->query_id, &status, &err), 0);
    return status;
}

static void expect(struct rig *f, const char *topic, const char *lines)
{
    struct bytes found = rig_read(f, topic);

    assert_int_equal(found.len, strlen(lines));
    assert_memory_equal(found.data, lines, found.len);
}

static void put_good_bad_good(struct rig *f, const char *bad)
{
    rig_put(f, "s", "a", "{\"V\":1,\"T\":1}", 9);
    rig_put(f, "s", "b", "{\"V\":2,\"T\":2}", 9);
    rig_put(f, "s", "c", bad, 9);
    rig_put(f, "s", "d", "{\"V\":4,\"T\":4}", 9);
}

static void stop_at_unreadable(uint32_t batch_rows)
{
    const struct physical_plan *strict, *lax;
    struct rig f;

    open_with(&f, batch_rows);
    f.options.fails_on_unreadable = true;
    strict = rig_sql(&f, "CREATE STREAM strict AS SELECT id, v FROM s;");
    f.options.fails_on_unreadable = false;
    lax = rig_sql(&f, "CREATE STREAM lax AS SELECT id, v FROM s;");
    put_good_bad_good(&f, "{\"V\":");
    rig_drain(&f);
    expect(&f, "STRICT", "a={\"V\":1}@1\nb={\"V\":2}@2\n");
    expect(&f, "LAX", "a={\"V\":1}@1\nb={\"V\":2}@2\nd={\"V\":4}@4\n");
    assert_int_equal(status_of(&f, strict).state, QUERY_ERROR);
    assert_non_null(strstr(status_of(&f, strict).error.message, "value of s-0@2"));
    assert_int_equal(status_of(&f, lax).state, QUERY_RUNNING);
    assert_true(f.skipped > 0);
    clock_advance(&f.clock, 3600000); /* it is tried again */
    rig_drain(&f);
    assert_int_equal(status_of(&f, strict).state, QUERY_ERROR);
    expect(&f, "STRICT", "a={\"V\":1}@1\nb={\"V\":2}@2\n");
    rig_fini(&f);
}

static void query_stops_at_a_record_it_must_not_skip_and_others_go_on(void **state)
{
    (void)state;
    stop_at_unreadable(1);
    stop_at_unreadable(2);
    stop_at_unreadable(3);
    stop_at_unreadable(256);
}

static void each_setting_is_for_its_own_kind_of_record(void **state)
{
    static const char no_time[] = "{\"V\":3}", unreadable[] = "[]";
    struct rig f;

    (void)state;
    for (int on_timestamp = 0; on_timestamp < 2; on_timestamp++) {
        for (int stops = 0; stops < 2; stops++) {
            const struct physical_plan *plan;

            open_with(&f, 256);
            f.options.fails_on_timestamp = on_timestamp;
            f.options.fails_on_unreadable = !on_timestamp;
            plan = rig_sql(&f, "CREATE STREAM o AS SELECT id, v FROM s;");
            put_good_bad_good(&f, on_timestamp == stops ? no_time : unreadable);
            rig_drain(&f);
            assert_int_equal(status_of(&f, plan).state, stops ? QUERY_ERROR : QUERY_RUNNING);
            assert_int_equal(rig_count(&f, "O"), stops ? 2 : 3);
            assert_int_equal(f.skipped, !stops);
            rig_fini(&f);
        }
    }
}

static void joined_rows_do_not_go_past_a_side_that_stands_at_its_record(void **state)
{
    const struct physical_plan *plan;
    struct rig f;

    (void)state;
    open_with(&f, 256);
    rig_topic(&f, "t", 1);
    rig_sql(&f, "CREATE TABLE t (id STRING PRIMARY KEY, w INT) "
                "WITH (KAFKA_TOPIC='t', VALUE_FORMAT='JSON');");
    f.options.fails_on_unreadable = true;
    plan = rig_sql(&f, "CREATE STREAM o AS SELECT s.id, v, w FROM s LEFT JOIN t ON s.id = t.id;");
    rig_put(&f, "t", "a", "{\"W\":7}", 1);
    rig_put(&f, "t", "b", "{\"W\":", 1);
    rig_put(&f, "s", "a", "{\"V\":1,\"T\":1}", 1);
    rig_put(&f, "s", "b", "{\"V\":2,\"T\":2}", 2);
    rig_drain(&f);
    assert_int_equal(status_of(&f, plan).state, QUERY_ERROR);
    expect(&f, "O", "");
    rig_fini(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(query_stops_at_a_record_it_must_not_skip_and_others_go_on),
        cmocka_unit_test(each_setting_is_for_its_own_kind_of_record),
        cmocka_unit_test(joined_rows_do_not_go_past_a_side_that_stands_at_its_record),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
