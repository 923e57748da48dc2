/*
 * crash_disk.c: crash_disk SEED KILLS [SECONDS]: a process that commits to a log on disk is killed
 * at any moment, so often, or until the seconds are over.
 *
 * Each transaction puts the same number into two partitions and a group's position. After each
 * kill the directory is opened again: both partitions hold 0, 1, 2, ... without a gap, the
 * position is the last number, and nothing that the dead process was told is committed
 * is missing. The next process goes on from there.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/scratch_directory.h"
#include "engine/log/database.h"
#include "engine/log/log_disk.h"

enum { PARTITIONS = 2, KILL_AFTER_US_MAX = 60000, PADDING = 3000 };

struct node {
    struct clock clock;
    struct database *database;
    struct log *log;
    const struct log_topic *topic;
    int64_t next; /* number */
    struct error err;
};

static int open_topic(struct node *n)
{
    const struct topic_spec spec = { .name = BYTES("t"), .partition_count = PARTITIONS };
    int code = log_create_topic(n->log, &spec, &n->err);

    TRY(code == ERR_TOPIC_EXISTS ? 0 : code);
    return log_open_topic(n->log, spec.name, &n->topic, &n->err);
}

static int open_node(struct node *n, const char *directory)
{
    struct log_disk_config config = { .fsync = LOG_FSYNC_NEVER };

    clock_init_real(&n->clock);
    TRY(database_open(directory, &n->database, &n->err));
    config.database = n->database;
    TRY(log_disk_create(&config, &n->clock, &n->log, &n->err));
    return open_topic(n);
}

static void close_node(struct node *n)
{
    log_close(n->log);
    database_close(n->database);
}

/* --- the process that is killed --- */

static int commit_next(struct node *n, struct log_writer *writer, struct log_builder *builder)
{
    static const char padding[PADDING];
    const struct group_membership nobody = { .group = BYTES("g"), .generation = -1 };
    const struct group_position position = { n->topic, 0, n->next, { NULL, 0 } };

    TRY(log_writer_begin(writer, &n->err));
    for (uint32_t p = 0; p < PARTITIONS; p++) {
        log_builder_add(builder, (struct bytes){ (const char *)&n->next, sizeof n->next },
                        (struct bytes){ padding, (size_t)n->next * 37 % PADDING }, 1, NULL, 0);
        TRY(log_writer_append(writer, n->topic, p, builder, NULL, &n->err));
    }
    TRY(log_writer_send_positions(writer, &nobody, &position, 1, &n->err));
    return log_writer_commit(writer, &n->err);
}

static void commit_for_ever(const char *directory, int64_t next, volatile int64_t *acknowledged)
{
    const struct writer_spec spec = { .transactional_id = BYTES("tx") };
    struct node n = { .next = next };
    struct log_writer *writer = NULL;
    struct log_builder builder = { 0 };

    if (open_node(&n, directory) || log_writer_open(n.log, &spec, &writer, &n.err)) {
        (void)fprintf(stderr, "%s\n", n.err.message);
        _exit(1);
    }
    while (!commit_next(&n, writer, &builder)) {
        *acknowledged = n.next++;
    }
    (void)fprintf(stderr, "%s\n", n.err.message);
    _exit(1);
}

/* --- what is left --- */

static int wrong(struct node *n, const char *what, int64_t at)
{
    return error_set(&n->err, ERR_TEST_FAILED, NO_POSITION, "%s at %lld", what, (long long)at);
}

static int check_partition(struct node *n, uint32_t partition, int64_t *count)
{
    const struct reader_spec spec = { .isolation = READ_COMMITTED };
    struct log_reader *reader = NULL;
    struct log_block *block = NULL;

    *count = 0;
    TRY(log_reader_open(n->log, &spec, &reader, &n->err));
    TRY(log_reader_assign(reader, n->topic, partition, OFFSET_BEGIN, &n->err));
    do {
        TRY(log_reader_poll(reader, 0, &block, NULL, &n->err));
        for (uint32_t i = 0; block && i < block->record_count; i++) {
            int64_t number;

            memcpy(&number, block->records[i].key.data, sizeof number);
            if (number != *count || block->records[i].offset != number) {
                return wrong(n, "a number is missing or there twice", *count);
            }
            (*count)++;
        }
        if (block) {
            log_block_unref(block);
        }
    } while (block);
    log_reader_close(reader);
    return 0;
}

static int check(struct node *n, int64_t acknowledged)
{
    struct group_position position = { n->topic, 0, 0, { NULL, 0 } };
    struct arena arena;
    int64_t counts[PARTITIONS];
    int code;

    for (uint32_t p = 0; p < PARTITIONS; p++) {
        TRY(check_partition(n, p, &counts[p]));
    }
    arena_init(&arena, 0);
    code = log_group_positions(n->log, (struct bytes)BYTES("g"), &position, 1, &arena, &n->err);
    arena_fini(&arena);
    TRY(code);
    n->next = counts[0];
    if (counts[0] != counts[1] || position.offset != counts[0] - 1) {
        return wrong(n, "half of a transaction is there", counts[0]);
    }
    return acknowledged >= counts[0] ? wrong(n, "a commit is missing", acknowledged) : 0;
}

static int kill_once(const char *directory, uint32_t after_us, int64_t *next,
                     volatile int64_t *acknowledged)
{
    struct timespec pause = { 0, (long)after_us * 1000 };
    struct node n = { 0 };
    pid_t child = fork();
    int status = 0;
    int code;

    if (child == 0) {
        commit_for_ever(directory, *next, acknowledged);
    }
    (void)nanosleep(&pause, NULL);
    (void)kill(child, SIGKILL);
    (void)waitpid(child, &status, 0);
    code = WIFSIGNALED(status) ? 0 : wrong(&n, "the process ended by itself", *next);
    code = code ? code : open_node(&n, directory);
    code = code ? code : check(&n, *acknowledged);
    if (code) {
        (void)fprintf(stderr, "%s: %s\n", directory, n.err.message);
        return code;
    }
    *next = n.next;
    close_node(&n);
    return 0;
}

int main(int argc, char **argv)
{
    uint64_t random = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    uint32_t kills = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 100;
    int zero = open("/dev/zero", O_RDWR);
    int64_t *acknowledged =
        mmap(NULL, sizeof *acknowledged, PROT_READ | PROT_WRITE, MAP_SHARED, zero, 0);
    int64_t seconds = argc > 3 ? strtoll(argv[3], NULL, 10) : INT32_MAX;
    char directory[SCRATCH_PATH_MAX];
    int64_t next = 0;
    struct clock clock;
    int64_t began_us;
    uint32_t done = 0;
    int code = acknowledged == MAP_FAILED || scratch_directory_make(directory, NULL);

    if (code) {
        return 1;
    }
    *acknowledged = -1;
    clock_init_real(&clock);
    began_us = clock_monotonic_us(&clock);
    for (; !code && done < kills && clock_monotonic_us(&clock) - began_us < seconds * 1000000;
         done++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        code =
            kill_once(directory, (uint32_t)(random >> 33) % KILL_AFTER_US_MAX, &next, acknowledged);
    }
    (void)printf("%u kills, %lld transactions\n%d passed, %d failed\n", done, (long long)next,
                 !code, !!code);
    if (!code) {
        scratch_directory_remove(directory);
    }
    return code != 0;
}
