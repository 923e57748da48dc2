/*
 * recover.c: from what the log has committed to tasks that run.
 *
 * A slot's progress is read, then each task that falls into it is made, its
 * stores are filled from their changelog partitions, its operators get their metadata back,
 * and its inputs stand where they stood. Only then is it handed to its worker.
 * This is the one way back: at start, after a rebalance, a crash or a failed commit.
 */
#include "base/trace.h"
#include "engine/runtime/causal.h"

enum { RECOVER_POLL_MS = 100, RECOVER_EMPTY_POLLS_MAX = 100 };

uint32_t slot_of(const struct runtime *rt, struct bytes root_topic, uint32_t partition)
{
    uint32_t hash = (uint32_t)log_murmur2(root_topic);

    return (hash * 31u + partition) % rt->slot_count;
}

static struct recover_range *range_of(struct recover_range *ranges, uint32_t count,
                                      const struct log_block *block)
{
    uint32_t i = 0;

    while (i < count &&
           (ranges[i].topic != block->topic || ranges[i].partition != block->partition)) {
        i++;
    }
    return i < count ? &ranges[i] : NULL;
}

/* The first that has not come to its end, from that number on; count: none. */
static uint32_t find_unread(struct runtime *rt, const struct recover_range *ranges, uint32_t count,
                            uint32_t from)
{
    while (from < count && (ranges[from].from >= ranges[from].end ||
                            log_reader_position(rt->recovery, ranges[from].topic,
                                                ranges[from].partition) >= ranges[from].end)) {
        from++;
    }
    return from;
}

static int read_until(struct runtime *rt, struct recover_range *ranges, uint32_t count,
                      struct error *err)
{
    int empty_polls = 0;
    uint32_t at = 0;

    while ((at = find_unread(rt, ranges, count, at)) < count) {
        struct log_block *block = NULL;
        struct log_place failed = { 0 };

        TRY(log_reader_poll(rt->recovery, RECOVER_POLL_MS, &block, &failed, err));
        if (block) {
            struct recover_range *range = range_of(ranges, count, block);

            if (range) {
                range->on_block(range->context, block);
            }
            log_block_unref(block);
            empty_polls = 0;
        } else if (++empty_polls == RECOVER_EMPTY_POLLS_MAX || atomic_load(&rt->stop)) {
            return error_set(err, ERR_LOG_UNAVAILABLE, NO_POSITION,
                             "topic '%.*s', partition %u: the log has records that do not come",
                             BYTES_ARG(ranges[at].topic->name), ranges[at].partition);
        }
    }
    return 0;
}

/* *any: there is something to be read. */
static int measure(struct runtime *rt, struct recover_range *ranges, uint32_t count, bool *any,
                   struct error *err)
{
    for (uint32_t i = 0; i < count; i++) {
        struct recover_range *range = &ranges[i];
        struct log_range there;

        TRY(log_topic_range(rt->log, range->topic, range->partition, READ_UNCOMMITTED, &there,
                            err));
        range->from = range->from == OFFSET_BEGIN ? there.begin : range->from;
        range->end = there.end;
        *any |= range->from < range->end;
    }
    return 0;
}

/*
 * Up to the end of all records, not of the stable ones: what was committed just before the fence
 * may wait for its markers yet, and counts. Nobody but the slot's owner writes here, so this
 * waits for the owner before and for no one else.
 */
int recover_read(struct runtime *rt, struct recover_range *ranges, uint32_t count,
                 struct error *err)
{
    struct reader_spec spec = { .client_id = rt->client_id,
                                .isolation = READ_COMMITTED,
                                .is_brief = true };
    uint32_t assigned = 0;
    bool any = false;
    int code = 0;

    TRY(measure(rt, ranges, count, &any, err));
    if (!any) {
        return 0;
    }
    if (!rt->recovery) {
        TRY(log_reader_open(rt->log, &spec, &rt->recovery, err));
    }
    for (; !code && assigned < count; assigned++) {
        const struct recover_range *range = &ranges[assigned];

        if (range->from < range->end) {
            code =
                log_reader_assign(rt->recovery, range->topic, range->partition, range->from, err);
        }
    }
    code = code ? code : read_until(rt, ranges, count, err);
    for (uint32_t i = 0; i < assigned; i++) {
        if (ranges[i].from < ranges[i].end) {
            log_reader_unassign(rt->recovery, ranges[i].topic, ranges[i].partition);
        }
    }
    return code;
}

