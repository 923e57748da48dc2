/*
 * commit.c: one transaction per worker: rows, changelogs, positions, fence.
 *
 *   flush operators   what is buffered is emitted
 *   append            rows left in builders, then what changed in each store
 *   progress          positions and operator metadata of the tasks that take part
 *   send_positions    the fence, last: under an old generation all of it is refused
 *   commit            waits for the log: on the commit thread
 *
 * A task takes part whole or not at all. One whose operators buffer emissions takes
 * part when its own commit.interval.ms has passed, so an emission and the state and
 * positions behind it are always in the same transaction. The others take
 * part whenever the worker commits: when its input is drained, or after
 * MAX_COMMIT_PAUSE_MS, but at least half the last commit's duration apart. While the log has more
 * for it, it is not drained, and commits are 20 of their durations apart, up to CATCH_UP_PAUSE_MS.
 *
 * Tasks of push queries are not durable: their rows go to topics of their own at once.
 *
 * A record that the log refuses spoils the transaction, whoever meets it first:
 * worker_fail finds out whose it was.
 */
#include "base/memory.h"
#include "base/trace.h"
#include "engine/runtime/causal.h"

enum { PURGE_EVERY = 4096 }; /* records */

int commit_begin(struct worker *worker, struct error *err)
{
    if (worker->in_transaction || !worker_is_exactly_once(worker)) {
        return 0;
    }
    TRY(log_writer_begin(worker->writer, err));
    worker->in_transaction = true;
    return 0;
}

static int append_transient(struct task *task, const struct log_topic *topic, uint32_t partition,
                            struct log_builder *builder, struct error *err)
{
    struct worker *worker = task->worker;

    TRY(worker_open_transient_writer(worker, err));
    worker->transient_refusal.code = ERR_NONE;
    TRY(log_writer_append(worker->transient_writer, topic, partition, builder, NULL, err));
    if (worker->transient_refusal.code) {
        *err = worker->transient_refusal;
    }
    return (int)worker->transient_refusal.code;
}

static int append(struct task *task, const struct log_topic *topic, uint32_t partition,
                  struct log_builder *builder, struct error *err)
{
    struct worker *worker = task->worker;

    if (!task->query->durable) {
        return append_transient(task, topic, partition, builder, err);
    }
    TRY(commit_begin(worker, err));
    return log_writer_append(worker->writer, topic, partition, builder, task->query, err);
}

static void count_written(const struct task *task, uint32_t index, uint32_t records)
{
    if (task->query->plan->outputs[index].role == TOPIC_SINK) {
        atomic_fetch_add(&task->query->rows_out, records);
    }
}

static int drain_output(struct task *task, uint32_t index, size_t at_least_bytes, struct error *err)
{
    struct op_output *output = &task->env.outputs[index];

    for (uint32_t word = 0; word * 64 < output->partition_count; word++) {
        for (uint64_t bits = output->touched[word]; bits; bits &= bits - 1) {
            uint32_t partition = word * 64 + (uint32_t)__builtin_ctzll(bits);
            struct log_builder *builder = &output->builders[partition];

            if (builder->bytes.len < at_least_bytes) {
                continue;
            }
            output->touched[word] &= ~(UINT64_C(1) << (partition & 63));
            if (builder->record_count > 0) {
                count_written(task, index, builder->record_count);
                TRY(append(task, task->query->topics.outputs[index], partition, builder, err));
            }
        }
    }
    return 0;
}

int commit_drain_outputs(struct task *task, size_t at_least_bytes, struct error *err)
{
    for (uint32_t i = 0; i < task->query->plan->output_count; i++) {
        TRY(drain_output(task, i, at_least_bytes, err));
    }
    return 0;
}

/* --- when --- */

static bool takes_part(const struct worker *worker, const struct task *task, int64_t now_ms)
{
    return task->dirty && (!task->buffers || !task->born || worker->flush_now || worker->pressed ||
                           standing_is_awaited(task->query->standing) ||
                           now_ms - task->last_flush_ms >= task->query->options.commit_interval_ms);
}

/* Between the end of a commit and the next one's begin, at least. */
static int64_t spacing_us(const struct worker *worker)
{
    return worker->last_commit_us / 2;
}

