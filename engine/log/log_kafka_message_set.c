/*
 * log_kafka_message_set.c: the formats before batches, which topics from before Kafka 0.11 may
 * hold: magic 0, and 1, which added the timestamp.
 *
 * A message has a checksum of its own, no headers and no transaction. A compressed one is a
 * wrapper: its value unpacks to messages, its offset is that of the last of them. Their own offsets
 * count from 0 in magic 1, and are final in magic 0.
 */
#include "engine/log/log_kafka_batch_internal.h"
#include "engine/log/log_kafka_codec.h"

enum {
    AT_LENGTH = 8,
    AT_SUM = 12,
    AT_MAGIC = 16,
    AT_ATTRIBUTES = 17,
    AT_REST = 18, /* timestamp, key, value */
    NO_TIMESTAMP = -1
};

struct message {
    const char *end;
    int64_t offset;
    int64_t timestamp_ms;
    int magic;
    int attributes;
    struct bytes key;
    struct bytes value;
};

static struct bytes take_bytes(struct packed_reader *from)
{
    struct bytes head = packed_take_bytes(from, sizeof(int32_t));
    int32_t len = head.len ? batch_i32(head.data) : 0;

    if (from->wrong || len == -1) {
        return (struct bytes){ NULL, 0 };
    }
    return packed_take_bytes(from, (uint64_t)(int64_t)len); /* any other negative one is too long */
}

static int64_t take_timestamp(struct packed_reader *from, int magic)
{
    struct bytes timestamp = packed_take_bytes(from, magic ? sizeof(int64_t) : 0);

    return timestamp.len ? batch_i64(timestamp.data) : NO_TIMESTAMP;
}

static bool read_message(const char *at, const char *end, struct message *m)
{
    struct packed_reader from = { at, end, false };
    int64_t len = end - at < AT_REST ? 0 : batch_i32(at + AT_LENGTH);

    if (len < AT_REST - AT_SUM || len > end - at - AT_SUM) {
        return false;
    }
    m->end = from.end = at + AT_SUM + len;
    m->offset = batch_i64(at);
    m->magic = (unsigned char)at[AT_MAGIC];
    m->attributes = (unsigned char)at[AT_ATTRIBUTES];
    from.at = at + AT_REST;
    m->timestamp_ms = take_timestamp(&from, m->magic);
    m->key = take_bytes(&from);
    m->value = take_bytes(&from);
    return m->magic < 2 && !from.wrong && from.at == from.end;
}

static bool has_sum(const char *at, const char *end)
{
    return kafka_crc32((struct bytes){ at + AT_MAGIC, (size_t)(end - at) - AT_MAGIC }) ==
           (uint32_t)batch_i32(at + AT_SUM);
}

bool kafka_message_has_sum(const struct batch_head *head)
{
    return has_sum(head->begin, head->end);
}

bool kafka_take_message(const struct kafka_batches *b, const char *at, const char *end,
                        struct raw_record *raw)
{
    struct message m;

    if (!read_message(at, end, &m) || m.offset < b->origin) {
        return false;
    }
    *raw = (struct raw_record){ .next = m.end,
                                .timestamp_delta = m.timestamp_ms,
                                .offset_delta = m.offset - b->origin,
                                .key = m.key,
                                .value = m.value };
    return true;
}

static void put_in_hand(struct kafka_batches *b, struct bytes messages, uint32_t count)
{
    b->records = (struct packed_reader){ messages.data, messages.data + messages.len, false };
    b->records_left = count;
    b->least_delta = 0;
    b->is_older = true;
}

static int codec_of(const struct message *wrapper)
{
    int codec = wrapper->attributes & BATCH_CODEC;

    return codec == CODEC_LZ4 && wrapper->magic == 0 ? CODEC_FIRST_LZ4 : codec;
}

/* What a wrapper holds: how many, and the first and the last offset. */
struct packed_messages {
    uint32_t count;
    int64_t first_offset;
    int64_t last_offset;
};

static bool look_through(const struct kafka_batches *b, struct bytes all, int magic,
                         struct packed_messages *out)
{
    const char *end = all.data + all.len;
    struct message m;

    *out = (struct packed_messages){ 0 };
    for (const char *at = all.data; at < end; at = m.end) {
        if (!read_message(at, end, &m) || m.magic != magic || (m.attributes & BATCH_CODEC) ||
            m.offset < 0 || (b->in.checks_crc && !has_sum(at, m.end))) {
            return false;
        }
        out->first_offset = out->count ? out->first_offset : m.offset;
        out->last_offset = m.offset;
        out->count++;
    }
    return out->count > 0;
}

static int open_wrapper(struct kafka_batches *b, const struct message *wrapper, struct error *err)
{
    struct fetched_bytes *unpacked = NULL;
    struct packed_messages in = { 0 };
    struct bytes messages;
    struct error why;

    if (kafka_unpack(&b->unpacker, codec_of(wrapper), wrapper->value, &unpacked, &why)) {
        return kafka_batch_damaged(wrapper->offset, err, "%s", why.message);
    }
    messages = (struct bytes){ unpacked->data, unpacked->size };
    if (!look_through(b, messages, wrapper->magic, &in) ||
        (wrapper->magic == 1 && in.last_offset > wrapper->offset)) {
        fetched_bytes_unref(unpacked);
        return kafka_batch_damaged(wrapper->offset, err,
                                   "holds packed messages that cannot be read");
    }
    b->unpacked = unpacked;
    b->origin = wrapper->magic == 1 ? 0 : in.first_offset;
    b->base_offset = wrapper->magic == 1 ? wrapper->offset - in.last_offset : in.first_offset;
    b->last_delta = wrapper->offset - b->base_offset;
    b->is_append_time = wrapper->magic == 1 && (wrapper->attributes & BATCH_APPEND_TIME);
    b->base_timestamp_ms = b->is_append_time ? wrapper->timestamp_ms : 0;
    put_in_hand(b, messages, in.count);
    return 0;
}

int kafka_open_message(struct kafka_batches *b, const struct batch_head *head, struct error *err)
{
    struct message m;

    if (!read_message(head->begin, head->end, &m)) {
        return kafka_batch_damaged(head->base_offset, err, "is a message that cannot be read");
    }
    if (m.attributes & BATCH_CODEC) {
        return open_wrapper(b, &m, err);
    }
    b->origin = b->base_offset = m.offset;
    b->last_delta = 0;
    b->is_append_time = false;
    b->base_timestamp_ms = 0;
    put_in_hand(b, (struct bytes){ head->begin, (size_t)(head->end - head->begin) }, 1);
    return 0;
}
