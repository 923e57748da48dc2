/*
 * database.h: the one RocksDB of the process: ordered bytes that outlive it.
 *
 * Opened only where there is a data directory. The disk log and the checkpoints of
 * state keep their keys in a space of their own each; a batch may write to both
 * and is there as a whole or not at all, after a crash as well.
 *
 * A write that fails leaves its outcome unknown and the database without further
 * writes until database_reopen, which finds out.
 *
 * All calls from any thread; a batch or a cursor from one at a time.
 */
#ifndef SLUICE_ENGINE_LOG_DATABASE_H
#define SLUICE_ENGINE_LOG_DATABASE_H

#include "base/error.h"

struct database;
struct database_batch;
struct database_cursor;

enum database_space { DATABASE_LOG, DATABASE_STATE, DATABASE_SPACE_COUNT };

/* Does a write wait until it would outlive a power cut? One of a killed process it does anyway. */
enum database_sync { DATABASE_NO_SYNC, DATABASE_SYNC };

/*
 * The directory's parent must exist. ERR_IO: not readable, disk full, in use by another
 * process; ERR_LOG_DAMAGED: the files are not what was written.
 */
int database_open(const char *directory, struct database **out, struct error *err);
void database_close(struct database *db);            /* no cursor may be open; NULL is allowed */
bool database_has_failed(const struct database *db); /* it takes no writes until it is reopened */
bool database_is_open(struct database *db); /* false: reopening has failed, even for reading */
/*
 * After a failed write: what is on disk is the truth. Whoever finds that one has failed may do it.
 * Waits for open cursors. ERR_IO while the disk is full: what is there can be read meanwhile.
 */
int database_reopen(struct database *db, struct error *err);

/* Replaces what is in the buffer. */
int database_get(struct database *db, enum database_space space, struct bytes key,
                 struct buffer *out, bool *found, struct error *err);

/*
 * Several at once, of ascending keys, none twice: cheaper than one by one. `found` is called for
 * those that are there, with the number of the key, in no order; its value is for that call only.
 */
int database_get_many(struct database *db, enum database_space space, const struct bytes *keys,
                      uint32_t count,
                      void (*found)(void *context, uint32_t number, struct bytes value),
                      void *context, struct error *err);

struct database_batch *database_batch_create(void);
void database_batch_destroy(struct database_batch *batch);
void database_batch_clear(struct database_batch *batch);
size_t database_batch_bytes(const struct database_batch *batch);
/* Into a batch that will be written to this database; the bytes are copied. */
void database_put(struct database *db, struct database_batch *batch, enum database_space space,
                  struct bytes key, struct bytes value);
void database_delete(struct database *db, struct database_batch *batch, enum database_space space,
                     struct bytes key);
/* From the first key on, up to but without the second. */
void database_delete_range(struct database *db, struct database_batch *batch,
                           enum database_space space, struct bytes from, struct bytes upto);
/* ERR_LOG_UNAVAILABLE: the outcome is unknown (disk full, input or output error). */
int database_write(struct database *db, const struct database_batch *batch, enum database_sync sync,
                   struct error *err);
/* All that was written before is there after a power cut as well. */
int database_flush(struct database *db, struct error *err);
/* How much the keys of a range take on disk, about. */
uint64_t database_range_bytes(struct database *db, enum database_space space, struct bytes from,
                              struct bytes upto);

/*
 * Walks keys in order, as they were when it was opened. Stands nowhere at first.
 * Keys below `from`, or not below `upto`, do not exist for it; both are copied.
 */
struct database_cursor *database_cursor_open(struct database *db, enum database_space space,
                                             struct bytes from, struct bytes upto);
void database_cursor_close(struct database_cursor *cursor);
bool database_cursor_seek(struct database_cursor *cursor, struct bytes key); /* at or behind it */
bool database_cursor_seek_last(struct database_cursor *cursor, struct bytes key); /* at or before */
bool database_cursor_next(struct database_cursor *cursor);
/* Of where it stands; until it moves. */
struct bytes database_cursor_key(const struct database_cursor *cursor);
struct bytes database_cursor_value(const struct database_cursor *cursor);
/* Why it stands nowhere: 0, there is no such key. */
int database_cursor_check(const struct database_cursor *cursor, struct error *err);

#endif