bool commit_is_due(struct worker *worker, bool drained)
{
    int64_t now_ms, since_ms;
    bool behind;

    if (worker->dirty_tasks == 0) {
        return false;
    }
    now_ms = clock_elapsed_ms(worker->rt->clock);
    since_ms = now_ms - worker->last_commit_ms;
    worker->pressed = save_is_pressed(worker);
    behind = fetcher_is_behind(worker->rt->fetcher);
    if ((behind || !drained) && !worker->pressed && since_ms < MAX_COMMIT_PAUSE_MS) {
        return false;
    }
    if (behind && !worker->pressed && !worker->flush_now && since_ms < CATCH_UP_PAUSE_MS &&
        since_ms * 1000 < 20 * worker->last_commit_us) {
        return false;
    }
    if (since_ms * 1000 < spacing_us(worker) && !worker->flush_now && !save_is_large(worker)) {
        return false;
    }
    for (const struct task *task = worker->tasks; task; task = task->next) {
        if (takes_part(worker, task, now_ms)) {
            return true;
        }
    }
    return false;
}

int64_t commit_pause_ms(const struct worker *worker, int64_t most_ms)
{
    int64_t left_ms;

    if (worker->dirty_tasks == 0 || worker->phase != WORKER_IDLE) {
        return most_ms;
    }
    left_ms = (spacing_us(worker) + 999) / 1000 -
              (clock_elapsed_ms(worker->rt->clock) - worker->last_commit_ms);
    if (left_ms == 0) {
        return 1; /* it has just come */
    }
    return left_ms > 0 && left_ms < most_ms ? left_ms : most_ms;
}

/* --- what --- */

static void note_written(struct task *task, uint32_t store)
{
    uint64_t bit = store < 64 ? UINT64_C(1) << store : 0;

    if (bit & ~task->written_stores) {
        task->written_stores |= bit;
        task->saved = false;
    }
}

/* Where it ends now, what has been replaced ends. If that cannot be told, the next commit asks. */
static void begin_rewrite(struct task *task, uint32_t number)
{
    struct log_range range;

    if (!log_topic_range(task->query->rt->log, task->query->topics.changelogs[number],
                         task->partition, READ_UNCOMMITTED, &range, NULL)) {
        store_rewrite_begin(task->stores[number], range.end);
    }
}

static int append_changelogs(struct task *task, struct error *err)
{
    struct log_builder *scratch = &task->worker->scratch;

    for (uint32_t i = 0; i < task->sub->store_count; i++) {
        uint32_t number = task->sub->stores[i];
        struct store *store = task->stores[number];

        TRY(save_check_store(store, err));
        if (!store_has_changes(store)) {
            continue;
        }
        if (store_rewrite_is_due(store, task->query->rt->config.changelog_entries)) {
            begin_rewrite(task, number);
        }
        note_written(task, i);
        store_write_begin(store);
        while (store_write_next(store, scratch)) {
            TRY(append(task, task->query->topics.changelogs[number], task->partition, scratch,
                       err));
        }
        TRY(save_check_store(store, err));
    }
    return 0;
}

static void settle_dirty(struct task *task)
{
    task->worker->dirty_tasks -= task->dirty;
    task->dirty = false;
}

/* A push query's own topic: what its next sub-topology has read is for nobody else. */
static void purge_transient(struct task *task)
{
    for (uint32_t i = 0; i < task->sub->input_count; i++) {
        struct task_input *input = &task->inputs[i];

        if (!input->plan->source && input->processed - input->purged >= PURGE_EVERY) {
            input->purged = input->processed;
            (void)log_delete_records(task->query->log, input->topic, task->partition,
                                     input->processed, NULL); /* later then */
        }
    }
}

static int flush_outputs(struct task *task, struct error *err)
{
    int code;

    task->flushing = true;
    code = op_chain_flush(&task->chain, err);
    task->flushing = false;
    return code ? code : commit_drain_outputs(task, 0, err);
}

static int flush_transient(struct task *task, int64_t now_ms, struct error *err)
{
    TRY(flush_outputs(task, err));
    task->last_flush_ms = now_ms;
    settle_dirty(task);
    standing_publish(task);
    purge_transient(task);
    if (task->query->plan->output_count > 0) {
        fetcher_wake(task->worker->rt->fetcher); /* its thread serves the transient one too */
    }
    lookout_notice(task->worker->rt->lookout);
    return 0;
}

static int flush_durable(struct task *task, int64_t now_ms, struct error *err)
{
    TRY(flush_outputs(task, err));
    task->last_flush_ms = now_ms;
    if (task->dirty) {
        task->active_ms = clock_now_ms(task->query->rt->clock);
    }
    TRY(append_changelogs(task, err));
    standing_attempt(task);
    for (uint32_t i = 0; i < task->sub->input_count; i++) {
        task->inputs[i].promised = task->inputs[i].processed;
    }
    task->in_commit = true;
    return 0;
}

/*
 * The positions that fence the transaction: of the slots that it writes, and of those that have
 * none of this owner yet. What is sent tells the next owner who sent it. Of a slot that is not
 * fenced yet that is still the former owner, whose transaction may have to be ended. Under
 * leaf_mutex.
 */
