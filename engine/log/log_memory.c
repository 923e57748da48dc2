/*
 * log_memory.c: a log in arrays: topics, the switches for tests, and the table of its calls.
 *
 * Nothing is lost while the process lives; what survives it, a storage has. A deleted
 * topic gives its records back at once; its struct stays until the log is
 * closed, because topics are handed out without being counted.
 *
 * There is no retention and no compaction: what a long run does not need any
 * more is deleted by those who know (log_delete_records).
 */
#include "engine/log/log_memory.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "engine/log/log_memory_internal.h"
#include "engine/log/topic_config.h"

/* --- what the files of the memory log share --- */

struct memory_log *memory_log_of(struct log *log)
{
    return (struct memory_log *)log;
}

/* Handed out as const, but the log's own: it is changed under the mutex only. */
struct memory_topic *memory_topic_of(const struct log_topic *topic)
{
    return (struct memory_topic *)(uintptr_t)topic;
}

struct memory_partition *memory_partition_of(const struct log_topic *topic, uint32_t partition)
{
    return &memory_topic_of(topic)->partitions[partition];
}

int64_t memory_now_ms(const struct memory_log *log)
{
    return clock_elapsed_ms(log->clock);
}

bool memory_deadline(const struct memory_log *log, int64_t wait_ms, struct timespec *out)
{
    if (log->clock->is_virtual || wait_ms <= 0) {
        return false;
    }
    *out = clock_deadline(wait_ms);
    return true;
}

struct bytes memory_copy(struct bytes text)
{
    char *copy = NULL;

    if (text.data) {
        copy = memory_alloc(text.len);
        memcpy(copy, text.data, text.len);
    }
    return (struct bytes){ copy, text.len };
}

void memory_free(struct bytes copy)
{
    free((void *)(uintptr_t)copy.data);
}

bool memory_fault_locked(struct memory_log *log, enum log_fault point)
{
    return log->countdown[point] && --log->countdown[point] == 0;
}

/* --- topics --- */

static struct memory_topic *find_topic(struct memory_log *log, struct bytes name)
{
    return map_find(&log->topics, name);
}

enum { TOPIC_ARENA_BYTES = 256 }; /* a deleted topic keeps its own */

struct memory_topic *memory_topic_make(const struct topic_spec *spec)
{
    struct memory_topic *topic = memory_zalloc(1, sizeof *topic);

    arena_init(&topic->arena, TOPIC_ARENA_BYTES);
    topic->pub.name = arena_copy(&topic->arena, spec->name);
    topic->pub.partition_count = spec->partition_count;
    topic->pub.replica_count = spec->replica_count ? spec->replica_count : 1;
    topic->configs = arena_array(&topic->arena, struct topic_config, spec->config_count);
    topic->config_count = spec->config_count;
    for (uint32_t i = 0; i < spec->config_count; i++) {
        topic->configs[i].name = arena_copy(&topic->arena, spec->configs[i].name);
        topic->configs[i].value = arena_copy(&topic->arena, spec->configs[i].value);
    }
    topic->max_record_bytes =
        topic_config_integer(spec->configs, spec->config_count, "max.message.bytes", INT64_MAX);
    topic->partitions = memory_zalloc(spec->partition_count, sizeof *topic->partitions);
    for (uint32_t i = 0; i < spec->partition_count; i++) {
        topic->partitions[i].topic = topic;
        topic->partitions[i].index = i;
        topic->partitions[i].loaded = true;
    }
    return topic;
}

static void destroy_topic(struct memory_topic *topic)
{
    for (uint32_t i = 0; i < topic->pub.partition_count; i++) {
        partition_fini(&topic->partitions[i]);
    }
    free(topic->partitions);
    arena_fini(&topic->arena);
    free(topic);
}

void memory_topic_add_locked(struct memory_log *log, struct memory_topic *topic)
{
    topic->log = log;
    topic->next = log->all_topics;
    log->all_topics = topic;
    map_put(&log->topics, topic->pub.name, topic);
}

