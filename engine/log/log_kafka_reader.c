/*
 * log_kafka_reader.c: reading partitions; what is fetched is handed out without copying.
 *
 * A reader has a consumer handle of its own without a group, and one queue for
 * all its partitions. Fetched messages point into the responses that brought
 * them; a block keeps its messages, hands out their bytes and gives them back when
 * the last reference goes. Blocks outlive the reader, so the handle is counted.
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
 * A pause stops fetching and drops what has not been handed out; going on fetches again.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/trace.h"
#include "engine/log/log_kafka_internal.h"

enum {
    BATCH_MESSAGES = 1000,
    BLOCK_BYTES = 128 * 1024,   /* a block is closed before it grows beyond */
    MESSAGE_BYTES = 200,        /* librdkafka's own, per message */
    LONGEST_WAIT_MS = 60 * 1000 /* callers come again */
};

/* The handle, for a reader and all blocks read with it. */
struct kafka_consumer {
    _Atomic uint32_t references;
    rd_kafka_t *rk;
    rd_kafka_queue_t *queue;
    _Atomic bool misses_topic; /* one of those that are read may be gone */
};

struct place {
    const struct kafka_topic *topic;
    uint32_t partition;
    rd_kafka_topic_t *rkt;
    int64_t position; /* handed out up to here, or OFFSET_BEGIN, OFFSET_END while not known */
    int64_t fetched;  /* the position once `waiting` is 0 */
    uint32_t waiting; /* blocks of it that are ready */
    bool fetching;    /* not while paused, nor after a failure */
    bool at_end;
    int failure;      /* to be told once what came before it has been handed out */
    struct error why; /* the client's words */
};

struct kafka_block {
    struct log_block pub; /* first */
    struct kafka_consumer *consumer;
    struct place *place; /* while it is ready */
    struct kafka_block *next;
    struct record_header *headers;
    rd_kafka_message_t **messages; /* behind the records, in the block's own memory */
};

struct kafka_reader {
    struct log_reader pub; /* first */
    struct kafka_consumer *consumer;
    enum log_isolation isolation;
    struct place **places;
    uint32_t place_count;
    uint32_t place_capacity;
    struct place *last_found;
    struct kafka_block *ready;
    struct kafka_block **ready_end;
    _Atomic bool woken;
    rd_kafka_message_t *messages[BATCH_MESSAGES];
};

static struct kafka_reader *reader_of(struct log_reader *reader)
{
    return (struct kafka_reader *)reader;
}

/* --- the handle --- */

static void consumer_unref(struct kafka_consumer *consumer)
{
    if (atomic_fetch_sub_explicit(&consumer->references, 1, memory_order_acq_rel) == 1) {
        rd_kafka_queue_destroy(consumer->queue);
        rd_kafka_destroy(consumer->rk);
        free(consumer);
    }
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
    atomic_init(&consumer->references, 1);
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
    place->topic = kafka_topic_of(topic);
    place->partition = partition;
    place->rkt = rd_kafka_topic_new(reader->consumer->rk, place->topic->name, NULL);
    reader->places[reader->place_count++] = place;
    return place;
}

/* Takes back what is ready of the place. */
static void drop_ready(struct kafka_reader *reader, struct place *place)
{
    struct kafka_block **link = &reader->ready;

    while (*link) {
        struct kafka_block *block = *link;

        if (block->place == place) {
            *link = block->next;
            log_block_unref(&block->pub);
        } else {
            link = &block->next;
        }
    }
    reader->ready_end = link;
    place->waiting = 0;
    place->fetched = place->position;
}

static void stop_fetching(struct kafka_reader *reader, struct place *place)
{
    drop_ready(reader, place);
    place->at_end = false;
    if (place->fetching) {
        (void)rd_kafka_consume_stop(place->rkt, (int32_t)place->partition); /* it was started */
        place->fetching = false;
    }
    if (reader->last_found == place) {
        reader->last_found = NULL;
    }
}

static int start_fetching(struct kafka_reader *reader, struct place *place, struct error *err)
{
    int64_t from = place->position;

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
    }
    place->position = from;
    place->fetched = from;
    place->failure = 0;
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

    if (place) {
        stop_fetching(reader, place);
    }
}

void kafka_reader_resume(struct log_reader *base, const struct log_topic *topic, uint32_t partition)
{
    struct kafka_reader *reader = reader_of(base);
    struct place *place = find_place(reader, topic, partition);

    if (place && !place->fetching && start_fetching(reader, place, &place->why)) {
        place->failure = ERR_LOG_UNAVAILABLE;
    }
}

/* --- blocks --- */

static void release_block(struct log_block *base)
{
    struct kafka_block *block = (struct kafka_block *)base;

    for (uint32_t i = 0; i < base->record_count; i++) {
        rd_kafka_message_destroy(block->messages[i]);
    }
    consumer_unref(block->consumer);
    free(block->headers);
    free(block);
}

static size_t message_bytes(const rd_kafka_message_t *message)
{
    return message->len + message->key_len + MESSAGE_BYTES + sizeof(struct log_record);
}

