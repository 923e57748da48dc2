/*
 * eval_control.c: ends, jumps, tests of one value, moves.
 */
#include "engine/expr/program_internal.h"

const struct instruction *eval_pass(const struct instruction *self, struct frame *frame)
{
    frame->passed = true;
    return NULL;
}

const struct instruction *eval_drop(const struct instruction *self, struct frame *frame)
{
    return NULL;
}

const struct instruction *eval_jump(const struct instruction *self, struct frame *frame)
{
    return frame->program->code + self->jump;
}

const struct instruction *eval_test(const struct instruction *self, struct frame *frame)
{
    const struct value *condition = frame_value(frame, self->a);

    if (value_is_null(condition)) {
        return frame_fail_null(frame, self, "a condition");
    }
    return self->mask & (condition->i64 ? OUTCOME_TRUE : OUTCOME_FALSE)
               ? frame->program->code + self->jump
               : self + 1;
}

const struct instruction *eval_test_null(const struct instruction *self, struct frame *frame)
{
    return value_is_null(frame_value(frame, self->a)) == (self->mask != 0)
               ? frame->program->code + self->jump
               : self + 1;
}

const struct instruction *eval_fail_null(const struct instruction *self, struct frame *frame)
{
    return frame_fail_null(frame, self, "a condition");
}

const struct instruction *eval_move(const struct instruction *self, struct frame *frame)
{
    frame->registers[self->out] = *frame_value(frame, self->a);
    return self + 1;
}

const struct instruction *eval_is_null(const struct instruction *self, struct frame *frame)
{
    bool is_null = value_is_null(frame_value(frame, self->a));

    frame->registers[self->out] = value_i64(T_BOOLEAN, is_null != (self->mask != 0));
    return self + 1;
}

const struct instruction *eval_rowtime(const struct instruction *self, struct frame *frame)
{
    const struct row_meta *meta = frame->row->meta;

    frame->registers[self->out] = meta ? value_i64(T_BIGINT, meta->timestamp_ms) : value_null();
    return self + 1;
}

const struct instruction *eval_rowpartition(const struct instruction *self, struct frame *frame)
{
    const struct row_origin *origin = frame->row->origin;

    frame->registers[self->out] = origin ? value_i64(T_INTEGER, origin->partition) : value_null();
    return self + 1;
}

const struct instruction *eval_rowoffset(const struct instruction *self, struct frame *frame)
{
    const struct row_origin *origin = frame->row->origin;

    frame->registers[self->out] = origin ? value_i64(T_BIGINT, origin->offset) : value_null();
    return self + 1;
}
