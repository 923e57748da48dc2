/*
 * peer_rows.c: see peer_rows.h. Nothing that comes in is trusted: lengths have a limit, images are
 * checked by the codec, and columns must be those that were asked for.
 */
#include "cli/remote/peer_rows.h"

#include <string.h>

enum { HEAD_BYTES = 5, TIME_BYTES = 8, FRAME_MAX = 1 << 28 };

void peer_codec_init(struct row_codec *codec, struct arena *arena, const struct schema *schema)
{
    const struct sql_type **types =
        arena_array(arena, const struct sql_type *, schema->column_count + 1u);

    for (uint32_t i = 0; i < schema->column_count; i++) {
        types[i] = schema->columns[i].type;
    }
    row_codec_init(codec, arena, types, schema->column_count, 0);
}

/* --- writing --- */

static void append_number(struct buffer *out, uint64_t number, uint32_t bytes)
{
    for (uint32_t i = 0; i < bytes; i++) {
        buffer_append_char(out, (char)(unsigned char)(number >> (8 * i)));
    }
}

/* The head of a frame whose length is set by end_frame; the place of the head. */
static size_t begin_frame(struct buffer *out, char kind)
{
    size_t at = out->len;

    buffer_append_char(out, kind);
    append_number(out, 0, HEAD_BYTES - 1);
    return at;
}

static void end_frame(struct buffer *out, size_t at)
{
    uint64_t len = out->len - at - HEAD_BYTES;

    for (uint32_t i = 0; i < HEAD_BYTES - 1; i++) {
        out->data[at + 1 + i] = (char)(unsigned char)(len >> (8 * i));
    }
}

static void print_columns(const struct schema *schema, struct buffer *out)
{
    for (uint32_t i = 0; i < schema->column_count; i++) {
        buffer_append_bytes(out, schema->columns[i].name);
        buffer_append_char(out, ' ');
        type_print(schema->columns[i].type, out);
        buffer_append_char(out, '\n');
    }
}

void peer_write_schema(const struct schema *schema, struct buffer *out)
{
    size_t at = begin_frame(out, 'S');

    print_columns(schema, out);
    end_frame(out, at);
}

void peer_write_row(const struct row_codec *codec, const struct value *cells, int64_t timestamp_ms,
                    struct buffer *out)
{
    size_t at = begin_frame(out, 'R');

    append_number(out, (uint64_t)timestamp_ms, TIME_BYTES);
    row_codec_encode_cells(codec, cells, out);
    end_frame(out, at);
}

void peer_write_end(struct buffer *out)
{
    end_frame(out, begin_frame(out, 'E'));
}

void peer_write_failure(struct bytes message, struct buffer *out)
{
    size_t at = begin_frame(out, 'X');

    buffer_append_bytes(out, message);
    end_frame(out, at);
}

/* --- reading --- */

void peer_reader_init(struct peer_reader *reader, const struct schema *schema,
                      bool (*row)(void *context, const struct value *cells, int64_t timestamp_ms),
                      void *context)
{
    *reader = (struct peer_reader){ .schema = schema, .row_taken = row, .context = context };
    arena_init(&reader->arena, 0);
    arena_init(&reader->row, 0);
    peer_codec_init(&reader->codec, &reader->arena, schema);
}

void peer_reader_fini(struct peer_reader *reader)
{
    buffer_fini(&reader->pending);
    arena_fini(&reader->row);
    arena_fini(&reader->arena);
}

static uint64_t read_number(const char *at, uint32_t bytes)
{
    uint64_t number = 0;

    for (uint32_t i = 0; i < bytes; i++) {
        number |= (uint64_t)(unsigned char)at[i] << (8 * i);
    }
    return number;
}

static int damaged(struct error *err)
{
    return error_set(err, ERR_LOG_UNAVAILABLE, NO_POSITION, "its answer cannot be read");
}

static int check_schema(const struct peer_reader *reader, struct bytes text, struct error *err)
{
    struct buffer expected = { 0 };
    bool is_same;

    print_columns(reader->schema, &expected);
    is_same = bytes_equal(text, buffer_bytes(&expected));
    buffer_fini(&expected);
    return is_same ? 0
                   : error_set(err, ERR_LOG_UNAVAILABLE, NO_POSITION,
                               "it knows the table with other columns; ask again");
}

static int take_row(struct peer_reader *reader, struct bytes body, struct error *err)
{
    struct value *cells;
    int code;

    if (body.len < TIME_BYTES) {
        return damaged(err);
    }
    cells = arena_array(&reader->row, struct value, reader->schema->column_count + 1u);
    code = row_codec_decode(&reader->codec,
                            (struct bytes){ body.data + TIME_BYTES, body.len - TIME_BYTES }, cells,
                            &reader->row, err);
    if (!code) {
        reader->is_enough =
            !reader->row_taken(reader->context, cells, (int64_t)read_number(body.data, TIME_BYTES));
    }
    arena_reset(&reader->row);
    return code;
}

static int take_frame(struct peer_reader *reader, char kind, struct bytes body, struct error *err)
{
    switch (kind) {
    case 'S':
        return check_schema(reader, body, err);
    case 'R':
        return take_row(reader, body, err);
    case 'E':
        reader->has_ended = true;
        return 0;
    case 'X':
        return error_set(err, ERR_LOG_UNAVAILABLE, NO_POSITION, "%.*s", BYTES_ARG(body));
    default:
        return damaged(err);
    }
}

bool peer_reader_take(struct peer_reader *reader, struct bytes part)
{
    size_t at = 0;

    buffer_append_bytes(&reader->pending, part);
    while (!reader->failure.code && !reader->is_enough && reader->pending.len - at >= HEAD_BYTES) {
        const char *head = reader->pending.data + at;
        struct bytes body = { head + HEAD_BYTES, (size_t)read_number(head + 1, HEAD_BYTES - 1) };

        if (body.len > FRAME_MAX) {
            (void)damaged(&reader->failure);
        } else if (reader->pending.len - at - HEAD_BYTES < body.len) {
            break;
        } else {
            (void)take_frame(reader, *head, body, &reader->failure);
            at += HEAD_BYTES + body.len;
        }
    }
    if (at > 0) {
        memmove(reader->pending.data, reader->pending.data + at, reader->pending.len - at);
        reader->pending.len -= at;
    }
    return !reader->failure.code && !reader->is_enough;
}

int peer_reader_finish(const struct peer_reader *reader, struct error *err)
{
    if (reader->failure.code) {
        return error_set(err, reader->failure.code, NO_POSITION, "%s", reader->failure.message);
    }
    return reader->has_ended || reader->is_enough
               ? 0
               : error_set(err, ERR_LOG_UNAVAILABLE, NO_POSITION, "its answer was cut off");
}
