/*
 * test_runtime_membership.c: two nodes on one log share the slots; whoever goes, is put out or
 * comes late, each record counts once. And queries of a node that come one after another.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/runtime/runtime_internal.h"
#include "tests/unit/runtime_rig.h"

enum { KEYS = 5, PARTITIONS = 8 };

static const char *const orders = "CREATE STREAM orders (id STRING KEY, item STRING, qty INT) "
                                  "WITH (KAFKA_TOPIC='orders', VALUE_FORMAT='JSON');";

/* A log, a plan and its two nodes. */
struct pair {
    struct rig rig;
    struct runtime *a, *b;
    const struct physical_plan *copy, *totals;
};

static void begin(struct pair *p)
{
    rig_init(&p->rig);
    rig_topic(&p->rig, "orders", PARTITIONS);
    rig_sql(&p->rig, orders);
    p->copy = rig_plan(&p->rig, "CREATE STREAM copy AS SELECT id, qty FROM orders;");
    p->totals = rig_plan(&p->rig, "CREATE TABLE totals AS SELECT item, COUNT(*) AS n FROM orders "
                                  "GROUP BY item;");
    p->a = p->b = NULL;
}

static struct runtime *open_node(struct pair *p, const char *name)
{
    rig_open(&p->rig, name);
    rig_start(&p->rig, p->copy);
    rig_start(&p->rig, p->totals);
    return p->rig.rt;
}

static void end(struct pair *p)
{
    runtime_close(p->a);
    runtime_close(p->b);
    p->rig.rt = NULL;
    rig_fini(&p->rig);
}

static void turn(struct runtime *rt)
{
    for (int i = 0; rt && i < 50 && runtime_step(rt); i++) {
    }
}

/* Lets both work, and back-off pass, until nothing moves. */
static void settle_both(struct pair *p)
{
    for (int i = 0; i < 100; i++) {
        turn(p->a);
        turn(p->b);
        if (i % 10 == 9) {
            clock_advance(&p->rig.clock, 500);
        }
    }
}

static uint32_t slots_of(const struct runtime *rt)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < rt->slot_count; i++) {
        count += rt->slots[i].owned;
    }
    return count;
}

/* Every key's counts must run 1, 2, 3 ... without a gap, a repeat or a step back. */
static void check_totals(struct pair *p, int records)
{
    struct bytes text = rig_read(&p->rig, "TOTALS");
    int seen[KEYS] = { 0 };

    for (const char *line = text.data; *line; line = strchr(line, '\n') + 1) {
        int key = line[1] - '0';
        const char *n = strstr(line, "\"N\":");

        assert_non_null(n);
        seen[key]++;
        assert_int_equal(strtol(n + 4, NULL, 10), seen[key]);
    }
    for (int k = 0; k < KEYS; k++) {
        assert_int_equal(seen[k], records / KEYS);
    }
    assert_int_equal(rig_count(&p->rig, "COPY"), records);
}

/* Of a topic with few partitions, too: they are slots in a row. */
static void two_nodes_share_the_partitions_of_every_topic(void **state)
{
    struct pair p;

    (void)state;
    begin(&p);
    p.a = open_node(&p, "a");
    p.b = open_node(&p, "b");
    settle_both(&p);
    for (uint32_t first = 0; first < p.a->slot_count; first++) {
        uint32_t owned = 0, by_worker = 0;

        for (uint32_t i = 0; i < 8; i++) {
            const struct slot *slot = &p.a->slots[(first + i) % p.a->slot_count];

            owned += slot->owned;
            by_worker += slot->owned && (first + i) % 2 == 0;
        }
        assert_in_range(owned, 3, 5);
        assert_in_range(by_worker, 1, owned - 1);
    }
    end(&p);
}

