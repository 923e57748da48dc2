/*
 * decimal.c: exact decimal arithmetic, as BigDecimal with a MathContext of
 * RoundingMode.UNNECESSARY: what would need rounding is an error, never an
 * approximation.
 *
 * Operands are below 10^38, results too; in between, magnitudes of 256 bits and
 * a sign are kept apart. The common case, operands of one scale and a result
 * that fits 128 bits, is decided first.
 */
#include "engine/type/decimal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/type/java_powers.h"
#include "engine/type/java_text.h"
#include "engine/type/wide.h"

static wide_uint magnitude_of(wide_int number)
{
    return number < 0 ? 0 - (wide_uint)number : (wide_uint)number;
}

static wide_int with_sign(wide_uint magnitude, bool negative)
{
    return negative ? -(wide_int)magnitude : (wide_int)magnitude;
}

bool decimal_is_storable(wide_int unscaled)
{
    return magnitude_of(unscaled) < wide_powers_of_ten[DECIMAL_MAX_DIGITS];
}

uint32_t decimal_digits(wide_int unscaled)
{
    return wide_digits((struct wide256){ 0, magnitude_of(unscaled) });
}

bool decimal_power_of_ten(uint32_t exponent, wide_int *out)
{
    if (exponent > WIDE_POWER_LAST) {
        return false;
    }
    *out = (wide_int)wide_powers_of_ten[exponent];
    return true;
}

struct decimal decimal_of_value(const struct value *v, const struct sql_type *type)
{
    wide_int unscaled = type_decimal_is_wide(type) ? *v->wide : (wide_int)v->i64;

    return (struct decimal){ unscaled, (int32_t)type->scale };
}

void decimal_to_value(struct decimal number, const struct sql_type *type, struct arena *arena,
                      struct value *out)
{
    wide_int *wide;

    if (!type_decimal_is_wide(type)) {
        *out = value_i64(T_DECIMAL, (int64_t)number.unscaled);
        return;
    }
    wide = arena_alloc(arena, sizeof *wide);
    *wide = number.unscaled;
    *out = (struct value){ .kind = T_DECIMAL, .wide = wide };
}

static int too_long(struct error *err)
{
    return error_set(err, ERR_OVERFLOW, NO_POSITION, "The number has more than %d digits",
                     DECIMAL_MAX_DIGITS);
}

static int needs_rounding(struct error *err)
{
    return error_set(err, ERR_OVERFLOW, NO_POSITION, "Rounding necessary");
}

/* number * 10^by */
static int scale_up(wide_int number, int64_t by, wide_int *out, struct error *err)
{
    wide_int product = 0;

    if (number != 0 &&
        (by > WIDE_POWER_LAST ||
         __builtin_mul_overflow(number, (wide_int)wide_powers_of_ten[by], &product) ||
         !decimal_is_storable(product))) {
        return too_long(err);
    }
    *out = product;
    return 0;
}

int decimal_rescale(struct decimal in, int32_t scale, enum decimal_rounding rounding,
                    struct decimal *out, struct error *err)
{
    int64_t drop = (int64_t)in.scale - scale;
    wide_uint magnitude = magnitude_of(in.unscaled);
    wide_uint power;
    wide_uint rest;

    if (drop <= 0) {
        wide_int scaled = 0;

        TRY(scale_up(in.unscaled, -drop, &scaled, err));
        *out = (struct decimal){ scaled, scale };
        return 0;
    }
    if (drop > WIDE_POWER_LAST) {
        rest = magnitude;
        magnitude = 0;
        power = 0; /* no number of up to 38 digits is half of it */
    } else {
        power = wide_powers_of_ten[drop];
        rest = magnitude % power;
        magnitude /= power;
    }
    if (rest && rounding == ROUND_UNNECESSARY) {
        return needs_rounding(err);
    }
    if (rounding == ROUND_HALF_UP && power && rest >= power - rest) {
        magnitude++;
    }
    *out = (struct decimal){ with_sign(magnitude, in.unscaled < 0), scale };
    return 0;
}

/* Whether |number| < 10^whole_digits. */
static bool has_whole_digits(struct decimal number, int64_t whole_digits)
{
    return number.unscaled == 0 ||
           (int64_t)decimal_digits(number.unscaled) - number.scale <= whole_digits;
}

static int out_of_type(struct decimal number, const struct sql_type *type, struct error *err)
{
    struct buffer text = { 0 };

    decimal_print_scientific(number, &text);
    (void)error_set(err, ERR_OVERFLOW, NO_POSITION,
                    "%.*s does not fit DECIMAL(%u, %u): it must be below 10^%u",
                    BYTES_ARG(buffer_bytes(&text)), type->precision, type->scale,
                    type->precision - type->scale);
    buffer_fini(&text);
    return ERR_OVERFLOW;
}

