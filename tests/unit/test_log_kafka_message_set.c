/*
 * test_log_kafka_message_set.c: messages of the formats before batches, alone and packed, are
 * records as any other.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <lz4frame.h>
#include <snappy-c.h>

#include "engine/log/log_kafka_codec.h"
#include "tests/unit/kafka_batch_bed.h"

struct sent_message {
    int magic;
    int attributes;
    int64_t offset;
    int64_t timestamp_ms;
    struct bytes key;
    struct bytes value;
};

static void put_text(struct buffer *out, struct bytes text)
{
    put_fixed(out, text.data ? (int64_t)text.len : -1, 4);
    buffer_append_bytes(out, text);
}

static void put_message(struct buffer *out, const struct sent_message *m)
{
    struct buffer body = { 0 };

    put_fixed(&body, m->magic, 1);
    put_fixed(&body, m->attributes, 1);
    if (m->magic) {
        put_fixed(&body, m->timestamp_ms, 8);
    }
    put_text(&body, m->key);
    put_text(&body, m->value);
    put_fixed(out, m->offset, 8);
    put_fixed(out, (int64_t)body.len + 4, 4);
    put_fixed(out, kafka_crc32(buffer_bytes(&body)), 4);
    buffer_append_bytes(out, buffer_bytes(&body));
    buffer_fini(&body);
}

static void put_plain(struct buffer *out, int magic, int64_t offset, const char *value)
{
    put_message(out, &(struct sent_message){ .magic = magic,
                                             .offset = offset,
                                             .timestamp_ms = 1000 + offset,
                                             .key = BYTES("k"),
                                             .value = bytes_of(value) });
}

/* As a wrapper's value. */
static void put_wrapper(struct buffer *out, struct sent_message wrapper, const struct buffer *inner)
{
    size_t len = snappy_max_compressed_length(inner->len);
    char *packed = malloc(len);

    assert_non_null(packed);
    assert_int_equal(snappy_compress(inner->data, inner->len, packed, &len), SNAPPY_OK);
    wrapper.attributes |= SENT_SNAPPY;
    wrapper.value = (struct bytes){ packed, len };
    put_message(out, &wrapper);
    free(packed);
}

static void messages_are_records(void **state)
{
    for (int magic = 0; magic < 2; magic++) {
        struct batch_bed bed = { .from = 5 };

        put_plain(&bed.sent, magic, 4, "before");
        put_plain(&bed.sent, magic, 5, "a");
        put_plain(&bed.sent, magic, 6, "b");
        put_message(&bed.sent, &(struct sent_message){ .magic = magic, .offset = 9 });
        put_message(&bed.sent, &(struct sent_message){ .magic = magic,
                                                       .offset = 10,
                                                       .timestamp_ms = -1,
                                                       .key = BYTES(""),
                                                       .value = BYTES("") });
        bed_read(&bed);
        bed_assert_whole(&bed, "5:a 6:b 9: 10:", 11);
        assert_int_equal(bed.block_count, 1);
        assert_true(bed_record(&bed, 0)->timestamp_ms == (magic ? 1005 : 0));
        assert_true(bytes_equal_text(bed_record(&bed, 0)->key, "k"));
        assert_null(bed_record(&bed, 2)->key.data);
        assert_null(bed_record(&bed, 2)->value.data);
        assert_non_null(bed_record(&bed, 3)->key.data);
        assert_non_null(bed_record(&bed, 3)->value.data);
        assert_true(bed_record(&bed, 3)->timestamp_ms == 0);
        bed_end(&bed);
    }
}

static void packed_offsets_count_from_the_wrappers_in_magic_1(void **state)
{
    struct batch_bed bed = { .from = 101 };
    struct buffer inner = { 0 };

    put_plain(&inner, 1, 0, "a");
    put_plain(&inner, 1, 1, "b");
    put_plain(&inner, 1, 4, "c"); /* two were compacted away */
    put_wrapper(&bed.sent, (struct sent_message){ .magic = 1, .offset = 104 }, &inner);
    put_plain(&bed.sent, 1, 105, "d");
    bed_read(&bed);
    bed_assert_whole(&bed, "101:b 104:c 105:d", 106);
    assert_true(bed_record(&bed, 0)->timestamp_ms == 1001);
    bed_end(&bed);
    buffer_fini(&inner);
}

