/*
 * topic_config.h: the settings a topic can have, checked as Kafka's broker does.
 *
 * For the logs that are their own broker. Names and ranges are Kafka's; a
 * setting that such a log has no use for is accepted, kept and shown.
 */
#ifndef SLUICE_ENGINE_LOG_TOPIC_CONFIG_H
#define SLUICE_ENGINE_LOG_TOPIC_CONFIG_H

#include "engine/log/log.h"

/* ERR_INVALID_PROPERTY for an unknown name or a value outside its range. */
int topic_config_check(const struct topic_config *config, struct error *err);
/* The value of a whole-number setting in checked configs, or the fallback where it is not set. */
int64_t topic_config_integer(const struct topic_config *configs, uint32_t count, const char *name,
                             int64_t fallback);
/* cleanup.policy names this policy ("compact", "delete"); unset means delete. */
bool topic_config_has_policy(const struct topic_config *configs, uint32_t count,
                             const char *policy);

#endif
