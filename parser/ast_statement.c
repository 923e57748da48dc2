/*
 * ast_statement.c: constructors of statements and their parts.
 *
 * A statement knows its own text: it begins at the first token, and the end is
 * set when the ";" comes, or, inside EXPLAIN, at the last token.
 */
#include "parser/ast_build.h"

static struct ast_statement *new_statement(struct ast_build *b, enum ast_statement_kind kind,
                                           struct token first)
{
    struct ast_statement *statement = arena_new(b->arena, struct ast_statement);

    statement->kind = kind;
    statement->at = first.at;
    statement->text = first.text;
    return statement;
}

void ast_finish_statement(struct ast_build *b, struct ast_statement *statement,
                          struct token semicolon)
{
    const char *end = semicolon.text.data + semicolon.text.len;

    statement->text.len = (size_t)(end - statement->text.data);
    b->statement = statement;
}

/* --- CREATE --- */

struct ast_create_head ast_create_head(struct token first, enum ast_source_kind kind,
                                       unsigned flags)
{
    return (struct ast_create_head){ first, kind, flags };
}

static void check_keys(struct ast_build *b, enum ast_source_kind kind,
                       const struct ast_column_def_list *columns)
{
    for (uint32_t i = 0; i < columns->count; i++) {
        const struct ast_column_def *column = &columns->items[i];

        if (kind == AST_STREAM && column->role == AST_ROLE_PRIMARY_KEY) {
            (void)ast_fail(b, ERR_INVALID_KEY, column->name.at,
                           "A stream has no PRIMARY KEY: use KEY, or CREATE TABLE");
        }
        if (kind == AST_TABLE && column->role == AST_ROLE_KEY) {
            (void)ast_fail(b, ERR_INVALID_KEY, column->name.at,
                           "The key of a table is its PRIMARY KEY: use PRIMARY KEY, or CREATE "
                           "STREAM");
        }
    }
}

struct ast_statement *ast_create_source(struct ast_build *b, struct ast_create_head head,
                                        bool if_not_exists, struct ast_name name,
                                        struct ast_column_def_list columns,
                                        struct ast_property_list properties)
{
    struct ast_statement *statement = new_statement(b, AST_CREATE_SOURCE, head.first);

    check_keys(b, head.kind, &columns);
    statement->create_source = (struct ast_create_source){
        .kind = head.kind,
        .or_replace = (head.flags & AST_OR_REPLACE) != 0,
        .read_only = (head.flags & AST_READ_ONLY) != 0,
        .if_not_exists = if_not_exists,
        .name = name,
        .columns = columns,
        .properties = properties,
    };
    return statement;
}

struct ast_statement *ast_create_as(struct ast_build *b, struct ast_create_head head,
                                    bool if_not_exists, struct ast_name name,
                                    struct ast_property_list properties, struct token as,
                                    struct ast_query *query)
{
    struct ast_statement *statement = new_statement(b, AST_CREATE_AS, head.first);

    if (head.flags & AST_READ_ONLY) {
        (void)ast_fail(b, ERR_SYNTAX, as.at, "AS SELECT does not go with CREATE SOURCE");
    }
    statement->create_as = (struct ast_create_as){
        .kind = head.kind,
        .or_replace = (head.flags & AST_OR_REPLACE) != 0,
        .if_not_exists = if_not_exists,
        .name = name,
        .properties = properties,
        .query = query,
    };
    return statement;
}

struct ast_statement *ast_create_connector(struct ast_build *b, struct token first,
                                           enum ast_connector_kind kind, bool if_not_exists,
                                           struct ast_name name,
                                           struct ast_property_list properties)
{
    struct ast_statement *statement = new_statement(b, AST_CREATE_CONNECTOR, first);

    if (properties.count == 0) {
        (void)ast_fail(b, ERR_SYNTAX, name.at, "CREATE CONNECTOR needs a WITH clause");
    }
    statement->create_connector = (struct ast_create_connector){
        .is_sink = kind == AST_SINK_CONNECTOR,
        .if_not_exists = if_not_exists,
        .name = name,
        .properties = properties,
    };
    return statement;
}

