/*
 * bind.c: syntax -> bound expressions: the door and the plain kinds.
 *
 * Every node gets its type here and every conversion becomes a cast node. Names
 * come from the caller's scope, so this file knows no sources. Operators are in
 * bind_operator.c, IN in bind_in.c, containers in bind_construct.c, the unification of
 * their parts in bind_unify.c, calls in bind_call.c, type names in bind_type.c.
 */
#include "base/utf8.h"
#include "engine/expr/bind_internal.h"
#include "engine/type/cast.h"
#include "parser/ast_print.h"

enum { BIND_DEPTH_MAX = AST_DEPTH_MAX };

static int refuse_unsupported(const struct ast_expr *syntax, const char *what, struct error *err)
{
    return error_set(err, ERR_UNSUPPORTED, syntax->at, "%s is not supported", what);
}

int bind_boolean(struct binding *b, const struct ast_expr *syntax, const char *where,
                 const struct expr **out, struct error *err)
{
    const struct expr *e = NULL;

    TRY(bind_expr(b, syntax, &e, err));
    if (!e->type || e->type->id != T_BOOLEAN) {
        return error_set(
            err, ERR_NOT_BOOLEAN, syntax->at, "%s takes BOOLEAN, but %.*s is of type %.*s", where,
            BYTES_ARG(expr_text(b->arena, e)), BYTES_ARG(type_text(b->arena, e->type)));
    }
    *out = e;
    return 0;
}

static int bind_column(struct binding *b, const struct ast_expr *syntax, const struct expr **out,
                       struct error *err)
{
    const struct expr_scope *scope = b->binder->scope;

    return scope->resolve(scope, syntax->column.qualifier.text, &syntax->column.name, b->arena, out,
                          err);
}

static int bind_field(struct binding *b, const struct ast_expr *syntax, const struct expr **out,
                      struct error *err)
{
    const struct expr *base = NULL;
    struct bytes name = syntax->field.name.text;

    TRY(bind_expr(b, syntax->field.base, &base, err));
    if (!base->type || base->type->id != T_STRUCT) {
        return error_set(
            err, ERR_TYPE_MISMATCH, syntax->at, "'->' takes a STRUCT, but %.*s is of type %.*s",
            BYTES_ARG(expr_text(b->arena, base)), BYTES_ARG(type_text(b->arena, base->type)));
    }
    for (uint32_t i = 0; i < base->type->field_count; i++) {
        if (bytes_equal(base->type->fields[i].name, name)) {
            struct expr *e =
                expr_make(b->arena, EXPR_FIELD, syntax->at, base->type->fields[i].type, &base, 1);

            e->field = i;
            *out = e;
            return 0;
        }
    }
    return error_set(err, ERR_UNKNOWN_FIELD, syntax->field.name.at,
                     "%.*s has no field '%.*s'; it is %.*s", BYTES_ARG(expr_text(b->arena, base)),
                     BYTES_ARG(name), BYTES_ARG(type_text(b->arena, base->type)));
}

/* The key of a map may be widened to the map's key type; an array's index must be INTEGER. */
static int bind_index(struct binding *b, const struct expr *base, const struct expr **index,
                      struct error *err)
{
    const struct sql_type *wanted =
        base->type->id == T_MAP ? base->type->key : type_scalar(T_INTEGER);
    const struct sql_type *given = (*index)->type;

    if (given && type_equal(given, wanted)) {
        return 0;
    }
    if (given && base->type->id == T_MAP && cast_is_implicit(given, wanted)) {
        *index = expr_cast_to(b->arena, *index, wanted);
        return 0;
    }
    return error_set(err, ERR_TYPE_MISMATCH, (*index)->at,
                     "the subscript of %.*s must be %.*s, but %.*s is of type %.*s",
                     BYTES_ARG(expr_text(b->arena, base)), BYTES_ARG(type_text(b->arena, wanted)),
                     BYTES_ARG(expr_text(b->arena, *index)), BYTES_ARG(type_text(b->arena, given)));
}

static int bind_subscript(struct binding *b, const struct ast_expr *syntax, const struct expr **out,
                          struct error *err)
{
    const struct expr *operands[2] = { NULL, NULL };
    const struct expr *base = NULL;

    TRY(bind_expr(b, syntax->subscript.base, &base, err));
    TRY(bind_expr(b, syntax->subscript.index, &operands[1], err));
    if (!base->type || (base->type->id != T_ARRAY && base->type->id != T_MAP)) {
        bool is_struct = base->type && base->type->id == T_STRUCT;

        return error_set(err, ERR_TYPE_MISMATCH, syntax->at,
                         "'[ ]' takes an ARRAY or a MAP, but %.*s is of type %.*s%s",
                         BYTES_ARG(expr_text(b->arena, base)),
                         BYTES_ARG(type_text(b->arena, base->type)),
                         is_struct ? "; use '->' for a field of a STRUCT" : "");
    }
    TRY(bind_index(b, base, &operands[1], err));
    operands[0] = base;
    *out = expr_make(b->arena, EXPR_SUBSCRIPT, syntax->at, base->type->element, operands, 2);
    return 0;
}

