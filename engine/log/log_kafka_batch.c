/*
 * log_kafka_batch.c: from a fetch's bytes to blocks, each byte of a head or a record read once.
 *
 * A record is read by take_plain where it is as most are: without headers, and not among the
 * last bytes of its batch, so that the numbers at its begin need no check of bounds, only their
 * sum does. All others are read by take_any, which knows what is right and what is damaged.
 *
 * Damage is found again by the next call where it was found: nothing of what is at hand changes.
 * So a call that has records already hands them out, and the next one tells.
 */
#include "engine/log/log_kafka_batch.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/crc32c.h"
#include "base/memory.h"
#include "engine/log/log_kafka_batch_internal.h"
#include "engine/log/log_kafka_codec.h"
#include "engine/log/log_kafka_internal.h"

enum {
    OFFSET_AND_LENGTH_BYTES = 12,
    AT_MAGIC = 16,
    AT_CRC = 17,
    AT_OLDER_ATTRIBUTES = 17,
    AT_ATTRIBUTES = 21,
    AT_LAST_DELTA = 23,
    AT_BASE_TIMESTAMP = 27,
    AT_MAX_TIMESTAMP = 35,
    AT_PRODUCER_ID = 43,
    AT_RECORD_COUNT = 57,
    BATCH_HEAD_BYTES = 61,
    LENGTH_MIN = 14, /* of a message without a timestamp */
    MARKER_ABORT = 0
};

/* Bytes of records that a block points to, and of its own memory. */
enum { BLOCK_BYTES = 64 * 1024, BLOCK_MEMORY_MAX = 96 * 1024 };

/* --- memory --- */

struct fetched_bytes *fetched_bytes_new(size_t size)
{
    struct fetched_bytes *bytes = memory_alloc(sizeof *bytes + size);

    atomic_init(&bytes->references, 1);
    bytes->size = size;
    return bytes;
}

void fetched_bytes_ref(struct fetched_bytes *bytes)
{
    atomic_fetch_add_explicit(&bytes->references, 1, memory_order_relaxed);
}

void fetched_bytes_unref(struct fetched_bytes *bytes)
{
    if (bytes && atomic_fetch_sub_explicit(&bytes->references, 1, memory_order_acq_rel) == 1) {
        free(bytes);
    }
}

/* --- heads --- */

int kafka_batch_damaged(int64_t offset, struct error *err, const char *format, ...)
{
    char words[200];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(words, sizeof words, format, args); /* cut where it is longer */
    va_end(args);
    return error_set(err, ERR_LOG_DAMAGED, NO_POSITION, "the batch at offset %lld %s",
                     (long long)offset, words);
}

enum head_state { HEAD_WHOLE, HEAD_CUT, HEAD_WRONG };

static enum head_state batch_offsets(struct batch_head *head, const char **why)
{
    int64_t last_delta;

    if (head->end - head->begin < BATCH_HEAD_BYTES) {
        *why = "is too short for its head";
        return HEAD_WRONG;
    }
    last_delta = batch_i32(head->begin + AT_LAST_DELTA);
    if (last_delta < 0 || head->base_offset > INT64_MAX - 1 - last_delta) {
        *why = "has a last offset before its first one";
        return HEAD_WRONG;
    }
    head->last_offset = head->base_offset + last_delta;
    head->attributes = batch_i16(head->begin + AT_ATTRIBUTES);
    return HEAD_WHOLE;
}

/* `why` is set when it is wrong. A batch that is cut off is not looked at beyond its length. */
static enum head_state read_head(struct bytes left, struct batch_head *head, const char **why)
{
    int64_t length;

