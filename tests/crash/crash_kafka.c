/*
 * crash_kafka.c: nodes, broker and answers die on a real broker; nothing is lost or repeated.
 *
 *   crash_kafka NODE_PROGRAM SERVER_PROGRAM EVIDENCE SEED KILLS ONLY
 *
 * KILLS is how many random kills there are; 0 is the short version. ONLY names scenarios.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/trace.h"
#include "tests/crash/servers.h"

enum { RATE = 2000, SHORT_SESSION_MS = 2000, SESSION_MS = 6000, KILLS_PER_SERVICE = 50 };
enum { OUTAGE_MS = 18000 }; /* longer than a call to the log waits */
enum { STUCK_MS = 180000 }; /* what takes longer will never come */

struct run {
    struct cluster cluster;
    uint32_t kills; /* random ones; 0: the short version */
    struct times restarts, takeovers;
    uint32_t passed;
};

/* --- every step --- */

/*
 * Only what each life surely comes to. Behind news from all partitions a start reads a block or
 * more of each of four slots' progress and of four changelogs.
 */
static const char *const start_steps[] = {
    "open:before:1",     "open:after:1",      "open:during:1",     "join:before:1",
    "join:after:1",      "assigned:before:1", "fence:before:1",    "fence:after:1",
    "progress:before:1", "progress:after:1",  "records:after:2",   "changelog:before:1",
    "changelog:after:1", "records:after:8",   "changelog:after:3", "assigned:after:1",
};
static const char *const commit_steps[] = {
    "begin:before:2",  "begin:after:3",      "append:before:2",   "append:after:5",
    "append:during:9", "positions:before:3", "positions:after:2", "positions:during:4",
    "commit:before:3", "commit:after:2",     "commit:during:4",   "commit:during:9",
    "commit:during:3", "append:before:17",   "commit:after:1",
};

static void die_at(struct run *r, const char *fault)
{
    cluster_start(&r->cluster, 0, fault);
    cluster_await_death(&r->cluster, 0);
}

static void start_again(struct run *r)
{
    cluster_start(&r->cluster, 0, NULL);
    times_add(&r->restarts, cluster_await_news(&r->cluster, STUCK_MS));
}

/* Stride 3: every third one; the seed says which of them. */
static void every_step(struct run *r, size_t stride)
{
    struct cluster *c = &r->cluster;
    size_t first = r->cluster.seed % stride;

    cluster_begin(c, "steps", SHORT_SESSION_MS, RATE);
    for (size_t i = first; i < sizeof commit_steps / sizeof commit_steps[0]; i += stride) {
        die_at(r, commit_steps[i]);
    }
    /* There is a changelog to be read only once a commit has come through. */
    start_again(r);
    cluster_kill(c, 0);
    for (size_t i = first; i < sizeof start_steps / sizeof start_steps[0]; i += stride) {
        die_at(r, start_steps[i]);
    }
    start_again(r);
    cluster_end(c);
}

/* A second node comes; the first dies while it gives up slots. */
static void revoking(struct run *r)
{
    static const char *const faults[] = { "revoked:before:1", "revoked:after:1" };
    struct cluster *c = &r->cluster;

    cluster_begin(c, "revoke", SHORT_SESSION_MS, RATE);
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        cluster_start(c, 0, faults[i]);
        (void)cluster_await_news(c, STUCK_MS);
        cluster_start(c, 1, NULL);
        cluster_await_death(c, 0);
        (void)cluster_await_news(c, SHORT_SESSION_MS + STUCK_MS);
        cluster_kill(c, 1);
    }
    cluster_start(c, 0, NULL);
    cluster_end(c);
}

/* --- at random --- */

static void one_node(struct run *r, uint32_t kills)
{
    struct cluster *c = &r->cluster;

    cluster_begin(c, "one", SESSION_MS, RATE);
    cluster_start(c, 0, NULL);
    (void)cluster_await_news(c, STUCK_MS);
    for (uint32_t i = 0; i < kills; i++) {
        cluster_watch(c, cluster_dice(c, 300));
        cluster_kill(c, 0);
        start_again(r);
    }
    cluster_end(c);
}

