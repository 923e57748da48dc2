/*
 * task.c: one query's sub-topology on one partition.
 *
 * Each input has a queue of decoded batches. A run takes from one input the longest prefix
 * in which every row, at its turn, has the smallest timestamp of all queue heads
 * (ties: tables first, then the lower input), so several inputs are merged by
 * time while most runs are a whole batch:
 *
 *     input 0:  5 6 7 | 9        heads 5 and 8: run 5 6 7 from input 0,
 *     input 1:  8 ...            then 8 from input 1
 *
 * Inputs over one topic stay together: each of its records goes to all of them, one row at a
 * time, before the next, whatever the timestamps.
 *
 * With an input's queue empty the others may go on only when that input has
 * nothing more in the log.
 */
#include <stdlib.h>

#include "base/memory.h"
#include "engine/runtime/causal.h"

enum { INPUT_QUEUE_ROWS_MAX = 2048 };

static void row_error(struct op_env *env, const struct op *op, const struct row_origin *origin,
                      const char *what, const struct error *err)
{
    (void)op; /* the step is part of `what` */
    task_count_skipped(env->context, origin, what, err);
}

/* What a task buffers for its commit must not get into another one's. */
static int drain(struct op_env *env, struct error *err)
{
    struct task *task = env->context;

    return task->buffers && !task->flushing ? 0
                                            : commit_drain_outputs(task, BUILDER_DRAIN_BYTES, err);
}

/* Of the input that the row came by. */
static void count_at_input(struct task *task, const struct row_origin *origin)
{
    for (uint32_t i = 0; origin->topic && i < task->sub->input_count; i++) {
        if (bytes_equal_text(task->inputs[i].topic->name, origin->topic)) {
            task->inputs[i].rows_skipped++;
            return;
        }
    }
}

void task_count_skipped(struct task *task, const struct row_origin *origin, const char *what,
                        const struct error *err)
{
    const struct runtime_config *config = &task->query->rt->config;

    count_at_input(task, origin);
    task->rows_skipped++;
    atomic_fetch_add(&task->query->rows_skipped, 1);
    if (config->skipped) {
        config->skipped(config->context, task->query->plan->query_id, origin, what, err);
    }
}

static void open_outputs(struct task *task)
{
    const struct physical_plan *plan = task->query->plan;
    struct op_output *outputs = arena_array(&task->arena, struct op_output, plan->output_count);

    for (uint32_t i = 0; i < plan->output_count; i++) {
        uint32_t partitions = task->query->topics.outputs[i]->partition_count;

        outputs[i].partition_count = partitions;
        outputs[i].builders = arena_array(&task->arena, struct log_builder, partitions);
        outputs[i].touched = arena_array(&task->arena, uint64_t, (partitions + 63) / 64);
    }
    task->env.outputs = outputs;
}

static void open_stores(struct task *task)
{
    const struct physical_plan *plan = task->query->plan;

    task->stores = arena_array(&task->arena, struct store *, plan->store_count);
    for (uint32_t i = 0; i < task->sub->store_count; i++) {
        task->stores[task->sub->stores[i]] =
            store_create(task->query->durable ? STORE_DURABLE : STORE_TRANSIENT);
    }
    task->env.stores = task->stores;
}

static bool sub_ticks(const struct sub_plan *sub)
{
    for (uint32_t i = 0; i < sub->op_count; i++) {
        if (op_kind_for(sub->ops[i].tag)->tick) {
            return true;
        }
    }
    return false;
}

static bool sub_buffers(const struct sub_plan *sub)
{
    for (uint32_t i = 0; i < sub->op_count; i++) {
        const struct op_plan *op = &sub->ops[i];

        if (op->tag == PLAN_AGGREGATE || (op->tag == PLAN_TABLE && !op->table.feeds_join)) {
            return true;
        }
    }
    return false;
}

