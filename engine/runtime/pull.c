/*
 * pull.c: rows of a table, by key or by scan, from the live state of the tasks that own it.
 *
 * The owner answers between two runs: an entry of its store goes through the same stages
 * as an update would, on a chain of its own that ends at a collector instead of the
 * sink, and then through the pull query's program. One thread owns the store, so
 * a row is never torn, and costs the query nothing but the time it takes. It is
 * given while a commit is under way, too: that changes no store.
 *
 * A scan goes partition by partition and in slices, each a request of its own, with the last key
 * seen as the cursor between them: other work of the owner runs in between, and a row that
 * changes meanwhile is seen as it is when the cursor comes by.
 *
 * What other nodes have is only noted, for whoever asks to ask them.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "engine/runtime/runtime_internal.h"

enum { SLICE_ENTRIES = 256, SLICE_KEYS = 64 };

/* What a worker is asked: one key, or a slice of a scan. */
struct pull_request {
    const struct pull_lookup *lookup;
    struct query *query;
    struct bytes key; /* PULL_KEYS */
    struct pull_cursor *cursor;
    uint32_t partition;
    struct arena *arena; /* of the caller, who waits */
    struct value *cells; /* out: result columns, row by row; so the next two */
    int64_t *timestamps;
    uint32_t found;
    struct error *err;
    int code;
};

/*
 * The end of the chain: the table's row, as the sink would have written it, or, where there is
 * none, as the store has it.
 */
struct collect_state {
    const struct topic_plan *sink; /* NULL: none */
    struct value *row;             /* cells in schema order */
    int64_t timestamp_ms;
    bool found;
};

static void collect_row(struct collect_state *state, const struct row_banks *banks,
                        const struct row_shape *shape)
{
    uint32_t at = 0;

    for (uint32_t c = 0; !state->sink && c < shape->column_count; c++) {
        state->row[at++] = *banks_value(banks, shape->columns[c].at);
    }
    for (uint32_t k = 0; state->sink && k < state->sink->key.column_count; k++) {
        state->row[at++] = *banks_value(banks, state->sink->key.at[k]);
    }
    for (uint32_t v = 0; state->sink && v < state->sink->value.column_count; v++) {
        state->row[at++] = *banks_value(banks, state->sink->value.at[v]);
    }
}

