/*
 * physical_state.c: operators with a store: their keys, images and names.
 */
#include <assert.h>

#include "engine/plan/physical_internal.h"

struct op_plan *physical_add_op(struct physical_builder *b, enum plan_tag tag, struct bytes context)
{
    uint32_t number = b->sub.ops.count;
    struct op_plan *op = vec_push(b->arena, &b->sub.ops);

    *op = (struct op_plan){ .tag = tag, .context = context, .input = b->at.shape, .next = NO_OP };
    if (b->at.from_op) {
        b->sub.ops.items[b->at.from].next = (uint16_t)number;
    } else {
        b->sub.inputs.items[b->at.from].op = (uint16_t)number;
    }
    b->at.from_op = true;
    b->at.from = number;
    return op;
}

const operand *physical_operands(struct physical_builder *b, uint32_t first, uint32_t count)
{
    operand *at = arena_array(b->arena, operand, count);

    for (uint32_t i = 0; i < count; i++) {
        at[i] = b->at.shape->columns[first + i].at;
    }
    return at;
}

struct row_codec physical_codec(struct physical_builder *b, const struct shape_column *columns,
                                uint32_t count)
{
    const struct sql_type **types = arena_array(b->arena, const struct sql_type *, count);
    struct row_codec codec;

    for (uint32_t i = 0; i < count; i++) {
        types[i] = columns[i].type;
    }
    row_codec_init(&codec, b->arena, types, count, b->next_shape_id++);
    return codec;
}

const struct row_shape *physical_cells(struct physical_builder *b,
                                       const struct shape_column *columns, uint32_t count,
                                       uint32_t key_count)
{
    struct shape_column *cells = arena_array(b->arena, struct shape_column, count);
    struct row_shape *shape = arena_new(b->arena, struct row_shape);

    for (uint32_t i = 0; i < count; i++) {
        cells[i] = columns[i];
        cells[i].at = operand_make(BANK_CELLS, i);
    }
    *shape = (struct row_shape){
        .columns = cells,
        .column_count = count,
        .key_count = key_count,
        .cell_count = count,
    };
    return shape;
}

struct key_plan physical_key(struct physical_builder *b, const struct side_format *wanted)
{
    uint32_t count = b->at.shape->key_count;
    struct column *columns = arena_array(b->arena, struct column, count);

    for (uint32_t i = 0; i < count; i++) {
        columns[i].name = b->at.shape->columns[i].name;
        columns[i].type = b->at.shape->columns[i].type;
        columns[i].role = COLUMN_KEY;
    }
    return (struct key_plan){ internal_key_format(wanted, columns, count), columns,
                              physical_operands(b, 0, count), count };
}

uint32_t physical_add_store(struct physical_builder *b, struct bytes name,
                            const struct row_shape *shape)
{
    struct physical_plan *plan = b->plan;
    struct store_plan *store = vec_push(b->arena, &b->stores);

    store->name = name;
    store->changelog = plan->kind == QUERY_PERSISTENT
                           ? name_changelog(b->arena, plan->application_id, store->name)
                           : (struct bytes){ NULL, 0 };
    store->codec = physical_codec(b, shape->columns, shape->column_count);
    store->shape = shape;
    *vec_push(b->arena, &b->sub.stores) = b->stores.count - 1;
    return b->stores.count - 1;
}

/* The result is asked by the keys of this store; rows go on behind the operators so far. */
static void answer_pulls(struct physical_builder *b, uint32_t store, const struct key_plan *key)
{
    if (b->plan->kind == QUERY_PERSISTENT) {
        b->pull =
            (struct pull_plan){ true, b->sub.number, store, *key, (uint16_t)b->sub.ops.count };
    }
}

/* --- expressions that the query evaluates over its source --- */

void physical_walk(const struct analysis *a, bool (*visit)(void *context, const struct expr *node),
                   void *context)
{
    if (a->where) {
        (void)expr_walk(a->where, visit, context); /* the visitors here never stop */
    }
    for (uint32_t i = 0; !a->grouped && i < a->columns.count; i++) {
        (void)expr_walk(a->columns.items[i].value, visit, context);
    }
    for (uint32_t i = 0; i < a->groups.count; i++) {
        (void)expr_walk(a->groups.items[i].value, visit, context);
    }
    for (uint32_t i = 0; i < a->calls.count; i++) {
        for (uint32_t j = 0; j < a->calls.items[i].plan->argument_count; j++) {
            (void)expr_walk(a->calls.items[i].arguments[j], visit, context);
        }
    }
}

