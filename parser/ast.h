/*
 * ast.h: the syntax tree of a script: statements, queries, expressions, types.
 *
 * A closed set of nodes as tagged unions; whoever handles them switches over
 * the kind without a default. Nodes live in the statement arena and point into
 * the script text, which must outlive them; nothing is resolved against a
 * catalog here. Names are folded to upper case unless quoted, with escapes
 * removed. Sugar is gone: "a || b" is the call CONCAT(a, b), "x NOT IN (..)"
 * (likewise BETWEEN, LIKE, IS NOT DISTINCT FROM) is NOT over the predicate,
 * COUNT(*) is COUNT without arguments, and "-5" is a literal.
 *
 * Invariant: no expression or type is deeper than AST_DEPTH_MAX, so a pass over
 * the tree may recurse.
 */
#ifndef SLUICE_PARSER_AST_H
#define SLUICE_PARSER_AST_H

#include "base/bytes.h"
#include "base/error.h"

enum { AST_DEPTH_MAX = 1000 };

/* A list has the fields of VEC(type) (base/vec.h), so vec_push works on it. */
#define AST_LIST(name, type) \
    struct name {            \
        type *items;         \
        uint32_t count;      \
        uint32_t capacity;   \
    }

struct ast_expr;
struct ast_type;
struct ast_statement;

/* --- names and literals --- */

struct ast_name {
    struct bytes text; /* as the catalog knows it; absent where an optional name is not given */
    struct position at;
    bool quoted; /* written in quotes: case was kept, and it is never a keyword */
};

/* The content of a string literal. */
struct ast_text {
    struct bytes text; /* absent where optional and not given */
    struct position at;
};

AST_LIST(ast_name_list, struct ast_name);
AST_LIST(ast_expr_list, struct ast_expr *);

enum ast_literal_kind {
    AST_LITERAL_NONE, /* an optional literal that is not given */
    AST_LITERAL_NULL,
    AST_LITERAL_BOOLEAN,
    AST_LITERAL_INTEGER, /* fits 32 bits */
    AST_LITERAL_BIGINT,
    AST_LITERAL_DECIMAL,
    AST_LITERAL_DOUBLE,
    AST_LITERAL_STRING
};

struct ast_literal {
    enum ast_literal_kind kind;
    struct position at;
    union {
        bool boolean;
        int64_t integer;     /* INTEGER and BIGINT */
        struct bytes number; /* DECIMAL: as written, with its sign: "-1.50", ".5", "1." */
        double real;         /* DOUBLE: finite */
        struct bytes string; /* STRING: quotes removed */
    };
};

/* Units of durations, and of function arguments (DATEADD(DAYS, 1, d)). */
enum ast_unit {
    AST_UNIT_NONE,
    AST_UNIT_MILLISECONDS,
    AST_UNIT_SECONDS,
    AST_UNIT_MINUTES,
    AST_UNIT_HOURS,
    AST_UNIT_DAYS
};

struct ast_duration {
    enum ast_unit unit; /* AST_UNIT_NONE: not given */
    int64_t count;      /* as written, perhaps negative */
    int64_t ms;         /* count in milliseconds */
    struct position at;
};

/* An integer operand: LIMIT n, INTERVAL n. */
struct ast_number {
    bool given;
    int64_t value;
    struct position at;
};

/* --- types --- */

enum ast_type_kind {
    AST_TYPE_NAME, /* built in (INTEGER, STRING, ...) or custom: to be resolved by name */
    AST_TYPE_DECIMAL,
    AST_TYPE_ARRAY,
    AST_TYPE_MAP,
    AST_TYPE_STRUCT
};

struct ast_type_field {
    struct ast_name name;
    struct ast_type *type;
};

AST_LIST(ast_type_field_list, struct ast_type_field);

struct ast_type {
    enum ast_type_kind kind;
    uint32_t depth; /* 1 + that of the deepest child */
    struct position at;
    union {
        /* INT is read as INTEGER, VARCHAR(n) as STRING, DEC(p, s) as AST_TYPE_DECIMAL. */
        struct ast_name name;
        struct {
            int64_t precision; /* as written: not checked */
            int64_t scale;
        } decimal;
        struct ast_type *element;
        struct {
            struct ast_type *key;
            struct ast_type *value;
        } map;
        struct ast_type_field_list fields; /* may be empty; names not checked */
    };
};

/* --- expressions --- */

