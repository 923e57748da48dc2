/*
 * test_runtime_causal.c: a stream joined with tables that derive from it: a tote pool.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/queue.h"
#include "engine/runtime/runtime_internal.h"
#include "tests/unit/tote_pool.h"

static void begin(struct pool *p, unsigned seed, uint32_t partitions)
{
    *p = (struct pool){ 0 };
    rig_init(&p->f);
    p->f.prefix = "";
    pool_init(p, seed, partitions);
}

/* --- batches --- */

static void bets_one_at_a_time_meet_exactly_the_pools_up_to_them(void **state)
{
    struct pool p;

    (void)state;
    begin(&p, 1, 1);
    p.f.options.cache_bytes = 1 << 20;
    rig_open(&p.f, "node");
    pool_make(&p);
    p.odds = rig_sql(&p.f, pool_odds_sql);
    while (p.put < BETS) {
        pool_put(&p, 1);
        rig_drain(&p.f);
        pool_check(&p); /* with nothing behind it, the prefix is that of the bet */
    }
    rig_fini(&p.f);
}

/* No drain, and no time passes: neither the cache nor the commit interval delays them. */
static void awaited_aggregates_emit_at_every_commit(void **state)
{
    struct pool p;

    (void)state;
    begin(&p, 2, 1);
    p.f.options.cache_bytes = 1 << 20;
    p.f.options.commit_interval_ms = 60000;
    rig_open(&p.f, "node");
    pool_make(&p);
    p.odds = rig_sql(&p.f, pool_odds_sql);
    rig_drain(&p.f);
    while (p.put < 20) {
        pool_put(&p, 1);
        while (runtime_step(p.f.rt)) {
        }
        pool_check(&p);
    }
    rig_fini(&p.f);
}

static void replay_from_the_beginning_joins_every_bet(void **state)
{
    struct pool p;

    (void)state;
    for (unsigned seed = 1; seed <= 4; seed++) {
        begin(&p, seed, 1);
        p.f.options.cache_bytes = seed % 2 ? 1 << 20 : 0;
        p.f.batch_rows = seed > 2 ? 7 : 0;
        rig_open(&p.f, "node");
        pool_put(&p, BETS);
        pool_make(&p);
        p.odds = rig_sql(&p.f, pool_odds_sql);
        rig_drain(&p.f);
        pool_check(&p);
        rig_fini(&p.f);
    }
}

/* Between batches it goes on for a while, to the end, not at all, or begins anew. */
static void stir(struct pool *p, bool crashes)
{
    struct error err = { 0 };

    switch (pool_dice(p, 5)) {
    case 0:
        rig_drain(&p->f);
        break;
    case 1:
        clock_advance(&p->f.clock, pool_dice(p, 200));
        break;
    case 2:
        assert_true(!crashes || runtime_crash(p->f.rt, &err) == 0);
        break;
    default:
        for (int n = pool_dice(p, 40); n > 0; n--) {
            (void)runtime_step(p->f.rt);
        }
        break;
    }
}

static void run_batching(unsigned seed, uint32_t partitions, bool crashes)
{
    static const uint32_t rows[] = { 0, 1, 3, 7 };
    struct pool p;

    begin(&p, seed, partitions);
    p.f.options.cache_bytes = seed % 2 ? 1 << 20 : 0;
    p.f.batch_rows = rows[pool_dice(&p, 4)];
    p.f.workers = 1 + (uint32_t)pool_dice(&p, 3);
    log_memory_set_gaps(p.f.log, seed % 3 == 0);
    rig_open(&p.f, "node");
    pool_put(&p, pool_dice(&p, 2) * pool_dice(&p, 50));
    pool_make(&p);
    p.odds = rig_sql(&p.f, pool_odds_sql);
    while (p.put < BETS) {
        pool_put(&p, 1 + pool_dice(&p, 40));
        stir(&p, crashes);
    }
    rig_drain(&p.f);
    pool_check(&p);
    rig_fini(&p.f);
}

static void hundred_shuffled_batchings_all_hold(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= 100; seed++) {
        run_batching(seed, 1, false);
    }
}

static void crashes_in_the_middle_change_nothing(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= 40; seed++) {
        run_batching(1000 + seed, 1, true);
    }
}

static void bets_of_several_partitions_wait_for_those_before_them(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= 20; seed++) {
        run_batching(2000 + seed, POOL_PARTITIONS_MAX, seed % 2);
    }
}

