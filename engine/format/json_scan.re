/*
 * json_scan.re: the scanner of JSON text.
 *
 * The text need not end in a NUL: every peek tests for the end and gives 0 there, a
 * byte that no token has. Skipping keeps the open brackets as a stack of bits, so
 * that depth costs no C stack.
 */
#include "engine/format/json_scan.h"

#include <string.h>

#include "base/utf8.h"

/*!re2c
    re2c:flags:input = custom;
    re2c:api:style = free-form;
    re2c:yyfill:enable = 0;
    re2c:define:YYCTYPE = "unsigned char";
    re2c:define:YYPEEK = "(at < end ? (unsigned char)*at : 0)";
    re2c:define:YYSKIP = "at++;";
    re2c:define:YYBACKUP = "mark = at;";
    re2c:define:YYRESTORE = "at = mark;";

    hex = [0-9a-fA-F];
    integer = "-"? ("0" | [1-9][0-9]*);
    exponent = [eE] [+-]? [0-9]+;
*/

/* The escape sequence at `at`: its code unit and the byte behind it; NULL: it is none. */
static const char *read_escape(const char *at, const char *end, uint32_t *unit)
{
    const char *begin = at;
    const char *mark = at;

    /*!re2c
        "\\" ["\\/]    { *unit = (unsigned char)begin[1]; return at; }
        "\\b"          { *unit = '\b'; return at; }
        "\\f"          { *unit = '\f'; return at; }
        "\\n"          { *unit = '\n'; return at; }
        "\\r"          { *unit = '\r'; return at; }
        "\\t"          { *unit = '\t'; return at; }
        "\\u" hex{4}   { goto code_unit; }
        *              { return NULL; }
    */
code_unit:
    *unit = 0;
    for (const char *digit = begin + 2; digit < at; digit++) {
        int value = *digit <= '9' ? *digit - '0' : (*digit | 0x20) - 'a' + 10;

        *unit = *unit << 4 | (uint32_t)value;
    }
    return at;
}

/* The closing quote of the string that begins before `at`; NULL where it is malformed. */
static const char *string_end(const char *at, const char *end, bool *escaped)
{
    for (;;) {
        uint32_t ignored;

        at = json_plain_end(at, end);
        if (at == end) {
            return NULL;
        }
        if (*at == '"') {
            return at;
        }
        if (*at == '\\') {
            *escaped = true;
            at = read_escape(at, end, &ignored);
            if (!at) {
                return NULL;
            }
        } else {
            size_t len = (signed char)*at < 0
                             ? utf8_decode((struct bytes){ at, (size_t)(end - at) }, 0, &ignored)
                             : 0;

            if (len == 0) {
                return NULL;
            }
            at += len;
        }
    }
}

static enum json_token scan_string(struct json_scanner *s, const char *begin)
{
    const char *close;

    s->escaped = false;
    close = string_end(begin, s->end, &s->escaped);
    if (!close) {
        s->at = begin - 1;
        return JSON_BAD;
    }
    s->text = (struct bytes){ begin, (size_t)(close - begin) };
    s->at = close + 1;
    return JSON_STRING;
}

static enum json_token take(struct json_scanner *s, const char *begin, const char *behind,
                            enum json_token token)
{
    s->text = (struct bytes){ begin, (size_t)(behind - begin) };
    s->at = behind;
    return token;
}

enum json_token json_next(struct json_scanner *s)
{
    const char *const end = s->end;
    const char *at = s->at;
    const char *mark = at;
    const char *begin;

    while (at < end && json_is_space(*at)) {
        at++;
    }
    begin = at;
    /*!re2c
        "{"     { return take(s, begin, at, JSON_OBJECT); }
        "}"     { return take(s, begin, at, JSON_OBJECT_END); }
        "["     { return take(s, begin, at, JSON_ARRAY); }
        "]"     { return take(s, begin, at, JSON_ARRAY_END); }
        ":"     { return take(s, begin, at, JSON_COLON); }
        ","     { return take(s, begin, at, JSON_COMMA); }
        "\""    { return scan_string(s, at); }
        "true"  { return take(s, begin, at, JSON_TRUE); }
        "false" { return take(s, begin, at, JSON_FALSE); }
        "null"  { return take(s, begin, at, JSON_NULL); }
        integer { return take(s, begin, at, JSON_INTEGER); }
        integer "." [0-9]+ exponent? | integer exponent {
            return take(s, begin, at, JSON_DECIMAL);
        }
        *       { return take(s, begin, begin, begin == end ? JSON_END : JSON_BAD); }
    */
}

