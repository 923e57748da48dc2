/*
 * connector.c: CREATE and DROP CONNECTOR, and what SHOW and DESCRIBE tell of connectors.
 *
 * A connector is an entry of the catalog; the engine's host runs it. While the statement log is
 * read a definition replaces one of the same name: that is how its options are changed.
 */
#include "engine/command/connector.h"

#include "base/near.h"
#include "engine/command/command_internal.h"
#include "parser/ast_print.h"

static int find_host(const struct command *command, const struct connector_host **out,
                     struct error *err)
{
    *out = command->engine->config.connectors;
    return *out ? 0
                : error_set(err, ERR_UNSUPPORTED, command->statement->at,
                            "There is nothing here that runs connectors");
}

static int report_unknown(struct command *command, const struct ast_name *name, struct error *err)
{
    const struct connector_entry *const *all = NULL;
    uint32_t count = catalog_list_connectors(command->catalog, command->arena, &all);
    struct near_search search = near_begin(name->text);

    for (uint32_t i = 0; i < count; i++) {
        near_offer(&search, all[i]->name);
    }
    return error_set(err, ERR_UNKNOWN_CONNECTOR, name->at, "There is no connector %.*s%s",
                     BYTES_ARG(name->text), near_hint(command->arena, search.best));
}

/* --- CREATE --- */

/* A string is its text, anything else reads as it is written in SQL. */
static struct bytes literal_text(struct arena *arena, const struct ast_literal *literal)
{
    struct buffer text = { 0 };

    if (literal->kind == AST_LITERAL_STRING) {
        return literal->string;
    }
    if (literal->kind == AST_LITERAL_BOOLEAN) {
        return bytes_of(literal->boolean ? "true" : "false");
    }
    ast_print_literal(&text, literal);
    return answer_take(arena, &text);
}

static void read_options(struct arena *arena, const struct ast_property_list *properties,
                         struct connector_entry *out)
{
    struct connector_option *options =
        arena_array(arena, struct connector_option, properties->count);

    for (uint32_t i = 0; i < properties->count; i++) {
        options[i].name = properties->items[i].name.text;
        options[i].value = literal_text(arena, &properties->items[i].value);
    }
    out->options = options;
    out->option_count = properties->count;
}

/* Somebody else keeps it already: ${env:X}, ${file:path:key}, ${secret:option}. */
static bool is_reference(struct bytes value)
{
    return bytes_starts_with(value, bytes_of("${"));
}

/* The statement and its options with references for secrets; what they stand for goes to `out`. */
static void hide_secrets(struct command *command, const struct connector_verdict *verdict,
                         struct connector_entry *entry, struct ast_statement *statement,
                         struct change *out)
{
    struct ast_property_list *properties = &statement->create_connector.properties;
    struct ast_property *shown =
        arena_array(command->arena, struct ast_property, properties->count);
    struct connector_option *options =
        arena_array(command->arena, struct connector_option, entry->option_count);
    struct connector_option *secrets =
        arena_array(command->arena, struct connector_option, entry->option_count);

    for (uint32_t i = 0; i < entry->option_count; i++) {
        shown[i] = properties->items[i];
        options[i] = entry->options[i];
        if (verdict->is_secret[i] && !is_reference(options[i].value)) {
            secrets[out->secret_count++] = options[i];
            options[i].value =
                arena_printf(command->arena, "${secret:%.*s}", BYTES_ARG(options[i].name));
            shown[i].value.kind = AST_LITERAL_STRING;
            shown[i].value.string = options[i].value;
        }
    }
    properties->items = shown;
    entry->options = options;
    out->secrets = secrets;
}

static int report_taken(struct command *command, const struct connector_entry *there,
                        struct change *out, struct error *err)
{
    const struct ast_create_connector *create = &command->statement->create_connector;

    if (!create->if_not_exists) {
        return error_set(err, ERR_CONNECTOR_EXISTS, create->name.at,
                         "Connector %.*s already exists", BYTES_ARG(there->name));
    }
    out->none = true;
    out->message =
        arena_printf(command->arena, "Connector %.*s already exists", BYTES_ARG(there->name));
    return 0;
}

static int check_entry(struct command *command, const struct connector_host *host,
                       struct connector_entry *entry, struct connector_verdict *verdict,
                       struct error *err)
{
    const struct ast_property_list *properties = &command->statement->create_connector.properties;
    int code = host->check(host->context, entry, command->arena, verdict, err);

    if (code && err && !command->record) {
        err->at = verdict->culprit > 0 ? properties->items[verdict->culprit - 1].value.at
                                       : command->statement->create_connector.name.at;
    }
    return code;
}

