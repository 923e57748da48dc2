/*
 * lineage.c: which tables of a stream's join derive from that stream, and by which way.
 *
 *     bets ──► CSAS_BY_RUNNER ──► by_runner ──► CTAS_POOLS ──► pools ─┐ table
 *       └───► repartition ──────────────────────────────────────► join of bets and pools
 *
 * Two walks against the flow: from the stream, over streams only, and from each table, over
 * everything. A topic met by both is common; the hops from common topics down to the table are what
 * a record has to have passed before it is joined (runtime: causal.c).
 *
 * Known are the queries that were there before this one, so whoever waits does so for older
 * queries only, and no two wait for each other. Of the query itself only its own repartition
 * topics count: what goes round through its sink waits for the join, not the other way. A
 * cycle of other queries is cut where the walk comes back to it.
 */
#include "engine/plan/physical_internal.h"

/* A sub-topology of a query that reads and writes topics. */
struct station {
    const struct physical_plan *plan;
    uint32_t sub;
};

struct topic_node {
    struct bytes name;
    bool is_own;
    bool is_common;
    bool is_reached; /* from a common one */
    bool is_placed;
    VEC(struct lineage_reader) feeds; /* on the stream's way */
};

struct lineage_arc {
    uint32_t from;
    uint32_t to;
    struct lineage_reader reader;
};

typedef VEC(struct topic_node) node_list;
typedef VEC(struct lineage_arc) arc_list;

struct lineage_walk {
    struct arena *arena;
    const struct physical_plan *own;
    VEC(struct station) stations;
    node_list stream_topics;
    node_list topics; /* of the tables' ways */
    arc_list arcs;
};

/* --- the walks --- */

static void add_stations(struct lineage_walk *w, const struct physical_plan *plan)
{
    for (uint32_t i = 0; plan && i < plan->sub_count; i++) {
        *vec_push(w->arena, &w->stations) = (struct station){ plan, i };
    }
}

static bool writes(const struct lineage_walk *w, const struct station *station, struct bytes topic)
{
    const struct sub_plan *sub = &station->plan->subs[station->sub];

    for (uint32_t i = 0; i < sub->op_count; i++) {
        const struct op_plan *op = &sub->ops[i];

        if (op->tag == PLAN_TOPIC &&
            bytes_equal(station->plan->outputs[op->topic.output].topic, topic) &&
            (station->plan != w->own || op->topic.role == TOPIC_REPARTITION)) {
            return true;
        }
    }
    return false;
}

static bool is_of_table(const struct input_plan *input)
{
    return input->is_table || input->is_upserts;
}

static uint32_t find_node(const node_list *list, struct bytes name)
{
    uint32_t at = 0;

    while (at < list->count && !bytes_equal(list->items[at].name, name)) {
        at++;
    }
    return at;
}

static uint32_t find_or_add_node(struct lineage_walk *w, node_list *list,
                                 const struct physical_plan *plan, const struct input_plan *input)
{
    uint32_t at = find_node(list, input->topic);

    if (at == list->count) {
        *vec_push(w->arena, list) =
            (struct topic_node){ .name = input->topic, .is_own = plan == w->own && !input->source };
    }
    return at;
}

static struct lineage_reader reader_of(const struct station *station, uint32_t input)
{
    return (struct lineage_reader){ station->plan->query_id, station->sub, input };
}

/* What stands on the stream's way, with those who carry it on. */
static void walk_stream(struct lineage_walk *w, const struct sub_plan *sub)
{
    for (uint32_t i = 0; i < sub->input_count; i++) {
        if (!is_of_table(&sub->inputs[i])) {
            (void)find_or_add_node(w, &w->stream_topics, w->own, &sub->inputs[i]);
        }
    }
    for (uint32_t to = 0; to < w->stream_topics.count; to++) {
        for (uint32_t s = 0; s < w->stations.count; s++) {
            const struct station *station = &w->stations.items[s];
            const struct sub_plan *from = &station->plan->subs[station->sub];

            if (!writes(w, station, w->stream_topics.items[to].name)) {
                continue;
            }
            for (uint32_t i = 0; i < from->input_count; i++) {
                if (!is_of_table(&from->inputs[i])) {
                    uint32_t at =
                        find_or_add_node(w, &w->stream_topics, station->plan, &from->inputs[i]);

                    *vec_push(w->arena, &w->stream_topics.items[at].feeds) = reader_of(station, i);
                }
            }
        }
    }
}

