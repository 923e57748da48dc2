/*
 * test_op_table.c: a table's records become changes (queries.md 1).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/operator_world.h"

static void setup(struct world *w, bool needs_old, size_t budget)
{
    const struct row_shape *shape;

    world_init(w);
    shape = world_shape(w, "K STRING KEY, V BIGINT, S STRING");
    world_add_table(w, shape, shape)->needs_old = needs_old;
    w->env.emission_budget = budget;
    world_open(w);
}

static void changes_carry_the_row_that_was_there(void **state)
{
    struct world w;

    setup(&w, true, 0);
    world_push(&w, "(a,1,x)@5 (b,2,y)@3 (a,3,~)@2 (a,-)@7 (a,4,z)@8");
    world_expect(&w, "(a,1,x)@5 (b,2,y)@3 (a,3,~)<(a,1,x)@2 (a,-)<(a,3,~)@7 (a,4,z)@8");
    world_expect_errors(&w, "");
    world_fini(&w);
}

static void old_rows_are_left_out_where_nobody_asks(void **state)
{
    struct world w;

    setup(&w, false, 0);
    world_push(&w, "(a,1,x)@5 (a,3,y)@2");
    world_expect(&w, "(a,1,x)@5 (a,3,y)@2");
    world_fini(&w);
}

static void rows_without_a_key_are_dropped(void **state)
{
    struct world w;

    setup(&w, true, 0);
    world_push(&w, "(-,9,x)@1 (a,1,x)@2 (-,-)@3");
    world_expect(&w, "(a,1,x)@2");
    assert_int_equal(store_count(w.stores[0]), 1);
    world_expect_errors(&w, "");
    world_fini(&w);
}

static void delete_of_a_key_never_seen_goes_on(void **state)
{
    struct world w;

    setup(&w, true, 0);
    world_push(&w, "(a,-)@1 (a,-)@2");
    world_expect(&w, "(a,-)@1 (a,-)@2");
    world_fini(&w);
}

static void identical_updates_all_go_on_and_late_ones_win(void **state)
{
    struct world w;
    struct store_entry entry;

    setup(&w, false, 0);
    world_push(&w, "(a,1,x)@5 (a,1,x)@5 (a,2,x)@1");
    world_expect(&w, "(a,1,x)@5 (a,1,x)@5 (a,2,x)@1");
    assert_true(store_get(w.stores[0], bytes_of("a"), &entry));
    assert_int_equal(entry.timestamp_ms, 1);
    world_fini(&w);
}

static void pseudo_columns_are_those_of_the_stored_record(void **state)
{
    struct world w;
    const struct row_shape *in;

    world_init(&w);
    in = world_shape(&w, "K STRING KEY, V BIGINT");
    world_add_table(&w, in,
                    world_shape(&w, "K STRING KEY, V BIGINT, ROWTIME BIGINT, "
                                    "ROWPARTITION INTEGER, ROWOFFSET BIGINT"))
        ->needs_old = true;
    world_open(&w);
    world_push(&w, "(a,1)@5 (a,2)@3 (a,-)@9");
    world_expect(&w, "(a,1,5,7,100)@5 (a,2,3,7,101)<(a,1,5,7,100)@3 (a,-)<(a,2,3,7,101)@9");
    world_fini(&w);
}

static void buffered_changes_come_once_per_key_at_flush(void **state)
{
    struct world w;

    setup(&w, true, 1 << 20);
    world_push(&w, "(a,1,x)@5[h1] (b,2,y)@3[h2] (a,3,z)@2[h3]");
    world_expect(&w, "");
    world_flush(&w);
    world_expect(&w, "(b,2,y)@3[h2] (a,3,z)@2[h3]");
    world_push(&w, "(a,4,z)@6 (b,-)@7");
    world_flush(&w);
    world_expect(&w, "(a,4,z)<(a,3,z)@6 (b,-)<(b,2,y)@7");
    world_flush(&w);
    world_expect(&w, "");
    world_fini(&w);
}

static void buffered_delete_of_a_key_absent_at_the_last_flush_emits_nothing(void **state)
{
    struct world w;

    setup(&w, true, 1 << 20);
    world_push(&w, "(a,-)@1 (b,1,x)@2 (b,-)@3 (c,1,x)@4");
    world_flush(&w);
    world_expect(&w, "(c,1,x)@4");
    world_fini(&w);
}

static void full_buffer_flushes_itself(void **state)
{
    struct world w;

    setup(&w, false, 1);
    world_push(&w, "(a,1,x)@1 (a,2,x)@2");
    world_expect(&w, "(a,1,x)@1 (a,2,x)@2");
    world_fini(&w);
}

static void entry_of_the_store_reads_as_it_was_emitted(void **state)
{
    struct world w;
    struct store_entry entry;
    struct value cells[3];
    struct error err;

    setup(&w, false, 0);
    world_push(&w, "(a,1,x)@5");
    assert_true(store_get(w.stores[0], bytes_of("a"), &entry));
    assert_int_equal(w.chain.ops[0].kind->read(&w.chain.ops[0], entry.image, cells, &w.arena, &err),
                     0);
    assert_int_equal(cells[1].i64, 1);
    assert_true(bytes_equal_text(value_bytes(&cells[2]), "x"));
    world_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changes_carry_the_row_that_was_there),
        cmocka_unit_test(old_rows_are_left_out_where_nobody_asks),
        cmocka_unit_test(rows_without_a_key_are_dropped),
        cmocka_unit_test(delete_of_a_key_never_seen_goes_on),
        cmocka_unit_test(identical_updates_all_go_on_and_late_ones_win),
        cmocka_unit_test(pseudo_columns_are_those_of_the_stored_record),
        cmocka_unit_test(buffered_changes_come_once_per_key_at_flush),
        cmocka_unit_test(buffered_delete_of_a_key_absent_at_the_last_flush_emits_nothing),
        cmocka_unit_test(full_buffer_flushes_itself),
        cmocka_unit_test(entry_of_the_store_reads_as_it_was_emitted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