static int bind_cast(struct binding *b, const struct ast_expr *syntax, const struct expr **out,
                     struct error *err)
{
    const struct expr *inner = NULL;
    const struct sql_type *type = NULL;

    TRY(bind_expr(b, syntax->cast.operand, &inner, err));
    TRY(type_bind(b->arena, b->binder->scope->types, syntax->cast.type, &type, err));
    if (inner->type && !type_equal(inner->type, type) && !cast_find(inner->type, type)) {
        return error_set(err, ERR_CANNOT_CAST, syntax->at, "there is no cast from %.*s to %.*s",
                         BYTES_ARG(type_text(b->arena, inner->type)),
                         BYTES_ARG(type_text(b->arena, type)));
    }
    *out = expr_cast_as(b->arena, inner, type, CAST_WRITTEN);
    return 0;
}

static int bind_not(struct binding *b, const struct ast_expr *syntax, const struct expr **out,
                    struct error *err)
{
    const struct expr *inner = NULL;

    TRY(bind_boolean(b, syntax->unary.operand, "NOT", &inner, err));
    *out = expr_make(b->arena, EXPR_NOT, syntax->at, type_scalar(T_BOOLEAN), &inner, 1);
    return 0;
}

static int bind_unary(struct binding *b, const struct ast_expr *syntax, const struct expr **out,
                      struct error *err)
{
    return syntax->unary.op == AST_NOT ? bind_not(b, syntax, out, err)
                                       : bind_negate(b, syntax, out, err);
}

static int bind_is_null(struct binding *b, const struct ast_expr *syntax, const struct expr **out,
                        struct error *err)
{
    const struct expr *inner = NULL;
    struct expr *e = NULL;

    TRY(bind_expr(b, syntax->is_null.operand, &inner, err));
    e = expr_make(b->arena, EXPR_IS_NULL, syntax->at, type_scalar(T_BOOLEAN), &inner, 1);
    e->is_not_null = syntax->is_null.negated;
    *out = e;
    return 0;
}

static int bind_text(struct binding *b, const struct ast_expr *syntax, const struct expr **out,
                     struct error *err)
{
    const struct expr *e = NULL;

    TRY(bind_expr(b, syntax, &e, err));
    if (!e->type || e->type->id != T_STRING) {
        return error_set(
            err, ERR_TYPE_MISMATCH, syntax->at, "LIKE compares STRING, but %.*s is of type %.*s",
            BYTES_ARG(expr_text(b->arena, e)), BYTES_ARG(type_text(b->arena, e->type)));
    }
    *out = e;
    return 0;
}

static int bind_like(struct binding *b, const struct ast_expr *syntax, const struct expr **out,
                     struct error *err)
{
    const struct expr *operands[2] = { NULL, NULL };
    struct bytes escape = syntax->like.escape;
    uint32_t escape_character = 0;
    struct expr *e = NULL;

    TRY(bind_text(b, syntax->like.operand, &operands[0], err));
    TRY(bind_text(b, syntax->like.pattern, &operands[1], err));
    if (escape.data && utf8_decode(escape, 0, &escape_character) != escape.len) {
        return error_set(err, ERR_INVALID_LITERAL, syntax->at,
                         "ESCAPE takes exactly one character, not '%.*s'", BYTES_ARG(escape));
    }
    e = expr_make(b->arena, EXPR_LIKE, syntax->at, type_scalar(T_BOOLEAN), operands, 2);
    e->like_escape = escape_character;
    *out = e;
    return 0;
}

/* --- CASE: nothing is coerced, all branches have the same type or are NULL --- */

static int check_branch(struct binding *b, const struct expr *branch, const struct sql_type **type,
                        struct error *err)
{
    if (!branch->type) {
        return 0;
    }
    if (*type && !type_equal(*type, branch->type)) {
        return error_set(err, ERR_CASE_TYPES, branch->at,
                         "the branches of CASE must have one type: %.*s is of type %.*s, those "
                         "before it of type %.*s; use CAST",
                         BYTES_ARG(expr_text(b->arena, branch)),
                         BYTES_ARG(type_text(b->arena, branch->type)),
                         BYTES_ARG(type_text(b->arena, *type)));
    }
    *type = branch->type;
    return 0;
}

