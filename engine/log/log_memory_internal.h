/*
 * log_memory_internal.h: what the files of the memory log share.
 *
 * One mutex, log->mutex, guards everything that is reachable from the log; calls
 * that expect it held are named ..._locked. It is held per block, never per record
 * but for numbering a block's records as they are published. What is published
 * does not change, so readers use it without the mutex.
 *
 * One mutex also is what makes a commit atomic: whoever sees part of a
 * transaction has taken the mutex after all of it was there.
 *
 * The disk log is this log with a storage beside it: what is committed is written
 * there first, and of the records only the newest stay in memory.
 */
#ifndef SLUICE_ENGINE_LOG_LOG_MEMORY_INTERNAL_H
#define SLUICE_ENGINE_LOG_LOG_MEMORY_INTERNAL_H

#include <pthread.h>

#include "base/map.h"
#include "engine/log/log_kind.h"
#include "engine/log/log_memory.h"

/* --- chunks (log_memory_chunk.c): where records lie --- */

/*
 * Records with their bytes, in one of two forms. Adopted: the records of one large
 * builder, whose buffer it owns. A page: records grow up from `records`, their
 * bytes grow down from the end, and it takes more as long as there is room.
 */
struct chunk {
    _Atomic uint32_t references; /* the partition's or writer's, and one per block handed out */
    uint32_t record_count;
    size_t used_bytes; /* records and what they point to */
    char *adopted;     /* NULL: a page */
    char *low;         /* a page's lowest byte in use */
    char *end;         /* behind the page */
    struct log_record *records;
};

struct chunk *chunk_adopt(struct log_builder *from);
struct chunk *chunk_page_create(size_t size);
bool chunk_has_room(const struct chunk *page, const struct log_builder *from);
void chunk_append(struct chunk *page, const struct log_builder *from);
size_t chunk_bytes_needed(const struct log_builder *from); /* in an empty page */
void chunk_clear(struct chunk *page);                      /* of the only holder: empty again */
void chunk_unref(struct chunk *chunk);
/*
 * For so many records and headers, which the caller fills in; takes over the bytes they will
 * point to. chunk_headers is where the headers have room.
 */
struct chunk *chunk_around(char *bytes, size_t len, size_t record_count, size_t header_count);
struct record_header *chunk_headers(struct chunk *chunk);

/* A builder of at least so many bytes is adopted, a smaller one copied. */
enum { CHUNK_ADOPT_BYTES = 4096, CHUNK_PAGE_BYTES_MAX = 65536, BLOCK_BYTES_MAX = 131072 };

/* --- topics --- */

struct memory_topic;
struct memory_storage;
struct memory_transaction;
struct assignment;

struct chunk_entry {
    int64_t first_offset;
    struct chunk *chunk;
};

struct memory_partition {
    struct memory_topic *topic;
    uint32_t index;
    uint32_t first; /* of entries that is still there */
    uint32_t entry_count;
    uint32_t entry_capacity;
    struct chunk_entry *entries; /* by offset */
    int64_t begin;
    int64_t end;       /* the next record's offset */
    int64_t data_end;  /* behind the last record; end is higher after gaps */
    int64_t promised;  /* the storage's: the end once what is being written is there */
    bool loaded;       /* begin, end and data_end are known; without a storage from the start */
    size_t page_bytes; /* size of the newest page */
    struct assignment *assignments;
    size_t resident_bytes;                    /* of its chunks */
    struct memory_partition *colder, *warmer; /* those with chunks, by their last publishing */
};

struct memory_topic {
    struct log_topic pub;      /* first */
    struct memory_topic *next; /* of all that ever were */
    struct memory_log *log;
    bool gone;
    int64_t max_record_bytes;
    struct arena arena; /* name, configs */
    struct topic_config *configs;
    uint32_t config_count;
    struct memory_partition *partitions;
};

/* --- the log --- */

struct memory_log {
    struct log log; /* first */
    const struct clock *clock;
    const struct memory_storage *storage; /* NULL: memory is all there is */
    pthread_mutex_t changes; /* one at a time changes topics, begins or positions; taken first */
    pthread_mutex_t mutex;   /* all below and whatever hangs on it */
    pthread_cond_t settled;  /* a commit under way has come to its end */
    size_t resident_bytes;   /* of all chunks in partitions */
    size_t resident_max;
    struct memory_partition *coldest, *warmest;
    struct map topics; /* by name; without those deleted */
    struct memory_topic *all_topics;
    struct map groups;
    struct map producers; /* by transactional id */
    uint64_t last_incarnation;
    uint64_t last_member;
    uint32_t gap;
    uint32_t countdown[LOG_FAULT_COUNT]; /* 0: none */
};

