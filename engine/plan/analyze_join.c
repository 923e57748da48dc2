/*
 * analyze_join.c: what may be joined to what, on what, and which key comes out
 * (queries.md 6.1, 6.2).
 *
 * Joins nest to the left. After each one a list of expressions is known to be the key of the
 * rows so far; a left side that is among them needs no new key. A FULL join ends that: either
 * side's expression may be null.
 */
#include <string.h>

#include "engine/plan/plan_internal.h"
#include "parser/ast_print.h"

struct join_check {
    struct analysis *a;
    struct relation *relation;
    struct source_scope *scope;
    const struct ast_join *syntax;
    const struct relation_source *right; /* the source that is joined */
    const struct ast_expr *left_syntax;
    const struct ast_expr *right_syntax;
    uint32_t number; /* of the join */
    struct join_analysis join;
};

static bool left_is_table(const struct join_check *c)
{
    return c->a->source->kind == SOURCE_TABLE;
}

static bool right_is_table(const struct join_check *c)
{
    return c->right->source->kind == SOURCE_TABLE;
}

/* --- sources --- */

static int add_relation(struct analysis *a, struct relation *relation,
                        const struct ast_relation *syntax, struct error *err)
{
    const struct source *source = NULL;
    struct bytes alias = syntax->alias.text;

    TRY(plan_find_source(a->context, &syntax->source, &source, err));
    if (!alias.data) {
        alias = source->name;
    }
    for (uint32_t i = 0; i < relation->sources.count; i++) {
        if (bytes_equal(relation->sources.items[i].source->name, source->name)) {
            return error_set(err, ERR_JOIN_SELF, syntax->source.at,
                             "%.*s is in the join already; CREATE ... AS SELECT * FROM %.*s "
                             "copies it under another name",
                             BYTES_ARG(source->name), BYTES_ARG(source->name));
        }
        if (bytes_equal(relation->sources.items[i].alias, alias)) {
            return error_set(err, ERR_JOIN_SELF, syntax->alias.at,
                             "The join has the alias %.*s already", BYTES_ARG(alias));
        }
    }
    if (strcmp(source->value_format.kind->name, "KAFKA") == 0) {
        return error_set(err, ERR_FORMAT_SCHEMA, syntax->source.at,
                         "%.*s has the value format KAFKA, which cannot be joined; copy it with "
                         "another VALUE_FORMAT first",
                         BYTES_ARG(source->name));
    }
    relation_add(relation, source, alias);
    return 0;
}

/* --- ON --- */

static int bind_side(struct join_check *c, const struct ast_expr *syntax, const struct expr **out,
                     struct error *err)
{
    struct expr_binder binder = { c->relation->arena, &c->scope->base, 0, "JOIN ON" };

    c->scope->clause = "JOIN ON";
    return expr_bind(&binder, syntax, out, err);
}

/* A name with a qualifier says more when it is wrong than one that is ambiguous: it goes first. */
static int bind_sides(struct join_check *c, struct error *err)
{
    if (c->left_syntax->kind == AST_COLUMN && !c->left_syntax->column.qualifier.text.data) {
        TRY(bind_side(c, c->right_syntax, &c->join.right, err));
        return bind_side(c, c->left_syntax, &c->join.left, err);
    }
    TRY(bind_side(c, c->left_syntax, &c->join.left, err));
    return bind_side(c, c->right_syntax, &c->join.right, err);
}

static int bind_condition(struct join_check *c, struct error *err)
{
    const struct ast_expr *on = c->syntax->on;

    if (on->kind != AST_BINARY || on->binary.op != AST_EQUAL) {
        return error_set(err, ERR_JOIN_CONDITION, on->at,
                         "JOIN ON takes one equality of an expression of each side");
    }
    c->left_syntax = on->binary.left;
    c->right_syntax = on->binary.right;
    return bind_sides(c, err);
}

static bool is_one_source(uint64_t mask)
{
    return mask != 0 && (mask & (mask - 1)) == 0;
}

static void swap_sides(struct join_check *c)
{
    const struct expr *left = c->join.left;
    const struct ast_expr *syntax = c->left_syntax;

    c->join.left = c->join.right;
    c->join.right = left;
    c->left_syntax = c->right_syntax;
    c->right_syntax = syntax;
}

/* As it stands in the statement: bound, columns have the names they get in the join. */
static const char *written(const struct join_check *c, const struct ast_expr *syntax)
{
    return arena_copy_text(c->relation->arena, ast_expr_text(c->relation->arena, syntax));
}

static int check_side(const struct join_check *c, const struct expr *side,
                      const struct ast_expr *syntax, struct error *err)
{
    if (!is_one_source(relation_sources_of(c->relation, side))) {
        return error_set(err, ERR_JOIN_CONDITION, syntax->at,
                         "JOIN ON: each side takes columns of exactly one source, not %s",
                         written(c, syntax));
    }
    return 0;
}

