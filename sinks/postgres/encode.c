/*
 * encode.c: values in Postgres' binary form: big-endian, days and microseconds since 2000,
 * NUMERIC in groups of four digits.
 *
 * The column's real type decides, not the one that would have been made for it. Where it has no
 * binary form of ours, text is sent and the statement casts it; COPY cannot cast, so such
 * tables are written with arrays.
 */
#include <math.h>
#include <string.h>

#include "engine/format/format.h"
#include "engine/type/cast.h"
#include "engine/type/decimal.h"
#include "sinks/postgres/postgres_internal.h"

enum {
    OID_BOOL = 16,
    OID_BYTEA = 17,
    OID_NAME = 19,
    OID_INT8 = 20,
    OID_INT2 = 21,
    OID_INT4 = 23,
    OID_TEXT = 25,
    OID_JSON = 114,
    OID_FLOAT4 = 700,
    OID_FLOAT8 = 701,
    OID_BPCHAR = 1042,
    OID_VARCHAR = 1043,
    OID_DATE = 1082,
    OID_TIME = 1083,
    OID_TIMESTAMP = 1114,
    OID_TIMESTAMPTZ = 1184,
    OID_NUMERIC = 1700,
    OID_JSONB = 3802,
    DAYS_TO_2000 = 10957,
    US_PER_MS = 1000,
};

#define MS_TO_2000 ((int64_t)DAYS_TO_2000 * 86400000)
/* What Postgres can hold: 4713 BC to 294276 AD; dates further. */
#define TIMESTAMP_LEAST_MS (-211813488000000LL)
#define TIMESTAMP_MOST_MS 9224318016000000LL
#define DATE_LEAST (-2451545LL)
#define DATE_MOST 2145031948LL

void put_u16(struct buffer *out, uint16_t number)
{
    const char bytes[] = { (char)(number >> 8), (char)number };

    buffer_append(out, bytes, sizeof bytes);
}

static void store_u32(char *at, uint32_t number)
{
    number = __builtin_bswap32(number);
    memcpy(at, &number, sizeof number);
}

static void store_u64(char *at, uint64_t number)
{
    number = __builtin_bswap64(number);
    memcpy(at, &number, sizeof number);
}

void put_u32(struct buffer *out, uint32_t number)
{
    buffer_reserve(out, sizeof number);
    store_u32(out->data + out->len, number);
    out->len += sizeof number;
}

void put_u64(struct buffer *out, uint64_t number)
{
    buffer_reserve(out, sizeof number);
    store_u64(out->data + out->len, number);
    out->len += sizeof number;
}

static void put_4(struct buffer *out, uint32_t number)
{
    buffer_reserve(out, 8);
    store_u32(out->data + out->len, 4);
    store_u32(out->data + out->len + 4, number);
    out->len += 8;
}

static void put_8(struct buffer *out, uint64_t number)
{
    buffer_reserve(out, 12);
    store_u32(out->data + out->len, 8);
    store_u64(out->data + out->len + 4, number);
    out->len += 12;
}

static int out_of_range(const char *type, struct error *err)
{
    return error_set(err, ERR_SINK_REFUSED, NO_POSITION, "the number does not fit the type %s",
                     type);
}

/* --- numbers --- */

static int encode_int2(const struct codec *codec, const struct value *v, struct buffer *out,
                       struct error *err)
{
    if (v->i64 < INT16_MIN || v->i64 > INT16_MAX) {
        return out_of_range("SMALLINT", err);
    }
    put_u32(out, 2);
    put_u16(out, (uint16_t)v->i64);
    return 0;
}

static int encode_int4(const struct codec *codec, const struct value *v, struct buffer *out,
                       struct error *err)
{
    if (v->i64 < INT32_MIN || v->i64 > INT32_MAX) {
        return out_of_range("INTEGER", err);
    }
    put_4(out, (uint32_t)v->i64);
    return 0;
}

static int encode_int8(const struct codec *codec, const struct value *v, struct buffer *out,
                       struct error *err)
{
    put_8(out, (uint64_t)v->i64);
    return 0;
}

static void put_double(struct buffer *out, double number)
{
    uint64_t bits;

    memcpy(&bits, &number, sizeof bits);
    put_8(out, bits);
}

static void put_float(struct buffer *out, double number)
{
    float narrow = (float)number;
    uint32_t bits;

    memcpy(&bits, &narrow, sizeof bits);
    put_4(out, bits);
}

static int encode_float8(const struct codec *codec, const struct value *v, struct buffer *out,
                         struct error *err)
{
    put_double(out, v->f64);
    return 0;
}

