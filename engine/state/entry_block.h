/*
 * entry_block.h: entries of a store as one record of its changelog.
 *
 *   version, then per entry: length of the key, length of the image + 1 (0: the key was deleted),
 *   time since the entry before (folded), key, image
 *
 * The record has no key and no time of its own. Thousands of entries cost the log and its client
 * as much as one record does.
 */
#ifndef SLUICE_ENGINE_STATE_ENTRY_BLOCK_H
#define SLUICE_ENGINE_STATE_ENTRY_BLOCK_H

#include "base/packed.h"
#include "engine/log/log.h"

struct entry_writer {
    struct log_builder *out;
    int64_t last_ms;
    uint32_t count;
};

void entry_block_begin(struct entry_writer *writer, struct log_builder *out);
/* An absent image: deleted. */
void entry_block_add(struct entry_writer *writer, struct bytes key, struct bytes image,
                     int64_t timestamp_ms);
bool entry_block_is_full(const struct entry_writer *writer);
/* False: nothing was added, there is no record. */
bool entry_block_end(struct entry_writer *writer);

struct entry_reader {
    struct packed_reader from;
    int64_t last_ms;
};

struct block_entry {
    struct bytes key;
    struct bytes image; /* absent: deleted */
    int64_t timestamp_ms;
};

int entry_block_open(struct entry_reader *reader, struct bytes block, struct error *err);
/* False at the end, or when what comes is not whole: then from.wrong is set. */
bool entry_block_next(struct entry_reader *reader, struct block_entry *out);

#endif
