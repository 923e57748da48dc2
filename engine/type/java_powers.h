/*
 * java_powers.h: what printing and reading of doubles share: powers of ten to 128
 * bits, and logarithms of powers without floating point.
 */
#ifndef SLUICE_ENGINE_TYPE_JAVA_POWERS_H
#define SLUICE_ENGINE_TYPE_JAVA_POWERS_H

#include <stdint.h>

enum { JAVA_POWER_FIRST = -342, JAVA_POWER_LAST = 324, JAVA_POWER_LAST_EXACT = 55 };

/* floor(10^k * 2^(127 - floor(log2(10^k)))): the top bit is set; exact for k in 0..55. */
struct java_power {
    uint64_t high;
    uint64_t low; /* never all ones: one more does not carry */
};

extern const struct java_power java_powers[JAVA_POWER_LAST - JAVA_POWER_FIRST + 1];

/* 10^k as doubles: 10^22 is the last one that is exact. */
enum { JAVA_EXACT_POWER_LAST = 22 };

extern const double java_exact_powers[JAVA_EXACT_POWER_LAST + 1];

/* The factors are good for |exponent| up to 1000 and more; a shift right of a negative is floor. */
static inline int32_t floor_log2_of_power_of_10(int32_t exponent)
{
    return (exponent * 1741647) >> 19;
}

static inline int32_t floor_log10_of_power_of_2(int32_t exponent)
{
    return (exponent * 1262611) >> 22;
}

static inline int32_t floor_log10_of_three_quarters_power_of_2(int32_t exponent)
{
    return (exponent * 1262611 - 524031) >> 22;
}

#endif
