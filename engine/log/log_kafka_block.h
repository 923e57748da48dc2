/*
 * log_kafka_block.h: fetched messages as blocks of the log.
 */
#ifndef SLUICE_ENGINE_LOG_LOG_KAFKA_BLOCK_H
#define SLUICE_ENGINE_LOG_LOG_KAFKA_BLOCK_H

#include <librdkafka/rdkafka.h>

#include "engine/log/log_kind.h"

struct place;

/* Records grow from the front of `memory`, their bytes and headers from its back. */
struct kafka_block {
    struct log_block pub; /* first */
    struct place *place;  /* while the reader has it */
    struct kafka_block *next;
    char *front;
    char *back;
    _Alignas(16) char memory[];
};

/* Has room for `count` messages like this one, within a bound, and at least for it. */
struct kafka_block *kafka_block_new(const struct log_topic *topic, rd_kafka_message_t *message,
                                    uint32_t count);
/* Copies the message, or is false when there is no room for it. */
bool kafka_block_add(struct kafka_block *block, rd_kafka_message_t *message);

#endif
