/*
 * test_format_none.c: no columns, no bytes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/format_fixture.h"

static void nothing_is_written_and_all_bytes_read_as_null(void **state)
{
    struct fixture f;
    struct reading got;

    fixture_init(&f, "none");
    assert_true(fixture_write(&f, NULL).is_null);
    got = fixture_read(&f, "anything");
    assert_int_equal(got.code, 0);
    assert_true(got.is_null);
    assert_true(fixture_read(&f, "").is_null);
    fixture_fini(&f);
}

static void columns_are_refused(void **state)
{
    struct fixture f;
    struct error err;

    fixture_init(&f, "NONE");
    assert_int_equal(format_check_columns(f.kind, NULL, 0, SIDE_KEY, &err), 0);
    fixture_column(&f, "K", type_scalar(T_INTEGER));
    assert_int_equal(format_check_columns(f.kind, f.columns, 1, SIDE_KEY, &err), ERR_FORMAT_SCHEMA);
    assert_non_null(strstr(err.message, "The 'NONE' format can only be used when no columns are "
                                        "defined. Got: [`K` INTEGER]"));
    fixture_fini(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_written_and_all_bytes_read_as_null),
        cmocka_unit_test(columns_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
