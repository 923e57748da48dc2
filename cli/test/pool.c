/*
 * pool.c: one process per case: a crash, a leak or a hang is that case's failure alone.
 *
 * The child writes a status byte and its report into a pipe and ends. The parent reads all
 * pipes; a child that does not end in time is killed.
 */
#include "cli/test/pool.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

enum { CASE_TIME_LIMIT_MS = 20000, JOBS_MAX = 64, REPORT_MAX = 64 * 1024 };
enum { STATUS_PASSED = 'P', STATUS_FAILED = 'F' };

struct job {
    pid_t pid; /* 0: free */
    int pipe;
    uint32_t number; /* of the case */
    int64_t deadline_us;
    bool late;
    struct buffer output;
};

struct pool {
    const struct case_list *list;
    const struct test_options *options;
    struct arena *arena;
    struct clock clock;
    struct job jobs[JOBS_MAX];
    uint32_t running;
    uint32_t next;
    struct case_result *results;
    bool *finished;
};

/* --- the child --- */

static void write_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t written = write(fd, data, len);

        if (written <= 0) {
            return; /* the parent is gone: nobody is left to be told */
        }
        data += written;
        len -= (size_t)written;
    }
}

static void run_child(const struct test_case *test, const struct test_options *options, int fd)
{
    struct buffer output = { 0 };
    struct buffer report = { 0 };
    struct error err = { 0 };
    int code = test->kind->run(test, options, &report, &err);

    buffer_append_char(&output, code ? STATUS_FAILED : STATUS_PASSED);
    if (code) {
        buffer_printf(&output, "  %s", error_name(err.code));
        if (err.at.line > 0) {
            buffer_printf(&output, " at %u:%u", err.at.line, err.at.column);
        }
        buffer_printf(&output, ": %s\n", err.message);
        buffer_append_bytes(&output, buffer_bytes(&report));
    }
    write_all(fd, output.data, output.len < REPORT_MAX ? output.len : REPORT_MAX);
    buffer_fini(&output);
    buffer_fini(&report);
}

/* --- the parent --- */

static void finish(struct pool *pool, uint32_t number, bool passed, struct bytes report)
{
    pool->finished[number] = true;
    pool->results[number].passed = passed;
    pool->results[number].report = arena_copy(pool->arena, report);
}

static void start_job(struct pool *pool, struct job *job)
{
    uint32_t number = pool->next++;
    int ends[2];

    (void)fflush(NULL);
    if (pipe(ends) != 0) {
        finish(pool, number, false, bytes_of("  no pipe for the case's process\n"));
        return;
    }
    job->pid = fork();
    if (job->pid == 0) {
        (void)close(ends[0]);
        run_child(&pool->list->cases.items[number], pool->options, ends[1]);
        exit(0); /* not _exit: under ASan this looks for leaks */
    }
    (void)close(ends[1]);
    if (job->pid < 0) {
        (void)close(ends[0]);
        job->pid = 0;
        finish(pool, number, false, bytes_of("  no process for the case\n"));
        return;
    }
    job->pipe = ends[0];
    job->number = number;
    job->late = false;
    job->deadline_us = clock_monotonic_us(&pool->clock) + (int64_t)CASE_TIME_LIMIT_MS * 1000;
    pool->running++;
}

static void end_job(struct pool *pool, struct job *job)
{
    struct buffer *out = &job->output;
    int status = 0;

    while (waitpid(job->pid, &status, 0) < 0 && errno == EINTR) {
    }
    (void)close(job->pipe);
    if (job->late) {
        out->len = 0;
        buffer_printf(out, "%c  no end within %d s\n", STATUS_FAILED, CASE_TIME_LIMIT_MS / 1000);
    } else if (WIFSIGNALED(status)) {
        out->len = 0;
        buffer_printf(out, "%c  ended by signal %d (%s)\n", STATUS_FAILED, WTERMSIG(status),
                      strsignal(WTERMSIG(status)));
    } else if (WEXITSTATUS(status) != 0 || out->len == 0) {
        out->len = 0;
        buffer_printf(out, "%c  exit status %d\n", STATUS_FAILED, WEXITSTATUS(status));
    }
    finish(pool, job->number, out->data[0] == STATUS_PASSED,
           (struct bytes){ out->data + 1, out->len - 1 });
    out->len = 0;
    job->pid = 0;
    pool->running--;
}

static void read_job(struct pool *pool, struct job *job)
{
    char data[4096];
    ssize_t len = read(job->pipe, data, sizeof data);

    if (len > 0) {
        buffer_append(&job->output, data, (size_t)len);
    } else if (len == 0 || errno != EINTR) {
        end_job(pool, job);
    }
}

static void kill_if_late(struct pool *pool, struct job *job)
{
    if (!job->late && clock_monotonic_us(&pool->clock) > job->deadline_us) {
        job->late = true;
        (void)kill(job->pid, SIGKILL); /* its end of the pipe closes, which ends the job */
    }
}

static void wait_for_jobs(struct pool *pool)
{
    struct pollfd fds[JOBS_MAX];
    struct job *jobs[JOBS_MAX];
    nfds_t count = 0;

    for (uint32_t i = 0; i < JOBS_MAX; i++) {
        if (pool->jobs[i].pid) {
            kill_if_late(pool, &pool->jobs[i]);
            fds[count] = (struct pollfd){ .fd = pool->jobs[i].pipe, .events = POLLIN };
            jobs[count++] = &pool->jobs[i];
        }
    }
    if (count > 0 && poll(fds, count, 200) > 0) {
        for (nfds_t i = 0; i < count; i++) {
            if (fds[i].revents) {
                read_job(pool, jobs[i]);
            }
        }
    }
}

void pool_run(const struct case_list *list, const struct test_options *options, struct arena *arena,
              void (*done)(void *context, const struct test_case *test,
                           const struct case_result *result),
              void *context)
{
    struct pool pool = { .list = list, .options = options, .arena = arena };
    uint32_t limit = options->jobs < JOBS_MAX ? options->jobs : JOBS_MAX;
    uint32_t told = 0;

    clock_init_real(&pool.clock);
    pool.results = arena_array(arena, struct case_result, list->cases.count);
    pool.finished = arena_array(arena, bool, list->cases.count);
    while (told < list->cases.count) {
        for (uint32_t i = 0; i < limit && pool.next < list->cases.count; i++) {
            if (!pool.jobs[i].pid) {
                start_job(&pool, &pool.jobs[i]);
            }
        }
        wait_for_jobs(&pool);
        while (told < list->cases.count && pool.finished[told]) {
            done(context, &list->cases.items[told], &pool.results[told]);
            told++;
        }
    }
    for (uint32_t i = 0; i < JOBS_MAX; i++) {
        buffer_fini(&pool.jobs[i].output);
    }
}
