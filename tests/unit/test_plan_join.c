/*
 * test_plan_join.c: what joins become: sub-topologies, stores, topics, and the count of their
 * steps (queries.md 6, 10.2).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/plan/plan_internal.h"
#include "parser/parse.h"
#include "tests/unit/planner.h"

static const char sources[] =
    "CREATE STREAM S (ID INT KEY, F INT, A STRING) "
    "WITH (KAFKA_TOPIC='s', PARTITIONS=3, VALUE_FORMAT='JSON');"
    "CREATE TABLE T (ID INT PRIMARY KEY, B STRING, X STRING) "
    "WITH (KAFKA_TOPIC='t', PARTITIONS=3, VALUE_FORMAT='JSON');"
    "CREATE TABLE U (ID INT PRIMARY KEY, C STRING) "
    "WITH (KAFKA_TOPIC='u', PARTITIONS=3, VALUE_FORMAT='JSON');"
    "CREATE TABLE D (ID INT PRIMARY KEY, E STRING) WITH (KAFKA_TOPIC='d', PARTITIONS=3, "
    "KEY_FORMAT='DELIMITED', VALUE_FORMAT='JSON');";

static int setup(void **state)
{
    static struct planner planner;

    planner_init(&planner);
    planner_accept(&planner, sources);
    *state = &planner;
    return 0;
}

static int teardown(void **state)
{
    planner_fini(*state);
    return 0;
}

static void assert_text(struct bytes actual, const char *expected)
{
    assert_int_equal(actual.len, strlen(expected));
    assert_memory_equal(actual.data, expected, actual.len);
}

static void assert_tags(const struct sub_plan *sub, const enum plan_tag *tags, uint32_t count)
{
    assert_int_equal(sub->op_count, count);
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(sub->ops[i].tag, tags[i]);
    }
}

/* --- stream and table --- */

static void a_table_is_looked_up_and_keeps_what_is_used(void **state)
{
    struct planner *p = *state;
    const enum plan_tag tags[] = { PLAN_TABLE, PLAN_JOIN_STREAM_TABLE, PLAN_TOPIC };
    const struct sub_plan *sub;

    planner_accept(p, "CREATE STREAM O AS SELECT S.ID AS ID, A, B FROM S JOIN T ON S.ID = T.ID;");
    assert_int_equal(p->plan->sub_count, 1);
    sub = &p->plan->subs[0];
    assert_tags(sub, tags, 3);
    assert_int_equal(sub->input_count, 2);
    assert_text(sub->root_topic, "s");
    assert_int_equal(sub->inputs[0].op, 1);
    assert_int_equal(sub->inputs[1].op, 0);
    assert_false(sub->inputs[0].from_earliest);
    assert_true(sub->inputs[1].from_earliest);
    assert_int_equal(sub->ops[0].next, NO_OP);
    assert_false(sub->ops[0].needs_old);
    assert_text(p->plan->stores[0].name, "KafkaTopic_Right-Reduce");
    assert_int_equal(p->plan->stores[0].shape->column_count, 2);
    assert_text(p->plan->stores[0].shape->columns[1].name, "B");
    assert_false(sub->inputs[1].wanted[2]);
    assert_int_equal(p->plan->source_count, 2);
    assert_text(p->plan->source_names[1], "T");
}

static void a_rekeyed_stream_and_its_table_meet_behind_the_topic(void **state)
{
    struct planner *p = *state;
    const enum plan_tag first[] = { PLAN_STAGE, PLAN_TOPIC };
    const enum plan_tag second[] = { PLAN_TABLE, PLAN_JOIN_STREAM_TABLE, PLAN_TOPIC };
    const struct topic_plan *topic;

    planner_accept(p, "CREATE STREAM O AS SELECT F, A, B FROM S LEFT JOIN T ON F = T.ID;");
    assert_int_equal(p->plan->sub_count, 2);
    assert_tags(&p->plan->subs[0], first, 2);
    assert_tags(&p->plan->subs[1], second, 3);
    topic = &p->plan->subs[0].ops[p->plan->subs[0].op_count - 1].topic;
    assert_true(topic->drop_null_value);
    assert_false(topic->skip_null_key);
    assert_int_equal(topic->key.at[0], operand_make(BANK_CELLS, 1));
    assert_text(p->plan->subs[1].root_topic,
                "_confluent-ksql-some.servicequery_CSAS_O_0-Join-repartition");
    assert_int_equal(p->plan->subs[1].input_count, 2);
    assert_true(p->plan->subs[1].ops[1].join.key_bytes_given);
    planner_accept(p, "CREATE STREAM O2 AS SELECT F, A, B FROM S JOIN T ON F = T.ID;");
    assert_true(p->plan->subs[0].ops[1].topic.skip_null_key);
}