static void two_nodes_share_the_slots_and_the_one_left_has_all(void **state)
{
    struct pair p;

    (void)state;
    begin(&p);
    p.a = open_node(&p, "a");
    rig_put_many(&p.rig, "orders", 0, 1000);
    turn(p.a);
    p.b = open_node(&p, "b");
    settle_both(&p);
    assert_int_equal(slots_of(p.a), 32);
    assert_int_equal(slots_of(p.b), 32);
    rig_put_many(&p.rig, "orders", 1000, 2000);
    settle_both(&p);
    check_totals(&p, 2000);
    rig_put_many(&p.rig, "orders", 2000, 2500);
    turn(p.b);
    runtime_close(p.a);
    p.a = NULL;
    settle_both(&p);
    assert_int_equal(slots_of(p.b), 64);
    rig_put_many(&p.rig, "orders", 2500, 3000);
    settle_both(&p);
    check_totals(&p, 3000);
    end(&p);
}

/* Partitions of the topic on all nodes, each of which must be on one. */
static uint32_t count_partitions(const struct cluster_node *nodes, uint32_t count,
                                 const char *topic)
{
    uint32_t seen = 0;

    for (uint32_t n = 0; n < count; n++) {
        for (uint32_t q = 0; q < nodes[n].query_count; q++) {
            const struct cluster_query *query = &nodes[n].queries[q];

            for (uint32_t i = 0; i < query->partition_count; i++) {
                seen += bytes_equal_text(query->partitions[i].topic, topic);
            }
        }
    }
    return seen;
}

/* How many stores all nodes have, and how many records their changelogs. */
static uint32_t count_stores(const struct cluster_node *nodes, uint32_t count, int64_t *records)
{
    uint32_t seen = 0;

    *records = 0;
    for (uint32_t n = 0; n < count; n++) {
        for (uint32_t q = 0; q < nodes[n].query_count; q++) {
            for (uint32_t i = 0; i < nodes[n].queries[q].store_count; i++) {
                *records += nodes[n].queries[q].stores[i].end;
                seen++;
            }
        }
    }
    return seen;
}

static void every_node_tells_the_same_of_who_runs_what(void **state)
{
    struct cluster_node *nodes = NULL;
    struct error err = { 0 };
    struct pair p;
    uint32_t count = 0;
    int64_t records = 0;

    (void)state;
    begin(&p);
    rig_open(&p.rig, "a");
    p.a = p.rig.rt;
    assert_int_equal(runtime_list_nodes(p.a, &p.rig.arena, &nodes, &count, &err), 0);
    assert_int_equal(count, 1); /* itself, though nothing runs */
    assert_int_equal(nodes[0].query_count, 0);
    runtime_close(p.a);
    p.a = open_node(&p, "a");
    p.b = open_node(&p, "b");
    rig_put_many(&p.rig, "orders", 0, 100);
    settle_both(&p);
    for (int i = 0; i < 2; i++) {
        struct runtime *asked = i ? p.b : p.a;

        assert_int_equal(runtime_list_nodes(asked, &p.rig.arena, &nodes, &count, &err), 0);
        assert_int_equal(count, 2);
        assert_int_equal(count_partitions(nodes, count, "orders"), 2 * PARTITIONS);
        assert_int_equal(count_stores(nodes, count, &records), PARTITIONS);
        assert_true(records > 0);
        assert_true(nodes[0].query_count > 0 && nodes[1].query_count > 0);
        assert_true(!bytes_equal(nodes[0].client_id, nodes[1].client_id));
    }
    end(&p);
}

/* Nothing need be recovered by the one who gives: its last commit is in time. */
static void given_up_slots_are_committed_under_the_generation_that_takes_them(void **state)
{
    struct pair p;

    (void)state;
    begin(&p);
    p.rig.options.cache_bytes = 1 << 20;
    p.rig.options.commit_interval_ms = 3600000;
    p.a = open_node(&p, "a");
    turn(p.a);
    rig_put_many(&p.rig, "orders", 0, 1000);
    turn(p.a);
    assert_int_equal(rig_count(&p.rig, "TOTALS"), 0);
    p.b = open_node(&p, "b");
    turn(p.a);
    assert_int_equal(atomic_load(&p.a->lost_workers), 0);
    assert_int_equal(p.a->workers[0].failures, 0);
    assert_true(rig_count(&p.rig, "TOTALS") > 0);
    settle_both(&p);
    assert_int_equal(rig_count(&p.rig, "COPY"), 1000);
    end(&p);
}

