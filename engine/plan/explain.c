/*
 * explain.c: the plan that runs, one line per step, the end first and what feeds it below
 * (statements.md 7). What stands behind the logger says how the step was built.
 */
#include "engine/plan/plan.h"

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

void plan_explain(const struct physical_plan *plan, struct buffer *out)
{
    for (uint32_t i = 0; i < plan->step_count; i++) {
        print_step(plan, &plan->steps[plan->step_count - 1 - i], i, out);
    }
}
