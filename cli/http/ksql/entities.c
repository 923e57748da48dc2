/*
 * entities.c: results of statements as entities of POST /ksql (rest-api.md 3).
 *
 * A table comes with stable names of its columns; each kind has a row below that says how its
 * entity is made from them. Descriptions of sources and queries come with what they describe;
 * those of a list come one by one and share an entity. SET, INSERT VALUES and their like tell
 * no more than a message, and have no entity.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/http/ksql/api_internal.h"
#include "engine/command/properties.h"

/* --- one entity --- */

static void begin(struct entities *self, const char *type, struct bytes statement)
{
    buffer_append_text(&self->text, self->text.len ? "," : "");
    buffer_printf(&self->text, "{\"@type\":\"%s\"", type);
    print_text(&self->text, "statementText", request_trim(statement));
}

static void end(struct entities *self)
{
    buffer_append_text(&self->text, ",\"warnings\":[]}");
}

static void close_list(struct entities *self)
{
    if (self->list_is_open) {
        self->list_is_open = false;
        buffer_append_char(&self->text, ']');
        end(self);
    }
}

/* --- rows of tables --- */

struct row {
    const struct result_table *table;
    uint32_t number;
};

static struct bytes cell(const struct row *row, const char *field)
{
    for (uint32_t c = 0; c < row->table->column_count; c++) {
        if (strcmp(row->table->fields[c], field) == 0) {
            return row->table->cells[(size_t)row->number * row->table->column_count + c];
        }
    }
    return bytes_of("");
}

static void print_source_row(struct buffer *out, const struct row *row, const char *type)
{
    buffer_printf(out, "{\"type\":\"%s\"", type);
    print_text(out, "name", cell(row, "name"));
    print_text(out, "topic", cell(row, "topic"));
    print_text(out, "keyFormat", cell(row, "keyFormat"));
    print_text(out, "valueFormat", cell(row, "valueFormat"));
    buffer_printf(out, ",\"isWindowed\":%.*s}", BYTES_ARG(cell(row, "isWindowed")));
}

static void print_stream_row(struct buffer *out, const struct row *row)
{
    print_source_row(out, row, "STREAM");
}

static void print_table_row(struct buffer *out, const struct row *row)
{
    print_source_row(out, row, "TABLE");
}

static void print_query_row(struct buffer *out, const struct row *row)
{
    struct bytes type = cell(row, "queryType");
    struct bytes count = cell(row, "statusCount"); /* STATE:1 */
    char state[16] = "";
    struct result_query query = {
        .id = cell(row, "id"),
        .sql = cell(row, "queryString"),
        .sink = cell(row, "sink"),
        .sink_topic = cell(row, "sinkTopic"),
        .type = bytes_equal_text(type, "PUSH") ? "PUSH" : "PERSISTENT",
        .state = state,
    };

    for (size_t i = 0; i < count.len && i < sizeof state - 1 && count.data[i] != ':'; i++) {
        state[i] = count.data[i];
    }
    print_query(out, &query);
}

static long number_of(struct bytes text)
{
    char digits[24] = "";

    if (text.len < sizeof digits) {
        memcpy(digits, text.data, text.len);
    }
    return strtol(digits, NULL, 10);
}

static void print_topic(struct buffer *out, const struct row *row)
{
    long partitions = number_of(cell(row, "partitions"));

    buffer_append_text(out, "{\"name\":");
    print_quoted(out, cell(row, "name"));
    print_name(out, "replicaInfo");
    buffer_append_char(out, '[');
    for (long i = 0; i < partitions; i++) {
        buffer_printf(out, "%s%ld", i ? "," : "", number_of(cell(row, "replicas")));
    }
    buffer_append_char(out, ']');
}

static void print_topic_row(struct buffer *out, const struct row *row)
{
    print_topic(out, row);
    buffer_append_char(out, '}');
}

static void print_extended_topic_row(struct buffer *out, const struct row *row)
{
    print_topic(out, row);
    buffer_printf(out, ",\"consumerCount\":%ld,\"consumerGroupCount\":%ld}",
                  number_of(cell(row, "consumerCount")),
                  number_of(cell(row, "consumerGroupCount")));
}

static bool is_editable(struct bytes name)
{
    const struct setting_kind *kind = NULL;
    struct bytes kept_name;

    return !setting_find(name, NO_POSITION, &kind, &kept_name, NULL) &&
           kind->scope == SETTING_SESSION;
}

static void print_property_row(struct buffer *out, const struct row *row)
{
    const struct bytes no_value = { NULL, 0 };
    struct bytes value = cell(row, "value");
    bool editable = is_editable(cell(row, "name"));

    buffer_append_text(out, "{\"name\":");
    print_quoted(out, cell(row, "name"));
    print_text(out, "scope", cell(row, "scope"));
    print_text(out, "value", bytes_equal_text(value, "NULL") ? no_value : value);
    buffer_printf(out, ",\"editable\":%s,\"level\":\"%s\"}", editable ? "true" : "false",
                  editable ? "QUERY" : "SERVER");
}

