/*
 * ast_build.h: the constructors that grammar actions call, one per rule.
 *
 * They never return NULL. What is wrong with one token, or with the depth of
 * the tree, is noted in the struct ast_build, first come first kept; parse.c
 * looks there after each token. Lists are passed and returned by value.
 */
#ifndef SLUICE_PARSER_AST_BUILD_H
#define SLUICE_PARSER_AST_BUILD_H

#include "base/vec.h"
#include "parser/ast.h"
#include "parser/lexer.h"

struct ast_build {
    struct arena *arena;
    struct error *err;
    int failed;               /* the code of the first error, or 0 */
    bool unexpected;          /* the failure is a token that does not fit, without a message yet */
    struct position position; /* of the token being pushed */
    const char *end;          /* behind the last token pushed before it */
    const char *query_start;  /* where SELECT stands */
    /* The result, of the kind that was asked for. */
    struct ast_statement *statement;
    struct ast_expr *expr;
    struct ast_type *type;
};

#define AST_NO_NAME ((struct ast_name){ 0 })
#define AST_NO_NAMES ((struct ast_name_list){ 0 })
#define AST_NO_TEXT ((struct ast_text){ 0 })
#define AST_NO_TOKEN ((struct token){ 0 })
#define AST_NO_NUMBER ((struct ast_number){ 0 })
#define AST_NO_LITERAL ((struct ast_literal){ 0 })
#define AST_NO_DURATION ((struct ast_duration){ 0 })
#define AST_NO_EXPRS ((struct ast_expr_list){ 0 })
#define AST_NO_WHENS ((struct ast_when_list){ 0 })
#define AST_NO_ENTRIES ((struct ast_map_entry_list){ 0 })
#define AST_NO_FIELDS ((struct ast_struct_field_list){ 0 })
#define AST_NO_TYPE_FIELDS ((struct ast_type_field_list){ 0 })
#define AST_NO_PARAMETERS ((struct ast_parameters){ 0 })
#define AST_NO_COLUMNS ((struct ast_column_def_list){ 0 })
#define AST_NO_PROPERTIES ((struct ast_property_list){ 0 })
#define AST_NO_ITEMS ((struct ast_select_item_list){ 0 })
#define AST_NO_JOINS ((struct ast_join_list){ 0 })
#define AST_NO_WITHIN ((struct ast_within){ 0 })
#define AST_NO_TAIL ((struct ast_window_tail){ 0 })

