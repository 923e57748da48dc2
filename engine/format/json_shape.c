/*
 * json_shape.c: the columns of a row or STRUCT, and how a name finds one.
 *
 * A name is looked up once: afterwards the raw text in front of a value is
 * expected where it stood in the object before, and compared as bytes.
 */
#include "engine/format/json_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/unicode.h"

static int64_t power_of_ten(uint32_t exponent)
{
    int64_t power = 1;

    while (exponent-- > 0) {
        power *= 10;
    }
    return power;
}

static struct json_shape *shape_of_struct(struct arena *arena, const struct sql_type *type)
{
    struct json_shape *shape = json_shape_make(arena, type->field_count);

    for (uint32_t i = 0; i < type->field_count; i++) {
        shape->fields[i].name = type->fields[i].name;
        shape->fields[i].node = json_node_make(arena, type->fields[i].type);
        shape->fields[i].wanted = true;
    }
    json_shape_ready(arena, shape);
    return shape;
}

struct json_node *json_node_make(struct arena *arena, const struct sql_type *type)
{
    struct json_node *node = arena_new(arena, struct json_node);

    node->id = type->id;
    node->type = type;
    if (type->id == T_DECIMAL && !type_decimal_is_wide(type)) {
        node->limit = power_of_ten(type->precision);
    }
    if (type->id == T_STRUCT) {
        node->shape = shape_of_struct(arena, type);
    }
    if (type->id == T_ARRAY || type->id == T_MAP) {
        node->element = json_node_make(arena, type->element);
    }
    return node;
}

struct json_shape *json_shape_make(struct arena *arena, uint32_t field_count)
{
    struct json_shape *shape = arena_new(arena, struct json_shape);

    shape->field_count = field_count;
    shape->fields = arena_array(arena, struct json_field, field_count);
    shape->seen = arena_array(arena, uint32_t, field_count);
    shape->spare = arena_array(arena, struct value, field_count);
    shape->slot_count = 8;
    while (shape->slot_count < 2 * field_count) {
        shape->slot_count *= 2;
    }
    shape->slots = arena_array(arena, uint32_t, shape->slot_count);
    return shape;
}

static int32_t find_exact(const struct json_shape *shape, struct bytes name)
{
    uint32_t mask = shape->slot_count - 1;

    for (uint32_t slot = (uint32_t)bytes_hash(name) & mask;; slot = (slot + 1) & mask) {
        uint32_t index = shape->slots[slot];

        if (index == 0) {
            return JSON_UNDECLARED;
        }
        if (bytes_equal(shape->fields[index - 1].name, name)) {
            return (int32_t)index - 1;
        }
    }
}

static void insert_name(struct json_shape *shape, uint32_t field)
{
    uint32_t mask = shape->slot_count - 1;
    uint32_t slot = (uint32_t)bytes_hash(shape->fields[field].name) & mask;

    while (shape->slots[slot] != 0) {
        slot = (slot + 1) & mask;
    }
    shape->slots[slot] = field + 1;
}

void json_upper(struct bytes name, struct buffer *out)
{
    out->len = 0;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];

        if ((signed char)c < 0) {
            out->len = 0;
            unicode_upper(name, out);
            return;
        }
        buffer_append_char(out, c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c);
    }
}

int32_t json_shape_find(const struct json_shape *shape, struct bytes name, struct buffer *scratch)
{
    int32_t field = find_exact(shape, name);

    if (field != JSON_UNDECLARED) {
        return field;
    }
    json_upper(name, scratch);
    return find_exact(shape, buffer_bytes(scratch));
}

/* A name that is a field, while its upper-cased form is another. */
void json_shape_ready(struct arena *arena, struct json_shape *shape)
{
    struct buffer upper = { 0 };

    for (uint32_t i = 0; i < shape->field_count; i++) {
        insert_name(shape, i);
    }
    for (uint32_t i = 0; i < shape->field_count; i++) {
        int32_t twin;

        json_upper(shape->fields[i].name, &upper);
        twin = find_exact(shape, buffer_bytes(&upper));
        if (twin != JSON_UNDECLARED && twin != (int32_t)i) {
            shape->ambiguous = true;
        }
    }
    buffer_fini(&upper);
}

void json_shape_fini(struct json_shape *shape)
{
    for (uint32_t i = 0; i < shape->field_count; i++) {
        json_node_fini(shape->fields[i].node);
    }
    free(shape->expected);
    shape->expected = NULL;
}

void json_node_fini(struct json_node *node)
{
    if (node->shape) {
        json_shape_fini(node->shape);
    }
    if (node->element) {
        json_node_fini(node->element);
    }
}

void json_shape_learn(struct json_shape *shape, uint32_t place, struct bytes text, int32_t field)
{
    struct json_expected *expected;

    if (place >= JSON_EXPECTED_MAX) {
        return;
    }
    if (place >= shape->expected_capacity) {
        shape->expected_capacity = shape->expected_capacity ? shape->expected_capacity * 2 : 16;
        shape->expected =
            memory_resize(shape->expected, shape->expected_capacity, sizeof *shape->expected);
    }
    expected = &shape->expected[place];
    memset(expected, 0, sizeof *expected);
    if (text.len <= JSON_EXPECTED_TEXT) {
        memcpy(expected->text, text.data, text.len);
        expected->len = (uint32_t)text.len;
    }
    expected->field = field;
    if (place >= shape->expected_count) {
        shape->expected_count = place + 1;
    }
}
