/*
 * fuzz_java_pattern.c: a pattern reads text the same in any case, alone and as an optional section.
 * Input: a pattern and a text, a line each.
 */
#include <assert.h>
#include <string.h>

#include "engine/type/java_pattern.h"
#include "tests/fuzz/fuzz.h"

static struct bytes other_case(struct arena *arena, struct bytes text)
{
    char *other = arena_copy_text(arena, text);

    for (size_t i = 0; i < text.len; i++) {
        if ((other[i] >= 'a' && other[i] <= 'z') || (other[i] >= 'A' && other[i] <= 'Z')) {
            other[i] = (char)(other[i] ^ 0x20);
        }
    }
    return (struct bytes){ other, text.len };
}

/* -1: refused. */
static int64_t read_by(const struct java_pattern *pattern, struct bytes text)
{
    int64_t ms = -1;

    if (!java_pattern_parse_timestamp(pattern, text, &ms, NULL)) {
        return ms == -1 ? -2 : ms;
    }
    assert(ms == -1);
    return -1;
}

static void check(struct arena *arena, struct bytes pattern_text, struct bytes text)
{
    const struct java_pattern *pattern;
    const struct java_pattern *optional;
    int64_t ms;

    if (java_pattern_compile(arena, pattern_text, &pattern, NULL)) {
        return;
    }
    ms = read_by(pattern, text);
    assert(read_by(pattern, other_case(arena, text)) == ms);
    pattern_text = arena_printf(arena, "[%.*s]", BYTES_ARG(pattern_text));
    if (ms != -1 && !java_pattern_compile(arena, pattern_text, &optional, NULL)) {
        assert(read_by(optional, text) == ms);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *input = (const char *)data;
    const char *line = size ? memchr(input, '\n', size) : NULL;
    size_t first = line ? (size_t)(line - input) : size;
    size_t rest = size - first - (line != NULL);
    struct arena arena;

    if (first == 0 || memchr(input, '\0', first)) {
        return 0;
    }
    arena_init(&arena, 0);
    check(&arena, (struct bytes){ input, first }, (struct bytes){ input + size - rest, rest });
    arena_fini(&arena);
    return 0;
}
