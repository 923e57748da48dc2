/*
 * statements.c: POST /ksql: statements that are not queries, on the one command thread.
 */
#include "cli/http/ksql/api_internal.h"
#include "parser/parse.h"

static const enum media offered[] = { MEDIA_KSQL, MEDIA_JSON };

/* --- what can be refused before the engine is asked --- */

static bool check_kinds(const struct ast_script *script, struct api_error *out)
{
    for (uint32_t i = 0; i < script->statements.count; i++) {
        const struct ast_statement *statement = script->statements.items[i];

        if (statement->kind == AST_SELECT || statement->kind == AST_PRINT) {
            *out = error_entity_make(
                400, 40002,
                bytes_of("SELECT and PRINT are answered by /query and /query-stream, not here"));
            out->statement = request_trim(statement->text);
            return false;
        }
    }
    return true;
}

/* Those that go to the statement log. */
static bool is_command(enum ast_statement_kind kind)
{
    return kind == AST_CREATE_SOURCE || kind == AST_CREATE_AS || kind == AST_CREATE_TYPE ||
           kind == AST_INSERT_SELECT || kind == AST_DROP_SOURCE || kind == AST_DROP_TYPE ||
           kind == AST_ALTER_SOURCE || kind == AST_TERMINATE || kind == AST_PAUSE ||
           kind == AST_RESUME;
}

static bool check_rate(struct ksql_api *api, const struct ast_script *script, struct api_error *out)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < script->statements.count; i++) {
        count += is_command(script->statements.items[i]->kind);
    }
    if (limits_take_commands(&api->limits, count, engine_now_ms(api->engine))) {
        return true;
    }
    *out = error_entity_make(429, 42900,
                             bytes_of("Statements come faster than the server takes them "
                                      "(ksql.server.command.topic.rate.limit): try again later"));
    return false;
}

static bool check(struct ksql_job *job, struct session *session, const struct ksql_request *request,
                  struct api_error *out)
{
    struct ast_script script;
    struct error err = { 0 };

    if (session_parse(session, &job->arena, request->text, &script, &err)) {
        *out = error_entity_of(&err, request_trim(request->text), &job->arena);
        return false;
    }
    return check_kinds(&script, out) && check_rate(job->api, &script, out);
}

/* --- the job --- */

static void execute(struct ksql_job *job, struct session *session, struct bytes text)
{
    struct entities entities;
    struct result_sink sink;
    struct api_error error;
    struct error err = { 0 };
    struct buffer body = { 0 };

    entities_init(&entities, job->api);
    sink = entities_sink(&entities);
    if (engine_execute(job->api->engine, session, text, &sink, &err)) {
        entities_end(&entities);
        error = error_entity_of(
            &err, request_trim(entities.checking.data ? entities.checking : text), &job->arena);
        error.entities = buffer_bytes(&entities.text);
        error_entity_reply(job->reply, &error);
    } else {
        entities_end(&entities);
        buffer_append_char(&body, '[');
        buffer_append_bytes(&body, buffer_bytes(&entities.text));
        buffer_append_char(&body, ']');
        reply_respond(job->reply, 200, media_name(MEDIA_JSON), buffer_bytes(&body));
    }
    entities_fini(&entities);
    buffer_fini(&body);
}

static void run_request(struct ksql_job *job, const struct ksql_request *request)
{
    const struct bytes no_statement = { NULL, 0 };
    struct session *session = session_create(job->api->engine);
    struct api_error error;
    struct error err = { 0 };

    if (request_apply(request, session, &err)) {
        error = error_entity_of(&err, no_statement, &job->arena);
        error_entity_reply(job->reply, &error);
    } else if (!check(job, session, request, &error)) {
        error_entity_reply(job->reply, &error);
    } else {
        execute(job, session, request->text);
    }
    session_destroy(session);
}

static void run_statements_job(struct ksql_job *job);

/* On a thread of its own: other statements do not wait along. */
static void run_waiting_job(struct ksql_job *job)
{
    struct ksql_request request;
    struct api_error error;

    (void)request_parse(job->body, "ksql", &job->arena, &request, NULL); /* as it was before */
    if (engine_await_statement(job->api->engine, request.sequence, job->api->response_timeout_ms)) {
        job->run = run_statements_job;
        job->next = &job->api->commands;
        return;
    }
    error = error_entity_make(
        503, 50301,
        arena_printf(&job->arena,
                     "Timed out while waiting for a previous command to execute. command "
                     "sequence number: %lld",
                     (long long)request.sequence));
    error_entity_reply(job->reply, &error);
}

static void run_statements_job(struct ksql_job *job)
{
    const struct bytes no_statement = { NULL, 0 };
    struct ksql_request request;
    struct api_error error;
    struct error err = { 0 };

    if (request_parse(job->body, "ksql", &job->arena, &request, &err)) {
        error = error_entity_of(&err, no_statement, &job->arena);
        error_entity_reply(job->reply, &error);
    } else if (!engine_await_statement(job->api->engine, request.sequence, 0)) {
        job->run = run_waiting_job;
        job->next = &job->api->queries;
    } else {
        run_request(job, &request);
    }
}

static void complete(struct exchange *exchange, struct bytes body)
{
    struct ksql_api *api = exchange->context;
    const struct job_spec spec = { .offered = offered,
                                   .offered_count = sizeof offered / sizeof offered[0],
                                   .usual = MEDIA_JSON,
                                   .lane = &api->commands,
                                   .run = run_statements_job };

    job_submit(exchange, api, &spec, body);
}

void statements_open(struct exchange *exchange, void *context)
{
    exchange->context = context;
    exchange_gather(exchange, complete);
}
