/*
 * letterbox.c: a list behind a mutex, and an event that wakes the loop.
 */
#include "cli/http/letterbox.h"

#include <stdlib.h>

#include "base/memory.h"
#include "cli/http/server_internal.h"

struct letter {
    void (*call)(void *context);
    void *context;
    struct letter *next;
};

static void deliver(uv_async_t *async)
{
    struct letterbox *letterbox = async->data;
    struct letter *letter;

    pthread_mutex_lock(&letterbox->mutex);
    letter = letterbox->first;
    letterbox->first = NULL;
    letterbox->end = &letterbox->first;
    pthread_mutex_unlock(&letterbox->mutex);
    while (letter) {
        struct letter *next = letter->next;

        letter->call(letter->context);
        free(letter);
        letter = next;
    }
}

void letterbox_open(struct letterbox *letterbox, uv_loop_t *loop)
{
    pthread_mutex_init(&letterbox->mutex, NULL);
    letterbox->first = NULL;
    letterbox->end = &letterbox->first;
    uv_async_init(loop, &letterbox->async, deliver);
    letterbox->async.data = letterbox;
}

void letterbox_drain(struct letterbox *letterbox)
{
    deliver(&letterbox->async);
}

void letterbox_close(struct letterbox *letterbox)
{
    letterbox_drain(letterbox);
    pthread_mutex_destroy(&letterbox->mutex);
}

void letterbox_post(struct letterbox *letterbox, void (*call)(void *context), void *context)
{
    struct letter *letter = memory_alloc(sizeof *letter);

    *letter = (struct letter){ call, context, NULL };
    pthread_mutex_lock(&letterbox->mutex);
    *letterbox->end = letter;
    letterbox->end = &letter->next;
    pthread_mutex_unlock(&letterbox->mutex);
    uv_async_send(&letterbox->async);
}
