/*
 * log_kafka_link.c: connecting, asking which versions the broker speaks, sending and receiving.
 *
 *   CLOSED -> CONNECTING -> GREETING -> READY        and from each back to CLOSED
 *
 *   request:   size (4), api (2), version (2), correlation (4), client (text), body
 *   answer:    size (4), correlation (4), body
 */
#include "engine/log/log_kafka_link.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/memory.h"
#include "engine/log/log_kafka_wire.h"

enum {
    API_FETCH = 1,
    API_VERSIONS = 18,
    FETCH_OLDEST = 4, /* the first that knows transactions */
    FETCH_NEWEST = 11,
    SIZE_BYTES = 4,
    CORRELATION_BYTES = 4,
    API_BYTES = 6,         /* of a version's row */
    LEAST_BACKOFF_MS = 10, /* whoever never waits does nothing else */
};

static void begin_backoff(struct kafka_link *link)
{
    int64_t first_ms = link->settings->backoff_ms;

    link->backoff_ms = first_ms < LEAST_BACKOFF_MS ? LEAST_BACKOFF_MS : first_ms;
}

void kafka_link_init(struct kafka_link *link, const struct link_settings *settings, int32_t broker,
                     const char *host, uint16_t port)
{
    *link = (struct kafka_link){
        .settings = settings,
        .broker = broker,
        .host = memory_alloc(strlen(host) + 1),
        .port = port,
        .fd = -1,
    };
    memcpy(link->host, host, strlen(host) + 1);
    begin_backoff(link);
}

static void close_link(struct kafka_link *link)
{
    if (link->fd >= 0) {
        (void)close(link->fd);
    }
    link->fd = -1;
    link->state = LINK_CLOSED;
    link->is_asked = false;
    link->out.len = 0;
    link->sent = 0;
    link->head_len = 0;
    link->answer_len = 0;
    if (link->answer) {
        fetched_bytes_unref(link->answer);
        link->answer = NULL;
    }
}

void kafka_link_fini(struct kafka_link *link)
{
    close_link(link);
    buffer_fini(&link->out);
    free(link->host);
}

/* Who comes again waits longer each time. */
static void wait_longer(struct kafka_link *link, int64_t now_ms)
{
    link->not_before_ms = now_ms + link->backoff_ms;
    if (link->backoff_ms < link->settings->backoff_max_ms) {
        link->backoff_ms = link->backoff_ms * 2 < link->settings->backoff_max_ms
                               ? link->backoff_ms * 2
                               : link->settings->backoff_max_ms;
    }
}

/* Closes. A name's next address is tried at once. */
static int fail(struct kafka_link *link, int64_t now_ms, const char *what, const char *why,
                struct error *err)
{
    bool has_next = link->state < LINK_GREETING && link->address + 1 < link->address_count;

    if (link->state != LINK_READY) {
        link->address = link->address + 1 < link->address_count ? link->address + 1 : 0;
    }
    close_link(link);
    link->not_before_ms = now_ms;
    if (!has_next) {
        wait_longer(link, now_ms);
    }
    return error_set(err, ERR_LOG_UNAVAILABLE, NO_POSITION, "broker %d (%s:%u): %s: %s",
                     link->broker, link->host, link->port, what, why);
}

/* --- requests --- */

static void begin_request(struct kafka_link *link, int16_t api, int16_t version)
{
    link->out.len = 0;
    link->sent = 0;
    wire_put_i32(&link->out, 0); /* the size, once it is known */
    wire_put_i16(&link->out, api);
    wire_put_i16(&link->out, version);
    wire_put_i32(&link->out, ++link->correlation);
    wire_put_text(&link->out, bytes_of(link->settings->client_id));
}

static void end_request(struct kafka_link *link, int64_t now_ms, int64_t wait_ms)
{
    wire_set_i32(&link->out, 0, (int32_t)(link->out.len - SIZE_BYTES));
    link->is_asked = true;
    link->deadline_ms = now_ms + wait_ms + link->settings->timeout_ms;
}

bool kafka_link_is_free(const struct kafka_link *link)
{
    return link->state == LINK_READY && !link->is_asked;
}

void kafka_link_begin(struct kafka_link *link)
{
    begin_request(link, API_FETCH, link->fetch_version);
}

