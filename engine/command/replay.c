/*
 * replay.c: from records of the statement log to catalog and running queries.
 *
 * The only way in: what a statement appended is applied from here, now and at every start. Queries
 * are started after the last record that is there, so that one which a later record
 * drops never runs again. A record that no longer plans, or whose plan would not fit the
 * state it left (its signature differs), is refused by name; the others go on.
 */
#include <stdlib.h>

#include "base/memory.h"
#include "base/trace.h"
#include "engine/command/command_internal.h"
#include "parser/parse.h"

void running_query_destroy(struct running_query *query)
{
    arena_fini(&query->arena);
    free(query);
}

struct running_query *engine_find_query(struct engine *engine, struct bytes id)
{
    return map_find(&engine->queries, id);
}

/* --- one record --- */

static int parse_one(struct arena *arena, struct bytes sql, const struct ast_statement **out,
                     struct error *err)
{
    struct ast_script script;

    TRY(parse_script(arena, arena_copy(arena, sql), &script, err));
    if (script.statements.count != 1) {
        return error_set(err, ERR_SYNTAX, NO_POSITION, "The record holds %u statements, not one",
                         script.statements.count);
    }
    *out = script.statements.items[0];
    return 0;
}

static int put_properties(const struct statement_record *record, struct property_set *set,
                          struct error *err)
{
    for (uint32_t i = 0; i < record->property_count; i++) {
        const struct ast_text name = { .text = record->properties[i].name };
        const struct ast_text value = { .text = record->properties[i].value };

        TRY(property_set_put(set, SETTING_SERVER, &name, &value, err));
    }
    return 0;
}

static int make_change(struct engine *engine, const struct statement_record *record,
                       const struct ast_statement *statement, struct property_set *properties,
                       struct arena *arena, struct change *out, struct error *err)
{
    const struct command_kind *kind = command_find(statement->kind);
    struct command command = { .engine = engine,
                               .arena = arena,
                               .catalog = engine->catalog,
                               .properties = properties,
                               .record = record };

    TRY(put_properties(record, properties, err));
    if (!kind || !kind->change) {
        return error_set(err, ERR_UNSUPPORTED, NO_POSITION, "%s does not change the catalog",
                         ast_statement_name(statement->kind));
    }
    command.statement = statement;
    return kind->change(&command, out, err);
}

static void stop_query(struct engine *engine, struct bytes id)
{
    struct running_query *query = map_remove(&engine->queries, id);
    struct error err;

    if (!query) {
        return;
    }
    if (query->started && runtime_stop(engine->runtime, id, &err)) {
        TRACE(TRACE_WARN, "command", "%.*s: %s", BYTES_ARG(id), err.message);
    }
    running_query_destroy(query);
}

/* One that has not been started is told when it is. */
static void pause_query(struct engine *engine, struct bytes id, bool pauses)
{
    struct running_query *query = map_find(&engine->queries, id);
    struct error err;
    int code = 0;

    if (!query) {
        return;
    }
    query->options.paused = pauses;
    if (query->started) {
        code = pauses ? runtime_pause(engine->runtime, id, &err)
                      : runtime_resume(engine->runtime, id, &err);
    }
    if (code) {
        TRACE(TRACE_WARN, "command", "%.*s: %s", BYTES_ARG(id), err.message);
    }
}

/* The number at the end: ids are not used again. One that somebody chose uses up a number too. */
static void note_number(struct engine *engine, struct bytes query_id)
{
    uint64_t number = 0;
    size_t at = query_id.len;

    if (!query_id.data) {
        return;
    }
    if (!name_is_generated_query(query_id)) {
        engine->next_query++;
        return;
    }
    while (at > 0 && query_id.data[at - 1] >= '0' && query_id.data[at - 1] <= '9') {
        at--;
    }
    for (; at < query_id.len; at++) {
        number = number * 10 + (uint64_t)(query_id.data[at] - '0');
    }
    if (number >= engine->next_query) {
        engine->next_query = number + 1;
    }
}

static void keep_properties(struct running_query *query, const struct statement_record *record)
{
    struct property_text *kept =
        arena_array(&query->arena, struct property_text, record->property_count);

    for (uint32_t i = 0; i < record->property_count; i++) {
        kept[i].name = arena_copy(&query->arena, record->properties[i].name);
        kept[i].value = arena_copy(&query->arena, record->properties[i].value);
    }
    query->properties = kept;
    query->property_count = record->property_count;
}

static int apply_change(struct engine *engine, const struct statement_record *record,
                        const struct ast_statement *statement, struct running_query *query,
                        struct change *change, struct error *err)
{
    struct property_set properties;
    int code;

    property_set_init(&properties, &engine->server);
    code = make_change(engine, record, statement, &properties, &query->arena, change, err);
    property_set_fini(&properties);
    for (uint32_t i = 0; i < change->stopped_count; i++) {
        stop_query(engine, change->stopped[i]);
    }
    for (uint32_t i = 0; i < change->paused_count; i++) {
        pause_query(engine, change->paused[i], change->pauses);
    }
    return code;
}

