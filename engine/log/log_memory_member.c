/*
 * log_memory_member.c: members of a group share out a topic's partitions, cooperatively.
 *
 * As with Kafka's cooperative-sticky assignor a change takes two rounds. A round
 * begins when somebody joins, leaves, comes too late or has let go of
 * partitions, and ends with a new generation once every participant has polled:
 *
 *   B joins   round ends: gen+1       A has let go       round ends: gen+2
 *   ─────────┬───────────────────────┬──────────────────┬─────────────────────
 *   A holds 0-3   target A: 0,1        A revokes 2,3      target B: 2,3
 *                 2,3: nobody yet      holds 0,1          B is assigned 2,3
 *
 * owner[p] is who holds a partition, target[p] who may hold it; only its owner's
 * own poll (or its expulsion) takes a partition away from an owner. So between
 * rounds a partition never has two owners, and what does not move is not touched.
 *
 * A participant is a place in the group; a handle (struct memory_member) is who
 * sits on it. A static participant keeps its place while nobody sits there,
 * until its session times out; a handle that was put out has none and joins anew.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "engine/log/log_memory_internal.h"

struct memory_member;

struct participant {
    struct bytes member_id; /* owned, as the next two */
    struct bytes client_id;
    struct bytes instance_id; /* absent: dynamic */
    int64_t session_timeout_ms;
    int64_t seen_ms;
    bool joined;                  /* has polled in this round */
    bool synced;                  /* was there when the generation began */
    struct memory_member *handle; /* NULL: a static member that has left */
    uint32_t held;                /* for sharing out */
    uint32_t quota;
};

struct memory_member {
    struct log_member pub; /* first */
    struct memory_group *group;
    struct participant *place; /* NULL: put out */
    bool waiting;              /* inside a poll, so alive */
    bool replaced;             /* another handle has this one's instance id */
    struct bytes client_id;    /* owned, as the next two */
    struct bytes instance_id;
    struct bytes member_id;
    int32_t generation;
    int64_t session_timeout_ms;
    bool *holds; /* per partition, as the callbacks have told */
    uint32_t partition_count;
    uint32_t *list; /* what a callback gets */
    void (*assigned)(void *context, const uint32_t *partitions, uint32_t count);
    void (*revoked)(void *context, const uint32_t *partitions, uint32_t count);
    void (*lost)(void *context, const uint32_t *partitions, uint32_t count);
    void *context;
};

static struct memory_log *log_of(const struct memory_member *member)
{
    return memory_log_of(member->pub.log);
}

static struct memory_member *member_of(struct log_member *member)
{
    return (struct memory_member *)member;
}

static uint32_t partition_count_of(const struct memory_group *group)
{
    return group->topic ? group->topic->pub.partition_count : 0;
}

/* --- sharing out --- */

/* Those who hold most come first, so that an odd partition stays where it is. */
static struct participant **by_held(const struct memory_group *group)
{
    struct participant **sorted =
        memory_zalloc(group->participant_count, sizeof(struct participant *));

    for (uint32_t i = 0; i < group->participant_count; i++) {
        uint32_t at = i;

        for (; at > 0 && sorted[at - 1]->held < group->participants[i]->held; at--) {
            sorted[at] = sorted[at - 1];
        }
        sorted[at] = group->participants[i];
    }
    return sorted;
}

static void set_quotas(struct memory_group *group)
{
    uint32_t partitions = partition_count_of(group);
    uint32_t members = group->participant_count;
    struct participant **sorted;

    assert(members > 0); /* a round is ended by a participant */
    for (uint32_t i = 0; i < group->participant_count; i++) {
        group->participants[i]->held = 0;
    }
    for (uint32_t p = 0; p < partitions; p++) {
        if (group->owner[p]) {
            group->owner[p]->held++;
        }
    }
    sorted = by_held(group);
    for (uint32_t i = 0; i < group->participant_count; i++) {
        sorted[i]->quota = partitions / members + (i < partitions % members ? 1 : 0);
        sorted[i]->held = 0;
    }
    free(sorted);
}

static void take(struct memory_group *group, uint32_t partition, struct participant *by)
{
    group->target[partition] = by;
    by->held++;
}

/* Owners keep up to their quota; partitions without an owner fill up the others. */
static void share_out(struct memory_group *group)
{
    uint32_t next = 0;

    set_quotas(group);
    for (uint32_t p = 0; p < partition_count_of(group); p++) {
        struct participant *owner = group->owner[p];

        group->target[p] = NULL;
        if (owner && owner->held < owner->quota) {
            take(group, p, owner);
        }
    }
    for (uint32_t p = 0; p < partition_count_of(group); p++) {
        if (group->owner[p]) {
            continue;
        }
        while (group->participants[next]->held >= group->participants[next]->quota) {
            next++; /* the quotas add up to all partitions */
        }
        take(group, p, group->participants[next]);
    }
}

