/*
 * output_rows.c: blocks of cells in the arena, a new set for each batch emitted,
 * because the successor may keep pointers into them until the arena ends.
 */
#include "engine/operator/output_rows.h"

#include <assert.h>
#include <string.h>

enum { FLUSH_CHUNK_BYTES = 1 << 16 };

void output_rows_begin(struct output_rows *rows, struct op *op, struct arena *arena,
                       const struct row_origin *origins, uint32_t most_rows)
{
    *rows = (struct output_rows){
        .op = op,
        .arena = arena,
        .origins = origins,
        .capacity = most_rows < BATCH_MAX_ROWS ? most_rows : BATCH_MAX_ROWS,
    };
}

static void alloc_rows(struct output_rows *rows)
{
    size_t cells = (size_t)rows->capacity * rows->op->plan->output->cell_count;

    assert(rows->capacity);
    rows->cells = arena_alloc(rows->arena, cells * sizeof *rows->cells);
    if (rows->op->plan->needs_old) {
        rows->old_cells = arena_alloc(rows->arena, cells * sizeof *rows->old_cells);
    }
    rows->meta = arena_alloc(rows->arena, rows->capacity * sizeof *rows->meta);
    rows->task_time = arena_alloc(rows->arena, rows->capacity * sizeof *rows->task_time);
    if (rows->gives_keys) {
        rows->key_bytes = arena_alloc(rows->arena, rows->capacity * sizeof *rows->key_bytes);
    }
}

int output_rows_next(struct output_rows *rows, struct output_row *out, struct error *err)
{
    uint32_t stride = rows->op->plan->output->cell_count;
    uint32_t row;

    if (rows->count == rows->capacity) {
        TRY(output_rows_end(rows, err));
    }
    if (!rows->cells) {
        alloc_rows(rows);
    }
    row = rows->count++;
    *out = (struct output_row){
        .cells = rows->cells + (size_t)row * stride,
        .meta = &rows->meta[row],
        .task_time = &rows->task_time[row],
        .key_bytes = rows->key_bytes ? &rows->key_bytes[row] : NULL,
    };
    memset(out->cells, 0, stride * sizeof *out->cells);
    if (rows->old_cells) {
        out->old_cells = rows->old_cells + (size_t)row * stride;
        memset(out->old_cells, 0, stride * sizeof *out->old_cells);
    }
    *out->meta = (struct row_meta){ 0 };
    *out->task_time = 0;
    return 0;
}

void output_rows_drop(struct output_rows *rows)
{
    rows->count--;
}

int output_rows_end(struct output_rows *rows, struct error *err)
{
    struct row_batch *batch;

    if (!rows->count) {
        return 0;
    }
    batch = arena_new(rows->arena, struct row_batch);
    *batch = (struct row_batch){
        .shape = rows->op->plan->output,
        .row_count = rows->count,
        .selected_count = rows->count,
        .cells = rows->cells,
        .old_cells = rows->old_cells,
        .meta = rows->meta,
        .origins = rows->origins,
        .task_time = rows->task_time,
        .key_bytes = rows->key_bytes,
        .arena = rows->arena,
    };
    rows->count = 0;
    rows->cells = NULL;
    rows->old_cells = NULL;
    return op_emit(rows->op, batch, err);
}

/* --- flush --- */

struct flush {
    struct op *op;
    struct emission *emission;
    struct store *store;
    fill_change fill;
    struct arena arena; /* of one batch */
    uint32_t cursor;
};

/* The next changes, their entries on the way into the cache. */
static uint32_t take_changes(struct flush *flush, const struct emission_change **changes)
{
    struct bytes *keys = arena_alloc(&flush->arena, BATCH_MAX_ROWS * sizeof *keys);
    uint32_t count = 0;

    while (count < BATCH_MAX_ROWS) {
        changes[count] = emission_next(flush->emission, &flush->cursor);
        if (!changes[count]) {
            break;
        }
        keys[count] = changes[count]->key;
        count++;
    }
    store_prefetch(flush->store, keys, count);
    return count;
}

static int flush_changes(struct flush *flush, const struct emission_change **changes,
                         uint32_t count, struct error *err)
{
    struct row_origin *origins = arena_alloc(&flush->arena, count * sizeof *origins);
    struct output_rows rows;
    struct output_row row;

    output_rows_begin(&rows, flush->op, &flush->arena, origins, count);
    for (uint32_t i = 0; i < count; i++) {
        bool emits = true;

        TRY(output_rows_next(&rows, &row, err));
        origins[i] = changes[i]->origin;
        row.meta->origin = i;
        row.meta->timestamp_ms = changes[i]->timestamp_ms;
        TRY(flush->fill(flush->op, changes[i], &row, &emits, &flush->arena, err));
        if (!emits) {
            output_rows_drop(&rows);
        }
    }
    return output_rows_end(&rows, err);
}

static int flush_all(struct flush *flush, struct error *err)
{
    const struct emission_change **changes;
    uint32_t count;

    do {
        arena_reset(&flush->arena);
        changes = arena_alloc(&flush->arena, BATCH_MAX_ROWS * sizeof(void *));
        count = take_changes(flush, changes);
        if (count) {
            TRY(flush_changes(flush, changes, count, err));
        }
    } while (count);
    return 0;
}

int output_rows_flush(struct op *op, struct emission *emission, struct store *store,
                      fill_change fill, struct error *err)
{
    struct flush flush = { op, emission, store, fill, { 0 }, 0 };
    int code;

    if (!emission || !emission_count(emission)) {
        return 0;
    }
    arena_init(&flush.arena, FLUSH_CHUNK_BYTES);
    code = flush_all(&flush, err);
    arena_fini(&flush.arena);
    if (!code) {
        emission_clear(emission);
    }
    return code;
}
