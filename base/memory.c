/*
 * memory.c: the checked allocation calls under arenas, buffers and tables.
 *
 * The message is written without allocating; abort leaves a core for those
 * who want to see who asked for how much.
 */
#include "base/memory.h"

#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

_Noreturn void memory_exhausted(size_t size)
{
    (void)fprintf(stderr, "sluice: out of memory: %zu bytes refused\n", size);
    abort();
}

void *memory_alloc(size_t size)
{
    void *data = malloc(size ? size : 1);

    if (!data) {
        memory_exhausted(size);
    }
    return data;
}

void *memory_zalloc(size_t count, size_t size)
{
    void *data = calloc(count ? count : 1, size ? size : 1);

    if (!data) {
        memory_exhausted(size);
    }
    return data;
}

void *memory_resize(void *old, size_t count, size_t size)
{
    size_t total = count * size;
    void *data;

    if (size && count > SIZE_MAX / size) {
        memory_exhausted(SIZE_MAX);
    }
    data = realloc(old, total ? total : 1);
    if (!data) {
        memory_exhausted(total);
    }
    return data;
}

enum { LARGE_BYTES = 128 << 10, TRIM_BYTES = 1 << 20, KEPT_BYTES = 8 << 20 };

/* Saying what it is by default keeps it from rising with the largest block that was freed. */
void memory_return_large(void)
{
    (void)mallopt(M_MMAP_THRESHOLD, LARGE_BYTES);
    (void)mallopt(M_TRIM_THRESHOLD, TRIM_BYTES);
}

void memory_keep_large(void)
{
    (void)mallopt(M_MMAP_THRESHOLD, KEPT_BYTES / 2);
    (void)mallopt(M_TRIM_THRESHOLD, KEPT_BYTES);
}
