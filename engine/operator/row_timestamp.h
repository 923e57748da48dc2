/*
 * row_timestamp.h: the column named by WITH (TIMESTAMP), as milliseconds.
 */
#ifndef SLUICE_ENGINE_OPERATOR_ROW_TIMESTAMP_H
#define SLUICE_ENGINE_OPERATOR_ROW_TIMESTAMP_H

#include "engine/type/schema.h"

struct row_timestamp {
    const struct sql_type *type;
};

/* ERR_TIMESTAMP_COLUMN for other types; ERR_UNSUPPORTED for text, which needs a pattern. */
int row_timestamp_open(struct row_timestamp *timestamp, const struct sql_type *type,
                       struct bytes format, struct error *err);
/* ERR_TIMESTAMP for null and for times before 1970. */
int row_timestamp_read(const struct row_timestamp *timestamp, const struct value *value,
                       int64_t *out, struct error *err);

#endif
