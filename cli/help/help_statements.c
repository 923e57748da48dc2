/*
 * help_statements.c: statements, from the table of commands.
 */
#include "cli/help/help.h"
#include "engine/command/manual.h"

static const char *state_of(enum ast_statement_kind kind, const struct statement_manual *manual,
                            struct arena *arena)
{
    if (manual->refusal) {
        return arena_copy_text(arena,
                               arena_printf(arena, "A server refuses it: it %s.", manual->refusal));
    }
    return manual_is_built(kind) ? NULL : "Not built yet: the statement is refused.";
}

static void write_gaps(struct page *page, const struct statement_manual *manual)
{
    static const char *const columns[] = { "Not built yet", "`Refused", NULL };

    if (!manual->gaps[0].what) {
        return;
    }
    page_table_begin(page, columns);
    for (int i = 0; i < MANUAL_GAPS_MAX && manual->gaps[i].what; i++) {
        page_cell(page, manual->gaps[i].what);
        page_cell(page, manual->gaps[i].statement);
    }
    page_table_end(page);
}

void help_write_statement(struct page *page, enum ast_statement_kind kind)
{
    const struct statement_manual *manual = manual_find(kind);
    const char *state = state_of(kind, manual, &page->arena);

    page_section(page, ast_statement_name(kind));
    page_code(page, "", manual->syntax);
    page_paragraph(page, manual->doc);
    if (state) {
        page_paragraph(page, state);
    }
    if (manual->example) {
        page_code(page, "sql", manual->example);
    }
    write_gaps(page, manual);
}

void help_write_statements(struct page *page)
{
    page_title(page, "Statements");
    page_paragraph(page, "A statement ends with a semicolon. Keywords may be written in any case; "
                         "names too, and are upper case then, unless they stand in back quotes or "
                         "double quotes. Comments begin with -- or stand between /* and */.");
    page_paragraph(page, "Below, words in capitals are written as they are, others stand for "
                         "something; [ ] may be left out, { } may be repeated or left out, "
                         "( | ) is a choice, and ... stands for more of the same.");
    page_paragraph(page, "The examples work behind these statements:");
    page_code(page, "sql", manual_setup);
    for (int kind = 0; kind < AST_STATEMENT_KINDS; kind++) {
        help_write_statement(page, (enum ast_statement_kind)kind);
    }
}