static int push_out(struct kafka_link *link, int64_t now_ms, struct error *err)
{
    while (link->sent < link->out.len) {
        ssize_t count =
            send(link->fd, link->out.data + link->sent, link->out.len - link->sent, MSG_NOSIGNAL);

        if (count < 0) {
            if (errno == EINTR) {
                continue;
            }
            return errno == EAGAIN ? 0 : fail(link, now_ms, "sending", strerror(errno), err);
        }
        link->sent += (size_t)count;
    }
    return 0;
}

/* What cannot be sent now goes with the next advance, which also tells what is wrong. */
void kafka_link_send(struct kafka_link *link, int64_t now_ms, int64_t wait_ms)
{
    ssize_t count;

    end_request(link, now_ms, wait_ms);
    count = send(link->fd, link->out.data, link->out.len, MSG_NOSIGNAL);
    link->sent = count > 0 ? (size_t)count : 0;
}

/* --- connecting --- */

static int prepare_socket(const struct link_settings *settings, int fd)
{
    int on = 1;

    if (settings->keeps_alive) {
        (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    }
    if (settings->receive_buffer_bytes > 0) {
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &settings->receive_buffer_bytes, sizeof(int));
    }
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fcntl(fd, F_SETFL, O_NONBLOCK) | fcntl(fd, F_SETFD, FD_CLOEXEC);
}

/* The one whose turn it is. */
static const struct addrinfo *choose_address(struct kafka_link *link,
                                             const struct addrinfo *addresses)
{
    const struct addrinfo *chosen = addresses;

    link->address_count = 0;
    for (const struct addrinfo *address = addresses; address; address = address->ai_next) {
        chosen = link->address_count++ == link->address ? address : chosen;
    }
    return chosen;
}

static int open_socket(struct kafka_link *link, const struct addrinfo *address)
{
    int why;
    int fd;

    if (!address) {
        return EADDRNOTAVAIL;
    }
    fd = socket(address->ai_family, address->ai_socktype, address->ai_protocol);
    if (fd >= 0 && prepare_socket(link->settings, fd) == 0 &&
        (connect(fd, address->ai_addr, address->ai_addrlen) == 0 || errno == EINPROGRESS)) {
        link->fd = fd;
        return 0;
    }
    why = errno;
    if (fd >= 0) {
        (void)close(fd);
    }
    return why;
}

static int begin_connecting(struct kafka_link *link, int64_t now_ms, struct error *err)
{
    struct addrinfo hints = { .ai_family = link->settings->family, .ai_socktype = SOCK_STREAM };
    struct addrinfo *addresses = NULL;
    char port[8];
    int failed;

    (void)snprintf(port, sizeof port, "%u", link->port);
    failed = getaddrinfo(link->host, port, &hints, &addresses);
    if (failed) {
        return fail(link, now_ms, "its name", gai_strerror(failed), err);
    }
    failed = open_socket(link, choose_address(link, addresses));
    freeaddrinfo(addresses);
    if (failed) {
        return fail(link, now_ms, "connecting", strerror(failed), err);
    }
    link->state = LINK_CONNECTING;
    link->deadline_ms = now_ms + link->settings->connect_ms;
    return 0;
}

static int greet(struct kafka_link *link, int64_t now_ms, struct error *err)
{
    socklen_t size = sizeof(int);
    int failed = 0;

    if (getsockopt(link->fd, SOL_SOCKET, SO_ERROR, &failed, &size) || failed) {
        return fail(link, now_ms, "connecting", strerror(failed ? failed : errno), err);
    }
    link->state = LINK_GREETING;
    begin_request(link, API_VERSIONS, 0);
    end_request(link, now_ms, 0);
    return push_out(link, now_ms, err);
}

/* The answer to the greeting: error (2), rows of api, oldest, newest (2 each). */
static int take_versions(struct kafka_link *link, struct bytes body, int64_t now_ms,
                         struct error *err)
{
    struct wire_reader from = { body.data, body.data + body.len, false };
    int16_t failed = wire_take_i16(&from);
    uint32_t count = wire_take_count(&from, API_BYTES);

    link->fetch_version = 0;
    for (uint32_t i = 0; i < count; i++) {
        int16_t api = wire_take_i16(&from);
        int16_t oldest = wire_take_i16(&from);
        int16_t newest = wire_take_i16(&from);

        if (api == API_FETCH && oldest <= FETCH_NEWEST && newest >= FETCH_OLDEST) {
            link->fetch_version = newest < FETCH_NEWEST ? newest : FETCH_NEWEST;
        }
    }
    if (failed || from.wrong || !link->fetch_version) {
        return fail(link, now_ms, "its versions",
                    "it speaks none of the versions 4 to 11 of Fetch (Kafka 0.11 or later does)",
                    err);
    }
    link->state = LINK_READY;
    return 0;
}

