/*
 * lookout.c: watches, for the gates that are shut, how far what derives from their stream has come.
 *
 *   begin   how far each common topic has to have passed: the stream's own up to the rows that
 *           wait, others up to what the stream's records can derive from
 *   hop     the reader has committed that: now what it wrote stands below the topic's end
 *   ...
 *   marks   the table's topic up to that end: the task reads on to there by itself
 *
 * Ends are those that uncommitted records count for: what a hop has committed may lie behind
 * records of another writer that is not done yet.
 *
 * A hop that is behind and does not move for join.causal.max.wait.ms is passed over, whatever the
 * reason: its query is paused, in ERROR, terminated, or its node is gone; for the
 * rows that come after it, too, until it moves again.
 *
 * Where a task runs on another node, its position is read from the progress topic.
 */
#include <stdlib.h>

#include "base/memory.h"
#include "base/trace.h"
#include "engine/runtime/causal.h"

enum {
    LOOK_AHEAD = 65536, /* offsets that a gate clears at once at most, beside what is queued */
    TICK_MS = 5,        /* while a gate is shut: offsets without records come without a notice */
    OTHER_NODES_US = 20000
};

struct lookout {
    struct runtime *rt;
    struct causal_gate *gates; /* the stepping thread's; but for the next two lines */
    pthread_mutex_t mutex;     /* incoming, is_listed, noticed, stop */
    pthread_cond_t wanted;
    struct causal_gate *incoming, *incoming_last;
    bool noticed;
    bool stop;
    _Atomic uint32_t watched;
    pthread_t thread;
    bool has_thread;
};

struct lookout *lookout_create(struct runtime *rt)
{
    struct lookout *lookout = memory_zalloc(1, sizeof *lookout);

    lookout->rt = rt;
    pthread_mutex_init(&lookout->mutex, NULL);
    clock_cond_init(&lookout->wanted);
    return lookout;
}

static void take_incoming(struct lookout *lookout)
{
    struct causal_gate **end = &lookout->gates;

    while (*end) {
        end = &(*end)->next;
    }
    pthread_mutex_lock(&lookout->mutex);
    *end = lookout->incoming;
    lookout->incoming = NULL;
    lookout->incoming_last = NULL;
    pthread_mutex_unlock(&lookout->mutex);
}

void lookout_destroy(struct lookout *lookout)
{
    if (!lookout) {
        return;
    }
    take_incoming(lookout);
    while (lookout->gates) {
        struct causal_gate *gate = lookout->gates;

        lookout->gates = gate->next;
        gate_unref(gate);
    }
    pthread_mutex_destroy(&lookout->mutex);
    pthread_cond_destroy(&lookout->wanted);
    free(lookout);
}

void lookout_watch(struct lookout *lookout, struct causal_gate *gate)
{
    pthread_mutex_lock(&lookout->mutex);
    if (!gate->is_listed) {
        gate->is_listed = true;
        gate->next = NULL;
        atomic_fetch_add(&gate->references, 1);
        atomic_fetch_add(&lookout->watched, 1);
        if (lookout->incoming) {
            lookout->incoming_last->next = gate;
        } else {
            lookout->incoming = gate;
        }
        lookout->incoming_last = gate;
    }
    lookout->noticed = true;
    pthread_cond_signal(&lookout->wanted);
    pthread_mutex_unlock(&lookout->mutex);
}

void lookout_notice(struct lookout *lookout)
{
    if (atomic_load(&lookout->watched) == 0) {
        return;
    }
    pthread_mutex_lock(&lookout->mutex);
    lookout->noticed = true;
    pthread_cond_signal(&lookout->wanted);
    pthread_mutex_unlock(&lookout->mutex);
}

/* --- how far something has to have passed --- */

static int64_t end_of(struct log *log, const struct log_topic *topic, uint32_t partition,
                      enum log_isolation isolation, int *code)
{
    struct log_range range = { 0 };
    struct error err = { 0 };

    if (!*code) {
        *code = log_topic_range(log, topic, partition, isolation, &range, &err);
    }
    return range.end;
}

static int open_topics(struct causal_gate *gate)
{
    for (uint32_t i = 0; i < gate->lineage->topic_count; i++) {
        struct error err = { 0 };

        if (!gate->topics[i]) {
            TRY(log_open_topic(gate->logs[i], gate->lineage->topics[i].name, &gate->topics[i],
                               &err));
        }
        if (!gate->required[i] || gate->topics[i]->partition_count > gate->counts[i]) {
            gate->counts[i] = gate->topics[i]->partition_count;
            gate->required[i] =
                arena_array(&gate->arena, int64_t, gate->topics[i]->partition_count);
        }
    }
    return 0;
}

