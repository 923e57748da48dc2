/*
 * key_filter.h: which keys may be in the checkpoint and not in memory: a Bloom filter that grows.
 *
 * It knows keys by 32 bits of their hash, as the live table has them at hand. A key that was
 * added is found for ever; of those that were not, a few in a hundred are, beside those whose hash
 * another one has.
 */
#ifndef SLUICE_ENGINE_STATE_KEY_FILTER_H
#define SLUICE_ENGINE_STATE_KEY_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct filter_part;

struct key_filter {
    struct filter_part *parts; /* each larger than what is before it, or half of it */
    uint32_t part_count;
    uint64_t key_count; /* different ones, about */
    size_t bytes;
};

void key_filter_fini(struct key_filter *filter); /* empty again, ready for use */
void key_filter_add(struct key_filter *filter, uint32_t hash);
bool key_filter_has(const struct key_filter *filter, uint32_t hash);
void key_filter_prefetch(const struct key_filter *filter, uint32_t hash);

#endif
