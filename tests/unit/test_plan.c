/*
 * test_plan.c: how plans are built below what EXPLAIN shows: operators, operands, stores,
 * old images, names and signatures.
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
    "CREATE STREAM S (K STRING KEY, V INT, W INT, U STRING) WITH (KAFKA_TOPIC='s', PARTITIONS=3, "
    "VALUE_FORMAT='JSON');"
    "CREATE TABLE T (ID BIGINT PRIMARY KEY, R STRING, V INT) WITH (KAFKA_TOPIC='t', PARTITIONS=2, "
    "VALUE_FORMAT='JSON');";

static int set_up(void **state)
{
    struct planner *p = test_malloc(sizeof *p);

    planner_init(p);
    planner_accept(p, sources);
    *state = p;
    return 0;
}

static int tear_down(void **state)
{
    planner_fini(*state);
    test_free(*state);
    return 0;
}

static void assert_text(struct bytes got, const char *wanted)
{
    if (!bytes_equal_text(got, wanted)) {
        fail_msg("wanted %s, got %.*s", wanted, BYTES_ARG(got));
    }
}

static void assert_tags(const struct sub_plan *sub, const enum plan_tag *tags, uint32_t count)
{
    assert_int_equal(sub->op_count, count);
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(sub->ops[i].tag, tags[i]);
        assert_int_equal(sub->ops[i].next, i + 1 < count ? i + 1 : NO_OP);
    }
}

/* --- stages --- */

static void columns_that_are_only_renamed_stay_where_the_decoder_put_them(void **state)
{
    struct planner *p = *state;
    const enum plan_tag tags[] = { PLAN_TOPIC };
    const struct topic_plan *sink;

    planner_accept(p, "CREATE STREAM O AS SELECT W, K AS ID, V AS X FROM S;");
    assert_int_equal(p->plan->sub_count, 1);
    assert_tags(&p->plan->subs[0], tags, 1);
    sink = &p->plan->subs[0].ops[0].topic;
    assert_int_equal(sink->key.at[0], operand_make(BANK_CELLS, 0));
    assert_int_equal(sink->value.column_count, 2);
    assert_int_equal(sink->value.at[0], operand_make(BANK_CELLS, 2));
    assert_int_equal(sink->value.at[1], operand_make(BANK_CELLS, 1));
    assert_text(sink->value.columns[1].name, "X");
}

static void a_filter_and_computed_columns_are_one_stage(void **state)
{
    struct planner *p = *state;
    const enum plan_tag tags[] = { PLAN_STAGE, PLAN_TOPIC };
    const struct sub_plan *sub;

    planner_accept(p, "CREATE STREAM O AS SELECT K, V + 1 AS A, W FROM S WHERE V > 5;");
    sub = &p->plan->subs[0];
    assert_tags(sub, tags, 2);
    assert_false(sub->ops[0].stage.over_table);
    assert_false(sub->ops[0].needs_old);
    assert_int_equal(sub->ops[0].output->cell_count, 4);
    assert_int_equal(sub->ops[1].topic.value.at[0] >> OPERAND_BANK_SHIFT, BANK_REGISTERS);
    assert_int_equal(sub->ops[1].topic.value.at[1], operand_make(BANK_CELLS, 2));
}

static void a_constant_column_keeps_its_stage(void **state)
{
    struct planner *p = *state;
    const enum plan_tag tags[] = { PLAN_STAGE, PLAN_TOPIC };

    planner_accept(p, "CREATE STREAM O AS SELECT K, 5 AS FIVE FROM S;");
    assert_tags(&p->plan->subs[0], tags, 2);
    assert_non_null(p->plan->subs[0].ops[0].output->constants);
}

static void only_columns_that_the_query_reads_are_wanted(void **state)
{
    struct planner *p = *state;
    const bool *wanted;

    planner_accept(p, "CREATE STREAM O AS SELECT K, V + 1 AS A FROM S WHERE W > 5;");
    wanted = p->plan->subs[0].inputs[0].wanted;
    assert_true(wanted[0]);
    assert_true(wanted[1]);
    assert_true(wanted[2]);
    assert_false(wanted[3]);
    planner_accept(p, "CREATE TABLE G AS SELECT W, COUNT(*) AS C FROM S GROUP BY W;");
    wanted = p->plan->subs[0].inputs[0].wanted;
    assert_false(wanted[0]);
    assert_true(wanted[2]);
}

