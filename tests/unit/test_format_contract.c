/*
 * test_format_contract.c: what every format of the list must do.
 *
 * Random columns are offered to each; those it takes must survive a round trip,
 * those it refuses must be refused with a reason, and damaged bytes are an error of
 * the record or another row, never more.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/format/format.h"
#include "engine/type/compare.h"
#include "tests/unit/type_random.h"

enum { COLUMN_MAX = 6, TRIAL_COUNT = 400, ROW_COUNT = 8, DAMAGE_COUNT = 24 };

struct trial {
    const struct format_kind *kind;
    enum format_side side;
    struct format_options options;
    struct column columns[COLUMN_MAX];
    operand at[COLUMN_MAX];
    uint32_t column_count;
    struct value cells[COLUMN_MAX];
    struct arena arena;
    struct decoder decoder;
    struct encoder encoder;
};

static void choose_columns(struct trial *t, uint64_t *seed)
{
    static const char *const names[] = { "ID", "a name", "Mixed", "Q\"U", "\xc3\x89", "F" };
    static const char *const delimiters[] = { ",", "TAB", "SPACE", "|", "\xe2\x82\xac", "5" };
    struct error err;

    memset(&t->options, 0, sizeof t->options);
    t->side = random_below(seed, 2) ? SIDE_VALUE : SIDE_KEY;
    t->options.unwrapped = random_below(seed, 2) != 0;
    if (t->kind->features & FORMAT_TAKES_DELIMITER) {
        assert_int_equal(
            format_parse_delimiter(bytes_of(delimiters[random_below(seed, 6)]), &t->options, &err),
            0);
    }
    t->column_count = (uint32_t)random_below(seed, COLUMN_MAX + 1);
    for (uint32_t i = 0; i < t->column_count; i++) {
        t->columns[i] = (struct column){ .name = bytes_of(names[i]),
                                         .type = random_type(seed, &t->arena, 2),
                                         .role = t->side == SIDE_KEY ? COLUMN_KEY : COLUMN_VALUE };
        t->at[i] = operand_make(BANK_CELLS, i);
    }
}

static bool has_map_column(const struct trial *t)
{
    for (uint32_t i = 0; i < t->column_count; i++) {
        if (type_has_map(t->columns[i].type)) {
            return true;
        }
    }
    return false;
}

/* True when the format takes the columns; both are open then. */
static bool open_trial(struct trial *t)
{
    struct decoder_spec reading = { t->side, t->columns, t->column_count, NULL, t->options };
    struct encoder_spec writing = { t->side, t->columns, t->column_count, t->at, t->options };
    struct error err = { 0 };
    int code = decoder_open(&t->decoder, t->kind, &reading, &err);

    if (code) {
        assert_true(code == ERR_FORMAT_SCHEMA ||
                    (code == ERR_INVALID_KEY && t->side == SIDE_KEY && has_map_column(t)));
        assert_int_equal(err.code, code);
        assert_true(code == ERR_INVALID_KEY || strstr(err.message, t->kind->name));
        assert_int_equal(encoder_open(&t->encoder, t->kind, &writing, &err), code);
        decoder_close(&t->decoder);
        encoder_close(&t->encoder);
        return false;
    }
    assert_int_equal(encoder_open(&t->encoder, t->kind, &writing, &err), 0);
    return true;
}

/*
 * What no format need keep apart: -0.0 and 0.0, a null map key and "null". CSV has one
 * form for null and the empty text besides.
 */