int create_connector_change(struct command *command, struct change *out, struct error *err)
{
    const struct ast_create_connector *create = &command->statement->create_connector;
    const struct connector_entry *there =
        catalog_find_connector(command->catalog, create->name.text);
    struct ast_statement shown = *command->statement;
    struct connector_entry entry = { .name = create->name.text, .is_sink = create->is_sink };
    struct connector_verdict verdict = { 0 };
    const struct connector_host *host = NULL;

    out->type = "connector";
    out->entity = create->name.text;
    out->action = "create";
    TRY(find_host(command, &host, err));
    if (there && !command->record && command->put != CONNECTOR_REPLACE) {
        return report_taken(command, there, out, err);
    }
    read_options(command->arena, &create->properties, &entry);
    TRY(check_entry(command, host, &entry, &verdict, err));
    hide_secrets(command, &verdict, &entry, &shown, out);
    entry.sql = planning_canonical(command->arena, &shown, NULL);
    catalog_put_connector(command->catalog, &entry);
    out->sql = entry.sql;
    out->message = arena_printf(command->arena, "Created connector %.*s", BYTES_ARG(entry.name));
    out->connector = arena_copy(command->arena, entry.name);
    out->warnings = verdict.warnings;
    out->warning_count = verdict.warning_count;
    return 0;
}

static struct bytes print_statement(const struct ast_statement *statement, struct arena *arena)
{
    struct buffer text = { 0 };

    ast_print_statement(&text, statement);
    return answer_take(arena, &text);
}

static struct bytes connector_text(const struct ast_statement *statement, struct arena *arena)
{
    struct ast_statement shown = *statement;
    struct ast_property_list *properties = &shown.create_connector.properties;
    struct ast_property *items = arena_array(arena, struct ast_property, properties->count);

    for (uint32_t i = 0; i < properties->count; i++) {
        items[i] = properties->items[i];
        if (!bytes_equal_text_nocase(items[i].name.text, "connector.class")) {
            items[i].value.kind = AST_LITERAL_STRING;
            items[i].value.string = bytes_of("[string]");
        }
    }
    properties->items = items;
    return print_statement(&shown, arena);
}

static struct bytes masked_insert(const struct ast_statement *statement, struct arena *arena)
{
    struct ast_statement shown = *statement;
    struct ast_expr_list *values = &shown.insert_values.values;
    struct ast_expr **items = arena_array(arena, struct ast_expr *, values->count);
    struct ast_expr *mask = arena_new(arena, struct ast_expr);

    mask->kind = AST_LITERAL;
    mask->literal.kind = AST_LITERAL_STRING;
    mask->literal.string = bytes_of("[value]");
    for (uint32_t i = 0; i < values->count; i++) {
        items[i] = mask;
    }
    values->items = items;
    return print_statement(&shown, arena);
}

struct bytes command_shown_text(const struct ast_statement *statement,
                                const struct result_sink *sink, struct arena *arena)
{
    if (statement->kind == AST_CREATE_CONNECTOR) {
        return connector_text(statement, arena);
    }
    return statement->kind == AST_INSERT_VALUES && sink->masks_values
               ? masked_insert(statement, arena)
               : statement->text;
}

/* --- DROP --- */

int drop_connector_change(struct command *command, struct change *out, struct error *err)
{
    const struct ast_drop *drop = &command->statement->drop;
    const struct connector_entry *there = catalog_find_connector(command->catalog, drop->name.text);

    out->type = "connector";
    out->entity = drop->name.text;
    out->action = "drop";
    out->sql = planning_canonical(command->arena, command->statement, NULL);
    if (!there && drop->if_exists) {
        out->none = true;
        out->message = arena_printf(command->arena, "Connector '%.*s' does not exist.",
                                    BYTES_ARG(drop->name.text));
        return 0;
    }
    if (!there) {
        return report_unknown(command, &drop->name, err);
    }
    out->removed_connector = arena_copy(command->arena, there->name);
    out->message = arena_printf(command->arena, "Dropped connector %.*s", BYTES_ARG(there->name));
    catalog_remove_connector(command->catalog, out->removed_connector);
    return 0;
}

/* --- SHOW --- */

static const char *running_text(struct arena *arena, const struct connector_status *status)
{
    uint32_t running = 0;

    for (uint32_t i = 0; i < status->task_count; i++) {
        running += bytes_equal_text(bytes_of(status->tasks[i].state), "RUNNING");
    }
    if (!bytes_equal_text(bytes_of(status->state), "RUNNING")) {
        return status->state;
    }
    return arena_printf(arena, "%s (%u/%u tasks RUNNING)",
                        running == status->task_count ? "RUNNING" : "WARNING", running,
                        status->task_count)
        .data;
}

int show_connectors(struct command *command, struct error *err)
{
    static const char *const columns[] = { "Connector Name", "Type", "Class", "Status", NULL };
    static const char *const fields[] = { "name", "type", "className", "state" };
    enum ast_show_what what = command->statement->show.what;
    const struct connector_entry *const *all = NULL;
    uint32_t count = catalog_list_connectors(command->catalog, command->arena, &all);
    const struct connector_host *host = NULL;
    struct answer_table answer;

    TRY(find_host(command, &host, err));
    answer_begin(&answer, command->arena, "connector_list", columns);
    answer.table.fields = fields;
    for (uint32_t i = 0; i < count; i++) {
        struct connector_status status = { 0 };

        if ((what == AST_SHOW_SINK_CONNECTORS && !all[i]->is_sink) ||
            (what == AST_SHOW_SOURCE_CONNECTORS && all[i]->is_sink)) {
            continue;
        }
        TRY(host->status(host->context, all[i]->name, command->arena, &status, err));
        answer_cell(&answer, status.name);
        answer_cell_text(&answer, status.is_sink ? "SINK" : "SOURCE");
        answer_cell(&answer, status.class_name);
        answer_cell_text(&answer, running_text(command->arena, &status));
    }
    answer_end(&answer, command);
    return 0;
}

