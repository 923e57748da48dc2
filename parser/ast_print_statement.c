/*
 * ast_print_statement.c: queries and statements -> text that parses to an equal
 * tree.
 *
 * WITH properties are printed in order of name, so that texts which say the same
 * are the same; nothing else is reordered or added.
 */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "parser/ast_print.h"

static void print_optional_name(struct buffer *out, const char *before, const struct ast_name *name)
{
    if (name->text.data) {
        buffer_append_text(out, before);
        ast_print_name(out, name->text);
    }
}

static void print_flag(struct buffer *out, const char *text, int given)
{
    buffer_append_text(out, given ? text : "");
}

static void print_number(struct buffer *out, const char *before, const struct ast_number *number)
{
    if (number->given) {
        buffer_printf(out, "%s%lld", before, (long long)number->value);
    }
}

static void print_duration(struct buffer *out, const char *before,
                           const struct ast_duration *duration)
{
    if (duration->unit != AST_UNIT_NONE) {
        buffer_printf(out, "%s%lld %s", before, (long long)duration->count,
                      ast_unit_text(duration->unit));
    }
}

static const char *kind_text(enum ast_source_kind kind)
{
    return kind == AST_STREAM ? "STREAM" : "TABLE";
}

/* --- queries --- */

static void print_item(struct buffer *out, const struct ast_select_item *item)
{
    switch (item->kind) {
    case AST_ITEM_ALL:
        buffer_append_char(out, '*');
        break;
    case AST_ITEM_SOURCE_ALL:
        ast_print_name(out, item->source.text);
        buffer_append_text(out, ".*");
        break;
    case AST_ITEM_STRUCT_ALL: /* "->" binds tighter than the signs, which print bare */
        print_flag(out, "(", item->expr->kind == AST_UNARY);
        ast_print_expr(out, item->expr);
        print_flag(out, ")", item->expr->kind == AST_UNARY);
        buffer_append_text(out, "->*");
        break;
    case AST_ITEM_EXPR:
        ast_print_expr(out, item->expr);
        print_optional_name(out, " ", &item->alias);
        break;
    }
}

static void print_relation(struct buffer *out, const struct ast_relation *relation)
{
    ast_print_name(out, relation->source.text);
    print_optional_name(out, " ", &relation->alias);
}

static void print_join(struct buffer *out, const struct ast_join *join)
{
    static const char *const kinds[] = {
        [AST_JOIN_INNER] = "INNER JOIN ",
        [AST_JOIN_LEFT] = "LEFT OUTER JOIN ",
        [AST_JOIN_RIGHT] = "RIGHT OUTER JOIN ",
        [AST_JOIN_FULL] = "FULL OUTER JOIN ",
    };

    buffer_append_char(out, '\n');
    buffer_append_text(out, kinds[join->kind]);
    print_relation(out, &join->right);
    if (join->before.unit != AST_UNIT_NONE) {
        print_duration(out, " WITHIN (", &join->before);
        print_duration(out, ", ", &join->after);
        buffer_append_char(out, ')');
        print_duration(out, " GRACE PERIOD ", &join->grace);
    }
    buffer_append_text(out, " ON ");
    ast_print_expr(out, join->on);
}

static void print_window(struct buffer *out, const struct ast_window *window)
{
    buffer_append_text(out, "\nWINDOW ");
    if (window->name.text.data) {
        ast_print_name(out, window->name.text);
        buffer_append_char(out, ' ');
    }
    switch (window->kind) {
    case AST_WINDOW_TUMBLING:
        print_duration(out, "TUMBLING (SIZE ", &window->size);
        break;
    case AST_WINDOW_HOPPING:
        print_duration(out, "HOPPING (SIZE ", &window->size);
        print_duration(out, ", ADVANCE BY ", &window->advance);
        break;
    case AST_WINDOW_SESSION:
        print_duration(out, "SESSION (", &window->size);
        break;
    }
    print_duration(out, ", RETENTION ", &window->retention);
    print_duration(out, ", GRACE PERIOD ", &window->grace);
    buffer_append_char(out, ')');
}

