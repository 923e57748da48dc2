/*
 * cluster.c: see cluster.h.
 */
#include "tests/crash/cluster.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "engine/log/log_kafka.h"

enum { WATCH_MS = 20, DIE_MS = 180000, EXTRA_MS = 300, BROKER_MS = 180000 };

/* --- times --- */

void times_add(struct times *times, int64_t ms)
{
    if (times->count < CLUSTER_TIMES) {
        times->ms[times->count++] = ms;
    }
}

static int compare_times(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;

    return (left > right) - (left < right);
}

int64_t times_quantile(struct times *times, double share)
{
    if (times->count == 0) {
        return -1;
    }
    qsort(times->ms, times->count, sizeof times->ms[0], compare_times);
    return times->ms[(uint32_t)(share * (times->count - 1))];
}

/* --- the end --- */

static void describe_shares(struct cluster *c)
{
    uint32_t members = 0, least = 0, most = 0;
    bool all = c->has_service && cluster_shares(c, &members, &least, &most);

    (void)fprintf(stderr, "  members %u with %u to %u slots%s\n", members, least, most,
                  all ? "" : "; not all slots have an owner");
}

void cluster_fail(struct cluster *c, const char *format, ...)
{
    char state[400];
    va_list arguments;

    verifier_describe(&c->verifier, state, sizeof state);
    (void)fflush(stdout);
    (void)fprintf(stderr, "FAILED: %s: ", c->scenario);
    va_start(arguments, format);
    (void)vfprintf(stderr, format, arguments);
    va_end(arguments);
    (void)fprintf(stderr, "\n  %s\n  last: %s\n  seed %u, %llu kills, service %s; evidence: %s\n",
                  state, c->step, c->seed, (unsigned long long)c->kills, c->service, c->evidence);
    describe_shares(c);
    exit(1);
}

void cluster_step(struct cluster *c, const char *format, ...)
{
    int64_t ms = clock_now_ms(&c->clock);
    char path[300];
    va_list arguments;
    FILE *log;

    va_start(arguments, format);
    (void)vsnprintf(c->step, sizeof c->step, format, arguments);
    va_end(arguments);
    (void)snprintf(path, sizeof path, "%s/driver.log", c->evidence);
    log = fopen(path, "a");
    if (log) {
        (void)fprintf(log, "%02d:%02d:%02d.%03d %s: %s\n", (int)(ms / 3600000 % 24),
                      (int)(ms / 60000 % 60), (int)(ms / 1000 % 60), (int)(ms % 1000), c->scenario,
                      c->step);
        (void)fclose(log);
    }
}

int cluster_dice(struct cluster *c, int sides)
{
    return rand_r(&c->dice) % sides;
}

/* --- the broker --- */

static void connect_log(struct cluster *c)
{
    struct log_kafka_config config = { .bootstrap = bytes_of(c->bootstrap),
                                       .client_id = BYTES("driver") };
    struct error err = { 0 };
    int64_t deadline = now_ms() + BROKER_MS;

    while (log_kafka_create(&config, &c->clock, &c->log, &err)) {
        if (now_ms() > deadline) {
            cluster_fail(c, "the broker is not there: %s", err.message);
        }
    }
}

void cluster_open(struct cluster *c)
{
    uint16_t port;

    clock_init_real(&c->clock);
    c->dice = c->seed;
    c->scenario = "start";
    c->proxy = proxy_open();
    if (!c->proxy) {
        cluster_fail(c, "the proxy cannot be opened");
    }
    port = broker_command("start", proxy_port(c->proxy));
    if (!port) {
        cluster_fail(c, "the broker does not start");
    }
    proxy_set_target(c->proxy, port);
    (void)snprintf(c->bootstrap, sizeof c->bootstrap, "127.0.0.1:%u", proxy_port(c->proxy));
    connect_log(c);
}

void cluster_close(struct cluster *c)
{
    log_close(c->log);
    proxy_close(c->proxy);
}

/* --- the service --- */

