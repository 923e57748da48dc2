/*
 * test_engine.c: statements through the engine: what they answer, change and refuse.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/command/properties.h"
#include "tests/unit/engine_bed.h"

static const char create_s[] = "CREATE STREAM s (k STRING KEY, v INT) "
                               "WITH (KAFKA_TOPIC='t', VALUE_FORMAT='JSON', PARTITIONS=1);";

static int setup(void **state)
{
    static struct bed bed;

    bed_init(&bed);
    bed_open(&bed);
    *state = &bed;
    return 0;
}

static int teardown(void **state)
{
    bed_fini(*state);
    return 0;
}

static uint32_t count_sources(struct bed *bed)
{
    const struct source *const *sources = NULL;

    return catalog_list_sources(engine_catalog(bed->engine), &bed->arena, &sources);
}

/* --- texts of several statements --- */

static void nothing_runs_when_one_statement_is_wrong(void **state)
{
    struct bed *bed = *state;

    bed_refuse(bed,
               "CREATE STREAM s (k STRING KEY, v INT) WITH (KAFKA_TOPIC='t', VALUE_FORMAT='JSON', "
               "PARTITIONS=1);\nINSERT INTO s VALUES ('a', 1);\nSELECT w FROM s EMIT CHANGES;",
               ERR_UNKNOWN_COLUMN, 3, 8);
    assert_int_equal(count_sources(bed), 0);
    assert_false(bed_has_topic(bed, "t"));
    assert_string_equal(bed->said.data, "");
}

static void a_statement_may_use_what_an_earlier_one_makes(void **state)
{
    struct bed *bed = *state;

    bed_run(bed, "CREATE STREAM s (k STRING KEY, v INT) WITH (KAFKA_TOPIC='t', "
                 "VALUE_FORMAT='JSON', PARTITIONS=1);"
                 "CREATE STREAM again (v INT) WITH (KAFKA_TOPIC='t', VALUE_FORMAT='JSON');"
                 "CREATE TABLE n AS SELECT k, COUNT(*) AS c FROM s GROUP BY k;"
                 "CREATE STREAM o AS SELECT * FROM s;"
                 "INSERT INTO s VALUES ('a', 1);"
                 "SELECT c FROM n WHERE k = 'a';"
                 "DROP STREAM o; DROP TABLE n; DROP STREAM again; DROP STREAM s;");
    assert_non_null(strstr(bed->said.data, "CTAS_N_0"));
    assert_non_null(strstr(bed->said.data, "CSAS_O_1"));
    assert_non_null(strstr(bed->said.data, "row 1\n"));
    assert_int_equal(count_sources(bed), 0);
}

static void set_holds_for_the_statements_behind_it_only_if_all_are_right(void **state)
{
    struct bed *bed = *state;

    bed_refuse(bed, "SET 'ksql.persistence.default.format.value'='JSON'; SHOW NOTHING;", ERR_SYNTAX,
               0, 0);
    bed_refuse(bed, "CREATE STREAM x (v INT) WITH (KAFKA_TOPIC='x', PARTITIONS=1);",
               ERR_MISSING_PROPERTY, 0, 0);
    bed_run(bed, "SET 'ksql.persistence.default.format.value'='JSON';"
                 "CREATE STREAM x (v INT) WITH (KAFKA_TOPIC='x', PARTITIONS=1);"
                 "UNSET 'ksql.persistence.default.format.value';");
    bed_refuse(bed, "CREATE STREAM y (v INT) WITH (KAFKA_TOPIC='y', PARTITIONS=1);",
               ERR_MISSING_PROPERTY, 0, 0);
}

static void the_check_counts_queries_as_running_them_will(void **state)
{
    struct bed *bed = *state;

    bed_run(bed, create_s);
    bed_run(bed, "CREATE STREAM a AS SELECT * FROM s; TERMINATE CSAS_A_0;"
                 "CREATE STREAM b AS SELECT * FROM s; EXPLAIN CSAS_B_1; TERMINATE CSAS_B_1;");
}

/* --- topics --- */

static void create_makes_its_topic_and_refuses_to_guess(void **state)
{
    struct bed *bed = *state;

    bed_refuse(bed, "CREATE STREAM s (v INT) WITH (KAFKA_TOPIC='t', VALUE_FORMAT='JSON');",
               ERR_UNKNOWN_TOPIC, 1, 43);
    bed_run(bed, "CREATE STREAM s (k STRING KEY, v INT) WITH (KAFKA_TOPIC='t', "
                 "VALUE_FORMAT='JSON', PARTITIONS=3, RETENTION_MS=5000);"
                 "CREATE STREAM o WITH (KAFKA_TOPIC='out', PARTITIONS=2) AS SELECT * FROM s;"
                 "CREATE TABLE n AS SELECT k, COUNT(*) AS c FROM s GROUP BY k;");
    bed_run(bed, "SHOW TOPICS;");
    assert_string_equal(bed->said.data,
                        "table kafka_topics\ncells N|3|1\ncells out|2|1\ncells t|3|1\n");
}

static struct bytes topic_setting(struct bed *bed, const char *topic_name, const char *name)
{
    const struct log_topic *topic = NULL;
    const struct topic_config *configs = NULL;
    uint32_t count = 0;

    assert_int_equal(log_open_topic(bed->log, bytes_of(topic_name), &topic, NULL), 0);
    assert_int_equal(log_topic_configs(bed->log, topic, &bed->arena, &configs, &count, NULL), 0);
    for (uint32_t i = 0; i < count; i++) {
        if (bytes_equal_text(configs[i].name, name)) {
            return configs[i].value;
        }
    }
    return (struct bytes){ NULL, 0 };
}

static void sinks_inherit_retention_and_tables_are_compacted(void **state)
{
    struct bed *bed = *state;

    bed_run(bed, "CREATE STREAM s (k STRING KEY, v INT) WITH (KAFKA_TOPIC='t', "
                 "VALUE_FORMAT='JSON', PARTITIONS=1, RETENTION_MS=5000);"
                 "CREATE STREAM o AS SELECT * FROM s;"
                 "CREATE TABLE n AS SELECT k, COUNT(*) AS c FROM s GROUP BY k;");
    assert_true(bytes_equal_text(topic_setting(bed, "t", "retention.ms"), "5000"));
    assert_true(bytes_equal_text(topic_setting(bed, "O", "retention.ms"), "5000"));
    assert_true(bytes_equal_text(topic_setting(bed, "N", "cleanup.policy"), "compact"));
    assert_null(topic_setting(bed, "N", "retention.ms").data);
}

