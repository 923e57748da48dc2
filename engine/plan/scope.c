/*
 * scope.c: which source a query reads, and which column a name in it means.
 */
#include "base/near.h"
#include "engine/plan/plan_internal.h"

static const struct sql_type *find_type(const struct type_names *names, struct bytes name)
{
    const struct type_entry *entry = catalog_find_type(names->context, name);

    return entry ? entry->type : NULL;
}

const struct type_names *plan_type_names(struct plan_context *context)
{
    struct type_names *names = arena_new(context->arena, struct type_names);

    *names = (struct type_names){ find_type, context->catalog };
    return names;
}

int plan_find_source(struct plan_context *context, const struct ast_name *name,
                     const struct source **out, struct error *err)
{
    const struct source *source = catalog_find_source(context->catalog, name->text);

    if (!source) {
        struct bytes nearest = catalog_near_source(context->catalog, name->text);

        return error_set(err, ERR_UNKNOWN_SOURCE, name->at, "There is no stream or table %.*s%s",
                         BYTES_ARG(name->text), near_hint(context->arena, nearest));
    }
    *out = source;
    return 0;
}

static int unknown_column(const struct source_scope *scope, const struct ast_name *name,
                          struct arena *arena, struct error *err)
{
    const struct schema *schema = &scope->source->schema;
    struct near_search search = near_begin(name->text);

    for (uint32_t i = 0; i < schema->column_count; i++) {
        near_offer(&search, schema->columns[i].name);
    }
    return error_set(err, ERR_UNKNOWN_COLUMN, name->at, "%s: %.*s has no column %.*s%s%s",
                     scope->clause, BYTES_ARG(scope->alias), BYTES_ARG(name->text),
                     near_hint(arena, search.best),
                     name->quoted ? " (text goes in single quotes)" : "");
}

static int resolve_pseudo(const struct source_scope *scope, enum pseudo_column pseudo,
                          const struct ast_name *name, struct arena *arena, const struct expr **out,
                          struct error *err)
{
    struct expr *node;

    if (pseudo == PSEUDO_WINDOWSTART || pseudo == PSEUDO_WINDOWEND) {
        return error_set(err, ERR_UNKNOWN_COLUMN, name->at,
                         "%s: %.*s has no windows, so there is no %.*s", scope->clause,
                         BYTES_ARG(scope->alias), BYTES_ARG(name->text));
    }
    if (scope->kind == QUERY_PULL && pseudo != PSEUDO_ROWTIME) {
        return error_set(err, ERR_PULL_CLAUSE, name->at,
                         "%s: a pull query cannot ask for %.*s; EMIT CHANGES makes it a push query",
                         scope->clause, BYTES_ARG(name->text));
    }
    node = arena_new(arena, struct expr);
    node->kind = EXPR_PSEUDO;
    node->at = name->at;
    node->type = pseudo_column_type(pseudo);
    node->pseudo = pseudo;
    *out = node;
    return 0;
}

static int resolve(const struct expr_scope *base, struct bytes qualifier,
                   const struct ast_name *name, struct arena *arena, const struct expr **out,
                   struct error *err)
{
    const struct source_scope *scope = (const struct source_scope *)base;
    const struct schema *schema = &scope->source->schema;
    const struct column *column;
    enum pseudo_column pseudo;

    if (scope->relation) {
        return relation_resolve(scope->relation, scope->clause, qualifier, name, out, err);
    }
    if (qualifier.data && !bytes_equal(qualifier, scope->alias)) {
        return error_set(err, ERR_UNKNOWN_COLUMN, name->at,
                         "%s: %.*s is not in FROM; columns are those of %.*s", scope->clause,
                         BYTES_ARG(qualifier), BYTES_ARG(scope->alias));
    }
    column = schema_find(schema, name->text);
    if (column) {
        *out = expr_column(arena, 0, schema_index(schema, column), column->name, column->type,
                           name->at);
        return 0;
    }
    pseudo = pseudo_column_find(name->text);
    if (pseudo != PSEUDO_NONE) {
        return resolve_pseudo(scope, pseudo, name, arena, out, err);
    }
    return unknown_column(scope, name, arena, err);
}

void source_scope_init(struct source_scope *scope, const struct source *source,
                       const struct ast_relation *from, enum query_kind kind)
{
    *scope = (struct source_scope){
        .base = { resolve },
        .source = source,
        .alias = from->alias.text.data ? from->alias.text : source->name,
        .clause = "SELECT",
        .kind = kind,
    };
}

int scope_bind(struct source_scope *scope, struct arena *arena, const char *clause, unsigned flags,
               const struct ast_expr *syntax, const struct expr **out, struct error *err)
{
    struct expr_binder binder = { arena, &scope->base, flags, clause };

    scope->clause = clause;
    TRY(expr_bind(&binder, syntax, out, err));
    if (!(*out)->type) {
        return error_set(err, ERR_NULL_TYPE, syntax->at,
                         "%s: a bare NULL has no type; say which: CAST(NULL AS STRING)", clause);
    }
    return 0;
}

int scope_bind_condition(struct source_scope *scope, struct arena *arena, const char *clause,
                         unsigned flags, const struct ast_expr *syntax, const struct expr **out,
                         struct error *err)
{
    struct expr_binder binder = { arena, &scope->base, flags | BIND_PREDICATE, clause };

    scope->clause = clause;
    return expr_bind_condition(&binder, syntax, out, err);
}

const char *plan_text_of(struct arena *arena, const struct expr *e)
{
    struct buffer text = { 0 };
    const char *copy;

    expr_print(e, &text);
    copy = arena_copy_text(arena, buffer_bytes(&text));
    buffer_fini(&text);
    return copy;
}
