/*
 * coerce.c: what a value may become without being asked, in INSERT VALUES and in the keys
 * of pull queries (statements.md 6): wider numbers, and text where the column's type has
 * no literals of its own. Nothing is rounded and nothing cut.
 */
#include "engine/plan/plan_internal.h"
#include "engine/type/cast.h"
#include "engine/type/compare.h"
#include "engine/type/decimal.h"

static int refuse(const struct value *in, const struct sql_type *from, const struct sql_type *to,
                  struct error *err)
{
    struct buffer text = { 0 };
    int code;

    buffer_append_text(&text, "expected ");
    type_print(to, &text);
    buffer_append_text(&text, " but got ");
    type_print(from, &text);
    buffer_append_char(&text, ' ');
    cast_print(in, from, &text);
    code = error_set(err, ERR_INSERT_VALUE, NO_POSITION, "%.*s", (int)text.len, text.data);
    buffer_fini(&text);
    return code;
}

/* Place in INT < BIGINT < DECIMAL < DOUBLE; -1: no number. */
static int number_rank(const struct sql_type *type)
{
    static const enum type_id ranks[] = { T_INTEGER, T_BIGINT, T_DECIMAL, T_DOUBLE };

    for (int i = 0; i < (int)(sizeof ranks / sizeof ranks[0]); i++) {
        if (type->id == ranks[i]) {
            return i;
        }
    }
    return -1;
}

static int coerce_number(const struct value *in, const struct sql_type *from,
                         const struct sql_type *to, struct arena *arena, struct value *out,
                         struct error *err)
{
    struct decimal number;

    if (number_rank(to) < number_rank(from)) {
        return refuse(in, from, to, err);
    }
    if (to->id == T_BIGINT) {
        *out = value_i64(T_BIGINT, in->i64);
        return 0;
    }
    number = from->id == T_DECIMAL ? decimal_of_value(in, from) : (struct decimal){ in->i64, 0 };
    if (to->id == T_DOUBLE) {
        *out = value_f64(decimal_to_double(number));
        return 0;
    }
    if (decimal_fit(number, to, &number, NULL) != 0) {
        return refuse(in, from, to, err);
    }
    decimal_to_value(number, to, arena, out);
    return 0;
}

static int coerce_text(const struct value *in, const struct sql_type *from,
                       const struct sql_type *to, struct arena *arena, struct value *out,
                       struct error *err)
{
    bool takes_text =
        to->id == T_TIME || to->id == T_DATE || to->id == T_TIMESTAMP || to->id == T_BYTES;
    cast_function cast = takes_text ? cast_find(from, to) : NULL;

    if (!cast || cast(in, from, to, arena, out, NULL) != 0) {
        return refuse(in, from, to, err);
    }
    return 0;
}

static int coerce_array(const struct value *in, const struct sql_type *from,
                        const struct sql_type *to, struct arena *arena, struct value *out,
                        struct error *err)
{
    struct value *items = arena_array(arena, struct value, in->size);

    for (uint32_t i = 0; i < in->size; i++) {
        TRY(coerce_strictly(&in->items[i], from->element, to->element, arena, &items[i], err));
    }
    *out = *in;
    out->items = items;
    return 0;
}

static int coerce_map(const struct value *in, const struct sql_type *from,
                      const struct sql_type *to, struct arena *arena, struct value *out,
                      struct error *err)
{
    struct map_pair *pairs = arena_array(arena, struct map_pair, in->size);

    for (uint32_t i = 0; i < in->size; i++) {
        TRY(coerce_strictly(&in->pairs[i].key, from->key, to->key, arena, &pairs[i].key, err));
        TRY(coerce_strictly(&in->pairs[i].value, from->element, to->element, arena, &pairs[i].value,
                            err));
    }
    *out = *in;
    out->pairs = pairs;
    return 0;
}

/* Fields by name: missing ones are null, others are left out. */
static int coerce_struct(const struct value *in, const struct sql_type *from,
                         const struct sql_type *to, struct arena *arena, struct value *out,
                         struct error *err)
{
    struct value *items = arena_array(arena, struct value, to->field_count);

    for (uint32_t i = 0; i < to->field_count; i++) {
        uint32_t at = type_find_field(from, to->fields[i].name);

        if (at < from->field_count) {
            TRY(coerce_strictly(&in->items[at], from->fields[at].type, to->fields[i].type, arena,
                                &items[i], err));
        }
    }
    *out = (struct value){ .kind = T_STRUCT, .size = to->field_count, .items = items };
    return 0;
}

/* Recursion is as deep as the types, which the parser limits. */
int coerce_strictly(const struct value *in, const struct sql_type *from, const struct sql_type *to,
                    struct arena *arena, struct value *out, struct error *err)
{
    if (value_is_null(in)) {
        *out = value_null();
        return 0;
    }
    if (!from || type_equal(from, to)) {
        *out = *in;
        return 0;
    }
    if (number_rank(from) >= 0 && number_rank(to) >= 0) {
        return coerce_number(in, from, to, arena, out, err);
    }
    if (from->id == T_STRING) {
        return coerce_text(in, from, to, arena, out, err);
    }
    if (from->id == T_ARRAY && to->id == T_ARRAY) {
        return coerce_array(in, from, to, arena, out, err);
    }
    if (from->id == T_MAP && to->id == T_MAP) {
        return coerce_map(in, from, to, arena, out, err);
    }
    if (from->id == T_STRUCT && to->id == T_STRUCT) {
        return coerce_struct(in, from, to, arena, out, err);
    }
    return refuse(in, from, to, err);
}
