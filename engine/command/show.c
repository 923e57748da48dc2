/*
 * show.c: SHOW and LIST: what there is, as tables (statements.md 7).
 */
#include <stdlib.h>
#include <string.h>

#include "engine/command/command_internal.h"
#include "engine/function/function.h"

/* --- sources and queries --- */

static int show_sources(struct command *command, enum source_kind kind, struct error *err)
{
    static const char *const stream_columns[] = { "Stream Name",  "Kafka Topic", "Key Format",
                                                  "Value Format", "Windowed",    NULL };
    static const char *const table_columns[] = { "Table Name",   "Kafka Topic", "Key Format",
                                                 "Value Format", "Windowed",    NULL };
    static const char *const fields[] = { "name", "topic", "keyFormat", "valueFormat",
                                          "isWindowed" };
    bool is_table = kind == SOURCE_TABLE;
    const struct source *const *sources = NULL;
    uint32_t count = catalog_list_sources(command->catalog, command->arena, &sources);
    struct answer_table answer;

    answer_begin(&answer, command->arena, is_table ? "tables" : "streams",
                 is_table ? table_columns : stream_columns);
    answer.table.fields = fields;
    for (uint32_t i = 0; i < count; i++) {
        if (sources[i]->kind == kind) {
            answer_cell(&answer, sources[i]->name);
            answer_cell(&answer, sources[i]->topic);
            answer_cell_text(&answer, sources[i]->key_format.kind->name);
            answer_cell_text(&answer, sources[i]->value_format.kind->name);
            answer_cell_text(&answer, "false");
        }
    }
    answer_end(&answer, command);
    return 0;
}

const char *query_state_text(const struct command *command, struct bytes id)
{
    struct query_status status;

    if (runtime_query_status(command->engine->runtime, id, &status, NULL)) {
        return "ERROR"; /* it could not be started */
    }
    switch (status.state) {
    case QUERY_RUNNING:
        return "RUNNING";
    case QUERY_PAUSED:
        return "PAUSED";
    case QUERY_ERROR:
        break;
    }
    return "ERROR";
}

struct result_query command_describe_query(const struct command *command,
                                           const struct query_entry *query)
{
    const struct source *sink = catalog_find_source(command->catalog, query->sink);

    return (struct result_query){ .id = query->id,
                                  .sql = query->sql,
                                  .sink = query->sink,
                                  .sink_topic = sink ? sink->topic : bytes_of(""),
                                  .type = "PERSISTENT",
                                  .state = query_state_text(command, query->id) };
}

static void answer_query(struct command *command, struct answer_table *answer,
                         const struct result_query *query)
{
    answer_cell(answer, query->id);
    answer_cell_text(answer, query->type);
    answer_cell(answer, arena_printf(command->arena, "%s:1", query->state));
    answer_cell(answer, query->sink);
    answer_cell(answer, query->sink_topic);
    answer_cell(answer, answer_one_line(command->arena, query->sql));
}

static int show_queries(struct command *command, struct error *err)
{
    static const char *const columns[] = { "Query ID",  "Query Type",       "Status",
                                           "Sink Name", "Sink Kafka Topic", "Query String",
                                           NULL };
    static const char *const fields[] = { "id",   "queryType", "statusCount",
                                          "sink", "sinkTopic", "queryString" };
    const struct query_entry *const *queries = NULL;
    uint32_t count = catalog_list_queries(command->catalog, command->arena, &queries);
    struct answer_table answer;

    answer_begin(&answer, command->arena, "queries", columns);
    answer.table.fields = fields;
    for (uint32_t i = 0; i < count; i++) {
        struct result_query query = command_describe_query(command, queries[i]);

        answer_query(command, &answer, &query);
    }
    for (const struct client_query *client = command->engine->clients; client;
         client = client->next) {
        const struct result_query query = { .id = client->id,
                                            .sql = client->sql,
                                            .sink = bytes_of(""),
                                            .sink_topic = bytes_of(""),
                                            .type = "PUSH",
                                            .state = "RUNNING" };

        answer_query(command, &answer, &query);
    }
    if (answer.cells.count > 0) {
        answer.table.footer = bytes_of("For a query's plan and state: EXPLAIN <Query ID>;");
    }
    answer_end(&answer, command);
    return 0;
}

