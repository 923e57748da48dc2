/*
 * queue.h: a bounded queue of pointers between threads; full means backpressure.
 *
 * Any number of producers and consumers. A closed queue refuses what is put and
 * hands out what it still holds.
 */
#ifndef SLUICE_BASE_QUEUE_H
#define SLUICE_BASE_QUEUE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct queue {
    pthread_mutex_t mutex; /* all fields below */
    pthread_cond_t not_empty;
    pthread_cond_t not_full;
    void **items;
    uint32_t capacity;
    uint32_t first;
    uint32_t count;
    bool closed;
    bool woken; /* a wake that no take has seen yet */
};

void queue_init(struct queue *queue, uint32_t capacity);
void queue_fini(struct queue *queue);            /* must be empty or its items owned elsewhere */
bool queue_put(struct queue *queue, void *item); /* waits for room; false when closed */
bool queue_try_put(struct queue *queue, void *item); /* false when full or closed */
/* NULL: nothing came in time, woken without an item, or closed and empty. Negative: no limit. */
void *queue_take(struct queue *queue, int64_t timeout_ms);
void *queue_try_take(struct queue *queue);
void queue_close(struct queue *queue);
/* Wakes takers without an item: for a consumer that also waits for other things. */
void queue_wake(struct queue *queue);
uint32_t queue_count(struct queue *queue);

#endif
