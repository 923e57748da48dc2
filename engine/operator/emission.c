/*
 * emission.c: a hash table of changed keys and a list of updates.
 *
 * Every update appends its entry's number to the list; the entry remembers the
 * place. Walking the list, a place that is no longer its entry's is passed over,
 * so "in order of last update" costs no list surgery. The list is squeezed when it
 * is mostly such places.
 *
 * The budget counts what an entry holds, nothing that depends on how memory grew:
 * where it ends must not depend on how the input was cut.
 */
#include "engine/operator/emission.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum {
    FIRST_SLOTS = 64,
    FIRST_ITEMS = 32,
    LEAST_SQUEEZE = 1024,
    LARGE_SLOTS = 4096,
    ARENA_CHUNK_BYTES = 4096
};

struct emission_entry {
    struct emission_change change;
    uint32_t hash;
    uint32_t place; /* in the list of updates */
};

struct emission_slot {
    uint32_t hash;
    uint32_t number; /* of the entry + 1; 0: free */
};

struct emission {
    size_t budget_bytes;
    size_t used_bytes;
    struct emission_slot *slots;
    uint32_t slot_count; /* a power of two, or 0 */
    struct emission_entry *entries;
    uint32_t entry_count;
    uint32_t entry_capacity;
    uint32_t *updates; /* numbers of entries */
    uint32_t update_count;
    uint32_t update_capacity;
    struct arena arena; /* keys, images, headers */
};

struct emission *emission_create(size_t budget_bytes)
{
    struct emission *emission = memory_zalloc(1, sizeof *emission);

    emission->budget_bytes = budget_bytes;
    arena_init(&emission->arena, ARENA_CHUNK_BYTES);
    return emission;
}

void emission_destroy(struct emission *emission)
{
    if (!emission) {
        return;
    }
    arena_fini(&emission->arena);
    free(emission->slots);
    free(emission->entries);
    free(emission->updates);
    free(emission);
}

static uint32_t find_slot(const struct emission *e, struct bytes key, uint32_t hash)
{
    uint32_t mask = e->slot_count - 1;
    uint32_t at = hash & mask;

    for (; e->slots[at].number; at = (at + 1) & mask) {
        if (e->slots[at].hash == hash &&
            bytes_equal(e->entries[e->slots[at].number - 1].change.key, key)) {
            break;
        }
    }
    return at;
}

static void make_slot_room(struct emission *e)
{
    if ((e->entry_count + 1) * 2 <= e->slot_count) {
        return;
    }
    free(e->slots);
    e->slot_count = e->slot_count ? 2 * e->slot_count : FIRST_SLOTS;
    e->slots = memory_zalloc(e->slot_count, sizeof *e->slots);
    for (uint32_t i = 0; i < e->entry_count; i++) {
        uint32_t at = e->entries[i].hash & (e->slot_count - 1);

        while (e->slots[at].number) {
            at = (at + 1) & (e->slot_count - 1);
        }
        e->slots[at] = (struct emission_slot){ e->entries[i].hash, i + 1 };
    }
}

void emission_prefetch(const struct emission *e, const struct bytes *keys, uint32_t count)
{
    for (uint32_t i = 0; e->slot_count && i < count; i++) {
        __builtin_prefetch(&e->slots[(uint32_t)bytes_hash(keys[i]) & (e->slot_count - 1)]);
    }
}

/* Key and image in one piece; an absent image stays absent. */
static struct emission_entry *add_entry(struct emission *e, struct bytes key,
                                        struct bytes old_image, uint32_t hash)
{
    char *text = arena_alloc_text(&e->arena, key.len + old_image.len + 1);
    struct emission_entry *entry;

    if (e->entry_count == e->entry_capacity) {
        e->entry_capacity = e->entry_capacity ? 2 * e->entry_capacity : FIRST_ITEMS;
        e->entries = memory_resize(e->entries, e->entry_capacity, sizeof *e->entries);
    }
    entry = &e->entries[e->entry_count++];
    *entry = (struct emission_entry){ .hash = hash };
    memcpy(text, key.data, key.len);
    entry->change.key = (struct bytes){ text, key.len };
    if (old_image.data) {
        memcpy(text + key.len, old_image.data, old_image.len);
        entry->change.old_image = (struct bytes){ text + key.len, old_image.len };
    }
    e->used_bytes += sizeof *entry + key.len + old_image.len;
    return entry;
}

static void copy_origin(struct emission *e, struct row_origin *to, const struct row_origin *from)
{
    struct record_header *headers;

    *to = *from;
    if (!from->header_count) {
        to->headers = NULL;
        return;
    }
    headers = arena_array(&e->arena, struct record_header, from->header_count);
    for (uint32_t i = 0; i < from->header_count; i++) {
        headers[i].key = arena_copy(&e->arena, from->headers[i].key);
        headers[i].value = arena_copy(&e->arena, from->headers[i].value);
        e->used_bytes += sizeof headers[i] + headers[i].key.len + headers[i].value.len;
    }
    to->headers = headers;
}

static void squeeze_updates(struct emission *e)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < e->update_count; i++) {
        uint32_t number = e->updates[i];

        if (e->entries[number].place == i) {
            e->entries[number].place = kept;
            e->updates[kept++] = number;
        }
    }
    e->update_count = kept;
}

static void append_update(struct emission *e, struct emission_entry *entry)
{
    if (e->update_count >= LEAST_SQUEEZE && e->update_count / 4 >= e->entry_count) {
        entry->place = UINT32_MAX;
        squeeze_updates(e);
    }
    if (e->update_count == e->update_capacity) {
        e->update_capacity = e->update_capacity ? 2 * e->update_capacity : FIRST_ITEMS;
        e->updates = memory_resize(e->updates, e->update_capacity, sizeof *e->updates);
    }
    entry->place = e->update_count;
    e->updates[e->update_count++] = (uint32_t)(entry - e->entries);
}

bool emission_note(struct emission *e, struct bytes key, struct bytes old_image,
                   int64_t timestamp_ms, const struct row_origin *origin)
{
    uint32_t hash = (uint32_t)bytes_hash(key);
    struct emission_entry *entry;
    uint32_t at;

    make_slot_room(e);
    at = find_slot(e, key, hash);
    if (e->slots[at].number) {
        entry = &e->entries[e->slots[at].number - 1];
    } else {
        entry = add_entry(e, key, old_image, hash);
        e->slots[at] = (struct emission_slot){ hash, e->entry_count };
    }
    entry->change.timestamp_ms = timestamp_ms;
    copy_origin(e, &entry->change.origin, origin);
    append_update(e, entry);
    return e->used_bytes > e->budget_bytes;
}

uint32_t emission_count(const struct emission *e)
{
    return e->entry_count;
}

const struct emission_change *emission_next(const struct emission *e, uint32_t *cursor)
{
    while (*cursor < e->update_count) {
        uint32_t place = (*cursor)++;
        const struct emission_entry *entry = &e->entries[e->updates[place]];

        if (entry->place == place) {
            return &entry->change;
        }
    }
    return NULL;
}

/* A table that one large flush has left behind is given back. */
static void clear_slots(struct emission *e)
{
    if (e->slot_count > LARGE_SLOTS && e->entry_count < e->slot_count / 16) {
        free(e->slots);
        e->slots = NULL;
        e->slot_count = 0;
    } else if (e->slot_count) {
        memset(e->slots, 0, e->slot_count * sizeof *e->slots);
    }
}

void emission_clear(struct emission *e)
{
    clear_slots(e);
    e->entry_count = 0;
    e->update_count = 0;
    e->used_bytes = 0;
    arena_reset(&e->arena);
}