    if (!left.data || left.len < OFFSET_AND_LENGTH_BYTES) {
        return HEAD_CUT;
    }
    *head = (struct batch_head){ .begin = left.data, .base_offset = batch_i64(left.data) };
    length = batch_i32(left.data + sizeof(int64_t));
    if (length < LENGTH_MIN || head->base_offset < 0 || head->base_offset == INT64_MAX) {
        *why = "has an impossible length or offset";
        return HEAD_WRONG;
    }
    if ((uint64_t)length > left.len - OFFSET_AND_LENGTH_BYTES) {
        return HEAD_CUT;
    }
    head->end = left.data + OFFSET_AND_LENGTH_BYTES + length;
    head->magic = (unsigned char)left.data[AT_MAGIC];
    if (head->magic == 2) {
        return batch_offsets(head, why);
    }
    head->last_offset = head->base_offset;
    head->attributes = head->begin[AT_OLDER_ATTRIBUTES] & (BATCH_CODEC | BATCH_APPEND_TIME);
    *why = "is of an unknown format";
    return head->magic < 2 ? HEAD_WHOLE : HEAD_WRONG;
}

static struct bytes bytes_from(struct bytes all, size_t at)
{
    return (struct bytes){ all.data ? all.data + at : NULL, all.len - at };
}

static int by_first_offset(const void *left, const void *right)
{
    const struct aborted_transaction *a = left;
    const struct aborted_transaction *b = right;

    return (a->first_offset > b->first_offset) - (a->first_offset < b->first_offset);
}

static void copy_aborted(struct kafka_batches *b)
{
    size_t size = b->in.aborted_count * sizeof *b->aborted;

    if (!size) {
        return;
    }
    b->aborted = memory_alloc(size);
    memcpy(b->aborted, b->in.aborted, size);
    qsort(b->aborted, b->in.aborted_count, sizeof *b->aborted, by_first_offset);
    b->in.aborted = b->aborted;
}

int64_t kafka_batches_init(struct kafka_batches *b, const struct fetched_records *in)
{
    int64_t next_offset = in->from;
    enum head_state state;
    struct batch_head head;
    const char *why;
    size_t at = 0;

    *b = (struct kafka_batches){ .in = *in, .next_offset = in->from };
    fetched_bytes_ref(b->in.memory);
    copy_aborted(b);
    while ((state = read_head(bytes_from(in->records, at), &head, &why)) == HEAD_WHOLE) {
        at += (size_t)(head.end - head.begin);
        next_offset = head.last_offset >= next_offset ? head.last_offset + 1 : next_offset;
    }
    if (state == HEAD_CUT) {
        b->in.records.len = at;
    }
    return next_offset;
}

void kafka_batches_fini(struct kafka_batches *b)
{
    fetched_bytes_unref(b->unpacked);
    unpacker_destroy(b->unpacker);
    fetched_bytes_unref(b->in.memory);
    free(b->aborted);
    *b = (struct kafka_batches){ 0 };
}

/* --- transactions --- */

/* What has begun by this batch is active until its marker comes. */
static void begin_aborted(struct kafka_batches *b, int64_t last_offset)
{
    while (b->aborted_begun < b->in.aborted_count &&
           b->aborted[b->aborted_begun].first_offset <= last_offset) {
        b->aborted[b->aborted_active++] = b->aborted[b->aborted_begun++];
    }
}

static bool is_aborted(const struct kafka_batches *b, int64_t producer_id)
{
    for (uint32_t i = 0; i < b->aborted_active; i++) {
        if (b->aborted[i].producer_id == producer_id) {
            return true;
        }
    }
    return false;
}

static void end_aborted(struct kafka_batches *b, int64_t producer_id)
{
    for (uint32_t i = 0; i < b->aborted_active;) {
        if (b->aborted[i].producer_id == producer_id) {
            b->aborted[i] = b->aborted[--b->aborted_active];
        } else {
            i++;
        }
    }
}

/* --- a record --- */

/* The bytes that a number takes at most are there. Of more than that nothing is read. */
static inline int64_t take_number(const char **at)
{
    const unsigned char *from = (const unsigned char *)*at;
    uint64_t value = *from++;

    if (value & 0x80) {
        unsigned shift = 7;
        uint64_t byte;

        value &= 0x7f;
        do {
            byte = *from++;
            value |= (byte & 0x7f) << shift;
            shift += 7;
        } while ((byte & 0x80) && shift < 7 * PACKED_NUMBER_MAX);
    }
    *at = (const char *)from;
    return packed_unfold(value);
}

