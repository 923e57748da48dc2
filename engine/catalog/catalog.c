/*
 * catalog.c: four ordered maps over those of the parent; a removed entry of the parent is
 * an entry that hides it.
 *
 * Each entry lies in memory of its own, which moves to the parent on merge and is kept
 * until the root is destroyed, also once the entry was replaced or removed: plans of
 * running queries point at the sources they were made for.
 */
#include "engine/catalog/catalog.h"

#include <stdlib.h>

#include "base/map.h"
#include "base/memory.h"
#include "base/near.h"
#include "base/vec.h"

enum { ENTRY_CHUNK_BYTES = 1024 };

struct entry {
    struct entry *older; /* all entries of a catalog, for destroying them */
    struct arena arena;
    struct bytes name;
    bool removed; /* hides the parent's */
    struct source source;
    struct query_entry query;
    struct connector_entry connector;
    struct type_entry type;
};

struct catalog {
    const struct catalog *parent;
    struct map sources;    /* name -> struct entry */
    struct map queries;    /* id -> struct entry */
    struct map connectors; /* name in lower case -> struct entry */
    struct map types;      /* name -> struct entry */
    struct entry *newest;
    uint32_t next_source_id;
};

struct catalog *catalog_create(const struct catalog *parent)
{
    struct catalog *catalog = memory_zalloc(1, sizeof *catalog);

    catalog->parent = parent;
    catalog->next_source_id = parent ? parent->next_source_id : 1;
    map_init(&catalog->sources);
    map_init(&catalog->queries);
    map_init(&catalog->connectors);
    map_init(&catalog->types);
    return catalog;
}

void catalog_destroy(struct catalog *catalog)
{
    struct entry *entry = catalog->newest;

    while (entry) {
        struct entry *older = entry->older;

        arena_fini(&entry->arena);
        free(entry);
        entry = older;
    }
    map_fini(&catalog->sources);
    map_fini(&catalog->queries);
    map_fini(&catalog->connectors);
    map_fini(&catalog->types);
    free(catalog);
}

static struct entry *make_entry(struct catalog *catalog, struct bytes name)
{
    struct entry *entry = memory_zalloc(1, sizeof *entry);

    arena_init(&entry->arena, ENTRY_CHUNK_BYTES);
    entry->name = arena_copy(&entry->arena, name);
    entry->older = catalog->newest;
    catalog->newest = entry;
    return entry;
}

/* At the root a removed entry hides nothing, so it goes. */
static void put_entry(const struct catalog *catalog, struct map *map, struct entry *entry)
{
    if (entry->removed && !catalog->parent) {
        (void)map_remove(map, entry->name); /* it may never have been there */
    } else {
        map_put(map, entry->name, entry);
    }
}

void catalog_merge(struct catalog *child, struct catalog *parent)
{
    MAP_FOREACH (at, &child->sources) {
        put_entry(parent, &parent->sources, at->value);
    }
    MAP_FOREACH (at, &child->queries) {
        put_entry(parent, &parent->queries, at->value);
    }
    MAP_FOREACH (at, &child->connectors) {
        put_entry(parent, &parent->connectors, at->value);
    }
    MAP_FOREACH (at, &child->types) {
        put_entry(parent, &parent->types, at->value);
    }
    while (child->newest) {
        struct entry *entry = child->newest;

        child->newest = entry->older;
        entry->older = parent->newest;
        parent->newest = entry;
    }
    if (child->next_source_id > parent->next_source_id) {
        parent->next_source_id = child->next_source_id;
    }
    catalog_destroy(child);
}

const struct source *catalog_find_source(const struct catalog *catalog, struct bytes name)
{
    for (; catalog; catalog = catalog->parent) {
        const struct entry *entry = map_find(&catalog->sources, name);

        if (entry) {
            return entry->removed ? NULL : &entry->source;
        }
    }
    return NULL;
}

const struct query_entry *catalog_find_query(const struct catalog *catalog, struct bytes id)
{
    for (; catalog; catalog = catalog->parent) {
        const struct entry *entry = map_find(&catalog->queries, id);

        if (entry) {
            return entry->removed ? NULL : &entry->query;
        }
    }
    return NULL;
}

