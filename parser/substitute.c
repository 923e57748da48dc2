/*
 * substitute.c: variables (statements.md 1).
 *
 *   CREATE STREAM ${name} ... VALUE_FORMAT = ${format} ... KAFKA_TOPIC = '${env}_orders'
 *
 * A variable of its own is one token, a name or a literal, whatever its value says: never a
 * keyword, an operator or a second statement. Inside of a string it is a part of the text.
 * Tokens keep the place and the bytes of what was written, so errors point there.
 */
#include "parser/substitute.h"

#include <string.h>

#include "base/arena.h"
#include "base/utf8.h"
#include "parser/grammar.h"
#include "parser/text.h"

enum { SHOWN = 100 };

static bool is_start(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

static bool is_part(char c)
{
    return is_start(c) || (c >= '0' && c <= '9') || c == '@';
}

bool parse_is_variable_name(struct bytes name)
{
    for (size_t i = 0; i < name.len; i++) {
        if (!is_part(name.data[i])) {
            return false;
        }
    }
    return name.len > 0 && is_start(name.data[0]);
}

/* Variables are known in upper case. */
static struct bytes find(struct arena *arena, const struct parse_variables *variables,
                         struct bytes name)
{
    char *upper;

    if (!variables || !variables->enabled) {
        return (struct bytes){ NULL, 0 };
    }
    upper = arena_copy_text(arena, name);
    for (size_t i = 0; i < name.len; i++) {
        upper[i] = (char)(upper[i] >= 'a' && upper[i] <= 'z' ? upper[i] - 'a' + 'A' : upper[i]);
    }
    return variables->find(variables->context, (struct bytes){ upper, name.len });
}

/* --- one token of its own --- */

/* The value as the scanner sees it, when it is just that many tokens. */
static unsigned scan(struct bytes value, struct token *tokens, unsigned most)
{
    struct lexer lexer;
    struct token end = { 0 };
    unsigned count = 0;

    if (text_check(value, NULL)) {
        return 0;
    }
    lexer_init(&lexer, value);
    while (count < most && lexer_next(&lexer, &tokens[count], NULL) == 0 &&
           tokens[count].kind != 0) {
        count++;
    }
    return count == 0 || lexer_next(&lexer, &end, NULL) || end.kind != 0 ? 0 : count;
}

static bool is_name(const struct token *token, struct bytes value)
{
    bool is_quoted = value.len > 2 && (value.data[0] == '`' || value.data[0] == '"');
    struct bytes inner = is_quoted ? (struct bytes){ value.data + 1, value.len - 2 } : value;
    const struct keyword *keyword = is_quoted ? NULL : keyword_find(value);

    return token->text.len == value.len && parse_is_variable_name(inner) &&
           !(keyword && keyword->use == KEYWORD_RESERVED);
}

static bool is_literal(const struct token *tokens, unsigned count)
{
    if (count == 2) {
        return tokens[0].kind == TOKEN_MINUS && tokens[1].kind == TOKEN_NUMBER;
    }
    return tokens[0].kind == TOKEN_NUMBER || tokens[0].kind == TOKEN_TEXT ||
           tokens[0].kind == TOKEN_TRUE || tokens[0].kind == TOKEN_FALSE;
}

static int replace_variable(struct arena *arena, const struct parse_variables *variables,
                            const struct token *token, struct substituted *out, struct error *err)
{
    struct bytes name = { token->text.data + 2, token->text.len - 3 };
    struct bytes value = find(arena, variables, name);
    struct token tokens[2] = { { 0 } };
    unsigned count;

    if (!value.data) {
        return error_set(err, ERR_VARIABLE, token->at,
                         variables && !variables->enabled
                             ? "The variable %.*s cannot be replaced: substitution is switched off"
                             : "The variable %.*s is not defined",
                         BYTES_ARG(utf8_cut(token->text, SHOWN)));
    }
    value = arena_copy(arena, value);
    count = scan(value, tokens, 2);
    if (count == 1 && is_name(&tokens[0], value)) {
        tokens[0].kind = TOKEN_NAME;
    } else if (count == 0 || !is_literal(tokens, count)) {
        return error_set(
            err, ERR_VARIABLE, token->at, "The variable %.*s is neither a name nor a literal: %.*s",
            BYTES_ARG(utf8_cut(token->text, SHOWN)), BYTES_ARG(utf8_cut(value, SHOWN)));
    }
    for (unsigned i = 0; i < count; i++) {
        out->tokens[i] = tokens[i];
        out->tokens[i].at = token->at;
        out->tokens[i].source = token->source;
    }
    out->count = count;
    return 0;
}

/* --- inside of strings --- */

/* The length of "${name}" at the place, or 0. */
static size_t reference_length(struct bytes text, size_t at)
{
    size_t end = at + 2;

    if (text.len - at < 4 || text.data[at] != '$' || text.data[at + 1] != '{') {
        return 0;
    }
    while (end < text.len && is_part(text.data[end])) {
        end++;
    }
    if (end == text.len || text.data[end] != '}' || end == at + 2 || !is_start(text.data[at + 2])) {
        return 0;
    }
    return end + 1 - at;
}

static void append_quoted(struct buffer *out, struct bytes value)
{
    for (size_t i = 0; i < value.len; i++) {
        buffer_append_text(out, value.data[i] == '\'' ? "'" : "");
        buffer_append_char(out, value.data[i]);
    }
}

/* Appends what stands at the place; how much of the text that was. */
static size_t replace_at(struct arena *arena, const struct parse_variables *variables,
                         struct bytes text, size_t at, struct buffer *out)
{
    bool is_escaped = text.data[at] == '$' && at + 1 < text.len && text.data[at + 1] == '$';
    size_t length = reference_length(text, is_escaped ? at + 1 : at);
    struct bytes value;

    if (length == 0) {
        buffer_append_char(out, text.data[at]);
        return 1;
    }
    if (is_escaped) {
        buffer_append(out, text.data + at + 1, length);
        return length + 1;
    }
    value = find(arena, variables, (struct bytes){ text.data + at + 2, length - 3 });
    if (value.data) {
        append_quoted(out, value);
    } else {
        buffer_append(out, text.data + at, length);
    }
    return length;
}

static void replace_in_text(struct arena *arena, const struct parse_variables *variables,
                            struct token *token)
{
    struct buffer out = { 0 };

    for (size_t at = 0; at < token->text.len;) {
        at += replace_at(arena, variables, token->text, at, &out);
    }
    if (!bytes_equal(buffer_bytes(&out), token->text)) {
        token->text = arena_copy(arena, buffer_bytes(&out));
    }
    buffer_fini(&out);
}

int substitute_token(struct arena *arena, const struct parse_variables *variables,
                     const struct token *token, struct substituted *out, struct error *err)
{
    if (token->kind == TOKEN_VARIABLE) {
        return replace_variable(arena, variables, token, out, err);
    }
    out->tokens[0] = *token;
    out->count = 1;
    if (token->kind == TOKEN_TEXT && variables && variables->enabled &&
        memchr(token->text.data, '$', token->text.len)) {
        replace_in_text(arena, variables, &out->tokens[0]);
    }
    return 0;
}
