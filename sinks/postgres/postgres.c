/*
 * postgres.c: the Postgres sinks: JDBC's classes, and PostgresSink with other defaults.
 *
 * Rows and positions are committed in one transaction. A flush that Postgres refuses for a row's
 * sake is rolled back and done again by bisect.c; one that fails for any other reason ends the
 * attempt, and the next one begins where the table of positions says.
 */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/trace.h"
#include "engine/type/java_text.h"
#include "sinks/postgres/postgres_internal.h"

/* --- options --- */

#define OPTION(name, type, jdbc, postgres, choices, least, effect, doc) \
    { name, type, jdbc, choices, least, effect, doc },
static const struct option_spec jdbc_options[] = {
#include "sinks/postgres/options.def"
    { 0 }
};
#undef OPTION
#define OPTION(name, type, jdbc, postgres, choices, least, effect, doc) \
    { name, type, postgres, choices, least, effect, doc },
static const struct option_spec postgres_options[] = {
#include "sinks/postgres/options.def"
    { 0 }
};
#undef OPTION

bool postgres_is_beyond(const struct options *options)
{
    return options->own == postgres_options;
}

static int check_modes(const struct options *options, const char **option, struct error *err)
{
    bool by_key = options_is(options, "pk.mode", "record_key");
    bool has_key = !options_is(options, "pk.mode", "none");

    *option = "insert.mode";
    if (!options_is(options, "insert.mode", "insert") && !has_key) {
        return error_set(err, ERR_INVALID_PROPERTY, NO_POSITION,
                         "'insert.mode' = '%.*s' needs a key: set 'pk.mode' to record_key, "
                         "record_value or kafka",
                         BYTES_ARG(options_text(options, "insert.mode")));
    }
    *option = "delete.enabled";
    if (options_boolean(options, "delete.enabled") && !by_key && !postgres_is_beyond(options)) {
        return error_set(err, ERR_INVALID_PROPERTY, NO_POSITION,
                         "'delete.enabled' needs 'pk.mode' = 'record_key': a record without a "
                         "value has a key alone");
    }
    return 0;
}

static int check_url(const struct options *options, struct error *err)
{
    struct connect_parameters ignored;
    struct arena arena;
    int code = 0;

    if (!options_text(options, "connection.url").data) {
        return error_set(err, ERR_MISSING_PROPERTY, NO_POSITION,
                         "'connection.url' is missing: jdbc:postgresql://HOST:PORT/DATABASE says "
                         "where the rows go");
    }
    arena_init(&arena, 0);
    if (!bytes_starts_with(options_text(options, "connection.url"), bytes_of("${")) &&
        !options_is_given(options, "connection.password.file")) {
        code = url_parse(options, &arena, &ignored, err);
    }
    arena_fini(&arena);
    return code;
}

static int check(const struct options *options, const char **option, struct error *err)
{
    *option = "connection.url";
    TRY(check_url(options, err));
    *option = "table.name.format";
    if (java_trim(options_text(options, "table.name.format")).len == 0) {
        return error_set(err, ERR_INVALID_PROPERTY, NO_POSITION,
                         "'table.name.format' names no table");
    }
    return check_modes(options, option, err);
}

static void patience(const struct options *options, struct sink_patience *out)
{
    out->retries = options_integer(options, "max.retries");
    out->backoff_ms = options_integer(options, "retry.backoff.ms");
    out->longest_ms = postgres_is_beyond(options) ? 30000 : out->backoff_ms;
}

/* --- start and stop --- */

/* What the session is told once, so that no statement has to say it. */
static int set_up(struct sink *s, struct error *err)
{
    struct postgres_state *state = s->state;
    /* Once the log has ended nobody reads again what a crash of Postgres would take. */
    bool off = options_is(&s->options, "synchronous.commit", "off");
    struct buffer sql = { 0 };
    int code;

    buffer_printf(&sql,
                  "SET synchronous_commit = %s; SET lock_timeout = %lld; "
                  "SET statement_timeout = %lld; SET DateStyle = ISO; SET TimeZone = 'UTC'",
                  off ? "off" : "on", (long long)options_integer(&s->options, "lock.timeout.ms"),
                  (long long)options_integer(&s->options, "statement.timeout.ms"));
    buffer_append_char(&sql, '\0');
    code = session_run(&state->loader.session, sql.data, NULL, err);
    buffer_fini(&sql);
    return code;
}

static const char *quote_table(struct postgres_state *state, struct bytes name)
{
    char *quoted = PQescapeIdentifier(state->loader.session.conn, name.data, name.len);
    const char *kept = arena_copy_text(&state->arena, bytes_of(quoted ? quoted : ""));

    PQfreemem(quoted);
    return kept;
}

