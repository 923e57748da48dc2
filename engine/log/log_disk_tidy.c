/*
 * log_disk_tidy.c: what the disk log does on its own: retention, compaction, flushing.
 *
 * A round looks at one partition after the other; every step is bounded, so that
 * commits never wait long for it.
 *
 *   retention    topics with retention.ms or retention.bytes: blocks at the front that are
 *                too old or too many are deleted, as log_delete_records would
 *   compaction   topics with cleanup.policy=compact, once half of their records are new:
 *                 map       key -> last offset, over the new ones, until the map is full
 *                 rewrite   from the begin on, a few blocks at a time, without the records
 *                           whose key comes again; small blocks become large ones
 *
 * Offsets stay; the last block is never touched, so the end of the partition stays known.
 * Records without a key are kept. A null value goes once delete.retention.ms have passed:
 * what it deletes is gone before it, because the rewriting goes from front to back.
 *
 * Keys are told apart by 96 bits of two hashes.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/memory.h"
#include "base/trace.h"
#include "engine/log/log_disk_internal.h"
#include "engine/log/topic_config.h"

enum {
    ROUND_MS = 10000,
    FLUSH_MS = 1000,
    DIRTY_MIN = 1000, /* records */
    MAP_SLOTS_MIN = 4096,
    MAP_SLOTS_MAX = 1 << 20,
    STEP_BLOCKS = 256,
    STEP_BYTES = 4 * DISK_BLOCK_BYTES,
    DELETE_RETENTION_MS = 86400000, /* Kafka's default */
};

struct last_offset {
    uint64_t hash;
    uint32_t check;
    bool used;
    int64_t offset;
};

struct disk_cleaning {
    struct memory_partition *of;
    struct disk_partition kept;
    struct last_offset *map;
    uint32_t slot_count; /* a power of two */
    uint32_t used_count;
    bool mapped;         /* the second half of the work */
    int64_t at;          /* how far that half has come */
    int64_t section_end; /* what lies behind is for another time */
    int64_t tombstones_before_ms;
};

/* A few blocks in memory. */
struct piece {
    struct buffer bytes;
    int64_t bases[STEP_BLOCKS];
    size_t begins[STEP_BLOCKS + 1];
    struct disk_block heads[STEP_BLOCKS];
    uint32_t count;
    struct log_record *records;
    struct record_header *headers;
    uint32_t record_count;
    int64_t next; /* behind its last block */
};

/* --- reading --- */

static int read_piece(struct disk_log *disk, const struct memory_partition *of, int64_t from,
                      int64_t end, struct piece *out, struct error *err)
{
    struct database_cursor *cursor = disk_cursor_open(disk, of, end);
    bool more = disk_cursor_seek(cursor, of, from, NULL);
    int code = 0;

    *out = (struct piece){ .next = end };
    while (more && !code && out->count < STEP_BLOCKS && out->bytes.len < STEP_BYTES) {
        struct bytes block = database_cursor_value(cursor);
        uint32_t i = out->count++;

        out->bases[i] = disk_key_offset(database_cursor_key(cursor));
        code = disk_block_check(block, of, out->bases[i], &out->heads[i], err);
        out->begins[i] = out->bytes.len;
        buffer_append_bytes(&out->bytes, block);
        out->begins[i + 1] = out->bytes.len;
        out->next = code ? from : out->bases[i] + out->heads[i].last_delta + 1;
        more = !code && database_cursor_next(cursor);
    }
    code = code ? code : database_cursor_check(cursor, err);
    database_cursor_close(cursor);
    return code;
}

static int decode_piece(struct piece *piece, const struct memory_partition *of, struct error *err)
{
    size_t records = 0;
    size_t headers = 0;

    for (uint32_t i = 0; i < piece->count; i++) {
        records += piece->heads[i].record_count;
        headers += piece->heads[i].header_count;
    }
    piece->records = memory_zalloc(records, sizeof *piece->records);
    piece->headers = memory_zalloc(headers, sizeof *piece->headers);
    headers = 0;
    for (uint32_t i = 0; i < piece->count; i++) {
        struct bytes block = { piece->bytes.data + piece->begins[i],
                               piece->begins[i + 1] - piece->begins[i] };

        TRY(disk_block_decode(block, of, piece->bases[i], piece->records + piece->record_count,
                              piece->headers + headers, err));
        piece->record_count += piece->heads[i].record_count;
        headers += piece->heads[i].header_count;
    }
    return 0;
}

static void free_piece(struct piece *piece)
{
    buffer_fini(&piece->bytes);
    free(piece->records);
    free(piece->headers);
}

/* --- the map of keys --- */

