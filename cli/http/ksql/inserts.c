/*
 * inserts.c: POST /inserts-stream: rows in, acknowledgements out, for as long as the client likes
 * (rest-api.md 2.6).
 *
 *   {"target":"S"}\n          -> the head of the answer
 *   {"ID":"a"}\n{"ID":"b"}\n  -> {"status":"ok","seq":0}\n  {"status":"ok","seq":1}\n
 *
 * What has come while the last transaction was under way makes up the next one; a row is
 * acknowledged when its transaction is committed. The rows before a bad one are kept.
 */
#include <string.h>

#include "cli/http/ksql/api_internal.h"
#include "engine/command/insert_stream.h"

static const enum media offered[] = { MEDIA_DELIMITED, MEDIA_JSON };

enum { LINE_MAX_BYTES = 10 * 1024 * 1024, TRANSACTION_MAX_BYTES = 4 * 1024 * 1024 };

struct inserts {
    struct ksql_job *job;
    struct session *session;
    struct insert_stream *stream; /* NULL: the first line has not come yet */
    struct buffer text;           /* lines that are not handled yet */
    size_t begin;                 /* of the first of them */
    struct buffer line;           /* that is written */
    int64_t added;                /* rows */
    int64_t told;                 /* of these, acknowledged */
    bool is_over;                 /* an error was told, or nobody listens any more */
    bool is_refused;              /* the answer is this alone */
    struct api_error refusal;
};

/* --- lines --- */

static void drop_handled(struct inserts *self)
{
    self->text.len -= self->begin;
    if (self->text.len > 0) {
        memmove(self->text.data, self->text.data + self->begin, self->text.len);
    }
    self->begin = 0;
}

/* The next line that is not blank; at the end of the body the last one needs no newline. */
static bool next_line(struct inserts *self, bool is_end, struct bytes *out)
{
    while (self->begin < self->text.len) {
        const char *begin = self->text.data + self->begin;
        size_t left = self->text.len - self->begin;
        const char *newline = memchr(begin, '\n', left);
        size_t len = newline ? (size_t)(newline - begin) : left;

        if (!newline && !is_end) {
            return false;
        }
        self->begin += len + (newline ? 1 : 0);
        *out = request_trim((struct bytes){ begin, len });
        if (out->len > 0) {
            return true;
        }
    }
    return false;
}

/* --- the answer --- */

static bool is_array(const struct inserts *self)
{
    return self->job->media == MEDIA_JSON;
}

/* The element on the line, with what separates it from its neighbours, is a piece of its own. */
static void write_line(struct inserts *self)
{
    buffer_append_text(&self->line, is_array(self) ? "" : "\n");
    self->is_over = !reply_write(self->job->reply, buffer_bytes(&self->line));
    self->line.len = 0;
    self->told++;
}

static void begin_line(struct inserts *self)
{
    if (is_array(self)) {
        buffer_append_char(&self->line, self->told > 0 ? ',' : '[');
    }
}

static void tell_added(struct inserts *self)
{
    while (self->told < self->added && !self->is_over) {
        begin_line(self);
        buffer_printf(&self->line, "{\"status\":\"ok\",\"seq\":%lld}", (long long)self->told);
        write_line(self);
    }
}

/* Of the row that comes next; then the end. */
static void tell_error(struct inserts *self, int code, const struct error *err)
{
    int64_t sequence = self->told;

    begin_line(self);
    buffer_printf(&self->line, "{\"@type\":\"InsertError\",\"error_code\":%d", code);
    print_text(&self->line, "message", bytes_of(err->message));
    buffer_printf(&self->line, ",\"status\":\"error\",\"seq\":%lld}", (long long)sequence);
    write_line(self);
    self->is_over = true;
}

static void end_answer(struct inserts *self)
{
    if (self->is_refused) {
        error_entity_reply(self->job->reply, &self->refusal);
        return;
    }
    if (is_array(self)) {
        (void)reply_write(self->job->reply, bytes_of(self->told > 0 ? "]" : "[]"));
    }
    reply_end(self->job->reply);
}