static struct bytes lower_case(struct bytes name, struct arena *arena)
{
    char *text = arena_copy_text(arena, name);

    for (size_t i = 0; i < name.len; i++) {
        if (text[i] >= 'A' && text[i] <= 'Z') {
            text[i] = (char)(text[i] + ('a' - 'A'));
        }
    }
    return (struct bytes){ text, name.len };
}

const struct connector_entry *catalog_find_connector(const struct catalog *catalog,
                                                     struct bytes name)
{
    const struct entry *found = NULL;
    struct arena arena;
    struct bytes key;

    arena_init(&arena, 0);
    key = lower_case(name, &arena);
    for (; catalog && !found; catalog = catalog->parent) {
        found = map_find(&catalog->connectors, key);
    }
    arena_fini(&arena);
    return found && !found->removed ? &found->connector : NULL;
}

const struct type_entry *catalog_find_type(const struct catalog *catalog, struct bytes name)
{
    for (; catalog; catalog = catalog->parent) {
        const struct entry *entry = map_find(&catalog->types, name);

        if (entry) {
            return entry->removed ? NULL : &entry->type;
        }
    }
    return NULL;
}

const struct source *catalog_put_source(struct catalog *catalog, const struct source *source)
{
    struct entry *entry = make_entry(catalog, source->name);
    struct source *copy = &entry->source;

    source_copy(&entry->arena, source, copy);
    if (copy->id == 0) {
        copy->id = catalog_next_source_id(catalog);
    }
    put_entry(catalog, &catalog->sources, entry);
    return copy;
}

void catalog_put_query(struct catalog *catalog, const struct query_entry *query)
{
    struct entry *entry = make_entry(catalog, query->id);
    struct arena *arena = &entry->arena;
    struct bytes *names = arena_array(arena, struct bytes, query->source_count);

    for (uint32_t i = 0; i < query->source_count; i++) {
        names[i] = arena_copy(arena, query->sources[i]);
    }
    entry->query = *query;
    entry->query.id = entry->name;
    entry->query.sql = arena_copy(arena, query->sql);
    entry->query.sink = arena_copy(arena, query->sink);
    entry->query.sources = names;
    put_entry(catalog, &catalog->queries, entry);
}

static struct entry *make_connector(struct catalog *catalog, struct bytes name)
{
    struct entry *entry = make_entry(catalog, name);

    entry->name = lower_case(name, &entry->arena);
    return entry;
}

void catalog_put_connector(struct catalog *catalog, const struct connector_entry *connector)
{
    struct entry *entry = make_connector(catalog, connector->name);
    struct arena *arena = &entry->arena;
    struct connector_option *options =
        arena_array(arena, struct connector_option, connector->option_count);

    for (uint32_t i = 0; i < connector->option_count; i++) {
        options[i].name = arena_copy(arena, connector->options[i].name);
        options[i].value = arena_copy(arena, connector->options[i].value);
    }
    entry->connector = *connector;
    entry->connector.name = arena_copy(arena, connector->name);
    entry->connector.sql = arena_copy(arena, connector->sql);
    entry->connector.options = options;
    put_entry(catalog, &catalog->connectors, entry);
}

void catalog_put_type(struct catalog *catalog, const struct type_entry *type)
{
    struct entry *entry = make_entry(catalog, type->name);

    entry->type.name = entry->name;
    entry->type.type = type_copy(&entry->arena, type->type);
    put_entry(catalog, &catalog->types, entry);
}

void catalog_remove_type(struct catalog *catalog, struct bytes name)
{
    struct entry *entry = make_entry(catalog, name);

    entry->removed = true;
    put_entry(catalog, &catalog->types, entry);
}

void catalog_remove_source(struct catalog *catalog, struct bytes name)
{
    struct entry *entry = make_entry(catalog, name);

    entry->removed = true;
    put_entry(catalog, &catalog->sources, entry);
}

