/*
 * connect_plugins.c: which kinds of connectors there are, what they can be told, and what is wrong
 * with a configuration that nobody has yet.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/http/connect/connect_internal.h"

void connect_list_plugins(struct connect_job *job)
{
    const struct connector_plugin *plugin = engine_list_plugins(job->api->engine);
    json_t *all = json_array();

    for (; plugin && plugin->class_name; plugin++) {
        json_array_append_new(all, connect_plugin(plugin));
    }
    connect_answer(job, 200, all);
}

/* --- options --- */

static json_t *optional_text(const char *text)
{
    return text ? json_string(text) : json_null();
}

static json_t *definition(const struct connector_option_kind *option, int order)
{
    json_t *object = json_object();

    json_object_set_new(object, "name", json_string(option->name));
    json_object_set_new(object, "type", json_string(option->type));
    json_object_set_new(object, "required", json_boolean(option->is_required));
    json_object_set_new(object, "default_value", optional_text(option->usual));
    json_object_set_new(object, "importance", json_string(option->is_required ? "HIGH" : "MEDIUM"));
    json_object_set_new(object, "documentation", json_string(option->doc));
    json_object_set_new(object, "group", json_null());
    json_object_set_new(object, "width", json_string("NONE"));
    json_object_set_new(object, "display_name", json_string(option->name));
    json_object_set_new(object, "dependents", json_array());
    json_object_set_new(object, "order", json_integer(order));
    return object;
}

static const struct connector_option_kind *find_options(struct connect_job *job)
{
    const struct connector_option_kind *options =
        engine_list_connector_options(job->api->engine, job->parts[0], &job->arena);

    if (!options) {
        connect_answer_error(
            job, 404, arena_printf(&job->arena, "Unknown plugin %.*s.", BYTES_ARG(job->parts[0])));
    }
    return options;
}

void connect_describe_plugin(struct connect_job *job)
{
    const struct connector_option_kind *options = find_options(job);
    json_t *all;

    if (!options) {
        return;
    }
    all = json_array();
    for (int i = 0; options[i].name; i++) {
        json_array_append_new(all, definition(&options[i], i + 1));
    }
    connect_answer(job, 200, all);
}

/* --- validation --- */

struct validation {
    struct connect_job *job;
    struct connector_entry wanted;
    struct connector_finding *findings;
    uint32_t finding_count;
};

static json_t *errors_of(const struct validation *v, struct bytes option)
{
    json_t *errors = json_array();

    for (uint32_t i = 0; i < v->finding_count; i++) {
        if (bytes_equal(v->findings[i].option, option)) {
            json_array_append_new(errors, connect_text(v->findings[i].message));
        }
    }
    return errors;
}

/* As given, else the usual one. */
static json_t *value_of(const struct validation *v, const struct connector_option_kind *option)
{
    for (uint32_t i = 0; i < v->wanted.option_count; i++) {
        if (bytes_equal_text(v->wanted.options[i].name, option->name)) {
            return strcmp(option->type, "PASSWORD") == 0 ? json_string("[hidden]")
                                                         : connect_text(v->wanted.options[i].value);
        }
    }
    return strcmp(option->name, "name") == 0 ? connect_text(v->wanted.name)
                                             : optional_text(option->usual);
}

static json_t *recommended(const struct connector_option_kind *option)
{
    json_t *values = json_array();

    for (const char *at = option->choices; at && *at;) {
        size_t len = strcspn(at, ",");

        if (len > 0) {
            json_array_append_new(values, json_stringn(at, len));
        }
        at += len + (at[len] == ',');
    }
    return values;
}

static json_t *validated(const struct validation *v, const struct connector_option_kind *option,
                         int order)
{
    json_t *object = json_object();
    json_t *value = json_object();

    json_object_set_new(value, "name", json_string(option->name));
    json_object_set_new(value, "value", value_of(v, option));
    json_object_set_new(value, "recommended_values", recommended(option));
    json_object_set_new(value, "errors", errors_of(v, bytes_of(option->name)));
    json_object_set_new(value, "visible", json_true());
    json_object_set_new(object, "definition", definition(option, order));
    json_object_set_new(object, "value", value);
    return object;
}

static bool is_listed(const struct connector_option_kind *options, struct bytes name)
{
    for (; options->name; options++) {
        if (bytes_equal_text(name, options->name)) {
            return true;
        }
    }
    return false;
}

/* Those of the class, and what is wrong with a name that is nobody's. */
static json_t *list_validated(const struct validation *v,
                              const struct connector_option_kind *options)
{
    json_t *all = json_array();
    int order = 0;

    for (; options[order].name; order++) {
        json_array_append_new(all, validated(v, &options[order], order + 1));
    }
    for (uint32_t i = 0; i < v->finding_count; i++) {
        const struct connector_option_kind unknown = { .name = arena_copy_text(
                                                           &v->job->arena, v->findings[i].option),
                                                       .type = "STRING",
                                                       .doc = "" };

        if (!is_listed(options, v->findings[i].option)) {
            json_array_append_new(all, validated(v, &unknown, ++order));
        }
    }
    return all;
}

/* The class of the path and that of the configuration are one, or it says what is wrong. */
static bool is_same_class(struct connect_job *job, const json_t *config)
{
    const char *class_name = json_string_value(json_object_get(config, "connector.class"));
    const struct connector_option_kind *named =
        class_name
            ? engine_list_connector_options(job->api->engine, bytes_of(class_name), &job->arena)
            : NULL;

    if (named) {
        return true;
    }
    connect_answer_error(
        job, 400,
        class_name ? arena_printf(&job->arena,
                                  "Failed to find any class that implements Connector and which "
                                  "name matches %s",
                                  class_name)
                   : bytes_of("The configuration has no \"connector.class\""));
    return false;
}

void connect_validate_plugin(struct connect_job *job)
{
    const struct connector_option_kind *options = find_options(job);
    json_t *config = options ? json_loadb(job->body.data, job->body.len, 0, NULL) : NULL;
    const char *name = json_string_value(json_object_get(config, "name"));
    struct validation v = { .job = job };
    const char *complaint;
    json_t *body;

    if (!options) {
        return;
    }
    if (!json_is_object(config)) {
        connect_answer_error(job, 400, bytes_of("The body is not a JSON object"));
    } else if (is_same_class(job, config)) {
        complaint = connect_read_config(config, bytes_of(name ? name : ""), &job->arena, &v.wanted);
        if (complaint) {
            connect_answer_error(job, 400, bytes_of(complaint));
        } else {
            v.finding_count =
                engine_validate_connector(job->api->engine, &v.wanted, &job->arena, &v.findings);
            body = json_object();
            json_object_set_new(body, "name", connect_text(job->parts[0]));
            json_object_set_new(body, "error_count", json_integer(v.finding_count));
            json_object_set_new(body, "groups", json_array());
            json_object_set_new(body, "configs", list_validated(&v, options));
            connect_answer(job, 200, body);
        }
    }
    json_decref(config);
}