/* *id: of the command, in the arena. */
static int apply_record(struct engine *engine, const struct statement_record *record,
                        struct arena *arena, struct bytes *id, struct error *err)
{
    struct running_query *query = memory_zalloc(1, sizeof *query);
    const struct ast_statement *statement = NULL;
    struct change change = { 0 };
    int code;

    arena_init(&query->arena, 0);
    note_number(engine, record->query_id);
    code = parse_one(&query->arena, record->sql, &statement, err);
    if (!code) {
        code = apply_change(engine, record, statement, query, &change, err);
        *id = outcomes_note(&engine->outcomes, arena, statement, &change, err);
    }
    if (!code && change.plan) {
        query->plan = change.plan;
        query->options = change.options;
        keep_properties(query, record);
        map_put(&engine->queries, change.plan->query_id, query);
    } else {
        running_query_destroy(query);
    }
    return code;
}

/* --- all that is new --- */

static int start_query(struct engine *engine, struct running_query *query)
{
    int code = runtime_start(engine->runtime, query->plan, &query->options, NULL, &query->failure);

    query->started = !code;
    if (code) {
        TRACE(TRACE_WARN, "command", "%.*s: %s", BYTES_ARG(query->plan->query_id),
              query->failure.message);
    }
    return code;
}

/* own: the query whose start is the outcome; absent: none. */
static void start_queries(struct engine *engine, struct bytes own, struct error *outcome)
{
    MAP_FOREACH (entry, &engine->queries) {
        struct running_query *query = entry->value;
        bool is_own;

        if (query->started || query->failure.code) {
            continue;
        }
        is_own = own.data && bytes_equal(own, query->plan->query_id);
        query->options.ran_before = !is_own; /* there is nobody to tell: it waits until it can */
        if (start_query(engine, query) && is_own) {
            *outcome = query->failure;
        }
    }
}

static struct bytes apply(struct engine *engine, const struct statement_record *record,
                          struct arena *arena, struct error *outcome)
{
    struct error failure = { 0 };
    struct bytes id = { NULL, 0 };

    if (!record->sql.data) {
        error_set(&failure, ERR_STATE_DAMAGED, NO_POSITION,
                  "a record of the statement log cannot be read");
        TRACE(TRACE_WARN, "command", "left out: %s", failure.message);
    } else if (apply_record(engine, record, arena, &id, &failure)) {
        TRACE(TRACE_WARN, "command", "left out: %.*s: %s", BYTES_ARG(record->sql), failure.message);
    }
    if (record->is_own) {
        *outcome = failure;
    }
    return id;
}

/* Which node runs a connector's task is known to the members of the service. */
static void share_connectors(struct engine *engine)
{
    struct error err = { 0 };
    struct arena arena;
    const struct connector_entry *const *all = NULL;

    arena_init(&arena, 0);
    if (engine->config.is_shared && catalog_list_connectors(engine->catalog, &arena, &all) > 0 &&
        runtime_join(engine->runtime, &err)) {
        TRACE(TRACE_WARN, "command", "connectors wait: %s", err.message);
    }
    arena_fini(&arena);
}

static void reconcile_connectors(struct engine *engine)
{
    const struct connector_host *host = engine->config.connectors;

    if (host) {
        share_connectors(engine);
        host->reconcile(host->context, engine->catalog);
    }
}

void replay_retry(struct engine *engine)
{
    MAP_FOREACH (entry, &engine->queries) {
        struct running_query *query = entry->value;

        if (!query->started && query->failure.code) {
            error_clear(&query->failure);
            (void)start_query(engine, query); /* traced */
        }
    }
    share_connectors(engine);
}

/* A query that cannot be started is taken back, unless it may work out later. */
static void note_failure(struct engine *engine, struct bytes id, const struct error *outcome)
{
    const struct bytes no_query = { NULL, 0 };
    bool is_passing = engine->config.is_shared && error_class_of(outcome->code) == ERROR_TRANSIENT;

    if (outcome->code && id.data && !is_passing) {
        outcomes_put(&engine->outcomes, id, "ERROR", bytes_of(outcome->message), no_query);
    }
}

int replay_catch_up(struct engine *engine, enum statement_log_extent extent, struct error *outcome,
                    struct error *err)
{
    const struct statement_record *records = NULL;
    const struct bytes none = { NULL, 0 };
    struct bytes own = none;
    struct bytes own_id = none;
    struct arena arena;
    uint32_t count = 0;
    int code;

    error_clear(outcome);
    arena_init(&arena, 0);
    code = statement_log_read(engine->slog, extent, &arena, &records, &count, err);
    for (uint32_t i = 0; i < count; i++) {
        struct bytes id = apply(engine, &records[i], &arena, outcome);

        own = records[i].is_own ? records[i].query_id : own;
        own_id = records[i].is_own ? id : own_id;
    }
    if (count > 0) {
        start_queries(engine, own, outcome);
        note_failure(engine, own_id, outcome);
        reconcile_connectors(engine);
        outcomes_advance(&engine->outcomes, count);
    }
    arena_fini(&arena);
    return code;
}