int recover_fence(struct runtime *rt, const uint32_t *slots, uint32_t count, struct error *err)
{
    struct arena arena;
    struct group_position *positions;
    int code;

    arena_init(&arena, 0);
    positions = arena_array(&arena, struct group_position, count);
    for (uint32_t i = 0; i < count; i++) {
        positions[i] =
            (struct group_position){ .topic = rt->slots_topic, .partition = rt->seats[slots[i]] };
    }
    code = log_group_positions(rt->log, rt->group, positions, count, &arena, err);
    arena_fini(&arena);
    pthread_mutex_lock(&rt->leaf_mutex);
    for (uint32_t i = 0; !code && i < count; i++) {
        rt->slots[slots[i]].fenced = true;
    }
    pthread_mutex_unlock(&rt->leaf_mutex);
    return code;
}

struct restoring {
    struct task *task;
    uint32_t number; /* of the store */
    struct error *err;
    int code;
};

static void restore_block(void *context, const struct log_block *block)
{
    struct restoring *r = context;

    if (!r->code) {
        r->code = store_restore(r->task->stores[r->number], block, r->err);
    }
    if (!r->code) {
        r->code = save_restored(r->task, r->number, block->next_offset, r->err);
    }
}

static int restore_store(struct task *task, uint32_t number, struct error *err)
{
    const struct query *query = task->query;
    struct restoring restoring = { task, number, err, 0 };
    struct recover_range range = { .topic = query->topics.changelogs[number],
                                   .partition = task->partition,
                                   .on_block = restore_block,
                                   .context = &restoring };
    int64_t position = -1;

    TRY(save_open_store(task, number, &position, err));
    range.from = position < 0 ? OFFSET_BEGIN : position;
    TRY(recover_read(query->rt, &range, 1, err));
    TRY(restoring.code);
    return store_check(task->stores[number], err);
}

/* Records that were there leave an end behind, whatever became of them. */
static int check_changelog(const struct task *task, uint32_t number, struct error *err)
{
    const struct query *query = task->query;
    const struct log_topic *changelog = query->topics.changelogs[number];
    struct log_range there;

    TRY(log_topic_range(query->rt->log, changelog, task->partition, READ_COMMITTED, &there, err));
    if (there.end > 0) {
        return 0;
    }
    return error_set(err, ERR_STATE_DAMAGED, NO_POSITION,
                     "The changelog '%.*s' was deleted, and with it the state of the query '%.*s': "
                     "bring the topic back, or TERMINATE the query and create it anew",
                     BYTES_ARG(changelog->name), BYTES_ARG(query->plan->query_id));
}

static int restore_stores(struct task *task, struct error *err)
{
    for (uint32_t i = 0; i < task->sub->store_count; i++) {
        uint32_t number = task->sub->stores[i];

        TRY(restore_store(task, number, err));
        if (i < 64 && (task->written_stores >> i & 1) && store_count(task->stores[number]) == 0) {
            TRY(check_changelog(task, number, err));
        }
    }
    return 0;
}

/* A task that has never committed begins with nothing, whatever a checkpoint says. */
static int open_checkpoints(struct task *task, struct error *err)
{
    for (uint32_t i = 0; i < task->sub->store_count; i++) {
        TRY(save_open_empty(task, task->sub->stores[i], err));
    }
    return 0;
}

/* Whether its partition was added to a topic that the query read already: all of it is new. */
static int is_added(const struct task *task, bool *added, struct error *err)
{
    struct query *query = task->query;
    uint64_t *birth_count = &query->topics.birth_counts[task->sub_index];
    uint32_t slot = slot_of(query->rt, task->sub->root_topic, 0);
    struct progress *progress;

    *added = false;
    if (task->born || !query->durable || task->partition == 0) {
        return 0;
    }
    if (*birth_count == UINT64_MAX) {
        TRY(progress_read(query->rt, slot, &progress, err));
        *birth_count = progress_birth_count(progress, query, task->sub_index);
    }
    *added = *birth_count > 0 && task->partition >= *birth_count;
    return 0;
}

/*
 * Where a task begins that has no position: one that has never committed where ksqlDB left its
 * group, else where its query says; one whose topic was made anew, or its partition added, with
 * the first record of that.
 */
static int start_position(const struct task_input *input, int64_t *out, struct error *err)
{
    const struct query *query = input->task->query;
    struct log *log = input->plan->source ? query->rt->log : query->log;
    struct log_range range;
    bool earliest = !input->plan->source || input->plan->from_earliest || input->task->born ||
                    query->options.reset == RESET_EARLIEST;
    bool added = false;
    int64_t left;

    TRY(log_topic_range(log, input->topic, input->task->partition, READ_COMMITTED, &range, err));
    TRY(group_position_left(input, &range, &left, err));
    if (!earliest || left >= 0) {
        TRY(is_added(input->task, &added, err));
    }
    *out = earliest || added ? range.begin : range.end;
    *out = left >= 0 && !added ? left : *out;
    return 0;
}

