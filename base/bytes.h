/*
 * bytes.h: slices that own nothing, and a growable buffer that owns its memory.
 *
 * A slice with data == NULL is "absent" (a null key, a null value); a slice of
 * length 0 with a non-NULL pointer is empty. The two are never confused.
 */
#ifndef SLUICE_BASE_BYTES_H
#define SLUICE_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bytes {
    const char *data;
    size_t len;
};

/* A slice of a string literal; usable in static initialisers. */
#define BYTES(literal)                 \
    {                                  \
        (literal), sizeof(literal) - 1 \
    }
/* For "%.*s". */
#define BYTES_ARG(b) (int)(b).len, (b).data

/* Of a NUL-terminated string; NULL gives an absent slice. */
struct bytes bytes_of(const char *text);
bool bytes_equal(struct bytes a, struct bytes b);
bool bytes_equal_text(struct bytes a, const char *text);
bool bytes_equal_nocase(struct bytes a, struct bytes b); /* ASCII folding only */
bool bytes_equal_text_nocase(struct bytes a, const char *text);
int bytes_compare(struct bytes a, struct bytes b); /* unsigned bytes, then the shorter first */
bool bytes_starts_with(struct bytes a, struct bytes prefix);
uint64_t bytes_hash(struct bytes b); /* for tables in memory; may differ between builds */

/* A growable byte buffer. Zero-initialised is valid and empty. */
struct buffer {
    char *data;
    size_t len;
    size_t capacity;
};

void buffer_fini(struct buffer *b);
void buffer_reserve(struct buffer *b, size_t more); /* room for `more` bytes behind len */
void buffer_append(struct buffer *b, const void *data, size_t len);
void buffer_append_bytes(struct buffer *b, struct bytes text);
void buffer_append_text(struct buffer *b, const char *text);
void buffer_append_char(struct buffer *b, char c);
void buffer_printf(struct buffer *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Valid until the buffer changes; never absent. */
struct bytes buffer_bytes(const struct buffer *b);

#endif
