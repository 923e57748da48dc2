/*
 * cast.c: CAST between types.
 *
 * A table of functions by the two types' ids. Containers are cast part by part;
 * whether their parts can be is asked once, when the plan looks for the cast.
 * Numbers narrow as Java narrows them; text is trimmed, then read strictly.
 */
#include "engine/type/cast.h"

#include <math.h>
#include <string.h>

#include "base/base64.h"
#include "base/map.h"
#include "base/utf8.h"
#include "engine/type/decimal.h"
#include "engine/type/java_date.h"
#include "engine/type/java_text.h"

enum { EXCERPT_BYTES = 60 };

static int cast_same(const struct value *in, const struct sql_type *from, const struct sql_type *to,
                     struct arena *arena, struct value *out, struct error *err)
{
    *out = *in;
    return 0;
}

/* --- numbers --- */

static int integer_to_bigint(const struct value *in, const struct sql_type *from,
                             const struct sql_type *to, struct arena *arena, struct value *out,
                             struct error *err)
{
    *out = value_i64(T_BIGINT, in->i64);
    return 0;
}

static int bigint_to_integer(const struct value *in, const struct sql_type *from,
                             const struct sql_type *to, struct arena *arena, struct value *out,
                             struct error *err)
{
    *out = value_i64(T_INTEGER, (int32_t)in->i64);
    return 0;
}

static int whole_to_double(const struct value *in, const struct sql_type *from,
                           const struct sql_type *to, struct arena *arena, struct value *out,
                           struct error *err)
{
    *out = value_f64((double)in->i64);
    return 0;
}

static int store_decimal(struct decimal number, const struct sql_type *to, struct arena *arena,
                         struct value *out, struct error *err)
{
    struct decimal fitted;

    TRY(decimal_cast(number, to, &fitted, err));
    decimal_to_value(fitted, to, arena, out);
    return 0;
}

static int whole_to_decimal(const struct value *in, const struct sql_type *from,
                            const struct sql_type *to, struct arena *arena, struct value *out,
                            struct error *err)
{
    return store_decimal((struct decimal){ in->i64, 0 }, to, arena, out, err);
}

static int decimal_to_integer(const struct value *in, const struct sql_type *from,
                              const struct sql_type *to, struct arena *arena, struct value *out,
                              struct error *err)
{
    *out = value_i64(T_INTEGER, (int32_t)decimal_to_i64_wrapped(decimal_of_value(in, from)));
    return 0;
}

static int decimal_to_bigint(const struct value *in, const struct sql_type *from,
                             const struct sql_type *to, struct arena *arena, struct value *out,
                             struct error *err)
{
    *out = value_i64(T_BIGINT, decimal_to_i64_wrapped(decimal_of_value(in, from)));
    return 0;
}

static int decimal_to_decimal(const struct value *in, const struct sql_type *from,
                              const struct sql_type *to, struct arena *arena, struct value *out,
                              struct error *err)
{
    return store_decimal(decimal_of_value(in, from), to, arena, out, err);
}

static int decimal_as_double(const struct value *in, const struct sql_type *from,
                             const struct sql_type *to, struct arena *arena, struct value *out,
                             struct error *err)
{
    *out = value_f64(decimal_to_double(decimal_of_value(in, from)));
    return 0;
}

static int double_to_integer(const struct value *in, const struct sql_type *from,
                             const struct sql_type *to, struct arena *arena, struct value *out,
                             struct error *err)
{
    *out = value_i64(T_INTEGER, java_double_to_int(in->f64));
    return 0;
}

static int double_to_bigint(const struct value *in, const struct sql_type *from,
                            const struct sql_type *to, struct arena *arena, struct value *out,
                            struct error *err)
{
    *out = value_i64(T_BIGINT, java_double_to_long(in->f64));
    return 0;
}

static int double_to_decimal(const struct value *in, const struct sql_type *from,
                             const struct sql_type *to, struct arena *arena, struct value *out,
                             struct error *err)
{
    struct decimal number;

    TRY(decimal_of_double(in->f64, to, &number, err));
    return store_decimal(number, to, arena, out, err);
}

/* --- from text --- */

static bool is_prefix_of(struct bytes text, const char *word)
{
    struct bytes whole = bytes_of(word);

    return text.len > 0 && text.len <= whole.len &&
           bytes_equal_nocase(text, (struct bytes){ word, text.len });
}

static bool means_true(struct bytes text)
{
    return is_prefix_of(text, "true") || is_prefix_of(text, "yes");
}

