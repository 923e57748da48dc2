/*
 * test_plan_explain.c: the plans of tests/explain/: each .sql as its .txt says.
 *
 * With EXPECTED=write in the environment the .txt files are written instead; read the
 * difference as code.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/planner.h"

static bool is_writing(void)
{
    const char *mode = getenv("EXPECTED");

    return mode && strcmp(mode, "write") == 0;
}

static void write_expected(const char *path, const struct buffer *text)
{
    FILE *file = fopen(path, "wb");

    assert_non_null(file);
    assert_int_equal(fwrite(text->data, 1, text->len, file), text->len);
    assert_int_equal(fclose(file), 0);
}

static void check_file(struct bytes name)
{
    struct planner p;
    const char *sql_path;
    const char *text_path;

    planner_init(&p);
    sql_path = arena_printf(&p.arena, "tests/explain/%.*s", BYTES_ARG(name)).data;
    text_path = arena_printf(&p.arena, "tests/explain/%.*s.txt", (int)name.len - 4, name.data).data;
    planner_accept(&p, planner_read_file(&p, sql_path).data);
    assert_true(p.explained.len > 0);
    if (is_writing()) {
        write_expected(text_path, &p.explained);
    } else {
        buffer_append_char(&p.explained, '\0');
        assert_string_equal(p.explained.data, planner_read_file(&p, text_path).data);
    }
    planner_fini(&p);
}

static void every_plan_is_as_expected(void **state)
{
    struct planner p;
    struct bytes *names = NULL;
    uint32_t count;

    planner_init(&p);
    count = planner_list_files(&p, "tests/explain", ".sql", &names);
    assert_true(count > 0);
    for (uint32_t i = 0; i < count; i++) {
        check_file(names[i]);
    }
    planner_fini(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_plan_is_as_expected),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
