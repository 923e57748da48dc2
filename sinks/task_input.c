/*
 * task_input.c: what a task reads: topics that exist and that a stream or table declares.
 *
 * Partition p of a topic belongs to task (hash of the topic + p) mod tasks. Records are read
 * with the formats of the first stream or table that was declared over the topic; whether
 * that is a stream or a table makes no difference here, nor does its TIMESTAMP column.
 */
#include <string.h>

#include "sinks/connector_internal.h"

/* --- records that cannot be read --- */

static void note_refusal(void *context, const struct row_origin *origin, enum format_side side,
                         const struct error *why)
{
    struct task_input *input = context;
    struct task *task = input->task;

    task_refuse_record(task, origin, side, why);
}

/* --- sources --- */

/* The earliest one; its copy is in the task's arena. */
static bool find_source(struct task *task, struct bytes topic, struct source *out)
{
    struct connector *c = task->connector;
    const struct source *found = NULL;

    pthread_mutex_lock(&c->mutex);
    for (uint32_t i = 0; c->sources && i < c->sources->count; i++) {
        const struct source *source = &c->sources->items[i];

        if (bytes_equal(source->topic, topic) && (!found || source->id < found->id)) {
            found = source;
        }
    }
    if (found) {
        source_copy(&task->arena, found, out);
    }
    pthread_mutex_unlock(&c->mutex);
    return found != NULL;
}

static int open_input(struct task *task, const struct log_topic *topic, struct source *source,
                      struct error *err)
{
    struct task_input *input = arena_new(&task->arena, struct task_input);
    struct input_decoder_spec spec = { .failed = note_refusal, .context = input };

    source->kind = SOURCE_STREAM;
    source->timestamp_column = (struct bytes){ NULL, 0 };
    input->source = *source;
    input->topic = topic;
    input->task = task;
    spec.source = &input->source;
    spec.topic_name = arena_copy_text(&task->arena, topic->name);
    TRY(input_decoder_open(&spec, &input->decoder, err));
    *vec_push(&task->arena, &task->inputs) = input;
    return 0;
}

static void note_missing(struct buffer *missing, struct bytes topic)
{
    buffer_printf(missing, "%s%.*s", missing->len ? ", " : "", BYTES_ARG(topic));
}

static int open_topic(struct task *task, struct bytes name, struct buffer *missing,
                      struct error *err)
{
    const struct log_topic *topic = NULL;
    struct source source;
    int code = log_open_topic(connector_log(task->connector), name, &topic, err);

    if (code == ERR_UNKNOWN_TOPIC) {
        error_clear(err);
        note_missing(missing, name);
        return 0;
    }
    TRY(code);
    if (!find_source(task, name, &source)) {
        note_missing(missing, name);
        return 0;
    }
    return open_input(task, topic, &source, err);
}

/* Those of the log that match; a topic that nothing declares is not missed. */
static int open_matching(struct task *task, struct error *err)
{
    const struct log_topic **topics = NULL;
    struct buffer ignored = { 0 };
    uint32_t count = 0;
    int code;

    TRY(log_list_topics(connector_log(task->connector), &task->arena, &topics, &count, err));
    code = 0;
    for (uint32_t i = 0; !code && i < count; i++) {
        if (connector_wants(task->connector, topics[i]->name)) {
            code = open_topic(task, topics[i]->name, &ignored, err);
        }
    }
    buffer_fini(&ignored);
    return code;
}

/* --- positions --- */

static bool is_mine(const struct task *task, const struct log_topic *topic, uint32_t partition)
{
    return (bytes_hash(topic->name) + partition) % task->connector->task_count == task->number;
}

static int add_position(struct task *task, const struct log_topic *topic, uint32_t partition,
                        struct position_at *out, struct error *err)
{
    bool from_end =
        options_is(&task->connector->options, "consumer.override.auto.offset.reset", "latest");
    struct log_range range;

    TRY(log_topic_range(connector_log(task->connector), topic, partition, READ_COMMITTED, &range,
                        err));
    *out =
        (struct position_at){ .topic = topic->name,
                              .partition = partition,
                              .offset = from_end ? range.end : range.begin,
                              .incarnation = topic->incarnation,
                              .is_fresh = connector_is_fresh(task->connector, topic, partition) };
    return 0;
}

static int list_positions(struct task *task, struct error *err)
{
    uint32_t room = 0;

    for (uint32_t i = 0; i < task->inputs.count; i++) {
        room += task->inputs.items[i]->topic->partition_count;
    }
    task->positions.items = arena_array(&task->arena, struct position_at, room);
    task->positions.count = 0;
    for (uint32_t i = 0; i < task->inputs.count; i++) {
        const struct log_topic *topic = task->inputs.items[i]->topic;

        for (uint32_t p = 0; p < topic->partition_count; p++) {
            if (is_mine(task, topic, p)) {
                TRY(add_position(task, topic, p, &task->positions.items[task->positions.count],
                                 err));
                task->positions.count++;
            }
        }
    }
    return 0;
}

int task_open_inputs(struct task *task, struct error *err)
{
    struct connector *c = task->connector;
    struct buffer missing = { 0 };
    int code = c->by_pattern ? open_matching(task, err) : 0;

    for (uint32_t i = 0; !code && i < c->topic_count; i++) {
        code = open_topic(task, c->topics[i], &missing, err);
    }
    task_note_missing(task, buffer_bytes(&missing));
    buffer_fini(&missing);
    return code ? code : list_positions(task, err);
}

bool task_misses_inputs(struct task *task)
{
    struct connector *c = task->connector;
    bool found = false;

    for (uint32_t i = 0; !found && task->waits_for && i < c->topic_count; i++) {
        const struct log_topic *topic = NULL;
        struct source source;

        found = !log_open_topic(connector_log(c), c->topics[i], &topic, NULL) &&
                !task_find_input(task, topic) && find_source(task, c->topics[i], &source);
    }
    return found;
}

void task_close_inputs(struct task *task)
{
    for (uint32_t i = 0; i < task->inputs.count; i++) {
        input_decoder_close(task->inputs.items[i]->decoder);
    }
    memset(&task->inputs, 0, sizeof task->inputs);
    memset(&task->positions, 0, sizeof task->positions);
}

struct task_input *task_find_input(struct task *task, const struct log_topic *topic)
{
    for (uint32_t i = 0; i < task->inputs.count; i++) {
        if (task->inputs.items[i]->topic == topic) {
            return task->inputs.items[i];
        }
    }
    return NULL;
}
