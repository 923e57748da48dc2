/*
 * test_engine_replay.c: the statement log: restarts, two engines on one log, failing appends,
 * and records that no longer fit.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/trace.h"
#include "engine/command/statement_log.h"
#include "tests/unit/engine_bed.h"

static const char create_s[] = "CREATE STREAM s (k STRING KEY, v INT) "
                               "WITH (KAFKA_TOPIC='t', VALUE_FORMAT='JSON', PARTITIONS=1);";
static const char create_n[] = "CREATE TABLE n AS SELECT k, COUNT(*) AS c FROM s GROUP BY k;";
static const char log_topic[] = "_sluice-default_-statements";

static int setup(void **state)
{
    static struct bed bed;

    trace_set_level(TRACE_OFF); /* refused records are traced */
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

static void drain(struct bed *bed)
{
    assert_int_equal(engine_drain(bed->engine, &bed->error), 0);
}

static int64_t logged(struct bed *bed)
{
    const struct log_topic *topic = NULL;
    struct log_range range = { 0 };

    if (log_open_topic(bed->log, bytes_of(log_topic), &topic, NULL)) {
        return 0;
    }
    assert_int_equal(log_topic_range(bed->log, topic, 0, READ_COMMITTED, &range, NULL), 0);
    return range.end;
}

/* --- restarts --- */

static void a_restart_brings_back_the_catalog_and_queries_with_their_state(void **state)
{
    struct bed *bed = *state;
    char before[4000];

    bed_run(bed, create_s);
    bed_run(bed, create_n);
    bed_run(bed, "CREATE STREAM o AS SELECT k, v + 1 AS w FROM s WHERE v > 0;"
                 "INSERT INTO s VALUES ('a', 1); INSERT INTO s VALUES ('a', 2);");
    drain(bed);
    snprintf(before, sizeof before, "%s",
             bed_run(bed, "SHOW STREAMS; SHOW TABLES; SHOW QUERIES; DESCRIBE o; DESCRIBE n;"));
    bed_restart(bed);
    assert_string_equal(
        bed_run(bed, "SHOW STREAMS; SHOW TABLES; SHOW QUERIES; DESCRIBE o; DESCRIBE n;"), before);
    assert_string_equal(bed_run(bed, "SELECT c FROM n WHERE k = 'a';"),
                        "row 2\nend Query Completed\n");
    bed_run(bed, "INSERT INTO s VALUES ('a', 3);");
    assert_string_equal(bed_run(bed, "SELECT c FROM n WHERE k = 'a';"),
                        "row 3\nend Query Completed\n");
    assert_string_equal(bed_records(bed, "O"),
                        "a={\"W\":2}@1000 a={\"W\":3}@1000 a={\"W\":4}@1000");
}

static void what_came_in_while_nothing_ran_is_read_after_the_restart(void **state)
{
    struct bed *bed = *state;

    bed_run(bed, create_s);
    bed_run(bed, create_n);
    drain(bed);
    bed_run(bed, "INSERT INTO s VALUES ('a', 1);"); /* not drained */
    bed_restart(bed);
    assert_string_equal(bed_run(bed, "SELECT c FROM n WHERE k = 'a';"),
                        "row 1\nend Query Completed\n");
}

static void numbers_of_queries_are_not_used_again(void **state)
{
    struct bed *bed = *state;

    bed_run(bed, create_s);
    bed_run(bed, "CREATE STREAM a AS SELECT * FROM s; CREATE STREAM b AS SELECT * FROM s;"
                 "DROP STREAM b;");
    bed_restart(bed);
    assert_string_equal(bed_run(bed, "CREATE STREAM b AS SELECT * FROM s;"),
                        "message Created query with ID CSAS_B_2\n");
}

static void what_was_dropped_or_terminated_does_not_come_back(void **state)
{
    struct bed *bed = *state;

    bed_run(bed, create_s);
    bed_run(bed, "CREATE STREAM a AS SELECT * FROM s; CREATE STREAM b AS SELECT * FROM s;"
                 "TERMINATE CSAS_A_0; DROP STREAM b DELETE TOPIC;");
    bed_restart(bed);
    bed_run(bed, "INSERT INTO s VALUES ('a', 1);");
    drain(bed);
    assert_string_equal(bed_records(bed, "A"), "");
    assert_false(bed_has_topic(bed, "B"));
    assert_string_equal(bed_run(bed, "SHOW QUERIES; SHOW STREAMS;"),
                        "table queries\ntable streams\ncells A|A|KAFKA|JSON|false\n"
                        "cells S|t|KAFKA|JSON|false\n");
}

