/*
 * select.c: SELECT of its own: push queries (EMIT CHANGES); pull queries are in pull.c.
 *
 * A push query is planned and run like any other, with a client's queue at its end, for as
 * long as somebody takes rows. A stepped engine ends it once the log has nothing more.
 */
#include "engine/command/command_internal.h"

/* Whoever ends a query wakes its queue, so the wait bounds nothing but a lost wake. */
enum { QUEUE_BYTES = 1 << 20, TAKE_WAIT_MS = 10000 };

static bool is_push(const struct command *command)
{
    return command->statement->select->emit != AST_EMIT_NONE;
}

static bool is_stepped(const struct command *command)
{
    return command->engine->config.mode == RUNTIME_STEPPED;
}

static int make_push(struct command *command, const struct physical_plan **out, struct error *err)
{
    struct bytes id = planning_client_id(command);
    struct plan_settings settings;
    struct plan_context context;

    if (push_is_scalable(command)) {
        TRY(push_scalable_id(command, &id, err));
    }
    planning_settings(command, &settings);
    planning_context(command, &settings, &context);
    return plan_push(&context, command->statement, id, out, err);
}

int select_check(struct command *command, struct error *err)
{
    const struct physical_plan *push = NULL;

    return is_push(command) ? make_push(command, &push, err) : pull_check(command, err);
}

/* --- push --- */

/* Turns the engine until a drain brings no more rows. */
static int follow_stepped(struct row_taker *push, struct error *err)
{
    struct runtime *runtime = push->command->engine->runtime;
    bool any = true;

    while (any && !push->finished && !push->stopped) {
        any = false;
        while (!push->finished && !push->stopped && runtime_step(runtime)) {
            TRY(row_taker_take(push, 0, &any, err));
        }
        if (!push->finished && !push->stopped) {
            TRY(runtime_drain(runtime, err));
        }
        TRY(row_taker_take(push, 0, &any, err));
    }
    return 0;
}

/* The engine is left to others meanwhile. */
static int follow_threaded(struct row_taker *push, struct error *err)
{
    pthread_mutex_t *mutex = &push->command->engine->mutex;
    bool any;
    int code = 0;

    pthread_mutex_unlock(mutex);
    while (!code && !push->finished && !push->stopped) {
        code = row_taker_take(push, TAKE_WAIT_MS, &any, err);
    }
    pthread_mutex_lock(mutex);
    return code;
}

static int check_failure(const struct command *command, const struct physical_plan *plan,
                         struct error *err)
{
    struct query_status status;

    TRY(runtime_query_status(command->engine->runtime, plan->query_id, &status, err));
    return status.state == QUERY_ERROR ? error_set(err, status.error.code, command->statement->at,
                                                   "%s", status.error.message)
                                       : 0;
}

static const char *end_message(const struct row_taker *push)
{
    const char *message = row_queue_message(push->queue);

    if (message) {
        return message;
    }
    return push->stopped ? "Query terminated" : "End of the log reached";
}

static int follow(struct row_taker *push, const struct physical_plan *plan, struct error *err)
{
    struct command *command = push->command;
    struct query_options options = planning_options(command, plan);
    int code;

    if (push_is_scalable(command)) {
        options.reset = RESET_LATEST;
    }
    TRY(runtime_start(command->engine->runtime, plan, &options, push->queue, err));
    rows_begin(command, plan->query_id, &plan->result);
    code = is_stepped(command) ? follow_stepped(push, err) : follow_threaded(push, err);
    code = code ? code : check_failure(command, plan, err);
    row_queue_close(push->queue);
    if (!code) {
        rows_end(command, end_message(push));
        return runtime_stop(command->engine->runtime, plan->query_id, err);
    }
    (void)runtime_stop(command->engine->runtime, plan->query_id, NULL); /* the first error counts */
    return code;
}

/* --- the list of push queries: SHOW QUERIES, TERMINATE --- */

const struct client_query *engine_find_client(const struct engine *engine, struct bytes id)
{
    const struct client_query *client = engine->clients;

    while (client && !bytes_equal_nocase(client->id, id)) {
        client = client->next;
    }
    return client;
}

static int check_client_limit(const struct command *command, struct error *err)
{
    int64_t limit = property_get_integer(command->properties, "ksql.max.push.queries");
    int64_t count = 0;
    int64_t held = 0;

    for (const struct client_query *c = command->engine->clients; c; c = c->next) {
        held += c->cache_bytes;
        count++;
    }
    if (count < limit) {
        return planning_check_caches(command, "ksql.query.transient.max.bytes.buffering.total",
                                     held, err);
    }
    return error_set(err, ERR_INVALID_PROPERTY, command->statement->at,
                     "There are %lld push queries, and ksql.max.push.queries allows %lld; end "
                     "one first",
                     (long long)count, (long long)limit);
}

static void list_client(struct command *command, struct client_query *client)
{
    struct client_query **end = &command->engine->clients;

    while (*end) {
        end = &(*end)->next;
    }
    *end = client;
    session_set_client(command->session, client->queue);
}

static void unlist_client(struct command *command, const struct client_query *client)
{
    struct client_query **at = &command->engine->clients;

    session_set_client(command->session, NULL);
    while (*at != client) {
        at = &(*at)->next;
    }
    *at = client->next;
}

static int run_push(struct command *command, struct error *err)
{
    const struct physical_plan *plan = NULL;
    struct row_taker push = { .command = command };
    struct client_query listed;
    int code;

    TRY(make_push(command, &plan, err));
    TRY(check_client_limit(command, err));
    command->engine->next_client++;
    push.client = rows_find_client(plan);
    push.queue = row_queue_create(QUEUE_BYTES);
    arena_init(&push.rows, 0);
    listed = (struct client_query){ .id = plan->query_id,
                                    .sql = command->statement->text,
                                    .queue = push.queue,
                                    .cache_bytes = planning_cache_bytes(command) };
    list_client(command, &listed);
    code = follow(&push, plan, err);
    unlist_client(command, &listed);
    arena_fini(&push.rows);
    row_queue_destroy(push.queue);
    return code;
}

int select_run(struct command *command, struct error *err)
{
    return is_push(command) ? run_push(command, err) : pull_run(command, err);
}
