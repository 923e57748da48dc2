/*
 * progress.c: the only truth about positions, as records of the progress topic.
 *
 * A slot's records are in the partition of its number:
 *
 *   P source topic partition cohort -> incarnation, shared position, (task input, position)*
 *   T query sub partition           -> cohort, partitions, stores, operator metadata
 *
 * Tasks that stand at the shared position are not listed, so a commit of a thousand
 * tasks that keep pace writes one short record. That holds among those that run
 * together: a cohort. A task that is not there (its query is in ERROR, or not started yet)
 * must not be taken along, so whenever tasks come or go so that it may happen, the slot
 * begins a new cohort. A task enters it with its next commit, which writes its T record
 * anew; until then it stands in the records of its former one, which nobody
 * writes any more:
 *
 *   cohort 1:  P1 = 50   A, B at 50        A fails; cohort 2 begins
 *   cohort 2:  P2 = 70   B at 70           T of A still says 1: A comes back at 50
 *
 * A task without a T record has never committed: it starts where its query says. T says, too,
 * how many tasks there were at birth, so those of partitions that were added later are known,
 * and which stores have changelog records, so a changelog that was emptied is.
 * P records of cohorts that no task names are deleted when the next one begins.
 * Numbers are little-endian.
 */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "engine/runtime/runtime_internal.h"

enum { PROGRESS_VERSION = 2 };

struct progress_entry {
    struct buffer key;
    struct buffer value;
};

struct progress {
    struct map entries; /* key -> struct progress_entry */
    int64_t next;       /* read so far */
    uint64_t last_cohort;
};

/* --- bytes --- */

static void put_u64(struct buffer *out, uint64_t number)
{
    for (int i = 0; i < 8; i++) {
        buffer_append_char(out, (char)(number >> (8 * i)));
    }
}

static void put_text(struct buffer *out, struct bytes text)
{
    put_u64(out, text.len);
    buffer_append_bytes(out, text);
}

struct cut {
    struct bytes rest;
    bool bad;
};

static uint64_t cut_u64(struct cut *cut)
{
    uint64_t number = 0;

    if (cut->rest.len < 8) {
        cut->bad = true;
        return 0;
    }
    for (int i = 7; i >= 0; i--) {
        number = number << 8 | (unsigned char)cut->rest.data[i];
    }
    cut->rest = (struct bytes){ cut->rest.data + 8, cut->rest.len - 8 };
    return number;
}

static struct bytes cut_text(struct cut *cut)
{
    uint64_t len = cut_u64(cut);
    struct bytes text = { cut->rest.data, (size_t)len };

    if (cut->bad || cut->rest.len < len) {
        cut->bad = true;
        return (struct bytes){ "", 0 };
    }
    cut->rest = (struct bytes){ cut->rest.data + len, cut->rest.len - (size_t)len };
    return text;
}

/* --- keys --- */

static struct bytes input_source_name(const struct task_input *input)
{
    return input->plan->source ? input->plan->source->name : (struct bytes)BYTES("");
}

static void position_key(const struct task_input *input, uint64_t cohort, struct buffer *out)
{
    buffer_append_char(out, 'P');
    put_text(out, input_source_name(input));
    put_text(out, input->topic->name);
    put_u64(out, input->task->partition);
    put_u64(out, cohort);
}

/* 0 when it is not a position's. */
static uint64_t cohort_of_key(struct bytes key)
{
    struct cut cut = { key, false };

    if (key.len < 9 || key.data[0] != 'P') {
        return 0;
    }
    cut.rest = (struct bytes){ key.data + key.len - 8, 8 };
    return cut_u64(&cut);
}

static void task_key(const struct task *task, struct buffer *out)
{
    buffer_append_char(out, 'T');
    put_text(out, task->query->plan->query_id);
    put_u64(out, task->sub_index);
    put_u64(out, task->partition);
}

/* --- writing --- */

static int64_t position_of(const struct task_input *input)
{
    return input->task->in_commit ? input->promised : input->committed;
}

