/*
 * create_as.c: CREATE STREAM AS SELECT and CREATE TABLE AS SELECT: a source and the query
 * that fills it.
 */
#include "engine/command/command_internal.h"

static int check_limit(const struct command *command, struct error *err)
{
    int64_t limit = property_get_integer(command->properties, "ksql.query.persistent.active.limit");
    const struct query_entry *const *queries = NULL;
    uint32_t count = catalog_list_queries(command->catalog, command->arena, &queries);

    if (command->record || count < limit) {
        return 0;
    }
    return error_set(err, ERR_INVALID_PROPERTY, command->statement->at,
                     "There are %u persistent queries, and ksql.query.persistent.active.limit "
                     "allows %lld; TERMINATE one first",
                     count, (long long)limit);
}

/* State that a former start left must be readable by what would run now. */
static int check_signature(const struct command *command, const struct physical_plan *plan,
                           struct error *err)
{
    const struct statement_record *record = command->record;

    if (!record) {
        return 0;
    }
    if (record->planner > STATEMENT_PLANNER_VERSION) {
        return error_set(err, ERR_STATE_DAMAGED, NO_POSITION,
                         "%.*s was planned by a newer version of this program",
                         BYTES_ARG(plan->query_id));
    }
    if (!record->has_signature || record->signature != plan_signature(plan)) {
        return error_set(err, ERR_STATE_DAMAGED, NO_POSITION,
                         "%.*s would no longer fit its state: its plan has changed",
                         BYTES_ARG(plan->query_id));
    }
    return 0;
}

static void put(struct command *command, const struct source *sink,
                const struct physical_plan *plan)
{
    const struct query_entry entry = { .id = plan->query_id,
                                       .sql = sink->sql,
                                       .sink = sink->name,
                                       .sources = plan->source_names,
                                       .source_count = plan->source_count,
                                       .plan = plan };

    catalog_put_source(command->catalog, sink);
    catalog_put_query(command->catalog, &entry);
    command->next_query++;
}

int create_as_change(struct command *command, struct change *out, struct error *err)
{
    const struct ast_create_as *create = &command->statement->create_as;
    struct source *sink = arena_new(command->arena, struct source);
    const struct physical_plan *plan = NULL;
    struct plan_settings settings;
    struct plan_context context;
    struct bytes id;

    if (create->if_not_exists && catalog_find_source(command->catalog, create->name.text)) {
        out->none = true;
        out->message = arena_printf(command->arena, "There is a stream or table %.*s already",
                                    BYTES_ARG(create->name.text));
        return 0;
    }
    TRY(check_limit(command, err));
    id = planning_query_id(command, create->kind == AST_TABLE ? "CTAS" : "CSAS", create->name.text);
    planning_settings(command, &settings);
    planning_context(command, &settings, &context);
    TRY(plan_create_as(&context, command->statement, id, &plan, err));
    TRY(check_signature(command, plan, err));
    *sink = *plan->sink;
    sink->sql = planning_canonical(command->arena, command->statement, sink);
    out->options = planning_options(command, plan);
    put(command, sink, plan);
    out->source = sink;
    out->plan = plan;
    out->sql = sink->sql;
    out->message =
        arena_printf(command->arena, "Created query with ID %.*s", BYTES_ARG(plan->query_id));
    return 0;
}
