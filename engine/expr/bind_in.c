/*
 * bind_in.c: IN, and the unification of types that it is bound by.
 *
 * Expressions are taken in order (expressions.md 8): the first that is not NULL
 * sets the target, numbers may widen it. Literals adapt themselves, as text too,
 * and a text that does not fit is an error here, not later in a row; what is no
 * literal only takes casts that lose nothing. Casts made here print as what they
 * are cast from.
 */
#include "engine/expr/bind_internal.h"
#include "engine/type/cast.h"
#include "engine/type/decimal.h"
#include "engine/type/java_text.h"

static bool is_text_literal(const struct expr *e)
{
    return e->kind == EXPR_LITERAL && e->type && e->type->id == T_STRING;
}

/* --- text among others --- */

static int bad_text(const struct expr *e, const struct sql_type *wanted, struct error *err)
{
    return error_set(err, ERR_INVALID_LITERAL, e->at, "'%.*s' is no %s",
                     BYTES_ARG(value_bytes(&e->literal)), type_name(wanted->id));
}

/* The type of a number written as text, among numbers of the type `among`. */
static int type_of_number_text(struct binding *b, const struct expr *e,
                               const struct sql_type *among, const struct sql_type **out,
                               struct error *err)
{
    struct bytes text = value_bytes(&e->literal);
    struct decimal number = { 0 };
    int64_t whole = 0;
    double real = 0;
    uint32_t digits = 0;
    uint32_t scale = 0;

    if (among->id == T_DOUBLE) {
        *out = among;
        return java_double_parse(text, &real, NULL) ? bad_text(e, among, err) : 0;
    }
    if (!java_long_parse(text, &whole, NULL)) {
        *out = type_scalar(whole >= INT32_MIN && whole <= INT32_MAX ? T_INTEGER : T_BIGINT);
        return 0;
    }
    if (decimal_parse(text, &number, NULL) ||
        (number.scale < 0 && decimal_rescale(number, 0, ROUND_UNNECESSARY, &number, NULL))) {
        return bad_text(e, among, err);
    }
    digits = decimal_digits(number.unscaled);
    scale = (uint32_t)number.scale;
    *out = type_decimal(b->arena, digits > scale ? digits : scale + 1, scale);
    return 0;
}

/* --- finding the target --- */

/* The target once e has been taken into account; *target is set. */
static int widen_target(struct binding *b, const struct expr *e, const struct sql_type **target,
                        struct error *err)
{
    const struct sql_type *type = e->type;
    const struct sql_type *merged = NULL;

    if (is_text_literal(e) && type_is_number((*target)->id)) {
        TRY(type_of_number_text(b, e, *target, &type, err));
    } else if (is_text_literal(e) && (*target)->id == T_BOOLEAN) {
        return 0;
    } else if ((*target)->id == T_STRING && e->kind == EXPR_LITERAL) {
        return 0;
    }
    merged = cast_unify(b->arena, *target, type);
    if (!merged) {
        return error_set(err, ERR_TYPE_MISMATCH, e->at,
                         "%.*s of type %.*s does not go with values of type %.*s; use CAST",
                         BYTES_ARG(expr_text(b->arena, e)), BYTES_ARG(type_text(b->arena, e->type)),
                         BYTES_ARG(type_text(b->arena, *target)));
    }
    *target = merged;
    return 0;
}

/* --- bringing each to the target --- */

/* Unlike CAST, only a beginning of true, yes, false or no is a BOOLEAN here. */
static int boolean_of_text(struct binding *b, const struct expr *e, const struct sql_type *target,
                           const struct expr **out, struct error *err)
{
    struct expr *literal = NULL;
    bool truth = false;

    if (cast_parse_boolean(value_bytes(&e->literal), &truth, NULL)) {
        return bad_text(e, target, err);
    }
    literal = expr_make(b->arena, EXPR_LITERAL, e->at, target, NULL, 0);
    literal->literal = value_i64(T_BOOLEAN, truth);
    *out = literal;
    return 0;
}

static int coerce(struct binding *b, const struct sql_type *target, const struct expr **item,
                  struct error *err)
{
    const struct expr *e = *item;
    struct value ignored = { 0 };
    cast_function cast = NULL;

    if (!e->type || type_equal(e->type, target)) {
        return 0;
    }
    if (is_text_literal(e) && target->id == T_BOOLEAN) {
        return boolean_of_text(b, e, target, item, err);
    }
    cast = cast_find(e->type, target);
    if (!cast) {
        return error_set(err, ERR_TYPE_MISMATCH, e->at, "%.*s cannot become %.*s; use CAST",
                         BYTES_ARG(expr_text(b->arena, e)), BYTES_ARG(type_text(b->arena, target)));
    }
    if (is_text_literal(e) && cast(&e->literal, e->type, target, b->arena, &ignored, NULL)) {
        return bad_text(e, target, err);
    }
    *item = expr_cast_as(b->arena, e, target, CAST_UNIFIED);
    return 0;
}

int bind_unify(struct binding *b, const struct expr **items, uint32_t count,
               const struct sql_type **out, struct error *err)
{
    const struct sql_type *target = NULL;

    for (uint32_t i = 0; i < count; i++) {
        if (!target) {
            target = items[i]->type;
        } else if (items[i]->type) {
            TRY(widen_target(b, items[i], &target, err));
        }
    }
    for (uint32_t i = 0; target && i < count; i++) {
        TRY(coerce(b, target, &items[i], err));
    }
    *out = target;
    return 0;
}

int bind_in(struct binding *b, const struct ast_expr *syntax, const struct expr **out,
            struct error *err)
{
    const struct ast_expr_list *list = &syntax->in.items;
    const struct expr **items = arena_array(b->arena, const struct expr *, list->count + 1);
    const struct sql_type *target = NULL;

    TRY(bind_expr(b, syntax->in.operand, &items[0], err));
    for (uint32_t i = 0; i < list->count; i++) {
        TRY(bind_expr(b, list->items[i], &items[i + 1], err));
    }
    TRY(bind_unify(b, items, list->count + 1, &target, err));
    *out = expr_make(b->arena, EXPR_IN, syntax->at, type_scalar(T_BOOLEAN), items, list->count + 1);
    return 0;
}
