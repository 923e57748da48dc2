/*
 * bench_expr.c: what filters and computed columns cost per row.
 *
 * 256 rows of a small schema, run over and over: they lie in the cache, as the rows
 * of a batch do. About half of the rows pass each filter, in no order a branch
 * predictor could learn.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "engine/expr/program.h"
#include "parser/parse.h"

enum { ROW_COUNT = 256, ROUND_COUNT = 40000, COLUMN_COUNT = 5 };

static volatile uint64_t sink;

static const char *const names[COLUMN_COUNT] = { "ID", "PRICE", "REGION", "AMOUNT", "COST" };

struct rows {
    struct arena arena;
    struct shape_column columns[COLUMN_COUNT];
    struct row_shape shape;
    struct value cells[ROW_COUNT][COLUMN_COUNT];
};

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

static void fill(struct rows *rows)
{
    static const char *const regions[] = { "eu-west", "eu-east", "us-west", "ap" };
    uint32_t seed = 1;

    arena_init(&rows->arena, 0);
    for (uint32_t i = 0; i < COLUMN_COUNT; i++) {
        rows->columns[i] = (struct shape_column){ bytes_of(names[i]), NULL,
                                                  operand_make(BANK_CELLS, i), COLUMN_VALUE };
    }
    rows->columns[0].type = type_scalar(T_BIGINT);
    rows->columns[1].type = type_scalar(T_INTEGER);
    rows->columns[2].type = type_scalar(T_STRING);
    rows->columns[3].type = type_scalar(T_DOUBLE);
    rows->columns[4].type = type_decimal(&rows->arena, 10, 2);
    rows->shape = (struct row_shape){ .columns = rows->columns,
                                      .column_count = COLUMN_COUNT,
                                      .cell_count = COLUMN_COUNT };
    for (uint32_t i = 0; i < ROW_COUNT; i++) {
        rows->cells[i][0] = value_i64(T_BIGINT, next_random(&seed));
        rows->cells[i][1] = value_i64(T_INTEGER, next_random(&seed) % 1000);
        rows->cells[i][2] = value_text(T_STRING, bytes_of(regions[next_random(&seed) % 4]));
        rows->cells[i][3] = value_f64(next_random(&seed) % 1000 / 8.0);
        rows->cells[i][4] = value_i64(T_DECIMAL, next_random(&seed) % 100000);
    }
}

static int resolve(const struct expr_scope *scope, struct bytes qualifier,
                   const struct ast_name *name, struct arena *arena, const struct expr **out,
                   struct error *err)
{
    static const enum type_id types[] = { T_BIGINT, T_INTEGER, T_STRING, T_DOUBLE };

    for (uint32_t i = 0; i < COLUMN_COUNT; i++) {
        if (bytes_equal_text(name->text, names[i])) {
            const struct sql_type *type =
                i < 4 ? type_scalar(types[i]) : type_decimal(arena, 10, 2);

            *out = expr_column(arena, 0, i, name->text, type, name->at);
            return 0;
        }
    }
    return error_set(err, ERR_UNKNOWN_COLUMN, name->at, "no such column");
}

static const struct expr *bind(struct rows *rows, const char *text)
{
    struct expr_scope scope = { resolve };
    struct expr_binder binder = { &rows->arena, &scope, 0, "SELECT" };
    struct ast_expr *syntax = NULL;
    const struct expr *e = NULL;
    struct error err = { 0 };

    if (parse_expression(&rows->arena, bytes_of(text), &syntax, &err) ||
        expr_bind(&binder, syntax, &e, &err)) {
        (void)fprintf(stderr, "%s: %s\n", text, err.message);
        exit(1);
    }
    return e;
}

static void run(struct rows *rows, const char *what, const struct program *program)
{
    struct arena batch;
    struct program_context context = { &batch, NULL, NULL };
    struct value *registers = calloc(program_register_count(program) + 1, sizeof *registers);
    struct program_row row = { .registers = registers };
    uint64_t passed = 0;
    int64_t start = 0;

    arena_init(&batch, 1 << 16);
    row.banks.at[BANK_REGISTERS] = registers;
    row.banks.at[BANK_CONSTANTS] = program_constants(program);
    start = clock_cpu_us();
    for (int round = 0; round < ROUND_COUNT; round++) {
        for (uint32_t i = 0; i < ROW_COUNT; i++) {
            row.banks.at[BANK_CELLS] = rows->cells[i];
            passed += program_run(program, &row, &context);
        }
        arena_reset(&batch);
    }
    sink = passed;
    (void)printf("%-58s %6.2f ns/row\n", what,
                 (double)(clock_cpu_us() - start) * 1000.0 / ((double)ROUND_COUNT * ROW_COUNT));
    arena_fini(&batch);
    free(registers);
}

static void bench_filter(struct rows *rows, const char *text)
{
    struct program_builder *b = program_begin(&rows->arena, &rows->shape, NULL);

    if (!program_add_filter(b, bind(rows, text), text, NULL)) {
        run(rows, text, program_finish(b));
    }
}

static void bench_value(struct rows *rows, const char *text)
{
    struct program_builder *b = program_begin(&rows->arena, &rows->shape, NULL);
    operand at = 0;

    if (!program_add_value(b, bind(rows, text), text, &at, NULL)) {
        run(rows, text, program_finish(b));
    }
}

int main(void)
{
    static const char *const filters[] = {
        "price > 500",
        "price > 500 AND region = 'eu-west'",
        "amount > 50 AND cost < 500",
        "region IN ('eu-west', 'ap')",
        "region LIKE 'eu-%'",
        "price BETWEEN 200 AND 700 OR id > 10000000",
    };
    static const char *const values[] = {
        "price + 1",
        "price * amount",
        "cost * 2",
        "CASE WHEN price > 500 THEN 'high' ELSE 'low' END",
        "UCASE(region)",
        "region || '!'",
        "CAST(price AS STRING)",
    };
    static struct rows rows;

    fill(&rows);
    for (size_t i = 0; i < sizeof filters / sizeof *filters; i++) {
        bench_filter(&rows, filters[i]);
    }
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        bench_value(&rows, values[i]);
    }
    arena_fini(&rows.arena);
    return 0;
}
