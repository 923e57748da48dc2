/*
 * log_memory_reader.c: positions in partitions, and who has something to read.
 *
 * Each assignment hangs on its partition and, while there is something to tell
 * (records, or that the position cannot be read), in its reader's ready list.
 * A poll takes the first of that list and puts it back at the end: fair, and
 * independent of how many partitions are assigned and quiet.
 *
 * Invariant: an assignment is in the ready list exactly if it is not paused and
 * has_news() holds.
 */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "base/memory.h"
#include "engine/log/log_memory_internal.h"

struct memory_reader;

struct assignment {
    struct memory_reader *reader;
    struct memory_partition *at;
    int64_t position;
    bool paused;
    bool ready; /* linked by ready_previous and ready_next */
    struct assignment *ready_previous;
    struct assignment *ready_next;
    struct assignment *partition_next; /* of the partition's assignments */
};

struct memory_reader {
    struct log_reader pub;  /* first */
    struct map assignments; /* by the address of the partition */
    struct assignment *ready_first;
    struct assignment *ready_last;
    pthread_cond_t arrived; /* with the log's mutex, which guards all fields */
    bool woken;
};

static struct memory_log *log_of(const struct memory_reader *reader)
{
    return memory_log_of(reader->pub.log);
}

/* --- the ready list --- */

static void ready_push(struct assignment *a)
{
    struct memory_reader *reader = a->reader;

    a->ready = true;
    a->ready_next = NULL;
    a->ready_previous = reader->ready_last;
    if (reader->ready_last) {
        reader->ready_last->ready_next = a;
    } else {
        reader->ready_first = a;
    }
    reader->ready_last = a;
}

static void ready_remove(struct assignment *a)
{
    struct memory_reader *reader = a->reader;

    a->ready = false;
    if (a->ready_previous) {
        a->ready_previous->ready_next = a->ready_next;
    } else {
        reader->ready_first = a->ready_next;
    }
    if (a->ready_next) {
        a->ready_next->ready_previous = a->ready_previous;
    } else {
        reader->ready_last = a->ready_previous;
    }
}

static bool is_out_of_range(const struct assignment *a)
{
    return a->position < a->at->begin || a->position > a->at->end;
}

static bool has_news(const struct assignment *a)
{
    return a->at->topic->gone || is_out_of_range(a) || a->position < a->at->data_end;
}

static void update(struct assignment *a)
{
    bool wanted = !a->paused && has_news(a);

    if (wanted && !a->ready) {
        ready_push(a);
        pthread_cond_signal(&a->reader->arrived);
    } else if (!wanted && a->ready) {
        ready_remove(a);
    }
}

void partition_changed_locked(struct memory_partition *partition)
{
    for (struct assignment *a = partition->assignments; a; a = a->partition_next) {
        update(a);
    }
}

/* --- assignments --- */

/* The key of a partition in the reader's map is where it is. */
static struct bytes key_of(struct memory_partition *const *partition)
{
    return (struct bytes){ (const char *)partition, sizeof *partition };
}

static struct assignment *find(struct memory_reader *reader, const struct log_topic *topic,
                               uint32_t partition)
{
    struct memory_partition *at;

    if (partition >= topic->partition_count) {
        return NULL;
    }
    at = memory_partition_of(topic, partition);
    return map_find(&reader->assignments, key_of(&at));
}

static struct assignment *add(struct memory_reader *reader, struct memory_partition *at)
{
    struct assignment *a = memory_zalloc(1, sizeof *a);

    a->reader = reader;
    a->at = at;
    a->partition_next = at->assignments;
    at->assignments = a;
    map_put(&reader->assignments, key_of(&a->at), a);
    return a;
}

/* The caller takes it out of the map. */
static void destroy(struct assignment *a)
{
    struct assignment **link = &a->at->assignments;

    while (*link != a) {
        link = &(*link)->partition_next;
    }
    *link = a->partition_next;
    if (a->ready) {
        ready_remove(a);
    }
    free(a);
}

int memory_reader_assign(struct log_reader *base, const struct log_topic *topic, uint32_t partition,
                         int64_t from, struct error *err)
{
    struct memory_reader *reader = (struct memory_reader *)base;
    struct memory_partition *at = memory_partition_of(topic, partition);
    struct assignment *a;
    int code;

    pthread_mutex_lock(&log_of(reader)->mutex);
    code = at->topic->gone ? 0 : memory_partition_load_locked(at, err);
    a = code ? NULL : find(reader, topic, partition);
    if (!code && !a) {
        a = add(reader, at);
    }
    if (!code) {
        a->position = from == OFFSET_BEGIN ? at->begin : from == OFFSET_END ? at->end : from;
        a->paused = false;
        update(a);
    }
    pthread_mutex_unlock(&log_of(reader)->mutex);
    return code;
}

void memory_reader_unassign(struct log_reader *base, const struct log_topic *topic,
                            uint32_t partition)
{
    struct memory_reader *reader = (struct memory_reader *)base;
    struct assignment *a;

    pthread_mutex_lock(&log_of(reader)->mutex);
    a = find(reader, topic, partition);
    if (a) {
        (void)map_remove(&reader->assignments, key_of(&a->at));
        destroy(a);
    }
    pthread_mutex_unlock(&log_of(reader)->mutex);
}

static void set_paused(struct log_reader *base, const struct log_topic *topic, uint32_t partition,
                       bool paused)
{
    struct memory_reader *reader = (struct memory_reader *)base;
    struct assignment *a;

    pthread_mutex_lock(&log_of(reader)->mutex);
    a = find(reader, topic, partition);
    if (a) {
        a->paused = paused;
        update(a);
    }
    pthread_mutex_unlock(&log_of(reader)->mutex);
}

