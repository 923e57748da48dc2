/*
 * bench_start.c: how long the program takes to its first answer, and what it holds then.
 *
 * Runs build/sluice (or $SLUICE) -e 'SHOW STREAMS;' and stops it at the first byte of its
 * output: what /proc says of the stopped process is an engine that is ready and idle.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "bench/proc_field.h"

enum { RUN_COUNT = 21 };

struct start {
    int64_t first_answer_us;
    long resident_kb;
    long private_dirty_kb;
};

static long smaps_kb(pid_t pid, const char *field)
{
    char path[64];

    (void)snprintf(path, sizeof path, "/proc/%ld/smaps_rollup", (long)pid);
    return proc_field(path, field);
}

static void run_child(const int out[2])
{
    const char *program = getenv("SLUICE");

    (void)dup2(out[1], STDOUT_FILENO);
    (void)close(out[0]);
    (void)close(out[1]);
    (void)execl(program ? program : "build/sluice", "sluice", "-e", "SHOW STREAMS;", (char *)NULL);
    _exit(127);
}

static int measure(struct start *start)
{
    struct clock clock;
    int out[2], status = 0;
    int64_t began_us;
    char first;
    pid_t pid;

    clock_init_real(&clock);
    if (pipe(out)) {
        return -1;
    }
    began_us = clock_monotonic_us(&clock);
    pid = fork();
    if (pid == 0) {
        run_child(out);
    }
    (void)close(out[1]);
    if (pid < 0 || read(out[0], &first, 1) != 1) {
        return -1;
    }
    start->first_answer_us = clock_monotonic_us(&clock) - began_us;
    (void)kill(pid, SIGSTOP);
    (void)waitpid(pid, &status, WUNTRACED);
    start->resident_kb = smaps_kb(pid, "Rss:");
    start->private_dirty_kb = smaps_kb(pid, "Private_Dirty:");
    (void)kill(pid, SIGCONT);
    (void)waitpid(pid, &status, 0);
    (void)close(out[0]);
    return start->resident_kb > 0 ? 0 : -1;
}

static int by_time(const void *a, const void *b)
{
    const struct start *x = a, *y = b;

    return (x->first_answer_us > y->first_answer_us) - (x->first_answer_us < y->first_answer_us);
}

int main(void)
{
    struct start runs[RUN_COUNT];
    int measured = 0;

    for (int i = 0; i < RUN_COUNT; i++) {
        measured += measure(&runs[measured]) == 0;
    }
    if (measured == 0) {
        (void)fprintf(stderr, "bench_start: build/sluice gives no answer\n");
        return 1;
    }
    qsort(runs, (size_t)measured, sizeof runs[0], by_time);
    (void)printf("%-44s %6.1f ms median, %.1f ms at most, %d runs\n",
                 "first answer of a new process",
                 (double)runs[measured / 2].first_answer_us / 1000.0,
                 (double)runs[measured - 1].first_answer_us / 1000.0, measured);
    (void)printf("%-44s %6.1f MB resident, %.1f MB private dirty\n", "idle engine in memory",
                 (double)runs[measured / 2].resident_kb / 1024.0,
                 (double)runs[measured / 2].private_dirty_kb / 1024.0);
    return 0;
}