void catalog_remove_query(struct catalog *catalog, struct bytes id)
{
    struct entry *entry = make_entry(catalog, id);

    entry->removed = true;
    put_entry(catalog, &catalog->queries, entry);
}

void catalog_remove_connector(struct catalog *catalog, struct bytes name)
{
    struct entry *entry = make_connector(catalog, name);

    entry->removed = true;
    put_entry(catalog, &catalog->connectors, entry);
}

static int compare_entries(const void *a, const void *b)
{
    const struct entry *const *left = a;
    const struct entry *const *right = b;

    return bytes_compare((*left)->name, (*right)->name);
}

typedef VEC(const struct entry *) entry_list;

static const struct map *sources_of(const struct catalog *catalog)
{
    return &catalog->sources;
}

static const struct map *queries_of(const struct catalog *catalog)
{
    return &catalog->queries;
}

static const struct map *connectors_of(const struct catalog *catalog)
{
    return &catalog->connectors;
}

static const struct map *types_of(const struct catalog *catalog)
{
    return &catalog->types;
}

/* The visible entries of a map by name; from the newest layer, each name once. */
static entry_list list_entries(const struct catalog *catalog, struct arena *arena,
                               const struct map *(*of)(const struct catalog *))
{
    struct map seen;
    entry_list list = { 0 };

    map_init(&seen);
    for (; catalog; catalog = catalog->parent) {
        MAP_FOREACH (at, of(catalog)) {
            const struct entry *entry = at->value;

            if (map_find(&seen, at->key)) {
                continue;
            }
            map_put(&seen, at->key, at->value);
            if (!entry->removed) {
                *vec_push(arena, &list) = entry;
            }
        }
    }
    map_fini(&seen);
    if (list.count > 1) {
        qsort(list.items, list.count, sizeof *list.items, compare_entries);
    }
    return list;
}

uint32_t catalog_list_sources(const struct catalog *catalog, struct arena *arena,
                              const struct source *const **out)
{
    entry_list list = list_entries(catalog, arena, sources_of);
    const struct source **sources = arena_array(arena, const struct source *, list.count);

    for (uint32_t i = 0; i < list.count; i++) {
        sources[i] = &list.items[i]->source;
    }
    *out = sources;
    return list.count;
}

uint32_t catalog_list_queries(const struct catalog *catalog, struct arena *arena,
                              const struct query_entry *const **out)
{
    entry_list list = list_entries(catalog, arena, queries_of);
    const struct query_entry **queries = arena_array(arena, const struct query_entry *, list.count);

    for (uint32_t i = 0; i < list.count; i++) {
        queries[i] = &list.items[i]->query;
    }
    *out = queries;
    return list.count;
}

uint32_t catalog_list_connectors(const struct catalog *catalog, struct arena *arena,
                                 const struct connector_entry *const **out)
{
    entry_list list = list_entries(catalog, arena, connectors_of);
    const struct connector_entry **connectors =
        arena_array(arena, const struct connector_entry *, list.count);

    for (uint32_t i = 0; i < list.count; i++) {
        connectors[i] = &list.items[i]->connector;
    }
    *out = connectors;
    return list.count;
}

uint32_t catalog_list_types(const struct catalog *catalog, struct arena *arena,
                            const struct type_entry *const **out)
{
    entry_list list = list_entries(catalog, arena, types_of);
    const struct type_entry **types = arena_array(arena, const struct type_entry *, list.count);

    for (uint32_t i = 0; i < list.count; i++) {
        types[i] = &list.items[i]->type;
    }
    *out = types;
    return list.count;
}

uint32_t catalog_next_source_id(struct catalog *catalog)
{
    return catalog->next_source_id++;
}

struct bytes catalog_near_source(const struct catalog *catalog, struct bytes name)
{
    struct near_search search = near_begin(name);
    const struct catalog *top = catalog;

    for (; catalog; catalog = catalog->parent) {
        MAP_FOREACH (at, &catalog->sources) {
            if (catalog_find_source(top, at->key)) {
                near_offer(&search, at->key);
            }
        }
    }
    return search.best;
}
