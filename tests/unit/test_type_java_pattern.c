/*
 * test_type_java_pattern.c: date-time patterns read text as DateTimeFormatter does.
 * Expected times are those of Java 17 where java_pattern.h does not say otherwise.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "engine/type/java_pattern.h"

static int parse(const char *pattern_text, struct bytes text, int64_t *ms, struct error *err)
{
    struct arena arena;
    const struct java_pattern *pattern;
    int code;

    arena_init(&arena, 0);
    code = java_pattern_compile(&arena, bytes_of(pattern_text), &pattern, err);
    if (!code) {
        code = java_pattern_parse_timestamp(pattern, text, NULL, ms, err);
    }
    arena_fini(&arena);
    return code;
}

struct reading {
    const char *pattern;
    const char *text;
    int64_t ms;
};

static void expect_readings(const struct reading *readings, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct reading *r = &readings[i];
        struct error err;
        int64_t ms = 0;

        if (parse(r->pattern, bytes_of(r->text), &ms, &err)) {
            fail_msg("%s of '%s': %s", r->pattern, r->text, err.message);
        }
        if (ms != r->ms) {
            fail_msg("%s of '%s' is %lld, not %lld", r->pattern, r->text, (long long)ms,
                     (long long)r->ms);
        }
    }
}

static void expect_refusals(const struct reading *readings, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct reading *r = &readings[i];
        struct error err;
        int64_t ms = 77;

        if (parse(r->pattern, bytes_of(r->text), &ms, &err) != ERR_COERCE) {
            fail_msg("%s of '%s' is %lld", r->pattern, r->text, (long long)ms);
        }
        assert_int_equal(ms, 77);
    }
}

#define EXPECT_READINGS(readings) expect_readings(readings, sizeof(readings) / sizeof *(readings))
#define EXPECT_REFUSALS(readings) expect_refusals(readings, sizeof(readings) / sizeof *(readings))

/* --- patterns --- */

static void a_bad_pattern_is_refused_with_the_place(void **state)
{
    static const struct {
        const char *pattern;
        const char *message;
    } bad[] = {
        { "yyyy-ii", "Unknown letter 'i' at position 6 of the pattern" },
        { "yyyy{", "Reserved is '{' at position 5 of the pattern" },
        { "}", "Reserved is '}' at position 1 of the pattern" },
        { "a#", "Reserved is '#' at position 2 of the pattern" },
        { "yyyy'T", "There is no end to the quote ''' at position 5 of the pattern" },
        { "'it''s", "There is no end to the quote ''' at position 1 of the pattern" },
        { "yy]", "Nothing is open for ']' at position 3 of the pattern" },
        { "HHpp", "A letter has to follow 'pp' at position 3 of the pattern" },
        { "p-H", "A letter has to follow 'p' at position 1 of the pattern" },
        { "[[[[[[[[[", "Optional sections are too deep: '[' at position 9 of the pattern" },
    };
    struct error err;
    int64_t ms;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(parse(bad[i].pattern, bytes_of(""), &ms, &err), ERR_EVALUATE);
        assert_string_equal(err.message, bad[i].message);
    }
}

static void a_letter_may_stand_only_so_often(void **state)
{
    static const struct {
        char letter;
        int most;
    } letters[] = {
        { 'A', 19 }, { 'D', 3 },  { 'E', 5 },  { 'F', 1 },  { 'G', 5 }, { 'H', 2 },
        { 'K', 2 },  { 'L', 5 },  { 'M', 5 },  { 'N', 19 }, { 'Q', 5 }, { 'S', 9 },
        { 'W', 1 },  { 'X', 5 },  { 'Y', 19 }, { 'Z', 5 },  { 'a', 1 }, { 'd', 2 },
        { 'e', 5 },  { 'g', 19 }, { 'h', 2 },  { 'k', 2 },  { 'm', 2 }, { 'n', 19 },
        { 'q', 5 },  { 's', 2 },  { 'u', 19 }, { 'w', 2 },  { 'x', 5 }, { 'y', 19 },
    };
    char pattern[32];
    const struct java_pattern *compiled;
    struct arena arena;

    arena_init(&arena, 0);
    for (size_t i = 0; i < sizeof letters / sizeof *letters; i++) {
        memset(pattern, letters[i].letter, sizeof pattern);
        for (int count = 1; count <= letters[i].most; count++) {
            assert_int_equal(java_pattern_compile(&arena, (struct bytes){ pattern, (size_t)count },
                                                  &compiled, NULL),
                             0);
        }
        assert_int_equal(
            java_pattern_compile(&arena, (struct bytes){ pattern, (size_t)letters[i].most + 1 },
                                 &compiled, NULL),
            ERR_EVALUATE);
    }
    assert_int_equal(java_pattern_compile(&arena, bytes_of("cc"), &compiled, NULL), ERR_EVALUATE);
    assert_int_equal(java_pattern_compile(&arena, bytes_of("V"), &compiled, NULL), ERR_EVALUATE);
    assert_int_equal(java_pattern_compile(&arena, bytes_of("OO"), &compiled, NULL), ERR_EVALUATE);
    arena_fini(&arena);
}

