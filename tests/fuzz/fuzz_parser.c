/*
 * fuzz_parser.c: what parses prints, the print parses, and prints the same; what
 * does not parse has a code, a message and an excerpt.
 */
#include <assert.h>

#include "base/arena.h"
#include "parser/ast_print.h"
#include "parser/parse.h"
#include "tests/fuzz/fuzz.h"

static void check_error(struct bytes text, int code, const struct error *err)
{
    struct buffer excerpt = { 0 };

    assert(code == (int)err->code && err->message[0]);
    assert(err->at.line > 0 && err->at.column > 0);
    parse_error_excerpt(text, err->at, &excerpt);
    assert(excerpt.len > 0);
    buffer_fini(&excerpt);
}

static void check_statement(struct arena *arena, const struct ast_statement *statement)
{
    struct buffer first = { 0 };
    struct buffer second = { 0 };
    struct ast_script again;
    int code;

    ast_print_statement(&first, statement);
    code = parse_script(arena, buffer_bytes(&first), &again, NULL);
    assert(code == 0 && again.statements.count == 1);
    assert(again.statements.items[0]->kind == statement->kind);
    ast_print_statement(&second, again.statements.items[0]);
    assert(bytes_equal(buffer_bytes(&first), buffer_bytes(&second)));
    buffer_fini(&first);
    buffer_fini(&second);
}

static void check_script(struct arena *arena, struct bytes text)
{
    struct ast_script script = { 0 };
    struct error err = { 0 };
    int code = parse_script(arena, text, &script, &err);

    if (code) {
        check_error(text, code, &err);
    }
    for (uint32_t i = 0; i < script.statements.count; i++) {
        check_statement(arena, script.statements.items[i]);
    }
}

static void check_expression(struct arena *arena, struct bytes text)
{
    struct ast_expr *expr = NULL;
    struct ast_expr *again = NULL;
    struct error err = { 0 };
    int code = parse_expression(arena, text, &expr, &err);

    if (code) {
        check_error(text, code, &err);
        return;
    }
    code = parse_expression(arena, ast_expr_text(arena, expr), &again, &err);
    assert(code == 0 && ast_expr_equal(expr, again));
}

static void check_type(struct arena *arena, struct bytes text)
{
    struct ast_type *type = NULL;
    struct ast_type *again = NULL;
    struct buffer out = { 0 };
    int code = parse_type(arena, text, &type, NULL);

    if (code == 0) {
        ast_print_type(&out, type);
        code = parse_type(arena, buffer_bytes(&out), &again, NULL);
        assert(code == 0 && ast_type_equal(type, again));
        buffer_fini(&out);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes text = { size ? (const char *)data : "", size };
    struct arena arena;

    if (size > PARSE_TEXT_MAX / 4) { /* its print has to fit too */
        return 0;
    }
    arena_init(&arena, 0);
    check_script(&arena, text);
    check_expression(&arena, text);
    check_type(&arena, text);
    arena_fini(&arena);
    return 0;
}
