/*
 * emission.h: what an operator has yet to emit, a key at a time (queries.md 4.3).
 *
 * Per key it keeps the image at the last flush and what belongs to the last update.
 * The newest image is in the operator's store. Order is that of the last updates.
 */
#ifndef SLUICE_ENGINE_OPERATOR_EMISSION_H
#define SLUICE_ENGINE_OPERATOR_EMISSION_H

#include "engine/type/row_batch.h"

struct emission;

struct emission_change {
    struct bytes key;
    struct bytes old_image;   /* at the last flush; absent: the key was not there */
    int64_t timestamp_ms;     /* of the last update */
    struct row_origin origin; /* likewise; headers are copies */
};

struct emission *emission_create(size_t budget_bytes);
void emission_destroy(struct emission *emission); /* NULL is fine */
/* As store_prefetch. */
void emission_prefetch(const struct emission *emission, const struct bytes *keys, uint32_t count);
/*
 * The key is about to be updated; old_image is what it has now. True: the budget is
 * used up, flush once the store has the update.
 */
bool emission_note(struct emission *emission, struct bytes key, struct bytes old_image,
                   int64_t timestamp_ms, const struct row_origin *origin);
uint32_t emission_count(const struct emission *emission); /* keys */
/* The next change, *cursor starting at 0; NULL at the end. */
const struct emission_change *emission_next(const struct emission *emission, uint32_t *cursor);
void emission_clear(struct emission *emission);

#endif