/* --- tables --- */

static void a_tables_filter_gets_old_images_and_its_sink_does_not(void **state)
{
    struct planner *p = *state;
    const enum plan_tag tags[] = { PLAN_TABLE, PLAN_STAGE, PLAN_TOPIC };
    const struct sub_plan *sub;

    planner_accept(p, "CREATE TABLE O AS SELECT ID, V FROM T WHERE V > 5;");
    sub = &p->plan->subs[0];
    assert_tags(sub, tags, 3);
    assert_true(sub->ops[0].needs_old);
    assert_true(sub->ops[1].stage.over_table);
    assert_false(sub->ops[1].needs_old);
    assert_true(sub->ops[2].topic.is_table);
    assert_text(p->plan->stores[0].name, "KsqlTopic-Reduce");
    assert_text(p->plan->stores[0].changelog,
                "_confluent-ksql-some.servicequery_CTAS_O_0-KsqlTopic-Reduce-changelog");
}

static void a_tables_copy_is_kept_for_pull_queries_alone(void **state)
{
    struct planner *p = *state;
    const enum plan_tag kept[] = { PLAN_TABLE, PLAN_TOPIC };
    const enum plan_tag passed_on[] = { PLAN_CLIENT };

    planner_accept(p, "CREATE TABLE O AS SELECT ID, V, R FROM T;");
    assert_tags(&p->plan->subs[0], kept, 2);
    assert_false(p->plan->subs[0].ops[0].needs_old);
    assert_true(p->plan->pull.queryable);
    assert_int_equal(p->plan->pull.first_op, 1);
    planner_accept(p, "SELECT ID, V, R FROM T EMIT CHANGES;");
    assert_tags(&p->plan->subs[0], passed_on, 1);
    assert_int_equal(p->plan->store_count, 0);
    assert_false(p->plan->pull.queryable);
}

static void pseudo_columns_of_a_kept_table_are_remembered_with_the_row(void **state)
{
    struct planner *p = *state;
    const struct row_shape *shape;

    planner_accept(p, "CREATE TABLE O AS SELECT ID, V, ROWTIME AS X FROM T WHERE ROWOFFSET > 5;");
    shape = p->plan->stores[0].shape;
    assert_int_equal(shape->column_count, 5);
    assert_text(shape->columns[3].name, "ROWTIME");
    assert_text(shape->columns[4].name, "ROWOFFSET");
    assert_int_equal(p->plan->subs[0].ops[2].topic.value.at[1], operand_make(BANK_CELLS, 3));
}

/* --- groups --- */

static void grouping_by_the_key_makes_its_own_key_bytes(void **state)
{
    struct planner *p = *state;
    const enum plan_tag tags[] = { PLAN_AGGREGATE, PLAN_TOPIC };
    const struct op_plan *op;

    planner_accept(p, "CREATE TABLE O AS SELECT K, COUNT(*) AS C, SUM(V) AS S FROM S GROUP BY K;");
    assert_int_equal(p->plan->sub_count, 1);
    assert_tags(&p->plan->subs[0], tags, 2);
    op = &p->plan->subs[0].ops[0];
    assert_false(op->aggregate.key_bytes_given);
    assert_false(op->aggregate.over_table);
    assert_false(op->needs_old);
    assert_int_equal(op->aggregate.group[0], operand_make(BANK_CELLS, 0));
    assert_int_equal(op->aggregate.calls[1].arguments[0], operand_make(BANK_CELLS, 1));
    assert_int_equal(p->plan->pull.store, op->aggregate.store);
    assert_int_equal(p->plan->pull.first_op, 1);
}

