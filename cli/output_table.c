/*
 * output_table.c: results as aligned text (statements.md 7 and 8.3).
 *
 * A table is as wide as its widest cells. Rows of a query come one by one, so their columns share
 * the line evenly and long cells are folded.
 */
#include <string.h>

#include "base/utf8.h"
#include "cli/output.h"
#include "engine/type/cast.h"

enum { NARROWEST_CELL = 5 };

static const char dots[] = "...";

static void repeat(struct buffer *out, char c, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        buffer_append_char(out, c);
    }
}

/* --- tables of text --- */

static size_t width_of(struct bytes text)
{
    size_t widest = 0;
    size_t begin = 0;

    for (size_t i = 0; i <= text.len; i++) {
        if (i == text.len || text.data[i] == '\n') {
            size_t width = utf8_count((struct bytes){ text.data + begin, i - begin });

            widest = width > widest ? width : widest;
            begin = i + 1;
        }
    }
    return widest;
}

/* The number-th line of a cell; empty when it has fewer. */
static struct bytes line_of(struct bytes text, uint32_t number)
{
    size_t begin = 0;

    for (size_t i = 0; i <= text.len; i++) {
        if (i == text.len || text.data[i] == '\n') {
            if (number-- == 0) {
                return (struct bytes){ text.data + begin, i - begin };
            }
            begin = i + 1;
        }
    }
    return bytes_of("");
}

static uint32_t lines_in(struct bytes text)
{
    uint32_t lines = 1;

    for (size_t i = 0; i < text.len; i++) {
        lines += text.data[i] == '\n';
    }
    return lines;
}

static void print_row(struct buffer *out, const struct bytes *cells, const size_t *widths,
                      uint32_t count)
{
    uint32_t lines = 1;

    for (uint32_t c = 0; c < count; c++) {
        uint32_t own = lines_in(cells[c]);

        lines = own > lines ? own : lines;
    }
    for (uint32_t line = 0; line < lines; line++) {
        for (uint32_t c = 0; c < count; c++) {
            struct bytes text = line_of(cells[c], line);

            buffer_append_text(out, c == 0 ? " " : " | ");
            buffer_append_bytes(out, text);
            repeat(out, ' ', widths[c] - utf8_count(text));
        }
        buffer_append_text(out, " \n");
    }
}

static void print_rule(struct buffer *out, const size_t *widths, uint32_t count, size_t most)
{
    size_t width = 0;

    for (uint32_t c = 0; c < count; c++) {
        width += widths[c] + 3;
    }
    width -= 1; /* " a | b ": one less than three per column */
    repeat(out, '-', width < most ? width : most);
    buffer_append_char(out, '\n');
}

static void print_grid(struct output *out, const struct result_table *table)
{
    uint32_t columns = table->column_count;
    size_t *widths = arena_array(&out->arena, size_t, columns);

    for (uint32_t c = 0; c < columns; c++) {
        widths[c] = width_of(table->columns[c]);
        for (uint32_t r = 0; r < table->row_count; r++) {
            size_t width = width_of(table->cells[(size_t)r * columns + c]);

            widths[c] = width > widths[c] ? width : widths[c];
        }
    }
    print_row(&out->line, table->columns, widths, columns);
    print_rule(&out->line, widths, columns, out->settings.width);
    for (uint32_t r = 0; r < table->row_count; r++) {
        print_row(&out->line, &table->cells[(size_t)r * columns], widths, columns);
    }
    print_rule(&out->line, widths, columns, out->settings.width);
}

static void print_lines(struct buffer *out, struct bytes text)
{
    buffer_append_bytes(out, text);
    if (text.len > 0 && text.data[text.len - 1] != '\n') {
        buffer_append_char(out, '\n');
    }
}

static void tell_table(void *context, const struct result_table *table)
{
    struct output *out = context;

    buffer_append_char(&out->line, '\n');
    print_lines(&out->line, table->heading);
    if (table->text.data) {
        print_lines(&out->line, table->text);
    } else {
        print_grid(out, table);
    }
    print_lines(&out->line, table->footer);
    output_flush(out);
    arena_reset(&out->arena);
}

/* Only the first line of a message is shown. */
static void tell_message(void *context, struct bytes message)
{
    static const struct bytes columns[] = { BYTES("Message") };
    struct bytes cell = line_of(message, 0);
    struct result_table table = {
        .columns = columns, .column_count = 1, .cells = &cell, .row_count = 1
    };

    tell_table(context, &table);
}

static void tell_warning(void *context, struct bytes message)
{
    struct output *out = context;

    buffer_printf(&out->line, "WARNING: %.*s\n", BYTES_ARG(message));
    output_flush(out);
}

/* --- rows of a query --- */

static size_t cell_width(const struct output *out)
{
    size_t columns = out->schema->column_count ? out->schema->column_count : 1;
    size_t share = out->settings.width / columns;

    if (out->settings.column_width > 0) {
        share = (size_t)out->settings.column_width + 2;
    }
    return share < NARROWEST_CELL + 2 ? NARROWEST_CELL : share - 2;
}