bool physical_note_column(void *context, const struct expr *node)
{
    if (node->kind == EXPR_COLUMN) {
        ((bool *)context)[node->column.index] = true;
    }
    return true;
}

const bool *physical_wanted_columns(struct physical_builder *b)
{
    const struct schema *schema = &b->a->source->schema;
    bool *wanted = arena_array(b->arena, bool, schema->column_count);

    physical_walk(b->a, physical_note_column, wanted);
    for (uint32_t i = 0; physical_keeps_table(b->a) && i < schema->key_count; i++) {
        wanted[i] = true; /* the store's key */
    }
    return wanted;
}

static bool note_pseudo(void *context, const struct expr *node)
{
    if (node->kind == EXPR_PSEUDO) {
        ((uint32_t *)context)[node->pseudo] = 1;
    }
    return true;
}

static const struct expr *replace_kept(void *context, const struct expr *node)
{
    struct physical_builder *b = context;

    if (node->kind == EXPR_COLUMN && b->at.columns) {
        assert(b->at.columns[node->column.index]); /* what is used is carried along */
        return b->at.columns[node->column.index];
    }
    if (node->kind == EXPR_PSEUDO && b->pseudo_at[node->pseudo] > 0) {
        return expr_column(b->arena, 0, b->pseudo_at[node->pseudo],
                           bytes_of(pseudo_column_name(node->pseudo)), node->type, node->at);
    }
    return NULL;
}

const struct expr *physical_move(struct physical_builder *b, const struct expr *e)
{
    return expr_rewrite(b->arena, e, replace_kept, b);
}

/* --- tables --- */

bool physical_keeps_table(const struct analysis *a)
{
    return a->source->kind == SOURCE_TABLE &&
           (a->where || a->grouped || a->kind == QUERY_PERSISTENT);
}

/* The source's columns and, behind them, the pseudo columns that are used. */
static const struct row_shape *kept_shape(struct physical_builder *b)
{
    const struct row_shape *in = b->at.shape;
    VEC(struct shape_column) columns = { 0 };

    for (uint32_t i = 0; i < in->column_count; i++) {
        *vec_push(b->arena, &columns) = in->columns[i];
    }
    physical_walk(b->a, note_pseudo, b->pseudo_at);
    for (uint32_t p = PSEUDO_ROWTIME; p <= PSEUDO_WINDOWEND; p++) {
        enum pseudo_column pseudo = (enum pseudo_column)p;

        if (b->pseudo_at[p] > 0) {
            b->pseudo_at[p] = columns.count;
            *vec_push(b->arena, &columns) = (struct shape_column){
                .name = bytes_of(pseudo_column_name(pseudo)),
                .type = pseudo_column_type(pseudo),
                .role = COLUMN_VALUE,
            };
        }
    }
    return physical_cells(b, columns.items, columns.count, in->key_count);
}

void physical_add_table(struct physical_builder *b, const struct logical_node *node)
{
    struct key_plan key = physical_key(b, &node->source->key_format);
    const struct row_shape *shape = kept_shape(b);
    uint32_t store = physical_add_store(b, bytes_of("KsqlTopic-Reduce"), shape);
    struct op_plan *op = physical_add_op(b, PLAN_TABLE, node->context);

    op->output = shape;
    op->table = (struct table_plan){ .store = store, .key = key };
    b->at.shape = shape;
    if (!b->a->grouped) {
        answer_pulls(b, store, &key);
    }
}

void physical_add_keep(struct physical_builder *b, const struct logical_node *node)
{
    const struct relation *relation = b->a->relation;
    const struct side_format *format = &relation->joins.items[relation->joins.count - 1].key_format;
    struct key_plan key = physical_key(b, format);
    const struct row_shape *shape =
        physical_cells(b, b->at.shape->columns, b->at.shape->column_count, b->at.shape->key_count);
    uint32_t store = physical_add_store(b, node->keeps, shape);
    struct op_plan *op = physical_add_op(b, PLAN_TABLE, node->context);

    op->output = shape;
    op->table = (struct table_plan){ .store = store, .key = key };
    b->at.shape = shape;
    answer_pulls(b, store, &key);
}

/* --- aggregates --- */