/* Has uncommitted work in node a, and node b in its place. */
static void make_zombie(struct pair *p)
{
    p->rig.options.cache_bytes = 1 << 20;
    p->rig.options.commit_interval_ms = 3600000;
    p->a = open_node(p, "a");
    turn(p->a);
    rig_put_many(&p->rig, "orders", 0, 1000);
    turn(p->a);
    p->rig.options.cache_bytes = 0;
    p->b = open_node(p, "b");
    turn(p->b);
    clock_advance(&p->rig.clock, SESSION_TIMEOUT_MS + 1000);
    turn(p->b);
    assert_int_equal(slots_of(p->b), 64);
}

/* The former zombie would hold back what it emits, as it was told to. */
static void leave(struct pair *p)
{
    runtime_close(p->a);
    p->a = NULL;
    settle_both(p);
    assert_int_equal(slots_of(p->b), 64);
}

static void zombie_is_refused_its_commit(void **state)
{
    struct pair p;

    (void)state;
    begin(&p);
    make_zombie(&p);
    commit_now(&p.a->workers[0]);
    assert_int_equal(p.a->workers[0].phase, WORKER_LOST);
    settle_both(&p);
    check_totals(&p, 1000);
    leave(&p);
    rig_put_many(&p.rig, "orders", 1000, 2000);
    settle_both(&p);
    check_totals(&p, 2000);
    end(&p);
}

static void zombie_that_wakes_does_not_repeat_what_another_did(void **state)
{
    struct pair p;

    (void)state;
    begin(&p);
    make_zombie(&p);
    turn(p.b);
    settle_both(&p);
    assert_int_equal(slots_of(p.a), 32);
    leave(&p);
    rig_put_many(&p.rig, "orders", 1000, 2000);
    settle_both(&p);
    check_totals(&p, 2000);
    end(&p);
}

/* The positions were sent in time, but the new owner has read since. */
static void commit_that_comes_behind_the_new_owners_reading_is_refused(void **state)
{
    struct pair p;
    struct error err = { 0 };
    int code;

    (void)state;
    begin(&p);
    p.a = open_node(&p, "a");
    turn(p.a);
    rig_put_many(&p.rig, "orders", 0, 1000);
    p.a->workers[0].has_threads = true; /* commits wait for a thread that is not there */
    turn(p.a);
    assert_int_equal(p.a->workers[0].phase, WORKER_COMMITTING);
    p.b = open_node(&p, "b");
    clock_advance(&p.rig.clock, SESSION_TIMEOUT_MS + 1000);
    turn(p.b);
    assert_int_equal(slots_of(p.b), 64);
    code = commit_execute(&p.a->workers[0], &err);
    assert_int_equal(code, ERR_FENCED);
    p.a->workers[0].has_threads = false;
    commit_finish(&p.a->workers[0], code, &err);
    settle_both(&p);
    check_totals(&p, 1000);
    end(&p);
}

static void nodes_that_come_and_go_at_random_count_each_record_once(void **state)
{
    (void)state;
    for (unsigned first = 1; first <= 8; first++) {
        unsigned seed = first;
        struct pair p;
        int records = 0;

        begin(&p);
        p.rig.batch_rows = 5;
        p.a = open_node(&p, "a");
        for (int i = 0; i < 60; i++) {
            int dice = rand_r(&seed) % 12;

            rig_put_many(&p.rig, "orders", records, records + KEYS);
            records += KEYS;
            if (dice == 0 && !p.b) {
                p.b = open_node(&p, "b");
            } else if (dice == 1 && p.b) {
                runtime_close(p.b);
                p.b = NULL;
            } else if (dice == 2) {
                clock_advance(&p.rig.clock, SESSION_TIMEOUT_MS + 1);
            } else if (dice == 3) {
                log_memory_fail(p.rig.log, LOG_FAULT_COMMIT_APPLIED, 1);
            } else if (dice == 4) {
                log_memory_fail(p.rig.log, LOG_FAULT_COMMIT_LOST, 1);
            }
            for (int n = rand_r(&seed) % 8; n > 0; n--) {
                struct runtime *rt = p.b && rand_r(&seed) % 2 ? p.b : p.a;

                runtime_step(rt);
            }
        }
        clock_advance(&p.rig.clock, 60000);
        settle_both(&p);
        clock_advance(&p.rig.clock, 4000);
        settle_both(&p);
        check_totals(&p, records);
        end(&p);
    }
}

