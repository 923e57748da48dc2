/*
 * terminate.c: POST /ksql/terminate: the end of all that the service has made (rest-api.md 2.7).
 * Afterwards this server refuses everything until it is started anew.
 */
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/memory.h"
#include "cli/http/ksql/api_internal.h"

static const enum media offered[] = { MEDIA_KSQL, MEDIA_JSON };

struct pattern_list {
    regex_t *items;
    size_t count;
};

static void fini_patterns(struct pattern_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        regfree(&list->items[i]);
    }
    free(list->items);
}

/* It has to be the whole name. */
static bool compile(struct arena *arena, const char *text, regex_t *out)
{
    const char *whole = arena_printf(arena, "^(%s)$", text).data;

    return regcomp(out, whole, REG_EXTENDED | REG_NOSUB) == 0;
}

static bool is_wanted(const void *context, struct bytes topic)
{
    const struct pattern_list *list = context;
    char name[256];

    if (topic.len >= sizeof name) {
        return false;
    }
    memcpy(name, topic.data, topic.len);
    name[topic.len] = '\0';
    for (size_t i = 0; i < list->count; i++) {
        if (regexec(&list->items[i], name, 0, NULL, 0) == 0) {
            return true;
        }
    }
    return false;
}

static int wrong(struct error *err, const char *what)
{
    return error_set(err, ERR_SYNTAX, NO_POSITION, "Invalid JSON in request: %s", what);
}

static int read_patterns(json_t *body, struct arena *arena, struct pattern_list *out,
                         struct error *err)
{
    json_t *list = json_object_get(body, "deleteTopicList");
    json_t *item;
    size_t i;

    if (!json_is_object(body)) {
        return wrong(err, "the body is not an object");
    }
    if (list && !json_is_null(list) && !json_is_array(list)) {
        return wrong(err, "deleteTopicList is no list");
    }
    out->items = memory_zalloc(json_array_size(list) + 1, sizeof *out->items);
    json_array_foreach(list, i, item)
    {
        if (!json_is_string(item)) {
            return wrong(err, "a member of deleteTopicList is no text");
        }
        if (!compile(arena, json_string_value(item), &out->items[i])) {
            return error_set(err, ERR_SYNTAX, NO_POSITION,
                             "'%s' in deleteTopicList is no regular expression",
                             json_string_value(item));
        }
        out->count++;
    }
    return 0;
}

static void respond(struct ksql_job *job)
{
    static const char answer[] =
        "[{\"@type\":\"currentStatus\",\"statementText\":\"TERMINATE CLUSTER;\",\"commandId\":"
        "\"cluster/TerminateCluster/terminate\",\"commandStatus\":{\"status\":\"SUCCESS\","
        "\"message\":\"Everything is terminated; the server takes no more requests\",\"queryId\":"
        "null},\"commandSequenceNumber\":-1,\"warnings\":[]}]";

    reply_respond(job->reply, 200, media_name(MEDIA_JSON), bytes_of(answer));
}

static void run_terminate_job(struct ksql_job *job)
{
    const struct bytes no_statement = { NULL, 0 };
    json_t *body = json_loadb(job->body.data, job->body.len, 0, NULL);
    struct pattern_list patterns = { NULL, 0 };
    struct error err = { 0 };
    struct api_error error;

    if (read_patterns(body, &job->arena, &patterns, &err)) {
        error = error_entity_of(&err, no_statement, &job->arena);
        error_entity_reply(job->reply, &error);
    } else if (engine_clear(job->api->engine, is_wanted, &patterns, &err)) {
        error = error_entity_of(&err, bytes_of("TERMINATE CLUSTER;"), &job->arena);
        error_entity_reply(job->reply, &error);
    } else {
        api_terminate(job->api);
        respond(job);
    }
    fini_patterns(&patterns);
    json_decref(body);
}

static void complete(struct exchange *exchange, struct bytes body)
{
    struct ksql_api *api = exchange->context;
    const struct job_spec spec = { .offered = offered,
                                   .offered_count = sizeof offered / sizeof offered[0],
                                   .usual = MEDIA_JSON,
                                   .lane = &api->commands,
                                   .run = run_terminate_job };

    job_submit(exchange, api, &spec, body);
}

void terminate_open(struct exchange *exchange, void *context)
{
    exchange->context = context;
    exchange_gather(exchange, complete);
}
