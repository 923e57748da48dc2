/*
 * format.h: bytes of a key or value <-> the columns of a row.
 *
 * A format knows no topics. What is key, what is value, whether a single column
 * is wrapped, which registered schema applies: all are arguments. Windowing of
 * keys is a wrapper around a format, not a format.
 *
 * Decoders check every declared column and materialise the wanted ones; only
 * undeclared fields are skipped unread. Absent bytes never reach a decoder: a null
 * key or value is the caller's to handle. Text of decoded values may point into
 * the input, which must outlive the row.
 *
 * Formats are rows of formats.def.
 */
#ifndef SLUICE_ENGINE_FORMAT_FORMAT_H
#define SLUICE_ENGINE_FORMAT_FORMAT_H

#include "engine/type/row_batch.h"

enum format_side { SIDE_KEY, SIDE_VALUE };

enum format_features {
    FORMAT_WRAPS = 1,          /* can hold a single column as a record of one field */
    FORMAT_UNWRAPS = 2,        /* can hold a single column bare */
    FORMAT_INFERS_SCHEMA = 4,  /* columns can come from the registry */
    FORMAT_TAKES_DELIMITER = 8 /* KEY_DELIMITER, VALUE_DELIMITER */
};

/* How one side of a source is written: the same for decoder and encoder. */
struct format_options {
    char delimiter[4]; /* one character, UTF-8; empty: the format's default */
    bool unwrapped;    /* a single column bare, where the format supports both */
    uint32_t delimiter_len;
};

struct decoder_spec {
    enum format_side side;
    const struct column *columns; /* all declared columns of that side, in order */
    uint32_t column_count;
    const bool *wanted; /* per column; NULL: all */
    struct format_options options;
};

struct encoder_spec {
    enum format_side side;
    const struct column *columns;
    uint32_t column_count;
    const operand *at; /* where each column's value lies in the row */
    struct format_options options;
};

struct format_kind;

struct decoder {
    const struct format_kind *kind;
    void *state; /* the format's own, from open */
    uint32_t column_count;
};

struct encoder {
    const struct format_kind *kind;
    void *state;
    uint32_t column_count;
};

struct format_kind {
    const char *name; /* VALUE_FORMAT='JSON' */
    const char *doc;
    unsigned features; /* enum format_features */
    /* Whether the format can hold these columns: ERR_FORMAT_SCHEMA with the reason. */
    int (*supports)(const struct column *columns, uint32_t column_count, enum format_side side,
                    struct error *err);
    int (*open_decoder)(struct decoder *d, const struct decoder_spec *spec, struct error *err);
    /*
     * Fills cells[column_count]: unwanted and missing columns are null. *is_null becomes
     * true when the bytes mean a null row (formats.md 1.2, queries.md 1), else it is left.
     * ERR_DECODE or ERR_COERCE with the path of the field, never with the data.
     */
    int (*decode_row)(struct decoder *d, struct bytes in, struct value *cells, bool *is_null,
                      struct arena *arena, struct error *err);
    void (*close_decoder)(struct decoder *d);
    int (*open_encoder)(struct encoder *e, const struct encoder_spec *spec, struct error *err);
    /* Appends; sets *is_null instead when the row has no bytes (an unwrapped null column). */
    int (*encode_row)(struct encoder *e, const struct row_banks *row, struct buffer *out,
                      bool *is_null, struct error *err);
    void (*close_encoder)(struct encoder *e);
};

const struct format_kind *format_find(struct bytes name); /* any case; NULL: none */
extern const struct format_kind *const all_formats[];     /* NULL at the end */

/*
 * kind->supports with the side and format in front. A MAP anywhere in a key is
 * ERR_INVALID_KEY, whatever the format.
 */
int format_check_columns(const struct format_kind *kind, const struct column *columns,
                         uint32_t column_count, enum format_side side, struct error *err);

/* Whether a key of that many columns is written bare (formats.md 1.1). */
bool format_key_is_bare(const struct format_kind *kind, uint32_t column_count);

enum wrap_choice { WRAP_UNSET, WRAP_TRUE, WRAP_FALSE };

/*
 * The same for values, where there is a choice: `wanted` is WRAP_SINGLE_VALUE and
 * must be possible, else ERR_INVALID_PROPERTY; `usual` is
 * ksql.persistence.wrap.single.values and yields to what the format can do.
 */
int format_choose_wrapping(const struct format_kind *kind, uint32_t column_count,
                           enum wrap_choice wanted, enum wrap_choice usual, bool *unwrapped,
                           struct error *err);
/* KEY_DELIMITER, VALUE_DELIMITER: one character, TAB or SPACE; else ERR_INVALID_PROPERTY. */
int format_parse_delimiter(struct bytes text, struct format_options *options, struct error *err);

/* The specs are borrowed until the decoder or encoder is closed. */
int decoder_open(struct decoder *d, const struct format_kind *kind, const struct decoder_spec *spec,
                 struct error *err);
void decoder_close(struct decoder *d);
int encoder_open(struct encoder *e, const struct format_kind *kind, const struct encoder_spec *spec,
                 struct error *err);
void encoder_close(struct encoder *e);

#endif
