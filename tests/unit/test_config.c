/*
 * test_config.c: configuration files, as Java reads properties.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "cli/config.h"

struct bed {
    struct arena arena;
    config_list list;
    struct error error;
};

static int parse(struct bed *bed, const char *text)
{
    memset(bed, 0, sizeof *bed);
    arena_init(&bed->arena, 0);
    return config_parse(bytes_of(text), &bed->arena, &bed->list, &bed->error);
}

static void assert_entry(const struct bed *bed, uint32_t at, const char *name, const char *value,
                         uint32_t line)
{
    assert_true(at < bed->list.count);
    assert_true(bytes_equal_text(bed->list.items[at].name, name));
    assert_true(bytes_equal_text(bed->list.items[at].value, value));
    assert_int_equal(bed->list.items[at].line, line);
}

static void separators_are_equals_colon_and_blank(void **state)
{
    struct bed bed;

    assert_int_equal(parse(&bed, "a=1\nb: 2\n  c 3\nd\t=\t4 \ne\nf = = 5\r\n"), 0);
    assert_int_equal(bed.list.count, 6);
    assert_entry(&bed, 0, "a", "1", 1);
    assert_entry(&bed, 1, "b", "2", 2);
    assert_entry(&bed, 2, "c", "3", 3);
    assert_entry(&bed, 3, "d", "4 ", 4);
    assert_entry(&bed, 4, "e", "", 5);
    assert_entry(&bed, 5, "f", "= 5", 6);
    arena_fini(&bed.arena);
}

static void comments_and_blank_lines_are_nothing(void **state)
{
    struct bed bed;

    assert_int_equal(parse(&bed, "# x=1\n  ! y=2\n\n \t\r\nz=3"), 0);
    assert_int_equal(bed.list.count, 1);
    assert_entry(&bed, 0, "z", "3", 5);
    arena_fini(&bed.arena);
}

static void a_backslash_continues_a_line_and_escapes(void **state)
{
    struct bed bed;

    assert_int_equal(parse(&bed, "a=1,\\\n   2\nb\\ c\\=d=\\t\\u00e9\\\\\\n\\q\nlast=x\\"), 0);
    assert_int_equal(bed.list.count, 3);
    assert_entry(&bed, 0, "a", "1,2", 1);
    assert_entry(&bed, 1, "b c=d", "\t\xc3\xa9\\\nq", 3);
    assert_entry(&bed, 2, "last", "x", 4);
    arena_fini(&bed.arena);
}

static void refuse(const char *text, uint32_t line)
{
    struct bed bed;

    assert_int_equal(parse(&bed, text), ERR_SYNTAX);
    assert_int_equal(bed.error.at.line, line);
    arena_fini(&bed.arena);
}

static void what_is_wrong_has_its_line(void **state)
{
    refuse("a=1\nb=\\u12", 2);
    refuse("a=\\u12g4\n", 1);
    refuse("a=\\ud800\n", 1);
    refuse("\n=value\n", 2);
    refuse("a=\xff\n", 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(separators_are_equals_colon_and_blank),
        cmocka_unit_test(comments_and_blank_lines_are_nothing),
        cmocka_unit_test(a_backslash_continues_a_line_and_escapes),
        cmocka_unit_test(what_is_wrong_has_its_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
