/*
 * bench_runtime.c: what many queries cost: to start, while idle, and on one busy topic.
 *
 * On the memory log, in CPU time. BENCH_QUERIES=n and BENCH_RECORDS=n change the
 * numbers.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "engine/command/engine.h"

enum { DEFAULT_QUERIES = 1000, DEFAULT_RECORDS = 100000, RECORDS_PER_BLOCK = 400, STEPS = 2000 };

struct bench {
    struct clock clock;
    struct log *log;
    struct engine *engine;
    struct session *session;
    uint32_t queries;
    uint32_t records;
};

static void die(const char *what, const struct error *err)
{
    (void)fprintf(stderr, "bench_runtime: %s: %s\n", what, err->message);
    exit(1);
}

static void run_sql(struct bench *bench, const char *sql)
{
    static const struct result_sink nobody;
    struct error err = { 0 };

    if (engine_execute(bench->engine, bench->session, bytes_of(sql), &nobody, &err)) {
        die(sql, &err);
    }
}

static uint32_t number_of(const char *name, uint32_t otherwise)
{
    const char *text = getenv(name);

    return text ? (uint32_t)strtoul(text, NULL, 10) : otherwise;
}

static void fill(struct bench *bench, const char *name, uint32_t records)
{
    struct writer_spec spec = { .client_id = BYTES("bench") };
    struct log_builder builder = { 0 };
    const struct log_topic *topic = NULL;
    struct log_writer *writer = NULL;
    struct error err = { 0 };

    if (log_open_topic(bench->log, bytes_of(name), &topic, &err) ||
        log_writer_open(bench->log, &spec, &writer, &err)) {
        die("fill", &err);
    }
    for (uint32_t i = 0; i < records; i++) {
        log_builder_begin(&builder);
        buffer_printf(&builder.bytes, "o%u", i);
        log_builder_end_key(&builder, true);
        buffer_printf(&builder.bytes, "{\"ITEM\":\"item-%u\",\"QTY\":%u}", i % 100, i % 1000);
        log_builder_end_record(&builder, true, 1700000000000LL + i, NULL, 0);
        if (builder.record_count == RECORDS_PER_BLOCK || i + 1 == records) {
            if (log_writer_append(writer, topic, 0, &builder, NULL, &err)) {
                die("fill", &err);
            }
        }
    }
    if (log_writer_flush(writer, &err)) {
        die("fill", &err);
    }
    log_writer_close(writer);
    log_builder_fini(&builder);
}

static void begin(struct bench *bench, enum runtime_mode mode)
{
    struct engine_config config = { .mode = mode, .clock = &bench->clock };
    struct error err = { 0 };

    *bench = (struct bench){ .queries = number_of("BENCH_QUERIES", DEFAULT_QUERIES),
                             .records = number_of("BENCH_RECORDS", DEFAULT_RECORDS) };
    clock_init_real(&bench->clock);
    bench->log = log_memory_create(&bench->clock);
    config.log = bench->log;
    if (engine_open(&config, &bench->engine, &err)) {
        die("open", &err);
    }
    bench->session = session_create(bench->engine);
    run_sql(bench, "SET 'auto.offset.reset'='earliest';"
                   "CREATE STREAM orders (id STRING KEY, item STRING, qty INT) "
                   "WITH (KAFKA_TOPIC='orders', VALUE_FORMAT='JSON', PARTITIONS=1);"
                   "CREATE STREAM others (id STRING KEY, item STRING, qty INT) "
                   "WITH (KAFKA_TOPIC='others', VALUE_FORMAT='JSON', PARTITIONS=1);");
}

static void end(struct bench *bench)
{
    session_destroy(bench->session);
    engine_close(bench->engine);
    log_close(bench->log);
}

static void start_filter(struct bench *bench, uint32_t number)
{
    char sql[256];

    (void)snprintf(sql, sizeof sql,
                   "CREATE STREAM f%u AS SELECT id, qty FROM orders WHERE qty = %u;", number,
                   number % 1000);
    run_sql(bench, sql);
}

static void start_aggregate(struct bench *bench, uint32_t number)
{
    char sql[256];

    (void)snprintf(sql, sizeof sql,
                   "CREATE TABLE a%u AS SELECT item, COUNT(*) AS n, SUM(qty + %u) AS q "
                   "FROM orders GROUP BY item;",
                   number, number);
    run_sql(bench, sql);
}

static void drain(struct bench *bench)
{
    struct error err = { 0 };

    if (engine_drain(bench->engine, &err)) {
        die("drain", &err);
    }
}

static void report_start(struct bench *bench, const char *what,
                         void (*start)(struct bench *bench, uint32_t number))
{
    size_t before = mallinfo2().uordblks;
    int64_t began = clock_cpu_us();

    for (uint32_t i = 0; i < bench->queries; i++) {
        start(bench, i);
    }
    drain(bench);
    printf("start %s: %.3f ms, %.1f KB per query (%u queries)\n", what,
           (double)(clock_cpu_us() - began) / 1000 / bench->queries,
           (double)(mallinfo2().uordblks - before) / 1024 / bench->queries, bench->queries);
}

static void report_idle(struct bench *bench, const char *what)
{
    int64_t began = clock_cpu_us();

    for (int i = 0; i < STEPS; i++) {
        (void)runtime_step(engine_runtime(bench->engine));
    }
    printf("idle step beside %u %s: %.2f us\n", bench->queries, what,
           (double)(clock_cpu_us() - began) / STEPS);
}

/* One busy query beside the idle ones. */
static void report_beside(struct bench *bench, const char *what)
{
    int64_t began;

    run_sql(bench, "CREATE STREAM busy AS SELECT id, qty FROM others WHERE qty > 500;");
    drain(bench);
    fill(bench, "others", bench->records);
    began = clock_cpu_us();
    drain(bench);
    printf("filter beside %u idle %s: %.3f us per record\n", bench->queries, what,
           (double)(clock_cpu_us() - began) / bench->records);
}

