/*
 * qtt_drive.c: who reads what, when: gates opened record by record, query by query.
 *
 *   query 1   input 1 | input 2 | ... of its topics, in file order
 *             then what earlier queries left on its other topics
 *   query 2   the same, and so on
 *
 * With --batch N the gates open N inputs of one topic at a time; with --crash-every N the
 * engine loses all live state in the middle of every Nth step and must come to the same
 * records. A crash forgets the gates too, so all that were opened are kept here.
 */
#include "cli/test/qtt.h"

struct gate {
    struct bytes query_id;
    const struct log_topic *topic;
    uint32_t partition;
    int64_t below;
};

struct driver {
    struct harness *h;
    const struct test_options *options;
    const struct placed_inputs *inputs;
    VEC(struct gate) gates;
    uint32_t since_crash;
    uint32_t crash_count;
};

/* --- gates --- */

static int open_gate(struct driver *d, const struct gate *gate, struct error *err)
{
    return runtime_open_gate(engine_runtime(d->h->engine), gate->query_id, gate->topic,
                             gate->partition, gate->below, err);
}

static int raise_gate(struct driver *d, const struct gate *wanted, struct error *err)
{
    for (uint32_t i = 0; i < d->gates.count; i++) {
        struct gate *gate = &d->gates.items[i];

        if (gate->topic == wanted->topic && gate->partition == wanted->partition &&
            bytes_equal(gate->query_id, wanted->query_id)) {
            gate->below = wanted->below > gate->below ? wanted->below : gate->below;
            return open_gate(d, gate, err);
        }
    }
    *vec_push(&d->h->arena, &d->gates) = *wanted;
    return open_gate(d, wanted, err);
}

static int crash(struct driver *d, struct error *err)
{
    struct runtime *rt = engine_runtime(d->h->engine);

    for (uint32_t step = d->crash_count++ % 4; step > 0; step--) {
        (void)runtime_step(rt); /* so that the crash comes at different depths */
    }
    TRY(runtime_crash(rt, err));
    for (uint32_t i = 0; i < d->gates.count; i++) {
        TRY(open_gate(d, &d->gates.items[i], err));
    }
    return 0;
}

/* Everything that was let in goes through. */
static int settle(struct driver *d, uint32_t inputs, struct error *err)
{
    d->since_crash += inputs;
    if (d->options->crash_every > 0 && d->since_crash >= d->options->crash_every) {
        d->since_crash = 0;
        TRY(crash(d, err));
    }
    return runtime_drain(engine_runtime(d->h->engine), err);
}

/* --- one query --- */

typedef VEC(struct bytes) name_list;

static void source_topics(struct driver *d, const struct physical_plan *plan, name_list *out)
{
    for (uint32_t i = 0; i < plan->sub_count; i++) {
        for (uint32_t j = 0; j < plan->subs[i].input_count; j++) {
            const struct input_plan *input = &plan->subs[i].inputs[j];
            uint32_t known = 0;

            while (known < out->count && !bytes_equal(out->items[known], input->topic)) {
                known++;
            }
            if (input->source && known == out->count) {
                *vec_push(&d->h->arena, out) = arena_copy(&d->h->arena, input->topic);
            }
        }
    }
}

static bool reads(const name_list *topics, const struct log_topic *topic)
{
    for (uint32_t i = 0; i < topics->count; i++) {
        if (bytes_equal(topics->items[i], topic->name)) {
            return true;
        }
    }
    return false;
}

static int feed_inputs(struct driver *d, struct bytes query_id, const name_list *topics,
                       struct error *err)
{
    const struct log_topic *last = NULL;
    uint32_t waiting = 0;

    for (uint32_t i = 0; i < d->inputs->count; i++) {
        const struct placed_input *input = &d->inputs->items[i];
        struct gate gate = { query_id, input->topic, input->partition, input->offset + 1 };

        if (!reads(topics, input->topic)) {
            continue;
        }
        if (waiting > 0 && (input->topic != last || waiting >= d->options->batch_rows)) {
            TRY(settle(d, waiting, err));
            waiting = 0;
        }
        TRY(raise_gate(d, &gate, err));
        last = input->topic;
        waiting++;
    }
    return waiting > 0 ? settle(d, waiting, err) : 0;
}

static bool is_input(const struct driver *d, struct bytes topic)
{
    for (uint32_t i = 0; i < d->inputs->count; i++) {
        if (bytes_equal(d->inputs->items[i].topic->name, topic)) {
            return true;
        }
    }
    return false;
}

/* What lies on a topic of its own sources that no input names. */
static int feed_rest(struct driver *d, struct bytes query_id, struct bytes name, struct error *err)
{
    const struct log_topic *topic = NULL;
    struct log_range range = { 0, 0 };

    if (is_input(d, name)) {
        return 0;
    }
    TRY(harness_topic(d->h, name, &topic, err));
    for (uint32_t partition = 0; partition < topic->partition_count; partition++) {
        TRY(log_topic_range(d->h->log, topic, partition, READ_COMMITTED, &range, err));
        for (int64_t at = range.begin; at < range.end;) {
            uint32_t step = d->options->batch_rows;
            struct gate gate = { query_id, topic, partition, 0 };

            at = range.end - at < (int64_t)step ? range.end : at + (int64_t)step;
            gate.below = at;
            TRY(raise_gate(d, &gate, err));
            TRY(settle(d, step, err));
        }
    }
    return 0;
}

static int drive_query(struct driver *d, const struct query_entry *entry, struct error *err)
{
    name_list topics = { 0 };

    source_topics(d, entry->plan, &topics);
    TRY(feed_inputs(d, entry->id, &topics, err));
    for (uint32_t i = 0; i < topics.count; i++) {
        TRY(feed_rest(d, entry->id, topics.items[i], err));
    }
    return 0;
}

int qtt_drive(struct harness *h, const struct test_options *options,
              const struct placed_inputs *inputs, struct error *err)
{
    struct driver d = { .h = h, .options = options, .inputs = inputs };

    for (uint32_t i = 0; i < h->queries.count; i++) {
        const struct query_entry *entry =
            catalog_find_query(engine_catalog(h->engine), h->queries.items[i]);

        if (entry) {
            TRY(drive_query(&d, entry, err));
        }
    }
    return 0;
}
