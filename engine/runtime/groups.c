/*
 * groups.c: the Kafka groups that bear a query's name, as ksqlDB has them.
 *
 * Mirror: every few seconds the positions that this node's tasks have committed are copied into
 * the query's group, for tools that show how far behind a query is. Nothing is ever
 * read back from there, the progress topic alone counts; so what cannot be written, because
 * somebody is a member of the group or the right is missing, is left out.
 *
 *   worker    a round asks each for the positions that have changed
 *   mirror    sorts them by query, and alters group after group, on a thread of its own
 *
 * A query is held while its group is written, so nothing comes behind the deletion of both.
 *
 * Take-over: a query without state that has never committed begins where its group stands,
 * if it was ksqlDB that left the positions there: ours carry a mark. One with state begins
 * where its options say, as the state behind those positions is not to be had.
 */
#include <stdlib.h>

#include "base/trace.h"
#include "engine/runtime/runtime_internal.h"

enum { MIRROR_EVERY_MS = 5000 };

static const struct bytes our_mark = BYTES("sluice");

/* --- collecting --- */

struct mirror_row {
    const struct query *query; /* only to be compared: it may be gone */
    struct bytes query_id;
    struct group_position position;
};

struct mirror_round {
    struct arena arena;
    VEC(struct mirror_row) rows;
    bool takes_all;
};

/* Behind the last record there may be offsets without one, and nobody commits for those. */
static int64_t mirrored_position(const struct task_input *input)
{
    return input->task->dirty ? input->committed : input->processed;
}

static void collect_task(struct mirror_round *round, struct task *task)
{
    struct bytes query_id = { 0 };

    for (uint32_t i = 0; i < task->sub->input_count; i++) {
        struct task_input *input = &task->inputs[i];
        int64_t position = mirrored_position(input);

        if (position < 0 || (position == input->mirrored && !round->takes_all)) {
            continue;
        }
        if (!query_id.data) {
            query_id = arena_copy(&round->arena, task->query->plan->query_id);
        }
        *vec_push(&round->arena, &round->rows) = (struct mirror_row){
            .query = task->query,
            .query_id = query_id,
            .position = { input->topic, task->partition, position, our_mark },
        };
        input->mirrored = position;
    }
}

/* A task that was never committed has no position. */
static void collect(struct worker *worker, void *context)
{
    for (struct task *task = worker->tasks; task; task = task->next) {
        if (task->born && task->query->durable) {
            collect_task(context, task);
        }
    }
}

/* By query and place; where a query reads a place more than once, the lowest position first. */
static int by_place(const void *left, const void *right)
{
    const struct mirror_row *a = left, *b = right;
    int order = bytes_compare(a->query_id, b->query_id);

    order = order ? order : bytes_compare(a->position.topic->name, b->position.topic->name);
    if (order) {
        return order;
    }
    if (a->position.partition != b->position.partition) {
        return a->position.partition < b->position.partition ? -1 : 1;
    }
    return (a->position.offset > b->position.offset) - (a->position.offset < b->position.offset);
}

static bool is_same_place(const struct group_position *a, const struct group_position *b)
{
    return a->topic == b->topic && a->partition == b->partition;
}

/* --- writing --- */

/* All rows are of one query. */
static int write_group(struct runtime *rt, struct arena *arena, const struct mirror_row *rows,
                       uint32_t count)
{
    struct group_position *positions = arena_array(arena, struct group_position, count);
    struct query *query = query_hold(rt, rows->query_id);
    struct error err = { 0 };
    uint32_t different = 0;
    int code = 0;

    if (!query) {
        return 0;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (!different || !is_same_place(&positions[different - 1], &rows[i].position)) {
            positions[different++] = rows[i].position;
        }
    }
    if (query == rows->query) {
        code = log_group_alter(rt->log, query->plan->application_id, positions, different, &err);
    }
    query_release(query);
    if (code) {
        TRACE(TRACE_DEBUG, "mirror", "%s", err.message);
    }
    return code;
}

/* False: the log does not answer. */
static bool write_groups(struct runtime *rt, struct mirror_round *round)
{
    const struct mirror_row *rows = round->rows.items;

    for (uint32_t first = 0, end; first < round->rows.count; first = end) {
        for (end = first + 1; end < round->rows.count; end++) {
            if (!bytes_equal(rows[end].query_id, rows[first].query_id)) {
                break;
            }
        }
        if (atomic_load(&rt->stop) ||
            write_group(rt, &round->arena, &rows[first], end - first) == ERR_LOG_UNAVAILABLE) {
            return false;
        }
    }
    return true;
}