enum ast_expr_kind {
    AST_LITERAL,
    AST_COLUMN,    /* b or a.b; inside a lambda body perhaps its parameter */
    AST_FIELD,     /* a->b */
    AST_SUBSCRIPT, /* a[b] */
    AST_CALL,
    AST_UNIT, /* DAYS and the like, as a function argument only */
    AST_LAMBDA,
    AST_CASE,
    AST_CAST,
    AST_ARRAY,
    AST_MAP,
    AST_STRUCT,
    AST_UNARY,
    AST_BINARY,
    AST_BETWEEN,
    AST_IN,
    AST_LIKE,
    AST_IS_NULL
};

enum ast_op {
    /* unary */
    AST_NEGATE,
    AST_PLUS,
    AST_NOT,
    /* binary: arithmetic */
    AST_ADD,
    AST_SUBTRACT,
    AST_MULTIPLY,
    AST_DIVIDE,
    AST_MODULO,
    /* binary: comparison */
    AST_EQUAL,
    AST_NOT_EQUAL,
    AST_LESS,
    AST_LESS_EQUAL,
    AST_GREATER,
    AST_GREATER_EQUAL,
    AST_IS_DISTINCT,
    /* binary: logical */
    AST_AND,
    AST_OR
};

struct ast_when {
    struct ast_expr *condition;
    struct ast_expr *result;
};

struct ast_map_entry {
    struct ast_expr *key;
    struct ast_expr *value;
};

struct ast_struct_field {
    struct ast_name name;
    struct ast_expr *value;
};

AST_LIST(ast_when_list, struct ast_when);
AST_LIST(ast_map_entry_list, struct ast_map_entry);
AST_LIST(ast_struct_field_list, struct ast_struct_field);

struct ast_expr {
    enum ast_expr_kind kind;
    uint32_t depth;     /* 1 + that of the deepest child */
    struct position at; /* of the operator or keyword; of the first token otherwise */
    union {
        struct ast_literal literal;
        struct {
            struct ast_name qualifier; /* text absent: none */
            struct ast_name name;
        } column;
        struct {
            struct ast_expr *base;
            struct ast_name name;
        } field;
        struct {
            struct ast_expr *base;
            struct ast_expr *index;
        } subscript;
        struct {
            struct ast_name name;
            struct ast_expr_list arguments; /* lambdas last */
        } call;
        enum ast_unit unit;
        struct {
            struct ast_name_list parameters;
            struct ast_expr *body;
        } lambda;
        struct {
            struct ast_expr *operand; /* NULL: searched CASE */
            struct ast_when_list whens;
            struct ast_expr *otherwise; /* NULL: no ELSE */
        } choice;
        struct {
            struct ast_expr *operand;
            struct ast_type *type;
        } cast;
        struct ast_expr_list items;          /* AST_ARRAY */
        struct ast_map_entry_list entries;   /* AST_MAP */
        struct ast_struct_field_list fields; /* AST_STRUCT */
        struct {
            enum ast_op op;
            struct ast_expr *operand;
        } unary;
        struct {
            enum ast_op op;
            struct ast_expr *left;
            struct ast_expr *right;
        } binary;
        struct {
            struct ast_expr *operand;
            struct ast_expr *low;
            struct ast_expr *high;
        } between;
        struct {
            struct ast_expr *operand;
            struct ast_expr_list items;
        } in;
        struct {
            struct ast_expr *operand;
            struct ast_expr *pattern;
            struct bytes escape; /* one character, or absent */
        } like;
        struct {
            struct ast_expr *operand;
            bool negated; /* IS NOT NULL */
        } is_null;
    };
};

/* --- queries --- */

enum ast_item_kind {
    AST_ITEM_ALL,        /* * */
    AST_ITEM_SOURCE_ALL, /* alias.* */
    AST_ITEM_STRUCT_ALL, /* expr->* */
    AST_ITEM_EXPR
};

struct ast_select_item {
    enum ast_item_kind kind;
    struct position at;
    struct ast_name source; /* SOURCE_ALL */
    struct ast_expr *expr;  /* EXPR, STRUCT_ALL */
    struct ast_name alias;  /* EXPR; text absent: none */
};

struct ast_relation {
    struct ast_name source;
    struct ast_name alias; /* text absent: none */
};

enum ast_join_kind { AST_JOIN_INNER, AST_JOIN_LEFT, AST_JOIN_RIGHT, AST_JOIN_FULL };

struct ast_join {
    enum ast_join_kind kind;
    struct position at;
    struct ast_relation right;
    struct ast_duration before; /* WITHIN b or (b, a); unit AST_UNIT_NONE: no WITHIN */
    struct ast_duration after;  /* equal to before in the short form */
    struct ast_duration grace;  /* unit AST_UNIT_NONE: not given */
    struct ast_expr *on;
};

