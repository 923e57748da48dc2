/*
 * java_text.c: whole numbers from text and from doubles, as Java reads and narrows them.
 *
 * Messages never hold the text: they may go where a record's data must not.
 */
#include "engine/type/java_text.h"

struct bytes java_trim(struct bytes text)
{
    while (text.len > 0 && (unsigned char)text.data[0] <= ' ') {
        text.data++;
        text.len--;
    }
    while (text.len > 0 && (unsigned char)text.data[text.len - 1] <= ' ') {
        text.len--;
    }
    return text;
}

int java_long_parse(struct bytes text, int64_t *out, struct error *err)
{
    bool negative = text.len > 0 && text.data[0] == '-';
    size_t at = text.len > 0 && (text.data[0] == '-' || text.data[0] == '+');
    uint64_t limit = negative ? (uint64_t)INT64_MAX + 1 : (uint64_t)INT64_MAX;
    uint64_t magnitude = 0;

    if (at == text.len) {
        return error_set(err, ERR_COERCE, NO_POSITION, "The text is not a whole number");
    }
    for (; at < text.len; at++) {
        unsigned digit = (unsigned)((unsigned char)text.data[at] - '0');

        if (digit > 9) {
            return error_set(err, ERR_COERCE, NO_POSITION, "The text is not a whole number");
        }
        if (magnitude > (limit - digit) / 10) {
            return error_set(err, ERR_COERCE, NO_POSITION, "The number is out of range");
        }
        magnitude = magnitude * 10 + digit;
    }
    *out = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
    return 0;
}

int java_int_parse(struct bytes text, int32_t *out, struct error *err)
{
    int64_t number;

    TRY(java_long_parse(text, &number, err));
    if (number < INT32_MIN || number > INT32_MAX) {
        return error_set(err, ERR_COERCE, NO_POSITION, "The number is out of range");
    }
    *out = (int32_t)number;
    return 0;
}

int64_t java_double_to_long(double number)
{
    if (number != number) {
        return 0;
    }
    if (number >= 0x1p63) {
        return INT64_MAX;
    }
    return number < -0x1p63 ? INT64_MIN : (int64_t)number;
}

int32_t java_double_to_int(double number)
{
    int64_t whole = java_double_to_long(number);

    if (whole > INT32_MAX) {
        return INT32_MAX;
    }
    return whole < INT32_MIN ? INT32_MIN : (int32_t)whole;
}
