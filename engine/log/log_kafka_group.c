/*
 * log_kafka_group.c: a group's positions and owners, seen and changed from outside.
 *
 * Positions are asked for as stable ones: while a transaction holds pending
 * offsets the broker puts the answer off, and so does this. That wait is the
 * reader's side of the fence.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/log/log_kafka_internal.h"

/*
 * Whether to ask again, after a wait: a group's coordinator moves, and a new cluster makes
 * the topic of positions when the first group is asked for.
 */
static bool is_passing(struct kafka_log *log, rd_kafka_resp_err_t code, int64_t deadline)
{
    bool passing = code == RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE ||
                   code == RD_KAFKA_RESP_ERR_NOT_COORDINATOR ||
                   code == RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS ||
                   code == RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT;

    if (!passing || kafka_now_ms(log) >= deadline) {
        return false;
    }
    kafka_wait_retry();
    return true;
}

static int by_partition(const void *left, const void *right)
{
    const struct group_owner *a = left;
    const struct group_owner *b = right;

    return (a->partition > b->partition) - (a->partition < b->partition);
}

/* --- owners --- */

static const rd_kafka_topic_partition_list_t *held_by(const rd_kafka_MemberDescription_t *member)
{
    const rd_kafka_MemberAssignment_t *assignment = rd_kafka_MemberDescription_assignment(member);

    return assignment ? rd_kafka_MemberAssignment_partitions(assignment) : NULL;
}

struct asking {
    struct kafka_log *log;
    void (*use)(const struct asking *asking, const rd_kafka_ConsumerGroupDescription_t *group);
    struct arena *arena;
    struct group_owner **owners;
    const struct group_position *positions;
    uint32_t *count;
    struct bytes instance_id;
    struct bytes member_id;
    bool *found;
    struct bytes topic;
};

static void list_owners(const struct asking *asking,
                        const rd_kafka_ConsumerGroupDescription_t *group)
{
    size_t members = rd_kafka_ConsumerGroupDescription_member_count(group);
    size_t total = 0;
    uint32_t found = 0;
    struct group_owner *owners;
    struct arena *arena = asking->arena;

    for (size_t i = 0; i < members; i++) {
        const rd_kafka_topic_partition_list_t *held =
            held_by(rd_kafka_ConsumerGroupDescription_member(group, i));

        total += held ? (size_t)held->cnt : 0;
    }
    owners = arena_array(arena, struct group_owner, total);
    for (size_t i = 0; i < members; i++) {
        const rd_kafka_MemberDescription_t *member =
            rd_kafka_ConsumerGroupDescription_member(group, i);
        const rd_kafka_topic_partition_list_t *held = held_by(member);
        struct group_owner owner = {
            .member_id =
                arena_copy(arena, bytes_of(rd_kafka_MemberDescription_consumer_id(member))),
            .client_id = arena_copy(arena, bytes_of(rd_kafka_MemberDescription_client_id(member))),
            .instance_id =
                arena_copy(arena, bytes_of(rd_kafka_MemberDescription_group_instance_id(member))),
        };

        for (int p = 0; held && p < held->cnt; p++) {
            owner.partition = (uint32_t)held->elems[p].partition;
            owners[found++] = owner;
        }
    }
    if (found) {
        qsort(owners, found, sizeof *owners, by_partition);
    }
    *asking->owners = owners;
    *asking->count = found;
}

static rd_kafka_resp_err_t ask_members(const struct asking *asking, const char *group,
                                       struct error *err)
{
    rd_kafka_resp_err_t failed = RD_KAFKA_RESP_ERR_NO_ERROR;
    struct kafka_request request;