static void queries_that_insert_and_what_is_paused_come_back_as_they_were(void **state)
{
    struct bed *bed = *state;
    char before[4000];

    bed_run(bed, create_s);
    bed_run(bed, "CREATE STREAM o AS SELECT * FROM s;"
                 "INSERT INTO o WITH (QUERY_ID='q9') SELECT k, v + 1 AS v FROM s;"
                 "INSERT INTO o SELECT k, v + 2 AS v FROM s; TERMINATE CSAS_O_0; PAUSE q9;"
                 "PAUSE INSERTQUERY_2; RESUME INSERTQUERY_2; INSERT INTO s VALUES ('a', 1);");
    drain(bed);
    snprintf(before, sizeof before, "%s", bed_run(bed, "SHOW QUERIES;"));
    assert_non_null(strstr(before, "cells Q9|PERSISTENT|PAUSED:1|"));
    bed_restart(bed);
    assert_string_equal(bed_run(bed, "SHOW QUERIES;"), before);
    bed_run(bed, "INSERT INTO s VALUES ('a', 5);");
    drain(bed);
    assert_string_equal(bed_records(bed, "O"), "a={\"V\":3}@1000 a={\"V\":7}@1000");
    bed_run(bed, "RESUME q9;");
    drain(bed);
    assert_string_equal(bed_records(bed, "O"),
                        "a={\"V\":3}@1000 a={\"V\":7}@1000 a={\"V\":2}@1000 a={\"V\":6}@1000");
    assert_string_equal(bed_run(bed, "INSERT INTO o SELECT * FROM s WHERE FALSE;"),
                        "message Created query with ID INSERTQUERY_3\n");
}

static void an_insert_that_cannot_start_is_taken_back(void **state)
{
    struct bed *bed = *state;

    bed_run(bed, create_s);
    bed_run(bed, "CREATE STREAM o AS SELECT * FROM s; TERMINATE ALL;");
    assert_int_equal(log_delete_topic(bed->log, bytes_of("O"), &bed->error), 0);
    bed_refuse(bed, "INSERT INTO o SELECT * FROM s;", ERR_UNKNOWN_TOPIC, 1, 1);
    assert_string_equal(bed_run(bed, "SHOW QUERIES;"), "table queries\n");
    bed_restart(bed);
    assert_string_equal(bed_run(bed, "SHOW QUERIES;"), "table queries\n");
}

static void a_dropped_source_may_have_had_another_topic_of_that_name(void **state)
{
    struct bed *bed = *state;

    bed_run(bed, create_s);
    bed_run(bed, "DROP STREAM s DELETE TOPIC;");
    bed_run(bed, "CREATE STREAM s (v STRING) WITH (KAFKA_TOPIC='t', VALUE_FORMAT='JSON', "
                 "PARTITIONS=5);");
    bed_restart(bed);
    bed_run(bed, "DESCRIBE s EXTENDED;");
    assert_non_null(strstr(bed->said.data, "t (partitions: 5, replication: 1)"));
}

static void a_query_keeps_the_properties_it_was_made_with(void **state)
{
    struct bed *bed = *state;

    bed_run(bed, create_s);
    bed_run(bed, "INSERT INTO s VALUES ('a', 1);"
                 "SET 'auto.offset.reset'='earliest'; SET 'cache.max.bytes.buffering'='0';"
                 "SET 'ksql.persistence.default.format.value'='DELIMITED';");
    bed_run(bed, create_n);
    bed_run(bed, "CREATE STREAM d (v INT) WITH (KAFKA_TOPIC='d', PARTITIONS=1);");
    bed_restart(bed); /* before the query has run at all; the session's settings are gone */
    bed_run(bed, "INSERT INTO s VALUES ('a', 2);");
    drain(bed);
    assert_string_equal(bed_records(bed, "N"), "a={\"C\":1}@1000 a={\"C\":2}@1000");
    bed_run(bed, "SHOW STREAMS;");
    assert_non_null(strstr(bed->said.data, "cells D|d|KAFKA|DELIMITED|false\n"));
}