/* --- the first line --- */

static void refuse(struct inserts *self, int code, const struct error *err)
{
    const struct bytes no_statement = { NULL, 0 };

    self->refusal = error_entity_of(err, no_statement, &self->job->arena);
    self->refusal.code = self->refusal.status == 400 ? code : self->refusal.code;
    self->is_refused = true;
    self->is_over = true;
}

static void open_stream(struct inserts *self, struct bytes line)
{
    struct ksql_request request;
    struct error err = { 0 };

    if (request_parse(line, "target", &self->job->arena, &request, &err) ||
        request_apply(&request, self->session, &err)) {
        refuse(self, 40000, &err);
    } else if (insert_stream_open(self->session, request.text, &self->stream, &err)) {
        refuse(self, err.code == ERR_UNSUPPORTED ? 40000 : 40001, &err);
    } else {
        reply_begin(self->job->reply, 200, media_name(self->job->media));
    }
}

/* --- rows --- */

static void commit(struct inserts *self)
{
    struct error err = { 0 };

    if (self->added == self->told || self->is_over) {
        return;
    }
    if (insert_stream_commit(self->stream, &err)) {
        tell_error(self, 50000, &err);
    } else {
        tell_added(self);
    }
}

static void add_row(struct inserts *self, struct bytes line)
{
    struct error err = { 0 };

    if (insert_stream_add(self->stream, line, &err)) {
        commit(self);
        if (!self->is_over) {
            tell_error(self, 40000, &err);
        }
        return;
    }
    self->added++;
    if (insert_stream_size(self->stream) >= TRANSACTION_MAX_BYTES) {
        commit(self);
    }
}

/* All lines that are whole. */
static void take_lines(struct inserts *self, bool is_end)
{
    struct bytes line;

    while (!self->is_over && next_line(self, is_end, &line)) {
        if (self->stream) {
            add_row(self, line);
        } else {
            open_stream(self, line);
        }
    }
    if (self->stream) {
        commit(self);
    }
    drop_handled(self);
}

static void check_length(struct inserts *self)
{
    struct error err = { 0 };

    if (self->is_over || self->text.len <= LINE_MAX_BYTES) {
        return;
    }
    (void)error_set(&err, ERR_SYNTAX, NO_POSITION, "A line of over %d bytes", LINE_MAX_BYTES);
    if (self->stream) {
        tell_error(self, 40000, &err);
    } else {
        refuse(self, 40000, &err);
    }
}

static void take_all(struct inserts *self)
{
    struct error err = { 0 };

    while (!self->is_over && reply_read(self->job->reply, &self->text)) {
        take_lines(self, false);
        check_length(self);
    }
    if (!self->is_over) {
        take_lines(self, true);
    }
    if (!self->is_over && !self->stream) {
        (void)error_set(&err, ERR_SYNTAX, NO_POSITION, "Invalid JSON in request: no target");
        refuse(self, 40000, &err);
    }
}

static void run_inserts_job(struct ksql_job *job)
{
    struct active_query active = { .inserts = job->reply };
    struct inserts self = { .job = job, .session = session_create(job->api->engine) };

    active_enlist(job->api, &active);
    take_all(&self);
    active_delist(job->api, &active);
    end_answer(&self);
    if (self.stream) {
        insert_stream_close(self.stream);
    }
    session_destroy(self.session);
    buffer_fini(&self.text);
    buffer_fini(&self.line);
}

void inserts_open(struct exchange *exchange, void *context)
{
    struct ksql_api *api = context;
    const struct job_spec spec = { .offered = offered,
                                   .offered_count = sizeof offered / sizeof offered[0],
                                   .usual = MEDIA_DELIMITED,
                                   .streams = true,
                                   .receives = true,
                                   .lane = &api->queries,
                                   .run = run_inserts_job };

    job_submit(exchange, api, &spec, (struct bytes){ NULL, 0 });
}