static uint32_t list_positions(struct worker *worker, bool all, struct group_position *out)
{
    struct runtime *rt = worker->rt;
    uint32_t count = 0;

    for (uint32_t i = 0; i < rt->slot_count; i++) {
        struct slot *slot = &rt->slots[i];

        if (slot->worker != worker->index) {
            continue;
        }
        slot->sent = slot->fenced && (all || slot->written || !slot->claimed);
        slot->written = false;
        if (slot->sent) {
            out[count++] = (struct group_position){ .topic = rt->slots_topic,
                                                    .partition = rt->seats[i],
                                                    .offset = (int64_t)worker->commit_number };
        }
    }
    return count;
}

int commit_send_fence(struct worker *worker, struct error *err)
{
    struct runtime *rt = worker->rt;
    struct group_position positions[SLOT_COUNT_MAX];
    struct group_membership member;
    struct buffer copy = { 0 };
    uint32_t count;
    int code;

    worker->commit_number++;
    pthread_mutex_lock(&rt->leaf_mutex);
    buffer_append_bytes(&copy, buffer_bytes(&rt->fence.member_id));
    buffer_append_bytes(&copy, buffer_bytes(&rt->fence.instance_id));
    member = (struct group_membership){
        .group = rt->group,
        .member_id = { copy.data, rt->fence.member_id.len },
        .generation = rt->fence.generation,
    };
    if (rt->fence.has_instance) {
        member.instance_id =
            (struct bytes){ copy.data + rt->fence.member_id.len, rt->fence.instance_id.len };
    }
    count = list_positions(worker, false, positions);
    if (count == 0) {
        count = list_positions(worker, true, positions); /* or nothing would be refused */
    }
    pthread_mutex_unlock(&rt->leaf_mutex);
    code = log_writer_send_positions(worker->writer, &member, positions, count, err);
    buffer_fini(&copy);
    return code;
}

/* Before the transaction: one that fails takes nothing with it. */
static void flush_transients(struct worker *worker)
{
    int64_t now_ms = clock_elapsed_ms(worker->rt->clock);
    struct task *task = worker->transient_tasks > 0 ? worker->tasks : NULL;

    while (task) {
        uint64_t removals = worker->removals;
        struct task *next = task->next;
        struct error err = { 0 };

        if (!task->query->durable && takes_part(worker, task, now_ms) &&
            flush_transient(task, now_ms, &err)) {
            worker_fail(worker, task->query, &err);
        }
        task = worker->removals == removals ? next : worker->tasks;
    }
}

/* Flushes those whose turn it is; any says whether there is something to commit. */
static int gather(struct worker *worker, bool *any, struct error *err)
{
    int64_t now_ms = clock_elapsed_ms(worker->rt->clock);

    *any = false;
    for (struct task *task = worker->tasks; task; task = task->next) {
        if (!task->query->durable || !takes_part(worker, task, now_ms)) {
            continue;
        }
        worker->culprit = task->query;
        TRY(flush_durable(task, now_ms, err));
        *any = true;
    }
    worker->culprit = NULL;
    if (worker->forgotten) {
        TRY(progress_forget(worker, worker->forgotten, any, err));
    }
    if (!*any) {
        return 0;
    }
    TRY(commit_begin(worker, err));
    TRY(progress_write(worker, err));
    return worker_is_exactly_once(worker) ? commit_send_fence(worker, err) : 0;
}

/* Who goes on all the same, at least once, tells with the next commit where it stands. */
static void take_back(struct worker *worker)
{
    worker->held_count = 0;
    for (struct task *task = worker->tasks; task; task = task->next) {
        if (task->in_commit) {
            task->in_commit = false;
            task->saved = false;
        }
    }
}

void commit_hand_over(struct worker *worker)
{
    struct error err = { 0 };

    worker->phase = WORKER_COMMITTING;
    worker->settling = true;
    if (worker->has_threads) {
        pthread_mutex_lock(&worker->commit_mutex);
        worker->commit_requested = true;
        pthread_cond_signal(&worker->commit_wanted);
        pthread_mutex_unlock(&worker->commit_mutex);
    } else {
        int code = commit_execute(worker, &err);

        commit_finish(worker, code, &err);
    }
}

void commit_start(struct worker *worker)
{
    struct error err = { 0 };
    bool any = false;

    flush_transients(worker);
    if (gather(worker, &any, &err)) {
        struct query *culprit = worker->culprit;

        worker->culprit = NULL;
        take_back(worker);
        worker_fail(worker, culprit, &err);
        return;
    }
    if (!any) {
        return;
    }
    commit_hand_over(worker);
}

