/*
 * test_crc32c.c: known checksums, and that no length or alignment is special.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/crc32c.h"

/* RFC 3720, B.4, and the check value of the catalogue of checksums. */
static void checksums_are_the_published_ones(void **state)
{
    char zeros[32] = { 0 };
    char ones[32];

    memset(ones, 0xff, sizeof ones);
    assert_int_equal(crc32c(bytes_of("")), 0);
    assert_int_equal(crc32c(bytes_of("123456789")), 0xe3069283u);
    assert_int_equal(crc32c((struct bytes){ zeros, sizeof zeros }), 0x8a9136aau);
    assert_int_equal(crc32c((struct bytes){ ones, sizeof ones }), 0x62a8ab43u);
}

/* Bit by bit, as the definition has it. */
static uint32_t plainly(const char *data, size_t len)
{
    uint32_t crc = UINT32_MAX;

    for (size_t i = 0; i < len; i++) {
        crc ^= (unsigned char)data[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = (crc >> 1) ^ (crc & 1 ? 0x82f63b78u : 0);
        }
    }
    return ~crc;
}

static void every_length_and_alignment_counts(void **state)
{
    char text[64];

    for (size_t i = 0; i < sizeof text; i++) {
        text[i] = (char)(i * 37 + 11);
    }
    for (size_t from = 0; from < 9; from++) {
        for (size_t len = 0; len + from <= sizeof text; len++) {
            assert_int_equal(crc32c((struct bytes){ text + from, len }), plainly(text + from, len));
        }
    }
}

/* Long texts are taken in stretches of several sizes. */
static void long_texts_are_summed_as_short_ones(void **state)
{
    enum { LONG = 3 * 1024 * 2 + 3 * 64 * 2 + 20 };
    static char text[LONG + 8];
    uint32_t seed = 1;

    for (size_t i = 0; i < sizeof text; i++) {
        seed = seed * 1664525 + 1013904223;
        text[i] = (char)(seed >> 24);
    }
    for (size_t len = 0; len <= LONG; len += len < 900 || len % 3072 > 3000 ? 1 : 61) {
        assert_int_equal(crc32c((struct bytes){ text + len % 8, len }),
                         plainly(text + len % 8, len));
    }
}

/* Each byte of a long text has its weight. */
static void every_byte_of_a_long_text_counts(void **state)
{
    static char text[4000];

    for (size_t i = 0; i < sizeof text; i += 7) {
        text[i] = 1;
        assert_int_equal(crc32c((struct bytes){ text, sizeof text }), plainly(text, sizeof text));
        text[i] = 0;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(checksums_are_the_published_ones),
        cmocka_unit_test(every_length_and_alignment_counts),
        cmocka_unit_test(long_texts_are_summed_as_short_ones),
        cmocka_unit_test(every_byte_of_a_long_text_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
