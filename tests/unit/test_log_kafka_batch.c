/*
 * test_log_kafka_batch.c: what a broker sends is handed out whole, once and in order, or is damaged
 * at a place that is named.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/kafka_batch_bed.h"

/* --- what is handed out --- */

static void nothing_comes_of_no_bytes(void **state)
{
    struct batch_bed bed = { .from = 7 };

    bed_read(&bed);
    bed_assert_whole(&bed, "", 7);
    assert_int_equal(bed.block_count, 0);
    bed_end(&bed);
}

static void records_have_their_offsets_times_keys_and_values(void **state)
{
    struct batch_bed bed = { .from = 100 };
    const struct log_block *block;

    put_texts(&bed.sent, 100, 0, -1, TEXTS("a", "bb", "ccc"));
    bed_read(&bed);
    bed_assert_whole(&bed, "100:a 101:bb 102:ccc", 103);
    assert_int_equal(bed.block_count, 1);
    block = &bed.blocks[0]->pub;
    assert_ptr_equal(block->topic, &bed_topic);
    assert_int_equal(block->partition, 3);
    assert_true(block->next_offset == 103);
    assert_true(block->size_bytes > 3 * sizeof(struct log_record) + 9);
    for (uint32_t i = 0; i < 3; i++) {
        assert_true(block->records[i].timestamp_ms == 1100 + i);
        assert_true(bytes_equal_text(block->records[i].key, "k"));
        assert_int_equal(block->records[i].header_count, 0);
    }
    bed_end(&bed);
}

static void empty_is_not_absent(void **state)
{
    const struct sent_record records[] = {
        { .offset = 0, .key = BYTES(""), .value = BYTES("") },
        { .offset = 1 },
        { .offset = 2, .key = BYTES(""), .value = BYTES("some text that is long enough, some") },
        { .offset = 3, .value = BYTES("some other text that is long enough, more") },
        { .offset = 4, .key = BYTES("a key that is long enough for anything") },
        { .offset = 5, .key = BYTES("") },
        { .offset = 6, .value = BYTES("") },
    };
    struct sent_batch batch = { .last_offset = 6, .records = records, .count = 7 };
    struct batch_bed bed = { 0 };

    put_batch(&bed.sent, &batch);
    bed_read(&bed);
    assert_int_equal(bed.code, 0);
    assert_int_equal(bed_record_count(&bed), 7);
    for (uint32_t i = 0; i < 7; i++) {
        assert_true(bytes_equal(bed_record(&bed, i)->key, records[i].key));
        assert_true(bytes_equal(bed_record(&bed, i)->value, records[i].value));
    }
    bed_end(&bed);
}

static void headers_come_along(void **state)
{
    const struct record_header some[] = { { BYTES("trace"), BYTES("abc") },
                                          { BYTES(""), { NULL, 0 } },
                                          { BYTES("trace"), BYTES("") } };
    const struct sent_record records[] = {
        { .offset = 0, .value = BYTES("v"), .headers = some, .header_count = 3 },
        { .offset = 1, .value = BYTES("w") },
        { .offset = 2, .value = BYTES("x"), .headers = some + 1, .header_count = 1 },
        { .offset = 3, .key = BYTES("long, long, long, long, long, long, long") },
    };
    struct sent_batch batch = { .last_offset = 3, .records = records, .count = 4 };
    struct batch_bed bed = { 0 };

    put_batch(&bed.sent, &batch);
    bed_read(&bed);
    assert_int_equal(bed.code, 0);
    assert_int_equal(bed_record_count(&bed), 4);
    for (uint32_t i = 0; i < 4; i++) {
        const struct log_record *record = bed_record(&bed, i);

        assert_int_equal(record->header_count, records[i].header_count);
        for (uint32_t h = 0; h < record->header_count; h++) {
            assert_true(bytes_equal(record->headers[h].key, records[i].headers[h].key));
            assert_true(bytes_equal(record->headers[h].value, records[i].headers[h].value));
        }
    }
    bed_end(&bed);
}

