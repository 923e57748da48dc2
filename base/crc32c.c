/*
 * crc32c.c: by the processor's instruction where it has one, else half a byte at a time.
 *
 * Both compute the reflected form with polynomial 0x82f63b78, begun and ended inverted.
 *
 * The instruction takes three cycles, but one can begin each cycle. So a long text is three
 * stretches at a time, whose sums are put together: that of the first one as if two stretches of
 * zeros followed it, that of the second as if one did. To append n bytes of zeros is to multiply by
 * x^8n modulo the polynomial. The product of two reflected numbers without carry is short of
 * one bit, and the instruction, which reduces it, appends 32: hence x^(8n - 33) below.
 */
#include "base/crc32c.h"

#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

static const uint32_t half_bytes[16] = {
    0x00000000u, 0x105ec76fu, 0x20bd8edeu, 0x30e349b1u, 0x417b1dbcu, 0x5125dad3u,
    0x61c69362u, 0x7198540du, 0x82f63b78u, 0x92a8fc17u, 0xa24bb5a6u, 0xb21572c9u,
    0xc38d26c4u, 0xd3d3e1abu, 0xe330a81au, 0xf36e6f75u,
};

static uint32_t by_table(uint32_t crc, const unsigned char *at, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        crc ^= at[i];
        crc = (crc >> 4) ^ half_bytes[crc & 15];
        crc = (crc >> 4) ^ half_bytes[crc & 15];
    }
    return crc;
}

#if defined(__x86_64__)
struct stretch {
    size_t bytes;
    int64_t over_one; /* x^(8 * bytes - 33), reflected */
    int64_t over_two; /* x^(16 * bytes - 33) */
};

static const struct stretch stretches[] = {
    { 1024, 0x170076fa, 0xa51b6135 },
    { 64, 0x9e4addf8, 0x0d3b6092 },
};

static inline uint64_t word_at(const unsigned char *at)
{
    uint64_t word;

    memcpy(&word, at, sizeof word);
    return word;
}

__attribute__((target("sse4.2,pclmul"))) static uint32_t
by_threes(uint32_t crc, const unsigned char *at, const struct stretch *stretch)
{
    size_t bytes = stretch->bytes;
    uint64_t first = crc;
    uint64_t second = 0;
    uint64_t third = 0;
    __m128i joined;

    for (size_t i = 0; i < bytes; i += sizeof(uint64_t)) {
        first = _mm_crc32_u64(first, word_at(at + i));
        second = _mm_crc32_u64(second, word_at(at + bytes + i));
        third = _mm_crc32_u64(third, word_at(at + 2 * bytes + i));
    }
    joined = _mm_xor_si128(_mm_clmulepi64_si128(_mm_cvtsi64_si128((int64_t)first),
                                                _mm_cvtsi64_si128(stretch->over_two), 0),
                           _mm_clmulepi64_si128(_mm_cvtsi64_si128((int64_t)second),
                                                _mm_cvtsi64_si128(stretch->over_one), 0));
    return (uint32_t)(_mm_crc32_u64(0, (uint64_t)_mm_cvtsi128_si64(joined)) ^ third);
}

__attribute__((target("sse4.2"))) static uint32_t
by_instruction(uint32_t crc, const unsigned char *at, size_t len)
{
    uint64_t wide = crc;

    for (; len >= sizeof(uint64_t); at += sizeof(uint64_t), len -= sizeof(uint64_t)) {
        wide = _mm_crc32_u64(wide, word_at(at));
    }
    crc = (uint32_t)wide;
    for (; len > 0; at++, len--) {
        crc = _mm_crc32_u8(crc, *at);
    }
    return crc;
}

static uint32_t by_instructions(uint32_t crc, const unsigned char *at, size_t len)
{
    if (__builtin_cpu_supports("pclmul")) {
        for (size_t i = 0; i < sizeof stretches / sizeof stretches[0]; i++) {
            size_t bytes = 3 * stretches[i].bytes;

            for (; len >= bytes; at += bytes, len -= bytes) {
                crc = by_threes(crc, at, &stretches[i]);
            }
        }
    }
    return by_instruction(crc, at, len);
}
#endif

uint32_t crc32c(struct bytes data)
{
    const unsigned char *at = (const unsigned char *)data.data;

#if defined(__x86_64__)
    if (__builtin_cpu_supports("sse4.2")) {
        return ~by_instructions(UINT32_MAX, at, data.len);
    }
#endif
    return ~by_table(UINT32_MAX, at, data.len);
}