static void a_table_with_another_key_format_has_a_way_of_its_own(void **state)
{
    struct planner *p = *state;
    const enum plan_tag meet[] = { PLAN_TABLE, PLAN_JOIN_STREAM_TABLE, PLAN_TOPIC };
    const enum plan_tag way[] = { PLAN_TOPIC };
    const struct sub_plan *sub;

    planner_accept(p, "CREATE STREAM O AS SELECT S.ID AS ID, A, E FROM S JOIN D ON S.ID = D.ID;");
    assert_int_equal(p->plan->sub_count, 2);
    sub = &p->plan->subs[0];
    assert_tags(sub, meet, 3);
    assert_tags(&p->plan->subs[1], way, 1);
    assert_text(p->plan->subs[1].root_topic, "d");
    assert_true(sub->inputs[1].is_upserts);
    assert_false(sub->inputs[1].is_table);
    assert_true(sub->ops[0].table.key_bytes_given);
    assert_text(p->plan->stores[0].name, "RightSourceKeyed-Materialize");
    assert_text(sub->inputs[1].topic, "_confluent-ksql-some.servicequery_CSAS_O_0-"
                                      "RightSourceKeyed-SelectKey-repartition");
}

static void a_rekeyed_stream_takes_the_key_format_of_the_table(void **state)
{
    struct planner *p = *state;

    planner_accept(p, "CREATE STREAM O AS SELECT F, A, E FROM S JOIN D ON F = D.ID;");
    assert_int_equal(p->plan->sub_count, 2);
    assert_string_equal(p->plan->subs[0].ops[1].topic.key.format.kind->name, "DELIMITED");
    assert_text(p->plan->stores[0].name, "KafkaTopic_Right-Reduce");
}

/* --- tables --- */

static void check_old(struct planner *p, const char *kind, bool left, bool right)
{
    struct bytes sql =
        arena_printf(&p->arena, "SELECT B, C FROM T %s JOIN U ON T.ID = U.ID EMIT CHANGES;", kind);

    planner_accept(p, arena_copy_text(&p->arena, sql));
    assert_int_equal(p->plan->subs[0].ops[0].needs_old, left);
    assert_int_equal(p->plan->subs[0].ops[1].needs_old, right);
    assert_int_equal(p->plan->subs[0].ops[0].next, 2);
    assert_int_equal(p->plan->subs[0].ops[1].next_port, 1);
}

static void old_rows_are_asked_of_the_side_whose_delete_may_mean_nothing(void **state)
{
    check_old(*state, "INNER", false, false);
    check_old(*state, "LEFT", true, false);
    check_old(*state, "RIGHT", false, true);
    check_old(*state, "FULL", true, true);
}

static void a_filter_above_a_join_of_tables_asks_for_all_old_rows(void **state)
{
    struct planner *p = *state;

    planner_accept(p, "SELECT B, C FROM T JOIN U ON T.ID = U.ID WHERE B > C EMIT CHANGES;");
    for (uint32_t i = 0; i < 3; i++) {
        assert_true(p->plan->subs[0].ops[i].needs_old);
    }
}

static void a_join_of_tables_is_kept_for_pull_queries(void **state)
{
    struct planner *p = *state;
    const enum plan_tag tags[] = { PLAN_TABLE, PLAN_TABLE, PLAN_JOIN_TABLE_TABLE, PLAN_TABLE,
                                   PLAN_TOPIC };

    planner_accept(p, "CREATE TABLE O AS SELECT T.ID AS ID, B, C FROM T JOIN U ON T.ID = U.ID;");
    assert_tags(&p->plan->subs[0], tags, 5);
    assert_text(p->plan->stores[0].name, "KafkaTopic_Left-Reduce");
    assert_text(p->plan->stores[1].name, "KafkaTopic_Right-Reduce");
    assert_text(p->plan->stores[2].name, "Project-Last");
    assert_true(p->plan->pull.queryable);
    assert_int_equal(p->plan->pull.store, 2);
    assert_int_equal(p->plan->pull.first_op, 4);
    assert_true(p->plan->subs[0].ops[0].table.feeds_join);
    assert_false(p->plan->subs[0].ops[3].table.feeds_join);
}

