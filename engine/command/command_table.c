/*
 * command_table.c: a row per kind of statement. What has none is refused by name.
 */
#include "engine/command/command_internal.h"

static const struct command_kind commands[AST_STATEMENT_KINDS] = {
    [AST_CREATE_SOURCE] = { .change = create_source_change },
    [AST_CREATE_AS] = { .change = create_as_change },
    [AST_DROP_SOURCE] = { .change = drop_change },
    [AST_TERMINATE] = { .change = terminate_change },
    [AST_INSERT_VALUES] = { .check = insert_values_check, .run = insert_values_run },
    [AST_SELECT] = { .check = select_check, .run = select_run },
    [AST_SHOW] = { .check = show_check, .run = show_run },
    [AST_DESCRIBE] = { .check = describe_check, .run = describe_run },
    [AST_EXPLAIN] = { .check = explain_check, .run = explain_run },
    [AST_SET] = { .check = set_check, .run = set_run },
    [AST_UNSET] = { .check = unset_check, .run = unset_run },
};

const struct command_kind *command_find(enum ast_statement_kind kind)
{
    return commands[kind].change || commands[kind].run ? &commands[kind] : NULL;
}
