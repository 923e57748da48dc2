/*
 * reader.c: a topic partition, decoded once for every task of a worker that reads it.
 *
 * Blocks come from the fetcher by mailbox and wait in `pending`. Each step makes one
 * batch of them and offers it to the inputs: an input takes it when the batch covers
 * the offset that the input waits for and there is room. One that has no room is
 * simply passed by: its position stays, it counts as lagging, and the catch-up
 * cursor comes by for it later. Only while a commit is under way, and until tasks have run
 * behind it, since nothing else makes room, the batch waits for all.
 *
 * Batches are counted by the inputs that hold them and go back to a free list, so the
 * steady state allocates nothing. A reader outlives its last input until the
 * messages and batches that name it are gone; it is freed in readers_step alone, so
 * whoever holds one during a step may go on using it.
 */
#include "engine/runtime/runtime_internal.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/trace.h"

enum { BLOCKS_PER_WAKE = 8 }; /* so that the next ones are there before these are done with */

/* Whether the batch that is being decoded is for that input. */
static bool will_take(const struct reader *reader, const struct task_input *input)
{
    return input->enqueued >= reader->pending_from && input->enqueued < reader->batch_next &&
           input_can_take(input);
}

bool query_stops_at(const struct query_options *options, const struct error *err)
{
    return err->code == ERR_TIMESTAMP ? options->fails_on_timestamp : options->fails_on_unreadable;
}

void query_stop_reason(const struct row_origin *origin, const char *what, const struct error *err,
                       struct error *out)
{
    error_set(out, ERR_QUERY_FAILED, NO_POSITION, "%s of %s-%u@%lld: %s", what, origin->topic,
              origin->partition, (long long)origin->offset, err->message);
}

static void refuse(struct reader *reader, struct task_input *input, const struct row_origin *origin,
                   const char *what, const struct error *err)
{
    if (origin->offset >= input->refused_at) {
        return;
    }
    input->refused_at = origin->offset;
    reader->has_refused = true;
    query_stop_reason(origin, what, err, &input->task->refusal);
}

static void decode_failed(void *context, const struct row_origin *origin, enum format_side side,
                          const struct error *err)
{
    struct reader *reader = context;
    const char *what = side == SIDE_KEY ? "key" : "value";

    if (error_class_of(err->code) == ERROR_QUERY && !reader->damage.code) {
        reader->damage = *err; /* our own image cannot be read: not the record's fault */
    }
    for (uint32_t i = 0; i < reader->input_count; i++) {
        struct task_input *input = reader->inputs[i];

        if (!will_take(reader, input) || origin->offset < input->enqueued ||
            origin->offset > input->refused_at) {
            continue;
        }
        if (query_stops_at(&input->task->query->options, err)) {
            refuse(reader, input, origin, what, err);
        } else {
            task_count_skipped(input->task, origin, what, err);
        }
    }
}

