/*
 * compile_expr.c: bound expressions -> instructions.
 *
 * Conditions become jumps, so AND, OR and CASE are lazy for nothing and a
 * comparison in a filter makes no BOOLEAN. A constant subtree is evaluated here,
 * once, unless it fails: then it stays, to fail row by row as it should.
 */
#include "engine/expr/compile_internal.h"
#include "engine/expr/like.h"

bool compile_fold(struct program_builder *b, const struct expr *e, struct value *out)
{
    if (e->kind == EXPR_LITERAL) {
        *out = e->literal;
        return true;
    }
    return b->folding && expr_is_constant(e) && !expr_evaluate_constant(e, b->arena, out, NULL);
}

static operand emit_into_register(struct program_builder *b, const struct expr *e,
                                  instruction_function run, operand a, operand second,
                                  const void *plan)
{
    operand out = register_make(b, e);
    struct instruction *at = emit_fallible(b, run);

    at->out = out & OPERAND_SLOT_MASK;
    at->a = a;
    at->b = second;
    at->plan = plan;
    return out;
}

static operand compile_column(struct program_builder *b, const struct expr *e)
{
    const struct row_shape *shape = e->column.source ? b->other : b->input;
    const struct shape_column *column = NULL;
    uint32_t slot = 0;

    if (!shape || e->column.index >= shape->column_count) {
        builder_fail(b, ERR_EVALUATE, e->at, "the expression needs a row");
        return 0;
    }
    column = &shape->columns[e->column.index];
    slot = column->at & OPERAND_SLOT_MASK;
    switch ((enum bank)(column->at >> OPERAND_BANK_SHIFT)) {
    case BANK_CONSTANTS: /* of the input's own plan */
        return constant_make(b, shape->constants[slot], e->type);
    case BANK_CELLS:
        return operand_make(e->column.source ? BANK_OTHER : BANK_CELLS, slot);
    case BANK_OTHER:
    case BANK_REGISTERS:
    case BANK_COUNT:
        break;
    }
    if (e->column.source) {
        builder_fail(b, ERR_EVALUATE, e->at, "the other row of a join must lie in cells");
    }
    return column->at;
}

static operand compile_pseudo(struct program_builder *b, const struct expr *e)
{
    static const instruction_function instructions[] = {
        [PSEUDO_ROWTIME] = eval_rowtime,
        [PSEUDO_ROWPARTITION] = eval_rowpartition,
        [PSEUDO_ROWOFFSET] = eval_rowoffset,
        [PSEUDO_WINDOWEND] = NULL,
    };
    operand out = register_make(b, e);

    if (!b->input || !instructions[e->pseudo]) {
        builder_fail(b, ERR_EVALUATE, e->at, "the expression needs a row of a window");
        return 0;
    }
    emit(b, instructions[e->pseudo])->out = out & OPERAND_SLOT_MASK;
    return out;
}

/* --- arithmetic --- */

/* An INTEGER lies in its word as a BIGINT does: a cast between them is left out. */
static operand compile_whole(struct program_builder *b, const struct expr *e)
{
    while (e->kind == EXPR_CAST && e->cast == CAST_IMPLICIT && e->type->id == T_BIGINT &&
           e->arguments[0]->type && e->arguments[0]->type->id == T_INTEGER) {
        e = e->arguments[0];
    }
    return compile_value(b, e);
}

static operand compile_decimal(struct program_builder *b, const struct expr *e)
{
    static const decimal_function operations[] = { [OP_ADD] = decimal_add,
                                                   [OP_SUBTRACT] = decimal_subtract,
                                                   [OP_MULTIPLY] = decimal_multiply,
                                                   [OP_DIVIDE] = decimal_divide,
                                                   [OP_REMAINDER] = decimal_remainder };
    struct decimal_plan *plan = arena_new(b->arena, struct decimal_plan);
    operand left = compile_value(b, e->arguments[0]);
    operand right = compile_value(b, e->arguments[1]);

    *plan = (struct decimal_plan){ operations[e->arithmetic], e->arguments[0]->type,
                                   e->arguments[1]->type, e->type };
    return emit_into_register(b, e, eval_decimal, left, right, plan);
}

