/*
 * gate.c: a join's rows of the stream wait until its tables have what derives from them.
 *
 *     OPEN --a row behind `cleared`--> ASKED --lookout--> READING --tables read--> OPEN
 *
 *     stream   1 2 3 | 4 5 6 7         shut: 4 waits
 *     table      a b c ....... m       read up to the mark m, whatever the timestamps are,
 *                                      then 4 to 7 are cleared
 *
 * While the gate is ASKED tables go on as the timestamps have it, up to the first row that
 * waits. A gate is for all of a task's streams at once.
 */
#include <stdlib.h>

#include "base/memory.h"
#include "engine/runtime/causal.h"

enum { CAUSAL_WAIT_MS = 10000 };

static bool is_of_stream(const struct task_input *input)
{
    return !input->plan->is_table && !input->plan->is_upserts;
}

/* --- making one --- */

/* The plan may go before the lookout lets go of the gate. */
static const struct lineage_plan *copy_lineage(struct arena *arena, const struct lineage_plan *from,
                                               uint32_t input_count)
{
    struct lineage_plan *copy = arena_new(arena, struct lineage_plan);
    struct lineage_topic *topics = arena_array(arena, struct lineage_topic, from->topic_count);
    struct lineage_hop *hops = arena_array(arena, struct lineage_hop, from->hop_count);
    uint32_t *of_input = arena_array(arena, uint32_t, input_count);

    for (uint32_t i = 0; i < from->topic_count; i++) {
        const struct lineage_topic *topic = &from->topics[i];
        struct lineage_reader *feeds = arena_array(arena, struct lineage_reader, topic->feed_count);

        topics[i] = *topic;
        topics[i].name = arena_copy(arena, topic->name);
        for (uint32_t j = 0; j < topic->feed_count; j++) {
            feeds[j] = topic->feeds[j];
            feeds[j].query_id = arena_copy(arena, topic->feeds[j].query_id);
        }
        topics[i].feeds = feeds;
    }
    for (uint32_t i = 0; i < from->hop_count; i++) {
        hops[i] = from->hops[i];
        hops[i].reader.query_id = arena_copy(arena, from->hops[i].reader.query_id);
    }
    for (uint32_t i = 0; i < input_count; i++) {
        of_input[i] = from->of_input[i];
    }
    *copy = (struct lineage_plan){ topics, from->topic_count, hops, from->hop_count, of_input };
    return copy;
}

/* Topics of the query's own are known; the lookout opens the others. */
static void find_topics(struct causal_gate *gate, const struct query *query)
{
    for (uint32_t i = 0; i < gate->lineage->topic_count; i++) {
        const struct lineage_topic *topic = &gate->lineage->topics[i];

        gate->logs[i] = topic->is_own ? query->log : query->rt->log;
        for (uint32_t j = 0; topic->is_own && j < query->plan->output_count; j++) {
            if (bytes_equal(query->plan->outputs[j].topic, topic->name)) {
                gate->topics[i] = query->topics.outputs[j];
            }
        }
    }
}

static void find_standings(struct causal_gate *gate, struct runtime *rt)
{
    uint32_t at = 0;

    for (uint32_t i = 0; i < gate->lineage->hop_count; i++) {
        gate->hops[i] = (struct hop_watch){
            .standing = standing_get(rt, gate->lineage->hops[i].reader.query_id), .since_ms = -1
        };
    }
    for (uint32_t i = 0; i < gate->lineage->topic_count; i++) {
        gate->feed_count += gate->lineage->topics[i].feed_count;
    }
    gate->feeds = arena_array(&gate->arena, struct standing *, gate->feed_count);
    for (uint32_t i = 0; i < gate->lineage->topic_count; i++) {
        for (uint32_t j = 0; j < gate->lineage->topics[i].feed_count; j++) {
            gate->feeds[at++] = standing_get(rt, gate->lineage->topics[i].feeds[j].query_id);
        }
    }
}

struct causal_gate *gate_create(struct task *task)
{
    const struct query *query = task->query;
    const struct lineage_plan *lineage = task->sub->causal;
    struct causal_gate *gate;

