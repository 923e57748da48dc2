/*
 * cluster.c: GET /clusterStatus: the service's nodes and what they run; POST /heartbeat and /lag
 * (rest-api.md 2.1).
 *
 * ksqlDB's nodes tell each other that they are alive and how far they have come. Ours are members
 * of a group that says who is there and what belongs to whom, so nobody has to send anything:
 * messages of that kind are checked and not needed. A store's owner has all of its changelog in
 * memory whenever it runs, so the lag of an active store is 0, and there are no standbys.
 */
#include <string.h>

#include <jansson.h>

#include "cli/http/ksql/api_internal.h"
#include "engine/runtime/runtime.h"

static const enum media offered[] = { MEDIA_KSQL, MEDIA_JSON };

/* --- the status --- */

/* host:port of a node that goes by its URL. */
static struct bytes host_of(struct bytes client_id)
{
    for (size_t i = 0; i + 3 <= client_id.len; i++) {
        if (memcmp(client_id.data + i, "://", 3) == 0) {
            client_id = (struct bytes){ client_id.data + i + 3, client_id.len - i - 3 };
            break;
        }
    }
    while (client_id.len > 0 && client_id.data[client_id.len - 1] == '/') {
        client_id.len--;
    }
    return client_id;
}

static void print_partitions(struct buffer *out, const struct cluster_query *query)
{
    buffer_append_text(out, ",\"activePartitions\":[");
    for (uint32_t i = 0; i < query->partition_count; i++) {
        buffer_printf(out, "%s{\"topic\":", i ? "," : "");
        print_quoted(out, query->partitions[i].topic);
        buffer_printf(out, ",\"partition\":%u}", query->partitions[i].partition);
    }
    buffer_append_char(out, ']');
}

/* Whether another partition of that store came before. */
static bool is_repeated(const struct cluster_query *query, uint32_t at)
{
    for (uint32_t i = 0; i < at; i++) {
        if (bytes_equal(query->stores[i].name, query->stores[at].name)) {
            return true;
        }
    }
    return false;
}

static void print_query_part(struct buffer *out, const struct cluster_query *query)
{
    bool any = false;

    print_quoted(out, query->id);
    buffer_append_text(out, ":{\"activeStores\":[");
    for (uint32_t i = 0; i < query->store_count; i++) {
        if (!is_repeated(query, i)) {
            buffer_append_text(out, any ? "," : "");
            print_quoted(out, query->stores[i].name);
            any = true;
        }
    }
    buffer_append_char(out, ']');
    print_partitions(out, query);
    buffer_append_text(out, ",\"standByStores\":[],\"standByPartitions\":[]}");
}

static void print_store(struct buffer *out, const struct cluster_query *query, uint32_t first)
{
    uint32_t size = 0;

    text_print_json(query->id, out);
    out->len--; /* the quote: the name goes on */
    buffer_printf(out, "#%.*s\":{\"lagByPartition\":{", BYTES_ARG(query->stores[first].name));
    for (uint32_t i = first; i < query->store_count; i++) {
        const struct cluster_store *store = &query->stores[i];

        if (bytes_equal(store->name, query->stores[first].name)) {
            buffer_printf(out,
                          "%s\"%u\":{\"currentOffsetPosition\":%lld,\"endOffsetPosition\":%lld,"
                          "\"offsetLag\":0}",
                          size > 0 ? "," : "", store->partition, (long long)store->end,
                          (long long)store->end);
            size++;
        }
    }
    buffer_printf(out, "},\"size\":%u}", size);
}

static void print_lags(struct buffer *out, const struct cluster_node *node, int64_t now_ms)
{
    bool any = false;

    buffer_append_text(out, ",\"hostStoreLags\":{\"stateStoreLags\":{");
    for (uint32_t q = 0; q < node->query_count; q++) {
        for (uint32_t i = 0; i < node->queries[q].store_count; i++) {
            if (!is_repeated(&node->queries[q], i)) {
                buffer_append_text(out, any ? "," : "");
                print_store(out, &node->queries[q], i);
                any = true;
            }
        }
    }
    buffer_printf(out, "},\"updateTimeMs\":%lld}", (long long)now_ms);
}

