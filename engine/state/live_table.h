/*
 * live_table.h: key bytes -> entry, in memory; made for a million keys.
 *
 * An entry is one block: header, key, image. A new image is written in place when
 * it fits the block. Blocks come from chunks that grow from 1 KB to 1 MB, in units of
 * 16 bytes, so a reference is 32 bits: 16 for the chunk, 16 for the unit in it.
 */
#ifndef SLUICE_ENGINE_STATE_LIVE_TABLE_H
#define SLUICE_ENGINE_STATE_LIVE_TABLE_H

#include "base/bytes.h"

typedef uint32_t live_ref; /* 0: none */

enum { LIVE_UNIT_BYTES = 16, LIVE_CLASS_COUNT = 65 + 4 * 6 };
#define LIVE_DELETED UINT32_MAX /* as image_len */

struct live_entry {
    int64_t timestamp_ms;
    uint32_t key_len;
    uint32_t image_len;  /* LIVE_DELETED: the key is gone, which is still to be written */
    uint32_t unit_count; /* of the block */
    uint32_t change;     /* the store's: place in its list of changes + 1, 0: none */
    char data[];         /* key, then image */
};

struct live_slot {
    uint32_t hash;
    live_ref ref; /* 0: free */
};

struct live_chunk {
    char *data;
    size_t size; /* bytes; 0: the number is free */
};

struct live_table {
    struct live_slot *slots; /* open addressing by the upper bits of the hash */
    uint32_t slot_count;     /* a power of two, or 0 */
    uint32_t slot_shift;     /* hash >> slot_shift is the home slot */
    uint32_t entry_count;    /* deleted ones included */
    struct live_chunk *chunks;
    uint32_t chunk_count;
    uint32_t chunk_capacity;
    uint32_t open_chunk; /* blocks are cut from this one */
    uint32_t open_units; /* of it cut already */
    live_ref free_blocks[LIVE_CLASS_COUNT];
    size_t bytes; /* of slots and chunks */
};

void live_table_init(struct live_table *table);
void live_table_fini(struct live_table *table); /* empty again, ready for use */

static inline struct live_entry *live_table_at(const struct live_table *table, live_ref ref)
{
    char *chunk = table->chunks[ref >> 16].data;

    return (struct live_entry *)(void *)(chunk + (size_t)(ref & 0xffffu) * LIVE_UNIT_BYTES);
}

static inline struct bytes live_entry_key(const struct live_entry *entry)
{
    return (struct bytes){ entry->data, entry->key_len };
}

static inline struct bytes live_entry_image(const struct live_entry *entry)
{
    return (struct bytes){ entry->data + entry->key_len, entry->image_len };
}

uint32_t live_table_hash(struct bytes key); /* as its slots have it */
live_ref live_table_find(const struct live_table *table, struct bytes key);
void live_table_prefetch(const struct live_table *table, const struct bytes *keys, uint32_t count);
/*
 * Adds a key that is not there. `change` is 0. The image may lie anywhere but in the table.
 */
live_ref live_table_add(struct live_table *table, struct bytes key, struct bytes image);
/* Gives an entry another image; it may move. Its time and `change` stay. */
live_ref live_table_replace(struct live_table *table, live_ref ref, struct bytes image);
void live_table_remove(struct live_table *table, live_ref ref);
/*
 * Goes over the entries by ascending home slot, from that hash (0 at first) up to some limit;
 * returns the hash to go on with, or LIVE_WALK_END. Who is there all the time is visited once,
 * whatever is added, removed and replaced between two calls.
 */
#define LIVE_WALK_END (UINT64_C(1) << 32)
uint64_t live_table_walk(const struct live_table *table, uint64_t from,
                         bool (*visit)(void *context, const struct live_entry *entry),
                         void *context);

#endif