static void print_condition(struct buffer *out, const char *before, const struct ast_expr *expr)
{
    if (expr) {
        buffer_append_text(out, before);
        ast_print_expr(out, expr);
    }
}

/* One key stands bare; its own parentheses, if any, mean no list. */
static void print_keys(struct buffer *out, const char *before, const struct ast_expr_list *keys)
{
    if (!keys) {
        return;
    }
    buffer_append_text(out, before);
    print_flag(out, "(", keys->count != 1);
    for (uint32_t i = 0; i < keys->count; i++) {
        buffer_append_text(out, i ? ", " : "");
        ast_print_expr(out, keys->items[i]);
    }
    print_flag(out, ")", keys->count != 1);
}

void ast_print_query(struct buffer *out, const struct ast_query *query)
{
    buffer_append_text(out, "SELECT");
    for (uint32_t i = 0; i < query->items.count; i++) {
        buffer_append_text(out, i ? ",\n  " : "\n  ");
        print_item(out, &query->items.items[i]);
    }
    buffer_append_text(out, "\nFROM ");
    print_relation(out, &query->from);
    for (uint32_t i = 0; i < query->joins.count; i++) {
        print_join(out, &query->joins.items[i]);
    }
    if (query->window) {
        print_window(out, query->window);
    }
    print_condition(out, "\nWHERE ", query->where);
    print_keys(out, "\nGROUP BY ", query->group_by);
    print_keys(out, "\nPARTITION BY ", query->partition_by);
    print_condition(out, "\nHAVING ", query->having);
    print_flag(out, "\nEMIT CHANGES", query->emit == AST_EMIT_CHANGES);
    print_flag(out, "\nEMIT FINAL", query->emit == AST_EMIT_FINAL);
    print_number(out, "\nLIMIT ", &query->limit);
}

/* --- parts of statements --- */

static void print_column(struct buffer *out, const struct ast_column_def *column)
{
    ast_print_name(out, column->name.text);
    buffer_append_char(out, ' ');
    ast_print_type(out, column->type);
    switch (column->role) {
    case AST_ROLE_VALUE:
        break;
    case AST_ROLE_KEY:
        buffer_append_text(out, " KEY");
        break;
    case AST_ROLE_PRIMARY_KEY:
        buffer_append_text(out, " PRIMARY KEY");
        break;
    case AST_ROLE_HEADERS:
        buffer_append_text(out, " HEADERS");
        break;
    case AST_ROLE_HEADER:
        buffer_append_text(out, " HEADER(");
        ast_print_string(out, column->header_key);
        buffer_append_char(out, ')');
        break;
    }
}

static void print_columns(struct buffer *out, const struct ast_column_def_list *columns)
{
    for (uint32_t i = 0; i < columns->count; i++) {
        buffer_append_text(out, i ? ", " : " (");
        print_column(out, &columns->items[i]);
    }
    print_flag(out, ")", columns->count > 0);
}

/* By name; of equal names the one that stands first in the text. */
static int compare_properties(const void *a, const void *b)
{
    const struct ast_property *left = a;
    const struct ast_property *right = b;
    int order = bytes_compare(left->name.text, right->name.text);

    if (order == 0 && left->name.at.line != right->name.at.line) {
        order = left->name.at.line < right->name.at.line ? -1 : 1;
    }
    if (order == 0 && left->name.at.column != right->name.at.column) {
        order = left->name.at.column < right->name.at.column ? -1 : 1;
    }
    return order;
}

static void print_property(struct buffer *out, const struct ast_property *property)
{
    if (property->name.quoted) {
        ast_print_string(out, property->name.text);
    } else {
        ast_print_name(out, property->name.text);
    }
    buffer_append_char(out, '=');
    ast_print_literal(out, &property->value);
}

