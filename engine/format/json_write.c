/*
 * json_write.c: rows -> JSON, straight into the output buffer.
 *
 * What stands between the values, `,"NAME":`, is made once. Room for all numbers
 * and names of a row is reserved at its start, for a text when it comes; text
 * that needs no escapes is checked while it is copied.
 */
#include "engine/format/json_internal.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "engine/type/decimal.h"
#include "engine/type/java_text.h"

enum { FRAGMENT_BLOCK = 16, NUMBER_ROOM = 40 };

struct json_form;

struct json_part {
    const char *fragment; /* {"NAME": or ,"NAME": padded to whole blocks */
    uint32_t fragment_len;
    operand at; /* of a row's columns */
    struct json_form *form;
};

/* How a type is written. */
struct json_form {
    const struct sql_type *type;
    struct json_form *element; /* ARRAY items, MAP values */
    struct json_part *parts;   /* STRUCT fields, a row's columns */
    uint32_t part_count;
    size_t room; /* for all fragments and one number behind each */
};

struct json_encoder {
    struct arena arena;
    struct json_form row;
    struct json_form *bare; /* a single column without an object around it; else NULL */
    uint32_t *order;        /* of the maps that are being written, one behind the other */
    size_t order_used;
    size_t order_capacity;
    uint32_t *starts; /* scratch: first place of each hash bucket */
    size_t starts_capacity;
};

/* --- text --- */

static inline uint64_t load_eight(const char *at)
{
    uint64_t word;

    memcpy(&word, at, sizeof word);
    return word;
}

static inline uint32_t load_four(const char *at)
{
    uint32_t word;

    memcpy(&word, at, sizeof word);
    return word;
}

#define EVERY_BYTE(c) (0x0101010101010101u * (uint64_t)(c))

/* High bits set where bytes need an escape: controls, quote, backslash. */
static inline uint64_t find_escapes(uint64_t word)
{
    uint64_t quotes = word ^ EVERY_BYTE('"');
    uint64_t backslashes = word ^ EVERY_BYTE('\\');

    return (((word - EVERY_BYTE(0x20)) & ~word) | ((quotes - EVERY_BYTE(1)) & ~quotes) |
            ((backslashes - EVERY_BYTE(1)) & ~backslashes)) &
           EVERY_BYTE(0x80);
}

static inline bool copy_long_text(char *to, const char *from, size_t len)
{
#ifdef __SSE2__
    const __m128i control = _mm_set1_epi8(0x1f);
    __m128i stops = _mm_setzero_si128();

    for (size_t i = 0;; i = i + 32 <= len ? i + 16 : len - 16) {
        __m128i block = _mm_loadu_si128((const __m128i *)(const void *)(from + i));

        _mm_storeu_si128((__m128i *)(void *)(to + i), block);
        stops = _mm_or_si128(stops, _mm_cmpeq_epi8(_mm_min_epu8(block, control), block));
        stops = _mm_or_si128(stops, _mm_cmpeq_epi8(block, _mm_set1_epi8('"')));
        stops = _mm_or_si128(stops, _mm_cmpeq_epi8(block, _mm_set1_epi8('\\')));
        if (i + 16 == len) {
            return _mm_movemask_epi8(stops) == 0;
        }
    }
#else
    uint64_t escapes = 0;

    for (size_t i = 0;; i = i + 16 <= len ? i + 8 : len - 8) {
        escapes |= find_escapes(load_eight(from + i));
        if (i + 8 == len) {
            memcpy(to, from, len);
            return escapes == 0;
        }
    }
#endif
}

/* Copies; true when the text has nothing to escape. The ends of words may overlap. */
static inline bool copy_text(char *to, const char *from, size_t len)
{
    uint64_t first;
    uint64_t last;

    if (len >= 16) {
        return copy_long_text(to, from, len);
    }
    if (len >= 8) {
        first = load_eight(from);
        last = load_eight(from + len - 8);
        memcpy(to, &first, 8);
        memcpy(to + len - 8, &last, 8);
        return (find_escapes(first) | find_escapes(last)) == 0;
    }
    if (len >= 4) {
        uint32_t head = load_four(from);
        uint32_t tail = load_four(from + len - 4);

        memcpy(to, &head, 4);
        memcpy(to + len - 4, &tail, 4);
        return find_escapes((uint64_t)tail << 32 | head) == 0;
    }
    first = EVERY_BYTE(' ');
    for (size_t i = 0; i < len; i++) {
        to[i] = from[i];
        first = first << 8 | (unsigned char)from[i];
    }
    return find_escapes(first) == 0;
}

