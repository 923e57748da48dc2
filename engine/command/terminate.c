/*
 * terminate.c: TERMINATE id and TERMINATE ALL: queries end, what they made stays. Push queries
 * end by id alone.
 */
#include "base/near.h"
#include "engine/command/command_internal.h"

static int report_unknown(struct command *command, const struct query_entry *const *queries,
                          uint32_t count, struct error *err)
{
    const struct ast_name *name = &command->statement->query_ref.name;
    struct near_search search = near_begin(name->text);

    for (uint32_t i = 0; i < count; i++) {
        near_offer(&search, queries[i]->id);
    }
    return error_set(err, ERR_UNKNOWN_QUERY, name->at, "There is no query %.*s%s",
                     BYTES_ARG(name->text), near_hint(command->arena, search.best));
}

int query_ref_find(struct command *command, const struct bytes **out, uint32_t *count,
                   struct error *err)
{
    const struct ast_query_ref *ref = &command->statement->query_ref;
    const struct query_entry *const *queries = NULL;
    uint32_t all = catalog_list_queries(command->catalog, command->arena, &queries);
    struct bytes *found = arena_array(command->arena, struct bytes, all);

    *count = 0;
    for (uint32_t i = 0; i < all; i++) {
        bool is_meant = bytes_equal(queries[i]->id, ref->name.text);

        if (is_meant && !queries[i]->plan->sink) {
            return error_set(err, ERR_WRONG_KIND, ref->name.at,
                             "%.*s keeps the rows of %.*s (CREATE SOURCE TABLE): it lives as long "
                             "as that, until DROP TABLE %.*s",
                             BYTES_ARG(queries[i]->id), BYTES_ARG(queries[i]->sink),
                             BYTES_ARG(queries[i]->sink));
        }
        if (is_meant || (ref->all && queries[i]->plan->sink)) {
            found[(*count)++] = arena_copy(command->arena, queries[i]->id);
        }
    }
    *out = found;
    return !ref->all && *count == 0 ? report_unknown(command, queries, all, err) : 0;
}

int terminate_change(struct command *command, struct change *out, struct error *err)
{
    const struct ast_query_ref *ref = &command->statement->query_ref;

    out->type = "terminate";
    out->entity = ref->all ? bytes_of("ALL") : ref->name.text;
    out->action = "execute";
    if (!ref->all && !catalog_find_query(command->catalog, ref->name.text)) {
        out->client = engine_find_client(command->engine, ref->name.text);
        if (out->client) {
            return 0;
        }
    }
    TRY(query_ref_find(command, &out->stopped, &out->stopped_count, err));
    for (uint32_t i = 0; i < out->stopped_count; i++) {
        catalog_remove_query(command->catalog, out->stopped[i]);
    }
    out->sql = planning_canonical(command->arena, command->statement, NULL);
    out->message = bytes_of("Query terminated.");
    return 0;
}