static void print_with(struct buffer *out, const struct ast_property_list *properties)
{
    size_t size = properties->count * sizeof(struct ast_property);
    struct ast_property *sorted;

    if (properties->count == 0) {
        return;
    }
    sorted = memory_alloc(size);
    memcpy(sorted, properties->items, size);
    qsort(sorted, properties->count, sizeof(struct ast_property), compare_properties);
    for (uint32_t i = 0; i < properties->count; i++) {
        buffer_append_text(out, i ? ", " : " WITH (");
        print_property(out, &sorted[i]);
    }
    buffer_append_char(out, ')');
    free(sorted);
}

static void print_names(struct buffer *out, const struct ast_name_list *names)
{
    for (uint32_t i = 0; i < names->count; i++) {
        buffer_append_text(out, i ? ", " : " (");
        ast_print_name(out, names->items[i].text);
    }
    print_flag(out, ")", names->count > 0);
}

static void print_text(struct buffer *out, const char *before, struct bytes text)
{
    buffer_append_text(out, before);
    ast_print_string(out, text);
}

/* --- statements --- */

static void print_create_source(struct buffer *out, const struct ast_create_source *create)
{
    buffer_append_text(out, "CREATE ");
    print_flag(out, "OR REPLACE ", create->or_replace);
    print_flag(out, "SOURCE ", create->read_only);
    buffer_append_text(out, kind_text(create->kind));
    print_flag(out, " IF NOT EXISTS", create->if_not_exists);
    print_optional_name(out, " ", &create->name);
    print_columns(out, &create->columns);
    print_with(out, &create->properties);
}

static void print_assert_source(struct buffer *out, const struct ast_create_source *create)
{
    buffer_printf(out, "ASSERT %s", kind_text(create->kind));
    print_optional_name(out, " ", &create->name);
    print_columns(out, &create->columns);
    print_with(out, &create->properties);
}

static void print_create_as(struct buffer *out, const struct ast_create_as *create)
{
    buffer_append_text(out, "CREATE ");
    print_flag(out, "OR REPLACE ", create->or_replace);
    buffer_append_text(out, kind_text(create->kind));
    print_flag(out, " IF NOT EXISTS", create->if_not_exists);
    print_optional_name(out, " ", &create->name);
    print_with(out, &create->properties);
    buffer_append_text(out, " AS ");
    ast_print_query(out, create->query);
}

static void print_create_connector(struct buffer *out, const struct ast_create_connector *create)
{
    buffer_append_text(out, create->is_sink ? "CREATE SINK CONNECTOR" : "CREATE SOURCE CONNECTOR");
    print_flag(out, " IF NOT EXISTS", create->if_not_exists);
    print_optional_name(out, " ", &create->name);
    print_with(out, &create->properties);
}

static void print_create_type(struct buffer *out, const struct ast_create_type *create)
{
    buffer_append_text(out, "CREATE TYPE");
    print_flag(out, " IF NOT EXISTS", create->if_not_exists);
    print_optional_name(out, " ", &create->name);
    buffer_append_text(out, " AS ");
    ast_print_type(out, create->type);
}

static void print_insert_values(struct buffer *out, const struct ast_statement *statement)
{
    const struct ast_insert_values *insert = &statement->insert_values;
    bool is_tombstone = statement->kind == AST_ASSERT_NULL_VALUES;

    buffer_append_text(out, statement->kind == AST_INSERT_VALUES ? "INSERT INTO"
                            : is_tombstone                       ? "ASSERT NULL VALUES"
                                                                 : "ASSERT VALUES");
    print_optional_name(out, " ", &insert->target);
    print_names(out, &insert->columns);
    buffer_append_text(out, is_tombstone ? " KEY (" : " VALUES (");
    for (uint32_t i = 0; i < insert->values.count; i++) {
        buffer_append_text(out, i ? ", " : "");
        ast_print_expr(out, insert->values.items[i]);
    }
    buffer_append_char(out, ')');
}

static void print_insert_select(struct buffer *out, const struct ast_insert_select *insert)
{
    buffer_append_text(out, "INSERT INTO");
    print_optional_name(out, " ", &insert->target);
    print_with(out, &insert->properties);
    buffer_append_char(out, ' ');
    ast_print_query(out, insert->query);
}

