/*
 * source_topic.c: the topic under a stream or table, and the column that gives its rows
 * their time (statements.md 3).
 *
 * A topic that the log does not know may still be that of a source in the catalog: the
 * statements of one script are planned before the first of them has run.
 */
#include <limits.h>
#include <string.h>

#include "engine/log/log.h"
#include "engine/plan/plan_internal.h"
#include "engine/type/java_pattern.h"
#include "engine/type/java_text.h"

static const int64_t default_retention_ms = 604800000;

struct found_topic {
    bool exists;
    uint32_t partition_count;
    uint32_t replica_count; /* 0: not known */
    int64_t retention_ms;
};

static int64_t retention_of(const struct topic_config *configs, uint32_t count)
{
    int64_t retention = default_retention_ms;

    for (uint32_t i = 0; i < count; i++) {
        if (bytes_equal_text(configs[i].name, "retention.ms")) {
            (void)java_long_parse(configs[i].value, &retention, NULL); /* else the default */
        }
    }
    return retention;
}

static void find_in_catalog(struct plan_context *context, struct bytes name,
                            struct found_topic *out)
{
    const struct source *const *sources = NULL;
    uint32_t count = catalog_list_sources(context->catalog, context->arena, &sources);

    for (uint32_t i = 0; i < count; i++) {
        if (bytes_equal(sources[i]->topic, name)) {
            int64_t retention = sources[i]->retention_ms;

            *out = (struct found_topic){ true, sources[i]->partition_count, 0,
                                         retention == RETENTION_NOT_GIVEN ? default_retention_ms
                                                                          : retention };
            return;
        }
    }
}

static int find_topic(struct plan_context *context, struct bytes name, struct found_topic *out,
                      struct error *err)
{
    const struct log_topic *topic = NULL;
    const struct topic_config *configs = NULL;
    uint32_t count = 0;
    int code = log_open_topic(context->log, name, &topic, err);

    *out = (struct found_topic){ 0 };
    if (code == ERR_UNKNOWN_TOPIC) {
        error_clear(err);
        find_in_catalog(context, name, out);
        return 0;
    }
    TRY(code);
    TRY(log_topic_configs(context->log, topic, context->arena, &configs, &count, err));
    *out = (struct found_topic){ true, topic->partition_count, topic->replica_count,
                                 retention_of(configs, count) };
    return 0;
}

static int check_at_least_one(const struct source_properties *with, enum property_id id,
                              int64_t most, struct error *err)
{
    const struct property_value *value = &with->of[id];

    if (value->given && (value->integer < 1 || value->integer > most)) {
        return error_set(err, ERR_INVALID_PROPERTY, value->at, "%s must be from 1 to %lld",
                         source_property_name(id), (long long)most);
    }
    return 0;
}

static int check_settings(const struct source_properties *with, const struct source *source,
                          struct error *err)
{
    const struct property_value *retention = &with->of[PROPERTY_RETENTION_MS];

    TRY(check_at_least_one(with, PROPERTY_PARTITIONS, INT_MAX, err));
    TRY(check_at_least_one(with, PROPERTY_REPLICAS, SHRT_MAX, err));
    if (retention->given && source->kind == SOURCE_TABLE) {
        return error_set(err, ERR_INVALID_PROPERTY, retention->at,
                         "RETENTION_MS is for streams: the topic of a table keeps the newest "
                         "row of every key");
    }
    if (retention->given && retention->integer < -1) {
        return error_set(err, ERR_INVALID_PROPERTY, retention->at,
                         "RETENTION_MS must be -1 (without end) or more");
    }
    return 0;
}

/* What WITH says comes before what a query's source has. */
static int check_partitions(const struct source_properties *with, uint32_t inherited,
                            const struct source *source, const struct found_topic *topic,
                            struct error *err)
{
    const struct property_value *given = &with->of[PROPERTY_PARTITIONS];
    int64_t wanted = given->given ? given->integer : inherited;

    if (wanted != 0 && wanted != topic->partition_count) {
        return error_set(err, ERR_TOPIC_MISMATCH, given->given ? given->at : source->at,
                         "The topic %.*s exists with %u partitions, not %lld; WITH (PARTITIONS = "
                         "%u) fits",
                         BYTES_ARG(source->topic), topic->partition_count, (long long)wanted,
                         topic->partition_count);
    }
    return 0;
}

static int check_existing(const struct source_properties *with, const struct source *source,
                          const struct found_topic *topic, struct error *err)
{
    const struct property_value *replicas = &with->of[PROPERTY_REPLICAS];
    const struct property_value *retention = &with->of[PROPERTY_RETENTION_MS];

    if (replicas->given && topic->replica_count > 0 && replicas->integer > topic->replica_count) {
        return error_set(err, ERR_TOPIC_MISMATCH, replicas->at,
                         "The topic %.*s exists with %u replicas", BYTES_ARG(source->topic),
                         topic->replica_count);
    }
    if (retention->given && retention->integer != topic->retention_ms) {
        return error_set(err, ERR_TOPIC_MISMATCH, retention->at,
                         "The topic %.*s exists with a retention of %lld ms",
                         BYTES_ARG(source->topic), (long long)topic->retention_ms);
    }
    return 0;
}

