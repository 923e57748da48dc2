/*
 * bench_kafka_batch.c: a response of records of 160 bytes taken apart to blocks, per record.
 *
 * Batches of a megabyte, of a hundred records, and of one. The response is the same memory each
 * round, as a reader that keeps up has it: it came from the socket a moment ago.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "engine/log/log_kafka_batch.h"
#include "engine/log/log_kafka_internal.h"
#include "tests/unit/kafka_records.h"

enum { KEY_BYTES = 16, VALUE_BYTES = 144, RECORDS = 6000, ROUNDS = 300 };

static const struct log_topic topic = { .name = BYTES("bench"), .partition_count = 1 };

static struct fetched_bytes *make_response(uint32_t per_batch)
{
    static char text[KEY_BYTES + VALUE_BYTES];
    struct sent_record *records = calloc(per_batch, sizeof *records);
    struct buffer sent = { 0 };
    struct fetched_bytes *memory;

    memset(text, 'x', sizeof text);
    for (int64_t base = 0; base < RECORDS; base += per_batch) {
        struct sent_batch batch = { .base_offset = base,
                                    .last_offset = base + per_batch - 1,
                                    .base_timestamp_ms = 1700000000000,
                                    .records = records,
                                    .count = per_batch };

        for (uint32_t i = 0; i < per_batch; i++) {
            records[i] = (struct sent_record){ .offset = base + i,
                                               .timestamp_ms = 1700000000000 + i / 4,
                                               .key = { text, KEY_BYTES },
                                               .value = { text, VALUE_BYTES } };
        }
        put_batch(&sent, &batch);
    }
    memory = fetched_bytes_new(sent.len);
    memcpy(memory->data, sent.data, sent.len);
    buffer_fini(&sent);
    free(records);
    return memory;
}

static uint64_t take_apart(const struct fetched_records *in)
{
    struct kafka_batches batches;
    struct kafka_block *block;
    uint64_t count = 0;

    (void)kafka_batches_init(&batches, in);
    while (kafka_batches_next(&batches, &block, NULL) == 0 && block) {
        count += block->pub.record_count;
        log_block_unref(&block->pub);
    }
    kafka_batches_fini(&batches);
    return count;
}

static void measure(const char *what, uint32_t per_batch, bool checks_crc)
{
    struct fetched_bytes *memory = make_response(per_batch);
    struct fetched_records in = { .topic = &topic,
                                  .memory = memory,
                                  .records = { memory->data, memory->size },
                                  .checks_crc = checks_crc };
    int64_t start_us = clock_cpu_us();
    uint64_t count = 0;

    for (int i = 0; i < ROUNDS; i++) {
        count += take_apart(&in);
    }
    (void)printf("%-32s %6.1f ns per record, %u bytes\n", what,
                 (double)(clock_cpu_us() - start_us) * 1000 / (double)count,
                 (unsigned)(KEY_BYTES + VALUE_BYTES));
    fetched_bytes_unref(memory);
}

int main(void)
{
    measure("6000 a batch, checksum", 6000, true);
    measure("6000 a batch", 6000, false);
    measure("100 a batch, checksum", 100, true);
    measure("100 a batch", 100, false);
    measure("1 a batch, checksum", 1, true);
    measure("1 a batch", 1, false);
    return 0;
}
