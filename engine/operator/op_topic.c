/*
 * op_topic.c: rows become records of a topic: the sink, or a repartition topic.
 *
 * The key is encoded first, because it decides the partition; null keys go round. The
 * value is encoded straight into that partition's builder. Headers are those of the
 * source record. A row that cannot be encoded is reported and left out.
 *
 * Sinks write a null value for a row without a new image, of a stream and of a table
 * alike. A repartition topic holds row images: of a stream's rows, or of both images
 * of a table's change (change_record.h): as one record where both have one key,
 * else the old one first, so that who groups undoes before it adds. A table that only gets
 * another key format is written as its records were: the new image, or none.
 */
#include <string.h>

#include "engine/operator/change_record.h"
#include "engine/operator/group_key.h"
#include "engine/operator/key_maker.h"
#include "engine/operator/row_timestamp.h"

struct topic_state {
    const struct topic_plan *plan;
    struct op_output *output;
    struct key_maker keys;
    struct encoder value; /* sink */
    struct row_timestamp timestamp;
    struct buffer key;
    struct buffer old_key;
    struct buffer new_image;
    struct buffer old_image;
};

static int topic_open(struct op *op, struct error *err)
{
    struct topic_state *state = op_state(op);
    const struct topic_plan *plan = &op->plan->topic;

    state->plan = plan;
    state->output = &op->env->outputs[plan->output];
    TRY(key_maker_open(&state->keys, &plan->key, err));
    if (plan->has_timestamp) {
        TRY(row_timestamp_open(&state->timestamp, plan->timestamp_type, plan->timestamp_format,
                               op->env->arena, err));
    }
    if (plan->role == TOPIC_SINK) {
        return encoder_open(&state->value, plan->format, &plan->value, err);
    }
    return 0;
}

static void topic_close(struct op *op)
{
    struct topic_state *state = op_state(op);

    key_maker_close(&state->keys);
    if (state->value.kind) {
        encoder_close(&state->value);
    }
    buffer_fini(&state->key);
    buffer_fini(&state->old_key);
    buffer_fini(&state->new_image);
    buffer_fini(&state->old_image);
}

/* --- records --- */

/* The builder of the key's partition, with a record begun and its key in it. */
static struct log_builder *begin_record(struct topic_state *state, struct bytes key)
{
    struct op_output *output = state->output;
    uint32_t partition = key.data ? log_partition_of(key, output->partition_count)
                                  : (uint32_t)(output->round_robin++ % output->partition_count);
    struct log_builder *builder = &output->builders[partition];

    output->touched[partition / 64] |= UINT64_C(1) << partition % 64;
    log_builder_begin(builder);
    buffer_append_bytes(&builder->bytes, key);
    log_builder_end_key(builder, key.data != NULL);
    return builder;
}

static void end_record(struct log_builder *builder, const struct row_batch *in, uint32_t row,
                       bool has_value, int64_t timestamp_ms)
{
    const struct row_origin *origin = &in->origins[in->meta[row].origin];

    log_builder_end_record(builder, has_value, timestamp_ms, origin->headers, origin->header_count);
}

/*
 * The source record had no key, and these are still its key columns: all null. Without the
 * mark, null columns are a key like any other where the format can write them.
 */
static bool has_null_key(const struct topic_plan *plan, const struct row_batch *in, uint32_t row,
                         const struct row_banks *banks)
{
    bool is_null = (in->meta[row].change & ROW_NULL_KEY) != 0;

    for (uint32_t i = 0; is_null && i < plan->key.column_count; i++) {
        is_null = value_is_null(banks_value(banks, plan->key.at[i]));
    }
    return is_null;
}

/* False: the row cannot have a key; reported. An absent *out is a null key. */
static bool make_key(struct op *op, const struct row_batch *in, uint32_t row,
                     const struct row_banks *banks, struct buffer *buffer, struct bytes *out)
{
    struct topic_state *state = op_state(op);
    bool is_null = has_null_key(state->plan, in, row, banks);
    struct error why;

    *out = (struct bytes){ NULL, 0 };
    buffer->len = 0;
    if (!is_null && key_maker_append(&state->keys, banks, buffer, &is_null, &why)) {
        op_row_error(op, in, row, "key", &why);
        return false;
    }
    if (!is_null) {
        *out = buffer_bytes(buffer);
    }
    return true;
}

/* --- sink --- */

/* The record's time: the row's, or the column that the sink names. False: reported. */
static bool sink_timestamp(struct op *op, const struct row_batch *in, uint32_t row,
                           const struct row_banks *banks, int64_t *out)
{
    struct topic_state *state = op_state(op);
    struct error why;

    *out = in->meta[row].timestamp_ms;
    if (!state->plan->has_timestamp) {
        return true;
    }
    if (!(in->meta[row].change & ROW_HAS_NEW)) {
        *out = in->task_time ? in->task_time[row] : *out;
        return true;
    }
    if (row_timestamp_read(&state->timestamp, banks_value(banks, state->plan->timestamp), out,
                           &why)) {
        error_prefix(&why, "Error writing row with extracted timestamp");
        op_row_error(op, in, row, "timestamp", &why);
        return false;
    }
    return true;
}

