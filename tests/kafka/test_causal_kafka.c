/*
 * test_causal_kafka.c: the tote pool on a real broker: each bet meets pools that have it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/kafka/kafka_rig.h"
#include "tests/unit/tote_pool.h"

static void begin(struct pool *p, unsigned seed, uint32_t partitions)
{
    *p = (struct pool){ 0 };
    kafka_rig_init(&p->f);
    pool_init(p, seed, partitions);
    p->f.options.cache_bytes = seed % 2 ? 1 << 20 : 0;
    rig_open(&p->f, "node");
}

static void make_all(struct pool *p)
{
    pool_make(p);
    p->odds = rig_sql(&p->f, pool_odds_sql);
    kafka_rig_await_slots(&p->f);
}

static void put_in_batches(struct pool *p, int upto)
{
    while (p->put < upto) {
        pool_put(p, 1 + pool_dice(p, upto - p->put < 30 ? upto - p->put : 30));
        if (pool_dice(p, 4) == 0) {
            rig_drain(&p->f);
        }
    }
}

static void finish(struct pool *p)
{
    rig_drain(&p->f);
    kafka_rig_await_count(&p->f, "$ODDS", BETS);
    pool_check(p);
    rig_fini(&p->f);
}

static void replay_from_the_beginning_joins_every_bet(void **state)
{
    struct pool p;

    (void)state;
    begin(&p, 1, 1);
    pool_put(&p, BETS);
    make_all(&p);
    finish(&p);
}

static void live_bets_in_any_batches_meet_pools_that_have_them(void **state)
{
    (void)state;
    for (unsigned seed = 2; seed <= 4; seed++) {
        struct pool p;

        begin(&p, seed, seed == 4 ? POOL_PARTITIONS_MAX : 1);
        pool_put(&p, pool_dice(&p, 50));
        make_all(&p);
        put_in_batches(&p, BETS);
        finish(&p);
    }
}

static void restart_in_the_middle_changes_nothing(void **state)
{
    struct pool p;

    (void)state;
    begin(&p, 5, 1);
    make_all(&p);
    put_in_batches(&p, BETS / 2);
    runtime_close(p.f.rt);
    pool_put(&p, 20);
    rig_open(&p.f, "node");
    rig_restart(&p.f, p.by_runner);
    rig_restart(&p.f, p.by_race);
    rig_restart(&p.f, p.runner_pools);
    rig_restart(&p.f, p.race_pools);
    rig_restart(&p.f, p.odds);
    kafka_rig_await_slots(&p.f);
    put_in_batches(&p, BETS);
    finish(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replay_from_the_beginning_joins_every_bet),
        cmocka_unit_test(live_bets_in_any_batches_meet_pools_that_have_them),
        cmocka_unit_test(restart_in_the_middle_changes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
