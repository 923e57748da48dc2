/*
 * log_kafka_fetch.c: what a reader reads, by requests of its own.
 *
 * A connection to each broker that leads one of the places, with one fetch under way that asks for
 * all places there which may be asked for. Its answer is cut into shares, one of each
 * place; the next fetch goes out at once, since the heads of the batches already tell where it
 * begins; and the shares are taken apart block by block, in turns, when the reader wants more.
 *
 *   fetch 1 --> |answer 1: a b| --> shares a b --> blocks a1 b1 a2 b2
 *               fetch 2 --> |answer 2: c|      (in the socket until a and b are used up)
 *
 * A paused place keeps its share as it is and is asked for no further, so that going on costs
 * nothing. Who leads a partition is asked of librdkafka's control handle.
 */
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/trace.h"
#include "engine/log/log_kafka_fetch_settings.h"
#include "engine/log/log_kafka_reader_internal.h"
#include "engine/log/log_kafka_wire.h"

enum {
    BRIEF_WAIT_MS = 1, /* a fetch that waits at one partition's end keeps back the next one's */
    BRIEF_DOUBLED_MAX = 6,
    SHORT_WAIT_MS = 5,           /* while one that is paused may go on at any moment */
    SHORT_PAUSE_MS = 200,        /* then it may take longer */
    LOOK_MS = 500,               /* for who leads a partition */
    LOOK_AGAIN_MS = 100,         /* where nobody does */
    LONGEST_WAIT_MS = 60 * 1000, /* callers come again */
    TOPIC_BYTES = 6,             /* an answer has at least for each */
    PARTITION_BYTES = 30,
    ABORTED_BYTES = 16,
};

/* What an answer has of a place. */
struct share {
    struct kafka_batches batches;
    struct share *next;
};

/* What is known of a place. */
struct fetched {
    struct place *place;
    struct broker *leader; /* NULL: to be looked for */
    int64_t next;          /* what to ask for: behind its shares */
    int64_t end;           /* of the log as it was last told; -1: not yet */
    int64_t not_before_ms;
    int64_t left_out_ms; /* since when, for a pause; 0: it is asked for */
    bool was_dropped;    /* what was held of it was too much: it waits for the end of its pause */
    struct share *first; /* not used up yet, in their order */
    struct share **last;
    struct fetched *behind; /* in the row of those that have shares */
};

struct asked {
    struct place *place; /* NULL: it does not want the answer any more */
    int64_t from;
};

struct broker {
    struct kafka_link link;
    struct asked *asked; /* in the fetch under way */
    uint32_t asked_count;
    uint32_t asked_capacity;
    uint32_t turn;    /* of the places, which comes first in the next fetch */
    int64_t asked_ms; /* of that under way: when, and how long it may wait */
    int32_t wait_ms;
    uint32_t quiet; /* answers in a row that had no records; no more than count */
    int64_t not_before_ms;
    struct broker *next;
};

struct kafka_source {
    struct fetch_settings settings;
    int wake_fd;
    struct broker *brokers;
    uint32_t broker_count;
    struct pollfd *polled;
    struct fetched *first; /* of the places that have shares, in turns */
    struct fetched **end;
};

static struct fetched *fetched_of(const struct place *place)
{
    return place->fetcher;
}

static int64_t now_of(const struct kafka_reader *reader)
{
    return kafka_now_ms(kafka_log_of(reader->pub.log));
}

/* --- opening and closing --- */

static int open_source(struct kafka_reader *reader, const struct reader_spec *spec,
                       struct error *err)
{
    struct fetch_settings settings;
    struct kafka_source *source;
    int fd;

    TRY(fetch_settings_read(kafka_log_of(reader->pub.log), spec, &settings, err));
    fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (fd < 0) {
        return error_set(err, ERR_LOG_UNAVAILABLE, NO_POSITION,
                         "no file descriptor is left for a reader of topics");
    }
    source = memory_zalloc(1, sizeof *source);
    source->settings = settings;
    source->wake_fd = fd;
    source->end = &source->first;
    source->polled = memory_zalloc(1, sizeof *source->polled);
    reader->source = source;
    return 0;
}

