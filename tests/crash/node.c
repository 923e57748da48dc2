/*
 * node.c: a node of the crash tests: the world's queries on a runtime over Kafka.
 *
 *   node BOOTSTRAP SERVICE NODE [WORKERS]
 *
 * SLUICE_FAULT=STEP:MOMENT:COUNT ends it with SIGKILL at the COUNT-th time that its work
 * reaches that step (fault_log.h); MOMENT is before, after, or during: up to a few
 * milliseconds behind the beginning; or asleep: before, with SIGSTOP. SLUICE_SESSION_MS is its
 * session timeout. SLUICE_STEPS=n has it tell the first n moments of its steps, but those of
 * appends, with their times. SIGTERM ends it properly.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/trace.h"
#include "engine/log/log_kafka.h"
#include "tests/crash/fault_log.h"
#include "tests/crash/plans.h"

struct node {
    struct clock clock;
    struct log *kafka;
    struct log *log;
    struct runtime *rt;
    struct plans plans;
    enum fault_step step;
    char moment[16];
    _Atomic uint32_t countdown; /* 0: never */
    _Atomic uint32_t told;      /* moments that are still to be told */
    int64_t began_us;
};

static void *kill_soon(void *argument)
{
    const struct timespec pause = { .tv_nsec = *(const long *)argument };

    (void)nanosleep(&pause, NULL);
    (void)raise(SIGKILL);
    return NULL;
}

static void kill_during(const struct node *node)
{
    static long delay_ns;
    pthread_t thread;

    delay_ns = (long)(clock_monotonic_us(&node->clock) % 6000) * 1000;
    if (pthread_create(&thread, NULL, kill_soon, &delay_ns)) {
        (void)raise(SIGKILL);
    }
}

static void tell(struct node *node, enum fault_step step, enum fault_moment moment)
{
    if (atomic_load(&node->told) > 0 && step != FAULT_APPEND) {
        atomic_fetch_sub(&node->told, 1);
        (void)fprintf(stderr, "%8.1f ms %s %s\n",
                      (double)(clock_monotonic_us(&node->clock) - node->began_us) / 1000.0,
                      moment == FAULT_BEFORE ? "before" : "after", fault_step_name(step));
    }
}

static int reached(void *context, enum fault_step step, enum fault_moment moment)
{
    struct node *node = context;
    bool during = strcmp(node->moment, "during") == 0;
    bool after = strcmp(node->moment, "after") == 0;

    tell(node, step, moment);
    if (atomic_load(&node->countdown) == 0 || step != node->step ||
        moment != (after ? FAULT_AFTER : FAULT_BEFORE) ||
        atomic_fetch_sub(&node->countdown, 1) != 1) {
        return 0;
    }
    if (during) {
        kill_during(node);
    } else {
        (void)raise(strcmp(node->moment, "asleep") == 0 ? SIGSTOP : SIGKILL);
    }
    return 0;
}

static int read_fault(struct node *node)
{
    const char *fault = getenv("SLUICE_FAULT");
    const char *steps = getenv("SLUICE_STEPS");
    uint32_t count = 0;

    node->began_us = clock_monotonic_us(&node->clock);
    atomic_store(&node->told, steps ? (uint32_t)strtoul(steps, NULL, 10) : 0);

    if (fault && *fault && !fault_parse(fault, &node->step, node->moment, &count)) {
        (void)fprintf(stderr, "SLUICE_FAULT=%s is no fault\n", fault);
        return -1;
    }
    atomic_store(&node->countdown, count);
    return 0;
}

static int open_node(struct node *node, char **arguments, int workers, struct error *err)
{
    const char *session = getenv("SLUICE_SESSION_MS");
    struct log_kafka_config config = { .bootstrap = bytes_of(arguments[1]),
                                       .client_id = bytes_of(arguments[3]) };
    struct fault_hook hook = { .reached = reached, .context = node };
    struct runtime_config runtime = { .clock = &node->clock,
                                      .changelog_entries = CHANGELOG_ENTRIES,
                                      .service_id = bytes_of(arguments[2]),
                                      .node_id = bytes_of(arguments[3]),
                                      .instance_id = bytes_of(arguments[3]),
                                      .session_timeout_ms = session ? strtol(session, NULL, 10) : 0,
                                      .worker_count = (uint32_t)workers,
                                      .mode = RUNTIME_THREADED };

    TRY(log_kafka_create(&config, &node->clock, &node->kafka, err));
    node->log = fault_log_create(node->kafka, &hook);
    TRY(plans_init(&node->plans, node->log, arguments[2], err));
    runtime.log = node->log;
    TRY(runtime_open(&runtime, &node->rt, err));
    return plans_start(&node->plans, node->rt, err);
}

static void wait_for_end(void)
{
    sigset_t ends;
    int signal_number;

    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    (void)sigwait(&ends, &signal_number);
}

static void block_ends(void)
{
    sigset_t ends;

    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    (void)pthread_sigmask(SIG_BLOCK, &ends, NULL);
}

int main(int count, char **arguments)
{
    static struct node node;
    struct error err = { 0 };

    clock_init_real(&node.clock);
    if (count < 4 || read_fault(&node)) {
        (void)fprintf(stderr, "usage: node BOOTSTRAP SERVICE NODE [WORKERS]\n");
        return 2;
    }
    trace_set_level(TRACE_INFO);
    block_ends();
    if (open_node(&node, arguments, count > 4 ? (int)strtol(arguments[4], NULL, 10) : 2, &err)) {
        (void)fprintf(stderr, "node: %s\n", err.message);
        return 1;
    }
    (void)fprintf(stderr, "ready\n");
    wait_for_end();
    runtime_close(node.rt);
    plans_fini(&node.plans);
    log_close(node.log);
    log_close(node.kafka);
    return 0;
}
