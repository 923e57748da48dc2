/*
 * log_contract_groups.c: positions, members, and the fence between their owners.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/log_contract.h"

enum { MAX_PARTITIONS = 8, SETTLE_ROUNDS = 200, SESSION_MS = 10000 };

/* --- a member that remembers what it was told --- */

struct node {
    struct log_member *member;
    bool holds[MAX_PARTITIONS];
    uint32_t held;
    uint32_t assigned;
    uint32_t revoked;
    uint32_t lost;
    int32_t generation; /* as it was when the last callback came */
};

static void note_assigned(void *context, const uint32_t *partitions, uint32_t count)
{
    struct node *node = context;

    assert_true(count > 0);
    for (uint32_t i = 0; i < count; i++) {
        assert_true(partitions[i] < MAX_PARTITIONS);
        assert_false(node->holds[partitions[i]]);
        node->holds[partitions[i]] = true;
    }
    node->held += count;
    node->assigned += count;
    node->generation = log_member_current(node->member).generation;
}

static void give_up(struct node *node, const uint32_t *partitions, uint32_t count)
{
    assert_true(count > 0);
    for (uint32_t i = 0; i < count; i++) {
        assert_true(node->holds[partitions[i]]);
        node->holds[partitions[i]] = false;
    }
    node->held -= count;
}

static void note_revoked(void *context, const uint32_t *partitions, uint32_t count)
{
    struct node *node = context;

    give_up(node, partitions, count);
    node->revoked += count;
    if (node->member) {
        node->generation = log_member_current(node->member).generation;
    }
}

static void note_lost(void *context, const uint32_t *partitions, uint32_t count)
{
    struct node *node = context;

    give_up(node, partitions, count);
    node->lost += count;
}

static void join(struct contract *c, struct node *node, struct bytes group,
                 const struct log_topic *topic, const char *instance)
{
    struct member_spec spec = {
        .group = group,
        .topic = topic->name,
        .client_id = BYTES("http://node:8088"),
        .instance_id = bytes_of(instance),
        .session_timeout_ms = SESSION_MS,
        .assigned = note_assigned,
        .revoked = note_revoked,
        .lost = note_lost,
        .context = node,
    };

    assert_int_equal(log_member_join(c->log, &spec, &node->member, &c->err), 0);
}

/* Polls all until each holds its share and a further round changes nothing. */
static void settle(struct contract *c, struct node **nodes, uint32_t count, uint32_t partitions)
{
    uint32_t quiet = 0;

    for (int round = 0; round < SETTLE_ROUNDS && quiet < 3; round++) {
        uint32_t held = 0;
        bool even = true;

        for (uint32_t i = 0; i < count; i++) {
            assert_int_equal(log_member_poll(nodes[i]->member, contract_wait_ms(c), &c->err), 0);
        }
        for (uint32_t i = 0; i < count; i++) {
            held += nodes[i]->held;
            even = even && nodes[i]->held >= partitions / count &&
                   nodes[i]->held <= (partitions + count - 1) / count;
        }
        quiet = even && held == partitions ? quiet + 1 : 0;
    }
    assert_true(quiet >= 3);
}

/* --- positions --- */

static struct group_position position_of(struct contract *c, struct bytes group,
                                         const struct log_topic *topic, uint32_t partition)
{
    struct group_position position = { .topic = topic, .partition = partition, .offset = -7 };

    assert_int_equal(log_group_positions(c->log, group, &position, 1, &c->arena, &c->err), 0);
    return position;
}

static void positions_are_minus_one_until_committed(void **state)
{
    struct contract *c = *state;
    const struct log_topic *topic = contract_topic(c, "topic", 3);
    struct bytes group = contract_name(c, "group");
    struct group_position set[] = { { topic, 2, 12, BYTES("note") }, { topic, 0, 4, { 0 } } };

    assert_int_equal(position_of(c, group, topic, 2).offset, -1);
    assert_int_equal(log_group_alter(c->log, group, set, 2, &c->err), 0);
    assert_int_equal(position_of(c, group, topic, 2).offset, 12);
    assert_true(bytes_equal_text(position_of(c, group, topic, 2).metadata, "note"));
    assert_int_equal(position_of(c, group, topic, 0).offset, 4);
    assert_int_equal(position_of(c, group, topic, 1).offset, -1);
    set[0].offset = 3;
    assert_int_equal(log_group_alter(c->log, group, set, 1, &c->err), 0);
    assert_int_equal(position_of(c, group, topic, 2).offset, 3);
    assert_int_equal(position_of(c, contract_name(c, "group"), topic, 2).offset, -1);
    assert_int_equal(log_group_delete(c->log, group, &c->err), 0);
    assert_int_equal(position_of(c, group, topic, 2).offset, -1);
    assert_int_equal(log_group_delete(c->log, group, &c->err), 0);
}

