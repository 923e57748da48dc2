/*
 * script.c: a text of statements: all are checked, then all are run.
 *
 * The check goes statement by statement over an overlay of the catalog and a copy of the
 * session's properties, as if each had run; so a statement may use what an earlier one
 * creates or sets, and nothing runs if any of them is wrong.
 */
#include "engine/command/command_internal.h"
#include "parser/parse.h"

struct script {
    struct session *session;
    const struct result_sink *sink;
    struct ast_script tree;
    struct arena arena;   /* the tree, and the plans of queries it creates */
    struct arena scratch; /* of one statement */
};

static struct command make_command(struct script *script, const struct ast_statement *statement)
{
    struct engine *engine = script->session->engine;

    return (struct command){
        .engine = engine,
        .session = script->session,
        .statement = statement,
        .arena = &script->scratch,
        .catalog = engine->catalog,
        .properties = &script->session->properties,
        .sink = script->sink,
        .next_query = engine->next_query,
    };
}

/* --- checking --- */

static int refuse(const struct ast_statement *statement, struct error *err)
{
    const char *refusal = manual_find(statement->kind)->refusal;

    return error_set(err, ERR_UNSUPPORTED, statement->at, "%s %s",
                     ast_statement_name(statement->kind), refusal ? refusal : "is not built yet");
}

static int check_statement(struct script *script, struct command *command, struct error *err)
{
    const struct command_kind *kind = command_find(command->statement->kind);
    struct change change = { 0 };

    if (!kind) {
        return refuse(command->statement, err);
    }
    if (kind->change) {
        command->arena = &script->arena;
        return kind->change(command, &change, err);
    }
    return kind->check ? kind->check(command, err) : 0;
}

static int check_statements(struct script *script, struct catalog *overlay,
                            struct property_set *properties, struct error *err)
{
    uint64_t next_query = script->session->engine->next_query;

    for (uint32_t i = 0; i < script->tree.statements.count; i++) {
        struct command command = make_command(script, script->tree.statements.items[i]);

        command.catalog = overlay;
        command.properties = properties;
        command.next_query = next_query;
        if (script->sink->checking) {
            script->sink->checking(
                script->sink->context,
                command_shown_text(command.statement, script->sink, &script->arena));
        }
        TRY(check_statement(script, &command, err));
        next_query = command.next_query;
        arena_reset(&script->scratch);
    }
    return 0;
}

static int check_script(struct script *script, struct error *err)
{
    struct engine *engine = script->session->engine;
    struct catalog *overlay = catalog_create(engine->catalog);
    struct property_set properties;
    int code;

    property_set_init(&properties, &engine->server);
    property_set_add_all(&properties, &script->session->properties);
    code = check_statements(script, overlay, &properties, err);
    property_set_fini(&properties);
    catalog_destroy(overlay);
    return code;
}

/* --- running --- */

static int run_statement(struct script *script, const struct ast_statement *statement,
                         struct error *err)
{
    const struct command_kind *kind = command_find(statement->kind);
    struct command command = make_command(script, statement);
    const struct result_sink *sink = script->sink;
    int code;

    if (sink->statement) {
        sink->statement(sink->context, command_shown_text(statement, sink, &script->arena));
    }
    code = kind->change ? command_change(&command, kind, err) : kind->run(&command, err);
    if (code && err && err->at.line == 0) {
        err->at = statement->at;
    }
    return code;
}

static int run_script(struct script *script, struct error *err)
{
    for (uint32_t i = 0; i < script->tree.statements.count; i++) {
        TRY(run_statement(script, script->tree.statements.items[i], err));
        arena_reset(&script->scratch);
    }
    return 0;
}

/*
 * A shared log is followed all the time, so what has arrived will do: whoever changes something
 * reads to the end, and nothing else waits for a log that does not answer.
 */
static int catch_up(struct engine *engine, struct error *err)
{
    struct error outcome;

    return replay_catch_up(
        engine, engine->config.is_shared ? STATEMENTS_ARRIVED : STATEMENTS_TO_END, &outcome, err);
}

int script_execute(struct session *session, struct bytes text, const struct result_sink *sink,
                   struct error *err)
{
    struct script script = { .session = session, .sink = sink };
    int code;

    arena_init(&script.arena, 0);
    arena_init(&script.scratch, 0);
    code = session_parse(session, &script.arena, text, &script.tree, err);
    code = code ? code : catch_up(session->engine, err);
    code = code ? code : check_script(&script, err);
    code = code ? code : run_script(&script, err);
    arena_fini(&script.scratch);
    arena_fini(&script.arena);
    return code;
}
