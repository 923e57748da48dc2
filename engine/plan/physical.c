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

void physical_add_step(struct physical_builder *b, const char *name,
                       const struct logical_node *node, struct bytes detail)
{
    *vec_push(b->arena, &b->steps) = (struct plan_step){
        .name = name,
        .context = node->context,
        .schema = node->schema,
        .is_table = node->is_table,
        .sub = b->sub.number,
        .detail = detail,
        .inputs = { b->at.step ? b->at.step - 1 : 0 },
        .input_count = b->at.step ? 1 : 0,
    };
    b->at.step = b->steps.count;
}

/* --- sub-topologies --- */

void physical_begin_input(struct physical_builder *b, const struct input_plan *input)
{
    if (!b->sub.is_open) {
        b->sub = (struct sub_draft){ .is_open = true, .number = b->subs.count };
        *vec_push(b->arena, &b->subs) = (struct sub_plan){ 0 };
    }
    *vec_push(b->arena, &b->sub.inputs) = *input;
    b->at.shape = input->shape;
    b->at.from_op = false;
    b->at.from = b->sub.inputs.count - 1;
}

/* Whether the operator reads the old images of what comes in at the port. */
static bool wants_old(const struct op_plan *op, uint16_t port)
{
    switch (op->tag) {
    case PLAN_STAGE:
        return op->needs_old || (op->stage.over_table && program_has_filter(op->stage.program));
    case PLAN_AGGREGATE:
        return op->aggregate.over_table;
    case PLAN_JOIN_TABLE_TABLE:
        return op->needs_old || op->join.kind == AST_JOIN_FULL ||
               op->join.kind == (port == 0 ? AST_JOIN_LEFT : AST_JOIN_RIGHT);
    case PLAN_TOPIC:
        return op->topic.role == TOPIC_REPARTITION && op->topic.is_table;
    case PLAN_TABLE:
    case PLAN_JOIN_STREAM_TABLE:
    case PLAN_CLIENT:
        return false;
    }
    return false;
}

/* needs_old is passed back from the end; successors stand behind their predecessors. */
void physical_end_sub(struct physical_builder *b)
{
    struct sub_draft *draft = &b->sub;

    for (uint32_t i = draft->ops.count; i-- > 0;) {
        struct op_plan *op = &draft->ops.items[i];

        op->needs_old = op->next != NO_OP && wants_old(&draft->ops.items[op->next], op->next_port);
    }
    b->subs.items[draft->number] = (struct sub_plan){
        .inputs = draft->inputs.items,
        .input_count = draft->inputs.count,
        .ops = draft->ops.items,
        .op_count = draft->ops.count,
        .stores = draft->stores.items,
        .store_count = draft->stores.count,
        .root_topic = draft->inputs.items[0].topic,
    };
    draft->is_open = false;
}

/* --- stages --- */