static char *put_escape(char *to, unsigned char c)
{
    static const char short_forms[] = "btn\0fr"; /* from U+0008 on */
    static const char hex[] = "0123456789ABCDEF";

    *to++ = '\\';
    if (c == '"' || c == '\\') {
        *to++ = (char)c;
    } else if (c >= '\b' && c <= '\r' && short_forms[c - '\b']) {
        *to++ = short_forms[c - '\b'];
    } else {
        memcpy(to, "u00", 3);
        to[3] = hex[c >> 4];
        to[4] = hex[c & 15];
        to += 5;
    }
    return to;
}

static void write_escaped(struct bytes text, struct buffer *out)
{
    char *to;

    buffer_reserve(out, text.len * 6 + 2);
    to = out->data + out->len;
    *to++ = '"';
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];

        if (c < 0x20 || c == '"' || c == '\\') {
            to = put_escape(to, c);
        } else {
            *to++ = (char)c;
        }
    }
    *to++ = '"';
    out->len = (size_t)(to - out->data);
}

static inline void reserve(struct buffer *out, size_t more)
{
    if (out->capacity - out->len < more) {
        buffer_reserve(out, more);
    }
    assert(out->data); /* more is never 0 */
}

void json_write_text(struct bytes text, struct buffer *out)
{
    char *to;

    reserve(out, text.len + 2);
    to = out->data + out->len;
    if (!copy_text(to + 1, text.data, text.len)) {
        write_escaped(text, out);
        return;
    }
    to[0] = '"';
    to[text.len + 1] = '"';
    out->len += text.len + 2;
}

static void write_bytes(struct bytes octets, struct buffer *out)
{
    size_t len = base64_encoded_size(octets.len);
    char *to;

    reserve(out, len + 2);
    to = out->data + out->len;
    to[0] = '"';
    base64_encode(octets, to + 1);
    to[len + 1] = '"';
    out->len += len + 2;
}

/* --- numbers; `to` has room for NUMBER_ROOM --- */

static const char digit_pairs[] = "00010203040506070809101112131415161718192021222324"
                                  "25262728293031323334353637383940414243444546474849"
                                  "50515253545556575859606162636465666768697071727374"
                                  "75767778798081828384858687888990919293949596979899";

static inline char *put_long(char *to, int64_t number)
{
    uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    char digits[24];
    size_t at = sizeof digits;

    while (rest >= 100) {
        at -= 2;
        memcpy(digits + at, digit_pairs + rest % 100 * 2, 2);
        rest /= 100;
    }
    if (rest >= 10) {
        at -= 2;
        memcpy(digits + at, digit_pairs + rest * 2, 2);
    } else {
        digits[--at] = (char)('0' + rest);
    }
    if (number < 0) {
        *to++ = '-';
    }
    memcpy(to, digits + at, sizeof digits - at);
    return to + (sizeof digits - at);
}

static char *put_double(char *to, double number)
{
    if (isfinite(number)) {
        return to + java_double_print(number, to);
    }
    *to++ = '"';
    to += java_double_print(number, to);
    *to++ = '"';
    return to;
}

static inline char *put_word(char *to, struct bytes word)
{
    memcpy(to, word.data, word.len);
    return to + word.len;
}

static inline char *put_boolean(char *to, bool truth)
{
    return truth ? put_word(to, (struct bytes)BYTES("true"))
                 : put_word(to, (struct bytes)BYTES("false"));
}

/* --- maps in the order of a Java HashMap --- */

/* String.hashCode over UTF-16 units, spread as HashMap does; a null key has 0. */
static uint32_t java_hash(const struct value *key)
{
    struct bytes text = value_bytes(key);
    uint32_t hash = 0;

    if (value_is_null(key)) {
        return 0;
    }
    for (size_t at = 0; at < text.len;) {
        uint32_t c = (unsigned char)text.data[at];
        size_t len = c < 0x80 ? 1 : utf8_decode(text, at, &c);

        if (c >= 0x10000) {
            hash = hash * 31 + (0xd800 + ((c - 0x10000) >> 10));
            c = 0xdc00 + ((c - 0x10000) & 0x3ff);
        }
        hash = hash * 31 + c;
        at += len ? len : 1;
    }
    return hash ^ hash >> 16;
}

static void make_order_room(struct json_encoder *e, size_t pairs, size_t buckets)
{
    if (e->order_capacity - e->order_used < 2 * pairs) {
        e->order_capacity = 2 * (e->order_capacity + 2 * pairs);
        e->order = memory_resize(e->order, e->order_capacity, sizeof *e->order);
    }
    if (e->starts_capacity < buckets) {
        e->starts_capacity = buckets;
        e->starts = memory_resize(e->starts, buckets, sizeof *e->starts);
    }
    memset(e->starts, 0, buckets * sizeof *e->starts);
}

