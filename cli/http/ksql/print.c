/*
 * print.c: schemas, sources and queries as entities have them (rest-api.md 3.2, 4.1, 4.2). The
 * order of keys is fixed.
 */
#include <string.h>

#include "cli/http/ksql/api_internal.h"

void print_quoted(struct buffer *out, struct bytes text)
{
    if (text.data) {
        text_print_json(text, out);
    } else {
        buffer_append_text(out, "null");
    }
}

void print_name(struct buffer *out, const char *name)
{
    buffer_printf(out, ",\"%s\":", name);
}

void print_text(struct buffer *out, const char *name, struct bytes text)
{
    print_name(out, name);
    print_quoted(out, text);
}

static void print_list(struct buffer *out, const char *name, struct bytes member)
{
    print_name(out, name);
    buffer_append_char(out, '[');
    if (member.len > 0) {
        print_quoted(out, member);
    }
    buffer_append_char(out, ']');
}

/* --- schemas --- */

static void print_type(struct buffer *out, const struct sql_type *type);

static void print_field(struct buffer *out, struct bytes name, const struct sql_type *type)
{
    buffer_append_text(out, "{\"name\":");
    print_quoted(out, name);
    buffer_append_text(out, ",\"schema\":");
    print_type(out, type);
}

/* Types nest as deep as the parser lets them. */
static void print_type(struct buffer *out, const struct sql_type *type)
{
    buffer_printf(out, "{\"type\":\"%s\",\"fields\":", type_name(type->id));
    if (type->id == T_STRUCT) {
        buffer_append_char(out, '[');
        for (uint32_t i = 0; i < type->field_count; i++) {
            buffer_append_text(out, i ? "," : "");
            print_field(out, type->fields[i].name, type->fields[i].type);
            buffer_append_char(out, '}');
        }
        buffer_append_char(out, ']');
    } else {
        buffer_append_text(out, "null");
    }
    buffer_append_text(out, ",\"memberSchema\":");
    if (type->id == T_ARRAY || type->id == T_MAP) {
        print_type(out, type->element);
    } else {
        buffer_append_text(out, "null");
    }
    if (type->id == T_DECIMAL) {
        buffer_printf(out, ",\"parameters\":{\"precision\":%d,\"scale\":%d}", (int)type->precision,
                      (int)type->scale);
    }
    buffer_append_char(out, '}');
}

static void print_role(struct buffer *out, const struct column *column)
{
    switch (column->role) {
    case COLUMN_KEY:
        buffer_append_text(out, ",\"type\":\"KEY\"");
        break;
    case COLUMN_HEADERS:
        buffer_append_text(out, ",\"type\":\"HEADER\"");
        break;
    case COLUMN_HEADER:
        buffer_append_text(out, ",\"type\":\"HEADER\"");
        print_text(out, "headerKey", column->header_key);
        break;
    case COLUMN_VALUE:
        break;
    }
}

void print_fields(struct buffer *out, const struct schema *schema)
{
    buffer_append_char(out, '[');
    for (uint32_t i = 0; i < schema->column_count; i++) {
        buffer_append_text(out, i ? "," : "");
        print_field(out, schema->columns[i].name, schema->columns[i].type);
        print_role(out, &schema->columns[i]);
        buffer_append_char(out, '}');
    }
    buffer_append_char(out, ']');
}

void print_types(struct buffer *out, const struct schema *types)
{
    buffer_append_text(out, ",\"types\":{");
    for (uint32_t i = 0; i < types->column_count; i++) {
        buffer_append_text(out, i ? "," : "");
        print_quoted(out, types->columns[i].name);
        buffer_append_char(out, ':');
        print_type(out, types->columns[i].type);
    }
    buffer_append_char(out, '}');
}

