/*
 * key_filter.c: Bloom filters of blocks of a cache line, one behind the other.
 *
 * A key sets seven bits of one block of 512, at 12.8 bits per key. A filter cannot be made
 * larger without its keys, so a full one gets another beside it, as large as all so far or, once
 * they are large, half of it: never more than half of the memory waits for keys. The last one
 * holds the most keys and is asked first.
 */
#include "engine/state/key_filter.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum {
    LINE_BYTES = 64,
    BLOCK_WORDS = 8,
    BLOCK_KEYS = 40,
    BITS_PER_KEY = 7,
    FIRST_BLOCKS = 128,   /* 5,120 keys, 8 KB */
    LARGE_BLOCKS = 32768, /* 1.3 M keys, 2 MB */
};

struct filter_block {
    uint64_t words[BLOCK_WORDS];
};

struct filter_part {
    void *memory;
    struct filter_block *blocks; /* in it, at the first cache line */
    uint32_t block_count;
    uint64_t keys_left;
};

void key_filter_fini(struct key_filter *filter)
{
    for (uint32_t i = 0; i < filter->part_count; i++) {
        free(filter->parts[i].memory);
    }
    free(filter->parts);
    *filter = (struct key_filter){ 0 };
}

/* Block from the upper half, bits in it from the lower one. */
static uint64_t spread(uint32_t hash)
{
    uint64_t mixed = (hash + UINT64_C(0x9e3779b97f4a7c15)) * UINT64_C(0xbf58476d1ce4e5b9);

    mixed = (mixed ^ mixed >> 29) * UINT64_C(0x94d049bb133111eb);
    return mixed ^ mixed >> 32;
}

static struct filter_block *block_of(const struct filter_part *part, uint64_t mixed)
{
    return &part->blocks[(mixed >> 32) * part->block_count >> 32];
}

/* Two numbers give all seven: the blocks are too small to tell that they depend on each other. */
static void make_mask(uint64_t mixed, struct filter_block *mask)
{
    uint32_t bit = (uint32_t)mixed;
    uint32_t step = (uint32_t)(mixed >> 9) | 1;

    *mask = (struct filter_block){ { 0 } };
    for (int i = 0; i < BITS_PER_KEY; i++) {
        mask->words[bit >> 6 & (BLOCK_WORDS - 1)] |= UINT64_C(1) << (bit & 63);
        bit += step;
    }
}

static bool has_all(const struct filter_block *block, const struct filter_block *mask)
{
    uint64_t missing = 0;

    for (int i = 0; i < BLOCK_WORDS; i++) {
        missing |= mask->words[i] & ~block->words[i];
    }
    return missing == 0;
}

static bool has_mixed(const struct key_filter *filter, uint64_t mixed)
{
    struct filter_block mask;

    make_mask(mixed, &mask);
    for (uint32_t i = filter->part_count; i-- > 0;) {
        if (has_all(block_of(&filter->parts[i], mixed), &mask)) {
            return true;
        }
    }
    return false;
}

bool key_filter_has(const struct key_filter *filter, uint32_t hash)
{
    return has_mixed(filter, spread(hash));
}

void key_filter_prefetch(const struct key_filter *filter, uint32_t hash)
{
    uint64_t mixed = spread(hash);

    for (uint32_t i = filter->part_count; i-- > 0;) {
        __builtin_prefetch(block_of(&filter->parts[i], mixed));
    }
}

static void add_part(struct key_filter *filter)
{
    uint32_t blocks = 0;
    size_t size;
    struct filter_part *part;

    for (uint32_t i = 0; i < filter->part_count; i++) {
        blocks += filter->parts[i].block_count;
    }
    blocks = blocks < LARGE_BLOCKS ? blocks : blocks / 2;
    blocks = blocks < FIRST_BLOCKS ? FIRST_BLOCKS : blocks;
    size = (size_t)(blocks + 1) * sizeof(struct filter_block);
    filter->parts = memory_resize(filter->parts, filter->part_count + 1, sizeof *filter->parts);
    part = &filter->parts[filter->part_count++];
    *part = (struct filter_part){ .memory = memory_zalloc(size, 1),
                                  .block_count = blocks,
                                  .keys_left = (uint64_t)blocks * BLOCK_KEYS };
    part->blocks =
        (void *)(((uintptr_t)part->memory + LINE_BYTES - 1) & ~(uintptr_t)(LINE_BYTES - 1));
    filter->bytes += size;
}

void key_filter_add(struct key_filter *filter, uint32_t hash)
{
    uint64_t mixed = spread(hash);
    struct filter_block mask;
    struct filter_block *block;

    if (has_mixed(filter, mixed)) {
        return;
    }
    if (!filter->part_count || !filter->parts[filter->part_count - 1].keys_left) {
        add_part(filter);
    }
    make_mask(mixed, &mask);
    block = block_of(&filter->parts[filter->part_count - 1], mixed);
    for (int i = 0; i < BLOCK_WORDS; i++) {
        block->words[i] |= mask.words[i];
    }
    filter->parts[filter->part_count - 1].keys_left--;
    filter->key_count++;
}
