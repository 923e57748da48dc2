/*
 * test_plan_errors.c: the tables of tests/errors/: statements, and why and where they are
 * refused. See the README there for the form of a table.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/planner.h"

struct table {
    struct buffer given; /* statements that come first */
    uint32_t cases;
    uint32_t wrong;
};

static void check_case(struct table *table, const char *path, struct bytes line)
{
    const char *bar = strstr(line.data, " | ");
    struct planner p;
    char wanted[128];
    char got[128];

    if (!bar) {
        fail_msg("%s: no ' | ' in: %s", path, line.data);
        return;
    }
    planner_init(&p);
    if (table->given.len > 0) {
        planner_accept(&p, table->given.data);
    }
    (void)snprintf(wanted, sizeof wanted, "%.*s", (int)(bar - line.data), line.data);
    (void)planner_run(&p, bar + 3);
    (void)snprintf(got, sizeof got, "%s %u:%u", error_name(p.err.code), p.err.at.line,
                   p.err.at.column);
    table->cases++;
    if (strcmp(wanted, got) != 0) {
        table->wrong++;
        print_error("%s: wanted %s, got %s | %s\n    %s\n", path, wanted, got, bar + 3,
                    p.err.message);
    }
    planner_fini(&p);
}

static void check_line(struct table *table, const char *path, struct bytes line)
{
    static const char given[] = "given ";

    if (line.len == 0 || line.data[0] == '#') {
        return;
    }
    if (bytes_starts_with(line, bytes_of(given))) {
        if (table->given.len > 0) {
            table->given.len--; /* the NUL behind the statements so far */
        }
        buffer_append(&table->given, line.data + strlen(given), line.len - strlen(given) + 1);
        return;
    }
    check_case(table, path, line);
}

/* How many of its cases were wrong. */
static uint32_t check_table(struct planner *p, const char *path)
{
    struct table table = { 0 };
    struct bytes text = planner_read_file(p, path);
    char *line = arena_copy_text(&p->arena, text);

    while (*line != '\0') {
        char *end = strchr(line, '\n');

        assert_non_null(end);
        *end = '\0';
        check_line(&table, path, bytes_of(line));
        line = end + 1;
    }
    buffer_fini(&table.given);
    assert_true(table.cases > 0);
    return table.wrong;
}

static void every_statement_is_refused_as_expected(void **state)
{
    struct planner p;
    struct bytes *names = NULL;
    uint32_t count;
    uint32_t wrong = 0;

    planner_init(&p);
    count = planner_list_files(&p, "tests/errors", ".txt", &names);
    assert_true(count > 0);
    for (uint32_t i = 0; i < count; i++) {
        wrong +=
            check_table(&p, arena_printf(&p.arena, "tests/errors/%.*s", BYTES_ARG(names[i])).data);
    }
    assert_int_equal(wrong, 0);
    planner_fini(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_statement_is_refused_as_expected),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
