/*
 * test_log_kafka_codec.c: compressed batches hold the same records, however their producer frames
 * what the codec makes.
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
#include <zlib.h>
#include <zstd.h>

#include "engine/log/log_kafka_codec.h"
#include "tests/unit/kafka_batch_bed.h"

enum { ROOM = 1 << 20 };

static void put_gzip(struct buffer *out, struct bytes plain)
{
    z_stream z = { .avail_in = (uInt)plain.len, .avail_out = ROOM };

    buffer_reserve(out, ROOM);
    z.next_in = (unsigned char *)(uintptr_t)plain.data;
    z.next_out = (unsigned char *)out->data + out->len;
    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    out->len += z.total_out;
    (void)deflateEnd(&z);
}

static void put_snappy(struct buffer *out, struct bytes plain)
{
    size_t len = snappy_max_compressed_length(plain.len);

    buffer_reserve(out, len);
    assert_int_equal(snappy_compress(plain.data, plain.len, out->data + out->len, &len), SNAPPY_OK);
    out->len += len;
}

/* As Java's clients frame it, in blocks of a few bytes. */
static void put_java_snappy(struct buffer *out, struct bytes plain)
{
    enum { BLOCK = 50 };

    buffer_append(out, "\x82SNAPPY\0\0\0\0\1\0\0\0\1", 16);
    for (size_t at = 0; at < plain.len; at += BLOCK) {
        struct buffer block = { 0 };
        size_t left = plain.len - at;

        put_snappy(&block, (struct bytes){ plain.data + at, left < BLOCK ? left : BLOCK });
        put_fixed(out, (int64_t)block.len, 4);
        buffer_append_bytes(out, buffer_bytes(&block));
        buffer_fini(&block);
    }
}

static void put_lz4(struct buffer *out, struct bytes plain)
{
    size_t room = LZ4F_compressFrameBound(plain.len, NULL);
    size_t len;

    buffer_reserve(out, room);
    len = LZ4F_compressFrame(out->data + out->len, room, plain.data, plain.len, NULL);
    assert_false(LZ4F_isError(len));
    out->len += len;
}

static void put_zstd(struct buffer *out, struct bytes plain)
{
    size_t room = ZSTD_compressBound(plain.len);
    size_t len;

    buffer_reserve(out, room);
    len = ZSTD_compress(out->data + out->len, room, plain.data, plain.len, 3);
    assert_false(ZSTD_isError(len));
    out->len += len;
}

static const struct {
    int codec;
    void (*put)(struct buffer *out, struct bytes plain);
    const char *name;
} codecs[] = {
    { SENT_GZIP, put_gzip, "gzip" },
    { SENT_SNAPPY, put_snappy, "snappy" },
    { SENT_SNAPPY, put_java_snappy, "snappy" },
    { SENT_LZ4, put_lz4, "LZ4" },
    { SENT_ZSTD, put_zstd, "zstd" },
};

enum { CODECS = sizeof codecs / sizeof codecs[0] };

static void put_compressed(struct buffer *out, size_t codec, struct sent_batch *batch)
{
    struct buffer plain = { 0 };
    struct buffer packed = { 0 };

    put_records(&plain, batch);
    codecs[codec].put(&packed, buffer_bytes(&plain));
    batch->body = buffer_bytes(&packed);
    batch->attributes |= codecs[codec].codec;
    put_batch(out, batch);
    buffer_fini(&plain);
    buffer_fini(&packed);
}

static void put_two(struct buffer *out, size_t codec, int64_t base_offset)
{
    const struct sent_record records[] = { { .offset = base_offset, .value = BYTES("a") },
                                           { .offset = base_offset + 1, .value = BYTES("b") } };
    struct sent_batch batch = {
        .base_offset = base_offset, .last_offset = base_offset + 1, .records = records, .count = 2
    };

    put_compressed(out, codec, &batch);
}

static void every_codec_holds_the_same_records(void **state)
{
    for (size_t codec = 0; codec < CODECS; codec++) {
        struct batch_bed bed = { 0 };

        put_two(&bed.sent, codec, 0);
        bed_read(&bed);
        bed_assert_whole(&bed, "0:a 1:b", 2);
        bed_end(&bed);
    }
}

