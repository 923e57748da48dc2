/*
 * map.h: bytes -> pointer, in order of insertion for those who iterate.
 *
 * Keys are borrowed: they must outlive the map (arena strings, usually). Not
 * for the row path: stores have their own table (engine/state).
 */
#ifndef SLUICE_BASE_MAP_H
#define SLUICE_BASE_MAP_H

#include "base/bytes.h"

struct map_entry {
    struct bytes key;
    void *value; /* NULL once removed */
    uint64_t hash;
};

struct map {
    struct map_entry *entries; /* in order of insertion, with holes where removed */
    uint32_t *slots;           /* open addressing: index into entries + 1, 0 = free */
    uint32_t entry_count;      /* holes included */
    uint32_t live_count;
    uint32_t entry_capacity;
    uint32_t slot_count;
};

void map_init(struct map *map);
void map_fini(struct map *map);
void *map_find(const struct map *map, struct bytes key); /* NULL when absent */
/* value must not be NULL; replaces, and then keeps the first key and its place. */
void map_put(struct map *map, struct bytes key, void *value);
void *map_remove(struct map *map, struct bytes key); /* what was there, or NULL */

#define MAP_FOREACH(entry, map)                                               \
    for (struct map_entry *entry = (map)->entries,                            \
                          *end_ = entry ? entry + (map)->entry_count : entry; \
         entry < end_; entry++)                                               \
        if (entry->value)

#endif
