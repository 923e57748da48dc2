/*
 * crash_writes.c: crash_writes SEED [MOMENTS]: a node on disk that dies at each write.
 *
 * A short life of a node whose log and checkpoints are in a directory: topics, three queries,
 * commits, a checkpoint every few records, as its state has hardly any memory. It is lived
 * once to count its writes to files, and then once for each of them, and ends there with SIGKILL:
 * before it, with half of it written, or after it; the moments take turns, or all three are
 * tried where MOMENTS is 3. The next life opens what is left, brings everything out, and the
 * verifier (world.h) counts.
 *
 * `write` and `rename` below take the place of the C library's for the database too. All
 * lives are processes of their own: a fork of one that has the database open would lack its
 * threads.
 */
#define _GNU_SOURCE /* syscall */
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/scratch_directory.h"
#include "base/trace.h"
#include "engine/log/database.h"
#include "engine/log/log_disk.h"
#include "tests/crash/plans.h"
#include "tests/crash/world.h"

enum {
    ROUNDS = 3,
    RECORDS = 40,
    STEPS = 300,
    STATE_BYTES = 4000,
    SAVE_EVERY_MS = 11000,
    BACK_OFF_MS = 60000,
    PATIENCE = 50,
};

enum moment { BEFORE, HALF, AFTER, MOMENT_COUNT };

/* What lives and their parent share. */
struct board {
    atomic_uint writes;
    uint32_t fatal; /* the write at which it dies; 0: none */
    enum moment moment;
    uint64_t acknowledged; /* records of the input */
    uint32_t saved;        /* entries of checkpoints at the end of the whole life */
    uint32_t life_writes;  /* of the whole life */
};

static struct board *board; /* NULL: nobody counts */

/* --- the fatal write --- */

static bool is_fatal(void)
{
    return board && atomic_fetch_add(&board->writes, 1) + 1 == board->fatal;
}

static void die(void)
{
    (void)kill(getpid(), SIGKILL);
}

ssize_t write(int fd, const void *data, size_t len)
{
    bool fatal = is_fatal();
    ssize_t written;

    if (fatal && board->moment == BEFORE) {
        die();
    }
    written = syscall(SYS_write, fd, data, fatal && board->moment == HALF ? len / 2 : len);
    if (fatal) {
        die();
    }
    return written;
}

int rename(const char *from, const char *to)
{
    bool fatal = is_fatal();
    int code;

    if (fatal && board->moment != AFTER) {
        die();
    }
    code = (int)syscall(SYS_rename, from, to);
    if (fatal) {
        die();
    }
    return code;
}

/* --- a life --- */

struct life {
    struct clock clock;
    struct database *database;
    struct log *log;
    struct runtime *rt;
    struct plans plans;
    struct producer producer;
    struct verifier verifier;
    struct error err;
};

static int open_life(struct life *l, const char *directory)
{
    struct log_disk_config disk = { .fsync = LOG_FSYNC_NEVER };
    struct runtime_config config = { .clock = &l->clock,
                                     .changelog_entries = CHANGELOG_ENTRIES,
                                     .service_id = BYTES("crash"),
                                     .node_id = BYTES("node"),
                                     .worker_count = 1,
                                     .state_memory_bytes = STATE_BYTES,
                                     .mode = RUNTIME_STEPPED };

    clock_init_virtual(&l->clock, 1000000);
    TRY(database_open(directory, &l->database, &l->err));
    config.database = disk.database = l->database;
    TRY(log_disk_create(&disk, &l->clock, &l->log, &l->err));
    config.log = l->log;
    TRY(producer_init(&l->producer, l->log, &l->clock, "crash", 1, &l->err));
    TRY(plans_init(&l->plans, l->log, "crash", &l->err));
    TRY(runtime_open(&config, &l->rt, &l->err));
    return plans_start(&l->plans, l->rt, &l->err);
}

static void close_life(struct life *l)
{
    runtime_close(l->rt);
    plans_fini(&l->plans);
    producer_fini(&l->producer);
    log_close(l->log);
    database_close(l->database);
}

static uint32_t saved_entries(struct life *l)
{
    struct database_cursor *cursor =
        database_cursor_open(l->database, DATABASE_STATE, bytes_of(""), bytes_of("\xff"));
    uint32_t count = 0;

    for (bool more = database_cursor_seek(cursor, bytes_of("")); more;
         more = database_cursor_next(cursor)) {
        count++;
    }
    database_cursor_close(cursor);
    return count;
}

