/*
 * api.h: ksqlDB's HTTP API over an engine (rest-api.md 2).
 */
#ifndef SLUICE_CLI_HTTP_KSQL_API_H
#define SLUICE_CLI_HTTP_KSQL_API_H

#include "cli/http/letterbox.h"
#include "cli/http/router.h"
#include "engine/command/engine.h"

struct ksql_api;

/* Borrows both. The letterbox leads to the loop that the routes are called on. */
struct ksql_api *ksql_api_create(struct engine *engine);
void ksql_api_start(struct ksql_api *api, struct letterbox *letterbox);
/* New statements are refused, queries that stream end with their final message. Does not wait. */
void ksql_api_stop(struct ksql_api *api);
/* Whether a page of another origin may ask (CORS): what it is told, or false, and it is answered.
 */
bool ksql_api_admit(struct exchange *exchange, void *api);
/* Waits for what is under way. */
void ksql_api_destroy(struct ksql_api *api);

/* Their context is the api. */
extern const struct route ksql_routes[];
extern const struct route connect_routes[];          /* Kafka Connect's API alone */
extern const struct route ksql_information_routes[]; /* of a server that takes no statements */

#endif
