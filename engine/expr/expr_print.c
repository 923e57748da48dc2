/*
 * expr_print.c: the canonical text of a bound expression (expressions.md 13).
 *
 * It is the text of the syntax, so casts that nobody wrote are not shown, and a
 * literal looks as it was written however it was converted.
 */
#include "base/utf8.h"
#include "engine/expr/expr_internal.h"
#include "engine/type/cast.h"
#include "parser/ast_print.h"

static void print_list(const struct expr *e, uint32_t first, struct buffer *out)
{
    for (uint32_t i = first; i < e->argument_count; i++) {
        buffer_append_text(out, i > first ? ", " : "");
        expr_print(e->arguments[i], out);
    }
}

static void print_literal(const struct expr *e, struct buffer *out)
{
    struct ast_literal literal = { .kind = AST_LITERAL_NULL };

    if (!value_is_null(&e->literal) && e->type->id == T_STRING) {
        literal.kind = AST_LITERAL_STRING;
        literal.string = value_bytes(&e->literal);
    } else if (!value_is_null(&e->literal) && e->type->id == T_DOUBLE) {
        literal.kind = AST_LITERAL_DOUBLE;
        literal.real = e->literal.f64;
    } else if (!value_is_null(&e->literal)) {
        cast_print(&e->literal, e->type, out);
        return;
    }
    ast_print_literal(out, &literal);
}

static void print_binary(const struct expr *e, const char *operator, struct buffer * out)
{
    buffer_append_char(out, '(');
    expr_print(e->arguments[0], out);
    buffer_printf(out, " %s ", operator);
    expr_print(e->arguments[1], out);
    buffer_append_char(out, ')');
}

static void print_and(const struct expr *e, struct buffer *out)
{
    const struct expr *low = e->arguments[0];
    const struct expr *high = e->arguments[1];

    if (!e->is_between || low->kind != EXPR_COMPARE || high->kind != EXPR_COMPARE) {
        print_binary(e, "AND", out);
        return;
    }
    buffer_append_char(out, '(');
    expr_print(low->arguments[0], out);
    buffer_append_text(out, " BETWEEN ");
    expr_print(low->arguments[1], out);
    buffer_append_text(out, " AND ");
    expr_print(high->arguments[1], out);
    buffer_append_char(out, ')');
}

static void print_like(const struct expr *e, struct buffer *out)
{
    buffer_append_char(out, '(');
    expr_print(e->arguments[0], out);
    buffer_append_text(out, " LIKE ");
    expr_print(e->arguments[1], out);
    if (e->like_escape) {
        char text[UTF8_MAX_BYTES];
        size_t len = utf8_encode(e->like_escape, text);

        buffer_append_text(out, " ESCAPE ");
        ast_print_string(out, (struct bytes){ text, len });
    }
    buffer_append_char(out, ')');
}

static void print_case(const struct expr *e, struct buffer *out)
{
    uint32_t whens = e->argument_count - e->has_default;

    buffer_append_text(out, "(CASE");
    for (uint32_t i = 0; i < whens; i += 2) {
        buffer_append_text(out, " WHEN ");
        expr_print(e->arguments[i], out);
        buffer_append_text(out, " THEN ");
        expr_print(e->arguments[i + 1], out);
    }
    if (e->has_default) {
        buffer_append_text(out, " ELSE ");
        expr_print(e->arguments[whens], out);
    }
    buffer_append_text(out, " END)");
}

static void print_cast(const struct expr *e, struct buffer *out)
{
    if (e->cast != CAST_WRITTEN) {
        expr_print(e->arguments[0], out);
        return;
    }
    buffer_append_text(out, "CAST(");
    expr_print(e->arguments[0], out);
    buffer_append_text(out, " AS ");
    type_print(e->type, out);
    buffer_append_char(out, ')');
}

static void print_call(const struct expr *e, const char *name, const char *nothing,
                       struct buffer *out)
{
    buffer_printf(out, "%s(", name);
    print_list(e, 0, out);
    buffer_append_text(out, e->argument_count ? ")" : nothing);
}

static const char *arithmetic_text(enum arithmetic_operator op)
{
    static const char *const texts[] = { [OP_ADD] = "+",
                                         [OP_SUBTRACT] = "-",
                                         [OP_MULTIPLY] = "*",
                                         [OP_DIVIDE] = "/",
                                         [OP_REMAINDER] = "%" };

    return texts[op];
}

