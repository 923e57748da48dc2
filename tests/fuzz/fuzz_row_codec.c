/*
 * fuzz_row_codec.c: any bytes are a row or an error; a row reads the same once written again.
 */
#include <assert.h>

#include "engine/type/row_codec.h"
#include "tests/fuzz/fuzz.h"

enum { COLUMNS = 10 };

static void make_types(struct arena *arena, const struct sql_type *types[COLUMNS])
{
    struct sql_field fields[] = {
        { BYTES("A"), type_scalar(T_BOOLEAN) },
        { BYTES("B"), type_array(arena, type_decimal(arena, 38, 9)) },
    };
    const struct sql_type *record = type_struct(arena, fields, 2);

    types[0] = type_scalar(T_STRING);
    types[1] = type_scalar(T_BIGINT);
    types[2] = type_scalar(T_DOUBLE);
    types[3] = type_scalar(T_INTEGER);
    types[4] = type_decimal(arena, 10, 2);
    types[5] = type_array(arena, type_array(arena, type_scalar(T_BYTES)));
    types[6] = type_map(arena, type_scalar(T_STRING), record);
    types[7] = record;
    types[8] = type_array(arena, type_struct(arena, NULL, 0));
    types[9] = type_scalar(T_TIME);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct sql_type *types[COLUMNS];
    struct value cells[COLUMNS];
    struct bytes image = { (const char *)data, size };
    struct buffer first = { 0 };
    struct buffer second = { 0 };
    struct row_codec codec;
    struct arena arena;

    arena_init(&arena, 0);
    make_types(&arena, types);
    row_codec_init(&codec, &arena, types, COLUMNS, 1);
    if (size > 0 && row_codec_decode(&codec, image, cells, &arena, NULL) == 0) {
        row_codec_encode_cells(&codec, cells, &first);
        assert(row_codec_decode(&codec, buffer_bytes(&first), cells, &arena, NULL) == 0);
        row_codec_encode_cells(&codec, cells, &second);
        assert(bytes_equal(buffer_bytes(&first), buffer_bytes(&second)));
    }
    buffer_fini(&first);
    buffer_fini(&second);
    arena_fini(&arena);
    return 0;
}
