/*
 * pull.c: a pull query on a table that a query makes (queries.md 8.1): which keys to look up, or
 * which to scan, and one program with the whole WHERE and the projection.
 *
 * The WHERE is brought into disjunctions of key bindings: per alternative, a constant for
 * each key column. What else it says is left to the program, which sees every row found.
 * A pull query on a stream is a plan without stores that reads what is there.
 */
#include "engine/plan/pull_internal.h"

static int refuse_clause(const char *clause, struct position at, struct error *err)
{
    return error_set(err, ERR_PULL_CLAUSE, at,
                     "A pull query has no %s; EMIT CHANGES makes it a push query", clause);
}

static int check_clauses(const struct ast_query *query, struct error *err)
{
    if (query->joins.count > 0) {
        return refuse_clause("JOIN", query->joins.items[0].at, err);
    }
    if (query->window) {
        return refuse_clause("WINDOW", query->window->at, err);
    }
    if (query->group_by) {
        return refuse_clause("GROUP BY", query->at, err);
    }
    if (query->partition_by) {
        return refuse_clause("PARTITION BY", query->at, err);
    }
    if (query->having) {
        return refuse_clause("HAVING", query->having->at, err);
    }
    if (query->limit.given && query->limit.value < 0) {
        return error_set(err, ERR_INVALID_LIMIT, query->limit.at, "LIMIT must not be negative");
    }
    for (uint32_t i = 0; query->items.count > 1 && i < query->items.count; i++) {
        enum ast_item_kind kind = query->items.items[i].kind;

        if (kind == AST_ITEM_ALL || kind == AST_ITEM_SOURCE_ALL) {
            return refuse_clause("* beside other columns", query->items.items[i].at, err);
        }
    }
    return 0;
}

static int find_table(struct plan_context *context, const struct ast_name *name,
                      const struct source **table, const struct query_entry **query,
                      struct error *err)
{
    TRY(plan_find_source(context, name, table, err));
    *query = (*table)->query.data ? catalog_find_query(context->catalog, (*table)->query) : NULL;
    if (!*query || !(*query)->plan->pull.queryable) {
        return error_set(err, ERR_NOT_QUERYABLE, name->at,
                         "%.*s has no state to ask; CREATE TABLE QUERYABLE_%.*s AS SELECT * FROM "
                         "%.*s has",
                         BYTES_ARG(name->text), BYTES_ARG(name->text), BYTES_ARG(name->text));
    }
    return 0;
}

/* --- the program --- */

static enum column_role role_of(const struct source *table, const struct select_column *column)
{
    bool is_key =
        column->value->kind == EXPR_COLUMN && column->value->column.index < table->schema.key_count;

    return is_key ? COLUMN_KEY : COLUMN_VALUE;
}

static int add_columns(struct pull_query *q, struct program_builder *program,
                       struct row_shape *output, struct error *err)
{
    struct arena *arena = q->context->arena;
    uint32_t count = q->columns.count;
    struct shape_column *columns = arena_array(arena, struct shape_column, count);

    for (uint32_t i = 0; i < count; i++) {
        const struct select_column *column = &q->columns.items[i];
        const char *what =
            arena_printf(arena,
                         "Error computing expression %s for column %.*s with index "
                         "%u",
                         plan_text_of(arena, column->value), BYTES_ARG(column->name), i)
                .data;

        columns[i].name = column->name;
        columns[i].type = column->value->type;
        columns[i].role = role_of(q->lookup->table, column);
        output->key_count += columns[i].role == COLUMN_KEY;
        TRY(program_add_value(program, column->value, what, &columns[i].at, err));
    }
    output->columns = columns;
    output->column_count = count;
    return 0;
}

/* Columns of the table that come from headers say so in the result, too. */
static void mark_headers(struct pull_query *q)
{
    const struct schema *table = &q->lookup->table->schema;
    struct schema *result = &q->lookup->result;
    struct column *columns = arena_array(q->context->arena, struct column, result->column_count);

    for (uint32_t i = 0; i < result->column_count; i++) {
        const struct expr *value = q->columns.items[i].value;
        const struct column *from =
            value->kind == EXPR_COLUMN ? &table->columns[value->column.index] : NULL;

        columns[i] = result->columns[i];
        if (from && (from->role == COLUMN_HEADERS || from->role == COLUMN_HEADER)) {
            columns[i].role = from->role;
            columns[i].header_key = from->header_key;
        }
    }
    result->columns = columns;
}

static int make_program(struct pull_query *q, struct error *err)
{
    struct arena *arena = q->context->arena;
    struct pull_lookup *lookup = q->lookup;
    struct row_shape *input = arena_new(arena, struct row_shape);
    struct row_shape *output = arena_new(arena, struct row_shape);
    struct program_builder *program;

    row_shape_of_schema(arena, &lookup->table->schema, input);
    program = program_begin(arena, input, NULL);
    if (q->where) {
        const char *what =
            arena_printf(arena, "Error evaluating predicate %s", plan_text_of(arena, q->where))
                .data;

        TRY(program_add_filter(program, q->where, what, err));
    }
    TRY(add_columns(q, program, output, err));
    lookup->program = program_finish(program);
    output->cell_count = input->cell_count;
    output->register_count = program_register_count(lookup->program);
    output->constants = program_constants(lookup->program);
    lookup->input = input;
    lookup->output = output;
    row_shape_schema(arena, output, &lookup->result);
    mark_headers(q);
    return 0;
}

/* What EXPLAIN prints. */
static void keep_texts(struct pull_query *q)
{
    const struct expr **columns =
        arena_array(q->context->arena, const struct expr *, q->columns.count);

    for (uint32_t i = 0; i < q->columns.count; i++) {
        columns[i] = q->columns.items[i].value;
    }
    q->lookup->columns = columns;
    q->lookup->where = q->where;
}

static int bind_query(struct pull_query *q, const struct ast_query *query, struct error *err)
{
    struct source_scope scope;

    source_scope_init(&scope, q->lookup->table, &query->from, QUERY_PULL);
    scope.base.types = plan_type_names(q->context);
    if (query->where) {
        TRY(pull_keys_check_lists(q, query->where, err));
        TRY(scope_bind_condition(&scope, q->context->arena, "WHERE", 0, query->where, &q->where,
                                 err));
    }
    TRY(select_list_bind(&scope, q->context->arena, 0, query, &q->columns, err));
    return select_list_name(&q->columns, q->context->arena, &scope, false, err);
}

int plan_pull(struct plan_context *context, const struct ast_statement *statement,
              const struct pull_lookup **out, struct error *err)
{
    const struct ast_query *query = statement->select;
    const struct query_entry *entry = NULL;
    struct pull_lookup *lookup = arena_new(context->arena, struct pull_lookup);
    struct pull_query q = { .context = context, .lookup = lookup, .at = query->at };

    TRY(check_clauses(query, err));
    TRY(find_table(context, &query->from.source, &lookup->table, &entry, err));
    lookup->query_id = entry->id;
    lookup->limit = query->limit.given ? query->limit.value : -1;
    q.key = &entry->plan->pull.key;
    TRY(bind_query(&q, query, err));
    TRY(pull_keys_find(&q, err));
    TRY(make_program(&q, err));
    keep_texts(&q);
    *out = lookup;
    return 0;
}

int plan_stream_pull(struct plan_context *context, const struct ast_statement *statement,
                     struct bytes query_id, const struct physical_plan **out, struct error *err)
{
    TRY(check_clauses(statement->select, err));
    return plan_client(context, QUERY_PULL, statement, query_id, out, err);
}
