/*
 * row_codec.c: rows as bytes.
 *
 *   image  = version, shape id (varint), record of the columns
 *   record = null bitmap (bit i set: i is null; spare bits 0), the others' values
 *   value  = BOOLEAN 1 byte; INTEGER 4; other i64, DOUBLE 8; wide DECIMAL 16; little-endian
 *            STRING BYTES   length (varint), octets
 *            ARRAY          count (varint), record of the items
 *            MAP            count (varint), pairs in order of their bytes;
 *                           pair = flags (1: null key, 2: null value), key, value
 *            STRUCT         record of the fields
 *
 * Numbers have a fixed width although most counts would fit two bytes: a load
 * without a branch on the data beats a varint (a row of STRING, BIGINT, DOUBLE,
 * TIMESTAMP: 22 ns to write and 20 to read; with varints 25 and 28, for 32 bytes instead
 * of 40), and the bytes saved are those that the log's compression takes out
 * anyway. The bitmap comes before the values, so that these follow one another
 * without a tag each.
 *
 * Equal rows give equal bytes: one width per type, sorted pairs, one NaN.
 * Recursion follows the type, never the data.
 */
#include "engine/type/row_codec.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "engine/type/decimal.h"

enum {
    ROW_IMAGE_VERSION = 1,
    VARINT32_MAX_BYTES = 5,
    ITEM_ROOM = 32, /* no scalar but text takes more */
    PAIR_NULL_KEY = 1,
    PAIR_NULL_VALUE = 2
};

/* --- writing: the caller has reserved room --- */

static void put_byte(struct buffer *out, uint8_t byte)
{
    out->data[out->len++] = (char)byte;
}

static void put_varint(struct buffer *out, uint32_t number)
{
    while (number >= 0x80) {
        put_byte(out, (uint8_t)(number | 0x80));
        number >>= 7;
    }
    put_byte(out, (uint8_t)number);
}

static void put_fixed(struct buffer *out, const void *data, size_t len)
{
    memcpy(out->data + out->len, data, len);
    out->len += len;
}

static void put_u64(struct buffer *out, uint64_t number)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    number = __builtin_bswap64(number);
#endif
    put_fixed(out, &number, sizeof number);
}

static void put_u32(struct buffer *out, uint32_t number)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    number = __builtin_bswap32(number);
#endif
    put_fixed(out, &number, sizeof number);
}

static void put_double(struct buffer *out, double number)
{
    uint64_t bits = UINT64_C(0x7ff8000000000000);

    if (number == number) {
        memcpy(&bits, &number, sizeof bits);
    }
    put_u64(out, bits);
}

static void put_decimal(const struct value *v, const struct sql_type *type, struct buffer *out)
{
    if (type_decimal_is_wide(type)) {
        put_u64(out, (uint64_t)*v->wide);
        put_u64(out, (uint64_t)(*v->wide >> 64));
    } else {
        put_u64(out, (uint64_t)v->i64);
    }
}

/* Room for a number or a length beside what is still to come of the row. */
static void make_room(struct buffer *out, size_t more)
{
    if (out->capacity - out->len < more) {
        buffer_reserve(out, more);
    }
}

static void put_items(const struct value *v, const struct sql_type *type, size_t room,
                      struct buffer *out);

/* Keeps `room` bytes free behind the value, so that fixed-width neighbours need no check. */
static inline void put_value(const struct value *v, const struct sql_type *type, size_t room,
                             struct buffer *out)
{
    switch (type->id) {
    case T_BOOLEAN:
        put_byte(out, v->i64 != 0);
        break;
    case T_INTEGER:
        put_u32(out, (uint32_t)v->i64);
        break;
    case T_BIGINT:
    case T_TIME:
    case T_DATE:
    case T_TIMESTAMP:
        put_u64(out, (uint64_t)v->i64);
        break;
    case T_DOUBLE:
        put_double(out, v->f64);
        break;
    case T_DECIMAL:
        put_decimal(v, type, out);
        break;
    case T_STRING:
    case T_BYTES:
        put_varint(out, v->size);
        make_room(out, v->size + room);
        if (v->size) {
            put_fixed(out, v->bytes, v->size);
        }
        break;
    case T_ARRAY:
    case T_MAP:
    case T_STRUCT:
        put_items(v, type, room, out);
        break;
    case T_NULL:
    case T_COUNT:
        break;
    }
}

