/*
 * create_source.c: CREATE STREAM/TABLE with declared columns -> the source as it will stand
 * in the catalog (statements.md 3 and 4). Nothing is created here: the command does that.
 */
#include "engine/plan/plan_internal.h"

static enum column_role role_of(enum ast_column_role role)
{
    switch (role) {
    case AST_ROLE_KEY:
    case AST_ROLE_PRIMARY_KEY:
        return COLUMN_KEY;
    case AST_ROLE_HEADERS:
        return COLUMN_HEADERS;
    case AST_ROLE_HEADER:
        return COLUMN_HEADER;
    case AST_ROLE_VALUE:
        return COLUMN_VALUE;
    }
    return COLUMN_VALUE;
}

/* --- header columns --- */

static bool is_headers_type(const struct sql_type *type)
{
    const struct sql_type *item;

    if (type->id != T_ARRAY || type->element->id != T_STRUCT || type->element->field_count != 2) {
        return false;
    }
    item = type->element;
    return bytes_equal_text(item->fields[0].name, "KEY") && item->fields[0].type->id == T_STRING &&
           bytes_equal_text(item->fields[1].name, "VALUE") && item->fields[1].type->id == T_BYTES;
}

static int check_header(struct plan_context *context, const struct ast_column_def *def,
                        const struct column *column, struct error *err)
{
    if (column->role != COLUMN_HEADERS && column->role != COLUMN_HEADER) {
        return 0;
    }
    if (!context->settings->headers_enabled) {
        return error_set(err, ERR_UNSUPPORTED, def->name.at,
                         "Header columns are switched off (ksql.headers.columns.enabled)");
    }
    if (column->role == COLUMN_HEADERS && !is_headers_type(column->type)) {
        return error_set(err, ERR_INVALID_TYPE, def->type->at,
                         "The column %.*s HEADERS has to be ARRAY<STRUCT<KEY STRING, VALUE BYTES>>",
                         BYTES_ARG(column->name));
    }
    if (column->role == COLUMN_HEADER && column->type->id != T_BYTES) {
        return error_set(err, ERR_INVALID_TYPE, def->type->at,
                         "The column %.*s HEADER has to be BYTES", BYTES_ARG(column->name));
    }
    return 0;
}

/* HEADERS at most once and alone; every header key at most once. */
static int check_header_pair(const struct column *a, const struct column *b,
                             const struct ast_column_def *def, struct error *err)
{
    bool a_all = a->role == COLUMN_HEADERS;
    bool b_all = b->role == COLUMN_HEADERS;
    bool both_one = a->role == COLUMN_HEADER && b->role == COLUMN_HEADER;

    if ((a_all && (b_all || b->role == COLUMN_HEADER)) || (b_all && a->role == COLUMN_HEADER)) {
        return error_set(err, ERR_INVALID_TYPE, def->name.at,
                         "A source has one HEADERS column, or HEADER columns, but not both");
    }
    if (both_one && bytes_equal(a->header_key, b->header_key)) {
        return error_set(err, ERR_DUPLICATE_COLUMN, def->name.at,
                         "The header '%.*s' has a column already: %.*s", BYTES_ARG(b->header_key),
                         BYTES_ARG(a->name));
    }
    return 0;
}

/* --- columns --- */

static int check_column(struct plan_context *context, const struct ast_column_def *def,
                        const struct column *column, struct error *err)
{
    if (pseudo_column_find(column->name) != PSEUDO_NONE) {
        return error_set(err, ERR_RESERVED_NAME, def->name.at,
                         "%.*s is a reserved name; call the column something else",
                         BYTES_ARG(column->name));
    }
    if (column->role == COLUMN_KEY && type_holds_map(column->type)) {
        return error_set(err, ERR_INVALID_KEY, def->type->at,
                         "The key column %.*s holds a MAP, which cannot be a key",
                         BYTES_ARG(column->name));
    }
    return check_header(context, def, column, err);
}

static int bind_columns(struct plan_context *context, const struct ast_create_source *create,
                        struct column *columns, struct error *err)
{
    for (uint32_t i = 0; i < create->columns.count; i++) {
        const struct ast_column_def *def = &create->columns.items[i];
        struct column *column = &columns[i];

        column->name = def->name.text;
        column->role = role_of(def->role);
        column->header_key = def->header_key;
        TRY(type_bind(context->arena, plan_type_names(context), def->type, &column->type, err));
        TRY(check_column(context, def, column, err));
        for (uint32_t j = 0; j < i; j++) {
            if (bytes_equal(columns[j].name, column->name)) {
                return error_set(err, ERR_DUPLICATE_COLUMN, def->name.at,
                                 "The column %.*s is declared twice", BYTES_ARG(column->name));
            }
            TRY(check_header_pair(&columns[j], column, def, err));
        }
    }
    return 0;
}

