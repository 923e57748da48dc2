/*
 * operator_world.h: what operators need around them in tests, and rows as text.
 *
 *     (a,10)@1       key a, value 10, at time 1
 *     (a,-)@4        a tombstone       (-,9)@8   a null key
 *     (a,~)@5        a null column     (b,2)<(a,1)@3   with its old image
 *     (a,1)@5[h]     from a source record with the header h
 *     >(a,1)@5       for the right side of a join
 *
 * Columns are STRING, BIGINT or INTEGER, key columns first; only the first may be a null key.
 */
#ifndef SLUICE_TESTS_UNIT_OPERATOR_WORLD_H
#define SLUICE_TESTS_UNIT_OPERATOR_WORLD_H

#include "engine/operator/op.h"

enum { WORLD_PARTITIONS = 3, WORLD_ROWS = 512, WORLD_STORES = 4, WORLD_OPS = 6 };

struct world {
    struct arena arena; /* of the task and its plan */
    struct op_env env;
    struct physical_plan plan;
    struct store_plan store_plans[WORLD_STORES];
    struct store *stores[WORLD_STORES];
    struct op_plan ops[WORLD_OPS];
    struct sub_plan sub;
    struct op_output output;
    struct log_builder builders[WORLD_PARTITIONS];
    uint64_t touched;
    struct input_plan input;
    struct op_chain chain;
    struct op probe;        /* behind an operator that has no successor but needs one */
    struct buffer seen;     /* the probe's rows */
    struct buffer errors;   /* "what: message;" per row error */
    struct row_batch batch; /* the input, all rows of it */
    uint16_t entry[2];      /* ops that take rows of the left and of the right side */
    bool is_right[WORLD_ROWS];
};

void world_init(struct world *w);
void world_fini(struct world *w);

/* "K STRING KEY, V BIGINT": cells in order. */
const struct row_shape *world_shape(struct world *w, const char *columns);
struct key_plan world_key(struct world *w, const struct row_shape *shape);
const operand *world_operands(struct world *w, const struct row_shape *shape, uint32_t first,
                              uint32_t count);
struct row_codec world_codec(struct world *w, const struct row_shape *shape);
/* A store of the plan whose images hold these columns; its number. */
uint32_t world_add_store(struct world *w, const struct row_shape *shape);
/* An operator behind those that are there. */
struct op_plan *world_add_op(struct world *w, enum plan_tag tag, const struct row_shape *input,
                             const struct row_shape *output);
struct op_plan *world_add_table(struct world *w, const struct row_shape *input,
                                const struct row_shape *output);
/*
 * Groups by one column: COUNT(*) and, where the output has a third column, SUM of the input's
 * last one. The input carries old images where over_table.
 */
struct op_plan *world_add_aggregate(struct world *w, const struct row_shape *input,
                                    const char *output, uint32_t group_column, bool over_table);
/*
 * Left and right have the first operator's columns; the rows that come out have the key, then the
 * left columns, then the right ones. The left side is a table or a stream.
 */
struct op_plan *world_add_join(struct world *w, enum ast_join_kind kind, bool left_is_table);
/* An end that writes the columns as the sink does, JSON values, or as a repartition topic. */
struct op_plan *world_add_sink(struct world *w, const struct row_shape *input);
struct op_plan *world_add_repartition(struct world *w, const struct row_shape *input,
                                      bool is_table);
/* Opens the chain; the last operator leads to the probe unless it is an end. */
void world_open(struct world *w);
/* Forgets operators and stores, keeps plans: as after a crash, without recovery. */
void world_reopen(struct world *w);

/* Makes w->batch of the text, whole. */
void world_rows(struct world *w, const char *rows);
/* Pushes w->batch in pieces of these sizes, the last one repeated; ends with 0. */
void world_push_cut(struct world *w, const uint32_t *sizes);
void world_push(struct world *w, const char *rows);
void world_flush(struct world *w);
/* What the probe has seen, forgotten then. */
void world_expect(struct world *w, const char *rows);
void world_expect_errors(struct world *w, const char *errors);
/* All records of the output: "p0 key=value@time" with key and value as text, per partition. */
void world_print_output(struct world *w, struct buffer *out);
void world_expect_output(struct world *w, const char *records); /* forgotten then */
/* The same as a block of a partition; the records are in the arena. */
struct log_block world_block(struct world *w, uint32_t partition);

/* Row errors of a decoder land in w->errors; for input_decoder_spec. */
void world_decode_failed(void *context, const struct row_origin *origin, enum format_side side,
                         const struct error *err);
/* The selected rows of a batch as text. */
void world_print_batch(const struct row_batch *batch, struct buffer *out);

#endif
