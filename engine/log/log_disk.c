/*
 * log_disk.c: the log on disk: the memory log, with RocksDB as its storage.
 *
 * Topics, groups, fencing and readers are the memory log's (log_memory*.c). This file
 * keeps topics, begins of partitions and positions in the database, finds them again
 * at the start, and reads the records that are not in memory any more. Commits are
 * in log_disk_commit.c, retention and compaction in log_disk_tidy.c.
 *
 * A partition's begin and end are looked up when it is first used: the start costs a
 * key per topic and position, not one per partition.
 *
 * There are no epochs of producers here: a writer cannot outlive the process, and the
 * lock on the directory lets no second process in.
 */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "engine/log/log_disk_internal.h"

enum { RESIDENT_BYTES = 8 << 20, KEY_NUMBERS_BYTES = 12, PARTITION_BYTES = 24 };

struct disk_log *disk_log_of(struct memory_log *log)
{
    return (struct disk_log *)log;
}

bool log_fsync_parse(struct bytes text, enum log_fsync *out)
{
    static const char *const names[] = { [LOG_FSYNC_COMMIT] = "commit",
                                         [LOG_FSYNC_INTERVAL] = "interval",
                                         [LOG_FSYNC_NEVER] = "never" };

    for (int i = 0; i <= LOG_FSYNC_NEVER; i++) {
        if (bytes_equal_text(text, names[i])) {
            *out = (enum log_fsync)i;
            return true;
        }
    }
    return false;
}

/* --- partitions --- */

int disk_partition_get(struct disk_log *disk, const struct memory_partition *of,
                       struct disk_partition *out, struct error *err)
{
    struct disk_key key = disk_partition_key(&of->topic->pub, of->index);
    struct buffer value = { 0 };
    bool found = false;
    int code =
        database_get(disk->database, DATABASE_LOG, disk_key_bytes(&key), &value, &found, err);

    *out = (struct disk_partition){ 0 };
    if (!code && found && value.len != PARTITION_BYTES) {
        code = error_set(err, ERR_LOG_DAMAGED, NO_POSITION,
                         "topic '%.*s', partition %u: what is kept of it is damaged",
                         BYTES_ARG(of->topic->pub.name), of->index);
    } else if (!code && found) {
        out->begin = (int64_t)disk_read_u64(value.data);
        out->end = (int64_t)disk_read_u64(value.data + 8);
        out->cleaned = (int64_t)disk_read_u64(value.data + 16);
    }
    buffer_fini(&value);
    return code;
}

void disk_partition_put(struct disk_log *disk, struct database_batch *batch,
                        const struct memory_partition *of, const struct disk_partition *from)
{
    struct disk_key key = disk_partition_key(&of->topic->pub, of->index);
    struct buffer value = { 0 };

    disk_append_u64(&value, (uint64_t)from->begin);
    disk_append_u64(&value, (uint64_t)from->end);
    disk_append_u64(&value, (uint64_t)from->cleaned);
    database_put(disk->database, batch, DATABASE_LOG, disk_key_bytes(&key), buffer_bytes(&value));
    buffer_fini(&value);
}

struct database_cursor *disk_cursor_open(struct disk_log *disk, const struct memory_partition *of,
                                         int64_t end)
{
    struct disk_key first = disk_block_key(&of->topic->pub, of->index, 0);
    struct disk_key last = disk_block_key(&of->topic->pub, of->index, end);

    return database_cursor_open(disk->database, DATABASE_LOG, disk_key_bytes(&first),
                                disk_key_bytes(&last));
}

/* The last block that begins at or before the offset may end before it. */
bool disk_cursor_seek(struct database_cursor *cursor, const struct memory_partition *of,
                      int64_t offset, struct error *err)
{
    struct disk_key key = disk_block_key(&of->topic->pub, of->index, offset);
    struct disk_block head;

    if (!database_cursor_seek_last(cursor, disk_key_bytes(&key))) {
        return database_cursor_seek(cursor, disk_key_bytes(&key));
    }
    if (disk_block_check(database_cursor_value(cursor), of,
                         disk_key_offset(database_cursor_key(cursor)), &head, err) == 0 &&
        disk_key_offset(database_cursor_key(cursor)) + head.last_delta < offset) {
        return database_cursor_next(cursor);
    }
    return true; /* if it is damaged, who reads it is told */
}

