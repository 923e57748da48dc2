/*
 * unicode.h: case mapping by the Unicode tables, independent of any locale.
 *
 * Full mapping: lengths may change ("ß" becomes "SS") and a sigma at the end of
 * a word is written as one. Bytes that are not UTF-8 stay as they are.
 */
#ifndef SLUICE_BASE_UNICODE_H
#define SLUICE_BASE_UNICODE_H

#include "base/bytes.h"

/* Append the mapped text; `text` must not point into the buffer. */
void unicode_upper(struct bytes text, struct buffer *out);
void unicode_lower(struct bytes text, struct buffer *out);

#endif
