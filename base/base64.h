/*
 * base64.h: bytes as text in the standard alphabet (RFC 4648 section 4).
 */
#ifndef SLUICE_BASE_BASE64_H
#define SLUICE_BASE_BASE64_H

#include "base/bytes.h"

enum base64_rules {
    BASE64_PADDED,  /* padding required; bytes up to U+0020 are skipped, as in MIME */
    BASE64_UNPADDED /* padding may be missing; nothing is skipped */
};

size_t base64_encoded_size(size_t size);
/* Writes base64_encoded_size() characters, padded. */
void base64_encode(struct bytes in, char *out);
/* Room for this many bytes is enough for what the text decodes to. */
size_t base64_decoded_bound(size_t text_len);
/* False when the text is no base64; *out_len is set on success only. */
bool base64_decode(struct bytes text, enum base64_rules rules, char *out, size_t *out_len);

#endif
