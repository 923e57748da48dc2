/*
 * exchange.h: one request and its answer, whatever protocol carries them: the only type of the
 * endpoint that handlers see.
 *
 * A protocol makes an exchange when a request's head is complete and hands it to the router,
 * which finds the handler. A handler answers at once or later, whole or in pieces: begin, write,
 * ..., end. What it writes is taken in any case; the credit says how much it should write before
 * `drained` is called. After `gone` the exchange is no more.
 *
 * All of it happens on the loop's thread; nothing here waits. Other threads answer through a
 * reply (reply.h).
 */
#ifndef SLUICE_CLI_HTTP_EXCHANGE_H
#define SLUICE_CLI_HTTP_EXCHANGE_H

#include "base/arena.h"

struct exchange;

struct exchange_header {
    struct bytes name;
    struct bytes value;
};

struct exchange_head {
    int status;
    const char *content_type; /* NULL: there is no body */
    const char *location;     /* NULL: none */
    int64_t length;           /* of the body; -1: not known, it is streamed */
};

/* What a protocol does with an answer. */
struct exchange_kind {
    void (*begin)(struct exchange *exchange, const struct exchange_head *head);
    void (*write)(struct exchange *exchange, struct bytes data);
    void (*end)(struct exchange *exchange);
    /* Bytes of a streamed body are used up: there is room for as many. */
    void (*take)(struct exchange *exchange, size_t size_bytes);
};

enum { EXCHANGE_CREDIT_BYTES = 256 * 1024 };

struct exchange {
    const struct exchange_kind *kind;
    struct arena arena; /* ends with the exchange */
    struct bytes method;
    struct bytes path;  /* decoded */
    struct bytes query; /* behind the "?", as it came */
    const struct exchange_header *headers;
    uint32_t header_count;
    bool can_stream;     /* the protocol has answers of unknown length */
    size_t unsent_bytes; /* written, and not taken by the network yet */
    /*
     * Set by a handler before it returns: the body may be of any length. What it was given stays in
     * untaken_bytes until it says exchange_take; too much of it, and the client has to wait.
     */
    bool streams_body;
    size_t untaken_bytes;

    /* The handler's. NULL: it does not care. */
    void (*body)(struct exchange *exchange, struct bytes part);
    void (*body_end)(struct exchange *exchange);
    void (*drained)(struct exchange *exchange);
    void (*gone)(struct exchange *exchange); /* the client left before the answer's end */
    void *context;
    struct bytes answer_headers; /* more lines for the answer's head, each with its CRLF */
    struct buffer gathered;
    void (*complete)(struct exchange *exchange, struct bytes body);
};

/* Absent when there is none; of several the first. The name in any case. */
struct bytes exchange_find_header(const struct exchange *exchange, const char *name);
/* Gathers the body, then calls. */
void exchange_gather(struct exchange *exchange,
                     void (*complete)(struct exchange *exchange, struct bytes body));

/* The whole answer. */
void exchange_respond(struct exchange *exchange, int status, const char *content_type,
                      struct bytes body);
/* The same, with the place of what was made. */
void exchange_respond_created(struct exchange *exchange, const char *content_type,
                              const char *location, struct bytes body);
void exchange_redirect(struct exchange *exchange, const char *location);
/* Piece by piece: each write is one chunk or frame. */
void exchange_begin(struct exchange *exchange, int status, const char *content_type);
void exchange_write(struct exchange *exchange, struct bytes data);
void exchange_end(struct exchange *exchange);
void exchange_take(struct exchange *exchange, size_t size_bytes);
size_t exchange_credit(const struct exchange *exchange);

#endif
