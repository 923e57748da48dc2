/*
 * bench_causal.c: how long a bet takes to its odds through a causal join, and what a replay costs.
 *
 * The queries are those of statements/tote-pool. On the memory log, or on Kafka where
 * BENCH_BOOTSTRAP=host:port names one. BENCH_RECORDS=n changes the replay, BENCH_BETS=n the rest.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "engine/command/engine.h"
#include "engine/log/log_kafka.h"

enum {
    BETS_MAX = 1000,
    DEFAULT_BETS = 200,
    DEFAULT_RECORDS = 100000,
    RECORDS_PER_BLOCK = 400,
    WAIT_MS = 20000
};

struct bench {
    struct clock clock;
    struct log *log;
    struct engine *engine;
    struct session *session;
    const struct log_topic *bets, *odds;
    struct log_writer *writer;
    struct log_reader *reader;
    uint64_t seen;
};

static void check(int code, const char *what, const struct error *err)
{
    if (code) {
        (void)fprintf(stderr, "bench_causal: %s: %s\n", what, err->message);
        exit(1);
    }
}

static void run_sql(struct bench *bench, const char *sql)
{
    static const struct result_sink nobody;
    struct error err = { 0 };

    check(engine_execute(bench->engine, bench->session, bytes_of(sql), &nobody, &err), sql, &err);
}

static void open_log(struct bench *bench)
{
    const char *bootstrap = getenv("BENCH_BOOTSTRAP");
    struct log_kafka_config config = { .client_id = BYTES("bench") };
    struct error err = { 0 };

    if (!bootstrap) {
        bench->log = log_memory_create(&bench->clock);
        return;
    }
    config.bootstrap = bytes_of(bootstrap);
    check(log_kafka_create(&config, &bench->clock, &bench->log, &err), "log", &err);
}

static void begin(struct bench *bench, enum runtime_mode mode, const char *name, bool causal)
{
    struct engine_config config = { .mode = mode, .clock = &bench->clock, .worker_count = 2 };
    char service[64];
    struct error err = { 0 };

    *bench = (struct bench){ 0 };
    clock_init_real(&bench->clock);
    open_log(bench);
    (void)snprintf(service, sizeof service, "bench_%s_%ld_", name, (long)getpid());
    config.log = bench->log;
    config.service_id = service;
    check(engine_open(&config, &bench->engine, &err), "open", &err);
    bench->session = session_create(bench->engine);
    run_sql(bench, causal ? "SET 'auto.offset.reset'='earliest';"
                          : "SET 'auto.offset.reset'='earliest'; SET 'join.causal'='false';");
}

/* '@' stands for what makes names of this run its own. */
static const char *const queries =
    "CREATE STREAM bets@ (runner_id INT, race_id INT, amount DOUBLE) WITH "
    "(KAFKA_TOPIC='BETS@', VALUE_FORMAT='JSON', PARTITIONS=1);"
    "CREATE STREAM by_runner@ AS SELECT * FROM bets@ PARTITION BY runner_id;"
    "CREATE STREAM by_race@ AS SELECT * FROM bets@ PARTITION BY race_id;"
    "CREATE TABLE runner_pools@ AS SELECT runner_id, SUM(amount) AS pool FROM by_runner@ "
    "GROUP BY runner_id;"
    "CREATE TABLE race_pools@ AS SELECT race_id, SUM(amount) AS pool FROM by_race@ "
    "GROUP BY race_id;"
    "CREATE STREAM odds@ AS SELECT b.race_id AS race_id, b.runner_id AS r, c.pool / r.pool AS odds "
    "FROM bets@ b LEFT JOIN runner_pools@ r ON b.runner_id = r.runner_id "
    "LEFT JOIN race_pools@ c ON b.race_id = c.race_id;";

static struct bytes named(struct buffer *out, const char *text, const char *name)
{
    out->len = 0;
    for (; *text; text++) {
        if (*text == '@') {
            buffer_printf(out, "_%s_%ld", name, (long)getpid());
        } else {
            buffer_append_char(out, *text);
        }
    }
    buffer_append_char(out, '\0');
    return (struct bytes){ out->data, out->len - 1 };
}

static void make_queries(struct bench *bench, const char *name)
{
    struct writer_spec spec = { .client_id = BYTES("bench") };
    struct reader_spec reading = { .client_id = BYTES("bench"), .isolation = READ_COMMITTED };
    struct buffer text = { 0 };
    struct error err = { 0 };

    run_sql(bench, named(&text, queries, name).data);
    check(log_open_topic(bench->log, named(&text, "BETS@", name), &bench->bets, &err), "bets",
          &err);
    check(log_open_topic(bench->log, named(&text, "ODDS@", name), &bench->odds, &err), "odds",
          &err);
    check(log_writer_open(bench->log, &spec, &bench->writer, &err), "writer", &err);
    check(log_reader_open(bench->log, &reading, &bench->reader, &err), "reader", &err);
    check(log_reader_assign(bench->reader, bench->odds, 0, OFFSET_BEGIN, &err), "assign", &err);
    buffer_fini(&text);
}