static void many_headers_are_as_good_as_few(void **state)
{
    static struct record_header many[5000];
    struct sent_record records[40];
    struct sent_batch batch = { .last_offset = 39, .records = records, .count = 40 };
    struct batch_bed bed = { 0 };

    for (uint32_t i = 0; i < 5000; i++) {
        many[i] = (struct record_header){ BYTES("h"), { NULL, 0 } };
    }
    for (uint32_t i = 0; i < 40; i++) {
        records[i] = (struct sent_record){ .offset = i,
                                           .value = BYTES("v"),
                                           .headers = many,
                                           .header_count = i % 7 ? i
                                                           : i   ? 1000
                                                                 : 5000 };
    }
    put_batch(&bed.sent, &batch);
    bed_read(&bed);
    assert_int_equal(bed.code, 0);
    assert_int_equal(bed_record_count(&bed), 40);
    for (uint32_t i = 0; i < 40; i++) {
        const struct log_record *record = bed_record(&bed, i);

        assert_int_equal(record->header_count, records[i].header_count);
        for (uint32_t h = 0; h < record->header_count; h++) {
            assert_true(bytes_equal_text(record->headers[h].key, "h"));
            assert_null(record->headers[h].value.data);
        }
    }
    bed_end(&bed);
}

static void append_time_is_of_the_whole_batch(void **state)
{
    struct batch_bed bed = { 0 };

    put_texts(&bed.sent, 0, SENT_APPEND_TIME, -1, TEXTS("a", "b"));
    bed_read(&bed);
    bed_assert_whole(&bed, "0:a 1:b", 2);
    assert_true(bed_record(&bed, 0)->timestamp_ms == 5000);
    assert_true(bed_record(&bed, 1)->timestamp_ms == 5000);
    bed_end(&bed);
}

static void no_timestamp_is_the_epoch(void **state)
{
    const struct sent_record records[] = { { .offset = 0, .timestamp_ms = -1, .value = BYTES("a") },
                                           { .offset = 1, .timestamp_ms = -2, .value = BYTES("b") },
                                           { .offset = 2, .timestamp_ms = INT64_MAX / 2 } };
    struct sent_batch batch = {
        .last_offset = 2, .base_timestamp_ms = -1, .records = records, .count = 3
    };
    struct batch_bed bed = { 0 };

    put_batch(&bed.sent, &batch);
    bed_read(&bed);
    assert_int_equal(bed.code, 0);
    assert_true(bed_record(&bed, 0)->timestamp_ms == 0);
    assert_true(bed_record(&bed, 1)->timestamp_ms == -2);
    assert_true(bed_record(&bed, 2)->timestamp_ms == INT64_MAX / 2);
    bed_end(&bed);
}

static void what_lies_before_the_offset_is_left_out(void **state)
{
    for (int64_t from = 0; from <= 6; from++) {
        static const char all[] = "0:a 1:b 2:c 3:d 4:e 5:f";
        struct batch_bed bed = { .from = from };

        put_texts(&bed.sent, 0, 0, -1, TEXTS("a", "b", "c"));
        put_texts(&bed.sent, 3, 0, -1, TEXTS("d", "e", "f"));
        bed_read(&bed);
        bed_assert_whole(&bed, from < 6 ? all + 4 * from : "", 6);
        bed_end(&bed);
    }
}

static void batches_of_earlier_offsets_are_not_handed_out_again(void **state)
{
    struct batch_bed bed = { 0 };

    put_texts(&bed.sent, 5, 0, -1, TEXTS("a", "b"));
    put_texts(&bed.sent, 3, 0, -1, TEXTS("c", "d"));
    put_texts(&bed.sent, 6, 0, -1, TEXTS("e", "f"));
    bed_read(&bed);
    bed_assert_whole(&bed, "5:a 6:b 7:f", 8);
    bed_end(&bed);
}

static void compacted_offsets_are_gaps(void **state)
{
    const struct sent_record records[] = { { .offset = 12, .value = BYTES("a") },
                                           { .offset = 17, .value = BYTES("b") } };
    struct sent_batch batch = {
        .base_offset = 10, .last_offset = 19, .records = records, .count = 2
    };
    struct sent_batch bare = { .base_offset = 20, .last_offset = 29 };
    struct batch_bed bed = { .from = 10 };

    put_batch(&bed.sent, &batch);
    put_batch(&bed.sent, &bare);
    bed_read(&bed);
    bed_assert_whole(&bed, "12:a 17:b", 30);
    assert_int_equal(bed.block_count, 1);
    assert_true(bed.blocks[0]->pub.next_offset == 30);
    bed_end(&bed);
}