int decimal_fit(struct decimal in, const struct sql_type *type, struct decimal *out,
                struct error *err)
{
    if (!has_whole_digits(in, (int64_t)type->precision - type->scale)) {
        return out_of_type(in, type, err);
    }
    return decimal_rescale(in, (int32_t)type->scale, ROUND_UNNECESSARY, out, err);
}

int decimal_cast(struct decimal in, const struct sql_type *type, struct decimal *out,
                 struct error *err)
{
    if (!has_whole_digits(in, (int64_t)type->precision - type->scale)) {
        return out_of_type(in, type, err);
    }
    return decimal_rescale(in, (int32_t)type->scale, ROUND_HALF_UP, out, err);
}

/* --- to and from doubles --- */

enum {
    EXACT_FRACTION_BITS = 85, /* a mantissa times 5^85 is below 10^76 */
    POWER_OF_FIVE_STEP = 27,  /* 5^27 fits a word */
    DOUBLE_DIGITS = 767       /* no double has more */
};

/* magnitude * 10^-scale to that many digits, half up. */
static struct decimal round_to_digits(struct wide256 magnitude, int32_t scale, uint32_t digits,
                                      bool negative)
{
    uint32_t have = wide_digits(magnitude);

    if (have > digits) {
        wide_uint digit;

        (void)wide_divide_by_power(&magnitude, have - digits - 1);
        magnitude = wide_divide(magnitude, 10, &digit);
        magnitude.low += digit >= 5; /* what follows that digit cannot matter */
        scale -= (int32_t)(have - digits);
        if (magnitude.low == wide_powers_of_ten[DECIMAL_MAX_DIGITS]) {
            magnitude.low /= 10;
            scale--;
        }
    }
    return (struct decimal){ with_sign(magnitude.low, negative), scale };
}

/* Very large and very small ones: from all their digits, which the C library prints. */
static struct decimal round_long_double_text(double magnitude, uint32_t digits, bool negative)
{
    char text[DOUBLE_DIGITS + 16];
    wide_uint kept = 0;
    const char *exponent_text;
    int64_t exponent = 0;
    uint32_t count = 0;

    snprintf(text, sizeof text, "%.*e", DOUBLE_DIGITS - 1, magnitude);
    exponent_text = strchr(text, 'e') + 1;
    (void)java_long_parse(bytes_of(exponent_text), &exponent, NULL);
    for (const char *at = text; count <= digits; at++) {
        if (*at < '0' || *at > '9') {
            continue; /* the point, whatever the locale writes */
        }
        if (count == digits) {
            kept += *at >= '5';
        } else {
            kept = kept * 10u + (unsigned)(*at - '0');
        }
        count++;
    }
    return round_to_digits((struct wide256){ 0, kept }, (int32_t)(digits - 1 - exponent), digits,
                           negative);
}

static struct wide256 multiply_by_power_of_five(struct wide256 number, int exponent)
{
    while (exponent > 0) {
        int step = exponent < POWER_OF_FIVE_STEP ? exponent : POWER_OF_FIVE_STEP;
        uint64_t power = 1;

        for (int i = 0; i < step; i++) {
            power *= 5;
        }
        number = wide_multiply_word(number, power);
        exponent -= step;
    }
    return number;
}

int decimal_of_double(double number, const struct sql_type *type, struct decimal *out,
                      struct error *err)
{
    uint32_t digits =
        type->precision < DECIMAL_MAX_DIGITS ? type->precision : (uint32_t)DECIMAL_MAX_DIGITS;
    bool negative = number < 0;
    double magnitude = negative ? -number : number;
    struct wide256 exact;
    int exponent;

    if (!isfinite(number)) {
        return error_set(err, ERR_OVERFLOW, NO_POSITION, "NaN and Infinity are no decimals");
    }
    if (magnitude == 0) {
        *out = (struct decimal){ 0, 0 };
        return 0;
    }
    exact = (struct wide256){ 0, (uint64_t)ldexp(frexp(magnitude, &exponent), 53) };
    exponent -= 53;
    for (; exponent < 0 && exact.low % 2 == 0; exponent++) {
        exact.low /= 2;
    }
    if (exponent > 127 - 53 || exponent < -EXACT_FRACTION_BITS) {
        *out = round_long_double_text(magnitude, digits, negative);
        return 0;
    }
    if (exponent >= 0) {
        exact.low <<= exponent;
        exponent = 0;
    }
    *out =
        round_to_digits(multiply_by_power_of_five(exact, -exponent), -exponent, digits, negative);
    return 0;
}

