/*
 * store_write.c: what a commit writes to the changelog: what changed, and what is written anew.
 *
 * The changelog only grows, by records of many entries each, so only the store can tell how
 * much of it newer entries have replaced. Once that may be much it goes over all that there is and
 * writes it anew, with each commit as many entries as have changed:
 *
 *   changelog:  old old old old | changes, anew | changes, anew | changes, anew
 *                               `from`                                 all that is there is behind
 *
 * Then what is before `from` goes. The table's entries come by hash, then those of the
 * checkpoint by key, of which the table may have a newer one. So nobody is left out:
 * whose image changes is written as a change; what is not in the checkpoint is in the table and
 * leaves it for the checkpoint only, which comes later.
 */
#include <stdlib.h>

#include "engine/log/database.h"
#include "engine/state/checkpoint.h"
#include "engine/state/entry_block.h"
#include "engine/state/store_internal.h"

enum { TIMES = 4 };

/* --- when --- */

bool store_rewrite_is_due(const struct store *store, uint64_t entries_least)
{
    uint64_t least = store->rewrite.base > store->table.entry_count ? store->rewrite.base
                                                                    : store->table.entry_count;

    return !store->rewrite.active && store->logged >= entries_least &&
           store->logged / TIMES >= least;
}

void store_rewrite_begin(struct store *store, int64_t from)
{
    struct rewrite *rewrite = &store->rewrite;

    rewrite->active = true;
    rewrite->saved = false;
    rewrite->from = from;
    rewrite->done = (struct rewrite_place){ 0 };
    rewrite->done_key.len = 0;
    store->logged = 0;
}

/* A checkpoint that stands before `from` would be of no use any more. */
int64_t store_rewritten(struct store *store)
{
    struct rewrite *rewrite = &store->rewrite;

    if (!rewrite->active || !rewrite->done.ended || (store->checkpoint && !rewrite->saved)) {
        return -1;
    }
    rewrite->active = false;
    rewrite->base = store->logged;
    return rewrite->from;
}

void store_clear_rewrite(struct store *store)
{
    buffer_fini(&store->rewrite.done_key);
    buffer_fini(&store->rewrite.next_key);
    store->rewrite = (struct rewrite){ 0 };
    store->logged = 0;
    store->writing = 0;
}

/* --- writing --- */

void store_write_begin(struct store *store)
{
    struct rewrite *rewrite = &store->rewrite;

    store->written_count = store->committed_count;
    store->writing = 0;
    rewrite->left = 0;
    rewrite->next = rewrite->done;
    rewrite->next_key.len = 0;
    buffer_append_bytes(&rewrite->next_key, buffer_bytes(&rewrite->done_key));
}

static void add_entry(struct entry_writer *writer, const struct live_entry *entry)
{
    bool deleted = entry->image_len == LIVE_DELETED;

    entry_block_add(writer, live_entry_key(entry),
                    deleted ? (struct bytes){ NULL, 0 } : live_entry_image(entry),
                    entry->timestamp_ms);
}

static void write_changes(struct store *store, struct entry_writer *writer)
{
    while (store->written_count < store->change_count && !entry_block_is_full(writer)) {
        live_ref ref = store->changes[store->written_count++];

        if (ref) {
            add_entry(writer, live_table_at(&store->table, ref));
            store->rewrite.left++;
        }
    }
}

struct walk {
    struct store *store;
    struct entry_writer *writer;
};

static bool has_changed(const struct store *store, const struct live_entry *entry)
{
    return entry->change > store->committed_count;
}

/* Where there is a checkpoint, what is not listed is in it. */
static bool visit(void *context, const struct live_entry *entry)
{
    struct walk *walk = context;
    struct store *store = walk->store;

    if (entry->image_len != LIVE_DELETED && !has_changed(store, entry) &&
        (!store->checkpoint || entry->change)) {
        add_entry(walk->writer, entry);
    }
    store->rewrite.left--;
    return store->rewrite.left > 0 && !entry_block_is_full(walk->writer);
}

static void write_from_table(struct store *store, struct entry_writer *writer)
{
    struct rewrite_place *next = &store->rewrite.next;
    struct walk walk = { store, writer };

    next->hash = live_table_walk(&store->table, next->hash, visit, &walk);
    if (next->hash == LIVE_WALK_END) {
        next->in_checkpoint = true;
        next->ended = !store->checkpoint;
    }
}

static void write_saved(struct store *store, const struct database_cursor *cursor,
                        struct entry_writer *writer)
{
    struct bytes key = checkpoint_cursor_key(cursor);
    struct bytes value = database_cursor_value(cursor);
    live_ref ref = live_table_find(&store->table, key);
    const struct live_entry *newer = ref ? live_table_at(&store->table, ref) : NULL;

    if (!newer) {
        entry_block_add(writer, key, checkpoint_value_image(value), checkpoint_value_time(value));
    } else if (newer->image_len != LIVE_DELETED && !has_changed(store, newer)) {
        add_entry(writer, newer);
    }
}

static void write_from_checkpoint(struct store *store, struct entry_writer *writer)
{
    struct rewrite *rewrite = &store->rewrite;
    struct database_cursor *cursor = checkpoint_scan(store->checkpoint);
    struct bytes from = rewrite->next_key.len ? buffer_bytes(&rewrite->next_key) : bytes_of("");
    bool more = checkpoint_seek(store->checkpoint, cursor, from);
    struct error err = { 0 };

    while (more && rewrite->left > 0 && !entry_block_is_full(writer)) {
        write_saved(store, cursor, writer);
        rewrite->left--;
        more = database_cursor_next(cursor);
    }
    rewrite->next_key.len = 0;
    if (more) {
        buffer_append_bytes(&rewrite->next_key, checkpoint_cursor_key(cursor));
    } else if (database_cursor_check(cursor, &err)) {
        store_note_failure(store, &err);
    }
    rewrite->next.ended = !more;
    database_cursor_close(cursor);
}

bool store_write_next(struct store *store, struct log_builder *out)
{
    struct rewrite *rewrite = &store->rewrite;
    struct entry_writer writer;

    entry_block_begin(&writer, out);
    write_changes(store, &writer);
    while (rewrite->active && !rewrite->next.ended && rewrite->left > 0 &&
           !entry_block_is_full(&writer)) {
        if (rewrite->next.in_checkpoint) {
            write_from_checkpoint(store, &writer);
        } else {
            write_from_table(store, &writer);
        }
    }
    store->writing += writer.count;
    return entry_block_end(&writer);
}

void store_settle_written(struct store *store)
{
    struct rewrite *rewrite = &store->rewrite;

    store->logged += store->writing;
    store->writing = 0;
    rewrite->done = rewrite->next;
    rewrite->done_key.len = 0;
    buffer_append_bytes(&rewrite->done_key, buffer_bytes(&rewrite->next_key));
}
