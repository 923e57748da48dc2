/*
 * logical.c: the steps of a query in SQL's order, with the contexts and the count of
 * Kafka Streams, by which internal topics are named (queries.md 10.2):
 *
 *   KsqlTopic  WhereFilter  PartitionBy  Project  sink
 *   KsqlTopic  WhereFilter  PartitionBy  Aggregate-Prepare  -GroupBy  -Aggregate  -HavingFilter
 * -Project  sink
 *
 * A grouped query's Prepare gives the group columns, then every distinct argument.
 */
#include "engine/plan/plan_internal.h"

struct builder {
    const struct analysis *a;
    struct arena *arena;
    const struct logical_node *last;
    uint32_t next_number;
};

static struct logical_node *add(struct builder *b, enum logical_tag tag, const char *context,
                                uint32_t numbers)
{
    struct logical_node *node = arena_new(b->arena, struct logical_node);

    node->tag = tag;
    node->context = bytes_of(context);
    node->input = b->last;
    node->number = b->next_number;
    node->number_count = numbers;
    if (b->last) {
        node->is_table = b->last->is_table;
        node->schema = b->last->schema;
    }
    b->next_number += numbers;
    b->last = node;
    return node;
}

static void add_source(struct builder *b)
{
    const struct source *source = b->a->source;
    bool is_table = source->kind == SOURCE_TABLE;
    struct logical_node *node = add(b, LOGICAL_SOURCE, "KsqlTopic", is_table ? 5 : 2);

    node->is_table = is_table;
    node->schema = source->schema;
    node->source = source;
}

static void add_filter(struct builder *b, const char *context, const struct expr *condition)
{
    if (condition) {
        struct logical_node *node = add(b, LOGICAL_FILTER, context, b->last->is_table ? 3 : 1);

        node->condition = condition;
    }
}

typedef VEC(struct logical_column) column_list;

static void add_select(struct builder *b, const char *context, const column_list *columns,
                       bool rekeys)
{
    struct logical_node *node = add(b, LOGICAL_SELECT, context, 1);
    struct column *out = arena_array(b->arena, struct column, columns->count);
    uint32_t keys = 0;

    for (uint32_t i = 0; i < columns->count; i++) {
        const struct logical_column *column = &columns->items[i];

        out[i].name = column->name;
        out[i].type = column->value->type;
        out[i].role = column->role;
        keys += column->role == COLUMN_KEY;
    }
    node->select.columns = columns->items;
    node->select.count = columns->count;
    node->select.rekeys = rekeys;
    node->schema = (struct schema){ out, columns->count, keys };
}

static const char *what_of(struct builder *b, const struct expr *value, struct bytes name,
                           uint32_t index)
{
    return arena_printf(b->arena, "Error computing expression %s for column %.*s with index %u",
                        plan_text_of(b->arena, value), BYTES_ARG(name), index)
        .data;
}

/* --- PARTITION BY --- */

static void push_column(struct builder *b, struct column *columns, uint32_t *count, uint32_t index)
{
    const struct analysis *a = b->a;

    for (uint32_t i = 0; i < a->partitions.count; i++) {
        if (expr_is_column(a->partitions.items[i].value, index)) {
            return;
        }
    }
    columns[*count] = a->source->schema.columns[index];
    columns[(*count)++].role = COLUMN_VALUE;
}

/* The key is another from here on; the projection computes it, or a group does without it. */
static void add_partition_by(struct builder *b)
{
    const struct analysis *a = b->a;
    const struct schema *schema = &a->source->schema;
    uint32_t keys = a->partitions.count;
    struct column *columns = arena_array(b->arena, struct column, keys + schema->column_count);
    uint32_t count = keys;
    struct logical_node *node;

    if (!a->partitioned) {
        return;
    }
    for (uint32_t i = 0; i < keys; i++) {
        columns[i].name = a->partitions.items[i].name;
        columns[i].type = a->partitions.items[i].value->type;
        columns[i].role = COLUMN_KEY;
    }
    for (uint32_t i = 0; i < schema->column_count; i++) {
        push_column(b, columns, &count, (i + schema->key_count) % schema->column_count);
    }
    node = add(b, LOGICAL_PARTITION_BY, "PartitionBy", 1);
    node->schema = (struct schema){ columns, count, keys };
}

static bool is_of_key(void *context, const struct expr *node)
{
    const uint32_t *key_count = context;

    return node->kind != EXPR_PSEUDO &&
           (node->kind != EXPR_COLUMN || node->column.index < *key_count);
}