/* The inputs that share a record: those of a cohort in a reader and its twins. */
struct sharers {
    const struct task_input *of;
    const struct reader *reader;
    uint32_t index;
};

static bool is_twin(const struct reader *a, const struct reader *b)
{
    return a->topic == b->topic && a->partition == b->partition && a->source && b->source &&
           bytes_equal(a->source->name, b->source->name);
}

static const struct reader *next_twin(const struct reader *of, const struct reader *reader)
{
    if (!of->has_twin) {
        return NULL;
    }
    do {
        reader = reader->next;
    } while (reader && !is_twin(of, reader));
    return reader;
}

static struct sharers sharers_of(const struct task_input *input)
{
    const struct reader *first = input->reader;

    if (first->has_twin) {
        first = first->worker->readers;
        first = is_twin(input->reader, first) ? first : next_twin(input->reader, first);
    }
    return (struct sharers){ .of = input, .reader = first };
}

/* NULL behind the last. */
static const struct task_input *next_sharer(struct sharers *all)
{
    for (; all->reader; all->reader = next_twin(all->of->reader, all->reader), all->index = 0) {
        while (all->index < all->reader->input_count) {
            const struct task_input *input = all->reader->inputs[all->index++];

            if (input->task->slot == all->of->task->slot && input->task->query->durable &&
                input->task->cohort == all->of->task->cohort) {
                return input;
            }
        }
    }
    return NULL;
}

static void write_positions(struct worker *worker, const struct task_input *of)
{
    struct log_builder *out = &worker->scratch;
    struct sharers all = sharers_of(of);
    const struct task_input *input;
    int64_t shared = -1;
    uint64_t lagging = 0;

    while ((input = next_sharer(&all))) {
        shared = position_of(input) > shared ? position_of(input) : shared;
    }
    for (all = sharers_of(of); (input = next_sharer(&all));) {
        lagging += position_of(input) >= 0 && position_of(input) < shared;
    }
    log_builder_begin(out);
    position_key(of, of->task->cohort, &out->bytes);
    log_builder_end_key(out, true);
    buffer_append_char(&out->bytes, PROGRESS_VERSION);
    put_u64(&out->bytes, of->topic->incarnation);
    put_u64(&out->bytes, (uint64_t)shared);
    put_u64(&out->bytes, lagging);
    for (all = sharers_of(of); (input = next_sharer(&all));) {
        if (position_of(input) >= 0 && position_of(input) < shared) {
            put_text(&out->bytes, input->task->query->plan->query_id);
            put_u64(&out->bytes, input->task->sub_index);
            put_u64(&out->bytes, (uint64_t)(input - input->task->inputs));
            put_u64(&out->bytes, (uint64_t)position_of(input));
        }
    }
    log_builder_end_record(out, true, clock_now_ms(worker->rt->clock), NULL, 0);
}

/* The scratch gets the memory of what was held before. */
static void hold_scratch(struct worker *worker, uint32_t slot)
{
    struct held_progress *held;
    struct log_builder records = worker->scratch;

    if (worker->held_count == worker->held_capacity) {
        uint32_t capacity = worker->held_capacity * 2 + 4;

        worker->held = memory_resize(worker->held, capacity, sizeof *worker->held);
        memset(&worker->held[worker->held_capacity], 0,
               (capacity - worker->held_capacity) * sizeof *worker->held);
        worker->held_capacity = capacity;
    }
    held = &worker->held[worker->held_count++];
    worker->scratch = held->records;
    log_builder_reset(&worker->scratch);
    held->slot = slot;
    held->records = records;
}

static int append_scratch(struct worker *worker, uint32_t slot, struct error *err)
{
    if (worker->scratch.record_count == 0) {
        return 0;
    }
    worker->rt->slots[slot].written = true;
    if (!worker_is_exactly_once(worker)) {
        hold_scratch(worker, slot);
        return 0;
    }
    return log_writer_append(worker->writer, worker->rt->progress_topic, slot, &worker->scratch,
                             NULL, err);
}

