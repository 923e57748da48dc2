/*
 * query.c: a query as the runtime holds it: its topics, options and state.
 *
 * Internal topics are made before the first task: repartition topics with the
 * plan's partitions, a changelog per store with a partition per task. Those of
 * a push query live in the node's transient log and leave with it. A query that comes
 * back from ERROR finds its topics anew: one that vanished may have been made again.
 */
#include <stdlib.h>

#include "base/memory.h"
#include "base/trace.h"
#include "engine/runtime/causal.h"

enum { HEALTHY_MS = 300000 };

/* Mostly it is there. What nobody needs any more, its query deletes. */
static int make_topic(struct query *query, struct bytes name, uint32_t partitions,
                      const struct log_topic **out, struct error *err)
{
    static const struct topic_config kept[] = { { BYTES("cleanup.policy"), BYTES("delete") },
                                                { BYTES("retention.ms"), BYTES("-1") },
                                                { BYTES("retention.bytes"), BYTES("-1") } };
    struct topic_spec spec = { .name = name,
                               .partition_count = partitions,
                               .configs = kept,
                               .config_count = sizeof kept / sizeof kept[0] };
    int code = log_open_topic(query->log, name, out, err);

    if (code == ERR_UNKNOWN_TOPIC) {
        error_clear(err);
        code = log_create_topic(query->log, &spec, err);
        if (code && code != ERR_TOPIC_EXISTS) {
            return code;
        }
        query->fresh &= !code;
        code = log_open_topic(query->log, name, out, err);
    } else {
        query->fresh = false;
    }
    TRY(code);
    if ((*out)->partition_count != partitions) {
        return error_set(err, ERR_TOPIC_MISMATCH, NO_POSITION,
                         "The internal topic '%.*s' has %u partitions, and the query needs %u",
                         BYTES_ARG(name), (*out)->partition_count, partitions);
    }
    return 0;
}

static int open_outputs(struct query *query, struct query_topics *found, struct error *err)
{
    const struct physical_plan *plan = query->plan;

    found->outputs = arena_array(&found->arena, const struct log_topic *, plan->output_count);
    for (uint32_t i = 0; i < plan->output_count; i++) {
        const struct output_plan *output = &plan->outputs[i];

        if (output->role == TOPIC_SINK) {
            TRY(log_open_topic(query->rt->log, output->topic, &found->outputs[i], err));
        } else {
            TRY(make_topic(query, output->topic, output->partition_count, &found->outputs[i], err));
        }
    }
    return 0;
}

static int open_sources(const struct query *query, const struct sub_plan *sub, struct arena *arena,
                        const struct log_topic ***out, struct error *err)
{
    const struct log_topic **sources =
        arena_array(arena, const struct log_topic *, sub->input_count);

    for (uint32_t i = 0; i < sub->input_count; i++) {
        if (sub->inputs[i].source) {
            TRY(log_open_topic(query->rt->log, sub->inputs[i].topic, &sources[i], err));
        }
    }
    *out = sources;
    return 0;
}

/* A task for every partition of the widest input. */
static int count_tasks(const struct query *query, struct query_topics *found, struct error *err)
{
    const struct physical_plan *plan = query->plan;

    found->task_counts = arena_array(&found->arena, uint32_t, plan->sub_count);
    found->birth_counts = arena_array(&found->arena, uint64_t, plan->sub_count);
    found->sources = arena_array(&found->arena, const struct log_topic **, plan->sub_count);
    for (uint32_t s = 0; s < plan->sub_count; s++) {
        const struct sub_plan *sub = &plan->subs[s];

        TRY(open_sources(query, sub, &found->arena, &found->sources[s], err));
        found->birth_counts[s] = UINT64_MAX;
        for (uint32_t i = 0; i < sub->input_count; i++) {
            const struct log_topic *topic = sub->inputs[i].source
                                                ? found->sources[s][i]
                                                : found->outputs[sub->inputs[i].output];

            if (topic->partition_count > found->task_counts[s]) {
                found->task_counts[s] = topic->partition_count;
            }
        }
    }
    return 0;
}

/* State lies in the partition of its key, which is another one once there are more of them. */
static int tell_growth(const struct query *query, const struct log_topic *changelog,
                       uint32_t needed, struct error *err)
{
    return error_set(err, ERR_TOPIC_MISMATCH, NO_POSITION,
                     "Partitions were added to a source topic of the query '%.*s', which has %u "
                     "now, and its state is laid out for %u (topic '%.*s'): TERMINATE the query "
                     "and create it anew",
                     BYTES_ARG(query->plan->query_id), needed, changelog->partition_count,
                     BYTES_ARG(changelog->name));
}

