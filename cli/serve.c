/*
 * serve.c: `sluice server`: configuration, an engine with threads, the HTTP endpoint over it.
 *
 * Order of what is configured: file, then --listeners, then --set; the later one counts. With
 * --queries-file the statements of a file are run at the start, and none are taken over HTTP.
 */
#include "cli/serve.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/http/ksql/api.h"
#include "cli/http/server.h"
#include "cli/node.h"
#include "cli/read_file.h"
#include "cli/run.h"
#include "engine/type/java_text.h"
#include "parser/parse.h"

enum { CONNECTION_LIMIT = 10000 };

struct serve_options {
    struct arena arena;
    struct node_options node;
    const char *queries_file;
};

struct serve {
    const struct serve_options *options;
    struct node node;
    struct ksql_api *api;
    struct server *server;
};

/* --- the command line --- */

static int usage_error(const char *subject, const char *complaint)
{
    fprintf(stderr, "sluice server: %s %s; see: sluice server --help\n", subject, complaint);
    return EXIT_USAGE;
}

static void add_setting(struct serve_options *options, struct bytes name, struct bytes value)
{
    *vec_push(&options->arena, &options->node.settings) = (struct config_entry){ name, value, 0 };
}

static int take_file(struct serve_options *options, const char *value)
{
    if (options->node.config_file) {
        return usage_error(value, "is a second configuration file");
    }
    options->node.config_file = value;
    return EXIT_OK;
}

static int take_listeners(struct serve_options *options, const char *value)
{
    add_setting(options, bytes_of("listeners"), bytes_of(value));
    return EXIT_OK;
}

static int take_setting(struct serve_options *options, const char *value)
{
    const char *equals = strchr(value, '=');

    if (!equals || equals == value) {
        return usage_error("--set", "takes name=value");
    }
    add_setting(options, (struct bytes){ value, (size_t)(equals - value) }, bytes_of(equals + 1));
    return EXIT_OK;
}

static int take_queries_file(struct serve_options *options, const char *value)
{
    options->queries_file = value;
    return EXIT_OK;
}

static int take_memory(struct serve_options *options, const char *value)
{
    options->node.in_memory = true;
    return EXIT_OK;
}

static int take_bootstrap(struct serve_options *options, const char *value)
{
    options->node.bootstrap = value;
    return EXIT_OK;
}

static int take_data(struct serve_options *options, const char *value)
{
    options->node.data = value;
    return EXIT_OK;
}

static const struct serve_option {
    const char *name;
    const char *argument; /* NULL: takes none */
    const char *doc;
    int (*take)(struct serve_options *options, const char *value);
} serve_option_kinds[] = {
    { "-c", "FILE", "configuration: Java properties", take_file },
    { "--listeners", "URL[,URL]", "where to listen: http://HOST:PORT; port 0 is a free one",
      take_listeners },
    { "--bootstrap", "HOST:PORT", "work on this Kafka cluster", take_bootstrap },
    { "--data", "DIR",
      "keep everything in this directory (default sluice-data); with Kafka: who it is", take_data },
    { "--memory", NULL, "keep everything in memory", take_memory },
    { "--set", "NAME=VALUE", "set a property; may be repeated", take_setting },
    { "--queries-file", "FILE", "run these statements, and take none over HTTP",
      take_queries_file },
};

enum { SERVE_OPTION_COUNT = sizeof serve_option_kinds / sizeof serve_option_kinds[0] };

void serve_usage(FILE *to)
{
    for (size_t i = 0; i < SERVE_OPTION_COUNT; i++) {
        fprintf(to, "  %-14s %-10s %s\n", serve_option_kinds[i].name,
                serve_option_kinds[i].argument ? serve_option_kinds[i].argument : "",
                serve_option_kinds[i].doc);
    }
}

