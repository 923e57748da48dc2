/*
 * qtt_post.c: "post": what exists after the run: sources with their columns and formats,
 * topics with their formats and partitions, names that no topic may have.
 *
 * Values of internal topics are in the engine's own row codec, so of a repartition topic
 * only the key format is compared, of a changelog its being there.
 */
#include <regex.h>
#include <string.h>

#include "cli/test/qtt.h"
#include "parser/parse.h"

/* --- columns --- */

static int read_type(struct arena *arena, const struct ast_type *syntax,
                     const struct sql_type **out, struct error *err);

static int read_struct(struct arena *arena, const struct ast_type *syntax,
                       const struct sql_type **out, struct error *err)
{
    struct sql_field *fields = arena_array(arena, struct sql_field, syntax->fields.count);

    for (uint32_t i = 0; i < syntax->fields.count; i++) {
        fields[i].name = syntax->fields.items[i].name.text;
        TRY(read_type(arena, syntax->fields.items[i].type, &fields[i].type, err));
    }
    *out = type_struct(arena, fields, syntax->fields.count);
    return 0;
}

/* As deep as the parser lets a type be. */
static int read_type(struct arena *arena, const struct ast_type *syntax,
                     const struct sql_type **out, struct error *err)
{
    const struct sql_type *key = NULL;
    const struct sql_type *element = NULL;
    enum type_id id;

    switch (syntax->kind) {
    case AST_TYPE_NAME:
        id = type_find(syntax->name.text);
        if (id == T_NULL) {
            return error_set(err, ERR_UNKNOWN_TYPE, syntax->at, "post: no type %.*s",
                             BYTES_ARG(syntax->name.text));
        }
        *out = type_scalar(id);
        return 0;
    case AST_TYPE_DECIMAL:
        *out = type_decimal(arena, (uint32_t)syntax->decimal.precision,
                            (uint32_t)syntax->decimal.scale);
        return 0;
    case AST_TYPE_ARRAY:
        TRY(read_type(arena, syntax->element, &element, err));
        *out = type_array(arena, element);
        return 0;
    case AST_TYPE_MAP:
        TRY(read_type(arena, syntax->map.key, &key, err));
        TRY(read_type(arena, syntax->map.value, &element, err));
        *out = type_map(arena, key, element);
        return 0;
    case AST_TYPE_STRUCT:
        return read_struct(arena, syntax, out, err);
    }
    return error_set(err, ERR_UNKNOWN_TYPE, syntax->at, "post: no such kind of type");
}

static int parse_columns(struct arena *arena, const char *kind, struct bytes text,
                         struct ast_script *out, struct error *err)
{
    struct bytes script =
        arena_printf(arena, "CREATE %s S (%.*s) WITH (A='');", kind, BYTES_ARG(text));

    return parse_script(arena, script, out, err);
}

/* The columns of "K INT KEY, V BIGINT"; the cases write KEY for tables too, but not always. */
static int read_columns(struct arena *arena, struct bytes text, struct schema *out,
                        struct error *err)
{
    struct ast_script parsed = { 0 };
    const struct ast_column_def_list *defs;
    struct column *columns;

    if (parse_columns(arena, "STREAM", text, &parsed, err)) {
        TRY(parse_columns(arena, "TABLE", text, &parsed, err));
    }
    defs = &parsed.statements.items[0]->create_source.columns;
    columns = arena_array(arena, struct column, defs->count);
    for (uint32_t i = 0; i < defs->count; i++) {
        columns[i].name = defs->items[i].name.text;
        columns[i].role =
            defs->items[i].role == AST_ROLE_KEY || defs->items[i].role == AST_ROLE_PRIMARY_KEY
                ? COLUMN_KEY
                : COLUMN_VALUE;
        TRY(read_type(arena, defs->items[i].type, &columns[i].type, err));
    }
    *out = (struct schema){ .columns = columns, .column_count = defs->count };
    return 0;
}

static int check_columns(struct arena *arena, const struct source *source, struct bytes text,
                         struct error *err)
{
    const struct schema *actual = &source->schema;
    struct schema expected = { 0 };
    struct buffer shown = { 0 };
    bool same;
    int code = 0;