static void a_pattern_has_a_longest_length(void **state)
{
    char pattern[1002];
    const struct java_pattern *compiled;
    struct arena arena;

    arena_init(&arena, 0);
    memset(pattern, '-', sizeof pattern);
    assert_int_equal(java_pattern_compile(&arena, (struct bytes){ pattern, 1000 }, &compiled, NULL),
                     0);
    assert_int_equal(java_pattern_compile(&arena, (struct bytes){ pattern, 1001 }, &compiled, NULL),
                     ERR_EVALUATE);
    arena_fini(&arena);
}

/* --- numbers --- */

static void what_is_missing_is_that_of_1970(void **state)
{
    static const struct reading readings[] = {
        { "", "", 0 },
        { "yyyy", "2020", 1577836800000 },
        { "yyyy-MM", "2020-05", 1588291200000 },
        { "MM-dd", "02-31", 5011200000 },
        { "dd", "31", 2592000000 },
        { "HH:mm", "17:58", 64680000 },
        { "hh:mm", "12:30", 1800000 },
        { "H:m", "9:5", 32700000 },
        { "ss", "07", 7000 },
        { "DDD", "365", 31449600000 },
        { "a", "pm", 64800000 },
        { "a m", "pm 1", 43260000 },
        { "G", "BC", -124302816000000 },
        { "M", "12", 28857600000 },
        { "yyyy D", "2020 366", 1609372800000 },
    };

    EXPECT_READINGS(readings);
}

static void numbers_have_the_width_of_their_letters(void **state)
{
    static const struct reading readings[] = {
        { "yyyy-MM-dd HH:mm:ss", "2020-05-11 17:58:33", 1589219913000 },
        { "yyyy-M-d H:m:s", "2020-5-11 17:8:3", 1589216883000 },
        { "yyyy-M-d", "2020-05-011", 1589155200000 },
        { "yy-MM-dd", "10-04-19", 1271635200000 },
        { "yy-MM-dd", "99-12-31", 4102358400000 },
        { "y-M-d", "0020-05-11", -61524748800000 },
        { "yyyy-MM-dd", "+12345-01-01", 327403382400000 },
        { "uuuu-MM-dd", "-0001-01-01", -62198755200000 },
        { "k:m", "24:30", 1800000 },
        { "K:mm a", "0:30 PM", 45000000 },
    };
    static const struct reading refused[] = {
        { "yyyy-MM-dd", "2020-5-11", 0 },
        { "yyyy-MM-dd", "20-05-11", 0 },
        { "yyyy-MM-dd", "12345-01-01", 0 },
        { "yyyy-MM-dd", "+2020-01-01", 0 },
        { "yyyy-MM-dd", "-0020-01-01", 0 },
        { "uuuu-MM-dd", "-0000-01-01", 0 },
        { "yy-MM-dd", "2010-04-19", 0 },
        { "d", "-5", 0 },
        { "d", "+5", 0 },
        { "HH:mm", "+1:30", 0 },
        { "d", "99999999999999999999", 0 },
        { "d", "", 0 },
        { "HH", "1", 0 },
        { "HH", "1x", 0 },
    };

    EXPECT_READINGS(readings);
    EXPECT_REFUSALS(refused);
}

