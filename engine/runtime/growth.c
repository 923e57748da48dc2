/*
 * growth.c: partitions that are added to a source topic while queries read it.
 *
 * The control thread looks at all topics now and then. A query whose source has grown commits, lets
 * its tasks go and starts again with a task for each partition there is; those that were added are
 * read from their begin. One that keeps state by partition of the source cannot: rows of one key
 * would be in two partitions. It stands in ERROR, which names the topic.
 *
 * Brokers hear of new partitions one after the other, so a query is touched only when it was so at
 * two looks.
 */
#include <stdlib.h>

#include "base/trace.h"
#include "engine/runtime/runtime_internal.h"

enum { LOOK_EVERY_MS = 10000 };

struct listing {
    const struct log_topic **topics; /* by name */
    uint32_t count;
};

static int compare_name(const void *key, const void *element)
{
    const struct bytes *name = key;
    const struct log_topic *const *topic = element;

    return bytes_compare(*name, (*topic)->name);
}

static bool has_grown(const struct listing *listing, const struct log_topic *known)
{
    const struct log_topic *const *found =
        listing->count ? bsearch(&known->name, listing->topics, listing->count,
                                 sizeof(struct log_topic *), compare_name)
                       : NULL;

    return found && (*found)->partition_count > known->partition_count;
}

/* A source that has grown since the query found its topics; NULL: none. */
static const struct log_topic *grown_source(const struct query *query,
                                            const struct listing *listing)
{
    const struct physical_plan *plan = query->plan;

    for (uint32_t s = 0; query->topics.found && s < plan->sub_count; s++) {
        for (uint32_t i = 0; i < plan->subs[s].input_count; i++) {
            const struct log_topic *source =
                plan->subs[s].inputs[i].source ? query->topics.sources[s][i] : NULL;

            if (source && has_grown(listing, source)) {
                return source;
            }
        }
    }
    return NULL;
}

static void begin_again(struct runtime *rt, struct query *query, const struct log_topic *source)
{
    TRACE(TRACE_WARN, "runtime",
          "query %.*s: topic '%.*s' has more partitions than the %u it had: it starts again",
          BYTES_ARG(query->plan->query_id), BYTES_ARG(source->name), source->partition_count);
    drop_commit(rt);
    drop_tasks(rt, &(struct drop){ .query = query });
    query_begin_again(query);
}

static void look(struct runtime *rt, const struct listing *listing)
{
    MAP_FOREACH (entry, &rt->queries) {
        struct query *query = entry->value;
        const struct log_topic *source =
            query->durable && atomic_load(&query->state) == QUERY_RUNNING
                ? grown_source(query, listing)
                : NULL;
        bool was_seen = query->has_grown;

        query->has_grown = source != NULL;
        if (source && was_seen) {
            query->has_grown = false;
            begin_again(rt, query, source);
        }
    }
}

void growth_look(struct runtime *rt)
{
    int64_t now_ms = clock_elapsed_ms(rt->clock);
    struct listing listing = { NULL, 0 };
    struct arena arena;

    if (!rt->config.is_shared || !rt->joined || atomic_load(&rt->lost_workers) > 0 ||
        now_ms < rt->look_at_ms) {
        return;
    }
    arena_init(&arena, 0);
    if (!log_list_topics(rt->log, &arena, &listing.topics, &listing.count, NULL)) {
        look(rt, &listing);
    }
    arena_fini(&arena);
    rt->look_at_ms = clock_elapsed_ms(rt->clock) + LOOK_EVERY_MS;
}