/* Length, attributes and three numbers; then those of the value. */
enum { PLAIN_HEAD_BYTES = 4 * PACKED_NUMBER_MAX + 1 };

/* Whether the record is one of the many; if not, nothing is said about it. */
static inline bool take_plain(const char *at, const char *end, struct raw_record *raw)
{
    int64_t len;

    if (end - at < PLAIN_HEAD_BYTES) {
        return false;
    }
    len = take_number(&at);
    if (len <= 0 || len > end - at) {
        return false;
    }
    raw->next = at + len;
    at++; /* attributes, of which there are none */
    raw->timestamp_delta = take_number(&at);
    raw->offset_delta = take_number(&at);
    len = take_number(&at);
    raw->key = (struct bytes){ len < 0 ? NULL : at, len < 0 ? 0 : (size_t)len };
    if (len < -1 || len > raw->next - at || end - (at + raw->key.len) < PACKED_NUMBER_MAX) {
        return false;
    }
    at += raw->key.len;
    len = take_number(&at);
    raw->value = (struct bytes){ len < 0 ? NULL : at, len < 0 ? 0 : (size_t)len };
    raw->header_count = 0;
    return len >= -1 && raw->next - at - 1 == (int64_t)raw->value.len && raw->next[-1] == 0;
}

static struct bytes take_text(struct packed_reader *from)
{
    int64_t len = packed_unfold(packed_take(from));

    if (len == -1) {
        return (struct bytes){ NULL, 0 };
    }
    return packed_take_bytes(from, (uint64_t)len); /* any other negative one is too long */
}

static struct record_header take_header(struct packed_reader *from)
{
    struct record_header header;

    header.key = take_text(from);
    from->wrong |= !header.key.data;
    header.value = take_text(from);
    return header;
}

static bool take_any(const char *at, const char *end, struct raw_record *raw)
{
    struct packed_reader from = { at, end, false };
    int64_t len = packed_unfold(packed_take(&from));
    int64_t count;

    if (from.wrong || len < 0 || len > from.end - from.at) {
        return false;
    }
    from.end = raw->next = from.at + len;
    (void)packed_take_bytes(&from, 1); /* attributes, of which there are none */
    raw->timestamp_delta = packed_unfold(packed_take(&from));
    raw->offset_delta = packed_unfold(packed_take(&from));
    raw->key = take_text(&from);
    raw->value = take_text(&from);
    count = packed_unfold(packed_take(&from));
    if (from.wrong || count < 0 || count > from.end - from.at) {
        return false;
    }
    raw->headers = from;
    raw->header_count = (uint32_t)count;
    for (int64_t i = 0; i < count; i++) {
        (void)take_header(&from);
    }
    return !from.wrong && from.at == from.end;
}

/* --- the batch at hand --- */

static struct fetched_bytes *memory_at_hand(const struct kafka_batches *b)
{
    return b->unpacked ? b->unpacked : b->in.memory;
}

static void pass(struct kafka_batches *b, int64_t last_offset)
{
    b->next_offset = last_offset >= b->next_offset ? last_offset + 1 : b->next_offset;
}

static int check_sum(const struct kafka_batches *b, const struct batch_head *head,
                     struct error *err)
{
    const char *from = head->begin + AT_ATTRIBUTES;
    uint32_t sum = (uint32_t)batch_i32(head->begin + AT_CRC);

    if (b->in.checks_crc &&
        !(head->magic < 2 ? kafka_message_has_sum(head)
                          : crc32c((struct bytes){ from, (size_t)(head->end - from) }) == sum)) {
        return kafka_batch_damaged(head->base_offset, err, "does not have its checksum");
    }
    return 0;
}