    if (!lineage || query->options.gate == QUERY_GATED) {
        return NULL;
    }
    gate = memory_zalloc(1, sizeof *gate);
    arena_init(&gate->arena, 1024);
    gate->rt = query->rt;
    gate->input_count = task->sub->input_count;
    gate->lineage = copy_lineage(&gate->arena, lineage, gate->input_count);
    gate->query_id = arena_copy(&gate->arena, query->plan->query_id);
    gate->partition = task->partition;
    gate->max_wait_ms =
        query->options.causal_wait_ms > 0 ? query->options.causal_wait_ms : CAUSAL_WAIT_MS;
    atomic_store(&gate->references, 1);
    atomic_store(&gate->phase, GATE_OPEN);
    gate->inputs = arena_array(&gate->arena, struct gate_input, gate->input_count);
    gate->required = arena_array(&gate->arena, int64_t *, lineage->topic_count);
    gate->counts = arena_array(&gate->arena, uint32_t, lineage->topic_count);
    gate->topics = arena_array(&gate->arena, const struct log_topic *, lineage->topic_count);
    gate->logs = arena_array(&gate->arena, struct log *, lineage->topic_count);
    gate->hops = arena_array(&gate->arena, struct hop_watch, lineage->hop_count);
    find_topics(gate, query);
    find_standings(gate, query->rt);
    for (uint32_t i = 0; i < gate->input_count; i++) {
        struct task_input *input = &task->inputs[i];

        gate->inputs[i].topic = input->topic;
        gate->inputs[i].log = input->plan->source ? query->rt->log : query->log;
        gate->inputs[i].is_stream = is_of_stream(input);
        input->cleared = is_of_stream(input) ? -1 : INT64_MAX;
    }
    return gate;
}

void gate_unref(struct causal_gate *gate)
{
    if (atomic_fetch_sub(&gate->references, 1) > 1) {
        return;
    }
    for (uint32_t i = 0; i < gate->lineage->hop_count; i++) {
        standing_unref(gate->rt, gate->hops[i].standing);
    }
    for (uint32_t i = 0; i < gate->feed_count; i++) {
        standing_unref(gate->rt, gate->feeds[i]);
    }
    arena_fini(&gate->arena);
    free(gate);
}

void gate_leave(struct causal_gate *gate)
{
    if (gate) {
        atomic_store(&gate->phase, GATE_LEFT);
        gate_unref(gate);
    }
}

/* --- the task's side --- */

static bool is_shut(const struct task *task)
{
    for (uint32_t i = 0; i < task->sub->input_count; i++) {
        if (input_is_held(&task->inputs[i])) {
            return true;
        }
    }
    return false;
}

/* All that has come by now is asked for at once. */
static void ask(struct task *task)
{
    struct causal_gate *gate = task->gate;

    for (uint32_t i = 0; i < gate->input_count; i++) {
        gate->inputs[i].target = task->inputs[i].enqueued;
        gate->inputs[i].mark = 0;
    }
    gate->has_begun = false;
    gate->worker = task->worker;
    atomic_store(&gate->phase, GATE_ASKED);
    lookout_watch(gate->rt->lookout, gate);
}

static bool has_read_tables(const struct task *task)
{
    for (uint32_t i = 0; i < task->sub->input_count; i++) {
        if (gate_is_behind(task, &task->inputs[i])) {
            return false;
        }
    }
    return true;
}

static void open(struct task *task)
{
    for (uint32_t i = 0; i < task->sub->input_count; i++) {
        if (is_of_stream(&task->inputs[i])) {
            task->inputs[i].cleared = task->gate->inputs[i].target;
        }
    }
    atomic_store(&task->gate->phase, GATE_OPEN);
}

bool gate_is_reading(const struct task *task)
{
    return task->gate && atomic_load(&task->gate->phase) == GATE_READING;
}

bool gate_is_behind(const struct task *task, const struct task_input *input)
{
    return input->processed < task->gate->inputs[input - task->inputs].mark;
}

int64_t gate_mark(const struct task *task, const struct task_input *input)
{
    return task->gate->inputs[input - task->inputs].mark;
}

void gate_look(struct task *task)
{
    if (gate_is_reading(task) && has_read_tables(task)) {
        open(task);
    }
    if (atomic_load(&task->gate->phase) == GATE_OPEN && is_shut(task)) {
        ask(task);
    }
}