int memory_partition_load_locked(struct memory_partition *partition, struct error *err)
{
    struct memory_log *log = partition->topic->log;

    if (!partition->loaded) {
        TRY(log->storage->load_locked(log, partition, err));
        partition->promised = partition->end;
        partition->loaded = true;
    }
    return 0;
}

enum { PARTITIONS_MAX = 100000 };

/* Under `changes`: the name stays free until the topic is there. */
static int add_topic(struct memory_log *log, const struct topic_spec *spec, struct error *err)
{
    struct memory_topic *topic;
    bool exists;
    int code;

    pthread_mutex_lock(&log->mutex);
    exists = find_topic(log, spec->name) != NULL;
    pthread_mutex_unlock(&log->mutex);
    if (exists) {
        return error_set(err, ERR_TOPIC_EXISTS, NO_POSITION, "topic '%.*s' exists already",
                         BYTES_ARG(spec->name));
    }
    topic = memory_topic_make(spec);
    topic->pub.incarnation = ++log->last_incarnation;
    code = log->storage ? log->storage->create_topic(log, topic, err) : 0;
    if (code) {
        destroy_topic(topic);
        return code;
    }
    pthread_mutex_lock(&log->mutex);
    memory_topic_add_locked(log, topic);
    pthread_mutex_unlock(&log->mutex);
    return 0;
}

static int create_topic(struct log *base, const struct topic_spec *spec, struct error *err)
{
    struct memory_log *log = memory_log_of(base);
    int code;

    for (uint32_t i = 0; i < spec->config_count; i++) {
        TRY(topic_config_check(&spec->configs[i], err));
    }
    if (spec->partition_count > PARTITIONS_MAX) {
        return error_set(err, ERR_INVALID_PROPERTY, NO_POSITION,
                         "a topic has at most %d partitions here", (int)PARTITIONS_MAX);
    }
    pthread_mutex_lock(&log->changes);
    code = add_topic(log, spec, err);
    pthread_mutex_unlock(&log->changes);
    return code;
}

static int unknown_topic(struct bytes name, struct error *err)
{
    return error_set(err, ERR_UNKNOWN_TOPIC, NO_POSITION, "there is no topic '%.*s'",
                     BYTES_ARG(name));
}

int memory_topic_gone(const struct memory_topic *topic, struct error *err)
{
    return error_set(err, ERR_TOPIC_GONE, NO_POSITION, "topic '%.*s' does not exist any more",
                     BYTES_ARG(topic->pub.name));
}

void memory_topic_remove_locked(struct memory_log *log, struct memory_topic *topic)
{
    if (topic->gone) {
        return;
    }
    topic->gone = true;
    (void)map_remove(&log->topics, topic->pub.name);
    for (uint32_t i = 0; i < topic->pub.partition_count; i++) {
        partition_fini(&topic->partitions[i]);
        partition_changed_locked(&topic->partitions[i]);
    }
}

static int delete_topic(struct log *base, struct bytes name, struct error *err)
{
    struct memory_log *log = memory_log_of(base);
    struct memory_topic *topic;
    int code = 0;

    pthread_mutex_lock(&log->changes);
    pthread_mutex_lock(&log->mutex);
    topic = find_topic(log, name);
    if (topic) {
        memory_topic_remove_locked(log, topic);
    }
    pthread_mutex_unlock(&log->mutex);
    if (topic && log->storage) {
        code = log->storage->delete_topic(log, topic, err);
    }
    pthread_mutex_unlock(&log->changes);
    return topic ? code : unknown_topic(name, err);
}

static int open_topic(struct log *base, struct bytes name, const struct log_topic **out,
                      struct error *err)
{
    struct memory_log *log = memory_log_of(base);
    struct memory_topic *topic;