static int take_over(struct sink *s, struct positions *from, struct error *err)
{
    struct postgres_state *state = s->state;
    bool allowed = true;
    int code;

    state->offsets.sink = s->connector;
    state->offsets.table = quote_table(state, options_text(&s->options, "offset.table"));
    if (options_is(&s->options, "exactly.once", "false")) {
        return 0;
    }
    code = offsets_create(&state->loader.session, &state->offsets, &allowed, err);
    if (code && !allowed && options_is(&s->options, "exactly.once", "auto")) {
        TRACE(TRACE_WARN, "connector", "%.*s: rows may be written twice after a crash: %s",
              BYTES_ARG(s->connector), err ? err->message : "");
        error_clear(err);
        return 0;
    }
    TRY(code);
    state->keeps_positions = true;
    s->keeps_positions = true;
    return offsets_fence(&state->loader.session, &state->offsets, from, err);
}

static int start(struct sink *s, struct positions *from, struct error *err)
{
    struct postgres_state *state = memory_zalloc(1, sizeof *state);
    struct connect_parameters parameters;

    s->state = state;
    arena_init(&state->arena, 0);
    arena_init(&state->batch, 0);
    arena_init(&state->offsets.arena, 0);
    state->loader.session.interrupted = s->interrupted;
    state->loader.session.answer_within_ms = s->answer_within_ms;
    state->loader.session.hides_values = options_boolean(&s->options, "trim.sensitive.log");
    TRY(url_parse(&s->options, &state->arena, &parameters, err));
    TRY(session_open(&state->loader.session, &parameters, &state->arena, err));
    TRY(take_over(s, from, err));
    return set_up(s, err);
}

static void stop(struct sink *s)
{
    struct postgres_state *state = s->state;

    if (!state) {
        return;
    }
    s->may_retry_at_once =
        state->loader.session.fault == FAULT_BUSY || state->loader.session.fault == FAULT_STALE;
    session_close(&state->loader.session);
    for (uint32_t i = 0; i < state->targets.count; i++) {
        struct target *target = state->targets.items[i];

        for (uint32_t c = 0; c < target->column_count; c++) {
            codec_fini(target->columns[c].codec);
        }
        pending_destroy(target->pending);
    }
    buffer_fini(&state->loader.scratch);
    arena_fini(&state->offsets.arena);
    arena_fini(&state->batch);
    arena_fini(&state->arena);
    free(state);
    s->state = NULL;
}

/* --- write --- */

static int find_target(struct sink *s, const struct row_batch *in, struct target **out,
                       struct error *err)
{
    struct postgres_state *state = s->state;
    struct target *target;

    for (uint32_t i = 0; i < state->targets.count; i++) {
        if (state->targets.items[i]->shape == in->shape) {
            *out = state->targets.items[i];
            return 0;
        }
    }
    /* DDL is a transaction of its own: what was streamed for other tables comes again later. */
    TRY(load_cancel_stream(&state->loader, err));
    for (uint32_t i = 0; i < state->targets.count; i++) {
        state->targets.items[i]->pending->sent = 0;
    }
    target = arena_new(&state->arena, struct target);
    TRY(target_plan(&s->options, in, state->loader.session.conn, &state->arena, target, err));
    target->pending = pending_create();
    *vec_push(&state->arena, &state->targets) = target;
    TRY(target_prepare(&state->loader.session, &s->options, &state->arena, target, err));
    *out = target;
    return 0;
}

static struct value coordinate(const struct target_column *column, const struct row_origin *origin)
{
    switch (column->origin) {
    case FROM_TOPIC:
        return value_text(T_STRING, bytes_of(origin->topic));
    case FROM_PARTITION:
        return value_i64(T_INTEGER, origin->partition);
    case FROM_OFFSET:
    case FROM_ROW:
        break;
    }
    return value_i64(T_BIGINT, origin->offset);
}

static int encode_column(const struct target_column *column, const struct row_banks *banks,
                         const struct row_origin *origin, struct buffer *out, struct error *err)
{
    const struct value *v = NULL;
    struct value own;

    if (column->origin == FROM_ROW) {
        v = banks_value(banks, column->at);
    } else {
        own = coordinate(column, origin);
        v = &own;
    }
    if (!value_is_null(v)) {
        return column->codec->encode(column->codec, v, out, err);
    }
    if (column->is_key) {
        return error_set(err, ERR_SINK_REFUSED, NO_POSITION, "the key column %.*s is null",
                         BYTES_ARG(column->name));
    }
    put_u32(out, UINT32_MAX);
    return 0;
}

