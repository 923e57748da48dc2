/*
 * tote_pool.h: a stream of bets, the pools that derive from it, and what their join must give.
 *
 * A bet is joined with the pools of its runner and of its race, which are sums over the same
 * bets re-keyed by other queries. Whatever the batches and whoever runs first, the pools that a
 * bet meets are those of the bets up to it or up to a later one, and they never go back.
 * Amounts are distinct, so a row of the result says which bet it is of.
 */
#ifndef SLUICE_TESTS_UNIT_TOTE_POOL_H
#define SLUICE_TESTS_UNIT_TOTE_POOL_H

#include "tests/unit/runtime_rig.h"

enum {
    BETS = 150,
    RUNNERS = 12,
    PER_RACE = 4,
    RACES = RUNNERS / PER_RACE,
    POOL_PARTITIONS_MAX = 3
};

struct bet {
    int runner;
    int amount;
    int partition;
};

struct pool {
    struct rig f;
    unsigned seed;
    uint32_t partitions;
    struct bet bets[BETS];
    int put; /* so many are in the log */
    const struct physical_plan *by_runner, *by_race, *runner_pools, *race_pools, *odds;
};

extern const char *const pool_odds_sql;

/* The rig is there; its prefix stands before the topics. */
void pool_init(struct pool *p, unsigned seed, uint32_t partitions);
int pool_dice(struct pool *p, int sides);
/* All but the join. Without a runtime yet: plans for those that are to come. */
void pool_make(struct pool *p);
const struct physical_plan *pool_make_one(struct pool *p, const char *sql);
void pool_put(struct pool *p, int count);
/* A right row for each bet that was put. */
void pool_check(struct pool *p);

#endif
