/*
 * types.c: CREATE TYPE, DROP TYPE, SHOW TYPES: names for types.
 *
 * A name is resolved where it is used, so a source keeps its columns' types when the name goes.
 */
#include "engine/command/command_internal.h"

static struct bytes type_text(struct arena *arena, const struct sql_type *type)
{
    struct buffer text = { 0 };

    type_print(type, &text);
    return answer_take(arena, &text);
}

static int bind_type(struct command *command, const struct sql_type **out, struct error *err)
{
    struct plan_settings settings;
    struct plan_context context;

    planning_settings(command, &settings);
    planning_context(command, &settings, &context);
    return type_bind(command->arena, plan_type_names(&context),
                     command->statement->create_type.type, out, err);
}

int create_type_change(struct command *command, struct change *out, struct error *err)
{
    const struct ast_create_type *create = &command->statement->create_type;
    struct type_entry entry = { .name = create->name.text };

    out->type = "type";
    out->entity = create->name.text;
    out->action = "create";
    out->sql = planning_canonical(command->arena, command->statement, NULL);
    TRY(bind_type(command, &entry.type, err));
    if (catalog_find_type(command->catalog, entry.name)) {
        if (!create->if_not_exists) {
            return error_set(err, ERR_NAME_TAKEN, create->name.at,
                             "There is a type %.*s already; DROP TYPE it first",
                             BYTES_ARG(entry.name));
        }
        out->none = true;
        out->message =
            arena_printf(command->arena, "%.*s is already registered", BYTES_ARG(entry.name));
        return 0;
    }
    out->message =
        arena_printf(command->arena, "Registered custom type with name '%.*s' and SQL type %.*s",
                     BYTES_ARG(entry.name), BYTES_ARG(type_text(command->arena, entry.type)));
    catalog_put_type(command->catalog, &entry);
    return 0;
}

int drop_type_change(struct command *command, struct change *out, struct error *err)
{
    const struct ast_drop *drop = &command->statement->drop;

    out->type = "type";
    out->entity = drop->name.text;
    out->action = "drop";
    out->sql = planning_canonical(command->arena, command->statement, NULL);
    if (!catalog_find_type(command->catalog, drop->name.text)) {
        if (!drop->if_exists) {
            return error_set(err, ERR_UNKNOWN_TYPE, drop->name.at, "There is no type %.*s",
                             BYTES_ARG(drop->name.text));
        }
        out->none = true;
        out->message =
            arena_printf(command->arena, "Type '%.*s' does not exist", BYTES_ARG(drop->name.text));
        return 0;
    }
    out->message = arena_printf(command->arena, "Dropped type '%.*s'", BYTES_ARG(drop->name.text));
    catalog_remove_type(command->catalog, drop->name.text);
    return 0;
}

int show_types(struct command *command, struct error *err)
{
    static const char *const columns[] = { "Type Name", "Schema", NULL };
    static const char *const fields[] = { "name", "schema" };
    const struct type_entry *const *types = NULL;
    uint32_t count = catalog_list_types(command->catalog, command->arena, &types);
    struct column *named = arena_array(command->arena, struct column, count);
    struct schema schema = { .columns = named, .column_count = count };
    struct answer_table answer;

    answer_begin(&answer, command->arena, "type_list", columns);
    answer.table.fields = fields;
    answer.table.types = &schema;
    for (uint32_t i = 0; i < count; i++) {
        named[i].name = types[i]->name;
        named[i].type = types[i]->type;
        answer_cell(&answer, types[i]->name);
        answer_cell(&answer, type_text(command->arena, types[i]->type));
    }
    answer_end(&answer, command);
    return 0;
}
