/*
 * test_error.c: codes are stable names, messages are whole characters.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/utf8.h"

static void set_records_and_returns_the_code(void **state)
{
    struct error err = { 0 };
    int code = error_set(&err, ERR_UNKNOWN_COLUMN, (struct position){ 3, 14 }, "no '%s'", "x");

    assert_int_equal(code, ERR_UNKNOWN_COLUMN);
    assert_int_equal(err.code, ERR_UNKNOWN_COLUMN);
    assert_int_equal(err.at.line, 3);
    assert_int_equal(err.at.column, 14);
    assert_string_equal(err.message, "no 'x'");
}

static void nobody_listening_still_gets_the_code(void **state)
{
    assert_int_equal(error_set(NULL, ERR_IO, NO_POSITION, "%d", 1), ERR_IO);
    assert_int_equal(error_prefix(NULL, "topic"), 0);
}

static void prefix_goes_in_front_and_keeps_code_and_place(void **state)
{
    struct error err = { 0 };

    error_set(&err, ERR_DECODE, (struct position){ 1, 2 }, "bad number");
    assert_int_equal(error_prefix(&err, "topic %s, offset %d", "t", 5), ERR_DECODE);
    assert_string_equal(err.message, "topic t, offset 5: bad number");
    assert_int_equal(err.at.column, 2);
}

static void message_may_quote_the_old_message(void **state)
{
    struct error err = { 0 };

    error_set(&err, ERR_DECODE, NO_POSITION, "inner");
    error_set(&err, ERR_QUERY_FAILED, NO_POSITION, "outer: %s", err.message);
    assert_string_equal(err.message, "outer: inner");
}

static void long_message_is_cut_between_characters(void **state)
{
    char text[3000];
    struct error err = { 0 };

    for (size_t shift = 0; shift < 4; shift++) {
        size_t len = shift;
        size_t cut;

        memset(text, 'x', shift);
        while (len + 3 < sizeof text) {
            memcpy(text + len, "\xE2\x82\xAC", 3); /* a euro sign */
            len += 3;
        }
        text[len] = '\0';
        error_set(&err, ERR_SYNTAX, NO_POSITION, "%s", text);
        cut = strlen(err.message);
        assert_in_range(cut, ERROR_MESSAGE_MAX - 3, ERROR_MESSAGE_MAX - 1);
        assert_true(utf8_is_valid(bytes_of(err.message)));
        error_prefix(&err, "€%d", 12);
        assert_true(utf8_is_valid(bytes_of(err.message)));
        assert_true(strlen(err.message) < ERROR_MESSAGE_MAX);
    }
}

static void long_prefix_leaves_a_whole_message(void **state)
{
    struct error err = { 0 };

    error_set(&err, ERR_SYNTAX, NO_POSITION, "%999s", "inner");
    error_prefix(&err, "%2000s", "outer");
    assert_int_equal(strlen(err.message), ERROR_MESSAGE_MAX - 1);
}

static void cleared_error_says_nothing(void **state)
{
    struct error err = { 0 };

    error_set(&err, ERR_IO, (struct position){ 1, 1 }, "x");
    error_clear(&err);
    assert_int_equal(err.code, ERR_NONE);
    assert_int_equal(err.at.line, 0);
    assert_string_equal(err.message, "");
}

static void every_code_is_found_by_its_own_name(void **state)
{
    for (int code = 1; code < ERR_COUNT; code++) {
        const char *name = error_name((enum error_code)code);

        assert_int_equal(strncmp(name, "ERR_", 4), 0);
        assert_int_equal(error_find(bytes_of(name)), code);
    }
    assert_int_equal(error_find(bytes_of("ERR_NO_SUCH")), ERR_NONE);
    assert_int_equal(error_find((struct bytes){ 0 }), ERR_NONE);
}

static void class_decides_the_policy(void **state)
{
    assert_int_equal(error_class_of(ERR_UNKNOWN_COLUMN), ERROR_STATEMENT);
    assert_int_equal(error_class_of(ERR_DECODE), ERROR_RECORD);
    assert_int_equal(error_class_of(ERR_LOG_UNAVAILABLE), ERROR_TRANSIENT);
    assert_int_equal(error_class_of(ERR_STATE_DAMAGED), ERROR_QUERY);
    assert_int_equal(error_class_of(ERR_USAGE), ERROR_USAGE);
}

static int fails_with(int code, int *steps)
{
    TRY(code);
    ++*steps;
    return 0;
}

static void try_leaves_at_the_first_failure(void **state)
{
    int steps = 0;

    assert_int_equal(fails_with(ERR_IO, &steps), ERR_IO);
    assert_int_equal(steps, 0);
    assert_int_equal(fails_with(0, &steps), 0);
    assert_int_equal(steps, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(set_records_and_returns_the_code),
        cmocka_unit_test(nobody_listening_still_gets_the_code),
        cmocka_unit_test(prefix_goes_in_front_and_keeps_code_and_place),
        cmocka_unit_test(message_may_quote_the_old_message),
        cmocka_unit_test(long_message_is_cut_between_characters),
        cmocka_unit_test(long_prefix_leaves_a_whole_message),
        cmocka_unit_test(cleared_error_says_nothing),
        cmocka_unit_test(every_code_is_found_by_its_own_name),
        cmocka_unit_test(class_decides_the_policy),
        cmocka_unit_test(try_leaves_at_the_first_failure),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