    if (kafka_group_request_init(asking->log, &request, RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS,
                                 group, err)) {
        return RD_KAFKA_RESP_ERR__FAIL;
    }
    rd_kafka_DescribeConsumerGroups(request.rk, &group, 1, request.options, request.queue);
    if (kafka_request_wait(&request, "members of group", bytes_of(group), err)) {
        failed = request.failed;
    } else {
        size_t found = 0;
        const rd_kafka_ConsumerGroupDescription_t **groups =
            rd_kafka_DescribeConsumerGroups_result_groups(
                rd_kafka_event_DescribeConsumerGroups_result(request.answer), &found);
        const rd_kafka_error_t *error =
            found == 1 ? rd_kafka_ConsumerGroupDescription_error(groups[0]) : NULL;

        failed = error ? rd_kafka_error_code(error) : RD_KAFKA_RESP_ERR_NO_ERROR;
        if (failed) {
            (void)kafka_fail(err, failed, rd_kafka_error_string(error), "members of group",
                             bytes_of(group));
        } else {
            asking->use(asking, groups[0]);
        }
    }
    kafka_request_fini(&request);
    return failed;
}

static int ask_until_told(const struct asking *asking, struct bytes group, struct error *err)
{
    int64_t deadline = kafka_now_ms(asking->log) + KAFKA_CALL_MS;
    const char *name = arena_copy_text(asking->arena, group);
    rd_kafka_resp_err_t failed;

    do {
        failed = ask_members(asking, name, err);
    } while (is_passing(asking->log, failed, deadline));
    if (failed == RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND) {
        if (err) {
            error_clear(err);
        }
        return 0; /* nobody has ever joined it */
    }
    return failed ? (int)kafka_error_code(failed) : 0;
}

int kafka_group_owners(struct log *base, struct bytes group, struct arena *arena,
                       struct group_owner **out, uint32_t *count, struct error *err)
{
    struct kafka_log *log = kafka_log_of(base);
    const struct asking asking = {
        .log = log, .use = list_owners, .arena = arena, .owners = out, .count = count
    };

    return ask_until_told(&asking, group, err);
}

int kafka_group_await(struct log *base, struct bytes group, struct error *err)
{
    struct group_owner *owners = NULL;
    struct arena arena;
    uint32_t count = 0;
    int code;

    arena_init(&arena, 0);
    code = kafka_group_owners(base, group, &arena, &owners, &count, err);
    arena_fini(&arena);
    return code;
}

static void find_other(const struct asking *asking,
                       const rd_kafka_ConsumerGroupDescription_t *group)
{
    size_t members = rd_kafka_ConsumerGroupDescription_member_count(group);

    *asking->found = false;
    for (size_t i = 0; i < members && !*asking->found; i++) {
        const rd_kafka_MemberDescription_t *member =
            rd_kafka_ConsumerGroupDescription_member(group, i);
        const char *instance_id = rd_kafka_MemberDescription_group_instance_id(member);

        *asking->found =
            instance_id && bytes_equal_text(asking->instance_id, instance_id) &&
            !bytes_equal_text(asking->member_id, rd_kafka_MemberDescription_consumer_id(member));
    }
}

int kafka_group_has_other(struct log *base, struct bytes group, struct bytes instance_id,
                          struct bytes member_id, bool *out, struct error *err)
{
    struct asking asking = { .log = kafka_log_of(base),
                             .use = find_other,
                             .instance_id = instance_id,
                             .member_id = member_id };
    struct arena arena;
    bool found = false;
    int code;

    arena_init(&arena, 0);
    asking.arena = &arena;
    asking.found = &found;
    code = ask_until_told(&asking, group, err);
    arena_fini(&arena);
    *out = code ? *out : found;
    return code;
}

static void count_owned(const struct asking *asking,
                        const rd_kafka_ConsumerGroupDescription_t *group)
{
    size_t members = rd_kafka_ConsumerGroupDescription_member_count(group);

    *asking->found =
        rd_kafka_ConsumerGroupDescription_state(group) == RD_KAFKA_CONSUMER_GROUP_STATE_STABLE;
    *asking->count = 0;
    for (size_t i = 0; i < members; i++) {
        const rd_kafka_topic_partition_list_t *held =
            held_by(rd_kafka_ConsumerGroupDescription_member(group, i));

        for (int p = 0; held && p < held->cnt; p++) {
            *asking->count += bytes_equal_text(asking->topic, held->elems[p].topic);
        }
    }
}

