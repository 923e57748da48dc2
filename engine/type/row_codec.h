/*
 * row_codec.h: rows as bytes, for stores, changelogs and repartition topics.
 *
 * An image is: version byte, shape id (varint), null bitmap, then the values of
 * the non-null columns. It is ours alone, never a user's topic. Equal rows of
 * one codec give equal bytes. Reading checks every length: a damaged image is
 * ERR_STATE_DAMAGED, never a crash. Images of an older version stay readable.
 */
#ifndef SLUICE_ENGINE_TYPE_ROW_CODEC_H
#define SLUICE_ENGINE_TYPE_ROW_CODEC_H

#include "engine/type/row_batch.h"

enum { ROW_CODEC_MAX_PREFIX = 6 };

struct row_codec {
    const struct sql_type *const *types;
    uint32_t column_count;
    uint32_t shape_id; /* which columns these are, within the query that wrote the image */
    uint32_t prefix_len;
    uint64_t room;                     /* bytes that suffice for a row, but for text and items */
    char prefix[ROW_CODEC_MAX_PREFIX]; /* version and shape id, as every image begins */
};

/* types is kept, not copied. */
void row_codec_init(struct row_codec *codec, struct arena *arena,
                    const struct sql_type *const *types, uint32_t column_count, uint32_t shape_id);
/* Appends the image of the row whose columns are at these operands. */
void row_codec_encode(const struct row_codec *codec, const struct row_banks *row,
                      const operand *columns, struct buffer *out);
/* The same for cells that lie side by side. */
void row_codec_encode_cells(const struct row_codec *codec, const struct value *cells,
                            struct buffer *out);
/*
 * Fills cells[column_count]; after an error they hold nothing of use. Text points into the image,
 * which must outlive the cells; items and wide decimals are made in the arena.
 */
int row_codec_decode(const struct row_codec *codec, struct bytes image, struct value *cells,
                     struct arena *arena, struct error *err);

/* Deep copy of a value so that it outlives its batch. */
struct value value_copy(const struct value *from, const struct sql_type *type, struct arena *arena);

#endif
