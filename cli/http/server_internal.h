/*
 * server_internal.h: what server, connections and letterbox share; the home of libuv's types.
 */
#ifndef SLUICE_CLI_HTTP_SERVER_INTERNAL_H
#define SLUICE_CLI_HTTP_SERVER_INTERNAL_H

#include <pthread.h>

#include <uv.h>

#include "cli/http/h1.h"
#include "cli/http/server.h"

enum { LISTENERS_MAX = 8, INPUT_BYTES = 64 * 1024 };

struct letter;

struct letterbox {
    uv_async_t async;
    pthread_mutex_t mutex; /* the two below */
    struct letter *first;
    struct letter **end;
};

void letterbox_open(struct letterbox *letterbox, uv_loop_t *loop);
void letterbox_drain(struct letterbox *letterbox); /* on the loop's thread */
void letterbox_close(struct letterbox *letterbox); /* its handle was closed with the loop's */

struct connection;

struct server {
    struct server_config config;
    uv_loop_t loop;
    uv_tcp_t listeners[LISTENERS_MAX];
    const struct route *routes[LISTENERS_MAX]; /* of those who come by that listener */
    uint32_t listener_count;
    bool is_loopback;
    uv_prepare_t flush; /* what was written in a turn of the loop goes out at its end */
    uv_timer_t stop_timer;
    uv_signal_t signals[2];
    struct letterbox letterbox;
    struct connection *connections;
    struct connection *dirty;
    uint32_t connection_count;
    bool is_stopping;
    char input[INPUT_BYTES]; /* whichever connection reads */
};

void connection_accept(struct server *server, uv_stream_t *listener);
/* Output of this turn goes to the network. */
void connection_flush_all(struct server *server);
/* The answer that is under way is the last. */
void connection_finish_all(struct server *server);
void connection_cut_all(struct server *server);
/* Called when the last connection has gone. */
void server_connections_gone(struct server *server);

#endif