static uint32_t header_count(rd_kafka_message_t *message)
{
    rd_kafka_headers_t *headers = NULL;

    return rd_kafka_message_headers(message, &headers) ? 0 : (uint32_t)rd_kafka_header_cnt(headers);
}

static void read_headers(rd_kafka_message_t *message, struct record_header *out, uint32_t count)
{
    rd_kafka_headers_t *headers = NULL;

    (void)rd_kafka_message_headers(message, &headers); /* it has some */
    for (uint32_t i = 0; i < count; i++) {
        const char *name = NULL;
        const void *value = NULL;
        size_t len = 0;

        (void)rd_kafka_header_get_all(headers, i, &name, &value, &len);
        out[i].key = bytes_of(name);
        out[i].value = (struct bytes){ value, len };
    }
}

static void fill_headers(struct kafka_block *block, struct log_record *records, uint32_t count)
{
    size_t total = 0;
    struct record_header *at;

    for (uint32_t i = 0; i < count; i++) {
        records[i].header_count = header_count(block->messages[i]);
        total += records[i].header_count;
    }
    if (total == 0) {
        return;
    }
    block->headers = memory_zalloc(total, sizeof *block->headers);
    at = block->headers;
    for (uint32_t i = 0; i < count; i++) {
        if (records[i].header_count) {
            read_headers(block->messages[i], at, records[i].header_count);
            records[i].headers = at;
            at += records[i].header_count;
        }
    }
}

/* A record that says it has no timestamp is of the epoch's begin (see log_kafka_writer.c). */
static int64_t timestamp_of(const rd_kafka_message_t *message)
{
    rd_kafka_timestamp_type_t type;
    int64_t timestamp_ms = rd_kafka_message_timestamp(message, &type);

    return timestamp_ms == -1 ? 0 : timestamp_ms;
}

static struct log_record record_of(const rd_kafka_message_t *message)
{
    return (struct log_record){
        .offset = message->offset,
        .timestamp_ms = timestamp_of(message),
        .key = { message->key, message->key_len },
        .value = { message->payload, message->len },
    };
}

static void make_block(struct kafka_reader *reader, struct place *place,
                       rd_kafka_message_t **messages, uint32_t count, size_t size_bytes)
{
    struct kafka_block *block =
        memory_alloc(sizeof *block + count * (sizeof(struct log_record) + sizeof *messages));
    struct log_record *records = (struct log_record *)(block + 1);

    *block = (struct kafka_block){
        .pub = { .partition = place->partition,
                 .topic = &place->topic->pub,
                 .records = records,
                 .record_count = count,
                 .next_offset = messages[count - 1]->offset + 1,
                 .size_bytes = size_bytes,
                 .release = release_block },
        .consumer = reader->consumer,
        .place = place,
        .messages = (rd_kafka_message_t **)(records + count),
    };
    atomic_init(&block->pub.references, 1);
    (void)atomic_fetch_add_explicit(&reader->consumer->references, 1, memory_order_relaxed);
    memcpy(block->messages, messages, count * sizeof *messages);
    for (uint32_t i = 0; i < count; i++) {
        records[i] = record_of(messages[i]);
    }
    fill_headers(block, records, count);
    place->fetched = block->pub.next_offset;
    place->waiting++;
    place->at_end = false;
    *reader->ready_end = block;
    reader->ready_end = &block->next;
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

static void sort_messages(struct kafka_reader *reader, size_t count)
{
    size_t at = 0;

    while (at < count) {
        rd_kafka_message_t *first = reader->messages[at];
        struct place *place = first->rkt ? place_of(reader, first) : NULL;
        size_t size_bytes = message_bytes(first);
        size_t end = at + 1;

        if (!place || first->err || place->failure) {
            if (place && !place->failure) {
                take_event(place, first);
            }
            rd_kafka_message_destroy(first);
            at = end;
            continue;
        }
        while (end < count && reader->messages[end]->rkt == first->rkt &&
               reader->messages[end]->partition == first->partition &&
               !reader->messages[end]->err &&
               size_bytes + message_bytes(reader->messages[end]) <= BLOCK_BYTES) {
            size_bytes += message_bytes(reader->messages[end++]);
        }
        make_block(reader, place, &reader->messages[at], (uint32_t)(end - at), size_bytes);
        at = end;
    }
}

/* librdkafka waits until its array is full, so waiting is for one message only. */
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
    if (count > 0) {
        sort_messages(reader, (size_t)count);
    }
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
        if (place->failure && !place->waiting) {
            return tell_failure(reader, place, failed, err);
        }
    }
    return 0;
}

static struct log_block *take_ready(struct kafka_reader *reader)
{
    struct kafka_block *block = reader->ready;
    struct place *place;

    if (!block) {
        return NULL;
    }
    reader->ready = block->next;
    if (!reader->ready) {
        reader->ready_end = &reader->ready;
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
    if (!reader->ready) {
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
    if (place->fetching && !place->waiting) {
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

        if (place->failure || (place->fetching && !has_reached_end(reader, place))) {
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
    reader->ready_end = &reader->ready;
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
    consumer_unref(reader->consumer);
    free(reader->places);
    free(reader);
}
