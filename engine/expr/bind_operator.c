/*
 * bind_operator.c: arithmetic, comparison, BETWEEN, AND and OR.
 *
 * Arithmetic casts both sides to the wider kind of number and computes the
 * result's precision and scale (expressions.md 5). A comparison of numbers keeps
 * its operands as they are, because DECIMAL is compared exactly with any other
 * number; text against a time is cast to that kind of time. BETWEEN becomes two
 * comparisons that share their value.
 */
#include <string.h>

#include "engine/expr/bind_internal.h"
#include "engine/type/cast.h"

/* The value of a BETWEEN stands in two comparisons: nested ones double with every level. */
enum { BETWEEN_DEPTH_MAX = 8 };

/* --- text + text --- */

static struct bytes plus_operand(const struct value *v)
{
    static const struct bytes null_text = BYTES("null");

    return value_is_null(v) ? null_text : value_bytes(v);
}

static int add_texts(struct call_context *context, const struct value *const *arguments,
                     struct value *out, struct error *err)
{
    struct bytes left = plus_operand(arguments[0]);
    struct bytes right = plus_operand(arguments[1]);
    char *text = NULL;

    if (left.len + right.len > UINT32_MAX) {
        return error_set(err, ERR_OVERFLOW, NO_POSITION, "the text would be too long");
    }
    text = arena_alloc_text(context->arena, left.len + right.len);
    if (left.len) {
        memcpy(text, left.data, left.len);
    }
    if (right.len) {
        memcpy(text + left.len, right.data, right.len);
    }
    *out = value_text(T_STRING, (struct bytes){ text, left.len + right.len });
    return 0;
}

const struct scalar_kind text_plus = { .name = "+", .call = add_texts };

static const struct expr *make_text_plus(struct binding *b, struct position at,
                                         const struct expr *const operands[2])
{
    struct function_call_plan *plan = arena_new(b->arena, struct function_call_plan);
    const struct sql_type **types = arena_array(b->arena, const struct sql_type *, 2);
    struct expr *e = expr_make(b->arena, EXPR_CALL, at, type_scalar(T_STRING), operands, 2);

    types[0] = types[1] = e->type;
    *plan = (struct function_call_plan){ .argument_types = types,
                                         .result_type = e->type,
                                         .argument_count = 2 };
    e->call.kind = &text_plus;
    e->call.plan = plan;
    return e;
}

/* --- arithmetic --- */

static bool is_number(const struct sql_type *type)
{
    return type && type_is_number(type->id);
}

static const struct sql_type *as_decimal(struct arena *arena, const struct sql_type *type)
{
    if (type->id == T_DECIMAL) {
        return type;
    }
    return type_decimal(arena, type->id == T_INTEGER ? 10 : 19, 0);
}

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static int decimal_result(struct binding *b, const struct ast_expr *syntax,
                          const struct sql_type *left, const struct sql_type *right,
                          const struct sql_type **out, struct error *err)
{
    uint64_t p1 = left->precision;
    uint64_t s1 = left->scale;
    uint64_t p2 = right->precision;
    uint64_t s2 = right->scale;
    uint64_t scale = larger(s1, s2);
    uint64_t precision = larger(p1 - s1, p2 - s2) + scale + 1;

    if (syntax->binary.op == AST_MULTIPLY) {
        scale = s1 + s2;
        precision = p1 + p2 + 1;
    } else if (syntax->binary.op == AST_DIVIDE) {
        scale = larger(6, s1 + p2 + 1);
        precision = p1 - s1 + s2 + scale;
    } else if (syntax->binary.op == AST_MODULO) {
        precision = smaller(p1 - s1, p2 - s2) + scale;
    }
    if (precision < 1 || precision > INT32_MAX) {
        return error_set(err, ERR_INVALID_TYPE, syntax->at,
                         "the result would be a DECIMAL of precision %llu, which cannot exist; "
                         "CAST the operands",
                         (unsigned long long)precision);
    }
    *out = type_decimal(b->arena, (uint32_t)precision, (uint32_t)scale);
    return 0;
}

