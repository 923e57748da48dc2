/*
 * ast_print.h: tree -> text that parses to an equal tree.
 *
 * Expression text is the canonical one of logs, errors and EXPLAIN: operators in
 * parentheses, names quoted only where they have to be. Statement text has WITH
 * properties in order of name and one select item per line; nothing is added
 * that the tree does not hold.
 */
#ifndef SLUICE_PARSER_AST_PRINT_H
#define SLUICE_PARSER_AST_PRINT_H

#include "parser/ast.h"

struct arena;

void ast_print_name(struct buffer *out, struct bytes name);   /* in backquotes where needed */
void ast_print_string(struct buffer *out, struct bytes text); /* 'it''s' */
void ast_print_literal(struct buffer *out, const struct ast_literal *literal);
void ast_print_type(struct buffer *out, const struct ast_type *type);
void ast_print_expr(struct buffer *out, const struct ast_expr *expr);
void ast_print_query(struct buffer *out, const struct ast_query *query);
void ast_print_statement(struct buffer *out, const struct ast_statement *statement); /* with ";" */

struct bytes ast_expr_text(struct arena *arena, const struct ast_expr *expr);

#endif
