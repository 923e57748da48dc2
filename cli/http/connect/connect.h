/*
 * connect.h: Kafka Connect's REST API over an engine (sinks.md 5).
 */
#ifndef SLUICE_CLI_HTTP_CONNECT_CONNECT_H
#define SLUICE_CLI_HTTP_CONNECT_CONNECT_H

#include "cli/http/exchange.h"

/* Handler of /connectors and all below it; the context is a struct ksql_api. */
void connect_open(struct exchange *exchange, void *context);

#endif
