/*
 * log_kafka_consumer.c: what a reader reads, through librdkafka.
 *
 * A consumer handle without a group, and one queue for all partitions. What is in the queue is
 * copied into blocks (log_kafka_block.c).
 *
 *   queue:   a1 a2 a3 b1 b2 <end of a: 7> a8 ...
 *   blocks:  [a1 a2 a3] [b1 b2]           [a8]
 *
 * The end of a partition is an event in the queue: it comes with the first empty
 * response, so up to fetch.wait.max.ms late, and earlier when the position is the one at
 * which the last response saw the log's end.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/trace.h"
#include "engine/log/log_kafka_reader_internal.h"

enum { BATCH_MESSAGES = 1000 };

/* What is known of a place. */
struct consumed {
    rd_kafka_topic_t *rkt;
    bool at_end;
};

struct kafka_source {
    rd_kafka_t *rk;
    rd_kafka_queue_t *queue;
    _Atomic bool misses_topic; /* one of those that are read may be gone */
    struct place *last_found;
    struct kafka_block *open; /* the messages at hand go there */
    rd_kafka_message_t *messages[BATCH_MESSAGES];
};

static struct consumed *consumed_of(const struct place *place)
{
    return place->fetcher;
}

/* --- the handle --- */

static void close_consumer(struct kafka_reader *reader)
{
    rd_kafka_queue_destroy(reader->source->queue);
    rd_kafka_destroy(reader->source->rk);
    free(reader->source);
}

/* That a topic is unknown is told without saying which. */
static void note_error(rd_kafka_t *rk, int code, const char *reason, void *opaque)
{
    struct kafka_source *consumer = opaque;

    if (kafka_is_unknown_topic((rd_kafka_resp_err_t)code)) {
        atomic_store(&consumer->misses_topic, true);
    }
    TRACE(TRACE_INFO, "kafka", "%s: %s", rd_kafka_name(rk), reason);
}

static int open_consumer(struct kafka_reader *reader, const struct reader_spec *spec,
                         struct error *err)
{
    bool committed = spec->isolation == READ_COMMITTED;
    rd_kafka_conf_t *conf = NULL;
    struct kafka_source *consumer;
    int code;

    TRY(kafka_conf(kafka_log_of(reader->pub.log), KAFKA_READER, &conf, err));
    TRY(kafka_conf_set(conf, "client.id", spec->client_id, err));
    TRY(kafka_conf_set(conf, "isolation.level",
                       bytes_of(committed ? "read_committed" : "read_uncommitted"), err));
    if (spec->is_brief) {
        TRY(kafka_conf_set_number(conf, "fetch.wait.max.ms", BRIEF_WAIT_MS, err));
    }
    consumer = memory_zalloc(1, sizeof *consumer);
    rd_kafka_conf_set_opaque(conf, consumer);
    rd_kafka_conf_set_error_cb(conf, note_error);
    code = kafka_open(conf, KAFKA_READER, &consumer->rk, err);
    if (code) {
        free(consumer);
        return code;
    }
    consumer->queue = rd_kafka_queue_new(consumer->rk);
    reader->source = consumer;
    return 0;
}

/* --- places --- */

static struct place *place_of(struct kafka_reader *reader, const rd_kafka_message_t *message)
{
    struct place *last = reader->source->last_found;

    if (last && consumed_of(last)->rkt == message->rkt &&
        last->partition == (uint32_t)message->partition) {
        return last;
    }
    for (uint32_t i = 0; i < reader->place_count; i++) {
        struct place *place = reader->places[i];

        if (consumed_of(place)->rkt == message->rkt &&
            place->partition == (uint32_t)message->partition && place->fetching) {
            reader->source->last_found = place;
            return place;
        }
    }
    return NULL;
}

/* librdkafka waits for a partition that it does not know yet until it looks by itself, minutes. */
static void learn_partitions(const struct place *place, rd_kafka_t *rk)
{
    const struct rd_kafka_metadata *metadata = NULL;

    if (place->topic->has_grown &&
        !rd_kafka_metadata(rk, 0, consumed_of(place)->rkt, &metadata, KAFKA_CALL_MS)) {
        rd_kafka_metadata_destroy(metadata);
    }
}

static void add_place(struct kafka_reader *reader, struct place *place)
{
    struct consumed *consumed = memory_zalloc(1, sizeof *consumed);

    consumed->rkt = rd_kafka_topic_new(reader->source->rk, place->topic->name, NULL);
    place->fetcher = consumed;
    learn_partitions(place, reader->source->rk);
}

static void remove_place(struct kafka_reader *reader, struct place *place)
{
    (void)reader;
    rd_kafka_topic_destroy(consumed_of(place)->rkt);
    free(place->fetcher);
}

static void stop(struct kafka_reader *reader, struct place *place)
{
    struct consumed *consumed = consumed_of(place);

    consumed->at_end = false;
    (void)rd_kafka_consume_stop(consumed->rkt, (int32_t)place->partition); /* it was started */
    if (reader->source->last_found == place) {
        reader->source->last_found = NULL;
    }
}