static struct last_offset *find_slot(const struct disk_cleaning *cleaning, struct bytes key)
{
    uint64_t hash = bytes_hash(key);
    uint32_t check = crc32c(key);
    uint32_t at = (uint32_t)(hash >> 32) & (cleaning->slot_count - 1);

    while (cleaning->map[at].used &&
           (cleaning->map[at].hash != hash || cleaning->map[at].check != check)) {
        at = (at + 1) & (cleaning->slot_count - 1);
    }
    cleaning->map[at].hash = cleaning->map[at].used ? cleaning->map[at].hash : hash;
    cleaning->map[at].check = cleaning->map[at].used ? cleaning->map[at].check : check;
    return &cleaning->map[at];
}

static void map_piece(struct disk_cleaning *cleaning, const struct piece *piece)
{
    for (uint32_t i = 0; i < piece->record_count; i++) {
        const struct log_record *record = &piece->records[i];
        struct last_offset *slot;

        if (!record->key.data || record->offset < cleaning->at) {
            continue;
        }
        if (cleaning->used_count >= cleaning->slot_count / 4 * 3) {
            cleaning->section_end = record->offset;
            return;
        }
        slot = find_slot(cleaning, record->key);
        cleaning->used_count += !slot->used;
        slot->used = true;
        slot->offset = record->offset;
    }
}

static bool survives(const struct disk_cleaning *cleaning, const struct log_record *record)
{
    const struct last_offset *slot;

    if (record->offset < cleaning->kept.begin) {
        return false;
    }
    if (!record->key.data || record->offset >= cleaning->section_end) {
        return true;
    }
    slot = find_slot(cleaning, record->key);
    if (slot->used && slot->offset > record->offset) {
        return false;
    }
    return record->value.data || record->timestamp_ms >= cleaning->tombstones_before_ms;
}

/* --- compaction --- */

static int map_step(struct disk_log *disk, struct disk_cleaning *cleaning, struct error *err)
{
    struct piece piece;
    int code = read_piece(disk, cleaning->of, cleaning->at, cleaning->section_end, &piece, err);

    code = code ? code : decode_piece(&piece, cleaning->of, err);
    if (!code) {
        map_piece(cleaning, &piece);
        cleaning->at = piece.next;
    }
    if (cleaning->at >= cleaning->section_end) {
        cleaning->mapped = true;
        cleaning->at = cleaning->kept.begin;
    }
    free_piece(&piece);
    return code;
}

/* The last block of the partition is not among them. */
static int replace_piece(struct disk_log *disk, const struct disk_cleaning *cleaning,
                         const struct piece *piece, uint32_t survivors, struct error *err)
{
    const struct log_topic *topic = &cleaning->of->topic->pub;
    struct database_batch *batch = database_batch_create();
    struct buffer block = { 0 };
    uint32_t done = 0;
    int code;

    for (uint32_t i = 0; i < piece->count; i++) {
        struct disk_key key = disk_block_key(topic, cleaning->of->index, piece->bases[i]);

        database_delete(disk->database, batch, DATABASE_LOG, disk_key_bytes(&key));
    }
    while (done < survivors) {
        struct disk_key key =
            disk_block_key(topic, cleaning->of->index, piece->records[done].offset);

        block.len = 0;
        done += disk_block_encode(piece->records + done, survivors - done, &block);
        database_put(disk->database, batch, DATABASE_LOG, disk_key_bytes(&key),
                     buffer_bytes(&block));
    }
    code = disk_write_now(disk, batch, err);
    buffer_fini(&block);
    database_batch_destroy(batch);
    return code;
}

static int rewrite_step(struct disk_log *disk, struct disk_cleaning *cleaning, struct error *err)
{
    struct piece piece;
    uint32_t survivors = 0;
    int code = read_piece(disk, cleaning->of, cleaning->at, cleaning->section_end, &piece, err);

    code = code ? code : decode_piece(&piece, cleaning->of, err);
    for (uint32_t i = 0; !code && i < piece.record_count; i++) {
        if (survives(cleaning, &piece.records[i])) {
            piece.records[survivors++] = piece.records[i];
        }
    }
    if (!code && (survivors < piece.record_count ||
                  piece.count > 2 + piece.bytes.len / (DISK_BLOCK_BYTES / 2))) {
        code = replace_piece(disk, cleaning, &piece, survivors, err);
    }
    cleaning->at = code ? cleaning->at : piece.next;
    free_piece(&piece);
    return code;
}

static void end_cleaning(struct disk_log *disk)
{
    free(disk->cleaning->map);
    free(disk->cleaning);
    disk->cleaning = NULL;
}

