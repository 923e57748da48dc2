/*
 * server.c: the loop, its listeners and signals, and its end.
 */
#include "cli/http/server.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/trace.h"
#include "cli/http/server_internal.h"

enum { BACKLOG = 511, STOP_MS = 10000 };

/* --- the end --- */

static void close_handle(uv_handle_t *handle, void *context)
{
    if (!uv_is_closing(handle)) {
        uv_close(handle, NULL);
    }
}

static void end_loop(struct server *server)
{
    uv_stop(&server->loop);
}

void server_connections_gone(struct server *server)
{
    if (server->is_stopping) {
        end_loop(server);
    }
}

static void on_stop_timeout(uv_timer_t *timer)
{
    struct server *server = timer->data;

    TRACE(TRACE_WARN, "http", "cutting off %u connections", server->connection_count);
    connection_cut_all(server);
}

static void stop(void *context)
{
    struct server *server = context;

    if (server->is_stopping) {
        return;
    }
    server->is_stopping = true;
    for (uint32_t i = 0; i < server->listener_count; i++) {
        uv_close((uv_handle_t *)&server->listeners[i], NULL);
    }
    uv_timer_start(&server->stop_timer, on_stop_timeout, STOP_MS, 0);
    server->config.stopping(server->config.context);
    connection_finish_all(server);
    if (server->connection_count == 0) {
        end_loop(server);
    }
}

void server_stop(struct server *server)
{
    letterbox_post(&server->letterbox, stop, server);
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct server *server = handle->data;

    if (server->is_stopping) {
        _exit(128 + number); /* a crash, and safe */
    }
    stop(server);
}

/* --- listening --- */

static void on_connection(uv_stream_t *listener, int status)
{
    if (status < 0) {
        TRACE(TRACE_WARN, "http", "a connection was not taken: %s", uv_strerror(status));
        return;
    }
    connection_accept(listener->data, listener);
}

struct address {
    char host[256];
    char port[8];
};

static int parse_url(struct bytes url, struct address *out, struct error *err)
{
    static const struct bytes scheme = BYTES("http://");
    struct bytes rest;
    size_t colon;

    if (!bytes_starts_with(url, scheme)) {
        return error_set(err, ERR_USAGE, NO_POSITION, "'%.*s' is no listener: http://HOST:PORT",
                         BYTES_ARG(url));
    }
    rest = (struct bytes){ url.data + scheme.len, url.len - scheme.len };
    while (rest.len > 0 && rest.data[rest.len - 1] == '/') {
        rest.len--;
    }
    for (colon = rest.len; colon > 0 && rest.data[colon - 1] != ':'; colon--) {
    }
    if (colon < 2 || colon > sizeof out->host || rest.len - colon < 1 || rest.len - colon > 5) {
        return error_set(err, ERR_USAGE, NO_POSITION, "'%.*s' is no listener: http://HOST:PORT",
                         BYTES_ARG(url));
    }
    memset(out, 0, sizeof *out);
    memcpy(out->port, rest.data + colon, rest.len - colon);
    if (strspn(out->port, "0123456789") < rest.len - colon ||
        strtol(out->port, NULL, 10) > UINT16_MAX) {
        return error_set(err, ERR_USAGE, NO_POSITION, "'%.*s' has no port up to %d", BYTES_ARG(url),
                         UINT16_MAX);
    }
    if (rest.data[0] == '[' && rest.data[colon - 2] == ']') {
        memcpy(out->host, rest.data + 1, colon - 3);
    } else {
        memcpy(out->host, rest.data, colon - 1);
    }
    return 0;
}

static bool is_loopback(const struct sockaddr *address)
{
    static const unsigned char loopback6[16] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1 };
    char text[64] = "";

    if (address->sa_family == AF_INET6) {
        return uv_ip6_name((const struct sockaddr_in6 *)(const void *)address, text, sizeof text) ==
                   0 &&
               memcmp(&((const struct sockaddr_in6 *)(const void *)address)->sin6_addr, loopback6,
                      sizeof loopback6) == 0;
    }
    return uv_ip4_name((const struct sockaddr_in *)(const void *)address, text, sizeof text) == 0 &&
           strncmp(text, "127.", 4) == 0;
}