static void a_response_without_records_moves_on(void **state)
{
    struct sent_batch bare = { .base_offset = 20, .last_offset = 29 };
    struct batch_bed bed = { .from = 22 };

    put_batch(&bed.sent, &bare);
    put_marker(&bed.sent, 30, 1, 1);
    bed_read(&bed);
    bed_assert_whole(&bed, "", 31);
    assert_int_equal(bed.block_count, 0);
    bed_end(&bed);
}

/* --- blocks --- */

static void small_batches_share_a_block(void **state)
{
    struct batch_bed bed = { 0 };

    for (int64_t i = 0; i < 400; i++) {
        put_texts(&bed.sent, i, 0, -1, TEXTS("some value"));
    }
    bed_read(&bed);
    assert_int_equal(bed.code, 0);
    assert_int_equal(bed_record_count(&bed), 400);
    assert_int_equal(bed.block_count, 1);
    bed_end(&bed);
}

static void a_large_batch_is_cut(void **state)
{
    static char value[1000];
    static struct sent_record records[1000];
    struct sent_batch batch = { .last_offset = 999, .records = records, .count = 1000 };
    struct batch_bed bed = { 0 };
    int64_t next_offset = 0;

    memset(value, 'v', sizeof value);
    for (uint32_t i = 0; i < 1000; i++) {
        records[i] = (struct sent_record){ .offset = i, .value = { value, i } };
    }
    put_batch(&bed.sent, &batch);
    bed_read(&bed);
    assert_int_equal(bed.code, 0);
    assert_int_equal(bed_record_count(&bed), 1000);
    assert_in_range(bed.block_count, 8, 24); /* half a megabyte */
    for (uint32_t i = 0; i < bed.block_count; i++) {
        const struct log_block *block = &bed.blocks[i]->pub;
        size_t bytes = 0;

        for (uint32_t r = 0; r < block->record_count; r++) {
            assert_true(block->records[r].offset == next_offset++);
            assert_int_equal(block->records[r].value.len, next_offset - 1);
            bytes += block->records[r].value.len;
        }
        assert_true(bytes <= (size_t)64 * 1024);
        assert_true(block->next_offset == next_offset);
        assert_true(block->size_bytes >= bytes);
    }
    bed_end(&bed);
}

static void a_large_record_is_a_block(void **state)
{
    static char value[200000];
    const struct sent_record records[] = { { .offset = 0, .value = BYTES("small") },
                                           { .offset = 1, .value = { value, sizeof value } },
                                           { .offset = 2, .value = BYTES("small") } };
    struct sent_batch batch = { .last_offset = 2, .records = records, .count = 3 };
    struct batch_bed bed = { 0 };

    put_batch(&bed.sent, &batch);
    bed_read(&bed);
    assert_int_equal(bed.code, 0);
    assert_int_equal(bed.block_count, 3);
    assert_int_equal(bed.blocks[1]->pub.record_count, 1);
    assert_int_equal(bed.blocks[1]->pub.records[0].value.len, sizeof value);
    bed_end(&bed);
}

static void tiny_records_are_handed_out_in_measure(void **state)
{
    static struct sent_record records[20000];
    struct sent_batch batch = { .last_offset = 19999, .records = records, .count = 20000 };
    struct batch_bed bed = { 0 };

    for (uint32_t i = 0; i < 20000; i++) {
        records[i] = (struct sent_record){ .offset = i };
    }
    put_batch(&bed.sent, &batch);
    bed_read(&bed);
    assert_int_equal(bed.code, 0);
    assert_int_equal(bed_record_count(&bed), 20000);
    for (uint32_t i = 0; i < bed.block_count; i++) {
        assert_true(bed.blocks[i]->pub.size_bytes < (size_t)200 * 1024);
    }
    for (uint32_t i = 0; i < 20000; i += 97) {
        assert_true(bed_record(&bed, i)->offset == i);
    }
    bed_end(&bed);
}

