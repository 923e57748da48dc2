/*
 * json_internal.h: what the files of the JSON row decoder and encoder share.
 *
 *   format_json.c   the kind: what it supports, open, close
 *   json_shape.c    an object's columns: by name, and by what came last time
 *   json_read.c     the row path: one scan, values into cells
 *   json_convert.c  one value of any kind -> a column's type, or why not
 *   json_careful.c  the second look: duplicates, spellings, errors with their path
 *   json_text.c     numbers, strings, objects and arrays as text
 *   json_write.c    rows -> JSON
 */
#ifndef SLUICE_ENGINE_FORMAT_JSON_INTERNAL_H
#define SLUICE_ENGINE_FORMAT_JSON_INTERNAL_H

#include "base/map.h"
#include "engine/format/format.h"
#include "engine/format/json_scan.h"

struct json_shape;

/* A column's type, ready to read. */
struct json_node {
    enum type_id id;
    const struct sql_type *type;
    struct json_node *element; /* ARRAY items, MAP values */
    struct json_shape *shape;  /* STRUCT */
    int64_t limit;             /* small DECIMAL: 10^precision */
};

struct json_field {
    struct bytes name;
    struct json_node *node;
    bool wanted;
};

enum { JSON_EXPECTED_TEXT = 64, JSON_EXPECTED_MAX = 256 };

/*
 * What stood between two values of the last object at this place: `,"NAME":` with
 * the white space it had. Equal bytes need no parsing and no lookup.
 */
struct json_expected {
    char text[JSON_EXPECTED_TEXT]; /* zero-padded */
    uint32_t len;                  /* 0: too long to be kept, never matches */
    int32_t field;                 /* JSON_UNDECLARED: skip */
};

enum { JSON_UNDECLARED = -1, JSON_NO_MORE = -2 };

/* The columns of a row or the fields of a STRUCT. */
struct json_shape {
    struct json_field *fields;
    uint32_t field_count;
    uint32_t slot_count; /* of the hash table of exact names; a power of two */
    uint32_t *slots;     /* index of field + 1; 0: free */
    bool ambiguous;      /* two fields differ by case alone: always read carefully */
    uint32_t generation; /* of the object that is being read */
    uint32_t *seen;      /* per field: the generation that has set it */
    struct value *spare; /* cells of an object that nobody wants */
    struct json_expected *expected;
    uint32_t expected_count;
    uint32_t expected_capacity;
};

enum json_reason {
    JSON_MALFORMED,
    JSON_CANNOT_CONVERT, /* the kind of value does not fit the type */
    JSON_CANNOT_COERCE,  /* a string that is not the type's text */
    JSON_OUT_OF_RANGE,
    JSON_DECIMAL_MISFIT,
    JSON_NOT_BASE64
};

struct json_failure {
    enum json_reason reason;
    const char *source; /* BooleanNode, ... */
    const struct sql_type *type;
    char path[300]; /* written from its end, while the callers return */
    size_t path_begin;
};

struct json_reader {
    struct json_scanner scan;
    struct arena *arena;
    bool keep;           /* the value is wanted: what it needs goes to the arena */
    bool careful;        /* the document is well-formed; names are looked up over whole objects */
    struct value *stack; /* items of the arrays and maps that are being read */
    size_t stack_used;
    size_t stack_capacity;
    struct buffer text; /* scratch */
    struct json_failure failure;
};

struct json_decoder {
    struct json_node *root; /* a bare column; NULL: an object */
    struct json_shape *row;
    struct json_reader reader;
    struct arena arena;
};

/* --- json_shape.c --- */

struct json_node *json_node_make(struct arena *arena, const struct sql_type *type);
struct json_shape *json_shape_make(struct arena *arena, uint32_t field_count);
void json_shape_ready(struct arena *arena, struct json_shape *shape); /* its fields are set */
void json_node_fini(struct json_node *node);
void json_shape_fini(struct json_shape *shape);
/* The field that a name in a document stands for: exact, else upper-cased; or JSON_UNDECLARED. */
int32_t json_shape_find(const struct json_shape *shape, struct bytes name, struct buffer *scratch);
void json_upper(struct bytes name, struct buffer *out);
/* Remembers the text in front of a value; `place` counts the fields of the object. */
void json_shape_learn(struct json_shape *shape, uint32_t place, struct bytes text, int32_t field);

/* --- json_read.c: each returns the place behind the value, NULL on failure --- */

const char *json_read_value(struct json_reader *r, const struct json_node *node, const char *at,
                            struct value *out);
/* Behind the opening brace; cells[field_count] are null before. */
const char *json_read_fields(struct json_reader *r, struct json_shape *shape, const char *at,
                             struct value *cells);
void json_push(struct json_reader *r, struct value v);

/* --- json_convert.c --- */

/* Any value of any kind: what the row path does not know at sight. */
const char *json_convert(struct json_reader *r, const struct json_node *node, const char *at,
                         struct value *out);
const char *json_fail(struct json_reader *r, enum json_reason reason, enum json_token token,
                      const struct sql_type *type);
/* Puts a part in front of the path of a failure; NULL, to be returned. */
const char *json_fail_in(struct json_reader *r, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* --- json_careful.c --- */

/* An object's members by name, the last of equal names; the text after its opening brace. */
const char *json_members(struct json_reader *r, const char *at, struct map *members);
const char *json_careful_fields(struct json_reader *r, struct json_shape *shape, const char *at,
                                struct value *cells);
const char *json_careful_map(struct json_reader *r, const struct json_node *node, const char *at);

/* --- json_text.c --- */

/* The characters of a string token: in place, or in the arena when it has escapes. */
struct bytes json_string_text(struct json_reader *r);
/* Truncated toward zero, then its low 64 bits. */
int64_t json_number_wrap(struct bytes number);
/* As BigDecimal.toString; a plain integer stays as it is. */
void json_number_print(struct bytes number, struct buffer *out);
/* False for exponents that BigDecimal has not and for more than 1000 characters. */
bool json_number_is_sane(struct bytes number);
/* The STRING of an array or object, at its opening bracket; it must be well-formed. */
const char *json_render(struct json_reader *r, const char *at, struct buffer *out);

/* --- json_write.c --- */

struct json_encoder;

struct json_encoder *json_encoder_create(const struct encoder_spec *spec);
void json_encoder_destroy(struct json_encoder *e);
int json_encoder_write(struct json_encoder *e, const struct row_banks *row, struct buffer *out,
                       bool *is_null, struct error *err);
/* A quoted JSON string. */
void json_write_text(struct bytes text, struct buffer *out);

#endif
