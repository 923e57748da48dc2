/*
 * test_runtime_merge.c: a task with several inputs takes them by time, however they are cut.
 *
 * The plan is put together by hand: the projection of one stream, fed by several of the same
 * columns. What comes out must be what a merge of whole topics gives.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/runtime_rig.h"

enum { INPUTS_MAX = 4, ROWS_MAX = 400 };

struct merge {
    struct rig rig;
    struct physical_plan plan;
    struct sub_plan sub;
    struct input_plan inputs[INPUTS_MAX];
    uint32_t input_count;
    int times[INPUTS_MAX][ROWS_MAX];
    int counts[INPUTS_MAX];
    struct buffer expected;
};

static void begin(struct merge *m, uint32_t input_count, uint32_t tables)
{
    const struct physical_plan *first = NULL;

    rig_init(&m->rig);
    rig_open(&m->rig, "node");
    m->input_count = input_count;
    m->expected = (struct buffer){ 0 };
    memset(m->counts, 0, sizeof m->counts);
    for (uint32_t i = 0; i < input_count; i++) {
        const struct physical_plan *plan;
        char sql[256], topic[16];

        snprintf(topic, sizeof topic, "in%u", i);
        rig_topic(&m->rig, topic, 1);
        snprintf(sql, sizeof sql,
                 "CREATE STREAM in%u (id STRING KEY, v STRING) "
                 "WITH (KAFKA_TOPIC='%s', VALUE_FORMAT='JSON');",
                 i, topic);
        rig_sql(&m->rig, sql);
        snprintf(sql, sizeof sql, "CREATE STREAM out%u AS SELECT id, v FROM in%u;", i, i);
        plan = rig_plan(&m->rig, sql);
        first = first ? first : plan;
        m->inputs[i] = plan->subs[0].inputs[0];
        m->inputs[i].is_table = tables >> i & 1;
    }
    m->plan = *first;
    m->sub = first->subs[0];
    m->sub.inputs = m->inputs;
    m->sub.input_count = input_count;
    m->plan.subs = &m->sub;
}

static void put_row(struct merge *m, uint32_t input, int time)
{
    char topic[16], key[32];

    snprintf(topic, sizeof topic, "in%u", input);
    snprintf(key, sizeof key, "%u-%d", input, m->counts[input]);
    rig_put(&m->rig, topic, key, "{\"V\":\"\"}", time);
    m->times[input][m->counts[input]++] = time;
}

static bool goes_first(const struct merge *m, const int *at, uint32_t a, uint32_t b)
{
    int left = m->times[a][at[a]], right = m->times[b][at[b]];

    if (left != right) {
        return left < right;
    }
    if (m->inputs[a].is_table != m->inputs[b].is_table) {
        return m->inputs[a].is_table;
    }
    return a < b;
}

/* Head by head, as the rule says. */
static void expect(struct merge *m)
{
    int at[INPUTS_MAX] = { 0 };

    for (;;) {
        uint32_t best = INPUTS_MAX;

        for (uint32_t i = 0; i < m->input_count; i++) {
            if (at[i] < m->counts[i] && (best == INPUTS_MAX || goes_first(m, at, i, best))) {
                best = i;
            }
        }
        if (best == INPUTS_MAX) {
            break;
        }
        buffer_printf(&m->expected, "%u-%d={\"V\":\"\"}@%d\n", best, at[best],
                      m->times[best][at[best]]);
        at[best]++;
    }
    buffer_append_char(&m->expected, '\0');
}

static void check(struct merge *m)
{
    expect(m);
    assert_string_equal(rig_read(&m->rig, "OUT0").data, m->expected.data);
    buffer_fini(&m->expected);
    rig_fini(&m->rig);
}

