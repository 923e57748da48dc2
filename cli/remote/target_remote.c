/*
 * target_remote.c: statements sent to a server (rest-api.md 2.2 and 2.4).
 *
 * Statements that follow each other go in one request; queries go alone. What SET says stays here
 * and travels with every request, and so does the number of the last change, so that the next
 * statement sees it whichever node answers.
 */
#include <jansson.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/http_client.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "cli/output.h"
#include "cli/remote/remote_entities.h"
#include "cli/remote/remote_rows.h"
#include "cli/target.h"
#include "cli/version.h"
#include "engine/command/properties.h"
#include "parser/parse.h"

static const char json_media[] = "application/json";
static const char entity_media[] = "application/vnd.ksql.v1+json";

enum { INFO_TIMEOUT_MS = 10000 };

struct remote {
    struct arena arena;
    const char *url; /* without a slash at the end */
    struct http_client *client;
    struct clock clock;
    struct log *log; /* empty: an engine that does nothing but keep the session */
    struct engine *engine;
    struct session *session;
    int64_t sequence; /* of the last change; -1: none */
    bool pipelining;  /* requests do not wait for it */
    _Atomic bool in_rows;
    struct buffer about;
};

/* --- requests --- */

static void print_member(struct buffer *out, const char *name, struct bytes text)
{
    buffer_printf(out, "\"%s\":", name);
    text_print_json(text, out);
}

static void print_properties(const struct remote *remote, struct arena *arena, struct buffer *out)
{
    const struct property_text *items;
    uint32_t count = session_list_properties(remote->session, arena, &items);

    buffer_append_text(out, ",\"streamsProperties\":{");
    for (uint32_t i = 0; i < count; i++) {
        buffer_append_text(out, i ? "," : "");
        text_print_json(items[i].name, out);
        buffer_append_char(out, ':');
        text_print_json(items[i].value, out);
    }
    buffer_append_char(out, '}');
}

static void print_request(const struct remote *remote, struct bytes sql, struct arena *arena,
                          struct buffer *out)
{
    buffer_append_char(out, '{');
    print_member(out, "ksql", sql);
    print_properties(remote, arena, out);
    if (remote->sequence >= 0 && !remote->pipelining) {
        buffer_printf(out, ",\"commandSequenceNumber\":%lld", (long long)remote->sequence);
    }
    buffer_append_char(out, '}');
}

/* A request for the path; without a body it is a GET. */
static int send_request(struct remote *remote, const char *path, const struct http_request *base,
                        struct http_answer *answer, struct error *err)
{
    struct http_request request = *base;
    struct arena arena;
    int code;

    arena_init(&arena, 0);
    request.url = arena_printf(&arena, "%s%s", remote->url, path).data;
    request.method = request.body.data ? "POST" : "GET";
    request.content_type = request.body.data ? json_media : NULL;
    code = http_client_send(remote->client, &request, answer, err);
    if (!code && answer->status >= 400) {
        code = entity_error(buffer_bytes(&answer->body), answer->status, err);
    }
    arena_fini(&arena);
    return code;
}

/* --- statements --- */

/* The number of the last change, which later statements are to see. */
static void note_sequence(struct remote *remote, struct bytes body)
{
    json_t *entities = json_loadb(body.data, body.len, 0, NULL);
    const json_t *entity;
    size_t index;

    json_array_foreach(entities, index, entity)
    {
        const json_t *number = json_object_get(entity, "commandSequenceNumber");

        if (json_is_integer(number) && json_integer_value(number) > remote->sequence) {
            remote->sequence = json_integer_value(number);
        }
    }
    json_decref(entities);
}

static int run_plain(struct remote *remote, struct bytes sql, const struct result_sink *sink,
                     struct arena *arena, struct error *err)
{
    struct http_request request = { .accept = entity_media };
    struct http_answer answer;
    struct buffer body = { 0 };
    int code;

    print_request(remote, sql, arena, &body);
    request.body = buffer_bytes(&body);
    code = send_request(remote, "/ksql", &request, &answer, err);
    if (!code && answer.status) {
        note_sequence(remote, buffer_bytes(&answer.body));
        code = entities_tell(buffer_bytes(&answer.body), sink, err);
    }
    http_answer_fini(&answer);
    buffer_fini(&body);
    return code;
}

