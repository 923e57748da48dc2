/*
 * format_text.c: text that may be no UTF-8, and the words of refusals.
 */
#include "engine/format/format_internal.h"

#include <string.h>

#include "base/utf8.h"

static bool continues(const unsigned char *at, const unsigned char *end)
{
    return at < end && (*at & 0xc0) == 0x80;
}

/* The second byte of a longer sequence, which alone decides about overlong and too large. */
static bool second_fits(const unsigned char *at, const unsigned char *end)
{
    if (!continues(at + 1, end)) {
        return false;
    }
    switch (at[0]) {
    case 0xe0:
        return at[1] >= 0xa0;
    case 0xf0:
        return at[1] >= 0x90;
    case 0xf4:
        return at[1] < 0x90;
    default:
        return true;
    }
}

/* How many malformed bytes one U+FFFD stands for; a surrogate counts whole. */
static size_t malformed_len(const unsigned char *at, const unsigned char *end)
{
    if (at[0] < 0xe0 || at[0] > 0xf4 || !second_fits(at, end)) {
        return 1;
    }
    if (!continues(at + 2, end)) {
        return 2;
    }
    return 3;
}

struct bytes format_repair_text(struct bytes in, struct arena *arena)
{
    static const char replacement[] = "\xef\xbf\xbd";
    const unsigned char *bytes = (const unsigned char *)in.data;
    char *out;
    size_t len = 0;

    if (utf8_is_valid(in)) {
        return in;
    }
    out = arena_alloc_text(arena, 3 * in.len);
    for (size_t at = 0; at < in.len;) {
        uint32_t c;
        size_t size = utf8_decode(in, at, &c);

        if (size > 0) {
            memcpy(out + len, in.data + at, size);
            len += size;
        } else {
            memcpy(out + len, replacement, 3);
            len += 3;
            size = malformed_len(bytes + at, bytes + in.len);
        }
        at += size;
    }
    return (struct bytes){ out, len };
}

int format_refuse_type(const char *format, const struct column *column, struct error *err)
{
    return error_set(err, ERR_FORMAT_SCHEMA, NO_POSITION,
                     "The '%s' format does not support type '%s', column: %.*s", format,
                     type_name(column->type->id), BYTES_ARG(column->name));
}

void format_print_columns(const struct column *columns, uint32_t column_count, struct buffer *out)
{
    for (uint32_t i = 0; i < column_count; i++) {
        if (i > 0) {
            buffer_append_text(out, ", ");
        }
        name_print_quoted(columns[i].name, out);
        buffer_append_char(out, ' ');
        type_print(columns[i].type, out);
    }
}
