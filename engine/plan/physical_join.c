/*
 * physical_join.c: sides of joins and where they meet.
 *
 * Whatever a side is, its rows come with the key as column 0 and then those columns of the
 * relation that the query uses; branch.columns says where each lies. A stream's side is a stage,
 * which costs nothing where it only picks columns; a table's is a store. A side that has to be
 * keyed anew goes through a topic, behind which a new sub-topology begins:
 *
 *     S -> stage -> topic    |  topic ---------> join -> ...
 *                            |  T -> table (looked up)
 */
#include <assert.h>

#include "engine/plan/physical_internal.h"

typedef VEC(struct shape_column) shape_columns;

/* --- what is used --- */

static const bool *used_columns(struct physical_builder *b)
{
    const struct relation *relation = b->a->relation;
    bool *used;

    if (b->used) {
        return b->used;
    }
    used = arena_array(b->arena, bool, relation->columns.count);
    physical_walk(b->a, physical_note_column, used);
    for (uint32_t i = 0; i < relation->joins.count; i++) {
        /* the visitor never stops */
        (void)expr_walk(relation->joins.items[i].left, physical_note_column, used);
        (void)expr_walk(relation->joins.items[i].right, physical_note_column, used);
    }
    b->used = used;
    return used;
}

static const bool *wanted_columns(struct physical_builder *b, const struct relation_source *from)
{
    uint32_t count = from->source->schema.column_count;
    bool *wanted = arena_array(b->arena, bool, count);

    for (uint32_t i = 0; i < count; i++) {
        wanted[i] = used_columns(b)[from->first + i];
    }
    return wanted;
}

/* --- where columns lie --- */

static const struct expr **new_columns(struct physical_builder *b)
{
    return arena_array(b->arena, const struct expr *, b->a->relation->columns.count);
}

static const struct expr *cell_of(struct physical_builder *b, uint32_t column, uint32_t at)
{
    const struct relation_column *c = &b->a->relation->columns.items[column];

    return expr_column(b->arena, 0, at, c->name, c->type, NO_POSITION);
}

/* The source's columns as its decoder gives them. */
static void place_source(struct physical_builder *b, const struct relation_source *from)
{
    const struct expr **columns = new_columns(b);

    for (uint32_t i = 0; i < from->column_count; i++) {
        const struct relation_column *column = &b->a->relation->columns.items[from->first + i];

        if (column->pseudo == PSEUDO_NONE) {
            columns[from->first + i] = cell_of(b, from->first + i, column->index);
        } else {
            struct expr *node = arena_new(b->arena, struct expr);

            node->kind = EXPR_PSEUDO;
            node->at = NO_POSITION;
            node->type = column->type;
            node->pseudo = column->pseudo;
            columns[from->first + i] = node;
        }
    }
    b->at.columns = columns;
}

/* --- sides --- */

static const char *what_of(struct physical_builder *b, const struct expr *value, struct bytes name)
{
    return arena_printf(b->arena, "Error computing expression %s for column %.*s",
                        plan_text_of(b->arena, value), BYTES_ARG(name))
        .data;
}

static int add_value(struct physical_builder *b, const struct expr *value, struct bytes name,
                     enum column_role role, shape_columns *out, struct error *err)
{
    struct program_builder *program = physical_open_stage(b);
    struct shape_column *column = vec_push(b->arena, out);

    *column = (struct shape_column){ .name = name, .type = value->type, .role = role };
    return program_add_value(program, physical_move(b, value), what_of(b, value, name), &column->at,
                             err);
}

/*
 * The side's rows under its key. own_key: the relation's column that is the key itself, whose
 * place is column 0; RELATION_KEY: none is.
 */
