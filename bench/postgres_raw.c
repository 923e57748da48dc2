/*
 * postgres_raw.c: what to measure the Postgres sink against: libpq, and the server's CPU time.
 */
#include "bench/postgres_raw.h"

#include <dirent.h>
#include <libpq-fe.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/memory.h"

enum { COLUMNS_MAX = 4, ROWS_PER_READ = 500, TICKS_MOST = 2 };

struct postgres_raw {
    PGconn *conn;
    long server; /* process id */
};

static void stop_unless(const struct postgres_raw *raw, bool good)
{
    if (!good) {
        fprintf(stderr, "libpq: %s\n", PQerrorMessage(raw->conn));
        exit(1);
    }
}

static void execute(const struct postgres_raw *raw, const char *sql)
{
    PGresult *result = PQexec(raw->conn, sql);
    ExecStatusType status = PQresultStatus(result);

    stop_unless(raw, status == PGRES_COMMAND_OK || status == PGRES_COPY_IN);
    PQclear(result);
}

struct postgres_raw *postgres_raw_open(const char *url)
{
    struct postgres_raw *raw = memory_zalloc(1, sizeof *raw);
    PGresult *result;

    raw->conn = PQconnectdb(strncmp(url, "jdbc:", 5) == 0 ? url + 5 : url);
    stop_unless(raw, PQstatus(raw->conn) == CONNECTION_OK);
    result = PQexec(raw->conn, "SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1)");
    stop_unless(raw, PQresultStatus(result) == PGRES_TUPLES_OK);
    raw->server = strtol(PQgetvalue(result, 0, 0), NULL, 10);
    PQclear(result);
    execute(raw, "SET client_min_messages = warning");
    return raw;
}

void postgres_raw_rest(struct postgres_raw *raw)
{
    execute(raw, "DROP TABLE IF EXISTS raw_copy, raw_insert, raw_upsert, raw_sink, "
                 "sluice_sink_offsets");
    execute(raw, "CREATE TABLE raw_copy (item text, price float8, ts bigint)");
    execute(raw, "CREATE TABLE raw_insert (LIKE raw_copy)");
    execute(raw,
            "CREATE TABLE raw_upsert (id int PRIMARY KEY, item text, price float8, ts bigint)");
    execute(raw, "CHECKPOINT");
}

long postgres_raw_sink_rows(struct postgres_raw *raw)
{
    PGresult *result = PQexec(raw->conn, "SELECT count(*) FROM raw_sink");
    long rows;

    stop_unless(raw, PQresultStatus(result) == PGRES_TUPLES_OK);
    rows = strtol(PQgetvalue(result, 0, 0), NULL, 10);
    PQclear(result);
    return rows;
}

void postgres_raw_close(struct postgres_raw *raw)
{
    PQfinish(raw->conn);
    free(raw);
}

/* --- the server's CPU time --- */

/* utime and stime; of the server also those of its children that ended (proc(5)). */
static long process_ticks(long pid, long server)
{
    char path[64];
    char line[1024];
    long parent = 0;
    long ticks[4] = { 0 };
    const char *behind;
    FILE *file;

    (void)snprintf(path, sizeof path, "/proc/%ld/stat", pid);
    file = fopen(path, "r");
    if (!file) {
        return 0;
    }
    behind = fgets(line, sizeof line, file) ? strrchr(line, ')') : NULL;
    (void)fclose(file); /* it was only read */
    if (!behind ||
        sscanf(behind + 1, " %*c %ld %*s %*s %*s %*s %*s %*s %*s %*s %*s %ld %ld %ld %ld", &parent,
               &ticks[0], &ticks[1], &ticks[2], &ticks[3]) != 5) {
        return 0;
    }
    if (pid == server) {
        return ticks[0] + ticks[1] + ticks[2] + ticks[3];
    }
    return parent == server ? ticks[0] + ticks[1] : 0;
}

static int64_t server_ticks(const struct postgres_raw *raw)
{
    DIR *processes = opendir("/proc");
    const struct dirent *entry;
    int64_t ticks = 0;

    while (processes && (entry = readdir(processes)) != NULL) {
        long pid = strtol(entry->d_name, NULL, 10);

        ticks += pid > 0 ? process_ticks(pid, raw->server) : 0;
    }
    if (processes) {
        (void)closedir(processes);
    }
    return ticks;
}

int64_t postgres_raw_server_cpu_us(struct postgres_raw *raw)
{
    int64_t ticks = server_ticks(raw);
    int64_t again;

    /* A process that ends meanwhile counts twice or not at all: it never shrinks else. */
    while ((again = server_ticks(raw)) - ticks > TICKS_MOST || again < ticks) {
        ticks = again;
    }
    ticks = again;
    return ticks * 1000000 / sysconf(_SC_CLK_TCK);
}

/* --- rows --- */

static void put_number(struct buffer *out, uint64_t number, int bytes)
{
    for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8) {
        buffer_append_char(out, (char)(number >> shift));
    }
}

