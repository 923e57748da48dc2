/*
 * connector.h: the host of connectors: runs what the engine's catalog defines.
 *
 * Made before the engine, whose config gets its interface, and destroyed before it: what
 * connectors still read lies in the log.
 */
#ifndef SLUICE_SINKS_CONNECTOR_H
#define SLUICE_SINKS_CONNECTOR_H

#include "engine/command/connector.h"
#include "engine/log/log.h"

struct sink_host;

struct sink_host_config {
    struct log *log; /* borrowed, so the clock */
    const struct clock *clock;
    const char *service_id; /* NULL: the usual one */
    bool log_is_volatile;   /* gone when the process ends */
    const char *worker_id;  /* host:port of this process, as statuses show it */
};

struct sink_host *sink_host_create(const struct sink_host_config *config);
/* Ends all tasks; what they have not flushed is read again by the next process. */
void sink_host_destroy(struct sink_host *host);
const struct connector_host *sink_host_interface(struct sink_host *host);

#endif
