/*
 * fuzz_java_simple_date.c: what follows the date changes nothing, and a date is of its type.
 * Input: a pattern and a text, a line each.
 */
#include <assert.h>
#include <string.h>

#include "base/arena.h"
#include "engine/type/java_simple_date.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *input = (const char *)data;
    const char *line = size ? memchr(input, '\n', size) : NULL;
    size_t first = line ? (size_t)(line - input) : size;
    struct bytes pattern = { size ? input : "", first };
    struct bytes text = { pattern.data + first, 0 };
    struct arena arena;
    int64_t days = 0;
    int64_t again = 0;

    if (line) {
        text = (struct bytes){ line + 1, size - first - 1 };
    }
    if (java_simple_date_parse(pattern, text, &days, NULL)) {
        return 0;
    }
    assert(days >= INT32_MIN && days <= INT32_MAX);
    if (memchr(text.data, '\0', text.len)) {
        return 0; /* the copy would end there */
    }
    arena_init(&arena, 0);
    text = arena_printf(&arena, "%.*s\n", BYTES_ARG(text));
    assert(java_simple_date_parse(pattern, text, &again, NULL) == 0 && again == days);
    arena_fini(&arena);
    return 0;
}
