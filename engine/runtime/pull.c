/*
 * pull.c: rows of a table by key, from the live state of the task that owns it.
 *
 * The owner answers between two runs: the entry of its store goes through the same stages
 * as an update would, on a chain of its own that ends at a collector instead of the
 * sink, and then through the pull query's program. One thread owns the store, so
 * an answer is never torn, and costs the query nothing but the time it takes. It is
 * given while a commit is under way, too: that changes no store.
 */
#include <assert.h>
#include <string.h>

#include "engine/runtime/runtime_internal.h"

struct pull_request {
    const struct pull_lookup *lookup;
    struct query *query;
    struct bytes key;
    uint32_t partition;
    struct arena *arena; /* of the caller, who waits */
    struct value *cells; /* out: result columns */
    int64_t timestamp_ms;
    bool found;
    struct error *err;
    int code;
};

/* The end of the chain: the table's row, as the sink would have written it. */
struct collect_state {
    const struct topic_plan *sink;
    struct value *row; /* cells in schema order */
    int64_t timestamp_ms;
    bool found;
};

static int collect_push(struct op *op, unsigned port, const struct row_batch *in, struct error *err)
{
    struct collect_state *state = op->state;

    (void)port; /* an end has one */
    (void)err;  /* nothing can fail */
    for (uint32_t i = 0; i < in->selected_count; i++) {
        uint32_t row = batch_selected(in, i);
        struct row_banks banks = batch_row_new(in, row);
        uint32_t at = 0;

        if (!(in->meta[row].change & ROW_HAS_NEW)) {
            continue;
        }
        for (uint32_t k = 0; k < state->sink->key.column_count; k++) {
            state->row[at++] = *banks_value(&banks, state->sink->key.at[k]);
        }
        for (uint32_t v = 0; v < state->sink->value.column_count; v++) {
            state->row[at++] = *banks_value(&banks, state->sink->value.at[v]);
        }
        state->timestamp_ms = in->meta[row].timestamp_ms;
        state->found = true;
    }
    return 0;
}

static const struct op_kind op_collect = { .name = "collect", .push = collect_push };

static void pull_failed(struct op_env *env, const struct op *op, const struct row_origin *origin,
                        const char *what, const struct error *err)
{
    (void)env; /* a column that fails is null, as it is in the sink: logged when it was written */
    (void)op;
    (void)origin;
    (void)what;
    (void)err;
}

/* The stages between the store and the sink, opened anew for this one row. */
struct pull_chain {
    struct op *ops;
    uint32_t op_count;
    struct op_env env;
    struct collect_state collect;
};

static int open_stages(struct pull_chain *chain, const struct task *task, struct arena *arena,
                       struct error *err)
{
    const struct sub_plan *sub = task->sub;
    uint32_t index = task->query->plan->pull.first_op;

    chain->env =
        (struct op_env){ .arena = arena, .plan = task->query->plan, .row_error = pull_failed };
    chain->ops = arena_array(arena, struct op, sub->op_count + 1);
    while (sub->ops[index].tag == PLAN_STAGE) {
        struct op *op = &chain->ops[chain->op_count++];

        op->kind = op_kind_for(PLAN_STAGE);
        op->plan = &sub->ops[index];
        op->env = &chain->env;
        op->next = op + 1;
        op->state = arena_zalloc(arena, op->kind->state_size);
        TRY(op->kind->open ? op->kind->open(op, err) : 0);
        index = sub->ops[index].next;
    }
    assert(sub->ops[index].tag == PLAN_TOPIC);
    chain->collect.sink = &sub->ops[index].topic;
    chain->collect.row = arena_array(arena, struct value,
                                     chain->collect.sink->key.column_count +
                                         chain->collect.sink->value.column_count);
    chain->ops[chain->op_count].kind = &op_collect;
    chain->ops[chain->op_count].state = &chain->collect;
    return 0;
}

static void close_stages(struct pull_chain *chain)
{
    for (uint32_t i = 0; i < chain->op_count; i++) {
        if (chain->ops[i].kind->close) {
            chain->ops[i].kind->close(&chain->ops[i]);
        }
    }
}

/* The operator that owns the store the table is read from. */
static struct op *find_reader_op(const struct task *task)
{
    for (uint32_t i = 0; i < task->chain.op_count; i++) {
        struct op *op = &task->chain.ops[i];

        if (op->kind->read && op->plan->next == task->query->plan->pull.first_op) {
            return op;
        }
    }
    return NULL;
}

static int read_row(const struct task *task, const struct store_entry *entry, struct arena *arena,
                    struct pull_chain *chain, struct error *err)
{
    struct op *reader = find_reader_op(task);
    const struct row_shape *shape = reader->plan->output;
    struct row_meta meta = { .timestamp_ms = entry->timestamp_ms, .change = ROW_HAS_NEW };
    struct row_origin origin = { .topic = "" };
    struct value *cells = arena_array(arena, struct value, shape->cell_count + 1);
    struct row_batch batch = { .shape = shape,
                               .row_count = 1,
                               .selected_count = 1,
                               .cells = cells,
                               .meta = &meta,
                               .origins = &origin,
                               .arena = arena };

