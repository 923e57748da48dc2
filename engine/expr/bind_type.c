/*
 * bind_type.c: type names in syntax -> SQL types.
 *
 * The parser limits how deeply types are nested, so this recurses.
 */
#include "base/near.h"
#include "engine/expr/bind_internal.h"

static int bind_decimal_type(struct arena *arena, const struct ast_type *syntax,
                             const struct sql_type **out, struct error *err)
{
    int64_t precision = syntax->decimal.precision;
    int64_t scale = syntax->decimal.scale;

    if (precision < 1 || precision > INT32_MAX) {
        return error_set(err, ERR_INVALID_TYPE, syntax->at,
                         "the precision of DECIMAL(%lld, %lld) must be at least 1 and at most %d",
                         (long long)precision, (long long)scale, INT32_MAX);
    }
    if (scale < 0 || scale > precision) {
        return error_set(err, ERR_INVALID_TYPE, syntax->at,
                         "the scale of DECIMAL(%lld, %lld) must be from 0 to its precision",
                         (long long)precision, (long long)scale);
    }
    *out = type_decimal(arena, (uint32_t)precision, (uint32_t)scale);
    return 0;
}

static int unknown_type(struct arena *arena, const struct ast_name *name, struct error *err)
{
    struct near_search search = near_begin(name->text);

    for (int id = T_NULL + 1; id < T_COUNT; id++) {
        near_offer(&search, bytes_of(type_name((enum type_id)id)));
        for (uint32_t i = 0; type_alias((enum type_id)id, i); i++) {
            near_offer(&search, bytes_of(type_alias((enum type_id)id, i)));
        }
    }
    return error_set(err, ERR_UNKNOWN_TYPE, name->at, "There is no type %.*s%s",
                     BYTES_ARG(name->text), near_hint(arena, search.best));
}

/* NULL: it is no type that is made of others. */
static const char *container_example(enum type_id id)
{
    return id == T_ARRAY    ? "ARRAY needs the type of its items: ARRAY<INT>"
           : id == T_MAP    ? "MAP needs the types of its keys and values: MAP<STRING, INT>"
           : id == T_STRUCT ? "STRUCT needs its fields: STRUCT<street STRING, number INT>"
                            : NULL;
}

static int bind_named_type(struct arena *arena, const struct type_names *names,
                           const struct ast_type *syntax, const struct sql_type **out,
                           struct error *err)
{
    enum type_id id = type_find(syntax->name.text);
    const struct sql_type *made =
        id == T_NULL && names ? names->find(names, syntax->name.text) : NULL;

    if (id == T_DECIMAL) {
        return error_set(err, ERR_INVALID_TYPE, syntax->at,
                         "DECIMAL needs a precision and a scale: DECIMAL(10, 2)");
    }
    if (made) {
        *out = made;
        return 0;
    }
    if (container_example(id)) {
        return error_set(err, ERR_INVALID_TYPE, syntax->at, "%s", container_example(id));
    }
    if (id == T_NULL) {
        return unknown_type(arena, &syntax->name, err);
    }
    *out = type_scalar(id);
    return 0;
}

static int bind_struct_type(struct arena *arena, const struct type_names *names,
                            const struct ast_type *syntax, const struct sql_type **out,
                            struct error *err)
{
    const struct ast_type_field_list *given = &syntax->fields;
    struct sql_field *fields = arena_array(arena, struct sql_field, given->count);

    for (uint32_t i = 0; i < given->count; i++) {
        const struct ast_name *name = &given->items[i].name;

        for (uint32_t before = 0; before < i; before++) {
            if (bytes_equal(fields[before].name, name->text)) {
                return error_set(err, ERR_INVALID_TYPE, name->at,
                                 "the field '%.*s' occurs twice in the STRUCT",
                                 BYTES_ARG(name->text));
            }
        }
        fields[i].name = arena_copy(arena, name->text);
        TRY(type_bind(arena, names, given->items[i].type, &fields[i].type, err));
    }
    *out = type_struct(arena, fields, given->count);
    return 0;
}

int type_bind(struct arena *arena, const struct type_names *names, const struct ast_type *syntax,
              const struct sql_type **out, struct error *err)
{
    const struct sql_type *key = NULL;
    const struct sql_type *element = NULL;

    switch (syntax->kind) {
    case AST_TYPE_NAME:
        return bind_named_type(arena, names, syntax, out, err);
    case AST_TYPE_DECIMAL:
        return bind_decimal_type(arena, syntax, out, err);
    case AST_TYPE_ARRAY:
        TRY(type_bind(arena, names, syntax->element, &element, err));
        *out = type_array(arena, element);
        return 0;
    case AST_TYPE_MAP:
        TRY(type_bind(arena, names, syntax->map.key, &key, err));
        TRY(type_bind(arena, names, syntax->map.value, &element, err));
        *out = type_map(arena, key, element);
        return 0;
    case AST_TYPE_STRUCT:
        return bind_struct_type(arena, names, syntax, out, err);
    }
    return error_set(err, ERR_UNKNOWN_TYPE, syntax->at, "this type is not supported");
}