static int start(struct kafka_reader *reader, struct place *place, struct error *err)
{
    int64_t from = place->fetched;

    if (from == OFFSET_BEGIN) {
        from = RD_KAFKA_OFFSET_BEGINNING;
    } else if (from == OFFSET_END) {
        from = RD_KAFKA_OFFSET_END;
    }
    if (rd_kafka_consume_start_queue(consumed_of(place)->rkt, (int32_t)place->partition, from,
                                     reader->source->queue)) {
        return kafka_fail(err, rd_kafka_last_error(), NULL, "reading topic",
                          place->topic->pub.name);
    }
    return 0;
}

/* --- fetching --- */

/* What the queue has to tell beside records; what is not said here librdkafka sees to itself. */
static void take_event(struct place *place, const rd_kafka_message_t *event)
{
    if (event->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        consumed_of(place)->at_end = true;
        kafka_reader_passed(place, event->offset);
    } else {
        (void)kafka_reader_refused(place, event->err, rd_kafka_message_errstr(event));
    }
}

static void close_block(struct kafka_reader *reader)
{
    struct kafka_block *block = reader->source->open;

    if (block) {
        reader->source->open = NULL;
        consumed_of(block->place)->at_end = false;
        kafka_reader_take(reader, block);
    }
}

/* Records of the first one's partition, in one run; an event is one by itself. */
static uint32_t run_of(rd_kafka_message_t *const *messages, size_t count)
{
    uint32_t run = 1;

    while (run < count && !messages[run - 1]->err && !messages[run]->err &&
           messages[run]->rkt == messages[0]->rkt &&
           messages[run]->partition == messages[0]->partition) {
        run++;
    }
    return run;
}

static void take_message(struct kafka_reader *reader, rd_kafka_message_t *const *messages,
                         uint32_t count)
{
    rd_kafka_message_t *message = messages[0];
    struct place *place = message->rkt ? place_of(reader, message) : NULL;

    if (!place || place->failure) {
        return;
    }
    if (message->err) {
        close_block(reader);
        take_event(place, message);
        return;
    }
    if (!reader->source->open || reader->source->open->place != place ||
        !kafka_block_add(reader->source->open, messages, count)) {
        close_block(reader);
        reader->source->open = kafka_block_new(&place->topic->pub, messages, count);
        reader->source->open->place = place;
        (void)kafka_block_add(reader->source->open, messages, count); /* there is room */
    }
}

/*
 * librdkafka waits until its array is full, so waiting is for one message only. Its call that takes
 * a function instead of an array lets a marker that was fetched before the partition was assigned
 * anew move rd_kafka_position, by which `passed` would skip records.
 */
static void take_queued(struct kafka_reader *reader, int64_t wait_ms)
{
    rd_kafka_queue_t *queue = reader->source->queue;
    ssize_t count =
        rd_kafka_consume_batch_queue(queue, 0, reader->source->messages, BATCH_MESSAGES);

    if (count <= 0 && wait_ms > 0) {
        count = rd_kafka_consume_batch_queue(queue, (int)wait_ms, reader->source->messages, 1);
        if (count == 1) {
            count += rd_kafka_consume_batch_queue(queue, 0, reader->source->messages + 1,
                                                  BATCH_MESSAGES - 1);
        }
    }
    for (ssize_t i = 0, run = 0; i < count; i++, run--) {
        run = run > 0 ? run : run_of(reader->source->messages + i, (size_t)(count - i));
        take_message(reader, reader->source->messages + i, (uint32_t)run);
        rd_kafka_message_destroy(reader->source->messages[i]);
    }
    close_block(reader);
}

/* Looks for the topics that are read, which notes those that are gone. */
static void look_for_topics(struct kafka_reader *reader)
{
    for (uint32_t i = 0; i < reader->place_count; i++) {
        const struct place *place = reader->places[i];
        const struct log_topic *topic = NULL;

        if (place->fetching) {
            (void)kafka_open_topic(reader->pub.log, place->topic->pub.name, &topic, NULL);
        }
    }
}

static void fetch(struct kafka_reader *reader, int64_t wait_ms)
{
    take_queued(reader, wait_ms);
    if (atomic_exchange(&reader->source->misses_topic, false)) {
        look_for_topics(reader);
    }
}

static void wake(struct kafka_reader *reader)
{
    rd_kafka_queue_yield(reader->source->queue);
}

/* --- where it is --- */

/* Behind the markers that librdkafka has skipped since the last record. */
static int64_t position(struct kafka_reader *reader, struct place *place)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    int64_t offset = -1;

    (void)rd_kafka_topic_partition_list_add(list, place->topic->name, (int32_t)place->partition);
    if (!rd_kafka_position(reader->source->rk, list) && !list->elems[0].err) {
        offset = list->elems[0].offset;
    }
    rd_kafka_topic_partition_list_destroy(list);
    return offset;
}

static bool at_end(struct kafka_reader *reader, struct place *place)
{
    int64_t begin = -1;
    int64_t end = -1;

    return consumed_of(place)->at_end ||
           (!rd_kafka_get_watermark_offsets(reader->source->rk, place->topic->name,
                                            (int32_t)place->partition, &begin, &end) &&
            end >= 0 && position(reader, place) >= end);
}

const struct kafka_source_kind kafka_consumer_source = {
    .finds_begin = true,
    .open = open_consumer,
    .close = close_consumer,
    .add = add_place,
    .remove = remove_place,
    .start = start,
    .stop = stop,
    .fetch = fetch,
    .wake = wake,
    .position = position,
    .at_end = at_end,
};
