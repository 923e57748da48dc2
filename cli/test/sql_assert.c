/*
 * sql_assert.c: what a stream or table holds, asserted in SQL.
 *
 * Expected rows go through the same door as INSERT VALUES: they are planned against a copy of
 * the source that takes any row (a stream, not read-only), in an overlay that is then
 * forgotten. Actual rows are decoded by the source's own formats.
 */
#include "cli/test/sql_assert.h"

#include "cli/test/record.h"
#include "engine/type/compare.h"

static struct plan_context context_of(struct harness *h, const struct catalog *catalog)
{
    struct plan_settings *settings = arena_new(&h->arena, struct plan_settings);

    *settings = (struct plan_settings){ .service_id = "test",
                                        .default_key_format = format_find(bytes_of("KAFKA")),
                                        .headers_enabled = true,
                                        .wrap_single_values = -1 };
    return (struct plan_context){
        .arena = &h->arena, .catalog = catalog, .log = h->log, .settings = settings
    };
}

static int find_source(struct harness *h, const struct ast_name *name, const struct source **out,
                       struct error *err)
{
    *out = catalog_find_source(engine_catalog(h->engine), name->text);
    return *out ? 0
                : error_set(err, ERR_UNKNOWN_SOURCE, name->at, "%.*s does not exist",
                            BYTES_ARG(name->text));
}

/* --- the expected row --- */

static void open_copy(struct arena *arena, const struct source *source, struct source *out)
{
    struct column *columns = arena_array(arena, struct column, source->schema.column_count);

    source_copy(arena, source, out);
    for (uint32_t i = 0; i < source->schema.column_count; i++) {
        columns[i] = out->schema.columns[i];
        columns[i].role = i < source->schema.key_count ? COLUMN_KEY : COLUMN_VALUE;
    }
    out->schema.columns = columns;
    out->kind = SOURCE_STREAM;
    out->read_only = false;
}

static int expected_row(struct harness *h, const struct source *source,
                        const struct ast_statement *statement, struct insert_row *out,
                        struct error *err)
{
    struct catalog *overlay = catalog_create(engine_catalog(h->engine));
    struct plan_context context = context_of(h, overlay);
    struct ast_statement insert = *statement;
    struct source open = { 0 };
    int code;

    insert.kind = AST_INSERT_VALUES;
    open_copy(&h->arena, source, &open);
    (void)catalog_put_source(overlay, &open);
    code = plan_insert_values(&context, &insert, out, err);
    catalog_destroy(overlay);
    return code;
}

/* --- the actual row --- */

static int decode_side(struct harness *h, const struct source *source, enum format_side side,
                       struct bytes in, struct value *cells, struct error *err)
{
    const struct side_format *format =
        side == SIDE_KEY ? &source->key_format : &source->value_format;
    struct column *columns = arena_array(&h->arena, struct column, source->schema.column_count);
    struct decoder_spec spec = { .side = side, .columns = columns, .options = format->options };
    uint32_t first = side == SIDE_KEY ? 0 : source->schema.key_count;
    uint32_t end = side == SIDE_KEY ? source->schema.key_count : source->schema.column_count;
    struct decoder decoder = { 0 };
    bool is_null = false;
    int code;

    for (uint32_t i = first; i < end; i++) {
        if (source->schema.columns[i].role == COLUMN_KEY ||
            source->schema.columns[i].role == COLUMN_VALUE) {
            columns[spec.column_count++] = source->schema.columns[i];
        }
    }
    if (!in.data || spec.column_count == 0) {
        return 0;
    }
    TRY(decoder_open(&decoder, format->kind, &spec, err));
    code = decoder.kind->decode_row(&decoder, in, cells + first, &is_null, &h->arena, err);
    decoder_close(&decoder);
    return code;
}

static struct assert_cursor *cursor_of(struct asserter *a, struct bytes topic, uint32_t partition)
{
    struct assert_cursor *added;

    for (uint32_t i = 0; i < a->cursors.count; i++) {
        struct assert_cursor *cursor = &a->cursors.items[i];

        if (cursor->partition == partition && bytes_equal(cursor->topic, topic)) {
            return cursor;
        }
    }
    added = vec_push(&a->h->arena, &a->cursors);
    *added = (struct assert_cursor){ arena_copy(&a->h->arena, topic), partition, 0 };
    return added;
}

static int next_record(struct asserter *a, const struct source *source, struct kept_record *out,
                       struct error *err)
{
    struct kept_record *records = NULL;
    uint32_t count = 0;
    uint32_t in_partition = 0;

    TRY(harness_read(a->h, source->topic, &records, &count, err));
    for (uint32_t i = 0; i < count; i++) {
        struct assert_cursor *cursor = cursor_of(a, source->topic, records[i].partition);

        in_partition =
            i > 0 && records[i].partition == records[i - 1].partition ? in_partition + 1 : 0;
        if (in_partition == cursor->taken) {
            cursor->taken++;
            *out = records[i];
            return 0;
        }
    }
    return error_set(err, ERR_TEST_FAILED, NO_POSITION,
                     "%.*s has %u records; there is no further one", BYTES_ARG(source->name),
                     count);
}

/* --- comparing --- */

static bool is_listed(const struct ast_insert_values *expected, const struct column *column)
{
    for (uint32_t i = 0; i < expected->columns.count; i++) {
        if (bytes_equal(expected->columns.items[i].text, column->name)) {
            return true;
        }
    }
    return expected->columns.count == 0;
}

