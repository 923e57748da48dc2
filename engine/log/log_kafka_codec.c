/*
 * log_kafka_codec.c: gzip, snappy, LZ4 and zstd, by their libraries.
 *
 * How much comes out is not told beforehand, but by snappy, so the output grows. What a few bytes
 * unpack to can be without end: beyond a limit it is damage.
 */
#include "engine/log/log_kafka_codec.h"

#include <stdlib.h>
#include <string.h>

#include <lz4frame.h>
#include <snappy-c.h>
#define ZLIB_CONST
#include <zlib.h>
#include <zstd.h>

#include "base/memory.h"
#include "engine/log/log_kafka_batch.h"
#include "engine/log/log_kafka_batch_internal.h"

enum {
    UNPACKED_MAX = 1 << 30,
    UNPACKED_FIRST = 4096,
    UNPACKED_RATIO = 4, /* as a first guess */
    SNAPPY_RATIO_MAX = 64,
    GZIP_WINDOW = 15 + 32 /* zlib: the largest; with gzip's head, or with its own */
};

struct unpacker {
    bool has_inflater;
    z_stream inflater;
    LZ4F_dctx *lz4;
    ZSTD_DCtx *zstd;
};

void unpacker_destroy(struct unpacker *u)
{
    if (!u) {
        return;
    }
    if (u->has_inflater) {
        (void)inflateEnd(&u->inflater); /* nothing was to be written */
    }
    (void)LZ4F_freeDecompressionContext(u->lz4); /* as above; may be NULL */
    (void)ZSTD_freeDCtx(u->zstd);
    free(u);
}

uint32_t kafka_crc32(struct bytes data)
{
    return (uint32_t)crc32_z(0, (const unsigned char *)data.data, data.len);
}

static int damaged(struct error *err, const char *words)
{
    return error_set(err, ERR_LOG_DAMAGED, NO_POSITION, "%s", words);
}

/* --- output --- */

struct output {
    struct fetched_bytes *bytes; /* its size: of the memory */
    size_t len;
};

/* Room for some more bytes, or for `more` of them. */
static int grow(struct output *out, size_t more, struct error *err)
{
    size_t size = out->bytes->size;

    if (size - out->len >= more) {
        return 0;
    }
    if (out->len + more > UNPACKED_MAX) {
        return damaged(err, "is larger than 1 GiB when it is unpacked");
    }
    while (size - out->len < more) {
        size = size < UNPACKED_MAX / 2 ? size * 2 : UNPACKED_MAX;
    }
    out->bytes = memory_resize(out->bytes, 1, sizeof *out->bytes + size);
    out->bytes->size = size;
    return 0;
}

static char *room_at(const struct output *out, size_t *room)
{
    *room = out->bytes->size - out->len;
    return out->bytes->data + out->len;
}

/* --- the codecs --- */

static int start_inflater(struct unpacker *u)
{
    if (u->has_inflater) {
        return inflateReset(&u->inflater);
    }
    u->has_inflater = inflateInit2(&u->inflater, GZIP_WINDOW) == Z_OK;
    return u->has_inflater ? Z_OK : Z_MEM_ERROR;
}

/* There may be several streams, one behind the other. */
static int unpack_gzip(struct unpacker *u, struct bytes packed, struct output *out,
                       struct error *err)
{
    z_stream *z = &u->inflater;
    int result = start_inflater(u);

    z->next_in = (const unsigned char *)packed.data;
    z->avail_in = (uInt)packed.len;
    while (result == Z_OK) {
        size_t room;

        TRY(grow(out, 1, err));
        z->next_out = (unsigned char *)room_at(out, &room);
        z->avail_out = (uInt)room;
        result = inflate(z, Z_NO_FLUSH);
        out->len += room - z->avail_out;
        if (result == Z_STREAM_END && z->avail_in > 0) {
            result = inflateReset(z);
        }
    }
    return result == Z_STREAM_END ? 0 : damaged(err, "holds no whole gzip data");
}

static int unpack_raw_snappy(struct bytes packed, struct output *out, struct error *err)
{
    size_t size = 0;
    size_t room;
    char *at;

    if (snappy_uncompressed_length(packed.data, packed.len, &size) != SNAPPY_OK ||
        size / SNAPPY_RATIO_MAX > packed.len) {
        return damaged(err, "holds no whole snappy data");
    }
    TRY(grow(out, size, err));
    at = room_at(out, &room);
    if (snappy_uncompress(packed.data, packed.len, at, &room) != SNAPPY_OK) {
        return damaged(err, "holds no whole snappy data");
    }
    out->len += room;
    return 0;
}

/* Java's clients write blocks, each with its length, behind a head of their own. */
static int unpack_snappy(struct bytes packed, struct output *out, struct error *err)
{
    static const struct bytes magic = BYTES("\x82SNAPPY\0");
    enum { HEAD_BYTES = 16, LENGTH_BYTES = 4 };
    size_t at = HEAD_BYTES;

    if (packed.len < HEAD_BYTES || !bytes_starts_with(packed, magic)) {
        return unpack_raw_snappy(packed, out, err);
    }
    while (at < packed.len) {
        size_t left = packed.len - at;
        size_t len = left < LENGTH_BYTES ? 0 : (uint32_t)batch_i32(packed.data + at);

        if (left < LENGTH_BYTES || len > left - LENGTH_BYTES) {
            return damaged(err, "holds no whole snappy data");
        }
        at += LENGTH_BYTES;
        TRY(unpack_raw_snappy((struct bytes){ packed.data + at, len }, out, err));
        at += len;
    }
    return 0;
}

