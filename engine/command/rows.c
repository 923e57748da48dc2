/*
 * rows.c: rows of queries on their way to a result sink, from a queue or one by one.
 */
#include "engine/command/command_internal.h"

void rows_begin(const struct command *command, struct bytes id, const struct schema *schema)
{
    if (command->sink->rows_begin) {
        command->sink->rows_begin(command->sink->context, id, schema);
    }
}

bool rows_tell(const struct command *command, const struct value *cells, bool tombstone,
               int64_t timestamp_ms)
{
    return !command->sink->row ||
           command->sink->row(command->sink->context, cells, tombstone, timestamp_ms);
}

void rows_end(const struct command *command, const char *message)
{
    if (command->sink->rows_end) {
        command->sink->rows_end(command->sink->context, bytes_of(message));
    }
}

const struct client_plan *rows_find_client(const struct physical_plan *plan)
{
    const struct sub_plan *last = &plan->subs[plan->sub_count - 1];

    return &last->ops[last->op_count - 1].client;
}

int row_taker_take(struct row_taker *taker, int64_t wait_ms, bool *any, struct error *err)
{
    const struct row_codec *codec = &taker->client->codec;
    struct client_row row = { 0 };
    bool tombstone = false;

    while (!taker->stopped && row_queue_take(taker->queue, wait_ms, &taker->rows, &row, &tombstone,
                                             &taker->finished)) {
        struct value *cells = arena_array(&taker->rows, struct value, codec->column_count);

        TRY(row_codec_decode(codec, row.image, cells, &taker->rows, err));
        taker->stopped = !rows_tell(taker->command, cells, tombstone, row.timestamp_ms);
        arena_reset(&taker->rows);
        *any = true;
    }
    return 0;
}

void session_set_client(struct session *session, struct row_queue *queue)
{
    pthread_mutex_lock(&session->client_mutex);
    session->client = queue;
    if (queue && session->is_cancelled) {
        row_queue_finish(queue, "Query Completed");
    } else if (!queue) {
        session->is_cancelled = false; /* that was for the query which is through */
    }
    pthread_mutex_unlock(&session->client_mutex);
}

bool session_is_cancelled(struct session *session)
{
    bool is_cancelled;

    pthread_mutex_lock(&session->client_mutex);
    is_cancelled = session->is_cancelled;
    pthread_mutex_unlock(&session->client_mutex);
    return is_cancelled;
}
