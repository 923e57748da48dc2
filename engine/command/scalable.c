/*
 * scalable.c: which push queries are scalable ones (queries.md 8.3, v2).
 *
 * In ksqlDB they tap the output of the query that feeds the source, instead of consuming its topic
 * on their own. Here a partition is read and decoded once for all queries on the node anyway, so
 * nothing else is run for them: what differs is that they begin with what comes next, whatever
 * the source is, and their id.
 */
#include <string.h>

#include "base/data_directory.h"
#include "engine/command/command_internal.h"

static bool mentions(struct bytes text, const char *word)
{
    size_t len = strlen(word);

    for (size_t i = 0; i + len <= text.len; i++) {
        if (bytes_equal_text_nocase((struct bytes){ text.data + i, len }, word)) {
            return true;
        }
    }
    return false;
}

static bool begins_with_the_latest(const struct command *command)
{
    static const char name[] = "auto.offset.reset";

    return !property_is_set(command->properties, name) ||
           bytes_equal_text_nocase(property_get(command->properties, name), "latest");
}

/* A name inside a text counts as well: such a query is an ordinary one, which does no harm. */
static bool is_plain(const struct ast_statement *statement)
{
    const struct ast_query *query = statement->select;

    return query->emit == AST_EMIT_CHANGES && query->joins.count == 0 && !query->window &&
           !query->group_by && !query->partition_by && !query->having &&
           !mentions(statement->text, "ROWPARTITION") && !mentions(statement->text, "ROWOFFSET");
}

static uint32_t count_feeders(const struct command *command, struct bytes source)
{
    const struct query_entry *const *queries = NULL;
    uint32_t count = catalog_list_queries(command->catalog, command->arena, &queries);
    uint32_t feeders = 0;

    for (uint32_t i = 0; i < count; i++) {
        feeders += queries[i]->plan->sink && bytes_equal(queries[i]->sink, source);
    }
    return feeders;
}

bool push_is_scalable(const struct command *command)
{
    const struct ast_statement *statement = command->statement;

    return property_get_boolean(command->properties, "ksql.query.push.v2.enabled") &&
           is_plain(statement) && begins_with_the_latest(command) &&
           count_feeders(command, statement->select->from.source.text) == 1;
}

int push_scalable_id(const struct command *command, struct bytes *out, struct error *err)
{
    char id[NODE_ID_SIZE];

    TRY(node_id_make(id, err));
    *out = arena_printf(command->arena, "SCALABLE_PUSH_QUERY_%.8s-%.4s-%.4s-%.4s-%.12s", id, id + 8,
                        id + 12, id + 16, id + 20);
    return 0;
}