/* Whichever way round it was written, the right side is that of the source being joined. */
static int settle_sides(struct join_check *c, struct error *err)
{
    uint64_t right = UINT64_C(1) << (c->relation->sources.count - 1);

    TRY(check_side(c, c->join.left, c->left_syntax, err));
    TRY(check_side(c, c->join.right, c->right_syntax, err));
    if (relation_sources_of(c->relation, c->join.left) == right) {
        swap_sides(c);
    }
    if (relation_sources_of(c->relation, c->join.right) != right ||
        relation_sources_of(c->relation, c->join.left) == right) {
        return error_set(err, ERR_JOIN_CONDITION, c->syntax->on->at,
                         "JOIN ON: one side must be of %.*s, the other of what stands before it",
                         BYTES_ARG(c->right->alias));
    }
    return 0;
}

static int check_types(const struct join_check *c, struct error *err)
{
    struct buffer left = { 0 };
    struct buffer right = { 0 };
    int code = 0;

    if (!type_equal(c->join.left->type, c->join.right->type)) {
        type_print(c->join.left->type, &left);
        type_print(c->join.right->type, &right);
        code = error_set(err, ERR_JOIN_TYPE_MISMATCH, c->syntax->on->at,
                         "JOIN ON: the types must be the same, not %.*s = %.*s; CAST one of them",
                         BYTES_ARG(buffer_bytes(&left)), BYTES_ARG(buffer_bytes(&right)));
    } else if (type_holds_map(c->join.left->type)) {
        code =
            error_set(err, ERR_INVALID_KEY, c->left_syntax->at,
                      "JOIN ON: %s holds a MAP, which cannot be a key", written(c, c->left_syntax));
    }
    buffer_fini(&left);
    buffer_fini(&right);
    return code;
}

/* --- kinds and keys --- */

static int check_kinds(const struct join_check *c, struct error *err)
{
    enum ast_join_kind kind = c->syntax->kind;

    if (left_is_table(c) && !right_is_table(c)) {
        return error_set(err, ERR_JOIN_KIND, c->syntax->at,
                         "A table cannot be joined to a stream; put the stream %.*s first",
                         BYTES_ARG(c->right->alias));
    }
    if (!left_is_table(c) && right_is_table(c) &&
        (kind == AST_JOIN_RIGHT || kind == AST_JOIN_FULL)) {
        return error_set(err, ERR_JOIN_KIND, c->syntax->at,
                         "A stream and a table are joined by INNER or LEFT JOIN, not by %s JOIN",
                         kind == AST_JOIN_RIGHT ? "RIGHT" : "FULL");
    }
    return 0;
}

static int check_within(const struct join_check *c, struct error *err)
{
    bool given = c->syntax->before.unit != AST_UNIT_NONE;
    bool streams = !left_is_table(c) && !right_is_table(c);

    if (given && !streams) {
        return error_set(err, ERR_JOIN_WITHIN, c->syntax->at,
                         "WITHIN is for joins of two streams; %.*s is a table",
                         BYTES_ARG(c->right->alias));
    }
    if (!given && streams) {
        return error_set(err, ERR_JOIN_WITHIN, c->syntax->at,
                         "A join of two streams needs WITHIN: how far apart in time rows may be");
    }
    if (streams) {
        return error_set(err, ERR_UNSUPPORTED, c->syntax->at,
                         "JOIN of two streams is not supported");
    }
    return 0;
}

static bool is_only_key(const struct relation_source *source, const struct expr *e)
{
    return source->source->schema.key_count == 1 && e->kind == EXPR_COLUMN &&
           e->column.index == source->first;
}

static bool is_equal_to_key(const struct join_check *c)
{
    const struct relation *relation = c->relation;

    if (c->number == 0) {
        return is_only_key(&relation->sources.items[0], c->join.left);
    }
    for (uint32_t i = 0; i < relation->equal.count; i++) {
        if (expr_equal(relation->equal.items[i], c->join.left)) {
            return true;
        }
    }
    return false;
}

static int refuse_foreign_key(const struct join_check *c, struct error *err)
{
    const char *text = written(c, c->left_syntax);

    if (c->number > 0) {
        return error_set(err, ERR_JOIN_KEY, c->left_syntax->at,
                         "JOIN ON: %s is not the key of what stands before; a foreign key can only "
                         "be joined first",
                         text);
    }
    if (c->syntax->kind == AST_JOIN_RIGHT || c->syntax->kind == AST_JOIN_FULL) {
        return error_set(err, ERR_JOIN_KIND, c->syntax->at,
                         "%s is not the key of the left table; a foreign key is joined by INNER or "
                         "LEFT JOIN",
                         text);
    }
    return error_set(err, ERR_UNSUPPORTED, c->left_syntax->at,
                     "A foreign-key JOIN is not supported: %s is not the key of the left side",
                     text);
}

static int check_keys(struct join_check *c, struct error *err)
{
    c->join.rekeys_left = !is_equal_to_key(c);
    if (right_is_table(c) && !is_only_key(c->right, c->join.right)) {
        return error_set(err, ERR_JOIN_KEY, c->right_syntax->at,
                         "JOIN ON: the table %.*s can only be joined on its primary key, not on %s",
                         BYTES_ARG(c->right->alias), written(c, c->right_syntax));
    }
    if (left_is_table(c) && c->join.rekeys_left) {
        return refuse_foreign_key(c, err);
    }
    return 0;
}

