/*
 * compile_compare.c: which instruction compares these two types.
 *
 * Numbers that are whole in 64 bits share one instruction: INTEGER, BIGINT, times,
 * BOOLEAN, and small DECIMALs of one scale. A constant compared with a small
 * DECIMAL is brought to its scale here, so that `price > 500` is such a one too.
 */
#include "engine/expr/compile_internal.h"

struct comparison {
    instruction_function test; /* jumps */
    instruction_function make; /* a BOOLEAN */
    order_function order;
    const struct compare_plan *types;
    operand left, right;
};

static const uint16_t masks[] = {
    [OP_EQUAL] = OUTCOME_EQUAL,
    [OP_NOT_EQUAL] = OUTCOME_LESS | OUTCOME_GREATER,
    [OP_LESS] = OUTCOME_LESS,
    [OP_LESS_EQUAL] = OUTCOME_LESS | OUTCOME_EQUAL,
    [OP_GREATER] = OUTCOME_GREATER,
    [OP_GREATER_EQUAL] = OUTCOME_GREATER | OUTCOME_EQUAL,
    [OP_DISTINCT] = OUTCOME_LESS | OUTCOME_GREATER | OUTCOME_UNORDERED | OUTCOME_ONE_NULL,
};

static void choose(struct comparison *c, instruction_function test, instruction_function make,
                   order_function order)
{
    c->test = test;
    c->make = make;
    c->order = order;
}

static bool is_whole(const struct sql_type *type)
{
    return type->id == T_INTEGER || type->id == T_BIGINT;
}

static bool is_small_decimal(const struct sql_type *type)
{
    return type->id == T_DECIMAL && !type_decimal_is_wide(type);
}

static bool is_one_word(const struct sql_type *left, const struct sql_type *right)
{
    if (is_whole(left) && is_whole(right)) {
        return true;
    }
    if (left->id != right->id) {
        return false;
    }
    return left->id == T_BOOLEAN || type_is_temporal(left->id) ||
           (is_small_decimal(left) && is_small_decimal(right) && left->scale == right->scale);
}

/* Whether the constant e is a number of exactly this scale, in one word. */
static bool fold_to_scale(struct program_builder *b, const struct expr *e,
                          const struct sql_type *decimal, operand *out)
{
    struct value value = { 0 };
    struct decimal number = { 0 };
    const struct sql_type *type = NULL;

    if (e->type->id == T_DOUBLE || !compile_fold(b, e, &value) || value_is_null(&value)) {
        return false;
    }
    number = e->type->id == T_DECIMAL ? decimal_of_value(&value, e->type)
                                      : (struct decimal){ value.i64, 0 };
    if (decimal_rescale(number, (int32_t)decimal->scale, ROUND_UNNECESSARY, &number, NULL) ||
        decimal_digits(number.unscaled) > DECIMAL_SMALL_PRECISION) {
        return false;
    }
    type = type_decimal(b->arena, DECIMAL_SMALL_PRECISION, decimal->scale);
    *out = constant_make(b, value_i64(T_DECIMAL, (int64_t)number.unscaled), type);
    return true;
}

/* DOUBLE with a whole number: the latter as a DOUBLE. */
static operand compile_as_double(struct program_builder *b, const struct expr *e)
{
    if (e->type->id == T_DOUBLE) {
        return compile_value(b, e);
    }
    return compile_value(b, expr_cast_to(b->arena, e, type_scalar(T_DOUBLE)));
}

static bool compare_doubles(struct program_builder *b, const struct expr *left,
                            const struct expr *right, struct comparison *c)
{
    enum type_id a = left->type->id;
    enum type_id z = right->type->id;

    if ((a != T_DOUBLE && z != T_DOUBLE) || a == T_DECIMAL || z == T_DECIMAL) {
        return false;
    }
    choose(c, eval_test_f64, eval_is_f64, order_f64);
    c->left = compile_as_double(b, left);
    c->right = compile_as_double(b, right);
    return true;
}

