/*
 * clock.c: the real clocks of the system, and one turned by hand.
 */
#include "base/clock.h"

#include <assert.h>

static int64_t read_us(clockid_t id)
{
    struct timespec now = { 0 };

    (void)clock_gettime(id, &now); /* cannot fail for the ids used here */
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void clock_init_real(struct clock *clock)
{
    clock->is_virtual = false;
    atomic_init(&clock->virtual_ms, 0);
}

void clock_init_virtual(struct clock *clock, int64_t now_ms)
{
    clock->is_virtual = true;
    atomic_init(&clock->virtual_ms, now_ms);
}

int64_t clock_now_ms(const struct clock *clock)
{
    int64_t set_ms = atomic_load(&clock->virtual_ms);

    return clock->is_virtual ? set_ms : read_us(CLOCK_REALTIME) / 1000 + set_ms;
}

int64_t clock_monotonic_us(const struct clock *clock)
{
    return clock->is_virtual ? atomic_load(&clock->virtual_ms) * 1000 : read_us(CLOCK_MONOTONIC);
}

int64_t clock_elapsed_ms(const struct clock *clock)
{
    return clock_monotonic_us(clock) / 1000;
}

void clock_advance(struct clock *clock, int64_t by_ms)
{
    assert(clock->is_virtual);
    atomic_fetch_add(&clock->virtual_ms, by_ms);
}

void clock_set_by(struct clock *clock, int64_t by_ms)
{
    assert(!clock->is_virtual);
    atomic_fetch_add(&clock->virtual_ms, by_ms);
}

void clock_cond_init(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;

    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
}

struct timespec clock_deadline(int64_t wait_ms)
{
    int64_t now_us = read_us(CLOCK_MONOTONIC);
    int64_t most_ms = INT64_MAX / 1000 - now_us / 1000 - 1;
    int64_t at_us = now_us + (wait_ms < most_ms ? wait_ms : most_ms) * 1000;

    return (struct timespec){ .tv_sec = (time_t)(at_us / 1000000),
                              .tv_nsec = at_us % 1000000 * 1000 };
}

int64_t clock_cpu_us(void)
{
    return read_us(CLOCK_PROCESS_CPUTIME_ID);
}
