/*
 * task.c: a connector's thread: reads its partitions, has the sink write, tries again.
 *
 * An attempt begins at the positions that the target holds and lasts until something changes:
 * topics, a pause, the end. Blocks are held until they are flushed, so that a record that the
 * target refuses can go to the dead-letter topic as it came.
 *
 * A record that cannot be written, where nothing says to go on, is a halt: the next attempt
 * writes all that lies before it in its partition, and then the task fails.
 *
 *   wait until wanted -> attempt -> nothing wrong: again
 *                                -> ERR_SINK_UNAVAILABLE: wait, again, a limited number of times
 *                                -> a halt: again, up to there
 *                                -> a topic is gone: again, with those that are there
 *                                -> else: FAILED, until it is told to restart
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/trace.h"
#include "sinks/connector_internal.h"

enum {
    IDLE_WAIT_MS = 100,
    LOOK_FOR_TOPICS_MS = 500,
    LOOK_FOR_SLOTS_MS = 100,
    FLUSH_ROWS = 100000,
    HALVED_AFTER = 3,
    US_PER_MS = 1000,
};

/* --- state that others see --- */

static bool has_ended(const struct task *task)
{
    return atomic_load(&task->connector->ends);
}

/* Whether the attempt of that generation should go on, here. */
static bool is_current(struct task *task)
{
    struct connector *c = task->connector;
    bool current;

    pthread_mutex_lock(&c->mutex);
    current = c->generation == task->generation && !has_ended(task);
    pthread_mutex_unlock(&c->mutex);
    return current && connector_place(c, task->number) == PLACED_HERE;
}

static void set_text(char **text, struct bytes to)
{
    free(*text);
    *text = NULL;
    if (to.len > 0) {
        *text = memory_alloc(to.len + 1);
        memcpy(*text, to.data, to.len);
        (*text)[to.len] = '\0';
    }
}

static void set_state(struct task *task, enum task_state state, const char *trace)
{
    struct connector *c = task->connector;

    pthread_mutex_lock(&c->mutex);
    task->state = state;
    set_text(&task->trace, bytes_of(trace ? trace : ""));
    pthread_cond_broadcast(&c->changed);
    pthread_mutex_unlock(&c->mutex);
}

void task_note_missing(struct task *task, struct bytes topics)
{
    struct connector *c = task->connector;

    pthread_mutex_lock(&c->mutex);
    set_text(&task->waits_for, topics);
    pthread_mutex_unlock(&c->mutex);
}

static void note_drained(struct task *task, uint64_t wanted)
{
    struct connector *c = task->connector;

    pthread_mutex_lock(&c->mutex);
    if (task->drained != wanted) {
        task->drained = wanted;
        pthread_cond_broadcast(&c->changed);
    }
    pthread_mutex_unlock(&c->mutex);
}

static uint64_t drain_wanted(struct task *task)
{
    struct connector *c = task->connector;
    uint64_t wanted;

    pthread_mutex_lock(&c->mutex);
    wanted = c->drain_wanted;
    pthread_mutex_unlock(&c->mutex);
    return wanted;
}

/* Until the time is over or something has changed. */
static void wait_for_change(struct task *task, int64_t wait_ms)
{
    struct connector *c = task->connector;
    struct timespec deadline = clock_deadline(wait_ms);

    pthread_mutex_lock(&c->mutex);
    while (c->generation == task->generation && !has_ended(task) &&
           pthread_cond_timedwait(&c->changed, &c->mutex, &deadline) == 0) {
    }
    pthread_mutex_unlock(&c->mutex);
}

/* --- records that cannot be written --- */

static const struct log_record *find_record(const struct task *task,
                                            const struct row_origin *origin)
{
    for (uint32_t b = 0; b < task->held.count; b++) {
        const struct log_block *block = task->held.items[b];

        if (block->partition != origin->partition ||
            !bytes_equal_text(block->topic->name, origin->topic)) {
            continue;
        }
        for (uint32_t i = 0; i < block->record_count; i++) {
            if (block->records[i].offset == origin->offset) {
                return &block->records[i];
            }
        }
    }
    return NULL;
}