static int explain_queries(struct command *command, struct error *err)
{
    static const char *const no_columns[] = { NULL };
    const struct query_entry *const *queries = NULL;
    uint32_t count = catalog_list_queries(command->catalog, command->arena, &queries);
    struct answer_table none;

    for (uint32_t i = 0; i < count; i++) {
        TRY(explain_query(command, queries[i], "query_descriptions", err));
    }
    if (count == 0) {
        answer_begin(&none, command->arena, "query_descriptions", no_columns);
        answer_end(&none, command);
    }
    return 0;
}

/* --- properties --- */

struct shown_property {
    struct bytes name; /* as shown: settings of the runtime carry ksql.streams. */
    struct bytes value;
    const char *level; /* "", SERVER, SESSION */
};

typedef VEC(struct shown_property) property_list;

static bool is_secret(struct bytes name)
{
    static const char *const words[] = { "password",           "secret",       "sasl.jaas",
                                         "oauthbearer.config", "keystore.key", "ssl.key.pem",
                                         "ksql.functions." };
    bool found = false;

    for (size_t w = 0; w < sizeof words / sizeof words[0]; w++) {
        struct bytes word = bytes_of(words[w]);

        for (size_t i = 0; !found && i + word.len <= name.len; i++) {
            found = memcmp(name.data + i, word.data, word.len) == 0;
        }
    }
    return found;
}

static const char *level_of(const struct command *command, struct bytes name)
{
    if (map_find(&command->properties->values, name)) {
        return "SESSION";
    }
    return map_find(&command->engine->server.values, name) ? "SERVER" : "";
}

static void add_property(struct command *command, property_list *list, struct bytes name)
{
    bool is_ours = bytes_starts_with(name, bytes_of("ksql."));
    struct shown_property shown = { .level = level_of(command, name) };

    if (is_secret(name)) {
        return;
    }
    shown.name =
        arena_printf(command->arena, "%s%.*s", is_ours ? "" : "ksql.streams.", BYTES_ARG(name));
    shown.value = property_get(command->properties, arena_copy_text(command->arena, name));
    *vec_push(command->arena, list) = shown;
}

/* Members of families have no row of their own: they are there once somebody sets them. */
static void add_members(struct command *command, property_list *list,
                        const struct property_set *set)
{
    const struct property_text *given = NULL;
    uint32_t count = property_set_list(set, command->arena, &given);

    for (uint32_t i = 0; i < count; i++) {
        const struct setting_kind *kind = NULL;
        struct bytes name = { 0 };

        if (!setting_find(given[i].name, NO_POSITION, &kind, &name, NULL) &&
            kind->name[strlen(kind->name) - 1] == '*') {
            add_property(command, list, given[i].name);
        }
    }
}

static int compare_properties(const void *a, const void *b)
{
    const struct shown_property *left = a;
    const struct shown_property *right = b;

    return bytes_compare(left->name, right->name);
}

static int show_properties(struct command *command, struct error *err)
{
    static const char *const columns[] = { "Property", "Scope", "Default override",
                                           "Effective Value", NULL };
    static const char *const fields[] = { "name", "scope", "level", "value" };
    property_list list = { 0 };
    struct answer_table answer;

    for (const struct setting_kind *kind = all_settings; kind->name; kind++) {
        if (kind->name[strlen(kind->name) - 1] != '*') {
            add_property(command, &list, bytes_of(kind->name));
        }
    }
    add_members(command, &list, &command->engine->server);
    add_members(command, &list, command->properties);
    if (list.count > 1) {
        qsort(list.items, list.count, sizeof *list.items, compare_properties);
    }
    answer_begin(&answer, command->arena, "properties", columns);
    answer.table.fields = fields;
    for (uint32_t i = 0; i < list.count; i++) {
        const struct shown_property *shown = &list.items[i];

        if (i > 0 && bytes_equal(shown->name, shown[-1].name)) {
            continue; /* a member that server and session both set */
        }
        answer_cell(&answer, shown->name);
        answer_cell_text(&answer, "KSQL");
        answer_cell_text(&answer, shown->level);
        answer_cell(&answer, shown->value.data ? shown->value : bytes_of("NULL"));
    }
    answer_end(&answer, command);
    return 0;
}

