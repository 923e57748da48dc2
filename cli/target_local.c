/*
 * target_local.c: statements run on an engine in this process.
 */
#include <stdlib.h>

#include "base/memory.h"
#include "cli/target.h"

struct local {
    struct node node;
    struct session *session;
};

static int execute(void *context, struct bytes text, const struct result_sink *sink,
                   struct error *err)
{
    struct local *local = context;

    return engine_execute(local->node.engine, local->session, text, sink, err);
}

static void cancel(void *context)
{
    struct local *local = context;

    session_cancel(local->session);
}

/* On Kafka there is no end: others write on. */
static int finish(void *context, struct error *err)
{
    struct local *local = context;

    return local->node.is_on_kafka ? 0 : engine_drain(local->node.engine, err);
}

static void describe(void *context, struct buffer *out)
{
    struct local *local = context;

    node_describe(&local->node, out);
}

static void close_local(void *context)
{
    struct local *local = context;

    session_destroy(local->session);
    node_close(&local->node);
    free(local);
}

static const struct target_kind local_kind = { .execute = execute,
                                               .cancel = cancel,
                                               .finish = finish,
                                               .describe = describe,
                                               .close = close_local };

int target_open_local(const struct node_options *options, const struct engine_config *base,
                      struct target *out, struct error *err)
{
    struct local *local = memory_zalloc(1, sizeof *local);
    int code = node_open(&local->node, options, base, err);

    if (code) {
        close_local(local);
        return code;
    }
    local->session = session_create(local->node.engine);
    *out = (struct target){ &local_kind, local, local->session };
    return 0;
}