static uint32_t replicas_of(struct bed *bed, const char *topic_name)
{
    const struct log_topic *topic = NULL;

    assert_int_equal(log_open_topic(bed->log, bytes_of(topic_name), &topic, NULL), 0);
    return topic->replica_count;
}

static void sinks_inherit_replicas(void **state)
{
    struct bed *bed = *state;

    bed_run(bed, "CREATE STREAM s (k STRING KEY, v INT) WITH (KAFKA_TOPIC='t', "
                 "VALUE_FORMAT='JSON', PARTITIONS=1, REPLICAS=3);"
                 "CREATE STREAM o AS SELECT * FROM s;"
                 "CREATE STREAM p WITH (REPLICAS=2) AS SELECT * FROM s;");
    assert_int_equal(replicas_of(bed, "t"), 3);
    assert_int_equal(replicas_of(bed, "O"), 3);
    assert_int_equal(replicas_of(bed, "P"), 2);
}

static void sinks_have_the_usual_replicas_where_inheriting_is_off(void **state)
{
    struct bed *bed = *state;
    static const struct property_text off = {
        BYTES("ksql.create.topic.inherit.source.replicas.enabled"), BYTES("false")
    };

    bed_close(bed);
    bed->config.settings = &off;
    bed->config.setting_count = 1;
    bed_open(bed);
    bed_run(bed, "CREATE STREAM s (k STRING KEY, v INT) WITH (KAFKA_TOPIC='t', "
                 "VALUE_FORMAT='JSON', PARTITIONS=1, REPLICAS=3);"
                 "CREATE STREAM o AS SELECT * FROM s;");
    assert_int_equal(replicas_of(bed, "O"), 1);
}

static void retention_without_end_is_kept_and_inherited(void **state)
{
    struct bed *bed = *state;

    bed_run(bed, "CREATE STREAM s (k STRING KEY, v INT) WITH (KAFKA_TOPIC='t', "
                 "VALUE_FORMAT='JSON', PARTITIONS=1, RETENTION_MS=-1);"
                 "CREATE STREAM o AS SELECT * FROM s;");
    assert_true(bytes_equal_text(topic_setting(bed, "t", "retention.ms"), "-1"));
    assert_true(bytes_equal_text(topic_setting(bed, "O", "retention.ms"), "-1"));
}

static void the_test_driver_has_missing_topics_made(void **state)
{
    struct bed *bed = *state;

    bed_close(bed);
    bed->config.create_partitions = 1;
    bed_open(bed);
    bed_run(bed, "CREATE STREAM s (v INT) WITH (KAFKA_TOPIC='t', VALUE_FORMAT='JSON');"
                 "CREATE STREAM w (v INT) WITH (KAFKA_TOPIC='w', VALUE_FORMAT='JSON', "
                 "PARTITIONS=4); SHOW TOPICS;");
    assert_non_null(strstr(bed->said.data, "cells t|1|1\ncells w|4|1\n"));
}

static void drop_deletes_the_topic_when_asked(void **state)
{
    struct bed *bed = *state;

    bed_run(bed, create_s);
    bed_run(bed, "CREATE STREAM o AS SELECT * FROM s; DROP STREAM o;");
    assert_true(bed_has_topic(bed, "O"));
    bed_run(bed, "CREATE STREAM same (v INT) WITH (KAFKA_TOPIC='t', VALUE_FORMAT='JSON');");
    bed_refuse(bed, "DROP STREAM same DELETE TOPIC;", ERR_SOURCE_IN_USE, 1, 13);
    bed_run(bed, "DROP STREAM same; DROP STREAM s DELETE TOPIC;");
    assert_false(bed_has_topic(bed, "t"));
}

/* --- existence --- */

static void if_exists_and_if_not_exists_warn(void **state)
{
    struct bed *bed = *state;

    bed_run(bed, create_s);
    bed_run(bed, "CREATE STREAM IF NOT EXISTS s (v INT) WITH (KAFKA_TOPIC='nowhere', "
                 "VALUE_FORMAT='JSON');");
    assert_int_equal(strncmp(bed->said.data, "warning ", 8), 0);
    bed_run(bed, "CREATE TABLE IF NOT EXISTS s AS SELECT k, COUNT(*) AS n FROM s GROUP BY k;");
    assert_int_equal(strncmp(bed->said.data, "warning ", 8), 0);
    bed_run(bed, "DROP TABLE IF EXISTS nothing;");
    assert_int_equal(strncmp(bed->said.data, "warning ", 8), 0);
    bed_refuse(bed, "DROP STREAM nothing;", ERR_UNKNOWN_SOURCE, 1, 13);
    bed_refuse(bed, "DROP TABLE IF EXISTS s;", ERR_WRONG_KIND, 1, 22);
}

static void what_others_are_made_from_cannot_be_dropped(void **state)
{
    struct bed *bed = *state;

    bed_run(bed, create_s);
    bed_run(bed, "CREATE STREAM o AS SELECT * FROM s;");
    bed_refuse(bed, "DROP STREAM s;", ERR_SOURCE_IN_USE, 1, 13);
    bed_run(bed, "TERMINATE CSAS_O_0;");
    bed_refuse(bed, "DROP STREAM s;", ERR_SOURCE_IN_USE, 1, 13);
    bed_run(bed, "DROP STREAM o; DROP STREAM s;");
}

static void terminate_ends_queries_and_keeps_what_they_made(void **state)
{
    struct bed *bed = *state;

    bed_run(bed, create_s);
    bed_run(bed, "CREATE STREAM o AS SELECT * FROM s; CREATE STREAM p AS SELECT * FROM s;");
    bed_refuse(bed, "TERMINATE CSAS_O_9;", ERR_UNKNOWN_QUERY, 1, 11);
    bed_run(bed, "INSERT INTO s VALUES ('a', 1);");
    assert_int_equal(engine_drain(bed->engine, &bed->error), 0);
    bed_run(bed, "TERMINATE CSAS_O_0; INSERT INTO s VALUES ('b', 2);");
    assert_int_equal(engine_drain(bed->engine, &bed->error), 0);
    assert_string_equal(bed_records(bed, "O"), "a={\"V\":1}@1000");
    assert_string_equal(bed_records(bed, "P"), "a={\"V\":1}@1000 b={\"V\":2}@1000");
    bed_run(bed, "TERMINATE ALL; TERMINATE ALL; SHOW QUERIES;");
    assert_null(strstr(bed->said.data, "cells "));
    bed_run(bed, "DESCRIBE o;");
}

