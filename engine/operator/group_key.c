/*
 * group_key.c: a row with a null group column belongs to no group (queries.md 1).
 */
#include "engine/operator/group_key.h"

bool group_is_whole(const operand *columns, uint32_t count, const struct row_banks *row,
                    uint32_t *null_column)
{
    for (uint32_t i = 0; i < count; i++) {
        if (value_is_null(banks_value(row, columns[i]))) {
            *null_column = i;
            return false;
        }
    }
    return true;
}

void group_report_null(struct op *op, const struct row_batch *in, uint32_t row, uint32_t column)
{
    struct error why;

    error_set(&why, ERR_EVALUATE, NO_POSITION,
              "Group-by column with index %u resolved to null. "
              "The source row will be excluded from the table.",
              (unsigned)column);
    op_row_error(op, in, row, "group-by column", &why);
}
