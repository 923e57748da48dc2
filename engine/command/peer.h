/*
 * peer.h: asking another node of the service for its part of a pull query.
 *
 * Who has which partition is known here; how a node is reached is known to whoever opens the
 * engine.
 */
#ifndef SLUICE_ENGINE_COMMAND_PEER_H
#define SLUICE_ENGINE_COMMAND_PEER_H

#include "engine/type/schema.h"

struct property_text;

struct peer_pull {
    struct bytes node;                      /* its client id: the URL that it advertises */
    struct bytes sql;                       /* the query */
    const struct property_text *properties; /* that hold for it */
    uint32_t property_count;
    const uint32_t *partitions; /* of the table, to look into */
    uint32_t partition_count;
    const struct schema *schema; /* of the rows: the node must come to the same */
    int64_t timeout_ms;
    /* Borrowed for the call; false: it was enough. */
    bool (*row)(void *context, const struct value *cells, int64_t timestamp_ms);
    void *context;
};

struct peer_host {
    /* Rows, then their end. ERR_LOG_UNAVAILABLE says why not, perhaps behind some rows. */
    int (*pull)(void *context, const struct peer_pull *pull, struct error *err);
    void *context;
};

#endif
