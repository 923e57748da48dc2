/*
 * causal.h: joins that wait for what derives from their stream (plan.h: lineage_plan).
 *
 *   standing.c   where the tasks of each query stand, for others to see
 *   gate.c       of a join's task: how far its stream may be joined now
 *   lookout.c    watches the lineage of the gates that are shut, hop by hop
 *
 * A worker shuts a gate and looks at it again whenever its task might run; it never waits. The
 * lookout asks the log, which may take a while, so in threaded mode it has a thread.
 */
#ifndef SLUICE_ENGINE_RUNTIME_CAUSAL_H
#define SLUICE_ENGINE_RUNTIME_CAUSAL_H

#include "engine/runtime/runtime_internal.h"

/* --- standing.c --- */

/* Of one input of a sub-topology on one partition. */
struct stand {
    int64_t committed; /* read and committed below; -1: not known */
    int64_t
        attempted; /* what the log shows of its results derives from below; INT64_MAX: unknown */
};

/* The query's, made when there is none yet, as it may start later; with a reference. */
struct standing *standing_get(struct runtime *rt, struct bytes query_id);
void standing_unref(struct runtime *rt, struct standing *standing); /* NULL is fine */
/* A place for every input of every task that the query has. */
void standing_lay_out(struct standing *standing, const struct query *query);
struct stand standing_of(struct standing *standing, const struct lineage_reader *reader,
                         uint32_t partition);
void standing_set(struct standing *standing, const struct lineage_reader *reader,
                  uint32_t partition, const struct stand *stand);
/* Somebody's join waits for the query, or does no more. */
void standing_await(struct standing *standing, int change);
bool standing_is_awaited(const struct standing *standing);
/* By the task's worker: it is about to commit; it has committed, or has nothing to commit. */
void standing_attempt(const struct task *task);
void standing_publish(const struct task *task);
void standing_leave(const struct task *task); /* it is not here any more */

/* --- gate.c --- */

enum gate_phase {
    GATE_OPEN,    /* below `cleared` */
    GATE_ASKED,   /* the lookout is at it */
    GATE_READING, /* until the tables are read up to their marks */
    GATE_LEFT     /* the task is gone */
};

/* What the lookout knows of a hop, over several waits. */
struct hop_watch {
    struct standing *standing;
    int64_t sum;      /* of the positions when last looked at */
    int64_t since_ms; /* since when it does not move although it should; -1: it is not behind */
    bool given_up;    /* and has been logged */
};

struct gate_input {
    const struct log_topic *topic;
    struct log *log;
    bool is_stream;
    int64_t target; /* of a stream: cleared below, once the gate opens */
    int64_t mark;   /* of a table: read up to here first */
};

/*
 * Two hold it: the task, and the lookout while it watches. Targets, marks and what stands below
 * are the lookout's while the phase is GATE_ASKED, else the task's.
 */
struct causal_gate {
    struct causal_gate *next; /* of the lookout's */
    bool is_listed;           /* there; under its mutex */
    struct runtime *rt;
    struct worker *worker;
    const struct lineage_plan *lineage;
    struct bytes query_id;
    uint32_t partition;
    int64_t max_wait_ms;
    struct arena arena;
    _Atomic uint32_t references;
    _Atomic int phase;
    struct gate_input *inputs;
    uint32_t input_count;
    bool has_begun;     /* targets and bounds are found */
    uint32_t hop;       /* the next to look at */
    int64_t **required; /* per topic and partition: what has to have passed */
    uint32_t *counts;   /* per topic: for how many partitions there is room */
    struct log **logs;  /* per topic */
    const struct log_topic **topics;
    struct hop_watch *hops;
    struct standing **feeds; /* of all topics, in order */
    uint32_t feed_count;
    int64_t asked_us; /* when other nodes' progress was read last */
};

/* NULL where nothing waits: the plan is not causal, or the query is gated. */
struct causal_gate *gate_create(struct task *task);
void gate_leave(struct causal_gate *gate); /* the task goes; NULL is fine */
void gate_unref(struct causal_gate *gate);
/* Of a task with a gate, before it chooses what to run: heads are known. Moves `cleared`. */
void gate_look(struct task *task);
/* Tables that are behind their marks go first; NULL gate: no. */
bool gate_is_reading(const struct task *task);
bool gate_is_behind(const struct task *task, const struct task_input *input);
int64_t gate_mark(const struct task *task, const struct task_input *input);

/* --- lookout.c --- */

struct lookout;

struct lookout *lookout_create(struct runtime *rt);
void lookout_destroy(struct lookout *lookout);                         /* its thread has ended */
void lookout_watch(struct lookout *lookout, struct causal_gate *gate); /* takes a reference */
/* Something has been committed or read: those that wait may go on. Any thread. */
void lookout_notice(struct lookout *lookout);
/* Looks at all once; false: none has come further. Stepped: under rt->mutex. */
bool lookout_step(struct lookout *lookout);
int lookout_start_thread(struct lookout *lookout);
void lookout_stop_thread(struct lookout *lookout);

#endif
