/*
 * output_json.c: results as JSON, a document per line: entities with the names of the REST
 * API's, rows as its query endpoint streams them (rest-api.md 2 and 4).
 */
#include "cli/output.h"

static void print_member(struct buffer *out, const char *name, struct bytes text)
{
    buffer_append_char(out, ',');
    text_print_json(bytes_of(name), out);
    buffer_append_char(out, ':');
    text_print_json(text, out);
}

static void begin_entity(struct output *out, const char *kind)
{
    buffer_append_text(&out->line, "{\"@type\":");
    text_print_json(bytes_of(kind), &out->line);
    print_member(&out->line, "statementText", out->statement);
}

static void end_document(struct output *out)
{
    buffer_append_text(&out->line, "}\n");
    output_show(out);
}

static void tell_statement(void *context, struct bytes text)
{
    struct output *out = context;

    arena_reset(&out->arena);
    out->statement = arena_copy(&out->arena, text);
}

static void tell_message(void *context, struct bytes message)
{
    struct output *out = context;

    begin_entity(out, "currentStatus");
    buffer_append_text(&out->line, ",\"commandStatus\":{\"status\":\"SUCCESS\"");
    print_member(&out->line, "message", message);
    buffer_append_char(&out->line, '}');
    end_document(out);
}

static void tell_warning(void *context, struct bytes message)
{
    struct output *out = context;

    begin_entity(out, "warning_entity");
    print_member(&out->line, "message", message);
    end_document(out);
}

static void print_rows(struct buffer *out, const struct result_table *table)
{
    buffer_append_text(out, ",\"rows\":[");
    for (uint32_t r = 0; r < table->row_count; r++) {
        buffer_append_text(out, r ? ",{" : "{");
        for (uint32_t c = 0; c < table->column_count; c++) {
            if (c > 0) {
                buffer_append_char(out, ',');
            }
            text_print_json(table->columns[c], out);
            buffer_append_char(out, ':');
            text_print_json(table->cells[(size_t)r * table->column_count + c], out);
        }
        buffer_append_char(out, '}');
    }
    buffer_append_char(out, ']');
}

static void tell_table(void *context, const struct result_table *table)
{
    struct output *out = context;

    begin_entity(out, table->kind);
    if (table->heading.data) {
        print_member(&out->line, "heading", table->heading);
    }
    if (table->text.data) {
        print_member(&out->line, "text", table->text);
    } else {
        print_rows(&out->line, table);
    }
    if (table->footer.data) {
        print_member(&out->line, "footer", table->footer);
    }
    end_document(out);
}

static void begin_rows(void *context, struct bytes query_id, const struct schema *schema)
{
    struct output *out = context;
    struct buffer columns = { 0 };

    out->schema = schema;
    row_guard_begin(&out->guard, &out->settings);
    for (uint32_t c = 0; c < schema->column_count; c++) {
        if (c > 0) {
            buffer_append_text(&columns, ", ");
        }
        name_print_quoted(schema->columns[c].name, &columns);
        buffer_append_char(&columns, ' ');
        type_print(schema->columns[c].type, &columns);
    }
    buffer_append_text(&out->line, "{\"header\":{\"queryId\":");
    text_print_json(query_id, &out->line);
    print_member(&out->line, "schema", buffer_bytes(&columns));
    buffer_append_char(&out->line, '}');
    buffer_fini(&columns);
    end_document(out);
}

static bool tell_row(void *context, const struct value *cells, bool tombstone, int64_t timestamp_ms)
{
    struct output *out = context;

    (void)timestamp_ms; /* ROWTIME shows it to those who select it */
    buffer_append_text(&out->line, "{\"row\":{\"columns\":[");
    for (uint32_t c = 0; c < out->schema->column_count; c++) {
        if (c > 0) {
            buffer_append_char(&out->line, ',');
        }
        value_print_json(&cells[c], out->schema->columns[c].type, &out->line);
    }
    buffer_append_text(&out->line, tombstone ? "],\"tombstone\":true}" : "]}");
    end_document(out);
    return row_guard_next(&out->guard, &out->settings);
}

static void end_rows(void *context, struct bytes message)
{
    struct output *out = context;

    buffer_append_text(&out->line, "{\"finalMessage\":");
    text_print_json(message, &out->line);
    end_document(out);
    out->schema = NULL;
}

const struct output_kind output_json = {
    .name = "json",
    .sink = { .statement = tell_statement,
              .message = tell_message,
              .warning = tell_warning,
              .table = tell_table,
              .rows_begin = begin_rows,
              .row = tell_row,
              .rows_end = end_rows },
};
