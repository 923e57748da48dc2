/*
 * explain.c: EXPLAIN of a statement, planned for nothing, or of a running query.
 */
#include <string.h>

#include "base/near.h"
#include "engine/command/command_internal.h"
#include "engine/type/java_date.h"

/* What EXPLAIN shows of a query, planned or running. */
struct explained {
    const struct physical_plan *plan;  /* NULL where there is a lookup */
    const struct pull_lookup *lookup;  /* of a pull query on a table; else NULL */
    const struct query_entry *running; /* NULL: a statement */
    struct bytes sql;
    const char *type; /* PERSISTENT, PUSH, PULL */
};

/* --- what is told --- */

/* By whom it can be mended. */
static const char *failure_type(const struct error *failure)
{
    if (failure->code == ERR_TOPIC_GONE || failure->code == ERR_NOT_AUTHORIZED ||
        failure->code == ERR_TOPIC_MISMATCH) {
        return "USER";
    }
    switch (error_class_of(failure->code)) {
    case ERROR_TRANSIENT:
        return "SYSTEM";
    case ERROR_STATEMENT:
    case ERROR_RECORD:
    case ERROR_QUERY:
    case ERROR_USAGE:
        break;
    }
    return "UNKNOWN";
}

static void set_failure(const struct command *command, const struct error *failure,
                        int64_t failure_ms, struct result_plan *about)
{
    about->failure = arena_copy_text(command->arena, bytes_of(failure->message));
    about->failure_type = failure_type(failure);
    about->failure_code = error_name(failure->code);
    about->failure_ms = failure_ms;
}

/* Those in which the query differs from the server. */
static void add_overrides(const struct command *command, const struct running_query *running,
                          struct result_plan *about)
{
    struct property_text *list =
        arena_array(command->arena, struct property_text, running->property_count);

    for (uint32_t i = 0; i < running->property_count; i++) {
        const struct property_text *given = &running->properties[i];
        struct bytes own =
            property_get(&command->engine->server, arena_copy_text(command->arena, given->name));

        if (!own.data || !bytes_equal(own, given->value)) {
            list[about->property_count++] = *given;
        }
    }
    about->properties = list;
}

static void add_state(const struct command *command, const struct explained *explained,
                      struct query_status *status, struct result_plan *about)
{
    struct engine *engine = command->engine;
    const struct physical_plan *plan = explained->plan;
    const struct running_query *running = engine_find_query(engine, plan->query_id);
    struct task_status *tasks = NULL;

    about->query.state = query_state_text(command, plan->query_id);
    about->consumer_group = plan->application_id;
    if (running) {
        add_overrides(command, running, about);
    }
    if (runtime_query_status(engine->runtime, plan->query_id, status, NULL)) {
        if (running && running->failure.code) {
            set_failure(command, &running->failure, 0, about);
        }
        return;
    }
    if (status->state == QUERY_ERROR) {
        set_failure(command, &status->error, status->error_ms, about);
    }
    (void)runtime_list_tasks(engine->runtime, plan->query_id, command->arena, &tasks,
                             &about->task_count, NULL); /* none, then */
    about->tasks = tasks;
}

static void add_plan(const struct explained *explained, struct result_plan *about,
                     struct buffer *steps, struct buffer *topology)
{
    const struct physical_plan *plan = explained->plan;

    about->query.id = plan->query_id;
    about->fields = plan->sink ? &plan->sink->schema : &plan->result;
    about->sources = plan->source_names;
    about->source_count = plan->source_count;
    if (plan->sink) {
        about->query.sink = plan->sink->name;
        about->query.sink_topic = plan->sink->topic;
    }
    plan_explain(plan, steps);
    plan_explain_topology(plan, topology);
}

/* The table's store answers: nothing is started, so there is no topology. */
static void add_lookup(const struct explained *explained, struct result_plan *about,
                       struct buffer *steps)
{
    about->query.id = bytes_of("query_EXPLAIN");
    about->fields = &explained->lookup->result;
    about->sources = &explained->lookup->table->name;
    about->source_count = 1;
    plan_explain_pull(explained->lookup, about->query.id, steps);
}

static struct result_plan about_query(const struct command *command,
                                      const struct explained *explained,
                                      struct query_status *status)
{
    struct buffer steps = { 0 };
    struct buffer topology = { 0 };
    struct result_plan about = { .query = { .sql = explained->sql, .type = explained->type } };

    if (explained->lookup) {
        add_lookup(explained, &about, &steps);
    } else {
        add_plan(explained, &about, &steps, &topology);
    }
    if (explained->running) {
        add_state(command, explained, status, &about);
    } else {
        about.property_count =
            property_set_list(command->properties, command->arena, &about.properties);
    }
    about.execution_plan = answer_take(command->arena, &steps);
    about.topology = answer_take(command->arena, &topology);
    return about;
}

/* --- as it is shown --- */

static void print_properties(const struct result_plan *about, struct buffer *out)
{
    size_t width = sizeof "Property" - 1;

    if (about->property_count == 0) {
        return;
    }
    for (uint32_t i = 0; i < about->property_count; i++) {
        size_t len = about->properties[i].name.len;

        width = len > width ? len : width;
    }
    buffer_printf(out, "\nOverridden Properties\n---------------------\n %-*s | Value\n",
                  (int)width, "Property");
    for (uint32_t i = 0; i < about->property_count; i++) {
        buffer_printf(out, " %-*.*s | %.*s\n", (int)width, BYTES_ARG(about->properties[i].name),
                      BYTES_ARG(about->properties[i].value));
    }
}

