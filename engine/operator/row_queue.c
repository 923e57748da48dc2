/*
 * row_queue.c: row images in one buffer, between a worker and a client.
 *
 * The worker asks for room before a run and never waits; what a run puts beyond
 * the budget is taken all the same. Rows are framed one behind the other; what
 * was taken is cut off when it is half of the buffer.
 */
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "engine/operator/op.h"

struct row_queue {
    pthread_mutex_t mutex; /* all fields below */
    pthread_cond_t changed;
    size_t budget_bytes;
    struct buffer rows; /* frames, each followed by its image */
    size_t taken;       /* bytes of `rows` that were handed out */
    char *message;      /* set when finished */
    uint64_t left;      /* rows that may still be put, if has_limit */
    bool has_limit;
    bool is_finished; /* nothing more is put */
    bool is_closed;   /* nothing more is taken */
};

struct frame {
    int64_t timestamp_ms;
    uint32_t len;
    uint32_t is_tombstone;
};

struct row_queue *row_queue_create(size_t budget_bytes)
{
    struct row_queue *queue = memory_zalloc(1, sizeof *queue);

    queue->budget_bytes = budget_bytes;
    pthread_mutex_init(&queue->mutex, NULL);
    clock_cond_init(&queue->changed);
    return queue;
}

void row_queue_destroy(struct row_queue *queue)
{
    if (!queue) {
        return;
    }
    pthread_cond_destroy(&queue->changed);
    pthread_mutex_destroy(&queue->mutex);
    buffer_fini(&queue->rows);
    free(queue->message);
    free(queue);
}

bool row_queue_has_room(struct row_queue *queue)
{
    bool has_room;

    pthread_mutex_lock(&queue->mutex);
    has_room = !queue->is_closed && !queue->is_finished &&
               queue->rows.len - queue->taken < queue->budget_bytes;
    pthread_mutex_unlock(&queue->mutex);
    return has_room;
}

/* The caller holds the mutex. */
static void finish(struct row_queue *queue, const char *message)
{
    size_t size = strlen(message) + 1;

    if (queue->is_finished) {
        return;
    }
    queue->is_finished = true;
    queue->message = memory_alloc(size);
    memcpy(queue->message, message, size);
    pthread_cond_broadcast(&queue->changed);
}

static void finish_at_limit(struct row_queue *queue)
{
    if (queue->has_limit && queue->left == 0) {
        finish(queue, "Limit Reached");
    }
}

void row_queue_limit(struct row_queue *queue, uint64_t rows)
{
    pthread_mutex_lock(&queue->mutex);
    if (!queue->has_limit) {
        queue->has_limit = true;
        queue->left = rows;
        finish_at_limit(queue);
    }
    pthread_mutex_unlock(&queue->mutex);
}

void row_queue_put(struct row_queue *queue, struct bytes image, bool tombstone,
                   int64_t timestamp_ms)
{
    struct frame frame = { timestamp_ms, (uint32_t)image.len, tombstone };

    assert(image.len <= UINT32_MAX);
    pthread_mutex_lock(&queue->mutex);
    if (!queue->is_finished && !queue->is_closed) {
        buffer_append(&queue->rows, &frame, sizeof frame);
        buffer_append_bytes(&queue->rows, image);
        queue->left -= queue->has_limit;
        finish_at_limit(queue);
        pthread_cond_broadcast(&queue->changed);
    }
    pthread_mutex_unlock(&queue->mutex);
}

void row_queue_finish(struct row_queue *queue, const char *message)
{
    pthread_mutex_lock(&queue->mutex);
    finish(queue, message);
    pthread_mutex_unlock(&queue->mutex);
}

/* The caller holds the mutex. True: there is a row. */
static bool wait_for_row(struct row_queue *queue, int64_t wait_ms)
{
    struct timespec deadline = { 0, 0 };
    bool in_time = wait_ms > 0;

    if (in_time) {
        deadline = clock_deadline(wait_ms);
    }
    while (queue->rows.len == queue->taken && !queue->is_finished && !queue->is_closed && in_time) {
        in_time = pthread_cond_timedwait(&queue->changed, &queue->mutex, &deadline) != ETIMEDOUT;
    }
    return queue->rows.len > queue->taken && !queue->is_closed;
}

static void cut_taken(struct row_queue *queue)
{
    if (queue->taken * 2 >= queue->rows.len) {
        memmove(queue->rows.data, queue->rows.data + queue->taken, queue->rows.len - queue->taken);
        queue->rows.len -= queue->taken;
        queue->taken = 0;
    }
}

static void take_row(struct row_queue *queue, struct arena *arena, struct client_row *out,
                     bool *tombstone)
{
    const char *at = queue->rows.data + queue->taken;
    struct frame frame;

    memcpy(&frame, at, sizeof frame);
    out->image = arena_copy(arena, (struct bytes){ at + sizeof frame, frame.len });
    out->timestamp_ms = frame.timestamp_ms;
    *tombstone = frame.is_tombstone != 0;
    queue->taken += sizeof frame + frame.len;
    cut_taken(queue);
}

bool row_queue_take(struct row_queue *queue, int64_t wait_ms, struct arena *arena,
                    struct client_row *out, bool *tombstone, bool *finished)
{
    bool has_row;

    pthread_mutex_lock(&queue->mutex);
    has_row = wait_for_row(queue, wait_ms);
    if (has_row) {
        take_row(queue, arena, out, tombstone);
    }
    *finished = queue->is_closed || (queue->is_finished && queue->rows.len == queue->taken);
    pthread_mutex_unlock(&queue->mutex);
    return has_row;
}

const char *row_queue_message(struct row_queue *queue)
{
    const char *message;

    pthread_mutex_lock(&queue->mutex);
    message = queue->message;
    pthread_mutex_unlock(&queue->mutex);
    return message;
}

void row_queue_close(struct row_queue *queue)
{
    pthread_mutex_lock(&queue->mutex);
    queue->is_closed = true;
    pthread_cond_broadcast(&queue->changed);
    pthread_mutex_unlock(&queue->mutex);
}

bool row_queue_is_closed(struct row_queue *queue)
{
    bool is_closed;

    pthread_mutex_lock(&queue->mutex);
    is_closed = queue->is_closed;
    pthread_mutex_unlock(&queue->mutex);
    return is_closed;
}
