/*
 * analyze_group.c: GROUP BY and aggregates: what is grouped, what is computed per
 * group, and the result's columns and HAVING in terms of those two.
 *
 * A query with aggregates but no GROUP BY has one group: that of a constant.
 */
#include <string.h>

#include "engine/plan/plan_internal.h"

/* --- questions about expressions --- */

static bool visit_not_aggregate(void *context, const struct expr *node)
{
    if (node->kind == EXPR_AGGREGATE) {
        *(const struct expr **)context = node;
        return false;
    }
    return true;
}

static const struct expr *find_aggregate(const struct expr *e)
{
    const struct expr *found = NULL;

    (void)expr_walk(e, visit_not_aggregate, (void *)&found); /* what it found says it all */
    return found;
}

static bool has_aggregates(const struct analysis *a)
{
    for (uint32_t i = 0; i < a->columns.count; i++) {
        if (find_aggregate(a->columns.items[i].value)) {
            return true;
        }
    }
    return a->having && find_aggregate(a->having);
}

/* --- groups --- */

static int check_group(const struct analysis *a, const struct expr *value,
                       const struct ast_expr *syntax, struct error *err)
{
    const char *text = plan_text_of(a->context->arena, value);

    for (uint32_t i = 0; i < a->groups.count; i++) {
        if (expr_equal(a->groups.items[i].value, value)) {
            return error_set(err, ERR_DUPLICATE_GROUP_BY, syntax->at, "GROUP BY has %s twice",
                             text);
        }
    }
    if (type_holds_map(value->type)) {
        return error_set(err, ERR_INVALID_KEY, syntax->at,
                         "GROUP BY: %s holds a MAP, which cannot be a key", text);
    }
    return 0;
}

static int add_group(struct analysis *a, struct source_scope *scope, const struct ast_expr *syntax,
                     struct error *err)
{
    struct arena *arena = a->context->arena;
    const struct expr *value = NULL;
    struct bytes name;

    TRY(scope_bind(scope, arena, "GROUP BY", 0, syntax, &value, err));
    TRY(check_group(a, value, syntax, err));
    name = name_key(a, &a->groups, value, syntax);
    *vec_push(arena, &a->groups) = (struct key_column){ name, value, syntax };
    return 0;
}

/* The one group of a query without GROUP BY. */
static void add_constant_group(struct analysis *a)
{
    struct expr *zero = arena_new(a->context->arena, struct expr);

    zero->kind = EXPR_LITERAL;
    zero->at = a->query->at;
    zero->type = type_scalar(T_INTEGER);
    zero->literal = value_i64(T_INTEGER, 0);
    *vec_push(a->context->arena, &a->groups) =
        (struct key_column){ bytes_of("KSQL_GROUP"), zero, NULL };
}

/* --- aggregates --- */

static bool same_call(const struct call_analysis *call, const struct expr *node)
{
    if (call->plan->kind != node->aggregate->kind ||
        call->plan->argument_count != node->argument_count) {
        return false;
    }
    for (uint32_t i = 0; i < node->argument_count; i++) {
        if (!expr_equal(call->arguments[i], node->arguments[i])) {
            return false;
        }
    }
    return true;
}

static uint32_t find_or_add_call(struct analysis *a, const struct expr *node)
{
    struct arena *arena = a->context->arena;
    struct bytes name;

    for (uint32_t i = 0; i < a->calls.count; i++) {
        if (same_call(&a->calls.items[i], node)) {
            return i;
        }
    }
    name = arena_printf(arena, "KSQL_AGG_VARIABLE_%u", a->calls.count);
    *vec_push(arena, &a->calls) = (struct call_analysis){ node->aggregate, node->arguments, name };
    return a->calls.count - 1;
}

static int check_call(const struct analysis *a, const struct expr *node, struct error *err)
{
    const struct aggregate_kind *kind = node->aggregate->kind;

    for (uint32_t i = 0; i < node->argument_count; i++) {
        const struct expr *inner = find_aggregate(node->arguments[i]);

        if (inner) {
            return error_set(err, ERR_AGGREGATE_NESTED, inner->at,
                             "Aggregates cannot be nested: %s",
                             plan_text_of(a->context->arena, node));
        }
    }
    if (a->source->kind == SOURCE_TABLE && !kind->undo) {
        return error_set(err, ERR_AGGREGATE_NOT_ON_TABLE, node->at,
                         "%s cannot take a row back, so it is for streams; %.*s is a table",
                         kind->name, BYTES_ARG(a->source->name));
    }
    return 0;
}

/* --- the result over the aggregate's row --- */

struct regroup {
    struct analysis *a;
    const struct expr *stranger; /* a column that is neither grouped nor aggregated */
    int failed;
    struct error *err;
};