    TRY(reader->kind->read(reader, entry->image, cells, arena, err));
    TRY(open_stages(chain, task, arena, err));
    return chain->ops[0].kind->push(&chain->ops[0], 0, &batch, err);
}

/* WHERE and projection of the pull query itself. */
static void project(struct pull_request *request, const struct collect_state *row)
{
    const struct pull_lookup *lookup = request->lookup;
    uint32_t registers = program_register_count(lookup->program);
    struct row_meta meta = { .timestamp_ms = row->timestamp_ms, .change = ROW_HAS_NEW };
    struct row_origin origin = { .topic = "" };
    struct program_row in = { .meta = &meta, .origin = &origin };
    struct program_context context = { .arena = request->arena };

    in.registers = arena_array(request->arena, struct value, registers + 1);
    in.banks.at[BANK_CELLS] = row->row;
    in.banks.at[BANK_REGISTERS] = in.registers;
    in.banks.at[BANK_CONSTANTS] = program_constants(lookup->program);
    if (!program_run(lookup->program, &in, &context)) {
        return;
    }
    request->cells = arena_array(request->arena, struct value, lookup->output->column_count);
    for (uint32_t i = 0; i < lookup->output->column_count; i++) {
        const struct shape_column *column = &lookup->output->columns[i];

        request->cells[i] =
            value_copy(banks_value(&in.banks, column->at), column->type, request->arena);
    }
    request->timestamp_ms = row->timestamp_ms;
    request->found = true;
}

static struct task *find_task(const struct worker *worker, const struct pull_request *request)
{
    for (struct task *task = worker->tasks; task; task = task->next) {
        if (task->query == request->query && task->partition == request->partition &&
            task->sub_index == request->query->plan->pull.sub) {
            return task;
        }
    }
    return NULL;
}

static void answer(struct worker *worker, void *context)
{
    struct pull_request *request = context;
    struct task *task = find_task(worker, request);
    struct pull_chain chain = { 0 };
    struct store_entry entry;
    struct bytes image;

    if (!task) {
        request->code = error_set(request->err, ERR_LOG_UNAVAILABLE, NO_POSITION,
                                  "The state of query '%.*s' is being recovered; ask again",
                                  BYTES_ARG(request->query->plan->query_id));
        return;
    }
    if (!store_get(task->stores[request->query->plan->pull.store], request->key, &entry)) {
        return;
    }
    image = arena_copy(request->arena, entry.image);
    entry.image = image; /* results point into it and outlive this call */
    request->code = read_row(task, &entry, request->arena, &chain, request->err);
    if (!request->code && chain.collect.found) {
        project(request, &chain.collect);
    }
    close_stages(&chain);
}

static int pull_locked(struct runtime *rt, const struct pull_lookup *lookup, struct arena *arena,
                       struct pull_rows *out, struct error *err)
{
    struct query *query = map_find(&rt->queries, lookup->query_id);
    struct value *cells;
    int64_t *timestamps;
    uint32_t width = lookup->output->column_count, found = 0;

    if (!query) {
        return error_set(err, ERR_UNKNOWN_QUERY, NO_POSITION, "There is no query '%.*s'",
                         BYTES_ARG(lookup->query_id));
    }
    cells = arena_array(arena, struct value, (size_t)lookup->key_count * width + 1);
    timestamps = arena_array(arena, int64_t, lookup->key_count + 1);
    for (uint32_t i = 0; i < lookup->key_count; i++) {
        struct pull_request request = {
            .lookup = lookup, .query = query, .key = lookup->keys[i], .arena = arena, .err = err
        };
        uint32_t slot;

        if (lookup->limit >= 0 && found >= (uint64_t)lookup->limit) {
            break;
        }
        request.partition =
            log_partition_of(request.key, query->task_counts[query->plan->pull.sub]);
        slot = slot_of(rt, query->plan->subs[query->plan->pull.sub].root_topic, request.partition);
        worker_ask(&rt->workers[slot % rt->worker_count], answer, &request);
        TRY(request.code);
        if (request.found) {
            memcpy(&cells[(size_t)found * width], request.cells, width * sizeof *cells);
            timestamps[found++] = request.timestamp_ms;
        }
    }
    *out = (struct pull_rows){ cells, timestamps, found };
    return 0;
}

int runtime_pull(struct runtime *rt, const struct pull_lookup *lookup, struct arena *arena,
                 struct pull_rows *out, struct error *err)
{
    int code;

    pthread_mutex_lock(&rt->mutex);
    code = pull_locked(rt, lookup, arena, out, err);
    pthread_mutex_unlock(&rt->mutex);
    return code;
}