static struct value normal_form(struct trial *t, const struct value *v, const struct sql_type *type,
                                bool top)
{
    struct value out = *v;

    if (value_is_null(v)) {
        return out;
    }
    if (type->id == T_DOUBLE && v->f64 == 0) {
        out.f64 = 0;
    }
    if (top && (t->kind->features & FORMAT_TAKES_DELIMITER) && v->size == 0 &&
        (type->id == T_STRING || type->id == T_BYTES)) {
        return value_null();
    }
    if (type->id == T_ARRAY || type->id == T_STRUCT) {
        struct value *items = arena_array(&t->arena, struct value, v->size + 1);

        for (uint32_t i = 0; i < v->size; i++) {
            const struct sql_type *item = type->element ? type->element : type->fields[i].type;

            items[i] = normal_form(t, &v->items[i], item, false);
        }
        out.items = items;
    }
    if (type->id == T_MAP) {
        struct map_pair *pairs = arena_array(&t->arena, struct map_pair, v->size + 1);

        for (uint32_t i = 0; i < v->size; i++) {
            pairs[i].key = v->pairs[i].key;
            if (value_is_null(&pairs[i].key)) {
                pairs[i].key = value_text(T_STRING, bytes_of("null"));
            }
            pairs[i].value = normal_form(t, &v->pairs[i].value, type->element, false);
        }
        out.pairs = pairs;
    }
    return out;
}

static bool row_is_empty(const struct trial *t)
{
    for (uint32_t i = 0; i < t->column_count; i++) {
        if (!value_is_null(&t->cells[i])) {
            return false;
        }
    }
    return true;
}

static int decode(struct trial *t, struct bytes in, struct value *cells, bool *is_null)
{
    struct error err = { 0 };
    int code;

    *is_null = false;
    code = t->kind->decode_row(&t->decoder, in, cells, is_null, &t->arena, &err);
    assert_true(code == 0 || (err.code == (enum error_code)code && err.message[0]));
    return code;
}

static void must_come_back(struct trial *t, struct bytes in)
{
    struct value cells[COLUMN_MAX];
    bool is_null;

    assert_int_equal(decode(t, in, cells, &is_null), 0);
    assert_false(is_null);
    for (uint32_t i = 0; i < t->column_count; i++) {
        const struct sql_type *type = t->columns[i].type;
        struct value want = normal_form(t, &t->cells[i], type, true);
        struct value have = normal_form(t, &cells[i], type, true);

        assert_true(value_is_null(&want) == value_is_null(&have));
        assert_true(value_is_null(&want) || compare_equal(&want, &have, type));
    }
}

static void must_survive(struct trial *t, struct bytes damaged)
{
    struct value cells[COLUMN_MAX];
    char *exact = malloc(damaged.len ? damaged.len : 1);
    bool is_null;
    int code;

    assert_non_null(exact);
    memcpy(exact, damaged.data, damaged.len);
    code = decode(t, (struct bytes){ exact, damaged.len }, cells, &is_null);
    assert_true(code == 0 || code == ERR_DECODE || code == ERR_COERCE);
    free(exact);
}

static void damage(struct trial *t, struct bytes in, uint64_t *seed)
{
    char *copy = arena_alloc_text(&t->arena, in.len + 1);

    for (int i = 0; i < DAMAGE_COUNT && in.len > 0; i++) {
        size_t place = (size_t)random_below(seed, in.len);

        must_survive(t, (struct bytes){ in.data, place });
        memcpy(copy, in.data, in.len);
        copy[place] = (char)(copy[place] ^ (char)(1u << random_below(seed, 8)));
        must_survive(t, (struct bytes){ copy, in.len });
    }
}

static void check_row(struct trial *t, uint64_t *seed)
{
    struct row_banks row = { { t->cells, NULL, NULL, NULL } };
    struct buffer out = { 0 };
    struct error err = { 0 };
    bool is_null = false;
    char *exact;

    for (uint32_t i = 0; i < t->column_count; i++) {
        t->cells[i] = random_value(seed, &t->arena, t->columns[i].type);
    }
    assert_int_equal(t->kind->encode_row(&t->encoder, &row, &out, &is_null, &err), 0);
    if (is_null) {
        assert_true(row_is_empty(t) && t->column_count <= 1);
        assert_int_equal(out.len, 0);
    } else if (out.len > 0 || !row_is_empty(t)) { /* else a null that CSV cannot write */
        exact = malloc(out.len + 1);
        assert_non_null(exact);
        if (out.len > 0) {
            memcpy(exact, out.data, out.len);
        }
        must_come_back(t, (struct bytes){ exact, out.len });
        damage(t, (struct bytes){ exact, out.len }, seed);
        must_come_back(t, (struct bytes){ exact, out.len });
        free(exact);
    }
    buffer_fini(&out);
}

