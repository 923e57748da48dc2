/*
 * clock.h: the only reader of the wall clock.
 *
 * Time is an argument: whoever needs the time is handed a struct clock. Tests
 * hold a virtual one and turn it by hand. Reading is safe from any thread.
 */
#ifndef SLUICE_BASE_CLOCK_H
#define SLUICE_BASE_CLOCK_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct clock {
    bool is_virtual;
    _Atomic int64_t virtual_ms; /* since the epoch; of a real clock: how far it was set */
};

void clock_init_real(struct clock *clock);
void clock_init_virtual(struct clock *clock, int64_t now_ms);
int64_t clock_now_ms(const struct clock *clock);       /* wall time since the epoch */
int64_t clock_monotonic_us(const struct clock *clock); /* for durations; virtual: from virtual_ms */
/* The same in milliseconds: for what is due after some time, however the wall clock is set. */
int64_t clock_elapsed_ms(const struct clock *clock);
void clock_advance(struct clock *clock, int64_t by_ms); /* virtual only */
/* As if the system's clock were set by so much: durations stay. Real only; for tests. */
void clock_set_by(struct clock *clock, int64_t by_ms);
/* Waiting that a change of the wall clock does not disturb: such a condition, with deadlines. */
void clock_cond_init(pthread_cond_t *condition);
struct timespec clock_deadline(int64_t wait_ms); /* that long from now */
int64_t clock_cpu_us(void);                      /* CPU time of the whole process: benches */

#endif
