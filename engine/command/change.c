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

enum { ATTEMPTS = 5 };

static int validate(const struct command *command, const struct command_kind *kind,
                    struct change *out, struct error *err)
{
    struct catalog *overlay = catalog_create(command->engine->catalog);
    struct command trial = *command;
    struct change change = { 0 };
    int code;

    trial.catalog = overlay;
    trial.next_query = command->engine->next_query;
    code = kind->change(&trial, &change, err);
    catalog_destroy(overlay);
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
    struct change undo = { .sql = undo_text(command, made) };
    struct error ignored; /* the error that brought us here is the one to tell */

    if (undo.sql.data && !append(command, &undo, &ignored)) {
        struct error outcome;

        (void)replay_catch_up(command->engine, &outcome, &ignored); /* or at the next statement */
    }
}

static void delete_topic(const struct command *command, struct bytes topic)
{
    (void)log_delete_topic(command->engine->config.log, topic, NULL); /* gone is gone */
}

/* --- one attempt --- */

static int apply(struct command *command, const struct change *change, struct error *err)
{
    struct error outcome = { 0 };

    TRY(replay_catch_up(command->engine, &outcome, err));
    if (outcome.code) {
        take_back(command, change);
        return error_set(err, outcome.code, command->statement->at, "%s", outcome.message);
    }
    return 0;
}

/* Whether the catalog is as the change leaves it; it was validated, so it was not before. */
static bool is_applied(const struct command *command, const struct change *change)
{
    const struct catalog *catalog = command->engine->catalog;

    if (change->source) {
        const struct source *made = catalog_find_source(catalog, change->source->name);

        return made && bytes_equal(made->sql, change->sql);
    }
    if (change->plan) {
        return catalog_find_query(catalog, change->plan->query_id) != NULL;
    }
    if (change->removed.data) {
        return !catalog_find_source(catalog, change->removed);
    }
    for (uint32_t i = 0; i < change->stopped_count; i++) {
        if (catalog_find_query(catalog, change->stopped[i])) {
            return false;
        }
    }
    for (uint32_t i = 0; i < change->paused_count; i++) {
        const struct query_entry *query = catalog_find_query(catalog, change->paused[i]);

        if (!query || query->paused != change->pauses) {
            return false;
        }
    }
    return true;
}

/* The append may or may not have come to be: the log tells, and *known says whether it did. */
static int settle(struct command *command, const struct change *change, bool *known,
                  struct error *err)
{
    struct error failure = *err;

    error_clear(err);
    *known = false;
    TRY(statement_log_lock(command->engine->slog, err));
    TRY(apply(command, change, err));
    *known = true;
    return is_applied(command, change)
               ? 0
               : error_set(err, failure.code, failure.at, "%s", failure.message);
}

static int commit(struct command *command, struct change *change, struct error *err)
{
    bool created = false;
    bool known = true;
    int code = topic_create_for(command, change, &created, err);

    if (!code) {
        code = append(command, change, err);
        if (code == ERR_LOG_UNAVAILABLE) {
            code = settle(command, change, &known, err);
        } else if (!code) {
            code = apply(command, change, err);
        }
    }
    if (code && created && known) {
        delete_topic(command, change->source->topic);
    }
    return code;
}

static int attempt(struct command *command, const struct command_kind *kind, struct change *change,
                   struct error *err)
{
    struct error outcome;

    TRY(statement_log_lock(command->engine->slog, err));
    TRY(replay_catch_up(command->engine, &outcome, err));
    TRY(validate(command, kind, change, err));
    return change->none || change->client ? 0 : commit(command, change, err);
}

int command_change(struct command *command, const struct command_kind *kind, struct error *err)
{
    struct change change = { 0 };
    int code = ERR_FENCED;

    for (int i = 0; i < ATTEMPTS && code == ERR_FENCED; i++) {
        code = attempt(command, kind, &change, err);
    }
    TRY(code);
    if (change.client) {
        struct bytes id = arena_copy(command->arena, change.client->id);

        row_queue_finish(change.client->queue, "Query Completed");
        answer_ended(command, id);
        return 0;
    }
    if (change.none && strcmp(change.action, "create") == 0) {
        answer_warning(command, change.message);
        return 0;
    }
    if (change.deleted_topic.data) {
        TRY(log_delete_topic(command->engine->config.log, change.deleted_topic, err));
    }
    answer_changed(command, &change);
    return 0;
}