static void positions_end_with_their_topic(void **state)
{
    struct contract *c = *state;
    const struct log_topic *topic = contract_topic(c, "topic", 1);
    struct bytes group = contract_name(c, "group");
    struct group_position set = { topic, 0, 12, { 0 } };
    struct topic_spec spec = { .name = topic->name, .partition_count = 1 };

    assert_int_equal(log_group_alter(c->log, group, &set, 1, &c->err), 0);
    assert_int_equal(log_delete_topic(c->log, topic->name, &c->err), 0);
    assert_int_equal(log_create_topic(c->log, &spec, &c->err), 0);
    assert_int_equal(log_open_topic(c->log, spec.name, &topic, &c->err), 0);
    assert_int_equal(position_of(c, group, topic, 0).offset, -1);
}

static void positions_outlive_a_restart(void **state)
{
    struct contract *c = *state;
    struct bytes group = contract_name(c, "group");
    const struct log_topic *topic;
    struct group_position set;
    struct bytes name;

    if (!c->target->restart) {
        skip();
    }
    topic = contract_topic(c, "topic", 1);
    name = arena_copy(&c->arena, topic->name);
    set = (struct group_position){ topic, 0, 12, BYTES("note") };
    assert_int_equal(log_group_alter(c->log, group, &set, 1, &c->err), 0);
    c->log = c->target->restart(c->log, &c->clock);
    assert_int_equal(log_open_topic(c->log, name, &topic, &c->err), 0);
    assert_int_equal(position_of(c, group, topic, 0).offset, 12);
    assert_true(bytes_equal_text(position_of(c, group, topic, 0).metadata, "note"));
}

/* --- members --- */

static void member_alone_holds_all_and_is_listed(void **state)
{
    struct contract *c = *state;
    const struct log_topic *topic = contract_topic(c, "slots", 4);
    struct bytes group = contract_name(c, "group");
    struct node a = { 0 };
    struct node *all[] = { &a };
    struct group_owner *owners = NULL;
    uint32_t count = 1;

    assert_int_equal(log_group_owners(c->log, group, &c->arena, &owners, &count, &c->err), 0);
    assert_int_equal(count, 0);
    join(c, &a, group, topic, NULL);
    settle(c, all, 1, 4);
    assert_int_equal(log_group_owners(c->log, group, &c->arena, &owners, &count, &c->err), 0);
    assert_int_equal(count, 4);
    for (uint32_t i = 0; i < count; i++) {
        assert_true(bytes_equal(owners[i].member_id, log_member_current(a.member).member_id));
        assert_true(bytes_equal_text(owners[i].client_id, "http://node:8088"));
    }
    log_member_leave(a.member);
    assert_int_equal(a.revoked, 4);
    assert_int_equal(a.held, 0);
}

static void joining_and_leaving_moves_only_what_must_move(void **state)
{
    struct contract *c = *state;
    const struct log_topic *topic = contract_topic(c, "slots", 8);
    struct bytes group = contract_name(c, "group");
    struct node a = { 0 };
    struct node b = { 0 };
    struct node *all[] = { &a, &b };
    int32_t alone;
    int32_t shared;

    join(c, &a, group, topic, NULL);
    settle(c, all, 1, 8);
    alone = log_member_current(a.member).generation;
    join(c, &b, group, topic, NULL);
    settle(c, all, 2, 8);
    shared = log_member_current(a.member).generation;
    assert_int_equal(a.revoked, 4);
    assert_int_equal(b.assigned, 4);
    assert_int_equal(b.revoked, 0);
    assert_true(shared > alone);
    assert_int_equal(log_member_current(b.member).generation, shared);
    for (uint32_t p = 0; p < 8; p++) {
        assert_true(a.holds[p] != b.holds[p]);
    }
    log_member_leave(b.member);
    assert_int_equal(b.held, 0);
    settle(c, all, 1, 8);
    assert_int_equal(a.revoked, 4);
    assert_int_equal(a.assigned, 12);
    assert_int_equal(a.lost, 0);
    assert_true(log_member_current(a.member).generation > shared);
    log_member_leave(a.member);
}