static int open_changelogs(struct query *query, struct query_topics *found, struct error *err)
{
    const struct physical_plan *plan = query->plan;

    found->changelogs = arena_array(&found->arena, const struct log_topic *, plan->store_count);
    for (uint32_t s = 0; query->durable && s < plan->sub_count; s++) {
        for (uint32_t i = 0; i < plan->subs[s].store_count; i++) {
            uint32_t number = plan->subs[s].stores[i];

            int code = make_topic(query, plan->stores[number].changelog, found->task_counts[s],
                                  &found->changelogs[number], err);

            if (code == ERR_TOPIC_MISMATCH &&
                found->changelogs[number]->partition_count < found->task_counts[s]) {
                return tell_growth(query, found->changelogs[number], found->task_counts[s], err);
            }
            TRY(code);
        }
    }
    return 0;
}

/* Best effort: a topic that is gone already is what was wanted. */
static void delete_topics(const struct query *query, const struct query_topics *topics)
{
    const struct physical_plan *plan = query->plan;

    for (uint32_t i = 0; topics->outputs && i < plan->output_count; i++) {
        if (topics->outputs[i] && plan->outputs[i].role == TOPIC_REPARTITION) {
            (void)log_delete_topic(query->log, plan->outputs[i].topic, NULL);
        }
    }
    for (uint32_t i = 0; topics->changelogs && i < plan->store_count; i++) {
        if (topics->changelogs[i]) {
            (void)log_delete_topic(query->log, plan->stores[i].changelog, NULL);
        }
    }
}

void query_delete_topics(struct query *query)
{
    delete_topics(query, &query->topics);
}

/* Whoever looks at the former ones has done so first. */
static void replace_topics(struct query *query, struct query_topics *found)
{
    struct runtime *rt = query->rt;

    pthread_mutex_lock(&rt->queries_mutex);
    while (query->users > 0) {
        pthread_cond_wait(&rt->query_unused, &rt->queries_mutex);
    }
    arena_fini(&query->topics.arena);
    query->topics = *found;
    pthread_mutex_unlock(&rt->queries_mutex);
}

int query_open_topics(struct query *query, struct error *err)
{
    struct query_topics found = { .found = true };
    int code;

    arena_init(&found.arena, 512);
    code = open_outputs(query, &found, err);
    code = code ? code : count_tasks(query, &found, err);
    code = code ? code : open_changelogs(query, &found, err);
    if (code) {
        if (query->fresh && !query->topics.found && !query->options.ran_before) {
            delete_topics(query, &found);
        }
        arena_fini(&found.arena);
        return code;
    }
    replace_topics(query, &found);
    standing_lay_out(query->standing, query);
    return 0;
}

/* Aggregates that a causal join waits for emit at every commit. */
static void await_others(struct query *query)
{
    const struct physical_plan *plan = query->plan;
    uint32_t most = 0;

    for (uint32_t i = 0; i < plan->sub_count; i++) {
        most += plan->subs[i].causal ? plan->subs[i].causal->hop_count : 0;
    }
    query->awaited = memory_zalloc(most, sizeof(struct standing *));
    for (uint32_t i = 0; i < plan->sub_count; i++) {
        const struct lineage_plan *lineage = plan->subs[i].causal;

        for (uint32_t j = 0; lineage && j < lineage->hop_count; j++) {
            struct standing *standing = standing_get(query->rt, lineage->hops[j].reader.query_id);

            standing_await(standing, 1);
            query->awaited[query->awaited_count++] = standing;
        }
    }
}

static void leave_others(struct query *query)
{
    for (uint32_t i = 0; i < query->awaited_count; i++) {
        standing_await(query->awaited[i], -1);
        standing_unref(query->rt, query->awaited[i]);
    }
    free(query->awaited);
    standing_unref(query->rt, query->standing);
}

static void destroy(struct query *query)
{
    if (atomic_load(&query->state) == QUERY_ERROR) {
        atomic_fetch_sub(&query->rt->failed_queries, 1);
    }
    leave_others(query);
    arena_fini(&query->topics.arena);
    free(query);
}

int query_create(struct runtime *rt, const struct physical_plan *plan,
                 const struct query_options *options, struct row_queue *client, struct query **out,
                 struct error *err)
{
    struct query *query = memory_zalloc(1, sizeof *query);
    int code;