static void paused_queries_read_on_where_they_stood(void **state)
{
    struct bed *bed = *state;

    bed_run(bed, create_s);
    bed_run(bed, "CREATE STREAM o AS SELECT * FROM s;"
                 "CREATE TABLE n AS SELECT k, COUNT(*) AS c FROM s GROUP BY k;"
                 "INSERT INTO s VALUES ('a', 1);");
    assert_int_equal(engine_drain(bed->engine, &bed->error), 0);
    bed_refuse(bed, "PAUSE CSAS_O_9;", ERR_UNKNOWN_QUERY, 1, 7);
    assert_string_equal(bed_run(bed, "PAUSE CTAS_N_1; PAUSE CTAS_N_1;"),
                        "message Query paused.\nmessage Query paused.\n");
    bed_run(bed, "INSERT INTO s VALUES ('a', 2); SHOW QUERIES;");
    assert_non_null(strstr(bed->said.data, "cells CTAS_N_1|PERSISTENT|PAUSED:1|"));
    assert_non_null(strstr(bed->said.data, "cells CSAS_O_0|PERSISTENT|RUNNING:1|"));
    assert_int_equal(engine_drain(bed->engine, &bed->error), 0);
    assert_string_equal(bed_records(bed, "O"), "a={\"V\":1}@1000 a={\"V\":2}@1000");
    assert_string_equal(bed_records(bed, "N"), "a={\"C\":1}@1000");
    assert_string_equal(bed_run(bed, "SELECT c FROM n WHERE k = 'a';"),
                        "row 1\nend Query Completed\n");
    bed_run(bed, "EXPLAIN CTAS_N_1;");
    assert_non_null(strstr(bed->said.data, "State: PAUSED"));
    assert_string_equal(bed_run(bed, "RESUME ALL;"), "message Query resumed.\n");
    assert_int_equal(engine_drain(bed->engine, &bed->error), 0);
    assert_string_equal(bed_records(bed, "N"), "a={\"C\":1}@1000 a={\"C\":2}@1000");
    bed_run(bed, "PAUSE ALL; TERMINATE ALL; SHOW QUERIES;");
    assert_null(strstr(bed->said.data, "cells "));
}

/* --- ASSERT TOPIC --- */

static void assert_topic_compares_what_is_there(void **state)
{
    struct bed *bed = *state;

    bed_run(bed, create_s);
    bed_run(bed, "ASSERT TOPIC t; ASSERT NOT EXISTS TOPIC T TIMEOUT 3 SECONDS;");
    bed_refuse(bed, "ASSERT TOPIC 'T';", ERR_ASSERT, 1, 14);
    bed_refuse(bed, "ASSERT NOT EXISTS TOPIC t;", ERR_ASSERT, 1, 25);
    bed_refuse(bed, "ASSERT TOPIC t WITH (REPLICAS=7);", ERR_ASSERT, 1, 14);
    bed_refuse(bed, "ASSERT TOPIC t WITH (CLEANUP_POLICY='x');", ERR_INVALID_PROPERTY, 1, 22);
    bed_refuse(bed, "ASSERT TOPIC t WITH (PARTITIONS='1');", ERR_INVALID_PROPERTY, 1, 33);
}

/* --- variables --- */

static void define_holds_in_the_session_for_the_texts_behind(void **state)
{
    struct bed *bed = *state;

    bed_run(bed, "DEFINE name = 's'; DEFINE gone = 'x';");
    bed_run(bed, create_s);
    bed_run(bed, "INSERT INTO ${name} VALUES ('${gone}', 1); UNDEFINE gone; UNDEFINE nobody;");
    assert_string_equal(bed_run(bed, "SELECT * FROM ${NAME} WHERE k <> '${gone}';"),
                        "row x|1\nend Query Completed\n");
    bed_refuse(bed, "SHOW TOPICS; SELECT * FROM ${gone};", ERR_VARIABLE, 1, 28);
    bed_refuse(bed, "DEFINE new = 'y'; SELECT * FROM nothing;", ERR_UNKNOWN_SOURCE, 1, 33);
    bed_refuse(bed, "DESCRIBE ${new};", ERR_VARIABLE, 1, 10);
    bed_run(bed, "SET 'ksql.variable.substitution.enable'='false';");
    bed_refuse(bed, "SELECT * FROM ${name};", ERR_VARIABLE, 1, 15);
    bed_run(bed, "UNSET 'ksql.variable.substitution.enable'; SELECT * FROM ${name};");
}

/* --- INSERT INTO SELECT --- */

static void several_queries_insert_until_each_is_terminated(void **state)
{
    struct bed *bed = *state;

    bed_run(bed, create_s);
    assert_string_equal(bed_run(bed, "CREATE STREAM o AS SELECT * FROM s;"
                                     "INSERT INTO o SELECT k, v + 1 AS v FROM s;"
                                     "INSERT INTO o WITH (QUERY_ID='mine') SELECT k, v * 10 AS v "
                                     "FROM s WHERE v > 1;"
                                     "INSERT INTO o SELECT * FROM s WHERE FALSE;"),
                        "message Created query with ID CSAS_O_0\n"
                        "message Created query with ID INSERTQUERY_1\n"
                        "message Created query with ID MINE\n"
                        "message Created query with ID INSERTQUERY_3\n");
    bed_run(bed, "SHOW QUERIES;");
    assert_non_null(strstr(bed->said.data, "cells MINE|PERSISTENT|RUNNING:1|O|O|INSERT INTO O "));
    bed_run(bed, "TERMINATE CSAS_O_0; TERMINATE INSERTQUERY_1; INSERT INTO s VALUES ('a', 2);");
    assert_int_equal(engine_drain(bed->engine, &bed->error), 0);
    assert_string_equal(bed_records(bed, "O"), "a={\"V\":20}@1000");
    bed_refuse(bed, "INSERT INTO o WITH (QUERY_ID='mine') SELECT * FROM s;", ERR_NAME_TAKEN, 1, 30);
}

static void a_stream_with_queries_that_insert_cannot_be_dropped(void **state)
{
    struct bed *bed = *state;

    bed_run(bed, create_s);
    bed_run(bed, "CREATE STREAM o (k STRING KEY, v INT) WITH (KAFKA_TOPIC='o', PARTITIONS=1, "
                 "VALUE_FORMAT='JSON'); INSERT INTO o SELECT * FROM s;");
    bed_refuse(bed, "DROP STREAM o;", ERR_SOURCE_IN_USE, 1, 13);
    bed_refuse(bed, "DROP STREAM s;", ERR_SOURCE_IN_USE, 1, 13);
    assert_non_null(strstr(bed->error.message, "INSERTQUERY_0"));
    bed_run(bed, "TERMINATE INSERTQUERY_0; DROP STREAM o; DROP STREAM s;");
}

