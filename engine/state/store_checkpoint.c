/*
 * store_checkpoint.c: a store whose entries lie in a checkpoint too.
 *
 * Memory has two generations. `table` holds all that is not saved, and what was asked for
 * since the last aging; `former` what was there before it. Who is asked for moves to
 * `table`; aging drops `former` and puts `table` in its place. So the memory comes back
 * in whole tables, and what is in use stays.
 *
 *   get     table -> former -> checkpoint         (the last two only once something was dropped;
 *                                                  see store_fetch.c)
 *   scan    table and checkpoint merged by key: former holds nothing that the checkpoint lacks
 *
 * Invariant: an entry of `former` is in the checkpoint as it is, and not in `table`.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "engine/log/database.h"
#include "engine/state/checkpoint.h"
#include "engine/state/store_internal.h"

enum { SAVE_PIECE = 512 };               /* entries; some 0.3 ms of a worker's time */
#define UNKNOWN_ENTRIES (UINT64_MAX / 2) /* behind a checkpoint the changelog is not read */

void store_attach_checkpoint(struct store *store, struct checkpoint *checkpoint)
{
    assert(store->durability == STORE_DURABLE && !store->checkpoint);
    store->checkpoint = checkpoint;
    store->filter_whole = true;
    live_table_init(&store->former);
}

void store_detach_checkpoint(struct store *store)
{
    store_clear_checkpoint(store);
    checkpoint_destroy(store->checkpoint);
    store->checkpoint = NULL;
}

struct checkpoint *store_checkpoint(struct store *store)
{
    return store->checkpoint;
}

void store_clear_checkpoint(struct store *store)
{
    if (store->checkpoint) {
        live_table_fini(&store->former);
    }
    store_clear_filter(store);
    store->spilled = false;
    buffer_fini(&store->fetched);
    buffer_fini(&store->scanned);
    free(store->failure);
    store->failure = NULL;
}

/* --- reading back --- */

int store_load(struct store *store, size_t bytes_max, struct error *err)
{
    struct database_cursor *cursor = checkpoint_scan(store->checkpoint);
    bool more = checkpoint_seek(store->checkpoint, cursor, bytes_of(""));
    int code;

    while (more && store_young_bytes(store) < bytes_max) {
        struct bytes value = database_cursor_value(cursor);

        (void)store_add_entry(store, checkpoint_cursor_key(cursor), checkpoint_value_image(value),
                              checkpoint_value_time(value));
        more = database_cursor_next(cursor);
    }
    store->spilled = more;
    store->logged = UNKNOWN_ENTRIES;
    if (more) {
        store_begin_filter_scan(store, checkpoint_cursor_key(cursor));
        store->filter_whole = false;
    }
    code = more ? 0 : database_cursor_check(cursor, err);
    database_cursor_close(cursor);
    return code;
}

/* --- saving --- */

uint32_t store_unsaved(const struct store *store)
{
    return store->committed_count - (store->hole_count < store->committed_count
                                         ? store->hole_count
                                         : store->committed_count);
}

uint32_t store_uncommitted(const struct store *store)
{
    return store->change_count - store->committed_count;
}

size_t store_young_bytes(const struct store *store)
{
    return store->table.bytes + store->change_capacity * sizeof *store->changes;
}

static int compare_keys(const void *a, const void *b)
{
    const struct live_entry *const *left = a;
    const struct live_entry *const *right = b;

    return bytes_compare(live_entry_key(*left), live_entry_key(*right));
}

bool store_save(struct store *store, uint32_t *at, struct database_batch *batch)
{
    const struct live_entry *entries[SAVE_PIECE];
    uint32_t count = 0;

    assert(!store_has_changes(store));
    for (; *at < store->committed_count && count < SAVE_PIECE; ++*at) {
        if (store->changes[*at]) {
            entries[count++] = live_table_at(&store->table, store->changes[*at]);
        }
    }
    qsort(entries, count, sizeof entries[0], compare_keys);
    for (uint32_t i = 0; i < count; i++) {
        struct bytes key = live_entry_key(entries[i]);

        if (entries[i]->image_len == LIVE_DELETED) {
            store_note_stale(store, key);
            checkpoint_delete(store->checkpoint, batch, key);
        } else {
            checkpoint_put(store->checkpoint, batch, key, live_entry_image(entries[i]),
                           entries[i]->timestamp_ms);
        }
    }
    store_continue_filter_scan(store);
    return *at < store->committed_count;
}

