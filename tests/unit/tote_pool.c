/*
 * tote_pool.c: bets by a seed, and a model of their pools.
 */
#include "tests/unit/tote_pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

int pool_dice(struct pool *p, int sides)
{
    return rand_r(&p->seed) % sides;
}

static void make_bets(struct pool *p)
{
    int amounts[BETS];

    for (int i = 0; i < BETS; i++) {
        amounts[i] = i + 1;
    }
    for (int i = BETS - 1; i > 0; i--) {
        int j = pool_dice(p, i + 1);
        int other = amounts[j];

        amounts[j] = amounts[i];
        amounts[i] = other;
    }
    for (int i = 0; i < BETS; i++) {
        p->bets[i] =
            (struct bet){ pool_dice(p, RUNNERS), amounts[i], pool_dice(p, (int)p->partitions) };
    }
}

const char *const pool_odds_sql =
    "CREATE STREAM odds WITH (KAFKA_TOPIC='$ODDS') AS SELECT b.race_id AS race_id, b.runner_id AS "
    "runner, b.amount AS amount, "
    "r.pool AS runner_pool, c.pool AS race_pool, "
    "CASE WHEN r.pool = 0 THEN 0e0 ELSE c.pool / r.pool END AS odds FROM bets b "
    "JOIN runner_pools r ON b.runner_id = r.runner_id JOIN race_pools c ON b.race_id = c.race_id;";

const struct physical_plan *pool_make_one(struct pool *p, const char *sql)
{
    return p->f.rt ? rig_sql(&p->f, sql) : rig_plan(&p->f, sql);
}

void pool_make(struct pool *p)
{
    rig_sql(&p->f, "CREATE STREAM bets (runner_id INT, race_id INT, amount DOUBLE) WITH "
                   "(KAFKA_TOPIC='$bets', VALUE_FORMAT='JSON');");
    p->by_runner = pool_make_one(p, "CREATE STREAM by_runner WITH (KAFKA_TOPIC='$BY_RUNNER') AS "
                                    "SELECT * FROM bets PARTITION BY runner_id;");
    p->by_race = pool_make_one(p, "CREATE STREAM by_race WITH (KAFKA_TOPIC='$BY_RACE') AS SELECT * "
                                  "FROM bets PARTITION BY race_id;");
    p->runner_pools =
        pool_make_one(p, "CREATE TABLE runner_pools WITH (KAFKA_TOPIC='$RUNNER_POOLS') AS SELECT "
                         "runner_id, SUM(amount) AS pool "
                         "FROM by_runner GROUP BY runner_id;");
    p->race_pools = pool_make_one(p, "CREATE TABLE race_pools WITH (KAFKA_TOPIC='$RACE_POOLS') AS "
                                     "SELECT race_id, SUM(amount) AS pool "
                                     "FROM by_race GROUP BY race_id;");
}

void pool_init(struct pool *p, unsigned seed, uint32_t partitions)
{
    p->seed = seed;
    p->partitions = partitions;
    p->f.settings.default_key_format = format_find((struct bytes)BYTES("DELIMITED")); /* text */
    make_bets(p);
    rig_topic(&p->f, "$bets", partitions);
}

void pool_put(struct pool *p, int count)
{
    for (; count > 0 && p->put < BETS; count--) {
        const struct bet *bet = &p->bets[p->put++];
        char value[96];

        snprintf(value, sizeof value, "{\"RUNNER_ID\":%d,\"RACE_ID\":%d,\"AMOUNT\":%d}",
                 bet->runner, bet->runner / PER_RACE, bet->amount);
        rig_put_at(&p->f, "$bets", (uint32_t)bet->partition, "", value, p->put);
    }
}

/* --- what the rows must be --- */

struct odds_row {
    int bet;
    double runner_pool, race_pool, odds;
};

static double field(const char *line, const char *name)
{
    char pattern[32];
    const char *at;

    snprintf(pattern, sizeof pattern, "\"%s\":", name);
    at = strstr(line, pattern);
    assert_non_null(at);
    return strtod(at + strlen(pattern), NULL);
}

static struct odds_row read_row(const struct pool *p, const char *line)
{
    struct odds_row row = { .runner_pool = field(line, "RUNNER_POOL"),
                            .race_pool = field(line, "RACE_POOL"),
                            .odds = field(line, "ODDS") };
    int amount = (int)field(line, "AMOUNT");

    while (row.bet < BETS && p->bets[row.bet].amount != amount) {
        row.bet++;
    }
    assert_true(row.bet < BETS);
    return row;
}

/* Whether the pool is that of the bets before some moment, behind the bet or later. */
static bool is_pool_since(const struct pool *p, int bet, bool of_race, double pool)
{
    const struct bet *of = &p->bets[bet];
    double sum = 0;

    for (int i = 0; i < p->put; i++) {
        const struct bet *other = &p->bets[i];

        sum += other->runner == of->runner ||
                       (of_race && other->runner / PER_RACE == of->runner / PER_RACE)
                   ? other->amount
                   : 0;
        if (i >= bet && sum == pool) {
            return true;
        }
    }
    return false;
}

/* Bets of several partitions have no order: at least those before it in its own, itself too. */
static bool is_pool_between(const struct pool *p, int bet, bool of_race, double pool)
{
    const struct bet *of = &p->bets[bet];
    double least = 0, most = 0;

    for (int i = 0; i < p->put; i++) {
        const struct bet *other = &p->bets[i];

        if (other->runner == of->runner ||
            (of_race && other->runner / PER_RACE == of->runner / PER_RACE)) {
            least += i <= bet && other->partition == of->partition ? other->amount : 0;
            most += other->amount;
        }
    }
    return pool >= least && pool <= most;
}

static void check_row(const struct pool *p, const struct odds_row *row)
{
    bool (*is_right)(const struct pool *, int, bool, double) =
        p->partitions == 1 ? is_pool_since : is_pool_between;

    if (!is_right(p, row->bet, false, row->runner_pool) ||
        !is_right(p, row->bet, true, row->race_pool)) {
        fail_msg("bet %d has the pools %g and %g", row->bet, row->runner_pool, row->race_pool);
    }
    assert_true(row->odds == row->race_pool / row->runner_pool);
}

void pool_check(struct pool *p)
{
    double runner_pools[RUNNERS] = { 0 }, race_pools[RACES] = { 0 };
    double runner_model[RUNNERS] = { 0 }, race_model[RACES] = { 0 };
    bool seen[BETS] = { false };
    struct bytes text = rig_read(&p->f, "$ODDS");
    int rows = 0;

    for (const char *line = text.data; *line; line = strchr(line, '\n') + 1, rows++) {
        struct odds_row row = read_row(p, line);
        int runner = p->bets[row.bet].runner;

        assert_false(seen[row.bet]);
        seen[row.bet] = true;
        check_row(p, &row);
        assert_true(row.runner_pool >= runner_pools[runner] || p->partitions > 1);
        assert_true(row.race_pool >= race_pools[runner / PER_RACE]);
        runner_pools[runner] = row.runner_pool;
        race_pools[runner / PER_RACE] = row.race_pool;
    }
    assert_int_equal(rows, p->put);
    for (int i = 0; i < p->put; i++) {
        runner_model[p->bets[i].runner] += p->bets[i].amount;
        race_model[p->bets[i].runner / PER_RACE] += p->bets[i].amount;
    }
    for (int i = 0; p->partitions == 1 && i < RUNNERS; i++) {
        assert_true(runner_pools[i] == runner_model[i]);
        assert_true(race_pools[i / PER_RACE] == race_model[i / PER_RACE]);
    }
}