/* The end is behind the last block, or where it was when the last block was deleted. */
static int load_partition(struct memory_log *log, struct memory_partition *partition,
                          struct error *err)
{
    struct disk_log *disk = disk_log_of(log);
    struct database_cursor *cursor;
    struct disk_key last = disk_block_key(&partition->topic->pub, partition->index, INT64_MAX);
    struct disk_partition kept;
    struct disk_block head;
    int64_t data_end = 0;
    int code;

    TRY(disk_need_open_locked(disk, err));
    cursor = disk_cursor_open(disk, partition, INT64_MAX);
    code = disk_partition_get(disk, partition, &kept, err);
    if (!code && database_cursor_seek_last(cursor, disk_key_bytes(&last))) {
        int64_t base = disk_key_offset(database_cursor_key(cursor));

        code = disk_block_check(database_cursor_value(cursor), partition, base, &head, err);
        data_end = code ? 0 : base + head.last_delta + 1;
    } else if (!code) {
        code = database_cursor_check(cursor, err);
    }
    database_cursor_close(cursor);
    if (!code) {
        partition->begin = kept.begin;
        partition->end = kept.end > data_end ? kept.end : data_end;
        partition->data_end = data_end > kept.begin ? data_end : kept.begin;
    }
    return code;
}

static int trim(struct memory_log *log, const struct memory_partition *partition, int64_t before,
                struct error *err)
{
    struct disk_log *disk = disk_log_of(log);
    struct disk_key first = disk_block_key(&partition->topic->pub, partition->index, 0);
    struct database_cursor *cursor = disk_cursor_open(disk, partition, INT64_MAX);
    struct database_batch *batch = database_batch_create();
    struct disk_partition kept;
    int64_t upto = before;
    int code = disk_partition_get(disk, partition, &kept, err);

    if (disk_cursor_seek(cursor, partition, before, NULL) &&
        disk_key_offset(database_cursor_key(cursor)) < before) {
        upto = disk_key_offset(database_cursor_key(cursor));
    }
    database_cursor_close(cursor);
    if (!code && before > kept.begin) {
        struct disk_key last = disk_block_key(&partition->topic->pub, partition->index, upto);

        kept.begin = before;
        kept.end = kept.end > before ? kept.end : before;
        disk_partition_put(disk, batch, partition, &kept);
        database_delete_range(disk->database, batch, DATABASE_LOG, disk_key_bytes(&first),
                              disk_key_bytes(&last));
        code = disk_write_now(disk, batch, err);
    }
    database_batch_destroy(batch);
    return code;
}

/* --- reading --- */

enum { BLOCKS_MAX = 1024 };

/* Blocks that are read as one, behind one another in `bytes`. */
struct gathered {
    struct buffer bytes;
    uint32_t count;
    uint64_t record_count;
    uint64_t header_count;
    size_t begins[BLOCKS_MAX + 1];
    int64_t bases[BLOCKS_MAX];
    int64_t last_offset;
};

static int gather(struct database_cursor *cursor, const struct memory_partition *of,
                  struct gathered *out, struct error *err)
{
    bool more = true;

    while (more && out->count < BLOCKS_MAX && (!out->count || out->bytes.len < DISK_BLOCK_BYTES)) {
        struct bytes block = database_cursor_value(cursor);
        int64_t base = disk_key_offset(database_cursor_key(cursor));
        struct disk_block head;
        struct error damage;

        if (disk_block_check(block, of, base, &head, &damage)) {
            if (out->count) {
                return 0; /* what is in front of it is good */
            }
            return error_set(err, damage.code, NO_POSITION, "%s", damage.message);
        }
        out->bases[out->count] = base;
        out->begins[out->count++] = out->bytes.len;
        buffer_append_bytes(&out->bytes, block);
        out->record_count += head.record_count;
        out->header_count += head.header_count;
        out->last_offset = base + head.last_delta;
        more = database_cursor_next(cursor);
    }
    return 0;
}

