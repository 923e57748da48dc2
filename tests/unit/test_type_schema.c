/*
 * test_type_schema.c: types print, compare and copy by structure; schemas and shapes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/type/row_batch.h"

static int make_arena(void **state)
{
    static struct arena arena;

    arena_init(&arena, 0);
    *state = &arena;
    return 0;
}

static int end_arena(void **state)
{
    arena_fini(*state);
    return 0;
}

static const struct sql_type *nested_type(struct arena *arena)
{
    struct sql_field inner[] = {
        { BYTES("F0"), type_scalar(T_BIGINT) },
        { BYTES("f`1"), type_map(arena, type_scalar(T_STRING), type_decimal(arena, 4, 2)) },
    };

    return type_array(arena, type_struct(arena, inner, 2));
}

static void check_text(const struct sql_type *type, const char *expected)
{
    struct buffer text = { 0 };

    type_print(type, &text);
    assert_true(bytes_equal_text(buffer_bytes(&text), expected));
    buffer_fini(&text);
}

static void types_print_as_describe_shows_them(void **state)
{
    struct arena *arena = *state;

    check_text(type_scalar(T_INTEGER), "INTEGER");
    check_text(type_scalar(T_STRING), "STRING");
    check_text(type_decimal(arena, 4, 2), "DECIMAL(4, 2)");
    check_text(type_array(arena, type_scalar(T_INTEGER)), "ARRAY<INTEGER>");
    check_text(type_map(arena, type_scalar(T_STRING), type_scalar(T_INTEGER)),
               "MAP<STRING, INTEGER>");
    check_text(nested_type(arena), "ARRAY<STRUCT<`F0` BIGINT, `f``1` MAP<STRING, DECIMAL(4, 2)>>>");
    check_text(type_struct(arena, NULL, 0), "STRUCT< >");
}

static void type_names_are_found_in_any_case(void **state)
{
    assert_int_equal(type_find(bytes_of("integer")), T_INTEGER);
    assert_int_equal(type_find(bytes_of("Int")), T_INTEGER);
    assert_int_equal(type_find(bytes_of("VARCHAR")), T_STRING);
    assert_int_equal(type_find(bytes_of("dec")), T_DECIMAL);
    assert_int_equal(type_find(bytes_of("timestamp")), T_TIMESTAMP);
    assert_int_equal(type_find(bytes_of("NULL")), T_NULL);
    assert_int_equal(type_find(bytes_of("TEXT")), T_NULL);
}

static void equality_looks_at_parameters_and_names(void **state)
{
    struct arena *arena = *state;
    struct sql_field a = { BYTES("A"), type_scalar(T_INTEGER) };
    struct sql_field b = { BYTES("a"), type_scalar(T_INTEGER) };

    assert_true(type_equal(nested_type(arena), nested_type(arena)));
    assert_false(type_equal(type_decimal(arena, 4, 2), type_decimal(arena, 4, 1)));
    assert_false(type_equal(type_struct(arena, &a, 1), type_struct(arena, &b, 1)));
    assert_false(type_equal(type_struct(arena, &a, 1), type_struct(arena, &a, 0)));
    assert_false(type_equal(type_array(arena, a.type), type_array(arena, type_scalar(T_BIGINT))));
    assert_true(type_equal(type_array(arena, a.type), type_array(arena, a.type)));
}

static void copies_outlive_their_source(void **state)
{
    struct arena *arena = *state;
    struct arena source;
    const struct sql_type *copy;

    arena_init(&source, 0);
    copy = type_copy(arena, nested_type(&source));
    arena_fini(&source);
    assert_true(type_equal(copy, nested_type(arena)));
    assert_true(type_has_map(copy));
    assert_false(type_has_map(type_array(arena, type_scalar(T_BYTES))));
    assert_ptr_equal(type_copy(arena, type_scalar(T_DATE)), type_scalar(T_DATE));
}

static const struct schema *example_schema(struct arena *arena)
{
    static struct column columns[4];
    static const struct schema schema = { columns, 4, 1 };

    columns[0] = (struct column){ BYTES("K"), type_scalar(T_STRING), COLUMN_KEY, { NULL, 0 } };
    columns[1] =
        (struct column){ BYTES("V"), type_decimal(arena, 5, 1), COLUMN_VALUE, { NULL, 0 } };
    columns[2] = (struct column){ BYTES("H"), type_scalar(T_BYTES), COLUMN_HEADER, BYTES("it's") };
    columns[3] = (struct column){ BYTES("HS"), type_scalar(T_BYTES), COLUMN_HEADERS, { NULL, 0 } };
    return &schema;
}

static void schemas_print_and_copy(void **state)
{
    struct arena *arena = *state;
    const struct schema *schema = example_schema(arena);
    struct schema copy;
    struct buffer text = { 0 };

    schema_copy(arena, schema, &copy);
    assert_true(schema_equal(schema, &copy));
    schema_print(&copy, "PRIMARY KEY", &text);
    assert_true(bytes_equal_text(buffer_bytes(&text),
                                 "`K` STRING PRIMARY KEY, `V` DECIMAL(5, 1), `H` BYTES "
                                 "HEADER('it''s'), `HS` BYTES HEADERS"));
    buffer_fini(&text);
    copy.column_count--;
    assert_false(schema_equal(schema, &copy));
    assert_null(schema_find(schema, bytes_of("v")));
    assert_int_equal(schema_index(schema, schema_find(schema, bytes_of("V"))), 1);
}

static void shape_of_a_schema_has_its_columns_as_cells(void **state)
{
    struct arena *arena = *state;
    const struct schema *schema = example_schema(arena);
    struct row_shape shape;
    struct schema back;
    struct value cells[8] = { 0 };
    struct row_batch batch = { .shape = &shape, .row_count = 2, .cells = cells };
    struct row_banks row;

    row_shape_of_schema(arena, schema, &shape);
    assert_int_equal(shape.cell_count, 4);
    assert_int_equal(shape.key_count, 1);
    cells[4 + 2] = value_i64(T_BIGINT, 17);
    row = batch_row_new(&batch, 1);
    assert_int_equal(banks_value(&row, shape.columns[2].at)->i64, 17);
    row_shape_schema(arena, &shape, &back);
    assert_int_equal(back.columns[2].role, COLUMN_HEADER);
    assert_true(type_equal(back.columns[1].type, schema->columns[1].type));
}

static void pseudo_columns_are_known_by_upper_case_name(void **state)
{
    assert_int_equal(pseudo_column_find(bytes_of("ROWTIME")), PSEUDO_ROWTIME);
    assert_int_equal(pseudo_column_find(bytes_of("rowtime")), PSEUDO_NONE);
    assert_int_equal(pseudo_column_find(bytes_of("")), PSEUDO_NONE);
    assert_int_equal(pseudo_column_type(PSEUDO_ROWPARTITION)->id, T_INTEGER);
    assert_int_equal(pseudo_column_type(PSEUDO_WINDOWEND)->id, T_BIGINT);
    assert_string_equal(pseudo_column_name(PSEUDO_ROWOFFSET), "ROWOFFSET");
}

static void names_print_bare_where_that_reads_back(void **state)
{
    static const char *const cases[][2] = {
        { "AMOUNT", "AMOUNT" }, { "amount", "`amount`" },
        { "A B", "`A B`" },     { "SELECT", "`SELECT`" },
        { "", "``" },           { "A`B", "`A``B`" },
        { "_X1", "_X1" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buffer text = { 0 };

        name_print(bytes_of(cases[i][0]), &text);
        assert_true(bytes_equal_text(buffer_bytes(&text), cases[i][1]));
        buffer_fini(&text);
    }
}

#define WITH_ARENA(test) cmocka_unit_test_setup_teardown(test, make_arena, end_arena)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_ARENA(types_print_as_describe_shows_them),
        WITH_ARENA(type_names_are_found_in_any_case),
        WITH_ARENA(equality_looks_at_parameters_and_names),
        WITH_ARENA(copies_outlive_their_source),
        WITH_ARENA(schemas_print_and_copy),
        WITH_ARENA(shape_of_a_schema_has_its_columns_as_cells),
        WITH_ARENA(names_print_bare_where_that_reads_back),
        WITH_ARENA(pseudo_columns_are_known_by_upper_case_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
