/*
 * test_ksql_api.c: ksqlDB's API over sockets: entities, rows, errors, clients that leave, the end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/http_client.h"

enum { PATIENT_MS = 60000, TRIES = 5000 };

#define KSQL_V1 "application/vnd.ksql.v1+json"
#define DELIMITED_V1 "application/vnd.ksqlapi.delimited.v1"

static int set_up(void **state)
{
    struct http_bed *bed = malloc(sizeof *bed);

    http_bed_open(bed, PATIENT_MS);
    *state = bed;
    return 0;
}

static int tear_down(void **state)
{
    http_bed_close(*state);
    free(*state);
    return 0;
}

static void create_stream(const struct http_bed *bed)
{
    statement(bed,
              "CREATE STREAM s (id STRING KEY, v INT) WITH (KAFKA_TOPIC='t', PARTITIONS=1, "
              "VALUE_FORMAT='JSON');",
              "\"commandId\":\"stream/`S`/create\",\"commandStatus\":{\"status\":\"SUCCESS\","
              "\"message\":\"Stream created\",\"queryId\":null},\"commandSequenceNumber\":0,"
              "\"warnings\":[]}]");
}

static void insert(const struct http_bed *bed, const char *values)
{
    char sql[200];

    snprintf(sql, sizeof sql, "INSERT INTO s (id, v) VALUES (%s);", values);
    statement(bed, sql, "\r\n\r\n[]");
}

static void expect(const struct http_bed *bed, const char *method, const char *path,
                   const char *body, const char *status, const char *expected)
{
    char *answer = ask(bed, method, path, body);

    if (!strstr(answer, status) || !strstr(answer, expected)) {
        fail_msg("%s: expected %s %s, got %s", path, status, expected, answer);
    }
    free(answer);
}

/* --- information --- */

static void information_has_the_shape_clients_know(void **state)
{
    expect(*state, "GET", "/info", "{}", "200 OK",
           "\r\n\r\n{\"KsqlServerInfo\":{\"version\":\"8.0.0\",");
    expect(*state, "GET", "/healthcheck", "", "200 OK", "\r\n\r\n{\"isHealthy\":true,");
    expect(*state, "GET", "/", "", "307 ", "Location: /info\r\n");
    expect(*state, "GET", "/is_valid_property/ksql.streams.auto.offset.reset", "", "200 OK",
           "\r\n\r\ntrue");
    expect(*state, "GET", "/is_valid_property/nonsense", "", "400 ", "\"error_code\":40000,");
    expect(*state, "GET", "/is_valid_property/listeners", "", "400 ", "\"error_code\":40000,");
    expect(*state, "GET", "/status/stream/%60S%60/create", "", "404 ", "\"error_code\":40400,");
    create_stream(*state);
    expect(*state, "GET", "/status/stream/%60S%60/create", "", "200 OK",
           "{\"status\":\"SUCCESS\",\"message\":\"Stream created\",\"queryId\":null}");
    expect(*state, "GET", "/status", "", "200 OK",
           "{\"commandStatuses\":{\"stream/`S`/create\":\"SUCCESS\"}}");
}

static void unknown_routes_are_not_found(void **state)
{
    expect(*state, "GET", "/nonsense", "", "404 Not Found", "\r\n\r\nNot Found");
    expect(*state, "GET", "/ksql", "", "404 Not Found", "\r\n\r\nNot Found");
    expect(*state, "DELETE", "/query", "", "404 Not Found", "\r\n\r\nNot Found");
}

/* --- statements --- */