static int bind_case(struct binding *b, const struct ast_expr *syntax, const struct expr **out,
                     struct error *err)
{
    const struct ast_when_list *whens = &syntax->choice.whens;
    uint32_t count = 2 * whens->count + (syntax->choice.otherwise ? 1 : 0);
    const struct expr **arguments = arena_array(b->arena, const struct expr *, count);
    const struct sql_type *type = NULL;
    struct expr *e = NULL;

    if (syntax->choice.operand) {
        return error_set(err, ERR_UNSUPPORTED, syntax->at,
                         "CASE <value> WHEN is not supported; write CASE WHEN <condition>");
    }
    for (uint32_t i = 0; i < whens->count; i++) {
        TRY(bind_boolean(b, whens->items[i].condition, "WHEN", &arguments[2 * i], err));
        TRY(bind_expr(b, whens->items[i].result, &arguments[2 * i + 1], err));
        TRY(check_branch(b, arguments[2 * i + 1], &type, err));
    }
    if (syntax->choice.otherwise) {
        TRY(bind_expr(b, syntax->choice.otherwise, &arguments[count - 1], err));
        TRY(check_branch(b, arguments[count - 1], &type, err));
    }
    if (!type) {
        return error_set(err, ERR_CASE_TYPES, syntax->at,
                         "all branches of CASE are NULL; give one of them a type with CAST");
    }
    e = expr_make(b->arena, EXPR_CASE, syntax->at, type, arguments, count);
    e->has_default = syntax->choice.otherwise != NULL;
    *out = e;
    return 0;
}

static int bind_node(struct binding *b, const struct ast_expr *syntax, const struct expr **out,
                     struct error *err)
{
    switch (syntax->kind) {
    case AST_LITERAL:
        return bind_literal(b, syntax, out, err);
    case AST_COLUMN:
        return bind_column(b, syntax, out, err);
    case AST_FIELD:
        return bind_field(b, syntax, out, err);
    case AST_SUBSCRIPT:
        return bind_subscript(b, syntax, out, err);
    case AST_CALL:
        return bind_call(b, syntax, out, err);
    case AST_UNIT:
        return refuse_unsupported(syntax, "a unit of time as a function's argument", err);
    case AST_LAMBDA:
        return refuse_unsupported(syntax, "a lambda function", err);
    case AST_CASE:
        return bind_case(b, syntax, out, err);
    case AST_CAST:
        return bind_cast(b, syntax, out, err);
    case AST_ARRAY:
        return bind_array(b, syntax, out, err);
    case AST_MAP:
        return bind_map(b, syntax, out, err);
    case AST_STRUCT:
        return bind_struct(b, syntax, out, err);
    case AST_UNARY:
        return bind_unary(b, syntax, out, err);
    case AST_BINARY:
        return bind_binary(b, syntax, out, err);
    case AST_BETWEEN:
        return bind_between(b, syntax, out, err);
    case AST_IN:
        return bind_in(b, syntax, out, err);
    case AST_LIKE:
        return bind_like(b, syntax, out, err);
    case AST_IS_NULL:
        return bind_is_null(b, syntax, out, err);
    }
    return error_set(err, ERR_UNSUPPORTED, syntax->at, "this expression is not supported");
}

int bind_expr(struct binding *b, const struct ast_expr *syntax, const struct expr **out,
              struct error *err)
{
    int code = 0;

    if (b->depth >= BIND_DEPTH_MAX) {
        return error_set(err, ERR_TOO_DEEP, syntax->at,
                         "expressions may be nested %d levels deep at most", BIND_DEPTH_MAX);
    }
    b->depth++;
    code = bind_node(b, syntax, out, err);
    b->depth--;
    return code;
}

int expr_bind(struct expr_binder *binder, const struct ast_expr *syntax, const struct expr **out,
              struct error *err)
{
    struct binding b = { .arena = binder->arena, .binder = binder };

    return bind_expr(&b, syntax, out, err);
}

int expr_bind_condition(struct expr_binder *binder, const struct ast_expr *syntax,
                        const struct expr **out, struct error *err)
{
    struct binding b = { .arena = binder->arena, .binder = binder };
    const struct expr *e = NULL;
    const char *clause = binder->clause ? binder->clause : "the condition";

    TRY(bind_expr(&b, syntax, &e, err));
    if (!e->type || e->type->id != T_BOOLEAN) {
        return error_set(err, ERR_NOT_BOOLEAN, syntax->at,
                         "%s must be a condition of type BOOLEAN, but %.*s is of type %.*s", clause,
                         BYTES_ARG(expr_text(b.arena, e)), BYTES_ARG(type_text(b.arena, e->type)));
    }
    *out = e;
    return 0;
}
