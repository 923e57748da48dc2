/*
 * value.h: one SQL value in 16 bytes.
 *
 * A value owns nothing: text, items and wide integers lie in the batch arena, in
 * the record's own bytes or in a plan's constants. The plan knows every type; kind
 * is there to tell null and to be asserted against the plan.
 *
 *   BOOLEAN INTEGER BIGINT      i64            DATE       i64, days since 1970
 *   DOUBLE                      f64            TIME       i64, ms of the day
 *   DECIMAL precision <= 18     i64, unscaled  TIMESTAMP  i64, ms since 1970
 *   DECIMAL precision  > 18     wide, unscaled
 *   STRING BYTES                bytes, size    ARRAY STRUCT items, size   MAP pairs, size
 */
#ifndef SLUICE_ENGINE_TYPE_VALUE_H
#define SLUICE_ENGINE_TYPE_VALUE_H

#include "base/bytes.h"

enum type_id {
    T_NULL = 0, /* the untyped NULL; as a value's kind: null */
#define TYPE(id, name, doc, example) id,
#include "engine/type/types.def"
#undef TYPE
    T_COUNT
};

/* 128 bits: any value of up to 38 digits, and no more than that is ever stored. */
__extension__ typedef __int128 wide_int;
__extension__ typedef unsigned __int128 wide_uint;

struct map_pair;

struct value {
    uint8_t kind; /* enum type_id */
    uint8_t flags;
    uint16_t reserved;
    uint32_t size; /* bytes, array items, struct fields, map pairs */
    union {
        int64_t i64;
        double f64;
        const char *bytes;
        const struct value *items;
        const struct map_pair *pairs;
        const wide_int *wide;
    };
};

struct map_pair {
    struct value key;
    struct value value;
};

_Static_assert(sizeof(struct value) == 16, "rows are laid out in units of 16 bytes");

static inline bool value_is_null(const struct value *v)
{
    return v->kind == T_NULL;
}

static inline struct value value_null(void)
{
    return (struct value){ .kind = T_NULL };
}

/* BOOLEAN, INTEGER, BIGINT, TIME, DATE, TIMESTAMP, small DECIMAL. */
static inline struct value value_i64(enum type_id kind, int64_t number)
{
    return (struct value){ .kind = (uint8_t)kind, .i64 = number };
}

static inline struct value value_f64(double number)
{
    return (struct value){ .kind = T_DOUBLE, .f64 = number };
}

/* STRING or BYTES; the text is borrowed. Length is limited to 4 GB by the callers' checks. */
static inline struct value value_text(enum type_id kind, struct bytes text)
{
    return (struct value){ .kind = (uint8_t)kind, .size = (uint32_t)text.len, .bytes = text.data };
}

static inline struct bytes value_bytes(const struct value *v)
{
    return (struct bytes){ v->bytes, v->size };
}

#endif
