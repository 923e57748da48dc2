/*
 * membership.c: which slots are ours.
 *
 * The group shares out the partitions of the service's empty slots topic. A slot
 * that comes is recovered before its tasks run; a slot that goes is committed
 * and dropped inside the revoke callback, so its new owner finds all of it;
 * a slot that is lost is dropped as it is: the fence refuses what was pending.
 *
 * Workers never touch the member: the fence they send is a copy, renewed here.
 *
 * A slot's partition of the slots topic is its seat. Members are given seats in rows, and the
 * partitions of a topic are slots in a row: were these the same, a topic of 8 would be one node's
 * work. So seats of neighbours lie a golden section of all apart: however few the members,
 * rows of slots are shared by all of them, and stay spread over the workers of each.
 */
#include "base/trace.h"
#include "engine/runtime/runtime_internal.h"

enum { POLL_TIMEOUT_MS = 300000 }; /* a slot comes back between two polls */

static bool are_coprime(uint32_t a, uint32_t b)
{
    while (a != 0) {
        uint32_t rest = b % a;

        b = a;
        a = rest;
    }
    return b == 1;
}

void membership_seat(struct runtime *rt)
{
    uint32_t count = rt->slot_count;
    uint32_t step = (uint32_t)((uint64_t)count * 618 / 1000);

    while (!are_coprime(step, count)) {
        step++;
    }
    rt->seats = arena_array(&rt->arena, uint32_t, count);
    rt->seat_slots = arena_array(&rt->arena, uint32_t, count);
    for (uint32_t slot = 0; slot < count; slot++) {
        rt->seats[slot] = slot * step % count;
        rt->seat_slots[rt->seats[slot]] = slot;
    }
}

static void renew_fence(struct runtime *rt)
{
    struct group_membership now = log_member_current(rt->member);
    struct fence *fence = &rt->fence;
    bool is_new;

    pthread_mutex_lock(&rt->leaf_mutex);
    is_new = fence->generation != now.generation;
    fence->generation = now.generation;
    fence->member_id.len = 0;
    buffer_append_bytes(&fence->member_id, now.member_id);
    fence->instance_id.len = 0;
    fence->has_instance = now.instance_id.data != NULL;
    buffer_append_bytes(&fence->instance_id, now.instance_id);
    pthread_mutex_unlock(&rt->leaf_mutex);
    for (uint32_t i = 0; is_new && i < rt->worker_count; i++) {
        atomic_store(&rt->workers[i].recover_at_ms, 0); /* what was refused may pass now */
    }
}

static void set_owned(struct runtime *rt, uint32_t slot, bool owned)
{
    pthread_mutex_lock(&rt->leaf_mutex);
    rt->slots[slot].owned = owned;
    rt->slots[slot].fenced = false;
    rt->slots[slot].claimed = false;
    rt->slots[slot].worker = slot % rt->worker_count;
    pthread_mutex_unlock(&rt->leaf_mutex);
    rt->slots[slot].pending = owned;
    rt->slots[slot].has_read = false;
    if (!owned) {
        progress_free(rt->slots[slot].progress);
        rt->slots[slot].progress = NULL;
    }
}

/* Recovered when the poll is over: while one takes its time, the group waits for its members. */
static void assigned(void *context, const uint32_t *partitions, uint32_t count)
{
    struct runtime *rt = context;

    renew_fence(rt);
    for (uint32_t i = 0; i < count; i++) {
        set_owned(rt, rt->seat_slots[partitions[i]], true);
    }
    TRACE(TRACE_INFO, "membership", "%u slots have come to this node", count);
}

/* If the former owners cannot be waited for, the workers try again as if they were lost. */
static void fence_pending(struct runtime *rt)
{
    uint32_t slots[SLOT_COUNT_MAX], count = 0;
    struct error err = { 0 };

    for (uint32_t i = 0; i < rt->slot_count; i++) {
        if (rt->slots[i].pending && !rt->slots[i].fenced) {
            slots[count++] = i;
        }
    }
    if (count == 0) {
        return;
    }
    if (!recover_fence(rt, slots, count, &err)) {
        recover_read_ahead(rt, slots, count);
    } else {
        for (uint32_t i = 0; i < count; i++) {
            rt->slots[slots[i]].pending = false;
            recover_later(rt, slots[i], &err);
        }
    }
}

/* False: none is left. */
static bool recover_pending(struct runtime *rt)
{
    struct error err = { 0 };
    uint32_t slot = 0;

    fence_pending(rt);
    while (slot < rt->slot_count && !rt->slots[slot].pending) {
        slot++;
    }
    if (slot == rt->slot_count) {
        return false;
    }
    rt->slots[slot].pending = false;
    if (recover_slot(rt, slot, &err)) {
        TRACE(TRACE_WARN, "membership", "slot %u: %s", slot, err.message);
    }
    return true;
}

static void give_up(struct runtime *rt, const uint32_t *partitions, uint32_t count)
{
    uint32_t slots[SLOT_COUNT_MAX];
    struct drop drop = { .slots = slots, .slot_count = count };

    for (uint32_t i = 0; i < count; i++) {
        slots[i] = rt->seat_slots[partitions[i]];
    }
    drop_tasks(rt, &drop);
    for (uint32_t i = 0; i < count; i++) {
        set_owned(rt, slots[i], false);
        save_forget_slot(rt, slots[i]);
    }
}

static void revoked(void *context, const uint32_t *partitions, uint32_t count)
{
    renew_fence(context); /* the last commit goes under the generation that revokes */
    drop_commit(context);
    give_up(context, partitions, count);
}

static void lost(void *context, const uint32_t *partitions, uint32_t count)
{
    give_up(context, partitions, count);
}

