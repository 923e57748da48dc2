/*
 * ast_print.c: tree -> text that parses to an equal tree.
 *
 * Operators are printed in parentheses, so precedence needs no thought; only
 * signs, which stand bare, care for what follows ("--" opens a comment, "-5" is
 * a literal). Recursion is bounded by AST_DEPTH_MAX.
 */
#include "parser/ast_print.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "parser/parse.h"

/* --- names and literals --- */

static void append_quoted(struct buffer *out, struct bytes text, char quote)
{
    buffer_append_char(out, quote);
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == quote) {
            buffer_append_char(out, quote);
        }
        buffer_append_char(out, text.data[i]);
    }
    buffer_append_char(out, quote);
}

void ast_print_name(struct buffer *out, struct bytes name)
{
    if (parse_is_bare_name(name)) {
        buffer_append_bytes(out, name);
    } else {
        append_quoted(out, name, '`');
    }
}

void ast_print_string(struct buffer *out, struct bytes text)
{
    append_quoted(out, text, '\'');
}

/* The shortest digits that read back as the same number: 1.5E0, 1E3, 2.5E-10. */
static void print_real(struct buffer *out, double real)
{
    char text[40];
    char *exponent;
    size_t len;

    for (int digits = 0; digits <= 16; digits++) {
        (void)snprintf(text, sizeof text, "%.*e", digits, real);
        if (strtod(text, NULL) == real) {
            break;
        }
    }
    exponent = strchr(text, 'e');
    len = exponent ? (size_t)(exponent - text) : strlen(text);
    buffer_append(out, text, len);
    if (exponent) {
        buffer_printf(out, "E%ld", strtol(exponent + 1, NULL, 10));
    }
}

void ast_print_literal(struct buffer *out, const struct ast_literal *literal)
{
    switch (literal->kind) {
    case AST_LITERAL_NONE:
        break;
    case AST_LITERAL_NULL:
        buffer_append_text(out, "null");
        break;
    case AST_LITERAL_BOOLEAN:
        buffer_append_text(out, literal->boolean ? "true" : "false");
        break;
    case AST_LITERAL_INTEGER:
    case AST_LITERAL_BIGINT:
        buffer_printf(out, "%lld", (long long)literal->integer);
        break;
    case AST_LITERAL_DECIMAL:
        buffer_append_bytes(out, literal->number);
        break;
    case AST_LITERAL_DOUBLE:
        print_real(out, literal->real);
        break;
    case AST_LITERAL_STRING:
        ast_print_string(out, literal->string);
        break;
    }
}

/* --- types --- */

static void print_struct_type(struct buffer *out, const struct ast_type_field_list *fields)
{
    buffer_append_text(out, fields->count ? "STRUCT<" : "STRUCT< ");
    for (uint32_t i = 0; i < fields->count; i++) {
        buffer_append_text(out, i ? ", " : "");
        ast_print_name(out, fields->items[i].name.text);
        buffer_append_char(out, ' ');
        ast_print_type(out, fields->items[i].type);
    }
    buffer_append_char(out, '>');
}

void ast_print_type(struct buffer *out, const struct ast_type *type)
{
    switch (type->kind) {
    case AST_TYPE_NAME:
        ast_print_name(out, type->name.text);
        break;
    case AST_TYPE_DECIMAL:
        buffer_printf(out, "DECIMAL(%lld, %lld)", (long long)type->decimal.precision,
                      (long long)type->decimal.scale);
        break;
    case AST_TYPE_ARRAY:
        buffer_append_text(out, "ARRAY<");
        ast_print_type(out, type->element);
        buffer_append_char(out, '>');
        break;
    case AST_TYPE_MAP:
        buffer_append_text(out, "MAP<");
        ast_print_type(out, type->map.key);
        buffer_append_text(out, ", ");
        ast_print_type(out, type->map.value);
        buffer_append_char(out, '>');
        break;
    case AST_TYPE_STRUCT:
        print_struct_type(out, &type->fields);
        break;
    }
}

/* --- expressions --- */

static void print_list(struct buffer *out, const struct ast_expr_list *list)
{
    for (uint32_t i = 0; i < list->count; i++) {
        buffer_append_text(out, i ? ", " : "");
        ast_print_expr(out, list->items[i]);
    }
}

/* What stands in front of "->" or "[": a sign would reach over it. */
static void print_base(struct buffer *out, const struct ast_expr *base)
{
    bool is_signed = base->kind == AST_UNARY && base->unary.op != AST_NOT;

    buffer_append_text(out, is_signed ? "(" : "");
    ast_print_expr(out, base);
    buffer_append_text(out, is_signed ? ")" : "");
}

