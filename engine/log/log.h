/*
 * log.h: topics, partitions, records, groups and transactions, wherever they live.
 *
 * Three implementations stand behind this one interface: log_memory (arrays),
 * log_disk (RocksDB) and log_kafka (librdkafka). Nothing to the right of
 * engine/log knows which it talks to; one contract test holds for all three.
 *
 * Everything moves in blocks. A block that was read is reference-counted and its
 * bytes are never copied; a block that is written is handed over whole.
 *
 * Reading: a reader has one position per assigned partition and hands out
 * blocks of any of them; with READ_COMMITTED nothing beyond the last stable
 * offset is seen and aborted records never. Offsets may have gaps.
 *
 * Writing: a writer with a transactional id is the only one of that id; opening it
 * fences the former one, whose calls then answer ERR_FENCED. All that is
 * appended between begin and commit appears at once, together with the
 * positions given to log_writer_send_positions, or not at all.
 *
 *   begin -> append ... -> send_positions -> commit        (or abort at any point)
 *
 * send_positions is the fence of the group: under a generation that is no
 * longer the group's it fails with ERR_FENCED and the transaction can only be aborted.
 * A commit that fails with ERR_LOG_UNAVAILABLE has an unknown outcome: the caller
 * forgets its state, opens a new writer and reads what came to be.
 *
 * Membership: members of a group share out the partitions of one (empty) topic.
 * Revoke and assign are called from within log_member_poll.
 *
 * Time is that of the clock given at creation. Under a virtual clock no call waits: what
 * is not there now is not there, whatever wait_ms says.
 *
 * Threads: a struct log and its topics may be used from any thread; a reader,
 * writer or member from one thread at a time. log_reader_wake is safe from any.
 */
#ifndef SLUICE_ENGINE_LOG_LOG_H
#define SLUICE_ENGINE_LOG_LOG_H

#include <stdatomic.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/error.h"
#include "engine/type/row_batch.h"

struct log;
struct log_reader;
struct log_writer;
struct log_member;

/* --- topics --- */

struct topic_config {
    struct bytes name; /* cleanup.policy, retention.ms, ... */
    struct bytes value;
};

struct topic_spec {
    struct bytes name;
    uint32_t partition_count;
    uint32_t replica_count; /* 0: the log's default */
    const struct topic_config *configs;
    uint32_t config_count;
};

/* A topic as found when it was opened. Lives as long as the log; safe from any thread. */
struct log_topic {
    struct bytes name;
    uint32_t partition_count;
    uint32_t replica_count;
    /*
     * Differs when a topic is deleted and created again. The upper half says who counted: 0 the
     * log, whose count is for ever, else the process, which knows what it has seen itself.
     */
    uint64_t incarnation;
};

/* Whether it is known to be another one than that which had this incarnation. */
bool log_topic_was_replaced(const struct log_topic *topic, uint64_t incarnation);

enum log_isolation { READ_COMMITTED, READ_UNCOMMITTED };

struct log_range {
    int64_t begin; /* first offset still there */
    int64_t end;   /* behind the last one that the isolation lets see */
};

/* ERR_TOPIC_EXISTS, ERR_INVALID_NAME, ERR_INVALID_PROPERTY. */
int log_create_topic(struct log *log, const struct topic_spec *spec, struct error *err);
int log_delete_topic(struct log *log, struct bytes name, struct error *err); /* ERR_UNKNOWN_TOPIC */
int log_open_topic(struct log *log, struct bytes name, const struct log_topic **out,
                   struct error *err); /* ERR_UNKNOWN_TOPIC */
/* All topics, by name; the array and its names are in the arena. */
int log_list_topics(struct log *log, struct arena *arena, const struct log_topic ***out,
                    uint32_t *count, struct error *err);
/* A topic's settings that differ from the log's defaults. */
int log_topic_configs(struct log *log, const struct log_topic *topic, struct arena *arena,
                      const struct topic_config **out, uint32_t *count, struct error *err);
int log_topic_range(struct log *log, const struct log_topic *topic, uint32_t partition,
                    enum log_isolation isolation, struct log_range *out, struct error *err);
/* Deletes the records before the offset (consumed repartition topics). */
int log_delete_records(struct log *log, const struct log_topic *topic, uint32_t partition,
                       int64_t before, struct error *err);

/* --- blocks --- */

struct log_record {
    int64_t offset;
    int64_t timestamp_ms;
    struct bytes key;   /* absent: null key */
    struct bytes value; /* absent: null value */
    const struct record_header *headers;
    uint32_t header_count;
};

