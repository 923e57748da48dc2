/*
 * store_internal.h: what store.c and store_checkpoint.c share.
 *
 * The list of changes has three parts, of which the first is empty without a checkpoint:
 *
 *   | committed, not in the checkpoint | in the open transaction | since then |
 *   0                                  saved_from                written_count  change_count
 */
#ifndef SLUICE_ENGINE_STATE_STORE_INTERNAL_H
#define SLUICE_ENGINE_STATE_STORE_INTERNAL_H

#include "engine/state/key_filter.h"
#include "engine/state/key_order.h"
#include "engine/state/store.h"

struct filter_scan;

/* How far writing anew has come: in the table by hash, then in the checkpoint by key. */
struct rewrite_place {
    uint64_t hash;
    bool in_checkpoint;
    bool ended;
};

struct rewrite {
    bool active;
    bool saved;                /* the checkpoint is newer than the last of it */
    int64_t from;              /* where the changelog ended when it began */
    uint64_t base;             /* entries that the changelog had behind the last one */
    int64_t left;              /* entries that this commit may look at */
    struct rewrite_place done; /* as it is committed */
    struct rewrite_place next;
    struct buffer done_key; /* keys of the places in the checkpoint */
    struct buffer next_key;
};

struct store {
    enum store_durability durability;
    struct live_table table;
    struct key_order order;
    live_ref *changes;
    uint32_t change_count;
    uint32_t change_capacity;
    uint32_t committed_count; /* of them: the first part */
    uint32_t written_count;   /* the first two */
    uint32_t hole_count;      /* zeros in the list */
    uint32_t deleted_count;   /* entries without an image */
    uint64_t logged;          /* entries that the changelog holds, about */
    uint64_t writing;         /* those of the open transaction */
    struct rewrite rewrite;
    live_ref last; /* found last: who gets a row mostly puts it next; 0: none */
    /* with a checkpoint */
    struct checkpoint *checkpoint; /* NULL: all there is, is in memory */
    struct live_table former;      /* entries that are in the checkpoint, and not in `table` */
    bool spilled;                  /* the checkpoint has keys that are not in memory */
    struct key_filter filter;      /* of the keys that it has and memory has not */
    bool filter_whole;             /* of all of them: after a start it is not */
    struct filter_scan *scan;      /* while it is made anew; NULL: it is not */
    uint64_t stale_count;          /* of the filter's keys were deleted, about */
    struct buffer fetched;
    struct buffer scanned; /* what the last scan found in the checkpoint */
    struct error *failure; /* of the checkpoint; NULL: none yet */
};

/* An entry of the key out of the former table or the checkpoint, in `table` now; 0: none. */
live_ref store_fetch(struct store *store, struct bytes key);
void store_fetch_many(struct store *store, const struct bytes *keys, uint32_t count);
void store_note_failure(struct store *store, const struct error *err);
/* --- the filter --- */
size_t store_filter_bytes(const struct store *store);
void store_clear_filter(struct store *store);
void store_filter_former(struct store *store);                /* it will leave memory */
void store_note_stale(struct store *store, struct bytes key); /* it will leave the checkpoint */
/* Makes a filter of all keys from that one on that are not in memory; a piece at a time. */
void store_begin_filter_scan(struct store *store, struct bytes from);
void store_continue_filter_scan(struct store *store);
/* --- store_write.c --- */
void store_clear_rewrite(struct store *store);
void store_settle_written(struct store *store); /* it is committed */
/* --- */
uint32_t store_scan_merged(struct store *store, const struct store_range *range,
                           struct store_item *items, uint32_t limit);
/* An entry whose change is counted as committed already. */
void store_note_committed(struct store *store, live_ref ref);
void store_clear_checkpoint(struct store *store); /* the part above */
/* Adds a key that is not there. */
live_ref store_add_entry(struct store *store, struct bytes key, struct bytes image,
                         int64_t timestamp_ms);
void store_forget_deleted(struct store *store, live_ref ref);
/* Takes what was written off the list; forgets those of it that are deleted. */
void store_unlist(struct store *store);

#endif