int kafka_group_count_owned(struct log *base, struct bytes group, const char *topic, bool *settled,
                            uint32_t *owned, struct error *err)
{
    struct asking asking = { .log = kafka_log_of(base),
                             .use = count_owned,
                             .topic = bytes_of(topic),
                             .found = settled,
                             .count = owned };
    struct arena arena;
    int code;

    arena_init(&arena, 0);
    asking.arena = &arena;
    code = ask_until_told(&asking, group, err);
    arena_fini(&arena);
    return code;
}

/* --- positions --- */

static rd_kafka_topic_partition_list_t *name_places(const struct group_position *positions,
                                                    uint32_t count)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)count);

    for (uint32_t i = 0; i < count; i++) {
        const char *topic = kafka_topic_of(positions[i].topic)->name;
        int32_t partition = (int32_t)positions[i].partition;

        if (!rd_kafka_topic_partition_list_find(list, topic, partition)) {
            (void)rd_kafka_topic_partition_list_add(list, topic, partition);
        }
    }
    return list;
}

static rd_kafka_resp_err_t first_error(const rd_kafka_topic_partition_list_t *list)
{
    for (int i = 0; i < list->cnt; i++) {
        if (list->elems[i].err) {
            return list->elems[i].err;
        }
    }
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

/* The group's answer as a list, or what is wrong with all of it. */
static rd_kafka_resp_err_t group_answer(const rd_kafka_group_result_t **groups, size_t count,
                                        const rd_kafka_topic_partition_list_t **out)
{
    const rd_kafka_error_t *failed;

    if (count != 1) {
        return RD_KAFKA_RESP_ERR__FAIL;
    }
    failed = rd_kafka_group_result_error(groups[0]);
    if (failed && rd_kafka_error_code(failed)) {
        return rd_kafka_error_code(failed);
    }
    *out = rd_kafka_group_result_partitions(groups[0]);
    return *out ? first_error(*out) : RD_KAFKA_RESP_ERR__FAIL;
}

static void copy_positions(const rd_kafka_topic_partition_list_t *found,
                           struct group_position *positions, uint32_t count, struct arena *arena)
{
    for (uint32_t i = 0; i < count; i++) {
        const rd_kafka_topic_partition_t *at = rd_kafka_topic_partition_list_find(
            (rd_kafka_topic_partition_list_t *)(uintptr_t)found,
            kafka_topic_of(positions[i].topic)->name, (int32_t)positions[i].partition);
        bool set = at && at->offset >= 0;

        positions[i].offset = set ? at->offset : -1;
        positions[i].metadata = (struct bytes){ 0 };
        if (set && at->metadata) {
            positions[i].metadata =
                arena_copy(arena, (struct bytes){ at->metadata, at->metadata_size });
        }
    }
}

rd_kafka_topic_partition_list_t *kafka_position_list(const struct group_position *positions,
                                                     uint32_t count)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)count);

    for (uint32_t i = 0; i < count; i++) {
        const struct group_position *from = &positions[i];
        rd_kafka_topic_partition_t *to = rd_kafka_topic_partition_list_add(
            list, kafka_topic_of(from->topic)->name, (int32_t)from->partition);

        to->offset = from->offset;
        if (from->metadata.data) {
            struct buffer text = { 0 };

            buffer_append_bytes(&text, from->metadata);
            buffer_append_char(&text, '\0');
            to->metadata = text.data; /* librdkafka frees it */
            to->metadata_size = from->metadata.len;
        }
    }
    return list;
}

/* Asks once. */
static rd_kafka_resp_err_t ask_positions(struct kafka_log *log, const char *group,
                                         struct group_position *positions, uint32_t count,
                                         struct arena *arena, int stable, struct error *err)
{
    rd_kafka_resp_err_t failed = RD_KAFKA_RESP_ERR_NO_ERROR;
    rd_kafka_ListConsumerGroupOffsets_t *wanted;
    rd_kafka_topic_partition_list_t *list;
    struct kafka_request request;

