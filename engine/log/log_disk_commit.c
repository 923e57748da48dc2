/*
 * log_disk_commit.c: how transactions reach the disk: many in one write.
 *
 *   prepare       each writer encodes its blocks, in its own thread, without the mutex
 *   queue         whoever comes while a write is under way waits; the first one after it
 *   lead          numbers the records of all that wait, writes them and their positions
 *                 as one batch, waits for the disk once, and publishes all in their order
 *
 * So there are no markers and no aborted data: what is in the database is committed.
 *
 * A write that failed may be on the disk or not. The database is opened again before
 * the next one, and what it then says is what happened: ends of partitions, positions.
 */
#include <assert.h>

#include "engine/log/log_disk_internal.h"

enum { RETRY_MS = 1000, KEPT_BUFFER_BYTES = 1 << 17, LENGTH_BYTES = 4 };

/* A transaction that waits for its turn, on the stack of its thread. */
struct disk_request {
    struct memory_transaction *transaction;
    struct disk_request *next;
    struct error *err;
    int code;
    bool done;
};

/* --- encoding --- */

/* Blocks, each behind its length. */
static void encode_chunk(const struct chunk *chunk, struct buffer *out)
{
    uint32_t done = 0;

    while (done < chunk->record_count) {
        size_t begin = out->len;
        size_t len;
        struct buffer length = { 0 };

        disk_append_u32(out, 0);
        done += disk_block_encode(chunk->records + done, chunk->record_count - done, out);
        len = out->len - begin - LENGTH_BYTES;
        length = (struct buffer){ .data = out->data + begin, .capacity = LENGTH_BYTES };
        disk_append_u32(&length, (uint32_t)len);
    }
}

/* Where the builders come from they count from 0 each; here they follow one another. */
static void number(struct staged *stage)
{
    int64_t offset = 0;

    for (uint32_t i = 0; i < stage->chunk_count; i++) {
        for (uint32_t r = 0; r < stage->chunks[i]->record_count; r++) {
            stage->chunks[i]->records[r].offset = offset++;
        }
    }
}

void disk_prepare(struct memory_transaction *transaction)
{
    for (uint32_t i = 0; i < transaction->touched_count; i++) {
        struct staged *stage = transaction->touched[i];

        if (stage->encoded.capacity > KEPT_BUFFER_BYTES) {
            buffer_fini(&stage->encoded);
        }
        stage->encoded.len = 0;
        number(stage);
        for (uint32_t c = 0; c < stage->chunk_count; c++) {
            encode_chunk(stage->chunks[c], &stage->encoded);
        }
    }
}

/* --- the batch --- */

static void put_blocks(struct disk_log *disk, const struct staged *stage)
{
    const char *at = stage->encoded.data;
    const char *end = at + stage->encoded.len;
    int64_t offset = stage->first_offset;

    while (at < end) {
        struct bytes block = { at + LENGTH_BYTES, disk_read_u32(at) };
        struct disk_key key = disk_block_key(&stage->at->topic->pub, stage->at->index, offset);

        database_put(disk->database, disk->batch, DATABASE_LOG, disk_key_bytes(&key), block);
        offset += disk_block_record_count(block);
        at += LENGTH_BYTES + block.len;
    }
}

static void put_positions(struct disk_log *disk, const struct pending_positions *pending)
{
    struct buffer key = { 0 };
    struct buffer value = { 0 };

    for (uint32_t i = 0; i < pending->positions.count; i++) {
        const struct stored_position *from = &pending->positions.items[i];

        key.len = value.len = 0;
        disk_append_position_key(&key, pending->group->name, &from->topic->pub, from->partition);
        disk_append_u64(&value, (uint64_t)from->offset);
        if (from->metadata.data) {
            buffer_append_char(&value, 'm');
            buffer_append_bytes(&value, from->metadata);
        }
        database_put(disk->database, disk->batch, DATABASE_LOG, buffer_bytes(&key),
                     buffer_bytes(&value));
    }
    buffer_fini(&key);
    buffer_fini(&value);
}

