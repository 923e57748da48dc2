/*
 * ast.c: questions about a tree: what an operator is called, whether two
 * expressions are the same.
 *
 * Recursion is bounded by AST_DEPTH_MAX.
 */
#include "parser/ast.h"

const char *ast_op_text(enum ast_op op)
{
    switch (op) {
    case AST_NEGATE:
    case AST_SUBTRACT:
        return "-";
    case AST_PLUS:
    case AST_ADD:
        return "+";
    case AST_NOT:
        return "NOT";
    case AST_MULTIPLY:
        return "*";
    case AST_DIVIDE:
        return "/";
    case AST_MODULO:
        return "%";
    case AST_EQUAL:
        return "=";
    case AST_NOT_EQUAL:
        return "<>";
    case AST_LESS:
        return "<";
    case AST_LESS_EQUAL:
        return "<=";
    case AST_GREATER:
        return ">";
    case AST_GREATER_EQUAL:
        return ">=";
    case AST_IS_DISTINCT:
        return "IS DISTINCT FROM";
    case AST_AND:
        return "AND";
    case AST_OR:
        return "OR";
    }
    return "";
}

const char *ast_unit_text(enum ast_unit unit)
{
    switch (unit) {
    case AST_UNIT_NONE:
        return "";
    case AST_UNIT_MILLISECONDS:
        return "MILLISECONDS";
    case AST_UNIT_SECONDS:
        return "SECONDS";
    case AST_UNIT_MINUTES:
        return "MINUTES";
    case AST_UNIT_HOURS:
        return "HOURS";
    case AST_UNIT_DAYS:
        return "DAYS";
    }
    return "";
}

const char *ast_statement_name(enum ast_statement_kind kind)
{
    static const char *const names[AST_STATEMENT_KINDS] = {
        [AST_CREATE_SOURCE] = "CREATE STREAM/TABLE",
        [AST_CREATE_AS] = "CREATE STREAM/TABLE AS SELECT",
        [AST_CREATE_CONNECTOR] = "CREATE CONNECTOR",
        [AST_CREATE_TYPE] = "CREATE TYPE",
        [AST_INSERT_VALUES] = "INSERT VALUES",
        [AST_INSERT_SELECT] = "INSERT INTO SELECT",
        [AST_SELECT] = "SELECT",
        [AST_DROP_SOURCE] = "DROP STREAM/TABLE",
        [AST_DROP_CONNECTOR] = "DROP CONNECTOR",
        [AST_DROP_TYPE] = "DROP TYPE",
        [AST_ALTER_SOURCE] = "ALTER STREAM/TABLE",
        [AST_ALTER_SYSTEM] = "ALTER SYSTEM",
        [AST_TERMINATE] = "TERMINATE",
        [AST_PAUSE] = "PAUSE",
        [AST_RESUME] = "RESUME",
        [AST_EXPLAIN] = "EXPLAIN",
        [AST_DESCRIBE] = "DESCRIBE",
        [AST_SHOW] = "SHOW",
        [AST_PRINT] = "PRINT",
        [AST_SET] = "SET",
        [AST_UNSET] = "UNSET",
        [AST_DEFINE] = "DEFINE",
        [AST_UNDEFINE] = "UNDEFINE",
        [AST_RUN_SCRIPT] = "RUN SCRIPT",
        [AST_ASSERT_TOPIC] = "ASSERT TOPIC",
        [AST_ASSERT_SCHEMA] = "ASSERT SCHEMA",
        [AST_ASSERT_VALUES] = "ASSERT VALUES",
        [AST_ASSERT_NULL_VALUES] = "ASSERT NULL VALUES",
        [AST_ASSERT_SOURCE] = "ASSERT STREAM/TABLE",
    };

    return kind < AST_STATEMENT_KINDS ? names[kind] : "";
}

/* --- equality --- */

static bool names_equal(const struct ast_name *a, const struct ast_name *b)
{
    return bytes_equal(a->text, b->text);
}

static bool literals_equal(const struct ast_literal *a, const struct ast_literal *b)
{
    if (a->kind != b->kind) {
        return false;
    }
    switch (a->kind) {
    case AST_LITERAL_NONE:
    case AST_LITERAL_NULL:
        return true;
    case AST_LITERAL_BOOLEAN:
        return a->boolean == b->boolean;
    case AST_LITERAL_INTEGER:
    case AST_LITERAL_BIGINT:
        return a->integer == b->integer;
    case AST_LITERAL_DECIMAL:
        return bytes_equal(a->number, b->number);
    case AST_LITERAL_DOUBLE:
        return a->real == b->real;
    case AST_LITERAL_STRING:
        return bytes_equal(a->string, b->string);
    }
    return false;
}

static bool type_fields_equal(const struct ast_type_field_list *a,
                              const struct ast_type_field_list *b)
{
    if (a->count != b->count) {
        return false;
    }
    for (uint32_t i = 0; i < a->count; i++) {
        if (!names_equal(&a->items[i].name, &b->items[i].name) ||
            !ast_type_equal(a->items[i].type, b->items[i].type)) {
            return false;
        }
    }
    return true;
}

bool ast_type_equal(const struct ast_type *a, const struct ast_type *b)
{
    if (a->kind != b->kind) {
        return false;
    }
    switch (a->kind) {
    case AST_TYPE_NAME:
        return names_equal(&a->name, &b->name);
    case AST_TYPE_DECIMAL:
        return a->decimal.precision == b->decimal.precision && a->decimal.scale == b->decimal.scale;
    case AST_TYPE_ARRAY:
        return ast_type_equal(a->element, b->element);
    case AST_TYPE_MAP:
        return ast_type_equal(a->map.key, b->map.key) && ast_type_equal(a->map.value, b->map.value);
    case AST_TYPE_STRUCT:
        return type_fields_equal(&a->fields, &b->fields);
    }
    return false;
}

