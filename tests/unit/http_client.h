/*
 * http_client.h: a server on a free port with an engine of threads behind it, and clients of it
 * that say and expect bytes.
 */
#ifndef SLUICE_TESTS_UNIT_HTTP_CLIENT_H
#define SLUICE_TESTS_UNIT_HTTP_CLIENT_H

#include <pthread.h>

#include "cli/http/ksql/api.h"
#include "cli/http/server.h"

struct http_bed {
    struct clock clock;
    struct log *log;
    struct engine *engine;
    struct ksql_api *api;
    struct server *server;
    pthread_t thread;
    bool is_running;
};

void http_bed_open(struct http_bed *bed, int64_t request_timeout_ms);
void http_bed_stop(struct http_bed *bed); /* as a signal would; waits for its end */
void http_bed_close(struct http_bed *bed);

struct http_client {
    int socket;
    struct buffer text; /* what came and was not consumed, NUL-terminated */
};

void client_open(struct http_client *client, const struct http_bed *bed);
void client_close(struct http_client *client);
void client_send(struct http_client *client, const char *text);
void client_post(struct http_client *client, const char *path, const char *accept,
                 const char *body);
/* Reads until the text has come, and consumes everything through its end. */
void client_expect(struct http_client *client, const char *text);
/* Reads until the server closes; what came. */
const char *client_read_all(struct http_client *client);
/* Asks on a connection of its own; the answer with its head. Free it. */
char *ask(const struct http_bed *bed, const char *method, const char *path, const char *body);
/* POST /ksql: the answer must hold the text. */
void statement(const struct http_bed *bed, const char *sql, const char *expected);

#endif
