/*
 * test_inserts_stream.c: POST /inserts-stream over sockets: rows in pieces, acknowledgements,
 * refusals, and bursts that share transactions.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/command/insert_stream.h"
#include "tests/unit/http_client.h"

enum { PATIENT_MS = 60000, BURST = 10000 };

#define CHUNKED "POST /inserts-stream HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"

static int set_up(void **state)
{
    struct http_bed *bed = malloc(sizeof *bed);

    http_bed_open(bed, PATIENT_MS);
    statement(bed,
              "CREATE STREAM s (id STRING KEY, v INT) WITH (KAFKA_TOPIC='t', PARTITIONS=1, "
              "VALUE_FORMAT='JSON'); CREATE SOURCE STREAM r (v INT) WITH (KAFKA_TOPIC='t', "
              "VALUE_FORMAT='JSON');",
              "SUCCESS");
    *state = bed;
    return 0;
}

static int tear_down(void **state)
{
    http_bed_close(*state);
    free(*state);
    return 0;
}

static void send_chunk(struct http_client *client, const char *text)
{
    struct buffer chunk = { 0 };

    buffer_printf(&chunk, "%zx\r\n%s\r\n", strlen(text), text);
    buffer_append_char(&chunk, '\0');
    client_send(client, chunk.data);
    buffer_fini(&chunk);
}

static int64_t count_records(const struct http_bed *bed)
{
    const struct log_topic *topic = NULL;
    struct log_range range;

    assert_int_equal(log_open_topic(engine_log(bed->engine), bytes_of("t"), &topic, NULL), 0);
    assert_int_equal(
        log_topic_range(engine_log(bed->engine), topic, 0, READ_COMMITTED, &range, NULL), 0);
    return range.end - range.begin;
}

static void rows_are_acknowledged_while_the_body_goes_on(void **state)
{
    struct http_client client;

    client_open(&client, *state);
    client_send(&client, CHUNKED "\r\n");
    send_chunk(&client, "{\"target\":\"s\"}\n");
    client_expect(&client, "200 OK");
    client_expect(&client, "application/vnd.ksqlapi.delimited.v1");
    send_chunk(&client, "{\"id\":\"a\",\"v\":1}\n");
    client_expect(&client, "{\"status\":\"ok\",\"seq\":0}\n\r\n");
    send_chunk(&client, "{\"id\":\"b\"");
    send_chunk(&client, ",\"v\":2}\n\n");
    client_expect(&client, "{\"status\":\"ok\",\"seq\":1}\n\r\n");
    send_chunk(&client, "{\"id\":\"c\",\"unknown\":[]}");
    client_send(&client, "0\r\n\r\n");
    client_expect(&client, "{\"status\":\"ok\",\"seq\":2}\n\r\n0\r\n\r\n");
    client_post(&client, "/inserts-stream", NULL, "{\"target\":\"`S`\"}\n{\"ID\":\"d\"}");
    client_expect(&client, "\"seq\":0}\n\r\n0\r\n\r\n");
    client_close(&client);
    statement(*state, "SELECT 1 FROM s;", "40002");
    {
        char *answer = ask(*state, "POST", "/query", "{\"ksql\":\"SELECT * FROM s;\"}");

        assert_non_null(strstr(answer, "[\"a\",1]"));
        assert_non_null(strstr(answer, "[\"b\",2]"));
        assert_non_null(strstr(answer, "[\"c\",null]"));
        assert_non_null(strstr(answer, "[\"d\",null]"));
        free(answer);
    }
}

static void json_answers_are_one_array(void **state)
{
    struct http_client client;

    client_open(&client, *state);
    client_post(&client, "/inserts-stream", "application/json",
                "{ \"target\": \"S\" }\n{\"id\":\"a\"}\n{\"id\":\"b\"}\n");
    client_expect(&client, "Content-Type: application/json\r\n");
    client_expect(&client, "[{\"status\":\"ok\",\"seq\":0}\r\n");
    client_expect(&client, ",{\"status\":\"ok\",\"seq\":1}\r\n1\r\n]\r\n0\r\n\r\n");
    client_post(&client, "/inserts-stream", "application/json", "{\"target\":\"S\"}");
    client_expect(&client, "2\r\n[]\r\n0\r\n\r\n");
    client_post(&client, "/inserts-stream", "application/json",
                "{\"target\":\"S\"}\n{\"id\":\"a\"}\n{\"id\":1}\n");
    client_expect(&client, "[{\"status\":\"ok\",\"seq\":0}\r\n");
    client_expect(&client, ",{\"@type\":\"InsertError\",\"error_code\":40000,\"message\":\"");
    client_expect(&client, "\",\"status\":\"error\",\"seq\":1}\r\n1\r\n]\r\n0\r\n\r\n");
    client_close(&client);
}

static void a_bad_row_ends_the_stream_and_those_before_it_stay(void **state)
{
    struct http_client client;

    client_open(&client, *state);
    client_send(&client, CHUNKED "\r\n");
    send_chunk(&client, "{\"target\":\"S\"}\n{\"id\":\"a\"}\n{\"v\":1}\n{\"id\":\"never\"}\n");
    client_expect(&client, "\"seq\":0}\n");
    client_expect(&client,
                  "\"@type\":\"InsertError\",\"error_code\":40000,\"message\":\"Key field "
                  "must be specified: ID\",\"status\":\"error\",\"seq\":1}\n\r\n0\r\n\r\n");
    assert_int_equal(count_records(*state), 1);
    send_chunk(&client, "{\"id\":\"never\"}\n");
    client_send(&client, "0\r\n\r\nGET /healthcheck HTTP/1.1\r\n\r\n");
    client_expect(&client, "\"isHealthy\":true");
    client_close(&client);
    assert_int_equal(count_records(*state), 1);
}

static void refused(const struct http_bed *bed, const char *body, const char *code)
{
    char *answer = ask(bed, "POST", "/inserts-stream", body);

    if (!strstr(answer, "400 Bad Request") || !strstr(answer, "{\"@type\":\"generic_error\"") ||
        !strstr(answer, code)) {
        fail_msg("%s: expected %s, got %s", body, code, answer);
    }
    free(answer);
}

static void what_is_wrong_with_the_first_line_is_told_before_any_row(void **state)
{
    refused(*state, "{\"target\":\"nothing\"}\n{\"id\":\"a\"}\n", "\"error_code\":40001");
    refused(*state, "{\"target\":\"`s`\"}\n", "\"error_code\":40001");
    refused(*state, "{\"target\":\"r\"}\n{\"v\":1}\n", "\"error_code\":40001");
    refused(*state, "{\"target\":\"s\",\"properties\":{\"nonsense\":1}}\n", "\"error_code\":40000");
    refused(*state, "{\"properties\":{}}\n", "\"error_code\":40000");
    refused(*state, "{\"target\"\n", "Invalid JSON in request");
    refused(*state, "", "Invalid JSON in request");
    assert_int_equal(count_records(*state), 0);
}

static void a_burst_comes_through_whole_and_in_order(void **state)
{
    struct http_client client;
    struct buffer rows = { 0 };
    char last[60];

    client_open(&client, *state);
    client_send(&client, CHUNKED "\r\n");
    send_chunk(&client, "{\"target\":\"S\"}\n");
    for (int i = 0; i < BURST; i++) {
        buffer_printf(&rows, "{\"id\":\"k%d\",\"v\":%d}\n", i, i);
    }
    buffer_append_char(&rows, '\0');
    send_chunk(&client, rows.data);
    client_send(&client, "0\r\n\r\n");
    snprintf(last, sizeof last, "{\"status\":\"ok\",\"seq\":%d}\n\r\n0\r\n\r\n", BURST - 1);
    client_expect(&client, last);
    client_close(&client);
    buffer_fini(&rows);
    assert_int_equal(count_records(*state), BURST);
}

static void added_rows_share_one_transaction(void **state)
{
    const struct http_bed *bed = *state;
    struct session *session = session_create(bed->engine);
    struct insert_stream *stream = NULL;

    assert_int_equal(insert_stream_open(session, bytes_of("s"), &stream, NULL), 0);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(insert_stream_add(stream, bytes_of("{\"id\":\"a\"}"), NULL), 0);
    }
    assert_int_equal(insert_stream_add(stream, bytes_of("{\"id\":null}"), NULL), ERR_INSERT_VALUE);
    assert_int_equal(count_records(bed), 0);
    assert_int_equal(insert_stream_commit(stream, NULL), 0);
    assert_int_equal(count_records(bed), 100);
    insert_stream_close(stream);
    session_destroy(session);
}

static void a_server_that_stops_ends_streams_that_wait_for_rows(void **state)
{
    struct http_client client;

    client_open(&client, *state);
    client_send(&client, CHUNKED "\r\n");
    send_chunk(&client, "{\"target\":\"S\"}\n{\"id\":\"a\"}\n");
    client_expect(&client, "\"seq\":0}\n");
    http_bed_stop(*state);
    client_expect(&client, "0\r\n\r\n");
    client_close(&client);
}

static void a_client_that_leaves_leaves_no_half_row(void **state)
{
    struct http_client client;

    client_open(&client, *state);
    client_send(&client, CHUNKED "\r\n");
    send_chunk(&client, "{\"target\":\"S\"}\n{\"id\":\"a\"}\n{\"id\":\"b\"");
    client_expect(&client, "\"seq\":0}\n");
    client_close(&client);
    http_bed_stop(*state);
    assert_int_equal(count_records(*state), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(rows_are_acknowledged_while_the_body_goes_on, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(json_answers_are_one_array, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_bad_row_ends_the_stream_and_those_before_it_stay, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_is_wrong_with_the_first_line_is_told_before_any_row,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_burst_comes_through_whole_and_in_order, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(added_rows_share_one_transaction, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_server_that_stops_ends_streams_that_wait_for_rows, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_client_that_leaves_leaves_no_half_row, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
