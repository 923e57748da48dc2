/*
 * runtime.c: the door of the runtime: start and stop queries, step, drain, crash.
 *
 * Who does what in threaded mode: the fetch thread moves the log readers, a
 * worker thread and a commit thread per worker run tasks, the control thread keeps
 * the membership, brings lost workers back and retries queries in ERROR. In
 * stepped mode runtime_step does a bit of each in turn, in a fixed order.
 */
#include "engine/runtime/runtime.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/trace.h"
#include "engine/runtime/causal.h"

enum {
    FETCH_WAIT_MS = 50,
    LOOK_EVERY_US = 1000000,
    CONTROL_WAIT_MS = 20,
    JOIN_POLLS_MAX = 1000,
    QUIET_ROUNDS = 2
};

/* --- control: membership, recovery, retries; rt->mutex held --- */

static bool recover_lost_workers(struct runtime *rt)
{
    int64_t now_ms = clock_elapsed_ms(rt->clock);
    struct error err = { 0 };
    bool any = false;

    for (uint32_t i = 0; atomic_load(&rt->lost_workers) > 0 && i < rt->worker_count; i++) {
        struct worker *worker = &rt->workers[i];

        if (atomic_load(&worker->lost) && now_ms >= atomic_load(&worker->recover_at_ms)) {
            if (recover_worker(rt, worker, &err)) {
                TRACE(TRACE_WARN, "runtime", "worker %u: %s", i, err.message);
            }
            any = true;
        }
    }
    return any;
}

/* What is left of a failed query on workers where it did not fail goes before it is retried. */
static bool tend_failed_queries(struct runtime *rt)
{
    int64_t now_ms = clock_elapsed_ms(rt->clock);
    bool any = false;

    if (atomic_load(&rt->failed_queries) == 0) {
        return false;
    }
    MAP_FOREACH (entry, &rt->queries) {
        struct query *query = entry->value;

        if (atomic_load(&query->state) != QUERY_ERROR) {
            continue;
        }
        if (atomic_load(&query->live_tasks) > 0) {
            drop_commit(rt);
            drop_tasks(rt, &(struct drop){ .query = query });
            any = true;
        } else if (query_retry_is_due(query, now_ms)) {
            query_begin_again(query);
            any = true;
        }
    }
    return any;
}

static bool control_step(struct runtime *rt)
{
    bool any;

    membership_poll(rt);
    any = recover_lost_workers(rt);
    growth_look(rt);
    return tend_failed_queries(rt) || any;
}

static void *control_main(void *argument)
{
    struct runtime *rt = argument;

    while (!atomic_load(&rt->stop)) {
        pthread_mutex_lock(&rt->mutex);
        control_step(rt);
        pthread_mutex_unlock(&rt->mutex);
        (void)queue_take(&rt->control_wake, CONTROL_WAIT_MS); /* a pause that close can end */
    }
    return NULL;
}

static void *fetch_main(void *argument)
{
    struct runtime *rt = argument;
    int64_t looked_us = 0;

    while (!atomic_load(&rt->stop)) {
        bool any = fetcher_step(rt->transient_fetcher, 0);
        int64_t now_us = clock_monotonic_us(rt->clock);

        fetcher_step(rt->fetcher, any ? 0 : FETCH_WAIT_MS);
        if (now_us - looked_us >= LOOK_EVERY_US) {
            fetcher_look(rt->transient_fetcher);
            fetcher_look(rt->fetcher);
            looked_us = now_us;
        }
    }
    return NULL;
}

/* --- open and close --- */

static int start_threads(struct runtime *rt, struct error *err)
{
    for (uint32_t i = 0; i < rt->worker_count; i++) {
        if (worker_start_threads(&rt->workers[i])) {
            return error_set(err, ERR_IO, NO_POSITION, "A worker thread cannot be started");
        }
    }
    if (lookout_start_thread(rt->lookout)) {
        return error_set(err, ERR_IO, NO_POSITION, "The lookout thread cannot be started");
    }
    if (pthread_create(&rt->fetch_thread, NULL, fetch_main, rt)) {
        return error_set(err, ERR_IO, NO_POSITION, "The fetch thread cannot be started");
    }
    rt->has_fetch_thread = true;
    if (pthread_create(&rt->control_thread, NULL, control_main, rt)) {
        return error_set(err, ERR_IO, NO_POSITION, "The control thread cannot be started");
    }
    rt->has_control_thread = true;
    if (rt->config.is_shared && mirror_start_thread(rt->mirror)) {
        return error_set(err, ERR_IO, NO_POSITION, "The mirror thread cannot be started");
    }
    return 0;
}

