/*
 * reply.c: pieces of an answer in a queue between their writer and the loop.
 *
 * Two hold a reply: the exchange and the writer; who lets go last frees it. The writer's letter to
 * the loop is posted once per batch of pieces, not once per piece.
 */
#include "cli/http/reply.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { QUEUED_MAX_BYTES = 256 * 1024 };

struct piece {
    struct piece *next;
    size_t len;
    char data[];
};

struct reply {
    struct letterbox *letterbox;
    pthread_mutex_t mutex; /* all below */
    pthread_cond_t has_room;
    pthread_cond_t has_input;
    struct exchange *exchange; /* NULL: the client has left, or all was told */
    struct piece *first;
    struct piece **end;
    size_t queued_bytes;
    int status; /* 0: not begun */
    const char *content_type;
    char *location; /* NULL: none */
    void (*left)(void *context);
    void *context;
    struct buffer received; /* of the body; not read yet */
    size_t taken_bytes;     /* read; the exchange is to be told */
    bool body_ended;        /* or nobody wants more of it */
    bool was_begun;         /* on the exchange */
    bool is_whole;          /* all of the body is queued before it begins: it has a length */
    bool is_ended;          /* by its writer, who has let go */
    bool is_posted;         /* a letter is on its way: it holds the reply, too */
};

static void free_pieces(struct reply *reply)
{
    while (reply->first) {
        struct piece *next = reply->first->next;

        free(reply->first);
        reply->first = next;
    }
    reply->end = &reply->first;
    reply->queued_bytes = 0;
}

/* The caller holds the mutex, which ends here. */
static void unlock_or_free(struct reply *reply)
{
    bool is_free = !reply->exchange && reply->is_ended && !reply->is_posted;

    pthread_mutex_unlock(&reply->mutex);
    if (is_free) {
        free_pieces(reply);
        buffer_fini(&reply->received);
        pthread_cond_destroy(&reply->has_input);
        pthread_cond_destroy(&reply->has_room);
        pthread_mutex_destroy(&reply->mutex);
        free(reply->location);
        free(reply);
    }
}

/* --- the loop's side --- */

/* Taken out before it is told: telling may call back. */
static struct piece *take_piece(struct reply *reply)
{
    struct piece *piece = reply->first;

    reply->first = piece->next;
    if (!reply->first) {
        reply->end = &reply->first;
    }
    reply->queued_bytes -= piece->len;
    return piece;
}

/* The exchange goes its own way. */
static void let_go(struct reply *reply)
{
    struct exchange *exchange = reply->exchange;

    exchange->body = NULL;
    exchange->body_end = NULL;
    exchange->gone = NULL;
    exchange->drained = NULL;
    reply->exchange = NULL;
}

static void tell_whole(struct reply *reply, struct exchange *exchange)
{
    struct piece *piece = reply->first ? take_piece(reply) : NULL;

    struct bytes body = piece ? (struct bytes){ piece->data, piece->len } : bytes_of("");

    let_go(reply);
    if (reply->location) {
        exchange_respond_created(exchange, reply->content_type, reply->location, body);
    } else {
        exchange_respond(exchange, reply->status, reply->content_type, body);
    }
    free(piece);
}

static void tell_pieces(struct reply *reply, struct exchange *exchange)
{
    if (!reply->was_begun) {
        reply->was_begun = true;
        exchange_begin(exchange, reply->status, reply->content_type);
    }
    while (reply->first && exchange_credit(exchange) > 0) {
        struct piece *piece = take_piece(reply);

        exchange_write(exchange, (struct bytes){ piece->data, piece->len });
        free(piece);
    }
    if (!reply->first && reply->is_ended) {
        let_go(reply);
        exchange_end(exchange);
    }
}

/* The caller holds the mutex. */
static void tell(struct reply *reply)
{
    struct exchange *exchange = reply->exchange;

    if (exchange && reply->taken_bytes > 0) {
        exchange_take(exchange, reply->taken_bytes);
        reply->taken_bytes = 0;
    }
    if (!exchange || reply->status == 0) {
        return;
    }
    if (reply->is_whole) {
        tell_whole(reply, exchange);
    } else {
        tell_pieces(reply, exchange);
    }
    pthread_cond_signal(&reply->has_room);
}

static void on_letter(void *context)
{
    struct reply *reply = context;

    pthread_mutex_lock(&reply->mutex);
    reply->is_posted = false;
    tell(reply);
    unlock_or_free(reply);
}

static void on_drained(struct exchange *exchange)
{
    struct reply *reply = exchange->context;

    pthread_mutex_lock(&reply->mutex);
    tell(reply);
    unlock_or_free(reply);
}

static void on_gone(struct exchange *exchange)
{
    struct reply *reply = exchange->context;

    pthread_mutex_lock(&reply->mutex);
    reply->exchange = NULL;
    free_pieces(reply);
    if (reply->left) {
        reply->left(reply->context);
    }
    pthread_cond_signal(&reply->has_room);
    pthread_cond_signal(&reply->has_input);
    unlock_or_free(reply);
}

