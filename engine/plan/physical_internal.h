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

/* A sub-topology that is being built. */
struct sub_draft {
    bool is_open;
    uint32_t number; /* in the plan */
    input_list inputs;
    op_list ops;
    index_list stores;
};

/* Rows on their way to the next operator. */
struct branch {
    const struct row_shape *shape;
    bool key_bytes_given; /* they come with the bytes of their key */
    bool from_op;         /* else from an input */
    uint32_t from;        /* its number in the draft */
    uint32_t step;        /* the last one for EXPLAIN + 1; 0: none */
    /* joins: per column of the relation what it is over the shape; NULL: not here */
    const struct expr **columns;
    const struct join_leaf *leaves; /* the tables that the rows can be looked up in */
    uint32_t leaf_count;
};

struct physical_builder {
    const struct analysis *a;
    struct arena *arena;
    struct physical_plan *plan;
    struct sub_draft sub;
    struct sub_draft outer; /* put aside while a table's way to its topic is built */
    struct branch at;
    struct program_builder *program;          /* of the open stage; NULL: none */
    uint32_t pseudo_at[PSEUDO_WINDOWEND + 1]; /* column of a kept table's row; 0: read in place */
    const bool *used;                         /* joins: columns of the relation that are needed */
    uint32_t next_shape_id;
    struct pull_plan pull;
    /* finished */
    VEC(struct sub_plan) subs;
    VEC(struct store_plan) stores;
    VEC(struct output_plan) outputs;
    VEC(struct plan_step) steps;
};

/* --- sub-topologies and steps: physical.c --- */

/* Rows come from this input now; it begins a sub-topology where none is open. */
void physical_begin_input(struct physical_builder *b, const struct input_plan *input);
void physical_end_sub(struct physical_builder *b);
void physical_add_step(struct physical_builder *b, const char *name,
                       const struct logical_node *node, struct bytes detail);
uint32_t physical_add_output(struct physical_builder *b, enum topic_role role, struct bytes topic,
                             uint32_t partitions);
struct program_builder *physical_open_stage(struct physical_builder *b);
/* Ends the open stage, whose rows leave with these columns. */
void physical_close_stage(struct physical_builder *b, const struct logical_node *node,
                          const struct shape_column *columns, uint32_t count, uint32_t key_count);

/* --- joins: physical_join.c --- */

int physical_add_joined_source(struct physical_builder *b, const struct logical_node *node,
                               struct error *err);
int physical_add_rekey(struct physical_builder *b, const struct logical_node *node,
                       struct error *err);
/* Behind both sides: left as it was saved, right as it is in the builder. */
void physical_add_join(struct physical_builder *b, const struct logical_node *node,
                       const struct branch *left);

/* --- causal joins: lineage.c --- */

/* How tables of the sub-topology's join derive from its stream; NULL: none does. */
const struct lineage_plan *lineage_find(struct plan_context *context,
                                        const struct physical_plan *own, uint32_t sub);
/* The queries on the way but the own one, in order. */
struct bytes lineage_text(struct arena *arena, const struct lineage_plan *lineage,
                          struct bytes own_id);

/* --- state: physical_state.c --- */

/* Visits what the query evaluates over its source or relation, ON aside. */
void physical_walk(const struct analysis *a, bool (*visit)(void *context, const struct expr *node),
                   void *context);
bool physical_note_column(void *context, const struct expr *node); /* bool per column */
uint32_t physical_add_store(struct physical_builder *b, struct bytes name,
                            const struct row_shape *shape);
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
/* Remembers the rows of the result for pull queries. */
void physical_add_keep(struct physical_builder *b, const struct logical_node *node);
void physical_add_aggregate(struct physical_builder *b, const struct logical_node *node);
const char *physical_calls_text(struct physical_builder *b); /* "COUNT(*), SUM(V)" */

#endif