/* --- queries of one node --- */

/* What is not there yet must not be taken along by the commits of what is. */
static void query_that_starts_after_its_neighbour_goes_on_where_it_stood(void **state)
{
    struct rig f;
    const struct physical_plan *one, *two;
    struct error err = { 0 };

    (void)state;
    rig_init(&f);
    rig_open(&f, "node");
    rig_topic(&f, "orders", 2);
    rig_sql(&f, orders);
    one = rig_sql(&f, "CREATE STREAM one AS SELECT id, qty FROM orders;");
    two = rig_sql(&f, "CREATE STREAM two AS SELECT id, qty FROM orders;");
    rig_put_many(&f, "orders", 0, 500);
    rig_drain(&f);
    for (int round = 1; round <= 4; round++) {
        runtime_close(f.rt);
        rig_open(&f, "node");
        rig_put_many(&f, "orders", round * 500, round * 500 + 500);
        rig_start(&f, round % 2 ? one : two);
        rig_drain(&f);
        assert_int_equal(runtime_crash(f.rt, &err), 0);
        rig_start(&f, round % 2 ? two : one);
        rig_drain(&f);
        assert_int_equal(rig_count(&f, "ONE"), (uint64_t)round * 500 + 500);
        assert_int_equal(rig_count(&f, "TWO"), (uint64_t)round * 500 + 500);
    }
    rig_fini(&f);
}

static void query_that_starts_while_its_worker_is_lost_runs_once(void **state)
{
    struct rig f;
    struct error err = { 0 };

    (void)state;
    rig_init(&f);
    rig_open(&f, "node");
    rig_topic(&f, "orders", 2);
    rig_sql(&f, orders);
    rig_sql(&f, "CREATE STREAM one AS SELECT id, qty FROM orders;");
    rig_drain(&f);
    error_set(&err, ERR_LOG_UNAVAILABLE, NO_POSITION, "test");
    worker_lose(&f.rt->workers[0], &err);
    rig_sql(&f, "CREATE STREAM two AS SELECT id, qty FROM orders;");
    rig_put_many(&f, "orders", 0, 500);
    rig_drain(&f);
    assert_int_equal(rig_count(&f, "ONE"), 500);
    assert_int_equal(rig_count(&f, "TWO"), 500);
    rig_fini(&f);
}

static void start_that_fails_leaves_the_state_of_before(void **state)
{
    struct rig f;
    const struct physical_plan *totals;
    const struct log_topic *before, *after;
    struct error err = { 0 };

    (void)state;
    rig_init(&f);
    rig_open(&f, "node");
    rig_topic(&f, "orders", 1);
    rig_sql(&f, orders);
    totals = rig_sql(&f, "CREATE TABLE totals AS SELECT item, COUNT(*) AS n FROM orders "
                         "GROUP BY item;");
    rig_put_many(&f, "orders", 0, 100);
    rig_drain(&f);
    assert_int_equal(log_open_topic(f.log, totals->outputs[0].topic, &before, &err), 0);
    runtime_close(f.rt);
    assert_int_equal(log_delete_topic(f.log, (struct bytes)BYTES("orders"), &err), 0);
    rig_open(&f, "node");
    assert_int_equal(runtime_start(f.rt, totals, &f.options, NULL, &err), ERR_UNKNOWN_TOPIC);
    assert_int_equal(log_open_topic(f.log, totals->outputs[0].topic, &after, &err), 0);
    assert_int_equal(after->incarnation, before->incarnation);
    rig_topic(&f, "orders", 1);
    rig_start(&f, totals);
    rig_put_many(&f, "orders", 100, 105);
    rig_drain(&f);
    assert_non_null(strstr(rig_read(&f, "TOTALS").data, "k0={\"N\":21}@100"));
    rig_fini(&f);
}