static bool receive_rows(void *context, struct bytes part)
{
    return remote_rows_take(context, part);
}

static int run_rows(struct remote *remote, struct bytes sql, const struct result_sink *sink,
                    struct arena *arena, struct error *err)
{
    struct remote_rows rows;
    struct http_request request = { .accept = entity_media,
                                    .receive = receive_rows,
                                    .context = &rows };
    struct http_answer answer;
    struct buffer body = { 0 };
    int code;

    print_request(remote, sql, arena, &body);
    request.body = buffer_bytes(&body);
    remote_rows_init(&rows, sink);
    atomic_store(&remote->in_rows, true);
    code = send_request(remote, "/query", &request, &answer, err);
    atomic_store(&remote->in_rows, false);
    if (code) {
        (void)remote_rows_finish(&rows, NULL);
    } else {
        code = remote_rows_finish(&rows, err);
    }
    remote_rows_fini(&rows);
    http_answer_fini(&answer);
    buffer_fini(&body);
    return code;
}

/* What PRINT answers may begin with a long silence, which can be ended. */
static int run_print(struct remote *remote, struct bytes sql, const struct result_sink *sink,
                     struct arena *arena, struct error *err)
{
    atomic_store(&remote->in_rows, true);
    if (sink->print_begin) {
        sink->print_begin(sink->context);
    }
    TRY(run_rows(remote, sql, sink, arena, err));
    if (sink->print_end) {
        sink->print_end(sink->context);
    }
    return 0;
}

/* What belongs to the session, which is kept here. */
static bool is_of_session(const struct ast_statement *statement)
{
    return statement->kind == AST_SET || statement->kind == AST_UNSET ||
           statement->kind == AST_DEFINE || statement->kind == AST_UNDEFINE ||
           (statement->kind == AST_SHOW && statement->show.what == AST_SHOW_VARIABLES);
}

static bool is_query(const struct ast_statement *statement)
{
    return statement->kind == AST_SELECT || statement->kind == AST_PRINT;
}

static bool is_plain(const struct ast_statement *statement)
{
    return !is_of_session(statement) && !is_query(statement);
}

static int run_one(struct remote *remote, const struct ast_statement *statement, struct bytes sql,
                   const struct result_sink *sink, struct arena *arena, struct error *err)
{
    if (is_of_session(statement)) {
        return engine_execute(remote->engine, remote->session, sql, sink, err);
    }
    if (sink->statement) {
        sink->statement(sink->context, statement->text);
    }
    return statement->kind == AST_PRINT ? run_print(remote, sql, sink, arena, err)
                                        : run_rows(remote, sql, sink, arena, err);
}

/* Blanks up to its place: what the server says of a place is so of the text as it was typed. */
static void pad(struct position *here, struct position at, struct buffer *out)
{
    for (; here->line < at.line; here->line++) {
        buffer_append_char(out, '\n');
        here->column = 1;
    }
    for (; here->line == at.line && here->column < at.column; here->column++) {
        buffer_append_char(out, ' ');
    }
}

static void move_behind(struct position *here, struct bytes text)
{
    const char *line_end;

    while ((line_end = memchr(text.data, '\n', text.len))) {
        text.len -= (size_t)(line_end - text.data) + 1;
        text.data = line_end + 1;
        here->line++;
        here->column = 1;
    }
    here->column += (uint32_t)utf8_count(text);
}

/*
 * The statements from `at` on that go together, or the one that goes alone; the number behind.
 * Their texts have variables replaced, so only the first keeps its place for certain.
 */
static uint32_t gather(const struct ast_script *script, uint32_t at, struct buffer *out)
{
    const struct ast_statement *statement = script->statements.items[at];
    bool alone = !is_plain(statement);
    struct position here = { 1, 1 };

    do {
        pad(&here, statement->at, out);
        buffer_append_bytes(out, statement->text);
        move_behind(&here, statement->text);
        statement = ++at < script->statements.count ? script->statements.items[at] : NULL;
    } while (!alone && statement && is_plain(statement));
    return at;
}