int progress_write_held(struct worker *worker, struct error *err)
{
    for (uint32_t i = 0; i < worker->held_count; i++) {
        struct held_progress *held = &worker->held[i];

        TRY(log_writer_append(worker->writer, worker->rt->progress_topic, held->slot,
                              &held->records, NULL, err));
    }
    worker->held_count = 0;
    return 0;
}

static int write_task(struct worker *worker, struct task *task, struct error *err)
{
    struct log_builder *out = &worker->scratch;
    uint64_t cohort = worker->rt->slots[task->slot].cohort;
    struct buffer metadata = { 0 };

    op_chain_save(&task->chain, &metadata);
    if (task->born && task->saved && task->cohort == cohort &&
        bytes_equal(buffer_bytes(&metadata), buffer_bytes(&task->saved_metadata))) {
        buffer_fini(&metadata);
        return 0;
    }
    log_builder_begin(out);
    task_key(task, &out->bytes);
    log_builder_end_key(out, true);
    buffer_append_char(&out->bytes, PROGRESS_VERSION);
    put_u64(&out->bytes, cohort);
    put_u64(&out->bytes, task->birth_partitions);
    put_u64(&out->bytes, task->written_stores);
    buffer_append_bytes(&out->bytes, buffer_bytes(&metadata));
    log_builder_end_record(out, true, clock_now_ms(worker->rt->clock), NULL, 0);
    buffer_fini(&task->saved_metadata);
    task->saved_metadata = metadata;
    task->cohort = cohort;
    task->saved = true;
    return append_scratch(worker, task->slot, err);
}

static int write_litter(struct worker *worker, struct error *err)
{
    struct cut cut = { buffer_bytes(&worker->litter), false };

    while (cut.rest.len > 0) {
        uint32_t slot = (uint32_t)cut_u64(&cut);

        log_builder_add(&worker->scratch, cut_text(&cut), (struct bytes){ NULL, 0 },
                        clock_now_ms(worker->rt->clock), NULL, 0);
        TRY(append_scratch(worker, slot, err));
    }
    worker->litter.len = 0;
    return 0;
}

/* A record per slot that has something new; a twin may write one again, which is the same. */
static int write_reader(struct worker *worker, const struct reader *reader, struct error *err)
{
    uint64_t written[SLOT_COUNT_MAX / 64] = { 0 };

    for (uint32_t i = 0; i < reader->input_count; i++) {
        const struct task *task = reader->inputs[i]->task;
        uint64_t *word = &written[task->slot / 64], bit = UINT64_C(1) << (task->slot & 63);

        if (!task->in_commit || (*word & bit)) {
            continue;
        }
        *word |= bit;
        write_positions(worker, reader->inputs[i]);
        TRY(append_scratch(worker, task->slot, err));
    }
    return 0;
}

int progress_write(struct worker *worker, struct error *err)
{
    for (struct task *task = worker->tasks; task; task = task->next) {
        if (task->in_commit) {
            TRY(write_task(worker, task, err));
        }
    }
    for (const struct reader *reader = worker->readers; reader; reader = reader->next) {
        TRY(write_reader(worker, reader, err));
    }
    return write_litter(worker, err);
}

int progress_forget(struct worker *worker, struct query *query, bool *any, struct error *err)
{
    struct runtime *rt = worker->rt;

    for (uint32_t s = 0; query->topics.found && s < query->plan->sub_count; s++) {
        for (uint32_t p = 0; p < query->topics.task_counts[s]; p++) {
            const struct sub_plan *sub = &query->plan->subs[s];
            uint32_t slot = slot_of(rt, sub->root_topic, p);
            struct task named = { .query = query, .sub_index = s, .partition = p };

            if (!rt->slots[slot].owned || rt->slots[slot].worker != worker->index) {
                continue;
            }
            *any = true;
            TRY(commit_begin(worker, err));
            log_builder_begin(&worker->scratch);
            task_key(&named, &worker->scratch.bytes);
            log_builder_end_key(&worker->scratch, true);
            log_builder_end_record(&worker->scratch, false, clock_now_ms(rt->clock), NULL, 0);
            TRY(append_scratch(worker, slot, err));
        }
    }
    return 0;
}

