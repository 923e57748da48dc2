/*
 * log_kafka_reader.c: reading partitions.
 *
 * A source (log_kafka_reader_internal.h) brings blocks, which are ready until they are handed out:
 *
 *   ready:  [a1 a2 a3] [b1 b2] [a8]      in this order
 *
 * A place is an assigned partition. Its position follows the blocks as they are
 * handed out, `fetched` runs ahead of it; where they meet, the source is asked how far
 * it has come, since it skips the markers of transactions.
 *
 * A paused place's blocks are held, so that a short pause costs nothing. Where all that is held
 * becomes too much, the place is fetched no further; going on begins behind what it holds.
 */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/trace.h"
#include "engine/log/log_kafka_reader_internal.h"

enum { LONGEST_WAIT_MS = 60 * 1000 }; /* callers come again */

static struct kafka_reader *reader_of(struct log_reader *reader)
{
    return (struct kafka_reader *)reader;
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
    reader->places[reader->place_count++] = place;
    reader->kind->add(reader, place);
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
    if (place->fetching) {
        reader->kind->stop(reader, place);
        place->fetching = false;
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
    TRY(reader->kind->start(reader, place, err));
    place->fetching = true;
    return 0;
}

/*
 * The end is that of now, not of the first fetch. The begin is asked for here because a new handle
 * of librdkafka 2.0 that has to ask does so 500 ms later; what cannot be told now it may ask, if it
 * is what reads.
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
    if (code && code != ERR_TOPIC_GONE && (*from == OFFSET_END || !reader->kind->finds_begin)) {
        return error_set(err, why.code, why.at, "%s", why.message);
    }
    *from = *from == OFFSET_END ? range.end : range.begin;
    return 0;
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
    reader->kind->remove(reader, place);
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

/* --- what a source brings --- */

void kafka_reader_take(struct kafka_reader *reader, struct kafka_block *block)
{
    struct place *place = block->place;

    place->fetched = block->pub.next_offset;
    place->waiting++;
    list_add(&reader->ready, block);
    if (place->paused) {
        hold(reader, place);
        if (reader->held_bytes > HELD_BYTES_MAX) {
            end_fetching(reader, place);
        }
    }
}

void kafka_reader_passed(struct place *place, int64_t offset)
{
    place->fetched = offset > place->fetched ? offset : place->fetched;
    if (!place->waiting && place->fetched > place->position) {
        place->position = place->fetched;
    }
}

bool kafka_reader_refused(struct place *place, rd_kafka_resp_err_t code, const char *words)
{
    int condition = (int)kafka_error_code(code);

    if (kafka_is_unknown_topic(code)) {
        place->failure = ERR_TOPIC_GONE;
    } else if (condition == ERR_NOT_AUTHORIZED) {
        place->failure =
            kafka_fail(&place->why, code, NULL, "reading topic", place->topic->pub.name);
    } else if (condition == ERR_OUT_OF_RANGE || condition == ERR_LOG_DAMAGED) {
        place->failure =
            error_set(&place->why, (enum error_code)condition, NO_POSITION, "%s", words);
    }
    return place->failure != 0;
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

struct place *kafka_reader_failed(struct kafka_reader *reader)
{
    for (uint32_t i = 0; i < reader->place_count; i++) {
        struct place *place = reader->places[i];

        if (place->fetching && atomic_load_explicit(&place->topic->gone, memory_order_relaxed)) {
            place->failure = ERR_TOPIC_GONE;
        }
        if (place->failure && !place->waiting && !place->paused) {
            return place;
        }
    }
    return NULL;
}

static int check_places(struct kafka_reader *reader, struct log_place *failed, struct error *err)
{
    struct place *place = kafka_reader_failed(reader);

    return place ? tell_failure(reader, place, failed, err) : 0;
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
        wait_ms = wait_ms < LONGEST_WAIT_MS ? wait_ms : LONGEST_WAIT_MS;
        reader->kind->fetch(reader, atomic_exchange(&reader->woken, false) ? 0 : wait_ms);
        TRY(check_places(reader, failed, err));
    }
    *out = take_ready(reader);
    return 0;
}

void kafka_reader_wake(struct log_reader *base)
{
    struct kafka_reader *reader = reader_of(base);

    atomic_store(&reader->woken, true);
    reader->kind->wake(reader);
}

/* --- where it is --- */

static int64_t position_of(struct kafka_reader *reader, struct place *place)
{
    if (place->fetching && !place->waiting && !place->failure) {
        kafka_reader_passed(place, reader->kind->position(reader, place));
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

bool kafka_reader_at_end(struct log_reader *base)
{
    struct kafka_reader *reader = reader_of(base);

    for (uint32_t i = 0; i < reader->place_count; i++) {
        struct place *place = reader->places[i];

        if (place->failure || (!place->paused && place->fetching &&
                               (place->waiting || !reader->kind->at_end(reader, place)))) {
            return false;
        }
    }
    return true;
}

/* --- opening and closing --- */

int kafka_reader_open(struct log *base, const struct reader_spec *spec, struct log_reader **out,
                      struct error *err)
{
    struct kafka_reader *reader = memory_zalloc(1, sizeof *reader);
    int code;

    reader->pub.log = base;
    reader->kind = kafka_log_of(base)->is_plain ? &kafka_fetch_source : &kafka_consumer_source;
    reader->isolation = spec->isolation;
    list_init(&reader->ready);
    code = reader->kind->open(reader, spec, err);
    if (code) {
        free(reader);
        return code;
    }
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
    reader->kind->close(reader);
    free(reader->places);
    free(reader);
}