/* The null bitmap of `count` values, all bits 0; returns where it begins. */
static size_t put_bitmap(struct buffer *out, size_t count)
{
    size_t at = out->len;
    size_t len = (count + 7) / 8;

    memset(out->data + at, 0, len);
    out->len += len;
    return at;
}

static void mark_null(struct buffer *out, size_t bitmap, size_t index)
{
    out->data[bitmap + index / 8] = (char)(out->data[bitmap + index / 8] | 1 << index % 8);
}

static size_t bitmap_bytes(size_t count)
{
    return (count + 7) / 8;
}

static void put_array(const struct value *v, const struct sql_type *type, struct buffer *out)
{
    size_t bitmap;

    make_room(out, VARINT32_MAX_BYTES + bitmap_bytes(v->size));
    put_varint(out, v->size);
    bitmap = put_bitmap(out, v->size);
    for (uint32_t i = 0; i < v->size; i++) {
        if (value_is_null(&v->items[i])) {
            mark_null(out, bitmap, i);
        } else {
            make_room(out, ITEM_ROOM);
            put_value(&v->items[i], type->element, 0, out);
        }
    }
}

static void put_struct(const struct value *v, const struct sql_type *type, struct buffer *out)
{
    size_t bitmap;

    make_room(out, bitmap_bytes(type->field_count));
    bitmap = put_bitmap(out, type->field_count);
    for (uint32_t i = 0; i < type->field_count; i++) {
        /* A value with fewer fields than its type has nulls for the rest. */
        if (i >= v->size || value_is_null(&v->items[i])) {
            mark_null(out, bitmap, i);
        } else {
            make_room(out, ITEM_ROOM);
            put_value(&v->items[i], type->fields[i].type, 0, out);
        }
    }
}

static void put_pair(const struct map_pair *pair, const struct sql_type *type, struct buffer *out)
{
    bool null_key = value_is_null(&pair->key);
    bool null_value = value_is_null(&pair->value);

    make_room(out, ITEM_ROOM);
    put_byte(out, (uint8_t)((null_key ? PAIR_NULL_KEY : 0) | (null_value ? PAIR_NULL_VALUE : 0)));
    if (!null_key) {
        put_value(&pair->key, type->key, 0, out);
    }
    if (!null_value) {
        make_room(out, ITEM_ROOM);
        put_value(&pair->value, type->element, 0, out);
    }
}

static int by_bytes(const void *a, const void *b)
{
    return bytes_compare(*(const struct bytes *)a, *(const struct bytes *)b);
}

/* Sorts the pairs that begin at the offsets, up to the end of the buffer. */
static void sort_pairs(struct buffer *out, const size_t *offsets, uint32_t count)
{
    size_t start = offsets[0];
    size_t len = out->len - start;
    char *copy = memory_alloc(len);
    struct bytes *pairs = memory_zalloc(count, sizeof *pairs);

    memcpy(copy, out->data + start, len);
    for (uint32_t i = 0; i < count; i++) {
        size_t end = i + 1 < count ? offsets[i + 1] : out->len;

        pairs[i] = (struct bytes){ copy + (offsets[i] - start), end - offsets[i] };
    }
    qsort(pairs, count, sizeof *pairs, by_bytes);
    out->len = start;
    for (uint32_t i = 0; i < count; i++) {
        put_fixed(out, pairs[i].data, pairs[i].len);
    }
    free(pairs);
    free(copy);
}