static void put(struct bench *bench, uint32_t first, uint32_t count)
{
    struct log_builder builder = { 0 };
    struct error err = { 0 };

    for (uint32_t i = first; i < first + count; i++) {
        log_builder_begin(&builder);
        log_builder_end_key(&builder, false);
        buffer_printf(&builder.bytes, "{\"RUNNER_ID\":%u,\"RACE_ID\":%u,\"AMOUNT\":%u}", i % 100,
                      i % 100 / 10, i % 50 + 1);
        log_builder_end_record(&builder, true, 1700000000000LL + i, NULL, 0);
        if (builder.record_count == RECORDS_PER_BLOCK || i + 1 == first + count) {
            check(log_writer_append(bench->writer, bench->bets, 0, &builder, NULL, &err), "append",
                  &err);
        }
    }
    check(log_writer_flush(bench->writer, &err), "flush", &err);
    log_builder_fini(&builder);
}

static void await(struct bench *bench, uint64_t rows)
{
    int64_t deadline_us = clock_monotonic_us(&bench->clock) + WAIT_MS * INT64_C(1000);
    struct error err = { 0 };

    while (bench->seen < rows) {
        struct log_block *block = NULL;
        struct log_place failed;

        check(log_reader_poll(bench->reader, 100, &block, &failed, &err), "poll", &err);
        if (block) {
            bench->seen += block->record_count;
            log_block_unref(block);
        }
        if (!block && clock_monotonic_us(&bench->clock) > deadline_us) {
            (void)fprintf(stderr, "bench_causal: %llu rows of %llu\n",
                          (unsigned long long)bench->seen, (unsigned long long)rows);
            exit(1);
        }
    }
}

static void finish(struct bench *bench)
{
    log_reader_close(bench->reader);
    log_writer_close(bench->writer);
    session_destroy(bench->session);
    engine_close(bench->engine);
    log_close(bench->log);
}

static int compare(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;

    return left < right ? -1 : left > right;
}

static void drain_if_stepped(struct bench *bench, enum runtime_mode mode)
{
    struct error err = { 0 };

    if (mode == RUNTIME_STEPPED) {
        check(engine_drain(bench->engine, &err), "drain", &err);
    }
}

static uint32_t number_of(const char *name, uint32_t otherwise)
{
    const char *text = getenv(name);

    return text ? (uint32_t)strtoul(text, NULL, 10) : otherwise;
}

static void measure_latency(const char *name, enum runtime_mode mode, bool causal)
{
    struct bench bench;
    uint32_t wanted = number_of("BENCH_BETS", DEFAULT_BETS);
    uint32_t bets = wanted < BETS_MAX ? wanted : BETS_MAX;
    int64_t took_us[BETS_MAX];

    begin(&bench, mode, name, causal);
    make_queries(&bench, name);
    for (uint32_t i = 0; i < bets; i++) {
        int64_t began_us = clock_monotonic_us(&bench.clock);

        put(&bench, i, 1);
        drain_if_stepped(&bench, mode);
        await(&bench, i + 1);
        took_us[i] = clock_monotonic_us(&bench.clock) - began_us;
    }
    finish(&bench);
    qsort(took_us, bets, sizeof *took_us, compare);
    (void)printf("%-22s bet to odds: median %8.3f ms, 99 %% %8.3f ms\n", name,
                 (double)took_us[bets / 2] / 1000, (double)took_us[bets * 99 / 100] / 1000);
    (void)fflush(stdout);
}

static void measure_replay(const char *name, bool causal, uint32_t records)
{
    struct bench bench;
    int64_t began_us, cpu_us;

    begin(&bench, RUNTIME_THREADED, name, causal);
    make_queries(&bench, name);
    began_us = clock_monotonic_us(&bench.clock);
    cpu_us = clock_cpu_us();
    put(&bench, 0, records);
    await(&bench, records);
    (void)printf("%-22s %u bets at once: %.3f s, CPU %.3f s\n", name, records,
                 (double)(clock_monotonic_us(&bench.clock) - began_us) / 1e6,
                 (double)(clock_cpu_us() - cpu_us) / 1e6);
    finish(&bench);
}

int main(void)
{
    uint32_t records = number_of("BENCH_RECORDS", DEFAULT_RECORDS);

    if (!getenv("BENCH_BOOTSTRAP")) {
        measure_latency("STEPPED", RUNTIME_STEPPED, true);
        measure_latency("STEPPED_AT_ONCE", RUNTIME_STEPPED, false);
    }
    measure_latency("THREADED", RUNTIME_THREADED, true);
    measure_latency("THREADED_AT_ONCE", RUNTIME_THREADED, false);
    measure_replay("REPLAY", true, records);
    measure_replay("REPLAY_AT_ONCE", false, records);
    return 0;
}