/* Dead cohorts are cleared away, so what recovery reads does not grow with its count. */
static void progress_does_not_grow_with_recoveries(void **state)
{
    struct rig f;
    struct error err = { 0 };
    uint32_t before = 0;

    (void)state;
    rig_init(&f);
    rig_open(&f, "node");
    rig_topic(&f, "orders", 1);
    rig_sql(&f, orders);
    rig_sql(&f, "CREATE STREAM one AS SELECT id, qty FROM orders;");
    rig_sql(&f, "CREATE TABLE totals AS SELECT item, COUNT(*) AS n FROM orders GROUP BY item;");
    for (int i = 0; i < 20; i++) {
        uint32_t records = 0;

        rig_put_many(&f, "orders", i * 10, i * 10 + 10);
        rig_drain(&f);
        assert_int_equal(runtime_crash(f.rt, &err), 0);
        for (uint32_t slot = 0; slot < f.rt->slot_count; slot++) {
            records += progress_record_count(f.rt->slots[slot].progress);
        }
        assert_true(i < 5 || records == before);
        before = records;
    }
    assert_int_equal(rig_count(&f, "ONE"), 200);
    rig_fini(&f);
}

static void sources_of_one_name_keep_apart_who_reads_them(void **state)
{
    struct rig f;
    const struct physical_plan *two;
    const struct log_topic *topic;
    struct error err = { 0 };

    (void)state;
    rig_init(&f);
    rig_open(&f, "node");
    rig_topic(&f, "orders", 1);
    rig_sql(&f, orders);
    rig_sql(&f, "CREATE STREAM one AS SELECT id, qty FROM orders;");
    rig_put_many(&f, "orders", 0, 100);
    rig_drain(&f);
    catalog_remove_source(f.catalog, (struct bytes)BYTES("ORDERS"));
    rig_sql(&f, "CREATE STREAM orders (id STRING KEY, item STRING, qty INT, more INT) "
                "WITH (KAFKA_TOPIC='orders', VALUE_FORMAT='JSON');");
    f.options.gate = QUERY_GATED;
    two = rig_sql(&f, "CREATE STREAM two AS SELECT id, qty, more FROM orders;");
    rig_drain(&f); /* it is born at 0, the first stands at 100 */
    assert_int_equal(runtime_crash(f.rt, &err), 0);
    assert_int_equal(log_open_topic(f.log, (struct bytes)BYTES("orders"), &topic, &err), 0);
    assert_int_equal(runtime_open_gate(f.rt, two->query_id, topic, 0, INT64_MAX, &err), 0);
    rig_drain(&f);
    assert_int_equal(rig_count(&f, "ONE"), 100);
    assert_int_equal(rig_count(&f, "TWO"), 100);
    rig_fini(&f);
}

static int64_t sent_position(struct pair *p, uint32_t slot)
{
    struct group_position position = { .topic = p->a->slots_topic, .partition = p->a->seats[slot] };
    struct arena arena;

    arena_init(&arena, 0);
    assert_int_equal(log_group_positions(p->rig.log, p->a->group, &position, 1, &arena, NULL), 0);
    arena_fini(&arena);
    return position.offset;
}

/* It would hide who sent the last one, and with it what that one has left open. */
static void no_position_is_sent_of_a_slot_before_its_former_owner_was_waited_for(void **state)
{
    struct pair p;
    uint32_t slots[2];
    int64_t former[2];

    (void)state;
    begin(&p);
    p.a = open_node(&p, "a");
    slots[0] = slot_of(p.a, bytes_of("orders"), 0);
    slots[1] = slot_of(p.a, bytes_of("orders"), 1);
    rig_put_many(&p.rig, "orders", 0, 100);
    settle_both(&p);
    former[0] = sent_position(&p, slots[0]);
    former[1] = sent_position(&p, slots[1]);
    assert_true(former[0] > 0);
    p.a->slots[slots[0]].fenced = false;
    rig_put_many(&p.rig, "orders", 100, 200);
    settle_both(&p);
    assert_int_equal(sent_position(&p, slots[0]), former[0]);
    assert_true(sent_position(&p, slots[1]) > former[1]);
    assert_int_equal(rig_count(&p.rig, "COPY"), 200);
    end(&p);
}

