/*
 * create_source.c: CREATE STREAM and CREATE TABLE with declared columns.
 */
#include "engine/command/command_internal.h"

int create_check_replace(const struct command *command, const struct ast_name *name,
                         struct error *err)
{
    if (!command->record &&
        !property_get_boolean(command->properties, "ksql.create.or.replace.enabled")) {
        return error_set(err, ERR_UNSUPPORTED, name->at,
                         "OR REPLACE is switched off (ksql.create.or.replace.enabled)");
    }
    return 0;
}

static int check_read_only(const struct command *command, struct error *err)
{
    const struct ast_create_source *create = &command->statement->create_source;

    if (create->read_only &&
        !property_get_boolean(command->properties, "ksql.source.table.materialization.enabled")) {
        return error_set(err, ERR_UNSUPPORTED, create->name.at,
                         "CREATE SOURCE is switched off (ksql.source.table.materialization."
                         "enabled)");
    }
    return 0;
}

/* The query that keeps the table's rows; it reads what is in the catalog already. */
static int keep_table(struct command *command, struct plan_context *context, struct source *source,
                      struct change *out, struct error *err)
{
    const struct physical_plan *plan = NULL;
    int code;

    TRY(persistent_check_limit(command, err));
    TRY(persistent_check_guarantee(command, err));
    source->query = planning_query_id(command, "CST", source->name);
    catalog_put_source(command->catalog, source);
    code = plan_source_table(context, source->name, source->query, &plan, err);
    code = code ? code : persistent_check_signature(command, plan, err);
    if (code) {
        catalog_remove_source(command->catalog, source->name);
        return code;
    }
    out->options = planning_options(command, plan);
    persistent_put(command, source->name, source->sql, plan);
    out->plan = plan;
    out->message =
        arena_printf(command->arena, "Created query with ID %.*s", BYTES_ARG(plan->query_id));
    return 0;
}

int create_source_change(struct command *command, struct change *out, struct error *err)
{
    const struct ast_create_source *create = &command->statement->create_source;
    struct source *source = arena_new(command->arena, struct source);
    struct plan_settings settings;
    struct plan_context context;

    out->type = create->kind == AST_TABLE ? "table" : "stream";
    out->entity = create->name.text;
    out->action = "create";
    if (create->if_not_exists && catalog_find_source(command->catalog, create->name.text)) {
        out->none = true;
        out->message = arena_printf(command->arena,
                                    "Cannot add %s `%.*s`: there is a stream or table of "
                                    "that name already",
                                    out->type, BYTES_ARG(create->name.text));
        return 0;
    }
    if (create->or_replace) {
        TRY(create_check_replace(command, &create->name, err));
    }
    TRY(check_read_only(command, err));
    if (command->engine->config.create_partitions > 0 && !command->record) {
        TRY(topic_create_missing(command, &create->properties, err));
    }
    planning_settings(command, &settings);
    planning_context(command, &settings, &context);
    TRY(plan_create_source(&context, command->statement, source, err));
    source->sql = planning_canonical(command->arena, command->statement, source);
    out->source = catalog_find_source(command->catalog, source->name) ? NULL : source;
    out->sql = source->sql;
    if (source->read_only && source->kind == SOURCE_TABLE) {
        return keep_table(command, &context, source, out, err);
    }
    catalog_put_source(command->catalog, source);
    out->message = bytes_of(create->kind == AST_TABLE ? "Table created" : "Stream created");
    return 0;
}