/* --- rounds --- */

static void begin_round(struct memory_group *group)
{
    group->rebalancing = group->participant_count > 0;
    for (uint32_t i = 0; i < group->participant_count; i++) {
        group->participants[i]->joined = !group->participants[i]->handle;
    }
    if (!group->participant_count) {
        group->generation++;
    }
    pthread_cond_broadcast(&group->changed);
}

static void end_round_if_all_joined(struct memory_group *group)
{
    for (uint32_t i = 0; i < group->participant_count; i++) {
        if (!group->participants[i]->joined) {
            return;
        }
    }
    group->rebalancing = false;
    group->generation++;
    for (uint32_t i = 0; i < group->participant_count; i++) {
        group->participants[i]->synced = true;
    }
    share_out(group);
    pthread_cond_broadcast(&group->changed);
}

/* --- participants --- */

static struct bytes make_member_id(struct memory_log *log, const struct memory_member *member)
{
    struct bytes name = member->instance_id.data ? member->instance_id : member->client_id;
    struct buffer id = { 0 };

    buffer_printf(&id, "%.*s-%llu", (int)name.len, name.data ? name.data : "",
                  (unsigned long long)++log->last_member);
    return (struct bytes){ id.data, id.len };
}

static struct participant *find_static(struct memory_group *group, struct bytes instance_id)
{
    for (uint32_t i = 0; instance_id.data && i < group->participant_count; i++) {
        if (bytes_equal(group->participants[i]->instance_id, instance_id)) {
            return group->participants[i];
        }
    }
    return NULL;
}

static struct participant *add_participant(struct memory_group *group,
                                           const struct memory_member *member)
{
    struct participant *place = memory_zalloc(1, sizeof *place);

    place->instance_id = memory_copy(member->instance_id);
    if (group->participant_count == group->participant_capacity) {
        group->participant_capacity =
            group->participant_capacity ? group->participant_capacity * 2 : 4;
        group->participants = memory_resize(group->participants, group->participant_capacity,
                                            sizeof(struct participant *));
    }
    group->participants[group->participant_count++] = place;
    return place;
}

static void free_participant(struct participant *place)
{
    memory_free(place->member_id);
    memory_free(place->client_id);
    memory_free(place->instance_id);
    free(place);
}

/* Sits down: on a new place, which begins a round, or on that of its instance id. */
static void enter(struct memory_member *member)
{
    struct memory_log *log = log_of(member);
    struct memory_group *group = member->group;
    struct participant *place = find_static(group, member->instance_id);
    bool is_new = !place;

    if (is_new) {
        place = add_participant(group, member);
    } else if (place->handle) {
        place->handle->place = NULL;
        place->handle->replaced = true;
    }
    memory_free(place->member_id);
    memory_free(place->client_id);
    memory_free(member->member_id);
    place->member_id = make_member_id(log, member);
    place->client_id = memory_copy(member->client_id);
    place->session_timeout_ms = member->session_timeout_ms;
    place->seen_ms = memory_now_ms(log);
    place->handle = member;
    member->member_id = memory_copy(place->member_id);
    member->generation = -1;
    member->place = place;
    if (is_new) {
        begin_round(group);
    } else {
        place->joined = !group->rebalancing;
        pthread_cond_broadcast(&group->changed);
    }
}

/* Takes the place out of the group; its partitions are nobody's. */
static void expel(struct memory_group *group, struct participant *place)
{
    uint32_t at = 0;

    for (uint32_t p = 0; p < partition_count_of(group); p++) {
        group->owner[p] = group->owner[p] == place ? NULL : group->owner[p];
        group->target[p] = group->target[p] == place ? NULL : group->target[p];
    }
    while (group->participants[at] != place) {
        at++;
    }
    group->participant_count--;
    memmove(group->participants + at, group->participants + at + 1,
            (group->participant_count - at) * sizeof(struct participant *));
    if (place->handle) {
        place->handle->place = NULL;
    }
    free_participant(place);
    begin_round(group);
}

void memory_group_expire_locked(struct memory_log *log, struct memory_group *group)
{
    int64_t now_ms = memory_now_ms(log);

    for (uint32_t i = group->participant_count; i-- > 0;) {
        struct participant *place = group->participants[i];
        bool waiting = place->handle && place->handle->waiting;

        if (!waiting && now_ms - place->seen_ms > place->session_timeout_ms) {
            expel(group, place);
        }
    }
}

