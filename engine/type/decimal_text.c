/*
 * decimal_text.c: decimals as BigDecimal reads and prints them.
 */
#include <string.h>

#include "engine/type/decimal.h"
#include "engine/type/java_text.h"
#include "engine/type/wide.h"

#define EXPONENT_LIMIT INT64_C(1000000000000000)

struct decimal_text {
    wide_uint magnitude;
    int64_t scale;
    uint32_t digits; /* significant ones in magnitude */
    bool any;        /* at least one digit was there */
    bool too_long;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static const char *read_digits(const char *at, const char *end, struct decimal_text *number)
{
    bool fraction = false;

    for (; at < end; at++) {
        if (*at == '.' && !fraction) {
            fraction = true;
            continue;
        }
        if (!is_digit(*at)) {
            break;
        }
        number->any = true;
        if (number->digits == DECIMAL_MAX_DIGITS) {
            number->too_long |= *at != '0';
            number->scale -= !fraction;
            continue;
        }
        number->magnitude = number->magnitude * 10u + (unsigned)(*at - '0');
        number->digits += number->magnitude != 0;
        number->scale += fraction;
    }
    return at;
}

/* After the letter; NULL when there are no digits. */
static const char *read_exponent(const char *at, const char *end, int64_t *out)
{
    bool negative = at < end && *at == '-';
    int64_t exponent = 0;

    at += at < end && (*at == '-' || *at == '+');
    if (at == end || !is_digit(*at)) {
        return NULL;
    }
    for (; at < end && is_digit(*at); at++) {
        exponent = exponent < EXPONENT_LIMIT ? exponent * 10 + (*at - '0') : exponent;
    }
    *out = negative ? -exponent : exponent;
    return at;
}

int decimal_parse(struct bytes text, struct decimal *out, struct error *err)
{
    const char *at = text.data;
    const char *end = at + text.len;
    bool negative = text.len > 0 && *at == '-';
    struct decimal_text number = { 0 };
    int64_t exponent = 0;

    at += text.len > 0 && (*at == '-' || *at == '+');
    at = read_digits(at, end, &number);
    if (number.any && at < end && (*at == 'e' || *at == 'E')) {
        at = read_exponent(at + 1, end, &exponent);
    }
    number.scale -= exponent;
    if (!number.any || at != end || number.scale > INT32_MAX || number.scale < -INT32_MAX) {
        return error_set(err, ERR_COERCE, NO_POSITION, "The text is not a decimal number");
    }
    if (number.too_long) {
        return error_set(err, ERR_OVERFLOW, NO_POSITION, "The number has more than %d digits",
                         DECIMAL_MAX_DIGITS);
    }
    out->unscaled = negative ? -(wide_int)number.magnitude : (wide_int)number.magnitude;
    out->scale = (int32_t)number.scale;
    return 0;
}

static void append_zeros(struct buffer *out, size_t count)
{
    buffer_reserve(out, count);
    memset(out->data + out->len, '0', count);
    out->len += count;
}

static size_t print_digits(struct decimal number, char digits[WIDE_TEXT_MAX])
{
    return wide_print(
        number.unscaled < 0 ? 0 - (wide_uint)number.unscaled : (wide_uint)number.unscaled, digits);
}

void decimal_print_plain(struct decimal number, struct buffer *out)
{
    char digits[WIDE_TEXT_MAX];
    size_t count = print_digits(number, digits);
    size_t scale = number.scale > 0 ? (size_t)number.scale : 0;

    if (number.unscaled < 0) {
        buffer_append_char(out, '-');
    }
    if (count <= scale) {
        buffer_append_text(out, "0.");
        append_zeros(out, scale - count);
        buffer_append(out, digits, count);
        return;
    }
    buffer_append(out, digits, count - scale);
    if (scale > 0) {
        buffer_append_char(out, '.');
        buffer_append(out, digits + (count - scale), scale);
    } else if (number.unscaled != 0) {
        append_zeros(out, (size_t) - (int64_t)number.scale);
    }
}

void decimal_print_scientific(struct decimal number, struct buffer *out)
{
    char digits[WIDE_TEXT_MAX];
    char exponent_text[JAVA_DOUBLE_MAX];
    size_t count = print_digits(number, digits);
    int64_t exponent = (int64_t)count - 1 - number.scale;

    if (number.scale >= 0 && exponent >= -6) {
        decimal_print_plain(number, out);
        return;
    }
    if (number.unscaled < 0) {
        buffer_append_char(out, '-');
    }
    buffer_append_char(out, digits[0]);
    if (count > 1) {
        buffer_append_char(out, '.');
        buffer_append(out, digits + 1, count - 1);
    }
    if (exponent != 0) {
        buffer_append_text(out, exponent < 0 ? "E" : "E+");
        buffer_append(out, exponent_text, java_long_print(exponent, exponent_text));
    }
}
