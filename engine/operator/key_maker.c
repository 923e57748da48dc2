/*
 * key_maker.c: an encoder for key columns, and keys in one buffer.
 *
 * The buffer moves while it grows, so slices are cut only when a run is complete.
 */
#include "engine/operator/key_maker.h"

#include <assert.h>

int key_maker_open(struct key_maker *maker, const struct key_plan *plan, struct error *err)
{
    maker->spec = (struct encoder_spec){
        .side = SIDE_KEY,
        .columns = plan->columns,
        .column_count = plan->column_count,
        .at = plan->at,
        .options = plan->format.options,
    };
    if (!plan->column_count) {
        return 0;
    }
    return encoder_open(&maker->encoder, plan->format.kind, &maker->spec, err);
}

void key_maker_close(struct key_maker *maker)
{
    if (maker->encoder.kind) {
        encoder_close(&maker->encoder);
        maker->encoder.kind = NULL;
    }
}

int key_maker_append(struct key_maker *maker, const struct row_banks *row, struct buffer *out,
                     bool *is_null, struct error *err)
{
    size_t begin = out->len;
    int code;

    if (!maker->encoder.kind) {
        *is_null = true;
        return 0;
    }
    code = maker->encoder.kind->encode_row(&maker->encoder, row, out, is_null, err);
    if (code || *is_null) {
        out->len = begin;
    }
    return code;
}

void key_run_begin(struct key_run *run, struct arena *arena, uint32_t most_keys)
{
    run->bytes.len = 0;
    run->count = 0;
    run->capacity = most_keys;
    run->ends = arena_alloc(arena, most_keys * sizeof *run->ends);
    run->keys = arena_alloc(arena, most_keys * sizeof *run->keys);
}

void key_run_end_key(struct key_run *run)
{
    assert(run->count < run->capacity);
    run->ends[run->count++] = run->bytes.len;
}

void key_run_finish(struct key_run *run)
{
    const char *data = buffer_bytes(&run->bytes).data;
    size_t begin = 0;

    for (uint32_t i = 0; i < run->count; i++) {
        run->keys[i] = (struct bytes){ data + begin, run->ends[i] - begin };
        begin = run->ends[i];
    }
}

void key_run_fini(struct key_run *run)
{
    buffer_fini(&run->bytes);
}