static void statements_answer_entities(void **state)
{
    create_stream(*state);
    statement(*state, "CREATE TABLE a AS SELECT id, COUNT(*) AS n FROM s GROUP BY id;",
              "\"commandId\":\"table/`A`/create\",\"commandStatus\":{\"status\":\"SUCCESS\","
              "\"message\":\"Created query with ID CTAS_A_0\",\"queryId\":\"CTAS_A_0\"},"
              "\"commandSequenceNumber\":1,\"warnings\":[]}]");
    statement(*state, "SHOW STREAMS; SHOW TABLES;",
              "[{\"@type\":\"streams\",\"statementText\":\"SHOW STREAMS;\",\"streams\":[{\"type\":"
              "\"STREAM\",\"name\":\"S\",\"topic\":\"t\",\"keyFormat\":\"KAFKA\",\"valueFormat\":"
              "\"JSON\",\"isWindowed\":false}],\"warnings\":[]},{\"@type\":\"tables\",");
    statement(*state, "SHOW TOPICS;",
              "\"topics\":[{\"name\":\"A\",\"replicaInfo\":[1]},{\"name\":\"t\",");
    statement(*state, "LIST TOPICS EXTENDED;",
              "{\"@type\":\"kafka_topics_extended\",\"statementText\":\"LIST TOPICS EXTENDED;\","
              "\"topics\":[{\"name\":\"A\",\"replicaInfo\":[1],\"consumerCount\":0,"
              "\"consumerGroupCount\":0},{\"name\":\"t\",\"replicaInfo\":[1],\"consumerCount\":1,"
              "\"consumerGroupCount\":1}],\"warnings\":[]}]");
    statement(*state, "SHOW QUERIES;",
              "\"sinks\":[\"A\"],\"sinkKafkaTopics\":[\"A\"],\"id\":\"CTAS_A_0\",\"statusCount\":{"
              "\"RUNNING\":1},\"queryType\":\"PERSISTENT\",\"state\":\"RUNNING\"}]");
    statement(*state, "DESCRIBE s;",
              "\"fields\":[{\"name\":\"ID\",\"schema\":{\"type\":\"STRING\",\"fields\":null,"
              "\"memberSchema\":null},\"type\":\"KEY\"},{\"name\":\"V\",\"schema\":{\"type\":"
              "\"INTEGER\",\"fields\":null,\"memberSchema\":null}}],\"type\":\"STREAM\",");
    statement(*state, "DESCRIBE s;", "\"sourceConstraints\":[\"A\"],");
    statement(*state, "EXPLAIN CTAS_A_0;",
              "\"consumerGroupId\":\"_confluent-ksql-default_query_CTAS_A_0\",");
    statement(*state, "DESCRIBE FUNCTION concat;",
              "[{\"@type\":\"describe_function\",\"statementText\":\"DESCRIBE FUNCTION concat;\","
              "\"name\":\"CONCAT\",\"description\":\"Joins texts; nulls are skipped.\",\"author\":"
              "\"sluice\",\"version\":\"\",\"path\":\"internal\",\"functions\":[{\"arguments\":[{"
              "\"name\":\"inputs\",\"type\":\"VARCHAR\",\"description\":\"\",\"isVariadic\":true}],"
              "\"returnType\":\"VARCHAR\",\"description\":\"Joins texts; nulls are skipped.\","
              "\"argumentTypes\":[\"VARCHAR\"]},");
    statement(*state, "SHOW STREAMS EXTENDED;",
              "{\"@type\":\"source_descriptions\",\"statementText\":\"SHOW STREAMS EXTENDED;\","
              "\"sourceDescriptions\":[{\"name\":\"S\",");
    statement(*state, "EXPLAIN CTAS_A_0;",
              "\"queryDescription\":{\"id\":\"CTAS_A_0\",\"statementText\":\"CREATE TABLE A ");
    statement(
        *state, "PAUSE CTAS_A_0;",
        "\"commandId\":\"pause/CTAS_A_0/execute\",\"commandStatus\":{\"status\":\"SUCCESS\",");
    statement(*state, "SHOW QUERIES;",
              "\"statusCount\":{\"PAUSED\":1},\"queryType\":\"PERSISTENT\",\"state\":\"PAUSED\"}]");
    statement(*state, "RESUME CTAS_A_0;", "\"commandId\":\"resume/CTAS_A_0/execute\",");
    statement(*state, "CREATE STREAM b AS SELECT * FROM s; INSERT INTO b SELECT * FROM s;",
              "\"message\":\"Created query with ID INSERTQUERY_2\",\"queryId\":\"INSERTQUERY_2\"}");
    statement(*state, "TERMINATE INSERTQUERY_2; DROP STREAM b;", "\"@type\":\"currentStatus\"");
    statement(*state, "DROP STREAM s;", "The following queries read from this source: [CTAS_A_0]");
    statement(*state, "TERMINATE CTAS_A_0;",
              "\"commandId\":\"terminate/CTAS_A_0/execute\",\"commandStatus\":{\"status\":"
              "\"SUCCESS\",\"message\":\"Query terminated.\"");
    statement(*state, "DROP TABLE a;", "\"commandId\":\"table/A/drop\",");
}

