/*
 * row_batch.h: rows on their way through a task.
 *
 * A batch is at most 256 rows, row-major, small enough for the L2 cache. Cells
 * are written once, by a decoder, a store or a stateful operator. A stateless
 * stage leaves them where they are and hands on the same cells under another
 * shape: each column of a shape is an operand that says in which bank and slot
 * the value lies. So projecting, renaming and reordering copy nothing, computed
 * columns lie in registers beside the cells, and the encoder reads both.
 *
 *   operand = bank (2 bits) | slot (14 bits)
 *   BANK_CELLS     this row's cells, as decoded or stored
 *   BANK_OTHER     the other row of a join, while a stage glues two
 *   BANK_REGISTERS this row's computed values
 *   BANK_CONSTANTS one per plan, the same for all rows
 *
 * A change of a table carries the old image too, where the plan needs it: the same
 * operands, over old_cells and old_registers.
 */
#ifndef SLUICE_ENGINE_TYPE_ROW_BATCH_H
#define SLUICE_ENGINE_TYPE_ROW_BATCH_H

#include "engine/type/schema.h"

enum { BATCH_MAX_ROWS = 256 };

typedef uint16_t operand;

enum bank { BANK_CELLS, BANK_OTHER, BANK_REGISTERS, BANK_CONSTANTS, BANK_COUNT };
enum { OPERAND_BANK_SHIFT = 14, OPERAND_SLOT_MASK = 0x3fff, OPERAND_MAX_SLOTS = 0x4000 };

static inline operand operand_make(enum bank bank, uint32_t slot)
{
    return (operand)((unsigned)bank << OPERAND_BANK_SHIFT | slot);
}

/* Where the four banks of one row begin; the row path passes this around. */
struct row_banks {
    const struct value *at[BANK_COUNT];
};

static inline const struct value *banks_value(const struct row_banks *banks, operand op)
{
    return &banks->at[op >> OPERAND_BANK_SHIFT][op & OPERAND_SLOT_MASK];
}

struct record_header {
    struct bytes key;
    struct bytes value; /* may be absent */
};

/* What a row remembers of the source record it comes from. */
struct row_origin {
    int64_t offset;
    uint32_t partition;
    uint32_t header_count;
    const struct record_header *headers;
    const char *topic; /* for messages; lives as long as the reader */
};

enum row_change {
    ROW_HAS_NEW = 1,  /* absent: the row is a tombstone (a stream's null value, a table's delete) */
    ROW_HAS_OLD = 2,  /* old_cells hold what the upstream table had */
    ROW_NULL_KEY = 4, /* the key bytes are null */
};

struct row_meta {
    int64_t timestamp_ms;
    uint32_t origin; /* index into row_batch.origins */
    uint16_t change; /* enum row_change, or-ed */
    uint16_t reserved;
};

_Static_assert(sizeof(struct row_meta) == 16, "row_meta fits the design");

struct shape_column {
    struct bytes name;
    const struct sql_type *type;
    operand at;
    enum column_role role;
};

/* Read-only, part of a plan. */
struct row_shape {
    const struct shape_column *columns; /* key columns first */
    uint32_t column_count;
    uint32_t key_count;
    uint32_t cell_count;     /* stride of cells and old_cells */
    uint32_t register_count; /* stride of registers and old_registers */
    const struct value *constants;
};

struct row_batch {
    const struct row_shape *shape;
    uint32_t row_count;
    uint32_t selected_count;  /* rows that count; row_count when selected is NULL */
    const uint16_t *selected; /* their numbers, ascending; NULL: all */
    const struct value *cells;
    const struct value *old_cells;     /* NULL unless the plan needs old images */
    const struct value *registers;     /* NULL when the shape has none */
    const struct value *old_registers; /* NULL likewise */
    const struct row_meta *meta;
    const struct row_origin *origins;
    const struct bytes *key_bytes; /* per row, in the key format of the step; NULL: not made yet */
    const int64_t *task_time;      /* per row, only where the sink has TIMESTAMP */
    struct arena *arena;           /* ends when the batch has passed through */
};

static inline struct row_banks batch_row_new(const struct row_batch *b, uint32_t row)
{
    return (struct row_banks){
        { b->cells ? b->cells + (size_t)row * b->shape->cell_count : NULL, NULL,
          b->registers ? b->registers + (size_t)row * b->shape->register_count : NULL,
          b->shape->constants }
    };
}

static inline struct row_banks batch_row_old(const struct row_batch *b, uint32_t row)
{
    return (struct row_banks){
        { b->old_cells ? b->old_cells + (size_t)row * b->shape->cell_count : NULL, NULL,
          b->old_registers ? b->old_registers + (size_t)row * b->shape->register_count : NULL,
          b->shape->constants }
    };
}

/* The n-th row that counts. */
static inline uint32_t batch_selected(const struct row_batch *b, uint32_t n)
{
    return b->selected ? b->selected[n] : n;
}

/* A shape whose columns are the cells, in order: what decoders and stores fill. Whoever makes
   schemas from text keeps them below OPERAND_MAX_SLOTS columns. */
void row_shape_of_schema(struct arena *arena, const struct schema *schema, struct row_shape *out);
/* The columns of a shape as a schema (names, types and roles). */
void row_shape_schema(struct arena *arena, const struct row_shape *shape, struct schema *out);

#endif
