/*
 * parse.h: the door of the parser: text -> syntax tree.
 *
 * The tree lives in the arena and points into the text; both must outlive it.
 * A failure gives one error with its line:column (columns count characters):
 * ERR_SYNTAX for what is no SQL, not UTF-8 or holds a NUL, ERR_INVALID_LITERAL,
 * ERR_INVALID_NAME, ERR_TOO_LARGE, ERR_TOO_DEEP, ERR_VARIABLE, ERR_UNSUPPORTED for AT
 * TIME ZONE. Safe from any thread.
 */
#ifndef SLUICE_PARSER_PARSE_H
#define SLUICE_PARSER_PARSE_H

#include "parser/ast.h"

struct arena;

enum { PARSE_TEXT_MAX = 8 * 1024 * 1024 };

/* Any number of statements, each ended by ";". */
int parse_script(struct arena *arena, struct bytes text, struct ast_script *out, struct error *err);
/*
 * The same with variables. Statements are read one behind the other, and `read` is told each, so
 * that DEFINE counts for those behind it; it may change `enabled`. The text of a statement is as
 * it was written with variables replaced; places are those of what was written.
 */
struct parse_variables {
    struct bytes (*find)(void *context, struct bytes name); /* in upper case; absent: not defined */
    void (*read)(void *context, const struct ast_statement *statement);
    void *context;
    bool enabled; /* off: ${name} in a string stays as it is, elsewhere it is an error */
};
int parse_script_with(struct arena *arena, struct bytes text, struct parse_variables *variables,
                      struct ast_script *out, struct error *err);
/* A letter or _, then letters, digits, _ and @. */
bool parse_is_variable_name(struct bytes name);

/* The text is one expression (a bare lambda is none), or one type, and nothing else. */
int parse_expression(struct arena *arena, struct bytes text, struct ast_expr **out,
                     struct error *err);
int parse_type(struct arena *arena, struct bytes text, struct ast_type **out, struct error *err);

/*
 * The line of `at` and a caret below, both ended by a newline; a long line is cut around the
 * place. Appends nothing when `at` is no place in the text.
 */
void parse_error_excerpt(struct bytes text, struct position at, struct buffer *out);

/* Whether the name needs no quotes: it is upper case, and no word the grammar keeps for itself. */
bool parse_is_bare_name(struct bytes name);

#endif