static void set_default(int64_t *setting, int64_t usual)
{
    *setting = *setting > 0 ? *setting : usual;
}

static void init_config(struct runtime *rt, const struct runtime_config *config)
{
    rt->config = *config;
    rt->log = config->log;
    rt->clock = config->clock;
    rt->worker_count = config->worker_count ? config->worker_count : 1;
    rt->slot_count = config->slot_count ? config->slot_count : SLOT_COUNT_DEFAULT;
    if (rt->slot_count > SLOT_COUNT_MAX) {
        rt->slot_count = SLOT_COUNT_MAX;
    }
    if (!rt->config.changelog_entries) {
        rt->config.changelog_entries = CHANGELOG_ENTRIES_LEAST;
    }
    if (!rt->config.batch_rows || rt->config.batch_rows > BATCH_MAX_ROWS) {
        rt->config.batch_rows = BATCH_MAX_ROWS;
    }
    arena_init(&rt->arena, 1024);
    rt->service_id = arena_copy(&rt->arena, config->service_id);
    rt->group = arena_printf(&rt->arena, "sluice-%.*s", BYTES_ARG(rt->service_id));
    rt->node_id = arena_copy(&rt->arena, config->node_id);
    rt->client_id =
        config->client_id.data ? arena_copy(&rt->arena, config->client_id) : rt->node_id;
    rt->instance_id = arena_copy(&rt->arena, config->instance_id);
    set_default(&rt->config.session_timeout_ms, SESSION_TIMEOUT_MS);
    set_default(&rt->config.retry_first_ms, RETRY_FIRST_MS);
    set_default(&rt->config.retry_most_ms, RETRY_MOST_MS);
}

struct opening {
    struct worker *worker;
    pthread_t thread;
    bool has_thread;
    struct error error;
    int code;
};

static void *open_writer(void *argument)
{
    struct opening *opening = argument;

    opening->code = worker_open_writer(opening->worker, &opening->error);
    return NULL;
}

/*
 * All at once: behind a crash each waits until the transaction that its former self left open is
 * aborted, some 20 ms with Kafka.
 */
static int open_writers(struct runtime *rt, struct error *err)
{
    struct opening *openings = memory_zalloc(rt->worker_count, sizeof *openings);
    int code = 0;

    for (uint32_t i = 0; i < rt->worker_count; i++) {
        struct opening *opening = &openings[i];

        opening->worker = &rt->workers[i];
        opening->has_thread = rt->config.mode == RUNTIME_THREADED && i + 1 < rt->worker_count &&
                              !pthread_create(&opening->thread, NULL, open_writer, opening);
        if (!opening->has_thread) {
            (void)open_writer(opening);
        }
    }
    for (uint32_t i = 0; i < rt->worker_count; i++) {
        if (openings[i].has_thread) {
            pthread_join(openings[i].thread, NULL);
        }
        if (openings[i].code && !code) {
            code = error_set(err, openings[i].error.code, NO_POSITION, "%s",
                             openings[i].error.message);
        }
    }
    free(openings);
    return code;
}

int runtime_open(const struct runtime_config *config, struct runtime **out, struct error *err)
{
    struct runtime *rt = memory_zalloc(1, sizeof *rt);
    int code;

    init_config(rt, config);
    pthread_mutex_init(&rt->mutex, NULL);
    pthread_mutex_init(&rt->queries_mutex, NULL);
    pthread_cond_init(&rt->query_unused, NULL);
    pthread_mutex_init(&rt->leaf_mutex, NULL);
    queue_init(&rt->control_wake, 1);
    queue_init(&rt->drain_pause, 1);
    pthread_mutex_init(&rt->standings_mutex, NULL);
    map_init(&rt->queries);
    map_init(&rt->standings);
    rt->lookout = lookout_create(rt);
    rt->mirror = arena_alloc(&rt->arena, sizeof *rt->mirror);
    mirror_init(rt->mirror, rt);
    rt->slots = arena_array(&rt->arena, struct slot, rt->slot_count);
    membership_seat(rt);
    rt->transient_log = log_memory_create(rt->clock);
    rt->workers = memory_zalloc(rt->worker_count, sizeof *rt->workers);
    for (uint32_t i = 0; i < rt->worker_count; i++) {
        worker_init(&rt->workers[i], rt, i);
    }
    code = fetcher_create(rt->log, rt->client_id, &rt->fetcher, err);
    code =
        code ? code : fetcher_create(rt->transient_log, rt->client_id, &rt->transient_fetcher, err);
    code = code ? code : open_writers(rt, err);
    if (!code && config->mode == RUNTIME_THREADED) {
        code = start_threads(rt, err);
    }
    if (code) {
        runtime_close(rt);
        return code;
    }
    *out = rt;
    return 0;
}