static void print_call(struct buffer *out, const struct ast_expr *expr)
{
    ast_print_name(out, expr->call.name.text);
    buffer_append_char(out, '(');
    if (expr->call.arguments.count == 0 && bytes_equal_text(expr->call.name.text, "COUNT")) {
        buffer_append_char(out, '*');
    }
    print_list(out, &expr->call.arguments);
    buffer_append_char(out, ')');
}

static void print_lambda(struct buffer *out, const struct ast_expr *expr)
{
    buffer_append_char(out, '(');
    for (uint32_t i = 0; i < expr->lambda.parameters.count; i++) {
        buffer_append_text(out, i ? ", " : "");
        ast_print_name(out, expr->lambda.parameters.items[i].text);
    }
    buffer_append_text(out, ") => ");
    ast_print_expr(out, expr->lambda.body);
}

static void print_case(struct buffer *out, const struct ast_expr *expr)
{
    buffer_append_text(out, "(CASE");
    if (expr->choice.operand) {
        buffer_append_char(out, ' ');
        ast_print_expr(out, expr->choice.operand);
    }
    for (uint32_t i = 0; i < expr->choice.whens.count; i++) {
        buffer_append_text(out, " WHEN ");
        ast_print_expr(out, expr->choice.whens.items[i].condition);
        buffer_append_text(out, " THEN ");
        ast_print_expr(out, expr->choice.whens.items[i].result);
    }
    if (expr->choice.otherwise) {
        buffer_append_text(out, " ELSE ");
        ast_print_expr(out, expr->choice.otherwise);
    }
    buffer_append_text(out, " END)");
}

static void print_map(struct buffer *out, const struct ast_map_entry_list *entries)
{
    buffer_append_text(out, "MAP(");
    for (uint32_t i = 0; i < entries->count; i++) {
        buffer_append_text(out, i ? ", " : "");
        ast_print_expr(out, entries->items[i].key);
        buffer_append_text(out, ":=");
        ast_print_expr(out, entries->items[i].value);
    }
    buffer_append_char(out, ')');
}

static void print_struct(struct buffer *out, const struct ast_struct_field_list *fields)
{
    buffer_append_text(out, "STRUCT(");
    for (uint32_t i = 0; i < fields->count; i++) {
        buffer_append_text(out, i ? ", " : "");
        ast_print_name(out, fields->items[i].name.text);
        buffer_append_text(out, ":=");
        ast_print_expr(out, fields->items[i].value);
    }
    buffer_append_char(out, ')');
}

/* How an expression's text begins, as far as a sign before it cares. */
enum beginning { BEGINS_OTHERWISE, BEGINS_WITH_DIGITS, BEGINS_WITH_MINUS };

static enum beginning literal_beginning(const struct ast_literal *literal)
{
    switch (literal->kind) {
    case AST_LITERAL_NONE:
    case AST_LITERAL_NULL:
    case AST_LITERAL_BOOLEAN:
    case AST_LITERAL_STRING:
        return BEGINS_OTHERWISE;
    case AST_LITERAL_INTEGER:
    case AST_LITERAL_BIGINT:
        return literal->integer < 0 ? BEGINS_WITH_MINUS : BEGINS_WITH_DIGITS;
    case AST_LITERAL_DECIMAL:
        return literal->number.data[0] == '-' ? BEGINS_WITH_MINUS : BEGINS_WITH_DIGITS;
    case AST_LITERAL_DOUBLE:
        return signbit(literal->real) ? BEGINS_WITH_MINUS : BEGINS_WITH_DIGITS;
    }
    return BEGINS_OTHERWISE;
}

static enum beginning expr_beginning(const struct ast_expr *expr)
{
    if (expr->kind == AST_UNARY && expr->unary.op == AST_NEGATE) {
        return BEGINS_WITH_MINUS;
    }
    while (expr->kind == AST_FIELD || expr->kind == AST_SUBSCRIPT) {
        expr = expr->kind == AST_FIELD ? expr->field.base : expr->subscript.base;
    }
    return expr->kind == AST_LITERAL ? literal_beginning(&expr->literal) : BEGINS_OTHERWISE;
}

static void print_unary(struct buffer *out, const struct ast_expr *expr)
{
    enum beginning beginning = expr_beginning(expr->unary.operand);
    bool is_wrapped = expr->unary.op == AST_NEGATE && beginning == BEGINS_WITH_DIGITS;

    if (expr->unary.op == AST_NOT) {
        buffer_append_text(out, "(NOT ");
        ast_print_expr(out, expr->unary.operand);
        buffer_append_char(out, ')');
        return;
    }
    buffer_append_text(out, ast_op_text(expr->unary.op));
    buffer_append_text(out, is_wrapped ? "(" : beginning == BEGINS_WITH_MINUS ? " " : "");
    ast_print_expr(out, expr->unary.operand);
    buffer_append_text(out, is_wrapped ? ")" : "");
}

