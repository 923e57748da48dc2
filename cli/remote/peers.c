/*
 * peers.c: a pull query goes to another node as a request to /query with the partitions to look
 * into, marked as not to be passed on (rest-api.md 2.2); rows come back typed (peer_rows.h).
 *
 * Clients, with the connections that they keep, wait in a list between two requests.
 */
#include "cli/remote/peers.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/http_client.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "cli/output.h"
#include "cli/remote/peer_rows.h"
#include "cli/remote/remote_entities.h"
#include "cli/version.h"
#include "engine/command/properties.h"

enum { IDLE_MAX = 8, CONNECT_TIMEOUT_MS = 3000 };

struct peers {
    struct peer_host host;
    pthread_mutex_t mutex; /* the two below */
    struct http_client *idle[IDLE_MAX];
    uint32_t idle_count;
};

/* --- clients --- */

static int take_client(struct peers *peers, struct http_client **out, struct error *err)
{
    const struct http_client_config config = { .user_agent = "sluice/" SLUICE_VERSION,
                                               .connect_timeout_ms = CONNECT_TIMEOUT_MS };

    *out = NULL;
    pthread_mutex_lock(&peers->mutex);
    if (peers->idle_count > 0) {
        *out = peers->idle[--peers->idle_count];
    }
    pthread_mutex_unlock(&peers->mutex);
    return *out ? 0 : http_client_create(&config, out, err);
}

static void give_client(struct peers *peers, struct http_client *client)
{
    pthread_mutex_lock(&peers->mutex);
    if (peers->idle_count < IDLE_MAX) {
        peers->idle[peers->idle_count++] = client;
        client = NULL;
    }
    pthread_mutex_unlock(&peers->mutex);
    if (client) {
        http_client_destroy(client);
    }
}

/* --- a request --- */

static void print_request(const struct peer_pull *pull, struct buffer *out)
{
    buffer_append_text(out, "{\"ksql\":");
    text_print_json(pull->sql, out);
    buffer_append_text(out, ",\"streamsProperties\":{");
    for (uint32_t i = 0; i < pull->property_count; i++) {
        buffer_append_text(out, i ? "," : "");
        text_print_json(pull->properties[i].name, out);
        buffer_append_char(out, ':');
        text_print_json(pull->properties[i].value, out);
    }
    buffer_append_text(out, "},\"requestProperties\":{\"request.ksql.internal.request\":true,"
                            "\"request.ksql.query.pull.skip.forwarding\":true,"
                            "\"request.ksql.query.pull.partition\":\"");
    for (uint32_t i = 0; i < pull->partition_count; i++) {
        buffer_printf(out, "%s%u", i ? "," : "", pull->partitions[i]);
    }
    buffer_append_text(out, "\"}}");
}

static bool receive(void *context, struct bytes part)
{
    return peer_reader_take(context, part);
}

static int exchange(struct http_client *client, const struct http_request *request,
                    const struct peer_reader *reader, struct error *err)
{
    struct http_answer answer = { 0 };
    int code = http_client_send(client, request, &answer, err);

    if (!code && answer.status >= 400) {
        code = entity_error(buffer_bytes(&answer.body), answer.status, err);
    } else if (!code) {
        code = peer_reader_finish(reader, err);
    }
    http_answer_fini(&answer);
    return code;
}

static int send_pull(struct peers *peers, const struct peer_pull *pull, const char *url,
                     struct error *err)
{
    struct peer_reader reader;
    struct http_request request = { .method = "POST",
                                    .url = url,
                                    .accept = PEER_MEDIA,
                                    .content_type = "application/json",
                                    .timeout_ms = pull->timeout_ms,
                                    .receive = receive,
                                    .context = &reader };
    struct http_client *client;
    struct buffer body = { 0 };
    int code;

    TRY(take_client(peers, &client, err));
    print_request(pull, &body);
    request.body = buffer_bytes(&body);
    peer_reader_init(&reader, pull->schema, pull->row, pull->context);
    code = exchange(client, &request, &reader, err);
    peer_reader_fini(&reader);
    buffer_fini(&body);
    give_client(peers, client);
    return code;
}

/* "http://host:8088/" and "http://host:8088" are one. */
static struct bytes without_slash(struct bytes url)
{
    while (url.len > 0 && url.data[url.len - 1] == '/') {
        url.len--;
    }
    return url;
}

static int ask(void *context, const struct peer_pull *pull, struct error *err)
{
    struct bytes node = without_slash(pull->node);
    struct error why = { 0 };
    struct buffer url = { 0 };
    int code;

    if (!bytes_starts_with(node, bytes_of("http"))) {
        return error_set(err, ERR_LOG_UNAVAILABLE, NO_POSITION,
                         "Part of the table is at a shell of the service, which cannot be asked; "
                         "ask again when it has ended");
    }
    buffer_printf(&url, "%.*s/query", BYTES_ARG(node));
    buffer_append_char(&url, '\0');
    code = send_pull(context, pull, url.data, &why);
    buffer_fini(&url);
    return code ? error_set(err, ERR_LOG_UNAVAILABLE, NO_POSITION,
                            "The node %.*s has part of the table: %s", BYTES_ARG(node), why.message)
                : 0;
}

/* --- life --- */

struct peers *peers_create(void)
{
    struct peers *peers = memory_zalloc(1, sizeof *peers);

    peers->host = (struct peer_host){ .pull = ask, .context = peers };
    pthread_mutex_init(&peers->mutex, NULL);
    return peers;
}

void peers_destroy(struct peers *peers)
{
    if (!peers) {
        return;
    }
    for (uint32_t i = 0; i < peers->idle_count; i++) {
        http_client_destroy(peers->idle[i]);
    }
    pthread_mutex_destroy(&peers->mutex);
    free(peers);
}

const struct peer_host *peers_interface(struct peers *peers)
{
    return &peers->host;
}
