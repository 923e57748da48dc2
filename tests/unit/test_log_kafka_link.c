/*
 * test_log_kafka_link.c: a connection to one broker, whatever that broker does.
 *
 * The broker is this test: it has a socket that listens, and answers by hand between two calls.
 */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/log/log_kafka_link.h"
#include "engine/log/log_kafka_wire.h"

enum { BROKER = 7, HANG_MS = 10000, TIMEOUT_MS = 1000, CONNECT_MS = 300, ANSWER_MAX = 1000 };

struct bed {
    struct link_settings settings;
    struct kafka_link link;
    int listener;
    uint16_t port;
    int peer; /* of the link; -1: none */
    int64_t now_ms;
    struct fetched_bytes *answer;
    struct error err;
    struct buffer heard; /* the last request */
};

/* --- names --- */

/* Instead of the resolver's: "two.addresses" has one where nobody listens in front. */
int getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
                struct addrinfo **out)
{
    static struct sockaddr_in there, nobody;
    static struct addrinfo second = { .ai_family = AF_INET,
                                      .ai_socktype = SOCK_STREAM,
                                      .ai_addr = (struct sockaddr *)&there,
                                      .ai_addrlen = sizeof there };
    static struct addrinfo first = { .ai_family = AF_INET,
                                     .ai_socktype = SOCK_STREAM,
                                     .ai_addr = (struct sockaddr *)&nobody,
                                     .ai_addrlen = sizeof nobody,
                                     .ai_next = &second };

    assert_int_equal(hints->ai_socktype, SOCK_STREAM);
    there.sin_family = AF_INET;
    there.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    there.sin_port = htons((uint16_t)strtoul(port, NULL, 10));
    nobody = there;
    nobody.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1);
    if (strcmp(host, "127.0.0.1") != 0 && strcmp(host, "two.addresses") != 0) {
        return EAI_NONAME;
    }
    *out = strcmp(host, "127.0.0.1") == 0 ? &second : &first;
    return 0;
}

void freeaddrinfo(struct addrinfo *addresses)
{
    assert_non_null(addresses);
}

/* --- the broker's side --- */

static int open_listener(uint16_t *port)
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    assert_int_equal(listen(fd, 8), 0);
    *port = ntohs(address.sin_port);
    return fd;
}

static void hear(struct bed *bed)
{
    struct wire_reader from;
    char size[4];

    assert_int_equal(recv(bed->peer, size, sizeof size, MSG_WAITALL), sizeof size);
    from = (struct wire_reader){ size, size + sizeof size, false };
    bed->heard.len = 0;
    buffer_reserve(&bed->heard, wire_take(&from, 4));
    from = (struct wire_reader){ size, size + sizeof size, false };
    bed->heard.len = wire_take(&from, 4);
    assert_int_equal(recv(bed->peer, bed->heard.data, bed->heard.len, MSG_WAITALL), bed->heard.len);
}

static int32_t heard_correlation(const struct bed *bed)
{
    struct wire_reader from = { bed->heard.data + 4, bed->heard.data + 8, false };

    return wire_take_i32(&from);
}

static int16_t heard_api(const struct bed *bed)
{
    struct wire_reader from = { bed->heard.data, bed->heard.data + 2, false };

    return wire_take_i16(&from);
}

static int16_t heard_version(const struct bed *bed)
{
    struct wire_reader from = { bed->heard.data + 2, bed->heard.data + 4, false };

    return wire_take_i16(&from);
}

static void say_bytes(struct bed *bed, struct bytes bytes)
{
    assert_int_equal(send(bed->peer, bytes.data, bytes.len, MSG_NOSIGNAL), bytes.len);
}

static struct buffer answer_of(int32_t correlation, struct bytes body)
{
    struct buffer out = { 0 };

    wire_put_i32(&out, (int32_t)body.len + 4);
    wire_put_i32(&out, correlation);
    buffer_append_bytes(&out, body);
    return out;
}

