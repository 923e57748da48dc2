/*
 * input_decode.c: blocks of records become batches of rows.
 *
 * A source's rows lie in cells in the order of its schema: key columns, then value
 * and header columns as declared. The value's decoder fills its cells in place; only
 * where a header column stands between value columns are they moved.
 *
 * A record that cannot be read is reported and not selected: its key is tried first, then
 * its value, then its time. A null key makes the key columns null, a null value all
 * others. A table's record with a null key is left out without a word.
 *
 * Records of a repartition topic hold row images of the whole shape, and the key
 * bytes that the next step needs.
 */
#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "engine/operator/change_record.h"
#include "engine/operator/op.h"
#include "engine/operator/row_timestamp.h"

struct input_decoder {
    struct input_decoder_spec spec;
    const struct row_shape *shape;
    struct arena arena;
    /* a source's */
    const struct schema *schema;
    struct decoder key;   /* no kind: no key columns */
    struct decoder value; /* no kind: no value columns */
    struct decoder_spec key_spec;
    struct decoder_spec value_spec;
    const uint32_t *value_at;  /* per value column its cell; NULL: side by side behind the key */
    const uint32_t *header_at; /* wanted header columns */
    uint32_t header_count;
    int32_t timestamp_at; /* cell; -1: the record's own time */
    struct row_timestamp timestamp;
    const char *topic_name;
};

/* --- open --- */

static bool is_header(const struct column *column)
{
    return column->role == COLUMN_HEADERS || column->role == COLUMN_HEADER;
}

static int open_timestamp(struct input_decoder *d, const struct source *source, struct error *err)
{
    const struct column *column;

    d->timestamp_at = -1;
    if (!source->timestamp_column.data) {
        return 0;
    }
    column = schema_find(&source->schema, source->timestamp_column);
    if (!column) {
        return error_set(err, ERR_TIMESTAMP_COLUMN, NO_POSITION,
                         "The timestamp column %.*s does not exist",
                         BYTES_ARG(source->timestamp_column));
    }
    d->timestamp_at = (int32_t)schema_index(&source->schema, column);
    return row_timestamp_open(&d->timestamp, column->type, source->timestamp_format, &d->arena,
                              err);
}

/* Value columns and header columns, and where their cells are. */
static void split_columns(struct input_decoder *d, const bool *wanted)
{
    const struct schema *schema = d->schema;
    struct column *columns = arena_array(&d->arena, struct column, schema->column_count);
    bool *value_wanted = arena_array(&d->arena, bool, schema->column_count);
    uint32_t *value_at = arena_array(&d->arena, uint32_t, schema->column_count);
    uint32_t *header_at = arena_array(&d->arena, uint32_t, schema->column_count);
    uint32_t count = 0;
    bool side_by_side = true;

    for (uint32_t i = schema->key_count; i < schema->column_count; i++) {
        if (is_header(&schema->columns[i])) {
            if (wanted[i]) {
                header_at[d->header_count++] = i;
            }
            continue;
        }
        side_by_side = side_by_side && i == schema->key_count + count;
        columns[count] = schema->columns[i];
        value_wanted[count] = wanted[i];
        value_at[count++] = i;
    }
    d->value_spec.columns = columns;
    d->value_spec.wanted = value_wanted;
    d->value_spec.column_count = count;
    d->value_at = side_by_side ? NULL : value_at;
    d->header_at = header_at;
}

static int open_source(struct input_decoder *d, const struct source *source, struct error *err)
{
    struct row_shape *shape = arena_new(&d->arena, struct row_shape);
    bool *wanted = arena_array(&d->arena, bool, source->schema.column_count);

    d->schema = &source->schema;
    row_shape_of_schema(&d->arena, d->schema, shape);
    d->shape = shape;
    TRY(open_timestamp(d, source, err));
    for (uint32_t i = 0; i < d->schema->column_count; i++) {
        wanted[i] = !d->spec.wanted || d->spec.wanted[i] || (int32_t)i == d->timestamp_at;
    }
    d->key_spec = (struct decoder_spec){ SIDE_KEY, d->schema->columns, d->schema->key_count, wanted,
                                         source->key_format.options };
    d->value_spec =
        (struct decoder_spec){ .side = SIDE_VALUE, .options = source->value_format.options };
    split_columns(d, wanted);
    if (d->key_spec.column_count) {
        TRY(decoder_open(&d->key, source->key_format.kind, &d->key_spec, err));
    }
    if (d->value_spec.column_count) {
        TRY(decoder_open(&d->value, source->value_format.kind, &d->value_spec, err));
    }
    return 0;
}

int input_decoder_open(const struct input_decoder_spec *spec, struct input_decoder **out,
                       struct error *err)
{
    struct input_decoder *d = memory_zalloc(1, sizeof *d);
    int code = 0;