static int put_letter(struct task *task, const struct row_origin *origin, const char *stage,
                      bool in_decode, const struct error *why, struct error *err)
{
    const struct letter letter = { .record = find_record(task, origin),
                                   .origin = origin,
                                   .why = why,
                                   .stage = stage,
                                   .in_decode = in_decode,
                                   .refusal = in_decode ? (struct sink_refusal){ .state = "" }
                                                        : task->sink.refusal };

    return task->letters && letter.record ? dead_letters_put(task->letters, &letter, err) : 0;
}

static int refuse(struct task *task, const struct row_origin *origin, const char *stage,
                  bool in_decode, const struct error *why, struct error *err)
{
    const struct options *options = &task->connector->options;

    if (options_is(options, "errors.tolerance", "all")) {
        if (!task->letters || options_boolean(options, "errors.log.enable")) {
            TRACE(TRACE_WARN, "connector", "%.*s left out %s-%u@%" PRId64 ": %s",
                  BYTES_ARG(task->connector->name), origin->topic, origin->partition,
                  origin->offset, why->message);
        }
        return put_letter(task, origin, stage, in_decode, why, err);
    }
    arena_reset(&task->halt_arena);
    task->halt =
        (struct task_halt){ .is_set = true,
                            .topic = arena_copy(&task->halt_arena, bytes_of(origin->topic)),
                            .partition = origin->partition,
                            .offset = origin->offset,
                            .why = *why,
                            .stage = stage,
                            .in_decode = in_decode,
                            .refusal = task->sink.refusal };
    return error_set(err, ERR_SINK_REFUSED, NO_POSITION, "%s", why->message);
}

void task_refuse_record(struct task *task, const struct row_origin *origin, enum format_side side,
                        const struct error *why)
{
    if (!task->refusal.code) {
        (void)refuse(task, origin, side == SIDE_KEY ? "KEY_CONVERTER" : "VALUE_CONVERTER", true,
                     why, &task->refusal);
    }
}

static int refuse_row(void *context, const struct row_origin *row, const struct error *why,
                      struct error *err)
{
    return refuse(context, row, "TASK_PUT", false, why, err);
}

/* --- blocks --- */

static void release_held(struct task *task)
{
    for (uint32_t i = 0; i < task->held.count; i++) {
        log_block_unref(task->held.items[i]);
    }
    task->held.count = 0;
    task->held_rows = 0;
    task->held_bytes = 0;
}

static void hold(struct task *task, struct log_block *block)
{
    if (task->held.count == 0) {
        task->held_since_us = clock_monotonic_us(connector_clock(task->connector));
    }
    *vec_push(&task->arena, &task->held) = block;
    task->held_bytes += block->size_bytes;
}

static struct position_at *find_position(struct task *task, struct bytes topic, uint32_t partition)
{
    for (uint32_t i = 0; i < task->positions.count; i++) {
        if (task->positions.items[i].partition == partition &&
            bytes_equal(task->positions.items[i].topic, topic)) {
            return &task->positions.items[i];
        }
    }
    return NULL;
}

/* Records of the block that lie before the halt, if the halt is in it or was before it. */
static uint32_t count_before_halt(const struct task *task, const struct log_block *block)
{
    const struct task_halt *halt = &task->halt;
    uint32_t count = 0;

    if (!halt->is_set || halt->partition != block->partition ||
        !bytes_equal(halt->topic, block->topic->name)) {
        return block->record_count;
    }
    while (count < block->record_count && block->records[count].offset < halt->offset) {
        count++;
    }
    return count;
}

