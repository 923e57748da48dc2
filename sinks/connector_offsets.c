/*
 * connector_offsets.c: how far a connector has come, read and set from outside.
 *
 * Reading asks the group on the log, which a target that keeps positions is at most seconds
 * ahead of. Writing tells the target first, by starting a sink that writes nothing: that raises
 * the epoch too, so a task that has not noticed yet that it was stopped cannot write any more.
 */
#include "sinks/connector_internal.h"

enum { ANSWER_WITHIN_MS = 5000 };

/* All partitions of all topics that are there. */
struct places {
    struct arena *arena;
    VEC(struct group_position) items;
};

static void add_topic(struct places *places, const struct log_topic *topic)
{
    for (uint32_t p = 0; p < topic->partition_count; p++) {
        *vec_push(places->arena, &places->items) =
            (struct group_position){ .topic = topic, .partition = p, .offset = -1 };
    }
}

static int list_places(const struct connector *c, struct places *places, struct error *err)
{
    const struct log_topic **topics = NULL;
    uint32_t count = 0;

    TRY(log_list_topics(connector_log(c), places->arena, &topics, &count, err));
    for (uint32_t i = 0; i < count; i++) {
        if (connector_wants(c, topics[i]->name)) {
            add_topic(places, topics[i]);
        }
    }
    return 0;
}

static struct bytes group_name(const struct connector *c, struct arena *arena)
{
    return arena_printf(arena, "connect-%.*s", BYTES_ARG(c->name));
}

int connector_read_offsets(const struct connector *c, struct arena *arena,
                           struct connector_offset **out, uint32_t *count, struct error *err)
{
    struct places places = { .arena = arena };
    struct connector_offset *list;
    uint32_t used = 0;

    TRY(list_places(c, &places, err));
    TRY(log_group_positions(connector_log(c), group_name(c, arena), places.items.items,
                            places.items.count, arena, err));
    list = arena_array(arena, struct connector_offset, places.items.count);
    for (uint32_t i = 0; i < places.items.count; i++) {
        const struct group_position *at = &places.items.items[i];

        if (at->offset >= 0) {
            list[used++] = (struct connector_offset){ at->topic->name, at->partition, at->offset };
        }
    }
    *out = list;
    *count = used;
    return 0;
}

/* --- writing --- */

static const struct connector_offset *find_wanted(const struct connector_offset *offsets,
                                                  uint32_t count, const struct group_position *at)
{
    for (uint32_t i = 0; i < count; i++) {
        if (offsets[i].partition == at->partition &&
            bytes_equal(offsets[i].topic, at->topic->name)) {
            return &offsets[i];
        }
    }
    return NULL;
}

/* Where one begins that was never read, unless something else is wanted. */
static int set_place(const struct connector *c, const struct connector_offset *wanted,
                     struct group_position *at, struct error *err)
{
    bool from_end = options_is(&c->options, "consumer.override.auto.offset.reset", "latest");
    struct log_range range;

    TRY(log_topic_range(connector_log(c), at->topic, at->partition, READ_COMMITTED, &range, err));
    at->offset = wanted && wanted->offset >= 0 ? wanted->offset
                 : from_end                    ? range.end
                                               : range.begin;
    if (at->offset < range.begin || at->offset > range.end) {
        return error_set(err, ERR_INVALID_PROPERTY, NO_POSITION,
                         "%.*s-%u holds offsets %lld to %lld, not %lld", BYTES_ARG(at->topic->name),
                         at->partition, (long long)range.begin, (long long)range.end,
                         (long long)at->offset);
    }
    return 0;
}

/* What is to be changed, at the front of `places`. */
static int choose_places(const struct connector *c, const struct connector_offset *offsets,
                         uint32_t count, struct places *places, struct error *err)
{
    uint32_t used = 0;

    for (uint32_t i = 0; i < places->items.count; i++) {
        struct group_position *at = &places->items.items[i];
        const struct connector_offset *wanted = find_wanted(offsets, count, at);

        if (wanted || count == 0) {
            TRY(set_place(c, wanted, at, err));
            places->items.items[used++] = *at;
        }
    }
    places->items.count = used;
    return used == count || count == 0
               ? 0
               : error_set(err, ERR_INVALID_PROPERTY, NO_POSITION,
                           "Connector %.*s reads no such partition, or one is named twice",
                           BYTES_ARG(c->name));
}

/* A sink that starts with fresh positions puts them in the place of what the target holds. */
static int tell_target(const struct connector *c, const struct places *places, struct error *err)
{
    struct position_at *items = arena_array(places->arena, struct position_at, places->items.count);
    struct positions positions = { items, places->items.count };
    struct sink sink = { .kind = c->kind,
                         .connector = connector_sink_name(c, places->arena),
                         .options = c->options,
                         .answer_within_ms = ANSWER_WITHIN_MS };
    int code;

    for (uint32_t i = 0; i < positions.count; i++) {
        const struct group_position *at = &places->items.items[i];

        items[i] = (struct position_at){ .topic = at->topic->name,
                                         .partition = at->partition,
                                         .offset = at->offset,
                                         .incarnation = at->topic->incarnation,
                                         .is_fresh = 1 };
    }
    code = c->kind->start(&sink, &positions, err);
    c->kind->stop(&sink);
    return code;
}

static int write_offsets(const struct connector *c, const struct connector_offset *offsets,
                         uint32_t count, struct arena *arena, struct error *err)
{
    struct places places = { .arena = arena };

    TRY(list_places(c, &places, err));
    TRY(choose_places(c, offsets, count, &places, err));
    TRY(tell_target(c, &places, err));
    return count == 0 ? log_group_delete(connector_log(c), group_name(c, arena), err)
                      : log_group_alter(connector_log(c), group_name(c, arena), places.items.items,
                                        places.items.count, err);
}

int connector_write_offsets(const struct connector *c, const struct connector_offset *offsets,
                            uint32_t count, struct error *err)
{
    struct arena arena;
    int code;

    if (c->failure.code) {
        return error_set(err, ERR_CONNECTOR_FAILED, NO_POSITION, "%s", c->failure.message);
    }
    arena_init(&arena, 0);
    code = write_offsets(c, offsets, count, &arena, err);
    arena_fini(&arena);
    return code;
}
