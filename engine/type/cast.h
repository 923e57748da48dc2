/*
 * cast.h: CAST between types (expressions.md 9), and the text of values.
 */
#ifndef SLUICE_ENGINE_TYPE_CAST_H
#define SLUICE_ENGINE_TYPE_CAST_H

#include "engine/type/schema.h"

typedef int (*cast_function)(const struct value *in, const struct sql_type *from,
                             const struct sql_type *to, struct arena *arena, struct value *out,
                             struct error *err);

/* NULL when there is no such cast. The function is never called with a null. */
cast_function cast_find(const struct sql_type *from, const struct sql_type *to);
/* Whether a value may be widened without being asked: INT -> BIGINT -> DECIMAL -> DOUBLE, ... */
bool cast_is_implicit(const struct sql_type *from, const struct sql_type *to);
/* CAST to STRING of any value; null prints as null. */
void cast_print(const struct value *v, const struct sql_type *type, struct buffer *out);

#endif