/* Each block points into memory of one batch, and keeps it. */
static void compressed_batches_stand_beside_others(void **state)
{
    for (size_t codec = 0; codec < CODECS; codec++) {
        struct batch_bed bed = { .from = 1 };

        put_two(&bed.sent, codec, 0);
        put_texts(&bed.sent, 2, 0, -1, TEXTS("c"));
        put_texts(&bed.sent, 3, 0, -1, TEXTS("d"));
        put_two(&bed.sent, CODECS - 1 - codec, 4);
        put_two(&bed.sent, codec, 6);
        put_marker(&bed.sent, 8, 1, 1);
        bed_read(&bed);
        bed_assert_whole(&bed, "1:b 2:c 3:d 4:a 5:b 6:a 7:b", 9);
        assert_int_equal(bed.block_count, 4);
        assert_true(bed.blocks[3]->pub.next_offset == 9);
        bed_end(&bed);
    }
}

static void a_compressed_batch_may_be_larger_than_a_block(void **state)
{
    static char value[150];
    static struct sent_record records[3000];

    for (size_t i = 0; i < sizeof value; i++) {
        value[i] = (char)('a' + i % 26);
    }
    for (uint32_t i = 0; i < 3000; i++) {
        records[i] = (struct sent_record){ .offset = i, .value = { value, i % sizeof value } };
    }
    for (size_t codec = 0; codec < CODECS; codec++) {
        struct sent_batch batch = { .last_offset = 2999, .records = records, .count = 3000 };
        struct batch_bed bed = { 0 };

        put_compressed(&bed.sent, codec, &batch);
        bed_read(&bed);
        assert_int_equal(bed.code, 0);
        assert_int_equal(bed_record_count(&bed), 3000);
        assert_in_range(bed.block_count, 4, 16);
        for (uint32_t i = 0; i < 3000; i++) {
            const struct log_record *record = bed_record(&bed, i);

            assert_true(record->offset == i);
            assert_true(bytes_equal(record->value, records[i].value));
        }
        bed_end(&bed);
    }
}

static void aborted_and_earlier_batches_are_not_unpacked(void **state)
{
    const struct sent_record record = { .offset = 0 };
    struct sent_batch batch = { .attributes = SENT_TRANSACTIONAL | SENT_ZSTD,
                                .producer_id = 7,
                                .records = &record,
                                .count = 1,
                                .body = BYTES("not compressed at all") };
    struct batch_bed bed = { .aborted = { { 7, 0 } }, .aborted_count = 1 };

    put_batch(&bed.sent, &batch);
    put_marker(&bed.sent, 1, 7, 0);
    bed_read(&bed);
    bed_assert_whole(&bed, "", 2);
    bed.aborted_count = 0;
    bed_read(&bed);
    bed_assert_damaged(&bed, "", "offset 0 holds no whole zstd data");
    bed_end(&bed);
}

static void what_is_cut_or_has_more_behind_it_is_damage(void **state)
{
    const struct sent_record record = { .offset = 1, .value = BYTES("some text, some text") };

    for (size_t codec = 0; codec < CODECS; codec++) {
        struct sent_batch plain = { .last_offset = 1, .records = &record, .count = 1 };
        struct buffer bytes = { 0 };
        struct buffer packed = { 0 };
        size_t whole;

        put_records(&bytes, &plain);
        codecs[codec].put(&packed, buffer_bytes(&bytes));
        whole = packed.len;
        buffer_append_text(&packed, "\1more");
        for (size_t len = 1; len <= packed.len; len++) {
            struct batch_bed bed = { 0 };

            plain.attributes = codecs[codec].codec;
            plain.body = (struct bytes){ packed.data, len };
            put_batch(&bed.sent, &plain);
            bed_read(&bed);
            if (len == whole) {
                bed_assert_whole(&bed, "1:some text, some text", 2);
            } else {
                assert_int_equal(bed.code, ERR_LOG_DAMAGED);
                assert_int_equal(bed_record_count(&bed), 0);
            }
            bed_end(&bed);
        }
        buffer_fini(&bytes);
        buffer_fini(&packed);
    }
}