static void what_a_statement_took_from_its_topic_is_in_its_text(void **state)
{
    struct bed *bed = *state;
    struct topic_spec spec = { .name = bytes_of("old"), .partition_count = 3 };

    assert_int_equal(log_create_topic(bed->log, &spec, &bed->error), 0);
    bed_run(bed, "CREATE STREAM s (v INT) WITH (KAFKA_TOPIC='old', VALUE_FORMAT='JSON');");
    bed_close(bed);
    assert_int_equal(log_delete_topic(bed->log, bytes_of("old"), NULL), 0);
    bed_open(bed);
    bed_run(bed, "DESCRIBE s EXTENDED;");
    assert_non_null(strstr(bed->said.data, "old (partitions: 3, "));
}

static void statements_that_change_nothing_are_not_logged(void **state)
{
    struct bed *bed = *state;

    bed_run(bed, "SHOW STREAMS; SET 'auto.offset.reset'='earliest'; SHOW TOPICS;");
    assert_false(bed_has_topic(bed, log_topic));
    bed_run(bed, create_s);
    assert_int_equal(logged(bed), 1);
    bed_run(bed, "INSERT INTO s VALUES ('a', 1); SELECT * FROM s EMIT CHANGES; DESCRIBE s;"
                 "DROP STREAM IF EXISTS x;"
                 "CREATE STREAM IF NOT EXISTS s (v INT) WITH (KAFKA_TOPIC='t', "
                 "VALUE_FORMAT='JSON');");
    (void)bed_try(bed, "DROP STREAM x;");
    (void)bed_try(bed, "CREATE STREAM q AS SELECT nothing FROM s;");
    assert_int_equal(logged(bed), 1);
}

/* --- records that do not fit --- */

static void append_record(struct bed *bed, const struct statement_record *record)
{
    struct statement_log *slog = statement_log_create(bed->log, "default_", "test");
    int64_t sequence = -1;

    assert_int_equal(statement_log_lock(slog, &bed->error), 0);
    assert_int_equal(statement_log_append(slog, record, 0, &sequence, &bed->error), 0);
    assert_true(sequence >= 0);
    statement_log_destroy(slog);
}

static void a_query_with_another_signature_is_refused_and_the_others_run(void **state)
{
    struct bed *bed = *state;
    struct statement_record record = {
        .sql = bytes_of("CREATE TABLE M AS SELECT K, COUNT(*) C FROM S GROUP BY K;"),
        .query_id = bytes_of("CTAS_M_7"),
        .planner = STATEMENT_PLANNER_VERSION,
        .signature = 12345,
        .has_signature = true,
    };

    bed_run(bed, create_s);
    append_record(bed, &record);
    bed_run(bed, create_n);
    bed_restart(bed);
    assert_string_equal(bed_run(bed, "SHOW TABLES;"), "table tables\ncells N|N|KAFKA|JSON|false\n");
    bed_run(bed, "INSERT INTO s VALUES ('a', 1);");
    assert_string_equal(bed_run(bed, "SELECT c FROM n WHERE k = 'a';"),
                        "row 1\nend Query Completed\n");
    assert_string_equal(bed_run(bed, "CREATE STREAM o AS SELECT * FROM s;"),
                        "message Created query with ID CSAS_O_9\n");
}

static void statements_that_no_longer_plan_stop_nothing_else(void **state)
{
    static const char *const texts[] = {
        "CREATE STREAM X AS SELECT nothing FROM nowhere;",
        "SHOW STREAMS;",
        "DROP STREAM nothing;",
        "nonsense",
        "",
        "CREATE STREAM A (V INT) WITH (KAFKA_TOPIC='t', VALUE_FORMAT='JSON'); DROP STREAM A;",
    };
    struct bed *bed = *state;
    struct statement_record record = { .planner = STATEMENT_PLANNER_VERSION };

    bed_run(bed, create_s);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        record.sql = bytes_of(texts[i]);
        append_record(bed, &record);
    }
    bed_run(bed, "CREATE STREAM o AS SELECT * FROM s;");
    bed_restart(bed);
    assert_string_equal(bed_run(bed, "SHOW STREAMS;"), "table streams\ncells O|O|KAFKA|JSON|false\n"
                                                       "cells S|t|KAFKA|JSON|false\n");
}

static void append_bytes(struct bed *bed, const char *value)
{
    const struct writer_spec spec = { .client_id = BYTES("bed") };
    const struct log_topic *topic = NULL;
    struct log_writer *writer = NULL;
    struct log_builder builder = { 0 };

    assert_int_equal(log_open_topic(bed->log, bytes_of(log_topic), &topic, NULL), 0);
    assert_int_equal(log_writer_open(bed->log, &spec, &writer, &bed->error), 0);
    log_builder_add(&builder, (struct bytes){ NULL, 0 }, bytes_of(value), 0, NULL, 0);
    assert_int_equal(log_writer_append(writer, topic, 0, &builder, NULL, &bed->error), 0);
    assert_int_equal(log_writer_flush(writer, &bed->error), 0);
    log_builder_fini(&builder);
    log_writer_close(writer);
}