static void descriptions_have_all_their_fields_in_order(void **state)
{
    create_stream(*state);
    statement(*state, "CREATE TABLE a AS SELECT id, COUNT(*) AS n FROM s GROUP BY id;", "SUCCESS");
    statement(*state, "DESCRIBE a;",
              "\"type\":\"TABLE\",\"timestamp\":\"\",\"statistics\":\"\",\"errorStats\":\"\","
              "\"extended\":false,\"keyFormat\":\"KAFKA\",\"valueFormat\":\"JSON\",\"topic\":"
              "\"A\",\"partitions\":0,\"replication\":0,\"statement\":\"CREATE TABLE A ");
    statement(*state, "DESCRIBE a;",
              "\"queryOffsetSummaries\":[],\"sourceConstraints\":[],\"clusterStatistics\":[],"
              "\"clusterErrorStats\":[]},\"warnings\":[]}]");
    statement(*state, "DESCRIBE a EXTENDED;",
              "\"statistics\":\"total-messages: 0\",\"errorStats\":\"\",\"extended\":true,");
    statement(*state, "DESCRIBE a EXTENDED;",
              "\"queryOffsetSummaries\":[{\"groupId\":\"_confluent-ksql-default_query_CTAS_A_0\","
              "\"topicSummaries\":[{\"kafkaTopic\":\"t\",\"offsets\":[{\"partition\":0,"
              "\"logStartOffset\":0,\"logEndOffset\":0,\"consumerOffset\":0}]}]}],"
              "\"sourceConstraints\":[],\"clusterStatistics\":[{\"name\":\"total-messages\","
              "\"host\":");
    statement(*state, "DESCRIBE s EXTENDED;",
              "\"clusterErrorStats\":[{\"name\":\"consumer-failed-messages\",\"host\":");
    statement(*state, "EXPLAIN CTAS_A_0;",
              "\"queryErrors\":[],\"tasksMetadata\":[{\"taskId\":\"0_0\",\"topicOffsets\":[{"
              "\"topicPartitionEntity\":{\"topic\":\"t\",\"partition\":0},\"endOffset\":0,"
              "\"committedOffset\":0}],\"timeCurrentIdlingStarted\":null}],\"consumerGroupId\":");
    statement(*state, "EXPLAIN CTAS_A_0;", "\"topology\":\"Sub-topology: 0\\n\\tSource: t\\n");
    statement(*state, "EXPLAIN SELECT * FROM a WHERE id = 'x';",
              "\"ksqlHostQueryStatus\":{},\"queryType\":\"PULL\",\"queryErrors\":[],"
              "\"tasksMetadata\":[],\"consumerGroupId\":null,\"state\":null},\"warnings\":[]}]");
    expect(*state, "POST", "/ksql",
           "{\"ksql\":\"EXPLAIN SELECT v FROM s EMIT CHANGES;\",\"streamsProperties\":{"
           "\"auto.offset.reset\":\"earliest\"}}",
           "200 OK", "\"overriddenProperties\":{\"auto.offset.reset\":\"earliest\"},");
}

static void types_have_entities(void **state)
{
    statement(*state, "SHOW TYPES;", "\"types\":{},\"warnings\":[]}]");
    statement(*state, "CREATE TYPE p AS STRUCT<n INT>;",
              "\"commandId\":\"type/P/create\",\"commandStatus\":{\"status\":\"SUCCESS\",");
    statement(*state, "SHOW TYPES;",
              "\"types\":{\"P\":{\"type\":\"STRUCT\",\"fields\":[{\"name\":\"N\",\"schema\":{"
              "\"type\":\"INTEGER\",\"fields\":null,\"memberSchema\":null}}],\"memberSchema\":"
              "null}},\"warnings\":[]}]");
    statement(*state, "CREATE TYPE IF NOT EXISTS p AS INT;",
              "\"queryId\":null},\"commandSequenceNumber\":-1,");
    statement(*state, "DROP TYPE p;", "\"commandId\":\"type/P/drop\",");
    statement(*state, "DROP TYPE IF EXISTS p;", "\"commandSequenceNumber\":-1,");
}

static void what_changes_nothing_says_so(void **state)
{
    create_stream(*state);
    statement(*state,
              "CREATE STREAM IF NOT EXISTS s (v INT) WITH (KAFKA_TOPIC='t', VALUE_FORMAT='JSON');",
              "\"message\":\"Cannot add stream `S`");
    statement(*state, "DROP STREAM IF EXISTS nothing;",
              "\"message\":\"Source `NOTHING` does not exist.\",\"queryId\":null},"
              "\"commandSequenceNumber\":-1,");
    statement(*state, "SET 'auto.offset.reset'='latest';", "\r\n\r\n[]");
    statement(*state, "SHOW QUERIES EXTENDED;", "\"queryDescriptions\":[],\"warnings\":[]}]");
}

