/*
 * schema.h: SQL types and the columns of a source.
 *
 * Types and schemas are read-only once made and live in the arena of the
 * statement, catalog entry or query that made them. Scalar types without
 * parameters are static and may be compared by pointer after type_equal says so.
 */
#ifndef SLUICE_ENGINE_TYPE_SCHEMA_H
#define SLUICE_ENGINE_TYPE_SCHEMA_H

#include "base/arena.h"
#include "base/error.h"
#include "engine/type/value.h"

struct sql_field;

struct sql_type {
    enum type_id id;
    uint32_t precision, scale;      /* DECIMAL */
    const struct sql_type *key;     /* MAP */
    const struct sql_type *element; /* ARRAY: items; MAP: values */
    const struct sql_field *fields; /* STRUCT */
    uint32_t field_count;
};

struct sql_field {
    struct bytes name;
    const struct sql_type *type;
};

enum { DECIMAL_SMALL_PRECISION = 18, DECIMAL_MAX_DIGITS = 38 };

/* The one static instance of a type that has no parameters. */
const struct sql_type *type_scalar(enum type_id id);
const struct sql_type *type_decimal(struct arena *arena, uint32_t precision, uint32_t scale);
const struct sql_type *type_array(struct arena *arena, const struct sql_type *element);
const struct sql_type *type_map(struct arena *arena, const struct sql_type *key,
                                const struct sql_type *element);
const struct sql_type *type_struct(struct arena *arena, const struct sql_field *fields,
                                   uint32_t field_count); /* copies the array */
/* The number of a STRUCT's field; field_count when it has none of that name. */
uint32_t type_find_field(const struct sql_type *type, struct bytes name);
const struct sql_type *type_copy(struct arena *arena, const struct sql_type *type); /* deep */
bool type_equal(const struct sql_type *a, const struct sql_type *b); /* parameters and names too */
bool type_is_number(enum type_id id);   /* INTEGER BIGINT DECIMAL DOUBLE */
bool type_is_temporal(enum type_id id); /* TIME DATE TIMESTAMP */
bool type_has_map(const struct sql_type *type);
bool type_decimal_is_wide(const struct sql_type *type);   /* values in *wide */
const char *type_name(enum type_id id);                   /* "INTEGER" */
const char *type_doc(enum type_id id);                    /* what its values are */
const char *type_example(enum type_id id);                /* an expression of the type, in SQL */
const char *type_alias(enum type_id id, uint32_t number); /* other spellings; NULL at the end */
enum type_id type_find(struct bytes name); /* canonical names and aliases, any case; T_NULL: none */
/* "DECIMAL(4, 2)", "ARRAY<INTEGER>", "STRUCT<`F0` BIGINT>" as DESCRIBE and errors show it. */
void type_print(const struct sql_type *type, struct buffer *out);

enum column_role { COLUMN_KEY, COLUMN_VALUE, COLUMN_HEADERS, COLUMN_HEADER };

struct column {
    struct bytes name;
    const struct sql_type *type;
    enum column_role role;
    struct bytes header_key; /* COLUMN_HEADER: HEADER('key') */
};

/* Key columns first, then the others, in declared order. */
struct schema {
    const struct column *columns;
    uint32_t column_count;
    uint32_t key_count;
};

const struct column *schema_find(const struct schema *schema, struct bytes name); /* exact case */
uint32_t schema_index(const struct schema *schema, const struct column *column);
void schema_copy(struct arena *arena, const struct schema *from, struct schema *out); /* deep */
bool schema_equal(const struct schema *a, const struct schema *b);
/* "`K` STRING KEY, `V` BIGINT"; key_word is "KEY" or "PRIMARY KEY". */
void schema_print(const struct schema *schema, const char *key_word, struct buffer *out);
/* `name` in back quotes, quotes inside doubled. */
void name_print_quoted(struct bytes name, struct buffer *out);
/* The name as a user would type it: bare when that reads back as the same name. */
void name_print(struct bytes name, struct buffer *out);
/* What a typed name means: folded to upper case (ASCII) unless in back or double quotes. */
struct bytes name_read(struct bytes typed, struct arena *arena);

/* ROWTIME and its kind: every source has them without declaring them. */
enum pseudo_column {
    PSEUDO_NONE,
    PSEUDO_ROWTIME,
    PSEUDO_ROWPARTITION,
    PSEUDO_ROWOFFSET,
    PSEUDO_WINDOWSTART,
    PSEUDO_WINDOWEND
};

enum pseudo_column pseudo_column_find(struct bytes name); /* exact upper case, as stored */
const struct sql_type *pseudo_column_type(enum pseudo_column pseudo);
const char *pseudo_column_name(enum pseudo_column pseudo);

#endif
