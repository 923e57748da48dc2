/*
 * expr_fixture.c: see the header.
 */
#include "tests/unit/expr_fixture.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "engine/type/cast.h"
#include "parser/parse.h"

/* value: an expression without columns; NULL: null; "": set by hand below. */
static const struct {
    const char *name;
    const char *type;
    const char *value;
} columns[] = {
    { "B", "BOOLEAN", "true" },
    { "BN", "BOOLEAN", NULL },
    { "I", "INT", "7" },
    { "J", "INT", "-2" },
    { "Z", "INT", "0" },
    { "IN_", "INT", NULL },
    { "IMIN", "INT", "-2147483648" },
    { "L", "BIGINT", "5000000000" },
    { "LMIN", "BIGINT", "-9223372036854775808" },
    { "LN", "BIGINT", NULL },
    { "D", "DOUBLE", "1.5e0" },
    { "DN", "DOUBLE", NULL },
    { "NAN", "DOUBLE", "" },
    { "DEC", "DECIMAL(4, 2)", "10.10" },
    { "DEC4", "DECIMAL(4, 2)", "CAST(4 AS DECIMAL(4, 2))" },
    { "DEC3", "DECIMAL(4, 2)", "CAST(3 AS DECIMAL(4, 2))" },
    { "WIDE", "DECIMAL(30, 2)", "CAST('1234567890123456789012345.67' AS DECIMAL(30, 2))" },
    { "DECN", "DECIMAL(4, 2)", NULL },
    { "S", "STRING", "'abc'" },
    { "T", "STRING", "'x'" },
    { "S5", "STRING", "'5'" },
    { "SN", "STRING", NULL },
    { "TS", "TIMESTAMP", "CAST('2020-05-26T23:59:58.000' AS TIMESTAMP)" },
    { "TSN", "TIMESTAMP", NULL },
    { "DA", "DATE", "CAST('2020-05-26' AS DATE)" },
    { "DAN", "DATE", NULL },
    { "TI", "TIME", "CAST('13:05:09' AS TIME)" },
    { "TIN", "TIME", NULL },
    { "BYT", "BYTES", "CAST('gA==' AS BYTES)" },  /* 0x80 */
    { "BYT7", "BYTES", "CAST('fw==' AS BYTES)" }, /* 0x7f */
    { "BYTN", "BYTES", NULL },
    { "ARR", "ARRAY<INT>", "" },
    { "ARRL", "ARRAY<BIGINT>", "" },
    { "ARRT", "ARRAY<STRING>", "" },
    { "ARRN", "ARRAY<INT>", NULL },
    { "M", "MAP<STRING, INT>", "" },
    { "MN", "MAP<STRING, INT>", NULL },
    { "ST", "STRUCT<F0 BIGINT, F1 STRING>", "" },
    { "STX", "STRUCT<F0 BIGINT, F2 STRING>", "" },
    { "STN", "STRUCT<F0 BIGINT, F1 STRING>", NULL },
    { "NEST", "ARRAY<STRUCT<F0 BIGINT, F1 STRING>>", "" },
};

enum { COLUMN_COUNT = sizeof columns / sizeof *columns };

static uint32_t column_index(const char *name)
{
    for (uint32_t i = 0; i < COLUMN_COUNT; i++) {
        if (strcmp(columns[i].name, name) == 0) {
            return i;
        }
    }
    fail_msg("no column %s", name);
    return 0;
}

static int resolve(const struct expr_scope *scope, struct bytes qualifier,
                   const struct ast_name *name, struct arena *arena, const struct expr **out,
                   struct error *err)
{
    const struct expr_fixture *f =
        (const struct expr_fixture *)(const void *)((const char *)scope -
                                                    offsetof(struct expr_fixture, scope));

    if (qualifier.data && !bytes_equal_text(qualifier, "SRC")) {
        return error_set(err, ERR_UNKNOWN_COLUMN, name->at, "no source '%.*s'",
                         BYTES_ARG(qualifier));
    }
    if (pseudo_column_find(name->text) != PSEUDO_NONE) {
        struct expr *e = arena_new(arena, struct expr);

        e->kind = EXPR_PSEUDO;
        e->pseudo = pseudo_column_find(name->text);
        e->type = pseudo_column_type(e->pseudo);
        e->at = name->at;
        *out = e;
        return 0;
    }
    for (uint32_t i = 0; i < f->shape.column_count; i++) {
        if (bytes_equal(f->shape.columns[i].name, name->text)) {
            *out = expr_column(arena, 0, i, name->text, f->shape.columns[i].type, name->at);
            return 0;
        }
    }
    return error_set(err, ERR_UNKNOWN_COLUMN, name->at, "no column '%.*s'", BYTES_ARG(name->text));
}