static void same_steps_give_the_same_bytes(void **state)
{
    struct bytes first = { 0 };
    struct arena arena;

    (void)state;
    arena_init(&arena, 0);
    for (int round = 0; round < 2; round++) {
        struct pool p;
        struct bytes text;

        begin(&p, 5, 1);
        p.f.workers = 3;
        rig_open(&p.f, "node");
        pool_make(&p);
        p.odds = rig_sql(&p.f, pool_odds_sql);
        while (p.put < BETS) {
            pool_put(&p, 1 + pool_dice(&p, 20));
            for (int n = pool_dice(&p, 12); n > 0; n--) {
                (void)runtime_step(p.f.rt);
            }
        }
        rig_drain(&p.f);
        text = arena_copy(&arena, rig_read(&p.f, "$ODDS"));
        assert_true(round == 0 || bytes_equal(first, text));
        first = text;
        rig_fini(&p.f);
    }
    arena_fini(&arena);
}

/* --- threads --- */

static void run_threads(unsigned seed, uint32_t workers)
{
    struct queue pause; /* never has anything */
    struct pool p;

    queue_init(&pause, 1);
    begin(&p, seed, 1);
    clock_init_real(&p.f.clock);
    p.f.mode = RUNTIME_THREADED;
    p.f.workers = workers;
    p.f.options.cache_bytes = seed % 2 ? 1 << 20 : 0;
    p.f.options.commit_interval_ms = 60000; /* awaited ones do not wait for it */
    log_memory_set_gaps(p.f.log, seed % 3 == 0);
    rig_open(&p.f, "node");
    pool_put(&p, pool_dice(&p, 60));
    pool_make(&p);
    p.odds = rig_sql(&p.f, pool_odds_sql);
    while (p.put < BETS) {
        pool_put(&p, 1 + pool_dice(&p, 30));
        if (pool_dice(&p, 2)) {
            (void)queue_take(&pause, 1); /* lets the threads run */
        }
    }
    rig_drain(&p.f);
    pool_check(&p);
    rig_fini(&p.f);
    queue_fini(&pause);
}

static void it_holds_whatever_the_threads_do(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= 8; seed++) {
        run_threads(seed, 1 + seed % 4);
    }
}

/* --- nodes --- */

static struct runtime *open_node(struct pool *p, const char *name)
{
    rig_open(&p->f, name);
    rig_start(&p->f, p->by_runner);
    rig_start(&p->f, p->by_race);
    rig_start(&p->f, p->runner_pools);
    rig_start(&p->f, p->race_pools);
    rig_start(&p->f, p->odds);
    return p->f.rt;
}

static void turn(struct runtime *const *nodes)
{
    for (int i = 0; i < 40; i++) {
        for (int n = 0; n < 2; n++) {
            for (int step = 0; nodes[n] && step < 10 && runtime_step(nodes[n]); step++) {
            }
        }
    }
}

/* Where the queries that a join waits for run is read from the progress topic. */
static void nodes_wait_for_each_other(void **state)
{
    struct pool p;

    (void)state;
    for (unsigned seed = 1; seed <= 4; seed++) {
        struct runtime *nodes[2] = { NULL };

        begin(&p, 3000 + seed, POOL_PARTITIONS_MAX);
        p.f.options.causal_wait_ms = INT64_MAX / 4; /* never */
        log_memory_set_gaps(p.f.log, seed % 2);
        pool_make(&p);
        p.odds = pool_make_one(&p, pool_odds_sql);
        nodes[0] = open_node(&p, "a");
        pool_put(&p, 20);
        turn(nodes);
        nodes[1] = open_node(&p, "b");
        while (p.put < BETS) {
            pool_put(&p, 1 + pool_dice(&p, 30));
            turn(nodes);
            clock_advance(&p.f.clock, 500);
        }
        for (int i = 0; i < 20; i++) {
            turn(nodes);
            clock_advance(&p.f.clock, 500);
        }
        pool_check(&p);
        runtime_close(nodes[0]);
        rig_fini(&p.f);
    }
}

/* --- queries that get nowhere --- */

static void paused_query_holds_the_join_for_a_while_and_nobody_else(void **state)
{
    struct pool p;

    (void)state;
    begin(&p, 3, 1);
    rig_open(&p.f, "node");
    pool_make(&p);
    p.odds = rig_sql(&p.f, pool_odds_sql);
    rig_sql(&p.f, "CREATE STREAM copy AS SELECT runner_id, amount FROM bets;");
    pool_put(&p, 100);
    rig_drain(&p.f);
    assert_int_equal(runtime_pause(p.f.rt, p.race_pools->query_id, NULL), 0);
    pool_put(&p, 10);
    rig_drain(&p.f);
    assert_int_equal(rig_count(&p.f, "$ODDS"), 100);
    assert_int_equal(rig_count(&p.f, "COPY"), 110);
    clock_advance(&p.f.clock, 9999);
    rig_drain(&p.f);
    assert_int_equal(rig_count(&p.f, "$ODDS"), 100);
    clock_advance(&p.f.clock, 1);
    rig_drain(&p.f);
    assert_int_equal(rig_count(&p.f, "$ODDS"), 110);
    pool_put(&p, 10); /* it is known by now */
    rig_drain(&p.f);
    assert_int_equal(rig_count(&p.f, "$ODDS"), 120);
    rig_fini(&p.f);
}

