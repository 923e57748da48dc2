/*
 * change.c: a statement that changes the catalog, from validation to its effect.
 *
 *   be the only writer -> read to the end -> validate -> make the topic -> append
 *   -> read what was appended and apply it, as every restart will
 *
 * Another writer that came in between fences the append, and all is done again; after one whose
 * outcome is unknown the log is read for it. A query that cannot start although its statement is in
 * the log is taken back by a DROP or TERMINATE behind it.
 */
#include <string.h>

#include "engine/command/command_internal.h"
#include "parser/ast_print.h"

/* Outages take long to notice, unlike other writers: after a few of them that is the answer. */
enum { ATTEMPTS = 50, OUTAGE_WEIGHT = 20 };

/* What comes out may point into the overlay. */
static int validate(const struct command *command, const struct command_kind *kind,
                    struct catalog *overlay, struct change *out, struct error *err)
{
    struct command trial = *command;
    struct change change = { 0 };
    int code;

    trial.catalog = overlay;
    trial.next_query = command->engine->next_query;
    code = kind->change(&trial, &change, err);
    if (!code) {
        *out = change;
    }
    return code;
}

/* --- the record --- */

/* What the session or the server says otherwise than the defaults, if a session could. */
static void fill_properties(const struct command *command, struct statement_record *out)
{
    struct property_text *kept;
    const struct property_text *all = NULL;
    struct property_set merged;
    uint32_t count;

    property_set_init(&merged, NULL);
    property_set_add_all(&merged, &command->engine->server);
    property_set_add_all(&merged, command->properties);
    count = property_set_list(&merged, command->arena, &all);
    kept = arena_array(command->arena, struct property_text, count);
    for (uint32_t i = 0; i < count; i++) {
        const struct setting_kind *kind = NULL;
        struct bytes name = { 0 };

        if (!setting_find(all[i].name, NO_POSITION, &kind, &name, NULL) &&
            kind->scope == SETTING_SESSION) {
            kept[out->property_count].name = arena_copy(command->arena, all[i].name);
            kept[out->property_count++].value = arena_copy(command->arena, all[i].value);
        }
    }
    out->properties = kept;
    property_set_fini(&merged);
}

static int append(const struct command *command, struct change *change, struct error *err)
{
    struct statement_record record = { .sql = change->sql, .planner = STATEMENT_PLANNER_VERSION };

    fill_properties(command, &record);
    if (change->plan) {
        record.query_id = change->plan->query_id;
        record.signature = plan_signature(change->plan);
        record.has_signature = true;
    }
    return statement_log_append(command->engine->slog, &record,
                                clock_now_ms(command->engine->config.clock), &change->sequence,
                                err);
}

/* --- when it does not work out --- */

/* The statement that undoes it; absent: there is nothing to undo. */
static struct bytes undo_text(const struct command *command, const struct change *made)
{
    const struct catalog *catalog = command->engine->catalog;
    struct buffer sql = { 0 };

    if (made->source && catalog_find_source(catalog, made->source->name)) {
        buffer_append_text(&sql,
                           made->source->kind == SOURCE_TABLE ? "DROP TABLE " : "DROP STREAM ");
        ast_print_name(&sql, made->source->name);
    } else if (made->plan && catalog_find_query(catalog, made->plan->query_id)) {
        buffer_append_text(&sql, "TERMINATE ");
        ast_print_name(&sql, made->plan->query_id);
    } else {
        return (struct bytes){ NULL, 0 };
    }
    buffer_append_char(&sql, ';');
    return answer_take(command->arena, &sql);
}

static void take_back(const struct command *command, const struct change *made)
{
    struct engine *engine = command->engine;
    struct change undo = { .sql = undo_text(command, made) };
    struct error ignored; /* the error that brought us here is the one to tell */
    struct error outcome;
    int code = undo.sql.data ? ERR_FENCED : 0;

    for (int i = 0; i < ATTEMPTS && code == ERR_FENCED; i++) {
        code = statement_log_lock(engine->slog, &ignored);
        code = code ? code : append(command, &undo, &ignored);
    }
    if (undo.sql.data && !code) { /* or at the next statement */
        (void)replay_catch_up(engine, STATEMENTS_TO_END, &outcome, &ignored);
    }
}

/* Unless another node has made use of it meanwhile. */
static void delete_topic(const struct command *command, struct bytes topic)
{
    const struct source *const *sources = NULL;
    uint32_t count = catalog_list_sources(command->engine->catalog, command->arena, &sources);

    for (uint32_t i = 0; i < count; i++) {
        if (bytes_equal(sources[i]->topic, topic)) {
            return;
        }
    }
    (void)log_delete_topic(command->engine->config.log, topic, NULL); /* gone is gone */
}

/* --- one attempt --- */

struct attempt {
    struct command *command;
    const struct command_kind *kind;
    struct change change;
    bool created;    /* the topic of its source, in this attempt or one before */
    bool known;      /* whether it is in the log */
    bool is_settled; /* the log was asked for it */
};

/* Other nodes may run the query already; this one tries again (follow.c). */
static bool is_passing(const struct command *command, const struct error *outcome)
{
    return command->engine->config.is_shared && error_class_of(outcome->code) == ERROR_TRANSIENT;
}

