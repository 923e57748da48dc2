/*
 * analyze_partition.c: PARTITION BY: which expressions over the source become the key of a stream
 * (queries.md 3.4).
 *
 * The rest of the query goes on over the source's columns. The new key are those columns of SELECT
 * that equal a partitioning expression, so each is computed once, in the projection.
 */
#include "engine/plan/plan_internal.h"

static int check_expression(const struct analysis *a, const struct expr *value,
                            const struct ast_expr *syntax, struct error *err)
{
    const char *text = plan_text_of(a->context->arena, value);

    for (uint32_t i = 0; i < a->partitions.count; i++) {
        if (expr_equal(a->partitions.items[i].value, value)) {
            return error_set(err, ERR_DUPLICATE_PARTITION_BY, syntax->at,
                             "PARTITION BY has %s twice", text);
        }
    }
    if (type_holds_map(value->type)) {
        return error_set(err, ERR_INVALID_KEY, syntax->at,
                         "PARTITION BY: %s holds a MAP, which cannot be a key", text);
    }
    return 0;
}

static bool is_null_literal(const struct ast_expr *syntax)
{
    return syntax->kind == AST_LITERAL && syntax->literal.kind == AST_LITERAL_NULL;
}

static int add_partition(struct analysis *a, struct source_scope *scope,
                         const struct ast_expr *syntax, struct error *err)
{
    const struct expr *value = NULL;

    if (is_null_literal(syntax)) {
        return error_set(err, ERR_NULL_TYPE, syntax->at,
                         "PARTITION BY NULL takes the key away; it cannot stand beside others");
    }
    TRY(scope_bind(scope, a->context->arena, "PARTITION BY", 0, syntax, &value, err));
    TRY(check_expression(a, value, syntax, err));
    *vec_push(a->context->arena, &a->partitions) =
        (struct key_column){ .value = value, .syntax = syntax };
    return 0;
}

/* By exactly the single key column: rows lie as they should. */
static bool is_by_key(const struct analysis *a)
{
    const struct expr *value = a->partitions.items[0].value;

    if (a->partitions.count != 1) {
        return false;
    }
    if (a->relation) {
        return expr_is_column(value, analysis_join_key(a));
    }
    return a->source->schema.key_count == 1 && expr_is_column(value, 0);
}

int analyze_partition(struct analysis *a, struct source_scope *scope, struct error *err)
{
    const struct ast_expr_list *list = a->query->partition_by;

    if (!list) {
        return 0;
    }
    if (list->count == 0) {
        return error_set(err, ERR_SYNTAX, a->query->at, "PARTITION BY needs an expression");
    }
    if (a->source->kind == SOURCE_TABLE) {
        return error_set(err, ERR_WRONG_KIND, list->items[0]->at,
                         "PARTITION BY is for streams; %.*s is a table", BYTES_ARG(scope->alias));
    }
    if (list->count > 1 || !is_null_literal(list->items[0])) {
        for (uint32_t i = 0; i < list->count; i++) {
            TRY(add_partition(a, scope, list->items[i], err));
        }
        if (is_by_key(a)) {
            a->partitions.count = 0;
            return 0;
        }
    }
    a->partitioned = true;
    return 0;
}

void analyze_partition_names(struct analysis *a)
{
    for (uint32_t i = 0; i < a->partitions.count; i++) {
        struct key_column *key = &a->partitions.items[i];

        key->name = name_key(a, &a->partitions, key->value, key->syntax);
    }
}
