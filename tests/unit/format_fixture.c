/*
 * format_fixture.c: one side of a source in a format, for tests.
 */
#include "tests/unit/format_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

void fixture_init(struct fixture *f, const char *format)
{
    memset(f, 0, sizeof *f);
    f->kind = format_find(bytes_of(format));
    f->side = SIDE_VALUE;
    arena_init(&f->arena, 0);
    assert_non_null(f->kind);
}

void fixture_fini(struct fixture *f)
{
    arena_fini(&f->arena);
}

void fixture_column(struct fixture *f, const char *name, const struct sql_type *type)
{
    uint32_t i = f->column_count++;

    assert_true(i < FIXTURE_MAX_COLUMNS);
    f->columns[i].name = bytes_of(name);
    f->columns[i].type = type;
    f->columns[i].role = f->side == SIDE_KEY ? COLUMN_KEY : COLUMN_VALUE;
    f->at[i] = operand_make(BANK_CELLS, i);
}

static struct writing write_as(struct fixture *f, const struct format_kind *kind,
                               struct format_options options, enum format_side side,
                               const struct value *cells)
{
    struct encoder_spec spec = { side, f->columns, f->column_count, f->at, options };
    struct row_banks row = { { cells, NULL, NULL, NULL } };
    struct writing result = { 0 };
    struct buffer out = { 0 };
    struct encoder e;
    struct error err = { 0 };

    buffer_append_char(&out, '>'); /* encoders append */
    assert_int_equal(encoder_open(&e, kind, &spec, &err), 0);
    assert_int_equal(kind->encode_row(&e, &row, &out, &result.is_null, &err), 0);
    assert_int_equal(out.data[0], '>');
    result.len = out.len - 1;
    buffer_append_char(&out, '\0');
    result.text = arena_copy_text(&f->arena, (struct bytes){ out.data + 1, result.len });
    encoder_close(&e);
    buffer_fini(&out);
    return result;
}

struct writing fixture_write(struct fixture *f, const struct value *cells)
{
    return write_as(f, f->kind, f->options, f->side, cells);
}

static struct reading decode(struct fixture *f, struct decoder *d, struct bytes in)
{
    struct error err = { 0 };
    struct reading result = { 0 };
    struct value *cells = arena_array(&f->arena, struct value, f->column_count);

    for (uint32_t i = 0; i < f->column_count; i++) {
        cells[i] = text_value("left over");
    }
    result.code = f->kind->decode_row(d, in, cells, &result.is_null, &f->arena, &err);
    result.cells = cells;
    result.message = arena_copy_text(&f->arena, bytes_of(err.message));
    if (result.code) {
        assert_int_equal(result.code, err.code);
        assert_true(err.message[0] != '\0');
    } else {
        const struct format_options no_options = { .unwrapped = false };
        const struct format_kind *json = format_find(bytes_of("JSON"));

        result.json = write_as(f, json, no_options, SIDE_VALUE, cells).text;
    }
    return result;
}

static void must_agree(const struct reading *a, const struct reading *b)
{
    assert_int_equal(a->code, b->code);
    assert_int_equal(a->is_null, b->is_null);
    if (a->code) {
        assert_string_equal(a->message, b->message);
    } else {
        assert_string_equal(a->json, b->json);
    }
}

/* Without wanted columns the verdict is the same and every cell is null. */
static void check_unwanted(struct fixture *f, struct decoder_spec spec, struct bytes in,
                           const struct reading *wanted)
{
    static const bool none[FIXTURE_MAX_COLUMNS] = { false };
    struct reading unwanted;
    struct decoder d;
    struct error err;

    spec.wanted = none;
    assert_int_equal(decoder_open(&d, f->kind, &spec, &err), 0);
    unwanted = decode(f, &d, in);
    assert_int_equal(unwanted.code, wanted->code);
    for (uint32_t i = 0; !unwanted.code && !unwanted.is_null && i < f->column_count; i++) {
        assert_true(value_is_null(&unwanted.cells[i]));
    }
    decoder_close(&d);
}

struct reading fixture_read_bytes(struct fixture *f, struct bytes in)
{
    struct decoder_spec spec = { f->side, f->columns, f->column_count, NULL, f->options };
    char *copy = malloc(in.len ? in.len : 1);
    struct bytes exact = { copy, in.len };
    struct reading first;
    struct reading second;
    struct decoder d;
    struct error err;

    assert_non_null(copy);
    memcpy(copy, in.data, in.len);
    assert_int_equal(decoder_open(&d, f->kind, &spec, &err), 0);
    first = decode(f, &d, exact);
    second = decode(f, &d, exact);
    must_agree(&first, &second);
    decoder_close(&d);
    check_unwanted(f, spec, exact, &first);
    /* The cells may point into the input: read them again from memory that stays. */
    assert_int_equal(decoder_open(&d, f->kind, &spec, &err), 0);
    first = decode(f, &d, arena_copy(&f->arena, in));
    must_agree(&first, &second);
    decoder_close(&d);
    free(copy);
    return first;
}

struct reading fixture_read(struct fixture *f, const char *text)
{
    return fixture_read_bytes(f, bytes_of(text));
}

const struct sql_type *fixture_array(struct fixture *f, const struct sql_type *element)
{
    return type_array(&f->arena, element);
}

const struct sql_type *fixture_map(struct fixture *f, const struct sql_type *element)
{
    return type_map(&f->arena, type_scalar(T_STRING), element);
}

const struct sql_type *fixture_struct(struct fixture *f, const struct sql_type *first,
                                      const struct sql_type *second)
{
    struct sql_field fields[2] = { { BYTES("F"), first }, { BYTES("G"), second } };

    return type_struct(&f->arena, fields, second ? 2 : 1);
}

const struct sql_type *fixture_decimal(struct fixture *f, uint32_t precision, uint32_t scale)
{
    return type_decimal(&f->arena, precision, scale);
}

struct value text_value(const char *text)
{
    return value_text(T_STRING, bytes_of(text));
}

uint32_t fixture_random(uint32_t *seed, uint32_t below)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (*seed >> 8) % below;
}
