/*
 * remote_entities.c: entities of the REST API to tables of text.
 *
 * A listing is a row of `listings`: where its items are, and which of their members are columns.
 * An entity that is not known here is shown as JSON, so that nothing a server says is lost.
 */
#include "cli/remote/remote_entities.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { COLUMNS_MAX = 8 };

static struct bytes text_of(const json_t *value)
{
    return json_is_string(value)
               ? (struct bytes){ json_string_value(value), json_string_length(value) }
               : bytes_of("");
}

static struct bytes member(const json_t *object, const char *name)
{
    return text_of(json_object_get(object, name));
}

/* Any value in one cell: items of lists and members of objects side by side. */
static void print_cell(const json_t *value, struct buffer *out)
{
    const json_t *item;
    const char *name;
    size_t index;

    if (json_is_array(value)) {
        json_array_foreach(value, index, item)
        {
            buffer_append_text(out, index ? ", " : "");
            print_cell(item, out);
        }
    } else if (json_is_object(value)) {
        json_object_foreach((json_t *)(uintptr_t)value, name, item)
        { /* it is only read */
            buffer_printf(out, "%s%s:", out->len ? ", " : "", name);
            print_cell(item, out);
        }
    } else if (json_is_string(value)) {
        buffer_append_bytes(out, text_of(value));
    } else if (value && !json_is_null(value)) {
        char *text = json_dumps(value, JSON_ENCODE_ANY);

        buffer_append_text(out, text);
        free(text);
    }
}

static struct bytes cell_of(struct arena *arena, const json_t *value)
{
    struct buffer text = { 0 };
    struct bytes copy;

    print_cell(value, &text);
    copy = text.len ? arena_copy(arena, buffer_bytes(&text)) : bytes_of("");
    buffer_fini(&text);
    return copy;
}

/* --- telling those who listen --- */

static void tell_table(const struct result_table *table, const struct result_sink *sink)
{
    if (sink->table) {
        sink->table(sink->context, table);
    }
}

static void tell_message(struct bytes message, const struct result_sink *sink)
{
    if (sink->message) {
        sink->message(sink->context, message);
    }
}

/* --- listings --- */

struct listing {
    const char *type; /* @type */
    const char *list; /* member that holds the items */
    const char *footer;
    struct {
        const char *title;
        const char *field;
    } columns[COLUMNS_MAX];
};

static const struct listing listings[] = {
    { "streams",
      "streams",
      NULL,
      { { "Stream Name", "name" },
        { "Kafka Topic", "topic" },
        { "Key Format", "keyFormat" },
        { "Value Format", "valueFormat" },
        { "Windowed", "isWindowed" } } },
    { "tables",
      "tables",
      NULL,
      { { "Table Name", "name" },
        { "Kafka Topic", "topic" },
        { "Key Format", "keyFormat" },
        { "Value Format", "valueFormat" },
        { "Windowed", "isWindowed" } } },
    { "queries",
      "queries",
      "For a query's plan and state: EXPLAIN <Query ID>;",
      { { "Query ID", "id" },
        { "Query Type", "queryType" },
        { "Status", "statusCount" },
        { "Sink Name", "sinks" },
        { "Sink Kafka Topic", "sinkKafkaTopics" },
        { "Query String", "queryString" } } },
    { "kafka_topics",
      "topics",
      NULL,
      { { "Kafka Topic", "name" },
        { "Partitions", "partitions" },
        { "Partition Replicas", "replicas" } } },
    { "kafka_topics_extended",
      "topics",
      NULL,
      { { "Kafka Topic", "name" },
        { "Partitions", "partitions" },
        { "Partition Replicas", "replicas" },
        { "Consumers", "consumerCount" },
        { "ConsumerGroups", "consumerGroupCount" } } },
    { "properties",
      "properties",
      NULL,
      { { "Property", "name" },
        { "Scope", "scope" },
        { "Level", "level" },
        { "Value", "value" } } },
    { "function_names",
      "functions",
      "For what a function does: DESCRIBE FUNCTION <name>;",
      { { "Function Name", "name" }, { "Category", "category" } } },
    { "connector_list",
      "connectors",
      NULL,
      { { "Connector Name", "name" },
        { "Type", "type" },
        { "Class", "className" },
        { "Status", "state" } } },
    { "connector_plugins_list",
      "connectorsPlugins",
      NULL,
      { { "Class", "className" }, { "Type", "type" }, { "Version", "version" } } },
    { "variables", "variables", NULL, { { "Variable Name", "name" }, { "Value", "value" } } },
};

