/*
 * progress.c: the only truth about positions, as records of the progress topic.
 *
 * A slot's records are in the partition of its number:
 *
 *   P source topic partition -> incarnation, shared position, (task input, position)*
 *   T query sub partition    -> operator metadata; that it exists says the task was born
 *
 * Tasks that stand at the shared position are not listed, so a commit of a thousand
 * tasks that keep pace writes one short record. A task without a T record has
 * never committed: it starts where its query says. A born one stands at
 * its own entry or else at the shared position. Numbers are little-endian.
 */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "engine/runtime/runtime_internal.h"

enum { PROGRESS_VERSION = 1 };

struct progress_entry {
    struct buffer key;
    struct buffer value;
};

struct progress {
    struct map entries; /* key -> struct progress_entry */
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

static void position_key(const struct task_input *input, struct buffer *out)
{
    buffer_append_char(out, 'P');
    put_text(out, input_source_name(input));
    put_text(out, input->topic->name);
    put_u64(out, input->task->partition);
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
    return input->task->in_commit ? input->processed : input->committed;
}

static bool same_record(const struct task_input *a, const struct task_input *b)
{
    return a->task->slot == b->task->slot && a->task->query->durable == b->task->query->durable;
}

/* All inputs that share the record of this one stand in its reader. */
static void write_positions(struct worker *worker, const struct task_input *of)
{
    const struct reader *reader = of->reader;
    struct log_builder *out = &worker->scratch;
    int64_t shared = -1;
    uint64_t lagging = 0;

    for (uint32_t i = 0; i < reader->input_count; i++) {
        if (same_record(reader->inputs[i], of) && position_of(reader->inputs[i]) > shared) {
            shared = position_of(reader->inputs[i]);
        }
    }
    for (uint32_t i = 0; i < reader->input_count; i++) {
        lagging += same_record(reader->inputs[i], of) && position_of(reader->inputs[i]) >= 0 &&
                   position_of(reader->inputs[i]) < shared;
    }
    log_builder_begin(out);
    position_key(of, &out->bytes);
    log_builder_end_key(out, true);
    buffer_append_char(&out->bytes, PROGRESS_VERSION);
    put_u64(&out->bytes, of->topic->incarnation);
    put_u64(&out->bytes, (uint64_t)shared);
    put_u64(&out->bytes, lagging);
    for (uint32_t i = 0; i < reader->input_count; i++) {
        const struct task_input *input = reader->inputs[i];

        if (same_record(input, of) && position_of(input) >= 0 && position_of(input) < shared) {
            put_text(&out->bytes, input->task->query->plan->query_id);
            put_u64(&out->bytes, input->task->sub_index);
            put_u64(&out->bytes, (uint64_t)(input - input->task->inputs));
            put_u64(&out->bytes, (uint64_t)position_of(input));
        }
    }
    log_builder_end_record(out, true, clock_now_ms(worker->rt->clock), NULL, 0);
}

/* The first input of its record that takes part writes the record for all. */
static bool writes_record(const struct reader *reader, uint32_t index)
{
    if (!reader->inputs[index]->task->in_commit) {
        return false;
    }
    for (uint32_t i = 0; i < index; i++) {
        if (reader->inputs[i]->task->in_commit &&
            same_record(reader->inputs[i], reader->inputs[index])) {
            return false;
        }
    }
    return true;
}

static int append_scratch(struct worker *worker, uint32_t slot, struct error *err)
{
    if (worker->scratch.record_count == 0) {
        return 0;
    }
    return log_writer_append(worker->writer, worker->rt->progress_topic, slot, &worker->scratch,
                             NULL, err);
}

static int write_task(struct worker *worker, struct task *task, struct error *err)
{
    struct log_builder *out = &worker->scratch;
    struct buffer metadata = { 0 };

    op_chain_save(&task->chain, &metadata);
    if (task->born && bytes_equal(buffer_bytes(&metadata), buffer_bytes(&task->saved_metadata))) {
        buffer_fini(&metadata);
        return 0;
    }
    log_builder_begin(out);
    task_key(task, &out->bytes);
    log_builder_end_key(out, true);
    buffer_append_char(&out->bytes, PROGRESS_VERSION);
    buffer_append_bytes(&out->bytes, buffer_bytes(&metadata));
    log_builder_end_record(out, true, clock_now_ms(worker->rt->clock), NULL, 0);
    buffer_fini(&task->saved_metadata);
    task->saved_metadata = metadata;
    return append_scratch(worker, task->slot, err);
}

int progress_write(struct worker *worker, struct error *err)
{
    for (struct task *task = worker->tasks; task; task = task->next) {
        if (task->in_commit) {
            TRY(write_task(worker, task, err));
        }
    }
    for (struct reader *reader = worker->readers; reader; reader = reader->next) {
        for (uint32_t i = 0; i < reader->input_count; i++) {
            if (writes_record(reader, i)) {
                write_positions(worker, reader->inputs[i]);
                TRY(append_scratch(worker, reader->inputs[i]->task->slot, err));
            }
        }
    }
    return 0;
}

int progress_forget(struct worker *worker, struct query *query, struct error *err)
{
    struct runtime *rt = worker->rt;

    for (uint32_t s = 0; s < query->plan->sub_count; s++) {
        for (uint32_t p = 0; p < query->task_counts[s]; p++) {
            const struct sub_plan *sub = &query->plan->subs[s];
            uint32_t slot = slot_of(rt, sub->root_topic, p);
            struct task named = { .query = query, .sub_index = s, .partition = p };

            if (!rt->slots[slot].owned || rt->slots[slot].worker != worker->index) {
                continue;
            }
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
}

static void keep_block(void *context, const struct log_block *block)
{
    for (uint32_t i = 0; i < block->record_count; i++) {
        keep_record(context, &block->records[i]);
    }
}

int progress_read(struct runtime *rt, uint32_t slot, struct progress **out, struct error *err)
{
    struct progress *progress = memory_zalloc(1, sizeof *progress);
    int code;

    map_init(&progress->entries);
    code = recover_read_all(rt->log, rt->progress_topic, slot, keep_block, progress, err);
    if (code) {
        progress_free(progress);
        return code;
    }
    *out = progress;
    return 0;
}

void progress_free(struct progress *progress)
{
    MAP_FOREACH (entry, &progress->entries) {
        struct progress_entry *kept = entry->value;

        buffer_fini(&kept->key);
        buffer_fini(&kept->value);
        free(kept);
    }
    map_fini(&progress->entries);
    free(progress);
}

static struct bytes find_value(const struct progress *progress, struct buffer *key)
{
    const struct progress_entry *entry = map_find(&progress->entries, buffer_bytes(key));

    buffer_fini(key);
    return entry && entry->value.len > 0 && entry->value.data[0] == PROGRESS_VERSION
               ? (struct bytes){ entry->value.data + 1, entry->value.len - 1 }
               : (struct bytes){ NULL, 0 };
}

bool progress_find_task(const struct progress *progress, const struct task *task,
                        struct bytes *metadata)
{
    struct buffer key = { 0 };
    struct bytes value;

    task_key(task, &key);
    value = find_value(progress, &key);
    if (!value.data) {
        return false;
    }
    *metadata = value;
    return true;
}

int64_t progress_position(const struct progress *progress, const struct task_input *input)
{
    const struct task *task = input->task;
    struct buffer key = { 0 };
    struct cut cut;
    uint64_t incarnation, lagging;
    int64_t shared;

    position_key(input, &key);
    cut.rest = find_value(progress, &key);
    cut.bad = !cut.rest.data;
    incarnation = cut_u64(&cut);
    shared = (int64_t)cut_u64(&cut);
    lagging = cut_u64(&cut);
    if (cut.bad || incarnation != input->topic->incarnation) {
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
