/*
 * fuzz_delimited.c: any bytes as a row of CSV: an error, or a row that survives
 * being written and read again. The first byte is the delimiter, where it can be.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "engine/format/format.h"
#include "tests/fuzz/fuzz.h"

enum { COLUMN_COUNT = 4 };

struct target {
    struct arena arena;
    struct column columns[COLUMN_COUNT];
    operand at[COLUMN_COUNT];
    struct format_options options;
};

static void make_columns(struct target *t)
{
    static const char *const names[COLUMN_COUNT] = { "S", "D", "DEC", "BY" };
    const struct sql_type *types[COLUMN_COUNT] = { type_scalar(T_STRING), type_scalar(T_DOUBLE),
                                                   type_decimal(&t->arena, 12, 3),
                                                   type_scalar(T_BYTES) };

    for (uint32_t i = 0; i < COLUMN_COUNT; i++) {
        t->columns[i].name = bytes_of(names[i]);
        t->columns[i].type = types[i];
        t->columns[i].role = COLUMN_VALUE;
        t->at[i] = operand_make(BANK_CELLS, i);
    }
}

static int decode(struct target *t, struct decoder *d, struct bytes in, struct value *cells)
{
    struct error err = { 0 };
    bool is_null = false;
    int code = d->kind->decode_row(d, in, cells, &is_null, &t->arena, &err);

    assert(code == 0 || code == ERR_DECODE || code == ERR_COERCE);
    assert(code == (int)err.code && !is_null);
    return code;
}

static void encode(struct target *t, const struct value *cells, struct buffer *out)
{
    struct encoder_spec spec = { SIDE_VALUE, t->columns, COLUMN_COUNT, t->at, t->options };
    struct row_banks row = { { cells, NULL, NULL, NULL } };
    struct encoder e;
    struct error err;
    bool is_null = false;
    int code = encoder_open(&e, format_find(bytes_of("DELIMITED")), &spec, &err);

    assert(code == 0);
    code = e.kind->encode_row(&e, &row, out, &is_null, &err);
    assert(code == 0 && !is_null);
    encoder_close(&e);
}

static void run(struct target *t, struct bytes in)
{
    struct decoder_spec spec = { SIDE_VALUE, t->columns, COLUMN_COUNT, NULL, t->options };
    struct value cells[COLUMN_COUNT];
    struct buffer first = { 0 };
    struct buffer second = { 0 };
    struct decoder d;
    struct error err;
    int code = decoder_open(&d, format_find(bytes_of("DELIMITED")), &spec, &err);

    assert(code == 0);
    if (decode(t, &d, in, cells) == 0) {
        encode(t, cells, &first);
        code = decode(t, &d, buffer_bytes(&first), cells);
        assert(code == 0);
        encode(t, cells, &second);
        assert(bytes_equal(buffer_bytes(&first), buffer_bytes(&second)));
    }
    decoder_close(&d);
    buffer_fini(&first);
    buffer_fini(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct target t = { .options = { .unwrapped = false } };
    char *exact;

    if (size == 0) {
        return 0;
    }
    arena_init(&t.arena, 0);
    make_columns(&t);
    (void)format_parse_delimiter((struct bytes){ (const char *)data, 1 }, &t.options, NULL);
    exact = malloc(size);
    assert(exact);
    memcpy(exact, data + 1, size - 1);
    run(&t, (struct bytes){ exact, size - 1 });
    free(exact);
    arena_fini(&t.arena);
    return 0;
}
