/*
 * expr.h: bound expressions: every name resolved, every type known.
 *
 * bind.c turns syntax into these; the planner rewrites them (aggregates become
 * columns); compile.c turns them into a flat program. They are read-only trees in
 * the query's arena. Conversions are explicit EXPR_CAST nodes: nothing to the
 * right of bind coerces.
 */
#ifndef SLUICE_ENGINE_EXPR_EXPR_H
#define SLUICE_ENGINE_EXPR_EXPR_H

#include "engine/function/function.h"
#include "parser/ast.h"

enum expr_kind {
    EXPR_COLUMN, /* a column of the input, by number */
    EXPR_PSEUDO, /* ROWTIME, ROWPARTITION, ROWOFFSET of the row */
    EXPR_LITERAL,
    EXPR_ARITHMETIC, /* + - * / %, two operands of the result's base type; || and text + are
                        calls */
    EXPR_NEGATE,
    EXPR_COMPARE, /* two numbers of any types, or two values of one base type */
    EXPR_AND,     /* also BETWEEN: value >= low AND value <= high */
    EXPR_OR,
    EXPR_NOT,
    EXPR_IS_NULL,
    EXPR_LIKE,
    EXPR_IN,
    EXPR_CASE,
    EXPR_CAST,
    EXPR_CALL,
    EXPR_AGGREGATE, /* only before the planner has taken them out */
    EXPR_FIELD,     /* struct->field */
    EXPR_SUBSCRIPT, /* array[i], map[k] */
    EXPR_ARRAY,     /* ARRAY[...] */
    EXPR_MAP,       /* MAP(...): key, value, key, value, ... */
    EXPR_STRUCT     /* STRUCT(...): the values of its type's fields */
};

enum arithmetic_operator { OP_ADD, OP_SUBTRACT, OP_MULTIPLY, OP_DIVIDE, OP_REMAINDER };
enum compare_operator {
    OP_EQUAL,
    OP_NOT_EQUAL,
    OP_LESS,
    OP_LESS_EQUAL,
    OP_GREATER,
    OP_GREATER_EQUAL,
    OP_DISTINCT /* IS DISTINCT FROM; its negation is EXPR_NOT of it */
};

/* Where a cast comes from: who sees it, what it takes, what its failure spoils. */
enum cast_origin {
    CAST_WRITTEN, /* CAST(x AS t): a failure nulls just the cast (expressions.md 13) */
    CAST_UNIFIED, /* given by IN to members of other types: as written, but not printed */
    CAST_IMPLICIT,
    CAST_COMPARED /* text against a time: as implicit, and spaces around the text are refused */
};

struct expr {
    enum expr_kind kind;
    struct position at;
    const struct sql_type *type;         /* NULL only for the untyped literal NULL */
    const struct expr *const *arguments; /* operands, in source order */
    uint32_t argument_count;
    union {
        struct {
            uint32_t source; /* which input of a join; 0 otherwise */
            uint32_t index;  /* column of that input's schema */
            struct bytes name;
        } column;
        enum pseudo_column pseudo;
        struct value literal;
        enum arithmetic_operator arithmetic;
        enum compare_operator compare;
        uint32_t like_escape; /* code point, 0: none; arguments: value, pattern */
        bool is_between;      /* AND: was written as BETWEEN */
        bool is_not_null;     /* IS_NULL: negated */
        enum cast_origin cast;
        bool has_default; /* CASE: arguments are when, then, when, then, ..., [else] */
        struct {
            const struct scalar_kind *kind;
            const struct function_call_plan *plan;
        } call;
        const struct aggregate_plan *aggregate;
        uint32_t field; /* number of the struct's field */
    };
};

/* Where names come from; the planner's side of binding. */
/* Types that CREATE TYPE has named. */
struct type_names {
    const struct sql_type *(*find)(const struct type_names *names, struct bytes name); /* or NULL */
    const void *context;
};

struct expr_scope {
    /* qualifier may be absent. ERR_UNKNOWN_COLUMN, ERR_AMBIGUOUS_COLUMN. */
    int (*resolve)(const struct expr_scope *scope, struct bytes qualifier,
                   const struct ast_name *name, struct arena *arena, const struct expr **out,
                   struct error *err);
    const struct type_names *types; /* NULL: there are none */
};

enum bind_flags {
    BIND_AGGREGATES = 1, /* aggregate calls are allowed here */
    BIND_PREDICATE = 2,  /* WHERE, HAVING: ROWTIME against text becomes a number */
};

struct expr_binder {
    struct arena *arena;
    const struct expr_scope *scope;
    unsigned flags;
    const char *clause; /* "WHERE", "SELECT": for messages */
};

/* The result's type is NULL only for a bare NULL. */
int expr_bind(struct expr_binder *binder, const struct ast_expr *syntax, const struct expr **out,
              struct error *err);
/* WHERE and HAVING: must be BOOLEAN (ERR_NOT_BOOLEAN). */
int expr_bind_condition(struct expr_binder *binder, const struct ast_expr *syntax,
                        const struct expr **out, struct error *err);
/* The SQL type of a type name in syntax; names NULL: only those that everybody has. */
int type_bind(struct arena *arena, const struct type_names *names, const struct ast_type *syntax,
              const struct sql_type **out, struct error *err);

const struct expr *expr_column(struct arena *arena, uint32_t source, uint32_t index,
                               struct bytes name, const struct sql_type *type, struct position at);
/* Whether it is nothing but that column of the first input. */
bool expr_is_column(const struct expr *e, uint32_t index);
/* An implicit cast; e itself when it has that type. The cast must exist (cast_find). */
const struct expr *expr_cast_to(struct arena *arena, const struct expr *e,
                                const struct sql_type *type);
bool expr_equal(const struct expr *a, const struct expr *b); /* same value for every row */
/* True when the value is the same for all rows: literals and pure calls over them. */
bool expr_is_constant(const struct expr *e);
/* Canonical text (expressions.md 13). */
void expr_print(const struct expr *e, struct buffer *out);

/*
 * Copies the tree, asking `replace` at every node from the top: what it returns stands in
 * place of the node (and is not entered); NULL goes on below.
 */
const struct expr *
expr_rewrite(struct arena *arena, const struct expr *e,
             const struct expr *(*replace)(void *context, const struct expr *node), void *context);
/* Calls visit for every node, parents first; false stops and is returned. */
bool expr_walk(const struct expr *e, bool (*visit)(void *context, const struct expr *node),
               void *context);

/*
 * Evaluates an expression without columns: INSERT VALUES, pull keys, folding. Any failure
 * is returned, nested ones too; ERR_EVALUATE also for an expression that needs a row.
 */
int expr_evaluate_constant(const struct expr *e, struct arena *arena, struct value *out,
                           struct error *err);

#endif
