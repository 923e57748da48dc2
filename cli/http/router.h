/*
 * router.h: which handler gets a request: a table of methods and paths.
 */
#ifndef SLUICE_CLI_HTTP_ROUTER_H
#define SLUICE_CLI_HTTP_ROUTER_H

#include "cli/http/exchange.h"

struct route {
    const char *method;
    const char *path; /* with a star behind its last slash: any rest that is not empty */
    void (*open)(struct exchange *exchange, void *context);
};

/* routes: method NULL at the end. What none of them takes is answered 404. */
void router_dispatch(const struct route *routes, struct exchange *exchange, void *context);
/* What stands for the "*" of the path. */
struct bytes router_rest(const struct exchange *exchange, const char *path);

#endif