static uint32_t find_argument(const struct physical_builder *b, const struct logical_node *prepare,
                              const struct expr *argument)
{
    uint32_t at = 0;

    while (at + 1 < prepare->select.count &&
           !expr_equal(prepare->select.columns[at].value, argument)) {
        at++;
    }
    return at;
}

static const struct logical_node *prepare_of(const struct logical_node *node)
{
    while (node->tag != LOGICAL_SELECT) {
        node = node->input;
    }
    return node;
}

static const struct aggregate_call *make_calls(struct physical_builder *b,
                                               const struct logical_node *node)
{
    const struct analysis *a = b->a;
    const struct logical_node *prepare = prepare_of(node);
    struct aggregate_call *calls = arena_array(b->arena, struct aggregate_call, a->calls.count);

    for (uint32_t i = 0; i < a->calls.count; i++) {
        const struct call_analysis *call = &a->calls.items[i];
        operand *arguments = arena_array(b->arena, operand, call->plan->argument_count);

        for (uint32_t j = 0; j < call->plan->argument_count; j++) {
            arguments[j] = b->at.shape->columns[find_argument(b, prepare, call->arguments[j])].at;
        }
        calls[i] = (struct aggregate_call){ *call->plan, arguments };
    }
    return calls;
}

/* Group columns, then the accumulators of each call. */
static const struct row_shape *image_shape(struct physical_builder *b)
{
    const struct analysis *a = b->a;
    VEC(struct shape_column) columns = { 0 };

    for (uint32_t i = 0; i < a->groups.count; i++) {
        *vec_push(b->arena, &columns) = b->at.shape->columns[i];
    }
    for (uint32_t i = 0; i < a->calls.count; i++) {
        const struct aggregate_plan *call = a->calls.items[i].plan;

        for (uint32_t j = 0; j < call->accumulator_count; j++) {
            *vec_push(b->arena, &columns) = (struct shape_column){
                .name = arena_printf(b->arena, "%.*s_%u", BYTES_ARG(a->calls.items[i].name), j),
                .type = call->accumulator_types[j],
                .role = COLUMN_VALUE,
            };
        }
    }
    return physical_cells(b, columns.items, columns.count, a->groups.count);
}

static const struct row_shape *result_shape(struct physical_builder *b, const struct schema *schema)
{
    struct row_shape *shape = arena_new(b->arena, struct row_shape);

    row_shape_of_schema(b->arena, schema, shape);
    return shape;
}

void physical_add_aggregate(struct physical_builder *b, const struct logical_node *node)
{
    struct key_plan key = physical_key(b, &b->a->source->key_format);
    uint32_t store =
        physical_add_store(b, bytes_of("Aggregate-Aggregate-Materialize"), image_shape(b));
    struct op_plan *op = physical_add_op(b, PLAN_AGGREGATE, node->context);

    op->output = result_shape(b, &node->schema);
    op->aggregate = (struct aggregate_op_plan){
        .store = store,
        .over_table = b->a->source->kind == SOURCE_TABLE,
        .key_bytes_given = b->at.key_bytes_given,
        .key = key,
        .group = physical_operands(b, 0, b->a->groups.count),
        .group_count = b->a->groups.count,
        .calls = make_calls(b, node),
        .call_count = b->a->calls.count,
    };
    b->at.shape = op->output;
    for (uint32_t p = 0; p <= PSEUDO_WINDOWEND; p++) {
        b->pseudo_at[p] = 0; /* those were of the source's rows */
    }
    answer_pulls(b, store, &key);
}

const char *physical_calls_text(struct physical_builder *b)
{
    const struct analysis *a = b->a;
    struct buffer text = { 0 };
    const char *copy;

    for (uint32_t i = 0; i < a->calls.count; i++) {
        const struct call_analysis *call = &a->calls.items[i];

        buffer_printf(&text, "%s%s(", i > 0 ? ", " : "", call->plan->kind->name);
        for (uint32_t j = 0; j < call->plan->argument_count; j++) {
            buffer_printf(&text, "%s%s", j > 0 ? ", " : "",
                          plan_text_of(b->arena, call->arguments[j]));
        }
        buffer_append_text(&text, call->plan->argument_count > 0 ? ")" : "*)");
    }
    copy = arena_copy_text(b->arena, buffer_bytes(&text));
    buffer_fini(&text);
    return copy;
}
