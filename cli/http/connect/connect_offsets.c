/*
 * connect_offsets.c: how far a connector has come: told, set, and forgotten.
 */
#include "cli/http/connect/connect_internal.h"

static void answer_failure(struct connect_job *job, const struct error *err)
{
    int status = err->code == ERR_UNKNOWN_CONNECTOR             ? 404
                 : error_class_of(err->code) == ERROR_STATEMENT ? 400
                                                                : 500;

    connect_answer_error(job, status,
                         status == 404 ? arena_printf(&job->arena, "Connector %.*s not found",
                                                      BYTES_ARG(job->parts[0]))
                                       : bytes_of(err->message));
}

static json_t *offset_json(const struct connector_offset *at)
{
    json_t *object = json_object();
    json_t *partition = json_object();
    json_t *offset = json_object();

    json_object_set_new(partition, "kafka_topic", connect_text(at->topic));
    json_object_set_new(partition, "kafka_partition", json_integer(at->partition));
    json_object_set_new(offset, "kafka_offset", json_integer(at->offset));
    json_object_set_new(object, "partition", partition);
    json_object_set_new(object, "offset", offset);
    return object;
}

void connect_get_offsets(struct connect_job *job)
{
    struct connector_offset *offsets = NULL;
    uint32_t count = 0;
    struct error err = { 0 };
    json_t *body;
    json_t *list;

    if (engine_read_connector_offsets(job->api->engine, job->parts[0], &job->arena, &offsets,
                                      &count, &err)) {
        answer_failure(job, &err);
        return;
    }
    body = json_object();
    list = json_array();
    for (uint32_t i = 0; i < count; i++) {
        json_array_append_new(list, offset_json(&offsets[i]));
    }
    json_object_set_new(body, "offsets", list);
    connect_answer(job, 200, body);
}

/* Its text is borrowed from the JSON. A null offset is forgotten. */
static bool read_offset(const json_t *item, struct connector_offset *out)
{
    const json_t *partition = json_object_get(item, "partition");
    const json_t *topic = json_object_get(partition, "kafka_topic");
    const json_t *number = json_object_get(partition, "kafka_partition");
    const json_t *offset = json_object_get(item, "offset");
    const json_t *to = json_object_get(offset, "kafka_offset");

    if (!json_is_string(topic) || !json_is_integer(number) || json_integer_value(number) < 0 ||
        json_integer_value(number) > INT32_MAX) {
        return false;
    }
    *out =
        (struct connector_offset){ .topic = { json_string_value(topic), json_string_length(topic) },
                                   .partition = (uint32_t)json_integer_value(number),
                                   .offset = json_is_integer(to) ? json_integer_value(to) : -1 };
    return json_is_null(offset) || (json_is_integer(to) && out->offset >= 0);
}

static void write_offsets(struct connect_job *job, const struct connector_offset *offsets,
                          uint32_t count, const char *message)
{
    struct error err = { 0 };
    json_t *body;

    if (engine_write_connector_offsets(job->api->engine, job->parts[0], offsets, count, &err)) {
        answer_failure(job, &err);
        return;
    }
    body = json_object();
    json_object_set_new(body, "message", json_string(message));
    connect_answer(job, 200, body);
}

void connect_patch_offsets(struct connect_job *job)
{
    json_t *body = json_loadb(job->body.data, job->body.len, 0, NULL);
    const json_t *list = json_object_get(body, "offsets");
    uint32_t count = (uint32_t)json_array_size(list);
    struct connector_offset *offsets = arena_array(&job->arena, struct connector_offset, count);
    bool good = count > 0;

    for (uint32_t i = 0; good && i < count; i++) {
        good = read_offset(json_array_get(list, i), &offsets[i]);
    }
    if (good) {
        write_offsets(job, offsets, count,
                      "The offsets for this connector have been altered successfully");
    } else {
        connect_answer_error(
            job, 400,
            bytes_of("The body is not {\"offsets\":[{\"partition\":{\"kafka_topic\":TEXT,"
                     "\"kafka_partition\":NUMBER},\"offset\":{\"kafka_offset\":NUMBER}}]}"));
    }
    json_decref(body);
}

void connect_delete_offsets(struct connect_job *job)
{
    write_offsets(job, NULL, 0, "The offsets for this connector have been reset successfully");
}
