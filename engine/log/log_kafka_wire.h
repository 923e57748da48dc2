/*
 * log_kafka_wire.h: the numbers and texts of Kafka's protocol, the highest byte first.
 */
#ifndef SLUICE_ENGINE_LOG_LOG_KAFKA_WIRE_H
#define SLUICE_ENGINE_LOG_LOG_KAFKA_WIRE_H

#include "base/bytes.h"

/* --- writing --- */

static inline void wire_put(struct buffer *out, uint64_t number, unsigned size)
{
    buffer_reserve(out, size);
    for (unsigned i = size; i-- > 0;) {
        out->data[out->len++] = (char)(number >> (8 * i));
    }
}

static inline void wire_put_i16(struct buffer *out, int16_t number)
{
    wire_put(out, (uint64_t)number, 2);
}

static inline void wire_put_i32(struct buffer *out, int32_t number)
{
    wire_put(out, (uint64_t)number, 4);
}

static inline void wire_put_i64(struct buffer *out, int64_t number)
{
    wire_put(out, (uint64_t)number, 8);
}

static inline void wire_put_text(struct buffer *out, struct bytes text)
{
    wire_put_i16(out, (int16_t)text.len);
    buffer_append_bytes(out, text);
}

/* In the place of one that was put before. */
static inline void wire_set_i32(struct buffer *out, size_t at, int32_t number)
{
    for (unsigned i = 0; i < 4; i++) {
        out->data[at + i] = (char)((uint32_t)number >> (8 * (3 - i)));
    }
}

/* --- reading --- */

/* What is left to be read; `wrong` once it ends too early. */
struct wire_reader {
    const char *at;
    const char *end;
    bool wrong;
};

static inline struct bytes wire_take_bytes(struct wire_reader *from, int64_t len)
{
    struct bytes bytes = { from->at, (size_t)len };

    if (len < 0 || len > from->end - from->at) {
        from->wrong = true;
        from->at = from->end;
        return (struct bytes){ NULL, 0 };
    }
    from->at += len;
    return bytes;
}

static inline uint64_t wire_take(struct wire_reader *from, unsigned size)
{
    struct bytes bytes = wire_take_bytes(from, size);
    uint64_t number = 0;

    for (size_t i = 0; i < bytes.len; i++) {
        number = number << 8 | (unsigned char)bytes.data[i];
    }
    return number;
}

static inline int16_t wire_take_i16(struct wire_reader *from)
{
    return (int16_t)wire_take(from, 2);
}

static inline int32_t wire_take_i32(struct wire_reader *from)
{
    return (int32_t)wire_take(from, 4);
}

static inline int64_t wire_take_i64(struct wire_reader *from)
{
    return (int64_t)wire_take(from, 8);
}

static inline struct bytes wire_take_text(struct wire_reader *from)
{
    return wire_take_bytes(from, wire_take_i16(from));
}

/* How many follow; each takes so many bytes at least. None where there is no array. */
static inline uint32_t wire_take_count(struct wire_reader *from, size_t each)
{
    int32_t count = wire_take_i32(from);

    if (count < 0) {
        return 0;
    }
    if ((uint64_t)count * each > (uint64_t)(from->end - from->at)) {
        from->wrong = true;
        return 0;
    }
    return (uint32_t)count;
}

#endif
