/*
 * json_scan.h: JSON text -> tokens, without copying.
 *
 * The scanner itself is generated from json_scan.re. What the row path does for
 * every byte, finding the end of plain text, is inline here. A string token has
 * been checked whole: its escapes and its UTF-8 (RFC 3629) are right.
 */
#ifndef SLUICE_ENGINE_FORMAT_JSON_SCAN_H
#define SLUICE_ENGINE_FORMAT_JSON_SCAN_H

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "base/bytes.h"

/* Arrays and objects within each other; a deeper document is malformed. */
enum { JSON_MAX_DEPTH = 1000 };

enum json_token {
    JSON_BAD, /* no token of JSON */
    JSON_END, /* the text ends here */
    JSON_OBJECT,
    JSON_OBJECT_END,
    JSON_ARRAY,
    JSON_ARRAY_END,
    JSON_COLON,
    JSON_COMMA,
    JSON_STRING,
    JSON_INTEGER, /* digits alone */
    JSON_DECIMAL, /* with a fraction or an exponent */
    JSON_TRUE,
    JSON_FALSE,
    JSON_NULL
};

struct json_scanner {
    const char *at; /* the next byte */
    const char *end;
    struct bytes text; /* the last token; a string's without its quotes, still escaped */
    bool escaped;      /* the last string has escapes */
    uint32_t depth;    /* arrays and objects that are open around `at` */
};

/* Skips white space and reads one token; after JSON_BAD and JSON_END `at` stays at its place. */
enum json_token json_next(struct json_scanner *s);
/* Skips one value with all that is in it; false where it is malformed, `at` near the fault. */
bool json_skip(struct json_scanner *s);
/* The characters of a checked string; at most raw.len bytes. A lone surrogate is U+FFFD. */
size_t json_unescape(struct bytes raw, char *out);

static inline bool json_is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* The first byte that is not plain text: quote, backslash, control, non-ASCII; or the end. */
static inline const char *json_plain_end(const char *at, const char *end)
{
#ifdef __SSE2__
    const __m128i quote = _mm_set1_epi8('"');
    const __m128i backslash = _mm_set1_epi8('\\');
    const __m128i space = _mm_set1_epi8(' ');

    for (; end - at >= 16; at += 16) {
        __m128i block = _mm_loadu_si128((const __m128i *)(const void *)at);
        /* As signed bytes, what is below the space is control or non-ASCII. */
        __m128i stops = _mm_or_si128(
            _mm_cmplt_epi8(block, space),
            _mm_or_si128(_mm_cmpeq_epi8(block, quote), _mm_cmpeq_epi8(block, backslash)));
        unsigned found = (unsigned)_mm_movemask_epi8(stops);

        if (found) {
            return at + __builtin_ctz(found);
        }
    }
#endif
    while (at < end && (signed char)*at >= ' ' && *at != '"' && *at != '\\') {
        at++;
    }
    return at;
}

#endif