int cast_parse_boolean(struct bytes text, bool *out, struct error *err)
{
    struct bytes word = java_trim(text);

    if (!means_true(word) && !is_prefix_of(word, "false") && !is_prefix_of(word, "no")) {
        return error_set(err, ERR_COERCE, NO_POSITION, "The text is neither true nor false");
    }
    *out = means_true(word);
    return 0;
}

static int text_to_boolean(const struct value *in, const struct sql_type *from,
                           const struct sql_type *to, struct arena *arena, struct value *out,
                           struct error *err)
{
    *out = value_i64(T_BOOLEAN, means_true(java_trim(value_bytes(in))));
    return 0;
}

static int parse_integer(struct bytes text, struct value *out, struct error *err)
{
    int32_t number;

    TRY(java_int_parse(text, &number, err));
    *out = value_i64(T_INTEGER, number);
    return 0;
}

static int parse_bigint(struct bytes text, struct value *out, struct error *err)
{
    int64_t number;

    TRY(java_long_parse(text, &number, err));
    *out = value_i64(T_BIGINT, number);
    return 0;
}

static int parse_double(struct bytes text, struct value *out, struct error *err)
{
    double number;

    TRY(java_double_parse(text, &number, err));
    if (!isfinite(number)) {
        return error_set(err, ERR_COERCE, NO_POSITION, "The number is not finite");
    }
    *out = value_f64(number);
    return 0;
}

static int parse_bytes(struct bytes text, struct arena *arena, struct value *out, struct error *err)
{
    char *octets = arena_alloc_text(arena, base64_decoded_bound(text.len));
    size_t len;

    if (!base64_decode(text, BASE64_UNPADDED, octets, &len)) {
        return error_set(err, ERR_COERCE, NO_POSITION, "The text is not base64");
    }
    *out = value_text(T_BYTES, (struct bytes){ octets, len });
    return 0;
}

static int parse_decimal(struct bytes text, const struct sql_type *to, struct arena *arena,
                         struct value *out, struct error *err)
{
    struct decimal number;

    TRY(decimal_parse(text, &number, err));
    return store_decimal(number, to, arena, out, err);
}

static int parse_temporal(struct bytes text, enum type_id id, struct value *out, struct error *err)
{
    int64_t number = 0;

    if (id == T_TIMESTAMP) {
        TRY(java_timestamp_parse(text, &number, err));
    } else if (id == T_DATE) {
        TRY(java_date_parse(text, &number, err));
    } else {
        TRY(java_time_parse(text, &number, err));
    }
    *out = value_i64(id, number);
    return 0;
}

static int parse_as(struct bytes text, const struct sql_type *to, struct arena *arena,
                    struct value *out, struct error *err)
{
    switch (to->id) {
    case T_INTEGER:
        return parse_integer(text, out, err);
    case T_BIGINT:
        return parse_bigint(text, out, err);
    case T_DOUBLE:
        return parse_double(text, out, err);
    case T_DECIMAL:
        return parse_decimal(text, to, arena, out, err);
    case T_BYTES:
        return parse_bytes(text, arena, out, err);
    case T_TIME:
    case T_DATE:
    case T_TIMESTAMP:
        return parse_temporal(text, to->id, out, err);
    case T_NULL:
    case T_BOOLEAN:
    case T_STRING:
    case T_ARRAY:
    case T_MAP:
    case T_STRUCT:
    case T_COUNT:
        break;
    }
    return error_set(err, ERR_CANNOT_CAST, NO_POSITION, "Text does not become %s",
                     type_name(to->id));
}

/* Text that has to be read; the error says which text and as what. */
static int text_to_value(const struct value *in, const struct sql_type *from,
                         const struct sql_type *to, struct arena *arena, struct value *out,
                         struct error *err)
{
    struct bytes text = java_trim(value_bytes(in));
    int code = parse_as(text, to, arena, out, err);

    if (code) {
        struct bytes excerpt = utf8_cut(text, EXCERPT_BYTES);

        (void)error_prefix(err, "Cannot cast '%.*s%s' to %s", BYTES_ARG(excerpt),
                           excerpt.len < text.len ? "..." : "", type_name(to->id));
    }
    return code;
}

/* --- to text --- */

static int value_to_text(const struct value *in, const struct sql_type *from,
                         const struct sql_type *to, struct arena *arena, struct value *out,
                         struct error *err)
{
    struct buffer text = { 0 };

    cast_print(in, from, &text);
    *out = value_text(T_STRING, arena_copy(arena, buffer_bytes(&text)));
    buffer_fini(&text);
    return 0;
}

