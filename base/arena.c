/*
 * arena.c: chunks from malloc, cut from both ends.
 *
 * Aligned blocks grow up from `next`, text grows down from `end`, so neither
 * disturbs the other and the fast path is one comparison. Chunks double up to
 * a limit; a request too large for the next regular chunk gets one of its own
 * behind the current one, so that the room left in front is not lost.
 */
#include "base/arena.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#endif

#include "base/memory.h"

enum {
    ALIGNMENT = 16,
    SMALLEST_CHUNK_BYTES = 256,
    DEFAULT_CHUNK_BYTES = 4096,
    LARGEST_CHUNK_BYTES = 1 << 20
};

struct arena_chunk {
    struct arena_chunk *older;
    size_t size; /* of data */
    _Alignas(ALIGNMENT) char data[];
};

static void poison(void *data, size_t size)
{
#ifdef __SANITIZE_ADDRESS__
    ASAN_POISON_MEMORY_REGION(data, size);
#else
    (void)data;
    (void)size;
#endif
}

void arena_unpoison(void *data, size_t size)
{
#ifdef __SANITIZE_ADDRESS__
    ASAN_UNPOISON_MEMORY_REGION(data, size);
#else
    (void)data;
    (void)size;
#endif
}

static size_t round_up(size_t size)
{
    size_t rounded = (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);

    if (rounded < size) {
        memory_exhausted(size);
    }
    return rounded ? rounded : ALIGNMENT;
}

static struct arena_chunk *chunk_create(struct arena *arena, size_t size)
{
    struct arena_chunk *chunk;

    if (size > SIZE_MAX - sizeof *chunk) {
        memory_exhausted(size);
    }
    chunk = memory_alloc(sizeof *chunk + size);
    chunk->older = NULL;
    chunk->size = size;
    poison(chunk->data, size);
    arena->total_bytes += sizeof *chunk + size;
    if (arena->chunk_size < LARGEST_CHUNK_BYTES) {
        arena->chunk_size *= 2;
    }
    return chunk;
}

static void chunk_destroy(struct arena *arena, struct arena_chunk *chunk)
{
    arena->total_bytes -= sizeof *chunk + chunk->size;
    arena_unpoison(chunk->data, chunk->size);
    free(chunk);
}

static void use_chunk(struct arena *arena, struct arena_chunk *chunk)
{
    arena->chunk = chunk;
    arena->next = chunk->data;
    arena->end = chunk->data + chunk->size;
}

/* Makes a new regular chunk the current one. */
static void start_chunk(struct arena *arena)
{
    struct arena_chunk *chunk = chunk_create(arena, arena->chunk_size);

    chunk->older = arena->chunk;
    use_chunk(arena, chunk);
}

/* A chunk for one large block; the current chunk stays current. */
static char *own_chunk(struct arena *arena, size_t size)
{
    struct arena_chunk *chunk = chunk_create(arena, round_up(size));

    if (!arena->chunk) {
        use_chunk(arena, chunk);
        arena->next = arena->end;
    } else {
        chunk->older = arena->chunk->older;
        arena->chunk->older = chunk;
    }
    arena_unpoison(chunk->data, size);
    return chunk->data;
}

void arena_init(struct arena *arena, size_t first_chunk_bytes)
{
    size_t first = first_chunk_bytes ? first_chunk_bytes : DEFAULT_CHUNK_BYTES;

    first = first < SMALLEST_CHUNK_BYTES ? SMALLEST_CHUNK_BYTES : first;
    *arena = (struct arena){ .chunk_size = round_up(first) };
}

void arena_fini(struct arena *arena)
{
    while (arena->chunk) {
        struct arena_chunk *older = arena->chunk->older;

        chunk_destroy(arena, arena->chunk);
        arena->chunk = older;
    }
    arena->next = NULL;
    arena->end = NULL;
}

void arena_reset(struct arena *arena)
{
    struct arena_chunk *largest = arena->chunk;
    struct arena_chunk *chunk = arena->chunk;

    if (!chunk) {
        return;
    }
    for (; chunk; chunk = chunk->older) {
        if (chunk->size > largest->size) {
            largest = chunk;
        }
    }
    chunk = arena->chunk;
    while (chunk) {
        struct arena_chunk *older = chunk->older;

        if (chunk != largest) {
            chunk_destroy(arena, chunk);
        }
        chunk = older;
    }
    largest->older = NULL;
    poison(largest->data, largest->size);
    use_chunk(arena, largest);
}

/* For an arena that was zero-initialised instead of arena_init. */
static void default_chunk_size(struct arena *arena)
{
    if (!arena->chunk_size) {
        arena->chunk_size = DEFAULT_CHUNK_BYTES;
    }
}

void *arena_alloc_slow(struct arena *arena, size_t size)
{
    size_t rounded = round_up(size);
    char *at;

    default_chunk_size(arena);
    if (rounded > arena->chunk_size / 2) {
        return own_chunk(arena, size);
    }
    if ((size_t)(arena->end - arena->next) < rounded) {
        start_chunk(arena);
    }
    at = arena->next;
    arena->next = at + rounded;
    arena_unpoison(at, size);
    return at;
}

char *arena_alloc_text(struct arena *arena, size_t size)
{
    if (!arena->chunk || (size_t)(arena->end - arena->next) < size) {
        default_chunk_size(arena);
        if (size > arena->chunk_size / 2) {
            return own_chunk(arena, size);
        }
        start_chunk(arena);
    }
    arena->end -= size;
    arena_unpoison(arena->end, size);
    return arena->end;
}

void *arena_zalloc(struct arena *arena, size_t size)
{
    void *data = arena_alloc(arena, size);

    memset(data, 0, size);
    return data;
}

static size_t array_bytes(size_t size, size_t count)
{
    if (size && count > SIZE_MAX / size) {
        memory_exhausted(SIZE_MAX);
    }
    return size * count;
}

void *arena_zalloc_array(struct arena *arena, size_t size, size_t count)
{
    return arena_zalloc(arena, array_bytes(size, count));
}

struct bytes arena_copy(struct arena *arena, struct bytes text)
{
    char *copy;

    if (!text.data) {
        return text;
    }
    copy = arena_alloc_text(arena, text.len);
    memcpy(copy, text.data, text.len);
    return (struct bytes){ copy, text.len };
}

char *arena_copy_text(struct arena *arena, struct bytes text)
{
    char *copy;

    if (text.len == SIZE_MAX) {
        memory_exhausted(text.len);
    }
    copy = arena_alloc_text(arena, text.len + 1);
    if (text.len) {
        memcpy(copy, text.data, text.len);
    }
    copy[text.len] = '\0';
    return copy;
}

struct bytes arena_printf(struct arena *arena, const char *format, ...)
{
    va_list args;
    va_list again;
    int len;
    char *text;

    va_start(args, format);
    va_copy(again, args);
    len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    assert(len >= 0); /* only a broken format string fails */
    text = arena_alloc_text(arena, (size_t)len + 1);
    (void)vsnprintf(text, (size_t)len + 1, format, again);
    va_end(again);
    return (struct bytes){ text, (size_t)len };
}

void *arena_grow(struct arena *arena, const void *old, size_t size, size_t old_count,
                 size_t new_count)
{
    void *grown = arena_alloc(arena, array_bytes(size, new_count));

    assert(new_count >= old_count);
    if (old_count) {
        memcpy(grown, old, size * old_count);
    }
    return grown;
}
