/*
 * database.c: RocksDB behind database.h; its only user.
 *
 * Tuned for a small process that mostly waits: two spaces (column families) with
 * small write buffers, one small block cache, one thread each for flushing and
 * compacting, no mapped files. Records of the log come in blocks of some 64 KB.
 *
 * Entries of state are small, written in no order, and looked up all over the place by who
 * knows that they are there and keeps what is in use. So they are merged by whole runs (universal
 * compaction), which writes each of them fewer times; the last run needs no Bloom filters; and
 * the blocks that are read for them are not kept, as the next key is in another one.
 *
 * The log of writes is read with tolerance for a torn end alone: damage in the
 * middle is reported, where RocksDB by default would go on without the rest.
 *
 * RocksDB checks with assertions that nothing more is done to a file after a write to it has
 * failed, and breaks that itself on a full disk: in its log of events, which is turned off,
 * and when a log of writes is flushed, which is not done any more then.
 *
 * The handle is exchanged by database_reopen; whoever uses it holds `gate` shared.
 */
#include "engine/log/database.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <rocksdb/c.h>

#include "base/memory.h"

enum {
    BLOCK_CACHE_BYTES = 8 << 20,
    WRITE_BUFFER_BYTES = 8 << 20,
    WRITE_BUFFER_COUNT = 3,
    WRITE_BUFFERS_BYTES = 24 << 20, /* of both spaces */
    ARENA_BLOCK_BYTES = 256 << 10,  /* large enough to go back to the system at once */
    WAL_BYTES_MAX = 64 << 20,
    STATE_BLOCK_BYTES = 4 << 10,
    STATE_FILE_BYTES = 32 << 20,
    BLOOM_BITS = 10,
    OPEN_FILES_MAX = 512,
    NO_INFO_LOG = 6, /* above all of its levels */
    INFO_LOG_FILES = 1,
    MANIFEST_BYTES_MAX = 4 << 20,
    BACKGROUND_JOBS = 2,
    TABLE_FORMAT = 5,
};

struct database {
    char *directory;
    pthread_rwlock_t gate; /* of the next two */
    rocksdb_t *handle;     /* NULL: reopening failed, even for reading */
    rocksdb_column_family_handle_t *spaces[DATABASE_SPACE_COUNT];
    rocksdb_cache_t *cache;
    rocksdb_options_t *options;
    rocksdb_options_t *space_options[DATABASE_SPACE_COUNT];
    rocksdb_readoptions_t *read;
    rocksdb_readoptions_t *read_once; /* keeps no block: of keys all over the place */
    rocksdb_writeoptions_t *write[2]; /* by enum database_sync */
    pthread_mutex_t turn;             /* of whoever writes */
    atomic_bool failed;               /* a write has, and it was not opened again since */
    atomic_bool full;                 /* for want of room */
};

/* Bounds of a cursor: RocksDB keeps pointers to them. */
struct database_cursor {
    struct database *db;
    rocksdb_iterator_t *iterator; /* NULL: the database is not open */
    rocksdb_readoptions_t *read;
    struct buffer bounds;
};

static const char *const space_names[DATABASE_SPACE_COUNT] = {
    [DATABASE_LOG] = "default",
    [DATABASE_STATE] = "state",
};

/* --- errors --- */

static bool says(const char *message, const char *what)
{
    return strstr(message, what) != NULL;
}

static bool says_full(const char *message)
{
    return says(message, "No space left") || says(message, "quota exceeded");
}

/* Takes over RocksDB's message. */
static int open_failed(const struct database *db, char *message, struct error *err)
{
    int code;

    if (says(message, "lock ") && says(message, "temporarily unavailable")) {
        code =
            error_set(err, ERR_IO, NO_POSITION, "%s is in use by another process", db->directory);
    } else if (says(message, "lock hold by current process")) {
        code = error_set(err, ERR_IO, NO_POSITION, "%s is open in this process already",
                         db->directory);
    } else if (says_full(message)) {
        code = error_set(err, ERR_IO, NO_POSITION,
                         "%s cannot be opened: the disk is full; make room on it and try again",
                         db->directory);
    } else if (says(message, "Corruption") || says(message, "does not match")) {
        code = error_set(err, ERR_LOG_DAMAGED, NO_POSITION,
                         "%s is damaged and is left as it is: %s; restore it from a copy",
                         db->directory, message);
    } else {
        code =
            error_set(err, ERR_IO, NO_POSITION, "%s cannot be opened: %s", db->directory, message);
    }
    rocksdb_free(message);
    return code;
}

