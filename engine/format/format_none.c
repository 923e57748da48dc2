/*
 * format_none.c: no columns, no bytes. What is read is ignored, what is written is null.
 */
#include "engine/format/format_internal.h"

static int none_supports(const struct column *columns, uint32_t column_count, enum format_side side,
                         struct error *err)
{
    struct buffer list = { 0 };
    int code;

    if (column_count == 0) {
        return 0;
    }
    format_print_columns(columns, column_count, &list);
    code = error_set(err, ERR_FORMAT_SCHEMA, NO_POSITION,
                     "The 'NONE' format can only be used when no columns are defined. Got: [%.*s]",
                     BYTES_ARG(list));
    buffer_fini(&list);
    return code;
}

static int none_open_decoder(struct decoder *d, const struct decoder_spec *spec, struct error *err)
{
    return 0;
}

static int none_decode_row(struct decoder *d, struct bytes in, struct value *cells, bool *is_null,
                           struct arena *arena, struct error *err)
{
    *is_null = true;
    return 0;
}

/* Without a state, close is not called; the contract asks for one all the same. */
static void none_close_decoder(struct decoder *d)
{
}

static int none_open_encoder(struct encoder *e, const struct encoder_spec *spec, struct error *err)
{
    return 0;
}

static int none_encode_row(struct encoder *e, const struct row_banks *row, struct buffer *out,
                           bool *is_null, struct error *err)
{
    *is_null = true;
    return 0;
}

static void none_close_encoder(struct encoder *e)
{
}

const struct format_kind format_none = {
    .name = "NONE",
    .doc = "No columns, no bytes.",
    .supports = none_supports,
    .open_decoder = none_open_decoder,
    .decode_row = none_decode_row,
    .close_decoder = none_close_decoder,
    .open_encoder = none_open_encoder,
    .encode_row = none_encode_row,
    .close_encoder = none_close_encoder,
};