static int write_rows(struct task *task, const struct log_block *block, uint32_t first,
                      uint32_t count, struct error *err)
{
    struct task_input *input = task_find_input(task, block->topic);
    const struct row_batch *batch;

    arena_reset(&task->rows);
    error_clear(&task->refusal);
    batch = input_decoder_decode(input->decoder, block, first, count, &task->rows);
    if (task->refusal.code) {
        return error_set(err, task->refusal.code, NO_POSITION, "%s", task->refusal.message);
    }
    task->held_rows += count;
    return batch->selected_count > 0 ? task->sink.kind->write(&task->sink, batch, err) : 0;
}

static int flush(struct task *task, struct error *err)
{
    TRY(task->sink.kind->flush(&task->sink, &task->positions, err));
    release_held(task);
    task->failures = 0;
    task->is_untold = true;
    return task_group_tell(task, GROUP_MEANWHILE, err);
}

static int halted(const struct task *task, struct error *err)
{
    return error_set(err, ERR_CONNECTOR_FAILED, NO_POSITION, "%.*s-%u@%" PRId64 ": %s",
                     BYTES_ARG(task->halt.topic), task->halt.partition, task->halt.offset,
                     task->halt.why.message);
}

/* The task ends here: what came before is written, the record itself is kept if it can be. */
static int halt_at(struct task *task, struct error *err)
{
    char *topic = arena_copy_text(&task->arena, task->halt.topic);
    const struct row_origin origin = { .topic = topic,
                                       .partition = task->halt.partition,
                                       .offset = task->halt.offset };

    task->sink.refusal = task->halt.refusal; /* this attempt has refused nothing */
    TRY(put_letter(task, &origin, task->halt.stage, task->halt.in_decode, &task->halt.why, err));
    TRY(flush(task, err));
    return halted(task, err);
}

/* Its first records are written, the others are still to come. */
static int flush_within(struct task *task, struct log_block *block, struct error *err)
{
    int code;

    log_block_ref(block);
    code = flush(task, err);
    if (code) {
        log_block_unref(block);
        return code;
    }
    hold(task, block);
    return 0;
}

static int write_block(struct task *task, struct log_block *block, uint32_t count,
                       struct position_at *position, struct error *err)
{
    uint32_t slice = task->most_rows < BATCH_MAX_ROWS ? (uint32_t)task->most_rows : BATCH_MAX_ROWS;

    for (uint32_t first = 0; first < count; first += slice) {
        uint32_t rows = count - first < slice ? count - first : slice;

        TRY(write_rows(task, block, first, rows, err));
        if (first + rows < count && task->held_rows >= task->most_rows) {
            position->offset = block->records[first + rows].offset;
            TRY(flush_within(task, block, err));
        }
    }
    return 0;
}

static int take_block(struct task *task, struct log_block *block, struct error *err)
{
    struct position_at *position = find_position(task, block->topic->name, block->partition);
    uint32_t count = count_before_halt(task, block);

    hold(task, block);
    TRY(write_block(task, block, count, position, err));
    if (count < block->record_count) {
        position->offset = block->records[count].offset;
        return halt_at(task, err);
    }
    position->offset = block->next_offset;
    return 0;
}

/* --- an attempt --- */

static int assign(struct task *task, struct error *err)
{
    const struct reader_spec spec = { .client_id = task->connector->name,
                                      .isolation = READ_COMMITTED };
    struct connector *c = task->connector;

    TRY(log_reader_open(connector_log(c), &spec, &task->reader, err));
    for (uint32_t i = 0; i < task->positions.count; i++) {
        const struct position_at *at = &task->positions.items[i];
        const struct log_topic *topic = NULL;

        TRY(log_open_topic(connector_log(c), at->topic, &topic, err));
        TRY(log_reader_assign(task->reader, topic, at->partition, at->offset, err));
    }
    pthread_mutex_lock(&c->mutex);
    task->wakeable = task->reader;
    pthread_mutex_unlock(&c->mutex);
    return 0;
}

