/*
 * cors.c: which pages of other origins may ask the server (rest-api.md 1.5). Off unless origins
 * are configured. A browser asks first (OPTIONS) and is answered here; of all other requests the
 * answer says that the page may read it. WebSockets have no part in this.
 */
#include "cli/http/ksql/api_internal.h"

/* Whether the pattern is the whole text; a star is any text. */
static bool fits(struct bytes pattern, struct bytes text)
{
    size_t p = 0, t = 0;
    size_t star = pattern.len, behind = 0; /* the last star, and where its text ends */

    while (t < text.len) {
        if (p < pattern.len && pattern.data[p] == '*') {
            star = p++;
            behind = t;
        } else if (p < pattern.len && pattern.data[p] == text.data[t]) {
            p++;
            t++;
        } else if (star < pattern.len) {
            p = star + 1;
            t = ++behind;
        } else {
            return false;
        }
    }
    while (p < pattern.len && pattern.data[p] == '*') {
        p++;
    }
    return p == pattern.len;
}

static bool is_allowed(struct bytes origins, struct bytes origin)
{
    size_t begin = 0;

    for (size_t i = 0; i <= origins.len; i++) {
        if (i == origins.len || origins.data[i] == ',') {
            struct bytes pattern = { origins.data + begin, i - begin };

            if (fits(request_trim(pattern), origin)) {
                return true;
            }
            begin = i + 1;
        }
    }
    return false;
}

static void add_line(struct buffer *out, const char *name, struct bytes value)
{
    if (value.len > 0) {
        buffer_printf(out, "%s: %.*s\r\n", name, BYTES_ARG(value));
    }
}

static void answer_refused(struct exchange *exchange, struct bytes body)
{
    exchange_respond(exchange, 403, "text/plain", bytes_of("CORS Rejected - Invalid origin"));
}

static void answer_preflight(struct exchange *exchange, struct bytes body)
{
    exchange_respond(exchange, 204, NULL, bytes_of(""));
}

bool ksql_api_admit(struct exchange *exchange, void *context)
{
    const struct ksql_api *api = context;
    struct bytes origin = exchange_find_header(exchange, "origin");
    struct buffer lines = { 0 };
    bool asks_first = bytes_equal_text(exchange->method, "OPTIONS") &&
                      exchange_find_header(exchange, "access-control-request-method").data;

    if (api->cors_origins.len == 0 || !origin.data ||
        bytes_starts_with(exchange->path, bytes_of("/ws/"))) {
        return true;
    }
    if (!is_allowed(api->cors_origins, origin)) {
        exchange_gather(exchange, answer_refused);
        return false;
    }
    add_line(&lines, "Access-Control-Allow-Origin", origin);
    add_line(&lines, "Access-Control-Allow-Credentials", bytes_of("true"));
    add_line(&lines, "Vary", bytes_of("Origin"));
    if (asks_first) {
        add_line(&lines, "Access-Control-Allow-Methods", api->cors_methods);
        add_line(&lines, "Access-Control-Allow-Headers", api->cors_headers);
        exchange_gather(exchange, answer_preflight);
    }
    exchange->answer_headers = arena_copy(&exchange->arena, buffer_bytes(&lines));
    buffer_fini(&lines);
    return !asks_first;
}