static int read_failed(const struct database *db, char *message, struct error *err)
{
    int code = error_set(err, says(message, "Corruption") ? ERR_LOG_DAMAGED : ERR_LOG_UNAVAILABLE,
                         NO_POSITION, "%s cannot be read: %s", db->directory, message);

    rocksdb_free(message);
    return code;
}

static int disk_is_full(const struct database *db, struct error *err)
{
    return error_set(err, ERR_LOG_UNAVAILABLE, NO_POSITION,
                     "%s cannot be written: the disk is full; make room on it, and work goes on by "
                     "itself; what was committed is safe",
                     db->directory);
}

static int write_failed(struct database *db, char *message, struct error *err)
{
    int code;

    atomic_store(&db->full, says_full(message));
    atomic_store(&db->failed, true);
    code = says_full(message) ? disk_is_full(db, err)
                              : error_set(err, ERR_LOG_UNAVAILABLE, NO_POSITION,
                                          "%s cannot be written: %s", db->directory, message);
    rocksdb_free(message);
    return code;
}

static int not_reopened(const struct database *db, struct error *err)
{
    if (atomic_load(&db->full)) {
        return disk_is_full(db, err);
    }
    return error_set(err, ERR_LOG_UNAVAILABLE, NO_POSITION,
                     "%s cannot be written, as a write has failed, until it is opened again",
                     db->directory);
}

static int not_open(const struct database *db, struct error *err)
{
    return error_set(err, ERR_LOG_UNAVAILABLE, NO_POSITION,
                     "%s is closed since a write failed and it could not be opened again",
                     db->directory);
}

/* --- opening --- */

static rocksdb_options_t *make_options(rocksdb_cache_t *cache, enum database_space space)
{
    rocksdb_options_t *options = rocksdb_options_create();
    rocksdb_block_based_table_options_t *table = rocksdb_block_based_options_create();

    rocksdb_block_based_options_set_block_cache(table, cache);
    rocksdb_block_based_options_set_format_version(table, TABLE_FORMAT);
    rocksdb_block_based_options_set_block_size(table, STATE_BLOCK_BYTES);
    if (space == DATABASE_STATE) {
        rocksdb_block_based_options_set_filter_policy(
            table, rocksdb_filterpolicy_create_bloom_full(BLOOM_BITS));
    }
    rocksdb_options_set_block_based_table_factory(options, table);
    rocksdb_block_based_options_destroy(table);
    rocksdb_options_set_write_buffer_size(options, WRITE_BUFFER_BYTES);
    rocksdb_options_set_max_write_buffer_number(options, WRITE_BUFFER_COUNT);
    rocksdb_options_set_arena_block_size(options, ARENA_BLOCK_BYTES);
    rocksdb_options_set_compression(options, rocksdb_lz4_compression);
    if (space == DATABASE_STATE) {
        rocksdb_options_set_compaction_style(options, rocksdb_universal_compaction);
        rocksdb_options_set_target_file_size_base(options, STATE_FILE_BYTES);
        rocksdb_options_set_optimize_filters_for_hits(options, 1);
    }
    return options;
}

static void set_process_options(rocksdb_options_t *options)
{
    rocksdb_options_set_create_if_missing(options, 1);
    rocksdb_options_set_create_missing_column_families(options, 1);
    rocksdb_options_set_max_background_jobs(options, BACKGROUND_JOBS);
    rocksdb_options_set_max_open_files(options, OPEN_FILES_MAX);
    rocksdb_options_set_max_file_opening_threads(options, 1);
    rocksdb_options_set_db_write_buffer_size(options, WRITE_BUFFERS_BYTES);
    rocksdb_options_set_max_total_wal_size(options, WAL_BYTES_MAX);
    rocksdb_options_set_wal_recovery_mode(options,
                                          rocksdb_tolerate_corrupted_tail_records_recovery);
    rocksdb_options_set_skip_stats_update_on_db_open(options, 1);
    rocksdb_options_set_stats_dump_period_sec(options, 0);
    rocksdb_options_set_stats_persist_period_sec(options, 0);
    rocksdb_options_set_info_log_level(options, NO_INFO_LOG);
    rocksdb_options_set_keep_log_file_num(options, INFO_LOG_FILES);
    rocksdb_options_set_max_manifest_file_size(options, MANIFEST_BYTES_MAX);
    rocksdb_options_set_table_cache_numshardbits(options, 2);
}

static struct database *make(const char *directory)
{
    struct database *db = memory_zalloc(1, sizeof *db);
    size_t len = strlen(directory) + 1;

