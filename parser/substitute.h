/*
 * substitute.h: variables: what ${name} becomes, token by token.
 */
#ifndef SLUICE_PARSER_SUBSTITUTE_H
#define SLUICE_PARSER_SUBSTITUTE_H

#include "parser/lexer.h"
#include "parser/parse.h"

/* A token, or two: a negative number is a sign and a number. */
struct substituted {
    struct token tokens[2];
    unsigned count;
};

/*
 * What stands for the token; itself where nothing is to be replaced. Values come into the arena.
 * ERR_VARIABLE with the token's place.
 */
int substitute_token(struct arena *arena, const struct parse_variables *variables,
                     const struct token *token, struct substituted *out, struct error *err);

#endif