static operand compile_arithmetic(struct program_builder *b, const struct expr *e)
{
    static const instruction_function integer[] = { [OP_ADD] = eval_add_integer,
                                                    [OP_SUBTRACT] = eval_subtract_integer,
                                                    [OP_MULTIPLY] = eval_multiply_integer,
                                                    [OP_DIVIDE] = eval_divide_integer,
                                                    [OP_REMAINDER] = eval_remainder_integer };
    static const instruction_function bigint[] = { [OP_ADD] = eval_add_bigint,
                                                   [OP_SUBTRACT] = eval_subtract_bigint,
                                                   [OP_MULTIPLY] = eval_multiply_bigint,
                                                   [OP_DIVIDE] = eval_divide_bigint,
                                                   [OP_REMAINDER] = eval_remainder_bigint };
    static const instruction_function real[] = { [OP_ADD] = eval_add_double,
                                                 [OP_SUBTRACT] = eval_subtract_double,
                                                 [OP_MULTIPLY] = eval_multiply_double,
                                                 [OP_DIVIDE] = eval_divide_double,
                                                 [OP_REMAINDER] = eval_remainder_double };
    const instruction_function *table = real;
    operand left = 0;
    operand right = 0;

    if (e->type->id == T_DECIMAL) {
        return compile_decimal(b, e);
    }
    if (e->type->id != T_DOUBLE) {
        table = e->type->id == T_INTEGER ? integer : bigint;
    }
    left = compile_whole(b, e->arguments[0]);
    right = compile_whole(b, e->arguments[1]);
    return emit_into_register(b, e, table[e->arithmetic], left, right, NULL);
}

static operand compile_negate(struct program_builder *b, const struct expr *e)
{
    operand value = compile_value(b, e->arguments[0]);
    instruction_function run = eval_negate_decimal;

    if (e->type->id == T_DOUBLE) {
        run = eval_negate_double;
    } else if (e->type->id != T_DECIMAL) {
        run = e->type->id == T_INTEGER ? eval_negate_integer : eval_negate_bigint;
    }
    return emit_into_register(b, e, run, value, 0, e->type);
}

/* --- casts and calls --- */

static operand emit_cast(struct program_builder *b, const struct expr *e, operand value)
{
    const struct sql_type *from = e->arguments[0]->type;
    struct cast_plan *plan = NULL;
    cast_function cast = NULL;

    if (from->id == T_INTEGER && e->type->id == T_BIGINT) {
        return emit_into_register(b, e, eval_to_bigint, value, 0, NULL);
    }
    if ((from->id == T_INTEGER || from->id == T_BIGINT) && e->type->id == T_DOUBLE) {
        return emit_into_register(b, e, eval_to_double, value, 0, NULL);
    }
    cast = cast_find(from, e->type);
    if (!cast) {
        builder_fail(b, ERR_CANNOT_CAST, e->at, "there is no such cast");
        return 0;
    }
    plan = arena_new(b->arena, struct cast_plan);
    *plan = (struct cast_plan){ cast, from, e->type };
    return emit_into_register(b, e, e->cast == CAST_COMPARED ? eval_cast_untrimmed : eval_cast,
                              value, 0, plan);
}

static operand compile_cast(struct program_builder *b, const struct expr *e)
{
    const struct expr *from = e->arguments[0];
    bool trapped = e->cast == CAST_WRITTEN || e->cast == CAST_UNIFIED;
    struct trap_scope scope = { 0 };
    operand out = 0;

    if (!from->type) {
        return constant_make(b, value_null(), e->type);
    }
    if (trapped) {
        scope = trap_open(b, arena_printf(b->arena, "Error processing %.*s",
                                          BYTES_ARG(type_text(b->arena, e->type)))
                                 .data);
    }
    out = compile_value(b, from);
    if (!type_equal(from->type, e->type)) {
        out = emit_cast(b, e, out);
    }
    if (trapped) {
        trap_close(b, scope, out);
    }
    return out;
}

/* An argument that is itself a call or a field is a trap point. */
static operand compile_argument(struct program_builder *b, const struct expr *e)
{
    struct trap_scope scope = { 0 };
    struct bytes name = { 0 };
    operand out = 0;

    if (e->kind == EXPR_FIELD) {
        name = e->arguments[0]->type->fields[e->field].name;
    } else if (e->kind == EXPR_CALL && e->call.kind != &text_plus) {
        name = bytes_of(e->call.kind->name);
    } else {
        return compile_value(b, e);
    }
    scope = trap_open(b, arena_printf(b->arena, "Error processing %.*s", BYTES_ARG(name)).data);
    out = compile_value(b, e);
    trap_close(b, scope, out);
    return out;
}

/* What the function makes of its constant arguments; NULL: nothing. */
static const void *prepare_call(struct program_builder *b, const struct expr *e)
{
    const struct value **constants;

    if (!e->call.kind->prepare) {
        return NULL;
    }
    constants = arena_array(b->arena, const struct value *, e->argument_count);
    for (uint32_t i = 0; i < e->argument_count; i++) {
        struct value *constant = arena_new(b->arena, struct value);

        if (compile_fold(b, e->arguments[i], constant) && !value_is_null(constant)) {
            constants[i] = constant;
        }
    }
    return e->call.kind->prepare(b->arena, constants, e->argument_count);
}