static void tell_start(const struct task_input *input, int64_t position)
{
    if (input->task->born) {
        TRACE(TRACE_WARN, "recover",
              "query %.*s: topic '%.*s', partition %u, was made anew and is read from offset %lld",
              BYTES_ARG(input->task->query->plan->query_id), BYTES_ARG(input->topic->name),
              input->task->partition, (long long)position);
    }
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
        task->saved = true;
    } else if (task->query->durable) {
        TRY(open_checkpoints(task, err));
    }
    for (uint32_t i = 0; i < task->sub->input_count; i++) {
        struct task_input *input = &task->inputs[i];
        bool noted_here = true;
        int64_t position = task->born ? progress_position(progress, input, &noted_here) : -1;

        if (position < 0) {
            TRY(start_position(input, &position, err));
            tell_start(input, position);
            task->dirty = task->query->durable; /* its first commit says where it begins */
        }
        task->dirty |= !noted_here; /* so that what happens to the topic from now on is known */
        input->committed = position;
        input->mirrored = -1;
        place_input(input, position);
    }
    standing_publish(task);
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

    if (worker->phase == WORKER_LOST && handover->task->query->durable) {
        task_destroy(handover->task); /* all come back when the worker does */
        return;
    }
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
    struct query *query;
    int64_t slot;
    const struct worker *worker;
};

static bool slot_selected(const struct runtime *rt, const struct selection *selection,
                          uint32_t slot)
{
    return rt->slots[slot].owned && !rt->slots[slot].pending &&
           (selection->slot < 0 || selection->slot == slot) &&
           (!selection->worker || selection->worker->index == rt->slots[slot].worker);
}

struct beginning {
    const struct progress *progress;
    uint32_t slot;
};

static void begin_cohort(struct worker *worker, void *context)
{
    const struct beginning *beginning = context;

    progress_begin_cohort(beginning->progress, beginning->slot, worker);
}

static int read_progress(struct runtime *rt, uint32_t slot, struct progress **progress,
                         struct error *err)
{
    TRY(progress_read(rt, slot, progress, err));
    if (!rt->slots[slot].has_cohort) {
        struct beginning beginning = { *progress, slot };

        worker_call(&rt->workers[rt->slots[slot].worker], begin_cohort, &beginning);
        rt->slots[slot].has_cohort = true;
    }
    return 0;
}

static int recover_query_in_slot(struct runtime *rt, struct query *query, uint32_t slot,
                                 struct progress **progress, struct error *err)
{
    struct worker *worker = &rt->workers[rt->slots[slot].worker];

    for (uint32_t s = 0; s < query->plan->sub_count; s++) {
        for (uint32_t p = 0; p < query->topics.task_counts[s]; p++) {
            if (slot_of(rt, query->plan->subs[s].root_topic, p) != slot) {
                continue;
            }
            if (!*progress) {
                TRY(read_progress(rt, slot, progress, err));
            }
            TRY(recover_task(query, s, p, worker, *progress, err));
        }
    }
    return 0;
}

/* A query that cannot come back is in error, which does not keep the others. */
static int recover_all_in_slot(struct runtime *rt, uint32_t slot, struct error *err)
{
    struct progress *progress = NULL;

    MAP_FOREACH (entry, &rt->queries) {
        struct query *query = entry->value;
        struct error failure = { 0 };

        if (!query->durable || atomic_load(&query->state) == QUERY_ERROR ||
            !recover_query_in_slot(rt, query, slot, &progress, &failure)) {
            continue;
        }
        if (error_class_of(failure.code) == ERROR_TRANSIENT) {
            *err = failure;
            return (int)failure.code;
        }
        query_set_error(query, &failure);
    }
    return 0;
}

static int recover_selection(struct runtime *rt, const struct selection *selection,
                             struct error *err)
{
    for (uint32_t slot = 0; slot < rt->slot_count; slot++) {
        struct progress *progress = NULL;

        if (!slot_selected(rt, selection, slot)) {
            continue;
        }
        if (selection->query) {
            TRY(recover_query_in_slot(rt, selection->query, slot, &progress, err));
        } else {
            TRY(recover_all_in_slot(rt, slot, err));
        }
    }
    return 0;
}

static bool has_tasks(const struct runtime *rt, const struct query *query, uint32_t slot)
{
    for (uint32_t s = 0; s < query->plan->sub_count; s++) {
        for (uint32_t p = 0; p < query->topics.task_counts[s]; p++) {
            if (slot_of(rt, query->plan->subs[s].root_topic, p) == slot) {
                return true;
            }
        }
    }
    return false;
}

