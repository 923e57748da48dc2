/*
 * connect_calls.c: what each call below /connectors does, and with which status it answers.
 */
#include <ctype.h>
#include <string.h>

#include "cli/http/connect/connect_internal.h"
#include "cli/version.h"
#include "engine/type/java_text.h"

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
    connect_answer_error(job, status_of(err), bytes_of(err->message));
}

/* All that is wrong with it, or what one error says. */
static void answer_invalid(struct connect_job *job, const struct connector_entry *wanted,
                           const struct error *err)
{
    struct connector_finding *findings = NULL;
    uint32_t count = engine_validate_connector(job->api->engine, wanted, &job->arena, &findings);
    struct buffer text = { 0 };

    buffer_printf(&text,
                  "Connector configuration is invalid and contains the following %u error(s):\n",
                  count ? count : 1);
    for (uint32_t i = 0; i < count; i++) {
        buffer_printf(&text, "%.*s\n", BYTES_ARG(findings[i].message));
    }
    if (count == 0) {
        buffer_printf(&text, "%s\n", err->message);
    }
    buffer_append_text(&text, "You can also find the above list of errors at the endpoint "
                              "`/connector-plugins/{connectorType}/config/validate`");
    connect_answer_error(job, 400, buffer_bytes(&text));
    buffer_fini(&text);
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

/* The query has this word. */
static bool asks(const struct connect_job *job, const char *word)
{
    size_t len = strlen(word);

    for (size_t i = 0; i + len <= job->query.len; i++) {
        if (memcmp(job->query.data + i, word, len) == 0) {
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
        if (asks(job, "expand=info")) {
            json_object_set_new(object, "info", connect_info(&entry, &status));
        }
        if (asks(job, "expand=status")) {
            json_object_set_new(object, "status", connect_status(&status));
        }
    }
    return object;
}

static void list(struct connect_job *job)
{
    bool is_expanded = asks(job, "expand=info") || asks(job, "expand=status");
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

/* The number of one of its tasks; else false, and answered. */
static bool find_task(struct connect_job *job, const char *unknown, struct found *found,
                      uint32_t *out)
{
    int64_t number = -1;

    if (!engine_find_connector(job->api->engine, job->parts[0], &job->arena, &found->entry,
                               &found->status, NULL) &&
        !java_long_parse(job->parts[2], &number, NULL) && number >= 0 &&
        number < (int64_t)found->status.task_count) {
        *out = (uint32_t)number;
        return true;
    }
    connect_answer_error(job, 404,
                         arena_printf(&job->arena, "%s %.*s-%.*s", unknown,
                                      BYTES_ARG(job->parts[0]), BYTES_ARG(job->parts[2])));
    return false;
}

static void get_task_status(struct connect_job *job)
{
    struct found found;
    uint32_t task = 0;

    if (find_task(job, "No status found for task", &found, &task)) {
        connect_answer(job, 200, connect_task_status(&found.status, task));
    }
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

/* They are those that it reads, not those that it has read from. */
static void reset_topics(struct connect_job *job)
{
    struct found found;

    if (find(job, "Connector @ not found", &found)) {
        connect_answer(job, 202, NULL);
    }
}

/* --- making and changing --- */

/* --- the worker, on its own listener --- */

static void tell_worker(struct connect_job *job)
{
    json_t *worker = json_object();

    json_object_set_new(worker, "version", json_string(SLUICE_VERSION));
    json_object_set_new(worker, "commit", json_string("unknown"));
    json_object_set_new(worker, "kafka_cluster_id", connect_text(job->api->cluster_id));
    connect_answer(job, 200, worker);
}

static void tell_health(struct connect_job *job)
{
    json_t *health = json_object();

    json_object_set_new(health, "status", json_string("healthy"));
    json_object_set_new(health, "message",
                        json_string("Worker has completed startup and is ready to handle "
                                    "requests."));
    connect_answer(job, 200, health);
}

/* --- making one --- */

/* What a path cannot hold as it is travels as %XX. */
static void set_location(struct connect_job *job, struct bytes name)
{
    struct buffer location = { 0 };

    buffer_append_text(&location, "/connectors/");
    for (size_t i = 0; i < name.len; i++) {
        unsigned char c = (unsigned char)name.data[i];

        if (isalnum(c) || (c && strchr("-._~", c))) {
            buffer_append_char(&location, (char)c);
        } else {
            buffer_printf(&location, "%%%02X", c);
        }
    }
    reply_set_location(job->reply, buffer_bytes(&location));
    buffer_fini(&location);
}

/* Of a configuration that is complete; the answer is the connector. */
static void put(struct connect_job *job, const json_t *config, struct bytes name,
                enum connector_put kind, int status)
{
    struct connector_entry wanted;
    struct found found;
    struct error err = { 0 };
    json_t *info;
    const char *complaint = connect_read_config(config, name, &job->arena, &wanted);

    if (complaint) {
        connect_answer_error(job, 400, bytes_of(complaint));
        return;
    }
    if (engine_put_connector(job->api->engine, &wanted, kind, &err)) {
        if (status_of(&err) == 400) {
            answer_invalid(job, &wanted, &err);
        } else {
            answer_failure(job, &err);
        }
        return;
    }
    job->parts[0] = name;
    if (find(job, "Connector @ not found", &found)) {
        found.status.task_count = 0; /* Connect has not made them yet when it answers */
        info = connect_info(&found.entry, &found.status);
        connect_add_warnings(info, &found.status);
        if (status == 201) {
            set_location(job, name);
        }
        connect_answer(job, status, info);
    }
}

/* What it is to do at first; false: there is no such state. */
static bool read_initial(const json_t *body, enum connector_put *out)
{
    static const struct {
        const char *state;
        enum connector_put kind;
    } states[] = { { "RUNNING", CONNECTOR_CREATE },
                   { "PAUSED", CONNECTOR_CREATE_PAUSED },
                   { "STOPPED", CONNECTOR_CREATE_STOPPED } };
    const json_t *state = json_object_get(body, "initial_state");
    const char *text = json_string_value(state);

    *out = CONNECTOR_CREATE;
    for (size_t i = 0; text && i < sizeof states / sizeof states[0]; i++) {
        if (bytes_equal_text_nocase(bytes_of(text), states[i].state)) {
            *out = states[i].kind;
            return true;
        }
    }
    return !state || json_is_null(state);
}

/* A member that the body of POST cannot have; NULL: there is none. */
static const char *unknown_member(json_t *body)
{
    const char *key;
    json_t *value;

    json_object_foreach(body, key, value)
    {
        if (strcmp(key, "name") != 0 && strcmp(key, "config") != 0 &&
            strcmp(key, "initial_state") != 0) {
            return key;
        }
    }
    return NULL;
}

static void create(struct connect_job *job)
{
    json_t *body = json_loadb(job->body.data, job->body.len, 0, NULL);
    const char *unknown = json_is_object(body) ? unknown_member(body) : NULL;
    enum connector_put kind = CONNECTOR_CREATE;
    const json_t *config = json_object_get(body, "config");
    const json_t *name = json_object_get(body, "name");
    struct bytes text = { json_string_value(name), json_string_length(name) };

    if (!json_is_object(body)) {
        connect_answer_error(job, 400, bytes_of("The body is not a JSON object"));
    } else if (!json_is_object(config)) {
        connect_answer_error(job, 400, bytes_of("The body has no object \"config\""));
    } else if (!json_is_string(name) || text.len == 0) {
        connect_answer_error(job, 400, bytes_of("The body has no text \"name\""));
    } else if (unknown) {
        connect_answer_error(
            job, 400,
            arena_printf(&job->arena,
                         "The body has \"%s\" beside \"name\", \"config\" and \"initial_state\"",
                         unknown));
    } else if (!read_initial(body, &kind)) {
        connect_answer_error(job, 400,
                             bytes_of("\"initial_state\" is one of RUNNING, PAUSED and STOPPED"));
    } else {
        put(job, config, arena_copy(&job->arena, text), kind, 201);
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
        bool is_there = exists(job);

        keep_hidden(job, config);
        put(job, config, job->parts[0], is_there ? CONNECTOR_REPLACE : CONNECTOR_CREATE,
            is_there ? 200 : 201);
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

/* All of them begin anew: that changes nothing for the others. */
static void restart_task(struct connect_job *job)
{
    struct found found;
    uint32_t task = 0;

    if (find_task(job, "Unknown task:", &found, &task)) {
        control(job, CONNECTOR_RESTART, 204, "Unknown connector: @");
    }
}

/* What begins anew in a moment. */
static void mark_restarting(struct connect_job *job, struct connector_status *status,
                            bool with_tasks, bool only_failed)
{
    struct connector_task_status *tasks =
        arena_array(&job->arena, struct connector_task_status, status->task_count);

    for (uint32_t i = 0; i < status->task_count; i++) {
        bool has_failed = strcmp(status->tasks[i].state, "FAILED") == 0;

        tasks[i] = status->tasks[i];
        if (with_tasks && (has_failed || !only_failed)) {
            tasks[i] = (struct connector_task_status){ .state = "RESTARTING" };
        }
    }
    status->tasks = tasks;
    status->state = only_failed ? status->state : "RESTARTING";
}

static void restart_it(struct connect_job *job)
{
    bool with_tasks = asks(job, "includeTasks=true");
    bool only_failed = asks(job, "onlyFailed=true");
    struct error err = { 0 };
    struct found found;

    if (!with_tasks && !only_failed) {
        control(job, CONNECTOR_RESTART, 204, "Unknown connector: @");
    } else if (find(job, "Unknown connector: @", &found)) {
        if (engine_control_connector(job->api->engine, job->parts[0], CONNECTOR_RESTART, &err)) {
            answer_failure(job, &err);
            return;
        }
        mark_restarting(job, &found.status, with_tasks, only_failed);
        connect_answer(job, 202, connect_status(&found.status));
    }
}

/* --- the table --- */

static const struct call {
    const char *method;
    const char *path; /* "*" stands for any part */
    void (*run)(struct connect_job *job);
} calls[] = {
    { "GET", "/connectors", list },
    { "POST", "/connectors", create },
    { "GET", "/connectors/*", get_info },
    { "DELETE", "/connectors/*", drop },
    { "GET", "/connectors/*/config", get_config },
    { "PUT", "/connectors/*/config", put_config },
    { "PATCH", "/connectors/*/config", patch_config },
    { "GET", "/connectors/*/status", get_status },
    { "GET", "/connectors/*/tasks", get_tasks },
    { "GET", "/connectors/*/tasks/*/status", get_task_status },
    { "POST", "/connectors/*/tasks/*/restart", restart_task },
    { "GET", "/connectors/*/topics", get_topics },
    { "PUT", "/connectors/*/topics/reset", reset_topics },
    { "GET", "/connectors/*/offsets", connect_get_offsets },
    { "PATCH", "/connectors/*/offsets", connect_patch_offsets },
    { "DELETE", "/connectors/*/offsets", connect_delete_offsets },
    { "PUT", "/connectors/*/pause", pause_it },
    { "PUT", "/connectors/*/resume", resume_it },
    { "PUT", "/connectors/*/stop", stop_it },
    { "POST", "/connectors/*/restart", restart_it },
    { "GET", "/", tell_worker },
    { "GET", "/health", tell_health },
    { "GET", "/connector-plugins", connect_list_plugins },
    { "GET", "/connector-plugins/*/config", connect_describe_plugin },
    { "PUT", "/connector-plugins/*/config/validate", connect_validate_plugin },
};

/* The next part of a pattern; it moves on behind it. */
static struct bytes next_part(const char **path)
{
    struct bytes part = { *path, strcspn(*path + 1, "/") + 1 };

    *path += part.len;
    return part;
}

static bool is_path(const struct connect_job *job, const char *path)
{
    bool same = bytes_equal(job->root, next_part(&path));

    for (uint32_t i = 0; same && i < job->part_count; i++) {
        struct bytes part = *path ? next_part(&path) : (struct bytes){ NULL, 0 };

        same = bytes_equal_text(part, "/*") ||
               (part.len > 0 &&
                bytes_equal((struct bytes){ part.data + 1, part.len - 1 }, job->parts[i]));
    }
    return same && !*path;
}

void connect_run(struct connect_job *job)
{
    bool knows_path = false;

    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        if (!is_path(job, calls[i].path)) {
            continue;
        }
        knows_path = true;
        if (bytes_equal_text(job->method, calls[i].method) && !job->takes_json) {
            connect_answer_error(job, 415, bytes_of("HTTP 415 Unsupported Media Type"));
            return;
        }
        if (bytes_equal_text(job->method, calls[i].method)) {
            calls[i].run(job);
            return;
        }
    }
    connect_answer_error(
        job, knows_path ? 405 : 404,
        bytes_of(knows_path ? "HTTP 405 Method Not Allowed" : "HTTP 404 Not Found"));
}