static int finish_cleaning(struct disk_log *disk, struct error *err)
{
    struct disk_cleaning *cleaning = disk->cleaning;
    struct database_batch *batch = database_batch_create();
    int code;

    cleaning->kept.cleaned = cleaning->section_end;
    disk_partition_put(disk, batch, cleaning->of, &cleaning->kept);
    code = disk_write_now(disk, batch, err);
    database_batch_destroy(batch);
    end_cleaning(disk);
    return code;
}

/* Nobody deletes records or the topic meanwhile. */
static void clean_step(struct disk_log *disk)
{
    struct disk_cleaning *cleaning = disk->cleaning;
    struct disk_partition kept;
    struct error err = { 0 };
    int code;

    pthread_mutex_lock(&disk->memory.changes);
    code = disk_partition_get(disk, cleaning->of, &kept, &err);
    cleaning->kept.begin = kept.begin;
    cleaning->kept.end = kept.end;
    if (cleaning->of->topic->gone) {
        end_cleaning(disk);
    } else if (!code && !cleaning->mapped) {
        code = map_step(disk, cleaning, &err);
    } else if (!code && cleaning->at < cleaning->section_end) {
        code = rewrite_step(disk, cleaning, &err);
    } else if (!code) {
        code = finish_cleaning(disk, &err);
    }
    if (code) {
        TRACE(TRACE_WARN, "log", "compaction stops: %s", err.message);
        if (disk->cleaning) {
            end_cleaning(disk);
        }
    }
    pthread_mutex_unlock(&disk->memory.changes);
}

/* Where the last block begins; -1 without one. */
static int64_t last_base(struct disk_log *disk, const struct memory_partition *of)
{
    struct disk_key last = disk_block_key(&of->topic->pub, of->index, INT64_MAX);
    struct database_cursor *cursor = disk_cursor_open(disk, of, INT64_MAX);
    int64_t base = -1;

    if (database_cursor_seek_last(cursor, disk_key_bytes(&last))) {
        base = disk_key_offset(database_cursor_key(cursor));
    }
    database_cursor_close(cursor);
    return base;
}

static void begin_cleaning(struct disk_log *disk, struct memory_partition *of)
{
    struct disk_partition kept;
    struct disk_cleaning *cleaning;
    int64_t end = last_base(disk, of);
    int64_t from;

    if (end < 0 || disk_partition_get(disk, of, &kept, NULL)) {
        return;
    }
    from = kept.cleaned > kept.begin ? kept.cleaned : kept.begin;
    if (end - from < DIRTY_MIN || (end - from) * 2 < end - kept.begin) {
        return;
    }
    cleaning = memory_zalloc(1, sizeof *cleaning);
    cleaning->of = of;
    cleaning->kept = kept;
    cleaning->at = from;
    cleaning->section_end = end;
    cleaning->tombstones_before_ms =
        clock_now_ms(disk->memory.clock) -
        topic_config_integer(of->topic->configs, of->topic->config_count, "delete.retention.ms",
                             DELETE_RETENTION_MS);
    cleaning->slot_count = MAP_SLOTS_MIN;
    while (cleaning->slot_count < MAP_SLOTS_MAX && cleaning->slot_count < (end - from) * 2) {
        cleaning->slot_count *= 2;
    }
    cleaning->map = memory_zalloc(cleaning->slot_count, sizeof *cleaning->map);
    disk->cleaning = cleaning;
}

/* --- retention --- */

static int64_t setting(const struct memory_topic *topic, const char *name)
{
    return topic_config_integer(topic->configs, topic->config_count, name, -1);
}

static int64_t excess_bytes(struct disk_log *disk, const struct memory_partition *of)
{
    int64_t allowed = setting(of->topic, "retention.bytes");
    struct disk_key first = disk_block_key(&of->topic->pub, of->index, 0);
    struct disk_key last = disk_block_key(&of->topic->pub, of->index, INT64_MAX);

    if (allowed < 0) {
        return 0;
    }
    return (int64_t)database_range_bytes(disk->database, DATABASE_LOG, disk_key_bytes(&first),
                                         disk_key_bytes(&last)) -
           allowed;
}

/* True when more of it may be due. */
static bool retain(struct disk_log *disk, struct memory_partition *of)
{
    int64_t keep_ms = setting(of->topic, "retention.ms");
    int64_t before_ms = keep_ms < 0 ? INT64_MIN : clock_now_ms(disk->memory.clock) - keep_ms;
    int64_t excess = excess_bytes(disk, of);
    int64_t before = -1;
    struct piece piece;
    struct error err = { 0 };
    int code = read_piece(disk, of, 0, INT64_MAX, &piece, &err);
    uint32_t i = 0;

    for (; !code && i < piece.count; i++) {
        excess -= (int64_t)(piece.begins[i + 1] - piece.begins[i]);
        if (excess < 0 && piece.heads[i].max_timestamp_ms >= before_ms) {
            break;
        }
        before = piece.bases[i] + piece.heads[i].last_delta + 1;
    }
    free_piece(&piece);
    if (!code && before >= 0) {
        code = log_delete_records(&disk->memory.log, &of->topic->pub, of->index, before, &err);
    }
    if (code && code != ERR_TOPIC_GONE) {
        TRACE(TRACE_WARN, "log", "retention stops: %s", err.message);
    }
    return !code && i > 0 && i == STEP_BLOCKS;
}

