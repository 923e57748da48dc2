/*
 * test_type_java_pattern_print.c: date-time patterns print as DateTimeFormatter does.
 * Expected texts are those of Java 17.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "engine/type/java_pattern.h"

struct printing {
    struct arena arena;
    char text[4000];
    size_t length;
};

static int print(struct printing *p, const char *pattern_text, const struct java_moment *moment)
{
    const struct java_pattern *pattern;
    struct error err;
    int code;

    assert_int_equal(java_pattern_compile(&p->arena, bytes_of(pattern_text), &pattern, &err), 0);
    assert_true(java_pattern_print_max(pattern) < sizeof p->text);
    code = java_pattern_print(pattern, moment, p->text, &p->length, &err);
    if (!code) {
        assert_true(p->length <= java_pattern_print_max(pattern));
        p->text[p->length] = '\0';
    }
    return code;
}

/* One to five letters X. */
#define FORMS_OF_X \
    "X XX X"       \
    "XX XX"        \
    "XX XX"        \
    "XX"           \
    "X"

static void timestamps_print_by_their_letters(void **state)
{
    static const struct {
        const char *pattern;
        int64_t ms;
        const char *zone;
        const char *text;
    } printings[] = {
        { "y yy yyy yyyy yyyyy", INT64_C(1589219913007), "America/New_York",
          "2020 20 2020 2020 02020" },
        { "u uu uuuu", INT64_C(1589219913007), "America/New_York", "2020 20 2020" },
        { "M MM MMM MMMM MMMMM", INT64_C(1589219913007), "America/New_York", "5 05 May May M" },
        { "L LL LLL LLLL LLLLL", INT64_C(1589219913007), "America/New_York", "5 05 May May M" },
        { "Q QQ QQQ QQQQ QQQQQ", INT64_C(1589219913007), "America/New_York",
          "2 02 Q2 2nd quarter 2" },
        { "d dd", INT64_C(1589219913007), "America/New_York", "11 11" },
        { "D DD DDD", INT64_C(1589219913007), "America/New_York", "132 132 132" },
        { "DD DDD", 5, "UTC", "01 001" },
        { "E EE EEE EEEE EEEEE", INT64_C(1589219913007), "America/New_York",
          "Mon Mon Mon Monday M" },
        { "e ee eee eeee c ccc", INT64_C(1589219913007), "America/New_York",
          "2 02 Mon Monday 2 Mon" },
        { "Y YY YYYY w ww W F g", INT64_C(1589219913007), "America/New_York",
          "2020 20 2020 20 20 3 4 58980" },
        { "Y-w-e", INT64_C(1577836800000), "UTC", "2020-1-4" },
        { "a h hh H HH k kk K KK", INT64_C(1589219913007), "America/New_York",
          "PM 1 01 13 13 13 13 1 01" },
        { "a h H k K", 0, "UTC", "AM 12 0 24 0" },
        { "a h H k K", 43200000, "UTC", "PM 12 12 12 0" },
        { "m mm s ss", INT64_C(1589219913007), "America/New_York", "58 58 33 33" },
        { "S SS SSS SSSS SSSSSSSSS", INT64_C(1589219913007), "America/New_York",
          "0 00 007 0070 007000000" },
        { "A n N", INT64_C(1589219913007), "America/New_York", "50313007 7000000 50313007000000" },
        { "G GGGG GGGGG", INT64_C(1589219913007), "America/New_York", "AD Anno Domini A" },
        { "yyyy G uuuu yy", INT64_C(-63524131200000), "UTC", "0044 BC -0043 44" },
        { "yyyy-MM-dd", INT64_C(327403382400000), "UTC", "+12345-01-01" },
        { "VV z zzz zzzz", INT64_C(1589219913007), "America/New_York",
          "America/New_York EDT EDT Eastern Daylight Time" },
        { "VV z zzzz", INT64_C(1577836800000), "America/New_York",
          "America/New_York EST Eastern Standard Time" },
        { "VV z zzzz", INT64_C(1589219913007), "UTC", "UTC UTC Coordinated Universal Time" },
        { "VV z zzzz", INT64_C(1589219913007), "+05:30", "+05:30 +05:30 +05:30" },
        { "O OOOO", INT64_C(1589219913007), "America/New_York", "GMT-4 GMT-04:00" },
        { "O OOOO", INT64_C(1589219913007), "Asia/Kolkata", "GMT+5:30 GMT+05:30" },
        { "O OOOO", 0, "UTC", "GMT GMT" },
        { FORMS_OF_X, INT64_C(1589219913007), "America/New_York", "-04 -0400 -04:00 -0400 -04:00" },
        { FORMS_OF_X, INT64_C(1589219913007), "Asia/Kolkata", "+0530 +0530 +05:30 +0530 +05:30" },
        { FORMS_OF_X, INT64_C(1589219913007), "UTC", "Z Z Z Z Z" },
        { "x xx xxx xxxx xxxxx", INT64_C(1589219913007), "America/New_York",
          "-04 -0400 -04:00 -0400 -04:00" },
        { "x xx xxx xxxx xxxxx", INT64_C(1589219913007), "UTC", "+00 +0000 +00:00 +0000 +00:00" },
        { "Z ZZ ZZZ ZZZZ ZZZZZ", INT64_C(1589219913007), "America/New_York",
          "-0400 -0400 -0400 GMT-04:00 -04:00" },
        { "Z ZZZZ ZZZZZ", INT64_C(1589219913007), "UTC", "+0000 GMT Z" },
        { "ppH:ppm pppppMMM", 25500000, "UTC", " 7: 5   Jan" },
        { "'it''s' yyyy''", 0, "UTC", "it's 1970'" },
        { "[yyyy[-MM]][X]", 0, "UTC", "1970-01Z" },
        { "日 H", 0, "UTC", "日 0" },
    };
    struct printing p;

    arena_init(&p.arena, 0);
    for (size_t i = 0; i < sizeof printings / sizeof *printings; i++) {
        struct java_moment moment;
        struct time_zone zone;

        assert_int_equal(time_zone_init(&zone, bytes_of(printings[i].zone), NULL), 0);
        time_zone_load_names(&zone, &p.arena);
        moment = java_moment_of_timestamp(printings[i].ms, &zone);
        assert_int_equal(print(&p, printings[i].pattern, &moment), 0);
        assert_string_equal(p.text, printings[i].text);
    }
    arena_fini(&p.arena);
}

