/*
 * h1.c: HTTP/1.1 on top of http-parser.
 *
 * The parser is paused behind each request; it goes on when that one's answer is through, with
 * what was held. A name or value may come in pieces, so the head is gathered in one buffer,
 * with marks at the ends, and cut up when it is complete. Upgrade: h2c is left unanswered, as the
 * standard allows: the request is HTTP/1.1.
 */
#include "cli/http/h1.h"

#include <http_parser.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/vec.h"

enum { HELD_MAX_BYTES = 64 * 1024, UNTAKEN_MAX_BYTES = 256 * 1024 };

enum part { PART_NONE, PART_URL, PART_NAME, PART_VALUE };

struct h1_exchange {
    struct exchange exchange; /* first: the handler's view of it */
    struct h1 *h1;
    bool has_begun;
    bool has_ended;
    bool is_chunked;
    bool has_body; /* false: HEAD, 204 */
    bool keep_alive;
};

struct mark {
    enum part part;
    size_t end; /* in the head's text */
};

struct h1 {
    struct h1_limits limits;
    struct h1_events events;
    http_parser parser;
    struct buffer head; /* of the request that is being read */
    struct arena marks_arena;
    VEC(struct mark) marks;
    enum part part; /* the last mark's */
    size_t body_bytes;
    struct h1_exchange *current; /* NULL: between requests, or in a head */
    struct buffer held;
    size_t unsent_bytes;
    int refusal; /* status that a limit or a fault asks for; 0: none */
    bool is_receiving;
    bool is_complete; /* the current request is here */
    bool is_feeding;  /* inside the parser */
    bool input_ended;
    bool is_last; /* no request behind the current one */
    bool is_closed;
    bool parse_failed;
};

/* --- output --- */

static const char *reason(int status)
{
    const char *text = "";

    switch (status) {
#define STATUS(number, name, string) \
    case number:                     \
        text = #string;              \
        break;
        HTTP_STATUS_MAP(STATUS)
#undef STATUS
    default: /* a number of the handler's that has no name */
        break;
    }
    return text;
}

static void close_once(struct h1 *h1)
{
    if (!h1->is_closed) {
        h1->is_closed = true;
        h1->events.close(h1->events.context);
    }
}

static void send(struct h1 *h1, struct bytes data)
{
    if (h1->is_closed) {
        return;
    }
    h1->unsent_bytes += data.len;
    if (h1->current) {
        h1->current->exchange.unsent_bytes = h1->unsent_bytes;
    }
    h1->events.output(h1->events.context, data);
}

static bool has_body(const struct exchange *exchange, int status)
{
    return !bytes_equal_text(exchange->method, "HEAD") && status != 204 && status != 304;
}

static void answer_begin(struct exchange *exchange, const struct exchange_head *head)
{
    struct h1_exchange *self = (struct h1_exchange *)exchange;
    struct buffer text = { 0 };

    self->has_begun = true;
    self->has_body = has_body(exchange, head->status);
    self->is_chunked = head->length < 0 && exchange->can_stream;
    self->keep_alive = self->keep_alive && !self->h1->is_last && !self->h1->input_ended &&
                       (head->length >= 0 || exchange->can_stream);
    buffer_printf(&text, "HTTP/1.1 %d %s\r\n", head->status, reason(head->status));
    if (head->content_type) {
        buffer_printf(&text, "Content-Type: %s\r\n", head->content_type);
    }
    if (head->location) {
        buffer_printf(&text, "Location: %s\r\n", head->location);
    }
    if (exchange->answer_headers.data) {
        buffer_append_bytes(&text, exchange->answer_headers);
    }
    if (self->is_chunked) {
        buffer_append_text(&text, "Transfer-Encoding: chunked\r\n");
    } else if (head->length >= 0 && head->status != 204) {
        buffer_printf(&text, "Content-Length: %lld\r\n", (long long)head->length);
    }
    buffer_append_text(&text, self->keep_alive ? "\r\n" : "Connection: close\r\n\r\n");
    send(self->h1, buffer_bytes(&text));
    buffer_fini(&text);
}