static void put_map(const struct value *v, const struct sql_type *type, struct buffer *out)
{
    size_t *offsets = v->size > 1 ? memory_zalloc(v->size, sizeof *offsets) : NULL;

    make_room(out, VARINT32_MAX_BYTES);
    put_varint(out, v->size);
    for (uint32_t i = 0; i < v->size; i++) {
        if (offsets) {
            offsets[i] = out->len;
        }
        put_pair(&v->pairs[i], type, out);
    }
    if (offsets) {
        sort_pairs(out, offsets, v->size);
    }
    free(offsets);
}

static void put_items(const struct value *v, const struct sql_type *type, size_t room,
                      struct buffer *out)
{
    if (type->id == T_ARRAY) {
        put_array(v, type, out);
    } else if (type->id == T_MAP) {
        put_map(v, type, out);
    } else {
        put_struct(v, type, out);
    }
    make_room(out, room);
}

/* --- reading --- */

/* Cursor and end fit registers; every read checks against the end. */
struct image {
    const char *at;
    const char *end;
    struct arena *arena;
};

static bool has(const struct image *image, size_t len)
{
    return (size_t)(image->end - image->at) >= len;
}

static uint64_t take_u64(struct image *image)
{
    uint64_t number;

    memcpy(&number, image->at, sizeof number);
    image->at += sizeof number;
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    number = __builtin_bswap64(number);
#endif
    return number;
}

static uint32_t take_u32(struct image *image)
{
    uint32_t number;

    memcpy(&number, image->at, sizeof number);
    image->at += sizeof number;
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    number = __builtin_bswap32(number);
#endif
    return number;
}

/* Only the shortest form of at most 32 bits is one. */
static bool take_varint(struct image *image, uint32_t *out)
{
    uint64_t number = 0;
    unsigned shift = 0;
    uint8_t byte;

    do {
        if (image->at == image->end || shift > 28) {
            return false;
        }
        byte = (uint8_t)*image->at++;
        number |= (uint64_t)(byte & 0x7f) << shift;
        shift += 7;
    } while (byte & 0x80);
    if (number > UINT32_MAX || (byte == 0 && shift > 7)) {
        return false;
    }
    *out = (uint32_t)number;
    return true;
}

static inline bool take_small(struct image *image, const struct sql_type *type, size_t width,
                              struct value *out)
{
    if (!has(image, width)) {
        return false;
    }
    *out = value_i64(type->id, width == 8 ? (int64_t)take_u64(image) : (int32_t)take_u32(image));
    return true;
}

static bool take_boolean(struct image *image, struct value *out)
{
    if (!has(image, 1) || (uint8_t)*image->at > 1) {
        return false;
    }
    *out = value_i64(T_BOOLEAN, *image->at++);
    return true;
}

static bool take_wide(struct image *image, struct value *out)
{
    wide_int *wide;
    wide_uint low;

    if (!has(image, sizeof *wide)) {
        return false;
    }
    wide = arena_alloc(image->arena, sizeof *wide);
    low = take_u64(image);
    *wide = (wide_int)(low | (wide_uint)take_u64(image) << 64);
    *out = (struct value){ .kind = T_DECIMAL, .wide = wide };
    return decimal_is_storable(*wide);
}

static inline bool take_double(struct image *image, struct value *out)
{
    uint64_t bits;

    if (!has(image, sizeof bits)) {
        return false;
    }
    bits = take_u64(image);
    *out = (struct value){ .kind = T_DOUBLE };
    memcpy(&out->f64, &bits, sizeof bits);
    return true;
}

static inline bool take_text(struct image *image, const struct sql_type *type, struct value *out)
{
    uint32_t len;

    if (!take_varint(image, &len) || !has(image, len)) {
        return false;
    }
    *out = value_text(type->id, (struct bytes){ image->at, len });
    image->at += len;
    return true;
}

static bool take_items(struct image *image, const struct sql_type *type, struct value *out);