static void numbers_side_by_side_share_the_digits_by_width(void **state)
{
    static const struct reading readings[] = {
        { "yyyyMMddHHmm", "202005111758", 1589219880000 },
        { "yyyyMMddHHmmssSSS", "20200511175833007", 1589219913007 },
        { "yyMMdd", "200511", 1589155200000 },
        { "uuuuMMdd", "+123450101", 327403382400000 },
        { "yyyyDDD", "2020132", 1589155200000 },
        { "Hmm", "758", 28680000 },
        { "Hmm", "1758", 64680000 },
        { "yyyyMMM", "2020May", 1588291200000 },
    };
    static const struct reading refused[] = {
        { "yyyyMMdd", "2020511", 0 },
        { "yyyyMMdd", "120200511", 0 },
        { "hhmma", "1230p", 0 },
    };

    EXPECT_READINGS(readings);
    EXPECT_REFUSALS(refused);
}

static void a_fraction_has_exactly_its_digits(void **state)
{
    static const struct reading readings[] = {
        { "ss.S", "00.9", 900 },
        { "ss.SS", "00.98", 980 },
        { "ss.SSS", "00.987", 987 },
        { "ss.SSSS", "00.9876", 987 },
        { "ss.SSSSSS", "00.987654", 987 },
        { "ss.SSSSSSSSS", "00.987654321", 987 },
        { "s n", "7 5000000", 7005 },
        { "A", "64713007", 64713007 },
        { "N", "64713007000000", 64713007 },
    };
    static const struct reading refused[] = {
        { "ss.SSS", "00.98", 0 },     { "ss.SSS", "00.9876", 0 }, { "ss.S", "00.", 0 },
        { "ss.SS", "00.9x", 0 },      { "n", "1000000000", 0 },   { "A", "86400000", 0 },
        { "N", "86400000000000", 0 },
    };

    EXPECT_READINGS(readings);
    EXPECT_REFUSALS(refused);
}

/* --- text --- */

static void literals_stand_as_they_are_in_any_case(void **state)
{
    static const struct reading readings[] = {
        { "yyyy-MM-dd'T'HH:mm", "2020-05-11T17:58", 1589219880000 },
        { "yyyy-MM-dd'T'HH:mm", "2020-05-11t17:58", 1589219880000 },
        { "'at 'H 'o''clock'", "AT 9 O'CLOCK", 32400000 },
        { "H''m", "9'5", 32700000 },
        { "''''H", "'9", 32400000 },
        { "H'''h'", "9'h", 32400000 },
        { "H 'Uhr, grün'", "9 Uhr, grün", 32400000 },
        { "H日", "9日", 32400000 },
        { "H_$%", "9_$%", 32400000 },
    };
    static const struct reading refused[] = {
        { "yyyy-MM-dd", "2020/05/11", 0 },  { "yyyy-MM-dd", "2020-05-11 ", 0 },
        { "yyyy-MM-dd", " 2020-05-11", 0 }, { "yyyy-MM-dd", "2020-05-1", 0 },
        { "H 'Uhr'", "9  Uhr", 0 },         { "H'x'", "9", 0 },
        { "yyyy", "!!!!!!!!!!!!!!!!!", 0 }, { "yyyy", "", 0 },
    };

    EXPECT_READINGS(readings);
    EXPECT_REFUSALS(refused);
}

static void names_are_english_full_or_abbreviated(void **state)
{
    static const struct reading readings[] = {
        { "d-MMM-yyyy", "11-May-2020", 1589155200000 },
        { "d-MMM-yyyy", "3-SEP-2020", 1599091200000 },
        { "d-MMM-yyyy", "3-september-2020", 1599091200000 },
        { "d-MMMM-yyyy", "3-September-2020", 1599091200000 },
        { "d-MMMM-yyyy", "3-Sep-2020", 1599091200000 },
        { "d LLL yyyy", "3 Sep 2020", 1599091200000 },
        { "MMMMM", "F", 2678400000 },
        { "EEE, d MMM yyyy", "Mon, 11 May 2020", 1589155200000 },
        { "EEEE, d MMM yyyy", "Monday, 11 May 2020", 1589155200000 },
        { "EEEEE d MMM yyyy", "M 11 May 2020", 1589155200000 },
        { "eee d MMM yyyy", "Mon 11 May 2020", 1589155200000 },
        { "e d MMM yyyy", "2 11 May 2020", 1589155200000 },
        { "h:mm a", "5:58 pm", 64680000 },
        { "h:mm a", "12:00 AM", 0 },
        { "yyyy G", "0044 BC", -63524131200000 },
        { "yyyy GGGG", "2020 anno domini", 1577836800000 },
        { "yyyy GGGGG", "2020 A", 1577836800000 },
        { "QQQ yyyy", "Q2 2020", 1577836800000 },
        { "QQQQ yyyy", "2nd quarter 2020", 1577836800000 },
    };
    static const struct reading refused[] = {
        { "MMM", "Mai", 0 },
        { "MMM", "Sept", 0 },
        { "MMM", "5", 0 },
        { "h a", "5 xm", 0 },
        { "GGGGG", "AD", 0 },
        { "QQQ", "Q5", 0 },
        { "EEE d MMM yyyy", "Tue 11 May 2020", 0 },
        { "e d MMM yyyy", "1 11 May 2020", 0 },
    };

    EXPECT_READINGS(readings);
    EXPECT_REFUSALS(refused);
}

