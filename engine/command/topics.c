/*
 * topics.c: topics of streams and tables: made where they are missing (statements.md 3), and
 * which of them are hidden or read-only.
 */
#include <regex.h>

#include "engine/command/command_internal.h"

static const int64_t usual_retention_ms = 604800000;

static bool exists(struct log *log, struct bytes name, const struct log_topic **out)
{
    return !log_open_topic(log, name, out, NULL);
}

/* The topic of a query's first source; NULL: there is no query, or no such topic. */
static const struct log_topic *topic_read(struct command *command, const struct physical_plan *plan)
{
    const struct source *from =
        plan ? catalog_find_source(command->catalog, plan->source_names[0]) : NULL;
    const struct log_topic *topic = NULL;

    return from && exists(command->engine->config.log, from->topic, &topic) ? topic : NULL;
}

static struct bytes retention_of(struct command *command, const struct source *source,
                                 const struct log_topic *from)
{
    const struct topic_config *configs = NULL;
    uint32_t count = 0;

    if (source->retention_ms != RETENTION_NOT_GIVEN) {
        return arena_printf(command->arena, "%lld", (long long)source->retention_ms);
    }
    if (from && !log_topic_configs(command->engine->config.log, from, command->arena, &configs,
                                   &count, NULL)) {
        for (uint32_t i = 0; i < count; i++) {
            if (bytes_equal_text(configs[i].name, "retention.ms")) {
                return configs[i].value;
            }
        }
    }
    return arena_printf(command->arena, "%lld", (long long)usual_retention_ms);
}

static uint32_t replicas_of(struct command *command, const struct source *source,
                            const struct log_topic *from)
{
    if (source->replica_count == 0 && from &&
        property_get_boolean(command->properties,
                             "ksql.create.topic.inherit.source.replicas.enabled")) {
        return from->replica_count;
    }
    return source->replica_count;
}

static uint32_t list_configs(struct command *command, const struct source *source,
                             const struct log_topic *from, struct topic_config *out)
{
    if (source->kind == SOURCE_TABLE) {
        out[0] = (struct topic_config){ BYTES("cleanup.policy"), BYTES("compact") };
        return 1;
    }
    out[0] = (struct topic_config){ BYTES("cleanup.policy"), BYTES("delete") };
    out[1] = (struct topic_config){ BYTES("retention.ms"), retention_of(command, source, from) };
    return 2;
}

int topic_create_for(struct command *command, const struct change *change, bool *created,
                     struct error *err)
{
    struct log *log = command->engine->config.log;
    const struct source *source = change->source;
    const struct log_topic *topic = NULL;
    const struct log_topic *from;
    struct topic_config configs[2];
    struct topic_spec spec;
    int code;

    *created = false;
    if (!source || exists(log, source->topic, &topic)) {
        return 0;
    }
    from = topic_read(command, change->plan);
    spec = (struct topic_spec){ .name = source->topic,
                                .partition_count = source->partition_count,
                                .replica_count = replicas_of(command, source, from),
                                .configs = configs };
    spec.config_count = list_configs(command, source, from, configs);
    code = log_create_topic(log, &spec, err);
    if (code == ERR_TOPIC_EXISTS) {
        error_clear(err); /* another node was faster */
        return 0;
    }
    *created = !code;
    return code;
}

/* --- for the test driver --- */

int topic_create_missing(struct command *command, const struct ast_property_list *properties,
                         struct error *err)
{
    struct topic_spec spec = { .partition_count = command->engine->config.create_partitions };
    const struct log_topic *topic = NULL;

    for (uint32_t i = 0; i < properties->count; i++) {
        const struct ast_property *property = &properties->items[i];

        if (bytes_equal_text(property->name.text, "PARTITIONS")) {
            return 0; /* the statement makes it */
        }
        if (bytes_equal_text(property->name.text, "KAFKA_TOPIC") &&
            property->value.kind == AST_LITERAL_STRING) {
            spec.name = property->value.string;
        }
    }
    if (spec.name.len == 0 || exists(command->engine->config.log, spec.name, &topic)) {
        return 0;
    }
    return log_create_topic(command->engine->config.log, &spec, err);
}

/* --- lists of patterns --- */

static bool matches(const char *pattern, const char *topic)
{
    regex_t compiled;
    bool found;

    if (regcomp(&compiled, pattern, REG_EXTENDED | REG_NOSUB)) {
        return false; /* no pattern: matches nothing */
    }
    found = regexec(&compiled, topic, 0, NULL, 0) == 0;
    regfree(&compiled);
    return found;
}

bool topic_is_listed(const struct property_set *properties, const char *setting, struct bytes topic)
{
    struct bytes list = property_get(properties, setting);
    struct arena arena;
    bool found = bytes_starts_with(topic, bytes_of("_confluent-ksql-")) ||
                 bytes_starts_with(topic, bytes_of("_sluice-"));
    const char *name;
    size_t begin = 0;

    arena_init(&arena, 256);
    name = arena_copy_text(&arena, topic);
    for (size_t i = 0; !found && i <= list.len; i++) {
        if (i == list.len || list.data[i] == ',') {
            const char *pattern =
                arena_printf(&arena, "^(%.*s)$", (int)(i - begin), list.data + begin).data;

            found = i > begin && matches(pattern, name);
            begin = i + 1;
        }
    }
    arena_fini(&arena);
    return found;
}