static void print_node(struct buffer *out, const struct cluster_node *node, int64_t now_ms)
{
    print_quoted(out, host_of(node->client_id));
    buffer_printf(out, ":{\"hostAlive\":true,\"lastStatusUpdateMs\":%lld", (long long)now_ms);
    buffer_append_text(out, ",\"activeStandbyPerQuery\":{");
    for (uint32_t i = 0; i < node->query_count; i++) {
        buffer_append_text(out, i ? "," : "");
        print_query_part(out, &node->queries[i]);
    }
    buffer_append_char(out, '}');
    print_lags(out, node, now_ms);
    buffer_append_char(out, '}');
}

static void run_status(struct ksql_job *job)
{
    const struct bytes no_statement = { NULL, 0 };
    struct cluster_node *nodes = NULL;
    struct buffer body = { 0 };
    struct error err = { 0 };
    struct api_error error;
    uint32_t count = 0;
    int64_t now_ms = engine_now_ms(job->api->engine);

    if (runtime_list_nodes(engine_runtime(job->api->engine), &job->arena, &nodes, &count, &err)) {
        error = error_entity_of(&err, no_statement, &job->arena);
        error_entity_reply(job->reply, &error);
        return;
    }
    buffer_append_text(&body, "{\"clusterStatus\":{");
    for (uint32_t i = 0; i < count; i++) {
        buffer_append_text(&body, i ? "," : "");
        print_node(&body, &nodes[i], now_ms);
    }
    buffer_append_text(&body, "}}");
    reply_respond(job->reply, 200, media_name(MEDIA_JSON), buffer_bytes(&body));
    buffer_fini(&body);
}

/* --- what ksqlDB's nodes tell each other --- */

/* NULL: the message is one; else what is wrong. */
static const char *find_fault(json_t *message, bool is_lag)
{
    const char *host = is_lag ? "ksqlHost" : "hostInfo";

    if (!json_is_object(message)) {
        return "Invalid JSON in request: the body is not an object";
    }
    if (!json_is_string(json_object_get(message, host))) {
        return is_lag ? "Invalid JSON in request: ksqlHost is missing, or no text"
                      : "Invalid JSON in request: hostInfo is missing, or no text";
    }
    if (is_lag && !json_is_object(json_object_get(message, "hostStoreLags"))) {
        return "Invalid JSON in request: hostStoreLags is missing, or no map";
    }
    if (!is_lag && !json_is_integer(json_object_get(message, "timestamp"))) {
        return "Invalid JSON in request: timestamp is missing, or no whole number";
    }
    return NULL;
}

static void take_message(struct exchange *exchange, struct bytes body)
{
    json_t *message = json_loadb(body.data, body.len, 0, NULL);
    const char *fault = find_fault(message, bytes_equal_text(exchange->path, "/lag"));
    struct api_error error;

    json_decref(message);
    if (fault) {
        error = error_entity_make(400, 40000, bytes_of(fault));
        error_entity_respond(exchange, &error);
    } else {
        exchange_respond(exchange, 200, media_name(MEDIA_JSON), bytes_of("{\"isOk\":true}"));
    }
}

/* --- the routes --- */

static bool is_on(const struct ksql_api *api, struct bytes path)
{
    return bytes_equal_text(path, "/lag") ? api->has_lag : api->has_heartbeat;
}

/* Nodes talk to each other where clients cannot reach, if that is configured. */
static void answer_internal(struct exchange *exchange)
{
    const struct api_error error =
        error_entity_make(400, 50000, bytes_of("This route is for the internal listener alone"));

    error_entity_respond(exchange, &error);
}

static void complete(struct exchange *exchange, struct bytes body)
{
    struct ksql_api *api = exchange->context;
    const struct job_spec spec = { .offered = offered,
                                   .offered_count = sizeof offered / sizeof offered[0],
                                   .usual = MEDIA_JSON,
                                   .lane = &api->queries,
                                   .run = run_status };

    if (api->has_internal_listener && !bytes_equal_text(exchange->path, "/clusterStatus")) {
        answer_internal(exchange);
    } else if (!is_on(api, exchange->path) ||
               media_choose(exchange_find_header(exchange, "accept"), offered, spec.offered_count,
                            MEDIA_JSON) == MEDIA_NONE) {
        exchange_respond(exchange, 404, "text/plain", bytes_of("Not Found"));
    } else if (bytes_equal_text(exchange->path, "/clusterStatus")) {
        job_submit(exchange, api, &spec, body);
    } else {
        take_message(exchange, body);
    }
}

void cluster_open(struct exchange *exchange, void *context)
{
    exchange->context = context;
    exchange_gather(exchange, complete);
}