static const struct expr *replace_grouped(void *context, const struct expr *node)
{
    struct regroup *r = context;
    struct analysis *a = r->a;
    struct arena *arena = a->context->arena;

    if (node->kind == EXPR_AGGREGATE) {
        uint32_t call;

        if (!r->failed) {
            r->failed = check_call(a, node, r->err);
        }
        call = find_or_add_call(a, node);
        return expr_column(arena, 0, a->groups.count + call, a->calls.items[call].name, node->type,
                           node->at);
    }
    for (uint32_t i = 0; i < a->groups.count; i++) {
        const struct key_column *group = &a->groups.items[i];

        if (expr_equal(group->value, node)) {
            return expr_column(arena, 0, i, group->name, node->type, node->at);
        }
    }
    if ((node->kind == EXPR_COLUMN || node->kind == EXPR_PSEUDO) && !r->stranger) {
        r->stranger = node;
    }
    return NULL;
}

static int regroup(struct analysis *a, const char *clause, const struct expr **e, struct error *err)
{
    struct arena *arena = a->context->arena;
    struct regroup r = { .a = a, .err = err };
    const struct expr *result = expr_rewrite(arena, *e, replace_grouped, &r);

    TRY(r.failed);
    if (r.stranger) {
        return error_set(err, ERR_NOT_GROUPED, r.stranger->at,
                         "%s: %s is not an aggregate and uses %s, which is not in GROUP BY", clause,
                         plan_text_of(arena, *e), plan_text_of(arena, r.stranger));
    }
    *e = result;
    return 0;
}

/* --- the clauses --- */

static int check_clauses(const struct analysis *a, bool aggregates, struct error *err)
{
    const struct ast_query *query = a->query;
    struct position first = query->items.items[0].at;

    if (query->group_by && query->group_by->count == 0) {
        return error_set(err, ERR_SYNTAX, query->at, "GROUP BY needs an expression");
    }
    if (query->group_by && !aggregates) {
        return error_set(err, ERR_GROUP_BY_NO_AGGREGATE, query->group_by->items[0]->at,
                         "GROUP BY needs an aggregate function in SELECT or HAVING");
    }
    if (!query->group_by && aggregates && a->kind == QUERY_PERSISTENT) {
        return error_set(err, ERR_AGGREGATE_WITHOUT_GROUP_BY, first,
                         "A stream or table made with aggregate functions needs a GROUP BY");
    }
    if (query->having && !query->group_by && !aggregates) {
        return error_set(err, ERR_AGGREGATE_WITHOUT_GROUP_BY, query->having->at,
                         "HAVING is for groups; WHERE filters rows");
    }
    if (aggregates && strcmp(a->source->value_format.kind->name, "KAFKA") == 0) {
        return error_set(err, ERR_FORMAT_SCHEMA, query->from.source.at,
                         "%.*s has the value format KAFKA, which cannot be grouped; copy it with "
                         "another VALUE_FORMAT first",
                         BYTES_ARG(a->source->name));
    }
    return 0;
}

static bool is_by_key(const struct analysis *a)
{
    const struct expr *value = a->groups.items[0].value;

    if (a->source->kind != SOURCE_STREAM || a->groups.count != 1) {
        return false;
    }
    if (a->partitioned) {
        return a->partitions.count == 1 && expr_equal(a->partitions.items[0].value, value);
    }
    if (a->relation) {
        /* Of the other sides only what matched is equal: a LEFT join gives null for the rest. */
        return value->kind == EXPR_COLUMN && relation_is_key(a->relation, value->column.index) &&
               (value->column.index == RELATION_KEY ||
                a->relation->columns.items[value->column.index].source == 0);
    }
    return a->source->schema.key_count == 1 && expr_is_column(value, 0);
}

int analyze_grouping(struct analysis *a, struct source_scope *scope, struct error *err)
{
    const struct ast_query *query = a->query;
    bool aggregates;

    if (query->having) {
        TRY(scope_bind_condition(scope, a->context->arena, "HAVING", BIND_AGGREGATES, query->having,
                                 &a->having, err));
    }
    aggregates = has_aggregates(a);
    TRY(check_clauses(a, aggregates, err));
    if (!aggregates) {
        return 0;
    }
    a->grouped = true;
    for (uint32_t i = 0; query->group_by && i < query->group_by->count; i++) {
        TRY(add_group(a, scope, query->group_by->items[i], err));
    }
    if (!query->group_by) {
        add_constant_group(a);
    }
    a->group_is_key = is_by_key(a);
    for (uint32_t i = 0; i < a->columns.count; i++) {
        TRY(regroup(a, "SELECT", &a->columns.items[i].value, err));
    }
    return a->having ? regroup(a, "HAVING", &a->having, err) : 0;
}
