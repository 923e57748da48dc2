/*
 * bind_unify.c: bringing expressions to one type, for IN, ARRAY[...] and MAP(...).
 *
 * Expressions are taken in order (expressions.md 8): the first that is not NULL
 * sets the target, numbers may widen it. Literals adapt themselves, as text too and also
 * within containers that are written out; a text that does not fit is an error here, not later
 * in a row. What is no literal only takes casts that lose nothing. Casts made here print as
 * what they are cast from. Recursion is as deep as the syntax, which is limited.
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

static int widen_target(struct binding *b, const struct expr *e, const struct sql_type **target,
                        struct error *err);

/* A STRUCT that is written out may have fields that the target lacks: they are added. */
static int widen_fields(struct binding *b, const struct expr *e, const struct sql_type **target,
                        struct error *err)
{
    uint32_t count = (*target)->field_count;
    struct sql_field *fields = arena_array(b->arena, struct sql_field, count + e->argument_count);

    for (uint32_t i = 0; i < count; i++) {
        fields[i] = (*target)->fields[i];
    }
    for (uint32_t i = 0; i < e->argument_count; i++) {
        uint32_t at = type_find_field(*target, e->type->fields[i].name);

        if (at < (*target)->field_count) {
            TRY(widen_target(b, e->arguments[i], &fields[at].type, err));
        } else {
            fields[count++] = e->type->fields[i];
        }
    }
    *target = type_struct(b->arena, fields, count);
    return 0;
}

/* Literals in a container that is written out adapt themselves too. */
static int widen_parts(struct binding *b, const struct expr *e, const struct sql_type **target,
                       struct error *err)
{
    const struct sql_type *key = (*target)->key;
    const struct sql_type *element = (*target)->element;

    if (e->kind == EXPR_STRUCT) {
        return widen_fields(b, e, target, err);
    }
    for (uint32_t i = 0; i < e->argument_count; i++) {
        bool is_key = e->kind == EXPR_MAP && i % 2 == 0;

        if (e->arguments[i]->type) {
            TRY(widen_target(b, e->arguments[i], is_key ? &key : &element, err));
        }
    }
    *target =
        e->kind == EXPR_MAP ? type_map(b->arena, key, element) : type_array(b->arena, element);
    return 0;
}

/* A container that is written out, and the target is one of its kind. */
static bool is_written_container(const struct expr *e, const struct sql_type *target)
{
    return (e->kind == EXPR_ARRAY || e->kind == EXPR_MAP || e->kind == EXPR_STRUCT) &&
           e->type->id == target->id;
}

/* The target once e has been taken into account; *target is set. */
static int widen_target(struct binding *b, const struct expr *e, const struct sql_type **target,
                        struct error *err)
{
    const struct sql_type *type = e->type;
    const struct sql_type *merged = NULL;

    if (is_written_container(e, *target)) {
        return widen_parts(b, e, target, err);
    }
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
                  struct error *err);

/* The fields that are there take the target's types; the cast puts them where they belong. */
static int coerce_fields(struct binding *b, const struct sql_type *target, const struct expr **item,
                         struct error *err)
{
    const struct expr *e = *item;
    uint32_t count = e->argument_count;
    const struct expr **parts = arena_array(b->arena, const struct expr *, count);
    struct sql_field *fields = arena_array(b->arena, struct sql_field, count);

    for (uint32_t i = 0; i < count; i++) {
        parts[i] = e->arguments[i];
        fields[i] = target->fields[type_find_field(target, e->type->fields[i].name)];
        TRY(coerce(b, fields[i].type, &parts[i], err));
    }
    e = expr_make(b->arena, EXPR_STRUCT, e->at, type_struct(b->arena, fields, count), parts, count);
    *item = expr_cast_as(b->arena, e, target, CAST_UNIFIED);
    return 0;
}

static int coerce_parts(struct binding *b, const struct sql_type *target, const struct expr **item,
                        struct error *err)
{
    const struct expr *e = *item;
    const struct expr **parts = arena_array(b->arena, const struct expr *, e->argument_count);

    if (e->kind == EXPR_STRUCT) {
        return coerce_fields(b, target, item, err);
    }
    for (uint32_t i = 0; i < e->argument_count; i++) {
        bool is_key = e->kind == EXPR_MAP && i % 2 == 0;

        parts[i] = e->arguments[i];
        TRY(coerce(b, is_key ? target->key : target->element, &parts[i], err));
    }
    *item = expr_make(b->arena, e->kind, e->at, target, parts, e->argument_count);
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
    if (is_written_container(e, target)) {
        return coerce_parts(b, target, item, err);
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
