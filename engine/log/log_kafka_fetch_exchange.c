/*
 * log_kafka_fetch_exchange.c: a fetch of all places that are due, and its answer.
 */
#include <stdlib.h>

#include "base/memory.h"
#include "base/trace.h"
#include "engine/log/log_kafka_fetch_internal.h"
#include "engine/log/log_kafka_wire.h"

enum {
    BRIEF_DOUBLED_MAX = 6,
    SHORT_WAIT_MS = 5,    /* while one that is paused may go on at any moment */
    SHORT_PAUSE_MS = 200, /* then it may take longer */
    TOPIC_BYTES = 6,      /* an answer has at least for each */
    PARTITION_BYTES = 30,
    ABORTED_BYTES = 16,
};

/* --- asking --- */

struct request {
    struct broker *broker;
    const struct kafka_topic *topic; /* that the last partition is of */
    size_t topics_at;
    size_t partitions_at;
    int32_t topics;
    int32_t partitions;
};

/* The head, with how long the broker may wait for records to come. */
static void begin_request(struct kafka_reader *reader, struct request *request, int32_t wait_ms)
{
    const struct kafka_source *source = reader->source;
    struct kafka_link *link = &request->broker->link;

    kafka_link_begin(link);
    wire_put_i32(&link->out, -1); /* no replica */
    wire_put_i32(&link->out, wait_ms);
    wire_put_i32(&link->out, source->settings.min_bytes);
    wire_put_i32(&link->out, source->settings.max_bytes);
    buffer_append_char(&link->out, reader->isolation == READ_COMMITTED);
    if (link->fetch_version >= 7) {
        wire_put_i32(&link->out, 0); /* no session */
        wire_put_i32(&link->out, -1);
    }
    request->topics_at = link->out.len;
    wire_put_i32(&link->out, 0);
}

static void end_request(struct request *request)
{
    struct kafka_link *link = &request->broker->link;

    wire_set_i32(&link->out, request->topics_at, request->topics);
    if (link->fetch_version >= 7) {
        wire_put_i32(&link->out, 0); /* nothing is forgotten */
    }
    if (link->fetch_version >= 11) {
        wire_put_text(&link->out, bytes_of("")); /* of no rack */
    }
}

static void put_place(const struct kafka_source *source, struct request *request,
                      struct place *place)
{
    struct broker *broker = request->broker;
    struct buffer *out = &broker->link.out;

    if (place->topic != request->topic) {
        request->topic = place->topic;
        request->topics++;
        request->partitions = 0;
        wire_put_text(out, place->topic->pub.name);
        request->partitions_at = out->len;
        wire_put_i32(out, 0);
    }
    wire_set_i32(out, request->partitions_at, ++request->partitions);
    wire_put_i32(out, (int32_t)place->partition);
    fetched_of(place)->left_out_ms = 0;
    if (broker->link.fetch_version >= 9) {
        wire_put_i32(out, -1); /* under any leader */
    }
    wire_put_i64(out, fetched_of(place)->next);
    if (broker->link.fetch_version >= 5) {
        wire_put_i64(out, -1);
    }
    wire_put_i32(out, source->settings.partition_bytes);
    if (broker->asked_count == broker->asked_capacity) {
        broker->asked_capacity = broker->asked_capacity ? broker->asked_capacity * 2 : 8;
        broker->asked = memory_resize(broker->asked, broker->asked_capacity, sizeof *broker->asked);
    }
    broker->asked[broker->asked_count++] = (struct asked){ place, fetched_of(place)->next };
}

/* A paused place is asked for while there is nothing of it here, unless there was too much. */
static bool has_enough(const struct place *place)
{
    const struct fetched *fetched = fetched_of(place);

    return place->paused && (place->waiting > 0 || fetched->first || fetched->was_dropped);
}

bool fetch_may_be_asked(const struct place *place, const struct broker *broker)
{
    return place->fetching && !place->failure && fetched_of(place)->leader == broker;
}

/*
 * How long the broker may wait for records of the others while this one, which is left out, would
 * have to wait for them.
 */
static int32_t patience(const struct place *place, int32_t wait_ms, int64_t now_ms)
{
    struct fetched *fetched = fetched_of(place);
    int64_t until_ms = fetched->not_before_ms - now_ms;

    if (until_ms <= 0) {
        fetched->left_out_ms = fetched->left_out_ms ? fetched->left_out_ms : now_ms;
        until_ms = now_ms - fetched->left_out_ms < SHORT_PAUSE_MS ? SHORT_WAIT_MS : wait_ms;
    }
    return until_ms < wait_ms ? (int32_t)until_ms : wait_ms;
}

static bool is_due(const struct place *place, int64_t now_ms)
{
    return !has_enough(place) && now_ms >= fetched_of(place)->not_before_ms;
}