static int open_decoder(struct reader *reader, struct input_decoder **out, struct error *err)
{
    struct input_decoder_spec spec = { .source = reader->source,
                                       .wanted = reader->wanted,
                                       .repartition = reader->repartition,
                                       .topic_name = reader->topic_text,
                                       .failed = decode_failed,
                                       .context = reader };

    return input_decoder_open(&spec, out, err);
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

static void activate(struct reader *reader)
{
    if (!reader->active) {
        reader->active = true;
        reader->next_active = reader->worker->active_readers;
        reader->worker->active_readers = reader;
    }
}

void reader_touch(struct reader *reader)
{
    reader->stale = true;
    activate(reader);
}

/* The caller has taken it out of the active ones. */
static void unlink_and_free(struct reader *reader)
{
    struct reader **at = &reader->worker->readers;

    while (*at != reader) {
        at = &(*at)->next;
    }
    *at = reader->next;
    for (uint32_t i = 0; i < reader->retired_count; i++) {
        input_decoder_close(reader->retired[i]);
    }
    free(reader->retired);
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

/* CREATE OR REPLACE leaves queries on the source as it was: their positions share a record. */
static void find_twins(struct worker *worker, struct reader *reader)
{
    for (struct reader *r = worker->readers; r; r = r->next) {
        if (r->topic == reader->topic && r->partition == reader->partition && r->source &&
            reader->source && bytes_equal(r->source->name, reader->source->name)) {
            r->has_twin = true;
            reader->has_twin = true;
        }
    }
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
    atomic_store(&reader->subscriber.ahead, INT64_MAX);
    atomic_store(&reader->subscriber.leading, -1);
    find_twins(worker, reader);
    reader->next = worker->readers;
    worker->readers = reader;
    return reader;
}

/* A decoder that was replaced stays: what it made may be held until the last task goes. */
static void retire_decoder(struct reader *reader)
{
    reader->retired =
        memory_resize(reader->retired, reader->retired_count + 1u, sizeof(struct input_decoder *));
    reader->retired[reader->retired_count++] = reader->decoder;
}

static int prepare_reader(struct reader *reader, const struct task_input *input, struct error *err)
{
    struct input_decoder *decoder;

    if (!widen_wanted(reader, input->plan) && reader->decoder) {
        return 0;
    }
    TRY(open_decoder(reader, &decoder, err));
    if (reader->decoder) {
        retire_decoder(reader);
    }
    reader->decoder = decoder;
    return 0;
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
    if (created) {
        fetcher_subscribe(reader->fetcher, reader->topic, reader->partition, &reader->subscriber);
    }
    reader_touch(reader);
    return 0;
}

/* --- what it wants --- */

/* One that is full only for the time of a commit is not passed by. */
static bool input_waits(const struct task_input *input)
{
    return input_can_take(input) || (input->task->worker->settling && input->queue_count > 0 &&
                                     input->task->could_take && input->enqueued < input->gate);
}

static void update_wants(struct reader *reader)
{
    struct fetch_subscriber *s = &reader->subscriber;
    int64_t leading = -1, lagging = INT64_MAX, ahead = INT64_MAX, head;

    for (uint32_t i = 0; i < reader->input_count; i++) {
        struct task_input *input = reader->inputs[i];

        input->could_take = input_waits(input);
        if (input->could_take && input->enqueued > leading) {
            leading = input->enqueued;
        }
    }
    head = leading > reader->head ? leading : reader->head;
    for (uint32_t i = 0; i < reader->input_count; i++) {
        const struct task_input *input = reader->inputs[i];

        if (!input->could_take || input->enqueued >= head) {
            continue;
        }
        lagging = input->enqueued < lagging ? input->enqueued : lagging;
        if (input->enqueued >= reader->catch_up && input->enqueued < ahead) {
            ahead = input->enqueued;
        }
    }
    reader->stale = false;
    atomic_store(&s->leading, leading);
    atomic_store(&s->lagging, lagging);
    atomic_store(&s->ahead, ahead);
    atomic_store(&s->follows, leading >= 0 && leading >= reader->head);
}

/* Both fetchers are served by one thread, which waits in the node's. */
static void wake_fetcher(const struct reader *reader)
{
    fetcher_wake(reader->worker->rt->fetcher);
}

static void drop_pending(struct reader *reader)
{
    struct fetch_message *message = reader->pending;
    struct fetch_subscriber *s = &reader->subscriber;
    uint32_t left;

    reader->pending = (struct fetch_message *)(void *)message->message.next;
    if (!reader->pending) {
        reader->pending_last = NULL;
    } else {
        reader->pending_record = 0;
        reader->pending_from = reader->pending->from;
    }
    update_wants(reader);
    atomic_fetch_sub(&s->in_flight_bytes, (int64_t)message->block->size_bytes);
    left = atomic_fetch_sub(&s->in_flight, 1) - 1;
    atomic_fetch_sub(&s->under_way[message->cursor], 1);
    fetcher_note(reader->fetcher, s);
    log_block_unref(message->block);
    free(message);
    if (!reader->pending || left % BLOCKS_PER_WAKE == 0) {
        wake_fetcher(reader);
    }
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
    if (reader->input_count == 0) {
        fetcher_unsubscribe(reader->fetcher, &reader->subscriber);
        reader->dead = true;
    }
    reader_touch(reader);
}

/* --- what the fetcher says --- */

/* That there are records which a query will never see is told like a record that it skips. */
static void tell_gap(const struct reader *reader, struct task_input *input, int64_t next)
{
    const struct row_origin origin = { .topic = reader->topic_text,
                                       .partition = reader->partition,
                                       .offset = input->enqueued };
    struct error why = { 0 };

    if (next < input->enqueued) {
        error_set(&why, ERR_OUT_OF_RANGE, NO_POSITION,
                  "the log ends before offset %lld, where the query stood: it was cut off or made "
                  "anew, and is read from its begin, %lld",
                  (long long)input->enqueued, (long long)next);
    } else {
        error_set(&why, ERR_OUT_OF_RANGE, NO_POSITION,
                  "offsets %lld to %lld are no longer in the log: they were deleted before the "
                  "query had read them",
                  (long long)input->enqueued, (long long)next - 1);
    }
    TRACE(TRACE_WARN, "reader", "%s-%u: %s", reader->topic_text, reader->partition, why.message);
    task_count_skipped(input->task, &origin, "position", &why);
}

static void skip_gap(struct reader *reader, const struct fetch_message *message)
{
    for (uint32_t i = 0; i < reader->input_count; i++) {
        struct task_input *input = reader->inputs[i];
        bool is_back = message->next < message->from;

        if (input->enqueued < message->from || (!is_back && input->enqueued >= message->next)) {
            continue;
        }
        if (message->event != FETCH_EMPTY) {
            tell_gap(reader, input, message->next);
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

/* One that stands at the barrier, and has committed what came before; *waits: one has not yet. */
static struct task_input *find_at_barrier(const struct reader *reader, bool *waits)
{
    for (uint32_t i = 0; i < reader->input_count; i++) {
        struct task_input *input = reader->inputs[i];

        if (input->enqueued == reader->barrier_at && !input->task->dirty &&
            input->queue_count == 0) {
            return input;
        }
        *waits |= input->enqueued == reader->barrier_at;
    }
    return NULL;
}

/* Whoever comes later is told anew by the fetcher. */
static void stop_at_barrier(struct reader *reader)
{
    struct error why = reader->barrier;
    struct task_input *input;
    bool waits = false;

    while ((input = find_at_barrier(reader, &waits))) {
        worker_fail_query(reader->worker, input->task->query, &why);
    }
    if (!waits) {
        reader->barrier = (struct error){ 0 };
    }
}

/* One that has come to the record which stops its query, and has committed what came before. */
static struct task_input *find_at_refused(const struct reader *reader)
{
    for (uint32_t i = 0; i < reader->input_count; i++) {
        struct task_input *input = reader->inputs[i];

        if (input->is_at_refused && !input->task->dirty) {
            return input;
        }
    }
    return NULL;
}

static void stop_at_refused(struct reader *reader)
{
    struct task_input *input;

    while ((input = find_at_refused(reader))) {
        struct error why = input->task->refusal;

        worker_fail_query(reader->worker, input->task->query, &why);
    }
    reader->has_refused = false;
    for (uint32_t i = 0; i < reader->input_count; i++) {
        reader->has_refused |= reader->inputs[i]->refused_at < INT64_MAX;
    }
}

static void add_pending(struct reader *reader, struct fetch_message *message)
{
    message->message.next = NULL;
    if (reader->pending) {
        reader->pending_last->message.next = &message->message;
    } else {
        reader->pending = message;
        reader->pending_record = 0;
        reader->pending_from = message->from;
    }
    reader->pending_last = message;
    activate(reader);
}

static void handle_move(struct reader *reader, const struct fetch_message *message)
{
    if (message->event == FETCH_FAILED) {
        if (message->failure.code == ERR_LOG_DAMAGED) {
            reader->barrier = message->failure;
            reader->barrier_at = message->from;
            activate(reader);
        } else {
            fail_tasks(reader, &message->failure);
        }
        return;
    }
    if (message->event != FETCH_BEYOND) {
        *(message->cursor == CURSOR_HEAD ? &reader->head : &reader->catch_up) = message->next;
    }
    if (message->event != FETCH_MOVED) {
        skip_gap(reader, message);
    }
    update_wants(reader);
}

void reader_handle(struct worker *worker, struct message *base)
{
    struct fetch_message *message = (struct fetch_message *)(void *)base;
    struct reader *reader = message->reader;

    worker->activity++;
    if (message->event == FETCH_BLOCK) {
        add_pending(reader, message);
        atomic_fetch_sub(&reader->subscriber.messages, 1);
        return;
    }
    handle_move(reader, message);
    atomic_fetch_sub(&reader->subscriber.under_way[message->cursor], 1);
    atomic_fetch_sub(&reader->subscriber.messages, 1);
    fetcher_note(reader->fetcher, &reader->subscriber);
    wake_fetcher(reader);
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
}

static bool anyone_takes(const struct reader *reader)
{
    for (uint32_t i = 0; i < reader->input_count; i++) {
        if (will_take(reader, reader->inputs[i])) {
            return true;
        }
    }
    return false;
}

/* Somebody waits for these records and will have room when tasks run again. */
static bool anyone_is_full(const struct reader *reader)
{
    for (uint32_t i = 0; i < reader->input_count; i++) {
        const struct task_input *input = reader->inputs[i];

        if (input->enqueued >= reader->pending_from && input->enqueued < reader->batch_next &&
            !input_can_take(input) && input_waits(input)) {
            return true;
        }
    }
    return false;
}

static void offer(struct reader *reader, struct shared_batch *batch)
{
    for (uint32_t i = 0; i < reader->input_count; i++) {
        if (will_take(reader, reader->inputs[i])) {
            input_offer(reader->inputs[i], batch);
        }
    }
}

static void decode(struct reader *reader, const struct log_block *block, uint32_t count)
{
    struct shared_batch *batch = batch_take(reader);

    log_block_ref(reader->pending->block);
    batch->block = reader->pending->block;
    batch->next_offset = reader->batch_next;
    batch->rows =
        input_decoder_decode(reader->decoder, block, reader->pending_record, count, &batch->arena);
    offer(reader, batch);
    shared_batch_unref(batch);
}

/* Behind the last record of a block there may be offsets without one. */
static void skip_rest(struct reader *reader)
{
    for (uint32_t i = 0; i < reader->input_count; i++) {
        struct task_input *input = reader->inputs[i];

        if (input->enqueued >= reader->pending_from && input->enqueued < reader->batch_next) {
            input_skip_to(input, reader->batch_next);
        }
    }
}

/* The next range of the first pending block, up to a batch full; how many records it has. */
static uint32_t next_range(struct reader *reader)
{
    const struct log_block *block = reader->pending->block;
    uint32_t first = reader->pending_record;
    uint32_t count = block->record_count - first;
    uint32_t most = reader->worker->rt->config.batch_rows;

    count = count < most ? count : most;
    reader->batch_next = first + count < block->record_count ? block->records[first + count].offset
                                                             : block->next_offset;
    return count;
}

/* Goes on behind the range; the block goes with its last one. */
static void pass_range(struct reader *reader, uint32_t count)
{
    struct fetch_message *message = reader->pending;

    reader->pending_record += count;
    reader->pending_from = reader->batch_next;
    if (message->cursor == CURSOR_CATCH_UP) {
        reader->catch_up = reader->pending_from;
    } else if (reader->pending_from >= message->next && message->next > reader->head) {
        reader->head = message->next;
    }
    if (reader->pending_from >= message->next) {
        drop_pending(reader);
    } else {
        update_wants(reader);
    }
}

/* Decodes one batch; ranges that nobody waits for are passed on the way. */
static bool step(struct reader *reader)
{
    bool committing = reader->worker->phase == WORKER_COMMITTING;
    bool decoded = false;

    while (reader->pending && !decoded && !reader->damage.code) {
        uint32_t count = next_range(reader);

        if (reader->worker->settling && anyone_is_full(reader)) {
            break;
        }
        decoded = count > 0 && anyone_takes(reader);
        if (decoded) {
            decode(reader, reader->pending->block, count);
        } else if (count == 0) {
            skip_rest(reader);
        }
        pass_range(reader, count);
    }
    if (reader->damage.code && !committing) {
        struct error damage = reader->damage;

        reader->damage = (struct error){ 0 };
        fail_tasks(reader, &damage);
    }
    if (reader->barrier.code && !reader->pending && !committing) {
        stop_at_barrier(reader);
    }
    if (reader->has_refused && !committing) {
        stop_at_refused(reader);
    }
    if (reader->stale) {
        update_wants(reader);
        fetcher_note(reader->fetcher, &reader->subscriber);
        wake_fetcher(reader);
        decoded = true;
    }
    return decoded;
}

/* Its last message and batch are gone. */
static bool is_unused(const struct reader *reader)
{
    return reader->dead && reader->live_batches == 0 &&
           atomic_load(&reader->subscriber.messages) == 0;
}

bool readers_step(struct worker *worker)
{
    struct reader *list = worker->active_readers;
    bool any = false;

    worker->active_readers = NULL;
    while (list) {
        struct reader *reader = list;

        list = reader->next_active;
        reader->active = false;
        if (!reader->dead) {
            any |= step(reader);
        }
        if (reader->active) {
            continue; /* its tasks have failed */
        }
        if (is_unused(reader)) {
            while (reader->pending) {
                drop_pending(reader);
            }
            unlink_and_free(reader);
        } else if (reader->pending || reader->dead || reader->damage.code || reader->barrier.code ||
                   reader->has_refused || reader->stale) {
            activate(reader);
        }
    }
    return any;
}
