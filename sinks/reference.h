/*
 * reference.h: values that stand for others: ${secret:OPTION}, ${env:NAME}, ${file:PATH:KEY}.
 */
#ifndef SLUICE_SINKS_REFERENCE_H
#define SLUICE_SINKS_REFERENCE_H

#include "sinks/connector_store.h"

/* In the arena. Other values, ${topic} for one, are themselves. ERR_INVALID_PROPERTY. */
int reference_resolve(const struct connector_store *store, struct bytes connector,
                      struct bytes value, struct arena *arena, struct bytes *out,
                      struct error *err);

#endif
