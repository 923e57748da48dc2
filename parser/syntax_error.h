/*
 * syntax_error.h: says what was found, what would fit, and what was meant.
 */
#ifndef SLUICE_PARSER_SYNTAX_ERROR_H
#define SLUICE_PARSER_SYNTAX_ERROR_H

#include "parser/lexer.h"

/*
 * `found` does not fit; `expected` holds which token kinds would. `previous` is
 * the token before, kind 0 at the start: a misspelt keyword may have passed as a
 * name. Returns ERR_SYNTAX.
 */
int syntax_error_report(struct token found, struct token previous, const bool *expected,
                        struct error *err);

#endif
