/*
 * runtime.h: runs queries: slots, readers, tasks, workers, commits, recovery.
 *
 * A runtime belongs to one node. It joins the service's group, owns slots, and for
 * each slot runs the tasks of every query that fall into it (docs/architecture.md).
 * Every change that a task makes - rows written, state, positions - is committed in
 * one log transaction per worker; after a crash or a failed commit all is read back.
 *
 *   threaded   workers, commits, fetching and membership have threads of their own
 *   stepped    nothing runs but inside runtime_step and runtime_drain: the same code,
 *              on the caller's thread and clock; shells and tests
 *
 * Calls are safe from any thread in threaded mode; in stepped mode there is one thread.
 */
#ifndef SLUICE_ENGINE_RUNTIME_RUNTIME_H
#define SLUICE_ENGINE_RUNTIME_RUNTIME_H

#include "engine/operator/op.h"

struct database;
struct runtime;

enum runtime_mode { RUNTIME_STEPPED, RUNTIME_THREADED };

/*
 * AT_LEAST_ONCE does without transactions: rows and state are acknowledged before the positions
 * behind them are written, so a crash in between repeats rows and nothing is lost.
 */
enum runtime_guarantee { EXACTLY_ONCE, AT_LEAST_ONCE };

struct runtime_config {
    struct log *log;
    const struct clock *clock;
    struct bytes service_id;
    struct bytes node_id;       /* stable over restarts where there is a data directory */
    struct bytes client_id;     /* how others reach this node; absent: the node id */
    struct bytes instance_id;   /* the node id where that is stable: a static member; else absent */
    int64_t session_timeout_ms; /* how long a silent node keeps its slots; 0: 6000 */
    enum runtime_guarantee guarantee;
    int64_t retry_first_ms;    /* back-off of a failed query, doubled each time; 0: 15000 */
    int64_t retry_most_ms;     /* 0: 900000 */
    struct database *database; /* for checkpoints of state; NULL: there are none */
    size_t state_memory_bytes; /* of all state, where there is a database; 0: no limit */
    bool is_shared; /* others use the log: for them, and after them, queries have groups */
    uint32_t worker_count;
    uint32_t slot_count;        /* 0: 64 */
    uint32_t batch_rows;        /* rows decoded at once; 0: BATCH_MAX_ROWS */
    uint32_t changelog_entries; /* one of fewer is never written anew; 0: 4000 */
    enum runtime_mode mode;
    /* A record or row was skipped or nulled. Called from workers; may be NULL. */
    void (*skipped)(void *context, struct bytes query_id, const struct row_origin *origin,
                    const char *what, const struct error *err);
    void *context;
};

int runtime_open(const struct runtime_config *config, struct runtime **out, struct error *err);
/* Commits what is done and ends; uncommitted work is read again at the next start. */
void runtime_close(struct runtime *rt);

enum offset_reset { RESET_LATEST, RESET_EARLIEST };
enum query_gate { QUERY_FREE, QUERY_GATED };

struct query_options {
    enum offset_reset reset;
    int64_t commit_interval_ms;
    size_t cache_bytes;       /* emission budget; 0: every update */
    int64_t causal_wait_ms;   /* at most, for a query that gets nowhere; 0: 10 s */
    enum query_gate gate;     /* GATED: reads sources only as far as runtime_open_gate says */
    bool paused;              /* starts as after runtime_pause */
    bool fails_on_unreadable; /* a record that cannot be read stops it, instead of being skipped */
    bool fails_on_timestamp;  /* so does one without a valid time */
    bool ran_before; /* what keeps it from starting puts it into ERROR: it is tried again */
};

/*
 * Starts a query: makes its internal topics, restores what it had, reads on. The plan is
 * borrowed until the query is stopped; so is the queue, where a push query has one.
 */
int runtime_start(struct runtime *rt, const struct physical_plan *plan,
                  const struct query_options *options, struct row_queue *client, struct error *err);
/* Ends a query. Durable state and internal topics go too. ERR_UNKNOWN_QUERY. */
int runtime_stop(struct runtime *rt, struct bytes query_id, struct error *err);

/*
 * A paused query's tasks are detached: they take no more rows, and keep where they stand and what
 * they hold, also over a recovery; pull queries read on. ERR_UNKNOWN_QUERY.
 */
int runtime_pause(struct runtime *rt, struct bytes query_id, struct error *err);
int runtime_resume(struct runtime *rt, struct bytes query_id, struct error *err);

enum query_state { QUERY_RUNNING, QUERY_PAUSED, QUERY_ERROR };

struct query_status {
    enum query_state state;
    struct error error; /* why, in QUERY_ERROR */
    int64_t error_ms;   /* since when */
    uint64_t rows_in;
    uint64_t rows_skipped; /* records and rows that failed */
    uint64_t rows_out;     /* records written to its sink */
    uint32_t task_count;
};

int runtime_query_status(struct runtime *rt, struct bytes query_id, struct query_status *out,
                         struct error *err);

/* How far a task has come in a partition that it reads. */
struct task_position {
    const struct log_topic *topic;
    uint32_t partition;
    bool is_internal; /* a repartition topic of the query's own */
    int64_t begin;    /* of the log now; so the next; -1: the log does not say */
    int64_t end;
    int64_t committed; /* -1: nothing yet */
    uint64_t rows_in;  /* since the task began to run here; so the next */
    uint64_t rows_skipped;
};

