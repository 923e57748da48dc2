/*
 * help.h: `sluice help`: the manual, read from the tables that the program runs on.
 */
#ifndef SLUICE_CLI_HELP_HELP_H
#define SLUICE_CLI_HELP_HELP_H

#include "cli/help/page.h"
#include "parser/ast.h"

struct help_topic {
    const char *name;
    const char *doc;
    void (*write)(struct page *page);
};

/* Every page but that of the command line, which is the caller's; name NULL at the end. */
extern const struct help_topic help_topics[];

/*
 * Prints the topic, the statements or the function that the words name. False when nothing has
 * that name.
 */
bool help_print(const struct help_topic *command_line, char *const *words, int count);
/* The page of a topic as Markdown; without a name the names of all topics. */
bool help_print_markdown(const struct help_topic *command_line, const char *name);

/* --- topics --- */

void help_write_statements(struct page *page);
void help_write_statement(struct page *page, enum ast_statement_kind kind);
void help_write_functions(struct page *page);
bool help_write_function(struct page *page, struct bytes name); /* false: there is none */
void help_write_properties(struct page *page);                  /* of WITH */
void help_write_settings(struct page *page);
void help_write_types(struct page *page);
void help_write_formats(struct page *page);
void help_write_errors(struct page *page);
void help_write_keywords(struct page *page);

#endif