static int check_partitions(const struct join_check *c, struct error *err)
{
    const struct source *left = c->a->source;
    const struct source *right = c->right->source;

    if (left->partition_count != right->partition_count) {
        return error_set(err, ERR_JOIN_PARTITIONS, c->syntax->right.source.at,
                         "%.*s has %u partitions and %.*s %u; joined sources need as many: copy "
                         "one WITH (PARTITIONS=...)",
                         BYTES_ARG(left->name), left->partition_count, BYTES_ARG(right->name),
                         right->partition_count);
    }
    return 0;
}

/* --- what comes out --- */

static bool is_keyless(const struct side_format *format)
{
    return strcmp(format->kind->name, "NONE") == 0;
}

/* The left side's, unless only that is given a new key (queries.md 6.1). */
static void settle_format(struct join_check *c)
{
    const struct relation *relation = c->relation;
    const struct side_format *left = c->number > 0
                                         ? &relation->joins.items[c->number - 1].key_format
                                         : &relation->sources.items[0].source->key_format;
    const struct side_format *right = &c->right->source->key_format;

    c->join.key_format = c->join.rekeys_left || is_keyless(left) ? *right : *left;
    if (is_keyless(&c->join.key_format)) {
        c->join.key_format =
            (struct side_format){ .kind = c->a->context->settings->default_key_format };
    }
}

static void add_equal(struct relation *relation, const struct expr *e)
{
    for (uint32_t i = 0; i < relation->equal.count; i++) {
        if (expr_equal(relation->equal.items[i], e)) {
            return;
        }
    }
    *vec_push(relation->arena, &relation->equal) = e;
}

static void settle_equal(struct join_check *c)
{
    struct relation *relation = c->relation;

    if (c->join.rekeys_left || c->syntax->kind == AST_JOIN_FULL) {
        relation->equal.count = 0;
    }
    if (c->syntax->kind != AST_JOIN_FULL) {
        add_equal(relation, c->join.left);
        add_equal(relation, c->join.right);
    }
    for (uint32_t i = relation->equal.count; i-- > 0;) {
        if (relation->equal.items[i]->kind == EXPR_COLUMN) {
            c->join.key_name = relation->equal.items[i]->column.name;
        }
    }
}

/* What ON says; it sees the sources up to the one that is joined. */
static int read_join(struct join_check *c, struct error *err)
{
    TRY(add_relation(c->a, c->relation, &c->syntax->right, err));
    c->right = &c->relation->sources.items[c->relation->sources.count - 1];
    TRY(bind_condition(c, err));
    TRY(settle_sides(c, err));
    return check_types(c, err);
}

/* Whether such rows can meet. */
static int settle_join(struct join_check *c, struct error *err)
{
    c->right = &c->relation->sources.items[c->number + 1]; /* the list may have moved */
    TRY(check_kinds(c, err));
    TRY(check_keys(c, err));
    TRY(check_partitions(c, err));
    TRY(check_within(c, err));
    settle_format(c);
    settle_equal(c);
    *vec_push(c->relation->arena, &c->relation->joins) = c->join;
    return 0;
}

/* All conditions are read before any join is judged: a wrong name or side is what to tell first. */
static int analyze_each(struct analysis *a, struct relation *relation, struct source_scope *scope,
                        struct error *err)
{
    const struct ast_join_list *joins = &a->query->joins;
    struct join_check *checks = arena_array(relation->arena, struct join_check, joins->count);

    for (uint32_t i = 0; i < joins->count; i++) {
        struct join_check *c = &checks[i];

        *c = (struct join_check){ .a = a, .relation = relation, .scope = scope, .number = i };
        c->syntax = &joins->items[i];
        c->join.syntax = c->syntax;
        TRY(read_join(c, err));
    }
    for (uint32_t i = 0; i < joins->count; i++) {
        TRY(settle_join(&checks[i], err));
    }
    return 0;
}

int analyze_joins(struct analysis *a, struct source_scope *scope, struct error *err)
{
    const struct ast_query *query = a->query;
    struct relation *relation;

    if (query->joins.count == 0) {
        return 0;
    }
    if (query->joins.count >= RELATION_SOURCES_MAX) {
        return error_set(err, ERR_TOO_DEEP, query->joins.items[RELATION_SOURCES_MAX - 1].at,
                         "A query may join at most %d sources", RELATION_SOURCES_MAX);
    }
    relation = arena_new(a->context->arena, struct relation);
    relation_init(relation, a->context->arena);
    a->relation = relation;
    scope->relation = relation;
    TRY(add_relation(a, relation, &query->from, err));
    TRY(analyze_each(a, relation, scope, err));
    if (relation->columns.count >= OPERAND_MAX_SLOTS) {
        return error_set(err, ERR_TOO_LARGE, query->from.source.at,
                         "The joined sources have more than %d columns", OPERAND_MAX_SLOTS);
    }
    relation_settle_key(relation);
    return 0;
}
