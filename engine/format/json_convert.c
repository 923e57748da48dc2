/*
 * json_convert.c: one JSON value of any kind to a column's type.
 *
 * The table of coercions is formats.md 5.2, ksqlDB's: numbers are cut to integers
 * and wrap, strings of digits count as numbers, anything can become a STRING, the
 * rest fails with the path of the place. The data itself never gets into a message.
 */
#include "engine/format/json_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "engine/type/decimal.h"
#include "engine/type/java_text.h"

enum { DAY_MS = 86400000 };

/* --- failures --- */

static const char *integer_node_name(struct bytes number)
{
    int64_t wide;
    int32_t narrow;

    if (java_int_parse(number, &narrow, NULL) == 0) {
        return "IntNode";
    }
    return java_long_parse(number, &wide, NULL) == 0 ? "LongNode" : "BigIntegerNode";
}

static const char *node_name(enum json_token token, struct bytes text)
{
    switch (token) {
    case JSON_OBJECT:
        return "ObjectNode";
    case JSON_ARRAY:
        return "ArrayNode";
    case JSON_STRING:
        return "TextNode";
    case JSON_INTEGER:
        return integer_node_name(text);
    case JSON_DECIMAL:
        return "DecimalNode";
    case JSON_TRUE:
    case JSON_FALSE:
        return "BooleanNode";
    case JSON_NULL:
        return "NullNode";
    case JSON_BAD:
    case JSON_END:
    case JSON_OBJECT_END:
    case JSON_ARRAY_END:
    case JSON_COLON:
    case JSON_COMMA:
        break;
    }
    return "MissingNode";
}

const char *json_fail(struct json_reader *r, enum json_reason reason, enum json_token token,
                      const struct sql_type *type)
{
    struct json_failure *f = &r->failure;

    f->reason = reason;
    f->type = type;
    f->path_begin = sizeof f->path;
    f->source = r->careful ? node_name(token, r->scan.text) : "";
    return NULL;
}

const char *json_fail_in(struct json_reader *r, const char *format, ...)
{
    struct json_failure *f = &r->failure;
    char part[128];
    va_list arguments;
    size_t len;

    va_start(arguments, format);
    vsnprintf(part, sizeof part, format, arguments);
    va_end(arguments);
    len = strlen(part);
    if (len < f->path_begin) {
        f->path_begin -= len;
        memcpy(f->path + f->path_begin, part, len);
    }
    return NULL;
}

static const char *fail_here(struct json_reader *r, enum json_reason reason, enum json_token token,
                             const struct json_node *node)
{
    if (token < JSON_STRING && token != JSON_OBJECT && token != JSON_ARRAY) {
        reason = JSON_MALFORMED;
    }
    return json_fail(r, reason, token, node->type);
}

/* --- numbers --- */

static bool is_number(enum json_token token)
{
    return token == JSON_INTEGER || token == JSON_DECIMAL;
}

/* A number cut to 64 bits, or the text of one of at most that size. */
static bool read_integer(struct json_reader *r, enum json_token token, int64_t *out)
{
    if (is_number(token)) {
        *out = json_number_wrap(r->scan.text);
        return true;
    }
    return java_long_parse(json_string_text(r), out, NULL) == 0;
}

static const char *convert_integer(struct json_reader *r, const struct json_node *node,
                                   enum json_token token, struct value *out)
{
    int64_t number;
    int32_t narrow;

    if (!is_number(token) && token != JSON_STRING) {
        return fail_here(r, JSON_CANNOT_CONVERT, token, node);
    }
    if (token == JSON_STRING && node->id == T_INTEGER) {
        if (java_int_parse(json_string_text(r), &narrow, NULL) != 0) {
            return fail_here(r, JSON_CANNOT_COERCE, token, node);
        }
        number = narrow;
    } else if (!read_integer(r, token, &number)) {
        return fail_here(r, JSON_CANNOT_COERCE, token, node);
    }
    if ((node->id == T_TIME && (number < 0 || number > DAY_MS)) ||
        (node->id == T_DATE && number != (int32_t)number)) {
        return fail_here(r, JSON_OUT_OF_RANGE, token, node);
    }
    *out = value_i64(node->id, node->id == T_INTEGER ? (int32_t)(uint32_t)number : number);
    return r->scan.at;
}