static int apply(struct attempt *attempt, struct error *err)
{
    struct command *command = attempt->command;
    struct error outcome = { 0 };

    TRY(replay_catch_up(command->engine, STATEMENTS_TO_END, &outcome, err));
    if (outcome.code && is_passing(command, &outcome)) {
        return 0;
    }
    if (outcome.code) {
        take_back(command, &attempt->change);
        return error_set(err, outcome.code, command->statement->at, "%s", outcome.message);
    }
    return 0;
}

/*
 * The append may or may not have come to be - a commit that was refused may be the second try of
 * one that was not - and the log tells.
 */
static int settle(struct attempt *attempt, struct error *err)
{
    struct statement_log *slog = attempt->command->engine->slog;
    struct error failure = *err;

    error_clear(err);
    attempt->known = false;
    TRY(statement_log_lock(slog, err));
    TRY(apply(attempt, err));
    attempt->known = true;
    attempt->is_settled = true;
    return statement_log_has_own(slog)
               ? 0
               : error_set(err, failure.code, failure.at, "%s", failure.message);
}

/*
 * It is not in the log for sure, so another try can do no harm. Where there are other writers an
 * error of the broker often is no more than the other side of their fence.
 */
static bool is_worth_another(const struct attempt *attempt, int code)
{
    return attempt->known &&
           (code == ERR_FENCED || (code == ERR_LOG_UNAVAILABLE && attempt->is_settled &&
                                   attempt->command->engine->config.is_shared));
}

static int set_initial(const struct command *command, const struct change *change,
                       struct error *err)
{
    static const enum connector_action actions[] = { [CONNECTOR_CREATE] = CONNECTOR_RESUME,
                                                     [CONNECTOR_CREATE_PAUSED] = CONNECTOR_PAUSE,
                                                     [CONNECTOR_CREATE_STOPPED] = CONNECTOR_STOP };
    const struct connector_host *host = command->engine->config.connectors;

    return change->connector.data && command->put != CONNECTOR_REPLACE
               ? host->set_initial(host->context, change->connector, actions[command->put], err)
               : 0;
}

static int keep_secrets(const struct command *command, const struct change *change,
                        struct error *err)
{
    const struct connector_host *host = command->engine->config.connectors;

    for (uint32_t i = 0; i < change->secret_count; i++) {
        TRY(host->keep_secret(host->context, change->connector, change->secrets[i].name,
                              change->secrets[i].value, err));
    }
    return 0;
}

static int commit(struct attempt *attempt, struct error *err)
{
    bool created = false;
    int code;

    TRY(topic_create_for(attempt->command, &attempt->change, &created, err));
    attempt->created = attempt->created || created;
    TRY(keep_secrets(attempt->command, &attempt->change, err));
    TRY(set_initial(attempt->command, &attempt->change, err));
    code = append(attempt->command, &attempt->change, err);
    if (code == ERR_LOG_UNAVAILABLE || code == ERR_FENCED) {
        return settle(attempt, err);
    }
    return code ? code : apply(attempt, err);
}

static int validate_and_commit(struct attempt *attempt, struct error *err)
{
    struct catalog *overlay = catalog_create(attempt->command->engine->catalog);
    int code = validate(attempt->command, attempt->kind, overlay, &attempt->change, err);

    if (!code && !attempt->change.none && !attempt->change.client) {
        code = commit(attempt, err);
    }
    catalog_destroy(overlay);
    return code;
}

static int try_once(struct attempt *attempt, struct error *err)
{
    struct command *command = attempt->command;
    struct error outcome;

    TRY(statement_log_lock(command->engine->slog, err));
    TRY(replay_catch_up(command->engine, STATEMENTS_TO_END, &outcome, err));
    return validate_and_commit(attempt, err);
}

/* A writer that came in between had its statement through: somebody always gets on. */
static int try_all(struct attempt *attempt, struct error *err)
{
    int left = ATTEMPTS;
    int code;

    do {
        attempt->known = true;
        attempt->is_settled = false;
        code = try_once(attempt, err);
        left -= code == ERR_FENCED ? 1 : OUTAGE_WEIGHT;
    } while (left > 0 && is_worth_another(attempt, code));
    if (code && attempt->created && attempt->known) {
        delete_topic(attempt->command, attempt->change.source->topic);
    }
    return code;
}

int command_change(struct command *command, const struct command_kind *kind, struct error *err)
{
    struct attempt attempt = { .command = command, .kind = kind };
    struct change change;

    TRY(try_all(&attempt, err));
    change = attempt.change;
    if (change.client) {
        struct bytes id = arena_copy(command->arena, change.client->id);

        row_queue_finish(change.client->queue, "Query Completed");
        answer_ended(command, id);
        return 0;
    }
    if (change.none && strcmp(change.action, "create") == 0 && strcmp(change.type, "type") != 0) {
        answer_warning(command, change.message);
        return 0;
    }
    if (change.deleted_topic.data) {
        TRY(log_delete_topic(command->engine->config.log, change.deleted_topic, err));
    }
    answer_changed(command, &change);
    for (uint32_t i = 0; i < change.warning_count; i++) {
        answer_warning(command, change.warnings[i]);
    }
    return 0;
}
