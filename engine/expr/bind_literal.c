/*
 * bind_literal.c: literals as they were written -> typed values.
 *
 * A decimal literal's type follows from its digits (expressions.md 2): below one
 * it is (scale + 1, scale), otherwise (digits, scale).
 */
#include "engine/expr/bind_internal.h"
#include "engine/type/decimal.h"

static int bind_decimal(struct binding *b, const struct ast_literal *literal, struct expr *e,
                        struct error *err)
{
    struct decimal number = { 0 };
    uint32_t digits = 0;
    uint32_t scale = 0;

    if (decimal_parse(literal->number, &number, NULL) || number.scale < 0) {
        return error_set(err, ERR_INVALID_LITERAL, literal->at,
                         "the number %.*s has more than %d digits", BYTES_ARG(literal->number),
                         DECIMAL_MAX_DIGITS);
    }
    digits = decimal_digits(number.unscaled);
    scale = (uint32_t)number.scale;
    if (number.unscaled == 0 || digits <= scale) {
        digits = scale + 1;
    }
    e->type = type_decimal(b->arena, digits, scale);
    decimal_to_value(number, e->type, b->arena, &e->literal);
    return 0;
}

static void set_literal(struct expr *e, enum type_id type, struct value literal)
{
    e->type = type_scalar(type);
    e->literal = literal;
}

int bind_literal(struct binding *b, const struct ast_expr *syntax, const struct expr **out,
                 struct error *err)
{
    const struct ast_literal *literal = &syntax->literal;
    struct expr *e = expr_make(b->arena, EXPR_LITERAL, syntax->at, NULL, NULL, 0);

    switch (literal->kind) {
    case AST_LITERAL_NONE:
    case AST_LITERAL_NULL:
        e->literal = value_null();
        break;
    case AST_LITERAL_BOOLEAN:
        set_literal(e, T_BOOLEAN, value_i64(T_BOOLEAN, literal->boolean));
        break;
    case AST_LITERAL_INTEGER:
        set_literal(e, T_INTEGER, value_i64(T_INTEGER, literal->integer));
        break;
    case AST_LITERAL_BIGINT:
        set_literal(e, T_BIGINT, value_i64(T_BIGINT, literal->integer));
        break;
    case AST_LITERAL_DECIMAL:
        TRY(bind_decimal(b, literal, e, err));
        break;
    case AST_LITERAL_DOUBLE:
        set_literal(e, T_DOUBLE, value_f64(literal->real));
        break;
    case AST_LITERAL_STRING:
        set_literal(e, T_STRING, value_text(T_STRING, arena_copy(b->arena, literal->string)));
        break;
    }
    *out = e;
    return 0;
}