static void say(struct bed *bed, int32_t correlation, struct bytes body)
{
    struct buffer out = answer_of(correlation, body);

    say_bytes(bed, buffer_bytes(&out));
    buffer_fini(&out);
}

static void say_size(struct bed *bed, int32_t size)
{
    struct buffer out = { 0 };

    wire_put_i32(&out, size);
    say_bytes(bed, buffer_bytes(&out));
    buffer_fini(&out);
}

/* That it speaks Fetch from one version to another, among other things. */
static struct buffer versions(int16_t failed, int16_t oldest, int16_t newest)
{
    struct buffer out = { 0 };

    wire_put_i16(&out, failed);
    wire_put_i32(&out, 3);
    for (int16_t api = 0; api < 3; api++) {
        wire_put_i16(&out, api);
        wire_put_i16(&out, api == 1 ? oldest : 0);
        wire_put_i16(&out, api == 1 ? newest : 9);
    }
    return out;
}

static void hang_up(struct bed *bed)
{
    (void)close(bed->peer);
    bed->peer = -1;
}

/* --- the link's side --- */

static int set_up(void **state)
{
    struct bed *bed = calloc(1, sizeof *bed);

    bed->settings = (struct link_settings){ .client_id = "tester",
                                            .family = AF_UNSPEC,
                                            .timeout_ms = TIMEOUT_MS,
                                            .connect_ms = CONNECT_MS,
                                            .backoff_ms = 100,
                                            .backoff_max_ms = 500,
                                            .receive_max_bytes = ANSWER_MAX };
    bed->listener = open_listener(&bed->port);
    bed->peer = -1;
    bed->now_ms = 1000000;
    kafka_link_init(&bed->link, &bed->settings, BROKER, "127.0.0.1", bed->port);
    *state = bed;
    return 0;
}

static int tear_down(void **state)
{
    struct bed *bed = *state;

    kafka_link_fini(&bed->link);
    if (bed->peer >= 0) {
        hang_up(bed);
    }
    if (bed->listener >= 0) {
        (void)close(bed->listener);
    }
    if (bed->answer) {
        fetched_bytes_unref(bed->answer);
    }
    buffer_fini(&bed->heard);
    free(bed);
    return 0;
}

static int advance(struct bed *bed, short events)
{
    assert_null(bed->answer);
    return kafka_link_advance(&bed->link, bed->now_ms, events, &bed->answer, &bed->err);
}

/* What the link waits for happens. */
static int step(struct bed *bed)
{
    int64_t until_ms = 0;
    struct pollfd polled = { .fd = bed->link.fd };

    polled.events = kafka_link_wants(&bed->link, &until_ms);
    assert_true(until_ms > bed->now_ms);
    assert_int_equal(poll(&polled, 1, HANG_MS), 1);
    return advance(bed, polled.revents);
}

/* Nothing happens, and it may be waited for until then. */
static void assert_sleeps_until(struct bed *bed, int64_t until_ms)
{
    int64_t told_ms = 0;
    struct pollfd polled = { .fd = bed->link.fd };

    polled.events = kafka_link_wants(&bed->link, &told_ms);
    assert_int_equal(poll(&polled, 1, 0), 0);
    assert_int_equal(told_ms, until_ms);
}

static void connect_to_peer(struct bed *bed)
{
    assert_int_equal(advance(bed, 0), 0);
    assert_int_equal(bed->link.state, LINK_CONNECTING);
    assert_int_equal(step(bed), 0);
    assert_int_equal(bed->link.state, LINK_GREETING);
    bed->peer = accept(bed->listener, NULL, NULL);
    assert_true(bed->peer >= 0);
    hear(bed);
    assert_int_equal(heard_api(bed), 18);
    assert_int_equal(heard_version(bed), 0);
}