    if (kafka_group_request_init(log, &request, RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS, group,
                                 err)) {
        return RD_KAFKA_RESP_ERR__FAIL;
    }
    list = name_places(positions, count);
    wanted = rd_kafka_ListConsumerGroupOffsets_new(group, list);
    rd_kafka_error_destroy(
        rd_kafka_AdminOptions_set_require_stable_offsets(request.options, stable)); /* is known */
    rd_kafka_ListConsumerGroupOffsets(request.rk, &wanted, 1, request.options, request.queue);
    if (kafka_request_wait(&request, "positions of group", bytes_of(group), err)) {
        failed = request.failed;
    } else {
        const rd_kafka_topic_partition_list_t *found = NULL;
        size_t groups = 0;
        const rd_kafka_group_result_t **results = rd_kafka_ListConsumerGroupOffsets_result_groups(
            rd_kafka_event_ListConsumerGroupOffsets_result(request.answer), &groups);

        failed = group_answer(results, groups, &found);
        if (!failed) {
            copy_positions(found, positions, count, arena);
        } else {
            (void)kafka_fail(err, failed, NULL, "positions of group", bytes_of(group));
        }
    }
    kafka_request_fini(&request);
    rd_kafka_ListConsumerGroupOffsets_destroy(wanted);
    rd_kafka_topic_partition_list_destroy(list);
    return failed;
}

/* Waits as long as a transaction may hold what is pending. */
enum { LONGEST_PENDING_MS = 60000 };

static void use_marks(const struct asking *asking, const rd_kafka_ConsumerGroupDescription_t *group)
{
    kafka_end_orphans(&asking->log->pub, group, asking->positions, *asking->count);
}

/* What is pending or unseen because its sender has died does not come any more. */
static int end_orphans(struct kafka_log *log, struct bytes group,
                       const struct group_position *positions, uint32_t count, struct arena *arena,
                       struct error *err)
{
    struct group_position *seen = arena_array(arena, struct group_position, count);
    const struct asking asking = {
        .log = log, .use = use_marks, .arena = arena, .positions = seen, .count = &count
    };

    memcpy(seen, positions, count * sizeof *seen);
    TRY(kafka_group_await(&log->pub, group, err));
    if (ask_positions(log, arena_copy_text(arena, group), seen, count, arena, 0, NULL)) {
        return 0; /* the stable ones are asked for until they are told */
    }
    return ask_until_told(&asking, group, err);
}

int kafka_group_positions(struct log *base, struct bytes group, struct group_position *positions,
                          uint32_t count, struct arena *arena, struct error *err)
{
    struct kafka_log *log = kafka_log_of(base);
    int64_t deadline = kafka_now_ms(log) + LONGEST_PENDING_MS;
    const char *name = arena_copy_text(arena, group);
    rd_kafka_resp_err_t failed;

    if (count == 0) {
        return 0;
    }
    TRY(end_orphans(log, group, positions, count, arena, err));
    do {
        failed = ask_positions(log, name, positions, count, arena, 1, err);
    } while (is_passing(log, failed, deadline));
    for (uint32_t i = 0; i < count; i++) {
        if (kafka_is_mark(positions[i].metadata)) {
            positions[i].metadata = (struct bytes){ 0 };
        }
    }
    return failed ? (int)kafka_error_code(failed) : 0;
}

static rd_kafka_resp_err_t ask_alter(struct kafka_log *log, const char *group,
                                     const struct group_position *positions, uint32_t count,
                                     struct error *err)
{
    rd_kafka_AlterConsumerGroupOffsets_t *change;
    rd_kafka_topic_partition_list_t *list;
    rd_kafka_resp_err_t failed;
    struct kafka_request request;

