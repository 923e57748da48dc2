/*
 * test_limits.c: how many, how many at once, how much in an hour; by a clock that is turned.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/http/ksql/limits.h"

enum { SECOND_MS = 1000, MINUTE_MS = 60000, MEGABYTE = 1 << 20 };

static const struct limits_spec no_limits = { INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX };

static void a_second_s_worth_comes_at_once_and_then_by_and_by(void **state)
{
    struct limits_spec spec = no_limits;
    struct limits limits;
    int64_t now_ms = 1000000;

    spec.commands_per_second = 4;
    limits_init(&limits, &spec, now_ms);
    assert_true(limits_take_commands(&limits, 4, now_ms));
    assert_false(limits_take_commands(&limits, 1, now_ms));
    assert_true(limits_take_commands(&limits, 0, now_ms));
    assert_false(limits_take_commands(&limits, 1, now_ms + 249));
    assert_true(limits_take_commands(&limits, 1, now_ms + 250));
    assert_false(limits_take_commands(&limits, 2, now_ms + 500));
    assert_true(limits_take_commands(&limits, 1, now_ms + 500));
    assert_true(limits_take_commands(&limits, 4, now_ms + 60 * SECOND_MS));
    assert_false(limits_take_commands(&limits, 1, now_ms + 60 * SECOND_MS));
    limits_fini(&limits);
}

static void a_clock_that_is_set_back_stops_nobody_for_long(void **state)
{
    struct limits_spec spec = no_limits;
    struct limits limits;

    spec.pulls_per_second = 1;
    limits_init(&limits, &spec, 1000 * SECOND_MS);
    assert_int_equal(limits_begin_pull(&limits, 1000 * SECOND_MS), LIMIT_NONE);
    assert_int_equal(limits_begin_pull(&limits, SECOND_MS), LIMIT_RATE);
    assert_int_equal(limits_begin_pull(&limits, 2 * SECOND_MS), LIMIT_NONE);
    limits_fini(&limits);
}

static void no_limit_is_none(void **state)
{
    struct limits limits;

    limits_init(&limits, &no_limits, 0);
    for (int64_t i = 0; i < 1000; i++) {
        assert_true(limits_take_commands(&limits, 1000000, i));
        assert_int_equal(limits_begin_pull(&limits, i), LIMIT_NONE);
    }
    limits_fini(&limits);
}

static void pulls_that_have_ended_make_room(void **state)
{
    struct limits_spec spec = no_limits;
    struct limits limits;

    spec.pulls_most = 2;
    limits_init(&limits, &spec, 0);
    assert_int_equal(limits_begin_pull(&limits, 0), LIMIT_NONE);
    assert_int_equal(limits_begin_pull(&limits, 0), LIMIT_NONE);
    assert_int_equal(limits_begin_pull(&limits, 0), LIMIT_CONCURRENT);
    limits_end_pull(&limits, 10, 0);
    assert_int_equal(limits_begin_pull(&limits, 0), LIMIT_NONE);
    limits_fini(&limits);
}

static void what_was_sent_counts_for_an_hour(void **state)
{
    struct limits_spec spec = no_limits;
    struct limits limits;

    spec.megabytes_per_hour = 1;
    limits_init(&limits, &spec, 0);
    assert_int_equal(limits_begin_pull(&limits, 0), LIMIT_NONE);
    limits_end_pull(&limits, MEGABYTE - 1, 0);
    assert_int_equal(limits_begin_pull(&limits, 30 * MINUTE_MS), LIMIT_NONE);
    limits_end_pull(&limits, 1, 30 * MINUTE_MS);
    assert_int_equal(limits_begin_pull(&limits, 59 * MINUTE_MS), LIMIT_BANDWIDTH);
    assert_int_equal(limits_begin_pull(&limits, 60 * MINUTE_MS), LIMIT_NONE);
    limits_end_pull(&limits, MEGABYTE, 60 * MINUTE_MS);
    assert_int_equal(limits_begin_pull(&limits, 61 * MINUTE_MS), LIMIT_BANDWIDTH);
    assert_int_equal(limits_begin_pull(&limits, (int64_t)1000 * MINUTE_MS), LIMIT_NONE);
    limits_fini(&limits);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_second_s_worth_comes_at_once_and_then_by_and_by),
        cmocka_unit_test(a_clock_that_is_set_back_stops_nobody_for_long),
        cmocka_unit_test(no_limit_is_none),
        cmocka_unit_test(pulls_that_have_ended_make_room),
        cmocka_unit_test(what_was_sent_counts_for_an_hour),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
