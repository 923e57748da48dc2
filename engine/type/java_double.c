/*
 * java_double.c: Double.toString, as of JDK 19.
 *
 * Of all decimals that read back as the double, the shortest; of these the
 * nearest, then the even. Except that Java asks for two digits at least, so
 * among the shortest it counts those of one digit as having two (4.9E-324, not
 * 5E-324). The search is the one of R. Giulietti, "The Schubfach way to render
 * doubles": the rounding interval of the double, scaled by a power of ten such that
 * it holds at least one and at most ten or so integers, is computed in 128-bit
 * arithmetic; the only candidates are the integers next to the scaled value
 * and the multiples of ten next to it. The products are rounded to odd, which
 * keeps every comparison exact.
 */
#include <string.h>

#include "engine/type/java_powers.h"
#include "engine/type/java_text.h"
#include "engine/type/value.h"

enum {
    MANTISSA_BITS = 52,
    EXPONENT_MASK = 0x7ff,
    EXPONENT_BIAS = 1075,     /* value = mantissa * 2^(exponent - bias) */
    SMALLEST_EXPONENT = -1074 /* of subnormals */
};

static const char digit_pairs[200] = "0001020304050607080910111213141516171819"
                                     "2021222324252627282930313233343536373839"
                                     "4041424344454647484950515253545556575859"
                                     "6061626364656667686970717273747576777879"
                                     "8081828384858687888990919293949596979899";

/* Writes the digits so that they end before `end`; returns where they begin. */
static char *digits_before(uint64_t number, char *end)
{
    while (number >= 100) {
        uint64_t rest = number / 100;

        end -= 2;
        memcpy(end, &digit_pairs[(number - rest * 100) * 2], 2);
        number = rest;
    }
    if (number >= 10) {
        end -= 2;
        memcpy(end, &digit_pairs[number * 2], 2);
    } else {
        *--end = (char)('0' + number);
    }
    return end;
}

size_t java_long_print(int64_t number, char out[JAVA_DOUBLE_MAX])
{
    char text[24];
    char *end = text + sizeof text;
    uint64_t magnitude = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    char *begin = digits_before(magnitude, end);
    size_t len;

    if (number < 0) {
        *--begin = '-';
    }
    len = (size_t)(end - begin);
    memcpy(out, begin, len);
    return len;
}

/* The top 64 bits of power * factor; the last bit is also set when anything below was lost. */
static uint64_t multiply_to_odd(uint64_t high, uint64_t low, uint64_t factor)
{
    wide_uint lower = ((wide_uint)low * factor) >> 64;
    wide_uint product = (wide_uint)high * factor + lower;

    /* The power is rounded up, so an exact product may show as one too many. */
    return (uint64_t)(product >> 64) | ((uint64_t)product > 1);
}

struct decimal_digits {
    uint64_t digits; /* value = digits * 10^exponent */
    int32_t exponent;
};

/* Of the two neighbours `below` and `above` (below + step) of the value: see the file's head. */
static struct decimal_digits choose(uint64_t value, uint64_t left, uint64_t right, uint64_t odd,
                                    int32_t exponent)
{
    uint64_t below = value >> 2; /* all four are scaled by 4 */
    bool below_fits;
    bool above_fits;

    if (below >= 100) {
        uint64_t ten_below = below / 10 * 10;
        uint64_t ten_above = ten_below + 10;

        below_fits = left + odd <= ten_below << 2;
        above_fits = (ten_above << 2) + odd <= right;
        if (below_fits != above_fits) {
            return (struct decimal_digits){ below_fits ? ten_below : ten_above, exponent };
        }
    }
    below_fits = left + odd <= below << 2;
    above_fits = ((below + 1) << 2) + odd <= right;
    if (below_fits == above_fits) {
        uint64_t middle = (below << 2) + 2;

        above_fits = value > middle || (value == middle && (below & 1));
    }
    return (struct decimal_digits){ below + above_fits, exponent };
}

static struct decimal_digits shortest_scaled(uint64_t mantissa, int32_t exponent, int32_t shift10)
{
    uint64_t center = mantissa << 2;
    uint64_t left = center - 2;
    uint64_t odd = mantissa & 1;
    const struct java_power *power;
    uint64_t low;
    int32_t scale;
    int32_t shift;

