/*
 * json_text.c: JSON values as text: numbers as BigDecimal prints them, the STRING
 * of an array or object (formats.md 5.2).
 */
#include "engine/format/json_internal.h"

#include <stdlib.h>
#include <string.h>

enum { NUMBER_TEXT_MAX = 1000, EXPONENT_MAX = 2147480000 };

/* A number token taken apart. */
struct number_parts {
    bool negative;
    struct bytes whole;
    struct bytes fraction;
    int64_t exponent; /* clamped far outside of what is sane */
};

static const char *span_digits(const char *at, const char *end)
{
    while (at < end && *at >= '0' && *at <= '9') {
        at++;
    }
    return at;
}

static int64_t read_exponent(const char *at, const char *end)
{
    bool negative = at < end && *at == '-';
    int64_t exponent = 0;

    if (at < end && (*at == '-' || *at == '+')) {
        at++;
    }
    for (; at < end && exponent < 100000000000; at++) {
        exponent = exponent * 10 + (*at - '0');
    }
    return negative ? -exponent : exponent;
}

static struct number_parts take_apart(struct bytes number)
{
    struct number_parts parts = { .negative = number.data[0] == '-' };
    const char *at = number.data + parts.negative;
    const char *end = number.data + number.len;
    const char *behind = span_digits(at, end);

    parts.whole = (struct bytes){ at, (size_t)(behind - at) };
    parts.fraction = (struct bytes){ behind, 0 };
    if (behind < end && *behind == '.') {
        at = behind + 1;
        behind = span_digits(at, end);
        parts.fraction = (struct bytes){ at, (size_t)(behind - at) };
    }
    if (behind < end) {
        parts.exponent = read_exponent(behind + 1, end);
    }
    return parts;
}

bool json_number_is_sane(struct bytes number)
{
    int64_t exponent;

    if (number.len <= 18 && !memchr(number.data, 'e', number.len) &&
        !memchr(number.data, 'E', number.len)) {
        return true;
    }
    exponent = take_apart(number).exponent;
    return number.len <= NUMBER_TEXT_MAX && exponent <= EXPONENT_MAX && exponent >= -EXPONENT_MAX;
}

int64_t json_number_wrap(struct bytes number)
{
    struct number_parts parts = take_apart(number);
    int64_t digits = (int64_t)parts.whole.len + parts.exponent; /* in front of the point */
    uint64_t result = 0;

    for (size_t i = 0; i < parts.whole.len && digits > 0; i++, digits--) {
        result = result * 10 + (uint64_t)(parts.whole.data[i] - '0');
    }
    for (size_t i = 0; i < parts.fraction.len && digits > 0; i++, digits--) {
        result = result * 10 + (uint64_t)(parts.fraction.data[i] - '0');
    }
    for (int zeros = 0; digits > 0 && zeros < 64; zeros++, digits--) {
        result *= 10; /* 10^64 is 0 modulo 2^64 */
    }
    return (int64_t)(parts.negative ? 0 - result : result);
}

/* Significant digits in one piece; at least one. */
static struct bytes join_digits(const struct number_parts *parts, char *room)
{
    size_t len = parts->whole.len + parts->fraction.len;
    size_t zeros = 0;

    memcpy(room, parts->whole.data, parts->whole.len);
    memcpy(room + parts->whole.len, parts->fraction.data, parts->fraction.len);
    while (zeros + 1 < len && room[zeros] == '0') {
        zeros++;
    }
    return (struct bytes){ room + zeros, len - zeros };
}

static void print_plain(struct bytes digits, size_t scale, struct buffer *out)
{
    size_t whole = digits.len > scale ? digits.len - scale : 0;

    if (whole > 0) {
        buffer_append(out, digits.data, whole);
    } else {
        buffer_append_char(out, '0');
    }
    if (scale > 0) {
        buffer_append_char(out, '.');
        for (size_t zeros = digits.len; zeros < scale; zeros++) {
            buffer_append_char(out, '0');
        }
        buffer_append(out, digits.data + whole, digits.len - whole);
    }
}

