/*
 * bench_kafka.c: queries from Kafka to Kafka, beside what librdkafka alone takes for it.
 *
 * Five million records of about 160 bytes of JSON in 4 partitions; each case runs in a
 * process of its own, made by fork before any handle is open, so that CPU time, memory
 * and threads are the case's alone. A query is done when every record has passed and
 * all of it is committed.
 *
 * SLUICE_TEST_KAFKA is the broker's address; make bench-kafka starts one. Arguments are
 * properties of the client, name=value, for sluice and the raw cases that have its settings.
 * BENCH_RECORDS=n and BENCH_ONLY=words change what runs, BENCH_ROUNDS=n how often: the least CPU
 * time of all rounds counts.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "bench/kafka_raw.h"
#include "bench/proc_field.h"
#include "engine/command/engine.h"
#include "engine/log/log_kafka.h"

enum {
    DEFAULT_RECORDS = 5000000,
    KEYS = 1000000,
    PROPERTIES_MAX = 16,
    NAME_BYTES = 64,
    SQL_BYTES = 1024,
    HOP_SECONDS = 12,
    WARM_UP = 2000, /* records */
    HOP_PER_SECOND = 1000,
    TRANSACTIONS = 300,
    PER_APPEND = 256,
    LOOK_MS = 50
};

struct bench {
    const char *bootstrap;
    struct topic_config properties[PROPERTIES_MAX];
    uint32_t property_count;
    uint32_t records;
    unsigned round;
    char orders[NAME_BYTES]; /* the topic that all read */
    struct clock clock;
    struct log *log;
    struct engine *engine;
    struct session *session;
    char query[NAME_BYTES]; /* the last one started */
};

/* What a case's process tells. */
struct figures {
    double cpu_s; /* per million records */
    double wall_s;
    double resident_mb; /* at most */
    int threads;
    uint64_t out;
    double p50_ms;
    double p99_ms;
    double commit_ms;
};

static void die(const char *what, const struct error *err)
{
    (void)fprintf(stderr, "bench_kafka: %s: %s\n", what, err->message);
    exit(1);
}

static void check(int code, const char *what, const struct error *err)
{
    if (code) {
        die(what, err);
    }
}

static void pause_ms(long ms)
{
    const struct timespec pause = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

    (void)nanosleep(&pause, NULL);
}

/* --- the log --- */

static void open_log(struct bench *bench)
{
    struct log_kafka_config config = { .bootstrap = bytes_of(bench->bootstrap),
                                       .properties = bench->properties,
                                       .property_count = bench->property_count };
    struct error err = { 0 };

    check(log_kafka_create(&config, &bench->clock, &bench->log, &err), "the log", &err);
}

static const struct log_topic *make_topic(struct bench *bench, const char *name)
{
    struct topic_spec spec = { .name = bytes_of(name), .partition_count = RAW_PARTITIONS };
    const struct log_topic *topic = NULL;
    struct error err = { 0 };

    if (log_open_topic(bench->log, spec.name, &topic, &err)) {
        check(log_create_topic(bench->log, &spec, &err), name, &err);
        check(log_open_topic(bench->log, spec.name, &topic, &err), name, &err);
    }
    return topic;
}

/* Markers of the last transactions may be on their way. */
static struct log_range settled_range(struct bench *bench, const struct log_topic *topic,
                                      uint32_t partition)
{
    struct log_range committed = { 0, 0 };
    struct log_range all = { 0, 0 };
    struct error err = { 0 };

    for (;;) {
        check(log_topic_range(bench->log, topic, partition, READ_UNCOMMITTED, &all, &err), "range",
              &err);
        check(log_topic_range(bench->log, topic, partition, READ_COMMITTED, &committed, &err),
              "range", &err);
        if (committed.end >= all.end) {
            return committed;
        }
        pause_ms(LOOK_MS);
    }
}

static uint64_t topic_records(struct bench *bench, const struct log_topic *topic)
{
    uint64_t records = 0;

    for (uint32_t p = 0; p < RAW_PARTITIONS; p++) {
        struct log_range range = settled_range(bench, topic, p);

        records += (uint64_t)(range.end - range.begin);
    }
    return records;
}

