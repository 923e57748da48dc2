/*
 * row_timestamp.c: BIGINT and TIMESTAMP columns are milliseconds as they stand.
 */
#include "engine/operator/row_timestamp.h"

#include <inttypes.h>

int row_timestamp_open(struct row_timestamp *timestamp, const struct sql_type *type,
                       struct bytes format, struct error *err)
{
    if (type->id == T_STRING) {
        return error_set(err, ERR_UNSUPPORTED, NO_POSITION,
                         "TIMESTAMP_FORMAT '%.*s': timestamps as text cannot be read yet; "
                         "use a BIGINT or TIMESTAMP column",
                         BYTES_ARG(format));
    }
    if (type->id != T_BIGINT && type->id != T_TIMESTAMP) {
        return error_set(err, ERR_TIMESTAMP_COLUMN, NO_POSITION,
                         "The timestamp column is %s; it must be BIGINT, TIMESTAMP or STRING",
                         type_name(type->id));
    }
    timestamp->type = type;
    return 0;
}

int row_timestamp_read(const struct row_timestamp *timestamp, const struct value *value,
                       int64_t *out, struct error *err)
{
    if (value_is_null(value)) {
        return error_set(err, ERR_TIMESTAMP, NO_POSITION, "The timestamp column is null");
    }
    if (value->i64 < 0) {
        return error_set(err, ERR_TIMESTAMP, NO_POSITION,
                         "The timestamp column holds %" PRId64 ", a time before 1970", value->i64);
    }
    *out = value->i64;
    return 0;
}
