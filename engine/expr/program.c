/*
 * program.c: running a finished program, handling its failures, printing it.
 */
#include "engine/expr/program_internal.h"

bool program_run(const struct program *program, struct program_row *row,
                 struct program_context *context)
{
    const struct value *const volatile *cells = &row->banks.at[BANK_CELLS];
    const struct value *const volatile *other = &row->banks.at[BANK_OTHER];
    const struct instruction *at = program->code + (row->narrowed ? program->leading_count : 0);
    struct frame frame;

    if (program->code_count == 0) {
        return true;
    }
    /*
     * Field by field: the error is large and hardly ever needed. The two banks are
     * volatile so that they are loaded one by one: a 16-byte load right behind the
     * caller's 8-byte store of one of them waits for it (5 ns per row).
     */
    frame.banks.at[BANK_CELLS] = *cells;
    frame.banks.at[BANK_OTHER] = *other;
    frame.banks.at[BANK_REGISTERS] = row->registers;
    frame.banks.at[BANK_CONSTANTS] = program->constants;
    frame.registers = row->registers;
    frame.program = program;
    frame.row = row;
    frame.context = context;
    frame.passed = false;
    while (at) {
        at = at->run(at, &frame);
    }
    return frame.passed;
}

uint32_t program_narrow(const struct program *program, const struct value *cells, uint32_t stride,
                        const uint16_t *rows, uint32_t count, uint16_t *kept)
{
    struct narrowing n = { program->constants, cells, stride, rows, count, kept };

    for (uint32_t i = 0; i < program->leading_count; i++) {
        n.count = narrow_find(program->code[i].run)(&program->code[i], &n);
        n.rows = kept;
    }
    if (!program->leading_count) {
        for (uint32_t i = 0; i < count; i++) {
            kept[i] = rows ? rows[i] : (uint16_t)i;
        }
    }
    return n.count;
}

const struct instruction *frame_fail(struct frame *frame, const struct instruction *self)
{
    const struct trap *trap = &frame->program->traps[self->trap];

    if (frame->context->failed) {
        frame->context->failed(frame->context->context, trap->what, &frame->error);
    }
    if (trap->has_out) {
        frame->registers[trap->out] = value_null();
    }
    return frame->program->code + trap->resume;
}

const struct instruction *frame_fail_null(struct frame *frame, const struct instruction *self,
                                          const char *what)
{
    error_set(&frame->error, ERR_EVALUATE, NO_POSITION, "%s is null", what);
    return frame_fail(frame, self);
}

uint32_t program_register_count(const struct program *program)
{
    return program->register_count;
}

const struct value *program_constants(const struct program *program)
{
    return program->constants;
}

bool program_is_empty(const struct program *program)
{
    return program->code_count == 0;
}

bool program_has_filter(const struct program *program)
{
    return program->has_filter;
}

static const char *instruction_name(instruction_function run)
{
    static const struct {
        instruction_function run;
        const char *name;
    } opcodes[] = {
#define OPCODE(name) { eval_##name, #name },
#include "engine/expr/opcodes.def"
#undef OPCODE
    };

    for (size_t i = 0; i < sizeof opcodes / sizeof *opcodes; i++) {
        if (opcodes[i].run == run) {
            return opcodes[i].name;
        }
    }
    return "?";
}

static void print_operand(operand at, struct buffer *out)
{
    static const char banks[BANK_COUNT] = { 'c', 'o', 'r', 'k' };

    buffer_printf(out, " %c%u", banks[at >> OPERAND_BANK_SHIFT], (unsigned)at & OPERAND_SLOT_MASK);
}

/* "3 test_i64 c0 k1 mask 4 -> 7": all parts, used or not, so that a line needs no key. */
void program_print(const struct program *program, struct buffer *out)
{
    for (uint32_t i = 0; i < program->code_count; i++) {
        const struct instruction *at = &program->code[i];

        buffer_printf(out, "%u %s r%u <-", i, instruction_name(at->run), (unsigned)at->out);
        print_operand(at->a, out);
        print_operand(at->b, out);
        buffer_printf(out, " mask %u jump %u fail %u\n", (unsigned)at->mask, at->jump,
                      program->traps[at->trap].resume);
    }
}
