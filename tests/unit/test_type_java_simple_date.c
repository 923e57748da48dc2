/*
 * test_type_java_simple_date.c: dates are read as SimpleDateFormat does.
 * Expected days are those of Java 17.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/type/java_simple_date.h"

struct reading {
    const char *pattern;
    const char *text;
    int64_t days;
};

static void expect_readings(const struct reading *readings, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct reading *r = &readings[i];
        struct error err;
        int64_t days = 0;

        if (java_simple_date_parse(bytes_of(r->pattern), bytes_of(r->text), &days, &err)) {
            fail_msg("%s of '%s': %s", r->pattern, r->text, err.message);
        }
        if (days != r->days) {
            fail_msg("%s of '%s' is %lld, not %lld", r->pattern, r->text, (long long)days,
                     (long long)r->days);
        }
    }
}

#define EXPECT_READINGS(readings) expect_readings(readings, sizeof(readings) / sizeof *(readings))

static void expect_refused(const char *pattern, const char *text, enum error_code code)
{
    int64_t days = 77;

    if ((enum error_code)java_simple_date_parse(bytes_of(pattern), bytes_of(text), &days, NULL) !=
        code) {
        fail_msg("%s of '%s' is %lld", pattern, text, (long long)days);
    }
    assert_int_equal(days, 77);
}

static void a_bad_pattern_is_refused(void **state)
{
    static const char *const patterns[] = { "ii", "yyyy-MM-dd Q", "yyyy'", "LLL", "B" };
    struct error err;
    int64_t days;

    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        expect_refused(patterns[i], "2020", ERR_EVALUATE);
    }
    assert_int_equal(java_simple_date_parse(bytes_of("yyyy-ii"), bytes_of("2020"), &days, &err),
                     ERR_EVALUATE);
    assert_string_equal(err.message, "Unknown letter 'i' at position 6 of the pattern");
}

static void numbers_are_greedy_unless_another_follows(void **state)
{
    static const struct reading readings[] = {
        { "yyyy-MM-dd", "2020-05-11", 18393 },  { "yyyy-MM-dd", "2020-5-1", 18383 },
        { "yyyy-MM-dd", " 2020- 5- 1", 18383 }, { "yyyyMMdd", "20200511", 18393 },
        { "yyMMdd", "200511", 18393 },          { "yyyy-MM-dd", "2020-05-11 and more", 18393 },
        { "d/M/y", "1/1/2020", 18262 },         { "yyyy-MM-dd'Lit'", "2018-05-11Lit", 17662 },
        { "''yyyy''", "'2020'", 18262 },
    };

    EXPECT_READINGS(readings);
    expect_refused("yyyy-MM-dd", "2020/05/11", ERR_COERCE);
    expect_refused("yyyy-MM-dd", "2020-05-", ERR_COERCE);
    expect_refused("yyyy-MM-dd", "", ERR_COERCE);
    expect_refused("d", "99999999999", ERR_COERCE);
    expect_refused("", "2020", ERR_COERCE);
}

static void values_roll_over(void **state)
{
    static const struct reading readings[] = {
        { "yyyy-MM-dd", "2021-02-31", 18689 }, { "yyyy-MM-dd", "2021-13-01", 18993 },
        { "yyyy-MM-dd", "2020-00-10", 18240 }, { "yyyy-MM-dd", "2020--5-11", 18088 },
        { "yyyy D", "2020 400", 18661 },       { "yyyy-MM-dd HH", "2020-05-11 24", 18394 },
    };

    EXPECT_READINGS(readings);
}

static void two_digits_are_a_year_from_1946_on(void **state)
{
    static const struct reading readings[] = {
        { "M/d/yy", "1/1/50", -7305 },  { "M/d/yy", "1/1/46", -8766 },
        { "M/d/yy", "1/1/45", 27394 },  { "M/d/yy", "1/1/2020", 18262 },
        { "M/d/yy", "1/1/7", -716971 }, { "M/d/yyyy", "1/1/50", -701265 },
    };

    EXPECT_READINGS(readings);
}

static void names_are_full_or_abbreviated_in_any_case(void **state)
{
    static const struct reading readings[] = {
        { "dd-MMM-yyyy", "01-Jan-2022", 18993 },
        { "dd-MMM-yyyy", "01-JANUARY-2022", 18993 },
        { "MMM-yyyy", "JAN-2022", 18993 },
        { "ddMMMyyyy", "11May2020", 18393 },
        { "EEE, d MMMM yyyy", "Mon, 11 May 2020", 18393 },
        { "G yyyy", "AD 2020", 18262 },
        { "G yyyy", "BC 44", -735233 },
    };

    EXPECT_READINGS(readings);
    expect_refused("MMM", "Mai", ERR_COERCE);
    expect_refused("ddMMMyyyy", "11 May 2020", ERR_COERCE);
}

static void the_last_way_to_say_a_day_counts(void **state)
{
    static const struct reading readings[] = {
        { "EEE, d MMM yyyy", "Tue, 11 May 2020", 18393 },
        { "uuuu-MM-dd", "2018-05-11", 130 },
        { "D MM dd yyyy", "132 05 11 2020", 18393 },
        { "dd MM D yyyy", "11 05 133 2020", 18394 },
        { "yyyy w E", "2020 20 Tue", 18394 },
        { "Y-w-u", "2020-20-1", 18393 },
        { "Y-w-u", "2020-20-11", 18403 },
        { "yyyy-MM-W-E", "2020-05-3-Mon", 18393 },
        { "yyyy MM F E", "2020 05 2 Tue", 18394 },
        { "E", "Mon", 4 },
        { "w", "2", 3 },
        { "W", "2", 3 },
        { "F", "-1", 24 },
    };

    EXPECT_READINGS(readings);
}

static void a_time_of_day_is_refused(void **state)
{
    static const struct reading readings[] = {
        { "yyyy-MM-dd HH:mm:ss", "2020-05-11 00:00:00", 18393 },
        { "yyyy-MM-dd h a", "2020-05-11 12 AM", 18393 },
        { "yyyy-MM-dd k", "2020-05-11 24", 18393 },
        { "yyyy-MM-dd HH Z", "2020-05-11 02 +0200", 18393 },
        { "yyyy-MM-dd z", "2020-05-11 UTC", 18393 },
    };

    EXPECT_READINGS(readings);
    expect_refused("yyyy-MM-dd HH:mm", "2020-05-11 17:58", ERR_COERCE);
    expect_refused("yyyy-MM-dd S", "2020-05-11 1", ERR_COERCE);
    expect_refused("yyyy-MM-dd Z", "2020-05-11 +0200", ERR_COERCE);
    expect_refused("yyyy-MM-dd a", "2020-05-11 PM", ERR_COERCE);
    expect_refused("yyyy-MM-dd z", "2020-05-11 Nowhere", ERR_COERCE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bad_pattern_is_refused),
        cmocka_unit_test(numbers_are_greedy_unless_another_follows),
        cmocka_unit_test(values_roll_over),
        cmocka_unit_test(two_digits_are_a_year_from_1946_on),
        cmocka_unit_test(names_are_full_or_abbreviated_in_any_case),
        cmocka_unit_test(the_last_way_to_say_a_day_counts),
        cmocka_unit_test(a_time_of_day_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
