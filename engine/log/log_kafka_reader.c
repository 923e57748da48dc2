/*
 * log_kafka_reader.c: reading partitions.
 *
 * A reader has a consumer handle of its own without a group, and one queue for
 * all its partitions. What is in the queue is copied into blocks (log_kafka_block.c).
 *
 *   queue:   a1 a2 a3 b1 b2 <end of a: 7> a8 ...
 *   blocks:  [a1 a2 a3] [b1 b2]           [a8]      ready, in this order
 *
 * A place is an assigned partition. Its position follows the blocks as they are
 * handed out, `fetched` runs ahead of it; where they meet, librdkafka is asked how far
 * it has come, since it skips the markers of transactions. The end of a partition
 * is an event in the queue: it comes with the first empty response, so up to
 * fetch.wait.max.ms late, and earlier when the position is the one at which the
 * last response saw the log's end.
 *
 * A paused place's blocks are held, so that a short pause costs nothing. Where all that is held
 * becomes too much, the place is fetched no further; going on begins behind what it holds.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/trace.h"
#include "engine/log/log_kafka_internal.h"

enum {
    BATCH_MESSAGES = 1000,
    HELD_BYTES_MAX = 8 << 20,   /* of all paused places together */
    LONGEST_WAIT_MS = 60 * 1000 /* callers come again */
};

struct kafka_consumer {
    rd_kafka_t *rk;
    rd_kafka_queue_t *queue;
    _Atomic bool misses_topic; /* one of those that are read may be gone */
};

struct block_list {
    struct kafka_block *first;
    struct kafka_block **end;
};

struct place {
    const struct kafka_topic *topic;
    uint32_t partition;
    rd_kafka_topic_t *rkt;
    int64_t position; /* handed out up to here, or OFFSET_BEGIN, OFFSET_END while not known */
    int64_t fetched;  /* the position once `waiting` is 0 */
    uint32_t waiting; /* blocks of it that are ready or held */
    bool fetching;
    bool paused;
    bool at_end;
    struct block_list held; /* while it is paused */
    int failure;            /* to be told once what came before it has been handed out */
    struct error why;       /* the client's words */
};

struct kafka_reader {
    struct log_reader pub; /* first */
    struct kafka_consumer *consumer;
    enum log_isolation isolation;
    struct place **places;
    uint32_t place_count;
    uint32_t place_capacity;
    struct place *last_found;
    struct kafka_block *open; /* the messages at hand go there */
    struct block_list ready;
    size_t held_bytes;
    _Atomic bool woken;
    rd_kafka_message_t *messages[BATCH_MESSAGES];
};

static struct kafka_reader *reader_of(struct log_reader *reader)
{
    return (struct kafka_reader *)reader;
}

/* --- the handle --- */

static void close_consumer(struct kafka_consumer *consumer)
{
    rd_kafka_queue_destroy(consumer->queue);
    rd_kafka_destroy(consumer->rk);
    free(consumer);
}

/* That a topic is unknown is told without saying which. */
static void note_error(rd_kafka_t *rk, int code, const char *reason, void *opaque)
{
    struct kafka_consumer *consumer = opaque;

    if (kafka_is_unknown_topic((rd_kafka_resp_err_t)code)) {
        atomic_store(&consumer->misses_topic, true);
    }
    TRACE(TRACE_INFO, "kafka", "%s: %s", rd_kafka_name(rk), reason);
}

/* A fetch that waits at the end of one partition keeps back the next partition's. */
enum { BRIEF_WAIT_MS = 1 };

static int open_consumer(struct kafka_log *log, const struct reader_spec *spec,
                         struct kafka_consumer **out, struct error *err)
{
    bool committed = spec->isolation == READ_COMMITTED;
    rd_kafka_conf_t *conf = NULL;
    struct kafka_consumer *consumer;
    int code;

    TRY(kafka_conf(log, KAFKA_READER, &conf, err));
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
    *out = consumer;
    return 0;
}

/* --- places --- */

static void list_init(struct block_list *list)
{
    *list = (struct block_list){ NULL, &list->first };
}

static void list_add(struct block_list *list, struct kafka_block *block)
{
    block->next = NULL;
    *list->end = block;
    list->end = &block->next;
}