static bool maybe_equal(const struct ast_expr *a, const struct ast_expr *b)
{
    return a && b ? ast_expr_equal(a, b) : a == b;
}

static bool lists_equal(const struct ast_expr_list *a, const struct ast_expr_list *b)
{
    if (a->count != b->count) {
        return false;
    }
    for (uint32_t i = 0; i < a->count; i++) {
        if (!ast_expr_equal(a->items[i], b->items[i])) {
            return false;
        }
    }
    return true;
}

static bool lambdas_equal(const struct ast_expr *a, const struct ast_expr *b)
{
    if (a->lambda.parameters.count != b->lambda.parameters.count) {
        return false;
    }
    for (uint32_t i = 0; i < a->lambda.parameters.count; i++) {
        if (!names_equal(&a->lambda.parameters.items[i], &b->lambda.parameters.items[i])) {
            return false;
        }
    }
    return ast_expr_equal(a->lambda.body, b->lambda.body);
}

static bool cases_equal(const struct ast_expr *a, const struct ast_expr *b)
{
    if (a->choice.whens.count != b->choice.whens.count ||
        !maybe_equal(a->choice.operand, b->choice.operand) ||
        !maybe_equal(a->choice.otherwise, b->choice.otherwise)) {
        return false;
    }
    for (uint32_t i = 0; i < a->choice.whens.count; i++) {
        const struct ast_when *left = &a->choice.whens.items[i];
        const struct ast_when *right = &b->choice.whens.items[i];

        if (!ast_expr_equal(left->condition, right->condition) ||
            !ast_expr_equal(left->result, right->result)) {
            return false;
        }
    }
    return true;
}

static bool entries_equal(const struct ast_map_entry_list *a, const struct ast_map_entry_list *b)
{
    if (a->count != b->count) {
        return false;
    }
    for (uint32_t i = 0; i < a->count; i++) {
        if (!ast_expr_equal(a->items[i].key, b->items[i].key) ||
            !ast_expr_equal(a->items[i].value, b->items[i].value)) {
            return false;
        }
    }
    return true;
}

static bool fields_equal(const struct ast_struct_field_list *a,
                         const struct ast_struct_field_list *b)
{
    if (a->count != b->count) {
        return false;
    }
    for (uint32_t i = 0; i < a->count; i++) {
        if (!names_equal(&a->items[i].name, &b->items[i].name) ||
            !ast_expr_equal(a->items[i].value, b->items[i].value)) {
            return false;
        }
    }
    return true;
}

static bool likes_equal(const struct ast_expr *a, const struct ast_expr *b)
{
    return (a->like.escape.data != NULL) == (b->like.escape.data != NULL) &&
           bytes_equal(a->like.escape, b->like.escape) &&
           ast_expr_equal(a->like.operand, b->like.operand) &&
           ast_expr_equal(a->like.pattern, b->like.pattern);
}

bool ast_expr_equal(const struct ast_expr *a, const struct ast_expr *b)
{
    if (a->kind != b->kind || a->depth != b->depth) {
        return false;
    }
    switch (a->kind) {
    case AST_LITERAL:
        return literals_equal(&a->literal, &b->literal);
    case AST_COLUMN:
        return names_equal(&a->column.qualifier, &b->column.qualifier) &&
               names_equal(&a->column.name, &b->column.name);
    case AST_FIELD:
        return names_equal(&a->field.name, &b->field.name) &&
               ast_expr_equal(a->field.base, b->field.base);
    case AST_SUBSCRIPT:
        return ast_expr_equal(a->subscript.base, b->subscript.base) &&
               ast_expr_equal(a->subscript.index, b->subscript.index);
    case AST_CALL:
        return names_equal(&a->call.name, &b->call.name) &&
               lists_equal(&a->call.arguments, &b->call.arguments);
    case AST_UNIT:
        return a->unit == b->unit;
    case AST_LAMBDA:
        return lambdas_equal(a, b);
    case AST_CASE:
        return cases_equal(a, b);
    case AST_CAST:
        return ast_type_equal(a->cast.type, b->cast.type) &&
               ast_expr_equal(a->cast.operand, b->cast.operand);
    case AST_ARRAY:
        return lists_equal(&a->items, &b->items);
    case AST_MAP:
        return entries_equal(&a->entries, &b->entries);
    case AST_STRUCT:
        return fields_equal(&a->fields, &b->fields);
    case AST_UNARY:
        return a->unary.op == b->unary.op && ast_expr_equal(a->unary.operand, b->unary.operand);
    case AST_BINARY:
        return a->binary.op == b->binary.op && ast_expr_equal(a->binary.left, b->binary.left) &&
               ast_expr_equal(a->binary.right, b->binary.right);
    case AST_BETWEEN:
        return ast_expr_equal(a->between.operand, b->between.operand) &&
               ast_expr_equal(a->between.low, b->between.low) &&
               ast_expr_equal(a->between.high, b->between.high);
    case AST_IN:
        return ast_expr_equal(a->in.operand, b->in.operand) &&
               lists_equal(&a->in.items, &b->in.items);
    case AST_LIKE:
        return likes_equal(a, b);
    case AST_IS_NULL:
        return a->is_null.negated == b->is_null.negated &&
               ast_expr_equal(a->is_null.operand, b->is_null.operand);
    }
    return false;
}