    db->directory = memory_alloc(len);
    memcpy(db->directory, directory, len);
    pthread_rwlock_init(&db->gate, NULL);
    pthread_mutex_init(&db->turn, NULL);
    db->cache = rocksdb_cache_create_lru(BLOCK_CACHE_BYTES);
    for (int i = 0; i < DATABASE_SPACE_COUNT; i++) {
        db->space_options[i] = make_options(db->cache, (enum database_space)i);
    }
    db->options = make_options(db->cache, DATABASE_LOG);
    set_process_options(db->options);
    db->read = rocksdb_readoptions_create();
    db->read_once = rocksdb_readoptions_create();
    rocksdb_readoptions_set_fill_cache(db->read_once, 0);
    for (int i = 0; i < 2; i++) {
        db->write[i] = rocksdb_writeoptions_create();
        rocksdb_writeoptions_set_sync(db->write[i], i == DATABASE_SYNC);
    }
    return db;
}

/* With the gate held alone. */
static int open_handle(struct database *db, struct error *err)
{
    char *message = NULL;

    db->handle = rocksdb_open_column_families(
        db->options, db->directory, DATABASE_SPACE_COUNT, space_names,
        (const rocksdb_options_t *const *)db->space_options, db->spaces, &message);
    if (message) {
        db->handle = NULL;
        return open_failed(db, message, err);
    }
    return 0;
}

/* What is there can be read all the same: nothing is written by that. */
static void open_for_reading(struct database *db)
{
    char *message = NULL;

    db->handle = rocksdb_open_for_read_only_column_families(
        db->options, db->directory, DATABASE_SPACE_COUNT, space_names,
        (const rocksdb_options_t *const *)db->space_options, db->spaces, 0, &message);
    if (message) {
        db->handle = NULL;
        rocksdb_free(message);
    }
}

static void close_handle(struct database *db)
{
    if (!db->handle) {
        return;
    }
    for (int i = 0; i < DATABASE_SPACE_COUNT; i++) {
        rocksdb_column_family_handle_destroy(db->spaces[i]);
    }
    rocksdb_close(db->handle);
    db->handle = NULL;
}

int database_open(const char *directory, struct database **out, struct error *err)
{
    struct database *db = make(directory);
    int code = open_handle(db, err);

    if (code) {
        database_close(db);
        return code;
    }
    *out = db;
    return 0;
}

void database_close(struct database *db)
{
    if (!db) {
        return;
    }
    close_handle(db);
    for (int i = 0; i < 2; i++) {
        rocksdb_writeoptions_destroy(db->write[i]);
    }
    rocksdb_readoptions_destroy(db->read);
    rocksdb_readoptions_destroy(db->read_once);
    for (int i = 0; i < DATABASE_SPACE_COUNT; i++) {
        rocksdb_options_destroy(db->space_options[i]);
    }
    rocksdb_options_destroy(db->options);
    rocksdb_cache_destroy(db->cache);
    pthread_mutex_destroy(&db->turn);
    pthread_rwlock_destroy(&db->gate);
    free(db->directory);
    free(db);
}

bool database_has_failed(const struct database *db)
{
    return atomic_load(&db->failed);
}

bool database_is_open(struct database *db)
{
    bool is_open;

    pthread_rwlock_rdlock(&db->gate);
    is_open = db->handle != NULL;
    pthread_rwlock_unlock(&db->gate);
    return is_open;
}

int database_reopen(struct database *db, struct error *err)
{
    int code = 0;

    pthread_rwlock_wrlock(&db->gate);
    if (atomic_load(&db->failed)) {
        close_handle(db);
        code = open_handle(db, err);
        atomic_store(&db->failed, code != 0);
    }
    if (!db->handle) {
        open_for_reading(db);
    }
    pthread_rwlock_unlock(&db->gate);
    return code;
}

/* --- single keys --- */

int database_get(struct database *db, enum database_space space, struct bytes key,
                 struct buffer *out, bool *found, struct error *err)
{
    rocksdb_pinnableslice_t *slice = NULL;
    char *message = NULL;
    int code = 0;

    pthread_rwlock_rdlock(&db->gate);
    if (!db->handle) {
        code = not_open(db, err);
    } else {
        slice = rocksdb_get_pinned_cf(db->handle, db->read, db->spaces[space], key.data, key.len,
                                      &message);
        code = message ? read_failed(db, message, err) : 0;
    }
    if (!code) {
        *found = slice != NULL;
        out->len = 0;
    }
    if (slice) {
        size_t len;
        const char *value = rocksdb_pinnableslice_value(slice, &len);

        buffer_append(out, value, len);
        rocksdb_pinnableslice_destroy(slice);
    }
    pthread_rwlock_unlock(&db->gate);
    return code;
}

enum { GET_MANY = 128 };