/* Puts the pairs' numbers, by bucket and then by insertion, on the order stack. */
static void push_order(struct json_encoder *e, const struct value *map)
{
    size_t bucket_count = 16;
    uint32_t *order;
    uint32_t *hashes;
    uint32_t place = 0;

    while (map->size > bucket_count / 4 * 3) {
        bucket_count *= 2;
    }
    make_order_room(e, map->size, bucket_count);
    order = e->order + e->order_used;
    hashes = order + map->size;
    for (uint32_t i = 0; i < map->size; i++) {
        hashes[i] = java_hash(&map->pairs[i].key) & (uint32_t)(bucket_count - 1);
        e->starts[hashes[i]]++;
    }
    for (size_t i = 0; i < bucket_count; i++) {
        uint32_t count = e->starts[i];

        e->starts[i] = place;
        place += count;
    }
    for (uint32_t i = 0; i < map->size; i++) {
        order[e->starts[hashes[i]]++] = i;
    }
    e->order_used += map->size;
}

/* --- values --- */

static void write_value(struct json_encoder *e, const struct json_form *form, const struct value *v,
                        struct buffer *out);

static void write_map(struct json_encoder *e, const struct json_form *form, const struct value *v,
                      struct buffer *out)
{
    size_t base = e->order_used;

    if (v->size > 0) {
        push_order(e, v);
    }
    buffer_append_char(out, '{');
    for (uint32_t i = 0; i < v->size; i++) {
        const struct map_pair *pair = &v->pairs[e->order[base + i]];

        if (i > 0) {
            buffer_append_char(out, ',');
        }
        if (value_is_null(&pair->key)) {
            buffer_append_text(out, "\"null\"");
        } else {
            json_write_text(value_bytes(&pair->key), out);
        }
        buffer_append_char(out, ':');
        write_value(e, form->element, &pair->value, out);
    }
    buffer_append_char(out, '}');
    e->order_used = base;
}

static void write_array(struct json_encoder *e, const struct json_form *form, const struct value *v,
                        struct buffer *out)
{
    buffer_append_char(out, '[');
    for (uint32_t i = 0; i < v->size; i++) {
        if (i > 0) {
            buffer_append_char(out, ',');
        }
        write_value(e, form->element, &v->items[i], out);
    }
    buffer_append_char(out, ']');
}

static void write_struct(struct json_encoder *e, const struct json_form *form,
                         const struct value *v, struct buffer *out)
{
    for (uint32_t i = 0; i < form->part_count; i++) {
        buffer_append(out, form->parts[i].fragment, form->parts[i].fragment_len);
        write_value(e, form->parts[i].form, &v->items[i], out);
    }
    buffer_append_text(out, form->part_count ? "}" : "{}");
}

/* The values of open size; they see to their own room. */
static void write_long_value(struct json_encoder *e, const struct json_form *form,
                             const struct value *v, struct buffer *out)
{
    switch (form->type->id) {
    case T_STRING:
        json_write_text(value_bytes(v), out);
        break;
    case T_BYTES:
        write_bytes(value_bytes(v), out);
        break;
    case T_DECIMAL:
        decimal_print_scientific(decimal_of_value(v, form->type), out);
        break;
    case T_ARRAY:
        write_array(e, form, v, out);
        break;
    case T_MAP:
        write_map(e, form, v, out);
        break;
    case T_STRUCT:
        write_struct(e, form, v, out);
        break;
    case T_BOOLEAN:
    case T_INTEGER:
    case T_BIGINT:
    case T_DOUBLE:
    case T_TIME:
    case T_DATE:
    case T_TIMESTAMP:
    case T_NULL:
    case T_COUNT:
        break;
    }
}

/* Null, numbers and booleans at `to`, where room is; NULL: a value of open size. */
static inline char *put_short_value(char *to, const struct value *v)
{
    switch ((enum type_id)v->kind) {
    case T_NULL:
        return put_word(to, (struct bytes)BYTES("null"));
    case T_BOOLEAN:
        return put_boolean(to, v->i64 != 0);
    case T_INTEGER:
    case T_BIGINT:
    case T_TIME:
    case T_DATE:
    case T_TIMESTAMP:
        return put_long(to, v->i64);
    case T_DOUBLE:
        return put_double(to, v->f64);
    case T_DECIMAL:
    case T_STRING:
    case T_BYTES:
    case T_ARRAY:
    case T_MAP:
    case T_STRUCT:
    case T_COUNT:
        break;
    }
    return NULL;
}