static operand compile_call(struct program_builder *b, const struct expr *e)
{
    struct call_plan *plan = arena_new(b->arena, struct call_plan);
    operand *arguments = arena_array(b->arena, operand, e->argument_count);
    bool many = e->argument_count > ARGUMENTS_ON_STACK || e->call.plan->spread_last;

    for (uint32_t i = 0; i < e->argument_count; i++) {
        arguments[i] = e->call.kind == &text_plus ? compile_value(b, e->arguments[i])
                                                  : compile_argument(b, e->arguments[i]);
    }
    *plan = (struct call_plan){ e->call.kind, e->call.plan, arguments, prepare_call(b, e) };
    return emit_into_register(b, e, many ? eval_call_many : eval_call, 0, 0, plan);
}

/* --- access --- */

static operand compile_access(struct program_builder *b, const struct expr *e)
{
    operand base = compile_value(b, e->arguments[0]);
    struct instruction *at = NULL;
    operand out = 0;

    if (e->kind == EXPR_SUBSCRIPT) {
        operand index = compile_value(b, e->arguments[1]);
        bool is_array = e->arguments[0]->type->id == T_ARRAY;

        return emit_into_register(b, e, is_array ? eval_item : eval_entry, base, index,
                                  e->arguments[0]->type);
    }
    out = register_make(b, e);
    at = emit(b, eval_field);
    at->out = out & OPERAND_SLOT_MASK;
    at->a = base;
    at->mask = (uint16_t)e->field;
    return out;
}

/* --- conditions --- */

static operand compile_is_null(struct program_builder *b, const struct expr *e)
{
    operand value = compile_value(b, e->arguments[0]);
    operand out = register_make(b, e);
    struct instruction *at = emit(b, eval_is_null);

    at->out = out & OPERAND_SLOT_MASK;
    at->a = value;
    at->mask = e->is_not_null;
    return out;
}

static operand compile_like(struct program_builder *b, const struct expr *e)
{
    operand text = compile_value(b, e->arguments[0]);
    const struct like_pattern *pattern = NULL;
    struct value constant = { 0 };
    uint32_t *escape = NULL;

    if (compile_fold(b, e->arguments[1], &constant) && !value_is_null(&constant) &&
        !like_compile(b->arena, value_bytes(&constant), e->like_escape, &pattern, NULL)) {
        return emit_into_register(b, e, eval_like, text, 0, pattern);
    }
    escape = arena_new(b->arena, uint32_t);
    *escape = e->like_escape;
    return emit_into_register(b, e, eval_like_any, text, compile_value(b, e->arguments[1]), escape);
}

static void emit_move(struct program_builder *b, operand out, operand from)
{
    struct instruction *at = emit(b, eval_move);

    at->out = out & OPERAND_SLOT_MASK;
    at->a = from;
}

/* A condition as a value: the jumps decide which constant is moved. */
static operand compile_condition(struct program_builder *b, const struct expr *e)
{
    uint32_t if_false = label_make(b);
    uint32_t end = label_make(b);
    operand out = register_make(b, e);

    compile_jump(b, e, false, if_false);
    emit_move(b, out, constant_make(b, value_i64(T_BOOLEAN, 1), e->type));
    emit_jump(b, emit(b, eval_jump), end);
    label_place(b, if_false);
    emit_move(b, out, constant_make(b, value_i64(T_BOOLEAN, 0), e->type));
    label_place(b, end);
    return out;
}

static operand compile_case(struct program_builder *b, const struct expr *e)
{
    uint32_t whens = e->argument_count - e->has_default;
    uint32_t end = label_make(b);
    operand out = register_make(b, e);

    for (uint32_t i = 0; i < whens; i += 2) {
        uint32_t next = label_make(b);

        compile_jump(b, e->arguments[i], false, next);
        emit_move(b, out, compile_value(b, e->arguments[i + 1]));
        emit_jump(b, emit(b, eval_jump), end);
        label_place(b, next);
    }
    emit_move(b, out,
              e->has_default ? compile_value(b, e->arguments[whens])
                             : constant_make(b, value_null(), e->type));
    label_place(b, end);
    return out;
}

/* left AND right, to be false; left OR right, to be true: one side decides for the label. */
static void jump_if_either(struct program_builder *b, const struct expr *e, bool when,
                           uint32_t label)
{
    compile_jump(b, e->arguments[0], when, label);
    compile_jump(b, e->arguments[1], when, label);
}

