/*
 * log_memory_writer.c: writers, their transactions, and who is fenced.
 *
 *   begin ── append: chunks staged per partition, in the writer alone
 *        ── send_positions: checked against the group, kept pending
 *        ── commit: under the mutex check, publish all chunks, store all positions
 *
 * Aborting is forgetting. What a writer may do is told by two codes: `dead` is
 * for good (fenced by another writer, timed out, unknown outcome), `broken` until
 * the transaction is aborted (a record or the positions were refused).
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "engine/log/log_memory_internal.h"

/* A transactional id. Whoever opened it last, owns it. */
struct memory_producer {
    struct bytes id; /* owned */
    uint64_t epoch;
    uint32_t committing; /* transactions that the storage writes at this moment */
};

struct memory_writer {
    struct log_writer pub;            /* first */
    struct memory_producer *producer; /* NULL: not transactional */
    uint64_t epoch;
    int64_t timeout_ms;
    int64_t begun_ms;
    void (*refused)(void *context, void *owner, const struct error *why);
    void *context;
    enum error_code dead;
    enum error_code broken;
    struct map staged; /* by the address of the partition */
    struct memory_transaction tx;
};

static struct memory_writer *writer_of(struct log_writer *writer)
{
    return (struct memory_writer *)writer;
}

static struct memory_log *log_of(const struct memory_writer *writer)
{
    return memory_log_of(writer->pub.log);
}

/* --- staging --- */

static struct bytes key_of(struct memory_partition *const *partition)
{
    return (struct bytes){ (const char *)partition, sizeof *partition };
}

static struct staged *stage_for(struct memory_writer *writer, struct memory_partition *at)
{
    struct staged *stage = map_find(&writer->staged, key_of(&at));

    if (!stage) {
        stage = memory_zalloc(1, sizeof *stage);
        stage->at = at;
        map_put(&writer->staged, key_of(&stage->at), stage);
    }
    return stage;
}

static void touch(struct memory_writer *writer, struct staged *stage)
{
    struct memory_transaction *tx = &writer->tx;

    if (stage->record_count) {
        return;
    }
    if (tx->touched_count == tx->touched_capacity) {
        tx->touched_capacity = tx->touched_capacity ? tx->touched_capacity * 2 : 8;
        tx->touched = memory_resize(tx->touched, tx->touched_capacity, sizeof(struct staged *));
    }
    tx->touched[tx->touched_count++] = stage;
}

static void stage_push(struct staged *stage, struct chunk *chunk)
{
    if (stage->chunk_count == stage->chunk_capacity) {
        stage->chunk_capacity = stage->chunk_capacity ? stage->chunk_capacity * 2 : 1;
        stage->chunks = memory_resize(stage->chunks, stage->chunk_capacity, sizeof(struct chunk *));
    }
    stage->chunks[stage->chunk_count++] = chunk;
}

enum { FIRST_PAGE_BYTES = 1024 };

/* Pages double within a transaction, starting small. */
static struct chunk *stage_page(struct staged *stage, const struct log_builder *records)
{
    size_t size = FIRST_PAGE_BYTES;
    size_t needed = chunk_bytes_needed(records);

    if (stage->chunk_count) {
        struct chunk *last = stage->chunks[stage->chunk_count - 1];

        if (chunk_has_room(last, records)) {
            return last;
        }
        size = (size_t)(last->end - (char *)last->records) * 2;
        size = size > CHUNK_PAGE_BYTES_MAX ? CHUNK_PAGE_BYTES_MAX : size;
    }
    stage_push(stage, chunk_page_create(size > needed ? size : needed));
    return stage->chunks[stage->chunk_count - 1];
}

static void stage_records(struct memory_writer *writer, struct memory_partition *at,
                          struct log_builder *records)
{
    struct staged *stage = stage_for(writer, at);

    touch(writer, stage);
    stage->record_count += records->record_count;
    if (records->bytes.len >= CHUNK_ADOPT_BYTES) {
        stage_push(stage, chunk_adopt(records));
    } else {
        chunk_append(stage_page(stage, records), records);
    }
}