int source_topic_settle(struct plan_context *context, const struct source_properties *with,
                        uint32_t inherited_partitions, struct source *source, struct error *err)
{
    const struct property_value *partitions = &with->of[PROPERTY_PARTITIONS];
    const struct property_value *name = &with->of[PROPERTY_KAFKA_TOPIC];
    struct found_topic topic;

    TRY(check_settings(with, source, err));
    TRY(find_topic(context, source->topic, &topic, err));
    source->replica_count = (uint32_t)with->of[PROPERTY_REPLICAS].integer;
    source->retention_ms = with->of[PROPERTY_RETENTION_MS].given
                               ? with->of[PROPERTY_RETENTION_MS].integer
                               : RETENTION_NOT_GIVEN;
    if (topic.exists) {
        source->partition_count = topic.partition_count;
        TRY(check_partitions(with, inherited_partitions, source, &topic, err));
        return check_existing(with, source, &topic, err);
    }
    if (!partitions->given && inherited_partitions == 0) {
        return error_set(err, ERR_UNKNOWN_TOPIC, name->given ? name->at : source->at,
                         "There is no topic %.*s; WITH (PARTITIONS = n) creates it",
                         BYTES_ARG(source->topic));
    }
    source->partition_count =
        partitions->given ? (uint32_t)partitions->integer : inherited_partitions;
    return 0;
}

/* --- TIMESTAMP --- */

/* A column reference in a string: quoted keeps its case. */
static struct bytes referred_column(struct arena *arena, struct bytes text)
{
    char *upper;

    if (text.len >= 2 && (text.data[0] == '`' || text.data[0] == '"') &&
        text.data[text.len - 1] == text.data[0]) {
        return (struct bytes){ text.data + 1, text.len - 2 };
    }
    upper = arena_copy_text(arena, text);
    for (size_t i = 0; i < text.len; i++) {
        upper[i] = (char)(upper[i] >= 'a' && upper[i] <= 'z' ? upper[i] - 'a' + 'A' : upper[i]);
    }
    return (struct bytes){ upper, text.len };
}

static int check_pattern(struct arena *arena, const struct property_value *format,
                         const struct column *column, struct position column_at, struct error *err)
{
    const struct java_pattern *pattern;
    struct error why;

    if (column->type->id == T_STRING && !format->given) {
        return error_set(err, ERR_TIMESTAMP_COLUMN, column_at,
                         "The timestamp column %.*s is a STRING, so TIMESTAMP_FORMAT has to say "
                         "how to read it",
                         BYTES_ARG(column->name));
    }
    if (column->type->id != T_STRING && format->given) {
        return error_set(err, ERR_TIMESTAMP_COLUMN, format->at,
                         "TIMESTAMP_FORMAT is for a timestamp column of type STRING; %.*s is none",
                         BYTES_ARG(column->name));
    }
    if (format->given && java_pattern_compile(arena, format->text, &pattern, &why)) {
        return error_set(err, ERR_INVALID_PROPERTY, format->at, "TIMESTAMP_FORMAT: %s",
                         why.message);
    }
    return 0;
}

int source_timestamp_settle(struct arena *arena, const struct source_properties *with,
                            struct source *source, struct error *err)
{
    const struct property_value *given = &with->of[PROPERTY_TIMESTAMP];
    const struct property_value *format = &with->of[PROPERTY_TIMESTAMP_FORMAT];
    const struct column *column;
    struct bytes name;

    if (!given->given) {
        return format->given ? error_set(err, ERR_TIMESTAMP_COLUMN, format->at,
                                         "TIMESTAMP_FORMAT needs TIMESTAMP to name the column")
                             : 0;
    }
    name = referred_column(arena, given->text);
    column = schema_find(&source->schema, name);
    if (!column || column->role == COLUMN_HEADERS || column->role == COLUMN_HEADER) {
        return error_set(err, ERR_TIMESTAMP_COLUMN, given->at,
                         "TIMESTAMP names the column %.*s, which is no key or value column",
                         BYTES_ARG(name));
    }
    if (column->type->id != T_BIGINT && column->type->id != T_TIMESTAMP &&
        column->type->id != T_STRING) {
        return error_set(err, ERR_TIMESTAMP_COLUMN, given->at,
                         "The timestamp column %.*s has to be BIGINT, TIMESTAMP or STRING",
                         BYTES_ARG(name));
    }
    TRY(check_pattern(arena, format, column, given->at, err));
    source->timestamp_column = column->name;
    source->timestamp_format = format->text;
    return 0;
}
