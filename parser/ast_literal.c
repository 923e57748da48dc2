/*
 * ast_literal.c: what a single token stands for: a name, a text, a number.
 *
 * Slices of the script are used as they are where nothing has to change; only
 * folded names and texts with doubled quotes are copied into the arena.
 */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "parser/ast_build.h"
#include "parser/grammar.h"

enum { SHOWN_MAX = 60 }; /* bytes of a token in a message */

int ast_fail(struct ast_build *b, enum error_code code, struct position at, const char *format, ...)
{
    char message[ERROR_MESSAGE_MAX];
    va_list arguments;

    if (b->failed) {
        return b->failed;
    }
    va_start(arguments, format);
    (void)vsnprintf(message, sizeof message, format, arguments); /* too long: cut */
    va_end(arguments);
    b->failed = (int)code;
    return error_set(b->err, code, at, "%s", message);
}

int ast_fail_depth(struct ast_build *b, struct position at)
{
    return ast_fail(b, ERR_TOO_DEEP, at,
                    "Nesting is too deep here; expressions may have %d levels. Split the "
                    "statement, or give parts of it a name in a stream before",
                    (int)AST_DEPTH_MAX);
}

/* How much of a text a message can show. */
static int shown(struct bytes text)
{
    return (int)utf8_cut(text, SHOWN_MAX).len;
}

/* --- names and texts --- */

static bool is_quote(char c)
{
    return c == '`' || c == '"' || c == '\'';
}

/* The text between the quotes, with doubled ones made single. */
static struct bytes unquote(struct ast_build *b, struct bytes text)
{
    char quote = text.data[0];
    struct bytes inner = { text.data + 1, text.len - 2 };
    char *copy;
    size_t len = 0;

    if (!memchr(inner.data, quote, inner.len)) {
        return inner;
    }
    copy = arena_alloc_text(b->arena, inner.len);
    for (size_t i = 0; i < inner.len; i++) {
        copy[len++] = inner.data[i];
        if (inner.data[i] == quote) {
            i++;
        }
    }
    return (struct bytes){ copy, len };
}

static struct bytes fold(struct ast_build *b, struct bytes text)
{
    char *copy;
    size_t i = 0;

    while (i < text.len && !(text.data[i] >= 'a' && text.data[i] <= 'z')) {
        i++;
    }
    if (i == text.len) {
        return text;
    }
    copy = arena_alloc_text(b->arena, text.len);
    for (i = 0; i < text.len; i++) {
        char c = text.data[i];

        copy[i] = (char)(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
    }
    return (struct bytes){ copy, text.len };
}

struct ast_name ast_name(struct ast_build *b, struct token token)
{
    struct ast_name name = { .at = token.at, .quoted = is_quote(token.text.data[0]) };

    name.text = name.quoted ? unquote(b, token.text) : fold(b, token.text);
    if (name.text.len == 0) {
        (void)ast_fail(b, ERR_INVALID_NAME, token.at, "A name cannot be empty");
    }
    return name;
}

struct ast_name ast_source_name(struct ast_build *b, struct token token)
{
    struct ast_name name = ast_name(b, token);

    for (size_t i = 0; i < name.text.len; i++) {
        char c = name.text.data[i];

        if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
              c == '_' || c == '-')) {
            (void)ast_fail(b, ERR_INVALID_NAME, token.at,
                           "'%.*s' cannot name a stream or table, nor be its alias: letters, "
                           "digits, _ and - are allowed",
                           shown(name.text), name.text.data);
            break;
        }
    }
    return name;
}

struct ast_name ast_topic_name(struct ast_build *b, struct token token)
{
    struct ast_name name = { .at = token.at, .quoted = is_quote(token.text.data[0]) };

    name.text = name.quoted ? unquote(b, token.text) : token.text;
    if (name.text.len == 0) {
        (void)ast_fail(b, ERR_INVALID_NAME, token.at, "A name cannot be empty");
    }
    return name;
}

struct ast_name ast_text_name(struct ast_build *b, struct token token)
{
    return ast_name(b, token);
}

struct ast_text ast_text(struct ast_build *b, struct token token)
{
    return (struct ast_text){ unquote(b, token.text), token.at };
}

struct ast_text ast_name_text(struct ast_name name)
{
    return (struct ast_text){ name.text, name.at };
}

struct ast_name_list ast_add_name(struct ast_build *b, struct ast_name_list list,
                                  struct ast_name name)
{
    *vec_push(b->arena, &list) = name;
    return list;
}

/* --- literals --- */

static void set_real(struct ast_build *b, struct ast_literal *literal, struct bytes text,
                     bool negative)
{
    double real = strtod(arena_copy_text(b->arena, text), NULL);

    literal->kind = AST_LITERAL_DOUBLE;
    if (isinf(real)) {
        (void)ast_fail(b, ERR_INVALID_LITERAL, literal->at, "Number overflows DOUBLE: %.*s",
                       shown(text), text.data);
        real = 0;
    }
    literal->real = negative ? -real : real;
}

static void set_decimal(struct ast_build *b, struct ast_literal *literal, struct bytes text,
                        bool negative)
{
    literal->kind = AST_LITERAL_DECIMAL;
    literal->number = text;
    if (negative) {
        char *copy = arena_alloc_text(b->arena, text.len + 1);

        copy[0] = '-';
        memcpy(copy + 1, text.data, text.len);
        literal->number = (struct bytes){ copy, text.len + 1 };
    }
}

