/*
 * variables.c: variables of a session: DEFINE, UNDEFINE, SHOW VARIABLES.
 *
 * A text is read with the variables as they will be at each of its statements: a copy of the
 * session's, which DEFINE, UNDEFINE and SET 'ksql.variable.substitution.enable' change on the
 * way. The session's own change when the statements run.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/command/command_internal.h"

static const char substitution[] = "ksql.variable.substitution.enable";

/* --- sets --- */

void variable_set_init(struct variable_set *set)
{
    memset(set, 0, sizeof *set);
    arena_init(&set->arena, 256);
    map_init(&set->values);
}

void variable_set_fini(struct variable_set *set)
{
    map_fini(&set->values);
    arena_fini(&set->arena);
}

static struct bytes fold(struct arena *arena, struct bytes name)
{
    char *upper = arena_copy_text(arena, name);

    for (size_t i = 0; i < name.len; i++) {
        upper[i] = (char)(upper[i] >= 'a' && upper[i] <= 'z' ? upper[i] - 'a' + 'A' : upper[i]);
    }
    return (struct bytes){ upper, name.len };
}

static void put(struct variable_set *set, struct bytes name, struct bytes value)
{
    struct property_text *entry = arena_new(&set->arena, struct property_text);

    entry->name = fold(&set->arena, name);
    entry->value = (struct bytes){ arena_copy_text(&set->arena, value), value.len };
    map_put(&set->values, entry->name, entry);
}

static bool remove_name(struct variable_set *set, struct bytes name)
{
    return map_remove(&set->values, fold(&set->arena, name)) != NULL;
}

void variable_set_add_all(struct variable_set *set, const struct variable_set *from)
{
    MAP_FOREACH (entry, &from->values) {
        const struct property_text *variable = entry->value;

        put(set, variable->name, variable->value);
    }
}

static int compare_names(const void *a, const void *b)
{
    const struct property_text *left = *(const struct property_text *const *)a;
    const struct property_text *right = *(const struct property_text *const *)b;

    return strcmp(left->name.data, right->name.data);
}

static uint32_t list_sorted(const struct variable_set *set, struct arena *arena,
                            const struct property_text ***out)
{
    const struct property_text **list =
        arena_array(arena, const struct property_text *, set->values.live_count + 1);
    uint32_t count = 0;

    MAP_FOREACH (entry, &set->values) {
        list[count++] = entry->value;
    }
    qsort(list, count, sizeof(struct property_text *), compare_names);
    *out = list;
    return count;
}

/* --- the session's --- */

int session_define(struct session *session, struct bytes name, struct bytes value,
                   struct error *err)
{
    if (!parse_is_variable_name(name)) {
        return error_set(err, ERR_VARIABLE, NO_POSITION,
                         "'%.*s' is no name of a variable: a letter or _, then letters, digits "
                         "and _",
                         BYTES_ARG(name));
    }
    put(&session->variables, name, value);
    return 0;
}

/* --- reading a text --- */

struct reading {
    struct variable_set variables;
    struct property_set properties;
    struct parse_variables parse;
};

static struct bytes find(void *context, struct bytes name)
{
    struct reading *reading = context;
    const struct property_text *variable = map_find(&reading->variables.values, name);

    return variable ? variable->value : (struct bytes){ NULL, 0 };
}

/* What is wrong with a setting is said when the statement is checked. */
static void read_statement(void *context, const struct ast_statement *statement)
{
    struct reading *reading = context;
    const struct ast_setting *setting = &statement->setting;
    const struct setting_kind *kind = NULL;
    struct bytes name = { NULL, 0 };

    if (statement->kind == AST_DEFINE) {
        put(&reading->variables, setting->name.text, setting->value.text);
    } else if (statement->kind == AST_UNDEFINE) {
        (void)remove_name(&reading->variables, setting->name.text);
    } else if (statement->kind == AST_SET) {
        (void)property_set_put(&reading->properties, SETTING_SESSION, &setting->name,
                               &setting->value, NULL);
    } else if (statement->kind == AST_UNSET &&
               setting_find(setting->name.text, NO_POSITION, &kind, &name, NULL) == 0) {
        (void)property_set_remove(&reading->properties, name);
    }
    reading->parse.enabled = property_get_boolean(&reading->properties, substitution);
}

int session_parse(struct session *session, struct arena *arena, struct bytes text,
                  struct ast_script *out, struct error *err)
{
    struct reading reading;
    int code;

    variable_set_init(&reading.variables);
    variable_set_add_all(&reading.variables, &session->variables);
    property_set_init(&reading.properties, &session->engine->server);
    property_set_add_all(&reading.properties, &session->properties);
    reading.parse = (struct parse_variables){
        .find = find,
        .read = read_statement,
        .context = &reading,
        .enabled = property_get_boolean(&reading.properties, substitution),
    };
    code = parse_script_with(arena, text, &reading.parse, out, err);
    property_set_fini(&reading.properties);
    variable_set_fini(&reading.variables);
    return code;
}

/* --- statements --- */

int define_run(struct command *command, struct error *err)
{
    const struct ast_setting *setting = &command->statement->setting;

    TRY(session_define(command->session, setting->name.text, setting->value.text, err));
    answer_message(command,
                   arena_printf(command->arena, "Variable %.*s is '%.*s'",
                                BYTES_ARG(setting->name.text), BYTES_ARG(setting->value.text)));
    return 0;
}

int undefine_run(struct command *command, struct error *err)
{
    struct bytes name = command->statement->setting.name.text;

    (void)err; /* an unknown one is a warning */
    if (remove_name(&command->session->variables, name)) {
        answer_message(command,
                       arena_printf(command->arena, "Variable %.*s is undefined", BYTES_ARG(name)));
    } else {
        answer_note(command,
                    arena_printf(command->arena, "There is no variable %.*s", BYTES_ARG(name)));
    }
    return 0;
}

void variables_show(struct command *command)
{
    static const char *const columns[] = { "Variable Name", "Value", NULL };
    static const char *const fields[] = { "name", "value" };
    const struct property_text **list = NULL;
    struct answer_table answer;
    uint32_t count = list_sorted(&command->session->variables, command->arena, &list);

    answer_begin(&answer, command->arena, "variables", columns);
    answer.table.fields = fields;
    for (uint32_t i = 0; i < count; i++) {
        answer_cell(&answer, list[i]->name);
        answer_cell(&answer, list[i]->value);
    }
    answer_end(&answer, command);
}
