/*
 * near.h: names that somebody may have meant: the hint behind "no such ...".
 *
 * A name is near when it differs only in case, or by one slip (a character missing, added,
 * wrong, or two swapped). A difference in case alone is the better match.
 */
#ifndef SLUICE_BASE_NEAR_H
#define SLUICE_BASE_NEAR_H

#include "base/bytes.h"

struct arena;

struct near_search {
    struct bytes wanted;
    struct bytes best; /* absent while nothing near was offered */
    int rank;          /* of best: the lower the nearer */
};

struct near_search near_begin(struct bytes wanted);
void near_offer(struct near_search *search, struct bytes candidate); /* borrowed */
/* " (did you mean X?)", or an empty text when nothing is near; for "%s". */
const char *near_hint(struct arena *arena, struct bytes nearest);

#endif
