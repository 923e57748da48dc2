/*
 * worker.c: owns tasks, their operators and stores, and the readers that feed them.
 *
 * One step: handle the mailbox, decode a batch per reader, let tasks run, commit
 * when it is time. It never waits but for its mailbox. While a commit is under way
 * (on the commit thread) it goes on handling messages and decoding, but runs no
 * task: the transaction is exactly what was done before.
 *
 *   IDLE --commit_start--> COMMITTING --commit_finish--> IDLE
 *     any failure of the log or of a query --> LOST --recover_worker--> IDLE
 *
 * A lost worker has dropped every durable task and gets no new ones: there is one way
 * back, from what the log has committed. It is never lost while a commit is under
 * way, for the commit has its writer; what fails then is told afterwards.
 *
 * A step costs what there is to do, not what there is: tasks with rows and readers with
 * blocks stand in lists of their own, and dirty tasks are counted.
 */
#include <assert.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/trace.h"
#include "engine/runtime/runtime_internal.h"

enum { WORKER_WAIT_MS = 20 };

int worker_init(struct worker *worker, struct runtime *rt, uint32_t index)
{
    *worker = (struct worker){ .rt = rt, .index = index };
    worker->transactional_id = arena_printf(&rt->arena, "%.*s/%.*s/%u", BYTES_ARG(rt->service_id),
                                            BYTES_ARG(rt->node_id), index);
    mailbox_init(&worker->mailbox);
    arena_init(&worker->run_arena, 0);
    pthread_mutex_init(&worker->commit_mutex, NULL);
    pthread_cond_init(&worker->commit_wanted, NULL);
    return 0;
}

static void writer_refused(void *context, void *owner, const struct error *why)
{
    struct worker *worker = context;
    struct query *query = owner;

    for (uint32_t i = 0; i < worker->refusal_count; i++) {
        if (worker->refusals[i].query == query) {
            return;
        }
    }
    if (!query) {
        return;
    }
    if (worker->refusal_count == worker->refusal_capacity) {
        worker->refusal_capacity = worker->refusal_capacity * 2 + 1;
        worker->refusals =
            memory_resize(worker->refusals, worker->refusal_capacity, sizeof *worker->refusals);
    }
    worker->refusals[worker->refusal_count++] = (struct refusal){ query, *why };
}

static void transient_refused(void *context, void *owner, const struct error *why)
{
    struct worker *worker = context;

    (void)owner; /* whoever is appending: this writer tells at once */
    worker->transient_refusal = *why;
}

bool worker_is_exactly_once(const struct worker *worker)
{
    return worker->rt->config.guarantee == EXACTLY_ONCE;
}

int worker_open_writer(struct worker *worker, struct error *err)
{
    struct runtime *rt = worker->rt;
    struct writer_spec spec = { .client_id = rt->client_id,
                                .transaction_timeout_ms = TRANSACTION_TIMEOUT_MS,
                                .refused = writer_refused,
                                .context = worker };

    if (worker_is_exactly_once(worker)) {
        spec.transactional_id = worker->transactional_id;
    }
    return worker->writer ? 0 : log_writer_open(rt->log, &spec, &worker->writer, err);
}

int worker_open_transient_writer(struct worker *worker, struct error *err)
{
    struct writer_spec spec = { .client_id = worker->rt->client_id,
                                .refused = transient_refused,
                                .context = worker };

    return worker->transient_writer
               ? 0
               : log_writer_open(worker->rt->transient_log, &spec, &worker->transient_writer, err);
}

static void handle_list(struct worker *worker, struct message *list)
{
    while (list) {
        struct message *message = list;

        list = list->next;
        if (message->exclusive && worker->phase == WORKER_COMMITTING) {
            message->next = NULL;
            if (worker->deferred_last) {
                worker->deferred_last->next = message;
            } else {
                worker->deferred = message;
            }
            worker->deferred_last = message;
        } else {
            message->handle(worker, message);
        }
    }
}

static bool handle_deferred(struct worker *worker)
{
    struct message *list = worker->deferred;

    if (!list || worker->phase == WORKER_COMMITTING) {
        return false;
    }
    worker->deferred = NULL;
    worker->deferred_last = NULL;
    handle_list(worker, list);
    return true;
}