enum ast_window_kind { AST_WINDOW_TUMBLING, AST_WINDOW_HOPPING, AST_WINDOW_SESSION };

struct ast_window {
    enum ast_window_kind kind;
    struct position at;
    struct ast_name name;          /* text absent: none */
    struct ast_duration size;      /* SESSION: the inactivity gap */
    struct ast_duration advance;   /* HOPPING only */
    struct ast_duration retention; /* unit AST_UNIT_NONE: not given; so the next */
    struct ast_duration grace;
};

enum ast_emit { AST_EMIT_NONE, AST_EMIT_CHANGES, AST_EMIT_FINAL };

AST_LIST(ast_select_item_list, struct ast_select_item);
AST_LIST(ast_join_list, struct ast_join);

struct ast_query {
    struct position at;
    struct ast_select_item_list items;
    struct ast_relation from;
    struct ast_join_list joins; /* left-deep: each joins what stands before it */
    struct ast_window *window;  /* NULL: none; so the next three */
    struct ast_expr *where;
    struct ast_expr_list *group_by;     /* GROUP BY () is a list of none */
    struct ast_expr_list *partition_by; /* likewise */
    struct ast_expr *having;            /* NULL: none */
    enum ast_emit emit;
    struct position emit_at;
    struct ast_number limit;
};

/* --- parts of statements --- */

enum ast_source_kind { AST_STREAM, AST_TABLE };

enum ast_column_role {
    AST_ROLE_VALUE,
    AST_ROLE_KEY,
    AST_ROLE_PRIMARY_KEY,
    AST_ROLE_HEADERS,
    AST_ROLE_HEADER
};

struct ast_column_def {
    struct ast_name name;
    struct ast_type *type;
    enum ast_column_role role;
    struct bytes header_key; /* HEADER('key') */
};

/* A WITH property. The name is upper case unless it was quoted (CONNECTOR keys are). */
struct ast_property {
    struct ast_name name;
    struct ast_literal value;
};

AST_LIST(ast_column_def_list, struct ast_column_def);
AST_LIST(ast_property_list, struct ast_property);

/* --- statements --- */

enum ast_statement_kind {
    AST_CREATE_SOURCE,
    AST_CREATE_AS,
    AST_CREATE_CONNECTOR,
    AST_CREATE_TYPE,
    AST_INSERT_VALUES,
    AST_INSERT_SELECT,
    AST_SELECT, /* a query of its own: push with EMIT, else pull */
    AST_DROP_SOURCE,
    AST_DROP_CONNECTOR,
    AST_DROP_TYPE,
    AST_ALTER_SOURCE,
    AST_ALTER_SYSTEM,
    AST_TERMINATE,
    AST_PAUSE,
    AST_RESUME,
    AST_EXPLAIN,
    AST_DESCRIBE,
    AST_SHOW,
    AST_PRINT,
    AST_SET,
    AST_UNSET,
    AST_DEFINE,
    AST_UNDEFINE,
    AST_RUN_SCRIPT,
    AST_ASSERT_TOPIC,
    AST_ASSERT_SCHEMA,
    AST_ASSERT_VALUES,
    AST_ASSERT_NULL_VALUES,
    AST_ASSERT_SOURCE,
    AST_STATEMENT_KINDS /* how many there are */
};

/* CREATE STREAM/TABLE; also ASSERT STREAM/TABLE, which sets no flags. */
struct ast_create_source {
    enum ast_source_kind kind;
    bool or_replace;
    bool read_only; /* CREATE SOURCE ... */
    bool if_not_exists;
    struct ast_name name;
    /* May be empty. A STREAM has no PRIMARY KEY and a TABLE no plain KEY: refused by the parser. */
    struct ast_column_def_list columns;
    struct ast_property_list properties;
};

struct ast_create_as {
    enum ast_source_kind kind;
    bool or_replace;
    bool if_not_exists;
    struct ast_name name;
    struct ast_property_list properties;
    struct ast_query *query;
};

struct ast_create_connector {
    bool is_sink;
    bool if_not_exists;
    struct ast_name name;
    struct ast_property_list properties;
};

struct ast_create_type {
    bool if_not_exists;
    struct ast_name name;
    struct ast_type *type;
};

/* Also ASSERT VALUES, and ASSERT NULL VALUES (whose values are the key's). */
struct ast_insert_values {
    struct ast_name target;
    struct ast_name_list columns; /* empty: no list given */
    struct ast_expr_list values;
};

struct ast_insert_select {
    struct ast_name target;
    struct ast_property_list properties;
    struct ast_query *query;
};

struct ast_drop_source {
    enum ast_source_kind kind;
    bool if_exists;
    bool delete_topic;
    struct ast_name name;
};

