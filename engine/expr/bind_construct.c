/*
 * bind_construct.c: ARRAY[...], MAP(...), STRUCT(...) (expressions.md 8).
 *
 * Items, keys and values are brought to one type each by the unification of bind_in.c; the fields
 * of a STRUCT keep their own.
 */
#include "engine/expr/bind_internal.h"

static int refuse_empty(const struct ast_expr *syntax, const char *what, struct error *err)
{
    return error_set(err, ERR_INVALID_ARGUMENTS, syntax->at,
                     "%s has no items, so no type; give it one item at least", what);
}

static int refuse_nulls(const struct ast_expr *syntax, const char *what, struct error *err)
{
    return error_set(err, ERR_NULL_TYPE, syntax->at,
                     "%s are all NULL, which has no type; say which: CAST(NULL AS STRING)", what);
}

int bind_array(struct binding *b, const struct ast_expr *syntax, const struct expr **out,
               struct error *err)
{
    const struct ast_expr_list *list = &syntax->items;
    const struct expr **items = arena_array(b->arena, const struct expr *, list->count);
    const struct sql_type *type = NULL;

    if (list->count == 0) {
        return refuse_empty(syntax, "ARRAY[]", err);
    }
    for (uint32_t i = 0; i < list->count; i++) {
        TRY(bind_expr(b, list->items[i], &items[i], err));
    }
    TRY(bind_unify(b, items, list->count, &type, err));
    if (!type) {
        return refuse_nulls(syntax, "The items of the ARRAY", err);
    }
    *out =
        expr_make(b->arena, EXPR_ARRAY, syntax->at, type_array(b->arena, type), items, list->count);
    return 0;
}

/* --- MAP --- */

static int bind_entries(struct binding *b, const struct ast_map_entry_list *list,
                        const struct expr **keys, const struct expr **values, struct error *err)
{
    for (uint32_t i = 0; i < list->count; i++) {
        TRY(bind_expr(b, list->items[i].key, &keys[i], err));
        TRY(bind_expr(b, list->items[i].value, &values[i], err));
        for (uint32_t before = 0; before < i; before++) {
            if (expr_equal(keys[before], keys[i])) {
                return error_set(err, ERR_INVALID_ARGUMENTS, keys[i]->at,
                                 "MAP has the key %.*s twice",
                                 BYTES_ARG(expr_text(b->arena, keys[i])));
            }
        }
    }
    return 0;
}

int bind_map(struct binding *b, const struct ast_expr *syntax, const struct expr **out,
             struct error *err)
{
    const struct ast_map_entry_list *list = &syntax->entries;
    uint32_t count = list->count;
    const struct expr **keys = arena_array(b->arena, const struct expr *, count);
    const struct expr **values = arena_array(b->arena, const struct expr *, count);
    const struct expr **both = arena_array(b->arena, const struct expr *, 2 * (size_t)count);
    const struct sql_type *key_type = NULL;
    const struct sql_type *value_type = NULL;

    if (count == 0) {
        return refuse_empty(syntax, "MAP()", err);
    }
    TRY(bind_entries(b, list, keys, values, err));
    TRY(bind_unify(b, keys, count, &key_type, err));
    TRY(bind_unify(b, values, count, &value_type, err));
    if (!key_type || !value_type) {
        return refuse_nulls(syntax, key_type ? "The values of the MAP" : "The keys of the MAP",
                            err);
    }
    for (uint32_t i = 0; i < count; i++) {
        both[2 * i] = keys[i];
        both[2 * i + 1] = values[i];
    }
    *out = expr_make(b->arena, EXPR_MAP, syntax->at, type_map(b->arena, key_type, value_type), both,
                     2 * count);
    return 0;
}

/* --- STRUCT --- */

static int bind_struct_field(struct binding *b, const struct ast_struct_field *syntax,
                             struct sql_field *field, const struct expr **value, struct error *err)
{
    TRY(bind_expr(b, syntax->value, value, err));
    if (!(*value)->type) {
        return error_set(err, ERR_NULL_TYPE, (*value)->at,
                         "the field %.*s is NULL, which has no type; say which: "
                         "CAST(NULL AS STRING)",
                         BYTES_ARG(syntax->name.text));
    }
    field->name = arena_copy(b->arena, syntax->name.text);
    field->type = (*value)->type;
    return 0;
}

int bind_struct(struct binding *b, const struct ast_expr *syntax, const struct expr **out,
                struct error *err)
{
    const struct ast_struct_field_list *list = &syntax->fields;
    const struct expr **values = arena_array(b->arena, const struct expr *, list->count);
    struct sql_field *fields = arena_array(b->arena, struct sql_field, list->count);

    for (uint32_t i = 0; i < list->count; i++) {
        const struct ast_name *name = &list->items[i].name;

        for (uint32_t before = 0; before < i; before++) {
            if (bytes_equal(fields[before].name, name->text)) {
                return error_set(err, ERR_DUPLICATE_COLUMN, name->at,
                                 "STRUCT has the field %.*s twice", BYTES_ARG(name->text));
            }
        }
        TRY(bind_struct_field(b, &list->items[i], &fields[i], &values[i], err));
    }
    *out = expr_make(b->arena, EXPR_STRUCT, syntax->at, type_struct(b->arena, fields, list->count),
                     values, list->count);
    return 0;
}
