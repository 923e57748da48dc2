/*
 * planning.c: from properties to what the planner and the runtime want to know, and the
 * canonical text of a statement.
 *
 * The canonical text holds what the statement took over from the topic and from settings that may
 * be others at the next start: topic, partitions and formats (statements.md 5).
 */
#include "engine/command/command_internal.h"
#include "parser/ast_print.h"

static const struct format_kind *default_format(const struct command *command, const char *name)
{
    struct bytes value = property_get(command->properties, name);

    return value.data ? format_find(value) : NULL;
}

void planning_settings(const struct command *command, struct plan_settings *out)
{
    static const char wrap[] = "ksql.persistence.wrap.single.values";
    const struct property_set *properties = command->properties;

    *out = (struct plan_settings){
        .service_id = command->engine->service_id,
        .default_key_format = default_format(command, "ksql.persistence.default.format.key"),
        .default_value_format = default_format(command, "ksql.persistence.default.format.value"),
        .topic_prefix = property_get(properties, "ksql.output.topic.name.prefix"),
        .persistent_prefix = property_get(properties, "ksql.persistent.prefix"),
        .transient_prefix = property_get(properties, "ksql.transient.prefix"),
        .headers_enabled = property_get_boolean(properties, "ksql.headers.columns.enabled"),
        .joins_at_once = !property_get_boolean(properties, "join.causal"),
        .keys_as_selected = property_get_boolean(properties, "ksql.new.query.planner.enabled"),
        .wrap_single_values =
            property_is_set(properties, wrap) ? property_get_boolean(properties, wrap) : -1,
        .no_table_scans = !property_get_boolean(properties, "ksql.query.pull.table.scan.enabled"),
        .no_range_scans = !property_get_boolean(properties, "ksql.query.pull.range.scan.enabled"),
    };
}

void planning_context(const struct command *command, const struct plan_settings *settings,
                      struct plan_context *out)
{
    *out = (struct plan_context){ command->arena, command->catalog, command->engine->config.log,
                                  settings };
}

struct bytes planning_client_id(const struct command *command)
{
    const struct ast_relation *from = &command->statement->select->from;
    struct bytes alias = from->alias.text.data ? from->alias.text : from->source.text;

    return arena_printf(command->arena, "transient_%.*s_%llu", BYTES_ARG(alias),
                        (unsigned long long)command->engine->next_client);
}

/* Tables start at the beginning unless somebody says otherwise. */
static enum offset_reset choose_reset(const struct command *command,
                                      const struct physical_plan *plan)
{
    static const char name[] = "auto.offset.reset";
    const struct source *source;

    if (property_is_set(command->properties, name)) {
        return bytes_equal_text_nocase(property_get(command->properties, name), "earliest")
                   ? RESET_EARLIEST
                   : RESET_LATEST;
    }
    source = catalog_find_source(command->catalog, plan->source_names[0]);
    return source && source->kind == SOURCE_TABLE ? RESET_EARLIEST : RESET_LATEST;
}

int64_t planning_cache_bytes(const struct command *command)
{
    int64_t cache = property_get_integer(command->properties, "cache.max.bytes.buffering");

    return cache > 0 ? cache : 0;
}

int planning_check_caches(const struct command *command, const char *limit_name, int64_t held,
                          struct error *err)
{
    int64_t limit = property_get_integer(command->properties, limit_name);
    int64_t wanted = planning_cache_bytes(command);

    if (limit < 0 || held <= limit - wanted) {
        return 0;
    }
    return error_set(err, ERR_INVALID_PROPERTY, command->statement->at,
                     "With its cache of %lld bytes (cache.max.bytes.buffering) beside %lld of "
                     "others it would go beyond %s, which is %lld",
                     (long long)wanted, (long long)held, limit_name, (long long)limit);
}