static void read_only_topics_take_no_queries(void **state)
{
    struct bed *bed = *state;

    bed_run(bed, create_s);
    bed_run(bed, "CREATE STREAM o (k STRING KEY, v INT) WITH (KAFKA_TOPIC='_schemas', "
                 "PARTITIONS=1, VALUE_FORMAT='JSON');");
    bed_refuse(bed, "INSERT INTO o SELECT * FROM s;", ERR_INSERT_TARGET, 1, 13);
    bed_refuse(bed, "EXPLAIN INSERT INTO o SELECT * FROM s;", ERR_INSERT_TARGET, 1, 21);
}

/* --- INSERT VALUES --- */

static void insert_writes_keys_values_and_times(void **state)
{
    struct bed *bed = *state;

    bed_run(bed, create_s);
    bed_run(bed,
            "INSERT INTO s VALUES ('a', 1); INSERT INTO s (v) VALUES (2);"
            "INSERT INTO s (ROWTIME, k) VALUES (77, 'b'); INSERT INTO s VALUES (NULL, 1 + 2);");
    assert_string_equal(bed_records(bed, "t"),
                        "a={\"V\":1}@1000 ~={\"V\":2}@1000 b={\"V\":null}@77 ~={\"V\":3}@1000");
}

static void insert_partitions_by_key_and_null_keys_go_round(void **state)
{
    struct bed *bed = *state;
    const struct log_topic *topic = NULL;

    bed_run(bed, "CREATE STREAM s (k STRING KEY, v INT) WITH (KAFKA_TOPIC='t', "
                 "VALUE_FORMAT='JSON', PARTITIONS=4);"
                 "INSERT INTO s (v) VALUES (0); INSERT INTO s (v) VALUES (1);"
                 "INSERT INTO s (v) VALUES (2); INSERT INTO s (v) VALUES (3);");
    assert_int_equal(log_open_topic(bed->log, bytes_of("t"), &topic, NULL), 0);
    for (uint32_t p = 0; p < 4; p++) {
        struct log_range range = { 0 };

        assert_int_equal(log_topic_range(bed->log, topic, p, READ_COMMITTED, &range, NULL), 0);
        assert_int_equal(range.end, 1);
    }
    bed_run(bed, "INSERT INTO s VALUES ('key', 4); INSERT INTO s VALUES ('key', 5);");
    for (uint32_t p = 0; p < 4; p++) {
        bool is_home = p == log_partition_of(bytes_of("key"), 4);
        struct log_range range = { 0 };

        assert_int_equal(log_topic_range(bed->log, topic, p, READ_COMMITTED, &range, NULL), 0);
        assert_int_equal(range.end, is_home ? 3 : 1);
    }
}

static void insert_can_be_switched_off(void **state)
{
    struct bed *bed = *state;

    bed_run(bed, create_s);
    assert_int_equal(engine_set_property(bed->engine, bytes_of("ksql.readonly.topics"),
                                         bytes_of("x,t+"), &bed->error),
                     0);
    bed_refuse(bed, "INSERT INTO s VALUES ('a', 1);", ERR_INSERT_TARGET, 1, 13);
    assert_int_equal(engine_set_property(bed->engine, bytes_of("insert.into.values.enabled"),
                                         bytes_of("false"), &bed->error),
                     0);
    bed_refuse(bed, "INSERT INTO s VALUES ('a', 1);", ERR_UNSUPPORTED, 1, 1);
}

static void an_insert_whose_commit_fails_says_so_and_the_next_one_works(void **state)
{
    struct bed *bed = *state;

    bed_run(bed, create_s);
    log_memory_fail(bed->log, LOG_FAULT_COMMIT_LOST, 1);
    bed_refuse(bed, "INSERT INTO s VALUES ('a', 1);", ERR_LOG_UNAVAILABLE, 1, 1);
    bed_run(bed, "INSERT INTO s VALUES ('b', 2);");
    assert_string_equal(bed_records(bed, "t"), "b={\"V\":2}@1000");
}

/* --- SELECT --- */

static void push_starts_at_the_end_or_where_it_is_told(void **state)
{
    struct bed *bed = *state;

    bed_run(bed, create_s);
    bed_run(bed, "INSERT INTO s VALUES ('a', 1);");
    assert_string_equal(bed_run(bed, "SELECT * FROM s EMIT CHANGES;"),
                        "end End of the log reached\n");
    bed_run(bed, "SET 'auto.offset.reset'='earliest';");
    assert_string_equal(bed_run(bed, "SELECT v, k FROM s EMIT CHANGES;"),
                        "row 1|a\nend End of the log reached\n");
}

static void push_by_another_key_shows_that_first(void **state)
{
    struct bed *bed = *state;

    bed_run(bed, create_s);
    bed_run(bed, "INSERT INTO s VALUES ('a', 1); SET 'auto.offset.reset'='earliest';");
    assert_string_equal(bed_run(bed, "SELECT * FROM s PARTITION BY v EMIT CHANGES;"),
                        "row 1|a\nend End of the log reached\n");
    assert_string_equal(bed_run(bed, "SELECT k FROM s PARTITION BY v + 1 EMIT CHANGES;"),
                        "row a\nend End of the log reached\n");
}

static void push_ends_at_limit_or_when_the_sink_has_had_enough(void **state)
{
    struct bed *bed = *state;

    bed_run(bed, create_s);
    bed_run(bed, "SET 'auto.offset.reset'='earliest'; INSERT INTO s VALUES ('a', 1);"
                 "INSERT INTO s VALUES ('b', 2); INSERT INTO s VALUES ('c', 3);");
    assert_string_equal(bed_run(bed, "SELECT k FROM s EMIT CHANGES LIMIT 2;"),
                        "row a\nrow b\nend Limit Reached\n");
    assert_string_equal(bed_run(bed, "SELECT k FROM s EMIT CHANGES LIMIT 0;"),
                        "end Limit Reached\n");
    bed->row_limit = 1;
    assert_string_equal(bed_run(bed, "SELECT k FROM s EMIT CHANGES;"),
                        "row a\nend Query terminated\n");
}

static void push_sees_what_other_queries_write_meanwhile(void **state)
{
    struct bed *bed = *state;

    bed_run(bed, create_s);
    bed_run(bed, "CREATE STREAM o AS SELECT k, v + 1 AS w FROM s;"
                 "SET 'auto.offset.reset'='earliest'; INSERT INTO s VALUES ('a', 1);");
    assert_string_equal(bed_run(bed, "SELECT * FROM o EMIT CHANGES;"),
                        "row a|2\nend End of the log reached\n");
}

