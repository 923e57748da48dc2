/*
 * vec.c: the growing half of VEC. Arrays double, starting at four items.
 */
#include "base/vec.h"

#include "base/memory.h"

enum { FIRST_CAPACITY = 4 };

void vec_reserve_(struct arena *arena, void **items, size_t size, uint32_t count,
                  uint32_t *capacity)
{
    uint32_t wanted = *capacity ? *capacity * 2 : FIRST_CAPACITY;

    if (count < *capacity) {
        return;
    }
    if (wanted <= *capacity) {
        memory_exhausted(SIZE_MAX);
    }
    *items = arena_grow(arena, *items, size, count, wanted);
    *capacity = wanted;
}
