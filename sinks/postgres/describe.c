/*
 * describe.c: the table as Postgres has it: made, extended or refused, then its columns' types.
 *
 * CREATE and ALTER run in a transaction of their own under an advisory lock on the table's name,
 * so that two tasks do not make it twice; who loses a race looks again. Nothing is ever
 * dropped, and the type of an existing column stays.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "sinks/postgres/postgres_internal.h"

struct describer {
    struct session *session;
    const struct options *options;
    struct arena *arena;
    struct target *target;
    bool exists;
    char kind; /* relkind */
};

/* --- types that are made --- */

static const char *scalar_type(const struct describer *d, const struct sql_type *type)
{
    bool beyond = postgres_is_beyond(d->options);

    switch (type->id) {
    case T_BOOLEAN:
        return "BOOLEAN";
    case T_INTEGER:
        return "INTEGER";
    case T_BIGINT:
        return "BIGINT";
    case T_DOUBLE:
        return "DOUBLE PRECISION";
    case T_DECIMAL:
        return beyond ? arena_printf(d->arena, "NUMERIC(%u,%u)", type->precision, type->scale).data
                      : "NUMERIC";
    case T_STRING:
        return "TEXT";
    case T_BYTES:
        return "BYTEA";
    case T_DATE:
        return "DATE";
    case T_TIME:
        return "TIME";
    case T_TIMESTAMP:
        return beyond ? "TIMESTAMPTZ" : "TIMESTAMP";
    default:
        return NULL;
    }
}

/* NULL: the classes of JDBC have no type for it. */
static const char *made_type(const struct describer *d, const struct sql_type *type)
{
    const char *scalar = scalar_type(d, type);

    if (scalar) {
        return scalar;
    }
    if (type->id == T_ARRAY && scalar_type(d, type->element)) {
        return arena_printf(d->arena, "%s[]", scalar_type(d, type->element)).data;
    }
    return postgres_is_beyond(d->options) ? "JSONB" : NULL;
}

static int print_column(const struct describer *d, const struct target_column *column,
                        struct buffer *out, struct error *err)
{
    const char *type = made_type(d, column->type);
    struct buffer name = { 0 };

    if (!type) {
        int code;

        type_print(column->type, &name);
        code = error_set(err, ERR_SINK_FAILED, NO_POSITION,
                         "Column %.*s is a %.*s, for which there is no type in Postgres that JDBC "
                         "knows; 'connector.class' = 'PostgresSink' makes it JSONB, and "
                         "'fields.whitelist' leaves it out",
                         BYTES_ARG(column->name), BYTES_ARG(name));
        buffer_fini(&name);
        return code;
    }
    buffer_printf(out, "%s %s %s", column->quoted, type, column->is_key ? "NOT NULL" : "NULL");
    return 0;
}

/* --- statements --- */

static int print_create(const struct describer *d, struct buffer *out, struct error *err)
{
    const struct target *target = d->target;

    buffer_printf(out, "CREATE TABLE %s (\n", target->quoted);
    for (uint32_t i = 0; i < target->column_count; i++) {
        buffer_append_text(out, i ? ",\n" : "");
        TRY(print_column(d, &target->columns[i], out, err));
    }
    if (target->key_count > 0) {
        buffer_append_text(out, ",\nPRIMARY KEY(");
        for (uint32_t i = 0; i < target->key_count; i++) {
            buffer_printf(out, "%s%s", i ? "," : "", target->columns[target->keys[i]].quoted);
        }
        buffer_append_char(out, ')');
    }
    buffer_append_char(out, ')');
    return 0;
}

static int print_alter(const struct describer *d, struct buffer *out, struct error *err)
{
    const struct target *target = d->target;
    bool any = false;

    buffer_printf(out, "ALTER TABLE %s", target->quoted);
    for (uint32_t i = 0; i < target->column_count; i++) {
        if (target->columns[i].exists) {
            continue;
        }
        if (target->columns[i].is_key) {
            return error_set(err, ERR_SINK_FAILED, NO_POSITION,
                             "Table %.*s lacks the key column %.*s, which cannot be added to rows "
                             "that are there",
                             BYTES_ARG(target->name), BYTES_ARG(target->columns[i].name));
        }
        buffer_append_text(out, any ? ",\nADD " : "\nADD ");
        TRY(print_column(d, &target->columns[i], out, err));
        any = true;
    }
    return 0;
}

