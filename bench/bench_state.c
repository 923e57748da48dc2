/*
 * bench_state.c: ten million keys in a process of 256 MB, on the path that users take.
 *
 * COUNT and SUM by key over JSON records of a topic on disk, threaded, emission and commits as
 * they are by default. First each of ten million keys once, in random order, then random ones
 * among them. The topic is filled a piece at a time; filling is not timed, but its memory counts:
 * what is reported is the peak of all that the process had resident.
 *
 * At the end all groups are read by a pull query and compared with what was put in, and after a
 * restart some of them again. A process of its own compares: what it has to know of ten million
 * keys is 80 MB, which are not the engine's. BENCH_KEYS, BENCH_UPDATES, BENCH_STATE_BYTES change
 * the sizes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/scratch_directory.h"
#include "bench/proc_field.h"
#include "engine/command/engine.h"
#include "engine/command/properties.h"
#include "engine/log/database.h"
#include "engine/log/log_disk.h"

enum {
    DEFAULT_KEYS = 10000000,
    DEFAULT_UPDATES = 1000000,
    PIECE_RECORDS = 500000,
    RECORDS_PER_BLOCK = 400,
    RECORDS_PER_COMMIT = 20000,
    PARTITIONS = 4,
    AMOUNTS = 1000,
};

/* What goes to the judge, and what comes back. */
#define NO_MORE_GROUPS UINT64_MAX

struct group {
    uint64_t key;
    int64_t count;
    int64_t sum;
};

struct verdict {
    uint64_t rows;
    uint64_t wrong;
};

struct bench {
    char directory[SCRATCH_PATH_MAX];
    struct clock clock;
    struct database *database;
    struct log *log;
    struct engine *engine;
    struct session *session;
    const char *state_bytes;
    char query_id[64];
    uint64_t keys;
    uint64_t updates;
    struct log_builder builders[PARTITIONS];
    FILE *groups; /* to the judge */
    FILE *verdicts;
    pid_t judge;
    struct error err;
};

/* --- the model: which key the n-th record has, and which amount --- */