static void an_optional_section_is_taken_where_it_fits(void **state)
{
    static const struct reading readings[] = {
        { "yyyy-MM-dd['T'HH:mm[:ss[.SSS]]][X]", "2020-05-11", 1589155200000 },
        { "yyyy-MM-dd['T'HH:mm[:ss[.SSS]]][X]", "2020-05-11T17:58", 1589219880000 },
        { "yyyy-MM-dd['T'HH:mm[:ss[.SSS]]][X]", "2020-05-11T17:58:33", 1589219913000 },
        { "yyyy-MM-dd['T'HH:mm[:ss[.SSS]]][X]", "2020-05-11T17:58:33.007Z", 1589219913007 },
        { "yyyy-MM-dd['T'HH:mm[:ss[.SSS]]][X]", "2020-05-11+02", 1589148000000 },
        { "[d/M/yyyy][yyyy-MM-dd]", "2020-05-11", 1589155200000 },
        { "[d/M/yyyy][yyyy-MM-dd]", "11/5/2020", 1589155200000 },
        { "[H:m", "9:5", 32700000 },
        { "[[[[[[[[H]]]]]]]]", "9", 32400000 },
        { "[]H", "9", 32400000 },
    };
    static const struct reading refused[] = {
        { "yyyy-MM-dd['T'HH:mm]", "2020-05-11T17", 0 },
        { "yyyy[-MM]-dd", "2020-05", 0 },
    };

    EXPECT_READINGS(readings);
    EXPECT_REFUSALS(refused);
}

static void padding_stands_in_front_up_to_the_width(void **state)
{
    static const struct reading readings[] = {
        { "ppH:ppm", " 5: 7", 18420000 },
        { "ppH:ppm", "15:07", 54420000 },
        { "pppd/M/yyyy", " 11/5/2020", 1589155200000 },
        { "pppppMMM", "  May", 10368000000 },
    };
    static const struct reading refused[] = {
        { "ppH:ppm", "5:7", 0 },
        { "ppH", "5 ", 0 },
        { "ppH", "  ", 0 },
    };

    EXPECT_READINGS(readings);
    EXPECT_REFUSALS(refused);
}

/* --- offsets --- */

/* Hours, and three to five letters X. */
#define HOUR_AND_Z3 \
    "HHX"           \
    "XX"
#define HOUR_AND_Z4 \
    "HHXX"          \
    "XX"
#define HOUR_AND_Z5 HOUR_AND_Z3 "XX"

static void offsets_are_read_by_their_letters(void **state)
{
    static const struct reading readings[] = {
        { "HHX", "12Z", 43200000 },
        { "HHX", "12z", 43200000 },
        { "HHX", "12+02", 36000000 },
        { "HHX", "12+0230", 34200000 },
        { "HHX", "12-0000", 43200000 },
        { "HHXX", "12-0230", 52200000 },
        { HOUR_AND_Z3, "12+02:30", 34200000 },
        { HOUR_AND_Z4, "12+023015", 34185000 },
        { HOUR_AND_Z4, "12+0230", 34200000 },
        { HOUR_AND_Z5, "12+02:30:15", 34185000 },
        { HOUR_AND_Z5, "12Z", 43200000 },
        { "HHx", "12+00", 43200000 },
        { "HHx", "12-0230", 52200000 },
        { "HHxx", "12+0000", 43200000 },
        { "HHxxx", "12-02:30", 52200000 },
        { "HHxxxx", "12-023015", 52215000 },
        { "HHxxxxx", "12-02:30", 52200000 },
        { "HHZ", "12+0200", 36000000 },
        { "HHZZ", "12+0000", 43200000 },
        { "HHZZZ", "12-0200", 50400000 },
        { "HHZZZZ", "12GMT+02:00", 36000000 },
        { "HHZZZZ", "12GMT", 43200000 },
        { "HHZZZZZ", "12+02:00", 36000000 },
        { "HHO", "12GMT-4", 57600000 },
        { "HHO", "12GMT-11:30", 84600000 },
        { "HHOOOO", "12gmt-04:00", 57600000 },
        { "HHX", "12+18", -21600000 },
        { "yyyy-MM-dd HH:mmX", "2019-12-31 23:30-01", 1577838600000 },
    };
    static const struct reading refused[] = {
        { "HHX", "12", 0 },           { "HHX", "12+2", 0 },          { "HHX", "12+02:30", 0 },
        { "HHX", "12+0260", 0 },      { "HHX", "12+19", 0 },         { "HHX", "12+24", 0 },
        { "HHXX", "12+02", 0 },       { HOUR_AND_Z3, "12+0230", 0 }, { "HHx", "12Z", 0 },
        { HOUR_AND_Z3, "12+02:", 0 }, { "HHZ", "12Z", 0 },           { "HHO", "12UTC", 0 },
        { "HHOOOO", "12GMT+2", 0 },   { "HHOOOO", "12GMT+02", 0 },   { "HHO", "12GMT+", 0 },
        { "XHHXX", "Z12+0100", 0 },   { "HHX", "12+18:01", 0 },
    };

    EXPECT_READINGS(readings);
    EXPECT_REFUSALS(refused);
}