static void check_format(const struct format_kind *kind)
{
    struct trial t = { .kind = kind };
    uint64_t seed = 7;
    int taken = 0;
    int refused = 0;

    arena_init(&t.arena, 0);
    for (int trial = 0; trial < TRIAL_COUNT; trial++) {
        choose_columns(&t, &seed);
        if (!open_trial(&t)) {
            refused++;
            continue;
        }
        taken++;
        for (int row = 0; row < ROW_COUNT; row++) {
            check_row(&t, &seed);
        }
        decoder_close(&t.decoder);
        encoder_close(&t.encoder);
        arena_reset(&t.arena);
    }
    arena_fini(&t.arena);
    assert_true(taken > 10);
    assert_true(refused > 10);
}

static void rows_survive_and_damage_is_an_error_of_the_record(void **state)
{
    for (size_t i = 0; all_formats[i]; i++) {
        check_format(all_formats[i]);
    }
}

static void formats_are_found_in_any_case(void **state)
{
    assert_ptr_equal(format_find(bytes_of("json")), format_find(bytes_of("JSON")));
    assert_string_equal(format_find(bytes_of("Delimited"))->name, "DELIMITED");
    assert_null(format_find(bytes_of("FOO")));
    assert_null(format_find(bytes_of("")));
    for (size_t i = 0; all_formats[i]; i++) {
        assert_ptr_equal(format_find(bytes_of(all_formats[i]->name)), all_formats[i]);
    }
}

static int choose(const char *format, uint32_t columns, enum wrap_choice wanted,
                  enum wrap_choice usual, bool *unwrapped)
{
    struct error err;

    return format_choose_wrapping(format_find(bytes_of(format)), columns, wanted, usual, unwrapped,
                                  &err);
}

static void single_columns_are_wrapped_unless_told_or_impossible(void **state)
{
    bool bare = true;

    assert_int_equal(choose("JSON", 1, WRAP_UNSET, WRAP_UNSET, &bare), 0);
    assert_false(bare);
    assert_int_equal(choose("JSON", 1, WRAP_FALSE, WRAP_TRUE, &bare), 0);
    assert_true(bare);
    assert_int_equal(choose("JSON", 1, WRAP_TRUE, WRAP_FALSE, &bare), 0);
    assert_false(bare);
    assert_int_equal(choose("JSON", 1, WRAP_UNSET, WRAP_FALSE, &bare), 0);
    assert_true(bare);
    assert_int_equal(choose("JSON", 2, WRAP_UNSET, WRAP_FALSE, &bare), 0);
    assert_false(bare);
    assert_int_equal(choose("JSON", 2, WRAP_TRUE, WRAP_UNSET, &bare), ERR_INVALID_PROPERTY);
    assert_int_equal(choose("KAFKA", 1, WRAP_UNSET, WRAP_TRUE, &bare), 0);
    assert_true(bare);
    assert_int_equal(choose("DELIMITED", 1, WRAP_TRUE, WRAP_UNSET, &bare), ERR_INVALID_PROPERTY);
    assert_int_equal(choose("NONE", 0, WRAP_UNSET, WRAP_UNSET, &bare), 0);
    assert_false(bare);
}

static void single_key_columns_are_bare_where_the_format_can(void **state)
{
    assert_true(format_key_is_bare(format_find(bytes_of("JSON")), 1));
    assert_false(format_key_is_bare(format_find(bytes_of("JSON")), 2));
    assert_true(format_key_is_bare(format_find(bytes_of("KAFKA")), 1));
    assert_false(format_key_is_bare(format_find(bytes_of("NONE")), 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_survive_and_damage_is_an_error_of_the_record),
        cmocka_unit_test(formats_are_found_in_any_case),
        cmocka_unit_test(single_columns_are_wrapped_unless_told_or_impossible),
        cmocka_unit_test(single_key_columns_are_bare_where_the_format_can),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
