/*
 * format_delimited.c: a row as one line of CSV.
 *
 * The rules are those of commons-csv 1.4, which ksqlDB uses: what is quoted when
 * writing, which blanks and line ends are skipped when reading. Null and the empty
 * string are one when read: null.
 */
#include "engine/format/format_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "engine/type/decimal.h"
#include "engine/type/java_text.h"

enum { DAY_MS = 86400000 };

struct delimiter {
    char text[4];
    uint32_t len;
};

struct token {
    struct bytes text; /* without the quotes around it */
    bool has_quotes;   /* doubled ones inside, still to be undone */
};

struct delimited_decoder {
    const struct column *columns;
    const bool *wanted;
    uint32_t column_count;
    struct delimiter delimiter;
    struct token *tokens; /* of the first record; column_count of them */
};

struct delimited_encoder {
    const struct column *columns;
    const operand *at;
    uint32_t column_count;
    struct delimiter delimiter;
    struct buffer text; /* scratch */
};

static struct delimiter choose_delimiter(const struct format_options *options)
{
    struct delimiter d = { ",", 1 };

    if (options->delimiter_len > 0) {
        memcpy(d.text, options->delimiter, sizeof d.text);
        d.len = options->delimiter_len;
    }
    return d;
}

static int delimited_supports(const struct column *columns, uint32_t column_count,
                              enum format_side side, struct error *err)
{
    for (uint32_t i = 0; i < column_count; i++) {
        enum type_id id = columns[i].type->id;

        if (id == T_ARRAY || id == T_MAP || id == T_STRUCT) {
            return format_refuse_type("DELIMITED", &columns[i], err);
        }
    }
    return 0;
}

/* --- reading: text to tokens --- */

struct csv {
    const char *at;
    const char *end;
    struct delimiter delimiter;
};

enum token_end { ENDS_TOKEN, ENDS_RECORD, ENDS_TEXT };

static bool at_delimiter(const struct csv *csv, const char *at)
{
    return (size_t)(csv->end - at) >= csv->delimiter.len &&
           memcmp(at, csv->delimiter.text, csv->delimiter.len) == 0;
}

static bool is_line_end(char c)
{
    return c == '\n' || c == '\r';
}

/* What ends the token at csv->at, and the step over it. */
static enum token_end step_over_end(struct csv *csv)
{
    if (csv->at == csv->end) {
        return ENDS_TEXT;
    }
    if (at_delimiter(csv, csv->at)) {
        csv->at += csv->delimiter.len;
        return ENDS_TOKEN;
    }
    if (*csv->at == '\r' && csv->end - csv->at > 1 && csv->at[1] == '\n') {
        csv->at++;
    }
    csv->at++;
    return ENDS_RECORD;
}

/* Character.isWhitespace of the character at `at`; its length in *len. */
static bool is_blank(const struct csv *csv, size_t *len)
{
    uint32_t c = 0;

    *len = utf8_decode((struct bytes){ csv->at, (size_t)(csv->end - csv->at) }, 0, &c);
    return (c >= 9 && c <= 13) || (c >= 0x1c && c <= 0x20) || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200a && c != 0x2007) || c == 0x2028 || c == 0x2029 ||
           c == 0x205f || c == 0x3000;
}

static int read_quoted(struct csv *csv, struct token *out, struct error *err)
{
    const char *begin = ++csv->at;
    size_t len;

    out->has_quotes = false;
    for (;;) {
        const char *quote = memchr(csv->at, '"', (size_t)(csv->end - csv->at));

        if (!quote) {
            return error_set(err, ERR_DECODE, NO_POSITION,
                             "The text ends before a quoted field does");
        }
        csv->at = quote + 1;
        if (csv->at == csv->end || *csv->at != '"') {
            out->text = (struct bytes){ begin, (size_t)(quote - begin) };
            break;
        }
        out->has_quotes = true;
        csv->at++;
    }
    while (csv->at < csv->end && !at_delimiter(csv, csv->at) && !is_line_end(*csv->at)) {
        if (!is_blank(csv, &len)) {
            return error_set(err, ERR_DECODE, NO_POSITION,
                             "Invalid character between a quoted field and the delimiter");
        }
        csv->at += len;
    }
    return 0;
}

static int read_token(struct csv *csv, struct token *out, enum token_end *ended, struct error *err)
{
    const char *begin = csv->at;

    *out = (struct token){ { begin, 0 }, false };
    if (csv->at < csv->end && *csv->at == '"') {
        TRY(read_quoted(csv, out, err));
    } else {
        while (csv->at < csv->end && !is_line_end(*csv->at) && !at_delimiter(csv, csv->at)) {
            csv->at++;
        }
        out->text.len = (size_t)(csv->at - begin);
    }
    *ended = step_over_end(csv);
    return 0;
}

/* The tokens of one record; those over the count of columns are counted only. */
static int read_record(struct csv *csv, struct token *tokens, uint32_t room, size_t *count,
                       struct error *err)
{
    enum token_end ended;

