/*
 * test_clock.c: virtual time stands still until it is turned.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"

static void virtual_clock_moves_only_by_advance(void **state)
{
    struct clock clock;

    clock_init_virtual(&clock, 1000);
    assert_int_equal(clock_now_ms(&clock), 1000);
    assert_int_equal(clock_now_ms(&clock), 1000);
    clock_advance(&clock, 25);
    assert_int_equal(clock_now_ms(&clock), 1025);
    assert_int_equal(clock_monotonic_us(&clock), 1025000);
}

static void virtual_clock_can_stand_before_the_epoch(void **state)
{
    struct clock clock;

    clock_init_virtual(&clock, -5);
    clock_advance(&clock, 3);
    assert_int_equal(clock_now_ms(&clock), -2);
}

static void real_clock_can_be_set_and_durations_stay(void **state)
{
    struct clock clock;
    int64_t wall_ms;
    int64_t monotonic_us;

    clock_init_real(&clock);
    wall_ms = clock_now_ms(&clock);
    monotonic_us = clock_monotonic_us(&clock);
    clock_set_by(&clock, -3600000);
    assert_true(clock_now_ms(&clock) < wall_ms - 3000000);
    assert_true(clock_monotonic_us(&clock) >= monotonic_us);
}

static void real_monotonic_clock_never_runs_back(void **state)
{
    struct clock clock;
    int64_t last;

    clock_init_real(&clock);
    last = clock_monotonic_us(&clock);
    for (int i = 0; i < 1000; i++) {
        int64_t now = clock_monotonic_us(&clock);

        assert_true(now >= last);
        last = now;
    }
    assert_true(clock_now_ms(&clock) > INT64_C(1577836800000)); /* past 2020 */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(virtual_clock_moves_only_by_advance),
        cmocka_unit_test(virtual_clock_can_stand_before_the_epoch),
        cmocka_unit_test(real_clock_can_be_set_and_durations_stay),
        cmocka_unit_test(real_monotonic_clock_never_runs_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
