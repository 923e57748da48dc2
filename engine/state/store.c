/*
 * store.c: a live table with the list of what changed since the last commit.
 *
 * An entry stands in `changes` at most once. A deleted key keeps its entry,
 * without an image, until its null value is durable. What is changed between
 * store_write_begin and store_committed is listed again behind what was
 * written, and stays.
 *
 * Invariant: changes[entry->change - 1] refers to the entry; 0 in the list is a
 * place that its entry has left.
 */
#include "engine/state/store_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "engine/state/entry_block.h"

enum { FIRST_CHANGES = 16, HOLES_MIN = 1024 };

struct store *store_create(enum store_durability durability)
{
    struct store *store = memory_zalloc(1, sizeof *store);

    store->durability = durability;
    live_table_init(&store->table);
    return store;
}

void store_destroy(struct store *store)
{
    if (store) {
        store_clear(store);
        store_detach_checkpoint(store);
        free(store);
    }
}

void store_clear(struct store *store)
{
    key_order_fini(&store->order);
    live_table_fini(&store->table);
    free(store->changes);
    store->changes = NULL;
    store->change_count = 0;
    store->change_capacity = 0;
    store->committed_count = 0;
    store->written_count = 0;
    store->hole_count = 0;
    store->deleted_count = 0;
    store->last = 0;
    store_clear_rewrite(store);
    store_clear_checkpoint(store);
}

static live_ref find_entry(struct store *store, struct bytes key)
{
    if (store->last) {
        const struct live_entry *entry = live_table_at(&store->table, store->last);

        if (entry->key_len == key.len && memcmp(entry->data, key.data, key.len) == 0) {
            return store->last;
        }
    }
    store->last = live_table_find(&store->table, key);
    if (!store->last && store->spilled) {
        store->last = store_fetch(store, key);
    }
    return store->last;
}

/* --- changes --- */

/* What is listed behind the first `settled` changes stays where it is. */
static void list_change(struct store *store, live_ref ref, uint32_t settled)
{
    struct live_entry *entry = live_table_at(&store->table, ref);

    if (entry->change > settled) {
        store->changes[entry->change - 1] = ref;
        return;
    }
    if (entry->change) {
        store->changes[entry->change - 1] = 0;
        store->hole_count++;
    }
    if (store->change_count == store->change_capacity) {
        store->change_capacity =
            store->change_capacity ? 2 * store->change_capacity : FIRST_CHANGES;
        store->changes =
            memory_resize(store->changes, store->change_capacity, sizeof *store->changes);
    }
    store->changes[store->change_count++] = ref;
    entry->change = store->change_count;
}

static void note_change(struct store *store, live_ref ref)
{
    list_change(store, ref, store->written_count);
}

void store_note_committed(struct store *store, live_ref ref)
{
    list_change(store, ref, 0);
    store->committed_count = store->written_count = store->change_count;
}

bool store_has_changes(const struct store *store)
{
    return store->change_count > store->committed_count;
}

void store_forget_deleted(struct store *store, live_ref ref)
{
    live_table_remove(&store->table, ref);
    store->deleted_count--;
    store->last = 0;
}

/* Whose entries change at every commit leave a hole each time. */
static void close_holes(struct store *store)
{
    uint32_t kept = 0;
    uint32_t committed = 0;

    for (uint32_t i = 0; i < store->change_count; i++) {
        live_ref ref = store->changes[i];

        if (ref) {
            store->changes[kept++] = ref;
            live_table_at(&store->table, ref)->change = kept;
            committed += i < store->committed_count;
        }
    }
    store->change_count = kept;
    store->committed_count = store->written_count = committed;
    store->hole_count = 0;
}

void store_committed(struct store *store)
{
    store_settle_written(store);
    if (store->checkpoint) {
        store->committed_count = store->written_count;
        if (store->hole_count > HOLES_MIN && store->hole_count > store->change_count / 2) {
            close_holes(store);
        }
        return;
    }
    store_unlist(store);
}

void store_unlist(struct store *store)
{
    uint32_t left = store->change_count - store->written_count;

    for (uint32_t i = 0; i < store->written_count; i++) {
        live_ref ref = store->changes[i];

        if (!ref) {
            continue;
        }
        live_table_at(&store->table, ref)->change = 0;
        if (live_table_at(&store->table, ref)->image_len == LIVE_DELETED) {
            store_forget_deleted(store, ref);
        }
    }
    for (uint32_t i = 0; i < left; i++) {
        store->changes[i] = store->changes[store->written_count + i];
        if (store->changes[i]) {
            live_table_at(&store->table, store->changes[i])->change = i + 1;
        }
    }
    store->change_count = left;
    store->committed_count = 0;
    store->written_count = 0;
    store->hole_count = 0;
}

/* --- keys --- */

void store_prefetch(struct store *store, const struct bytes *keys, uint32_t count)
{
    live_table_prefetch(&store->table, keys, count);
    if (store->spilled) {
        store_fetch_many(store, keys, count);
    }
}

bool store_get(struct store *store, struct bytes key, struct store_entry *out)
{
    live_ref ref = find_entry(store, key);
    const struct live_entry *entry;

    if (!ref) {
        return false;
    }
    entry = live_table_at(&store->table, ref);
    if (entry->image_len == LIVE_DELETED) {
        return false;
    }
    *out = (struct store_entry){ live_entry_image(entry), entry->timestamp_ms };
    return true;
}