static void print_drop_source(struct buffer *out, const struct ast_drop_source *drop)
{
    buffer_printf(out, "DROP %s", kind_text(drop->kind));
    print_flag(out, " IF EXISTS", drop->if_exists);
    print_optional_name(out, " ", &drop->name);
    print_flag(out, " DELETE TOPIC", drop->delete_topic);
}

static void print_drop(struct buffer *out, const struct ast_statement *statement)
{
    buffer_append_text(out, statement->kind == AST_DROP_TYPE ? "DROP TYPE" : "DROP CONNECTOR");
    print_flag(out, " IF EXISTS", statement->drop.if_exists);
    print_optional_name(out, " ", &statement->drop.name);
}

static void print_alter_source(struct buffer *out, const struct ast_alter_source *alter)
{
    buffer_printf(out, "ALTER %s", kind_text(alter->kind));
    print_optional_name(out, " ", &alter->name);
    for (uint32_t i = 0; i < alter->columns.count; i++) {
        buffer_append_text(out, i ? ", ADD COLUMN " : " ADD COLUMN ");
        print_column(out, &alter->columns.items[i]);
    }
}

static void print_query_ref(struct buffer *out, const struct ast_query_ref *ref)
{
    print_flag(out, " ALL", ref->all);
    print_optional_name(out, " ", &ref->name);
}

static void print_describe(struct buffer *out, const struct ast_describe *describe)
{
    static const char *const whats[] = {
        [AST_DESCRIBE_SOURCE] = "DESCRIBE",
        [AST_DESCRIBE_STREAMS] = "DESCRIBE STREAMS",
        [AST_DESCRIBE_TABLES] = "DESCRIBE TABLES",
        [AST_DESCRIBE_FUNCTION] = "DESCRIBE FUNCTION",
        [AST_DESCRIBE_CONNECTOR] = "DESCRIBE CONNECTOR",
    };

    buffer_append_text(out, whats[describe->what]);
    print_optional_name(out, " ", &describe->name);
    print_flag(out, " EXTENDED", describe->extended);
}

static void print_show(struct buffer *out, const struct ast_show *show)
{
    static const char *const whats[] = {
        [AST_SHOW_PROPERTIES] = "PROPERTIES",
        [AST_SHOW_TOPICS] = "TOPICS",
        [AST_SHOW_STREAMS] = "STREAMS",
        [AST_SHOW_TABLES] = "TABLES",
        [AST_SHOW_QUERIES] = "QUERIES",
        [AST_SHOW_FUNCTIONS] = "FUNCTIONS",
        [AST_SHOW_TYPES] = "TYPES",
        [AST_SHOW_VARIABLES] = "VARIABLES",
        [AST_SHOW_CONNECTORS] = "CONNECTORS",
        [AST_SHOW_SOURCE_CONNECTORS] = "SOURCE CONNECTORS",
        [AST_SHOW_SINK_CONNECTORS] = "SINK CONNECTORS",
        [AST_SHOW_CONNECTOR_PLUGINS] = "CONNECTOR PLUGINS",
    };

    buffer_append_text(out, "SHOW ");
    print_flag(out, "ALL ", show->all);
    buffer_append_text(out, whats[show->what]);
    print_flag(out, " EXTENDED", show->extended);
}

static void print_print(struct buffer *out, const struct ast_print_topic *print)
{
    print_text(out, "PRINT ", print->topic.text);
    print_flag(out, " FROM BEGINNING", print->from_beginning);
    print_number(out, " INTERVAL ", &print->interval);
    print_number(out, " LIMIT ", &print->limit);
}

/* Variables are named by an identifier, settings by a string. */
static void print_setting(struct buffer *out, const struct ast_statement *statement)
{
    const struct ast_setting *setting = &statement->setting;

    buffer_append_char(out, ' ');
    if (statement->kind == AST_DEFINE || statement->kind == AST_UNDEFINE) {
        ast_print_name(out, setting->name.text);
    } else {
        ast_print_string(out, setting->name.text);
    }
    if (setting->value.text.data) {
        print_text(out, "=", setting->value.text);
    }
}

