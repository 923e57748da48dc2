/*
 * connection.c: a TCP connection: its socket, its clock, its HTTP.
 *
 *   WAITING    for the first request, as long as a request may take
 *   IDLE       between requests
 *   RECEIVING  a request has begun; slow clients get 408
 *   ANSWERING  no limit: push queries last
 *   DESERTED   the client has sent its last byte; an answer that does not end soon has no reader
 *   LINGERING  all is sent; input is read away, so that the answer is not lost with it
 *   CLOSING
 */
#include <stdlib.h>

#include "base/memory.h"
#include "cli/http/server_internal.h"

enum { HEAD_MAX_BYTES = 64 * 1024, HEADERS_MAX = 100, BODY_MAX_BYTES = 10 * 1024 * 1024 };
enum { DESERTED_MS = 1000, LINGER_MS = 1000 };

enum connection_state { WAITING, IDLE, RECEIVING, ANSWERING, DESERTED, LINGERING, CLOSING };

struct connection {
    uv_tcp_t tcp;
    uv_timer_t timer;
    uv_shutdown_t shutdown;
    struct server *server;
    const struct route *routes;
    struct h1 *h1;
    struct buffer output;
    struct connection *previous;
    struct connection *next;
    struct connection *next_dirty;
    uint32_t write_count; /* under way */
    uint32_t open_handles;
    enum connection_state state;
    bool is_dirty;
    bool is_reading;
    bool was_used; /* a request was complete */
    bool input_ended;
    bool wants_close; /* once all is sent */
};

struct write {
    uv_write_t request;
    struct buffer data;
};

/* --- the end --- */

static void forget(uv_handle_t *handle)
{
    struct connection *self = handle->data;

    if (--self->open_handles > 0) {
        return;
    }
    buffer_fini(&self->output);
    free(self);
}

static void unlink_connection(struct connection *self)
{
    struct server *server = self->server;
    struct connection **dirty = &server->dirty;

    while (self->is_dirty && *dirty != self) {
        dirty = &(*dirty)->next_dirty;
    }
    if (self->is_dirty) {
        *dirty = self->next_dirty;
    }
    *(self->previous ? &self->previous->next : &server->connections) = self->next;
    if (self->next) {
        self->next->previous = self->previous;
    }
    server->connection_count--;
}

static void cut(struct connection *self)
{
    struct server *server = self->server;

    if (self->state == CLOSING) {
        return;
    }
    self->state = CLOSING;
    unlink_connection(self);
    h1_destroy(self->h1);
    self->h1 = NULL;
    uv_close((uv_handle_t *)&self->tcp, forget);
    uv_close((uv_handle_t *)&self->timer, forget);
    if (server->connection_count == 0) {
        server_connections_gone(server);
    }
}

static void update(struct connection *self);

static void on_timeout(uv_timer_t *timer)
{
    struct connection *self = timer->data;

    if (self->state == RECEIVING) {
        h1_time_out(self->h1);
        update(self);
    } else {
        cut(self);
    }
}

static void on_shut_down(uv_shutdown_t *request, int status)
{
    struct connection *self = request->data;

    if (self->state == LINGERING && (status < 0 || self->input_ended)) {
        cut(self);
    }
}

static void linger(struct connection *self)
{
    self->state = LINGERING;
    self->shutdown.data = self;
    if (uv_shutdown(&self->shutdown, (uv_stream_t *)&self->tcp, on_shut_down)) {
        cut(self);
        return;
    }
    uv_timer_start(&self->timer, on_timeout, LINGER_MS, 0);
}

/* --- state and clock --- */

static enum connection_state find_state(const struct connection *self)
{
    if (h1_is_answering(self->h1)) {
        return self->input_ended ? DESERTED : ANSWERING;
    }
    if (h1_is_receiving(self->h1)) {
        return RECEIVING;
    }
    return self->was_used ? IDLE : WAITING;
}

static void enter(struct connection *self, enum connection_state state)
{
    const struct server_config *config = &self->server->config;
    int64_t limit_ms = 0;

    self->state = state;
    switch (state) {
    case WAITING:
    case RECEIVING:
        limit_ms = config->request_timeout_ms;
        break;
    case IDLE:
        limit_ms = config->idle_timeout_ms;
        break;
    case DESERTED:
        limit_ms = DESERTED_MS;
        break;
    case ANSWERING:
    case LINGERING:
    case CLOSING:
        break;
    }
    uv_timer_stop(&self->timer);
    if (limit_ms > 0) {
        uv_timer_start(&self->timer, on_timeout, (uint64_t)limit_ms, 0);
    }
}

static void take_buffer(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
    struct connection *self = handle->data;

    *out = uv_buf_init(self->server->input, INPUT_BYTES);
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
    struct connection *self = stream->data;

    if (size < 0 && size != UV_EOF) {
        cut(self);
    } else if (self->state == LINGERING) {
        self->input_ended = self->input_ended || size < 0;
        if (size < 0) {
            cut(self);
        }
    } else if (size < 0) {
        self->input_ended = true;
        self->is_reading = false;
        uv_read_stop(stream);
        h1_end_input(self->h1);
        update(self);
    } else if (size > 0) {
        h1_feed(self->h1, (struct bytes){ buffer->base, (size_t)size });
        update(self);
    }
}

