/*
 * answer.c: messages and tables of text on their way to a result sink.
 */
#include <string.h>

#include "engine/command/command_internal.h"

void answer_message(const struct command *command, struct bytes message)
{
    if (command->sink->message) {
        command->sink->message(command->sink->context, message);
    }
}

void answer_warning(const struct command *command, struct bytes message)
{
    if (command->sink->warning) {
        command->sink->warning(command->sink->context, message);
    }
}

void answer_note(const struct command *command, struct bytes message)
{
    if (command->sink->note) {
        command->sink->note(command->sink->context, message);
    } else {
        answer_warning(command, message);
    }
}

/* The connector that was made, and how it does. */
static const struct connector_entry *find_made(const struct command *command,
                                               const struct change *change,
                                               struct connector_status *status)
{
    const struct connector_host *host = command->engine->config.connectors;

    if (!change->connector.data || !host ||
        host->status(host->context, change->connector, command->arena, status, NULL)) {
        return NULL; /* it may have gone already */
    }
    return catalog_find_connector(command->engine->catalog, change->connector);
}

void answer_changed(const struct command *command, const struct change *change)
{
    struct connector_status status = { 0 };
    const struct connector_entry *connector = find_made(command, change, &status);
    const struct result_change told = {
        .sql = change->sql,
        .message = change->message,
        .type = change->type,
        .entity = change->entity,
        .action = change->action,
        .id = outcome_id(command->arena, change),
        .query_id = change->plan ? change->plan->query_id : (struct bytes){ NULL, 0 },
        .sequence = change->none ? -1 : change->sequence,
        .connector = connector,
        .status = &status,
    };

    if (change->none && strcmp(change->type, "connector") != 0) {
        outcomes_put(&command->engine->outcomes, told.id, "SUCCESS", told.message, told.query_id);
    }
    if (command->sink->changed) {
        command->sink->changed(command->sink->context, &told);
    } else if (change->none) {
        answer_warning(command, change->message);
    } else {
        answer_message(command, change->message);
    }
}

void answer_ended(const struct command *command, struct bytes query_id)
{
    if (command->sink->ended) {
        command->sink->ended(command->sink->context, query_id);
    } else {
        answer_message(command, bytes_of("Query terminated."));
    }
}

void answer_begin(struct answer_table *answer, struct arena *arena, const char *kind,
                  const char *const *columns)
{
    uint32_t count = 0;
    struct bytes *names;

    while (columns[count]) {
        count++;
    }
    names = arena_array(arena, struct bytes, count);
    for (uint32_t i = 0; i < count; i++) {
        names[i] = bytes_of(columns[i]);
    }
    memset(answer, 0, sizeof *answer);
    answer->arena = arena;
    answer->table.kind = kind;
    answer->table.columns = names;
    answer->table.column_count = count;
}

void answer_cell(struct answer_table *answer, struct bytes text)
{
    *vec_push(answer->arena, &answer->cells) = text;
}

void answer_cell_text(struct answer_table *answer, const char *text)
{
    answer_cell(answer, bytes_of(text));
}

void answer_cell_number(struct answer_table *answer, int64_t number)
{
    answer_cell(answer, arena_printf(answer->arena, "%lld", (long long)number));
}

void answer_end(struct answer_table *answer, const struct command *command)
{
    answer->table.cells = answer->cells.items;
    answer->table.row_count =
        answer->table.column_count ? answer->cells.count / answer->table.column_count : 0;
    if (command->sink->table) {
        command->sink->table(command->sink->context, &answer->table);
    }
}

static void print_role(const struct column *column, const char *key_word, struct buffer *out)
{
    switch (column->role) {
    case COLUMN_KEY:
        buffer_append_text(out, key_word);
        break;
    case COLUMN_HEADERS:
        buffer_append_text(out, " (headers)");
        break;
    case COLUMN_HEADER:
        buffer_printf(out, " (header('%.*s'))", BYTES_ARG(column->header_key));
        break;
    case COLUMN_VALUE:
        break;
    }
}

/* As DESCRIBE has it: VARCHAR(STRING) for a STRING of its own, key types padded. */
static struct bytes field_type(struct arena *arena, const struct column *column,
                               const char *key_word)
{
    enum { ROLE_AT = 16 };
    struct buffer text = { 0 };

    if (column->type->id == T_STRING) {
        buffer_append_text(&text, "VARCHAR(STRING)");
    } else {
        type_print(column->type, &text);
    }
    while (column->role != COLUMN_VALUE && text.len < ROLE_AT) {
        buffer_append_char(&text, ' ');
    }
    print_role(column, key_word, &text);
    return answer_take(arena, &text);
}

void answer_fields(struct answer_table *answer, const struct schema *schema, const char *key_word)
{
    for (uint32_t i = 0; i < schema->column_count; i++) {
        answer_cell(answer, schema->columns[i].name);
        answer_cell(answer, field_type(answer->arena, &schema->columns[i], key_word));
    }
}

struct bytes answer_one_line(struct arena *arena, struct bytes text)
{
    char *line = arena_copy_text(arena, text);

    for (size_t i = 0; i < text.len; i++) {
        if (line[i] == '\n' || line[i] == '\r') {
            line[i] = ' ';
        }
    }
    return (struct bytes){ line, text.len };
}

struct bytes answer_take(struct arena *arena, struct buffer *text)
{
    struct bytes copy = arena_copy(arena, buffer_bytes(text));

    buffer_fini(text);
    return copy;
}
