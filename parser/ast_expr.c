/*
 * ast_expr.c: constructors of expressions and types.
 *
 * Each node learns its depth from its children as it is made, so a tree that is
 * too deep for recursion is refused before anybody recurses into it.
 */
#include "base/utf8.h"
#include "parser/ast_build.h"

static struct ast_expr *new_expr(struct ast_build *b, enum ast_expr_kind kind, struct position at)
{
    struct ast_expr *node = arena_new(b->arena, struct ast_expr);

    node->kind = kind;
    node->depth = 1;
    node->at = at;
    return node;
}

static struct ast_type *new_type(struct ast_build *b, enum ast_type_kind kind, struct position at)
{
    struct ast_type *type = arena_new(b->arena, struct ast_type);

    type->kind = kind;
    type->depth = 1;
    type->at = at;
    return type;
}

static void deepen(struct ast_build *b, uint32_t *depth, uint32_t child_depth, struct position at)
{
    if (child_depth < *depth) {
        return;
    }
    *depth = child_depth + 1;
    if (*depth > AST_DEPTH_MAX) {
        (void)ast_fail_depth(b, at);
    }
}

static void adopt(struct ast_build *b, struct ast_expr *node, const struct ast_expr *child)
{
    if (child) {
        deepen(b, &node->depth, child->depth, node->at);
    }
}

static void adopt_list(struct ast_build *b, struct ast_expr *node, const struct ast_expr_list *list)
{
    for (uint32_t i = 0; i < list->count; i++) {
        adopt(b, node, list->items[i]);
    }
}

/* --- types --- */

struct ast_parameters ast_add_parameter(struct ast_build *b, struct ast_parameters list,
                                        struct ast_literal value)
{
    if (value.kind != AST_LITERAL_NONE) {
        int64_t number = ast_integer(b, value).value;

        if (list.count < 2) {
            list.values[list.count] = number;
        }
    }
    list.count++;
    return list;
}

/* Other names of built-in types are replaced. Only to DEC do the parameters mean something. */
struct ast_type *ast_named_type(struct ast_build *b, struct ast_name name,
                                struct ast_parameters parameters)
{
    struct ast_type *type = new_type(b, AST_TYPE_NAME, name.at);

    type->name = name;
    if (parameters.count == 2 && bytes_equal_text(name.text, "DEC")) {
        type->kind = AST_TYPE_DECIMAL;
        type->decimal.precision = parameters.values[0];
        type->decimal.scale = parameters.values[1];
    } else if (bytes_equal_text(name.text, "INT")) {
        type->name.text = (struct bytes)BYTES("INTEGER");
    } else if (bytes_equal_text(name.text, "VARCHAR")) {
        type->name.text = (struct bytes)BYTES("STRING");
    }
    return type;
}

struct ast_type *ast_decimal_type(struct ast_build *b, struct position at,
                                  struct ast_literal precision, struct ast_literal scale)
{
    struct ast_type *type = new_type(b, AST_TYPE_DECIMAL, at);

    type->decimal.precision = ast_integer(b, precision).value;
    type->decimal.scale = ast_integer(b, scale).value;
    return type;
}

struct ast_type *ast_array_type(struct ast_build *b, struct ast_type *element, struct position at)
{
    struct ast_type *type = new_type(b, AST_TYPE_ARRAY, at);

    type->element = element;
    deepen(b, &type->depth, element->depth, at);
    return type;
}

struct ast_type *ast_map_type(struct ast_build *b, struct ast_type *key, struct ast_type *value,
                              struct position at)
{
    struct ast_type *type = new_type(b, AST_TYPE_MAP, at);

    type->map.key = key;
    type->map.value = value;
    deepen(b, &type->depth, key->depth, at);
    deepen(b, &type->depth, value->depth, at);
    return type;
}

struct ast_type *ast_struct_type(struct ast_build *b, struct ast_type_field_list fields,
                                 struct position at)
{
    struct ast_type *type = new_type(b, AST_TYPE_STRUCT, at);

    type->fields = fields;
    for (uint32_t i = 0; i < fields.count; i++) {
        deepen(b, &type->depth, fields.items[i].type->depth, at);
    }
    return type;
}

struct ast_type_field_list ast_add_type_field(struct ast_build *b, struct ast_type_field_list list,
                                              struct ast_name name, struct ast_type *type)
{
    *vec_push(b->arena, &list) = (struct ast_type_field){ name, type };
    return list;
}

/* --- primaries --- */

struct ast_expr *ast_literal(struct ast_build *b, struct ast_literal literal)
{
    struct ast_expr *node = new_expr(b, AST_LITERAL, literal.at);

    node->literal = literal;
    return node;
}

