/*
 * log_kafka_fetch_internal.h: what the files share that read by requests of their own.
 */
#ifndef SLUICE_ENGINE_LOG_LOG_KAFKA_FETCH_INTERNAL_H
#define SLUICE_ENGINE_LOG_LOG_KAFKA_FETCH_INTERNAL_H

#include "engine/log/log_kafka_fetch_settings.h"
#include "engine/log/log_kafka_reader_internal.h"

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

static inline struct fetched *fetched_of(const struct place *place)
{
    return place->fetcher;
}

static inline int64_t now_of(const struct kafka_reader *reader)
{
    return kafka_now_ms(kafka_log_of(reader->pub.log));
}

/* Who leads the place is looked for, not before then. */
static inline void fetch_lose_leader(struct place *place, int64_t not_before_ms)
{
    fetched_of(place)->leader = NULL;
    fetched_of(place)->not_before_ms = not_before_ms;
}

/* --- log_kafka_fetch_share.c --- */

void fetch_add_share(struct kafka_source *source, struct fetched *fetched,
                     const struct fetched_records *records);
void fetch_drop_share(struct kafka_source *source, struct fetched *fetched); /* the first */
/* It is asked for again from where it stands. */
void fetch_drop_shares(struct kafka_source *source, struct fetched *fetched);
/* A share keeps all of its answer in memory. */
void fetch_drop_what_is_held_too_long(struct kafka_source *source);
/* One block; false when no share has one. */
bool fetch_take_block(struct kafka_reader *reader);

/* --- log_kafka_fetch_exchange.c --- */

/* Whether it is one of those that this broker is asked for. */
bool fetch_may_be_asked(const struct place *place, const struct broker *broker);
/* For all that is due, unless an answer is to come first. */
void fetch_ask(struct kafka_reader *reader, struct broker *broker, int64_t now_ms);
/* What the answer is missing is asked for again. */
void fetch_take_answer(struct kafka_reader *reader, struct broker *broker,
                       struct fetched_bytes *memory, int64_t now_ms);

#endif
