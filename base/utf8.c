/*
 * utf8.c: the four encodings by length of RFC 3629, section 4.
 *
 * The first byte fixes the length and the range of the second; that one range
 * is what keeps out overlong forms, surrogates and code points too large.
 */
#include "base/utf8.h"

static bool is_continuation(unsigned char byte)
{
    return (byte & 0xC0) == 0x80;
}

static size_t sequence_length(unsigned char first)
{
    if (first < 0x80) {
        return 1;
    }
    if (first < 0xC2 || first > 0xF4) {
        return 0;
    }
    return first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
}

static bool second_byte_fits(unsigned char first, unsigned char second)
{
    switch (first) {
    case 0xE0:
        return second >= 0xA0;
    case 0xED:
        return second < 0xA0;
    case 0xF0:
        return second >= 0x90;
    case 0xF4:
        return second < 0x90;
    default:
        return true;
    }
}

size_t utf8_decode(struct bytes text, size_t at, uint32_t *out)
{
    const unsigned char *data = (const unsigned char *)text.data + at;
    size_t len = at < text.len ? sequence_length(data[0]) : 0;
    uint32_t code_point;

    if (len == 0 || len > text.len - at) {
        return 0;
    }
    if (len == 1) {
        *out = data[0];
        return 1;
    }
    if (!second_byte_fits(data[0], data[1])) {
        return 0;
    }
    code_point = data[0] & (0x7Fu >> len);
    for (size_t i = 1; i < len; i++) {
        if (!is_continuation(data[i])) {
            return 0;
        }
        code_point = code_point << 6 | (data[i] & 0x3Fu);
    }
    *out = code_point;
    return len;
}

size_t utf8_encode(uint32_t code_point, char out[UTF8_MAX_BYTES])
{
    if (code_point < 0x80) {
        out[0] = (char)code_point;
        return 1;
    }
    if (code_point < 0x800) {
        out[0] = (char)(0xC0 | code_point >> 6);
        out[1] = (char)(0x80 | (code_point & 0x3F));
        return 2;
    }
    if ((code_point >= 0xD800 && code_point < 0xE000) || code_point > 0x10FFFF) {
        return 0;
    }
    if (code_point < 0x10000) {
        out[0] = (char)(0xE0 | code_point >> 12);
        out[1] = (char)(0x80 | (code_point >> 6 & 0x3F));
        out[2] = (char)(0x80 | (code_point & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | code_point >> 18);
    out[1] = (char)(0x80 | (code_point >> 12 & 0x3F));
    out[2] = (char)(0x80 | (code_point >> 6 & 0x3F));
    out[3] = (char)(0x80 | (code_point & 0x3F));
    return 4;
}

bool utf8_is_valid(struct bytes text)
{
    uint32_t code_point;

    for (size_t at = 0; at < text.len;) {
        size_t len = utf8_decode(text, at, &code_point);

        if (!len) {
            return false;
        }
        at += len;
    }
    return true;
}

size_t utf8_count(struct bytes text)
{
    size_t count = 0;
    uint32_t code_point;

    for (size_t at = 0; at < text.len; count++) {
        size_t len = utf8_decode(text, at, &code_point);

        at += len ? len : 1;
    }
    return count;
}

struct bytes utf8_cut(struct bytes text, size_t max_bytes)
{
    size_t start;

    if (text.len <= max_bytes) {
        return text;
    }
    text.len = max_bytes;
    /* Step back over at most one cut character; malformed text is cut where it is. */
    for (start = max_bytes; start > 0 && max_bytes - start < UTF8_MAX_BYTES; start--) {
        unsigned char byte = (unsigned char)text.data[start - 1];

        if (!is_continuation(byte)) {
            if (sequence_length(byte) > max_bytes - (start - 1)) {
                text.len = start - 1;
            }
            break;
        }
    }
    return text;
}
