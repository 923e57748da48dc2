/*
 * rows.c: rows of queries in the three forms clients ask for (rest-api.md 2.3).
 *
 *   delimited  {"queryId"...}\n  [1,2]\n  ...
 *   JSON       [{"queryId"...}  ,[1,2]  ...  ]
 *   ksql       [{"header"...},\n  {"row"...},\n  ...  {"finalMessage"...}  ]
 *
 * Each is one write, and so one chunk. A pull query in the third form has no final message, so an
 * element waits for the next one, or the end, to know what stands behind it. For another node of
 * the service there is a fourth form, in which values keep their types (cli/remote/peer_rows.h).
 */
#include "cli/http/ksql/api_internal.h"
#include "cli/remote/peer_rows.h"

enum { PEER_CHUNK_BYTES = 1 << 15 };

static bool is_ksql(const struct rows *self)
{
    return self->job->media == MEDIA_KSQL;
}

static bool write_piece(struct rows *self, struct bytes piece)
{
    self->sent_bytes += piece.len;
    return reply_write(self->job->reply, piece);
}

/* The line goes out. */
static bool write_line(struct rows *self)
{
    bool is_there = write_piece(self, buffer_bytes(&self->line));

    self->line.len = 0;
    return is_there;
}

/* The element on the line, with what separates it from the next. */
static bool write_element(struct rows *self)
{
    struct buffer line = self->line;
    bool is_there = true;

    if (!is_ksql(self)) {
        return write_line(self);
    }
    if (self->is_push) {
        buffer_append_text(&self->line, ",\n");
        return write_line(self);
    }
    if (self->held.len > 0) {
        buffer_append_text(&self->held, ",\n");
        is_there = write_piece(self, buffer_bytes(&self->held));
    }
    self->line = self->held;
    self->line.len = 0;
    self->held = line;
    return is_there;
}

/* --- the header --- */

static void print_columns(struct rows *self)
{
    const struct schema *schema = self->schema;
    struct buffer type = { 0 };

    buffer_append_text(&self->line, ",\"columnNames\":[");
    for (uint32_t i = 0; i < schema->column_count; i++) {
        buffer_append_text(&self->line, i ? "," : "");
        print_quoted(&self->line, schema->columns[i].name);
    }
    buffer_append_text(&self->line, "],\"columnTypes\":[");
    for (uint32_t i = 0; i < schema->column_count; i++) {
        type.len = 0;
        type_print(schema->columns[i].type, &type);
        buffer_append_text(&self->line, i ? "," : "");
        print_quoted(&self->line, buffer_bytes(&type));
    }
    buffer_append_text(&self->line, "]}");
    buffer_fini(&type);
}

static void print_header(struct rows *self, struct bytes query_id)
{
    struct buffer schema = { 0 };

    if (is_ksql(self)) {
        print_schema_text(&schema, self->schema, self->is_push ? KEYS_UNMARKED : KEYS_MARKED);
        buffer_append_text(&self->line, "[{\"header\":{\"queryId\":");
        print_quoted(&self->line, query_id);
        print_text(&self->line, "schema", buffer_bytes(&schema));
        buffer_append_text(&self->line, "}}");
        buffer_fini(&schema);
        return;
    }
    buffer_append_text(&self->line,
                       self->job->media == MEDIA_JSON ? "[{\"queryId\":" : "{\"queryId\":");
    print_quoted(&self->line, query_id);
    print_columns(self);
    buffer_append_text(&self->line, self->job->media == MEDIA_JSON ? "" : "\n");
}

static void note_query(struct rows *self, struct bytes query_id, const struct schema *schema)
{
    struct ksql_api *api = self->job->api;

    self->schema = schema;
    self->has_begun = true;
    self->is_push = !bytes_starts_with(query_id, bytes_of("query_")); /* or a pull on a stream */
    pthread_mutex_lock(&api->mutex);
    self->active->id = arena_copy(&self->job->arena, query_id);
    pthread_mutex_unlock(&api->mutex);
    reply_begin(self->job->reply, 200, media_name(self->job->media));
}

static void begin_rows(void *context, struct bytes query_id, const struct schema *schema)
{
    struct rows *self = context;

    note_query(self, query_id, schema);
    print_header(self, query_id);
    (void)write_element(self); /* the first row asks whether the client is there */
}

/* --- rows --- */

static void print_cells(struct rows *self, const struct value *cells)
{
    buffer_append_char(&self->line, '[');
    for (uint32_t i = 0; i < self->schema->column_count; i++) {
        buffer_append_text(&self->line, i ? "," : "");
        value_print_json(&cells[i], self->schema->columns[i].type, &self->line);
    }
    buffer_append_char(&self->line, ']');
}

