/*
 * live_table.c: linear probing over slots of 8 bytes, entries beside them.
 *
 * A slot holds 32 bits of the hash, so that a miss or a growing table touches no
 * entry. The home slot is the upper bits: doubling the slots keeps their order
 * and is one sequential pass. Removing shifts back what was displaced, there are
 * no tombstones here.
 *
 * Freed blocks go to a list per size; up to 1 KB sizes are exact, above
 * there are four per power of two. A block over 64 KB is a chunk of its own.
 */
#include "engine/state/live_table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum {
    EXACT_UNITS = 64,       /* sizes up to here have a list each */
    LARGEST_SHARED = 4096,  /* units; larger blocks are chunks of their own */
    FIRST_CHUNK_UNITS = 64, /* 1 KB */
    LARGEST_CHUNK_UNITS = 65536,
    LARGEST_CHUNK_COUNT = 65536,
    FIRST_SLOTS = 16,
    PREFETCH_AHEAD = 64
};

void live_table_init(struct live_table *table)
{
    *table = (struct live_table){ .slot_shift = 32 };
}

void live_table_fini(struct live_table *table)
{
    for (uint32_t i = 0; i < table->chunk_count; i++) {
        free(table->chunks[i].data);
    }
    free(table->chunks);
    free(table->slots);
    live_table_init(table);
}

/* --- blocks --- */

/* The list for blocks of that size; *units becomes the size of all blocks on it. */
static uint32_t size_class(uint32_t *units)
{
    uint32_t power = 0;
    uint32_t base = EXACT_UNITS; /* below the size, the next power of two is not */
    uint32_t steps;

    if (*units <= EXACT_UNITS) {
        return *units;
    }
    while (2 * base < *units) {
        base *= 2;
        power++;
    }
    steps = (*units - base + base / 4 - 1) / (base / 4); /* 1 to 4 */
    *units = base + steps * (base / 4);
    return EXACT_UNITS + power * 4 + steps;
}

static uint32_t new_chunk(struct live_table *table, size_t size)
{
    uint32_t number = 0;

    while (number < table->chunk_count && table->chunks[number].size) {
        number++;
    }
    if (number == LARGEST_CHUNK_COUNT) {
        memory_exhausted(size);
    }
    if (number == table->chunk_capacity) {
        table->chunk_capacity = table->chunk_capacity ? 2 * table->chunk_capacity : 4;
        table->chunks = memory_resize(table->chunks, table->chunk_capacity, sizeof *table->chunks);
    }
    if (number == table->chunk_count) {
        table->chunk_count++;
    }
    table->chunks[number] = (struct live_chunk){ memory_alloc(size), size };
    table->bytes += size;
    return number;
}

static void free_block(struct live_table *table, live_ref ref)
{
    struct live_entry *entry = live_table_at(table, ref);
    uint32_t units = entry->unit_count;
    struct live_chunk *chunk = &table->chunks[ref >> 16];
    uint32_t list;

    if (units > LARGEST_SHARED) {
        table->bytes -= chunk->size;
        free(chunk->data);
        *chunk = (struct live_chunk){ 0 };
        return;
    }
    list = size_class(&units);
    memcpy(entry, &table->free_blocks[list], sizeof ref);
    table->free_blocks[list] = ref;
}

/* What is left of the open chunk becomes one free block, of a size that has a list. */
static void retire_open_chunk(struct live_table *table)
{
    uint32_t at = table->open_units;
    uint32_t units = (uint32_t)(table->chunks[table->open_chunk].size / LIVE_UNIT_BYTES) - at;
    live_ref ref = table->open_chunk << 16 | at;

    if (units < 2) {
        return;
    }
    live_table_at(table, ref)->unit_count = units < EXACT_UNITS ? units : EXACT_UNITS;
    free_block(table, ref);
}

static void open_chunk(struct live_table *table, uint32_t least_units)
{
    size_t units = FIRST_CHUNK_UNITS;

    if (table->open_units) {
        units = 2 * table->chunks[table->open_chunk].size / LIVE_UNIT_BYTES;
        retire_open_chunk(table);
    }
    while (units <= least_units) {
        units *= 2;
    }
    units = units < LARGEST_CHUNK_UNITS ? units : LARGEST_CHUNK_UNITS;
    table->open_chunk = new_chunk(table, units * LIVE_UNIT_BYTES);
    table->open_units = 1; /* so that no reference is 0 */
}