struct memory_log *memory_log_of(struct log *log);
/* The writable topic behind the one that was handed out. */
struct memory_topic *memory_topic_of(const struct log_topic *topic);
struct memory_partition *memory_partition_of(const struct log_topic *topic, uint32_t partition);
bool memory_fault_locked(struct memory_log *log, enum log_fault point);
void memory_topic_remove_locked(struct memory_log *log, struct memory_topic *topic);
int memory_topic_gone(const struct memory_topic *topic, struct error *err);

/* --- what a log with a storage begins with --- */

void memory_log_init(struct memory_log *log, const struct clock *clock);
struct memory_topic *memory_topic_make(const struct topic_spec *spec);
void memory_topic_add_locked(struct memory_log *log, struct memory_topic *topic);
/* Learns begin and end of the partition from the storage, once. */
int memory_partition_load_locked(struct memory_partition *partition, struct error *err);
extern const struct log_kind log_memory; /* its calls serve a log with a storage too */

int64_t memory_now_ms(const struct memory_log *log); /* for time-outs: never runs back */
/* When a wait of so many milliseconds from now ends; false under a virtual clock: no waiting. */
bool memory_deadline(const struct memory_log *log, int64_t wait_ms, struct timespec *out);
struct bytes memory_copy(struct bytes text); /* by malloc; absent stays absent */
void memory_free(struct bytes copy);

/* --- partitions (log_memory_chunk.c) --- */

/*
 * Numbers the chunk's records and makes them readable. Takes over the chunk, unless
 * it is small: then its records are copied behind the last ones and the answer is false.
 */
bool partition_publish_locked(struct memory_partition *partition, struct chunk *chunk);
/* A block from the position on, which must lie in begin..data_end - 1, not before the chunks. */
struct log_block *partition_read_locked(struct memory_partition *partition, int64_t position);
/* The offset of the first record that has a chunk, or data_end. */
int64_t partition_first_resident(const struct memory_partition *partition);
/* A block of the chunk, whose reference it takes over; the position is not behind its last. */
struct log_block *chunk_block(struct chunk *chunk, struct memory_partition *of, int64_t position);
void partition_drop_chunks_locked(struct memory_partition *partition);
/* Lets go of the oldest chunks of the coldest partitions until the rest fits the budget. */
void memory_evict_locked(struct memory_log *log);
void partition_trim_locked(struct memory_partition *partition, int64_t before);
void partition_fini(struct memory_partition *partition);

/* --- readers (log_memory_reader.c) --- */

/* Readers of the partition look again: it has grown, shrunk or gone. */
void partition_changed_locked(struct memory_partition *partition);

int memory_reader_open(struct log *log, const struct reader_spec *spec, struct log_reader **out,
                       struct error *err);
void memory_reader_close(struct log_reader *reader);
int memory_reader_assign(struct log_reader *reader, const struct log_topic *topic,
                         uint32_t partition, int64_t from, struct error *err);
void memory_reader_unassign(struct log_reader *reader, const struct log_topic *topic,
                            uint32_t partition);
void memory_reader_pause(struct log_reader *reader, const struct log_topic *topic,
                         uint32_t partition);
void memory_reader_resume(struct log_reader *reader, const struct log_topic *topic,
                          uint32_t partition);
int memory_reader_poll(struct log_reader *reader, int64_t wait_ms, struct log_block **out,
                       struct log_place *failed, struct error *err);
void memory_reader_wake(struct log_reader *reader);
bool memory_reader_at_end(struct log_reader *reader);
int64_t memory_reader_position(struct log_reader *reader, const struct log_topic *topic,
                               uint32_t partition);

/* --- writers (log_memory_writer.c) --- */

/* What a writer has for one partition. Kept from transaction to transaction. */
struct staged {
    struct memory_partition *at;
    struct chunk **chunks;
    uint32_t chunk_count;
    uint32_t chunk_capacity;
    uint64_t record_count;
    struct buffer encoded; /* the storage's */
    int64_t first_offset;  /* as well: the first record's, once it is known */
};

/* What becomes visible at once. */
struct memory_transaction {
    struct staged **touched;
    uint32_t touched_count;
    uint32_t touched_capacity;
    struct pending_positions *pending; /* in the groups' lists too, under the mutex */
    bool is_commit;                    /* else appends, which flush makes durable */
};

/* Publishes the chunks, stores the positions. */
void memory_apply_locked(struct memory_log *log, struct memory_transaction *transaction);

struct memory_producer;

void memory_producer_destroy(struct memory_producer *producer);

int memory_writer_open(struct log *log, const struct writer_spec *spec, struct log_writer **out,
                       struct error *err);
void memory_writer_close(struct log_writer *writer);
int memory_writer_begin(struct log_writer *writer, struct error *err);
int memory_writer_append(struct log_writer *writer, const struct log_topic *topic,
                         uint32_t partition, struct log_builder *records, void *owner,
                         struct error *err);
