/*
 * h1.h: HTTP/1.1: bytes in, exchanges out; answers in, bytes out. It knows no sockets.
 *
 * One exchange at a time: what a client sends behind a request that is being answered is held
 * until its answer is through. Limits hold before the parser's work: they are answered 413 and
 * 431, what is not HTTP 400, and the connection ends. An HTTP/1.0 client gets no streams, and its
 * connection ends with the answer.
 */
#ifndef SLUICE_CLI_HTTP_H1_H
#define SLUICE_CLI_HTTP_H1_H

#include "cli/http/exchange.h"

struct h1;

struct h1_limits {
    size_t head_bytes;
    uint32_t header_count;
    size_t body_bytes;
};

struct h1_events {
    /* A request's head is there: whom to call for its body, and the answer, are set by this. */
    void (*request)(void *context, struct exchange *exchange);
    void (*output)(void *context, struct bytes data);
    void (*close)(void *context); /* once all output is sent; called once */
    void *context;
};

struct h1 *h1_create(const struct h1_limits *limits, const struct h1_events *events);
void h1_destroy(struct h1 *h1); /* its exchange is gone, if there is one */
void h1_feed(struct h1 *h1, struct bytes input);
void h1_end_input(struct h1 *h1); /* the client sends no more; it may still read */
void h1_sent(struct h1 *h1, size_t size_bytes);
/* The answer that is under way is the last; without one the connection ends now. */
void h1_finish(struct h1 *h1);
/* The rest of a request does not come: 408. */
void h1_time_out(struct h1 *h1);

/* A request is complete, or its answer has begun; the answer has not ended. */
bool h1_is_answering(const struct h1 *h1);
bool h1_is_receiving(const struct h1 *h1); /* a request has begun and is not complete */
/* False: as much as is held was sent ahead of its turn, or of its handler; read no more for now. */
bool h1_wants_input(const struct h1 *h1);

#endif
