/*
 * record_match.c: bytes on the log against "outputs" of a test file.
 *
 * JSON is read as a document of its own and compared member by member, so a field too many
 * is seen; KAFKA by the column's type; DELIMITED is text. Numbers compare by value, doubles
 * within 0.000001 (the conformance cases' tolerance).
 */
#include <math.h>
#include <string.h>

#include "base/base64.h"
#include "cli/test/record.h"
#include "engine/type/decimal.h"
#include "engine/type/java_text.h"

/* --- the side of a topic --- */

static const struct sql_type *type_of_columns(const struct source *source, enum format_side side,
                                              bool bare, struct arena *arena)
{
    const struct schema *schema = &source->schema;
    struct sql_field *fields = arena_array(arena, struct sql_field, schema->column_count);
    uint32_t count = 0;

    for (uint32_t i = 0; i < schema->column_count; i++) {
        enum column_role role = schema->columns[i].role;
        bool taken = side == SIDE_KEY ? i < schema->key_count : role == COLUMN_VALUE;

        if (taken) {
            fields[count].name = schema->columns[i].name;
            fields[count++].type = schema->columns[i].type;
        }
    }
    return bare && count == 1 ? fields[0].type : type_struct(arena, fields, count);
}

struct record_side record_side_of(const struct topic_form *form, enum format_side side,
                                  struct arena *arena)
{
    struct record_side out = { 0 };
    bool bare;

    if (!form) {
        return out;
    }
    out.format = side == SIDE_KEY ? form->key_format : form->value_format;
    if (!form->source) {
        return out;
    }
    bare = side == SIDE_KEY ? format_key_is_bare(out.format, form->source->schema.key_count)
                            : form->source->value_format.options.unwrapped ||
                                  !(out.format->features & FORMAT_WRAPS);
    out.type = type_of_columns(form->source, side, bare, arena);
    return out;
}

/* --- data --- */

static bool numbers_match(struct bytes expected, struct bytes actual, const struct sql_type *type)
{
    struct decimal a, b;
    double x, y;

    if (type && type->id != T_DOUBLE && decimal_parse(expected, &a, NULL) == 0 &&
        decimal_parse(actual, &b, NULL) == 0) {
        return decimal_compare(a, b) == 0;
    }
    if (java_double_parse(expected, &x, NULL) != 0 || java_double_parse(actual, &y, NULL) != 0) {
        return bytes_equal(expected, actual);
    }
    return x == y || fabs(x - y) <= 0.000001 || (isnan(x) && isnan(y));
}

/* As upper-casing a name of a test file does: ASCII is enough for the names they use. */
static const struct json *find_member(const struct json *actual, struct bytes name)
{
    const struct json *found = json_member_of(actual, name);
    struct buffer upper = { 0 };

    for (size_t i = 0; !found && i < name.len; i++) {
        bool lower = name.data[i] >= 'a' && name.data[i] <= 'z';

        buffer_append_char(&upper, lower ? (char)(name.data[i] - 'a' + 'A') : name.data[i]);
    }
    found = found ? found : json_member_of(actual, buffer_bytes(&upper));
    buffer_fini(&upper);
    return found;
}

static const struct sql_type *member_type(const struct sql_type *type, struct bytes name)
{
    if (type && type->id == T_MAP) {
        return type->element;
    }
    for (uint32_t i = 0; type && type->id == T_STRUCT && i < type->field_count; i++) {
        if (bytes_equal_nocase(type->fields[i].name, name)) {
            return type->fields[i].type;
        }
    }
    return NULL;
}

static bool objects_match(const struct json *expected, const struct json *actual,
                          const struct sql_type *type)
{
    bool exact = type && type->id == T_MAP;

    if (!json_is(actual, JSON_NODE_OBJECT) || json_count(expected) != json_count(actual)) {
        return false;
    }
    for (uint32_t i = 0; i < json_count(expected); i++) {
        struct bytes name = expected->names[i];
        const struct json *found = exact ? json_member_of(actual, name) : find_member(actual, name);

        if (!json_data_matches(expected->items[i], found, member_type(type, name))) {
            return false;
        }
    }
    return true;
}

static bool arrays_match(const struct json *expected, const struct json *actual,
                         const struct sql_type *type)
{
    const struct sql_type *element = type && type->id == T_ARRAY ? type->element : NULL;

    if (!json_is(actual, JSON_NODE_ARRAY) || json_count(expected) != json_count(actual)) {
        return false;
    }
    for (uint32_t i = 0; i < json_count(expected); i++) {
        if (!json_data_matches(json_item(expected, i), json_item(actual, i), element)) {
            return false;
        }
    }
    return true;
}

