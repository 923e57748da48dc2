/*
 * save.c: checkpoints: what is committed goes to the database, where there is one.
 *
 *   commit ── commit ── commit ── save ── commit ...
 *
 * A worker saves all its stores that have nothing uncommitted in them, and behind that
 * the ends of their changelogs: every ten seconds, after many updates, when its share of
 * state.memory.bytes is half full, at the end. It gathers a small piece, the commit thread writes
 * it, and so on; meanwhile the worker answers its mailbox but pushes nothing, as in a
 * commit, so nothing changes under the save. The ends come with the last piece.
 *
 * Dying between two pieces leaves entries in the database that are newer than the ends it
 * has. That does no harm: the changelog holds whole rows and deletions, so replaying it from
 * an older place goes over them and comes to the same state. Only what is committed gets there.
 * Of the changelog nothing goes that is behind the ends.
 *
 * When the memory was the reason, the stores age: a half goes, and is read back when it is
 * asked for. A save that fails loses nothing: its entries stay listed for the next one.
 */
#include <stdlib.h>

#include "base/memory.h"
#include "base/trace.h"
#include "engine/log/database.h"
#include "engine/runtime/runtime_internal.h"
#include "engine/state/checkpoint.h"

enum {
    SAVE_EVERY_MS = 10000,
    SAVE_UPDATES = 500000,
    LOOK_EVERY_MS = 20,
    PIECE_BYTES = 32 << 10,
    YOUNG_LEAST = 8,
    RESTORED_LEAST = 16,
    UNCOMMITTED_MAX = 32768
};

struct saved_store {
    struct store *store;
    const struct log_topic *changelog;
    uint32_t partition;
};

struct save {
    struct database_batch *batch; /* the next piece */
    struct saved_store *stores;
    uint32_t count;
    uint32_t store; /* from where the next piece is: one of them, a place in its list */
    uint32_t at;
    bool ages;
};

static struct saved_store saved_store_of(const struct task *task, uint32_t number)
{
    return (struct saved_store){ task->stores[number], task->query->topics.changelogs[number],
                                 task->partition };
}

/* After a failed write, of whomever. */
static int need_open(struct runtime *rt, struct error *err)
{
    bool failed = database_has_failed(rt->config.database);

    if (failed && database_reopen(rt->config.database, err)) {
        err->code = ERR_LOG_UNAVAILABLE; /* not for ever */
        return ERR_LOG_UNAVAILABLE;
    }
    return 0;
}

/* --- when --- */

/* What others leave of the budget, and no less than an equal share. */
static size_t share_of(const struct worker *worker)
{
    struct runtime *rt = worker->rt;
    size_t budget = rt->config.state_memory_bytes;
    size_t equal = budget / (rt->worker_count > 0 ? rt->worker_count : 1);
    size_t others = 0;

    for (uint32_t i = 0; i < rt->worker_count; i++) {
        if (&rt->workers[i] != worker) {
            others += atomic_load(&rt->workers[i].state_bytes);
        }
    }
    others = others < budget ? others : budget;
    return budget - others > equal ? budget - others : equal;
}

/* Half of the share; less while what is kept beside takes more than the other half. */
static size_t young_bytes_max(const struct worker *worker)
{
    size_t share = share_of(worker);
    size_t left = share > worker->kept_bytes ? share - worker->kept_bytes : 0;

    if (!worker->rt->config.state_memory_bytes) {
        return SIZE_MAX;
    }
    left = left < share / 2 ? left : share / 2;
    return left > share / YOUNG_LEAST ? left : share / YOUNG_LEAST;
}

static bool is_short(const struct worker *worker)
{
    return worker->young_bytes > young_bytes_max(worker);
}

/* Counts what is there: after each commit, and a little later if there is none. */
static void look(struct worker *worker, int64_t now_ms)
{
    worker->looked_ms = now_ms;
    worker->unsaved = 0;
    worker->uncommitted = 0;
    worker->young_bytes = 0;
    worker->kept_bytes = 0;
    for (struct task *task = worker->tasks; task; task = task->next) {
        save_count_restored(task);
        for (uint32_t i = 0; task->query->durable && i < task->sub->store_count; i++) {
            const struct store *store = task->stores[task->sub->stores[i]];

            worker->unsaved += store_unsaved(store);
            worker->uncommitted += store_uncommitted(store);
            worker->young_bytes += store_young_bytes(store);
            worker->kept_bytes += store_bytes(store) - store_young_bytes(store);
        }
    }
    atomic_store(&worker->state_bytes, worker->young_bytes + worker->kept_bytes);
}

bool save_is_pressed(struct worker *worker)
{
    int64_t now_ms = clock_elapsed_ms(worker->rt->clock);

    if (!worker->rt->config.database || !worker->rt->config.state_memory_bytes) {
        return false;
    }
    if (now_ms - worker->looked_ms >= LOOK_EVERY_MS) {
        look(worker, now_ms);
    }
    return is_short(worker) || worker->uncommitted > UNCOMMITTED_MAX;
}

