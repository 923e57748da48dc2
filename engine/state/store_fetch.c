/*
 * store_fetch.c: what is not in the young table: the former one, the filter, the checkpoint.
 *
 *   key -> former? -> may the checkpoint have it? (filter) -> checkpoint
 *
 * A new key costs no look into the database: the filter has all keys of the checkpoint that are
 * not in memory, and some it should not have. They are added when a former table is dropped.
 * It is made anew by going through the checkpoint, a piece with each piece that is
 * saved: after a start, when it is not known what is there (until then everything may be), and
 * when more than half of what it knows was deleted.
 *
 * Whoever goes through a batch of keys has them fetched together, in the order of the database.
 */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "engine/log/database.h"
#include "engine/state/checkpoint.h"
#include "engine/state/store_internal.h"

enum {
    FETCH_MAX = 256, /* keys */
    SCAN_PIECE = 1024,
    STALE_MIN = 4096,
};

struct filter_scan {
    struct key_filter filter;
    struct buffer next; /* key */
};

/* --- failures --- */

/* The first one counts. A task that has met it must not commit. */
void store_note_failure(struct store *store, const struct error *err)
{
    if (!store->failure) {
        store->failure = memory_alloc(sizeof *store->failure);
        *store->failure = *err;
    }
}

int store_check(const struct store *store, struct error *err)
{
    return store->failure
               ? error_set(err, store->failure->code, NO_POSITION, "%s", store->failure->message)
               : 0;
}

/* --- reading back --- */

static live_ref take_from_former(struct store *store, struct bytes key)
{
    live_ref ref = store->former.entry_count ? live_table_find(&store->former, key) : 0;
    const struct live_entry *entry;
    live_ref added;

    if (!ref) {
        return 0;
    }
    entry = live_table_at(&store->former, ref);
    added =
        store_add_entry(store, live_entry_key(entry), live_entry_image(entry), entry->timestamp_ms);
    live_table_remove(&store->former, ref);
    return added;
}

static bool may_be_saved(const struct store *store, uint32_t hash)
{
    return !store->filter_whole || key_filter_has(&store->filter, hash);
}

live_ref store_fetch(struct store *store, struct bytes key)
{
    live_ref ref = take_from_former(store, key);
    struct error err = { 0 };
    bool found = false;

    if (ref || !may_be_saved(store, live_table_hash(key))) {
        return ref;
    }
    if (checkpoint_get(store->checkpoint, key, &store->fetched, &found, &err)) {
        store_note_failure(store, &err);
        return 0;
    }
    return found
               ? store_add_entry(store, key, checkpoint_value_image(buffer_bytes(&store->fetched)),
                                 checkpoint_value_time(buffer_bytes(&store->fetched)))
               : 0;
}

/* --- many at once --- */

struct wanted_keys {
    struct store *store;
    struct bytes keys[FETCH_MAX];
    uint32_t count;
};

static int compare_keys(const void *a, const void *b)
{
    return bytes_compare(*(const struct bytes *)a, *(const struct bytes *)b);
}

static void sort_wanted(struct wanted_keys *wanted)
{
    uint32_t kept = 0;

    qsort(wanted->keys, wanted->count, sizeof wanted->keys[0], compare_keys);
    for (uint32_t i = 0; i < wanted->count; i++) {
        if (!kept || !bytes_equal(wanted->keys[kept - 1], wanted->keys[i])) {
            wanted->keys[kept++] = wanted->keys[i];
        }
    }
    wanted->count = kept;
}

static void take_fetched(void *context, uint32_t number, struct bytes value)
{
    struct wanted_keys *wanted = context;

    (void)store_add_entry(wanted->store, wanted->keys[number], checkpoint_value_image(value),
                          checkpoint_value_time(value));
}

