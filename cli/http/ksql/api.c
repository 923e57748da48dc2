/*
 * api.c: the life of the API, and its threads.
 */
#include "cli/http/ksql/api.h"

#include <stdlib.h>

#include "base/memory.h"
#include "cli/http/ksql/api_internal.h"
#include "engine/type/java_text.h"

enum { PULL_THREADS = 32, PUSH_MAX = 10000 };

static int64_t number_of(struct ksql_api *api, const char *name)
{
    struct bytes text = engine_get_property(api->engine, name, &api->arena);
    int64_t number = 0;

    return java_long_parse(text, &number, NULL) || number < 0 ? 0 : number;
}

static uint32_t query_threads(struct ksql_api *api)
{
    int64_t count = number_of(api, "ksql.max.push.queries");

    return PULL_THREADS + (uint32_t)(count < PUSH_MAX ? count : PUSH_MAX);
}

/* The advertised listener, or else the first one, without scheme and path. */
static struct bytes find_host(struct ksql_api *api)
{
    struct bytes url = engine_get_property(api->engine, "ksql.advertised.listener", &api->arena);
    struct bytes scheme = bytes_of("http://");
    size_t len = 0;

    if (!url.data) {
        url = engine_get_property(api->engine, "listeners", &api->arena);
    }
    if (bytes_starts_with(url, scheme)) {
        url = (struct bytes){ url.data + scheme.len, url.len - scheme.len };
    }
    while (len < url.len && url.data[len] != ',' && url.data[len] != '/') {
        len++;
    }
    return (struct bytes){ url.data, len };
}

static bool is_set(struct ksql_api *api, const char *name)
{
    return bytes_equal_text_nocase(engine_get_property(api->engine, name, &api->arena), "true");
}

static void init_limits(struct ksql_api *api)
{
    const struct limits_spec spec = {
        .commands_per_second = number_of(api, "ksql.server.command.topic.rate.limit"),
        .pulls_per_second = number_of(api, "ksql.query.pull.max.qps"),
        .pulls_most = number_of(api, "ksql.query.pull.max.concurrent.requests"),
        .megabytes_per_hour = number_of(api, "ksql.query.pull.max.hourly.bandwidth.megabytes"),
    };

    limits_init(&api->limits, &spec, engine_now_ms(api->engine));
}

struct ksql_api *ksql_api_create(struct engine *engine)
{
    struct ksql_api *api = memory_zalloc(1, sizeof *api);

    api->engine = engine;
    arena_init(&api->arena, 0);
    pthread_mutex_init(&api->mutex, NULL);
    lane_init(&api->commands, 1);
    lane_init(&api->queries, query_threads(api));
    api->service_id = engine_get_property(engine, "ksql.service.id", &api->arena);
    api->cluster_id = engine_cluster_id(engine, &api->arena);
    api->host = find_host(api);
    api->has_heartbeat = is_set(api, "ksql.heartbeat.enable");
    api->has_internal_listener =
        engine_get_property(engine, "ksql.internal.listener", &api->arena).len > 0;
    api->response_timeout_ms = number_of(api, "ksql.server.command.response.timeout.ms");
    api->cors_origins = engine_get_property(engine, "access.control.allow.origin", &api->arena);
    api->cors_methods = engine_get_property(engine, "access.control.allow.methods", &api->arena);
    api->cors_headers = engine_get_property(engine, "access.control.allow.headers", &api->arena);
    init_limits(api);
    api->has_lag = is_set(api, "ksql.lag.reporting.enable");
    return api;
}

void ksql_api_start(struct ksql_api *api, struct letterbox *letterbox)
{
    api->letterbox = letterbox;
}

bool api_is_stopping(struct ksql_api *api)
{
    bool is_stopping;

    pthread_mutex_lock(&api->mutex);
    is_stopping = api->is_stopping;
    pthread_mutex_unlock(&api->mutex);
    return is_stopping;
}

static void end_active(struct active_query *active)
{
    if (active->session) {
        session_cancel(active->session);
    }
    if (active->inserts) {
        reply_stop_reading(active->inserts);
    }
}

void active_enlist(struct ksql_api *api, struct active_query *active)
{
    pthread_mutex_lock(&api->mutex);
    active->next = api->active;
    api->active = active;
    if (api->is_stopping || api->is_terminated) {
        end_active(active);
    }
    pthread_mutex_unlock(&api->mutex);
}

void active_delist(struct ksql_api *api, struct active_query *active)
{
    struct active_query **at = &api->active;

    pthread_mutex_lock(&api->mutex);
    while (*at != active) {
        at = &(*at)->next;
    }
    *at = active->next;
    pthread_mutex_unlock(&api->mutex);
}

static void end_all(struct ksql_api *api)
{
    for (struct active_query *active = api->active; active; active = active->next) {
        end_active(active);
    }
}

void ksql_api_stop(struct ksql_api *api)
{
    pthread_mutex_lock(&api->mutex);
    api->is_stopping = true;
    end_all(api);
    pthread_mutex_unlock(&api->mutex);
}

void api_terminate(struct ksql_api *api)
{
    pthread_mutex_lock(&api->mutex);
    api->is_terminated = true;
    end_all(api);
    pthread_mutex_unlock(&api->mutex);
}

bool api_check_state(struct ksql_api *api, struct api_error *out)
{
    bool is_terminated;

    if (api_is_stopping(api)) {
        *out = error_entity_make(503, 50303, bytes_of("The server is stopping"));
        return false;
    }
    pthread_mutex_lock(&api->mutex);
    is_terminated = api->is_terminated;
    pthread_mutex_unlock(&api->mutex);
    if (is_terminated) {
        *out = error_entity_make(503, 50304,
                                 bytes_of("The cluster has been terminated: this server takes no "
                                          "more requests until it is started anew"));
    }
    return !is_terminated;
}

void ksql_api_destroy(struct ksql_api *api)
{
    if (!api) {
        return;
    }
    lane_fini(&api->queries);
    lane_fini(&api->commands);
    arena_fini(&api->arena);
    limits_fini(&api->limits);
    pthread_mutex_destroy(&api->mutex);
    free(api);
}