static inline bool take_value(struct image *image, const struct sql_type *type, struct value *out)
{
    switch (type->id) {
    case T_BOOLEAN:
        return take_boolean(image, out);
    case T_INTEGER:
        return take_small(image, type, 4, out);
    case T_BIGINT:
    case T_TIME:
    case T_DATE:
    case T_TIMESTAMP:
        return take_small(image, type, 8, out);
    case T_DOUBLE:
        return take_double(image, out);
    case T_DECIMAL:
        return type_decimal_is_wide(type) ? take_wide(image, out) : take_small(image, type, 8, out);
    case T_STRING:
    case T_BYTES:
        return take_text(image, type, out);
    case T_ARRAY:
    case T_MAP:
    case T_STRUCT:
        return take_items(image, type, out);
    case T_NULL:
    case T_COUNT:
        break;
    }
    return false;
}

/* The bitmap of `count` values; NULL when it is cut short or a spare bit is set. */
static const char *take_bitmap(struct image *image, size_t count)
{
    const char *bitmap = image->at;
    size_t len = bitmap_bytes(count);

    if (!has(image, len) || (count % 8 && (uint8_t)bitmap[len - 1] >> count % 8)) {
        return NULL;
    }
    image->at += len;
    return bitmap;
}

static bool bit_is_set(const char *bitmap, size_t index)
{
    return bitmap[index / 8] >> index % 8 & 1;
}

static bool take_array(struct image *image, const struct sql_type *type, struct value *out)
{
    struct value *items;
    const char *bitmap;
    uint32_t count;

    /* The bitmap's length is checked first, so damage cannot ask for much memory. */
    if (!take_varint(image, &count) || !(bitmap = take_bitmap(image, count))) {
        return false;
    }
    items = arena_alloc(image->arena, count * sizeof *items);
    for (uint32_t i = 0; i < count; i++) {
        if (bit_is_set(bitmap, i)) {
            items[i] = value_null();
        } else if (!take_value(image, type->element, &items[i])) {
            return false;
        }
    }
    *out = (struct value){ .kind = T_ARRAY, .size = count, .items = items };
    return true;
}

static bool take_struct(struct image *image, const struct sql_type *type, struct value *out)
{
    struct value *items;
    const char *bitmap = take_bitmap(image, type->field_count);

    if (!bitmap) {
        return false;
    }
    items = arena_alloc(image->arena, type->field_count * sizeof *items);
    for (uint32_t i = 0; i < type->field_count; i++) {
        if (bit_is_set(bitmap, i)) {
            items[i] = value_null();
        } else if (!take_value(image, type->fields[i].type, &items[i])) {
            return false;
        }
    }
    *out = (struct value){ .kind = T_STRUCT, .size = type->field_count, .items = items };
    return true;
}

static bool take_pair(struct image *image, const struct sql_type *type, struct map_pair *pair)
{
    uint8_t flags = (uint8_t)*image->at++;

    pair->key = value_null();
    pair->value = value_null();
    return flags <= (PAIR_NULL_KEY | PAIR_NULL_VALUE) &&
           (flags & PAIR_NULL_KEY || take_value(image, type->key, &pair->key)) &&
           (flags & PAIR_NULL_VALUE || take_value(image, type->element, &pair->value));
}

static bool take_map(struct image *image, const struct sql_type *type, struct value *out)
{
    struct map_pair *pairs;
    uint32_t count;

    if (!take_varint(image, &count) || !has(image, count)) {
        return false;
    }
    pairs = arena_alloc(image->arena, count * sizeof *pairs);
    for (uint32_t i = 0; i < count; i++) {
        if (!has(image, 1) || !take_pair(image, type, &pairs[i])) {
            return false;
        }
    }
    *out = (struct value){ .kind = T_MAP, .size = count, .pairs = pairs };
    return true;
}

