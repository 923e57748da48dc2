/*
 * remote_entities.h: what a server answers to statements, as a shell shows it.
 */
#ifndef SLUICE_CLI_REMOTE_REMOTE_ENTITIES_H
#define SLUICE_CLI_REMOTE_REMOTE_ENTITIES_H

#include "engine/command/engine.h"

/* The answer to /ksql: a list of entities (rest-api.md 3). */
int entities_tell(struct bytes body, const struct result_sink *sink, struct error *err);
/* An error entity as an error; `status` is that of the answer. */
int entity_error(struct bytes body, int status, struct error *err);

#endif
