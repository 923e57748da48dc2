/*
 * kafka_batch_bed.c: see kafka_batch_bed.h.
 */
#include "tests/unit/kafka_batch_bed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

const struct log_topic bed_topic = { .name = BYTES("t"), .partition_count = 4 };

/* The memory is of the response's exact size, so that a read beyond it is seen. */
void bed_read_first(struct batch_bed *bed, size_t len)
{
    struct fetched_bytes *memory = fetched_bytes_new(len);
    struct fetched_records in = { .topic = &bed_topic,
                                  .partition = 3,
                                  .memory = memory,
                                  .records = { memory->data, len },
                                  .from = bed->from,
                                  .aborted = bed->aborted,
                                  .aborted_count = bed->aborted_count,
                                  .checks_crc = !bed->is_unchecked };
    struct kafka_batches batches;

    if (len) {
        memcpy(memory->data, bed->sent.data, len);
    }
    bed->fetched_to = kafka_batches_init(&batches, &in);
    fetched_bytes_unref(memory);
    bed->block_count = 0;
    for (;;) {
        bool is_used_up = kafka_batches_are_used_up(&batches);
        struct kafka_block *block = NULL;

        bed->code = kafka_batches_next(&batches, &block, &bed->err);
        assert_true(!is_used_up || (!bed->code && !block));
        if (bed->code || !block) {
            assert_null(block);
            assert_true(bed->code || kafka_batches_are_used_up(&batches));
            break;
        }
        assert_true(bed->block_count < BLOCKS_MAX);
        assert_true(block->pub.next_offset == batches.next_offset);
        bed->blocks[bed->block_count++] = block;
    }
    bed->next_offset = batches.next_offset;
    kafka_batches_fini(&batches);
}

void bed_read(struct batch_bed *bed)
{
    bed_read_first(bed, bed->sent.len);
}

void bed_forget(struct batch_bed *bed)
{
    for (uint32_t i = 0; i < bed->block_count; i++) {
        log_block_unref(&bed->blocks[i]->pub);
    }
    bed->block_count = 0;
}

void bed_end(struct batch_bed *bed)
{
    bed_forget(bed);
    buffer_fini(&bed->sent);
}

uint32_t bed_record_count(const struct batch_bed *bed)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < bed->block_count; i++) {
        count += bed->blocks[i]->pub.record_count;
    }
    return count;
}

const struct log_record *bed_record(const struct batch_bed *bed, uint32_t index)
{
    for (uint32_t i = 0; i < bed->block_count; i++) {
        if (index < bed->blocks[i]->pub.record_count) {
            return &bed->blocks[i]->pub.records[index];
        }
        index -= bed->blocks[i]->pub.record_count;
    }
    fail_msg("there are fewer records");
    return NULL;
}

static void assert_handed_out(const struct batch_bed *bed, const char *expected)
{
    struct buffer text = { 0 };

    for (uint32_t i = 0; i < bed_record_count(bed); i++) {
        const struct log_record *record = bed_record(bed, i);

        buffer_printf(&text, "%s%lld:%.*s", i ? " " : "", (long long)record->offset,
                      BYTES_ARG(record->value));
    }
    buffer_append_char(&text, '\0');
    assert_string_equal(text.data, expected);
    buffer_fini(&text);
}

void bed_assert_whole(const struct batch_bed *bed, const char *expected, int64_t next_offset)
{
    assert_int_equal(bed->code, 0);
    assert_handed_out(bed, expected);
    assert_true(bed->next_offset == next_offset);
    assert_true(bed->fetched_to == next_offset);
}

void bed_assert_damaged(const struct batch_bed *bed, const char *expected, const char *words)
{
    assert_int_equal(bed->code, ERR_LOG_DAMAGED);
    assert_handed_out(bed, expected);
    if (!strstr(bed->err.message, words)) {
        fail_msg("'%s' is not in: %s", words, bed->err.message);
    }
}