/* What was deferred comes as soon as the commit is over, before another one may begin. */
static bool handle_messages(struct worker *worker, int64_t wait_ms)
{
    bool any = handle_deferred(worker);
    struct message *list = mailbox_take(&worker->mailbox, any ? 0 : wait_ms);

    handle_list(worker, list);
    return handle_deferred(worker) || any || list;
}

void worker_fini(struct worker *worker)
{
    worker->phase = WORKER_IDLE;
    while (worker->tasks) {
        worker_remove_task(worker, worker->tasks);
    }
    while (handle_messages(worker, 0)) {
    }
    (void)readers_step(worker); /* frees them: all are dead and without messages */
    log_writer_close(worker->writer);
    log_writer_close(worker->transient_writer);
    free(worker->purges);
    free(worker->refusals);
    for (uint32_t i = 0; i < worker->held_capacity; i++) {
        log_builder_fini(&worker->held[i].records);
    }
    free(worker->held);
    buffer_fini(&worker->litter);
    log_builder_fini(&worker->scratch);
    arena_fini(&worker->run_arena);
    mailbox_fini(&worker->mailbox);
    pthread_mutex_destroy(&worker->commit_mutex);
    pthread_cond_destroy(&worker->commit_wanted);
}

/* --- tasks --- */

int worker_add_task(struct worker *worker, struct task *task, struct error *err)
{
    task->worker = worker;
    task->next = worker->tasks;
    worker->tasks = task;
    worker->dirty_tasks += task->dirty;
    worker->transient_tasks += !task->query->durable;
    worker->activity++;
    for (uint32_t i = 0; i < task->sub->input_count; i++) {
        TRY(reader_attach(worker, &task->inputs[i], err));
    }
    if (task->query->client) {
        worker_make_ready(task);
    }
    return 0;
}

void worker_make_ready(struct task *task)
{
    if (!task->ready) {
        task->ready = true;
        task->next_ready = task->worker->ready;
        task->worker->ready = task;
    }
}

static void unlink_ready(struct worker *worker, struct task *task)
{
    struct task **at = &worker->ready;

    while (*at != task) {
        at = &(*at)->next_ready;
    }
    *at = task->next_ready;
}

void worker_remove_task(struct worker *worker, struct task *task)
{
    struct task **at = &worker->tasks;

    while (*at != task) {
        at = &(*at)->next;
    }
    *at = task->next;
    if (task->ready) {
        unlink_ready(worker, task);
    }
    worker->dirty_tasks -= task->dirty;
    worker->transient_tasks -= !task->query->durable;
    worker->activity++;
    worker->removals++;
    task_destroy(task);
    if (worker->transient_tasks == 0) {
        log_writer_close(worker->transient_writer); /* it keeps something per partition */
        worker->transient_writer = NULL;
    }
}

static void drop_durable_tasks(struct worker *worker)
{
    struct task *next;

    for (struct task *task = worker->tasks; task; task = next) {
        next = task->next;
        if (task->query->durable) {
            worker_remove_task(worker, task);
        }
    }
}

void worker_lose(struct worker *worker, const struct error *why)
{
    assert(worker->phase != WORKER_COMMITTING);
    TRACE(TRACE_INFO, "worker", "%u: recovering: %s", worker->index, why->message);
    worker->in_transaction = false;
    worker->failures++;
    worker->activity++;
    log_writer_close(worker->writer); /* aborts */
    worker->writer = NULL;
    worker->refusal_count = 0;
    worker->purge_count = 0;
    worker->litter.len = 0;
    worker->held_count = 0;
    drop_durable_tasks(worker);
    worker->recover_at_ms = clock_elapsed_ms(worker->rt->clock);
    if (worker->failures > 1) {
        uint32_t doublings = worker->failures < 8 ? worker->failures : 8;

        worker->recover_at_ms += INT64_C(50) << doublings;
    }
    if (worker->phase != WORKER_LOST) {
        worker->phase = WORKER_LOST;
        atomic_store(&worker->lost, true);
        atomic_fetch_add(&worker->rt->lost_workers, 1);
    }
}

static void drop_query_tasks(struct worker *worker, struct query *query)
{
    struct task *next;

    for (struct task *task = worker->tasks; task; task = next) {
        next = task->next;
        if (task->query == query) {
            worker->rt->slots[task->slot].cohort +=
                query->durable; /* the others go on without it */
            worker_remove_task(worker, task);
        }
    }
}