static const struct listing *find_listing(struct bytes type)
{
    for (size_t i = 0; i < sizeof listings / sizeof listings[0]; i++) {
        if (bytes_equal_text(type, listings[i].type)) {
            return &listings[i];
        }
    }
    return NULL;
}

static bool are_equal(const json_t *list)
{
    for (size_t i = 1; i < json_array_size(list); i++) {
        if (!json_equal(json_array_get(list, i), json_array_get(list, 0))) {
            return false;
        }
    }
    return json_array_size(list) > 0;
}

/* A topic has a list of replicas, one per partition: told as their number, and once if it can. */
static struct bytes field_of(struct arena *arena, const json_t *item, const char *field)
{
    const json_t *replicas = json_object_get(item, "replicaInfo");

    if (replicas && strcmp(field, "partitions") == 0) {
        return arena_printf(arena, "%zu", json_array_size(replicas));
    }
    if (replicas && strcmp(field, "replicas") == 0) {
        return cell_of(arena, are_equal(replicas) ? json_array_get(replicas, 0) : replicas);
    }
    return cell_of(arena, json_object_get(item, field));
}

static void tell_listing(const struct listing *listing, const json_t *entity, struct arena *arena,
                         const struct result_sink *sink)
{
    const json_t *items = json_object_get(entity, listing->list);
    struct bytes columns[COLUMNS_MAX];
    const char *fields[COLUMNS_MAX];
    struct bytes *cells;
    struct result_table table = {
        .kind = listing->type,
        .columns = columns,
        .fields = fields,
        .row_count = (uint32_t)json_array_size(items),
        .footer = listing->footer ? bytes_of(listing->footer) : (struct bytes){ 0 },
    };

    while (table.column_count < COLUMNS_MAX && listing->columns[table.column_count].title) {
        columns[table.column_count] = bytes_of(listing->columns[table.column_count].title);
        fields[table.column_count] = listing->columns[table.column_count].field;
        table.column_count++;
    }
    cells = arena_array(arena, struct bytes, (size_t)table.row_count * table.column_count);
    for (uint32_t r = 0; r < table.row_count; r++) {
        for (uint32_t c = 0; c < table.column_count; c++) {
            cells[(size_t)r * table.column_count + c] =
                field_of(arena, json_array_get(items, r), fields[c]);
        }
    }
    table.cells = cells;
    tell_table(&table, sink);
}

/* --- descriptions --- */

static void print_type(const json_t *schema, struct buffer *out)
{
    const json_t *fields = json_object_get(schema, "fields");
    const json_t *parameters = json_object_get(schema, "parameters");
    struct bytes type = member(schema, "type");
    const json_t *field;
    size_t index;

    buffer_append_bytes(out, bytes_equal_text(type, "STRING") ? bytes_of("VARCHAR(STRING)") : type);
    if (json_is_object(parameters)) {
        buffer_printf(out, "(%lld, %lld)",
                      (long long)json_integer_value(json_object_get(parameters, "precision")),
                      (long long)json_integer_value(json_object_get(parameters, "scale")));
    }
    if (bytes_equal_text(type, "STRUCT")) {
        buffer_append_char(out, '<');
        json_array_foreach(fields, index, field)
        {
            buffer_printf(out, "%s%.*s ", index ? ", " : "", BYTES_ARG(member(field, "name")));
            print_type(json_object_get(field, "schema"), out);
        }
        buffer_append_char(out, '>');
    } else if (json_is_object(json_object_get(schema, "memberSchema"))) {
        buffer_append_text(out, bytes_equal_text(type, "MAP") ? "<VARCHAR(STRING), " : "<");
        print_type(json_object_get(schema, "memberSchema"), out);
        buffer_append_char(out, '>');
    }
}

static struct bytes describe_type(struct arena *arena, const json_t *field, bool of_table)
{
    struct bytes role = member(field, "type");
    struct buffer text = { 0 };
    struct bytes copy;