    pthread_mutex_lock(&log->mutex);
    topic = find_topic(log, name);
    pthread_mutex_unlock(&log->mutex);
    if (!topic) {
        return unknown_topic(name, err);
    }
    *out = &topic->pub;
    return 0;
}

static int compare_topics(const void *a, const void *b)
{
    const struct log_topic *const *left = a;
    const struct log_topic *const *right = b;

    return bytes_compare((*left)->name, (*right)->name);
}

static int list_topics(struct log *base, struct arena *arena, const struct log_topic ***out,
                       uint32_t *count, struct error *err)
{
    struct memory_log *log = memory_log_of(base);
    const struct log_topic **topics;
    uint32_t found = 0;

    pthread_mutex_lock(&log->mutex);
    topics = arena_array(arena, const struct log_topic *, log->topics.live_count);
    MAP_FOREACH (entry, &log->topics) {
        topics[found++] = &((struct memory_topic *)entry->value)->pub;
    }
    pthread_mutex_unlock(&log->mutex);
    qsort(topics, found, sizeof *topics, compare_topics);
    *out = topics;
    *count = found;
    return 0;
}

/* Fails if the topic was deleted; otherwise the mutex is held. */
static int lock_topic(struct memory_log *log, struct memory_topic *topic, struct error *err)
{
    pthread_mutex_lock(&log->mutex);
    if (topic->gone) {
        pthread_mutex_unlock(&log->mutex);
        return memory_topic_gone(topic, err);
    }
    return 0;
}

static int topic_configs(struct log *base, const struct log_topic *of, struct arena *arena,
                         const struct topic_config **out, uint32_t *count, struct error *err)
{
    struct memory_topic *topic = memory_topic_of(of);
    struct topic_config *copy;

    TRY(lock_topic(memory_log_of(base), topic, err));
    pthread_mutex_unlock(&memory_log_of(base)->mutex);
    copy = arena_array(arena, struct topic_config, topic->config_count);
    for (uint32_t i = 0; i < topic->config_count; i++) {
        copy[i].name = arena_copy(arena, topic->configs[i].name);
        copy[i].value = arena_copy(arena, topic->configs[i].value);
    }
    *out = copy;
    *count = topic->config_count;
    return 0;
}

/* Open transactions are in no partition: both isolations see the same. */
static int topic_range(struct log *base, const struct log_topic *topic, uint32_t partition,
                       enum log_isolation isolation, struct log_range *out, struct error *err)
{
    struct memory_log *log = memory_log_of(base);
    struct memory_partition *of = memory_partition_of(topic, partition);
    int code;

    TRY(lock_topic(log, of->topic, err));
    code = memory_partition_load_locked(of, err);
    if (!code) {
        *out = (struct log_range){ of->begin, of->end };
    }
    pthread_mutex_unlock(&log->mutex);
    return code;
}

static int find_trim(struct memory_partition *of, int64_t *before, struct error *err)
{
    const struct log_topic *topic = &of->topic->pub;
    int code;

    TRY(lock_topic(of->topic->log, of->topic, err));
    code = memory_partition_load_locked(of, err);
    *before = *before == OFFSET_END ? of->end : *before;
    if (!code && (*before < 0 || *before > of->end)) {
        code = error_set(err, ERR_OUT_OF_RANGE, NO_POSITION,
                         "topic '%.*s', partition %u: offset %lld is behind the end, %lld",
                         BYTES_ARG(topic->name), of->index, (long long)*before, (long long)of->end);
    }
    pthread_mutex_unlock(&of->topic->log->mutex);
    return code;
}

static int trim(struct memory_log *log, struct memory_partition *of, int64_t before,
                struct error *err)
{
    TRY(find_trim(of, &before, err));
    if (log->storage) {
        TRY(log->storage->trim(log, of, before, err));
    }
    pthread_mutex_lock(&log->mutex);
    if (!of->topic->gone) {
        partition_trim_locked(of, before);
        partition_changed_locked(of);
    }
    pthread_mutex_unlock(&log->mutex);
    return 0;
}