static live_ref alloc_block(struct live_table *table, size_t size)
{
    size_t wanted = (size + LIVE_UNIT_BYTES - 1) / LIVE_UNIT_BYTES;
    uint32_t units = (uint32_t)wanted;
    uint32_t list;
    live_ref ref;

    assert(wanted <= UINT32_MAX / 2);
    if (units > LARGEST_SHARED) {
        ref = new_chunk(table, (wanted + 1) * LIVE_UNIT_BYTES) << 16 | 1;
        live_table_at(table, ref)->unit_count = units;
        return ref;
    }
    list = size_class(&units);
    ref = table->free_blocks[list];
    if (ref) {
        memcpy(&table->free_blocks[list], live_table_at(table, ref), sizeof ref);
    } else {
        if (!table->open_units || (size_t)(table->open_units + units) * LIVE_UNIT_BYTES >
                                      table->chunks[table->open_chunk].size) {
            open_chunk(table, units);
        }
        ref = table->open_chunk << 16 | table->open_units;
        table->open_units += units;
    }
    live_table_at(table, ref)->unit_count = units;
    return ref;
}

/* --- slots --- */

uint32_t live_table_hash(struct bytes key)
{
    return (uint32_t)bytes_hash(key);
}

static uint32_t home_of(const struct live_table *table, uint32_t hash)
{
    return (uint32_t)((uint64_t)hash >> table->slot_shift);
}

static uint32_t next_slot(const struct live_table *table, uint32_t at)
{
    return (at + 1) & (table->slot_count - 1);
}

static void fill_slot(struct live_table *table, struct live_slot slot)
{
    uint32_t at = home_of(table, slot.hash);

    while (table->slots[at].ref) {
        at = next_slot(table, at);
    }
    table->slots[at] = slot;
}

/* At most three of four slots are in use. */
static void make_slot_room(struct live_table *table)
{
    struct live_slot *old = table->slots;
    uint32_t old_count = table->slot_count;

    if ((uint64_t)(table->entry_count + 1) * 4 <= (uint64_t)old_count * 3) {
        return;
    }
    assert(old_count <= UINT32_MAX / 4);
    table->slot_count = old_count ? 2 * old_count : FIRST_SLOTS;
    table->slot_shift = 32;
    for (uint32_t n = table->slot_count; n > 1; n /= 2) {
        table->slot_shift--;
    }
    table->slots = memory_zalloc(table->slot_count, sizeof *table->slots);
    for (uint32_t i = 0; i < old_count; i++) {
        if (old[i].ref) {
            fill_slot(table, old[i]);
        }
    }
    table->bytes += (size_t)(table->slot_count - old_count) * sizeof *table->slots;
    free(old);
}

live_ref live_table_find(const struct live_table *table, struct bytes key)
{
    uint32_t hash;

    if (!table->slot_count) {
        return 0;
    }
    hash = live_table_hash(key);
    for (uint32_t at = home_of(table, hash); table->slots[at].ref; at = next_slot(table, at)) {
        if (table->slots[at].hash == hash) {
            const struct live_entry *entry = live_table_at(table, table->slots[at].ref);

            if (entry->key_len == key.len && memcmp(entry->data, key.data, key.len) == 0) {
                return table->slots[at].ref;
            }
        }
    }
    return 0;
}

static void prefetch_entry(const struct live_table *table, uint32_t hash)
{
    uint32_t at = home_of(table, hash);

    while (table->slots[at].ref && table->slots[at].hash != hash) {
        at = next_slot(table, at);
    }
    if (table->slots[at].ref) {
        const char *entry = (const char *)live_table_at(table, table->slots[at].ref);

        __builtin_prefetch(entry);
        __builtin_prefetch(entry + 64);
    }
}