static int encode_key(const struct target *target, const struct row_banks *banks,
                      const struct row_origin *origin, struct pending_row *row, struct error *err)
{
    struct buffer *bytes = &target->pending->bytes;
    bool is_needed = target->deletes || target->mode != MODE_INSERT;

    row->key_at = bytes->len;
    for (uint32_t i = 0; is_needed && i < target->key_count; i++) {
        const struct target_column *column = &target->columns[target->keys[i]];

        if (encode_column(column, banks, origin, bytes, err)) {
            return error_prefix(err, "column %.*s", BYTES_ARG(column->name));
        }
    }
    row->key_len = (uint32_t)(bytes->len - row->key_at);
    return 0;
}

static int encode_tuple(const struct target *target, const struct row_banks *banks,
                        const struct row_origin *origin, struct pending_row *row, struct error *err)
{
    struct buffer *bytes = &target->pending->bytes;

    row->tuple_at = bytes->len;
    put_u16(bytes, (uint16_t)target->column_count);
    for (uint32_t i = 0; i < target->column_count; i++) {
        const struct target_column *column = &target->columns[i];

        if (encode_column(column, banks, origin, bytes, err)) {
            return error_prefix(err, "column %.*s", BYTES_ARG(column->name));
        }
    }
    row->tuple_len = (uint32_t)(bytes->len - row->tuple_at);
    return 0;
}

static int encode_row(const struct target *target, const struct row_batch *in, uint32_t number,
                      struct error *err)
{
    const struct row_banks banks = batch_row_new(in, number);
    const struct row_origin *origin = &in->origins[in->meta[number].origin];
    struct pending *p = target->pending;
    struct pending_row *row = pending_begin(p);
    size_t begin = p->bytes.len;
    int code;

    row->offset = origin->offset;
    row->partition = origin->partition;
    row->deletes = !(in->meta[number].change & ROW_HAS_NEW);
    if (row->deletes && !target->deletes) {
        return error_set(err, ERR_SINK_REFUSED, NO_POSITION,
                         "the record has no value, and 'delete.enabled' with 'pk.mode' = "
                         "'record_key' would be needed to delete a row");
    }
    code = encode_key(target, &banks, origin, row, err);
    if (!code && !row->deletes) {
        code = encode_tuple(target, &banks, origin, row, err);
    }
    if (code) {
        p->bytes.len = begin;
        return code;
    }
    p->row_count++;
    return 0;
}

static int write(struct sink *s, const struct row_batch *in, struct error *err)
{
    struct postgres_state *state = s->state;
    struct target *target = NULL;

    TRY(find_target(s, in, &target, err));
    for (uint32_t i = 0; i < in->selected_count; i++) {
        uint32_t number = batch_selected(in, i);
        struct error why = { 0 };

        if (encode_row(target, in, number, &why)) {
            s->refusal = (struct sink_refusal){ .state = "" }; /* Postgres was not asked */
            TRY(s->refuse(s->context, &in->origins[in->meta[number].origin], &why, err));
        }
    }
    if (target->way == LOAD_COPY && !state->must_bisect &&
        load_stream(&state->loader, target, err)) {
        if (state->loader.session.fault != FAULT_RECORD) {
            return (int)err->code;
        }
        error_clear(err);
        state->must_bisect = true; /* at the flush, when all rows are there */
    }
    return 0;
}

/* --- flush --- */

static int send_pending(struct postgres_state *state, struct target *target, uint32_t *sent,
                        struct error *err)
{
    struct step *steps = NULL;
    uint32_t count = pending_plan(target->pending, target, &state->batch, &steps);

    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t done = 0; done < steps[i].count;) {
            uint32_t left = steps[i].count - done;
            uint32_t rows = left < target->batch_rows ? left : target->batch_rows;

            TRY(load_send(&state->loader, target, steps[i].deletes,
                          target->pending->order + steps[i].first + done, rows, &state->batch,
                          err));
            (*sent)++;
            done += rows;
        }
    }
    return 0;
}

static int send_text(struct postgres_state *state, const char *sql, uint32_t *sent,
                     struct error *err)
{
    struct session *s = &state->loader.session;

    (*sent)++;
    return PQsendQueryParams(s->conn, sql, 0, NULL, NULL, NULL, NULL, 0) ? 0
                                                                         : session_broken(s, err);
}

/* What is behind the first error was skipped. */
static int settle_all(struct session *s, uint32_t sent, uint32_t fence_at, struct error *err)
{
    struct error first = { 0 };
    enum fault fault = FAULT_NONE;

    for (uint32_t i = 0; i <= sent; i++) { /* the last one is the sync */
        struct error next = { 0 };

        s->is_fence = i == fence_at;
        if (session_settle(s, &next) && !first.code) {
            first = next;
            fault = s->fault;
        }
        if (first.code && fault == FAULT_CONNECTION) {
            break;
        }
    }
    s->is_fence = false;
    if (first.code) {
        s->fault = fault;
        return error_set(err, first.code, NO_POSITION, "%s", first.message);
    }
    return 0;
}

