/*
 * runtime_rig.h: a runtime over a memory log, driven by SQL text, for tests.
 *
 * Where there is a prefix, each $ in SQL text and in names of topics stands for it.
 */
#ifndef SLUICE_TESTS_UNIT_RUNTIME_RIG_H
#define SLUICE_TESTS_UNIT_RUNTIME_RIG_H

#include "engine/log/log_memory.h"
#include "engine/runtime/runtime.h"

struct rig {
    struct clock clock;
    struct log *log;
    struct runtime *rt;
    struct catalog *catalog;
    struct arena arena; /* plans and all that tests make */
    struct plan_settings settings;
    struct query_options options;
    uint32_t query_count;
    enum runtime_mode mode;
    uint32_t workers;
    uint32_t batch_rows;
    enum runtime_guarantee guarantee;
    bool is_shared;         /* queries have groups */
    bool is_lasting;        /* the node id is that of a static member */
    uint32_t slot_count;    /* 0: the runtime's default */
    int64_t retry_first_ms; /* the same */
    const char *service_id;
    const char *prefix;        /* NULL: none */
    struct database *database; /* for checkpoints; NULL: there are none */
    size_t state_memory_bytes;
    uint64_t skipped;
};

void rig_init(struct rig *f);
/* Over another log; the clock is set. */
void rig_init_on(struct rig *f, struct log *log);
/* The text with the prefix in it. */
const char *rig_text(struct rig *f, const char *text);
void rig_fini(struct rig *f);
/* Opens the runtime as f->mode, workers and batch_rows say; once more after a close. */
void rig_open(struct rig *f, const char *node_id);
void rig_topic(struct rig *f, const char *name, uint32_t partitions);
/* CREATE STREAM/TABLE, or a query that CREATE ... AS SELECT or INSERT INTO makes, starts and
 * answers with its plan. */
const struct physical_plan *rig_sql(struct rig *f, const char *sql);
/* SELECT ... EMIT CHANGES into the queue. */
const struct physical_plan *rig_push(struct rig *f, const char *sql, struct row_queue *queue);
/* The plan of CREATE ... AS SELECT, with its sink in log and catalog; not started. */
const struct physical_plan *rig_plan(struct rig *f, const char *sql);
/* SELECT of a table by key. */
const struct pull_lookup *rig_pull(struct rig *f, const char *sql);
void rig_start(struct rig *f, const struct physical_plan *plan);
void rig_restart(struct rig *f, const struct physical_plan *plan); /* it ran before */
/* A record of text key and JSON value, by hash of the key; NULL: absent. */
void rig_put(struct rig *f, const char *topic, const char *key, const char *value,
             int64_t timestamp_ms);
void rig_put_at(struct rig *f, const char *topic, uint32_t partition, const char *key,
                const char *value, int64_t timestamp_ms);
/* Orders [from, upto): key "o<n>", item "k<n mod 5>", qty n, time n, spread by hash of the key. */
void rig_put_many(struct rig *f, const char *topic, int from, int upto);
void rig_drain(struct rig *f);
/* "key=value@ts" lines of all partitions of a topic in order, read committed. */
struct bytes rig_read(struct rig *f, const char *topic);
uint64_t rig_count(struct rig *f, const char *topic);

#endif
