/*
 * log_kafka_codec.h: what producers compress with, undone; and the older formats' checksum.
 */
#ifndef SLUICE_ENGINE_LOG_LOG_KAFKA_CODEC_H
#define SLUICE_ENGINE_LOG_LOG_KAFKA_CODEC_H

#include "base/bytes.h"
#include "base/error.h"

struct fetched_bytes;
struct unpacker;

/* As the attributes of batches number them; the last one is LZ4 as it is in messages of magic 0. */
enum kafka_codec {
    CODEC_NONE,
    CODEC_GZIP,
    CODEC_SNAPPY,
    CODEC_LZ4,
    CODEC_ZSTD,
    CODEC_FIRST_LZ4 = 8
};

/*
 * `out` is new, with one reference, and of the size that there is. ERR_LOG_DAMAGED with words that
 * go behind "the batch": it is of no known codec, not whole, or far too large. `unpacker` keeps
 * what the libraries need for the next call; NULL before the first one.
 */
int kafka_unpack(struct unpacker **unpacker, int codec, struct bytes packed,
                 struct fetched_bytes **out, struct error *err);
void unpacker_destroy(struct unpacker *unpacker); /* may be NULL */

uint32_t kafka_crc32(struct bytes data); /* of IEEE 802.3 */

#endif