/* In a pipeline, behind `sent` statements that are in it already. */
static int commit_pipeline(struct postgres_state *state, const struct positions *upto,
                           uint32_t sent, struct error *err)
{
    struct session *s = &state->loader.session;
    uint32_t fence_at = UINT32_MAX;
    bool moves = false;

    if (state->keeps_positions) {
        TRY(offsets_send(s, &state->offsets, upto, &moves, err));
    }
    if (moves) {
        fence_at = sent++;
    }
    TRY(send_text(state, "COMMIT", &sent, err));
    if (!PQpipelineSync(s->conn)) {
        return session_broken(s, err);
    }
    return settle_all(s, sent, fence_at, err);
}

int postgres_commit(struct postgres_state *state, const struct positions *upto, uint32_t sent,
                    struct error *err)
{
    struct session *s = &state->loader.session;
    int code;

    if (PQpipelineStatus(s->conn) == PQ_PIPELINE_OFF && !PQenterPipelineMode(s->conn)) {
        return session_broken(s, err);
    }
    code = commit_pipeline(state, upto, sent, err);
    if (!PQexitPipelineMode(s->conn) && !code) {
        code = session_broken(s, err);
    }
    if (!code) {
        offsets_moved(&state->offsets, upto);
    }
    return code;
}

static int flush_streams(struct postgres_state *state, struct error *err)
{
    for (uint32_t i = 0; i < state->targets.count; i++) {
        if (state->targets.items[i]->way == LOAD_COPY) {
            TRY(load_stream_rest(&state->loader, state->targets.items[i], err));
        }
    }
    return load_end_stream(&state->loader, err);
}

static int flush_arrays(struct postgres_state *state, uint32_t *sent, struct error *err)
{
    if (!state->loader.in_transaction) {
        TRY(send_text(state, "BEGIN", sent, err));
    }
    for (uint32_t i = 0; i < state->targets.count; i++) {
        struct target *target = state->targets.items[i];

        if (target->way == LOAD_ARRAYS && target->pending->row_count > 0) {
            TRY(send_pending(state, target, sent, err));
        }
    }
    return 0;
}

static int flush_all(struct postgres_state *state, const struct positions *upto, struct error *err)
{
    struct session *s = &state->loader.session;
    uint32_t sent = 0;

    TRY(flush_streams(state, err));
    if (!PQenterPipelineMode(s->conn)) {
        return session_broken(s, err);
    }
    TRY(flush_arrays(state, &sent, err));
    return postgres_commit(state, upto, sent, err);
}

static void clear(struct postgres_state *state)
{
    for (uint32_t i = 0; i < state->targets.count; i++) {
        pending_clear(state->targets.items[i]->pending);
    }
    state->loader.in_transaction = false;
    state->loader.copying = NULL;
    state->must_bisect = false;
    arena_reset(&state->batch);
}

static int roll_back(struct postgres_state *state, struct error *err)
{
    struct session *s = &state->loader.session;

    return PQtransactionStatus(s->conn) == PQTRANS_IDLE ? 0 : session_run(s, "ROLLBACK", NULL, err);
}

static int flush(struct sink *s, const struct positions *upto, struct error *err)
{
    struct postgres_state *state = s->state;
    int code = state->must_bisect ? ERR_SINK_REFUSED : flush_all(state, upto, err);

    if (code == ERR_SINK_REFUSED) {
        error_clear(err);
        TRY(roll_back(state, err));
        code = bisect_flush(s, upto, err);
    }
    TRY(code);
    clear(state);
    return 0;
}

/* --- kinds --- */

static const char *const jdbc_classes[] = { "io.confluent.connect.jdbc.JdbcSinkConnector",
                                            "io.aiven.connect.jdbc.JdbcSinkConnector", NULL };

const struct sink_kind sink_jdbc = { .classes = jdbc_classes,
                                     .options = jdbc_options,
                                     .check = check,
                                     .patience = patience,
                                     .start = start,
                                     .write = write,
                                     .flush = flush,
                                     .stop = stop };

static const char *const postgres_classes[] = { "PostgresSink", NULL };

const struct sink_kind sink_postgres = { .classes = postgres_classes,
                                         .options = postgres_options,
                                         .check = check,
                                         .patience = patience,
                                         .start = start,
                                         .write = write,
                                         .flush = flush,
                                         .stop = stop };
