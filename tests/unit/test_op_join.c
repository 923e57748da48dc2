/*
 * test_op_join.c: which rows of two sides meet, and what comes of it (queries.md 6.4, 6.5).
 *
 * Rows that come out are (key, left key, left value, right key, right value).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/operator_world.h"

static void setup(struct world *w, enum ast_join_kind kind, bool left_is_table)
{
    world_init(w);
    world_add_join(w, kind, left_is_table);
    world_open(w);
}

static void check(enum ast_join_kind kind, bool left_is_table, const char *rows,
                  const char *expected)
{
    struct world w;

    setup(&w, kind, left_is_table);
    world_push(&w, rows);
    world_expect(&w, expected);
    world_expect_errors(&w, "");
    world_fini(&w);
}

/* --- stream and table --- */

static void stream_row_meets_what_the_table_has_now(void **state)
{
    static const char rows[] = "(a,1)@1 >(a,10)@9 (a,2)@2[h] >(a,20)@3 (a,3)@4 >(a,-)@5 (a,4)@6";

    check(AST_JOIN_INNER, false, rows, "(a,a,2,a,10)@2[h] (a,a,3,a,20)@4");
    check(AST_JOIN_LEFT, false, rows,
          "(a,a,1,~,~)@1 (a,a,2,a,10)@2[h] (a,a,3,a,20)@4 (a,a,4,~,~)@6");
}

static void table_events_cause_nothing(void **state)
{
    check(AST_JOIN_LEFT, false, ">(a,1)@1 >(a,-)@2 >(b,3)@3", "");
}

static void stream_row_without_a_value_is_left_out(void **state)
{
    check(AST_JOIN_INNER, false, ">(a,1)@1 (a,-)@2", "");
    check(AST_JOIN_LEFT, false, ">(a,1)@1 (a,-)@2 (b,-)@3", "");
}

static void stream_row_without_a_key_meets_nothing(void **state)
{
    check(AST_JOIN_INNER, false, ">(a,1)@1 (-,5)@2", "");
    check(AST_JOIN_LEFT, false, ">(a,1)@1 (-,5)@2", "(~,~,5,~,~)@2");
}

static void table_row_of_nulls_is_there(void **state)
{
    check(AST_JOIN_INNER, false, ">(a,~)@1 (a,5)@2", "(a,a,5,a,~)@2");
}

/* --- table and table; the three examples of queries.md 6.5 are the first --- */

static const char example[] = "(z,1)@1 >(z,2)@2 >(z,-)@3 (z,-)@4 >(z,3)@5 (z,4)@6";

static void inner_needs_both(void **state)
{
    check(AST_JOIN_INNER, true, example, "(z,z,1,z,2)@2 (z,-)@3 (z,z,4,z,3)@6");
}

static void left_needs_left(void **state)
{
    check(AST_JOIN_LEFT, true, example,
          "(z,z,1,~,~)@1 (z,z,1,z,2)@2 (z,z,1,~,~)@3 (z,-)@4 (z,z,4,z,3)@6");
}

static void right_needs_right(void **state)
{
    check(AST_JOIN_RIGHT, true, example, "(z,z,1,z,2)@2 (z,-)@3 (z,~,~,z,3)@5 (z,z,4,z,3)@6");
}

static void full_needs_either(void **state)
{
    check(AST_JOIN_FULL, true, example,
          "(z,z,1,~,~)@1 (z,z,1,z,2)@2 (z,z,1,~,~)@3 (z,-)@4 (z,~,~,z,3)@5 (z,z,4,z,3)@6");
}

static void delete_of_what_was_never_there_is_told_only_where_the_other_side_is(void **state)
{
    static const char rows[] = "(a,-)@1 >(a,-)@2 >(b,1)@3 (b,-)@4 (c,1)@5 >(c,-)@6";

    check(AST_JOIN_INNER, true, rows, "(b,-)@4 (c,-)@6");
    check(AST_JOIN_LEFT, true, rows, "(b,-)@4 (c,c,1,~,~)@5 (c,c,1,~,~)@6");
    check(AST_JOIN_RIGHT, true, rows, "(b,~,~,b,1)@3 (b,~,~,b,1)@4 (c,-)@6");
    check(AST_JOIN_FULL, true, rows, "(b,~,~,b,1)@3 (b,~,~,b,1)@4 (c,c,1,~,~)@5 (c,c,1,~,~)@6");
}

