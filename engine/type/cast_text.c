/*
 * cast_text.c: values as text: CAST to STRING (expressions.md 9).
 *
 * One exception to "a part prints as it would alone": a decimal inside a container
 * is BigDecimal.toString, which turns to scientific notation where small.
 */
#include "base/base64.h"
#include "engine/type/cast.h"
#include "engine/type/decimal.h"
#include "engine/type/java_date.h"
#include "engine/type/java_text.h"

_Static_assert((int)JAVA_DATE_MAX >= (int)JAVA_DOUBLE_MAX, "one scratch buffer for all");

static void print_part(const struct value *v, const struct sql_type *type, struct buffer *out);

static void print_array(const struct value *v, const struct sql_type *type, struct buffer *out)
{
    buffer_append_char(out, '[');
    for (uint32_t i = 0; i < v->size; i++) {
        buffer_append_text(out, i ? ", " : "");
        print_part(&v->items[i], type->element, out);
    }
    buffer_append_char(out, ']');
}

static void print_map(const struct value *v, const struct sql_type *type, struct buffer *out)
{
    buffer_append_char(out, '{');
    for (uint32_t i = 0; i < v->size; i++) {
        buffer_append_text(out, i ? ", " : "");
        print_part(&v->pairs[i].key, type->key, out);
        buffer_append_char(out, '=');
        print_part(&v->pairs[i].value, type->element, out);
    }
    buffer_append_char(out, '}');
}

static void print_struct(const struct value *v, const struct sql_type *type, struct buffer *out)
{
    bool first = true;

    buffer_append_text(out, "Struct{");
    for (uint32_t i = 0; i < v->size; i++) {
        if (value_is_null(&v->items[i])) {
            continue;
        }
        buffer_append_text(out, first ? "" : ",");
        buffer_append_bytes(out, type->fields[i].name);
        buffer_append_char(out, '=');
        print_part(&v->items[i], type->fields[i].type, out);
        first = false;
    }
    buffer_append_char(out, '}');
}

static void print_octets(struct bytes octets, struct buffer *out)
{
    size_t len = base64_encoded_size(octets.len);

    buffer_reserve(out, len);
    base64_encode(octets, out->data + out->len);
    out->len += len;
}

static void print_part(const struct value *v, const struct sql_type *type, struct buffer *out)
{
    if (type->id == T_DECIMAL && !value_is_null(v)) {
        decimal_print_scientific(decimal_of_value(v, type), out);
    } else {
        cast_print(v, type, out);
    }
}

/* What is short and never null; 0 for other types. */
static size_t print_short(const struct value *v, enum type_id id, char text[JAVA_DATE_MAX])
{
    switch (id) {
    case T_INTEGER:
    case T_BIGINT:
        return java_long_print(v->i64, text);
    case T_DOUBLE:
        return java_double_print(v->f64, text);
    case T_TIME:
        return java_time_print(v->i64, text);
    case T_DATE:
        return java_date_print(v->i64, text);
    case T_TIMESTAMP:
        return java_timestamp_print(v->i64, text);
    case T_NULL:
    case T_BOOLEAN:
    case T_DECIMAL:
    case T_STRING:
    case T_BYTES:
    case T_ARRAY:
    case T_MAP:
    case T_STRUCT:
    case T_COUNT:
        break;
    }
    return 0;
}

void cast_print(const struct value *v, const struct sql_type *type, struct buffer *out)
{
    char text[JAVA_DATE_MAX];

    if (value_is_null(v)) {
        buffer_append_text(out, "null");
    } else if (type->id == T_BOOLEAN) {
        buffer_append_text(out, v->i64 ? "true" : "false");
    } else if (type->id == T_DECIMAL) {
        decimal_print_plain(decimal_of_value(v, type), out);
    } else if (type->id == T_STRING) {
        buffer_append_bytes(out, value_bytes(v));
    } else if (type->id == T_BYTES) {
        print_octets(value_bytes(v), out);
    } else if (type->id == T_ARRAY) {
        print_array(v, type, out);
    } else if (type->id == T_MAP) {
        print_map(v, type, out);
    } else if (type->id == T_STRUCT) {
        print_struct(v, type, out);
    } else {
        buffer_append(out, text, print_short(v, type->id, text));
    }
}
