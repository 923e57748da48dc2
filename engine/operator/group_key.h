/*
 * group_key.h: rows that cannot be grouped, in front of a repartition topic or without one.
 */
#ifndef SLUICE_ENGINE_OPERATOR_GROUP_KEY_H
#define SLUICE_ENGINE_OPERATOR_GROUP_KEY_H

#include "engine/operator/op.h"

/* False: the column of that number is null. */
bool group_is_whole(const operand *columns, uint32_t count, const struct row_banks *row,
                    uint32_t *null_column);
void group_report_null(struct op *op, const struct row_batch *in, uint32_t row, uint32_t column);

#endif
