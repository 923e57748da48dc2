/*
 * test_repl_input.c: when the shell runs what was typed, and what it keeps in its history.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/repl/input.h"

static void check_state(const char *text, enum input_state expected)
{
    if (input_examine(bytes_of(text)) != expected) {
        fail_msg("'%s' is taken for %d", text, (int)input_examine(bytes_of(text)));
    }
}

static void statement_ends_with_a_semicolon_outside_quotes_and_comments(void **state)
{
    check_state("SELECT 1;", INPUT_COMPLETE);
    check_state("SELECT 1;  -- done", INPUT_COMPLETE);
    check_state("SELECT 1; /* done */\n", INPUT_COMPLETE);
    check_state("SELECT 1", INPUT_OPEN);
    check_state("SELECT ';", INPUT_OPEN);
    check_state("SELECT ';'", INPUT_OPEN);
    check_state("SELECT 'it''s';", INPUT_COMPLETE);
    check_state("SELECT `a;", INPUT_OPEN);
    check_state("SELECT \"a;\";", INPUT_COMPLETE);
    check_state("SELECT 1 -- ;", INPUT_OPEN);
    check_state("SELECT 1 /* ;", INPUT_OPEN);
    check_state("SELECT 1; SELECT", INPUT_OPEN);
}

static void blanks_and_comments_are_no_input(void **state)
{
    check_state("", INPUT_BLANK);
    check_state(" \t\n", INPUT_BLANK);
    check_state("-- nothing", INPUT_BLANK);
    check_state("/* nothing */", INPUT_BLANK);
    check_state("/* nothing", INPUT_OPEN);
}

static void history_holds_a_statement_on_one_line(void **state)
{
    struct buffer line = { 0 };

    input_join_lines(bytes_of("SELECT a, -- the first\n  'x\ny'\nFROM s /* all */;\n"), &line);
    assert_true(bytes_equal_text(buffer_bytes(&line), "SELECT a, 'x\ny' FROM s ;"));
    buffer_fini(&line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statement_ends_with_a_semicolon_outside_quotes_and_comments),
        cmocka_unit_test(blanks_and_comments_are_no_input),
        cmocka_unit_test(history_holds_a_statement_on_one_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
