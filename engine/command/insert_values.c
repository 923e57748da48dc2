/*
 * insert_values.c: INSERT INTO ... VALUES: one record in a transaction of its own
 * (statements.md 6). It is not logged: it changes a topic, not the catalog.
 */
#include <string.h>

#include "engine/command/command_internal.h"

enum { TRANSACTION_TIMEOUT_MS = 10000 };

static int plan_row(struct command *command, struct insert_row *out, struct error *err)
{
    const struct ast_insert_values *insert = &command->statement->insert_values;
    struct plan_settings settings;
    struct plan_context context;

    if (!property_get_boolean(command->properties, "ksql.insert.into.values.enabled")) {
        return error_set(err, ERR_UNSUPPORTED, command->statement->at,
                         "INSERT VALUES is switched off (ksql.insert.into.values.enabled)");
    }
    planning_settings(command, &settings);
    planning_context(command, &settings, &context);
    TRY(plan_insert_values(&context, command->statement, out, err));
    if (topic_is_listed(command->properties, "ksql.readonly.topics", out->source->topic)) {
        return error_set(err, ERR_INSERT_TARGET, insert->target.at, "The topic %.*s is read-only",
                         BYTES_ARG(out->source->topic));
    }
    return 0;
}

int insert_values_check(struct command *command, struct error *err)
{
    struct insert_row row;

    return plan_row(command, &row, err);
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
    return spec;
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

/* Absent: there is no key, or no value. */
static int encode(struct arena *arena, const struct insert_row *row, enum format_side side,
                  struct bytes *out, struct error *err)
{
    const struct side_format *format =
        side == SIDE_KEY ? &row->source->key_format : &row->source->value_format;
    struct encoder_spec spec = side_columns(arena, row->source, side);
    const struct row_banks banks = { { row->cells, NULL, NULL, NULL } };
    struct buffer text = { 0 };
    struct encoder encoder = { 0 };
    bool is_null = false;
    int code;

    *out = (struct bytes){ NULL, 0 };
    if (spec.column_count == 0 || (side == SIDE_KEY && is_all_null(&spec, &banks))) {
        return 0;
    }
    spec.options = format->options;
    TRY(encoder_open(&encoder, format->kind, &spec, err));
    code = format->kind->encode_row(&encoder, &banks, &text, &is_null, err);
    encoder_close(&encoder);
    if (!code && !is_null) {
        *out = answer_take(arena, &text);
    }
    buffer_fini(&text);
    return code;
}

/* --- writing --- */

static int open_writer(struct engine *engine, struct error *err)
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

static int write_record(struct engine *engine, const struct log_topic *topic, uint32_t partition,
                        struct log_builder *record, struct error *err)
{
    TRY(log_writer_begin(engine->inserts, err));
    TRY(log_writer_append(engine->inserts, topic, partition, record, NULL, err));
    return log_writer_commit(engine->inserts, err);
}

static int write_row(struct command *command, const struct insert_row *row, struct bytes key,
                     struct bytes value, struct error *err)
{
    struct engine *engine = command->engine;
    const struct log_topic *topic = NULL;
    struct log_builder record = { 0 };
    uint32_t partition;
    int code;

    TRY(open_writer(engine, err));
    TRY(log_open_topic(engine->config.log, row->source->topic, &topic, err));
    partition = key.data ? log_partition_of(key, topic->partition_count)
                         : (uint32_t)(engine->insert_round++ % topic->partition_count);
    log_builder_add(&record, key, value,
                    row->has_timestamp ? row->timestamp_ms : clock_now_ms(engine->config.clock),
                    NULL, 0);
    code = write_record(engine, topic, partition, &record, err);
    log_builder_fini(&record);
    if (code) {
        log_writer_close(engine->inserts); /* what became of it is not known: begin anew */
        engine->inserts = NULL;
    }
    return code;
}

int insert_values_run(struct command *command, struct error *err)
{
    struct insert_row row = { 0 };
    struct bytes key = { 0 };
    struct bytes value = { 0 };

    TRY(plan_row(command, &row, err));
    TRY(encode(command->arena, &row, SIDE_KEY, &key, err));
    TRY(encode(command->arena, &row, SIDE_VALUE, &value, err));
    return write_row(command, &row, key, value, err);
}
