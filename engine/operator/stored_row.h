/*
 * stored_row.h: images of a store as cells that outlive the store's next change.
 */
#ifndef SLUICE_ENGINE_OPERATOR_STORED_ROW_H
#define SLUICE_ENGINE_OPERATOR_STORED_ROW_H

#include "engine/type/row_codec.h"

struct stored_row {
    const struct row_codec *codec;
    bool is_flat; /* no value points into an image */
};

void stored_row_init(struct stored_row *row, const struct row_codec *codec);
/* The cells live as long as the arena, whatever becomes of the store. */
int stored_row_decode(const struct stored_row *row, struct bytes image, struct value *cells,
                      struct arena *arena, struct error *err);

#endif
