/*
 * json_tree.c: jansson reads the document, after numbers were turned into marked strings.
 *
 * The mark is U+0001, which no test file uses as the first character of a string. Documents are
 * as deep as jansson lets them be (JSON_PARSER_MAX_DEPTH), which limits the recursion here.
 */
#include "cli/test/json_tree.h"

#include <jansson.h>
#include <string.h>

#include "engine/type/java_text.h"

enum { NUMBER_MARK = '\1' };

/* --- loading --- */

static bool is_number_byte(char c)
{
    return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E';
}

/* Past the string that begins at `at`; the end of the text when it is not closed. */
static size_t skip_string(struct bytes text, size_t at)
{
    at++;
    while (at < text.len && text.data[at] != '"') {
        at += text.data[at] == '\\' ? 2 : 1;
    }
    return at < text.len ? at + 1 : text.len;
}

static void mark_numbers(struct bytes text, struct buffer *out)
{
    size_t at = 0;

    while (at < text.len) {
        char c = text.data[at];
        size_t end = at + 1;

        if (c == '"') {
            end = skip_string(text, at);
            buffer_append(out, text.data + at, end - at);
        } else if (c == '-' || (c >= '0' && c <= '9')) {
            while (end < text.len && is_number_byte(text.data[end])) {
                end++;
            }
            buffer_append_text(out, "\"\\u0001");
            buffer_append(out, text.data + at, end - at);
            buffer_append_char(out, '"');
        } else {
            buffer_append_char(out, c);
        }
        at = end;
    }
}

static const struct json *copy_node(struct arena *arena, json_t *node);

static void copy_text(struct arena *arena, json_t *node, struct json *out)
{
    struct bytes text = { json_string_value(node), json_string_length(node) };

    out->kind = JSON_NODE_STRING;
    if (text.len > 0 && text.data[0] == NUMBER_MARK) {
        out->kind = JSON_NODE_NUMBER;
        text.data++;
        text.len--;
    }
    out->text = arena_copy(arena, text);
}

static void copy_array(struct arena *arena, json_t *node, struct json *out)
{
    size_t count = json_array_size(node);
    const struct json **items = arena_array(arena, const struct json *, count);

    for (size_t i = 0; i < count; i++) {
        items[i] = copy_node(arena, json_array_get(node, i));
    }
    out->kind = JSON_NODE_ARRAY;
    out->items = items;
    out->count = (uint32_t)count;
}

static void copy_object(struct arena *arena, json_t *node, struct json *out)
{
    size_t count = json_object_size(node);
    const struct json **items = arena_array(arena, const struct json *, count);
    struct bytes *names = arena_array(arena, struct bytes, count);
    const char *name;
    json_t *member;

    out->kind = JSON_NODE_OBJECT;
    json_object_foreach(node, name, member)
    {
        names[out->count] = arena_copy(arena, bytes_of(name));
        items[out->count++] = copy_node(arena, member);
    }
    out->items = items;
    out->names = names;
}

static const struct json *copy_node(struct arena *arena, json_t *node)
{
    struct json *out = arena_new(arena, struct json);

    switch (json_typeof(node)) {
    case JSON_OBJECT:
        copy_object(arena, node, out);
        break;
    case JSON_ARRAY:
        copy_array(arena, node, out);
        break;
    case JSON_STRING:
        copy_text(arena, node, out);
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        out->kind = JSON_NODE_BOOL;
        out->boolean = json_is_true(node);
        break;
    case JSON_NULL:
    case JSON_INTEGER: /* these two do not occur: numbers were marked */
    case JSON_REAL:
        break;
    }
    return out;
}

int json_load(struct arena *arena, struct bytes text, const struct json **out, struct error *err)
{
    struct buffer marked = { 0 };
    json_error_t why = { 0 };
    json_t *node;

    mark_numbers(text, &marked);
    node = json_loadb(marked.data ? marked.data : "", marked.len,
                      JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_DISABLE_EOF_CHECK, &why);
    buffer_fini(&marked);
    if (!node) {
        return error_set(err, ERR_DECODE, NO_POSITION, "no JSON: %s, line %d", why.text, why.line);
    }
    *out = copy_node(arena, node);
    json_decref(node);
    return 0;
}

/* --- asking --- */

bool json_is(const struct json *node, enum json_kind kind)
{
    return node && node->kind == kind;
}

bool json_is_missing(const struct json *node)
{
    return !node || node->kind == JSON_NODE_NULL;
}

uint32_t json_count(const struct json *node)
{
    return node ? node->count : 0;
}

const struct json *json_item(const struct json *node, uint32_t number)
{
    return number < json_count(node) ? node->items[number] : NULL;
}