static bool is_due(const struct task *task, int64_t linger_ms, size_t most_bytes)
{
    int64_t waited_us = clock_monotonic_us(connector_clock(task->connector)) - task->held_since_us;

    return task->held.count > 0 &&
           (task->held_rows >= task->most_rows || task->held_bytes >= most_bytes ||
            waited_us >= linger_ms * US_PER_MS);
}

/* What is held of a topic that is gone is nowhere else. */
static int poll_failed(struct task *task, const struct log_place *place, struct error *err)
{
    struct error gone = *err;

    if (err->code == ERR_TOPIC_GONE && task->held.count > 0) {
        TRY(flush(task, err));
        *err = gone;
    }
    if (err->code == ERR_OUT_OF_RANGE) {
        return error_set(err, ERR_CONNECTOR_FAILED, NO_POSITION,
                         "%.*s-%u: records that were not written yet are gone from the topic",
                         BYTES_ARG(place->topic->name), place->partition);
    }
    return (int)err->code;
}

/* A topic that was missing is there: another attempt reads it too. */
static bool should_begin_anew(struct task *task)
{
    int64_t now_us = clock_monotonic_us(connector_clock(task->connector));

    if (now_us - task->looked_us < LOOK_FOR_TOPICS_MS * US_PER_MS) {
        return false;
    }
    task->looked_us = now_us;
    return task_misses_inputs(task);
}

/* Reads and writes while nothing changes. */
static int pump(struct task *task, struct error *err)
{
    const struct options *options = &task->sink.options;
    int64_t linger_ms = options_integer(options, "linger.ms");
    size_t most_bytes = (size_t)options_integer(options, "batch.bytes");

    while (is_current(task) && !should_begin_anew(task)) {
        uint64_t wanted = drain_wanted(task);
        struct log_block *block = NULL;
        struct log_place failed = { 0 };

        if (log_reader_poll(task->reader, task->held.count ? linger_ms : IDLE_WAIT_MS, &block,
                            &failed, err)) {
            return poll_failed(task, &failed, err);
        }
        if (block) {
            TRY(take_block(task, block, err));
        }
        if (task->held.count > 0 && (!block || is_due(task, linger_ms, most_bytes))) {
            TRY(flush(task, err));
        }
        TRY(task_group_tell(task, GROUP_MEANWHILE, err));
        if (!block && log_reader_at_end(task->reader)) {
            task->most_rows = FLUSH_ROWS;
            note_drained(task, wanted);
        }
    }
    if (task->held.count > 0) {
        TRY(flush(task, err));
    }
    return task_group_tell(task, GROUP_AT_END, err);
}

/* What the target holds must be of this log; *skipped: it was not, and is no longer looked at. */
static int check_positions(struct task *task, bool *skipped, struct error *err)
{
    struct log *log = connector_log(task->connector);
    bool skips = options_is(&task->connector->options, "offset.gap", "skip");

    for (uint32_t i = 0; i < task->positions.count; i++) {
        struct position_at *at = &task->positions.items[i];
        const struct log_topic *topic = NULL;
        struct log_range range;

        TRY(log_open_topic(log, at->topic, &topic, err));
        TRY(log_topic_range(log, topic, at->partition, READ_COMMITTED, &range, err));
        if (at->offset >= range.begin && at->offset <= range.end) {
            continue;
        }
        if (skips) {
            TRACE(TRACE_WARN, "connector", "%.*s: %.*s-%u goes on at %" PRId64 ", not at %" PRId64,
                  BYTES_ARG(task->connector->name), BYTES_ARG(at->topic), at->partition,
                  range.begin, at->offset);
            at->offset = range.begin;
            at->is_fresh = 1;
            *skipped = true;
        } else {
            return error_set(err, ERR_CONNECTOR_FAILED, NO_POSITION,
                             "%.*s-%u holds offsets %" PRId64 " to %" PRId64
                             ", and the target was written up to %" PRId64
                             ": the topic was made anew, or its records are gone; "
                             "'offset.gap' = 'skip' goes on at its begin",
                             BYTES_ARG(at->topic), at->partition, range.begin, range.end,
                             at->offset);
        }
    }
    return 0;
}