static void stop_threads(struct runtime *rt)
{
    atomic_store(&rt->stop, true);
    (void)queue_try_put(&rt->control_wake, rt);
    fetcher_wake(rt->fetcher);
    lookout_stop_thread(rt->lookout);
    mirror_stop_thread(rt->mirror);
    if (rt->has_control_thread) {
        pthread_join(rt->control_thread, NULL);
    }
    if (rt->has_fetch_thread) {
        pthread_join(rt->fetch_thread, NULL);
    }
    for (uint32_t i = 0; i < rt->worker_count; i++) {
        worker_stop_threads(&rt->workers[i]);
    }
}

void runtime_close(struct runtime *rt)
{
    if (!rt) {
        return;
    }
    if (rt->joined) {
        drop_commit(rt);
    }
    if (rt->fetcher && rt->transient_fetcher) {
        stop_threads(rt);
    }
    for (uint32_t i = 0; i < rt->worker_count; i++) {
        save_at_close(&rt->workers[i]);
        worker_fini(&rt->workers[i]);
    }
    membership_leave(rt);
    MAP_FOREACH (entry, &rt->queries) {
        query_remove(entry->value);
    }
    map_fini(&rt->queries);
    lookout_destroy(rt->lookout);
    mirror_fini(rt->mirror);
    map_fini(&rt->standings);
    for (uint32_t i = 0; i < rt->slot_count; i++) {
        progress_free(rt->slots[i].progress);
    }
    log_reader_close(rt->recovery);
    fetcher_destroy(rt->fetcher);
    fetcher_destroy(rt->transient_fetcher);
    log_close(rt->transient_log);
    free(rt->workers);
    queue_fini(&rt->control_wake);
    queue_fini(&rt->drain_pause);
    pthread_mutex_destroy(&rt->mutex);
    pthread_mutex_destroy(&rt->queries_mutex);
    pthread_cond_destroy(&rt->query_unused);
    pthread_mutex_destroy(&rt->leaf_mutex);
    pthread_mutex_destroy(&rt->standings_mutex);
    buffer_fini(&rt->fence.member_id);
    buffer_fini(&rt->fence.instance_id);
    arena_fini(&rt->arena);
    free(rt);
}

/* --- queries --- */

static bool owns_a_slot(const struct runtime *rt)
{
    for (uint32_t i = 0; i < rt->slot_count; i++) {
        if (rt->slots[i].owned) {
            return true;
        }
    }
    return false;
}

static int join(struct runtime *rt, struct error *err)
{
    TRY(membership_join(rt, err));
    for (int i = 0; i < JOIN_POLLS_MAX && !owns_a_slot(rt); i++) {
        membership_poll(rt);
    }
    return 0;
}

int runtime_join(struct runtime *rt, struct error *err)
{
    int code;

    pthread_mutex_lock(&rt->mutex);
    code = rt->joined ? 0 : join(rt, err);
    pthread_mutex_unlock(&rt->mutex);
    return code;
}

/* A query that was there before keeps its topics, and with them its state. */
static void undo_start(struct runtime *rt, struct query *query)
{
    rt->has_stopped = true;
    drop_tasks(rt, &(struct drop){ .query = query });
    if (query->fresh) {
        query_delete_topics(query);
    }
    query_remove(query);
}

static int start_locked(struct runtime *rt, const struct physical_plan *plan,
                        const struct query_options *options, struct row_queue *client,
                        struct error *err)
{
    struct query *query;
    int code;

    if (map_find(&rt->queries, plan->query_id)) {
        return error_set(err, ERR_NAME_TAKEN, NO_POSITION, "The query '%.*s' is running already",
                         BYTES_ARG(plan->query_id));
    }
    if (!rt->joined && plan->kind == QUERY_PERSISTENT) {
        TRY(join(rt, err));
    }
    TRY(query_create(rt, plan, options, client, &query, err));
    query_add(query);
    if (atomic_load(&query->state) == QUERY_ERROR) {
        return 0;
    }
    code = rt->has_stopped ? recover_query(rt, query, err) : recover_new_query(rt, query, err);
    if (code && options->ran_before) {
        query_set_error(query, err);
        return 0;
    }
    if (code) {
        undo_start(rt, query);
    }
    return code;
}