static int bind_listener(struct server *server, const struct sockaddr *address,
                         const struct route *routes)
{
    uv_tcp_t *listener = &server->listeners[server->listener_count];
    int status;

    uv_tcp_init(&server->loop, listener);
    server->routes[server->listener_count] = routes;
    server->listener_count++;
    listener->data = server;
    server->is_loopback = server->is_loopback && is_loopback(address);
    status = uv_tcp_bind(listener, address, 0);
    return status ? status : uv_listen((uv_stream_t *)listener, BACKLOG, on_connection);
}

static int listen_url(struct server *server, struct bytes url, const struct route *routes,
                      struct error *err)
{
    const struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE };
    struct address address;
    uv_getaddrinfo_t request;
    int status;

    TRY(parse_url(url, &address, err));
    if (server->listener_count == LISTENERS_MAX) {
        return error_set(err, ERR_USAGE, NO_POSITION, "More than %d listeners", LISTENERS_MAX);
    }
    status = uv_getaddrinfo(&server->loop, &request, NULL, address.host, address.port, &hints);
    if (!status) {
        status = bind_listener(server, request.addrinfo->ai_addr, routes);
        uv_freeaddrinfo(request.addrinfo);
    }
    return status ? error_set(err, ERR_IO, NO_POSITION, "%.*s cannot be listened on: %s",
                              BYTES_ARG(url), uv_strerror(status))
                  : 0;
}

int server_listen_for(struct server *server, struct bytes urls, const struct route *routes,
                      struct error *err)
{
    size_t begin = 0;

    for (size_t i = 0; i <= urls.len; i++) {
        if (i == urls.len || urls.data[i] == ',') {
            struct bytes url = { urls.data + begin, i - begin };

            while (url.len > 0 && url.data[0] == ' ') {
                url.data++;
                url.len--;
            }
            TRY(listen_url(server, url, routes, err));
            begin = i + 1;
        }
    }
    return 0;
}

int server_listen(struct server *server, struct bytes urls, struct error *err)
{
    return server_listen_for(server, urls, server->config.routes, err);
}

uint16_t server_port(const struct server *server)
{
    struct sockaddr_storage address = { 0 };
    int len = sizeof address;

    if (uv_tcp_getsockname(&server->listeners[0], (struct sockaddr *)&address, &len)) {
        return 0;
    }
    return ntohs(address.ss_family == AF_INET6
                     ? ((const struct sockaddr_in6 *)(const void *)&address)->sin6_port
                     : ((const struct sockaddr_in *)(const void *)&address)->sin_port);
}

bool server_is_loopback(const struct server *server)
{
    return server->is_loopback;
}

/* --- life --- */

static void on_prepare(uv_prepare_t *handle)
{
    connection_flush_all(handle->data);
}

static void take_signals(struct server *server)
{
    static const int numbers[] = { SIGTERM, SIGINT };

    for (int i = 0; i < 2; i++) {
        uv_signal_init(&server->loop, &server->signals[i]);
        server->signals[i].data = server;
        uv_signal_start(&server->signals[i], on_signal, numbers[i]);
    }
}

struct server *server_create(const struct server_config *config)
{
    struct server *server = memory_zalloc(1, sizeof *server);
    const struct sigaction ignore = { .sa_handler = SIG_IGN };

    server->config = *config;
    server->is_loopback = true;
    uv_loop_init(&server->loop);
    letterbox_open(&server->letterbox, &server->loop);
    uv_prepare_init(&server->loop, &server->flush);
    server->flush.data = server;
    uv_prepare_start(&server->flush, on_prepare);
    uv_timer_init(&server->loop, &server->stop_timer);
    server->stop_timer.data = server;
    (void)sigaction(SIGPIPE, &ignore, NULL); /* a client that left is an error of its write */
    if (config->signals == SERVER_TAKES_SIGNALS) {
        take_signals(server);
    }
    return server;
}

struct letterbox *server_letterbox(struct server *server)
{
    return &server->letterbox;
}

void server_run(struct server *server)
{
    uv_run(&server->loop, UV_RUN_DEFAULT);
}

void server_destroy(struct server *server)
{
    if (!server) {
        return;
    }
    connection_cut_all(server);
    letterbox_drain(&server->letterbox);
    uv_walk(&server->loop, close_handle, NULL);
    uv_run(&server->loop, UV_RUN_DEFAULT);
    letterbox_close(&server->letterbox);
    uv_loop_close(&server->loop);
    free(server);
}
