/*
 * offsets.c: positions in a table of the target database, and the fence.
 *
 * A row per connector, topic and partition holds the next offset and an epoch. Whoever starts
 * raises the epoch; a flush moves the offset from where this task left it, under its own epoch,
 * in the transaction of the rows. Where that does not find every row as it should be it divides by
 * zero, so that the transaction fails as a whole: a former owner cannot write any more, and a
 * COMMIT whose answer was lost is settled by reading the table.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "sinks/postgres/postgres_internal.h"

int offsets_create(struct session *s, struct offsets *offsets, bool *allowed, struct error *err)
{
    struct buffer sql = { 0 };
    int code;

    buffer_printf(&sql,
                  "CREATE TABLE IF NOT EXISTS %s (sink text, topic text, part int, "
                  "next_offset bigint NOT NULL, epoch bigint NOT NULL, updated_at timestamptz, "
                  "PRIMARY KEY (sink, topic, part))",
                  offsets->table);
    buffer_append_char(&sql, '\0');
    code = session_run(s, sql.data, NULL, err);
    if (code && s->fault == FAULT_RECORD) { /* another task makes it at the same moment */
        error_clear(err);
        code = session_run(s, sql.data, NULL, err);
    }
    buffer_fini(&sql);
    *allowed = !(code && s->fault == FAULT_CONFIG);
    return code;
}

/* --- arrays as text --- */

static void begin_item(struct buffer *out)
{
    buffer_append_char(out, out->len ? ',' : '{');
}

static void add_number(struct buffer *out, int64_t number)
{
    begin_item(out);
    buffer_printf(out, "%" PRId64, number);
}

static void add_name(struct buffer *out, struct bytes name)
{
    begin_item(out);
    buffer_append_char(out, '"');
    for (size_t i = 0; i < name.len; i++) {
        if (name.data[i] == '"' || name.data[i] == '\\') {
            buffer_append_char(out, '\\');
        }
        buffer_append_char(out, name.data[i]);
    }
    buffer_append_char(out, '"');
}

/* NUL-terminated, in the arena. */
static const char *end_array(struct buffer *array, struct arena *arena)
{
    const char *text;

    buffer_append_text(array, array->len ? "}" : "{}");
    text = arena_copy_text(arena, buffer_bytes(array));
    buffer_fini(array);
    return text;
}

/* --- taking over --- */

static struct offset_at *find_at(struct offsets *offsets, struct bytes topic, uint32_t partition)
{
    for (uint32_t i = 0; i < offsets->items.count; i++) {
        struct offset_at *at = &offsets->items.items[i];

        if (at->partition == partition && bytes_equal(at->topic, topic)) {
            return at;
        }
    }
    return NULL;
}

static void take_row(struct offsets *offsets, const PGresult *result, int row)
{
    struct offset_at *at = vec_push(&offsets->arena, &offsets->items);

    at->topic = arena_copy(&offsets->arena, bytes_of(PQgetvalue(result, row, 0)));
    at->partition = (uint32_t)strtoul(PQgetvalue(result, row, 1), NULL, 10);
    at->stored = strtoll(PQgetvalue(result, row, 2), NULL, 10);
    at->epoch = strtoll(PQgetvalue(result, row, 3), NULL, 10);
}

