/*
 * pull_internal.h: what pull.c and pull_keys.c share of a pull query on its way.
 */
#ifndef SLUICE_ENGINE_PLAN_PULL_INTERNAL_H
#define SLUICE_ENGINE_PLAN_PULL_INTERNAL_H

#include "engine/plan/plan_internal.h"

struct pull_query {
    struct plan_context *context;
    struct pull_lookup *lookup;
    const struct key_plan *key; /* of the store */
    const struct expr *where;   /* over the table's columns */
    select_list columns;
};

/*
 * The keys that the condition names, encoded, into the lookup: in its order, each once.
 * ERR_UNSUPPORTED when it leaves a key column open, ERR_PULL_KEY for a key that is null.
 */
int pull_keys_find(struct pull_query *q, struct error *err);

#endif
