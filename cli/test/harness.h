/*
 * harness.h: what every kind of test case needs: an engine on a log in memory or in a directory of
 * its own, under a virtual clock, in the conformance mode of queries.md 0.
 *
 * The harness remembers which stream or table describes each topic, and the order in which
 * queries came to be, while statements run: both may be gone again when records are compared.
 */
#ifndef SLUICE_CLI_TEST_HARNESS_H
#define SLUICE_CLI_TEST_HARNESS_H

#include "base/scratch_directory.h"
#include "base/vec.h"
#include "cli/test/options.h"
#include "engine/command/engine.h"

/* How the records of a topic are written. */
struct topic_form {
    struct bytes topic;
    const struct source *source; /* a copy; NULL: only the formats below are known */
    const struct format_kind *key_format;
    const struct format_kind *value_format;
};

struct harness {
    struct arena arena;
    struct clock clock;
    char directory[SCRATCH_PATH_MAX]; /* of the database; empty: all is in memory */
    struct database *database;
    struct log *log;
    struct engine *engine;
    struct session *session;
    VEC(struct topic_form) forms;
    VEC(struct bytes) queries; /* ids in order of creation, those since dropped too */
    struct buffer skipped;     /* what was left out, for the report of a failing case */
    uint32_t skipped_count;
};

/* After a failure too, harness_close is due. */
int harness_open(struct harness *h, const struct test_options *options, enum query_gate gate,
                 struct error *err);
/* The same with threads and a real clock, as a server has them. */
int harness_open_threaded(struct harness *h, struct error *err);
void harness_close(struct harness *h);
/* A property of the session; NULL values of a file are the caller's to drop. */
int harness_set(struct harness *h, struct bytes name, struct bytes value, struct error *err);
/* Runs one statement and looks at what it made. */
int harness_execute(struct harness *h, struct bytes statement, struct error *err);
/* Looks at what statements have made that did not come through harness_execute. */
void harness_note(struct harness *h);
/* ERR_QUERY_FAILED with the reason when a query stopped. */
int harness_check_queries(struct harness *h, struct error *err);

const struct topic_form *harness_form(const struct harness *h, struct bytes topic); /* or NULL */
/* A topic that exists before the statements: formats may be NULL. */
int harness_add_topic(struct harness *h, struct bytes name, uint32_t partition_count,
                      const struct format_kind *key, const struct format_kind *value,
                      struct error *err);
/* Opens a topic, making it with one partition where it does not exist. */
int harness_topic(struct harness *h, struct bytes name, const struct log_topic **out,
                  struct error *err);

/* A record as it lies on the log; everything in the harness's arena. */
struct kept_record {
    uint32_t partition;
    int64_t offset;
    int64_t timestamp_ms;
    struct bytes key;
    struct bytes value;
    const struct record_header *headers;
    uint32_t header_count;
};

int harness_append(struct harness *h, const struct log_topic *topic,
                   const struct kept_record *record, int64_t *offset, struct error *err);
/* All committed records of a topic, partition by partition; none when it does not exist. */
int harness_read(struct harness *h, struct bytes topic, struct kept_record **out, uint32_t *count,
                 struct error *err);

#endif
