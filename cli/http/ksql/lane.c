/*
 * lane.c: a list of jobs and as many threads as it takes, up to a limit.
 */
#include "cli/http/ksql/lane.h"

#include <errno.h>

#include "base/clock.h"

enum { WAITING_MAX = 1000, KEEP_MS = 10000 };

static struct lane_job *take(struct lane *lane)
{
    struct lane_job *job = lane->first;

    lane->first = job->next;
    if (!lane->first) {
        lane->end = &lane->first;
    }
    lane->waiting_count--;
    return job;
}

/* The caller holds the mutex. False: nothing came for a while, or nothing more comes. */
static bool wait_for_job(struct lane *lane)
{
    struct timespec deadline = clock_deadline(KEEP_MS);
    int status = 0;

    lane->idle_count++;
    while (!lane->first && !lane->is_stopping && status != ETIMEDOUT) {
        status = pthread_cond_timedwait(&lane->changed, &lane->mutex, &deadline);
    }
    lane->idle_count--;
    return lane->first != NULL;
}

static void *run_jobs(void *context)
{
    struct lane *lane = context;

    pthread_mutex_lock(&lane->mutex);
    while (wait_for_job(lane)) {
        struct lane_job *job = take(lane);

        pthread_mutex_unlock(&lane->mutex);
        job->run(job);
        pthread_mutex_lock(&lane->mutex);
    }
    lane->thread_count--;
    pthread_cond_broadcast(&lane->changed);
    pthread_mutex_unlock(&lane->mutex);
    return NULL;
}

static void add_thread(struct lane *lane)
{
    pthread_attr_t attributes;
    pthread_t thread;

    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    if (pthread_create(&thread, &attributes, run_jobs, lane) == 0) {
        lane->thread_count++;
    }
    pthread_attr_destroy(&attributes);
}

void lane_init(struct lane *lane, uint32_t thread_limit)
{
    *lane = (struct lane){ .thread_limit = thread_limit };
    lane->end = &lane->first;
    pthread_mutex_init(&lane->mutex, NULL);
    clock_cond_init(&lane->changed);
}

bool lane_submit(struct lane *lane, struct lane_job *job)
{
    bool is_taken;

    pthread_mutex_lock(&lane->mutex);
    if (lane->waiting_count >= lane->idle_count && lane->thread_count < lane->thread_limit) {
        add_thread(lane);
    }
    is_taken = lane->thread_count > 0 && lane->waiting_count < WAITING_MAX;
    if (is_taken) {
        job->next = NULL;
        *lane->end = job;
        lane->end = &job->next;
        lane->waiting_count++;
        pthread_cond_signal(&lane->changed);
    }
    pthread_mutex_unlock(&lane->mutex);
    return is_taken;
}

void lane_fini(struct lane *lane)
{
    pthread_mutex_lock(&lane->mutex);
    lane->is_stopping = true;
    pthread_cond_broadcast(&lane->changed);
    while (lane->thread_count > 0) {
        pthread_cond_wait(&lane->changed, &lane->mutex);
    }
    pthread_mutex_unlock(&lane->mutex);
    pthread_cond_destroy(&lane->changed);
    pthread_mutex_destroy(&lane->mutex);
}