static int fence(struct session *s, struct offsets *offsets, const struct positions *from,
                 PGresult **out, struct error *err)
{
    struct buffer topics = { 0 };
    struct buffer partitions = { 0 };
    struct buffer starts = { 0 };
    struct buffer fresh = { 0 };
    struct buffer sql = { 0 };
    const char *values[5];
    const struct text_parameters parameters = { values, 5 };
    int code;

    for (uint32_t i = 0; i < from->count; i++) {
        add_name(&topics, from->items[i].topic);
        add_number(&partitions, from->items[i].partition);
        add_number(&starts, from->items[i].offset);
        add_number(&fresh, from->items[i].is_fresh);
    }
    values[0] = arena_copy_text(&offsets->arena, offsets->sink);
    values[1] = end_array(&topics, &offsets->arena);
    values[2] = end_array(&partitions, &offsets->arena);
    values[3] = end_array(&starts, &offsets->arena);
    values[4] = end_array(&fresh, &offsets->arena);
    buffer_printf(&sql,
                  "WITH x AS (SELECT * FROM unnest($2::text[], $3::int[], $4::bigint[], $5::int[])"
                  " AS x(t, p, n, fresh) ORDER BY t, p)"
                  " INSERT INTO %s AS o (sink, topic, part, next_offset, epoch, updated_at)"
                  " SELECT $1, t, p, n, 1, now() FROM x"
                  " ON CONFLICT (sink, topic, part) DO UPDATE SET epoch = o.epoch + 1,"
                  " next_offset = CASE WHEN (SELECT fresh FROM x WHERE t = o.topic AND p = o.part)"
                  " = 1 THEN excluded.next_offset ELSE o.next_offset END,"
                  " updated_at = now() RETURNING topic, part, next_offset, epoch",
                  offsets->table);
    buffer_append_char(&sql, '\0');
    code = session_query(s, sql.data, &parameters, out, err);
    buffer_fini(&sql);
    return code;
}

int offsets_fence(struct session *s, struct offsets *offsets, struct positions *from,
                  struct error *err)
{
    PGresult *result = NULL;

    TRY(fence(s, offsets, from, &result, err));
    for (int row = 0; row < PQntuples(result); row++) {
        take_row(offsets, result, row);
    }
    PQclear(result);
    for (uint32_t i = 0; i < from->count; i++) {
        struct position_at *position = &from->items[i];
        const struct offset_at *at = find_at(offsets, position->topic, position->partition);

        position->offset = at ? at->stored : position->offset;
    }
    return 0;
}

/* --- moving on --- */

int offsets_send(struct session *s, struct offsets *offsets, const struct positions *upto,
                 bool *sent, struct error *err)
{
    struct buffer arrays[5] = { { 0 } };
    struct buffer sql = { 0 };
    const char *values[6];
    struct arena arena;
    bool any = false;
    int taken = 1;

    for (uint32_t i = 0; i < upto->count; i++) {
        const struct position_at *to = &upto->items[i];
        const struct offset_at *at = find_at(offsets, to->topic, to->partition);

        if (at && at->stored != to->offset) {
            add_name(&arrays[0], to->topic);
            add_number(&arrays[1], to->partition);
            add_number(&arrays[2], at->stored);
            add_number(&arrays[3], to->offset);
            add_number(&arrays[4], at->epoch);
            any = true;
        }
    }
    *sent = any;
    if (!any) {
        return 0;
    }
    arena_init(&arena, 0);
    values[0] = arena_copy_text(&arena, offsets->sink);
    for (int i = 0; i < 5; i++) {
        values[i + 1] = end_array(&arrays[i], &arena);
    }
    buffer_printf(&sql,
                  "WITH u AS (UPDATE %s o SET next_offset = x.n, updated_at = now()"
                  " FROM unnest($2::text[], $3::int[], $4::bigint[], $5::bigint[], $6::bigint[])"
                  " AS x(t, p, expect, n, epoch)"
                  " WHERE o.sink = $1 AND o.topic = x.t AND o.part = x.p"
                  " AND o.next_offset = x.expect AND o.epoch = x.epoch RETURNING 1)"
                  " SELECT 1 / (CASE WHEN (SELECT count(*) FROM u) = cardinality($3::int[])"
                  " THEN 1 ELSE 0 END)",
                  offsets->table);
    buffer_append_char(&sql, '\0');
    taken = PQsendQueryParams(s->conn, sql.data, 6, NULL, values, NULL, NULL, 0);
    buffer_fini(&sql);
    arena_fini(&arena);
    return taken ? 0 : session_broken(s, err);
}

void offsets_moved(struct offsets *offsets, const struct positions *upto)
{
    for (uint32_t i = 0; i < upto->count; i++) {
        struct offset_at *at = find_at(offsets, upto->items[i].topic, upto->items[i].partition);

        if (at) {
            at->stored = upto->items[i].offset;
        }
    }
}
