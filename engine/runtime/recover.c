/*
 * recover.c: from what the log has committed to tasks that run.
 *
 * A slot's progress is read, then each task that falls into it is made, its
 * stores are filled from their changelog partitions, its operators get their metadata back,
 * and its inputs stand where they stood. Only then is it handed to its worker.
 * This is the one way back: at start, after a rebalance, a crash or a failed commit.
 */
#include "base/trace.h"
#include "engine/runtime/runtime_internal.h"

uint32_t slot_of(const struct runtime *rt, struct bytes root_topic, uint32_t partition)
{
    uint32_t hash = (uint32_t)log_murmur2(root_topic);

    return (hash * 31u + partition) % rt->slot_count;
}

int recover_read_all(struct log *log, const struct log_topic *topic, uint32_t partition,
                     void (*on_block)(void *context, const struct log_block *block), void *context,
                     struct error *err)
{
    struct reader_spec spec = { .isolation = READ_COMMITTED };
    struct log_reader *reader = NULL;
    struct log_range range;
    int code = log_topic_range(log, topic, partition, READ_COMMITTED, &range, err);

    if (code || range.end <= range.begin) {
        return code;
    }
    TRY(log_reader_open(log, &spec, &reader, err));
    code = log_reader_assign(reader, topic, partition, range.begin, err);
    while (!code && log_reader_position(reader, topic, partition) < range.end) {
        struct log_block *block = NULL;
        struct log_place failed = { 0 };

        code = log_reader_poll(reader, 100, &block, &failed, err);
        if (block) {
            on_block(context, block);
            log_block_unref(block);
        }
    }
    log_reader_close(reader);
    return code;
}

static void restore_block(void *context, const struct log_block *block)
{
    store_restore(context, block);
}

static int restore_stores(struct task *task, struct error *err)
{
    const struct query *query = task->query;

    for (uint32_t i = 0; i < task->sub->store_count; i++) {
        uint32_t number = task->sub->stores[i];

        TRY(recover_read_all(query->log, query->changelogs[number], task->partition, restore_block,
                             task->stores[number], err));
    }
    return 0;
}

/* Where a task that has never committed begins. */
static int start_position(const struct task_input *input, int64_t *out, struct error *err)
{
    const struct query *query = input->task->query;
    struct log *log = input->plan->source ? query->rt->log : query->log;
    struct log_range range;
    bool earliest = !input->plan->source || input->plan->from_earliest ||
                    query->options.reset == RESET_EARLIEST;

    TRY(log_topic_range(log, input->topic, input->task->partition, READ_COMMITTED, &range, err));
    *out = earliest ? range.begin : range.end;
    return 0;
}

static void place_input(struct task_input *input, int64_t position)
{
    input->enqueued = position;
    input->processed = position;
}

static int restore_task(struct task *task, const struct progress *progress, struct error *err)
{
    struct bytes metadata = { 0 };

    task->born = progress && progress_find_task(progress, task, &metadata);
    if (task->born && task->query->durable) {
        TRY(restore_stores(task, err));
        TRY(op_chain_restore(&task->chain, metadata, err));
        buffer_append_bytes(&task->saved_metadata, metadata);
    }
    for (uint32_t i = 0; i < task->sub->input_count; i++) {
        struct task_input *input = &task->inputs[i];
        int64_t position = task->born ? progress_position(progress, input) : -1;

        if (position >= 0) {
            input->committed = position;
        } else {
            TRY(start_position(input, &position, err));
        }
        place_input(input, position);
    }
    return 0;
}

struct handover {
    struct task *task;
    struct error *err;
    int code;
};

static void hand_over(struct worker *worker, void *context)
{
    struct handover *handover = context;

    handover->code = worker_add_task(worker, handover->task, handover->err);
    if (handover->code) {
        worker_remove_task(worker, handover->task);
    }
}

static int recover_task(struct query *query, uint32_t sub, uint32_t partition,
                        struct worker *worker, const struct progress *progress, struct error *err)
{
    struct handover handover = { .err = err };
    int code;