static void print_scientific(struct bytes digits, int64_t exponent, struct buffer *out)
{
    buffer_append_char(out, digits.data[0]);
    if (digits.len > 1) {
        buffer_append_char(out, '.');
        buffer_append(out, digits.data + 1, digits.len - 1);
    }
    if (exponent != 0) {
        buffer_printf(out, "E%+lld", (long long)exponent);
    }
}

void json_number_print(struct bytes number, struct buffer *out)
{
    struct number_parts parts = take_apart(number);
    bool is_integer = parts.whole.len + parts.negative == number.len;
    int64_t scale = (int64_t)parts.fraction.len - parts.exponent;
    char room[NUMBER_TEXT_MAX];
    struct bytes digits;
    int64_t leading; /* exponent of the first digit */

    if (is_integer || !json_number_is_sane(number)) {
        bool minus_zero = bytes_equal_text(number, "-0");

        buffer_append(out, number.data + minus_zero, number.len - minus_zero);
        return;
    }
    digits = join_digits(&parts, room);
    leading = (int64_t)digits.len - 1 - scale;
    if (parts.negative && digits.data[0] != '0') {
        buffer_append_char(out, '-');
    }
    if (scale >= 0 && leading >= -6) {
        print_plain(digits, (size_t)scale, out);
    } else {
        print_scientific(digits, leading, out);
    }
}

struct bytes json_string_text(struct json_reader *r)
{
    struct bytes raw = r->scan.text;
    char *text;

    if (!memchr(raw.data, '\\', raw.len)) {
        return raw;
    }
    text = arena_alloc_text(r->arena, raw.len);
    return (struct bytes){ text, json_unescape(raw, text) };
}

/* How a value inside of a STRING looks: bare as a column's would, or as JSON. */
enum render_style { RENDER_TEXT, RENDER_DOCUMENT };

static void render_value(struct json_reader *r, enum render_style style, struct buffer *out);

static void render_array(struct json_reader *r, enum render_style style, struct buffer *out)
{
    const char *at = r->scan.at;
    bool first = true;

    buffer_append_char(out, '[');
    if (json_next(&r->scan) != JSON_ARRAY_END) {
        r->scan.at = at;
        do {
            if (!first) {
                buffer_append_text(out, style == RENDER_TEXT ? ", " : ",");
            }
            first = false;
            render_value(r, style, out);
        } while (json_next(&r->scan) == JSON_COMMA);
    }
    buffer_append_char(out, ']');
}

static void render_object(struct json_reader *r, struct buffer *out)
{
    struct map members;
    const char *behind;
    char separator = '{';

    map_init(&members);
    behind = json_members(r, r->scan.at, &members);
    MAP_FOREACH (entry, &members) {
        buffer_append_char(out, separator);
        json_write_text(entry->key, out);
        buffer_append_char(out, ':');
        r->scan.at = entry->value;
        render_value(r, RENDER_DOCUMENT, out);
        separator = ',';
    }
    buffer_append_text(out, separator == '{' ? "{}" : "}");
    map_fini(&members);
    r->scan.at = behind;
}

/* Recursion ends where json_skip has limited the depth. */
static void render_value(struct json_reader *r, enum render_style style, struct buffer *out)
{
    enum json_token token = json_next(&r->scan);

    if (token == JSON_OBJECT) {
        render_object(r, out);
    } else if (token == JSON_ARRAY) {
        render_array(r, style, out);
    } else if (token == JSON_INTEGER || token == JSON_DECIMAL) {
        json_number_print(r->scan.text, out);
    } else if (token == JSON_STRING && style == RENDER_DOCUMENT) {
        json_write_text(json_string_text(r), out);
    } else {
        buffer_append_bytes(out, token == JSON_STRING ? json_string_text(r) : r->scan.text);
    }
}

const char *json_render(struct json_reader *r, const char *at, struct buffer *out)
{
    r->scan.at = at;
    render_value(r, RENDER_TEXT, out);
    return r->scan.at;
}