const struct json *json_member_of(const struct json *node, struct bytes name)
{
    for (uint32_t i = 0; json_is(node, JSON_NODE_OBJECT) && i < node->count; i++) {
        if (bytes_equal(node->names[i], name)) {
            return node->items[i];
        }
    }
    return NULL;
}

const struct json *json_member(const struct json *node, const char *name)
{
    return json_member_of(node, bytes_of(name));
}

struct bytes json_text(const struct json *node)
{
    return node ? node->text : (struct bytes){ NULL, 0 };
}

struct bytes json_member_text(const struct json *node, const char *name)
{
    return json_text(json_member(node, name));
}

int64_t json_member_integer(const struct json *node, const char *name, int64_t fallback)
{
    struct bytes text = json_member_text(node, name);
    int64_t number = fallback;

    if (text.data && java_long_parse(text, &number, NULL) != 0) {
        return fallback;
    }
    return number;
}

bool json_same(const struct json *a, const struct json *b)
{
    if (!a || !b || a->kind != b->kind) {
        return json_is_missing(a) && json_is_missing(b);
    }
    if (a->count != b->count || a->boolean != b->boolean || !bytes_equal(a->text, b->text)) {
        return false;
    }
    for (uint32_t i = 0; i < a->count; i++) {
        const struct json *other =
            a->kind == JSON_NODE_OBJECT ? json_member_of(b, a->names[i]) : b->items[i];

        if (!other || !json_same(a->items[i], other)) {
            return false;
        }
    }
    return true;
}

/* --- printing --- */

static void print_string(struct bytes text, struct buffer *out)
{
    json_t *node = json_stringn(text.data, text.len);
    char *quoted = node ? json_dumps(node, JSON_ENCODE_ANY) : NULL;

    buffer_append_text(out, quoted ? quoted : "null");
    free(quoted);
    json_decref(node);
}

static void print_items(const struct json *node, struct buffer *out)
{
    bool object = node->kind == JSON_NODE_OBJECT;

    buffer_append_char(out, object ? '{' : '[');
    for (uint32_t i = 0; i < node->count; i++) {
        if (i > 0) {
            buffer_append_char(out, ',');
        }
        if (object) {
            print_string(node->names[i], out);
            buffer_append_char(out, ':');
        }
        json_print(node->items[i], out);
    }
    buffer_append_char(out, object ? '}' : ']');
}

void json_print(const struct json *node, struct buffer *out)
{
    switch (node ? node->kind : JSON_NODE_NULL) {
    case JSON_NODE_NULL:
        buffer_append_text(out, "null");
        break;
    case JSON_NODE_BOOL:
        buffer_append_text(out, node->boolean ? "true" : "false");
        break;
    case JSON_NODE_NUMBER:
        buffer_append_bytes(out, node->text);
        break;
    case JSON_NODE_STRING:
        print_string(node->text, out);
        break;
    case JSON_NODE_ARRAY:
    case JSON_NODE_OBJECT:
        print_items(node, out);
        break;
    }
}

void json_print_bare(const struct json *node, struct buffer *out)
{
    if (json_is(node, JSON_NODE_STRING)) {
        buffer_append_bytes(out, node->text);
    } else {
        json_print(node, out);
    }
}

/* --- replacing --- */

static struct bytes replace_text(struct arena *arena, struct bytes text, struct bytes from,
                                 struct bytes to)
{
    struct buffer out = { 0 };
    struct bytes copy;
    size_t at = 0;

    while (at < text.len) {
        struct bytes rest = { text.data + at, text.len - at };

        if (bytes_starts_with(rest, from)) {
            buffer_append_bytes(&out, to);
            at += from.len;
        } else {
            buffer_append_char(&out, text.data[at++]);
        }
    }
    copy = arena_copy(arena, buffer_bytes(&out));
    buffer_fini(&out);
    return copy;
}

const struct json *json_replace(struct arena *arena, const struct json *node, struct bytes from,
                                struct bytes to)
{
    struct json *copy = arena_new(arena, struct json);
    const struct json **items = arena_array(arena, const struct json *, node->count);
    struct bytes *names = arena_array(arena, struct bytes, node->count);

    *copy = *node;
    if (node->text.data) {
        copy->text = replace_text(arena, node->text, from, to);
    }
    for (uint32_t i = 0; i < node->count; i++) {
        items[i] = json_replace(arena, node->items[i], from, to);
        if (node->kind == JSON_NODE_OBJECT) {
            names[i] = replace_text(arena, node->names[i], from, to);
        }
    }
    copy->items = items;
    copy->names = names;
    return copy;
}
