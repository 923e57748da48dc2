/*
 * page.h: a page of the manual: headings, paragraphs, code and tables, written as plain text for
 * a terminal or as Markdown for docs/reference/.
 *
 * Texts are words, never markup: what a kind has to escape, it escapes.
 */
#ifndef SLUICE_CLI_HELP_PAGE_H
#define SLUICE_CLI_HELP_PAGE_H

#include <stdio.h>

#include "base/vec.h"

enum { PAGE_COLUMNS_MAX = 8 };

/* A heading that begins with a back quote is that of a column of code. */
struct page_table {
    const char *columns[PAGE_COLUMNS_MAX]; /* without the back quote */
    bool is_code[PAGE_COLUMNS_MAX];
    uint32_t column_count;
    VEC(struct bytes) cells; /* row by row */
};

struct page;

struct page_kind {
    void (*title)(struct page *page, const char *text);
    void (*section)(struct page *page, const char *text);
    void (*subsection)(struct page *page, const char *text);
    void (*paragraph)(struct page *page, struct bytes text);
    void (*code)(struct page *page, const char *language, struct bytes text);
    void (*table)(struct page *page, const struct page_table *table);
};

struct page {
    FILE *to;
    const struct page_kind *kind;
    struct arena arena;
    struct page_table table; /* begun and not ended */
};

extern const struct page_kind page_text;
extern const struct page_kind page_markdown;

void page_init(struct page *page, FILE *to, const struct page_kind *kind);
void page_fini(struct page *page);

void page_title(struct page *page, const char *text);
void page_section(struct page *page, const char *text);
void page_subsection(struct page *page, const char *text);
void page_paragraph(struct page *page, const char *text); /* wrapped */
void page_paragraph_bytes(struct page *page, struct bytes text);
void page_code(struct page *page, const char *language, const char *text);
void page_code_bytes(struct page *page, const char *language, struct bytes text);

/* columns: texts, NULL at the end. Cells are copied. */
void page_table_begin(struct page *page, const char *const *columns);
void page_cell(struct page *page, const char *text);
void page_cell_bytes(struct page *page, struct bytes text);
void page_table_end(struct page *page);

/*
 * The text from `from` as one line of at most `width` bytes, cut at a blank where there is
 * one; *from moves behind it. False at the end of the text.
 */
bool page_next_line(struct bytes *from, size_t width, struct bytes *line);

#endif
