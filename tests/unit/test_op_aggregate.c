/*
 * test_op_aggregate.c: the examples of queries.md 4.1 and 4.2, word by word.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/operator_program.h"

/* SELECT K, COUNT(*) C, SUM(V) S FROM S GROUP BY K. */
static void setup_stream(struct world *w, size_t budget)
{
    world_init(w);
    world_add_aggregate(w, world_shape(w, "K STRING KEY, V BIGINT"),
                        "K STRING KEY, C BIGINT, S BIGINT", 0, false);
    w->env.emission_budget = budget;
    world_open(w);
}

static void stream_groups_count_and_sum_with_the_greatest_time(void **state)
{
    struct world w;

    setup_stream(&w, 0);
    world_push(&w, "(a,1)@5 (b,2)@3 (a,3)@2 (-,9)@8 (a,-)@9");
    world_expect(&w, "(a,1,1)@5 (b,1,2)@3 (a,2,4)@5");
    world_expect_errors(&w, "group-by column: Group-by column with index 0 resolved to null. "
                            "The source row will be excluded from the table.;");
    world_fini(&w);
}

static void buffer_emits_each_group_once_at_flush(void **state)
{
    struct world w;

    setup_stream(&w, 1 << 20);
    world_push(&w, "(a,1)@5[h1] (b,2)@3[h2] (a,3)@2[h3]");
    world_expect(&w, "");
    world_flush(&w);
    world_expect(&w, "(b,1,2)@3[h2] (a,2,4)@5[h3]");
    world_flush(&w);
    world_expect(&w, "");
    world_fini(&w);
}

static void headers_are_those_of_the_row_that_changed_the_group(void **state)
{
    struct world w;

    setup_stream(&w, 0);
    world_push(&w, "(a,1)@5[h1] (a,3)@2[h2]");
    world_expect(&w, "(a,1,1)@5[h1] (a,2,4)@5[h2]");
    world_fini(&w);
}

/* HAVING over a stream aggregate; the condition is on the aggregate's output. */
static void setup_having(struct world *w, const char *condition, size_t budget)
{
    struct stage_wish wish = { condition, "K STRING KEY, C BIGINT, S BIGINT", true };
    struct op_plan *aggregate;

    world_init(w);
    aggregate = world_add_aggregate(w, world_shape(w, "K STRING KEY, V BIGINT"),
                                    "K STRING KEY, C BIGINT, S BIGINT", 0, false);
    aggregate->needs_old = true;
    world_add_stage(w, aggregate->output, &wish);
    w->env.emission_budget = budget;
    world_open(w);
}

static void having_follows_the_group_in_and_out(void **state)
{
    struct world w;

    setup_having(&w, "S > 100", 0);
    world_push(&w, "(0,0)@1 (0,101)@2 (0,-5)@3");
    world_expect(&w, "(0,2,101)@2 (0,-)@3");
    world_fini(&w);
}

static void first_row_of_a_stream_group_has_the_initial_row_as_old(void **state)
{
    struct world w;

    setup_having(&w, "C < 1", 0);
    world_push(&w, "(a,1)@1 (a,1)@2");
    world_expect(&w, "(a,-)@1");
    world_fini(&w);
}

static void buffered_first_row_has_no_old(void **state)
{
    struct world w;

    setup_having(&w, "C < 1", 1 << 20);
    world_push(&w, "(a,1)@1 (a,1)@2");
    world_flush(&w);
    world_expect(&w, "");
    world_fini(&w);
}

/* T(ID PK, R), SELECT R, COUNT(*) C ... GROUP BY R, in one task. */
static void setup_table(struct world *w, const char *having)
{
    const struct row_shape *shape;
    struct op_plan *aggregate;

    world_init(w);
    shape = world_shape(w, "ID STRING KEY, R STRING");
    world_add_table(w, shape, shape)->needs_old = true;
    aggregate = world_add_aggregate(w, shape, "R STRING KEY, C BIGINT", 1, true);
    if (having) {
        struct stage_wish wish = { having, "R STRING KEY, C BIGINT", true };

        aggregate->needs_old = true;
        world_add_stage(w, aggregate->output, &wish);
    }
    world_open(w);
}

static const char table_rows[] = "(1,a)@0 (2,b)@1 (1,b)@2 (2,-)@3 (9,-)@4 (2,~)@5 (1,b)@6";

static void table_groups_undo_the_old_row_then_add_the_new(void **state)
{
    struct world w;

    setup_table(&w, NULL);
    world_push(&w, table_rows);
    world_expect(&w, "(a,1)@0 (b,1)@1 (a,0)@2 (b,2)@2 (b,1)@3 (b,1)@6");
    world_expect_errors(&w, "group-by column: Group-by column with index 0 resolved to null. "
                            "The source row will be excluded from the table.;");
    world_fini(&w);
}