static int64_t lower(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t higher(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* What has come by now, and so much of what the log has that a replay need not ask often. */
static int find_targets(struct causal_gate *gate)
{
    int code = 0;

    for (uint32_t i = 0; i < gate->input_count; i++) {
        struct gate_input *input = &gate->inputs[i];

        if (input->is_stream) {
            int64_t end = end_of(input->log, input->topic, gate->partition, READ_COMMITTED, &code);

            input->target = higher(input->target, lower(end, input->target + LOOK_AHEAD));
        }
    }
    return code;
}

/* The stream's records on their way from here: no one has tried to pass on more than this. */
static int64_t attempted(const struct lineage_topic *topic, struct standing *const *feeds,
                         uint32_t partition)
{
    int64_t most = -1;

    for (uint32_t i = 0; i < topic->feed_count; i++) {
        most = higher(most, standing_of(feeds[i], &topic->feeds[i], partition).attempted);
    }
    return most < 0 ? INT64_MAX : most;
}

static int bound_common(struct causal_gate *gate, uint32_t number, struct standing *const *feeds)
{
    const struct lineage_topic *topic = &gate->lineage->topics[number];
    const struct log_topic *found = gate->topics[number];
    int code = 0;

    for (uint32_t p = 0; p < found->partition_count; p++) {
        int64_t most = attempted(topic, feeds, p);

        gate->required[number][p] =
            most < INT64_MAX ? most : end_of(gate->logs[number], found, p, READ_COMMITTED, &code);
    }
    return code;
}

/* Of the stream's own topic only what waits counts. */
static bool is_own_stream(struct causal_gate *gate, uint32_t number)
{
    bool found = false;

    for (uint32_t i = 0; i < gate->input_count; i++) {
        if (gate->inputs[i].is_stream && gate->lineage->of_input[i] == number) {
            gate->required[number][gate->partition] = gate->inputs[i].target;
            found = true;
        }
    }
    return found;
}

static int begin(struct causal_gate *gate)
{
    struct standing *const *feeds = gate->feeds;

    TRY(open_topics(gate));
    TRY(find_targets(gate));
    for (uint32_t i = 0; i < gate->lineage->topic_count; i++) {
        const struct lineage_topic *topic = &gate->lineage->topics[i];

        for (uint32_t p = 0; p < gate->topics[i]->partition_count; p++) {
            gate->required[i][p] = 0;
        }
        if (topic->is_common && !is_own_stream(gate, i)) {
            TRY(bound_common(gate, i, feeds));
        }
        feeds += topic->feed_count;
    }
    gate->hop = 0;
    gate->has_begun = true;
    return 0;
}

/* --- hops --- */

static bool leads_on(const struct causal_gate *gate, uint32_t topic)
{
    for (uint32_t i = 0; i < gate->lineage->hop_count; i++) {
        if (gate->lineage->hops[i].from == topic) {
            return true;
        }
    }
    return false;
}

/* Behind what the reader of the hop has committed; of a table's topic one partition is read. */
static int pass_hop(struct causal_gate *gate, const struct lineage_hop *hop)
{
    const struct log_topic *topic = gate->topics[hop->to];
    bool all = leads_on(gate, hop->to);
    int code = 0;

    for (uint32_t p = 0; p < topic->partition_count; p++) {
        if (all || p == gate->partition) {
            int64_t end = end_of(gate->logs[hop->to], topic, p, READ_UNCOMMITTED, &code);

            gate->required[hop->to][p] = higher(gate->required[hop->to][p], end);
        }
    }
    if (!code) {
        gate->hop++;
    }
    return code;
}

static bool is_remote(struct runtime *rt, uint32_t slot)
{
    bool owned;

    pthread_mutex_lock(&rt->leaf_mutex);
    owned = rt->slots[slot].owned;
    pthread_mutex_unlock(&rt->leaf_mutex);
    return !owned;
}

static int open_input(struct runtime *rt, const struct query *query, struct task_input *input,
                      struct error *err)
{
    if (input->plan->source) {
        return log_open_topic(rt->log, input->plan->topic, &input->topic, err);
    }
    input->topic = query->topics.outputs[input->plan->output];
    return 0;
}

/* From the progress topic; rt->mutex held. */
static void read_remote(struct runtime *rt, const struct lineage_reader *reader,
                        struct query *query, struct standing *standing, uint32_t partition)
{
    const struct sub_plan *sub = &query->plan->subs[reader->sub];
    const struct input_plan *plan = &sub->inputs[reader->input];
    uint32_t slot = slot_of(rt, sub->root_topic, partition);
    struct task_input *inputs = memory_zalloc(sub->input_count, sizeof *inputs);
    struct task task = { .query = query, .sub = sub, .sub_index = reader->sub };
    struct task_input *input = &inputs[reader->input];
    struct stand stand = { -1, INT64_MAX };
    struct progress *progress = NULL;
    struct bytes metadata;
    bool noted_here; /* whoever counted: it is only compared */
    struct error err = { 0 };

    task.partition = partition;
    task.inputs = inputs;
    input->task = &task;
    input->plan = plan;
    if (!progress_read(rt, slot, &progress, &err) && !open_input(rt, query, input, &err) &&
        progress_find_task(progress, &task, &metadata)) {
        stand.committed = progress_position(progress, input, &noted_here);
        standing_set(standing, reader, partition, &stand);
    }
    free(inputs);
}

static void ask_other_nodes(struct lookout *lookout, struct causal_gate *gate,
                            const struct lineage_reader *reader, struct standing *standing)
{
    struct runtime *rt = lookout->rt;
    int64_t now_us = clock_monotonic_us(rt->clock);
    struct query *query;

    if (membership_owns_all(rt) ||
        (lookout->has_thread && now_us - gate->asked_us < OTHER_NODES_US)) {
        return;
    }
    gate->asked_us = now_us;
    if (lookout->has_thread) {
        pthread_mutex_lock(&rt->mutex);
    }
    query = map_find(&rt->queries, reader->query_id);
    for (uint32_t p = 0; query && query->durable && query->topics.found &&
                         p < query->topics.task_counts[reader->sub];
         p++) {
        if (is_remote(rt, slot_of(rt, query->plan->subs[reader->sub].root_topic, p))) {
            read_remote(rt, reader, query, standing, p);
        }
    }
    if (lookout->has_thread) {
        pthread_mutex_unlock(&rt->mutex);
    }
}

/* True: all that has to have passed has. The sum tells whether it moves. */
static bool has_passed(const struct causal_gate *gate, const struct lineage_hop *hop,
                       struct standing *standing, int64_t *sum)
{
    const int64_t *required = gate->required[hop->from];
    bool passed = true;

    *sum = 0;
    for (uint32_t p = 0; p < gate->topics[hop->from]->partition_count; p++) {
        int64_t at = standing_of(standing, &hop->reader, p).committed;

        passed &= required[p] <= 0 || at >= required[p];
        *sum += at;
    }
    return passed;
}

/* Offsets without records pass the reader by when it looks for them. */
static void look_for_more(struct lookout *lookout, const struct log_topic *topic)
{
    for (uint32_t p = 0; lookout->has_thread && p < topic->partition_count; p++) {
        fetcher_look_at(lookout->rt->fetcher, topic, p);
    }
}

/* Whether it has not moved for so long that the gate goes on without it. */
static bool is_stalled(struct lookout *lookout, struct causal_gate *gate,
                       const struct lineage_hop *hop, struct hop_watch *watch, int64_t sum)
{
    int64_t now_ms = clock_elapsed_ms(lookout->rt->clock);

    if (watch->since_ms < 0 || sum != watch->sum) {
        watch->since_ms = now_ms;
        watch->sum = sum;
        watch->given_up = false;
    }
    if (now_ms - watch->since_ms < gate->max_wait_ms) {
        look_for_more(lookout, gate->topics[hop->from]);
        return false;
    }
    if (!watch->given_up) {
        TRACE(TRACE_WARN, "causal",
              "%.*s joins without waiting for %.*s, which has not come further on '%.*s' for "
              "%lld ms",
              BYTES_ARG(gate->query_id), BYTES_ARG(hop->reader.query_id),
              BYTES_ARG(gate->topics[hop->from]->name), (long long)(now_ms - watch->since_ms));
        watch->given_up = true;
    }
    return true;
}

/* The log does not answer, or a topic is gone: it is found anew the next time. */
static void begin_anew(struct causal_gate *gate)
{
    gate->has_begun = false;
    for (uint32_t i = 0; i < gate->lineage->topic_count; i++) {
        if (!gate->lineage->topics[i].is_own) {
            gate->topics[i] = NULL;
        }
    }
}

/* True: the gate has come further. */
static bool take_hop(struct lookout *lookout, struct causal_gate *gate)
{
    const struct lineage_hop *hop = &gate->lineage->hops[gate->hop];
    struct hop_watch *watch = &gate->hops[gate->hop];
    int64_t sum;

    if (!has_passed(gate, hop, watch->standing, &sum)) {
        ask_other_nodes(lookout, gate, &hop->reader, watch->standing);
        if (!has_passed(gate, hop, watch->standing, &sum) &&
            !is_stalled(lookout, gate, hop, watch, sum)) {
            return false;
        }
    } else {
        watch->since_ms = -1;
    }
    if (pass_hop(gate, hop)) {
        begin_anew(gate);
        return false;
    }
    return true;
}

/* --- a gate --- */

static void set_marks(struct causal_gate *gate)
{
    for (uint32_t i = 0; i < gate->input_count; i++) {
        uint32_t topic = gate->lineage->of_input[i];

        if (!gate->inputs[i].is_stream && topic != LINEAGE_NONE) {
            gate->inputs[i].mark = gate->required[topic][gate->partition];
        }
    }
}

static void wake_task(struct causal_gate *gate)
{
    int asked = GATE_ASKED;
    struct worker *worker = gate->worker;

    set_marks(gate);
    if (atomic_compare_exchange_strong(&gate->phase, &asked, GATE_READING)) {
        mailbox_wake(&worker->mailbox);
    }
}

static bool step_gate(struct lookout *lookout, struct causal_gate *gate)
{
    bool any = false;

    if (!gate->has_begun) {
        if (begin(gate)) {
            begin_anew(gate);
            return false;
        }
        any = true;
    }
    while (gate->hop < gate->lineage->hop_count) {
        if (!take_hop(lookout, gate)) {
            return any;
        }
        any = true;
    }
    wake_task(gate);
    return true;
}

static void look_for_marks(struct lookout *lookout, const struct causal_gate *gate)
{
    for (uint32_t i = 0; lookout->has_thread && i < gate->input_count; i++) {
        if (!gate->inputs[i].is_stream && gate->inputs[i].log == lookout->rt->log) {
            fetcher_look_at(lookout->rt->fetcher, gate->inputs[i].topic, gate->partition);
        }
    }
}

/* True: nobody waits at it any more. */
static bool let_go(struct lookout *lookout, struct causal_gate *gate)
{
    int phase;

    pthread_mutex_lock(&lookout->mutex);
    phase = atomic_load(&gate->phase);
    gate->is_listed = phase == GATE_ASKED || phase == GATE_READING;
    pthread_mutex_unlock(&lookout->mutex);
    return phase == GATE_OPEN || phase == GATE_LEFT;
}

bool lookout_step(struct lookout *lookout)
{
    struct causal_gate **at = &lookout->gates;
    bool any = false;

    if (atomic_load(&lookout->watched) == 0) {
        return false;
    }
    take_incoming(lookout);
    while (*at) {
        struct causal_gate *gate = *at;
        struct causal_gate *next = gate->next;

        if (let_go(lookout, gate)) {
            *at = next;
            atomic_fetch_sub(&lookout->watched, 1);
            gate_unref(gate);
            continue;
        }
        if (atomic_load(&gate->phase) == GATE_ASKED) {
            any |= step_gate(lookout, gate);
        } else {
            look_for_marks(lookout, gate);
        }
        at = &gate->next;
    }
    return any;
}

/* --- the thread --- */

static void *lookout_main(void *argument)
{
    struct lookout *lookout = argument;

    pthread_mutex_lock(&lookout->mutex);
    while (!lookout->stop) {
        if (!lookout->noticed && atomic_load(&lookout->watched) == 0) {
            pthread_cond_wait(&lookout->wanted, &lookout->mutex);
        } else if (!lookout->noticed) {
            struct timespec deadline = clock_deadline(TICK_MS);

            pthread_cond_timedwait(&lookout->wanted, &lookout->mutex, &deadline);
        }
        lookout->noticed = false;
        pthread_mutex_unlock(&lookout->mutex);
        while (lookout_step(lookout)) {
        }
        pthread_mutex_lock(&lookout->mutex);
    }
    pthread_mutex_unlock(&lookout->mutex);
    return NULL;
}

int lookout_start_thread(struct lookout *lookout)
{
    lookout->has_thread = true;
    if (pthread_create(&lookout->thread, NULL, lookout_main, lookout)) {
        lookout->has_thread = false;
        return ERR_QUERY_FAILED;
    }
    return 0;
}

void lookout_stop_thread(struct lookout *lookout)
{
    if (!lookout->has_thread) {
        return;
    }
    pthread_mutex_lock(&lookout->mutex);
    lookout->stop = true;
    pthread_cond_signal(&lookout->wanted);
    pthread_mutex_unlock(&lookout->mutex);
    pthread_join(lookout->thread, NULL);
    lookout->has_thread = false;
}
