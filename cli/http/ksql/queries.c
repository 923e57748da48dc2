/*
 * queries.c: POST /query, /query-stream and /close-query. Each query has a thread for as long as
 * it has rows: it sleeps in the row queue or waits for the client's network, never on the loop.
 */
#include "cli/http/ksql/api_internal.h"
#include "parser/parse.h"

static const enum media query_media[] = { MEDIA_DELIMITED, MEDIA_KSQL, MEDIA_JSON, MEDIA_PEER };
static const enum media stream_media[] = { MEDIA_DELIMITED, MEDIA_JSON, MEDIA_KSQL };

/* --- the list of those that run --- */

static void cancel(void *context)
{
    session_cancel(context);
}

static void enlist(struct ksql_job *job, struct active_query *active)
{
    active_enlist(job->api, active);
    reply_watch(job->reply, cancel, active->session);
}

static void delist(struct ksql_job *job, struct active_query *active)
{
    reply_watch(job->reply, NULL, NULL);
    active_delist(job->api, active);
}

/* --- what can be refused before the engine is asked --- */

/* PRINT has one form on each route. False: the client takes another, and was told. */
static bool check_print_media(struct ksql_job *job)
{
    static const enum media json_media[] = { MEDIA_KSQL, MEDIA_JSON };

    if (job->is_stream && job->media != MEDIA_DELIMITED) {
        reply_respond(job->reply, 406, NULL, bytes_of(""));
        return false;
    }
    if (!job->is_stream &&
        media_choose(job->accept, json_media, sizeof json_media / sizeof json_media[0],
                     MEDIA_JSON) == MEDIA_NONE) {
        reply_respond(job->reply, 404, "text/plain", bytes_of("Not Found"));
        return false;
    }
    return true;
}

static struct api_error refuse_text(struct bytes text, struct bytes message)
{
    struct api_error error = error_entity_make(400, 40001, message);

    error.statement = request_trim(text);
    return error;
}

/* False: the client was told why not. */
static bool check(struct ksql_job *job, struct session *session, struct bytes text, bool *is_pull)
{
    struct ast_script script;
    struct error err = { 0 };
    struct api_error error;

    if (session_parse(session, &job->arena, text, &script, &err)) {
        error = error_entity_of(&err, request_trim(text), &job->arena);
    } else if (script.statements.count != 1) {
        error = refuse_text(text, arena_printf(&job->arena,
                                               "Expected exactly one KSQL statement; found %u "
                                               "instead",
                                               script.statements.count));
    } else if (script.statements.items[0]->kind == AST_PRINT) {
        return check_print_media(job);
    } else if (script.statements.items[0]->kind == AST_SELECT) {
        *is_pull = script.statements.items[0]->select->emit == AST_EMIT_NONE;
        return true;
    } else {
        error = refuse_text(
            text, arena_printf(&job->arena, "%s is no query: statements are answered by /ksql",
                               ast_statement_name(script.statements.items[0]->kind)));
    }
    error_entity_reply(job->reply, &error);
    return false;
}

/* --- the job --- */

/* Ends the reply. How many bytes of rows went out. */
static uint64_t follow(struct ksql_job *job, struct session *session, struct bytes text)
{
    struct active_query active = { .session = session };
    struct rows rows = { .job = job, .active = &active };
    struct result_sink sink = rows_sink(&rows);
    struct api_error error = { 0 };
    struct error err = { 0 };
    int code;

    enlist(job, &active);
    code = engine_execute(job->api->engine, session, text, &sink, &err);
    delist(job, &active);
    if (code) {
        error = error_entity_of(&err, request_trim(text), &job->arena);
    }
    if (code && !rows.has_begun) {
        error_entity_reply(job->reply, &error);
    } else {
        if (code) {
            rows_fail(&rows, &error);
        }
        reply_end(job->reply);
    }
    rows_fini(&rows);
    return rows.sent_bytes;
}

static struct api_error limit_error(enum limit limit)
{
    switch (limit) {
    case LIMIT_RATE:
        return error_entity_make(429, 42900,
                                 bytes_of("Host is at rate limit for pull queries "
                                          "(ksql.query.pull.max.qps)"));
    case LIMIT_CONCURRENT:
        return error_entity_make(400, 40000,
                                 bytes_of("Host is at concurrency limit for pull queries "
                                          "(ksql.query.pull.max.concurrent.requests)"));
    case LIMIT_BANDWIDTH:
    case LIMIT_NONE:
        break;
    }
    return error_entity_make(400, 40000,
                             bytes_of("Host is at bandwidth limit for pull queries "
                                      "(ksql.query.pull.max.hourly.bandwidth.megabytes)"));
}