/* --- reading --- */

static uint64_t cohort_of_task(struct bytes value)
{
    struct cut cut = { value, false };

    return cut_u64(&cut);
}

static uint64_t cohort_of_entry(const struct progress_entry *entry)
{
    return entry->key.data[0] == 'T'
               ? cohort_of_task((struct bytes){ entry->value.data + 1, entry->value.len - 1 })
               : cohort_of_key(buffer_bytes(&entry->key));
}

static void keep_record(struct progress *progress, const struct log_record *record)
{
    struct progress_entry *entry = map_find(&progress->entries, record->key);

    if (!record->value.data) {
        if (entry) {
            (void)map_remove(&progress->entries, record->key);
            buffer_fini(&entry->key);
            buffer_fini(&entry->value);
            free(entry);
        }
        return;
    }
    if (!entry) {
        entry = memory_zalloc(1, sizeof *entry);
        buffer_append_bytes(&entry->key, record->key);
        map_put(&progress->entries, buffer_bytes(&entry->key), entry);
    }
    entry->value.len = 0;
    buffer_append_bytes(&entry->value, record->value);
    if (record->key.len > 0 && record->value.len > 0) {
        uint64_t cohort = cohort_of_entry(entry);

        progress->last_cohort = cohort > progress->last_cohort ? cohort : progress->last_cohort;
    }
}

static void keep_block(void *context, const struct log_block *block)
{
    struct progress *progress = context;

    for (uint32_t i = 0; i < block->record_count; i++) {
        keep_record(progress, &block->records[i]);
    }
    progress->next = block->next_offset;
}

static struct progress *get_progress(struct slot *slot)
{
    if (!slot->progress) {
        slot->progress = memory_zalloc(1, sizeof *slot->progress);
        map_init(&slot->progress->entries);
    }
    return slot->progress;
}

/* Reads on, unless the log no longer has what comes next. */
static int plan_reading(struct runtime *rt, uint32_t slot, struct recover_range *out,
                        struct error *err)
{
    struct progress *progress = get_progress(&rt->slots[slot]);
    struct log_range there;

    *out = (struct recover_range){ .topic = rt->progress_topic,
                                   .partition = slot,
                                   .from = OFFSET_BEGIN,
                                   .on_block = keep_block,
                                   .context = progress };
    if (progress->next == 0) {
        return 0;
    }
    TRY(log_topic_range(rt->log, out->topic, slot, READ_COMMITTED, &there, err));
    if (progress->next >= there.begin) {
        out->from = progress->next; /* else compacted: the newest of each key is still to come */
    }
    return 0;
}

static void note_read(struct slot *slot, const struct recover_range *range)
{
    struct progress *progress = slot->progress;

    progress->next = range->end > progress->next ? range->end : progress->next;
    slot->has_read = slot->fenced; /* else there may be more to come */
}

int progress_read(struct runtime *rt, uint32_t slot, struct progress **out, struct error *err)
{
    struct recover_range range;

    TRY(plan_reading(rt, slot, &range, err));
    TRY(recover_read(rt, &range, 1, err));
    note_read(&rt->slots[slot], &range);
    *out = rt->slots[slot].progress;
    return 0;
}

int progress_read_ahead(struct runtime *rt, const uint32_t *slots, uint32_t count,
                        struct error *err)
{
    struct recover_range ranges[SLOT_COUNT_MAX];

    for (uint32_t i = 0; i < count; i++) {
        TRY(plan_reading(rt, slots[i], &ranges[i], err));
    }
    TRY(recover_read(rt, ranges, count, err));
    for (uint32_t i = 0; i < count; i++) {
        note_read(&rt->slots[slots[i]], &ranges[i]);
    }
    return 0;
}

/* --- cohorts --- */

