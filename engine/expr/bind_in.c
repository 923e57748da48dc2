/*
 * bind_in.c: IN: the value and the members of the list, unified (bind_unify.c).
 */
#include "engine/expr/bind_internal.h"

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
