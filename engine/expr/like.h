/*
 * like.h: LIKE patterns (expressions.md 7).
 */
#ifndef SLUICE_ENGINE_EXPR_LIKE_H
#define SLUICE_ENGINE_EXPR_LIKE_H

#include "base/arena.h"
#include "base/error.h"

struct like_pattern;

/* escape: a code point, 0 for none. ERR_EVALUATE when the pattern ends with the escape. */
int like_compile(struct arena *arena, struct bytes pattern, uint32_t escape,
                 const struct like_pattern **out, struct error *err);
bool like_matches(const struct like_pattern *pattern, struct bytes text);

#endif
