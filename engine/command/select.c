/*
 * select.c: SELECT of its own: push queries (EMIT CHANGES) and pull queries.
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

static int check_pull_enabled(const struct command *command, struct error *err)
{
    const struct ast_query *query = command->statement->select;

    if (!property_get_boolean(command->properties, "ksql.pull.queries.enable")) {
        return error_set(err, ERR_UNSUPPORTED, query->at,
                         "Pull queries are switched off (ksql.pull.queries.enable)");
    }
    if (query->limit.given &&
        !property_get_boolean(command->properties, "ksql.query.pull.limit.clause.enabled")) {
        return error_set(err, ERR_PULL_CLAUSE, query->limit.at,
                         "LIMIT is switched off (ksql.query.pull.limit.clause.enabled)");
    }
    return 0;
}

static int make_pull(struct command *command, const struct pull_lookup **out, struct error *err)
{
    struct plan_settings settings;
    struct plan_context context;

    TRY(check_pull_enabled(command, err));
    planning_settings(command, &settings);
    planning_context(command, &settings, &context);
    return plan_pull(&context, command->statement, out, err);
}

static int make_push(struct command *command, const struct physical_plan **out, struct error *err)
{
    const struct ast_relation *from = &command->statement->select->from;
    struct bytes alias = from->alias.text.data ? from->alias.text : from->source.text;
    struct bytes id = arena_printf(command->arena, "transient_%.*s_%llu", BYTES_ARG(alias),
                                   (unsigned long long)command->engine->next_client);
    struct plan_settings settings;
    struct plan_context context;

    planning_settings(command, &settings);
    planning_context(command, &settings, &context);
    return plan_push(&context, command->statement, id, out, err);
}

int select_check(struct command *command, struct error *err)
{
    const struct physical_plan *push = NULL;
    const struct pull_lookup *pull = NULL;

    return is_push(command) ? make_push(command, &push, err) : make_pull(command, &pull, err);
}

/* --- telling rows --- */

static void begin_rows(const struct command *command, struct bytes id, const struct schema *schema)
{
    if (command->sink->rows_begin) {
        command->sink->rows_begin(command->sink->context, id, schema);
    }
}

static bool tell_row(const struct command *command, const struct value *cells, bool tombstone,
                     int64_t timestamp_ms)
{
    return !command->sink->row ||
           command->sink->row(command->sink->context, cells, tombstone, timestamp_ms);
}

static void end_rows(const struct command *command, const char *message)
{
    if (command->sink->rows_end) {
        command->sink->rows_end(command->sink->context, bytes_of(message));
    }
}

/* --- push --- */

struct push {
    struct command *command;
    const struct client_plan *client;
    struct row_queue *queue;
    struct arena rows; /* of the row that is being told */
    bool stopped;      /* the one who listens has had enough */
    bool finished;     /* there will be no more */
};

static const struct client_plan *find_client(const struct physical_plan *plan)
{
    const struct sub_plan *last = &plan->subs[plan->sub_count - 1];

    return &last->ops[last->op_count - 1].client;
}

/* Tells what is there; *any when there was something. */
static int take_rows(struct push *push, int64_t wait_ms, bool *any, struct error *err)
{
    const struct row_codec *codec = &push->client->codec;
    struct client_row row = { 0 };
    bool tombstone = false;

    while (!push->stopped &&
           row_queue_take(push->queue, wait_ms, &push->rows, &row, &tombstone, &push->finished)) {
        struct value *cells = arena_array(&push->rows, struct value, codec->column_count);

        TRY(row_codec_decode(codec, row.image, cells, &push->rows, err));
        push->stopped = !tell_row(push->command, cells, tombstone, row.timestamp_ms);
        arena_reset(&push->rows);
        *any = true;
    }
    return 0;
}

/* Turns the engine until a drain brings no more rows. */
static int follow_stepped(struct push *push, struct error *err)
{
    struct runtime *runtime = push->command->engine->runtime;
    bool any = true;

    while (any && !push->finished && !push->stopped) {
        any = false;
        while (!push->finished && !push->stopped && runtime_step(runtime)) {
            TRY(take_rows(push, 0, &any, err));
        }
        if (!push->finished && !push->stopped) {
            TRY(runtime_drain(runtime, err));
        }
        TRY(take_rows(push, 0, &any, err));
    }
    return 0;
}