static void push_of_many_rows_loses_none(void **state)
{
    enum { ROWS = 3000 };
    struct bed *bed = *state;
    struct buffer text = { 0 };

    bed_run(bed, create_s);
    for (int i = 0; i < ROWS; i++) {
        buffer_printf(&text, "INSERT INTO s VALUES ('%0500d', %d);", i, i);
    }
    buffer_append_char(&text, '\0');
    bed_run(bed, text.data);
    buffer_fini(&text);
    bed_run(bed, "SET 'auto.offset.reset'='earliest'; SELECT v FROM s EMIT CHANGES;");
    assert_int_equal(bed->rows, ROWS);
    bed_run(bed, "SELECT * FROM s EMIT CHANGES;");
    assert_int_equal(bed->rows, ROWS);
}

static void pull_sees_all_that_was_inserted(void **state)
{
    struct bed *bed = *state;

    bed_run(bed, create_s);
    bed_run(bed, "CREATE TABLE n AS SELECT k, COUNT(*) AS c, SUM(v) AS t FROM s GROUP BY k;"
                 "INSERT INTO s VALUES ('a', 1); INSERT INTO s VALUES ('a', 5);"
                 "INSERT INTO s VALUES ('b', 7);");
    assert_string_equal(bed_run(bed, "SELECT * FROM n WHERE k = 'a';"),
                        "row a|2|6\nend Query Completed\n");
    assert_string_equal(bed_run(bed, "SELECT t FROM n WHERE k IN ('b', 'x', 'a');"),
                        "row 7\nrow 6\nend Query Completed\n");
    assert_string_equal(bed_run(bed, "SELECT t FROM n WHERE k = 'x';"), "end Query Completed\n");
    bed_run(bed, "TERMINATE ALL;");
    bed_refuse(bed, "SELECT t FROM n WHERE k = 'a';", ERR_NOT_QUERYABLE, 1, 15);
}

static void pull_scans_a_table(void **state)
{
    struct bed *bed = *state;

    bed_run(bed, "CREATE STREAM s (k STRING KEY, v INT) "
                 "WITH (kafka_topic='s', partitions=1, value_format='JSON');"
                 "CREATE TABLE n AS SELECT k, COUNT(*) AS c, SUM(v) AS t FROM s GROUP BY k "
                 "HAVING SUM(v) < 9;"
                 "INSERT INTO s VALUES ('b', 7); INSERT INTO s VALUES ('a', 1);"
                 "INSERT INTO s VALUES ('d', 9); INSERT INTO s VALUES ('c', 2);");
    assert_string_equal(bed_run(bed, "SELECT * FROM n;"),
                        "row a|1|1\nrow b|1|7\nrow c|1|2\nend Query Completed\n");
    assert_string_equal(bed_run(bed, "SELECT k FROM n WHERE k > 'a' AND t > 5;"),
                        "row b\nend Query Completed\n");
    assert_string_equal(bed_run(bed, "SELECT k FROM n WHERE t = 2 OR k = 'a';"),
                        "row a\nrow c\nend Query Completed\n");
    assert_string_equal(bed_run(bed, "SELECT k FROM n LIMIT 2;"),
                        "row a\nrow b\nend Limit Reached\n");
    assert_string_equal(bed_run(bed, "SELECT k FROM n LIMIT 0;"), "end Limit Reached\n");
}

/* More rows than a slice of a scan has. */
static void a_long_scan_finds_every_row_once(void **state)
{
    enum { ROWS = 1500 };
    struct bed *bed = *state;
    struct buffer text = { 0 };

    bed_run(bed, "CREATE STREAM s (k INT KEY, v INT) "
                 "WITH (kafka_topic='s', partitions=3, value_format='JSON');"
                 "CREATE TABLE n AS SELECT k, COUNT(*) AS c FROM s GROUP BY k;");
    for (int i = 0; i < ROWS; i++) {
        buffer_printf(&text, "INSERT INTO s VALUES (%d, 1);", i);
    }
    buffer_append_char(&text, '\0');
    bed_run(bed, text.data);
    buffer_fini(&text);
    bed_run(bed, "SELECT * FROM n;");
    assert_int_equal(bed->rows, ROWS);
    bed_run(bed, "SELECT * FROM n WHERE k >= 500 AND c = 1;");
    assert_int_equal(bed->rows, ROWS - 500);
    bed_run(bed, "SELECT * FROM n LIMIT 700;");
    assert_int_equal(bed->rows, 700);
    bed->row_limit = 300;
    bed_run(bed, "SELECT * FROM n;");
    assert_int_equal(bed->rows, 300);
}

static void pull_on_a_stream_reads_what_there_is(void **state)
{
    struct bed *bed = *state;

    bed_run(bed, "CREATE STREAM s (k STRING KEY, p STRUCT<a INT, b STRING>) "
                 "WITH (kafka_topic='s', partitions=1, value_format='JSON');");
    assert_string_equal(bed_run(bed, "SELECT * FROM s;"), "end Query Completed\n");
    bed_run(bed, "INSERT INTO s VALUES ('x', STRUCT(a:=1, b:='p'));"
                 "INSERT INTO s VALUES ('y', STRUCT(a:=2, b:='q'));");
    assert_string_equal(bed_run(bed, "SELECT k, p->a + 1 AS n FROM s;"),
                        "row x|2\nrow y|3\nend Query Completed\n");
    assert_string_equal(bed_run(bed, "SELECT p->* FROM s WHERE p->b = 'q';"),
                        "row 2|q\nend Query Completed\n");
    assert_string_equal(bed_run(bed, "SELECT k FROM s LIMIT 1;"), "row x\nend Limit Reached\n");
    bed_refuse(bed, "SELECT ROWOFFSET FROM s;", ERR_PULL_CLAUSE, 1, 8);
    bed_refuse(bed, "SELECT k FROM s GROUP BY k;", ERR_PULL_CLAUSE, 0, 0);
    bed_run(bed, "SET 'ksql.query.pull.stream.enabled'='false';");
    bed_refuse(bed, "SELECT * FROM s;", ERR_UNSUPPORTED, 1, 15);
}