static bool is_lost_race(const struct error *err)
{
    return strstr(err->message, "42P07") || strstr(err->message, "42701") ||
           strstr(err->message, "23505");
}

/* In a transaction of its own; the statement's failure by a race is none. */
static int run_ddl(struct describer *d, const char *sql, struct error *err)
{
    char *literal = PQescapeLiteral(d->session->conn, d->target->quoted, strlen(d->target->quoted));
    struct buffer text = { 0 };
    int code;

    buffer_printf(&text, "BEGIN; SELECT pg_advisory_xact_lock(hashtextextended(%s, 0)); %s; COMMIT",
                  literal ? literal : "''", sql);
    buffer_append_char(&text, '\0');
    code = session_run(d->session, text.data, NULL, err);
    PQfreemem(literal);
    buffer_fini(&text);
    if (code && d->session->fault != FAULT_CONNECTION) {
        (void)session_run(d->session, "ROLLBACK", NULL, NULL); /* the failure is what counts */
        if (err && is_lost_race(err)) {
            error_clear(err);
            return 0;
        }
    }
    return code;
}

/* --- what there is --- */

static int find_table(struct describer *d, struct error *err)
{
    const char *values[] = { d->target->quoted };
    const struct text_parameters parameters = { values, 1 };
    PGresult *result = NULL;

    TRY(session_query(d->session, "SELECT relkind FROM pg_class WHERE oid = to_regclass($1)",
                      &parameters, &result, err));
    d->exists = PQntuples(result) > 0;
    d->kind = d->exists ? PQgetvalue(result, 0, 0)[0] : '\0';
    PQclear(result);
    return 0;
}

static int check_kind(const struct describer *d, struct error *err)
{
    bool is_table = d->kind == 'r' || d->kind == 'p' || d->kind == 'f';
    struct bytes *types = NULL;
    uint32_t count = options_list(d->options, "table.types", d->arena, &types);

    for (uint32_t i = 0; !is_table && d->kind == 'v' && i < count; i++) {
        is_table = bytes_equal_text_nocase(types[i], "VIEW");
    }
    return is_table ? 0
                    : error_set(err, ERR_SINK_FAILED, NO_POSITION,
                                "%.*s is no table in %.*s, and 'table.types' does not allow "
                                "what it is",
                                BYTES_ARG(d->target->name), BYTES_ARG(d->session->place));
}

static const char columns_sql[] =
    "SELECT a.attname, coalesce(nullif(t.typbasetype, 0), t.oid), e.typelem, e.typcategory,"
    " format_type(a.atttypid, a.atttypmod),"
    " a.attidentity = 'a' OR a.attgenerated <> ''"
    " FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid"
    " JOIN pg_type e ON e.oid = coalesce(nullif(t.typbasetype, 0), t.oid)"
    " WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped";

static int refuse_type(const struct describer *d, const struct target_column *column,
                       const char *type, struct error *err)
{
    struct buffer name = { 0 };
    int code;

    type_print(column->type, &name);
    code = error_set(err, ERR_SINK_FAILED, NO_POSITION,
                     "Column %.*s of table %.*s is %s, and a %.*s cannot be written to it; change "
                     "the column, or cast in the query",
                     BYTES_ARG(column->name), BYTES_ARG(d->target->name), type, BYTES_ARG(name));
    buffer_fini(&name);
    return code;
}

/* Exactly, else where only case differs. */
static int32_t find_row(const PGresult *result, const struct target_column *column, bool folds)
{
    int32_t near = -1;

    for (int i = 0; i < PQntuples(result); i++) {
        struct bytes name = bytes_of(PQgetvalue(result, i, 0));

        if (bytes_equal(name, column->name)) {
            return i;
        }
        if (folds && bytes_equal_nocase(name, column->name)) {
            near = i;
        }
    }
    return near;
}

static uint32_t oid_at(const PGresult *result, int row, int field)
{
    return (uint32_t)strtoul(PQgetvalue(result, row, field), NULL, 10);
}

static int take_column(struct describer *d, struct target_column *column, const PGresult *result,
                       struct error *err)
{
    bool folds = options_is(d->options, "quote.sql.identifiers", "NEVER");
    int32_t row = find_row(result, column, folds);
    struct column_type type;

