/*
 * request.c: bodies of requests. What clients leave out, send as null or as an empty list is as
 * good as an empty map; fields that nobody knows are ignored (rest-api.md 1.3).
 */
#include <stdlib.h>

#include <jansson.h>

#include "cli/http/ksql/api_internal.h"

static struct bytes text_of(json_t *value, struct arena *arena)
{
    struct bytes text = { NULL, 0 };
    char *dumped;

    if (json_is_string(value)) {
        text = (struct bytes){ json_string_value(value), json_string_length(value) };
        return arena_copy(arena, text);
    }
    dumped = json_is_null(value) ? NULL : json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
    text = arena_copy(arena, bytes_of(dumped));
    free(dumped);
    return text;
}

/* Members of a list are told apart by commas. */
static struct bytes list_text(json_t *list, struct arena *arena)
{
    struct buffer text = { 0 };
    struct bytes copy;
    json_t *value;
    size_t i;

    json_array_foreach(list, i, value)
    {
        struct bytes member = text_of(value, arena);

        buffer_append_text(&text, i ? "," : "");
        if (member.data) {
            buffer_append_bytes(&text, member);
        }
    }
    copy = arena_copy(arena, buffer_bytes(&text));
    buffer_fini(&text);
    return copy;
}

static int wrong(struct error *err, const char *what)
{
    return error_set(err, ERR_SYNTAX, NO_POSITION, "Invalid JSON in request: %s", what);
}

static bool is_map(json_t *value)
{
    return !value || json_is_null(value) || json_is_object(value) ||
           (json_is_array(value) && json_array_size(value) == 0);
}

static void add_properties(json_t *map, struct arena *arena, struct property_text *list,
                           uint32_t *count)
{
    const char *name;
    json_t *value;

    json_object_foreach(map, name, value)
    {
        struct bytes text = json_is_array(value) ? list_text(value, arena) : text_of(value, arena);

        if (text.data) {
            list[(*count)++] = (struct property_text){ arena_copy(arena, bytes_of(name)), text };
        }
    }
}

static int parse_maps(json_t *body, struct arena *arena, struct ksql_request *out,
                      struct error *err)
{
    json_t *first = json_object_get(body, "streamsProperties");
    json_t *second = json_object_get(body, "properties");
    json_t *variables = json_object_get(body, "sessionVariables");
    struct property_text *list;
    struct property_text *defined;

    if (!is_map(first) || !is_map(second) || !is_map(variables)) {
        return wrong(err, "a map of properties or variables is something else");
    }
    defined = arena_array(arena, struct property_text, json_object_size(variables));
    add_properties(variables, arena, defined, &out->variable_count);
    out->variables = defined;
    list = arena_array(arena, struct property_text,
                       json_object_size(first) + json_object_size(second));
    add_properties(first, arena, list, &out->property_count);
    add_properties(second, arena, list, &out->property_count);
    out->properties = list;
    return 0;
}

/* "0,2,5", as nodes write it. */
static void parse_partitions(struct bytes text, struct arena *arena, struct ksql_request *out)
{
    uint32_t *list = arena_array(arena, uint32_t, text.len + 1);
    bool is_number = false;

    for (size_t i = 0; i < text.len; i++) {
        bool is_digit = text.data[i] >= '0' && text.data[i] <= '9';

        if (is_digit && !is_number) {
            list[out->partition_count++] = 0;
        }
        if (is_digit) {
            uint32_t *last = &list[out->partition_count - 1];

            *last = *last * 10 + (uint32_t)(text.data[i] - '0');
        }
        is_number = is_digit;
    }
    out->partitions = list;
}

/* What one node tells another beside the statement. */
static int parse_request_properties(json_t *body, struct arena *arena, struct ksql_request *out,
                                    struct error *err)
{
    json_t *map = json_object_get(body, "requestProperties");
    json_t *partitions = json_object_get(map, "request.ksql.query.pull.partition");

    if (!is_map(map)) {
        return wrong(err, "requestProperties is no map");
    }
    out->is_forwarded =
        partitions || json_is_true(json_object_get(map, "request.ksql.query.pull.skip.forwarding"));
    if (json_is_string(partitions)) {
        parse_partitions(text_of(partitions, arena), arena, out);
    }
    return 0;
}

static int parse_body(json_t *body, const char *text_name, struct arena *arena,
                      struct ksql_request *out, struct error *err)
{
    json_t *text = json_object_get(body, text_name);
    json_t *sequence = json_object_get(body, "commandSequenceNumber");

    if (!json_is_object(body)) {
        return wrong(err, "the body is not an object");
    }
    if (!json_is_string(text)) {
        return error_set(err, ERR_SYNTAX, NO_POSITION,
                         "Invalid JSON in request: the field '%s' is missing, or no text",
                         text_name);
    }
    if (sequence && !json_is_null(sequence) && !json_is_integer(sequence)) {
        return wrong(err, "commandSequenceNumber is no whole number");
    }
    out->sequence = json_is_integer(sequence) ? json_integer_value(sequence) : -1;
    out->text = text_of(text, arena);
    TRY(parse_request_properties(body, arena, out, err));
    return parse_maps(body, arena, out, err);
}

int request_parse(struct bytes body, const char *text_name, struct arena *arena,
                  struct ksql_request *out, struct error *err)
{
    json_error_t fault;
    json_t *document = json_loadb(body.data, body.len, 0, &fault);
    int code;

    *out = (struct ksql_request){ 0 };
    if (!document) {
        return wrong(err, fault.text);
    }
    code = parse_body(document, text_name, arena, out, err);
    json_decref(document);
    return code;
}

struct bytes request_text(struct bytes body, const char *name, struct arena *arena)
{
    json_t *document = json_loadb(body.data, body.len, 0, NULL);
    json_t *text = json_object_get(document, name);
    struct bytes copy = { NULL, 0 };

    if (json_is_string(text)) {
        copy = text_of(text, arena);
    }
    json_decref(document);
    return copy;
}

int request_apply(const struct ksql_request *request, struct session *session, struct error *err)
{
    if (request->is_forwarded) {
        session_keep_local(session, request->partitions, request->partition_count);
    }
    for (uint32_t i = 0; i < request->property_count; i++) {
        TRY(session_set_property(session, request->properties[i].name, request->properties[i].value,
                                 err));
    }
    for (uint32_t i = 0; i < request->variable_count; i++) {
        TRY(session_define(session, request->variables[i].name, request->variables[i].value, err));
    }
    return 0;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

struct bytes request_trim(struct bytes text)
{
    while (text.len > 0 && is_space(text.data[0])) {
        text.data++;
        text.len--;
    }
    while (text.len > 0 && is_space(text.data[text.len - 1])) {
        text.len--;
    }
    return text;
}
