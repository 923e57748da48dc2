/*
 * source_properties.c: one pass over the WITH clause; what a property may say is a row of
 * source_properties.def, what its value means is left to who asks for it.
 *
 * As ksqlDB does, numbers and booleans may also be written as text: PARTITIONS='4'.
 */
#include "engine/plan/source_properties.h"

#include "base/near.h"
#include "engine/type/java_text.h"

#define FOR_NONE PROPERTY_FOR_NONE
#define FOR_CREATE (unsigned)PROPERTY_FOR_CREATE
#define FOR_AS (unsigned)PROPERTY_FOR_AS
#define FOR_INSERT (unsigned)PROPERTY_FOR_INSERT
#define NOT_BUILT (unsigned)PROPERTY_NOT_BUILT

static const struct property_kind known[PROPERTY_COUNT] = {
#define PROPERTY(name, type, uses, doc) { #name, PROPERTY_##type, uses, doc },
#include "engine/plan/source_properties.def"
#undef PROPERTY
};

const char *source_property_name(enum property_id id)
{
    return known[id].name;
}

const struct property_kind *source_property_at(enum property_id id)
{
    return &known[id];
}

static int find_property(struct arena *arena, const struct ast_name *name, enum property_id *out,
                         struct error *err)
{
    struct near_search search = near_begin(name->text);

    for (uint32_t i = 0; i < PROPERTY_COUNT; i++) {
        if (bytes_equal_text_nocase(name->text, known[i].name)) {
            *out = (enum property_id)i;
            return 0;
        }
        near_offer(&search, bytes_of(known[i].name));
    }
    return error_set(err, ERR_UNKNOWN_PROPERTY, name->at, "There is no WITH property %.*s%s",
                     BYTES_ARG(name->text), near_hint(arena, search.best));
}

static int wrong_type(const struct ast_property *property, const char *wanted, struct error *err)
{
    return error_set(err, ERR_INVALID_PROPERTY, property->value.at, "%.*s takes %s",
                     BYTES_ARG(property->name.text), wanted);
}

static int read_text(const struct ast_property *property, struct property_value *out,
                     struct error *err)
{
    if (property->value.kind != AST_LITERAL_STRING) {
        return wrong_type(property, "a string in quotes", err);
    }
    if (property->value.string.len == 0) {
        return error_set(err, ERR_INVALID_PROPERTY, property->value.at, "%.*s must not be empty",
                         BYTES_ARG(property->name.text));
    }
    out->text = property->value.string;
    return 0;
}

static int read_integer(const struct ast_property *property, struct property_value *out,
                        struct error *err)
{
    const struct ast_literal *value = &property->value;

    if (value->kind == AST_LITERAL_INTEGER || value->kind == AST_LITERAL_BIGINT) {
        out->integer = value->integer;
        return 0;
    }
    if (value->kind == AST_LITERAL_STRING &&
        java_long_parse(java_trim(value->string), &out->integer, NULL) == 0) {
        return 0;
    }
    return wrong_type(property, "a whole number", err);
}

static int read_boolean(const struct ast_property *property, struct property_value *out,
                        struct error *err)
{
    const struct ast_literal *value = &property->value;

    if (value->kind == AST_LITERAL_BOOLEAN) {
        out->boolean = value->boolean;
        return 0;
    }
    if (value->kind == AST_LITERAL_STRING) {
        out->boolean = bytes_equal_text_nocase(value->string, "true");
        if (out->boolean || bytes_equal_text_nocase(value->string, "false")) {
            return 0;
        }
    }
    return wrong_type(property, "true or false", err);
}

static int read_value(enum property_type type, const struct ast_property *property,
                      struct property_value *out, struct error *err)
{
    switch (type) {
    case PROPERTY_TEXT:
        return read_text(property, out, err);
    case PROPERTY_INTEGER:
        return read_integer(property, out, err);
    case PROPERTY_BOOLEAN:
        return read_boolean(property, out, err);
    }
    return 0;
}

static int check_use(const struct ast_property *property, enum property_id id,
                     enum property_use use, struct error *err)
{
    if (!(known[id].uses & (unsigned)use)) {
        return error_set(err, ERR_INVALID_PROPERTY, property->name.at,
                         "%s cannot be given in this statement", known[id].name);
    }
    if (known[id].uses & NOT_BUILT) {
        return error_set(err, ERR_UNSUPPORTED, property->name.at,
                         "The WITH property %s is not supported", known[id].name);
    }
    return 0;
}

int source_properties_read(struct arena *arena, const struct ast_property_list *list,
                           enum property_use use, struct source_properties *out, struct error *err)
{
    struct source_properties read = { 0 };

    for (uint32_t i = 0; i < list->count; i++) {
        const struct ast_property *property = &list->items[i];
        enum property_id id = PROPERTY_COUNT;
        struct property_value *value;

        TRY(find_property(arena, &property->name, &id, err));
        value = &read.of[id];
        if (value->given) {
            return error_set(err, ERR_INVALID_PROPERTY, property->name.at, "%s is given twice",
                             known[id].name);
        }
        TRY(check_use(property, id, use, err));
        TRY(read_value(known[id].type, property, value, err));
        value->given = true;
        value->at = property->value.at;
    }
    *out = read;
    return 0;
}