static int find_records(struct kafka_batches *b, const struct batch_head *head, struct error *err)
{
    int32_t count = batch_i32(head->begin + AT_RECORD_COUNT);
    struct bytes records = { head->begin + BATCH_HEAD_BYTES,
                             (size_t)(head->end - head->begin) - BATCH_HEAD_BYTES };
    struct error why;

    if (count < 0) {
        return kafka_batch_damaged(head->base_offset, err, "says it has %d records", (int)count);
    }
    if (records.len && (head->attributes & BATCH_CODEC)) {
        if (kafka_unpack(&b->unpacker, head->attributes & BATCH_CODEC, records, &b->unpacked,
                         &why)) {
            return kafka_batch_damaged(head->base_offset, err, "%s", why.message);
        }
        records = (struct bytes){ b->unpacked->data, b->unpacked->size };
    }
    b->records = (struct packed_reader){ records.data, records.data + records.len, false };
    b->records_left = (uint32_t)count;
    return 0;
}

static void forget_records(struct kafka_batches *b)
{
    fetched_bytes_unref(b->unpacked);
    b->unpacked = NULL;
    b->records = (struct packed_reader){ NULL, NULL, false };
    b->records_left = 0;
}

/* A marker's record has for its key a version and what became of the transaction. */
static int read_marker(struct kafka_batches *b, const struct batch_head *head, struct error *err)
{
    struct raw_record raw;

    TRY(find_records(b, head, err));
    if (b->records_left > 0) {
        if (!take_any(b->records.at, b->records.end, &raw) || raw.key.len < 2 * sizeof(int16_t)) {
            forget_records(b);
            return kafka_batch_damaged(head->base_offset, err,
                                       "is a transaction's marker that cannot be read");
        }
        if (batch_i16(raw.key.data + sizeof(int16_t)) == MARKER_ABORT) {
            end_aborted(b, batch_i64(head->begin + AT_PRODUCER_ID));
        }
    }
    forget_records(b);
    return 0;
}

static bool is_left_out(struct kafka_batches *b, const struct batch_head *head)
{
    return head->last_offset < b->next_offset || (head->attributes & BATCH_CONTROL) ||
           ((head->attributes & BATCH_TRANSACTIONAL) && b->aborted_active &&
            is_aborted(b, batch_i64(head->begin + AT_PRODUCER_ID)));
}

static int take_in_hand(struct kafka_batches *b, const struct batch_head *head, struct error *err)
{
    if (head->magic < 2) {
        return kafka_open_message(b, head, err);
    }
    TRY(find_records(b, head, err));
    b->is_older = false;
    b->is_append_time = head->attributes & BATCH_APPEND_TIME;
    b->base_timestamp_ms =
        batch_i64(head->begin + (b->is_append_time ? AT_MAX_TIMESTAMP : AT_BASE_TIMESTAMP));
    b->base_offset = head->base_offset;
    b->least_delta = 0;
    b->last_delta = head->last_offset - head->base_offset;
    return 0;
}

/* Takes the next one in hand, or passes over it. */
static int open_batch(struct kafka_batches *b, struct error *err)
{
    struct batch_head head = { 0 };
    const char *why = "is cut off";

    if (read_head(bytes_from(b->in.records, b->at), &head, &why) != HEAD_WHOLE) {
        return kafka_batch_damaged(head.base_offset, err, "%s", why);
    }
    TRY(check_sum(b, &head, err));
    begin_aborted(b, head.last_offset);
    if ((head.attributes & BATCH_CONTROL) && b->aborted_active) {
        TRY(read_marker(b, &head, err));
    }
    if (is_left_out(b, &head)) {
        pass(b, head.last_offset);
    } else {
        TRY(take_in_hand(b, &head, err));
    }
    b->at += (size_t)(head.end - head.begin);
    return 0;
}

