/*
 * bind_in.c: IN, and the unification of types that it is bound by.
 *
 * Expressions are taken in order (expressions.md 8): the first that is not NULL
 * sets the target, numbers may widen it. Literals adapt themselves, as text too,
 * and a text that does not fit is an error here, not later in a row; what is no
 * literal only takes casts that lose nothing. Casts made here print as what they
 * are cast from.
 */
#include <string.h>

#include "engine/expr/bind_internal.h"
#include "engine/type/cast.h"
#include "engine/type/decimal.h"
#include "engine/type/java_text.h"

static bool is_text_literal(const struct expr *e)
{
    return e->kind == EXPR_LITERAL && e->type && e->type->id == T_STRING;
}

static bool is_container(enum type_id id)
{
    return id == T_ARRAY || id == T_MAP || id == T_STRUCT;
}

static uint32_t larger(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

/* --- numbers --- */

static void decimal_parts(const struct sql_type *type, uint32_t *whole, uint32_t *scale)
{
    *scale = type->id == T_DECIMAL ? type->scale : 0;
    *whole = type->id == T_DECIMAL   ? type->precision - type->scale
             : type->id == T_INTEGER ? 10
                                     : 19;
}

static const struct sql_type *wider_number(struct arena *arena, const struct sql_type *a,
                                           const struct sql_type *b)
{
    uint32_t whole[2];
    uint32_t scale[2];

    if (a->id == T_DOUBLE || b->id == T_DOUBLE) {
        return type_scalar(T_DOUBLE);
    }
    if (a->id != T_DECIMAL && b->id != T_DECIMAL) {
        return a->id == T_BIGINT ? a : b;
    }
    decimal_parts(a, &whole[0], &scale[0]);
    decimal_parts(b, &whole[1], &scale[1]);
    scale[0] = larger(scale[0], scale[1]);
    return type_decimal(arena, larger(whole[0], whole[1]) + scale[0], scale[0]);
}

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
    *out = type_decimal(b->arena,
                        larger(decimal_digits(number.unscaled),
                               (uint32_t)number.scale +
                                   (decimal_digits(number.unscaled) <= (uint32_t)number.scale)),
                        (uint32_t)number.scale);
    return 0;
}

/* --- finding the target --- */

static const struct sql_type *merge_types(struct arena *arena, const struct sql_type *a,
                                          const struct sql_type *b);

/* The union of the fields of both, in order of first appearance; NULL: one does not fit. */
static const struct sql_type *merge_structs(struct arena *arena, const struct sql_type *a,
                                            const struct sql_type *b)
{
    struct sql_field *fields =
        arena_array(arena, struct sql_field, a->field_count + b->field_count);
    uint32_t count = a->field_count;

    for (uint32_t i = 0; i < count; i++) {
        fields[i] = a->fields[i];
    }
    for (uint32_t i = 0; i < b->field_count; i++) {
        uint32_t at = 0;

        while (at < count && !bytes_equal(fields[at].name, b->fields[i].name)) {
            at++;
        }
        if (at == count) {
            fields[count++] = b->fields[i];
            continue;
        }
        fields[at].type = merge_types(arena, fields[at].type, b->fields[i].type);
        if (!fields[at].type) {
            return NULL;
        }
    }
    return type_struct(arena, fields, count);
}

/* What both can be cast to without being asked, a first; NULL: nothing. As deep as types are. */
static const struct sql_type *merge_types(struct arena *arena, const struct sql_type *a,
                                          const struct sql_type *b)
{
    const struct sql_type *key = NULL;
    const struct sql_type *element = NULL;

    if (type_is_number(a->id) && type_is_number(b->id)) {
        return wider_number(arena, a, b);
    }
    if (a->id != b->id) {
        bool adapts = b->id == T_STRING && (type_is_temporal(a->id) || a->id == T_BYTES);

        return adapts ? a : NULL;
    }
    if (!is_container(a->id)) {
        return a;
    }
    if (a->id == T_STRUCT) {
        return merge_structs(arena, a, b);
    }
    element = merge_types(arena, a->element, b->element);
    key = a->id == T_MAP ? merge_types(arena, a->key, b->key) : NULL;
    if (!element || (a->id == T_MAP && !key)) {
        return NULL;
    }
    return key ? type_map(arena, key, element) : type_array(arena, element);
}

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
    merged = merge_types(b->arena, *target, type);
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
    static const char *const words[] = { "true", "yes", "false", "no" };
    struct bytes text = value_bytes(&e->literal);

    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (text.len && text.len <= strlen(words[i]) &&
            bytes_equal_nocase(text, (struct bytes){ words[i], text.len })) {
            struct expr *literal = expr_make(b->arena, EXPR_LITERAL, e->at, target, NULL, 0);

            literal->literal = value_i64(T_BOOLEAN, i < 2);
            *out = literal;
            return 0;
        }
    }
    return bad_text(e, target, err);
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
