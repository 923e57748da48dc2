/*
 * reader.c: a topic partition, decoded once for every task of a worker that reads it.
 *
 * Blocks come from the fetcher by mailbox and wait in `pending`. One call of
 * reader_decode makes one batch and offers it to the inputs: an input takes it
 * when the batch covers the offset that the input waits for and there is room.
 * One that has no room is simply passed by: its position stays, it counts
 * as lagging, and the catch-up cursor comes by for it later.
 *
 * Batches are counted by the inputs that hold them and go back to a free list, so the
 * steady state allocates nothing. A reader outlives its last input until the
 * messages and batches that name it are gone.
 */
#include "engine/runtime/runtime_internal.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/trace.h"

static void decode_failed(void *context, const struct row_origin *origin, enum format_side side,
                          const struct error *err)
{
    struct reader *reader = context;
    const char *what = side == SIDE_KEY ? "key" : "value";

    if (error_class_of(err->code) == ERROR_QUERY && !reader->damage.code) {
        reader->damage = *err; /* our own image cannot be read: not the record's fault */
    }
    for (uint32_t i = 0; i < reader->input_count; i++) {
        if (origin->offset >= reader->inputs[i]->enqueued) {
            task_count_skipped(reader->inputs[i]->task, origin, what, err);
        }
    }
}

static int open_decoder(struct reader *reader, struct error *err)
{
    struct input_decoder_spec spec = { .source = reader->source,
                                       .wanted = reader->wanted,
                                       .repartition = reader->repartition,
                                       .topic_name = reader->topic_text,
                                       .failed = decode_failed,
                                       .context = reader };

    return input_decoder_open(&spec, &reader->decoder, err);
}

/* The union of what the inputs want; true when it has grown. */
static bool widen_wanted(struct reader *reader, const struct input_plan *plan)
{
    bool grown = false;

    if (!reader->source || !reader->wanted) {
        return false;
    }
    for (uint32_t i = 0; i < reader->source->schema.column_count; i++) {
        if (!reader->wanted[i] && (!plan->wanted || plan->wanted[i])) {
            reader->wanted[i] = true;
            grown = true;
        }
    }
    return grown;
}

static struct reader *find_reader(const struct worker *worker, const struct task_input *input)
{
    for (struct reader *r = worker->readers; r; r = r->next) {
        if (!r->dead && r->topic == input->topic && r->partition == input->task->partition &&
            (input->plan->source ? r->source && r->source->id == input->plan->source->id
                                 : r->repartition == input->plan)) {
            return r;
        }
    }
    return NULL;
}

static void unlink_and_free(struct reader *reader)
{
    struct reader **at = &reader->worker->readers;

    while (*at != reader) {
        at = &(*at)->next;
    }
    *at = reader->next;
    while (reader->free_batches) {
        struct shared_batch *batch = reader->free_batches;

        reader->free_batches = batch->next_free;
        arena_fini(&batch->arena);
        free(batch);
    }
    if (reader->decoder) {
        input_decoder_close(reader->decoder);
    }
    arena_fini(&reader->arena);
    free(reader->wanted);
    free(reader->inputs);
    free(reader);
}

static struct reader *create_reader(struct worker *worker, const struct task_input *input)
{
    struct reader *reader = memory_zalloc(1, sizeof *reader);

    reader->worker = worker;
    reader->fetcher = input->plan->source || input->task->query->durable
                          ? worker->rt->fetcher
                          : worker->rt->transient_fetcher;
    reader->topic = input->topic;
    reader->partition = input->task->partition;
    arena_init(&reader->arena, 512);
    reader->topic_text = arena_copy_text(&reader->arena, input->topic->name);
    if (input->plan->source) {
        /* Of its own, so that dropping a query does not take the source away from others. */
        struct source *source = arena_new(&reader->arena, struct source);

        source_copy(&reader->arena, input->plan->source, source);
        reader->source = source;
        reader->wanted = memory_zalloc(source->schema.column_count + 1u, sizeof(bool));
        widen_wanted(reader, input->plan);
    } else {
        reader->repartition = input->plan;
    }
    reader->head = -1;
    reader->subscriber.reader = reader;
    reader->subscriber.worker = worker;
    atomic_store(&reader->subscriber.lagging, INT64_MAX);
    atomic_store(&reader->subscriber.leading, -1);
    reader->next = worker->readers;
    worker->readers = reader;
    return reader;
}