static int close_batch(struct kafka_batches *b, struct error *err)
{
    if (!b->records.at) {
        return 0;
    }
    if (b->records.at != b->records.end) {
        return kafka_batch_damaged(b->base_offset, err, "has %zu bytes behind its last record",
                                   (size_t)(b->records.end - b->records.at));
    }
    pass(b, b->base_offset + b->last_delta);
    forget_records(b);
    return 0;
}

/* One that is at hand with no records left is still to be closed, which may find damage. */
bool kafka_batches_are_used_up(const struct kafka_batches *b)
{
    return !b->records.at && b->at == b->in.records.len;
}

/* There are records left then, or nothing is. */
static int find_batch(struct kafka_batches *b, struct error *err)
{
    while (!b->records_left) {
        TRY(close_batch(b, err));
        if (kafka_batches_are_used_up(b)) {
            return 0;
        }
        TRY(open_batch(b, err));
    }
    return 0;
}

/* --- blocks --- */

/* Its records; from the back of `memory` their headers. */
struct fetched_block {
    struct kafka_block block; /* first */
    struct fetched_bytes *bytes;
    _Alignas(16) char memory[];
};

/* A block that is being filled. */
struct filling {
    struct fetched_block *block;
    char *front;
    char *back;
    size_t bytes; /* of the records in it */
    bool is_full;
};

static void release(struct log_block *base)
{
    struct fetched_block *block = (struct fetched_block *)base;

    fetched_bytes_unref(block->bytes);
    free(block);
}

/* What is in sight for one block: the batch at hand, and those like it behind. */
static size_t records_in_sight(const struct kafka_batches *b)
{
    size_t bytes = (size_t)(b->records.end - b->records.at);
    size_t count = b->records_left;
    struct batch_head head;
    const char *why;
    size_t at = b->at;

    while (!b->unpacked && bytes < BLOCK_BYTES &&
           read_head(bytes_from(b->in.records, at), &head, &why) == HEAD_WHOLE &&
           !(head.attributes & BATCH_CODEC)) {
        size_t size = (size_t)(head.end - head.begin);
        uint32_t more = head.magic < 2 ? 1 : (uint32_t)batch_i32(head.begin + AT_RECORD_COUNT);

        count += more < size ? more : size;
        bytes += head.magic < 2 ? size : size - BATCH_HEAD_BYTES;
        at += size;
    }
    return bytes > BLOCK_BYTES ? (size_t)((double)count * BLOCK_BYTES / (double)bytes) + 1 : count;
}

/* For records with as many headers as the first one; `each` is what that needs. */
static void begin_block(const struct kafka_batches *b, struct filling *f, size_t each)
{
    size_t count = records_in_sight(b);
    size_t size = count < BLOCK_MEMORY_MAX / each ? count * each : BLOCK_MEMORY_MAX;

    size = size < each ? each : size;
    f->block = memory_alloc(sizeof *f->block + size);
    *f->block = (struct fetched_block){
        .block.pub = { .partition = b->in.partition,
                       .topic = b->in.topic,
                       .records = (struct log_record *)(void *)f->block->memory,
                       .size_bytes = sizeof *f->block + size,
                       .release = release },
        .bytes = memory_at_hand(b),
    };
    atomic_init(&f->block->block.pub.references, 1);
    fetched_bytes_ref(f->block->bytes);
    f->front = f->block->memory;
    f->back = f->block->memory + size;
}

static void drop_block(struct filling *f)
{
    if (f->block) {
        release(&f->block->block.pub);
    }
    *f = (struct filling){ 0 };
}

static bool is_empty(const struct filling *f)
{
    return !f->block || f->front == f->block->memory;
}

/* Room for a record; one that is alone may be of any size. False: the block is full. */
static bool make_room(const struct kafka_batches *b, struct filling *f, size_t headers,
                      size_t bytes)
{
    size_t need = sizeof(struct log_record) + headers * sizeof(struct record_header);

    if (f->block && need <= (size_t)(f->back - f->front) &&
        (f->bytes + bytes <= BLOCK_BYTES || is_empty(f))) {
        return true;
    }
    if (!is_empty(f)) {
        return false;
    }
    drop_block(f);
    begin_block(b, f, need);
    return true;
}

