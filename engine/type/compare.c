/*
 * compare.c: equality and order of values.
 *
 * Text is UTF-8 here but ordered as UTF-16: bytes order by code point, which
 * differs only where a supplementary character (lead byte F0..F4) meets
 * U+E000..U+FFFF (lead byte EE, EF): its surrogates lie below those.
 *
 * Maps are equal without regard to order. Small ones are searched; large ones
 * through a table of hashed keys, so that no pair of maps costs quadratic time.
 */
#include "engine/type/compare.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { SEARCHED_PAIRS = 8 };

/* The first place at which they differ, or the length of the shorter. */
static size_t common_prefix(struct bytes a, struct bytes b)
{
    size_t shorter = a.len < b.len ? a.len : b.len;
    size_t at = 0;

    for (; shorter - at >= sizeof(uint64_t); at += sizeof(uint64_t)) {
        uint64_t left;
        uint64_t right;

        memcpy(&left, a.data + at, sizeof left);
        memcpy(&right, b.data + at, sizeof right);
        if (left != right) {
            break;
        }
    }
    while (at < shorter && a.data[at] == b.data[at]) {
        at++;
    }
    return at;
}

static int compare_lengths(struct bytes a, struct bytes b)
{
    return (a.len > b.len) - (a.len < b.len);
}

int compare_text(struct bytes a, struct bytes b)
{
    size_t at = common_prefix(a, b);
    unsigned char left;
    unsigned char right;

    if (at == a.len || at == b.len) {
        return compare_lengths(a, b);
    }
    left = (unsigned char)a.data[at];
    right = (unsigned char)b.data[at];
    if (left >= 0xee && right >= 0xee && (left >= 0xf0) != (right >= 0xf0)) {
        return left >= 0xf0 ? -1 : 1;
    }
    return left < right ? -1 : 1;
}

int compare_octets(struct bytes a, struct bytes b)
{
    size_t at = common_prefix(a, b);

    if (at == a.len || at == b.len) {
        return compare_lengths(a, b);
    }
    return (signed char)a.data[at] < (signed char)b.data[at] ? -1 : 1;
}

static int compare_wide(const struct value *a, const struct value *b, const struct sql_type *type)
{
    if (type_decimal_is_wide(type)) {
        return (*a->wide > *b->wide) - (*a->wide < *b->wide);
    }
    return (a->i64 > b->i64) - (a->i64 < b->i64);
}

int compare_values(const struct value *a, const struct value *b, const struct sql_type *type)
{
    switch (type->id) {
    case T_BOOLEAN:
    case T_INTEGER:
    case T_BIGINT:
    case T_TIME:
    case T_DATE:
    case T_TIMESTAMP:
        return (a->i64 > b->i64) - (a->i64 < b->i64);
    case T_DOUBLE:
        return (a->f64 > b->f64) - (a->f64 < b->f64);
    case T_DECIMAL:
        return compare_wide(a, b, type);
    case T_STRING:
        return compare_text(value_bytes(a), value_bytes(b));
    case T_BYTES:
        return compare_octets(value_bytes(a), value_bytes(b));
    case T_NULL:
    case T_ARRAY:
    case T_MAP:
    case T_STRUCT:
    case T_COUNT:
        break;
    }
    return 0; /* no scalar: there is no order */
}

static bool items_equal(const struct value *a, const struct value *b, const struct sql_type *type)
{
    if (a->size != b->size) {
        return false;
    }
    for (uint32_t i = 0; i < a->size; i++) {
        const struct sql_type *item = type->id == T_STRUCT ? type->fields[i].type : type->element;

        if (!compare_equal(&a->items[i], &b->items[i], item)) {
            return false;
        }
    }
    return true;
}

static bool pairs_equal(const struct map_pair *a, const struct map_pair *b,
                        const struct sql_type *type)
{
    return compare_equal(&a->key, &b->key, type->key) &&
           compare_equal(&a->value, &b->value, type->element);
}

