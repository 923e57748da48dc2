/*
 * log_kafka.h: the log that is a Kafka cluster, through librdkafka.
 */
#ifndef SLUICE_ENGINE_LOG_LOG_KAFKA_H
#define SLUICE_ENGINE_LOG_LOG_KAFKA_H

#include "engine/log/log.h"

struct log_kafka_config {
    struct bytes bootstrap; /* host:port, ... */
    struct bytes client_id; /* of what is asked by no reader, writer or member */
    const struct topic_config
        *properties; /* librdkafka's, for all handles that have a use for them */
    uint32_t property_count;
};

/*
 * Connects, so that a wrong address is found out here. ERR_LOG_UNAVAILABLE,
 * ERR_UNKNOWN_PROPERTY, ERR_INVALID_PROPERTY. The clock is a real one and outlives the log;
 * all of the config is copied.
 */
int log_kafka_create(const struct log_kafka_config *config, const struct clock *clock,
                     struct log **out, struct error *err);

#endif