/* --- functions --- */

struct shown_function {
    const char *name;
    const char *category;
};

typedef VEC(struct shown_function) function_list;

static int compare_functions(const void *a, const void *b)
{
    const struct shown_function *left = a;
    const struct shown_function *right = b;
    int order = strcmp(left->category, right->category);

    return order ? order : strcmp(left->name, right->name);
}

static function_list list_functions(struct arena *arena)
{
    function_list list = { 0 };

    for (uint32_t i = 0; scalar_at(i); i++) {
        *vec_push(arena, &list) =
            (struct shown_function){ scalar_at(i)->name, scalar_at(i)->category };
    }
    for (uint32_t i = 0; aggregate_at(i); i++) {
        *vec_push(arena, &list) = (struct shown_function){ aggregate_at(i)->name, "AGGREGATE" };
    }
    if (list.count > 1) {
        qsort(list.items, list.count, sizeof *list.items, compare_functions);
    }
    return list;
}

static int show_functions(struct command *command, struct error *err)
{
    static const char *const columns[] = { "Function Name", "Category", NULL };
    static const char *const fields[] = { "name", "category" };
    function_list list = list_functions(command->arena);
    struct answer_table answer;

    answer_begin(&answer, command->arena, "function_names", columns);
    answer.table.fields = fields;
    for (uint32_t i = 0; i < list.count; i++) {
        const struct shown_function *shown = &list.items[i];

        if (i > 0 && strcmp(shown->name, shown[-1].name) == 0) {
            continue; /* a variant */
        }
        if (i > 0 && strcmp(shown->category, shown[-1].category) != 0) {
            answer_cell_text(&answer, "");
            answer_cell_text(&answer, "");
        }
        answer_cell_text(&answer, shown->name);
        answer_cell_text(&answer, shown->category);
    }
    answer.table.footer = bytes_of("For what a function does: DESCRIBE FUNCTION <name>;");
    answer_end(&answer, command);
    return 0;
}

/* --- the statement --- */

int show_run(struct command *command, struct error *err)
{
    bool extended = command->statement->show.extended;

    switch (command->statement->show.what) {
    case AST_SHOW_PROPERTIES:
        return show_properties(command, err);
    case AST_SHOW_TOPICS:
        return show_topics(command, err);
    case AST_SHOW_STREAMS:
        return extended ? describe_sources(command, SOURCE_STREAM, extended, err)
                        : show_sources(command, SOURCE_STREAM, err);
    case AST_SHOW_TABLES:
        return extended ? describe_sources(command, SOURCE_TABLE, extended, err)
                        : show_sources(command, SOURCE_TABLE, err);
    case AST_SHOW_QUERIES:
        return extended ? explain_queries(command, err) : show_queries(command, err);
    case AST_SHOW_FUNCTIONS:
        return show_functions(command, err);
    case AST_SHOW_TYPES:
        return show_types(command, err);
    case AST_SHOW_VARIABLES:
        variables_show(command);
        return 0;
    case AST_SHOW_CONNECTORS:
    case AST_SHOW_SOURCE_CONNECTORS:
    case AST_SHOW_SINK_CONNECTORS:
        return show_connectors(command, err);
    case AST_SHOW_CONNECTOR_PLUGINS:
        return show_connector_plugins(command, err);
    }
    return 0;
}
