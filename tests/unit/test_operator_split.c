/*
 * test_operator_split.c: however the input is cut into batches, the output is the same.
 *
 * Every kind of all_operators is run over random rows, once row by row, once whole
 * and in random cuts; with an emission buffer what is emitted last per key agrees too.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/operator_program.h"

enum { ROWS = 400, CUTS = 12 };

static uint32_t random_state;

static uint32_t draw(uint32_t below)
{
    random_state = random_state * 1664525u + 1013904223u;
    return (random_state >> 8) % below;
}

/* --- a plan per kind, its input K STRING KEY, V BIGINT --- */

static const char input_columns[] = "K STRING KEY, V BIGINT";

static void plan_stage(struct world *w)
{
    const struct stage_wish wish = { "V > 3", "V + 1, K STRING KEY", false };

    world_add_stage(w, world_shape(w, input_columns), &wish);
}

static void plan_table(struct world *w)
{
    const struct stage_wish wish = { "V > 3", "K STRING KEY, V + 1", true };
    const struct row_shape *shape = world_shape(w, input_columns);

    world_add_table(w, shape, shape)->needs_old = true;
    world_add_stage(w, shape, &wish)->needs_old = true;
}

static void plan_aggregate(struct world *w)
{
    world_add_aggregate(w, world_shape(w, input_columns), "K STRING KEY, C BIGINT, S BIGINT", 0,
                        false)
        ->needs_old = true;
}

static void plan_topic(struct world *w)
{
    const struct row_shape *shape = world_shape(w, input_columns);

    world_add_table(w, shape, shape)->needs_old = true;
    world_add_repartition(w, shape, true);
}

static void plan_client(struct world *w)
{
    static const bool is_key[] = { true, false };
    const struct row_shape *shape = world_shape(w, input_columns);

    world_add_op(w, PLAN_CLIENT, shape, NULL)->client =
        (struct client_plan){ world_operands(w, shape, 0, 2), world_codec(w, shape), ROWS / 2,
                              is_key };
}

static void plan_stream_table(struct world *w)
{
    world_add_join(w, AST_JOIN_LEFT, false);
}

static void plan_table_table(struct world *w)
{
    world_add_join(w, AST_JOIN_FULL, true)->needs_old = true;
}

static const struct {
    enum plan_tag tag;
    void (*plan)(struct world *w);
} planners[] = { { PLAN_STAGE, plan_stage },
                 { PLAN_TABLE, plan_table },
                 { PLAN_AGGREGATE, plan_aggregate },
                 { PLAN_JOIN_STREAM_TABLE, plan_stream_table },
                 { PLAN_JOIN_TABLE_TABLE, plan_table_table },
                 { PLAN_TOPIC, plan_topic },
                 { PLAN_CLIENT, plan_client } };

static void plan_for(struct world *w, const struct op_kind *kind)
{
    for (size_t i = 0; i < sizeof planners / sizeof *planners; i++) {
        if (planners[i].tag == kind->implements) {
            planners[i].plan(w);
            return;
        }
    }
    fail_msg("operator %s has no split test", kind->name);
}

/* --- running --- */

static char *random_rows(struct world *w)
{
    struct buffer text = { 0 };
    char *copy;

    for (int i = 0; i < ROWS; i++) {
        uint32_t dice = draw(20);
        char key = (char)('a' + draw(9));

        if (w->entry[0] != w->entry[1] && draw(3) == 0) {
            buffer_append_char(&text, '>');
        }
        if (dice == 0) {
            buffer_printf(&text, "(-,%u)@%u ", draw(10), draw(1000));
        } else if (dice < 4) {
            buffer_printf(&text, "(%c,-)@%u ", key, draw(1000));
        } else if (dice == 4) {
            buffer_printf(&text, "(%c,~)@%u[h%d] ", key, draw(1000), i);
        } else {
            buffer_printf(&text, "(%c,%u)@%u[h%d] ", key, draw(10), draw(1000), i);
        }
    }
    copy = arena_copy_text(&w->arena, buffer_bytes(&text));
    buffer_fini(&text);
    return copy;
}

static void drain_client(struct world *w)
{
    struct client_row row;
    bool tombstone;
    bool finished;

    while (row_queue_take(w->env.client, 0, &w->arena, &row, &tombstone, &finished)) {
        buffer_append_bytes(&w->seen, row.image);
        buffer_printf(&w->seen, "%d@%d", tombstone, (int)row.timestamp_ms);
    }
    buffer_append_text(&w->seen, row_queue_message(w->env.client));
}

/* All that came out, as text, in the world's arena. */
static struct bytes run(struct world *w, const uint32_t *sizes)
{
    struct bytes out;

