/*
 * select_list.c: the items of SELECT as columns: stars expanded, expressions bound, names
 * given (queries.md 3.1, expressions.md 14).
 */
#include "engine/plan/plan_internal.h"

static void add_column(const struct source *source, uint32_t index, struct arena *arena,
                       struct position at, select_list *out)
{
    const struct column *column = &source->schema.columns[index];

    *vec_push(arena, out) = (struct select_column){
        .name = column->name,
        .value = expr_column(arena, 0, index, column->name, column->type, at),
        .at = at,
    };
}

static bool is_partition_column(const key_list *partitions, uint32_t index)
{
    for (uint32_t i = 0; i < partitions->count; i++) {
        if (expr_is_column(partitions->items[i].value, index)) {
            return true;
        }
    }
    return false;
}

/* The new key, then the values, then what was the key (queries.md 3.4). */
static void add_all_partitioned(const struct source *source, const key_list *partitions,
                                struct arena *arena, struct position at, select_list *out)
{
    const struct schema *schema = &source->schema;

    for (uint32_t i = 0; i < partitions->count; i++) {
        *vec_push(arena, out) = (struct select_column){
            .value = partitions->items[i].value,
            .at = at,
            .syntax = partitions->items[i].syntax,
            .is_partition = true,
        };
    }
    for (uint32_t i = 0; i < schema->column_count; i++) {
        uint32_t index = (i + schema->key_count) % schema->column_count;

        if (!is_partition_column(partitions, index)) {
            add_column(source, index, arena, at, out);
        }
    }
}

static void add_all(const struct source_scope *scope, struct arena *arena, struct position at,
                    select_list *out)
{
    if (scope->partitions) {
        add_all_partitioned(scope->source, scope->partitions, arena, at, out);
        return;
    }
    for (uint32_t i = 0; i < scope->source->schema.column_count; i++) {
        add_column(scope->source, i, arena, at, out);
    }
}

static void add_joined(const struct relation *relation, uint32_t first, uint32_t count,
                       struct arena *arena, struct position at, select_list *out)
{
    for (uint32_t i = first; i < first + count; i++) {
        *vec_push(arena, out) = (struct select_column){
            .name = relation->columns.items[i].name,
            .value = relation_expr(relation, i, at),
            .at = at,
        };
    }
}

/* The columns of one source of a join, or of all; these with the key, where it is none of them. */
static void add_all_joined(const struct relation *relation, const struct ast_select_item *item,
                           struct arena *arena, select_list *out)
{
    bool all = item->kind == AST_ITEM_ALL;

    if (all && relation->has_synthetic_key) {
        add_joined(relation, RELATION_KEY, 1, arena, item->at, out);
    }
    for (uint32_t i = 0; i < relation->sources.count; i++) {
        const struct relation_source *source = &relation->sources.items[i];

        if (all || bytes_equal(source->alias, item->source.text)) {
            add_joined(relation, source->first, source->column_count - RELATION_PSEUDO_COLUMNS,
                       arena, item->at, out);
        }
    }
}

/* What a join's rows hold of a source: the values, the pseudo columns, then what was its key. */
static void add_joined_partitioned(const struct relation *relation,
                                   const struct relation_source *source, const key_list *partitions,
                                   struct arena *arena, struct position at, select_list *out)
{
    uint32_t keys = source->source->schema.key_count;

    for (uint32_t i = 0; i < source->column_count; i++) {
        uint32_t column = source->first + (i + keys) % source->column_count;

        if (!is_partition_column(partitions, column)) {
            add_joined(relation, column, 1, arena, at, out);
        }
    }
}

/* The new key, then source by source what its rows hold, then the key of the join (3.4). */
static void add_all_joined_partitioned(const struct relation *relation, const key_list *partitions,
                                       struct arena *arena, struct position at, select_list *out)
{
    for (uint32_t i = 0; i < partitions->count; i++) {
        const struct expr *value = partitions->items[i].value;
        struct select_column *column = vec_push(arena, out);

        *column = (struct select_column){
            .value = value, .at = at, .syntax = partitions->items[i].syntax, .is_partition = true
        };
        if (value->kind == EXPR_COLUMN) {
            column->name = relation->columns.items[value->column.index].name;
        }
    }
    for (uint32_t i = 0; i < relation->sources.count; i++) {
        add_joined_partitioned(relation, &relation->sources.items[i], partitions, arena, at, out);
    }
    if (relation->has_synthetic_key && !is_partition_column(partitions, RELATION_KEY)) {
        add_joined(relation, RELATION_KEY, 1, arena, at, out);
    }
}

static bool is_in_from(const struct source_scope *scope, struct bytes alias)
{
    const struct relation *relation = scope->relation;

    for (uint32_t i = 0; relation && i < relation->sources.count; i++) {
        if (bytes_equal(relation->sources.items[i].alias, alias)) {
            return true;
        }
    }
    return !relation && bytes_equal(alias, scope->alias);
}

static const struct expr *make_field(struct arena *arena, const struct expr *base, uint32_t field,
                                     struct position at)
{
    struct expr *node = arena_new(arena, struct expr);
    const struct expr **arguments = arena_array(arena, const struct expr *, 1);

    arguments[0] = base;
    node->kind = EXPR_FIELD;
    node->at = at;
    node->type = base->type->fields[field].type;
    node->arguments = arguments;
    node->argument_count = 1;
    node->field = field;
    return node;
}