static int delete_records(struct log *base, const struct log_topic *topic, uint32_t partition,
                          int64_t before, struct error *err)
{
    struct memory_log *log = memory_log_of(base);
    int code;

    pthread_mutex_lock(&log->changes);
    code = trim(log, memory_partition_of(topic, partition), before, err);
    pthread_mutex_unlock(&log->changes);
    return code;
}

/* --- switches for tests --- */

void log_memory_fail(struct log *base, enum log_fault point, uint32_t countdown)
{
    struct memory_log *log = memory_log_of(base);

    pthread_mutex_lock(&log->mutex);
    log->countdown[point] = countdown;
    pthread_mutex_unlock(&log->mutex);
}

void log_memory_set_gaps(struct log *base, uint32_t offsets_per_transaction)
{
    struct memory_log *log = memory_log_of(base);

    pthread_mutex_lock(&log->mutex);
    log->gap = offsets_per_transaction;
    pthread_mutex_unlock(&log->mutex);
}

/* --- the log --- */

static void close_log(struct log *base)
{
    struct memory_log *log = memory_log_of(base);

    if (log->storage) {
        log->storage->close(log);
    }
    while (log->all_topics) {
        struct memory_topic *topic = log->all_topics;

        log->all_topics = topic->next;
        destroy_topic(topic);
    }
    MAP_FOREACH (entry, &log->groups) {
        memory_group_destroy(entry->value);
    }
    MAP_FOREACH (entry, &log->producers) {
        memory_producer_destroy(entry->value);
    }
    map_fini(&log->topics);
    map_fini(&log->groups);
    map_fini(&log->producers);
    pthread_cond_destroy(&log->settled);
    pthread_mutex_destroy(&log->mutex);
    pthread_mutex_destroy(&log->changes);
    free(log); /* what it is the first member of, too */
}

const struct log_kind log_memory = {
    .name = "memory",
    .close = close_log,
    .create_topic = create_topic,
    .delete_topic = delete_topic,
    .open_topic = open_topic,
    .list_topics = list_topics,
    .topic_configs = topic_configs,
    .topic_range = topic_range,
    .delete_records = delete_records,
    .reader_open = memory_reader_open,
    .reader_close = memory_reader_close,
    .reader_assign = memory_reader_assign,
    .reader_unassign = memory_reader_unassign,
    .reader_pause = memory_reader_pause,
    .reader_resume = memory_reader_resume,
    .reader_poll = memory_reader_poll,
    .reader_wake = memory_reader_wake,
    .reader_at_end = memory_reader_at_end,
    .reader_position = memory_reader_position,
    .writer_open = memory_writer_open,
    .writer_close = memory_writer_close,
    .writer_begin = memory_writer_begin,
    .writer_append = memory_writer_append,
    .writer_flush = memory_writer_flush,
    .writer_send_positions = memory_writer_send_positions,
    .writer_commit = memory_writer_commit,
    .writer_abort = memory_writer_abort,
    .member_join = memory_member_join,
    .member_poll = memory_member_poll,
    .member_leave = memory_member_leave,
    .member_current = memory_member_current,
    .group_owners = memory_group_owners,
    .group_positions = memory_group_positions,
    .group_alter = memory_group_alter,
    .group_delete = memory_group_delete,
};

void memory_log_init(struct memory_log *log, const struct clock *clock)
{
    log->log.kind = &log_memory;
    log->clock = clock;
    log->resident_max = SIZE_MAX;
    pthread_mutex_init(&log->changes, NULL);
    pthread_mutex_init(&log->mutex, NULL);
    clock_cond_init(&log->settled);
    map_init(&log->topics);
    map_init(&log->groups);
    map_init(&log->producers);
}

struct log *log_memory_create(const struct clock *clock)
{
    struct memory_log *log = memory_zalloc(1, sizeof *log);

    memory_log_init(log, clock);
    return &log->log;
}
