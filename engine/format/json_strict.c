/*
 * json_strict.c: JSON values to columns, without forgiving (rest-api.md 2.6).
 *
 * What is wanted is known at each place, so the text is read once, by type. Types limit how deep
 * this goes: a value that nobody wants is skipped by the scanner, which counts its depth.
 */
#include "engine/format/json_strict.h"

#include "base/map.h"
#include "base/vec.h"
#include "engine/format/json_internal.h"
#include "engine/type/cast.h"
#include "engine/type/decimal.h"
#include "engine/type/java_text.h"

struct pair_list {
    struct map_pair *items;
    uint32_t count;
    uint32_t capacity;
};

struct strict_reader {
    struct json_reader json;
    struct error *err;
};

static int read_value(struct strict_reader *r, const struct sql_type *type, enum json_token token,
                      struct value *out);

static int malformed(struct strict_reader *r)
{
    return error_set(r->err, ERR_SYNTAX, NO_POSITION, "The row is no JSON object");
}

static const char *token_name(enum json_token token)
{
    switch (token) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "an array";
    case JSON_STRING:
        return "text";
    case JSON_INTEGER:
    case JSON_DECIMAL:
        return "a number";
    case JSON_TRUE:
    case JSON_FALSE:
        return "a boolean";
    case JSON_NULL:
    case JSON_BAD:
    case JSON_END:
    case JSON_OBJECT_END:
    case JSON_ARRAY_END:
    case JSON_COLON:
    case JSON_COMMA:
        break;
    }
    return NULL;
}

/* The value's first token does not fit the type; a token that begins no value is worse. */
static int refuse(struct strict_reader *r, const struct sql_type *type, enum json_token token)
{
    struct buffer text = { 0 };
    int code;

    if (!token_name(token)) {
        return malformed(r);
    }
    type_print(type, &text);
    code = error_set(r->err, ERR_INSERT_VALUE, NO_POSITION, "Can't coerce %s to %.*s",
                     token_name(token), BYTES_ARG(buffer_bytes(&text)));
    buffer_fini(&text);
    return code;
}

static bool is_number(enum json_token token)
{
    return token == JSON_INTEGER || token == JSON_DECIMAL;
}

/* --- scalars: the token is all there is --- */

static bool take_integer(struct strict_reader *r, const struct sql_type *type,
                         enum json_token token, struct value *out)
{
    int64_t number = 0;

    if (token != JSON_INTEGER || java_long_parse(r->json.scan.text, &number, NULL) ||
        (type->id == T_INTEGER && number != (int32_t)number)) {
        return false;
    }
    *out = value_i64(type->id, number);
    return true;
}

static bool take_decimal(struct strict_reader *r, const struct sql_type *type,
                         enum json_token token, struct value *out)
{
    struct decimal number;

    if ((!is_number(token) && token != JSON_STRING) ||
        decimal_parse(json_string_text(&r->json), &number, NULL) ||
        decimal_cast(number, type, &number, NULL)) {
        return false;
    }
    decimal_to_value(number, type, r->json.arena, out);
    return true;
}

/* TIME, DATE, TIMESTAMP and BYTES, as in INSERT VALUES. */
static bool take_text(struct strict_reader *r, const struct sql_type *type, enum json_token token,
                      struct value *out)
{
    const struct sql_type *string = type_scalar(T_STRING);
    cast_function cast = cast_find(string, type);
    struct value text;

    if (token != JSON_STRING || !cast) {
        return false;
    }
    text = value_text(T_STRING, json_string_text(&r->json));
    return cast(&text, string, type, r->json.arena, out, NULL) == 0;
}

static bool take_scalar(struct strict_reader *r, const struct sql_type *type, enum json_token token,
                        struct value *out)
{
    switch (type->id) {
    case T_BOOLEAN:
        *out = value_i64(T_BOOLEAN, token == JSON_TRUE);
        return token == JSON_TRUE || token == JSON_FALSE;
    case T_INTEGER:
    case T_BIGINT:
        return take_integer(r, type, token, out);
    case T_DOUBLE:
        if (is_number(token)) {
            *out = value_f64(java_double_of_digits(r->json.scan.text.data, r->json.scan.text.len));
        }
        return is_number(token);
    case T_DECIMAL:
        return take_decimal(r, type, token, out);
    case T_STRING:
        if (token == JSON_STRING) {
            *out = value_text(T_STRING, json_string_text(&r->json));
        }
        return token == JSON_STRING;
    case T_BYTES:
    case T_TIME:
    case T_DATE:
    case T_TIMESTAMP:
        return take_text(r, type, token, out);
    case T_ARRAY:
    case T_MAP:
    case T_STRUCT:
    case T_NULL:
    case T_COUNT:
        break;
    }
    return false;
}

/* --- arrays and objects --- */

/* Behind a value: whether another one follows. */
static int read_separator(struct strict_reader *r, enum json_token closing, bool *more)
{
    enum json_token token = json_next(&r->json.scan);

    *more = token == JSON_COMMA;
    return *more || token == closing ? 0 : malformed(r);
}

static int read_name(struct strict_reader *r, enum json_token token, struct bytes *name)
{
    if (token != JSON_STRING) {
        return malformed(r);
    }
    *name = json_string_text(&r->json);
    return json_next(&r->json.scan) == JSON_COLON ? 0 : malformed(r);
}