static void close_source(struct kafka_reader *reader)
{
    struct kafka_source *source = reader->source;

    while (source->brokers) {
        struct broker *broker = source->brokers;

        source->brokers = broker->next;
        kafka_link_fini(&broker->link);
        free(broker->asked);
        free(broker);
    }
    (void)close(source->wake_fd);
    free(source->polled);
    free(source);
}

/* --- shares --- */

static void join_row(struct kafka_source *source, struct fetched *fetched)
{
    fetched->behind = NULL;
    *source->end = fetched;
    source->end = &fetched->behind;
}

static void leave_row(struct kafka_source *source, const struct fetched *fetched)
{
    struct fetched **link = &source->first;

    while (*link != fetched) {
        link = &(*link)->behind;
    }
    *link = fetched->behind;
    if (source->end == &fetched->behind) {
        source->end = link;
    }
}

static void add_share(struct kafka_source *source, struct fetched *fetched,
                      const struct fetched_records *records)
{
    struct share *share = memory_zalloc(1, sizeof *share);

    if (!fetched->first) {
        join_row(source, fetched);
        fetched->last = &fetched->first;
    }
    fetched->was_dropped = false;
    fetched->next = kafka_batches_init(&share->batches, records);
    *fetched->last = share;
    fetched->last = &share->next;
}

static void drop_share(struct kafka_source *source, struct fetched *fetched)
{
    struct share *share = fetched->first;

    fetched->first = share->next;
    if (!fetched->first) {
        leave_row(source, fetched);
    }
    kafka_batches_fini(&share->batches);
    free(share);
}

/* It is asked for again from where it stands. */
static void drop_shares(struct kafka_source *source, struct fetched *fetched)
{
    while (fetched->first) {
        drop_share(source, fetched);
    }
    fetched->next = fetched->place->fetched;
}

static bool is_counted(const struct kafka_source *source, const struct fetched *upto)
{
    const struct fetched_bytes *memory = upto->first->batches.in.memory;

    for (const struct fetched *fetched = source->first; fetched != upto;
         fetched = fetched->behind) {
        if (fetched->place->paused && fetched->first->batches.in.memory == memory) {
            return true;
        }
    }
    return false;
}

/* A share keeps all of its answer in memory. */
static void drop_what_is_held_too_long(struct kafka_source *source)
{
    struct fetched *too_much = NULL;
    size_t held = 0;

    do {
        held = 0;
        too_much = NULL;
        for (struct fetched *fetched = source->first; fetched; fetched = fetched->behind) {
            if (fetched->place->paused) {
                held += is_counted(source, fetched) ? 0 : fetched->first->batches.in.memory->size;
                too_much = too_much ? too_much : fetched;
            }
        }
        if (held > HELD_BYTES_MAX) {
            drop_shares(source, too_much);
            too_much->was_dropped = true;
        }
    } while (held > HELD_BYTES_MAX);
}

/* The first that may be used goes to the end of the row, so that all places have their turns. */
static struct fetched *next_in_row(struct kafka_source *source)
{
    struct fetched *fetched = source->first;

    while (fetched && fetched->place->paused) {
        fetched = fetched->behind;
    }
    if (fetched && fetched->behind) {
        leave_row(source, fetched);
        join_row(source, fetched);
    }
    return fetched;
}

/* With its last block, so that nobody takes the place for behind the log's end. */
static void end_if_used_up(struct kafka_source *source, struct fetched *fetched)
{
    const struct kafka_batches *batches;

    if (!fetched->first) {
        return; /* taking the block has ended the fetching */
    }
    batches = &fetched->first->batches;
    if (!batches->records_left && batches->at == batches->in.records.len) {
        kafka_reader_passed(fetched->place, batches->next_offset);
        drop_share(source, fetched);
    }
}