bool memory_group_has_locked(const struct memory_group *group, struct bytes member_id,
                             int32_t generation)
{
    if (generation < 0 && !member_id.len) {
        return group->participant_count == 0;
    }
    for (uint32_t i = 0; i < group->participant_count; i++) {
        if (bytes_equal(group->participants[i]->member_id, member_id)) {
            return group->participants[i]->synced && generation == group->generation;
        }
    }
    return false;
}

void memory_group_free_members(struct memory_group *group)
{
    for (uint32_t i = 0; i < group->participant_count; i++) {
        free_participant(group->participants[i]);
    }
    free(group->participants);
    free(group->owner);
    free(group->target);
    group->participants = NULL;
    group->participant_count = 0;
}

/* --- callbacks: the mutex is let go of while they run --- */

typedef void (*member_callback)(void *context, const uint32_t *partitions, uint32_t count);

static void call_back(struct memory_member *member, member_callback callback, uint32_t count)
{
    pthread_mutex_unlock(&log_of(member)->mutex);
    if (callback && count) {
        callback(member->context, member->list, count);
    }
    pthread_mutex_lock(&log_of(member)->mutex);
}

/* Ends what the handle holds without regard to the group. */
static void drop_all(struct memory_member *member, member_callback callback)
{
    uint32_t count = 0;

    for (uint32_t p = 0; p < member->partition_count; p++) {
        if (member->holds[p]) {
            member->list[count++] = p;
            member->holds[p] = false;
        }
    }
    call_back(member, callback, count);
}

static bool must_release(const struct memory_member *member, uint32_t partition)
{
    const struct memory_group *group = member->group;

    return group->owner[partition] == member->place && group->target[partition] != member->place;
}

/* Owner until the callback is back: only then others may have the partitions. */
static bool release(struct memory_member *member)
{
    struct memory_group *group = member->group;
    uint32_t count = 0;
    bool any = false;

    for (uint32_t p = 0; p < member->partition_count; p++) {
        if (must_release(member, p)) {
            any = true;
            if (member->holds[p]) {
                member->list[count++] = p;
            }
        }
    }
    if (!any) {
        return false;
    }
    call_back(member, member->revoked, count);
    for (uint32_t i = 0; i < count; i++) {
        member->holds[member->list[i]] = false;
    }
    for (uint32_t p = 0; member->place && p < member->partition_count; p++) {
        if (must_release(member, p) && !member->holds[p]) {
            group->owner[p] = NULL;
        }
    }
    if (member->place) {
        begin_round(group);
        member->place->joined = true;
    }
    return true;
}

static bool acquire(struct memory_member *member)
{
    struct memory_group *group = member->group;
    uint32_t count = 0;

    for (uint32_t p = 0; member->place && p < member->partition_count; p++) {
        if (!member->holds[p] && group->target[p] == member->place &&
            (!group->owner[p] || group->owner[p] == member->place)) {
            group->owner[p] = member->place;
            member->holds[p] = true;
            member->list[count++] = p;
        }
    }
    if (count) {
        call_back(member, member->assigned, count);
    }
    return count > 0;
}

/* --- the calls --- */

/* The partitions shared out are those of the first member's topic. */
static int bind_topic_locked(struct memory_log *log, struct memory_group *group, struct bytes name,
                             struct error *err)
{
    struct memory_topic *topic = map_find(&log->topics, name);

    if (!topic) {
        return error_set(err, ERR_UNKNOWN_TOPIC, NO_POSITION, "there is no topic '%.*s'",
                         BYTES_ARG(name));
    }
    memory_group_expire_locked(log, group);
    if (group->participant_count && group->topic != topic) {
        return error_set(err, ERR_TOPIC_MISMATCH, NO_POSITION,
                         "group '%.*s' shares out topic '%.*s'", BYTES_ARG(group->name),
                         BYTES_ARG(group->topic->pub.name));
    }
    if (group->topic != topic) {
        free(group->owner);
        free(group->target);
        group->topic = topic;
        group->owner = memory_zalloc(topic->pub.partition_count, sizeof(struct participant *));
        group->target = memory_zalloc(topic->pub.partition_count, sizeof(struct participant *));
    }
    return 0;
}

static struct memory_member *make_member(struct log *log, const struct member_spec *spec)
{
    struct memory_member *member = memory_zalloc(1, sizeof *member);

    member->pub.log = log;
    member->client_id = memory_copy(spec->client_id);
    member->instance_id = memory_copy(spec->instance_id);
    member->session_timeout_ms = spec->session_timeout_ms;
    member->assigned = spec->assigned;
    member->revoked = spec->revoked;
    member->lost = spec->lost;
    member->context = spec->context;
    return member;
}

