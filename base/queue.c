/*
 * queue.c: a ring under one mutex, with a condition for each direction.
 *
 * Timed waits use the monotonic clock: setting the wall clock neither hangs nor
 * hurries a taker. A wake is remembered until a take sees it, so one that comes
 * between two takes is not lost.
 */
#include "base/queue.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/memory.h"

void queue_init(struct queue *queue, uint32_t capacity)
{
    assert(capacity > 0);
    *queue = (struct queue){ .capacity = capacity };
    queue->items = memory_zalloc(capacity, sizeof *queue->items);
    pthread_mutex_init(&queue->mutex, NULL);
    clock_cond_init(&queue->not_empty);
    clock_cond_init(&queue->not_full);
}

void queue_fini(struct queue *queue)
{
    pthread_cond_destroy(&queue->not_full);
    pthread_cond_destroy(&queue->not_empty);
    pthread_mutex_destroy(&queue->mutex);
    free(queue->items);
    queue->items = NULL;
}

/* The caller holds the mutex and has seen that there is room. */
static void push(struct queue *queue, void *item)
{
    uint64_t at = ((uint64_t)queue->first + queue->count) % queue->capacity;

    queue->items[at] = item;
    queue->count++;
    pthread_cond_signal(&queue->not_empty);
}

/* The caller holds the mutex; NULL when empty. */
static void *pop(struct queue *queue)
{
    void *item;

    if (!queue->count) {
        return NULL;
    }
    item = queue->items[queue->first];
    queue->first = queue->first + 1 == queue->capacity ? 0 : queue->first + 1;
    queue->count--;
    pthread_cond_signal(&queue->not_full);
    return item;
}

bool queue_put(struct queue *queue, void *item)
{
    bool accepted;

    assert(item);
    pthread_mutex_lock(&queue->mutex);
    while (queue->count == queue->capacity && !queue->closed) {
        pthread_cond_wait(&queue->not_full, &queue->mutex);
    }
    accepted = !queue->closed;
    if (accepted) {
        push(queue, item);
    }
    pthread_mutex_unlock(&queue->mutex);
    return accepted;
}

bool queue_try_put(struct queue *queue, void *item)
{
    bool accepted;

    assert(item);
    pthread_mutex_lock(&queue->mutex);
    accepted = !queue->closed && queue->count < queue->capacity;
    if (accepted) {
        push(queue, item);
    }
    pthread_mutex_unlock(&queue->mutex);
    return accepted;
}

void *queue_take(struct queue *queue, int64_t timeout_ms)
{
    struct timespec deadline = clock_deadline(timeout_ms > 0 ? timeout_ms : 0);
    int waited = 0;
    void *item;

    pthread_mutex_lock(&queue->mutex);
    while (!queue->count && !queue->closed && !queue->woken && waited != ETIMEDOUT) {
        waited = timeout_ms < 0
                     ? pthread_cond_wait(&queue->not_empty, &queue->mutex)
                     : pthread_cond_timedwait(&queue->not_empty, &queue->mutex, &deadline);
    }
    queue->woken = false;
    item = pop(queue);
    pthread_mutex_unlock(&queue->mutex);
    return item;
}

void *queue_try_take(struct queue *queue)
{
    void *item;

    pthread_mutex_lock(&queue->mutex);
    item = pop(queue);
    pthread_mutex_unlock(&queue->mutex);
    return item;
}

void queue_close(struct queue *queue)
{
    pthread_mutex_lock(&queue->mutex);
    queue->closed = true;
    pthread_cond_broadcast(&queue->not_empty);
    pthread_cond_broadcast(&queue->not_full);
    pthread_mutex_unlock(&queue->mutex);
}

void queue_wake(struct queue *queue)
{
    pthread_mutex_lock(&queue->mutex);
    queue->woken = true;
    pthread_cond_broadcast(&queue->not_empty);
    pthread_mutex_unlock(&queue->mutex);
}

uint32_t queue_count(struct queue *queue)
{
    uint32_t count;

    pthread_mutex_lock(&queue->mutex);
    count = queue->count;
    pthread_mutex_unlock(&queue->mutex);
    return count;
}