void cluster_begin(struct cluster *c, const char *scenario, int64_t session_ms, uint32_t per_second)
{
    struct error err = { 0 };

    c->scenario = scenario;
    c->session_ms = session_ms;
    (void)snprintf(c->service, sizeof c->service, "%s-%u", scenario, c->service_count++);
    cluster_step(c, "begin");
    if (producer_init(&c->producer, c->log, &c->clock, c->service, c->seed, &err) ||
        verifier_init(&c->verifier, c->log, c->service, &err) ||
        producer_run(&c->producer, per_second, &err)) {
        cluster_fail(c, "%s", err.message);
    }
    c->has_service = true;
}

void cluster_start(struct cluster *c, int node, const char *fault)
{
    struct process *process = &c->nodes[node];
    char fault_text[64], session[64], steps[64], id[16];
    char program[200];
    char *arguments[] = { program, c->bootstrap, c->service, id, NULL };
    char *variables[] = { fault_text, session, steps, NULL };

    (void)snprintf(id, sizeof id, "node%d", node);
    (void)snprintf(program, sizeof program, "%s", c->node_program);
    (void)snprintf(process->name, sizeof process->name, "%s", id);
    (void)snprintf(process->log, sizeof process->log, "%s/%s-%s.log", c->evidence, c->service, id);
    (void)snprintf(fault_text, sizeof fault_text, "SLUICE_FAULT=%s", fault ? fault : "");
    (void)snprintf(session, sizeof session, "SLUICE_SESSION_MS=%lld", (long long)c->session_ms);
    (void)snprintf(steps, sizeof steps, "SLUICE_STEPS=%s",
                   getenv("SLUICE_STEPS") ? getenv("SLUICE_STEPS") : "");
    process->may_die = fault != NULL;
    cluster_step(c, "start %s %s", id, fault ? fault : "");
    if (!process_start(process, arguments, variables)) {
        cluster_fail(c, "a node cannot be started");
    }
}

void cluster_kill(struct cluster *c, int node)
{
    cluster_step(c, "kill -9 node%d", node);
    process_kill(&c->nodes[node]);
    c->kills++;
}

static bool has_ended(struct process *process)
{
    return !process_runs(process);
}

static void await_fault(struct cluster *c, int node, bool (*has_come)(struct process *process))
{
    int64_t deadline = now_ms() + DIE_MS;

    while (!has_come(&c->nodes[node])) {
        if (now_ms() > deadline) {
            cluster_fail(c, "node%d never came to its fault", node);
        }
        cluster_watch(c, 0);
    }
}

void cluster_await_death(struct cluster *c, int node)
{
    await_fault(c, node, has_ended);
    c->kills++;
}

void cluster_await_sleep(struct cluster *c, int node)
{
    await_fault(c, node, process_is_stopped);
}

void cluster_wake(struct cluster *c, int node)
{
    cluster_step(c, "wake node%d", node);
    process_signal(&c->nodes[node], SIGCONT);
}

/* --- looking on --- */

/* A node whose start ran into a time limit is started again, as whoever keeps it running does. */
static void tend_nodes(struct cluster *c)
{
    for (int i = 0; i < CLUSTER_NODES; i++) {
        struct process *process = &c->nodes[i];

        if (!process->pid || process->may_die || process_runs(process)) {
            continue;
        }
        if (!WIFEXITED(process->status) || WEXITSTATUS(process->status) != 1) {
            cluster_fail(c, "%s has ended by itself", process->name);
        }
        cluster_start(c, i, NULL);
    }
}

static void look(struct cluster *c, int64_t wait_ms)
{
    tend_nodes(c);
    if (!verifier_poll(&c->verifier, wait_ms)) {
        cluster_fail(c, "an output is wrong");
    }
}

void cluster_watch(struct cluster *c, int64_t ms)
{
    int64_t deadline = now_ms() + ms;

    do {
        look(c, WATCH_MS);
    } while (now_ms() < deadline);
}

int64_t cluster_await_news(struct cluster *c, int64_t within_ms)
{
    int64_t since_ms = clock_now_ms(&c->clock), began = now_ms();

    while (!verifier_has_news(&c->verifier, since_ms)) {
        if (now_ms() - began > within_ms) {
            cluster_fail(c, "no new output within %lld ms", (long long)within_ms);
        }
        look(c, WATCH_MS);
    }
    cluster_step(c, "new output after %lld ms", (long long)(now_ms() - began));
    return now_ms() - began;
}