/* A brief one is longer each time while nothing comes: else the reader asks without a break. */
static int32_t wait_of(struct kafka_reader *reader, const struct broker *broker, int64_t now_ms)
{
    const struct fetch_settings *settings = &reader->source->settings;
    int32_t brief_ms = BRIEF_WAIT_MS << broker->quiet;
    bool is_brief = settings->is_brief && brief_ms < settings->wait_ms;
    int32_t wait_ms = is_brief ? brief_ms : settings->wait_ms;

    for (uint32_t i = 0; i < reader->place_count; i++) {
        const struct place *place = reader->places[i];

        if (fetch_may_be_asked(place, broker) && !is_due(place, now_ms)) {
            wait_ms = patience(place, wait_ms, now_ms);
        }
    }
    return wait_ms;
}

void fetch_ask(struct kafka_reader *reader, struct broker *broker, int64_t now_ms)
{
    struct request request = { .broker = broker };
    uint32_t count = reader->place_count;

    if (!kafka_link_is_free(&broker->link) || now_ms < broker->not_before_ms) {
        return;
    }
    broker->asked_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct place *place = reader->places[(broker->turn + i) % count];

        if (!fetch_may_be_asked(place, broker) || !is_due(place, now_ms)) {
            continue;
        }
        if (!broker->asked_count) {
            broker->wait_ms = wait_of(reader, broker, now_ms);
            begin_request(reader, &request, broker->wait_ms);
        }
        put_place(reader->source, &request, place);
    }
    if (broker->asked_count) {
        broker->turn = (broker->turn + 1) % count;
        broker->asked_ms = now_ms;
        end_request(&request);
        kafka_link_send(&broker->link, now_ms, broker->wait_ms);
    }
}

/* --- taking answers --- */

/* The next one is likely to be the next that was asked for. */
static struct asked *find_asked(struct broker *broker, struct bytes topic, uint32_t partition,
                                uint32_t *at)
{
    for (uint32_t i = 0; i < broker->asked_count; i++) {
        struct asked *asked = &broker->asked[(*at + i) % broker->asked_count];

        if (asked->place && asked->place->partition == partition &&
            bytes_equal(asked->place->topic->pub.name, topic)) {
            *at = (*at + i + 1) % broker->asked_count;
            return asked;
        }
    }
    return NULL;
}

static bool has_no_leader_there(rd_kafka_resp_err_t code)
{
    return kafka_is_unknown_topic(code) || code == RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE ||
           code == RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION ||
           code == RD_KAFKA_RESP_ERR_REPLICA_NOT_AVAILABLE ||
           code == RD_KAFKA_RESP_ERR_FENCED_LEADER_EPOCH ||
           code == RD_KAFKA_RESP_ERR_UNKNOWN_LEADER_EPOCH ||
           code == RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR ||
           code == RD_KAFKA_RESP_ERR_OFFSET_NOT_AVAILABLE ||
           code == RD_KAFKA_RESP_ERR_LISTENER_NOT_FOUND;
}

static void take_refusal(struct kafka_reader *reader, struct place *place, rd_kafka_resp_err_t code,
                         int64_t now_ms)
{
    int64_t again_ms = now_ms + reader->source->settings.backoff_ms;

    if (has_no_leader_there(code)) {
        fetch_lose_leader(place, again_ms);
    } else if (fetched_of(place)->first || /* that comes first */
               !kafka_reader_refused(place, code, rd_kafka_err2str(code))) {
        fetched_of(place)->not_before_ms = again_ms;
        TRACE(TRACE_INFO, "kafka", "reading topic '%.*s', partition %u: %s",
              BYTES_ARG(place->topic->pub.name), place->partition, rd_kafka_err2str(code));
    }
}

struct answer {
    struct broker *broker;
    struct fetched_bytes *memory;
    struct wire_reader from;
    uint32_t at;   /* of what was asked for */
    bool is_first; /* the partition at hand was asked for before all others */
    bool has_records;
    bool has_errors;
};

struct partition_answer {
    rd_kafka_resp_err_t code;
    int64_t end;
    struct bytes aborted;
    struct bytes records;
};

static struct partition_answer take_partition_answer(struct answer *answer, bool committed)
{
    struct wire_reader *from = &answer->from;
    int16_t version = answer->broker->link.fetch_version;
    struct partition_answer out = { .code = (rd_kafka_resp_err_t)wire_take_i16(from) };
    int64_t high_watermark = wire_take_i64(from);
    int64_t last_stable = wire_take_i64(from);
    int32_t size;

    out.end = committed ? last_stable : high_watermark;
    if (version >= 5) {
        (void)wire_take_i64(from); /* the log's begin */
    }
    out.aborted.len = (size_t)wire_take_count(from, ABORTED_BYTES) * ABORTED_BYTES;
    out.aborted = wire_take_bytes(from, (int64_t)out.aborted.len);
    if (version >= 11) {
        (void)wire_take_i32(from); /* a replica that is nearer: who names no rack is told of none */
    }
    size = wire_take_i32(from);
    out.records = wire_take_bytes(from, size < 0 ? 0 : size);
    return out;
}