static void packed_offsets_are_final_in_magic_0(void **state)
{
    struct batch_bed bed = { .from = 101 };
    struct buffer inner = { 0 };

    put_plain(&inner, 0, 100, "a");
    put_plain(&inner, 0, 101, "b");
    put_plain(&inner, 0, 104, "c");
    put_wrapper(&bed.sent, (struct sent_message){ .magic = 0, .offset = 104 }, &inner);
    bed_read(&bed);
    bed_assert_whole(&bed, "101:b 104:c", 105);
    assert_true(bed_record(&bed, 0)->timestamp_ms == 0);
    bed_end(&bed);
    buffer_fini(&inner);
}

/* The sum of the frame's head is then whatever it is. */
static void a_wrong_sum_of_lz4s_head_does_not_matter_in_magic_0(void **state)
{
    for (unsigned long long size = 0; size < 2; size++) {
        LZ4F_preferences_t with_size = { .frameInfo.contentSize = size };
        struct sent_message wrapper = { .attributes = SENT_LZ4, .offset = 101 };
        struct batch_bed bed = { .from = 100 };
        struct buffer inner = { 0 };
        char packed[512];

        put_plain(&inner, 0, 100, "a");
        put_plain(&inner, 0, 101, "b");
        with_size.frameInfo.contentSize = size ? inner.len : 0;
        wrapper.value =
            (struct bytes){ packed, LZ4F_compressFrame(packed, sizeof packed, inner.data, inner.len,
                                                       &with_size) };
        assert_false(LZ4F_isError(wrapper.value.len));
        for (int sum = 0; sum < 2; sum++) {
            put_message(&bed.sent, &wrapper);
            bed_read(&bed);
            bed_assert_whole(&bed, "100:a 101:b", 102);
            bed_end(&bed);
            packed[size ? 14 : 6] ^= 0x55;
        }
        wrapper.value.len = 6;
        put_message(&bed.sent, &wrapper);
        bed_read(&bed);
        bed_assert_damaged(&bed, "", "offset 101 holds no whole LZ4 data");
        bed_end(&bed);
        buffer_fini(&inner);
    }
}

static void append_time_is_the_wrappers(void **state)
{
    struct sent_message wrapper = {
        .magic = 1, .attributes = SENT_APPEND_TIME, .offset = 1, .timestamp_ms = 7777
    };
    struct batch_bed bed = { 0 };
    struct buffer inner = { 0 };

    put_plain(&inner, 1, 0, "a");
    put_plain(&inner, 1, 1, "b");
    put_wrapper(&bed.sent, wrapper, &inner);
    wrapper.offset = 2;
    wrapper.value = bytes_of("c");
    put_message(&bed.sent, &wrapper);
    bed_read(&bed);
    bed_assert_whole(&bed, "0:a 1:b 2:c", 3);
    for (uint32_t i = 0; i < 3; i++) {
        assert_true(bed_record(&bed, i)->timestamp_ms == 7777);
    }
    bed_end(&bed);
    buffer_fini(&inner);
}

static void all_formats_may_follow_one_another(void **state)
{
    struct batch_bed bed = { 0 };

    put_plain(&bed.sent, 0, 0, "a");
    put_plain(&bed.sent, 1, 1, "b");
    put_texts(&bed.sent, 2, 0, -1, TEXTS("c", "d"));
    put_plain(&bed.sent, 1, 4, "e");
    bed_read(&bed);
    bed_assert_whole(&bed, "0:a 1:b 2:c 3:d 4:e", 5);
    assert_int_equal(bed.block_count, 1);
    bed_end(&bed);
}

static void messages_may_be_cut_anywhere(void **state)
{
    struct batch_bed bed = { 0 };
    size_t first;

    put_plain(&bed.sent, 0, 0, "a");
    first = bed.sent.len;
    put_plain(&bed.sent, 1, 1, "b");
    for (size_t len = 0; len < bed.sent.len; len++) {
        bed_read_first(&bed, len);
        bed_assert_whole(&bed, len < first ? "" : "0:a", len < first ? 0 : 1);
        bed_forget(&bed);
    }
    bed_end(&bed);
}