struct ast_statement *ast_create_type(struct ast_build *b, struct token first, bool if_not_exists,
                                      struct ast_name name, struct ast_type *type)
{
    struct ast_statement *statement = new_statement(b, AST_CREATE_TYPE, first);

    statement->create_type = (struct ast_create_type){ if_not_exists, name, type };
    return statement;
}

struct ast_column_def ast_column_def(struct ast_name name, struct ast_type *type,
                                     enum ast_column_role role)
{
    return (struct ast_column_def){ .name = name, .type = type, .role = role };
}

struct ast_column_def ast_header_def(struct ast_build *b, struct ast_name name,
                                     struct ast_type *type, struct token key)
{
    struct ast_column_def column = ast_column_def(name, type, AST_ROLE_HEADER);

    column.header_key = ast_text(b, key).text;
    return column;
}

struct ast_column_def_list ast_add_column(struct ast_build *b, struct ast_column_def_list list,
                                          struct ast_column_def column)
{
    *vec_push(b->arena, &list) = column;
    return list;
}

struct ast_property ast_property(struct ast_name name, struct ast_literal value)
{
    return (struct ast_property){ name, value };
}

struct ast_property_list ast_add_property(struct ast_build *b, struct ast_property_list list,
                                          struct ast_property property)
{
    *vec_push(b->arena, &list) = property;
    return list;
}

/* --- INSERT, SELECT, DROP, ALTER --- */

struct ast_statement *ast_insert_select(struct ast_build *b, struct token first,
                                        struct ast_name target, struct ast_property_list properties,
                                        struct ast_query *query)
{
    struct ast_statement *statement = new_statement(b, AST_INSERT_SELECT, first);

    statement->insert_select = (struct ast_insert_select){ target, properties, query };
    return statement;
}

struct ast_statement *ast_insert_values(struct ast_build *b, struct token first,
                                        enum ast_statement_kind kind, struct ast_name target,
                                        struct ast_name_list columns, struct ast_expr_list values)
{
    struct ast_statement *statement = new_statement(b, kind, first);

    statement->insert_values = (struct ast_insert_values){ target, columns, values };
    return statement;
}

struct ast_statement *ast_select(struct ast_build *b, struct ast_query *query)
{
    struct token first = { .text = { b->query_start, 0 }, .at = query->at };
    struct ast_statement *statement = new_statement(b, AST_SELECT, first);

    statement->select = query;
    return statement;
}

struct ast_statement *ast_drop_source(struct ast_build *b, struct token first,
                                      enum ast_source_kind kind, bool if_exists,
                                      struct ast_name name, bool delete_topic)
{
    struct ast_statement *statement = new_statement(b, AST_DROP_SOURCE, first);

    statement->drop_source = (struct ast_drop_source){ kind, if_exists, delete_topic, name };
    return statement;
}

struct ast_statement *ast_drop(struct ast_build *b, struct token first,
                               enum ast_statement_kind kind, bool if_exists, struct ast_name name)
{
    struct ast_statement *statement = new_statement(b, kind, first);

    statement->drop = (struct ast_drop){ if_exists, name };
    return statement;
}

struct ast_statement *ast_alter_source(struct ast_build *b, struct token first,
                                       enum ast_source_kind kind, struct ast_name name,
                                       struct ast_column_def_list columns)
{
    struct ast_statement *statement = new_statement(b, AST_ALTER_SOURCE, first);

    statement->alter_source = (struct ast_alter_source){ kind, name, columns };
    return statement;
}

/* --- queries at work --- */

struct ast_verb ast_verb(struct token first, enum ast_statement_kind kind)
{
    return (struct ast_verb){ first, kind };
}

struct ast_statement *ast_query_verb_all(struct ast_build *b, struct ast_verb verb)
{
    struct ast_statement *statement = new_statement(b, verb.kind, verb.first);

