/*
 * outcomes.c: what became of the statements of the statement log, by command id (rest-api.md 3.3).
 *
 * Every record that is applied leaves its outcome here, at the start and later, whichever node
 * appended it; so what a command ended in is known after a restart, too. A command with the id of
 * a former one takes its place.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "engine/command/command_internal.h"

struct outcome {
    const char *status;
    struct buffer id;
    struct buffer message;
    struct buffer query_id; /* empty: none */
};

void outcomes_init(struct outcome_table *table)
{
    pthread_mutex_init(&table->mutex, NULL);
    clock_cond_init(&table->changed);
    map_init(&table->outcomes);
    table->applied = -1;
}

void outcomes_fini(struct outcome_table *table)
{
    MAP_FOREACH (entry, &table->outcomes) {
        struct outcome *outcome = entry->value;

        buffer_fini(&outcome->id);
        buffer_fini(&outcome->message);
        buffer_fini(&outcome->query_id);
        free(outcome);
    }
    map_fini(&table->outcomes);
    pthread_cond_destroy(&table->changed);
    pthread_mutex_destroy(&table->mutex);
}

/* --- ids --- */

static const char *source_type(enum ast_source_kind kind)
{
    return kind == AST_TABLE ? "table" : "stream";
}

static void set_identity(struct change *change, const char *type, struct bytes entity,
                         const char *action)
{
    change->type = type;
    change->entity = entity;
    change->action = action;
}

static struct bytes query_entity(const struct ast_statement *statement)
{
    return statement->query_ref.all ? bytes_of("ALL") : statement->query_ref.name.text;
}

static void identify(const struct ast_statement *statement, struct change *out)
{
    switch (statement->kind) {
    case AST_CREATE_SOURCE:
        set_identity(out, source_type(statement->create_source.kind),
                     statement->create_source.name.text, "create");
        return;
    case AST_CREATE_AS:
        set_identity(out, source_type(statement->create_as.kind), statement->create_as.name.text,
                     "create");
        return;
    case AST_INSERT_SELECT:
        set_identity(out, "stream", statement->insert_select.target.text, "create");
        return;
    case AST_CREATE_TYPE:
        set_identity(out, "type", statement->create_type.name.text, "create");
        return;
    case AST_DROP_TYPE:
        set_identity(out, "type", statement->drop.name.text, "drop");
        return;
    case AST_DROP_SOURCE:
        set_identity(out, source_type(statement->drop_source.kind),
                     statement->drop_source.name.text, "drop");
        return;
    case AST_ALTER_SOURCE:
        set_identity(out, source_type(statement->alter_source.kind),
                     statement->alter_source.name.text, "alter");
        return;
    case AST_TERMINATE:
        set_identity(out, "terminate", query_entity(statement), "execute");
        return;
    case AST_PAUSE:
        set_identity(out, "pause", query_entity(statement), "execute");
        return;
    case AST_RESUME:
        set_identity(out, "resume", query_entity(statement), "execute");
        return;
    default: /* the others are no commands */
        return;
    }
}

struct bytes outcome_id(struct arena *arena, const struct change *change)
{
    bool is_quoted = strcmp(change->action, "create") == 0 && strcmp(change->type, "type") != 0;
    const char *quote = is_quoted ? "`" : "";

    return arena_printf(arena, "%s/%s%.*s%s/%s", change->type, quote, BYTES_ARG(change->entity),
                        quote, change->action);
}

/* --- what is noted --- */

static void put_text(struct buffer *buffer, struct bytes text)
{
    buffer->len = 0;
    if (text.data) {
        buffer_append_bytes(buffer, text);
    }
}

void outcomes_put(struct outcome_table *table, struct bytes id, const char *status,
                  struct bytes message, struct bytes query_id)
{
    struct outcome *outcome;

    pthread_mutex_lock(&table->mutex);
    outcome = map_find(&table->outcomes, id);
    if (!outcome) {
        outcome = memory_zalloc(1, sizeof *outcome);
        put_text(&outcome->id, id);
        map_put(&table->outcomes, buffer_bytes(&outcome->id), outcome);
    }
    outcome->status = status;
    put_text(&outcome->message, message);
    put_text(&outcome->query_id, query_id);
    pthread_mutex_unlock(&table->mutex);
}

struct bytes outcomes_note(struct outcome_table *table, struct arena *arena,
                           const struct ast_statement *statement, const struct change *change,
                           const struct error *failure)
{
    const struct bytes no_query = { NULL, 0 };
    struct change named = *change;
    struct bytes id;

    if (!named.type || !named.action || failure->code) {
        identify(statement, &named);
    }
    if (!named.type || !named.action || strcmp(named.type, "connector") == 0) {
        return no_query;
    }
    id = outcome_id(arena, &named);
    if (failure->code) {
        outcomes_put(table, id, "ERROR", bytes_of(failure->message), no_query);
    } else {
        outcomes_put(table, id, "SUCCESS", named.message,
                     named.plan ? named.plan->query_id : no_query);
    }
    return id;
}

void outcomes_advance(struct outcome_table *table, uint32_t count)
{
    pthread_mutex_lock(&table->mutex);
    table->applied += count;
    pthread_cond_broadcast(&table->changed);
    pthread_mutex_unlock(&table->mutex);
}

/* --- those who ask --- */

static struct command_outcome copy_outcome(const struct outcome *outcome, struct arena *arena)
{
    struct command_outcome copy = { .id = arena_copy(arena, buffer_bytes(&outcome->id)),
                                    .status = outcome->status,
                                    .message = arena_copy(arena, buffer_bytes(&outcome->message)) };

    if (outcome->query_id.len > 0) {
        copy.query_id = arena_copy(arena, buffer_bytes(&outcome->query_id));
    }
    return copy;
}

bool engine_find_outcome(struct engine *engine, struct bytes id, struct arena *arena,
                         struct command_outcome *out)
{
    struct outcome_table *table = &engine->outcomes;
    const struct outcome *outcome;

    pthread_mutex_lock(&table->mutex);
    outcome = map_find(&table->outcomes, id);
    if (outcome) {
        *out = copy_outcome(outcome, arena);
    }
    pthread_mutex_unlock(&table->mutex);
    return outcome != NULL;
}

static int by_id(const void *left, const void *right)
{
    const struct command_outcome *a = left, *b = right;

    return bytes_compare(a->id, b->id);
}

uint32_t engine_list_outcomes(struct engine *engine, struct arena *arena,
                              struct command_outcome **out)
{
    struct outcome_table *table = &engine->outcomes;
    VEC(struct command_outcome) list = { 0 };

    pthread_mutex_lock(&table->mutex);
    MAP_FOREACH (entry, &table->outcomes) {
        *vec_push(arena, &list) = copy_outcome(entry->value, arena);
    }
    pthread_mutex_unlock(&table->mutex);
    if (list.count > 0) {
        qsort(list.items, list.count, sizeof *list.items, by_id);
    }
    *out = list.items;
    return list.count;
}

bool engine_await_statement(struct engine *engine, int64_t sequence, int64_t wait_ms)
{
    struct outcome_table *table = &engine->outcomes;
    struct timespec deadline = clock_deadline(wait_ms);
    bool is_applied;
    int code = engine->config.is_shared && wait_ms > 0 ? 0 : ETIMEDOUT; /* or nobody appends */

    pthread_mutex_lock(&table->mutex);
    while (table->applied < sequence && !code) {
        code = pthread_cond_timedwait(&table->changed, &table->mutex, &deadline);
    }
    is_applied = table->applied >= sequence;
    pthread_mutex_unlock(&table->mutex);
    return is_applied;
}
