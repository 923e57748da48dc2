/*
 * http_client.c: plain sockets; a read that takes too long fails the test.
 */
#include "tests/unit/http_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "engine/log/log_memory.h"

enum { PATIENCE_S = 60 };

/* --- the server --- */

static void *run(void *context)
{
    struct http_bed *bed = context;

    server_run(bed->server);
    return NULL;
}

static void stopping(void *context)
{
    ksql_api_stop(context);
}

static void open_engine(struct http_bed *bed)
{
    struct engine_config config = { .clock = &bed->clock, .mode = RUNTIME_THREADED };
    struct error err;

    clock_init_real(&bed->clock);
    bed->log = log_memory_create(&bed->clock);
    config.log = bed->log;
    assert_int_equal(engine_open(&config, &bed->engine, &err), 0);
    assert_int_equal(
        engine_set_property(bed->engine, bytes_of("auto.offset.reset"), bytes_of("earliest"), &err),
        0);
}

void http_bed_open(struct http_bed *bed, int64_t request_timeout_ms)
{
    struct server_config config = { .routes = ksql_routes,
                                    .stopping = stopping,
                                    .admit = ksql_api_admit,
                                    .idle_timeout_ms = 600000,
                                    .request_timeout_ms = request_timeout_ms,
                                    .connection_limit = 500,
                                    .signals = SERVER_LEAVES_SIGNALS };
    struct error err;

    memset(bed, 0, sizeof *bed);
    open_engine(bed);
    bed->api = ksql_api_create(bed->engine);
    config.context = bed->api;
    bed->server = server_create(&config);
    ksql_api_start(bed->api, server_letterbox(bed->server));
    assert_int_equal(server_listen(bed->server, bytes_of("http://127.0.0.1:0"), &err), 0);
    assert_true(server_is_loopback(bed->server));
    assert_int_equal(pthread_create(&bed->thread, NULL, run, bed), 0);
    bed->is_running = true;
}

void http_bed_stop(struct http_bed *bed)
{
    server_stop(bed->server);
    pthread_join(bed->thread, NULL);
    bed->is_running = false;
}

void http_bed_close(struct http_bed *bed)
{
    if (bed->is_running) {
        http_bed_stop(bed);
    }
    ksql_api_destroy(bed->api);
    server_destroy(bed->server);
    engine_close(bed->engine);
    log_close(bed->log);
}

/* --- clients --- */

void client_open(struct http_client *client, const struct http_bed *bed)
{
    const struct timeval patience = { PATIENCE_S, 0 };
    struct sockaddr_in address = { .sin_family = AF_INET };

    *client = (struct http_client){ .socket = socket(AF_INET, SOCK_STREAM, 0) };
    assert_true(client->socket >= 0);
    address.sin_port = htons(server_port(bed->server));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(client->socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(client->socket, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    assert_int_equal(connect(client->socket, (const struct sockaddr *)&address, sizeof address), 0);
    buffer_append_char(&client->text, '\0');
    client->text.len = 0;
}

void client_close(struct http_client *client)
{
    close(client->socket);
    buffer_fini(&client->text);
}

void client_send(struct http_client *client, const char *text)
{
    size_t len = strlen(text);

    while (len > 0) {
        ssize_t sent = send(client->socket, text, len, MSG_NOSIGNAL);

        if (sent <= 0) {
            return; /* the server has closed: what it said before can still be read */
        }
        text += sent;
        len -= (size_t)sent;
    }
}

void client_post(struct http_client *client, const char *path, const char *accept, const char *body)
{
    struct buffer text = { 0 };

    buffer_printf(&text, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n", path,
                  strlen(body));
    if (accept) {
        buffer_printf(&text, "Accept: %s\r\n", accept);
    }
    buffer_printf(&text, "\r\n%s", body);
    buffer_append_char(&text, '\0');
    client_send(client, text.data);
    buffer_fini(&text);
}

/* False: the server has closed. */
static bool read_more(struct http_client *client)
{
    ssize_t got;

    buffer_reserve(&client->text, 65537);
    got = recv(client->socket, client->text.data + client->text.len, 65536, 0);
    if (got > 0) {
        client->text.len += (size_t)got;
    }
    client->text.data[client->text.len] = '\0';
    return got > 0;
}

void client_expect(struct http_client *client, const char *text)
{
    const char *found;

    while (!(found = strstr(client->text.data, text))) {
        if (!read_more(client)) {
            fail_msg("expected %s, got %s", text, client->text.data);
        }
    }
    found += strlen(text);
    client->text.len -= (size_t)(found - client->text.data);
    memmove(client->text.data, found, client->text.len + 1);
}

const char *client_read_all(struct http_client *client)
{
    while (read_more(client)) {
    }
    return client->text.data;
}

char *ask(const struct http_bed *bed, const char *method, const char *path, const char *body)
{
    struct http_client client;
    struct buffer text = { 0 };
    char *answer;

    client_open(&client, bed);
    buffer_printf(&text, "%s %s HTTP/1.1\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n%s",
                  method, path, strlen(body), body);
    buffer_append_char(&text, '\0');
    client_send(&client, text.data);
    buffer_fini(&text);
    (void)client_read_all(&client);
    answer = strdup(client.text.data);
    client_close(&client);
    return answer;
}

void statement(const struct http_bed *bed, const char *sql, const char *expected)
{
    struct buffer body = { 0 };
    char *answer;

    buffer_printf(&body, "{\"ksql\":\"%s\"}", sql);
    buffer_append_char(&body, '\0');
    answer = ask(bed, "POST", "/ksql", body.data);
    if (!strstr(answer, expected)) {
        fail_msg("%s: expected %s, got %s", sql, expected, answer);
    }
    free(answer);
    buffer_fini(&body);
}
