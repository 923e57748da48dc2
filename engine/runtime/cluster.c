/*
 * cluster.c: which node of the service runs what.
 *
 * Nobody keeps a list of nodes: the group knows who has which slot, and every node can tell which
 * slot a query's partition falls into. So each of them answers for all, and nothing is sent around.
 *
 * A node that has no slots, because there are more nodes than slots, is not in the group's answer;
 * only the one that is asked adds itself. A query without tasks here, in ERROR, is left out.
 */
#include "engine/runtime/runtime_internal.h"

/* A query's part on one node, while it grows. */
struct part {
    struct cluster_query query;
    VEC(struct cluster_partition) partitions;
    VEC(struct cluster_partition) stores; /* topic: the changelog */
    VEC(struct bytes) store_names;        /* of those */
};

struct host {
    struct bytes client_id;
    struct bytes member_id;
    VEC(struct part) parts;
};

struct survey {
    struct runtime *rt;
    struct arena *arena;
    VEC(struct host) hosts;
    uint32_t *host_of_slot; /* UINT32_MAX: nobody has it */
};

static uint32_t find_host(struct survey *survey, struct bytes client_id, struct bytes member_id)
{
    for (uint32_t i = 0; i < survey->hosts.count; i++) {
        if (bytes_equal(survey->hosts.items[i].member_id, member_id)) {
            return i;
        }
    }
    *vec_push(survey->arena, &survey->hosts) =
        (struct host){ .client_id = client_id, .member_id = member_id };
    return survey->hosts.count - 1;
}

static int find_hosts(struct survey *survey, struct error *err)
{
    struct runtime *rt = survey->rt;
    struct group_owner *owners = NULL;
    uint32_t count = 0;
    bool is_here = false;

    survey->host_of_slot = arena_array(survey->arena, uint32_t, rt->slot_count);
    for (uint32_t i = 0; i < rt->slot_count; i++) {
        survey->host_of_slot[i] = UINT32_MAX;
    }
    TRY(log_group_owners(rt->log, rt->group, survey->arena, &owners, &count, err));
    for (uint32_t i = 0; i < count; i++) {
        if (owners[i].partition < rt->slot_count) {
            survey->host_of_slot[rt->seat_slots[owners[i].partition]] =
                find_host(survey, owners[i].client_id, owners[i].member_id);
            is_here |= bytes_equal(owners[i].client_id, rt->client_id);
        }
    }
    if (!is_here) {
        (void)find_host(survey, rt->client_id, bytes_of(""));
    }
    return 0;
}

static struct part *find_part(struct survey *survey, struct host *host, struct bytes query_id)
{
    struct part *last = host->parts.count ? &host->parts.items[host->parts.count - 1] : NULL;

    if (!last || !bytes_equal(last->query.id, query_id)) {
        last = vec_push(survey->arena, &host->parts);
        *last = (struct part){ .query = { .id = query_id } };
    }
    return last;
}

static const struct log_topic *topic_of_input(const struct query *query, uint32_t sub, uint32_t i)
{
    const struct input_plan *input = &query->plan->subs[sub].inputs[i];

    return input->source ? query->topics.sources[sub][i] : query->topics.outputs[input->output];
}

/* One that reads a topic twice has its partition once. */
static void add_partition(struct survey *survey, struct part *part, struct bytes topic,
                          uint32_t partition)
{
    for (uint32_t i = 0; i < part->partitions.count; i++) {
        const struct cluster_partition *had = &part->partitions.items[i];

        if (had->partition == partition && bytes_equal(had->topic, topic)) {
            return;
        }
    }
    *vec_push(survey->arena, &part->partitions) =
        (struct cluster_partition){ .topic = topic, .partition = partition };
}