static void jump_if_both(struct program_builder *b, const struct expr *e, bool when, uint32_t label)
{
    uint32_t skip = label_make(b);

    compile_jump(b, e->arguments[0], !when, skip);
    compile_jump(b, e->arguments[1], when, label);
    label_place(b, skip);
}

static void jump_if_value(struct program_builder *b, const struct expr *e, bool when,
                          uint32_t label)
{
    operand value = compile_value(b, e);
    struct instruction *at = emit_fallible(b, eval_test);

    at->a = value;
    at->mask = when ? OUTCOME_TRUE : OUTCOME_FALSE;
    emit_jump(b, at, label);
}

static void jump_if_null(struct program_builder *b, const struct expr *e, bool when, uint32_t label)
{
    operand value = compile_value(b, e->arguments[0]);
    struct instruction *at = emit(b, eval_test_null);

    at->a = value;
    at->mask = when != e->is_not_null;
    emit_jump(b, at, label);
}

static void jump_if_constant(struct program_builder *b, const struct value *value, bool when,
                             uint32_t label)
{
    if (value_is_null(value)) {
        emit_fallible(b, eval_fail_null);
    } else if ((value->i64 != 0) == when) {
        emit_jump(b, emit(b, eval_jump), label);
    }
}

void compile_jump(struct program_builder *b, const struct expr *e, bool when, uint32_t label)
{
    struct value constant = { 0 };

    if (compile_fold(b, e, &constant)) {
        jump_if_constant(b, &constant, when, label);
    } else if (e->kind == EXPR_NOT) {
        compile_jump(b, e->arguments[0], !when, label);
    } else if (e->kind == EXPR_AND || e->kind == EXPR_OR) {
        if ((e->kind == EXPR_OR) == when) {
            jump_if_either(b, e, when, label);
        } else {
            jump_if_both(b, e, when, label);
        }
    } else if (e->kind == EXPR_COMPARE) {
        compile_compare_jump(b, e, when, label);
    } else if (e->kind == EXPR_IS_NULL) {
        jump_if_null(b, e, when, label);
    } else {
        jump_if_value(b, e, when, label);
    }
}

/* --- values --- */

static operand compile_node(struct program_builder *b, const struct expr *e)
{
    switch (e->kind) {
    case EXPR_COLUMN:
        return compile_column(b, e);
    case EXPR_PSEUDO:
        return compile_pseudo(b, e);
    case EXPR_LITERAL:
        return constant_make(b, e->literal, e->type);
    case EXPR_ARITHMETIC:
        return compile_arithmetic(b, e);
    case EXPR_NEGATE:
        return compile_negate(b, e);
    case EXPR_COMPARE:
        return compile_compare(b, e);
    case EXPR_AND:
    case EXPR_OR:
    case EXPR_NOT:
        return compile_condition(b, e);
    case EXPR_IS_NULL:
        return compile_is_null(b, e);
    case EXPR_LIKE:
        return compile_like(b, e);
    case EXPR_IN:
        return compile_in(b, e);
    case EXPR_CASE:
        return compile_case(b, e);
    case EXPR_CAST:
        return compile_cast(b, e);
    case EXPR_CALL:
        return compile_call(b, e);
    case EXPR_FIELD:
    case EXPR_SUBSCRIPT:
        return compile_access(b, e);
    case EXPR_ARRAY:
    case EXPR_MAP:
    case EXPR_STRUCT:
        return compile_construct(b, e);
    case EXPR_AGGREGATE:
        break;
    }
    builder_fail(b, ERR_AGGREGATE_NOT_HERE, e->at, "an aggregate cannot be computed per row");
    return 0;
}

static bool find_known(const struct program_builder *b, const struct expr *e, operand *out)
{
    for (uint32_t i = 0; i < b->known.count; i++) {
        if (expr_equal(b->known.items[i].e, e)) {
            *out = b->known.items[i].at;
            return true;
        }
    }
    return false;
}

operand compile_value(struct program_builder *b, const struct expr *e)
{
    struct value constant = { 0 };
    operand at = 0;

    if (b->code_of_error) {
        return 0;
    }
    if (e->kind == EXPR_COLUMN) {
        return compile_column(b, e);
    }
    if (compile_fold(b, e, &constant)) {
        return constant_make(b, constant, e->type);
    }
    if (find_known(b, e, &at)) {
        return at;
    }
    at = compile_node(b, e);
    *vec_push(b->arena, &b->known) = (struct known_value){ e, at, b->known_serial++ };
    return at;
}
