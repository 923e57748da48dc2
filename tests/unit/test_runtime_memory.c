/*
 * test_runtime_memory.c: state larger than its memory: the budget is kept, and nothing is missed.
 *
 * Groups of two queries' worth of state pass through a budget that holds a tenth of them, before
 * and after a restart, on a log on disk. The budget may be passed by what comes in between two
 * looks.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "engine/runtime/runtime_internal.h"
#include "tests/unit/disk_log_bed.h"
#include "tests/unit/runtime_rig.h"

enum { GROUPS = 8000, PIECE = 250, PIECES = GROUPS / PIECE, BUDGET = 128 << 10, SLACK = 64 << 10 };

static const char *const orders = "CREATE STREAM orders (id STRING KEY, item STRING, qty INT) "
                                  "WITH (KAFKA_TOPIC='orders', VALUE_FORMAT='JSON');";
static const char *const totals =
    "CREATE TABLE totals AS SELECT id, COUNT(*) AS n, SUM(qty) AS total FROM orders GROUP BY id;";

struct world {
    struct rig rig;
    struct disk_log_bed bed;
    size_t most_bytes; /* of state, after any piece */
    int counts[GROUPS];
    int sums[GROUPS];
};

static void open_world(struct world *w)
{
    struct rig *f = &w->rig;

    rig_init(f);
    log_close(f->log);
    assert_int_equal(disk_log_bed_open(&w->bed, &f->clock), 0);
    f->log = w->bed.log;
    f->database = w->bed.database;
    f->state_memory_bytes = BUDGET;
    f->workers = 2;
    f->is_lasting = true;
}

static void close_world(struct world *w)
{
    w->bed.log = NULL;
    rig_fini(&w->rig);
    database_close(w->bed.database);
    w->bed.database = NULL;
}

static void note_bytes(struct world *w)
{
    size_t bytes = 0;

    for (uint32_t i = 0; i < w->rig.rt->worker_count; i++) {
        bytes += atomic_load(&w->rig.rt->workers[i].state_bytes);
    }
    w->most_bytes = bytes > w->most_bytes ? bytes : w->most_bytes;
}

/* Each order of the pieces once, the pieces in another order each time. */
static void put_round(struct world *w, int step)
{
    for (int i = 0; i < PIECES; i++) {
        int from = i * step % PIECES * PIECE;

        rig_put_many(&w->rig, "orders", from, from + PIECE);
        rig_drain(&w->rig);
        clock_advance(&w->rig.clock, 50);
        rig_drain(&w->rig);
        note_bytes(w);
    }
}

/* The last row of each group. */
static void read_totals(struct world *w)
{
    struct bytes lines = rig_read(&w->rig, "TOTALS");
    size_t begin = 0;

    for (size_t at = 0; at < lines.len; at++) {
        int group, count, sum;

        if (lines.data[at] != '\n') {
            continue;
        }
        assert_int_equal(
            sscanf(lines.data + begin, "o%d={\"N\":%d,\"TOTAL\":%d}", &group, &count, &sum), 3);
        assert_in_range(group, 0, GROUPS - 1);
        w->counts[group] = count;
        w->sums[group] = sum;
        begin = at + 1;
    }
}

static void expect_rounds(struct world *w, int rounds)
{
    read_totals(w);
    for (int i = 0; i < GROUPS; i++) {
        assert_int_equal(w->counts[i], rounds);
        assert_int_equal(w->sums[i], rounds * i);
    }
}

static void budget_is_kept_and_every_group_is_right(void **state)
{
    static struct world w;

    (void)state;
    open_world(&w);
    rig_topic(&w.rig, "orders", 4);
    rig_open(&w.rig, "n1");
    rig_sql(&w.rig, orders);
    rig_sql(&w.rig, totals);
    put_round(&w, 5);
    expect_rounds(&w, 1);
    put_round(&w, 7);
    expect_rounds(&w, 2);
    assert_in_range(w.most_bytes, BUDGET / 4, BUDGET + SLACK);
    close_world(&w);

    open_world(&w);
    rig_open(&w.rig, "n1");
    rig_sql(&w.rig, orders);
    rig_sql(&w.rig, totals);
    put_round(&w, 3);
    expect_rounds(&w, 3);
    assert_in_range(w.most_bytes, BUDGET / 4, BUDGET + SLACK);
    close_world(&w);
    disk_log_bed_remove(&w.bed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(budget_is_kept_and_every_group_is_right),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