    *count = 0;
    do {
        struct token token;

        TRY(read_token(csv, &token, &ended, err));
        if (tokens && *count < room) {
            tokens[*count] = token;
        }
        ++*count;
    } while (ended == ENDS_TOKEN);
    return 0;
}

static bool skip_blank_lines(struct csv *csv)
{
    while (csv->at < csv->end && is_line_end(*csv->at)) {
        csv->at++;
    }
    return csv->at < csv->end;
}

/* The first record; what follows must be well-formed, too. */
static int read_records(struct delimited_decoder *state, struct bytes text, struct error *err)
{
    struct csv csv = { text.data, text.data + text.len, state->delimiter };
    size_t count;
    size_t ignored;

    if (!skip_blank_lines(&csv)) {
        return error_set(err, ERR_DECODE, NO_POSITION, "No fields in record");
    }
    TRY(read_record(&csv, state->tokens, state->column_count, &count, err));
    while (skip_blank_lines(&csv)) {
        TRY(read_record(&csv, NULL, 0, &ignored, err));
    }
    if (count != state->column_count) {
        return error_set(err, ERR_DECODE, NO_POSITION,
                         "Column count mismatch on deserialization. expected: %u, got: %zu",
                         state->column_count, count);
    }
    return 0;
}

/* --- reading: tokens to values --- */

static struct bytes token_text(const struct token *token, struct arena *arena)
{
    char *out;
    size_t len = 0;

    if (!token->has_quotes) {
        return token->text;
    }
    out = arena_alloc_text(arena, token->text.len);
    for (size_t i = 0; i < token->text.len; i++) {
        out[len++] = token->text.data[i];
        if (token->text.data[i] == '"') {
            i++;
        }
    }
    return (struct bytes){ out, len };
}

static int parse_integer(struct bytes text, enum type_id id, struct value *out)
{
    int64_t number;
    int32_t narrow;

    if (id == T_INTEGER || id == T_DATE) {
        TRY(java_int_parse(text, &narrow, NULL));
        number = narrow;
    } else {
        TRY(java_long_parse(text, &number, NULL));
    }
    if (id == T_TIME && (number < 0 || number > DAY_MS)) {
        return ERR_COERCE;
    }
    *out = value_i64(id, number);
    return 0;
}

static int parse_double(struct bytes text, struct value *out)
{
    double number;

    TRY(java_double_parse(text, &number, NULL));
    *out = value_f64(number);
    return 0;
}

static int parse_decimal(struct bytes text, const struct sql_type *type, struct arena *arena,
                         struct value *out)
{
    struct decimal number;

    TRY(decimal_parse(text, &number, NULL));
    TRY(decimal_fit(number, type, &number, NULL));
    decimal_to_value(number, type, arena, out);
    return 0;
}

static int parse_bytes(struct bytes text, struct arena *arena, struct value *out)
{
    char *octets = arena_alloc_text(arena, base64_decoded_bound(text.len));
    size_t len;

    if (!base64_decode(text, BASE64_UNPADDED, octets, &len)) {
        return ERR_COERCE;
    }
    *out = value_text(T_BYTES, (struct bytes){ octets, len });
    return 0;
}

static int parse_value(struct bytes text, const struct sql_type *type, struct arena *arena,
                       struct value *out)
{
    switch (type->id) {
    case T_BOOLEAN:
        *out = value_i64(T_BOOLEAN, bytes_equal_text_nocase(text, "true"));
        return 0;
    case T_INTEGER:
    case T_BIGINT:
    case T_TIME:
    case T_DATE:
    case T_TIMESTAMP:
        return parse_integer(text, type->id, out);
    case T_DOUBLE:
        return parse_double(text, out);
    case T_DECIMAL:
        return parse_decimal(text, type, arena, out);
    case T_STRING:
        *out = value_text(T_STRING, text);
        return 0;
    case T_BYTES:
        return parse_bytes(text, arena, out);
    case T_ARRAY:
    case T_MAP:
    case T_STRUCT:
    case T_NULL:
    case T_COUNT:
        break;
    }
    return ERR_COERCE;
}

static int delimited_decode_row(struct decoder *d, struct bytes in, struct value *cells,
                                bool *is_null, struct arena *arena, struct error *err)
{
    struct delimited_decoder *state = d->state;

    if (in.len >= UINT32_MAX / 3) {
        return error_set(err, ERR_DECODE, NO_POSITION, "The value is too large");
    }
    TRY(read_records(state, format_repair_text(in, arena), err));
    for (uint32_t i = 0; i < state->column_count; i++) {
        struct bytes text = token_text(&state->tokens[i], arena);
        const struct column *column = &state->columns[i];
        struct value v = value_null();

        if (text.len > 0 && parse_value(text, column->type, arena, &v) != 0) {
            return error_set(err, ERR_COERCE, NO_POSITION,
                             "Can't convert text to type. requiredType: %s, column: %.*s",
                             type_name(column->type->id), BYTES_ARG(column->name));
        }
        cells[i] = !state->wanted || state->wanted[i] ? v : value_null();
    }
    return 0;
}