/* Empty again; a single page, which publishing has copied, is kept for the next time. */
static void stage_clear(struct staged *stage)
{
    bool keep = stage->chunk_count == 1 && !stage->chunks[0]->adopted;

    for (uint32_t i = keep; i < stage->chunk_count; i++) {
        chunk_unref(stage->chunks[i]);
    }
    if (keep) {
        chunk_clear(stage->chunks[0]);
    }
    stage->chunk_count = keep;
    stage->record_count = 0;
}

static void clear_staged(struct memory_writer *writer)
{
    for (uint32_t i = 0; i < writer->tx.touched_count; i++) {
        stage_clear(writer->tx.touched[i]);
    }
    writer->tx.touched_count = 0;
}

/* Chunks that the partition takes over leave the stage. */
static void publish_stage_locked(struct staged *stage, uint32_t gap)
{
    uint32_t kept = 0;

    if (stage->at->topic->gone) {
        return;
    }
    for (uint32_t i = 0; i < stage->chunk_count; i++) {
        if (!partition_publish_locked(stage->at, stage->chunks[i])) {
            stage->chunks[kept++] = stage->chunks[i];
        }
    }
    stage->chunk_count = kept;
    stage->at->end += gap;
    partition_changed_locked(stage->at);
}

/* An aborted transaction leaves a hole where offsets are consumed as in Kafka. */
static void skip_offsets_locked(struct memory_log *log, struct memory_writer *writer)
{
    for (uint32_t i = 0; log->gap && i < writer->tx.touched_count; i++) {
        struct staged *stage = writer->tx.touched[i];

        stage->at->end += (int64_t)stage->record_count + log->gap;
        partition_changed_locked(stage->at);
    }
}

/* --- pending positions --- */

static void drop_pending_locked(struct memory_writer *writer)
{
    while (writer->tx.pending) {
        struct pending_positions *pending = writer->tx.pending;
        struct pending_positions **link = &pending->group->pending;

        while (*link != pending) {
            link = &(*link)->group_next;
        }
        *link = pending->group_next;
        writer->tx.pending = pending->next;
        position_set_fini(&pending->positions);
        memory_free(pending->member_id);
        free(pending);
    }
}

static void apply_pending_locked(struct memory_transaction *transaction)
{
    for (struct pending_positions *p = transaction->pending; p; p = p->next) {
        for (uint32_t i = 0; i < p->positions.count; i++) {
            const struct stored_position *from = &p->positions.items[i];
            struct group_position position = { &from->topic->pub, from->partition, from->offset,
                                               from->metadata };

            position_set_put(&p->group->positions, &position);
        }
    }
}

/* --- what a writer may do --- */

static int fenced(struct error *err)
{
    return error_set(err, ERR_FENCED, NO_POSITION,
                     "another writer has taken over this transactional id");
}

static int check_alive_locked(struct memory_writer *writer, struct error *err)
{
    if (writer->producer && writer->epoch != writer->producer->epoch) {
        writer->dead = ERR_FENCED;
    }
    if (writer->dead == ERR_FENCED) {
        return fenced(err);
    }
    if (writer->dead) {
        return error_set(err, writer->dead, NO_POSITION,
                         "the writer has lost its log: open another one");
    }
    return 0;
}

/* Also whether the transaction is still good. */
static int check_open_locked(struct memory_writer *writer, struct error *err)
{
    int64_t open_ms;

    TRY(check_alive_locked(writer, err));
    if (writer->broken) {
        return error_set(err, writer->broken, NO_POSITION,
                         "a record or the positions were refused: it can only be aborted");
    }
    open_ms = memory_now_ms(log_of(writer)) - writer->begun_ms;
    if (writer->pub.in_transaction && writer->timeout_ms > 0 && open_ms > writer->timeout_ms) {
        writer->dead = ERR_FENCED;
        return error_set(err, ERR_FENCED, NO_POSITION,
                         "the transaction has timed out after %lld ms",
                         (long long)writer->timeout_ms);
    }
    return 0;
}