/* Casts the operands of numbers to what is computed with, and finds the result's type. */
static int unify_numbers(struct binding *b, const struct ast_expr *syntax,
                         const struct expr *operands[2], const struct sql_type **out,
                         struct error *err)
{
    enum type_id left = operands[0]->type->id;
    enum type_id right = operands[1]->type->id;
    enum type_id wider = T_INTEGER;

    if (left != T_DOUBLE && right != T_DOUBLE && (left == T_DECIMAL || right == T_DECIMAL)) {
        for (int i = 0; i < 2; i++) {
            operands[i] =
                expr_cast_to(b->arena, operands[i], as_decimal(b->arena, operands[i]->type));
        }
        return decimal_result(b, syntax, operands[0]->type, operands[1]->type, out, err);
    }
    if (left == T_DOUBLE || right == T_DOUBLE) {
        wider = T_DOUBLE;
    } else if (left == T_BIGINT || right == T_BIGINT) {
        wider = T_BIGINT;
    }
    *out = type_scalar(wider);
    operands[0] = expr_cast_to(b->arena, operands[0], *out);
    operands[1] = expr_cast_to(b->arena, operands[1], *out);
    return 0;
}

static enum arithmetic_operator arithmetic_of(enum ast_op op)
{
    static const enum arithmetic_operator operators[] = { [AST_ADD] = OP_ADD,
                                                          [AST_SUBTRACT] = OP_SUBTRACT,
                                                          [AST_MULTIPLY] = OP_MULTIPLY,
                                                          [AST_DIVIDE] = OP_DIVIDE,
                                                          [AST_MODULO] = OP_REMAINDER };

    return operators[op];
}

static int bind_arithmetic(struct binding *b, const struct ast_expr *syntax,
                           const struct expr **out, struct error *err)
{
    const struct expr *operands[2] = { NULL, NULL };
    const struct sql_type *type = NULL;
    struct expr *e = NULL;

    TRY(bind_expr(b, syntax->binary.left, &operands[0], err));
    TRY(bind_expr(b, syntax->binary.right, &operands[1], err));
    if (syntax->binary.op == AST_ADD && operands[0]->type && operands[1]->type &&
        operands[0]->type->id == T_STRING && operands[1]->type->id == T_STRING) {
        *out = make_text_plus(b, syntax->at, operands);
        return 0;
    }
    if (!is_number(operands[0]->type) || !is_number(operands[1]->type)) {
        return error_set(
            err, ERR_TYPE_MISMATCH, syntax->at,
            "'%s' cannot compute with %.*s and %.*s in (%.*s %s %.*s)",
            ast_op_text(syntax->binary.op), BYTES_ARG(type_text(b->arena, operands[0]->type)),
            BYTES_ARG(type_text(b->arena, operands[1]->type)),
            BYTES_ARG(expr_text(b->arena, operands[0])), ast_op_text(syntax->binary.op),
            BYTES_ARG(expr_text(b->arena, operands[1])));
    }
    TRY(unify_numbers(b, syntax, operands, &type, err));
    e = expr_make(b->arena, EXPR_ARITHMETIC, syntax->at, type, operands, 2);
    e->arithmetic = arithmetic_of(syntax->binary.op);
    *out = e;
    return 0;
}

int bind_negate(struct binding *b, const struct ast_expr *syntax, const struct expr **out,
                struct error *err)
{
    const struct expr *inner = NULL;

    TRY(bind_expr(b, syntax->unary.operand, &inner, err));
    if (!is_number(inner->type)) {
        return error_set(err, ERR_TYPE_MISMATCH, syntax->at,
                         "'%s' takes a number, but %.*s is of type %.*s",
                         ast_op_text(syntax->unary.op), BYTES_ARG(expr_text(b->arena, inner)),
                         BYTES_ARG(type_text(b->arena, inner->type)));
    }
    *out = syntax->unary.op == AST_PLUS
               ? inner
               : expr_make(b->arena, EXPR_NEGATE, syntax->at, inner->type, &inner, 1);
    return 0;
}

/* --- comparison --- */

