/*
 * vec.h: a growable array in an arena, typed by the macro that declares it.
 *
 *     VEC(struct ast_node *) items = { 0 };
 *     *vec_push(arena, &items) = node;
 *
 * Grown copies leave the old array in the arena; plans are small.
 */
#ifndef SLUICE_BASE_VEC_H
#define SLUICE_BASE_VEC_H

#include "base/arena.h"

#define VEC(type)          \
    struct {               \
        type *items;       \
        uint32_t count;    \
        uint32_t capacity; \
    }

/* Room for one more at the end: a pointer to it (not zeroed). */
#define vec_push(arena, vec)                                                           \
    (vec_reserve_((arena), (void **)&(vec)->items, sizeof *(vec)->items, (vec)->count, \
                  &(vec)->capacity),                                                   \
     &(vec)->items[(vec)->count++])

void vec_reserve_(struct arena *arena, void **items, size_t size, uint32_t count,
                  uint32_t *capacity);

#endif
