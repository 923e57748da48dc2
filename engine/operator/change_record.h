/*
 * change_record.h: a table's change as the value of a repartition record.
 *
 *     image, 1                       the new image: add it
 *     image, 0                       the old image: undo it
 *     length of new, new, old, 2     both, for one key
 */
#ifndef SLUICE_ENGINE_OPERATOR_CHANGE_RECORD_H
#define SLUICE_ENGINE_OPERATOR_CHANGE_RECORD_H

#include "base/bytes.h"
#include "base/error.h"

struct change_images {
    struct bytes new_image; /* absent: there is none */
    struct bytes old_image;
};

/* One of the images at least. */
void change_record_append(const struct change_images *images, struct buffer *out);
/* ERR_STATE_DAMAGED. The images point into the record. */
int change_record_parse(struct bytes record, struct change_images *out, struct error *err);

#endif
