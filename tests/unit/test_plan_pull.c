/*
 * test_plan_pull.c: which keys a pull query looks up, and what it makes of a row.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/planner.h"

static const char tables[] =
    "CREATE STREAM S (K STRING KEY, V INT, W BIGINT) WITH (KAFKA_TOPIC='s', PARTITIONS=3, "
    "VALUE_FORMAT='JSON');"
    "CREATE TABLE T (ID BIGINT PRIMARY KEY, R STRING) WITH (KAFKA_TOPIC='t', PARTITIONS=2, "
    "VALUE_FORMAT='JSON');"
    "CREATE TABLE BY_V AS SELECT V AS N, COUNT(*) AS C FROM S GROUP BY V;"
    "CREATE TABLE BY_K AS SELECT K, COUNT(*) AS C FROM S GROUP BY K;"
    "CREATE TABLE TWO WITH (KEY_FORMAT='JSON') AS SELECT V, K, COUNT(*) AS C FROM S GROUP BY K, V;"
    "CREATE TABLE COPY AS SELECT * FROM T;";

static int set_up(void **state)
{
    struct planner *p = test_malloc(sizeof *p);

    planner_init(p);
    planner_accept(p, tables);
    *state = p;
    return 0;
}

static int tear_down(void **state)
{
    planner_fini(*state);
    test_free(*state);
    return 0;
}

/* Keys of text, in order: "a", "b". */
static void assert_keys(struct planner *p, const char *sql, const char *const *keys)
{
    uint32_t count = 0;

    planner_accept(p, sql);
    while (keys[count]) {
        count++;
    }
    assert_int_equal(p->pull->key_count, count);
    for (uint32_t i = 0; i < count; i++) {
        if (!bytes_equal_text(p->pull->keys[i], keys[i])) {
            fail_msg("%s: wanted %s, got %.*s", sql, keys[i], BYTES_ARG(p->pull->keys[i]));
        }
    }
}

static void an_equality_is_one_key_either_way_around(void **state)
{
    const char *const a[] = { "a", NULL };

    assert_keys(*state, "SELECT * FROM BY_K WHERE K = 'a';", a);
    assert_keys(*state, "SELECT * FROM BY_K WHERE 'a' = K;", a);
    assert_keys(*state, "SELECT * FROM BY_K WHERE K = 'a' AND C > 5;", a);
    assert_keys(*state, "SELECT * FROM BY_K WHERE (C > 1 OR C < 0) AND K = 'a';", a);
}

static void alternatives_keep_their_order_and_come_once(void **state)
{
    const char *const keys[] = { "b", "a", "c", NULL };

    assert_keys(*state, "SELECT * FROM BY_K WHERE K IN ('b', 'a', 'b') OR K = 'c' OR K = 'a';",
                keys);
}

static void a_key_is_in_the_stores_format(void **state)
{
    struct planner *p = *state;
    const char seven[] = { 0, 0, 0, 7 };

    planner_accept(p, "SELECT * FROM BY_V WHERE N = 7;");
    assert_int_equal(p->pull->key_count, 1);
    assert_int_equal(p->pull->keys[0].len, sizeof seven);
    assert_memory_equal(p->pull->keys[0].data, seven, sizeof seven);
    assert_true(bytes_equal_text(p->pull->query_id, "CTAS_BY_V_0"));
}

static void a_number_is_widened_to_the_key(void **state)
{
    struct planner *p = *state;
    const char five[] = { 0, 0, 0, 0, 0, 0, 0, 5 };

    planner_accept(p, "SELECT * FROM COPY WHERE ID = 5;");
    assert_int_equal(p->pull->key_count, 1);
    assert_int_equal(p->pull->keys[0].len, sizeof five);
    assert_memory_equal(p->pull->keys[0].data, five, sizeof five);
}

static void a_number_that_no_key_can_be_is_looked_up_nowhere(void **state)
{
    struct planner *p = *state;

    planner_accept(p, "SELECT * FROM BY_V WHERE N = 3000000000;");
    assert_int_equal(p->pull->key_count, 0);
    planner_accept(p, "SELECT * FROM BY_V WHERE N = 1.5 OR N = 2.0;");
    assert_int_equal(p->pull->key_count, 1);
}

static void several_key_columns_are_all_combined(void **state)
{
    const char *const keys[] = { "{\"K\":\"a\",\"V\":1}", "{\"K\":\"a\",\"V\":2}", NULL };

    assert_keys(*state, "SELECT * FROM TWO WHERE V IN (1, 2) AND K = 'a';", keys);
}

static void constant_expressions_are_evaluated(void **state)
{
    struct planner *p = *state;
    const char three[] = { 0, 0, 0, 3 };

    planner_accept(p, "SELECT * FROM BY_V WHERE N = 1 + 2;");
    assert_memory_equal(p->pull->keys[0].data, three, sizeof three);
}

static void the_result_is_in_select_order_with_its_keys_marked(void **state)
{
    struct planner *p = *state;
    const struct schema *result;

    planner_accept(p, "SELECT C, K, ROWTIME, C + 1 FROM BY_K WHERE K = 'a' LIMIT 4;");
    result = &p->pull->result;
    assert_int_equal(result->column_count, 4);
    assert_true(bytes_equal_text(result->columns[0].name, "C"));
    assert_int_equal(result->columns[1].role, COLUMN_KEY);
    assert_int_equal(result->columns[2].role, COLUMN_VALUE);
    assert_true(bytes_equal_text(result->columns[3].name, "KSQL_COL_0"));
    assert_int_equal(p->pull->output->columns[0].at, operand_make(BANK_CELLS, 1));
    assert_int_equal(p->pull->limit, 4);
    assert_true(program_has_filter(p->pull->program));
}