/* Records of one partition, by ascending offset. Read-only once handed out. */
struct log_block {
    _Atomic uint32_t references;
    uint32_t partition;
    const struct log_topic *topic;
    const struct log_record *records;
    uint32_t record_count;
    int64_t next_offset;                      /* where reading goes on behind this block */
    size_t size_bytes;                        /* for budgets */
    void (*release)(struct log_block *block); /* the last reference is gone */
};

void log_block_ref(struct log_block *block);
void log_block_unref(struct log_block *block);

/*
 * A block in the making. Encoders append straight to `bytes`:
 *
 *     log_builder_begin(b);  encode key into b->bytes;
 *     log_builder_end_key(b, has_key);  encode value into b->bytes;
 *     log_builder_end_record(b, has_value, timestamp_ms, headers, count);
 *
 * or log_builder_cancel(b) to take back what was begun. Headers are copied.
 */
struct log_builder {
    struct buffer bytes;
    struct builder_record *records;
    uint32_t record_count;
    uint32_t record_capacity;
    size_t begun_at;
    size_t key_end;
    bool has_key;
};

struct builder_record {
    int64_t timestamp_ms;
    size_t begin;       /* into bytes: key, then value, then headers */
    uint32_t key_len;   /* UINT32_MAX: null */
    uint32_t value_len; /* UINT32_MAX: null */
    uint32_t header_count;
    uint32_t headers_len; /* as log_builder.c lays them out */
};

void log_builder_fini(struct log_builder *b);
void log_builder_reset(struct log_builder *b); /* keeps its memory */
void log_builder_begin(struct log_builder *b);
void log_builder_end_key(struct log_builder *b, bool has_key);
void log_builder_end_record(struct log_builder *b, bool has_value, int64_t timestamp_ms,
                            const struct record_header *headers, uint32_t header_count);
void log_builder_cancel(struct log_builder *b);
/* The whole of it for those who have the bytes already. */
void log_builder_add(struct log_builder *b, struct bytes key, struct bytes value,
                     int64_t timestamp_ms, const struct record_header *headers,
                     uint32_t header_count);
/* The builder's records as log_records pointing into it; the array is in the arena. */
const struct log_record *log_builder_records(const struct log_builder *b, struct arena *arena);

/* --- reading --- */

struct reader_spec {
    struct bytes client_id;
    enum log_isolation isolation;
    bool is_brief; /* reads what is there and is in a hurry: it never waits for more */
};

enum { OFFSET_BEGIN = -2, OFFSET_END = -1 };

int log_reader_open(struct log *log, const struct reader_spec *spec, struct log_reader **out,
                    struct error *err);
void log_reader_close(struct log_reader *reader);
/*
 * From an offset, OFFSET_BEGIN or OFFSET_END; assigning again moves the position and ends
 * a pause. An offset or a topic that is not there is found out by the poll.
 */
int log_reader_assign(struct log_reader *reader, const struct log_topic *topic, uint32_t partition,
                      int64_t from, struct error *err);
void log_reader_unassign(struct log_reader *reader, const struct log_topic *topic,
                         uint32_t partition);
/* A paused partition keeps its position and yields nothing. */
void log_reader_pause(struct log_reader *reader, const struct log_topic *topic, uint32_t partition);
void log_reader_resume(struct log_reader *reader, const struct log_topic *topic,
                       uint32_t partition);
/*
 * The next block of any assigned partition, with a reference for the caller; NULL when
 * nothing came within the time (0: only what is there). Fairly, partition by
 * partition. ERR_OUT_OF_RANGE, ERR_TOPIC_GONE, ERR_NOT_AUTHORIZED and ERR_LOG_DAMAGED (what comes
 * next cannot be read) name the partition in `failed` and pause it where it stands; the others
 * go on.
 */
struct log_place {
    const struct log_topic *topic;
    uint32_t partition;
};
int log_reader_poll(struct log_reader *reader, int64_t wait_ms, struct log_block **out,
                    struct log_place *failed, struct error *err);
void log_reader_wake(struct log_reader *reader); /* ends a waiting poll; any thread */
/* True when the position has reached the last stable offset of every assigned, unpaused partition.
 */
bool log_reader_at_end(struct log_reader *reader);
/*
 * Everything before this offset was handed out or does not exist (aborted, a marker,
 * compacted away), so at the end of the log it is log_range.end, which a block's
 * next_offset need not reach. -1 when the partition is not assigned.
 */
int64_t log_reader_position(struct log_reader *reader, const struct log_topic *topic,
                            uint32_t partition);

/* --- writing --- */