static int delimited_open_decoder(struct decoder *d, const struct decoder_spec *spec,
                                  struct error *err)
{
    struct delimited_decoder *state = memory_zalloc(1, sizeof *state);

    state->columns = spec->columns;
    state->wanted = spec->wanted;
    state->column_count = spec->column_count;
    state->delimiter = choose_delimiter(&spec->options);
    state->tokens = memory_zalloc(spec->column_count + 1, sizeof *state->tokens);
    d->state = state;
    return 0;
}

static void delimited_close_decoder(struct decoder *d)
{
    struct delimited_decoder *state = d->state;

    free(state->tokens);
    free(state);
}

/* --- writing --- */

static bool is_ascii_alphanumeric(unsigned char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool contains(struct bytes text, struct bytes part)
{
    for (size_t i = 0; i + part.len <= text.len; i++) {
        if (memcmp(text.data + i, part.data, part.len) == 0) {
            return true;
        }
    }
    return false;
}

static bool needs_quotes(struct bytes text, bool is_first, const struct delimiter *delimiter)
{
    unsigned char first;

    if (text.len == 0) {
        return is_first;
    }
    first = (unsigned char)text.data[0];
    if (is_first ? !is_ascii_alphanumeric(first) : first <= '#') {
        return true;
    }
    return (unsigned char)text.data[text.len - 1] <= ' ' || memchr(text.data, '"', text.len) ||
           memchr(text.data, '\n', text.len) || memchr(text.data, '\r', text.len) ||
           contains(text, (struct bytes){ delimiter->text, delimiter->len });
}

static void write_quoted(struct bytes text, struct buffer *out)
{
    buffer_append_char(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '"') {
            buffer_append_char(out, '"');
        }
        buffer_append_char(out, text.data[i]);
    }
    buffer_append_char(out, '"');
}

static struct bytes print_number(size_t len, const char *text, struct buffer *scratch)
{
    buffer_append(scratch, text, len);
    return buffer_bytes(scratch);
}

/* The text of a non-null value, in the scratch buffer unless it is text already. */
static struct bytes print_value(const struct value *v, const struct sql_type *type,
                                struct buffer *scratch)
{
    char number[JAVA_DOUBLE_MAX];
    size_t len;

    scratch->len = 0;
    switch (type->id) {
    case T_BOOLEAN:
        return bytes_of(v->i64 ? "true" : "false");
    case T_DOUBLE:
        len = java_double_print(v->f64, number);
        return print_number(len, number, scratch);
    case T_DECIMAL:
        decimal_print_plain(decimal_of_value(v, type), scratch);
        return buffer_bytes(scratch);
    case T_STRING:
        return value_bytes(v);
    case T_BYTES:
        len = base64_encoded_size(v->size);
        buffer_reserve(scratch, len);
        base64_encode(value_bytes(v), scratch->data);
        scratch->len = len;
        return buffer_bytes(scratch);
    case T_INTEGER:
    case T_BIGINT:
    case T_TIME:
    case T_DATE:
    case T_TIMESTAMP:
    case T_ARRAY:
    case T_MAP:
    case T_STRUCT:
    case T_NULL:
    case T_COUNT:
        break;
    }
    len = java_long_print(v->i64, number);
    return print_number(len, number, scratch);
}

static int delimited_encode_row(struct encoder *e, const struct row_banks *row, struct buffer *out,
                                bool *is_null, struct error *err)
{
    struct delimited_encoder *state = e->state;

    for (uint32_t i = 0; i < state->column_count; i++) {
        const struct value *v = banks_value(row, state->at[i]);
        struct bytes text;

        if (i > 0) {
            buffer_append(out, state->delimiter.text, state->delimiter.len);
        }
        if (value_is_null(v)) {
            continue;
        }
        text = print_value(v, state->columns[i].type, &state->text);
        if (needs_quotes(text, i == 0, &state->delimiter)) {
            write_quoted(text, out);
        } else {
            buffer_append_bytes(out, text);
        }
    }
    return 0;
}

static int delimited_open_encoder(struct encoder *e, const struct encoder_spec *spec,
                                  struct error *err)
{
    struct delimited_encoder *state = memory_zalloc(1, sizeof *state);

    state->columns = spec->columns;
    state->at = spec->at;
    state->column_count = spec->column_count;
    state->delimiter = choose_delimiter(&spec->options);
    e->state = state;
    return 0;
}

static void delimited_close_encoder(struct encoder *e)
{
    struct delimited_encoder *state = e->state;

    buffer_fini(&state->text);
    free(state);
}

const struct format_kind format_delimited = {
    .name = "DELIMITED",
    .doc = "The columns in order, as CSV.",
    .features = FORMAT_UNWRAPS | FORMAT_TAKES_DELIMITER,
    .supports = delimited_supports,
    .open_decoder = delimited_open_decoder,
    .decode_row = delimited_decode_row,
    .close_decoder = delimited_close_decoder,
    .open_encoder = delimited_open_encoder,
    .encode_row = delimited_encode_row,
    .close_encoder = delimited_close_encoder,
};
