/*
 * grammar_run.h: the generated parser as parse.c drives it.
 *
 * A grammar reads one statement, expression or type: first the token
 * TOKEN_START_*, then the tokens of the text, last kind 0. What comes of it is in
 * the struct ast_build; when that has failed nothing more may be pushed.
 */
#ifndef SLUICE_PARSER_GRAMMAR_RUN_H
#define SLUICE_PARSER_GRAMMAR_RUN_H

#include "parser/lexer.h"

struct ast_build;
struct grammar;

enum { GRAMMAR_TOKENS_MAX = 256 }; /* no fewer than the token kinds */

struct grammar *grammar_create(struct ast_build *b);
void grammar_restart(struct grammar *grammar, struct ast_build *b);
void grammar_push(struct grammar *grammar, int kind, struct token token);
void grammar_destroy(struct grammar *grammar);

/*
 * Which tokens would fit next, keywords as themselves and not as names.
 * `expected` has GRAMMAR_TOKENS_MAX places; ask before a wrong one is pushed.
 */
void grammar_expected(const struct grammar *grammar, bool *expected);

#endif