int ast_fail(struct ast_build *b, enum error_code code, struct position at, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
int ast_fail_depth(struct ast_build *b, struct position at);

/* --- names, texts, numbers (ast_literal.c) --- */

struct ast_name ast_name(struct ast_build *b, struct token token);
struct ast_name ast_source_name(struct ast_build *b, struct token token);
struct ast_name ast_topic_name(struct ast_build *b, struct token token);
struct ast_name ast_text_name(struct ast_build *b, struct token token);
struct ast_text ast_text(struct ast_build *b, struct token token);
struct ast_text ast_name_text(struct ast_name name);
struct ast_name_list ast_add_name(struct ast_build *b, struct ast_name_list list,
                                  struct ast_name name);
/* minus: the sign's token, or AST_NO_TOKEN */
struct ast_literal ast_number(struct ast_build *b, struct token token, struct token minus);
struct ast_literal ast_string(struct ast_build *b, struct token token);
struct ast_literal ast_boolean(bool value, struct position at);
struct ast_literal ast_null(struct position at);
struct ast_literal ast_decimal_literal(struct ast_build *b, struct token token);
struct ast_number ast_integer(struct ast_build *b, struct ast_literal literal);
struct ast_duration ast_duration(struct ast_build *b, struct ast_literal count, struct token unit);
enum ast_unit ast_unit_of_token(int kind);

/* --- types (ast_expr.c) --- */

struct ast_parameters {
    int64_t values[2];
    uint32_t count; /* perhaps more than are kept */
};

struct ast_parameters ast_add_parameter(struct ast_build *b, struct ast_parameters list,
                                        struct ast_literal value);
struct ast_type *ast_named_type(struct ast_build *b, struct ast_name name,
                                struct ast_parameters parameters);
struct ast_type *ast_decimal_type(struct ast_build *b, struct position at,
                                  struct ast_literal precision, struct ast_literal scale);
struct ast_type *ast_array_type(struct ast_build *b, struct ast_type *element, struct position at);
struct ast_type *ast_map_type(struct ast_build *b, struct ast_type *key, struct ast_type *value,
                              struct position at);
struct ast_type *ast_struct_type(struct ast_build *b, struct ast_type_field_list fields,
                                 struct position at);
struct ast_type_field_list ast_add_type_field(struct ast_build *b, struct ast_type_field_list list,
                                              struct ast_name name, struct ast_type *type);

/* --- expressions (ast_expr.c) --- */

struct ast_operator {
    enum ast_op op;
    struct position at;
};

struct ast_operator ast_operator(enum ast_op op, struct position at);
struct ast_expr *ast_literal(struct ast_build *b, struct ast_literal literal);
struct ast_expr *ast_typed_literal(struct ast_build *b, struct ast_name type, struct token text);
struct ast_expr *ast_column(struct ast_build *b, struct ast_name qualifier, struct ast_name name);
struct ast_expr *ast_field(struct ast_build *b, struct ast_expr *base, struct ast_name name,
                           struct position at);
struct ast_expr *ast_subscript(struct ast_build *b, struct ast_expr *base, struct ast_expr *index,
                               struct position at);
struct ast_expr *ast_call(struct ast_build *b, struct ast_name name,
                          struct ast_expr_list arguments);
struct ast_expr *ast_concat(struct ast_build *b, struct ast_expr *left, struct ast_expr *right,
                            struct position at);
struct ast_expr *ast_unit(struct ast_build *b, struct token unit);
struct ast_name_list ast_parameters(struct ast_build *b, struct ast_expr *first,
                                    struct ast_expr_list others);
struct ast_expr *ast_lambda(struct ast_build *b, struct ast_name_list parameters,
                            struct ast_expr *body, struct position at);
struct ast_expr *ast_case(struct ast_build *b, struct ast_expr *operand, struct ast_when_list whens,
                          struct ast_expr *otherwise, struct position at);
struct ast_expr *ast_cast(struct ast_build *b, struct ast_expr *operand, struct ast_type *type,
                          struct position at);
struct ast_expr *ast_array(struct ast_build *b, struct ast_expr_list items, struct position at);
struct ast_expr *ast_map(struct ast_build *b, struct ast_map_entry_list entries,
                         struct position at);
struct ast_expr *ast_struct(struct ast_build *b, struct ast_struct_field_list fields,
                            struct position at);
struct ast_expr *ast_unary(struct ast_build *b, enum ast_op op, struct ast_expr *operand,
                           struct position at);
struct ast_expr *ast_binary(struct ast_build *b, enum ast_op op, struct ast_expr *left,
                            struct ast_expr *right, struct position at);
struct ast_expr *ast_between(struct ast_build *b, struct ast_expr *operand, struct ast_expr *low,
                             struct ast_expr *high, struct position at);
struct ast_expr *ast_in(struct ast_build *b, struct ast_expr *operand, struct ast_expr_list items,
                        struct position at);
struct ast_expr *ast_like(struct ast_build *b, struct ast_expr *operand, struct ast_expr *pattern,
                          struct ast_text escape, struct position at);
struct ast_expr *ast_is_null(struct ast_build *b, struct ast_expr *operand, struct position at);
struct ast_expr *ast_is_not_null(struct ast_build *b, struct ast_expr *operand, struct position at);
struct ast_expr *ast_time_zone(struct ast_build *b, struct ast_expr *operand, struct position at);

struct ast_expr_list ast_add_expr(struct ast_build *b, struct ast_expr_list list,
                                  struct ast_expr *expr);
struct ast_expr_list ast_prepend_expr(struct ast_build *b, struct ast_expr *first,
                                      struct ast_expr_list others);
struct ast_when_list ast_add_when(struct ast_build *b, struct ast_when_list list,
                                  struct ast_expr *condition, struct ast_expr *result);
struct ast_map_entry_list ast_add_entry(struct ast_build *b, struct ast_map_entry_list list,
                                        struct ast_expr *key, struct ast_expr *value);
struct ast_struct_field_list ast_add_field(struct ast_build *b, struct ast_struct_field_list list,
                                           struct ast_name name, struct ast_expr *value);

/* --- queries (ast_query.c) --- */

struct ast_join_head {
    enum ast_join_kind kind;
    struct position at;
};

struct ast_within {
    struct ast_duration before;
    struct ast_duration after;
    struct ast_duration grace;
};

struct ast_window_tail {
    struct ast_duration retention;
    struct ast_duration grace;
};

struct ast_select_item ast_item_all(struct token star);
struct ast_select_item ast_item_source_all(struct ast_name source);
struct ast_select_item ast_item_struct_all(struct ast_expr *expr);
struct ast_select_item ast_item_expr(struct ast_expr *expr, struct ast_name alias);
struct ast_select_item_list ast_add_item(struct ast_build *b, struct ast_select_item_list list,
                                         struct ast_select_item item);
struct ast_relation ast_relation(struct ast_name source, struct ast_name alias);
struct ast_join_head ast_join_head(struct token first, enum ast_join_kind kind);
struct ast_within ast_within(struct ast_duration before, struct ast_duration after,
                             struct ast_duration grace);
struct ast_join_list ast_add_join(struct ast_build *b, struct ast_join_list list,
                                  struct ast_join_head head, struct ast_relation right,
                                  struct ast_within within, struct ast_expr *on);
struct ast_window *ast_window(struct ast_build *b, struct token first, enum ast_window_kind kind,
                              struct ast_duration size, struct ast_duration advance,
                              struct ast_window_tail tail);
struct ast_window *ast_name_window(struct ast_window *window, struct ast_name name);
struct ast_window_tail ast_window_tail(struct ast_duration retention, struct ast_duration grace);
struct ast_expr_list *ast_key_list(struct ast_build *b, struct ast_expr_list list);
struct ast_query *ast_query(struct ast_build *b, struct token first,
                            struct ast_select_item_list items, struct ast_relation from,
                            struct ast_join_list joins);
struct ast_query *ast_set_filter(struct ast_query *query, struct ast_window *window,
                                 struct ast_expr *where);
struct ast_query *ast_set_grouping(struct ast_query *query, struct ast_expr_list *group_by,
                                   struct ast_expr_list *partition_by, struct ast_expr *having);
struct ast_query *ast_set_emit(struct ast_query *query, enum ast_emit emit, struct token at);
struct ast_query *ast_set_limit(struct ast_query *query, struct ast_number limit);

/* --- statements (ast_statement.c) --- */

enum { AST_OR_REPLACE = 1, AST_READ_ONLY = 2 };

struct ast_create_head {
    struct token first;
    enum ast_source_kind kind;
    unsigned flags; /* AST_OR_REPLACE | AST_READ_ONLY */
};

enum ast_connector_kind { AST_SOURCE_CONNECTOR, AST_SINK_CONNECTOR };

struct ast_verb {
    struct token first;
    enum ast_statement_kind kind;
};

enum { AST_SHOW_ALL = 1, AST_SHOW_EXTENDED = 2 };

struct ast_create_head ast_create_head(struct token first, enum ast_source_kind kind,
                                       unsigned flags);
struct ast_statement *ast_create_source(struct ast_build *b, struct ast_create_head head,
                                        bool if_not_exists, struct ast_name name,
                                        struct ast_column_def_list columns,
                                        struct ast_property_list properties);
struct ast_statement *ast_create_as(struct ast_build *b, struct ast_create_head head,
                                    bool if_not_exists, struct ast_name name,
                                    struct ast_property_list properties, struct token as,
                                    struct ast_query *query);
struct ast_statement *ast_create_connector(struct ast_build *b, struct token first,
                                           enum ast_connector_kind kind, bool if_not_exists,
                                           struct ast_name name,
                                           struct ast_property_list properties);
struct ast_statement *ast_create_type(struct ast_build *b, struct token first, bool if_not_exists,
                                      struct ast_name name, struct ast_type *type);
struct ast_column_def ast_column_def(struct ast_name name, struct ast_type *type,
                                     enum ast_column_role role);
struct ast_column_def ast_header_def(struct ast_build *b, struct ast_name name,
                                     struct ast_type *type, struct token key);
struct ast_column_def_list ast_add_column(struct ast_build *b, struct ast_column_def_list list,
                                          struct ast_column_def column);
struct ast_property ast_property(struct ast_name name, struct ast_literal value);
struct ast_property_list ast_add_property(struct ast_build *b, struct ast_property_list list,
                                          struct ast_property property);
struct ast_statement *ast_insert_select(struct ast_build *b, struct token first,
                                        struct ast_name target, struct ast_property_list properties,
                                        struct ast_query *query);
struct ast_statement *ast_insert_values(struct ast_build *b, struct token first,
                                        enum ast_statement_kind kind, struct ast_name target,
                                        struct ast_name_list columns, struct ast_expr_list values);
struct ast_statement *ast_select(struct ast_build *b, struct ast_query *query);
struct ast_statement *ast_drop_source(struct ast_build *b, struct token first,
                                      enum ast_source_kind kind, bool if_exists,
                                      struct ast_name name, bool delete_topic);
struct ast_statement *ast_drop(struct ast_build *b, struct token first,
                               enum ast_statement_kind kind, bool if_exists, struct ast_name name);
struct ast_statement *ast_alter_source(struct ast_build *b, struct token first,
                                       enum ast_source_kind kind, struct ast_name name,
                                       struct ast_column_def_list columns);
struct ast_verb ast_verb(struct token first, enum ast_statement_kind kind);
struct ast_statement *ast_query_verb_all(struct ast_build *b, struct ast_verb verb);
struct ast_statement *ast_query_verb(struct ast_build *b, struct ast_verb verb,
                                     struct ast_name name);
struct ast_statement *ast_explain_statement(struct ast_build *b, struct token first,
                                            struct ast_statement *explained);
struct ast_statement *ast_explain_query(struct ast_build *b, struct token first,
                                        struct ast_name name);
struct ast_statement *ast_describe(struct ast_build *b, struct token first,
                                   enum ast_describe_what what, struct ast_name name,
                                   bool extended);
struct ast_statement *ast_show(struct ast_build *b, struct token first, enum ast_show_what what,
                               unsigned flags);
struct ast_statement *ast_print_topic(struct ast_build *b, struct token first,
                                      struct ast_name topic, bool from_beginning,
                                      struct ast_number interval, struct ast_number limit);
struct ast_statement *ast_setting(struct ast_build *b, struct token first,
                                  enum ast_statement_kind kind, struct ast_text name,
                                  struct ast_text value);
struct ast_statement *ast_run_script(struct ast_build *b, struct token first, struct ast_text path);
struct ast_statement *ast_assert_topic(struct ast_build *b, struct token first, bool not_exists,
                                       struct ast_name topic, struct ast_property_list properties,
                                       struct ast_duration timeout);
struct ast_statement *ast_assert_schema(struct ast_build *b, struct token first, bool not_exists,
                                        struct ast_name subject, struct ast_literal id,
                                        struct ast_duration timeout);
struct ast_statement *ast_assert_source(struct ast_build *b, struct token first,
                                        enum ast_source_kind kind, struct ast_name name,
                                        struct ast_column_def_list columns,
                                        struct ast_property_list properties);
void ast_finish_statement(struct ast_build *b, struct ast_statement *statement,
                          struct token semicolon);

#endif
