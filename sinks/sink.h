/*
 * sink.h: what a kind of sink does: rows of topics into another system.
 *
 * A connector's task owns a sink and calls it from its own thread alone:
 *
 *   start -> { write ... flush } ... -> stop
 *
 * What start was given are the partitions that the task reads, and start says where to go on:
 * a target that can keep positions with the rows is the only truth about them. Write may
 * buffer. Once flush has returned 0 the rows and the positions in `upto` are durable together.
 * After an error of start, write or flush only stop may be called; what was not flushed will
 * come again after the next start.
 *
 * Errors: ERR_SINK_UNAVAILABLE and ERR_FENCED are retried with back-off; anything else stops
 * the task. A row that the target refuses goes to sink_refuse, which says whether to go on.
 *
 * Kinds are rows of sinks.def.
 */
#ifndef SLUICE_SINKS_SINK_H
#define SLUICE_SINKS_SINK_H

#include <stdatomic.h>

#include "base/clock.h"
#include "engine/type/row_batch.h"
#include "sinks/options.h"

/* Where reading stands in one partition. */
struct position_at {
    struct bytes topic;
    uint32_t partition;
    int64_t offset;       /* the next one to read */
    uint64_t incarnation; /* of the topic */
    int is_fresh;         /* 1: what the target holds is of an earlier topic of that name */
};

struct positions {
    struct position_at *items;
    uint32_t count;
};

enum { SINK_NAME_MAX = 64 };

/* What a target says beside the message of a row that it refused; "": nothing. */
struct sink_refusal {
    char state[6]; /* SQLSTATE */
    char table[SINK_NAME_MAX];
    char column[SINK_NAME_MAX];
    char constraint[SINK_NAME_MAX];
};

struct sink {
    const struct sink_kind *kind;
    void *state; /* the kind's own */
    struct bytes connector;
    struct options options;          /* references resolved */
    bool keeps_positions;            /* set by start: the target holds them */
    bool may_retry_at_once;          /* set by stop: what failed may work the very next time */
    const _Atomic bool *interrupted; /* set: waiting must end, with ERR_SINK_UNAVAILABLE */
    int64_t answer_within_ms;        /* so must a single wait behind this; 0: never */
    struct sink_refusal refusal;     /* set before refuse is called */
    /* A row cannot be written: 0 when it was taken care of and the others should go on. */
    int (*refuse)(void *context, const struct row_origin *row, const struct error *why,
                  struct error *err);
    void *context;
};

struct sink_patience {
    int64_t retries;    /* in a row, without a row written; -1: no end */
    int64_t backoff_ms; /* first wait */
    int64_t longest_ms; /* waits double up to here */
};

struct sink_kind {
    const char *const *classes;        /* of connector.class; NULL at the end; the first is shown */
    const struct option_spec *options; /* name NULL at the end */
    /* What the table of options cannot say, and of which; NULL: nothing. No network. */
    int (*check)(const struct options *options, const char **option, struct error *err);
    /* How often and how long to wait after ERR_SINK_UNAVAILABLE. */
    void (*patience)(const struct options *options, struct sink_patience *out);
    /*
     * Takes over from whoever wrote under this name before. `from` comes with where to begin;
     * offsets that the target has replace it.
     */
    int (*start)(struct sink *s, struct positions *from, struct error *err);
    /* Rows of one partition; the batch is borrowed for the call, its shape until stop. */
    int (*write)(struct sink *s, const struct row_batch *in, struct error *err);
    int (*flush)(struct sink *s, const struct positions *upto, struct error *err);
    /* Gives up what was not flushed; after a failed start too. */
    void (*stop)(struct sink *s);
};

extern const struct sink_kind *const all_sinks[]; /* NULL at the end */

/* By connector.class: full or simple name, with or without "Connector" behind; NULL: none. */
const struct sink_kind *sink_find(struct bytes class_name);

#endif
