/*
 * bench_log_memory.c: what a record costs on its way into and out of the memory log.
 *
 * Builders of 256 records of 160 bytes; CPU seconds per million records, filling
 * the builder and first touching the memory included. The second round writes
 * into memory that the process has already had.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "engine/log/log.h"

enum { RECORDS = 1000000, PER_BLOCK = 256, PER_COMMIT = 100, PARTITIONS = 4, VALUE_BYTES = 144 };

struct bench {
    struct log *log;
    const struct log_topic *topic;
    struct log_builder builder;
};

static void report(const char *what, int64_t spent_us)
{
    (void)printf("%-34s %.4f s/million records\n", what, (double)spent_us / 1e6);
}

static int fill(struct bench *b, struct log_writer *writer, uint32_t block)
{
    static const char value[VALUE_BYTES];
    char key[16] = { 0 };

    for (uint32_t i = 0; i < PER_BLOCK; i++) {
        memcpy(key, &i, sizeof i);
        log_builder_add(&b->builder, (struct bytes){ key, sizeof key },
                        (struct bytes){ value, sizeof value }, i, NULL, 0);
    }
    return log_writer_append(writer, b->topic, block % PARTITIONS, &b->builder, NULL, NULL);
}

static int bench_append(struct bench *b, const char *what)
{
    struct writer_spec spec = { .transactional_id = BYTES("bench") };
    struct log_writer *writer = NULL;
    int64_t start = clock_cpu_us();

    TRY(log_writer_open(b->log, &spec, &writer, NULL));
    TRY(log_writer_begin(writer, NULL));
    for (uint32_t block = 0; block < RECORDS / PER_BLOCK; block++) {
        TRY(fill(b, writer, block));
        if (block % PER_COMMIT == 0) {
            TRY(log_writer_commit(writer, NULL));
            TRY(log_writer_begin(writer, NULL));
        }
    }
    TRY(log_writer_commit(writer, NULL));
    report(what, clock_cpu_us() - start);
    log_writer_close(writer);
    return 0;
}

static int bench_read(struct bench *b)
{
    struct reader_spec spec = { .isolation = READ_COMMITTED };
    struct log_reader *reader = NULL;
    struct log_block *block = NULL;
    int64_t start = clock_cpu_us();

    TRY(log_reader_open(b->log, &spec, &reader, NULL));
    for (uint32_t p = 0; p < PARTITIONS; p++) {
        TRY(log_reader_assign(reader, b->topic, p, OFFSET_BEGIN, NULL));
    }
    do {
        TRY(log_reader_poll(reader, 0, &block, NULL, NULL));
        if (block) {
            log_block_unref(block);
        }
    } while (block);
    report("read", clock_cpu_us() - start);
    log_reader_close(reader);
    return 0;
}

static int run(struct bench *b)
{
    struct topic_spec spec = { .name = BYTES("bench"), .partition_count = PARTITIONS };

    TRY(log_create_topic(b->log, &spec, NULL));
    TRY(log_open_topic(b->log, spec.name, &b->topic, NULL));
    TRY(bench_append(b, "fill, append, commit: fresh memory"));
    TRY(bench_read(b));
    for (uint32_t p = 0; p < PARTITIONS; p++) {
        TRY(log_delete_records(b->log, b->topic, p, OFFSET_END, NULL));
    }
    return bench_append(b, "fill, append, commit: used memory");
}

int main(void)
{
    struct clock clock;
    struct bench b = { 0 };
    int code;

    clock_init_real(&clock);
    b.log = log_memory_create(&clock);
    code = run(&b);
    log_builder_fini(&b.builder);
    log_close(b.log);
    return code != 0;
}
