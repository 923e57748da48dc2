/*
 * persistent.c: what statements that start a persistent query share: CREATE ... AS SELECT and
 * INSERT INTO ... SELECT.
 */
#include "engine/command/command_internal.h"

static int check_caches(const struct command *command, const struct query_entry *const *queries,
                        uint32_t count, struct error *err)
{
    int64_t held = 0;

    for (uint32_t i = 0; i < count; i++) {
        held += queries[i]->cache_bytes;
    }
    return planning_check_caches(command, "ksql.query.persistent.max.bytes.buffering.total", held,
                                 err);
}

int persistent_check_limit(const struct command *command, struct error *err)
{
    int64_t limit = property_get_integer(command->properties, "ksql.query.persistent.active.limit");
    const struct query_entry *const *queries = NULL;
    uint32_t count = catalog_list_queries(command->catalog, command->arena, &queries);

    if (command->record) {
        return 0;
    }
    if (count < limit) {
        return check_caches(command, queries, count, err);
    }
    return error_set(err, ERR_INVALID_PROPERTY, command->statement->at,
                     "There are %u persistent queries, and ksql.query.persistent.active.limit "
                     "allows %lld; TERMINATE one first",
                     count, (long long)limit);
}

int persistent_check_guarantee(const struct command *command, struct error *err)
{
    static const char name[] = "processing.guarantee";
    const struct property_set *server = &command->engine->server;

    if (command->record || property_is_exactly_once(server) ||
        !property_is_set(command->properties, name) ||
        !property_is_exactly_once(command->properties)) {
        return 0;
    }
    return error_set(err, ERR_INVALID_PROPERTY, command->statement->at,
                     "This server runs with processing.guarantee=at_least_once, so no query of "
                     "it can be exactly once: set that in the server's configuration, or UNSET it");
}

int persistent_check_signature(const struct command *command, const struct physical_plan *plan,
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

void persistent_put(struct command *command, struct bytes sink, struct bytes sql,
                    const struct physical_plan *plan)
{
    const struct query_entry entry = { .id = plan->query_id,
                                       .sql = sql,
                                       .sink = sink,
                                       .sources = plan->source_names,
                                       .source_count = plan->source_count,
                                       .plan = plan,
                                       .cache_bytes = planning_cache_bytes(command) };

    catalog_put_query(command->catalog, &entry);
    command->next_query++;
}
