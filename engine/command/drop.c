/*
 * drop.c: DROP STREAM and DROP TABLE.
 *
 * What was made from the source by CREATE ... AS keeps it from being dropped, also once its
 * query has been terminated: its statement still says so. So do queries that insert from it or
 * into it, as long as they are there.
 */
#include "base/near.h"
#include "engine/command/command_internal.h"
#include "parser/parse.h"

static bool query_reads(const struct ast_query *query, struct bytes name)
{
    if (bytes_equal(query->from.source.text, name)) {
        return true;
    }
    for (uint32_t i = 0; i < query->joins.count; i++) {
        if (bytes_equal(query->joins.items[i].right.source.text, name)) {
            return true;
        }
    }
    return false;
}

bool source_is_made_from(struct arena *arena, const struct source *made, struct bytes name)
{
    struct ast_script script;

    if (!made->query.data || parse_script(arena, made->sql, &script, NULL) ||
        script.statements.count != 1 || script.statements.items[0]->kind != AST_CREATE_AS) {
        return false;
    }
    return query_reads(script.statements.items[0]->create_as.query, name);
}

/* Clients look for these words, and terminate what they find in the brackets. */
static const char *list_readers(struct command *command, struct bytes name)
{
    const struct query_entry *const *queries = NULL;
    uint32_t count = catalog_list_queries(command->catalog, command->arena, &queries);
    struct buffer text = { 0 };
    const char *list;

    for (uint32_t q = 0; q < count; q++) {
        for (uint32_t i = 0; i < queries[q]->source_count; i++) {
            if (bytes_equal(queries[q]->sources[i], name)) {
                buffer_append_text(&text, text.len ? ", "
                                                   : ". The following queries read from this "
                                                     "source: [");
                buffer_append_bytes(&text, queries[q]->id);
            }
        }
    }
    buffer_append_text(&text, text.len ? "]" : "");
    list = arena_copy_text(command->arena, buffer_bytes(&text));
    buffer_fini(&text);
    return list;
}

static int check_use(struct command *command, const struct source *source, struct error *err)
{
    const struct ast_drop_source *drop = &command->statement->drop_source;
    const struct source *const *sources = NULL;
    uint32_t count = catalog_list_sources(command->catalog, command->arena, &sources);

    for (uint32_t i = 0; i < count; i++) {
        if (sources[i] != source && source_is_made_from(command->arena, sources[i], source->name)) {
            return error_set(err, ERR_SOURCE_IN_USE, drop->name.at,
                             "%.*s is made from %.*s; drop it first%s", BYTES_ARG(sources[i]->name),
                             BYTES_ARG(source->name), list_readers(command, source->name));
        }
        if (drop->delete_topic && sources[i] != source &&
            bytes_equal(sources[i]->topic, source->topic)) {
            return error_set(err, ERR_SOURCE_IN_USE, drop->name.at,
                             "%.*s uses the topic %.*s too; drop it first, or leave out DELETE "
                             "TOPIC",
                             BYTES_ARG(sources[i]->name), BYTES_ARG(source->topic));
        }
    }
    return 0;
}

static bool uses(const struct query_entry *query, struct bytes name)
{
    bool found = bytes_equal(query->sink, name);

    for (uint32_t i = 0; i < query->source_count && !found; i++) {
        found = bytes_equal(query->sources[i], name);
    }
    return found;
}

/* INSERT INTO ... SELECT from it or into it. */
static int check_queries(struct command *command, const struct source *source, struct error *err)
{
    const struct ast_drop_source *drop = &command->statement->drop_source;
    const struct query_entry *const *queries = NULL;
    uint32_t count = catalog_list_queries(command->catalog, command->arena, &queries);

    for (uint32_t i = 0; i < count; i++) {
        bool makes_it = source->query.data && bytes_equal(queries[i]->id, source->query);

        if (!makes_it && uses(queries[i], source->name)) {
            return error_set(err, ERR_SOURCE_IN_USE, drop->name.at,
                             "The query %.*s reads or writes %.*s; TERMINATE it first",
                             BYTES_ARG(queries[i]->id), BYTES_ARG(source->name));
        }
    }
    return 0;
}

static int check(struct command *command, const struct source *source, struct error *err)
{
    const struct ast_drop_source *drop = &command->statement->drop_source;
    enum source_kind wanted = drop->kind == AST_TABLE ? SOURCE_TABLE : SOURCE_STREAM;

    if (source->kind != wanted) {
        return error_set(err, ERR_WRONG_KIND, drop->name.at, "%.*s is a %s: write DROP %s %.*s",
                         BYTES_ARG(source->name), source->kind == SOURCE_TABLE ? "table" : "stream",
                         source->kind == SOURCE_TABLE ? "TABLE" : "STREAM",
                         BYTES_ARG(source->name));
    }
    if (drop->delete_topic && source->read_only) {
        return error_set(err, ERR_WRONG_KIND, drop->name.at,
                         "%.*s is read-only (CREATE SOURCE ...), so its topic cannot be deleted "
                         "with it",
                         BYTES_ARG(source->name));
    }
    TRY(check_use(command, source, err));
    return check_queries(command, source, err);
}

static int report_missing(struct command *command, struct change *out, struct error *err)
{
    const struct ast_drop_source *drop = &command->statement->drop_source;
    const char *kind = drop->kind == AST_TABLE ? "table" : "stream";

    if (drop->if_exists) {
        out->none = true;
        out->sql = planning_canonical(command->arena, command->statement, NULL);
        out->message = arena_printf(command->arena, "Source `%.*s` does not exist.",
                                    BYTES_ARG(drop->name.text));
        return 0;
    }
    return error_set(
        err, ERR_UNKNOWN_SOURCE, drop->name.at, "There is no %s %.*s%s", kind,
        BYTES_ARG(drop->name.text),
        near_hint(command->arena, catalog_near_source(command->catalog, drop->name.text)));
}

int drop_change(struct command *command, struct change *out, struct error *err)
{
    const struct ast_drop_source *drop = &command->statement->drop_source;
    const struct source *source = catalog_find_source(command->catalog, drop->name.text);

    out->type = drop->kind == AST_TABLE ? "table" : "stream";
    out->entity = drop->name.text;
    out->action = "drop";
    if (!source) {
        return report_missing(command, out, err);
    }
    TRY(check(command, source, err));
    out->sql = planning_canonical(command->arena, command->statement, NULL);
    out->message = arena_printf(command->arena, "Source `%.*s` (topic: %.*s) was dropped.",
                                BYTES_ARG(source->name), BYTES_ARG(source->topic));
    out->removed = drop->name.text;
    if (drop->delete_topic) {
        out->deleted_topic = arena_copy(command->arena, source->topic);
    }
    if (source->query.data && catalog_find_query(command->catalog, source->query)) {
        struct bytes *stopped = arena_array(command->arena, struct bytes, 1);

        stopped[0] = arena_copy(command->arena, source->query);
        out->stopped = stopped;
        out->stopped_count = 1;
        catalog_remove_query(command->catalog, stopped[0]);
    }
    catalog_remove_source(command->catalog, drop->name.text);
    return 0;
}
