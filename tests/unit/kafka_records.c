/*
 * kafka_records.c: see kafka_records.h; the format is that of Kafka's protocol, magic 2.
 */
#include "tests/unit/kafka_records.h"

#include <string.h>

#include "base/crc32c.h"

void put_fixed(struct buffer *out, int64_t value, int size)
{
    for (int i = size - 1; i >= 0; i--) {
        buffer_append_char(out, (char)((uint64_t)value >> (8 * i)));
    }
}

void put_number(struct buffer *out, int64_t value)
{
    uint64_t folded = value < 0 ? (uint64_t)(-(value + 1)) * 2 + 1 : (uint64_t)value * 2;

    while (folded > 127) {
        buffer_append_char(out, (char)(folded % 128 + 128));
        folded /= 128;
    }
    buffer_append_char(out, (char)folded);
}

static void put_text(struct buffer *out, struct bytes text)
{
    put_number(out, text.data ? (int64_t)text.len : -1);
    buffer_append_bytes(out, text);
}

void put_record(struct buffer *out, const struct sent_batch *batch, const struct sent_record *r)
{
    struct buffer body = { 0 };

    buffer_append_char(&body, 0);
    put_number(&body, r->timestamp_ms - batch->base_timestamp_ms);
    put_number(&body, r->offset - batch->base_offset);
    put_text(&body, r->key);
    put_text(&body, r->value);
    put_number(&body, r->header_count);
    for (uint32_t i = 0; i < r->header_count; i++) {
        put_text(&body, r->headers[i].key);
        put_text(&body, r->headers[i].value);
    }
    put_number(out, (int64_t)body.len);
    buffer_append_bytes(out, buffer_bytes(&body));
    buffer_fini(&body);
}

void put_records(struct buffer *out, const struct sent_batch *batch)
{
    for (uint32_t i = 0; i < batch->count; i++) {
        put_record(out, batch, &batch->records[i]);
    }
}

static void set_fixed(struct buffer *out, size_t at, int64_t value)
{
    struct buffer bytes = { 0 };

    put_fixed(&bytes, value, 4);
    memcpy(out->data + at, bytes.data, 4);
    buffer_fini(&bytes);
}

void seal_batch(struct buffer *out, size_t begin)
{
    struct bytes summed = { out->data + begin + 21, out->len - begin - 21 };

    set_fixed(out, begin + 8, (int64_t)(out->len - begin - 12));
    set_fixed(out, begin + 17, crc32c(summed));
}

void put_batch(struct buffer *out, const struct sent_batch *batch)
{
    size_t begin = out->len;

    put_fixed(out, batch->base_offset, 8);
    put_fixed(out, 0, 4); /* length */
    put_fixed(out, 7, 4); /* of the leader */
    put_fixed(out, 2, 1);
    put_fixed(out, 0, 4); /* checksum */
    put_fixed(out, batch->attributes, 2);
    put_fixed(out, batch->last_offset - batch->base_offset, 4);
    put_fixed(out, batch->base_timestamp_ms, 8);
    put_fixed(out, batch->max_timestamp_ms, 8);
    put_fixed(out, batch->producer_id, 8);
    put_fixed(out, 3, 2);
    put_fixed(out, 11, 4);
    put_fixed(out, (int64_t)batch->count + batch->count_is_told, 4);
    if (batch->body.data) {
        buffer_append_bytes(out, batch->body);
    } else {
        put_records(out, batch);
    }
    seal_batch(out, begin);
}

void put_texts(struct buffer *out, int64_t base_offset, int attributes, int64_t producer_id,
               const char *const *texts)
{
    struct sent_record records[16];
    struct sent_batch batch = { .base_offset = base_offset,
                                .attributes = attributes,
                                .base_timestamp_ms = 1000 + base_offset,
                                .max_timestamp_ms = 5000,
                                .producer_id = producer_id,
                                .records = records };

    for (; texts[batch.count]; batch.count++) {
        int64_t offset = base_offset + batch.count;

        records[batch.count] = (struct sent_record){ .offset = offset,
                                                     .timestamp_ms = 1000 + offset,
                                                     .key = BYTES("k"),
                                                     .value = bytes_of(texts[batch.count]) };
    }
    batch.last_offset = base_offset + batch.count - 1;
    put_batch(out, &batch);
}

void put_marker(struct buffer *out, int64_t offset, int64_t producer_id, int type)
{
    struct buffer key = { 0 };
    struct sent_record record = { .offset = offset, .value = BYTES("\0\0\0\0\0\5") };
    struct sent_batch batch = { .base_offset = offset,
                                .last_offset = offset,
                                .attributes = SENT_TRANSACTIONAL | SENT_CONTROL,
                                .producer_id = producer_id,
                                .records = &record,
                                .count = 1 };

    put_fixed(&key, 0, 2);
    put_fixed(&key, type, 2);
    record.key = buffer_bytes(&key);
    put_batch(out, &batch);
    buffer_fini(&key);
}
