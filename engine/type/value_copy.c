/*
 * value_copy.c: deep copies of values, so that they outlive their batch.
 */
#include <string.h>

#include "engine/type/row_codec.h"

static struct value copy_pairs(const struct value *from, const struct sql_type *type,
                               struct arena *arena)
{
    struct map_pair *pairs = arena_alloc(arena, from->size * sizeof *pairs);
    struct value copy = *from;

    for (uint32_t i = 0; i < from->size; i++) {
        pairs[i].key = value_copy(&from->pairs[i].key, type->key, arena);
        pairs[i].value = value_copy(&from->pairs[i].value, type->element, arena);
    }
    copy.pairs = pairs;
    return copy;
}

static struct value copy_items(const struct value *from, const struct sql_type *type,
                               struct arena *arena)
{
    struct value *items = arena_alloc(arena, from->size * sizeof *items);
    struct value copy = *from;

    for (uint32_t i = 0; i < from->size; i++) {
        const struct sql_type *item = type->id == T_STRUCT ? type->fields[i].type : type->element;

        items[i] = value_copy(&from->items[i], item, arena);
    }
    copy.items = items;
    return copy;
}

struct value value_copy(const struct value *from, const struct sql_type *type, struct arena *arena)
{
    struct value copy = *from;
    wide_int *wide;

    switch ((enum type_id)from->kind) {
    case T_STRING:
    case T_BYTES:
        copy.bytes = arena_copy(arena, value_bytes(from)).data;
        return copy;
    case T_DECIMAL:
        if (type_decimal_is_wide(type)) {
            wide = arena_alloc(arena, sizeof *wide);
            *wide = *from->wide;
            copy.wide = wide;
        }
        return copy;
    case T_ARRAY:
    case T_STRUCT:
        return copy_items(from, type, arena);
    case T_MAP:
        return copy_pairs(from, type, arena);
    case T_NULL:
    case T_BOOLEAN:
    case T_INTEGER:
    case T_BIGINT:
    case T_DOUBLE:
    case T_TIME:
    case T_DATE:
    case T_TIMESTAMP:
    case T_COUNT:
        break;
    }
    return copy;
}
