/*
 * expr.c: making, comparing, walking and copying bound expressions.
 *
 * Trees are no deeper than the syntax they come from (twice that, with casts),
 * which the parser and bind.c limit: so these passes may recurse.
 */
#include "engine/expr/expr_internal.h"
#include "engine/type/compare.h"

struct expr *expr_make(struct arena *arena, enum expr_kind kind, struct position at,
                       const struct sql_type *type, const struct expr *const *arguments,
                       uint32_t count)
{
    struct expr *e = arena_new(arena, struct expr);
    const struct expr **copy = arena_array(arena, const struct expr *, count);

    for (uint32_t i = 0; i < count; i++) {
        copy[i] = arguments[i];
    }
    e->kind = kind;
    e->at = at;
    e->type = type;
    e->arguments = copy;
    e->argument_count = count;
    return e;
}

const struct expr *expr_column(struct arena *arena, uint32_t source, uint32_t index,
                               struct bytes name, const struct sql_type *type, struct position at)
{
    struct expr *e = expr_make(arena, EXPR_COLUMN, at, type, NULL, 0);

    e->column.source = source;
    e->column.index = index;
    e->column.name = name;
    return e;
}

bool expr_is_column(const struct expr *e, uint32_t index)
{
    return e->kind == EXPR_COLUMN && e->column.source == 0 && e->column.index == index;
}

const struct expr *expr_cast_as(struct arena *arena, const struct expr *e,
                                const struct sql_type *type, enum cast_origin origin)
{
    struct expr *cast = NULL;

    if (origin != CAST_WRITTEN && e->type && type_equal(e->type, type)) {
        return e;
    }
    cast = expr_make(arena, EXPR_CAST, e->at, type, &e, 1);
    cast->cast = origin;
    return cast;
}

const struct expr *expr_cast_to(struct arena *arena, const struct expr *e,
                                const struct sql_type *type)
{
    return expr_cast_as(arena, e, type, CAST_IMPLICIT);
}

const struct expr *expr_without_implicit_casts(const struct expr *e)
{
    while (e->kind == EXPR_CAST && e->cast != CAST_WRITTEN) {
        e = e->arguments[0];
    }
    return e;
}

struct bytes type_text(struct arena *arena, const struct sql_type *type)
{
    struct buffer text = { 0 };
    struct bytes copy = BYTES("NULL");

    if (type) {
        type_print(type, &text);
        copy = arena_copy(arena, buffer_bytes(&text));
    }
    buffer_fini(&text);
    return copy;
}

struct bytes expr_text(struct arena *arena, const struct expr *e)
{
    struct buffer text = { 0 };
    struct bytes copy = { 0 };

    expr_print(e, &text);
    copy = arena_copy(arena, buffer_bytes(&text));
    buffer_fini(&text);
    return copy;
}

static bool literal_equal(const struct expr *a, const struct expr *b)
{
    const struct value *x = &a->literal;
    const struct value *y = &b->literal;

    if (value_is_null(x) || value_is_null(y)) {
        return value_is_null(x) && value_is_null(y);
    }
    if (a->type->id == T_DOUBLE) { /* by its bits: 0.0 and -0.0 are two values, a NaN is one */
        return x->i64 == y->i64;
    }
    return compare_equal(x, y, a->type);
}

/* What the kind adds; kinds, types and arguments are known to agree. */
static bool payload_equal(const struct expr *a, const struct expr *b)
{
    switch (a->kind) {
    case EXPR_COLUMN:
        return a->column.source == b->column.source && a->column.index == b->column.index;
    case EXPR_PSEUDO:
        return a->pseudo == b->pseudo;
    case EXPR_LITERAL:
        return literal_equal(a, b);
    case EXPR_ARITHMETIC:
        return a->arithmetic == b->arithmetic;
    case EXPR_COMPARE:
        return a->compare == b->compare;
    case EXPR_LIKE:
        return a->like_escape == b->like_escape;
    case EXPR_CASE:
        return a->has_default == b->has_default;
    case EXPR_CAST:
        return a->cast == b->cast;
    case EXPR_CALL:
        return a->call.kind == b->call.kind && !(a->call.kind->flags & FN_IMPURE);
    case EXPR_AGGREGATE:
        return a->aggregate->kind == b->aggregate->kind;
    case EXPR_FIELD:
        return a->field == b->field;
    case EXPR_IS_NULL:
        return a->is_not_null == b->is_not_null;
    case EXPR_NEGATE:
    case EXPR_AND:
    case EXPR_OR:
    case EXPR_NOT:
    case EXPR_IN:
    case EXPR_SUBSCRIPT:
    case EXPR_ARRAY:
    case EXPR_MAP:
    case EXPR_STRUCT:
        return true;
    }
    return false;
}

static bool types_equal(const struct sql_type *a, const struct sql_type *b)
{
    return a == b || (a && b && type_equal(a, b));
}

bool expr_equal(const struct expr *a, const struct expr *b)
{
    if (a->kind != b->kind || a->argument_count != b->argument_count ||
        !types_equal(a->type, b->type)) {
        return false;
    }
    for (uint32_t i = 0; i < a->argument_count; i++) {
        if (!expr_equal(a->arguments[i], b->arguments[i])) {
            return false;
        }
    }
    return payload_equal(a, b);
}

bool expr_walk(const struct expr *e, bool (*visit)(void *context, const struct expr *node),
               void *context)
{
    if (!visit(context, e)) {
        return false;
    }
    for (uint32_t i = 0; i < e->argument_count; i++) {
        if (!expr_walk(e->arguments[i], visit, context)) {
            return false;
        }
    }
    return true;
}

const struct expr *
expr_rewrite(struct arena *arena, const struct expr *e,
             const struct expr *(*replace)(void *context, const struct expr *node), void *context)
{
    const struct expr *replacement = replace(context, e);
    const struct expr **arguments = NULL;
    struct expr *copy = NULL;

    if (replacement) {
        return replacement;
    }
    arguments = arena_array(arena, const struct expr *, e->argument_count);
    for (uint32_t i = 0; i < e->argument_count; i++) {
        arguments[i] = expr_rewrite(arena, e->arguments[i], replace, context);
    }
    copy = arena_new(arena, struct expr);
    *copy = *e;
    copy->arguments = arguments;
    return copy;
}

static bool is_constant_node(void *context, const struct expr *node)
{
    switch (node->kind) {
    case EXPR_COLUMN:
    case EXPR_PSEUDO:
    case EXPR_AGGREGATE:
        return false;
    case EXPR_CALL:
        return !(node->call.kind->flags & FN_IMPURE);
    case EXPR_LITERAL:
    case EXPR_ARITHMETIC:
    case EXPR_NEGATE:
    case EXPR_COMPARE:
    case EXPR_AND:
    case EXPR_OR:
    case EXPR_NOT:
    case EXPR_IS_NULL:
    case EXPR_LIKE:
    case EXPR_IN:
    case EXPR_CASE:
    case EXPR_CAST:
    case EXPR_FIELD:
    case EXPR_SUBSCRIPT:
    case EXPR_ARRAY:
    case EXPR_MAP:
    case EXPR_STRUCT:
        return true;
    }
    return false;
}

bool expr_is_constant(const struct expr *e)
{
    return expr_walk(e, is_constant_node, NULL);
}