static void follow_pull(struct ksql_job *job, struct session *session, struct bytes text)
{
    struct ksql_api *api = job->api;
    enum limit limit = limits_begin_pull(&api->limits, engine_now_ms(api->engine));
    struct api_error error;
    uint64_t sent_bytes;

    if (limit != LIMIT_NONE) {
        error = limit_error(limit);
        error_entity_reply(job->reply, &error);
        return;
    }
    sent_bytes = follow(job, session, text);
    limits_end_pull(&api->limits, sent_bytes, engine_now_ms(api->engine));
}

static void run_query_job(struct ksql_job *job)
{
    const struct bytes no_statement = { NULL, 0 };
    struct session *session = session_create(job->api->engine);
    struct ksql_request request;
    struct api_error error;
    struct error err = { 0 };
    bool is_pull = false;

    if (request_parse(job->body, job->is_stream ? "sql" : "ksql", &job->arena, &request, &err) ||
        request_apply(&request, session, &err)) {
        error = error_entity_of(&err, no_statement, &job->arena);
        error_entity_reply(job->reply, &error);
    } else if (check(job, session, request.text, &is_pull)) {
        if (is_pull && !request.is_forwarded) { /* that other node has counted it */
            follow_pull(job, session, request.text);
        } else {
            (void)follow(job, session, request.text);
        }
    }
    session_destroy(session);
}

static void run_plain_query_job(struct ksql_job *job)
{
    job->media = job->media == MEDIA_JSON ? MEDIA_KSQL : job->media;
    run_query_job(job);
}

static void complete_query(struct exchange *exchange, struct bytes body)
{
    struct ksql_api *api = exchange->context;
    const struct job_spec spec = { .offered = query_media,
                                   .offered_count = sizeof query_media / sizeof query_media[0],
                                   .usual = MEDIA_KSQL,
                                   .streams = true,
                                   .lane = &api->queries,
                                   .run = run_plain_query_job };

    job_submit(exchange, api, &spec, body);
}

static void complete_query_stream(struct exchange *exchange, struct bytes body)
{
    struct ksql_api *api = exchange->context;
    const struct job_spec spec = { .offered = stream_media,
                                   .offered_count = sizeof stream_media / sizeof stream_media[0],
                                   .usual = MEDIA_DELIMITED,
                                   .streams = true,
                                   .is_query_stream = true,
                                   .lane = &api->queries,
                                   .run = run_query_job };

    job_submit(exchange, api, &spec, body);
}

void query_open(struct exchange *exchange, void *context)
{
    exchange->context = context;
    exchange_gather(exchange, complete_query);
}

void query_stream_open(struct exchange *exchange, void *context)
{
    exchange->context = context;
    exchange_gather(exchange, complete_query_stream);
}

/* --- /close-query --- */

static bool close_query(struct ksql_api *api, struct bytes id)
{
    bool found = false;

    pthread_mutex_lock(&api->mutex);
    for (struct active_query *active = api->active; active; active = active->next) {
        if (active->id.data && bytes_equal(active->id, id)) {
            session_cancel(active->session);
            found = true;
        }
    }
    pthread_mutex_unlock(&api->mutex);
    return found;
}

static void run_close_job(struct ksql_job *job)
{
    struct bytes id = request_text(job->body, "queryId", &job->arena);
    struct api_error error =
        error_entity_make(400, 40000, bytes_of("Invalid JSON in request: no queryId"));

    if (id.data && close_query(job->api, id)) {
        reply_respond(job->reply, 200, NULL, bytes_of(""));
        return;
    }
    if (id.data) {
        error.message = arena_printf(&job->arena, "No query with id %.*s", BYTES_ARG(id));
    }
    error_entity_reply(job->reply, &error);
}

static void complete_close(struct exchange *exchange, struct bytes body)
{
    struct ksql_api *api = exchange->context;
    const struct job_spec spec = { .usual = MEDIA_JSON,
                                   .lane = &api->queries,
                                   .run = run_close_job };

    job_submit(exchange, api, &spec, body);
}

void close_query_open(struct exchange *exchange, void *context)
{
    exchange->context = context;
    exchange_gather(exchange, complete_close);
}
