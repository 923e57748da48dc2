/*
 * analyze.c: what a query means: its source, its conditions, its columns and their keys.
 *
 * Clauses that are known but not built are refused here by name and place, before
 * anything else is looked at, so that none is ever accepted and ignored.
 */
#include <stdlib.h>

#include "engine/plan/plan_internal.h"

static int refuse(struct position at, const char *what, struct error *err)
{
    return error_set(err, ERR_UNSUPPORTED, at, "%s is not supported", what);
}

static int refuse_unbuilt(const struct ast_query *query, struct error *err)
{
    if (query->window) {
        return refuse(query->window->at, "WINDOW", err);
    }
    if (query->emit == AST_EMIT_FINAL) {
        return error_set(err, ERR_EMIT, query->emit_at, "EMIT FINAL is for groups with a WINDOW");
    }
    return 0;
}

static int check_limit(const struct analysis *a, struct error *err)
{
    const struct ast_number *limit = &a->query->limit;

    if (!limit->given) {
        return 0;
    }
    if (a->kind == QUERY_PERSISTENT) {
        return error_set(err, ERR_INVALID_LIMIT, limit->at,
                         "LIMIT is for queries of a client; a persistent query never ends");
    }
    if (limit->value < 0) {
        return error_set(err, ERR_INVALID_LIMIT, limit->at, "LIMIT must not be negative");
    }
    return 0;
}

bool type_holds_map(const struct sql_type *type)
{
    if (type->id == T_MAP) {
        return true;
    }
    if (type->id == T_ARRAY) {
        return type_holds_map(type->element);
    }
    for (uint32_t i = 0; type->id == T_STRUCT && i < type->field_count; i++) {
        if (type_holds_map(type->fields[i].type)) {
            return true;
        }
    }
    return false;
}

/* --- keys of the result: queries.md 3.2 --- */

/*
 * Columns 0 .. key_count-1 of the row that the result is computed from are its key; but those of
 * PARTITION BY are expressions over the source.
 */
static uint32_t count_parent_keys(const struct analysis *a)
{
    if (a->grouped) {
        return a->groups.count;
    }
    if (a->partitioned) {
        return a->partitions.count;
    }
    return a->relation ? 1 : a->source->schema.key_count;
}

static const char *parent_key_kind(const struct analysis *a)
{
    if (a->grouped) {
        return "grouping expression";
    }
    if (a->partitioned) {
        return "partitioning expression";
    }
    return a->relation ? "join expression" : "key column";
}

static const char *parent_key_text(const struct analysis *a, uint32_t key)
{
    struct arena *arena = a->context->arena;

    if (a->grouped) {
        return plan_text_of(arena, a->groups.items[key].value);
    }
    if (a->partitioned) {
        return plan_text_of(arena, a->partitions.items[key].value);
    }
    if (a->relation) {
        return relation_key_text(a->relation);
    }
    return arena_copy_text(arena, a->source->schema.columns[key].name);
}

static bool is_parent_key(const struct analysis *a, const struct select_column *column,
                          uint32_t key)
{
    return a->partitioned && !a->grouped ? expr_equal(column->value, a->partitions.items[key].value)
                                         : expr_is_column(column->value, key);
}

static int find_key(const struct analysis *a, uint32_t key, uint32_t *out, struct error *err)
{
    const char *text = parent_key_text(a, key);
    uint32_t found = a->columns.count;

    for (uint32_t i = 0; i < a->columns.count; i++) {
        if (!is_parent_key(a, &a->columns.items[i], key)) {
            continue;
        }
        if (found < a->columns.count) {
            return error_set(err, ERR_KEY_REPEATED, a->columns.items[i].at,
                             "SELECT has the key column %s more than once, as %.*s and %.*s; "
                             "AS_VALUE(%s) copies it into the value",
                             text, BYTES_ARG(a->columns.items[found].name),
                             BYTES_ARG(a->columns.items[i].name), text);
        }
        found = i;
    }
    if (found == a->columns.count) {
        return error_set(
            err, ERR_KEY_MISSING, a->query->items.items[0].at,
            "SELECT lacks the %s %s: the key of the result has to be among its columns",
            parent_key_kind(a), text);
    }
    *out = found;
    return 0;
}

static int compare_places(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a;
    uint32_t right = *(const uint32_t *)b;

    return (left > right) - (left < right);
}

static void sort_places(uint32_t *places, uint32_t count)
{
    if (count > 1) {
        qsort(places, count, sizeof *places, compare_places);
    }
}