static bool is_time_of_row(const struct expr *e)
{
    if (e->kind == EXPR_PSEUDO) {
        return e->pseudo == PSEUDO_ROWTIME || e->pseudo == PSEUDO_WINDOWSTART ||
               e->pseudo == PSEUDO_WINDOWEND;
    }
    return e->kind == EXPR_COLUMN && e->type->id == T_BIGINT &&
           (bytes_equal_text(e->column.name, "ROWTIME") ||
            bytes_equal_text(e->column.name, "WINDOWSTART") ||
            bytes_equal_text(e->column.name, "WINDOWEND"));
}

/* ROWTIME > '2020-01-01': the text becomes milliseconds, while planning. */
static int replace_time_text(struct binding *b, const struct expr *other, const struct expr **inner,
                             struct error *err)
{
    const struct expr *text = *inner;
    const struct sql_type *timestamp = type_scalar(T_TIMESTAMP);
    struct value parsed = { 0 };
    struct error cause = { 0 };
    struct expr *e = NULL;

    if (!(b->binder->flags & BIND_PREDICATE) || !is_time_of_row(other) ||
        text->kind != EXPR_LITERAL || text->type->id != T_STRING) {
        return 0;
    }
    if (cast_find(text->type, timestamp)(&text->literal, text->type, timestamp, b->arena, &parsed,
                                         &cause)) {
        return error_set(err, ERR_INVALID_LITERAL, text->at,
                         "%.*s is no time to compare with: %s; write it as "
                         "'2020-05-26T23:59:58.000+0200', later parts may be left out",
                         BYTES_ARG(expr_text(b->arena, text)), cause.message);
    }
    e = expr_make(b->arena, EXPR_LITERAL, text->at, type_scalar(T_BIGINT), NULL, 0);
    e->literal = value_i64(T_BIGINT, parsed.i64);
    *inner = e;
    return 0;
}

/* Casts for two types that are not the same; false: they cannot be compared. */
static bool unify_compared(struct binding *b, const struct expr *operands[2])
{
    const struct sql_type *left = operands[0]->type;
    const struct sql_type *right = operands[1]->type;

    if (left->id == right->id || (type_is_number(left->id) && type_is_number(right->id))) {
        return true;
    }
    if (left->id == T_STRING && type_is_temporal(right->id)) {
        operands[0] = expr_cast_as(b->arena, operands[0], right, CAST_COMPARED);
        return true;
    }
    if (right->id == T_STRING && type_is_temporal(left->id)) {
        operands[1] = expr_cast_as(b->arena, operands[1], left, CAST_COMPARED);
        return true;
    }
    if (left->id == T_DATE && right->id == T_TIMESTAMP) {
        operands[0] = expr_cast_to(b->arena, operands[0], right);
        return true;
    }
    if (left->id == T_TIMESTAMP && right->id == T_DATE) {
        operands[1] = expr_cast_to(b->arena, operands[1], left);
        return true;
    }
    return false;
}

static bool has_order(enum type_id id)
{
    return id != T_BOOLEAN && id != T_ARRAY && id != T_MAP && id != T_STRUCT;
}

static enum compare_operator compare_of(enum ast_op op)
{
    static const enum compare_operator operators[] = {
        [AST_EQUAL] = OP_EQUAL,         [AST_NOT_EQUAL] = OP_NOT_EQUAL,
        [AST_LESS] = OP_LESS,           [AST_LESS_EQUAL] = OP_LESS_EQUAL,
        [AST_GREATER] = OP_GREATER,     [AST_GREATER_EQUAL] = OP_GREATER_EQUAL,
        [AST_IS_DISTINCT] = OP_DISTINCT
    };

    return operators[op];
}

static int make_compare(struct binding *b, enum ast_op op, struct position at,
                        const struct expr *left, const struct expr *right, const struct expr **out,
                        struct error *err)
{
    const struct expr *operands[2] = { left, right };
    enum compare_operator compare = compare_of(op);
    struct expr *e = NULL;

