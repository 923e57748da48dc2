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
#include "engine/log/log_kafka_fetch_internal.h"

enum {
    LOOK_MS = 500,       /* for who leads a partition */
    LOOK_AGAIN_MS = 100, /* where nobody does */
};

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

/* --- who leads what --- */

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
            fetch_lose_leader(place, again_ms);
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
            fetch_lose_leader(place, now_of(reader) + LOOK_AGAIN_MS);
        }
    }
}

/* --- waiting --- */

static void ask_all(struct kafka_reader *reader, int64_t now_ms)
{
    for (struct broker *broker = reader->source->brokers; broker; broker = broker->next) {
        fetch_ask(reader, broker, now_ms);
    }
}

/* Its places look anew for who leads them. */
static void lose_broker(struct kafka_reader *reader, const struct broker *broker,
                        const struct error *why)
{
    TRACE(TRACE_INFO, "kafka", "%s", why->message);
    for (uint32_t i = 0; i < reader->place_count; i++) {
        struct place *place = reader->places[i];

        if (fetched_of(place)->leader == broker) {
            fetch_lose_leader(place, broker->link.not_before_ms);
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
        fetch_take_answer(reader, broker, answer, now_ms);
        fetched_bytes_unref(answer);
        fetch_drop_what_is_held_too_long(reader->source);
    }
    fetch_ask(reader, broker, now_ms);
    return answer != NULL;
}

static bool is_needed(const struct kafka_reader *reader, const struct broker *broker)
{
    for (uint32_t i = 0; i < reader->place_count; i++) {
        if (fetch_may_be_asked(reader->places[i], broker)) {
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
    int64_t deadline_ms = now_ms + wait_ms;

    while (!fetch_take_block(reader)) {
        look_where_needed(reader, now_ms);
        if (kafka_reader_failed(reader)) {
            return;
        }
        ask_all(reader, now_ms);
        wait_for_links(reader, now_ms, deadline_ms);
        if (take_from_links(reader)) {
            (void)fetch_take_block(reader);
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
    fetch_drop_shares(reader->source, fetched_of(place));
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
