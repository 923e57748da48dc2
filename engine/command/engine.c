/*
 * engine.c: opening and closing an engine, its properties, its sessions.
 */
#include "engine/command/engine.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/trace.h"
#include "engine/command/command_internal.h"

static const char only_node[] = "local";

static char *copy_text(const char *text)
{
    size_t size = strlen(text) + 1;

    return memcpy(memory_alloc(size), text, size);
}

/* One per core, unless it is told. */
static uint32_t worker_count(const struct engine_config *config)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);

    if (config->worker_count || config->mode == RUNTIME_STEPPED) {
        return config->worker_count;
    }
    return cores > 1 ? (uint32_t)cores : 1;
}

static int open_runtime(struct engine *engine, struct error *err)
{
    const struct engine_config *config = &engine->config;
    struct runtime_config runtime = {
        .log = config->log,
        .clock = config->clock,
        .service_id = bytes_of(engine->service_id),
        .node_id = bytes_of(engine->node_id),
        .client_id = bytes_of(engine->client_id),
        .instance_id = bytes_of(config->is_lasting ? engine->node_id : NULL),
        .guarantee = property_is_exactly_once(&engine->server) ? EXACTLY_ONCE : AT_LEAST_ONCE,
        .session_timeout_ms = property_get_integer(&engine->server, "session.timeout.ms"),
        .retry_first_ms =
            property_get_integer(&engine->server, "ksql.query.retry.backoff.initial.ms"),
        .retry_most_ms = property_get_integer(&engine->server, "ksql.query.retry.backoff.max.ms"),
        .is_shared = config->is_shared,
        .database = config->database,
        .state_memory_bytes = (size_t)property_get_integer(&engine->server, "state.memory.bytes"),
        .worker_count = worker_count(config),
        .batch_rows = config->batch_rows,
        .changelog_entries = config->changelog_entries,
        .mode = config->mode,
        .skipped = config->skipped,
        .context = config->context,
    };

    return runtime_open(&runtime, &engine->runtime, err);
}

/* The strings of the config need not outlive the call. */
static void copy_identity(struct engine *engine, const struct engine_config *config)
{
    const char *node_id = config->node_id ? config->node_id : only_node;

    engine->service_id =
        copy_text(config->service_id ? config->service_id
                                     : property_get(&engine->server, "ksql.service.id").data);
    engine->node_id = copy_text(node_id);
    engine->client_id = copy_text(config->client_id ? config->client_id : node_id);
}

static int put_settings(struct engine *engine, const struct engine_config *config,
                        struct error *err)
{
    for (uint32_t i = 0; i < config->setting_count; i++) {
        TRY(engine_set_property(engine, config->settings[i].name, config->settings[i].value, err));
    }
    return 0;
}

static enum placement find_placement(void *context, struct bytes connector, uint32_t task)
{
    return runtime_place(context, connector, task);
}

static void place_connectors(struct engine *engine)
{
    const struct connector_host *host = engine->config.connectors;
    const struct connector_placement placement = { engine->runtime, find_placement };

    if (host && engine->config.is_shared) {
        host->place(host->context, &placement);
    }
}

static void open_failed(struct engine *engine)
{
    const struct connector_host *host = engine->config.connectors;

    if (host) {
        host->place(host->context, NULL);
    }
    engine_close(engine);
}

/*
 * A node that stays has its slots before its first query comes: what is appended behind a statement
 * under `latest` is not to be missed because the group is still sharing out.
 */
static void join_early(struct engine *engine)
{
    struct error err = { 0 };

    if (engine->config.is_shared && engine->config.is_lasting &&
        runtime_join(engine->runtime, &err)) {
        TRACE(TRACE_WARN, "command", "no queries can run yet: %s", err.message);
    }
}

int engine_open(const struct engine_config *config, struct engine **out, struct error *err)
{
    struct engine *engine = memory_zalloc(1, sizeof *engine);
    struct error outcome = { 0 };
    int code;

    engine->config = *config;
    pthread_mutex_init(&engine->mutex, NULL);
    queue_init(&engine->follower_pause, 1);
    property_set_init(&engine->server, NULL);
    map_init(&engine->queries);
    outcomes_init(&engine->outcomes);
    copy_identity(engine, config);
    engine->catalog = catalog_create(NULL);
    engine->slog = statement_log_create(config->log, engine->service_id, engine->client_id);
    code = put_settings(engine, config, err);
    code = code ? code : open_runtime(engine, err);
    if (!code) {
        place_connectors(engine);
    }
    code = code ? code : replay_catch_up(engine, STATEMENTS_TO_END, &outcome, err);
    if (!code && config->is_shared) { /* what could not be applied was traced */
        join_early(engine);
        code = follow_start(engine, err);
    }
    if (code) {
        open_failed(engine);
        return code;
    }
    *out = engine;
    return 0;
}

void engine_close(struct engine *engine)
{
    if (!engine) {
        return;
    }
    follow_stop(engine);
    runtime_close(engine->runtime);
    if (engine->inserts) {
        log_writer_close(engine->inserts);
    }
    statement_log_destroy(engine->slog);
    MAP_FOREACH (entry, &engine->queries) {
        running_query_destroy(entry->value);
    }
    map_fini(&engine->queries);
    outcomes_fini(&engine->outcomes);
    catalog_destroy(engine->catalog);
    property_set_fini(&engine->server);
    queue_fini(&engine->follower_pause);
    pthread_mutex_destroy(&engine->mutex);
    free(engine->service_id);
    free(engine->node_id);
    free(engine->client_id);
    free(engine);
}