/* Nodes are killed in turn, some while others are still coming back. */
static void some_nodes(struct run *r, int nodes, uint32_t kills)
{
    struct cluster *c = &r->cluster;

    cluster_begin(c, nodes == 2 ? "two" : "three", SHORT_SESSION_MS, RATE);
    for (int i = 0; i < nodes; i++) {
        cluster_start(c, i, NULL);
    }
    (void)cluster_await_news(c, STUCK_MS);
    for (uint32_t i = 0; i < kills; i++) {
        int node = cluster_dice(c, nodes);

        cluster_watch(c, cluster_dice(c, 400));
        cluster_kill(c, node);
        cluster_watch(c, cluster_dice(c, 4) ? cluster_dice(c, 300) : SHORT_SESSION_MS + 500);
        cluster_start(c, node, NULL);
        if (cluster_dice(c, 3)) {
            (void)cluster_await_news(c, STUCK_MS);
        }
    }
    cluster_end(c);
}

/* The other node has everything once the session of the dead one is over. */
static void take_over(struct run *r, uint32_t rounds, int64_t session_ms)
{
    struct cluster *c = &r->cluster;

    cluster_begin(c, "takeover", session_ms, RATE);
    cluster_start(c, 0, NULL);
    cluster_start(c, 1, NULL);
    (void)cluster_await_shares(c, 2, STUCK_MS);
    (void)cluster_await_news(c, STUCK_MS);
    for (uint32_t i = 0; i < rounds; i++) {
        int node = (int)(i % 2);

        cluster_kill(c, node);
        times_add(&r->takeovers, cluster_await_news(c, session_ms + STUCK_MS) - session_ms);
        cluster_start(c, node, NULL);
        (void)cluster_await_shares(c, 2, STUCK_MS);
    }
    cluster_end(c);
}

/*
 * A node dies while it gives up slots, and is back before its session is over: the broker takes it
 * for what it was, and nothing may be left without an owner.
 */
static void returns(struct run *r, uint32_t rounds)
{
    static const char *const faults[] = { "revoked:before:1", "revoked:after:1" };
    struct cluster *c = &r->cluster;

    cluster_begin(c, "return", SHORT_SESSION_MS, RATE);
    for (uint32_t i = 0; i < rounds; i++) {
        cluster_start(c, 0, faults[i % 2]);
        (void)cluster_await_shares(c, 1, STUCK_MS);
        cluster_start(c, 1, NULL);
        cluster_await_death(c, 0);
        cluster_start(c, 0, NULL);
        (void)cluster_await_shares(c, 2, STUCK_MS);
        (void)cluster_await_news(c, STUCK_MS);
        cluster_kill(c, 0);
        cluster_kill(c, 1);
    }
    cluster_start(c, 0, NULL);
    cluster_end(c);
}

/*
 * A node falls asleep while it gives up some of its slots, and wakes when its session is over: the
 * slots that it was to keep are another's, too.
 */
static void oversleeps(struct run *r, uint32_t rounds)
{
    struct cluster *c = &r->cluster;

    cluster_begin(c, "oversleep", SHORT_SESSION_MS, RATE);
    for (uint32_t i = 0; i < rounds; i++) {
        cluster_start(c, 0, "revoked:asleep:1");
        (void)cluster_await_shares(c, 1, STUCK_MS);
        cluster_start(c, 1, NULL);
        cluster_await_sleep(c, 0);
        (void)cluster_await_shares(c, 1, STUCK_MS);
        (void)cluster_await_news(c, STUCK_MS);
        cluster_wake(c, 0);
        (void)cluster_await_shares(c, 2, STUCK_MS);
        (void)cluster_await_news(c, STUCK_MS);
        cluster_kill(c, 0);
        cluster_kill(c, 1);
    }
    cluster_start(c, 0, NULL);
    cluster_end(c);
}