    statement->query_ref.all = true;
    return statement;
}

struct ast_statement *ast_query_verb(struct ast_build *b, struct ast_verb verb,
                                     struct ast_name name)
{
    struct ast_statement *statement = new_statement(b, verb.kind, verb.first);

    statement->query_ref.name = name;
    return statement;
}

struct ast_statement *ast_explain_statement(struct ast_build *b, struct token first,
                                            struct ast_statement *explained)
{
    struct ast_statement *statement = new_statement(b, AST_EXPLAIN, first);

    explained->text.len = (size_t)(b->end - explained->text.data);
    statement->explain.statement = explained;
    return statement;
}

struct ast_statement *ast_explain_query(struct ast_build *b, struct token first,
                                        struct ast_name name)
{
    struct ast_statement *statement = new_statement(b, AST_EXPLAIN, first);

    statement->explain.query = name;
    return statement;
}

struct ast_statement *ast_describe(struct ast_build *b, struct token first,
                                   enum ast_describe_what what, struct ast_name name, bool extended)
{
    struct ast_statement *statement = new_statement(b, AST_DESCRIBE, first);

    statement->describe = (struct ast_describe){ what, extended, name };
    return statement;
}

struct ast_statement *ast_show(struct ast_build *b, struct token first, enum ast_show_what what,
                               unsigned flags)
{
    struct ast_statement *statement = new_statement(b, AST_SHOW, first);

    statement->show.what = what;
    statement->show.all = (flags & AST_SHOW_ALL) != 0;
    statement->show.extended = (flags & AST_SHOW_EXTENDED) != 0;
    return statement;
}

struct ast_statement *ast_print_topic(struct ast_build *b, struct token first,
                                      struct ast_name topic, bool from_beginning,
                                      struct ast_number interval, struct ast_number limit)
{
    struct ast_statement *statement = new_statement(b, AST_PRINT, first);

    statement->print = (struct ast_print_topic){ topic, from_beginning, interval, limit };
    return statement;
}

/* --- settings, scripts, assertions --- */

struct ast_statement *ast_setting(struct ast_build *b, struct token first,
                                  enum ast_statement_kind kind, struct ast_text name,
                                  struct ast_text value)
{
    struct ast_statement *statement = new_statement(b, kind, first);

    statement->setting = (struct ast_setting){ name, value };
    return statement;
}

struct ast_statement *ast_run_script(struct ast_build *b, struct token first, struct ast_text path)
{
    struct ast_statement *statement = new_statement(b, AST_RUN_SCRIPT, first);

    statement->run_script.path = path;
    return statement;
}

struct ast_statement *ast_assert_topic(struct ast_build *b, struct token first, bool not_exists,
                                       struct ast_name topic, struct ast_property_list properties,
                                       struct ast_duration timeout)
{
    struct ast_statement *statement = new_statement(b, AST_ASSERT_TOPIC, first);

    statement->assert_topic = (struct ast_assert_topic){ not_exists, topic, properties, timeout };
    return statement;
}

struct ast_statement *ast_assert_schema(struct ast_build *b, struct token first, bool not_exists,
                                        struct ast_name subject, struct ast_literal id,
                                        struct ast_duration timeout)
{
    struct ast_statement *statement = new_statement(b, AST_ASSERT_SCHEMA, first);

    statement->assert_schema = (struct ast_assert_schema){ not_exists, subject, id, timeout };
    return statement;
}

struct ast_statement *ast_assert_source(struct ast_build *b, struct token first,
                                        enum ast_source_kind kind, struct ast_name name,
                                        struct ast_column_def_list columns,
                                        struct ast_property_list properties)
{
    struct ast_create_head head = { first, kind, 0 };
    struct ast_statement *statement = ast_create_source(b, head, false, name, columns, properties);

    statement->kind = AST_ASSERT_SOURCE;
    return statement;
}