static int whole_to_text(const struct value *in, const struct sql_type *from,
                         const struct sql_type *to, struct arena *arena, struct value *out,
                         struct error *err)
{
    char *text = arena_alloc_text(arena, JAVA_DOUBLE_MAX);

    *out = value_text(T_STRING, (struct bytes){ text, java_long_print(in->i64, text) });
    return 0;
}

static int double_to_text(const struct value *in, const struct sql_type *from,
                          const struct sql_type *to, struct arena *arena, struct value *out,
                          struct error *err)
{
    char *text = arena_alloc_text(arena, JAVA_DOUBLE_MAX);

    *out = value_text(T_STRING, (struct bytes){ text, java_double_print(in->f64, text) });
    return 0;
}

/* --- dates and times --- */

static int timestamp_to_date(const struct value *in, const struct sql_type *from,
                             const struct sql_type *to, struct arena *arena, struct value *out,
                             struct error *err)
{
    *out = value_i64(T_DATE, java_timestamp_day(in->i64));
    return 0;
}

static int timestamp_to_time(const struct value *in, const struct sql_type *from,
                             const struct sql_type *to, struct arena *arena, struct value *out,
                             struct error *err)
{
    *out = value_i64(T_TIME, java_timestamp_time(in->i64));
    return 0;
}

static int date_to_timestamp(const struct value *in, const struct sql_type *from,
                             const struct sql_type *to, struct arena *arena, struct value *out,
                             struct error *err)
{
    int64_t ms;

    if (__builtin_mul_overflow(in->i64, (int64_t)MS_PER_DAY, &ms)) {
        return error_set(err, ERR_OVERFLOW, NO_POSITION, "The date is too far for a TIMESTAMP");
    }
    *out = value_i64(T_TIMESTAMP, ms);
    return 0;
}

/* --- containers --- */

static int cast_part(cast_function cast, const struct value *in, const struct sql_type *from,
                     const struct sql_type *to, struct arena *arena, struct value *out,
                     struct error *err)
{
    if (value_is_null(in)) {
        *out = value_null();
        return 0;
    }
    return cast(in, from, to, arena, out, err);
}

static int cast_array(const struct value *in, const struct sql_type *from,
                      const struct sql_type *to, struct arena *arena, struct value *out,
                      struct error *err)
{
    cast_function cast = cast_find(from->element, to->element);
    struct value *items = arena_alloc(arena, in->size * sizeof *items);

    for (uint32_t i = 0; i < in->size; i++) {
        TRY(cast_part(cast, &in->items[i], from->element, to->element, arena, &items[i], err));
    }
    *out = (struct value){ .kind = T_ARRAY, .size = in->size, .items = items };
    return 0;
}

/* Keys that became equal: the last one's value stays, at the place of the first. */
static uint32_t drop_equal_keys(struct map_pair *pairs, uint32_t count, const struct sql_type *type,
                                struct arena *arena)
{
    struct buffer text = { 0 };
    uint32_t kept = 0;
    struct map seen;

    map_init(&seen);
    for (uint32_t i = 0; i < count; i++) {
        struct map_pair *first;

        text.len = 0;
        buffer_append_char(&text, value_is_null(&pairs[i].key) ? '0' : '1');
        cast_print(&pairs[i].key, type->key, &text);
        first = map_find(&seen, buffer_bytes(&text));
        if (first) {
            first->value = pairs[i].value;
            continue;
        }
        pairs[kept] = pairs[i];
        map_put(&seen, arena_copy(arena, buffer_bytes(&text)), &pairs[kept]);
        kept++;
    }
    map_fini(&seen);
    buffer_fini(&text);
    return kept;
}

static int cast_map(const struct value *in, const struct sql_type *from, const struct sql_type *to,
                    struct arena *arena, struct value *out, struct error *err)
{
    cast_function cast_key = cast_find(from->key, to->key);
    cast_function cast_value = cast_find(from->element, to->element);
    struct map_pair *pairs = arena_alloc(arena, in->size * sizeof *pairs);
    uint32_t count = in->size;

    for (uint32_t i = 0; i < count; i++) {
        TRY(cast_part(cast_key, &in->pairs[i].key, from->key, to->key, arena, &pairs[i].key, err));
        TRY(cast_part(cast_value, &in->pairs[i].value, from->element, to->element, arena,
                      &pairs[i].value, err));
    }
    if (cast_key != cast_same) {
        count = drop_equal_keys(pairs, count, to, arena);
    }
    *out = (struct value){ .kind = T_MAP, .size = count, .pairs = pairs };
    return 0;
}