/* The open brackets while skipping: a bit each, set for an object. */
struct brackets {
    uint32_t base;
    uint32_t depth;
    unsigned char bits[JSON_MAX_DEPTH / 8 + 1];
};

static bool brackets_open(struct brackets *b, bool object)
{
    unsigned char bit = (unsigned char)(1u << (b->depth & 7u));

    if (b->base + b->depth >= JSON_MAX_DEPTH) {
        return false;
    }
    if (object) {
        b->bits[b->depth >> 3] |= bit;
    } else {
        b->bits[b->depth >> 3] &= (unsigned char)~bit;
    }
    b->depth++;
    return true;
}

static bool brackets_in_object(const struct brackets *b)
{
    uint32_t top = b->depth - 1;

    return b->bits[top >> 3] >> (top & 7u) & 1u;
}

/* Name and colon of a member whose first token is read already. */
static bool skip_name(struct json_scanner *s, enum json_token token)
{
    return token == JSON_STRING && json_next(s) == JSON_COLON;
}

/* Behind a value: closes brackets until another value must follow, or none is open. */
static bool skip_behind_value(struct json_scanner *s, struct brackets *b)
{
    while (b->depth > 0) {
        bool object = brackets_in_object(b);
        enum json_token token = json_next(s);

        if (token == JSON_COMMA) {
            return !object || skip_name(s, json_next(s));
        }
        if (token != (object ? JSON_OBJECT_END : JSON_ARRAY_END)) {
            return false;
        }
        b->depth--;
    }
    return true;
}

/* Behind an opening bracket: *empty when it closes at once, else a value follows. */
static bool skip_opening(struct json_scanner *s, struct brackets *b, bool object, bool *empty)
{
    const char *at;
    enum json_token token;

    if (!brackets_open(b, object)) {
        return false;
    }
    at = s->at;
    token = json_next(s);
    *empty = token == (object ? JSON_OBJECT_END : JSON_ARRAY_END);
    if (*empty) {
        b->depth--;
        return true;
    }
    if (object) {
        return skip_name(s, token);
    }
    s->at = at;
    return true;
}

bool json_skip(struct json_scanner *s)
{
    struct brackets open = { .base = s->depth };

    do {
        enum json_token token = json_next(s);
        bool ended = true;

        if (token == JSON_OBJECT || token == JSON_ARRAY) {
            if (!skip_opening(s, &open, token == JSON_OBJECT, &ended)) {
                return false;
            }
        } else if (token < JSON_STRING) {
            return false;
        }
        if (ended && !skip_behind_value(s, &open)) {
            return false;
        }
    } while (open.depth > 0);
    return true;
}

/* A high surrogate's partner; *at moves behind it. 0: there is none. */
static uint32_t read_low_surrogate(const char **at, const char *end)
{
    uint32_t low;
    const char *behind = *at < end && **at == '\\' ? read_escape(*at, end, &low) : NULL;

    if (!behind || low < 0xdc00 || low > 0xdfff) {
        return 0;
    }
    *at = behind;
    return low;
}

static uint32_t read_escaped_character(const char **at, const char *end)
{
    uint32_t unit = 0;
    uint32_t low;

    *at = read_escape(*at, end, &unit);
    if (unit < 0xd800 || unit > 0xdfff) {
        return unit;
    }
    low = unit < 0xdc00 ? read_low_surrogate(at, end) : 0;
    return low ? 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00) : 0xfffd;
}

size_t json_unescape(struct bytes raw, char *out)
{
    const char *at = raw.data;
    const char *end = raw.data + raw.len;
    char *to = out;

    while (at < end) {
        const char *backslash = memchr(at, '\\', (size_t)(end - at));
        size_t plain = (size_t)((backslash ? backslash : end) - at);

        memmove(to, at, plain);
        to += plain;
        at += plain;
        if (backslash) {
            to += utf8_encode(read_escaped_character(&at, end), to);
        }
    }
    return (size_t)(to - out);
}