static int decode(struct gathered *from, struct memory_partition *of, struct chunk **out,
                  struct error *err)
{
    struct chunk *chunk =
        chunk_around(from->bytes.data, from->bytes.len, from->record_count, from->header_count);
    struct record_header *headers = chunk_headers(chunk);
    struct log_record *records = chunk->records;
    int code = 0;

    from->begins[from->count] = from->bytes.len;
    from->bytes = (struct buffer){ 0 };
    for (uint32_t i = 0; !code && i < from->count; i++) {
        struct bytes block = { chunk->adopted + from->begins[i],
                               from->begins[i + 1] - from->begins[i] };
        struct disk_block head;

        code = disk_block_check(block, of, from->bases[i], &head, err);
        code = code ? code : disk_block_decode(block, of, from->bases[i], records, headers, err);
        records += code ? 0 : head.record_count;
        headers += code ? 0 : head.header_count;
    }
    if (code) {
        chunk_unref(chunk);
        return code;
    }
    *out = chunk;
    return 0;
}

static int read_block(struct memory_log *log, struct memory_partition *partition, int64_t position,
                      int64_t end, struct log_block **out, struct error *err)
{
    struct database_cursor *cursor;
    struct gathered *gathered;
    struct chunk *chunk = NULL;
    int code;

    *out = NULL;
    TRY(disk_need_open(disk_log_of(log), err));
    cursor = disk_cursor_open(disk_log_of(log), partition, end);
    gathered = memory_zalloc(1, sizeof *gathered);
    if (disk_cursor_seek(cursor, partition, position, err)) {
        code = gather(cursor, partition, gathered, err);
    } else {
        code = database_cursor_check(cursor, err);
    }
    database_cursor_close(cursor);
    if (!code && gathered->count && gathered->last_offset >= position) {
        code = decode(gathered, partition, &chunk, err);
        *out = code ? NULL : chunk_block(chunk, partition, position);
    }
    buffer_fini(&gathered->bytes);
    free(gathered);
    return code;
}

/* --- topics --- */

static void topic_key(struct buffer *out, uint64_t incarnation)
{
    buffer_append_char(out, 'T');
    disk_append_u64(out, incarnation);
}

static void append_text(struct buffer *out, struct bytes text)
{
    disk_append_u32(out, (uint32_t)text.len);
    buffer_append_bytes(out, text);
}

static int create_topic(struct memory_log *log, const struct memory_topic *topic, struct error *err)
{
    struct disk_log *disk = disk_log_of(log);
    struct database_batch *batch = database_batch_create();
    struct buffer key = { 0 };
    struct buffer value = { 0 };
    int code;

    disk_append_u64(&value, topic->pub.incarnation);
    database_put(disk->database, batch, DATABASE_LOG, bytes_of("M"), buffer_bytes(&value));
    value.len = 0;
    topic_key(&key, topic->pub.incarnation);
    append_text(&value, topic->pub.name);
    disk_append_u32(&value, topic->pub.partition_count);
    disk_append_u32(&value, topic->pub.replica_count);
    disk_append_u32(&value, topic->config_count);
    for (uint32_t i = 0; i < topic->config_count; i++) {
        append_text(&value, topic->configs[i].name);
        append_text(&value, topic->configs[i].value);
    }
    database_put(disk->database, batch, DATABASE_LOG, buffer_bytes(&key), buffer_bytes(&value));
    code = disk_write_now(disk, batch, err);
    buffer_fini(&key);
    buffer_fini(&value);
    database_batch_destroy(batch);
    return code;
}

