/*
 * pull.c: pull queries: what a table or a stream holds now.
 *
 * Rows come slice by slice, and the engine is left to others while they do: a long scan keeps
 * nobody from anything. A stepped engine is drained first. What the plan points to in the catalog
 * stays readable when its table is dropped meanwhile; the scan then ends with an error.
 *
 * What other nodes have of a table comes behind what is here, node by node: each is sent the
 * statement with the partitions to look into.
 */
#include "engine/command/command_internal.h"
#include "parser/ast_print.h"

enum { QUEUE_BYTES = 1 << 20, STREAM_WAIT_MS = 100 };

static bool is_on_stream(const struct command *command)
{
    const struct ast_query *query = command->statement->select;
    const struct source *source = catalog_find_source(command->catalog, query->from.source.text);

    return source && source->kind == SOURCE_STREAM;
}

static int check_enabled(const struct command *command, struct error *err)
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
    if (is_on_stream(command) &&
        !property_get_boolean(command->properties, "ksql.query.pull.stream.enabled")) {
        return error_set(err, ERR_UNSUPPORTED, query->from.source.at,
                         "Pull queries on streams are switched off "
                         "(ksql.query.pull.stream.enabled); EMIT CHANGES makes it a push query");
    }
    return 0;
}

static int plan_lookup(struct command *command, const struct pull_lookup **out, struct error *err)
{
    struct plan_settings settings;
    struct plan_context context;

    planning_settings(command, &settings);
    planning_context(command, &settings, &context);
    return plan_pull(&context, command->statement, out, err);
}

static int plan_stream(struct command *command, const struct physical_plan **out, struct error *err)
{
    struct bytes id = planning_client_id(command);
    struct plan_settings settings;
    struct plan_context context;

    planning_settings(command, &settings);
    planning_context(command, &settings, &context);
    return plan_stream_pull(&context, command->statement, id, out, err);
}

int pull_plan(struct command *command, const struct pull_lookup **lookup,
              const struct physical_plan **plan, struct error *err)
{
    TRY(check_enabled(command, err));
    return is_on_stream(command) ? plan_stream(command, plan, err)
                                 : plan_lookup(command, lookup, err);
}

int pull_check(struct command *command, struct error *err)
{
    const struct physical_plan *plan = NULL;
    const struct pull_lookup *lookup = NULL;

    return pull_plan(command, &lookup, &plan, err);
}

/* --- tables --- */

struct table_pull {
    struct command *command;
    const struct pull_lookup *lookup;
    struct pull_cursor cursor;
    struct arena rows;  /* of a slice */
    int64_t timeout_ms; /* of other nodes */
    bool has_begun;
    bool stopped; /* the one who listens has had enough */
};

static void begin_table(struct table_pull *pull)
{
    const struct command *command = pull->command;
    long long now_ms = (long long)clock_now_ms(command->engine->config.clock);

    if (pull->has_begun) {
        return;
    }
    rows_begin(command, arena_printf(command->arena, "query_%lld", now_ms), &pull->lookup->result);
    pull->has_begun = true;
}

/* The header waits for the first row: what fails until then is refused as a whole. */
static int tell_slice(struct table_pull *pull, struct error *err)
{
    uint32_t width = pull->lookup->result.column_count;
    struct pull_rows rows = { 0 };

    TRY(runtime_pull(pull->command->engine->runtime, pull->lookup, &pull->cursor, &pull->rows,
                     &rows, err));
    if (rows.row_count > 0) {
        begin_table(pull);
    }
    for (uint32_t i = 0; !pull->stopped && i < rows.row_count; i++) {
        pull->stopped =
            !rows_tell(pull->command, &rows.cells[(size_t)i * width], false, rows.timestamps[i]);
    }
    arena_reset(&pull->rows);
    return 0;
}

/* --- what other nodes have --- */

static bool tell_row_of_peer(void *context, const struct value *cells, int64_t timestamp_ms)
{
    struct table_pull *pull = context;
    int64_t limit = pull->lookup->limit;

    begin_table(pull);
    pull->stopped = !rows_tell(pull->command, cells, false, timestamp_ms) ||
                    session_is_cancelled(pull->command->session);
    pull->cursor.found++;
    pull->cursor.limited = limit >= 0 && pull->cursor.found >= (uint64_t)limit;
    return !pull->stopped && !pull->cursor.limited;
}

static struct bytes query_text(const struct command *command)
{
    struct buffer text = { 0 };
    struct bytes copy;

    ast_print_statement(&text, command->statement);
    copy = arena_copy(command->arena, buffer_bytes(&text));
    buffer_fini(&text);
    return copy;
}

/* The partitions of one node, taken out of those that are left. */
static uint32_t take_partitions(const struct table_pull *pull, struct bytes *nodes,
                                struct bytes node, uint32_t *out)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < pull->cursor.away_count; i++) {
        if (nodes[i].data && bytes_equal(nodes[i], node)) {
            out[count++] = pull->cursor.away[i];
            nodes[i].data = NULL;
        }
    }
    return count;
}

