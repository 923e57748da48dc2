/*
 * explain.c: EXPLAIN of a statement, planned for nothing, or of a running query.
 */
#include <string.h>

#include "base/near.h"
#include "engine/command/command_internal.h"

/* What EXPLAIN shows of a query, planned or running. */
struct explained {
    const struct physical_plan *plan;
    struct bytes sql;
    const char *type;                    /* PERSISTENT, PUSH */
    const struct running_query *running; /* NULL: a statement */
};

static void print_properties(const struct command *command, const struct explained *explained,
                             struct buffer *out)
{
    const struct property_text *given = NULL;
    uint32_t count = property_set_list(command->properties, command->arena, &given);
    size_t width = sizeof "Property" - 1;

    if (explained->running || count == 0) {
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        width = given[i].name.len > width ? given[i].name.len : width;
    }
    buffer_printf(out, "\nOverridden Properties\n---------------------\n %-*s | Value\n",
                  (int)width, "Property");
    for (uint32_t i = 0; i < count; i++) {
        buffer_printf(out, " %-*.*s | %.*s\n", (int)width, BYTES_ARG(given[i].name),
                      BYTES_ARG(given[i].value));
    }
}

/* Why the query is in ERROR; NULL: it is not. */
static const struct error *find_failure(const struct command *command,
                                        const struct explained *explained,
                                        struct query_status *status)
{
    if (!explained->running) {
        return NULL;
    }
    if (runtime_query_status(command->engine->runtime, explained->plan->query_id, status, NULL)) {
        return &explained->running->failure;
    }
    return status->state == QUERY_ERROR ? &status->error : NULL;
}

static void print_state(const struct command *command, const struct explained *explained,
                        struct buffer *out)
{
    struct query_status status = { 0 };
    const struct error *failure = find_failure(command, explained, &status);

    if (!explained->running) {
        return;
    }
    buffer_printf(out, "\nState: %s, rows in: %llu, skipped: %llu, tasks: %u\n",
                  query_state_text(command, explained->plan->query_id),
                  (unsigned long long)status.rows_in, (unsigned long long)status.rows_skipped,
                  status.task_count);
    if (failure) {
        buffer_printf(out, "Error: %s (%s)\n", failure->message, error_name(failure->code));
    }
}

static struct bytes make_footer(const struct command *command, const struct explained *explained)
{
    const struct physical_plan *plan = explained->plan;
    struct buffer text = { 0 };

    buffer_append_text(&text, "\nSources that this query reads from:\n");
    for (uint32_t i = 0; i < plan->source_count; i++) {
        buffer_printf(&text, "\t%.*s\n", BYTES_ARG(plan->source_names[i]));
    }
    if (plan->sink) {
        buffer_printf(&text, "\nSinks that this query writes to:\n\t%.*s\n",
                      BYTES_ARG(plan->sink->name));
    }
    buffer_append_text(&text, "\nExecution plan\n--------------\n");
    plan_explain(plan, &text);
    print_state(command, explained, &text);
    print_properties(command, explained, &text);
    return answer_take(command->arena, &text);
}

static struct result_plan about_query(const struct command *command,
                                      const struct explained *explained, const char *failure)
{
    const struct physical_plan *plan = explained->plan;
    struct buffer text = { 0 };
    struct result_plan about = {
        .query = { .id = plan->query_id, .sql = explained->sql, .type = explained->type },
        .fields = plan->sink ? &plan->sink->schema : &plan->result,
        .sources = plan->source_names,
        .source_count = plan->source_count,
        .failure = failure,
    };

    if (explained->running) {
        about.query.state = query_state_text(command, plan->query_id);
        about.consumer_group = plan->application_id;
    } else {
        about.property_count =
            property_set_list(command->properties, command->arena, &about.properties);
    }
    if (plan->sink) {
        about.query.sink = plan->sink->name;
        about.query.sink_topic = plan->sink->topic;
    }
    plan_explain(plan, &text);
    about.execution_plan = answer_take(command->arena, &text);
    return about;
}

/* host:port of a node that goes by its URL. */
static const char *own_host(const struct engine *engine)
{
    const char *scheme = strstr(engine->client_id, "://");

    return scheme ? scheme + 3 : engine->client_id;
}