/* The engine is left to others meanwhile. */
static int follow_threaded(struct push *push, struct error *err)
{
    pthread_mutex_t *mutex = &push->command->engine->mutex;
    bool any;
    int code = 0;

    pthread_mutex_unlock(mutex);
    while (!code && !push->finished && !push->stopped) {
        code = take_rows(push, TAKE_WAIT_MS, &any, err);
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

static const char *end_message(const struct push *push)
{
    const char *message = row_queue_message(push->queue);

    if (message) {
        return message;
    }
    return push->stopped ? "Query terminated" : "End of the log reached";
}

static int follow(struct push *push, const struct physical_plan *plan, struct error *err)
{
    struct command *command = push->command;
    struct query_options options = planning_options(command, plan);
    int code;

    TRY(runtime_start(command->engine->runtime, plan, &options, push->queue, err));
    begin_rows(command, plan->query_id, &plan->result);
    code = is_stepped(command) ? follow_stepped(push, err) : follow_threaded(push, err);
    code = code ? code : check_failure(command, plan, err);
    row_queue_close(push->queue);
    if (!code) {
        end_rows(command, end_message(push));
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

    for (const struct client_query *c = command->engine->clients; c; c = c->next) {
        count++;
    }
    if (count < limit) {
        return 0;
    }
    return error_set(err, ERR_INVALID_PROPERTY, command->statement->at,
                     "There are %lld push queries, and ksql.max.push.queries allows %lld; end "
                     "one first",
                     (long long)count, (long long)limit);
}

static void set_client(struct session *session, struct row_queue *queue)
{
    pthread_mutex_lock(&session->client_mutex);
    session->client = queue;
    if (queue && session->is_cancelled) {
        row_queue_finish(queue, "Query Completed");
    }
    pthread_mutex_unlock(&session->client_mutex);
}

static void list_client(struct command *command, struct client_query *client)
{
    struct client_query **end = &command->engine->clients;

    while (*end) {
        end = &(*end)->next;
    }
    *end = client;
    set_client(command->session, client->queue);
}

static void unlist_client(struct command *command, const struct client_query *client)
{
    struct client_query **at = &command->engine->clients;

    set_client(command->session, NULL);
    while (*at != client) {
        at = &(*at)->next;
    }
    *at = client->next;
}

static int run_push(struct command *command, struct error *err)
{
    const struct physical_plan *plan = NULL;
    struct push push = { .command = command };
    struct client_query listed;
    int code;

    TRY(make_push(command, &plan, err));
    TRY(check_client_limit(command, err));
    command->engine->next_client++;
    push.client = find_client(plan);
    push.queue = row_queue_create(QUEUE_BYTES);
    arena_init(&push.rows, 0);
    listed = (struct client_query){ .id = plan->query_id,
                                    .sql = command->statement->text,
                                    .queue = push.queue };
    list_client(command, &listed);
    code = follow(&push, plan, err);
    unlist_client(command, &listed);
    arena_fini(&push.rows);
    row_queue_destroy(push.queue);
    return code;
}

/* --- pull --- */

static int run_pull(struct command *command, struct error *err)
{
    const struct pull_lookup *lookup = NULL;
    struct pull_rows rows = { 0 };
    struct runtime *runtime = command->engine->runtime;
    bool more = true;

    TRY(make_pull(command, &lookup, err));
    if (is_stepped(command)) {
        TRY(runtime_drain(runtime, err));
    }
    TRY(runtime_pull(runtime, lookup, command->arena, &rows, err));
    begin_rows(command,
               arena_printf(command->arena, "query_%lld",
                            (long long)clock_now_ms(command->engine->config.clock)),
               &lookup->result);
    for (uint32_t i = 0; more && i < rows.row_count; i++) {
        more = tell_row(command, &rows.cells[(size_t)i * lookup->result.column_count], false,
                        rows.timestamps[i]);
    }
    end_rows(command, "Query Completed");
    return 0;
}

int select_run(struct command *command, struct error *err)
{
    return is_push(command) ? run_push(command, err) : run_pull(command, err);
}
