/*
 * connect_calls.c: what each call below /connectors does, and with which status it answers.
 */
#include <string.h>

#include "cli/http/connect/connect_internal.h"

/* --- errors --- */

static int status_of(const struct error *err)
{
    switch (err->code) {
    case ERR_CONNECTOR_EXISTS:
        return 409;
    case ERR_UNKNOWN_CONNECTOR:
        return 404;
    default:
        return error_class_of(err->code) == ERROR_STATEMENT ? 400 : 500;
    }
}

static void answer_failure(struct connect_job *job, const struct error *err)
{
    int status = status_of(err);
    struct bytes message = bytes_of(err->message);

    if (status == 400) {
        message = arena_printf(&job->arena,
                               "Connector configuration is invalid and contains the following 1 "
                               "error(s):\n%s\nYou can also find the above list of errors at the "
                               "endpoint `/connector-plugins/{connectorType}/config/validate`",
                               err->message);
    }
    connect_answer_error(job, status, message);
}

static void answer_unknown(struct connect_job *job, const char *format)
{
    struct buffer text = { 0 };

    for (const char *at = format; *at; at++) {
        if (*at == '@') {
            buffer_append_bytes(&text, job->parts[0]);
        } else {
            buffer_append_char(&text, *at);
        }
    }
    connect_answer_error(job, 404, buffer_bytes(&text));
    buffer_fini(&text);
}

/* --- reading --- */

struct found {
    struct connector_entry entry;
    struct connector_status status;
};

static bool find(struct connect_job *job, const char *unknown, struct found *out)
{
    struct error err = { 0 };

    if (!engine_find_connector(job->api->engine, job->parts[0], &job->arena, &out->entry,
                               &out->status, &err)) {
        return true;
    }
    if (err.code == ERR_UNKNOWN_CONNECTOR) {
        answer_unknown(job, unknown);
    } else {
        answer_failure(job, &err);
    }
    return false;
}

static bool expands(const struct connect_job *job, const char *what)
{
    struct bytes word = arena_printf((struct arena *)(uintptr_t)&job->arena, "expand=%s", what);

    for (size_t i = 0; i + word.len <= job->query.len; i++) {
        if (memcmp(job->query.data + i, word.data, word.len) == 0) {
            return true;
        }
    }
    return false;
}

static json_t *expanded(struct connect_job *job, struct bytes name)
{
    json_t *object = json_object();
    struct connector_entry entry;
    struct connector_status status;

    if (!engine_find_connector(job->api->engine, name, &job->arena, &entry, &status, NULL)) {
        if (expands(job, "info")) {
            json_object_set_new(object, "info", connect_info(&entry, &status));
        }
        if (expands(job, "status")) {
            json_object_set_new(object, "status", connect_status(&status));
        }
    }
    return object;
}

static void list(struct connect_job *job)
{
    bool is_expanded = expands(job, "info") || expands(job, "status");
    struct bytes *names = NULL;
    uint32_t count = engine_list_connectors(job->api->engine, &job->arena, &names);
    json_t *all = is_expanded ? json_object() : json_array();

    for (uint32_t i = 0; i < count; i++) {
        if (is_expanded) {
            json_object_setn_new(all, names[i].data, names[i].len, expanded(job, names[i]));
        } else {
            json_array_append_new(all, connect_text(names[i]));
        }
    }
    connect_answer(job, 200, all);
}

static void get_info(struct connect_job *job)
{
    struct found found;

    if (find(job, "Connector @ not found", &found)) {
        connect_answer(job, 200, connect_info(&found.entry, &found.status));
    }
}

static void get_config(struct connect_job *job)
{
    struct found found;

    if (find(job, "Connector @ not found", &found)) {
        connect_answer(job, 200, connect_config(&found.entry));
    }
}

static void get_status(struct connect_job *job)
{
    struct found found;

    if (find(job, "No status found for connector @", &found)) {
        connect_answer(job, 200, connect_status(&found.status));
    }
}