/* --- rounds --- */

/* The topic with the lowest incarnation above that of the last one. */
static struct memory_topic *next_topic(struct disk_log *disk)
{
    struct memory_topic *next = NULL;

    pthread_mutex_lock(&disk->memory.mutex);
    for (struct memory_topic *t = disk->memory.all_topics; t; t = t->next) {
        if (!t->gone && t->pub.incarnation > disk->tidied_incarnation &&
            (!next || t->pub.incarnation < next->pub.incarnation)) {
            next = t;
        }
    }
    pthread_mutex_unlock(&disk->memory.mutex);
    return next;
}

static bool tidy_partition(struct disk_log *disk, struct memory_partition *of)
{
    const struct memory_topic *topic = of->topic;
    bool deletes = topic_config_has_policy(topic->configs, topic->config_count, "delete");

    if (deletes &&
        (setting(topic, "retention.ms") >= 0 || setting(topic, "retention.bytes") >= 0) &&
        retain(disk, of)) {
        return true;
    }
    if (topic_config_has_policy(topic->configs, topic->config_count, "compact")) {
        begin_cleaning(disk, of);
    }
    return false;
}

bool log_disk_tidy(struct log *base)
{
    struct disk_log *disk = disk_log_of(memory_log_of(base));
    struct memory_topic *topic;

    if (disk->cleaning) {
        clean_step(disk);
        return true;
    }
    if (memory_now_ms(&disk->memory) < disk->next_round_ms) {
        return false;
    }
    topic = next_topic(disk);
    if (!topic) {
        disk->tidied_incarnation = 0;
        disk->tidied_partition = 0;
        disk->next_round_ms = memory_now_ms(&disk->memory) + ROUND_MS;
        return false;
    }
    if (!tidy_partition(disk, &topic->partitions[disk->tidied_partition])) {
        disk->tidied_partition++;
    }
    if (disk->tidied_partition >= topic->pub.partition_count) {
        disk->tidied_incarnation = topic->pub.incarnation;
        disk->tidied_partition = 0;
    }
    return true;
}

/* --- the keeper's thread --- */

static bool wait_for_turn(struct disk_log *disk, bool *flush)
{
    int64_t wait_ms = disk->fsync == LOG_FSYNC_INTERVAL ? FLUSH_MS : ROUND_MS;
    struct timespec deadline = clock_deadline(wait_ms);
    int waited = 0;
    bool stop;

    pthread_mutex_lock(&disk->memory.mutex);
    while (!disk->stop && waited != ETIMEDOUT) {
        waited = pthread_cond_timedwait(&disk->wake, &disk->memory.mutex, &deadline);
    }
    stop = disk->stop;
    *flush = disk->unflushed && disk->fsync == LOG_FSYNC_INTERVAL;
    disk->unflushed = disk->unflushed && !*flush;
    pthread_mutex_unlock(&disk->memory.mutex);
    return !stop;
}

static bool is_stopped(struct disk_log *disk)
{
    bool stop;

    pthread_mutex_lock(&disk->memory.mutex);
    stop = disk->stop;
    pthread_mutex_unlock(&disk->memory.mutex);
    return stop;
}

static void *keep(void *context)
{
    struct disk_log *disk = context;
    bool flush = false;

    while (wait_for_turn(disk, &flush)) {
        struct error err = { 0 };

        if (flush && database_flush(disk->database, &err)) {
            TRACE(TRACE_WARN, "log", "%s", err.message);
        }
        while (!is_stopped(disk) && log_disk_tidy(&disk->memory.log)) {
        }
    }
    return NULL;
}

void disk_keeper_start(struct disk_log *disk)
{
    if (!disk->memory.clock->is_virtual) {
        disk->has_keeper = pthread_create(&disk->keeper, NULL, keep, disk) == 0;
    }
}

void disk_keeper_stop(struct disk_log *disk)
{
    if (disk->has_keeper) {
        pthread_mutex_lock(&disk->memory.mutex);
        disk->stop = true;
        pthread_cond_signal(&disk->wake);
        pthread_mutex_unlock(&disk->memory.mutex);
        (void)pthread_join(disk->keeper, NULL);
    }
    if (disk->cleaning) {
        end_cleaning(disk);
    }
}
