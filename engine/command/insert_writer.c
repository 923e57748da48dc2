/*
 * insert_writer.c: encoders, a builder per partition, and the engine's transactional writer.
 *
 * A transaction that fails leaves the writer in a state that nobody knows: it is closed, which
 * aborts what is open, and the next commit begins with a new one.
 */
#include "engine/command/insert_writer.h"

#include <string.h>

enum { TRANSACTION_TIMEOUT_MS = 10000 };

int insert_check_enabled(const struct command *command, struct position at, struct error *err)
{
    if (!property_get_boolean(command->properties, "ksql.insert.into.values.enabled")) {
        return error_set(err, ERR_UNSUPPORTED, at,
                         "INSERT VALUES is switched off (ksql.insert.into.values.enabled)");
    }
    return 0;
}

int insert_check_topic(const struct command *command, const struct source *source,
                       const struct ast_name *name, struct error *err)
{
    if (topic_is_listed(command->properties, "ksql.readonly.topics", source->topic)) {
        return error_set(err, ERR_INSERT_TARGET, name->at, "The topic %.*s is read-only",
                         BYTES_ARG(source->topic));
    }
    return 0;
}

/* --- encoding --- */

/* The columns of one side, and where their cells are. Header columns are not written. */
static struct encoder_spec side_columns(struct arena *arena, const struct source *source,
                                        enum format_side side)
{
    const struct schema *schema = &source->schema;
    struct column *columns = arena_array(arena, struct column, schema->column_count);
    operand *at = arena_array(arena, operand, schema->column_count);
    enum column_role role = side == SIDE_KEY ? COLUMN_KEY : COLUMN_VALUE;
    struct encoder_spec spec = { .side = side, .columns = columns, .at = at };

    for (uint32_t i = 0; i < schema->column_count; i++) {
        if (schema->columns[i].role == role) {
            columns[spec.column_count] = schema->columns[i];
            at[spec.column_count++] = operand_make(BANK_CELLS, i);
        }
    }
    spec.options = side == SIDE_KEY ? source->key_format.options : source->value_format.options;
    return spec;
}

static int open_encoders(struct insert_writer *writer, struct error *err)
{
    if (writer->key_columns.column_count > 0) {
        TRY(encoder_open(&writer->key, writer->source.key_format.kind, &writer->key_columns, err));
    }
    if (writer->value_columns.column_count > 0) {
        TRY(encoder_open(&writer->value, writer->source.value_format.kind, &writer->value_columns,
                         err));
    }
    return 0;
}

static bool is_all_null(const struct encoder_spec *spec, const struct row_banks *row)
{
    for (uint32_t i = 0; i < spec->column_count; i++) {
        if (!value_is_null(banks_value(row, spec->at[i]))) {
            return false;
        }
    }
    return true;
}

/* Null: there is no key, or no value. */
static int encode_side(struct encoder *encoder, const struct row_banks *row, struct buffer *out,
                       bool *is_null, struct error *err)
{
    *is_null = !encoder->kind;
    return encoder->kind ? encoder->kind->encode_row(encoder, row, out, is_null, err) : 0;
}

static int encode_row(struct insert_writer *writer, const struct row_banks *row, struct buffer *key,
                      struct buffer *value, int64_t timestamp_ms, struct error *err)
{
    struct bytes no_key = { NULL, 0 };
    struct bytes parts[2];
    struct log_builder *builder;
    bool key_is_null = true;
    bool value_is_null = false;
    uint32_t partition;

    if (!is_all_null(&writer->key_columns, row)) {
        TRY(encode_side(&writer->key, row, key, &key_is_null, err));
    }
    TRY(encode_side(&writer->value, row, value, &value_is_null, err));
    parts[0] = key_is_null ? no_key : buffer_bytes(key);
    parts[1] = value_is_null ? no_key : buffer_bytes(value);
    partition = key_is_null ? (uint32_t)(writer->round++ % writer->topic->partition_count)
                            : log_partition_of(parts[0], writer->topic->partition_count);
    builder = &writer->partitions[partition];
    log_builder_add(builder, parts[0], parts[1], timestamp_ms, NULL, 0);
    writer->size_bytes += parts[0].len + parts[1].len;
    writer->row_count++;
    return 0;
}

int insert_writer_add(struct insert_writer *writer, const struct value *cells, int64_t timestamp_ms,
                      struct error *err)
{
    const struct row_banks row = { { cells, NULL, NULL, NULL } };
    struct buffer key = { 0 };
    struct buffer value = { 0 };
    int code = encode_row(writer, &row, &key, &value, timestamp_ms, err);

    buffer_fini(&key);
    buffer_fini(&value);
    return code;
}

/* --- writing --- */

static int open_log_writer(struct engine *engine, struct error *err)
{
    struct buffer name = { 0 };
    struct writer_spec spec = { .transaction_timeout_ms = TRANSACTION_TIMEOUT_MS };
    int code;

    if (engine->inserts) {
        return 0;
    }
    buffer_printf(&name, "%s/%s/inserts", engine->service_id, engine->node_id);
    spec.client_id = bytes_of(engine->client_id);
    spec.transactional_id = buffer_bytes(&name);
    code = log_writer_open(engine->config.log, &spec, &engine->inserts, err);
    buffer_fini(&name);
    return code;
}

static int write_records(struct insert_writer *writer, struct error *err)
{
    struct log_writer *inserts = writer->engine->inserts;

    TRY(log_writer_begin(inserts, err));
    for (uint32_t i = 0; i < writer->topic->partition_count; i++) {
        if (writer->partitions[i].record_count > 0) {
            TRY(log_writer_append(inserts, writer->topic, i, &writer->partitions[i], NULL, err));
        }
    }
    return log_writer_commit(inserts, err);
}

int insert_writer_commit(struct insert_writer *writer, struct error *err)
{
    struct engine *engine = writer->engine;
    int code;

    if (writer->row_count == 0) {
        return 0;
    }
    TRY(open_log_writer(engine, err));
    code = write_records(writer, err);
    if (code) {
        log_writer_close(engine->inserts); /* what became of it is not known: begin anew */
        engine->inserts = NULL;
    }
    for (uint32_t i = 0; i < writer->topic->partition_count; i++) {
        log_builder_reset(&writer->partitions[i]);
    }
    writer->row_count = 0;
    writer->size_bytes = 0;
    return code;
}

/* --- life --- */

int insert_writer_init(struct insert_writer *writer, struct engine *engine,
                       const struct source *source, struct arena *arena, struct error *err)
{
    *writer = (struct insert_writer){ .engine = engine, .round = engine->insert_round++ };
    source_copy(arena, source, &writer->source);
    writer->key_columns = side_columns(arena, &writer->source, SIDE_KEY);
    writer->value_columns = side_columns(arena, &writer->source, SIDE_VALUE);
    TRY(open_encoders(writer, err));
    TRY(log_open_topic(engine->config.log, source->topic, &writer->topic, err));
    writer->partitions = arena_array(arena, struct log_builder, writer->topic->partition_count);
    return 0;
}

void insert_writer_fini(struct insert_writer *writer)
{
    for (uint32_t i = 0; writer->partitions && i < writer->topic->partition_count; i++) {
        log_builder_fini(&writer->partitions[i]);
    }
    if (writer->key.kind) {
        encoder_close(&writer->key);
    }
    if (writer->value.kind) {
        encoder_close(&writer->value);
    }
}