static bool cells_equal(const struct value *a, const struct value *b, const struct sql_type *type)
{
    if (value_is_null(a) || value_is_null(b)) {
        return value_is_null(a) && value_is_null(b);
    }
    return compare_equal(a, b, type);
}

static int compare_row(const struct source *source, const struct ast_insert_values *expected,
                       const struct insert_row *row, const struct value *cells,
                       const struct kept_record *record, struct error *err)
{
    for (uint32_t i = 0; i < source->schema.column_count; i++) {
        const struct column *column = &source->schema.columns[i];

        if (is_listed(expected, column) && !cells_equal(&row->cells[i], &cells[i], column->type)) {
            return error_set(err, ERR_TEST_FAILED, expected->target.at, "column %.*s differs",
                             BYTES_ARG(column->name));
        }
    }
    if (row->has_timestamp && row->timestamp_ms != record->timestamp_ms) {
        return error_set(err, ERR_TEST_FAILED, expected->target.at, "ROWTIME differs: %lld",
                         (long long)record->timestamp_ms);
    }
    return 0;
}

static int check_only_keys(const struct source *source, const struct ast_insert_values *expected,
                           struct error *err)
{
    for (uint32_t i = 0; i < expected->columns.count; i++) {
        const struct ast_name *name = &expected->columns.items[i];
        const struct column *column = schema_find(&source->schema, name->text);

        if (column && schema_index(&source->schema, column) >= source->schema.key_count) {
            return error_set(err, ERR_INSERT_COLUMNS, name->at,
                             "%.*s is no key column; ASSERT NULL VALUES has only those",
                             BYTES_ARG(name->text));
        }
    }
    return 0;
}

static int compare_record(struct harness *h, const struct source *source,
                          const struct ast_statement *statement, const struct kept_record *record,
                          struct error *err)
{
    bool wants_null = statement->kind == AST_ASSERT_NULL_VALUES;
    struct value *cells = arena_array(&h->arena, struct value, source->schema.column_count);
    struct insert_row row = { 0 };

    if (wants_null) {
        TRY(check_only_keys(source, &statement->insert_values, err));
    }
    TRY(expected_row(h, source, statement, &row, err));
    TRY(decode_side(h, source, SIDE_KEY, record->key, cells, err));
    if (wants_null != !record->value.data) {
        return error_set(err, ERR_TEST_FAILED, statement->at,
                         wants_null ? "the value is not null" : "the value is null");
    }
    TRY(decode_side(h, source, SIDE_VALUE, record->value, cells, err));
    return compare_row(source, &statement->insert_values, &row, cells, record, err);
}

int assert_values(struct asserter *a, const struct ast_statement *statement, struct buffer *report,
                  struct error *err)
{
    const struct source *source = NULL;
    struct kept_record record = { 0 };
    int code;

    TRY(find_source(a->h, &statement->insert_values.target, &source, err));
    TRY(next_record(a, source, &record, err));
    code = compare_record(a->h, source, statement, &record, err);
    if (code) {
        buffer_printf(report, "  expected %.*s\n  actual   ", BYTES_ARG(statement->text));
        record_print(harness_form(a->h, source->topic), &record, report);
        buffer_append_char(report, '\n');
    }
    return code;
}

/* --- ASSERT STREAM, ASSERT TABLE --- */

static int differs(const struct source *source, const char *what, struct error *err)
{
    return error_set(err, ERR_TEST_FAILED, NO_POSITION, "%.*s: the %s differs",
                     BYTES_ARG(source->name), what);
}

static bool same_format(const struct side_format *a, const struct side_format *b)
{
    struct bytes left = { a->options.delimiter, a->options.delimiter_len };
    struct bytes right = { b->options.delimiter, b->options.delimiter_len };

    return a->kind == b->kind && a->options.unwrapped == b->options.unwrapped &&
           bytes_equal(left, right);
}

static int compare_sources(const struct source *actual, const struct source *expected,
                           struct error *err)
{
    if (actual->kind != expected->kind) {
        return differs(actual, "kind", err);
    }
    if (!schema_equal(&actual->schema, &expected->schema)) {
        return differs(actual, "schema", err);
    }
    if (!bytes_equal(actual->topic, expected->topic)) {
        return differs(actual, "topic", err);
    }
    if (!same_format(&actual->key_format, &expected->key_format)) {
        return differs(actual, "key format", err);
    }
    if (!same_format(&actual->value_format, &expected->value_format)) {
        return differs(actual, "value format", err);
    }
    if (!bytes_equal(actual->timestamp_column, expected->timestamp_column) ||
        !bytes_equal(actual->timestamp_format, expected->timestamp_format)) {
        return differs(actual, "timestamp column", err);
    }
    return 0;
}

int assert_source(struct harness *h, const struct ast_statement *statement, struct error *err)
{
    const struct catalog *catalog = engine_catalog(h->engine);
    struct catalog *overlay = catalog_create(catalog);
    struct plan_context context = context_of(h, overlay);
    struct ast_statement create = *statement;
    const struct source *actual = NULL;
    struct source expected = { 0 };
    int code = find_source(h, &statement->create_source.name, &actual, err);

    create.kind = AST_CREATE_SOURCE;
    catalog_remove_source(overlay, statement->create_source.name.text);
    if (!code) {
        code = plan_create_source(&context, &create, &expected, err);
    }
    catalog_destroy(overlay);
    return code ? code : compare_sources(actual, &expected, err);
}
