/*
 * pull_internal.h: what the pull*.c share of a pull query on its way.
 */
#ifndef SLUICE_ENGINE_PLAN_PULL_INTERNAL_H
#define SLUICE_ENGINE_PLAN_PULL_INTERNAL_H

#include "engine/plan/plan_internal.h"

struct pull_query {
    struct plan_context *context;
    struct pull_lookup *lookup;
    const struct key_plan *key; /* of the store */
    const struct expr *where;   /* over the table's columns; NULL: none */
    select_list columns;
    struct position at; /* of the query, for what is about no part of it */
};

/*
 * The keys that the condition names, encoded, into the lookup: in its order, each once. Where it
 * leaves a key column open the lookup becomes a scan; with scans switched off that is
 * ERR_PULL_SCAN, or ERR_PULL_KEY for a condition on the key that names none. ERR_PULL_KEY
 * also for a key that is null.
 */
int pull_keys_find(struct pull_query *q, struct error *err);
/* Members of an IN about a key column that are not of its kind: ERR_PULL_KEY. */
int pull_keys_check_lists(const struct pull_query *q, const struct ast_expr *where,
                          struct error *err);
/* The part of the store that a scan has to see, into the lookup. */
int pull_range_find(struct pull_query *q, struct error *err);

#endif