static bool shares_topic(const struct sub_plan *sub, uint32_t number)
{
    for (uint32_t i = 0; i < sub->input_count; i++) {
        if (i != number && bytes_equal(sub->inputs[i].topic, sub->inputs[number].topic)) {
            return true;
        }
    }
    return false;
}

static void open_inputs(struct task *task)
{
    task->inputs = arena_array(&task->arena, struct task_input, task->sub->input_count);
    for (uint32_t i = 0; i < task->sub->input_count; i++) {
        struct task_input *input = &task->inputs[i];

        input->task = task;
        input->plan = &task->sub->inputs[i];
        input->committed = -1;
        input->gate = INT64_MAX;
        input->cleared = INT64_MAX;
        input->refused_at = INT64_MAX;
        input->shares_topic = shares_topic(task->sub, i);
        if (input->plan->source) {
            input->topic = task->query->topics.sources[task->sub_index][i];
            input->gate = task->query->options.gate == QUERY_GATED ? 0 : INT64_MAX;
        } else {
            input->topic = task->query->topics.outputs[input->plan->output];
        }
    }
}

static bool may_take(const struct query *query)
{
    return !atomic_load(&query->paused) && (!query->client || row_queue_has_room(query->client));
}

int task_create(struct query *query, uint32_t sub_index, uint32_t partition, struct task **out,
                struct error *err)
{
    struct task *task = memory_zalloc(1, sizeof *task);
    int code;

    task->query = query;
    task->sub = &query->plan->subs[sub_index];
    task->sub_index = sub_index;
    task->partition = partition;
    task->birth_partitions = query->topics.task_counts[sub_index];
    task->slot = slot_of(query->rt, task->sub->root_topic, partition);
    task->buffers = query->options.cache_bytes > 0 && sub_buffers(task->sub);
    task->ticks = sub_ticks(task->sub);
    task->could_take = may_take(query);
    task->last_flush_ms = clock_elapsed_ms(query->rt->clock);
    arena_init(&task->arena, 1024);
    task->env = (struct op_env){ .arena = &task->arena,
                                 .plan = query->plan,
                                 .partition = partition,
                                 .client = query->client,
                                 .emission_budget = query->options.cache_bytes,
                                 .row_error = row_error,
                                 .drain = drain,
                                 .context = task };
    open_outputs(task);
    open_stores(task);
    open_inputs(task);
    task->chain_open = true;
    code = op_chain_open(&task->chain, task->sub, &task->env, err);
    if (code) {
        task_destroy(task);
        return code;
    }
    task->gate = gate_create(task);
    atomic_fetch_add(&query->live_tasks, 1);
    task->counted = true;
    *out = task;
    return 0;
}

static void close_outputs(struct task *task)
{
    const struct physical_plan *plan = task->query->plan;

    for (uint32_t i = 0; i < plan->output_count; i++) {
        for (uint32_t p = 0; p < task->env.outputs[i].partition_count; p++) {
            log_builder_fini(&task->env.outputs[i].builders[p]);
        }
    }
}

void task_destroy(struct task *task)
{
    for (uint32_t i = 0; task->inputs && i < task->sub->input_count; i++) {
        input_clear(&task->inputs[i]);
        reader_detach(&task->inputs[i]);
        free(task->inputs[i].queue);
    }
    if (task->chain_open) {
        op_chain_close(&task->chain);
    }
    save_count_restored(task);
    for (uint32_t i = 0; i < task->query->plan->store_count; i++) {
        if (task->stores[i]) {
            store_destroy(task->stores[i]);
        }
    }
    close_outputs(task);
    buffer_fini(&task->saved_metadata);
    gate_leave(task->gate);
    if (task->counted) {
        standing_leave(task);
        atomic_fetch_sub(&task->query->live_tasks, 1);
    }
    arena_fini(&task->arena);
    free(task);
}

void task_touch(struct task *task)
{
    if (!task->dirty) {
        task->dirty = true;
        task->worker->dirty_tasks++;
    }
}

