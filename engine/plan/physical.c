/*
 * physical.c: logical steps -> sub-topologies of operators, stores and topics.
 *
 * Stateless steps are folded into one program per stage, which ends in front of a
 * stateful operator or an end; columns keep lying where the decoder or the store put
 * them, and what a step only renames or reorders costs nothing. A stage that neither filters
 * nor computes is left out.
 *
 * A table's rows are remembered (KsqlTopic-Reduce) only where old images or pull queries
 * ask for them; the pseudo columns that its expressions use are remembered with them.
 *
 * Grouping cuts the sub-topology at a repartition topic, unless rows lie by the group's key.
 */
#include <assert.h>

#include "engine/plan/physical_internal.h"

/* --- steps for EXPLAIN --- */

static void add_step(struct physical_builder *b, const char *name, const struct logical_node *node,
                     struct bytes detail)
{
    *vec_push(b->arena, &b->steps) = (struct plan_step){
        name, node->context, node->schema, node->is_table, b->subs.count, detail,
    };
}

/* --- sub-topologies --- */

static void begin_sub(struct physical_builder *b, const struct input_plan *input)
{
    b->inputs = (input_list){ 0 };
    b->ops = (op_list){ 0 };
    b->sub_stores = (index_list){ 0 };
    *vec_push(b->arena, &b->inputs) = *input;
    b->shape = input->shape;
}

/* Whether the operator reads the old images of what it gets. */
static bool wants_old(const struct op_plan *op)
{
    switch (op->tag) {
    case PLAN_STAGE:
        return op->needs_old || (op->stage.over_table && program_has_filter(op->stage.program));
    case PLAN_AGGREGATE:
        return op->aggregate.over_table;
    case PLAN_TOPIC:
        return op->topic.role == TOPIC_REPARTITION && op->topic.is_table;
    case PLAN_TABLE:
    case PLAN_CLIENT:
        return false;
    }
    return false;
}

/* Closes the chain: each operator leads to the next; needs_old is passed back from the end. */
static void end_sub(struct physical_builder *b)
{
    struct sub_plan *sub = vec_push(b->arena, &b->subs);

    for (uint32_t i = b->ops.count; i-- > 0;) {
        struct op_plan *op = &b->ops.items[i];
        bool is_last = i + 1 == b->ops.count;

        op->next = is_last ? (uint16_t)NO_OP : (uint16_t)(i + 1);
        op->needs_old = !is_last && wants_old(op + 1);
    }
    *sub = (struct sub_plan){
        .inputs = b->inputs.items,
        .input_count = b->inputs.count,
        .ops = b->ops.items,
        .op_count = b->ops.count,
        .stores = b->sub_stores.items,
        .store_count = b->sub_stores.count,
        .root_topic = b->inputs.items[0].topic,
    };
}

/* --- stages --- */

static struct program_builder *open_stage(struct physical_builder *b)
{
    if (!b->program) {
        b->program = program_begin(b->arena, b->shape, NULL);
    }
    return b->program;
}

static bool uses_constants(const struct row_shape *shape)
{
    for (uint32_t i = 0; i < shape->column_count; i++) {
        if (shape->columns[i].at >> OPERAND_BANK_SHIFT == BANK_CONSTANTS) {
            return true;
        }
    }
    return false;
}

static bool is_register(operand at)
{
    return at >> OPERAND_BANK_SHIFT == BANK_REGISTERS;
}

/* Cells of a row without a value are null as they are; what was computed is not. */
static void plan_rekeying(struct physical_builder *b, const struct logical_node *node,
                          const struct shape_column *columns, struct stage_plan *stage)
{
    operand *nulled = arena_array(b->arena, operand, node->schema.key_count);

    stage->rekeys = node->select.rekeys;
    for (uint32_t i = 0; i < node->schema.key_count; i++) {
        if (node->select.columns[i].needs_row_value && is_register(columns[i].at)) {
            nulled[stage->nulled_count++] = columns[i].at;
        }
    }
    stage->nulled = nulled;
}

/* Ends the open stage, whose rows leave with the columns of the select. */
static void close_stage(struct physical_builder *b, const struct logical_node *node,
                        const struct shape_column *columns, uint32_t count)
{
    const struct program *program = program_finish(b->program);
    struct row_shape *shape = arena_new(b->arena, struct row_shape);

    assert(b->shape); /* every chain begins with an input */
    *shape = (struct row_shape){
        .columns = columns,
        .column_count = count,
        .key_count = node->schema.key_count,
        .cell_count = b->shape->cell_count,
        .register_count = program_register_count(program),
        .constants = program_constants(program),
    };
    if (!program_is_empty(program) || uses_constants(shape) || node->select.rekeys) {
        struct op_plan *op = physical_add_op(b, PLAN_STAGE, node->context);

        op->output = shape;
        op->stage = (struct stage_plan){ .program = program, .over_table = node->is_table };
        plan_rekeying(b, node, columns, &op->stage);
    }
    b->program = NULL;
    b->shape = shape;
}

