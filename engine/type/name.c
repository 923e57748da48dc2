/*
 * name.c: a column's name as a user would type it. What needs quotes is the parser's to say.
 */
#include "engine/type/schema.h"
#include "parser/ast_print.h"

void name_print(struct bytes name, struct buffer *out)
{
    ast_print_name(out, name);
}
