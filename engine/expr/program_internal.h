/*
 * program_internal.h: instructions, shared by compile*.c and eval*.c.
 *
 * An instruction is a function and what it works on, half a cache line. It returns the
 * next one, so that a jump is no more than another return value, and NULL at the
 * end. (A switch over opcodes would put everything into one function.)
 *
 * A comparison's mask says which outcomes satisfy it; jumping when it does NOT
 * hold is jumping on the complement.
 */
#ifndef SLUICE_ENGINE_EXPR_PROGRAM_INTERNAL_H
#define SLUICE_ENGINE_EXPR_PROGRAM_INTERNAL_H

#include "engine/expr/program.h"
#include "engine/type/cast.h"
#include "engine/type/decimal.h"

struct frame;
struct instruction;

typedef const struct instruction *(*instruction_function)(const struct instruction *self,
                                                          struct frame *frame);

struct instruction {
    instruction_function run;
    operand out; /* a register's slot, without its bank */
    operand a, b;
    uint16_t mask; /* enum outcome, or a small number of the instruction's own */
    uint32_t jump; /* index of the target */
    uint32_t trap; /* where a failure goes */
    const void *plan;
};

_Static_assert(sizeof(struct instruction) == 32, "two instructions fit a cache line");

/* What comparing two values, or testing a BOOLEAN, may come to. */
enum outcome {
    OUTCOME_LESS = 1,
    OUTCOME_EQUAL = 2,
    OUTCOME_GREATER = 4,
    OUTCOME_UNORDERED = 8, /* a NaN; unequal structures */
    OUTCOME_ONE_NULL = 16,
    OUTCOME_BOTH_NULL = 32,
    OUTCOME_FALSE = 64,
    OUTCOME_TRUE = 128
};

/* Where a failure inside a stretch of instructions goes. */
struct trap {
    const char *what;
    bool has_out;
    operand out;     /* register that becomes null */
    uint32_t resume; /* index of the instruction to go on with */
};

struct program {
    const struct instruction *code;
    uint32_t code_count; /* 0: empty */
    const struct trap *traps;
    const struct value *constants;
    uint32_t constant_count;
    uint32_t register_count;
    uint32_t leading_count; /* comparisons at the beginning that only drop rows */
    bool has_filter;
};

/* A batch, its rows, and what is left of them. */
struct narrowing {
    const struct value *constants;
    const struct value *cells;
    uint32_t stride;
    const uint16_t *rows; /* NULL: all */
    uint32_t count;
    uint16_t *kept; /* may be `rows` */
};

typedef uint32_t (*narrow_function)(const struct instruction *self, const struct narrowing *n);

/* The same comparison over a batch; NULL when the instruction is none. */
narrow_function narrow_find(instruction_function run);

struct frame {
    struct row_banks banks;
    struct value *registers;
    const struct program *program;
    const struct program_row *row;
    struct program_context *context;
    bool passed;
    struct error error; /* of the failure being handled; not initialised per row */
};

static inline const struct value *frame_value(const struct frame *frame, operand at)
{
    return banks_value(&frame->banks, at);
}

/* Reports frame->error and goes where the instruction's trap says. */
const struct instruction *frame_fail(struct frame *frame, const struct instruction *self);
const struct instruction *frame_fail_null(struct frame *frame, const struct instruction *self,
                                          const char *what);

/* --- plans of instructions --- */

typedef unsigned (*order_function)(const struct value *a, const struct value *b, const void *plan);

struct compare_plan { /* test_number, is_number, test_deep, is_deep */
    const struct sql_type *left, *right;
};

struct in_plan {
    const operand *items;
    uint32_t item_count;
    order_function order;
    struct compare_plan types;
};

typedef int (*decimal_function)(struct decimal a, struct decimal b, const struct sql_type *result,
                                struct decimal *out, struct error *err);

struct decimal_plan {
    decimal_function operation;
    const struct sql_type *left, *right, *result;
};

struct cast_plan {
    cast_function cast;
    const struct sql_type *from, *to;
};

enum { ARGUMENTS_ON_STACK = 8 }; /* of a call; more are listed in the arena */

struct call_plan {
    const struct scalar_kind *kind;
    const struct function_call_plan *plan;
    const operand *arguments;
    const void *prepared; /* by the function's prepare */
};

struct construct_plan {
    const struct sql_type *type;
    const operand *parts; /* of a MAP: key, value, key, value, ... */
    uint32_t part_count;
};

/* Outcomes of two values that are not null (eval_compare.c). */
unsigned order_i64(const struct value *a, const struct value *b, const void *plan);
unsigned order_f64(const struct value *a, const struct value *b, const void *plan);
unsigned order_same_text(const struct value *a, const struct value *b, const void *plan);
unsigned order_text(const struct value *a, const struct value *b, const void *plan);
unsigned order_octets(const struct value *a, const struct value *b, const void *plan);
unsigned order_number(const struct value *a, const struct value *b, const void *plan);
unsigned order_deep(const struct value *a, const struct value *b, const void *plan);

#define OPCODE(name) \
    const struct instruction *eval_##name(const struct instruction *self, struct frame *frame);
#include "engine/expr/opcodes.def"
#undef OPCODE

#endif
