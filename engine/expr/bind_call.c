/*
 * bind_call.c: calls of scalar functions and of aggregates.
 *
 * Scalar arguments get the casts that overload resolution asks for. An aggregate
 * is only allowed where the caller says so, and never within another; F() and
 * F(*) of an aggregate that takes an argument mean F(ROWTIME).
 */
#include "engine/expr/bind_internal.h"

static int bind_arguments(struct binding *b, const struct ast_expr_list *list,
                          const struct expr **arguments, const struct sql_type **types,
                          struct error *err)
{
    for (uint32_t i = 0; i < list->count; i++) {
        TRY(bind_expr(b, list->items[i], &arguments[i], err));
        types[i] = arguments[i]->type;
    }
    return 0;
}

static int bind_scalar(struct binding *b, const struct ast_expr *syntax, const struct expr **out,
                       struct error *err)
{
    uint32_t count = syntax->call.arguments.count;
    const struct expr **arguments = arena_array(b->arena, const struct expr *, count);
    const struct sql_type **types = arena_array(b->arena, const struct sql_type *, count);
    const struct sql_type **casts = arena_array(b->arena, const struct sql_type *, count);
    const struct scalar_kind *kind = NULL;
    const struct function_call_plan *plan = NULL;
    struct expr *e = NULL;

    TRY(bind_arguments(b, &syntax->call.arguments, arguments, types, err));
    TRY(scalar_resolve(b->arena, syntax->call.name.text, syntax->at, types, count, &kind, &plan,
                       casts, err));
    for (uint32_t i = 0; i < count; i++) {
        if (casts[i]) {
            arguments[i] = expr_cast_to(b->arena, arguments[i], casts[i]);
        }
    }
    e = expr_make(b->arena, EXPR_CALL, syntax->at, plan->result_type, arguments, count);
    e->call.kind = kind;
    e->call.plan = plan;
    *out = e;
    return 0;
}

static int check_place(const struct binding *b, const struct ast_expr *syntax, struct error *err)
{
    struct bytes name = syntax->call.name.text;

    if (b->in_aggregate) {
        return error_set(err, ERR_AGGREGATE_NESTED, syntax->at,
                         "the aggregate %.*s stands within another aggregate", BYTES_ARG(name));
    }
    if (!(b->binder->flags & BIND_AGGREGATES)) {
        return error_set(err, ERR_AGGREGATE_NOT_HERE, syntax->at,
                         "the aggregate %.*s cannot stand in %s; compute it in SELECT or HAVING of "
                         "a query with GROUP BY",
                         BYTES_ARG(name), b->binder->clause ? b->binder->clause : "this place");
    }
    return 0;
}

/* ROWTIME as the argument of a call that has none. */
static int bind_row_argument(struct binding *b, const struct ast_expr *syntax,
                             const struct expr **argument, const struct sql_type **type,
                             struct error *err)
{
    struct ast_name rowtime = { .text = BYTES("ROWTIME"), .at = syntax->at };
    const struct expr_scope *scope = b->binder->scope;

    TRY(scope->resolve(scope, (struct bytes){ 0 }, &rowtime, b->arena, argument, err));
    *type = (*argument)->type;
    return 0;
}

static int bind_aggregate(struct binding *b, const struct ast_expr *syntax, const struct expr **out,
                          struct error *err)
{
    uint32_t count = syntax->call.arguments.count;
    struct bytes name = syntax->call.name.text;
    const struct expr **arguments = arena_array(b->arena, const struct expr *, count + 1);
    const struct sql_type **types = arena_array(b->arena, const struct sql_type *, count + 1);
    struct aggregate_plan *plan = arena_new(b->arena, struct aggregate_plan);
    struct expr *e = NULL;
    int code = 0;

    TRY(check_place(b, syntax, err));
    b->in_aggregate = true;
    code = bind_arguments(b, &syntax->call.arguments, arguments, types, err);
    b->in_aggregate = false;
    TRY(code);
    if (count == 0 && aggregate_resolve(b->arena, name, syntax->at, types, 0, plan, NULL)) {
        TRY(bind_row_argument(b, syntax, &arguments[0], &types[0], err));
        count = 1;
    }
    TRY(aggregate_resolve(b->arena, name, syntax->at, types, count, plan, err));
    e = expr_make(b->arena, EXPR_AGGREGATE, syntax->at, plan->result_type, arguments, count);
    e->aggregate = plan;
    *out = e;
    return 0;
}

int bind_call(struct binding *b, const struct ast_expr *syntax, const struct expr **out,
              struct error *err)
{
    return aggregate_find(syntax->call.name.text) ? bind_aggregate(b, syntax, out, err)
                                                  : bind_scalar(b, syntax, out, err);
}
