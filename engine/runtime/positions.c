/*
 * positions.c: how far the tasks of a query have come, for those who watch it.
 *
 * A worker is asked for its tasks between two runs, as the mirror of the groups asks; where the
 * log begins and ends is asked of the log afterwards, so that no worker waits for it.
 */
#include <stdlib.h>

#include "engine/runtime/runtime_internal.h"

struct position_search {
    const struct query *query;
    struct arena *arena;
    VEC(struct task_status) tasks;
};

/* Behind the last record there may be offsets without one, and nobody commits for those. */
static int64_t committed_position(const struct task *task, const struct task_input *input)
{
    return task->query->durable && task->dirty ? input->committed : input->processed;
}

/* Topics live as long as the log. */
static void collect_task(struct position_search *search, const struct task *task)
{
    uint32_t count = task->sub->input_count;
    struct task_position *positions = arena_array(search->arena, struct task_position, count);

    for (uint32_t i = 0; i < count; i++) {
        const struct task_input *input = &task->inputs[i];

        positions[i] = (struct task_position){
            .topic = input->topic,
            .partition = task->partition,
            .is_internal = !input->plan->source,
            .committed = committed_position(task, input),
            .rows_in = input->rows_in,
            .rows_skipped = input->rows_skipped,
        };
    }
    *vec_push(search->arena, &search->tasks) = (struct task_status){
        .sub = task->sub_index,
        .partition = task->partition,
        .positions = positions,
        .position_count = count,
        .active_ms = task->active_ms,
    };
}

static void collect(struct worker *worker, void *context)
{
    struct position_search *search = context;

    for (const struct task *task = worker->tasks; task; task = task->next) {
        if (task->query == search->query) {
            collect_task(search, task);
        }
    }
}

static int by_task(const void *left, const void *right)
{
    const struct task_status *a = left, *b = right;

    if (a->sub != b->sub) {
        return a->sub < b->sub ? -1 : 1;
    }
    return (a->partition > b->partition) - (a->partition < b->partition);
}

/* A log that does not answer, or has lost the topic, leaves -1. */
static void find_ends(const struct query *query, const struct task_status *task)
{
    struct task_position *positions = task->positions;

    for (uint32_t i = 0; i < task->position_count; i++) {
        struct log_range range = { -1, -1 };

        (void)log_topic_range(positions[i].is_internal ? query->log : query->rt->log,
                              positions[i].topic, positions[i].partition, READ_COMMITTED, &range,
                              NULL);
        positions[i].begin = range.begin;
        positions[i].end = range.end;
    }
}

int runtime_list_tasks(struct runtime *rt, struct bytes query_id, struct arena *arena,
                       struct task_status **out, uint32_t *count, struct error *err)
{
    struct query *query = query_hold(rt, query_id);
    struct position_search search = { .query = query, .arena = arena };

    if (!query) {
        return error_set(err, ERR_UNKNOWN_QUERY, NO_POSITION, "The query %.*s does not run",
                         BYTES_ARG(query_id));
    }
    for (uint32_t i = 0; i < rt->worker_count; i++) {
        worker_ask(&rt->workers[i], collect, &search);
    }
    if (search.tasks.count > 0) {
        qsort(search.tasks.items, search.tasks.count, sizeof *search.tasks.items, by_task);
    }
    for (uint32_t i = 0; i < search.tasks.count; i++) {
        find_ends(query, &search.tasks.items[i]);
    }
    query_release(query);
    *out = search.tasks.items;
    *count = search.tasks.count;
    return 0;
}
