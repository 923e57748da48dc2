/*
 * cast.h: CAST between types (expressions.md 9), and the text of values.
 */
#ifndef SLUICE_ENGINE_TYPE_CAST_H
#define SLUICE_ENGINE_TYPE_CAST_H

#include "engine/type/schema.h"

typedef int (*cast_function)(const struct value *in, const struct sql_type *from,
                             const struct sql_type *to, struct arena *arena, struct value *out,
                             struct error *err);

/*
 * NULL when there is no such cast. The function is never called with a null. The untyped NULL
 * casts to everything.
 */
cast_function cast_find(const struct sql_type *from, const struct sql_type *to);
/*
 * Whether a value may be widened without being asked: INT -> BIGINT -> DECIMAL -> DOUBLE, a
 * DECIMAL only to one that has room for it (INT counts as (10,0), BIGINT as (19,0)), STRING ->
 * TIME, DATE, TIMESTAMP, BYTES, containers of such. Never the other way; equal types are.
 */
bool cast_is_implicit(const struct sql_type *from, const struct sql_type *to);
/*
 * Unification (expressions.md 8): the type of items of which the first ones have type `target`
 * (T_NULL: none yet) and the next one has type `next`; NULL when they do not go together. What
 * a STRING literal becomes is the caller's to say.
 */
const struct sql_type *cast_unify(struct arena *arena, const struct sql_type *target,
                                  const struct sql_type *next);
/*
 * A non-empty prefix of true or yes, in any case, is true; of false or no is false; ERR_COERCE
 * otherwise. (CAST to BOOLEAN takes everything else for false.)
 */
int cast_parse_boolean(struct bytes text, bool *out, struct error *err);
/* CAST to STRING of any value; null prints as null. */
void cast_print(const struct value *v, const struct sql_type *type, struct buffer *out);

#endif