static void having_turns_an_emptied_group_into_a_tombstone(void **state)
{
    struct world w;

    setup_table(&w, "C > 0");
    world_push(&w, table_rows);
    world_expect(&w, "(a,1)@0 (b,1)@1 (a,-)@2 (b,2)@2 (b,1)@3 (b,1)@6");
    world_fini(&w);
}

static void old_row_of_a_table_group_that_is_new_is_absent(void **state)
{
    struct world w;

    world_init(&w);
    world_add_aggregate(&w, world_shape(&w, "K STRING KEY, V BIGINT"),
                        "K STRING KEY, C BIGINT, S BIGINT", 0, true)
        ->needs_old = true;
    world_open(&w);
    world_push(&w, "(a,1)@1 (a,5)<(a,1)@2 (b,3)<(a,5)@0 (c,-)<(c,9)@4 (c,2)<(c,9)@5");
    world_expect(&w, "(a,1,1)@1 (a,1,5)<(a,1,1)@2 (a,0,0)<(a,1,5)@2 (b,1,3)@0 (c,1,2)@5");
    world_fini(&w);
}

static void key_bytes_of_a_repartition_topic_are_taken_as_they_are(void **state)
{
    static const struct bytes keys[] = { BYTES("one"), BYTES("two"), BYTES("one") };
    struct world w;
    struct error err;

    setup_stream(&w, 0);
    w.ops[0].aggregate.key_bytes_given = true;
    world_reopen(&w);
    world_rows(&w, "(a,1)@1 (a,2)@2 (a,3)@3");
    w.batch.key_bytes = keys;
    assert_int_equal(op_chain_push(&w.chain, &w.input, &w.batch, &err), 0);
    world_expect(&w, "(a,1,1)@1 (a,1,2)@2 (a,2,4)@3");
    assert_int_equal(store_count(w.stores[0]), 2);
    world_fini(&w);
}

static void without_group_columns_all_rows_are_one_group(void **state)
{
    struct world w;

    setup_stream(&w, 0);
    w.ops[0].aggregate.group_count = 0;
    w.ops[0].aggregate.key.column_count = 0;
    w.ops[0].output = world_shape(&w, "C BIGINT, S BIGINT");
    w.store_plans[0].codec = world_codec(&w, w.ops[0].output);
    world_reopen(&w);
    world_push(&w, "(a,1)@1 (-,2)@2");
    world_expect(&w, "(1,1)@1 (2,3)@2");
    world_fini(&w);
}

static void stored_group_reads_as_it_was_emitted(void **state)
{
    struct world w;
    struct store_entry entry;
    struct value cells[3];
    struct error err;

    setup_stream(&w, 0);
    world_push(&w, "(a,1)@5 (a,41)@6");
    assert_true(store_get(w.stores[0], bytes_of("a"), &entry));
    assert_int_equal(w.chain.ops[0].kind->read(&w.chain.ops[0], entry.image, cells, &w.arena, &err),
                     0);
    assert_true(bytes_equal_text(value_bytes(&cells[0]), "a"));
    assert_int_equal(cells[1].i64, 2);
    assert_int_equal(cells[2].i64, 42);
    world_fini(&w);
}

static void damaged_image_stops_the_query(void **state)
{
    struct world w;
    struct error err;

    setup_stream(&w, 0);
    store_put(w.stores[0], bytes_of("a"), bytes_of("\xff\xff"), 1);
    world_rows(&w, "(a,1)@1");
    assert_int_equal(op_chain_push(&w.chain, &w.input, &w.batch, &err), ERR_STATE_DAMAGED);
    world_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stream_groups_count_and_sum_with_the_greatest_time),
        cmocka_unit_test(buffer_emits_each_group_once_at_flush),
        cmocka_unit_test(headers_are_those_of_the_row_that_changed_the_group),
        cmocka_unit_test(having_follows_the_group_in_and_out),
        cmocka_unit_test(first_row_of_a_stream_group_has_the_initial_row_as_old),
        cmocka_unit_test(buffered_first_row_has_no_old),
        cmocka_unit_test(table_groups_undo_the_old_row_then_add_the_new),
        cmocka_unit_test(having_turns_an_emptied_group_into_a_tombstone),
        cmocka_unit_test(old_row_of_a_table_group_that_is_new_is_absent),
        cmocka_unit_test(key_bytes_of_a_repartition_topic_are_taken_as_they_are),
        cmocka_unit_test(without_group_columns_all_rows_are_one_group),
        cmocka_unit_test(stored_group_reads_as_it_was_emitted),
        cmocka_unit_test(damaged_image_stops_the_query),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
