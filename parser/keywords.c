/*
 * keywords.c: the keyword table, and the ways to look into it.
 *
 * The rows of keywords.def are in order of spelling, so a word is found by
 * halving; by token they are found one after the other, which only errors do.
 */
#include "parser/grammar.h"
#include "parser/lexer.h"

static const struct keyword keywords[] = {
#define KEYWORD(spelling, token, use) { BYTES(spelling), TOKEN_##token, KEYWORD_##use },
#include "parser/keywords.def"
#undef KEYWORD
};

enum { KEYWORD_COUNT = sizeof keywords / sizeof keywords[0], KEYWORD_LEN_MAX = 16 };

const struct keyword *keyword_find(struct bytes word)
{
    char upper[KEYWORD_LEN_MAX];
    size_t low = 0;
    size_t high = KEYWORD_COUNT;

    if (word.len > KEYWORD_LEN_MAX) {
        return NULL;
    }
    for (size_t i = 0; i < word.len; i++) {
        upper[i] = (char)(word.data[i] >= 'a' && word.data[i] <= 'z' ? word.data[i] - 'a' + 'A'
                                                                     : word.data[i]);
    }
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = bytes_compare((struct bytes){ upper, word.len }, keywords[middle].spelling);

        if (order == 0) {
            return &keywords[middle];
        }
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return NULL;
}

const struct keyword *keyword_of_token(int token)
{
    for (size_t i = 0; i < KEYWORD_COUNT; i++) {
        if (keywords[i].token == token) {
            return &keywords[i];
        }
    }
    return NULL;
}

const struct keyword *keyword_at(uint32_t number)
{
    return number < KEYWORD_COUNT ? &keywords[number] : NULL;
}