static void resumed_query_is_waited_for_again(void **state)
{
    struct pool p;

    (void)state;
    begin(&p, 4, 1);
    rig_open(&p.f, "node");
    pool_make(&p);
    p.odds = rig_sql(&p.f, pool_odds_sql);
    assert_int_equal(runtime_pause(p.f.rt, p.by_runner->query_id, NULL), 0);
    pool_put(&p, 100);
    rig_drain(&p.f);
    assert_int_equal(rig_count(&p.f, "$ODDS"), 0);
    assert_int_equal(runtime_resume(p.f.rt, p.by_runner->query_id, NULL), 0);
    rig_drain(&p.f);
    pool_check(&p);
    assert_int_equal(runtime_pause(p.f.rt, p.by_runner->query_id, NULL), 0);
    pool_put(&p, BETS);
    rig_drain(&p.f);
    assert_int_equal(rig_count(&p.f, "$ODDS"), 100);
    assert_int_equal(runtime_resume(p.f.rt, p.by_runner->query_id, NULL), 0);
    rig_drain(&p.f);
    pool_check(&p);
    rig_fini(&p.f);
}

static void stopped_query_is_waited_for_no_longer_than_a_paused_one(void **state)
{
    struct error err = { 0 };
    struct pool p;

    (void)state;
    begin(&p, 5, 1);
    p.f.options.causal_wait_ms = 500;
    rig_open(&p.f, "node");
    pool_make(&p);
    p.odds = rig_sql(&p.f, pool_odds_sql);
    pool_put(&p, 100);
    rig_drain(&p.f);
    assert_int_equal(runtime_stop(p.f.rt, p.runner_pools->query_id, &err), 0);
    pool_put(&p, 20);
    rig_drain(&p.f);
    assert_int_equal(rig_count(&p.f, "$ODDS"), 100);
    clock_advance(&p.f.clock, 500);
    rig_drain(&p.f);
    assert_int_equal(rig_count(&p.f, "$ODDS"), 120);
    assert_int_equal(runtime_stop(p.f.rt, p.odds->query_id, &err), 0);
    rig_fini(&p.f);
}

static void join_that_is_stopped_while_it_waits_leaves_nothing_behind(void **state)
{
    struct error err = { 0 };
    struct pool p;

    (void)state;
    begin(&p, 6, 1);
    rig_open(&p.f, "node");
    pool_make(&p);
    p.odds = rig_sql(&p.f, pool_odds_sql);
    assert_int_equal(runtime_pause(p.f.rt, p.race_pools->query_id, NULL), 0);
    pool_put(&p, 50);
    rig_drain(&p.f);
    assert_int_equal(runtime_crash(p.f.rt, &err), 0);
    rig_drain(&p.f);
    assert_int_equal(runtime_stop(p.f.rt, p.odds->query_id, &err), 0);
    assert_int_equal(runtime_resume(p.f.rt, p.race_pools->query_id, NULL), 0);
    rig_drain(&p.f);
    assert_int_equal(rig_count(&p.f, "$ODDS"), 0);
    rig_fini(&p.f);
}

/* --- plans --- */

static bool is_causal(const struct physical_plan *plan)
{
    for (uint32_t i = 0; i < plan->sub_count; i++) {
        if (plan->subs[i].causal) {
            return true;
        }
    }
    return false;
}

static const struct physical_plan *plan_sum_join(struct pool *p)
{
    return rig_plan(&p->f, "CREATE STREAM j AS SELECT b.runner_id, amount, pool FROM by_runner b "
                           "JOIN runner_pools r ON b.runner_id = r.runner_id;");
}