/* There is nothing to read yet: looks again in a while. */
static void idle(struct task *task)
{
    struct connector *c = task->connector;
    struct timespec deadline = clock_deadline(LOOK_FOR_TOPICS_MS);

    note_drained(task, drain_wanted(task));
    pthread_mutex_lock(&c->mutex);
    while (c->generation == task->generation && !has_ended(task) &&
           c->drain_wanted == task->drained &&
           pthread_cond_timedwait(&c->changed, &c->mutex, &deadline) == 0) {
    }
    pthread_mutex_unlock(&c->mutex);
}

static int start_sink(struct task *task, struct error *err)
{
    const struct connector *c = task->connector;

    task->sink = (struct sink){ .kind = c->kind,
                                .connector = connector_sink_name(c, &task->arena),
                                .options = c->options,
                                .interrupted = &task->interrupted,
                                .refuse = refuse_row,
                                .context = task };
    return task->sink.kind->start(&task->sink, &task->positions, err);
}

static int read_and_write(struct task *task, struct error *err)
{
    struct connector *c = task->connector;
    bool skipped = false;

    if (task->positions.count == 0) {
        set_state(task, TASK_RUNNING, NULL);
        idle(task);
        return 0;
    }
    TRY(start_sink(task, err));
    if (!task->sink.keeps_positions) {
        TRY(task_group_read(task, err));
    }
    connector_has_started(c, &task->positions);
    TRY(check_positions(task, &skipped, err));
    if (skipped) {
        task->sink.kind->stop(&task->sink);
        TRY(start_sink(task, err));
    }
    TRY(assign(task, err));
    set_state(task, TASK_RUNNING, NULL);
    return pump(task, err);
}

/* Locks, deadlocks, limits of time and size: what does not go through may be too much at once. */
static void halve(struct task *task)
{
    if (task->may_retry_at_once && task->failures >= HALVED_AFTER && task->held_rows > 1) {
        task->most_rows = task->held_rows / 2;
    }
}

static void close_attempt(struct task *task)
{
    struct connector *c = task->connector;

    pthread_mutex_lock(&c->mutex);
    task->wakeable = NULL;
    pthread_mutex_unlock(&c->mutex);
    if (task->sink.kind) {
        task->sink.kind->stop(&task->sink);
    }
    task->may_retry_at_once = task->sink.may_retry_at_once;
    halve(task);
    release_held(task);
    memset(&task->sink, 0, sizeof task->sink);
    task->is_untold = false;
    if (task->reader) {
        log_reader_close(task->reader);
        task->reader = NULL;
    }
    task_close_inputs(task);
    memset(&task->held, 0, sizeof task->held);
    arena_reset(&task->rows);
    arena_reset(&task->arena);
}

static int attempt(struct task *task, struct error *err)
{
    const struct error *failure = &task->connector->failure;
    int code = failure->code
                   ? error_set(err, ERR_CONNECTOR_FAILED, NO_POSITION, "%s", failure->message)
                   : task_open_inputs(task, err);

    code = code ? code : read_and_write(task, err);
    close_attempt(task);
    return code;
}

/* --- when it goes wrong --- */

static int64_t backoff(const struct task *task, const struct sink_patience *patience)
{
    int64_t wait_ms = patience->backoff_ms;

    for (uint64_t i = 1; i < task->failures && wait_ms < patience->longest_ms; i++) {
        wait_ms *= 2;
    }
    return wait_ms < patience->longest_ms ? wait_ms : patience->longest_ms;
}

static void fail(struct task *task, const struct error *why)
{
    TRACE(TRACE_ERROR, "connector", "%.*s stopped: %s", BYTES_ARG(task->connector->name),
          why->message);
    set_state(task, TASK_FAILED, why->message);
}

static bool is_transient(const struct error *why)
{
    return why->code == ERR_SINK_UNAVAILABLE || why->code == ERR_FENCED ||
           why->code == ERR_LOG_UNAVAILABLE;
}