int runtime_start(struct runtime *rt, const struct physical_plan *plan,
                  const struct query_options *options, struct row_queue *client, struct error *err)
{
    int code;

    pthread_mutex_lock(&rt->mutex);
    code = start_locked(rt, plan, options, client, err);
    pthread_mutex_unlock(&rt->mutex);
    return code;
}

static int stop_locked(struct runtime *rt, struct bytes query_id, struct error *err)
{
    struct query *query = map_find(&rt->queries, query_id);
    const struct physical_plan *plan;
    int code;

    if (!query) {
        return error_set(err, ERR_UNKNOWN_QUERY, NO_POSITION, "There is no query '%.*s'",
                         BYTES_ARG(query_id));
    }
    rt->has_stopped = true;
    (void)recover_lost_workers(rt); /* so that they can forget it */
    code = drop_query(rt, query, err);
    query_delete_topics(query);
    plan = query->plan;
    query_remove(query);
    group_forget(rt, plan);
    return code;
}

int runtime_stop(struct runtime *rt, struct bytes query_id, struct error *err)
{
    int code;

    pthread_mutex_lock(&rt->mutex);
    code = stop_locked(rt, query_id, err);
    pthread_mutex_unlock(&rt->mutex);
    return code;
}

static int no_query(struct bytes query_id, struct error *err)
{
    return error_set(err, ERR_UNKNOWN_QUERY, NO_POSITION, "There is no query '%.*s'",
                     BYTES_ARG(query_id));
}

static int find_query(struct runtime *rt, struct bytes query_id, struct query **out,
                      struct error *err)
{
    *out = map_find(&rt->queries, query_id);
    return *out ? 0 : no_query(query_id, err);
}

/* Its tasks learn of it at once, and tell their readers. */
static void refresh_query(struct worker *worker, void *context)
{
    for (struct task *task = worker->tasks; task; task = task->next) {
        if (task->query == context) {
            task_refresh(task);
            worker_make_ready(task);
        }
    }
}

static int set_paused(struct runtime *rt, struct bytes query_id, bool paused, struct error *err)
{
    struct query *query;
    int code;

    pthread_mutex_lock(&rt->mutex);
    code = find_query(rt, query_id, &query, err);
    if (!code) {
        atomic_store(&query->paused, paused);
        for (uint32_t i = 0; i < rt->worker_count; i++) {
            worker_call(&rt->workers[i], refresh_query, query);
        }
    }
    pthread_mutex_unlock(&rt->mutex);
    return code;
}

int runtime_pause(struct runtime *rt, struct bytes query_id, struct error *err)
{
    return set_paused(rt, query_id, true, err);
}

int runtime_resume(struct runtime *rt, struct bytes query_id, struct error *err)
{
    return set_paused(rt, query_id, false, err);
}

/* What is shown: a query that failed while it was paused is paused first of all. */
static enum query_state state_of(const struct query *query)
{
    return atomic_load(&query->paused) ? QUERY_PAUSED
                                       : (enum query_state)atomic_load(&query->state);
}

int runtime_query_status(struct runtime *rt, struct bytes query_id, struct query_status *out,
                         struct error *err)
{
    struct query *query = query_hold(rt, query_id);

    if (!query) {
        return no_query(query_id, err);
    }
    *out = (struct query_status){ .state = state_of(query),
                                  .rows_in = atomic_load(&query->rows_in),
                                  .rows_skipped = atomic_load(&query->rows_skipped),
                                  .rows_out = atomic_load(&query->rows_out),
                                  .task_count = atomic_load(&query->live_tasks) };
    pthread_mutex_lock(&rt->leaf_mutex);
    out->error = query->error;
    out->error_ms = query->error_ms;
    pthread_mutex_unlock(&rt->leaf_mutex);
    query_release(query);
    return 0;
}

/* --- stepping and draining --- */

static bool step_once(struct runtime *rt)
{
    bool any = control_step(rt);

    any |= fetcher_step(rt->transient_fetcher, 0);
    any |= fetcher_step(rt->fetcher, 0);
    any |= lookout_step(rt->lookout);
    for (uint32_t i = 0; i < rt->worker_count; i++) {
        any |= worker_step(&rt->workers[i], 0);
    }
    return any;
}

bool runtime_step(struct runtime *rt)
{
    bool any;

    pthread_mutex_lock(&rt->mutex);
    any = step_once(rt);
    if (!any) {
        fetcher_look(rt->transient_fetcher);
        fetcher_look(rt->fetcher);
        any = step_once(rt);
    }
    pthread_mutex_unlock(&rt->mutex);
    return any;
}

