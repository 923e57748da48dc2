/*
 * format_json.c: rows as JSON objects, a single column bare where the options say so.
 *
 * A record is read twice at most: the row path reads it as if all were in order, and
 * when that fails, a careful look decides what it really says, or which error it
 * is. So the common record pays nothing for duplicates, spellings and paths.
 *
 * Departures from Jackson, all of them refusals: UTF-16 and UTF-32 documents, overlong
 * UTF-8. An escaped lone surrogate reads as U+FFFD.
 */
#include "engine/format/json_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* --- what it can hold --- */

static int check_type(const struct sql_type *type, struct error *err)
{
    if (type->id == T_MAP && type->key->id != T_STRING) {
        return error_set(err, ERR_FORMAT_SCHEMA, NO_POSITION,
                         "JSON only supports MAP types with STRING keys");
    }
    if (type->element) {
        TRY(check_type(type->element, err));
    }
    for (uint32_t i = 0; i < type->field_count; i++) {
        TRY(check_type(type->fields[i].type, err));
    }
    return 0;
}

static int json_supports(const struct column *columns, uint32_t column_count, enum format_side side,
                         struct error *err)
{
    for (uint32_t i = 0; i < column_count; i++) {
        TRY(check_type(columns[i].type, err));
    }
    return 0;
}

/* --- reading --- */

static int json_open_decoder(struct decoder *d, const struct decoder_spec *spec, struct error *err)
{
    struct json_decoder *j = memory_zalloc(1, sizeof *j);

    arena_init(&j->arena, 0);
    j->row = json_shape_make(&j->arena, spec->column_count);
    for (uint32_t i = 0; i < spec->column_count; i++) {
        j->row->fields[i].name = spec->columns[i].name;
        j->row->fields[i].node = json_node_make(&j->arena, spec->columns[i].type);
        j->row->fields[i].wanted = !spec->wanted || spec->wanted[i];
    }
    json_shape_ready(&j->arena, j->row);
    if (spec->column_count == 1 && (spec->side == SIDE_KEY || spec->options.unwrapped)) {
        j->root = j->row->fields[0].node;
    }
    d->state = j;
    return 0;
}

static void json_close_decoder(struct decoder *d)
{
    struct json_decoder *j = d->state;

    json_shape_fini(j->row);
    free(j->reader.stack);
    buffer_fini(&j->reader.text);
    arena_fini(&j->arena);
    free(j);
}

/* White space and a byte order mark, which are no part of the value. */
static const char *skip_front(struct bytes in)
{
    const char *at = in.data;
    const char *end = in.data + in.len;

    if (in.len >= 3 && memcmp(at, "\xef\xbb\xbf", 3) == 0) {
        at += 3;
    }
    while (at < end && json_is_space(*at)) {
        at++;
    }
    return at;
}