void print_schema_text(struct buffer *out, const struct schema *schema, enum key_marks marks)
{
    for (uint32_t i = 0; i < schema->column_count; i++) {
        const struct column *column = &schema->columns[i];

        buffer_append_text(out, i ? ", " : "");
        name_print_quoted(column->name, out);
        buffer_append_char(out, ' ');
        type_print(column->type, out);
        if (column->role == COLUMN_KEY && marks == KEYS_MARKED) {
            buffer_append_text(out, " KEY");
        } else if (column->role == COLUMN_HEADERS) {
            buffer_append_text(out, " HEADERS");
        } else if (column->role == COLUMN_HEADER) {
            buffer_printf(out, " HEADER('%.*s')", BYTES_ARG(column->header_key));
        }
    }
}

/* --- queries --- */

static void print_state_count(struct buffer *out, const char *state)
{
    buffer_append_char(out, '{');
    if (state) {
        buffer_printf(out, "\"%s\":1", state);
    }
    buffer_append_char(out, '}');
}

void print_query(struct buffer *out, const struct result_query *query)
{
    buffer_append_text(out, "{\"queryString\":");
    print_quoted(out, query->sql);
    print_list(out, "sinks", query->sink);
    print_list(out, "sinkKafkaTopics", query->sink_topic);
    print_text(out, "id", query->id);
    print_name(out, "statusCount");
    print_state_count(out, query->state);
    print_text(out, "queryType", bytes_of(query->type));
    print_text(out, "state", bytes_of(query->state));
    buffer_append_char(out, '}');
}

static void print_queries(struct buffer *out, const char *name, const struct result_query *queries,
                          uint32_t count)
{
    print_name(out, name);
    buffer_append_char(out, '[');
    for (uint32_t i = 0; i < count; i++) {
        buffer_append_text(out, i ? "," : "");
        print_query(out, &queries[i]);
    }
    buffer_append_char(out, ']');
}

static void print_overridden(struct buffer *out, const struct result_plan *plan)
{
    buffer_append_text(out, ",\"overriddenProperties\":{");
    for (uint32_t i = 0; i < plan->property_count; i++) {
        buffer_append_text(out, i ? "," : "");
        print_quoted(out, plan->properties[i].name);
        buffer_append_char(out, ':');
        print_quoted(out, plan->properties[i].value);
    }
    buffer_append_char(out, '}');
}

static void print_failure(struct buffer *out, const struct result_plan *plan)
{
    buffer_append_text(out, ",\"queryErrors\":[");
    if (plan->failure) {
        buffer_printf(out, "{\"timestamp\":%lld", (long long)plan->failure_ms);
        print_text(out, "errorMessage", bytes_of(plan->failure));
        print_text(out, "type", bytes_of(plan->failure_type));
        buffer_append_char(out, '}');
    }
    buffer_append_char(out, ']');
}

static void print_task(struct buffer *out, const struct task_status *task)
{
    buffer_printf(out, "{\"taskId\":\"%u_%u\",\"topicOffsets\":[", task->sub, task->partition);
    for (uint32_t i = 0; i < task->position_count; i++) {
        const struct task_position *position = &task->positions[i];

        buffer_printf(out, "%s{\"topicPartitionEntity\":{\"topic\":", i ? "," : "");
        print_quoted(out, position->topic->name);
        buffer_printf(out, ",\"partition\":%u},\"endOffset\":%lld,\"committedOffset\":%lld}",
                      position->partition, (long long)position->end,
                      (long long)position->committed);
    }
    buffer_append_text(out, "],\"timeCurrentIdlingStarted\":null}");
}

static void print_tasks(struct buffer *out, const struct result_plan *plan)
{
    buffer_append_text(out, ",\"tasksMetadata\":[");
    for (uint32_t i = 0; i < plan->task_count; i++) {
        buffer_append_text(out, i ? "," : "");
        print_task(out, &plan->tasks[i]);
    }
    buffer_append_char(out, ']');
}