static bool compare_scaled(struct program_builder *b, const struct expr *left,
                           const struct expr *right, struct comparison *c)
{
    bool left_scaled =
        is_small_decimal(right->type) && fold_to_scale(b, left, right->type, &c->left);
    bool right_scaled = !left_scaled && is_small_decimal(left->type) &&
                        fold_to_scale(b, right, left->type, &c->right);

    if (!left_scaled && !right_scaled) {
        return false;
    }
    choose(c, eval_test_i64, eval_is_i64, order_i64);
    if (left_scaled) {
        c->right = compile_value(b, right);
    } else {
        c->left = compile_value(b, left);
    }
    return true;
}

static void choose_by_type(struct comparison *c, const struct sql_type *left,
                           const struct sql_type *right, bool for_equality)
{
    if (is_one_word(left, right)) {
        choose(c, eval_test_i64, eval_is_i64, order_i64);
    } else if (type_is_number(left->id)) {
        choose(c, eval_test_number, eval_is_number, order_number);
    } else if (left->id == T_STRING && for_equality) {
        choose(c, eval_test_same_text, eval_is_same_text, order_same_text);
    } else if (left->id == T_STRING) {
        choose(c, eval_test_text, eval_is_text, order_text);
    } else if (left->id == T_BYTES) {
        choose(c, eval_test_octets, eval_is_octets, order_octets);
    } else {
        choose(c, eval_test_deep, eval_is_deep, order_deep);
    }
}

static void plan_comparison(struct program_builder *b, const struct expr *e, struct comparison *c)
{
    const struct expr *left = e->arguments[0];
    const struct expr *right = e->arguments[1];
    struct compare_plan *types = arena_new(b->arena, struct compare_plan);

    *types = (struct compare_plan){ left->type, right->type };
    c->types = types;
    if (compare_doubles(b, left, right, c)) {
        return;
    }
    if ((left->type->id == T_DECIMAL || right->type->id == T_DECIMAL) &&
        compare_scaled(b, left, right, c)) {
        return;
    }
    choose_by_type(c, left->type, right->type,
                   e->compare == OP_EQUAL || e->compare == OP_NOT_EQUAL ||
                       e->compare == OP_DISTINCT);
    c->left = compile_value(b, left);
    c->right = compile_value(b, right);
}

static struct instruction *emit_comparison(struct program_builder *b, const struct comparison *c,
                                           instruction_function run, uint16_t mask)
{
    struct instruction *at = emit(b, run);

    at->a = c->left;
    at->b = c->right;
    at->mask = mask;
    at->plan = c->types;
    return at;
}

operand compile_compare(struct program_builder *b, const struct expr *e)
{
    struct comparison c = { 0 };
    operand out = 0;

    plan_comparison(b, e, &c);
    out = register_make(b, e);
    emit_comparison(b, &c, c.make, masks[e->compare])->out = out & OPERAND_SLOT_MASK;
    return out;
}

void compile_compare_jump(struct program_builder *b, const struct expr *e, bool when,
                          uint32_t label)
{
    struct comparison c = { 0 };
    uint16_t mask = masks[e->compare];

    plan_comparison(b, e, &c);
    emit_jump(b, emit_comparison(b, &c, c.test, when ? mask : (uint16_t)~mask), label);
}

operand compile_in(struct program_builder *b, const struct expr *e)
{
    struct in_plan *plan = arena_new(b->arena, struct in_plan);
    operand *items = arena_array(b->arena, operand, e->argument_count);
    operand value = compile_value(b, e->arguments[0]);
    const struct sql_type *type = e->arguments[0]->type;
    struct comparison c = { 0 };
    operand out = 0;
    struct instruction *at = NULL;

    if (!type) { /* NULL IN (...) */
        return constant_make(b, value_i64(T_BOOLEAN, 0), e->type);
    }
    for (uint32_t i = 1; i < e->argument_count; i++) {
        items[plan->item_count++] = compile_value(b, e->arguments[i]);
    }
    choose_by_type(&c, type, type, true);
    if (type->id == T_DOUBLE) {
        c.order = order_f64;
    }
    plan->items = items;
    plan->order = c.order;
    plan->types = (struct compare_plan){ type, type };
    out = register_make(b, e);
    at = emit(b, eval_in);
    at->out = out & OPERAND_SLOT_MASK;
    at->a = value;
    at->plan = plan;
    return out;
}
