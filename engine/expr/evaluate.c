/*
 * evaluate.c: one value of an expression that needs no row.
 *
 * It is a program like any other, run once, without folding (that would come
 * back here) and without trap points: whoever asks wants to know of any failure.
 */
#include "engine/expr/compile_internal.h"

struct first_failure {
    int code;
    struct error *err;
};

static void keep_failure(void *context, const char *what, const struct error *err)
{
    struct first_failure *failure = context;

    if (!failure->code) {
        failure->code = error_set(failure->err, err->code, err->at, "%s", err->message);
    }
}

static bool needs_no_row(void *context, const struct expr *node)
{
    return node->kind != EXPR_COLUMN && node->kind != EXPR_PSEUDO && node->kind != EXPR_AGGREGATE;
}

static int compile_once(struct program_builder *b, const struct expr *e, operand *out,
                        struct error *err)
{
    static const char what[] = "Error evaluating a constant";

    b->folding = false;
    b->err = err;
    b->trapping = TRAP_NOTHING;
    b->traps.items[NO_TRAP].what = what;
    *out = compile_value(b, e);
    return b->code_of_error;
}

int expr_evaluate_constant(const struct expr *e, struct arena *arena, struct value *out,
                           struct error *err)
{
    struct program_builder *b = NULL;
    const struct program *program = NULL;
    struct first_failure failure = { 0, err };
    struct program_context context = { arena, keep_failure, &failure };
    struct program_row row = { 0 };
    operand at = 0;

    if (e->kind == EXPR_LITERAL) {
        *out = e->literal;
        return 0;
    }
    if (!expr_walk(e, needs_no_row, NULL)) {
        return error_set(err, ERR_EVALUATE, e->at, "only constants can stand here, not columns");
    }
    b = program_begin(arena, NULL, NULL);
    TRY(compile_once(b, e, &at, err));
    program = program_finish(b);
    row.registers = arena_array(arena, struct value, program_register_count(program));
    row.banks.at[BANK_REGISTERS] = row.registers;
    row.banks.at[BANK_CONSTANTS] = program_constants(program);
    if (!program_run(program, &row, &context)) {
        return failure.code;
    }
    *out = *banks_value(&row.banks, at);
    return 0;
}
