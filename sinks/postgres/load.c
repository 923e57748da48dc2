/*
 * load.c: pending rows on their way: by COPY, or by statements whose parameters are arrays.
 *
 * COPY is begun as soon as there is something to send, so that Postgres works while records are
 * still being read. Arrays have one parameter per column, whatever the number of rows, and
 * hold the bytes that COPY would send: row by row turned into column by column.
 */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "sinks/postgres/postgres_internal.h"

enum { STREAM_BYTES = 64 * 1024, COUNT_BYTES = 2, OID_INT4_LENGTH = 4 };

/* Signature, flags, length of the extension. */
static const char copy_header[19] = "PGCOPY\n\377\r\n";

/* --- COPY --- */

static void print_columns(const struct target *target, struct buffer *out)
{
    for (uint32_t i = 0; i < target->column_count; i++) {
        buffer_printf(out, "%s%s", i ? ", " : "", target->columns[i].quoted);
    }
}

static int put_copy(struct loader *l, const char *data, size_t len, struct error *err)
{
    int taken;

    while ((taken = PQputCopyData(l->session.conn, data, (int)len)) == 0) {
        TRY(session_flush(&l->session, err));
    }
    return taken < 0 ? session_broken(&l->session, err) : 0;
}

int load_begin(struct loader *l, struct error *err)
{
    if (l->in_transaction) {
        return 0;
    }
    TRY(session_run(&l->session, "BEGIN", NULL, err));
    l->in_transaction = true;
    return 0;
}

static int begin_copy(struct loader *l, struct target *target, struct error *err)
{
    struct buffer sql = { 0 };
    PGresult *result = NULL;
    int code = 0;

    buffer_printf(&sql, "COPY %s (", target->quoted);
    print_columns(target, &sql);
    buffer_append_text(&sql, ") FROM STDIN (FORMAT binary)");
    buffer_append_char(&sql, '\0');
    if (!PQsendQuery(l->session.conn, sql.data)) {
        code = session_broken(&l->session, err);
    }
    buffer_fini(&sql);
    TRY(code);
    code = session_result(&l->session, &result, err);
    if (code) {
        (void)session_settle(&l->session, NULL); /* the error is known */
        return code;
    }
    PQclear(result);
    l->copying = target;
    return put_copy(l, copy_header, sizeof copy_header, err);
}

int load_end_stream(struct loader *l, struct error *err)
{
    static const char trailer[] = "\377\377";
    int taken;

    if (!l->copying) {
        return 0;
    }
    l->copying = NULL;
    TRY(put_copy(l, trailer, sizeof trailer - 1, err));
    while ((taken = PQputCopyEnd(l->session.conn, NULL)) == 0) {
        TRY(session_flush(&l->session, err));
    }
    return taken < 0 ? session_broken(&l->session, err) : session_settle(&l->session, err);
}

int load_cancel_stream(struct loader *l, struct error *err)
{
    if (l->copying) {
        l->copying = NULL;
        if (PQputCopyEnd(l->session.conn, "begun anew") < 0) {
            return session_broken(&l->session, err);
        }
        if (session_settle(&l->session, err) && l->session.fault == FAULT_CONNECTION) {
            return (int)err->code;
        }
        error_clear(err); /* that it was cancelled */
    }
    if (l->in_transaction) {
        l->in_transaction = false;
        return session_run(&l->session, "ROLLBACK", NULL, err);
    }
    return 0;
}

/* Tuples lie behind each other: all that is new goes in one piece. */
static int stream_rows(struct loader *l, struct target *target, struct error *err)
{
    struct pending *p = target->pending;
    size_t begin = p->rows[p->sent].tuple_at;

    if (l->copying != target) {
        TRY(load_end_stream(l, err));
        TRY(load_begin(l, err));
        TRY(begin_copy(l, target, err));
    }
    TRY(put_copy(l, p->bytes.data + begin, p->bytes.len - begin, err));
    p->sent = p->row_count;
    return session_push(&l->session, err);
}

