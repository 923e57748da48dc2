/*
 * row_timestamp.c: BIGINT and TIMESTAMP columns are milliseconds as they stand, text is read by
 * its pattern.
 */
#include "engine/operator/row_timestamp.h"

#include <inttypes.h>

int row_timestamp_open(struct row_timestamp *timestamp, const struct sql_type *type,
                       struct bytes format, struct arena *arena, struct error *err)
{
    timestamp->pattern = NULL;
    if (type->id == T_STRING) {
        struct error why;

        return java_pattern_compile(arena, format, &timestamp->pattern, &why)
                   ? error_set(err, ERR_TIMESTAMP_COLUMN, NO_POSITION, "TIMESTAMP_FORMAT: %s",
                               why.message)
                   : 0;
    }
    if (type->id != T_BIGINT && type->id != T_TIMESTAMP) {
        return error_set(err, ERR_TIMESTAMP_COLUMN, NO_POSITION,
                         "The timestamp column is %s; it must be BIGINT, TIMESTAMP or STRING",
                         type_name(type->id));
    }
    return 0;
}

static int read_text(const struct java_pattern *pattern, struct bytes text, int64_t *out,
                     struct error *err)
{
    struct error why;

    return java_pattern_parse_timestamp(pattern, text, NULL, out, &why)
               ? error_set(err, ERR_TIMESTAMP, NO_POSITION,
                           "The timestamp column cannot be read by TIMESTAMP_FORMAT: %s",
                           why.message)
               : 0;
}

int row_timestamp_read(const struct row_timestamp *timestamp, const struct value *value,
                       int64_t *out, struct error *err)
{
    int64_t found;

    if (value_is_null(value)) {
        return error_set(err, ERR_TIMESTAMP, NO_POSITION, "The timestamp column is null");
    }
    found = value->i64;
    if (timestamp->pattern) {
        TRY(read_text(timestamp->pattern, value_bytes(value), &found, err));
    }
    if (found < 0) {
        return error_set(err, ERR_TIMESTAMP, NO_POSITION,
                         "The timestamp column holds %" PRId64 ", a time before 1970", found);
    }
    *out = found;
    return 0;
}