static int encode_float4(const struct codec *codec, const struct value *v, struct buffer *out,
                         struct error *err)
{
    if (isfinite(v->f64) && isinf((float)v->f64)) {
        return out_of_range("REAL", err);
    }
    put_float(out, v->f64);
    return 0;
}

static int encode_int_float8(const struct codec *codec, const struct value *v, struct buffer *out,
                             struct error *err)
{
    put_double(out, (double)v->i64);
    return 0;
}

static int encode_int_float4(const struct codec *codec, const struct value *v, struct buffer *out,
                             struct error *err)
{
    put_float(out, (double)v->i64);
    return 0;
}

static int encode_decimal_float8(const struct codec *codec, const struct value *v,
                                 struct buffer *out, struct error *err)
{
    put_double(out, decimal_to_double(decimal_of_value(v, codec->type)));
    return 0;
}

enum { NUMERIC_BASE = 10000, NUMERIC_DIGITS = 4, NUMERIC_GROUPS = 12, NUMERIC_NEGATIVE = 0x4000 };

/* The number with its scale rounded up to whole groups; the first ones behind are zero-padded. */
static void put_numeric(struct buffer *out, struct decimal number)
{
    static const wide_uint pad[] = { 1, 10, 100, 1000 };
    wide_uint rest = number.unscaled < 0 ? -(wide_uint)number.unscaled : (wide_uint)number.unscaled;
    uint32_t scale = (uint32_t)number.scale;
    uint32_t missing = (NUMERIC_DIGITS - scale % NUMERIC_DIGITS) % NUMERIC_DIGITS;
    int32_t weight = -(int32_t)((scale + missing) / NUMERIC_DIGITS);
    uint16_t groups[NUMERIC_GROUPS];
    uint32_t count = 0;

    if (rest > 0) { /* the last group may be cut off on its right */
        uint32_t part = (uint32_t)(rest % (NUMERIC_BASE / (uint32_t)pad[missing]));

        rest /= NUMERIC_BASE / (uint32_t)pad[missing];
        groups[count++] = (uint16_t)(part * (uint32_t)pad[missing]);
    }
    for (; rest > 0; rest /= NUMERIC_BASE) {
        groups[count++] = (uint16_t)(rest % NUMERIC_BASE);
    }
    put_u32(out, 8 + 2 * count);
    put_u16(out, (uint16_t)count);
    put_u16(out, (uint16_t)(count ? weight + (int32_t)count - 1 : 0));
    put_u16(out, number.unscaled < 0 ? NUMERIC_NEGATIVE : 0);
    put_u16(out, (uint16_t)scale);
    while (count > 0) {
        put_u16(out, groups[--count]);
    }
}

static int encode_numeric(const struct codec *codec, const struct value *v, struct buffer *out,
                          struct error *err)
{
    put_numeric(out, decimal_of_value(v, codec->type));
    return 0;
}

static int encode_int_numeric(const struct codec *codec, const struct value *v, struct buffer *out,
                              struct error *err)
{
    put_numeric(out, (struct decimal){ v->i64, 0 });
    return 0;
}

static int encode_bool(const struct codec *codec, const struct value *v, struct buffer *out,
                       struct error *err)
{
    put_u32(out, 1);
    buffer_append_char(out, v->i64 ? 1 : 0);
    return 0;
}

/* --- texts --- */

static int encode_bytes(const struct codec *codec, const struct value *v, struct buffer *out,
                        struct error *err)
{
    buffer_reserve(out, 4 + (size_t)v->size);
    store_u32(out->data + out->len, v->size);
    memcpy(out->data + out->len + 4, v->bytes, v->size);
    out->len += 4 + (size_t)v->size;
    return 0;
}

static int encode_text(const struct codec *codec, const struct value *v, struct buffer *out,
                       struct error *err)
{
    if (v->size > 0 && memchr(v->bytes, '\0', v->size)) {
        return error_set(err, ERR_SINK_REFUSED, NO_POSITION,
                         "the text holds U+0000, which Postgres cannot store");
    }
    return encode_bytes(codec, v, out, err);
}

/* Where a length is, and the bytes behind it are still to come. */
static size_t begin_length(struct buffer *out)
{
    put_u32(out, 0);
    return out->len;
}

static void end_length(struct buffer *out, size_t begin)
{
    store_u32(out->data + begin - 4, (uint32_t)(out->len - begin));
}

static int encode_printed(const struct codec *codec, const struct value *v, struct buffer *out,
                          struct error *err)
{
    size_t begin = begin_length(out);

    if (codec->type->id == T_ARRAY) {
        text_form_print_array(v, codec->type, out);
    } else {
        cast_print(v, codec->type, out);
    }
    end_length(out, begin);
    return 0;
}

/* --- JSON --- */

