/*
 * engine_connector.c: connectors for those who have no SQL: the same statements, built as trees,
 * through the same change of the catalog.
 */
#include "engine/command/command_internal.h"
#include "engine/command/connector.h"

/* Runs a tree that nobody wrote as text. */
static int run_change(struct engine *engine, const struct ast_statement *statement,
                      enum connector_put put, struct arena *arena, struct error *err)
{
    const struct result_sink nobody = { 0 };
    struct command command = { .engine = engine,
                               .statement = statement,
                               .arena = arena,
                               .catalog = engine->catalog,
                               .properties = &engine->server,
                               .sink = &nobody,
                               .next_query = engine->next_query,
                               .put = put };

    return command_change(&command, command_find(statement->kind), err);
}

static struct ast_statement make_create(const struct connector_entry *wanted, struct arena *arena)
{
    struct ast_statement statement = { .kind = AST_CREATE_CONNECTOR };
    struct ast_create_connector *create = &statement.create_connector;

    create->is_sink = wanted->is_sink;
    create->name.text = wanted->name;
    create->properties.items = arena_array(arena, struct ast_property, wanted->option_count);
    create->properties.count = wanted->option_count;
    for (uint32_t i = 0; i < wanted->option_count; i++) {
        struct ast_property *property = &create->properties.items[i];

        property->name.text = wanted->options[i].name;
        property->value.kind = AST_LITERAL_STRING;
        property->value.string = wanted->options[i].value;
    }
    return statement;
}

int engine_put_connector(struct engine *engine, const struct connector_entry *wanted,
                         enum connector_put put, struct error *err)
{
    struct arena arena;
    struct ast_statement statement;
    int code;

    arena_init(&arena, 0);
    statement = make_create(wanted, &arena);
    pthread_mutex_lock(&engine->mutex);
    code = run_change(engine, &statement, put, &arena, err);
    pthread_mutex_unlock(&engine->mutex);
    arena_fini(&arena);
    return code;
}

int engine_drop_connector(struct engine *engine, struct bytes name, struct error *err)
{
    struct ast_statement statement = { .kind = AST_DROP_CONNECTOR };
    struct arena arena;
    int code;

    arena_init(&arena, 0);
    statement.drop.name.text = name;
    pthread_mutex_lock(&engine->mutex);
    code = run_change(engine, &statement, CONNECTOR_CREATE, &arena, err);
    pthread_mutex_unlock(&engine->mutex);
    arena_fini(&arena);
    return code;
}

static int check_host(const struct engine *engine, struct error *err)
{
    return engine->config.connectors ? 0
                                     : error_set(err, ERR_UNSUPPORTED, NO_POSITION,
                                                 "There is nothing here that runs connectors");
}

int engine_control_connector(struct engine *engine, struct bytes name, enum connector_action action,
                             struct error *err)
{
    const struct connector_host *host = engine->config.connectors;

    TRY(check_host(engine, err));
    return host->control(host->context, name, action, err);
}

static void copy_entry(const struct connector_entry *from, struct arena *arena,
                       struct connector_entry *out)
{
    struct connector_option *options =
        arena_array(arena, struct connector_option, from->option_count);

    for (uint32_t i = 0; i < from->option_count; i++) {
        options[i].name = arena_copy(arena, from->options[i].name);
        options[i].value = arena_copy(arena, from->options[i].value);
    }
    *out = (struct connector_entry){ .name = arena_copy(arena, from->name),
                                     .is_sink = from->is_sink,
                                     .sql = arena_copy(arena, from->sql),
                                     .options = options,
                                     .option_count = from->option_count };
}

int engine_find_connector(struct engine *engine, struct bytes name, struct arena *arena,
                          struct connector_entry *entry, struct connector_status *status,
                          struct error *err)
{
    const struct connector_host *host = engine->config.connectors;
    const struct connector_entry *found;

    TRY(check_host(engine, err));
    pthread_mutex_lock(&engine->mutex);
    found = catalog_find_connector(engine->catalog, name);
    if (found) {
        copy_entry(found, arena, entry);
    }
    pthread_mutex_unlock(&engine->mutex);
    return found ? host->status(host->context, name, arena, status, err)
                 : error_set(err, ERR_UNKNOWN_CONNECTOR, NO_POSITION, "Connector %.*s not found",
                             BYTES_ARG(name));
}

const struct connector_plugin *engine_list_plugins(const struct engine *engine)
{
    return engine->config.connectors ? engine->config.connectors->plugins : NULL;
}

const struct connector_option_kind *engine_list_connector_options(const struct engine *engine,
                                                                  struct bytes class_name,
                                                                  struct arena *arena)
{
    const struct connector_host *host = engine->config.connectors;

    return host ? host->options(host->context, class_name, arena) : NULL;
}

uint32_t engine_validate_connector(const struct engine *engine,
                                   const struct connector_entry *wanted, struct arena *arena,
                                   struct connector_finding **out)
{
    const struct connector_host *host = engine->config.connectors;

    return host ? host->validate(host->context, wanted, arena, out) : 0;
}

int engine_read_connector_offsets(struct engine *engine, struct bytes name, struct arena *arena,
                                  struct connector_offset **out, uint32_t *count, struct error *err)
{
    const struct connector_host *host = engine->config.connectors;

    TRY(check_host(engine, err));
    return host->read_offsets(host->context, name, arena, out, count, err);
}

int engine_write_connector_offsets(struct engine *engine, struct bytes name,
                                   const struct connector_offset *offsets, uint32_t count,
                                   struct error *err)
{
    const struct connector_host *host = engine->config.connectors;

    TRY(check_host(engine, err));
    return host->write_offsets(host->context, name, offsets, count, err);
}

uint32_t engine_list_connectors(struct engine *engine, struct arena *arena, struct bytes **names)
{
    const struct connector_entry *const *all = NULL;
    uint32_t count;

    pthread_mutex_lock(&engine->mutex);
    count = catalog_list_connectors(engine->catalog, arena, &all);
    *names = arena_array(arena, struct bytes, count);
    for (uint32_t i = 0; i < count; i++) {
        (*names)[i] = arena_copy(arena, all[i]->name);
    }
    pthread_mutex_unlock(&engine->mutex);
    return count;
}
