/*
 * value_json.c: a value as the REST API prints it (rest-api.md 4.3).
 *
 * Dates and times are ISO text, but numbers inside a STRUCT, as ksqlDB has it.
 */
#include <math.h>
#include <stdlib.h>

#include <jansson.h>

#include "cli/output.h"
#include "engine/type/cast.h"

void text_print_json(struct bytes text, struct buffer *out)
{
    json_t *string = json_stringn_nocheck(text.data ? text.data : "", text.len);
    char *quoted = json_dumps(string, JSON_ENCODE_ANY);

    buffer_append_text(out, quoted ? quoted : "null"); /* NULL: the text is not UTF-8 */
    free(quoted);
    json_decref(string);
}

enum place { OUTSIDE_STRUCT, INSIDE_STRUCT };

static void print_value(const struct value *v, const struct sql_type *type, enum place place,
                        struct buffer *out);

static void print_as_text(const struct value *v, const struct sql_type *type, struct buffer *out)
{
    struct buffer text = { 0 };

    cast_print(v, type, &text);
    text_print_json(buffer_bytes(&text), out);
    buffer_fini(&text);
}

static void print_array(const struct value *v, const struct sql_type *type, enum place place,
                        struct buffer *out)
{
    buffer_append_char(out, '[');
    for (uint32_t i = 0; i < v->size; i++) {
        buffer_append_text(out, i ? "," : "");
        print_value(&v->items[i], type->element, place, out);
    }
    buffer_append_char(out, ']');
}

static void print_map(const struct value *v, const struct sql_type *type, enum place place,
                      struct buffer *out)
{
    buffer_append_char(out, '{');
    for (uint32_t i = 0; i < v->size; i++) {
        buffer_append_text(out, i ? "," : "");
        print_as_text(&v->pairs[i].key, type->key, out);
        buffer_append_char(out, ':');
        print_value(&v->pairs[i].value, type->element, place, out);
    }
    buffer_append_char(out, '}');
}

static void print_struct(const struct value *v, const struct sql_type *type, struct buffer *out)
{
    buffer_append_char(out, '{');
    for (uint32_t i = 0; i < type->field_count; i++) {
        buffer_append_text(out, i ? "," : "");
        text_print_json(type->fields[i].name, out);
        buffer_append_char(out, ':');
        print_value(&v->items[i], type->fields[i].type, INSIDE_STRUCT, out);
    }
    buffer_append_char(out, '}');
}

static void print_value(const struct value *v, const struct sql_type *type, enum place place,
                        struct buffer *out)
{
    if (value_is_null(v)) {
        buffer_append_text(out, "null");
        return;
    }
    switch (type->id) {
    case T_BOOLEAN:
    case T_INTEGER:
    case T_BIGINT:
    case T_DECIMAL:
        cast_print(v, type, out);
        break;
    case T_DOUBLE:
        if (isfinite(v->f64)) {
            cast_print(v, type, out);
        } else {
            print_as_text(v, type, out);
        }
        break;
    case T_TIME:
    case T_DATE:
    case T_TIMESTAMP:
        if (place == INSIDE_STRUCT) {
            buffer_printf(out, "%lld", (long long)v->i64);
        } else {
            print_as_text(v, type, out);
        }
        break;
    case T_STRING:
        text_print_json(value_bytes(v), out);
        break;
    case T_BYTES:
        print_as_text(v, type, out);
        break;
    case T_ARRAY:
        print_array(v, type, place, out);
        break;
    case T_MAP:
        print_map(v, type, place, out);
        break;
    case T_STRUCT:
        print_struct(v, type, out);
        break;
    case T_NULL:
    case T_COUNT:
        buffer_append_text(out, "null");
        break;
    }
}

void value_print_json(const struct value *v, const struct sql_type *type, struct buffer *out)
{
    print_value(v, type, OUTSIDE_STRUCT, out);
}
