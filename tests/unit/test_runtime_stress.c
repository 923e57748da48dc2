/*
 * test_runtime_stress.c: threads under random faults: seeded choices, checked sums.
 *
 * What happens when is up to the threads; what was chosen comes from the seed. Records flow
 * while queries come and go, are asked and listened to, and commits are lost. In the end
 * each query that stayed has each record exactly once.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/queue.h"
#include "engine/runtime/runtime_internal.h"
#include "tests/unit/runtime_rig.h"

enum { KEYS = 5, PARTITIONS = 4, ROUNDS = 60, PER_ROUND = 50 };

static const char *const orders = "CREATE STREAM orders (id STRING KEY, item STRING, qty INT) "
                                  "WITH (KAFKA_TOPIC='orders', VALUE_FORMAT='JSON');";

struct stress {
    struct rig f;
    unsigned seed;
    struct queue pause; /* never has anything */
    const struct physical_plan *totals, *copy;
    const struct pull_lookup *lookup;
    struct row_queue *queues[ROUNDS];
    uint32_t queue_count;
    const struct physical_plan *guest; /* comes and goes */
};

static int dice(struct stress *s, int sides)
{
    return rand_r(&s->seed) % sides;
}

static void begin(struct stress *s, unsigned seed, uint32_t workers)
{
    *s = (struct stress){ .seed = seed };
    queue_init(&s->pause, 1);
    rig_init(&s->f);
    clock_init_real(&s->f.clock);
    s->f.mode = RUNTIME_THREADED;
    s->f.workers = workers;
    s->f.batch_rows = seed % 2 ? 7 : 0;
    rig_open(&s->f, "node");
    rig_topic(&s->f, "orders", PARTITIONS);
    rig_sql(&s->f, orders);
}

static void end(struct stress *s)
{
    rig_fini(&s->f);
    for (uint32_t i = 0; i < s->queue_count; i++) {
        row_queue_destroy(s->queues[i]);
    }
    queue_fini(&s->pause);
}

/* Until the runtime says that all is done; meanwhile the log may not answer. */
static void drain(struct stress *s)
{
    struct error err = { 0 };
    int code;

    for (int i = 0; i < 5000; i++) {
        code = runtime_drain(s->f.rt, &err);
        if (!code) {
            return;
        }
        assert_int_equal(code, ERR_LOG_UNAVAILABLE);
        (void)queue_take(&s->pause, 5); /* back-off passes in real time */
    }
    fail_msg("%s", err.message);
}

static void check_totals(struct stress *s, int records)
{
    struct bytes text = rig_read(&s->f, "TOTALS");
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
}

static void listen_in(struct stress *s, const char *sql)
{
    struct row_queue *queue = row_queue_create(400);

    s->queues[s->queue_count++] = queue;
    rig_push(&s->f, sql, queue);
    if (dice(s, 2)) {
        row_queue_close(queue);
    }
}

static void take_some(struct stress *s)
{
    struct arena arena;
    struct client_row row;
    bool tombstone, finished;

    arena_init(&arena, 0);
    for (uint32_t i = 0; i < s->queue_count; i++) {
        for (int n = 0; n < 20; n++) {
            (void)row_queue_take(s->queues[i], 0, &arena, &row, &tombstone, &finished);
        }
    }
    arena_fini(&arena);
}

static void swap_guest(struct stress *s)
{
    struct error err = { 0 };

    if (s->guest) {
        int code = runtime_stop(s->f.rt, s->guest->query_id, &err);

        catalog_remove_source(s->f.catalog, (struct bytes)BYTES("GUEST"));
        assert_true(code == 0 || code == ERR_LOG_UNAVAILABLE);
        s->guest = NULL;
        return;
    }
    s->guest = rig_sql(&s->f, "CREATE TABLE guest AS SELECT item, SUM(qty) AS q FROM orders "
                              "GROUP BY item;");
    if (dice(s, 2)) {
        swap_guest(s); /* right away */
    }
}

static void ask(struct stress *s)
{
    struct pull_cursor cursor = { 0 };
    struct pull_rows rows;
    struct error err = { 0 };
    struct arena arena;
    int code;

    arena_init(&arena, 0);
    code = runtime_pull(s->f.rt, s->lookup, &cursor, &arena, &rows, &err);
    assert_true(code == 0 || code == ERR_LOG_UNAVAILABLE);
    assert_true(code || (rows.row_count <= 1 && cursor.done));
    pull_cursor_fini(&cursor);
    arena_fini(&arena);
}