double decimal_to_double(struct decimal number)
{
    char text[WIDE_TEXT_MAX + 1 + JAVA_DOUBLE_MAX];
    wide_uint magnitude = magnitude_of(number.unscaled);
    size_t len;
    double result;

    /* Two exact doubles, one rounding. */
    if (magnitude >> 53 == 0 && number.scale >= 0 && number.scale <= JAVA_EXACT_POWER_LAST) {
        return (double)(int64_t)number.unscaled / java_exact_powers[number.scale];
    }
    len = wide_print(magnitude, text);
    text[len++] = 'e';
    len += java_long_print(-(int64_t)number.scale, text + len);
    result = java_double_of_digits(text, len);
    return number.unscaled < 0 ? -result : result;
}

int64_t decimal_to_i64_wrapped(struct decimal number)
{
    uint64_t wrapped;

    if (number.scale >= 0) {
        wide_uint power;

        if (number.scale > WIDE_POWER_LAST) {
            return 0;
        }
        power = wide_powers_of_ten[number.scale];
        return (int64_t)(uint64_t)(number.unscaled / (wide_int)power);
    }
    wrapped = (uint64_t)number.unscaled;
    for (int64_t left = number.scale; left < 0 && wrapped; left++) {
        wrapped *= 10;
    }
    return (int64_t)wrapped;
}

int decimal_compare(struct decimal a, struct decimal b)
{
    int64_t size_a = (int64_t)decimal_digits(a.unscaled) - a.scale;
    int64_t size_b = (int64_t)decimal_digits(b.unscaled) - b.scale;
    int sign_a = (a.unscaled > 0) - (a.unscaled < 0);
    int sign_b = (b.unscaled > 0) - (b.unscaled < 0);

    if (sign_a != sign_b || sign_a == 0) {
        return sign_a - sign_b < 0 ? -1 : sign_a > sign_b;
    }
    if (size_a != size_b) {
        return (size_a < size_b) == (sign_a > 0) ? -1 : 1;
    }
    /* As many whole digits: the scales differ by less than 38, so scaling fits. */
    if (a.scale < b.scale) {
        a.unscaled *= (wide_int)wide_powers_of_ten[b.scale - a.scale];
    } else if (b.scale < a.scale) {
        b.unscaled *= (wide_int)wide_powers_of_ten[a.scale - b.scale];
    }
    return (a.unscaled > b.unscaled) - (a.unscaled < b.unscaled);
}

/* --- arithmetic --- */

/* Limits an exact result to the type's precision, then sets its scale. */
static int finish(bool negative, struct wide256 magnitude, int32_t scale,
                  const struct sql_type *result, struct decimal *out, struct error *err)
{
    uint32_t digits = wide_digits(magnitude);
    struct decimal exact = { 0, scale };

    if (digits > result->precision) {
        uint32_t drop = digits - result->precision;

        if (!wide_divide_by_power(&magnitude, drop)) {
            return needs_rounding(err);
        }
        exact.scale -= (int32_t)drop;
    }
    if (exact.scale > (int32_t)result->scale) {
        if (!wide_divide_by_power(&magnitude, (uint32_t)(exact.scale - (int32_t)result->scale))) {
            return needs_rounding(err);
        }
        exact.scale = (int32_t)result->scale;
    }
    if (magnitude.high || magnitude.low >= wide_powers_of_ten[DECIMAL_MAX_DIGITS]) {
        return too_long(err);
    }
    exact.unscaled = with_sign(magnitude.low, negative);
    return decimal_rescale(exact, (int32_t)result->scale, ROUND_UNNECESSARY, out, err);
}

static bool is_within(wide_int number, const struct sql_type *result)
{
    uint32_t digits =
        result->precision < DECIMAL_MAX_DIGITS ? result->precision : (uint32_t)DECIMAL_MAX_DIGITS;

    return magnitude_of(number) < wide_powers_of_ten[digits];
}

/* |number| * 10^by; too long where its 38 digits and more would not fit any result. */
static int magnitude_scaled(wide_int number, int64_t by, struct wide256 *out, struct error *err)
{
    *out = (struct wide256){ 0, 0 };
    if (number != 0 && by > WIDE_POWER_LAST) {
        return too_long(err);
    }
    if (number != 0) {
        *out = wide_multiply(magnitude_of(number), wide_powers_of_ten[by]);
    }
    return 0;
}

int decimal_add(struct decimal a, struct decimal b, const struct sql_type *result,
                struct decimal *out, struct error *err)
{
    int32_t scale = a.scale > b.scale ? a.scale : b.scale;
    struct wide256 left;
    struct wide256 right;
    wide_int sum;

    if (a.scale == b.scale && a.scale == (int32_t)result->scale &&
        !__builtin_add_overflow(a.unscaled, b.unscaled, &sum) && is_within(sum, result)) {
        *out = (struct decimal){ sum, scale };
        return 0;
    }
    TRY(magnitude_scaled(a.unscaled, (int64_t)scale - a.scale, &left, err));
    TRY(magnitude_scaled(b.unscaled, (int64_t)scale - b.scale, &right, err));
    if ((a.unscaled < 0) == (b.unscaled < 0)) {
        return finish(a.unscaled < 0, wide_add(left, right), scale, result, out, err);
    }
    if (wide_compare(left, right) >= 0) {
        return finish(a.unscaled < 0, wide_subtract(left, right), scale, result, out, err);
    }
    return finish(b.unscaled < 0, wide_subtract(right, left), scale, result, out, err);
}