static void get_tasks(struct connect_job *job)
{
    struct found found;
    json_t *tasks;

    if (!find(job, "Connector @ not found", &found)) {
        return;
    }
    tasks = json_array();
    for (uint32_t i = 0; i < found.status.task_count; i++) {
        json_t *task = json_object();
        json_t *id = json_object();

        json_object_set_new(id, "connector", connect_text(found.entry.name));
        json_object_set_new(id, "task", json_integer(i));
        json_object_set_new(task, "id", id);
        json_object_set_new(task, "config", connect_config(&found.entry));
        json_array_append_new(tasks, task);
    }
    connect_answer(job, 200, tasks);
}

static void get_topics(struct connect_job *job)
{
    json_t *body = json_object();
    json_t *inner = json_object();
    json_t *topics = json_array();
    struct connector_entry entry;
    struct connector_status status;

    if (!engine_find_connector(job->api->engine, job->parts[0], &job->arena, &entry, &status,
                               NULL)) {
        for (uint32_t i = 0; i < status.topic_count; i++) {
            json_array_append_new(topics, connect_text(status.topics[i]));
        }
    }
    json_object_set_new(inner, "topics", topics);
    json_object_setn_new(body, job->parts[0].data, job->parts[0].len, inner);
    connect_answer(job, 200, body);
}

/* --- making and changing --- */

/* Of a configuration that is complete; the answer is the connector. */
static void put(struct connect_job *job, const json_t *config, struct bytes name,
                enum connector_put kind, int status)
{
    struct connector_entry wanted;
    struct found found;
    struct error err = { 0 };
    const char *complaint = connect_read_config(config, name, &job->arena, &wanted);

    if (complaint) {
        connect_answer_error(job, 400, bytes_of(complaint));
        return;
    }
    if (engine_put_connector(job->api->engine, &wanted, kind, &err)) {
        answer_failure(job, &err);
        return;
    }
    job->parts[0] = name;
    if (find(job, "Connector @ not found", &found)) {
        found.status.task_count = 0; /* Connect has not made them yet when it answers */
        connect_answer(job, status, connect_info(&found.entry, &found.status));
    }
}

static void create(struct connect_job *job)
{
    json_t *body = json_loadb(job->body.data, job->body.len, 0, NULL);
    const json_t *config = json_object_get(body, "config");
    const json_t *name = json_object_get(body, "name");
    struct bytes text = { json_string_value(name), json_string_length(name) };

    if (!json_is_object(body)) {
        connect_answer_error(job, 400, bytes_of("The body is not a JSON object"));
    } else if (!json_is_object(config)) {
        connect_answer_error(job, 400, bytes_of("The body has no object \"config\""));
    } else if (!json_is_string(name) || text.len == 0) {
        connect_answer_error(job, 400, bytes_of("The body has no text \"name\""));
    } else {
        put(job, config, arena_copy(&job->arena, text), CONNECTOR_CREATE, 201);
    }
    json_decref(body);
}

static bool exists(struct connect_job *job)
{
    struct connector_entry entry;
    struct connector_status status;

    return !engine_find_connector(job->api->engine, job->parts[0], &job->arena, &entry, &status,
                                  NULL);
}

/* A value that was hidden from whoever sends it back is the one that is there. */
static void keep_hidden(struct connect_job *job, json_t *config)
{
    struct found found;

    if (engine_find_connector(job->api->engine, job->parts[0], &job->arena, &found.entry,
                              &found.status, NULL)) {
        return;
    }
    for (uint32_t i = 0; i < found.entry.option_count; i++) {
        const char *name = arena_copy_text(&job->arena, found.entry.options[i].name);
        const char *value = json_string_value(json_object_get(config, name));

        if (value && strcmp(value, "[hidden]") == 0) {
            json_object_set_new(config, name, connect_text(found.entry.options[i].value));
        }
    }
}

static void put_config(struct connect_job *job)
{
    json_t *config = json_loadb(job->body.data, job->body.len, 0, NULL);

    if (!json_is_object(config)) {
        connect_answer_error(job, 400, bytes_of("The body is not a JSON object"));
    } else {
        int status = exists(job) ? 200 : 201;

        keep_hidden(job, config);
        put(job, config, job->parts[0], CONNECTOR_REPLACE, status);
    }
    json_decref(config);
}

