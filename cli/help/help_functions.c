/*
 * help_functions.c: functions, from their families' tables: a section per name, in order of
 * category and name.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/help/help.h"
#include "engine/function/function.h"

/* One variant of a function. */
struct variant {
    const char *category;
    const char *name;
    uint32_t order;                         /* in the tables */
    const struct scalar_kind *scalar;       /* NULL: it is an aggregate */
    const struct aggregate_kind *aggregate; /* NULL: it is a scalar */
};

struct variants {
    VEC(struct variant) list;
};

static int compare_variants(const void *a, const void *b)
{
    const struct variant *left = a;
    const struct variant *right = b;
    int order = strcmp(left->category, right->category);

    order = order ? order : strcmp(left->name, right->name);
    return order ? order : (left->order > right->order) - (left->order < right->order);
}

static struct variants list_variants(struct arena *arena)
{
    struct variants all = { 0 };

    for (uint32_t i = 0; scalar_at(i); i++) {
        const struct scalar_kind *kind = scalar_at(i);

        *vec_push(arena, &all.list) = (struct variant){ kind->category, kind->name, i, kind, NULL };
    }
    for (uint32_t i = 0; aggregate_at(i); i++) {
        const struct aggregate_kind *kind = aggregate_at(i);

        *vec_push(arena, &all.list) = (struct variant){ "AGGREGATE", kind->name, i, NULL, kind };
    }
    if (all.list.count > 1) {
        qsort(all.list.items, all.list.count, sizeof *all.list.items, compare_variants);
    }
    return all;
}

static const char *doc_of(const struct variant *variant)
{
    const char *doc = variant->scalar ? variant->scalar->doc : variant->aggregate->doc;

    return doc ? doc : "";
}

static void print_signature(const struct variant *variant, struct buffer *out)
{
    if (variant->scalar) {
        scalar_print_signature(variant->scalar, out);
    } else {
        aggregate_print_signature(variant->aggregate, out);
    }
}

static bool same_docs(const struct variant *variants, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++) {
        if (strcmp(doc_of(&variants[i]), doc_of(&variants[0])) != 0) {
            return false;
        }
    }
    return true;
}

static void write_together(struct page *page, const struct variant *variants, uint32_t count)
{
    struct buffer text = { 0 };

    for (uint32_t i = 0; i < count; i++) {
        buffer_append_text(&text, i > 0 ? "\n" : "");
        print_signature(&variants[i], &text);
    }
    page_code_bytes(page, "", buffer_bytes(&text));
    page_paragraph(page, doc_of(&variants[0]));
    buffer_fini(&text);
}

static void write_one_by_one(struct page *page, const struct variant *variants, uint32_t count)
{
    static const char *const columns[] = { "`Variant", "What it does", NULL };

    page_table_begin(page, columns);
    for (uint32_t i = 0; i < count; i++) {
        struct buffer text = { 0 };

        print_signature(&variants[i], &text);
        page_cell_bytes(page, buffer_bytes(&text));
        page_cell(page, doc_of(&variants[i]));
        buffer_fini(&text);
    }
    page_table_end(page);
}

static void write_examples(struct page *page, const struct variant *variants, uint32_t count)
{
    struct buffer text = { 0 };

    for (uint32_t i = 0; i < count; i++) {
        if (variants[i].scalar && variants[i].scalar->example) {
            buffer_printf(&text, "%s%s", text.len > 0 ? "\n" : "", variants[i].scalar->example);
        }
    }
    if (text.len > 0) {
        page_code_bytes(page, "", buffer_bytes(&text));
    }
    buffer_fini(&text);
}

/* All variants of one name; the next one begins behind them. */
static uint32_t write_function(struct page *page, const struct variants *all, uint32_t from)
{
    const struct variant *first = &all->list.items[from];
    uint32_t count = 1;

    while (from + count < all->list.count && strcmp(first->name, first[count].name) == 0) {
        count++;
    }
    page_subsection(page, first->name);
    if (same_docs(first, count)) {
        write_together(page, first, count);
    } else {
        write_one_by_one(page, first, count);
    }
    if (first->aggregate && !first->aggregate->undo) {
        page_paragraph(page, "Not over tables: it cannot take a row back.");
    }
    write_examples(page, first, count);
    return from + count;
}

void help_write_functions(struct page *page)
{
    struct variants all = list_variants(&page->arena);
    const char *category = "";

    page_title(page, "Functions");
    page_paragraph(page, "Names may be written in any case. A value of a smaller number type is "
                         "taken where a greater one is asked for. Type letters such as T stand "
                         "for any type, the same wherever the letter is. What stands behind "
                         "the arrow of an example is its value.");
    for (uint32_t i = 0; i < all.list.count;) {
        if (strcmp(category, all.list.items[i].category) != 0) {
            category = all.list.items[i].category;
            page_section(page, category);
        }
        i = write_function(page, &all, i);
    }
}

bool help_write_function(struct page *page, struct bytes name)
{
    struct variants all = list_variants(&page->arena);

    for (uint32_t i = 0; i < all.list.count; i++) {
        if (bytes_equal_text_nocase(name, all.list.items[i].name)) {
            (void)write_function(page, &all, i);
            return true;
        }
    }
    return false;
}