static void on_body(struct exchange *exchange, struct bytes part)
{
    struct reply *reply = exchange->context;

    pthread_mutex_lock(&reply->mutex);
    if (reply->is_ended || reply->body_ended) {
        exchange_take(exchange, part.len); /* nobody will read it */
    } else {
        buffer_append_bytes(&reply->received, part);
    }
    pthread_cond_signal(&reply->has_input);
    pthread_mutex_unlock(&reply->mutex);
}

static void on_body_end(struct exchange *exchange)
{
    struct reply *reply = exchange->context;

    pthread_mutex_lock(&reply->mutex);
    reply->body_ended = true;
    pthread_cond_signal(&reply->has_input);
    pthread_mutex_unlock(&reply->mutex);
}

void reply_receive(struct reply *reply)
{
    reply->exchange->streams_body = true;
    reply->exchange->body = on_body;
    reply->exchange->body_end = on_body_end;
}

struct reply *reply_create(struct exchange *exchange, struct letterbox *letterbox)
{
    struct reply *reply = memory_zalloc(1, sizeof *reply);

    reply->letterbox = letterbox;
    reply->exchange = exchange;
    reply->end = &reply->first;
    pthread_mutex_init(&reply->mutex, NULL);
    pthread_cond_init(&reply->has_room, NULL);
    pthread_cond_init(&reply->has_input, NULL);
    exchange->context = reply;
    exchange->drained = on_drained;
    exchange->gone = on_gone;
    return reply;
}

/* --- the writer's side --- */

/* The caller holds the mutex. */
static void post(struct reply *reply)
{
    if (!reply->is_posted && reply->exchange) {
        reply->is_posted = true;
        letterbox_post(reply->letterbox, on_letter, reply);
    }
}

static void add_piece(struct reply *reply, struct bytes data)
{
    struct piece *piece = memory_alloc(sizeof *piece + data.len);

    piece->next = NULL;
    piece->len = data.len;
    memcpy(piece->data, data.data, data.len);
    *reply->end = piece;
    reply->end = &piece->next;
    reply->queued_bytes += data.len;
}

void reply_watch(struct reply *reply, void (*left)(void *context), void *context)
{
    pthread_mutex_lock(&reply->mutex);
    reply->left = left;
    reply->context = context;
    if (left && !reply->exchange) {
        left(context);
    }
    pthread_mutex_unlock(&reply->mutex);
}

bool reply_read(struct reply *reply, struct buffer *out)
{
    size_t size;

    pthread_mutex_lock(&reply->mutex);
    while (reply->exchange && reply->received.len == 0 && !reply->body_ended) {
        pthread_cond_wait(&reply->has_input, &reply->mutex);
    }
    size = reply->exchange ? reply->received.len : 0;
    if (size > 0) {
        buffer_append_bytes(out, buffer_bytes(&reply->received));
        reply->received.len = 0;
        reply->taken_bytes += size;
        post(reply);
    }
    pthread_mutex_unlock(&reply->mutex);
    return size > 0;
}

void reply_stop_reading(struct reply *reply)
{
    pthread_mutex_lock(&reply->mutex);
    reply->body_ended = true;
    pthread_cond_signal(&reply->has_input);
    pthread_mutex_unlock(&reply->mutex);
}

void reply_begin(struct reply *reply, int status, const char *content_type)
{
    pthread_mutex_lock(&reply->mutex);
    reply->status = status;
    reply->content_type = content_type;
    post(reply);
    pthread_mutex_unlock(&reply->mutex);
}

bool reply_write(struct reply *reply, struct bytes data)
{
    bool is_there;

    pthread_mutex_lock(&reply->mutex);
    while (reply->exchange && reply->queued_bytes > QUEUED_MAX_BYTES) {
        pthread_cond_wait(&reply->has_room, &reply->mutex);
    }
    is_there = reply->exchange != NULL;
    if (is_there && data.len > 0) {
        add_piece(reply, data);
        post(reply);
    }
    pthread_mutex_unlock(&reply->mutex);
    return is_there;
}

void reply_end(struct reply *reply)
{
    pthread_mutex_lock(&reply->mutex);
    reply->left = NULL;
    reply->is_ended = true;
    post(reply);
    unlock_or_free(reply);
}

void reply_set_location(struct reply *reply, struct bytes location)
{
    reply->location = memory_alloc(location.len + 1);
    memcpy(reply->location, location.data, location.len);
    reply->location[location.len] = '\0';
}

void reply_respond(struct reply *reply, int status, const char *content_type, struct bytes body)
{
    pthread_mutex_lock(&reply->mutex);
    reply->left = NULL;
    reply->status = status;
    reply->content_type = content_type;
    reply->is_whole = true;
    reply->is_ended = true;
    if (reply->exchange && body.len > 0) {
        add_piece(reply, body);
    }
    post(reply);
    unlock_or_free(reply);
}