static int prepare_reader(struct reader *reader, const struct task_input *input, struct error *err)
{
    if (!reader->decoder) {
        return open_decoder(reader, err);
    }
    if (!widen_wanted(reader, input->plan)) {
        return 0;
    }
    /* Batches of the old decoder may be held by tasks; their cells do not need it any more. */
    input_decoder_close(reader->decoder);
    reader->decoder = NULL;
    return open_decoder(reader, err);
}

int reader_attach(struct worker *worker, struct task_input *input, struct error *err)
{
    struct reader *reader = find_reader(worker, input);
    bool created = !reader;
    int code;

    if (created) {
        reader = create_reader(worker, input);
    }
    code = prepare_reader(reader, input, err);
    if (code) {
        if (created) {
            unlink_and_free(reader);
        }
        return code;
    }
    if (reader->input_count == reader->input_capacity) {
        reader->input_capacity = reader->input_capacity * 2 + 1;
        reader->inputs =
            memory_resize(reader->inputs, reader->input_capacity, sizeof(struct task_input *));
    }
    reader->inputs[reader->input_count++] = input;
    input->reader = reader;
    reader_update_wants(reader);
    if (created) {
        fetcher_subscribe(reader->fetcher, reader->topic, reader->partition, &reader->subscriber);
    } else {
        fetcher_wake(reader->fetcher);
    }
    return 0;
}

static void drop_pending(struct reader *reader)
{
    struct fetch_message *message = reader->pending;
    struct fetch_subscriber *s = &reader->subscriber;

    reader->pending = (struct fetch_message *)(void *)message->message.next;
    if (!reader->pending) {
        reader->pending_last = NULL;
    } else {
        reader->pending_record = 0;
        reader->pending_from = reader->pending->from;
    }
    reader_update_wants(reader);
    atomic_fetch_sub(&s->in_flight_bytes, (int64_t)message->block->size_bytes);
    if (message->cursor == CURSOR_CATCH_UP) {
        atomic_fetch_sub(&s->in_flight_catch_up, 1);
    }
    atomic_fetch_sub(&s->in_flight, 1);
    log_block_unref(message->block);
    free(message);
    if (!reader->pending) {
        fetcher_wake(reader->fetcher);
    }
}

void reader_free_if_unused(struct reader *reader)
{
    if (!reader->dead || reader->worker->walks_readers || reader->live_batches > 0 ||
        atomic_load(&reader->subscriber.messages) > 0) {
        return;
    }
    while (reader->pending) {
        drop_pending(reader);
    }
    unlink_and_free(reader);
}

void reader_detach(struct task_input *input)
{
    struct reader *reader = input->reader;

    if (!reader) {
        return;
    }
    input->reader = NULL;
    for (uint32_t i = 0; i < reader->input_count; i++) {
        if (reader->inputs[i] == input) {
            reader->inputs[i] = reader->inputs[--reader->input_count];
            break;
        }
    }
    reader_update_wants(reader);
    if (reader->input_count == 0) {
        fetcher_unsubscribe(reader->fetcher, reader->topic, reader->partition, &reader->subscriber);
        reader->dead = true;
        reader_free_if_unused(reader);
    }
}

void reader_update_wants(struct reader *reader)
{
    int64_t leading = -1, lagging = INT64_MAX, head = reader->head;

    for (uint32_t i = 0; i < reader->input_count; i++) {
        const struct task_input *input = reader->inputs[i];

        if (input_can_take(input) && input->enqueued > leading) {
            leading = input->enqueued;
        }
    }
    head = leading > head ? leading : head;
    for (uint32_t i = 0; i < reader->input_count; i++) {
        const struct task_input *input = reader->inputs[i];

        if (input_can_take(input) && input->enqueued < head && input->enqueued < lagging) {
            lagging = input->enqueued;
        }
    }
    atomic_store(&reader->subscriber.leading, leading);
    atomic_store(&reader->subscriber.lagging, lagging);
}

/* --- what the fetcher says --- */

static void skip_gap(struct reader *reader, const struct fetch_message *message)
{
    for (uint32_t i = 0; i < reader->input_count; i++) {
        struct task_input *input = reader->inputs[i];

        if (input->enqueued < message->from || input->enqueued >= message->next) {
            continue;
        }
        if (message->event == FETCH_GAP) {
            TRACE(TRACE_WARN, "reader", "%s-%u: offsets %lld to %lld are no longer in the log",
                  reader->topic_text, reader->partition, (long long)input->enqueued,
                  (long long)message->next - 1);
        }
        input_skip_to(input, message->next);
    }
}