static struct value evaluate_constant(struct expr_fixture *f, const char *text)
{
    const struct expr *e = NULL;
    struct value value = value_null();
    struct error err = { 0 };

    if (expr_fixture_bind(f, text, &e, &err) ||
        expr_evaluate_constant(e, &f->arena, &value, &err)) {
        fail_msg("%s: %s", text, err.message);
    }
    return value;
}

static struct value *make_items(struct expr_fixture *f, const char *const *texts, uint32_t count)
{
    struct value *items = arena_array(&f->arena, struct value, count);

    for (uint32_t i = 0; i < count; i++) {
        items[i] = texts[i] ? evaluate_constant(f, texts[i]) : value_null();
    }
    return items;
}

static void set_items(struct expr_fixture *f, const char *name, enum type_id kind,
                      const struct value *items, uint32_t count)
{
    f->cells[column_index(name)] =
        (struct value){ .kind = (uint8_t)kind, .size = count, .items = items };
}

static void set_containers(struct expr_fixture *f)
{
    static const char *const integers[] = { "10", NULL, "30" };
    static const char *const bigints[] = { "10000000000", NULL, "30000000000" };
    static const char *const texts[] = { "'a'", NULL, "'c'" };
    static const char *const fields[] = { "5000000000", "'x'" };
    struct map_pair *pairs = arena_array(&f->arena, struct map_pair, 2);

    f->cells[column_index("NAN")] = value_f64((double)NAN);
    set_items(f, "ARR", T_ARRAY, make_items(f, integers, 3), 3);
    set_items(f, "ARRL", T_ARRAY, make_items(f, bigints, 3), 3);
    set_items(f, "ARRT", T_ARRAY, make_items(f, texts, 3), 3);
    set_items(f, "ST", T_STRUCT, make_items(f, fields, 2), 2);
    set_items(f, "STX", T_STRUCT, make_items(f, fields, 2), 2);
    set_items(f, "NEST", T_ARRAY, &f->cells[column_index("ST")], 1);
    pairs[0] = (struct map_pair){ evaluate_constant(f, "'a'"), value_i64(T_INTEGER, 1) };
    pairs[1] = (struct map_pair){ evaluate_constant(f, "'b'"), value_null() };
    f->cells[column_index("M")] = (struct value){ .kind = T_MAP, .size = 2, .pairs = pairs };
}

void expr_fixture_init(struct expr_fixture *f)
{
    struct shape_column *made = NULL;

    *f = (struct expr_fixture){ .scope = { resolve } };
    arena_init(&f->arena, 0);
    made = arena_array(&f->arena, struct shape_column, COLUMN_COUNT);
    f->cells = arena_array(&f->arena, struct value, COLUMN_COUNT);
    for (uint32_t i = 0; i < COLUMN_COUNT; i++) {
        struct ast_type *syntax = NULL;

        assert_int_equal(parse_type(&f->arena, bytes_of(columns[i].type), &syntax, NULL), 0);
        made[i].name = bytes_of(columns[i].name);
        made[i].at = operand_make(BANK_CELLS, i);
        made[i].role = COLUMN_VALUE;
        assert_int_equal(type_bind(&f->arena, NULL, syntax, &made[i].type, NULL), 0);
    }
    for (uint32_t i = 0; i < COLUMN_COUNT; i++) {
        bool given = columns[i].value && columns[i].value[0];

        f->cells[i] = given ? evaluate_constant(f, columns[i].value) : value_null();
    }
    set_containers(f);
    f->shape.columns = made;
    f->shape.column_count = COLUMN_COUNT;
    f->shape.cell_count = COLUMN_COUNT;
}

void expr_fixture_fini(struct expr_fixture *f)
{
    arena_fini(&f->arena);
}

