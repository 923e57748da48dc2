/*
 * schema.c: making, comparing and printing types; columns of a source.
 *
 * Types are trees, read-only, in the arena of whoever made them. Passes over
 * them recurse: whoever makes a type from outside text limits its depth (the
 * parser by AST_DEPTH_MAX), so no pass here meets a deeper one.
 */
#include "engine/type/schema.h"

#include <assert.h>
#include <string.h>

static const struct sql_type scalar_types[T_COUNT] = {
    [T_NULL] = { .id = T_NULL },
#define TYPE(id_, name, doc, example) [id_] = { .id = id_ },
#include "engine/type/types.def"
#undef TYPE
};

static const struct {
    const char *name;
    const char *doc;
    const char *example;
} type_rows[T_COUNT] = {
    [T_NULL] = { "NULL", "no value", "NULL" },
#define TYPE(id, name, doc, example) [id] = { name, doc, example },
#include "engine/type/types.def"
#undef TYPE
};

/* Other spellings that SQL allows. */
static const struct {
    const char *alias;
    enum type_id id;
} type_aliases[] = {
    { "INT", T_INTEGER },
    { "DEC", T_DECIMAL },
    { "VARCHAR", T_STRING },
};

static const struct {
    const char *name;
    enum type_id type;
} pseudo_columns[] = {
    [PSEUDO_ROWTIME] = { "ROWTIME", T_BIGINT },
    [PSEUDO_ROWPARTITION] = { "ROWPARTITION", T_INTEGER },
    [PSEUDO_ROWOFFSET] = { "ROWOFFSET", T_BIGINT },
    [PSEUDO_WINDOWSTART] = { "WINDOWSTART", T_BIGINT },
    [PSEUDO_WINDOWEND] = { "WINDOWEND", T_BIGINT },
};

enum { PSEUDO_COUNT = sizeof pseudo_columns / sizeof *pseudo_columns };

const struct sql_type *type_scalar(enum type_id id)
{
    return &scalar_types[id];
}

static struct sql_type *type_new(struct arena *arena, enum type_id id)
{
    struct sql_type *type = arena_new(arena, struct sql_type);

    type->id = id;
    return type;
}

const struct sql_type *type_decimal(struct arena *arena, uint32_t precision, uint32_t scale)
{
    struct sql_type *type = type_new(arena, T_DECIMAL);

    type->precision = precision;
    type->scale = scale;
    return type;
}

const struct sql_type *type_array(struct arena *arena, const struct sql_type *element)
{
    struct sql_type *type = type_new(arena, T_ARRAY);

    type->element = element;
    return type;
}

const struct sql_type *type_map(struct arena *arena, const struct sql_type *key,
                                const struct sql_type *element)
{
    struct sql_type *type = type_new(arena, T_MAP);

    type->key = key;
    type->element = element;
    return type;
}

const struct sql_type *type_struct(struct arena *arena, const struct sql_field *fields,
                                   uint32_t field_count)
{
    struct sql_type *type = type_new(arena, T_STRUCT);
    struct sql_field *copy = arena_array(arena, struct sql_field, field_count);

    if (field_count) {
        memcpy(copy, fields, field_count * sizeof *copy);
    }
    type->fields = copy;
    type->field_count = field_count;
    return type;
}

uint32_t type_find_field(const struct sql_type *type, struct bytes name)
{
    uint32_t at = 0;

    while (at < type->field_count && !bytes_equal(type->fields[at].name, name)) {
        at++;
    }
    return at;
}

static const struct sql_type *struct_copy(struct arena *arena, const struct sql_type *type)
{
    struct sql_type *copy = type_new(arena, T_STRUCT);
    struct sql_field *fields = arena_array(arena, struct sql_field, type->field_count);

    for (uint32_t i = 0; i < type->field_count; i++) {
        fields[i].name = arena_copy(arena, type->fields[i].name);
        fields[i].type = type_copy(arena, type->fields[i].type);
    }
    copy->fields = fields;
    copy->field_count = type->field_count;
    return copy;
}