static void merge_random(unsigned seed, uint32_t tables)
{
    static const uint32_t batches[] = { 1, 2, 3, 7, 256 };
    struct merge m;
    unsigned kept = seed;

    begin(&m, 2 + (uint32_t)rand_r(&seed) % 3, tables);
    runtime_close(m.rig.rt);
    m.rig.batch_rows = batches[kept % 5];
    rig_open(&m.rig, "node");
    for (uint32_t i = 0; i < m.input_count; i++) {
        int rows = rand_r(&seed) % 120, time = 1;

        for (int n = 0; n < rows; n++) {
            time += rand_r(&seed) % 3 - (rand_r(&seed) % 8 == 0 && time > 1);
            put_row(&m, i, time);
        }
    }
    rig_start(&m.rig, &m.plan);
    rig_drain(&m.rig);
    check(&m);
}

static void inputs_are_merged_by_time_however_they_are_cut(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= 60; seed++) {
        merge_random(seed, 0);
    }
}

static void tables_go_before_streams_of_the_same_time(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= 60; seed++) {
        merge_random(seed, seed % 16);
    }
}

static void third_input_does_not_hide_an_earlier_one_of_the_same_time(void **state)
{
    struct merge m;

    (void)state;
    begin(&m, 3, 0);
    for (int time = 1; time <= 5; time++) {
        for (uint32_t i = 0; i < 3; i++) {
            put_row(&m, i, i == 1 ? time - (time > 1) : time);
        }
    }
    rig_start(&m.rig, &m.plan);
    rig_drain(&m.rig);
    check(&m);
}

/* A side far ahead of its partner is full and detached; both get to their end. */
static void side_that_runs_ahead_waits_and_loses_nothing(void **state)
{
    struct merge m;
    uint64_t rows = 0;

    (void)state;
    begin(&m, 2, 0);
    for (int i = 0; i < 4; i++) {
        rig_put_many(&m.rig, "in0", i * 2000, i * 2000 + 2000);
        rig_put_many(&m.rig, "in1", i * 2000 + 6000, i * 2000 + 8000);
        rows += 4000;
    }
    rig_start(&m.rig, &m.plan);
    rig_drain(&m.rig);
    assert_int_equal(rig_count(&m.rig, "OUT0"), rows);
    for (int i = 0; i < 4; i++) {
        rig_put_many(&m.rig, "in1", 20000 + i * 2000, 22000 + i * 2000);
        rig_drain(&m.rig);
        rows += 2000;
    }
    assert_int_equal(rig_count(&m.rig, "OUT0"), rows);
    rig_fini(&m.rig);
}

static void merge_survives_crashes_and_lost_commits(void **state)
{
    (void)state;
    for (unsigned first = 1; first <= 10; first++) {
        unsigned seed = first;
        struct error err = { 0 };
        struct merge m;

        begin(&m, 3, 2);
        log_memory_set_gaps(m.rig.log, first % 2);
        for (uint32_t i = 0; i < 3; i++) {
            for (int n = 0, time = 1; n < 80; n++) {
                time += rand_r(&seed) % 3;
                put_row(&m, i, time);
            }
        }
        rig_start(&m.rig, &m.plan);
        for (int i = 0; i < 40; i++) {
            int dice = rand_r(&seed) % 6;

            if (dice == 0) {
                assert_int_equal(runtime_crash(m.rig.rt, &err), 0);
            } else if (dice == 1) {
                log_memory_fail(m.rig.log, LOG_FAULT_COMMIT_LOST, 1);
            } else {
                runtime_step(m.rig.rt);
            }
        }
        clock_advance(&m.rig.clock, 60000);
        rig_drain(&m.rig);
        check(&m);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inputs_are_merged_by_time_however_they_are_cut),
        cmocka_unit_test(tables_go_before_streams_of_the_same_time),
        cmocka_unit_test(third_input_does_not_hide_an_earlier_one_of_the_same_time),
        cmocka_unit_test(side_that_runs_ahead_waits_and_loses_nothing),
        cmocka_unit_test(merge_survives_crashes_and_lost_commits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
