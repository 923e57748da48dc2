/*
 * log_kafka_reader_internal.h: where a reader of the Kafka log gets its blocks from.
 *
 * log_kafka_reader.c keeps the places (assigned partitions), what is ready of them and what a pause
 * holds back. A source fetches: log_kafka_fetch.c by requests of its own, log_kafka_consumer.c
 * through librdkafka where the connection needs more than a socket.
 */
#ifndef SLUICE_ENGINE_LOG_LOG_KAFKA_READER_INTERNAL_H
#define SLUICE_ENGINE_LOG_LOG_KAFKA_READER_INTERNAL_H

#include "engine/log/log_kafka_internal.h"

enum {
    HELD_BYTES_MAX = 8 << 20, /* of all paused places together */
    BRIEF_WAIT_MS = 1, /* a fetch that waits at one partition's end keeps back the next one's */
};

struct kafka_source;

struct block_list {
    struct kafka_block *first;
    struct kafka_block **end;
};

/* An assigned partition. */
struct place {
    const struct kafka_topic *topic;
    uint32_t partition;
    int64_t position; /* handed out up to here */
    int64_t fetched;  /* the position once `waiting` is 0 */
    uint32_t waiting; /* blocks of it that are ready or held */
    bool fetching;
    bool paused;
    struct block_list held; /* while it is paused */
    int failure;            /* to be told once what came before it has been handed out */
    struct error why;       /* the client's words */
    void *fetcher;          /* what the source knows of it */
};

struct kafka_reader {
    struct log_reader pub; /* first */
    const struct kafka_source_kind *kind;
    struct kafka_source *source;
    enum log_isolation isolation;
    struct place **places;
    uint32_t place_count;
    uint32_t place_capacity;
    struct block_list ready;
    size_t held_bytes;
    _Atomic bool woken;
};

struct kafka_source_kind {
    bool finds_begin; /* a place may begin at OFFSET_BEGIN */
    int (*open)(struct kafka_reader *reader, const struct reader_spec *spec, struct error *err);
    void (*close)(struct kafka_reader *reader); /* there are no places any more */
    void (*add)(struct kafka_reader *reader, struct place *place);
    void (*remove)(struct kafka_reader *reader, struct place *place); /* it is not fetching */
    int (*start)(struct kafka_reader *reader, struct place *place, struct error *err);
    void (*stop)(struct kafka_reader *reader, struct place *place); /* forgets what it has */
    /* Gives what there is to the reader; waits when there is nothing, at most that long (an int).
     */
    void (*fetch)(struct kafka_reader *reader, int64_t wait_ms);
    void (*wake)(struct kafka_reader *reader); /* any thread; reader->woken is set */
    /* Where it has come to while nothing of the place waits in the reader. */
    int64_t (*position)(struct kafka_reader *reader, struct place *place);
    bool (*at_end)(struct kafka_reader *reader, struct place *place); /* the same */
};

extern const struct kafka_source_kind kafka_consumer_source;
extern const struct kafka_source_kind kafka_fetch_source;

/* --- for sources --- */

/* Takes the block; it is the next one of its place. */
void kafka_reader_take(struct kafka_reader *reader, struct kafka_block *block);
/* Nothing more comes before this offset. */
void kafka_reader_passed(struct place *place, int64_t offset);
/* The next place whose failure is to be told; NULL: there is none. */
struct place *kafka_reader_failed(struct kafka_reader *reader);
/* What the cluster says of the place; what may pass is false. */
bool kafka_reader_refused(struct place *place, rd_kafka_resp_err_t code, const char *words);

#endif
