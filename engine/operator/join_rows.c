/*
 * join_rows.c: a side of several leaves is what its joins would make of them now:
 *
 *     (A LEFT JOIN B) FULL JOIN C     there: A, or C; time: that of the latest that counts
 *
 * A leaf that does not count, because what it was joined to is not there, reads as null.
 */
#include "engine/operator/join_rows.h"

void join_lookup_init(struct join_lookup *lookup, struct op_env *env, const struct join_side *side)
{
    *lookup = (struct join_lookup){
        .env = env,
        .side = side,
        .entries = arena_zalloc_array(env->arena, sizeof *lookup->entries, side->leaf_count),
        .has_entry = arena_array(env->arena, bool, side->leaf_count),
    };
}

void join_lookup_prefetch(const struct join_lookup *lookup, const struct bytes *keys,
                          uint32_t count)
{
    for (uint32_t i = 0; i < lookup->side->leaf_count; i++) {
        store_prefetch(lookup->env->stores[lookup->side->leaves[i].store], keys, count);
    }
}

/* Joins leaf `number` to those before it; whether there is a row now. */
static bool add_leaf(struct join_lookup *lookup, uint32_t number, bool before)
{
    bool here = lookup->has_entry[number];

    switch (lookup->side->leaves[number].kind) {
    case AST_JOIN_INNER:
        return before && here;
    case AST_JOIN_LEFT:
        lookup->has_entry[number] = before && here;
        return before;
    case AST_JOIN_RIGHT:
        for (uint32_t i = 0; i < number && !here; i++) {
            lookup->has_entry[i] = false;
        }
        return here;
    case AST_JOIN_FULL:
        return before || here;
    }
    return false;
}

static void forget_leaves(struct join_lookup *lookup, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        lookup->has_entry[i] = false;
    }
}

bool join_lookup_find(struct join_lookup *lookup, struct bytes key, int64_t *timestamp_ms)
{
    const struct join_side *side = lookup->side;
    bool found = false;

    for (uint32_t i = 0; i < side->leaf_count; i++) {
        lookup->has_entry[i] =
            store_get(lookup->env->stores[side->leaves[i].store], key, &lookup->entries[i]);
        found = i == 0 ? lookup->has_entry[i] : add_leaf(lookup, i, found);
        if (!found) {
            forget_leaves(lookup, i + 1);
        }
    }
    *timestamp_ms = INT64_MIN;
    for (uint32_t i = 0; i < side->leaf_count; i++) {
        if (lookup->has_entry[i] && lookup->entries[i].timestamp_ms > *timestamp_ms) {
            *timestamp_ms = lookup->entries[i].timestamp_ms;
        }
    }
    return found;
}

int join_lookup_read(const struct join_lookup *lookup, struct value *cells, struct arena *arena,
                     struct error *err)
{
    const struct join_side *side = lookup->side;

    for (uint32_t i = 0; i < side->leaf_count; i++) {
        const struct join_leaf *leaf = &side->leaves[i];

        if (lookup->has_entry[i]) {
            TRY(row_codec_decode(&lookup->env->plan->stores[leaf->store].codec,
                                 lookup->entries[i].image,
                                 cells + side->first_cell + leaf->first_cell, arena, err));
        }
    }
    return 0;
}

void join_copy_side(const struct join_side *side, const struct row_banks *row, struct value *cells)
{
    for (uint32_t i = 0; i < side->column_count; i++) {
        cells[side->first_cell + i] = *banks_value(row, side->columns[i]);
    }
}