void worker_fail_query(struct worker *worker, struct query *query, const struct error *why)
{
    query_set_error(query, why);
    if (query->durable && worker_is_exactly_once(worker)) {
        worker_lose(worker, why);
        worker->failures = 0; /* the log is well */
        return;
    }
    drop_query_tasks(worker, query);
}

/* All of the transaction is refused; where there is none, only what they wrote themselves. */
static void fail_refused(struct worker *worker)
{
    struct error first = worker->refusals[0].why;

    for (uint32_t i = 0; i < worker->refusal_count; i++) {
        const struct refusal *refusal = &worker->refusals[i];

        query_set_error(refusal->query, &refusal->why);
        if (!worker_is_exactly_once(worker)) {
            drop_query_tasks(worker, refusal->query);
        }
    }
    worker->refusal_count = 0;
    if (worker_is_exactly_once(worker)) {
        worker_lose(worker, &first);
        worker->failures = 0; /* the log is well */
    }
}

void worker_fail(struct worker *worker, struct query *query, const struct error *why)
{
    if (why->code == ERR_RECORD_REFUSED && (!query || query->durable) &&
        worker->refusal_count > 0) {
        fail_refused(worker); /* whoever met it */
        return;
    }
    if (!query || (query->durable && (why->code == ERR_RECORD_REFUSED ||
                                      error_class_of(why->code) == ERROR_TRANSIENT))) {
        worker_lose(worker, why);
    } else {
        worker_fail_query(worker, query, why);
    }
}

/* --- one step --- */

static bool run_task(struct worker *worker, struct task *task)
{
    struct error err = { 0 };
    struct query *query = task->query;
    bool ran = true, any = false;

    task_refresh(task);
    while (ran) {
        int code = task_run(task, &ran, &err);

        if (code) {
            worker_fail(worker, query, &err);
            return true;
        }
        any |= ran;
    }
    task_refresh(task);
    return any;
}

static bool run_all(struct worker *worker)
{
    struct task **at = &worker->ready;
    uint64_t removals = worker->removals;
    bool any = false;

    while (*at) {
        struct task *task = *at;

        any |= run_task(worker, task);
        if (worker->removals != removals) {
            return true; /* a failure dropped tasks, perhaps this one */
        }
        if (task->query->client || (task->could_take && task_has_rows(task))) {
            at = &task->next_ready;
        } else {
            *at = task->next_ready;
            task->ready = false;
        }
    }
    return any;
}

static bool has_output(const struct task *task)
{
    bool any = false;

    for (uint32_t i = 0; i < task->query->plan->output_count; i++) {
        const struct op_output *output = &task->env.outputs[i];

        for (uint32_t word = 0; word * 64 < output->partition_count; word++) {
            any |= output->touched[word] != 0;
        }
    }
    return any;
}

static bool tick_all(struct worker *worker)
{
    int64_t now_ms = clock_elapsed_ms(worker->rt->clock);
    struct error err = { 0 };

    if (now_ms == worker->last_tick_ms) {
        return false;
    }
    worker->last_tick_ms = now_ms;
    for (struct task *task = worker->tasks; task; task = task->next) {
        if (!task->ticks) {
            continue;
        }
        if (op_chain_tick(&task->chain, now_ms, &err)) {
            worker_fail(worker, task->query, &err);
            return true;
        }
        if (has_output(task)) {
            task_touch(task);
        }
    }
    return false;
}

bool worker_step(struct worker *worker, int64_t wait_ms)
{
    bool any = handle_messages(worker, 0);
    bool decoded, ran = false;

    worker->step++;
    decoded = readers_step(worker);
    if (worker->phase == WORKER_IDLE) {
        ran = run_all(worker);
        worker->settling = false;
        any |= tick_all(worker);
    }
    any |= decoded || ran;
    if (worker->phase == WORKER_IDLE && commit_is_due(worker, !decoded && !ran)) {
        commit_start(worker);
        any = true;
    }
    if (worker->phase == WORKER_IDLE && !any && worker->unsaved) {
        any = save_start(worker);
    }
    if (any) {
        worker->activity++;
    } else if (wait_ms > 0) {
        handle_messages(worker, commit_pause_ms(worker, wait_ms));
    }
    return any;
}