static void records_that_are_no_statements_stop_nothing_else(void **state)
{
    static const char *const values[] = {
        NULL,
        "",
        "not JSON",
        "[]",
        "{}",
        "17",
        "{\"version\":1}",
        "{\"version\":1,\"sql\":17,\"properties\":[]}",
        "{\"version\":99,\"sql\":\"DROP STREAM S;\"}",
        "{\"version\":1,\"sql\":\"DROP STREAM S;\",\"properties\":{\"no.such\":\"1\"}}",
        "{\"version\":1,\"sql\":\"DROP STREAM S;\",\"properties\":{\"commit.interval.ms\":\"x\"}}",
    };
    struct bed *bed = *state;

    bed_run(bed, create_s);
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        append_bytes(bed, values[i]);
    }
    bed_run(bed, create_n);
    bed_restart(bed);
    assert_string_equal(bed_run(bed, "SHOW STREAMS; SHOW TABLES;"),
                        "table streams\ncells S|t|KAFKA|JSON|false\n"
                        "table tables\ncells N|N|KAFKA|JSON|false\n");
}

static void a_query_that_cannot_start_stands_in_error_and_stops_nothing_else(void **state)
{
    struct bed *bed = *state;

    bed_run(bed, create_s);
    bed_run(bed, "CREATE STREAM a AS SELECT * FROM s; CREATE STREAM b AS SELECT * FROM s;");
    drain(bed);
    bed_close(bed);
    assert_int_equal(log_delete_topic(bed->log, bytes_of("A"), NULL), 0);
    bed_open(bed);
    bed_run(bed, "SHOW QUERIES;");
    assert_non_null(strstr(bed->said.data, "CSAS_A_0|PERSISTENT|ERROR:1"));
    assert_non_null(strstr(bed->said.data, "CSAS_B_1|PERSISTENT|RUNNING:1"));
    bed_run(bed, "EXPLAIN CSAS_A_0;");
    assert_non_null(strstr(bed->said.data, "ERR_UNKNOWN_TOPIC"));
    bed_run(bed, "INSERT INTO s VALUES ('a', 1);");
    drain(bed);
    assert_string_equal(bed_records(bed, "B"), "a={\"V\":1}@1000");
    bed_run(bed, "DROP STREAM a;");
}

/* --- appends that fail --- */

static void a_statement_that_is_not_logged_leaves_nothing(void **state)
{
    struct bed *bed = *state;

    bed_run(bed, create_s);
    log_memory_fail(bed->log, LOG_FAULT_COMMIT_LOST, 1);
    bed_refuse(bed, create_n, ERR_LOG_UNAVAILABLE, 0, 0);
    assert_false(bed_has_topic(bed, "N"));
    assert_string_equal(bed_run(bed, "SHOW TABLES; SHOW QUERIES;"),
                        "table tables\ntable queries\n");
    assert_string_equal(bed_run(bed, create_n), "message Created query with ID CTAS_N_0\n");
}

static void an_append_that_came_to_be_counts_although_nobody_said_so(void **state)
{
    struct bed *bed = *state;

    bed_run(bed, create_s);
    log_memory_fail(bed->log, LOG_FAULT_COMMIT_APPLIED, 1);
    assert_string_equal(bed_run(bed, create_n), "message Created query with ID CTAS_N_0\n");
    log_memory_fail(bed->log, LOG_FAULT_COMMIT_APPLIED, 1);
    bed_run(bed, "TERMINATE CTAS_N_0;");
    log_memory_fail(bed->log, LOG_FAULT_COMMIT_APPLIED, 1);
    bed_run(bed, "DROP TABLE n;");
    assert_int_equal(logged(bed), 4);
    bed_restart(bed);
    assert_string_equal(bed_run(bed, "SHOW TABLES; SHOW QUERIES;"),
                        "table tables\ntable queries\n");
}

static void a_drop_that_is_not_logged_has_not_happened(void **state)
{
    struct bed *bed = *state;

    bed_run(bed, create_s);
    log_memory_fail(bed->log, LOG_FAULT_COMMIT_LOST, 1);
    bed_refuse(bed, "DROP STREAM s DELETE TOPIC;", ERR_LOG_UNAVAILABLE, 0, 0);
    assert_true(bed_has_topic(bed, "t"));
    bed_run(bed, "INSERT INTO s VALUES ('a', 1);");
}