int show_connector_plugins(struct command *command, struct error *err)
{
    static const char *const columns[] = { "Class", "Type", "Version", NULL };
    static const char *const fields[] = { "className", "type", "version" };
    const struct connector_host *host = NULL;
    struct answer_table answer;

    TRY(find_host(command, &host, err));
    answer_begin(&answer, command->arena, "connector_plugins_list", columns);
    answer.table.fields = fields;
    for (const struct connector_plugin *plugin = host->plugins; plugin->class_name; plugin++) {
        answer_cell_text(&answer, plugin->class_name);
        answer_cell_text(&answer, plugin->type);
        answer_cell_text(&answer, plugin->version ? plugin->version : "");
    }
    answer_end(&answer, command);
    return 0;
}

/* --- DESCRIBE --- */

static void answer_tasks(struct answer_table *answer, const struct connector_status *status)
{
    for (uint32_t i = 0; i < status->task_count; i++) {
        answer_cell_number(answer, i);
        answer_cell_text(answer, status->tasks[i].state);
        answer_cell(answer, status->tasks[i].trace.data ? status->tasks[i].trace : bytes_of(""));
    }
}

static void print_sources(const struct command *command, const struct connector_status *status,
                          struct buffer *out)
{
    const struct source *const *sources = NULL;
    uint32_t count = catalog_list_sources(command->catalog, command->arena, &sources);

    for (uint32_t t = 0; t < status->topic_count; t++) {
        for (uint32_t i = 0; i < count; i++) {
            if (bytes_equal(sources[i]->topic, status->topics[t])) {
                buffer_printf(out, "%s%.*s (%s over %.*s)", out->len ? ", " : "",
                              BYTES_ARG(sources[i]->name),
                              sources[i]->kind == SOURCE_TABLE ? "table" : "stream",
                              BYTES_ARG(sources[i]->topic));
            }
        }
    }
}

static struct bytes description_heading(const struct command *command,
                                        const struct connector_status *status)
{
    struct buffer text = { 0 };
    struct buffer sources = { 0 };

    buffer_printf(&text, "Name     : %.*s\nClass    : %.*s\nType     : %s\nState    : %s\n",
                  BYTES_ARG(status->name), BYTES_ARG(status->class_name),
                  status->is_sink ? "sink" : "source", status->state);
    buffer_printf(&text, "WorkerId : %.*s\n", BYTES_ARG(status->worker_id));
    if (status->trace.data) {
        buffer_printf(&text, "Trace    : %.*s\n", BYTES_ARG(status->trace));
    }
    print_sources(command, status, &sources);
    if (sources.len > 0) {
        buffer_printf(&text, "Reads    : %.*s\n", BYTES_ARG(buffer_bytes(&sources)));
    }
    for (uint32_t i = 0; i < status->warning_count; i++) {
        buffer_printf(&text, "Warning  : %.*s\n", BYTES_ARG(status->warnings[i]));
    }
    buffer_append_char(&text, '\n');
    buffer_fini(&sources);
    return answer_take(command->arena, &text);
}

int check_connector(struct command *command, struct error *err)
{
    const struct ast_name *name = &command->statement->describe.name;

    return catalog_find_connector(command->catalog, name->text)
               ? 0
               : report_unknown(command, name, err);
}

int describe_connector(struct command *command, struct error *err)
{
    static const char *const columns[] = { "Task ID", "State", "Error Trace", NULL };
    static const char *const fields[] = { "id", "state", "trace" };
    const struct connector_host *host = NULL;
    struct connector_status status = { 0 };
    struct buffer topics = { 0 };
    struct answer_table answer;

    TRY(check_connector(command, err));
    TRY(find_host(command, &host, err));
    TRY(host->status(host->context, command->statement->describe.name.text, command->arena, &status,
                     err));
    answer_begin(&answer, command->arena, "connector_description", columns);
    answer.table.fields = fields;
    answer.table.connector = &status;
    answer.table.heading = description_heading(command, &status);
    answer_tasks(&answer, &status);
    buffer_append_text(&topics, "\nTopics: ");
    for (uint32_t i = 0; i < status.topic_count; i++) {
        buffer_printf(&topics, "%s%.*s", i ? ", " : "", BYTES_ARG(status.topics[i]));
    }
    answer.table.footer = answer_take(command->arena, &topics);
    answer_end(&answer, command);
    return 0;
}