static uint32_t mix(uint32_t number)
{
    return number * 2654435761u;
}

static void make_order(void *context, uint32_t number, struct buffer *key, struct buffer *value)
{
    static const char *const regions[] = { "eu-west", "eu-east", "us-west", "us-east", "ap-south" };
    uint32_t mixed = mix(number);

    (void)context;
    buffer_printf(key, "%u", mixed % KEYS);
    buffer_printf(value,
                  "{\"ORDER_ID\":%u,\"CUSTOMER\":\"customer-%u\",\"ITEM\":\"item-%u\","
                  "\"PRICE\":%u.%02u,\"QTY\":%u,\"TS\":%lld,\"REGION\":\"%s\","
                  "\"NOTE\":\"leave at the door, %u\"}",
                  number, mixed % 1000, mixed % 1000, mixed % 1000, mixed / 7 % 100,
                  mixed / 11 % 20, 1700000000000LL + number, regions[number % 5], number % 97);
}

static struct figures run_fill(struct bench *bench)
{
    struct writer_spec spec = { .client_id = BYTES("bench") };
    struct log_builder builders[RAW_PARTITIONS] = { 0 };
    struct buffer key = { 0 };
    struct buffer value = { 0 };
    const struct log_topic *topic;
    struct log_writer *writer = NULL;
    int64_t now_ms = clock_now_ms(&bench->clock); /* older ones the broker deletes */
    struct error err = { 0 };

    open_log(bench);
    topic = make_topic(bench, bench->orders);
    if (topic_records(bench, topic) >= bench->records) {
        return (struct figures){ 0 };
    }
    check(log_writer_open(bench->log, &spec, &writer, &err), "writer", &err);
    for (uint32_t i = 0; i < bench->records; i++) {
        uint32_t partition;

        key.len = 0;
        value.len = 0;
        make_order(NULL, i, &key, &value);
        partition = log_partition_of(buffer_bytes(&key), RAW_PARTITIONS);
        log_builder_add(&builders[partition], buffer_bytes(&key), buffer_bytes(&value), now_ms,
                        NULL, 0);
        if (builders[partition].record_count == PER_APPEND) {
            check(log_writer_append(writer, topic, partition, &builders[partition], NULL, &err),
                  "append", &err);
        }
    }
    for (uint32_t p = 0; p < RAW_PARTITIONS; p++) {
        check(log_writer_append(writer, topic, p, &builders[p], NULL, &err), "append", &err);
        log_builder_fini(&builders[p]);
    }
    check(log_writer_flush(writer, &err), "flush", &err);
    log_writer_close(writer);
    log_close(bench->log);
    buffer_fini(&key);
    buffer_fini(&value);
    return (struct figures){ 0 };
}

/* --- raw --- */

/* The settings that sluice's producer has (engine/log/log_kafka.c). */
static const struct topic_config tuned[] = {
    { BYTES("linger.ms"), BYTES("20") },
    { BYTES("queue.buffering.max.kbytes"), BYTES("4096") },
    { BYTES("batch.num.messages"), BYTES("100000") },
};

static struct figures raw(struct bench *bench, const char *name, uint32_t one_in, bool is_tuned)
{
    struct raw_setup setup = { .bootstrap = bench->bootstrap, .clock = &bench->clock };
    char to[NAME_BYTES];
    struct raw_cost cost;

    if (is_tuned) {
        setup.properties = bench->property_count ? bench->properties : tuned;
        setup.property_count =
            bench->property_count ? bench->property_count : sizeof tuned / sizeof tuned[0];
    }
    (void)snprintf(to, sizeof to, "raw-%s-%u", name, bench->round);
    open_log(bench);
    (void)make_topic(bench, to);
    log_close(bench->log);
    cost = raw_copy(&setup, bench->orders, to, bench->records, one_in);
    return (struct figures){ .cpu_s = (double)cost.cpu_us / (double)bench->records,
                             .wall_s = (double)cost.wall_us / 1e6,
                             .out = one_in ? bench->records / one_in : 0 };
}

static struct figures run_raw_consume(struct bench *bench)
{
    return raw(bench, "consume", 0, false);
}

