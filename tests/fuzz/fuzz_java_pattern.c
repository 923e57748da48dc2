/*
 * fuzz_java_pattern.c: a pattern reads text the same alone and as an optional section; what it
 * prints of that has the length that is foretold. Input: a pattern and a text, a line each.
 */
#include <assert.h>
#include <string.h>

#include "engine/type/java_pattern.h"
#include "tests/fuzz/fuzz.h"

/* -1: refused. */
static int64_t read_by(const struct java_pattern *pattern, struct bytes text)
{
    int64_t ms = -1;

    if (!java_pattern_parse_timestamp(pattern, text, NULL, &ms, NULL)) {
        return ms == -1 ? -2 : ms;
    }
    assert(ms == -1);
    return -1;
}

static void check_print(struct arena *arena, const struct java_pattern *pattern, int64_t ms)
{
    char *out = arena_alloc(arena, java_pattern_print_max(pattern));
    size_t length = 0;
    struct java_moment moment;
    struct time_zone zone;

    assert(time_zone_init(&zone, (struct bytes)BYTES("-03:30"), NULL) == 0);
    moment = java_moment_of_timestamp(ms, &zone);
    if (!java_pattern_print(pattern, &moment, out, &length, NULL)) {
        assert(length <= java_pattern_print_max(pattern));
    }
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
    check_print(arena, pattern, ms);
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
