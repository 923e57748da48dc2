/*
 * compile_internal.h: the program under construction.
 *
 * Compiling cannot go wrong half way and back out, so an error sticks: the first
 * one is kept in `code` and *err, what is emitted after it is thrown away with
 * the builder.
 */
#ifndef SLUICE_ENGINE_EXPR_COMPILE_INTERNAL_H
#define SLUICE_ENGINE_EXPR_COMPILE_INTERNAL_H

#include "base/vec.h"
#include "engine/expr/expr_internal.h"
#include "engine/expr/program_internal.h"

enum { NO_LABEL = 0, NO_TRAP = 0 };

/* A place to jump to, known or not yet. */
struct label {
    uint32_t at;
    uint32_t known_limit; /* values computed since then may not be there when coming this way */
};

/* A value that has been computed on every way to here. */
struct known_value {
    const struct expr *e;
    operand at;
    uint32_t serial;
};

struct constant {
    struct value value;
    const struct sql_type *type;
};

enum trapping { TRAP_NESTED, TRAP_NOTHING };

struct program_builder {
    struct arena *arena;
    const struct row_shape *input, *other;
    VEC(struct instruction) code; /* jump and trap.resume hold labels until finished */
    VEC(struct trap) traps;
    VEC(struct label) labels; /* the first is nothing's */
    VEC(struct constant) constants;
    VEC(struct known_value) known;
    uint32_t known_serial; /* of the next value */
    uint32_t next_register, kept_registers, register_count;
    const struct expr *result; /* of the step: its register comes first, so that all */
    uint32_t result_register;  /* others can be used again behind the step */
    uint32_t trap;             /* where failures go now */
    uint32_t drop;             /* label of the end that drops the row */
    bool has_filter;           /* of the program */
    bool folding;              /* constant subtrees become constants */
    bool can_fail;             /* something emitted since the step or trap began may fail */
    enum trapping trapping;
    int code_of_error;
    struct error *err;
};

/* --- compile.c --- */
void builder_fail(struct program_builder *b, enum error_code code, struct position at,
                  const char *message);
uint32_t label_make(struct program_builder *b);
void label_place(struct program_builder *b, uint32_t label);
/* A register for the value of e. */
operand register_make(struct program_builder *b, const struct expr *e);
/* One instruction; the pointer is valid until the next. */
struct instruction *emit(struct program_builder *b, instruction_function run);
struct instruction *emit_fallible(struct program_builder *b, instruction_function run);
void emit_jump(struct program_builder *b, struct instruction *at, uint32_t label);
operand constant_make(struct program_builder *b, struct value value, const struct sql_type *type);
/* Opens and closes a trap point; `what` names the part that becomes null. */
struct trap_scope {
    uint32_t trap, outer;
    bool outer_can_fail;
};
struct trap_scope trap_open(struct program_builder *b, const char *what);
void trap_close(struct program_builder *b, struct trap_scope scope, operand out);

/* --- compile_expr.c --- */
/* Emits what computes e and says where its value then lies. */
operand compile_value(struct program_builder *b, const struct expr *e);
/* Jumps to the label when the BOOLEAN e is `when`, else falls through; null fails. */
void compile_jump(struct program_builder *b, const struct expr *e, bool when, uint32_t label);
/* True: the value of a constant, which does not fail. */
bool compile_fold(struct program_builder *b, const struct expr *e, struct value *out);

/* --- compile_construct.c --- */
operand compile_construct(struct program_builder *b, const struct expr *e);

/* --- compile_compare.c --- */
operand compile_compare(struct program_builder *b, const struct expr *e);
void compile_compare_jump(struct program_builder *b, const struct expr *e, bool when,
                          uint32_t label);
operand compile_in(struct program_builder *b, const struct expr *e);

#endif