static void another_group_is_cut_at_a_repartition_topic(void **state)
{
    struct planner *p = *state;
    const enum plan_tag first[] = { PLAN_STAGE, PLAN_TOPIC };
    const enum plan_tag second[] = { PLAN_AGGREGATE, PLAN_TOPIC };
    const struct topic_plan *topic;
    const struct input_plan *input;

    planner_accept(p, "CREATE TABLE O AS SELECT V, SUM(W) AS S FROM S WHERE W > 0 GROUP BY V;");
    assert_int_equal(p->plan->sub_count, 2);
    assert_tags(&p->plan->subs[0], first, 2);
    assert_tags(&p->plan->subs[1], second, 2);
    topic = &p->plan->subs[0].ops[1].topic;
    input = &p->plan->subs[1].inputs[0];
    assert_text(input->topic,
                "_confluent-ksql-some.servicequery_CTAS_O_0-Aggregate-GroupBy-repartition");
    assert_text(p->plan->subs[1].root_topic, input->topic.data);
    assert_int_equal(topic->role, TOPIC_REPARTITION);
    assert_true(topic->drop_null_key);
    assert_false(topic->is_table);
    assert_int_equal(topic->codec.column_count, 2);
    assert_int_equal(input->codec.shape_id, topic->codec.shape_id);
    assert_true(input->from_earliest);
    assert_int_equal(p->plan->outputs[0].partition_count, 3);
    assert_true(p->plan->subs[1].ops[0].aggregate.key_bytes_given);
    assert_int_equal(p->plan->pull.sub, 1);
}

static void a_grouped_table_sends_old_images_through_the_topic(void **state)
{
    struct planner *p = *state;
    const enum plan_tag first[] = { PLAN_TABLE, PLAN_TOPIC };

    planner_accept(p, "CREATE TABLE O AS SELECT R, COUNT(*) AS C FROM T GROUP BY R;");
    assert_tags(&p->plan->subs[0], first, 2);
    assert_true(p->plan->subs[0].ops[0].needs_old);
    assert_true(p->plan->subs[0].ops[1].topic.is_table);
    assert_true(p->plan->subs[1].inputs[0].is_table);
    assert_true(p->plan->subs[1].ops[0].aggregate.over_table);
    assert_int_equal(p->plan->store_count, 2);
    assert_int_equal(p->plan->subs[0].stores[0], 0);
    assert_int_equal(p->plan->subs[1].stores[0], 1);
    assert_int_equal(p->plan->pull.store, 1);
}

static void having_asks_the_aggregate_for_old_images(void **state)
{
    struct planner *p = *state;
    const enum plan_tag tags[] = { PLAN_AGGREGATE, PLAN_STAGE, PLAN_TOPIC };

    planner_accept(p, "CREATE TABLE O AS SELECT K, COUNT(*) AS C FROM S GROUP BY K HAVING "
                      "SUM(V) > 5;");
    assert_tags(&p->plan->subs[0], tags, 3);
    assert_true(p->plan->subs[0].ops[0].needs_old);
    assert_true(p->plan->subs[0].ops[1].stage.over_table);
    assert_int_equal(p->plan->subs[0].ops[0].aggregate.call_count, 2);
}

static void an_image_is_the_group_and_the_accumulators(void **state)
{
    struct planner *p = *state;
    const struct store_plan *store;

    planner_accept(p, "CREATE TABLE O AS SELECT K, COUNT(*) AS C, SUM(V) AS S FROM S GROUP BY K;");
    store = &p->plan->stores[0];
    assert_int_equal(store->shape->key_count, 1);
    assert_text(store->shape->columns[0].name, "K");
    assert_true(store->codec.column_count >= 3);
    assert_int_equal(store->codec.column_count, store->shape->column_count);
    assert_text(store->changelog, "_confluent-ksql-some.servicequery_CTAS_O_0-"
                                  "Aggregate-Aggregate-Materialize-changelog");
}

static void several_group_columns_are_json_inside_whatever_the_source_has(void **state)
{
    struct planner *p = *state;
    const struct key_plan *key;

    planner_accept(p, "CREATE TABLE O WITH (KEY_FORMAT='DELIMITED') AS SELECT V, W, COUNT(*) AS C "
                      "FROM S GROUP BY V, W;");
    key = &p->plan->subs[0].ops[0].topic.key;
    assert_string_equal(key->format.kind->name, "JSON");
    assert_false(key->format.options.unwrapped);
    assert_int_equal(key->column_count, 2);
    assert_string_equal(p->plan->sink->key_format.kind->name, "DELIMITED");
}

/* --- push queries --- */