static void print_binary(struct buffer *out, const struct ast_expr *expr)
{
    buffer_append_char(out, '(');
    ast_print_expr(out, expr->binary.left);
    buffer_printf(out, " %s ", ast_op_text(expr->binary.op));
    ast_print_expr(out, expr->binary.right);
    buffer_append_char(out, ')');
}

static void print_between(struct buffer *out, const struct ast_expr *expr)
{
    buffer_append_char(out, '(');
    ast_print_expr(out, expr->between.operand);
    buffer_append_text(out, " BETWEEN ");
    ast_print_expr(out, expr->between.low);
    buffer_append_text(out, " AND ");
    ast_print_expr(out, expr->between.high);
    buffer_append_char(out, ')');
}

static void print_like(struct buffer *out, const struct ast_expr *expr)
{
    buffer_append_char(out, '(');
    ast_print_expr(out, expr->like.operand);
    buffer_append_text(out, " LIKE ");
    ast_print_expr(out, expr->like.pattern);
    if (expr->like.escape.data) {
        buffer_append_text(out, " ESCAPE ");
        ast_print_string(out, expr->like.escape);
    }
    buffer_append_char(out, ')');
}

/* Behind a point the first digits of a bare name would be those of a number. */
static void print_column(struct buffer *out, const struct ast_expr *expr)
{
    struct bytes name = expr->column.name.text;
    bool is_qualified = expr->column.qualifier.text.data != NULL;

    if (is_qualified) {
        ast_print_name(out, expr->column.qualifier.text);
        buffer_append_char(out, '.');
    }
    if (is_qualified && name.data[0] >= '0' && name.data[0] <= '9') {
        append_quoted(out, name, '`');
    } else {
        ast_print_name(out, name);
    }
}

static void print_access(struct buffer *out, const struct ast_expr *expr)
{
    if (expr->kind == AST_FIELD) {
        print_base(out, expr->field.base);
        buffer_append_text(out, "->");
        ast_print_name(out, expr->field.name.text);
        return;
    }
    print_base(out, expr->subscript.base);
    buffer_append_char(out, '[');
    ast_print_expr(out, expr->subscript.index);
    buffer_append_char(out, ']');
}

static void print_wrapped(struct buffer *out, const char *open, const struct ast_expr_list *list,
                          const char *close)
{
    buffer_append_text(out, open);
    print_list(out, list);
    buffer_append_text(out, close);
}

static void print_cast(struct buffer *out, const struct ast_expr *expr)
{
    buffer_append_text(out, "CAST(");
    ast_print_expr(out, expr->cast.operand);
    buffer_append_text(out, " AS ");
    ast_print_type(out, expr->cast.type);
    buffer_append_char(out, ')');
}

static void print_predicate(struct buffer *out, const struct ast_expr *expr)
{
    buffer_append_char(out, '(');
    if (expr->kind == AST_IN) {
        ast_print_expr(out, expr->in.operand);
        print_wrapped(out, " IN (", &expr->in.items, ")");
    } else {
        ast_print_expr(out, expr->is_null.operand);
        buffer_append_text(out, expr->is_null.negated ? " IS NOT NULL" : " IS NULL");
    }
    buffer_append_char(out, ')');
}

void ast_print_expr(struct buffer *out, const struct ast_expr *expr)
{
    switch (expr->kind) {
    case AST_LITERAL:
        ast_print_literal(out, &expr->literal);
        break;
    case AST_COLUMN:
        print_column(out, expr);
        break;
    case AST_FIELD:
    case AST_SUBSCRIPT:
        print_access(out, expr);
        break;
    case AST_CALL:
        print_call(out, expr);
        break;
    case AST_UNIT:
        buffer_append_text(out, ast_unit_text(expr->unit));
        break;
    case AST_LAMBDA:
        print_lambda(out, expr);
        break;
    case AST_CASE:
        print_case(out, expr);
        break;
    case AST_CAST:
        print_cast(out, expr);
        break;
    case AST_ARRAY:
        print_wrapped(out, "ARRAY[", &expr->items, "]");
        break;
    case AST_MAP:
        print_map(out, &expr->entries);
        break;
    case AST_STRUCT:
        print_struct(out, &expr->fields);
        break;
    case AST_UNARY:
        print_unary(out, expr);
        break;
    case AST_BINARY:
        print_binary(out, expr);
        break;
    case AST_BETWEEN:
        print_between(out, expr);
        break;
    case AST_LIKE:
        print_like(out, expr);
        break;
    case AST_IN:
    case AST_IS_NULL:
        print_predicate(out, expr);
        break;
    }
}

struct bytes ast_expr_text(struct arena *arena, const struct ast_expr *expr)
{
    struct buffer out = { 0 };
    struct bytes text;

    ast_print_expr(&out, expr);
    text = arena_copy(arena, buffer_bytes(&out));
    buffer_fini(&out);
    return text;
}