struct writer_spec {
    struct bytes client_id;
    struct bytes transactional_id; /* absent: no transactions; appends are durable at flush */
    int64_t transaction_timeout_ms;
    /* A record of that owner was refused (size, rights, topic gone). Called from writer calls. */
    void (*refused)(void *context, void *owner, const struct error *why);
    void *context;
};

struct group_position {
    const struct log_topic *topic;
    uint32_t partition;
    int64_t offset;
    struct bytes metadata;
};

/* What a member is at this moment; a copy, good until the generation changes. */
struct group_membership {
    struct bytes group;
    struct bytes member_id;
    struct bytes instance_id;
    int32_t generation;
};

int log_writer_open(struct log *log, const struct writer_spec *spec, struct log_writer **out,
                    struct error *err);
void log_writer_close(struct log_writer *writer); /* aborts what is open */
int log_writer_begin(struct log_writer *writer, struct error *err);
/*
 * Takes the builder's records and leaves it empty with memory to go on, also when it
 * fails. `owner` comes back in refused(), from this or a later call; append itself answers
 * 0 then, the next flush or commit ERR_RECORD_REFUSED, and a transaction can only be
 * aborted. Records keep their order within (writer, partition).
 */
int log_writer_append(struct log_writer *writer, const struct log_topic *topic, uint32_t partition,
                      struct log_builder *records, void *owner, struct error *err);
int log_writer_flush(struct log_writer *writer, struct error *err); /* all acknowledged */
int log_writer_send_positions(struct log_writer *writer, const struct group_membership *member,
                              const struct group_position *positions, uint32_t count,
                              struct error *err);
int log_writer_commit(struct log_writer *writer, struct error *err);
int log_writer_abort(struct log_writer *writer, struct error *err);

/* --- groups --- */

struct member_spec {
    struct bytes group;
    struct bytes topic;       /* whose partitions are shared out */
    struct bytes client_id;   /* the node's advertised URL */
    struct bytes instance_id; /* absent: a dynamic member */
    int64_t session_timeout_ms;
    /*
     * How long a member that is alive may go without polling, where it shows that it is (Kafka); 0:
     * the session timeout. A recovery within a callback takes its time.
     */
    int64_t poll_timeout_ms;
    void (*assigned)(void *context, const uint32_t *partitions, uint32_t count);
    void (*revoked)(void *context, const uint32_t *partitions, uint32_t count);
    void (*lost)(void *context, const uint32_t *partitions,
                 uint32_t count); /* too late to commit */
    void *context;
};

int log_member_join(struct log *log, const struct member_spec *spec, struct log_member **out,
                    struct error *err);
/*
 * Keeps the membership alive and calls back; returns within the time. Sharing out takes
 * several polls of every member: what moves is revoked first, and assigned once its
 * former owner has let go of it. A member that came too late (session_timeout_ms) gets
 * `lost` and joins anew by itself; a static one whose instance id another handle has
 * taken gets `lost` and ERR_FENCED, and only leaving remains.
 */
int log_member_poll(struct log_member *member, int64_t wait_ms, struct error *err);
/* Revokes first. A static member's partitions wait for its return until the session times out. */
void log_member_leave(struct log_member *member);
/* Strings live until the next poll. */
struct group_membership log_member_current(struct log_member *member);

struct group_owner {
    uint32_t partition;
    struct bytes member_id;
    struct bytes client_id;
    struct bytes instance_id;
};
int log_group_owners(struct log *log, struct bytes group, struct arena *arena,
                     struct group_owner **out, uint32_t *count, struct error *err);
/*
 * Committed offsets, -1 where none. A transaction that holds pending ones sent under an
 * older generation is waited for, or its commit is refused with ERR_FENCED: either way
 * no commit of a former owner can come behind the answer.
 */
int log_group_positions(struct log *log, struct bytes group, struct group_position *positions,
                        uint32_t count, struct arena *arena, struct error *err);
/* Only of a group without members: else ERR_FENCED; the same holds for deleting. */
int log_group_alter(struct log *log, struct bytes group, const struct group_position *positions,
                    uint32_t count, struct error *err);
int log_group_delete(struct log *log, struct bytes group,
                     struct error *err); /* 0 if there is none */

/* --- the log itself --- */

/* Kafka's murmur2 over the key bytes: the partition that every Kafka client chooses. */
uint32_t log_partition_of(struct bytes key, uint32_t partition_count);
int32_t log_murmur2(struct bytes key);

/* Of the Kafka cluster, in the arena; absent where the log is this process's own, or nobody says.
 */
struct bytes log_cluster_id(struct log *log, struct arena *arena);

struct log *log_memory_create(const struct clock *clock);
void log_close(struct log *log);

#endif
