/*
 * test_op_stage.c: what passes a filter and what a projection does to it (queries.md 1).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/operator_program.h"

static void setup(struct world *w, const struct stage_wish *wish, bool needs_old)
{
    world_init(w);
    world_add_stage(w, world_shape(w, "K STRING KEY, V BIGINT"), wish)->needs_old = needs_old;
    world_open(w);
}

static void stream_filter_keeps_order_and_drops_null_rows(void **state)
{
    const struct stage_wish wish = { "V > 5", "V + 1, K STRING KEY", false };
    struct world w;

    world_init(&w);
    world_add_stage(&w, world_shape(&w, "K STRING KEY, V BIGINT"), &wish);
    world_open(&w);
    world_push(&w, "(a,10)@1 (b,3)@2 (c,7)@3 (d,-)@4 (e,~)@5 (-,8)@6");
    world_expect(&w, "(11,a)@1 (8,c)@3 (9,~)@6");
    world_expect_errors(&w, "");
    world_fini(&w);
}

static void stream_projection_passes_null_rows(void **state)
{
    const struct stage_wish wish = { NULL, "K STRING KEY, V + 1", false };
    struct world w;

    setup(&w, &wish, false);
    world_push(&w, "(a,10)@1 (d,-)@4 (e,~)@5");
    world_expect(&w, "(a,11)@1 (d,-)@4 (e,~)@5");
    world_fini(&w);
}

static void empty_program_hands_the_same_cells_on(void **state)
{
    const struct stage_wish wish = { NULL, "K STRING KEY, V BIGINT", false };
    struct world w;

    setup(&w, &wish, false);
    assert_true(program_is_empty(w.ops[0].stage.program));
    world_push(&w, "(a,10)@1 (a,-)@2");
    world_expect(&w, "(a,10)@1 (a,-)@2");
    world_fini(&w);
}

static void new_key_forgets_that_the_source_had_none(void **state)
{
    const struct stage_wish wish = { NULL, "V BIGINT KEY, K STRING", false };
    struct world w;

    world_init(&w);
    world_add_stage(&w, world_shape(&w, "K STRING KEY, V BIGINT"), &wish);
    w.ops[0].next = 1;
    world_add_op(&w, PLAN_TOPIC, w.ops[0].output, NULL)->topic =
        (struct topic_plan){ .role = TOPIC_REPARTITION,
                             .key = world_key(&w, w.ops[0].output),
                             .codec = world_codec(&w, w.ops[0].output),
                             .columns = world_operands(&w, w.ops[0].output, 0, 2) };
    world_open(&w);
    world_push(&w, "(-,10)@1 (a,11)@2 (a,~)@3");
    for (uint32_t p = 0, keys = 0; p < WORLD_PARTITIONS; p++) {
        struct log_block block = world_block(&w, p);

        for (uint32_t i = 0; i < block.record_count; i++) {
            assert_int_equal(block.records[i].key.data == NULL, block.records[i].timestamp_ms == 3);
            keys++;
        }
        assert_true(p + 1 < WORLD_PARTITIONS || keys == 3);
    }
    world_fini(&w);
}

static void a_row_without_a_value_loses_the_keys_that_were_made_of_it(void **state)
{
    const struct stage_wish wish = { NULL, "V + 1, K STRING KEY", false };
    struct world w;
    operand computed;

    world_init(&w);
    world_add_stage(&w, world_shape(&w, "V BIGINT KEY, K STRING"), &wish);
    computed = w.ops[0].output->columns[0].at;
    w.ops[0].stage.rekeys = true;
    w.ops[0].stage.nulled = &computed;
    w.ops[0].stage.nulled_count = 1;
    world_open(&w);
    world_push(&w, "(10,a)@1 (11,-)@2 (~,b)@3");
    world_expect(&w, "(11,a)@1 (~,-)@2 (~,b)@3");
    world_fini(&w);
}

/* The example of queries.md 1: (a,10)@1,(a,3)@2,(a,2)@3,(a,-)@4,(a,7)@5 WHERE V > 5. */
static void table_filter_makes_tombstones_of_rows_that_passed(void **state)
{
    const struct stage_wish wish = { "V > 5", "K STRING KEY, V BIGINT", true };
    struct world w;
    const struct row_shape *shape;

    world_init(&w);
    shape = world_shape(&w, "K STRING KEY, V BIGINT");
    world_add_table(&w, shape, shape)->needs_old = true;
    world_add_stage(&w, shape, &wish);
    world_open(&w);
    world_push(&w, "(a,10)@1 (a,3)@2 (a,2)@3 (a,-)@4 (a,7)@5");
    world_expect(&w, "(a,10)@1 (a,-)@2 (a,7)@5");
    world_fini(&w);
}

static void table_filter_hands_on_old_rows_that_passed(void **state)
{
    const struct stage_wish wish = { "V > 5", "K STRING KEY, V + 1", true };
    struct world w;

    setup(&w, &wish, true);
    world_push(&w, "(a,10)<(a,7)@1 (a,10)<(a,3)@2 (a,2)<(a,9)@3 (a,1)<(a,2)@4 (a,-)<(a,6)@5 "
                   "(a,-)@6 (a,~)<(a,8)@7");
    world_expect(&w, "(a,11)<(a,8)@1 (a,11)@2 (a,-)<(a,10)@3 (a,-)<(a,7)@5 (a,-)<(a,9)@7");
    world_fini(&w);
}

static void table_projection_passes_tombstones_of_unknown_keys(void **state)
{
    const struct stage_wish wish = { NULL, "K STRING KEY, V + 1", true };
    struct world w;

    setup(&w, &wish, false);
    world_push(&w, "(a,-)@1 (a,2)<(a,1)@2 (a,-)<(a,2)@3");
    world_expect(&w, "(a,-)@1 (a,3)@2 (a,-)@3");
    world_fini(&w);
}

static void sums_beyond_the_type_wrap_and_the_row_stays(void **state)
{
    const struct stage_wish wish = { NULL, "K STRING KEY, V + 1", false };
    struct world w;

    setup(&w, &wish, false);
    world_push(&w, "(a,9223372036854775807)@1");
    world_expect(&w, "(a,-9223372036854775808)@1");
    world_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stream_filter_keeps_order_and_drops_null_rows),
        cmocka_unit_test(stream_projection_passes_null_rows),
        cmocka_unit_test(empty_program_hands_the_same_cells_on),
        cmocka_unit_test(new_key_forgets_that_the_source_had_none),
        cmocka_unit_test(a_row_without_a_value_loses_the_keys_that_were_made_of_it),
        cmocka_unit_test(table_filter_makes_tombstones_of_rows_that_passed),
        cmocka_unit_test(table_filter_hands_on_old_rows_that_passed),
        cmocka_unit_test(table_projection_passes_tombstones_of_unknown_keys),
        cmocka_unit_test(sums_beyond_the_type_wrap_and_the_row_stays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