/* A row without a value has those new key columns that are made of the old key alone. */
static void rekey_column(struct builder *b, struct logical_column *column)
{
    uint32_t key_count = b->a->source->schema.key_count;
    const char *text = plan_text_of(b->arena, column->value);

    column->what = arena_printf(b->arena, "Error computing new key from expression %s", text).data;
    column->needs_row_value = !expr_walk(column->value, is_of_key, &key_count);
}

static void add_projection(struct builder *b)
{
    const struct analysis *a = b->a;
    bool rekeys = a->partitioned && !a->grouped;
    column_list columns = { 0 };

    for (uint32_t i = 0; i < a->columns.count; i++) {
        const struct select_column *column = &a->columns.items[i];

        *vec_push(b->arena, &columns) = (struct logical_column){
            .name = column->name,
            .value = column->value,
            .role = i < a->key_count ? COLUMN_KEY : COLUMN_VALUE,
            .what = what_of(b, column->value, column->name, i),
        };
        if (rekeys && i < a->key_count) {
            rekey_column(b, &columns.items[i]);
        }
    }
    add_select(b, a->grouped ? "Aggregate-Project" : "Project", &columns, rekeys);
}

/* --- grouping --- */

static bool has_value(const column_list *columns, const struct expr *value)
{
    for (uint32_t i = 0; i < columns->count; i++) {
        if (expr_equal(columns->items[i].value, value)) {
            return true;
        }
    }
    return false;
}

static void add_argument(struct builder *b, column_list *columns, const struct expr *value)
{
    struct bytes name;
    const char *what;

    if (has_value(columns, value)) {
        return;
    }
    name = arena_printf(b->arena, "KSQL_INTERNAL_COL_%u", columns->count);
    what = what_of(b, value, name, columns->count);
    *vec_push(b->arena, columns) =
        (struct logical_column){ .name = name, .value = value, .role = COLUMN_VALUE, .what = what };
}

static void add_prepare(struct builder *b)
{
    const struct analysis *a = b->a;
    column_list columns = { 0 };

    for (uint32_t i = 0; i < a->groups.count; i++) {
        *vec_push(b->arena, &columns) = (struct logical_column){
            .name = a->groups.items[i].name,
            .value = a->groups.items[i].value,
            .role = COLUMN_KEY,
            .what = arena_printf(b->arena,
                                 "Error calculating group-by column with index %u. "
                                 "The source row will be excluded from the table.",
                                 i)
                        .data,
        };
    }
    for (uint32_t i = 0; i < a->calls.count; i++) {
        for (uint32_t j = 0; j < a->calls.items[i].plan->argument_count; j++) {
            add_argument(b, &columns, a->calls.items[i].arguments[j]);
        }
    }
    add_select(b, "Aggregate-Prepare", &columns, false);
}

static void add_aggregate(struct builder *b)
{
    const struct analysis *a = b->a;
    bool from_table = a->source->kind == SOURCE_TABLE;
    bool marked = !from_table && (a->partitioned || !a->group_is_key);
    uint32_t count = a->groups.count + a->calls.count;
    struct column *columns = arena_array(b->arena, struct column, count);
    struct logical_node *node;

    node = add(b, LOGICAL_GROUP_BY, "Aggregate-GroupBy", a->group_is_key ? 0 : 2);
    node->repartition = from_table || marked;
    for (uint32_t i = 0; i < a->groups.count; i++) {
        columns[i] = (struct column){
            a->groups.items[i].name, a->groups.items[i].value->type, COLUMN_KEY, { NULL, 0 }
        };
    }
    for (uint32_t i = 0; i < a->calls.count; i++) {
        columns[a->groups.count + i] = (struct column){
            a->calls.items[i].name, a->calls.items[i].plan->result_type, COLUMN_VALUE, { NULL, 0 }
        };
    }
    node = add(b, LOGICAL_AGGREGATE, "Aggregate-Aggregate", from_table ? 4u : marked ? 5u : 2u);
    node->is_table = true;
    node->schema = (struct schema){ columns, count, a->groups.count };
}

static void add_end(struct builder *b, const struct source *sink)
{
    if (sink) {
        struct logical_node *node = add(b, LOGICAL_SINK, "", b->last->is_table ? 2 : 1);

        node->context = sink->name;
        node->source = sink;
    } else {
        (void)add(b, LOGICAL_CLIENT, "Client", 0);
    }
}

const struct logical_node *logical_build(const struct analysis *a, struct arena *arena,
                                         const struct source *sink)
{
    struct builder b = { .a = a, .arena = arena };

    add_source(&b);
    add_filter(&b, "WhereFilter", a->where);
    add_partition_by(&b);
    if (a->grouped) {
        add_prepare(&b);
        add_aggregate(&b);
        add_filter(&b, "Aggregate-HavingFilter", a->having);
    }
    add_projection(&b);
    add_end(&b, sink);
    return b.last;
}
