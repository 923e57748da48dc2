/*
 * insert.c: INSERT INTO ... VALUES: one row, checked and coerced (statements.md 6).
 *
 * Values are constants: they are bound in a scope without columns and evaluated here.
 */
#include "base/near.h"
#include "engine/plan/plan_internal.h"

static int refuse_column(const struct expr_scope *scope, struct bytes qualifier,
                         const struct ast_name *name, struct arena *arena, const struct expr **out,
                         struct error *err)
{
    return error_set(err, ERR_INSERT_VALUE, name->at,
                     "VALUES takes constants; %.*s would be a column (text goes in single quotes)",
                     BYTES_ARG(name->text));
}

/* --- the target --- */

static int check_target(const struct source *source, const struct ast_name *name, struct error *err)
{
    static const struct bytes internal[] = { BYTES("_confluent-ksql-"), BYTES("_sluice-") };

    if (source->read_only) {
        return error_set(err, ERR_INSERT_TARGET, name->at, "%.*s is read-only (CREATE SOURCE ...)",
                         BYTES_ARG(name->text));
    }
    for (size_t i = 0; i < sizeof internal / sizeof internal[0]; i++) {
        if (bytes_starts_with(source->topic, internal[i])) {
            return error_set(err, ERR_INSERT_TARGET, name->at, "The topic %.*s is read-only",
                             BYTES_ARG(source->topic));
        }
    }
    return 0;
}

static bool is_header(const struct column *column)
{
    return column->role == COLUMN_HEADERS || column->role == COLUMN_HEADER;
}

/* --- which column each value is for --- */

enum { INTO_ROWTIME = -1 };

static int find_column(struct arena *arena, const struct source *source,
                       const struct ast_name *name, int64_t *out, struct error *err)
{
    const struct column *column = schema_find(&source->schema, name->text);
    enum pseudo_column pseudo = pseudo_column_find(name->text);
    struct near_search search = near_begin(name->text);

    if (column && is_header(column)) {
        return error_set(err, ERR_INSERT_COLUMNS, name->at,
                         "%.*s is a header column; values cannot be inserted into it",
                         BYTES_ARG(name->text));
    }
    if (column) {
        *out = schema_index(&source->schema, column);
        return 0;
    }
    if (pseudo == PSEUDO_ROWTIME) {
        *out = INTO_ROWTIME;
        return 0;
    }
    if (pseudo != PSEUDO_NONE) {
        return error_set(err, ERR_INSERT_COLUMNS, name->at, "%.*s cannot be inserted",
                         BYTES_ARG(name->text));
    }
    for (uint32_t i = 0; i < source->schema.column_count; i++) {
        near_offer(&search, source->schema.columns[i].name);
    }
    return error_set(err, ERR_UNKNOWN_COLUMN, name->at, "%.*s has no column %.*s%s",
                     BYTES_ARG(source->name), BYTES_ARG(name->text), near_hint(arena, search.best));
}

static int check_primary_key(const struct source *source, const struct ast_insert_values *insert,
                             const int64_t *into, struct error *err)
{
    for (uint32_t key = 0; source->kind == SOURCE_TABLE && key < source->schema.key_count; key++) {
        uint32_t i = 0;

        while (i < insert->columns.count && into[i] != key) {
            i++;
        }
        if (i == insert->columns.count) {
            return error_set(err, ERR_INSERT_COLUMNS, insert->columns.items[0].at,
                             "The row of a table needs its primary key; the list lacks %.*s",
                             BYTES_ARG(source->schema.columns[key].name));
        }
    }
    return 0;
}

static int named_columns(struct arena *arena, const struct source *source,
                         const struct ast_insert_values *insert, int64_t *into, struct error *err)
{
    for (uint32_t i = 0; i < insert->columns.count; i++) {
        const struct ast_name *name = &insert->columns.items[i];

        TRY(find_column(arena, source, name, &into[i], err));
        for (uint32_t j = 0; j < i; j++) {
            if (into[j] == into[i]) {
                return error_set(err, ERR_INSERT_COLUMNS, name->at, "%.*s is listed twice",
                                 BYTES_ARG(name->text));
            }
        }
    }
    return check_primary_key(source, insert, into, err);
}

static int all_columns(const struct source *source, const struct ast_insert_values *insert,
                       int64_t *into, uint32_t *count, struct error *err)
{
    for (uint32_t i = 0; i < source->schema.column_count; i++) {
        if (is_header(&source->schema.columns[i])) {
            return error_set(err, ERR_INSERT_COLUMNS, insert->target.at,
                             "%.*s has header columns; list the columns that the values are for",
                             BYTES_ARG(source->name));
        }
        into[i] = i;
    }
    *count = source->schema.column_count;
    return 0;
}