/* DROP CONNECTOR, DROP TYPE */
struct ast_drop {
    bool if_exists;
    struct ast_name name;
};

struct ast_alter_source {
    enum ast_source_kind kind;
    struct ast_name name;
    struct ast_column_def_list columns; /* all AST_ROLE_VALUE */
};

/* TERMINATE, PAUSE, RESUME */
struct ast_query_ref {
    bool all;
    struct ast_name name; /* unless all */
};

struct ast_explain {
    struct ast_statement *statement; /* NULL: a query by name */
    struct ast_name query;
};

enum ast_describe_what {
    AST_DESCRIBE_SOURCE,
    AST_DESCRIBE_STREAMS,
    AST_DESCRIBE_TABLES,
    AST_DESCRIBE_FUNCTION,
    AST_DESCRIBE_CONNECTOR
};

struct ast_describe {
    enum ast_describe_what what;
    bool extended;
    struct ast_name name; /* absent for STREAMS and TABLES */
};

enum ast_show_what {
    AST_SHOW_PROPERTIES,
    AST_SHOW_TOPICS,
    AST_SHOW_STREAMS,
    AST_SHOW_TABLES,
    AST_SHOW_QUERIES,
    AST_SHOW_FUNCTIONS,
    AST_SHOW_TYPES,
    AST_SHOW_VARIABLES,
    AST_SHOW_CONNECTORS,
    AST_SHOW_SOURCE_CONNECTORS,
    AST_SHOW_SINK_CONNECTORS,
    AST_SHOW_CONNECTOR_PLUGINS
};

struct ast_show {
    enum ast_show_what what;
    bool all; /* SHOW ALL TOPICS */
    bool extended;
};

struct ast_print_topic {
    struct ast_name topic; /* never folded to upper case */
    bool from_beginning;
    struct ast_number interval; /* INTERVAL or SAMPLE */
    struct ast_number limit;
};

/* SET, UNSET, DEFINE, UNDEFINE, ALTER SYSTEM */
struct ast_setting {
    struct ast_text name;  /* DEFINE, UNDEFINE: as an identifier, so upper case unless quoted */
    struct ast_text value; /* absent for UNSET, UNDEFINE */
};

struct ast_run_script {
    struct ast_text path;
};

struct ast_assert_topic {
    bool not_exists;
    struct ast_name topic; /* never folded */
    struct ast_property_list properties;
    struct ast_duration timeout; /* unit AST_UNIT_NONE: not given */
};

struct ast_assert_schema {
    bool not_exists;
    struct ast_name subject; /* never folded; text absent: not given */
    struct ast_literal id;   /* AST_LITERAL_NONE: not given */
    struct ast_duration timeout;
};

struct ast_statement {
    enum ast_statement_kind kind;
    struct position at; /* of the first token */
    struct bytes text;  /* as written, from the first token through the ";" */
    union {
        struct ast_create_source create_source; /* also AST_ASSERT_SOURCE */
        struct ast_create_as create_as;
        struct ast_create_connector create_connector;
        struct ast_create_type create_type;
        struct ast_insert_values insert_values; /* also AST_ASSERT_VALUES, _NULL_VALUES */
        struct ast_insert_select insert_select;
        struct ast_query *select;
        struct ast_drop_source drop_source;
        struct ast_drop drop; /* AST_DROP_CONNECTOR, AST_DROP_TYPE */
        struct ast_alter_source alter_source;
        struct ast_query_ref query_ref; /* AST_TERMINATE, AST_PAUSE, AST_RESUME */
        struct ast_explain explain;
        struct ast_describe describe;
        struct ast_show show;
        struct ast_print_topic print;
        struct ast_setting setting; /* AST_SET, _UNSET, _DEFINE, _UNDEFINE, _ALTER_SYSTEM */
        struct ast_run_script run_script;
        struct ast_assert_topic assert_topic;
        struct ast_assert_schema assert_schema;
    };
};

AST_LIST(ast_statement_list, struct ast_statement *);

struct ast_script {
    struct bytes text;
    struct ast_statement_list statements;
};

/* --- questions about a tree --- */

/* Same structure, names and literals; positions and ways of writing do not count. */
bool ast_expr_equal(const struct ast_expr *a, const struct ast_expr *b);
bool ast_type_equal(const struct ast_type *a, const struct ast_type *b);

const char *ast_op_text(enum ast_op op);                      /* "+", "IS DISTINCT FROM" */
const char *ast_unit_text(enum ast_unit unit);                /* "SECONDS" */
const char *ast_statement_name(enum ast_statement_kind kind); /* "CREATE STREAM/TABLE" */

#endif