void memory_reader_pause(struct log_reader *reader, const struct log_topic *topic,
                         uint32_t partition)
{
    set_paused(reader, topic, partition, true);
}

void memory_reader_resume(struct log_reader *reader, const struct log_topic *topic,
                          uint32_t partition)
{
    set_paused(reader, topic, partition, false);
}

/* --- polling --- */

static void stop_at(struct assignment *a, struct log_place *failed)
{
    a->paused = true;
    update(a);
    if (failed) {
        *failed = (struct log_place){ &a->at->topic->pub, a->at->index };
    }
}

static int fail(struct assignment *a, struct log_place *failed, struct error *err)
{
    const struct memory_partition *at = a->at;

    stop_at(a, failed);
    if (at->topic->gone) {
        return memory_topic_gone(at->topic, err);
    }
    return error_set(err, ERR_OUT_OF_RANGE, NO_POSITION,
                     "topic '%.*s', partition %u: offset %lld is not within %lld..%lld",
                     BYTES_ARG(at->topic->pub.name), at->index, (long long)a->position,
                     (long long)at->begin, (long long)at->end);
}

/* What is not in memory any more is read without the mutex; nobody else moves the position. */
static int read_stored(struct memory_reader *reader, struct assignment *a, struct log_block **out,
                       struct error *err)
{
    struct memory_log *log = log_of(reader);
    int64_t end = partition_first_resident(a->at);
    int code;

    pthread_mutex_unlock(&log->mutex);
    code = log->storage->read(log, a->at, a->position, end, out, err);
    pthread_mutex_lock(&log->mutex);
    if (!code) {
        a->position = *out ? (*out)->next_offset : end;
    }
    return code;
}

static int take(struct memory_reader *reader, struct log_block **out, struct log_place *failed,
                struct error *err)
{
    struct assignment *a;
    int code;

    *out = NULL;
    while (!*out && (a = reader->ready_first)) {
        if (a->at->topic->gone || is_out_of_range(a)) {
            return fail(a, failed, err);
        }
        if (log_of(reader)->storage && a->position < partition_first_resident(a->at)) {
            code = read_stored(reader, a, out, err);
            if (code == ERR_LOG_DAMAGED) {
                stop_at(a, failed);
            }
            TRY(code);
        } else {
            *out = partition_read_locked(a->at, a->position);
            a->position = (*out)->next_offset;
        }
        if (a->ready) {
            ready_remove(a);
        }
        update(a);
    }
    return 0;
}

int memory_reader_poll(struct log_reader *base, int64_t wait_ms, struct log_block **out,
                       struct log_place *failed, struct error *err)
{
    struct memory_reader *reader = (struct memory_reader *)base;
    struct memory_log *log = log_of(reader);
    struct timespec deadline;
    int waited = 0;
    int code;

    if (!memory_deadline(log, wait_ms, &deadline)) {
        waited = ETIMEDOUT;
    }
    pthread_mutex_lock(&log->mutex);
    while (!reader->ready_first && !reader->woken && waited != ETIMEDOUT) {
        waited = pthread_cond_timedwait(&reader->arrived, &log->mutex, &deadline);
    }
    reader->woken = false;
    code = take(reader, out, failed, err);
    pthread_mutex_unlock(&log->mutex);
    return code;
}

void memory_reader_wake(struct log_reader *base)
{
    struct memory_reader *reader = (struct memory_reader *)base;

    pthread_mutex_lock(&log_of(reader)->mutex);
    reader->woken = true;
    pthread_cond_signal(&reader->arrived);
    pthread_mutex_unlock(&log_of(reader)->mutex);
}

bool memory_reader_at_end(struct log_reader *base)
{
    struct memory_reader *reader = (struct memory_reader *)base;
    bool at_end;

    pthread_mutex_lock(&log_of(reader)->mutex);
    at_end = !reader->ready_first;
    pthread_mutex_unlock(&log_of(reader)->mutex);
    return at_end;
}

int64_t memory_reader_position(struct log_reader *base, const struct log_topic *topic,
                               uint32_t partition)
{
    struct memory_reader *reader = (struct memory_reader *)base;
    struct assignment *a;
    int64_t position = -1;

    pthread_mutex_lock(&log_of(reader)->mutex);
    a = find(reader, topic, partition);
    if (a) {
        position = has_news(a) ? a->position : a->at->end;
    }
    pthread_mutex_unlock(&log_of(reader)->mutex);
    return position;
}

/* --- readers --- */

int memory_reader_open(struct log *log, const struct reader_spec *spec, struct log_reader **out,
                       struct error *err)
{
    struct memory_reader *reader = memory_zalloc(1, sizeof *reader);

    reader->pub.log = log;
    map_init(&reader->assignments);
    clock_cond_init(&reader->arrived);
    *out = &reader->pub;
    return 0;
}

void memory_reader_close(struct log_reader *base)
{
    struct memory_reader *reader = (struct memory_reader *)base;
    struct memory_log *log = log_of(reader);

    pthread_mutex_lock(&log->mutex);
    MAP_FOREACH (entry, &reader->assignments) {
        destroy(entry->value);
    }
    pthread_mutex_unlock(&log->mutex);
    map_fini(&reader->assignments);
    pthread_cond_destroy(&reader->arrived);
    free(reader);
}
