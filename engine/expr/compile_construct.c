/*
 * compile_construct.c: ARRAY[...], MAP(...), STRUCT(...) -> one instruction over what their parts
 * come to. Every part is a trap point: its failure nulls the part (expressions.md 13).
 */
#include "engine/expr/compile_internal.h"

static operand compile_part(struct program_builder *b, const struct expr *e, const char *what)
{
    struct trap_scope scope = trap_open(b, what);
    operand out = compile_value(b, e);

    trap_close(b, scope, out);
    return out;
}

static const char *part_text(enum expr_kind kind, uint32_t part)
{
    if (kind == EXPR_ARRAY) {
        return "Error processing array item";
    }
    if (kind == EXPR_STRUCT) {
        return "Error processing struct field";
    }
    return part % 2 == 0 ? "Error processing map key" : "Error processing map value";
}

operand compile_construct(struct program_builder *b, const struct expr *e)
{
    struct construct_plan *plan = arena_new(b->arena, struct construct_plan);
    operand *parts = arena_array(b->arena, operand, e->argument_count);
    operand out;
    struct instruction *at;

    for (uint32_t i = 0; i < e->argument_count; i++) {
        parts[i] = compile_part(b, e->arguments[i], part_text(e->kind, i));
    }
    *plan = (struct construct_plan){ e->type, parts, e->argument_count };
    out = register_make(b, e);
    at = emit(b, e->kind == EXPR_MAP ? eval_make_map : eval_make_items);
    at->out = out & OPERAND_SLOT_MASK;
    at->plan = plan;
    return out;
}
