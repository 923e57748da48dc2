/*
 * page_text.c: pages as plain text, 80 characters wide. The last column of a table is
 * wrapped; a table that is too wide for that is printed as a list.
 */
#include <assert.h>
#include <string.h>

#include "cli/help/page.h"

enum { WIDTH = 80, GAP = 2, LAST_COLUMN_LEAST = 20, RECORD_INDENT = 6 };

static void text_heading(struct page *page, const char *text)
{
    fprintf(page->to, "%s\n\n", text);
}

static void text_paragraph(struct page *page, struct bytes text)
{
    struct bytes line;

    while (page_next_line(&text, WIDTH, &line)) {
        fprintf(page->to, "%.*s\n", BYTES_ARG(line));
    }
    fputc('\n', page->to);
}

static void text_code(struct page *page, const char *language, struct bytes text)
{
    size_t begin = 0;

    for (size_t i = 0; i <= text.len; i++) {
        if (i == text.len || text.data[i] == '\n') {
            fprintf(page->to, "    %.*s\n", (int)(i - begin), text.data + begin);
            begin = i + 1;
        }
    }
    fputc('\n', page->to);
}

/* --- tables --- */

static size_t width_of(struct bytes text)
{
    size_t width = 0;

    for (size_t i = 0; i < text.len; i++) {
        width += ((unsigned char)text.data[i] & 0xC0U) != 0x80U;
    }
    return width;
}

static void print_cell(struct page *page, struct bytes text, size_t width)
{
    size_t used = width_of(text);

    fprintf(page->to, "%.*s%*s", BYTES_ARG(text), (int)(used < width ? width - used : 0), "");
}

static void print_row(struct page *page, const struct page_table *table, const struct bytes *cells,
                      const size_t *widths)
{
    uint32_t last = table->column_count - 1;
    struct bytes rest = cells[last];
    struct bytes line = { "", 0 };
    size_t indent = GAP;

    fprintf(page->to, "%*s", GAP, "");
    for (uint32_t i = 0; i < last; i++) {
        print_cell(page, cells[i], widths[i] + GAP);
        indent += widths[i] + GAP;
    }
    (void)page_next_line(&rest, widths[last], &line);
    fprintf(page->to, "%.*s\n", BYTES_ARG(line));
    while (page_next_line(&rest, widths[last], &line)) {
        fprintf(page->to, "%*s%.*s\n", (int)indent, "", BYTES_ARG(line));
    }
}

/* Columns that are too wide stand below each other. */
static void print_record(struct page *page, const struct page_table *table,
                         const struct bytes *cells)
{
    struct buffer text = { 0 };
    struct bytes rest;
    struct bytes line;

    for (uint32_t i = 1; i < table->column_count; i++) {
        if (cells[i].len > 0) {
            buffer_printf(&text, "%s%s: %.*s", text.len > 0 ? "; " : "", table->columns[i],
                          BYTES_ARG(cells[i]));
        }
    }
    rest = buffer_bytes(&text);
    fprintf(page->to, "%*s%.*s\n", GAP, "", BYTES_ARG(cells[0]));
    while (page_next_line(&rest, WIDTH - RECORD_INDENT, &line)) {
        fprintf(page->to, "%*s%.*s\n", RECORD_INDENT, "", BYTES_ARG(line));
    }
    buffer_fini(&text);
}

/* Of all columns but the last, which gets the rest. */
static size_t measure(const struct page_table *table, size_t *widths)
{
    size_t used = GAP;

    for (uint32_t i = 0; i + 1 < table->column_count; i++) {
        widths[i] = strlen(table->columns[i]);
        for (uint32_t at = i; at < table->cells.count; at += table->column_count) {
            size_t width = width_of(table->cells.items[at]);

            widths[i] = width > widths[i] ? width : widths[i];
        }
        used += widths[i] + GAP;
    }
    return used;
}

static void text_table(struct page *page, const struct page_table *table)
{
    size_t widths[PAGE_COLUMNS_MAX] = { 0 };
    struct bytes headings[PAGE_COLUMNS_MAX] = { 0 };
    size_t used = measure(table, widths);
    bool is_wide = used + LAST_COLUMN_LEAST > WIDTH;

    assert(table->column_count > 0);
    widths[table->column_count - 1] = is_wide ? 0 : WIDTH - used;
    for (uint32_t i = 0; i < table->column_count; i++) {
        headings[i] = bytes_of(table->columns[i]);
    }
    if (!is_wide) {
        print_row(page, table, headings, widths);
    }
    for (uint32_t at = 0; at < table->cells.count; at += table->column_count) {
        if (is_wide) {
            print_record(page, table, &table->cells.items[at]);
        } else {
            print_row(page, table, &table->cells.items[at], widths);
        }
    }
    fputc('\n', page->to);
}

const struct page_kind page_text = {
    .title = text_heading,
    .section = text_heading,
    .subsection = text_heading,
    .paragraph = text_paragraph,
    .code = text_code,
    .table = text_table,
};
