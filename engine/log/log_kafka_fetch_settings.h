/*
 * log_kafka_fetch_settings.h: what the client's properties say of fetching.
 */
#ifndef SLUICE_ENGINE_LOG_LOG_KAFKA_FETCH_SETTINGS_H
#define SLUICE_ENGINE_LOG_LOG_KAFKA_FETCH_SETTINGS_H

#include "engine/log/log_kafka_internal.h"
#include "engine/log/log_kafka_link.h"

enum { LEAST_PAUSE_MS = 10 }; /* whoever never waits does nothing else */

struct fetch_settings {
    struct link_settings link;
    bool is_brief;
    int32_t wait_ms;
    int32_t min_bytes;
    int32_t max_bytes;
    int32_t partition_bytes;
    int32_t backoff_ms; /* behind an error that passes */
    bool checks_crc;
};

int fetch_settings_read(struct kafka_log *log, const struct reader_spec *spec,
                        struct fetch_settings *out, struct error *err);

#endif