static void an_aggregate_without_group_has_one_constant_group(void **state)
{
    struct planner *p = *state;

    planner_accept(p, "SELECT COUNT(*), SUM(V) FROM S EMIT CHANGES;");
    assert_int_equal(p->plan->kind, QUERY_PUSH);
    assert_int_equal(p->plan->sub_count, 2);
    assert_int_equal(p->plan->subs[1].ops[0].aggregate.group_count, 1);
    assert_int_equal(p->plan->result.column_count, 2);
    assert_text(p->plan->result.columns[0].name, "KSQL_COL_0");
    assert_null(p->plan->stores[0].changelog.data);
}

static void a_push_query_has_its_columns_in_select_order(void **state)
{
    struct planner *p = *state;

    planner_accept(p, "SELECT V, ROWTIME, K FROM S EMIT CHANGES LIMIT 3;");
    assert_int_equal(p->plan->result.key_count, 0);
    assert_text(p->plan->result.columns[0].name, "V");
    assert_text(p->plan->result.columns[1].name, "ROWTIME");
    assert_text(p->plan->result.columns[2].name, "K");
    assert_int_equal(p->plan->subs[0].ops[1].client.limit, 3);
    assert_text(p->plan->application_id, "_confluent-ksql-some.servicetransient_transient_1");
}

/* --- sinks --- */

static void a_sink_inherits_formats_and_partitions(void **state)
{
    struct planner *p = *state;

    planner_accept(p, "CREATE STREAM D WITH (VALUE_FORMAT='DELIMITED', VALUE_DELIMITER='|') AS "
                      "SELECT K, V, W FROM S;"
                      "CREATE STREAM E AS SELECT * FROM D;");
    assert_string_equal(p->source->value_format.kind->name, "DELIMITED");
    assert_int_equal(p->source->value_format.options.delimiter[0], '|');
    assert_string_equal(p->source->key_format.kind->name, "KAFKA");
    assert_int_equal(p->source->partition_count, 3);
    assert_text(p->source->topic, "E");
    assert_text(p->source->query, "CSAS_E_1");
    planner_accept(p, "CREATE STREAM J WITH (FORMAT='JSON') AS SELECT * FROM D;");
    assert_int_equal(p->source->value_format.options.delimiter_len, 0);
}

static void a_single_value_is_wrapped_where_the_format_can(void **state)
{
    struct planner *p = *state;

    planner_accept(p, "CREATE STREAM A AS SELECT K, V FROM S;");
    assert_false(p->source->value_format.options.unwrapped);
    planner_accept(p, "CREATE STREAM B WITH (WRAP_SINGLE_VALUE=false) AS SELECT K, V FROM S;");
    assert_true(p->source->value_format.options.unwrapped);
    p->settings.wrap_single_values = 0;
    planner_accept(p, "CREATE STREAM C AS SELECT K, V FROM S;");
    assert_true(p->source->value_format.options.unwrapped);
    planner_accept(p, "CREATE STREAM D WITH (FORMAT='JSON') AS SELECT K, V, W FROM S;");
    assert_false(p->source->value_format.options.unwrapped);
    assert_true(p->source->key_format.options.unwrapped);
}

static void a_sinks_timestamp_column_is_found_in_the_result(void **state)
{
    struct planner *p = *state;
    const struct topic_plan *sink;

    planner_accept(p, "CREATE STREAM O WITH (TIMESTAMP='`at`') AS SELECT K, V, ROWTIME + 1 AS "
                      "`at` FROM S;");
    sink = &p->plan->subs[0].ops[1].topic;
    assert_true(sink->has_timestamp);
    assert_int_equal(sink->timestamp, sink->value.at[1]);
    assert_int_equal(sink->timestamp_type->id, T_BIGINT);
}

static void a_table_group_without_key_format_gets_the_default(void **state)
{
    struct planner *p = *state;

    planner_accept(p, "CREATE STREAM N (V INT, W INT) WITH (KAFKA_TOPIC='n', PARTITIONS=1, "
                      "KEY_FORMAT='NONE', VALUE_FORMAT='JSON');"
                      "CREATE TABLE O AS SELECT V, COUNT(*) AS C FROM N GROUP BY V;");
    assert_string_equal(p->source->key_format.kind->name, "KAFKA");
    assert_string_equal(p->plan->stores[0].name.data, "Aggregate-Aggregate-Materialize");
    assert_string_equal(p->plan->pull.key.format.kind->name, "JSON");
}

/* --- declared sources --- */

