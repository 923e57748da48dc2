/*
 * create_as.c: CREATE STREAM AS SELECT and CREATE TABLE AS SELECT: a source and the query
 * that fills it.
 */
#include "engine/command/command_internal.h"

int create_as_change(struct command *command, struct change *out, struct error *err)
{
    const struct ast_create_as *create = &command->statement->create_as;
    struct source *sink = arena_new(command->arena, struct source);
    const struct physical_plan *plan = NULL;
    struct plan_settings settings;
    struct plan_context context;
    struct bytes id;

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
    TRY(persistent_check_limit(command, err));
    TRY(persistent_check_guarantee(command, err));
    id = planning_query_id(command, create->kind == AST_TABLE ? "CTAS" : "CSAS", create->name.text);
    planning_settings(command, &settings);
    planning_context(command, &settings, &context);
    TRY(plan_create_as(&context, command->statement, id, &plan, err));
    TRY(persistent_check_signature(command, plan, err));
    *sink = *plan->sink;
    sink->sql = planning_canonical(command->arena, command->statement, sink);
    out->options = planning_options(command, plan);
    catalog_put_source(command->catalog, sink);
    persistent_put(command, sink->name, sink->sql, plan);
    out->source = sink;
    out->plan = plan;
    out->sql = sink->sql;
    out->message =
        arena_printf(command->arena, "Created query with ID %.*s", BYTES_ARG(plan->query_id));
    return 0;
}