    TRY(read_columns(arena, text, &expected, err));
    same = expected.column_count == actual->column_count;
    for (uint32_t i = 0; same && i < expected.column_count; i++) {
        same = bytes_equal(expected.columns[i].name, actual->columns[i].name) &&
               type_equal(expected.columns[i].type, actual->columns[i].type) &&
               (expected.columns[i].role == COLUMN_KEY) == (i < actual->key_count);
    }
    if (!same) {
        schema_print(actual, "KEY", &shown);
        code = error_set(err, ERR_TEST_FAILED, NO_POSITION,
                         "post: columns of %.*s: expected %.*s, actual %.*s",
                         BYTES_ARG(source->name), BYTES_ARG(text), (int)shown.len, shown.data);
        buffer_fini(&shown);
    }
    return code;
}

/* --- formats --- */

/* {"format": "AVRO"} or "AVRO". */
static struct bytes format_of(const struct json *node)
{
    return json_is(node, JSON_NODE_OBJECT) ? json_member_text(node, "format") : json_text(node);
}

static int check_format(const char *what, struct bytes of, const struct json *expected,
                        const struct format_kind *actual, struct error *err)
{
    struct bytes wanted = format_of(expected);

    if (!wanted.data || (actual && bytes_equal_text_nocase(wanted, actual->name))) {
        return 0;
    }
    return error_set(err, ERR_TEST_FAILED, NO_POSITION,
                     "post: %s format of %.*s: expected %.*s, actual %s", what, BYTES_ARG(of),
                     BYTES_ARG(wanted), actual ? actual->name : "none");
}

static bool has_both_forms(const struct format_kind *kind)
{
    return (kind->features & FORMAT_WRAPS) && (kind->features & FORMAT_UNWRAPS);
}

/* UNWRAP_SINGLES, WRAP_SINGLES or NULL. */
static const char *key_feature(const struct source *source)
{
    const struct format_kind *kind = source->key_format.kind;

    return has_both_forms(kind) && source->schema.key_count == 1 ? "UNWRAP_SINGLES" : NULL;
}

static const char *value_feature(const struct source *source)
{
    if (!has_both_forms(source->value_format.kind)) {
        return NULL;
    }
    if (source->value_format.options.unwrapped) {
        return "UNWRAP_SINGLES";
    }
    return source->wrap_given ? "WRAP_SINGLES" : NULL;
}

static int check_features(const char *what, const struct source *source,
                          const struct json *expected, const char *actual, struct error *err)
{
    uint32_t count = json_count(expected);

    if (!expected ||
        (count == 0 ? !actual
                    : count == 1 && actual &&
                          bytes_equal_text(json_text(json_item(expected, 0)), actual))) {
        return 0;
    }
    return error_set(err, ERR_TEST_FAILED, NO_POSITION, "post: %s features of %.*s: actual %s",
                     what, BYTES_ARG(source->name), actual ? actual : "none");
}

/* --- sources --- */

static int check_source(struct harness *h, const struct json *expected, struct error *err)
{
    struct bytes name = json_member_text(expected, "name");
    struct bytes kind = json_member_text(expected, "type");
    struct bytes schema = json_member_text(expected, "schema");
    const struct json *read_only = json_member(expected, "isSource");
    const struct source *source = catalog_find_source(engine_catalog(h->engine), name);

    if (!source) {
        return error_set(err, ERR_TEST_FAILED, NO_POSITION, "post: no source %.*s",
                         BYTES_ARG(name));
    }
    if (kind.data &&
        !bytes_equal_text_nocase(kind, source->kind == SOURCE_STREAM ? "stream" : "table")) {
        return error_set(err, ERR_TEST_FAILED, NO_POSITION, "post: %.*s is no %.*s",
                         BYTES_ARG(name), BYTES_ARG(kind));
    }
    if (read_only && read_only->boolean != source->read_only) {
        return error_set(err, ERR_TEST_FAILED, NO_POSITION, "post: %.*s: read-only or not",
                         BYTES_ARG(name));
    }
    if (schema.data) {
        TRY(check_columns(&h->arena, source, schema, err));
    }
    TRY(check_format("key", name, json_member(expected, "keyFormat"), source->key_format.kind,
                     err));
    TRY(check_format("value", name, json_member(expected, "valueFormat"), source->value_format.kind,
                     err));
    TRY(check_features("key", source, json_member(expected, "keyFeatures"), key_feature(source),
                       err));
    return check_features("value", source, json_member(expected, "valueFeatures"),
                          value_feature(source), err);
}

