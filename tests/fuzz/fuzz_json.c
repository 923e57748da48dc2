/*
 * fuzz_json.c: any bytes as a JSON row: an error, or a row that survives being
 * written and read again. What a decoder has learned must not change what it reads.
 * The first byte chooses between an object and one of the columns bare.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "engine/format/format.h"
#include "tests/fuzz/fuzz.h"

enum { COLUMN_COUNT = 12 };

struct target {
    struct arena arena;
    struct column columns[COLUMN_COUNT];
    operand at[COLUMN_COUNT];
    uint32_t first; /* of the columns in use */
    uint32_t count;
    struct format_options options;
};

static void set_column(struct target *t, uint32_t i, const char *name, const struct sql_type *type)
{
    t->columns[i].name = bytes_of(name);
    t->columns[i].type = type;
    t->columns[i].role = COLUMN_VALUE;
    t->at[i] = operand_make(BANK_CELLS, i);
}

static void make_columns(struct target *t)
{
    const struct sql_type *text = type_scalar(T_STRING);
    const struct sql_type *map = type_map(&t->arena, text, type_scalar(T_INTEGER));
    struct sql_field fields[] = { { BYTES("F"), type_scalar(T_INTEGER) },
                                  { BYTES("f2"), map },
                                  { BYTES("G"), text } };

    set_column(t, 0, "S", text);
    set_column(t, 1, "I", type_scalar(T_INTEGER));
    set_column(t, 2, "L", type_scalar(T_BIGINT));
    set_column(t, 3, "D", type_scalar(T_DOUBLE));
    set_column(t, 4, "B", type_scalar(T_BOOLEAN));
    set_column(t, 5, "DEC", type_decimal(&t->arena, 10, 4));
    set_column(t, 6, "Wide", type_decimal(&t->arena, 38, 10));
    set_column(t, 7, "BY", type_scalar(T_BYTES));
    set_column(t, 8, "T", type_scalar(T_TIME));
    set_column(t, 9, "ST", type_struct(&t->arena, fields, 3));
    set_column(t, 10, "A", type_array(&t->arena, type_array(&t->arena, text)));
    set_column(t, 11, "M", map);
}

static int decode(struct target *t, struct decoder *d, struct bytes in, struct value *cells,
                  bool *is_null)
{
    struct error err = { 0 };
    int code = d->kind->decode_row(d, in, cells, is_null, &t->arena, &err);

    assert(code == 0 || code == ERR_DECODE || code == ERR_COERCE);
    assert(code == (int)err.code);
    for (uint32_t i = 0; code == 0 && i < t->count; i++) {
        if (cells[i].kind == T_DOUBLE && cells[i].f64 == 0) {
            cells[i].f64 = 0; /* the text "-0" is a negative zero, the number -0.0 is none */
        }
    }
    return code;
}

static void encode(struct target *t, const struct value *cells, struct buffer *out)
{
    struct encoder_spec spec = { SIDE_VALUE, t->columns + t->first, t->count, t->at, t->options };
    struct row_banks row = { { cells, NULL, NULL, NULL } };
    struct encoder e;
    struct error err;
    bool is_null = false;
    int code = encoder_open(&e, format_find(bytes_of("JSON")), &spec, &err);

    assert(code == 0);
    code = e.kind->encode_row(&e, &row, out, &is_null, &err);
    assert(code == 0);
    assert(!is_null || t->options.unwrapped);
    encoder_close(&e);
}

static void run(struct target *t, struct bytes in)
{
    struct decoder_spec spec = { SIDE_VALUE, t->columns + t->first, t->count, NULL, t->options };
    struct value cells[COLUMN_COUNT];
    struct buffer first = { 0 };
    struct buffer second = { 0 };
    struct decoder d;
    struct error err;
    bool is_null = false;
    int code = decoder_open(&d, format_find(bytes_of("JSON")), &spec, &err);

    assert(code == 0);
    code = decode(t, &d, in, cells, &is_null);
    if (code == 0) {
        encode(t, cells, &first);
    }
    assert(decode(t, &d, in, cells, &is_null) == code);
    if (code == 0) {
        encode(t, cells, &second);
        assert(bytes_equal(buffer_bytes(&first), buffer_bytes(&second)));
    }
    if (code == 0 && first.len > 0) {
        second.len = 0;
        code = decode(t, &d, buffer_bytes(&first), cells, &is_null);
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
    struct target t = { .count = COLUMN_COUNT };
    char *exact;

    if (size == 0) {
        return 0;
    }
    arena_init(&t.arena, 0);
    make_columns(&t);
    t.options.unwrapped = data[0] >= 'a' && data[0] < 'a' + COLUMN_COUNT;
    if (t.options.unwrapped) {
        t.first = data[0] - (uint32_t)'a';
        t.count = 1;
    }
    exact = malloc(size);
    assert(exact);
    memcpy(exact, data + 1, size - 1);
    run(&t, (struct bytes){ exact, size - 1 });
    free(exact);
    arena_fini(&t.arena);
    return 0;
}