    d->spec = *spec;
    arena_init(&d->arena, 0);
    d->topic_name = arena_copy_text(&d->arena, bytes_of(spec->topic_name));
    if (spec->source) {
        code = open_source(d, spec->source, err);
    } else {
        d->shape = spec->repartition->shape;
        assert(spec->repartition->codec.column_count == d->shape->cell_count);
    }
    if (code) {
        input_decoder_close(d);
        return code;
    }
    *out = d;
    return 0;
}

void input_decoder_close(struct input_decoder *d)
{
    if (!d) {
        return;
    }
    if (d->key.kind) {
        decoder_close(&d->key);
    }
    if (d->value.kind) {
        decoder_close(&d->value);
    }
    arena_fini(&d->arena);
    free(d);
}

const struct row_shape *input_decoder_shape(const struct input_decoder *d)
{
    return d->shape;
}

/* --- a record of a source --- */

struct record_row {
    const struct log_record *record;
    const struct row_origin *origin;
    struct value *cells;
    struct value *old_cells; /* of a table's repartition topic */
    struct row_meta *meta;
    struct arena *arena;
};

static bool report(struct input_decoder *d, const struct record_row *row, enum format_side side,
                   const struct error *why)
{
    if (d->spec.failed) {
        d->spec.failed(d->spec.context, row->origin, side, why);
    }
    return false;
}

static bool decode_key(struct input_decoder *d, struct record_row *row)
{
    bool is_null = !row->record->key.data;
    struct error why;

    if (!is_null && d->key.kind &&
        d->key.kind->decode_row(&d->key, row->record->key, row->cells, &is_null, row->arena,
                                &why)) {
        return report(d, row, SIDE_KEY, &why);
    }
    if (is_null) {
        memset(row->cells, 0, d->schema->key_count * sizeof *row->cells);
        row->meta->change |= ROW_NULL_KEY;
    }
    return true;
}

static bool decode_value(struct input_decoder *d, struct record_row *row)
{
    uint32_t count = d->value_spec.column_count;
    struct value *cells = row->cells + d->schema->key_count;
    bool is_null = !row->record->value.data;
    struct error why;

    if (d->value_at) {
        cells = arena_alloc(row->arena, count * sizeof *cells);
    }
    if (!is_null && d->value.kind &&
        d->value.kind->decode_row(&d->value, row->record->value, cells, &is_null, row->arena,
                                  &why)) {
        return report(d, row, SIDE_VALUE, &why);
    }
    if (is_null && count) {
        memset(cells, 0, count * sizeof *cells);
    }
    for (uint32_t i = 0; d->value_at && i < count; i++) {
        row->cells[d->value_at[i]] = cells[i];
    }
    if (!is_null) {
        row->meta->change |= ROW_HAS_NEW;
    }
    return true;
}

static struct value header_bytes(const struct record_header *header)
{
    return header->value.data ? value_text(T_BYTES, header->value) : value_null();
}

/* HEADER('key'): the last one of that name. */
static struct value named_header(const struct log_record *record, struct bytes name)
{
    for (uint32_t i = record->header_count; i-- > 0;) {
        if (bytes_equal(record->headers[i].key, name)) {
            return header_bytes(&record->headers[i]);
        }
    }
    return value_null();
}

/* HEADERS: ARRAY<STRUCT<KEY STRING, VALUE BYTES>>. */
static struct value all_headers(const struct log_record *record, struct arena *arena)
{
    uint32_t count = record->header_count;
    struct value *items = arena_array(arena, struct value, count);
    struct value *fields = arena_array(arena, struct value, 2 * (size_t)count);

    for (uint32_t i = 0; i < count; i++) {
        fields[2 * i] = value_text(T_STRING, record->headers[i].key);
        fields[2 * i + 1] = header_bytes(&record->headers[i]);
        items[i] = (struct value){ .kind = T_STRUCT, .size = 2, .items = fields + 2 * (size_t)i };
    }
    return (struct value){ .kind = T_ARRAY, .size = count, .items = items };
}

static void fill_headers(const struct input_decoder *d, struct record_row *row)
{
    for (uint32_t i = 0; i < d->header_count; i++) {
        const struct column *column = &d->schema->columns[d->header_at[i]];

        row->cells[d->header_at[i]] = column->role == COLUMN_HEADERS
                                          ? all_headers(row->record, row->arena)
                                          : named_header(row->record, column->header_key);
    }
}

static bool take_timestamp(struct input_decoder *d, struct record_row *row)
{
    bool in_key = d->timestamp_at >= 0 && (uint32_t)d->timestamp_at < d->schema->key_count;
    struct error why;

    row->meta->timestamp_ms = row->record->timestamp_ms;
    if (d->timestamp_at >= 0) {
        if (row_timestamp_read(&d->timestamp, &row->cells[d->timestamp_at],
                               &row->meta->timestamp_ms, &why)) {
            return report(d, row, in_key ? SIDE_KEY : SIDE_VALUE, &why);
        }
    } else if (row->record->timestamp_ms < 0) {
        error_set(&why, ERR_TIMESTAMP, NO_POSITION, "The record's timestamp is %" PRId64,
                  row->record->timestamp_ms);
        return report(d, row, SIDE_VALUE, &why);
    }
    return true;
}