    query->rt = rt;
    query->plan = plan;
    query->options = *options;
    query->client = client;
    query->durable = plan->kind == QUERY_PERSISTENT;
    query->log = query->durable ? rt->log : rt->transient_log;
    query->fresh = true;
    query->retry_delay_ms = rt->config.retry_first_ms;
    query->running_since_ms = clock_elapsed_ms(rt->clock);
    atomic_store(&query->state, QUERY_RUNNING);
    atomic_store(&query->paused, options->paused);
    arena_init(&query->topics.arena, 0);
    query->standing = standing_get(rt, plan->query_id);
    await_others(query);
    code = query_open_topics(query, err);
    if (code && !options->ran_before) {
        destroy(query);
        return code;
    }
    if (code) {
        query_set_error(query, err);
        error_clear(err);
    }
    *out = query;
    return 0;
}

/* --- who looks at it --- */

void query_add(struct query *query)
{
    struct runtime *rt = query->rt;

    pthread_mutex_lock(&rt->queries_mutex);
    map_put(&rt->queries, query->plan->query_id, query);
    pthread_mutex_unlock(&rt->queries_mutex);
}

void query_remove(struct query *query)
{
    struct runtime *rt = query->rt;

    pthread_mutex_lock(&rt->queries_mutex);
    (void)map_remove(&rt->queries, query->plan->query_id);
    while (query->users > 0) {
        pthread_cond_wait(&rt->query_unused, &rt->queries_mutex);
    }
    pthread_mutex_unlock(&rt->queries_mutex);
    destroy(query);
}

struct query *query_hold(struct runtime *rt, struct bytes query_id)
{
    struct query *query;

    pthread_mutex_lock(&rt->queries_mutex);
    query = map_find(&rt->queries, query_id);
    if (query) {
        query->users++;
    }
    pthread_mutex_unlock(&rt->queries_mutex);
    return query;
}

void query_release(struct query *query)
{
    struct runtime *rt = query->rt;

    pthread_mutex_lock(&rt->queries_mutex);
    query->users--;
    pthread_cond_broadcast(&rt->query_unused);
    pthread_mutex_unlock(&rt->queries_mutex);
}

/* The delay doubles before it is used; a second failure before the retry changes nothing. */
void query_set_error(struct query *query, const struct error *why)
{
    struct runtime *rt = query->rt;
    int64_t now_ms = clock_elapsed_ms(rt->clock);

    pthread_mutex_lock(&rt->leaf_mutex);
    query->error = *why;
    query->error_ms = clock_now_ms(rt->clock);
    if (atomic_exchange(&query->state, QUERY_ERROR) != QUERY_ERROR) {
        if (now_ms - query->running_since_ms >= HEALTHY_MS) {
            query->retry_delay_ms = rt->config.retry_first_ms;
        }
        query->retry_delay_ms = query->retry_delay_ms < rt->config.retry_most_ms / 2
                                    ? query->retry_delay_ms * 2
                                    : rt->config.retry_most_ms;
        query->retry_at_ms = now_ms + query->retry_delay_ms;
        atomic_fetch_add(&rt->failed_queries, 1);
        if (query->durable) { /* a client is told itself */
            TRACE(TRACE_WARN, "query", "%.*s stopped, and is tried again in %lld s: %s",
                  BYTES_ARG(query->plan->query_id), (long long)(query->retry_delay_ms / 1000),
                  why->message);
        }
    }
    pthread_mutex_unlock(&rt->leaf_mutex);
    if (query->client) {
        row_queue_finish(query->client, why->message);
    }
}

void query_set_running(struct query *query)
{
    pthread_mutex_lock(&query->rt->leaf_mutex);
    query->running_since_ms = clock_elapsed_ms(query->rt->clock);
    if (atomic_exchange(&query->state, QUERY_RUNNING) == QUERY_ERROR) {
        atomic_fetch_sub(&query->rt->failed_queries, 1);
    }
    pthread_mutex_unlock(&query->rt->leaf_mutex);
}

bool query_retry_is_due(struct query *query, int64_t now_ms)
{
    bool due;

    if (!query->durable || atomic_load(&query->state) != QUERY_ERROR) {
        return false;
    }
    pthread_mutex_lock(&query->rt->leaf_mutex);
    due = now_ms >= query->retry_at_ms;
    pthread_mutex_unlock(&query->rt->leaf_mutex);
    return due;
}

void query_begin_again(struct query *query)
{
    struct error err = { 0 };
    int code;

    query_set_running(query);
    code = query_open_topics(query, &err);
    code = code ? code : recover_query(query->rt, query, &err);
    if (code) {
        query_set_error(query, &err);
    }
}