static struct figures run_raw_tenth(struct bench *bench)
{
    return raw(bench, "tenth", 10, false);
}

static struct figures run_raw_tenth_tuned(struct bench *bench)
{
    return raw(bench, "tenth-tuned", 10, true);
}

static struct figures run_raw_pass(struct bench *bench)
{
    return raw(bench, "pass", 1, false);
}

static struct figures run_raw_pass_tuned(struct bench *bench)
{
    return raw(bench, "pass-tuned", 1, true);
}

static int compare_times(const void *a, const void *b)
{
    const int64_t *left = a;
    const int64_t *right = b;

    return (*left > *right) - (*left < *right);
}

static double percentile_ms(int64_t *times_us, uint32_t count, uint32_t percent)
{
    qsort(times_us, count, sizeof *times_us, compare_times);
    return (double)times_us[(uint64_t)count * percent / 100] / 1000.0;
}

/* In a new cluster librdkafka 2.0 waits for ever for the coordinator of the first group. */
static void await_groups(struct bench *bench, const struct log_topic *topic)
{
    struct group_position position = { .topic = topic };
    struct arena arena;
    struct error err = { 0 };

    arena_init(&arena, 0);
    check(log_group_positions(bench->log, bytes_of("raw"), &position, 1, &arena, &err), "group",
          &err);
    arena_fini(&arena);
}

static struct figures run_raw_transactions(struct bench *bench)
{
    const struct log_topic *topic;
    struct raw_setup setup = { .bootstrap = bench->bootstrap,
                               .clock = &bench->clock,
                               .properties = bench->properties,
                               .property_count = bench->property_count };
    int64_t whole_us[TRANSACTIONS];
    int64_t commit_us[TRANSACTIONS];
    struct figures figures = { .out = TRANSACTIONS };

    open_log(bench);
    topic = make_topic(bench, "raw-transactions");
    await_groups(bench, topic);
    log_close(bench->log);
    raw_transactions(&setup, "raw-transactions", TRANSACTIONS, whole_us, commit_us);
    figures.p50_ms = percentile_ms(whole_us, TRANSACTIONS, 50);
    figures.p99_ms = percentile_ms(whole_us, TRANSACTIONS, 99);
    figures.commit_ms = percentile_ms(commit_us, TRANSACTIONS, 50);
    return figures;
}

/* --- sluice --- */

static void note_change(void *context, const struct result_change *change)
{
    struct bench *bench = context;

    (void)snprintf(bench->query, sizeof bench->query, "%.*s", BYTES_ARG(change->query_id));
}

static void run_sql(struct bench *bench, const char *sql)
{
    const struct result_sink sink = { .changed = note_change, .context = bench };
    struct error err = { 0 };

    check(engine_execute(bench->engine, bench->session, bytes_of(sql), &sink, &err), sql, &err);
}

/* A service of its own, which finds no statements of others. */
static void open_engine(struct bench *bench, const char *topic)
{
    struct engine_config config = { .mode = RUNTIME_THREADED, .clock = &bench->clock };
    char service[NAME_BYTES];
    char sql[SQL_BYTES];
    struct error err = { 0 };

    (void)snprintf(service, sizeof service, "bench_%ld", (long)getpid());
    open_log(bench);
    (void)make_topic(bench, topic);
    config.log = bench->log;
    config.service_id = service;
    check(engine_open(&config, &bench->engine, &err), "open", &err);
    bench->session = session_create(bench->engine);
    (void)snprintf(sql, sizeof sql,
                   "SET 'auto.offset.reset'='earliest';"
                   "SET 'cache.max.bytes.buffering'='1000000000';"
                   "CREATE STREAM orders (id STRING KEY, order_id BIGINT, customer STRING, "
                   "item STRING, price DOUBLE, qty INT, ts BIGINT, region STRING, note STRING) "
                   "WITH (KAFKA_TOPIC='%s', VALUE_FORMAT='JSON');",
                   topic);
    run_sql(bench, sql);
}

static void close_engine(struct bench *bench)
{
    session_destroy(bench->session);
    engine_close(bench->engine);
    log_close(bench->log);
}

