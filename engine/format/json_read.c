/*
 * json_read.c: the row path of the JSON decoder.
 *
 * One scan over the text. A field is recognised by comparing the bytes in front of
 * its value with those that stood there in the object before; the common forms of
 * each type are read at sight and all else is left to json_convert.c. Whatever is
 * not plain sailing (a field that comes twice, a value that does not fit) fails
 * here, and the decoder looks at the record again, carefully.
 */
#include "engine/format/json_internal.h"

#include <string.h>

#include "base/memory.h"

/* Powers that are exact as doubles: a mantissa below 2^53 divided by one rounds once. */
static const double exact_powers[] = { 1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                       1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15 };

static inline bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Eight digits at once: true and their value when all eight are digits. */
static inline bool read_eight_digits(const char *at, uint64_t *number)
{
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    uint64_t chunk;

    memcpy(&chunk, at, sizeof chunk);
    if ((((chunk + 0x4646464646464646u) | (chunk - 0x3030303030303030u)) & 0x8080808080808080u) !=
        0) {
        return false;
    }
    chunk -= 0x3030303030303030u;
    chunk = chunk * 10 + (chunk >> 8); /* pairs in the even bytes */
    *number = ((chunk & 0x000000ff000000ffu) * (100 + (1000000ull << 32)) +
               (chunk >> 16 & 0x000000ff000000ffu) * (1 + (10000ull << 32))) >>
              32;
    return true;
#else
    return false;
#endif
}

/* The digits at `at` as a number modulo 2^64; the place behind them. */
static inline const char *read_digits(const char *at, const char *end, uint64_t *number)
{
    uint64_t eight;

    while (end - at >= 8 && read_eight_digits(at, &eight)) {
        *number = *number * 100000000u + eight;
        at += 8;
    }
    while (at < end && is_digit(*at)) {
        *number = *number * 10 + (uint64_t)(*at++ - '0');
    }
    return at;
}

/* A plain integer of up to 18 digits; NULL: not that simple. */
static inline const char *read_long(const char *at, const char *end, int64_t *out)
{
    bool negative = at < end && *at == '-';
    const char *first = at + negative;
    uint64_t number = 0;
    const char *behind = read_digits(first, end, &number);
    ptrdiff_t digits = behind - first;

    if (digits == 0 || digits > 18 || (digits > 1 && *first == '0')) {
        return NULL;
    }
    if (behind < end && (*behind == '.' || (*behind | 0x20) == 'e')) {
        return NULL;
    }
    *out = negative ? -(int64_t)number : (int64_t)number;
    return behind;
}

/* A number of up to 15 digits without exponent; NULL: not that simple. */
static inline const char *read_double(const char *at, const char *end, double *out)
{
    bool negative = at < end && *at == '-';
    const char *first = at + negative;
    uint64_t mantissa = 0;
    const char *behind = read_digits(first, end, &mantissa);
    ptrdiff_t digits = behind - first;
    ptrdiff_t fraction = 0;
    double number;

    if (digits == 0 || (digits > 1 && *first == '0')) {
        return NULL;
    }
    if (behind < end && *behind == '.') {
        const char *point = behind;

        behind = read_digits(point + 1, end, &mantissa);
        fraction = behind - point - 1;
        if (fraction == 0) {
            return NULL;
        }
    }
    if (digits + fraction > 15 || (behind < end && (*behind | 0x20) == 'e')) {
        return NULL;
    }
    number = (double)mantissa / exact_powers[fraction];
    *out = negative && mantissa ? -number : number; /* JSON has no negative zero */
    return behind;
}

void json_push(struct json_reader *r, struct value v)
{
    if (r->stack_used == r->stack_capacity) {
        r->stack_capacity = r->stack_capacity ? r->stack_capacity * 2 : 64;
        r->stack = memory_resize(r->stack, r->stack_capacity, sizeof *r->stack);
    }
    r->stack[r->stack_used++] = v;
}

/* A string of plain text; NULL: not that simple. */
static inline const char *read_text(const char *at, const char *end, struct value *out)
{
    const char *close;

    if (at == end || *at != '"') {
        return NULL;
    }
    close = json_plain_end(at + 1, end);
    if (close == end || *close != '"') {
        return NULL;
    }
    *out = value_text(T_STRING, (struct bytes){ at + 1, (size_t)(close - at - 1) });
    return close + 1;
}

const char *json_read_value(struct json_reader *r, const struct json_node *node, const char *at,
                            struct value *out)
{
    const char *behind = NULL;
    int64_t number;
    double real;

    switch (node->id) {
    case T_STRING:
        behind = read_text(at, r->scan.end, out);
        break;
    case T_INTEGER:
    case T_BIGINT:
    case T_TIMESTAMP:
        behind = read_long(at, r->scan.end, &number);
        if (behind) {
            *out = value_i64(node->id, node->id == T_INTEGER ? (int32_t)(uint32_t)number : number);
        }
        break;
    case T_DOUBLE:
        behind = read_double(at, r->scan.end, &real);
        if (behind) {
            *out = value_f64(real);
        }
        break;
    case T_BOOLEAN:
    case T_DECIMAL:
    case T_BYTES:
    case T_TIME:
    case T_DATE:
    case T_ARRAY:
    case T_MAP:
    case T_STRUCT:
    case T_NULL:
    case T_COUNT:
        break;
    }
    return behind ? behind : json_convert(r, node, at, out);
}

