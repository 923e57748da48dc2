/*
 * json_strict.h: a JSON object -> columns, taken at its word: a row that a client sends to be
 * inserted (rest-api.md 2.6). Unlike the JSON format it forgives nothing: numbers only widen, and
 * text is never a number nor the reverse.
 */
#ifndef SLUICE_ENGINE_FORMAT_JSON_STRICT_H
#define SLUICE_ENGINE_FORMAT_JSON_STRICT_H

#include "engine/type/schema.h"

/*
 * Fills cells[column_count]; what the object lacks is null, what nobody declared is left out.
 * Names are folded to upper case unless quoted (name_read). Text may point into `text`. ERR_SYNTAX
 * where it is no object, ERR_INSERT_VALUE with the column where a value does not fit.
 */
int json_strict_read(struct bytes text, const struct column *columns, uint32_t column_count,
                     struct arena *arena, struct value *cells, struct error *err);

#endif
