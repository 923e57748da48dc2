/*
 * lane.h: jobs that wait for threads of their own, so that the loop waits for nothing.
 */
#ifndef SLUICE_CLI_HTTP_KSQL_LANE_H
#define SLUICE_CLI_HTTP_KSQL_LANE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct lane_job {
    void (*run)(struct lane_job *job); /* frees it, too */
    struct lane_job *next;
};

/* Threads are made when jobs need them, and kept for a while. */
struct lane {
    pthread_mutex_t mutex; /* all below */
    pthread_cond_t changed;
    struct lane_job *first;
    struct lane_job **end;
    uint32_t waiting_count; /* jobs */
    uint32_t idle_count;    /* threads that wait for one */
    uint32_t thread_count;
    uint32_t thread_limit;
    bool is_stopping;
};

void lane_init(struct lane *lane, uint32_t thread_limit);
/* False: too many wait already. */
bool lane_submit(struct lane *lane, struct lane_job *job);
void lane_fini(struct lane *lane); /* runs what waits, then waits for the threads */

#endif