static int execute(void *context, struct bytes text, const struct result_sink *sink,
                   struct error *err)
{
    struct remote *remote = context;
    struct ast_script script;
    struct buffer together = { 0 };
    struct arena arena;
    int code;

    arena_init(&arena, 0);
    code = session_parse(remote->session, &arena, text, &script, err);
    for (uint32_t at = 0; !code && at < script.statements.count;) {
        const struct ast_statement *first = script.statements.items[at];

        together.len = 0;
        at = gather(&script, at, &together);
        code = is_plain(first) ? run_plain(remote, buffer_bytes(&together), sink, &arena, err)
                               : run_one(remote, first, buffer_bytes(&together), sink, &arena, err);
    }
    buffer_fini(&together);
    arena_fini(&arena);
    return code;
}

/* --- the target --- */

/* A statement under way goes on at the server, whoever listens. */
static void cancel(void *context)
{
    struct remote *remote = context;

    if (atomic_load(&remote->in_rows)) {
        http_client_cancel(remote->client);
    }
}

static void set_pipelining(void *context, bool on)
{
    struct remote *remote = context;

    remote->pipelining = on;
}

static void describe(void *context, struct buffer *out)
{
    struct remote *remote = context;

    buffer_printf(out, "server %s%.*s\n", remote->url, BYTES_ARG(buffer_bytes(&remote->about)));
}

static void close_remote(void *context)
{
    struct remote *remote = context;

    http_client_destroy(remote->client);
    session_destroy(remote->session);
    engine_close(remote->engine);
    log_close(remote->log);
    buffer_fini(&remote->about);
    arena_fini(&remote->arena);
    free(remote);
}

/* Every answer came when its statement had been applied. */
static int finish(void *context, struct error *err)
{
    return 0;
}

static const struct target_kind remote_kind = { .execute = execute,
                                                .cancel = cancel,
                                                .finish = finish,
                                                .set_pipelining = set_pipelining,
                                                .describe = describe,
                                                .close = close_remote };

/* Whether it is there, and what it says of itself. */
static int ask_info(struct remote *remote, struct error *err)
{
    const struct http_request request = { .accept = json_media, .timeout_ms = INFO_TIMEOUT_MS };
    struct http_answer answer;
    int code = send_request(remote, "/info", &request, &answer, err);
    json_t *document = NULL;
    const json_t *info;

    if (!code) {
        document = json_loadb(answer.body.data ? answer.body.data : "", answer.body.len, 0, NULL);
        info = json_object_get(document, "KsqlServerInfo");
        if (info) {
            const char *version = json_string_value(json_object_get(info, "version"));
            const char *status = json_string_value(json_object_get(info, "serverStatus"));

            buffer_printf(&remote->about, ", version %s, %s", version ? version : "unknown",
                          status ? status : "UNKNOWN");
        } else {
            code = error_set(err, ERR_SERVER, NO_POSITION, "%s is no server of this kind",
                             remote->url);
        }
    }
    json_decref(document);
    http_answer_fini(&answer);
    return code;
}

static int open_session(struct remote *remote, struct error *err)
{
    struct engine_config config = { .clock = &remote->clock, .mode = RUNTIME_STEPPED };

    clock_init_real(&remote->clock);
    remote->log = log_memory_create(&remote->clock);
    config.log = remote->log;
    TRY(engine_open(&config, &remote->engine, err));
    remote->session = session_create(remote->engine);
    return 0;
}

int target_open_remote(const struct remote_options *options, struct target *out, struct error *err)
{
    struct remote *remote = memory_zalloc(1, sizeof *remote);
    const struct http_client_config config = { .user = options->user,
                                               .password = options->password,
                                               .user_agent = "sluice/" SLUICE_VERSION };
    size_t len = strlen(options->url);
    int code;

    while (len > 0 && options->url[len - 1] == '/') {
        len--;
    }
    arena_init(&remote->arena, 0);
    remote->sequence = -1;
    remote->url = arena_copy_text(&remote->arena, (struct bytes){ options->url, len });
    code = open_session(remote, err);
    code = code ? code : http_client_create(&config, &remote->client, err);
    code = code ? code : ask_info(remote, err);
    if (code) {
        close_remote(remote);
        return code;
    }
    *out = (struct target){ &remote_kind, remote, remote->session };
    return 0;
}