static void zones_are_read_by_id_or_abbreviation(void **state)
{
    static const struct reading readings[] = {
        { "yyyy-MM-dd HH:mm:ss VV", "2020-05-11 17:58:33 America/New_York", 1589234313000 },
        { "yyyy-MM-dd HH:mm:ss VV", "2020-05-11 17:58:33 +02:00", 1589212713000 },
        { "yyyy-MM-dd HH:mm:ss VV", "2020-05-11 17:58:33 UTC+2", 1589212713000 },
        { "yyyy-MM-dd HH:mm:ss z", "2018-05-11 21:58:33 PST", 1526101113000 },
        { "yyyy-MM-dd HH:mm:ss zzz", "2018-05-11 21:58:33 pdt", 1526101113000 },
        { "yyyy-MM-dd HH:mm:ss z", "2018-05-11 21:58:33 Asia/Kolkata", 1526056113000 },
        { "yyyy-MM-dd HH:mm:ss z", "2018-05-11 21:58:33 Z", 1526075913000 },
        { "HH VV XX", "12 America/New_York +0100", 39600000 },
    };
    static const struct reading refused[] = {
        { "HH VV", "12 PST", 0 }, { "HH VV", "12 Nowhere", 0 },  { "HH VV", "12 +19:00", 0 },
        { "HH z", "12 ", 0 },     { "VV VV", "UTC+1 UTC+2", 0 },
    };

    EXPECT_READINGS(readings);
    EXPECT_REFUSALS(refused);
}

static void what_the_text_does_not_say_is_the_zone_s(void **state)
{
    struct arena arena;
    const struct java_pattern *pattern;
    struct time_zone zone;
    int64_t ms;

    arena_init(&arena, 0);
    assert_int_equal(time_zone_init(&zone, bytes_of("Europe/Berlin"), NULL), 0);
    assert_int_equal(java_pattern_compile(&arena, bytes_of("yyyy-MM-dd[ X]"), &pattern, NULL), 0);
    assert_int_equal(
        java_pattern_parse_timestamp(pattern, bytes_of("2020-05-11"), &zone, &ms, NULL), 0);
    assert_int_equal(ms, 1589148000000);
    assert_int_equal(
        java_pattern_parse_timestamp(pattern, bytes_of("2020-05-11 Z"), &zone, &ms, NULL), 0);
    assert_int_equal(ms, 1589155200000);
    arena_fini(&arena);
}

/* --- dates and times --- */

typedef int (*parse_function)(const struct java_pattern *pattern, struct bytes text, int64_t *out,
                              struct error *err);

static int64_t parse_part(parse_function function, const char *pattern_text, const char *text)
{
    struct arena arena;
    const struct java_pattern *pattern;
    int64_t found = -1;

    arena_init(&arena, 0);
    assert_int_equal(java_pattern_compile(&arena, bytes_of(pattern_text), &pattern, NULL), 0);
    if (function(pattern, bytes_of(text), &found, NULL)) {
        assert_int_equal(found, -1);
    }
    arena_fini(&arena);
    return found;
}