static void pull_asks_a_join_of_tables(void **state)
{
    struct bed *bed = *state;

    bed_run(bed, "CREATE TABLE a (id INT PRIMARY KEY, v INT) "
                 "WITH (kafka_topic='a', partitions=3, value_format='JSON');"
                 "CREATE TABLE b (id INT PRIMARY KEY, w INT) "
                 "WITH (kafka_topic='b', partitions=3, value_format='JSON');"
                 "CREATE TABLE j AS SELECT a.id AS id, v, w FROM a LEFT JOIN b ON a.id = b.id;"
                 "INSERT INTO a (id, v) VALUES (1, 10); INSERT INTO b (id, w) VALUES (1, 5);"
                 "INSERT INTO a (id, v) VALUES (2, 20); INSERT INTO b (id, w) VALUES (3, 7);");
    assert_string_equal(bed_run(bed, "SELECT * FROM j WHERE id IN (1, 2, 3);"),
                        "row 1|10|5\nrow 2|20|null\nend Query Completed\n");
}

static void pull_can_be_switched_off(void **state)
{
    struct bed *bed = *state;

    bed_run(bed, create_s);
    bed_run(bed, "CREATE TABLE n AS SELECT k, COUNT(*) AS c FROM s GROUP BY k;"
                 "SET 'ksql.query.pull.limit.clause.enabled'='false';");
    bed_refuse(bed, "SELECT * FROM n WHERE k = 'a' LIMIT 1;", ERR_PULL_CLAUSE, 1, 37);
    bed_run(bed, "SELECT * FROM n WHERE k = 'a';");
    assert_int_equal(engine_set_property(bed->engine, bytes_of("ksql.pull.queries.enable"),
                                         bytes_of("false"), &bed->error),
                     0);
    bed_refuse(bed, "SELECT * FROM n WHERE k = 'a';", ERR_UNSUPPORTED, 1, 1);
}

static void a_bad_record_is_skipped_by_those_who_read_it(void **state)
{
    struct bed *bed = *state;

    bed_run(bed, "CREATE STREAM raw (v STRING) WITH (KAFKA_TOPIC='t', VALUE_FORMAT='KAFKA', "
                 "PARTITIONS=1);"
                 "CREATE STREAM j (v INT) WITH (KAFKA_TOPIC='t', VALUE_FORMAT='JSON');"
                 "CREATE STREAM o AS SELECT v FROM j; CREATE STREAM r AS SELECT v FROM raw;"
                 "INSERT INTO raw VALUES ('{\"V\":1}'); INSERT INTO raw VALUES ('{{');"
                 "INSERT INTO raw VALUES ('{\"V\":3}');");
    assert_int_equal(engine_drain(bed->engine, &bed->error), 0);
    assert_int_equal(bed->skipped, 1);
    assert_string_equal(bed_records(bed, "O"), "~={\"V\":1}@1000 ~={\"V\":3}@1000");
    assert_string_equal(bed_records(bed, "R"), "~={\"V\":1}@1000 ~={{@1000 ~={\"V\":3}@1000");
    bed_run(bed, "DESCRIBE j EXTENDED;");
    assert_non_null(strstr(bed->said.data, "CSAS_O_0 (RUNNING)"));
    assert_non_null(strstr(bed->said.data, "| consumer-total-messages    | 2 "));
    assert_non_null(strstr(bed->said.data, "| consumer-failed-messages   | 1 "));
}

/* --- what is told --- */

static void show_lists_sources_queries_and_types(void **state)
{
    struct bed *bed = *state;

    bed_run(bed, create_s);
    bed_run(bed, "CREATE TABLE n AS SELECT k, COUNT(*) AS c FROM s GROUP BY k;");
    assert_string_equal(bed_run(bed, "LIST STREAMS; SHOW TABLES; SHOW TYPES;"),
                        "table streams\ncells S|t|KAFKA|JSON|false\n"
                        "table tables\ncells N|N|KAFKA|JSON|false\ntable type_list\n");
    bed_run(bed, "SHOW QUERIES;");
    assert_non_null(strstr(bed->said.data, "cells CTAS_N_0|PERSISTENT|RUNNING:1|N|N|CREATE TABLE N "
                                           "WITH (KAFKA_TOPIC='N', KEY_FORMAT='KAFKA', "
                                           "PARTITIONS=1, VALUE_FORMAT='JSON') AS SELECT"));
}

static void internal_topics_are_hidden_unless_all_are_asked_for(void **state)
{
    struct bed *bed = *state;

    bed_run(bed, create_s);
    bed_run(bed, "CREATE TABLE n AS SELECT k, COUNT(*) AS c FROM s GROUP BY k; SHOW TOPICS;");
    assert_null(strstr(bed->said.data, "cells _"));
    bed_run(bed, "SHOW ALL TOPICS;");
    assert_non_null(strstr(bed->said.data, "cells _sluice-default_-statements|1|1\n"));
    assert_non_null(strstr(bed->said.data, "Aggregate-Aggregate-Materialize-changelog"));
}

static void describe_shows_columns_keys_and_headers(void **state)
{
    struct bed *bed = *state;

    bed_run(bed, "CREATE STREAM h (k STRING KEY, d DECIMAL(4, 2), h BYTES HEADER('id')) "
                 "WITH (KAFKA_TOPIC='h', VALUE_FORMAT='JSON', PARTITIONS=1);"
                 "CREATE TABLE b (k INT PRIMARY KEY, v STRING) "
                 "WITH (KAFKA_TOPIC='b', VALUE_FORMAT='JSON', PARTITIONS=1);");
    bed_run(bed, "DESCRIBE h;");
    assert_non_null(strstr(bed->said.data, "cells K|VARCHAR(STRING)  (key)\ncells D|DECIMAL(4, 2)\n"
                                           "cells H|BYTES            (header('id'))\n"));
    bed_run(bed, "DESCRIBE b;");
    assert_non_null(strstr(bed->said.data,
                           "cells K|INTEGER          (primary key)\ncells V|VARCHAR(STRING)\n"));
    bed_refuse(bed, "DESCRIBE c;", ERR_UNKNOWN_SOURCE, 1, 10);
    bed_run(bed, "DESCRIBE STREAMS; DESCRIBE TABLES EXTENDED;");
}

static void functions_are_listed_and_described(void **state)
{
    struct bed *bed = *state;

    bed_run(bed, "SHOW FUNCTIONS; DESCRIBE FUNCTION ucase; DESCRIBE FUNCTION count;");
    assert_non_null(strstr(bed->said.data, "cells UCASE|STRING\n"));
    assert_non_null(strstr(bed->said.data, "cells SUM|AGGREGATE\n"));
    assert_non_null(strstr(bed->said.data, "Type        : SCALAR"));
    assert_non_null(strstr(bed->said.data, "Type        : AGGREGATE"));
    assert_non_null(strstr(bed->said.data, "Variation   : UCASE(input VARCHAR)\n\tReturns     : "
                                           "VARCHAR\n"));
    assert_non_null(strstr(bed->said.data, "Variation   : COUNT(val T)\n\tReturns     : BIGINT\n"));
    bed_refuse(bed, "DESCRIBE FUNCTION ucas;", ERR_UNKNOWN_FUNCTION, 1, 19);
    assert_non_null(strstr(bed->error.message, "UCASE"));
}

