/*
 * run_script.c: where a text names files to be run, found by their statements' places.
 */
#include "cli/run_script.h"

#include <string.h>

#include "parser/parse.h"

static bool runs_file(const struct ast_script *script, uint32_t i)
{
    return script->statements.items[i]->kind == AST_RUN_SCRIPT;
}

static bool begins_character(char c)
{
    return ((unsigned char)c & 0xc0) != 0x80;
}

/* Where a line and column are in the text; columns count characters. */
static size_t offset_of(struct bytes text, struct position at)
{
    struct position here = { 1, 0 };

    for (size_t i = 0; i < text.len; i++) {
        here.column += begins_character(text.data[i]);
        if (here.line == at.line && here.column == at.column) {
            return i;
        }
        if (text.data[i] == '\n') {
            here = (struct position){ here.line + 1, 0 };
        }
    }
    return text.len;
}

/* The part behind as many blanks and lines as stand before it. */
static struct bytes keep_place(struct bytes text, size_t begin, size_t end, struct arena *arena)
{
    char *copy = arena_array(arena, char, end);
    size_t len = 0;

    for (size_t i = 0; i < begin; i++) {
        if (begins_character(text.data[i])) {
            copy[len++] = text.data[i] == '\n' ? '\n' : ' ';
        }
    }
    memcpy(copy + len, text.data + begin, end - begin);
    return (struct bytes){ copy, len + end - begin };
}

/* Where statement i begins; behind the last one, the end. */
static size_t begin_of(struct bytes text, const struct ast_script *script, uint32_t i)
{
    return i < script->statements.count ? offset_of(text, script->statements.items[i]->at)
                                        : text.len;
}

static uint32_t cut(struct bytes text, const struct ast_script *script, struct arena *arena,
                    struct text_part *parts)
{
    uint32_t count = 0;

    for (uint32_t i = 0, next; i < script->statements.count; i = next) {
        const struct ast_statement *statement = script->statements.items[i];

        next = i + 1;
        if (runs_file(script, i)) {
            parts[count++] =
                (struct text_part){ .file = arena_copy_text(arena, statement->run_script.path.text),
                                    .at = statement->at };
            continue;
        }
        while (next < script->statements.count && !runs_file(script, next)) {
            next++;
        }
        parts[count++].text =
            keep_place(text, begin_of(text, script, i), begin_of(text, script, next), arena);
    }
    return count;
}

uint32_t run_script_cut(struct session *session, struct bytes text, struct arena *arena,
                        struct text_part **out)
{
    struct ast_script script;
    bool any = false;

    if (!session_parse(session, arena, text, &script, NULL)) {
        for (uint32_t i = 0; i < script.statements.count; i++) {
            any |= runs_file(&script, i);
        }
    }
    if (!any) {
        *out = arena_array(arena, struct text_part, 1);
        (*out)[0].text = text;
        return 1;
    }
    *out = arena_array(arena, struct text_part, script.statements.count);
    return cut(text, &script, arena, *out);
}
