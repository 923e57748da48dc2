/*
 * bench_pipeline.c: whole paths on the memory log, in CPU seconds per million records.
 *
 * Records of about 160 bytes of JSON are put on a topic in blocks as a client would
 * send them; what is timed is everything from there: fetch, decode, operators, encode,
 * append, commit. Each case runs twice in one process: a log that keeps everything is charged
 * for fresh pages by the operating system, at a price that says more of the machine.
 * BENCH_RECORDS=n changes how many, BENCH_ONLY=word which cases.
 *
 * For callgrind: BENCH_RECORDS=20000 valgrind --tool=callgrind build/release/bench/bench_pipeline
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "bench/proc_field.h"
#include "engine/command/engine.h"

enum { DEFAULT_RECORDS = 1000000, RECORDS_PER_BLOCK = 400, ITEM_COUNT = 1000 };

struct bench {
    struct clock clock;
    struct log *log;
    struct engine *engine;
    struct session *session;
    uint32_t records;
    size_t record_bytes;
};

static void die(const char *what, const struct error *err)
{
    (void)fprintf(stderr, "bench_pipeline: %s: %s\n", what, err->message);
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

static void encode_order(struct buffer *out, uint32_t number, uint32_t customers)
{
    static const char *const regions[] = { "eu-west", "eu-east", "us-west", "us-east", "ap-south" };
    uint32_t mixed = number * 2654435761u;

    buffer_printf(out,
                  "{\"ORDER_ID\":%u,\"CUSTOMER\":\"customer-%u\",\"ITEM\":\"item-%u\","
                  "\"PRICE\":%u.%02u,\"QTY\":%u,\"TS\":%lld,\"REGION\":\"%s\","
                  "\"NOTE\":\"leave at the door, %u\"}",
                  number, mixed % customers, mixed % ITEM_COUNT, mixed % 1000, mixed / 7 % 100,
                  mixed / 11 % 20, 1700000000000LL + number, regions[number % 5], number % 97);
}

/* Puts the records on the topic in blocks. */
static void fill(struct bench *bench, uint32_t customers)
{
    struct writer_spec spec = { .client_id = BYTES("bench") };
    struct log_builder builder = { 0 };
    const struct log_topic *topic = NULL;
    struct log_writer *writer = NULL;
    struct error err = { 0 };

    if (log_open_topic(bench->log, (struct bytes)BYTES("orders"), &topic, &err) ||
        log_writer_open(bench->log, &spec, &writer, &err)) {
        die("fill", &err);
    }
    for (uint32_t i = 0; i < bench->records; i++) {
        char key[24];
        int len = snprintf(key, sizeof key, "%u", i);

        log_builder_begin(&builder);
        buffer_append(&builder.bytes, key, (size_t)len);
        log_builder_end_key(&builder, true);
        encode_order(&builder.bytes, i, customers);
        log_builder_end_record(&builder, true, 1700000000000LL + i, NULL, 0);
        if (builder.record_count == RECORDS_PER_BLOCK || i + 1 == bench->records) {
            bench->record_bytes += builder.bytes.len;
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

static void begin(struct bench *bench)
{
    const char *records = getenv("BENCH_RECORDS");
    struct engine_config config = { .mode = RUNTIME_STEPPED, .clock = &bench->clock };
    struct error err = { 0 };

    *bench = (struct bench){ 0 };
    bench->records = records ? (uint32_t)strtoul(records, NULL, 10) : DEFAULT_RECORDS;
    clock_init_real(&bench->clock);
    bench->log = log_memory_create(&bench->clock);
    config.log = bench->log;
    if (engine_open(&config, &bench->engine, &err)) {
        die("open", &err);
    }
    bench->session = session_create(bench->engine);
    run_sql(bench, "SET 'auto.offset.reset'='earliest';"
                   "SET 'cache.max.bytes.buffering'='1000000000';"
                   "SET 'commit.interval.ms'='1000';"
                   "CREATE STREAM orders (id STRING KEY, order_id BIGINT, customer STRING, "
                   "item STRING, price DOUBLE, qty INT, ts BIGINT, region STRING, note STRING) "
                   "WITH (KAFKA_TOPIC='orders', VALUE_FORMAT='JSON', PARTITIONS=1);");
}

static void end(struct bench *bench)
{
    session_destroy(bench->session);
    engine_close(bench->engine);
    log_close(bench->log);
}

static uint64_t topic_records(struct bench *bench, const char *name)
{
    const struct log_topic *topic = NULL;
    struct log_range range = { 0 };
    struct error err = { 0 };

    if (log_open_topic(bench->log, bytes_of(name), &topic, &err) ||
        log_topic_range(bench->log, topic, 0, READ_COMMITTED, &range, &err)) {
        die(name, &err);
    }
    return (uint64_t)(range.end - range.begin);
}

/* CPU seconds per million records for draining what was filled in. */
static double drain(struct bench *bench)
{
    struct error err = { 0 };
    int64_t start = clock_cpu_us();

    if (engine_drain(bench->engine, &err)) {
        die("drain", &err);
    }
    return (double)(clock_cpu_us() - start) / (double)bench->records;
}

static void report(const struct bench *bench, const char *what, double seconds, double first,
                   uint64_t out)
{
    (void)printf("%-44s %6.3f s/M  (%.3f in fresh memory)  %u records of %zu B in, %llu out\n",
                 what, seconds, first, bench->records, bench->record_bytes / bench->records,
                 (unsigned long long)out);
    (void)fflush(stdout);
}

/* Twice: the first pass makes the memory, the second is not charged for its pages. */
static void bench_one(const char *what, const char *sql, const char *sink, uint32_t customers)
{
    double first = 0;

    for (int pass = 0; pass < 2; pass++) {
        struct bench bench;
        double seconds;

        begin(&bench);
        run_sql(&bench, sql);
        fill(&bench, customers);
        seconds = drain(&bench);
        if (pass == 0) {
            first = seconds;
        } else {
            report(&bench, what, seconds, first, topic_records(&bench, sink));
        }
        end(&bench);
    }
}

static void bench_filters(uint32_t count, const char *what)
{
    struct buffer sql = { 0 };

    for (uint32_t i = 0; i < count; i++) {
        buffer_printf(&sql,
                      "CREATE STREAM f%u AS SELECT id, price, region FROM orders "
                      "WHERE item = 'item-%u';",
                      i, i);
    }
    buffer_append_char(&sql, '\0');
    bench_one(what, sql.data, "F0", 1000);
    buffer_fini(&sql);
}

static void bench_idle_queries(void)
{
    struct bench bench;
    struct error err = { 0 };
    long before, after;
    char sql[160];

    begin(&bench);
    before = proc_field("/proc/self/status", "VmRSS:");
    for (int i = 0; i < 1000; i++) {
        (void)snprintf(sql, sizeof sql,
                       "CREATE STREAM idle%d AS SELECT id, price FROM orders WHERE qty > %d;", i,
                       i);
        run_sql(&bench, sql);
    }
    if (engine_drain(bench.engine, &err)) {
        die("drain", &err);
    }
    after = proc_field("/proc/self/status", "VmRSS:");
    (void)printf("%-44s %6.1f MB resident in all, %.1f MB before\n", "1,000 idle filter queries",
                 (double)after / 1024.0, (double)before / 1024.0);
    (void)printf("%-44s %6.1f MB\n", "  of it private dirty",
                 (double)proc_field("/proc/self/smaps_rollup", "Private_Dirty:") / 1024.0);
    end(&bench);
}

static bool chosen(const char *word)
{
    const char *only = getenv("BENCH_ONLY");

    return !only || strstr(only, word);
}

int main(void)
{
    /* Memory that was used once stays: what the operating system takes for a page is not ours. */
    (void)mallopt(M_MMAP_THRESHOLD, 1 << 30);
    (void)mallopt(M_TRIM_THRESHOLD, INT32_MAX);
    if (chosen("idle")) {
        bench_idle_queries();
    }
    if (chosen("filter10")) {
        bench_one("filter10: decode, filter 10 %, encode",
                  "CREATE STREAM big AS SELECT id, order_id, customer, price, qty FROM orders "
                  "WHERE price >= 900;",
                  "BIG", 1000);
    }
    if (chosen("all")) {
        bench_one("all: decode, encode all",
                  "CREATE STREAM copy AS SELECT * FROM orders WHERE price >= 0;", "COPY", 1000);
    }
    if (chosen("sum")) {
        bench_one("sum: COUNT + SUM over 1 M keys, 1 s emission",
                  "CREATE TABLE sums AS SELECT id, COUNT(*) AS n, SUM(price) AS total "
                  "FROM orders GROUP BY id;",
                  "SUMS", 1000);
    }
    if (chosen("regroup")) {
        bench_one("regroup: the same by customer, 1 hop",
                  "CREATE TABLE sums AS SELECT customer, COUNT(*) AS n, SUM(price) AS total "
                  "FROM orders GROUP BY customer;",
                  "SUMS", 1000000);
    }
    if (chosen("filters")) {
        bench_filters(1, "filters: 1 filter, passing 0.1 %");
        bench_filters(100, "filters: 100 filters, each passing 0.1 %");
    }
    return 0;
}
