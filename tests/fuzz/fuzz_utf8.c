/*
 * fuzz_utf8.c: decoding agrees with encoding, and a cut of valid text is valid.
 */
#include <assert.h>
#include <string.h>

#include "base/utf8.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes text = { size ? (const char *)data : "", size };
    bool is_valid = utf8_is_valid(text);
    bool decodes = true;

    for (size_t at = 0; at < size;) {
        uint32_t code_point = 0;
        char again[UTF8_MAX_BYTES];
        size_t len = utf8_decode(text, at, &code_point);

        decodes = decodes && len > 0;
        if (len) {
            assert(utf8_encode(code_point, again) == len);
            assert(memcmp(again, text.data + at, len) == 0);
        }
        at += len ? len : 1;
    }
    assert(decodes == is_valid);
    assert(utf8_count(text) <= size);
    for (size_t max = 0; max <= size && max < 64; max++) {
        struct bytes cut = utf8_cut(text, max);

        assert(cut.len <= max && max - cut.len < UTF8_MAX_BYTES);
        assert(!is_valid || utf8_is_valid(cut));
    }
    return 0;
}