static void await_records(struct bench *bench, uint64_t records, int *threads)
{
    struct query_status status = { 0 };
    struct error err = { 0 };

    while (status.rows_in < records) {
        check(runtime_query_status(engine_runtime(bench->engine), bytes_of(bench->query), &status,
                                   &err),
              bench->query, &err);
        if (status.state == QUERY_ERROR) {
            die(bench->query, &status.error);
        }
        *threads = (int)proc_field("/proc/self/status", "Threads:");
        pause_ms(LOOK_MS);
    }
    check(engine_drain(bench->engine, &err), "drain", &err);
}

static struct figures query(struct bench *bench, const char *sink, const char *sql)
{
    struct figures figures = { 0 };
    const struct log_topic *topic = NULL;
    struct error err = { 0 };
    int64_t cpu_us;
    int64_t wall_us;

    open_engine(bench, bench->orders);
    cpu_us = clock_cpu_us();
    wall_us = clock_monotonic_us(&bench->clock);
    run_sql(bench, sql);
    await_records(bench, bench->records, &figures.threads);
    figures.cpu_s = (double)(clock_cpu_us() - cpu_us) / (double)bench->records;
    figures.wall_s = (double)(clock_monotonic_us(&bench->clock) - wall_us) / 1e6;
    check(log_open_topic(bench->log, bytes_of(sink), &topic, &err), sink, &err);
    figures.out = topic_records(bench, topic);
    close_engine(bench);
    return figures;
}

static struct figures run_filter(struct bench *bench)
{
    char sink[NAME_BYTES];
    char sql[SQL_BYTES];

    (void)snprintf(sink, sizeof sink, "filter-%u", bench->round);
    (void)snprintf(sql, sizeof sql,
                   "CREATE STREAM big WITH (KAFKA_TOPIC='%s') AS SELECT id, order_id, customer, "
                   "price, qty FROM orders WHERE price >= 900;",
                   sink);
    return query(bench, sink, sql);
}

static struct figures run_copy(struct bench *bench)
{
    char sink[NAME_BYTES];
    char sql[SQL_BYTES];

    (void)snprintf(sink, sizeof sink, "copy-%u", bench->round);
    (void)snprintf(sql, sizeof sql,
                   "CREATE STREAM copy WITH (KAFKA_TOPIC='%s') AS SELECT * FROM orders "
                   "WHERE price >= 0;",
                   sink);
    return query(bench, sink, sql);
}

static struct figures run_sum(struct bench *bench)
{
    char sink[NAME_BYTES];
    char sql[SQL_BYTES];

    (void)snprintf(sink, sizeof sink, "sum-%u", bench->round);
    (void)snprintf(sql, sizeof sql,
                   "SET 'commit.interval.ms'='1000';"
                   "CREATE TABLE sums WITH (KAFKA_TOPIC='%s') AS SELECT id, COUNT(*) AS n, "
                   "SUM(price) AS total FROM orders GROUP BY id;",
                   sink);
    return query(bench, sink, sql);
}

static uint32_t order_number(void *context, struct bytes value)
{
    static const char field[] = "{\"ORDER_ID\":";

    (void)context;
    if (value.len <= sizeof field || memcmp(value.data, field, sizeof field - 1) != 0) {
        return UINT32_MAX;
    }
    return (uint32_t)strtoul(value.data + sizeof field - 1, NULL, 10); /* a comma ends it */
}

static struct figures run_hop(struct bench *bench)
{
    struct raw_setup setup = { .bootstrap = bench->bootstrap, .clock = &bench->clock };
    uint32_t count = HOP_SECONDS * HOP_PER_SECOND;
    char from[NAME_BYTES];
    char to[NAME_BYTES];
    char sql[SQL_BYTES];
    struct raw_hop hop = { .from = from,
                           .to = to,
                           .count = count,
                           .per_second = HOP_PER_SECOND,
                           .make = make_order,
                           .number_of = order_number,
                           .sent_us = memory_zalloc(count, sizeof(int64_t)),
                           .read_us = memory_zalloc(count, sizeof(int64_t)) };
    struct figures figures = { .out = count };

