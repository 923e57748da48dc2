/*
 * explain.c: the plan that runs, one line per step, the end first and what feeds it below
 * (statements.md 7). What stands behind the logger says how the step was built.
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