int load_stream(struct loader *l, struct target *target, struct error *err)
{
    struct pending *p = target->pending;

    if (p->sent == p->row_count || p->bytes.len - p->rows[p->sent].tuple_at < STREAM_BYTES) {
        return 0;
    }
    return stream_rows(l, target, err);
}

int load_stream_rest(struct loader *l, struct target *target, struct error *err)
{
    return target->pending->sent == target->pending->row_count ? 0 : stream_rows(l, target, err);
}

int load_copy(struct loader *l, struct target *target, const uint32_t *rows, uint32_t count,
              struct error *err)
{
    const struct pending *p = target->pending;

    TRY(begin_copy(l, target, err));
    for (uint32_t i = 0; i < count; i++) {
        const struct pending_row *row = &p->rows[rows[i]];

        TRY(put_copy(l, p->bytes.data + row->tuple_at, row->tuple_len, err));
    }
    return load_end_stream(l, err);
}

/* --- arrays --- */

static uint32_t length_at(const char *at)
{
    uint32_t length;

    memcpy(&length, at, sizeof length);
    return __builtin_bswap32(length);
}

/* The next field of every row, as an array; each row's place moves behind it. */
static void turn_column(const char **places, uint32_t count, uint32_t oid, struct buffer *out)
{
    put_u32(out, 1); /* dimensions */
    put_u32(out, 1); /* there may be nulls */
    put_u32(out, oid);
    put_u32(out, count);
    put_u32(out, 1); /* the first subscript */
    for (uint32_t i = 0; i < count; i++) {
        uint32_t length = length_at(places[i]);
        size_t size = OID_INT4_LENGTH + (length == UINT32_MAX ? 0 : length);

        buffer_reserve(out, size);
        memcpy(out->data + out->len, places[i], size);
        out->len += size;
        places[i] += size;
    }
}

struct array_parameters {
    uint32_t count;
    Oid *types;
    const char **values;
    int *lengths;
    int *formats;
    size_t *at; /* in the buffer, which moves while it grows */
};

static void alloc_parameters(struct arena *arena, uint32_t count, struct array_parameters *out)
{
    out->count = count;
    out->types = arena_array(arena, Oid, count);
    out->values = arena_array(arena, const char *, count);
    out->lengths = arena_array(arena, int, count);
    out->formats = arena_array(arena, int, count);
    out->at = arena_array(arena, size_t, count);
}

/* Columns of the statement: all, or those of the key. */
static const struct target_column *column_of(const struct target *target, bool keys, uint32_t i)
{
    return &target->columns[keys ? target->keys[i] : i];
}

static void turn(struct loader *l, const struct target *target, bool keys, const uint32_t *rows,
                 struct array_parameters *out, uint32_t count)
{
    const struct pending *p = target->pending;
    const char **places = memory_alloc(count * sizeof *places);

    for (uint32_t i = 0; i < count; i++) {
        const struct pending_row *row = &p->rows[rows[i]];

        places[i] = p->bytes.data + (keys ? row->key_at : row->tuple_at + COUNT_BYTES);
    }
    l->scratch.len = 0;
    for (uint32_t c = 0; c < out->count; c++) {
        const struct codec *codec = column_of(target, keys, c)->codec;

        out->at[c] = l->scratch.len;
        turn_column(places, count, codec->oid, &l->scratch);
        out->types[c] = codec->array_oid;
        out->lengths[c] = (int)(l->scratch.len - out->at[c]);
        out->formats[c] = 1;
    }
    for (uint32_t c = 0; c < out->count; c++) {
        out->values[c] = l->scratch.data + out->at[c];
    }
    free(places);
}

/* --- statements --- */

/* x.a1, with the cast of its column. */
static void print_item(const struct target_column *column, uint32_t number, struct buffer *out)
{
    buffer_printf(out, "x.a%u", number);
    if (column->cast) {
        buffer_printf(out, "::%s", column->cast);
    }
}

