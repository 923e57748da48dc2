/*
 * row_timestamp.h: the column named by WITH (TIMESTAMP), as milliseconds.
 */
#ifndef SLUICE_ENGINE_OPERATOR_ROW_TIMESTAMP_H
#define SLUICE_ENGINE_OPERATOR_ROW_TIMESTAMP_H

#include "engine/type/java_pattern.h"
#include "engine/type/schema.h"

struct row_timestamp {
    const struct java_pattern *pattern; /* of text; NULL: milliseconds as they stand */
};

/*
 * The format is the pattern of a STRING column. What is opened ends with the arena.
 * ERR_TIMESTAMP_COLUMN for other types and for what is no pattern.
 */
int row_timestamp_open(struct row_timestamp *timestamp, const struct sql_type *type,
                       struct bytes format, struct arena *arena, struct error *err);
/* ERR_TIMESTAMP for null, for text that does not fit the pattern and for times before 1970. */
int row_timestamp_read(const struct row_timestamp *timestamp, const struct value *value,
                       int64_t *out, struct error *err);

#endif
