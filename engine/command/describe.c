/*
 * describe.c: DESCRIBE of sources.
 */
#include <string.h>

#include "base/near.h"
#include "engine/command/command_internal.h"

/* --- sources --- */

static void print_line(struct buffer *out, const char *label, struct bytes value)
{
    buffer_printf(out, "%-20s : %.*s\n", label, BYTES_ARG(value));
}

static void print_text_line(struct buffer *out, const char *label, const char *value)
{
    print_line(out, label, bytes_of(value));
}

/* 0: there is no such topic any more. */
static uint32_t count_replicas(const struct command *command, const struct source *source)
{
    const struct log_topic *topic = NULL;

    return log_open_topic(command->engine->config.log, source->topic, &topic, NULL)
               ? 0
               : topic->replica_count;
}

static struct bytes topic_line(const struct command *command, const struct source *source)
{
    return arena_printf(command->arena, "%.*s (partitions: %u, replication: %u)",
                        BYTES_ARG(source->topic), source->partition_count,
                        count_replicas(command, source));
}

static struct bytes extended_heading(const struct command *command, const struct source *source)
{
    struct buffer text = { 0 };

    print_line(&text, "Name", source->name);
    print_text_line(&text, "Type", source->kind == SOURCE_TABLE ? "TABLE" : "STREAM");
    print_line(&text, "Timestamp field",
               source->timestamp_column.data ? source->timestamp_column
                                             : bytes_of("Not set - using <ROWTIME>"));
    print_text_line(&text, "Key format", source->key_format.kind->name);
    print_text_line(&text, "Value format", source->value_format.kind->name);
    print_line(&text, "Kafka topic", topic_line(command, source));
    print_line(&text, "Statement", source->sql);
    return answer_take(command->arena, &text);
}

static bool reads(const struct query_entry *query, struct bytes source)
{
    for (uint32_t i = 0; i < query->source_count; i++) {
        if (bytes_equal(query->sources[i], source)) {
            return true;
        }
    }
    return false;
}

static void print_query(const struct command *command, const struct result_query *query,
                        struct buffer *out)
{
    buffer_printf(out, "%.*s (%s) : %.*s\n", BYTES_ARG(query->id), query->state,
                  BYTES_ARG(answer_one_line(command->arena, query->sql)));
}

static struct bytes queries_footer(const struct command *command, const struct result_source *about)
{
    struct buffer text = { 0 };

    if (about->dependent_count > 0) {
        buffer_append_text(&text, "\nSources that have to be dropped before this one\n");
    }
    for (uint32_t i = 0; i < about->dependent_count; i++) {
        buffer_printf(&text, "%.*s\n", BYTES_ARG(about->dependents[i]));
    }
    if (about->reader_count > 0) {
        buffer_append_text(&text, "\nQueries that read from this source\n");
    }
    for (uint32_t i = 0; i < about->reader_count; i++) {
        print_query(command, &about->readers[i], &text);
    }
    if (about->writer_count > 0) {
        buffer_append_text(&text, "\nQueries that write to this source\n");
    }
    for (uint32_t i = 0; i < about->writer_count; i++) {
        print_query(command, &about->writers[i], &text);
    }
    result_metrics_print(about->metrics, about->metric_count, &text);
    result_groups_print(about->groups, about->group_count, &text);
    return answer_take(command->arena, &text);
}

static void find_dependents(const struct command *command, const struct source *source,
                            struct result_source *about)
{
    const struct source *const *sources = NULL;
    uint32_t count = catalog_list_sources(command->catalog, command->arena, &sources);
    struct bytes *names = arena_array(command->arena, struct bytes, count);

    for (uint32_t i = 0; i < count; i++) {
        if (sources[i] != source && source_is_made_from(command->arena, sources[i], source->name)) {
            names[about->dependent_count++] = sources[i]->name;
        }
    }
    about->dependents = names;
}

