/*
 * http_client.c: libcurl's multi interface for one transfer at a time, because it can be woken.
 */
#include "base/http_client.h"

#include <curl/curl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { POLL_MS = 60000, CONNECT_TIMEOUT_MS = 10000, COLLECTED_MAX = 64 * 1024 * 1024 };

struct http_client {
    CURLM *multi;
    CURL *easy;
    struct http_client_config config;
    _Atomic bool is_cancelled;
};

/* One request on its way. */
struct exchange_state {
    struct http_client *client;
    const struct http_request *request;
    struct http_answer *answer;
    char message[CURL_ERROR_SIZE];
    bool was_ended; /* by the receiver */
};

int http_client_create(const struct http_client_config *config, struct http_client **out,
                       struct error *err)
{
    struct http_client *client = memory_zalloc(1, sizeof *client);

    client->config = *config;
    curl_global_init(CURL_GLOBAL_DEFAULT);
    client->multi = curl_multi_init();
    client->easy = curl_easy_init();
    if (!client->multi || !client->easy) {
        http_client_destroy(client);
        return error_set(err, ERR_IO, NO_POSITION, "The HTTP client cannot be set up");
    }
    *out = client;
    return 0;
}

void http_client_destroy(struct http_client *client)
{
    if (!client) {
        return;
    }
    if (client->easy) {
        curl_easy_cleanup(client->easy);
    }
    if (client->multi) {
        curl_multi_cleanup(client->multi);
    }
    curl_global_cleanup();
    free(client);
}

void http_client_cancel(struct http_client *client)
{
    atomic_store(&client->is_cancelled, true);
    curl_multi_wakeup(client->multi);
}

void http_answer_fini(struct http_answer *answer)
{
    buffer_fini(&answer->body);
}

/* --- a transfer --- */

static size_t take_body(char *data, size_t size, size_t count, void *context)
{
    struct exchange_state *state = context;
    struct bytes part = { data, size * count };
    long status = 0;

    curl_easy_getinfo(state->client->easy, CURLINFO_RESPONSE_CODE, &status);
    if (state->request->receive && status >= 200 && status < 300) {
        state->was_ended = !state->request->receive(state->request->context, part);
        return state->was_ended ? 0 : part.len;
    }
    if (state->answer->body.len + part.len > COLLECTED_MAX) {
        return 0;
    }
    buffer_append_bytes(&state->answer->body, part);
    return part.len;
}

static struct curl_slist *add_header(struct curl_slist *headers, const char *name,
                                     const char *value)
{
    struct buffer line = { 0 };
    struct curl_slist *longer;

    if (!value) {
        return headers;
    }
    buffer_printf(&line, "%s: %s", name, value);
    buffer_append_char(&line, '\0');
    longer = curl_slist_append(headers, line.data);
    buffer_fini(&line);
    return longer ? longer : headers;
}

static void set_identity(struct http_client *client)
{
    if (client->config.user) {
        curl_easy_setopt(client->easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
        curl_easy_setopt(client->easy, CURLOPT_USERNAME, client->config.user);
        curl_easy_setopt(client->easy, CURLOPT_PASSWORD,
                         client->config.password ? client->config.password : "");
    }
    if (client->config.user_agent) {
        curl_easy_setopt(client->easy, CURLOPT_USERAGENT, client->config.user_agent);
    }
}

static void set_request(struct exchange_state *state, struct curl_slist *headers)
{
    const struct http_request *request = state->request;
    CURL *easy = state->client->easy;
    int64_t connect_ms = state->client->config.connect_timeout_ms;

    curl_easy_reset(easy);
    set_identity(state->client);
    curl_easy_setopt(easy, CURLOPT_URL, request->url);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, state->message);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, state);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)request->timeout_ms);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                     (long)(connect_ms ? connect_ms : CONNECT_TIMEOUT_MS));
    if (request->body.data) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.len);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->body.data);
    }
}

/* Whether it came to an end by itself; its outcome. */
static bool transfer(struct http_client *client, CURLcode *outcome)
{
    int running = 1;
    int left;
    CURLMsg *message;

    while (running > 0 && !atomic_load(&client->is_cancelled)) {
        if (curl_multi_perform(client->multi, &running) != CURLM_OK) {
            *outcome = CURLE_FAILED_INIT;
            return true;
        }
        if (running > 0) {
            curl_multi_poll(client->multi, NULL, 0, POLL_MS, NULL);
        }
    }
    message = curl_multi_info_read(client->multi, &left);
    if (!message) {
        return false;
    }
    *outcome = message->data.result;
    return true;
}

int http_client_send(struct http_client *client, const struct http_request *request,
                     struct http_answer *answer, struct error *err)
{
    struct exchange_state state = { .client = client, .request = request, .answer = answer };
    struct curl_slist *headers = NULL;
    CURLcode outcome = CURLE_OK;
    long status = 0;
    bool ended;

    *answer = (struct http_answer){ 0 };
    headers = add_header(headers, "Accept", request->accept);
    headers = add_header(headers, "Content-Type", request->content_type);
    headers = curl_slist_append(headers, "Expect:");
    set_request(&state, headers);
    curl_multi_add_handle(client->multi, client->easy);
    ended = transfer(client, &outcome);
    curl_easy_getinfo(client->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_multi_remove_handle(client->multi, client->easy);
    curl_slist_free_all(headers);
    answer->status = (int)status;
    if (atomic_exchange(&client->is_cancelled, false) || !ended || state.was_ended ||
        outcome == CURLE_OK) {
        return 0;
    }
    return error_set(err, ERR_IO, NO_POSITION, "%s: %s", request->url,
                     *state.message ? state.message : curl_easy_strerror(outcome));
}