static int add_side_stage(struct physical_builder *b, const struct logical_node *node,
                          const struct expr *key, uint32_t own_key, struct error *err)
{
    const struct relation *relation = b->a->relation;
    const struct expr **columns = new_columns(b);
    shape_columns shape = { 0 };

    TRY(add_value(b, key, relation->columns.items[own_key].name, COLUMN_KEY, &shape, err));
    columns[RELATION_KEY] = cell_of(b, RELATION_KEY, 0);
    for (uint32_t i = RELATION_KEY + 1; i < relation->columns.count; i++) {
        if (i == own_key) {
            columns[i] = cell_of(b, i, 0);
        } else if (used_columns(b)[i] && b->at.columns[i]) {
            columns[i] = cell_of(b, i, shape.count);
            TRY(add_value(b, relation_expr(relation, i, NO_POSITION),
                          relation->columns.items[i].name, COLUMN_VALUE, &shape, err));
        }
    }
    physical_close_stage(b, node, shape.items, shape.count, 1);
    b->at.columns = columns;
    return 0;
}

/* The key and what else is used of a table: what its store has. */
static const struct row_shape *kept_shape(struct physical_builder *b,
                                          const struct relation_source *from)
{
    const struct relation *relation = b->a->relation;
    const struct expr **columns = new_columns(b);
    shape_columns shape = { 0 };

    for (uint32_t i = from->first; i < from->first + from->column_count; i++) {
        const struct relation_column *column = &relation->columns.items[i];
        bool is_key = i == from->first;

        if (is_key || used_columns(b)[i]) {
            columns[i] = cell_of(b, i, shape.count);
            *vec_push(b->arena, &shape) = (struct shape_column){
                .name = column->plain,
                .type = column->type,
                .role = is_key ? COLUMN_KEY : COLUMN_VALUE,
            };
        }
    }
    columns[RELATION_KEY] = cell_of(b, RELATION_KEY, 0);
    b->at.columns = columns;
    return physical_cells(b, shape.items, shape.count, 1);
}

static void add_table(struct physical_builder *b, const struct logical_node *node,
                      const struct row_shape *shape, const struct key_plan *key)
{
    uint32_t store = physical_add_store(b, node->keeps, shape);
    struct join_leaf *leaf = arena_new(b->arena, struct join_leaf);
    struct op_plan *op = physical_add_op(b, PLAN_TABLE, node->context);

    op->output = shape;
    op->table = (struct table_plan){ store, *key, b->at.key_bytes_given, true };
    leaf->store = store;
    b->at.shape = shape;
    b->at.key_bytes_given = true;
    b->at.leaves = leaf;
    b->at.leaf_count = 1;
}

static struct bytes source_detail(struct physical_builder *b, const struct logical_node *node)
{
    const struct source *source = node->source;

    return arena_printf(b->arena, "Topic: %.*s | Formats: %s, %s%s%.*s", BYTES_ARG(source->topic),
                        source->key_format.kind->name, source->value_format.kind->name,
                        node->keeps.data ? " | Store: " : "", (int)node->keeps.len,
                        node->keeps.data ? node->keeps.data : "");
}

/* The join that a source is a side of. */
static const struct join_analysis *join_of(const struct physical_builder *b, uint32_t source)
{
    return &b->a->relation->joins.items[source > 0 ? source - 1 : 0];
}

int physical_add_joined_source(struct physical_builder *b, const struct logical_node *node,
                               struct error *err)
{
    const struct relation_source *from = &b->a->relation->sources.items[node->source_number];
    const struct join_analysis *join = join_of(b, node->source_number);
    const struct source *source = from->source;
    struct row_shape *shape = arena_new(b->arena, struct row_shape);
    struct input_plan input = {
        .topic = source->topic,
        .source = source,
        .is_table = source->kind == SOURCE_TABLE,
        .from_earliest = source->kind == SOURCE_TABLE,
        .shape = shape,
        .wanted = wanted_columns(b, from),
    };

