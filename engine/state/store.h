/*
 * store.h: the live state of one task: key bytes -> row image and timestamp.
 *
 * The table in memory is the truth while the task runs. What it changed since
 * the last commit is remembered key by key; commit writes just those
 * keys, with their newest image, to the changelog topic in the log transaction:
 *
 *     put put delete ... store_write_begin, store_write_next ... commit ... store_committed
 *
 * A commit that fails or has an unknown outcome is followed by store_clear and
 * recovery from the changelog (store_restore): there is no undo.
 *
 * One thread owns a store. Keys are in the step's key format, images in the row codec.
 */
#ifndef SLUICE_ENGINE_STATE_STORE_H
#define SLUICE_ENGINE_STATE_STORE_H

#include "engine/log/log.h"

struct store;
struct checkpoint;
struct database_batch;

struct store_entry {
    struct bytes image; /* borrowed until the next put or delete of any key */
    int64_t timestamp_ms;
};

/* durable: changes are remembered for a changelog; a push query's state is not. */
enum store_durability { STORE_TRANSIENT, STORE_DURABLE };

struct store *store_create(enum store_durability durability);
void store_destroy(struct store *store);

/* A hint that these keys will be asked for soon: they are fetched all at once. */
void store_prefetch(struct store *store, const struct bytes *keys, uint32_t count);
bool store_get(struct store *store, struct bytes key, struct store_entry *out);
void store_put(struct store *store, struct bytes key, struct bytes image, int64_t timestamp_ms);
/* False when the key was not there. */
bool store_delete(struct store *store, struct bytes key);

/*
 * The entries with from <= key, by ascending key bytes, at most limit of them; absent from: the
 * first. `upto` absent: no upper bound, else keys below it. Entries are borrowed until the store
 * changes. Continue with the last key and `after`: a change in between is seen or not,
 * never twice.
 */
struct store_item {
    struct bytes key;
    struct store_entry entry;
};
struct store_range {
    struct bytes from;
    bool after_from; /* from itself was had already */
    struct bytes upto;
};
uint32_t store_scan(struct store *store, const struct store_range *range, struct store_item *items,
                    uint32_t limit);

uint64_t store_count(const struct store *store);
size_t store_bytes(const struct store *store); /* memory, for budgets */

/* --- commit and recovery --- */

bool store_has_changes(const struct store *store);
void store_write_begin(struct store *store);
/* Appends a record of what is to be written; false: there is nothing any more. */
bool store_write_next(struct store *store, struct log_builder *out);
void store_committed(struct store *store); /* what was written is durable */
void store_clear(struct store *store);     /* forget everything */
/* Changelog records. */
int store_restore(struct store *store, const struct log_block *block, struct error *err);

/*
 * Much of the changelog may be out of date. From the next commit on all that is there is
 * written anew, little by little; `from` is where the changelog ends now.
 */
bool store_rewrite_is_due(const struct store *store, uint64_t entries_least);
void store_rewrite_begin(struct store *store, int64_t from);
/* Once, behind the commit that was the last of it: nobody needs what is before. -1: not now. */
int64_t store_rewritten(struct store *store);

/*
 * --- checkpoints: where there is a data directory ---
 *
 * With a checkpoint what is committed stays listed until it is saved there. What is saved may
 * leave memory, half of it at a time, and is read back when it is asked for: then a
 * key costs some microseconds, and reading can fail, which store_check tells.
 */
void store_attach_checkpoint(struct store *store,
                             struct checkpoint *checkpoint); /* takes it over */
void store_detach_checkpoint(struct store *store);
struct checkpoint *store_checkpoint(struct store *store); /* NULL: it has none */
/* Reads what is in the checkpoint, as far as the budget goes. Before store_restore. */
int store_load(struct store *store, size_t bytes_max, struct error *err);
uint32_t store_unsaved(const struct store *store);     /* committed entries, about */
uint32_t store_uncommitted(const struct store *store); /* the others, about */
size_t store_young_bytes(const struct store *store);   /* memory that store_age would give way */
/*
 * A piece of what is committed and not saved; `at` is 0 at first and says how far it has come.
 * True: there is more. Nothing may change until all is saved.
 */
bool store_save(struct store *store, uint32_t *at, struct database_batch *batch);
void store_saved(struct store *store); /* all pieces were written */
/* What was here since the last time is kept for those who ask soon; what was here before, goes.
 * Only when everything is committed and saved. */
void store_age(struct store *store);
int store_check(const struct store *store, struct error *err); /* has reading failed? */

#endif
