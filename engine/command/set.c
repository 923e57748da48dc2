/*
 * set.c: SET and UNSET: properties of the session, for the statements behind.
 */
#include "engine/command/command_internal.h"

int set_check(struct command *command, struct error *err)
{
    const struct ast_setting *setting = &command->statement->setting;

    return property_set_put(command->properties, SETTING_SESSION, &setting->name, &setting->value,
                            err);
}

int set_run(struct command *command, struct error *err)
{
    const struct ast_setting *setting = &command->statement->setting;
    const struct setting_kind *kind = NULL;
    struct bytes name = { 0 };
    struct bytes before;
    struct bytes message;

    TRY(setting_find(setting->name.text, setting->name.at, &kind, &name, err));
    before = arena_copy(command->arena,
                        property_get(command->properties, arena_copy_text(command->arena, name)));
    TRY(set_check(command, err));
    message = before.data
                  ? arena_printf(command->arena, "Property '%.*s' changed from '%.*s' to '%.*s'",
                                 BYTES_ARG(name), BYTES_ARG(before), BYTES_ARG(setting->value.text))
                  : arena_printf(command->arena, "Property '%.*s' set to '%.*s'", BYTES_ARG(name),
                                 BYTES_ARG(setting->value.text));
    answer_message(command, message);
    if (kind->effect == SETTING_UNUSED) {
        answer_note(command,
                    arena_printf(command->arena, "'%.*s' has no effect yet", BYTES_ARG(name)));
    }
    return 0;
}

int unset_check(struct command *command, struct error *err)
{
    const struct ast_setting *setting = &command->statement->setting;
    const struct setting_kind *kind = NULL;
    struct bytes name = { 0 };

    TRY(setting_find(setting->name.text, setting->name.at, &kind, &name, err));
    if (!property_set_remove(command->properties, name)) {
        return error_set(err, ERR_INVALID_PROPERTY, setting->name.at,
                         "The property '%.*s' cannot be unset: it was not SET", BYTES_ARG(name));
    }
    return 0;
}

int unset_run(struct command *command, struct error *err)
{
    struct bytes name = command->statement->setting.name.text;

    TRY(unset_check(command, err));
    answer_message(command, arena_printf(command->arena, "Property '%.*s' unset", BYTES_ARG(name)));
    return 0;
}
