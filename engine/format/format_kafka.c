/*
 * format_kafka.c: one column as Kafka's own serializers write it.
 *
 * Integers and doubles big-endian at full width, text and bytes as they are. No
 * length but the exact one is read as a number.
 */
#include "engine/format/format_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

struct kafka_state {
    enum type_id type;
    bool wanted; /* decoder */
    operand at;  /* encoder */
};

static int kafka_supports(const struct column *columns, uint32_t column_count,
                          enum format_side side, struct error *err)
{
    struct buffer list = { 0 };
    int code;

    if (column_count != 1) {
        format_print_columns(columns, column_count, &list);
        code = error_set(err, ERR_FORMAT_SCHEMA, NO_POSITION,
                         "The 'KAFKA' format only supports a single field. Got: [%.*s]",
                         BYTES_ARG(list));
        buffer_fini(&list);
        return code;
    }
    switch (columns[0].type->id) {
    case T_INTEGER:
    case T_BIGINT:
    case T_DOUBLE:
    case T_STRING:
    case T_BYTES:
        return 0;
    case T_NULL:
    case T_BOOLEAN:
    case T_DECIMAL:
    case T_TIME:
    case T_DATE:
    case T_TIMESTAMP:
    case T_ARRAY:
    case T_MAP:
    case T_STRUCT:
    case T_COUNT:
        break;
    }
    return format_refuse_type("KAFKA", &columns[0], err);
}

static int kafka_open_decoder(struct decoder *d, const struct decoder_spec *spec, struct error *err)
{
    struct kafka_state *state = memory_zalloc(1, sizeof *state);

    state->type = spec->columns[0].type->id;
    state->wanted = !spec->wanted || spec->wanted[0];
    d->state = state;
    return 0;
}

static void kafka_close_decoder(struct decoder *d)
{
    free(d->state);
}

static uint64_t read_big_endian(struct bytes in)
{
    uint64_t number = 0;

    for (size_t i = 0; i < in.len; i++) {
        number = number << 8 | (unsigned char)in.data[i];
    }
    return number;
}

static int read_number(enum type_id type, struct bytes in, struct value *out, struct error *err)
{
    size_t size = type == T_INTEGER ? 4 : 8;
    uint64_t bits;
    double real;

    if (in.len != size) {
        return error_set(err, ERR_DECODE, NO_POSITION, "Size of data for %s is not %zu",
                         type_name(type), size);
    }
    bits = read_big_endian(in);
    if (type == T_DOUBLE) {
        memcpy(&real, &bits, sizeof real);
        *out = value_f64(real);
    } else {
        *out = value_i64(type, type == T_INTEGER ? (int32_t)(uint32_t)bits : (int64_t)bits);
    }
    return 0;
}

static int kafka_decode_row(struct decoder *d, struct bytes in, struct value *cells, bool *is_null,
                            struct arena *arena, struct error *err)
{
    const struct kafka_state *state = d->state;
    struct value v = value_null();

    if (in.len >= UINT32_MAX / 3) {
        return error_set(err, ERR_DECODE, NO_POSITION, "The value is too large");
    }
    if (state->type == T_BYTES) {
        v = value_text(T_BYTES, in);
    } else if (state->type != T_STRING) {
        TRY(read_number(state->type, in, &v, err));
    } else if (state->wanted) {
        v = value_text(T_STRING, format_repair_text(in, arena));
    }
    cells[0] = state->wanted ? v : value_null();
    return 0;
}

static int kafka_open_encoder(struct encoder *e, const struct encoder_spec *spec, struct error *err)
{
    struct kafka_state *state = memory_zalloc(1, sizeof *state);

    state->type = spec->columns[0].type->id;
    state->at = spec->at[0];
    e->state = state;
    return 0;
}

static void kafka_close_encoder(struct encoder *e)
{
    free(e->state);
}

static void write_big_endian(uint64_t number, size_t size, struct buffer *out)
{
    buffer_reserve(out, size);
    for (size_t i = 0; i < size; i++) {
        out->data[out->len++] = (char)(number >> (8 * (size - 1 - i)) & 255);
    }
}

static int kafka_encode_row(struct encoder *e, const struct row_banks *row, struct buffer *out,
                            bool *is_null, struct error *err)
{
    const struct kafka_state *state = e->state;
    const struct value *v = banks_value(row, state->at);
    uint64_t bits;

    if (value_is_null(v)) {
        *is_null = true;
    } else if (state->type == T_STRING || state->type == T_BYTES) {
        buffer_append_bytes(out, value_bytes(v));
    } else if (state->type == T_DOUBLE) {
        memcpy(&bits, &v->f64, sizeof bits);
        write_big_endian(bits, 8, out);
    } else {
        write_big_endian((uint64_t)v->i64, state->type == T_INTEGER ? 4 : 8, out);
    }
    return 0;
}

const struct format_kind format_kafka = {
    .name = "KAFKA",
    .doc = "One column, as Kafka's own serialisers write it: a number of 4 or 8 bytes, big-endian, "
           "or the text or bytes themselves. Without a value there is no column.",
    .features = FORMAT_UNWRAPS,
    .supports = kafka_supports,
    .open_decoder = kafka_open_decoder,
    .decode_row = kafka_decode_row,
    .close_decoder = kafka_close_decoder,
    .open_encoder = kafka_open_encoder,
    .encode_row = kafka_encode_row,
    .close_encoder = kafka_close_encoder,
};
