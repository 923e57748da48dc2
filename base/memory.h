/*
 * memory.h: malloc that does not fail: out of memory stops the process.
 *
 * Recovery on restart is the one answer to exhausted memory, so callers carry
 * no code for it. Sizes that come from input are checked by the caller first.
 */
#ifndef SLUICE_BASE_MEMORY_H
#define SLUICE_BASE_MEMORY_H

#include <stddef.h>

/* Uninitialised; release with free(). Never NULL, also for size 0. */
void *memory_alloc(size_t size);
/* Zeroed array; stops the process when count * size overflows. */
void *memory_zalloc(size_t count, size_t size);
/* realloc of an array; old may be NULL. */
void *memory_resize(void *old, size_t count, size_t size);
/* Ends the process with a line on stderr that names the request. */
_Noreturn void memory_exhausted(size_t size);

/*
 * Large blocks come from the system and go back to it when they are freed, for a process that has a
 * budget: the C library would rather keep them, and cut them up. Before threads are started.
 */
void memory_return_large(void);
/*
 * What a broker's response takes is used again for the next one: from the system it would come
 * cleared, page by page. Before threads are started.
 */
void memory_keep_large(void);

#endif