/* What a commit writes is in memory several times over until it is done. */
bool save_is_large(const struct worker *worker)
{
    return worker->pressed && worker->uncommitted > UNCOMMITTED_MAX;
}

static bool is_due(struct worker *worker)
{
    int64_t now_ms = clock_elapsed_ms(worker->rt->clock);

    look(worker, now_ms);
    if (!worker->unsaved) {
        worker->saved_ms = now_ms;
        return is_short(worker);
    }
    return worker->unsaved >= SAVE_UPDATES || is_short(worker) ||
           now_ms - worker->saved_ms >= SAVE_EVERY_MS;
}

/* --- what --- */

static void add_store(struct save *save, struct saved_store store)
{
    if (!store_checkpoint(store.store) || store_has_changes(store.store)) {
        return;
    }
    save->stores = memory_resize(save->stores, save->count + 1, sizeof *save->stores);
    save->stores[save->count++] = store;
}

static bool is_gathered(const struct save *save)
{
    return save->store == save->count;
}

/* Of one large store, or of several small ones. */
static void gather_piece(struct save *save)
{
    bool more = false;

    database_batch_clear(save->batch);
    while (!is_gathered(save) && !more && database_batch_bytes(save->batch) < PIECE_BYTES) {
        more = store_save(save->stores[save->store].store, &save->at, save->batch);
        if (!more) {
            save->store++;
            save->at = 0;
        }
    }
}

static struct save *begin(struct worker *worker)
{
    struct save *save = memory_zalloc(1, sizeof *save);

    save->batch = database_batch_create();
    save->ages = is_short(worker);
    for (struct task *task = worker->tasks; task; task = task->next) {
        for (uint32_t i = 0; task->query->durable && task->born && i < task->sub->store_count;
             i++) {
            uint32_t number = task->sub->stores[i];

            if (save->ages || store_unsaved(task->stores[number])) {
                add_store(save, saved_store_of(task, number));
            }
        }
    }
    gather_piece(save);
    return save;
}

static void free_save(struct save *save)
{
    database_batch_destroy(save->batch);
    free(save->stores);
    free(save);
}

bool save_start(struct worker *worker)
{
    if (!worker->rt->config.database || !is_due(worker)) {
        return false;
    }
    worker->save = begin(worker);
    if (!worker->save->count) {
        free_save(worker->save);
        worker->save = NULL;
        return false;
    }
    commit_hand_over(worker);
    return true;
}

/* The worker has written all of its changelogs, and nobody else writes there. */
static int mark(struct runtime *rt, const struct saved_store *of, struct database_batch *batch,
                struct error *err)
{
    struct log_range range;

    TRY(log_topic_range(rt->log, of->changelog, of->partition, READ_COMMITTED, &range, err));
    checkpoint_mark(store_checkpoint(of->store), batch, range.end);
    return 0;
}

/* The last piece says up to where all of them hold. */
static int write_piece(struct runtime *rt, struct save *save, struct error *err)
{
    TRY(need_open(rt, err));
    for (uint32_t i = 0; is_gathered(save) && i < save->count; i++) {
        TRY(mark(rt, &save->stores[i], save->batch, err));
    }
    return database_write(rt->config.database, save->batch, DATABASE_NO_SYNC, err);
}

static int write_all(struct runtime *rt, struct save *save, struct error *err)
{
    TRY(write_piece(rt, save, err));
    while (!is_gathered(save)) {
        gather_piece(save);
        TRY(write_piece(rt, save, err));
    }
    return 0;
}

int save_execute(struct worker *worker, struct error *err)
{
    return worker->has_threads ? write_piece(worker->rt, worker->save, err)
                               : write_all(worker->rt, worker->save, err);
}

static void end(struct worker *worker, int code, const struct error *err)
{
    struct save *save = worker->save;

    worker->save = NULL;
    worker->saved_ms = clock_elapsed_ms(worker->rt->clock);
    if (code) {
        TRACE(TRACE_WARN, "save", "a checkpoint was not written: %s", err->message);
    }
    for (uint32_t i = 0; !code && i < save->count; i++) {
        store_saved(save->stores[i].store);
        if (save->ages) {
            store_age(save->stores[i].store);
        }
    }
    free_save(save);
}

void save_finish(struct worker *worker, int code, const struct error *err)
{
    if (code || is_gathered(worker->save)) {
        end(worker, code, err);
        return;
    }
    gather_piece(worker->save);
    commit_hand_over(worker);
}

void save_at_close(struct worker *worker)
{
    struct error err = { 0 };

    if (!worker->rt->config.database || worker->phase != WORKER_IDLE) {
        return;
    }
    look(worker, clock_elapsed_ms(worker->rt->clock));
    worker->save = begin(worker);
    end(worker, worker->save->count ? write_all(worker->rt, worker->save, &err) : 0, &err);
}

/* --- recovery --- */