const struct sql_type *type_copy(struct arena *arena, const struct sql_type *type)
{
    switch (type->id) {
    case T_DECIMAL:
        return type_decimal(arena, type->precision, type->scale);
    case T_ARRAY:
        return type_array(arena, type_copy(arena, type->element));
    case T_MAP:
        return type_map(arena, type_copy(arena, type->key), type_copy(arena, type->element));
    case T_STRUCT:
        return struct_copy(arena, type);
    case T_NULL:
    case T_BOOLEAN:
    case T_INTEGER:
    case T_BIGINT:
    case T_DOUBLE:
    case T_STRING:
    case T_BYTES:
    case T_TIME:
    case T_DATE:
    case T_TIMESTAMP:
    case T_COUNT:
        break;
    }
    return type_scalar(type->id);
}

static bool fields_equal(const struct sql_type *a, const struct sql_type *b)
{
    if (a->field_count != b->field_count) {
        return false;
    }
    for (uint32_t i = 0; i < a->field_count; i++) {
        if (!bytes_equal(a->fields[i].name, b->fields[i].name) ||
            !type_equal(a->fields[i].type, b->fields[i].type)) {
            return false;
        }
    }
    return true;
}

bool type_equal(const struct sql_type *a, const struct sql_type *b)
{
    if (a == b) {
        return true;
    }
    if (a->id != b->id) {
        return false;
    }
    switch (a->id) {
    case T_DECIMAL:
        return a->precision == b->precision && a->scale == b->scale;
    case T_ARRAY:
        return type_equal(a->element, b->element);
    case T_MAP:
        return type_equal(a->key, b->key) && type_equal(a->element, b->element);
    case T_STRUCT:
        return fields_equal(a, b);
    case T_NULL:
    case T_BOOLEAN:
    case T_INTEGER:
    case T_BIGINT:
    case T_DOUBLE:
    case T_STRING:
    case T_BYTES:
    case T_TIME:
    case T_DATE:
    case T_TIMESTAMP:
    case T_COUNT:
        break;
    }
    return true;
}

bool type_is_number(enum type_id id)
{
    return id == T_INTEGER || id == T_BIGINT || id == T_DECIMAL || id == T_DOUBLE;
}

bool type_is_temporal(enum type_id id)
{
    return id == T_TIME || id == T_DATE || id == T_TIMESTAMP;
}

bool type_has_map(const struct sql_type *type)
{
    if (type->id == T_ARRAY) {
        return type_has_map(type->element);
    }
    for (uint32_t i = 0; i < type->field_count; i++) {
        if (type_has_map(type->fields[i].type)) {
            return true;
        }
    }
    return type->id == T_MAP;
}

bool type_decimal_is_wide(const struct sql_type *type)
{
    return type->precision > DECIMAL_SMALL_PRECISION;
}

const char *type_name(enum type_id id)
{
    return type_rows[id].name;
}

const char *type_doc(enum type_id id)
{
    return type_rows[id].doc;
}

const char *type_example(enum type_id id)
{
    return type_rows[id].example;
}

const char *type_alias(enum type_id id, uint32_t number)
{
    for (size_t i = 0; i < sizeof type_aliases / sizeof *type_aliases; i++) {
        if (type_aliases[i].id == id && number-- == 0) {
            return type_aliases[i].alias;
        }
    }
    return NULL;
}

enum type_id type_find(struct bytes name)
{
    for (int id = T_NULL + 1; id < T_COUNT; id++) {
        if (bytes_equal_text_nocase(name, type_rows[id].name)) {
            return (enum type_id)id;
        }
    }
    for (size_t i = 0; i < sizeof type_aliases / sizeof *type_aliases; i++) {
        if (bytes_equal_text_nocase(name, type_aliases[i].alias)) {
            return type_aliases[i].id;
        }
    }
    return T_NULL;
}

static void struct_print(const struct sql_type *type, struct buffer *out)
{
    buffer_append_text(out, type->field_count ? "STRUCT<" : "STRUCT< ");
    for (uint32_t i = 0; i < type->field_count; i++) {
        buffer_append_text(out, i ? ", " : "");
        name_print_quoted(type->fields[i].name, out);
        buffer_append_char(out, ' ');
        type_print(type->fields[i].type, out);
    }
    buffer_append_char(out, '>');
}