void print_plan(struct buffer *out, const struct result_plan *plan, struct bytes host)
{
    buffer_append_text(out, "{\"id\":");
    print_quoted(out, plan->query.id);
    print_text(out, "statementText", plan->query.sql);
    buffer_append_text(out, ",\"windowType\":null,\"fields\":");
    print_fields(out, plan->fields);
    buffer_append_text(out, ",\"sources\":[");
    for (uint32_t i = 0; i < plan->source_count; i++) {
        buffer_append_text(out, i ? "," : "");
        print_quoted(out, plan->sources[i]);
    }
    buffer_append_char(out, ']');
    print_list(out, "sinks", plan->query.sink);
    print_text(out, "topology", plan->topology);
    print_text(out, "executionPlan", plan->execution_plan);
    print_overridden(out, plan);
    print_name(out, "ksqlHostQueryStatus");
    buffer_append_char(out, '{');
    if (plan->query.state) {
        print_quoted(out, host);
        buffer_printf(out, ":\"%s\"", plan->query.state);
    }
    buffer_append_char(out, '}');
    print_text(out, "queryType", bytes_of(plan->query.type));
    print_failure(out, plan);
    print_tasks(out, plan);
    print_text(out, "consumerGroupId", plan->consumer_group);
    print_text(out, "state", bytes_of(plan->query.state));
    buffer_append_char(out, '}');
}

/* --- sources --- */

enum metric_side { METRIC_COUNTS, METRIC_ERRORS };

/* "consumer-total-messages: 7 total-messages: 2" */
static void print_metric_line(struct buffer *out, const char *name,
                              const struct result_source *about, enum metric_side side)
{
    bool any = false;

    print_name(out, name);
    buffer_append_char(out, '"');
    for (uint32_t i = 0; i < about->metric_count; i++) {
        const struct result_metric *metric = &about->metrics[i];

        if (metric->is_error == (side == METRIC_ERRORS)) {
            buffer_printf(out, "%s%.*s: %llu", any ? " " : "", BYTES_ARG(metric->name),
                          (unsigned long long)metric->value);
            any = true;
        }
    }
    buffer_append_char(out, '"');
}

static void print_metrics(struct buffer *out, const char *name, const struct result_source *about,
                          struct bytes host, enum metric_side side)
{
    bool any = false;

    print_name(out, name);
    buffer_append_char(out, '[');
    for (uint32_t i = 0; i < about->metric_count; i++) {
        const struct result_metric *metric = &about->metrics[i];

        if (metric->is_error == (side == METRIC_ERRORS)) {
            buffer_printf(out, "%s{\"name\":", any ? "," : "");
            print_quoted(out, metric->name);
            print_text(out, "host", host);
            buffer_printf(out, ",\"value\":%llu,\"timestamp\":%lld}",
                          (unsigned long long)metric->value, (long long)metric->timestamp_ms);
            any = true;
        }
    }
    buffer_append_char(out, ']');
}

/* Those of one topic; how many. */
static uint32_t print_topic_offsets(struct buffer *out, const struct result_offset *offsets,
                                    uint32_t count)
{
    uint32_t i;

    buffer_append_text(out, "{\"kafkaTopic\":");
    print_quoted(out, offsets[0].topic);
    buffer_append_text(out, ",\"offsets\":[");
    for (i = 0; i < count && bytes_equal(offsets[i].topic, offsets[0].topic); i++) {
        buffer_printf(out,
                      "%s{\"partition\":%u,\"logStartOffset\":%lld,\"logEndOffset\":%lld,"
                      "\"consumerOffset\":%lld}",
                      i ? "," : "", offsets[i].partition, (long long)offsets[i].begin,
                      (long long)offsets[i].end, (long long)offsets[i].consumed);
    }
    buffer_append_text(out, "]}");
    return i;
}

static void print_groups(struct buffer *out, const struct result_source *about)
{
    buffer_append_text(out, ",\"queryOffsetSummaries\":[");
    for (uint32_t i = 0; i < about->group_count; i++) {
        const struct result_group *group = &about->groups[i];

        buffer_printf(out, "%s{\"groupId\":", i ? "," : "");
        print_quoted(out, group->id);
        buffer_append_text(out, ",\"topicSummaries\":[");
        for (uint32_t at = 0; at < group->offset_count;) {
            buffer_append_text(out, at ? "," : "");
            at += print_topic_offsets(out, &group->offsets[at], group->offset_count - at);
        }
        buffer_append_text(out, "]}");
    }
    buffer_append_char(out, ']');
}

