/*
 * fuzz_kafka_batch.c: any bytes are batches, or damage, in an end: offsets ascend from the one that
 * was asked for, and every byte of a record can be read.
 *
 * Input: 0 or 1 for the checksum, how many transactions were aborted, the offset to begin at, those
 * transactions' producers and offsets, a byte each; then the response.
 */
#include <assert.h>
#include <string.h>

#include "engine/log/log_kafka_batch.h"
#include "engine/log/log_kafka_internal.h"
#include "tests/fuzz/fuzz.h"

enum { HEAD_BYTES = 3, ABORTED_MAX = 4 };

static volatile unsigned char sink;

static void read_bytes(struct bytes bytes)
{
    unsigned char sum = 0;

    assert(bytes.data || !bytes.len);
    for (size_t i = 0; i < bytes.len; i++) {
        sum ^= (unsigned char)bytes.data[i];
    }
    sink = sum;
}

static void read_block(const struct log_block *block, int64_t *next_offset)
{
    assert(block->record_count > 0);
    for (uint32_t i = 0; i < block->record_count; i++) {
        const struct log_record *record = &block->records[i];

        assert(record->offset >= *next_offset);
        *next_offset = record->offset + 1;
        read_bytes(record->key);
        read_bytes(record->value);
        for (uint32_t h = 0; h < record->header_count; h++) {
            assert(record->headers[h].key.data);
            read_bytes(record->headers[h].key);
            read_bytes(record->headers[h].value);
        }
    }
    assert(block->next_offset >= *next_offset);
    *next_offset = block->next_offset;
}

static void read_all(const struct fetched_records *in)
{
    struct kafka_batches batches;
    int64_t fetched_to = kafka_batches_init(&batches, in);
    int64_t next_offset = in->from;
    struct error err;
    int code;

    for (;;) {
        struct kafka_block *block = NULL;

        code = kafka_batches_next(&batches, &block, &err);
        if (code || !block) {
            assert(!block && (!code || code == ERR_LOG_DAMAGED));
            break;
        }
        read_block(&block->pub, &next_offset);
        log_block_unref(&block->pub);
    }
    assert(batches.next_offset >= next_offset);
    assert(code || batches.next_offset == fetched_to);
    kafka_batches_fini(&batches);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct log_topic topic = { .name = BYTES("t"), .partition_count = 1 };
    struct aborted_transaction aborted[ABORTED_MAX];
    struct fetched_records in = { .topic = &topic, .aborted = aborted };

    if (size < HEAD_BYTES || size < HEAD_BYTES + 2 * (size_t)(data[1] % (ABORTED_MAX + 1))) {
        return 0;
    }
    in.checks_crc = data[0] & 1;
    in.aborted_count = data[1] % (ABORTED_MAX + 1);
    in.from = data[2];
    data += HEAD_BYTES;
    size -= HEAD_BYTES;
    for (uint32_t i = 0; i < in.aborted_count; i++, data += 2, size -= 2) {
        aborted[i] = (struct aborted_transaction){ data[0], data[1] };
    }
    in.memory = fetched_bytes_new(size);
    if (size) {
        memcpy(in.memory->data, data, size);
    }
    in.records = (struct bytes){ in.memory->data, size };
    read_all(&in);
    fetched_bytes_unref(in.memory);
    return 0;
}