static const struct serve_option *find_option(const char *argument, const char **value)
{
    for (size_t i = 0; i < SERVE_OPTION_COUNT; i++) {
        size_t len = strlen(serve_option_kinds[i].name);

        if (strcmp(argument, serve_option_kinds[i].name) == 0) {
            *value = NULL;
            return &serve_option_kinds[i];
        }
        if (serve_option_kinds[i].argument &&
            strncmp(argument, serve_option_kinds[i].name, len) == 0 && argument[len] == '=') {
            *value = argument + len + 1;
            return &serve_option_kinds[i];
        }
    }
    return NULL;
}

static int take_options(struct serve_options *options, int argc, char **argv)
{
    int status = EXIT_OK;

    for (int i = 1; status == EXIT_OK && i < argc; i++) {
        const char *value = NULL;
        const struct serve_option *kind = find_option(argv[i], &value);

        if (!kind && argv[i][0] != '-') {
            status = take_file(options, argv[i]);
        } else if (!kind) {
            status = usage_error(argv[i], "is no option");
        } else if (kind->argument && !value && i + 1 == argc) {
            status = usage_error(argv[i], "needs a value");
        } else {
            status = kind->take(options, value || !kind->argument ? value : argv[++i]);
        }
    }
    return status;
}

/* --- configuration --- */

/* The file's entries stand in front: those of the command line count more. */
static int read_config(struct serve_options *options, struct error *err)
{
    struct node_options *node = &options->node;
    config_list all = { 0 };

    if (!node->config_file) {
        return 0;
    }
    TRY(config_read(node->config_file, &options->arena, &all, err));
    for (uint32_t i = 0; i < node->settings.count; i++) {
        *vec_push(&options->arena, &all) = node->settings.items[i];
    }
    node->settings = all;
    return 0;
}

static int64_t setting_number(struct serve *serve, const char *name, struct arena *arena)
{
    int64_t number = 0;

    (void)java_long_parse(engine_get_property(serve->node.engine, name, arena), &number, NULL);
    return number; /* it was checked when it was set */
}

/* --- the engine --- */

static void tell_skipped(void *context, struct bytes query_id, const struct row_origin *origin,
                         const char *what, const struct error *err)
{
    fprintf(stderr, "WARNING: %.*s skipped %s of %s-%u@%lld: %s\n", BYTES_ARG(query_id),
            what ? what : "a record", origin && origin->topic ? origin->topic : "?",
            origin ? origin->partition : 0, origin ? (long long)origin->offset : -1LL,
            err->message);
}

static int open_engine(struct serve *serve, struct error *err)
{
    const struct engine_config config = { .skipped = tell_skipped, .context = serve };

    return node_open(&serve->node, &serve->options->node, &config, err);
}

/* --- headless: the statements of a file --- */

static int check_queries(struct bytes text, struct error *err)
{
    struct ast_script script;
    struct arena arena;
    int code;

    arena_init(&arena, 0);
    code = parse_script(&arena, text, &script, err);
    for (uint32_t i = 0; !code && i < script.statements.count; i++) {
        if (script.statements.items[i]->kind == AST_SELECT) {
            code = error_set(err, ERR_UNSUPPORTED, script.statements.items[i]->at,
                             "a query without CREATE ... AS has nobody to answer to here");
        }
    }
    arena_fini(&arena);
    return code;
}

static int execute_text(struct serve *serve, struct bytes text, struct error *err)
{
    const struct result_sink nobody = { 0 };
    struct session *session = session_create(serve->node.engine);
    int code = check_queries(text, err);

    code = code ? code : engine_execute(serve->node.engine, session, text, &nobody, err);
    session_destroy(session);
    if (code && err->at.line > 0) {
        error_prefix(err, "%s:%u:%u", serve->options->queries_file, err->at.line, err->at.column);
    }
    return code;
}

static int run_queries_file(struct serve *serve, struct error *err)
{
    const char *name = serve->options->queries_file;
    struct buffer text = { 0 };
    int code;

    if (!name) {
        return 0;
    }
    code = read_file(name, &text, err);
    code = code ? code : execute_text(serve, buffer_bytes(&text), err);
    buffer_fini(&text);
    return code;
}

