/*
 * map.c: a hash index over an array of entries in order of insertion.
 *
 * Removing leaves the entry as a hole (value NULL) that its slot still points
 * to, so probing needs no other mark. Holes go when the index is rebuilt; only
 * map_put does that, so removing while iterating is safe.
 *
 * Invariant: entry_count, holes included, is at most 3/4 of slot_count.
 */
#include "base/map.h"

#include <assert.h>
#include <stdlib.h>

#include "base/memory.h"

enum { SMALLEST_SLOT_COUNT = 8 };

void map_init(struct map *map)
{
    *map = (struct map){ 0 };
}

void map_fini(struct map *map)
{
    free(map->entries);
    free(map->slots);
    *map = (struct map){ 0 };
}

/* The live entry of the key, or NULL and in *slot where a new one would be linked. */
static struct map_entry *lookup(const struct map *map, struct bytes key, uint64_t hash,
                                uint32_t *slot)
{
    uint32_t mask = map->slot_count - 1;
    uint32_t at = (uint32_t)hash & mask;

    for (; map->slots[at]; at = (at + 1) & mask) {
        struct map_entry *entry = &map->entries[map->slots[at] - 1];

        if (entry->value && entry->hash == hash && bytes_equal(entry->key, key)) {
            *slot = at;
            return entry;
        }
    }
    *slot = at;
    return NULL;
}

static void drop_holes(struct map *map)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < map->entry_count; i++) {
        if (map->entries[i].value) {
            map->entries[kept++] = map->entries[i];
        }
    }
    map->entry_count = kept;
}

/* Rebuilds the index with room for one more entry. */
static void rebuild(struct map *map)
{
    uint32_t slot_count = SMALLEST_SLOT_COUNT;

    while (slot_count / 2 <= map->live_count) {
        if (slot_count > UINT32_MAX / 2) {
            memory_exhausted(SIZE_MAX);
        }
        slot_count *= 2;
    }
    drop_holes(map);
    map->entry_capacity = slot_count / 4 * 3;
    map->entries = memory_resize(map->entries, map->entry_capacity, sizeof *map->entries);
    free(map->slots);
    map->slots = memory_zalloc(slot_count, sizeof *map->slots);
    map->slot_count = slot_count;
    for (uint32_t i = 0; i < map->entry_count; i++) {
        uint32_t at = (uint32_t)map->entries[i].hash & (slot_count - 1);

        while (map->slots[at]) {
            at = (at + 1) & (slot_count - 1);
        }
        map->slots[at] = i + 1;
    }
}

void *map_find(const struct map *map, struct bytes key)
{
    uint32_t slot;
    struct map_entry *entry;

    if (!map->live_count) {
        return NULL;
    }
    entry = lookup(map, key, bytes_hash(key), &slot);
    return entry ? entry->value : NULL;
}

void map_put(struct map *map, struct bytes key, void *value)
{
    uint64_t hash = bytes_hash(key);
    uint32_t slot;
    struct map_entry *entry;

    assert(value);
    if (map->entry_count == map->entry_capacity) {
        rebuild(map);
    }
    entry = lookup(map, key, hash, &slot);
    if (entry) {
        entry->value = value;
        return;
    }
    map->entries[map->entry_count] = (struct map_entry){ key, value, hash };
    map->slots[slot] = ++map->entry_count;
    map->live_count++;
}

void *map_remove(struct map *map, struct bytes key)
{
    uint32_t slot;
    struct map_entry *entry;
    void *value;

    if (!map->live_count) {
        return NULL;
    }
    entry = lookup(map, key, bytes_hash(key), &slot);
    if (!entry) {
        return NULL;
    }
    value = entry->value;
    entry->value = NULL;
    map->live_count--;
    return value;
}