/* After anything that may have changed what the connection waits for. */
static void update(struct connection *self)
{
    bool wants_input;

    if (self->state >= LINGERING) {
        return;
    }
    if (self->wants_close && self->output.len == 0 && self->write_count == 0) {
        linger(self);
        return;
    }
    self->was_used = self->was_used || h1_is_answering(self->h1);
    if (find_state(self) != self->state) {
        enter(self, find_state(self));
    }
    wants_input = !self->input_ended && (self->wants_close || h1_wants_input(self->h1));
    if (wants_input != self->is_reading) {
        self->is_reading = wants_input;
        if (!wants_input) {
            uv_read_stop((uv_stream_t *)&self->tcp);
        } else if (uv_read_start((uv_stream_t *)&self->tcp, take_buffer, on_read)) {
            cut(self);
        }
    }
}

/* --- output --- */

static void on_written(uv_write_t *request, int status)
{
    struct write *write = (struct write *)request;
    struct connection *self = request->data;
    size_t size = write->data.len;

    buffer_fini(&write->data);
    free(write);
    self->write_count--;
    if (self->state == CLOSING) {
        return;
    }
    if (status < 0) {
        cut(self);
        return;
    }
    h1_sent(self->h1, size);
    update(self);
}

static void flush(struct connection *self)
{
    struct write *write;
    uv_buf_t part;

    self->is_dirty = false;
    if (self->output.len > 0) {
        write = memory_zalloc(1, sizeof *write);
        write->data = self->output;
        write->request.data = self;
        self->output = (struct buffer){ 0 };
        part = uv_buf_init(write->data.data, (unsigned)write->data.len);
        self->write_count++;
        if (uv_write(&write->request, (uv_stream_t *)&self->tcp, &part, 1, on_written)) {
            self->write_count--;
            buffer_fini(&write->data);
            free(write);
            cut(self);
            return;
        }
    }
    update(self);
}

void connection_flush_all(struct server *server)
{
    while (server->dirty) {
        struct connection *self = server->dirty;

        server->dirty = self->next_dirty;
        flush(self);
    }
}

static void mark_dirty(struct connection *self)
{
    if (!self->is_dirty) {
        self->is_dirty = true;
        self->next_dirty = self->server->dirty;
        self->server->dirty = self;
    }
}

static void take_output(void *context, struct bytes data)
{
    struct connection *self = context;

    buffer_append_bytes(&self->output, data);
    mark_dirty(self);
}

static void take_close(void *context)
{
    struct connection *self = context;

    self->wants_close = true;
    mark_dirty(self);
}

/* --- the beginning --- */

static void take_request(void *context, struct exchange *exchange)
{
    struct connection *self = context;
    const struct server_config *config = &self->server->config;

    if (!config->admit || config->admit(exchange, config->context)) {
        router_dispatch(self->routes, exchange, config->context);
    }
}

static void link_connection(struct connection *self)
{
    struct server *server = self->server;

    self->next = server->connections;
    if (self->next) {
        self->next->previous = self;
    }
    server->connections = self;
    server->connection_count++;
}

static void open_http(struct connection *self)
{
    static const struct h1_limits limits = { HEAD_MAX_BYTES, HEADERS_MAX, BODY_MAX_BYTES };
    const struct h1_events events = { take_request, take_output, take_close, self };

    self->h1 = h1_create(&limits, &events);
    uv_tcp_nodelay(&self->tcp, 1);
    enter(self, WAITING);
    update(self);
}

void connection_accept(struct server *server, uv_stream_t *listener)
{
    struct connection *self = memory_zalloc(1, sizeof *self);
    bool has_room = server->connection_count < server->config.connection_limit;

    self->server = server;
    self->routes = server->routes[(uv_tcp_t *)listener - server->listeners];
    uv_tcp_init(&server->loop, &self->tcp);
    uv_timer_init(&server->loop, &self->timer);
    self->tcp.data = self;
    self->timer.data = self;
    self->open_handles = 2;
    if (uv_accept(listener, (uv_stream_t *)&self->tcp) || !has_room) {
        self->state = CLOSING;
        uv_close((uv_handle_t *)&self->tcp, forget);
        uv_close((uv_handle_t *)&self->timer, forget);
        return;
    }
    link_connection(self);
    open_http(self);
}

/* --- all of them --- */

static bool is_idle(const struct connection *self)
{
    return self->state < LINGERING && !h1_is_answering(self->h1) && !h1_is_receiving(self->h1) &&
           self->output.len == 0 && self->write_count == 0;
}

void connection_finish_all(struct server *server)
{
    struct connection *next;

    for (struct connection *self = server->connections; self; self = next) {
        next = self->next;
        if (is_idle(self)) {
            cut(self); /* there is nothing that could be lost */
        } else if (self->state < LINGERING) {
            h1_finish(self->h1);
        }
    }
}

void connection_cut_all(struct server *server)
{
    while (server->connections) {
        cut(server->connections);
    }
}
