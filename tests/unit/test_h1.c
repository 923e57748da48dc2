/*
 * test_h1.c: HTTP/1.1 without sockets: however the bytes are cut, the same exchanges come out.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "cli/http/h1.h"

enum mode { ANSWER_AT_ONCE, ANSWER_LATER, ANSWER_STREAM };

struct bed {
    struct h1 *h1;
    struct buffer output;
    struct buffer seen; /* "METHOD path?query body;" per request */
    struct exchange *waiting;
    enum mode mode;
    unsigned drained;
    unsigned gone;
    unsigned closed;
};

static void complete(struct exchange *exchange, struct bytes body)
{
    struct bed *bed = exchange->context;

    buffer_printf(&bed->seen, "%.*s %.*s?%.*s %.*s;", BYTES_ARG(exchange->method),
                  BYTES_ARG(exchange->path), BYTES_ARG(exchange->query), BYTES_ARG(body));
    if (bed->mode == ANSWER_AT_ONCE) {
        exchange_respond(exchange, 200, "text/plain", bytes_of("ok"));
    } else if (bed->mode == ANSWER_STREAM) {
        exchange_begin(exchange, 200, "text/plain");
        exchange_write(exchange, bytes_of("one"));
        exchange_write(exchange, bytes_of("three"));
        exchange_end(exchange);
    } else {
        bed->waiting = exchange;
    }
}

static void count_gone(struct exchange *exchange)
{
    struct bed *bed = exchange->context;

    bed->gone++;
}

static void count_drained(struct exchange *exchange)
{
    struct bed *bed = exchange->context;

    bed->drained++;
}

static void take_request(void *context, struct exchange *exchange)
{
    exchange->context = context;
    exchange->gone = count_gone;
    exchange->drained = count_drained;
    exchange_gather(exchange, complete);
}

static void take_output(void *context, struct bytes data)
{
    struct bed *bed = context;

    buffer_append_bytes(&bed->output, data);
}

static void take_close(void *context)
{
    struct bed *bed = context;

    bed->closed++;
}

static struct bed open_bed(enum mode mode)
{
    return (struct bed){ .mode = mode };
}

static void start(struct bed *bed)
{
    const struct h1_limits limits = { 1000, 10, 100 };
    const struct h1_events events = { take_request, take_output, take_close, bed };

    bed->h1 = h1_create(&limits, &events);
}

static void feed(struct bed *bed, const char *text)
{
    h1_feed(bed->h1, bytes_of(text));
}

static void close_bed(struct bed *bed)
{
    h1_destroy(bed->h1);
    buffer_fini(&bed->output);
    buffer_fini(&bed->seen);
}

static void assert_text(struct buffer *buffer, const char *expected)
{
    buffer_append_char(buffer, '\0');
    buffer->len--;
    assert_string_equal(buffer->data, expected);
}

static unsigned count_answers(struct bed *bed, const char *status)
{
    unsigned count = 0;

    buffer_append_char(&bed->output, '\0');
    bed->output.len--;
    for (const char *at = bed->output.data; (at = strstr(at, status)); at++) {
        count++;
    }
    return count;
}

/* --- requests --- */

static const char three_requests[] =
    "GET /a%20b?x=%20 HTTP/1.1\r\nHost: h\r\n\r\n"
    "POST http://h:1/ksql HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello"
    "POST /c HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    "3\r\nabc\r\n2\r\nde\r\n0\r\nTrailer: x\r\n\r\n";
static const char three_seen[] = "GET /a b?x=%20 ;POST /ksql? hello;POST /c? abcde;";

static void requests_are_the_same_however_they_are_cut(void **state)
{
    size_t len = strlen(three_requests);

    for (size_t cut = 0; cut <= len; cut++) {
        struct bed bed = open_bed(ANSWER_AT_ONCE);

        start(&bed);
        h1_feed(bed.h1, (struct bytes){ three_requests, cut });
        h1_feed(bed.h1, (struct bytes){ three_requests + cut, len - cut });
        assert_text(&bed.seen, three_seen);
        assert_int_equal(count_answers(&bed, "HTTP/1.1 200 OK"), 3);
        assert_int_equal(bed.closed, 0);
        close_bed(&bed);
    }
}

static void requests_may_come_byte_by_byte(void **state)
{
    struct bed bed = open_bed(ANSWER_AT_ONCE);

    start(&bed);
    for (size_t i = 0; i < strlen(three_requests); i++) {
        h1_feed(bed.h1, (struct bytes){ three_requests + i, 1 });
    }
    assert_text(&bed.seen, three_seen);
    assert_int_equal(count_answers(&bed, "HTTP/1.1 200 OK"), 3);
    close_bed(&bed);
}

static void pipelined_requests_wait_for_the_answer_before_them(void **state)
{
    struct bed bed = open_bed(ANSWER_LATER);

    start(&bed);
    feed(&bed, three_requests);
    assert_text(&bed.seen, "GET /a b?x=%20 ;");
    assert_true(h1_is_answering(bed.h1));
    exchange_respond(bed.waiting, 200, "text/plain", bytes_of("1"));
    assert_text(&bed.seen, "GET /a b?x=%20 ;POST /ksql? hello;");
    exchange_respond(bed.waiting, 200, "text/plain", bytes_of("2"));
    exchange_respond(bed.waiting, 200, "text/plain", bytes_of("3"));
    assert_text(&bed.seen, three_seen);
    assert_false(h1_is_answering(bed.h1));
    close_bed(&bed);
}

