/*
 * insert_values.c: INSERT INTO ... VALUES: one record in a transaction of its own
 * (statements.md 6). It is not logged: it changes a topic, not the catalog.
 */
#include "engine/command/insert_writer.h"

static int plan_row(struct command *command, struct insert_row *out, struct error *err)
{
    const struct ast_insert_values *insert = &command->statement->insert_values;
    struct plan_settings settings;
    struct plan_context context;

    TRY(insert_check_enabled(command, command->statement->at, err));
    planning_settings(command, &settings);
    planning_context(command, &settings, &context);
    TRY(plan_insert_values(&context, command->statement, out, err));
    return insert_check_topic(command, out->source, &insert->target, err);
}

int insert_values_check(struct command *command, struct error *err)
{
    struct insert_row row;

    return plan_row(command, &row, err);
}

static int write_row(struct insert_writer *writer, const struct insert_row *row, struct error *err)
{
    int64_t now_ms = clock_now_ms(writer->engine->config.clock);

    TRY(insert_writer_add(writer, row->cells, row->has_timestamp ? row->timestamp_ms : now_ms,
                          err));
    return insert_writer_commit(writer, err);
}

int insert_values_run(struct command *command, struct error *err)
{
    struct insert_writer writer;
    struct insert_row row = { 0 };
    int code;

    TRY(plan_row(command, &row, err));
    code = insert_writer_init(&writer, command->engine, row.source, command->arena, err);
    code = code ? code : write_row(&writer, &row, err);
    insert_writer_fini(&writer);
    return code;
}