static void attach(struct task *task, uint32_t number)
{
    const struct checkpoint_identity identity = { .slot = task->slot,
                                                  .partition = task->partition,
                                                  .changelog =
                                                      task->query->topics.changelogs[number],
                                                  .signature = plan_signature(task->query->plan) };

    store_attach_checkpoint(task->stores[number],
                            checkpoint_create(task->query->rt->config.database, &identity));
}

static bool is_damage(int code)
{
    return code == ERR_LOG_DAMAGED || code == ERR_STATE_DAMAGED;
}

/* All that comes back at once has half of the worker's equal share, and each store a little. */
static size_t restored_bytes_max(const struct task *task)
{
    const struct runtime *rt = task->query->rt;
    size_t share = rt->config.state_memory_bytes / rt->worker_count;
    size_t held = atomic_load(&task->worker->state_bytes) +
                  atomic_load(&task->worker->restoring_bytes) - task->restored_bytes;

    if (!rt->config.state_memory_bytes) {
        return SIZE_MAX;
    }
    return share / 2 > held + share / RESTORED_LEAST ? share / 2 - held : share / RESTORED_LEAST;
}

static void note_restored(struct task *task)
{
    save_count_restored(task);
    for (uint32_t i = 0; i < task->sub->store_count; i++) {
        task->restored_bytes += store_young_bytes(task->stores[task->sub->stores[i]]);
    }
    atomic_fetch_add(&task->worker->restoring_bytes, task->restored_bytes);
}

void save_count_restored(struct task *task)
{
    if (task->restored_bytes) {
        atomic_fetch_sub(&task->worker->restoring_bytes, task->restored_bytes);
        task->restored_bytes = 0;
    }
}

static int load(struct task *task, uint32_t number, int64_t *position, struct error *err)
{
    struct runtime *rt = task->query->rt;
    struct checkpoint *checkpoint = store_checkpoint(task->stores[number]);
    struct log_range range;

    TRY(log_topic_range(rt->log, task->query->topics.changelogs[number], task->partition,
                        READ_COMMITTED, &range, err));
    TRY(checkpoint_find(checkpoint, &range, position, err));
    if (*position >= 0) {
        TRY(store_load(task->stores[number], restored_bytes_max(task), err));
        note_restored(task);
    }
    return 0;
}

int save_open_store(struct task *task, uint32_t number, int64_t *position, struct error *err)
{
    struct store *store = task->stores[number];
    int code;

    *position = -1;
    if (!task->query->rt->config.database) {
        return 0;
    }
    TRY(need_open(task->query->rt, err));
    attach(task, number);
    code = load(task, number, position, err);
    if (!is_damage(code)) {
        return code;
    }
    TRACE(TRACE_WARN, "save", "a checkpoint is thrown away: %s", err->message);
    store_clear(store);
    *position = -1;
    return checkpoint_drop(store_checkpoint(store), err);
}

int save_open_empty(struct task *task, uint32_t number, struct error *err)
{
    if (!task->query->rt->config.database) {
        return 0;
    }
    TRY(need_open(task->query->rt, err));
    attach(task, number);
    return checkpoint_drop(store_checkpoint(task->stores[number]), err);
}

/* A changelog that memory has no room for is saved in pieces as it is read. */
int save_restored(struct task *task, uint32_t number, int64_t position, struct error *err)
{
    struct runtime *rt = task->query->rt;
    struct store *store = task->stores[number];
    struct database_batch *batch;
    uint32_t at = 0;
    bool more = true;
    int code = 0;

    note_restored(task);
    if (!store_checkpoint(store) || store_young_bytes(store) <= restored_bytes_max(task)) {
        return 0;
    }
    batch = database_batch_create();
    while (!code && more) {
        database_batch_clear(batch);
        more = store_save(store, &at, batch);
        if (!more) {
            checkpoint_mark(store_checkpoint(store), batch, position);
        }
        code = database_write(rt->config.database, batch, DATABASE_NO_SYNC, err);
    }
    database_batch_destroy(batch);
    if (!code) {
        store_saved(store);
        store_age(store);
    }
    return code;
}

/* --- forgetting --- */

/* What stays for want of room or rights would not match anything. */
void save_forget_task(struct task *task)
{
    for (uint32_t i = 0; task->query->durable && i < task->sub->store_count; i++) {
        struct checkpoint *checkpoint = store_checkpoint(task->stores[task->sub->stores[i]]);

        if (checkpoint) {
            (void)checkpoint_drop(checkpoint, NULL);
        }
    }
}

/* Its next owner goes on from the changelog, so a checkpoint from before would be out of date. */
void save_forget_slot(struct runtime *rt, uint32_t slot)
{
    if (rt->config.database && !atomic_load(&rt->stop)) {
        (void)checkpoint_drop_slot(rt->config.database, slot, NULL);
    }
}

/* A damaged checkpoint is not read again: the changelog has everything. */
int save_check_store(struct store *store, struct error *err)
{
    int code = store_check(store, err);

    if (is_damage(code)) {
        (void)checkpoint_drop(store_checkpoint(store), NULL);
    }
    return code;
}