static const char *convert_double(struct json_reader *r, const struct json_node *node,
                                  enum json_token token, struct value *out)
{
    double number;

    if (is_number(token)) {
        number = java_double_of_digits(r->scan.text.data, r->scan.text.len);
        *out = value_f64(number == 0 ? 0 : number); /* a BigDecimal has no negative zero */
        return r->scan.at;
    }
    if (token != JSON_STRING) {
        return fail_here(r, JSON_CANNOT_CONVERT, token, node);
    }
    if (java_double_parse(json_string_text(r), &number, NULL) != 0) {
        return fail_here(r, JSON_CANNOT_COERCE, token, node);
    }
    *out = value_f64(number);
    return r->scan.at;
}

/* The common decimal: few digits, no exponent, no more fraction than the scale. */
static bool read_small_decimal(const struct json_node *node, struct bytes text, int64_t *out)
{
    const char *at = text.data;
    const char *end = text.data + text.len;
    bool negative = *at == '-';
    int64_t unscaled = 0;
    uint32_t missing = node->type->scale; /* fraction digits not read yet */
    bool in_fraction = false;

    if (node->limit == 0 || text.len > 18) {
        return false;
    }
    for (at += negative; at < end; at++) {
        if (*at == '.') {
            in_fraction = true;
        } else if (*at < '0' || *at > '9' || (in_fraction && missing-- == 0)) {
            return false;
        } else {
            unscaled = unscaled * 10 + (*at - '0');
        }
    }
    for (; missing > 0 && unscaled < node->limit; missing--) {
        unscaled *= 10;
    }
    *out = negative ? -unscaled : unscaled;
    return unscaled < node->limit;
}

static const char *convert_decimal(struct json_reader *r, const struct json_node *node,
                                   enum json_token token, struct value *out)
{
    struct decimal number;
    struct bytes text;
    int64_t small;

    if (!is_number(token) && token != JSON_STRING) {
        return fail_here(r, JSON_CANNOT_CONVERT, token, node);
    }
    if (is_number(token) && read_small_decimal(node, r->scan.text, &small)) {
        *out = value_i64(T_DECIMAL, small);
        return r->scan.at;
    }
    text = json_string_text(r);
    if (decimal_parse(text, &number, NULL) != 0) {
        return fail_here(r, is_number(token) ? JSON_DECIMAL_MISFIT : JSON_CANNOT_COERCE, token,
                         node);
    }
    if (decimal_fit(number, node->type, &number, NULL) != 0) {
        return fail_here(r, JSON_DECIMAL_MISFIT, token, node);
    }
    if (r->keep) {
        decimal_to_value(number, node->type, r->arena, out);
    }
    return r->scan.at;
}

/* --- the other scalars --- */

static const char *convert_boolean(struct json_reader *r, const struct json_node *node,
                                   enum json_token token, struct value *out)
{
    if (token != JSON_TRUE && token != JSON_FALSE) {
        return fail_here(r, JSON_CANNOT_CONVERT, token, node);
    }
    *out = value_i64(T_BOOLEAN, token == JSON_TRUE);
    return r->scan.at;
}

static const char *convert_bytes(struct json_reader *r, const struct json_node *node,
                                 enum json_token token, struct value *out)
{
    struct bytes text;
    char *octets;
    size_t len;

    if (token != JSON_STRING) {
        return fail_here(r, JSON_CANNOT_CONVERT, token, node);
    }
    text = json_string_text(r);
    if (r->keep) {
        octets = arena_alloc_text(r->arena, base64_decoded_bound(text.len));
    } else {
        r->text.len = 0;
        buffer_reserve(&r->text, base64_decoded_bound(text.len));
        octets = r->text.data;
    }
    if (!base64_decode(text, BASE64_PADDED, octets, &len)) {
        return fail_here(r, JSON_NOT_BASE64, token, node);
    }
    *out = value_text(T_BYTES, (struct bytes){ octets, len });
    return r->scan.at;
}