struct query_options planning_options(const struct command *command,
                                      const struct physical_plan *plan)
{
    return (struct query_options){
        .reset = choose_reset(command, plan),
        .commit_interval_ms = property_get_integer(command->properties, "commit.interval.ms"),
        .cache_bytes = (size_t)planning_cache_bytes(command),
        .causal_wait_ms = property_get_integer(command->properties, "join.causal.max.wait.ms"),
        .gate = command->engine->config.gate,
        .fails_on_unreadable =
            property_get_boolean(command->properties, "ksql.fail.on.deserialization.error"),
        .fails_on_timestamp =
            property_get_boolean(command->properties, "ksql.timestamp.throw.on.invalid"),
    };
}

struct bytes planning_query_id(const struct command *command, const char *prefix, struct bytes name)
{
    unsigned long long number = command->next_query;
    char *upper;

    if (command->record) {
        return arena_copy(command->arena, command->record->query_id);
    }
    if (!name.data) {
        return arena_printf(command->arena, "%s_%llu", prefix, number);
    }
    upper = arena_copy_text(command->arena, name);
    for (size_t i = 0; i < name.len; i++) {
        upper[i] = (char)(upper[i] >= 'a' && upper[i] <= 'z' ? upper[i] - 'a' + 'A' : upper[i]);
    }
    return arena_printf(command->arena, "%s_%s_%llu", prefix, upper, number);
}

/* --- canonical text --- */

static bool has_property(const struct ast_property_list *list, const char *name)
{
    for (uint32_t i = 0; i < list->count; i++) {
        if (bytes_equal_text_nocase(list->items[i].name.text, name)) {
            return true;
        }
    }
    return false;
}

static void add_property(struct arena *arena, struct ast_property_list *list, const char *name,
                         struct ast_literal value)
{
    if (!has_property(list, name)) {
        *vec_push(arena, list) =
            (struct ast_property){ .name = { .text = bytes_of(name) }, .value = value };
    }
}

static struct ast_literal text_literal(const char *text)
{
    return (struct ast_literal){ .kind = AST_LITERAL_STRING, .string = bytes_of(text) };
}

/* A copy: the list of the tree stays as it was written. */
static void complete_properties(struct arena *arena, const struct source *source,
                                struct ast_property_list *list)
{
    struct ast_property_list copy = { 0 };

    for (uint32_t i = 0; i < list->count; i++) {
        *vec_push(arena, &copy) = list->items[i];
    }
    add_property(arena, &copy, "KAFKA_TOPIC",
                 (struct ast_literal){ .kind = AST_LITERAL_STRING, .string = source->topic });
    add_property(
        arena, &copy, "PARTITIONS",
        (struct ast_literal){ .kind = AST_LITERAL_INTEGER, .integer = source->partition_count });
    if (!has_property(&copy, "FORMAT")) {
        add_property(arena, &copy, "KEY_FORMAT", text_literal(source->key_format.kind->name));
        add_property(arena, &copy, "VALUE_FORMAT", text_literal(source->value_format.kind->name));
    }
    *list = copy;
}

static struct ast_query canonical_query(const struct ast_query *written)
{
    struct ast_query query = *written;

    query.emit = query.emit == AST_EMIT_NONE ? AST_EMIT_CHANGES : query.emit;
    return query;
}

struct bytes planning_canonical(struct arena *arena, const struct ast_statement *statement,
                                const struct source *source)
{
    struct ast_statement copy = *statement;
    struct ast_query query;
    struct buffer text = { 0 };

    if (copy.kind == AST_CREATE_SOURCE) {
        complete_properties(arena, source, &copy.create_source.properties);
    } else if (copy.kind == AST_CREATE_AS) {
        complete_properties(arena, source, &copy.create_as.properties);
        query = canonical_query(copy.create_as.query);
        copy.create_as.query = &query;
    } else if (copy.kind == AST_INSERT_SELECT) {
        query = canonical_query(copy.insert_select.query);
        copy.insert_select.query = &query;
    }
    ast_print_statement(&text, &copy);
    return answer_take(arena, &text);
}