/* --- writers --- */

static struct memory_producer *get_producer_locked(struct memory_log *log, struct bytes id)
{
    struct memory_producer *producer = map_find(&log->producers, id);

    if (!producer) {
        producer = memory_zalloc(1, sizeof *producer);
        producer->id = memory_copy(id);
        map_put(&log->producers, producer->id, producer);
    }
    return producer;
}

void memory_producer_destroy(struct memory_producer *producer)
{
    memory_free(producer->id);
    free(producer);
}

int memory_writer_open(struct log *base, const struct writer_spec *spec, struct log_writer **out,
                       struct error *err)
{
    struct memory_log *log = memory_log_of(base);
    struct memory_writer *writer = memory_zalloc(1, sizeof *writer);

    writer->pub.log = base;
    writer->timeout_ms = spec->transaction_timeout_ms;
    writer->refused = spec->refused;
    writer->context = spec->context;
    map_init(&writer->staged);
    if (spec->transactional_id.data) {
        pthread_mutex_lock(&log->mutex);
        writer->producer = get_producer_locked(log, spec->transactional_id);
        writer->epoch = ++writer->producer->epoch;
        while (writer->producer->committing) {
            pthread_cond_wait(&log->settled, &log->mutex);
        }
        pthread_mutex_unlock(&log->mutex);
    }
    *out = &writer->pub;
    return 0;
}

static void forget(struct memory_writer *writer)
{
    struct memory_log *log = log_of(writer);

    pthread_mutex_lock(&log->mutex);
    skip_offsets_locked(log, writer);
    drop_pending_locked(writer);
    pthread_mutex_unlock(&log->mutex);
    clear_staged(writer);
    writer->broken = ERR_NONE;
}

void memory_writer_close(struct log_writer *base)
{
    struct memory_writer *writer = writer_of(base);

    forget(writer);
    MAP_FOREACH (entry, &writer->staged) {
        struct staged *stage = entry->value;

        for (uint32_t i = 0; i < stage->chunk_count; i++) {
            chunk_unref(stage->chunks[i]);
        }
        free(stage->chunks);
        buffer_fini(&stage->encoded);
        free(stage);
    }
    map_fini(&writer->staged);
    free(writer->tx.touched);
    free(writer);
}

int memory_writer_begin(struct log_writer *base, struct error *err)
{
    struct memory_writer *writer = writer_of(base);
    struct memory_log *log = log_of(writer);
    int code;

    pthread_mutex_lock(&log->mutex);
    code = check_alive_locked(writer, err);
    pthread_mutex_unlock(&log->mutex);
    writer->begun_ms = memory_now_ms(log);
    return code;
}

/* --- appending --- */

static int64_t largest_record(const struct log_builder *records)
{
    int64_t largest = 0;

    for (uint32_t i = 0; i < records->record_count; i++) {
        const struct builder_record *r = &records->records[i];
        int64_t size = (int64_t)r->headers_len + (r->key_len == UINT32_MAX ? 0 : r->key_len) +
                       (r->value_len == UINT32_MAX ? 0 : r->value_len);

        largest = size > largest ? size : largest;
    }
    return largest;
}

/* Why these records are refused; 0 if they are not. */
static int check_records_locked(struct memory_log *log, struct memory_topic *topic,
                                const struct log_builder *records, struct error *why)
{
    if (memory_fault_locked(log, LOG_FAULT_TOPIC_VANISHES)) {
        memory_topic_remove_locked(log, topic);
    }
    if (topic->gone) {
        return memory_topic_gone(topic, why);
    }
    if (memory_fault_locked(log, LOG_FAULT_APPEND_REFUSED)) {
        return error_set(why, ERR_RECORD_REFUSED, NO_POSITION, "refused by a switch for tests");
    }
    if (topic->max_record_bytes < INT64_MAX && largest_record(records) > topic->max_record_bytes) {
        return error_set(why, ERR_RECORD_REFUSED, NO_POSITION,
                         "topic '%.*s': a record is larger than max.message.bytes, %lld",
                         BYTES_ARG(topic->pub.name), (long long)topic->max_record_bytes);
    }
    return 0;
}

