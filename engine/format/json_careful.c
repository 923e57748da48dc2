/*
 * json_careful.c: the second look at a record that the row path could not read.
 *
 * The document is known to be well-formed by now. An object is first taken apart
 * into its members, the last of equal names, and only then each column picks its
 * own: the exact name, even holding null, before the last one that is equal when
 * upper-cased. So a value that another overrides is never judged.
 */
#include "engine/format/json_internal.h"

/* Members of the map keep their first place and take the last value, as Jackson's do. */
const char *json_members(struct json_reader *r, const char *at, struct map *members)
{
    struct json_scanner *s = &r->scan;

    s->at = at;
    for (;;) {
        enum json_token token = json_next(s);
        struct bytes name;

        if (token == JSON_COMMA) {
            token = json_next(s);
        }
        if (token != JSON_STRING) {
            return s->at;
        }
        name = json_string_text(r);
        (void)json_next(s); /* the colon */
        /* A value begins behind it; the map wants a pointer that may be written through. */
        map_put(members, name, (void *)(uintptr_t)s->at);
        if (!json_skip(s)) {
            return s->at;
        }
    }
}

static void upper_members(struct json_reader *r, const struct map *members, struct map *upper)
{
    MAP_FOREACH (entry, members) {
        json_upper(entry->key, &r->text);
        map_put(upper, arena_copy(r->arena, buffer_bytes(&r->text)), entry->value);
    }
}

static const char *read_members(struct json_reader *r, const struct json_shape *shape,
                                const struct map *exact, const struct map *upper,
                                struct value *cells)
{
    for (uint32_t i = 0; i < shape->field_count; i++) {
        const struct json_field *field = &shape->fields[i];
        const char *at = map_find(exact, field->name);
        struct value v = value_null();
        bool keep = r->keep;

        at = at ? at : map_find(upper, field->name);
        if (!at) {
            continue;
        }
        r->keep = keep && field->wanted;
        at = json_read_value(r, field->node, at, &v);
        r->keep = keep;
        if (!at) {
            return json_fail_in(r, ".%.*s", BYTES_ARG(field->name));
        }
        if (field->wanted) {
            cells[i] = v;
        }
    }
    return r->scan.at;
}

const char *json_careful_fields(struct json_reader *r, struct json_shape *shape, const char *at,
                                struct value *cells)
{
    struct map exact;
    struct map upper;

    map_init(&exact);
    map_init(&upper);
    at = json_members(r, at, &exact);
    upper_members(r, &exact, &upper);
    if (!read_members(r, shape, &exact, &upper, cells)) {
        at = NULL;
    }
    map_fini(&upper);
    map_fini(&exact);
    return at;
}

const char *json_careful_map(struct json_reader *r, const struct json_node *node, const char *at)
{
    size_t base = r->stack_used;
    struct map members;

    map_init(&members);
    at = json_members(r, at, &members);
    MAP_FOREACH (entry, &members) {
        struct value item = value_null();

        if (!json_read_value(r, node->element, entry->value, &item)) {
            r->stack_used = base;
            at = json_fail_in(r, ".%.*s.value", BYTES_ARG(entry->key));
            break;
        }
        json_push(r, value_text(T_STRING, entry->key));
        json_push(r, item);
    }
    map_fini(&members);
    return at;
}
