/*
 * definition.h: a connector's definition, before it runs: which kind of sink, which options, and
 * what is wrong with them. No state: any thread.
 */
#ifndef SLUICE_SINKS_DEFINITION_H
#define SLUICE_SINKS_DEFINITION_H

#include <regex.h>

#include "engine/command/connector.h"
#include "sinks/sink.h"

/* kind NULL: those that every connector has. */
struct options definition_options(const struct connector_entry *entry,
                                  const struct sink_kind *kind);
int definition_kind(const struct options *options, const struct sink_kind **out, struct error *err);
/* The whole name must match. */
int definition_pattern(struct bytes text, regex_t *out, struct error *err);

/* As struct connector_host says: check, validate, options. */
int definition_check(void *context, const struct connector_entry *wanted, struct arena *arena,
                     struct connector_verdict *out, struct error *err);
uint32_t definition_validate(void *context, const struct connector_entry *wanted,
                             struct arena *arena, struct connector_finding **out);
const struct connector_option_kind *definition_describe(void *context, struct bytes class_name,
                                                        struct arena *arena);

#endif
