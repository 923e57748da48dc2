/*
 * op.h: operators: batches in, batches out.
 *
 * Split invariance: for any way of cutting the input into batches an operator
 * emits the same rows in the same order. Stateful ones go row by row; stream time
 * is each instance's own. An operator holds no locks, reads no clock and
 * knows its neighbours only through op_emit.
 *
 * push fails only for errors that stop the query; a bad row goes to op_row_error.
 */
#ifndef SLUICE_ENGINE_OPERATOR_OP_H
#define SLUICE_ENGINE_OPERATOR_OP_H

#include "engine/plan/plan.h"
#include "engine/state/store.h"

struct op;
struct row_queue;

/* One topic that the task writes; builders by partition, drained by whoever runs the task. */
struct op_output {
    struct log_builder *builders;
    uint32_t partition_count;
    uint64_t *touched;    /* bit per partition: its builder has records */
    uint64_t round_robin; /* for null keys */
};

/* What surrounds the operators of one task: made by the runtime, and by tests. */
struct op_env {
    struct arena *arena; /* of the task: operator state that lives with it */
    const struct physical_plan *plan;
    uint32_t partition;
    struct store *const *stores; /* by index into plan->stores; NULL where not the task's */
    struct op_output *outputs;   /* by index into plan->outputs */
    struct row_queue *client;    /* PLAN_CLIENT's end */
    size_t emission_budget;      /* cache.max.bytes.buffering; 0: emit every update */
    /* A row was left out or got a null; for the processing log. Never NULL. */
    void (*row_error)(struct op_env *env, const struct op *op, const struct row_origin *origin,
                      const char *what, const struct error *err);
    /* Behind each batch that went to the outputs: whether they give way. NULL: they keep all. */
    int (*drain)(struct op_env *env, struct error *err);
    void *context;
};

struct op_kind {
    const char *name;         /* in EXPLAIN and metrics */
    enum plan_tag implements; /* the plan node it runs */
    size_t state_size;        /* zeroed, one per instance */
    int (*open)(struct op *op, struct error *err);
    /* From progress; NULL: keeps nothing there. */
    int (*restore)(struct op *op, struct bytes metadata, struct error *err);
    int (*push)(struct op *op, unsigned port, const struct row_batch *in, struct error *err);
    int (*tick)(struct op *op, int64_t now_ms, struct error *err); /* NULL: no throttles */
    /* Emits what is buffered; durability is commit's. NULL: buffers nothing. */
    int (*flush)(struct op *op, struct error *err);
    /* Appends what restore wants back. NULL as restore. */
    void (*save)(struct op *op, struct buffer *metadata);
    /*
     * The row of an entry of its store, as it would be emitted: the cells of plan->output.
     * Text may point into the image. For pull queries; NULL: has no store.
     */
    int (*read)(struct op *op, struct bytes image, struct value *cells, struct arena *arena,
                struct error *err);
    void (*close)(struct op *op); /* after a failed open too */
};

struct op {
    const struct op_kind *kind;
    const struct op_plan *plan;
    struct op_env *env;
    struct op *next; /* NULL at an end */
    void *state;
};

/* The operators of one sub-topology, in plan order. */
struct op_chain {
    struct op *ops;
    uint32_t op_count;
};

const struct op_kind *op_kind_for(enum plan_tag tag);
extern const struct op_kind *const all_operators[]; /* NULL at the end */

int op_chain_open(struct op_chain *chain, const struct sub_plan *plan, struct op_env *env,
                  struct error *err);
void op_chain_close(struct op_chain *chain);
int op_chain_push(struct op_chain *chain, const struct input_plan *input,
                  const struct row_batch *batch, struct error *err);
/* All operators, in topological order. */
int op_chain_flush(struct op_chain *chain, struct error *err);
int op_chain_tick(struct op_chain *chain, int64_t now_ms, struct error *err);
int op_chain_restore(struct op_chain *chain, struct bytes metadata, struct error *err);
void op_chain_save(struct op_chain *chain, struct buffer *metadata);

/* --- for operators --- */

static inline void *op_state(struct op *op)
{
    return op->state;
}

/* Hands a batch on; the successor's errors come back. */
static inline int op_emit(struct op *op, const struct row_batch *batch, struct error *err)
{
    return op->next->kind->push(op->next, op->plan->next_port, batch, err);
}

void op_row_error(struct op *op, const struct row_batch *in, uint32_t row, const char *what,
                  const struct error *err);

/*
 * Input decoding, the same for every kind of input: blocks of a source's records or of
 * a repartition topic become batches. One per reader; tasks share the batches.
 */
struct input_decoder;
struct input_decoder_spec {
    const struct source *source;          /* or NULL: a repartition topic */
    const bool *wanted;                   /* source */
    const struct input_plan *repartition; /* else */
    const char *topic_name;
    /* A record could not be read: logged and counted by each task that would have got it. */
    void (*failed)(void *context, const struct row_origin *origin, enum format_side side,
                   const struct error *err);
    void *context;
};
int input_decoder_open(const struct input_decoder_spec *spec, struct input_decoder **out,
                       struct error *err);
void input_decoder_close(struct input_decoder *decoder);
/* The shape of its batches: the source's columns by number (input_plan.shape agrees). */
const struct row_shape *input_decoder_shape(const struct input_decoder *decoder);
/*
 * Decodes records [first, first + count) of the block, count <= BATCH_MAX_ROWS, into a batch in the
 * arena. Bad records are not selected. The block must outlive the batch.
 */
const struct row_batch *input_decoder_decode(struct input_decoder *decoder,
                                             const struct log_block *block, uint32_t first,
                                             uint32_t count, struct arena *arena);

/* A part of a batch: rows [first, first + count), nothing copied. */
const struct row_batch *batch_slice(const struct row_batch *batch, uint32_t first, uint32_t count,
                                    struct arena *arena);

/* --- the client's end --- */

struct client_row {
    struct bytes image; /* row codec of client_plan; absent: a tombstone of `key_image` */
    int64_t timestamp_ms;
};

/* A bounded queue of row images between a worker and one client; full means the task is detached.
 */
struct row_queue *row_queue_create(size_t budget_bytes);
void row_queue_destroy(struct row_queue *queue);
/* Worker: before a run. Never again when it is finished or closed: more rows are for nobody. */
bool row_queue_has_room(struct row_queue *queue);
/* Of all rows that are ever put; then it finishes by itself. Only the first call counts. */
void row_queue_limit(struct row_queue *queue, uint64_t rows);
void row_queue_put(struct row_queue *queue, struct bytes image, bool tombstone,
                   int64_t timestamp_ms);
void row_queue_finish(struct row_queue *queue, const char *message); /* "Limit Reached" */
/*
 * The next row into the arena; false when nothing came in time. *finished is set when
 * there will never be more. Any thread.
 */
bool row_queue_take(struct row_queue *queue, int64_t wait_ms, struct arena *arena,
                    struct client_row *out, bool *tombstone, bool *finished);
const char *row_queue_message(struct row_queue *queue);
void row_queue_close(struct row_queue *queue); /* the client has gone */
bool row_queue_is_closed(struct row_queue *queue);

#endif