void mirror_step(struct mirror *mirror)
{
    struct runtime *rt = mirror->rt;
    struct mirror_round round = { .takes_all = mirror->owes };

    arena_init(&round.arena, 0);
    for (uint32_t i = 0; i < rt->worker_count; i++) {
        worker_ask(&rt->workers[i], collect, &round);
    }
    if (round.rows.count > 0) {
        qsort(round.rows.items, round.rows.count, sizeof *round.rows.items, by_place);
    }
    mirror->owes = !write_groups(rt, &round);
    arena_fini(&round.arena);
}

/* --- the thread --- */

void mirror_init(struct mirror *mirror, struct runtime *rt)
{
    *mirror = (struct mirror){ .rt = rt };
    queue_init(&mirror->pause, 1);
}

void mirror_fini(struct mirror *mirror)
{
    queue_fini(&mirror->pause);
}

static void *mirror_main(void *argument)
{
    struct mirror *mirror = argument;

    (void)queue_take(&mirror->pause, MIRROR_EVERY_MS); /* nothing comes but the end */
    while (!atomic_load(&mirror->rt->stop)) {
        mirror_step(mirror);
        (void)queue_take(&mirror->pause, MIRROR_EVERY_MS);
    }
    return NULL;
}

int mirror_start_thread(struct mirror *mirror)
{
    if (pthread_create(&mirror->thread, NULL, mirror_main, mirror)) {
        return ERR_QUERY_FAILED;
    }
    mirror->has_thread = true;
    return 0;
}

void mirror_stop_thread(struct mirror *mirror)
{
    if (mirror->has_thread) {
        queue_close(&mirror->pause);
        pthread_join(mirror->thread, NULL);
        mirror->has_thread = false;
    }
}

void group_forget(struct runtime *rt, const struct physical_plan *plan)
{
    struct error err = { 0 };

    if (rt->config.is_shared && plan->kind == QUERY_PERSISTENT &&
        log_group_delete(rt->log, plan->application_id, &err)) {
        TRACE(TRACE_WARN, "runtime", "query %.*s: its group stays: %s", BYTES_ARG(plan->query_id),
              err.message);
    }
}

/* --- take-over --- */

static uint32_t name_places(const struct query *query, struct group_position *out)
{
    const struct physical_plan *plan = query->plan;
    uint32_t count = 0;

    for (uint32_t s = 0; s < plan->sub_count; s++) {
        for (uint32_t i = 0; i < plan->subs[s].input_count; i++) {
            const struct log_topic *topic = query->topics.sources[s][i];

            for (uint32_t p = 0; topic && p < topic->partition_count; p++, count++) {
                if (out) {
                    out[count] = (struct group_position){ .topic = topic, .partition = p };
                }
            }
        }
    }
    return count;
}

/* Kept until the query finds its topics anew. Without the right to see it there is no group. */
static int ask_group(struct query *query, struct error *err)
{
    uint32_t count = name_places(query, NULL), kept = 0;
    struct query_topics *topics = &query->topics;
    struct group_position *found;
    struct error why = { 0 };
    struct arena arena;
    int code;

    arena_init(&arena, 0);
    found = arena_array(&arena, struct group_position, count);
    (void)name_places(query, found);
    code = log_group_positions(query->rt->log, query->plan->application_id, found, count, &arena,
                               &why);
    for (uint32_t i = 0; !code && i < count; i++) {
        if (found[i].offset >= 0 && !bytes_equal(found[i].metadata, our_mark)) {
            found[kept++] = found[i];
        }
    }
    topics->left_behind = arena_array(&topics->arena, struct group_position, kept);
    for (uint32_t i = 0; i < kept; i++) {
        topics->left_behind[i] = found[i];
        topics->left_behind[i].metadata = (struct bytes){ 0 };
    }
    topics->left_behind_count = kept;
    arena_fini(&arena);
    if (code && code != ERR_NOT_AUTHORIZED) {
        return error_set(err, why.code, why.at, "%s", why.message);
    }
    topics->asked_group = true;
    return 0;
}

int group_position_left(const struct task_input *input, const struct log_range *range, int64_t *out,
                        struct error *err)
{
    struct query *query = input->task->query;

    *out = -1;
    if (!query->rt->config.is_shared || !query->durable || query->plan->store_count > 0 ||
        !input->plan->source || input->task->born) {
        return 0;
    }
    if (!query->topics.asked_group) {
        TRY(ask_group(query, err));
    }
    for (uint32_t i = 0; i < query->topics.left_behind_count; i++) {
        const struct group_position *left = &query->topics.left_behind[i];

        if (left->topic == input->topic && left->partition == input->task->partition &&
            left->offset >= range->begin && left->offset <= range->end) {
            *out = left->offset;
        }
    }
    return 0;
}