static void handle(struct task *task, struct error *why)
{
    struct sink_patience patience = { .retries = -1 };

    if (why->code == ERR_SINK_REFUSED && task->halt.is_set) {
        return; /* again, up to there */
    }
    if (why->code == ERR_TOPIC_GONE || why->code == ERR_UNKNOWN_TOPIC) {
        wait_for_change(task, LOOK_FOR_TOPICS_MS);
        return; /* again, without it or with the one that has its name now */
    }
    if (!is_transient(why)) {
        fail(task, why);
        return;
    }
    task->connector->kind->patience(&task->connector->options, &patience);
    task->failures++;
    if (patience.retries >= 0 && task->failures > (uint64_t)patience.retries) {
        error_prefix(why, "gave up after %" PRId64 " retries", patience.retries);
        fail(task, why);
        return;
    }
    TRACE(TRACE_WARN, "connector", "%.*s tries again: %s", BYTES_ARG(task->connector->name),
          why->message);
    set_state(task, TASK_RUNNING, why->message);
    if (!task->may_retry_at_once || task->failures > 1) {
        wait_for_change(task, backoff(task, &patience));
    }
}

/* --- the thread --- */

static void begin_anew(struct task *task)
{
    task->failures = 0;
    task->most_rows = FLUSH_ROWS;
    task->halt.is_set = false;
    atomic_store(&task->interrupted, false);
    if (task->state == TASK_FAILED) {
        task->state = TASK_RUNNING;
        set_text(&task->trace, bytes_of(""));
    }
}

/* A task that comes here from another node knows nothing of what was. */
static void note_placement(struct task *task)
{
    struct connector *c = task->connector;
    enum placement now = connector_place(c, task->number);

    if (now != task->placement) {
        task->placement = now;
        begin_anew(task);
        pthread_cond_broadcast(&c->changed);
    }
}

static bool is_wanted(const struct task *task)
{
    return task->connector->target == TARGET_RUNNING && task->placement == PLACED_HERE &&
           task->state != TASK_FAILED;
}

/* Nobody tells when slots come and go. */
static void wait_until_told(struct task *task)
{
    struct connector *c = task->connector;
    struct timespec deadline = clock_deadline(LOOK_FOR_SLOTS_MS);

    if (connector_is_shared(c)) {
        (void)pthread_cond_timedwait(&c->changed, &c->mutex, &deadline);
    } else {
        pthread_cond_wait(&c->changed, &c->mutex);
    }
}

/* Until it should run, or end. A new generation gives a failed task another chance. */
static bool wait_until_wanted(struct task *task)
{
    struct connector *c = task->connector;

    pthread_mutex_lock(&c->mutex);
    for (;;) {
        if (c->generation != task->generation) {
            task->generation = c->generation;
            begin_anew(task);
        }
        note_placement(task);
        if (has_ended(task) || is_wanted(task)) {
            break;
        }
        wait_until_told(task);
    }
    pthread_mutex_unlock(&c->mutex);
    return !has_ended(task);
}

static void *run(void *context)
{
    struct task *task = context;

    while (wait_until_wanted(task)) {
        struct error err = { 0 };

        if (attempt(task, &err) && is_current(task)) {
            handle(task, &err);
        }
    }
    return NULL;
}

void task_start(struct task *task)
{
    task->most_rows = FLUSH_ROWS;
    arena_init(&task->arena, 0);
    arena_init(&task->rows, 0);
    arena_init(&task->halt_arena, 0);
    task->letters = dead_letters_create(task->connector, task->number);
    pthread_create(&task->thread, NULL, run, task);
}

void task_join(struct task *task)
{
    pthread_join(task->thread, NULL);
    dead_letters_destroy(task->letters);
    free(task->trace);
    free(task->waits_for);
    arena_fini(&task->arena);
    arena_fini(&task->rows);
    arena_fini(&task->halt_arena);
}