void print_source(struct buffer *out, const struct result_source *about, struct bytes host)
{
    const struct source *source = about->source;
    struct bytes timestamp =
        source->timestamp_column.data ? source->timestamp_column : bytes_of("");

    buffer_append_text(out, "{\"name\":");
    print_quoted(out, source->name);
    buffer_append_text(out, ",\"windowType\":null");
    print_queries(out, "readQueries", about->readers, about->reader_count);
    print_queries(out, "writeQueries", about->writers, about->writer_count);
    print_name(out, "fields");
    print_fields(out, &source->schema);
    print_text(out, "type", bytes_of(source->kind == SOURCE_TABLE ? "TABLE" : "STREAM"));
    print_text(out, "timestamp", timestamp);
    print_metric_line(out, "statistics", about, METRIC_COUNTS);
    print_metric_line(out, "errorStats", about, METRIC_ERRORS);
    buffer_printf(out, ",\"extended\":%s", about->extended ? "true" : "false");
    print_text(out, "keyFormat", bytes_of(source->key_format.kind->name));
    print_text(out, "valueFormat", bytes_of(source->value_format.kind->name));
    print_text(out, "topic", source->topic);
    buffer_printf(out, ",\"partitions\":%u,\"replication\":%u",
                  about->extended ? source->partition_count : 0,
                  about->extended ? about->replica_count : 0);
    print_text(out, "statement", source->sql);
    print_groups(out, about);
    buffer_append_text(out, ",\"sourceConstraints\":[");
    for (uint32_t i = 0; i < about->dependent_count; i++) {
        buffer_append_text(out, i ? "," : "");
        print_quoted(out, about->dependents[i]);
    }
    buffer_append_char(out, ']');
    print_metrics(out, "clusterStatistics", about, host, METRIC_COUNTS);
    print_metrics(out, "clusterErrorStats", about, host, METRIC_ERRORS);
    buffer_append_char(out, '}');
}

/* --- functions --- */

static void print_arguments(struct buffer *out, const struct result_variant *variant)
{
    buffer_append_text(out, "{\"arguments\":[");
    for (uint32_t i = 0; i < variant->argument_count; i++) {
        const struct result_argument *argument = &variant->arguments[i];

        buffer_printf(out, "%s{\"name\":", i ? "," : "");
        print_quoted(out, argument->name);
        print_text(out, "type", argument->type);
        print_text(out, "description", bytes_of(""));
        buffer_printf(out, ",\"isVariadic\":%s}", argument->is_variadic ? "true" : "false");
    }
    buffer_append_char(out, ']');
}

static void print_variant(struct buffer *out, const struct result_variant *variant)
{
    print_arguments(out, variant);
    print_text(out, "returnType", variant->returns);
    print_text(out, "description", variant->doc.data ? variant->doc : bytes_of(""));
    buffer_append_text(out, ",\"argumentTypes\":[");
    for (uint32_t i = 0; i < variant->argument_count; i++) {
        buffer_append_text(out, i ? "," : "");
        print_quoted(out, variant->arguments[i].type);
    }
    buffer_append_text(out, "]}");
}

void print_function(struct buffer *out, const struct result_function *function)
{
    print_text(out, "name", function->name);
    print_text(out, "description", function->doc);
    print_text(out, "author", function->author);
    print_text(out, "version", bytes_of(""));
    print_text(out, "path", bytes_of("internal"));
    buffer_append_text(out, ",\"functions\":[");
    for (uint32_t i = 0; i < function->variant_count; i++) {
        buffer_append_text(out, i ? "," : "");
        print_variant(out, &function->variants[i]);
    }
    buffer_append_char(out, ']');
    print_text(out, "type", function->type);
}