/* --- input queues --- */

bool input_can_take(const struct task_input *input)
{
    return input->queued_rows < INPUT_QUEUE_ROWS_MAX && input->enqueued < input->gate &&
           input->task->could_take;
}

void task_refresh(struct task *task)
{
    task->could_take = may_take(task->query);
    for (uint32_t i = 0; i < task->sub->input_count; i++) {
        struct task_input *input = &task->inputs[i];

        if (input_can_take(input) != input->could_take) {
            reader_touch(input->reader);
        }
    }
}

bool task_has_rows(const struct task *task)
{
    for (uint32_t i = 0; i < task->sub->input_count; i++) {
        if (task->inputs[i].queue_count > 0) {
            return true;
        }
    }
    return false;
}

static struct input_queue_item *input_front(const struct task_input *input)
{
    return &input->queue[input->queue_first];
}

static void input_grow(struct task_input *input)
{
    uint32_t capacity = input->queue_capacity ? input->queue_capacity * 2 : 4;
    struct input_queue_item *queue = memory_zalloc(capacity, sizeof *queue);

    for (uint32_t i = 0; i < input->queue_count; i++) {
        queue[i] = input->queue[(input->queue_first + i) % input->queue_capacity];
    }
    free(input->queue);
    input->queue = queue;
    input->queue_first = 0;
    input->queue_capacity = capacity;
}

/* The first row of the batch at or behind the offset. */
static uint32_t row_at_offset(const struct row_batch *rows, int64_t offset)
{
    uint32_t row = 0;

    while (row < rows->row_count && rows->origins[rows->meta[row].origin].offset < offset) {
        row++;
    }
    return row;
}

void input_offer(struct task_input *input, struct shared_batch *batch)
{
    uint32_t first = row_at_offset(batch->rows, input->enqueued);

    if (input->queue_count == input->queue_capacity) {
        input_grow(input);
    }
    input->queue[(input->queue_first + input->queue_count++) % input->queue_capacity] =
        (struct input_queue_item){ batch, first };
    input->queued_rows += batch->rows->row_count - first;
    input->enqueued = batch->next_offset;
    batch->references++;
    worker_make_ready(input->task);
}

static void input_pop(struct task_input *input)
{
    struct shared_batch *batch = input_front(input)->batch;

    input->processed = batch->next_offset;
    input->queue_first = (input->queue_first + 1) % input->queue_capacity;
    input->queue_count--;
    if (input->queue_count == 0 && input->processed < input->enqueued) {
        input->processed = input->enqueued;
    }
    shared_batch_unref(batch);
}

/* Who waits for the task on another node learns by a commit alone where it stands. */
static void note_skip(struct task *task)
{
    struct runtime *rt = task->query->rt;

    standing_publish(task);
    lookout_notice(rt->lookout);
    if (task->query->durable && standing_is_awaited(task->query->standing) &&
        !membership_owns_all(rt)) {
        task_touch(task);
    }
}

void input_skip_to(struct task_input *input, int64_t offset)
{
    struct task *task = input->task;

    input->enqueued = offset;
    if (input->queue_count == 0) {
        input->processed = offset;
    }
    if (!task->dirty) {
        note_skip(task);
    }
}

void input_clear(struct task_input *input)
{
    while (input->queue_count > 0) {
        int64_t processed = input->processed;

        input_pop(input);
        input->processed = processed;
    }
    input->queued_rows = 0;
}

/* --- merging --- */

/* The rows of a batch that count are ascending; the first of them at or behind `row`. */
static uint32_t next_selected(const struct row_batch *rows, uint32_t row)
{
    if (!rows->selected) {
        return row;
    }
    for (uint32_t i = 0; i < rows->selected_count; i++) {
        if (rows->selected[i] >= row) {
            return rows->selected[i];
        }
    }
    return rows->row_count;
}

