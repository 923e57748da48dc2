/*
 * cast_unify.c: which types widen to which without being asked.
 */
#include "engine/type/cast.h"

static const struct sql_field *find_field(const struct sql_type *type, struct bytes name)
{
    for (uint32_t i = 0; i < type->field_count; i++) {
        if (bytes_equal(type->fields[i].name, name)) {
            return &type->fields[i];
        }
    }
    return NULL;
}

/* What a number counts as beside decimals; DOUBLE is wider than all of them. */
static struct sql_type as_decimal(const struct sql_type *type)
{
    struct sql_type number = *type;

    if (type->id == T_INTEGER || type->id == T_BIGINT) {
        number.precision = type->id == T_INTEGER ? 10 : 19;
        number.scale = 0;
    }
    return number;
}

static uint32_t larger(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

static const struct sql_type *wider_number(struct arena *arena, const struct sql_type *a,
                                           const struct sql_type *b)
{
    struct sql_type left = as_decimal(a);
    struct sql_type right = as_decimal(b);
    uint32_t whole = larger(left.precision - left.scale, right.precision - right.scale);
    uint32_t scale = larger(left.scale, right.scale);

    if (a->id == T_DOUBLE || b->id == T_DOUBLE) {
        return type_scalar(T_DOUBLE);
    }
    if (a->id == T_DECIMAL || b->id == T_DECIMAL) {
        return type_decimal(arena, whole + scale, scale);
    }
    return type_scalar(a->id == T_BIGINT || b->id == T_BIGINT ? T_BIGINT : T_INTEGER);
}

static bool text_becomes(enum type_id id)
{
    return type_is_temporal(id) || id == T_BYTES;
}

static bool number_is_implicit(const struct sql_type *from, const struct sql_type *to)
{
    struct sql_type left = as_decimal(from);
    struct sql_type right = as_decimal(to);

    if (to->id != T_DECIMAL || from->id == T_DOUBLE) {
        return to->id == T_DOUBLE || (from->id == T_INTEGER && to->id == T_BIGINT);
    }
    return left.scale <= right.scale &&
           left.precision - left.scale <= right.precision - right.scale;
}

static bool struct_is_implicit(const struct sql_type *from, const struct sql_type *to)
{
    for (uint32_t i = 0; i < from->field_count; i++) {
        const struct sql_field *field = find_field(to, from->fields[i].name);

        if (!field || !cast_is_implicit(from->fields[i].type, field->type)) {
            return false; /* a field that is dropped must be asked for */
        }
    }
    return true;
}

bool cast_is_implicit(const struct sql_type *from, const struct sql_type *to)
{
    if (from->id == T_NULL || type_equal(from, to)) {
        return true;
    }
    if (type_is_number(from->id) && type_is_number(to->id)) {
        return number_is_implicit(from, to);
    }
    if (from->id == T_STRING) {
        return text_becomes(to->id);
    }
    if (from->id != to->id) {
        return false;
    }
    if (from->id == T_STRUCT) {
        return struct_is_implicit(from, to);
    }
    return (from->id == T_ARRAY || from->id == T_MAP) &&
           cast_is_implicit(from->element, to->element) &&
           (from->id == T_ARRAY || cast_is_implicit(from->key, to->key));
}

/* All fields of both: those of the first in their order, then what only the second has. */
static const struct sql_type *unify_structs(struct arena *arena, const struct sql_type *target,
                                            const struct sql_type *next)
{
    uint32_t count = 0;
    struct sql_field *fields =
        arena_array(arena, struct sql_field, (size_t)target->field_count + next->field_count);

    for (; count < target->field_count; count++) {
        const struct sql_field *other = find_field(next, target->fields[count].name);

        fields[count] = target->fields[count];
        if (other) {
            fields[count].type = cast_unify(arena, fields[count].type, other->type);
        }
        if (!fields[count].type) {
            return NULL;
        }
    }
    for (uint32_t i = 0; i < next->field_count; i++) {
        if (!find_field(target, next->fields[i].name)) {
            fields[count++] = next->fields[i];
        }
    }
    return type_struct(arena, fields, count);
}

static const struct sql_type *unify_elements(struct arena *arena, const struct sql_type *target,
                                             const struct sql_type *next)
{
    const struct sql_type *element = cast_unify(arena, target->element, next->element);
    const struct sql_type *key;

    if (!element) {
        return NULL;
    }
    if (target->id == T_ARRAY) {
        return type_array(arena, element);
    }
    key = cast_unify(arena, target->key, next->key);
    return key ? type_map(arena, key, element) : NULL;
}

const struct sql_type *cast_unify(struct arena *arena, const struct sql_type *target,
                                  const struct sql_type *next)
{
    if (target->id == T_NULL) {
        return next;
    }
    if (next->id == T_NULL || type_equal(target, next)) {
        return target;
    }
    if (type_is_number(target->id) && type_is_number(next->id)) {
        return wider_number(arena, target, next);
    }
    if (next->id == T_STRING && text_becomes(target->id)) {
        return target;
    }
    if (target->id != next->id || target->id < T_ARRAY) {
        return NULL;
    }
    return target->id == T_STRUCT ? unify_structs(arena, target, next)
                                  : unify_elements(arena, target, next);
}