static void zombies(struct run *r, uint32_t rounds)
{
    struct cluster *c = &r->cluster;

    cluster_begin(c, "zombie", SHORT_SESSION_MS, RATE);
    cluster_start(c, 0, NULL);
    cluster_start(c, 1, NULL);
    (void)cluster_await_shares(c, 2, STUCK_MS);
    (void)cluster_await_news(c, STUCK_MS);
    for (uint32_t i = 0; i < rounds; i++) {
        int node = (int)(i % 2);

        cluster_step(c, "freeze node%d", node);
        process_signal(&c->nodes[node], SIGSTOP);
        (void)cluster_await_news(c, SHORT_SESSION_MS + STUCK_MS);
        cluster_watch(c, cluster_dice(c, 500));
        cluster_wake(c, node);
        (void)cluster_await_news(c, STUCK_MS);
        (void)cluster_await_shares(c, 2, STUCK_MS);
    }
    cluster_end(c);
}

/* sluice server itself: the second hears of the statements through the statement log. */
static void servers(struct run *r, uint32_t kills)
{
    struct cluster *c = &r->cluster;

    cluster_begin(c, "servers", SHORT_SESSION_MS, RATE);
    servers_start(c, 0);
    servers_apply(c, 0);
    servers_start(c, 1);
    (void)cluster_await_shares(c, 2, STUCK_MS);
    (void)cluster_await_news(c, STUCK_MS);
    for (uint32_t i = 0; i < kills; i++) {
        int node = cluster_dice(c, 2);

        cluster_watch(c, cluster_dice(c, 400));
        cluster_kill(c, node);
        cluster_watch(c, cluster_dice(c, 4) ? cluster_dice(c, 300) : SHORT_SESSION_MS + 500);
        servers_start(c, node);
        (void)cluster_await_news(c, STUCK_MS);
    }
    cluster_end(c);
}

/* --- members --- */

static void members(struct run *r)
{
    struct cluster *c = &r->cluster;
    int64_t joined[CLUSTER_NODES];

    cluster_begin(c, "members", SESSION_MS, RATE);
    for (int i = 0; i < CLUSTER_NODES; i++) {
        cluster_start(c, i, NULL);
        joined[i] = cluster_await_shares(c, (uint32_t)i + 1, STUCK_MS);
        (void)cluster_await_news(c, STUCK_MS);
    }
    printf("  even shares of 64 slots over 1, 2, 3 nodes after %lld, %lld, %lld ms\n",
           (long long)joined[0], (long long)joined[1], (long long)joined[2]);
    for (int i = 0; i < CLUSTER_NODES - 1; i++) {
        cluster_step(c, "end node%d", i);
        if (!process_end(&c->nodes[i], STUCK_MS)) {
            cluster_fail(c, "node%d did not end properly", i);
        }
        (void)cluster_await_news(c, SESSION_MS + STUCK_MS);
        (void)cluster_await_shares(c, (uint32_t)(CLUSTER_NODES - 1 - i), STUCK_MS);
    }
    cluster_end(c);
}

/* --- the broker --- */

static void broker_dies(struct run *r, uint32_t rounds)
{
    struct cluster *c = &r->cluster;

    cluster_begin(c, "broker", SHORT_SESSION_MS, RATE);
    cluster_start(c, 0, NULL);
    cluster_start(c, 1, NULL);
    (void)cluster_await_news(c, STUCK_MS);
    for (uint32_t i = 0; i < rounds; i++) {
        cluster_watch(c, cluster_dice(c, 500));
        cluster_step(c, "kill -9 broker");
        (void)broker_command("kill", proxy_port(c->proxy));
        if (!broker_command("revive", proxy_port(c->proxy))) {
            cluster_fail(c, "the broker does not come back");
        }
        (void)cluster_await_news(c, STUCK_MS);
    }
    cluster_end(c);
}

