/*
 * connect_json.c: configurations from JSON; connectors and states to JSON, as Connect prints them.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/http/connect/connect_internal.h"
#include "cli/version.h"

json_t *connect_text(struct bytes text)
{
    return json_stringn(text.data ? text.data : "", text.len);
}

/* --- in --- */

static bool read_value(const json_t *value, struct arena *arena, struct bytes *out)
{
    char *text;

    if (json_is_string(value)) {
        *out = arena_copy(arena,
                          (struct bytes){ json_string_value(value), json_string_length(value) });
        return true;
    }
    if (!json_is_boolean(value) && !json_is_number(value)) {
        return false;
    }
    text = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
    *out = arena_copy(arena, bytes_of(text));
    free(text);
    return true;
}

const char *connect_read_config(const json_t *config, struct bytes name, struct arena *arena,
                                struct connector_entry *out)
{
    struct connector_option *options =
        arena_array(arena, struct connector_option, json_object_size(config));
    const char *key;
    const json_t *value;
    json_t *walked = json_copy((json_t *)(uintptr_t)config);
    const char *complaint = NULL;

    *out = (struct connector_entry){ .name = name, .is_sink = true, .options = options };
    json_object_foreach(walked, key, value)
    {
        struct connector_option *option = &options[out->option_count];

        if (json_is_null(value)) {
            continue;
        }
        option->name = arena_copy(arena, bytes_of(key));
        if (!read_value(value, arena, &option->value)) {
            complaint =
                arena_printf(arena, "'%s' is neither a text, a number nor a boolean", key).data;
            break;
        }
        if (bytes_equal_text(option->name, "name")) {
            if (!bytes_equal(option->value, name)) {
                complaint = arena_printf(arena,
                                         "Connector name configuration (%.*s) doesn't match "
                                         "connector name in the URL (%.*s)",
                                         BYTES_ARG(option->value), BYTES_ARG(name))
                                .data;
                break;
            }
            continue; /* it is told again behind the others */
        }
        out->option_count++;
    }
    json_decref(walked);
    return complaint;
}

/* --- out --- */

json_t *connect_plugin(const struct connector_plugin *plugin)
{
    json_t *object = json_object();

    json_object_set_new(object, "class", json_string(plugin->class_name));
    json_object_set_new(object, "type", json_string(plugin->type));
    json_object_set_new(object, "version",
                        json_string(plugin->version ? plugin->version : SLUICE_VERSION));
    return object;
}

json_t *connect_config(const struct connector_entry *entry)
{
    json_t *config = json_object();

    for (uint32_t i = 0; i < entry->option_count; i++) {
        const struct connector_option *option = &entry->options[i];
        bool is_secret = bytes_starts_with(option->value, bytes_of("${secret:"));

        json_object_setn_new(config, option->name.data, option->name.len,
                             is_secret ? json_string("[hidden]") : connect_text(option->value));
    }
    json_object_set_new(config, "name", connect_text(entry->name));
    return config;
}

json_t *connect_info(const struct connector_entry *entry, const struct connector_status *status)
{
    json_t *info = json_object();
    json_t *tasks = json_array();

    for (uint32_t i = 0; i < status->task_count; i++) {
        json_t *task = json_object();

        json_object_set_new(task, "connector", connect_text(entry->name));
        json_object_set_new(task, "task", json_integer(i));
        json_array_append_new(tasks, task);
    }
    json_object_set_new(info, "name", connect_text(entry->name));
    json_object_set_new(info, "config", connect_config(entry));
    json_object_set_new(info, "tasks", tasks);
    json_object_set_new(info, "type", json_string(entry->is_sink ? "sink" : "source"));
    return info;
}

static void add_state(json_t *object, const char *state, struct bytes worker_id, struct bytes trace)
{
    json_object_set_new(object, "state", json_string(state));
    json_object_set_new(object, "worker_id", connect_text(worker_id));
    json_object_set_new(object, "version", json_string(SLUICE_VERSION));
    if (trace.data) {
        json_object_set_new(object, "trace", connect_text(trace));
    }
}

json_t *connect_task_status(const struct connector_status *status, uint32_t task)
{
    json_t *object = json_object();

    json_object_set_new(object, "id", json_integer(task));
    add_state(object, status->tasks[task].state, status->worker_id, status->tasks[task].trace);
    return object;
}

void connect_add_warnings(json_t *object, const struct connector_status *status)
{
    json_t *warnings = status->warning_count > 0 ? json_array() : NULL;

    for (uint32_t i = 0; i < status->warning_count; i++) {
        json_array_append_new(warnings, connect_text(status->warnings[i]));
    }
    if (warnings) {
        json_object_set_new(object, "warnings", warnings);
    }
}

json_t *connect_status(const struct connector_status *status)
{
    json_t *object = json_object();
    json_t *connector = json_object();
    json_t *tasks = json_array();

    add_state(connector, status->state, status->worker_id, status->trace);
    for (uint32_t i = 0; i < status->task_count; i++) {
        json_array_append_new(tasks, connect_task_status(status, i));
    }
    json_object_set_new(object, "name", connect_text(status->name));
    json_object_set_new(object, "connector", connector);
    json_object_set_new(object, "tasks", tasks);
    json_object_set_new(object, "type", json_string(status->is_sink ? "sink" : "source"));
    connect_add_warnings(object, status);
    return object;
}
