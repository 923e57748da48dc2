/*
 * sink.c: the stream or table that CREATE ... AS SELECT makes: what WITH says, and what it
 * inherits from the leftmost source (queries.md 3.3).
 */
#include <string.h>

#include "engine/plan/plan_internal.h"

static int check_statement(struct plan_context *context, const struct ast_create_as *create,
                           const struct analysis *a, struct error *err)
{
    const struct source *there = catalog_find_source(context->catalog, create->name.text);
    bool wants_table = create->kind == AST_TABLE;

    if (there && create->or_replace) {
        TRY(plan_check_replaced(context, &create->name, false, err));
        return error_set(err, ERR_UNSUPPORTED, create->name.at,
                         "%.*s is declared; OR REPLACE of such by a query is not supported",
                         BYTES_ARG(create->name.text));
    }
    if (there) {
        return error_set(err, ERR_NAME_TAKEN, create->name.at,
                         "There is a stream or table %.*s already", BYTES_ARG(create->name.text));
    }
    if (wants_table != a->result_is_table) {
        return error_set(err, ERR_RESULT_KIND, create->name.at,
                         "The query makes a %s: write CREATE %s %.*s AS",
                         a->result_is_table ? "table" : "stream",
                         a->result_is_table ? "TABLE" : "STREAM", BYTES_ARG(create->name.text));
    }
    return 0;
}

/* The kind is that of the source; options only where the kind stays what it was. */
static void inherit_formats(const struct source *from, struct source *sink)
{
    if (!sink->key_format.kind) {
        sink->key_format.kind = from->key_format.kind;
    }
    if (!sink->value_format.kind) {
        sink->value_format.kind = from->value_format.kind;
    }
    if (sink->key_format.kind == from->key_format.kind) {
        sink->key_format.options = from->key_format.options;
    }
    if (sink->value_format.kind == from->value_format.kind) {
        sink->value_format.options = from->value_format.options;
    }
}

static bool is_none(const struct format_kind *kind)
{
    return strcmp(kind->name, "NONE") == 0;
}

/* PARTITION BY NULL leaves no key to write. */
static int settle_no_key(const struct property_value *said, struct source *sink, struct error *err)
{
    if (said->given && !is_none(sink->key_format.kind)) {
        return error_set(err, ERR_INVALID_PROPERTY, said->at,
                         "PARTITION BY NULL leaves no key, so there is none to write as %s",
                         sink->key_format.kind->name);
    }
    sink->key_format = (struct side_format){ .kind = format_find(bytes_of("NONE")) };
    return 0;
}

static int settle_formats(struct plan_context *context, const struct source_properties *with,
                          const struct analysis *a, struct source *sink, struct error *err)
{
    const struct property_value *said = with->of[PROPERTY_FORMAT].given
                                            ? &with->of[PROPERTY_FORMAT]
                                            : &with->of[PROPERTY_KEY_FORMAT];

    TRY(source_formats_read(context->arena, with, sink, err));
    inherit_formats(a->source, sink);
    if (!said->given && sink->schema.key_count > 0 && is_none(sink->key_format.kind)) {
        sink->key_format = (struct side_format){ .kind = context->settings->default_key_format };
    }
    if (a->partitioned && sink->schema.key_count == 0) {
        TRY(settle_no_key(said, sink, err));
    }
    TRY(source_delimiters_read(with, sink, err));
    return source_formats_finish(context, with, sink, err);
}

static struct bytes sink_topic(struct plan_context *context, const struct source_properties *with,
                               struct bytes name)
{
    if (with->of[PROPERTY_KAFKA_TOPIC].given) {
        return with->of[PROPERTY_KAFKA_TOPIC].text;
    }
    return arena_printf(context->arena, "%.*s%.*s", BYTES_ARG(context->settings->topic_prefix),
                        BYTES_ARG(name));
}

int plan_sink(struct plan_context *context, const struct ast_statement *statement,
              struct analysis *analysis, struct bytes query_id, const struct source **out,
              struct error *err)
{
    const struct ast_create_as *create = &statement->create_as;
    struct source *sink = arena_new(context->arena, struct source);
    struct source_properties with;

    TRY(check_statement(context, create, analysis, err));
    TRY(source_properties_read(context->arena, &create->properties, PROPERTY_FOR_AS, &with, err));
    sink->name = create->name.text;
    sink->at = create->name.at;
    sink->kind = create->kind == AST_TABLE ? SOURCE_TABLE : SOURCE_STREAM;
    sink->query = query_id;
    sink->topic = sink_topic(context, &with, sink->name);
    analysis_schema(analysis, context->arena, &sink->schema);
    TRY(source_timestamp_settle(context->arena, &with, sink, err));
    TRY(analyze_keys(analysis, err));
    analysis_schema(analysis, context->arena, &sink->schema);
    TRY(settle_formats(context, &with, analysis, sink, err));
    TRY(source_topic_settle(context, &with, analysis->source->partition_count, sink, err));
    sink->sql = plan_statement_text(context->arena, statement);
    *out = sink;
    return 0;
}