/* Equal keys have equal hashes. Keys other than scalars are rare: their size has to do. */
static uint64_t key_hash(const struct value *key, const struct sql_type *type)
{
    if (value_is_null(key)) {
        return 0;
    }
    if (type->id == T_STRING || type->id == T_BYTES) {
        return bytes_hash(value_bytes(key));
    }
    if (type->id == T_DECIMAL && type_decimal_is_wide(type)) {
        return bytes_hash((struct bytes){ (const char *)key->wide, sizeof *key->wide });
    }
    if (type->id == T_DOUBLE) {
        double number = key->f64 + 0.0; /* -0.0 becomes 0.0 */

        return bytes_hash((struct bytes){ (const char *)&number, sizeof number });
    }
    if (type->id < T_ARRAY) {
        return bytes_hash((struct bytes){ (const char *)&key->i64, sizeof key->i64 });
    }
    return key->size;
}

static bool find_pair_in_turn(const struct value *map, uint32_t from, const struct map_pair *pair,
                              const struct sql_type *type)
{
    for (uint32_t i = 0; i < map->size; i++) {
        if (pairs_equal(&map->pairs[(from + i) % map->size], pair, type)) {
            return true;
        }
    }
    return false;
}

/* Whether every pair of `a` is in `b`, through a table of b's pairs; 0 is a free slot. */
static bool find_all_by_hash(const struct value *a, const struct value *b,
                             const struct sql_type *type)
{
    size_t mask = SEARCHED_PAIRS;
    uint32_t *slots;
    bool found = true;

    while (mask < (size_t)b->size * 2) {
        mask *= 2;
    }
    slots = memory_zalloc(mask, sizeof *slots);
    mask--;
    for (uint32_t i = 0; i < b->size; i++) {
        size_t at = key_hash(&b->pairs[i].key, type->key) & mask;

        while (slots[at]) {
            at = (at + 1) & mask;
        }
        slots[at] = i + 1;
    }
    for (uint32_t i = 0; i < a->size && found; i++) {
        size_t at = key_hash(&a->pairs[i].key, type->key) & mask;

        while (slots[at] && !pairs_equal(&b->pairs[slots[at] - 1], &a->pairs[i], type)) {
            at = (at + 1) & mask;
        }
        found = slots[at] != 0;
    }
    free(slots);
    return found;
}

static bool maps_equal(const struct value *a, const struct value *b, const struct sql_type *type)
{
    uint32_t same = 0;

    if (a->size != b->size) {
        return false;
    }
    while (same < a->size && pairs_equal(&a->pairs[same], &b->pairs[same], type)) {
        same++;
    }
    if (same == a->size || a->size > SEARCHED_PAIRS) {
        return same == a->size || find_all_by_hash(a, b, type);
    }
    for (uint32_t i = same; i < a->size; i++) {
        if (!find_pair_in_turn(b, i, &a->pairs[i], type)) {
            return false;
        }
    }
    return true;
}

bool compare_equal(const struct value *a, const struct value *b, const struct sql_type *type)
{
    if (value_is_null(a) || value_is_null(b)) {
        return value_is_null(a) && value_is_null(b);
    }
    switch (type->id) {
    case T_BOOLEAN:
    case T_INTEGER:
    case T_BIGINT:
    case T_TIME:
    case T_DATE:
    case T_TIMESTAMP:
        return a->i64 == b->i64;
    case T_DOUBLE:
        return a->f64 == b->f64;
    case T_DECIMAL:
        return compare_wide(a, b, type) == 0;
    case T_STRING:
    case T_BYTES:
        return a->size == b->size && (a->size == 0 || memcmp(a->bytes, b->bytes, a->size) == 0);
    case T_ARRAY:
    case T_STRUCT:
        return items_equal(a, b, type);
    case T_MAP:
        return maps_equal(a, b, type);
    case T_NULL:
    case T_COUNT:
        break;
    }
    return false;
}