static void a_date_is_read_if_it_is_whole(void **state)
{
    assert_int_equal(parse_part(java_pattern_parse_date, "yyyy-MM-dd", "2020-05-11"), 18393);
    assert_int_equal(parse_part(java_pattern_parse_date, "yyyyMMdd", "20210231"), 18686);
    assert_int_equal(parse_part(java_pattern_parse_date, "yyyy-DDD HH:mm", "2020-132 10:00"),
                     18393);
    assert_int_equal(parse_part(java_pattern_parse_date, "yyyy-DDD HH:mm", "2020-132 24:00"),
                     18394);
    assert_int_equal(parse_part(java_pattern_parse_date, "yyyy-MM", "2020-05"), -1);
    assert_int_equal(parse_part(java_pattern_parse_date, "MM-dd", "05-11"), -1);
    assert_int_equal(parse_part(java_pattern_parse_date, "yyyy-MM-dd", "2020-05-32"), -1);
}

static void a_time_is_read_if_it_is_whole_and_no_date(void **state)
{
    assert_int_equal(parse_part(java_pattern_parse_time, "HH:mm:ss.SSS", "17:58:33.007"), 64713007);
    assert_int_equal(parse_part(java_pattern_parse_time, "HH", "17"), 61200000);
    assert_int_equal(parse_part(java_pattern_parse_time, "hh:mm a", "12:30 AM"), 1800000);
    assert_int_equal(parse_part(java_pattern_parse_time, "HH:mm", "24:00"), 0);
    assert_int_equal(parse_part(java_pattern_parse_time, "HH:mm X", "17:58 +02"), 64680000);
    assert_int_equal(parse_part(java_pattern_parse_time, "N", "64713007999999"), 64713007);
    assert_int_equal(parse_part(java_pattern_parse_time, "hh:mm", "12:30"), -1);
    assert_int_equal(parse_part(java_pattern_parse_time, "mm:ss", "58:33"), -1);
    assert_int_equal(parse_part(java_pattern_parse_time, "HH:ss", "17:33"), -1);
    assert_int_equal(parse_part(java_pattern_parse_time, "yyyy HH:mm", "2020 17:58"), -1);
    assert_int_equal(parse_part(java_pattern_parse_time, "HH:mm", "25:00"), -1);
}

/* --- making a time of it --- */

static void only_the_end_of_a_month_gives_way(void **state)
{
    static const struct reading readings[] = {
        { "yyyy-MM-dd", "2020-02-29", 1582934400000 },
        { "yyyy-MM-dd", "2020-02-31", 1582934400000 },
        { "yyyy-MM-dd", "2021-02-29", 1614470400000 },
        { "yyyy-MM-dd", "1900-02-29", -2203977600000 },
        { "yyyy-MM-dd", "2000-02-29", 951782400000 },
        { "yyyy-MM-dd", "2021-04-31", 1619740800000 },
        { "yyyy-MM-dd HH:mm", "2020-05-11 24:00", 1589241600000 },
        { "yyyy-DDD", "2020-366", 1609372800000 },
    };
    static const struct reading refused[] = {
        { "yyyy-MM-dd", "2020-00-10", 0 },
        { "yyyy-MM-dd", "2020-13-10", 0 },
        { "yyyy-MM-dd", "2020-04-00", 0 },
        { "yyyy-MM-dd", "2020-04-32", 0 },
        { "yyyy-MM-dd HH:mm", "2020-05-11 24:01", 0 },
        { "yyyy-MM-dd HH:mm", "2020-05-11 25:00", 0 },
        { "yyyy-MM-dd HH:ss", "2020-05-11 24:00", 0 },
        { "HH:mm", "12:60", 0 },
        { "HH:mm:ss", "12:00:60", 0 },
        { "hh", "13", 0 },
        { "KK", "12", 0 },
        { "kk", "25", 0 },
        { "yyyy-DDD", "2021-366", 0 },
        { "DDD", "366", 0 },
        { "yyyy", "0000", 0 },
        { "u-M-d", "999999999-1-1", 0 },
        { "u-M-d", "1000000000-1-1", 0 },
    };

    EXPECT_READINGS(readings);
    EXPECT_REFUSALS(refused);
}