bool json_data_matches(const struct json *expected, const struct json *actual,
                       const struct sql_type *type)
{
    bool decimal = type && type->id == T_DECIMAL;

    if (json_is_missing(expected) || json_is_missing(actual)) {
        return json_is_missing(expected) && json_is_missing(actual);
    }
    if (json_is(expected, JSON_NODE_OBJECT)) {
        return objects_match(expected, actual, type);
    }
    if (json_is(expected, JSON_NODE_ARRAY)) {
        return arrays_match(expected, actual, type);
    }
    if (json_is(actual, JSON_NODE_NUMBER) &&
        (json_is(expected, JSON_NODE_NUMBER) || (decimal && json_is(expected, JSON_NODE_STRING)))) {
        return numbers_match(json_text(expected), json_text(actual), type);
    }
    if (json_is(expected, JSON_NODE_NUMBER) != json_is(actual, JSON_NODE_NUMBER)) {
        return false;
    }
    return json_same(expected, actual);
}

/* --- bytes --- */

static uint64_t read_big_endian(const char *data, size_t size)
{
    uint64_t number = 0;

    for (size_t i = 0; i < size; i++) {
        number = number << 8 | (unsigned char)data[i];
    }
    return number;
}

/* Appends the text of a KAFKA value; false when the bytes do not fit the type. */
static bool print_kafka(struct bytes in, enum type_id type, struct buffer *out)
{
    char text[JAVA_DOUBLE_MAX];
    uint64_t bits;
    double real;

    switch (type) {
    case T_INTEGER:
        if (in.len == 4) {
            buffer_printf(out, "%d", (int)(int32_t)(uint32_t)read_big_endian(in.data, 4));
        }
        return in.len == 4;
    case T_BIGINT:
        if (in.len == 8) {
            buffer_printf(out, "%lld", (long long)read_big_endian(in.data, 8));
        }
        return in.len == 8;
    case T_DOUBLE:
        if (in.len == 8) {
            bits = read_big_endian(in.data, 8);
            memcpy(&real, &bits, sizeof real);
            buffer_append(out, text, java_double_print(real, text));
        }
        return in.len == 8;
    case T_BYTES:
        buffer_reserve(out, base64_encoded_size(in.len));
        base64_encode(in, out->data + out->len);
        out->len += base64_encoded_size(in.len);
        return true;
    default:
        buffer_append_bytes(out, in);
        return true;
    }
}

static bool is_named(const struct format_kind *format, const char *name)
{
    return format && strcmp(format->name, name) == 0;
}

/* The column's type where the format is KAFKA; of other formats the bytes are text. */
static enum type_id kafka_type(const struct record_side *side)
{
    return is_named(side->format, "KAFKA") && side->type ? side->type->id : T_STRING;
}

static bool json_matches(const struct record_side *side, struct bytes actual,
                         const struct json *expected)
{
    const struct json *document = NULL;
    struct arena arena;
    bool same;

    arena_init(&arena, 0);
    same = json_load(&arena, actual, &document, NULL) == 0 &&
           json_data_matches(expected, document, side->type);
    arena_fini(&arena);
    return same;
}

static bool text_matches(const struct record_side *side, struct bytes actual,
                         const struct json *expected)
{
    enum type_id type = kafka_type(side);
    struct buffer text = { 0 };
    struct buffer wanted = { 0 };
    bool same;

    json_print_bare(expected, &wanted);
    same = print_kafka(actual, type, &text);
    if (same && type_is_number(type)) {
        same = numbers_match(buffer_bytes(&wanted), buffer_bytes(&text), side->type);
    } else if (same) {
        same = bytes_equal(buffer_bytes(&wanted), buffer_bytes(&text));
    }
    buffer_fini(&text);
    buffer_fini(&wanted);
    return same;
}

static bool side_matches(const struct record_side *side, struct bytes actual,
                         const struct json *expected)
{
    if (!actual.data || json_is_missing(expected)) {
        return !actual.data && json_is_missing(expected);
    }
    return is_named(side->format, "JSON") ? json_matches(side, actual, expected)
                                          : text_matches(side, actual, expected);
}

/* --- the whole record --- */