static int64_t row_offset(const struct row_batch *rows, uint32_t row)
{
    return rows->origins[rows->meta[row].origin].offset;
}

/* The input's next row that counts, past batches that have none; false: none that may be run. */
static bool input_head(struct task_input *input, uint32_t *row, int64_t *timestamp_ms)
{
    while (input->queue_count > 0) {
        struct input_queue_item *item = input_front(input);
        const struct row_batch *rows = item->batch->rows;

        *row = next_selected(rows, item->next_row);
        if (input->refused_at <
            (*row < rows->row_count ? row_offset(rows, *row) : item->batch->next_offset)) {
            input->is_at_refused = true;
            return false;
        }
        if (*row < rows->row_count) {
            *timestamp_ms = rows->meta[*row].timestamp_ms;
            return row_offset(rows, *row) < input->gate;
        }
        input->queued_rows -= rows->row_count - item->next_row;
        task_touch(input->task);
        input_pop(input);
    }
    return false;
}

/* Whether the log has nothing more for an input whose queue is empty; asked once per step. */
static bool input_is_exhausted(struct task_input *input)
{
    struct log *log = input->plan->source ? input->task->query->rt->log : input->task->query->log;
    uint64_t step = input->task->worker->step;
    struct log_range range;

    if (input->enqueued >= input->gate || input->exhausted_in == step) {
        return true;
    }
    if (log_topic_range(log, input->topic, input->task->partition, READ_COMMITTED, &range, NULL) ||
        input->enqueued < range.end) {
        return false;
    }
    input->exhausted_in = step;
    return true;
}

struct choice {
    struct task_input *input;
    uint32_t row;
    int64_t timestamp_ms;
    int64_t limit;     /* offsets below it may be run */
    int64_t others_ms; /* smallest head of the other inputs, INT64_MAX where none */
    bool others_first; /* one of those wins a tie */
};

static bool is_of_table(const struct task_input *input)
{
    return input->plan->is_table || input->plan->is_upserts;
}

static bool goes_first(const struct task_input *a, const struct task_input *b)
{
    if (is_of_table(a) != is_of_table(b)) {
        return is_of_table(a);
    }
    return a < b;
}

static int64_t head_offset(const struct task_input *input)
{
    return row_offset(input_front(input)->batch->rows, input->head_row);
}

/* Whether another input has yet to take the record, or one before it, of the topic of both. */
static bool is_behind(const struct task *task, const struct task_input *input)
{
    int64_t offset = head_offset(input);

    for (uint32_t i = 0; input->shares_topic && i < task->sub->input_count; i++) {
        const struct task_input *other = &task->inputs[i];

        if (other != input && other->has_head &&
            bytes_equal(other->plan->topic, input->plan->topic) &&
            (head_offset(other) < offset ||
             (head_offset(other) == offset && goes_first(other, input)))) {
            return true;
        }
    }
    return false;
}

bool input_is_held(const struct task_input *input)
{
    return input->has_head && head_offset(input) >= input->cleared;
}

static void find_heads(struct task *task)
{
    for (uint32_t i = 0; i < task->sub->input_count; i++) {
        struct task_input *input = &task->inputs[i];

        input->has_head = input_head(input, &input->head_row, &input->head_ms);
    }
}

/* The input whose head has the smallest timestamp, of those that may go on. */
static bool choose_first(struct task *task, struct choice *best)
{
    for (uint32_t i = 0; i < task->sub->input_count; i++) {
        struct task_input *input = &task->inputs[i];

        if (input->has_head && !is_behind(task, input) &&
            (!best->input || input->head_ms < best->timestamp_ms ||
             (input->head_ms == best->timestamp_ms && goes_first(input, best->input)))) {
            best->input = input;
            best->row = input->head_row;
            best->timestamp_ms = input->head_ms;
        }
    }
    return best->input;
}