/* --- transactions --- */

static void markers_are_left_out(void **state)
{
    struct batch_bed bed = { 0 };

    put_marker(&bed.sent, 0, 9, 1);
    put_texts(&bed.sent, 1, SENT_TRANSACTIONAL, 9, TEXTS("a", "b"));
    put_marker(&bed.sent, 3, 9, 1);
    put_texts(&bed.sent, 4, SENT_TRANSACTIONAL, 9, TEXTS("c"));
    put_marker(&bed.sent, 5, 9, 0);
    bed_read(&bed);
    bed_assert_whole(&bed, "1:a 2:b 4:c", 6);
    assert_int_equal(bed.block_count, 1);
    assert_true(bed.blocks[0]->pub.next_offset == 6);
    bed_end(&bed);
}

/* Producers 1 and 2 abort, take turns and come back. */
static void put_turns(struct batch_bed *bed)
{
    put_texts(&bed->sent, 0, SENT_TRANSACTIONAL, 1, TEXTS("a"));
    put_texts(&bed->sent, 1, SENT_TRANSACTIONAL, 2, TEXTS("b"));
    put_texts(&bed->sent, 2, SENT_TRANSACTIONAL, 3, TEXTS("c"));
    put_texts(&bed->sent, 3, 0, 1, TEXTS("d"));
    put_marker(&bed->sent, 4, 3, 1);
    put_texts(&bed->sent, 5, SENT_TRANSACTIONAL, 1, TEXTS("e"));
    put_marker(&bed->sent, 6, 1, 0);
    put_texts(&bed->sent, 7, SENT_TRANSACTIONAL, 1, TEXTS("f"));
    put_texts(&bed->sent, 8, SENT_TRANSACTIONAL, 2, TEXTS("g"));
    put_marker(&bed->sent, 9, 1, 1);
    put_marker(&bed->sent, 10, 2, 0);
    put_texts(&bed->sent, 11, SENT_TRANSACTIONAL, 2, TEXTS("h"));
    put_texts(&bed->sent, 12, SENT_TRANSACTIONAL, 1, TEXTS("i"));
    put_marker(&bed->sent, 13, 2, 1);
    put_marker(&bed->sent, 14, 1, 0);
}

static void aborted_records_are_left_out(void **state)
{
    struct batch_bed bed = { .aborted = { { 1, 12 }, { 2, 1 }, { 1, 0 } }, .aborted_count = 3 };

    put_turns(&bed);
    bed_read(&bed);
    bed_assert_whole(&bed, "2:c 3:d 7:f 11:h", 15);
    bed_end(&bed);
}

static void uncommitted_reads_see_all_but_markers(void **state)
{
    struct batch_bed bed = { 0 };

    put_turns(&bed);
    bed_read(&bed);
    bed_assert_whole(&bed, "0:a 1:b 2:c 3:d 5:e 7:f 8:g 11:h 12:i", 15);
    bed_end(&bed);
}

/* A transaction that began before the response ends in it. */
static void an_aborted_transaction_may_have_begun_before(void **state)
{
    struct batch_bed bed = { .from = 8, .aborted = { { 2, 1 } }, .aborted_count = 1 };

    put_texts(&bed.sent, 8, SENT_TRANSACTIONAL, 2, TEXTS("g"));
    put_marker(&bed.sent, 9, 2, 0);
    put_texts(&bed.sent, 10, SENT_TRANSACTIONAL, 2, TEXTS("h"));
    bed_read(&bed);
    bed_assert_whole(&bed, "10:h", 11);
    bed_end(&bed);
}

