/*
 * kafka_raw.h: what librdkafka alone takes for the work that the queries do: the bound.
 *
 * Each call opens its handles, does the work and closes them; it ends the program when
 * something fails. Settings are librdkafka's own, under the properties given.
 */
#ifndef SLUICE_BENCH_KAFKA_RAW_H
#define SLUICE_BENCH_KAFKA_RAW_H

#include "base/clock.h"
#include "engine/log/topic_config.h"

struct raw_setup {
    const char *bootstrap;
    const struct clock *clock;
    const struct topic_config *properties;
    uint32_t property_count;
};

enum { RAW_PARTITIONS = 4 };

struct raw_cost {
    int64_t cpu_us;
    int64_t wall_us;
};

/*
 * Reads so many records of the topic; every one_in-th is written to `to` in transactions
 * of 100,000 read records. 0: none is.
 */
struct raw_cost raw_copy(const struct raw_setup *setup, const char *from, const char *to,
                         uint64_t records, uint32_t one_in);

/*
 * Transactions of a record per partition and the group's positions: the time of each from
 * begin to end, and of the commit in it.
 */
void raw_transactions(const struct raw_setup *setup, const char *to, uint32_t count,
                      int64_t *whole_us, int64_t *commit_us);

/*
 * Sends so many records per second, made by the caller, and reads another topic
 * meanwhile; each thread calls back with the record's number or bytes.
 */
struct raw_hop {
    const char *from;
    const char *to;
    uint32_t count;
    uint32_t per_second;
    void (*make)(void *context, uint32_t number, struct buffer *key, struct buffer *value);
    uint32_t (*number_of)(void *context, struct bytes value);
    void *context;
    int64_t *sent_us; /* by number: acknowledged */
    int64_t *read_us; /* by number; 0: never */
};
void raw_hop(const struct raw_setup *setup, struct raw_hop *hop);

#endif