static void act(struct stress *s)
{
    switch (dice(s, 14)) {
    case 0:
        log_memory_fail(s->f.log, LOG_FAULT_COMMIT_LOST, 1 + (uint32_t)dice(s, 4));
        break;
    case 1:
        log_memory_fail(s->f.log, LOG_FAULT_COMMIT_APPLIED, 1 + (uint32_t)dice(s, 4));
        break;
    case 2:
        log_memory_fail(s->f.log, LOG_FAULT_COMMIT_FENCED, 1 + (uint32_t)dice(s, 4));
        break;
    case 3:
        listen_in(s, "SELECT id, qty FROM orders EMIT CHANGES;");
        break;
    case 4:
        listen_in(s, "SELECT item, COUNT(*) AS n FROM orders GROUP BY item EMIT CHANGES;");
        break;
    case 5:
    case 6:
        swap_guest(s);
        break;
    case 7:
    case 8:
        take_some(s);
        break;
    case 9:
        (void)queue_take(&s->pause, 1); /* lets the threads run */
        break;
    case 10:
        assert_int_equal(runtime_pause(s->f.rt, s->copy->query_id, NULL), 0);
        break;
    case 11:
        assert_int_equal(runtime_resume(s->f.rt, s->copy->query_id, NULL), 0);
        break;
    default:
        ask(s);
        break;
    }
}

static void run(unsigned seed, uint32_t workers)
{
    struct stress s;
    int records = 0;

    begin(&s, seed, workers);
    log_memory_set_gaps(s.f.log, seed % 2);
    s.totals = rig_sql(&s.f, "CREATE TABLE totals AS SELECT item, COUNT(*) AS n FROM orders "
                             "GROUP BY item;");
    s.copy = rig_sql(&s.f, "CREATE STREAM copy AS SELECT id, qty FROM orders;");
    s.lookup = rig_pull(&s.f, "SELECT * FROM totals WHERE item = 'k1';");
    for (int i = 0; i < ROUNDS; i++) {
        rig_put_many(&s.f, "orders", records, records + PER_ROUND);
        records += PER_ROUND;
        act(&s);
    }
    for (int fault = LOG_FAULT_COMMIT_LOST; fault < LOG_FAULT_COUNT; fault++) {
        log_memory_fail(s.f.log, (enum log_fault)fault, 0);
    }
    assert_int_equal(runtime_resume(s.f.rt, s.copy->query_id, NULL), 0);
    drain(&s);
    check_totals(&s, records);
    assert_int_equal(rig_count(&s.f, "COPY"), records);
    end(&s);
}

static void queries_come_and_go_under_faults_with_one_worker(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= 4; seed++) {
        run(seed, 1);
    }
}

static void queries_come_and_go_under_faults_with_three_workers(void **state)
{
    (void)state;
    for (unsigned seed = 5; seed <= 8; seed++) {
        run(seed, 3);
    }
}

/* --- what is refused --- */

static void refused_records_of_one_query_never_harm_another(void **state)
{
    struct stress s;
    int records = 0;

    (void)state;
    begin(&s, 11, 2);
    rig_topic(&s.f, "SMALL", PARTITIONS);
    rig_sql(&s.f, "CREATE STREAM copy AS SELECT id, qty FROM orders;");
    rig_sql(&s.f, "CREATE STREAM small AS SELECT id, qty FROM orders;");
    for (int i = 0; i < ROUNDS; i++) {
        struct error err = { 0 };

        rig_put_many(&s.f, "orders", records, records + PER_ROUND);
        records += PER_ROUND;
        if (i == ROUNDS / 2) {
            assert_int_equal(log_delete_topic(s.f.log, (struct bytes)BYTES("SMALL"), &err), 0);
        }
        (void)queue_take(&s.pause, 1);
    }
    drain(&s);
    assert_int_equal(rig_count(&s.f, "COPY"), records);
    end(&s);
}