/* One block; false when no share has one. */
static bool take_block(struct kafka_reader *reader)
{
    struct kafka_source *source = reader->source;
    struct fetched *fetched;

    while ((fetched = next_in_row(source)) != NULL) {
        struct place *place = fetched->place;
        struct kafka_batches *batches = &fetched->first->batches;
        struct kafka_block *block = NULL;
        int code = kafka_batches_next(batches, &block, &place->why);

        if (block) {
            block->place = place;
            kafka_reader_take(reader, block);
            end_if_used_up(source, fetched);
            return true;
        }
        kafka_reader_passed(place, batches->next_offset);
        if (code) {
            place->failure = code;
            drop_shares(source, fetched);
        } else {
            drop_share(source, fetched);
        }
    }
    return false;
}

/* --- who leads what --- */

static void lose_leader(struct place *place, int64_t not_before_ms)
{
    fetched_of(place)->leader = NULL;
    fetched_of(place)->not_before_ms = not_before_ms;
}

static struct broker *add_broker(struct kafka_source *source)
{
    struct broker *broker = memory_zalloc(1, sizeof *broker);

    broker->next = source->brokers;
    source->brokers = broker;
    source->broker_count++;
    source->polled =
        memory_resize(source->polled, source->broker_count + 1, sizeof *source->polled);
    return broker;
}

static struct broker *find_broker(struct kafka_source *source,
                                  const struct rd_kafka_metadata_broker *found)
{
    struct broker *broker = source->brokers;

    while (broker && broker->link.broker != found->id) {
        broker = broker->next;
    }
    if (broker && broker->link.port == found->port && strcmp(broker->link.host, found->host) == 0) {
        return broker;
    }
    if (broker) {
        kafka_link_fini(&broker->link); /* it has moved */
        broker->asked_count = 0;
    } else {
        broker = add_broker(source);
    }
    kafka_link_init(&broker->link, &source->settings.link, found->id, found->host,
                    (uint16_t)found->port);
    return broker;
}

static struct broker *leader_of(struct kafka_source *source,
                                const struct rd_kafka_metadata *metadata, uint32_t partition)
{
    const struct rd_kafka_metadata_topic *topic = &metadata->topics[0];

    for (int i = 0; i < topic->partition_cnt; i++) {
        if ((uint32_t)topic->partitions[i].id != partition) {
            continue;
        }
        for (int j = 0; j < metadata->broker_cnt; j++) {
            if (metadata->brokers[j].id == topic->partitions[i].leader) {
                return find_broker(source, &metadata->brokers[j]);
            }
        }
    }
    return NULL;
}

static bool wants_leader(const struct place *place, int64_t now_ms)
{
    return place->fetching && !place->failure && !fetched_of(place)->leader &&
           now_ms >= fetched_of(place)->not_before_ms;
}

/* Of all places of this one's topic. */
static void look_for_leaders(struct kafka_reader *reader, const struct kafka_topic *topic,
                             int64_t now_ms)
{
    struct error why = { 0 };
    const struct rd_kafka_metadata *metadata =
        kafka_topic_look(kafka_log_of(reader->pub.log), topic->pub.name, LOOK_MS, &why);
    int64_t again_ms = now_of(reader) + LOOK_AGAIN_MS;

    for (uint32_t i = 0; i < reader->place_count; i++) {
        struct place *place = reader->places[i];

        if (place->topic != topic || !wants_leader(place, now_ms)) {
            continue;
        }
        fetched_of(place)->leader =
            metadata ? leader_of(reader->source, metadata, place->partition) : NULL;
        if (!fetched_of(place)->leader) {
            lose_leader(place, again_ms);
        }
        if (why.code == ERR_NOT_AUTHORIZED && !fetched_of(place)->first) {
            place->failure = error_set(&place->why, why.code, NO_POSITION, "%s", why.message);
        }
    }
    if (metadata) {
        rd_kafka_metadata_destroy(metadata);
    } else {
        TRACE(TRACE_INFO, "kafka", "%s", why.message);
    }
}

/* While no broker answers, the time of one look is enough for all. */
static void look_where_needed(struct kafka_reader *reader, int64_t now_ms)
{
    for (uint32_t i = 0; i < reader->place_count; i++) {
        struct place *place = reader->places[i];

        if (!wants_leader(place, now_ms)) {
            continue;
        }
        if (now_of(reader) < now_ms + LOOK_MS) {
            look_for_leaders(reader, place->topic, now_ms);
        } else {
            lose_leader(place, now_of(reader) + LOOK_AGAIN_MS);
        }
    }
}