static void upgrade_to_h2c_is_answered_as_http_1(void **state)
{
    struct bed bed = open_bed(ANSWER_AT_ONCE);

    start(&bed);
    feed(&bed, "POST /q HTTP/1.1\r\nUpgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\n"
               "HTTP2-Settings: x\r\nContent-Length: 2\r\n\r\nhi");
    assert_text(&bed.seen, "POST /q? hi;");
    assert_int_equal(count_answers(&bed, "200 OK"), 1);
    close_bed(&bed);
}

static void a_client_that_waits_for_100_is_told_to_go_on(void **state)
{
    struct bed bed = open_bed(ANSWER_AT_ONCE);

    start(&bed);
    feed(&bed, "POST /q HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    assert_text(&bed.output, "HTTP/1.1 100 Continue\r\n\r\n");
    feed(&bed, "hi");
    assert_int_equal(count_answers(&bed, "200 OK"), 1);
    close_bed(&bed);
}

/* --- answers --- */

static void a_stream_has_a_chunk_per_write(void **state)
{
    struct bed bed = open_bed(ANSWER_STREAM);

    start(&bed);
    feed(&bed, "GET / HTTP/1.1\r\n\r\n");
    assert_text(&bed.output, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
                             "Transfer-Encoding: chunked\r\n\r\n"
                             "3\r\none\r\n5\r\nthree\r\n0\r\n\r\n");
    close_bed(&bed);
}

static void the_answer_to_http_1_0_ends_the_connection(void **state)
{
    struct bed bed = open_bed(ANSWER_STREAM);

    start(&bed);
    feed(&bed, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    assert_text(&bed.output, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
                             "Connection: close\r\n\r\nonethree");
    assert_int_equal(bed.closed, 1);
    close_bed(&bed);
}

static void connection_close_is_obeyed(void **state)
{
    struct bed bed = open_bed(ANSWER_AT_ONCE);

    start(&bed);
    feed(&bed, "GET / HTTP/1.1\r\nConnection: close\r\n\r\nGET /more HTTP/1.1\r\n\r\n");
    assert_text(&bed.seen, "GET /? ;");
    assert_int_equal(bed.closed, 1);
    close_bed(&bed);
}

static void head_has_no_body(void **state)
{
    struct bed bed = open_bed(ANSWER_AT_ONCE);

    start(&bed);
    feed(&bed, "HEAD / HTTP/1.1\r\n\r\n");
    assert_text(&bed.output,
                "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\n");
    close_bed(&bed);
}

static void credit_comes_back_as_output_is_sent(void **state)
{
    struct bed bed = open_bed(ANSWER_LATER);
    size_t size = EXCHANGE_CREDIT_BYTES;
    char *text = memory_alloc(size);

    memset(text, 'x', size);
    start(&bed);
    feed(&bed, "GET / HTTP/1.1\r\n\r\n");
    exchange_begin(bed.waiting, 200, "text/plain");
    exchange_write(bed.waiting, (struct bytes){ text, size });
    assert_int_equal(exchange_credit(bed.waiting), 0);
    assert_int_equal(bed.drained, 0);
    h1_sent(bed.h1, bed.output.len);
    assert_int_equal(exchange_credit(bed.waiting), EXCHANGE_CREDIT_BYTES);
    assert_int_equal(bed.drained, 1);
    free(text);
    close_bed(&bed);
    assert_int_equal(bed.gone, 1);
}

/* --- what is refused --- */

static void assert_refused(const char *input, const char *status)
{
    struct bed bed = open_bed(ANSWER_AT_ONCE);

    start(&bed);
    feed(&bed, input);
    assert_int_equal(count_answers(&bed, status), 1);
    assert_int_equal(count_answers(&bed, "HTTP/1.1 "), 1);
    assert_int_equal(bed.closed, 1);
    feed(&bed, "GET / HTTP/1.1\r\n\r\n");
    assert_int_equal(count_answers(&bed, "HTTP/1.1 "), 1);
    close_bed(&bed);
}

static void what_is_no_http_is_400(void **state)
{
    assert_refused("garbage\r\n\r\n", "HTTP/1.1 400 ");
    assert_refused("GET noslash HTTP/1.1\r\n\r\n", "HTTP/1.1 400 ");
    assert_refused("GET / HTTP/1.1\r\nbad header\r\n\r\n", "HTTP/1.1 400 ");
    assert_refused("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "HTTP/1.1 400 ");
    assert_refused("POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
                   "HTTP/1.1 400 ");
    assert_refused("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "HTTP/1.1 400 ");
    assert_refused("GET / HTTP/3.0\r\n\r\n", "HTTP/1.1 ");
}

static void a_head_beyond_the_limits_is_431(void **state)
{
    struct buffer text = { 0 };

    buffer_append_text(&text, "GET / HTTP/1.1\r\nX: ");
    for (int i = 0; i < 1000; i++) {
        buffer_append_char(&text, 'x');
    }
    buffer_append_text(&text, "\r\n\r\n");
    buffer_append_char(&text, '\0');
    assert_refused(text.data, "HTTP/1.1 431 ");
    text.len = 0;
    buffer_append_text(&text, "GET / HTTP/1.1\r\n");
    for (int i = 0; i < 11; i++) {
        buffer_append_text(&text, "X: y\r\n");
    }
    buffer_append_text(&text, "\r\n");
    buffer_append_char(&text, '\0');
    assert_refused(text.data, "HTTP/1.1 431 ");
    buffer_fini(&text);
}

static void a_body_beyond_the_limit_is_413(void **state)
{
    assert_refused("POST / HTTP/1.1\r\nContent-Length: 101\r\n\r\n", "HTTP/1.1 413 ");
    assert_refused("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n40\r\n"
                   "0123456789012345678901234567890123456789012345678901234567890123\r\n40\r\n"
                   "0123456789012345678901234567890123456789012345678901234567890123\r\n",
                   "HTTP/1.1 413 ");
}

static void a_slow_request_is_408(void **state)
{
    struct bed bed = open_bed(ANSWER_AT_ONCE);

    start(&bed);
    feed(&bed, "POST / HTTP/1.1\r\nContent-Le");
    assert_true(h1_is_receiving(bed.h1));
    h1_time_out(bed.h1);
    assert_int_equal(count_answers(&bed, "HTTP/1.1 408 "), 1);
    assert_int_equal(bed.closed, 1);
    close_bed(&bed);
}

/* --- ends --- */

static void a_client_that_stops_sending_gets_its_answer(void **state)
{
    struct bed bed = open_bed(ANSWER_LATER);

    start(&bed);
    feed(&bed, "GET / HTTP/1.1\r\n\r\n");
    h1_end_input(bed.h1);
    assert_int_equal(bed.closed, 0);
    exchange_respond(bed.waiting, 200, "text/plain", bytes_of("ok"));
    assert_int_equal(count_answers(&bed, "200 OK"), 1);
    assert_int_equal(bed.closed, 1);
    close_bed(&bed);
    assert_int_equal(bed.gone, 0);
}

static void finishing_lets_the_answer_under_way_through(void **state)
{
    struct bed bed = open_bed(ANSWER_LATER);

    start(&bed);
    feed(&bed, three_requests);
    h1_finish(bed.h1);
    assert_int_equal(bed.closed, 0);
    exchange_respond(bed.waiting, 200, "text/plain", bytes_of("ok"));
    assert_int_equal(count_answers(&bed, "Connection: close"), 1);
    assert_text(&bed.seen, "GET /a b?x=%20 ;");
    assert_int_equal(bed.closed, 1);
    close_bed(&bed);
}

static void an_idle_connection_finishes_at_once(void **state)
{
    struct bed bed = open_bed(ANSWER_AT_ONCE);

    start(&bed);
    feed(&bed, "GET / HTTP/1.1\r\n\r\n");
    h1_finish(bed.h1);
    assert_int_equal(bed.closed, 1);
    close_bed(&bed);
}

static void what_is_held_ahead_is_bounded(void **state)
{
    struct bed bed = open_bed(ANSWER_LATER);
    char text[1024];

    memset(text, 'x', sizeof text);
    start(&bed);
    feed(&bed, "GET / HTTP/1.1\r\n\r\n");
    assert_true(h1_wants_input(bed.h1));
    for (int i = 0; i < 64; i++) {
        h1_feed(bed.h1, (struct bytes){ text, sizeof text });
    }
    assert_false(h1_wants_input(bed.h1));
    close_bed(&bed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_are_the_same_however_they_are_cut),
        cmocka_unit_test(requests_may_come_byte_by_byte),
        cmocka_unit_test(pipelined_requests_wait_for_the_answer_before_them),
        cmocka_unit_test(upgrade_to_h2c_is_answered_as_http_1),
        cmocka_unit_test(a_client_that_waits_for_100_is_told_to_go_on),
        cmocka_unit_test(a_stream_has_a_chunk_per_write),
        cmocka_unit_test(the_answer_to_http_1_0_ends_the_connection),
        cmocka_unit_test(connection_close_is_obeyed),
        cmocka_unit_test(head_has_no_body),
        cmocka_unit_test(credit_comes_back_as_output_is_sent),
        cmocka_unit_test(what_is_no_http_is_400),
        cmocka_unit_test(a_head_beyond_the_limits_is_431),
        cmocka_unit_test(a_body_beyond_the_limit_is_413),
        cmocka_unit_test(a_slow_request_is_408),
        cmocka_unit_test(a_client_that_stops_sending_gets_its_answer),
        cmocka_unit_test(finishing_lets_the_answer_under_way_through),
        cmocka_unit_test(an_idle_connection_finishes_at_once),
        cmocka_unit_test(what_is_held_ahead_is_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