static void only_tables_that_derive_from_the_stream_are_waited_for(void **state)
{
    struct pool p;

    (void)state;
    begin(&p, 7, 1);
    rig_topic(&p.f, "names", 1);
    rig_topic(&p.f, "other", 1);
    rig_open(&p.f, "node");
    pool_make(&p);
    rig_sql(&p.f, "CREATE TABLE names (id INT PRIMARY KEY, name STRING) WITH "
                  "(KAFKA_TOPIC='names', VALUE_FORMAT='JSON');");
    rig_sql(&p.f, "CREATE TABLE same (id INT PRIMARY KEY, amount DOUBLE) WITH "
                  "(KAFKA_TOPIC='$BY_RUNNER', VALUE_FORMAT='JSON');");
    rig_sql(&p.f, "CREATE STREAM other (id INT KEY, v INT) WITH "
                  "(KAFKA_TOPIC='other', VALUE_FORMAT='JSON');");
    assert_true(is_causal(plan_sum_join(&p)));
    assert_false(is_causal(rig_plan(&p.f, "CREATE STREAM k AS SELECT b.runner_id, name FROM "
                                          "by_runner b JOIN names n ON b.runner_id = n.id;")));
    assert_false(is_causal(rig_plan(&p.f, "CREATE STREAM l AS SELECT b.runner_id, s.amount FROM "
                                          "by_runner b JOIN same s ON b.runner_id = s.id;")));
    assert_false(is_causal(rig_plan(&p.f, "CREATE STREAM m AS SELECT o.id, pool FROM other o "
                                          "JOIN runner_pools r ON o.id = r.runner_id;")));
    p.f.settings.joins_at_once = true;
    assert_false(is_causal(rig_plan(&p.f, pool_odds_sql)));
    rig_fini(&p.f);
}

static void join_at_once_does_not_wait(void **state)
{
    struct pool p;

    (void)state;
    begin(&p, 8, 1);
    rig_open(&p.f, "node");
    pool_make(&p);
    p.f.settings.joins_at_once = true;
    p.odds = rig_sql(&p.f, pool_odds_sql);
    assert_int_equal(runtime_pause(p.f.rt, p.race_pools->query_id, NULL), 0);
    pool_put(&p, 50);
    rig_drain(&p.f);
    assert_int_equal(rig_count(&p.f, "$ODDS"), 0); /* joined with nothing, and dropped */
    assert_int_equal(runtime_resume(p.f.rt, p.race_pools->query_id, NULL), 0);
    rig_drain(&p.f);
    assert_int_equal(rig_count(&p.f, "$ODDS"), 0);
    rig_fini(&p.f);
}

/* What the join makes goes back into the stream that its table is made of. */
static void join_that_feeds_its_own_table_does_not_wait_for_itself(void **state)
{
    struct pool p;

    (void)state;
    begin(&p, 9, 1);
    rig_topic(&p.f, "fees", 1);
    rig_open(&p.f, "node");
    rig_sql(&p.f, "CREATE STREAM bets (runner_id INT, race_id INT, amount DOUBLE) WITH "
                  "(KAFKA_TOPIC='$bets', VALUE_FORMAT='JSON');");
    rig_sql(&p.f, "CREATE STREAM all_bets (runner_id INT KEY, amount DOUBLE) WITH "
                  "(KAFKA_TOPIC='fees', VALUE_FORMAT='JSON');");
    rig_sql(&p.f, "INSERT INTO all_bets SELECT runner_id, amount FROM bets "
                  "PARTITION BY runner_id;");
    rig_sql(&p.f, "CREATE TABLE sums AS SELECT runner_id, SUM(amount) AS pool FROM all_bets "
                  "GROUP BY runner_id;");
    p.odds = rig_sql(&p.f, "INSERT INTO all_bets SELECT b.runner_id AS runner_id, pool * 0 AS "
                           "amount FROM bets b JOIN sums s ON b.runner_id = s.runner_id;");
    assert_true(is_causal(p.odds));
    while (p.put < BETS) {
        pool_put(&p, 10);
        rig_drain(&p.f);
        assert_int_equal(rig_count(&p.f, "fees"), 2 * p.put);
    }
    rig_fini(&p.f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bets_one_at_a_time_meet_exactly_the_pools_up_to_them),
        cmocka_unit_test(awaited_aggregates_emit_at_every_commit),
        cmocka_unit_test(replay_from_the_beginning_joins_every_bet),
        cmocka_unit_test(hundred_shuffled_batchings_all_hold),
        cmocka_unit_test(crashes_in_the_middle_change_nothing),
        cmocka_unit_test(bets_of_several_partitions_wait_for_those_before_them),
        cmocka_unit_test(same_steps_give_the_same_bytes),
        cmocka_unit_test(it_holds_whatever_the_threads_do),
        cmocka_unit_test(nodes_wait_for_each_other),
        cmocka_unit_test(paused_query_holds_the_join_for_a_while_and_nobody_else),
        cmocka_unit_test(resumed_query_is_waited_for_again),
        cmocka_unit_test(stopped_query_is_waited_for_no_longer_than_a_paused_one),
        cmocka_unit_test(join_that_is_stopped_while_it_waits_leaves_nothing_behind),
        cmocka_unit_test(only_tables_that_derive_from_the_stream_are_waited_for),
        cmocka_unit_test(join_at_once_does_not_wait),
        cmocka_unit_test(join_that_feeds_its_own_table_does_not_wait_for_itself),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