struct many_keys {
    const char *data[GET_MANY];
    size_t lens[GET_MANY];
    rocksdb_pinnableslice_t *slices[GET_MANY];
    char *messages[GET_MANY];
};

/* Lets go of all that the answers hold; the first error counts. */
static int take_many(const struct database *db, struct many_keys *many, uint32_t first,
                     uint32_t count,
                     void (*found)(void *context, uint32_t number, struct bytes value),
                     void *context, struct error *err)
{
    int code = 0;

    for (uint32_t i = 0; i < count; i++) {
        struct bytes value;

        if (many->messages[i] && !code) {
            code = read_failed(db, many->messages[i], err);
        } else if (many->messages[i]) {
            rocksdb_free(many->messages[i]);
        }
        if (many->slices[i] && !code) {
            value.data = rocksdb_pinnableslice_value(many->slices[i], &value.len);
            found(context, first + i, value);
        }
        if (many->slices[i]) {
            rocksdb_pinnableslice_destroy(many->slices[i]);
        }
    }
    return code;
}

int database_get_many(struct database *db, enum database_space space, const struct bytes *keys,
                      uint32_t count,
                      void (*found)(void *context, uint32_t number, struct bytes value),
                      void *context, struct error *err)
{
    int code = 0;

    pthread_rwlock_rdlock(&db->gate);
    if (!db->handle) {
        code = not_open(db, err);
    }
    for (uint32_t done = 0; !code && done < count; done += GET_MANY) {
        uint32_t now = count - done < GET_MANY ? count - done : GET_MANY;
        struct many_keys many;

        for (uint32_t i = 0; i < now; i++) {
            many.data[i] = keys[done + i].data;
            many.lens[i] = keys[done + i].len;
        }
        rocksdb_batched_multi_get_cf(db->handle, db->read_once, db->spaces[space], now, many.data,
                                     many.lens, many.slices, many.messages, true);
        code = take_many(db, &many, done, now, found, context, err);
    }
    pthread_rwlock_unlock(&db->gate);
    return code;
}

/* --- batches --- */

struct database_batch {
    rocksdb_writebatch_t *inner;
    bool incomplete; /* something was to be put in while the database was closed */
};

struct database_batch *database_batch_create(void)
{
    struct database_batch *batch = memory_zalloc(1, sizeof *batch);

    batch->inner = rocksdb_writebatch_create();
    return batch;
}

void database_batch_destroy(struct database_batch *batch)
{
    if (batch) {
        rocksdb_writebatch_destroy(batch->inner);
        free(batch);
    }
}

void database_batch_clear(struct database_batch *batch)
{
    rocksdb_writebatch_clear(batch->inner);
    batch->incomplete = false;
}

size_t database_batch_bytes(const struct database_batch *batch)
{
    size_t len = 0;

    (void)rocksdb_writebatch_data(batch->inner, &len);
    return len;
}

/* What a batch keeps of a space's handle is its number, which is the same after reopening. */
static rocksdb_column_family_handle_t *
enter_space(struct database *db, struct database_batch *batch, enum database_space space)
{
    pthread_rwlock_rdlock(&db->gate);
    batch->incomplete = batch->incomplete || !db->handle;
    return db->handle ? db->spaces[space] : NULL;
}

static void leave_space(struct database *db)
{
    pthread_rwlock_unlock(&db->gate);
}

void database_put(struct database *db, struct database_batch *batch, enum database_space space,
                  struct bytes key, struct bytes value)
{
    rocksdb_column_family_handle_t *to = enter_space(db, batch, space);

    if (to) {
        rocksdb_writebatch_put_cf(batch->inner, to, key.data, key.len, value.data, value.len);
    }
    leave_space(db);
}

void database_delete(struct database *db, struct database_batch *batch, enum database_space space,
                     struct bytes key)
{
    rocksdb_column_family_handle_t *from = enter_space(db, batch, space);

    if (from) {
        rocksdb_writebatch_delete_cf(batch->inner, from, key.data, key.len);
    }
    leave_space(db);
}

void database_delete_range(struct database *db, struct database_batch *batch,
                           enum database_space space, struct bytes from, struct bytes upto)
{
    rocksdb_column_family_handle_t *in = enter_space(db, batch, space);

    if (in) {
        rocksdb_writebatch_delete_range_cf(batch->inner, in, from.data, from.len, upto.data,
                                           upto.len);
    }
    leave_space(db);
}

/*
 * One at a time: RocksDB ends the process when it is asked to flush a log of writes in which
 * one has failed, so nobody may come between that failure and the note of it.
 */