static void answer_write(struct exchange *exchange, struct bytes data)
{
    struct h1_exchange *self = (struct h1_exchange *)exchange;
    struct buffer text = { 0 };

    if (!self->has_body) {
        return;
    }
    if (!self->is_chunked) {
        send(self->h1, data);
        return;
    }
    buffer_reserve(&text, data.len + 32);
    buffer_printf(&text, "%zx\r\n", data.len);
    buffer_append_bytes(&text, data);
    buffer_append_text(&text, "\r\n");
    send(self->h1, buffer_bytes(&text));
    buffer_fini(&text);
}

static void exchange_free(struct h1_exchange *self)
{
    buffer_fini(&self->exchange.gathered);
    arena_fini(&self->exchange.arena);
    free(self);
}

static void parse_held(struct h1 *h1);

/* Both the request and its answer are through: the next one's turn. */
static void next_exchange(struct h1 *h1)
{
    bool keep_alive = h1->current->keep_alive && !h1->is_last;

    exchange_free(h1->current);
    h1->current = NULL;
    h1->is_complete = false;
    if (!keep_alive) {
        close_once(h1);
        return;
    }
    if (!h1->is_feeding) {
        parse_held(h1);
    }
}

static void answer_end(struct exchange *exchange)
{
    static const struct bytes last_chunk = BYTES("0\r\n\r\n");
    struct h1_exchange *self = (struct h1_exchange *)exchange;
    struct h1 *h1 = self->h1;

    if (self->is_chunked && self->has_body) {
        send(h1, last_chunk);
    }
    self->has_ended = true;
    exchange->untaken_bytes = 0;
    exchange->drained = NULL;
    exchange->gone = NULL;
    if (h1->is_complete || !self->keep_alive) {
        h1->is_last = h1->is_last || !self->keep_alive;
        if (h1->is_complete || !h1->is_feeding) {
            next_exchange(h1);
        }
    }
}

/* Empty output: whoever feeds asks again whether there is room. */
static void body_take(struct exchange *exchange, size_t size_bytes)
{
    struct h1_exchange *self = (struct h1_exchange *)exchange;

    exchange->untaken_bytes -= size_bytes;
    send(self->h1, (struct bytes){ "", 0 });
}

static const struct exchange_kind h1_kind = { answer_begin, answer_write, answer_end, body_take };

/* --- faults --- */

/* No more is read from this client; it is told why unless an answer is under way. */
static void refuse(struct h1 *h1, int status)
{
    struct buffer body = { 0 };
    struct buffer text = { 0 };

    h1->parse_failed = true;
    h1->is_receiving = false;
    h1->held.len = 0;
    if (!h1->current || !h1->current->has_begun) {
        buffer_printf(&body, "{\"@type\":\"generic_error\",\"error_code\":%d,\"message\":\"%s\"}",
                      status * 100, reason(status));
        buffer_printf(&text,
                      "HTTP/1.1 %d %s\r\nContent-Type: application/json\r\n"
                      "Content-Length: %zu\r\nConnection: close\r\n\r\n",
                      status, reason(status), body.len);
        buffer_append_bytes(&text, buffer_bytes(&body));
        send(h1, buffer_bytes(&text));
    }
    buffer_fini(&body);
    buffer_fini(&text);
    close_once(h1);
}

/* --- the head, piece by piece --- */

static int add_part(struct h1 *h1, enum part part, const char *data, size_t len)
{
    if (h1->head.len + len > h1->limits.head_bytes) {
        h1->refusal = HTTP_STATUS_REQUEST_HEADER_FIELDS_TOO_LARGE;
        return -1;
    }
    if (h1->part != part) {
        if (h1->marks.count > 2 * h1->limits.header_count) {
            h1->refusal = HTTP_STATUS_REQUEST_HEADER_FIELDS_TOO_LARGE;
            return -1;
        }
        *vec_push(&h1->marks_arena, &h1->marks) = (struct mark){ part, 0 };
        h1->part = part;
    }
    buffer_append(&h1->head, data, len);
    h1->marks.items[h1->marks.count - 1].end = h1->head.len;
    return 0;
}