/* --- the endpoint --- */

static void stopping(void *context)
{
    ksql_api_stop(context);
}

/* Whoever says where to listen says it of both; the usual port may be another program's. */
static int listen_for_connect(struct serve *serve, struct arena *arena, struct error *err)
{
    bool is_given = false;
    bool listens_elsewhere = false;
    struct bytes urls = engine_get_property(serve->node.engine, "connect.listeners", arena);

    for (uint32_t i = 0; i < serve->options->node.settings.count; i++) {
        struct bytes name = serve->options->node.settings.items[i].name;

        is_given = is_given || bytes_equal_text(name, "connect.listeners");
        listens_elsewhere = listens_elsewhere || bytes_equal_text(name, "listeners");
    }
    if ((listens_elsewhere && !is_given) || urls.len == 0) {
        return 0;
    }
    if (server_listen_for(serve->server, urls, connect_routes, err)) {
        if (is_given) {
            return (int)err->code;
        }
        fprintf(stderr, "WARNING: %s; 'connect.listeners' says where else\n", err->message);
        error_clear(err);
    }
    return 0;
}

static int open_server(struct serve *serve, struct arena *arena, struct error *err)
{
    struct server_config config = {
        .routes = serve->options->queries_file ? ksql_information_routes : ksql_routes,
        .stopping = stopping,
        .admit = ksql_api_admit,
        .connection_limit = CONNECTION_LIMIT,
        .signals = SERVER_TAKES_SIGNALS,
    };

    serve->api = ksql_api_create(serve->node.engine);
    config.context = serve->api;
    config.idle_timeout_ms =
        setting_number(serve, "ksql.idle.connection.timeout.seconds", arena) * 1000;
    config.request_timeout_ms = setting_number(serve, "server.request.timeout.ms", arena);
    serve->server = server_create(&config);
    ksql_api_start(serve->api, server_letterbox(serve->server));
    TRY(server_listen(serve->server, engine_get_property(serve->node.engine, "listeners", arena),
                      err));
    TRY(listen_for_connect(serve, arena, err));
    if (!server_is_loopback(serve->server)) {
        fprintf(stderr, "WARNING: whoever reaches a listener can run statements: there is no "
                        "authentication\n");
    }
    return 0;
}

static int open_all(struct serve *serve, struct error *err)
{
    struct arena arena;
    int code;

    TRY(open_engine(serve, err));
    TRY(run_queries_file(serve, err));
    arena_init(&arena, 0);
    code = open_server(serve, &arena, err);
    arena_fini(&arena);
    return code;
}

/* Handlers' threads first: they use the letterbox and the engine. */
static void close_all(struct serve *serve)
{
    if (serve->api) {
        ksql_api_stop(serve->api);
        ksql_api_destroy(serve->api);
    }
    server_destroy(serve->server);
    node_close(&serve->node);
}

static int serve(struct serve_options *options)
{
    struct serve serve = { .options = options };
    struct error err = { 0 };
    int status = EXIT_OK;

    if (read_config(options, &err) || open_all(&serve, &err)) {
        fprintf(stderr, "sluice server: %s (%s)\n", err.message, error_name(err.code));
        status = EXIT_USAGE;
    } else {
        printf("listening on port %u\n", server_port(serve.server));
        fflush(stdout);
        server_run(serve.server);
    }
    close_all(&serve);
    return status;
}

int serve_main(int argc, char **argv)
{
    struct serve_options options = { .node.role = NODE_SERVER };
    int status;

    if (argc > 1 && strcmp(argv[1], "--help") == 0) {
        printf("usage: sluice server [OPTIONS] [FILE]\n");
        serve_usage(stdout);
        return EXIT_OK;
    }
    arena_init(&options.arena, 0);
    status = take_options(&options, argc, argv);
    if (status == EXIT_OK) {
        status = serve(&options);
    }
    arena_fini(&options.arena);
    return status;
}
