/*
 * test_type_java_date.c: the calendar, and dates and times as text.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "engine/type/java_date.h"

/* Day by day from year -801 on: every day follows the one before, months have their lengths. */
static void calendar_counts_every_day(void **state)
{
    struct java_date expected = { -801, 1, 1 };
    int64_t first = java_date_to_days(expected);

    assert_int_equal(java_date_to_days((struct java_date){ 1970, 1, 1 }), 0);
    assert_int_equal(java_date_to_days((struct java_date){ 2000, 3, 1 }), 11017);
    for (int64_t day = first; day < first + 4000 * 366; day++) {
        struct java_date date = java_date_of_days(day);

        assert_true(date.year == expected.year && date.month == expected.month &&
                    date.day == expected.day);
        assert_int_equal(java_date_to_days(date), day);
        if (++expected.day > java_date_month_days(expected.year, expected.month)) {
            expected.day = 1;
            expected.month = expected.month % 12 + 1;
            expected.year += expected.month == 1;
        }
    }
}

static void february_has_29_days_in_leap_years(void **state)
{
    assert_int_equal(java_date_month_days(2020, 2), 29);
    assert_int_equal(java_date_month_days(2021, 2), 28);
    assert_int_equal(java_date_month_days(1900, 2), 28);
    assert_int_equal(java_date_month_days(2000, 2), 29);
    assert_int_equal(java_date_month_days(0, 2), 29);
    assert_int_equal(java_date_month_days(-4, 2), 29);
}

typedef size_t (*print_function)(int64_t number, char *out);

static void check_print(print_function print, int64_t number, const char *expected)
{
    char text[JAVA_DATE_MAX + 1];

    text[print(number, text)] = '\0';
    assert_string_equal(text, expected);
}

static void dates_print_as_iso(void **state)
{
    check_print(java_date_print, 0, "1970-01-01");
    check_print(java_date_print, -1, "1969-12-31");
    check_print(java_date_print, 18779, "2021-06-01");
    check_print(java_date_print, 2932896, "9999-12-31");
    check_print(java_date_print, 2932897, "+10000-01-01");
    check_print(java_date_print, -719528, "0000-01-01");
    check_print(java_date_print, -719529, "-0001-12-31");
    check_print(java_date_print, INT32_MAX, "+5881580-07-11");
}

static void times_drop_what_is_zero_at_the_end(void **state)
{
    check_print(java_time_print, 0, "00:00");
    check_print(java_time_print, 3600000, "01:00");
    check_print(java_time_print, 47109999, "13:05:09");
    check_print(java_time_print, 999, "00:00");
    check_print(java_time_print, 86399999, "23:59:59");
}

static void timestamps_print_with_milliseconds(void **state)
{
    check_print(java_timestamp_print, 0, "1970-01-01T00:00:00.000");
    check_print(java_timestamp_print, -1, "1969-12-31T23:59:59.999");
    check_print(java_timestamp_print, 1651182287943, "2022-04-28T21:44:47.943");
    check_print(java_timestamp_print, 253402300800000, "+10000-01-01T00:00:00.000");
    check_print(java_timestamp_print, -62135596800001, "0001-12-31T23:59:59.999"); /* 1 BC */
    check_print(java_timestamp_print, INT64_MAX, "+292278994-08-17T07:12:55.807");
    check_print(java_timestamp_print, INT64_MIN, "+292275056-05-16T16:47:04.192");
}

static void no_number_is_too_large_to_print(void **state)
{
    char text[JAVA_DATE_MAX];

    assert_true(java_date_print(INT64_MAX, text) < sizeof text);
    assert_true(java_date_print(INT64_MIN, text) < sizeof text);
    assert_true(java_time_print(INT64_MIN, text) < sizeof text);
}

typedef int (*parse_function)(struct bytes text, int64_t *out, struct error *err);

static void check_parse(parse_function parse, const char *text, int64_t expected)
{
    int64_t found = INT64_MIN;

    assert_int_equal(parse(bytes_of(text), &found, NULL), 0);
    assert_int_equal(found, expected);
}

static void check_refused(parse_function parse, const char *const *texts)
{
    for (; *texts; texts++) {
        int64_t found = 4711;

        assert_int_equal(parse(bytes_of(*texts), &found, NULL), ERR_COERCE);
        assert_int_equal(found, 4711);
    }
}

static void dates_are_read_strictly(void **state)
{
    static const char *const refused[] = { "",
                                           "2021-02-29",
                                           "2021-13-01",
                                           "2021-00-01",
                                           "2021-01-00",
                                           "2021-1-1",
                                           "21-01-01",
                                           "2021-",
                                           "2021-01-",
                                           "2021-01-01 ",
                                           "2021-01-01T00",
                                           "20210101",
                                           "12345-01-01",
                                           "+2021-01-01",
                                           "-2021",
                                           "-2021-01",
                                           "-0000-01-01",
                                           "+999999999-01-01",
                                           "2021-01-011",
                                           "+1234567890-01-01",
                                           NULL };

    check_parse(java_date_parse, "2021", 18628);
    check_parse(java_date_parse, "2021-06", 18779);
    check_parse(java_date_parse, "2020-02-29", 18321);
    check_parse(java_date_parse, "+12345-01-01", 3789391);
    check_parse(java_date_parse, "-0001-12-31", -719529);
    check_parse(java_date_parse, "0000-01-01", -719528);
    check_refused(java_date_parse, refused);
}