static void errors_have_code_statement_and_shape(void **state)
{
    statement(*state, "SELECT * FROM s EMIT CHANGES;",
              "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\n");
    statement(*state, "SELECT * FROM s EMIT CHANGES;",
              "{\"@type\":\"statement_error\",\"error_code\":40002,\"message\":\"");
    statement(*state, "SHOW STREAMS; nonsense;",
              "{\"@type\":\"statement_error\",\"error_code\":40001,");
    statement(*state, "SHOW STREAMS; DROP STREAM nothing;",
              "\"statementText\":\"DROP STREAM nothing;\",\"entities\":[]}");
    expect(
        *state, "POST", "/ksql", "{", "400 ",
        "{\"@type\":\"generic_error\",\"error_code\":40000,\"message\":\"Invalid JSON in request");
    expect(*state, "POST", "/ksql", "{}", "400 ", "\"error_code\":40000,");
    expect(*state, "POST", "/ksql",
           "{\"ksql\":\"SHOW STREAMS;\",\"streamsProperties\":{\"nonsense\":1}}", "400 ",
           "{\"@type\":\"generic_error\",\"error_code\":40000,");
    expect(*state, "POST", "/ksql", "{\"ksql\":\"SHOW STREAMS;\",\"commandSequenceNumber\":7}",
           "503 ", "\"error_code\":50301,");
    expect(*state, "POST", "/close-query", "{\"queryId\":\"x\"}", "400 ", "\"error_code\":40000,");
    expect(*state, "POST", "/query-stream", "{\"sql\":\"\"}", "400 ",
           "{\"@type\":\"statement_error\",\"error_code\":40001,\"message\":\"Expected exactly one "
           "KSQL statement; found 0 instead\",\"statementText\":\"\",");
    expect(*state, "POST", "/query", "{\"ksql\":\"SELECT * FROM s; SELECT * FROM s;\"}", "400 ",
           "found 2 instead\",\"statementText\":\"SELECT * FROM s; SELECT * FROM s;\",");
    expect(*state, "POST", "/query-stream", "{\"sql\":\"SHOW STREAMS;\"}", "400 ",
           "\"error_code\":40001,");
    expect(*state, "POST", "/query-stream", "{\"sql\":\"SELECT * FROM nothing EMIT CHANGES;\"}",
           "400 ", "{\"@type\":\"statement_error\",\"error_code\":40001,");
}

static void values_of_an_insert_are_not_told(void **state)
{
    create_stream(*state);
    statement(*state, "INSERT INTO s (id, v) VALUES ('secret', 'x');",
              "\"statementText\":\"INSERT INTO S (ID, V) VALUES ('[value]', '[value]');\",");
    statement(*state, "INSERT INTO s VALUES ('a', 1); INSERT INTO s VALUES (CONCAT('b', 'c'));",
              "\"statementText\":\"INSERT INTO S VALUES ('[value]');\",\"entities\":[]}");
}

static void empty_maps_may_be_lists_or_null(void **state)
{
    expect(*state, "POST", "/ksql",
           "{\"ksql\":\"SHOW STREAMS;\",\"streamsProperties\":[],\"sessionVariables\":null,"
           "\"requestProperties\":{},\"commandSequenceNumber\":-1,\"more\":1}",
           "200 OK", "\"@type\":\"streams\"");
}

static void variables_of_a_request_are_replaced(void **state)
{
    expect(*state, "POST", "/ksql",
           "{\"ksql\":\"CREATE STREAM ${n} (k STRING KEY, v INT) WITH (KAFKA_TOPIC='${n}',"
           "VALUE_FORMAT='JSON', PARTITIONS=${p}); SHOW VARIABLES;\","
           "\"sessionVariables\":{\"N\":\"vs\",\"p\":\"2\"}}",
           "200 OK",
           "\"@type\":\"variables\",\"statementText\":\"SHOW VARIABLES;\",\"variables\":"
           "[{\"name\":\"N\",\"value\":\"vs\"},{\"name\":\"P\",\"value\":\"2\"}]");
    expect(*state, "POST", "/query-stream",
           "{\"sql\":\"SELECT * FROM ${n};\",\"sessionVariables\":{\"n\":\"vs\"}}", "200 OK",
           "\"columnNames\":[\"K\",\"V\"]");
    expect(*state, "POST", "/ksql", "{\"ksql\":\"DESCRIBE ${n};\"}", "400 ",
           "\"error_code\":40001,");
    expect(*state, "POST", "/ksql", "{\"ksql\":\"DEFINE a='1'; UNDEFINE b; UNDEFINE a;\"}",
           "200 OK", "[]");
}