static void outage(struct run *r)
{
    struct cluster *c = &r->cluster;
    uint32_t members = 0, least = 0, most = 0;

    cluster_begin(c, "outage", SHORT_SESSION_MS, RATE);
    cluster_start(c, 0, NULL);
    cluster_start(c, 1, NULL);
    (void)cluster_await_shares(c, 2, STUCK_MS);
    (void)cluster_await_news(c, STUCK_MS);
    cluster_step(c, "kill -9 broker");
    (void)broker_command("kill", proxy_port(c->proxy));
    for (int64_t end = now_ms() + OUTAGE_MS; now_ms() < end;) {
        (void)cluster_shares(c, &members, &least, &most); /* waits as long as a call may */
    }
    cluster_step(c, "revive the broker");
    if (!broker_command("revive", proxy_port(c->proxy))) {
        cluster_fail(c, "the broker does not come back");
    }
    (void)cluster_await_news(c, STUCK_MS);
    (void)cluster_await_shares(c, 2, STUCK_MS);
    cluster_end(c);
}

static void lost_answers(struct run *r, uint32_t rounds, enum proxy_loss loss)
{
    struct cluster *c = &r->cluster;

    cluster_begin(c, loss == PROXY_CUTS ? "answers" : "silence", SESSION_MS, RATE);
    cluster_start(c, 0, NULL);
    cluster_start(c, 1, NULL);
    (void)cluster_await_shares(c, 2, STUCK_MS);
    (void)cluster_await_news(c, STUCK_MS);
    for (uint32_t i = 0; i < rounds; i++) {
        cluster_step(c, "answer %u to EndTxn lost", i);
        proxy_lose(c->proxy, loss, 1 + (uint32_t)cluster_dice(c, 3));
        (void)cluster_await_news(c, STUCK_MS);
        cluster_watch(c, cluster_dice(c, 300));
    }
    if (proxy_to_lose(c->proxy) > 0) {
        cluster_fail(c, "no EndTxn was seen");
    }
    cluster_step(c, "all connections cut");
    proxy_cut_all(c->proxy);
    (void)cluster_await_news(c, STUCK_MS);
    cluster_end(c);
}

/* --- all of it --- */

static void begin(const struct run *r, const char *what)
{
    printf("%s (%llu kills so far)\n", what, (unsigned long long)r->cluster.kills);
    (void)fflush(stdout);
}

/* The broker dies first: the more partitions it has, the longer it takes to come back. */
static void run_short(struct run *r)
{
    begin(r, "broker dies");
    broker_dies(r, 1);
    begin(r, "SIGKILL at every third step");
    every_step(r, 3);
    begin(r, "two nodes, random kills");
    some_nodes(r, 2, 3);
    begin(r, "zombie");
    zombies(r, 1);
    begin(r, "answers to EndTxn lost");
    lost_answers(r, 2, PROXY_CUTS);
    r->passed += 5;
}

static void run_long(struct run *r)
{
    begin(r, "broker dies");
    broker_dies(r, 4);
    begin(r, "broker is away for long");
    outage(r);
    begin(r, "members come and go");
    members(r);
    begin(r, "SIGKILL at every step");
    every_step(r, 1);
    begin(r, "SIGKILL while slots are given up");
    revoking(r);
    begin(r, "take-over");
    take_over(r, 4, SESSION_MS);
    begin(r, "nodes return in the midst of a rebalance");
    returns(r, 4);
    begin(r, "a node sleeps in the midst of a rebalance");
    oversleeps(r, 2);
    begin(r, "two servers, random kills");
    servers(r, 20);
    begin(r, "zombies");
    zombies(r, 6);
    begin(r, "answers to EndTxn lost with their connection");
    lost_answers(r, 20, PROXY_CUTS);
    begin(r, "answers to EndTxn lost in silence");
    lost_answers(r, 2, PROXY_SWALLOWS);
    for (uint32_t done = 0, n = 0; done < r->kills; done += KILLS_PER_SERVICE, n++) {
        uint32_t left = r->kills - done;
        uint32_t kills = left < KILLS_PER_SERVICE ? left : KILLS_PER_SERVICE;

        begin(r, n % 3 == 0 ? "one node, random kills" : "several nodes, random kills");
        if (n % 3 == 0) {
            one_node(r, kills);
        } else {
            some_nodes(r, 1 + (int)(n % 3), kills);
        }
    }
    r->passed += 13;
}