static void print_box_rule(struct output *out)
{
    for (uint32_t c = 0; c < out->schema->column_count; c++) {
        buffer_append_char(&out->line, '+');
        repeat(&out->line, '-', cell_width(out) + 1);
    }
    buffer_append_text(&out->line, "+\n");
}

/* Where the next `width` characters end, from `at` on; a line of the text ends there too. */
static size_t skip_characters(struct bytes text, size_t at, size_t width)
{
    uint32_t ignored;

    for (size_t i = 0; i < width && at < text.len && text.data[at] != '\n'; i++) {
        size_t size = utf8_decode(text, at, &ignored);

        at += size ? size : 1;
    }
    return at;
}

/* A cell on one line: its end gives way to dots when something but blanks would be lost. */
static struct bytes cut_cell(struct output *out, struct bytes text, size_t width)
{
    size_t end = skip_characters(text, 0, width);
    size_t rest = end;

    while (rest < text.len && text.data[rest] == ' ') {
        rest++;
    }
    if (rest == text.len) {
        return (struct bytes){ text.data, end };
    }
    end = skip_characters(text, 0, width - strlen(dots));
    return arena_printf(&out->arena, "%.*s%s", (int)end, text.data, dots);
}

static void print_box_row(struct output *out, const struct bytes *cells)
{
    uint32_t columns = out->schema->column_count;
    size_t *at = arena_array(&out->arena, size_t, columns);
    size_t width = cell_width(out);
    bool more = true;

    while (more) {
        more = false;
        for (uint32_t c = 0; c < columns; c++) {
            size_t end = skip_characters(cells[c], at[c], width);
            struct bytes part = { cells[c].data + at[c], end - at[c] };

            buffer_append_char(&out->line, '|');
            buffer_append_bytes(&out->line, part);
            repeat(&out->line, ' ', width + 1 - utf8_count(part));
            at[c] = end + (end < cells[c].len && cells[c].data[end] == '\n');
            more = more || at[c] < cells[c].len;
        }
        buffer_append_text(&out->line, "|\n");
    }
}

static void begin_rows(void *context, struct bytes query_id, const struct schema *schema)
{
    struct output *out = context;
    struct bytes *names = arena_array(&out->arena, struct bytes, schema->column_count);

    (void)query_id; /* shown in JSON */
    out->schema = schema;
    row_guard_begin(&out->guard, &out->settings);
    for (uint32_t c = 0; c < schema->column_count; c++) {
        names[c] = schema->columns[c].name;
    }
    buffer_append_char(&out->line, '\n');
    print_box_rule(out);
    print_box_row(out, names);
    print_box_rule(out);
    output_show(out);
    arena_reset(&out->arena);
}

/* Data must not move the terminal's cursor: only the end of a line stays. */
static void blank_controls(struct buffer *text)
{
    for (size_t i = 0; i < text->len; i++) {
        unsigned char c = (unsigned char)text->data[i];

        if ((c < ' ' && c != '\n') || c == 0x7f) {
            text->data[i] = ' ';
        }
    }
}

static struct bytes cell_text(struct output *out, const struct value *cell,
                              const struct sql_type *type, bool tombstone)
{
    struct buffer text = { 0 };
    struct bytes copy;

    if (tombstone && value_is_null(cell)) {
        return bytes_of("<TOMBSTONE>");
    }
    cast_print(cell, type, &text);
    blank_controls(&text);
    copy = arena_copy(&out->arena, buffer_bytes(&text));
    buffer_fini(&text);
    return copy;
}

static bool tell_row(void *context, const struct value *cells, bool tombstone, int64_t timestamp_ms)
{
    struct output *out = context;
    uint32_t columns = out->schema->column_count;
    struct bytes *texts = arena_array(&out->arena, struct bytes, columns);

    (void)timestamp_ms; /* ROWTIME shows it to those who select it */
    for (uint32_t c = 0; c < columns; c++) {
        texts[c] = cell_text(out, &cells[c], out->schema->columns[c].type, tombstone);
        if (out->settings.cut_cells) {
            texts[c] = cut_cell(out, texts[c], cell_width(out));
        }
    }
    print_box_row(out, texts);
    output_show(out);
    arena_reset(&out->arena);
    return row_guard_next(&out->guard, &out->settings);
}

static void end_rows(void *context, struct bytes message)
{
    static const char over[] = "Query terminated";
    struct output *out = context;

    buffer_printf(&out->line, "%.*s\n", BYTES_ARG(message));
    if (!bytes_equal_text(message, over)) {
        buffer_printf(&out->line, "%s\n", over);
    }
    output_flush(out);
    out->schema = NULL;
}

const struct output_kind output_table = {
    .name = "tabular",
    .sink = { .message = tell_message,
              .warning = tell_warning,
              .table = tell_table,
              .rows_begin = begin_rows,
              .row = tell_row,
              .rows_end = end_rows },
};