static const char *compare_text_of(enum compare_operator op)
{
    static const char *const texts[] = { [OP_EQUAL] = "=",
                                         [OP_NOT_EQUAL] = "<>",
                                         [OP_LESS] = "<",
                                         [OP_LESS_EQUAL] = "<=",
                                         [OP_GREATER] = ">",
                                         [OP_GREATER_EQUAL] = ">=",
                                         [OP_DISTINCT] = "IS DISTINCT FROM" };

    return texts[op];
}

static void print_access(const struct expr *e, struct buffer *out)
{
    expr_print(e->arguments[0], out);
    if (e->kind == EXPR_FIELD) {
        buffer_append_text(out, "->");
        name_print(e->arguments[0]->type->fields[e->field].name, out);
        return;
    }
    buffer_append_char(out, '[');
    expr_print(e->arguments[1], out);
    buffer_append_char(out, ']');
}

/* Text around the only operand, or around operand and list. */
static void print_around(const struct expr *e, const char *before, const char *after,
                         struct buffer *out)
{
    buffer_append_text(out, before);
    expr_print(e->arguments[0], out);
    if (e->kind == EXPR_IN) {
        buffer_append_text(out, " IN (");
        print_list(e, 1, out);
    }
    buffer_append_text(out, after);
}

static void print_leaf(const struct expr *e, struct buffer *out)
{
    if (e->kind == EXPR_COLUMN) {
        name_print(e->column.name, out);
    } else if (e->kind == EXPR_PSEUDO) {
        buffer_append_text(out, pseudo_column_name(e->pseudo));
    } else {
        print_literal(e, out);
    }
}

/* MAP('a':=1), STRUCT(A:=1) */
static void print_pairs(const struct expr *e, struct buffer *out)
{
    buffer_append_text(out, e->kind == EXPR_MAP ? "MAP(" : "STRUCT(");
    for (uint32_t i = 0; i < e->argument_count; i++) {
        bool is_key = e->kind == EXPR_MAP && i % 2 == 0;

        if (i > 0 && (is_key || e->kind == EXPR_STRUCT)) {
            buffer_append_text(out, ", ");
        }
        if (e->kind == EXPR_STRUCT) {
            name_print(e->type->fields[i].name, out);
            buffer_append_text(out, ":=");
        }
        expr_print(e->arguments[i], out);
        buffer_append_text(out, is_key ? ":=" : "");
    }
    buffer_append_char(out, ')');
}

void expr_print(const struct expr *e, struct buffer *out)
{
    switch (e->kind) {
    case EXPR_COLUMN:
    case EXPR_PSEUDO:
    case EXPR_LITERAL:
        print_leaf(e, out);
        break;
    case EXPR_ARITHMETIC:
        print_binary(e, arithmetic_text(e->arithmetic), out);
        break;
    case EXPR_NEGATE:
        print_around(e, "-", "", out);
        break;
    case EXPR_COMPARE:
        print_binary(e, compare_text_of(e->compare), out);
        break;
    case EXPR_AND:
        print_and(e, out);
        break;
    case EXPR_OR:
        print_binary(e, "OR", out);
        break;
    case EXPR_NOT:
        print_around(e, "(NOT ", ")", out);
        break;
    case EXPR_IS_NULL:
        print_around(e, "(", e->is_not_null ? " IS NOT NULL)" : " IS NULL)", out);
        break;
    case EXPR_LIKE:
        print_like(e, out);
        break;
    case EXPR_IN:
        print_around(e, "(", "))", out);
        break;
    case EXPR_CASE:
        print_case(e, out);
        break;
    case EXPR_CAST:
        print_cast(e, out);
        break;
    case EXPR_CALL:
        if (e->call.kind == &text_plus) {
            print_binary(e, "+", out);
        } else {
            print_call(e, e->call.kind->name, ")", out);
        }
        break;
    case EXPR_AGGREGATE:
        print_call(e, e->aggregate->kind->name, "*)", out);
        break;
    case EXPR_FIELD:
    case EXPR_SUBSCRIPT:
        print_access(e, out);
        break;
    case EXPR_ARRAY:
        buffer_append_text(out, "ARRAY[");
        print_list(e, 0, out);
        buffer_append_char(out, ']');
        break;
    case EXPR_MAP:
    case EXPR_STRUCT:
        print_pairs(e, out);
        break;
    }
}