static void a_wrong_message_is_damage(void **state)
{
    struct batch_bed bed = { 0 };
    size_t second;

    put_plain(&bed.sent, 1, 0, "a");
    second = bed.sent.len;
    put_plain(&bed.sent, 1, 1, "b");
    put_plain(&bed.sent, 1, 2, "c");
    bed.sent.data[second + 30] ^= 1;
    bed_read(&bed);
    bed_assert_damaged(&bed, "0:a", "offset 1 does not have its checksum");
    assert_true(bed.next_offset == 1);
    bed_end(&bed);
}

static void lengths_of_a_message_must_add_up(void **state)
{
    for (int magic = 0; magic < 2; magic++) {
        struct batch_bed bed = { .is_unchecked = true };

        put_plain(&bed.sent, magic, 0, "some text");
        put_plain(&bed.sent, magic, 1, "b");
        for (size_t at = magic ? 26 : 18; at < (magic ? 39 : 31); at++) {
            for (int bit = 0; bit < 8; bit++) {
                if (at == (magic ? 30 : 22)) {
                    continue; /* the key's own byte */
                }
                bed.sent.data[at] ^= (char)(1 << bit);
                bed_read(&bed);
                if (at < (magic ? 35 : 27)) {
                    bed_assert_damaged(&bed, "", "offset 0 is a message that cannot be read");
                }
                bed_forget(&bed);
                bed.sent.data[at] ^= (char)(1 << bit);
            }
        }
        bed_end(&bed);
    }
}

static void wrong_messages_in_a_wrapper_are_damage(void **state)
{
    for (int wrong = 0; wrong < 6; wrong++) {
        struct sent_message wrapper = { .magic = 1, .offset = 7 };
        struct sent_message packed = { .magic = 1, .attributes = SENT_SNAPPY };
        struct batch_bed bed = { .from = 6 };
        struct buffer inner = { 0 };

        put_plain(&bed.sent, 1, 6, "before");
        put_plain(&inner, wrong == 0 ? 0 : 1, 0, "a");
        put_plain(&inner, 1, wrong == 1 ? 8 : 1, "b");
        if (wrong == 2) {
            put_message(&inner, &packed);
        } else if (wrong == 3) {
            inner.data[inner.len - 1] ^= 1;
        } else if (wrong == 4) {
            inner.len--;
        } else if (wrong == 5) {
            inner.len = 0;
        }
        put_wrapper(&bed.sent, wrapper, &inner);
        bed_read(&bed);
        bed_assert_damaged(&bed, "6:before", "offset 7 holds packed messages that cannot be read");
        bed_end(&bed);
        buffer_fini(&inner);
    }
}

static void a_wrapper_of_nothing_is_damage(void **state)
{
    struct sent_message wrapper = { .magic = 1, .attributes = SENT_SNAPPY, .offset = 7 };
    struct batch_bed bed = { .from = 7 };

    put_message(&bed.sent, &wrapper);
    bed_read(&bed);
    bed_assert_damaged(&bed, "", "offset 7 holds nothing to unpack");
    bed_end(&bed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_are_records),
        cmocka_unit_test(packed_offsets_count_from_the_wrappers_in_magic_1),
        cmocka_unit_test(packed_offsets_are_final_in_magic_0),
        cmocka_unit_test(a_wrong_sum_of_lz4s_head_does_not_matter_in_magic_0),
        cmocka_unit_test(append_time_is_the_wrappers),
        cmocka_unit_test(all_formats_may_follow_one_another),
        cmocka_unit_test(messages_may_be_cut_anywhere),
        cmocka_unit_test(a_wrong_message_is_damage),
        cmocka_unit_test(lengths_of_a_message_must_add_up),
        cmocka_unit_test(wrong_messages_in_a_wrapper_are_damage),
        cmocka_unit_test(a_wrapper_of_nothing_is_damage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