    if (!left->type || !right->type) {
        return error_set(err, ERR_NULL_COMPARISON, at,
                         "(%.*s %s %.*s) compares with NULL; use IS NULL or IS NOT NULL",
                         BYTES_ARG(expr_text(b->arena, left)), ast_op_text(op),
                         BYTES_ARG(expr_text(b->arena, right)));
    }
    TRY(replace_time_text(b, left, &operands[1], err));
    TRY(replace_time_text(b, right, &operands[0], err));
    if (!unify_compared(b, operands) || (!has_order(operands[0]->type->id) && compare != OP_EQUAL &&
                                         compare != OP_NOT_EQUAL && compare != OP_DISTINCT)) {
        return error_set(
            err, ERR_CANNOT_COMPARE, at, "%.*s (%.*s) cannot be compared with %.*s (%.*s) by %s",
            BYTES_ARG(expr_text(b->arena, left)), BYTES_ARG(type_text(b->arena, left->type)),
            BYTES_ARG(expr_text(b->arena, right)), BYTES_ARG(type_text(b->arena, right->type)),
            ast_op_text(op));
    }
    e = expr_make(b->arena, EXPR_COMPARE, at, type_scalar(T_BOOLEAN), operands, 2);
    e->compare = compare;
    *out = e;
    return 0;
}

static int bind_compare(struct binding *b, const struct ast_expr *syntax, const struct expr **out,
                        struct error *err)
{
    const struct expr *left = NULL;
    const struct expr *right = NULL;

    TRY(bind_expr(b, syntax->binary.left, &left, err));
    TRY(bind_expr(b, syntax->binary.right, &right, err));
    return make_compare(b, syntax->binary.op, syntax->at, left, right, out, err);
}

int bind_between(struct binding *b, const struct ast_expr *syntax, const struct expr **out,
                 struct error *err)
{
    const struct expr *value = NULL;
    const struct expr *low = NULL;
    const struct expr *high = NULL;
    const struct expr *parts[2] = { NULL, NULL };
    struct expr *e = NULL;

    if (b->between_depth >= BETWEEN_DEPTH_MAX) {
        return error_set(err, ERR_TOO_DEEP, syntax->at,
                         "BETWEEN may stand within the value of BETWEEN %d levels deep at most",
                         BETWEEN_DEPTH_MAX);
    }
    b->between_depth++;
    TRY(bind_expr(b, syntax->between.operand, &value, err));
    b->between_depth--;
    TRY(bind_expr(b, syntax->between.low, &low, err));
    TRY(bind_expr(b, syntax->between.high, &high, err));
    TRY(make_compare(b, AST_GREATER_EQUAL, syntax->at, value, low, &parts[0], err));
    TRY(make_compare(b, AST_LESS_EQUAL, syntax->at, value, high, &parts[1], err));
    e = expr_make(b->arena, EXPR_AND, syntax->at, type_scalar(T_BOOLEAN), parts, 2);
    e->is_between = true;
    *out = e;
    return 0;
}

/* --- AND, OR, and the door --- */

static int bind_logical(struct binding *b, const struct ast_expr *syntax, const struct expr **out,
                        struct error *err)
{
    const struct expr *operands[2] = { NULL, NULL };
    const char *name = ast_op_text(syntax->binary.op);
    enum expr_kind kind = syntax->binary.op == AST_AND ? EXPR_AND : EXPR_OR;

    TRY(bind_boolean(b, syntax->binary.left, name, &operands[0], err));
    TRY(bind_boolean(b, syntax->binary.right, name, &operands[1], err));
    *out = expr_make(b->arena, kind, syntax->at, type_scalar(T_BOOLEAN), operands, 2);
    return 0;
}

int bind_binary(struct binding *b, const struct ast_expr *syntax, const struct expr **out,
                struct error *err)
{
    switch (syntax->binary.op) {
    case AST_ADD:
    case AST_SUBTRACT:
    case AST_MULTIPLY:
    case AST_DIVIDE:
    case AST_MODULO:
        return bind_arithmetic(b, syntax, out, err);
    case AST_EQUAL:
    case AST_NOT_EQUAL:
    case AST_LESS:
    case AST_LESS_EQUAL:
    case AST_GREATER:
    case AST_GREATER_EQUAL:
    case AST_IS_DISTINCT:
        return bind_compare(b, syntax, out, err);
    case AST_AND:
    case AST_OR:
        return bind_logical(b, syntax, out, err);
    case AST_NEGATE:
    case AST_PLUS:
    case AST_NOT:
        break;
    }
    return error_set(err, ERR_UNSUPPORTED, syntax->at, "this operator is not supported");
}