static void assertions_have_an_entity_and_a_status(void **state)
{
    create_stream(*state);
    expect(*state, "POST", "/ksql", "{\"ksql\":\"ASSERT TOPIC t WITH (PARTITIONS=1);\"}", "200 OK",
           "\"topicName\":\"t\",\"exists\":true,\"warnings\":[]}");
    expect(*state, "POST", "/ksql", "{\"ksql\":\"ASSERT TOPIC u TIMEOUT 10 MILLISECONDS;\"}",
           "417 ", "\"error_code\":41700,");
}

static void print_tells_lines(void **state)
{
    create_stream(*state);
    insert(*state, "'a', 1");
    expect(*state, "POST", "/query", "{\"ksql\":\"PRINT t FROM BEGINNING LIMIT 1;\"}", "200 OK",
           "Key format: KAFKA_STRING\n");
    expect(*state, "POST", "/query-stream", "{\"sql\":\"PRINT t FROM BEGINNING LIMIT 1;\"}",
           "200 OK", "rowtime: ");
    expect(*state, "POST", "/query", "{\"ksql\":\"PRINT nothing;\"}", "400 ",
           "\"error_code\":40001,");
}

static void print_has_one_form_on_each_route(void **state)
{
    static const char plain[] = "{\"ksql\":\"PRINT t FROM BEGINNING LIMIT 1;\"}";
    static const char stream[] = "{\"sql\":\"PRINT t FROM BEGINNING LIMIT 1;\"}";
    struct http_client client;

    create_stream(*state);
    insert(*state, "'a', 1");
    client_open(&client, *state);
    client_post(&client, "/query", "*/*", plain);
    client_expect(&client, "200 OK\r\nContent-Type: application/json\r\n");
    client_expect(&client, "\r\n0\r\n\r\n");
    client_post(&client, "/query", DELIMITED_V1, plain);
    client_expect(&client, "HTTP/1.1 404 Not Found\r\n");
    client_expect(&client, "\r\n\r\nNot Found");
    client_post(&client, "/query-stream", "*/*", stream);
    client_expect(&client, "200 OK\r\nContent-Type: " DELIMITED_V1 "\r\n");
    client_expect(&client, "\r\n0\r\n\r\n");
    client_post(&client, "/query-stream", "application/json", stream);
    client_expect(&client, "HTTP/1.1 406 Not Acceptable\r\nContent-Length: 0\r\n");
    client_close(&client);
}

/* --- rows --- */

static void rows_come_in_the_form_that_is_asked_for(void **state)
{
    static const char query[] = "{\"sql\":\"SELECT * FROM s EMIT CHANGES LIMIT 2;\"}";
    struct http_client client;

    create_stream(*state);
    insert(*state, "'a', 1");
    insert(*state, "'b', 2");
    client_open(&client, *state);
    client_post(&client, "/query-stream", DELIMITED_V1, query);
    client_expect(&client, "Content-Type: " DELIMITED_V1 "\r\n");
    client_expect(&client, "{\"queryId\":\"transient_S_0\",\"columnNames\":[\"ID\",\"V\"],"
                           "\"columnTypes\":[\"STRING\",\"INTEGER\"]}\n\r\n");
    client_expect(&client, "8\r\n[\"a\",1]\n\r\n8\r\n[\"b\",2]\n\r\n0\r\n\r\n");
    client_post(&client, "/query-stream", "text/html, application/json;q=0.5", query);
    client_expect(&client, "Content-Type: application/json\r\n");
    client_expect(&client, "\r\n[{\"queryId\":\"transient_S_1\",");
    client_expect(&client, "8\r\n,[\"a\",1]\r\n8\r\n,[\"b\",2]\r\n1\r\n]\r\n0\r\n\r\n");
    client_post(&client, "/query-stream", KSQL_V1, query);
    client_expect(&client, "Content-Type: " KSQL_V1 "\r\n");
    client_expect(&client, "[{\"header\":{\"queryId\":\"transient_S_2\",\"schema\":\"`ID` STRING, "
                           "`V` INTEGER\"}},\n\r\n");
    client_expect(&client, "{\"row\":{\"columns\":[\"a\",1]}},\n\r\n");
    client_expect(&client, "{\"row\":{\"columns\":[\"b\",2]}},\n\r\n");
    client_expect(&client, "{\"finalMessage\":\"Limit Reached\"}\r\n1\r\n]\r\n0\r\n\r\n");
    client_close(&client);
}