/* Bytes behind the value do not count, but a number or a word must not run on into them. */
static bool ends_well(const char *begin, const char *behind, const char *end)
{
    char c;

    if (behind == end || *begin == '"' || *begin == '{' || *begin == '[') {
        return true;
    }
    c = *behind;
    if ((*begin >= '0' && *begin <= '9') || *begin == '-') {
        return json_is_space(c);
    }
    return !((c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_' ||
             c == '$' || (signed char)c < 0);
}

static const char *read_bare(struct json_decoder *j, const char *begin, struct value *cells)
{
    struct json_reader *r = &j->reader;
    struct value v = value_null();
    const char *at;

    r->keep = j->row->fields[0].wanted;
    at = json_read_value(r, j->root, begin, &v);
    if (!at) {
        return NULL;
    }
    if (!ends_well(begin, at, r->scan.end)) {
        return json_fail(r, JSON_MALFORMED, JSON_BAD, NULL);
    }
    cells[0] = r->keep ? v : value_null();
    return at;
}

static const char *read_root(struct json_decoder *j, const char *begin, struct value *cells)
{
    struct json_reader *r = &j->reader;

    r->scan.at = begin;
    r->scan.depth = 0;
    r->stack_used = 0;
    r->keep = true;
    memset(cells, 0, j->row->field_count * sizeof *cells);
    if (j->root) {
        return read_bare(j, begin, cells);
    }
    if (begin < r->scan.end && *begin == '{') {
        r->scan.depth = 1;
        return json_read_fields(r, j->row, begin + 1, cells);
    }
    return json_fail(r, JSON_CANNOT_CONVERT, json_next(&r->scan), NULL);
}

/* All of the message but the type and the path. */
static const char *misfit(enum json_reason reason)
{
    switch (reason) {
    case JSON_CANNOT_CONVERT:
        return "Can't convert type. ";
    case JSON_CANNOT_COERCE:
        return "Can't coerce string to type. ";
    case JSON_OUT_OF_RANGE:
        return "The number is out of range. ";
    case JSON_DECIMAL_MISFIT:
        return "The number does not fit without rounding or overflow. ";
    case JSON_NOT_BASE64:
        return "Can't decode base64 text. ";
    case JSON_MALFORMED:
        break;
    }
    return "";
}

static int report(const struct json_failure *f, size_t offset, struct error *err)
{
    struct buffer type = { 0 };
    bool converts = f->reason == JSON_CANNOT_CONVERT;
    int code;

    if (f->reason == JSON_MALFORMED) {
        return error_set(err, ERR_DECODE, NO_POSITION, "Malformed JSON near byte %zu", offset);
    }
    if (f->type) {
        type_print(f->type, &type);
    } else {
        buffer_append_text(&type, "STRUCT");
    }
    code = error_set(err, ERR_COERCE, NO_POSITION, "%s%s%s%s%.*s, path: $%.*s", misfit(f->reason),
                     converts ? "sourceType: " : "", converts ? f->source : "",
                     converts ? ", requiredType: " : "targetType: ", BYTES_ARG(type),
                     (int)(sizeof f->path - f->path_begin), f->path + f->path_begin);
    buffer_fini(&type);
    return code;
}

/* The second look; `begin` is where the value begins. */
static int decode_carefully(struct json_decoder *j, struct bytes in, const char *begin,
                            struct value *cells, struct error *err)
{
    struct json_reader *r = &j->reader;
    int code = 0;

    r->scan.at = begin;
    r->scan.depth = 0;
    if (!json_skip(&r->scan) || !ends_well(begin, r->scan.at, r->scan.end)) {
        return error_set(err, ERR_DECODE, NO_POSITION, "Malformed JSON near byte %zu",
                         (size_t)(r->scan.at - in.data));
    }
    r->careful = true;
    if (!read_root(j, begin, cells)) {
        code = report(&r->failure, (size_t)(r->scan.at - in.data), err);
    }
    r->careful = false;
    return code;
}

static bool is_null_literal(const char *begin, const char *end)
{
    return end - begin >= 4 && memcmp(begin, "null", 4) == 0 && ends_well(begin, begin + 4, end);
}

/* No value at all: only a bare STRING can be made of it. */
static int decode_nothing(const struct json_decoder *j, struct bytes in, struct value *cells,
                          struct error *err)
{
    if (!j->root || j->root->id != T_STRING) {
        return error_set(err, ERR_DECODE, NO_POSITION, "There is no JSON value in the bytes");
    }
    cells[0] = value_null();
    if (j->row->fields[0].wanted) {
        cells[0] = value_text(T_STRING, (struct bytes){ in.data, 0 });
    }
    return 0;
}

static int json_decode_row(struct decoder *d, struct bytes in, struct value *cells, bool *is_null,
                           struct arena *arena, struct error *err)
{
    struct json_decoder *j = d->state;
    struct json_reader *r = &j->reader;
    const char *begin = skip_front(in);

    if (in.len >= UINT32_MAX) {
        return error_set(err, ERR_DECODE, NO_POSITION, "The value is too large");
    }
    r->scan.end = in.data + in.len;
    r->arena = arena;
    if (begin == r->scan.end) {
        return decode_nothing(j, in, cells, err);
    }
    if (*begin == 'n' && is_null_literal(begin, r->scan.end)) {
        if (!j->root) {
            return error_set(err, ERR_DECODE, NO_POSITION,
                             "The JSON value is null where an object is needed");
        }
        cells[0] = value_null();
        *is_null = true;
        return 0;
    }
    return read_root(j, begin, cells) ? 0 : decode_carefully(j, in, begin, cells, err);
}

/* --- writing --- */

static int json_open_encoder(struct encoder *e, const struct encoder_spec *spec, struct error *err)
{
    e->state = json_encoder_create(spec);
    return 0;
}

static void json_close_encoder(struct encoder *e)
{
    json_encoder_destroy(e->state);
}

static int json_encode_row(struct encoder *e, const struct row_banks *row, struct buffer *out,
                           bool *is_null, struct error *err)
{
    return json_encoder_write(e->state, row, out, is_null, err);
}

const struct format_kind format_json = {
    .name = "JSON",
    .doc = "A JSON object of the columns by name, in any case; a single column may stand bare.",
    .features = FORMAT_WRAPS | FORMAT_UNWRAPS,
    .supports = json_supports,
    .open_decoder = json_open_decoder,
    .decode_row = json_decode_row,
    .close_decoder = json_close_decoder,
    .open_encoder = json_open_encoder,
    .encode_row = json_encode_row,
    .close_encoder = json_close_encoder,
};
