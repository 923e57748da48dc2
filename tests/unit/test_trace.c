/*
 * test_trace.c: one event is one line, and levels are names.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/trace.h"

/* Sends stderr into a pipe around one event. */
static size_t capture(char *out, size_t size, const char *message)
{
    int ends[2];
    int old = dup(STDERR_FILENO);
    ssize_t len;

    assert_int_equal(pipe(ends), 0);
    assert_true(dup2(ends[1], STDERR_FILENO) >= 0);
    TRACE(TRACE_WARN, "log", "%s", message);
    assert_true(dup2(old, STDERR_FILENO) >= 0);
    close(ends[1]);
    close(old);
    len = read(ends[0], out, size - 1);
    close(ends[0]);
    assert_true(len >= 0);
    out[len] = '\0';
    return (size_t)len;
}

static void event_is_one_line_with_level_and_area(void **state)
{
    char line[4096];
    size_t len = capture(line, sizeof line, "first\nsecond");

    assert_non_null(strstr(line, "Z warn log: first second\n"));
    assert_ptr_equal(strchr(line, '\n'), line + len - 1);
}

static void long_event_is_cut(void **state)
{
    char line[8192];
    char message[5000];

    memset(message, 'x', sizeof message - 1);
    message[sizeof message - 1] = '\0';
    assert_in_range(capture(line, sizeof line, message), 1000, 2048);
}

static void lower_levels_are_silent(void **state)
{
    char line[4096];

    trace_set_level(TRACE_ERROR);
    assert_int_equal(capture(line, sizeof line, "hidden"), 0);
    trace_set_level(TRACE_WARN);
}

static void levels_have_names(void **state)
{
    enum trace_level level = TRACE_OFF;

    assert_int_equal(trace_parse_level("debug", &level), 0);
    assert_int_equal(level, TRACE_DEBUG);
    assert_int_equal(trace_parse_level("WARN", &level), 0);
    assert_int_equal(level, TRACE_WARN);
    assert_int_equal(trace_parse_level("loud", &level), -1);
    assert_int_equal(level, TRACE_WARN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(event_is_one_line_with_level_and_area),
        cmocka_unit_test(long_event_is_cut),
        cmocka_unit_test(lower_levels_are_silent),
        cmocka_unit_test(levels_have_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
