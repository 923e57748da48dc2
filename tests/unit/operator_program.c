/*
 * operator_program.c: small programs, without the parser.
 */
#include "tests/unit/operator_program.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct expr *column_of(struct world *w, const struct row_shape *input,
                                    const char *name)
{
    for (uint32_t i = 0; i < input->column_count; i++) {
        const struct shape_column *column = &input->columns[i];

        if (bytes_equal_text(column->name, name)) {
            return expr_column(&w->arena, 0, i, column->name, column->type, NO_POSITION);
        }
    }
    fail_msg("no column %s", name);
    return NULL;
}

/* "V > 5" as a comparison, "V + 5" as a sum. */
static const struct expr *binary_of(struct world *w, const struct row_shape *input,
                                    const char *text)
{
    struct expr *e = arena_new(&w->arena, struct expr);
    struct expr *literal = arena_new(&w->arena, struct expr);
    const struct expr **arguments = arena_zalloc_array(&w->arena, sizeof *arguments, 2);
    char name[16];
    char operator;
    long long number;

    assert_int_equal(sscanf(text, "%15s %c %lld", name, &operator, & number), 3);
    literal->kind = EXPR_LITERAL;
    literal->type = type_scalar(T_BIGINT);
    literal->literal = value_i64(T_BIGINT, number);
    arguments[0] = column_of(w, input, name);
    arguments[1] = literal;
    e->arguments = arguments;
    e->argument_count = 2;
    e->kind = operator== '+' ? EXPR_ARITHMETIC : EXPR_COMPARE;
    e->type = type_scalar(operator== '+' ? T_BIGINT : T_BOOLEAN);
    if (operator== '+') {
        e->arithmetic = OP_ADD;
    } else {
        e->compare = operator== '>' ? OP_GREATER : OP_LESS;
    }
    return e;
}

/* One entry of wish->columns: "K STRING KEY" or "V + 1". */
static void add_column(struct world *w, struct program_builder *b, const struct row_shape *input,
                       const char *list, struct shape_column *out)
{
    const char *text = arena_copy_text(&w->arena, (struct bytes){ list, strcspn(list, ",") });
    const struct expr *e;
    char name[16];
    char type[16];
    char role[16] = "";
    struct error err;

    assert_in_range(sscanf(text, "%15s %15s %15s", name, type, role), 2, 3);
    e = type[0] == '+' ? binary_of(w, input, text) : column_of(w, input, name);
    *out = (struct shape_column){ arena_copy(&w->arena, bytes_of(name)), e->type, 0,
                                  strcmp(role, "KEY") == 0 ? COLUMN_KEY : COLUMN_VALUE };
    assert_int_equal(program_add_value(b, e, "column", &out->at, &err), 0);
}

struct op_plan *world_add_stage(struct world *w, const struct row_shape *input,
                                const struct stage_wish *wish)
{
    struct program_builder *b = program_begin(&w->arena, input, NULL);
    struct row_shape *shape = arena_new(&w->arena, struct row_shape);
    struct shape_column *columns = arena_array(&w->arena, struct shape_column, 8);
    struct op_plan *op;
    struct error err;

    if (wish->condition) {
        assert_int_equal(
            program_add_filter(b, binary_of(w, input, wish->condition), "filter", &err), 0);
    }
    for (const char *at = wish->columns; at; at = strchr(at, ',') ? strchr(at, ',') + 2 : NULL) {
        add_column(w, b, input, at, &columns[shape->column_count]);
        shape->key_count += columns[shape->column_count++].role == COLUMN_KEY;
    }
    op = world_add_op(w, PLAN_STAGE, input, shape);
    op->stage = (struct stage_plan){ .program = program_finish(b), .over_table = wish->over_table };
    shape->columns = columns;
    shape->cell_count = input->cell_count;
    shape->register_count = program_register_count(op->stage.program);
    shape->constants = program_constants(op->stage.program);
    return op;
}