static bool take_items(struct image *image, const struct sql_type *type, struct value *out)
{
    if (type->id == T_ARRAY) {
        return take_array(image, type, out);
    }
    return type->id == T_MAP ? take_map(image, type, out) : take_struct(image, type, out);
}

/* --- rows --- */

void row_codec_init(struct row_codec *codec, struct arena *arena,
                    const struct sql_type *const *types, uint32_t column_count, uint32_t shape_id)
{
    struct buffer prefix = { codec->prefix, 0, ROW_CODEC_MAX_PREFIX };

    codec->types = types;
    codec->column_count = column_count;
    codec->shape_id = shape_id;
    put_byte(&prefix, ROW_IMAGE_VERSION);
    put_varint(&prefix, shape_id);
    codec->prefix_len = (uint32_t)prefix.len;
    codec->room = prefix.len + bitmap_bytes(column_count) + (uint64_t)column_count * ITEM_ROOM;
}

static size_t begin_image(const struct row_codec *codec, struct buffer *out)
{
    make_room(out, codec->room);
    put_fixed(out, codec->prefix, codec->prefix_len);
    return put_bitmap(out, codec->column_count);
}

void row_codec_encode(const struct row_codec *codec, const struct row_banks *row,
                      const operand *columns, struct buffer *out)
{
    size_t bitmap = begin_image(codec, out);

    for (uint32_t i = 0; i < codec->column_count; i++) {
        const struct value *v = banks_value(row, columns[i]);

        if (value_is_null(v)) {
            mark_null(out, bitmap, i);
        } else {
            put_value(v, codec->types[i], codec->room, out);
        }
    }
}

void row_codec_encode_cells(const struct row_codec *codec, const struct value *cells,
                            struct buffer *out)
{
    size_t bitmap = begin_image(codec, out);

    for (uint32_t i = 0; i < codec->column_count; i++) {
        if (value_is_null(&cells[i])) {
            mark_null(out, bitmap, i);
        } else {
            put_value(&cells[i], codec->types[i], codec->room, out);
        }
    }
}

static int refuse(const struct row_codec *codec, struct bytes image, struct error *err)
{
    struct image start = { image.data + 1, image.data + image.len, NULL };
    uint32_t shape_id;

    if (image.len == 0 || (uint8_t)*image.data == 0) {
        return error_set(err, ERR_STATE_DAMAGED, NO_POSITION, "A stored row is damaged");
    }
    if ((uint8_t)*image.data > ROW_IMAGE_VERSION) {
        return error_set(err, ERR_STATE_DAMAGED, NO_POSITION,
                         "A stored row has version %d, written by a later release: this one reads "
                         "up to %d",
                         (uint8_t)*image.data, ROW_IMAGE_VERSION);
    }
    if (take_varint(&start, &shape_id) && shape_id != codec->shape_id) {
        return error_set(err, ERR_STATE_DAMAGED, NO_POSITION,
                         "A stored row has columns number %u where %u are expected", shape_id,
                         codec->shape_id);
    }
    return error_set(err, ERR_STATE_DAMAGED, NO_POSITION, "A stored row is damaged");
}

int row_codec_decode(const struct row_codec *codec, struct bytes image, struct value *cells,
                     struct arena *arena, struct error *err)
{
    struct image in = { image.data, image.data + image.len, arena };
    const char *bitmap;

    if (!has(&in, codec->prefix_len) || memcmp(in.at, codec->prefix, codec->prefix_len) != 0) {
        return refuse(codec, image, err);
    }
    in.at += codec->prefix_len;
    bitmap = take_bitmap(&in, codec->column_count);
    if (!bitmap) {
        return refuse(codec, image, err);
    }
    for (uint32_t i = 0; i < codec->column_count; i++) {
        if (bit_is_set(bitmap, i)) {
            cells[i] = value_null();
        } else if (!take_value(&in, codec->types[i], &cells[i])) {
            return refuse(codec, image, err);
        }
    }
    return in.at == in.end ? 0 : refuse(codec, image, err);
}
