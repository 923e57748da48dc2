/*
 * assert_topic.c: ASSERT TOPIC: waits until a topic exists, with the partitions and replicas that
 * are asked for, or until it does not (statements.md 4).
 *
 * The engine is left to others while it waits. A stepped engine has nobody who could make the
 * topic meanwhile, so it is asked once.
 */
#include "base/queue.h"
#include "engine/command/command_internal.h"

enum { PAUSE_MS = 50 };

/* What the topic shall be. */
struct wanted {
    int64_t partitions; /* -1: any; so the next */
    int64_t replicas;
};

static int read_wanted(const struct ast_assert_topic *assertion, struct wanted *out,
                       struct error *err)
{
    *out = (struct wanted){ -1, -1 };
    for (uint32_t i = 0; i < assertion->properties.count; i++) {
        const struct ast_property *property = &assertion->properties.items[i];
        bool is_partitions = bytes_equal_text_nocase(property->name.text, "PARTITIONS");

        if (!is_partitions && !bytes_equal_text_nocase(property->name.text, "REPLICAS")) {
            return error_set(err, ERR_INVALID_PROPERTY, property->name.at,
                             "ASSERT TOPIC compares PARTITIONS and REPLICAS, not %.*s",
                             BYTES_ARG(property->name.text));
        }
        if (property->value.kind != AST_LITERAL_INTEGER || property->value.integer < 1) {
            return error_set(err, ERR_INVALID_PROPERTY, property->value.at,
                             "%.*s is a whole number of at least 1",
                             BYTES_ARG(property->name.text));
        }
        *(is_partitions ? &out->partitions : &out->replicas) = property->value.integer;
    }
    return 0;
}

int assert_topic_check(struct command *command, struct error *err)
{
    struct wanted wanted;

    return read_wanted(&command->statement->assert_topic, &wanted, err);
}

/* Whether the assertion holds now; else *why says why not. */
static bool holds(struct command *command, const struct wanted *wanted, struct error *why)
{
    const struct ast_assert_topic *assertion = &command->statement->assert_topic;
    const struct bytes name = assertion->topic.text;
    const struct log_topic *topic = NULL;
    bool exists = log_open_topic(command->engine->config.log, name, &topic, NULL) == 0;

    if (exists && assertion->not_exists) {
        (void)error_set(why, ERR_ASSERT, assertion->topic.at, "The topic %.*s exists",
                        BYTES_ARG(name));
        return false;
    }
    if (!exists) {
        (void)error_set(why, ERR_ASSERT, assertion->topic.at, "The topic %.*s does not exist",
                        BYTES_ARG(name));
        return assertion->not_exists;
    }
    if ((wanted->partitions >= 0 && topic->partition_count != wanted->partitions) ||
        (wanted->replicas >= 0 && topic->replica_count != wanted->replicas)) {
        (void)error_set(why, ERR_ASSERT, assertion->topic.at,
                        "The topic %.*s has %u partitions and %u replicas", BYTES_ARG(name),
                        topic->partition_count, topic->replica_count);
        return false;
    }
    return true;
}

static int64_t timeout_of(const struct command *command)
{
    const struct ast_duration *given = &command->statement->assert_topic.timeout;

    return given->unit == AST_UNIT_NONE
               ? property_get_integer(command->properties, "ksql.assert.topic.default.timeout.ms")
               : given->ms;
}

static int wait_until_it_holds(struct command *command, const struct wanted *wanted,
                               struct error *err)
{
    struct engine *engine = command->engine;
    bool is_stepped = engine->config.mode == RUNTIME_STEPPED;
    int64_t end_us = clock_monotonic_us(engine->config.clock) + timeout_of(command) * 1000;
    struct error why = { 0 };
    struct queue pause; /* never has anything */
    bool is_true;

    queue_init(&pause, 1);
    pthread_mutex_unlock(&engine->mutex);
    while (!(is_true = holds(command, wanted, &why)) && !is_stepped &&
           clock_monotonic_us(engine->config.clock) < end_us &&
           !session_is_cancelled(command->session)) {
        (void)queue_take(&pause, PAUSE_MS);
    }
    pthread_mutex_lock(&engine->mutex);
    queue_fini(&pause);
    return is_true ? 0 : error_set(err, why.code, why.at, "%s", why.message);
}

int assert_topic_run(struct command *command, struct error *err)
{
    static const char *const columns[] = { "Topic Name", "Exists", NULL };
    static const char *const fields[] = { "topicName", "exists" };
    const struct ast_assert_topic *assertion = &command->statement->assert_topic;
    struct answer_table answer;
    struct wanted wanted;

    TRY(read_wanted(assertion, &wanted, err));
    TRY(wait_until_it_holds(command, &wanted, err));
    answer_begin(&answer, command->arena, "assert_topic", columns);
    answer.table.fields = fields;
    answer_cell(&answer, assertion->topic.text);
    answer_cell_text(&answer, assertion->not_exists ? "false" : "true");
    answer.table.text =
        arena_printf(command->arena, "Topic %.*s %s.\n", BYTES_ARG(assertion->topic.text),
                     assertion->not_exists ? "does not exist" : "exists");
    answer_end(&answer, command);
    return 0;
}