static void a_marker_that_cannot_be_read_is_damage(void **state)
{
    const struct sent_record record = { .offset = 2, .key = BYTES("\0") };
    struct sent_batch marker = { .base_offset = 2,
                                 .last_offset = 2,
                                 .attributes = SENT_TRANSACTIONAL | SENT_CONTROL,
                                 .producer_id = 2,
                                 .records = &record,
                                 .count = 1 };
    struct batch_bed bed = { .aborted = { { 2, 1 } }, .aborted_count = 1 };

    put_texts(&bed.sent, 0, 0, -1, TEXTS("a"));
    put_texts(&bed.sent, 1, SENT_TRANSACTIONAL, 2, TEXTS("b"));
    put_batch(&bed.sent, &marker);
    bed_read(&bed);
    bed_assert_damaged(&bed, "0:a", "offset 2 is a transaction's marker that cannot be read");
    bed_end(&bed);
}

/* --- ends and damage --- */

static void a_response_may_be_cut_anywhere(void **state)
{
    struct batch_bed bed = { 0 };
    size_t first;
    size_t second;

    put_texts(&bed.sent, 0, 0, -1, TEXTS("a", "b"));
    first = bed.sent.len;
    put_texts(&bed.sent, 2, 0, -1, TEXTS("c"));
    second = bed.sent.len;
    put_texts(&bed.sent, 3, 0, -1, TEXTS("d", "e", "f"));
    for (size_t len = 0; len < bed.sent.len; len++) {
        bed_read_first(&bed, len);
        if (len < first) {
            bed_assert_whole(&bed, "", 0);
        } else if (len < second) {
            bed_assert_whole(&bed, "0:a 1:b", 2);
        } else {
            bed_assert_whole(&bed, "0:a 1:b 2:c", 3);
        }
        bed_forget(&bed);
    }
    bed_end(&bed);
}

static void put_three(struct batch_bed *bed, size_t *second)
{
    put_texts(&bed->sent, 0, 0, -1, TEXTS("a", "b"));
    *second = bed->sent.len;
    put_texts(&bed->sent, 2, 0, -1, TEXTS("c"));
    put_texts(&bed->sent, 3, 0, -1, TEXTS("d"));
}

static void a_wrong_byte_is_damage(void **state)
{
    struct batch_bed bed = { 0 };
    size_t second;

    put_three(&bed, &second);
    for (size_t at = 17; at < 60; at++) {
        bed.sent.data[second + at] ^= 0x40;
        bed_read(&bed);
        bed_assert_damaged(&bed, "0:a 1:b", "offset 2");
        assert_true(bed.next_offset == 2);
        bed_forget(&bed);
        bed.sent.data[second + at] ^= 0x40;
    }
    bed_end(&bed);
}

static void a_checksum_need_not_be_looked_at(void **state)
{
    struct batch_bed bed = { .is_unchecked = true };
    size_t second;

    put_three(&bed, &second);
    bed.sent.data[second + 17] ^= 1;
    bed_read(&bed);
    bed_assert_whole(&bed, "0:a 1:b 2:c 3:d", 4);
    bed_end(&bed);
    bed = (struct batch_bed){ 0 };
    put_three(&bed, &second);
    bed.sent.data[second + 17] ^= 1;
    bed_read(&bed);
    bed_assert_damaged(&bed, "0:a 1:b", "offset 2 does not have its checksum");
    assert_true(bed.fetched_to == 4);
    bed_end(&bed);
}

static void a_head_without_sense_is_not_passed_over(void **state)
{
    static const char *const lengths[] = { "\xff\xff\xff\xff", "\0\0\0\0", "\0\0\0\x0d",
                                           "\x80\0\0\0", "\0\0\0\x30" };

    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        struct batch_bed bed = { 0 };
        size_t second;

        put_three(&bed, &second);
        memcpy(bed.sent.data + second + 8, lengths[i], 4);
        bed_read(&bed);
        bed_assert_damaged(&bed, "0:a 1:b", "offset 2");
        assert_true(bed.next_offset == 2);
        assert_true(bed.fetched_to == 2);
        bed_end(&bed);
    }
}

static void an_offset_without_sense_is_not_passed_over(void **state)
{
    for (size_t at = 0; at < 24; at += 23) { /* the base's sign, the last delta's */
        struct batch_bed bed = { 0 };
        size_t second;

        put_three(&bed, &second);
        bed.sent.data[second + at] = (char)0x80;
        bed_read(&bed);
        bed_assert_damaged(&bed, "0:a 1:b", "offset");
        assert_true(bed.next_offset == 2);
        assert_true(bed.fetched_to == 2);
        bed_end(&bed);
    }
}

