/*
 * router.c: a walk over the table of routes.
 */
#include "cli/http/router.h"

#include <string.h>

struct bytes router_rest(const struct exchange *exchange, const char *path)
{
    size_t len = strlen(path) - 1;

    return (struct bytes){ exchange->path.data + len, exchange->path.len - len };
}

static bool fits(const struct route *route, const struct exchange *exchange)
{
    size_t len = strlen(route->path);

    if (!bytes_equal_text(exchange->method, route->method)) {
        return false;
    }
    if (len > 1 && route->path[len - 1] == '*') {
        return exchange->path.len >= len &&
               bytes_starts_with(exchange->path, (struct bytes){ route->path, len - 1 });
    }
    return bytes_equal_text(exchange->path, route->path);
}

static void answer_not_found(struct exchange *exchange, struct bytes body)
{
    exchange_respond(exchange, 404, "text/plain", bytes_of("Not Found"));
}

void router_dispatch(const struct route *routes, struct exchange *exchange, void *context)
{
    for (const struct route *route = routes; route->method; route++) {
        if (fits(route, exchange)) {
            route->open(exchange, context);
            return;
        }
    }
    exchange_gather(exchange, answer_not_found);
}