struct json_writer {
    struct encoder encoder;
    struct encoder_spec spec;
    struct column column;
    operand at;
};

static struct json_writer *open_json(struct arena *arena, const struct sql_type *type)
{
    struct json_writer *writer = arena_new(arena, struct json_writer);
    struct error ignored;

    writer->column = (struct column){ BYTES("value"), type, COLUMN_VALUE, { NULL, 0 } };
    writer->at = operand_make(BANK_CELLS, 0);
    writer->spec = (struct encoder_spec){ .side = SIDE_VALUE,
                                          .columns = &writer->column,
                                          .column_count = 1,
                                          .at = &writer->at,
                                          .options = { .unwrapped = true } };
    return encoder_open(&writer->encoder, format_find(bytes_of("JSON")), &writer->spec, &ignored)
               ? NULL
               : writer;
}

static int write_json(const struct codec *codec, const struct value *v, struct buffer *out,
                      struct error *err)
{
    const struct row_banks row = { { v, NULL, NULL, NULL } };
    bool is_null = false;
    int code =
        codec->json->encoder.kind->encode_row(&codec->json->encoder, &row, out, &is_null, err);

    return code ? error_set(err, ERR_SINK_REFUSED, NO_POSITION, "%s", err->message) : 0;
}

static int encode_jsonb(const struct codec *codec, const struct value *v, struct buffer *out,
                        struct error *err)
{
    size_t begin = begin_length(out);

    buffer_append_char(out, 1); /* the version of the form */
    TRY(write_json(codec, v, out, err));
    end_length(out, begin);
    return 0;
}

static int encode_json(const struct codec *codec, const struct value *v, struct buffer *out,
                       struct error *err)
{
    size_t begin = begin_length(out);

    TRY(write_json(codec, v, out, err));
    end_length(out, begin);
    return 0;
}

/* --- times --- */

static int encode_date(const struct codec *codec, const struct value *v, struct buffer *out,
                       struct error *err)
{
    int64_t days = v->i64 - DAYS_TO_2000;

    if (days < DATE_LEAST || days > DATE_MOST) {
        return error_set(err, ERR_SINK_REFUSED, NO_POSITION, "the date is out of range");
    }
    put_4(out, (uint32_t)days);
    return 0;
}

static int encode_time(const struct codec *codec, const struct value *v, struct buffer *out,
                       struct error *err)
{
    put_8(out, (uint64_t)(v->i64 * US_PER_MS));
    return 0;
}

static int encode_timestamp(const struct codec *codec, const struct value *v, struct buffer *out,
                            struct error *err)
{
    if (v->i64 < TIMESTAMP_LEAST_MS || v->i64 >= TIMESTAMP_MOST_MS) {
        return error_set(err, ERR_SINK_REFUSED, NO_POSITION, "the timestamp is out of range");
    }
    put_8(out, (uint64_t)((v->i64 - MS_TO_2000) * US_PER_MS));
    return 0;
}

/* --- arrays --- */

static int encode_array(const struct codec *codec, const struct value *v, struct buffer *out,
                        struct error *err)
{
    size_t begin = begin_length(out);

    put_u32(out, v->size ? 1 : 0); /* dimensions */
    put_u32(out, 1);               /* there may be nulls */
    put_u32(out, codec->element->oid);
    if (v->size) {
        put_u32(out, v->size);
        put_u32(out, 1); /* the first subscript */
    }
    for (uint32_t i = 0; i < v->size; i++) {
        if (value_is_null(&v->items[i])) {
            put_u32(out, UINT32_MAX);
        } else {
            TRY(codec->element->encode(codec->element, &v->items[i], out, err));
        }
    }
    end_length(out, begin);
    return 0;
}

/* --- which one --- */