struct ast_expr *ast_typed_literal(struct ast_build *b, struct ast_name type, struct token text)
{
    if (!bytes_equal_text(type.text, "DECIMAL")) {
        (void)ast_fail(b, ERR_UNKNOWN_TYPE, type.at,
                       "There are no literals of type %.*s: write the string alone, or use CAST",
                       BYTES_ARG(utf8_cut(type.text, 100)));
    }
    return ast_literal(b, ast_decimal_literal(b, text));
}

struct ast_expr *ast_column(struct ast_build *b, struct ast_name qualifier, struct ast_name name)
{
    struct ast_expr *node = new_expr(b, AST_COLUMN, qualifier.text.data ? qualifier.at : name.at);

    node->column.qualifier = qualifier;
    node->column.name = name;
    return node;
}

struct ast_expr *ast_field(struct ast_build *b, struct ast_expr *base, struct ast_name name,
                           struct position at)
{
    struct ast_expr *node = new_expr(b, AST_FIELD, at);

    node->field.base = base;
    node->field.name = name;
    adopt(b, node, base);
    return node;
}

struct ast_expr *ast_subscript(struct ast_build *b, struct ast_expr *base, struct ast_expr *index,
                               struct position at)
{
    struct ast_expr *node = new_expr(b, AST_SUBSCRIPT, at);

    node->subscript.base = base;
    node->subscript.index = index;
    adopt(b, node, base);
    adopt(b, node, index);
    return node;
}

struct ast_expr *ast_call(struct ast_build *b, struct ast_name name, struct ast_expr_list arguments)
{
    struct ast_expr *node = new_expr(b, AST_CALL, name.at);

    node->call.name = name;
    node->call.arguments = arguments;
    adopt_list(b, node, &arguments);
    return node;
}

struct ast_expr *ast_concat(struct ast_build *b, struct ast_expr *left, struct ast_expr *right,
                            struct position at)
{
    struct ast_name name = { .text = BYTES("CONCAT"), .at = at };
    struct ast_expr_list arguments = ast_add_expr(b, AST_NO_EXPRS, left);

    return ast_call(b, name, ast_add_expr(b, arguments, right));
}

struct ast_expr *ast_unit(struct ast_build *b, struct token unit)
{
    struct ast_expr *node = new_expr(b, AST_UNIT, unit.at);

    node->unit = ast_unit_of_token(unit.kind);
    return node;
}

/* The names in front of =>, which the grammar has read as expressions. */
struct ast_name_list ast_parameters(struct ast_build *b, struct ast_expr *first,
                                    struct ast_expr_list others)
{
    struct ast_name_list names = AST_NO_NAMES;

    for (uint32_t i = 0; i <= others.count; i++) {
        const struct ast_expr *expr = i == 0 ? first : others.items[i - 1];

        if (expr->kind != AST_COLUMN || expr->column.qualifier.text.data) {
            (void)ast_fail(b, ERR_SYNTAX, expr->at, "The parameters of a lambda must be names");
            break;
        }
        names = ast_add_name(b, names, expr->column.name);
    }
    return names;
}

struct ast_expr *ast_lambda(struct ast_build *b, struct ast_name_list parameters,
                            struct ast_expr *body, struct position at)
{
    struct ast_expr *node = new_expr(b, AST_LAMBDA, at);

    node->lambda.parameters = parameters;
    node->lambda.body = body;
    adopt(b, node, body);
    return node;
}

struct ast_expr *ast_case(struct ast_build *b, struct ast_expr *operand, struct ast_when_list whens,
                          struct ast_expr *otherwise, struct position at)
{
    struct ast_expr *node = new_expr(b, AST_CASE, at);

    node->choice.operand = operand;
    node->choice.whens = whens;
    node->choice.otherwise = otherwise;
    adopt(b, node, operand);
    adopt(b, node, otherwise);
    for (uint32_t i = 0; i < whens.count; i++) {
        adopt(b, node, whens.items[i].condition);
        adopt(b, node, whens.items[i].result);
    }
    return node;
}

struct ast_expr *ast_cast(struct ast_build *b, struct ast_expr *operand, struct ast_type *type,
                          struct position at)
{
    struct ast_expr *node = new_expr(b, AST_CAST, at);

    node->cast.operand = operand;
    node->cast.type = type;
    adopt(b, node, operand);
    return node;
}

struct ast_expr *ast_array(struct ast_build *b, struct ast_expr_list items, struct position at)
{
    struct ast_expr *node = new_expr(b, AST_ARRAY, at);

    node->items = items;
    adopt_list(b, node, &items);
    return node;
}

struct ast_expr *ast_map(struct ast_build *b, struct ast_map_entry_list entries, struct position at)
{
    struct ast_expr *node = new_expr(b, AST_MAP, at);

    node->entries = entries;
    for (uint32_t i = 0; i < entries.count; i++) {
        adopt(b, node, entries.items[i].key);
        adopt(b, node, entries.items[i].value);
    }
    return node;
}

