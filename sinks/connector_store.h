/*
 * connector_store.h: what is kept about connectors beside their definitions: secrets, and whether
 * they are paused or stopped. Names are in any case.
 *
 * A topic of its own, so that it can be guarded more closely than the statement log. One thread
 * at a time.
 */
#ifndef SLUICE_SINKS_CONNECTOR_STORE_H
#define SLUICE_SINKS_CONNECTOR_STORE_H

#include "engine/log/log.h"

struct connector_store;

struct connector_store *connector_store_create(struct log *log, const char *service_id);
void connector_store_destroy(struct connector_store *store);
/* Reads what is new in the topic, if there is one. */
int connector_store_read(struct connector_store *store, struct error *err);
/* What has arrived meanwhile, without waiting for more. */
int connector_store_take(struct connector_store *store, struct error *err);
/* Absent: there is none. Borrowed until the next put or read. */
struct bytes connector_store_find(const struct connector_store *store, const char *what,
                                  struct bytes connector, struct bytes option);
/* Durable when it returns. */
int connector_store_put(struct connector_store *store, const char *what, struct bytes connector,
                        struct bytes option, struct bytes value, int64_t now_ms, struct error *err);

#endif