static void a_date_has_no_time_and_a_time_no_date(void **state)
{
    static const char *const of_dates[] = { "yyyy-MM-dd", "EEE D", "QQQ YYYY ww", "[HH:mm]G" };
    static const char *const of_times[] = { "HH:mm:ss.SSS", "h a", "A N", "[yyyy-MM-dd ]k" };
    static const char *const of_zones[] = { "X", "x", "Z", "O", "VV", "z" };
    struct java_moment date = { .has_date = true, .days = 18393 };
    struct java_moment time = { .has_time = true, .ms_of_day = 64713007 };
    struct printing p;

    arena_init(&p.arena, 0);
    for (size_t i = 0; i < sizeof of_dates / sizeof *of_dates; i++) {
        assert_int_equal(print(&p, of_dates[i], &date), 0);
        assert_int_equal(print(&p, of_dates[i], &time), ERR_COERCE);
        assert_int_equal(print(&p, of_times[i], &time), 0);
        assert_int_equal(print(&p, of_times[i], &date), ERR_COERCE);
    }
    for (size_t i = 0; i < sizeof of_zones / sizeof *of_zones; i++) {
        assert_int_equal(print(&p, of_zones[i], &date), ERR_COERCE);
        assert_int_equal(print(&p, of_zones[i], &time), ERR_COERCE);
    }
    arena_fini(&p.arena);
}

static void an_optional_section_is_printed_if_all_of_it_is_there(void **state)
{
    struct java_moment date = { .has_date = true, .days = 18393 };
    struct printing p;

    arena_init(&p.arena, 0);
    assert_int_equal(print(&p, "yyyy[ HH:mm][-MM[ X][-dd]]", &date), 0);
    assert_string_equal(p.text, "2020-05-11");
    arena_fini(&p.arena);
}

static void what_does_not_fit_its_width_is_refused(void **state)
{
    struct java_moment date = { .has_date = true, .days = 18393 };
    struct java_moment old = { .has_date = true, .days = -800000 }; /* in 222 BC */
    struct printing p;

    arena_init(&p.arena, 0);
    assert_int_equal(print(&p, "pd", &date), ERR_COERCE);
    assert_int_equal(print(&p, "ppMMM", &date), ERR_COERCE);
    assert_int_equal(print(&p, "pppMMM", &date), 0);
    assert_int_equal(print(&p, "u", &old), 0);
    assert_string_equal(p.text, "-221");
    arena_fini(&p.arena);
}

static void the_ends_of_time_print(void **state)
{
    struct java_moment last;
    struct java_moment first;
    struct printing p;
    struct time_zone zone;

    arena_init(&p.arena, 0);
    assert_int_equal(time_zone_init(&zone, bytes_of("+18"), NULL), 0);
    last = java_moment_of_timestamp(INT64_MAX, &zone);
    first = java_moment_of_timestamp(INT64_MIN, &zone);
    assert_int_equal(print(&p, "uuuu-MM-dd G", &last), 0);
    assert_string_equal(p.text, "+292278994-08-17 AD");
    assert_int_equal(print(&p, "uuuu-MM-dd G", &first), 0);
    assert_string_equal(p.text, "-292275055-05-17 BC");
    arena_fini(&p.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timestamps_print_by_their_letters),
        cmocka_unit_test(a_date_has_no_time_and_a_time_no_date),
        cmocka_unit_test(an_optional_section_is_printed_if_all_of_it_is_there),
        cmocka_unit_test(what_does_not_fit_its_width_is_refused),
        cmocka_unit_test(the_ends_of_time_print),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