static struct place *find_place(const struct kafka_reader *reader, const struct log_topic *topic,
                                uint32_t partition)
{
    for (uint32_t i = 0; i < reader->place_count; i++) {
        if (&reader->places[i]->topic->pub == topic && reader->places[i]->partition == partition) {
            return reader->places[i];
        }
    }
    return NULL;
}

static struct place *place_of(struct kafka_reader *reader, const rd_kafka_message_t *message)
{
    struct place *last = reader->last_found;

    if (last && last->rkt == message->rkt && last->partition == (uint32_t)message->partition) {
        return last;
    }
    for (uint32_t i = 0; i < reader->place_count; i++) {
        struct place *place = reader->places[i];

        if (place->rkt == message->rkt && place->partition == (uint32_t)message->partition &&
            place->fetching) {
            reader->last_found = place;
            return place;
        }
    }
    return NULL;
}

static struct place *add_place(struct kafka_reader *reader, const struct log_topic *topic,
                               uint32_t partition)
{
    struct place *place = memory_zalloc(1, sizeof *place);

    if (reader->place_count == reader->place_capacity) {
        reader->place_capacity = reader->place_capacity ? reader->place_capacity * 2 : 8;
        reader->places =
            memory_resize(reader->places, reader->place_capacity, sizeof(struct place *));
    }
    list_init(&place->held);
    place->topic = kafka_topic_of(topic);
    place->partition = partition;
    place->rkt = rd_kafka_topic_new(reader->consumer->rk, place->topic->name, NULL);
    reader->places[reader->place_count++] = place;
    return place;
}

/* What is ready of the place becomes held, until it is let go or dropped. */
static void hold(struct kafka_reader *reader, struct place *place)
{
    struct kafka_block **link = &reader->ready.first;

    while (*link) {
        struct kafka_block *block = *link;

        if (block->place == place) {
            *link = block->next;
            list_add(&place->held, block);
            reader->held_bytes += block->pub.size_bytes;
        } else {
            link = &block->next;
        }
    }
    reader->ready.end = link;
}

static void drop_held(struct kafka_reader *reader, struct place *place)
{
    while (place->held.first) {
        struct kafka_block *block = place->held.first;

        place->held.first = block->next;
        reader->held_bytes -= block->pub.size_bytes;
        log_block_unref(&block->pub);
    }
    list_init(&place->held);
}

static void let_go(struct kafka_reader *reader, struct place *place)
{
    while (place->held.first) {
        struct kafka_block *block = place->held.first;

        place->held.first = block->next;
        reader->held_bytes -= block->pub.size_bytes;
        list_add(&reader->ready, block);
    }
    list_init(&place->held);
}

static void end_fetching(struct kafka_reader *reader, struct place *place)
{
    place->at_end = false;
    if (place->fetching) {
        (void)rd_kafka_consume_stop(place->rkt, (int32_t)place->partition); /* it was started */
        place->fetching = false;
    }
    if (reader->last_found == place) {
        reader->last_found = NULL;
    }
}

/* What has not been handed out is dropped. */
static void stop_fetching(struct kafka_reader *reader, struct place *place)
{
    hold(reader, place);
    drop_held(reader, place);
    place->waiting = 0;
    place->fetched = place->position;
    end_fetching(reader, place);
}

static int start_fetching(struct kafka_reader *reader, struct place *place, struct error *err)
{
    int64_t from = place->fetched;

    if (from == OFFSET_BEGIN) {
        from = RD_KAFKA_OFFSET_BEGINNING;
    } else if (from == OFFSET_END) {
        from = RD_KAFKA_OFFSET_END;
    }
    if (rd_kafka_consume_start_queue(place->rkt, (int32_t)place->partition, from,
                                     reader->consumer->queue)) {
        return kafka_fail(err, rd_kafka_last_error(), NULL, "reading topic",
                          place->topic->pub.name);
    }
    place->fetching = true;
    return 0;
}

/*
 * The end is that of now, not of the first fetch. The begin is asked for here because a new handle
 * of librdkafka 2.0 that has to ask does so 500 ms later; what cannot be told now it may ask.
 */
