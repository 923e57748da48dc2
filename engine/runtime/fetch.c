/*
 * fetch.c: the node's two log readers and their cursors over every partition.
 *
 * Whatever the number of queries, a partition is read by at most two cursors:
 *
 *   begin ......... lagging tasks ......... head ......... end
 *                   catch-up ->             head ->
 *
 * The head serves the tasks that keep up. Tasks behind it are served by the
 * catch-up cursor, an elevator that starts at the lowest of them and takes on the
 * others as it passes their position: it goes straight to the next one, and begins anew
 * at the lowest when nobody waits further up. Who misses it cannot call it back,
 * so a slow task does not keep it from the others. Blocks carry the range of offsets
 * they cover; a reader takes of them what its tasks still wait for, so
 * cursors that overlap cannot repeat or skip a record.
 *
 * When nobody is left at the head (all were slower), it waits and is set back to the
 * foremost of them. Cursors move on the fetching thread alone; subscribing
 * only changes lists, under the mutex.
 *
 * A step steers the channels where something has happened. Now and then all of them are
 * looked at (fetcher_look), for an aborted transaction moves a log's end without a word.
 */
#include "engine/runtime/runtime_internal.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/trace.h"

enum {
    IN_FLIGHT_BYTES_MAX = 1 << 20,
    IN_FLIGHT_BLOCKS_MAX = 64,
    POLLS_PER_STEP = 16,
    CATCH_UP_WAIT_MS = 5
};

struct channel_key {
    const struct log_topic *topic;
    uint64_t partition;
};

struct channel {
    struct channel_key key;
    struct fetch_subscriber **subscribers;
    uint32_t subscriber_count, subscriber_capacity;
    bool head_assigned, head_paused;
    bool catching_up, catch_up_paused;
    int64_t head;
    int64_t catch_up;
    int64_t known_end; /* positions up to there are not behind the log's end */
    _Atomic bool noted;
    struct channel *next_noted;
};

struct fetcher {
    struct log *log;
    struct log_reader *head;
    struct log_reader *catch_up;
    pthread_mutex_t mutex; /* channels and their subscribers */
    struct map channels;
    uint32_t catching_up;        /* channels with an elevator under way */
    pthread_mutex_t noted_mutex; /* noted; nothing is called under it */
    struct channel *noted;       /* where something has happened */
    _Atomic bool all_noted;      /* the next step steers all */
    _Atomic bool behind[2];      /* by cursor: its log has more than it has handed out */
};

static struct bytes channel_key_bytes(const struct channel_key *key)
{
    return (struct bytes){ (const char *)key, sizeof *key };
}

int fetcher_create(struct log *log, struct bytes client_id, struct fetcher **out, struct error *err)
{
    struct fetcher *fetcher = memory_zalloc(1, sizeof *fetcher);
    struct reader_spec spec = { .client_id = client_id, .isolation = READ_COMMITTED };
    int code;

    fetcher->log = log;
    code = log_reader_open(log, &spec, &fetcher->head, err);
    if (!code) {
        code = log_reader_open(log, &spec, &fetcher->catch_up, err);
    }
    if (code) {
        if (fetcher->head) {
            log_reader_close(fetcher->head);
        }
        free(fetcher);
        return code;
    }
    pthread_mutex_init(&fetcher->mutex, NULL);
    pthread_mutex_init(&fetcher->noted_mutex, NULL);
    map_init(&fetcher->channels);
    *out = fetcher;
    return 0;
}

static void channel_free(struct channel *channel)
{
    free(channel->subscribers);
    free(channel);
}

void fetcher_destroy(struct fetcher *fetcher)
{
    if (!fetcher) {
        return;
    }
    MAP_FOREACH (entry, &fetcher->channels) {
        channel_free(entry->value);
    }
    map_fini(&fetcher->channels);
    log_reader_close(fetcher->head);
    log_reader_close(fetcher->catch_up);
    pthread_mutex_destroy(&fetcher->mutex);
    pthread_mutex_destroy(&fetcher->noted_mutex);
    free(fetcher);
}