/* Key columns first, each part in declared order. */
static void order_columns(struct arena *arena, const struct column *declared, uint32_t count,
                          struct schema *out)
{
    struct column *ordered = arena_array(arena, struct column, count);
    uint32_t next = 0;
    uint32_t keys;

    for (uint32_t i = 0; i < count; i++) {
        if (declared[i].role == COLUMN_KEY) {
            ordered[next++] = declared[i];
        }
    }
    keys = next;
    for (uint32_t i = 0; i < count; i++) {
        if (declared[i].role != COLUMN_KEY) {
            ordered[next++] = declared[i];
        }
    }
    *out = (struct schema){ ordered, count, keys };
}

static int make_schema(struct plan_context *context, const struct ast_create_source *create,
                       struct source *source, struct error *err)
{
    uint32_t count = create->columns.count;
    struct column *declared = arena_array(context->arena, struct column, count);

    if (count == 0 && source->kind == SOURCE_STREAM) {
        return error_set(err, ERR_NO_COLUMNS, create->name.at,
                         "%.*s has no columns; declare at least one", BYTES_ARG(create->name.text));
    }
    TRY(bind_columns(context, create, declared, err));
    order_columns(context->arena, declared, count, &source->schema);
    if (source->kind == SOURCE_TABLE && source->schema.key_count == 0) {
        return error_set(err, ERR_MISSING_PRIMARY_KEY, create->name.at,
                         "The table %.*s needs a key: write PRIMARY KEY behind its columns",
                         BYTES_ARG(create->name.text));
    }
    return 0;
}

/* --- the statement --- */

static int check_statement(struct plan_context *context, const struct ast_create_source *create,
                           struct error *err)
{
    if (create->or_replace) {
        return plan_check_replaced(context, &create->name, create->read_only, err);
    }
    if (catalog_find_source(context->catalog, create->name.text)) {
        return error_set(err, ERR_NAME_TAKEN, create->name.at,
                         "There is a stream or table %.*s already", BYTES_ARG(create->name.text));
    }
    return 0;
}

/* Before the columns: a format that is not there is the nearer reason for lacking any. */
static int read_formats(struct plan_context *context, const struct source_properties *with,
                        struct source *source, struct error *err)
{
    source->key_format.kind = context->settings->default_key_format;
    source->value_format.kind = context->settings->default_value_format;
    TRY(source_formats_read(context->arena, with, source, err));
    if (!source->value_format.kind) {
        return error_set(err, ERR_MISSING_PROPERTY, source->at,
                         "%.*s has no value format: give VALUE_FORMAT or FORMAT in WITH",
                         BYTES_ARG(source->name));
    }
    return source_delimiters_read(with, source, err);
}

int plan_create_source(struct plan_context *context, const struct ast_statement *statement,
                       struct source *out, struct error *err)
{
    const struct ast_create_source *create = &statement->create_source;
    struct source source = {
        .name = create->name.text,
        .kind = create->kind == AST_TABLE ? SOURCE_TABLE : SOURCE_STREAM,
        .read_only = create->read_only,
        .at = create->name.at,
    };
    struct source_properties with;

    TRY(check_statement(context, create, err));
    TRY(source_properties_read(context->arena, &create->properties, PROPERTY_FOR_CREATE, &with,
                               err));
    if (!with.of[PROPERTY_KAFKA_TOPIC].given) {
        return error_set(err, ERR_MISSING_PROPERTY, create->name.at,
                         "%.*s has no topic: give KAFKA_TOPIC in WITH", BYTES_ARG(source.name));
    }
    source.topic = with.of[PROPERTY_KAFKA_TOPIC].text;
    TRY(read_formats(context, &with, &source, err));
    TRY(make_schema(context, create, &source, err));
    TRY(source_formats_finish(context, &with, &source, err));
    TRY(source_timestamp_settle(context->arena, &with, &source, err));
    TRY(source_topic_settle(context, &with, 0, &source, err));
    TRY(plan_check_upgrade(context, &source, err));
    source.sql = plan_statement_text(context->arena, statement);
    *out = source;
    return 0;
}
