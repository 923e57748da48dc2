/*
 * bind_internal.h: what the files of the binder share.
 */
#ifndef SLUICE_ENGINE_EXPR_BIND_INTERNAL_H
#define SLUICE_ENGINE_EXPR_BIND_INTERNAL_H

#include "engine/expr/expr_internal.h"

/* The binding of one expression on its way. */
struct binding {
    struct arena *arena;
    const struct expr_binder *binder;
    uint32_t depth;
    uint32_t between_depth; /* how many BETWEENs have this in their value, which they repeat */
    bool in_aggregate;
};

int bind_expr(struct binding *b, const struct ast_expr *syntax, const struct expr **out,
              struct error *err);
/* An operand of AND, OR, NOT, WHEN. */
int bind_boolean(struct binding *b, const struct ast_expr *syntax, const char *where,
                 const struct expr **out, struct error *err);

int bind_literal(struct binding *b, const struct ast_expr *syntax, const struct expr **out,
                 struct error *err);
int bind_binary(struct binding *b, const struct ast_expr *syntax, const struct expr **out,
                struct error *err);
int bind_negate(struct binding *b, const struct ast_expr *syntax, const struct expr **out,
                struct error *err);
int bind_between(struct binding *b, const struct ast_expr *syntax, const struct expr **out,
                 struct error *err);
int bind_in(struct binding *b, const struct ast_expr *syntax, const struct expr **out,
            struct error *err);
int bind_array(struct binding *b, const struct ast_expr *syntax, const struct expr **out,
               struct error *err);
int bind_map(struct binding *b, const struct ast_expr *syntax, const struct expr **out,
             struct error *err);
int bind_struct(struct binding *b, const struct ast_expr *syntax, const struct expr **out,
                struct error *err);
int bind_call(struct binding *b, const struct ast_expr *syntax, const struct expr **out,
              struct error *err);

/*
 * Brings expressions to one type by the rules of expressions.md 8 and replaces them by
 * their casts. *out is NULL when all are the literal NULL.
 */
int bind_unify(struct binding *b, const struct expr **items, uint32_t count,
               const struct sql_type **out, struct error *err);

#endif
