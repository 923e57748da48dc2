/*
 * batch_slice.c: a part of a batch, for runs that are shorter than a decoded batch.
 *
 * The slice points into the batch; only a list of selected rows is made anew,
 * because it counts from the slice's first row.
 */
#include "engine/operator/op.h"

#include <assert.h>

static void slice_selection(const struct row_batch *batch, uint32_t first, struct arena *arena,
                            struct row_batch *out)
{
    uint16_t *selected = arena_alloc(arena, out->row_count * sizeof *selected);
    uint32_t count = 0;

    for (uint32_t i = 0; i < batch->selected_count; i++) {
        uint32_t row = batch->selected[i];

        if (row >= first && row - first < out->row_count) {
            selected[count++] = (uint16_t)(row - first);
        }
    }
    out->selected = selected;
    out->selected_count = count;
}

static const struct value *skip_rows(const struct value *values, uint32_t stride, uint32_t rows)
{
    return values ? values + (size_t)stride * rows : NULL;
}

const struct row_batch *batch_slice(const struct row_batch *batch, uint32_t first, uint32_t count,
                                    struct arena *arena)
{
    struct row_batch *out = arena_new(arena, struct row_batch);

    assert(first <= batch->row_count && count <= batch->row_count - first);
    *out = *batch;
    out->arena = arena;
    out->row_count = count;
    out->selected_count = count;
    out->cells = skip_rows(batch->cells, batch->shape->cell_count, first);
    out->old_cells = skip_rows(batch->old_cells, batch->shape->cell_count, first);
    out->registers = skip_rows(batch->registers, batch->shape->register_count, first);
    out->old_registers = skip_rows(batch->old_registers, batch->shape->register_count, first);
    out->meta = batch->meta + first;
    out->key_bytes = batch->key_bytes ? batch->key_bytes + first : NULL;
    out->task_time = batch->task_time ? batch->task_time + first : NULL;
    if (batch->selected) {
        slice_selection(batch, first, arena, out);
    }
    return out;
}