static void set_integer(struct ast_build *b, struct ast_literal *literal, struct bytes text,
                        bool negative)
{
    uint64_t limit = (uint64_t)INT64_MAX + (negative ? 1 : 0);
    uint64_t magnitude = 0;

    for (size_t i = 0; i < text.len; i++) {
        unsigned digit = (unsigned)(text.data[i] - '0');

        if (magnitude > (limit - digit) / 10) {
            (void)ast_fail(b, ERR_INVALID_LITERAL, literal->at,
                           "%s%.*s does not fit BIGINT; write it with a point for a DECIMAL or "
                           "with an exponent for a DOUBLE",
                           negative ? "-" : "", shown(text), text.data);
            magnitude = 0;
            break;
        }
        magnitude = magnitude * 10 + digit;
    }
    if (!negative) {
        literal->integer = (int64_t)magnitude;
    } else {
        literal->integer = magnitude > INT64_MAX ? INT64_MIN : -(int64_t)magnitude;
    }
    literal->kind = literal->integer >= INT32_MIN && literal->integer <= INT32_MAX
                        ? AST_LITERAL_INTEGER
                        : AST_LITERAL_BIGINT;
}

struct ast_literal ast_number(struct ast_build *b, struct token token, struct token minus)
{
    bool negative = minus.text.len > 0;
    struct ast_literal literal = { .kind = AST_LITERAL_INTEGER,
                                   .at = negative ? minus.at : token.at };
    bool has_point = memchr(token.text.data, '.', token.text.len) != NULL;

    if (memchr(token.text.data, 'e', token.text.len) ||
        memchr(token.text.data, 'E', token.text.len)) {
        set_real(b, &literal, token.text, negative);
    } else if (has_point) {
        set_decimal(b, &literal, token.text, negative);
    } else {
        set_integer(b, &literal, token.text, negative);
    }
    return literal;
}

struct ast_literal ast_string(struct ast_build *b, struct token token)
{
    struct ast_literal literal = { .kind = AST_LITERAL_STRING, .at = token.at };

    literal.string = unquote(b, token.text);
    return literal;
}

struct ast_literal ast_boolean(bool value, struct position at)
{
    struct ast_literal literal = { .kind = AST_LITERAL_BOOLEAN, .at = at };

    literal.boolean = value;
    return literal;
}

struct ast_literal ast_null(struct position at)
{
    return (struct ast_literal){ .kind = AST_LITERAL_NULL, .at = at };
}

/* The text of DECIMAL '1.2': a sign, digits, at most one point. */
struct ast_literal ast_decimal_literal(struct ast_build *b, struct token token)
{
    struct ast_literal literal = { .kind = AST_LITERAL_DECIMAL, .at = token.at };
    struct bytes text = unquote(b, token.text);
    bool negative = text.len > 0 && text.data[0] == '-';
    size_t points = 0;
    size_t digits = 0;

    if (negative || (text.len > 0 && text.data[0] == '+')) {
        text.data++;
        text.len--;
    }
    for (size_t i = 0; i < text.len; i++) {
        points += text.data[i] == '.' ? 1 : 0;
        digits += text.data[i] >= '0' && text.data[i] <= '9' ? 1 : 0;
    }
    if (digits == 0 || points > 1 || digits + points != text.len) {
        (void)ast_fail(b, ERR_INVALID_LITERAL, token.at, "%.*s is no number", shown(token.text),
                       token.text.data);
    }
    if (points == 0) {
        text = arena_printf(b->arena, "%.*s.", BYTES_ARG(text));
    }
    set_decimal(b, &literal, text, negative);
    return literal;
}

/* --- operands that must be integers --- */

static int64_t integer_value(struct ast_build *b, struct ast_literal literal)
{
    if (literal.kind == AST_LITERAL_INTEGER || literal.kind == AST_LITERAL_BIGINT) {
        return literal.integer;
    }
    (void)ast_fail(b, ERR_INVALID_LITERAL, literal.at, "A whole number is needed here");
    return 0;
}

struct ast_number ast_integer(struct ast_build *b, struct ast_literal literal)
{
    return (struct ast_number){ true, integer_value(b, literal), literal.at };
}

enum ast_unit ast_unit_of_token(int kind)
{
    switch (kind) {
    case TOKEN_MILLISECOND:
    case TOKEN_MILLISECONDS:
        return AST_UNIT_MILLISECONDS;
    case TOKEN_SECOND:
    case TOKEN_SECONDS:
        return AST_UNIT_SECONDS;
    case TOKEN_MINUTE:
    case TOKEN_MINUTES:
        return AST_UNIT_MINUTES;
    case TOKEN_HOUR:
    case TOKEN_HOURS:
        return AST_UNIT_HOURS;
    case TOKEN_DAY:
    case TOKEN_DAYS:
        return AST_UNIT_DAYS;
    default:
        return AST_UNIT_NONE;
    }
}

static int64_t unit_ms(enum ast_unit unit)
{
    switch (unit) {
    case AST_UNIT_NONE:
        return 0;
    case AST_UNIT_MILLISECONDS:
        return 1;
    case AST_UNIT_SECONDS:
        return 1000;
    case AST_UNIT_MINUTES:
        return 60 * 1000;
    case AST_UNIT_HOURS:
        return 60 * 60 * 1000;
    case AST_UNIT_DAYS:
        return 24 * 60 * 60 * 1000;
    }
    return 0;
}

struct ast_duration ast_duration(struct ast_build *b, struct ast_literal count, struct token unit)
{
    struct ast_duration duration = { .unit = ast_unit_of_token(unit.kind),
                                     .count = integer_value(b, count),
                                     .at = count.at };

    if (__builtin_mul_overflow(duration.count, unit_ms(duration.unit), &duration.ms)) {
        (void)ast_fail(b, ERR_INVALID_LITERAL, count.at,
                       "The duration is too long: its milliseconds do not fit BIGINT");
    }
    return duration;
}
