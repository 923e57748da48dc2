/*
 * physical_internal.h: what physical.c (the walk over the steps) and physical_state.c (what
 * keeps state: stores, keys, codecs) share.
 */
#ifndef SLUICE_ENGINE_PLAN_PHYSICAL_INTERNAL_H
#define SLUICE_ENGINE_PLAN_PHYSICAL_INTERNAL_H

#include "engine/plan/plan_internal.h"

typedef VEC(struct op_plan) op_list;
typedef VEC(struct input_plan) input_list;
typedef VEC(uint32_t) index_list;

struct physical_builder {
    const struct analysis *a;
    struct arena *arena;
    struct physical_plan *plan;
    /* the sub-topology that is being built */
    input_list inputs;
    op_list ops;
    index_list sub_stores;
    const struct row_shape *shape;            /* of the rows so far */
    struct program_builder *program;          /* of the open stage; NULL: none */
    bool key_bytes_given;                     /* rows come from a repartition topic */
    uint32_t pseudo_at[PSEUDO_WINDOWEND + 1]; /* column of a kept table's row; 0: read in place */
    uint32_t next_shape_id;
    struct pull_plan pull;
    /* finished */
    VEC(struct sub_plan) subs;
    VEC(struct store_plan) stores;
    VEC(struct output_plan) outputs;
    VEC(struct plan_step) steps;
};

/* Behind the operators so far, over the current shape; the pointer lives until the next one. */
struct op_plan *physical_add_op(struct physical_builder *b, enum plan_tag tag,
                                struct bytes context);
/* The expression over the current row: pseudo columns that a table keeps are columns there. */
const struct expr *physical_move(struct physical_builder *b, const struct expr *e);
/* Which columns of the source the query reads. */
const bool *physical_wanted_columns(struct physical_builder *b);

/* Where columns [first, first + count) of the current shape lie. */
const operand *physical_operands(struct physical_builder *b, uint32_t first, uint32_t count);
struct row_codec physical_codec(struct physical_builder *b, const struct shape_column *columns,
                                uint32_t count);
/* A shape whose cells are these columns in order. */
const struct row_shape *physical_cells(struct physical_builder *b,
                                       const struct shape_column *columns, uint32_t count,
                                       uint32_t key_count);
/* Key bytes of the key columns of the current shape, for internal topics and stores. */
struct key_plan physical_key(struct physical_builder *b, const struct side_format *wanted);

void physical_add_table(struct physical_builder *b, const struct logical_node *node);
void physical_add_aggregate(struct physical_builder *b, const struct logical_node *node);
const char *physical_calls_text(struct physical_builder *b); /* "COUNT(*), SUM(V)" */

#endif
