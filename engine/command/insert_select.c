/*
 * insert_select.c: INSERT INTO ... SELECT: a query that writes a stream which is there already,
 * beside the others that do (queries.md 9).
 */
#include "engine/command/command_internal.h"

static int plan(struct command *command, const struct physical_plan **out, struct error *err)
{
    const struct ast_insert_select *insert = &command->statement->insert_select;
    struct plan_settings settings;
    struct plan_context context;
    struct bytes id;

    planning_settings(command, &settings);
    planning_context(command, &settings, &context);
    TRY(plan_insert_query_id(&context, insert, &id, err));
    id = id.data ? id : planning_query_id(command, "INSERTQUERY", id);
    return plan_insert_select(&context, command->statement, id, out, err);
}

int insert_select_plan(struct command *command, const struct physical_plan **out, struct error *err)
{
    const struct ast_insert_select *insert = &command->statement->insert_select;

    TRY(plan(command, out, err));
    if (topic_is_listed(command->properties, "ksql.readonly.topics", (*out)->sink->topic)) {
        return error_set(err, ERR_INSERT_TARGET, insert->target.at, "The topic %.*s is read-only",
                         BYTES_ARG((*out)->sink->topic));
    }
    return 0;
}

int insert_select_change(struct command *command, struct change *out, struct error *err)
{
    const struct physical_plan *plan = NULL;

    TRY(persistent_check_limit(command, err));
    TRY(persistent_check_guarantee(command, err));
    TRY(insert_select_plan(command, &plan, err));
    TRY(persistent_check_signature(command, plan, err));
    out->type = "stream";
    out->entity = plan->sink->name;
    out->action = "create";
    out->options = planning_options(command, plan);
    out->plan = plan;
    out->sql = planning_canonical(command->arena, command->statement, NULL);
    out->message =
        arena_printf(command->arena, "Created query with ID %.*s", BYTES_ARG(plan->query_id));
    persistent_put(command, plan->sink->name, out->sql, plan);
    return 0;
}
