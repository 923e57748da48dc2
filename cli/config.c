/*
 * config.c: Java's properties format: "name=value", "name: value" or "name value" on a line;
 * # and ! begin comments; a backslash escapes, and at the end of a line continues it.
 */
#include "cli/config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

enum { FILE_MAX_BYTES = 1024 * 1024 };

struct scanner {
    struct bytes text;
    size_t at;
    uint32_t line;
    struct arena *arena;
    struct buffer word;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\f';
}

static bool at_end(const struct scanner *s)
{
    return s->at >= s->text.len;
}

static char peek(const struct scanner *s)
{
    return at_end(s) ? '\n' : s->text.data[s->at];
}

static void skip_blanks(struct scanner *s)
{
    while (!at_end(s) && is_blank(peek(s))) {
        s->at++;
    }
}

static void skip_line(struct scanner *s)
{
    while (!at_end(s) && peek(s) != '\n') {
        s->at++;
    }
    s->at++;
    s->line++;
}

static int take_unicode(struct scanner *s, struct error *err)
{
    char character[UTF8_MAX_BYTES];
    uint32_t code = 0;

    for (int i = 0; i < 4; i++) {
        static const char digits[] = "0123456789abcdef";
        const char *digit = at_end(s) ? NULL : strchr(digits, s->text.data[s->at] | 0x20);

        if (!digit || !*digit || s->text.data[s->at] < '0') {
            return error_set(err, ERR_SYNTAX, (struct position){ s->line, 1 },
                             "\\u needs four hexadecimal digits");
        }
        code = code * 16 + (uint32_t)(digit - digits);
        s->at++;
    }
    if (code >= 0xD800 && code <= 0xDFFF) {
        return error_set(err, ERR_SYNTAX, (struct position){ s->line, 1 },
                         "\\u%04x is no character of its own; write it as UTF-8", code);
    }
    buffer_append(&s->word, character, utf8_encode(code, character));
    return 0;
}

/* Behind a backslash. */
static int take_escape(struct scanner *s, struct error *err)
{
    char c = peek(s);

    if (at_end(s)) {
        return 0;
    }
    s->at++;
    switch (c) {
    case 'u':
        return take_unicode(s, err);
    case '\r':
        if (peek(s) == '\n') {
            s->at++;
        }
        s->line++;
        skip_blanks(s);
        return 0;
    case '\n':
        s->line++;
        skip_blanks(s);
        return 0;
    case 't':
        c = '\t';
        break;
    case 'n':
        c = '\n';
        break;
    case 'r':
        c = '\r';
        break;
    case 'f':
        c = '\f';
        break;
    default: /* the character itself */
        break;
    }
    buffer_append_char(&s->word, c);
    return 0;
}

/* Up to one of the stops, or the end of the line. */
static int take_word(struct scanner *s, const char *stops, struct bytes *out, struct error *err)
{
    s->word.len = 0;
    while (!at_end(s) && peek(s) != '\n' && (!strchr(stops, peek(s)) || peek(s) == '\0')) {
        if (s->text.data[s->at] == '\\') {
            s->at++;
            TRY(take_escape(s, err));
        } else if (s->text.data[s->at] == '\r') {
            s->at++; /* of the end of the line */
        } else {
            buffer_append_char(&s->word, s->text.data[s->at++]);
        }
    }
    *out = arena_copy(s->arena, buffer_bytes(&s->word));
    return 0;
}

static void skip_separator(struct scanner *s)
{
    skip_blanks(s);
    if (peek(s) == '=' || peek(s) == ':') {
        s->at++;
        skip_blanks(s);
    }
}

static int take_entry(struct scanner *s, config_list *out, struct error *err)
{
    struct config_entry entry = { .line = s->line };

    TRY(take_word(s, "=: \t\f", &entry.name, err));
    skip_separator(s);
    TRY(take_word(s, "", &entry.value, err));
    if (entry.name.len == 0) {
        return error_set(err, ERR_SYNTAX, (struct position){ entry.line, 1 },
                         "there is a value, and no name in front of it");
    }
    *vec_push(s->arena, out) = entry;
    return 0;
}

static int take_lines(struct scanner *s, config_list *out, struct error *err)
{
    while (!at_end(s)) {
        skip_blanks(s);
        if (peek(s) != '#' && peek(s) != '!' && peek(s) != '\n' && peek(s) != '\r') {
            TRY(take_entry(s, out, err));
        }
        skip_line(s);
    }
    return 0;
}

int config_parse(struct bytes text, struct arena *arena, config_list *out, struct error *err)
{
    struct scanner scanner = { .text = text, .line = 1, .arena = arena };
    int code;

    if (!utf8_is_valid(text)) {
        return error_set(err, ERR_SYNTAX, NO_POSITION, "the file is not UTF-8");
    }
    code = take_lines(&scanner, out, err);
    buffer_fini(&scanner.word);
    return code;
}

/* --- files --- */

static int read_file(FILE *in, struct buffer *out, struct error *err)
{
    size_t got;

    do {
        buffer_reserve(out, 4096);
        got = fread(out->data + out->len, 1, 4096, in);
        out->len += got;
    } while (got > 0 && out->len <= FILE_MAX_BYTES);
    if (ferror(in)) {
        return error_set(err, ERR_IO, NO_POSITION, "cannot be read: %s", strerror(errno));
    }
    return out->len > FILE_MAX_BYTES ? error_set(err, ERR_TOO_LARGE, NO_POSITION,
                                                 "is larger than %d bytes", FILE_MAX_BYTES)
                                     : 0;
}

int config_read(const char *file, struct arena *arena, config_list *out, struct error *err)
{
    FILE *in = fopen(file, "rb");
    struct buffer text = { 0 };
    int code;

    if (!in) {
        return error_set(err, ERR_IO, NO_POSITION, "%s cannot be opened: %s", file,
                         strerror(errno));
    }
    code = read_file(in, &text, err);
    fclose(in);
    code = code ? code : config_parse(buffer_bytes(&text), arena, out, err);
    buffer_fini(&text);
    if (code && err->at.line > 0) {
        error_prefix(err, "%s:%u", file, err->at.line);
    } else if (code) {
        error_prefix(err, "%s", file);
    }
    return code;
}