static void patch_config(struct connect_job *job)
{
    json_t *patch = json_loadb(job->body.data, job->body.len, 0, NULL);
    json_t *config = NULL;
    struct found found;

    if (!json_is_object(patch)) {
        connect_answer_error(job, 400, bytes_of("The body is not a JSON object"));
    } else if (find(job, "Connector @ not found", &found)) {
        config = connect_config(&found.entry);
        json_object_update(config, patch);
        keep_hidden(job, config);
        put(job, config, job->parts[0], CONNECTOR_REPLACE, 200);
    }
    json_decref(config);
    json_decref(patch);
}

static void drop(struct connect_job *job)
{
    struct error err = { 0 };

    if (!engine_drop_connector(job->api->engine, job->parts[0], &err)) {
        connect_answer(job, 204, NULL);
    } else if (err.code == ERR_UNKNOWN_CONNECTOR) {
        answer_unknown(job, "Connector @ not found");
    } else {
        answer_failure(job, &err);
    }
}

/* --- states --- */

static void control(struct connect_job *job, enum connector_action action, int status,
                    const char *unknown)
{
    struct error err = { 0 };

    if (!engine_control_connector(job->api->engine, job->parts[0], action, &err)) {
        connect_answer(job, status, NULL);
    } else if (err.code == ERR_UNKNOWN_CONNECTOR) {
        answer_unknown(job, unknown);
    } else {
        answer_failure(job, &err);
    }
}

static void pause_it(struct connect_job *job)
{
    control(job, CONNECTOR_PAUSE, 202, "Unknown connector @");
}

static void resume_it(struct connect_job *job)
{
    control(job, CONNECTOR_RESUME, 202, "Unknown connector @");
}

static void stop_it(struct connect_job *job)
{
    control(job, CONNECTOR_STOP, 204, "Unknown connector @");
}

static void restart_it(struct connect_job *job)
{
    control(job, CONNECTOR_RESTART, 204, "Unknown connector: @");
}

/* --- kinds --- */

static void list_plugins(struct connect_job *job)
{
    const struct connector_plugin *plugin = engine_list_plugins(job->api->engine);
    json_t *all = json_array();

    for (; plugin && plugin->class_name; plugin++) {
        json_array_append_new(all, connect_plugin(plugin));
    }
    connect_answer(job, 200, all);
}

/* --- the table --- */

static const char connectors[] = "/connectors";
static const char plugins[] = "/connector-plugins";

static const struct call {
    const char *root;
    const char *method;
    uint32_t part_count;
    const char *last; /* the second part; NULL: there is none */
    void (*run)(struct connect_job *job);
} calls[] = {
    { connectors, "GET", 0, NULL, list },
    { connectors, "POST", 0, NULL, create },
    { connectors, "GET", 1, NULL, get_info },
    { connectors, "DELETE", 1, NULL, drop },
    { connectors, "GET", 2, "config", get_config },
    { connectors, "PUT", 2, "config", put_config },
    { connectors, "PATCH", 2, "config", patch_config },
    { connectors, "GET", 2, "status", get_status },
    { connectors, "GET", 2, "tasks", get_tasks },
    { connectors, "GET", 2, "topics", get_topics },
    { connectors, "PUT", 2, "pause", pause_it },
    { connectors, "PUT", 2, "resume", resume_it },
    { connectors, "PUT", 2, "stop", stop_it },
    { connectors, "POST", 2, "restart", restart_it },
    { plugins, "GET", 0, NULL, list_plugins },
};

void connect_run(struct connect_job *job)
{
    bool knows_path = false;

    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        const struct call *call = &calls[i];

        if (!bytes_equal_text(job->root, call->root) || call->part_count != job->part_count ||
            (call->last && !bytes_equal_text(job->parts[1], call->last))) {
            continue;
        }
        knows_path = true;
        if (bytes_equal_text(job->method, call->method)) {
            call->run(job);
            return;
        }
    }
    connect_answer_error(
        job, knows_path ? 405 : 404,
        bytes_of(knows_path ? "HTTP 405 Method Not Allowed" : "HTTP 404 Not Found"));
}