struct ast_expr *ast_struct(struct ast_build *b, struct ast_struct_field_list fields,
                            struct position at)
{
    struct ast_expr *node = new_expr(b, AST_STRUCT, at);

    node->fields = fields;
    for (uint32_t i = 0; i < fields.count; i++) {
        adopt(b, node, fields.items[i].value);
    }
    return node;
}

/* --- operators --- */

struct ast_operator ast_operator(enum ast_op op, struct position at)
{
    return (struct ast_operator){ op, at };
}

struct ast_expr *ast_unary(struct ast_build *b, enum ast_op op, struct ast_expr *operand,
                           struct position at)
{
    struct ast_expr *node = new_expr(b, AST_UNARY, at);

    node->unary.op = op;
    node->unary.operand = operand;
    adopt(b, node, operand);
    return node;
}

struct ast_expr *ast_binary(struct ast_build *b, enum ast_op op, struct ast_expr *left,
                            struct ast_expr *right, struct position at)
{
    struct ast_expr *node = new_expr(b, AST_BINARY, at);

    node->binary.op = op;
    node->binary.left = left;
    node->binary.right = right;
    adopt(b, node, left);
    adopt(b, node, right);
    return node;
}

struct ast_expr *ast_between(struct ast_build *b, struct ast_expr *operand, struct ast_expr *low,
                             struct ast_expr *high, struct position at)
{
    struct ast_expr *node = new_expr(b, AST_BETWEEN, at);

    node->between.operand = operand;
    node->between.low = low;
    node->between.high = high;
    adopt(b, node, operand);
    adopt(b, node, low);
    adopt(b, node, high);
    return node;
}

struct ast_expr *ast_in(struct ast_build *b, struct ast_expr *operand, struct ast_expr_list items,
                        struct position at)
{
    struct ast_expr *node = new_expr(b, AST_IN, at);

    node->in.operand = operand;
    node->in.items = items;
    adopt(b, node, operand);
    adopt_list(b, node, &items);
    return node;
}

struct ast_expr *ast_like(struct ast_build *b, struct ast_expr *operand, struct ast_expr *pattern,
                          struct ast_text escape, struct position at)
{
    struct ast_expr *node = new_expr(b, AST_LIKE, at);

    if (escape.text.data && utf8_count(escape.text) != 1) {
        (void)ast_fail(b, ERR_INVALID_LITERAL, escape.at, "ESCAPE takes a string of one character");
    }
    node->like.operand = operand;
    node->like.pattern = pattern;
    node->like.escape = escape.text;
    adopt(b, node, operand);
    adopt(b, node, pattern);
    return node;
}

struct ast_expr *ast_is_null(struct ast_build *b, struct ast_expr *operand, struct position at)
{
    struct ast_expr *node = new_expr(b, AST_IS_NULL, at);

    node->is_null.operand = operand;
    adopt(b, node, operand);
    return node;
}

struct ast_expr *ast_is_not_null(struct ast_build *b, struct ast_expr *operand, struct position at)
{
    struct ast_expr *node = ast_is_null(b, operand, at);

    node->is_null.negated = true;
    return node;
}

struct ast_expr *ast_time_zone(struct ast_build *b, struct ast_expr *operand, struct position at)
{
    (void)ast_fail(b, ERR_UNSUPPORTED, at,
                   "AT TIME ZONE is not supported; use CONVERT_TZ or FORMAT_TIMESTAMP");
    return operand;
}

/* --- lists --- */

struct ast_expr_list ast_add_expr(struct ast_build *b, struct ast_expr_list list,
                                  struct ast_expr *expr)
{
    *vec_push(b->arena, &list) = expr; /* NOLINT(bugprone-sizeof-expression): of pointers */
    return list;
}

struct ast_expr_list ast_prepend_expr(struct ast_build *b, struct ast_expr *first,
                                      struct ast_expr_list others)
{
    struct ast_expr_list list = ast_add_expr(b, AST_NO_EXPRS, first);

    for (uint32_t i = 0; i < others.count; i++) {
        list = ast_add_expr(b, list, others.items[i]);
    }
    return list;
}

struct ast_when_list ast_add_when(struct ast_build *b, struct ast_when_list list,
                                  struct ast_expr *condition, struct ast_expr *result)
{
    *vec_push(b->arena, &list) = (struct ast_when){ condition, result };
    return list;
}

struct ast_map_entry_list ast_add_entry(struct ast_build *b, struct ast_map_entry_list list,
                                        struct ast_expr *key, struct ast_expr *value)
{
    *vec_push(b->arena, &list) = (struct ast_map_entry){ key, value };
    return list;
}

struct ast_struct_field_list ast_add_field(struct ast_build *b, struct ast_struct_field_list list,
                                           struct ast_name name, struct ast_expr *value)
{
    *vec_push(b->arena, &list) = (struct ast_struct_field){ name, value };
    return list;
}