static void repeated_delete_of_a_left_row_is_told_again_while_the_right_row_is_there(void **state)
{
    check(AST_JOIN_LEFT, true, "(a,1)@1 (a,-)@2 (a,-)@3", "(a,a,1,~,~)@1 (a,-)@2");
    check(AST_JOIN_LEFT, true, "(a,1)@1 >(a,2)@2 (a,-)@3 (a,-)@4",
          "(a,a,1,~,~)@1 (a,a,1,a,2)@2 (a,-)@3 (a,-)@4");
}

static void time_is_that_of_the_later_row(void **state)
{
    check(AST_JOIN_INNER, true, "(a,1)@50 >(a,2)@10 (a,3)@20 >(a,-)@5",
          "(a,a,1,a,2)@50 (a,a,3,a,2)@20 (a,-)@20");
}

static void rows_without_a_key_are_left_out(void **state)
{
    check(AST_JOIN_FULL, true, "(-,1)@1 >(-,2)@2 (a,1)@3", "(a,a,1,~,~)@3");
}

static void headers_are_those_of_the_change(void **state)
{
    check(AST_JOIN_INNER, true, "(a,1)@1[l] >(a,2)@2[r]", "(a,a,1,a,2)@2[r]");
}

static void check_changes(enum ast_join_kind kind, const char *expected)
{
    struct world w;

    world_init(&w);
    world_add_join(&w, kind, true)->needs_old = true;
    world_open(&w);
    world_push(&w, "(a,1)@1 >(a,2)@2 (a,3)@3 >(a,-)@4 (a,-)@5");
    world_expect(&w, expected);
    world_fini(&w);
}

static void changes_carry_the_joined_row_that_was_there(void **state)
{
    check_changes(AST_JOIN_INNER, "(a,a,1,a,2)@2 (a,a,3,a,2)<(a,a,1,a,2)@3 (a,-)<(a,a,3,a,2)@4");
    check_changes(AST_JOIN_LEFT, "(a,a,1,~,~)@1 (a,a,1,a,2)<(a,a,1,~,~)@2 "
                                 "(a,a,3,a,2)<(a,a,1,a,2)@3 (a,a,3,~,~)<(a,a,3,a,2)@4 "
                                 "(a,-)<(a,a,3,~,~)@5");
    check_changes(AST_JOIN_RIGHT, "(a,a,1,a,2)@2 (a,a,3,a,2)<(a,a,1,a,2)@3 (a,-)<(a,a,3,a,2)@4");
    check_changes(AST_JOIN_FULL, "(a,a,1,~,~)@1 (a,a,1,a,2)<(a,a,1,~,~)@2 "
                                 "(a,a,3,a,2)<(a,a,1,a,2)@3 (a,a,3,~,~)<(a,a,3,a,2)@4 "
                                 "(a,-)<(a,a,3,~,~)@5");
}

static void tables_of_a_join_do_not_wait_for_a_flush(void **state)
{
    struct world w;

    world_init(&w);
    w.env.emission_budget = 1 << 20;
    world_add_join(&w, AST_JOIN_INNER, true);
    world_open(&w);
    world_push(&w, "(a,1)@1 >(a,2)@2 (a,3)@3");
    world_expect(&w, "(a,a,1,a,2)@2 (a,a,3,a,2)@3");
    world_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stream_row_meets_what_the_table_has_now),
        cmocka_unit_test(table_events_cause_nothing),
        cmocka_unit_test(stream_row_without_a_value_is_left_out),
        cmocka_unit_test(stream_row_without_a_key_meets_nothing),
        cmocka_unit_test(table_row_of_nulls_is_there),
        cmocka_unit_test(inner_needs_both),
        cmocka_unit_test(left_needs_left),
        cmocka_unit_test(right_needs_right),
        cmocka_unit_test(full_needs_either),
        cmocka_unit_test(delete_of_what_was_never_there_is_told_only_where_the_other_side_is),
        cmocka_unit_test(repeated_delete_of_a_left_row_is_told_again_while_the_right_row_is_there),
        cmocka_unit_test(time_is_that_of_the_later_row),
        cmocka_unit_test(rows_without_a_key_are_left_out),
        cmocka_unit_test(headers_are_those_of_the_change),
        cmocka_unit_test(changes_carry_the_joined_row_that_was_there),
        cmocka_unit_test(tables_of_a_join_do_not_wait_for_a_flush),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