static void times_are_read_strictly(void **state)
{
    static const char *const refused[] = { "",           "24:00",     "1:34",
                                           "12",         "12:60",     "12:30:60",
                                           "12:30:",     "12:30:15.", "12:30:1",
                                           " 12:30",     "12:30Z",    "12:30:15.1234567890",
                                           "12:30:15,5", "12-30",     NULL };

    check_parse(java_time_parse, "00:00", 0);
    check_parse(java_time_parse, "13:05:09", 47109000);
    check_parse(java_time_parse, "13:05:09.1", 47109100);
    check_parse(java_time_parse, "23:59:59.999999999", 86399999);
    check_refused(java_time_parse, refused);
}

static void partial_timestamps_are_completed(void **state)
{
    check_parse(java_timestamp_parse, "2020", 1577836800000);
    check_parse(java_timestamp_parse, "2020-05", 1588291200000);
    check_parse(java_timestamp_parse, "2020-05-26", 1590451200000);
    check_parse(java_timestamp_parse, "2020-05-26T", 1590451200000);
    check_parse(java_timestamp_parse, "2020-05-26T13", 1590498000000);
    check_parse(java_timestamp_parse, "2020-05-26T2", 1590523200000); /* 20:00 */
    check_parse(java_timestamp_parse, "2020-05-26T23:59:58", 1590537598000);
    check_parse(java_timestamp_parse, "2020-05-26T23:59:58.1", 1590537598100);
    check_parse(java_timestamp_parse, "2020-05-26T23:59:58.000Z", 1590537598000);
    check_parse(java_timestamp_parse, "2020-05T10", 1588327200000);
    check_parse(java_timestamp_parse, "2022-04-28T21:44:47.943", 1651182287943);
    check_parse(java_timestamp_parse, "1969-12-31T23:59:59.999", -1);
    check_parse(java_timestamp_parse, "2020-01-01T24:00", 1577923200000);
}

static void offsets_are_subtracted(void **state)
{
    static const char *const same[] = { "+01", "+0100", "+01:00", "+1", "+010000", "+01:00:00" };

    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        char text[64];

        (void)snprintf(text, sizeof text, "2020-05-26T13:00%s", same[i]);
        check_parse(java_timestamp_parse, text, 1590494400000);
    }
    check_parse(java_timestamp_parse, "2020-05-26T13-0130", 1590503400000);
    check_parse(java_timestamp_parse, "2020-05-26T+18", 1590451200000 - 18 * 3600000);
}

static void days_beyond_a_month_are_clamped(void **state)
{
    check_parse(java_timestamp_parse, "2020-02-31", 1582934400000); /* 29 February */
    check_parse(java_timestamp_parse, "2021-04-31T00:00", 1619740800000);
}

static void malformed_timestamps_are_refused(void **state)
{
    static const char *const refused[] = {
        "",
        "x",
        "T12:00",
        "2020-13-01",
        "2020-02-32",
        "2020-02-00",
        "0000-01-01",
        "-0005-01-01",
        "2020-05-26T23:59:58.1234",
        "2020-05-26T25",
        "2020-05-26T24:00:00.001",
        "2020-05-26T12:60",
        "2020-05-26 12:00",
        "2020-05-26T12:00+19",
        "2020-05-26T12:00+18:01",
        "2020-05-26T12:00+",
        "2020-05-26T12:00+1:00",
        "2020-05-26T12:00+01:0",
        "2020-05-26T12:00+01:0000",
        "2020-05-26T12:00ZZ",
        "2020-05-26T1a",
        "+999999999-01-01",
        " 2020-05-26",
        NULL,
    };

    check_refused(java_timestamp_parse, refused);
}

static void timestamps_read_back_what_they_print(void **state)
{
    uint64_t seed = 11;

    for (int i = 0; i < 50000; i++) {
        char text[JAVA_DATE_MAX];
        int64_t ms;
        int64_t back = 0;
        size_t len;

        seed = seed * 6364136223846793005u + 1442695040888963407u;
        ms = (int64_t)(seed >> 16) % 253402300800000;
        len = java_timestamp_print(ms, text);
        assert_int_equal(java_timestamp_parse((struct bytes){ text, len }, &back, NULL), 0);
        assert_int_equal(back, ms);
        assert_int_equal(java_timestamp_day(ms) * MS_PER_DAY + java_timestamp_time(ms), ms);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calendar_counts_every_day),
        cmocka_unit_test(february_has_29_days_in_leap_years),
        cmocka_unit_test(dates_print_as_iso),
        cmocka_unit_test(times_drop_what_is_zero_at_the_end),
        cmocka_unit_test(timestamps_print_with_milliseconds),
        cmocka_unit_test(no_number_is_too_large_to_print),
        cmocka_unit_test(dates_are_read_strictly),
        cmocka_unit_test(times_are_read_strictly),
        cmocka_unit_test(partial_timestamps_are_completed),
        cmocka_unit_test(offsets_are_subtracted),
        cmocka_unit_test(days_beyond_a_month_are_clamped),
        cmocka_unit_test(malformed_timestamps_are_refused),
        cmocka_unit_test(timestamps_read_back_what_they_print),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
