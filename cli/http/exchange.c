/*
 * exchange.c: what is the same for the exchanges of all protocols.
 */
#include "cli/http/exchange.h"

struct bytes exchange_find_header(const struct exchange *exchange, const char *name)
{
    for (uint32_t i = 0; i < exchange->header_count; i++) {
        if (bytes_equal_text_nocase(exchange->headers[i].name, name)) {
            return exchange->headers[i].value;
        }
    }
    return (struct bytes){ NULL, 0 };
}

static void gather_part(struct exchange *exchange, struct bytes part)
{
    buffer_append_bytes(&exchange->gathered, part);
}

static void gather_end(struct exchange *exchange)
{
    exchange->complete(exchange, buffer_bytes(&exchange->gathered));
}

void exchange_gather(struct exchange *exchange,
                     void (*complete)(struct exchange *exchange, struct bytes body))
{
    exchange->complete = complete;
    exchange->body = gather_part;
    exchange->body_end = gather_end;
}

static void respond(struct exchange *exchange, const struct exchange_head *head, struct bytes body)
{
    exchange->kind->begin(exchange, head);
    if (body.len > 0) {
        exchange->kind->write(exchange, body);
    }
    exchange->kind->end(exchange);
}

void exchange_respond(struct exchange *exchange, int status, const char *content_type,
                      struct bytes body)
{
    const struct exchange_head head = { status, content_type, NULL, (int64_t)body.len };

    respond(exchange, &head, body);
}

void exchange_respond_created(struct exchange *exchange, const char *content_type,
                              const char *location, struct bytes body)
{
    const struct exchange_head head = { 201, content_type, location, (int64_t)body.len };

    respond(exchange, &head, body);
}

void exchange_redirect(struct exchange *exchange, const char *location)
{
    const struct exchange_head head = { 307, NULL, location, 0 };

    exchange->kind->begin(exchange, &head);
    exchange->kind->end(exchange);
}

void exchange_begin(struct exchange *exchange, int status, const char *content_type)
{
    const struct exchange_head head = { status, content_type, NULL, -1 };

    exchange->kind->begin(exchange, &head);
}

void exchange_write(struct exchange *exchange, struct bytes data)
{
    if (data.len > 0) {
        exchange->kind->write(exchange, data);
    }
}

void exchange_end(struct exchange *exchange)
{
    exchange->kind->end(exchange);
}

void exchange_take(struct exchange *exchange, size_t size_bytes)
{
    exchange->kind->take(exchange, size_bytes);
}

size_t exchange_credit(const struct exchange *exchange)
{
    return exchange->unsent_bytes < EXCHANGE_CREDIT_BYTES
               ? EXCHANGE_CREDIT_BYTES - exchange->unsent_bytes
               : 0;
}