/* In binary form, each behind its length: item, price, time. */
static void put_row(struct buffer *out, const struct raw_rows *rows, int i)
{
    char item[32];
    int len = snprintf(item, sizeof item, "item number %d", i);
    double price = i % 1000 + 0.25;
    uint64_t bits;

    memcpy(&bits, &price, sizeof bits);
    put_number(out, (uint64_t)len, 4);
    buffer_append(out, item, (size_t)len);
    put_number(out, 8, 4);
    put_number(out, bits, 8);
    put_number(out, 8, 4);
    put_number(out, (uint64_t)(rows->now_ms + i), 8);
}

/* --- COPY --- */

static void copy_some(struct postgres_raw *raw, const struct raw_rows *rows, int first, int count)
{
    static const char header[] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0";
    struct buffer out = { 0 };
    PGresult *result;

    execute(raw, "COPY raw_copy FROM STDIN (FORMAT binary)");
    buffer_append(&out, header, sizeof header);
    for (int i = first; i < first + count; i++) {
        put_number(&out, 3, 2);
        put_row(&out, rows, i);
        if (out.len >= 65536 || i + 1 == first + count) {
            stop_unless(raw, PQputCopyData(raw->conn, out.data, (int)out.len) == 1);
            out.len = 0;
        }
    }
    buffer_fini(&out);
    stop_unless(raw, PQputCopyEnd(raw->conn, NULL) == 1);
    while ((result = PQgetResult(raw->conn)) != NULL) {
        stop_unless(raw, PQresultStatus(result) == PGRES_COMMAND_OK);
        PQclear(result);
    }
}

void postgres_raw_copy(struct postgres_raw *raw, const struct raw_rows *rows)
{
    for (int i = 0; i < rows->count; i += rows->per_commit) {
        int left = rows->count - i;

        copy_some(raw, rows, i, left < rows->per_commit ? left : rows->per_commit);
    }
}

/* --- a statement per row --- */

struct prepared {
    struct postgres_raw *raw;
    const struct raw_rows *rows;
    bool has_key;
};

static void send_row(const struct prepared *p, int i, struct buffer *bytes)
{
    static const int binary[COLUMNS_MAX] = { 1, 1, 1, 1 };
    const char *values[COLUMNS_MAX];
    int lengths[COLUMNS_MAX];
    size_t at = 0;
    int count = p->has_key ? 4 : 3;

    bytes->len = 0;
    if (p->has_key) {
        put_number(bytes, 4, 4);
        put_number(bytes, (uint64_t)i, 4);
    }
    put_row(bytes, p->rows, i);
    for (int c = 0; c < count; c++) {
        lengths[c] = (unsigned char)bytes->data[at + 3]; /* none is longer than 255 */
        values[c] = bytes->data + at + 4;
        at += 4 + (size_t)lengths[c];
    }
    stop_unless(p->raw,
                PQsendQueryPrepared(p->raw->conn, "row", count, values, lengths, binary, 0) == 1);
}

/* Answers up to the one of the last sync. */
static void read_answers(const struct prepared *p)
{
    bool done = false;

    while (!done) {
        PGresult *result = PQgetResult(p->raw->conn);
        ExecStatusType status = result ? PQresultStatus(result) : PGRES_COMMAND_OK;

        stop_unless(p->raw, status == PGRES_COMMAND_OK || status == PGRES_PIPELINE_SYNC);
        done = status == PGRES_PIPELINE_SYNC;
        PQclear(result);
    }
}

static void run_rows(struct postgres_raw *raw, const struct raw_rows *rows, bool has_key)
{
    const struct prepared p = { raw, rows, has_key };
    struct buffer bytes = { 0 };

    for (int i = 0; i < rows->count; i++) {
        bool is_last = (i + 1) % rows->per_commit == 0 || i + 1 == rows->count;

        if (i % rows->per_commit == 0) {
            execute(raw, "BEGIN");
            stop_unless(raw, PQenterPipelineMode(raw->conn));
        }
        send_row(&p, i, &bytes);
        if (is_last || i % ROWS_PER_READ == 0) {
            stop_unless(raw, PQpipelineSync(raw->conn));
            read_answers(&p);
        }
        if (is_last) {
            stop_unless(raw, PQexitPipelineMode(raw->conn));
            execute(raw, "COMMIT");
        }
    }
    buffer_fini(&bytes);
}

void postgres_raw_insert(struct postgres_raw *raw, const struct raw_rows *rows)
{
    execute(raw,
            "PREPARE row (text, float8, bigint) AS INSERT INTO raw_insert VALUES ($1, $2, $3)");
    run_rows(raw, rows, false);
    execute(raw, "DEALLOCATE row");
}

void postgres_raw_upsert(struct postgres_raw *raw, const struct raw_rows *rows)
{
    execute(raw, "PREPARE row (int, text, float8, bigint) AS INSERT INTO raw_upsert "
                 "VALUES ($1, $2, $3, $4) ON CONFLICT (id) DO UPDATE SET item = excluded.item, "
                 "price = excluded.price, ts = excluded.ts");
    run_rows(raw, rows, true);
    execute(raw, "DEALLOCATE row");
}
