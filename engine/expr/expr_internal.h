/*
 * expr_internal.h: making bound expressions, for the files of this folder.
 */
#ifndef SLUICE_ENGINE_EXPR_EXPR_INTERNAL_H
#define SLUICE_ENGINE_EXPR_EXPR_INTERNAL_H

#include "engine/expr/expr.h"

/* text + text: not a function users can name; a null operand is the text "null". */
extern const struct scalar_kind text_plus;

/* Copies the array of arguments; the caller fills in what the kind adds. */
struct expr *expr_make(struct arena *arena, enum expr_kind kind, struct position at,
                       const struct sql_type *type, const struct expr *const *arguments,
                       uint32_t count);
const struct expr *expr_cast_as(struct arena *arena, const struct expr *e,
                                const struct sql_type *type, enum cast_origin origin);
/* A literal that was written, perhaps under casts that were not. */
const struct expr *expr_without_implicit_casts(const struct expr *e);
struct bytes type_text(struct arena *arena, const struct sql_type *type); /* NULL: "NULL" */
struct bytes expr_text(struct arena *arena, const struct expr *e);

#endif