static int greet_with(struct bed *bed, int16_t failed, int16_t oldest, int16_t newest)
{
    struct buffer out = versions(failed, oldest, newest);

    connect_to_peer(bed);
    say(bed, heard_correlation(bed), buffer_bytes(&out));
    buffer_fini(&out);
    return step(bed);
}

static void get_ready(struct bed *bed)
{
    assert_int_equal(greet_with(bed, 0, 0, 13), 0);
    assert_true(kafka_link_is_free(&bed->link));
}

static void ask(struct bed *bed, int64_t wait_ms)
{
    kafka_link_begin(&bed->link);
    buffer_append_bytes(&bed->link.out, bytes_of("what is there?"));
    kafka_link_send(&bed->link, bed->now_ms, wait_ms);
    assert_false(kafka_link_is_free(&bed->link));
    hear(bed);
}

static void get_asked(struct bed *bed)
{
    get_ready(bed);
    ask(bed, 0);
}

static void assert_answered(struct bed *bed, const char *body)
{
    assert_non_null(bed->answer);
    assert_int_equal(bed->answer->size, 4 + strlen(body));
    assert_memory_equal(bed->answer->data + 4, body, strlen(body));
    fetched_bytes_unref(bed->answer);
    bed->answer = NULL;
    assert_true(kafka_link_is_free(&bed->link));
}

/* It is closed, and says of whom it speaks and what was wrong. */
static void assert_failed(const struct bed *bed, int code, const char *words)
{
    char whom[64];

    (void)snprintf(whom, sizeof whom, "broker %d (%s:%u): ", BROKER, bed->link.host,
                   bed->link.port);
    assert_int_equal(code, ERR_LOG_UNAVAILABLE);
    assert_int_equal(bed->link.state, LINK_CLOSED);
    assert_int_equal(bed->link.fd, -1);
    assert_null(bed->answer);
    assert_false(kafka_link_is_free(&bed->link));
    if (strncmp(bed->err.message, whom, strlen(whom)) != 0 || !strstr(bed->err.message, words)) {
        fail_msg("\"%s\" is not \"%s ... %s\"", bed->err.message, whom, words);
    }
}

/* --- answers --- */

static void answer_is_handed_out_without_what_frames_it(void **state)
{
    struct bed *bed = *state;

    get_asked(bed);
    assert_int_equal(heard_api(bed), 1);
    assert_int_equal(heard_version(bed), 11);
    assert_memory_equal(bed->heard.data + 8, "\0\6tester", 8);
    assert_memory_equal(bed->heard.data + 16, "what is there?", 14);
    say(bed, heard_correlation(bed), bytes_of("nothing"));
    assert_int_equal(step(bed), 0);
    assert_answered(bed, "nothing");
}

static void answers_may_come_byte_by_byte(void **state)
{
    struct bed *bed = *state;
    struct buffer greeting = versions(0, 4, 11);
    struct buffer out;

    connect_to_peer(bed);
    out = answer_of(heard_correlation(bed), buffer_bytes(&greeting));
    for (size_t i = 0; i < out.len; i++) {
        assert_int_equal(bed->link.state, LINK_GREETING);
        say_bytes(bed, (struct bytes){ out.data + i, 1 });
        assert_int_equal(step(bed), 0);
    }
    buffer_fini(&greeting);
    buffer_fini(&out);
    for (int round = 0; round < 2; round++) {
        ask(bed, 0);
        out = answer_of(heard_correlation(bed), bytes_of("bit by bit"));
        for (size_t i = 0; i < out.len; i++) {
            assert_null(bed->answer);
            say_bytes(bed, (struct bytes){ out.data + i, 1 });
            assert_int_equal(step(bed), 0);
        }
        buffer_fini(&out);
        assert_answered(bed, "bit by bit");
    }
}