static void await_settled(struct cluster *c, int64_t within_ms)
{
    int64_t deadline = now_ms() + within_ms;

    while (c->verifier.records[WORLD_EVENTS] < c->producer.produced ||
           !verifier_is_settled(&c->verifier)) {
        if (now_ms() > deadline) {
            cluster_fail(c, "not all of %llu records have come out after %lld ms",
                         (unsigned long long)c->producer.produced, (long long)within_ms);
        }
        look(c, WATCH_MS);
    }
    cluster_watch(c, EXTRA_MS); /* nothing may come behind it */
}

void cluster_settle(struct cluster *c, int64_t within_ms)
{
    struct error err = { 0 };

    if (producer_pause(&c->producer, &err)) {
        cluster_fail(c, "%s", err.message);
    }
    await_settled(c, within_ms);
    if (producer_run(&c->producer, c->producer.per_second, &err)) {
        cluster_fail(c, "%s", err.message);
    }
}

void cluster_end(struct cluster *c)
{
    struct error err = { 0 };

    cluster_step(c, "end");
    if (producer_pause(&c->producer, &err)) {
        cluster_fail(c, "%s", err.message);
    }
    await_settled(c, BROKER_MS);
    for (int i = 0; i < CLUSTER_NODES; i++) {
        if (!process_end(&c->nodes[i], DIE_MS)) {
            cluster_fail(c, "node%d did not end properly", i);
        }
    }
    cluster_watch(c, EXTRA_MS);
    if (!verifier_is_settled(&c->verifier)) {
        cluster_fail(c, "the end of the nodes changed the outputs");
    }
    c->records += c->producer.produced;
    producer_fini(&c->producer);
    verifier_fini(&c->verifier);
    c->has_service = false;
}

/* --- slots --- */

enum { MEMBERS_MAX = 8 };

struct share {
    struct bytes member;
    uint32_t slots;
};

static uint32_t count_shares(const struct group_owner *owners, uint32_t count,
                             struct share shares[MEMBERS_MAX])
{
    uint32_t members = 0;

    for (uint32_t i = 0; i < count; i++) {
        uint32_t m = 0;

        while (m < members && !bytes_equal(shares[m].member, owners[i].member_id)) {
            m++;
        }
        if (m == MEMBERS_MAX) {
            continue;
        }
        if (m == members) {
            shares[members++] = (struct share){ owners[i].member_id, 0 };
        }
        shares[m].slots++;
    }
    return members;
}

bool cluster_shares(struct cluster *c, uint32_t *members, uint32_t *least, uint32_t *most)
{
    struct share shares[MEMBERS_MAX];
    struct group_owner *owners = NULL;
    char group[100];
    struct arena arena;
    uint32_t count = 0;
    bool all;

    (void)snprintf(group, sizeof group, "sluice-%s", c->service);
    arena_init(&arena, 0);
    all = log_group_owners(c->log, bytes_of(group), &arena, &owners, &count, NULL) == 0 &&
          count == 64;
    *members = count_shares(owners, count, shares);
    *least = *members ? UINT32_MAX : 0;
    *most = 0;
    for (uint32_t i = 0; i < *members; i++) {
        *least = shares[i].slots < *least ? shares[i].slots : *least;
        *most = shares[i].slots > *most ? shares[i].slots : *most;
    }
    arena_fini(&arena);
    return all;
}

int64_t cluster_await_shares(struct cluster *c, uint32_t members, int64_t within_ms)
{
    int64_t began = now_ms();
    uint32_t found = 0, least = 0, most = 0;

    while (!cluster_shares(c, &found, &least, &most) || found != members || most - least > 1) {
        if (now_ms() - began > within_ms) {
            cluster_fail(c, "%u members have %u to %u of the slots instead of %u an even share",
                         found, least, most, members);
        }
        look(c, WATCH_MS);
    }
    return now_ms() - began;
}