static uint64_t mix(uint64_t n)
{
    n = (n ^ n >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    n = (n ^ n >> 27) * UINT64_C(0x94d049bb133111eb);
    return n ^ n >> 31;
}

/* Each number below the count of keys once, in an order that has nothing to do with theirs. */
static uint64_t shuffled(const struct bench *b, uint64_t n)
{
    uint64_t bits = 2;
    uint64_t mask;

    while (UINT64_C(1) << bits < b->keys) {
        bits++;
    }
    mask = (UINT64_C(1) << bits) - 1;
    do {
        n = (n * UINT64_C(0x9e3779b97f4a7c15)) & mask;
        n ^= n >> (bits / 2);
        n = (n * UINT64_C(0xbf58476d1ce4e5b9)) & mask;
        n ^= n >> (bits / 2);
    } while (n >= b->keys);
    return n;
}

static uint64_t key_of(const struct bench *b, uint64_t n)
{
    return n < b->keys ? shuffled(b, n) : mix(n) % b->keys;
}

static uint64_t amount_of(uint64_t n)
{
    return mix(~n) % AMOUNTS;
}

/* --- the engine --- */

static const struct result_sink nobody;

static int run_sql(struct bench *b, const char *sql, const struct result_sink *sink)
{
    return engine_execute(b->engine, b->session, bytes_of(sql), sink, &b->err);
}

static int open_all(struct bench *b)
{
    const struct property_text setting = { BYTES("state.memory.bytes"), bytes_of(b->state_bytes) };
    struct log_disk_config disk = { .fsync = LOG_FSYNC_COMMIT };
    struct engine_config config = { .mode = RUNTIME_THREADED, .clock = &b->clock };

    TRY(database_open(b->directory, &b->database, &b->err));
    disk.database = b->database;
    TRY(log_disk_create(&disk, &b->clock, &b->log, &b->err));
    config.log = b->log;
    config.database = b->database;
    if (b->state_bytes) {
        config.settings = &setting;
        config.setting_count = 1;
    }
    TRY(engine_open(&config, &b->engine, &b->err));
    b->session = session_create(b->engine);
    return 0;
}

static void close_all(struct bench *b)
{
    if (b->engine) {
        session_destroy(b->session);
        engine_close(b->engine);
    }
    log_close(b->log);
    database_close(b->database);
    b->engine = NULL;
    b->log = NULL;
    b->database = NULL;
}

/* --- input --- */

static void add_record(struct bench *b, uint64_t n)
{
    char key[32];
    int len = snprintf(key, sizeof key, "customer-%llu", (unsigned long long)key_of(b, n));
    struct bytes text = { key, (size_t)len };
    struct log_builder *builder = &b->builders[log_partition_of(text, PARTITIONS)];
    struct buffer *out = &builder->bytes;

    log_builder_begin(builder);
    buffer_append_bytes(out, text);
    log_builder_end_key(builder, true);
    buffer_printf(out, "{\"AMOUNT\":%llu,\"ITEM\":\"item-%llu\"}", (unsigned long long)amount_of(n),
                  (unsigned long long)(n % 1000));
    log_builder_end_record(builder, true, (int64_t)(1700000000000 + n), NULL, 0);
}

static int append_builders(struct bench *b, struct log_writer *writer,
                           const struct log_topic *topic, uint32_t at_least)
{
    for (uint32_t p = 0; p < PARTITIONS; p++) {
        if (b->builders[p].record_count >= at_least) {
            TRY(log_writer_append(writer, topic, p, &b->builders[p], NULL, &b->err));
        }
    }
    return 0;
}

static int append_records(struct bench *b, struct log_writer *writer, uint64_t from, uint64_t end)
{
    const struct log_topic *topic = NULL;

    TRY(log_open_topic(b->log, (struct bytes)BYTES("payments"), &topic, &b->err));
    TRY(log_writer_begin(writer, &b->err));
    for (uint64_t n = from; n < end; n++) {
        add_record(b, n);
        if (n % 64 == 0) {
            TRY(append_builders(b, writer, topic, RECORDS_PER_BLOCK));
        }
        if ((n + 1) % RECORDS_PER_COMMIT == 0) {
            TRY(append_builders(b, writer, topic, 1));
            TRY(log_writer_commit(writer, &b->err));
            TRY(log_writer_begin(writer, &b->err));
        }
    }
    TRY(append_builders(b, writer, topic, 1));
    return log_writer_commit(writer, &b->err);
}

static int fill(struct bench *b, uint64_t from, uint64_t end)
{
    struct writer_spec spec = { .client_id = BYTES("bench"), .transactional_id = BYTES("bench") };
    struct log_writer *writer = NULL;
    int code;

    TRY(log_writer_open(b->log, &spec, &writer, &b->err));
    code = append_records(b, writer, from, end);
    log_writer_close(writer);
    return code;
}

/* --- figures --- */

static unsigned long long directory_mb(const struct bench *b)
{
    char command[SCRATCH_PATH_MAX + 16];
    char line[64] = { 0 };
    FILE *in;

    (void)snprintf(command, sizeof command, "du -sm %s", b->directory);
    in = popen(command, "r");
    if (in) {
        (void)!fgets(line, sizeof line, in);
        (void)pclose(in);
    }
    return strtoull(line, NULL, 10);
}

static void report(const struct bench *b, const char *what, uint64_t count, int64_t wall_us,
                   int64_t cpu_us)
{
    (void)printf("%-34s %8.0f /s, %6.2f CPU s/M, resident %ld MB (anonymous %ld), peak %ld MB, "
                 "disk %llu MB\n",
                 what, (double)count * 1e6 / (double)wall_us, (double)cpu_us / (double)count,
                 proc_field("/proc/self/status", "VmRSS:") / 1024,
                 proc_field("/proc/self/status", "RssAnon:") / 1024,
                 proc_field("/proc/self/status", "VmHWM:") / 1024, directory_mb(b));
    (void)fflush(stdout);
}

/* --- what is timed --- */

/* Draining hurries commits, so it waits until all is read. */
static int await_rows(struct bench *b, uint64_t rows)
{
    const struct timespec pause = { .tv_nsec = 5000000 };
    struct query_status status = { .state = QUERY_RUNNING };

    while (status.state != QUERY_ERROR && status.rows_in < rows) {
        (void)nanosleep(&pause, NULL);
        TRY(runtime_query_status(engine_runtime(b->engine), bytes_of(b->query_id), &status,
                                 &b->err));
    }
    return engine_drain(b->engine, &b->err);
}

static int bench_records(struct bench *b, const char *what, uint64_t from, uint64_t end)
{
    int64_t wall_us = 0;
    int64_t cpu_us = 0;

    for (uint64_t n = from; n < end; n += PIECE_RECORDS) {
        uint64_t upto = end - n < PIECE_RECORDS ? end : n + PIECE_RECORDS;

        TRY(run_sql(b, "PAUSE ALL;", &nobody));
        TRY(fill(b, n, upto));
        wall_us -= clock_monotonic_us(&b->clock);
        cpu_us -= clock_cpu_us();
        TRY(run_sql(b, "RESUME ALL;", &nobody));
        TRY(await_rows(b, upto));
        wall_us += clock_monotonic_us(&b->clock);
        cpu_us += clock_cpu_us();
        if (getenv("BENCH_TRACE")) {
            report(b, what, upto - from, wall_us, cpu_us);
        }
    }
    report(b, what, end - from, wall_us, cpu_us);
    return 0;
}

/* --- is it right? --- */

/* In the process of the judge: how the groups have to be. */
struct model {
    uint32_t *counts; /* by key: what is to come; then what is missing */
    uint32_t *sums;
};

static void model_init(const struct bench *b, struct model *model)
{
    model->counts = memory_zalloc(b->keys, sizeof *model->counts);
    model->sums = memory_zalloc(b->keys, sizeof *model->sums);
    for (uint64_t n = 0; n < b->keys + b->updates; n++) {
        model->counts[key_of(b, n)]++;
        model->sums[key_of(b, n)] += (uint32_t)amount_of(n);
    }
}

static void model_fini(struct model *model)
{
    free(model->counts);
    free(model->sums);
}

static bool model_take(struct model *model, const struct bench *b, const struct group *group)
{
    if (group->key >= b->keys || model->counts[group->key] != group->count ||
        model->sums[group->key] != group->sum) {
        return false;
    }
    model->counts[group->key] = 0; /* once */
    return true;
}

/* Until the bench ends: groups come, and behind the last of them the verdict is asked for. */
static void judge_serve(const struct bench *b, FILE *groups, FILE *verdicts)
{
    struct verdict verdict = { 0 };
    struct model model = { 0 };
    struct group group;

    while (fread(&group, sizeof group, 1, groups) == 1) {
        if (!model.counts) {
            model_init(b, &model);
        }
        if (group.key != NO_MORE_GROUPS) {
            verdict.rows++;
            verdict.wrong += !model_take(&model, b, &group);
            continue;
        }
        (void)fwrite(&verdict, sizeof verdict, 1, verdicts);
        (void)fflush(verdicts);
        verdict = (struct verdict){ 0 };
        model_fini(&model);
        model = (struct model){ 0 };
    }
    model_fini(&model);
}

/* Before there are threads: the child has nothing of what is measured. */
static int judge_start(struct bench *b)
{
    int groups[2];
    int verdicts[2];

    if (pipe(groups) != 0 || pipe(verdicts) != 0) {
        return error_set(&b->err, ERR_IO, NO_POSITION, "no pipe to the judge");
    }
    b->judge = fork();
    if (b->judge == 0) {
        (void)close(groups[1]);
        (void)close(verdicts[0]);
        judge_serve(b, fdopen(groups[0], "r"), fdopen(verdicts[1], "w"));
        _exit(0);
    }
    (void)close(groups[0]);
    (void)close(verdicts[1]);
    b->groups = fdopen(groups[1], "w");
    b->verdicts = fdopen(verdicts[0], "r");
    return b->judge < 0 ? error_set(&b->err, ERR_IO, NO_POSITION, "no process for the judge") : 0;
}

static void judge_stop(struct bench *b)
{
    if (b->groups) {
        (void)fclose(b->groups);
        (void)fclose(b->verdicts);
        (void)waitpid(b->judge, NULL, 0);
    }
}

static uint64_t key_number(struct bytes key)
{
    uint64_t number = 0;

    for (size_t i = strlen("customer-"); i < key.len; i++) {
        number = 10 * number + (uint64_t)(key.data[i] - '0');
    }
    return number;
}

static bool send_row(void *context, const struct value *cells, bool tombstone, int64_t timestamp_ms)
{
    struct bench *b = context;
    struct group group = { key_number((struct bytes){ cells[0].bytes, cells[0].size }),
                           tombstone ? -1 : cells[1].i64, cells[2].i64 };

    return fwrite(&group, sizeof group, 1, b->groups) == 1;
}

static int verify(struct bench *b, const char *sql, uint64_t rows)
{
    const struct group last = { .key = NO_MORE_GROUPS };
    struct result_sink sink = { .row = send_row, .context = b };
    struct verdict verdict = { 0 };
    int64_t wall_us = -clock_monotonic_us(&b->clock);
    int64_t cpu_us = -clock_cpu_us();

    TRY(run_sql(b, sql, &sink));
    wall_us += clock_monotonic_us(&b->clock);
    cpu_us += clock_cpu_us();
    (void)fwrite(&last, sizeof last, 1, b->groups);
    (void)fflush(b->groups);
    if (fread(&verdict, sizeof verdict, 1, b->verdicts) != 1 || verdict.wrong ||
        verdict.rows != rows) {
        return error_set(&b->err, ERR_STATE_DAMAGED, NO_POSITION,
                         "%llu groups came instead of %llu, %llu of them wrong",
                         (unsigned long long)verdict.rows, (unsigned long long)rows,
                         (unsigned long long)verdict.wrong);
    }
    report(b, "read and compared with the model", rows, wall_us, cpu_us);
    return 0;
}

static int bench_restart(struct bench *b)
{
    int64_t wall_us = -clock_monotonic_us(&b->clock);
    int64_t cpu_us = -clock_cpu_us();

    close_all(b);
    report(b, "closed, per key", b->keys, wall_us + clock_monotonic_us(&b->clock),
           cpu_us + clock_cpu_us());
    wall_us = -clock_monotonic_us(&b->clock);
    cpu_us = -clock_cpu_us();
    TRY(open_all(b));
    TRY(engine_drain(b->engine, &b->err));
    report(b, "opened again, per key", b->keys, wall_us + clock_monotonic_us(&b->clock),
           cpu_us + clock_cpu_us());
    return verify(b, "SELECT * FROM totals WHERE id = 'customer-0' OR id = 'customer-77';", 2);
}

static void note_query(void *context, const struct result_change *change)
{
    struct bench *b = context;

    (void)snprintf(b->query_id, sizeof b->query_id, "%.*s", BYTES_ARG(change->query_id));
}

static int run(struct bench *b)
{
    const struct result_sink sink = { .changed = note_query, .context = b };

    TRY(judge_start(b));
    TRY(scratch_directory_make(b->directory, &b->err));
    TRY(open_all(b));
    TRY(run_sql(b,
                "SET 'auto.offset.reset'='earliest';"
                "CREATE STREAM payments (id STRING KEY, amount BIGINT, item STRING) "
                "WITH (KAFKA_TOPIC='payments', VALUE_FORMAT='JSON', PARTITIONS=4);"
                "CREATE TABLE totals AS SELECT id, COUNT(*) AS n, SUM(amount) AS total "
                "FROM payments GROUP BY id;",
                &sink));
    report(b, "before", 1, 1, 0);
    TRY(bench_records(b, "new keys", 0, b->keys));
    TRY(bench_records(b, "updates of random keys", b->keys, b->keys + b->updates));
    TRY(verify(b, "SELECT * FROM totals;", b->keys));
    return bench_restart(b);
}

static uint64_t setting(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);

    return text ? strtoull(text, NULL, 10) : otherwise;
}

int main(void)
{
    struct bench b = { .state_bytes = getenv("BENCH_STATE_BYTES") };
    int code;

    memory_return_large();
    b.keys = setting("BENCH_KEYS", DEFAULT_KEYS);
    b.updates = setting("BENCH_UPDATES", DEFAULT_UPDATES);
    b.state_bytes = b.state_bytes ? b.state_bytes : "67108864";
    clock_init_real(&b.clock);
    code = run(&b);
    if (code) {
        (void)fprintf(stderr, "%s\n", b.err.message);
    }
    for (int p = 0; p < PARTITIONS; p++) {
        log_builder_fini(&b.builders[p]);
    }
    close_all(&b);
    judge_stop(&b);
    scratch_directory_remove(b.directory);
    return code != 0;
}
