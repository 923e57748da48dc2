/*
 * bytes.c: comparing and hashing slices; the growable buffer.
 *
 * An absent slice equals only another absent one and sorts before all others.
 */
#include "base/bytes.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { SMALLEST_BUFFER_BYTES = 64 };

struct bytes bytes_of(const char *text)
{
    return (struct bytes){ text, text ? strlen(text) : 0 };
}

bool bytes_equal(struct bytes a, struct bytes b)
{
    if (a.len != b.len || !a.data != !b.data) {
        return false;
    }
    return a.len == 0 || memcmp(a.data, b.data, a.len) == 0;
}

bool bytes_equal_text(struct bytes a, const char *text)
{
    return bytes_equal(a, bytes_of(text));
}

static unsigned char fold(char c)
{
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

bool bytes_equal_nocase(struct bytes a, struct bytes b)
{
    if (a.len != b.len || !a.data != !b.data) {
        return false;
    }
    for (size_t i = 0; i < a.len; i++) {
        if (fold(a.data[i]) != fold(b.data[i])) {
            return false;
        }
    }
    return true;
}

bool bytes_equal_text_nocase(struct bytes a, const char *text)
{
    return bytes_equal_nocase(a, bytes_of(text));
}

int bytes_compare(struct bytes a, struct bytes b)
{
    size_t common = a.len < b.len ? a.len : b.len;
    int order = common ? memcmp(a.data, b.data, common) : 0;

    if (order) {
        return order < 0 ? -1 : 1;
    }
    if (a.len != b.len) {
        return a.len < b.len ? -1 : 1;
    }
    return (a.data != NULL) - (b.data != NULL);
}

bool bytes_starts_with(struct bytes a, struct bytes prefix)
{
    return a.len >= prefix.len && (prefix.len == 0 || memcmp(a.data, prefix.data, prefix.len) == 0);
}

/* Multiply and fold the high half back: every input bit reaches the low bits. */
static uint64_t mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ (hash >> 29);
}

uint64_t bytes_hash(struct bytes b)
{
    uint64_t hash = mix(UINT64_C(0x51ed270b9f652295), b.len);
    uint64_t word = 0;
    size_t at = 0;

    for (; at + sizeof word <= b.len; at += sizeof word) {
        memcpy(&word, b.data + at, sizeof word);
        hash = mix(hash, word);
    }
    if (at < b.len) {
        word = 0;
        memcpy(&word, b.data + at, b.len - at);
        hash = mix(hash, word);
    }
    hash *= UINT64_C(0xbf58476d1ce4e5b9);
    return hash ^ (hash >> 32);
}

void buffer_fini(struct buffer *b)
{
    free(b->data);
    *b = (struct buffer){ 0 };
}

void buffer_reserve(struct buffer *b, size_t more)
{
    size_t needed = b->len + more;
    size_t capacity = b->capacity ? b->capacity : SMALLEST_BUFFER_BYTES;

    if (needed < more) {
        memory_exhausted(more);
    }
    if (b->data && needed <= b->capacity) {
        return;
    }
    while (capacity < needed) {
        capacity = capacity > SIZE_MAX / 2 ? needed : capacity * 2;
    }
    b->data = memory_resize(b->data, capacity, 1);
    b->capacity = capacity;
}

void buffer_append(struct buffer *b, const void *data, size_t len)
{
    if (len) {
        buffer_reserve(b, len);
        memcpy(b->data + b->len, data, len);
        b->len += len;
    }
}

void buffer_append_bytes(struct buffer *b, struct bytes text)
{
    buffer_append(b, text.data, text.len);
}

void buffer_append_text(struct buffer *b, const char *text)
{
    buffer_append(b, text, strlen(text));
}

void buffer_append_char(struct buffer *b, char c)
{
    if (b->len == b->capacity) {
        buffer_reserve(b, 1);
    }
    b->data[b->len++] = c;
}

void buffer_printf(struct buffer *b, const char *format, ...)
{
    va_list args;
    va_list again;
    int len;

    va_start(args, format);
    va_copy(again, args);
    len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    assert(len >= 0); /* only a broken format string fails */
    buffer_reserve(b, (size_t)len + 1);
    (void)vsnprintf(b->data + b->len, (size_t)len + 1, format, again);
    va_end(again);
    b->len += (size_t)len;
}

struct bytes buffer_bytes(const struct buffer *b)
{
    return (struct bytes){ b->data ? b->data : "", b->len };
}