static void plain_queries_answer_json_as_ksql(void **state)
{
    struct http_client client;

    create_stream(*state);
    insert(*state, "'a', 1");
    client_open(&client, *state);
    client_post(&client, "/query", "application/json",
                "{\"ksql\":\"SELECT * FROM s EMIT CHANGES LIMIT 1;\"}");
    client_expect(&client, "Content-Type: " KSQL_V1 "\r\n");
    client_expect(&client, "{\"finalMessage\":\"Limit Reached\"}\r\n2\r\n]\n\r\n0\r\n\r\n");
    client_close(&client);
}

/* The table may be a moment behind. */
static void pull_queries_have_no_final_message(void **state)
{
    struct http_client client;
    bool found = false;

    create_stream(*state);
    statement(*state, "CREATE TABLE a AS SELECT id, COUNT(*) AS n FROM s GROUP BY id;", "SUCCESS");
    insert(*state, "'a', 1");
    for (int i = 0; !found && i < TRIES; i++) {
        char *answer =
            ask(*state, "POST", "/query", "{\"ksql\":\"SELECT * FROM a WHERE id='a';\"}");

        found = strstr(answer, "[\"a\",1]") || strstr(answer, "\"columns\":[\"a\",1]");
        free(answer);
    }
    assert_true(found);
    client_open(&client, *state);
    client_post(&client, "/query", KSQL_V1, "{\"ksql\":\"SELECT * FROM a WHERE id='a';\"}");
    client_expect(&client, "\"schema\":\"`ID` STRING KEY, `N` BIGINT\"}},\n\r\n");
    client_expect(&client, "{\"row\":{\"columns\":[\"a\",1]}}]\r\n0\r\n\r\n");
    client_post(&client, "/query", KSQL_V1, "{\"ksql\":\"SELECT * FROM a WHERE id='none';\"}");
    client_expect(&client, "\"schema\":\"`ID` STRING KEY, `N` BIGINT\"}}]\r\n0\r\n\r\n");
    client_close(&client);
}

static void http_1_0_gets_no_stream(void **state)
{
    struct http_client client;

    create_stream(*state);
    client_open(&client, *state);
    client_send(&client, "POST /query HTTP/1.0\r\nContent-Length: 2\r\n\r\n{}");
    client_expect(&client, "HTTP/1.1 400 ");
    client_expect(&client, "\"error_code\":40000,");
    client_close(&client);
}

/* --- push queries that last --- */

static void start_push(struct http_client *client, const struct http_bed *bed)
{
    client_open(client, bed);
    client_post(client, "/query-stream", KSQL_V1, "{\"sql\":\"SELECT * FROM s EMIT CHANGES;\"}");
    client_expect(client, "{\"header\":{");
}

static void a_push_query_sees_what_others_insert(void **state)
{
    struct http_client one, two;

    create_stream(*state);
    start_push(&one, *state);
    start_push(&two, *state);
    insert(*state, "'a', 1");
    client_expect(&one, "{\"row\":{\"columns\":[\"a\",1]}},\n");
    client_expect(&two, "{\"row\":{\"columns\":[\"a\",1]}},\n");
    statement(*state, "SHOW QUERIES;",
              "\"sinks\":[],\"sinkKafkaTopics\":[],\"id\":\"transient_S_0\"");
    expect(*state, "POST", "/close-query", "{\"queryId\":\"transient_S_0\"}", "200 OK",
           "Content-Length: 0\r\n");
    client_expect(&one, "{\"finalMessage\":\"Query Completed\"}\r\n1\r\n]\r\n0\r\n\r\n");
    insert(*state, "'b', 2");
    client_expect(&two, "{\"row\":{\"columns\":[\"b\",2]}},\n");
    client_close(&one);
    client_close(&two);
}