    print_type(json_object_get(field, "schema"), &text);
    if (bytes_equal_text(role, "KEY")) {
        buffer_printf(&text, "%*s%s", text.len < 16 ? (int)(17 - text.len) : 1, "",
                      of_table ? "(primary key)" : "(key)");
    } else if (role.len > 0) {
        struct bytes key = member(field, "headerKey");

        buffer_printf(&text, key.len > 0 ? " (header('%.*s'))" : " (headers)", BYTES_ARG(key));
    }
    copy = arena_copy(arena, buffer_bytes(&text));
    buffer_fini(&text);
    return copy;
}

static void add_line(struct buffer *out, const char *title, struct bytes text)
{
    if (text.len > 0) {
        buffer_printf(out, "%-20s : %.*s\n", title, BYTES_ARG(text));
    }
}

static void tell_fields(const char *kind, const json_t *description, struct arena *arena,
                        const struct buffer *heading, const struct buffer *footer,
                        const struct result_sink *sink)
{
    static const struct bytes columns[] = { BYTES("Field"), BYTES("Type") };
    const json_t *fields = json_object_get(description, "fields");
    bool of_table = bytes_equal_text(member(description, "type"), "TABLE");
    uint32_t count = (uint32_t)json_array_size(fields);
    struct bytes *cells = arena_array(arena, struct bytes, 2 * (size_t)count);
    struct result_table table = { .kind = kind,
                                  .columns = columns,
                                  .column_count = 2,
                                  .cells = cells,
                                  .row_count = count,
                                  .heading = buffer_bytes(heading),
                                  .footer = buffer_bytes(footer) };

    for (uint32_t i = 0; i < count; i++) {
        const json_t *field = json_array_get(fields, i);

        cells[2 * (size_t)i] = member(field, "name");
        cells[2 * (size_t)i + 1] = describe_type(arena, field, of_table);
    }
    tell_table(&table, sink);
}

static void add_one_line(struct buffer *out, struct bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        buffer_append_char(out, text.data[i] == '\n' ? ' ' : text.data[i]);
    }
}

static void add_queries(struct buffer *out, const char *title, const json_t *queries)
{
    const json_t *query;
    size_t index;

    if (json_array_size(queries) > 0) {
        buffer_printf(out, "\n%s\n", title);
    }
    json_array_foreach(queries, index, query)
    {
        buffer_printf(out, "%.*s (%.*s) : ", BYTES_ARG(member(query, "id")),
                      BYTES_ARG(member(query, "state")));
        add_one_line(out, member(query, "queryString"));
        buffer_append_char(out, '\n');
    }
}

static uint32_t read_metrics(const json_t *list, bool are_errors, struct result_metric *out)
{
    uint32_t count = (uint32_t)json_array_size(list);

    for (uint32_t i = 0; i < count; i++) {
        const json_t *metric = json_array_get(list, i);

        out[i] = (struct result_metric){
            .host = member(metric, "host"),
            .name = member(metric, "name"),
            .value = (uint64_t)json_number_value(json_object_get(metric, "value")),
            .timestamp_ms = json_integer_value(json_object_get(metric, "timestamp")),
            .is_error = are_errors,
        };
    }
    return count;
}

static void add_metrics(struct buffer *out, const json_t *source, struct arena *arena)
{
    const json_t *counts = json_object_get(source, "clusterStatistics");
    const json_t *errors = json_object_get(source, "clusterErrorStats");
    struct result_metric *metrics =
        arena_array(arena, struct result_metric, json_array_size(counts) + json_array_size(errors));
    uint32_t count = read_metrics(counts, false, metrics);

    count += read_metrics(errors, true, &metrics[count]);
    result_metrics_print(metrics, count, out);
    if (count == 0 && member(source, "statistics").len > 0) {
        buffer_printf(out, "\n%.*s\n", BYTES_ARG(member(source, "statistics")));
    }
}