static void note(struct fetcher *fetcher, struct channel *channel)
{
    if (atomic_exchange(&channel->noted, true)) {
        return;
    }
    pthread_mutex_lock(&fetcher->noted_mutex);
    channel->next_noted = fetcher->noted;
    fetcher->noted = channel;
    pthread_mutex_unlock(&fetcher->noted_mutex);
}

void fetcher_note(struct fetcher *fetcher, struct fetch_subscriber *subscriber)
{
    if (subscriber->channel) {
        note(fetcher, subscriber->channel);
    }
}

void fetcher_subscribe(struct fetcher *fetcher, const struct log_topic *topic, uint32_t partition,
                       struct fetch_subscriber *subscriber)
{
    struct channel_key key = { topic, partition };
    struct channel *channel;

    pthread_mutex_lock(&fetcher->mutex);
    channel = map_find(&fetcher->channels, channel_key_bytes(&key));
    if (!channel) {
        channel = memory_zalloc(1, sizeof *channel);
        channel->key = key;
        map_put(&fetcher->channels, channel_key_bytes(&channel->key), channel);
    }
    if (channel->subscriber_count == channel->subscriber_capacity) {
        channel->subscriber_capacity = channel->subscriber_capacity * 2 + 1;
        channel->subscribers = memory_resize(channel->subscribers, channel->subscriber_capacity,
                                             sizeof(struct fetch_subscriber *));
    }
    channel->subscribers[channel->subscriber_count++] = subscriber;
    subscriber->channel = channel;
    if (channel->head_assigned) {
        subscriber->reader->head = channel->head;
    }
    pthread_mutex_unlock(&fetcher->mutex);
}

void fetcher_unsubscribe(struct fetcher *fetcher, struct fetch_subscriber *subscriber)
{
    struct channel *channel = subscriber->channel;

    subscriber->channel = NULL;
    pthread_mutex_lock(&fetcher->mutex);
    for (uint32_t i = 0; i < channel->subscriber_count; i++) {
        if (channel->subscribers[i] == subscriber) {
            channel->subscribers[i] = channel->subscribers[--channel->subscriber_count];
            break;
        }
    }
    pthread_mutex_unlock(&fetcher->mutex);
    atomic_store(&fetcher->all_noted, true); /* the channel may have to go */
}

void fetcher_wake(struct fetcher *fetcher)
{
    log_reader_wake(fetcher->head);
    log_reader_wake(fetcher->catch_up);
}

/* --- delivering --- */

static struct fetch_message *message_make(struct fetch_subscriber *subscriber,
                                          enum fetch_event event, enum cursor cursor, int64_t from,
                                          int64_t next)
{
    struct fetch_message *message = memory_zalloc(1, sizeof *message);

    message->message.handle = reader_handle;
    message->message.exclusive = event == FETCH_FAILED; /* drops tasks */
    message->reader = subscriber->reader;
    message->event = event;
    message->cursor = cursor;
    message->from = from;
    message->next = next;
    atomic_fetch_add(&subscriber->messages, 1);
    atomic_fetch_add(&subscriber->under_way[cursor], 1);
    return message;
}

static void post(struct fetch_subscriber *subscriber, struct fetch_message *message)
{
    mailbox_post(&subscriber->worker->mailbox, &message->message);
}

static void post_block(struct fetch_subscriber *subscriber, enum cursor cursor,
                       struct log_block *block, int64_t from)
{
    struct fetch_message *message =
        message_make(subscriber, FETCH_BLOCK, cursor, from, block->next_offset);

    log_block_ref(block);
    message->block = block;
    atomic_fetch_add(&subscriber->in_flight_bytes, (int64_t)block->size_bytes);
    atomic_fetch_add(&subscriber->in_flight, 1);
    post(subscriber, message);
}

static void tell_moved(struct channel *channel, enum cursor cursor, int64_t from, int64_t next)
{
    for (uint32_t i = 0; i < channel->subscriber_count; i++) {
        struct fetch_subscriber *s = channel->subscribers[i];

        post(s, message_make(s, FETCH_MOVED, cursor, from, next));
    }
}