static void a_key_left_open_is_a_scan(void **state)
{
    static const char *const scans[] = {
        "SELECT * FROM BY_V;",
        "SELECT * FROM BY_V WHERE C = 1;",
        "SELECT * FROM BY_V WHERE N > 1;",
        "SELECT * FROM BY_V WHERE N = 1 OR C = 1;",
        "SELECT * FROM BY_V WHERE N = C;",
        "SELECT * FROM TWO WHERE V = 1;",
        "SELECT * FROM BY_K WHERE K > 'a' OR C > 1;",
    };
    struct planner *p = *state;

    for (size_t i = 0; i < sizeof scans / sizeof scans[0]; i++) {
        planner_accept(p, scans[i]);
        assert_int_equal(p->pull->access, PULL_SCAN);
        assert_null(p->pull->range.from.data);
        assert_null(p->pull->range.upto.data);
    }
    planner_accept(p, "SELECT * FROM BY_V WHERE N = 1;");
    assert_int_equal(p->pull->access, PULL_KEYS);
}

/* Bounds as text, "-" for none; a key's successor ends in a zero byte. */
static void assert_range(struct planner *p, const char *sql, struct bytes from, struct bytes upto)
{
    planner_accept(p, sql);
    assert_int_equal(p->pull->access, PULL_SCAN);
    assert_true(bytes_equal(p->pull->range.from, from));
    assert_true(bytes_equal(p->pull->range.upto, upto));
}

static void a_range_of_text_keys_bounds_the_scan(void **state)
{
    const struct bytes none = { NULL, 0 };
    const struct bytes b = BYTES("b");
    const struct bytes behind_b = BYTES("b\0");
    const struct bytes d = BYTES("d");

    assert_range(*state, "SELECT * FROM BY_K WHERE K >= 'b';", b, none);
    assert_range(*state, "SELECT * FROM BY_K WHERE K > 'b' AND C > 1;", behind_b, none);
    assert_range(*state, "SELECT * FROM BY_K WHERE 'b' >= K;", none, behind_b);
    assert_range(*state, "SELECT * FROM BY_K WHERE K < 'd' AND K >= 'b';", b, d);
    assert_range(*state, "SELECT * FROM BY_K WHERE K > 'a' AND K >= 'b' AND K < 'e' AND K < 'd';",
                 b, d);
    assert_range(*state, "SELECT * FROM BY_K WHERE K <> 'b';", none, none);
}

/* Java's order of text is not that of its bytes from U+E000 on. */
static void a_bound_whose_order_differs_from_its_bytes_is_none(void **state)
{
    const struct bytes none = { NULL, 0 };

    assert_range(*state, "SELECT * FROM BY_K WHERE K >= '\xEE\x80\x80';", none, none);
    assert_range(*state, "SELECT * FROM BY_K WHERE K >= '\xE2\x82\xAC';",
                 (struct bytes)BYTES("\xE2\x82\xAC"), none);
}

static void range_scans_can_be_switched_off(void **state)
{
    struct planner *p = *state;
    const struct bytes none = { NULL, 0 };

    p->settings.no_range_scans = true;
    assert_range(p, "SELECT * FROM BY_K WHERE K >= 'b';", none, none);
}

static void without_scans_every_key_needs_an_equality(void **state)
{
    struct planner *p = *state;

    p->settings.no_table_scans = true;
    planner_accept(p, "SELECT * FROM BY_V WHERE N IN (1, 2) AND C > 5;");
    assert_int_equal(p->pull->key_count, 2);
    planner_refuse(p, "SELECT * FROM BY_V;", ERR_PULL_SCAN);
    planner_refuse(p, "SELECT * FROM BY_V WHERE C = 1;", ERR_PULL_SCAN);
    planner_refuse(p, "SELECT * FROM BY_V WHERE N = 1 OR C = 1;", ERR_PULL_SCAN);
    planner_refuse(p, "SELECT * FROM TWO WHERE V = 1;", ERR_PULL_SCAN);
    planner_refuse(p, "SELECT * FROM BY_V WHERE N <> 1;", ERR_PULL_KEY);
    planner_refuse(p, "SELECT * FROM BY_V WHERE 0 < N AND N < 9;", ERR_PULL_KEY);
    planner_refuse(p, "SELECT * FROM BY_V WHERE N = C;", ERR_PULL_KEY);
    planner_refuse(p, "SELECT * FROM BY_V WHERE N = 1 AND N IN (1, 2);", ERR_PULL_KEY);
}

int main(void)
{
#define PULL_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        PULL_TEST(an_equality_is_one_key_either_way_around),
        PULL_TEST(alternatives_keep_their_order_and_come_once),
        PULL_TEST(a_key_is_in_the_stores_format),
        PULL_TEST(a_number_is_widened_to_the_key),
        PULL_TEST(a_key_left_open_is_a_scan),
        PULL_TEST(a_range_of_text_keys_bounds_the_scan),
        PULL_TEST(a_bound_whose_order_differs_from_its_bytes_is_none),
        PULL_TEST(range_scans_can_be_switched_off),
        PULL_TEST(without_scans_every_key_needs_an_equality),
        PULL_TEST(a_number_that_no_key_can_be_is_looked_up_nowhere),
        PULL_TEST(several_key_columns_are_all_combined),
        PULL_TEST(constant_expressions_are_evaluated),
        PULL_TEST(the_result_is_in_select_order_with_its_keys_marked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
