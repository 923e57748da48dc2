/*
 * test_parser_conformance.c: every statement of the conformance cases beside the
 * repository parses and round-trips, except those that shall be syntax errors.
 *
 * The cases are read from $SLUICE_CONFORMANCE or ../shared/conformance; where
 * neither is there the test is skipped and says so.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <glob.h>
#include <jansson.h>

#include "base/arena.h"
#include "parser/ast_print.h"
#include "parser/parse.h"

struct tally {
    unsigned parsed;
    unsigned refused; /* as they shall be */
    unsigned wrong;
};

static void report(struct tally *tally, const char *file, const char *name, const char *text,
                   const char *message)
{
    tally->wrong++;
    print_error("%s: %s: %s\n  in: %s\n", file, name, message, text);
}

/* Whether the case says that some statement of it is no SQL. */
static bool expects_syntax_error(const json_t *test)
{
    const json_t *expected = json_object_get(test, "expectedException");
    const char *message = json_string_value(json_object_get(expected, "message"));
    const char *type = json_string_value(json_object_get(expected, "type"));

    return (message && (strstr(message, "Syntax Error") || strstr(message, "Syntax error"))) ||
           (type && strstr(type, "ParseFailedException"));
}

/* Prints each statement, reads that, prints it again: the texts agree. */
static bool round_trips(struct arena *arena, const struct ast_script *script)
{
    bool agree = true;

    for (uint32_t i = 0; i < script->statements.count && agree; i++) {
        struct buffer first = { 0 };
        struct buffer second = { 0 };
        struct ast_script again = { 0 };

        ast_print_statement(&first, script->statements.items[i]);
        agree = parse_script(arena, buffer_bytes(&first), &again, NULL) == 0 &&
                again.statements.count == 1;
        if (agree) {
            ast_print_statement(&second, again.statements.items[0]);
            agree = bytes_equal(buffer_bytes(&first), buffer_bytes(&second));
        }
        buffer_fini(&first);
        buffer_fini(&second);
    }
    return agree;
}

static void check_test(struct tally *tally, const char *file, const json_t *test)
{
    const char *name = json_string_value(json_object_get(test, "name"));
    const json_t *statements = json_object_get(test, "statements");
    bool may_fail = expects_syntax_error(test);

    for (size_t i = 0; i < json_array_size(statements); i++) {
        const char *text = json_string_value(json_array_get(statements, i));
        struct arena arena;
        struct ast_script script = { 0 };
        struct error err = { 0 };
        int code;

        arena_init(&arena, 0);
        code = parse_script(&arena, bytes_of(text), &script, &err);
        if (code == 0 && !round_trips(&arena, &script)) {
            report(tally, file, name, text, "does not round-trip");
        } else if (code == ERR_SYNTAX && may_fail) {
            tally->refused++;
        } else if (code != 0) {
            report(tally, file, name, text, err.message);
        } else {
            tally->parsed++;
        }
        arena_fini(&arena);
    }
}

static void check_file(struct tally *tally, const char *path)
{
    json_error_t problem;
    json_t *root = json_load_file(path, 0, &problem);
    const json_t *tests = json_object_get(root, "tests");

    if (!root) {
        fail_msg("%s: %s", path, problem.text);
    }
    for (size_t i = 0; i < json_array_size(tests); i++) {
        check_test(tally, path, json_array_get(tests, i));
    }
    json_decref(root);
}

static void conformance_statements_parse_unless_syntax_errors(void **state)
{
    const char *root = getenv("SLUICE_CONFORMANCE");
    struct tally tally = { 0 };
    char pattern[4096];
    glob_t files;

    (void)snprintf(pattern, sizeof pattern, "%s/qtt/*.json", root ? root : "../shared/conformance");
    if (glob(pattern, 0, NULL, &files) != 0) {
        print_message("skipped: there is no %s\n", pattern);
        globfree(&files);
        skip();
    }
    for (size_t i = 0; i < files.gl_pathc; i++) {
        check_file(&tally, files.gl_pathv[i]);
    }
    globfree(&files);
    print_message("%u statements parsed, %u refused as expected\n", tally.parsed, tally.refused);
    assert_int_equal(tally.wrong, 0);
    assert_true(tally.parsed > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conformance_statements_parse_unless_syntax_errors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
