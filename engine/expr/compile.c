/*
 * compile.c: building a program step by step: labels, traps, registers, constants.
 *
 *   filter:  <condition, jumping to `drop` when false>
 *   value:   <instructions into a register>  resume:
 *   end:     pass
 *   drop:    drop
 *
 * A failure in a filter resumes at `drop`, in a value behind its step with its
 * register null; nested trap points (expressions.md 13) do the same on a smaller
 * scale. In a filter nothing is trapped: any error drops the row.
 *
 * Values known to have been computed are used again. Whether one still is known
 * follows from the ways that meet at a label: what was computed after the first
 * jump to it is forgotten. A place where a failure resumes is such a label too.
 */
#include "engine/expr/compile_internal.h"

enum { CODE_MAX = 1 << 24 };

void builder_fail(struct program_builder *b, enum error_code code, struct position at,
                  const char *message)
{
    if (!b->code_of_error) {
        b->code_of_error = error_set(b->err, code, at, "%s", message);
    }
}

/* --- labels --- */

uint32_t label_make(struct program_builder *b)
{
    *vec_push(b->arena, &b->labels) = (struct label){ 0, UINT32_MAX };
    return b->labels.count - 1;
}

static void label_use(struct program_builder *b, uint32_t label)
{
    if (b->labels.items[label].known_limit > b->known_serial) {
        b->labels.items[label].known_limit = b->known_serial;
    }
}

static void forget_known(struct program_builder *b, uint32_t limit)
{
    while (b->known.count && b->known.items[b->known.count - 1].serial >= limit) {
        b->known.count--;
    }
}

void label_place(struct program_builder *b, uint32_t label)
{
    b->labels.items[label].at = b->code.count;
    forget_known(b, b->labels.items[label].known_limit);
}

/* --- instructions --- */

struct instruction *emit(struct program_builder *b, instruction_function run)
{
    struct instruction *at = NULL;

    if (b->code.count >= CODE_MAX) {
        builder_fail(b, ERR_TOO_LARGE, NO_POSITION, "the query's expressions are too large");
        b->code.count = 0;
    }
    at = vec_push(b->arena, &b->code);
    *at = (struct instruction){ .run = run, .trap = b->trap };
    return at;
}

struct instruction *emit_fallible(struct program_builder *b, instruction_function run)
{
    b->can_fail = true;
    return emit(b, run);
}

void emit_jump(struct program_builder *b, struct instruction *at, uint32_t label)
{
    at->jump = label;
    label_use(b, label);
}

operand register_make(struct program_builder *b, const struct expr *e)
{
    uint32_t slot = b->next_register;

    if (e == b->result) {
        slot = b->result_register;
    } else if (slot + 1 >= OPERAND_MAX_SLOTS) {
        builder_fail(b, ERR_TOO_LARGE, e->at,
                     "the query computes too many values; split it in two");
        slot = 0;
    } else {
        b->next_register++;
    }
    if (b->register_count <= slot) {
        b->register_count = slot + 1;
    }
    return operand_make(BANK_REGISTERS, slot);
}

static bool constant_is(const struct constant *constant, const struct value *value,
                        const struct sql_type *type)
{
    if (value_is_null(value) || value_is_null(&constant->value)) {
        return value_is_null(value) && value_is_null(&constant->value);
    }
    /* Only what is whole in its 8 bytes: text and items are too rarely the same. */
    return constant->value.kind == value->kind && value->kind < T_STRING &&
           !type_decimal_is_wide(type) && !type_decimal_is_wide(constant->type) &&
           constant->value.i64 == value->i64;
}

operand constant_make(struct program_builder *b, struct value value, const struct sql_type *type)
{
    for (uint32_t i = 0; i < b->constants.count; i++) {
        if (constant_is(&b->constants.items[i], &value, type)) {
            return operand_make(BANK_CONSTANTS, i);
        }
    }
    if (b->constants.count >= OPERAND_MAX_SLOTS) {
        builder_fail(b, ERR_TOO_LARGE, NO_POSITION,
                     "the query has too many constants; split it in two");
        return 0;
    }
    *vec_push(b->arena, &b->constants) = (struct constant){ value, type };
    return operand_make(BANK_CONSTANTS, b->constants.count - 1);
}

/* --- traps --- */

struct trap_scope trap_open(struct program_builder *b, const char *what)
{
    struct trap_scope scope = { b->trap, b->trap, b->can_fail };

    if (b->trapping == TRAP_NOTHING) {
        return scope;
    }
    *vec_push(b->arena, &b->traps) =
        (struct trap){ .what = what, .has_out = true, .resume = label_make(b) };
    scope.trap = b->traps.count - 1;
    label_use(b, b->traps.items[scope.trap].resume);
    b->trap = scope.trap;
    b->can_fail = false;
    return scope;
}