static void filters(void)
{
    struct bench bench;
    int64_t began;

    begin(&bench, RUNTIME_STEPPED);
    report_start(&bench, "filters", start_filter);
    report_idle(&bench, "filters");
    report_beside(&bench, "filters");
    fill(&bench, "orders", bench.records);
    began = clock_cpu_us();
    drain(&bench);
    printf("%u filters on one topic: %.2f ns per record and query\n", bench.queries,
           (double)(clock_cpu_us() - began) * 1000 / bench.records / bench.queries);
    end(&bench);
}

static void aggregates(void)
{
    struct bench bench;

    begin(&bench, RUNTIME_STEPPED);
    report_start(&bench, "aggregates", start_aggregate);
    report_idle(&bench, "aggregates");
    report_beside(&bench, "aggregates");
    end(&bench);
}

/* One query: the way through threads and mailboxes against that through steps, with the putting. */
static void flow(enum runtime_mode mode, const char *what)
{
    struct bench bench;
    int64_t cpu, wall;

    begin(&bench, mode);
    run_sql(&bench, "CREATE STREAM busy AS SELECT id, qty FROM others WHERE qty > 500;");
    drain(&bench);
    cpu = clock_cpu_us();
    wall = clock_monotonic_us(&bench.clock);
    fill(&bench, "others", bench.records * 10);
    drain(&bench);
    printf("put and filter %u records, %s: %.3f us of CPU per record, %.3f us in all\n",
           bench.records * 10, what, (double)(clock_cpu_us() - cpu) / bench.records / 10,
           (double)(clock_monotonic_us(&bench.clock) - wall) / bench.records / 10);
    end(&bench);
}

int main(void)
{
    flow(RUNTIME_STEPPED, "stepped");
    flow(RUNTIME_THREADED, "threaded");
    filters();
    aggregates();
    return 0;
}
