/*
 * arena.h: memory that ends all at once.
 *
 * Nothing is freed singly. Allocation never returns NULL: out of memory stops
 * the process, and recovery on restart takes it from there. Under ASan memory
 * that was reset is poisoned until it is handed out again.
 */
#ifndef SLUICE_BASE_ARENA_H
#define SLUICE_BASE_ARENA_H

#include "base/bytes.h"

struct arena_chunk;

struct arena {
    struct arena_chunk *chunk; /* the newest, linked to the older ones */
    char *next;                /* first free byte of it */
    char *end;
    size_t chunk_size;  /* of the next regular chunk */
    size_t total_bytes; /* held from malloc, for budgets */
};

void arena_init(struct arena *arena, size_t first_chunk_bytes); /* 0: a sensible default; lazy */
void arena_fini(struct arena *arena);
void arena_reset(struct arena *arena); /* ends all; keeps the largest chunk for the next round */

void *arena_alloc_slow(struct arena *arena, size_t size);

/* Uninitialised, 16-byte aligned. */
static inline void *arena_alloc(struct arena *arena, size_t size);
void *arena_zalloc(struct arena *arena, size_t size);
/* Text that the row path appends byte by byte has no need of alignment. */
char *arena_alloc_text(struct arena *arena, size_t size);

#define arena_new(arena, type) ((type *)arena_zalloc((arena), sizeof(type)))
#define arena_array(arena, type, count) \
    ((type *)arena_zalloc_array((arena), sizeof(type), (size_t)(count)))
void *arena_zalloc_array(struct arena *arena, size_t size, size_t count); /* overflow stops */

struct bytes arena_copy(struct arena *arena, struct bytes text); /* absent stays absent */
char *arena_copy_text(struct arena *arena, struct bytes text);   /* NUL-terminated */
struct bytes arena_printf(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3))); /* also NUL-terminated */
/* Grows an array: returns room for new_count items, the first old_count copied. */
void *arena_grow(struct arena *arena, const void *old, size_t size, size_t old_count,
                 size_t new_count);

void arena_unpoison(void *data, size_t size); /* no-op without ASan */

static inline void *arena_alloc(struct arena *arena, size_t size)
{
    size_t rounded = (size + !size + 15u) & ~(size_t)15u; /* an empty block has an address too */
    char *at = arena->next;

    if (rounded < size || (size_t)(arena->end - at) < rounded) {
        return arena_alloc_slow(arena, size);
    }
    arena->next = at + rounded;
#ifdef __SANITIZE_ADDRESS__
    arena_unpoison(at, size);
#endif
    return at;
}

#endif
