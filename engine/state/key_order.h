/*
 * key_order.h: the entries of a live table by ascending key bytes.
 *
 * Built at the first scan and kept up to date while scans go on; whoever does not
 * scan pays nothing. Blocks of references under one list of blocks: two levels
 * serve millions of keys.
 */
#ifndef SLUICE_ENGINE_STATE_KEY_ORDER_H
#define SLUICE_ENGINE_STATE_KEY_ORDER_H

#include "engine/state/live_table.h"

struct order_block;

struct key_order {
    struct order_block **blocks; /* none is empty */
    uint32_t block_count;
    uint32_t block_capacity;
    uint32_t unused_changes; /* kept up since the last scan */
    bool built;
};

struct order_place {
    uint32_t block;
    uint32_t at;
};

void key_order_fini(struct key_order *order); /* not built any more */
/* Of the entries that have an image. */
void key_order_build(struct key_order *order, const struct live_table *table);
void key_order_insert(struct key_order *order, const struct live_table *table, live_ref ref);
void key_order_remove(struct key_order *order, const struct live_table *table, live_ref ref);
/* Where the entry's reference stands, to be altered when the entry moves. It must be there. */
live_ref *key_order_find(struct key_order *order, const struct live_table *table, live_ref ref);

/* The first entry whose key is not below (after: is above) this one. */
struct order_place key_order_seek(const struct key_order *order, const struct live_table *table,
                                  struct bytes key, bool after);
live_ref key_order_next(const struct key_order *order, struct order_place *place); /* 0: end */
size_t key_order_bytes(const struct key_order *order);

#endif