int decimal_subtract(struct decimal a, struct decimal b, const struct sql_type *result,
                     struct decimal *out, struct error *err)
{
    b.unscaled = -b.unscaled;
    return decimal_add(a, b, result, out, err);
}

int decimal_multiply(struct decimal a, struct decimal b, const struct sql_type *result,
                     struct decimal *out, struct error *err)
{
    int32_t scale = a.scale + b.scale;
    wide_int product;

    if (scale == (int32_t)result->scale &&
        !__builtin_mul_overflow(a.unscaled, b.unscaled, &product) && is_within(product, result)) {
        *out = (struct decimal){ product, scale };
        return 0;
    }
    return finish((a.unscaled < 0) != (b.unscaled < 0),
                  wide_multiply(magnitude_of(a.unscaled), magnitude_of(b.unscaled)), scale, result,
                  out, err);
}

static int zero_divisor(struct error *err)
{
    return error_set(err, ERR_EVALUATE, NO_POSITION, "/ by zero");
}

int decimal_divide(struct decimal a, struct decimal b, const struct sql_type *result,
                   struct decimal *out, struct error *err)
{
    int64_t shift = (int64_t)result->scale + b.scale - a.scale;
    wide_uint divisor = magnitude_of(b.unscaled);
    struct wide256 dividend = { 0, magnitude_of(a.unscaled) };
    struct wide256 quotient;
    wide_uint rest;

    if (divisor == 0) {
        return zero_divisor(err);
    }
    if (a.unscaled == 0) {
        *out = (struct decimal){ 0, (int32_t)result->scale };
        return 0;
    }
    /* The quotient in units of the result's scale: a * 10^shift / b. */
    if (shift < 0 && !wide_divide_by_power(&dividend, (uint32_t)-shift)) {
        return needs_rounding(err);
    }
    if (shift > 0) {
        if (wide_digits(dividend) + shift > 2 * DECIMAL_MAX_DIGITS) {
            return too_long(err); /* 10^76 and more, over a divisor below 10^38 */
        }
        dividend = wide_multiply_by_power(dividend, (uint32_t)shift);
    }
    quotient = wide_divide(dividend, divisor, &rest);
    if (rest) {
        return needs_rounding(err);
    }
    return finish((a.unscaled < 0) != (b.unscaled < 0), quotient, (int32_t)result->scale, result,
                  out, err);
}

/* The whole quotient must fit the precision, but for zeros at its end. */
static int check_whole_quotient(struct wide256 quotient, const struct sql_type *result,
                                struct error *err)
{
    uint32_t digits = wide_digits(quotient);

    if (digits > result->precision &&
        !wide_divide_by_power(&quotient, digits - result->precision)) {
        return error_set(err, ERR_EVALUATE, NO_POSITION, "Division impossible");
    }
    return 0;
}

int decimal_remainder(struct decimal a, struct decimal b, const struct sql_type *result,
                      struct decimal *out, struct error *err)
{
    int64_t shift = (int64_t)a.scale - b.scale;
    struct wide256 dividend = { 0, magnitude_of(a.unscaled) };
    struct wide256 divisor = { 0, magnitude_of(b.unscaled) };
    struct wide256 quotient;
    struct decimal rest = a;
    wide_uint left;

    if (b.unscaled == 0) {
        return zero_divisor(err);
    }
    /* To one scale; a divisor that outgrows the dividend leaves it as it is. */
    if (shift < 0) {
        TRY(magnitude_scaled(a.unscaled, -shift, &dividend, err));
        rest.scale = b.scale;
    } else if (shift > WIDE_POWER_LAST) {
        return decimal_rescale(rest, (int32_t)result->scale, ROUND_UNNECESSARY, out, err);
    } else {
        divisor = wide_multiply(divisor.low, wide_powers_of_ten[shift]);
    }
    if (wide_compare(dividend, divisor) < 0) {
        left = dividend.low;
        rest.unscaled = with_sign(left, a.unscaled < 0);
        return decimal_rescale(rest, (int32_t)result->scale, ROUND_UNNECESSARY, out, err);
    }
    /* Here a divisor above 128 bits has met a dividend that large: both from one operand each. */
    quotient = wide_divide(dividend, divisor.low, &left);
    TRY(check_whole_quotient(quotient, result, err));
    rest.unscaled = with_sign(left, a.unscaled < 0);
    return decimal_rescale(rest, (int32_t)result->scale, ROUND_UNNECESSARY, out, err);
}
