/*
 * rest_server.h: the HTTP endpoint over the engine under test, and a client of it.
 */
#ifndef SLUICE_CLI_TEST_REST_SERVER_H
#define SLUICE_CLI_TEST_REST_SERVER_H

#include <pthread.h>

#include "cli/http/ksql/api.h"
#include "cli/http/server.h"

struct rest_server {
    struct ksql_api *api;
    struct server *server;
    pthread_t thread;
    bool is_running;
};

/* On a free port of the loopback. After a failure too, rest_server_close is due. */
int rest_server_open(struct rest_server *server, struct engine *engine, struct error *err);
void rest_server_close(struct rest_server *server);

/* A request whose answer is read bit by bit, on a connection of its own. */
struct rest_request {
    int socket;
    struct buffer text; /* what came: head and body */
};

struct rest_answer {
    int status;
    struct bytes body; /* in the arena */
};

/* POST with a JSON body. After a failure too, rest_request_close is due. */
int rest_request_open(struct rest_request *request, const struct rest_server *server,
                      const char *path, struct bytes body, struct error *err);
/* Until the text came; false when the answer ended without it. */
bool rest_request_await(struct rest_request *request, const char *text);
/* Until the answer ended. ERR_TEST_FAILED when it is none. */
int rest_request_finish(struct rest_request *request, struct arena *arena, struct rest_answer *out,
                        struct error *err);
void rest_request_close(struct rest_request *request);

#endif