static bool is_named(const struct progress *progress, uint64_t cohort)
{
    MAP_FOREACH (entry, &progress->entries) {
        const struct progress_entry *kept = entry->value;

        if (kept->key.len > 0 && kept->key.data[0] == 'T' && cohort_of_entry(kept) == cohort) {
            return true;
        }
    }
    return false;
}

void progress_begin_cohort(const struct progress *progress, uint32_t slot, struct worker *worker)
{
    struct slot *of = &worker->rt->slots[slot];
    uint64_t asked = 0;
    bool named = false;

    of->cohort = (of->cohort > progress->last_cohort ? of->cohort : progress->last_cohort) + 1;
    MAP_FOREACH (entry, &progress->entries) {
        const struct progress_entry *kept = entry->value;
        uint64_t cohort = cohort_of_key(buffer_bytes(&kept->key));

        if (cohort == 0) {
            continue;
        }
        if (cohort != asked) {
            asked = cohort;
            named = is_named(progress, cohort);
        }
        if (!named) {
            put_u64(&worker->litter, slot);
            put_text(&worker->litter, buffer_bytes(&kept->key));
        }
    }
}

void progress_free(struct progress *progress)
{
    if (!progress) {
        return;
    }
    MAP_FOREACH (entry, &progress->entries) {
        struct progress_entry *kept = entry->value;

        buffer_fini(&kept->key);
        buffer_fini(&kept->value);
        free(kept);
    }
    map_fini(&progress->entries);
    free(progress);
}

uint32_t progress_record_count(const struct progress *progress)
{
    return progress ? progress->entries.live_count : 0;
}

static struct bytes find_value(const struct progress *progress, struct buffer *key)
{
    const struct progress_entry *entry = map_find(&progress->entries, buffer_bytes(key));

    buffer_fini(key);
    return entry && entry->value.len > 0 && entry->value.data[0] == PROGRESS_VERSION
               ? (struct bytes){ entry->value.data + 1, entry->value.len - 1 }
               : (struct bytes){ NULL, 0 };
}

bool progress_find_task(const struct progress *progress, struct task *task, struct bytes *metadata)
{
    struct buffer key = { 0 };
    struct cut cut = { 0 };

    task_key(task, &key);
    cut.rest = find_value(progress, &key);
    if (!cut.rest.data || cut.rest.len < 24) {
        return false;
    }
    task->cohort = cut_u64(&cut);
    task->birth_partitions = cut_u64(&cut);
    task->written_stores = cut_u64(&cut);
    *metadata = cut.rest;
    return true;
}

uint64_t progress_birth_count(const struct progress *progress, const struct query *query,
                              uint32_t sub_index)
{
    struct task first = { .query = (struct query *)(uintptr_t)query, .sub_index = sub_index };
    struct bytes metadata;

    return progress_find_task(progress, &first, &metadata) ? first.birth_partitions : 0;
}

int64_t progress_position(const struct progress *progress, const struct task_input *input,
                          bool *noted_here)
{
    const struct task *task = input->task;
    struct buffer key = { 0 };
    struct cut cut;
    uint64_t incarnation, lagging;
    int64_t shared;

    position_key(input, task->cohort, &key);
    cut.rest = find_value(progress, &key);
    cut.bad = !cut.rest.data;
    incarnation = cut_u64(&cut);
    shared = (int64_t)cut_u64(&cut);
    lagging = cut_u64(&cut);
    *noted_here = incarnation == input->topic->incarnation;
    if (cut.bad || log_topic_was_replaced(input->topic, incarnation)) {
        return -1;
    }
    for (uint64_t i = 0; i < lagging && !cut.bad; i++) {
        struct bytes id = cut_text(&cut);
        uint64_t sub = cut_u64(&cut);
        uint64_t number = cut_u64(&cut);
        int64_t position = (int64_t)cut_u64(&cut);

        if (sub == task->sub_index && number == (uint64_t)(input - task->inputs) &&
            bytes_equal(id, task->query->plan->query_id)) {
            return position;
        }
    }
    return cut.bad ? -1 : shared;
}