/* What was printed into the scratch buffer becomes the value. */
static struct value text_of_buffer(struct json_reader *r, const struct buffer *printed)
{
    if (!r->keep) {
        return value_null();
    }
    return value_text(T_STRING, arena_copy(r->arena, buffer_bytes(printed)));
}

static const char *convert_text(struct json_reader *r, const struct json_node *node,
                                enum json_token token, struct value *out)
{
    struct buffer printed = { 0 };
    const char *begin = r->scan.text.data;

    if (token == JSON_STRING) {
        *out = value_text(T_STRING, r->keep ? json_string_text(r) : r->scan.text);
    } else if (token == JSON_TRUE || token == JSON_FALSE) {
        *out = value_text(T_STRING, r->scan.text);
    } else if (is_number(token)) {
        r->text.len = 0;
        json_number_print(r->scan.text, &r->text);
        *out = text_of_buffer(r, &r->text);
    } else if (token == JSON_OBJECT || token == JSON_ARRAY) {
        r->scan.at = begin;
        if (!json_skip(&r->scan)) {
            return fail_here(r, JSON_MALFORMED, token, node);
        }
        if (r->keep) {
            const char *behind = r->scan.at;

            json_render(r, begin, &printed);
            r->scan.at = behind;
        }
        *out = text_of_buffer(r, &printed);
        buffer_fini(&printed);
    } else {
        return fail_here(r, JSON_MALFORMED, token, node);
    }
    return r->scan.at;
}

/* --- arrays, maps, structs --- */

static const char *after_element(struct json_reader *r, const char *at, enum json_token closing,
                                 bool *more)
{
    enum json_token token;

    r->scan.at = at;
    token = json_next(&r->scan);
    *more = token == JSON_COMMA;
    if (!*more && token != closing) {
        return json_fail(r, JSON_MALFORMED, token, NULL);
    }
    return r->scan.at;
}

/* True when the bracket that was just opened closes at once; else nothing is consumed. */
static bool closes_at_once(struct json_reader *r, enum json_token closing)
{
    const char *at = r->scan.at;

    if (json_next(&r->scan) == closing) {
        return true;
    }
    r->scan.at = at;
    return false;
}

/* The stack from `base` on as an array in the arena. */
static const void *take_stack(struct json_reader *r, size_t base)
{
    size_t size = (r->stack_used - base) * sizeof *r->stack;
    void *items = NULL;

    if (r->keep && size > 0) {
        items = arena_alloc(r->arena, size);
        memcpy(items, r->stack + base, size);
    }
    r->stack_used = base;
    return items;
}

static const char *convert_array(struct json_reader *r, const struct json_node *node,
                                 enum json_token token, struct value *out)
{
    size_t base = r->stack_used;
    bool more = true;
    const char *at;

    if (token != JSON_ARRAY) {
        return fail_here(r, JSON_CANNOT_CONVERT, token, node);
    }
    more = !closes_at_once(r, JSON_ARRAY_END);
    at = r->scan.at;
    while (more) {
        struct value item = value_null();

        at = json_read_value(r, node->element, at, &item);
        if (!at) {
            size_t index = r->stack_used - base;

            r->stack_used = base;
            return json_fail_in(r, "[%zu]", index);
        }
        json_push(r, item);
        at = after_element(r, at, JSON_ARRAY_END, &more);
        if (!at) {
            return NULL;
        }
    }
    *out = (struct value){ .kind = T_ARRAY, .size = (uint32_t)(r->stack_used - base) };
    out->items = take_stack(r, base);
    return at;
}

/* Members of a map in the order they come; equal keys are for the second look. */
static const char *read_map_members(struct json_reader *r, const struct json_node *node)
{
    bool more = !closes_at_once(r, JSON_OBJECT_END);
    const char *at = r->scan.at;

    while (more) {
        struct value item = value_null();
        enum json_token token;

        r->scan.at = at;
        token = json_next(&r->scan);
        if (token != JSON_STRING) {
            return json_fail(r, JSON_MALFORMED, token, NULL);
        }
        json_push(r, value_text(T_STRING, json_string_text(r)));
        if (json_next(&r->scan) != JSON_COLON) {
            return json_fail(r, JSON_MALFORMED, token, NULL);
        }
        at = json_read_value(r, node->element, r->scan.at, &item);
        if (!at) {
            return NULL; /* only the second look keeps count */
        }
        json_push(r, item);
        at = after_element(r, at, JSON_OBJECT_END, &more);
        if (!at) {
            return NULL;
        }
    }
    return at;
}

