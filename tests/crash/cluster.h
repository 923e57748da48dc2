/*
 * cluster.h: a broker behind a proxy, a service of up to three nodes, records that flow, and
 * eyes on what comes of them. What goes wrong ends the driver with all that is known.
 */
#ifndef SLUICE_TESTS_CRASH_CLUSTER_H
#define SLUICE_TESTS_CRASH_CLUSTER_H

#include "tests/crash/processes.h"
#include "tests/crash/proxy.h"
#include "tests/crash/world.h"

enum { CLUSTER_NODES = 3, CLUSTER_TIMES = 4096 };

/* Durations in ms, for their median and maximum. */
struct times {
    int64_t ms[CLUSTER_TIMES];
    uint32_t count;
};

void times_add(struct times *times, int64_t ms);
int64_t times_quantile(struct times *times, double share); /* -1: there are none */

struct cluster {
    struct clock clock;
    unsigned seed; /* as given */
    unsigned dice; /* its state */
    const char *node_program;
    const char *server_program;
    const char *evidence; /* a directory */
    struct proxy *proxy;
    char bootstrap[32];
    struct log *log;
    /* of the service */
    const char *scenario;
    char service[64];
    uint32_t service_count;
    int64_t session_ms;
    struct process nodes[CLUSTER_NODES];
    struct producer producer;
    struct verifier verifier;
    bool has_service;
    char step[100]; /* what was done last */
    uint64_t kills, records;
};

/* Ends the driver: what did not hold, with seed, scenario, step and where the evidence is. */
void cluster_fail(struct cluster *c, const char *format, ...)
    __attribute__((format(printf, 2, 3), noreturn));
/* What is done now: for a report, and with its time for driver.log. */
void cluster_step(struct cluster *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
void cluster_open(struct cluster *c);
void cluster_close(struct cluster *c);
int cluster_dice(struct cluster *c, int sides);

/* A new service: its own topics, records flowing at this rate; no node yet. */
void cluster_begin(struct cluster *c, const char *scenario, int64_t session_ms,
                   uint32_t per_second);
/* Everything settled, nodes ended properly. */
void cluster_end(struct cluster *c);
/* The fault is SLUICE_FAULT's; NULL: none. */
void cluster_start(struct cluster *c, int node, const char *fault);
void cluster_kill(struct cluster *c, int node);
/* Waits until the node has died of its fault. */
void cluster_await_death(struct cluster *c, int node);
/* Waits until its fault has put the node to sleep; wakes it. */
void cluster_await_sleep(struct cluster *c, int node);
void cluster_wake(struct cluster *c, int node);
/* Looks on for a while. */
void cluster_watch(struct cluster *c, int64_t ms);
/* Until each output partition has a record that was written from now_ms on; how long it took. */
int64_t cluster_await_news(struct cluster *c, int64_t within_ms);
/* The producer pauses; all it wrote has come out once; then it goes on. */
void cluster_settle(struct cluster *c, int64_t within_ms);
/* How many slots the members have, largest and smallest share; false: not all are owned. */
bool cluster_shares(struct cluster *c, uint32_t *members, uint32_t *least, uint32_t *most);
/* Until that many members share all slots evenly. */
int64_t cluster_await_shares(struct cluster *c, uint32_t members, int64_t within_ms);

#endif