static void weeks_begin_on_sunday_and_the_first_has_new_year(void **state)
{
    static const struct reading readings[] = {
        { "YYYY-ww-e", "2020-20-2", 1589155200000 },
        { "YYYY-ww-EEE", "2020-01-Sun", 1577577600000 },
        { "YYYY-w-e", "2020-53-1", 1608422400000 },
        { "yyyy-MM-W-EEE", "2020-05-3-Mon", 1589155200000 },
        { "YYYY-ww", "2020-20", 0 },
        { "g", "58980", 1589155200000 },
        { "yyyy-MM-dd F", "2020-05-11 4", 1589155200000 },
    };
    static const struct reading refused[] = {
        { "yyyy-MM-dd w", "2020-05-11 21", 0 },    { "yyyy-MM-dd W", "2020-05-11 2", 0 },
        { "yyyy-MM-dd Y", "2020-05-11 2021", 0 },  { "yyyy-MM-dd Q", "2020-05-11 1", 0 },
        { "yyyy-MM-dd g", "2020-05-11 58981", 0 }, { "YYYY-ww-e", "2020-54-2", 0 },
        { "YYYY-ww-e", "2020-20-8", 0 },
    };

    EXPECT_READINGS(readings);
    EXPECT_REFUSALS(refused);
}

static void parts_that_contradict_each_other_are_refused(void **state)
{
    static const struct reading readings[] = {
        { "yyyy yyyy", "2020 2020", 1577836800000 },
        { "HH hh a", "17 05 PM", 61200000 },
        { "yyyy G uuuu", "0044 BC -0043", -63524131200000 },
    };
    static const struct reading refused[] = {
        { "yyyy yyyy", "2020 2021", 0 },
        { "HH hh a", "17 06 PM", 0 },
        { "HH a", "17 AM", 0 },
        { "HH KK", "17 06", 0 },
        { "yyyy uuuu", "2020 2021", 0 },
        { "yyyy-MM-dd D", "2020-05-11 131", 0 },
        { "uuuu-MM-dd G", "2020-05-11 BC", 0 },
        { "HH A", "17 0", 0 },
        { "HH N", "17 0", 0 },
    };

    EXPECT_READINGS(readings);
    EXPECT_REFUSALS(refused);
}

static void a_refusal_names_the_place_and_not_the_text(void **state)
{
    struct error err;
    int64_t ms;

    assert_int_equal(parse("yyyy-MM-dd", bytes_of("2020-xx-11"), &ms, &err), ERR_COERCE);
    assert_string_equal(err.message, "The text does not fit the pattern at position 6");
    assert_int_equal(parse("yyyy-MM-dd", bytes_of("2020-13-11"), &ms, &err), ERR_COERCE);
    assert_string_equal(err.message, "There is no such month");
    assert_int_equal(parse("EEE yyyy-MM-dd", bytes_of("Tue 2020-05-11"), &ms, &err), ERR_COERCE);
    assert_string_equal(err.message, "The day of the week contradicts another part of the text");
    assert_int_equal(parse("yyyy", (struct bytes){ "2020\0", 5 }, &ms, &err), ERR_COERCE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bad_pattern_is_refused_with_the_place),
        cmocka_unit_test(a_letter_may_stand_only_so_often),
        cmocka_unit_test(a_pattern_has_a_longest_length),
        cmocka_unit_test(what_is_missing_is_that_of_1970),
        cmocka_unit_test(numbers_have_the_width_of_their_letters),
        cmocka_unit_test(numbers_side_by_side_share_the_digits_by_width),
        cmocka_unit_test(a_fraction_has_exactly_its_digits),
        cmocka_unit_test(literals_stand_as_they_are_in_any_case),
        cmocka_unit_test(names_are_english_full_or_abbreviated),
        cmocka_unit_test(an_optional_section_is_taken_where_it_fits),
        cmocka_unit_test(padding_stands_in_front_up_to_the_width),
        cmocka_unit_test(offsets_are_read_by_their_letters),
        cmocka_unit_test(zones_are_read_by_id_or_abbreviation),
        cmocka_unit_test(what_the_text_does_not_say_is_the_zone_s),
        cmocka_unit_test(a_date_is_read_if_it_is_whole),
        cmocka_unit_test(a_time_is_read_if_it_is_whole_and_no_date),
        cmocka_unit_test(only_the_end_of_a_month_gives_way),
        cmocka_unit_test(weeks_begin_on_sunday_and_the_first_has_new_year),
        cmocka_unit_test(parts_that_contradict_each_other_are_refused),
        cmocka_unit_test(a_refusal_names_the_place_and_not_the_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