static void a_fenced_append_is_done_again(void **state)
{
    struct bed *bed = *state;

    bed_run(bed, create_s);
    log_memory_fail(bed->log, LOG_FAULT_COMMIT_FENCED, 1);
    assert_string_equal(bed_run(bed, create_n), "message Created query with ID CTAS_N_0\n");
    assert_int_equal(logged(bed), 2);
    assert_true(bed_has_topic(bed, "N"));
}

/* An internal topic of other partitions stands where the query's own belongs. */
static void a_query_that_cannot_start_is_taken_back(void **state)
{
    static const char changelog[] =
        "_confluent-ksql-default_query_CTAS_N_0-Aggregate-Aggregate-Materialize-changelog";
    struct bed *bed = *state;
    struct topic_spec spec = { .name = bytes_of(changelog), .partition_count = 7 };

    bed_run(bed, create_s);
    assert_int_equal(log_create_topic(bed->log, &spec, &bed->error), 0);
    bed_refuse(bed, create_n, ERR_TOPIC_MISMATCH, 1, 1);
    assert_false(bed_has_topic(bed, "N"));
    assert_string_equal(bed_run(bed, "SHOW TABLES; SHOW QUERIES;"),
                        "table tables\ntable queries\n");
    assert_string_equal(bed_run(bed, create_n), "message Created query with ID CTAS_N_1\n");
    bed_restart(bed);
    bed_run(bed, "INSERT INTO s VALUES ('a', 1);");
    assert_string_equal(bed_run(bed, "SELECT c FROM n WHERE k = 'a';"),
                        "row 1\nend Query Completed\n");
}

/* --- two engines --- */

static void engines_on_one_log_see_each_other_s_statements(void **state)
{
    struct bed *bed = *state;
    struct bed other = *bed;

    memset(&other.said, 0, sizeof other.said);
    bed_open(&other);
    bed_run(bed, create_s);
    assert_string_equal(bed_run(&other, "SHOW STREAMS;"),
                        "table streams\ncells S|t|KAFKA|JSON|false\n");
    bed_run(&other, "CREATE STREAM b (v INT) WITH (KAFKA_TOPIC='t', VALUE_FORMAT='JSON');");
    /* The first engine's writer is fenced by now: it reads, validates and appends again. */
    bed_refuse(bed, "CREATE STREAM b (v INT) WITH (KAFKA_TOPIC='t', VALUE_FORMAT='JSON');",
               ERR_NAME_TAKEN, 1, 15);
    bed_run(bed, "CREATE STREAM c (v INT) WITH (KAFKA_TOPIC='t', VALUE_FORMAT='JSON');");
    bed_run(&other, "DROP STREAM c;");
    assert_string_equal(bed_run(bed, "SHOW STREAMS;"),
                        "table streams\ncells B|t|KAFKA|JSON|false\ncells S|t|KAFKA|JSON|false\n");
    bed_close(&other);
    buffer_fini(&other.said);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_restart_brings_back_the_catalog_and_queries_with_their_state),
        CASE(what_came_in_while_nothing_ran_is_read_after_the_restart),
        CASE(numbers_of_queries_are_not_used_again),
        CASE(what_was_dropped_or_terminated_does_not_come_back),
        CASE(queries_that_insert_and_what_is_paused_come_back_as_they_were),
        CASE(an_insert_that_cannot_start_is_taken_back),
        CASE(a_dropped_source_may_have_had_another_topic_of_that_name),
        CASE(a_query_keeps_the_properties_it_was_made_with),
        CASE(what_a_statement_took_from_its_topic_is_in_its_text),
        CASE(statements_that_change_nothing_are_not_logged),
        CASE(a_query_with_another_signature_is_refused_and_the_others_run),
        CASE(statements_that_no_longer_plan_stop_nothing_else),
        CASE(records_that_are_no_statements_stop_nothing_else),
        CASE(a_query_that_cannot_start_stands_in_error_and_stops_nothing_else),
        CASE(a_statement_that_is_not_logged_leaves_nothing),
        CASE(an_append_that_came_to_be_counts_although_nobody_said_so),
        CASE(a_drop_that_is_not_logged_has_not_happened),
        CASE(a_fenced_append_is_done_again),
        CASE(a_query_that_cannot_start_is_taken_back),
        CASE(engines_on_one_log_see_each_other_s_statements),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