static void walk_station(struct lineage_walk *w, const struct station *station, uint32_t to)
{
    const struct sub_plan *sub = &station->plan->subs[station->sub];

    for (uint32_t i = 0; i < sub->input_count; i++) {
        uint32_t from = find_or_add_node(w, &w->topics, station->plan, &sub->inputs[i]);

        *vec_push(w->arena, &w->arcs) = (struct lineage_arc){ from, to, reader_of(station, i) };
    }
}

/* A table over the stream's own topic is merged with it record by record: it waits for nothing. */
static bool shares_topic(const struct sub_plan *sub, uint32_t table)
{
    for (uint32_t i = 0; i < sub->input_count; i++) {
        if (i != table && bytes_equal(sub->inputs[i].topic, sub->inputs[table].topic)) {
            return true;
        }
    }
    return false;
}

static void walk_tables(struct lineage_walk *w, const struct sub_plan *sub)
{
    for (uint32_t i = 0; i < sub->input_count; i++) {
        if (is_of_table(&sub->inputs[i]) && !shares_topic(sub, i)) {
            (void)find_or_add_node(w, &w->topics, w->own, &sub->inputs[i]);
        }
    }
    for (uint32_t to = 0; to < w->topics.count; to++) {
        for (uint32_t s = 0; s < w->stations.count; s++) {
            if (writes(w, &w->stations.items[s], w->topics.items[to].name)) {
                walk_station(w, &w->stations.items[s], to);
            }
        }
    }
}

/* --- what they have in common --- */

static bool mark_common(struct lineage_walk *w)
{
    bool any = false;

    for (uint32_t i = 0; i < w->topics.count; i++) {
        struct topic_node *node = &w->topics.items[i];
        uint32_t at = find_node(&w->stream_topics, node->name);

        if (at < w->stream_topics.count) {
            node->is_common = true;
            node->is_reached = true;
            node->feeds.items = w->stream_topics.items[at].feeds.items;
            node->feeds.count = w->stream_topics.items[at].feeds.count;
            any = true;
        }
    }
    return any;
}

static void mark_reached(struct lineage_walk *w)
{
    bool again = true;

    while (again) {
        again = false;
        for (uint32_t i = 0; i < w->arcs.count; i++) {
            const struct lineage_arc *arc = &w->arcs.items[i];

            if (w->topics.items[arc->from].is_reached && !w->topics.items[arc->to].is_reached) {
                w->topics.items[arc->to].is_reached = true;
                again = true;
            }
        }
    }
}

/* --- the order of the hops --- */

static bool waits_for_another(const struct lineage_walk *w, uint32_t topic)
{
    for (uint32_t i = 0; i < w->arcs.count; i++) {
        const struct lineage_arc *arc = &w->arcs.items[i];

        if (arc->to == topic && arc->from != topic && w->topics.items[arc->from].is_reached &&
            !w->topics.items[arc->from].is_placed) {
            return true;
        }
    }
    return false;
}

/* The next topic all of whose sources are placed; in a cycle, the one farthest up. */
static uint32_t next_topic(const struct lineage_walk *w)
{
    uint32_t best = w->topics.count;

    for (uint32_t i = w->topics.count; i-- > 0;) {
        const struct topic_node *node = &w->topics.items[i];

        if (!node->is_reached || node->is_placed) {
            continue;
        }
        if (!waits_for_another(w, i)) {
            return i;
        }
        best = best == w->topics.count || node->is_common ? i : best;
    }
    return best;
}

static void place_topic(struct lineage_walk *w, uint32_t topic, struct lineage_plan *out,
                        struct lineage_topic *topics, struct lineage_hop *hops, uint32_t *place_of)
{
    const struct topic_node *node = &w->topics.items[topic];