/* Those that only the checkpoint can have. The lines of the filter are asked for ahead. */
static void pick_wanted(struct wanted_keys *wanted, const struct bytes *keys, uint32_t count)
{
    struct store *store = wanted->store;
    uint32_t hashes[FETCH_MAX];

    for (uint32_t i = 0; i < count; i++) {
        hashes[i] = live_table_hash(keys[i]);
        key_filter_prefetch(&store->filter, hashes[i]);
    }
    for (uint32_t i = 0; i < count; i++) {
        if (!live_table_find(&store->table, keys[i]) && !take_from_former(store, keys[i]) &&
            may_be_saved(store, hashes[i])) {
            wanted->keys[wanted->count++] = keys[i];
        }
    }
}

/* An error is met again by whoever gets one of the keys, and noted then. */
void store_fetch_many(struct store *store, const struct bytes *keys, uint32_t count)
{
    for (uint32_t done = 0; done < count; done += FETCH_MAX) {
        uint32_t now = count - done < FETCH_MAX ? count - done : FETCH_MAX;
        struct wanted_keys wanted = { .store = store };

        live_table_prefetch(&store->former, keys + done, now);
        pick_wanted(&wanted, keys + done, now);
        if (wanted.count) {
            sort_wanted(&wanted);
            (void)checkpoint_get_many(store->checkpoint, wanted.keys, wanted.count, take_fetched,
                                      &wanted, NULL);
        }
    }
}

/* --- the filter --- */

static void end_scan(struct store *store)
{
    if (store->scan) {
        key_filter_fini(&store->scan->filter);
        buffer_fini(&store->scan->next);
        free(store->scan);
        store->scan = NULL;
    }
}

size_t store_filter_bytes(const struct store *store)
{
    return store->filter.bytes + (store->scan ? store->scan->filter.bytes : 0);
}

void store_clear_filter(struct store *store)
{
    end_scan(store);
    key_filter_fini(&store->filter);
    store->filter_whole = true;
    store->stale_count = 0;
}

void store_begin_filter_scan(struct store *store, struct bytes from)
{
    end_scan(store);
    store->scan = memory_zalloc(1, sizeof *store->scan);
    buffer_append_bytes(&store->scan->next, from);
}

void store_filter_former(struct store *store)
{
    const struct live_table *former = &store->former;

    for (uint32_t i = 0; i < former->slot_count; i++) {
        if (former->slots[i].ref) {
            key_filter_add(&store->filter, former->slots[i].hash);
            if (store->scan) {
                key_filter_add(&store->scan->filter, former->slots[i].hash);
            }
        }
    }
    if (!store->scan && store->stale_count > STALE_MIN &&
        store->stale_count > store->filter.key_count / 2) {
        store_begin_filter_scan(store, bytes_of(""));
    }
}

void store_note_stale(struct store *store, struct bytes key)
{
    if (store->filter.part_count && key_filter_has(&store->filter, live_table_hash(key))) {
        store->stale_count++;
    }
}

static void finish_scan(struct store *store)
{
    key_filter_fini(&store->filter);
    store->filter = store->scan->filter;
    store->scan->filter = (struct key_filter){ 0 };
    store->filter_whole = true;
    store->stale_count = 0;
    end_scan(store);
}

/* Keys that are saved behind its back are in memory, and added when they leave it. */
void store_continue_filter_scan(struct store *store)
{
    struct database_cursor *cursor;
    uint32_t count = 0;
    bool more;

    if (!store->scan) {
        return;
    }
    cursor = checkpoint_scan(store->checkpoint);
    more = checkpoint_seek(store->checkpoint, cursor, buffer_bytes(&store->scan->next));
    while (more && count++ < SCAN_PIECE) {
        key_filter_add(&store->scan->filter, live_table_hash(checkpoint_cursor_key(cursor)));
        more = database_cursor_next(cursor);
    }
    if (more) {
        store->scan->next.len = 0;
        buffer_append_bytes(&store->scan->next, checkpoint_cursor_key(cursor));
    } else if (database_cursor_check(cursor, NULL) == 0) {
        finish_scan(store); /* else it is tried again */
    }
    database_cursor_close(cursor);
}
