/*
 * insert_select.c: INSERT INTO ... SELECT: another query that writes a stream (queries.md 9).
 *
 * The columns of the result have to be those of the stream, in its order: same names, same keys,
 * and types that need no rounding to become the stream's.
 */
#include "engine/plan/plan_internal.h"
#include "engine/type/cast.h"

/* --- the stream --- */

static bool has_headers(const struct schema *schema)
{
    for (uint32_t i = 0; i < schema->column_count; i++) {
        if (schema->columns[i].role == COLUMN_HEADERS || schema->columns[i].role == COLUMN_HEADER) {
            return true;
        }
    }
    return false;
}

static int check_target(const struct source *target, const struct ast_name *name, struct error *err)
{
    if (target->kind == SOURCE_TABLE) {
        return error_set(err, ERR_INSERT_TARGET, name->at,
                         "%.*s is a table; INSERT INTO SELECT writes streams",
                         BYTES_ARG(name->text));
    }
    if (target->read_only) {
        return error_set(err, ERR_INSERT_TARGET, name->at, "%.*s is read-only (CREATE SOURCE ...)",
                         BYTES_ARG(name->text));
    }
    if (has_headers(&target->schema)) {
        return error_set(err, ERR_INSERT_TARGET, name->at,
                         "%.*s has header columns, which a query cannot write",
                         BYTES_ARG(name->text));
    }
    return 0;
}

/* --- the result as the stream wants it --- */

static struct bytes schema_text(struct arena *arena, const struct schema *schema)
{
    struct buffer text = { 0 };
    struct bytes copy;

    schema_print(schema, "KEY", &text);
    copy = arena_copy(arena, buffer_bytes(&text));
    buffer_fini(&text);
    return copy;
}

static int refuse_schema(const struct analysis *a, const struct source *target,
                         const struct ast_name *name, struct error *err)
{
    struct arena *arena = a->context->arena;
    struct schema result;

    analysis_schema(a, arena, &result);
    return error_set(err, ERR_INSERT_COLUMNS, name->at,
                     "The columns of SELECT are not those of %.*s: %.*s instead of %.*s",
                     BYTES_ARG(name->text), BYTES_ARG(schema_text(arena, &result)),
                     BYTES_ARG(schema_text(arena, &target->schema)));
}

/* A number that was written out takes the column's type if it fits as it is. */
static const struct expr *retype_number(struct arena *arena, const struct expr *value,
                                        const struct sql_type *type)
{
    struct expr *literal;
    struct value fitted;

    if (value->kind != EXPR_LITERAL || !type_is_number(value->type->id) || type->id != T_DECIMAL ||
        coerce_strictly(&value->literal, value->type, type, arena, &fitted, NULL)) {
        return NULL;
    }
    literal = arena_new(arena, struct expr);
    *literal = *value;
    literal->type = type;
    literal->literal = fitted;
    return literal;
}

static const struct expr *fit_value(struct arena *arena, const struct expr *value,
                                    const struct sql_type *type)
{
    if (type_equal(value->type, type)) {
        return value;
    }
    if (value->kind == EXPR_LITERAL && type->id == T_DECIMAL) {
        return retype_number(arena, value, type);
    }
    if (value->type->id == T_STRING || !cast_is_implicit(value->type, type)) {
        return NULL;
    }
    return expr_cast_to(arena, value, type);
}

static int fit_columns(struct analysis *a, const struct source *target, const struct ast_name *name,
                       struct error *err)
{
    const struct schema *schema = &target->schema;

    if (schema->column_count != a->columns.count || schema->key_count != a->key_count) {
        return refuse_schema(a, target, name, err);
    }
    for (uint32_t i = 0; i < schema->column_count; i++) {
        struct select_column *column = &a->columns.items[i];
        const struct expr *fitted =
            fit_value(a->context->arena, column->value, schema->columns[i].type);

        if (!fitted || !bytes_equal(column->name, schema->columns[i].name)) {
            return refuse_schema(a, target, name, err);
        }
        column->value = fitted;
    }
    return 0;
}

int plan_insert_sink(struct plan_context *context, const struct ast_insert_select *insert,
                     struct analysis *analysis, const struct source **out, struct error *err)
{
    struct source *sink = arena_new(context->arena, struct source);
    const struct source *target = NULL;

    TRY(plan_find_source(context, &insert->target, &target, err));
    TRY(check_target(target, &insert->target, err));
    TRY(analyze_query(context, QUERY_PERSISTENT, insert->query, analysis, err));
    if (analysis->result_is_table) {
        return error_set(err, ERR_RESULT_KIND, insert->query->at,
                         "The query makes a table; INSERT INTO writes the rows of a stream");
    }
    TRY(analyze_keys(analysis, err));
    TRY(fit_columns(analysis, target, &insert->target, err));
    source_copy(context->arena, target, sink);
    sink->timestamp_column = (struct bytes){ NULL, 0 }; /* for who reads the stream */
    *out = sink;
    return 0;
}

/* --- the query's id --- */

static bool is_id_character(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static bool is_id(struct bytes id)
{
    for (size_t i = 0; i < id.len; i++) {
        if (!is_id_character(id.data[i])) {
            return false;
        }
    }
    return true;
}

int plan_insert_query_id(struct plan_context *context, const struct ast_insert_select *insert,
                         struct bytes *out, struct error *err)
{
    const struct property_value *said;
    struct source_properties with;
    struct bytes id = { NULL, 0 };

    TRY(source_properties_read(context->arena, &insert->properties, PROPERTY_FOR_INSERT, &with,
                               err));
    said = &with.of[PROPERTY_QUERY_ID];
    if (said->given) {
        id = name_upper(context->arena, said->text);
        if (!is_id(id) || name_is_generated_query(id)) {
            return error_set(err, ERR_INVALID_PROPERTY, said->at,
                             "QUERY_ID takes letters, digits and underscores, and does not begin "
                             "like the ids that are made up (CSAS_, CTAS_, CST_, INSERTQUERY_)");
        }
        if (catalog_find_query(context->catalog, id)) {
            return error_set(err, ERR_NAME_TAKEN, said->at, "There is a query %.*s already",
                             BYTES_ARG(id));
        }
    }
    *out = id;
    return 0;
}