/* --- properties --- */

int engine_set_property(struct engine *engine, struct bytes name, struct bytes value,
                        struct error *err)
{
    const struct ast_text name_text = { .text = name };
    const struct ast_text value_text = { .text = value };
    const struct setting_kind *kind = NULL;
    struct bytes kept_name = { 0 };
    int code;

    TRY(setting_find(name, NO_POSITION, &kind, &kept_name, err));
    if (bytes_equal_text(kept_name, "ksql.service.id") &&
        !bytes_equal_text(value, engine->service_id)) {
        return error_set(err, ERR_INVALID_PROPERTY, NO_POSITION,
                         "The service id is '%s' since the engine was opened", engine->service_id);
    }
    pthread_mutex_lock(&engine->mutex);
    code = property_set_put(&engine->server, SETTING_SERVER, &name_text, &value_text, err);
    pthread_mutex_unlock(&engine->mutex);
    return code;
}

struct bytes engine_get_property(struct engine *engine, const char *name, struct arena *arena)
{
    struct bytes value;

    pthread_mutex_lock(&engine->mutex);
    value = arena_copy(arena, property_get(&engine->server, name));
    pthread_mutex_unlock(&engine->mutex);
    return value;
}

/* --- sessions --- */

struct session *session_create(struct engine *engine)
{
    struct session *session = memory_zalloc(1, sizeof *session);

    session->engine = engine;
    property_set_init(&session->properties, &engine->server);
    variable_set_init(&session->variables);
    pthread_mutex_init(&session->client_mutex, NULL);
    return session;
}

void session_destroy(struct session *session)
{
    if (!session) {
        return;
    }
    property_set_fini(&session->properties);
    variable_set_fini(&session->variables);
    pthread_mutex_destroy(&session->client_mutex);
    free(session->partitions);
    free(session);
}

void session_keep_local(struct session *session, const uint32_t *partitions, uint32_t count)
{
    session->is_local = true;
    free(session->partitions);
    session->partitions = NULL;
    session->partition_count = count;
    if (partitions) {
        session->partitions = memory_resize(NULL, count + 1u, sizeof(uint32_t));
        memcpy(session->partitions, partitions, count * sizeof(uint32_t));
    }
}

void session_cancel(struct session *session)
{
    pthread_mutex_lock(&session->client_mutex);
    session->is_cancelled = true;
    if (session->client) {
        row_queue_finish(session->client, "Query Completed");
    }
    pthread_mutex_unlock(&session->client_mutex);
}

uint32_t session_list_properties(struct session *session, struct arena *arena,
                                 const struct property_text **out)
{
    return property_set_list(&session->properties, arena, out);
}

void session_take_over(struct session *to, const struct session *from)
{
    property_set_add_all(&to->properties, &from->properties);
    variable_set_add_all(&to->variables, &from->variables);
}

int session_set_property(struct session *session, struct bytes name, struct bytes value,
                         struct error *err)
{
    const struct ast_text name_text = { .text = name };
    const struct ast_text value_text = { .text = value };
    int code;

    pthread_mutex_lock(&session->engine->mutex); /* the server's lists say what may be set */
    code = property_set_put(&session->properties, SETTING_SESSION, &name_text, &value_text, err);
    pthread_mutex_unlock(&session->engine->mutex);
    return code;
}

int session_check_property(struct session *session, struct bytes name, struct error *err)
{
    const struct ast_text text = { .text = name };
    const struct setting_kind *kind = NULL;
    struct bytes kept_name = { 0 };
    int code;

    pthread_mutex_lock(&session->engine->mutex); /* as above */
    code = property_find_for(&session->properties, SETTING_SESSION, &text, &kind, &kept_name, err);
    pthread_mutex_unlock(&session->engine->mutex);
    return code;
}

/* --- statements --- */

int engine_execute(struct engine *engine, struct session *session, struct bytes text,
                   const struct result_sink *sink, struct error *err)
{
    struct error nobody_asks;
    int code;

    pthread_mutex_lock(&engine->mutex);
    code = script_execute(session, text, sink, err ? err : &nobody_asks);
    pthread_mutex_unlock(&engine->mutex);
    session_set_client(session, NULL); /* what was to end this text must not end the next */
    return code;
}

int engine_drain(struct engine *engine, struct error *err)
{
    const struct connector_host *host = engine->config.connectors;

    TRY(runtime_drain(engine->runtime, err));
    if (host) {
        TRY(host->drain(host->context, err));
        TRY(runtime_drain(engine->runtime, err)); /* of what went to dead-letter topics */
    }
    return 0;
}

int64_t engine_now_ms(const struct engine *engine)
{
    return clock_now_ms(engine->config.clock);
}

struct bytes engine_cluster_id(struct engine *engine, struct arena *arena)
{
    struct bytes id = log_cluster_id(engine->config.log, arena);

    if (id.data) {
        return id;
    }
    return arena_copy(arena, bytes_of(engine->config.is_lasting ? engine->node_id : "memory"));
}

struct runtime *engine_runtime(struct engine *engine)
{
    return engine->runtime;
}

const struct catalog *engine_catalog(struct engine *engine)
{
    return engine->catalog;
}

struct log *engine_log(struct engine *engine)
{
    return engine->config.log;
}
