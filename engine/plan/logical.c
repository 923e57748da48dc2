/*
 * logical.c: the steps of a query in SQL's order, with the contexts and the count of
 * Kafka Streams, by which internal topics are named (queries.md 10.2):
 *
 *   KsqlTopic  WhereFilter  PartitionBy  Project  sink
 *   KsqlTopic  WhereFilter  PartitionBy  Aggregate-Prepare  -GroupBy  -Aggregate  -HavingFilter
 * -Project  sink
 *
 * A grouped query's Prepare gives the group columns, then every distinct argument. Joins stand in
 * front of the filter; p is L_ once per level down the left:
 *
 *   KafkaTopic_pLeft  [pLeftSourceKeyed]  PrependAliaspLeft
 *   KafkaTopic_pRight [pRightSourceKeyed] PrependAliaspRight  pJoin
 */
#include "engine/plan/plan_internal.h"

struct builder {
    const struct analysis *a;
    struct arena *arena;
    const struct logical_node *last;
    uint32_t next_number;
    const struct logical_node **rights; /* of each join; NULL: not built yet */
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

/* --- joins --- */

/* "KafkaTopic_" "L_L_" "Left" */
static const char *join_context(struct builder *b, const char *head, uint32_t join,
                                const char *tail)
{
    struct buffer text = { 0 };
    const char *copy;

    buffer_append_text(&text, head);
    for (uint32_t level = join + 1; level < b->a->relation->joins.count; level++) {
        buffer_append_text(&text, "L_");
    }
    buffer_append_text(&text, tail);
    copy = arena_copy_text(b->arena, buffer_bytes(&text));
    buffer_fini(&text);
    return copy;
}

/* The first so many sources side by side, under the key of that name. */
static struct schema joined_schema(struct builder *b, uint32_t sources, struct bytes key_name,
                                   const struct sql_type *key_type)
{
    const struct relation *relation = b->a->relation;
    uint32_t most = relation->columns.count;
    struct column *columns = arena_array(b->arena, struct column, most);
    uint32_t filled = 1;

    columns[0] = (struct column){ .name = key_name, .type = key_type, .role = COLUMN_KEY };
    for (uint32_t i = RELATION_KEY + 1; i < most; i++) {
        const struct relation_column *column = &relation->columns.items[i];

        if (column->source < sources && column->pseudo == PSEUDO_NONE &&
            !bytes_equal(column->name, key_name)) {
            columns[filled++] =
                (struct column){ .name = column->name, .type = column->type, .role = COLUMN_VALUE };
        }
    }
    return (struct schema){ columns, filled, 1 };
}

/* What a rekeyed stream is keyed by. */
static void set_new_key(struct builder *b, struct logical_node *node, uint32_t sources)
{
    const struct expr *key = node->join->left;
    struct bytes name = key->kind == EXPR_COLUMN ? key->column.name
                                                 : b->a->relation->columns.items[RELATION_KEY].name;

    node->key = key;
    node->schema = joined_schema(b, sources, name, key->type);
}

static struct logical_node *add_joined_source(struct builder *b, uint32_t number, uint32_t join,
                                              const char *side)
{
    const struct relation_source *from = &b->a->relation->sources.items[number];
    bool is_table = from->source->kind == SOURCE_TABLE;
    struct logical_node *node;

    b->last = NULL;
    node = add(b, LOGICAL_SOURCE, join_context(b, "KafkaTopic_", join, side), is_table ? 5 : 2);
    node->is_table = is_table;
    node->schema = from->source->schema;
    node->source = from->source;
    node->source_number = number;
    return node;
}

/* A table whose records lie by keys of another format goes through a topic of its own. */
static void add_side(struct builder *b, uint32_t number, uint32_t join, const char *side)
{
    const struct join_analysis *analysis = &b->a->relation->joins.items[join];
    struct logical_node *node = add_joined_source(b, number, join, side);
    bool is_table = node->is_table;
    bool is_left = number == 0;
    const struct source *source = node->source;

    if (is_table && side_format_equal(&source->key_format, &analysis->key_format)) {
        node->keeps = arena_printf(b->arena, "%.*s-Reduce", BYTES_ARG(node->context));
    } else if (is_table || (is_left && analysis->rekeys_left)) {
        const char *tail = is_left ? "LeftSourceKeyed" : "RightSourceKeyed";

        node = add(b, LOGICAL_REKEY, join_context(b, "", join, tail), is_table ? 6 : 1);
        node->join = analysis;
        node->join_number = join;
        if (!is_table) {
            set_new_key(b, node, 1);
        }
        node->through = is_table
                            ? arena_printf(b->arena, "%.*s-SelectKey", BYTES_ARG(node->context))
                            : bytes_of(join_context(b, "", join, "Join"));
        node->keeps = is_table
                          ? arena_printf(b->arena, "%.*s-Materialize", BYTES_ARG(node->context))
                          : (struct bytes){ NULL, 0 };
    }
    b->next_number++; /* PrependAlias: names only */
}

static void add_right(struct builder *b, uint32_t join)
{
    add_side(b, join + 1, join, "Right");
    b->rights[join] = b->last;
}

static void add_join(struct builder *b, uint32_t join, const struct logical_node *left)
{
    const struct join_analysis *analysis = &b->a->relation->joins.items[join];
    struct logical_node *node;

    b->last = left;
    if (join > 0 && analysis->rekeys_left) {
        node = add(b, LOGICAL_REKEY, join_context(b, "", join, "LeftSourceKeyed"), 1);
        node->join = analysis;
        node->join_number = join;
        set_new_key(b, node, join + 1);
        node->through = bytes_of(join_context(b, "", join, "Join"));
    }
    if (!b->last->is_table && analysis->rekeys_left) {
        b->next_number += 3; /* the repartition topic of a marked stream */
    }
    node = add(b, LOGICAL_JOIN, join_context(b, "", join, "Join"), b->last->is_table ? 3 : 1);
    node->right = b->rights[join];
    node->join = analysis;
    node->join_number = join;
    node->schema =
        joined_schema(b, join + 2,
                      analysis->key_name.data ? analysis->key_name
                                              : b->a->relation->columns.items[RELATION_KEY].name,
                      analysis->left->type);
}

/* Kafka Streams counts left before right, but the table of a stream before the stream. */
static void add_joins(struct builder *b)
{
    const struct relation *relation = b->a->relation;
    uint32_t count = relation->joins.count;
    bool from_stream = b->a->source->kind == SOURCE_STREAM;

    b->rights = arena_array(b->arena, const struct logical_node *, count);
    for (uint32_t join = count; from_stream && join-- > 0;) {
        if (relation->sources.items[join + 1].source->kind == SOURCE_TABLE) {
            add_right(b, join);
        }
    }
    add_side(b, 0, 0, "Left");
    for (uint32_t join = 0; join < count; join++) {
        const struct logical_node *left = b->last;

        if (!b->rights[join]) {
            add_right(b, join);
        }
        add_join(b, join, left);
    }
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

static void push_column(struct builder *b, const struct schema *schema, uint32_t index,
                        struct column *columns, uint32_t *count)
{
    const struct analysis *a = b->a;

    if (a->relation && index == RELATION_KEY && !a->relation->has_synthetic_key) {
        return; /* it is among the sources' */
    }
    for (uint32_t i = 0; i < a->partitions.count; i++) {
        if (expr_is_column(a->partitions.items[i].value, index)) {
            return;
        }
    }
    columns[*count] = schema->columns[index];
    columns[(*count)++].role = COLUMN_VALUE;
}

/* The key is another from here on; the projection computes it, or a group does without it. */
static void add_partition_by(struct builder *b)
{
    const struct analysis *a = b->a;
    const struct schema *schema = a->relation ? relation_schema(a->relation) : &a->source->schema;
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
        push_column(b, schema, (i + schema->key_count) % schema->column_count, columns, &count);
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
    /* What comes out of a join has a value. */
    column->needs_row_value = !b->a->relation && !expr_walk(column->value, is_of_key, &key_count);
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

    if (a->relation) {
        add_joins(&b);
    } else {
        add_source(&b);
    }
    add_filter(&b, "WhereFilter", a->where);
    add_partition_by(&b);
    if (a->grouped) {
        add_prepare(&b);
        add_aggregate(&b);
        add_filter(&b, "Aggregate-HavingFilter", a->having);
    }
    add_projection(&b);
    if (a->relation && sink && !a->grouped && b.last->is_table) {
        add(&b, LOGICAL_KEEP, "Project", 0)->keeps = bytes_of("Project-Last");
    }
    add_end(&b, sink);
    return b.last;
}
