/*
 * fuzz_h1.c: whatever a client sends, and however it is cut, the same requests are seen, each is
 * answered at most once, and a connection is closed at most once.
 *
 * The first byte says how the rest is cut; the rest is what the client sends.
 */
#include <assert.h>
#include <string.h>

#include "cli/http/h1.h"
#include "tests/fuzz/fuzz.h"

struct client {
    struct buffer seen;
    unsigned requests;
    unsigned closed;
};

static void complete(struct exchange *exchange, struct bytes body)
{
    struct client *client = exchange->context;

    client->requests++;
    buffer_append_bytes(&client->seen, exchange->method);
    buffer_append_bytes(&client->seen, exchange->path);
    for (uint32_t i = 0; i < exchange->header_count; i++) {
        buffer_append_bytes(&client->seen, exchange->headers[i].name);
        buffer_append_bytes(&client->seen, exchange->headers[i].value);
    }
    buffer_append_bytes(&client->seen, body);
    if (body.len % 2) {
        exchange_begin(exchange, 200, "text/plain");
        exchange_write(exchange, body);
        exchange_end(exchange);
    } else {
        exchange_respond(exchange, 200, "text/plain", body);
    }
}

static void take_request(void *context, struct exchange *exchange)
{
    exchange->context = context;
    exchange_gather(exchange, complete);
}

static void take_output(void *context, struct bytes data)
{
    const struct client *client = context;

    assert(client->closed == 0);
}

static void take_close(void *context)
{
    struct client *client = context;

    client->closed++;
}

static void run(struct client *client, struct bytes input, size_t step)
{
    const struct h1_limits limits = { 4096, 20, 4096 };
    const struct h1_events events = { take_request, take_output, take_close, client };
    struct h1 *h1 = h1_create(&limits, &events);

    for (size_t at = 0; at < input.len; at += step) {
        size_t len = input.len - at < step ? input.len - at : step;

        h1_feed(h1, (struct bytes){ input.data + at, len });
    }
    h1_end_input(h1);
    h1_destroy(h1);
    assert(client->closed <= 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct client whole = { 0 };
    struct client cut = { 0 };
    struct bytes input;

    if (size < 2) {
        return 0;
    }
    input = (struct bytes){ (const char *)data + 1, size - 1 };
    run(&whole, input, input.len);
    run(&cut, input, (size_t)data[0] + 1);
    assert(whole.requests == cut.requests);
    assert(whole.seen.len == cut.seen.len);
    assert(whole.seen.len == 0 || memcmp(whole.seen.data, cut.seen.data, whole.seen.len) == 0);
    buffer_fini(&whole.seen);
    buffer_fini(&cut.seen);
    return 0;
}