static int add_fields(const struct ast_select_item *item, const struct expr *base,
                      struct arena *arena, select_list *out, struct error *err)
{
    if (base->type->id != T_STRUCT) {
        return error_set(err, ERR_INVALID_TYPE, item->at,
                         "SELECT: ->* takes the fields of a STRUCT, and %s is none",
                         plan_text_of(arena, base));
    }
    for (uint32_t i = 0; i < base->type->field_count; i++) {
        *vec_push(arena, out) = (struct select_column){
            .name = base->type->fields[i].name,
            .value = make_field(arena, base, i, item->at),
            .at = item->at,
        };
    }
    return 0;
}

/* ROWTIME and its kind need an alias to become a column, whether the source has them or not. */
static int check_bare_pseudo(const struct source_scope *scope, const struct ast_select_item *item,
                             struct error *err)
{
    const struct ast_expr *e = item->expr;

    if (scope->kind == QUERY_PERSISTENT && !scope->relation && item->kind == AST_ITEM_EXPR &&
        !item->alias.text.data && e->kind == AST_COLUMN &&
        pseudo_column_find(e->column.name.text) != PSEUDO_NONE) {
        return error_set(err, ERR_RESERVED_NAME, e->at,
                         "%.*s is reserved and cannot be a column of the result; give it an alias",
                         BYTES_ARG(e->column.name.text));
    }
    return 0;
}

static int bind_item(struct source_scope *scope, struct arena *arena, unsigned flags,
                     const struct ast_select_item *item, select_list *out, struct error *err)
{
    const struct expr *value = NULL;

    if (item->kind == AST_ITEM_SOURCE_ALL && !is_in_from(scope, item->source.text)) {
        return scope->relation ? error_set(err, ERR_UNKNOWN_SOURCE, item->source.at,
                                           "SELECT: %.*s is not among what is joined here",
                                           BYTES_ARG(item->source.text))
                               : error_set(err, ERR_UNKNOWN_SOURCE, item->source.at,
                                           "SELECT: %.*s is not in FROM; columns are those of %.*s",
                                           BYTES_ARG(item->source.text), BYTES_ARG(scope->alias));
    }
    if (item->kind == AST_ITEM_ALL || item->kind == AST_ITEM_SOURCE_ALL) {
        if (scope->relation && scope->partitions && item->kind == AST_ITEM_ALL) {
            add_all_joined_partitioned(scope->relation, scope->partitions, arena, item->at, out);
        } else if (scope->relation) {
            add_all_joined(scope->relation, item, arena, out);
        } else {
            add_all(scope, arena, item->at, out);
        }
        return 0;
    }
    TRY(check_bare_pseudo(scope, item, err));
    TRY(scope_bind(scope, arena, "SELECT", flags, item->expr, &value, err));
    if (item->kind == AST_ITEM_STRUCT_ALL) {
        return add_fields(item, value, arena, out, err);
    }
    *vec_push(arena, out) = (struct select_column){
        .name = item->alias.text,
        .value = value,
        .at = item->alias.text.data ? item->alias.at : item->expr->at,
        .syntax = item->expr,
        .has_alias = item->alias.text.data != NULL,
    };
    return 0;
}

int select_list_bind(struct source_scope *scope, struct arena *arena, unsigned flags,
                     const struct ast_query *query, select_list *out, struct error *err)
{
    for (uint32_t i = 0; i < query->items.count; i++) {
        TRY(bind_item(scope, arena, flags, &query->items.items[i], out, err));
    }
    return 0;
}

/* Only the pseudo column itself may bear its name: in a sink as the key that rows are partitioned
   by, else not there. */
static int check_reserved(const struct select_column *column, bool for_sink, struct error *err)
{
    bool is_itself = column->value->kind == EXPR_PSEUDO &&
                     pseudo_column_find(column->name) == column->value->pseudo;

    if (!name_is_reserved(column->name) || (is_itself && (!for_sink || column->is_partition))) {
        return 0;
    }
    return error_set(err, ERR_RESERVED_NAME, column->at,
                     "%.*s is a reserved column name and cannot be an alias",
                     BYTES_ARG(column->name));
}

int select_list_check_distinct(const select_list *list, struct error *err)
{
    for (uint32_t i = 0; i < list->count; i++) {
        for (uint32_t j = 0; j < i; j++) {
            if (bytes_equal(list->items[i].name, list->items[j].name)) {
                return error_set(err, ERR_DUPLICATE_COLUMN, list->items[i].at,
                                 "SELECT has two columns %.*s; give one of them an alias",
                                 BYTES_ARG(list->items[i].name));
            }
        }
    }
    return 0;
}

/* A column of a join has its own name only where no other source has that too. */
static struct bytes name_column(struct item_namer *namer, const struct source_scope *scope,
                                const struct select_column *column)
{
    struct bytes name;

    if (!scope->relation || column->syntax->kind != AST_COLUMN) {
        return namer_name(namer, column->syntax);
    }
    name = relation_plain_name(scope->relation, column->value->column.index);
    namer_keep(namer, name);
    return name;
}

int select_list_name(select_list *list, struct arena *arena, const struct source_scope *scope,
                     bool for_sink, struct error *err)
{
    struct item_namer namer = { .arena = arena,
                                .taken = scope->relation ? relation_schema(scope->relation)
                                                         : &scope->source->schema };

    for (uint32_t i = 0; i < list->count; i++) {
        if (list->items[i].has_alias) {
            namer_keep(&namer, list->items[i].name);
        }
    }
    for (uint32_t i = 0; i < list->count; i++) {
        struct select_column *column = &list->items[i];

        if (!column->name.data) {
            column->name = name_column(&namer, scope, column);
        }
        TRY(check_reserved(column, for_sink, err));
    }
    return 0;
}
