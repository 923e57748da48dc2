/*
 * kafka_security.h: the Java clients' security settings as those of librdkafka.
 */
#ifndef SLUICE_CLI_KAFKA_SECURITY_H
#define SLUICE_CLI_KAFKA_SECURITY_H

#include "base/arena.h"
#include "base/error.h"
#include "base/vec.h"
#include "engine/command/properties.h"
#include "engine/log/log.h"

typedef VEC(struct topic_config) client_setting_list;

/*
 * Adds what security.protocol, sasl.* and ssl.* among the settings (of a name the last counts) mean
 * for the Kafka client. ERR_INVALID_PROPERTY for what it cannot do, with what to do instead; no
 * message holds a value that may be secret.
 */
int kafka_security_add(struct arena *arena, const struct property_text *settings, uint32_t count,
                       client_setting_list *out, struct error *err);

#endif
