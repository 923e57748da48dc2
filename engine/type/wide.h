/*
 * wide.h: whole numbers of 256 bits, as far as decimals need them.
 *
 * Products and scaled operands of decimals are below 2 * 10^76; nothing here is
 * called with more (10^76 fits), so nothing overflows.
 */
#ifndef SLUICE_ENGINE_TYPE_WIDE_H
#define SLUICE_ENGINE_TYPE_WIDE_H

#include "engine/type/value.h"

struct wide256 {
    wide_uint high;
    wide_uint low;
};

enum { WIDE_POWER_LAST = 38, WIDE_TEXT_MAX = 39 };

extern const wide_uint wide_powers_of_ten[WIDE_POWER_LAST + 1];

struct wide256 wide_multiply(wide_uint a, wide_uint b);
struct wide256 wide_multiply_word(struct wide256 a, uint64_t b);
struct wide256 wide_divide(struct wide256 a, wide_uint by, wide_uint *remainder);
struct wide256 wide_add(struct wide256 a, struct wide256 b);
struct wide256 wide_subtract(struct wide256 a, struct wide256 b); /* a >= b */
int wide_compare(struct wide256 a, struct wide256 b);
uint32_t wide_digits(struct wide256 number); /* 0 has 1; below 2^128 * 10^38 */
struct wide256 wide_multiply_by_power(struct wide256 number, uint32_t exponent);
/* number / 10^exponent, truncated; whether nothing was lost. */
bool wide_divide_by_power(struct wide256 *number, uint32_t exponent);
size_t wide_print(wide_uint number, char out[WIDE_TEXT_MAX]); /* digits; not NUL-terminated */

#endif