static bool has_equal_keys(const struct value *pairs, size_t count)
{
    struct map keys;
    bool found = false;

    if (count <= 8) {
        for (size_t i = 2; i < 2 * count; i += 2) {
            for (size_t j = 0; j < i; j += 2) {
                found |= bytes_equal(value_bytes(&pairs[i]), value_bytes(&pairs[j]));
            }
        }
        return found;
    }
    map_init(&keys);
    for (size_t i = 0; i < count; i++) {
        map_put(&keys, value_bytes(&pairs[2 * i]), &keys);
    }
    found = keys.live_count != count;
    map_fini(&keys);
    return found;
}

static const char *convert_map(struct json_reader *r, const struct json_node *node,
                               enum json_token token, struct value *out)
{
    size_t base = r->stack_used;
    size_t count;
    const char *at;

    if (token != JSON_OBJECT) {
        return fail_here(r, JSON_CANNOT_CONVERT, token, node);
    }
    at = r->careful ? json_careful_map(r, node, r->scan.at) : read_map_members(r, node);
    if (!at) {
        return NULL;
    }
    count = (r->stack_used - base) / 2;
    if (!r->careful && count > 1 && has_equal_keys(r->stack + base, count)) {
        return fail_here(r, JSON_MALFORMED, token, node);
    }
    *out = (struct value){ .kind = T_MAP, .size = (uint32_t)count };
    out->pairs = take_stack(r, base);
    return at;
}

static const char *convert_struct(struct json_reader *r, const struct json_node *node,
                                  enum json_token token, struct value *out)
{
    struct json_shape *shape = node->shape;
    struct value *cells = shape->spare;
    const char *at;

    if (token != JSON_OBJECT) {
        return fail_here(r, JSON_CANNOT_CONVERT, token, node);
    }
    if (r->keep) {
        cells = arena_alloc(r->arena, shape->field_count * sizeof *cells + 1);
    }
    memset(cells, 0, shape->field_count * sizeof *cells);
    at = json_read_fields(r, shape, r->scan.at, cells);
    *out = (struct value){ .kind = T_STRUCT, .size = shape->field_count };
    out->items = cells;
    return at;
}

static const char *convert_token(struct json_reader *r, const struct json_node *node,
                                 enum json_token token, struct value *out)
{
    switch (node->id) {
    case T_BOOLEAN:
        return convert_boolean(r, node, token, out);
    case T_INTEGER:
    case T_BIGINT:
    case T_TIME:
    case T_DATE:
    case T_TIMESTAMP:
        return convert_integer(r, node, token, out);
    case T_DOUBLE:
        return convert_double(r, node, token, out);
    case T_DECIMAL:
        return convert_decimal(r, node, token, out);
    case T_STRING:
        return convert_text(r, node, token, out);
    case T_BYTES:
        return convert_bytes(r, node, token, out);
    case T_ARRAY:
        return convert_array(r, node, token, out);
    case T_MAP:
        return convert_map(r, node, token, out);
    case T_STRUCT:
        return convert_struct(r, node, token, out);
    case T_NULL:
    case T_COUNT:
        break;
    }
    return fail_here(r, JSON_CANNOT_CONVERT, token, node);
}

const char *json_convert(struct json_reader *r, const struct json_node *node, const char *at,
                         struct value *out)
{
    enum json_token token;
    const char *behind;
    uint32_t nested;

    r->scan.at = at;
    token = json_next(&r->scan);
    if (token == JSON_NULL) {
        *out = value_null();
        return r->scan.at;
    }
    if (is_number(token) && !json_number_is_sane(r->scan.text)) {
        return fail_here(r, JSON_MALFORMED, token, node);
    }
    nested = (token == JSON_OBJECT || token == JSON_ARRAY) && node->id != T_STRING;
    r->scan.depth += nested;
    behind = convert_token(r, node, token, out);
    r->scan.depth -= nested;
    return behind;
}