static int live(struct life *l, const char *directory)
{
    TRY(open_life(l, directory));
    for (int round = 0; round < ROUNDS; round++) {
        TRY(producer_put(&l->producer, RECORDS, &l->err));
        board->acknowledged += RECORDS;
        for (int i = 0; i < STEPS && runtime_step(l->rt); i++) {
            clock_advance(&l->clock, 1);
        }
        clock_advance(&l->clock, SAVE_EVERY_MS);
    }
    board->saved = saved_entries(l);
    close_life(l);
    board->life_writes = atomic_load(&board->writes);
    return 0;
}

/* More of the input, from where the log says that it stands. */
static int put_more(struct life *l)
{
    (void)verifier_poll(&l->verifier, 0);
    memcpy(l->producer.next, l->verifier.next[WORLD_EVENTS], sizeof l->producer.next);
    board->acknowledged += RECORDS;
    return producer_put(&l->producer, RECORDS, &l->err);
}

/* What is left, and more, is brought out, and everything is there once. */
static int follow(struct life *l, const char *directory)
{
    char state[400];
    int code = ERR_LOG_UNAVAILABLE;

    TRY(open_life(l, directory));
    TRY(verifier_init(&l->verifier, l->log, "crash", &l->err));
    TRY(put_more(l));
    for (int i = 0; code == ERR_LOG_UNAVAILABLE && i < PATIENCE; i++) {
        code = runtime_drain(l->rt, &l->err);
        clock_advance(&l->clock, code ? BACK_OFF_MS : 0);
    }
    TRY(code);
    if (!verifier_poll(&l->verifier, 0) || !verifier_is_settled(&l->verifier) ||
        l->verifier.records[WORLD_EVENTS] < board->acknowledged) {
        verifier_describe(&l->verifier, state, sizeof state);
        return error_set(&l->err, ERR_TEST_FAILED, NO_POSITION, "%s", state);
    }
    verifier_fini(&l->verifier);
    close_life(l);
    return 0;
}

/* In a process of its own; its status. */
static int spawn(int (*run)(struct life *l, const char *directory), const char *directory)
{
    pid_t child = fork();
    int status = 0;

    if (child == 0) {
        static struct life life;
        int code = run(&life, directory);

        board->fatal = 0;
        if (code) {
            (void)fprintf(stderr, "%s\n", life.err.message);
        }
        _exit(code != 0);
    }
    (void)waitpid(child, &status, 0);
    return status;
}

/* True when the second life found all as it must be. */
static bool die_at(uint32_t at, enum moment moment)
{
    static const char *const names[MOMENT_COUNT] = { "before", "in the middle of", "after" };
    char directory[SCRATCH_PATH_MAX];
    int status, code;

    if (scratch_directory_make(directory, NULL)) {
        return false;
    }
    board->fatal = at;
    board->moment = moment;
    board->acknowledged = 0;
    atomic_store(&board->writes, 0);
    status = spawn(live, directory);
    board->fatal = 0;
    code = spawn(follow, directory);
    if (code || (!WIFSIGNALED(status) && status)) {
        (void)fprintf(stderr, "FAILED: death %s write %u; %s is as it was left\n", names[moment],
                      at, directory);
        return false;
    }
    scratch_directory_remove(directory);
    return true;
}

int main(int argc, char **argv)
{
    uint32_t seed = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 1;
    uint32_t moments = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 1;
    int zero = open("/dev/zero", O_RDWR);
    uint32_t deaths = 0, writes;
    bool ok;

    trace_set_level(TRACE_OFF);
    board = mmap(NULL, sizeof *board, PROT_READ | PROT_WRITE, MAP_SHARED, zero, 0);
    if (board == MAP_FAILED) {
        return 1;
    }
    atomic_store(&board->writes, 0);
    ok = die_at(0, BEFORE) && board->saved > 0; /* lives to the end, with checkpoints */
    writes = board->life_writes;
    for (uint32_t at = 1; ok && at <= writes; at++) {
        for (uint32_t m = 0; ok && m < moments; m++) {
            ok = die_at(at, (enum moment)((seed + at + m) % MOMENT_COUNT));
            deaths++;
        }
    }
    (void)printf("a life of %u writes, ended %u times at one of them\n%d passed, %d failed\n",
                 writes, deaths, ok, !ok);
    return !ok;
}