static void refuse(struct memory_writer *writer, void *owner, const struct error *why)
{
    writer->broken = ERR_RECORD_REFUSED;
    if (writer->refused) {
        writer->refused(writer->context, owner, why);
    }
}

/* --- making it visible --- */

void memory_apply_locked(struct memory_log *log, struct memory_transaction *transaction)
{
    uint32_t gap = transaction->is_commit ? log->gap : 0;

    for (uint32_t i = 0; i < transaction->touched_count; i++) {
        publish_stage_locked(transaction->touched[i], gap);
    }
    apply_pending_locked(transaction);
    memory_evict_locked(log);
}

static void mark_committing_locked(struct memory_writer *writer, bool committing)
{
    for (struct pending_positions *p = writer->tx.pending; p; p = p->next) {
        p->committing = committing;
    }
    if (writer->producer) {
        writer->producer->committing += committing ? 1 : UINT32_MAX;
    }
}

/* The storage lets go of the mutex meanwhile: who would fence the writer waits for its end. */
static int write_locked(struct memory_log *log, struct memory_writer *writer, struct error *err)
{
    int code;

    if (!log->storage) {
        memory_apply_locked(log, &writer->tx);
        return 0;
    }
    mark_committing_locked(writer, true);
    code = log->storage->commit_locked(log, &writer->tx, err);
    mark_committing_locked(writer, false);
    pthread_cond_broadcast(&log->settled);
    if (code) {
        writer->dead = (enum error_code)code;
    }
    return code;
}

static void prepare(struct memory_writer *writer, bool is_commit)
{
    struct memory_log *log = log_of(writer);

    writer->tx.is_commit = is_commit;
    if (log->storage) {
        log->storage->prepare(&writer->tx);
    }
}

/* Outside a transaction what is staged is there at once. */
static int publish_now(struct memory_writer *writer, struct error *err)
{
    struct memory_log *log = log_of(writer);
    int code;

    prepare(writer, false);
    pthread_mutex_lock(&log->mutex);
    code = write_locked(log, writer, err);
    pthread_mutex_unlock(&log->mutex);
    clear_staged(writer);
    return code;
}

int memory_writer_append(struct log_writer *base, const struct log_topic *topic, uint32_t partition,
                         struct log_builder *records, void *owner, struct error *err)
{
    struct memory_writer *writer = writer_of(base);
    struct memory_partition *at = memory_partition_of(topic, partition);
    struct memory_log *log = log_of(writer);
    struct error why;
    int refusal = 0;
    int code;

    pthread_mutex_lock(&log->mutex);
    code = base->in_transaction ? check_open_locked(writer, err) : check_alive_locked(writer, err);
    if (!code) {
        refusal = check_records_locked(log, at->topic, records, &why);
    }
    pthread_mutex_unlock(&log->mutex);
    if (code) {
        return code;
    }
    if (refusal) {
        refuse(writer, owner, &why);
        return 0;
    }
    stage_records(writer, at, records);
    return base->in_transaction ? 0 : publish_now(writer, err);
}

/* In memory nothing is ever under way; only what was refused is to be told. */
int memory_writer_flush(struct log_writer *base, struct error *err)
{
    struct memory_writer *writer = writer_of(base);
    struct memory_log *log = log_of(writer);
    int code;

    pthread_mutex_lock(&log->mutex);
    code = check_open_locked(writer, err);
    pthread_mutex_unlock(&log->mutex);
    if (!base->in_transaction) {
        writer->broken = ERR_NONE;
        code = !code && log->storage ? log->storage->flush(log, err) : code;
    }
    return code;
}

/* --- the end of a transaction --- */

