/*
 * mailbox.c: messages to a worker, in order of posting.
 *
 * An intrusive list rather than a ring: what bounds it are the budgets of those
 * who post (blocks in flight per reader), so posting never waits and a worker
 * can never block another thread.
 */
#include "engine/runtime/runtime_internal.h"

void mailbox_init(struct mailbox *box)
{
    *box = (struct mailbox){ 0 };
    pthread_mutex_init(&box->mutex, NULL);
    clock_cond_init(&box->arrived);
}

void mailbox_fini(struct mailbox *box)
{
    pthread_mutex_destroy(&box->mutex);
    pthread_cond_destroy(&box->arrived);
}

void mailbox_post(struct mailbox *box, struct message *message)
{
    message->next = NULL;
    pthread_mutex_lock(&box->mutex);
    if (box->last) {
        box->last->next = message;
    } else {
        box->first = message;
    }
    box->last = message;
    pthread_cond_signal(&box->arrived);
    pthread_mutex_unlock(&box->mutex);
}

struct message *mailbox_take(struct mailbox *box, int64_t wait_ms)
{
    struct message *all;

    pthread_mutex_lock(&box->mutex);
    if (!box->first && !box->woken && wait_ms > 0) {
        struct timespec deadline = clock_deadline(wait_ms);

        pthread_cond_timedwait(&box->arrived, &box->mutex, &deadline);
    }
    all = box->first;
    box->first = NULL;
    box->last = NULL;
    box->woken = false;
    pthread_mutex_unlock(&box->mutex);
    return all;
}

void mailbox_wake(struct mailbox *box)
{
    pthread_mutex_lock(&box->mutex);
    box->woken = true;
    pthread_cond_signal(&box->arrived);
    pthread_mutex_unlock(&box->mutex);
}