static int read_array(struct strict_reader *r, const struct sql_type *type, struct value *out)
{
    VEC(struct value) items = { 0 };
    enum json_token token = json_next(&r->json.scan);
    bool more = token != JSON_ARRAY_END;

    while (more) {
        struct value item = value_null();

        TRY(read_value(r, type->element, token, &item));
        *vec_push(r->json.arena, &items) = item;
        TRY(read_separator(r, JSON_ARRAY_END, &more));
        token = more ? json_next(&r->json.scan) : JSON_END;
    }
    *out = (struct value){ .kind = T_ARRAY, .size = (uint32_t)items.count, .items = items.items };
    return 0;
}

/* The last of equal keys counts, at the place of the first. `index`: key -> place + 1. */
static struct map_pair *find_pair(struct strict_reader *r, struct pair_list *pairs,
                                  struct map *index, struct bytes key)
{
    uintptr_t place = (uintptr_t)map_find(index, key);

    if (place > 0) {
        return &pairs->items[place - 1];
    }
    map_put(index, key, (void *)(uintptr_t)(pairs->count + 1));
    return vec_push(r->json.arena, pairs);
}

static int read_pairs(struct strict_reader *r, const struct sql_type *type, struct pair_list *pairs,
                      struct map *index)
{
    enum json_token token = json_next(&r->json.scan);
    bool more = token != JSON_OBJECT_END;

    while (more) {
        struct value item = value_null();
        struct bytes key;

        TRY(read_name(r, token, &key));
        TRY(read_value(r, type->element, json_next(&r->json.scan), &item));
        *find_pair(r, pairs, index, key) = (struct map_pair){ value_text(T_STRING, key), item };
        TRY(read_separator(r, JSON_OBJECT_END, &more));
        token = more ? json_next(&r->json.scan) : JSON_END;
    }
    return 0;
}

static int read_map(struct strict_reader *r, const struct sql_type *type, struct value *out)
{
    struct pair_list pairs = { 0 };
    struct map index;
    int code;

    map_init(&index);
    code = read_pairs(r, type, &pairs, &index);
    map_fini(&index);
    if (!code) {
        *out = (struct value){ .kind = T_MAP, .size = pairs.count, .pairs = pairs.items };
    }
    return code;
}

/* A value that nobody wants, from its first token on. */
static int skip_value(struct strict_reader *r)
{
    return json_skip(&r->json.scan) ? 0 : malformed(r);
}

static int read_struct(struct strict_reader *r, const struct sql_type *type, struct value *out)
{
    struct value *fields = arena_array(r->json.arena, struct value, type->field_count);
    enum json_token token = json_next(&r->json.scan);
    bool more = token != JSON_OBJECT_END;

    while (more) {
        struct bytes name;
        uint32_t at;

        TRY(read_name(r, token, &name));
        at = type_find_field(type, name_read(name, r->json.arena));
        TRY(at < type->field_count
                ? read_value(r, type->fields[at].type, json_next(&r->json.scan), &fields[at])
                : skip_value(r));
        TRY(read_separator(r, JSON_OBJECT_END, &more));
        token = more ? json_next(&r->json.scan) : JSON_END;
    }
    *out = (struct value){ .kind = T_STRUCT, .size = type->field_count, .items = fields };
    return 0;
}

/* Recursion is as deep as the types, which the parser limits. */
static int read_value(struct strict_reader *r, const struct sql_type *type, enum json_token token,
                      struct value *out)
{
    if (token == JSON_NULL) {
        *out = value_null();
        return 0;
    }
    if (type->id == T_ARRAY && token == JSON_ARRAY) {
        return read_array(r, type, out);
    }
    if (type->id == T_MAP && token == JSON_OBJECT) {
        return read_map(r, type, out);
    }
    if (type->id == T_STRUCT && token == JSON_OBJECT) {
        return read_struct(r, type, out);
    }
    return take_scalar(r, type, token, out) ? 0 : refuse(r, type, token);
}

/* --- the row --- */

static uint32_t find_column(const struct column *columns, uint32_t count, struct bytes name)
{
    uint32_t i = 0;

    while (i < count && !bytes_equal(columns[i].name, name)) {
        i++;
    }
    return i;
}

static int read_member(struct strict_reader *r, enum json_token token, const struct column *columns,
                       uint32_t column_count, struct value *cells)
{
    struct bytes name;
    uint32_t i;
    int code;

    TRY(read_name(r, token, &name));
    i = find_column(columns, column_count, name_read(name, r->json.arena));
    if (i == column_count) {
        return skip_value(r);
    }
    code = read_value(r, columns[i].type, json_next(&r->json.scan), &cells[i]);
    if (code == ERR_INSERT_VALUE && r->err) {
        (void)error_prefix(r->err, "Column %.*s", BYTES_ARG(columns[i].name));
    }
    return code;
}

int json_strict_read(struct bytes text, const struct column *columns, uint32_t column_count,
                     struct arena *arena, struct value *cells, struct error *err)
{
    struct strict_reader r = { .err = err };
    enum json_token token;
    bool more;

    r.json.scan = (struct json_scanner){ .at = text.data, .end = text.data + text.len };
    r.json.arena = arena;
    r.json.keep = true;
    for (uint32_t i = 0; i < column_count; i++) {
        cells[i] = value_null();
    }
    if (json_next(&r.json.scan) != JSON_OBJECT) {
        return malformed(&r);
    }
    token = json_next(&r.json.scan);
    more = token != JSON_OBJECT_END;
    while (more) {
        TRY(read_member(&r, token, columns, column_count, cells));
        TRY(read_separator(&r, JSON_OBJECT_END, &more));
        token = more ? json_next(&r.json.scan) : JSON_END;
    }
    return json_next(&r.json.scan) == JSON_END ? 0 : malformed(&r);
}