static int on_message_begin(http_parser *parser)
{
    struct h1 *h1 = parser->data;

    h1->is_receiving = true;
    h1->head.len = 0;
    h1->part = PART_NONE;
    h1->body_bytes = 0;
    arena_reset(&h1->marks_arena);
    h1->marks.items = NULL;
    h1->marks.count = 0;
    h1->marks.capacity = 0;
    return 0;
}

static int on_url(http_parser *parser, const char *data, size_t len)
{
    return add_part(parser->data, PART_URL, data, len);
}

static int on_header_field(http_parser *parser, const char *data, size_t len)
{
    return add_part(parser->data, PART_NAME, data, len);
}

static int on_header_value(http_parser *parser, const char *data, size_t len)
{
    return add_part(parser->data, PART_VALUE, data, len);
}

/* --- the head, complete --- */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* What is no escape stays as it is. */
static struct bytes decode(struct arena *arena, struct bytes text)
{
    char *out = arena_alloc_text(arena, text.len + 1);
    size_t len = 0;

    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '%' && i + 2 < text.len && hex_digit(text.data[i + 1]) >= 0 &&
            hex_digit(text.data[i + 2]) >= 0) {
            out[len++] = (char)(hex_digit(text.data[i + 1]) * 16 + hex_digit(text.data[i + 2]));
            i += 2;
        } else {
            out[len++] = text.data[i];
        }
    }
    return (struct bytes){ out, len };
}

static struct bytes url_field(const struct http_parser_url *parts,
                              enum http_parser_url_fields field, struct bytes url)
{
    if (!(parts->field_set & (1u << field))) {
        return (struct bytes){ url.data, 0 };
    }
    return (struct bytes){ url.data + parts->field_data[field].off, parts->field_data[field].len };
}

static int set_target(struct exchange *exchange, struct bytes url)
{
    struct http_parser_url parts;

    http_parser_url_init(&parts);
    if (http_parser_parse_url(url.data, url.len, bytes_equal_text(exchange->method, "CONNECT"),
                              &parts)) {
        return -1;
    }
    exchange->path = decode(&exchange->arena, url_field(&parts, UF_PATH, url));
    exchange->query = url_field(&parts, UF_QUERY, url);
    if (exchange->path.len == 0) {
        exchange->path = bytes_of("/");
    }
    return 0;
}

static int cut_head(struct h1 *h1, struct exchange *exchange)
{
    struct bytes text = arena_copy(&exchange->arena, buffer_bytes(&h1->head));
    struct exchange_header *headers =
        arena_array(&exchange->arena, struct exchange_header, h1->marks.count + 1);
    struct bytes url = { text.data, 0 };
    size_t begin = 0;

    for (uint32_t i = 0; i < h1->marks.count; i++) {
        const struct mark *mark = &h1->marks.items[i];
        struct bytes part = { text.data + begin, mark->end - begin };

        if (mark->part == PART_URL) {
            url = part;
        } else if (mark->part == PART_NAME) {
            headers[exchange->header_count].value = bytes_of("");
            headers[exchange->header_count++].name = part;
        } else if (exchange->header_count > 0) {
            headers[exchange->header_count - 1].value = part;
        }
        begin = mark->end;
    }
    exchange->headers = headers;
    exchange->method = bytes_of(http_method_str((enum http_method)h1->parser.method));
    return set_target(exchange, url);
}

static int check_head(struct h1 *h1)
{
    if (h1->parser.http_major != 1) {
        h1->refusal = HTTP_STATUS_HTTP_VERSION_NOT_SUPPORTED;
        return -1;
    }
    return 0;
}