static void fill_batch(struct disk_log *disk, const struct disk_request *requests)
{
    for (const struct disk_request *r = requests; r; r = r->next) {
        for (uint32_t i = 0; !r->code && i < r->transaction->touched_count; i++) {
            if (r->transaction->touched[i]->first_offset >= 0) {
                put_blocks(disk, r->transaction->touched[i]);
            }
        }
        for (const struct pending_positions *p = r->transaction->pending; !r->code && p;
             p = p->next) {
            put_positions(disk, p);
        }
    }
}

/* --- a failed write --- */

static int reload_partitions(struct memory_log *log, struct error *err)
{
    for (struct memory_topic *topic = log->all_topics; topic; topic = topic->next) {
        for (uint32_t i = 0; !topic->gone && i < topic->pub.partition_count; i++) {
            struct memory_partition *partition = &topic->partitions[i];

            if (!partition->loaded) {
                continue;
            }
            partition_drop_chunks_locked(partition);
            partition->loaded = false;
            TRY(memory_partition_load_locked(partition, err));
            partition_changed_locked(partition);
        }
    }
    return 0;
}

/* The write may have been one of a checkpoint, too. */
static bool has_failed(const struct disk_log *disk)
{
    return disk->failed || database_has_failed(disk->database);
}

static int revive_locked(struct disk_log *disk, struct error *err)
{
    int64_t now_ms = memory_now_ms(&disk->memory);

    if (now_ms < disk->retry_at_ms) {
        return error_set(err, ERR_LOG_UNAVAILABLE, NO_POSITION,
                         "a write to the log has failed; it is opened again in a moment");
    }
    disk->retry_at_ms = now_ms + RETRY_MS;
    if (database_reopen(disk->database, err)) {
        err->code = ERR_LOG_UNAVAILABLE; /* not for ever */
        return ERR_LOG_UNAVAILABLE;
    }
    TRY(reload_partitions(&disk->memory, err));
    MAP_FOREACH (entry, &disk->memory.groups) {
        position_set_fini(&((struct memory_group *)entry->value)->positions);
    }
    TRY(disk_load_positions(disk, err));
    disk->failed = false;
    return 0;
}

/* Whoever writes does that first. Else nobody may be left who writes: queries first read. */
int disk_need_open_locked(struct disk_log *disk, struct error *err)
{
    return disk->writing || database_is_open(disk->database) ? 0 : revive_locked(disk, err);
}

int disk_need_open(struct disk_log *disk, struct error *err)
{
    int code;

    if (database_is_open(disk->database)) {
        return 0;
    }
    pthread_mutex_lock(&disk->memory.mutex);
    code = disk_need_open_locked(disk, err);
    pthread_mutex_unlock(&disk->memory.mutex);
    return code;
}

/* --- turns --- */

static int number_request(struct disk_request *request)
{
    const struct memory_transaction *transaction = request->transaction;

    for (uint32_t i = 0; i < transaction->touched_count; i++) {
        struct staged *stage = transaction->touched[i];

        if (!stage->at->topic->gone) {
            TRY(memory_partition_load_locked(stage->at, request->err));
        }
    }
    for (uint32_t i = 0; i < transaction->touched_count; i++) {
        struct staged *stage = transaction->touched[i];

        stage->first_offset = stage->at->topic->gone ? -1 : stage->at->promised;
        stage->at->promised += (int64_t)stage->record_count;
    }
    return 0;
}

static int write_requests(struct disk_log *disk, struct disk_request *requests, bool is_commit,
                          struct error *err)
{
    bool wait = is_commit && disk->fsync == LOG_FSYNC_COMMIT;
    int code;

    pthread_mutex_unlock(&disk->memory.mutex);
    database_batch_clear(disk->batch);
    fill_batch(disk, requests);
    code =
        database_write(disk->database, disk->batch, wait ? DATABASE_SYNC : DATABASE_NO_SYNC, err);
    if (database_batch_bytes(disk->batch) > KEPT_BUFFER_BYTES) {
        database_batch_destroy(disk->batch);
        disk->batch = database_batch_create();
    }
    pthread_mutex_lock(&disk->memory.mutex);
    disk->unflushed = disk->unflushed || !wait;
    return code;
}

