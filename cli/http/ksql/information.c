/*
 * information.c: routes that tell about the server; answered on the loop at once.
 */
#include "cli/http/connect/connect.h"
#include "cli/http/ksql/api_internal.h"
#include "cli/version.h"

/* Clients compare it: the level of ksqlDB whose behaviour this is. */
static const char ksqldb_version[] = "8.0.0";

static const enum media offered[] = { MEDIA_KSQL, MEDIA_JSON };

/* False: there is no answer now, or none that the client takes, and it was told so. */
static bool accepts(struct exchange *exchange)
{
    struct api_error error;

    if (!api_check_state(exchange->context, &error)) {
        error_entity_respond(exchange, &error);
        return false;
    }
    if (media_choose(exchange_find_header(exchange, "accept"), offered, 2, MEDIA_JSON) !=
        MEDIA_NONE) {
        return true;
    }
    exchange_respond(exchange, 404, "text/plain", bytes_of("Not Found"));
    return false;
}

static void respond(struct exchange *exchange, struct buffer *text)
{
    exchange_respond(exchange, 200, media_name(MEDIA_JSON), buffer_bytes(text));
    buffer_fini(text);
}

static void complete_root(struct exchange *exchange, struct bytes body)
{
    exchange_redirect(exchange, "/info");
}

static void complete_info(struct exchange *exchange, struct bytes body)
{
    struct ksql_api *api = exchange->context;
    struct buffer text = { 0 };

    if (!accepts(exchange)) {
        return;
    }
    buffer_printf(&text, "{\"KsqlServerInfo\":{\"version\":\"%s\"", ksqldb_version);
    print_text(&text, "kafkaClusterId", api->cluster_id);
    print_text(&text, "ksqlServiceId", api->service_id);
    print_text(&text, "serverStatus", bytes_of("RUNNING"));
    print_text(&text, "sluiceVersion", bytes_of(SLUICE_VERSION));
    buffer_append_text(&text, "}}");
    respond(exchange, &text);
}

static void complete_health(struct exchange *exchange, struct bytes body)
{
    if (accepts(exchange)) {
        exchange_respond(exchange, 200, media_name(MEDIA_JSON),
                         bytes_of("{\"isHealthy\":true,\"details\":{\"metastore\":{\"isHealthy\":"
                                  "true},\"kafka\":{\"isHealthy\":true},\"commandRunner\":{"
                                  "\"isHealthy\":true}},\"serverState\":\"READY\"}"));
    }
}

static void print_cluster(struct buffer *out, const struct ksql_api *api)
{
    buffer_append_text(out, "{\"id\":\"\",\"scope\":{\"path\":[],\"clusters\":{"
                            "\"kafka-cluster\":");
    print_quoted(out, api->cluster_id);
    print_text(out, "ksql-cluster", api->service_id);
    buffer_append_text(out, "}}}");
}

static void complete_metadata(struct exchange *exchange, struct bytes body)
{
    struct buffer text = { 0 };

    if (!accepts(exchange)) {
        return;
    }
    buffer_printf(&text, "{\"version\":\"%s\",\"clusterId\":", ksqldb_version);
    print_cluster(&text, exchange->context);
    buffer_append_char(&text, '}');
    respond(exchange, &text);
}

static void complete_metadata_id(struct exchange *exchange, struct bytes body)
{
    struct buffer text = { 0 };

    if (accepts(exchange)) {
        print_cluster(&text, exchange->context);
        respond(exchange, &text);
    }
}

static void complete_alive(struct exchange *exchange, struct bytes body)
{
    exchange_respond(exchange, 200, media_name(MEDIA_JSON), bytes_of("{}"));
}

/* --- properties --- */

/* The name is in the place of the body. */
static void run_property(struct ksql_job *job)
{
    const struct bytes no_statement = { NULL, 0 };
    struct session *session = session_create(job->api->engine);
    struct error err = { 0 };
    struct api_error error;

    if (session_check_property(session, job->body, &err)) {
        error = error_entity_of(&err, no_statement, &job->arena);
        error_entity_reply(job->reply, &error);
    } else {
        reply_respond(job->reply, 200, media_name(MEDIA_JSON), bytes_of("true"));
    }
    session_destroy(session);
}

static void complete_property(struct exchange *exchange, struct bytes body)
{
    struct ksql_api *api = exchange->context;
    const struct job_spec spec = { .offered = offered,
                                   .offered_count = sizeof offered / sizeof offered[0],
                                   .usual = MEDIA_JSON,
                                   .lane = &api->queries,
                                   .run = run_property };

    job_submit(exchange, api, &spec, router_rest(exchange, "/is_valid_property/*"));
}

/* --- what is known and not built --- */

