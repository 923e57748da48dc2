/*
 * row_batch.c: shapes made from schemas and schemas from shapes.
 */
#include "engine/type/row_batch.h"

#include <assert.h>

void row_shape_of_schema(struct arena *arena, const struct schema *schema, struct row_shape *out)
{
    struct shape_column *columns = arena_array(arena, struct shape_column, schema->column_count);

    assert(schema->column_count <= OPERAND_MAX_SLOTS);
    for (uint32_t i = 0; i < schema->column_count; i++) {
        columns[i].name = schema->columns[i].name;
        columns[i].type = schema->columns[i].type;
        columns[i].role = schema->columns[i].role;
        columns[i].at = operand_make(BANK_CELLS, i);
    }
    *out = (struct row_shape){ .columns = columns,
                               .column_count = schema->column_count,
                               .key_count = schema->key_count,
                               .cell_count = schema->column_count };
}

void row_shape_schema(struct arena *arena, const struct row_shape *shape, struct schema *out)
{
    struct column *columns = arena_array(arena, struct column, shape->column_count);

    for (uint32_t i = 0; i < shape->column_count; i++) {
        columns[i].name = shape->columns[i].name;
        columns[i].type = shape->columns[i].type;
        columns[i].role = shape->columns[i].role;
    }
    *out = (struct schema){ columns, shape->column_count, shape->key_count };
}
