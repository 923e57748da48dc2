/*
 * log_kafka_batch_internal.h: what the readers of both formats of batches share.
 *
 * Numbers of fixed width are big-endian. Both formats begin with an offset, a length and, five
 * bytes on, the number of the format: 2 for batches, 0 and 1 for the older messages.
 */
#ifndef SLUICE_ENGINE_LOG_LOG_KAFKA_BATCH_INTERNAL_H
#define SLUICE_ENGINE_LOG_LOG_KAFKA_BATCH_INTERNAL_H

#include <string.h>

#include "engine/log/log_kafka_batch.h"

static inline int16_t batch_i16(const char *at)
{
    uint16_t number;

    memcpy(&number, at, sizeof number);
    return (int16_t)__builtin_bswap16(number);
}

static inline int32_t batch_i32(const char *at)
{
    uint32_t number;

    memcpy(&number, at, sizeof number);
    return (int32_t)__builtin_bswap32(number);
}

static inline int64_t batch_i64(const char *at)
{
    uint64_t number;

    memcpy(&number, at, sizeof number);
    return (int64_t)__builtin_bswap64(number);
}

/* Of a batch, or of a message of the older formats. */
struct batch_head {
    const char *begin;
    const char *end;
    int64_t base_offset; /* of a message: its own, which is the last of those packed in it */
    int64_t last_offset;
    int magic;
    int attributes;
};

enum {
    BATCH_CODEC = 7, /* attributes */
    BATCH_APPEND_TIME = 8,
    BATCH_TRANSACTIONAL = 16,
    BATCH_CONTROL = 32
};

/* A record as it lies there, or a message of the older formats. */
struct raw_record {
    const char *next; /* behind it */
    int64_t timestamp_delta;
    int64_t offset_delta;
    struct bytes key;
    struct bytes value;
    struct packed_reader headers;
    uint32_t header_count;
};

/* --- log_kafka_message_set.c --- */

bool kafka_message_has_sum(const struct batch_head *head);
/* Takes the message in hand, or the messages that are packed in it. */
int kafka_open_message(struct kafka_batches *batches, const struct batch_head *head,
                       struct error *err);
/* One of those at hand. */
bool kafka_take_message(const struct kafka_batches *batches, const char *at, const char *end,
                        struct raw_record *raw);

/* --- log_kafka_batch.c --- */

/* "the batch at offset <offset> <words>", ERR_LOG_DAMAGED. */
int kafka_batch_damaged(int64_t offset, struct error *err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