static void any_byte_of_it_may_be_wrong(void **state)
{
    for (size_t codec = 0; codec < CODECS; codec++) {
        struct batch_bed bed = { .is_unchecked = true };

        put_two(&bed.sent, codec, 0);
        for (size_t at = 61; at < bed.sent.len; at++) {
            for (int bit = 0; bit < 8; bit++) {
                bed.sent.data[at] ^= (char)(1 << bit);
                bed_read(&bed);
                assert_true(bed.code == 0 || bed.code == ERR_LOG_DAMAGED);
                assert_true(bed_record_count(&bed) <= 2);
                bed_forget(&bed);
                bed.sent.data[at] ^= (char)(1 << bit);
            }
        }
        bed_end(&bed);
    }
}

static void streams_may_follow_one_another(void **state)
{
    const struct sent_record records[] = { { .offset = 0, .value = BYTES("a") },
                                           { .offset = 1, .value = BYTES("b") } };
    struct sent_batch batch = { .last_offset = 1, .records = records, .count = 2 };

    for (size_t codec = 0; codec < CODECS; codec++) {
        struct buffer packed = { 0 };
        struct buffer plain = { 0 };
        struct batch_bed bed = { 0 };

        if (codecs[codec].codec == SENT_SNAPPY) {
            continue; /* it has no streams */
        }
        put_records(&plain, &batch);
        codecs[codec].put(&packed, (struct bytes){ plain.data, 5 });
        codecs[codec].put(&packed, (struct bytes){ plain.data + 5, plain.len - 5 });
        batch.body = buffer_bytes(&packed);
        batch.attributes = codecs[codec].codec;
        put_batch(&bed.sent, &batch);
        bed_read(&bed);
        bed_assert_whole(&bed, "0:a 1:b", 2);
        bed_end(&bed);
        buffer_fini(&plain);
        buffer_fini(&packed);
    }
}

/* A few bytes of snappy say that four gigabytes are in them. */
static void a_size_that_is_not_possible_is_not_believed(void **state)
{
    struct unpacker *unpacker = NULL;
    struct fetched_bytes *out = NULL;
    struct error err = { 0 };

    assert_int_equal(kafka_unpack(&unpacker, CODEC_SNAPPY,
                                  (struct bytes){ "\xff\xff\xff\xff\x0f\0a", 7 }, &out, &err),
                     ERR_LOG_DAMAGED);
    assert_int_equal(kafka_unpack(&unpacker, CODEC_NONE, bytes_of("abc"), &out, &err),
                     ERR_LOG_DAMAGED);
    assert_null(out);
    unpacker_destroy(unpacker);
}

static void an_unpacker_serves_every_codec_in_turn(void **state)
{
    struct unpacker *unpacker = NULL;

    for (size_t turn = 0; turn < 3 * (size_t)CODECS; turn++) {
        struct bytes plain = bytes_of("some text, some text, some text, some text");
        struct fetched_bytes *out = NULL;
        struct buffer packed = { 0 };

        codecs[turn % CODECS].put(&packed, plain);
        /* One that fails leaves nothing behind. */
        (void)kafka_unpack(&unpacker, codecs[turn % CODECS].codec,
                           (struct bytes){ packed.data, packed.len / 2 }, &out, NULL);
        assert_null(out);
        assert_int_equal(
            kafka_unpack(&unpacker, codecs[turn % CODECS].codec, buffer_bytes(&packed), &out, NULL),
            0);
        assert_true(bytes_equal((struct bytes){ out->data, out->size }, plain));
        fetched_bytes_unref(out);
        buffer_fini(&packed);
    }
    unpacker_destroy(unpacker);
}

static void the_older_checksum_is_the_published_one(void **state)
{
    assert_int_equal(kafka_crc32(bytes_of("123456789")), 0xcbf43926u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_codec_holds_the_same_records),
        cmocka_unit_test(compressed_batches_stand_beside_others),
        cmocka_unit_test(a_compressed_batch_may_be_larger_than_a_block),
        cmocka_unit_test(aborted_and_earlier_batches_are_not_unpacked),
        cmocka_unit_test(what_is_cut_or_has_more_behind_it_is_damage),
        cmocka_unit_test(any_byte_of_it_may_be_wrong),
        cmocka_unit_test(streams_may_follow_one_another),
        cmocka_unit_test(a_size_that_is_not_possible_is_not_believed),
        cmocka_unit_test(an_unpacker_serves_every_codec_in_turn),
        cmocka_unit_test(the_older_checksum_is_the_published_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