/* What a callback starts may commit before the poll is over. */
static void callbacks_see_the_generation_that_they_tell_of(void **state)
{
    struct contract *c = *state;
    const struct log_topic *topic = contract_topic(c, "slots", 4);
    struct bytes group = contract_name(c, "group");
    struct node a = { 0 }, b = { 0 };
    struct node *both[] = { &a, &b };
    int32_t first;

    join(c, &a, group, topic, NULL);
    settle(c, both, 1, 4);
    first = log_member_current(a.member).generation;
    assert_int_equal(a.generation, first);
    join(c, &b, group, topic, NULL);
    settle(c, both, 2, 4);
    assert_true(a.revoked > 0);
    assert_true(a.generation > first);
    assert_int_equal(b.generation, log_member_current(b.member).generation);
    log_member_leave(b.member);
    log_member_leave(a.member);
}

static void partitions_that_do_not_divide_are_shared_evenly(void **state)
{
    struct contract *c = *state;
    const struct log_topic *topic = contract_topic(c, "slots", 8);
    struct bytes group = contract_name(c, "group");
    struct node nodes[3] = { 0 };
    struct node *all[] = { &nodes[0], &nodes[1], &nodes[2] };
    uint32_t moved = 0;

    for (uint32_t i = 0; i < 3; i++) {
        join(c, &nodes[i], group, topic, NULL);
        settle(c, all, i + 1, 8);
    }
    for (uint32_t i = 0; i < 3; i++) {
        moved += nodes[i].revoked;
    }
    assert_int_equal(moved, 4 + 2);
    for (uint32_t i = 0; i < 3; i++) {
        log_member_leave(nodes[i].member);
    }
}

static void static_member_that_returns_finds_its_partitions(void **state)
{
    struct contract *c = *state;
    const struct log_topic *topic = contract_topic(c, "slots", 8);
    struct bytes group = contract_name(c, "group");
    struct node a = { 0 };
    struct node b = { 0 };
    struct node back = { 0 };
    struct node *all[] = { &a, &b };

    join(c, &a, group, topic, "node-a");
    join(c, &b, group, topic, "node-b");
    settle(c, all, 2, 8);
    b.revoked = 0;
    b.assigned = 0;
    log_member_leave(a.member);
    assert_int_equal(a.held, 0);
    assert_int_equal(log_member_poll(b.member, contract_wait_ms(c), &c->err), 0);
    join(c, &back, group, topic, "node-a");
    all[0] = &back;
    settle(c, all, 2, 8);
    assert_int_equal(b.revoked, 0);
    assert_int_equal(b.assigned, 0);
    for (uint32_t p = 0; p < 8; p++) {
        assert_true(back.holds[p] != b.holds[p]);
    }
    log_member_leave(back.member);
    log_member_leave(b.member);
}

static void later_member_of_an_instance_id_fences_the_former(void **state)
{
    struct contract *c = *state;
    const struct log_topic *topic = contract_topic(c, "slots", 4);
    struct bytes group = contract_name(c, "group");
    struct node former = { 0 };
    struct node later = { 0 };
    struct node *all[] = { &former };
    int code = 0;

    join(c, &former, group, topic, "node");
    settle(c, all, 1, 4);
    join(c, &later, group, topic, "node");
    all[0] = &later;
    settle(c, all, 1, 4);
    for (int i = 0; i < SETTLE_ROUNDS && !code; i++) {
        code = log_member_poll(former.member, contract_wait_ms(c), &c->err);
    }
    assert_int_equal(code, ERR_FENCED);
    assert_int_equal(former.lost, 4);
    assert_int_equal(former.revoked, 0);
    log_member_leave(former.member);
    settle(c, all, 1, 4);
    log_member_leave(later.member);
}

static void silent_member_loses_its_partitions(void **state)
{
    struct contract *c = *state;
    const struct log_topic *topic = contract_topic(c, "slots", 4);
    struct bytes group = contract_name(c, "group");
    struct node a = { 0 };
    struct node b = { 0 };
    struct node *all[] = { &b, &a };

    if (c->target->real_time) {
        skip();
    }
    join(c, &a, group, topic, NULL);
    join(c, &b, group, topic, "static");
    settle(c, all, 2, 4);
    clock_advance(&c->clock, SESSION_MS);
    assert_int_equal(log_member_poll(b.member, 0, &c->err), 0);
    clock_advance(&c->clock, 1);
    settle(c, all, 1, 4);
    assert_int_equal(a.lost, 0);
    assert_int_equal(log_member_poll(a.member, 0, &c->err), 0);
    assert_int_equal(a.lost, 2);
    assert_int_equal(a.held, 0);
    settle(c, all, 2, 4);
    clock_advance(&c->clock, SESSION_MS + 1);
    assert_int_equal(log_member_poll(a.member, 0, &c->err), 0);
    log_member_leave(b.member);
    assert_int_equal(b.lost, 2);
    log_member_leave(a.member);
}

