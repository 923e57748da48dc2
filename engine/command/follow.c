/*
 * follow.c: statements that other nodes of the service append.
 *
 * A thread looks at what the reader of the statement log has fetched meanwhile, applies it under
 * the engine's mutex as any statement, and so starts, pauses and ends queries on this node a
 * moment after the node that took the statement. It asks the log for nothing, so it costs next
 * to nothing and a log that cannot be reached does not hold the mutex.
 */
#include "base/trace.h"
#include "engine/command/command_internal.h"

enum {
    PAUSE_MS = 20,
    TRACE_EVERY = 500, /* an error that stays is told every ten seconds */
    RETRY_EVERY = 100  /* what could not be started is tried every two */
};

static void follow_once(struct engine *engine, uint32_t round, uint32_t *failures)
{
    const struct connector_host *host = engine->config.connectors;
    struct error outcome;
    struct error err;
    int code;

    pthread_mutex_lock(&engine->mutex);
    code = replay_catch_up(engine, STATEMENTS_ARRIVED, &outcome, &err);
    if (round % RETRY_EVERY == 0) {
        replay_retry(engine);
    }
    pthread_mutex_unlock(&engine->mutex);
    if (host && round % RETRY_EVERY == 0) {
        host->follow(host->context);
    }
    if (code && (*failures)++ % TRACE_EVERY == 0) {
        TRACE(TRACE_WARN, "command", "the statement log cannot be followed: %s", err.message);
    } else if (!code) {
        *failures = 0;
    }
}

static void *follow_main(void *argument)
{
    struct engine *engine = argument;
    uint32_t failures = 0;

    for (uint32_t round = 1; !queue_take(&engine->follower_pause, PAUSE_MS); round++) {
        follow_once(engine, round, &failures);
    }
    return NULL;
}

int follow_start(struct engine *engine, struct error *err)
{
    if (pthread_create(&engine->follower, NULL, follow_main, engine)) {
        return error_set(err, ERR_IO, NO_POSITION,
                         "The thread that follows the statement log cannot be started");
    }
    engine->has_follower = true;
    return 0;
}

void follow_stop(struct engine *engine)
{
    if (engine->has_follower) {
        (void)queue_try_put(&engine->follower_pause, engine); /* nobody else puts */
        pthread_join(engine->follower, NULL);
        engine->has_follower = false;
    }
}