int memory_writer_flush(struct log_writer *writer, struct error *err);
int memory_writer_send_positions(struct log_writer *writer, const struct group_membership *member,
                                 const struct group_position *positions, uint32_t count,
                                 struct error *err);
int memory_writer_commit(struct log_writer *writer, struct error *err);
int memory_writer_abort(struct log_writer *writer, struct error *err);

/* --- groups: positions (log_memory_group.c), members (log_memory_member.c) --- */

struct participant;

struct stored_position {
    struct memory_topic *topic;
    uint32_t partition;
    int64_t offset;
    struct bytes metadata; /* owned */
};

/* Sorted by topic and partition. */
struct position_set {
    struct stored_position *items;
    uint32_t count;
    uint32_t capacity;
};

/* Positions sent in a transaction that is still open; a writer's own, linked into its group. */
struct pending_positions {
    struct pending_positions *next; /* of the writer */
    struct pending_positions *group_next;
    struct memory_group *group;
    struct bytes member_id; /* owned */
    int32_t generation;
    bool fenced;     /* a new owner has read the positions: they must not be committed any more */
    bool committing; /* the storage writes them at this moment */
    struct position_set positions;
};

struct memory_group {
    struct bytes name; /* owned */
    struct position_set positions;
    struct pending_positions *pending;

    struct memory_topic *topic; /* shared out; NULL before the first member */
    int32_t generation;
    bool rebalancing;                  /* until every member has polled */
    struct participant **participants; /* in order of joining */
    uint32_t participant_count;
    uint32_t participant_capacity;
    struct participant **owner;  /* per partition: who holds it; NULL: nobody */
    struct participant **target; /* per partition: who may hold it in this generation */
    pthread_cond_t changed;
};

struct memory_group *memory_group_get_locked(struct memory_log *log, struct bytes name);
struct memory_group *memory_group_find_locked(struct memory_log *log, struct bytes name);
void memory_group_destroy(struct memory_group *group);
void position_set_put(struct position_set *set, const struct group_position *position);
void position_set_fini(struct position_set *set);
/*
 * Is this a membership of the group's generation? Generation -1 without a member id is
 * one of a group that has no members.
 */
bool memory_group_has_locked(const struct memory_group *group, struct bytes member_id,
                             int32_t generation);
/* Participants that have not polled in time are put out. */
void memory_group_expire_locked(struct memory_log *log, struct memory_group *group);
void memory_group_free_members(struct memory_group *group);

int memory_member_join(struct log *log, const struct member_spec *spec, struct log_member **out,
                       struct error *err);
int memory_member_poll(struct log_member *member, int64_t wait_ms, struct error *err);
void memory_member_leave(struct log_member *member);
struct group_membership memory_member_current(struct log_member *member);
int memory_group_owners(struct log *log, struct bytes group, struct arena *arena,
                        struct group_owner **out, uint32_t *count, struct error *err);
int memory_group_positions(struct log *log, struct bytes group, struct group_position *positions,
                           uint32_t count, struct arena *arena, struct error *err);
int memory_group_alter(struct log *log, struct bytes group, const struct group_position *positions,
                       uint32_t count, struct error *err);
int memory_group_delete(struct log *log, struct bytes group, struct error *err);

/* --- storage: what keeps the log's content beyond the process (log_disk.c) --- */

/* Calls named ..._locked come with the mutex held, the others without. */
struct memory_storage {
    void (*close)(struct memory_log *log); /* before the memory log's own end */
    /* Not visible yet; under `changes`, as are deleting, trimming and deleting positions. */
    int (*create_topic)(struct memory_log *log, const struct memory_topic *topic,
                        struct error *err);
    int (*delete_topic)(struct memory_log *log, const struct memory_topic *topic,
                        struct error *err);
    int (*trim)(struct memory_log *log, const struct memory_partition *partition, int64_t before,
                struct error *err);
    int (*delete_positions)(struct memory_log *log, struct bytes group, struct error *err);
    int (*load_locked)(struct memory_log *log, struct memory_partition *partition,
                       struct error *err);
    /* What can be done for a commit before its turn comes. */
    void (*prepare)(struct memory_transaction *transaction);
    /*
     * Writes and applies the transaction; lets go of the mutex meanwhile. ERR_LOG_UNAVAILABLE:
     * nothing was applied and the outcome is unknown.
     */
    int (*commit_locked)(struct memory_log *log, struct memory_transaction *transaction,
                         struct error *err);
    int (*flush)(struct memory_log *log, struct error *err);
    /*
     * A block from the position on, of records below `end`; NULL if there are none.
     * ERR_LOG_DAMAGED.
     */
    int (*read)(struct memory_log *log, struct memory_partition *partition, int64_t position,
                int64_t end, struct log_block **out, struct error *err);
};

#endif