    (void)snprintf(from, sizeof from, "hop-from-%u", bench->round);
    (void)snprintf(to, sizeof to, "hop-to-%u", bench->round);
    (void)snprintf(sql, sizeof sql,
                   "CREATE STREAM hop WITH (KAFKA_TOPIC='%s') AS SELECT * FROM orders "
                   "WHERE price >= 0;",
                   to);
    open_engine(bench, from);
    run_sql(bench, sql);
    raw_hop(&setup, &hop);
    for (uint32_t i = 0; i < count; i++) {
        figures.out -= hop.read_us[i] == 0;
        hop.read_us[i] = hop.read_us[i] ? hop.read_us[i] - hop.sent_us[i] : INT32_MAX;
    }
    figures.p50_ms = percentile_ms(hop.read_us + WARM_UP, count - WARM_UP, 50);
    figures.p99_ms = percentile_ms(hop.read_us + WARM_UP, count - WARM_UP, 99);
    close_engine(bench);
    free(hop.sent_us);
    free(hop.read_us);
    return figures;
}

/* --- the table --- */

enum bench_case {
    FILL,
    RAW_CONSUME,
    RAW_TENTH,
    RAW_TENTH_TUNED,
    RAW_PASS,
    RAW_PASS_TUNED,
    FILTER,
    COPY,
    SUM,
    RAW_TRANSACTIONS,
    HOP,
    CASES
};

static const struct {
    const char *name;
    const char *what;
    struct figures (*run)(struct bench *bench);
} cases[CASES] = {
    [FILL] = { "fill", NULL, run_fill },
    [RAW_CONSUME] = { "raw-consume", "librdkafka: consume", run_raw_consume },
    [RAW_TENTH] = { "raw-tenth", "librdkafka: consume, write 10 %", run_raw_tenth },
    [RAW_TENTH_TUNED] = { "raw-tenth-tuned", "  with sluice's settings", run_raw_tenth_tuned },
    [RAW_PASS] = { "raw-pass", "librdkafka: pass through", run_raw_pass },
    [RAW_PASS_TUNED] = { "raw-pass-tuned", "  with sluice's settings", run_raw_pass_tuned },
    [FILTER] = { "filter", "sluice: filter 10 %, project", run_filter },
    [COPY] = { "copy", "sluice: decode, encode all", run_copy },
    [SUM] = { "sum", "sluice: COUNT, SUM, 1 M keys", run_sum },
    [RAW_TRANSACTIONS] = { "raw-transactions", "librdkafka: transaction", run_raw_transactions },
    [HOP] = { "hop", "sluice: one hop, 1,000 records/s", run_hop },
};

/* In a process of its own. */
static struct figures run_apart(struct bench *bench, enum bench_case which)
{
    struct figures figures = { 0 };
    int ends[2];
    pid_t child;
    int status = 0;

    if (pipe(ends) || (child = fork()) < 0) {
        exit(1);
    }
    if (child == 0) {
        figures = cases[which].run(bench);
        figures.resident_mb = (double)proc_field("/proc/self/status", "VmHWM:") / 1024.0;
        exit(write(ends[1], &figures, sizeof figures) == (ssize_t)sizeof figures ? 0 : 1);
    }
    (void)close(ends[1]);
    if (read(ends[0], &figures, sizeof figures) != (ssize_t)sizeof figures ||
        waitpid(child, &status, 0) != child || status != 0) {
        (void)fprintf(stderr, "bench_kafka: %s failed\n", cases[which].name);
        exit(1);
    }
    (void)close(ends[0]);
    return figures;
}

static bool chosen(enum bench_case which)
{
    const char *only = getenv("BENCH_ONLY");
    const char *at = only ? only : "";
    size_t len = strlen(cases[which].name);

    if (!only || which == FILL) {
        return true;
    }
    while (*at) {
        size_t word = strcspn(at, " ,");

        if (word == len && memcmp(at, cases[which].name, len) == 0) {
            return true;
        }
        at += word;
        at += strspn(at, " ,");
    }
    return false;
}