    column->exists = row >= 0;
    if (row < 0) {
        return 0;
    }
    if (PQgetvalue(result, row, 5)[0] == 't') {
        return error_set(err, ERR_SINK_FAILED, NO_POSITION,
                         "Column %.*s of table %.*s is generated, so nothing can be written to it; "
                         "'fields.whitelist' leaves it out",
                         BYTES_ARG(column->name), BYTES_ARG(d->target->name));
    }
    type = (struct column_type){ .oid = oid_at(result, row, 1),
                                 .element_oid = oid_at(result, row, 2),
                                 .category = PQgetvalue(result, row, 3)[0],
                                 .name = PQgetvalue(result, row, 4) };
    type.element_oid = type.category == 'A' ? type.element_oid : 0;
    codec_fini(column->codec);
    column->codec = codec_find(d->arena, column->type, &type, d->target->way);
    if (!column->codec) {
        return refuse_type(d, column, type.name, err);
    }
    column->cast =
        column->codec->needs_cast ? arena_copy_text(d->arena, bytes_of(type.name)) : NULL;
    return 0;
}

static int take_columns(struct describer *d, struct error *err)
{
    const char *values[] = { d->target->quoted };
    const struct text_parameters parameters = { values, 1 };
    PGresult *result = NULL;
    int code = 0;

    TRY(session_query(d->session, columns_sql, &parameters, &result, err));
    for (uint32_t i = 0; !code && i < d->target->column_count; i++) {
        code = take_column(d, &d->target->columns[i], result, err);
    }
    PQclear(result);
    return code;
}

static void list_missing(const struct target *target, struct buffer *out)
{
    for (uint32_t i = 0; i < target->column_count; i++) {
        if (!target->columns[i].exists) {
            buffer_printf(out, "%s%.*s", out->len ? ", " : "", BYTES_ARG(target->columns[i].name));
        }
    }
}

/* COPY cannot cast. */
static bool needs_arrays(const struct target *target)
{
    for (uint32_t i = 0; i < target->column_count; i++) {
        if (target->columns[i].codec && target->columns[i].codec->needs_cast) {
            return target->way == LOAD_COPY;
        }
    }
    return false;
}

static int create(struct describer *d, struct error *err)
{
    struct buffer sql = { 0 };
    int code;

    if (!options_boolean(d->options, "auto.create")) {
        return error_set(err, ERR_SINK_FAILED, NO_POSITION,
                         "Table %s is missing and auto-creation is disabled (%.*s); create it, or "
                         "set 'auto.create' = 'true'",
                         d->target->quoted, BYTES_ARG(d->session->place));
    }
    code = print_create(d, &sql, err);
    buffer_append_char(&sql, '\0');
    code = code ? code : run_ddl(d, sql.data, err);
    buffer_fini(&sql);
    return code;
}

static int evolve(struct describer *d, struct bytes missing, struct error *err)
{
    struct buffer sql = { 0 };
    int code;

    if (!options_boolean(d->options, "auto.evolve") || d->kind == 'v') {
        return error_set(err, ERR_SINK_FAILED, NO_POSITION,
                         "Table %s is missing field(s) and auto-evolution is disabled: %.*s; add "
                         "them, set 'auto.evolve' = 'true', or leave them out with "
                         "'fields.whitelist'",
                         d->target->quoted, BYTES_ARG(missing));
    }
    code = print_alter(d, &sql, err);
    buffer_append_char(&sql, '\0');
    code = code ? code : run_ddl(d, sql.data, err);
    buffer_fini(&sql);
    return code;
}

static int describe(struct describer *d, struct error *err)
{
    TRY(take_columns(d, err));
    if (needs_arrays(d->target)) {
        d->target->way = LOAD_ARRAYS;
        TRY(take_columns(d, err));
    }
    return 0;
}

static int describe_all(struct describer *d, struct error *err)
{
    struct buffer missing = { 0 };
    int code = describe(d, err);

    list_missing(d->target, &missing);
    if (!code && missing.len > 0) {
        code = evolve(d, buffer_bytes(&missing), err);
        code = code ? code : describe(d, err);
    }
    buffer_fini(&missing);
    return code;
}

int target_prepare(struct session *s, const struct options *options, struct arena *arena,
                   struct target *target, struct error *err)
{
    struct describer d = { .session = s, .options = options, .arena = arena, .target = target };

    TRY(find_table(&d, err));
    if (!d.exists) {
        TRY(create(&d, err));
        TRY(find_table(&d, err));
    }
    TRY(check_kind(&d, err));
    return describe_all(&d, err);
}