    /* Below a power of two the neighbours are half as far away. */
    if (mantissa == UINT64_C(1) << MANTISSA_BITS && exponent > SMALLEST_EXPONENT) {
        left = center - 1;
        scale = floor_log10_of_three_quarters_power_of_2(exponent);
    } else {
        scale = floor_log10_of_power_of_2(exponent);
    }
    shift = exponent + floor_log2_of_power_of_10(-scale) + 1;
    power = &java_powers[-scale - JAVA_POWER_FIRST];
    low = power->low + (scale > 0 || -scale > JAVA_POWER_LAST_EXACT);
    return choose(multiply_to_odd(power->high, low, center << shift),
                  multiply_to_odd(power->high, low, left << shift),
                  multiply_to_odd(power->high, low, (center + 2) << shift), odd, scale + shift10);
}

static struct decimal_digits shortest(uint64_t bits)
{
    uint64_t mantissa = bits & ((UINT64_C(1) << MANTISSA_BITS) - 1);
    int32_t exponent = (int32_t)(bits >> MANTISSA_BITS & EXPONENT_MASK);

    if (exponent) {
        mantissa |= UINT64_C(1) << MANTISSA_BITS;
        return shortest_scaled(mantissa, exponent - EXPONENT_BIAS, 0);
    }
    /* So small that one digit is all there is: find it with one more, for Java wants two. */
    if (mantissa < 3) {
        return shortest_scaled(mantissa * 10, SMALLEST_EXPONENT, -1);
    }
    return shortest_scaled(mantissa, SMALLEST_EXPONENT, 0);
}

static struct decimal_digits without_trailing_zeros(struct decimal_digits number)
{
    while (number.digits % 100000000 == 0) {
        number.digits /= 100000000;
        number.exponent += 8;
    }
    if (number.digits % 10000 == 0) {
        number.digits /= 10000;
        number.exponent += 4;
    }
    if (number.digits % 100 == 0) {
        number.digits /= 100;
        number.exponent += 2;
    }
    if (number.digits % 10 == 0) {
        number.digits /= 10;
        number.exponent++;
    }
    return number;
}

/* From 1e-3 to below 1e7: digits with a point; `point` of them stand in front of it. */
static size_t print_plain(const char *digits, size_t count, int32_t point, char *out)
{
    size_t len = 0;

    if (point <= 0) {
        memcpy(out, "0.0000", 6);
        len = 2 + (size_t)-point;
        memcpy(out + len, digits, count);
        return len + count;
    }
    if (count <= (size_t)point) {
        memcpy(out, digits, count);
        memset(out + count, '0', (size_t)point - count);
        memcpy(out + point, ".0", 2);
        return (size_t)point + 2;
    }
    memcpy(out, digits, (size_t)point);
    out[point] = '.';
    memcpy(out + point + 1, digits + point, count - (size_t)point);
    return count + 1;
}

static size_t print_scientific(const char *digits, size_t count, int32_t exponent, char *out)
{
    size_t len = 0;

    out[len++] = digits[0];
    out[len++] = '.';
    if (count == 1) {
        out[len++] = '0';
    }
    memcpy(out + len, digits + 1, count - 1);
    len += count - 1;
    out[len++] = 'E';
    return len + java_long_print(exponent, out + len);
}

static size_t print_special(uint64_t bits, char *out)
{
    const char *text = bits << 12 ? "NaN" : bits >> 63 ? "-Infinity" : "Infinity";
    size_t len = strlen(text);

    memcpy(out, text, len);
    return len;
}

/* Whole numbers below 1e7: counts and amounts are often such. */
static size_t print_whole(uint64_t number, char *out)
{
    size_t len = java_long_print((int64_t)number, out);

    memcpy(out + len, ".0", 2);
    return len + 2;
}

size_t java_double_print(double number, char out[JAVA_DOUBLE_MAX])
{
    char text[24];
    char *begin;
    size_t sign;
    size_t count;
    int32_t point;
    uint64_t bits;
    struct decimal_digits found;

    memcpy(&bits, &number, sizeof bits);
    if ((bits >> MANTISSA_BITS & EXPONENT_MASK) == EXPONENT_MASK) {
        return print_special(bits, out);
    }
    sign = bits >> 63;
    out[0] = '-';
    bits &= INT64_MAX;
    if (number > -1e7 && number < 1e7 && number == (double)(int32_t)number) {
        return sign +
               print_whole((uint64_t)(sign ? -(int32_t)number : (int32_t)number), out + sign);
    }
    found = without_trailing_zeros(shortest(bits));
    begin = digits_before(found.digits, text + sizeof text);
    count = (size_t)(text + sizeof text - begin);
    point = (int32_t)count + found.exponent;
    if (point > -3 && point <= 7) {
        return sign + print_plain(begin, count, point, out + sign);
    }
    return sign + print_scientific(begin, count, point - 1, out + sign);
}
