/*
 * plans.c: see plans.h.
 */
#include "tests/crash/plans.h"

#include "parser/parse.h"
#include "tests/crash/world.h"

static int make_sink(struct log *log, const struct physical_plan *plan, struct error *err)
{
    for (uint32_t i = 0; i < plan->output_count; i++) {
        struct topic_spec spec = { .name = plan->outputs[i].topic,
                                   .partition_count = plan->outputs[i].partition_count };
        int code =
            plan->outputs[i].role == TOPIC_SINK ? log_create_topic(log, &spec, err) : ERR_NONE;

        if (code && code != ERR_TOPIC_EXISTS) {
            return code;
        }
    }
    return 0;
}

static int add_query(struct plans *plans, struct plan_context *context,
                     const struct ast_statement *statement, struct error *err)
{
    struct bytes id = arena_printf(&plans->arena, "QUERY_%u", plans->count);
    const struct physical_plan *plan = NULL;
    struct source sink;

    TRY(plan_create_as(context, statement, id, &plan, err));
    TRY(make_sink(context->log, plan, err));
    sink = *plan->sink;
    sink.query = id;
    catalog_put_source(plans->catalog, &sink);
    plans->of[plans->count++] = plan;
    return 0;
}

static int add_statement(struct plans *plans, struct plan_context *context, const char *sql,
                         struct error *err)
{
    struct ast_script script = { 0 };
    struct source source = { 0 };

    TRY(parse_script(&plans->arena, arena_copy(&plans->arena, bytes_of(sql)), &script, err));
    if (script.statements.items[0]->kind == AST_CREATE_AS) {
        return add_query(plans, context, script.statements.items[0], err);
    }
    TRY(plan_create_source(context, script.statements.items[0], &source, err));
    catalog_put_source(plans->catalog, &source);
    return 0;
}

int plans_init(struct plans *plans, struct log *log, const char *service, struct error *err)
{
    struct plan_settings settings = { .service_id = service,
                                      .default_key_format =
                                          format_find((struct bytes)BYTES("KAFKA")),
                                      .headers_enabled = true,
                                      .wrap_single_values = -1 };
    struct plan_context context = { .arena = &plans->arena, .log = log, .settings = &settings };

    *plans = (struct plans){ .catalog = catalog_create(NULL) };
    arena_init(&plans->arena, 0);
    context.catalog = plans->catalog;
    for (int i = 0; i < WORLD_STATEMENTS; i++) {
        char sql[400];

        world_statement(service, i, sql);
        TRY(add_statement(plans, &context, sql, err));
    }
    return 0;
}

int plans_start(const struct plans *plans, struct runtime *rt, struct error *err)
{
    const struct query_options options = { .reset = RESET_EARLIEST, .commit_interval_ms = 100 };

    for (uint32_t i = 0; i < plans->count; i++) {
        TRY(runtime_start(rt, plans->of[i], &options, NULL, err));
    }
    return 0;
}

void plans_fini(struct plans *plans)
{
    catalog_destroy(plans->catalog);
    arena_fini(&plans->arena);
}