/* --- values --- */

static int evaluate(struct plan_context *context, const struct ast_expr *syntax,
                    const struct column *column, struct value *out, struct error *err)
{
    const struct expr_scope no_columns = { refuse_column, plan_type_names(context) };
    struct expr_binder binder = { context->arena, &no_columns, 0, "VALUES" };
    const struct expr *bound = NULL;
    struct value value = value_null();
    int code;

    TRY(expr_bind(&binder, syntax, &bound, err));
    code = expr_evaluate_constant(bound, context->arena, &value, err);
    if (!code) {
        code = coerce_strictly(&value, bound->type, column->type, context->arena, out, err);
    }
    if (code && err) {
        (void)error_prefix(err, "Column %.*s", BYTES_ARG(column->name));
        err->code = ERR_INSERT_VALUE;
        err->at = syntax->at;
    }
    return code ? ERR_INSERT_VALUE : 0;
}

static int evaluate_time(struct plan_context *context, const struct ast_expr *syntax,
                         struct insert_row *row, struct error *err)
{
    const struct column rowtime = { .name = bytes_of("ROWTIME"), .type = type_scalar(T_BIGINT) };
    struct value value = value_null();

    TRY(evaluate(context, syntax, &rowtime, &value, err));
    if (value_is_null(&value) || value.i64 < 0) {
        return error_set(err, ERR_INSERT_VALUE, syntax->at,
                         "ROWTIME is milliseconds since 1970: not null and not negative");
    }
    row->has_timestamp = true;
    row->timestamp_ms = value.i64;
    return 0;
}

static int fill_row(struct plan_context *context, const struct ast_insert_values *insert,
                    const int64_t *into, struct insert_row *row, struct error *err)
{
    const struct schema *schema = &row->source->schema;
    struct value *cells = arena_array(context->arena, struct value, schema->column_count);

    for (uint32_t i = 0; i < insert->values.count; i++) {
        const struct ast_expr *syntax = insert->values.items[i];

        if (into[i] == INTO_ROWTIME) {
            TRY(evaluate_time(context, syntax, row, err));
        } else {
            TRY(evaluate(context, syntax, &schema->columns[into[i]], &cells[into[i]], err));
        }
    }
    row->cells = cells;
    return 0;
}

static int wrong_count(const struct source *source, const struct ast_insert_values *insert,
                       const int64_t *into, uint32_t count, struct error *err)
{
    struct buffer names = { 0 };
    int code;

    for (uint32_t i = 0; i < count; i++) {
        buffer_append_text(&names, i > 0 ? ", " : "");
        buffer_append_bytes(&names, into[i] == INTO_ROWTIME ? bytes_of("ROWTIME")
                                                            : source->schema.columns[into[i]].name);
    }
    code = error_set(err, ERR_INSERT_COLUMNS, insert->target.at,
                     "%u value%s for %u column%s: %.*s needs %.*s", insert->values.count,
                     insert->values.count == 1 ? "" : "s", count, count == 1 ? "" : "s",
                     BYTES_ARG(source->name), BYTES_ARG(buffer_bytes(&names)));
    buffer_fini(&names);
    return code;
}

int plan_insert_target(struct plan_context *context, const struct ast_name *name,
                       const struct source **out, struct error *err)
{
    const struct source *source = NULL;

    TRY(plan_find_source(context, name, &source, err));
    TRY(check_target(source, name, err));
    *out = source;
    return 0;
}

int plan_insert_values(struct plan_context *context, const struct ast_statement *statement,
                       struct insert_row *out, struct error *err)
{
    const struct ast_insert_values *insert = &statement->insert_values;
    struct insert_row row = { 0 };
    uint32_t count = insert->columns.count;
    int64_t *into;

    TRY(plan_insert_target(context, &insert->target, &row.source, err));
    into = arena_array(context->arena, int64_t,
                       row.source->schema.column_count + insert->columns.count);
    if (count > 0) {
        TRY(named_columns(context->arena, row.source, insert, into, err));
    } else {
        TRY(all_columns(row.source, insert, into, &count, err));
    }
    if (insert->values.count != count) {
        return wrong_count(row.source, insert, into, count, err);
    }
    TRY(fill_row(context, insert, into, &row, err));
    *out = row;
    return 0;
}