static void deliver_head(struct channel *channel, struct log_block *block)
{
    for (uint32_t i = 0; i < channel->subscriber_count; i++) {
        struct fetch_subscriber *s = channel->subscribers[i];

        if (atomic_load(&s->follows)) {
            post_block(s, CURSOR_HEAD, block, channel->head);
        } else {
            post(s, message_make(s, FETCH_MOVED, CURSOR_HEAD, channel->head, block->next_offset));
        }
    }
    channel->head = block->next_offset;
}

static void deliver_catch_up(struct channel *channel, struct log_block *block)
{
    for (uint32_t i = 0; i < channel->subscriber_count; i++) {
        struct fetch_subscriber *s = channel->subscribers[i];

        if (atomic_load(&s->lagging) < block->next_offset) {
            post_block(s, CURSOR_CATCH_UP, block, channel->catch_up);
        }
    }
    channel->catch_up = block->next_offset;
}

/* --- steering --- */

struct channel_demand {
    int64_t leading;
    int64_t lagging;
    int64_t ahead;
    bool follows;
    bool under_way[2];
    bool over_budget;
};

static int64_t lower(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static struct channel_demand channel_demand(const struct channel *channel)
{
    struct channel_demand demand = { .leading = -1, .lagging = INT64_MAX, .ahead = INT64_MAX };

    for (uint32_t i = 0; i < channel->subscriber_count; i++) {
        struct fetch_subscriber *s = channel->subscribers[i];
        uint32_t in_flight = atomic_load(&s->in_flight);
        int64_t leading;

        demand.under_way[CURSOR_HEAD] |= atomic_load(&s->under_way[CURSOR_HEAD]) > 0;
        demand.under_way[CURSOR_CATCH_UP] |= atomic_load(&s->under_way[CURSOR_CATCH_UP]) > 0;
        demand.over_budget |= in_flight >= IN_FLIGHT_BLOCKS_MAX ||
                              atomic_load(&s->messages) >= IN_FLIGHT_BLOCKS_MAX ||
                              atomic_load(&s->in_flight_bytes) >= IN_FLIGHT_BYTES_MAX;
        /* Read after what is under way: the worker writes them before it counts that down. */
        leading = atomic_load(&s->leading);
        demand.leading = leading > demand.leading ? leading : demand.leading;
        demand.lagging = lower(demand.lagging, atomic_load(&s->lagging));
        demand.ahead = lower(demand.ahead, atomic_load(&s->ahead));
        demand.follows |= atomic_load(&s->follows);
    }
    return demand;
}

/* It begins when a reader has heard of it and follows: before, its blocks would be nobody's. */
static bool seat_head(struct fetcher *fetcher, struct channel *channel, int64_t at)
{
    uint32_t partition = (uint32_t)channel->key.partition;
    struct error err = { 0 };

    if (log_reader_assign(fetcher->head, channel->key.topic, partition, at, &err)) {
        TRACE(TRACE_WARN, "fetch", "%.*s: %s", BYTES_ARG(channel->key.topic->name), err.message);
        return false;
    }
    log_reader_pause(fetcher->head, channel->key.topic, partition);
    channel->head_assigned = true;
    channel->head_paused = true;
    channel->head = at;
    tell_moved(channel, CURSOR_HEAD, at, at);
    return true;
}

/* True: the partition may be polled again. */
static bool pause_or_resume(struct log_reader *reader, const struct channel *channel, bool *paused,
                            bool want_pause)
{
    uint32_t partition = (uint32_t)channel->key.partition;

    if (want_pause == *paused) {
        return false;
    }
    if (want_pause) {
        log_reader_pause(reader, channel->key.topic, partition);
    } else {
        log_reader_resume(reader, channel->key.topic, partition);
    }
    *paused = want_pause;
    return !want_pause;
}

/* Markers and aborted records yield no block: tells the tasks that wait before them. */
static bool pass_empty(struct log_reader *reader, struct channel *channel, enum cursor cursor)
{
    int64_t *position = cursor == CURSOR_HEAD ? &channel->head : &channel->catch_up;
    int64_t at = log_reader_position(reader, channel->key.topic, (uint32_t)channel->key.partition);

    if (at <= *position) {
        return false;
    }
    for (uint32_t i = 0; i < channel->subscriber_count; i++) {
        struct fetch_subscriber *s = channel->subscribers[i];

        post(s, message_make(s, FETCH_EMPTY, cursor, *position, at));
    }
    *position = at;
    return true;
}

/*
 * Who comes when the head is there already, and stands before it, waits for the log to get there.
 * Of a log that was cut off or made anew that is never said by a poll, so it is asked for, once.
 */
static void check_foremost(struct fetcher *fetcher, struct channel *channel, int64_t foremost)
{
    struct log_range range;

    if (foremost <= channel->head || foremost <= channel->known_end ||
        log_topic_range(fetcher->log, channel->key.topic, (uint32_t)channel->key.partition,
                        READ_UNCOMMITTED, &range, NULL)) {
        return;
    }
    channel->known_end = range.end;
    for (uint32_t i = 0; foremost > range.end && i < channel->subscriber_count; i++) {
        struct fetch_subscriber *s = channel->subscribers[i];

        post(s, message_make(s, FETCH_BEYOND, CURSOR_HEAD, range.end + 1, range.begin));
    }
}

static bool steer_head(struct fetcher *fetcher, struct channel *channel,
                       const struct channel_demand *demand)
{
    bool idle = !demand->under_way[CURSOR_HEAD];
    bool moved = false;

    if (!channel->head_assigned) {
        return demand->leading >= 0 && seat_head(fetcher, channel, demand->leading);
    }
    if (!demand->follows && idle && !channel->catching_up && demand->leading >= 0 &&
        demand->leading < channel->head) {
        return seat_head(fetcher, channel, demand->leading);
    }
    if (idle && demand->leading == channel->head) {
        moved = pass_empty(fetcher->head, channel, CURSOR_HEAD);
    }
    if (idle) {
        check_foremost(fetcher, channel, demand->leading);
    }
    return pause_or_resume(fetcher->head, channel, &channel->head_paused,
                           demand->over_budget || !demand->follows) ||
           moved;
}

static bool seat_catch_up(struct fetcher *fetcher, struct channel *channel, int64_t at)
{
    if (log_reader_assign(fetcher->catch_up, channel->key.topic, (uint32_t)channel->key.partition,
                          at, NULL)) {
        return false;
    }
    fetcher->catching_up += !channel->catching_up;
    channel->catching_up = true;
    channel->catch_up_paused = false;
    channel->catch_up = at;
    tell_moved(channel, CURSOR_CATCH_UP, at, at);
    return true;
}

static void end_catch_up(struct fetcher *fetcher, struct channel *channel)
{
    log_reader_unassign(fetcher->catch_up, channel->key.topic, (uint32_t)channel->key.partition);
    channel->catching_up = false;
    fetcher->catching_up--;
}

static bool steer_catch_up(struct fetcher *fetcher, struct channel *channel,
                           const struct channel_demand *demand)
{
    bool idle = !demand->under_way[CURSOR_CATCH_UP];
    bool wanted = demand->ahead < channel->head;
    bool moved = false;

    if (!channel->catching_up) {
        /* Who has just fallen behind the head may be all there is: it is set back then. */
        bool waits = !demand->follows && demand->under_way[CURSOR_HEAD];

        return channel->head_assigned && idle && !waits && demand->lagging < channel->head &&
               seat_catch_up(fetcher, channel, demand->lagging);
    }
    if (idle) {
        moved = pass_empty(fetcher->catch_up, channel, CURSOR_CATCH_UP);
    }
    if (channel->catch_up >= channel->head || (idle && !wanted)) {
        end_catch_up(fetcher, channel);
        return true;
    }
    if (idle && demand->ahead > channel->catch_up) {
        return seat_catch_up(fetcher, channel, demand->ahead);
    }
    return pause_or_resume(fetcher->catch_up, channel, &channel->catch_up_paused,
                           demand->over_budget || !wanted) ||
           moved;
}

static void drop_channel(struct fetcher *fetcher, struct channel *channel)
{
    uint32_t partition = (uint32_t)channel->key.partition;

    if (channel->head_assigned) {
        log_reader_unassign(fetcher->head, channel->key.topic, partition);
    }
    if (channel->catching_up) {
        end_catch_up(fetcher, channel);
    }
    (void)map_remove(&fetcher->channels, channel_key_bytes(&channel->key));
    channel_free(channel);
}

static bool steer_channel(struct fetcher *fetcher, struct channel *channel)
{
    struct channel_demand demand;
    bool moved;

    if (channel->subscriber_count == 0) {
        drop_channel(fetcher, channel);
        return false;
    }
    demand = channel_demand(channel);
    moved = steer_head(fetcher, channel, &demand);
    return steer_catch_up(fetcher, channel, &demand) || moved;
}

/* What happens to the channel from now on is noted anew. */
static struct channel *take_noted(struct fetcher *fetcher)
{
    struct channel *channel;

    pthread_mutex_lock(&fetcher->noted_mutex);
    channel = fetcher->noted;
    if (channel) {
        fetcher->noted = channel->next_noted;
        atomic_store(&channel->noted, false);
    }
    pthread_mutex_unlock(&fetcher->noted_mutex);
    return channel;
}

static bool steer_all(struct fetcher *fetcher)
{
    bool moved = false;

    while (take_noted(fetcher)) {
    }
    MAP_FOREACH (entry, &fetcher->channels) {
        moved |= steer_channel(fetcher, entry->value);
    }
    return moved;
}

static bool steer(struct fetcher *fetcher)
{
    struct channel *channel;
    bool moved = false;

    if (atomic_exchange(&fetcher->all_noted, false)) {
        return steer_all(fetcher);
    }
    while ((channel = take_noted(fetcher))) {
        moved |= steer_channel(fetcher, channel);
    }
    return moved;
}

void fetcher_look(struct fetcher *fetcher)
{
    atomic_store(&fetcher->all_noted, true);
    fetcher_wake(fetcher);
}

void fetcher_look_at(struct fetcher *fetcher, const struct log_topic *topic, uint32_t partition)
{
    struct channel_key key = { topic, partition };
    struct channel *channel;

    pthread_mutex_lock(&fetcher->mutex);
    channel = map_find(&fetcher->channels, channel_key_bytes(&key));
    if (channel) {
        note(fetcher, channel);
    }
    pthread_mutex_unlock(&fetcher->mutex);
    if (channel) {
        fetcher_wake(fetcher);
    }
}

/* --- polling --- */

/*
 * Goes on from the log's begin, and says so to all: the records up to there are gone. A position
 * behind the end is of a log that there was before, so all that is in this one is to come. A
 * broker may say so, too, of an offset that it has (seen before a damaged batch): asked again.
 */
static void skip_gap(struct fetcher *fetcher, struct channel *channel, enum cursor cursor)
{
    int64_t *position = cursor == CURSOR_HEAD ? &channel->head : &channel->catch_up;
    bool *paused = cursor == CURSOR_HEAD ? &channel->head_paused : &channel->catch_up_paused;
    struct log_reader *reader = cursor == CURSOR_HEAD ? fetcher->head : fetcher->catch_up;
    uint32_t partition = (uint32_t)channel->key.partition;
    struct log_range range;

    if (log_topic_range(fetcher->log, channel->key.topic, partition, READ_UNCOMMITTED, &range,
                        NULL) ||
        (*position >= range.begin && *position <= range.end)) {
        *paused = true; /* by the poll that failed; steering resumes it, to be told again */
        return;
    }
    for (uint32_t i = 0; i < channel->subscriber_count; i++) {
        struct fetch_subscriber *s = channel->subscribers[i];

        post(s, message_make(s, FETCH_GAP, cursor, *position, range.begin));
    }
    channel->known_end = range.end;
    *position = range.begin;
    *paused = false;
    (void)log_reader_assign(reader, channel->key.topic, partition, range.begin, NULL);
}

static void report_failure(struct fetcher *fetcher, const struct log_place *place,
                           enum cursor cursor, const struct error *err)
{
    struct channel_key key = { place->topic, place->partition };
    struct channel *channel = map_find(&fetcher->channels, channel_key_bytes(&key));
    int64_t at;

    if (!channel) {
        return;
    }
    if (err->code == ERR_OUT_OF_RANGE) {
        TRACE(TRACE_INFO, "fetch", "%s", err->message);
        skip_gap(fetcher, channel, cursor);
        return;
    }
    at = cursor == CURSOR_HEAD ? channel->head : channel->catch_up;
    for (uint32_t i = 0; i < channel->subscriber_count; i++) {
        struct fetch_message *message =
            message_make(channel->subscribers[i], FETCH_FAILED, cursor, at, at);

        message->failure = *err;
        post(channel->subscribers[i], message);
    }
    if (cursor == CURSOR_HEAD) {
        channel->head_paused = true; /* whoever is left resumes it, to be told again */
    } else if (channel->catching_up) {
        end_catch_up(fetcher, channel);
    }
}

/* True when a block or an error came. */
static bool poll_once(struct fetcher *fetcher, enum cursor cursor, int64_t wait_ms)
{
    struct log_reader *reader = cursor == CURSOR_HEAD ? fetcher->head : fetcher->catch_up;
    struct log_place failed = { 0 };
    struct error err = { 0 };
    struct log_block *block = NULL;
    int code = log_reader_poll(reader, wait_ms, &block, &failed, &err);

    /* Before the block is posted: who has worked on it may ask. */
    atomic_store(&fetcher->behind[cursor], !log_reader_at_end(reader));
    if (!code && !block) {
        return false;
    }
    pthread_mutex_lock(&fetcher->mutex);
    if (block) {
        struct channel_key key = { block->topic, block->partition };
        struct channel *channel = map_find(&fetcher->channels, channel_key_bytes(&key));

        if (channel && cursor == CURSOR_HEAD) {
            deliver_head(channel, block);
        } else if (channel && channel->catching_up) {
            deliver_catch_up(channel, block);
        }
        if (channel) {
            note(fetcher, channel);
        }
        log_block_unref(block);
    } else if (failed.topic) {
        report_failure(fetcher, &failed, cursor, &err);
    } else {
        TRACE(TRACE_WARN, "fetch", "%s", err.message);
    }
    pthread_mutex_unlock(&fetcher->mutex);
    return true;
}

bool fetcher_step(struct fetcher *fetcher, int64_t wait_ms)
{
    bool moved, catching_up;

    pthread_mutex_lock(&fetcher->mutex);
    moved = steer(fetcher);
    catching_up = fetcher->catching_up > 0;
    pthread_mutex_unlock(&fetcher->mutex);

    for (int i = 0; i < POLLS_PER_STEP; i++) {
        if (!poll_once(fetcher, CURSOR_HEAD, moved || catching_up ? 0 : wait_ms)) {
            break;
        }
        moved = true;
    }
    for (int i = 0; catching_up && i < POLLS_PER_STEP; i++) {
        if (!poll_once(fetcher, CURSOR_CATCH_UP, moved ? 0 : lower(wait_ms, CATCH_UP_WAIT_MS))) {
            break;
        }
        moved = true;
    }
    if (!catching_up) {
        atomic_store(&fetcher->behind[CURSOR_CATCH_UP], false);
    }
    return moved;
}

bool fetcher_is_behind(const struct fetcher *fetcher)
{
    return atomic_load(&fetcher->behind[CURSOR_HEAD]) ||
           atomic_load(&fetcher->behind[CURSOR_CATCH_UP]);
}
