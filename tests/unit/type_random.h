/*
 * type_random.h: random types and values for property tests, from a seed alone.
 */
#ifndef SLUICE_TESTS_UNIT_TYPE_RANDOM_H
#define SLUICE_TESTS_UNIT_TYPE_RANDOM_H

#include "engine/type/schema.h"

uint64_t random_word(uint64_t *seed);
uint64_t random_below(uint64_t *seed, uint64_t limit); /* limit > 0 */
const struct sql_type *random_type(uint64_t *seed, struct arena *arena, int depth);
/* One in eight is null; map keys are distinct. Text is UTF-8. */
struct value random_value(uint64_t *seed, struct arena *arena, const struct sql_type *type);

#endif
