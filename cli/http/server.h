/*
 * server.h: an HTTP server: one loop on one thread, listeners, connections, an orderly end.
 *
 * The end: listeners close, `stopping` is called, each connection is closed behind the
 * answer that is under way; what is not through after ten seconds is cut off.
 */
#ifndef SLUICE_CLI_HTTP_SERVER_H
#define SLUICE_CLI_HTTP_SERVER_H

#include "base/error.h"
#include "cli/http/letterbox.h"
#include "cli/http/router.h"

struct server;

enum server_signals { SERVER_TAKES_SIGNALS, SERVER_LEAVES_SIGNALS };

struct server_config {
    const struct route *routes;
    void (*stopping)(void *context); /* answers that have no end of their own must end now */
    /* Looks at each request before its route does; false: it answers. NULL: all go on. */
    bool (*admit)(struct exchange *exchange, void *context);
    void *context;               /* of routes, too */
    int64_t idle_timeout_ms;     /* of connections between requests */
    int64_t request_timeout_ms;  /* for a whole request to come */
    uint32_t connection_limit;   /* more are closed at once */
    enum server_signals signals; /* SIGTERM and SIGINT stop it; the second one ends the process */
};

struct server *server_create(const struct server_config *config); /* borrowed */
/* "http://HOST:PORT[,...]"; port 0 takes a free one. ERR_USAGE, ERR_IO. */
int server_listen(struct server *server, struct bytes urls, struct error *err);
/* The same for other routes than the server's. */
int server_listen_for(struct server *server, struct bytes urls, const struct route *routes,
                      struct error *err);
uint16_t server_port(const struct server *server); /* of the first listener */
bool server_is_loopback(const struct server *server);
/* Until it is stopped. */
void server_run(struct server *server);
void server_stop(struct server *server); /* from any thread */
struct letterbox *server_letterbox(struct server *server);
/* After run. Nobody posts any more. */
void server_destroy(struct server *server);

#endif