static void print_date(int64_t timestamp_ms, struct buffer *out)
{
    char date[JAVA_DATE_MAX];

    if (timestamp_ms) {
        buffer_printf(out, "%-20s : %.*s\n", "Error Date",
                      (int)java_timestamp_print(timestamp_ms, date), date);
    }
}

static void print_state(const struct result_plan *about, const struct query_status *status,
                        struct buffer *out)
{
    if (!about->query.state) {
        return;
    }
    buffer_printf(out, "\nState: %s, rows in: %llu, skipped: %llu, tasks: %u\n", about->query.state,
                  (unsigned long long)status->rows_in, (unsigned long long)status->rows_skipped,
                  status->task_count);
    if (about->failure) {
        buffer_append_char(out, '\n');
        print_date(about->failure_ms, out);
        buffer_printf(out, "%-20s : %s (%s)\n%-20s : %s\n", "Error Details", about->failure,
                      about->failure_code, "Error Type", about->failure_type);
    }
}

static struct bytes make_footer(const struct command *command, const struct result_plan *about,
                                const struct query_status *status)
{
    struct buffer text = { 0 };

    buffer_append_text(&text, "\nSources that this query reads from:\n");
    for (uint32_t i = 0; i < about->source_count; i++) {
        buffer_printf(&text, "\t%.*s\n", BYTES_ARG(about->sources[i]));
    }
    if (about->query.sink.data) {
        buffer_printf(&text, "\nSinks that this query writes to:\n\t%.*s\n",
                      BYTES_ARG(about->query.sink));
    }
    buffer_printf(&text, "\nExecution plan\n--------------\n%.*s",
                  BYTES_ARG(about->execution_plan));
    if (about->topology.len > 0) {
        buffer_printf(&text, "\nProcessing topology\n-------------------\n%.*s",
                      BYTES_ARG(about->topology));
    }
    print_state(about, status, &text);
    print_properties(about, &text);
    return answer_take(command->arena, &text);
}

const char *engine_host(const struct engine *engine)
{
    const char *scheme = strstr(engine->client_id, "://");

    return scheme ? scheme + 3 : engine->client_id;
}

static bool makes_table(const struct explained *explained)
{
    return explained->lookup || explained->plan->result_is_table;
}

static void answer_explained(const struct command *command, const struct explained *explained,
                             const char *kind)
{
    static const char *const columns[] = { "Field", "Type", NULL };
    struct query_status status = { 0 };
    const struct result_plan about = about_query(command, explained, &status);
    struct buffer heading = { 0 };
    struct answer_table answer;

    buffer_printf(&heading, "%-20s : %.*s\n", "ID", BYTES_ARG(about.query.id));
    buffer_printf(&heading, "%-20s : %s\n", "Query Type", explained->type);
    buffer_printf(&heading, "%-20s : %.*s\n", "SQL", BYTES_ARG(explained->sql));
    if (explained->running) {
        buffer_printf(&heading, "%-20s : {%s=%s}\n", "Host Query Status",
                      engine_host(command->engine), about.query.state);
    }
    answer_begin(&answer, command->arena, kind, columns);
    answer.table.plan = &about;
    answer_fields(&answer, about.fields, makes_table(explained) ? " (primary key)" : " (key)");
    answer.table.heading = answer_take(command->arena, &heading);
    answer.table.footer = make_footer(command, &about, &status);
    answer_end(&answer, command);
}

int explain_query(struct command *command, const struct query_entry *query, const char *kind,
                  struct error *err)
{
    const struct explained explained = {
        .plan = query->plan, .running = query, .sql = query->sql, .type = "PERSISTENT"
    };

    answer_explained(command, &explained, kind);
    return 0;
}

/* --- a statement --- */

static int plan_select(struct command *command, const struct plan_context *context,
                       struct explained *out, struct error *err)
{
    struct command select = *command;
    struct plan_context copy = *context;

    select.statement = command->statement->explain.statement;
    if (select.statement->select->emit != AST_EMIT_NONE) {
        out->type = "PUSH";
        return plan_push(&copy, select.statement, bytes_of("transient_EXPLAIN"), &out->plan, err);
    }
    out->type = "PULL";
    return pull_plan(&select, &out->lookup, &out->plan, err);
}

static int plan_statement(struct command *command, struct explained *out, struct error *err)
{
    const struct ast_statement *statement = command->statement->explain.statement;
    struct plan_settings settings;
    struct plan_context context;

    planning_settings(command, &settings);
    planning_context(command, &settings, &context);
    if (statement->kind == AST_SELECT) {
        return plan_select(command, &context, out, err);
    }
    out->type = "PERSISTENT";
    if (statement->kind == AST_CREATE_AS) {
        const struct ast_create_as *create = &statement->create_as;

        return plan_create_as(&context, statement,
                              planning_query_id(command,
                                                create->kind == AST_TABLE ? "CTAS" : "CSAS",
                                                create->name.text),
                              &out->plan, err);
    }
    if (statement->kind == AST_INSERT_SELECT) {
        struct command insert = *command;

        insert.statement = statement;
        return insert_select_plan(&insert, &out->plan, err);
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