/* Or a service without much to do would write one per slot into the group's topic all the time. */
static void positions_are_sent_of_all_slots_once_and_then_of_those_that_are_written(void **state)
{
    struct pair p;
    bool has_tasks[SLOT_COUNT_MAX] = { false };

    (void)state;
    begin(&p);
    p.a = open_node(&p, "a");
    rig_put_many(&p.rig, "orders", 0, 100);
    settle_both(&p);
    for (uint32_t i = 0; i < PARTITIONS; i++) {
        has_tasks[slot_of(p.a, bytes_of("orders"), i)] = true;
        has_tasks[slot_of(p.a, p.totals->subs[1].root_topic, i)] = true;
    }
    for (uint32_t i = 0; i < p.a->slot_count; i++) {
        assert_true(sent_position(&p, i) > 0);
        assert_true(has_tasks[i] || sent_position(&p, i) == 1);
    }
    end(&p);
}

/* Another one of its id puts it out; when that one is gone, it is back. */
static void node_whose_id_was_taken_comes_back_when_the_id_is_free(void **state)
{
    struct rig f;
    struct runtime_config config = { .clock = &f.clock,
                                     .service_id = BYTES("test"),
                                     .node_id = BYTES("a"),
                                     .instance_id = BYTES("a"),
                                     .worker_count = 1,
                                     .mode = RUNTIME_STEPPED };
    struct member_spec spec = { .client_id = BYTES("b"),
                                .instance_id = BYTES("a"),
                                .session_timeout_ms = 6000 };
    struct log_member *other = NULL;

    (void)state;
    rig_init(&f);
    config.log = f.log;
    assert_int_equal(runtime_open(&config, &f.rt, NULL), 0);
    rig_topic(&f, "orders", 1);
    rig_sql(&f, orders);
    rig_sql(&f, "CREATE STREAM copy AS SELECT id, qty FROM orders;");
    turn(f.rt);
    assert_int_equal(slots_of(f.rt), f.rt->slot_count);
    spec.topic = f.rt->slots_topic->name;
    spec.group = f.rt->group;
    assert_int_equal(log_member_join(f.log, &spec, &other, NULL), 0);
    for (int i = 0; i < 20; i++) {
        (void)log_member_poll(other, 0, NULL);
        turn(f.rt);
        clock_advance(&f.clock, 1000);
    }
    assert_int_equal(slots_of(f.rt), 0);
    log_member_leave(other);
    for (int i = 0; i < 20; i++) {
        clock_advance(&f.clock, 1000);
        turn(f.rt);
    }
    assert_int_equal(slots_of(f.rt), f.rt->slot_count);
    rig_put_many(&f, "orders", 0, 10);
    rig_drain(&f);
    assert_int_equal(rig_count(&f, "COPY"), 10);
    rig_fini(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_nodes_share_the_slots_and_the_one_left_has_all),
        cmocka_unit_test(two_nodes_share_the_partitions_of_every_topic),
        cmocka_unit_test(every_node_tells_the_same_of_who_runs_what),
        cmocka_unit_test(given_up_slots_are_committed_under_the_generation_that_takes_them),
        cmocka_unit_test(node_whose_id_was_taken_comes_back_when_the_id_is_free),
        cmocka_unit_test(zombie_is_refused_its_commit),
        cmocka_unit_test(no_position_is_sent_of_a_slot_before_its_former_owner_was_waited_for),
        cmocka_unit_test(positions_are_sent_of_all_slots_once_and_then_of_those_that_are_written),
        cmocka_unit_test(zombie_that_wakes_does_not_repeat_what_another_did),
        cmocka_unit_test(commit_that_comes_behind_the_new_owners_reading_is_refused),
        cmocka_unit_test(nodes_that_come_and_go_at_random_count_each_record_once),
        cmocka_unit_test(query_that_starts_after_its_neighbour_goes_on_where_it_stood),
        cmocka_unit_test(query_that_starts_while_its_worker_is_lost_runs_once),
        cmocka_unit_test(start_that_fails_leaves_the_state_of_before),
        cmocka_unit_test(progress_does_not_grow_with_recoveries),
        cmocka_unit_test(sources_of_one_name_keep_apart_who_reads_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