static bool tell_row(void *context, const struct value *cells, bool tombstone, int64_t timestamp_ms)
{
    struct rows *self = context;

    if (is_ksql(self)) {
        buffer_append_text(&self->line, "{\"row\":{\"columns\":");
        print_cells(self, cells);
        buffer_append_text(&self->line, tombstone ? ",\"tombstone\":true}}" : "}}");
    } else if (tombstone) {
        return true; /* these forms have none */
    } else if (self->job->media == MEDIA_JSON) {
        buffer_append_char(&self->line, ',');
        print_cells(self, cells);
    } else {
        print_cells(self, cells);
        buffer_append_char(&self->line, '\n');
    }
    return write_element(self);
}

/* --- the end --- */

static void write_text(struct rows *self, const char *text)
{
    (void)write_piece(self, bytes_of(text)); /* whoever has left misses nothing */
}

static void close_array(struct rows *self)
{
    write_text(self, self->is_push && !self->job->is_stream ? "]\n" : "]");
}

static void end_rows(void *context, struct bytes message)
{
    struct rows *self = context;

    if (self->job->media == MEDIA_JSON) {
        write_text(self, "]");
    } else if (is_ksql(self) && self->is_push) {
        buffer_append_text(&self->line, "{\"finalMessage\":");
        print_quoted(&self->line, message);
        buffer_append_char(&self->line, '}');
        (void)write_line(self);
        close_array(self);
    } else if (is_ksql(self)) {
        buffer_append_char(&self->held, ']');
        (void)write_piece(self, buffer_bytes(&self->held));
    }
}

/* --- for another node --- */

static void begin_for_peer(void *context, struct bytes query_id, const struct schema *schema)
{
    struct rows *self = context;

    note_query(self, query_id, schema);
    peer_codec_init(&self->codec, &self->job->arena, schema);
    peer_write_schema(schema, &self->line);
}

static bool tell_peer(void *context, const struct value *cells, bool tombstone,
                      int64_t timestamp_ms)
{
    struct rows *self = context;

    (void)tombstone; /* rows of pull queries are none */
    peer_write_row(&self->codec, cells, timestamp_ms, &self->line);
    return self->line.len < PEER_CHUNK_BYTES || write_line(self);
}

static void end_for_peer(void *context, struct bytes message)
{
    struct rows *self = context;

    (void)message; /* the node that asked knows when it has all */
    peer_write_end(&self->line);
    (void)write_line(self); /* whoever has left misses nothing */
}

void rows_fail(struct rows *rows, const struct api_error *error)
{
    struct api_error generic = *error;

    if (rows->job->media == MEDIA_PEER) {
        peer_write_failure(error->message, &rows->line);
        (void)write_line(rows);
        return;
    }
    generic.statement = (struct bytes){ NULL, 0 };
    generic.code = 50000;
    rows->line.len = 0;
    if (is_ksql(rows)) {
        if (rows->held.len > 0) {
            buffer_append_text(&rows->held, ",\n");
            (void)write_piece(rows, buffer_bytes(&rows->held));
        }
        buffer_append_text(&rows->line, "{\"errorMessage\":");
    } else if (rows->job->media == MEDIA_JSON) {
        buffer_append_char(&rows->line, ',');
    }
    error_entity_print(&generic, &rows->line);
    buffer_append_text(&rows->line, is_ksql(rows) ? "}" : "");
    buffer_append_text(&rows->line, rows->job->media == MEDIA_DELIMITED ? "\n" : "");
    (void)write_line(rows);
    if (rows->job->media != MEDIA_DELIMITED) {
        close_array(rows);
    }
}

/* --- PRINT: lines as they are --- */

static void begin_print(void *context)
{
    struct rows *self = context;

    self->has_begun = true;
    reply_begin(self->job->reply, 200,
                media_name(self->job->is_stream ? MEDIA_DELIMITED : MEDIA_JSON));
}

/* /query-stream has records alone; an empty line asks whether the client is there. */
static bool tell_printed(void *context, enum printed_line kind, struct bytes line)
{
    struct rows *self = context;

    if (self->job->is_stream && kind != PRINTED_RECORD) {
        return true;
    }
    buffer_append_bytes(&self->line, line);
    buffer_append_char(&self->line, '\n');
    return write_line(self);
}

static void tell_checking(void *context, struct bytes text)
{
    struct rows *self = context;

    self->statement = arena_copy(&self->job->arena, text); /* it is told of after the engine */
}

struct result_sink rows_sink(struct rows *rows)
{
    if (rows->job->media == MEDIA_PEER) {
        return (struct result_sink){ .rows_begin = begin_for_peer,
                                     .row = tell_peer,
                                     .rows_end = end_for_peer,
                                     .context = rows };
    }
    return (struct result_sink){ .masks_values = true,
                                 .checking = tell_checking,
                                 .rows_begin = begin_rows,
                                 .row = tell_row,
                                 .rows_end = end_rows,
                                 .print_begin = begin_print,
                                 .printed = tell_printed,
                                 .context = rows };
}

void rows_fini(struct rows *rows)
{
    buffer_fini(&rows->line);
    buffer_fini(&rows->held);
}
