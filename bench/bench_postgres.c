/*
 * bench_postgres.c: rows of a topic in memory into Postgres: rows per second, CPU of this process
 * and of the server, insert and upsert, beside the same rows by libpq alone. The server is that of
 * SLUICE_TEST_POSTGRES (tests/services/with_postgres); without one there is nothing to measure.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/postgres_raw.h"
#include "engine/command/engine.h"
#include "engine/log/log_memory.h"
#include "sinks/connector.h"

enum {
    ROWS = 1000000,
    ROWS_PER_BLOCK = 1000,
    ROWS_PER_COMMIT = 100000,
    ROUNDS = 5,
    SERIES_MAX = 6
};

static void stop_at(int code, const struct error *err)
{
    if (code) {
        fprintf(stderr, "%s\n", err->message);
        exit(1);
    }
}

static void execute(struct engine *engine, struct session *session, struct bytes sql)
{
    const struct result_sink nobody = { 0 };
    struct error err = { 0 };

    stop_at(engine_execute(engine, session, sql, &nobody, &err), &err);
}

static void fill(struct log *log, int64_t now_ms)
{
    struct writer_spec spec = { .client_id = BYTES("bench") };
    const struct log_topic *topic = NULL;
    struct log_writer *writer = NULL;
    struct log_builder builder = { 0 };
    struct error err = { 0 };

    stop_at(log_open_topic(log, bytes_of("bench"), &topic, &err), &err);
    stop_at(log_writer_open(log, &spec, &writer, &err), &err);
    for (int i = 0; i < ROWS; i++) {
        const char key[4] = { (char)(i >> 24), (char)(i >> 16), (char)(i >> 8), (char)i };
        char value[160];
        int len = snprintf(value, sizeof value,
                           "{\"ITEM\":\"item number %d\",\"PRICE\":%d.25,\"TS\":%lld}", i, i % 1000,
                           (long long)now_ms + i);

        log_builder_add(&builder, (struct bytes){ key, sizeof key },
                        (struct bytes){ value, (size_t)len }, now_ms, NULL, 0);
        if (builder.record_count == ROWS_PER_BLOCK) {
            stop_at(log_writer_append(writer, topic, 0, &builder, NULL, &err), &err);
        }
    }
    stop_at(log_writer_flush(writer, &err), &err);
    log_builder_fini(&builder);
    log_writer_close(writer);
}

/* --- measuring --- */

/* What was measured under one name: a figure per round. */
struct series {
    const char *name;
    double rate[ROUNDS];
    double own[ROUNDS];
    double server[ROUNDS];
    int count;
};

struct gauge {
    const struct clock *clock;
    struct postgres_raw *raw;
    int64_t began_us;
    int64_t cpu_us;
    int64_t server_us;
    struct series series[SERIES_MAX];
};

static void begin(struct gauge *gauge)
{
    postgres_raw_rest(gauge->raw);
    gauge->server_us = postgres_raw_server_cpu_us(gauge->raw);
    gauge->cpu_us = clock_cpu_us();
    gauge->began_us = clock_monotonic_us(gauge->clock);
}

static struct series *series_of(struct gauge *gauge, const char *name)
{
    struct series *series = gauge->series;

    while (series->name && strcmp(series->name, name) != 0) {
        series++;
    }
    series->name = name;
    return series;
}

static void print_figures(const char *name, double rate, double own, double server)
{
    printf("%-26s %9.0f rows/s  CPU s per million rows: %5.2f own, %5.2f Postgres\n", name, rate,
           own, server);
    (void)fflush(stdout);
}

static void end(struct gauge *gauge, const char *name, int rows)
{
    int64_t took_us = clock_monotonic_us(gauge->clock) - gauge->began_us;
    int64_t cpu_us = clock_cpu_us() - gauge->cpu_us;
    int64_t server_us = postgres_raw_server_cpu_us(gauge->raw) - gauge->server_us;
    struct series *series = series_of(gauge, name);
    int at = series->count++;

    series->rate[at] = rows * 1e6 / (double)took_us;
    series->own[at] = (double)cpu_us / rows;
    series->server[at] = (double)server_us / rows;
    print_figures(name, series->rate[at], series->own[at], series->server[at]);
}

static int compare_figures(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;

    return (left > right) - (left < right);
}

static double median(double *figures, int count)
{
    qsort(figures, (size_t)count, sizeof *figures, compare_figures);
    return figures[count / 2];
}