static int add_filter(struct physical_builder *b, const struct logical_node *node,
                      struct error *err)
{
    const char *text = plan_text_of(b->arena, node->condition);
    const char *what = arena_printf(b->arena, "Error evaluating predicate %s", text).data;
    const struct expr *condition = physical_move(b, node->condition);

    TRY(program_add_filter(open_stage(b), condition, what, err));
    add_step(b, "FILTER", node, arena_printf(b->arena, "Condition: %s", text));
    return 0;
}

/* "K, (A + 1) AS A1" */
static struct bytes select_detail(struct physical_builder *b, const struct logical_node *node)
{
    struct buffer text = { 0 };
    struct bytes copy;

    buffer_append_text(&text, "Columns: ");
    for (uint32_t i = 0; i < node->select.count; i++) {
        const struct logical_column *column = &node->select.columns[i];

        buffer_append_text(&text, i > 0 ? ", " : "");
        expr_print(column->value, &text);
        if (column->value->kind != EXPR_COLUMN ||
            !bytes_equal(column->value->column.name, column->name)) {
            buffer_append_text(&text, " AS ");
            name_print(column->name, &text);
        }
    }
    copy = arena_copy(b->arena, buffer_bytes(&text));
    buffer_fini(&text);
    return copy;
}

static int add_select(struct physical_builder *b, const struct logical_node *node,
                      struct error *err)
{
    uint32_t count = node->select.count;
    struct shape_column *columns = arena_array(b->arena, struct shape_column, count);
    struct program_builder *program = open_stage(b);

    for (uint32_t i = 0; i < count; i++) {
        const struct logical_column *column = &node->select.columns[i];

        columns[i].name = column->name;
        columns[i].type = column->value->type;
        columns[i].role = column->role;
        TRY(program_add_value(program, physical_move(b, column->value), column->what,
                              &columns[i].at, err));
    }
    close_stage(b, node, columns, count);
    add_step(b, "PROJECT", node, select_detail(b, node));
    return 0;
}

/* Nothing happens to the rows yet: the projection makes the key. */
static void add_partition_by(struct physical_builder *b, const struct logical_node *node)
{
    struct buffer text = { 0 };

    buffer_append_text(&text, b->a->partitions.count > 0 ? "Key: " : "Key: none");
    for (uint32_t i = 0; i < b->a->partitions.count; i++) {
        buffer_append_text(&text, i > 0 ? ", " : "");
        expr_print(b->a->partitions.items[i].value, &text);
    }
    add_step(b, "PARTITION_BY", node, arena_copy(b->arena, buffer_bytes(&text)));
    buffer_fini(&text);
}

/* --- sources --- */

static struct bytes source_detail(struct physical_builder *b, const struct source *source,
                                  bool kept)
{
    return arena_printf(b->arena, "Topic: %.*s | Formats: %s, %s%s", BYTES_ARG(source->topic),
                        source->key_format.kind->name, source->value_format.kind->name,
                        kept ? " | Store: KsqlTopic-Reduce" : "");
}

static int add_source(struct physical_builder *b, const struct logical_node *node)
{
    const struct source *source = node->source;
    struct row_shape *shape = arena_new(b->arena, struct row_shape);
    bool kept = physical_keeps_table(b->a);
    struct input_plan input = {
        .topic = source->topic,
        .source = source,
        .is_table = source->kind == SOURCE_TABLE,
        .shape = shape,
        .wanted = physical_wanted_columns(b),
    };

    row_shape_of_schema(b->arena, &source->schema, shape);
    begin_sub(b, &input);
    if (kept) {
        physical_add_table(b, node);
    }
    add_step(b, "SOURCE", node, source_detail(b, source, kept));
    return 0;
}

/* --- grouping --- */

static uint32_t add_output(struct physical_builder *b, enum topic_role role, struct bytes topic,
                           uint32_t partitions)
{
    *vec_push(b->arena, &b->outputs) = (struct output_plan){ topic, role, partitions };
    return b->outputs.count - 1;
}

/* Ends the sub-topology at a repartition topic and begins the one that reads it. */
static void add_repartition(struct physical_builder *b, const struct logical_node *node)
{
    struct bytes topic = name_repartition(b->arena, b->plan->application_id, node->context);
    uint32_t output = add_output(b, TOPIC_REPARTITION, topic, b->a->source->partition_count);
    struct op_plan *op = physical_add_op(b, PLAN_TOPIC, node->context);
    struct row_codec codec = physical_codec(b, b->shape->columns, b->shape->column_count);
    struct input_plan input = {
        .topic = topic,
        .output = output,
        .codec = codec,
        .is_table = node->is_table,
        .from_earliest = true,
        .shape = physical_cells(b, b->shape->columns, b->shape->column_count, b->shape->key_count),
    };

    op->topic = (struct topic_plan){
        .role = TOPIC_REPARTITION,
        .output = output,
        .key = physical_key(b, &b->a->source->key_format),
        .is_table = node->is_table,
        .drop_null_key = true,
        .codec = codec,
        .columns = physical_operands(b, 0, b->shape->column_count),
    };
    add_step(b, "GROUP_BY", node,
             arena_printf(b->arena, "Topic: %.*s | Key format: %s", BYTES_ARG(topic),
                          op->topic.key.format.kind->name));
    end_sub(b);
    begin_sub(b, &input);
}