static int collect_push(struct op *op, unsigned port, const struct row_batch *in, struct error *err)
{
    struct collect_state *state = op->state;

    (void)port; /* an end has one */
    (void)err;  /* nothing can fail */
    for (uint32_t i = 0; i < in->selected_count; i++) {
        uint32_t row = batch_selected(in, i);
        struct row_banks banks = batch_row_new(in, row);

        if (!(in->meta[row].change & ROW_HAS_NEW)) {
            continue;
        }
        collect_row(state, &banks, in->shape);
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

static int open_stages(struct pull_chain *chain, const struct task *task, const struct op *reader,
                       struct arena *arena, struct error *err)
{
    const struct sub_plan *sub = task->sub;
    uint32_t index = task->query->plan->pull.first_op;
    uint32_t width = 0;

    chain->env =
        (struct op_env){ .arena = arena, .plan = task->query->plan, .row_error = pull_failed };
    chain->ops = arena_array(arena, struct op, sub->op_count + 1);
    while (index != NO_OP && sub->ops[index].tag == PLAN_STAGE) {
        struct op *op = &chain->ops[chain->op_count++];

        op->kind = op_kind_for(PLAN_STAGE);
        op->plan = &sub->ops[index];
        op->env = &chain->env;
        op->next = op + 1;
        op->state = arena_zalloc(arena, op->kind->state_size);
        TRY(op->kind->open ? op->kind->open(op, err) : 0);
        index = sub->ops[index].next;
    }
    if (index == NO_OP) {
        width = reader->plan->output->column_count;
    } else {
        assert(sub->ops[index].tag == PLAN_TOPIC);
        chain->collect.sink = &sub->ops[index].topic;
        width = chain->collect.sink->key.column_count + chain->collect.sink->value.column_count;
    }
    chain->collect.row = arena_array(arena, struct value, width);
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

/* --- a row on its way --- */

/* Read, through the stages, into the collector. */
static int read_row(struct pull_chain *chain, struct op *reader, const struct store_entry *entry,
                    struct arena *arena, struct error *err)
{
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

    chain->collect.found = false;
    TRY(reader->kind->read(reader, entry->image, cells, arena, err));
    return chain->ops[0].kind->push(&chain->ops[0], 0, &batch, err);
}

/* WHERE and projection of the pull query itself. */
static void project(struct pull_request *request, const struct collect_state *row)
{
    const struct pull_lookup *lookup = request->lookup;
    uint32_t registers = program_register_count(lookup->program);
    uint32_t width = lookup->output->column_count;
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
    for (uint32_t i = 0; i < width; i++) {
        const struct shape_column *column = &lookup->output->columns[i];

        request->cells[(size_t)request->found * width + i] =
            value_copy(banks_value(&in.banks, column->at), column->type, request->arena);
    }
    request->timestamps[request->found++] = row->timestamp_ms;
}

/* --- on the worker --- */

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

static uint32_t find_entries(struct pull_request *request, struct store *store,
                             struct store_item *items)
{
    struct pull_cursor *cursor = request->cursor;
    struct store_range range = request->lookup->range;

    if (request->lookup->access == PULL_KEYS) {
        return store_get(store, request->key, &items[0].entry) ? 1 : 0;
    }
    if (cursor->has_after) {
        range.from = buffer_bytes(&cursor->after);
        range.after_from = true;
    }
    return store_scan(store, &range, items, SLICE_ENTRIES);
}

static bool is_enough(const struct pull_request *request)
{
    int64_t limit = request->lookup->limit;

    return limit >= 0 && request->cursor->found + request->found >= (uint64_t)limit;
}

/* The next slice begins behind this entry, or in the next partition. */
static void move_on(struct pull_request *request, const struct store_item *items, uint32_t count)
{
    struct pull_cursor *cursor = request->cursor;

    if (request->lookup->access == PULL_KEYS) {
        cursor->key++;
        return;
    }
    cursor->has_after = count == SLICE_ENTRIES;
    cursor->after.len = 0;
    if (cursor->has_after) {
        buffer_append_bytes(&cursor->after, items[count - 1].key);
    } else {
        cursor->partition++;
    }
}

static int answer_entries(struct pull_request *request, struct task *task,
                          const struct store_item *items, uint32_t count)
{
    struct pull_chain chain = { 0 };
    struct op *reader = find_reader_op(task);
    int code = count > 0 ? open_stages(&chain, task, reader, request->arena, request->err) : 0;

    for (uint32_t i = 0; !code && i < count && !is_enough(request); i++) {
        code = read_row(&chain, reader, &items[i].entry, request->arena, request->err);
        if (!code && chain.collect.found) {
            project(request, &chain.collect);
        }
    }
    close_stages(&chain);
    return code;
}

/* --- partitions that are elsewhere --- */

static uint32_t slot_of_partition(const struct runtime *rt, const struct query *query,
                                  uint32_t partition)
{
    return slot_of(rt, query->plan->subs[query->plan->pull.sub].root_topic, partition);
}

static int tell_recovering(const struct query *query, struct error *err)
{
    return error_set(err, ERR_LOG_UNAVAILABLE, NO_POSITION,
                     "The state of query '%.*s' is being recovered; ask again",
                     BYTES_ARG(query->plan->query_id));
}

static bool is_noted(const struct pull_cursor *cursor, uint32_t partition)
{
    for (uint32_t i = 0; i < cursor->away_count; i++) {
        if (cursor->away[i] == partition) {
            return true;
        }
    }
    return false;
}

static void note_away(struct pull_cursor *cursor, uint32_t partition)
{
    if (cursor->away_count == cursor->away_capacity) {
        cursor->away_capacity = cursor->away_capacity * 2 + 4;
        cursor->away = memory_resize(cursor->away, cursor->away_capacity, sizeof(uint32_t));
    }
    cursor->away[cursor->away_count++] = partition;
}

/* Of a partition that left in the middle of a scan, rows were told already. */
static int miss(struct runtime *rt, const struct pull_request *request)
{
    const struct query *query = request->query;
    struct pull_cursor *cursor = request->cursor;
    bool owned;

    pthread_mutex_lock(&rt->leaf_mutex);
    owned = rt->slots[slot_of_partition(rt, query, request->partition)].owned;
    pthread_mutex_unlock(&rt->leaf_mutex);
    if (owned) {
        return tell_recovering(query, request->err);
    }
    if (cursor->notes_away && !cursor->has_after) {
        note_away(cursor, request->partition);
        return 0;
    }
    return error_set(request->err, ERR_LOG_UNAVAILABLE, NO_POSITION,
                     "Partition %u of the state of query '%.*s' is at another node of the "
                     "service: ask there",
                     request->partition, BYTES_ARG(query->plan->query_id));
}

static void answer(struct worker *worker, void *context)
{
    struct pull_request *request = context;
    struct task *task = find_task(worker, request);
    struct store_item *items;
    uint32_t count;

    if (!task) {
        request->code = miss(worker->rt, request);
        if (!request->code) {
            move_on(request, NULL, 0);
        }
        return;
    }
    items = arena_array(request->arena, struct store_item, SLICE_ENTRIES);
    count = find_entries(request, task->stores[request->query->plan->pull.store], items);
    request->code = answer_entries(request, task, items, count);
    move_on(request, items, count);
}

/* --- the caller --- */

static int ask(struct runtime *rt, struct pull_request *request)
{
    uint32_t slot = slot_of_partition(rt, request->query, request->partition);

    worker_ask(&rt->workers[slot % rt->worker_count], answer, request);
    return request->code;
}

/* Whether the partition is left out: another node is asked for all of it, or nobody wants it. */
static bool is_passed_over(const struct pull_cursor *cursor, uint32_t partition)
{
    bool is_wanted = !cursor->only;

    for (uint32_t i = 0; !is_wanted && i < cursor->only_count; i++) {
        is_wanted = cursor->only[i] == partition;
    }
    return !is_wanted || is_noted(cursor, partition);
}

static int pull_keys(struct runtime *rt, struct pull_request *request)
{
    const struct pull_lookup *lookup = request->lookup;
    uint32_t partitions = request->query->topics.task_counts[request->query->plan->pull.sub];

    for (uint32_t i = 0;
         i < SLICE_KEYS && request->cursor->key < lookup->key_count && !is_enough(request); i++) {
        request->key = lookup->keys[request->cursor->key];
        request->partition = log_partition_of(request->key, partitions);
        if (is_passed_over(request->cursor, request->partition)) {
            request->cursor->key++;
        } else {
            TRY(ask(rt, request));
        }
    }
    request->cursor->done = request->cursor->key >= lookup->key_count;
    return 0;
}

static int pull_slice(struct runtime *rt, struct pull_request *request)
{
    uint32_t partitions = request->query->topics.task_counts[request->query->plan->pull.sub];

    while (request->cursor->partition < partitions &&
           is_passed_over(request->cursor, request->cursor->partition)) {
        request->cursor->partition++;
    }
    if (request->cursor->partition < partitions && !is_enough(request)) {
        request->partition = request->cursor->partition;
        TRY(ask(rt, request));
    }
    request->cursor->done = request->cursor->partition >= partitions;
    return 0;
}

static int pull_held(struct runtime *rt, struct pull_request *request)
{
    const struct pull_lookup *lookup = request->lookup;
    bool by_key = lookup->access == PULL_KEYS;
    size_t room = by_key ? SLICE_KEYS : SLICE_ENTRIES;

    if (!request->query->topics.found) {
        return error_set(request->err, ERR_LOG_UNAVAILABLE, NO_POSITION,
                         "The query '%.*s' has not been able to start; ask again",
                         BYTES_ARG(lookup->query_id));
    }
    request->cells =
        arena_array(request->arena, struct value, room * lookup->output->column_count + 1);
    request->timestamps = arena_array(request->arena, int64_t, room);
    return by_key ? pull_keys(rt, request) : pull_slice(rt, request);
}

int runtime_pull(struct runtime *rt, const struct pull_lookup *lookup, struct pull_cursor *cursor,
                 struct arena *arena, struct pull_rows *out, struct error *err)
{
    struct pull_request request = { .lookup = lookup,
                                    .cursor = cursor,
                                    .arena = arena,
                                    .err = err,
                                    .query = query_hold(rt, lookup->query_id) };
    int code;

    if (!request.query) {
        return error_set(err, ERR_UNKNOWN_QUERY, NO_POSITION, "There is no query '%.*s'",
                         BYTES_ARG(lookup->query_id));
    }
    code = pull_held(rt, &request);
    query_release(request.query);
    if (code) {
        return code;
    }
    cursor->limited = is_enough(&request);
    cursor->done |= cursor->limited;
    cursor->found += request.found;
    *out = (struct pull_rows){ request.cells, request.timestamps, request.found };
    return 0;
}

void pull_cursor_fini(struct pull_cursor *cursor)
{
    buffer_fini(&cursor->after);
    free(cursor->away);
}

/* --- who has the others --- */

static int find_node(struct runtime *rt, const struct query *query, uint32_t partition,
                     const struct group_owner *owners, uint32_t count, struct bytes *out,
                     struct error *err)
{
    uint32_t seat = rt->seats[slot_of_partition(rt, query, partition)];

    for (uint32_t i = 0; i < count; i++) {
        if (owners[i].partition == seat) {
            *out = owners[i].client_id;
            return bytes_equal(*out, rt->client_id) ? tell_recovering(query, err) : 0;
        }
    }
    return error_set(err, ERR_LOG_UNAVAILABLE, NO_POSITION,
                     "Partition %u of the state of query '%.*s' is on its way from one node to "
                     "another; ask again",
                     partition, BYTES_ARG(query->plan->query_id));
}

int runtime_find_pull_nodes(struct runtime *rt, struct bytes query_id, const uint32_t *partitions,
                            uint32_t count, struct arena *arena, struct bytes *nodes,
                            struct error *err)
{
    struct query *query = query_hold(rt, query_id);
    struct group_owner *owners = NULL;
    uint32_t owner_count = 0;
    int code;

    if (!query) {
        return error_set(err, ERR_UNKNOWN_QUERY, NO_POSITION, "There is no query '%.*s'",
                         BYTES_ARG(query_id));
    }
    code = log_group_owners(rt->log, rt->group, arena, &owners, &owner_count, err);
    for (uint32_t i = 0; !code && i < count; i++) {
        code = find_node(rt, query, partitions[i], owners, owner_count, &nodes[i], err);
    }
    query_release(query);
    return code;
}
