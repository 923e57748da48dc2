/*
 * bench_log_disk.c: records per second into and out of the log on disk.
 *
 * Records of 160 bytes, a quarter of them random, in blocks of 256, over four
 * partitions, one commit per 25,600 records with log.fsync=commit; read back once
 * the log was closed and opened again. Then commits of one record each: from one
 * thread, and from eight that share the waits for the disk.
 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/scratch_directory.h"
#include "engine/log/database.h"
#include "engine/log/log_disk.h"

enum {
    RECORDS = 2000000,
    PER_BLOCK = 256,
    PER_COMMIT = 100,
    PARTITIONS = 4,
    VALUE_BYTES = 144,
    RANDOM_BYTES = 40,
    SMALL_COMMITS = 1000,
    THREADS = 8,
};

struct bench {
    char directory[SCRATCH_PATH_MAX];
    struct clock clock;
    struct database *database;
    struct log *log;
    const struct log_topic *topic;
    struct log_builder builder;
    uint64_t random;
    struct error err;
};

static void report(const char *what, double count, int64_t wall_us, int64_t cpu_us)
{
    (void)printf("%-44s %9.0f /s, %.2f CPU µs each\n", what, count * 1e6 / (double)wall_us,
                 (double)cpu_us / count);
}

static int open_log(struct bench *b)
{
    struct log_disk_config config = { .fsync = LOG_FSYNC_COMMIT };
    int64_t start = clock_monotonic_us(&b->clock);

    TRY(database_open(b->directory, &b->database, &b->err));
    config.database = b->database;
    TRY(log_disk_create(&config, &b->clock, &b->log, &b->err));
    (void)printf("%-44s %9.1f ms\n", "open",
                 (double)(clock_monotonic_us(&b->clock) - start) / 1000);
    return 0;
}

static void close_log(struct bench *b)
{
    log_close(b->log);
    database_close(b->database);
    b->log = NULL;
    b->database = NULL;
}

static int fill(struct bench *b, struct log_writer *writer, uint32_t block)
{
    char value[VALUE_BYTES] = "{\"order\":1234567,\"item\":\"a thing of some kind\",\"region\":";
    char key[16] = { 0 };

    for (uint32_t i = 0; i < PER_BLOCK; i++) {
        memcpy(key, &i, sizeof i);
        for (size_t at = 0; at < RANDOM_BYTES; at += sizeof b->random) {
            b->random = b->random * 6364136223846793005u + 1442695040888963407u;
            memcpy(value + VALUE_BYTES - RANDOM_BYTES + at, &b->random, sizeof b->random);
        }
        log_builder_add(&b->builder, (struct bytes){ key, sizeof key },
                        (struct bytes){ value, sizeof value }, i, NULL, 0);
    }
    return log_writer_append(writer, b->topic, block % PARTITIONS, &b->builder, NULL, &b->err);
}

static int bench_write(struct bench *b)
{
    struct writer_spec spec = { .transactional_id = BYTES("bench") };
    struct log_writer *writer = NULL;
    int64_t start_us = clock_monotonic_us(&b->clock);
    int64_t cpu_us = clock_cpu_us();

    TRY(log_writer_open(b->log, &spec, &writer, &b->err));
    TRY(log_writer_begin(writer, &b->err));
    for (uint32_t block = 0; block < RECORDS / PER_BLOCK; block++) {
        TRY(fill(b, writer, block));
        if (block % PER_COMMIT == 0) {
            TRY(log_writer_commit(writer, &b->err));
            TRY(log_writer_begin(writer, &b->err));
        }
    }
    TRY(log_writer_commit(writer, &b->err));
    report("records in", RECORDS, clock_monotonic_us(&b->clock) - start_us,
           clock_cpu_us() - cpu_us);
    log_writer_close(writer);
    return 0;
}

static int bench_read(struct bench *b)
{
    struct reader_spec spec = { .isolation = READ_COMMITTED };
    struct log_reader *reader = NULL;
    struct log_block *block = NULL;
    int64_t start_us = clock_monotonic_us(&b->clock);
    int64_t cpu_us = clock_cpu_us();
    uint32_t count = 0;

    TRY(log_open_topic(b->log, (struct bytes)BYTES("bench"), &b->topic, &b->err));
    TRY(log_reader_open(b->log, &spec, &reader, &b->err));
    for (uint32_t p = 0; p < PARTITIONS; p++) {
        TRY(log_reader_assign(reader, b->topic, p, OFFSET_BEGIN, &b->err));
    }
    do {
        TRY(log_reader_poll(reader, 0, &block, NULL, &b->err));
        if (block) {
            count += block->record_count;
            log_block_unref(block);
        }
    } while (block);
    report("records out, after a restart", count, clock_monotonic_us(&b->clock) - start_us,
           clock_cpu_us() - cpu_us);
    log_reader_close(reader);
    return 0;
}

/* --- small commits --- */

