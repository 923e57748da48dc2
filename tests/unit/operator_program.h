/*
 * operator_program.h: stages for operator tests, over programs built from expressions.
 */
#ifndef SLUICE_TESTS_UNIT_OPERATOR_PROGRAM_H
#define SLUICE_TESTS_UNIT_OPERATOR_PROGRAM_H

#include "tests/unit/operator_world.h"

struct stage_wish {
    const char *condition; /* "V > 5": a BIGINT column, > or <, a number; NULL: no filter */
    const char *columns;   /* "K STRING KEY, V BIGINT": by name; "V+1": computed, BIGINT VALUE */
    bool over_table;
};

/* A stage behind the operators that are there. */
struct op_plan *world_add_stage(struct world *w, const struct row_shape *input,
                                const struct stage_wish *wish);

#endif