static void answer_of_the_largest_size_is_taken(void **state)
{
    struct bed *bed = *state;
    char body[ANSWER_MAX - 4 + 1];

    memset(body, 'x', sizeof body - 1);
    body[sizeof body - 1] = '\0';
    get_asked(bed);
    say(bed, heard_correlation(bed), bytes_of(body));
    assert_int_equal(step(bed), 0);
    assert_answered(bed, body);
}

static void answer_of_an_impossible_size_is_refused(void **state)
{
    static const struct {
        int32_t size;
        const char *words;
    } wrong[] = { { -1, "-1 bytes" },
                  { INT32_MIN, "-2147483648 bytes" },
                  { 0, "an answer of 0 bytes" },
                  { 3, "an answer of 3 bytes" },
                  { ANSWER_MAX + 1, "1001 bytes (kafka.receive.message.max.bytes" },
                  { INT32_MAX, "2147483647 bytes" } };
    struct bed *bed = *state;

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        get_asked(bed);
        say_size(bed, wrong[i].size);
        assert_failed(bed, step(bed), wrong[i].words);
        hang_up(bed);
        bed->now_ms += 10000;
    }
}

static void answer_to_another_question_is_refused(void **state)
{
    struct bed *bed = *state;
    struct buffer greeting = versions(0, 4, 11);

    connect_to_peer(bed);
    say(bed, heard_correlation(bed) + 1, buffer_bytes(&greeting));
    buffer_fini(&greeting);
    assert_failed(bed, step(bed), "an answer to another question");
    hang_up(bed);
    bed->now_ms += 10000;
    get_asked(bed);
    say(bed, heard_correlation(bed) - 1, bytes_of("late"));
    assert_failed(bed, step(bed), "an answer to another question");
}

static void answer_to_nothing_is_refused(void **state)
{
    struct bed *bed = *state;

    get_ready(bed);
    say(bed, heard_correlation(bed), bytes_of("again"));
    assert_failed(bed, step(bed), "an answer to another question");
}

static void answer_to_half_a_question_is_refused(void **state)
{
    struct bed *bed = *state;

    bed->settings.receive_max_bytes = 64 << 20;
    get_ready(bed);
    kafka_link_begin(&bed->link);
    buffer_reserve(&bed->link.out, 32 << 20);
    memset(bed->link.out.data + bed->link.out.len, 'q', 32 << 20);
    bed->link.out.len += 32 << 20;
    kafka_link_send(&bed->link, bed->now_ms, 0);
    assert_true(bed->link.sent < bed->link.out.len);
    say(bed, bed->link.correlation, bytes_of("too early"));
    assert_failed(bed, step(bed), "an answer to another question");
}

/* --- the broker goes away --- */

static void connection_that_is_closed_fails_at_once(void **state)
{
    struct bed *bed = *state;

    connect_to_peer(bed);
    hang_up(bed);
    assert_failed(bed, step(bed), "reading: it has closed the connection");
    bed->now_ms += 10000;
    get_ready(bed);
    hang_up(bed);
    assert_failed(bed, step(bed), "reading: it has closed the connection");
    bed->now_ms += 10000;
    get_asked(bed);
    hang_up(bed);
    assert_failed(bed, step(bed), "reading: it has closed the connection");
}

static void connection_that_is_closed_within_an_answer_fails_at_once(void **state)
{
    struct bed *bed = *state;
    struct buffer whole;

    for (size_t len = 1; len < 13; len++) {
        get_asked(bed);
        whole = answer_of(heard_correlation(bed), bytes_of("a half"));
        say_bytes(bed, (struct bytes){ whole.data, len });
        buffer_fini(&whole);
        hang_up(bed);
        assert_failed(bed, step(bed), "reading: it has closed the connection");
        bed->now_ms += 10000;
    }
    get_asked(bed);
    say(bed, heard_correlation(bed), bytes_of("the whole"));
    assert_int_equal(step(bed), 0);
    assert_answered(bed, "the whole");
}