    place_of[topic] = out->topic_count;
    topics[out->topic_count++] = (struct lineage_topic){
        .name = node->name,
        .is_own = node->is_own,
        .is_common = node->is_common,
        .feeds = node->feeds.items,
        .feed_count = node->feeds.count,
    };
    for (uint32_t i = 0; i < w->arcs.count; i++) {
        const struct lineage_arc *arc = &w->arcs.items[i];

        if (arc->to == topic && w->topics.items[arc->from].is_placed) {
            hops[out->hop_count++] =
                (struct lineage_hop){ place_of[arc->from], place_of[topic], arc->reader };
        }
    }
    w->topics.items[topic].is_placed = true;
}

static const uint32_t *find_inputs(const struct lineage_walk *w, const struct sub_plan *sub,
                                   const uint32_t *place_of, bool *any)
{
    uint32_t *of_input = arena_array(w->arena, uint32_t, sub->input_count);

    for (uint32_t i = 0; i < sub->input_count; i++) {
        uint32_t at = find_node(&w->topics, sub->inputs[i].topic);
        bool found = at < w->topics.count && w->topics.items[at].is_placed;

        of_input[i] = found ? place_of[at] : LINEAGE_NONE;
        *any |= found && is_of_table(&sub->inputs[i]) && !shares_topic(sub, i);
        if (is_of_table(&sub->inputs[i]) && shares_topic(sub, i)) {
            of_input[i] = LINEAGE_NONE;
        }
    }
    return of_input;
}

static const struct lineage_plan *settle(struct lineage_walk *w, const struct sub_plan *sub)
{
    struct lineage_plan *out = arena_new(w->arena, struct lineage_plan);
    struct lineage_topic *topics = arena_array(w->arena, struct lineage_topic, w->topics.count);
    struct lineage_hop *hops = arena_array(w->arena, struct lineage_hop, w->arcs.count);
    uint32_t *place_of = arena_array(w->arena, uint32_t, w->topics.count);
    uint32_t topic;
    bool any = false;

    while ((topic = next_topic(w)) < w->topics.count) {
        place_topic(w, topic, out, topics, hops, place_of);
    }
    out->topics = topics;
    out->hops = hops;
    out->of_input = find_inputs(w, sub, place_of, &any);
    return any ? out : NULL;
}

/* --- the door --- */

static bool joins_stream_to_table(const struct sub_plan *sub)
{
    for (uint32_t i = 0; i < sub->op_count; i++) {
        if (sub->ops[i].tag == PLAN_JOIN_STREAM_TABLE) {
            return true;
        }
    }
    return false;
}

const struct lineage_plan *lineage_find(struct plan_context *context,
                                        const struct physical_plan *own, uint32_t sub)
{
    struct lineage_walk w = { .arena = context->arena, .own = own };
    const struct query_entry *const *queries = NULL;
    uint32_t count;

    if (!joins_stream_to_table(&own->subs[sub])) {
        return NULL;
    }
    count = catalog_list_queries(context->catalog, context->arena, &queries);
    for (uint32_t i = 0; i < count; i++) {
        add_stations(&w, queries[i]->plan);
    }
    add_stations(&w, own);
    walk_tables(&w, &own->subs[sub]);
    walk_stream(&w, &own->subs[sub]);
    if (!mark_common(&w)) {
        return NULL;
    }
    mark_reached(&w);
    return settle(&w, &own->subs[sub]);
}

static bool is_named(const struct lineage_plan *lineage, uint32_t hop)
{
    for (uint32_t i = 0; i < hop; i++) {
        if (bytes_equal(lineage->hops[i].reader.query_id, lineage->hops[hop].reader.query_id)) {
            return true;
        }
    }
    return false;
}

struct bytes lineage_text(struct arena *arena, const struct lineage_plan *lineage,
                          struct bytes own_id)
{
    struct buffer text = { 0 };
    struct bytes copy;

    for (uint32_t i = 0; i < lineage->hop_count; i++) {
        struct bytes id = lineage->hops[i].reader.query_id;

        if (!is_named(lineage, i) && !bytes_equal(id, own_id)) {
            buffer_printf(&text, "%s%.*s", text.len > 0 ? ", " : "", BYTES_ARG(id));
        }
    }
    copy = arena_copy(arena, buffer_bytes(&text));
    buffer_fini(&text);
    return copy;
}
