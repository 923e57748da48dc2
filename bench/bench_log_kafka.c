/*
 * bench_log_kafka.c: CPU of this process per million records of 160 bytes, through a
 * real broker: produce in transactions, consume, and both as a pass-through.
 *
 * SLUICE_TEST_KAFKA is the broker's address; BENCH_PROGRAM=bench_log_kafka bench/peers/kafka.sh
 * starts one. Arguments are properties of the client, name=value.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "engine/log/log_kafka.h"

enum {
    RECORDS = 2000000,
    KEY_BYTES = 16,
    VALUE_BYTES = 144,
    PER_APPEND = 256,
    PER_COMMIT = 100000,
    PARTITIONS = 4
};

struct bench {
    struct clock clock;
    struct log *log;
    struct error err;
    int64_t cpu_us;
    int64_t start_us;
};

static void check(struct bench *b, int code)
{
    if (code) {
        (void)fprintf(stderr, "%s\n", b->err.message);
        exit(1);
    }
}

static void begin(struct bench *b)
{
    b->cpu_us = clock_cpu_us();
    b->start_us = clock_monotonic_us(&b->clock);
}

static void report(struct bench *b, const char *what, uint64_t records)
{
    double millions = (double)records / 1e6;
    double cpu = (double)(clock_cpu_us() - b->cpu_us) / 1e6;
    double wall = (double)(clock_monotonic_us(&b->clock) - b->start_us) / 1e6;

    (void)printf("%-14s %6.2f CPU s per million records, %6.2f M records/s, %u bytes\n", what,
                 cpu / millions, millions / wall, (unsigned)(KEY_BYTES + VALUE_BYTES));
}

static const struct log_topic *make_topic(struct bench *b, const char *name)
{
    struct topic_spec spec = { .name = bytes_of(name), .partition_count = PARTITIONS };
    const struct log_topic *topic = NULL;

    check(b, log_create_topic(b->log, &spec, &b->err));
    check(b, log_open_topic(b->log, spec.name, &topic, &b->err));
    return topic;
}

static struct log_writer *open_writer(struct bench *b, const char *id)
{
    struct writer_spec spec = { .client_id = BYTES("bench"),
                                .transactional_id = bytes_of(id),
                                .transaction_timeout_ms = 60000 };
    struct log_writer *writer = NULL;

    check(b, log_writer_open(b->log, &spec, &writer, &b->err));
    return writer;
}

static struct log_reader *open_reader(struct bench *b, const struct log_topic *topic)
{
    struct reader_spec spec = { .client_id = BYTES("bench"), .isolation = READ_COMMITTED };
    struct log_reader *reader = NULL;

    check(b, log_reader_open(b->log, &spec, &reader, &b->err));
    for (uint32_t p = 0; p < PARTITIONS; p++) {
        check(b, log_reader_assign(reader, topic, p, OFFSET_BEGIN, &b->err));
    }
    return reader;
}

static void produce(struct bench *b, const struct log_topic *topic, const char *id)
{
    struct log_writer *writer = open_writer(b, id);
    struct log_builder builder = { 0 };
    char value[VALUE_BYTES];
    char key[KEY_BYTES + 1];

    memset(value, 'v', sizeof value);
    begin(b);
    for (uint32_t i = 0; i < RECORDS; i++) {
        if (id && i % PER_COMMIT == 0) {
            check(b, log_writer_begin(writer, &b->err));
        }
        (void)snprintf(key, sizeof key, "%016u", i);
        log_builder_add(&builder, (struct bytes){ key, KEY_BYTES },
                        (struct bytes){ value, VALUE_BYTES }, 1 + i, NULL, 0);
        if (i % PER_APPEND == PER_APPEND - 1 || (i + 1) % PER_COMMIT == 0) {
            check(b, log_writer_append(writer, topic, i / PER_APPEND % PARTITIONS, &builder, NULL,
                                       &b->err));
        }
        if (id && (i + 1) % PER_COMMIT == 0) {
            check(b, log_writer_commit(writer, &b->err));
        }
    }
    check(b, log_writer_flush(writer, &b->err));
    report(b, id ? "produce (tx)" : "produce", RECORDS);
    log_builder_fini(&builder);
    log_writer_close(writer);
}

static void copy_block(struct bench *b, struct log_writer *writer, const struct log_topic *to,
                       const struct log_block *block, struct log_builder *builder)
{
    for (uint32_t i = 0; i < block->record_count; i++) {
        const struct log_record *record = &block->records[i];

        log_builder_add(builder, record->key, record->value, record->timestamp_ms, NULL, 0);
    }
    check(b, log_writer_append(writer, to, block->partition, builder, NULL, &b->err));
}

/* To no topic: consuming alone. */
static void consume(struct bench *b, const struct log_topic *from, const struct log_topic *to)
{
    struct log_writer *writer = to ? open_writer(b, "pass") : NULL;
    struct log_reader *reader = open_reader(b, from);
    struct log_builder builder = { 0 };
    uint64_t records = 0;
    uint64_t committed = 0;
    bool in_transaction = false;

    begin(b);
    while (records < RECORDS) {
        struct log_block *block = NULL;

        check(b, log_reader_poll(reader, 100, &block, NULL, &b->err));
        if (!block) {
            continue;
        }
        if (to && !in_transaction) {
            check(b, log_writer_begin(writer, &b->err));
            in_transaction = true;
        }
        if (to) {
            copy_block(b, writer, to, block, &builder);
        }
        records += block->record_count;
        log_block_unref(block);
        if (to && (records - committed >= PER_COMMIT || records >= RECORDS)) {
            check(b, log_writer_commit(writer, &b->err));
            in_transaction = false;
            committed = records;
        }
    }
    report(b, to ? "pass-through" : "consume", records);
    log_builder_fini(&builder);
    log_reader_close(reader);
    log_writer_close(writer);
}

enum { PROPERTIES_MAX = 16 };

static uint32_t read_properties(int argc, char **argv, struct topic_config *out)
{
    uint32_t count = 0;

    for (int i = 1; i < argc && count < PROPERTIES_MAX; i++) {
        const char *equals = strchr(argv[i], '=');

        if (equals) {
            out[count++] = (struct topic_config){ { argv[i], (size_t)(equals - argv[i]) },
                                                  bytes_of(equals + 1) };
        }
    }
    return count;
}

int main(int argc, char **argv)
{
    const char *address = getenv("SLUICE_TEST_KAFKA");
    struct topic_config properties[PROPERTIES_MAX];
    struct log_kafka_config config = { .bootstrap = bytes_of(address),
                                       .properties = properties,
                                       .property_count = read_properties(argc, argv, properties) };
    const struct log_topic *from;
    struct bench b = { 0 };

    if (!address) {
        (void)printf("bench_log_kafka: SLUICE_TEST_KAFKA is not set: run bench/peers/kafka.sh\n");
        return 0;
    }
    clock_init_real(&b.clock);
    check(&b, log_kafka_create(&config, &b.clock, &b.log, &b.err));
    produce(&b, make_topic(&b, "bench-plain"), NULL);
    from = make_topic(&b, "bench-from");
    produce(&b, from, "produce");
    consume(&b, from, NULL);
    consume(&b, from, make_topic(&b, "bench-to"));
    log_close(b.log);
    return 0;
}