static void connection_that_is_reset_fails_at_once(void **state)
{
    struct linger at_once = { .l_onoff = 1 };
    struct bed *bed = *state;

    get_asked(bed);
    assert_int_equal(setsockopt(bed->peer, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
    hang_up(bed);
    assert_failed(bed, step(bed), strerror(ECONNRESET));
}

static void connection_lost_before_the_question_fails_behind_it(void **state)
{
    struct linger at_once = { .l_onoff = 1 };
    struct bed *bed = *state;

    get_ready(bed);
    assert_int_equal(setsockopt(bed->peer, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
    hang_up(bed);
    kafka_link_begin(&bed->link);
    kafka_link_send(&bed->link, bed->now_ms, 0);
    assert_failed(bed, step(bed), "sending: ");
}

/* --- nobody there --- */

static void port_where_nobody_listens_is_told(void **state)
{
    struct bed *bed = *state;
    int code;

    (void)close(bed->listener);
    bed->listener = -1;
    code = advance(bed, 0);
    if (!code) {
        code = step(bed);
    }
    assert_failed(bed, code, "connecting: ");
    assert_non_null(strstr(bed->err.message, strerror(ECONNREFUSED)));
}

static void name_that_cannot_be_resolved_is_told(void **state)
{
    struct bed *bed = *state;

    kafka_link_fini(&bed->link);
    kafka_link_init(&bed->link, &bed->settings, BROKER, "no.such.host", 9092);
    assert_failed(bed, advance(bed, 0), "its name: ");
    assert_sleeps_until(bed, bed->now_ms + 100);
}

static int fail_to_connect(struct bed *bed)
{
    int code = advance(bed, 0);

    return code ? code : step(bed);
}

static void assert_comes_again_after(struct bed *bed, int64_t wait_ms)
{
    assert_sleeps_until(bed, bed->now_ms + wait_ms);
    bed->now_ms += wait_ms - 1;
    assert_int_equal(advance(bed, 0), 0);
    assert_int_equal(bed->link.state, LINK_CLOSED);
    bed->now_ms++;
}

static void tries_come_later_and_later_until_one_succeeds(void **state)
{
    static const int64_t waits_ms[] = { 200, 400, 500, 500 };
    struct bed *bed = *state;

    for (int round = 0; round < 2; round++) {
        get_asked(bed);
        say(bed, heard_correlation(bed), bytes_of("success"));
        assert_int_equal(step(bed), 0);
        assert_answered(bed, "success");
        hang_up(bed);
        assert_failed(bed, step(bed), "closed");
        assert_comes_again_after(bed, 100);
        (void)close(open_listener(&bed->link.port)); /* nobody listens there any more */
        for (size_t i = 0; i < sizeof waits_ms / sizeof waits_ms[0]; i++) {
            assert_failed(bed, fail_to_connect(bed), "connecting: ");
            assert_comes_again_after(bed, waits_ms[i]);
        }
        bed->link.port = bed->port;
    }
}

/* A greeting is no success: else a broker that refuses every request is asked without a break. */
static void broker_that_only_greets_is_tried_later_and_later(void **state)
{
    static const int64_t waits_ms[] = { 100, 200, 400, 500, 500 };
    struct bed *bed = *state;

    for (size_t i = 0; i < sizeof waits_ms / sizeof waits_ms[0]; i++) {
        get_asked(bed);
        hang_up(bed);
        assert_failed(bed, step(bed), "closed");
        assert_sleeps_until(bed, bed->now_ms + waits_ms[i]);
        bed->now_ms += waits_ms[i];
    }
}

/* As that of "localhost" may, of which the broker listens at one. */
static void each_address_of_a_name_gets_its_turn(void **state)
{
    struct bed *bed = *state;

    kafka_link_fini(&bed->link);
    kafka_link_init(&bed->link, &bed->settings, BROKER, "two.addresses", bed->port);
    assert_failed(bed, fail_to_connect(bed), "connecting: ");
    get_ready(bed); /* at once */
    hang_up(bed);
    assert_failed(bed, step(bed), "closed");
    assert_sleeps_until(bed, bed->now_ms + 100);
    bed->now_ms += 10000;
    get_ready(bed);
}

/* --- versions --- */

static void newest_version_that_both_speak_is_chosen(void **state)
{
    static const int16_t cases[][3] = {
        { 4, 6, 6 }, { 0, 4, 4 }, { 0, 11, 11 }, { 4, 17, 11 }, { 11, 16, 11 }
    };
    struct bed *bed = *state;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(greet_with(bed, 0, cases[i][0], cases[i][1]), 0);
        ask(bed, 0);
        assert_int_equal(heard_version(bed), cases[i][2]);
        hang_up(bed);
        assert_failed(bed, step(bed), "closed");
        bed->now_ms += 10000;
    }
}

static void broker_without_a_common_version_is_refused(void **state)
{
    struct bed *bed = *state;

    assert_failed(bed, greet_with(bed, 0, 0, 3), "versions 4 to 11 of Fetch");
    hang_up(bed);
    bed->now_ms += 10000;
    assert_failed(bed, greet_with(bed, 0, 12, 17), "versions 4 to 11 of Fetch");
    hang_up(bed);
    bed->now_ms += 10000;
    assert_failed(bed, greet_with(bed, 35, 4, 11), "its versions: ");
}

static void greeting_that_ends_too_early_is_refused(void **state)
{
    struct bed *bed = *state;
    struct buffer greeting = versions(0, 4, 11);

    for (size_t len = 0; len < greeting.len; len++) {
        connect_to_peer(bed);
        say(bed, heard_correlation(bed), (struct bytes){ greeting.data, len });
        assert_failed(bed, step(bed), "its versions: ");
        hang_up(bed);
        bed->now_ms += 10000;
    }
    buffer_fini(&greeting);
}

/* --- time --- */

static void greeting_and_answer_are_waited_for_until_their_time_is_over(void **state)
{
    struct bed *bed = *state;

    connect_to_peer(bed);
    assert_sleeps_until(bed, bed->now_ms + TIMEOUT_MS);
    bed->now_ms += TIMEOUT_MS;
    assert_failed(bed, advance(bed, 0), "waiting: it does not answer");
    hang_up(bed);
    bed->now_ms += 10000;
    get_ready(bed);
    assert_sleeps_until(bed, INT64_MAX);
    ask(bed, 250);
    bed->now_ms += 250 + TIMEOUT_MS - 1;
    assert_int_equal(advance(bed, 0), 0);
    assert_sleeps_until(bed, bed->now_ms + 1);
    bed->now_ms++;
    assert_failed(bed, advance(bed, 0), "waiting: it does not answer");
}

/* The reader may have been busy with what it had, or the answer is a long one. */
static void answer_that_comes_on_is_not_late(void **state)
{
    struct bed *bed = *state;
    struct buffer out;

    get_asked(bed);
    out = answer_of(heard_correlation(bed), bytes_of("in the end"));
    bed->now_ms += TIMEOUT_MS + 1;
    say_bytes(bed, (struct bytes){ out.data, 1 });
    assert_int_equal(advance(bed, POLLIN), 0);
    bed->now_ms += TIMEOUT_MS - 1;
    for (size_t i = 1; i < out.len; i++) {
        say_bytes(bed, (struct bytes){ out.data + i, 1 });
        assert_int_equal(step(bed), 0);
        bed->now_ms += TIMEOUT_MS - 1;
    }
    buffer_fini(&out);
    assert_answered(bed, "in the end");
}

static void connecting_is_given_up_when_its_time_is_over(void **state)
{
    struct bed *bed = *state;

    assert_int_equal(advance(bed, 0), 0);
    bed->now_ms += CONNECT_MS - 1;
    assert_int_equal(advance(bed, 0), 0);
    bed->now_ms++;
    assert_failed(bed, advance(bed, 0), "waiting: it does not answer");
}

/* Whoever waits 0 ms between two tries does nothing else. */
static void tries_are_apart_where_the_settings_ask_for_none(void **state)
{
    struct bed *bed = *state;

    bed->settings.backoff_ms = 0;
    bed->settings.backoff_max_ms = 0;
    kafka_link_fini(&bed->link);
    kafka_link_init(&bed->link, &bed->settings, BROKER, "127.0.0.1", bed->port);
    for (int i = 0; i < 3; i++) {
        int64_t until_ms = 0;

        get_asked(bed);
        hang_up(bed);
        assert_failed(bed, step(bed), "closed");
        assert_int_equal(kafka_link_wants(&bed->link, &until_ms), 0);
        assert_true(until_ms >= bed->now_ms + 10);
        bed->now_ms = until_ms;
    }
}

/* --- large questions --- */

static void question_that_the_socket_does_not_take_at_once_goes_on(void **state)
{
    enum { LARGE = 32 << 20 };
    struct bed *bed = *state;
    size_t len = 0, got = 0;
    char *heard;

    get_ready(bed);
    kafka_link_begin(&bed->link);
    buffer_reserve(&bed->link.out, LARGE);
    for (size_t i = 0; i < LARGE; i++) {
        bed->link.out.data[bed->link.out.len++] = (char)(i % 251);
    }
    kafka_link_send(&bed->link, bed->now_ms, 0);
    assert_true(bed->link.sent < bed->link.out.len);
    len = bed->link.out.len;
    heard = malloc(len);
    while (got < len) {
        ssize_t count = recv(bed->peer, heard + got, len - got, MSG_DONTWAIT);

        if (count < 0) {
            assert_int_equal(errno, EAGAIN);
            assert_int_equal(step(bed), 0);
        } else {
            got += (size_t)count;
        }
    }
    assert_memory_equal(heard, bed->link.out.data, len);
    free(heard);
    assert_sleeps_until(bed, bed->now_ms + TIMEOUT_MS);
    say(bed, bed->link.correlation, bytes_of("all of it"));
    assert_int_equal(step(bed), 0);
    assert_answered(bed, "all of it");
}

#define LINK_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LINK_TEST(answer_is_handed_out_without_what_frames_it),
        LINK_TEST(answers_may_come_byte_by_byte),
        LINK_TEST(answer_of_the_largest_size_is_taken),
        LINK_TEST(answer_of_an_impossible_size_is_refused),
        LINK_TEST(answer_to_another_question_is_refused),
        LINK_TEST(answer_to_nothing_is_refused),
        LINK_TEST(answer_to_half_a_question_is_refused),
        LINK_TEST(connection_that_is_closed_fails_at_once),
        LINK_TEST(connection_that_is_closed_within_an_answer_fails_at_once),
        LINK_TEST(connection_that_is_reset_fails_at_once),
        LINK_TEST(connection_lost_before_the_question_fails_behind_it),
        LINK_TEST(port_where_nobody_listens_is_told),
        LINK_TEST(name_that_cannot_be_resolved_is_told),
        LINK_TEST(tries_come_later_and_later_until_one_succeeds),
        LINK_TEST(broker_that_only_greets_is_tried_later_and_later),
        LINK_TEST(each_address_of_a_name_gets_its_turn),
        LINK_TEST(newest_version_that_both_speak_is_chosen),
        LINK_TEST(broker_without_a_common_version_is_refused),
        LINK_TEST(greeting_that_ends_too_early_is_refused),
        LINK_TEST(greeting_and_answer_are_waited_for_until_their_time_is_over),
        LINK_TEST(answer_that_comes_on_is_not_late),
        LINK_TEST(connecting_is_given_up_when_its_time_is_over),
        LINK_TEST(tries_are_apart_where_the_settings_ask_for_none),
        LINK_TEST(question_that_the_socket_does_not_take_at_once_goes_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