struct program_builder *physical_open_stage(struct physical_builder *b)
{
    if (!b->program) {
        b->program = program_begin(b->arena, b->at.shape, NULL);
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

static bool gives_new_key(const struct logical_node *node)
{
    return node->tag == LOGICAL_SELECT ? node->select.rekeys
                                       : node->tag == LOGICAL_REKEY && !node->is_table;
}

/* Cells of a row without a value are null as they are; what was computed is not. */
static void plan_rekeying(struct physical_builder *b, const struct logical_node *node,
                          const struct shape_column *columns, struct stage_plan *stage)
{
    operand *nulled = arena_array(b->arena, operand, node->schema.key_count);

    stage->rekeys = gives_new_key(node);
    if (node->tag != LOGICAL_SELECT) {
        return; /* the side of a join: rows without a value go no further */
    }
    for (uint32_t i = 0; i < node->schema.key_count; i++) {
        if (node->select.columns[i].needs_row_value && is_register(columns[i].at)) {
            nulled[stage->nulled_count++] = columns[i].at;
        }
    }
    stage->nulled = nulled;
}

void physical_close_stage(struct physical_builder *b, const struct logical_node *node,
                          const struct shape_column *columns, uint32_t count, uint32_t key_count)
{
    const struct program *program = program_finish(b->program);
    struct row_shape *shape = arena_new(b->arena, struct row_shape);

    assert(b->at.shape); /* every chain begins with an input */
    *shape = (struct row_shape){
        .columns = columns,
        .column_count = count,
        .key_count = key_count,
        .cell_count = b->at.shape->cell_count,
        .register_count = program_register_count(program),
        .constants = program_constants(program),
    };
    if (!program_is_empty(program) || uses_constants(shape) || gives_new_key(node)) {
        struct op_plan *op = physical_add_op(b, PLAN_STAGE, node->context);

        op->output = shape;
        op->stage = (struct stage_plan){ .program = program, .over_table = node->is_table };
        plan_rekeying(b, node, columns, &op->stage);
    }
    b->program = NULL;
    b->at.shape = shape;
}

static int add_filter(struct physical_builder *b, const struct logical_node *node,
                      struct error *err)
{
    const char *text = plan_text_of(b->arena, node->condition);
    const char *what = arena_printf(b->arena, "Error evaluating predicate %s", text).data;
    const struct expr *condition = physical_move(b, node->condition);

    TRY(program_add_filter(physical_open_stage(b), condition, what, err));
    physical_add_step(b, "FILTER", node, arena_printf(b->arena, "Condition: %s", text));
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
        plan_print_column(column->value, column->name, &text);
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
    struct program_builder *program = physical_open_stage(b);

    for (uint32_t i = 0; i < count; i++) {
        const struct logical_column *column = &node->select.columns[i];

        columns[i].name = column->name;
        columns[i].type = column->value->type;
        columns[i].role = column->role;
        TRY(program_add_value(program, physical_move(b, column->value), column->what,
                              &columns[i].at, err));
    }
    physical_close_stage(b, node, columns, count, node->schema.key_count);
    b->at.columns = NULL;
    physical_add_step(b, "PROJECT", node, select_detail(b, node));
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
    physical_add_step(b, "PARTITION_BY", node, arena_copy(b->arena, buffer_bytes(&text)));
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
    physical_begin_input(b, &input);
    if (kept) {
        physical_add_table(b, node);
    }
    physical_add_step(b, "SOURCE", node, source_detail(b, source, kept));
    return 0;
}

/* --- grouping --- */

uint32_t physical_add_output(struct physical_builder *b, enum topic_role role, struct bytes topic,
                             uint32_t partitions)
{
    *vec_push(b->arena, &b->outputs) = (struct output_plan){ topic, role, partitions };
    return b->outputs.count - 1;
}

/* Ends the sub-topology at a repartition topic and begins the one that reads it. */
static void add_repartition(struct physical_builder *b, const struct logical_node *node)
{
    struct bytes topic = name_repartition(b->arena, b->plan->application_id, node->context);
    uint32_t output =
        physical_add_output(b, TOPIC_REPARTITION, topic, b->a->source->partition_count);
    struct op_plan *op = physical_add_op(b, PLAN_TOPIC, node->context);
    struct row_codec codec = physical_codec(b, b->at.shape->columns, b->at.shape->column_count);
    struct input_plan input = {
        .topic = topic,
        .output = output,
        .codec = codec,
        .is_table = node->is_table,
        .from_earliest = true,
        .shape = physical_cells(b, b->at.shape->columns, b->at.shape->column_count,
                                b->at.shape->key_count),
    };

    op->topic = (struct topic_plan){
        .role = TOPIC_REPARTITION,
        .output = output,
        .key = physical_key(b, &b->a->source->key_format),
        .is_table = node->is_table,
        .drop_null_key = true,
        .codec = codec,
        .columns = physical_operands(b, 0, b->at.shape->column_count),
    };
    physical_add_step(b, "GROUP_BY", node,
                      arena_printf(b->arena, "Topic: %.*s | Key format: %s", BYTES_ARG(topic),
                                   op->topic.key.format.kind->name));
    physical_end_sub(b);
    physical_begin_input(b, &input);
}

static void add_group_by(struct physical_builder *b, const struct logical_node *node)
{
    if (node->repartition) {
        add_repartition(b, node);
    } else {
        physical_add_step(b, "GROUP_BY", node, bytes_of("By key, in place"));
    }
    b->at.key_bytes_given = node->repartition;
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
        topic->timestamp = b->at.shape->columns[schema_index(&sink->schema, column)].at;
        topic->timestamp_type = column->type;
        topic->timestamp_format = sink->timestamp_format;
    }
}

static void add_sink(struct physical_builder *b, const struct logical_node *node)
{
    const struct source *sink = node->source;
    const struct schema *schema = &sink->schema;
    uint32_t output = physical_add_output(b, TOPIC_SINK, sink->topic, sink->partition_count);
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
    physical_add_step(b, "SINK", node, sink_detail(b, sink));
    physical_end_sub(b);
}

static void add_client(struct physical_builder *b, const struct logical_node *node)
{
    struct op_plan *op = physical_add_op(b, PLAN_CLIENT, node->context);
    uint32_t count = b->at.shape->column_count;
    bool *is_key = arena_array(b->arena, bool, count);

    for (uint32_t i = 0; i < count; i++) {
        is_key[i] = analysis_is_key(b->a, i);
    }
    op->client = (struct client_plan){
        .is_key = is_key,
        .columns = physical_operands(b, 0, count),
        .codec = physical_codec(b, b->at.shape->columns, count),
        .limit = b->a->limit,
    };
    physical_add_step(b, "CLIENT", node,
                      b->a->limit < 0
                          ? (struct bytes){ NULL, 0 }
                          : arena_printf(b->arena, "Limit: %lld", (long long)b->a->limit));
    physical_end_sub(b);
}

static void add_aggregate(struct physical_builder *b, const struct logical_node *node)
{
    physical_add_aggregate(b, node);
    physical_add_step(b, "AGGREGATE", node,
                      arena_printf(b->arena, "Store: Aggregate-Aggregate-Materialize | Calls: %s",
                                   physical_calls_text(b)));
}

static int add_nodes(struct physical_builder *b, const struct logical_node *node,
                     struct error *err);

/* The left side is built already. */
static int add_join(struct physical_builder *b, const struct logical_node *node, struct error *err)
{
    struct branch left = b->at;

    b->at = (struct branch){ 0 };
    TRY(add_nodes(b, node->right, err));
    physical_add_join(b, node, &left);
    return 0;
}

static int add_node(struct physical_builder *b, const struct logical_node *node, struct error *err)
{
    switch (node->tag) {
    case LOGICAL_SOURCE:
        return b->a->relation ? physical_add_joined_source(b, node, err) : add_source(b, node);
    case LOGICAL_REKEY:
        return physical_add_rekey(b, node, err);
    case LOGICAL_JOIN:
        return add_join(b, node, err);
    case LOGICAL_KEEP:
        physical_add_keep(b, node);
        physical_add_step(b, "MATERIALIZE", node,
                          arena_printf(b->arena, "Store: %.*s", BYTES_ARG(node->keeps)));
        return 0;
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

/* Inputs before the step itself; as deep as a query has clauses and joins. */
static int add_nodes(struct physical_builder *b, const struct logical_node *node, struct error *err)
{
    if (node->input) {
        TRY(add_nodes(b, node->input, err));
    }
    return add_node(b, node, err);
}

static void note_causality(struct physical_builder *b, uint32_t sub,
                           const struct lineage_plan *lineage)
{
    struct bytes after = lineage_text(b->arena, lineage, b->plan->query_id);

    for (uint32_t i = 0; i < b->steps.count; i++) {
        struct plan_step *step = &b->steps.items[i];

        if (step->sub != sub || step->is_table || step->input_count < 2) {
            continue;
        }
        step->detail = b->a->context->settings->joins_at_once
                           ? arena_printf(b->arena, "%.*s | Causal: off", BYTES_ARG(step->detail))
                           : arena_printf(b->arena, "%.*s | Causal: after %.*s",
                                          BYTES_ARG(step->detail), BYTES_ARG(after));
    }
}

static void find_causality(struct physical_builder *b)
{
    for (uint32_t i = 0; i < b->subs.count; i++) {
        const struct lineage_plan *lineage = lineage_find(b->a->context, b->plan, i);

        if (lineage) {
            note_causality(b, i, lineage);
            b->subs.items[i].causal = b->a->context->settings->joins_at_once ? NULL : lineage;
        }
    }
}

static void finish(struct physical_builder *b)
{
    struct physical_plan *plan = b->plan;

    plan->subs = b->subs.items;
    plan->sub_count = b->subs.count;
    plan->stores = b->stores.items;
    plan->store_count = b->stores.count;
    plan->outputs = b->outputs.items;
    plan->output_count = b->outputs.count;
    plan->pull = b->pull;
    find_causality(b);
    plan->steps = b->steps.items;
    plan->step_count = b->steps.count;
}

void physical_build_table(const struct analysis *a, const struct logical_node *source,
                          struct physical_plan *plan)
{
    struct physical_builder b = { .a = a, .arena = a->context->arena, .plan = plan };

    (void)add_source(&b, source); /* it has no expressions that could fail */
    b.sub.ops.items[0].table.feeds_join = true;
    b.pull.first_op = NO_OP;
    physical_end_sub(&b);
    finish(&b);
}

int physical_build(const struct analysis *a, const struct logical_node *last,
                   struct physical_plan *plan, struct error *err)
{
    struct physical_builder b = { .a = a, .arena = a->context->arena, .plan = plan };

    TRY(add_nodes(&b, last, err));
    finish(&b);
    return 0;
}
