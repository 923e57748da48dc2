/*
 * unicode.c: the only user of ICU's case tables.
 *
 * Most text is ASCII and never reaches ICU, whose data is mapped at first use.
 * ICU counts in int32_t: longer text goes through in pieces, cut at characters.
 */
#include "base/unicode.h"

#include <assert.h>

#include <unicode/ucasemap.h>

#include "base/memory.h"
#include "base/utf8.h"

enum { PIECE_BYTES = 1 << 26, LARGEST_CHARACTER_GROWTH = 3 };

typedef int32_t map_function(const UCaseMap *, char *, int32_t, const char *, int32_t,
                             UErrorCode *);

static bool is_ascii(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        if ((unsigned char)text.data[i] >= 0x80) {
            return false;
        }
    }
    return true;
}

static void shift_ascii(struct bytes text, char first, char last, int by, struct buffer *out)
{
    buffer_reserve(out, text.len);
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];

        out->data[out->len++] = c >= first && c <= last ? (char)(c + by) : c;
    }
}

static void map_piece(const UCaseMap *table, map_function *map, struct bytes piece,
                      struct buffer *out)
{
    size_t room = piece.len + piece.len / 4 + 16;

    for (;;) {
        UErrorCode status = U_ZERO_ERROR;
        int32_t len;

        buffer_reserve(out, room);
        len = map(table, out->data + out->len, (int32_t)room, piece.data, (int32_t)piece.len,
                  &status);
        if (U_SUCCESS(status)) {
            out->len += (size_t)len;
            return;
        }
        if (status != U_BUFFER_OVERFLOW_ERROR) {
            memory_exhausted(room); /* the one failure left */
        }
        assert((size_t)len <= piece.len * (LARGEST_CHARACTER_GROWTH + 1));
        room = (size_t)len + 1;
    }
}

static void map_text(map_function *map, struct bytes text, struct buffer *out)
{
    UErrorCode status = U_ZERO_ERROR;
    UCaseMap *table = ucasemap_open("", 0, &status);

    if (U_FAILURE(status)) {
        memory_exhausted(0);
    }
    while (text.len) {
        struct bytes piece = utf8_cut(text, PIECE_BYTES);

        map_piece(table, map, piece, out);
        text.data += piece.len;
        text.len -= piece.len;
    }
    ucasemap_close(table);
}

void unicode_upper(struct bytes text, struct buffer *out)
{
    if (is_ascii(text)) {
        shift_ascii(text, 'a', 'z', 'A' - 'a', out);
    } else {
        map_text(ucasemap_utf8ToUpper, text, out);
    }
}

void unicode_lower(struct bytes text, struct buffer *out)
{
    if (is_ascii(text)) {
        shift_ascii(text, 'A', 'Z', 'a' - 'A', out);
    } else {
        map_text(ucasemap_utf8ToLower, text, out);
    }
}