static inline bool is_expected(const struct json_expected *expected, const char *at,
                               const char *end)
{
#ifdef __SSE2__
    if (end - at >= JSON_EXPECTED_TEXT) {
        uint32_t len = expected->len;
        uint32_t done = 0;

        do {
            __m128i want = _mm_loadu_si128((const __m128i *)(const void *)(expected->text + done));
            __m128i have = _mm_loadu_si128((const __m128i *)(const void *)(at + done));
            unsigned same = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(want, have));
            unsigned mask = len - done >= 16 ? 0xffffu : (1u << (len - done)) - 1;

            if ((same & mask) != mask) {
                return false;
            }
            done += 16;
        } while (done < len);
        return len != 0;
    }
#endif
    return expected->len != 0 && (size_t)(end - at) >= expected->len &&
           memcmp(expected->text, at, expected->len) == 0;
}

/* Where in the shape's expectations the text at `at` is found: here or a little further on. */
static inline const struct json_expected *
find_expected(const struct json_shape *shape, uint32_t *place, const char *at, const char *end)
{
    uint32_t last = *place == 0 ? 1 : *place + 3; /* the first field has no comma */

    if (last > shape->expected_count) {
        last = shape->expected_count;
    }
    for (uint32_t i = *place; i < last; i++) {
        if (is_expected(&shape->expected[i], at, end)) {
            *place = i;
            return &shape->expected[i];
        }
    }
    return NULL;
}

static struct bytes name_text(struct json_reader *r)
{
    if (!r->scan.escaped) {
        return r->scan.text;
    }
    return json_string_text(r);
}

/*
 * The next member by the grammar: comma unless first, name, colon. *field is what it
 * stands for, JSON_NO_MORE at the closing brace. NULL where it is malformed.
 */
static const char *read_name(struct json_reader *r, struct json_shape *shape, uint32_t place,
                             const char *at, int32_t *field)
{
    const char *begin = at;
    enum json_token token;

    r->scan.at = at;
    token = json_next(&r->scan);
    if (token == JSON_OBJECT_END) {
        *field = JSON_NO_MORE;
        return r->scan.at;
    }
    if (place > 0 && token == JSON_COMMA) {
        token = json_next(&r->scan);
    } else if (place > 0) {
        token = JSON_BAD;
    }
    if (token != JSON_STRING) {
        return json_fail(r, JSON_MALFORMED, token, NULL);
    }
    *field = json_shape_find(shape, name_text(r), &r->text);
    if (json_next(&r->scan) != JSON_COLON) {
        return json_fail(r, JSON_MALFORMED, token, NULL);
    }
    at = r->scan.at;
    while (at < r->scan.end && json_is_space(*at)) {
        at++;
    }
    json_shape_learn(shape, place, (struct bytes){ begin, (size_t)(at - begin) }, *field);
    return at;
}

static const char *skip_value(struct json_reader *r, const char *at)
{
    const char *end = r->scan.end;
    const char *behind = NULL;
    struct value text;
    double ignored;

    if (at < end && *at == '"') {
        behind = read_text(at, end, &text);
    } else if (at < end && (*at == '-' || is_digit(*at))) {
        behind = read_double(at, end, &ignored);
    }
    if (behind) {
        return behind;
    }
    r->scan.at = at;
    return json_skip(&r->scan) ? r->scan.at : json_fail(r, JSON_MALFORMED, JSON_BAD, NULL);
}

static inline const char *read_field(struct json_reader *r, struct json_shape *shape, int32_t index,
                                     const char *at, struct value *cells)
{
    const struct json_field *field = &shape->fields[index];
    struct value ignored;
    bool keep = r->keep;

    if (shape->seen[index] == shape->generation) {
        return json_fail(r, JSON_MALFORMED, JSON_BAD, NULL); /* twice: look carefully */
    }
    shape->seen[index] = shape->generation;
    if (field->wanted) {
        return json_read_value(r, field->node, at, &cells[index]);
    }
    r->keep = false;
    at = json_read_value(r, field->node, at, &ignored);
    r->keep = keep;
    return at;
}

const char *json_read_fields(struct json_reader *r, struct json_shape *shape, const char *at,
                             struct value *cells)
{
    const char *end = r->scan.end;
    uint32_t place = 0;

    if (r->careful || shape->ambiguous) {
        return json_careful_fields(r, shape, at, cells);
    }
    if (++shape->generation == 0) {
        memset(shape->seen, 0, shape->field_count * sizeof *shape->seen);
        shape->generation = 1;
    }
    for (;; place++) {
        const struct json_expected *expected = find_expected(shape, &place, at, end);
        int32_t field = JSON_NO_MORE;

        if (expected) {
            field = expected->field;
            at += expected->len;
        } else if (at < end && *at == '}') {
            return at + 1;
        } else {
            at = read_name(r, shape, place, at, &field);
            if (!at || field == JSON_NO_MORE) {
                return at;
            }
        }
        at = field < 0 ? skip_value(r, at) : read_field(r, shape, field, at, cells);
        if (!at) {
            return NULL;
        }
    }
}
