/*
 * log_disk_block.c: blocks of records as they lie on disk, and the keys they lie under.
 *
 *   block:   crc32c of all behind it (4), version (4), records, headers, last delta (4 each),
 *            first and highest timestamp (8 each), records
 *   record:  offset delta - 1, timestamp delta, key length, value length, headers, then
 *            length and length per header with key and value, then key, then value
 *
 * Small numbers are varints; signed ones folded; a length that can be null is kept one
 * higher, 0 for null. Deltas are to the record before.
 */
#include <string.h>

#include "base/crc32c.h"
#include "base/packed.h"
#include "engine/log/log_disk_internal.h"

enum {
    BLOCK_VERSION = 1,
    BLOCK_HEAD_BYTES = 36,
    CRC_BYTES = 4,
    AT_VERSION = 4,
    AT_RECORDS = 8,
    AT_HEADERS = 12,
    AT_LAST_DELTA = 16,
    AT_FIRST_TIME = 20,
    AT_MAX_TIME = 28,
    BLOCK_RECORDS_MAX = 1 << 20,
};

/* --- numbers --- */

static void store(char *at, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++) {
        at[i] = (char)(value >> (8 * (bytes - 1 - i)));
    }
}

static uint64_t load(const char *at, unsigned bytes)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < bytes; i++) {
        value = value << 8 | (unsigned char)at[i];
    }
    return value;
}

uint64_t disk_read_u64(const char *at)
{
    return load(at, 8);
}

uint32_t disk_read_u32(const char *at)
{
    return (uint32_t)load(at, 4);
}

void disk_append_u64(struct buffer *out, uint64_t value)
{
    char bytes[8];

    store(bytes, value, sizeof bytes);
    buffer_append(out, bytes, sizeof bytes);
}

void disk_append_u32(struct buffer *out, uint32_t value)
{
    char bytes[4];

    store(bytes, value, sizeof bytes);
    buffer_append(out, bytes, sizeof bytes);
}

/* --- keys --- */

static struct disk_key make_key(char kind, const struct log_topic *topic, uint32_t partition)
{
    struct disk_key key = { .len = 13, .data = { kind } };

    store(key.data + 1, topic->incarnation, 8);
    store(key.data + 9, partition, 4);
    return key;
}

struct disk_key disk_block_key(const struct log_topic *topic, uint32_t partition, int64_t offset)
{
    struct disk_key key = make_key('B', topic, partition);

    store(key.data + key.len, (uint64_t)offset, 8);
    key.len += 8;
    return key;
}

struct disk_key disk_partition_key(const struct log_topic *topic, uint32_t partition)
{
    return make_key('P', topic, partition);
}

struct bytes disk_key_bytes(const struct disk_key *key)
{
    return (struct bytes){ key->data, key->len };
}

int64_t disk_key_offset(struct bytes key)
{
    return (int64_t)disk_read_u64(key.data + key.len - 8);
}

/* --- encoding --- */

static void append_text(struct buffer *out, struct bytes text)
{
    if (text.len) {
        memcpy(out->data + out->len, text.data, text.len);
        out->len += text.len;
    }
}

static void append_record(struct buffer *out, const struct log_record *record, int64_t offset_delta,
                          int64_t time_delta)
{
    char *at;

    buffer_reserve(out, 5 * PACKED_NUMBER_MAX);
    at = out->data + out->len;
    at = packed_put(at, (uint64_t)offset_delta);
    at = packed_put(at, packed_fold(time_delta));
    at = packed_put(at, packed_length(record->key));
    at = packed_put(at, packed_length(record->value));
    at = packed_put(at, record->header_count);
    out->len = (size_t)(at - out->data);
    for (uint32_t i = 0; i < record->header_count; i++) {
        const struct record_header *header = &record->headers[i];

        buffer_reserve(out, 2 * PACKED_NUMBER_MAX + header->key.len + header->value.len);
        at = packed_put(out->data + out->len, header->key.len);
        at = packed_put(at, packed_length(header->value));
        out->len = (size_t)(at - out->data);
        append_text(out, header->key);
        append_text(out, header->value);
    }
    buffer_reserve(out, record->key.len + record->value.len);
    append_text(out, record->key);
    append_text(out, record->value);
}

static void seal(struct buffer *out, size_t begin, const struct disk_block *head,
                 int64_t first_timestamp_ms)
{
    char *at = out->data + begin;

    store(at + AT_VERSION, BLOCK_VERSION, 4);
    store(at + AT_RECORDS, head->record_count, 4);
    store(at + AT_HEADERS, head->header_count, 4);
    store(at + AT_LAST_DELTA, head->last_delta, 4);
    store(at + AT_FIRST_TIME, (uint64_t)first_timestamp_ms, 8);
    store(at + AT_MAX_TIME, (uint64_t)head->max_timestamp_ms, 8);
    store(at, crc32c((struct bytes){ at + CRC_BYTES, out->len - begin - CRC_BYTES }), CRC_BYTES);
}

