/*
 * log_builder.c: records in the making, all of a block in one buffer.
 *
 * A record's key, value and headers lie one behind the other, so that a block
 * can be adopted, copied or written to disk as one run of bytes. Headers are
 * kept as: key length, value length (4 bytes each, native order), key, value.
 *
 * Lengths are 32 bits; UINT32_MAX marks null.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "engine/log/log_kind.h"

enum { FIRST_RECORDS = 16, HEADER_LENGTHS_BYTES = 2 * sizeof(uint32_t) };

void log_builder_fini(struct log_builder *b)
{
    buffer_fini(&b->bytes);
    free(b->records);
    *b = (struct log_builder){ 0 };
}

void log_builder_reset(struct log_builder *b)
{
    b->bytes.len = 0;
    b->record_count = 0;
}

void log_builder_begin(struct log_builder *b)
{
    b->begun_at = b->bytes.len;
    b->key_end = b->bytes.len;
    b->has_key = false;
}

void log_builder_end_key(struct log_builder *b, bool has_key)
{
    b->has_key = has_key;
    if (!has_key) {
        b->bytes.len = b->begun_at;
    }
    b->key_end = b->bytes.len;
}

void log_builder_cancel(struct log_builder *b)
{
    b->bytes.len = b->begun_at;
}

static uint32_t length32(size_t len)
{
    if (len >= UINT32_MAX) {
        memory_exhausted(len);
    }
    return (uint32_t)len;
}

static struct builder_record *next_record(struct log_builder *b)
{
    if (b->record_count == b->record_capacity) {
        uint32_t capacity = b->record_capacity ? b->record_capacity * 2 : FIRST_RECORDS;

        if (capacity <= b->record_capacity) {
            memory_exhausted(SIZE_MAX);
        }
        b->records = memory_resize(b->records, capacity, sizeof *b->records);
        b->record_capacity = capacity;
    }
    return &b->records[b->record_count++];
}

static void append_header(struct buffer *out, const struct record_header *header)
{
    uint32_t lengths[2] = { length32(header->key.len),
                            header->value.data ? length32(header->value.len) : UINT32_MAX };

    buffer_append(out, lengths, sizeof lengths);
    buffer_append_bytes(out, header->key);
    buffer_append_bytes(out, header->value);
}

void log_builder_end_record(struct log_builder *b, bool has_value, int64_t timestamp_ms,
                            const struct record_header *headers, uint32_t header_count)
{
    struct builder_record *record = next_record(b);
    size_t value_end;

    if (!has_value) {
        b->bytes.len = b->key_end;
    }
    value_end = b->bytes.len;
    for (uint32_t i = 0; i < header_count; i++) {
        append_header(&b->bytes, &headers[i]);
    }
    *record = (struct builder_record){
        .timestamp_ms = timestamp_ms,
        .begin = b->begun_at,
        .key_len = b->has_key ? length32(b->key_end - b->begun_at) : UINT32_MAX,
        .value_len = has_value ? length32(value_end - b->key_end) : UINT32_MAX,
        .header_count = header_count,
        .headers_len = length32(b->bytes.len - value_end),
    };
}

void log_builder_add(struct log_builder *b, struct bytes key, struct bytes value,
                     int64_t timestamp_ms, const struct record_header *headers,
                     uint32_t header_count)
{
    log_builder_begin(b);
    buffer_append_bytes(&b->bytes, key);
    log_builder_end_key(b, key.data != NULL);
    buffer_append_bytes(&b->bytes, value);
    log_builder_end_record(b, value.data != NULL, timestamp_ms, headers, header_count);
}

size_t log_builder_header_count(const struct log_builder *b)
{
    size_t count = 0;

    for (uint32_t i = 0; i < b->record_count; i++) {
        count += b->records[i].header_count;
    }
    return count;
}

static void read_headers(const char *at, struct record_header *out, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t lengths[2];
        size_t value_len;

        memcpy(lengths, at, HEADER_LENGTHS_BYTES);
        at += HEADER_LENGTHS_BYTES;
        value_len = lengths[1] == UINT32_MAX ? 0 : lengths[1];
        out[i].key = (struct bytes){ at, lengths[0] };
        at += lengths[0];
        out[i].value = (struct bytes){ lengths[1] == UINT32_MAX ? NULL : at, value_len };
        at += value_len;
    }
}

void log_builder_expand(const struct log_builder *b, const char *bytes, struct log_record *out,
                        struct record_header *headers)
{
    for (uint32_t i = 0; i < b->record_count; i++) {
        const struct builder_record *from = &b->records[i];
        const char *key = bytes + from->begin;
        size_t key_len = from->key_len == UINT32_MAX ? 0 : from->key_len;
        size_t value_len = from->value_len == UINT32_MAX ? 0 : from->value_len;

        out[i] = (struct log_record){
            .offset = i,
            .timestamp_ms = from->timestamp_ms,
            .key = { from->key_len == UINT32_MAX ? NULL : key, key_len },
            .value = { from->value_len == UINT32_MAX ? NULL : key + key_len, value_len },
            .headers = from->header_count ? headers : NULL,
            .header_count = from->header_count,
        };
        if (from->header_count) {
            read_headers(key + key_len + value_len, headers, from->header_count);
            headers += from->header_count;
        }
    }
}

const struct log_record *log_builder_records(const struct log_builder *b, struct arena *arena)
{
    struct log_record *records = arena_array(arena, struct log_record, b->record_count);
    struct record_header *headers =
        arena_array(arena, struct record_header, log_builder_header_count(b));

    log_builder_expand(b, buffer_bytes(&b->bytes).data, records, headers);
    return records;
}
