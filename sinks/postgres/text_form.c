/*
 * text_form.c: an array as the text that Postgres' array input reads: {1,NULL,"a \"b\""}.
 */
#include "engine/type/cast.h"
#include "sinks/postgres/postgres_internal.h"

/* Always in quotes: an empty text, NULL as a word and separators are themselves then. */
static void print_quoted(struct bytes text, struct buffer *out)
{
    buffer_append_char(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '"' || text.data[i] == '\\') {
            buffer_append_char(out, '\\');
        }
        buffer_append_char(out, text.data[i]);
    }
    buffer_append_char(out, '"');
}

static void print_bytea(struct bytes bytes, struct buffer *out)
{
    static const char digits[] = "0123456789abcdef";

    buffer_append_text(out, "\"\\\\x");
    for (size_t i = 0; i < bytes.len; i++) {
        buffer_append_char(out, digits[(unsigned char)bytes.data[i] >> 4]);
        buffer_append_char(out, digits[(unsigned char)bytes.data[i] & 15]);
    }
    buffer_append_char(out, '"');
}

static void print_item(const struct value *v, const struct sql_type *type, struct buffer *out)
{
    struct buffer text = { 0 };

    if (value_is_null(v)) {
        buffer_append_text(out, "NULL");
    } else if (type->id == T_STRING) {
        print_quoted(value_bytes(v), out);
    } else if (type->id == T_BYTES) {
        print_bytea(value_bytes(v), out);
    } else {
        cast_print(v, type, &text);
        print_quoted(buffer_bytes(&text), out);
        buffer_fini(&text);
    }
}

void text_form_print_array(const struct value *v, const struct sql_type *type, struct buffer *out)
{
    buffer_append_char(out, '{');
    for (uint32_t i = 0; i < v->size; i++) {
        if (i > 0) {
            buffer_append_char(out, ',');
        }
        print_item(&v->items[i], type->element, out);
    }
    buffer_append_char(out, '}');
}
