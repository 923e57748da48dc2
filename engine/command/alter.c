/*
 * alter.c: ALTER STREAM and ALTER TABLE: value columns behind those that are there.
 *
 * The statement that declared the source is read again, with the new columns, so that everything
 * is checked as it was; it is what DESCRIBE shows from then on. Queries that run keep the columns
 * that they were planned with.
 */
#include "base/near.h"
#include "engine/command/command_internal.h"
#include "parser/parse.h"

static int find_source(struct command *command, const struct source **out, struct error *err)
{
    const struct ast_alter_source *alter = &command->statement->alter_source;
    const struct source *source = catalog_find_source(command->catalog, alter->name.text);

    if (!source) {
        return error_set(
            err, ERR_UNKNOWN_SOURCE, alter->name.at, "There is no stream or table %.*s%s",
            BYTES_ARG(alter->name.text),
            near_hint(command->arena, catalog_near_source(command->catalog, alter->name.text)));
    }
    if ((source->kind == SOURCE_TABLE) != (alter->kind == AST_TABLE)) {
        return error_set(err, ERR_WRONG_KIND, alter->name.at, "%.*s is a %s: write ALTER %s %.*s",
                         BYTES_ARG(source->name), source->kind == SOURCE_TABLE ? "table" : "stream",
                         source->kind == SOURCE_TABLE ? "TABLE" : "STREAM",
                         BYTES_ARG(source->name));
    }
    if (source->read_only) {
        return error_set(err, ERR_WRONG_KIND, alter->name.at,
                         "%.*s is read-only (CREATE SOURCE ...), so it cannot be altered",
                         BYTES_ARG(source->name));
    }
    if (source->query.data) {
        return error_set(err, ERR_WRONG_KIND, alter->name.at,
                         "%.*s has the columns of the query that makes it, %.*s; ALTER is for "
                         "declared streams and tables",
                         BYTES_ARG(source->name), BYTES_ARG(source->query));
    }
    *out = source;
    return 0;
}

/* The declaration as it would have been written with the columns. */
static int extend(struct command *command, const struct source *source,
                  const struct ast_statement **out, struct error *err)
{
    const struct ast_alter_source *alter = &command->statement->alter_source;
    struct ast_column_def_list columns = { 0 };
    struct ast_statement *statement;
    struct ast_script script;

    TRY(parse_script(command->arena, arena_copy(command->arena, source->sql), &script, err));
    statement = script.statements.items[0];
    for (uint32_t i = 0; i < statement->create_source.columns.count; i++) {
        *vec_push(command->arena, &columns) = statement->create_source.columns.items[i];
    }
    for (uint32_t i = 0; i < alter->columns.count; i++) {
        *vec_push(command->arena, &columns) = alter->columns.items[i];
    }
    statement->create_source.columns = columns;
    statement->create_source.name.at = alter->name.at;
    statement->create_source.or_replace = true;
    *out = statement;
    return 0;
}

/* A statement of the same meaning for one that is not there yet. */
static struct bytes declaration(const struct command *command,
                                const struct ast_statement *statement, const struct source *source)
{
    struct ast_statement copy = *statement;

    copy.create_source.or_replace = false;
    return planning_canonical(command->arena, &copy, source);
}

int alter_change(struct command *command, struct change *out, struct error *err)
{
    const struct ast_alter_source *alter = &command->statement->alter_source;
    struct source *altered = arena_new(command->arena, struct source);
    const struct ast_statement *statement = NULL;
    const struct source *source = NULL;
    struct plan_settings settings;
    struct plan_context context;

    out->type = alter->kind == AST_TABLE ? "table" : "stream";
    out->entity = alter->name.text;
    out->action = "alter";
    TRY(find_source(command, &source, err));
    TRY(extend(command, source, &statement, err));
    planning_settings(command, &settings);
    planning_context(command, &settings, &context);
    TRY(plan_create_source(&context, statement, altered, err));
    altered->sql = declaration(command, statement, altered);
    catalog_put_source(command->catalog, altered);
    out->sql = planning_canonical(command->arena, command->statement, NULL);
    out->message = bytes_of(alter->kind == AST_TABLE ? "Table altered" : "Stream altered");
    return 0;
}