void type_print(const struct sql_type *type, struct buffer *out)
{
    if (type->id == T_STRUCT) {
        struct_print(type, out);
        return;
    }
    buffer_append_text(out, type_rows[type->id].name);
    if (type->id == T_DECIMAL) {
        buffer_printf(out, "(%u, %u)", type->precision, type->scale);
    } else if (type->id == T_ARRAY || type->id == T_MAP) {
        buffer_append_char(out, '<');
        if (type->id == T_MAP) {
            type_print(type->key, out);
            buffer_append_text(out, ", ");
        }
        type_print(type->element, out);
        buffer_append_char(out, '>');
    }
}

const struct column *schema_find(const struct schema *schema, struct bytes name)
{
    for (uint32_t i = 0; i < schema->column_count; i++) {
        if (bytes_equal(schema->columns[i].name, name)) {
            return &schema->columns[i];
        }
    }
    return NULL;
}

uint32_t schema_index(const struct schema *schema, const struct column *column)
{
    assert(column >= schema->columns && column < schema->columns + schema->column_count);
    return (uint32_t)(column - schema->columns);
}

void schema_copy(struct arena *arena, const struct schema *from, struct schema *out)
{
    struct column *columns = arena_array(arena, struct column, from->column_count);

    for (uint32_t i = 0; i < from->column_count; i++) {
        columns[i].name = arena_copy(arena, from->columns[i].name);
        columns[i].type = type_copy(arena, from->columns[i].type);
        columns[i].role = from->columns[i].role;
        columns[i].header_key = arena_copy(arena, from->columns[i].header_key);
    }
    *out = (struct schema){ columns, from->column_count, from->key_count };
}

bool schema_equal(const struct schema *a, const struct schema *b)
{
    if (a->column_count != b->column_count || a->key_count != b->key_count) {
        return false;
    }
    for (uint32_t i = 0; i < a->column_count; i++) {
        const struct column *left = &a->columns[i];
        const struct column *right = &b->columns[i];

        if (left->role != right->role || !bytes_equal(left->name, right->name) ||
            !type_equal(left->type, right->type) ||
            !bytes_equal(left->header_key, right->header_key)) {
            return false;
        }
    }
    return true;
}

/* Appends the text between two quote characters; a quote inside is doubled. */
static void quoted_print(struct bytes text, char quote, struct buffer *out)
{
    buffer_append_char(out, quote);
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == quote) {
            buffer_append_char(out, quote);
        }
        buffer_append_char(out, text.data[i]);
    }
    buffer_append_char(out, quote);
}

void schema_print(const struct schema *schema, const char *key_word, struct buffer *out)
{
    for (uint32_t i = 0; i < schema->column_count; i++) {
        const struct column *column = &schema->columns[i];

        buffer_append_text(out, i ? ", " : "");
        name_print_quoted(column->name, out);
        buffer_append_char(out, ' ');
        type_print(column->type, out);
        switch (column->role) {
        case COLUMN_KEY:
            buffer_append_char(out, ' ');
            buffer_append_text(out, key_word);
            break;
        case COLUMN_HEADERS:
            buffer_append_text(out, " HEADERS");
            break;
        case COLUMN_HEADER:
            buffer_append_text(out, " HEADER(");
            quoted_print(column->header_key, '\'', out);
            buffer_append_char(out, ')');
            break;
        case COLUMN_VALUE:
            break;
        }
    }
}

void name_print_quoted(struct bytes name, struct buffer *out)
{
    quoted_print(name, '`', out);
}

enum pseudo_column pseudo_column_find(struct bytes name)
{
    for (int i = PSEUDO_NONE + 1; i < PSEUDO_COUNT; i++) {
        if (bytes_equal_text(name, pseudo_columns[i].name)) {
            return (enum pseudo_column)i;
        }
    }
    return PSEUDO_NONE;
}

const struct sql_type *pseudo_column_type(enum pseudo_column pseudo)
{
    return type_scalar(pseudo_columns[pseudo].type);
}

const char *pseudo_column_name(enum pseudo_column pseudo)
{
    return pseudo_columns[pseudo].name;
}