int expr_fixture_bind(struct expr_fixture *f, const char *text, const struct expr **out,
                      struct error *err)
{
    struct expr_binder binder = { &f->arena, &f->scope, f->flags, "WHERE" };
    struct ast_expr *syntax = NULL;

    TRY(parse_expression(&f->arena, bytes_of(text), &syntax, err));
    return expr_bind(&binder, syntax, out, err);
}

static void note_failure(void *context, const char *what, const struct error *err)
{
    struct expr_fixture *f = context;

    f->failure_count++;
    (void)snprintf(f->last_what, sizeof f->last_what, "%s", what);
    f->last_error = *err;
}

bool expr_fixture_run(struct expr_fixture *f, const struct program *program,
                      struct value *registers)
{
    static const struct row_meta meta = { .timestamp_ms = 1590537598000 };
    static const struct row_origin origin = { .offset = 42, .partition = 3, .topic = "t" };
    struct program_context context = { &f->arena, note_failure, f };
    struct program_row row = { .registers = registers, .meta = &meta, .origin = &origin };

    row.banks.at[BANK_CELLS] = f->cells;
    row.banks.at[BANK_REGISTERS] = registers;
    row.banks.at[BANK_CONSTANTS] = program_constants(program);
    f->failure_count = 0;
    return program_run(program, &row, &context);
}

static struct bytes copy_and_free(struct expr_fixture *f, struct buffer *text)
{
    struct bytes copy = arena_copy(&f->arena, buffer_bytes(text));

    buffer_fini(text);
    return copy;
}

struct bytes expr_fixture_value_text(struct expr_fixture *f, const struct value *v,
                                     const struct sql_type *type)
{
    struct buffer text = { 0 };

    cast_print(v, type ? type : type_scalar(T_STRING), &text);
    return copy_and_free(f, &text);
}

struct bytes expr_fixture_type_text(struct expr_fixture *f, const struct sql_type *type)
{
    struct buffer text = { 0 };

    if (type) {
        type_print(type, &text);
    } else {
        buffer_append_text(&text, "NULL");
    }
    return copy_and_free(f, &text);
}

struct bytes expr_fixture_expr_text(struct expr_fixture *f, const struct expr *e)
{
    struct buffer text = { 0 };

    expr_print(e, &text);
    return copy_and_free(f, &text);
}

struct bytes expr_fixture_evaluate(struct expr_fixture *f, const char *text)
{
    struct program_builder *b = program_begin(&f->arena, &f->shape, NULL);
    const struct program *program = NULL;
    const struct expr *e = NULL;
    struct value *registers = NULL;
    struct row_banks banks = { { f->cells } };
    struct error err = { 0 };
    operand at = 0;

    if (expr_fixture_bind(f, text, &e, &err) || program_add_value(b, e, "the value", &at, &err)) {
        return bytes_of(error_name(err.code));
    }
    program = program_finish(b);
    registers = arena_array(&f->arena, struct value, program_register_count(program));
    assert_true(expr_fixture_run(f, program, registers));
    banks.at[BANK_REGISTERS] = registers;
    banks.at[BANK_CONSTANTS] = program_constants(program);
    return expr_fixture_value_text(f, banks_value(&banks, at), e->type);
}

struct bytes expr_fixture_filter(struct expr_fixture *f, const char *text)
{
    struct expr_binder binder = { &f->arena, &f->scope, f->flags | BIND_PREDICATE, "WHERE" };
    struct program_builder *b = program_begin(&f->arena, &f->shape, NULL);
    const struct program *program = NULL;
    struct ast_expr *syntax = NULL;
    const struct expr *e = NULL;
    struct error err = { 0 };

    if (parse_expression(&f->arena, bytes_of(text), &syntax, &err) ||
        expr_bind_condition(&binder, syntax, &e, &err) ||
        program_add_filter(b, e, "the filter", &err)) {
        return bytes_of(error_name(err.code));
    }
    program = program_finish(b);
    return bytes_of(
        expr_fixture_run(f, program,
                         arena_array(&f->arena, struct value, program_register_count(program)))
            ? "pass"
            : "drop");
}

void assert_bytes_text(struct bytes actual, const char *expected, const char *of)
{
    if (!bytes_equal_text(actual, expected)) {
        fail_msg("%s: expected %s, got %.*s", of, expected, BYTES_ARG(actual));
    }
}