void live_table_prefetch(const struct live_table *table, const struct bytes *keys, uint32_t count)
{
    uint32_t hashes[PREFETCH_AHEAD];

    if (!table->slot_count) {
        return;
    }
    for (uint32_t done = 0; done < count;) {
        uint32_t now = count - done < PREFETCH_AHEAD ? count - done : PREFETCH_AHEAD;

        for (uint32_t i = 0; i < now; i++) {
            hashes[i] = live_table_hash(keys[done + i]);
            __builtin_prefetch(&table->slots[home_of(table, hashes[i])]);
        }
        for (uint32_t i = 0; i < now; i++) {
            prefetch_entry(table, hashes[i]);
        }
        done += now;
    }
}

/* --- entries --- */

static void write_image(struct live_entry *entry, struct bytes image)
{
    if (image.len) {
        memcpy(entry->data + entry->key_len, image.data, image.len);
    }
    entry->image_len = (uint32_t)image.len;
}

live_ref live_table_add(struct live_table *table, struct bytes key, struct bytes image)
{
    live_ref ref;
    struct live_entry *entry;

    assert(image.len < LIVE_DELETED && key.len <= UINT32_MAX);
    make_slot_room(table);
    ref = alloc_block(table, sizeof *entry + key.len + image.len);
    entry = live_table_at(table, ref);
    entry->key_len = (uint32_t)key.len;
    entry->change = 0;
    entry->timestamp_ms = 0;
    if (key.len) {
        memcpy(entry->data, key.data, key.len);
    }
    write_image(entry, image);
    fill_slot(table, (struct live_slot){ live_table_hash(key), ref });
    table->entry_count++;
    return ref;
}

static uint32_t slot_of(const struct live_table *table, live_ref ref)
{
    uint32_t at = home_of(table, live_table_hash(live_entry_key(live_table_at(table, ref))));

    while (table->slots[at].ref != ref) {
        assert(table->slots[at].ref);
        at = next_slot(table, at);
    }
    return at;
}

live_ref live_table_replace(struct live_table *table, live_ref ref, struct bytes image)
{
    struct live_entry *entry = live_table_at(table, ref);
    size_t size = sizeof *entry + entry->key_len + image.len;
    struct live_entry *moved;
    live_ref to;

    assert(image.len < LIVE_DELETED);
    if (size <= (size_t)entry->unit_count * LIVE_UNIT_BYTES) {
        write_image(entry, image);
        return ref;
    }
    to = alloc_block(table, size);
    moved = live_table_at(table, to);
    moved->timestamp_ms = entry->timestamp_ms;
    moved->key_len = entry->key_len;
    moved->change = entry->change;
    memcpy(moved->data, entry->data, entry->key_len);
    write_image(moved, image);
    table->slots[slot_of(table, ref)].ref = to;
    free_block(table, ref);
    return to;
}

/* Closes the gap: what stands behind it and does not stand at home moves up. */
static void empty_slot(struct live_table *table, uint32_t gap)
{
    uint32_t mask = table->slot_count - 1;

    for (uint32_t at = next_slot(table, gap); table->slots[at].ref; at = next_slot(table, at)) {
        uint32_t home = home_of(table, table->slots[at].hash);

        if (((at - home) & mask) >= ((at - gap) & mask)) {
            table->slots[gap] = table->slots[at];
            gap = at;
        }
    }
    table->slots[gap] = (struct live_slot){ 0 };
}

void live_table_remove(struct live_table *table, live_ref ref)
{
    empty_slot(table, slot_of(table, ref));
    free_block(table, ref);
    table->entry_count--;
}

/* Entries whose home it is stand there or behind it, in one run. False: that was enough. */
static bool visit_home(const struct live_table *table, uint32_t home,
                       bool (*visit)(void *context, const struct live_entry *entry), void *context)
{
    bool more = true;

    for (uint32_t at = home; table->slots[at].ref; at = next_slot(table, at)) {
        if (home_of(table, table->slots[at].hash) == home) {
            more &= visit(context, live_table_at(table, table->slots[at].ref));
        }
    }
    return more;
}

uint64_t live_table_walk(const struct live_table *table, uint64_t from,
                         bool (*visit)(void *context, const struct live_entry *entry),
                         void *context)
{
    bool more = true;

    while (more && table->slot_count && from < LIVE_WALK_END) {
        uint32_t home = home_of(table, (uint32_t)from);

        more = visit_home(table, home, visit, context);
        from = ((uint64_t)home + 1) << table->slot_shift;
    }
    return table->slot_count ? from : LIVE_WALK_END;
}