uint32_t disk_block_encode(const struct log_record *records, uint32_t count, struct buffer *out)
{
    size_t begin = out->len;
    int64_t previous_time = records[0].timestamp_ms;
    int64_t previous_offset = records[0].offset - 1;
    struct disk_block head = { .max_timestamp_ms = previous_time };
    uint32_t taken = 0;

    buffer_reserve(out, BLOCK_HEAD_BYTES);
    out->len += BLOCK_HEAD_BYTES;
    while (taken < count && taken < BLOCK_RECORDS_MAX) {
        const struct log_record *record = &records[taken];
        size_t more = record->key.len + record->value.len;

        if (taken && (out->len - begin + more > DISK_BLOCK_BYTES ||
                      record->offset - records[0].offset > UINT32_MAX)) {
            break;
        }
        append_record(out, record, record->offset - previous_offset - 1,
                      (int64_t)((uint64_t)record->timestamp_ms - (uint64_t)previous_time));
        previous_time = record->timestamp_ms;
        previous_offset = record->offset;
        head.header_count += record->header_count;
        head.max_timestamp_ms =
            previous_time > head.max_timestamp_ms ? previous_time : head.max_timestamp_ms;
        taken++;
    }
    head.record_count = taken;
    head.last_delta = (uint32_t)(previous_offset - records[0].offset);
    seal(out, begin, &head, records[0].timestamp_ms);
    return taken;
}

uint32_t disk_block_record_count(struct bytes block)
{
    return disk_read_u32(block.data + AT_RECORDS);
}

/* --- decoding --- */

static int damaged(const struct memory_partition *of, int64_t base, const char *what,
                   struct error *err)
{
    return error_set(err, ERR_LOG_DAMAGED, NO_POSITION,
                     "topic '%.*s', partition %u: the block of records at offset %lld %s",
                     BYTES_ARG(of->topic->pub.name), of->index, (long long)base, what);
}

int disk_block_check(struct bytes block, const struct memory_partition *of, int64_t base,
                     struct disk_block *out, struct error *err)
{
    if (block.len < BLOCK_HEAD_BYTES ||
        disk_read_u32(block.data) !=
            crc32c((struct bytes){ block.data + CRC_BYTES, block.len - CRC_BYTES })) {
        return damaged(of, base, "is damaged: its checksum is wrong", err);
    }
    if (disk_read_u32(block.data + AT_VERSION) != BLOCK_VERSION) {
        return damaged(of, base, "was written by a later version of this program", err);
    }
    *out = (struct disk_block){
        .record_count = disk_read_u32(block.data + AT_RECORDS),
        .header_count = disk_read_u32(block.data + AT_HEADERS),
        .last_delta = disk_read_u32(block.data + AT_LAST_DELTA),
        .max_timestamp_ms = (int64_t)disk_read_u64(block.data + AT_MAX_TIME),
    };
    return 0;
}

static void take_headers(struct packed_reader *from, struct record_header *out, uint32_t count)
{
    for (uint32_t i = 0; i < count && !from->wrong; i++) {
        uint64_t key = packed_take(from);
        uint64_t value = packed_take(from);

        out[i].key = packed_take_bytes(from, key);
        out[i].value = packed_take_text(from, value);
    }
}

int disk_block_decode(struct bytes block, const struct memory_partition *of, int64_t base,
                      struct log_record *records, struct record_header *headers, struct error *err)
{
    struct packed_reader from = { block.data + BLOCK_HEAD_BYTES, block.data + block.len, false };
    uint32_t record_count = disk_read_u32(block.data + AT_RECORDS);
    uint32_t headers_left = disk_read_u32(block.data + AT_HEADERS);
    uint64_t time = disk_read_u64(block.data + AT_FIRST_TIME);
    int64_t offset = base - 1;

    for (uint32_t i = 0; i < record_count; i++) {
        uint64_t key, value, count;

        offset += 1 + (int64_t)packed_take(&from);
        time += (uint64_t)packed_unfold(packed_take(&from));
        key = packed_take(&from);
        value = packed_take(&from);
        count = packed_take(&from);
        if (from.wrong || count > headers_left) {
            return damaged(of, base, "is not as its head says", err);
        }
        take_headers(&from, headers, (uint32_t)count);
        records[i] = (struct log_record){ .offset = offset,
                                          .timestamp_ms = (int64_t)time,
                                          .headers = count ? headers : NULL,
                                          .header_count = (uint32_t)count };
        records[i].key = packed_take_text(&from, key);
        records[i].value = packed_take_text(&from, value);
        headers += count;
        headers_left -= (uint32_t)count;
    }
    return from.wrong || from.at != from.end ? damaged(of, base, "is not as its head says", err)
                                             : 0;
}