static int unpack_lz4(struct unpacker *u, struct bytes packed, struct output *out,
                      struct error *err)
{
    size_t result = 1;

    if (!u->lz4 && LZ4F_isError(LZ4F_createDecompressionContext(&u->lz4, LZ4F_VERSION))) {
        memory_exhausted(sizeof *u);
    }
    LZ4F_resetDecompressionContext(u->lz4);
    do {
        size_t taken = packed.len;
        size_t room;
        char *at;

        TRY(grow(out, 1, err));
        at = room_at(out, &room);
        result = LZ4F_decompress(u->lz4, at, &room, packed.data, &taken, NULL);
        if (LZ4F_isError(result) || (result && !taken && !room)) {
            return damaged(err, "holds no whole LZ4 data");
        }
        out->len += room;
        packed = (struct bytes){ packed.data + taken, packed.len - taken };
    } while (result || packed.len);
    return 0;
}

static uint32_t rotate(uint32_t number, int bits)
{
    return number << bits | number >> (32 - bits);
}

/* xxHash, 32 bits, of less than 16 bytes: what LZ4 sums a frame's head with. */
static uint32_t xxhash_of_few(const char *at, size_t len)
{
    static const uint32_t primes[] = { 2654435761u, 2246822519u, 3266489917u, 668265263u,
                                       374761393u };
    uint32_t hash = primes[4] + (uint32_t)len;

    for (; len >= 4; at += 4, len -= 4) {
        hash += __builtin_bswap32((uint32_t)batch_i32(at)) * primes[2];
        hash = rotate(hash, 17) * primes[3];
    }
    for (; len > 0; at++, len--) {
        hash += (unsigned char)*at * primes[4];
        hash = rotate(hash, 11) * primes[0];
    }
    hash = (hash ^ hash >> 15) * primes[1];
    hash = (hash ^ hash >> 13) * primes[2];
    return hash ^ hash >> 16;
}

/* Clients of that time summed four bytes too many of the head (KAFKA-3160), which LZ4 refuses. */
static int unpack_first_lz4(struct unpacker *u, struct bytes packed, struct output *out,
                            struct error *err)
{
    enum { AT_FLAGS = 4, HAS_SIZE = 8, HAS_DICTIONARY = 1, FLAG_BYTES = 2 };
    int flags = packed.len > AT_FLAGS ? packed.data[AT_FLAGS] : 0;
    size_t len = FLAG_BYTES + (flags & HAS_SIZE ? 8u : 0u) + (flags & HAS_DICTIONARY ? 4u : 0u);
    char *mended;
    int code;

    if (packed.len <= AT_FLAGS + len) {
        return damaged(err, "holds no whole LZ4 data");
    }
    mended = memory_alloc(packed.len);
    memcpy(mended, packed.data, packed.len);
    mended[AT_FLAGS + len] = (char)(xxhash_of_few(mended + AT_FLAGS, len) >> 8);
    code = unpack_lz4(u, (struct bytes){ mended, packed.len }, out, err);
    free(mended);
    return code;
}

static int unpack_zstd(struct unpacker *u, struct bytes packed, struct output *out,
                       struct error *err)
{
    ZSTD_inBuffer in = { packed.data, packed.len, 0 };
    size_t result;

    if (!u->zstd) {
        u->zstd = ZSTD_createDCtx();
    }
    if (!u->zstd) {
        memory_exhausted(sizeof *u);
    }
    (void)ZSTD_DCtx_reset(u->zstd, ZSTD_reset_session_only); /* cannot fail */
    do {
        ZSTD_outBuffer into = { .pos = 0 };
        size_t taken = in.pos;

        TRY(grow(out, 1, err));
        into.dst = room_at(out, &into.size);
        result = ZSTD_decompressStream(u->zstd, &into, &in);
        if (ZSTD_isError(result) || (result && in.pos == taken && !into.pos)) {
            return damaged(err, "holds no whole zstd data");
        }
        out->len += into.pos;
    } while (result || in.pos < in.size);
    return 0;
}

static int unpack(struct unpacker *u, int codec, struct bytes packed, struct output *out,
                  struct error *err)
{
    switch (codec) {
    case CODEC_GZIP:
        return unpack_gzip(u, packed, out, err);
    case CODEC_SNAPPY:
        return unpack_snappy(packed, out, err);
    case CODEC_LZ4:
        return unpack_lz4(u, packed, out, err);
    case CODEC_FIRST_LZ4:
        return unpack_first_lz4(u, packed, out, err);
    case CODEC_ZSTD:
        return unpack_zstd(u, packed, out, err);
    default:
        return error_set(err, ERR_LOG_DAMAGED, NO_POSITION, "is compressed in an unknown way (%d)",
                         codec);
    }
}

int kafka_unpack(struct unpacker **unpacker, int codec, struct bytes packed,
                 struct fetched_bytes **out, struct error *err)
{
    size_t first = packed.len * UNPACKED_RATIO;
    struct output output = { 0 };
    int code;

    if (!packed.len) {
        return damaged(err, "holds nothing to unpack");
    }
    if (!*unpacker) {
        *unpacker = memory_zalloc(1, sizeof **unpacker);
    }
    first = first < UNPACKED_FIRST ? UNPACKED_FIRST : first;
    output.bytes = fetched_bytes_new(first < UNPACKED_MAX ? first : UNPACKED_MAX);
    code = unpack(*unpacker, codec, packed, &output, err);
    if (code) {
        fetched_bytes_unref(output.bytes);
        return code;
    }
    output.bytes = memory_resize(output.bytes, 1, sizeof *output.bytes + output.len);
    output.bytes->size = output.len;
    *out = output.bytes;
    return 0;
}