/* --- topics --- */

/* The key format of a topic that a query writes; NULL: no query does. */
static const struct format_kind *written_key(struct harness *h, struct bytes topic)
{
    for (uint32_t q = 0; q < h->queries.count; q++) {
        const struct query_entry *entry =
            catalog_find_query(engine_catalog(h->engine), h->queries.items[q]);

        for (uint32_t s = 0; entry && s < entry->plan->sub_count; s++) {
            const struct sub_plan *sub = &entry->plan->subs[s];

            for (uint32_t i = 0; i < sub->op_count; i++) {
                const struct topic_plan *to = &sub->ops[i].topic;

                if (sub->ops[i].tag == PLAN_TOPIC &&
                    bytes_equal(entry->plan->outputs[to->output].topic, topic)) {
                    return to->key.format.kind;
                }
            }
        }
    }
    return NULL;
}

static int check_topic(struct harness *h, const struct json *expected, struct error *err)
{
    struct bytes name = json_member_text(expected, "name");
    int64_t partitions = json_member_integer(expected, "partitions", -1);
    const struct topic_form *form = harness_form(h, name);
    const struct format_kind *key = form ? form->key_format : written_key(h, name);
    const struct log_topic *topic = NULL;

    TRY(log_open_topic(h->log, name, &topic, err));
    if (partitions >= 0 && partitions != (int64_t)topic->partition_count) {
        return error_set(err, ERR_TEST_FAILED, NO_POSITION,
                         "post: %.*s has %u partitions, not %lld", BYTES_ARG(name),
                         topic->partition_count, (long long)partitions);
    }
    if (key) {
        TRY(check_format("key", name, json_member(expected, "keyFormat"), key, err));
    }
    if (form) {
        TRY(check_format("value", name, json_member(expected, "valueFormat"), form->value_format,
                         err));
    }
    return 0;
}

static int check_blacklist(struct harness *h, struct bytes pattern, struct error *err)
{
    const char *whole = arena_printf(&h->arena, "^(%.*s)$", BYTES_ARG(pattern)).data;
    const struct log_topic **topics = NULL;
    uint32_t count = 0;
    regex_t regex;
    int code;

    if (regcomp(&regex, whole, REG_EXTENDED | REG_NOSUB) != 0) {
        return error_set(err, ERR_TEST_FAILED, NO_POSITION, "post: no regular expression: %.*s",
                         BYTES_ARG(pattern));
    }
    code = log_list_topics(h->log, &h->arena, &topics, &count, err);
    for (uint32_t i = 0; !code && i < count; i++) {
        const char *name = arena_copy_text(&h->arena, topics[i]->name);

        if (regexec(&regex, name, 0, NULL, 0) == 0) {
            code = error_set(err, ERR_TEST_FAILED, NO_POSITION, "post: there is a topic %s", name);
        }
    }
    regfree(&regex);
    return code;
}

int qtt_check_post(struct harness *h, const struct json *post, struct error *err)
{
    const struct json *sources = json_member(post, "sources");
    const struct json *topics = json_member(post, "topics");
    const struct json *list = json_member(topics, "topics");
    struct bytes blacklist = json_member_text(topics, "blacklist");

    for (uint32_t i = 0; i < json_count(sources); i++) {
        TRY(check_source(h, json_item(sources, i), err));
    }
    for (uint32_t i = 0; i < json_count(list); i++) {
        TRY(check_topic(h, json_item(list, i), err));
    }
    return blacklist.data ? check_blacklist(h, blacklist, err) : 0;
}