static bool decode_source(struct input_decoder *d, struct record_row *row)
{
    if (!decode_key(d, row)) {
        return false;
    }
    if ((row->meta->change & ROW_NULL_KEY) && d->spec.source->kind == SOURCE_TABLE) {
        return false; /* not an error: a table has no row without a key */
    }
    if (!decode_value(d, row)) {
        return false;
    }
    if (d->header_at) {
        fill_headers(d, row);
    }
    return take_timestamp(d, row);
}

/* --- a record of a repartition topic --- */

/* An image as cells; none: nulls. */
static int decode_image(const struct input_decoder *d, struct bytes image, struct value *cells,
                        struct arena *arena, struct error *err)
{
    if (!image.data) {
        memset(cells, 0, d->shape->cell_count * sizeof *cells);
        return 0;
    }
    return row_codec_decode(&d->spec.repartition->codec, image, cells, arena, err);
}

static int decode_images(struct input_decoder *d, struct record_row *row, struct error *err)
{
    struct change_images images = { row->record->value, { NULL, 0 } };

    if (row->old_cells) {
        TRY(change_record_parse(row->record->value, &images, err));
        TRY(decode_image(d, images.old_image, row->old_cells, row->arena, err));
        row->meta->change |= images.old_image.data ? ROW_HAS_OLD : 0;
    }
    TRY(decode_image(d, images.new_image, row->cells, row->arena, err));
    row->meta->change |= images.new_image.data ? ROW_HAS_NEW : 0;
    return 0;
}

static bool decode_repartition(struct input_decoder *d, struct record_row *row)
{
    struct error why;

    row->meta->timestamp_ms = row->record->timestamp_ms;
    row->meta->change |= row->record->key.data ? 0 : ROW_NULL_KEY;
    if (decode_images(d, row, &why)) {
        return report(d, row, SIDE_VALUE, &why);
    }
    return true;
}

/* --- a batch --- */

struct batch_arrays {
    struct value *cells;
    struct value *old_cells;
    struct row_meta *meta;
    struct row_origin *origins;
    struct bytes *key_bytes;
    uint16_t *selected;
};

static void alloc_batch(const struct input_decoder *d, uint32_t count, struct arena *arena,
                        struct batch_arrays *out)
{
    size_t cells = (size_t)count * d->shape->cell_count;

    memset(out, 0, sizeof *out);
    out->cells = arena_array(arena, struct value, cells);
    out->meta = arena_array(arena, struct row_meta, count);
    out->origins = arena_alloc(arena, count * sizeof *out->origins);
    out->selected = arena_alloc(arena, count * sizeof *out->selected);
    if (!d->spec.source) {
        out->key_bytes = arena_alloc(arena, count * sizeof *out->key_bytes);
        if (d->spec.repartition->is_table) {
            out->old_cells = arena_array(arena, struct value, cells);
        }
    }
}

static bool decode_record(struct input_decoder *d, const struct log_block *block, uint32_t number,
                          uint32_t row, struct batch_arrays *arrays, struct arena *arena)
{
    const struct log_record *record = &block->records[number];
    size_t at = (size_t)row * d->shape->cell_count;
    struct record_row work = {
        .record = record,
        .origin = &arrays->origins[row],
        .cells = arrays->cells + at,
        .old_cells = arrays->old_cells ? arrays->old_cells + at : NULL,
        .meta = &arrays->meta[row],
        .arena = arena,
    };

    arrays->origins[row] =
        (struct row_origin){ record->offset, block->partition, record->header_count,
                             record->headers, d->topic_name };
    arrays->meta[row].origin = row;
    if (!arrays->key_bytes) {
        return decode_source(d, &work);
    }
    arrays->key_bytes[row] = record->key;
    return decode_repartition(d, &work);
}

const struct row_batch *input_decoder_decode(struct input_decoder *d, const struct log_block *block,
                                             uint32_t first, uint32_t count, struct arena *arena)
{
    struct row_batch *batch = arena_new(arena, struct row_batch);
    struct batch_arrays arrays;
    uint32_t good = 0;

    assert(count <= BATCH_MAX_ROWS && first <= block->record_count &&
           count <= block->record_count - first);
    alloc_batch(d, count, arena, &arrays);
    for (uint32_t row = 0; row < count; row++) {
        if (decode_record(d, block, first + row, row, &arrays, arena)) {
            arrays.selected[good++] = (uint16_t)row;
        }
    }
    *batch = (struct row_batch){
        .shape = d->shape,
        .row_count = count,
        .selected_count = good,
        .selected = good < count ? arrays.selected : NULL,
        .cells = arrays.cells,
        .old_cells = arrays.old_cells,
        .meta = arrays.meta,
        .origins = arrays.origins,
        .key_bytes = arrays.key_bytes,
        .arena = arena,
    };
    return batch;
}