static const struct pairing {
    enum type_id type;
    uint32_t oid;
    uint32_t array_oid;
    codec_function encode;
} pairings[] = {
    { T_BOOLEAN, OID_BOOL, 1000, encode_bool },
    { T_INTEGER, OID_INT2, 1005, encode_int2 },
    { T_INTEGER, OID_INT4, 1007, encode_int4 },
    { T_INTEGER, OID_INT8, 1016, encode_int8 },
    { T_INTEGER, OID_NUMERIC, 1231, encode_int_numeric },
    { T_INTEGER, OID_FLOAT4, 1021, encode_int_float4 },
    { T_INTEGER, OID_FLOAT8, 1022, encode_int_float8 },
    { T_BIGINT, OID_INT2, 1005, encode_int2 },
    { T_BIGINT, OID_INT4, 1007, encode_int4 },
    { T_BIGINT, OID_INT8, 1016, encode_int8 },
    { T_BIGINT, OID_NUMERIC, 1231, encode_int_numeric },
    { T_BIGINT, OID_FLOAT4, 1021, encode_int_float4 },
    { T_BIGINT, OID_FLOAT8, 1022, encode_int_float8 },
    { T_DOUBLE, OID_FLOAT8, 1022, encode_float8 },
    { T_DOUBLE, OID_FLOAT4, 1021, encode_float4 },
    { T_DECIMAL, OID_NUMERIC, 1231, encode_numeric },
    { T_DECIMAL, OID_FLOAT8, 1022, encode_decimal_float8 },
    { T_STRING, OID_TEXT, 1009, encode_text },
    { T_STRING, OID_VARCHAR, 1015, encode_text },
    { T_STRING, OID_BPCHAR, 1014, encode_text },
    { T_STRING, OID_NAME, 1003, encode_text },
    { T_BYTES, OID_BYTEA, 1001, encode_bytes },
    { T_DATE, OID_DATE, 1182, encode_date },
    { T_TIME, OID_TIME, 1183, encode_time },
    { T_TIMESTAMP, OID_TIMESTAMP, 1115, encode_timestamp },
    { T_TIMESTAMP, OID_TIMESTAMPTZ, 1185, encode_timestamp },
};

static const struct pairing *find_pairing(enum type_id type, uint32_t oid)
{
    for (size_t i = 0; i < sizeof pairings / sizeof pairings[0]; i++) {
        if (pairings[i].type == type && pairings[i].oid == oid) {
            return &pairings[i];
        }
    }
    return NULL;
}

static bool is_nested(const struct sql_type *type)
{
    return type->id == T_STRUCT || type->id == T_MAP || type->id == T_ARRAY;
}

/* Types whose text a cast of the column's type reads: any column takes a STRING's. */
static bool can_cast(const struct sql_type *type, const struct column_type *column)
{
    switch (type->id) {
    case T_STRING:
        return true;
    case T_DOUBLE:
    case T_DECIMAL:
        return column->category == 'N';
    case T_DATE:
    case T_TIME:
    case T_TIMESTAMP:
        return column->category == 'D';
    default:
        return false;
    }
}

static const struct codec *make(struct arena *arena, const struct codec *codec)
{
    struct codec *made = arena_new(arena, struct codec);

    *made = *codec;
    return made;
}

static const struct codec *make_json(struct arena *arena, const struct sql_type *type,
                                     const struct column_type *column)
{
    bool binary = column->oid == OID_JSONB;
    struct codec codec = { .encode = binary ? encode_jsonb : encode_json,
                           .type = type,
                           .oid = column->oid,
                           .array_oid = binary ? 3807 : 199,
                           .json = open_json(arena, type) };

    return codec.json ? make(arena, &codec) : NULL;
}

/* unnest takes arrays of arrays apart, so an array goes there as text. */
static const struct codec *make_array(struct arena *arena, const struct sql_type *type,
                                      const struct column_type *column, enum load_way way)
{
    const struct column_type element = { .oid = column->element_oid };
    struct codec codec = { .type = type, .oid = column->oid };

    if (is_nested(type->element) || column->element_oid == 0) {
        return NULL;
    }
    codec.element = codec_find(arena, type->element, &element, LOAD_COPY);
    if (!codec.element || codec.element->needs_cast) {
        return NULL;
    }
    codec.encode = encode_array;
    if (way == LOAD_ARRAYS) {
        codec.encode = encode_printed;
        codec.oid = OID_TEXT;
        codec.array_oid = 1009;
        codec.needs_cast = true;
    }
    return make(arena, &codec);
}

const struct codec *codec_find(struct arena *arena, const struct sql_type *type,
                               const struct column_type *column, enum load_way way)
{
    const struct pairing *pairing = find_pairing(type->id, column->oid);
    struct codec codec = { .type = type };

    if (pairing) {
        codec.encode = pairing->encode;
        codec.oid = pairing->oid;
        codec.array_oid = pairing->array_oid;
        return make(arena, &codec);
    }
    if (column->oid == OID_JSONB || column->oid == OID_JSON) {
        if (is_nested(type)) {
            return make_json(arena, type, column);
        }
    }
    if (type->id == T_ARRAY) {
        return make_array(arena, type, column, way);
    }
    if (!can_cast(type, column)) {
        return NULL;
    }
    codec.encode = type->id == T_STRING ? encode_text : encode_printed;
    codec.oid = OID_TEXT;
    codec.array_oid = 1009;
    codec.needs_cast = true;
    return make(arena, &codec);
}

void codec_fini(const struct codec *codec)
{
    if (codec && codec->json) {
        encoder_close(&codec->json->encoder);
    }
}