static void an_unknown_format_is_named(void **state)
{
    struct batch_bed bed = { 0 };
    size_t second;

    put_three(&bed, &second);
    bed.sent.data[second + 16] = 3;
    bed_read(&bed);
    bed_assert_damaged(&bed, "0:a 1:b", "offset 2 is of an unknown format");
    assert_true(bed.fetched_to == 2);
    bed_end(&bed);
}

static void an_unknown_codec_is_named(void **state)
{
    struct batch_bed bed = { 0 };

    put_texts(&bed.sent, 0, 0, -1, TEXTS("a"));
    put_texts(&bed.sent, 1, 5, -1, TEXTS("b"));
    bed_read(&bed);
    bed_assert_damaged(&bed, "0:a", "offset 1 is compressed in an unknown way (5)");
    bed_end(&bed);
}

static void counts_and_lengths_must_add_up(void **state)
{
    const struct sent_record records[] = { { .offset = 0, .value = BYTES("a") },
                                           { .offset = 1, .value = BYTES("b") } };
    static const struct {
        int32_t more;
        const char *handed_out;
        const char *words;
    } cases[] = {
        { 1, "0:a 1:b", "offset 0 has a record, 1 before its end, that cannot be read" },
        { -1, "0:a", "offset 0 has 8 bytes behind its last record" },
        { INT32_MAX - 2, "0:a 1:b", "cannot be read" },
        { -3, "", "says it has -1 records" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sent_batch batch = {
            .last_offset = 1, .records = records, .count = 2, .count_is_told = cases[i].more
        };
        struct batch_bed bed = { 0 };

        put_batch(&bed.sent, &batch);
        bed_read(&bed);
        bed_assert_damaged(&bed, cases[i].handed_out, cases[i].words);
        bed_end(&bed);
    }
}

static void offsets_of_records_must_ascend_within_their_batch(void **state)
{
    static const int64_t offsets[] = { 5, 4, 7, -1 };

    for (size_t i = 0; i < sizeof offsets / sizeof offsets[0]; i++) {
        const struct sent_record records[] = { { .offset = 5, .value = BYTES("a") },
                                               { .offset = offsets[i], .value = BYTES("b") } };
        struct sent_batch batch = {
            .base_offset = 4, .last_offset = 6, .records = records, .count = 2
        };
        struct batch_bed bed = { .from = 4 };

        put_batch(&bed.sent, &batch);
        bed_read(&bed);
        bed_assert_damaged(&bed, "5:a", "has the offset of another one");
        assert_true(bed.next_offset == 6);
        bed_end(&bed);
    }
}

/* Of the first record; what follows it decides how it is read. */
static bool first_is_read(struct batch_bed *bed, const struct bytes *record, const char *behind,
                          struct log_record *out)
{
    struct buffer body = { 0 };
    struct sent_batch batch = { .last_offset = 9, .count = 1 };

    buffer_append_bytes(&body, *record);
    buffer_append_text(&body, behind);
    batch.body = buffer_bytes(&body);
    put_batch(&bed->sent, &batch);
    bed_read(bed);
    buffer_fini(&body);
    if (bed_record_count(bed) > 0) {
        *out = *bed_record(bed, 0);
        return true;
    }
    assert_int_equal(bed->code, ERR_LOG_DAMAGED);
    return false;
}

static void assert_same_record(const struct log_record *a, const struct log_record *b)
{
    assert_true(a->offset == b->offset && a->timestamp_ms == b->timestamp_ms);
    assert_true(bytes_equal(a->key, b->key) && bytes_equal(a->value, b->value));
    assert_int_equal(a->header_count, b->header_count);
}

/* The last record of a batch is read with more care than others, but alike. */
static void a_wrong_byte_in_a_record_is_the_same_wherever_it_lies(void **state)
{
    const struct sent_record whole = {
        .offset = 1, .timestamp_ms = 70, .key = BYTES("key"), .value = BYTES("a value of some")
    };
    struct buffer record = { 0 };
    int read_count = 0;

    put_record(&record, &(struct sent_batch){ 0 }, &whole);
    for (size_t i = 0; i < record.len * 256; i++) {
        struct bytes wrong = buffer_bytes(&record);
        struct batch_bed last = { 0 };
        struct batch_bed other = { 0 };
        struct log_record a = { 0 };
        struct log_record b = { 0 };
        char was = record.data[i / 256];
        bool is_read;

        record.data[i / 256] = (char)(i % 256);
        is_read = first_is_read(&last, &wrong, "", &a);
        assert_int_equal(
            is_read,
            first_is_read(&other, &wrong, "\1more bytes than any number in a record takes", &b));
        assert_same_record(&a, &b);
        read_count += is_read;
        bed_end(&last);
        bed_end(&other);
        record.data[i / 256] = was;
    }
    /* Attributes, time, offset, the bytes of key and value: not what the lengths are made of. */
    assert_in_range(read_count, 256 * (1 + 3 + 15), 256 * (1 + 1 + 2 + 3 + 15));
    buffer_fini(&record);
}

static void damage_is_told_again(void **state)
{
    struct fetched_bytes *memory;
    struct kafka_batches batches;
    struct kafka_block *block = NULL;
    struct buffer sent = { 0 };
    struct error err = { 0 };

    put_texts(&sent, 0, 0, -1, TEXTS("a"));
    sent.data[17] ^= 1;
    memory = fetched_bytes_new(sent.len);
    memcpy(memory->data, sent.data, sent.len);
    (void)kafka_batches_init(&batches, &(struct fetched_records){
                                           .topic = &bed_topic,
                                           .memory = memory,
                                           .records = { memory->data, sent.len },
                                           .checks_crc = true,
                                       });
    for (int i = 0; i < 3; i++) {
        assert_int_equal(kafka_batches_next(&batches, &block, &err), ERR_LOG_DAMAGED);
        assert_null(block);
    }
    kafka_batches_fini(&batches);
    fetched_bytes_unref(memory);
    buffer_fini(&sent);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_comes_of_no_bytes),
        cmocka_unit_test(records_have_their_offsets_times_keys_and_values),
        cmocka_unit_test(empty_is_not_absent),
        cmocka_unit_test(headers_come_along),
        cmocka_unit_test(many_headers_are_as_good_as_few),
        cmocka_unit_test(append_time_is_of_the_whole_batch),
        cmocka_unit_test(no_timestamp_is_the_epoch),
        cmocka_unit_test(what_lies_before_the_offset_is_left_out),
        cmocka_unit_test(batches_of_earlier_offsets_are_not_handed_out_again),
        cmocka_unit_test(compacted_offsets_are_gaps),
        cmocka_unit_test(a_response_without_records_moves_on),
        cmocka_unit_test(small_batches_share_a_block),
        cmocka_unit_test(a_large_batch_is_cut),
        cmocka_unit_test(a_large_record_is_a_block),
        cmocka_unit_test(tiny_records_are_handed_out_in_measure),
        cmocka_unit_test(markers_are_left_out),
        cmocka_unit_test(aborted_records_are_left_out),
        cmocka_unit_test(uncommitted_reads_see_all_but_markers),
        cmocka_unit_test(an_aborted_transaction_may_have_begun_before),
        cmocka_unit_test(a_marker_that_cannot_be_read_is_damage),
        cmocka_unit_test(a_response_may_be_cut_anywhere),
        cmocka_unit_test(a_wrong_byte_is_damage),
        cmocka_unit_test(a_checksum_need_not_be_looked_at),
        cmocka_unit_test(a_head_without_sense_is_not_passed_over),
        cmocka_unit_test(an_offset_without_sense_is_not_passed_over),
        cmocka_unit_test(an_unknown_format_is_named),
        cmocka_unit_test(an_unknown_codec_is_named),
        cmocka_unit_test(counts_and_lengths_must_add_up),
        cmocka_unit_test(offsets_of_records_must_ascend_within_their_batch),
        cmocka_unit_test(a_wrong_byte_in_a_record_is_the_same_wherever_it_lies),
        cmocka_unit_test(damage_is_told_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