static void complete_websocket(struct exchange *exchange, struct bytes body)
{
    const struct api_error error =
        error_entity_make(400, 40000,
                          bytes_of("WebSocket is not built yet; POST /query-stream "
                                   "streams rows over HTTP"));

    error_entity_respond(exchange, &error);
}

/* --- commands --- */

static void complete_statuses(struct exchange *exchange, struct bytes body)
{
    struct ksql_api *api = exchange->context;
    struct command_outcome *outcomes = NULL;
    struct buffer text = { 0 };
    struct arena arena;
    uint32_t count;

    if (!accepts(exchange)) {
        return;
    }
    arena_init(&arena, 0);
    count = engine_list_outcomes(api->engine, &arena, &outcomes);
    buffer_append_text(&text, "{\"commandStatuses\":{");
    for (uint32_t i = 0; i < count; i++) {
        buffer_append_text(&text, i ? "," : "");
        print_quoted(&text, outcomes[i].id);
        buffer_printf(&text, ":\"%s\"", outcomes[i].status);
    }
    buffer_append_text(&text, "}}");
    arena_fini(&arena);
    respond(exchange, &text);
}

static bool print_status(struct ksql_api *api, struct bytes id, struct buffer *out)
{
    struct command_outcome outcome;
    struct arena arena;
    bool found;

    arena_init(&arena, 0);
    found = engine_find_outcome(api->engine, id, &arena, &outcome);
    if (found) {
        buffer_printf(out, "{\"status\":\"%s\"", outcome.status);
        print_text(out, "message", outcome.message);
        print_text(out, "queryId", outcome.query_id);
        buffer_append_char(out, '}');
    }
    arena_fini(&arena);
    return found;
}

static void complete_status(struct exchange *exchange, struct bytes body)
{
    struct bytes id = router_rest(exchange, "/status/*");
    const struct api_error unknown = error_entity_make(404, 40400, bytes_of("Command not found"));
    struct buffer text = { 0 };

    if (!accepts(exchange)) {
        return;
    }
    if (print_status(exchange->context, id, &text)) {
        respond(exchange, &text);
    } else {
        error_entity_respond(exchange, &unknown);
    }
}

/* --- the routes --- */

#define INFORMATION(name)                                             \
    static void open_##name(struct exchange *exchange, void *context) \
    {                                                                 \
        exchange->context = context;                                  \
        exchange_gather(exchange, complete_##name);                   \
    }
INFORMATION(root)
INFORMATION(info)
INFORMATION(health)
INFORMATION(metadata)
INFORMATION(metadata_id)
INFORMATION(alive)
INFORMATION(property)
INFORMATION(statuses)
INFORMATION(status)
INFORMATION(websocket)
#undef INFORMATION

#define INFORMATION_ROUTES                                                                        \
    { "GET", "/clusterStatus", cluster_open }, { "POST", "/heartbeat", cluster_open },            \
        { "POST", "/lag", cluster_open }, { "GET", "/", open_root },                              \
        { "GET", "/info", open_info }, { "GET", "/healthcheck", open_health },                    \
        { "GET", "/v1/metadata", open_metadata }, { "GET", "/v1/metadata/id", open_metadata_id }, \
        { "GET", "/chc/live", open_alive }, { "GET", "/chc/ready", open_alive },                  \
        { "GET", "/is_valid_property/*", open_property }, { "GET", "/status", open_statuses },    \
    {                                                                                             \
        "GET", "/status/*", open_status                                                           \
    }

const struct route ksql_information_routes[] = { INFORMATION_ROUTES, { NULL, NULL, NULL } };

#define CONNECT_ROUTES(method)                                                               \
    { method, "/connectors", connect_open }, { method, "/connector-plugins", connect_open }, \
        { method, "/connectors/*", connect_open },                                           \
    {                                                                                        \
        method, "/connector-plugins/*", connect_open                                         \
    }

const struct route connect_routes[] = {
    { "GET", "/", connect_open },
    { "GET", "/*", connect_open },
    { "POST", "/*", connect_open },
    { "PUT", "/*", connect_open },
    { "PATCH", "/*", connect_open },
    { "DELETE", "/*", connect_open },
    { NULL, NULL, NULL },
};

const struct route ksql_routes[] = {
    INFORMATION_ROUTES,
    { "POST", "/ksql", statements_open },
    { "POST", "/ksql/terminate", terminate_open },
    { "GET", "/ws/query", open_websocket },
    { "POST", "/query", query_open },
    { "POST", "/query-stream", query_stream_open },
    { "POST", "/close-query", close_query_open },
    { "POST", "/inserts-stream", inserts_open },
    CONNECT_ROUTES("GET"),
    CONNECT_ROUTES("POST"),
    CONNECT_ROUTES("PUT"),
    CONNECT_ROUTES("PATCH"),
    CONNECT_ROUTES("DELETE"),
    { NULL, NULL, NULL },
};