static bool is_needed(struct runtime *rt, uint32_t slot)
{
    MAP_FOREACH (entry, &rt->queries) {
        const struct query *query = entry->value;

        if (query->durable && query->topics.found && has_tasks(rt, query, slot)) {
            return true;
        }
    }
    return false;
}

void recover_read_ahead(struct runtime *rt, const uint32_t *slots, uint32_t count)
{
    uint32_t needed[SLOT_COUNT_MAX], needed_count = 0;

    for (uint32_t i = 0; i < count; i++) {
        if (is_needed(rt, slots[i])) {
            needed[needed_count++] = slots[i];
        }
    }
    (void)progress_read_ahead(rt, needed, needed_count, NULL); /* each tries again for itself */
}

static void give_up_recovery(struct worker *worker, void *context)
{
    worker_lose(worker, context);
}

void recover_later(struct runtime *rt, uint32_t slot, struct error *why)
{
    worker_call(&rt->workers[rt->slots[slot].worker], give_up_recovery, why);
}

int recover_slot(struct runtime *rt, uint32_t slot, struct error *err)
{
    int code;

    rt->slots[slot].has_cohort = false;
    code = recover_selection(rt, &(struct selection){ .slot = slot }, err);

    if (code) {
        recover_later(rt, slot, err);
    }
    return code;
}

/* A push query runs whole on this node, whoever owns the slots. */
static int start_transient(struct runtime *rt, struct query *query, struct error *err)
{
    for (uint32_t s = 0; s < query->plan->sub_count; s++) {
        for (uint32_t p = 0; p < query->topics.task_counts[s]; p++) {
            uint32_t slot = slot_of(rt, query->plan->subs[s].root_topic, p);

            TRY(recover_task(query, s, p, &rt->workers[slot % rt->worker_count], NULL, err));
        }
    }
    return 0;
}

/* Of that worker, or all. */
static int fence_owned(struct runtime *rt, const struct worker *worker, struct error *err)
{
    uint32_t slots[SLOT_COUNT_MAX], count = 0;

    for (uint32_t slot = 0; slot < rt->slot_count; slot++) {
        if (rt->slots[slot].owned && (!worker || rt->slots[slot].worker == worker->index)) {
            slots[count++] = slot;
        }
    }
    return count > 0 ? recover_fence(rt, slots, count, err) : 0;
}

int recover_query(struct runtime *rt, struct query *query, struct error *err)
{
    if (!query->durable) {
        return start_transient(rt, query, err);
    }
    TRY(fence_owned(rt, NULL, err)); /* what its tasks committed last may not be seen yet */
    return recover_selection(rt, &(struct selection){ .query = query, .slot = -1 }, err);
}

int recover_new_query(struct runtime *rt, struct query *query, struct error *err)
{
    uint32_t slots[SLOT_COUNT_MAX], count = 0;

    if (!query->durable) {
        return start_transient(rt, query, err);
    }
    for (uint32_t slot = 0; slot < rt->slot_count; slot++) {
        struct slot *of = &rt->slots[slot];

        if (of->owned && !of->pending && has_tasks(rt, query, slot)) {
            slots[count] = slot;
            count += !of->has_read;
        }
    }
    TRY(progress_read_ahead(rt, slots, count, err));
    return recover_selection(rt, &(struct selection){ .query = query, .slot = -1 }, err);
}

static void reopen(struct worker *worker, void *context)
{
    struct handover *handover = context;

    handover->code = worker_open_writer(worker, handover->err);
    if (!handover->code) {
        worker->phase = WORKER_IDLE;
        atomic_store(&worker->lost, false);
        atomic_fetch_sub(&worker->rt->lost_workers, 1);
    }
}

static int recover_lost(struct runtime *rt, struct worker *worker, struct error *err)
{
    struct handover handover = { .err = err };

    worker_call(worker, reopen, &handover);
    TRY(handover.code);
    for (uint32_t slot = 0; slot < rt->slot_count; slot++) {
        if (rt->slots[slot].owned && rt->slots[slot].worker == worker->index) {
            rt->slots[slot].has_cohort = false;
        }
    }
    TRY(fence_owned(rt, worker, err));
    return recover_selection(rt, &(struct selection){ .slot = -1, .worker = worker }, err);
}

int recover_worker(struct runtime *rt, struct worker *worker, struct error *err)
{
    struct error why = { 0 };

    if (recover_lost(rt, worker, &why)) {
        worker_call(worker, give_up_recovery, &why);
        return error_set(err, why.code, why.at, "%s", why.message);
    }
    return 0;
}
