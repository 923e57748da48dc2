/*
 * lexer.h: bytes -> tokens that point into the text.
 *
 * Kinds are the TOKEN_* numbers of the grammar; 0 is the end of the text. Nothing
 * is copied or folded here: names and strings still have their quotes.
 */
#ifndef SLUICE_PARSER_LEXER_H
#define SLUICE_PARSER_LEXER_H

#include "base/error.h"

struct token {
    int kind;
    struct bytes text;
    struct position at;
    struct bytes source; /* what was written: the text, or the variable that it came from */
};

struct lexer {
    const char *cursor;
    const char *limit;
    const char *counted; /* line and column are those of this place */
    uint32_t line;
    uint32_t column;
};

/* The text must be UTF-8 without NUL (text_check). */
void lexer_init(struct lexer *lexer, struct bytes text);
int lexer_next(struct lexer *lexer, struct token *out, struct error *err);

/* How a keyword can serve as a name (keywords.def). */
enum keyword_use { KEYWORD_NONE, KEYWORD_RESERVED, KEYWORD_BARE, KEYWORD_SOFT };

struct keyword {
    struct bytes spelling;
    int token;
    enum keyword_use use;
};

const struct keyword *keyword_find(struct bytes word); /* in any case; NULL: not a keyword */
const struct keyword *keyword_of_token(int token);     /* NULL: not a keyword's token */
const struct keyword *keyword_at(uint32_t number);     /* in order of spelling; NULL at the end */

#endif
