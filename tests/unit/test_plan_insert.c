/*
 * test_plan_insert.c: what INSERT VALUES makes of constants.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/plan/plan_internal.h"
#include "engine/type/cast.h"
#include "tests/unit/planner.h"

static const char target[] =
    "CREATE STREAM S (K STRING KEY, I INT, B BIGINT, D DECIMAL(6, 2), F DOUBLE, T TIMESTAMP, "
    "DT DATE, X BYTES, A ARRAY<BIGINT>, M MAP<STRING, DOUBLE>, R STRUCT<P BIGINT, Q STRING>) WITH "
    "(KAFKA_TOPIC='s', PARTITIONS=1, FORMAT='JSON');";

static int set_up(void **state)
{
    struct planner *p = test_malloc(sizeof *p);

    planner_init(p);
    planner_accept(p, target);
    *state = p;
    return 0;
}

static int tear_down(void **state)
{
    planner_fini(*state);
    test_free(*state);
    return 0;
}

/* The value of a column as CAST to STRING prints it. */
static void assert_cell(struct planner *p, const char *name, const char *wanted)
{
    const struct schema *schema = &p->row.source->schema;
    const struct column *column = schema_find(schema, bytes_of(name));
    const struct value *cell;
    struct buffer text = { 0 };

    assert_non_null(column);
    cell = &p->row.cells[schema_index(schema, column)];
    cast_print(cell, column->type, &text);
    if (!bytes_equal_text(buffer_bytes(&text), wanted)) {
        fail_msg("%s: wanted %s, got %.*s", name, wanted, (int)text.len, text.data);
    }
    assert_true(value_is_null(cell) || cell->kind == column->type->id);
    buffer_fini(&text);
}

static void columns_not_listed_are_null(void **state)
{
    struct planner *p = *state;

    planner_accept(p, "INSERT INTO S (I, K) VALUES (-7, 'k');");
    assert_cell(p, "K", "k");
    assert_cell(p, "I", "-7");
    assert_true(value_is_null(&p->row.cells[2]));
    assert_false(p->row.has_timestamp);
}

static void rowtime_may_be_given(void **state)
{
    struct planner *p = *state;

    planner_accept(p, "INSERT INTO S (ROWTIME, K) VALUES (1234, 'k');");
    assert_true(p->row.has_timestamp);
    assert_int_equal(p->row.timestamp_ms, 1234);
}

static void numbers_are_widened_and_never_rounded(void **state)
{
    struct planner *p = *state;

    planner_accept(p, "INSERT INTO S (I, B, D, F) VALUES (1, 2, 3, 4);");
    assert_cell(p, "B", "2");
    assert_cell(p, "D", "3.00");
    assert_cell(p, "F", "4.0");
    planner_accept(p, "INSERT INTO S (D, F) VALUES (1234.5, 2.50);");
    assert_cell(p, "D", "1234.50");
    assert_cell(p, "F", "2.5");
    planner_refuse(p, "INSERT INTO S (D) VALUES (12345);", ERR_INSERT_VALUE);
    planner_refuse(p, "INSERT INTO S (I) VALUES (1.0);", ERR_INSERT_VALUE);
    planner_refuse(p, "INSERT INTO S (B) VALUES (1e0);", ERR_INSERT_VALUE);
}

static void text_becomes_times_and_bytes_only(void **state)
{
    struct planner *p = *state;

    planner_accept(p, "INSERT INTO S (T, DT, X) VALUES ('2020-01-02T03:04:05', '2020-01-02', "
                      "'aGk=');");
    assert_cell(p, "T", "2020-01-02T03:04:05.000");
    assert_cell(p, "DT", "2020-01-02");
    assert_true(bytes_equal_text(value_bytes(&p->row.cells[7]), "hi"));
    planner_refuse(p, "INSERT INTO S (F) VALUES ('1.5');", ERR_INSERT_VALUE);
    planner_refuse(p, "INSERT INTO S (T) VALUES ('soon');", ERR_INSERT_VALUE);
    planner_refuse(p, "INSERT INTO S (K) VALUES (true);", ERR_INSERT_VALUE);
}

static void containers_are_coerced_inside(void **state)
{
    struct planner *p = *state;
    const struct schema *schema = &p->source->schema;
    const struct sql_type *integer = type_scalar(T_INTEGER);
    const struct sql_field fields[] = { { BYTES("Z"), integer }, { BYTES("P"), integer } };
    struct value numbers[] = { value_i64(T_INTEGER, 5), value_i64(T_INTEGER, 7) };
    struct map_pair pair = { value_text(T_STRING, bytes_of("a")), numbers[0] };
    const struct value array = { .kind = T_ARRAY, .size = 2, .items = numbers };
    const struct value map = { .kind = T_MAP, .size = 1, .pairs = &pair };
    const struct value structure = { .kind = T_STRUCT, .size = 2, .items = numbers };
    struct value out;

    assert_int_equal(coerce_strictly(&array, type_array(&p->arena, integer),
                                     schema->columns[8].type, &p->arena, &out, &p->err),
                     0);
    assert_int_equal(out.items[1].kind, T_BIGINT);
    assert_int_equal(out.items[1].i64, 7);
    assert_int_equal(coerce_strictly(&map, type_map(&p->arena, type_scalar(T_STRING), integer),
                                     schema->columns[9].type, &p->arena, &out, &p->err),
                     0);
    assert_int_equal(out.pairs[0].value.kind, T_DOUBLE);
    assert_int_equal(coerce_strictly(&structure, type_struct(&p->arena, fields, 2),
                                     schema->columns[10].type, &p->arena, &out, &p->err),
                     0);
    assert_int_equal(out.size, 2);
    assert_int_equal(out.items[0].i64, 7);
    assert_true(value_is_null(&out.items[1]));
    assert_int_equal(coerce_strictly(&array, type_array(&p->arena, integer),
                                     schema->columns[9].type, &p->arena, &out, &p->err),
                     ERR_INSERT_VALUE);
}

static void null_fits_every_column_and_expressions_are_evaluated(void **state)
{
    struct planner *p = *state;

    planner_accept(p, "INSERT INTO S (I, B, A) VALUES (NULL, 2 * 3 + 1, NULL);");
    assert_true(value_is_null(&p->row.cells[1]));
    assert_cell(p, "B", "7");
    planner_refuse(p, "INSERT INTO S (I) VALUES (1 / 0);", ERR_INSERT_VALUE);
}

int main(void)
{
#define INSERT_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        INSERT_TEST(columns_not_listed_are_null),
        INSERT_TEST(rowtime_may_be_given),
        INSERT_TEST(numbers_are_widened_and_never_rounded),
        INSERT_TEST(text_becomes_times_and_bytes_only),
        INSERT_TEST(containers_are_coerced_inside),
        INSERT_TEST(null_fits_every_column_and_expressions_are_evaluated),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