static const struct record_header *add_headers(struct filling *f, const struct raw_record *raw)
{
    struct packed_reader from = raw->headers;
    struct record_header *headers;

    f->back -= raw->header_count * sizeof *headers;
    headers = (struct record_header *)(void *)f->back;
    for (uint32_t i = 0; i < raw->header_count; i++) {
        headers[i] = take_header(&from);
    }
    return headers;
}

static inline void add_record(const struct kafka_batches *b, struct filling *f,
                              const struct raw_record *raw, int64_t offset)
{
    int64_t delta = b->is_append_time ? 0 : raw->timestamp_delta;
    int64_t timestamp_ms = (int64_t)((uint64_t)b->base_timestamp_ms + (uint64_t)delta);
    struct log_record *record = (struct log_record *)(void *)f->front;

    f->front += sizeof *record;
    *record = (struct log_record){
        .offset = offset,
        .timestamp_ms = timestamp_ms == -1 ? 0 : timestamp_ms, /* -1: it has none */
        .key = raw->key,
        .value = raw->value,
        .headers = raw->header_count ? add_headers(f, raw) : NULL,
        .header_count = raw->header_count,
    };
}

/* Of the batch at hand, as far as the block has room. */
static int take_records(struct kafka_batches *b, struct filling *f, struct error *err)
{
    struct packed_reader from = b->records;
    int64_t next_offset = b->next_offset;
    int64_t least_delta = b->least_delta;
    uint32_t left = b->records_left;
    const char *wrong = NULL;

    while (left) {
        struct raw_record raw;
        int64_t offset;
        size_t bytes;

        if (b->is_older
                ? !kafka_take_message(b, from.at, from.end, &raw)
                : !take_plain(from.at, from.end, &raw) && !take_any(from.at, from.end, &raw)) {
            wrong = "cannot be read";
            break;
        }
        if (raw.offset_delta < least_delta || raw.offset_delta > b->last_delta) {
            wrong = "has the offset of another one";
            break;
        }
        offset = b->base_offset + raw.offset_delta;
        bytes = (size_t)(raw.next - from.at);
        if (offset >= next_offset) {
            if (!make_room(b, f, raw.header_count, bytes)) {
                f->is_full = true;
                break;
            }
            add_record(b, f, &raw, offset);
            f->bytes += bytes;
            next_offset = offset + 1;
        }
        from.at = raw.next;
        least_delta = raw.offset_delta + 1;
        left--;
    }
    b->records.at = from.at;
    b->records_left = left;
    b->least_delta = least_delta;
    b->next_offset = next_offset;
    return wrong ? kafka_batch_damaged(b->base_offset, err,
                                       "has a record, %u before its end, that %s", (unsigned)left,
                                       wrong)
                 : 0;
}

static struct kafka_block *end_block(const struct kafka_batches *b, struct filling *f)
{
    struct log_block *block = &f->block->block.pub;

    block->record_count =
        (uint32_t)((size_t)((const char *)f->front - f->block->memory) / sizeof(struct log_record));
    block->next_offset = b->next_offset;
    block->size_bytes += f->bytes;
    return &f->block->block;
}

int kafka_batches_next(struct kafka_batches *b, struct kafka_block **out, struct error *err)
{
    struct filling f = { 0 };
    int code;

    do {
        code = find_batch(b, err);
        if (code || !b->records_left || f.is_full) {
            break;
        }
        if (f.block && f.block->bytes != memory_at_hand(b)) {
            if (!is_empty(&f)) {
                break;
            }
            drop_block(&f);
        }
        code = take_records(b, &f, err);
    } while (!code);
    if (is_empty(&f)) {
        drop_block(&f);
        if (!code) {
            *out = NULL;
        }
        return code;
    }
    if (code) {
        error_clear(err);
    }
    *out = end_block(b, &f);
    return 0;
}