/* Whoever writes at this moment may write to it yet: first let that come to its end. */
static int delete_topic(struct memory_log *log, const struct memory_topic *topic, struct error *err)
{
    struct disk_log *disk = disk_log_of(log);
    struct database_batch *batch = database_batch_create();
    struct log_topic next = { .incarnation = topic->pub.incarnation + 1 };
    struct disk_key blocks[2] = { disk_block_key(&topic->pub, 0, 0), disk_block_key(&next, 0, 0) };
    struct disk_key kept[2] = { disk_partition_key(&topic->pub, 0), disk_partition_key(&next, 0) };
    struct buffer key = { 0 };
    int code;

    pthread_mutex_lock(&log->mutex);
    disk_wait_for_writers_locked(disk);
    pthread_mutex_unlock(&log->mutex);
    topic_key(&key, topic->pub.incarnation);
    database_delete(disk->database, batch, DATABASE_LOG, buffer_bytes(&key));
    database_delete_range(disk->database, batch, DATABASE_LOG, disk_key_bytes(&blocks[0]),
                          disk_key_bytes(&blocks[1]));
    database_delete_range(disk->database, batch, DATABASE_LOG, disk_key_bytes(&kept[0]),
                          disk_key_bytes(&kept[1]));
    code = disk_write_now(disk, batch, err);
    buffer_fini(&key);
    database_batch_destroy(batch);
    return code;
}

/* --- positions --- */

static void group_prefix(struct buffer *out, struct bytes group)
{
    buffer_append_char(out, 'G');
    disk_append_u32(out, (uint32_t)group.len);
    buffer_append_bytes(out, group);
}

void disk_append_position_key(struct buffer *out, struct bytes group, const struct log_topic *topic,
                              uint32_t partition)
{
    group_prefix(out, group);
    disk_append_u64(out, topic->incarnation);
    disk_append_u32(out, partition);
}

static int delete_positions(struct memory_log *log, struct bytes group, struct error *err)
{
    struct disk_log *disk = disk_log_of(log);
    struct database_batch *batch = database_batch_create();
    struct buffer first = { 0 };
    struct buffer last = { 0 };
    int code;

    group_prefix(&first, group);
    group_prefix(&last, group);
    disk_append_u64(&last, UINT64_MAX);
    database_delete_range(disk->database, batch, DATABASE_LOG, buffer_bytes(&first),
                          buffer_bytes(&last));
    code = disk_write_now(disk, batch, err);
    buffer_fini(&first);
    buffer_fini(&last);
    database_batch_destroy(batch);
    return code;
}

/* --- at the start --- */

static int damaged_entry(const char *what, struct error *err)
{
    return error_set(err, ERR_LOG_DAMAGED, NO_POSITION,
                     "the directory of the log is damaged: %s cannot be read", what);
}

/* Text that is read from front to back; absent once it is too short. */
static struct bytes take(struct bytes *from, size_t len)
{
    struct bytes taken = { from->data, len };

    if (!from->data || len > from->len) {
        *from = (struct bytes){ NULL, 0 };
        return *from;
    }
    from->data += len;
    from->len -= len;
    return taken;
}

static uint32_t take_u32(struct bytes *from)
{
    struct bytes number = take(from, sizeof(uint32_t));

    return number.data ? disk_read_u32(number.data) : 0;
}

static struct bytes take_text(struct bytes *from)
{
    return take(from, take_u32(from));
}

static int load_topic(struct disk_log *disk, struct bytes key, struct bytes value,
                      struct arena *arena, struct error *err)
{
    struct topic_spec spec = { .name = take_text(&value) };
    struct topic_config *configs;
    struct memory_topic *topic;

    spec.partition_count = take_u32(&value);
    spec.replica_count = take_u32(&value);
    spec.config_count = take_u32(&value);
    if (!value.data || key.len != 1 + sizeof(uint64_t) || spec.config_count > value.len) {
        return damaged_entry("a topic", err);
    }
    configs = arena_array(arena, struct topic_config, spec.config_count);
    for (uint32_t i = 0; i < spec.config_count; i++) {
        configs[i].name = take_text(&value);
        configs[i].value = take_text(&value);
    }
    if (!value.data) {
        return damaged_entry("a topic", err);
    }
    spec.configs = configs;
    topic = memory_topic_make(&spec);
    topic->pub.incarnation = disk_read_u64(key.data + 1);
    for (uint32_t i = 0; i < spec.partition_count; i++) {
        topic->partitions[i].loaded = false;
    }
    memory_topic_add_locked(&disk->memory, topic);
    return 0;
}

static struct memory_topic *find_incarnation(struct memory_log *log, uint64_t incarnation)
{
    for (struct memory_topic *topic = log->all_topics; topic; topic = topic->next) {
        if (topic->pub.incarnation == incarnation && !topic->gone) {
            return topic;
        }
    }
    return NULL;
}