static void fail_tasks(struct reader *reader, const struct error *why)
{
    while (reader->input_count > 0) {
        worker_fail_query(reader->worker, reader->inputs[0]->task->query, why);
    }
}

void reader_handle(struct worker *worker, struct message *base)
{
    struct fetch_message *message = (struct fetch_message *)(void *)base;
    struct reader *reader = message->reader;

    worker->activity++;
    atomic_fetch_sub(&reader->subscriber.messages, 1);
    if (message->event == FETCH_BLOCK) {
        message->message.next = NULL;
        if (reader->pending) {
            reader->pending_last->message.next = &message->message;
        } else {
            reader->pending = message;
            reader->pending_record = 0;
            reader->pending_from = message->from;
        }
        reader->pending_last = message;
        reader_free_if_unused(reader);
        return;
    }
    if (message->cursor == CURSOR_HEAD && message->event != FETCH_FAILED) {
        reader->head = message->next;
    }
    if (message->event == FETCH_GAP || message->event == FETCH_EMPTY) {
        skip_gap(reader, message);
    }
    reader_update_wants(reader);
    if (message->event == FETCH_FAILED && !reader->dead) {
        fail_tasks(reader, &message->failure);
    } else {
        reader_free_if_unused(reader);
    }
    free(message);
}

/* --- decoding --- */

static struct shared_batch *batch_take(struct reader *reader)
{
    struct shared_batch *batch = reader->free_batches;

    if (batch) {
        reader->free_batches = batch->next_free;
    } else {
        batch = memory_zalloc(1, sizeof *batch);
        batch->reader = reader;
        arena_init(&batch->arena, 0);
    }
    batch->references = 1;
    reader->live_batches++;
    return batch;
}

void shared_batch_unref(struct shared_batch *batch)
{
    struct reader *reader = batch->reader;

    if (--batch->references > 0) {
        return;
    }
    log_block_unref(batch->block);
    batch->block = NULL;
    arena_reset(&batch->arena);
    batch->next_free = reader->free_batches;
    reader->free_batches = batch;
    reader->live_batches--;
    reader_free_if_unused(reader);
}

static bool anyone_waits(const struct reader *reader, int64_t from, int64_t next)
{
    for (uint32_t i = 0; i < reader->input_count; i++) {
        const struct task_input *input = reader->inputs[i];

        if (input->enqueued >= from && input->enqueued < next && input_can_take(input)) {
            return true;
        }
    }
    return false;
}

static void offer(struct reader *reader, struct shared_batch *batch, int64_t from)
{
    for (uint32_t i = 0; i < reader->input_count; i++) {
        struct task_input *input = reader->inputs[i];

        if (input->enqueued >= from && input->enqueued < batch->next_offset &&
            input_can_take(input)) {
            input_offer(input, batch);
        }
    }
}

/* The next records of the first pending block, up to a batch full. */
static void decode_some(struct reader *reader, struct fetch_message *message)
{
    const struct log_block *block = message->block;
    uint32_t first = reader->pending_record;
    uint32_t count = block->record_count - first;
    uint32_t most = reader->worker->rt->config.batch_rows;
    int64_t from = reader->pending_from;
    struct shared_batch *batch;
    int64_t next;

    count = count < most ? count : most;
    next = first + count < block->record_count ? block->records[first + count].offset
                                               : block->next_offset;
    reader->pending_record += count;
    reader->pending_from = next;
    if (count > 0 && anyone_waits(reader, from, next)) {
        batch = batch_take(reader);
        log_block_ref(message->block);
        batch->block = message->block;
        batch->next_offset = next;
        batch->rows = input_decoder_decode(reader->decoder, block, first, count, &batch->arena);
        offer(reader, batch, from);
        shared_batch_unref(batch);
    } else if (count == 0) {
        for (uint32_t i = 0; i < reader->input_count; i++) {
            struct task_input *input = reader->inputs[i];

            if (input->enqueued >= from && input->enqueued < next) {
                input_skip_to(input, next);
            }
        }
    }
}

bool reader_decode(struct reader *reader)
{
    struct fetch_message *message = reader->pending;

    if (!message || reader->dead) {
        return false;
    }
    decode_some(reader, message);
    if (reader->damage.code) {
        struct error damage = reader->damage;

        reader->damage = (struct error){ 0 };
        fail_tasks(reader, &damage);
        return true;
    }
    if (reader->pending_from >= message->next) {
        if (message->cursor == CURSOR_HEAD && message->next > reader->head) {
            reader->head = message->next;
        }
        drop_pending(reader);
    } else {
        reader_update_wants(reader);
    }
    return true;
}