static void print_function_row(struct buffer *out, const struct row *row)
{
    struct bytes category = cell(row, "category");
    bool is_aggregate = bytes_equal_text(category, "AGGREGATE");

    buffer_append_text(out, "{\"name\":");
    print_quoted(out, cell(row, "name"));
    buffer_printf(out, ",\"type\":\"%s\"", is_aggregate ? "AGGREGATE" : "SCALAR");
    print_text(out, "category", category);
    buffer_append_char(out, '}');
}

static void print_variable_row(struct buffer *out, const struct row *row)
{
    buffer_append_text(out, "{\"name\":");
    print_quoted(out, cell(row, "name"));
    print_text(out, "value", cell(row, "value"));
    buffer_append_char(out, '}');
}

static void print_connector_row(struct buffer *out, const struct row *row)
{
    buffer_append_text(out, "{\"name\":");
    print_quoted(out, cell(row, "name"));
    print_text(out, "type", cell(row, "type"));
    print_text(out, "className", cell(row, "className"));
    print_text(out, "state", cell(row, "state"));
    buffer_append_char(out, '}');
}

static void print_plugin_row(struct buffer *out, const struct row *row)
{
    buffer_append_text(out, "{\"className\":");
    print_quoted(out, cell(row, "className"));
    print_text(out, "type", cell(row, "type"));
    print_text(out, "version", cell(row, "version"));
    buffer_append_char(out, '}');
}

/* --- kinds of tables --- */

static void print_levels(struct buffer *out, const struct result_table *table, const char *name,
                         const char *level)
{
    bool any = false;

    print_name(out, name);
    buffer_append_char(out, '[');
    for (uint32_t r = 0; r < table->row_count; r++) {
        const struct row row = { table, r };

        if (bytes_equal_text(cell(&row, "level"), level)) {
            buffer_append_text(out, any ? "," : "");
            print_quoted(out, cell(&row, "name"));
            any = true;
        }
    }
    buffer_append_char(out, ']');
}

static void print_property_levels(struct buffer *out, const struct result_table *table)
{
    print_levels(out, table, "overwrittenProperties", "SESSION");
    print_levels(out, table, "defaultProperties", "");
}

static const struct listing {
    const char *kind;
    const char *list;
    void (*print_row)(struct buffer *out, const struct row *row);
    void (*print_more)(struct buffer *out, const struct result_table *table); /* NULL: none */
} listings[] = {
    { "streams", "streams", print_stream_row, NULL },
    { "tables", "tables", print_table_row, NULL },
    { "queries", "queries", print_query_row, NULL },
    { "kafka_topics", "topics", print_topic_row, NULL },
    { "kafka_topics_extended", "topics", print_extended_topic_row, NULL },
    { "properties", "properties", print_property_row, print_property_levels },
    { "function_names", "functions", print_function_row, NULL },
    { "connector_list", "connectors", print_connector_row, NULL },
    { "connector_plugins_list", "connectorsPlugins", print_plugin_row, NULL },
    { "variables", "variables", print_variable_row, NULL },
};

static const struct listing *find_listing(const char *kind)
{
    for (size_t i = 0; i < sizeof listings / sizeof listings[0]; i++) {
        if (strcmp(listings[i].kind, kind) == 0) {
            return &listings[i];
        }
    }
    return NULL;
}

static void print_listing(struct entities *self, const struct listing *listing,
                          const struct result_table *table)
{
    bool any = false;

    begin(self, listing->kind, self->checking);
    print_name(&self->text, listing->list);
    buffer_append_char(&self->text, '[');
    for (uint32_t r = 0; r < table->row_count; r++) {
        const struct row row = { table, r };

        if (table->cells[(size_t)r * table->column_count].len == 0) {
            continue; /* a blank line for the eye */
        }
        buffer_append_text(&self->text, any ? "," : "");
        listing->print_row(&self->text, &row);
        any = true;
    }
    buffer_append_char(&self->text, ']');
    if (listing->print_more) {
        listing->print_more(&self->text, table);
    }
    end(self);
}

static void print_description(struct entities *self, const struct result_table *table)
{
    if (table->source) {
        print_source(&self->text, table->source, self->api->host);
    } else if (table->plan) {
        print_plan(&self->text, table->plan, self->api->host);
    }
}