static void print_medians(struct gauge *gauge)
{
    printf("medians\n");
    for (struct series *s = gauge->series; s->name; s++) {
        print_figures(s->name, median(s->rate, s->count), median(s->own, s->count),
                      median(s->server, s->count));
    }
}

static void measure_raw(struct gauge *gauge, const char *name,
                        void (*write)(struct postgres_raw *raw, const struct raw_rows *rows),
                        int count)
{
    const struct raw_rows rows = { .count = count,
                                   .per_commit = ROWS_PER_COMMIT,
                                   .now_ms = clock_now_ms(gauge->clock) };

    begin(gauge);
    write(gauge->raw, &rows);
    end(gauge, name, count);
}

struct bench {
    struct engine *engine;
    struct session *session;
    const char *url;
};

static void measure(struct gauge *gauge, const struct bench *bench, const char *name,
                    const char *options)
{
    struct buffer sql = { 0 };
    struct error err = { 0 };

    buffer_printf(&sql,
                  "CREATE SINK CONNECTOR %s WITH ('connector.class'='JdbcSink', "
                  "'connection.url'='%s', 'topics'='bench', 'auto.create'=true, "
                  "'table.name.format'='raw_sink', 'batch.size'=10000%s);",
                  name, bench->url, options);
    begin(gauge);
    execute(bench->engine, bench->session, buffer_bytes(&sql));
    stop_at(engine_drain(bench->engine, &err), &err);
    sql.len = 0;
    buffer_printf(&sql, "DROP CONNECTOR %s;", name);
    execute(bench->engine, bench->session, buffer_bytes(&sql));
    end(gauge, name, ROWS);
    if (postgres_raw_sink_rows(gauge->raw) != ROWS) {
        fprintf(stderr, "%s: rows are missing\n", name);
        exit(1);
    }
    buffer_fini(&sql);
}

/* BENCH_ONLY=inserts or =upserts: half the time. */
static bool is_chosen(const char *what)
{
    const char *only = getenv("BENCH_ONLY");

    return !only || strcmp(only, what) == 0;
}

static void measure_inserts(struct gauge *gauge, const struct bench *bench)
{
    measure_raw(gauge, "libpq, COPY", postgres_raw_copy, ROWS);
    measure(gauge, bench, "inserts", "");
    measure_raw(gauge, "libpq, an INSERT per row", postgres_raw_insert, ROWS / 5);
}

static void measure_upserts(struct gauge *gauge, const struct bench *bench)
{
    measure(gauge, bench, "upserts",
            ", 'insert.mode'='upsert', 'pk.mode'='record_key', 'pk.fields'='ID'");
    measure_raw(gauge, "libpq, an upsert per row", postgres_raw_upsert, ROWS / 5);
}

static void measure_all(struct gauge *gauge, const struct bench *bench)
{
    for (int round = 1; round <= ROUNDS; round++) {
        printf("round %d\n", round);
        if (is_chosen("inserts")) {
            measure_inserts(gauge, bench);
        }
        if (is_chosen("upserts")) {
            measure_upserts(gauge, bench);
        }
    }
}

int main(void)
{
    const char *url = getenv("SLUICE_TEST_POSTGRES");
    struct sink_host_config sinks = { .log_is_volatile = true, .worker_id = "bench" };
    struct engine_config config = { .mode = RUNTIME_STEPPED };
    struct sink_host *host;
    struct session *session;
    struct engine *engine = NULL;
    struct error err = { 0 };
    struct gauge gauge;
    struct clock clock;

    if (!url) {
        printf("no Postgres: run it by make bench-postgres\n");
        return 0;
    }
    clock_init_real(&clock);
    config.log = sinks.log = log_memory_create(&clock);
    config.clock = sinks.clock = &clock;
    host = sink_host_create(&sinks);
    config.connectors = sink_host_interface(host);
    stop_at(engine_open(&config, &engine, &err), &err);
    session = session_create(engine);
    execute(engine, session,
            bytes_of("CREATE STREAM bench (id INT KEY, item STRING, price DOUBLE, ts BIGINT) WITH "
                     "(KAFKA_TOPIC='bench', VALUE_FORMAT='JSON', PARTITIONS=1);"));
    fill(config.log, clock_now_ms(&clock));
    gauge = (struct gauge){ .clock = &clock, .raw = postgres_raw_open(url) };
    measure_all(&gauge, &(struct bench){ engine, session, url });
    print_medians(&gauge);
    postgres_raw_close(gauge.raw);
    session_destroy(session);
    sink_host_destroy(host);
    engine_close(engine);
    log_close(config.log);
    return 0;
}