static int find_offset(struct kafka_reader *reader, const struct log_topic *topic,
                       uint32_t partition, int64_t *from, struct error *err)
{
    struct log_range range = { OFFSET_BEGIN, OFFSET_END };
    struct error why = { 0 };
    int code;

    if (*from >= 0) {
        return 0;
    }
    code = kafka_topic_range(reader->pub.log, topic, partition, reader->isolation, &range, &why);
    if (code && code != ERR_TOPIC_GONE && *from == OFFSET_END) {
        return error_set(err, why.code, why.at, "%s", why.message);
    }
    *from = *from == OFFSET_END ? range.end : range.begin;
    return 0;
}

/* librdkafka waits for a partition that it does not know yet until it looks by itself, minutes. */
static void learn_partitions(struct place *place, rd_kafka_t *rk)
{
    const struct rd_kafka_metadata *metadata = NULL;

    if (place->topic->has_grown &&
        !rd_kafka_metadata(rk, 0, place->rkt, &metadata, KAFKA_CALL_MS)) {
        rd_kafka_metadata_destroy(metadata);
    }
}

/*
 * One that read the topic as it was before: librdkafka knows names only, so to stop it later would
 * stop the new one.
 */
static void stop_former(struct kafka_reader *reader, const struct place *place)
{
    for (uint32_t i = 0; i < reader->place_count; i++) {
        struct place *other = reader->places[i];

        if (other != place && other->partition == place->partition && other->fetching &&
            bytes_equal(other->topic->pub.name, place->topic->pub.name)) {
            stop_fetching(reader, other);
        }
    }
}

int kafka_reader_assign(struct log_reader *base, const struct log_topic *topic, uint32_t partition,
                        int64_t from, struct error *err)
{
    struct kafka_reader *reader = reader_of(base);
    struct place *place = find_place(reader, topic, partition);

    TRY(find_offset(reader, topic, partition, &from, err));
    if (place) {
        stop_fetching(reader, place);
    } else {
        place = add_place(reader, topic, partition);
        learn_partitions(place, reader->consumer->rk);
        stop_former(reader, place);
    }
    place->position = from;
    place->fetched = from;
    place->failure = 0;
    place->paused = false;
    return start_fetching(reader, place, err);
}

void kafka_reader_unassign(struct log_reader *base, const struct log_topic *topic,
                           uint32_t partition)
{
    struct kafka_reader *reader = reader_of(base);
    struct place *place = find_place(reader, topic, partition);

    if (!place) {
        return;
    }
    stop_fetching(reader, place);
    for (uint32_t i = 0; i < reader->place_count; i++) {
        if (reader->places[i] == place) {
            reader->places[i] = reader->places[--reader->place_count];
        }
    }
    rd_kafka_topic_destroy(place->rkt);
    free(place);
}

void kafka_reader_pause(struct log_reader *base, const struct log_topic *topic, uint32_t partition)
{
    struct kafka_reader *reader = reader_of(base);
    struct place *place = find_place(reader, topic, partition);

    if (place && !place->paused) {
        place->paused = true;
        hold(reader, place);
    }
}

void kafka_reader_resume(struct log_reader *base, const struct log_topic *topic, uint32_t partition)
{
    struct kafka_reader *reader = reader_of(base);
    struct place *place = find_place(reader, topic, partition);

    if (!place) {
        return;
    }
    place->paused = false;
    let_go(reader, place);
    if (!place->fetching && !place->failure && start_fetching(reader, place, &place->why)) {
        place->failure = ERR_LOG_UNAVAILABLE;
    }
}

/* --- fetching --- */

/* What the queue has to tell beside records. */
static void take_event(struct place *place, const rd_kafka_message_t *event)
{
    if (event->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        place->fetched = event->offset > place->fetched ? event->offset : place->fetched;
        place->at_end = true;
    } else if (kafka_is_unknown_topic(event->err)) {
        place->failure = ERR_TOPIC_GONE;
    } else if (kafka_error_code(event->err) == ERR_OUT_OF_RANGE) {
        place->failure = ERR_OUT_OF_RANGE;
        (void)error_set(&place->why, ERR_OUT_OF_RANGE, NO_POSITION, "%s",
                        rd_kafka_message_errstr(event));
    } else if (kafka_error_code(event->err) == ERR_NOT_AUTHORIZED) {
        place->failure = kafka_fail(&place->why, event->err, NULL, "reading topic",
                                    bytes_of(rd_kafka_topic_name(event->rkt)));
    } else if (kafka_error_code(event->err) == ERR_LOG_DAMAGED) {
        place->failure = ERR_LOG_DAMAGED;
        (void)error_set(&place->why, ERR_LOG_DAMAGED, NO_POSITION, "%s",
                        rd_kafka_message_errstr(event));
    }
    /* librdkafka sees to all else itself and has logged it. */
    if (!place->waiting && place->fetched > place->position) {
        place->position = place->fetched;
    }
}

