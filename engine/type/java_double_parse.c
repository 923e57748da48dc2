/*
 * java_double_parse.c: Double.parseDouble, correctly rounded.
 *
 * Decimal text becomes up to 19 digits and a power of ten. Small ones are one
 * exact floating-point operation. Others are multiplied with the power to 128 bits:
 * the product is off by less than two units of its last bit, so the rounding is
 * certain unless the bits below the mantissa lie within that of one half. Only
 * then, and where more than 19 digits matter, strtod decides; it is given digits
 * and an exponent without a point, which no locale can change.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/type/java_powers.h"
#include "engine/type/java_text.h"
#include "engine/type/value.h"

enum {
    WORD_DIGITS = 19,         /* as many digits fit 64 bits */
    DIGITS_THAT_MATTER = 800, /* more never decide, but for being zero or not */
    MANTISSA_BITS = 53
};

/* Beyond any text's length, so that digits cannot make up for it. */
#define EXPONENT_LIMIT INT64_C(1000000000000000)

/* Text taken apart; digits and point still lie in the text. */
struct number_text {
    const char *digits; /* a point among them perhaps */
    const char *digits_end;
    uint64_t word;    /* the first 19 digits */
    int64_t dropped;  /* how many follow these */
    int64_t exponent; /* value = all digits * base^exponent */
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The product's 128 bits, rounded to a double; false when it is too close to call. */
static bool round_product(wide_uint product, int32_t exponent, double *out)
{
    int32_t top = (product >> 127) ? 127 : 126;
    /* Bits to cut off: so that 53 remain, or fewer for a subnormal number. */
    int32_t cut = top + 1 - MANTISSA_BITS;
    wide_uint rest;
    wide_uint half;
    uint64_t mantissa;
    uint64_t bits;

    if (exponent + cut < -1074) {
        cut = -1074 - exponent;
    }
    if (cut > 126) {
        return false;
    }
    half = (wide_uint)1 << (cut - 1);
    rest = product & ((half << 1) - 1);
    mantissa = (uint64_t)(product >> cut);
    if (rest > half) {
        mantissa++;
    } else if (rest + 2 > half) {
        return false;
    }
    exponent += cut;
    if (mantissa >> MANTISSA_BITS) {
        mantissa >>= 1;
        exponent++;
    }
    if (mantissa >> (MANTISSA_BITS - 1)) {
        if (exponent > 971) {
            *out = HUGE_VAL;
            return true;
        }
        bits = (mantissa & ((UINT64_C(1) << (MANTISSA_BITS - 1)) - 1)) | (uint64_t)(exponent + 1075)
                                                                             << (MANTISSA_BITS - 1);
    } else {
        bits = mantissa;
    }
    memcpy(out, &bits, sizeof bits);
    return true;
}

/* word * 10^exponent; false when 128 bits cannot tell. */
static bool scale_word(uint64_t word, int64_t exponent, double *out)
{
    const struct java_power *power;
    int32_t shift;
    wide_uint product;

    if (word == 0 || exponent < JAVA_POWER_FIRST) {
        *out = 0;
        return true;
    }
    if (exponent > 308) {
        *out = HUGE_VAL;
        return true;
    }
    power = &java_powers[exponent - JAVA_POWER_FIRST];
    shift = __builtin_clzll(word);
    word <<= shift;
    product = (wide_uint)power->high * word + (uint64_t)(((wide_uint)power->low * word) >> 64);
    /* The power stands for high:low * 2^(log2 - 127), of which the product has the top 128. */
    return round_product(product, floor_log2_of_power_of_10((int32_t)exponent) - 63 - shift, out);
}

/* All the digits, through strtod: base 10 without a prefix, base 16 with "0x". */
static double convert_slowly(const struct number_text *number, const char *prefix)
{
    char text[DIGITS_THAT_MATTER + 40];
    size_t start = strlen(prefix);
    size_t len = start;
    int64_t exponent_of_digit = *prefix ? 4 : 1;
    int64_t exponent = number->exponent;
    bool more = false;

    memcpy(text, prefix, len);
    for (const char *at = number->digits; at < number->digits_end; at++) {
        if (*at == '.' || (*at == '0' && len == start)) {
            continue;
        }
        if (len - start < DIGITS_THAT_MATTER) {
            text[len++] = *at;
        } else {
            exponent += exponent_of_digit;
            more |= *at != '0';
        }
    }
    text[len++] = more ? '1' : '0';
    exponent -= exponent_of_digit;
    text[len++] = *prefix ? 'p' : 'e';
    len += java_long_print(exponent, text + len);
    text[len] = '\0';
    return strtod(text, NULL);
}

static double convert_decimal(const struct number_text *number)
{
    int64_t exponent = number->exponent + number->dropped;
    double low;
    double high;

    if (number->dropped == 0 && number->word >> MANTISSA_BITS == 0 &&
        exponent <= JAVA_EXACT_POWER_LAST && exponent >= -JAVA_EXACT_POWER_LAST) {
        double exact = (double)number->word;

        return exponent < 0 ? exact / java_exact_powers[-exponent]
                            : exact * java_exact_powers[exponent];
    }
    if (scale_word(number->word, exponent, &low)) {
        if (number->dropped == 0 ||
            (scale_word(number->word + 1, exponent, &high) && low == high)) {
            return low;
        }
    }
    return convert_slowly(number, "");
}

/* Reads digits with at most one point; false when there is not a single digit. */
static bool read_digits(const char **at, const char *end, struct number_text *number)
{
    const char *p = *at;
    const char *point = NULL;
    uint32_t kept = 0;
    int64_t count = 0;

    for (; p < end; p++) {
        if (*p == '.' && !point) {
            point = p;
            continue;
        }
        if (!is_digit(*p)) {
            break;
        }
        count++;
        number->exponent -= point != NULL;
        if (kept == WORD_DIGITS) {
            number->dropped++;
        } else if (kept || *p != '0') {
            number->word = number->word * 10 + (uint64_t)(*p - '0');
            kept++;
        }
    }
    number->digits = *at;
    number->digits_end = p;
    *at = p;
    return count > 0;
}

/* An exponent after its letter; false when there are no digits. Saturates. */
static bool read_exponent(const char **at, const char *end, int64_t *out)
{
    const char *p = *at;
    bool negative = p < end && *p == '-';
    int64_t exponent = 0;

    p += p < end && (*p == '-' || *p == '+');
    if (p == end || !is_digit(*p)) {
        return false;
    }
    for (; p < end && is_digit(*p); p++) {
        exponent = exponent < EXPONENT_LIMIT ? exponent * 10 + (*p - '0') : exponent;
    }
    *out = negative ? -exponent : exponent;
    *at = p;
    return true;
}

/* Digits, point, exponent; false when the text does not begin so. */
static bool read_decimal(const char **at, const char *end, double *out)
{
    struct number_text number = { 0 };
    int64_t exponent = 0;

    if (!read_digits(at, end, &number)) {
        return false;
    }
    if (*at < end && (**at == 'e' || **at == 'E')) {
        ++*at;
        if (!read_exponent(at, end, &exponent)) {
            return false;
        }
    }
    number.exponent += exponent;
    *out = convert_decimal(&number);
    return true;
}

static int hex_digit(char c)
{
    if (is_digit(c)) {
        return c - '0';
    }
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* After 0x: digits with at most one point, then a binary exponent, which is required. */
static bool read_hexadecimal(const char **at, const char *end, double *out)
{
    struct number_text number = { .digits = *at };
    const char *point = NULL;
    int64_t exponent = 0;
    bool any = false;
    const char *p = *at;

    for (; p < end && (hex_digit(*p) >= 0 || (*p == '.' && !point)); p++) {
        if (*p == '.') {
            point = p;
        } else {
            any = true;
            number.exponent -= point ? 4 : 0;
        }
    }
    number.digits_end = p;
    if (!any || p == end || (*p != 'p' && *p != 'P')) {
        return false;
    }
    p++;
    if (!read_exponent(&p, end, &exponent)) {
        return false;
    }
    number.exponent += exponent;
    *at = p;
    *out = convert_slowly(&number, "0x");
    return true;
}

static bool read_word(const char **at, const char *end, const char *word, double value, double *out)
{
    size_t len = strlen(word);

    if ((size_t)(end - *at) != len || memcmp(*at, word, len) != 0) {
        return false;
    }
    *at = end;
    *out = value;
    return true;
}

static bool read_unsigned(const char **at, const char *end, double *out)
{
    bool found;

    if (read_word(at, end, "NaN", (double)NAN, out) ||
        read_word(at, end, "Infinity", HUGE_VAL, out)) {
        return true;
    }
    if (end - *at > 2 && **at == '0' && ((*at)[1] | 0x20) == 'x') {
        *at += 2;
        found = read_hexadecimal(at, end, out);
    } else {
        found = read_decimal(at, end, out);
    }
    if (found && *at < end && strchr("fFdD", **at) && **at) {
        ++*at;
    }
    return found;
}

int java_double_parse(struct bytes text, double *out, struct error *err)
{
    struct bytes trimmed = java_trim(text);
    const char *at = trimmed.data;
    const char *end = at + trimmed.len;
    bool negative = trimmed.len > 0 && *at == '-';
    double magnitude;

    at += trimmed.len > 0 && (*at == '-' || *at == '+');
    if (at == end || !read_unsigned(&at, end, &magnitude) || at != end) {
        return error_set(err, ERR_COERCE, NO_POSITION, "The text is not a number");
    }
    *out = negative ? -magnitude : magnitude;
    return 0;
}

double java_double_of_digits(const char *text, size_t len)
{
    const char *end = text + len;
    bool negative = len > 0 && *text == '-';
    double magnitude = 0;

    text += negative;
    (void)read_decimal(&text, end, &magnitude); /* the caller's grammar has checked the text */
    return negative ? -magnitude : magnitude;
}
