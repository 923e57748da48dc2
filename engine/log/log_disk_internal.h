/*
 * log_disk_internal.h: what the files of the disk log share.
 *
 * Keys, big-endian so that they sort as their numbers do; a topic is its incarnation:
 *
 *   B topic partition offset     block of records that begins at the offset
 *   P topic partition            what of a partition its blocks do not say
 *   T topic                      name, partitions, settings
 *   G length group topic part.   a position of a group
 *   M                            the last incarnation that was given
 */
#ifndef SLUICE_ENGINE_LOG_LOG_DISK_INTERNAL_H
#define SLUICE_ENGINE_LOG_LOG_DISK_INTERNAL_H

#include "engine/log/database.h"
#include "engine/log/log_disk.h"
#include "engine/log/log_memory_internal.h"

struct disk_request;
struct disk_cleaning;

struct disk_log {
    struct memory_log memory; /* first */
    struct database *database;
    enum log_fsync fsync;
    struct database_batch *batch; /* of whoever is writing */
    bool writing;                 /* the mutex guards this and the next four */
    bool failed;                  /* a write's outcome is unknown until the database was reopened */
    bool unflushed;
    struct disk_request *queue_first, *queue_last;
    int64_t retry_at_ms;
    struct disk_cleaning *cleaning; /* the keeper's own, as the next three */
    uint64_t tidied_incarnation;    /* how far this round has come */
    uint32_t tidied_partition;      /* of the topic behind that one */
    int64_t next_round_ms;
    pthread_t keeper;
    bool has_keeper;
    bool stop;           /* the mutex guards it */
    pthread_cond_t wake; /* of the keeper */
};

struct disk_log *disk_log_of(struct memory_log *log);

/* --- keys (log_disk_block.c) --- */

enum { DISK_KEY_MAX = 21 };

struct disk_key {
    size_t len;
    char data[DISK_KEY_MAX];
};

struct disk_key disk_block_key(const struct log_topic *topic, uint32_t partition, int64_t offset);
struct disk_key disk_partition_key(const struct log_topic *topic, uint32_t partition);
struct bytes disk_key_bytes(const struct disk_key *key);
int64_t disk_key_offset(struct bytes key); /* of a block's key */
uint64_t disk_read_u64(const char *at);    /* big-endian, as all in keys and small values */
uint32_t disk_read_u32(const char *at);
void disk_append_u64(struct buffer *out, uint64_t value);
void disk_append_u32(struct buffer *out, uint32_t value);

/* --- blocks (log_disk_block.c) --- */

enum { DISK_BLOCK_BYTES = 65536 };

/* What a block says of itself in front. */
struct disk_block {
    uint32_t record_count;
    uint32_t header_count;
    uint32_t last_delta; /* its last record's offset - its first one's */
    int64_t max_timestamp_ms;
};

/* Appends records of ascending offsets, from one to as many as fit; returns how many. */
uint32_t disk_block_encode(const struct log_record *records, uint32_t count, struct buffer *out);
uint32_t disk_block_record_count(struct bytes block); /* of one just encoded */
/* ERR_LOG_DAMAGED when the checksum or the version is wrong. */
int disk_block_check(struct bytes block, const struct memory_partition *of, int64_t base,
                     struct disk_block *out, struct error *err);
/* Of a checked block: record_count records and header_count headers, which point into it. */
int disk_block_decode(struct bytes block, const struct memory_partition *of, int64_t base,
                      struct log_record *records, struct record_header *headers, struct error *err);

/* --- partitions (log_disk.c) --- */

struct disk_partition {
    int64_t begin;
    int64_t end;     /* at least */
    int64_t cleaned; /* compaction has seen all before it */
};

int disk_partition_get(struct disk_log *disk, const struct memory_partition *of,
                       struct disk_partition *out, struct error *err);
void disk_partition_put(struct disk_log *disk, struct database_batch *batch,
                        const struct memory_partition *of, const struct disk_partition *from);
/* Over the blocks of the partition whose first record is below `end`. */
struct database_cursor *disk_cursor_open(struct disk_log *disk, const struct memory_partition *of,
                                         int64_t end);
/* The block in which the offset is, or the next one. */
bool disk_cursor_seek(struct database_cursor *cursor, const struct memory_partition *of,
                      int64_t offset, struct error *err);
int disk_load_positions(struct disk_log *disk, struct error *err);
void disk_append_position_key(struct buffer *out, struct bytes group, const struct log_topic *topic,
                              uint32_t partition);

/* --- commits (log_disk_commit.c) --- */

void disk_prepare(struct memory_transaction *transaction);
int disk_commit_locked(struct memory_log *log, struct memory_transaction *transaction,
                       struct error *err);
int disk_flush(struct memory_log *log, struct error *err);
/* Nobody writes and nobody will until the mutex is let go of. */
void disk_wait_for_writers_locked(struct disk_log *disk);
/* Opens the database again if that has failed before and may work now. */
int disk_need_open(struct disk_log *disk, struct error *err);
int disk_need_open_locked(struct disk_log *disk, struct error *err);
/* A small write of its own; waits for the disk if commits do. */
int disk_write_now(struct disk_log *disk, struct database_batch *batch, struct error *err);

/* --- housekeeping (log_disk_tidy.c) --- */

void disk_keeper_start(struct disk_log *disk);
void disk_keeper_stop(struct disk_log *disk);

#endif
