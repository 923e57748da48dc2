/*
 * explain.c: the plan that runs, one line per step, the end first and what feeds it below
 * (statements.md 7). What stands behind the logger says how the step was built.
 *
 * A pull query on a table has no steps of its own: its lines say what is asked of the store.
 */
#include "engine/plan/plan_internal.h"

static void print_step(const struct physical_plan *plan, const struct plan_step *step,
                       uint32_t depth, struct buffer *out)
{
    for (uint32_t i = 0; i < depth; i++) {
        buffer_append_char(out, '\t');
    }
    buffer_printf(out, " > [ %s ] | Schema: ", step->name);
    schema_print(&step->schema, step->is_table ? "PRIMARY KEY" : "KEY", out);
    buffer_printf(out, " | Logger: %.*s.%.*s", BYTES_ARG(plan->query_id), BYTES_ARG(step->context));
    if (step->detail.data) {
        buffer_printf(out, " | %.*s", BYTES_ARG(step->detail));
    }
    if (plan->sub_count > 1) {
        buffer_printf(out, " | Sub-topology: %u", step->sub);
    }
    buffer_append_char(out, '\n');
}

/* As deep as a query has clauses and joins, of which there are RELATION_SOURCES_MAX. */
static void print_tree(const struct physical_plan *plan, uint32_t number, uint32_t depth,
                       struct buffer *out)
{
    const struct plan_step *step = &plan->steps[number];

    print_step(plan, step, depth, out);
    for (uint32_t i = 0; i < step->input_count; i++) {
        print_tree(plan, step->inputs[i], depth + 1, out);
    }
}

void plan_explain(const struct physical_plan *plan, struct buffer *out)
{
    print_tree(plan, plan->step_count - 1, 0, out);
}

void plan_print_column(const struct expr *value, struct bytes name, struct buffer *out)
{
    expr_print(value, out);
    if (value->kind != EXPR_COLUMN || !bytes_equal(value->column.name, name)) {
        buffer_append_text(out, " AS ");
        name_print(name, out);
    }
}

/* --- pull queries --- */

static void begin_pull_line(const char *name, const struct schema *schema, struct buffer *out)
{
    buffer_printf(out, " > [ %s ] | Schema: ", name);
    schema_print(schema, "PRIMARY KEY", out);
}

static void print_lookup(const struct pull_lookup *lookup, struct bytes query_id,
                         struct buffer *out)
{
    const struct source *table = lookup->table;
    const struct store_range *range = &lookup->range;

    begin_pull_line("SOURCE", &table->schema, out);
    buffer_printf(out, " | Logger: %.*s.Source | Table: ", BYTES_ARG(query_id));
    name_print(table->name, out);
    buffer_printf(out, " | State of: %.*s", BYTES_ARG(lookup->query_id));
    if (lookup->access == PULL_KEYS) {
        buffer_printf(out, " | Lookup of keys: %u\n", lookup->key_count);
    } else {
        buffer_append_text(out, range->from.data || range->upto.data ? " | Scan of a key range\n"
                                                                     : " | Scan of all keys\n");
    }
}

void plan_explain_pull(const struct pull_lookup *lookup, struct bytes query_id, struct buffer *out)
{
    const char *indent = "";

    if (lookup->limit >= 0) {
        begin_pull_line("LIMIT", &lookup->result, out);
        buffer_printf(out, " | Rows: %lld\n\t", (long long)lookup->limit);
        indent = "\t";
    }
    begin_pull_line("PROJECT", &lookup->result, out);
    buffer_printf(out, " | Logger: %.*s.Project | Columns: ", BYTES_ARG(query_id));
    for (uint32_t i = 0; i < lookup->result.column_count; i++) {
        buffer_append_text(out, i > 0 ? ", " : "");
        plan_print_column(lookup->columns[i], lookup->result.columns[i].name, out);
    }
    buffer_printf(out, "\n%s\t", indent);
    if (lookup->where) {
        begin_pull_line("FILTER", &lookup->table->schema, out);
        buffer_printf(out, " | Logger: %.*s.WhereFilter | Condition: ", BYTES_ARG(query_id));
        expr_print(lookup->where, out);
        buffer_printf(out, "\n%s\t\t", indent);
    }
    print_lookup(lookup, query_id, out);
}

/* --- the topology --- */

static void print_sub(const struct physical_plan *plan, uint32_t number, struct buffer *out)
{
    const struct sub_plan *sub = &plan->subs[number];

    buffer_printf(out, "Sub-topology: %u\n", number);
    for (uint32_t i = 0; i < sub->input_count; i++) {
        const struct input_plan *input = &sub->inputs[i];

        buffer_printf(out, "\tSource: %.*s%s\n", BYTES_ARG(input->topic),
                      input->is_table ? " (table)" : "");
    }
    for (uint32_t i = 0; i < sub->store_count; i++) {
        buffer_printf(out, "\tStore: %.*s\n", BYTES_ARG(plan->stores[sub->stores[i]].name));
    }
    for (uint32_t i = 0; i < sub->op_count; i++) {
        if (sub->ops[i].tag == PLAN_TOPIC) {
            buffer_printf(out, "\tSink: %.*s\n",
                          BYTES_ARG(plan->outputs[sub->ops[i].topic.output].topic));
        } else if (sub->ops[i].tag == PLAN_CLIENT) {
            buffer_append_text(out, "\tSink: the client\n");
        }
    }
}

void plan_explain_topology(const struct physical_plan *plan, struct buffer *out)
{
    for (uint32_t i = 0; i < plan->sub_count; i++) {
        print_sub(plan, i, out);
    }
}