static void joined_tables_are_looked_up_in_the_stores_of_all(void **state)
{
    struct planner *p = *state;
    const struct join_side *left;

    planner_accept(p, "SELECT B, C, E FROM T LEFT JOIN U ON T.ID = U.ID JOIN D ON U.ID = D.ID "
                      "EMIT CHANGES;");
    left = &p->plan->subs[0].ops[p->plan->subs[0].op_count - 2].join.sides[0];
    assert_int_equal(left->leaf_count, 2);
    assert_int_equal(left->leaves[1].kind, AST_JOIN_LEFT);
    assert_int_equal(left->leaves[1].first_cell, 2);
    assert_int_equal(left->first_cell, 1);
}

/* --- the count of Kafka Streams --- */

static void assert_numbers(const struct logical_node *node, const char *context, uint32_t number,
                           uint32_t count)
{
    assert_text(node->context, context);
    assert_int_equal(node->number, number);
    assert_int_equal(node->number_count, count);
}

static const struct logical_node *build_logical(struct planner *p, const char *query)
{
    struct plan_context context = { &p->arena, p->catalog, p->log, &p->settings };
    struct ast_script script = { 0 };
    struct analysis *a = arena_new(&p->arena, struct analysis);

    assert_int_equal(parse_script(&p->arena, bytes_of(query), &script, &p->err), 0);
    assert_int_equal(
        analyze_query(&context, QUERY_PUSH, script.statements.items[0]->select, a, &p->err), 0);
    return logical_build(a, &p->arena, NULL);
}

static void a_streams_table_is_counted_before_the_stream(void **state)
{
    const struct logical_node *node =
        build_logical(*state, "SELECT F, B FROM S JOIN T ON F = T.ID EMIT CHANGES;");

    node = node->input;
    assert_numbers(node, "Project", 14, 1);
    node = node->input;
    assert_numbers(node, "Join", 13, 1);
    assert_numbers(node->right, "KafkaTopic_Right", 0, 5);
    assert_numbers(node->input, "LeftSourceKeyed", 8, 1);
    assert_numbers(node->input->input, "KafkaTopic_Left", 6, 2);
}

static void tables_are_counted_left_to_right(void **state)
{
    const struct logical_node *node =
        build_logical(*state, "SELECT B, C, E FROM T JOIN U ON T.ID = U.ID JOIN D ON "
                              "U.ID = D.ID WHERE B > C EMIT CHANGES;");

    node = node->input;
    assert_numbers(node, "Project", 33, 1);
    node = node->input;
    assert_numbers(node, "WhereFilter", 30, 3);
    node = node->input;
    assert_numbers(node, "Join", 27, 3);
    assert_numbers(node->right, "RightSourceKeyed", 20, 6);
    assert_numbers(node->right->input, "KafkaTopic_Right", 15, 5);
    node = node->input;
    assert_numbers(node, "L_Join", 12, 3);
    assert_numbers(node->right, "KafkaTopic_L_Right", 6, 5);
    assert_numbers(node->input, "KafkaTopic_L_Left", 0, 5);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_table_is_looked_up_and_keeps_what_is_used),
        TEST(a_rekeyed_stream_and_its_table_meet_behind_the_topic),
        TEST(a_table_with_another_key_format_has_a_way_of_its_own),
        TEST(a_rekeyed_stream_takes_the_key_format_of_the_table),
        TEST(old_rows_are_asked_of_the_side_whose_delete_may_mean_nothing),
        TEST(a_filter_above_a_join_of_tables_asks_for_all_old_rows),
        TEST(a_join_of_tables_is_kept_for_pull_queries),
        TEST(joined_tables_are_looked_up_in_the_stores_of_all),
        TEST(a_streams_table_is_counted_before_the_stream),
        TEST(tables_are_counted_left_to_right),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
