/*
 * stream_pull.c: a pull query on a stream: what the stream holds now, and no more.
 *
 * The ends of all partitions are noted when it is opened. Records below them go block by block
 * through the plan's one chain of operators, on the thread of whoever asks: there is no state, so
 * there is nothing to own, commit or recover, and no worker is kept from its work.
 */
#include <stdlib.h>

#include "base/memory.h"
#include "engine/runtime/runtime_internal.h"

struct stream_pull {
    struct runtime *rt;
    const struct physical_plan *plan;
    const struct input_plan *input;
    const struct log_topic *topic;
    struct query_options options;
    struct error refusal; /* a record that it must not skip */
    struct row_queue *queue;
    struct log_reader *reader;
    struct input_decoder *decoder;
    struct arena arena; /* of the operators */
    struct arena batch;
    struct op_env env;
    struct op_chain chain;
    bool chain_open;
    int64_t *ends; /* by partition */
    bool is_empty;
};

static void tell_skipped(struct stream_pull *pull, const struct row_origin *origin,
                         const char *what, const struct error *err)
{
    const struct runtime_config *config = &pull->rt->config;

    if (config->skipped) {
        config->skipped(config->context, pull->plan->query_id, origin, what, err);
    }
}

static void row_failed(struct op_env *env, const struct op *op, const struct row_origin *origin,
                       const char *what, const struct error *err)
{
    (void)op; /* the step is part of `what` */
    tell_skipped(env->context, origin, what, err);
}

static void decode_failed(void *context, const struct row_origin *origin, enum format_side side,
                          const struct error *err)
{
    const char *what = side == SIDE_KEY ? "key" : "value";
    struct stream_pull *pull = context;

    if (!query_stops_at(&pull->options, err)) {
        tell_skipped(pull, origin, what, err);
    } else if (!pull->refusal.code) {
        query_stop_reason(origin, what, err, &pull->refusal);
    }
}

/* --- opening --- */

static int open_reader(struct stream_pull *pull, struct error *err)
{
    struct log *log = pull->rt->log;
    struct reader_spec spec = { .client_id = bytes_of("pull"),
                                .isolation = READ_COMMITTED,
                                .is_brief = true };

    TRY(log_open_topic(log, pull->input->topic, &pull->topic, err));
    TRY(log_reader_open(log, &spec, &pull->reader, err));
    pull->ends = arena_array(&pull->arena, int64_t, pull->topic->partition_count);
    pull->is_empty = true;
    for (uint32_t i = 0; i < pull->topic->partition_count; i++) {
        struct log_range range = { 0, 0 };

        TRY(log_topic_range(log, pull->topic, i, READ_COMMITTED, &range, err));
        pull->ends[i] = range.end > range.begin ? range.end : -1;
        if (pull->ends[i] >= 0) {
            pull->is_empty = false;
            TRY(log_reader_assign(pull->reader, pull->topic, i, OFFSET_BEGIN, err));
        }
    }
    return 0;
}

static int open_chain(struct stream_pull *pull, struct error *err)
{
    struct input_decoder_spec spec = {
        .source = pull->input->source,
        .wanted = pull->input->wanted,
        .topic_name = arena_copy_text(&pull->arena, pull->input->topic),
        .failed = decode_failed,
        .context = pull,
    };

    pull->env = (struct op_env){
        .arena = &pull->arena,
        .plan = pull->plan,
        .client = pull->queue,
        .row_error = row_failed,
        .context = pull,
    };
    TRY(input_decoder_open(&spec, &pull->decoder, err));
    pull->chain_open = true;
    return op_chain_open(&pull->chain, &pull->plan->subs[0], &pull->env, err);
}

int stream_pull_open(struct runtime *rt, const struct physical_plan *plan,
                     const struct query_options *options, struct row_queue *queue,
                     struct stream_pull **out, struct error *err)
{
    struct stream_pull *pull = memory_zalloc(1, sizeof *pull);
    int code;

    pull->rt = rt;
    pull->plan = plan;
    pull->options = *options;
    pull->input = &plan->subs[0].inputs[0];
    pull->queue = queue;
    arena_init(&pull->arena, 0);
    arena_init(&pull->batch, 0);
    code = open_reader(pull, err);
    code = code ? code : open_chain(pull, err);
    if (code) {
        stream_pull_close(pull);
        return code;
    }
    *out = pull;
    return 0;
}

void stream_pull_close(struct stream_pull *pull)
{
    if (!pull) {
        return;
    }
    if (pull->chain_open) {
        op_chain_close(&pull->chain);
    }
    input_decoder_close(pull->decoder);
    log_reader_close(pull->reader);
    arena_fini(&pull->batch);
    arena_fini(&pull->arena);
    free(pull);
}

/* --- reading --- */

/* How many of the block's records were there when the query began. */
static uint32_t count_below_end(const struct stream_pull *pull, const struct log_block *block)
{
    uint32_t count = block->record_count;

    while (count > 0 && block->records[count - 1].offset >= pull->ends[block->partition]) {
        count--;
    }
    return count;
}

static int push_block(struct stream_pull *pull, const struct log_block *block, struct error *err)
{
    uint32_t count = count_below_end(pull, block);

    for (uint32_t first = 0; first < count; first += BATCH_MAX_ROWS) {
        uint32_t rows = count - first < BATCH_MAX_ROWS ? count - first : BATCH_MAX_ROWS;
        const struct row_batch *batch =
            input_decoder_decode(pull->decoder, block, first, rows, &pull->batch);

        if (pull->refusal.code) {
            *err = pull->refusal;
            return err->code;
        }
        TRY(op_chain_push(&pull->chain, pull->input, batch, err));
        arena_reset(&pull->batch);
    }
    return 0;
}

static bool is_done(const struct stream_pull *pull)
{
    for (uint32_t i = 0; i < pull->topic->partition_count; i++) {
        if (pull->ends[i] >= 0 &&
            log_reader_position(pull->reader, pull->topic, i) < pull->ends[i]) {
            return false;
        }
    }
    return true;
}

int stream_pull_step(struct stream_pull *pull, int64_t wait_ms, bool *done, struct error *err)
{
    struct log_place failed = { 0 };
    struct log_block *block = NULL;
    int code = 0;

    if (!pull->is_empty) {
        TRY(log_reader_poll(pull->reader, wait_ms, &block, &failed, err));
    }
    if (block) {
        code = push_block(pull, block, err);
        log_block_unref(block);
    }
    *done = !code && is_done(pull);
    return code;
}
