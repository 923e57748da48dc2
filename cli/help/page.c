/*
 * page.c: what both kinds of page share: tables are gathered, lines are cut.
 */
#include "cli/help/page.h"

#include <string.h>

void page_init(struct page *page, FILE *to, const struct page_kind *kind)
{
    *page = (struct page){ .to = to, .kind = kind };
    arena_init(&page->arena, 0);
}

void page_fini(struct page *page)
{
    arena_fini(&page->arena);
}

void page_title(struct page *page, const char *text)
{
    page->kind->title(page, text);
}

void page_section(struct page *page, const char *text)
{
    page->kind->section(page, text);
}

void page_subsection(struct page *page, const char *text)
{
    page->kind->subsection(page, text);
}

void page_paragraph(struct page *page, const char *text)
{
    page->kind->paragraph(page, bytes_of(text));
}

void page_paragraph_bytes(struct page *page, struct bytes text)
{
    page->kind->paragraph(page, text);
}

void page_code(struct page *page, const char *language, const char *text)
{
    page->kind->code(page, language, bytes_of(text));
}

void page_code_bytes(struct page *page, const char *language, struct bytes text)
{
    page->kind->code(page, language, text);
}

void page_table_begin(struct page *page, const char *const *columns)
{
    struct page_table *table = &page->table;

    *table = (struct page_table){ 0 };
    for (; columns[table->column_count]; table->column_count++) {
        const char *heading = columns[table->column_count];

        table->is_code[table->column_count] = heading[0] == '`';
        table->columns[table->column_count] = heading[0] == '`' ? heading + 1 : heading;
    }
}

void page_cell(struct page *page, const char *text)
{
    page_cell_bytes(page, bytes_of(text));
}

void page_cell_bytes(struct page *page, struct bytes text)
{
    *vec_push(&page->arena, &page->table.cells) = arena_copy(&page->arena, text);
}

void page_table_end(struct page *page)
{
    page->kind->table(page, &page->table);
}

bool page_next_line(struct bytes *from, size_t width, struct bytes *line)
{
    size_t end = from->len;

    if (from->len == 0) {
        return false;
    }
    if (end > width) {
        end = width;
        while (end > 0 && from->data[end] != ' ') {
            end--;
        }
        while (end == 0 || (end < from->len && from->data[end] != ' ')) {
            end++; /* one word is longer than the line */
        }
    }
    *line = (struct bytes){ from->data, end };
    while (end < from->len && from->data[end] == ' ') {
        end++;
    }
    *from = (struct bytes){ from->data + end, from->len - end };
    return true;
}
