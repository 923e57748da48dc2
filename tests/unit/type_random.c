/*
 * type_random.c: random types and values for property tests.
 */
#include "tests/unit/type_random.h"

#include <string.h>

#include "base/utf8.h"
#include "engine/type/compare.h"
#include "engine/type/decimal.h"

uint64_t random_word(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

uint64_t random_below(uint64_t *seed, uint64_t limit)
{
    return random_word(seed) % limit;
}

static const struct sql_type *random_struct(uint64_t *seed, struct arena *arena, int depth)
{
    static const char *const names[] = { "A", "b", "C d", "d`", "E" };
    uint32_t count = (uint32_t)random_below(seed, 5);
    struct sql_field fields[5];

    for (uint32_t i = 0; i < count; i++) {
        fields[i].name = bytes_of(names[i]);
        fields[i].type = random_type(seed, arena, depth - 1);
    }
    return type_struct(arena, fields, count);
}

const struct sql_type *random_type(uint64_t *seed, struct arena *arena, int depth)
{
    enum type_id id = (enum type_id)(1 + random_below(seed, T_COUNT - 1));
    uint32_t precision = (uint32_t)(1 + random_below(seed, DECIMAL_MAX_DIGITS));

    if (id == T_DECIMAL) {
        return type_decimal(arena, precision, (uint32_t)random_below(seed, precision + 1));
    }
    if (id < T_ARRAY || depth == 0) {
        return type_scalar(id < T_ARRAY ? id : T_BIGINT);
    }
    if (id == T_ARRAY) {
        return type_array(arena, random_type(seed, arena, depth - 1));
    }
    if (id == T_MAP) {
        return type_map(arena, type_scalar(random_below(seed, 4) ? T_STRING : T_INTEGER),
                        random_type(seed, arena, depth - 1));
    }
    return random_struct(seed, arena, depth);
}

static struct value random_text(uint64_t *seed, struct arena *arena, enum type_id id)
{
    static const uint32_t characters[] = {
        'a', 'b', 0, ' ', 0xe9, 0x20ac, 0xe000, 0xffff, 0x1f600
    };
    size_t count = (size_t)random_below(seed, random_below(seed, 8) ? 6 : 200);
    char *text = arena_alloc_text(arena, count * UTF8_MAX_BYTES + 1);
    size_t len = 0;

    for (size_t i = 0; i < count; i++) {
        if (id == T_BYTES) {
            text[len++] = (char)random_word(seed);
        } else {
            size_t which = (size_t)random_below(seed, sizeof characters / sizeof *characters);

            len += utf8_encode(characters[which], text + len);
        }
    }
    return value_text(id, (struct bytes){ text, len });
}

static struct value random_decimal(uint64_t *seed, struct arena *arena, const struct sql_type *type)
{
    uint64_t digits = random_below(seed, type->precision + 1);
    struct decimal number = { 0, (int32_t)type->scale };
    struct value v;

    for (uint64_t i = 0; i < digits; i++) {
        number.unscaled = number.unscaled * 10 + (wide_int)random_below(seed, 10);
    }
    if (random_below(seed, 2)) {
        number.unscaled = -number.unscaled;
    }
    decimal_to_value(number, type, arena, &v);
    return v;
}

static double random_double(uint64_t *seed)
{
    uint64_t bits = random_word(seed);
    double number;

    if (bits % 4 == 0) {
        return bits % 8 ? -0.0 : 1.5;
    }
    memcpy(&number, &bits, sizeof number);
    return number == number ? number : 0;
}

static bool has_key(const struct map_pair *pairs, uint32_t count, const struct value *key,
                    const struct sql_type *type)
{
    for (uint32_t i = 0; i < count; i++) {
        if (compare_equal(&pairs[i].key, key, type)) {
            return true;
        }
    }
    return false;
}

static struct value random_map(uint64_t *seed, struct arena *arena, const struct sql_type *type)
{
    uint32_t wanted = (uint32_t)random_below(seed, random_below(seed, 8) ? 5 : 40);
    struct map_pair *pairs = arena_array(arena, struct map_pair, wanted + 1);
    struct value v = { .kind = T_MAP, .pairs = pairs };

    for (uint32_t i = 0; i < wanted; i++) {
        struct value key = random_value(seed, arena, type->key);

        if (!has_key(pairs, v.size, &key, type->key)) {
            pairs[v.size].key = key;
            pairs[v.size].value = random_value(seed, arena, type->element);
            v.size++;
        }
    }
    return v;
}

static struct value random_items(uint64_t *seed, struct arena *arena, const struct sql_type *type)
{
    uint32_t count = type->id == T_STRUCT ? type->field_count : (uint32_t)random_below(seed, 12);
    struct value *items = arena_array(arena, struct value, count + 1);

    for (uint32_t i = 0; i < count; i++) {
        const struct sql_type *item = type->id == T_STRUCT ? type->fields[i].type : type->element;

        items[i] = random_value(seed, arena, item);
    }
    return (struct value){ .kind = (uint8_t)type->id, .size = count, .items = items };
}

struct value random_value(uint64_t *seed, struct arena *arena, const struct sql_type *type)
{
    if (random_below(seed, 8) == 0) {
        return value_null();
    }
    switch (type->id) {
    case T_BOOLEAN:
        return value_i64(T_BOOLEAN, (int64_t)random_below(seed, 2));
    case T_INTEGER:
        return value_i64(T_INTEGER, (int32_t)random_word(seed));
    case T_BIGINT:
    case T_TIMESTAMP:
        return value_i64(type->id, (int64_t)random_word(seed) >> random_below(seed, 60));
    case T_TIME:
        return value_i64(T_TIME, (int64_t)random_below(seed, 86400000));
    case T_DATE:
        return value_i64(T_DATE, (int64_t)random_below(seed, 40000) - 20000);
    case T_DOUBLE:
        return value_f64(random_double(seed));
    case T_DECIMAL:
        return random_decimal(seed, arena, type);
    case T_STRING:
    case T_BYTES:
        return random_text(seed, arena, type->id);
    case T_MAP:
        return random_map(seed, arena, type);
    case T_ARRAY:
    case T_STRUCT:
        return random_items(seed, arena, type);
    case T_NULL:
    case T_COUNT:
        break;
    }
    return value_null();
}