static void close_block(struct kafka_reader *reader)
{
    struct kafka_block *block = reader->open;
    struct place *place;

    if (!block) {
        return;
    }
    place = block->place;
    place->fetched = block->pub.next_offset;
    place->waiting++;
    place->at_end = false;
    list_add(&reader->ready, block);
    reader->open = NULL;
    if (place->paused) {
        hold(reader, place);
        if (reader->held_bytes > HELD_BYTES_MAX) {
            end_fetching(reader, place);
        }
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
    if (!reader->open || reader->open->place != place ||
        !kafka_block_add(reader->open, messages, count)) {
        close_block(reader);
        reader->open = kafka_block_new(&place->topic->pub, messages, count);
        reader->open->place = place;
        (void)kafka_block_add(reader->open, messages, count); /* there is room */
    }
}

/*
 * librdkafka waits until its array is full, so waiting is for one message only. Its call that takes
 * a function instead of an array lets a marker that was fetched before the partition was assigned
 * anew move rd_kafka_position, by which `passed` would skip records.
 */
static void fetch(struct kafka_reader *reader, int64_t wait_ms)
{
    rd_kafka_queue_t *queue = reader->consumer->queue;
    int wait = (int)(wait_ms < LONGEST_WAIT_MS ? wait_ms : LONGEST_WAIT_MS);
    ssize_t count = rd_kafka_consume_batch_queue(queue, 0, reader->messages, BATCH_MESSAGES);

    if (count <= 0 && wait > 0) {
        count = rd_kafka_consume_batch_queue(queue, wait, reader->messages, 1);
        if (count == 1) {
            count +=
                rd_kafka_consume_batch_queue(queue, 0, reader->messages + 1, BATCH_MESSAGES - 1);
        }
    }
    for (ssize_t i = 0, run = 0; i < count; i++, run--) {
        run = run > 0 ? run : run_of(reader->messages + i, (size_t)(count - i));
        take_message(reader, reader->messages + i, (uint32_t)run);
        rd_kafka_message_destroy(reader->messages[i]);
    }
    close_block(reader);
}

/* --- polling --- */

static int tell_failure(struct kafka_reader *reader, struct place *place, struct log_place *failed,
                        struct error *err)
{
    int code = place->failure;
    struct bytes name = place->topic->pub.name;

    place->failure = 0;
    stop_fetching(reader, place);
    if (failed) {
        *failed = (struct log_place){ &place->topic->pub, place->partition };
    }
    if (code == ERR_TOPIC_GONE) {
        return kafka_topic_gone(&place->topic->pub, err);
    }
    if (code == ERR_OUT_OF_RANGE) {
        return error_set(err, ERR_OUT_OF_RANGE, NO_POSITION,
                         "topic '%.*s', partition %u: offset %lld is not there: %s",
                         BYTES_ARG(name), place->partition, (long long)place->position,
                         place->why.message);
    }
    return error_set(err, (enum error_code)code, NO_POSITION,
                     "topic '%.*s', partition %u cannot be read at offset %lld: %s",
                     BYTES_ARG(name), place->partition, (long long)place->position,
                     place->why.message);
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

static int check_places(struct kafka_reader *reader, struct log_place *failed, struct error *err)
{
    if (atomic_exchange(&reader->consumer->misses_topic, false)) {
        look_for_topics(reader);
    }
    for (uint32_t i = 0; i < reader->place_count; i++) {
        struct place *place = reader->places[i];

        if (place->fetching && atomic_load_explicit(&place->topic->gone, memory_order_relaxed)) {
            place->failure = ERR_TOPIC_GONE;
        }
        if (place->failure && !place->waiting && !place->paused) {
            return tell_failure(reader, place, failed, err);
        }
    }
    return 0;
}

static struct log_block *take_ready(struct kafka_reader *reader)
{
    struct kafka_block *block = reader->ready.first;
    struct place *place;

    if (!block) {
        return NULL;
    }
    reader->ready.first = block->next;
    if (!reader->ready.first) {
        list_init(&reader->ready);
    }
    place = block->place;
    block->place = NULL;
    block->next = NULL;
    place->waiting--;
    place->position = place->waiting ? block->pub.next_offset : place->fetched;
    return &block->pub;
}

int kafka_reader_poll(struct log_reader *base, int64_t wait_ms, struct log_block **out,
                      struct log_place *failed, struct error *err)
{
    struct kafka_reader *reader = reader_of(base);

    TRY(check_places(reader, failed, err));
    if (!reader->ready.first) {
        fetch(reader, atomic_exchange(&reader->woken, false) ? 0 : wait_ms);
        TRY(check_places(reader, failed, err));
    }
    *out = take_ready(reader);
    return 0;
}

void kafka_reader_wake(struct log_reader *base)
{
    struct kafka_reader *reader = reader_of(base);

    atomic_store(&reader->woken, true);
    rd_kafka_queue_yield(reader->consumer->queue);
}

/* --- where it is --- */

/* Behind the markers that librdkafka has skipped since the last record. */
static int64_t passed(const struct kafka_reader *reader, const struct place *place)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    int64_t offset = -1;

    (void)rd_kafka_topic_partition_list_add(list, place->topic->name, (int32_t)place->partition);
    if (!rd_kafka_position(reader->consumer->rk, list) && !list->elems[0].err) {
        offset = list->elems[0].offset;
    }
    rd_kafka_topic_partition_list_destroy(list);
    return offset;
}

static int64_t position_of(const struct kafka_reader *reader, struct place *place)
{
    if (place->fetching && !place->waiting && !place->failure) {
        int64_t offset = passed(reader, place);

        if (offset > place->position) {
            place->position = offset;
            place->fetched = offset;
        }
    }
    return place->position;
}

int64_t kafka_reader_position(struct log_reader *base, const struct log_topic *topic,
                              uint32_t partition)
{
    struct kafka_reader *reader = reader_of(base);
    struct place *place = find_place(reader, topic, partition);
    int64_t position;

    if (!place) {
        return -1;
    }
    position = position_of(reader, place);
    return position < 0 ? 0 : position;
}

static bool has_reached_end(const struct kafka_reader *reader, struct place *place)
{
    int64_t begin = -1;
    int64_t end = -1;

    if (place->waiting) {
        return false;
    }
    if (place->at_end) {
        return true;
    }
    return !rd_kafka_get_watermark_offsets(reader->consumer->rk, place->topic->name,
                                           (int32_t)place->partition, &begin, &end) &&
           end >= 0 && passed(reader, place) >= end;
}

bool kafka_reader_at_end(struct log_reader *base)
{
    struct kafka_reader *reader = reader_of(base);

    for (uint32_t i = 0; i < reader->place_count; i++) {
        struct place *place = reader->places[i];

        if (place->failure ||
            (!place->paused && place->fetching && !has_reached_end(reader, place))) {
            return false;
        }
    }
    return true;
}

/* --- opening and closing --- */

int kafka_reader_open(struct log *base, const struct reader_spec *spec, struct log_reader **out,
                      struct error *err)
{
    struct kafka_consumer *consumer = NULL;
    struct kafka_reader *reader;

    TRY(open_consumer(kafka_log_of(base), spec, &consumer, err));
    reader = memory_zalloc(1, sizeof *reader);
    reader->pub.log = base;
    reader->consumer = consumer;
    reader->isolation = spec->isolation;
    list_init(&reader->ready);
    *out = &reader->pub;
    return 0;
}

void kafka_reader_close(struct log_reader *base)
{
    struct kafka_reader *reader = reader_of(base);

    while (reader->place_count) {
        struct place *place = reader->places[0];

        kafka_reader_unassign(base, &place->topic->pub, place->partition);
    }
    close_consumer(reader->consumer);
    free(reader->places);
    free(reader);
}