static void key_columns_stand_first_in_a_schema(void **state)
{
    struct planner *p = *state;

    planner_accept(p, "CREATE STREAM X (A INT, K INT KEY, H BYTES HEADER('h'), B INT) WITH "
                      "(KAFKA_TOPIC='x', PARTITIONS=1, VALUE_FORMAT='JSON');");
    assert_int_equal(p->source->schema.key_count, 1);
    assert_text(p->source->schema.columns[0].name, "K");
    assert_text(p->source->schema.columns[1].name, "A");
    assert_int_equal(p->source->schema.columns[2].role, COLUMN_HEADER);
    assert_text(p->source->schema.columns[2].header_key, "h");
}

static void a_topic_of_an_earlier_statement_counts_as_there(void **state)
{
    struct planner *p = *state;
    struct plan_context context = { &p->arena, p->catalog, p->log, &p->settings };
    struct source source = { 0 };
    struct ast_script script;

    source.name = bytes_of("PLANNED");
    source.topic = bytes_of("planned");
    source.partition_count = 7;
    source.retention_ms = RETENTION_NOT_GIVEN;
    (void)catalog_put_source(p->catalog, &source);
    assert_int_equal(parse_script(&p->arena,
                                  bytes_of("CREATE STREAM X (A INT) WITH (KAFKA_TOPIC='planned', "
                                           "VALUE_FORMAT='JSON');"),
                                  &script, &p->err),
                     0);
    assert_int_equal(plan_create_source(&context, script.statements.items[0], &source, &p->err), 0);
    assert_int_equal(source.partition_count, 7);
}

static void settings_of_a_new_topic_are_kept(void **state)
{
    struct planner *p = *state;

    planner_accept(p, "CREATE STREAM X (A INT, A_T STRING) WITH (KAFKA_TOPIC='x', "
                      "PARTITIONS='4', REPLICAS=1, RETENTION_MS=1000, VALUE_FORMAT='JSON', "
                      "TIMESTAMP='a_t', TIMESTAMP_FORMAT='yyyy-MM-dd''T''HH:mm:ss[X]');");
    assert_int_equal(p->source->partition_count, 4);
    assert_int_equal(p->source->replica_count, 1);
    assert_int_equal(p->source->retention_ms, 1000);
    assert_text(p->source->timestamp_column, "A_T");
    assert_text(p->source->timestamp_format, "yyyy-MM-dd'T'HH:mm:ss[X]");
}

/* --- names and numbers: queries.md 10.2, example 1 --- */

static const struct logical_node *build(struct planner *p, const char *sql,
                                        struct analysis *analysis)
{
    struct plan_context *context = arena_new(&p->arena, struct plan_context);
    struct ast_script script;
    struct source *sink = arena_new(&p->arena, struct source);

    *context = (struct plan_context){ &p->arena, p->catalog, p->log, &p->settings };
    assert_int_equal(parse_script(&p->arena, bytes_of(sql), &script, &p->err), 0);
    assert_int_equal(analyze_query(context, QUERY_PERSISTENT,
                                   script.statements.items[0]->create_as.query, analysis, &p->err),
                     0);
    sink->name = bytes_of("OUT");
    return logical_build(analysis, &p->arena, sink);
}

static void assert_numbers(const struct logical_node *last, const uint32_t (*wanted)[2],
                           uint32_t count)
{
    for (uint32_t i = count; i-- > 0; last = last->input) {
        assert_non_null(last);
        assert_int_equal(last->number, wanted[i][0]);
        assert_int_equal(last->number_count, wanted[i][1]);
    }
    assert_null(last);
}