static void run_one(struct run *r, const char *name)
{
    begin(r, name);
    if (strcmp(name, "steps") == 0) {
        every_step(r, 1);
    } else if (strcmp(name, "revoke") == 0) {
        revoking(r);
    } else if (strcmp(name, "one") == 0) {
        one_node(r, r->kills);
    } else if (strcmp(name, "two") == 0) {
        some_nodes(r, 2, r->kills);
    } else if (strcmp(name, "three") == 0) {
        some_nodes(r, 3, r->kills);
    } else if (strcmp(name, "takeover") == 0) {
        take_over(r, r->kills, SESSION_MS);
    } else if (strcmp(name, "servers") == 0) {
        servers(r, r->kills);
    } else if (strcmp(name, "return") == 0) {
        returns(r, r->kills);
    } else if (strcmp(name, "oversleep") == 0) {
        oversleeps(r, r->kills);
    } else if (strcmp(name, "zombie") == 0) {
        zombies(r, r->kills);
    } else if (strcmp(name, "members") == 0) {
        members(r);
    } else if (strcmp(name, "broker") == 0) {
        broker_dies(r, r->kills);
    } else if (strcmp(name, "outage") == 0) {
        outage(r);
    } else if (strcmp(name, "answers") == 0) {
        lost_answers(r, r->kills, PROXY_CUTS);
    } else if (strcmp(name, "silence") == 0) {
        lost_answers(r, r->kills, PROXY_SWALLOWS);
    }
    r->passed++;
}

/* --- times --- */

enum { RESTART_GOAL_MS = 1000, TAKEOVER_GOAL_MS = 2000, PATIENCE = 5 };

/* How many share a processor, at least 1. */
static double crowd(void)
{
    FILE *file = fopen("/proc/loadavg", "r");
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    char text[100] = { 0 };
    double load = 0;

    if (file) {
        load = fgets(text, sizeof text, file) ? strtod(text, NULL) : 0;
        (void)fclose(file);
    }
    load /= processors > 0 ? (double)processors : 1;
    return load > 1 ? load : 1;
}

/* Told beside the goal, which is a quiet machine's; what fails is far behind it. */
static void report_times(struct run *r, const char *what, struct times *times, int64_t goal_ms)
{
    int64_t median_ms = times_quantile(times, 0.5);
    double others = crowd();

    if (times->count == 0) {
        return;
    }
    printf("%s: median %lld ms, longest %lld ms, %u times; goal %lld ms, %.1f to a processor\n",
           what, (long long)median_ms, (long long)times_quantile(times, 1.0), times->count,
           (long long)goal_ms, others);
    if ((double)median_ms > PATIENCE * others * (double)goal_ms) {
        cluster_fail(&r->cluster, "%s: that is too long", what);
    }
}

static void report(struct run *r)
{
    r->cluster.scenario = "times";
    report_times(r, "kill -9 to new output, same node", &r->restarts, RESTART_GOAL_MS);
    report_times(r, "session timeout to new output, other node", &r->takeovers, TAKEOVER_GOAL_MS);
    printf("seed %u: %llu kills, %llu records, none lost, none repeated, all in order\n",
           r->cluster.seed, (unsigned long long)r->cluster.kills,
           (unsigned long long)r->cluster.records);
}

int main(int count, char **arguments)
{
    static struct run r;

    if (count != 7) {
        (void)fprintf(stderr,
                      "usage: crash_kafka NODE_PROGRAM SERVER_PROGRAM EVIDENCE SEED KILLS ONLY\n");
        return 2;
    }
    trace_set_level(TRACE_ERROR);
    r.cluster.node_program = arguments[1];
    r.cluster.server_program = arguments[2];
    r.cluster.evidence = arguments[3];
    r.cluster.seed = (unsigned)strtoul(arguments[4], NULL, 10);
    r.kills = (uint32_t)strtoul(arguments[5], NULL, 10);
    cluster_open(&r.cluster);
    if (*arguments[6]) {
        run_one(&r, arguments[6]);
    } else if (r.kills == 0) {
        run_short(&r);
    } else {
        run_long(&r);
    }
    cluster_close(&r.cluster);
    report(&r);
    printf("%u passed, 0 failed\n", r.passed);
    return 0;
}