static void explain_plans_without_effect_and_shows_running_queries(void **state)
{
    struct bed *bed = *state;

    bed_run(bed, create_s);
    bed_run(bed, "EXPLAIN CREATE TABLE n AS SELECT k, COUNT(*) AS c FROM s GROUP BY k;");
    assert_non_null(strstr(bed->said.data, "> [ AGGREGATE ]"));
    assert_int_equal(count_sources(bed), 1);
    assert_false(bed_has_topic(bed, "N"));
    bed_run(bed, "EXPLAIN SELECT k FROM s WHERE v > 1 EMIT CHANGES;");
    assert_non_null(strstr(bed->said.data, "> [ FILTER ]"));
    bed_run(bed, "CREATE STREAM o AS SELECT k, v FROM s; EXPLAIN CSAS_O_0;");
    assert_non_null(strstr(bed->said.data, "State: RUNNING"));
    bed_run(bed, "EXPLAIN INSERT INTO o SELECT k, v FROM s;");
    assert_non_null(strstr(bed->said.data, "INSERTQUERY_1.O"));
    bed_refuse(bed, "EXPLAIN CSAS_O_1;", ERR_UNKNOWN_QUERY, 1, 9);
    assert_non_null(strstr(bed->error.message, "CSAS_O_0"));
}

static void explain_of_a_pull_query_says_what_is_asked_of_which_state(void **state)
{
    struct bed *bed = *state;

    bed_run(bed, create_s);
    bed_run(bed, "CREATE TABLE n AS SELECT k, COUNT(*) AS c FROM s GROUP BY k;"
                 "EXPLAIN SELECT k, c + 1 AS d FROM n WHERE k IN ('a', 'b') AND c > 3 LIMIT 4;");
    assert_non_null(strstr(bed->said.data, "Query Type           : PULL"));
    assert_non_null(strstr(bed->said.data, " > [ LIMIT ] "));
    assert_non_null(strstr(bed->said.data, "| Columns: K, (C + 1) AS D\n"));
    assert_non_null(strstr(bed->said.data, "| Condition: ((K IN ('a', 'b')) AND (C > 3))\n"));
    assert_non_null(strstr(bed->said.data, "| State of: CTAS_N_0 | Lookup of keys: 2\n"));
    bed_run(bed, "EXPLAIN SELECT * FROM n;");
    assert_non_null(strstr(bed->said.data, "| State of: CTAS_N_0 | Scan of all keys\n"));
    bed_run(bed, "EXPLAIN SELECT * FROM n WHERE k > 'b';");
    assert_non_null(strstr(bed->said.data, "| Scan of a key range\n"));
    bed_run(bed, "EXPLAIN SELECT v FROM s WHERE v > 1;");
    assert_non_null(strstr(bed->said.data, "Query Type           : PULL"));
    assert_non_null(strstr(bed->said.data, "> [ FILTER ]"));
    bed_refuse(bed, "EXPLAIN SELECT v FROM s LIMIT -1;", ERR_INVALID_LIMIT, 1, 31);
    bed_refuse(bed, "EXPLAIN SELECT nope FROM n;", ERR_UNKNOWN_COLUMN, 1, 16);
}

static void describe_extended_tells_counts_and_positions(void **state)
{
    struct bed *bed = *state;

    bed_run(bed, create_s);
    bed_run(bed, "SET 'auto.offset.reset'='earliest';"
                 "CREATE TABLE n AS SELECT k, COUNT(*) AS c FROM s GROUP BY k;"
                 "INSERT INTO s (k, v) VALUES ('a', 1); INSERT INTO s (k, v) VALUES ('a', 2);"
                 "SELECT * FROM n;");
    bed_run(bed, "DESCRIBE s EXTENDED;");
    assert_non_null(strstr(bed->said.data, "| consumer-total-messages    | 2 "));
    assert_non_null(strstr(bed->said.data, "| consumer-failed-messages   | 0 "));
    assert_null(strstr(bed->said.data, "Consumer Group "));
    bed_run(bed, "DESCRIBE n EXTENDED;");
    assert_non_null(strstr(bed->said.data, "| total-messages "));
    assert_non_null(
        strstr(bed->said.data, "Consumer Group       : _confluent-ksql-default_query_CTAS_N_0\n"));
    assert_non_null(strstr(bed->said.data, "Max lag              : 0\n"));
    assert_non_null(strstr(bed->said.data, "| 2            | 2            | 0\n"));
    bed_run(bed, "EXPLAIN CTAS_N_0;");
    assert_non_null(strstr(bed->said.data, " auto.offset.reset | earliest\n"));
}

static void what_is_not_built_is_refused_by_name_with_its_place(void **state)
{
    static const struct {
        const char *text;
        const char *why;
    } refused[] = {
        { "ALTER SYSTEM 'a' = 'b';", "is not built yet" },
        { "RUN SCRIPT 'x';", "is for those who have files" },
        { "ASSERT VALUES s (v) VALUES (1);", "is for the .sql files" },
        { "ASSERT SCHEMA ID 1;", "needs a schema registry" },
    };
    struct bed *bed = *state;

    bed_run(bed, create_s);
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        struct buffer text = { 0 };

        buffer_printf(&text, "SHOW STREAMS;\n  %s", refused[i].text);
        buffer_append_char(&text, '\0');
        bed_refuse(bed, text.data, ERR_UNSUPPORTED, 2, 3);
        assert_non_null(strstr(bed->error.message, refused[i].why));
        buffer_fini(&text);
    }
}

static void the_limit_of_persistent_queries_holds(void **state)
{
    struct bed *bed = *state;

    bed_run(bed, create_s);
    assert_int_equal(engine_set_property(bed->engine,
                                         bytes_of("ksql.query.persistent.active.limit"),
                                         bytes_of("1"), &bed->error),
                     0);
    bed_run(bed, "CREATE STREAM a AS SELECT * FROM s;");
    bed_refuse(bed, "CREATE STREAM b AS SELECT * FROM s;", ERR_INVALID_PROPERTY, 1, 1);
    bed_run(bed, "TERMINATE ALL; CREATE STREAM b AS SELECT * FROM s;");
}

