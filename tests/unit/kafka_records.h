/*
 * kafka_records.h: batches of records as a broker sends them, written for tests.
 *
 * Knows nothing of the code that reads them.
 */
#ifndef SLUICE_TESTS_UNIT_KAFKA_RECORDS_H
#define SLUICE_TESTS_UNIT_KAFKA_RECORDS_H

#include "base/bytes.h"
#include "engine/type/row_batch.h"

struct sent_record {
    int64_t offset; /* absolute */
    int64_t timestamp_ms;
    struct bytes key;
    struct bytes value;
    const struct record_header *headers;
    uint32_t header_count;
};

enum {
    SENT_GZIP = 1,
    SENT_SNAPPY = 2,
    SENT_LZ4 = 3,
    SENT_ZSTD = 4,
    SENT_APPEND_TIME = 8,
    SENT_TRANSACTIONAL = 16,
    SENT_CONTROL = 32
};

struct sent_batch {
    int64_t base_offset;
    int64_t last_offset;
    int attributes;
    int64_t base_timestamp_ms;
    int64_t max_timestamp_ms;
    int64_t producer_id;
    const struct sent_record *records;
    uint32_t count;
    struct bytes body;     /* instead of records, as it is compressed */
    int32_t count_is_told; /* added to the count */
};

void put_fixed(struct buffer *out, int64_t value, int size);
void put_number(struct buffer *out, int64_t value); /* as the lengths in a record */
void put_record(struct buffer *out, const struct sent_batch *batch, const struct sent_record *r);
void put_records(struct buffer *out, const struct sent_batch *batch);
void put_batch(struct buffer *out, const struct sent_batch *batch);
/* The checksum and the length of the batch that begins there, up to the end. */
void seal_batch(struct buffer *out, size_t begin);
/* A batch with one record for each text, from an offset on, timestamps of 1000 + offset. */
void put_texts(struct buffer *out, int64_t base_offset, int attributes, int64_t producer_id,
               const char *const *texts);
void put_marker(struct buffer *out, int64_t offset, int64_t producer_id, int type);

#endif