static void answer_explained(const struct command *command, const struct explained *explained,
                             const char *kind)
{
    static const char *const columns[] = { "Field", "Type", NULL };
    struct query_status status = { 0 };
    const struct error *failure = find_failure(command, explained, &status);
    const struct result_plan about =
        about_query(command, explained, failure ? failure->message : NULL);
    struct buffer heading = { 0 };
    struct answer_table answer;

    buffer_printf(&heading, "%-20s : %.*s\n", "ID", BYTES_ARG(about.query.id));
    buffer_printf(&heading, "%-20s : %s\n", "Query Type", explained->type);
    buffer_printf(&heading, "%-20s : %.*s\n", "SQL", BYTES_ARG(explained->sql));
    if (explained->running) {
        buffer_printf(&heading, "%-20s : {%s=%s}\n", "Host Query Status", own_host(command->engine),
                      about.query.state);
    }
    answer_begin(&answer, command->arena, kind, columns);
    answer.table.plan = &about;
    answer_fields(&answer, about.fields,
                  explained->plan->result_is_table ? " (primary key)" : " (key)");
    answer.table.heading = answer_take(command->arena, &heading);
    answer.table.footer = make_footer(command, explained);
    answer_end(&answer, command);
}

int explain_query(struct command *command, const struct query_entry *query, const char *kind,
                  struct error *err)
{
    struct explained explained = { query->plan, query->sql, "PERSISTENT", NULL };

    explained.running = engine_find_query(command->engine, query->id);
    answer_explained(command, &explained, kind);
    return 0;
}

/* --- a statement --- */

static int plan_statement(struct command *command, struct explained *out, struct error *err)
{
    const struct ast_statement *statement = command->statement->explain.statement;
    struct plan_settings settings;
    struct plan_context context;

    planning_settings(command, &settings);
    planning_context(command, &settings, &context);
    if (statement->kind == AST_SELECT && statement->select->emit != AST_EMIT_NONE) {
        out->type = "PUSH";
        return plan_push(&context, statement, bytes_of("transient_EXPLAIN"), &out->plan, err);
    }
    if (statement->kind == AST_CREATE_AS) {
        const struct ast_create_as *create = &statement->create_as;

        out->type = "PERSISTENT";
        return plan_create_as(&context, statement,
                              planning_query_id(command,
                                                create->kind == AST_TABLE ? "CTAS" : "CSAS",
                                                create->name.text),
                              &out->plan, err);
    }
    if (statement->kind == AST_INSERT_SELECT) {
        struct command insert = *command;

        insert.statement = statement;
        out->type = "PERSISTENT";
        return insert_select_plan(&insert, &out->plan, err);
    }
    if (statement->kind == AST_SELECT) {
        return error_set(err, ERR_UNSUPPORTED, statement->at,
                         "EXPLAIN of a pull query is not built yet");
    }
    return error_set(err, ERR_UNSUPPORTED, statement->at,
                     "EXPLAIN is for queries, CREATE ... AS and INSERT INTO; %s has no plan",
                     ast_statement_name(statement->kind));
}

static int find_query(struct command *command, const struct query_entry **out, struct error *err)
{
    const struct ast_name *name = &command->statement->explain.query;
    const struct query_entry *const *queries = NULL;
    uint32_t count = catalog_list_queries(command->catalog, command->arena, &queries);
    struct near_search search = near_begin(name->text);

    *out = catalog_find_query(command->catalog, name->text);
    if (*out) {
        return 0;
    }
    for (uint32_t i = 0; i < count; i++) {
        near_offer(&search, queries[i]->id);
    }
    return error_set(err, ERR_UNKNOWN_QUERY, name->at, "There is no query %.*s%s",
                     BYTES_ARG(name->text), near_hint(command->arena, search.best));
}

int explain_check(struct command *command, struct error *err)
{
    const struct query_entry *query = NULL;
    struct explained explained = { 0 };

    return command->statement->explain.statement ? plan_statement(command, &explained, err)
                                                 : find_query(command, &query, err);
}

int explain_run(struct command *command, struct error *err)
{
    const struct ast_statement *statement = command->statement->explain.statement;
    const struct query_entry *query = NULL;
    struct explained explained = { 0 };

    if (!statement) {
        TRY(find_query(command, &query, err));
        return explain_query(command, query, "queryDescription", err);
    }
    TRY(plan_statement(command, &explained, err));
    explained.sql = statement->text;
    answer_explained(command, &explained, "queryDescription");
    return 0;
}