/* Up to where the first may go before another one; false: that is not known yet. */
static bool consider_others(const struct task *task, struct choice *best)
{
    for (uint32_t i = 0; i < task->sub->input_count; i++) {
        struct task_input *input = &task->inputs[i];

        if (input == best->input) {
            continue;
        }
        if (!input->has_head) {
            if (input->queue_count == 0 && !input_is_exhausted(input)) {
                return false;
            }
            continue;
        }
        if (input->head_ms < best->others_ms) {
            best->others_ms = input->head_ms;
            best->others_first = false;
        }
        best->others_first |= input->head_ms == best->others_ms && goes_first(input, best->input);
    }
    return true;
}

/* Nothing goes on beside an input whose next record stops the query: the order would not hold. */
static bool is_at_refused(const struct task *task)
{
    for (uint32_t i = 0; i < task->sub->input_count; i++) {
        if (task->inputs[i].is_at_refused) {
            return true;
        }
    }
    return false;
}

static int64_t smallest(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Of the tables of a causal join, one that the stream waits for; no timestamp counts. */
static bool choose_awaited(struct task *task, struct choice *best)
{
    for (uint32_t i = 0; i < task->sub->input_count; i++) {
        task->inputs[i].has_head &= gate_is_behind(task, &task->inputs[i]);
    }
    if (!choose_first(task, best)) {
        return false;
    }
    best->limit = gate_mark(task, best->input);
    return true;
}

static bool choose(struct task *task, struct choice *best)
{
    *best = (struct choice){ .others_ms = INT64_MAX };
    find_heads(task);
    if (is_at_refused(task)) {
        return false;
    }
    if (task->gate) {
        gate_look(task);
        if (gate_is_reading(task)) {
            return choose_awaited(task, best);
        }
    }
    if (!choose_first(task, best) || input_is_held(best->input)) {
        return false;
    }
    best->limit =
        smallest(best->input->refused_at, smallest(best->input->gate, best->input->cleared));
    return consider_others(task, best);
}

/* One past the last row of the run that starts at the chosen row. */
static uint32_t run_end(const struct choice *best, const struct row_batch *rows)
{
    uint32_t row = best->row + 1;

    if (best->input->shares_topic) {
        return row;
    }
    if (best->others_ms == INT64_MAX && best->limit == INT64_MAX) {
        return rows->row_count;
    }
    for (; row < rows->row_count; row++) {
        int64_t ts = rows->meta[row].timestamp_ms;

        if (ts > best->others_ms || (ts == best->others_ms && best->others_first) ||
            row_offset(rows, row) >= best->limit) {
            break;
        }
    }
    return row;
}

int task_run(struct task *task, bool *ran, struct error *err)
{
    struct arena *arena = &task->worker->run_arena;
    struct choice best;
    struct input_queue_item *item;
    struct row_batch slice;
    uint32_t end, rows;
    int code;

    *ran = false;
    if (!task->could_take || !choose(task, &best)) {
        return 0;
    }
    item = input_front(best.input);
    end = run_end(&best, item->batch->rows);
    if (best.row == 0 && end == item->batch->rows->row_count) {
        slice = *item->batch->rows;
    } else {
        slice = *batch_slice(item->batch->rows, best.row, end - best.row, arena);
    }
    slice.arena = arena;
    code = op_chain_push(&task->chain, best.input->plan, &slice, err);
    arena_reset(arena);
    if (code) {
        return code;
    }
    *ran = true;
    task_touch(task);
    rows = slice.selected ? slice.selected_count : slice.row_count;
    task->rows_in += rows;
    best.input->rows_in += rows;
    atomic_fetch_add(&task->query->rows_in, rows);
    best.input->queued_rows -= end - item->next_row;
    item->next_row = end;
    if (end == item->batch->rows->row_count) {
        input_pop(best.input);
    } else {
        best.input->processed = row_offset(item->batch->rows, end);
    }
    return 0;
}
