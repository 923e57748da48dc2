/*
 * remote_rows.c: elements of a query's answer to typed rows.
 *
 * A row is a JSON array; the JSON format reads objects. So a row is rewritten as an object with
 * the columns' numbers as names, and decoded by the types of the header. Times of day, dates and
 * bytes are text on this way, and are shown as that text.
 */
#include "cli/remote/remote_rows.h"

#include <string.h>

#include "cli/remote/remote_entities.h"
#include "engine/expr/expr.h"
#include "engine/format/json_scan.h"
#include "parser/parse.h"

void remote_rows_init(struct remote_rows *rows, const struct result_sink *sink)
{
    *rows = (struct remote_rows){ .sink = sink };
    arena_init(&rows->arena, 0);
    arena_init(&rows->row, 0);
}

void remote_rows_fini(struct remote_rows *rows)
{
    if (rows->decoder.kind) {
        decoder_close(&rows->decoder);
    }
    buffer_fini(&rows->pending);
    buffer_fini(&rows->object);
    arena_fini(&rows->arena);
    arena_fini(&rows->row);
}

/* --- JSON --- */

/* Behind the name `wanted` of the object that begins at the scanner; false: it has none. */
static bool enter_member(struct json_scanner *scanner, const char *wanted)
{
    if (json_next(scanner) != JSON_OBJECT) {
        return false;
    }
    for (;;) {
        struct bytes name;

        if (json_next(scanner) != JSON_STRING) {
            return false;
        }
        name = scanner->text;
        if (json_next(scanner) != JSON_COLON) {
            return false;
        }
        if (bytes_equal_text(name, wanted)) {
            return true;
        }
        if (!json_skip(scanner) || json_next(scanner) != JSON_COMMA) {
            return false;
        }
    }
}

/* --- the header --- */

/* As it travels: with text where JSON has no type of its own. */
static const struct sql_type *travelling_type(struct arena *arena, const struct sql_type *type)
{
    struct sql_field *fields;

    if (type_is_temporal(type->id) || type->id == T_BYTES) {
        return type_scalar(T_STRING);
    }
    if (type->id == T_ARRAY) {
        return type_array(arena, travelling_type(arena, type->element));
    }
    if (type->id == T_MAP) {
        return type_map(arena, type->key, travelling_type(arena, type->element));
    }
    if (type->id != T_STRUCT) {
        return type;
    }
    fields = arena_array(arena, struct sql_field, type->field_count);
    for (uint32_t i = 0; i < type->field_count; i++) {
        fields[i] = (struct sql_field){ type->fields[i].name,
                                        travelling_type(arena, type->fields[i].type) };
    }
    return type_struct(arena, fields, type->field_count);
}

static int read_columns(struct remote_rows *rows, const struct ast_column_def_list *defined,
                        struct error *err)
{
    struct column *columns = arena_array(&rows->arena, struct column, defined->count);

    rows->slots = arena_array(&rows->arena, struct column, defined->count);
    for (uint32_t i = 0; i < defined->count; i++) {
        const struct sql_type *type = NULL;

        TRY(type_bind(&rows->arena, NULL, defined->items[i].type, &type, err));
        columns[i] = (struct column){ .name = defined->items[i].name.text,
                                      .type = travelling_type(&rows->arena, type),
                                      .role = COLUMN_VALUE };
        rows->slots[i] = columns[i];
        rows->slots[i].name = arena_printf(&rows->arena, "%u", i);
    }
    rows->schema = (struct schema){ columns, defined->count, 0 };
    rows->cells = arena_array(&rows->arena, struct value, defined->count);
    return 0;
}

/* The text of a member that is a string; absent else. */
static struct bytes member_text(struct remote_rows *rows, struct bytes object, const char *name)
{
    struct json_scanner scanner = { .at = object.data, .end = object.data + object.len };
    char *copy;

    if (!enter_member(&scanner, name) || json_next(&scanner) != JSON_STRING) {
        return (struct bytes){ NULL, 0 };
    }
    copy = arena_alloc(&rows->arena, scanner.text.len + 1);
    return (struct bytes){ copy, json_unescape(scanner.text, copy) };
}

static int begin(struct remote_rows *rows, struct bytes header, struct error *err)
{
    struct bytes schema = member_text(rows, header, "schema");
    struct bytes id = member_text(rows, header, "queryId");
    struct decoder_spec spec = { .side = SIDE_VALUE };
    struct ast_script script;
    struct bytes text;

    if (!schema.data || rows->has_begun) {
        return error_set(err, ERR_SERVER, NO_POSITION, "The server's rows have no schema, or two");
    }
    text = arena_printf(&rows->arena, "CREATE STREAM s (%.*s) WITH (KAFKA_TOPIC = 's');",
                        BYTES_ARG(schema));
    TRY(parse_script(&rows->arena, text, &script, err));
    TRY(read_columns(rows, &script.statements.items[0]->create_source.columns, err));
    spec.columns = rows->slots;
    spec.column_count = rows->schema.column_count;
    TRY(decoder_open(&rows->decoder, format_find(bytes_of("JSON")), &spec, err));
    rows->has_begun = true;
    rows->sink->rows_begin(rows->sink->context, id.data ? id : bytes_of(""), &rows->schema);
    return 0;
}

/* --- rows --- */

