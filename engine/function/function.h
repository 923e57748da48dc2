/*
 * function.h: scalar, aggregate and table functions as rows of tables.
 *
 * The row is the documentation: DESCRIBE FUNCTION, the manual and the example
 * test read it. Each family is one file that ends with its table; registry.c
 * lists the tables and finds functions by name and argument types
 * (expressions.md 12). The row path never looks a name up.
 */
#ifndef SLUICE_ENGINE_FUNCTION_FUNCTION_H
#define SLUICE_ENGINE_FUNCTION_FUNCTION_H

#include "engine/type/row_batch.h"

enum { FUNCTION_MAX_PARAMETERS = 8, ACCUMULATOR_MAX_COLUMNS = 8 };

/* What a parameter accepts. Type variables bind to one exact type each. */
enum parameter_kind {
    PARAMETER_NONE = 0, /* ends the list */
    PARAMETER_TYPE,     /* this base type; containers: with this element, recursively */
    PARAMETER_ANY,
    PARAMETER_VARIABLE, /* T, K, V, R: .variable says which */
};

struct parameter {
    enum parameter_kind kind;
    enum type_id type;               /* PARAMETER_TYPE */
    char variable;                   /* PARAMETER_VARIABLE */
    const struct parameter *element; /* ARRAY items, MAP values */
    const struct parameter *key;     /* MAP keys */
    const char *name;                /* for DESCRIBE FUNCTION */
};

enum function_flags {
    FN_NULL_IN_NULL_OUT = 1, /* any null argument gives null without a call */
    FN_VARIADIC = 2,         /* the last parameter may be repeated, 0 times too */
    FN_IMPURE = 4,           /* never folded: RANDOM, UUID, UNIX_TIMESTAMP */
};

/* A function bound to its argument types; read-only, part of a plan. */
struct function_call_plan {
    /* As the call gets them, casts done. NULL: an untyped NULL that no parameter gives a type. */
    const struct sql_type *const *argument_types;
    const struct sql_type *result_type;
    uint32_t argument_count;
    /* The last argument is an ARRAY whose items are the values of the repeated parameter; its
     * entry in argument_types is the items' type. The evaluator takes it apart. */
    bool spread_last;
};

struct call_context {
    const struct function_call_plan *plan;
    uint32_t argument_count; /* of this call; the plan's unless an ARRAY was spread */
    const void *prepared;    /* by the function's prepare; NULL: by nobody */
    struct arena *arena;     /* of the batch: results that outlive the call */
};

struct scalar_kind {
    const char *name;
    int (*call)(struct call_context *context, const struct value *const *arguments,
                struct value *out, struct error *err);
    /*
     * Work that needs constant arguments alone, done once for all calls; entries of others are
     * NULL. Calls get the result, which is read-only; NULL: they do it each for itself, and report
     * what is wrong. A NULL member: there is nothing to do.
     */
    const void *(*prepare)(struct arena *arena, const struct value *const *constants,
                           uint32_t count);
    struct parameter takes[FUNCTION_MAX_PARAMETERS];
    struct parameter returns;
    /* For results that depend on more than one parameter; NULL: as `returns` says. */
    int (*result_type)(struct arena *arena, const struct sql_type *const *arguments, uint32_t count,
                       const struct sql_type **out, struct error *err);
    unsigned flags; /* enum function_flags */
    const char *category;
    const char *doc;
    const char *example; /* "UCASE('río') -> 'RÍO'": run by the tests */
};

/*
 * An aggregate keeps a typed accumulator: columns that are stored beside the group
 * in the row codec, so that state is versioned and readable by EXPLAIN and tests.
 */
struct aggregate_plan {
    const struct aggregate_kind *kind;
    const struct sql_type *argument_types[FUNCTION_MAX_PARAMETERS];
    uint32_t argument_count;
    const struct sql_type *accumulator_types[ACCUMULATOR_MAX_COLUMNS];
    uint32_t accumulator_count;
    const struct sql_type *result_type;
};

struct aggregate_kind {
    const char *name;
    struct parameter takes[FUNCTION_MAX_PARAMETERS];
    /* Fills accumulator and result types for these arguments. */
    int (*plan)(struct arena *arena, struct aggregate_plan *plan, struct error *err);
    void (*init)(const struct aggregate_plan *plan, struct value *accumulator);
    /* Arguments may be null; text that is kept is copied into the arena by the caller's codec. A
     * failure stops the query. */
    int (*add)(const struct aggregate_plan *plan, struct value *accumulator,
               const struct value *const *arguments, struct arena *arena, struct error *err);
    /* Takes a row back; NULL bars the function from tables. */
    int (*undo)(const struct aggregate_plan *plan, struct value *accumulator,
                const struct value *const *arguments, struct arena *arena, struct error *err);
    int (*merge)(const struct aggregate_plan *plan, struct value *accumulator,
                 const struct value *other, struct arena *arena, struct error *err);
    int (*result)(const struct aggregate_plan *plan, const struct value *accumulator,
                  struct arena *arena, struct value *out, struct error *err);
    const char *doc;
};

/* True for scalar, aggregate and table functions alike. Names in any case. */
bool function_exists(struct bytes name);
const struct aggregate_kind *
aggregate_find(struct bytes name); /* NULL: no aggregate of that name */

/*
 * The variant for these arguments; an entry NULL in types is an untyped NULL. casts[i]
 * becomes the type the i-th argument must be cast to, or NULL. ERR_UNKNOWN_FUNCTION,
 * ERR_INVALID_ARGUMENTS (with the valid variants), ERR_AMBIGUOUS_FUNCTION.
 */
int scalar_resolve(struct arena *arena, struct bytes name, struct position at,
                   const struct sql_type *const *types, uint32_t count,
                   const struct scalar_kind **kind, const struct function_call_plan **plan,
                   const struct sql_type **casts, struct error *err);
int aggregate_resolve(struct arena *arena, struct bytes name, struct position at,
                      const struct sql_type *const *types, uint32_t count,
                      struct aggregate_plan *out, struct error *err);

/* All variants of all functions, by number; NULL behind the last. */
const struct scalar_kind *scalar_at(uint32_t number);
const struct aggregate_kind *aggregate_at(uint32_t number);
/* "CONCAT(VARCHAR... inputs)", as DESCRIBE FUNCTION and errors show a variant. */
void scalar_print_signature(const struct scalar_kind *kind, struct buffer *out);
void aggregate_print_signature(const struct aggregate_kind *kind, struct buffer *out);
/* "ARRAY<VARCHAR>", "T". */
void parameter_print_type(const struct parameter *parameter, struct buffer *out);
uint32_t parameter_count(const struct parameter takes[FUNCTION_MAX_PARAMETERS]);
/* The result's, as far as it can be told without arguments. */
void aggregate_print_result_type(const struct aggregate_kind *kind, struct buffer *out);

#endif