/* Fed by exactly one query, from the latest on; any other is an ordinary one. */
static void a_scalable_push_query_has_an_id_of_its_own(void **state)
{
    static const char enabled[] = "\"ksql.query.push.v2.enabled\":\"true\","
                                  "\"auto.offset.reset\":";
    static const struct {
        const char *sql;
        const char *reset;
        const char *header;
    } cases[] = {
        { "SELECT v + 1 AS w FROM o WHERE v > 0 EMIT CHANGES LIMIT 0;", "latest",
          "SCALABLE_PUSH_QUERY_" },
        { "SELECT v FROM o EMIT CHANGES LIMIT 0;", "latest", "SCALABLE_PUSH_QUERY_" },
        { "SELECT v FROM o EMIT CHANGES LIMIT 0;", "earliest", "transient_O_" },
        { "SELECT v FROM s EMIT CHANGES LIMIT 0;", "latest", "transient_S_" },
        { "SELECT v FROM two EMIT CHANGES LIMIT 0;", "latest", "transient_TWO_" },
        { "SELECT v FROM o WHERE ROWPARTITION = 0 EMIT CHANGES LIMIT 0;", "latest",
          "transient_O_" },
        { "SELECT v, COUNT(*) AS n FROM o GROUP BY v EMIT CHANGES LIMIT 0;", "latest",
          "transient_O_" },
    };

    create_stream(*state);
    statement(*state,
              "CREATE STREAM o AS SELECT * FROM s; CREATE STREAM two AS SELECT * FROM s;"
              "INSERT INTO two SELECT * FROM s;",
              "SUCCESS");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char body[300];
        char header[60];

        snprintf(body, sizeof body, "{\"sql\":\"%s\",\"properties\":{%s\"%s\"}}", cases[i].sql,
                 enabled, cases[i].reset);
        snprintf(header, sizeof header, "{\"queryId\":\"%s", cases[i].header);
        expect(*state, "POST", "/query-stream", body, "200 OK", header);
    }
}

static void terminate_ends_a_push_query(void **state)
{
    struct http_client client;

    create_stream(*state);
    start_push(&client, *state);
    statement(*state, "TERMINATE transient_S_0;",
              "{\"@type\":\"terminate_query\",\"statementText\":\"TERMINATE transient_S_0;\","
              "\"queryId\":\"transient_S_0\",\"wasTerminated\":true,\"warnings\":[]}]");
    client_expect(&client, "{\"finalMessage\":\"Query Completed\"}");
    statement(*state, "TERMINATE transient_S_0;", "\"error_code\":40001,");
    client_close(&client);
}

static void wait_for_no_query(const struct http_bed *bed)
{
    bool none = false;

    for (int i = 0; !none && i < TRIES; i++) {
        char *answer = ask(bed, "POST", "/ksql", "{\"ksql\":\"SHOW QUERIES;\"}");

        none = strstr(answer, "\"queries\":[],") != NULL;
        free(answer);
    }
    assert_true(none);
}

static void a_client_that_leaves_ends_its_query(void **state)
{
    struct http_client client;

    create_stream(*state);
    start_push(&client, *state);
    statement(*state, "SHOW QUERIES;", "\"queryType\":\"PUSH\"");
    client_close(&client);
    wait_for_no_query(*state);
}

static void a_hundred_push_queries_run_and_one_more_is_refused(void **state)
{
    static struct http_client clients[100];

    create_stream(*state);
    for (int i = 0; i < 100; i++) {
        start_push(&clients[i], *state);
    }
    expect(*state, "POST", "/query-stream", "{\"sql\":\"SELECT * FROM s EMIT CHANGES;\"}", "400 ",
           "{\"@type\":\"statement_error\",\"error_code\":40001,");
    insert(*state, "'a', 1");
    for (int i = 0; i < 100; i++) {
        client_expect(&clients[i], "{\"row\":{\"columns\":[\"a\",1]}},\n");
        client_close(&clients[i]);
    }
    wait_for_no_query(*state);
}

static void a_client_that_does_not_read_slows_nobody(void **state)
{
    struct http_client client;
    struct buffer body = { 0 };

    create_stream(*state);
    start_push(&client, *state);
    for (int round = 0; round < 20; round++) {
        body.len = 0;
        buffer_append_text(&body, "{\"ksql\":\"");
        for (int i = 0; i < 30; i++) {
            buffer_append_text(&body, "INSERT INTO s (id, v) VALUES ('");
            for (int x = 0; x < 4000; x++) {
                buffer_append_char(&body, 'x');
            }
            buffer_append_text(&body, "', 1);");
        }
        buffer_append_text(&body, "\"}");
        buffer_append_char(&body, '\0');
        expect(*state, "POST", "/ksql", body.data, "200 OK", "\r\n\r\n[]");
    }
    buffer_fini(&body);
    expect(*state, "GET", "/info", "", "200 OK", "RUNNING");
    insert(*state, "'last', 7");
    client_expect(&client, "{\"row\":{\"columns\":[\"last\",7]}},\n");
    client_close(&client);
}

