/*
 * ast_query.c: constructors of queries: items, relations, joins, windows.
 *
 * A query is made when its FROM clause is complete; the clauses behind are set
 * on it as they are read.
 */
#include "parser/ast_build.h"

/* --- select items --- */

struct ast_select_item ast_item_all(struct token star)
{
    return (struct ast_select_item){ .kind = AST_ITEM_ALL, .at = star.at };
}

struct ast_select_item ast_item_source_all(struct ast_name source)
{
    return (
        struct ast_select_item){ .kind = AST_ITEM_SOURCE_ALL, .at = source.at, .source = source };
}

struct ast_select_item ast_item_struct_all(struct ast_expr *expr)
{
    return (struct ast_select_item){ .kind = AST_ITEM_STRUCT_ALL, .at = expr->at, .expr = expr };
}

struct ast_select_item ast_item_expr(struct ast_expr *expr, struct ast_name alias)
{
    return (struct ast_select_item){
        .kind = AST_ITEM_EXPR, .at = expr->at, .expr = expr, .alias = alias
    };
}

struct ast_select_item_list ast_add_item(struct ast_build *b, struct ast_select_item_list list,
                                         struct ast_select_item item)
{
    *vec_push(b->arena, &list) = item;
    return list;
}

/* --- relations and joins --- */

struct ast_relation ast_relation(struct ast_name source, struct ast_name alias)
{
    return (struct ast_relation){ source, alias };
}

struct ast_join_head ast_join_head(struct token first, enum ast_join_kind kind)
{
    return (struct ast_join_head){ kind, first.at };
}

struct ast_within ast_within(struct ast_duration before, struct ast_duration after,
                             struct ast_duration grace)
{
    return (struct ast_within){ before, after, grace };
}

struct ast_join_list ast_add_join(struct ast_build *b, struct ast_join_list list,
                                  struct ast_join_head head, struct ast_relation right,
                                  struct ast_within within, struct ast_expr *on)
{
    *vec_push(b->arena, &list) = (struct ast_join){ .kind = head.kind,
                                                    .at = head.at,
                                                    .right = right,
                                                    .before = within.before,
                                                    .after = within.after,
                                                    .grace = within.grace,
                                                    .on = on };
    return list;
}

/* --- windows --- */

struct ast_window *ast_window(struct ast_build *b, struct token first, enum ast_window_kind kind,
                              struct ast_duration size, struct ast_duration advance,
                              struct ast_window_tail tail)
{
    struct ast_window *window = arena_new(b->arena, struct ast_window);

    window->kind = kind;
    window->at = first.at;
    window->size = size;
    window->advance = advance;
    window->retention = tail.retention;
    window->grace = tail.grace;
    return window;
}

struct ast_window *ast_name_window(struct ast_window *window, struct ast_name name)
{
    window->name = name;
    return window;
}

struct ast_window_tail ast_window_tail(struct ast_duration retention, struct ast_duration grace)
{
    return (struct ast_window_tail){ retention, grace };
}

/* --- the query --- */

struct ast_expr_list *ast_key_list(struct ast_build *b, struct ast_expr_list list)
{
    struct ast_expr_list *keys = arena_new(b->arena, struct ast_expr_list);

    *keys = list;
    return keys;
}

struct ast_query *ast_query(struct ast_build *b, struct token first,
                            struct ast_select_item_list items, struct ast_relation from,
                            struct ast_join_list joins)
{
    struct ast_query *query = arena_new(b->arena, struct ast_query);

    query->at = first.at;
    query->items = items;
    query->from = from;
    query->joins = joins;
    b->query_start = first.text.data;
    return query;
}

struct ast_query *ast_set_filter(struct ast_query *query, struct ast_window *window,
                                 struct ast_expr *where)
{
    query->window = window;
    query->where = where;
    return query;
}

struct ast_query *ast_set_grouping(struct ast_query *query, struct ast_expr_list *group_by,
                                   struct ast_expr_list *partition_by, struct ast_expr *having)
{
    query->group_by = group_by;
    query->partition_by = partition_by;
    query->having = having;
    return query;
}

struct ast_query *ast_set_emit(struct ast_query *query, enum ast_emit emit, struct token at)
{
    query->emit = emit;
    query->emit_at = at.at;
    return query;
}

struct ast_query *ast_set_limit(struct ast_query *query, struct ast_number limit)
{
    query->limit = limit;
    return query;
}