static void steps_are_counted_as_kafka_streams_does(void **state)
{
    struct planner *p = *state;
    struct analysis analysis;
    const uint32_t by_column[][2] = {
        { 0, 2 }, { 2, 1 }, { 3, 2 }, { 5, 5 }, { 10, 1 }, { 11, 2 }
    };
    const uint32_t by_key[][2] = { { 0, 2 }, { 2, 1 }, { 3, 0 }, { 3, 2 }, { 5, 1 }, { 6, 2 } };
    const uint32_t table[][2] = { { 0, 5 },  { 5, 3 },  { 8, 1 },  { 9, 2 },
                                  { 11, 4 }, { 15, 3 }, { 18, 1 }, { 19, 2 } };
    const uint32_t stream[][2] = { { 0, 2 }, { 2, 1 }, { 3, 1 }, { 4, 1 } };

    assert_numbers(build(p, "CREATE TABLE O AS SELECT V, COUNT(*) FROM S GROUP BY V;", &analysis),
                   by_column, 6);
    assert_numbers(build(p, "CREATE TABLE O AS SELECT K, COUNT(*) FROM S GROUP BY K;", &analysis),
                   by_key, 6);
    assert_numbers(build(p,
                         "CREATE TABLE O AS SELECT R, COUNT(*) FROM T WHERE V > 1 GROUP BY R "
                         "HAVING COUNT(*) > 1;",
                         &analysis),
                   table, 8);
    assert_numbers(build(p, "CREATE STREAM O AS SELECT K, V FROM S WHERE V > 1;", &analysis),
                   stream, 4);
}

/* --- signatures --- */

static uint64_t signature_of(struct planner *p, const char *sql)
{
    uint64_t signature;

    planner_accept(p, sql);
    signature = plan_signature(p->plan);
    catalog_remove_source(p->catalog, p->plan->sink->name);
    p->next_query--;
    return signature;
}

static void a_signature_changes_with_layouts_and_not_with_filters(void **state)
{
    struct planner *p = *state;
    uint64_t base = signature_of(p, "CREATE TABLE O AS SELECT V, SUM(W) AS S FROM S GROUP BY V;");

    assert_true(base == signature_of(p, "CREATE TABLE O AS SELECT V, SUM(W) AS S FROM S GROUP BY "
                                        "V;"));
    assert_true(base == signature_of(p, "CREATE TABLE O AS SELECT V AS X, SUM(W) + 1 AS S FROM S "
                                        "WHERE V > 5 GROUP BY V;"));
    assert_true(base != signature_of(p, "CREATE TABLE O AS SELECT W, SUM(V) AS S FROM S GROUP BY "
                                        "W;"));
    assert_true(base != signature_of(p, "CREATE TABLE O AS SELECT V, COUNT(W) AS S FROM S GROUP "
                                        "BY V;"));
    assert_true(base != signature_of(p, "CREATE TABLE P AS SELECT V, SUM(W) AS S FROM S GROUP BY "
                                        "V;"));
}

int main(void)
{
#define PLAN_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        PLAN_TEST(columns_that_are_only_renamed_stay_where_the_decoder_put_them),
        PLAN_TEST(a_filter_and_computed_columns_are_one_stage),
        PLAN_TEST(a_constant_column_keeps_its_stage),
        PLAN_TEST(only_columns_that_the_query_reads_are_wanted),
        PLAN_TEST(a_tables_filter_gets_old_images_and_its_sink_does_not),
        PLAN_TEST(a_tables_copy_is_kept_for_pull_queries_alone),
        PLAN_TEST(pseudo_columns_of_a_kept_table_are_remembered_with_the_row),
        PLAN_TEST(grouping_by_the_key_makes_its_own_key_bytes),
        PLAN_TEST(another_group_is_cut_at_a_repartition_topic),
        PLAN_TEST(a_grouped_table_sends_old_images_through_the_topic),
        PLAN_TEST(having_asks_the_aggregate_for_old_images),
        PLAN_TEST(an_image_is_the_group_and_the_accumulators),
        PLAN_TEST(several_group_columns_are_json_inside_whatever_the_source_has),
        PLAN_TEST(an_aggregate_without_group_has_one_constant_group),
        PLAN_TEST(a_push_query_has_its_columns_in_select_order),
        PLAN_TEST(a_sink_inherits_formats_and_partitions),
        PLAN_TEST(a_single_value_is_wrapped_where_the_format_can),
        PLAN_TEST(a_sinks_timestamp_column_is_found_in_the_result),
        PLAN_TEST(a_table_group_without_key_format_gets_the_default),
        PLAN_TEST(key_columns_stand_first_in_a_schema),
        PLAN_TEST(a_topic_of_an_earlier_statement_counts_as_there),
        PLAN_TEST(settings_of_a_new_topic_are_kept),
        PLAN_TEST(steps_are_counted_as_kafka_streams_does),
        PLAN_TEST(a_signature_changes_with_layouts_and_not_with_filters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