static void the_limits_of_what_queries_hold_back_hold(void **state)
{
    struct bed *bed = *state;

    bed_run(bed, create_s);
    bed_run(bed, "SET 'cache.max.bytes.buffering' = '600';");
    assert_int_equal(engine_set_property(
                         bed->engine, bytes_of("ksql.query.persistent.max.bytes.buffering.total"),
                         bytes_of("1000"), &bed->error),
                     0);
    assert_int_equal(engine_set_property(bed->engine,
                                         bytes_of("ksql.query.transient.max.bytes.buffering.total"),
                                         bytes_of("599"), &bed->error),
                     0);
    bed_run(bed, "CREATE STREAM a AS SELECT * FROM s;");
    bed_refuse(bed, "CREATE STREAM b AS SELECT * FROM s;", ERR_INVALID_PROPERTY, 1, 1);
    bed_refuse(bed, "SELECT * FROM s EMIT CHANGES;", ERR_INVALID_PROPERTY, 1, 1);
    bed_run(bed, "SET 'cache.max.bytes.buffering' = '400'; CREATE STREAM b AS SELECT * FROM s; "
                 "SELECT * FROM s EMIT CHANGES;");
    bed_refuse(bed, "SET 'cache.max.bytes.buffering' = '1'; INSERT INTO b SELECT * FROM s;",
               ERR_INVALID_PROPERTY, 1, 40);
    bed_run(bed, "TERMINATE ALL; CREATE STREAM c AS SELECT * FROM s;");
}

/* --- threads --- */

struct push_thread {
    struct bed *bed;
    pthread_mutex_t mutex; /* begun */
    pthread_cond_t changed;
    bool begun;
    int code;
};

static struct push_thread push_thread = { .mutex = PTHREAD_MUTEX_INITIALIZER,
                                          .changed = PTHREAD_COND_INITIALIZER };

static void tell_begun(struct bed *bed)
{
    pthread_mutex_lock(&push_thread.mutex);
    push_thread.begun = true;
    pthread_cond_signal(&push_thread.changed);
    pthread_mutex_unlock(&push_thread.mutex);
}

static void *push_main(void *argument)
{
    struct bed *bed = argument;

    push_thread.code = bed_try(bed, "SELECT k, v FROM s EMIT CHANGES LIMIT 2;");
    return NULL;
}

static void a_push_query_of_one_session_leaves_the_engine_to_others(void **state)
{
    struct bed *bed = *state;
    struct session *other;
    struct error err = { 0 };
    static const struct result_sink ignore = { 0 };
    pthread_t thread;

    bed_close(bed);
    clock_init_real(&bed->clock);
    bed->config.mode = RUNTIME_THREADED;
    bed->config.worker_count = 1;
    bed_open(bed);
    bed_run(bed, create_s);
    bed->rows_begun = tell_begun;
    assert_int_equal(pthread_create(&thread, NULL, push_main, bed), 0);
    pthread_mutex_lock(&push_thread.mutex);
    while (!push_thread.begun) {
        pthread_cond_wait(&push_thread.changed, &push_thread.mutex);
    }
    pthread_mutex_unlock(&push_thread.mutex);
    other = session_create(bed->engine);
    assert_int_equal(engine_execute(bed->engine, other,
                                    bytes_of("INSERT INTO s VALUES ('a', 1);"
                                             "INSERT INTO s VALUES ('b', 2);"),
                                    &ignore, &err),
                     0);
    pthread_join(thread, NULL);
    session_destroy(other);
    assert_int_equal(push_thread.code, 0);
    assert_string_equal(bed->said.data, "row a|1\nrow b|2\nend Limit Reached\n");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(nothing_runs_when_one_statement_is_wrong),
        CASE(a_statement_may_use_what_an_earlier_one_makes),
        CASE(set_holds_for_the_statements_behind_it_only_if_all_are_right),
        CASE(the_check_counts_queries_as_running_them_will),
        CASE(create_makes_its_topic_and_refuses_to_guess),
        CASE(sinks_inherit_retention_and_tables_are_compacted),
        CASE(sinks_inherit_replicas),
        CASE(sinks_have_the_usual_replicas_where_inheriting_is_off),
        CASE(retention_without_end_is_kept_and_inherited),
        CASE(the_test_driver_has_missing_topics_made),
        CASE(drop_deletes_the_topic_when_asked),
        CASE(if_exists_and_if_not_exists_warn),
        CASE(what_others_are_made_from_cannot_be_dropped),
        CASE(terminate_ends_queries_and_keeps_what_they_made),
        CASE(paused_queries_read_on_where_they_stood),
        CASE(several_queries_insert_until_each_is_terminated),
        CASE(a_stream_with_queries_that_insert_cannot_be_dropped),
        CASE(read_only_topics_take_no_queries),
        CASE(insert_writes_keys_values_and_times),
        CASE(insert_partitions_by_key_and_null_keys_go_round),
        CASE(insert_can_be_switched_off),
        CASE(an_insert_whose_commit_fails_says_so_and_the_next_one_works),
        CASE(push_starts_at_the_end_or_where_it_is_told),
        CASE(push_by_another_key_shows_that_first),
        CASE(push_ends_at_limit_or_when_the_sink_has_had_enough),
        CASE(push_sees_what_other_queries_write_meanwhile),
        CASE(push_of_many_rows_loses_none),
        CASE(pull_sees_all_that_was_inserted),
        CASE(pull_scans_a_table),
        CASE(assert_topic_compares_what_is_there),
        CASE(define_holds_in_the_session_for_the_texts_behind),
        CASE(a_long_scan_finds_every_row_once),
        CASE(pull_on_a_stream_reads_what_there_is),
        CASE(pull_asks_a_join_of_tables),
        CASE(pull_can_be_switched_off),
        CASE(a_bad_record_is_skipped_by_those_who_read_it),
        CASE(show_lists_sources_queries_and_types),
        CASE(internal_topics_are_hidden_unless_all_are_asked_for),
        CASE(describe_shows_columns_keys_and_headers),
        CASE(functions_are_listed_and_described),
        CASE(explain_plans_without_effect_and_shows_running_queries),
        CASE(explain_of_a_pull_query_says_what_is_asked_of_which_state),
        CASE(describe_extended_tells_counts_and_positions),
        CASE(what_is_not_built_is_refused_by_name_with_its_place),
        CASE(the_limit_of_persistent_queries_holds),
        CASE(the_limits_of_what_queries_hold_back_hold),
        CASE(a_push_query_of_one_session_leaves_the_engine_to_others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