static void print_case(enum bench_case which, const struct figures *f)
{
    if (!cases[which].what) {
        return;
    }
    (void)printf("%-34s", cases[which].what);
    if (f->p50_ms > 0) {
        (void)printf(" p50 %.1f ms, p99 %.1f ms", f->p50_ms, f->p99_ms);
        if (f->commit_ms > 0) {
            (void)printf(", its commit p50 %.1f ms", f->commit_ms);
        }
    } else {
        (void)printf(" %6.3f CPU s/M %6.1f s", f->cpu_s, f->wall_s);
    }
    (void)printf("  %llu out, %.0f MB", (unsigned long long)f->out, f->resident_mb);
    if (f->threads > 0) {
        (void)printf(", %d threads", f->threads);
    }
    (void)printf("\n");
    (void)fflush(stdout);
}

static double less(double a, double b)
{
    return a == 0 || (b > 0 && b < a) ? b : a;
}

static void print_goal(const char *what, double measured, double goal, double bound, double ratio)
{
    if (measured == 0) {
        return;
    }
    (void)printf("%-34s %6.2f  goal %.2f: %s", what, measured, goal,
                 measured <= goal ? "met" : "MISSED");
    if (bound > 0) {
        (void)printf("; %.2f times raw %.2f, goal %.2f: %s", measured / bound, bound, ratio,
                     measured / bound <= ratio ? "met" : "MISSED");
    }
    (void)printf("\n");
}

static void print_goals(const struct figures *f)
{
    (void)printf("\nCPU seconds per million records; raw with its own settings or ours, "
                 "whichever is less\n");
    print_goal(cases[FILTER].what, f[FILTER].cpu_s, 0.8,
               less(f[RAW_TENTH].cpu_s, f[RAW_TENTH_TUNED].cpu_s), 1.6);
    print_goal(cases[COPY].what, f[COPY].cpu_s, 1.6,
               less(f[RAW_PASS].cpu_s, f[RAW_PASS_TUNED].cpu_s), 1.5);
    print_goal(cases[SUM].what, f[SUM].cpu_s, 1.5, 0, 0);
    if (f[HOP].p50_ms > 0 && f[RAW_TRANSACTIONS].commit_ms > 0) {
        double goal_ms = f[RAW_TRANSACTIONS].commit_ms + 12;

        (void)printf("%-34s %6.1f ms at p50, goal %.1f (commit %.1f + 12): %s\n", cases[HOP].what,
                     f[HOP].p50_ms, goal_ms, f[RAW_TRANSACTIONS].commit_ms,
                     f[HOP].p50_ms <= goal_ms ? "met" : "MISSED");
    }
}

static void read_arguments(struct bench *bench, int argc, char **argv)
{
    const char *records = getenv("BENCH_RECORDS");

    bench->records = records ? (uint32_t)strtoul(records, NULL, 10) : DEFAULT_RECORDS;
    (void)snprintf(bench->orders, sizeof bench->orders, "orders-%u", bench->records);
    for (int i = 1; i < argc && bench->property_count < PROPERTIES_MAX; i++) {
        const char *equals = strchr(argv[i], '=');

        if (equals) {
            bench->properties[bench->property_count++] =
                (struct topic_config){ { argv[i], (size_t)(equals - argv[i]) },
                                       bytes_of(equals + 1) };
        }
    }
}

int main(int argc, char **argv)
{
    const char *rounds = getenv("BENCH_ROUNDS");
    struct bench bench = { .bootstrap = getenv("SLUICE_TEST_KAFKA") };
    struct figures best[CASES] = { { 0 } };
    unsigned first = (unsigned)getpid() * 100; /* of topics nobody else has */

    memory_keep_large();
    if (!bench.bootstrap) {
        (void)printf("bench_kafka: SLUICE_TEST_KAFKA is not set: make bench-kafka does\n");
        return 0;
    }
    clock_init_real(&bench.clock);
    read_arguments(&bench, argc, argv);
    for (unsigned round = 0; round < (rounds ? (unsigned)strtoul(rounds, NULL, 10) : 1); round++) {
        bench.round = first + round;
        for (enum bench_case i = FILL; i < CASES; i++) {
            if (chosen(i)) {
                struct figures figures = run_apart(&bench, i);

                print_case(i, &figures);
                if (round == 0 || figures.cpu_s < best[i].cpu_s ||
                    figures.p50_ms < best[i].p50_ms) {
                    best[i] = figures;
                }
            }
        }
    }
    print_goals(best);
    return 0;
}
