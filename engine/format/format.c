/*
 * format.c: the list of formats, and what holds for all of them.
 */
#include "engine/format/format.h"

#include <string.h>

#include "base/utf8.h"

#define FORMAT(name) extern const struct format_kind format_##name;
#include "engine/format/formats.def"
#undef FORMAT

const struct format_kind *const all_formats[] = {
#define FORMAT(name) &format_##name,
#include "engine/format/formats.def"
#undef FORMAT
    NULL,
};

const struct format_kind *format_find(struct bytes name)
{
    for (size_t i = 0; all_formats[i]; i++) {
        if (bytes_equal_text_nocase(name, all_formats[i]->name)) {
            return all_formats[i];
        }
    }
    return NULL;
}

/* Two maps of one content may be written in different orders, so they are no key. */
static int check_key(const struct column *column, struct error *err)
{
    struct buffer type = { 0 };
    int code;

    if (!type_has_map(column->type)) {
        return 0;
    }
    type_print(column->type, &type);
    code =
        error_set(err, ERR_INVALID_KEY, NO_POSITION,
                  "Map keys, including types that contain maps, are not supported, as equal maps "
                  "may be written differently. Key column name: %.*s. Column type: %.*s",
                  BYTES_ARG(column->name), BYTES_ARG(type));
    buffer_fini(&type);
    return code;
}

int format_check_columns(const struct format_kind *kind, const struct column *columns,
                         uint32_t column_count, enum format_side side, struct error *err)
{
    int code;

    for (uint32_t i = 0; side == SIDE_KEY && i < column_count; i++) {
        TRY(check_key(&columns[i], err));
    }
    code = kind->supports(columns, column_count, side, err);
    if (code) {
        (void)error_prefix(err, "%s format does not support the schema. Format: %s. Reason: ",
                           side == SIDE_KEY ? "Key" : "Value", kind->name);
    }
    return code;
}

bool format_key_is_bare(const struct format_kind *kind, uint32_t column_count)
{
    return column_count == 1 && (kind->features & FORMAT_UNWRAPS) != 0;
}

static bool can_wrap(const struct format_kind *kind, enum wrap_choice choice)
{
    return (kind->features & (choice == WRAP_TRUE ? FORMAT_WRAPS : FORMAT_UNWRAPS)) != 0;
}

int format_choose_wrapping(const struct format_kind *kind, uint32_t column_count,
                           enum wrap_choice wanted, enum wrap_choice usual, bool *unwrapped,
                           struct error *err)
{
    enum wrap_choice choice = wanted;

    if (wanted != WRAP_UNSET && column_count != 1) {
        return error_set(err, ERR_INVALID_PROPERTY, NO_POSITION,
                         "'WRAP_SINGLE_VALUE' is only valid for single-field value schemas");
    }
    if (wanted != WRAP_UNSET && !can_wrap(kind, wanted)) {
        return error_set(err, ERR_INVALID_PROPERTY, NO_POSITION,
                         "Format '%s' does not support 'WRAP_SINGLE_VALUE' set to '%s'.",
                         kind->name, wanted == WRAP_TRUE ? "true" : "false");
    }
    if (choice == WRAP_UNSET) {
        choice = usual != WRAP_UNSET && can_wrap(kind, usual) ? usual
                 : can_wrap(kind, WRAP_TRUE)                  ? WRAP_TRUE
                                                              : WRAP_FALSE;
    }
    *unwrapped = column_count == 1 && choice == WRAP_FALSE && can_wrap(kind, WRAP_FALSE);
    return 0;
}

static bool is_blank(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        if ((unsigned char)text.data[i] > ' ') {
            return false;
        }
    }
    return true;
}

int format_parse_delimiter(struct bytes text, struct format_options *options, struct error *err)
{
    struct bytes one = text;
    uint32_t c;
    size_t len;

    if (bytes_equal_text(text, "TAB")) {
        one = (struct bytes)BYTES("\t");
    } else if (bytes_equal_text(text, "SPACE")) {
        one = (struct bytes)BYTES(" ");
    } else if (is_blank(text)) {
        return error_set(err, ERR_INVALID_PROPERTY, NO_POSITION,
                         "Delimiter cannot be empty. For a tab or a space use the words TAB or "
                         "SPACE; example of a valid value: ';'");
    }
    len = utf8_decode(one, 0, &c);
    if (len == 0 || len != one.len || c > 0xffff || c == '"' || c == '\n' || c == '\r') {
        return error_set(err, ERR_INVALID_PROPERTY, NO_POSITION,
                         "Invalid delimiter value: '%.*s'. A delimiter is a single character (no "
                         "quote or line end), TAB or SPACE; example of a valid value: ';'",
                         BYTES_ARG(text));
    }
    memcpy(options->delimiter, one.data, len);
    options->delimiter_len = (uint32_t)len;
    return 0;
}

int decoder_open(struct decoder *d, const struct format_kind *kind, const struct decoder_spec *spec,
                 struct error *err)
{
    *d = (struct decoder){ .kind = kind, .column_count = spec->column_count };
    TRY(format_check_columns(kind, spec->columns, spec->column_count, spec->side, err));
    return kind->open_decoder(d, spec, err);
}

void decoder_close(struct decoder *d)
{
    if (d->state) {
        d->kind->close_decoder(d);
        d->state = NULL;
    }
}

int encoder_open(struct encoder *e, const struct format_kind *kind, const struct encoder_spec *spec,
                 struct error *err)
{
    *e = (struct encoder){ .kind = kind, .column_count = spec->column_count };
    TRY(format_check_columns(kind, spec->columns, spec->column_count, spec->side, err));
    return kind->open_encoder(e, spec, err);
}

void encoder_close(struct encoder *e)
{
    if (e->state) {
        e->kind->close_encoder(e);
        e->state = NULL;
    }
}