static void member_needs_a_topic(void **state)
{
    struct contract *c = *state;
    struct member_spec spec = { .group = contract_name(c, "group"),
                                .topic = contract_name(c, "none"),
                                .session_timeout_ms = SESSION_MS };
    struct log_member *member = NULL;

    assert_int_equal(log_member_join(c->log, &spec, &member, &c->err), ERR_UNKNOWN_TOPIC);
    assert_null(member);
}

/* --- the fence --- */

/* Begins a transaction that sends this offset for partition 0; the code of the sending. */
static int send(struct contract *c, struct log_writer *writer,
                const struct group_membership *member, const struct log_topic *topic,
                int64_t offset)
{
    struct group_position position = { topic, 0, offset, { 0 } };

    assert_int_equal(log_writer_begin(writer, &c->err), 0);
    return log_writer_send_positions(writer, member, &position, 1, &c->err);
}

static struct group_membership keep(struct contract *c, struct group_membership m)
{
    m.group = arena_copy(&c->arena, m.group);
    m.member_id = arena_copy(&c->arena, m.member_id);
    m.instance_id = arena_copy(&c->arena, m.instance_id);
    return m;
}

static void positions_are_committed_with_the_records(void **state)
{
    struct contract *c = *state;
    const struct log_topic *topic = contract_topic(c, "slots", 1);
    const struct log_topic *data = contract_topic(c, "data", 1);
    struct bytes group = contract_name(c, "group");
    struct log_writer *writer = contract_writer(c, contract_name(c, "tx"));
    struct node a = { 0 };
    struct node *all[] = { &a };
    struct group_membership now;

    join(c, &a, group, topic, NULL);
    settle(c, all, 1, 1);
    now = keep(c, log_member_current(a.member));
    assert_int_equal(send(c, writer, &now, topic, 5), 0);
    contract_put(c, writer, data, 0, "no");
    assert_int_equal(log_writer_abort(writer, &c->err), 0);
    assert_int_equal(position_of(c, group, topic, 0).offset, -1);
    assert_int_equal(send(c, writer, &now, topic, 6), 0);
    contract_put(c, writer, data, 0, "yes");
    assert_int_equal(log_writer_commit(writer, &c->err), 0);
    assert_int_equal(position_of(c, group, topic, 0).offset, 6);
    contract_expect(c, data, 0, "yes");
    log_member_leave(a.member);
    log_writer_close(writer);
}

static void group_with_members_is_not_altered(void **state)
{
    struct contract *c = *state;
    const struct log_topic *topic = contract_topic(c, "slots", 1);
    struct bytes group = contract_name(c, "group");
    struct group_position set = { topic, 0, 12, { 0 } };
    struct node a = { 0 };
    struct node *all[] = { &a };

    join(c, &a, group, topic, NULL);
    settle(c, all, 1, 1);
    assert_int_equal(log_group_alter(c->log, group, &set, 1, &c->err), ERR_FENCED);
    assert_int_equal(log_group_delete(c->log, group, &c->err), ERR_FENCED);
    assert_int_equal(position_of(c, group, topic, 0).offset, -1);
    log_member_leave(a.member);
    assert_int_equal(log_group_alter(c->log, group, &set, 1, &c->err), 0);
}

static void old_generation_can_only_abort(void **state)
{
    struct contract *c = *state;
    const struct log_topic *topic = contract_topic(c, "slots", 2);
    const struct log_topic *data = contract_topic(c, "data", 1);
    struct bytes group = contract_name(c, "group");
    struct log_writer *writer = contract_writer(c, contract_name(c, "tx"));
    struct node a = { 0 };
    struct node b = { 0 };
    struct node *all[] = { &a, &b };
    struct group_membership old;
    struct group_membership now;

    join(c, &a, group, topic, NULL);
    settle(c, all, 1, 2);
    old = keep(c, log_member_current(a.member));
    join(c, &b, group, topic, NULL);
    settle(c, all, 2, 2);
    assert_int_equal(send(c, writer, &old, topic, 5), ERR_FENCED);
    assert_int_equal(log_writer_commit(writer, &c->err), ERR_FENCED);
    assert_int_equal(log_writer_abort(writer, &c->err), 0);
    assert_int_equal(position_of(c, group, topic, 0).offset, -1);
    now = keep(c, log_member_current(a.member));
    assert_int_equal(send(c, writer, &now, topic, 6), 0);
    contract_put(c, writer, data, 0, "yes");
    assert_int_equal(log_writer_commit(writer, &c->err), 0);
    assert_int_equal(position_of(c, group, topic, 0).offset, 6);
    contract_expect(c, data, 0, "yes");
    log_member_leave(a.member);
    log_member_leave(b.member);
    log_writer_close(writer);
}

