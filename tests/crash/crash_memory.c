/*
 * crash_memory.c: thousands of crashes in one process, over the memory log.
 *
 *   crash_memory SEED CRASHES
 *
 * A life of a node is stepped, so that the seed says all of it. It ends at a chosen call to
 * the log: from there on no call changes anything, its writers and its membership stay open as
 * those of a process that is gone, and the next life finds what is in the log. First every call
 * of a short life is such an end, before and after, one after the other; then it is random
 * which call it is, whether the node dies, merely loses an answer, or forgets its state, and
 * whether the same node or another one goes on.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/trace.h"
#include "engine/log/log_memory.h"
#include "tests/crash/fault_log.h"
#include "tests/crash/plans.h"
#include "tests/crash/world.h"

enum { SESSION_MS = 6000, CRASHES_PER_WORLD = 100, SETTLE_EVERY = 10, EXHAUSTIVE_RECORDS = 40 };

enum ending { END_NONE, END_DEATH, END_HICCUP };

/* A node from its start to its death. */
struct life {
    struct log *log; /* around the memory log */
    struct runtime *rt;
    enum ending ending;
    enum fault_moment moment;
    uint32_t countdown; /* calls until then; 0: it has come */
    uint32_t calls;
    bool dead;
};

enum crash_kind { CRASH_DEATH, CRASH_HICCUP, CRASH_FORGET, CRASH_COMMIT, CRASH_KINDS };

struct run {
    unsigned seed;
    unsigned dice;
    struct clock clock;
    struct log *log;
    struct plans plans;
    struct producer producer;
    struct verifier verifier;
    struct life now, before; /* what the former has left open is closed with it */
    const char *scene;
    uint32_t worlds;
    uint64_t crashes[CRASH_KINDS];
    uint64_t records;
};

static void fail(const struct run *r, const char *format, ...)
    __attribute__((format(printf, 2, 3), noreturn));
static void fail(const struct run *r, const char *format, ...)
{
    char state[400];
    va_list arguments;

    verifier_describe(&r->verifier, state, sizeof state);
    (void)fprintf(stderr, "FAILED: %s: ", r->scene);
    va_start(arguments, format);
    (void)vfprintf(stderr, format, arguments);
    va_end(arguments);
    (void)fprintf(stderr, "\n  %s\n  seed %u, world %u, call %u of its life\n", state, r->seed,
                  r->worlds, r->now.calls);
    (void)printf("0 passed, 1 failed\n");
    exit(1);
}

static int roll(struct run *r, int sides)
{
    return rand_r(&r->dice) % sides;
}

/* --- a life --- */

static int reached(void *context, enum fault_step step, enum fault_moment moment)
{
    struct life *life = context;

    (void)step; /* any */
    if (life->dead) {
        return ERR_LOG_UNAVAILABLE;
    }
    life->calls += moment == FAULT_BEFORE;
    if (life->countdown == 0 || moment != life->moment || --life->countdown > 0) {
        return 0;
    }
    if (life->ending == END_DEATH) {
        life->dead = true;
        fault_log_die(life->log);
    }
    return ERR_LOG_UNAVAILABLE;
}

static void open_life(struct run *r, const char *node_id, enum ending ending,
                      enum fault_moment moment, uint32_t countdown)
{
    struct fault_hook hook = { .reached = reached, .context = &r->now };
    struct runtime_config config = { .clock = &r->clock,
                                     .changelog_entries = CHANGELOG_ENTRIES,
                                     .service_id = BYTES("crash"),
                                     .node_id = bytes_of(node_id),
                                     .worker_count = 1 + r->seed % 2,
                                     .batch_rows = r->seed % 3 ? 7 : 0,
                                     .mode = RUNTIME_STEPPED };
    struct error err = { 0 };

    r->now = (struct life){ .ending = ending, .moment = moment, .countdown = countdown };
    r->now.log = fault_log_create(r->log, &hook);
    config.log = r->now.log;
    if ((runtime_open(&config, &r->now.rt, &err) || plans_start(&r->plans, r->now.rt, &err)) &&
        err.code != ERR_LOG_UNAVAILABLE) {
        fail(r, "a node cannot start: %s", err.message);
    }
}

/* What it leaves open stays so until the next one has ended. */
static void close_life(struct run *r)
{
    runtime_close(r->now.rt);
    if (r->before.log) {
        log_close(r->before.log);
    }
    r->before = r->now;
    r->now = (struct life){ 0 };
}

static void kill_life(struct run *r)
{
    r->now.dead = true;
    fault_log_die(r->now.log);
    close_life(r);
    clock_advance(&r->clock, SESSION_MS + 1000); /* the group gives up on it */
}

static void step(struct run *r, int count)
{
    while (r->now.rt && !r->now.dead && count-- > 0 && runtime_step(r->now.rt)) {
        clock_advance(&r->clock, 1);
    }
}

static void put(struct run *r, uint32_t count)
{
    struct error err = { 0 };

    if (producer_put(&r->producer, count, &err)) {
        fail(r, "%s", err.message);
    }
}

static void look(struct run *r)
{
    if (!verifier_poll(&r->verifier, 0)) {
        fail(r, "an output is wrong");
    }
}

/* The node that lives now brings everything out. */
static void settle(struct run *r)
{
    struct error err = { 0 };
    int code = ERR_LOG_UNAVAILABLE;

    for (int i = 0; code == ERR_LOG_UNAVAILABLE && i < 50; i++) {
        code = runtime_drain(r->now.rt, &err);
        clock_advance(&r->clock, code ? 60000 : 0); /* back-off passes */
    }
    look(r);
    if (code || !verifier_is_settled(&r->verifier)) {
        fail(r, "not all records have come out: %s", code ? err.message : "yet all is quiet");
    }
}