/* --- asking --- */

struct request {
    struct broker *broker;
    struct buffer *out;
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

static bool may_be_asked(const struct place *place, const struct broker *broker)
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

        if (may_be_asked(place, broker) && !is_due(place, now_ms)) {
            wait_ms = patience(place, wait_ms, now_ms);
        }
    }
    return wait_ms;
}

static void ask(struct kafka_reader *reader, struct broker *broker, int64_t now_ms)
{
    struct request request = { .broker = broker };
    uint32_t count = reader->place_count;

    if (now_ms < broker->not_before_ms) {
        return;
    }
    broker->asked_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct place *place = reader->places[(broker->turn + i) % count];

        if (!may_be_asked(place, broker) || !is_due(place, now_ms)) {
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

static void ask_all(struct kafka_reader *reader, int64_t now_ms)
{
    for (struct broker *broker = reader->source->brokers; broker; broker = broker->next) {
        if (kafka_link_is_free(&broker->link)) {
            ask(reader, broker, now_ms);
        }
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
        lose_leader(place, again_ms);
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
    drop_share(source, fetched);
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
    add_share(reader->source, fetched_of(place), &records);
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

/* What the answer is missing is asked for again. */
static void take_answer(struct kafka_reader *reader, struct broker *broker,
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
                lose_leader(broker->asked[i].place, now_ms + reader->source->settings.backoff_ms);
            }
        }
    }
}

/* --- waiting --- */

/* Its places look anew for who leads them. */
static void lose_broker(struct kafka_reader *reader, const struct broker *broker,
                        const struct error *why)
{
    TRACE(TRACE_INFO, "kafka", "%s", why->message);
    for (uint32_t i = 0; i < reader->place_count; i++) {
        struct place *place = reader->places[i];

        if (fetched_of(place)->leader == broker) {
            lose_leader(place, broker->link.not_before_ms);
        }
    }
}

/* True when an answer came. */
static bool go_on(struct kafka_reader *reader, struct broker *broker, short events)
{
    int64_t now_ms = now_of(reader);
    struct fetched_bytes *answer = NULL;
    struct error why = { 0 };

    if (kafka_link_advance(&broker->link, now_ms, events, &answer, &why)) {
        lose_broker(reader, broker, &why);
        return false;
    }
    if (answer) {
        take_answer(reader, broker, answer, now_ms);
        fetched_bytes_unref(answer);
        drop_what_is_held_too_long(reader->source);
    }
    if (kafka_link_is_free(&broker->link)) {
        ask(reader, broker, now_ms);
    }
    return answer != NULL;
}

static bool is_needed(const struct kafka_reader *reader, const struct broker *broker)
{
    for (uint32_t i = 0; i < reader->place_count; i++) {
        if (may_be_asked(reader->places[i], broker)) {
            return true;
        }
    }
    return false;
}

/* When a place is to be asked for again, or who leads it. */
static int64_t next_try_ms(const struct kafka_reader *reader, int64_t now_ms)
{
    int64_t until_ms = INT64_MAX;

    for (uint32_t i = 0; i < reader->place_count; i++) {
        const struct place *place = reader->places[i];
        int64_t try_ms = fetched_of(place)->not_before_ms;

        if (place->fetching && !place->failure && try_ms > now_ms && try_ms < until_ms) {
            until_ms = try_ms;
        }
    }
    return until_ms;
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* What was due at `now_ms` has been asked for. */
static void wait_for_links(struct kafka_reader *reader, int64_t now_ms, int64_t until_ms)
{
    struct kafka_source *source = reader->source;
    nfds_t count = 1;

    until_ms = earlier(until_ms, next_try_ms(reader, now_ms));
    source->polled[0] = (struct pollfd){ .fd = source->wake_fd, .events = POLLIN };
    for (const struct broker *broker = source->brokers; broker; broker = broker->next) {
        bool is_idle = broker->link.state == LINK_CLOSED && !is_needed(reader, broker);
        int64_t link_ms = INT64_MAX;

        source->polled[count] = (struct pollfd){ .fd = is_idle ? -1 : broker->link.fd };
        source->polled[count++].events = kafka_link_wants(&broker->link, &link_ms);
        until_ms = is_idle ? until_ms : earlier(until_ms, link_ms);
        if (kafka_link_is_free(&broker->link) && broker->not_before_ms > now_ms) {
            until_ms = earlier(until_ms, broker->not_before_ms);
        }
    }
    until_ms -= now_of(reader);
    until_ms = until_ms < 0 ? 0 : until_ms;
    if (poll(source->polled, count, until_ms < INT_MAX ? (int)until_ms : INT_MAX) <= 0) {
        for (nfds_t i = 0; i < count; i++) {
            source->polled[i].revents = 0;
        }
    }
}

/* True when there is something to tell. */
static bool take_from_links(struct kafka_reader *reader)
{
    struct kafka_source *source = reader->source;
    bool came = false;
    uint64_t times;
    nfds_t i = 1;

    if (source->polled[0].revents) {
        came = true;
        atomic_store(&reader->woken, false);
        (void)!read(source->wake_fd, &times, sizeof times); /* how often does not matter */
    }
    for (struct broker *broker = source->brokers; broker; broker = broker->next) {
        short events = source->polled[i++].revents;

        if (events || broker->link.state != LINK_CLOSED || is_needed(reader, broker)) {
            came = go_on(reader, broker, events) || came;
        }
    }
    return came;
}

static void fetch(struct kafka_reader *reader, int64_t wait_ms)
{
    int64_t now_ms = now_of(reader);
    int64_t deadline_ms = now_ms + earlier(wait_ms, LONGEST_WAIT_MS);

    while (!take_block(reader)) {
        look_where_needed(reader, now_ms);
        if (kafka_reader_failed(reader)) {
            return;
        }
        ask_all(reader, now_ms);
        wait_for_links(reader, now_ms, deadline_ms);
        if (take_from_links(reader)) {
            (void)take_block(reader);
            return;
        }
        now_ms = now_of(reader);
        if (now_ms >= deadline_ms) {
            return;
        }
    }
}

/* --- places --- */

static void add_place(struct kafka_reader *reader, struct place *place)
{
    struct fetched *fetched = memory_zalloc(1, sizeof *fetched);

    (void)reader;
    fetched->place = place;
    place->fetcher = fetched;
}

static void stop(struct kafka_reader *reader, struct place *place)
{
    drop_shares(reader->source, fetched_of(place));
    for (struct broker *broker = reader->source->brokers; broker; broker = broker->next) {
        for (uint32_t i = 0; i < broker->asked_count; i++) {
            if (broker->asked[i].place == place) {
                broker->asked[i].place = NULL;
            }
        }
    }
}

static void remove_place(struct kafka_reader *reader, struct place *place)
{
    (void)reader;
    free(place->fetcher);
}

static int start(struct kafka_reader *reader, struct place *place, struct error *err)
{
    struct fetched *fetched = fetched_of(place);

    (void)reader;
    (void)err;
    fetched->next = place->fetched;
    fetched->end = -1;
    fetched->not_before_ms = 0;
    fetched->was_dropped = false;
    return 0;
}

static void wake(struct kafka_reader *reader)
{
    uint64_t once = 1;

    (void)!write(reader->source->wake_fd, &once, sizeof once); /* full: it is awake anyway */
}

static int64_t position(struct kafka_reader *reader, struct place *place)
{
    (void)reader;
    return place->fetched;
}

static bool at_end(struct kafka_reader *reader, struct place *place)
{
    const struct fetched *fetched = fetched_of(place);

    (void)reader;
    return fetched->end >= 0 && !fetched->first && place->fetched >= fetched->end;
}

const struct kafka_source_kind kafka_fetch_source = {
    .open = open_source,
    .close = close_source,
    .add = add_place,
    .remove = remove_place,
    .start = start,
    .stop = stop,
    .fetch = fetch,
    .wake = wake,
    .position = position,
    .at_end = at_end,
};
