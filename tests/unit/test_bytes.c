/*
 * test_bytes.c: slices compare as bytes, absent is not empty; buffers grow.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"

static const struct bytes absent;
static const struct bytes empty = BYTES("");

static void absent_is_not_empty(void **state)
{
    assert_true(bytes_equal(absent, absent));
    assert_true(bytes_equal(empty, empty));
    assert_false(bytes_equal(absent, empty));
    assert_false(bytes_equal_nocase(absent, empty));
    assert_true(bytes_equal(bytes_of(NULL), absent));
    assert_true(bytes_equal(bytes_of(""), empty));
    assert_true(bytes_compare(absent, empty) < 0);
    assert_true(bytes_compare(empty, absent) > 0);
    assert_int_equal(bytes_compare(absent, absent), 0);
}

static void order_is_by_unsigned_byte_then_length(void **state)
{
    assert_true(bytes_compare(bytes_of("a"), bytes_of("\xC3")) < 0);
    assert_true(bytes_compare(bytes_of("ab"), bytes_of("b")) < 0);
    assert_true(bytes_compare(bytes_of("a"), bytes_of("ab")) < 0);
    assert_true(bytes_compare(bytes_of("b"), bytes_of("ab")) > 0);
    assert_int_equal(bytes_compare(bytes_of("ab"), bytes_of("ab")), 0);
}

static void bytes_after_nul_count(void **state)
{
    struct bytes left = BYTES("a\0b");
    struct bytes right = BYTES("a\0c");

    assert_false(bytes_equal(left, right));
    assert_true(bytes_compare(left, right) < 0);
    assert_true(bytes_hash(left) != bytes_hash(right));
}

static void only_ascii_letters_fold(void **state)
{
    assert_true(bytes_equal_text_nocase(bytes_of("SeLeCt"), "select"));
    assert_false(bytes_equal_text_nocase(bytes_of("select"), "selects"));
    assert_false(bytes_equal_text_nocase(bytes_of("É"), "é"));
    assert_false(bytes_equal_text_nocase(bytes_of("@"), "`"));
    assert_false(bytes_equal_text_nocase(bytes_of("["), "{"));
}

static void every_text_starts_with_the_empty_one(void **state)
{
    assert_true(bytes_starts_with(bytes_of("abc"), bytes_of("ab")));
    assert_true(bytes_starts_with(bytes_of("abc"), empty));
    assert_true(bytes_starts_with(empty, absent));
    assert_false(bytes_starts_with(bytes_of("ab"), bytes_of("abc")));
    assert_false(bytes_starts_with(bytes_of("abc"), bytes_of("b")));
}

static void hash_spreads_over_low_bits(void **state)
{
    enum { BUCKETS = 256, KEYS = 25600 };
    unsigned counts[BUCKETS] = { 0 };

    for (uint64_t i = 0; i < KEYS; i++) {
        uint64_t key = i << 20; /* low bytes alike */

        counts[bytes_hash((struct bytes){ (const char *)&key, sizeof key }) % BUCKETS]++;
    }
    for (int i = 0; i < BUCKETS; i++) {
        assert_in_range(counts[i], 50, 200); /* 100 on average */
    }
}

static void hash_tells_lengths_apart(void **state)
{
    static const char zeros[64];
    uint64_t seen[sizeof zeros];

    for (size_t len = 0; len < sizeof zeros; len++) {
        seen[len] = bytes_hash((struct bytes){ zeros, len });
        for (size_t k = 0; k < len; k++) {
            assert_true(seen[k] != seen[len]);
        }
    }
}

static void buffer_holds_what_was_appended(void **state)
{
    struct buffer buffer = { 0 };

    assert_non_null(buffer_bytes(&buffer).data);
    assert_int_equal(buffer_bytes(&buffer).len, 0);
    buffer_append_text(&buffer, "ab");
    buffer_append_char(&buffer, 'c');
    buffer_append_bytes(&buffer, absent);
    buffer_append_bytes(&buffer, bytes_of("de"));
    buffer_printf(&buffer, "%03d", 7);
    buffer_append(&buffer, "\0x", 2);
    assert_true(bytes_equal(buffer_bytes(&buffer), (struct bytes)BYTES("abcde007\0x")));
    buffer_fini(&buffer);
    assert_null(buffer.data);
}

static void buffer_grows_past_its_first_room(void **state)
{
    struct buffer buffer = { 0 };

    for (int i = 0; i < 100000; i++) {
        buffer_append_char(&buffer, (char)('a' + i % 26));
    }
    buffer_printf(&buffer, "%5000d", 1);
    assert_int_equal(buffer.len, 105000);
    for (int i = 0; i < 100000; i++) {
        assert_int_equal(buffer.data[i], 'a' + i % 26);
    }
    assert_true(buffer.capacity < 4 * buffer.len);
    buffer_fini(&buffer);
}

static void reserved_room_needs_no_further_growth(void **state)
{
    struct buffer buffer = { 0 };
    const char *data;

    buffer_reserve(&buffer, 1000);
    data = buffer.data;
    for (int i = 0; i < 1000; i++) {
        buffer_append_char(&buffer, 'x');
    }
    assert_ptr_equal(buffer.data, data);
    buffer_fini(&buffer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(absent_is_not_empty),
        cmocka_unit_test(order_is_by_unsigned_byte_then_length),
        cmocka_unit_test(bytes_after_nul_count),
        cmocka_unit_test(only_ascii_letters_fold),
        cmocka_unit_test(every_text_starts_with_the_empty_one),
        cmocka_unit_test(hash_spreads_over_low_bits),
        cmocka_unit_test(hash_tells_lengths_apart),
        cmocka_unit_test(buffer_holds_what_was_appended),
        cmocka_unit_test(buffer_grows_past_its_first_room),
        cmocka_unit_test(reserved_room_needs_no_further_growth),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