    TRY(task_create(query, sub, partition, &handover.task, err));
    handover.task->worker = worker;
    code = restore_task(handover.task, progress, err);
    if (code) {
        task_destroy(handover.task);
        return code;
    }
    worker_call(worker, hand_over, &handover);
    return handover.code;
}

/* Which tasks to bring back: those of one query or all, in one slot or all of a worker. */
struct selection {
    const struct query *query;
    int64_t slot;
    const struct worker *worker;
};

static bool slot_selected(const struct runtime *rt, const struct selection *selection,
                          uint32_t slot)
{
    return rt->slots[slot].owned && (selection->slot < 0 || selection->slot == slot) &&
           (!selection->worker || selection->worker->index == rt->slots[slot].worker);
}

static int recover_query_in_slot(struct runtime *rt, struct query *query, uint32_t slot,
                                 struct progress **progress, struct error *err)
{
    struct worker *worker = &rt->workers[rt->slots[slot].worker];

    for (uint32_t s = 0; s < query->plan->sub_count; s++) {
        for (uint32_t p = 0; p < query->task_counts[s]; p++) {
            if (slot_of(rt, query->plan->subs[s].root_topic, p) != slot) {
                continue;
            }
            if (!*progress) {
                TRY(progress_read(rt, slot, progress, err));
            }
            TRY(recover_task(query, s, p, worker, *progress, err));
        }
    }
    return 0;
}

static int recover_slot_of(struct runtime *rt, const struct selection *selection, uint32_t slot,
                           struct error *err)
{
    struct progress *progress = NULL;
    int code = 0;

    MAP_FOREACH (entry, &rt->queries) {
        struct query *query = entry->value;
        struct error failure = { 0 };

        if (!query->durable || (selection->query && selection->query != query) ||
            atomic_load(&query->state) == QUERY_ERROR) {
            continue;
        }
        code = recover_query_in_slot(rt, query, slot, &progress, &failure);
        if (code && error_class_of(failure.code) != ERROR_TRANSIENT) {
            query_set_error(query, &failure);
            code = selection->query ? code : 0;
        }
        if (code) {
            *err = failure;
            break;
        }
    }
    if (progress) {
        progress_free(progress);
    }
    return code;
}

static int recover_selection(struct runtime *rt, const struct selection *selection,
                             struct error *err)
{
    for (uint32_t slot = 0; slot < rt->slot_count; slot++) {
        if (slot_selected(rt, selection, slot)) {
            TRY(recover_slot_of(rt, selection, slot, err));
        }
    }
    return 0;
}

int recover_slot(struct runtime *rt, uint32_t slot, struct error *err)
{
    return recover_selection(rt, &(struct selection){ .slot = slot }, err);
}

/* A push query runs whole on this node, whoever owns the slots. */
static int start_transient(struct runtime *rt, struct query *query, struct error *err)
{
    for (uint32_t s = 0; s < query->plan->sub_count; s++) {
        for (uint32_t p = 0; p < query->task_counts[s]; p++) {
            uint32_t slot = slot_of(rt, query->plan->subs[s].root_topic, p);

            TRY(recover_task(query, s, p, &rt->workers[slot % rt->worker_count], NULL, err));
        }
    }
    return 0;
}

int recover_query(struct runtime *rt, struct query *query, struct error *err)
{
    if (!query->durable) {
        return start_transient(rt, query, err);
    }
    return recover_selection(rt, &(struct selection){ .query = query, .slot = -1 }, err);
}

static void reopen(struct worker *worker, void *context)
{
    struct handover *handover = context;

    handover->code = worker_open_writers(worker, handover->err);
    if (!handover->code) {
        worker->phase = WORKER_IDLE;
        atomic_store(&worker->lost, false);
        atomic_fetch_sub(&worker->rt->lost_workers, 1);
    }
}

int recover_worker(struct runtime *rt, struct worker *worker, struct error *err)
{
    struct handover handover = { .err = err };

    worker_call(worker, reopen, &handover);
    TRY(handover.code);
    return recover_selection(rt, &(struct selection){ .slot = -1, .worker = worker }, err);
}
