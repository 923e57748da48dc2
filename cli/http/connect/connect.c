/*
 * connect.c: a request below /connectors or /connector-plugins becomes a job on the command thread.
 */
#include "cli/http/connect/connect.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "cli/http/connect/connect_internal.h"

static const char media_json[] = "application/json";

void connect_answer(struct connect_job *job, int status, json_t *json)
{
    char *text = json ? json_dumps(json, JSON_COMPACT | JSON_PRESERVE_ORDER) : NULL;

    reply_respond(job->reply, status, text ? media_json : NULL, bytes_of(text ? text : ""));
    free(text);
    json_decref(json);
}

void connect_answer_error(struct connect_job *job, int status, struct bytes message)
{
    json_t *json = json_object();

    json_object_set_new(json, "error_code", json_integer(status));
    json_object_set_new(json, "message", connect_text(message));
    connect_answer(job, status, json);
}

static void run(struct lane_job *lane_job)
{
    struct connect_job *job = (struct connect_job *)lane_job;

    connect_run(job);
    arena_fini(&job->arena);
    free(job);
}

/* False: the path has more parts than any call. */
static bool split_path(struct connect_job *job, struct bytes path)
{
    size_t begin = path.len > 0;

    while (begin < path.len && path.data[begin] != '/') {
        begin++;
    }
    job->root = arena_copy(&job->arena, (struct bytes){ path.data, begin });
    while (begin < path.len) {
        size_t end = ++begin; /* behind the slash */

        while (end < path.len && path.data[end] != '/') {
            end++;
        }
        if (end > begin) {
            if (job->part_count == CONNECT_PARTS_MAX) {
                return false;
            }
            job->parts[job->part_count++] =
                arena_copy(&job->arena, (struct bytes){ path.data + begin, end - begin });
        }
        begin = end;
    }
    return true;
}

/* A body of which nothing is said is taken for JSON. */
static bool takes_json(const struct exchange *exchange, struct bytes body)
{
    struct bytes type = exchange_find_header(exchange, "content-type");

    return body.len == 0 || !type.data || bytes_starts_with(type, bytes_of(media_json));
}

static void complete(struct exchange *exchange, struct bytes body)
{
    struct ksql_api *api = exchange->context;
    struct connect_job *job = memory_zalloc(1, sizeof *job);
    struct api_error refusal;

    arena_init(&job->arena, 0);
    job->lane.run = run;
    job->api = api;
    job->takes_json = takes_json(exchange, body);
    job->method = arena_copy(&job->arena, exchange->method);
    job->query = arena_copy(&job->arena, exchange->query);
    job->body = arena_copy(&job->arena, body);
    if (!split_path(job, exchange->path) || !api_check_state(api, &refusal)) {
        bool stops = !api_check_state(api, &refusal);

        exchange_respond(exchange, stops ? 503 : 404, media_json,
                         bytes_of(stops ? "{\"error_code\":503,\"message\":\"The server takes no "
                                          "more requests\"}"
                                        : "{\"error_code\":404,\"message\":\"Not Found\"}"));
        arena_fini(&job->arena);
        free(job);
        return;
    }
    job->reply = reply_create(exchange, api->letterbox);
    if (!lane_submit(&api->commands, &job->lane)) {
        connect_answer_error(job, 503, bytes_of("Too many requests wait already"));
        arena_fini(&job->arena);
        free(job);
    }
}

void connect_open(struct exchange *exchange, void *context)
{
    exchange->context = context;
    exchange_gather(exchange, complete);
}