void store_saved(struct store *store)
{
    assert(!store_has_changes(store));
    store_unlist(store);
    store->rewrite.saved |= store->rewrite.done.ended;
}

void store_age(struct store *store)
{
    assert(store->change_count == 0);
    key_order_fini(&store->order);
    store_filter_former(store);
    live_table_fini(&store->former);
    store->former = store->table;
    live_table_init(&store->table);
    free(store->changes);
    store->changes = NULL;
    store->change_capacity = 0;
    store->last = 0;
    store->spilled = true;
}

/* --- scans --- */

struct merge {
    struct store *store;
    const struct store_range *range;
    struct order_place place;
    const struct live_entry *entry; /* of `table`; NULL: no more */
    struct database_cursor *cursor;
    bool has_saved; /* the cursor stands on an entry that is not in `table` */
};

static bool is_beyond(const struct merge *merge, struct bytes key)
{
    return merge->range->upto.data && bytes_compare(key, merge->range->upto) >= 0;
}

static void next_entry(struct merge *merge)
{
    struct store *store = merge->store;
    live_ref ref = key_order_next(&store->order, &merge->place);

    merge->entry = ref ? live_table_at(&store->table, ref) : NULL;
    if (merge->entry && is_beyond(merge, live_entry_key(merge->entry))) {
        merge->entry = NULL;
    }
}

/* A key that is in `table` counts as it is there, deleted perhaps. */
static void settle_saved(struct merge *merge, bool valid)
{
    while (valid && live_table_find(&merge->store->table, checkpoint_cursor_key(merge->cursor))) {
        valid = database_cursor_next(merge->cursor);
    }
    merge->has_saved = valid && !is_beyond(merge, checkpoint_cursor_key(merge->cursor));
}

static void begin_merge(struct merge *merge)
{
    struct store *store = merge->store;
    struct bytes from = merge->range->from.data ? merge->range->from : bytes_of("");
    bool valid;

    if (merge->range->from.data) {
        merge->place = key_order_seek(&store->order, &store->table, from, merge->range->after_from);
    }
    next_entry(merge);
    merge->cursor = checkpoint_scan(store->checkpoint);
    valid = checkpoint_seek(store->checkpoint, merge->cursor, from);
    if (valid && merge->range->from.data && merge->range->after_from &&
        bytes_equal(checkpoint_cursor_key(merge->cursor), from)) {
        valid = database_cursor_next(merge->cursor);
    }
    settle_saved(merge, valid);
}

/* Room for as many items as are asked for, so that nothing moves; the lengths come first. */
static void copy_saved(struct merge *merge, struct store_item *item)
{
    struct bytes key = checkpoint_cursor_key(merge->cursor);
    struct bytes value = database_cursor_value(merge->cursor);
    struct bytes image = checkpoint_value_image(value);

    *item = (struct store_item){ { NULL, key.len },
                                 { { NULL, image.len }, checkpoint_value_time(value) } };
    buffer_append_bytes(&merge->store->scanned, key);
    buffer_append_bytes(&merge->store->scanned, image);
    settle_saved(merge, database_cursor_next(merge->cursor));
}

/* The buffer has grown for the last time: now the copied items can point into it. */
static void place_copies(struct store *store, struct store_item *items, uint32_t count)
{
    const char *at = buffer_bytes(&store->scanned).data;

    for (uint32_t i = 0; i < count; i++) {
        if (!items[i].key.data) {
            items[i].key.data = at;
            items[i].entry.image.data = at + items[i].key.len;
            at += items[i].key.len + items[i].entry.image.len;
        }
    }
}

uint32_t store_scan_merged(struct store *store, const struct store_range *range,
                           struct store_item *items, uint32_t limit)
{
    struct merge merge = { .store = store, .range = range };
    struct error err = { 0 };
    uint32_t count = 0;

    store->scanned.len = 0;
    begin_merge(&merge);
    while (count < limit && (merge.entry || merge.has_saved)) {
        if (merge.entry &&
            (!merge.has_saved ||
             bytes_compare(live_entry_key(merge.entry), checkpoint_cursor_key(merge.cursor)) < 0)) {
            items[count++] =
                (struct store_item){ live_entry_key(merge.entry),
                                     { live_entry_image(merge.entry), merge.entry->timestamp_ms } };
            next_entry(&merge);
        } else {
            copy_saved(&merge, &items[count++]);
        }
    }
    place_copies(store, items, count);
    if (!merge.has_saved && count < limit && database_cursor_check(merge.cursor, &err)) {
        store_note_failure(store, &err);
    }
    database_cursor_close(merge.cursor);
    return count;
}