void trap_close(struct program_builder *b, struct trap_scope scope, operand out)
{
    if (scope.trap == scope.outer) {
        return;
    }
    b->trap = scope.outer;
    /* Nothing in it can fail: nothing is forgotten and nobody resumes there. */
    if (b->can_fail) {
        b->traps.items[scope.trap].out = out & OPERAND_SLOT_MASK;
        label_place(b, b->traps.items[scope.trap].resume);
    }
    b->can_fail = scope.outer_can_fail;
}

/* --- steps --- */

struct program_builder *program_begin(struct arena *arena, const struct row_shape *input,
                                      const struct row_shape *other)
{
    struct program_builder *b = arena_new(arena, struct program_builder);

    b->arena = arena;
    b->input = input;
    b->other = other;
    b->folding = true;
    /* An input may bring computed columns of its own: ours lie behind them. */
    b->kept_registers = b->next_register = b->register_count = input ? input->register_count : 0;
    label_make(b);
    b->drop = label_make(b);
    *vec_push(arena, &b->traps) = (struct trap){ .resume = b->drop };
    return b;
}

static void step_begin(struct program_builder *b, const char *what, enum trapping trapping,
                       struct error *err)
{
    b->err = err;
    b->trapping = trapping;
    b->can_fail = false;
    *vec_push(b->arena, &b->traps) = (struct trap){ .what = what, .resume = b->drop };
    b->trap = b->traps.count - 1;
}

/* Registers of this step that nobody can ask for any more are free again. */
static void step_end(struct program_builder *b, operand result)
{
    uint32_t needed = b->kept_registers;

    b->err = NULL; /* the caller's, of this step alone */
    if (result >> OPERAND_BANK_SHIFT == BANK_REGISTERS &&
        needed <= (uint32_t)(result & OPERAND_SLOT_MASK)) {
        needed = (uint32_t)(result & OPERAND_SLOT_MASK) + 1;
    }
    b->kept_registers = needed;
    for (uint32_t i = 0; i < b->known.count; i++) {
        operand at = b->known.items[i].at;

        if (at >> OPERAND_BANK_SHIFT == BANK_REGISTERS &&
            needed <= (uint32_t)(at & OPERAND_SLOT_MASK)) {
            needed = (uint32_t)(at & OPERAND_SLOT_MASK) + 1;
        }
    }
    b->next_register = needed;
}

int program_add_filter(struct program_builder *b, const struct expr *condition, const char *what,
                       struct error *err)
{
    b->has_filter = true;
    step_begin(b, what, TRAP_NOTHING, err);
    compile_jump(b, condition, false, b->drop);
    step_end(b, 0);
    return b->code_of_error;
}

int program_add_value(struct program_builder *b, const struct expr *value, const char *what,
                      operand *out, struct error *err)
{
    uint32_t known_before = b->known_serial;
    operand at = 0;

    step_begin(b, what, TRAP_NESTED, err);
    b->result = value;
    b->result_register = b->next_register++;
    at = compile_value(b, value);
    b->result = NULL;
    if (b->code_of_error) {
        return b->code_of_error;
    }
    if (b->can_fail) {
        struct trap *trap = &b->traps.items[b->trap];

        trap->has_out = true;
        trap->out = at & OPERAND_SLOT_MASK;
        trap->resume = label_make(b);
        label_place(b, b->traps.items[b->trap].resume);
        forget_known(b, known_before);
    }
    step_end(b, at);
    *out = at;
    return 0;
}

static const struct value *finish_constants(const struct program_builder *b)
{
    struct value *values = arena_array(b->arena, struct value, b->constants.count);

    for (uint32_t i = 0; i < b->constants.count; i++) {
        values[i] = b->constants.items[i].value;
    }
    return values;
}

static bool lies_in_batch(operand at)
{
    return at >> OPERAND_BANK_SHIFT == BANK_CELLS || at >> OPERAND_BANK_SHIFT == BANK_CONSTANTS;
}

/* Comparisons of cells and constants that do nothing but drop the row. */
static uint32_t count_leading(const struct instruction *code, uint32_t drop)
{
    uint32_t count = 0;

    while (narrow_find(code[count].run) && code[count].jump == drop &&
           lies_in_batch(code[count].a) && lies_in_batch(code[count].b)) {
        count++;
    }
    return count;
}

const struct program *program_finish(struct program_builder *b)
{
    struct program *program = arena_new(b->arena, struct program);

    program->constants = finish_constants(b);
    program->constant_count = b->constants.count;
    program->register_count = b->register_count;
    program->has_filter = b->has_filter;
    if (b->code.count == 0) {
        return program;
    }
    emit(b, eval_pass);
    label_place(b, b->drop);
    emit(b, eval_drop);
    for (uint32_t i = 0; i < b->code.count; i++) {
        b->code.items[i].jump = b->labels.items[b->code.items[i].jump].at;
    }
    for (uint32_t i = 0; i < b->traps.count; i++) {
        b->traps.items[i].resume = b->labels.items[b->traps.items[i].resume].at;
    }
    program->code = b->code.items;
    program->code_count = b->code.count;
    program->leading_count = count_leading(program->code, b->code.count - 1);
    program->traps = b->traps.items;
    return program;
}
