/*
 * log_kafka_batch.h: record batches, as brokers keep and send them, taken apart to blocks.
 *
 * A broker answers a fetch with whole batches and perhaps the begin of one more. Nothing
 * is copied: a block's records point into the response, or into what a compressed batch of it was
 * unpacked to, and keep that alive. What is left out: records before the offset that was asked for,
 * the markers of transactions, and under read committed what was aborted.
 */
#ifndef SLUICE_ENGINE_LOG_LOG_KAFKA_BATCH_H
#define SLUICE_ENGINE_LOG_LOG_KAFKA_BATCH_H

#include "base/packed.h"
#include "engine/log/log.h"

struct kafka_block;
struct unpacker;

/* Bytes that blocks point into; the last reference frees them. */
struct fetched_bytes {
    _Atomic uint32_t references;
    size_t size;
    char data[];
};

struct fetched_bytes *fetched_bytes_new(size_t size); /* with one reference, not cleared */
void fetched_bytes_ref(struct fetched_bytes *bytes);
void fetched_bytes_unref(struct fetched_bytes *bytes);

struct aborted_transaction {
    int64_t producer_id;
    int64_t first_offset;
};

/* What a response has of one partition. */
struct fetched_records {
    const struct log_topic *topic;
    uint32_t partition;
    struct fetched_bytes *memory; /* that the records lie in */
    struct bytes records;
    int64_t from;                              /* what was asked for */
    const struct aborted_transaction *aborted; /* in any order; none: all is handed out */
    uint32_t aborted_count;
    bool checks_crc;
};

/* The same, being taken apart. */
struct kafka_batches {
    struct fetched_records in;           /* with a reference to its memory */
    struct aborted_transaction *aborted; /* own, by first offset */
    uint32_t aborted_begun;              /* of them at the batch at hand */
    uint32_t aborted_active;             /* of those not yet ended; moved to the front */
    struct packed_reader records;        /* left of the batch at hand; at NULL: there is none */
    struct fetched_bytes *unpacked;      /* that they lie in; NULL: in the response */
    struct unpacker *unpacker;           /* NULL until a batch is compressed */
    uint32_t records_left;
    int64_t base_offset;
    int64_t least_delta; /* of the next record's offset; those of a batch ascend */
    int64_t last_delta;
    bool is_older;  /* messages, of the formats before batches */
    int64_t origin; /* theirs: what their offsets are counted from */
    int64_t base_timestamp_ms;
    bool is_append_time; /* all have base_timestamp_ms */
    size_t at;           /* the next batch */
    int64_t next_offset; /* behind what was taken */
};

/*
 * Only looks at the heads of the batches, and cuts off what is not whole. Returns where to fetch
 * next: behind the last whole batch, or `from` when there is none.
 */
int64_t kafka_batches_init(struct kafka_batches *batches, const struct fetched_records *in);
/*
 * The next block, some 64 KB of records, with a reference for the caller; NULL when nothing is
 * left. Its next_offset is behind all that was passed over after its records.
 * `batches->next_offset` says the same when there is no block. ERR_LOG_DAMAGED: the batch at
 * batches->next_offset cannot be read; the records before it have been handed out.
 */
int kafka_batches_next(struct kafka_batches *batches, struct kafka_block **out, struct error *err);
/* Nothing is left, damage neither. */
bool kafka_batches_are_used_up(const struct kafka_batches *batches);
void kafka_batches_fini(struct kafka_batches *batches);

#endif