static void print_rows(uint32_t count, struct buffer *out)
{
    buffer_append_text(out, "unnest(");
    for (uint32_t i = 0; i < count; i++) {
        buffer_printf(out, "%s$%u", i ? ", " : "", i + 1);
    }
    buffer_append_text(out, ") AS x(");
    for (uint32_t i = 0; i < count; i++) {
        buffer_printf(out, "%sa%u", i ? ", " : "", i);
    }
    buffer_append_char(out, ')');
}

static void print_conflict(const struct target *target, struct buffer *out)
{
    bool any = false;

    buffer_append_text(out, " ON CONFLICT (");
    for (uint32_t i = 0; i < target->key_count; i++) {
        buffer_printf(out, "%s%s", i ? ", " : "", target->columns[target->keys[i]].quoted);
    }
    buffer_append_text(out, ") DO ");
    for (uint32_t i = 0; i < target->column_count; i++) {
        const char *name = target->columns[i].quoted;

        if (!target->columns[i].is_key) {
            buffer_printf(out, "%s%s = EXCLUDED.%s", any ? ", " : "UPDATE SET ", name, name);
            any = true;
        }
    }
    buffer_append_text(out, any ? "" : "NOTHING");
}

static void print_insert(const struct target *target, struct buffer *out)
{
    buffer_printf(out, "INSERT INTO %s (", target->quoted);
    print_columns(target, out);
    buffer_append_text(out, ") SELECT ");
    for (uint32_t i = 0; i < target->column_count; i++) {
        buffer_append_text(out, i ? ", " : "");
        print_item(&target->columns[i], i, out);
    }
    buffer_append_text(out, " FROM ");
    print_rows(target->column_count, out);
    if (target->mode == MODE_UPSERT) {
        print_conflict(target, out);
    }
}

static void print_update(const struct target *target, struct buffer *out)
{
    bool any = false;
    bool sets_keys = target->key_count == target->column_count;

    buffer_printf(out, "UPDATE %s AS t SET ", target->quoted);
    for (uint32_t i = 0; i < target->column_count; i++) {
        if (!target->columns[i].is_key || sets_keys) {
            buffer_printf(out, "%s%s = ", any ? ", " : "", target->columns[i].quoted);
            print_item(&target->columns[i], i, out);
            any = true;
        }
    }
    buffer_append_text(out, " FROM ");
    print_rows(target->column_count, out);
    for (uint32_t i = 0; i < target->key_count; i++) {
        const struct target_column *column = &target->columns[target->keys[i]];

        buffer_printf(out, "%s t.%s = ", i ? " AND" : " WHERE", column->quoted);
        print_item(column, target->keys[i], out);
    }
}

static void print_delete(const struct target *target, struct buffer *out)
{
    buffer_printf(out, "DELETE FROM %s AS t USING ", target->quoted);
    print_rows(target->key_count, out);
    for (uint32_t i = 0; i < target->key_count; i++) {
        const struct target_column *column = &target->columns[target->keys[i]];

        buffer_printf(out, "%s t.%s = ", i ? " AND" : " WHERE", column->quoted);
        print_item(column, i, out);
    }
}

static void print_statement(const struct target *target, bool deletes, struct buffer *out)
{
    if (deletes) {
        print_delete(target, out);
    } else if (target->mode == MODE_UPDATE) {
        print_update(target, out);
    } else {
        print_insert(target, out);
    }
    buffer_append_char(out, '\0');
}

int load_send(struct loader *l, struct target *target, bool deletes, const uint32_t *rows,
              uint32_t count, struct arena *arena, struct error *err)
{
    struct array_parameters parameters;
    struct buffer sql = { 0 };
    int taken;

    alloc_parameters(arena, deletes ? target->key_count : target->column_count, &parameters);
    turn(l, target, deletes, rows, &parameters, count);
    print_statement(target, deletes, &sql);
    taken = PQsendQueryParams(l->session.conn, sql.data, (int)parameters.count, parameters.types,
                              parameters.values, parameters.lengths, parameters.formats, 0);
    buffer_fini(&sql);
    return taken ? session_push(&l->session, err) : session_broken(&l->session, err);
}