/* --- clients that misbehave --- */

static void a_slow_request_ends_with_408(void **state)
{
    struct http_bed bed;
    struct http_client client;

    http_bed_open(&bed, 100);
    client_open(&client, &bed);
    client_send(&client, "POST /ksql HTTP/1.1\r\nContent-Length: 100\r\n\r\n{");
    client_expect(&client, "HTTP/1.1 408 ");
    (void)client_read_all(&client);
    client_close(&client);
    client_open(&client, &bed);
    assert_string_equal(client_read_all(&client), "");
    client_close(&client);
    http_bed_close(&bed);
}

static void garbage_harms_nobody(void **state)
{
    uint32_t seed = 12345;

    for (int round = 0; round < 200; round++) {
        struct http_client client;
        char text[400];

        for (size_t i = 0; i < sizeof text - 1; i++) {
            seed = seed * 1664525u + 1013904223u;
            text[i] = (char)(1 + (seed >> 16) % 255);
        }
        text[sizeof text - 1] = '\0';
        client_open(&client, *state);
        client_send(&client, round % 2 ? "POST /ksql HTTP/1.1\r\n" : "");
        client_send(&client, text);
        client_close(&client);
    }
    expect(*state, "GET", "/info", "", "200 OK", "RUNNING");
}

/* --- the end --- */

static void stopping_ends_push_queries_with_their_final_message(void **state)
{
    struct http_bed bed;
    struct http_client client, idle;

    http_bed_open(&bed, PATIENT_MS);
    create_stream(&bed);
    insert(&bed, "'a', 1");
    start_push(&client, &bed);
    client_expect(&client, "{\"row\":{\"columns\":[\"a\",1]}},\n");
    client_open(&idle, &bed);
    client_send(&idle, "GET /info HTTP/1.1\r\n\r\n");
    client_expect(&idle, "}}");
    http_bed_stop(&bed);
    client_expect(&client, "{\"finalMessage\":\"Query Completed\"}\r\n1\r\n]\r\n0\r\n\r\n");
    assert_string_equal(client_read_all(&client), "");
    assert_string_equal(client_read_all(&idle), "");
    client_close(&client);
    client_close(&idle);
    http_bed_close(&bed);
}

int main(void)
{
#define WITH_SERVER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WITH_SERVER(information_has_the_shape_clients_know),
        WITH_SERVER(unknown_routes_are_not_found),
        WITH_SERVER(statements_answer_entities),
        WITH_SERVER(descriptions_have_all_their_fields_in_order),
        WITH_SERVER(types_have_entities),
        WITH_SERVER(what_changes_nothing_says_so),
        WITH_SERVER(errors_have_code_statement_and_shape),
        WITH_SERVER(empty_maps_may_be_lists_or_null),
        WITH_SERVER(variables_of_a_request_are_replaced),
        WITH_SERVER(print_tells_lines),
        WITH_SERVER(print_has_one_form_on_each_route),
        WITH_SERVER(values_of_an_insert_are_not_told),
        WITH_SERVER(assertions_have_an_entity_and_a_status),
        WITH_SERVER(rows_come_in_the_form_that_is_asked_for),
        WITH_SERVER(plain_queries_answer_json_as_ksql),
        WITH_SERVER(pull_queries_have_no_final_message),
        WITH_SERVER(http_1_0_gets_no_stream),
        WITH_SERVER(a_push_query_sees_what_others_insert),
        WITH_SERVER(a_scalable_push_query_has_an_id_of_its_own),
        WITH_SERVER(terminate_ends_a_push_query),
        WITH_SERVER(a_client_that_leaves_ends_its_query),
        WITH_SERVER(a_hundred_push_queries_run_and_one_more_is_refused),
        WITH_SERVER(a_client_that_does_not_read_slows_nobody),
        cmocka_unit_test(a_slow_request_ends_with_408),
        WITH_SERVER(garbage_harms_nobody),
        cmocka_unit_test(stopping_ends_push_queries_with_their_final_message),
    };
#undef WITH_SERVER

    return cmocka_run_group_tests(tests, NULL, NULL);
}