/* Cuts the window off the key; false when it is another window. */
static bool window_matches(const struct json *window, struct bytes *key)
{
    bool session = bytes_equal_text_nocase(json_member_text(window, "type"), "session");
    size_t size = session ? 16 : 8;

    if (!key->data || key->len < size) {
        return false;
    }
    key->len -= size;
    if (session && (int64_t)read_big_endian(key->data + key->len, 8) !=
                       json_member_integer(window, "end", 0)) {
        return false;
    }
    return (int64_t)read_big_endian(key->data + key->len + size - 8, 8) ==
           json_member_integer(window, "start", 0);
}

static bool headers_match(const struct kept_record *record, const struct json *expected)
{
    bool same = json_count(expected) == record->header_count;

    for (uint32_t i = 0; same && i < record->header_count; i++) {
        const struct json *item = json_item(expected, i);
        struct bytes value = json_member_text(item, "VALUE");
        struct bytes actual = record->headers[i].value;
        struct buffer text = { 0 };

        same = bytes_equal(json_member_text(item, "KEY"), record->headers[i].key) &&
               !value.data == !actual.data;
        if (same && actual.data) {
            same = print_kafka(actual, T_BYTES, &text) && bytes_equal(buffer_bytes(&text), value);
        }
        buffer_fini(&text);
    }
    return same;
}

bool record_has_key(const struct topic_form *form, const struct kept_record *record,
                    const struct json *expected)
{
    const struct json *window = json_member(expected, "window");
    struct bytes key = record->key;
    struct record_side side;
    struct arena arena;
    bool same;

    arena_init(&arena, 0);
    side = record_side_of(form, SIDE_KEY, &arena);
    same = (!json_is(window, JSON_NODE_OBJECT) || window_matches(window, &key)) &&
           side_matches(&side, key, json_member(expected, "key"));
    arena_fini(&arena);
    return same;
}

bool record_matches(const struct topic_form *form, const struct kept_record *record,
                    const struct json *expected, enum record_parts parts)
{
    int64_t wanted_ms = json_member_integer(expected, "timestamp", -1);
    struct record_side side;
    struct arena arena;
    bool same;

    arena_init(&arena, 0);
    side = record_side_of(form, SIDE_VALUE, &arena);
    same = record_has_key(form, record, expected) &&
           side_matches(&side, record->value, json_member(expected, "value")) &&
           headers_match(record, json_member(expected, "headers"));
    if (json_member(expected, "timestamp") &&
        (parts == MATCH_ALL || (parts == MATCH_ZERO_AS_ANY_TIME && wanted_ms != 0))) {
        same = same && record->timestamp_ms == wanted_ms;
    }
    arena_fini(&arena);
    return same;
}

/* --- for people --- */

static void print_side(const struct record_side *side, struct bytes bytes, struct buffer *out)
{
    struct buffer text = { 0 };

    if (!bytes.data) {
        buffer_append_text(out, "null");
        return;
    }
    if (!print_kafka(bytes, kafka_type(side), &text)) {
        text.len = 0;
        buffer_append_bytes(&text, bytes);
    }
    for (size_t i = 0; i < text.len; i++) {
        if ((unsigned char)text.data[i] < 0x20) {
            buffer_printf(out, "\\x%02x", (unsigned)(unsigned char)text.data[i]);
        } else {
            buffer_append_char(out, text.data[i]);
        }
    }
    buffer_fini(&text);
}

void record_print(const struct topic_form *form, const struct kept_record *record,
                  struct buffer *out)
{
    struct record_side side;
    struct arena arena;

    arena_init(&arena, 0);
    side = record_side_of(form, SIDE_KEY, &arena);
    print_side(&side, record->key, out);
    buffer_append_text(out, " : ");
    side = record_side_of(form, SIDE_VALUE, &arena);
    print_side(&side, record->value, out);
    buffer_printf(out, " @%lld", (long long)record->timestamp_ms);
    if (record->header_count > 0) {
        buffer_printf(out, " +%u headers", record->header_count);
    }
    arena_fini(&arena);
}

void record_print_expected(const struct json *expected, struct buffer *out)
{
    json_print(json_member(expected, "key"), out);
    buffer_append_text(out, " : ");
    json_print(json_member(expected, "value"), out);
    if (json_is(json_member(expected, "window"), JSON_NODE_OBJECT)) {
        buffer_append_text(out, " window ");
        json_print(json_member(expected, "window"), out);
    }
    if (json_member(expected, "timestamp")) {
        buffer_printf(out, " @%lld", (long long)json_member_integer(expected, "timestamp", 0));
    }
    if (json_count(json_member(expected, "headers")) > 0) {
        buffer_printf(out, " +%u headers", json_count(json_member(expected, "headers")));
    }
}