static void print_assert_topic(struct buffer *out, const struct ast_assert_topic *assertion)
{
    buffer_append_text(out, "ASSERT ");
    print_flag(out, "NOT EXISTS ", assertion->not_exists);
    print_text(out, "TOPIC ", assertion->topic.text);
    print_with(out, &assertion->properties);
    print_duration(out, " TIMEOUT ", &assertion->timeout);
}

static void print_assert_schema(struct buffer *out, const struct ast_assert_schema *assertion)
{
    buffer_append_text(out, "ASSERT ");
    print_flag(out, "NOT EXISTS ", assertion->not_exists);
    buffer_append_text(out, "SCHEMA");
    if (assertion->subject.text.data) {
        print_text(out, " SUBJECT ", assertion->subject.text);
    }
    if (assertion->id.kind != AST_LITERAL_NONE) {
        buffer_append_text(out, " ID ");
        ast_print_literal(out, &assertion->id);
    }
    print_duration(out, " TIMEOUT ", &assertion->timeout);
}

static void print_body(struct buffer *out, const struct ast_statement *statement);

static void print_explain(struct buffer *out, const struct ast_explain *explain)
{
    buffer_append_text(out, "EXPLAIN ");
    if (explain->statement) {
        print_body(out, explain->statement); /* no EXPLAIN: the grammar has none inside another */
    } else {
        ast_print_name(out, explain->query.text);
    }
}

static void print_body(struct buffer *out, const struct ast_statement *statement)
{
    switch (statement->kind) {
    case AST_CREATE_SOURCE:
        print_create_source(out, &statement->create_source);
        break;
    case AST_CREATE_AS:
        print_create_as(out, &statement->create_as);
        break;
    case AST_CREATE_CONNECTOR:
        print_create_connector(out, &statement->create_connector);
        break;
    case AST_CREATE_TYPE:
        print_create_type(out, &statement->create_type);
        break;
    case AST_INSERT_VALUES:
    case AST_ASSERT_VALUES:
    case AST_ASSERT_NULL_VALUES:
        print_insert_values(out, statement);
        break;
    case AST_INSERT_SELECT:
        print_insert_select(out, &statement->insert_select);
        break;
    case AST_SELECT:
        ast_print_query(out, statement->select);
        break;
    case AST_DROP_SOURCE:
        print_drop_source(out, &statement->drop_source);
        break;
    case AST_DROP_CONNECTOR:
    case AST_DROP_TYPE:
        print_drop(out, statement);
        break;
    case AST_ALTER_SOURCE:
        print_alter_source(out, &statement->alter_source);
        break;
    case AST_TERMINATE:
    case AST_PAUSE:
    case AST_RESUME:
        buffer_append_text(out, ast_statement_name(statement->kind));
        print_query_ref(out, &statement->query_ref);
        break;
    case AST_EXPLAIN:
        print_explain(out, &statement->explain);
        break;
    case AST_DESCRIBE:
        print_describe(out, &statement->describe);
        break;
    case AST_SHOW:
        print_show(out, &statement->show);
        break;
    case AST_PRINT:
        print_print(out, &statement->print);
        break;
    case AST_ALTER_SYSTEM:
    case AST_SET:
    case AST_UNSET:
    case AST_DEFINE:
    case AST_UNDEFINE:
        buffer_append_text(out, ast_statement_name(statement->kind));
        print_setting(out, statement);
        break;
    case AST_RUN_SCRIPT:
        print_text(out, "RUN SCRIPT ", statement->run_script.path.text);
        break;
    case AST_ASSERT_TOPIC:
        print_assert_topic(out, &statement->assert_topic);
        break;
    case AST_ASSERT_SCHEMA:
        print_assert_schema(out, &statement->assert_schema);
        break;
    case AST_ASSERT_SOURCE:
        print_assert_source(out, &statement->create_source);
        break;
    case AST_STATEMENT_KINDS:
        break;
    }
}

void ast_print_statement(struct buffer *out, const struct ast_statement *statement)
{
    print_body(out, statement);
    buffer_append_char(out, ';');
}
