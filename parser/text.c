/*
 * text.c: checks the encoding of a script, and shows a place in it.
 *
 * After the check the scanner can take NUL for the end and count a character
 * per first byte. The excerpt is made for any text, checked or not.
 */
#include "parser/text.h"

#include <string.h>

#include "base/utf8.h"
#include "parser/parse.h"

int text_check(struct bytes text, struct error *err)
{
    struct position at = { 1, 1 };
    size_t i = 0;

    if (text.len > PARSE_TEXT_MAX) {
        return error_set(err, ERR_TOO_LARGE, NO_POSITION,
                         "The text is too large: at most %d bytes are read at once",
                         (int)PARSE_TEXT_MAX);
    }
    while (i < text.len) {
        uint32_t character;
        size_t len = utf8_decode(text, i, &character);

        if (len == 0) {
            return error_set(err, ERR_SYNTAX, at,
                             "The byte 0x%02X here is no UTF-8; statements must be UTF-8",
                             (unsigned)(unsigned char)text.data[i]);
        }
        if (character == 0) {
            return error_set(err, ERR_SYNTAX, at, "Statements cannot hold a NUL character");
        }
        if (character == '\n') {
            at.line++;
            at.column = 0;
        }
        at.column++;
        i += len;
    }
    return 0;
}

static int fold(char c)
{
    return c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c;
}

enum { WORD_MAX = 32, FAR = 9 };

static int least(int a, int b, int c)
{
    int ab = a < b ? a : b;

    return ab < c ? ab : c;
}

/* Whether the two characters that end at these lengths are each other's. */
static bool are_swapped(struct bytes a, size_t a_len, struct bytes b, size_t b_len)
{
    return a_len > 1 && b_len > 1 && fold(a.data[a_len - 1]) == fold(b.data[b_len - 2]) &&
           fold(a.data[a_len - 2]) == fold(b.data[b_len - 1]);
}

int text_distance(struct bytes a, struct bytes b)
{
    int row[WORD_MAX + 1];
    int before[WORD_MAX + 1] = { 0 }; /* the row before the last */

    if (a.len > WORD_MAX || b.len > WORD_MAX) {
        return FAR;
    }
    for (size_t j = 0; j <= b.len; j++) {
        row[j] = (int)j;
    }
    for (size_t i = 1; i <= a.len; i++) {
        int diagonal = row[0];
        int before_diagonal = 0;

        row[0] = (int)i;
        for (size_t j = 1; j <= b.len; j++) {
            int above = row[j];
            int differs = fold(a.data[i - 1]) != fold(b.data[j - 1]) ? 1 : 0;

            row[j] = least(above + 1, row[j - 1] + 1, diagonal + differs);
            if (are_swapped(a, i, b, j) && before_diagonal + 1 < row[j]) {
                row[j] = before_diagonal + 1;
            }
            before_diagonal = before[j - 1];
            before[j - 1] = diagonal;
            diagonal = above;
        }
    }
    return row[b.len] < FAR ? row[b.len] : FAR;
}

/* --- excerpts --- */

enum { EXCERPT_BEFORE = 60, EXCERPT_AFTER = 30 }; /* characters around the place */

static bool is_first_byte(char c)
{
    return ((unsigned char)c & 0xC0) != 0x80;
}

static struct bytes find_line(struct bytes text, uint32_t line)
{
    const char *start = text.data;
    const char *end = text.data + text.len;
    const char *stop;

    for (uint32_t i = 1; i < line && start; i++) {
        start = memchr(start, '\n', (size_t)(end - start));
        start = start ? start + 1 : NULL;
    }
    if (!start) {
        return (struct bytes){ 0 };
    }
    stop = start < end ? memchr(start, '\n', (size_t)(end - start)) : NULL;
    stop = stop ? stop : end;
    if (stop > start && stop[-1] == '\r') {
        stop--;
    }
    return (struct bytes){ start, (size_t)(stop - start) };
}

/* One column per character: tabs and other controls as a space, what is no UTF-8 as "?". */
static void append_character(struct buffer *out, struct bytes rest)
{
    uint32_t character;
    size_t len = utf8_decode(rest, 0, &character);

    if (len == 0) {
        buffer_append_char(out, '?');
    } else if (character < ' ' || character == 0x7F) {
        buffer_append_char(out, ' ');
    } else {
        buffer_append(out, rest.data, len);
    }
}

void parse_error_excerpt(struct bytes text, struct position at, struct buffer *out)
{
    struct bytes line = at.line && at.column ? find_line(text, at.line) : (struct bytes){ 0 };
    uint32_t first = at.column > EXCERPT_BEFORE ? at.column - EXCERPT_BEFORE : 1;
    uint32_t last = at.column < UINT32_MAX - EXCERPT_AFTER ? at.column + EXCERPT_AFTER : UINT32_MAX;
    uint32_t column = 0;
    size_t i = 0;

    if (!line.data) {
        return;
    }
    buffer_append_text(out, first > 1 ? "..." : "");
    for (; i < line.len && column <= last; i++) {
        if (is_first_byte(line.data[i]) && ++column >= first && column <= last) {
            append_character(out, (struct bytes){ line.data + i, line.len - i });
        }
    }
    buffer_append_text(out, column > last ? "...\n" : "\n");
    buffer_append_text(out, first > 1 ? "   " : "");
    for (column = first; column < at.column; column++) {
        buffer_append_char(out, ' ');
    }
    buffer_append_text(out, "^\n");
}