static int check_lost(const struct runtime *rt, struct error *err)
{
    if (atomic_load(&rt->lost_workers) == 0) {
        return 0;
    }
    return error_set(err, ERR_LOG_UNAVAILABLE, NO_POSITION,
                     "The log does not answer; the queries go on when it does");
}

static int drain_stepped(struct runtime *rt, struct error *err)
{
    uint64_t activity = 0, before;

    do {
        before = activity;
        while (runtime_step(rt)) {
        }
        TRY(check_lost(rt, err));
        activity = 0;
        for (uint32_t i = 0; i < rt->worker_count; i++) {
            commit_now(&rt->workers[i]);
            activity += rt->workers[i].activity;
        }
    } while (activity != before);
    return 0;
}

struct probe {
    bool quiet;
    uint64_t activity;
};

static bool input_is_quiet(const struct task_input *input)
{
    struct log *log = input->plan->source ? input->task->query->rt->log : input->task->query->log;
    struct log_range range;

    if (!input->task->could_take) {
        return true; /* it is paused, or its client does not listen */
    }
    if (input->queue_count > 0) {
        return false;
    }
    return !input_can_take(input) ||
           log_topic_range(log, input->topic, input->task->partition, READ_COMMITTED, &range,
                           NULL) != 0 ||
           input->enqueued >= range.end;
}

static void probe_worker(struct worker *worker, void *context)
{
    struct probe *probe = context;

    commit_now(worker);
    probe->quiet &= worker->phase == WORKER_IDLE;
    probe->activity += worker->commit_number;
    for (const struct task *task = worker->tasks; task; task = task->next) {
        probe->quiet &= !task->dirty && (task->born || !task->query->durable);
        probe->activity += task->rows_in;
        for (uint32_t i = 0; i < task->sub->input_count; i++) {
            probe->quiet &= input_is_quiet(&task->inputs[i]);
        }
    }
}

/* Not in the midst of a recovery, when tasks are missing. */
static int probe_all(struct runtime *rt, struct probe *probe, struct error *err)
{
    int code;

    pthread_mutex_lock(&rt->mutex);
    for (uint32_t i = 0; i < rt->worker_count; i++) {
        worker_call(&rt->workers[i], probe_worker, probe);
    }
    code = check_lost(rt, err);
    pthread_mutex_unlock(&rt->mutex);
    if (!probe->quiet) {
        fetcher_look(rt->transient_fetcher);
        fetcher_look(rt->fetcher);
    }
    return code;
}

static int drain_threaded(struct runtime *rt, struct error *err)
{
    uint64_t last = UINT64_MAX;
    int quiet_rounds = 0;

    while (quiet_rounds < QUIET_ROUNDS) {
        struct probe probe = { .quiet = true };

        TRY(probe_all(rt, &probe, err));
        quiet_rounds = probe.quiet && probe.activity == last ? quiet_rounds + 1 : 0;
        last = probe.activity;
        if (quiet_rounds == 0) {
            (void)queue_take(&rt->drain_pause, 1); /* nothing ever comes: lets the workers run */
        }
    }
    return 0;
}

int runtime_drain(struct runtime *rt, struct error *err)
{
    return rt->config.mode == RUNTIME_THREADED ? drain_threaded(rt, err) : drain_stepped(rt, err);
}

/* --- the test driver's handles --- */

static void open_gate(struct task *task, const struct log_topic *topic, int64_t below)
{
    for (uint32_t i = 0; i < task->sub->input_count; i++) {
        struct task_input *input = &task->inputs[i];

        if (input->topic == topic && input->plan->source) {
            input->gate = below;
            reader_touch(input->reader);
            worker_make_ready(task);
        }
    }
}

int runtime_open_gate(struct runtime *rt, struct bytes query_id, const struct log_topic *topic,
                      uint32_t partition, int64_t below, struct error *err)
{
    struct query *query;

    TRY(find_query(rt, query_id, &query, err));
    for (uint32_t i = 0; i < rt->worker_count; i++) {
        for (struct task *task = rt->workers[i].tasks; task; task = task->next) {
            if (task->query == query && task->partition == partition) {
                open_gate(task, topic, below);
            }
        }
    }
    return 0;
}

int runtime_crash(struct runtime *rt, struct error *err)
{
    struct error why = { 0 };

    error_set(&why, ERR_LOG_UNAVAILABLE, NO_POSITION, "a crash was asked for");
    for (uint32_t i = 0; i < rt->worker_count; i++) {
        worker_lose(&rt->workers[i], &why);
        rt->workers[i].failures = 0;
        TRY(recover_worker(rt, &rt->workers[i], err));
    }
    return 0;
}
