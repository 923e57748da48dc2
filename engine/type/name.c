/*
 * name.c: a column's name as a user would type it. What needs quotes is the parser's to say.
 */
#include "engine/type/schema.h"
#include "parser/ast_print.h"

void name_print(struct bytes name, struct buffer *out)
{
    ast_print_name(out, name);
}

static struct bytes read_quoted(struct bytes typed, struct arena *arena)
{
    char quote = typed.data[0];
    char *name = arena_alloc_text(arena, typed.len);
    size_t len = 0;

    for (size_t i = 1; i + 1 < typed.len; i++) {
        name[len++] = typed.data[i];
        i += typed.data[i] == quote && typed.data[i + 1] == quote && i + 2 < typed.len;
    }
    return (struct bytes){ name, len };
}

struct bytes name_read(struct bytes typed, struct arena *arena)
{
    bool is_quoted = typed.len >= 2 && (typed.data[0] == '`' || typed.data[0] == '"') &&
                     typed.data[typed.len - 1] == typed.data[0];
    char *name;

    if (is_quoted) {
        return read_quoted(typed, arena);
    }
    name = arena_alloc_text(arena, typed.len);
    for (size_t i = 0; i < typed.len; i++) {
        char c = typed.data[i];

        name[i] = (char)(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
    }
    return (struct bytes){ name, typed.len };
}