/* --- calls from other threads --- */

struct call_message {
    struct message message;
    void (*f)(struct worker *worker, void *context);
    void *context;
    pthread_mutex_t mutex; /* done */
    pthread_cond_t finished;
    bool done;
};

static void handle_call(struct worker *worker, struct message *message)
{
    struct call_message *call = (struct call_message *)(void *)message;

    call->f(worker, call->context);
    pthread_mutex_lock(&call->mutex);
    call->done = true;
    pthread_cond_signal(&call->finished);
    pthread_mutex_unlock(&call->mutex);
}

static void send_call(struct worker *worker, struct call_message *call)
{
    call->message.handle = handle_call;
    if (!worker->has_threads) {
        call->f(worker, call->context);
        return;
    }
    pthread_mutex_init(&call->mutex, NULL);
    pthread_cond_init(&call->finished, NULL);
    mailbox_post(&worker->mailbox, &call->message);
    pthread_mutex_lock(&call->mutex);
    while (!call->done) {
        pthread_cond_wait(&call->finished, &call->mutex);
    }
    pthread_mutex_unlock(&call->mutex);
    pthread_mutex_destroy(&call->mutex);
    pthread_cond_destroy(&call->finished);
}

void worker_call(struct worker *worker, void (*f)(struct worker *worker, void *context),
                 void *context)
{
    struct call_message call = { .message.exclusive = true, .f = f, .context = context };

    send_call(worker, &call);
}

void worker_ask(struct worker *worker, void (*f)(struct worker *worker, void *context),
                void *context)
{
    struct call_message call = { .f = f, .context = context };

    send_call(worker, &call);
}

/* --- threads --- */

struct commit_result {
    struct message message;
    int code;
    struct error error;
};

static void handle_commit_result(struct worker *worker, struct message *message)
{
    struct commit_result *result = (struct commit_result *)(void *)message;

    commit_finish(worker, result->code, &result->error);
    free(result);
}

static void *commit_main(void *argument)
{
    struct worker *worker = argument;

    pthread_mutex_lock(&worker->commit_mutex);
    for (;;) {
        struct commit_result *result;

        while (!worker->commit_requested && !worker->commit_stop) {
            pthread_cond_wait(&worker->commit_wanted, &worker->commit_mutex);
        }
        if (!worker->commit_requested) {
            break;
        }
        worker->commit_requested = false;
        pthread_mutex_unlock(&worker->commit_mutex);
        result = memory_zalloc(1, sizeof *result);
        result->message.handle = handle_commit_result;
        result->code = commit_execute(worker, &result->error);
        mailbox_post(&worker->mailbox, &result->message);
        pthread_mutex_lock(&worker->commit_mutex);
    }
    pthread_mutex_unlock(&worker->commit_mutex);
    return NULL;
}

static void *worker_main(void *argument)
{
    struct worker *worker = argument;

    while (!atomic_load(&worker->stop) || worker->phase == WORKER_COMMITTING) {
        worker_step(worker, WORKER_WAIT_MS);
    }
    return NULL;
}

int worker_start_threads(struct worker *worker)
{
    worker->has_threads = true;
    if (pthread_create(&worker->commit_thread, NULL, commit_main, worker)) {
        worker->has_threads = false;
        return ERR_QUERY_FAILED;
    }
    if (pthread_create(&worker->thread, NULL, worker_main, worker)) {
        pthread_mutex_lock(&worker->commit_mutex);
        worker->commit_stop = true;
        pthread_cond_signal(&worker->commit_wanted);
        pthread_mutex_unlock(&worker->commit_mutex);
        pthread_join(worker->commit_thread, NULL);
        worker->has_threads = false;
        return ERR_QUERY_FAILED;
    }
    return 0;
}

void worker_stop_threads(struct worker *worker)
{
    if (!worker->has_threads) {
        return;
    }
    atomic_store(&worker->stop, true);
    mailbox_wake(&worker->mailbox);
    pthread_join(worker->thread, NULL);
    pthread_mutex_lock(&worker->commit_mutex);
    worker->commit_stop = true;
    pthread_cond_signal(&worker->commit_wanted);
    pthread_mutex_unlock(&worker->commit_mutex);
    pthread_join(worker->commit_thread, NULL);
    worker->has_threads = false;
}