static void unknown_member_is_fenced(void **state)
{
    struct contract *c = *state;
    const struct log_topic *topic = contract_topic(c, "slots", 1);
    struct bytes group = contract_name(c, "group");
    struct log_writer *writer = contract_writer(c, contract_name(c, "tx"));
    struct group_membership nobody = { .group = group, .generation = -1 };
    struct node a = { 0 };
    struct node *all[] = { &a };
    struct group_membership stranger;

    assert_int_equal(send(c, writer, &nobody, topic, 3), 0);
    assert_int_equal(log_writer_commit(writer, &c->err), 0);
    assert_int_equal(position_of(c, group, topic, 0).offset, 3);
    join(c, &a, group, topic, NULL);
    settle(c, all, 1, 1);
    assert_int_equal(send(c, writer, &nobody, topic, 4), ERR_FENCED);
    assert_int_equal(log_writer_abort(writer, &c->err), 0);
    stranger = keep(c, log_member_current(a.member));
    stranger.member_id = bytes_of("stranger");
    assert_int_equal(send(c, writer, &stranger, topic, 5), ERR_FENCED);
    assert_int_equal(log_writer_abort(writer, &c->err), 0);
    assert_int_equal(position_of(c, group, topic, 0).offset, 3);
    log_member_leave(a.member);
    log_writer_close(writer);
}

/* What was sent in time must not be committed once the next owner has looked. */
static void former_owner_commits_nothing_behind_the_next_owners_back(void **state)
{
    struct contract *c = *state;
    const struct log_topic *topic = contract_topic(c, "slots", 1);
    const struct log_topic *data = contract_topic(c, "data", 1);
    struct bytes group = contract_name(c, "group");
    struct log_writer *writer = contract_writer(c, contract_name(c, "tx"));
    struct node a = { 0 };
    struct node b = { 0 };
    struct node *all[] = { &a };
    struct group_membership now;

    if (c->target->real_time) {
        skip();
    }
    join(c, &a, group, topic, NULL);
    settle(c, all, 1, 1);
    now = keep(c, log_member_current(a.member));
    assert_int_equal(send(c, writer, &now, topic, 5), 0);
    contract_put(c, writer, data, 0, "no");
    clock_advance(&c->clock, SESSION_MS + 1);
    join(c, &b, group, topic, NULL);
    all[0] = &b;
    settle(c, all, 1, 1);
    assert_int_equal(position_of(c, group, topic, 0).offset, -1);
    assert_int_equal(log_writer_commit(writer, &c->err), ERR_FENCED);
    assert_int_equal(log_writer_abort(writer, &c->err), 0);
    assert_int_equal(position_of(c, group, topic, 0).offset, -1);
    contract_expect(c, data, 0, "");
    log_member_leave(a.member);
    log_member_leave(b.member);
    log_writer_close(writer);
}

int contract_run_groups(const struct log_contract_target *target)
{
    struct CMUnitTest tests[] = {
        CONTRACT_TEST(positions_are_minus_one_until_committed),
        CONTRACT_TEST(positions_end_with_their_topic),
        CONTRACT_TEST(positions_outlive_a_restart),
        CONTRACT_TEST(member_alone_holds_all_and_is_listed),
        CONTRACT_TEST(joining_and_leaving_moves_only_what_must_move),
        CONTRACT_TEST(callbacks_see_the_generation_that_they_tell_of),
        CONTRACT_TEST(partitions_that_do_not_divide_are_shared_evenly),
        CONTRACT_TEST(static_member_that_returns_finds_its_partitions),
        CONTRACT_TEST(later_member_of_an_instance_id_fences_the_former),
        CONTRACT_TEST(silent_member_loses_its_partitions),
        CONTRACT_TEST(member_needs_a_topic),
        CONTRACT_TEST(positions_are_committed_with_the_records),
        CONTRACT_TEST(group_with_members_is_not_altered),
        CONTRACT_TEST(old_generation_can_only_abort),
        CONTRACT_TEST(unknown_member_is_fenced),
        CONTRACT_TEST(former_owner_commits_nothing_behind_the_next_owners_back),
    };

    return CONTRACT_RUN(target->name, tests, target);
}
