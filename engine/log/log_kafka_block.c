/*
 * log_kafka_block.c: fetched messages as blocks of the log.
 *
 * A message is an allocation of librdkafka's reading thread, which points into the response that
 * brought it. Copied at once and given back while it is still in the cache, it costs less
 * than when a block hands it on and its last reader frees it (docs/decisions.md, 43).
 */
#include "engine/log/log_kafka_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* Records grow from the front of `memory`, their bytes and headers from its back. */
struct copied_block {
    struct kafka_block block; /* first */
    char *front;
    char *back;
    _Alignas(16) char memory[];
};

enum { BLOCK_BYTES = 96 * 1024, BLOCK_BYTES_MIN = 2048, NEIGHBOUR_BYTES = 24 };

/*
 * librdkafka allocates to find that a message has no headers, which most have not. In a batch a
 * record ends with value, number of headers, headers; some bytes on are the key and value of the
 * next one. So where the next message begins that near, what follows this one's value is the
 * number. Messages of the older formats, which know no headers, are further apart than that.
 */
static bool has_none(const rd_kafka_message_t *message, const rd_kafka_message_t *next)
{
    const char *behind = message->payload ? (const char *)message->payload + message->len : NULL;
    const char *begin = next->key ? next->key : next->payload;

    return behind && begin && (uintptr_t)begin > (uintptr_t)behind &&
           (uintptr_t)begin - (uintptr_t)behind <= NEIGHBOUR_BYTES && *behind == 0;
}

static uint32_t header_count(rd_kafka_message_t *const *messages, uint32_t count)
{
    rd_kafka_headers_t *headers = NULL;

    if (count > 1 && has_none(messages[0], messages[1])) {
        return 0;
    }
    return rd_kafka_message_headers(messages[0], &headers) ? 0
                                                           : (uint32_t)rd_kafka_header_cnt(headers);
}

struct header {
    struct bytes name;
    struct bytes value;
};

static struct header header_at(rd_kafka_message_t *message, uint32_t index)
{
    rd_kafka_headers_t *headers = NULL;
    const char *name = NULL;
    const void *value = NULL;
    size_t len = 0;

    (void)rd_kafka_message_headers(message, &headers); /* it has some */
    (void)rd_kafka_header_get_all(headers, index, &name, &value, &len);
    return (struct header){ bytes_of(name), { value, len } };
}

static size_t headers_bytes(rd_kafka_message_t *message, uint32_t count)
{
    size_t total = count ? _Alignof(struct record_header) : 0;

    for (uint32_t i = 0; i < count; i++) {
        struct header header = header_at(message, i);

        total += sizeof(struct record_header) + header.name.len + header.value.len;
    }
    return total;
}

static size_t message_bytes(rd_kafka_message_t *message, uint32_t headers)
{
    return sizeof(struct log_record) + message->key_len + message->len +
           headers_bytes(message, headers);
}

static void release(struct log_block *base)
{
    free((struct copied_block *)base);
}

struct kafka_block *kafka_block_new(const struct log_topic *topic,
                                    rd_kafka_message_t *const *messages, uint32_t count)
{
    rd_kafka_message_t *message = messages[0];
    size_t each = message_bytes(message, header_count(messages, count));
    size_t capacity = each < BLOCK_BYTES / count ? each * count : BLOCK_BYTES;
    struct copied_block *block;

    capacity = capacity > BLOCK_BYTES_MIN ? capacity : BLOCK_BYTES_MIN;
    capacity = each > capacity ? each : capacity;
    block = memory_alloc(sizeof *block + capacity);
    *block = (struct copied_block){ .block.pub = { .partition = (uint32_t)message->partition,
                                                   .topic = topic,
                                                   .records = (struct log_record *)block->memory,
                                                   .size_bytes = sizeof *block + capacity,
                                                   .release = release },
                                    .front = block->memory,
                                    .back = block->memory + capacity };
    atomic_init(&block->block.pub.references, 1);
    return &block->block;
}

static struct bytes copy(struct copied_block *block, struct bytes bytes)
{
    if (!bytes.data) {
        return bytes;
    }
    block->back -= bytes.len;
    memcpy(block->back, bytes.data, bytes.len);
    return (struct bytes){ block->back, bytes.len };
}

static const struct record_header *copy_headers(struct copied_block *block,
                                                rd_kafka_message_t *message, uint32_t count)
{
    size_t size = count * sizeof(struct record_header);
    struct record_header *copied;

    block->back -= size;
    block->back -= (uintptr_t)block->back % _Alignof(struct record_header);
    copied = (struct record_header *)block->back;
    for (uint32_t i = 0; i < count; i++) {
        struct header header = header_at(message, i);

        copied[i].key = copy(block, header.name);
        copied[i].value = copy(block, header.value);
    }
    return copied;
}

/* A record that says it has no timestamp is of the epoch's begin (see log_kafka_writer.c). */
static int64_t timestamp_of(const rd_kafka_message_t *message)
{
    rd_kafka_timestamp_type_t type;
    int64_t timestamp_ms = rd_kafka_message_timestamp(message, &type);

    return timestamp_ms == -1 ? 0 : timestamp_ms;
}

bool kafka_block_add(struct kafka_block *base, rd_kafka_message_t *const *messages, uint32_t count)
{
    struct copied_block *block = (struct copied_block *)base;
    rd_kafka_message_t *message = messages[0];
    uint32_t headers = header_count(messages, count);
    struct log_record *record = (struct log_record *)block->front;

    if (message_bytes(message, headers) > (size_t)(block->back - block->front)) {
        return false;
    }
    block->front += sizeof *record;
    *record = (struct log_record){
        .offset = message->offset,
        .timestamp_ms = timestamp_of(message),
        .key = copy(block, (struct bytes){ message->key, message->key_len }),
        .value = copy(block, (struct bytes){ message->payload, message->len }),
        .headers = headers ? copy_headers(block, message, headers) : NULL,
        .header_count = headers,
    };
    base->pub.record_count++;
    base->pub.next_offset = message->offset + 1;
    return true;
}
