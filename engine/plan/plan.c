/*
 * plan.c: the door: analysis, logical steps and physical plan of one query.
 */
#include "engine/plan/plan_internal.h"

static void name_sources(const struct analysis *a, struct physical_plan *plan)
{
    uint32_t count = a->relation ? a->relation->sources.count : 1;
    struct bytes *names = arena_array(a->context->arena, struct bytes, count);

    names[0] = a->source->name;
    for (uint32_t i = 1; i < count; i++) {
        names[i] = a->relation->sources.items[i].source->name;
    }
    plan->source_names = names;
    plan->source_count = count;
}

static struct physical_plan *begin(struct plan_context *context, const struct analysis *a,
                                   struct bytes query_id, const struct source *sink)
{
    struct physical_plan *plan = arena_new(context->arena, struct physical_plan);

    plan->query_id = arena_copy(context->arena, query_id);
    plan->application_id = name_application(context, a->kind, query_id);
    plan->kind = a->kind;
    plan->result_is_table = a->result_is_table;
    plan->sink = sink;
    name_sources(a, plan);
    analysis_schema(a, context->arena, &plan->result);
    return plan;
}

static int build(struct plan_context *context, const struct analysis *a, struct bytes query_id,
                 const struct source *sink, const struct physical_plan **out, struct error *err)
{
    struct physical_plan *plan = begin(context, a, query_id, sink);

    TRY(physical_build(a, logical_build(a, context->arena, sink), plan, err));
    *out = plan;
    return 0;
}

int plan_source_table(struct plan_context *context, struct bytes name, struct bytes query_id,
                      const struct physical_plan **out, struct error *err)
{
    struct ast_select_item all = { .kind = AST_ITEM_ALL };
    const struct ast_query query = { .items = { &all, 1, 1 },
                                     .from = { .source = { .text = name } },
                                     .emit = AST_EMIT_CHANGES };
    const struct logical_node *node;
    struct physical_plan *plan;
    struct analysis analysis;

    TRY(analyze_query(context, QUERY_PUSH, &query, &analysis, err));
    analysis.kind = QUERY_PERSISTENT; /* which a result without value columns can be here */
    plan = begin(context, &analysis, query_id, NULL);
    for (node = logical_build(&analysis, context->arena, NULL); node->input; node = node->input) {
    }
    physical_build_table(&analysis, node, plan);
    *out = plan;
    return 0;
}

int plan_create_as(struct plan_context *context, const struct ast_statement *statement,
                   struct bytes query_id, const struct physical_plan **out, struct error *err)
{
    struct analysis analysis;
    const struct source *sink = NULL;

    TRY(analyze_query(context, QUERY_PERSISTENT, statement->create_as.query, &analysis, err));
    TRY(plan_sink(context, statement, &analysis, query_id, &sink, err));
    return build(context, &analysis, query_id, sink, out, err);
}

int plan_insert_select(struct plan_context *context, const struct ast_statement *statement,
                       struct bytes query_id, const struct physical_plan **out, struct error *err)
{
    struct analysis analysis;
    const struct source *sink = NULL;

    TRY(plan_insert_sink(context, &statement->insert_select, &analysis, &sink, err));
    return build(context, &analysis, query_id, sink, out, err);
}

int plan_client(struct plan_context *context, enum query_kind kind,
                const struct ast_statement *statement, struct bytes query_id,
                const struct physical_plan **out, struct error *err)
{
    struct analysis analysis;

    TRY(analyze_query(context, kind, statement->select, &analysis, err));
    return build(context, &analysis, query_id, NULL, out, err);
}

int plan_push(struct plan_context *context, const struct ast_statement *statement,
              struct bytes query_id, const struct physical_plan **out, struct error *err)
{
    return plan_client(context, QUERY_PUSH, statement, query_id, out, err);
}