/* --- receiving --- */

/* Up to `size` bytes; *got is what there was. An answer that comes on is not late. */
static int receive(struct kafka_link *link, char *into, size_t size, size_t *got, int64_t now_ms,
                   struct error *err)
{
    *got = 0;
    while (*got < size) {
        ssize_t count = recv(link->fd, into + *got, size - *got, 0);

        if (count == 0) {
            return fail(link, now_ms, "reading", "it has closed the connection", err);
        }
        if (count < 0) {
            if (errno == EINTR) {
                continue;
            }
            return errno == EAGAIN ? 0 : fail(link, now_ms, "reading", strerror(errno), err);
        }
        *got += (size_t)count;
        link->deadline_ms = now_ms + link->settings->timeout_ms;
    }
    return 0;
}

static int take_size(struct kafka_link *link, int64_t now_ms, struct error *err)
{
    struct wire_reader from = { link->head, link->head + SIZE_BYTES, false };
    int32_t size = wire_take_i32(&from);

    if (size < CORRELATION_BYTES || size > link->settings->receive_max_bytes) {
        char why[96];

        (void)snprintf(why, sizeof why, "an answer of %d bytes (kafka.receive.message.max.bytes)",
                       size);
        return fail(link, now_ms, "reading", why, err);
    }
    link->answer = fetched_bytes_new((size_t)size);
    link->answer_len = 0;
    return 0;
}

/* True once the answer is whole. */
static int receive_answer(struct kafka_link *link, int64_t now_ms, bool *whole, struct error *err)
{
    size_t got = 0;

    if (!link->answer) {
        TRY(receive(link, link->head + link->head_len, SIZE_BYTES - link->head_len, &got, now_ms,
                    err));
        link->head_len += got;
        if (link->head_len < SIZE_BYTES) {
            return 0;
        }
        TRY(take_size(link, now_ms, err));
    }
    TRY(receive(link, link->answer->data + link->answer_len, link->answer->size - link->answer_len,
                &got, now_ms, err));
    link->answer_len += got;
    *whole = link->answer_len == link->answer->size;
    return 0;
}

static int take_answer(struct kafka_link *link, int64_t now_ms, struct fetched_bytes **out,
                       struct error *err)
{
    struct fetched_bytes *answer = link->answer;
    struct wire_reader from = { answer->data, answer->data + answer->size, false };
    int32_t correlation = wire_take_i32(&from);
    bool is_asked = link->is_asked && link->sent == link->out.len;
    int code;

    if (!is_asked || correlation != link->correlation) {
        return fail(link, now_ms, "reading", "an answer to another question", err);
    }
    link->is_asked = false;
    link->head_len = 0;
    if (link->state == LINK_READY) {
        begin_backoff(link);
        link->answer = NULL;
        *out = answer;
        return 0;
    }
    code =
        take_versions(link, (struct bytes){ from.at, (size_t)(from.end - from.at) }, now_ms, err);
    if (!code) {
        link->answer = NULL;
        fetched_bytes_unref(answer);
    }
    return code;
}

/* --- going on --- */

short kafka_link_wants(const struct kafka_link *link, int64_t *until_ms)
{
    if (link->state == LINK_CLOSED) {
        *until_ms = link->not_before_ms;
        return 0;
    }
    *until_ms = link->is_asked || link->state == LINK_CONNECTING ? link->deadline_ms : INT64_MAX;
    if (link->state == LINK_CONNECTING || link->sent < link->out.len) {
        return POLLIN | POLLOUT;
    }
    return POLLIN;
}

int kafka_link_advance(struct kafka_link *link, int64_t now_ms, short events,
                       struct fetched_bytes **answer, struct error *err)
{
    bool whole = false;

    *answer = NULL;
    if (link->state == LINK_CLOSED) {
        return now_ms < link->not_before_ms ? 0 : begin_connecting(link, now_ms, err);
    }
    if (events && link->state == LINK_CONNECTING) {
        return greet(link, now_ms, err);
    }
    if (events) {
        TRY(push_out(link, now_ms, err));
        TRY(receive_answer(link, now_ms, &whole, err));
    }
    if (whole) {
        return take_answer(link, now_ms, answer, err);
    }
    if ((link->is_asked || link->state == LINK_CONNECTING) && now_ms >= link->deadline_ms) {
        return fail(link, now_ms, "waiting", "it does not answer", err);
    }
    return 0;
}