/* One of a list; the list begins with the first. Neither source nor plan: there are none. */
static void print_list_member(struct entities *self, const struct result_table *table,
                              const char *list)
{
    if (!self->list_is_open) {
        begin(self, table->kind, self->checking);
        print_name(&self->text, list);
        buffer_append_char(&self->text, '[');
        self->list_is_open = true;
    } else {
        buffer_append_char(&self->text, ',');
    }
    print_description(self, table);
}

static void print_assertion(struct entities *self, const struct result_table *table)
{
    const struct row row = { table, 0 };

    begin(self, table->kind, self->checking);
    print_text(&self->text, "topicName", cell(&row, "topicName"));
    buffer_printf(&self->text, ",\"exists\":%.*s", BYTES_ARG(cell(&row, "exists")));
    end(self);
}

/* What has no other form yet is told as it is shown. */
static void print_free_text(struct entities *self, const struct result_table *table)
{
    begin(self, table->kind, self->checking);
    print_text(&self->text, "text", table->text.data ? table->text : bytes_of(""));
    end(self);
}

static void tell_table(void *context, const struct result_table *table)
{
    struct entities *self = context;
    const struct listing *listing = find_listing(table->kind);

    if (listing) {
        print_listing(self, listing, table);
    } else if (strcmp(table->kind, "source_descriptions") == 0) {
        print_list_member(self, table, "sourceDescriptions");
    } else if (strcmp(table->kind, "query_descriptions") == 0) {
        print_list_member(self, table, "queryDescriptions");
    } else if (table->connector) {
        begin(self, table->kind, self->checking);
        print_connector(&self->text, table->connector, engine_catalog(self->api->engine),
                        &self->arena);
        end(self);
    } else if (table->function) {
        begin(self, table->kind, self->checking);
        print_function(&self->text, table->function);
        end(self);
    } else if (table->source || table->plan) {
        begin(self, table->kind, self->checking);
        print_name(&self->text, table->kind);
        print_description(self, table);
        end(self);
    } else if (strcmp(table->kind, "assert_topic") == 0) {
        print_assertion(self, table);
    } else if (strcmp(table->kind, "type_list") == 0) {
        begin(self, table->kind, self->checking);
        print_types(&self->text, table->types);
        end(self);
    } else {
        print_free_text(self, table);
    }
}

/* --- changes --- */

static void tell_connector(struct entities *self, const struct result_change *change)
{
    struct buffer fields = { 0 };
    const char *type = print_connector_change(&fields, change);

    begin(self, type, self->checking);
    buffer_append_bytes(&self->text, buffer_bytes(&fields));
    end(self);
    buffer_fini(&fields);
}

static void tell_changed(void *context, const struct result_change *change)
{
    struct entities *self = context;

    if (strcmp(change->type, "connector") == 0) {
        tell_connector(self, change);
        return;
    }
    begin(self, "currentStatus", change->sql);
    print_text(&self->text, "commandId", change->id);
    buffer_append_text(&self->text, ",\"commandStatus\":{\"status\":\"SUCCESS\"");
    print_text(&self->text, "message", change->message);
    print_text(&self->text, "queryId", change->query_id);
    buffer_printf(&self->text, "},\"commandSequenceNumber\":%lld", (long long)change->sequence);
    end(self);
}

static void tell_ended(void *context, struct bytes query_id)
{
    struct entities *self = context;

    begin(self, "terminate_query", self->checking);
    print_text(&self->text, "queryId", query_id);
    buffer_append_text(&self->text, ",\"wasTerminated\":true");
    end(self);
}

static void tell_warning(void *context, struct bytes message)
{
    struct entities *self = context;

    begin(self, "warning_entity", self->checking);
    print_text(&self->text, "message", message);
    end(self);
}

/* SET and its like have no entity. */
static void ignore_note(void *context, struct bytes message)
{
    (void)context;
    (void)message;
}

/* --- the sink --- */

static void tell_statement(void *context, struct bytes text)
{
    struct entities *self = context;

    close_list(self);
    arena_reset(&self->arena);
    self->statement.len = 0;
    buffer_append_bytes(&self->statement, text);
    self->checking = buffer_bytes(&self->statement);
}

void entities_init(struct entities *entities, struct ksql_api *api)
{
    *entities = (struct entities){ .api = api };
    arena_init(&entities->arena, 0);
}

struct result_sink entities_sink(struct entities *entities)
{
    return (struct result_sink){ .masks_values = true,
                                 .checking = tell_statement,
                                 .statement = tell_statement,
                                 .changed = tell_changed,
                                 .ended = tell_ended,
                                 .warning = tell_warning,
                                 .note = ignore_note,
                                 .table = tell_table,
                                 .context = entities };
}

void entities_end(struct entities *entities)
{
    close_list(entities);
}

void entities_fini(struct entities *entities)
{
    buffer_fini(&entities->text);
    buffer_fini(&entities->statement);
    arena_fini(&entities->arena);
}