    w->env.client = row_queue_create(1 << 20);
    world_reopen(w);
    w->seen.len = 0;
    w->errors.len = 0;
    world_push_cut(w, sizes);
    world_flush(w);
    world_print_output(w, &w->seen);
    if (w->ops[w->sub.op_count - 1].tag == PLAN_CLIENT) {
        drain_client(w);
    }
    buffer_append_bytes(&w->seen, buffer_bytes(&w->errors));
    out = arena_copy(&w->arena, buffer_bytes(&w->seen));
    row_queue_destroy(w->env.client);
    return out;
}

static void random_cuts(uint32_t *sizes)
{
    for (int i = 0; i < CUTS; i++) {
        sizes[i] = 1 + draw(draw(2) ? 5 : 80);
    }
    sizes[CUTS] = 0;
}

static void assert_cuts_do_not_matter(const struct op_kind *kind, size_t budget)
{
    static const uint32_t one_by_one[] = { 1, 0 };
    struct world w;
    struct bytes expected;

    world_init(&w);
    w.env.emission_budget = budget;
    plan_for(&w, kind);
    world_rows(&w, random_rows(&w));
    expected = run(&w, one_by_one);
    assert_in_range(expected.len, 20, 1 << 20);
    for (int i = 0; i < 20; i++) {
        uint32_t sizes[CUTS + 1];
        struct bytes got;

        random_cuts(sizes);
        got = run(&w, i == 0 ? (const uint32_t[]){ 0 } : sizes);
        assert_int_equal(got.len, expected.len);
        assert_memory_equal(got.data, expected.data, got.len);
    }
    world_fini(&w);
}

static void every_operator_emits_the_same_however_its_input_is_cut(void **state)
{
    for (uint32_t seed = 1; seed <= 5; seed++) {
        random_state = seed;
        for (const struct op_kind *const *kind = all_operators; *kind; kind++) {
            assert_cuts_do_not_matter(*kind, 0);
            assert_cuts_do_not_matter(*kind, 2000);
            assert_cuts_do_not_matter(*kind, 1 << 20);
        }
    }
}

/* --- the last row per key --- */

enum { KEYS = 26 };

/* Of "(k,...)<(...)@t[h] " per row: what stands behind the key, up to old image or time. */
static void last_rows(struct bytes out, struct bytes last[KEYS])
{
    const char *at = out.data;
    const char *end = out.data + out.len;

    memset(last, 0, KEYS * sizeof *last);
    while (at < end && *at == '(') {
        const char *close = memchr(at, ')', (size_t)(end - at));
        const char *space = memchr(close, ' ', (size_t)(end - close));

        if (at[1] >= 'a' && at[1] <= 'z') {
            last[at[1] - 'a'] = (struct bytes){ at + 2, (size_t)(close - at - 2) };
        }
        at = space + 1;
    }
}

/*
 * A tombstone and no row at all are the same to whoever reads the table. A group whose rows all
 * came and went between two flushes of the table in front was never there with a buffer.
 */
static bool same_last_row(struct bytes each, struct bytes buffered)
{
    struct bytes gone = BYTES(",-");

    if (!buffered.data && bytes_equal_text(each, ",0,0")) {
        return true;
    }
    return bytes_equal(each.data ? each : gone, buffered.data ? buffered : gone);
}

static void assert_last_rows_agree(void (*plan)(struct world *w), size_t budget)
{
    static const uint32_t whole[] = { 0 };
    struct world w;
    struct bytes each[KEYS];
    struct bytes buffered[KEYS];

    world_init(&w);
    plan(&w);
    world_rows(&w, random_rows(&w));
    last_rows(run(&w, whole), each);
    w.env.emission_budget = budget;
    last_rows(run(&w, whole), buffered);
    assert_true(each[0].data || each[1].data);
    for (int i = 0; i < KEYS; i++) {
        assert_true(same_last_row(each[i], buffered[i]));
    }
    world_fini(&w);
}

static void plan_having(struct world *w)
{
    const struct stage_wish wish = { "S < 40", "K STRING KEY, C BIGINT, S BIGINT", true };

    plan_aggregate(w);
    world_add_stage(w, w->ops[0].output, &wish);
}

static void plan_table_aggregate(struct world *w)
{
    const struct row_shape *shape = world_shape(w, input_columns);

    world_add_table(w, shape, shape)->needs_old = true;
    world_add_aggregate(w, shape, "K STRING KEY, C BIGINT, S BIGINT", 0, true);
}

static void emission_buffer_agrees_on_the_last_row_per_key(void **state)
{
    for (uint32_t seed = 1; seed <= 10; seed++) {
        random_state = seed;
        for (size_t budget = 1; budget <= 1 << 20; budget *= 32) {
            assert_last_rows_agree(plan_table, budget);
            assert_last_rows_agree(plan_aggregate, budget);
            assert_last_rows_agree(plan_having, budget);
            assert_last_rows_agree(plan_table_aggregate, budget);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_operator_emits_the_same_however_its_input_is_cut),
        cmocka_unit_test(emission_buffer_agrees_on_the_last_row_per_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
