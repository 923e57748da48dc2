/*
 * postgres_raw.h: the same rows by libpq alone, and what a Postgres server on this machine uses.
 *
 * Errors end the program.
 */
#ifndef SLUICE_BENCH_POSTGRES_RAW_H
#define SLUICE_BENCH_POSTGRES_RAW_H

#include <stdint.h>

struct postgres_raw;

/* The URL as JDBC has it. */
struct postgres_raw *postgres_raw_open(const char *url);
/* Empty tables, also the connectors', and nothing left to write to the disk. */
void postgres_raw_rest(struct postgres_raw *raw);
/* Of the table raw_sink. */
long postgres_raw_sink_rows(struct postgres_raw *raw);
void postgres_raw_close(struct postgres_raw *raw);
/* CPU time of all processes of the server, those that ended included; needs a superuser. */
int64_t postgres_raw_server_cpu_us(struct postgres_raw *raw);

/* Row i: item "item number i", price, time; commits come every so many rows. */
struct raw_rows {
    int count;
    int per_commit;
    long long now_ms;
};
/* Into a table without keys, one binary COPY per commit. */
void postgres_raw_copy(struct postgres_raw *raw, const struct raw_rows *rows);
/* A prepared INSERT per row, in pipeline mode. */
void postgres_raw_insert(struct postgres_raw *raw, const struct raw_rows *rows);
/* The same into a table with a primary key, ON CONFLICT DO UPDATE. */
void postgres_raw_upsert(struct postgres_raw *raw, const struct raw_rows *rows);

#endif
