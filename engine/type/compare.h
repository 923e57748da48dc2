/*
 * compare.h: equality and order of values (expressions.md 6).
 */
#ifndef SLUICE_ENGINE_TYPE_COMPARE_H
#define SLUICE_ENGINE_TYPE_COMPARE_H

#include "engine/type/schema.h"

/* By UTF-16 code unit: supplementary characters sort below U+E000..U+FFFF. */
int compare_text(struct bytes a, struct bytes b);
/* Signed bytes, then the shorter first. */
int compare_octets(struct bytes a, struct bytes b);
/* Order of two non-null values of one scalar type; DOUBLE must not be NaN. */
int compare_values(const struct value *a, const struct value *b, const struct sql_type *type);
/* Deep, type-exact; nulls inside are equal; maps without regard to order; NaN equals nothing. */
bool compare_equal(const struct value *a, const struct value *b, const struct sql_type *type);

#endif
