/*
 * syntax_error.c: words for a token that does not fit.
 *
 * The grammar gives every token that would fit. Those that together mean one
 * thing (an expression, an operator, a type) are named by it, the rest are
 * listed, shortened to what a reader takes in.
 */
#include "parser/syntax_error.h"

#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "parser/grammar.h"
#include "parser/grammar_run.h"
#include "parser/text.h"

enum { LISTED_MAX = 8, NAMES_MAX = 64, SHOWN_MAX = 40, NEAR_MAX = 2 };

/* A group of tokens with one name; it is meant when all its marks fit. */
struct group {
    const char *name;
    int marks[2];
    int members[24]; /* ended by 0 */
};

static const struct group groups[] = {
    { "a statement",
      { TOKEN_CREATE, TOKEN_TERMINATE },
      { TOKEN_CREATE,    TOKEN_INSERT,   TOKEN_SELECT, TOKEN_DROP,    TOKEN_ALTER,
        TOKEN_TERMINATE, TOKEN_PAUSE,    TOKEN_RESUME, TOKEN_EXPLAIN, TOKEN_DESCRIBE,
        TOKEN_SHOW,      TOKEN_LIST,     TOKEN_PRINT,  TOKEN_SET,     TOKEN_UNSET,
        TOKEN_DEFINE,    TOKEN_UNDEFINE, TOKEN_RUN,    TOKEN_ASSERT,  0 } },
    { "an expression",
      { TOKEN_CASE, TOKEN_LPAREN },
      { TOKEN_NAME, TOKEN_NUMBER, TOKEN_TEXT, TOKEN_LPAREN, TOKEN_CASE, TOKEN_CAST, TOKEN_TRUE,
        TOKEN_FALSE, TOKEN_NULL, TOKEN_NOT, TOKEN_MINUS, TOKEN_PLUS, TOKEN_ARRAY_VALUE,
        TOKEN_MAP_VALUE, TOKEN_STRUCT_VALUE, 0 } },
    { "a literal",
      { TOKEN_TRUE, TOKEN_TEXT },
      { TOKEN_NUMBER, TOKEN_TEXT, TOKEN_TRUE, TOKEN_FALSE, TOKEN_NULL, TOKEN_MINUS, 0 } },
    { "a type",
      { TOKEN_ARRAY_TYPE, TOKEN_DECIMAL },
      { TOKEN_NAME, TOKEN_ARRAY_TYPE, TOKEN_MAP_TYPE, TOKEN_STRUCT_TYPE, TOKEN_DECIMAL, 0 } },
    { "a time unit (DAYS, HOURS, MINUTES, SECONDS, MILLISECONDS)",
      { TOKEN_DAYS, TOKEN_HOURS },
      { TOKEN_DAYS, TOKEN_DAY, TOKEN_HOURS, TOKEN_HOUR, TOKEN_MINUTES, TOKEN_MINUTE, TOKEN_SECONDS,
        TOKEN_SECOND, TOKEN_MILLISECONDS, TOKEN_MILLISECOND, 0 } },
    { "a join",
      { TOKEN_JOIN, TOKEN_INNER },
      { TOKEN_JOIN, TOKEN_INNER, TOKEN_LEFT, TOKEN_RIGHT, TOKEN_FULL, 0 } },
    { "an operator",
      { TOKEN_PLUS, TOKEN_STAR },
      { TOKEN_PLUS,    TOKEN_MINUS,      TOKEN_STAR,    TOKEN_SLASH,
        TOKEN_PERCENT, TOKEN_CONCAT,     TOKEN_EQUAL,   TOKEN_NOT_EQUAL,
        TOKEN_LESS,    TOKEN_LESS_EQUAL, TOKEN_GREATER, TOKEN_GREATER_EQUAL,
        TOKEN_IS,      TOKEN_IN,         TOKEN_BETWEEN, TOKEN_LIKE,
        TOKEN_NOT,     TOKEN_LBRACKET,   TOKEN_ARROW,   TOKEN_AT,
        TOKEN_DOT,     TOKEN_LPAREN,     TOKEN_TEXT,    0 } },
    { "an operator", { TOKEN_AND, TOKEN_OR }, { TOKEN_AND, TOKEN_OR, 0 } },
};

static const char *token_name(int kind)
{
    static const struct {
        int kind;
        const char *name;
    } names[] = {
        { 0, "the end" },
        { TOKEN_NAME, "a name" },
        { TOKEN_NUMBER, "a number" },
        { TOKEN_TEXT, "a string in single quotes" },
        { TOKEN_SEMICOLON, "';'" },
        { TOKEN_COMMA, "','" },
        { TOKEN_DOT, "'.'" },
        { TOKEN_LPAREN, "'('" },
        { TOKEN_RPAREN, "')'" },
        { TOKEN_LBRACKET, "'['" },
        { TOKEN_RBRACKET, "']'" },
        { TOKEN_EQUAL, "'='" },
        { TOKEN_LESS, "'<'" },
        { TOKEN_GREATER, "'>'" },
        { TOKEN_STAR, "'*'" },
        { TOKEN_MINUS, "'-'" },
        { TOKEN_PLUS, "'+'" },
        { TOKEN_ARROW, "'->'" },
        { TOKEN_LAMBDA, "'=>'" },
        { TOKEN_ASSIGN, "':='" },
    };
    const struct keyword *keyword = keyword_of_token(kind);

    if (keyword) {
        return keyword->spelling.data;
    }
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (names[i].kind == kind) {
            return names[i].name;
        }
    }
    return NULL;
}

