/*
 * clear.c: everything that statements have made ends: queries, connectors, streams, tables, types.
 *
 * It is done by statements, so the other nodes of the service do the same, and nothing comes back
 * at the next start. What others depend on is dropped behind them: as long as a round drops
 * something there is another.
 */
#include "engine/command/command_internal.h"
#include "parser/ast_print.h"

struct clearing {
    struct session *session;
    struct arena arena;
    VEC(struct bytes) topics; /* to be deleted */
};

static int run(struct clearing *clearing, const char *statement, struct bytes name,
               struct error *err)
{
    static const struct result_sink nobody = { 0 };
    struct buffer text = { 0 };
    int code;

    buffer_append_text(&text, statement);
    if (name.data) {
        name_print_quoted(name, &text);
    }
    buffer_append_char(&text, ';');
    code = script_execute(clearing->session, buffer_bytes(&text), &nobody, err);
    buffer_fini(&text);
    return code;
}

static void collect_topics(struct clearing *clearing, const struct catalog *catalog,
                           topic_filter *deletes, const void *context)
{
    const struct source *const *sources = NULL;
    uint32_t count = catalog_list_sources(catalog, &clearing->arena, &sources);

    for (uint32_t i = 0; i < count; i++) {
        if (sources[i]->query.data && !sources[i]->read_only &&
            deletes(context, sources[i]->topic)) {
            *vec_push(&clearing->arena, &clearing->topics) =
                arena_copy(&clearing->arena, sources[i]->topic);
        }
    }
}

/* How many could be dropped; why one could not is in *err. */
static uint32_t drop_round(struct clearing *clearing, const struct catalog *catalog,
                           struct error *err)
{
    const struct source *const *sources = NULL;
    uint32_t count = catalog_list_sources(catalog, &clearing->arena, &sources);
    struct bytes *names = arena_array(&clearing->arena, struct bytes, count);
    bool *are_tables = arena_array(&clearing->arena, bool, count);
    uint32_t dropped = 0;

    for (uint32_t i = 0; i < count; i++) {
        names[i] = arena_copy(&clearing->arena, sources[i]->name);
        are_tables[i] = sources[i]->kind == SOURCE_TABLE;
    }
    for (uint32_t i = 0; i < count; i++) {
        dropped +=
            run(clearing, are_tables[i] ? "DROP TABLE " : "DROP STREAM ", names[i], err) == 0;
    }
    return dropped;
}

static int drop_sources(struct clearing *clearing, const struct catalog *catalog, struct error *err)
{
    const struct source *const *sources = NULL;

    while (drop_round(clearing, catalog, err) > 0) {
        error_clear(err);
    }
    return catalog_list_sources(catalog, &clearing->arena, &sources) > 0 ? (int)err->code : 0;
}

static int drop_others(struct clearing *clearing, const struct catalog *catalog, struct error *err)
{
    const struct connector_entry *const *connectors = NULL;
    const struct type_entry *const *types = NULL;
    uint32_t count = catalog_list_connectors(catalog, &clearing->arena, &connectors);

    for (uint32_t i = 0; i < count; i++) {
        TRY(run(clearing, "DROP CONNECTOR ", arena_copy(&clearing->arena, connectors[i]->name),
                err));
    }
    count = catalog_list_types(catalog, &clearing->arena, &types);
    for (uint32_t i = 0; i < count; i++) {
        TRY(run(clearing, "DROP TYPE ", arena_copy(&clearing->arena, types[i]->name), err));
    }
    return 0;
}

static int clear(struct clearing *clearing, struct engine *engine, topic_filter *deletes,
                 const void *context, struct error *err)
{
    const struct bytes no_name = { NULL, 0 };

    collect_topics(clearing, engine->catalog, deletes, context);
    TRY(run(clearing, "TERMINATE ALL", no_name, err));
    TRY(drop_others(clearing, engine->catalog, err));
    TRY(drop_sources(clearing, engine->catalog, err));
    for (uint32_t i = 0; i < clearing->topics.count; i++) {
        int code = log_delete_topic(engine->config.log, clearing->topics.items[i], err);

        if (code && code != ERR_UNKNOWN_TOPIC) {
            return code;
        }
        error_clear(err);
    }
    return 0;
}

int engine_clear(struct engine *engine, topic_filter *deletes, const void *context,
                 struct error *err)
{
    struct clearing clearing = { .session = session_create(engine) };
    int code;

    arena_init(&clearing.arena, 0);
    pthread_mutex_lock(&engine->mutex);
    code = clear(&clearing, engine, deletes, context, err);
    pthread_mutex_unlock(&engine->mutex);
    arena_fini(&clearing.arena);
    session_destroy(clearing.session);
    return code;
}