static int64_t number(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

static uint32_t count_offsets(const json_t *topics)
{
    uint32_t count = 0;
    const json_t *topic;
    size_t index;

    json_array_foreach(topics, index, topic)
    {
        count += (uint32_t)json_array_size(json_object_get(topic, "offsets"));
    }
    return count;
}

static struct result_group read_group(const json_t *group, struct arena *arena)
{
    const json_t *topics = json_object_get(group, "topicSummaries");
    struct result_offset *offsets = arena_array(arena, struct result_offset, count_offsets(topics));
    uint32_t count = 0;
    const json_t *topic;
    const json_t *offset;
    size_t t, o;

    json_array_foreach(topics, t, topic)
    {
        json_array_foreach(json_object_get(topic, "offsets"), o, offset)
        {
            offsets[count++] = (struct result_offset){
                .topic = member(topic, "kafkaTopic"),
                .partition = (uint32_t)number(offset, "partition"),
                .begin = number(offset, "logStartOffset"),
                .end = number(offset, "logEndOffset"),
                .consumed = number(offset, "consumerOffset"),
            };
        }
    }
    return (struct result_group){ member(group, "groupId"), offsets, count };
}

static void add_groups(struct buffer *out, const json_t *list, struct arena *arena)
{
    uint32_t count = (uint32_t)json_array_size(list);
    struct result_group *groups = arena_array(arena, struct result_group, count);

    for (uint32_t i = 0; i < count; i++) {
        groups[i] = read_group(json_array_get(list, i), arena);
    }
    result_groups_print(groups, count, out);
}

static void tell_source(const json_t *source, struct arena *arena, const struct result_sink *sink)
{
    bool extended = json_is_true(json_object_get(source, "extended"));
    struct buffer heading = { 0 };
    struct buffer footer = { 0 };

    add_line(&heading, "Name", member(source, "name"));
    if (extended) {
        add_line(&heading, "Type", member(source, "type"));
        add_line(&heading, "Timestamp field",
                 member(source, "timestamp").len > 0 ? member(source, "timestamp")
                                                     : bytes_of("Not set - using <ROWTIME>"));
        add_line(&heading, "Key format", member(source, "keyFormat"));
        add_line(&heading, "Value format", member(source, "valueFormat"));
        add_line(
            &heading, "Kafka topic",
            arena_printf(arena, "%.*s (partitions: %lld, replication: %lld)",
                         BYTES_ARG(member(source, "topic")),
                         (long long)json_integer_value(json_object_get(source, "partitions")),
                         (long long)json_integer_value(json_object_get(source, "replication"))));
        add_line(&heading, "Statement", member(source, "statement"));
        add_line(&footer, "Drop before this one",
                 cell_of(arena, json_object_get(source, "sourceConstraints")));
        add_queries(&footer, "Queries that read from this source",
                    json_object_get(source, "readQueries"));
        add_queries(&footer, "Queries that write to this source",
                    json_object_get(source, "writeQueries"));
        add_metrics(&footer, source, arena);
        add_groups(&footer, json_object_get(source, "queryOffsetSummaries"), arena);
    } else {
        buffer_printf(&footer, "For queries and the topic: DESCRIBE %.*s EXTENDED;",
                      BYTES_ARG(member(source, "name")));
    }
    tell_fields("sourceDescription", source, arena, &heading, &footer, sink);
    buffer_fini(&heading);
    buffer_fini(&footer);
}

static void add_hosts(struct buffer *out, json_t *hosts)
{
    const char *host;
    json_t *state;
    bool any = false;

    json_object_foreach(hosts, host, state)
    {
        buffer_append_text(out, any ? ", " : "Host Query Status    : {");
        buffer_printf(out, "%s=%.*s", host, BYTES_ARG(text_of(state)));
        any = true;
    }
    buffer_append_text(out, any ? "}\n" : "");
}

static void tell_query(const json_t *query, struct arena *arena, const struct result_sink *sink)
{
    struct buffer heading = { 0 };
    struct buffer footer = { 0 };
    const json_t *problem;
    size_t index;

    add_line(&heading, "ID", member(query, "id"));
    add_line(&heading, "Query Type", member(query, "queryType"));
    add_line(&heading, "SQL", member(query, "statementText"));
    add_hosts(&heading, json_object_get(query, "ksqlHostQueryStatus"));
    add_line(&footer, "Sources", cell_of(arena, json_object_get(query, "sources")));
    add_line(&footer, "Sinks", cell_of(arena, json_object_get(query, "sinks")));
    add_line(&footer, "Overridden", cell_of(arena, json_object_get(query, "overriddenProperties")));
    buffer_printf(&footer, "\nExecution plan\n--------------\n%.*s\n",
                  BYTES_ARG(member(query, "executionPlan")));
    if (member(query, "topology").len > 0) {
        buffer_printf(&footer, "\nProcessing topology\n-------------------\n%.*s\n",
                      BYTES_ARG(member(query, "topology")));
    }
    json_array_foreach(json_object_get(query, "queryErrors"), index, problem)
    {
        add_line(&footer, "Error Details", member(problem, "errorMessage"));
        add_line(&footer, "Error Type", member(problem, "type"));
    }
    add_line(&footer, "State", member(query, "state"));
    tell_fields("queryDescription", query, arena, &heading, &footer, sink);
    buffer_fini(&heading);
    buffer_fini(&footer);
}

/* --- the rest --- */

static void tell_types(const json_t *types, struct arena *arena, const struct result_sink *sink)
{
    static const struct bytes columns[] = { BYTES("Type Name"), BYTES("Schema") };
    struct bytes *cells = arena_array(arena, struct bytes, 2 * json_object_size(types));
    struct result_table table = {
        .kind = "type_list", .columns = columns, .column_count = 2, .cells = cells
    };
    struct buffer text = { 0 };
    const json_t *schema;
    const char *name;

    json_object_foreach((json_t *)(uintptr_t)types, name, schema)
    { /* it is only read */
        text.len = 0;
        print_type(schema, &text);
        cells[2 * (size_t)table.row_count] = bytes_of(name);
        cells[2 * (size_t)table.row_count + 1] = arena_copy(arena, buffer_bytes(&text));
        table.row_count++;
    }
    tell_table(&table, sink);
    buffer_fini(&text);
}

static void tell_text(const char *kind, struct bytes text, const struct result_sink *sink)
{
    struct result_table table = { .kind = kind, .text = text };

    tell_table(&table, sink);
}

static void tell_status(const json_t *entity, const struct result_sink *sink)
{
    const json_t *status = json_object_get(entity, "commandStatus");

    tell_message(member(status, "message"), sink);
}

static void tell_unknown(const json_t *entity, const struct result_sink *sink)
{
    char *text = json_dumps(entity, JSON_INDENT(2));

    tell_text("entity", bytes_of(text ? text : "?"), sink);
    free(text);
}

static void tell_connector(const char *what, struct bytes name, struct arena *arena,
                           const struct result_sink *sink)
{
    tell_message(arena_printf(arena, "%s connector %.*s", what, BYTES_ARG(name)), sink);
}

static void tell_each(const json_t *items,
                      void (*tell)(const json_t *item, struct arena *arena,
                                   const struct result_sink *sink),
                      struct arena *arena, const struct result_sink *sink)
{
    const json_t *item;
    size_t index;

    json_array_foreach(items, index, item)
    {
        tell(item, arena, sink);
    }
}

static void read_variant(const json_t *from, struct arena *arena, struct result_variant *out)
{
    const json_t *list = json_object_get(from, "arguments");
    uint32_t count = (uint32_t)json_array_size(list);
    struct result_argument *arguments = arena_array(arena, struct result_argument, count);

    for (uint32_t i = 0; i < count; i++) {
        const json_t *argument = json_array_get(list, i);

        arguments[i] = (struct result_argument){
            .name = member(argument, "name"),
            .type = member(argument, "type"),
            .is_variadic = json_is_true(json_object_get(argument, "isVariadic")),
        };
    }
    *out = (struct result_variant){ .arguments = arguments,
                                    .argument_count = count,
                                    .returns = member(from, "returnType"),
                                    .doc = member(from, "description") };
}

static void tell_function(const json_t *entity, struct arena *arena, const struct result_sink *sink)
{
    const json_t *list = json_object_get(entity, "functions");
    uint32_t count = (uint32_t)json_array_size(list);
    struct result_variant *variants = arena_array(arena, struct result_variant, count);
    const struct result_function function = { .name = member(entity, "name"),
                                              .type = member(entity, "type"),
                                              .doc = member(entity, "description"),
                                              .author = member(entity, "author"),
                                              .variants = variants,
                                              .variant_count = count };
    struct buffer text = { 0 };

    for (uint32_t i = 0; i < count; i++) {
        read_variant(json_array_get(list, i), arena, &variants[i]);
    }
    result_function_print(&function, &text);
    tell_text("describe_function", buffer_bytes(&text), sink);
    buffer_fini(&text);
}

static void tell_entity(const json_t *entity, struct bytes type, struct arena *arena,
                        const struct result_sink *sink)
{
    const struct listing *listing = find_listing(type);

    if (listing) {
        tell_listing(listing, entity, arena, sink);
    } else if (bytes_equal_text(type, "currentStatus")) {
        tell_status(entity, sink);
    } else if (bytes_equal_text(type, "warning_entity")) {
        tell_message(member(entity, "message"), sink);
    } else if (bytes_equal_text(type, "sourceDescription")) {
        tell_source(json_object_get(entity, "sourceDescription"), arena, sink);
    } else if (bytes_equal_text(type, "source_descriptions")) {
        tell_each(json_object_get(entity, "sourceDescriptions"), tell_source, arena, sink);
    } else if (bytes_equal_text(type, "queryDescription")) {
        tell_query(json_object_get(entity, "queryDescription"), arena, sink);
    } else if (bytes_equal_text(type, "query_descriptions")) {
        tell_each(json_object_get(entity, "queryDescriptions"), tell_query, arena, sink);
    } else if (bytes_equal_text(type, "type_list")) {
        tell_types(json_object_get(entity, "types"), arena, sink);
    } else if (bytes_equal_text(type, "connector_info")) {
        tell_connector("Created", member(json_object_get(entity, "info"), "name"), arena, sink);
    } else if (bytes_equal_text(type, "drop_connector")) {
        tell_connector("Dropped", member(entity, "connectorName"), arena, sink);
    } else if (bytes_equal_text(type, "describe_function")) {
        tell_function(entity, arena, sink);
    } else if (bytes_equal_text(type, "assert_topic")) {
        tell_message(arena_printf(arena, "Topic %.*s %s.", BYTES_ARG(member(entity, "topicName")),
                                  json_is_true(json_object_get(entity, "exists"))
                                      ? "exists"
                                      : "does not exist"),
                     sink);
    } else if (bytes_equal_text(type, "terminate_query")) {
        tell_message(bytes_of("Query terminated."), sink);
    } else {
        tell_unknown(entity, sink);
    }
}

static void tell(const json_t *entity, const struct result_sink *sink)
{
    const json_t *warning;
    struct arena arena;
    size_t index;

    arena_init(&arena, 0);
    if (sink->statement) {
        sink->statement(sink->context, member(entity, "statementText"));
    }
    tell_entity(entity, member(entity, "@type"), &arena, sink);
    json_array_foreach(json_object_get(entity, "warnings"), index, warning)
    {
        if (sink->warning) {
            sink->warning(sink->context, member(warning, "message"));
        }
    }
    arena_fini(&arena);
}

int entities_tell(struct bytes body, const struct result_sink *sink, struct error *err)
{
    json_t *entities = json_loadb(body.data ? body.data : "", body.len, 0, NULL);
    const json_t *entity;
    size_t index;
    int code = 0;

    if (!json_is_array(entities)) {
        code = error_set(err, ERR_SERVER, NO_POSITION, "The server's answer is no list of results");
    }
    json_array_foreach(entities, index, entity)
    {
        tell(entity, sink);
    }
    json_decref(entities);
    return code;
}

/* "line 1:5: Unexpected ...": the place, and the message behind it. */
static struct bytes take_place(struct bytes message, struct position *at)
{
    int used = 0;
    char *text = memory_alloc(message.len + 1);

    memcpy(text, message.data, message.len);
    text[message.len] = '\0';
    if (sscanf(text, "line %9u:%9u: %n", &at->line, &at->column, &used) < 2 || used == 0) {
        *at = NO_POSITION;
        used = 0;
    }
    free(text);
    return (struct bytes){ message.data + used, message.len - (size_t)used };
}

int entity_error(struct bytes body, int status, struct error *err)
{
    json_t *entity = json_loadb(body.data ? body.data : "", body.len, 0, NULL);
    struct bytes message = member(entity, "message");
    bool is_statement = bytes_equal_text(member(entity, "@type"), "statement_error");
    struct position at = NO_POSITION;
    int code;

    if (message.len > 0) {
        message = take_place(message, &at);
        code = error_set(err, is_statement ? ERR_REJECTED : ERR_SERVER, at, "%.*s",
                         BYTES_ARG(message));
    } else {
        code =
            error_set(err, ERR_SERVER, NO_POSITION, "The server answered with status %d", status);
    }
    json_decref(entity);
    return code;
}