static int ask_peers(struct table_pull *pull, struct error *err)
{
    const struct command *command = pull->command;
    const struct peer_host *peers = command->engine->config.peers;
    uint32_t count = pull->cursor.away_count;
    struct bytes *nodes = arena_array(command->arena, struct bytes, count);
    uint32_t *partitions = arena_array(command->arena, uint32_t, count);
    struct peer_pull request = { .sql = query_text(command),
                                 .partitions = partitions,
                                 .schema = &pull->lookup->result,
                                 .timeout_ms = pull->timeout_ms,
                                 .row = tell_row_of_peer,
                                 .context = pull };

    request.property_count =
        session_list_properties(command->session, command->arena, &request.properties);
    TRY(runtime_find_pull_nodes(command->engine->runtime, pull->lookup->query_id, pull->cursor.away,
                                count, command->arena, nodes, err));
    for (uint32_t i = 0; i < count && !pull->stopped && !pull->cursor.limited; i++) {
        if (nodes[i].data) {
            request.node = nodes[i];
            request.partition_count = take_partitions(pull, nodes, request.node, partitions);
            TRY(peers->pull(peers->context, &request, err));
        }
    }
    return 0;
}

static int follow_table(struct table_pull *pull, struct error *err)
{
    pthread_mutex_t *mutex = &pull->command->engine->mutex;
    int code = 0;

    pthread_mutex_unlock(mutex);
    while (!code && !pull->cursor.done && !pull->stopped &&
           !session_is_cancelled(pull->command->session)) {
        code = tell_slice(pull, err);
    }
    if (!code && pull->cursor.away_count > 0 && !pull->cursor.limited && !pull->stopped &&
        !session_is_cancelled(pull->command->session)) {
        code = ask_peers(pull, err);
    }
    pthread_mutex_lock(mutex);
    return code;
}

static int run_table(struct command *command, struct error *err)
{
    struct table_pull pull = { .command = command };
    int code;

    TRY(plan_lookup(command, &pull.lookup, err));
    pull.timeout_ms =
        property_get_integer(command->properties, "ksql.query.pull.forwarding.timeout.ms");
    pull.cursor.notes_away = command->engine->config.peers && !command->session->is_local;
    pull.cursor.only = command->session->partitions;
    pull.cursor.only_count = command->session->partition_count;
    arena_init(&pull.rows, 0);
    code = follow_table(&pull, err);
    if (!code) {
        begin_table(&pull); /* of no rows */
        rows_end(command, pull.cursor.limited ? "Limit Reached" : "Query Completed");
    }
    arena_fini(&pull.rows);
    pull_cursor_fini(&pull.cursor);
    return code;
}

/* --- streams --- */

static int read_stream(struct row_taker *taker, struct stream_pull *pull, struct error *err)
{
    bool done = false;
    bool any = false;

    while (!done && !taker->finished && !taker->stopped) {
        TRY(stream_pull_step(pull, STREAM_WAIT_MS, &done, err));
        if (done) {
            row_queue_finish(taker->queue, "Query Completed"); /* unless LIMIT has */
        }
        TRY(row_taker_take(taker, 0, &any, err));
    }
    return 0;
}

static int follow_stream(struct row_taker *taker, const struct physical_plan *plan,
                         struct error *err)
{
    struct command *command = taker->command;
    struct engine *engine = command->engine;
    const struct query_options options = planning_options(command, plan);
    struct stream_pull *pull = NULL;
    const char *message;
    int code;

    TRY(stream_pull_open(engine->runtime, plan, &options, taker->queue, &pull, err));
    pthread_mutex_unlock(&engine->mutex);
    rows_begin(command, plan->query_id, &plan->result);
    code = read_stream(taker, pull, err);
    pthread_mutex_lock(&engine->mutex);
    stream_pull_close(pull);
    message = row_queue_message(taker->queue);
    if (!code) {
        rows_end(command, message ? message : "Query terminated");
    }
    return code;
}

static int run_stream(struct command *command, struct error *err)
{
    const struct physical_plan *plan = NULL;
    struct row_taker taker = { .command = command };
    int code;

    TRY(plan_stream(command, &plan, err));
    command->engine->next_client++;
    taker.client = rows_find_client(plan);
    taker.queue = row_queue_create(QUEUE_BYTES);
    arena_init(&taker.rows, 0);
    session_set_client(command->session, taker.queue);
    code = follow_stream(&taker, plan, err);
    session_set_client(command->session, NULL);
    arena_fini(&taker.rows);
    row_queue_destroy(taker.queue);
    return code;
}

int pull_run(struct command *command, struct error *err)
{
    TRY(check_enabled(command, err));
    if (command->engine->config.mode == RUNTIME_STEPPED) {
        TRY(runtime_drain(command->engine->runtime, err));
    }
    return is_on_stream(command) ? run_stream(command, err) : run_table(command, err);
}