static void add_group_by(struct physical_builder *b, const struct logical_node *node)
{
    if (node->repartition) {
        add_repartition(b, node);
    } else {
        add_step(b, "GROUP_BY", node, bytes_of("By key, in place"));
    }
    b->key_bytes_given = node->repartition;
}

/* --- ends --- */

static struct bytes sink_detail(struct physical_builder *b, const struct source *sink)
{
    return arena_printf(b->arena, "Topic: %.*s | Formats: %s, %s | Partitions: %u",
                        BYTES_ARG(sink->topic), sink->key_format.kind->name,
                        sink->value_format.kind->name, sink->partition_count);
}

static void find_timestamp(struct physical_builder *b, const struct source *sink,
                           struct topic_plan *topic)
{
    const struct column *column =
        sink->timestamp_column.data ? schema_find(&sink->schema, sink->timestamp_column) : NULL;

    if (column) {
        topic->has_timestamp = true;
        topic->timestamp = b->shape->columns[schema_index(&sink->schema, column)].at;
        topic->timestamp_type = column->type;
        topic->timestamp_format = sink->timestamp_format;
    }
}

static void add_sink(struct physical_builder *b, const struct logical_node *node)
{
    const struct source *sink = node->source;
    const struct schema *schema = &sink->schema;
    uint32_t output = add_output(b, TOPIC_SINK, sink->topic, sink->partition_count);
    struct op_plan *op = physical_add_op(b, PLAN_TOPIC, node->context);
    uint32_t values = schema->column_count - schema->key_count;

    op->topic = (struct topic_plan){
        .role = TOPIC_SINK,
        .output = output,
        .key = { sink->key_format, schema->columns, physical_operands(b, 0, schema->key_count),
                 schema->key_count },
        .is_table = node->is_table,
        .value = { SIDE_VALUE, schema->columns + schema->key_count, values,
                   physical_operands(b, schema->key_count, values), sink->value_format.options },
        .format = sink->value_format.kind,
    };
    find_timestamp(b, sink, &op->topic);
    add_step(b, "SINK", node, sink_detail(b, sink));
    end_sub(b);
}

static void add_client(struct physical_builder *b, const struct logical_node *node)
{
    struct op_plan *op = physical_add_op(b, PLAN_CLIENT, node->context);
    uint32_t count = b->shape->column_count;

    op->client = (struct client_plan){
        .columns = physical_operands(b, 0, count),
        .codec = physical_codec(b, b->shape->columns, count),
        .limit = b->a->limit,
    };
    add_step(b, "CLIENT", node,
             b->a->limit < 0 ? (struct bytes){ NULL, 0 }
                             : arena_printf(b->arena, "Limit: %lld", (long long)b->a->limit));
    end_sub(b);
}

static void add_aggregate(struct physical_builder *b, const struct logical_node *node)
{
    physical_add_aggregate(b, node);
    add_step(b, "AGGREGATE", node,
             arena_printf(b->arena, "Store: Aggregate-Aggregate-Materialize | Calls: %s",
                          physical_calls_text(b)));
}

static int add_node(struct physical_builder *b, const struct logical_node *node, struct error *err)
{
    switch (node->tag) {
    case LOGICAL_SOURCE:
        return add_source(b, node);
    case LOGICAL_FILTER:
        return add_filter(b, node, err);
    case LOGICAL_SELECT:
        return add_select(b, node, err);
    case LOGICAL_PARTITION_BY:
        add_partition_by(b, node);
        return 0;
    case LOGICAL_GROUP_BY:
        add_group_by(b, node);
        return 0;
    case LOGICAL_AGGREGATE:
        add_aggregate(b, node);
        return 0;
    case LOGICAL_SINK:
        add_sink(b, node);
        return 0;
    case LOGICAL_CLIENT:
        add_client(b, node);
        return 0;
    }
    return 0;
}

/* Inputs before the step itself; as deep as a query has clauses. */
static int add_nodes(struct physical_builder *b, const struct logical_node *node, struct error *err)
{
    if (node->input) {
        TRY(add_nodes(b, node->input, err));
    }
    return add_node(b, node, err);
}

int physical_build(const struct analysis *a, const struct logical_node *last,
                   struct physical_plan *plan, struct error *err)
{
    struct physical_builder b = { .a = a, .arena = a->context->arena, .plan = plan };

    TRY(add_nodes(&b, last, err));
    plan->subs = b.subs.items;
    plan->sub_count = b.subs.count;
    plan->stores = b.stores.items;
    plan->store_count = b.stores.count;
    plan->outputs = b.outputs.items;
    plan->output_count = b.outputs.count;
    plan->steps = b.steps.items;
    plan->step_count = b.steps.count;
    plan->pull = b.pull;
    return 0;
}