int analyze_keys(struct analysis *a, struct error *err)
{
    struct arena *arena = a->context->arena;
    uint32_t keys = count_parent_keys(a);
    bool *is_key = arena_array(arena, bool, a->columns.count);
    uint32_t *found = arena_array(arena, uint32_t, keys);
    select_list ordered = { 0 };

    for (uint32_t key = 0; key < keys; key++) {
        TRY(find_key(a, key, &found[key], err));
        is_key[found[key]] = true;
    }
    if (a->context->settings->keys_as_selected && !a->result_is_table) {
        sort_places(found, keys);
    }
    for (uint32_t key = 0; key < keys; key++) {
        *vec_push(arena, &ordered) = a->columns.items[found[key]];
    }
    for (uint32_t i = 0; i < a->columns.count; i++) {
        if (!is_key[i]) {
            *vec_push(arena, &ordered) = a->columns.items[i];
        }
    }
    if (ordered.count == keys) {
        return error_set(err, ERR_NO_VALUE_COLUMNS, a->query->items.items[0].at,
                         "SELECT has key columns only; a result needs a value column too");
    }
    a->columns = ordered;
    a->key_count = keys;
    return select_list_check_distinct(&a->columns, err);
}

/* --- the key among the columns of a join --- */

static bool is_selected(const struct analysis *a, uint32_t column)
{
    for (uint32_t i = 0; i < a->columns.count; i++) {
        if (expr_is_column(a->columns.items[i].value, column)) {
            return true;
        }
    }
    return false;
}

uint32_t analysis_join_key(const struct analysis *a)
{
    for (uint32_t i = 0; i < a->relation->equal.count; i++) {
        const struct expr *equal = a->relation->equal.items[i];

        if (equal->kind == EXPR_COLUMN && is_selected(a, equal->column.index)) {
            return equal->column.index;
        }
    }
    return RELATION_KEY;
}

/* The selected column that is the key is read from where the key lies. */
static void choose_join_key(struct analysis *a)
{
    uint32_t key = analysis_join_key(a);

    for (uint32_t i = 0; i < a->columns.count; i++) {
        struct select_column *column = &a->columns.items[i];

        if (expr_is_column(column->value, key)) {
            column->value = relation_expr(a->relation, RELATION_KEY, column->value->at);
        }
    }
}

bool analysis_is_key(const struct analysis *a, uint32_t column)
{
    uint32_t keys = count_parent_keys(a);

    for (uint32_t key = 0; key < keys; key++) {
        if (is_parent_key(a, &a->columns.items[column], key)) {
            return true;
        }
    }
    return false;
}

void analysis_schema(const struct analysis *a, struct arena *arena, struct schema *out)
{
    struct column *columns = arena_array(arena, struct column, a->columns.count);

    for (uint32_t i = 0; i < a->columns.count; i++) {
        columns[i].name = a->columns.items[i].name;
        columns[i].type = a->columns.items[i].value->type;
        columns[i].role = i < a->key_count ? COLUMN_KEY : COLUMN_VALUE;
    }
    *out = (struct schema){ columns, a->columns.count, a->key_count };
}

int analyze_query(struct plan_context *context, enum query_kind kind, const struct ast_query *query,
                  struct analysis *out, struct error *err)
{
    struct analysis a = { .context = context, .kind = kind, .query = query, .limit = -1 };
    struct source_scope scope;

    TRY(refuse_unbuilt(query, err));
    TRY(plan_find_source(context, &query->from.source, &a.source, err));
    TRY(check_limit(&a, err));
    a.limit = query->limit.given ? query->limit.value : -1;
    source_scope_init(&scope, a.source, &query->from, kind);
    scope.base.types = plan_type_names(context);
    TRY(analyze_joins(&a, &scope, err));
    if (query->where) {
        TRY(scope_bind_condition(&scope, context->arena, "WHERE", 0, query->where, &a.where, err));
    }
    TRY(select_list_bind(&scope, context->arena, BIND_AGGREGATES, query, &a.columns, err));
    TRY(analyze_partition(&a, &scope, err));
    if (a.partitioned) {
        scope.partitions = &a.partitions; /* another * */
        a.columns.count = 0;
        TRY(select_list_bind(&scope, context->arena, BIND_AGGREGATES, query, &a.columns, err));
    }
    TRY(select_list_name(&a.columns, context->arena, &scope, kind == QUERY_PERSISTENT, err));
    analyze_partition_names(&a);
    TRY(analyze_grouping(&a, &scope, err));
    if (a.relation && !a.grouped && !a.partitioned) {
        choose_join_key(&a);
    }
    a.result_is_table = a.grouped || a.source->kind == SOURCE_TABLE;
    *out = a;
    return 0;
}
