/*
 * key_order.c: a sorted list cut into blocks of at most 256 references.
 *
 * A full block is split in halves; one that runs empty is taken out. When many
 * keys came and went since the last scan, the order is dropped: building it
 * anew is then cheaper than having kept it.
 */
#include "engine/state/key_order.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { BLOCK_REFS = 256, BLOCK_FILL = 192, UNUSED_CHANGES = 4096 };

struct order_block {
    uint32_t count;
    live_ref refs[BLOCK_REFS];
};

void key_order_fini(struct key_order *order)
{
    for (uint32_t i = 0; i < order->block_count; i++) {
        free(order->blocks[i]);
    }
    free(order->blocks);
    *order = (struct key_order){ 0 };
}

static struct order_block *add_block(struct key_order *order, uint32_t at)
{
    struct order_block *block = memory_alloc(sizeof *block);

    if (order->block_count == order->block_capacity) {
        order->block_capacity = order->block_capacity ? 2 * order->block_capacity : 8;
        order->blocks =
            memory_resize(order->blocks, order->block_capacity, sizeof(struct order_block *));
    }
    memmove(order->blocks + at + 1, order->blocks + at,
            (order->block_count - at) * sizeof(struct order_block *));
    order->blocks[at] = block;
    order->block_count++;
    block->count = 0;
    return block;
}

/* --- building --- */

struct sort_item {
    uint64_t prefix; /* the first 8 bytes of the key, most of the comparisons */
    const struct live_entry *entry;
    live_ref ref;
};

static uint64_t key_prefix(struct bytes key)
{
    uint64_t prefix = 0;

    for (size_t i = 0; i < sizeof prefix; i++) {
        prefix = prefix << 8 | (i < key.len ? (unsigned char)key.data[i] : 0);
    }
    return prefix;
}

static int compare_items(const void *a, const void *b)
{
    const struct sort_item *left = a;
    const struct sort_item *right = b;

    if (left->prefix != right->prefix) {
        return left->prefix < right->prefix ? -1 : 1;
    }
    return bytes_compare(live_entry_key(left->entry), live_entry_key(right->entry));
}

static uint32_t collect_items(const struct live_table *table, struct sort_item *items)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < table->slot_count; i++) {
        live_ref ref = table->slots[i].ref;
        const struct live_entry *entry;

        if (!ref) {
            continue;
        }
        entry = live_table_at(table, ref);
        if (entry->image_len != LIVE_DELETED) {
            items[count++] = (struct sort_item){ key_prefix(live_entry_key(entry)), entry, ref };
        }
    }
    return count;
}

void key_order_build(struct key_order *order, const struct live_table *table)
{
    struct sort_item *items = memory_zalloc(table->entry_count + 1u, sizeof *items);
    uint32_t count = collect_items(table, items);
    struct order_block *block = NULL;

    key_order_fini(order);
    qsort(items, count, sizeof *items, compare_items);
    for (uint32_t i = 0; i < count; i++) {
        if (!block || block->count == BLOCK_FILL) {
            block = add_block(order, order->block_count);
        }
        block->refs[block->count++] = items[i].ref;
    }
    free(items);
    order->built = true;
}

/* --- finding --- */

static bool is_before(const struct live_table *table, live_ref ref, struct bytes key, bool after)
{
    int order = bytes_compare(live_entry_key(live_table_at(table, ref)), key);

    return after ? order <= 0 : order < 0;
}

/* The last block that begins before the key, or the first of all. */
static uint32_t find_block(const struct key_order *order, const struct live_table *table,
                           struct bytes key, bool after)
{
    uint32_t low = 0;
    uint32_t high = order->block_count;

    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;

        if (is_before(table, order->blocks[middle]->refs[0], key, after)) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

struct order_place key_order_seek(const struct key_order *order, const struct live_table *table,
                                  struct bytes key, bool after)
{
    struct order_place place = { find_block(order, table, key, after), 0 };
    const struct order_block *block;
    uint32_t high;

    if (!order->block_count) {
        return place;
    }
    block = order->blocks[place.block];
    high = block->count;
    while (place.at < high) {
        uint32_t middle = place.at + (high - place.at) / 2;

        if (is_before(table, block->refs[middle], key, after)) {
            place.at = middle + 1;
        } else {
            high = middle;
        }
    }
    return place;
}

live_ref key_order_next(const struct key_order *order, struct order_place *place)
{
    while (place->block < order->block_count) {
        const struct order_block *block = order->blocks[place->block];

        if (place->at < block->count) {
            return block->refs[place->at++];
        }
        place->block++;
        place->at = 0;
    }
    return 0;
}

/* --- keeping up --- */

static struct order_place place_of(const struct key_order *order, const struct live_table *table,
                                   live_ref ref)
{
    struct order_place place =
        key_order_seek(order, table, live_entry_key(live_table_at(table, ref)), false);

    if (place.at == order->blocks[place.block]->count) {
        place.block++;
        place.at = 0;
    }
    assert(order->blocks[place.block]->refs[place.at] == ref);
    return place;
}

live_ref *key_order_find(struct key_order *order, const struct live_table *table, live_ref ref)
{
    struct order_place place = place_of(order, table, ref);

    return &order->blocks[place.block]->refs[place.at];
}

/* True when the order was dropped, because nobody seems to scan any more. */
static bool dropped(struct key_order *order)
{
    if (++order->unused_changes <= UNUSED_CHANGES + order->block_count * BLOCK_FILL) {
        return false;
    }
    key_order_fini(order);
    return true;
}

static struct order_place split_block(struct key_order *order, struct order_place place)
{
    struct order_block *full = order->blocks[place.block];
    struct order_block *rest = add_block(order, place.block + 1);

    rest->count = full->count / 2;
    full->count -= rest->count;
    memcpy(rest->refs, full->refs + full->count, rest->count * sizeof(live_ref));
    if (place.at > full->count) {
        return (struct order_place){ place.block + 1, place.at - full->count };
    }
    return place;
}

void key_order_insert(struct key_order *order, const struct live_table *table, live_ref ref)
{
    struct order_place place;
    struct order_block *block;

    if (dropped(order)) {
        return;
    }
    place = key_order_seek(order, table, live_entry_key(live_table_at(table, ref)), false);
    if (!order->block_count) {
        add_block(order, 0);
    }
    if (order->blocks[place.block]->count == BLOCK_REFS) {
        place = split_block(order, place);
    }
    block = order->blocks[place.block];
    memmove(block->refs + place.at + 1, block->refs + place.at,
            (block->count - place.at) * sizeof(live_ref));
    block->refs[place.at] = ref;
    block->count++;
}

void key_order_remove(struct key_order *order, const struct live_table *table, live_ref ref)
{
    struct order_place place;
    struct order_block *block;

    if (dropped(order)) {
        return;
    }
    place = place_of(order, table, ref);
    block = order->blocks[place.block];
    block->count--;
    memmove(block->refs + place.at, block->refs + place.at + 1,
            (block->count - place.at) * sizeof(live_ref));
    if (!block->count) {
        free(block);
        order->block_count--;
        memmove(order->blocks + place.block, order->blocks + place.block + 1,
                (order->block_count - place.block) * sizeof(struct order_block *));
    }
}

size_t key_order_bytes(const struct key_order *order)
{
    return order->block_count * (sizeof(struct order_block) + sizeof(struct order_block *));
}