static void write_value(struct json_encoder *e, const struct json_form *form, const struct value *v,
                        struct buffer *out)
{
    char *to;

    reserve(out, NUMBER_ROOM);
    to = put_short_value(out->data + out->len, v);
    if (to) {
        out->len = (size_t)(to - out->data);
    } else {
        write_long_value(e, form, v, out);
    }
}

static inline char *put_fragment(char *to, const struct json_part *part)
{
    memcpy(to, part->fragment, FRAGMENT_BLOCK);
    for (uint32_t done = FRAGMENT_BLOCK; done < part->fragment_len; done += FRAGMENT_BLOCK) {
        memcpy(to + done, part->fragment + done, FRAGMENT_BLOCK);
    }
    return to + part->fragment_len;
}

static void write_row(struct json_encoder *e, const struct row_banks *row, struct buffer *out)
{
    const struct json_form *form = &e->row;
    char *to;

    reserve(out, form->room);
    to = out->data + out->len;
    for (uint32_t i = 0; i < form->part_count; i++) {
        const struct json_part *part = &form->parts[i];
        const struct value *v = banks_value(row, part->at);
        char *behind;

        to = put_fragment(to, part);
        behind = put_short_value(to, v);
        if (behind) {
            to = behind;
            continue;
        }
        out->len = (size_t)(to - out->data);
        write_long_value(e, part->form, v, out);
        reserve(out, form->room);
        to = out->data + out->len;
    }
    if (form->part_count == 0) {
        *to++ = '{';
    }
    *to++ = '}';
    out->len = (size_t)(to - out->data);
}

int json_encoder_write(struct json_encoder *e, const struct row_banks *row, struct buffer *out,
                       bool *is_null, struct error *err)
{
    const struct value *v;

    if (!e->bare) {
        write_row(e, row, out);
        return 0;
    }
    v = banks_value(row, e->row.parts[0].at);
    if (value_is_null(v)) {
        *is_null = true;
    } else {
        write_value(e, e->bare, v, out);
    }
    return 0;
}

/* --- set-up --- */

static void form_init(struct arena *arena, struct json_form *form, const struct sql_type *type);

static struct json_form *form_make(struct arena *arena, const struct sql_type *type)
{
    struct json_form *form = arena_new(arena, struct json_form);

    form_init(arena, form, type);
    return form;
}

static void part_init(struct arena *arena, struct json_form *form, uint32_t index,
                      struct bytes name, const struct sql_type *type)
{
    struct json_part *part = &form->parts[index];
    struct buffer text = { 0 };
    size_t size;
    char *fragment;

    buffer_append_char(&text, index == 0 ? '{' : ',');
    json_write_text(name, &text);
    buffer_append_char(&text, ':');
    size = (text.len + FRAGMENT_BLOCK - 1) / FRAGMENT_BLOCK * FRAGMENT_BLOCK;
    fragment = arena_zalloc(arena, size);
    memcpy(fragment, text.data, text.len);
    part->fragment = fragment;
    part->fragment_len = (uint32_t)text.len;
    part->form = form_make(arena, type);
    form->room += size + NUMBER_ROOM;
    buffer_fini(&text);
}

static void form_init(struct arena *arena, struct json_form *form, const struct sql_type *type)
{
    form->type = type;
    if (type->element) {
        form->element = form_make(arena, type->element);
    }
    if (type->id == T_STRUCT) {
        form->part_count = type->field_count;
        form->parts = arena_array(arena, struct json_part, type->field_count);
        for (uint32_t i = 0; i < type->field_count; i++) {
            part_init(arena, form, i, type->fields[i].name, type->fields[i].type);
        }
    }
}

struct json_encoder *json_encoder_create(const struct encoder_spec *spec)
{
    struct json_encoder *e = memory_zalloc(1, sizeof *e);

    arena_init(&e->arena, 0);
    e->row.part_count = spec->column_count;
    e->row.parts = arena_array(&e->arena, struct json_part, spec->column_count);
    e->row.room = NUMBER_ROOM;
    for (uint32_t i = 0; i < spec->column_count; i++) {
        part_init(&e->arena, &e->row, i, spec->columns[i].name, spec->columns[i].type);
        e->row.parts[i].at = spec->at[i];
    }
    if (spec->column_count == 1 && (spec->side == SIDE_KEY || spec->options.unwrapped)) {
        e->bare = e->row.parts[0].form;
    }
    return e;
}

void json_encoder_destroy(struct json_encoder *e)
{
    arena_fini(&e->arena);
    free(e->order);
    free(e->starts);
    free(e);
}