static void write_row(struct op *op, const struct row_batch *in, uint32_t row)
{
    struct topic_state *state = op_state(op);
    struct row_banks banks = batch_row_new(in, row);
    bool is_null = !(in->meta[row].change & ROW_HAS_NEW);
    struct log_builder *builder;
    struct bytes key;
    int64_t timestamp_ms;
    struct error why;

    if (!make_key(op, in, row, &banks, &state->key, &key) ||
        !sink_timestamp(op, in, row, &banks, &timestamp_ms)) {
        return;
    }
    builder = begin_record(state, key);
    if (!is_null &&
        state->value.kind->encode_row(&state->value, &banks, &builder->bytes, &is_null, &why)) {
        log_builder_cancel(builder);
        op_row_error(op, in, row, "value", &why);
        return;
    }
    end_record(builder, in, row, !is_null, timestamp_ms);
}

/* --- repartition --- */

/* As make_key; false also for an image that GROUP BY leaves out, reported if it is new. */
static bool make_new_key(struct op *op, const struct row_batch *in, uint32_t row,
                         const struct row_banks *banks, bool is_new, struct bytes *out)
{
    struct topic_state *state = op_state(op);
    const struct key_plan *plan = &state->plan->key;
    uint32_t column;

    if (state->plan->drop_null_key &&
        !group_is_whole(plan->at, plan->column_count, banks, &column)) {
        if (is_new) {
            group_report_null(op, in, row, column);
        }
        return false;
    }
    return make_key(op, in, row, banks, is_new ? &state->key : &state->old_key, out);
}

static void repartition_row(struct op *op, const struct row_batch *in, uint32_t row)
{
    struct topic_state *state = op_state(op);
    struct row_banks banks = batch_row_new(in, row);
    bool has_value = (in->meta[row].change & ROW_HAS_NEW) != 0;
    struct log_builder *builder;
    struct bytes key;

    if ((state->plan->drop_null_key || state->plan->drop_null_value) && !has_value) {
        return;
    }
    if (!make_new_key(op, in, row, &banks, true, &key) ||
        (state->plan->skip_null_key && !key.data)) {
        return;
    }
    builder = begin_record(state, key);
    if (has_value) {
        row_codec_encode(&state->plan->codec, &banks, state->plan->columns, &builder->bytes);
    }
    end_record(builder, in, row, has_value, in->meta[row].timestamp_ms);
}

static struct bytes make_image(const struct topic_state *state, const struct row_banks *banks,
                               struct buffer *image)
{
    image->len = 0;
    row_codec_encode(&state->plan->codec, banks, state->plan->columns, image);
    return buffer_bytes(image);
}

static void write_change(struct topic_state *state, const struct row_batch *in, uint32_t row,
                         struct bytes key, const struct change_images *images)
{
    struct log_builder *builder = begin_record(state, key);

    change_record_append(images, &builder->bytes);
    end_record(builder, in, row, true, in->meta[row].timestamp_ms);
}

static void repartition_change(struct op *op, const struct row_batch *in, uint32_t row)
{
    struct topic_state *state = op_state(op);
    unsigned change = in->meta[row].change;
    struct row_banks new = batch_row_new(in, row);
    struct row_banks old = batch_row_old(in, row);
    struct change_images images = { { NULL, 0 }, { NULL, 0 } };
    struct bytes new_key = { NULL, 0 };
    struct bytes old_key = { NULL, 0 };

    if ((change & ROW_HAS_OLD) && in->old_cells &&
        make_new_key(op, in, row, &old, false, &old_key)) {
        images.old_image = make_image(state, &old, &state->old_image);
    }
    if ((change & ROW_HAS_NEW) && make_new_key(op, in, row, &new, true, &new_key)) {
        images.new_image = make_image(state, &new, &state->new_image);
    }
    if (images.old_image.data && images.new_image.data && !bytes_equal(old_key, new_key)) {
        write_change(state, in, row, old_key,
                     &(struct change_images){ { NULL, 0 }, images.old_image });
        images.old_image.data = NULL;
    }
    if (images.new_image.data || images.old_image.data) {
        write_change(state, in, row, images.new_image.data ? new_key : old_key, &images);
    }
}

static int topic_push(struct op *op, unsigned port, const struct row_batch *in, struct error *err)
{
    const struct topic_plan *plan = &op->plan->topic;
    void (*write)(struct op *, const struct row_batch *, uint32_t) = write_row;

    if (plan->role == TOPIC_REPARTITION) {
        write = plan->is_table ? repartition_change : repartition_row;
    }
    for (uint32_t n = 0; n < in->selected_count; n++) {
        write(op, in, batch_selected(in, n));
    }
    return op->env->drain ? op->env->drain(op->env, err) : 0;
}

const struct op_kind op_topic = {
    .name = "Topic",
    .implements = PLAN_TOPIC,
    .state_size = sizeof(struct topic_state),
    .open = topic_open,
    .push = topic_push,
    .close = topic_close,
};
