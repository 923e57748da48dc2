/*
 * drop.c: tasks that leave: their slot was given up, their query was stopped or has failed.
 *
 * First everything is committed, on all workers, then the tasks go. What a task has done in
 * between may be in the open transaction, which then must not be committed: the worker is
 * lost, and its others recover. Only of a stopped query nothing can be missing, so
 * the transaction goes on, and the records that forget the query go into it.
 */
#include "engine/runtime/runtime_internal.h"

static void commit_all(struct worker *worker, void *context)
{
    (void)context; /* a call of worker_call */
    commit_now(worker);
}

void drop_commit(struct runtime *rt)
{
    for (uint32_t i = 0; i < rt->worker_count; i++) {
        worker_call(&rt->workers[i], commit_all, NULL);
    }
}

static bool drops(const struct drop *drop, const struct task *task)
{
    if (drop->query) {
        return task->query == drop->query;
    }
    for (uint32_t i = 0; task->query->durable && i < drop->slot_count; i++) {
        if (drop->slots[i] == task->slot) {
            return true;
        }
    }
    return false;
}

static void drop_from(struct worker *worker, void *context)
{
    struct task *next;

    for (struct task *task = worker->tasks; task; task = next) {
        next = task->next;
        if (!drops(context, task)) {
            continue;
        }
        if (task->query->durable && task->dirty && worker->in_transaction) {
            struct error why = { 0 };

            error_set(&why, ERR_FENCED, NO_POSITION, "a task left in the midst of a transaction");
            worker_lose(worker, &why);
            return;
        }
        worker->rt->slots[task->slot].cohort++; /* the others go on without it */
        worker_remove_task(worker, task);
    }
}

void drop_tasks(struct runtime *rt, const struct drop *drop)
{
    struct drop copy = *drop;

    for (uint32_t i = 0; i < rt->worker_count; i++) {
        worker_call(&rt->workers[i], drop_from, &copy);
    }
}

/* --- a stopped query --- */

static void forget(struct worker *worker, void *context)
{
    struct query *query = context;
    struct task *next;

    for (struct task *task = worker->tasks; task; task = next) {
        next = task->next;
        if (task->query == query) {
            save_forget_task(task);
            worker_remove_task(worker, task);
        }
    }
    if (query->durable && worker->phase == WORKER_IDLE) {
        worker->forgotten = query;
        commit_start(worker);
        worker->forgotten = NULL;
    }
}

/* Comes when the commit is over: nobody knows the query any more. */
static void see_if_lost(struct worker *worker, void *context)
{
    bool *lost = context;

    *lost |= worker->phase == WORKER_LOST;
}

int drop_query(struct runtime *rt, struct query *query, struct error *err)
{
    bool lost = false;

    drop_commit(rt);
    for (uint32_t i = 0; i < rt->worker_count; i++) {
        worker_call(&rt->workers[i], forget, query);
    }
    for (uint32_t i = 0; i < rt->worker_count; i++) {
        worker_call(&rt->workers[i], see_if_lost, &lost);
    }
    if (!lost || !query->durable) {
        return 0;
    }
    return error_set(err, ERR_LOG_UNAVAILABLE, NO_POSITION,
                     "The query '%.*s' was stopped, but the log did not take that down",
                     BYTES_ARG(query->plan->query_id));
}
