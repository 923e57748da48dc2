/*
 * test_utf8.c: what is well-formed, and where text may be cut; case mapping.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/unicode.h"
#include "base/utf8.h"

static void every_code_point_decodes_to_itself(void **state)
{
    for (uint32_t code_point = 0; code_point <= 0x110000; code_point++) {
        char text[UTF8_MAX_BYTES];
        uint32_t decoded = 0;
        size_t len = utf8_encode(code_point, text);
        int is_scalar = (code_point < 0xD800 || code_point > 0xDFFF) && code_point <= 0x10FFFF;

        if (!is_scalar) {
            assert_int_equal(len, 0);
            continue;
        }
        assert_int_equal(utf8_decode((struct bytes){ text, len }, 0, &decoded), len);
        assert_int_equal(decoded, code_point);
        assert_int_equal(utf8_decode((struct bytes){ text, len - 1 }, 0, &decoded), 0);
    }
}

static void malformed_sequences_are_refused(void **state)
{
    static const struct bytes malformed[] = {
        BYTES("\x80"),             /* continuation alone */
        BYTES("\xC0\x80"),         /* overlong */
        BYTES("\xC1\xBF"),         /* overlong */
        BYTES("\xE0\x9F\xBF"),     /* overlong */
        BYTES("\xF0\x8F\xBF\xBF"), /* overlong */
        BYTES("\xED\xA0\x80"),     /* surrogate */
        BYTES("\xF4\x90\x80\x80"), /* above U+10FFFF */
        BYTES("\xF5\x80\x80\x80"),
        BYTES("\xFF"),
        BYTES("a\xE2\x82"), /* cut */
        BYTES("\xE2\x28\xA1"),
        BYTES("\xE2\x82\x28"),
    };

    for (size_t i = 0; i < sizeof malformed / sizeof *malformed; i++) {
        assert_false(utf8_is_valid(malformed[i]));
    }
    assert_true(utf8_is_valid((struct bytes){ 0 }));
    assert_true(utf8_is_valid(bytes_of("aé€😀")));
}

static void count_is_by_code_point(void **state)
{
    assert_int_equal(utf8_count(bytes_of("aé€😀")), 4);
    assert_int_equal(utf8_count(bytes_of("")), 0);
    assert_int_equal(utf8_count(bytes_of("a\x80\x80")), 3);
}

static void cut_never_ends_inside_a_character(void **state)
{
    struct bytes text = BYTES("aé€😀z");
    const size_t kept[] = { 0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11, 11 };

    for (size_t max = 0; max < sizeof kept / sizeof *kept; max++) {
        assert_int_equal(utf8_cut(text, max).len, kept[max]);
    }
}

static void malformed_text_is_cut_at_the_limit(void **state)
{
    assert_int_equal(utf8_cut((struct bytes)BYTES("\x80\x80\x80\x80\x80\x80"), 5).len, 5);
    assert_int_equal(utf8_cut((struct bytes)BYTES("a\x80\x80\x80"), 3).len, 3);
}

static void assert_maps_to(void (*map)(struct bytes, struct buffer *), const char *from,
                           const char *to)
{
    struct buffer out = { 0 };

    map(bytes_of(from), &out);
    assert_true(bytes_equal_text(buffer_bytes(&out), to));
    buffer_fini(&out);
}

static void case_mapping_follows_unicode(void **state)
{
    assert_maps_to(unicode_upper, "", "");
    assert_maps_to(unicode_upper, "abc [`{z", "ABC [`{Z");
    assert_maps_to(unicode_upper, "río straße", "RÍO STRASSE");
    assert_maps_to(unicode_lower, "ABC [@Z", "abc [@z");
    assert_maps_to(unicode_lower, "RÍO", "río");
    assert_maps_to(unicode_lower, "ΟΔΟΣ", "οδος");
    assert_maps_to(unicode_lower, "ΟΔΟΣ ΣΟΦΙΑ", "οδος σοφια");
}

static void case_mapping_knows_no_locale(void **state)
{
    assert_maps_to(unicode_upper, "iı", "II");
    assert_maps_to(unicode_lower, "Iİ", "ii̇");
}

static void case_mapping_appends_and_grows(void **state)
{
    struct buffer out = { 0 };
    struct buffer text = { 0 };

    for (int i = 0; i < 10000; i++) {
        buffer_append_text(&text, "ΐ"); /* two bytes become six */
    }
    buffer_append_text(&out, "x");
    unicode_upper(buffer_bytes(&text), &out);
    assert_int_equal(out.len, 60001);
    assert_true(utf8_is_valid(buffer_bytes(&out)));
    buffer_fini(&text);
    buffer_fini(&out);
}

static void malformed_bytes_stay_as_they_are(void **state)
{
    assert_maps_to(unicode_upper, "aé\xFFz\xE2\x82", "AÉ\xFFZ\xE2\x82");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_point_decodes_to_itself),
        cmocka_unit_test(malformed_sequences_are_refused),
        cmocka_unit_test(count_is_by_code_point),
        cmocka_unit_test(cut_never_ends_inside_a_character),
        cmocka_unit_test(malformed_text_is_cut_at_the_limit),
        cmocka_unit_test(case_mapping_follows_unicode),
        cmocka_unit_test(case_mapping_knows_no_locale),
        cmocka_unit_test(case_mapping_appends_and_grows),
        cmocka_unit_test(malformed_bytes_stay_as_they_are),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