    row_shape_of_schema(b->arena, &source->schema, shape);
    if (input.is_table && !node->keeps.data && b->sub.is_open) {
        b->outer = b->sub; /* it is on its way to a topic: not here */
        b->sub.is_open = false;
    }
    physical_begin_input(b, &input);
    place_source(b, from);
    if (node->keeps.data) {
        struct key_plan key = physical_key(b, &join->key_format);

        add_table(b, node, kept_shape(b, from), &key);
    } else if (!input.is_table && !join->rekeys_left) {
        TRY(add_side_stage(b, node, join->left, RELATION_KEY, err));
    }
    physical_add_step(b, "SOURCE", node, source_detail(b, node));
    return 0;
}

/* --- new keys --- */

static struct input_plan add_topic(struct physical_builder *b, const struct logical_node *node,
                                   const struct expr *key)
{
    struct bytes topic = name_repartition(b->arena, b->plan->application_id, node->through);
    uint32_t output =
        physical_add_output(b, TOPIC_REPARTITION, topic, b->a->source->partition_count);
    const struct row_shape *shape = b->at.shape;
    struct op_plan *op = physical_add_op(b, PLAN_TOPIC, node->context);
    struct row_codec codec = physical_codec(b, shape->columns, shape->column_count);

    op->topic = (struct topic_plan){
        .role = TOPIC_REPARTITION,
        .output = output,
        .key = physical_key(b, &node->join->key_format),
        .drop_null_value = !node->is_table,
        .skip_null_key = node->is_table || node->join->syntax->kind == AST_JOIN_INNER,
        .codec = codec,
        .columns = physical_operands(b, 0, shape->column_count),
    };
    physical_add_step(b, "REPARTITION", node,
                      arena_printf(b->arena, "Key: %s | Topic: %.*s | Key format: %s%s%.*s",
                                   plan_text_of(b->arena, key), BYTES_ARG(topic),
                                   op->topic.key.format.kind->name,
                                   node->is_table ? " | Store: " : "", (int)node->keeps.len,
                                   node->is_table ? node->keeps.data : ""));
    return (struct input_plan){
        .topic = topic,
        .output = output,
        .codec = codec,
        .from_earliest = true,
        .shape = physical_cells(b, shape->columns, shape->column_count, shape->key_count),
    };
}

int physical_add_rekey(struct physical_builder *b, const struct logical_node *node,
                       struct error *err)
{
    const struct relation *relation = b->a->relation;
    bool is_table = node->is_table;
    uint32_t own_key = RELATION_KEY;
    const struct expr *key = node->key;
    struct input_plan input;

    if (is_table) {
        own_key = relation->sources.items[node->input->source_number].first;
        key = relation_expr(relation, own_key, NO_POSITION);
    }
    TRY(add_side_stage(b, node, key, own_key, err));
    input = add_topic(b, node, key);
    physical_end_sub(b);
    if (b->outer.is_open) {
        b->sub = b->outer;
        b->outer.is_open = false;
    }
    input.is_upserts = is_table;
    physical_begin_input(b, &input);
    b->at.key_bytes_given = true;
    if (is_table) {
        struct key_plan plan = physical_key(b, &node->join->key_format);

        add_table(b, node, input.shape, &plan);
    }
    return 0;
}

/* --- where sides meet --- */

/* A side's rows begin with the key; what a table has in its store is all glued. */
static uint32_t first_glued(const struct branch *side)
{
    return side->leaf_count == 1 ? 0 : 1;
}

static struct join_side make_side(struct physical_builder *b, const struct branch *side,
                                  uint32_t first_cell)
{
    uint32_t first = first_glued(side);
    uint32_t count = side->shape->column_count - first;
    operand *columns = arena_array(b->arena, operand, count);

    for (uint32_t i = 0; i < count; i++) {
        columns[i] = side->shape->columns[first + i].at;
    }
    return (struct join_side){ columns, count, first_cell, side->leaves, side->leaf_count };
}

static void place_side(struct physical_builder *b, const struct branch *side, uint32_t first_cell,
                       const struct expr **columns)
{
    for (uint32_t i = RELATION_KEY + 1; i < b->a->relation->columns.count; i++) {
        if (side->columns[i]) {
            columns[i] =
                cell_of(b, i, side->columns[i]->column.index - first_glued(side) + first_cell);
        }
    }
}

