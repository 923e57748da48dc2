/*
 * http_client.h: HTTP requests, one at a time.
 *
 * A client keeps its connections, so it is worth keeping itself. It belongs to one thread but
 * for http_client_cancel.
 */
#ifndef SLUICE_BASE_HTTP_CLIENT_H
#define SLUICE_BASE_HTTP_CLIENT_H

#include "base/bytes.h"
#include "base/error.h"

struct http_client;

struct http_client_config {
    const char *user; /* basic authentication; NULL: none */
    const char *password;
    const char *user_agent;
    int64_t connect_timeout_ms; /* 0: 10 s */
};

struct http_request {
    const char *method;
    const char *url;
    const char *accept;       /* NULL: anything */
    const char *content_type; /* of the body */
    struct bytes body;        /* absent: none */
    int64_t timeout_ms;       /* for the whole; 0: it may take for ever */
    /* Gets the body of a 2xx answer as it comes; false ends the request. NULL: it is collected. */
    bool (*receive)(void *context, struct bytes part);
    void *context;
};

struct http_answer {
    int status;
    struct buffer body; /* what was not given to receive */
};

/* ERR_IO when the library cannot be set up. */
int http_client_create(const struct http_client_config *config, struct http_client **out,
                       struct error *err);
void http_client_destroy(struct http_client *client);
/*
 * ERR_IO says why there is no answer. A request that was cancelled, or ended by receive, has
 * status 0 or that of the answer, and is no error. *answer is the caller's to end.
 */
int http_client_send(struct http_client *client, const struct http_request *request,
                     struct http_answer *answer, struct error *err);
void http_answer_fini(struct http_answer *answer);
/* Ends the request that is under way, or the next. Any thread; does not wait. */
void http_client_cancel(struct http_client *client);

#endif