static void destroy_member(struct memory_member *member)
{
    memory_free(member->client_id);
    memory_free(member->instance_id);
    memory_free(member->member_id);
    free(member->holds);
    free(member->list);
    free(member);
}

int memory_member_join(struct log *base, const struct member_spec *spec, struct log_member **out,
                       struct error *err)
{
    struct memory_log *log = memory_log_of(base);
    struct memory_member *member = make_member(base, spec);
    int code;

    pthread_mutex_lock(&log->mutex);
    member->group = memory_group_get_locked(log, spec->group);
    code = bind_topic_locked(log, member->group, spec->topic, err);
    if (!code) {
        member->partition_count = partition_count_of(member->group);
        member->holds = memory_zalloc(member->partition_count, sizeof *member->holds);
        member->list = memory_zalloc(member->partition_count, sizeof *member->list);
        enter(member);
    }
    pthread_mutex_unlock(&log->mutex);
    if (code) {
        destroy_member(member);
        return code;
    }
    *out = &member->pub;
    return 0;
}

/* One turn of a poll. Did anything happen that the caller should hear of? */
static bool poll_once(struct memory_member *member)
{
    struct memory_group *group = member->group;
    bool happened = false;

    if (!member->place) {
        drop_all(member, member->lost);
        enter(member);
        happened = true;
    }
    member->place->seen_ms = memory_now_ms(log_of(member));
    if (group->rebalancing) {
        member->place->joined = true;
        end_round_if_all_joined(group);
    }
    if (member->place->synced) {
        member->generation = group->generation;
    }
    happened = release(member) || happened;
    return acquire(member) || happened;
}

static int poll_replaced(struct memory_member *member, struct error *err)
{
    drop_all(member, member->lost);
    return error_set(err, ERR_FENCED, NO_POSITION,
                     "another member has taken the instance id '%.*s' in group '%.*s'",
                     BYTES_ARG(member->instance_id), BYTES_ARG(member->group->name));
}

int memory_member_poll(struct log_member *base, int64_t wait_ms, struct error *err)
{
    struct memory_member *member = member_of(base);
    struct memory_log *log = log_of(member);
    struct timespec deadline;
    bool may_wait = memory_deadline(log, wait_ms, &deadline);
    int code = 0;

    pthread_mutex_lock(&log->mutex);
    member->waiting = true;
    while (!code) {
        memory_group_expire_locked(log, member->group);
        if (member->replaced) {
            code = poll_replaced(member, err);
        } else if (poll_once(member) || !may_wait) {
            break;
        } else {
            may_wait = pthread_cond_timedwait(&member->group->changed, &log->mutex, &deadline) !=
                       ETIMEDOUT;
        }
    }
    member->waiting = false;
    pthread_mutex_unlock(&log->mutex);
    return code;
}

void memory_member_leave(struct log_member *base)
{
    struct memory_member *member = member_of(base);
    struct memory_log *log = log_of(member);

    pthread_mutex_lock(&log->mutex);
    memory_group_expire_locked(log, member->group);
    drop_all(member, member->place ? member->revoked : member->lost);
    if (member->place && member->instance_id.data) {
        member->place->handle = NULL;
        member->place->seen_ms = memory_now_ms(log);
        member->place->joined = true;
    } else if (member->place) {
        expel(member->group, member->place);
    }
    pthread_mutex_unlock(&log->mutex);
    destroy_member(member);
}

struct group_membership memory_member_current(struct log_member *base)
{
    struct memory_member *member = member_of(base);

    return (struct group_membership){ .group = member->group->name,
                                      .member_id = member->member_id,
                                      .instance_id = member->instance_id,
                                      .generation = member->generation };
}

int memory_group_owners(struct log *base, struct bytes name, struct arena *arena,
                        struct group_owner **out, uint32_t *count, struct error *err)
{
    struct memory_log *log = memory_log_of(base);
    struct memory_group *group;
    struct group_owner *owners = NULL;
    uint32_t found = 0;

    pthread_mutex_lock(&log->mutex);
    group = memory_group_find_locked(log, name);
    if (group) {
        memory_group_expire_locked(log, group);
        owners = arena_array(arena, struct group_owner, partition_count_of(group));
    }
    for (uint32_t p = 0; group && p < partition_count_of(group); p++) {
        const struct participant *owner = group->owner[p];

        if (owner) {
            owners[found++] = (struct group_owner){ p, arena_copy(arena, owner->member_id),
                                                    arena_copy(arena, owner->client_id),
                                                    arena_copy(arena, owner->instance_id) };
        }
    }
    pthread_mutex_unlock(&log->mutex);
    *out = owners;
    *count = found;
    return 0;
}
