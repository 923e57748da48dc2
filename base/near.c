/*
 * near.c: one slip is an edit distance of one, swapped neighbours included; so no table
 * is needed, only the common prefix and suffix of the two names.
 */
#include "base/near.h"

#include "base/arena.h"

enum { RANK_CASE = 1, RANK_SLIP = 2, RANK_FAR = 3, SHORTEST_FOR_SLIPS = 3 };

static char fold(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

static bool is_one_slip(struct bytes a, struct bytes b)
{
    size_t head = 0;
    size_t tail = 0;
    size_t shorter = a.len < b.len ? a.len : b.len;
    size_t rest_a;
    size_t rest_b;

    while (head < shorter && fold(a.data[head]) == fold(b.data[head])) {
        head++;
    }
    while (tail < shorter - head &&
           fold(a.data[a.len - 1 - tail]) == fold(b.data[b.len - 1 - tail])) {
        tail++;
    }
    rest_a = a.len - head - tail;
    rest_b = b.len - head - tail;
    if (rest_a <= 1 && rest_b <= 1) {
        return true;
    }
    return rest_a == 2 && rest_b == 2 && fold(a.data[head]) == fold(b.data[head + 1]) &&
           fold(a.data[head + 1]) == fold(b.data[head]);
}

static int rank_of(struct bytes wanted, struct bytes candidate)
{
    if (bytes_equal_nocase(wanted, candidate)) {
        return RANK_CASE;
    }
    if (wanted.len >= SHORTEST_FOR_SLIPS && candidate.len >= SHORTEST_FOR_SLIPS &&
        is_one_slip(wanted, candidate)) {
        return RANK_SLIP;
    }
    return RANK_FAR;
}

struct near_search near_begin(struct bytes wanted)
{
    return (struct near_search){ wanted, { NULL, 0 }, RANK_FAR };
}

void near_offer(struct near_search *search, struct bytes candidate)
{
    int rank = rank_of(search->wanted, candidate);

    if (rank < search->rank) {
        search->rank = rank;
        search->best = candidate;
    }
}

const char *near_hint(struct arena *arena, struct bytes nearest)
{
    return nearest.data ? arena_printf(arena, " (did you mean %.*s?)", BYTES_ARG(nearest)).data
                        : "";
}