/* The field of that name, looked for where it would be if the structs were alike. */
static uint32_t field_index(const struct sql_type *type, struct bytes name, uint32_t guess)
{
    if (guess < type->field_count && bytes_equal(type->fields[guess].name, name)) {
        return guess;
    }
    for (uint32_t i = 0; i < type->field_count; i++) {
        if (bytes_equal(type->fields[i].name, name)) {
            return i;
        }
    }
    return type->field_count;
}

static int cast_struct(const struct value *in, const struct sql_type *from,
                       const struct sql_type *to, struct arena *arena, struct value *out,
                       struct error *err)
{
    struct value *items = arena_alloc(arena, to->field_count * sizeof *items);

    for (uint32_t i = 0; i < to->field_count; i++) {
        uint32_t index = field_index(from, to->fields[i].name, i);
        const struct sql_type *part = index < from->field_count ? from->fields[index].type : NULL;

        items[i] = value_null();
        if (part && index < in->size) {
            TRY(cast_part(cast_find(part, to->fields[i].type), &in->items[index], part,
                          to->fields[i].type, arena, &items[i], err));
        }
    }
    *out = (struct value){ .kind = T_STRUCT, .size = to->field_count, .items = items };
    return 0;
}

static bool has_struct_cast(const struct sql_type *from, const struct sql_type *to)
{
    for (uint32_t i = 0; i < to->field_count; i++) {
        uint32_t index = field_index(from, to->fields[i].name, i);

        if (index < from->field_count && !cast_find(from->fields[index].type, to->fields[i].type)) {
            return false;
        }
    }
    return true;
}

/* --- the table --- */

static const cast_function casts[T_COUNT][T_COUNT] = {
    [T_BOOLEAN] = { [T_STRING] = value_to_text },
    [T_INTEGER] = { [T_BIGINT] = integer_to_bigint,
                    [T_DECIMAL] = whole_to_decimal,
                    [T_DOUBLE] = whole_to_double,
                    [T_STRING] = whole_to_text },
    [T_BIGINT] = { [T_INTEGER] = bigint_to_integer,
                   [T_DECIMAL] = whole_to_decimal,
                   [T_DOUBLE] = whole_to_double,
                   [T_STRING] = whole_to_text },
    [T_DECIMAL] = { [T_INTEGER] = decimal_to_integer,
                    [T_BIGINT] = decimal_to_bigint,
                    [T_DECIMAL] = decimal_to_decimal,
                    [T_DOUBLE] = decimal_as_double,
                    [T_STRING] = value_to_text },
    [T_DOUBLE] = { [T_INTEGER] = double_to_integer,
                   [T_BIGINT] = double_to_bigint,
                   [T_DECIMAL] = double_to_decimal,
                   [T_STRING] = double_to_text },
    [T_STRING] = { [T_BOOLEAN] = text_to_boolean,
                   [T_INTEGER] = text_to_value,
                   [T_BIGINT] = text_to_value,
                   [T_DECIMAL] = text_to_value,
                   [T_DOUBLE] = text_to_value,
                   [T_TIMESTAMP] = text_to_value,
                   [T_DATE] = text_to_value,
                   [T_TIME] = text_to_value,
                   [T_BYTES] = text_to_value },
    [T_ARRAY] = { [T_ARRAY] = cast_array, [T_STRING] = value_to_text },
    [T_MAP] = { [T_MAP] = cast_map, [T_STRING] = value_to_text },
    [T_STRUCT] = { [T_STRUCT] = cast_struct, [T_STRING] = value_to_text },
    [T_TIMESTAMP] = { [T_DATE] = timestamp_to_date,
                      [T_TIME] = timestamp_to_time,
                      [T_STRING] = value_to_text },
    [T_DATE] = { [T_TIMESTAMP] = date_to_timestamp, [T_STRING] = value_to_text },
    [T_TIME] = { [T_STRING] = value_to_text },
};

cast_function cast_find(const struct sql_type *from, const struct sql_type *to)
{
    cast_function cast = casts[from->id][to->id];

    if (from->id == T_NULL || type_equal(from, to)) {
        return cast_same;
    }
    if (cast == cast_struct) {
        return has_struct_cast(from, to) ? cast : NULL;
    }
    if (cast == cast_array || cast == cast_map) {
        bool has_parts = cast_find(from->element, to->element) &&
                         (cast == cast_array || cast_find(from->key, to->key));

        return has_parts ? cast : NULL;
    }
    return cast;
}
