/*
 * standing.c: where the tasks of each query stand, for the joins of others that wait for them.
 *
 * A standing belongs to a query id and outlives the query's tasks, so whoever waits sees a
 * query that was stopped, or has not started, as one that does not move. Two positions per input:
 *
 *     attempted   told before a commit: what the log shows of the results is of rows below it
 *     committed   told after it: all results of rows below it are in the log
 *
 * A task that has nothing to commit stands where it has read to: behind the last record of a
 * topic there may be offsets without one, and nobody commits for those.
 */
#include <stdlib.h>

#include "base/memory.h"
#include "engine/runtime/causal.h"

struct standing {
    uint32_t references; /* under rt->standings_mutex */
    struct buffer query_id;
    _Atomic int awaited;
    pthread_mutex_t mutex; /* the rest */
    struct stand *stands;
    struct sub_layout {
        uint32_t first; /* of its stands: input by input, partition by partition */
        uint32_t input_count;
        uint32_t task_count;
    } * subs;
    uint32_t sub_count;
};

struct standing *standing_get(struct runtime *rt, struct bytes query_id)
{
    struct standing *standing;

    pthread_mutex_lock(&rt->standings_mutex);
    standing = map_find(&rt->standings, query_id);
    if (!standing) {
        standing = memory_zalloc(1, sizeof *standing);
        buffer_append_bytes(&standing->query_id, query_id);
        pthread_mutex_init(&standing->mutex, NULL);
        map_put(&rt->standings, buffer_bytes(&standing->query_id), standing);
    }
    standing->references++;
    pthread_mutex_unlock(&rt->standings_mutex);
    return standing;
}

void standing_unref(struct runtime *rt, struct standing *standing)
{
    bool last;

    if (!standing) {
        return;
    }
    pthread_mutex_lock(&rt->standings_mutex);
    last = --standing->references == 0;
    if (last) {
        (void)map_remove(&rt->standings, buffer_bytes(&standing->query_id));
    }
    pthread_mutex_unlock(&rt->standings_mutex);
    if (last) {
        pthread_mutex_destroy(&standing->mutex);
        buffer_fini(&standing->query_id);
        free(standing->stands);
        free(standing->subs);
        free(standing);
    }
}

void standing_lay_out(struct standing *standing, const struct query *query)
{
    const struct physical_plan *plan = query->plan;
    uint32_t count = 0;

    pthread_mutex_lock(&standing->mutex);
    standing->sub_count = plan->sub_count;
    standing->subs = memory_resize(standing->subs, plan->sub_count, sizeof *standing->subs);
    for (uint32_t i = 0; i < plan->sub_count; i++) {
        standing->subs[i] =
            (struct sub_layout){ count, plan->subs[i].input_count, query->topics.task_counts[i] };
        count += plan->subs[i].input_count * query->topics.task_counts[i];
    }
    standing->stands = memory_resize(standing->stands, count, sizeof *standing->stands);
    for (uint32_t i = 0; i < count; i++) {
        standing->stands[i] = (struct stand){ -1, INT64_MAX };
    }
    pthread_mutex_unlock(&standing->mutex);
}

/* NULL: the query has no such task. */
static struct stand *find(struct standing *standing, uint32_t sub, uint32_t input,
                          uint32_t partition)
{
    const struct sub_layout *layout;

    if (sub >= standing->sub_count) {
        return NULL;
    }
    layout = &standing->subs[sub];
    return input < layout->input_count && partition < layout->task_count
               ? &standing->stands[layout->first + input * layout->task_count + partition]
               : NULL;
}

struct stand standing_of(struct standing *standing, const struct lineage_reader *reader,
                         uint32_t partition)
{
    struct stand copy = { -1, INT64_MAX };
    const struct stand *at;

    pthread_mutex_lock(&standing->mutex);
    at = find(standing, reader->sub, reader->input, partition);
    copy = at ? *at : copy;
    pthread_mutex_unlock(&standing->mutex);
    return copy;
}

void standing_set(struct standing *standing, const struct lineage_reader *reader,
                  uint32_t partition, const struct stand *stand)
{
    struct stand *at;

    pthread_mutex_lock(&standing->mutex);
    at = find(standing, reader->sub, reader->input, partition);
    if (at) {
        *at = *stand;
    }
    pthread_mutex_unlock(&standing->mutex);
}

void standing_await(struct standing *standing, int change)
{
    atomic_fetch_add(&standing->awaited, change);
}

bool standing_is_awaited(const struct standing *standing)
{
    return atomic_load(&standing->awaited) > 0;
}

/* Without a transaction rows may be seen before anybody has told of them. */
static bool tells_attempts(const struct task *task)
{
    return task->query->durable && task->query->rt->config.guarantee == EXACTLY_ONCE;
}

enum told { TOLD_ATTEMPT, TOLD_COMMITTED, TOLD_LEFT };

static void tell(const struct task *task, enum told told)
{
    struct standing *standing = task->query->standing;

    pthread_mutex_lock(&standing->mutex);
    for (uint32_t i = 0; i < task->sub->input_count; i++) {
        const struct task_input *input = &task->inputs[i];
        struct stand *at = find(standing, task->sub_index, i, task->partition);

        if (!at) {
            continue;
        }
        if (told == TOLD_COMMITTED) {
            at->committed = task->dirty ? input->committed : input->processed;
        }
        at->attempted = told == TOLD_LEFT || !tells_attempts(task) ? INT64_MAX : input->processed;
    }
    pthread_mutex_unlock(&standing->mutex);
}

void standing_attempt(const struct task *task)
{
    tell(task, TOLD_ATTEMPT);
}

void standing_publish(const struct task *task)
{
    tell(task, TOLD_COMMITTED);
}

void standing_leave(const struct task *task)
{
    tell(task, TOLD_LEFT);
}