static bool begin_write(struct database *db)
{
    pthread_mutex_lock(&db->turn);
    if (atomic_load(&db->failed)) {
        pthread_mutex_unlock(&db->turn);
        return false;
    }
    return true;
}

static int end_write(struct database *db, char *message, struct error *err)
{
    int code = message ? write_failed(db, message, err) : 0;

    pthread_mutex_unlock(&db->turn);
    return code;
}

int database_write(struct database *db, const struct database_batch *batch, enum database_sync sync,
                   struct error *err)
{
    char *message = NULL;
    int code;

    pthread_rwlock_rdlock(&db->gate);
    if (!db->handle || batch->incomplete) {
        code = not_open(db, err);
    } else if (begin_write(db)) {
        rocksdb_write(db->handle, db->write[sync], batch->inner, &message);
        code = end_write(db, message, err);
    } else {
        code = not_reopened(db, err);
    }
    pthread_rwlock_unlock(&db->gate);
    return code;
}

int database_flush(struct database *db, struct error *err)
{
    char *message = NULL;
    int code;

    pthread_rwlock_rdlock(&db->gate);
    if (!db->handle) {
        code = not_open(db, err);
    } else if (begin_write(db)) {
        rocksdb_flush_wal(db->handle, 1, &message);
        code = end_write(db, message, err);
    } else {
        code = not_reopened(db, err);
    }
    pthread_rwlock_unlock(&db->gate);
    return code;
}

uint64_t database_range_bytes(struct database *db, enum database_space space, struct bytes from,
                              struct bytes upto)
{
    uint64_t size = 0;
    char *message = NULL;

    pthread_rwlock_rdlock(&db->gate);
    if (db->handle) {
        rocksdb_approximate_sizes_cf(db->handle, db->spaces[space], 1, &from.data, &from.len,
                                     &upto.data, &upto.len, &size, &message);
        rocksdb_free(message);
    }
    pthread_rwlock_unlock(&db->gate);
    return size;
}

/* --- cursors --- */

struct database_cursor *database_cursor_open(struct database *db, enum database_space space,
                                             struct bytes from, struct bytes upto)
{
    struct database_cursor *cursor = memory_zalloc(1, sizeof *cursor);

    cursor->db = db;
    cursor->read = rocksdb_readoptions_create();
    buffer_append_bytes(&cursor->bounds, from);
    buffer_append_bytes(&cursor->bounds, upto);
    rocksdb_readoptions_set_iterate_lower_bound(cursor->read, cursor->bounds.data, from.len);
    rocksdb_readoptions_set_iterate_upper_bound(cursor->read, cursor->bounds.data + from.len,
                                                upto.len);
    pthread_rwlock_rdlock(&db->gate);
    if (db->handle) {
        cursor->iterator = rocksdb_create_iterator_cf(db->handle, cursor->read, db->spaces[space]);
    }
    return cursor;
}

void database_cursor_close(struct database_cursor *cursor)
{
    if (!cursor) {
        return;
    }
    if (cursor->iterator) {
        rocksdb_iter_destroy(cursor->iterator);
    }
    pthread_rwlock_unlock(&cursor->db->gate);
    rocksdb_readoptions_destroy(cursor->read);
    buffer_fini(&cursor->bounds);
    free(cursor);
}

bool database_cursor_seek(struct database_cursor *cursor, struct bytes key)
{
    if (!cursor->iterator) {
        return false;
    }
    rocksdb_iter_seek(cursor->iterator, key.data, key.len);
    return rocksdb_iter_valid(cursor->iterator);
}

bool database_cursor_seek_last(struct database_cursor *cursor, struct bytes key)
{
    if (!cursor->iterator) {
        return false;
    }
    rocksdb_iter_seek_for_prev(cursor->iterator, key.data, key.len);
    return rocksdb_iter_valid(cursor->iterator);
}

bool database_cursor_next(struct database_cursor *cursor)
{
    rocksdb_iter_next(cursor->iterator);
    return rocksdb_iter_valid(cursor->iterator);
}

struct bytes database_cursor_key(const struct database_cursor *cursor)
{
    struct bytes key;

    key.data = rocksdb_iter_key(cursor->iterator, &key.len);
    return key;
}

struct bytes database_cursor_value(const struct database_cursor *cursor)
{
    struct bytes value;

    value.data = rocksdb_iter_value(cursor->iterator, &value.len);
    return value;
}

int database_cursor_check(const struct database_cursor *cursor, struct error *err)
{
    char *message = NULL;

    if (!cursor->iterator) {
        return not_open(cursor->db, err);
    }
    rocksdb_iter_get_error(cursor->iterator, &message);
    return message ? read_failed(cursor->db, message, err) : 0;
}