/*
 * There may be no room for a whole batch behind those of other places; the first place gets one
 * however large it is.
 */
static void drop_if_cut_off(struct kafka_source *source, struct place *place, bool is_first)
{
    struct fetched *fetched = fetched_of(place);

    if (fetched->first->next || fetched->first->batches.in.records.len) {
        return;
    }
    fetch_drop_share(source, fetched);
    if (is_first) {
        place->failure =
            error_set(&place->why, ERR_LOG_DAMAGED, NO_POSITION,
                      "the batch of records there is longer than what the broker sends of it");
    }
}

static void take_records(struct kafka_reader *reader, struct answer *answer, struct place *place,
                         const struct partition_answer *got)
{
    struct wire_reader from = { got->aborted.data, got->aborted.data + got->aborted.len, false };
    uint32_t count = (uint32_t)(got->aborted.len / ABORTED_BYTES);
    struct aborted_transaction *aborted = memory_alloc(count * sizeof *aborted);
    struct fetched_records records = { .topic = &place->topic->pub,
                                       .partition = place->partition,
                                       .memory = answer->memory,
                                       .records = got->records,
                                       .from = fetched_of(place)->next,
                                       .aborted = aborted,
                                       .aborted_count = count,
                                       .checks_crc = reader->source->settings.checks_crc };

    for (uint32_t i = 0; i < count; i++) {
        aborted[i].producer_id = wire_take_i64(&from);
        aborted[i].first_offset = wire_take_i64(&from);
    }
    fetch_add_share(reader->source, fetched_of(place), &records);
    free(aborted);
    drop_if_cut_off(reader->source, place, answer->is_first);
}

static void take_partition(struct kafka_reader *reader, struct answer *answer, struct bytes topic,
                           int64_t now_ms)
{
    uint32_t partition = (uint32_t)wire_take_i32(&answer->from);
    struct partition_answer got =
        take_partition_answer(answer, reader->isolation == READ_COMMITTED);
    struct asked *asked =
        answer->from.wrong ? NULL : find_asked(answer->broker, topic, partition, &answer->at);
    struct place *place = asked ? asked->place : NULL;

    if (!place || place->failure || asked->from != fetched_of(place)->next) {
        return;
    }
    asked->place = NULL;
    answer->is_first = asked == answer->broker->asked;
    if (got.code) {
        answer->has_errors = true;
        take_refusal(reader, place, got.code, now_ms);
        return;
    }
    fetched_of(place)->end = got.end;
    if (got.records.len) {
        take_records(reader, answer, place, &got);
        answer->has_records = answer->has_records || fetched_of(place)->next > asked->from;
    }
}

/* A broker that does not wait for records to come is not asked sooner than if it did. */
static void note_pace(struct broker *broker, const struct answer *answer)
{
    int32_t pause_ms =
        answer->has_errors && broker->wait_ms > LEAST_PAUSE_MS ? LEAST_PAUSE_MS : broker->wait_ms;

    if (answer->has_records) {
        broker->quiet = 0;
    } else {
        broker->quiet += broker->quiet < BRIEF_DOUBLED_MAX;
        broker->not_before_ms = broker->asked_ms + pause_ms;
    }
}

void fetch_take_answer(struct kafka_reader *reader, struct broker *broker,
                       struct fetched_bytes *memory, int64_t now_ms)
{
    struct answer answer = { .broker = broker,
                             .memory = memory,
                             .from = { memory->data, memory->data + memory->size, false } };
    rd_kafka_resp_err_t failed = RD_KAFKA_RESP_ERR_NO_ERROR;
    uint32_t topics;

    (void)wire_take_i32(&answer.from); /* the correlation id */
    (void)wire_take_i32(&answer.from); /* throttling is the broker's business */
    if (broker->link.fetch_version >= 7) {
        failed = (rd_kafka_resp_err_t)wire_take_i16(&answer.from);
        (void)wire_take_i32(&answer.from); /* no session */
    }
    topics = wire_take_count(&answer.from, TOPIC_BYTES);
    for (uint32_t i = 0; i < topics && !answer.from.wrong; i++) {
        struct bytes topic = wire_take_text(&answer.from);
        uint32_t count = wire_take_count(&answer.from, PARTITION_BYTES);

        for (uint32_t j = 0; j < count && !answer.from.wrong; j++) {
            take_partition(reader, &answer, topic, now_ms);
        }
    }
    note_pace(broker, &answer);
    if (failed || answer.from.wrong) {
        TRACE(TRACE_WARN, "kafka", "broker %d: its answer to a fetch is of no use: %s",
              broker->link.broker, failed ? rd_kafka_err2str(failed) : "it ends too early");
        for (uint32_t i = 0; i < broker->asked_count; i++) {
            if (broker->asked[i].place) {
                fetch_lose_leader(broker->asked[i].place,
                                  now_ms + reader->source->settings.backoff_ms);
            }
        }
    }
}