    if (kafka_group_request_init(log, &request, RD_KAFKA_ADMIN_OP_ALTERCONSUMERGROUPOFFSETS, group,
                                 err)) {
        return RD_KAFKA_RESP_ERR__FAIL;
    }
    list = kafka_position_list(positions, count);
    change = rd_kafka_AlterConsumerGroupOffsets_new(group, list);
    rd_kafka_AlterConsumerGroupOffsets(request.rk, &change, 1, request.options, request.queue);
    if (kafka_request_wait(&request, "altering group", bytes_of(group), err)) {
        failed = request.failed;
    } else {
        const rd_kafka_topic_partition_list_t *found = NULL;
        size_t groups = 0;
        const rd_kafka_group_result_t **results = rd_kafka_AlterConsumerGroupOffsets_result_groups(
            rd_kafka_event_AlterConsumerGroupOffsets_result(request.answer), &groups);

        failed = group_answer(results, groups, &found);
        if (failed) {
            (void)kafka_fail(err, failed, NULL, "altering group", bytes_of(group));
        }
    }
    kafka_request_fini(&request);
    rd_kafka_AlterConsumerGroupOffsets_destroy(change);
    rd_kafka_topic_partition_list_destroy(list);
    return failed;
}

int kafka_group_alter(struct log *base, struct bytes group, const struct group_position *positions,
                      uint32_t count, struct error *err)
{
    struct kafka_log *log = kafka_log_of(base);
    int64_t deadline = kafka_now_ms(log) + KAFKA_CALL_MS;
    rd_kafka_resp_err_t failed;
    struct arena arena;
    const char *name;

    if (count == 0) {
        return 0;
    }
    arena_init(&arena, 0);
    name = arena_copy_text(&arena, group);
    do {
        failed = ask_alter(log, name, positions, count, err);
    } while (is_passing(log, failed, deadline));
    arena_fini(&arena);
    return failed ? (int)kafka_error_code(failed) : 0;
}

static rd_kafka_resp_err_t ask_delete(struct kafka_log *log, const char *group, struct error *err)
{
    rd_kafka_resp_err_t failed = RD_KAFKA_RESP_ERR_NO_ERROR;
    rd_kafka_DeleteGroup_t *wanted;
    struct kafka_request request;

    if (kafka_group_request_init(log, &request, RD_KAFKA_ADMIN_OP_DELETEGROUPS, group, err)) {
        return RD_KAFKA_RESP_ERR__FAIL;
    }
    wanted = rd_kafka_DeleteGroup_new(group);
    rd_kafka_DeleteGroups(request.rk, &wanted, 1, request.options, request.queue);
    if (kafka_request_wait(&request, "deleting group", bytes_of(group), err)) {
        failed = request.failed;
    } else {
        size_t groups = 0;
        const rd_kafka_group_result_t **results = rd_kafka_DeleteGroups_result_groups(
            rd_kafka_event_DeleteGroups_result(request.answer), &groups);
        const rd_kafka_error_t *error =
            groups == 1 ? rd_kafka_group_result_error(results[0]) : NULL;

        failed = error ? rd_kafka_error_code(error) : RD_KAFKA_RESP_ERR_NO_ERROR;
        if (failed) {
            (void)kafka_fail(err, failed, rd_kafka_error_string(error), "deleting group",
                             bytes_of(group));
        }
    }
    kafka_request_fini(&request);
    rd_kafka_DeleteGroup_destroy(wanted);
    return failed;
}

int kafka_group_delete(struct log *base, struct bytes group, struct error *err)
{
    struct kafka_log *log = kafka_log_of(base);
    int64_t deadline = kafka_now_ms(log) + KAFKA_CALL_MS;
    rd_kafka_resp_err_t failed;
    struct arena arena;
    const char *name;

    arena_init(&arena, 0);
    name = arena_copy_text(&arena, group);
    do {
        failed = ask_delete(log, name, err);
    } while (is_passing(log, failed, deadline));
    arena_fini(&arena);
    if (!failed || failed == RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND) {
        return 0;
    }
    return (int)kafka_error_code(failed);
}
