/*
 * insert_stream.c: rows that a client sends one after the other (rest-api.md 2.6).
 *
 * A row is checked and encoded when it comes; those that came meanwhile share a transaction, so
 * the engine's mutex is taken once per transaction and never for a row.
 */
#include <stdlib.h>

#include "base/memory.h"
#include "engine/command/insert_stream.h"
#include "engine/command/insert_writer.h"
#include "engine/format/json_strict.h"

struct insert_stream {
    struct arena arena; /* the writer's */
    struct arena row;
    struct insert_writer writer;
};

static int find_target(struct command *command, struct bytes target, const struct source **out,
                       struct error *err)
{
    const struct ast_name name = { .text = name_read(target, command->arena) };
    struct plan_settings settings;
    struct plan_context context;

    TRY(insert_check_enabled(command, NO_POSITION, err));
    planning_settings(command, &settings);
    planning_context(command, &settings, &context);
    TRY(plan_insert_target(&context, &name, out, err));
    return insert_check_topic(command, *out, &name, err);
}

static int open_writer(struct insert_stream *stream, struct session *session, struct bytes target,
                       struct error *err)
{
    struct command command = { .engine = session->engine,
                               .session = session,
                               .arena = &stream->arena,
                               .catalog = session->engine->catalog,
                               .properties = &session->properties };
    const struct source *source = NULL;

    TRY(find_target(&command, target, &source, err));
    return insert_writer_init(&stream->writer, session->engine, source, &stream->arena, err);
}

int insert_stream_open(struct session *session, struct bytes target, struct insert_stream **out,
                       struct error *err)
{
    struct insert_stream *stream = memory_zalloc(1, sizeof *stream);
    int code;

    arena_init(&stream->arena, 0);
    arena_init(&stream->row, 0);
    pthread_mutex_lock(&session->engine->mutex);
    code = open_writer(stream, session, target, err);
    pthread_mutex_unlock(&session->engine->mutex);
    if (code) {
        insert_stream_close(stream);
        return code;
    }
    *out = stream;
    return 0;
}

void insert_stream_close(struct insert_stream *stream)
{
    insert_writer_fini(&stream->writer);
    arena_fini(&stream->row);
    arena_fini(&stream->arena);
    free(stream);
}

/* A row of a stream needs its key here, too. */
static int check_key(const struct schema *schema, const struct value *cells, struct error *err)
{
    for (uint32_t i = 0; i < schema->key_count; i++) {
        if (value_is_null(&cells[i])) {
            return error_set(err, ERR_INSERT_VALUE, NO_POSITION,
                             "Key field must be specified: %.*s",
                             BYTES_ARG(schema->columns[i].name));
        }
    }
    return 0;
}

int insert_stream_add(struct insert_stream *stream, struct bytes json, struct error *err)
{
    const struct schema *schema = &stream->writer.source.schema;
    struct value *cells;

    arena_reset(&stream->row);
    cells = arena_array(&stream->row, struct value, schema->column_count);
    TRY(json_strict_read(json, schema->columns, schema->column_count, &stream->row, cells, err));
    TRY(check_key(schema, cells, err));
    return insert_writer_add(&stream->writer, cells,
                             clock_now_ms(stream->writer.engine->config.clock), err);
}

size_t insert_stream_size(const struct insert_stream *stream)
{
    return stream->writer.size_bytes;
}

int insert_stream_commit(struct insert_stream *stream, struct error *err)
{
    struct engine *engine = stream->writer.engine;
    int code;

    pthread_mutex_lock(&engine->mutex);
    code = insert_writer_commit(&stream->writer, err);
    pthread_mutex_unlock(&engine->mutex);
    return code;
}