static void add_task(struct survey *survey, const struct query *query, struct bytes query_id,
                     uint32_t s, uint32_t partition)
{
    const struct sub_plan *sub = &query->plan->subs[s];
    uint32_t host = survey->host_of_slot[slot_of(survey->rt, sub->root_topic, partition)];
    struct part *part;

    if (host == UINT32_MAX) {
        return;
    }
    part = find_part(survey, &survey->hosts.items[host], query_id);
    for (uint32_t i = 0; i < sub->input_count; i++) {
        const struct log_topic *topic = topic_of_input(query, s, i);

        if (partition < topic->partition_count) {
            add_partition(survey, part, topic->name, partition);
        }
    }
    for (uint32_t i = 0; i < sub->store_count; i++) {
        const struct store_plan *store = &query->plan->stores[sub->stores[i]];
        const struct log_topic *changelog = query->topics.changelogs[sub->stores[i]];

        *vec_push(survey->arena, &part->stores) =
            (struct cluster_partition){ changelog->name, partition };
        *vec_push(survey->arena, &part->store_names) = arena_copy(survey->arena, store->name);
    }
}

/* Topics live as long as the log; a plan's texts end with its query. */
static void add_queries(struct survey *survey)
{
    struct runtime *rt = survey->rt;

    pthread_mutex_lock(&rt->queries_mutex);
    MAP_FOREACH (entry, &rt->queries) {
        const struct query *query = entry->value;
        struct bytes id;

        if (!query->durable || !query->topics.found || atomic_load(&query->state) == QUERY_ERROR) {
            continue;
        }
        id = arena_copy(survey->arena, query->plan->query_id);
        for (uint32_t s = 0; s < query->plan->sub_count; s++) {
            for (uint32_t p = 0; p < query->topics.task_counts[s]; p++) {
                add_task(survey, query, id, s, p);
            }
        }
    }
    pthread_mutex_unlock(&rt->queries_mutex);
}

static int end_of_changelog(struct survey *survey, const struct cluster_partition *place,
                            int64_t *out, struct error *err)
{
    const struct log_topic *topic = NULL;
    struct log_range range;

    TRY(log_open_topic(survey->rt->log, place->topic, &topic, err));
    TRY(log_topic_range(survey->rt->log, topic, place->partition, READ_COMMITTED, &range, err));
    *out = range.end;
    return 0;
}

/* The stores of a query that was dropped meanwhile are left out. */
static int finish_part(struct survey *survey, struct part *part, struct error *err)
{
    struct cluster_store *stores =
        arena_array(survey->arena, struct cluster_store, part->stores.count);
    uint32_t count = 0;

    for (uint32_t i = 0; i < part->stores.count; i++) {
        const struct cluster_partition *place = &part->stores.items[i];
        int64_t end = 0;
        int code = end_of_changelog(survey, place, &end, err);

        if (code == ERR_UNKNOWN_TOPIC) {
            error_clear(err);
        } else if (code) {
            return code;
        } else {
            stores[count++] =
                (struct cluster_store){ part->store_names.items[i], place->partition, end };
        }
    }
    part->query.partitions = part->partitions.items;
    part->query.partition_count = part->partitions.count;
    part->query.stores = stores;
    part->query.store_count = count;
    return 0;
}

static int finish_host(struct survey *survey, struct host *host, struct cluster_node *out,
                       struct error *err)
{
    struct cluster_query *queries =
        arena_array(survey->arena, struct cluster_query, host->parts.count);

    for (uint32_t i = 0; i < host->parts.count; i++) {
        TRY(finish_part(survey, &host->parts.items[i], err));
        queries[i] = host->parts.items[i].query;
    }
    *out = (struct cluster_node){ host->client_id, queries, host->parts.count };
    return 0;
}

int runtime_list_nodes(struct runtime *rt, struct arena *arena, struct cluster_node **out,
                       uint32_t *count, struct error *err)
{
    struct survey survey = { .rt = rt, .arena = arena };
    struct cluster_node *nodes;

    TRY(find_hosts(&survey, err));
    add_queries(&survey);
    nodes = arena_array(arena, struct cluster_node, survey.hosts.count);
    for (uint32_t i = 0; i < survey.hosts.count; i++) {
        TRY(finish_host(&survey, &survey.hosts.items[i], &nodes[i], err));
    }
    *out = nodes;
    *count = survey.hosts.count;
    return 0;
}
