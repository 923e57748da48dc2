/*
 * function_internal.h: what the family files and the registry share.
 *
 * PARAMETER_OF, VARIABLE and ANY_VALUE spell one entry of takes or returns, so
 * that a function stays one row.
 */
#ifndef SLUICE_ENGINE_FUNCTION_FUNCTION_INTERNAL_H
#define SLUICE_ENGINE_FUNCTION_FUNCTION_INTERNAL_H

#include "engine/function/function.h"

#define PARAMETER_OF(type_, name_)                                \
    {                                                             \
        .kind = PARAMETER_TYPE, .type = (type_), .name = (name_), \
    }
#define VARIABLE(letter, name_)                                            \
    {                                                                      \
        .kind = PARAMETER_VARIABLE, .variable = (letter), .name = (name_), \
    }
#define ANY_VALUE(name_)                        \
    {                                           \
        .kind = PARAMETER_ANY, .name = (name_), \
    }
/* What a function gives back needs no name. */
#define RETURNS(type_)                           \
    {                                            \
        .kind = PARAMETER_TYPE, .type = (type_), \
    }
#define RETURNS_VARIABLE(letter)                          \
    {                                                     \
        .kind = PARAMETER_VARIABLE, .variable = (letter), \
    }

#define FAMILY(kind, table) extern const struct kind##_kind table[];
#include "engine/function/families.def"
#undef FAMILY

void parameters_print(const char *name, const struct parameter takes[FUNCTION_MAX_PARAMETERS],
                      unsigned flags, struct buffer *out);

/* result_type of functions that give back the type of their first argument. */
int result_type_of_first(struct arena *arena, const struct sql_type *const *arguments,
                         uint32_t count, const struct sql_type **out, struct error *err);

#endif
