/*
 * packed.h: numbers and texts in a row of bytes, as little of them as they take.
 *
 * A number is a varint: seven bits a byte, the lowest first, the upper bit says that
 * there are more. A signed one is folded first, so that small ones of both signs are short.
 */
#ifndef SLUICE_BASE_PACKED_H
#define SLUICE_BASE_PACKED_H

#include "base/bytes.h"

enum { PACKED_NUMBER_MAX = 10 }; /* bytes */

static inline uint64_t packed_fold(int64_t value)
{
    return ((uint64_t)value << 1) ^ (value < 0 ? UINT64_MAX : 0);
}

static inline int64_t packed_unfold(uint64_t value)
{
    return (int64_t)(value >> 1 ^ (value & 1 ? UINT64_MAX : 0));
}

/* There is room for it; returns what is behind it. */
static inline char *packed_put(char *at, uint64_t value)
{
    while (value >= 0x80) {
        *at++ = (char)(value | 0x80);
        value >>= 7;
    }
    *at++ = (char)value;
    return at;
}

/* Of a text that can be absent: one more than its length, or 0. */
static inline uint64_t packed_length(struct bytes text)
{
    return text.data ? (uint64_t)text.len + 1 : 0;
}

/* What is left to be read; `wrong` once it ends too early. */
struct packed_reader {
    const char *at;
    const char *end;
    bool wrong;
};

static inline uint64_t packed_take(struct packed_reader *from)
{
    uint64_t value = 0;

    for (unsigned shift = 0; from->at < from->end && shift < 64; shift += 7) {
        unsigned char byte = (unsigned char)*from->at++;

        value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) {
            return value;
        }
    }
    from->wrong = true;
    return 0;
}

static inline struct bytes packed_take_bytes(struct packed_reader *from, uint64_t len)
{
    struct bytes text = { from->at, (size_t)len };

    if (len > (uint64_t)(from->end - from->at)) {
        from->wrong = true;
        return (struct bytes){ from->at, 0 };
    }
    from->at += len;
    return text;
}

/* What packed_length stands for. */
static inline struct bytes packed_take_text(struct packed_reader *from, uint64_t length)
{
    return length ? packed_take_bytes(from, length - 1) : (struct bytes){ NULL, 0 };
}

#endif