struct committer {
    struct bench *bench;
    char id[4];
    uint32_t count;
    int code;
};

static int commit_one(struct committer *c, struct log_writer *writer, struct log_builder *builder)
{
    TRY(log_writer_begin(writer, NULL));
    log_builder_add(builder, bytes_of("key"), bytes_of("value"), 1, NULL, 0);
    TRY(log_writer_append(writer, c->bench->topic, 0, builder, NULL, NULL));
    return log_writer_commit(writer, NULL);
}

static void *commit_often(void *context)
{
    struct committer *c = context;
    struct writer_spec spec = { .transactional_id = bytes_of(c->id) };
    struct log_writer *writer = NULL;
    struct log_builder builder = { 0 };

    c->code = log_writer_open(c->bench->log, &spec, &writer, NULL);
    for (uint32_t i = 0; !c->code && i < c->count; i++) {
        c->code = commit_one(c, writer, &builder);
    }
    log_builder_fini(&builder);
    log_writer_close(writer);
    return NULL;
}

static int bench_commits(struct bench *b, uint32_t threads, const char *what)
{
    struct committer committers[THREADS];
    pthread_t ids[THREADS];
    int64_t start_us = clock_monotonic_us(&b->clock);
    int64_t cpu_us = clock_cpu_us();
    int code = 0;

    for (uint32_t i = 0; i < threads; i++) {
        committers[i] = (struct committer){ b, { 't', (char)('0' + i) }, SMALL_COMMITS, 0 };
        if (pthread_create(&ids[i], NULL, commit_often, &committers[i]) != 0) {
            return 1;
        }
    }
    for (uint32_t i = 0; i < threads; i++) {
        (void)pthread_join(ids[i], NULL);
        code = code ? code : committers[i].code;
    }
    report(what, (double)threads * SMALL_COMMITS, clock_monotonic_us(&b->clock) - start_us,
           clock_cpu_us() - cpu_us);
    return code;
}

static int run(struct bench *b)
{
    struct topic_spec spec = { .name = BYTES("bench"), .partition_count = PARTITIONS };

    TRY(scratch_directory_make(b->directory, &b->err));
    TRY(open_log(b));
    TRY(log_create_topic(b->log, &spec, &b->err));
    TRY(log_open_topic(b->log, spec.name, &b->topic, &b->err));
    TRY(bench_write(b));
    close_log(b);
    TRY(open_log(b));
    TRY(bench_read(b));
    TRY(bench_commits(b, 1, "commits of one record, one thread"));
    return bench_commits(b, THREADS, "commits of one record, eight threads");
}

int main(void)
{
    struct bench b = { 0 };
    int code;

    clock_init_real(&b.clock);
    code = run(&b);
    if (code) {
        (void)fprintf(stderr, "%s\n", b.err.message);
    }
    log_builder_fini(&b.builder);
    close_log(&b);
    scratch_directory_remove(b.directory);
    return code != 0;
}
