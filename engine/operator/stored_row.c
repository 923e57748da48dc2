/*
 * stored_row.c: an image is copied once, whole, where a value of it would point into it.
 */
#include "engine/operator/stored_row.h"

static bool is_flat(const struct sql_type *type)
{
    return type->id == T_BOOLEAN || type_is_number(type->id) || type_is_temporal(type->id);
}

void stored_row_init(struct stored_row *row, const struct row_codec *codec)
{
    row->codec = codec;
    row->is_flat = true;
    for (uint32_t i = 0; i < codec->column_count; i++) {
        row->is_flat = row->is_flat && is_flat(codec->types[i]);
    }
}

int stored_row_decode(const struct stored_row *row, struct bytes image, struct value *cells,
                      struct arena *arena, struct error *err)
{
    if (!row->is_flat) {
        image = arena_copy(arena, image);
    }
    return row_codec_decode(row->codec, image, cells, arena, err);
}
