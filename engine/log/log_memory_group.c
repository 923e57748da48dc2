/*
 * log_memory_group.c: groups: the positions committed for them.
 *
 * Nobody waits for a transaction that holds positions: if its sender is no longer a
 * member in the group's generation, whoever reads those positions may be their new
 * owner, and the transaction is refused its commit. While the sender is one, the
 * reader cannot be a new owner, and reads what was committed before.
 */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "engine/log/log_memory_internal.h"

/* --- sets of positions --- */

/* Where the position is, or would be inserted. */
static uint32_t locate(const struct position_set *set, uint64_t incarnation, uint32_t partition)
{
    uint32_t low = 0;
    uint32_t high = set->count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const struct stored_position *at = &set->items[middle];

        if (at->topic->pub.incarnation < incarnation ||
            (at->topic->pub.incarnation == incarnation && at->partition < partition)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static struct stored_position *find(const struct position_set *set, const struct log_topic *topic,
                                    uint32_t partition)
{
    uint32_t at = locate(set, topic->incarnation, partition);

    if (at < set->count && set->items[at].topic == memory_topic_of(topic) &&
        set->items[at].partition == partition) {
        return &set->items[at];
    }
    return NULL;
}

static struct stored_position *insert(struct position_set *set, uint32_t at)
{
    if (set->count == set->capacity) {
        set->capacity = set->capacity ? set->capacity * 2 : 4;
        set->items = memory_resize(set->items, set->capacity, sizeof *set->items);
    }
    memmove(set->items + at + 1, set->items + at, (set->count - at) * sizeof *set->items);
    set->count++;
    set->items[at] = (struct stored_position){ 0 };
    return &set->items[at];
}

void position_set_put(struct position_set *set, const struct group_position *position)
{
    struct stored_position *stored = find(set, position->topic, position->partition);
    struct bytes metadata = memory_copy(position->metadata);

    if (!stored) {
        stored = insert(set, locate(set, position->topic->incarnation, position->partition));
    }
    memory_free(stored->metadata);
    stored->topic = memory_topic_of(position->topic);
    stored->partition = position->partition;
    stored->offset = position->offset;
    stored->metadata = metadata;
}

void position_set_fini(struct position_set *set)
{
    for (uint32_t i = 0; i < set->count; i++) {
        memory_free(set->items[i].metadata);
    }
    free(set->items);
    *set = (struct position_set){ 0 };
}

/* --- groups --- */

struct memory_group *memory_group_find_locked(struct memory_log *log, struct bytes name)
{
    return map_find(&log->groups, name);
}

struct memory_group *memory_group_get_locked(struct memory_log *log, struct bytes name)
{
    struct memory_group *group = memory_group_find_locked(log, name);

    if (!group) {
        group = memory_zalloc(1, sizeof *group);
        group->name = memory_copy(name);
        clock_cond_init(&group->changed);
        map_put(&log->groups, group->name, group);
    }
    return group;
}

void memory_group_destroy(struct memory_group *group)
{
    memory_group_free_members(group);
    position_set_fini(&group->positions);
    pthread_cond_destroy(&group->changed);
    memory_free(group->name);
    free(group);
}

/* --- the calls --- */

static bool touches(const struct pending_positions *pending, const struct group_position *positions,
                    uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (find(&pending->positions, positions[i].topic, positions[i].partition)) {
            return true;
        }
    }
    return false;
}

/* What is being committed cannot be fenced any more: it is waited for. */
static void fence_pending(struct memory_log *log, struct memory_group *group,
                          const struct group_position *positions, uint32_t count)
{
    struct pending_positions *p = group->pending;

    while (p) {
        struct pending_positions *next = p->group_next;

        if (!memory_group_has_locked(group, p->member_id, p->generation) &&
            touches(p, positions, count)) {
            if (p->committing) {
                pthread_cond_wait(&log->settled, &log->mutex);
                next = group->pending;
            } else {
                p->fenced = true;
            }
        }
        p = next;
    }
}

int memory_group_positions(struct log *base, struct bytes name, struct group_position *positions,
                           uint32_t count, struct arena *arena, struct error *err)
{
    struct memory_log *log = memory_log_of(base);
    struct memory_group *group;

    pthread_mutex_lock(&log->mutex);
    group = memory_group_find_locked(log, name);
    if (group) {
        memory_group_expire_locked(log, group);
        fence_pending(log, group, positions, count);
    }
    for (uint32_t i = 0; i < count; i++) {
        const struct stored_position *stored =
            group ? find(&group->positions, positions[i].topic, positions[i].partition) : NULL;
        bool known = stored && !stored->topic->gone;

        positions[i].offset = known ? stored->offset : -1;
        positions[i].metadata = known ? arena_copy(arena, stored->metadata) : (struct bytes){ 0 };
    }
    pthread_mutex_unlock(&log->mutex);
    return 0;
}

/* Positions of a group with members are its members' business. */
static int check_empty_locked(struct memory_log *log, struct memory_group *group, struct error *err)
{
    memory_group_expire_locked(log, group);
    if (!group->participant_count) {
        return 0;
    }
    return error_set(err, ERR_FENCED, NO_POSITION, "group '%.*s' has members",
                     BYTES_ARG(group->name));
}

/* As a transaction of nothing else, in its turn among the others. */
static int put_positions_locked(struct memory_log *log, struct memory_group *group,
                                const struct group_position *positions, uint32_t count,
                                struct error *err)
{
    struct pending_positions pending = { .group = group, .committing = true };
    struct memory_transaction transaction = { .pending = &pending, .is_commit = true };
    int code = 0;

    for (uint32_t i = 0; i < count; i++) {
        position_set_put(&pending.positions, &positions[i]);
    }
    if (log->storage) {
        code = log->storage->commit_locked(log, &transaction, err);
    } else {
        memory_apply_locked(log, &transaction);
    }
    position_set_fini(&pending.positions);
    return code;
}

int memory_group_alter(struct log *base, struct bytes name, const struct group_position *positions,
                       uint32_t count, struct error *err)
{
    struct memory_log *log = memory_log_of(base);
    struct memory_group *group;
    int code;

    pthread_mutex_lock(&log->mutex);
    group = memory_group_get_locked(log, name);
    code = check_empty_locked(log, group, err);
    if (!code) {
        code = put_positions_locked(log, group, positions, count, err);
    }
    pthread_mutex_unlock(&log->mutex);
    return code;
}

/* The group stays as a name: open transactions may point to it. */
int memory_group_delete(struct log *base, struct bytes name, struct error *err)
{
    struct memory_log *log = memory_log_of(base);
    struct memory_group *group;
    int code = 0;

    pthread_mutex_lock(&log->changes);
    pthread_mutex_lock(&log->mutex);
    group = memory_group_find_locked(log, name);
    if (group) {
        code = check_empty_locked(log, group, err);
    }
    if (group && !code) {
        position_set_fini(&group->positions);
    }
    pthread_mutex_unlock(&log->mutex);
    if (group && !code && log->storage) {
        code = log->storage->delete_positions(log, name, err);
    }
    pthread_mutex_unlock(&log->changes);
    return code;
}