static void append_side(struct physical_builder *b, const struct branch *side, shape_columns *out)
{
    for (uint32_t i = first_glued(side); i < side->shape->column_count; i++) {
        struct shape_column column = side->shape->columns[i];

        column.role = COLUMN_VALUE;
        *vec_push(b->arena, out) = column;
    }
}

static const struct row_shape *glued_shape(struct physical_builder *b, const struct branch *left,
                                           const struct branch *right)
{
    shape_columns columns = { 0 };

    *vec_push(b->arena, &columns) = left->shape->columns[0];
    append_side(b, left, &columns);
    append_side(b, right, &columns);
    return physical_cells(b, columns.items, columns.count, 1);
}

/* Left and right tables together are looked up in the stores of both. */
static void join_leaves(struct physical_builder *b, const struct join_plan *join)
{
    const struct join_side *left = &join->sides[0];
    uint32_t count = left->leaf_count + 1;
    struct join_leaf *leaves = arena_array(b->arena, struct join_leaf, count);

    for (uint32_t i = 0; i < left->leaf_count; i++) {
        leaves[i] = left->leaves[i];
    }
    leaves[count - 1] = join->sides[1].leaves[0];
    leaves[count - 1].kind = join->kind;
    leaves[count - 1].first_cell = left->column_count;
    b->at.leaves = leaves;
    b->at.leaf_count = count;
}

static const char *kind_text(enum ast_join_kind kind)
{
    switch (kind) {
    case AST_JOIN_INNER:
        return "INNER";
    case AST_JOIN_LEFT:
        return "LEFT";
    case AST_JOIN_RIGHT:
        return "RIGHT";
    case AST_JOIN_FULL:
        return "FULL";
    }
    return "";
}

static void add_join_step(struct physical_builder *b, const struct logical_node *node,
                          const struct branch *right)
{
    const struct join_analysis *join = node->join;
    struct plan_step *step;

    physical_add_step(
        b, "JOIN", node,
        arena_printf(b->arena, "%s | On: %s = %s | Key format: %s", kind_text(join->syntax->kind),
                     plan_text_of(b->arena, join->left), plan_text_of(b->arena, join->right),
                     join->key_format.kind->name));
    step = &b->steps.items[b->steps.count - 1];
    step->inputs[1] = right->step - 1;
    step->input_count = 2;
}

void physical_add_join(struct physical_builder *b, const struct logical_node *node,
                       const struct branch *left)
{
    struct branch right = b->at;
    const struct expr **columns = new_columns(b);
    struct join_plan join = { .kind = node->join->syntax->kind,
                              .key_bytes_given = left->key_bytes_given };
    struct op_plan *op;

    assert(right.from_op && right.leaf_count == 1); /* right sides are tables */
    join.key_at[0] = left->shape->columns[0].at;
    join.key_at[1] = right.shape->columns[0].at;
    join.sides[0] = make_side(b, left, 1);
    join.sides[1] = make_side(b, &right, 1 + join.sides[0].column_count);
    b->at = *left;
    join.key = physical_key(b, &node->join->key_format);
    op = physical_add_op(b, node->is_table ? PLAN_JOIN_TABLE_TABLE : PLAN_JOIN_STREAM_TABLE,
                         node->context);
    op->output = glued_shape(b, left, &right);
    op->join = join;
    if (node->is_table) {
        b->sub.ops.items[right.from].next = (uint16_t)b->at.from;
        b->sub.ops.items[right.from].next_port = 1;
        join_leaves(b, &join);
    }
    columns[RELATION_KEY] = cell_of(b, RELATION_KEY, 0);
    place_side(b, left, 1, columns);
    place_side(b, &right, join.sides[1].first_cell, columns);
    b->at.shape = op->output;
    b->at.columns = columns;
    b->at.key_bytes_given = true;
    add_join_step(b, node, &right);
}