static struct pending_positions *make_pending(struct memory_group *group,
                                              const struct group_membership *member,
                                              const struct group_position *positions,
                                              uint32_t count)
{
    struct pending_positions *pending = memory_zalloc(1, sizeof *pending);

    pending->group = group;
    pending->generation = member->generation;
    pending->member_id = memory_copy(member->member_id);
    for (uint32_t i = 0; i < count; i++) {
        position_set_put(&pending->positions, &positions[i]);
    }
    return pending;
}

static int check_member_locked(struct memory_log *log, struct memory_group *group,
                               const struct group_membership *member, struct error *err)
{
    memory_group_expire_locked(log, group);
    if (memory_group_has_locked(group, member->member_id, member->generation)) {
        return 0;
    }
    return error_set(err, ERR_FENCED, NO_POSITION,
                     "group '%.*s' is at generation %d; no such member at generation %d",
                     BYTES_ARG(group->name), (int)group->generation, (int)member->generation);
}

int memory_writer_send_positions(struct log_writer *base, const struct group_membership *member,
                                 const struct group_position *positions, uint32_t count,
                                 struct error *err)
{
    struct memory_writer *writer = writer_of(base);
    struct memory_log *log = log_of(writer);
    struct memory_group *group;
    int code;

    pthread_mutex_lock(&log->mutex);
    code = check_open_locked(writer, err);
    if (!code) {
        group = memory_group_get_locked(log, member->group);
        code = check_member_locked(log, group, member, err);
        writer->broken = (enum error_code)code;
    }
    if (!code) {
        struct pending_positions *pending = make_pending(group, member, positions, count);

        pending->group_next = group->pending;
        group->pending = pending;
        /* At the end, so that what was sent last is applied last. */
        for (struct pending_positions **link = &writer->tx.pending;; link = &(*link)->next) {
            if (!*link) {
                *link = pending;
                break;
            }
        }
    }
    pthread_mutex_unlock(&log->mutex);
    return code;
}

static int check_commit_locked(struct memory_log *log, struct memory_writer *writer,
                               struct error *err)
{
    TRY(check_open_locked(writer, err));
    if (memory_fault_locked(log, LOG_FAULT_COMMIT_FENCED)) {
        writer->dead = ERR_FENCED;
        return fenced(err);
    }
    for (const struct pending_positions *p = writer->tx.pending; p; p = p->next) {
        if (p->fenced) {
            writer->broken = ERR_FENCED;
            return error_set(err, ERR_FENCED, NO_POSITION,
                             "a newer member of group '%.*s' has read the positions",
                             BYTES_ARG(p->group->name));
        }
    }
    return 0;
}

static int unknown_outcome(struct memory_writer *writer, struct error *err)
{
    writer->dead = ERR_LOG_UNAVAILABLE;
    return error_set(err, ERR_LOG_UNAVAILABLE, NO_POSITION, "the outcome of the commit is unknown");
}

int memory_writer_commit(struct log_writer *base, struct error *err)
{
    struct memory_writer *writer = writer_of(base);
    struct memory_log *log = log_of(writer);
    int code;

    prepare(writer, true);
    pthread_mutex_lock(&log->mutex);
    code = check_commit_locked(log, writer, err);
    if (!code && memory_fault_locked(log, LOG_FAULT_COMMIT_LOST)) {
        skip_offsets_locked(log, writer);
        drop_pending_locked(writer);
        code = unknown_outcome(writer, err);
    } else if (!code) {
        code = write_locked(log, writer, err);
        drop_pending_locked(writer);
        if (!code && memory_fault_locked(log, LOG_FAULT_COMMIT_APPLIED)) {
            code = unknown_outcome(writer, err);
        }
    }
    pthread_mutex_unlock(&log->mutex);
    if (!code || code == ERR_LOG_UNAVAILABLE) {
        clear_staged(writer);
    }
    return code;
}

int memory_writer_abort(struct log_writer *base, struct error *err)
{
    struct memory_writer *writer = writer_of(base);
    struct memory_log *log = log_of(writer);
    int code;

    forget(writer);
    pthread_mutex_lock(&log->mutex);
    code = check_alive_locked(writer, err);
    pthread_mutex_unlock(&log->mutex);
    return code;
}
