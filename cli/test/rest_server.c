/*
 * rest_server.c: a server on a thread of its own, and plain sockets.
 *
 * Each request has a connection, which the server closes behind the answer; so the end of the
 * bytes is the end of the answer. A server that says nothing for long fails the request.
 */
#include "cli/test/rest_server.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { PATIENCE_S = 15, IDLE_MS = 600000, CONNECTIONS = 100, READ_BYTES = 65536 };

/* --- the server --- */

static void *run(void *context)
{
    server_run(context);
    return NULL;
}

static void stopping(void *context)
{
    ksql_api_stop(context);
}

int rest_server_open(struct rest_server *server, struct engine *engine, struct error *err)
{
    struct server_config config = { .routes = ksql_routes,
                                    .stopping = stopping,
                                    .idle_timeout_ms = IDLE_MS,
                                    .request_timeout_ms = IDLE_MS,
                                    .connection_limit = CONNECTIONS,
                                    .signals = SERVER_LEAVES_SIGNALS };

    *server = (struct rest_server){ .api = ksql_api_create(engine) };
    config.context = server->api;
    server->server = server_create(&config);
    ksql_api_start(server->api, server_letterbox(server->server));
    TRY(server_listen(server->server, bytes_of("http://127.0.0.1:0"), err));
    if (pthread_create(&server->thread, NULL, run, server->server)) {
        return error_set(err, ERR_IO, NO_POSITION, "no thread for the server");
    }
    server->is_running = true;
    return 0;
}

void rest_server_close(struct rest_server *server)
{
    if (server->is_running) {
        server_stop(server->server);
        pthread_join(server->thread, NULL);
    }
    if (server->api) {
        ksql_api_stop(server->api);
        ksql_api_destroy(server->api);
        server_destroy(server->server);
    }
    *server = (struct rest_server){ 0 };
}

/* --- requests --- */

static bool send_all(int to, struct bytes data)
{
    while (data.len > 0) {
        ssize_t sent = send(to, data.data, data.len, MSG_NOSIGNAL);

        if (sent <= 0) {
            return false;
        }
        data.data += sent;
        data.len -= (size_t)sent;
    }
    return true;
}

static bool connect_to(int from, uint16_t port)
{
    const struct timeval patience = { PATIENCE_S, 0 };
    struct sockaddr_in address = { .sin_family = AF_INET };

    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(from, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    return connect(from, (const struct sockaddr *)&address, sizeof address) == 0;
}

int rest_request_open(struct rest_request *request, const struct rest_server *server,
                      const char *path, struct bytes body, struct error *err)
{
    struct buffer text = { 0 };
    bool sent;

    *request = (struct rest_request){ .socket = socket(AF_INET, SOCK_STREAM, 0) };
    buffer_printf(&text,
                  "POST %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                  "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
                  path, body.len);
    buffer_append_bytes(&text, body);
    sent = request->socket >= 0 && connect_to(request->socket, server_port(server->server)) &&
           send_all(request->socket, buffer_bytes(&text));
    buffer_fini(&text);
    return sent ? 0 : error_set(err, ERR_IO, NO_POSITION, "the request to %s cannot be sent", path);
}

void rest_request_close(struct rest_request *request)
{
    if (request->socket >= 0) {
        close(request->socket);
    }
    buffer_fini(&request->text);
}

/* False: the answer has ended. */
static bool read_more(struct rest_request *request)
{
    ssize_t got;

    buffer_reserve(&request->text, READ_BYTES);
    got = recv(request->socket, request->text.data + request->text.len, READ_BYTES, 0);
    if (got <= 0) {
        return false;
    }
    request->text.len += (size_t)got;
    return true;
}

/* Where the part begins; SIZE_MAX: nowhere. */
static size_t find(struct bytes in, const char *part)
{
    size_t len = strlen(part);

    for (size_t i = 0; i + len <= in.len; i++) {
        if (memcmp(in.data + i, part, len) == 0) {
            return i;
        }
    }
    return SIZE_MAX;
}

bool rest_request_await(struct rest_request *request, const char *text)
{
    while (find(buffer_bytes(&request->text), text) == SIZE_MAX) {
        if (!read_more(request)) {
            return false;
        }
    }
    return true;
}

/* --- answers --- */

/* The body out of its chunks: a size in hexadecimal on a line, then that many bytes. */
static struct bytes join_chunks(struct arena *arena, struct bytes in)
{
    struct buffer out = { 0 };
    struct bytes copy;
    size_t at = 0;

    while (at < in.len) {
        size_t line = find((struct bytes){ in.data + at, in.len - at }, "\r\n");
        size_t size = 0;

        for (size_t i = 0; line != SIZE_MAX && i < line; i++) {
            char c = in.data[at + i];
            size_t digit = (size_t)(c <= '9' ? c - '0' : (c | ' ') - 'a' + 10);

            size = size * 16 + digit;
        }
        if (line == SIZE_MAX || size == 0 || size > in.len - at - line - 2) {
            break;
        }
        buffer_append(&out, in.data + at + line + 2, size);
        at += line + 2 + size + 2;
    }
    copy = arena_copy(arena, buffer_bytes(&out));
    buffer_fini(&out);
    return copy;
}

static bool is_chunked(struct bytes head)
{
    return find(head, "chunked") != SIZE_MAX;
}

int rest_request_finish(struct rest_request *request, struct arena *arena, struct rest_answer *out,
                        struct error *err)
{
    struct bytes text;
    struct bytes head;
    size_t end;

    while (read_more(request)) {
    }
    text = buffer_bytes(&request->text);
    end = find(text, "\r\n\r\n");
    if (end == SIZE_MAX || !bytes_starts_with(text, bytes_of("HTTP/1.1 ")) || end < 12) {
        return error_set(err, ERR_TEST_FAILED, NO_POSITION, "no answer, or not in time");
    }
    head = (struct bytes){ text.data, end };
    text = (struct bytes){ text.data + end + 4, text.len - end - 4 };
    out->status = (int)strtol(head.data + 9, NULL, 10);
    out->body = is_chunked(head) ? join_chunks(arena, text) : arena_copy(arena, text);
    return 0;
}
