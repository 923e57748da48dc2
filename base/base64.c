/*
 * base64.c: bytes as text in the standard alphabet.
 *
 * Bits beyond the last whole byte are ignored, as Java's decoders do.
 */
#include "base/base64.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

size_t base64_encoded_size(size_t size)
{
    return (size + 2) / 3 * 4;
}

size_t base64_decoded_bound(size_t text_len)
{
    return text_len / 4 * 3 + 3;
}

void base64_encode(struct bytes in, char *out)
{
    for (size_t i = 0; i < in.len; i += 3) {
        size_t left = in.len - i;
        unsigned group = (unsigned)(unsigned char)in.data[i] << 16;

        if (left > 1) {
            group |= (unsigned)(unsigned char)in.data[i + 1] << 8;
        }
        if (left > 2) {
            group |= (unsigned char)in.data[i + 2];
        }
        *out++ = alphabet[group >> 18];
        *out++ = alphabet[group >> 12 & 63];
        *out++ = left > 1 ? alphabet[group >> 6 & 63] : '=';
        *out++ = left > 2 ? alphabet[group & 63] : '=';
    }
}

/* 0 to 63, or -1. */
static int digit_of(char c)
{
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }
    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }
    if (c >= '0' && c <= '9') {
        return c - '0' + 52;
    }
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

static bool is_skipped(char c, enum base64_rules rules)
{
    return rules == BASE64_PADDED && (unsigned char)c <= ' ';
}

/* What follows the last digit: the padding that `digits` in the last group ask for. */
static bool ends_well(struct bytes text, size_t at, unsigned digits, enum base64_rules rules)
{
    unsigned padding = 0;

    for (; at < text.len; at++) {
        if (text.data[at] == '=') {
            padding++;
        } else if (!is_skipped(text.data[at], rules)) {
            return false;
        }
    }
    if (digits == 1) {
        return false;
    }
    if (padding == 0) {
        return digits == 0 || rules == BASE64_UNPADDED;
    }
    return digits > 0 && padding == 4 - digits;
}

bool base64_decode(struct bytes text, enum base64_rules rules, char *out, size_t *out_len)
{
    unsigned group = 0;
    unsigned digits = 0; /* in the group that is being read */
    size_t len = 0;
    size_t at = 0;

    for (; at < text.len; at++) {
        int digit = digit_of(text.data[at]);

        if (digit < 0) {
            if (is_skipped(text.data[at], rules)) {
                continue;
            }
            break;
        }
        group = (group << 6 | (unsigned)digit) & 0xffffff;
        digits = (digits + 1) & 3;
        if (digits == 0) {
            out[len++] = (char)(group >> 16);
            out[len++] = (char)(group >> 8 & 255);
            out[len++] = (char)(group & 255);
        }
    }
    if (!ends_well(text, at, digits, rules)) {
        return false;
    }
    if (digits == 2) {
        out[len++] = (char)(group >> 4 & 255);
    } else if (digits == 3) {
        out[len++] = (char)(group >> 10 & 255);
        out[len++] = (char)(group >> 2 & 255);
    }
    *out_len = len;
    return true;
}