/* --- a world --- */

static void open_world(struct run *r)
{
    struct error err = { 0 };

    clock_init_virtual(&r->clock, 1000000);
    r->log = log_memory_create(&r->clock);
    log_memory_set_gaps(r->log, 1);
    if (producer_init(&r->producer, r->log, &r->clock, "crash", r->seed + r->worlds, &err) ||
        verifier_init(&r->verifier, r->log, "crash", &err) ||
        plans_init(&r->plans, r->log, "crash", &err)) {
        fail(r, "%s", err.message);
    }
    r->worlds++;
}

static void close_world(struct run *r)
{
    close_life(r);
    log_close(r->before.log);
    r->before = (struct life){ 0 };
    r->records += r->producer.produced;
    plans_fini(&r->plans);
    verifier_fini(&r->verifier);
    producer_fini(&r->producer);
    log_close(r->log);
}

/* --- each call --- */

/* How many calls that life has made; it dies at the given one, 0: it does not. */
static uint32_t live_and_die(struct run *r, uint32_t at, enum fault_moment moment)
{
    uint32_t calls;

    open_world(r);
    put(r, EXHAUSTIVE_RECORDS);
    open_life(r, "node", END_DEATH, moment, at);
    for (int i = 0; i < 3; i++) {
        step(r, 200);
        put(r, EXHAUSTIVE_RECORDS);
    }
    step(r, 200);
    calls = r->now.calls;
    kill_life(r);
    look(r);
    open_life(r, at % 2 ? "node" : "other", END_NONE, moment, 0);
    settle(r);
    close_world(r);
    r->crashes[CRASH_DEATH]++;
    return calls;
}

static void die_at_each_call(struct run *r)
{
    uint32_t calls = live_and_die(r, 0, FAULT_BEFORE);

    r->scene = "death at each call";
    for (uint32_t at = 1; at <= calls; at++) {
        (void)live_and_die(r, at, FAULT_BEFORE);
        (void)live_and_die(r, at, FAULT_AFTER);
    }
    printf("a life of %u calls to the log, ended before and after each\n", calls);
}

/* --- at random --- */

static void crash(struct run *r)
{
    enum crash_kind kind = (enum crash_kind)roll(r, CRASH_KINDS);
    struct error err = { 0 };

    r->crashes[kind]++;
    switch (kind) {
    case CRASH_DEATH:
        kill_life(r);
        open_life(r, roll(r, 3) ? "node" : "other", END_DEATH, (enum fault_moment)roll(r, 2),
                  (uint32_t)roll(r, 150));
        break;
    case CRASH_HICCUP:
        r->now.ending = END_HICCUP;
        r->now.moment = (enum fault_moment)roll(r, 2);
        r->now.countdown = 1 + (uint32_t)roll(r, 40);
        break;
    case CRASH_FORGET:
        (void)runtime_crash(r->now.rt, &err); /* it recovers later, if not now */
        break;
    case CRASH_COMMIT:
        log_memory_fail(r->log, (enum log_fault)roll(r, LOG_FAULT_COMMIT_FENCED + 1),
                        1 + (uint32_t)roll(r, 3));
        break;
    case CRASH_KINDS:
        break;
    }
}

/* One that died at its start, or of a fault of its own. */
static void replace_the_dead(struct run *r)
{
    while (!r->now.rt || r->now.dead) {
        kill_life(r);
        r->crashes[CRASH_DEATH]++;
        open_life(r, "node", END_NONE, FAULT_BEFORE, 0);
    }
}

static void live_at_random(struct run *r, uint32_t crashes)
{
    r->scene = "random";
    open_world(r);
    open_life(r, "node", END_NONE, FAULT_BEFORE, 0);
    for (uint32_t i = 1; i <= crashes; i++) {
        put(r, 1 + (uint32_t)roll(r, 40));
        step(r, roll(r, 60));
        replace_the_dead(r);
        crash(r);
        clock_advance(&r->clock, roll(r, 300));
        step(r, roll(r, 60));
        look(r);
        if (i % SETTLE_EVERY == 0) {
            r->now.countdown = 0;
            replace_the_dead(r);
            put(r, 1);
            settle(r);
        }
    }
    r->now.countdown = 0;
    replace_the_dead(r);
    settle(r);
    close_world(r);
}

int main(int count, char **arguments)
{
    static struct run r;
    uint64_t wanted, done = 0;

    if (count != 3) {
        (void)fprintf(stderr, "usage: crash_memory SEED CRASHES\n");
        return 2;
    }
    trace_set_level(getenv("CRASH_TRACE") ? TRACE_DEBUG : TRACE_OFF);
    r.seed = (unsigned)strtoul(arguments[1], NULL, 10);
    r.dice = r.seed;
    wanted = strtoull(arguments[2], NULL, 10);
    r.scene = "start";
    die_at_each_call(&r);
    for (; done < wanted; done += CRASHES_PER_WORLD) {
        live_at_random(&r, CRASHES_PER_WORLD);
    }
    printf("seed %u, memory log: %llu deaths, %llu calls that failed, %llu states forgotten, %llu "
           "commits of unknown outcome; %llu records, none lost, none repeated, all in order\n",
           r.seed, (unsigned long long)r.crashes[CRASH_DEATH],
           (unsigned long long)r.crashes[CRASH_HICCUP], (unsigned long long)r.crashes[CRASH_FORGET],
           (unsigned long long)r.crashes[CRASH_COMMIT], (unsigned long long)r.records);
    printf("1 passed, 0 failed\n");
    return 0;
}