static int open_topic(struct runtime *rt, const char *what, const struct log_topic **out,
                      struct error *err)
{
    static const struct topic_config compacted[] = { { BYTES("cleanup.policy"),
                                                       BYTES("compact") } };
    struct topic_spec spec = { .name = arena_printf(&rt->arena, "_sluice-%.*s-%s",
                                                    BYTES_ARG(rt->service_id), what),
                               .partition_count = rt->slot_count,
                               .configs = compacted,
                               .config_count = 1 };
    int code = log_open_topic(rt->log, spec.name, out, err);

    if (code != ERR_UNKNOWN_TOPIC) {
        return code;
    }
    error_clear(err);
    code = log_create_topic(rt->log, &spec, err);
    return code && code != ERR_TOPIC_EXISTS ? code : log_open_topic(rt->log, spec.name, out, err);
}

static int join(struct runtime *rt, struct error *err)
{
    struct member_spec spec = { .topic = rt->slots_topic->name,
                                .group = rt->group,
                                .client_id = rt->client_id,
                                .instance_id = rt->instance_id,
                                .session_timeout_ms = rt->config.session_timeout_ms,
                                .poll_timeout_ms = POLL_TIMEOUT_MS,
                                .assigned = assigned,
                                .revoked = revoked,
                                .lost = lost,
                                .context = rt };

    return log_member_join(rt->log, &spec, &rt->member, err);
}

int membership_join(struct runtime *rt, struct error *err)
{
    TRY(open_topic(rt, "slots", &rt->slots_topic, err));
    TRY(open_topic(rt, "progress", &rt->progress_topic, err));
    if (rt->slots_topic->partition_count != rt->slot_count ||
        rt->progress_topic->partition_count != rt->slot_count) {
        return error_set(err, ERR_TOPIC_MISMATCH, NO_POSITION,
                         "The service '%.*s' was created with %u slots, not %u: the number is "
                         "fixed for its life",
                         BYTES_ARG(rt->service_id), rt->slots_topic->partition_count,
                         rt->slot_count);
    }
    TRY(join(rt, err));
    rt->joined = true;
    return 0;
}

void membership_leave(struct runtime *rt)
{
    if (rt->member) {
        log_member_leave(rt->member);
        rt->member = NULL;
    }
    rt->joined = false;
}

/* Whether somebody who has slots goes by the id of this node. */
static bool id_is_taken(struct runtime *rt)
{
    struct group_owner *owners = NULL;
    struct arena arena;
    uint32_t count = 0;
    bool taken;

    arena_init(&arena, 0);
    taken = log_group_owners(rt->log, rt->group, &arena, &owners, &count, NULL) != 0;
    for (uint32_t i = 0; i < count && !taken; i++) {
        taken = bytes_equal(owners[i].instance_id, rt->instance_id);
    }
    arena_fini(&arena);
    return taken;
}

/*
 * Put out for good by another member of the same id. That is another process, or this one itself,
 * when a broker dies before its answer to a new join has come. The latter is not heard of
 * any more: once a session is over and nobody of that id has slots, this one joins anew.
 */
static void await_id(struct runtime *rt, const struct error *why)
{
    int64_t now_ms = clock_elapsed_ms(rt->clock);
    struct error err = { 0 };

    if (rt->join_again_ms == 0) {
        TRACE(TRACE_WARN, "membership",
              "another process has the node id %.*s (a copied data directory?): this one runs no "
              "queries as long as it does; %s",
              BYTES_ARG(rt->node_id), why->message);
    } else if (now_ms < rt->join_again_ms) {
        return;
    } else if (!id_is_taken(rt)) {
        log_member_leave(rt->member);
        rt->member = NULL;
        rt->join_again_ms = 0;
        if (join(rt, &err)) {
            TRACE(TRACE_WARN, "membership", "%s", err.message);
        }
        return;
    }
    rt->join_again_ms = now_ms + rt->config.session_timeout_ms;
}

static void poll_member(struct runtime *rt)
{
    struct error err = { 0 };

    if (!rt->member && join(rt, &err)) {
        return; /* it was told why */
    }
    if (log_member_poll(rt->member, 0, &err) == ERR_FENCED && rt->instance_id.data) {
        await_id(rt, &err);
    } else if (err.code) {
        TRACE(TRACE_WARN, "membership", "%s", err.message);
    }
    if (rt->member) {
        renew_fence(rt);
    }
}

void membership_poll(struct runtime *rt)
{
    if (!rt->joined) {
        return;
    }
    do {
        poll_member(rt);
    } while (recover_pending(rt) && !atomic_load(&rt->stop));
}

enum placement runtime_place(struct runtime *rt, struct bytes name, uint32_t number)
{
    uint32_t slot = slot_of(rt, name, number);
    enum placement placement = PLACED_NOWHERE;

    pthread_mutex_lock(&rt->leaf_mutex);
    for (uint32_t i = 0; i < rt->slot_count && placement == PLACED_NOWHERE; i++) {
        placement = rt->slots[i].owned ? PLACED_ELSEWHERE : PLACED_NOWHERE;
    }
    if (rt->slots[slot].owned) {
        placement = PLACED_HERE;
    }
    pthread_mutex_unlock(&rt->leaf_mutex);
    return placement;
}

bool membership_owns_all(struct runtime *rt)
{
    bool all = true;

    pthread_mutex_lock(&rt->leaf_mutex);
    for (uint32_t i = 0; i < rt->slot_count; i++) {
        all &= rt->slots[i].owned;
    }
    pthread_mutex_unlock(&rt->leaf_mutex);
    return all;
}