void commit_now(struct worker *worker)
{
    if (worker->phase != WORKER_IDLE) {
        return;
    }
    worker->flush_now = true;
    if (commit_is_due(worker, true)) {
        commit_start(worker);
    }
    worker->flush_now = false;
}

/* Nothing is ahead of what it speaks of. */
static int commit_untransacted(struct worker *worker, struct error *err)
{
    TRY(log_writer_flush(worker->writer, err));
    TRY(progress_write_held(worker, err));
    return log_writer_flush(worker->writer, err);
}

/* If it fails, the next one deletes these too. */
static void run_purges(struct worker *worker)
{
    for (uint32_t i = 0; i < worker->purge_count; i++) {
        const struct purge *purge = &worker->purges[i];
        struct error err = { 0 };

        if (log_delete_records(worker->rt->log, purge->topic, purge->partition, purge->before,
                               &err) == ERR_NOT_AUTHORIZED &&
            !worker->purge_denied) {
            worker->purge_denied = true;
            TRACE(TRACE_WARN, "commit",
                  "what nobody needs any more stays in the internal topics: %s", err.message);
        }
    }
    worker->purge_count = 0;
}

int commit_execute(struct worker *worker, struct error *err)
{
    int64_t began_us = clock_monotonic_us(worker->rt->clock);
    int code;

    if (worker->save) {
        return save_execute(worker, err);
    }
    code = worker_is_exactly_once(worker) ? log_writer_commit(worker->writer, err)
                                          : commit_untransacted(worker, err);

    worker->last_commit_us = clock_monotonic_us(worker->rt->clock) - began_us;
    run_purges(worker);
    return code;
}

/* --- afterwards --- */

/* The commit thread deletes it. */
static void add_purge(struct worker *worker, struct purge purge)
{
    if (worker->purge_count == worker->purge_capacity) {
        worker->purge_capacity = worker->purge_capacity * 2 + 4;
        worker->purges =
            memory_resize(worker->purges, worker->purge_capacity, sizeof *worker->purges);
    }
    worker->purges[worker->purge_count++] = purge;
}

/* Of a repartition topic nobody reads again what is committed. */
static void purge_input(struct task_input *input)
{
    if (!input->plan->source && input->committed - input->purged >= PURGE_EVERY) {
        add_purge(input->task->worker,
                  (struct purge){ input->topic, input->task->partition, input->committed });
        input->purged = input->committed;
    }
}

static void purge_changelog(struct task *task, uint32_t number)
{
    int64_t before = store_rewritten(task->stores[number]);

    if (before >= 0) {
        TRACE(TRACE_DEBUG, "commit",
              "changelog %.*s, partition %u: nobody needs what is before %lld",
              BYTES_ARG(task->query->topics.changelogs[number]->name), task->partition,
              (long long)before);
        add_purge(task->worker, (struct purge){ task->query->topics.changelogs[number],
                                                task->partition, before });
    }
}

static void settle(struct task *task)
{
    for (uint32_t i = 0; i < task->sub->store_count; i++) {
        store_committed(task->stores[task->sub->stores[i]]);
        purge_changelog(task, task->sub->stores[i]);
    }
    for (uint32_t i = 0; i < task->sub->input_count; i++) {
        task->inputs[i].committed = task->inputs[i].promised;
        purge_input(&task->inputs[i]);
    }
    task->born = true;
    task->in_commit = false;
    settle_dirty(task);
    standing_publish(task);
}

static void claim_slots(struct worker *worker)
{
    struct runtime *rt = worker->rt;

    pthread_mutex_lock(&rt->leaf_mutex);
    for (uint32_t i = 0; i < rt->slot_count; i++) {
        if (rt->slots[i].worker == worker->index) {
            rt->slots[i].claimed |= rt->slots[i].sent && rt->slots[i].fenced;
            rt->slots[i].sent = false;
        }
    }
    pthread_mutex_unlock(&rt->leaf_mutex);
}

void commit_finish(struct worker *worker, int code, const struct error *err)
{
    worker->phase = WORKER_IDLE;
    worker->activity++;
    if (worker->save) {
        save_finish(worker, code, err);
        return;
    }
    worker->last_commit_ms = clock_elapsed_ms(worker->rt->clock);
    worker->in_transaction = false;
    if (code) {
        take_back(worker);
        worker_fail(worker, NULL, err);
        return;
    }
    worker->failures = 0;
    claim_slots(worker);
    for (struct task *task = worker->tasks; task; task = task->next) {
        if (task->in_commit) {
            settle(task);
        }
    }
    lookout_notice(worker->rt->lookout);
    (void)save_start(worker);
}