static bool announces_too_much(const struct h1 *h1)
{
    return !h1->current->exchange.streams_body && (h1->parser.flags & F_CONTENTLENGTH) &&
           h1->parser.content_length != UINT64_MAX &&
           h1->parser.content_length > h1->limits.body_bytes;
}

static int on_headers_complete(http_parser *parser)
{
    static const struct bytes go_on = BYTES("HTTP/1.1 100 Continue\r\n\r\n");
    struct h1 *h1 = parser->data;
    struct h1_exchange *self = memory_zalloc(1, sizeof *self);

    parser->upgrade = 0;
    arena_init(&self->exchange.arena, 1024);
    self->h1 = h1;
    self->exchange.kind = &h1_kind;
    self->exchange.can_stream = parser->http_minor > 0;
    self->keep_alive = parser->http_minor > 0 && http_should_keep_alive(parser);
    if (check_head(h1) || cut_head(h1, &self->exchange)) {
        exchange_free(self);
        return -1;
    }
    h1->current = self;
    self->exchange.unsent_bytes = h1->unsent_bytes;
    if (bytes_equal_text_nocase(exchange_find_header(&self->exchange, "expect"), "100-continue")) {
        send(h1, go_on);
    }
    h1->events.request(h1->events.context, &self->exchange);
    if (announces_too_much(h1)) {
        h1->refusal = HTTP_STATUS_PAYLOAD_TOO_LARGE;
        return -1;
    }
    return 0;
}

static int on_body(http_parser *parser, const char *data, size_t len)
{
    struct h1 *h1 = parser->data;
    struct exchange *exchange = &h1->current->exchange;

    h1->body_bytes += exchange->streams_body && !h1->current->has_ended ? 0 : len;
    if (h1->body_bytes > h1->limits.body_bytes) {
        h1->refusal = HTTP_STATUS_PAYLOAD_TOO_LARGE;
        return -1;
    }
    if (exchange->body && !h1->current->has_ended) {
        exchange->untaken_bytes += exchange->streams_body ? len : 0;
        exchange->body(exchange, (struct bytes){ data, len });
    }
    return 0;
}

static int on_message_complete(http_parser *parser)
{
    struct h1 *h1 = parser->data;
    struct exchange *exchange = &h1->current->exchange;

    h1->is_receiving = false;
    if (h1->current->has_ended) {
        h1->is_complete = true;
        next_exchange(h1);
    } else {
        h1->is_complete = true;
        if (exchange->body_end) {
            exchange->body_end(exchange);
        }
    }
    http_parser_pause(parser, 1);
    return 0;
}

/* Trailers of a chunked body come like headers, when the exchange is made already. */
static const http_parser_settings settings = {
    .on_message_begin = on_message_begin,
    .on_url = on_url,
    .on_header_field = on_header_field,
    .on_header_value = on_header_value,
    .on_headers_complete = on_headers_complete,
    .on_body = on_body,
    .on_message_complete = on_message_complete,
};

/* --- input --- */

/* As much as belongs to requests whose turn it is; the number of bytes taken. */
static size_t parse(struct h1 *h1, struct bytes input)
{
    size_t taken = 0;

    h1->is_feeding = true;
    while (taken < input.len && !(h1->current && h1->is_complete) && !h1->is_closed &&
           !h1->parse_failed) {
        taken += http_parser_execute(&h1->parser, &settings, input.data + taken, input.len - taken);
        if (HTTP_PARSER_ERRNO(&h1->parser) == HPE_PAUSED) {
            http_parser_pause(&h1->parser, 0);
        } else if (HTTP_PARSER_ERRNO(&h1->parser) != HPE_OK) {
            h1->parse_failed = true;
        }
    }
    h1->is_feeding = false;
    return taken;
}

