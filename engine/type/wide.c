/*
 * wide.c: 256-bit multiplication and division, schoolbook, in digits of 64 bits.
 */
#include "engine/type/wide.h"

#include <string.h>

#define E19 UINT64_C(10000000000000000000)
#define OVER_E19(power) ((wide_uint)E19 * UINT64_C(power))

/* clang-format off */
const wide_uint wide_powers_of_ten[WIDE_POWER_LAST + 1] = {
    UINT64_C(1), UINT64_C(10), UINT64_C(100), UINT64_C(1000), UINT64_C(10000), UINT64_C(100000),
    UINT64_C(1000000), UINT64_C(10000000), UINT64_C(100000000), UINT64_C(1000000000),
    UINT64_C(10000000000), UINT64_C(100000000000), UINT64_C(1000000000000),
    UINT64_C(10000000000000), UINT64_C(100000000000000), UINT64_C(1000000000000000),
    UINT64_C(10000000000000000), UINT64_C(100000000000000000), UINT64_C(1000000000000000000),
    OVER_E19(1), OVER_E19(10), OVER_E19(100), OVER_E19(1000), OVER_E19(10000), OVER_E19(100000),
    OVER_E19(1000000), OVER_E19(10000000), OVER_E19(100000000), OVER_E19(1000000000),
    OVER_E19(10000000000), OVER_E19(100000000000), OVER_E19(1000000000000),
    OVER_E19(10000000000000), OVER_E19(100000000000000), OVER_E19(1000000000000000),
    OVER_E19(10000000000000000), OVER_E19(100000000000000000), OVER_E19(1000000000000000000),
    (wide_uint)E19 * E19,
};
/* clang-format on */

static uint64_t upper(wide_uint number)
{
    return (uint64_t)(number >> 64);
}

static uint64_t lower(wide_uint number)
{
    return (uint64_t)number;
}

struct wide256 wide_multiply(wide_uint a, wide_uint b)
{
    wide_uint low = (wide_uint)lower(a) * lower(b);
    wide_uint middle = (wide_uint)upper(a) * lower(b) + upper(low);
    wide_uint other = (wide_uint)lower(a) * upper(b) + lower(middle);

    return (struct wide256){ (wide_uint)upper(a) * upper(b) + upper(middle) + upper(other),
                             other << 64 | lower(low) };
}

struct wide256 wide_multiply_word(struct wide256 a, uint64_t b)
{
    struct wide256 product = wide_multiply(a.low, b);

    product.high += a.high * b;
    return product;
}

/* One digit of the quotient; top < by. Leaves the rest in *top. */
static uint64_t divide_step(wide_uint *top, uint64_t next, wide_uint by)
{
    wide_uint digit = *top / upper(by);
    wide_uint rest = *top % upper(by);

    /* The guess is at most two too large, as the divisor's top bit is set. */
    while (upper(digit) || digit * lower(by) > (rest << 64 | next)) {
        digit--;
        rest += upper(by);
        if (upper(rest)) {
            break;
        }
    }
    *top = (*top << 64 | next) - digit * by;
    return lower(digit);
}

static int leading_zeros(wide_uint number)
{
    return upper(number) ? __builtin_clzll(upper(number)) : 64 + __builtin_clzll(lower(number));
}

/* (high, low) / by where high < by: the quotient fits. */
static wide_uint divide_narrow(wide_uint high, wide_uint low, wide_uint by, wide_uint *remainder)
{
    int shift = leading_zeros(by);
    wide_uint top = shift ? high << shift | low >> (128 - shift) : high;
    uint64_t first;
    uint64_t second;

    by <<= shift;
    low <<= shift;
    first = divide_step(&top, upper(low), by);
    second = divide_step(&top, lower(low), by);
    *remainder = top >> shift;
    return (wide_uint)first << 64 | second;
}

struct wide256 wide_divide(struct wide256 a, wide_uint by, wide_uint *remainder)
{
    struct wide256 quotient = { 0, 0 };

    if (a.high == 0) {
        quotient.low = a.low / by;
        *remainder = a.low % by;
        return quotient;
    }
    quotient.high = a.high / by;
    quotient.low = divide_narrow(a.high % by, a.low, by, remainder);
    return quotient;
}

struct wide256 wide_add(struct wide256 a, struct wide256 b)
{
    wide_uint low = a.low + b.low;

    return (struct wide256){ a.high + b.high + (low < a.low), low };
}

struct wide256 wide_subtract(struct wide256 a, struct wide256 b)
{
    return (struct wide256){ a.high - b.high - (a.low < b.low), a.low - b.low };
}

int wide_compare(struct wide256 a, struct wide256 b)
{
    if (a.high != b.high) {
        return a.high < b.high ? -1 : 1;
    }
    return (a.low > b.low) - (a.low < b.low);
}

static uint32_t narrow_digits(wide_uint number)
{
    uint32_t guess;

    if (number == 0) {
        return 1;
    }
    /* log10(2) as a fraction; never too high, at most one too low */
    guess = (uint32_t)(128 - leading_zeros(number)) * 1233 >> 12;
    return guess > WIDE_POWER_LAST || number < wide_powers_of_ten[guess] ? guess : guess + 1;
}

uint32_t wide_digits(struct wide256 number)
{
    wide_uint rest;

    if (number.high == 0) {
        return narrow_digits(number.low);
    }
    return WIDE_POWER_LAST +
           narrow_digits(wide_divide(number, wide_powers_of_ten[WIDE_POWER_LAST], &rest).low);
}

bool wide_divide_by_power(struct wide256 *number, uint32_t exponent)
{
    wide_uint lost = 0;

    while (exponent > 0 && (number->high || number->low)) {
        uint32_t step = exponent < WIDE_POWER_LAST ? exponent : WIDE_POWER_LAST;
        wide_uint rest;

        *number = wide_divide(*number, wide_powers_of_ten[step], &rest);
        lost |= rest;
        exponent -= step;
    }
    return lost == 0;
}

struct wide256 wide_multiply_by_power(struct wide256 number, uint32_t exponent)
{
    while (exponent > 0) {
        uint32_t step = exponent < 19 ? exponent : 19;

        number = wide_multiply_word(number, (uint64_t)wide_powers_of_ten[step]);
        exponent -= step;
    }
    return number;
}

size_t wide_print(wide_uint number, char out[WIDE_TEXT_MAX])
{
    char text[WIDE_TEXT_MAX];
    char *end = text + sizeof text;
    char *at = end;
    uint64_t word;

    while (number > UINT64_MAX) {
        word = (uint64_t)(number % E19);
        number /= E19;
        for (int i = 0; i < 19; i++, word /= 10) {
            *--at = (char)('0' + word % 10);
        }
    }
    word = (uint64_t)number;
    do {
        *--at = (char)('0' + word % 10);
        word /= 10;
    } while (word);
    memcpy(out, at, (size_t)(end - at));
    return (size_t)(end - at);
}