/* A task of a query on this node. */
struct task_status {
    uint32_t sub;
    uint32_t partition;
    struct task_position *positions; /* by input */
    uint32_t position_count;
    int64_t active_ms; /* when it last committed rows; 0: not yet */
};

/* By sub-topology and partition; in the arena. Any thread. ERR_UNKNOWN_QUERY. */
int runtime_list_tasks(struct runtime *rt, struct bytes query_id, struct arena *arena,
                       struct task_status **out, uint32_t *count, struct error *err);

/*
 * Work that is no query's is shared out over the service's nodes as queries' tasks are: piece by
 * piece, by slot. Joining is part of starting a durable query; nothing happens the second time.
 */
enum placement { PLACED_NOWHERE, PLACED_HERE, PLACED_ELSEWHERE }; /* nowhere: nobody says yet */
int runtime_join(struct runtime *rt, struct error *err);
/* From any thread, and it waits for nothing. */
enum placement runtime_place(struct runtime *rt, struct bytes name, uint32_t number);

/* --- the nodes of the service, as its group has them now --- */

struct cluster_partition {
    struct bytes topic;
    uint32_t partition;
};

/* State that a node has in memory: all of its changelog, whose end this is. */
struct cluster_store {
    struct bytes name;
    uint32_t partition;
    int64_t end;
};

/* What a node runs of a query. */
struct cluster_query {
    struct bytes id;
    const struct cluster_partition *partitions; /* that it reads */
    uint32_t partition_count;
    const struct cluster_store *stores;
    uint32_t store_count;
};

struct cluster_node {
    struct bytes client_id;
    const struct cluster_query *queries;
    uint32_t query_count;
};

/* Durable queries that run, by node; in the arena. Asks the log, and waits for it. Any thread. */
int runtime_list_nodes(struct runtime *rt, struct arena *arena, struct cluster_node **out,
                       uint32_t *count, struct error *err);

/* Stepped: does a bounded piece of work; false when there was nothing to do. */
bool runtime_step(struct runtime *rt);
/* Until everything that is in the log is read, emitted and committed. */
int runtime_drain(struct runtime *rt, struct error *err);

/* Stepped, gated queries: the source topic may be read below this offset. */
int runtime_open_gate(struct runtime *rt, struct bytes query_id, const struct log_topic *topic,
                      uint32_t partition, int64_t below, struct error *err);
/* Stepped: forgets all live state as a crash would, and recovers from the log. */
int runtime_crash(struct runtime *rt, struct error *err);

/* Rows of a pull query on a table, copied into the arena: result columns side by side. */
struct pull_rows {
    const struct value *cells;
    const int64_t *timestamps;
    uint32_t row_count;
};
/* Where a pull query stands between two calls. Zeroed it stands at the beginning. */
struct pull_cursor {
    uint32_t key;         /* the next one to look up */
    uint32_t partition;   /* that is scanned */
    bool has_after;       /* in it: */
    struct buffer after;  /* the last key that was seen */
    uint64_t found;       /* rows so far */
    bool done;            /* there are no more rows */
    bool limited;         /* because of LIMIT */
    const uint32_t *only; /* these partitions alone; NULL: all */
    uint32_t only_count;
    bool notes_away; /* partitions of other nodes are passed over, into the list below */
    uint32_t *away;
    uint32_t away_count, away_capacity;
};
/*
 * Some of the rows, perhaps none, and moves the cursor. Each call is a bounded piece of work for
 * the workers; between two of them the query may be stopped: ERR_UNKNOWN_QUERY. A partition that
 * is not here, and is not to be noted, is ERR_LOG_UNAVAILABLE.
 */
int runtime_pull(struct runtime *rt, const struct pull_lookup *lookup, struct pull_cursor *cursor,
                 struct arena *arena, struct pull_rows *out, struct error *err);
void pull_cursor_fini(struct pull_cursor *cursor);
/*
 * The nodes that have these partitions of the table's state, as the group knows them: by client id,
 * in the arena. ERR_LOG_UNAVAILABLE: one has nobody, or is this node's and still being recovered.
 */
int runtime_find_pull_nodes(struct runtime *rt, struct bytes query_id, const uint32_t *partitions,
                            uint32_t count, struct arena *arena, struct bytes *nodes,
                            struct error *err);

/*
 * A pull query on a stream: reads what the stream holds when it is opened, pushes it through the
 * plan (plan_stream_pull) on the caller's thread, into the queue. No task, no transaction. The
 * plan, the queue and the skipped context outlive it. Of the options only those count that say
 * what becomes of bad records.
 */
struct stream_pull;
int stream_pull_open(struct runtime *rt, const struct physical_plan *plan,
                     const struct query_options *options, struct row_queue *queue,
                     struct stream_pull **out, struct error *err);
/* Waits for a block at most that long; *done is set when everything was read. */
int stream_pull_step(struct stream_pull *pull, int64_t wait_ms, bool *done, struct error *err);
void stream_pull_close(struct stream_pull *pull);

#endif