static int fault_status(const struct h1 *h1)
{
    if (h1->refusal) {
        return h1->refusal;
    }
    return HTTP_PARSER_ERRNO(&h1->parser) == HPE_HEADER_OVERFLOW
               ? HTTP_STATUS_REQUEST_HEADER_FIELDS_TOO_LARGE
               : HTTP_STATUS_BAD_REQUEST;
}

static void after_parse(struct h1 *h1)
{
    if (h1->parse_failed && !h1->is_closed) {
        refuse(h1, fault_status(h1));
    } else if (h1->current && h1->current->has_ended && !h1->current->keep_alive) {
        next_exchange(h1); /* answered before the body was here, and nothing else is wanted */
    }
}

static void parse_held(struct h1 *h1)
{
    struct buffer input = h1->held;
    size_t taken;

    h1->held = (struct buffer){ 0 };
    taken = parse(h1, buffer_bytes(&input));
    if (!h1->parse_failed && taken < input.len) {
        buffer_append(&h1->held, input.data + taken, input.len - taken);
    }
    buffer_fini(&input);
    after_parse(h1);
    if (h1->input_ended && !h1->current) {
        close_once(h1);
    }
}

void h1_feed(struct h1 *h1, struct bytes input)
{
    size_t taken;

    if (h1->is_closed || h1->parse_failed) {
        return;
    }
    if (h1->held.len > 0) {
        buffer_append_bytes(&h1->held, input);
        return;
    }
    taken = parse(h1, input);
    if (!h1->parse_failed && taken < input.len) {
        buffer_append(&h1->held, input.data + taken, input.len - taken);
    }
    after_parse(h1);
}

void h1_end_input(struct h1 *h1)
{
    h1->input_ended = true;
    if (!(h1->current && h1->is_complete)) {
        close_once(h1);
    }
}

void h1_sent(struct h1 *h1, size_t size_bytes)
{
    struct exchange *exchange = h1->current ? &h1->current->exchange : NULL;

    h1->unsent_bytes -= size_bytes;
    if (exchange) {
        exchange->unsent_bytes = h1->unsent_bytes;
        if (exchange->drained && exchange_credit(exchange) > 0) {
            exchange->drained(exchange);
        }
    }
}

void h1_finish(struct h1 *h1)
{
    h1->is_last = true;
    if (!h1->current && !h1->is_receiving) {
        close_once(h1);
    }
}

void h1_time_out(struct h1 *h1)
{
    if (!h1_is_answering(h1)) {
        refuse(h1, HTTP_STATUS_REQUEST_TIMEOUT);
    }
}

/* --- life --- */

struct h1 *h1_create(const struct h1_limits *limits, const struct h1_events *events)
{
    struct h1 *h1 = memory_zalloc(1, sizeof *h1);

    h1->limits = *limits;
    h1->events = *events;
    arena_init(&h1->marks_arena, 512);
    http_parser_init(&h1->parser, HTTP_REQUEST);
    h1->parser.data = h1;
    return h1;
}

void h1_destroy(struct h1 *h1)
{
    if (!h1) {
        return;
    }
    h1->is_closed = true;
    if (h1->current) {
        if (h1->current->exchange.gone) {
            h1->current->exchange.gone(&h1->current->exchange);
        }
        exchange_free(h1->current);
    }
    buffer_fini(&h1->head);
    buffer_fini(&h1->held);
    arena_fini(&h1->marks_arena);
    free(h1);
}

bool h1_is_answering(const struct h1 *h1)
{
    return h1->current && (h1->is_complete || (h1->current->has_begun && !h1->current->has_ended));
}

bool h1_is_receiving(const struct h1 *h1)
{
    return h1->is_receiving;
}

bool h1_wants_input(const struct h1 *h1)
{
    return !h1->is_closed && !h1->parse_failed && h1->held.len < HELD_MAX_BYTES &&
           !(h1->current && h1->current->exchange.untaken_bytes >= UNTAKEN_MAX_BYTES);
}
