/*
 * program.h: a chain of filters and computed columns as one flat program.
 *
 * The planner adds steps in the order in which they run; each gives back the
 * operand at which its value lies. Columns and constants cost nothing: their
 * operands are what the input shape and the constants say. Everything else is
 * computed once per row into a register. Nothing is looked up by name and
 * nothing allocated per value, save text and items in the batch arena.
 *
 * Errors follow expressions.md 13: a failed step leaves its value null (a failed
 * filter drops the row) and reports to the context; nested trap points
 * null just their part.
 */
#ifndef SLUICE_ENGINE_EXPR_PROGRAM_H
#define SLUICE_ENGINE_EXPR_PROGRAM_H

#include "engine/expr/expr.h"

struct program;         /* read-only once finished */
struct program_builder; /* in the arena of the plan */

/* The inputs of the program: one shape, or two when a join glues its rows (BANK_OTHER). */
struct program_builder *program_begin(struct arena *arena, const struct row_shape *input,
                                      const struct row_shape *other);
int program_add_filter(struct program_builder *b, const struct expr *condition, const char *what,
                       struct error *err);
/*
 * what: the head of the step's message in the processing log, "Error computing expression
 * (A + 1) for column B with index 3" and the like; kept, not copied. A nested trap point
 * reports itself as "Error processing INTEGER". The operand of a filter's parts may be
 * shared with later steps, never the reverse.
 */
int program_add_value(struct program_builder *b, const struct expr *value, const char *what,
                      operand *out, struct error *err);
const struct program *program_finish(struct program_builder *b);

uint32_t program_register_count(const struct program *program);
const struct value *program_constants(const struct program *program);
bool program_is_empty(const struct program *program); /* no filter and nothing computed */
bool program_has_filter(const struct program *program);
void program_print(const struct program *program, struct buffer *out); /* for tests, EXPLAIN */

/*
 * The comparisons at a program's beginning, for a whole batch at once: of the rows (NULL: the first
 * `count`) keeps those that they do not drop. They cannot fail, and program_run leaves them
 * out for rows that are marked as narrowed.
 */
uint32_t program_narrow(const struct program *program, const struct value *cells, uint32_t stride,
                        const uint16_t *rows, uint32_t count, uint16_t *kept);

struct program_row {
    bool narrowed;          /* has passed program_narrow */
    struct row_banks banks; /* BANK_REGISTERS must be `registers` */
    struct value *registers;
    const struct row_meta *meta;
    const struct row_origin *origin;
};

struct program_context {
    struct arena *arena;
    /* A step failed; `what` is the step's. May be NULL: errors are not reported. */
    void (*failed)(void *context, const char *what, const struct error *err);
    void *context;
};

/* True: the row passed every filter and its registers are filled. */
bool program_run(const struct program *program, struct program_row *row,
                 struct program_context *context);

#endif