live_ref store_add_entry(struct store *store, struct bytes key, struct bytes image,
                         int64_t timestamp_ms)
{
    live_ref ref = live_table_add(&store->table, key, image);

    live_table_at(&store->table, ref)->timestamp_ms = timestamp_ms;
    if (store->order.built) {
        key_order_insert(&store->order, &store->table, ref);
    }
    return ref;
}

static live_ref replace_image(struct store *store, live_ref ref, struct bytes image)
{
    bool was_deleted = live_table_at(&store->table, ref)->image_len == LIVE_DELETED;
    live_ref *ordered = NULL;

    if (store->order.built && !was_deleted) {
        ordered = key_order_find(&store->order, &store->table, ref);
    }
    ref = live_table_replace(&store->table, ref, image);
    if (ordered) {
        *ordered = ref;
    }
    if (was_deleted) {
        store->deleted_count--;
        if (store->order.built) {
            key_order_insert(&store->order, &store->table, ref);
        }
    }
    return ref;
}

static live_ref put_entry(struct store *store, struct bytes key, struct bytes image,
                          int64_t timestamp_ms)
{
    live_ref ref = find_entry(store, key);

    ref = ref ? replace_image(store, ref, image) : store_add_entry(store, key, image, timestamp_ms);
    live_table_at(&store->table, ref)->timestamp_ms = timestamp_ms;
    store->last = ref;
    return ref;
}

void store_put(struct store *store, struct bytes key, struct bytes image, int64_t timestamp_ms)
{
    live_ref ref = put_entry(store, key, image, timestamp_ms);

    if (store->durability == STORE_DURABLE) {
        note_change(store, ref);
    }
}

static void delete_entry(struct store *store, live_ref ref)
{
    if (store->order.built) {
        key_order_remove(&store->order, &store->table, ref);
    }
    live_table_at(&store->table, ref)->image_len = LIVE_DELETED;
    store->deleted_count++;
}

bool store_delete(struct store *store, struct bytes key)
{
    live_ref ref = find_entry(store, key);

    if (!ref || live_table_at(&store->table, ref)->image_len == LIVE_DELETED) {
        return false;
    }
    delete_entry(store, ref);
    if (store->durability == STORE_DURABLE) {
        note_change(store, ref);
    } else {
        store_forget_deleted(store, ref);
    }
    return true;
}

static void restore_entry(struct store *store, const struct block_entry *from)
{
    live_ref ref;

    if (from->image.data) {
        ref = put_entry(store, from->key, from->image, from->timestamp_ms);
    } else {
        ref = find_entry(store, from->key);
        if (ref && live_table_at(&store->table, ref)->image_len != LIVE_DELETED) {
            delete_entry(store, ref);
        }
    }
    if (ref && store->checkpoint) {
        store_note_committed(store, ref);
    } else if (ref && !from->image.data) {
        store_forget_deleted(store, ref);
    }
    store->logged++;
}

int store_restore(struct store *store, const struct log_block *block, struct error *err)
{
    for (uint32_t i = 0; i < block->record_count; i++) {
        struct entry_reader reader;
        struct block_entry entry;

        if (block->records[i].key.data) {
            return error_set(err, ERR_STATE_DAMAGED, NO_POSITION,
                             "an earlier version wrote the changelog: TERMINATE the query and "
                             "create it anew");
        }
        TRY(entry_block_open(&reader, block->records[i].value, err));
        while (entry_block_next(&reader, &entry)) {
            restore_entry(store, &entry);
        }
        if (reader.from.wrong) {
            return error_set(err, ERR_STATE_DAMAGED, NO_POSITION,
                             "the record at offset %lld of a changelog is damaged",
                             (long long)block->records[i].offset);
        }
    }
    return 0;
}

/* --- scans --- */

uint32_t store_scan(struct store *store, const struct store_range *range, struct store_item *items,
                    uint32_t limit)
{
    struct order_place place = { 0, 0 };
    uint32_t count = 0;

    if (!store->order.built) {
        key_order_build(&store->order, &store->table);
    }
    store->order.unused_changes = 0;
    if (store->spilled) {
        return store_scan_merged(store, range, items, limit);
    }
    if (range->from.data) {
        place = key_order_seek(&store->order, &store->table, range->from, range->after_from);
    }
    while (count < limit) {
        live_ref ref = key_order_next(&store->order, &place);
        const struct live_entry *entry;

        if (!ref) {
            break;
        }
        entry = live_table_at(&store->table, ref);
        if (range->upto.data && bytes_compare(live_entry_key(entry), range->upto) >= 0) {
            break;
        }
        items[count++] = (struct store_item){ live_entry_key(entry),
                                              { live_entry_image(entry), entry->timestamp_ms } };
    }
    return count;
}

uint64_t store_count(const struct store *store)
{
    return store->table.entry_count - store->deleted_count;
}

size_t store_bytes(const struct store *store)
{
    return sizeof *store + store->table.bytes + store->former.bytes + store_filter_bytes(store) +
           key_order_bytes(&store->order) + store->change_capacity * sizeof *store->changes;
}