/* [a,b] becomes {"0":a,"1":b}. */
static bool rewrite_array(struct remote_rows *rows, struct json_scanner *scanner)
{
    struct json_scanner look = *scanner;
    uint32_t number = 0;

    rows->object.len = 0;
    buffer_append_char(&rows->object, '{');
    if (json_next(&look) == JSON_ARRAY_END) {
        *scanner = look;
        buffer_append_char(&rows->object, '}');
        return true;
    }
    for (;;) {
        const char *from = scanner->at;
        enum json_token token;

        if (!json_skip(scanner)) {
            return false;
        }
        buffer_printf(&rows->object, "%s\"%u\":", number ? "," : "", number);
        buffer_append(&rows->object, from, (size_t)(scanner->at - from));
        number++;
        token = json_next(scanner);
        if (token != JSON_COMMA) {
            buffer_append_char(&rows->object, '}');
            return token == JSON_ARRAY_END && number == rows->schema.column_count;
        }
    }
}

/* Whether the object says so; its text is a row's. */
static bool is_tombstone(struct bytes row)
{
    struct json_scanner scanner = { .at = row.data, .end = row.data + row.len };

    return enter_member(&scanner, "tombstone") && json_next(&scanner) == JSON_TRUE;
}

static int tell_row(struct remote_rows *rows, struct bytes row, struct error *err)
{
    struct json_scanner scanner = { .at = row.data, .end = row.data + row.len };
    bool is_null = false;

    if (!rows->has_begun || !enter_member(&scanner, "columns") ||
        json_next(&scanner) != JSON_ARRAY || !rewrite_array(rows, &scanner)) {
        return error_set(err, ERR_SERVER, NO_POSITION,
                         "The server sent a row that does not fit the schema it sent before");
    }
    arena_reset(&rows->row);
    TRY(rows->decoder.kind->decode_row(&rows->decoder, buffer_bytes(&rows->object), rows->cells,
                                       &is_null, &rows->row, err));
    rows->was_ended =
        rows->was_ended || !rows->sink->row(rows->sink->context, rows->cells, is_tombstone(row), 0);
    return 0;
}

static void end(struct remote_rows *rows, struct bytes message)
{
    if (rows->has_begun && !rows->has_ended) {
        rows->sink->rows_end(rows->sink->context, message);
    }
    rows->has_ended = true;
}

/* --- lines --- */

/* An element without what separates it from its neighbours. */
static struct bytes strip(struct bytes line)
{
    while (line.len > 0 && strchr("[, \r", line.data[0])) {
        line.data++;
        line.len--;
    }
    while (line.len > 0 && strchr("], \r", line.data[line.len - 1])) {
        line.len--;
    }
    return line;
}

static int take_final_message(struct remote_rows *rows, struct bytes value, struct error *err)
{
    end(rows, value.len >= 2 ? (struct bytes){ value.data + 1, value.len - 2 } : value);
    return 0;
}

static int take_error(struct remote_rows *rows, struct bytes value, struct error *err)
{
    return entity_error(value, 0, err);
}

static const struct {
    const char *name;
    int (*take)(struct remote_rows *rows, struct bytes value, struct error *err);
} elements[] = {
    { "row", tell_row },
    { "header", begin },
    { "finalMessage", take_final_message },
    { "errorMessage", take_error },
};

static int take_element(struct remote_rows *rows, struct bytes element, struct error *err)
{
    for (size_t i = 0; i < sizeof elements / sizeof elements[0]; i++) {
        struct json_scanner scanner = { .at = element.data, .end = element.data + element.len };

        if (enter_member(&scanner, elements[i].name)) {
            const char *from = scanner.at;

            return json_skip(&scanner)
                       ? elements[i].take(rows, (struct bytes){ from, (size_t)(scanner.at - from) },
                                          err)
                       : error_set(err, ERR_SERVER, NO_POSITION, "The server's JSON is malformed");
        }
    }
    return entity_error(element, 0, err);
}

/* What is no element is a line of PRINT. */
static int take_line(struct remote_rows *rows, struct bytes whole, struct error *err)
{
    const struct result_sink *sink = rows->sink;
    struct bytes line = strip(whole);

    if (line.len == 0) {
        return 0;
    }
    if (line.data[0] == '{') {
        return take_element(rows, line, err);
    }
    rows->was_ended = sink->printed && !sink->printed(sink->context, PRINTED_RECORD, whole);
    return 0;
}

bool remote_rows_take(struct remote_rows *rows, struct bytes part)
{
    const char *line_end;

    while (!rows->failure.code && !rows->was_ended &&
           (line_end = memchr(part.data, '\n', part.len))) {
        size_t len = (size_t)(line_end - part.data);

        buffer_append(&rows->pending, part.data, len);
        (void)take_line(rows, buffer_bytes(&rows->pending), &rows->failure);
        rows->pending.len = 0;
        part.data += len + 1;
        part.len -= len + 1;
    }
    buffer_append_bytes(&rows->pending, part);
    return !rows->failure.code && !rows->was_ended;
}

int remote_rows_finish(struct remote_rows *rows, struct error *err)
{
    if (!rows->failure.code && rows->pending.len > 0 && !rows->was_ended) {
        (void)take_line(rows, buffer_bytes(&rows->pending), &rows->failure);
    }
    end(rows, bytes_of("Query Completed"));
    if (rows->failure.code) {
        return error_set(err, rows->failure.code, NO_POSITION, "%s", rows->failure.message);
    }
    return 0;
}
