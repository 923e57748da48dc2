/*
 * utf8.h: checking, decoding and cutting UTF-8, without tables.
 *
 * Well-formed means RFC 3629: no overlong forms, no surrogates, nothing above
 * U+10FFFF.
 */
#ifndef SLUICE_BASE_UTF8_H
#define SLUICE_BASE_UTF8_H

#include "base/bytes.h"

enum { UTF8_MAX_BYTES = 4 };

bool utf8_is_valid(struct bytes text);
/* Bytes of the well-formed character at text.data + at, 0 if there is none; code point in *out. */
size_t utf8_decode(struct bytes text, size_t at, uint32_t *out);
/* Writes 1 to 4 bytes and returns how many; 0 for what is no character. */
size_t utf8_encode(uint32_t code_point, char out[UTF8_MAX_BYTES]);
/* Number of code points; each byte of a malformed sequence counts as one. */
size_t utf8_count(struct bytes text);
/* The longest prefix of at most max_bytes that does not end inside a character. */
struct bytes utf8_cut(struct bytes text, size_t max_bytes);

#endif