static void vanished_source_leaves_the_others_alone(void **state)
{
    struct stress s;
    struct error err = { 0 };

    (void)state;
    begin(&s, 12, 3);
    rig_topic(&s.f, "others", PARTITIONS);
    rig_sql(&s.f, "CREATE STREAM others (id STRING KEY, item STRING, qty INT) "
                  "WITH (KAFKA_TOPIC='others', VALUE_FORMAT='JSON');");
    rig_sql(&s.f, "CREATE STREAM copy AS SELECT id, qty FROM orders;");
    rig_sql(&s.f, "CREATE TABLE totals AS SELECT item, COUNT(*) AS n FROM others GROUP BY item;");
    rig_sql(&s.f, "CREATE TABLE gone AS SELECT item, COUNT(*) AS n FROM orders GROUP BY item;");
    listen_in(&s, "SELECT item, COUNT(*) AS n FROM orders GROUP BY item EMIT CHANGES;");
    for (int i = 0; i < ROUNDS; i++) {
        rig_put_many(&s.f, "others", i * PER_ROUND, i * PER_ROUND + PER_ROUND);
        if (i < ROUNDS / 2) {
            rig_put_many(&s.f, "orders", i * PER_ROUND, i * PER_ROUND + PER_ROUND);
        } else if (i == ROUNDS / 2) {
            assert_int_equal(log_delete_topic(s.f.log, (struct bytes)BYTES("orders"), &err), 0);
        }
    }
    drain(&s);
    check_totals(&s, ROUNDS * PER_ROUND);
    end(&s);
}

/* --- nodes --- */

static void *open_and_close(void *context)
{
    struct stress *s = context;

    for (int i = 0; i < 20; i++) {
        struct error err = { 0 };
        struct runtime *rt = NULL;
        struct runtime_config config = { .log = s->f.log,
                                         .clock = &s->f.clock,
                                         .service_id = BYTES("test"),
                                         .node_id = BYTES("guest"),
                                         .worker_count = 2,
                                         .mode = RUNTIME_THREADED };

        if (runtime_open(&config, &rt, &err) == 0) {
            (void)runtime_start(rt, s->totals, &s->f.options, NULL, &err);
            (void)queue_take(&s->pause, 2 + i % 30);
            runtime_close(rt);
        }
    }
    return NULL;
}

static void count_slots(struct worker *worker, void *context)
{
    uint32_t *owned = context;

    pthread_mutex_lock(&worker->rt->leaf_mutex);
    for (uint32_t i = 0; i < worker->rt->slot_count; i++) {
        *owned += worker->rt->slots[i].owned && worker->rt->slots[i].worker == worker->index;
    }
    pthread_mutex_unlock(&worker->rt->leaf_mutex);
}

/* The other node has left; its slots come back with the next polls of the control thread. */
static void wait_for_slots(struct stress *s)
{
    uint32_t owned = 0;

    for (int i = 0; i < 2000 && owned < s->f.rt->slot_count; i++) {
        (void)queue_take(&s->pause, 5);
        owned = 0;
        for (uint32_t w = 0; w < s->f.rt->worker_count; w++) {
            worker_call(&s->f.rt->workers[w], count_slots, &owned);
        }
    }
    assert_int_equal(owned, s->f.rt->slot_count);
}

static void second_node_comes_and_goes_while_records_flow(void **state)
{
    struct stress s;
    pthread_t other;
    int records = 0;

    (void)state;
    begin(&s, 13, 2);
    s.totals = rig_sql(&s.f, "CREATE TABLE totals AS SELECT item, COUNT(*) AS n FROM orders "
                             "GROUP BY item;");
    assert_int_equal(pthread_create(&other, NULL, open_and_close, &s), 0);
    for (int i = 0; i < ROUNDS * 2; i++) {
        rig_put_many(&s.f, "orders", records, records + PER_ROUND);
        records += PER_ROUND;
        (void)queue_take(&s.pause, 3);
    }
    pthread_join(other, NULL);
    wait_for_slots(&s);
    drain(&s);
    check_totals(&s, records);
    end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(queries_come_and_go_under_faults_with_one_worker),
        cmocka_unit_test(queries_come_and_go_under_faults_with_three_workers),
        cmocka_unit_test(refused_records_of_one_query_never_harm_another),
        cmocka_unit_test(vanished_source_leaves_the_others_alone),
        cmocka_unit_test(second_node_comes_and_goes_while_records_flow),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
