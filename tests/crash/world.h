/*
 * world.h: what the crash tests agree on: one input, three queries, and what must hold.
 *
 *   events   records of 40 keys; key k's are numbered 0, 1, 2, ...
 *   copy     all of them
 *   some     every third of each key
 *   totals   COUNT and SUM by group: through a repartition topic into a store
 *
 * Exactly once is then a matter of counting: in copy each key's numbers come one by one, in
 * some by threes, a group's count in totals grows by one with each record, and when all is
 * through, count and sum are those of the input. The input itself, as it stands in the log, is
 * the model; nothing that the producer believes is relied upon.
 */
#ifndef SLUICE_TESTS_CRASH_WORLD_H
#define SLUICE_TESTS_CRASH_WORLD_H

#include <pthread.h>

#include "engine/log/log.h"

enum { WORLD_KEYS = 40, WORLD_GROUPS = 7, WORLD_PARTITIONS = 4, WORLD_STATEMENTS = 4 };

enum world_topic { WORLD_EVENTS, WORLD_COPY, WORLD_SOME, WORLD_TOTALS, WORLD_TOPIC_COUNT };

/* The statements, of one service each with its own topics. */
void world_statement(const char *service, int number, char out[400]);
void world_topic_name(const char *service, enum world_topic topic, char out[100]);

/* --- producing --- */

struct producer {
    struct log *log;
    const struct clock *clock;
    struct log_writer *writer;
    const struct log_topic *topic;
    uint64_t next[WORLD_KEYS];
    uint64_t produced;
    unsigned seed;
    uint32_t per_second;
    _Atomic bool stop;
    pthread_t thread;
    bool runs;
    struct error failure;
};

/* Records go on being written from a thread of its own until producer_pause. */
int producer_init(struct producer *p, struct log *log, const struct clock *clock,
                  const char *service, unsigned seed, struct error *err);
/* So many records, now. */
int producer_put(struct producer *p, uint32_t count, struct error *err);
int producer_run(struct producer *p, uint32_t per_second, struct error *err);
int producer_pause(struct producer *p, struct error *err); /* all it wrote is in the log */
void producer_fini(struct producer *p);

/* --- verifying --- */

struct verifier {
    struct log *log;
    struct log_reader *reader;
    const struct log_topic *topics[WORLD_TOPIC_COUNT]; /* NULL: not there yet */
    char service[64];
    uint64_t next[3][WORLD_KEYS]; /* events, copy, some: the number that must come */
    uint64_t count[WORLD_GROUPS]; /* as the input says */
    uint64_t sum[WORLD_GROUPS];
    uint64_t count_out[WORLD_GROUPS]; /* as totals says */
    uint64_t sum_out[WORLD_GROUPS];
    int64_t newest_ms[WORLD_TOPIC_COUNT][WORLD_PARTITIONS]; /* 0: no record yet */
    uint64_t records[WORLD_TOPIC_COUNT];
    char violation[400]; /* empty: none */
};

int verifier_init(struct verifier *v, struct log *log, const char *service, struct error *err);
void verifier_fini(struct verifier *v);
/* Reads on; false once something was found that must not be. */
bool verifier_poll(struct verifier *v, int64_t wait_ms);
/* All outputs are what the input as read so far makes of them. */
bool verifier_is_settled(struct verifier *v);
/* Each output partition has a record that is as new as that; keys and groups fall into all. */
bool verifier_has_news(const struct verifier *v, int64_t since_ms);
/* How far behind each output is, for a report. */
void verifier_describe(const struct verifier *v, char *out, size_t size);

#endif