static int describe_found(struct token found, char *out, size_t size)
{
    struct bytes shown = utf8_cut(found.text, SHOWN_MAX);
    const char *more = found.text.len > shown.len ? "..." : "";

    if (found.kind == 0) {
        return snprintf(out, size, "The text ends here");
    }
    if (found.kind == TOKEN_TEXT) {
        return snprintf(out, size, "Unexpected string %.*s%s", BYTES_ARG(shown), more);
    }
    if (keyword_find(found.text)) {
        return snprintf(out, size, "Unexpected keyword %.*s", BYTES_ARG(shown));
    }
    return snprintf(out, size, "Unexpected '%.*s%s'", BYTES_ARG(shown), more);
}

/* Names of all that fits, without repetition; groups last, for they are vague. */
static int list_expected(const bool *expected, const char **names)
{
    bool left[GRAMMAR_TOKENS_MAX];
    const char *vague[sizeof groups / sizeof groups[0]];
    int vague_count = 0;
    int count = 0;

    for (int kind = 0; kind < GRAMMAR_TOKENS_MAX; kind++) {
        left[kind] = expected[kind];
    }
    for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++) {
        const struct group *group = &groups[i];

        if (!left[group->marks[0]] || !left[group->marks[1]]) {
            continue;
        }
        for (const int *member = group->members; *member; member++) {
            left[*member] = false;
        }
        if (vague_count == 0 || vague[vague_count - 1] != group->name) {
            vague[vague_count++] = group->name;
        }
    }
    if (left[TOKEN_SEMICOLON]) { /* first: what is most often missing */
        left[TOKEN_SEMICOLON] = false;
        names[count++] = token_name(TOKEN_SEMICOLON);
    }
    for (int kind = 0; kind < GRAMMAR_TOKENS_MAX && count < NAMES_MAX; kind++) {
        const char *name = left[kind] ? token_name(kind) : NULL;

        if (name) {
            names[count++] = name;
        }
    }
    for (int i = 0; i < vague_count && count < NAMES_MAX; i++) {
        names[count++] = vague[i];
    }
    return count;
}

/* The expected keyword that a word was meant to be, or NULL. */
static const struct keyword *nearest(struct token word, const bool *expected)
{
    const struct keyword *best = NULL;
    int best_distance = NEAR_MAX + 1;

    if (word.text.len < 3 || (word.kind != TOKEN_NAME && !keyword_find(word.text))) {
        return NULL;
    }
    for (int kind = 0; kind < GRAMMAR_TOKENS_MAX; kind++) {
        const struct keyword *keyword = expected[kind] ? keyword_of_token(kind) : NULL;
        int distance = keyword ? text_distance(word.text, keyword->spelling) : best_distance;

        if (distance > 0 && distance < best_distance &&
            (size_t)distance * 2 < keyword->spelling.len) {
            best = keyword;
            best_distance = distance;
        }
    }
    return best;
}

/* Where much else fits, a name was hardly meant. */
static bool lists_a_name(const char *const *names, int count)
{
    for (int i = 0; i < count && count <= 2; i++) {
        if (strcmp(names[i], token_name(TOKEN_NAME)) == 0) {
            return true;
        }
    }
    return false;
}

/* What other dialects have: a word that stands here, or just before. NULL: no such word. */
static const char *foreign_advice(struct token found, struct token previous)
{
    static const struct {
        const char *word;
        const char *advice;
    } foreign[] = {
        { "ORDER", "There is no ORDER BY: rows come as they were written" },
        { "DISTINCT", "There is no SELECT DISTINCT: GROUP BY gives each value once" },
        { "UNION",
          "There is no UNION: INSERT INTO ... SELECT lets several queries fill one stream" },
        { "UPDATE", "There is no UPDATE: INSERT INTO ... VALUES with the same key replaces a row" },
        { "DELETE", "There is no DELETE: a record without a value deletes the row of its key" },
        { "BEGIN", "There are no transactions in SQL: the statements of one text are checked "
                   "together" },
        { "USE", "There is one namespace, so no USE" },
    };

    for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++) {
        if (bytes_equal_text_nocase(found.text, foreign[i].word) ||
            bytes_equal_text_nocase(previous.text, foreign[i].word)) {
            return foreign[i].advice;
        }
    }
    return NULL;
}

int syntax_error_report(struct token found, struct token previous, const bool *expected,
                        struct error *err)
{
    const char *names[NAMES_MAX];
    char message[ERROR_MESSAGE_MAX];
    int count = list_expected(expected, names);
    int len = describe_found(found, message, sizeof message);
    int listed = count > LISTED_MAX ? LISTED_MAX : count;
    const struct keyword *meant = nearest(found, expected);
    struct token misspelt = meant ? found : previous;

    for (int i = 0; i < listed; i++) {
        const char *before = i == 0 ? "; expected " : i + 1 == count ? " or " : ", ";

        len += snprintf(message + len, sizeof message - (size_t)len, "%s%s", before, names[i]);
    }
    if (count > listed) {
        len += snprintf(message + len, sizeof message - (size_t)len, ", ...");
    }
    meant = meant ? meant : nearest(previous, expected);
    if (!meant && found.kind != 0 && found.kind != TOKEN_TEXT && keyword_find(found.text) &&
        lists_a_name(names, count)) {
        (void)snprintf(message + len, sizeof message - (size_t)len,
                       ". As a name it needs back quotes: `%.*s`", BYTES_ARG(found.text));
    }
    if (foreign_advice(found, previous)) {
        (void)snprintf(message + len, sizeof message - (size_t)len, "%s %s",
                       count > listed ? "" : ".", foreign_advice(found, previous));
    } else if (meant) {
        (void)snprintf(message + len, sizeof message - (size_t)len,
                       "%s Did you mean %s instead of %.*s?", count > listed ? "" : ".",
                       meant->spelling.data, BYTES_ARG(misspelt.text));
    }
    return error_set(err, ERR_SYNTAX, found.at, "%s", message);
}