static void end_request(struct disk_log *disk, struct disk_request *request, int code,
                        const struct error *why)
{
    if (!request->code && code) {
        request->code = error_set(request->err, why->code, NO_POSITION, "%s", why->message);
    }
    if (!request->code) {
        memory_apply_locked(&disk->memory, request->transaction);
    }
}

/* The request's memory is its thread's again. */
static void release_request(struct disk_request *request)
{
    for (uint32_t i = 0; i < request->transaction->touched_count; i++) {
        struct memory_partition *at = request->transaction->touched[i]->at;

        at->promised = at->end;
    }
    request->done = true;
}

static void lead_locked(struct disk_log *disk)
{
    struct disk_request *requests = disk->queue_first;
    struct error err = { 0 };
    bool is_commit = false;
    int code;

    disk->queue_first = disk->queue_last = NULL;
    disk->writing = true;
    code = has_failed(disk) ? revive_locked(disk, &err) : 0;
    for (struct disk_request *r = requests; !code && r; r = r->next) {
        r->code = number_request(r);
        is_commit = is_commit || r->transaction->is_commit;
    }
    if (!code) {
        code = write_requests(disk, requests, is_commit, &err);
        disk->failed = code != 0;
    }
    for (struct disk_request *r = requests; r; r = r->next) {
        end_request(disk, r, code, &err);
    }
    for (struct disk_request *r = requests; r; r = r->next) {
        release_request(r);
    }
    disk->writing = false;
    pthread_cond_broadcast(&disk->memory.settled);
}

int disk_commit_locked(struct memory_log *log, struct memory_transaction *transaction,
                       struct error *err)
{
    struct disk_log *disk = disk_log_of(log);
    struct disk_request request = { .transaction = transaction, .err = err };

    if (!transaction->touched_count && !transaction->pending) {
        return 0;
    }
    *(disk->queue_last ? &disk->queue_last->next : &disk->queue_first) = &request;
    disk->queue_last = &request;
    while (!request.done) {
        if (disk->writing) {
            pthread_cond_wait(&log->settled, &log->mutex);
        } else {
            lead_locked(disk);
        }
    }
    return request.code;
}

/* --- what is not a transaction --- */

void disk_wait_for_writers_locked(struct disk_log *disk)
{
    while (disk->writing) {
        pthread_cond_wait(&disk->memory.settled, &disk->memory.mutex);
    }
}

/* No write of unknown outcome is before the next one. */
static int settle(struct disk_log *disk, struct error *err)
{
    int code = 0;

    pthread_mutex_lock(&disk->memory.mutex);
    if (has_failed(disk)) {
        disk_wait_for_writers_locked(disk);
        code = has_failed(disk) ? revive_locked(disk, err) : 0;
    }
    pthread_mutex_unlock(&disk->memory.mutex);
    return code;
}

int disk_write_now(struct disk_log *disk, struct database_batch *batch, struct error *err)
{
    enum database_sync sync = disk->fsync == LOG_FSYNC_COMMIT ? DATABASE_SYNC : DATABASE_NO_SYNC;
    int code;

    TRY(settle(disk, err));
    code = database_write(disk->database, batch, sync, err);
    pthread_mutex_lock(&disk->memory.mutex);
    disk->failed = disk->failed || code != 0;
    disk->unflushed = disk->unflushed || sync == DATABASE_NO_SYNC;
    pthread_mutex_unlock(&disk->memory.mutex);
    return code;
}

int disk_flush(struct memory_log *log, struct error *err)
{
    struct disk_log *disk = disk_log_of(log);

    if (disk->fsync != LOG_FSYNC_COMMIT) {
        return 0;
    }
    TRY(settle(disk, err));
    return database_flush(disk->database, err);
}