/* One of a topic that was deleted means nothing any more. */
static int load_position(struct disk_log *disk, struct bytes key, struct bytes value,
                         struct arena *arena, struct error *err)
{
    struct bytes rest = { key.data + 1, key.len - 1 };
    struct bytes group = take_text(&rest);
    struct memory_topic *topic;
    struct group_position position;

    if (!rest.data || rest.len != KEY_NUMBERS_BYTES || value.len < sizeof(uint64_t)) {
        return damaged_entry("a position", err);
    }
    topic = find_incarnation(&disk->memory, disk_read_u64(rest.data));
    if (!topic) {
        return 0;
    }
    position = (struct group_position){ .topic = &topic->pub,
                                        .partition = disk_read_u32(rest.data + 8),
                                        .offset = (int64_t)disk_read_u64(value.data) };
    if (value.len > sizeof(uint64_t)) {
        position.metadata = (struct bytes){ value.data + 9, value.len - 9 };
    }
    position_set_put(&memory_group_get_locked(&disk->memory, group)->positions, &position);
    return 0;
}

static int load_all(struct disk_log *disk, const char *kind, const char *next_kind,
                    int (*each)(struct disk_log *disk, struct bytes key, struct bytes value,
                                struct arena *arena, struct error *err),
                    struct error *err)
{
    struct database_cursor *cursor =
        database_cursor_open(disk->database, DATABASE_LOG, bytes_of(kind), bytes_of(next_kind));
    bool more = database_cursor_seek(cursor, bytes_of(kind));
    struct arena arena;
    int code = 0;

    arena_init(&arena, 0);
    while (more && !code) {
        code = each(disk, database_cursor_key(cursor), database_cursor_value(cursor), &arena, err);
        more = !code && database_cursor_next(cursor);
    }
    code = code ? code : database_cursor_check(cursor, err);
    database_cursor_close(cursor);
    arena_fini(&arena);
    return code;
}

int disk_load_positions(struct disk_log *disk, struct error *err)
{
    return load_all(disk, "G", "H", load_position, err);
}

static int load(struct disk_log *disk, struct error *err)
{
    struct buffer value = { 0 };
    bool found = false;
    int code = database_get(disk->database, DATABASE_LOG, bytes_of("M"), &value, &found, err);

    if (!code && found && value.len == sizeof(uint64_t)) {
        disk->memory.last_incarnation = disk_read_u64(value.data);
    }
    buffer_fini(&value);
    TRY(code);
    TRY(load_all(disk, "T", "U", load_topic, err));
    return disk_load_positions(disk, err);
}

/* --- the log --- */

static void close_storage(struct memory_log *log)
{
    struct disk_log *disk = disk_log_of(log);

    disk_keeper_stop(disk);
    (void)database_flush(disk->database, NULL); /* what commits promised is there already */
    database_batch_destroy(disk->batch);
    pthread_cond_destroy(&disk->wake);
}

static const struct memory_storage storage = {
    .close = close_storage,
    .create_topic = create_topic,
    .delete_topic = delete_topic,
    .trim = trim,
    .delete_positions = delete_positions,
    .load_locked = load_partition,
    .prepare = disk_prepare,
    .commit_locked = disk_commit_locked,
    .flush = disk_flush,
    .read = read_block,
};

int log_disk_create(const struct log_disk_config *config, const struct clock *clock,
                    struct log **out, struct error *err)
{
    struct disk_log *disk = memory_zalloc(1, sizeof *disk);
    int code;

    memory_log_init(&disk->memory, clock);
    disk->memory.storage = &storage;
    disk->memory.resident_max = config->resident_bytes ? config->resident_bytes : RESIDENT_BYTES;
    disk->database = config->database;
    disk->fsync = config->fsync;
    disk->batch = database_batch_create();
    clock_cond_init(&disk->wake);
    code = load(disk, err);
    if (code) {
        log_close(&disk->memory.log);
        return code;
    }
    disk_keeper_start(disk);
    *out = &disk->memory.log;
    return 0;
}