static struct result_source about_source(const struct command *command, const struct source *source,
                                         bool extended)
{
    const struct query_entry *const *queries = NULL;
    uint32_t count = catalog_list_queries(command->catalog, command->arena, &queries);
    struct result_query *readers = arena_array(command->arena, struct result_query, count);
    struct result_query *writers = arena_array(command->arena, struct result_query, count);
    struct result_source about = {
        .source = source, .extended = extended, .readers = readers, .writers = writers
    };

    for (uint32_t i = 0; i < count; i++) {
        if (reads(queries[i], source->name)) {
            readers[about.reader_count++] = command_describe_query(command, queries[i]);
        }
        if (queries[i]->plan->sink && bytes_equal(queries[i]->sink, source->name)) {
            writers[about.writer_count++] = command_describe_query(command, queries[i]);
        }
    }
    about.replica_count = count_replicas(command, source);
    find_dependents(command, source, &about);
    if (extended) {
        statistics_find(command, &about);
    }
    return about;
}

/* kind: the table's, alone or as one of a list. */
static void answer_source(struct command *command, const struct source *source, bool extended,
                          const char *kind)
{
    static const char *const columns[] = { "Field", "Type", NULL };
    const struct result_source about = about_source(command, source, extended);
    struct buffer heading = { 0 };
    struct answer_table answer;

    answer_begin(&answer, command->arena, kind, columns);
    answer.table.source = &about;
    answer_fields(&answer, &source->schema,
                  source->kind == SOURCE_TABLE ? " (primary key)" : " (key)");
    if (extended) {
        answer.table.heading = extended_heading(command, source);
        answer.table.footer = queries_footer(command, &about);
    } else {
        print_line(&heading, "Name", source->name);
        answer.table.heading = answer_take(command->arena, &heading);
        answer.table.footer =
            arena_printf(command->arena, "For queries and the topic: DESCRIBE %.*s EXTENDED;",
                         BYTES_ARG(source->name));
    }
    answer_end(&answer, command);
}

int describe_sources(struct command *command, enum source_kind kind, bool extended,
                     struct error *err)
{
    static const char *const no_columns[] = { NULL };
    const struct source *const *sources = NULL;
    uint32_t count = catalog_list_sources(command->catalog, command->arena, &sources);
    bool any = false;

    for (uint32_t i = 0; i < count; i++) {
        if (sources[i]->kind == kind) {
            answer_source(command, sources[i], extended, "source_descriptions");
            any = true;
        }
    }
    if (!any) {
        struct answer_table none;

        answer_begin(&none, command->arena, "source_descriptions", no_columns);
        answer_end(&none, command);
    }
    return 0;
}

static int find_source(struct command *command, const struct source **out, struct error *err)
{
    const struct ast_name *name = &command->statement->describe.name;

    *out = catalog_find_source(command->catalog, name->text);
    if (*out) {
        return 0;
    }
    return error_set(err, ERR_UNKNOWN_SOURCE, name->at, "There is no stream or table %.*s%s",
                     BYTES_ARG(name->text),
                     near_hint(command->arena, catalog_near_source(command->catalog, name->text)));
}

/* --- the statement --- */

int describe_check(struct command *command, struct error *err)
{
    const struct source *source = NULL;

    switch (command->statement->describe.what) {
    case AST_DESCRIBE_SOURCE:
        return find_source(command, &source, err);
    case AST_DESCRIBE_FUNCTION:
        return function_check(command, err);
    case AST_DESCRIBE_CONNECTOR:
        return check_connector(command, err);
    case AST_DESCRIBE_STREAMS:
    case AST_DESCRIBE_TABLES:
        break;
    }
    return 0;
}

int describe_run(struct command *command, struct error *err)
{
    const struct source *source = NULL;

    switch (command->statement->describe.what) {
    case AST_DESCRIBE_SOURCE:
        TRY(find_source(command, &source, err));
        answer_source(command, source, command->statement->describe.extended, "sourceDescription");
        return 0;
    case AST_DESCRIBE_STREAMS:
        return describe_sources(command, SOURCE_STREAM, command->statement->describe.extended, err);
    case AST_DESCRIBE_TABLES:
        return describe_sources(command, SOURCE_TABLE, command->statement->describe.extended, err);
    case AST_DESCRIBE_FUNCTION:
        return function_describe(command);
    case AST_DESCRIBE_CONNECTOR:
        return describe_connector(command, err);
    }
    return 0;
}
