/*
 * test_emission.c: the emission buffer keeps one change per key, in order of last update.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/operator/emission.h"

static const struct row_origin no_origin = { 0 };

static bool note(struct emission *e, const char *key, const char *old, int64_t at)
{
    return emission_note(e, bytes_of(key), bytes_of(old), at, &no_origin);
}

/* "key=old@time " in order; an absent old image is "-". */
static void expect(const struct emission *e, const char *expected)
{
    struct buffer text = { 0 };
    const struct emission_change *change;
    uint32_t cursor = 0;

    while ((change = emission_next(e, &cursor)) != NULL) {
        buffer_append_bytes(&text, change->key);
        buffer_append_char(&text, '=');
        buffer_append_bytes(&text, change->old_image.data ? change->old_image : bytes_of("-"));
        buffer_printf(&text, "@%d ", (int)change->timestamp_ms);
    }
    buffer_append_char(&text, '\0');
    assert_string_equal(text.data, expected);
    buffer_fini(&text);
}

static void keys_come_in_order_of_their_last_update(void **state)
{
    struct emission *e = emission_create(1 << 20);

    note(e, "a", NULL, 1);
    note(e, "b", NULL, 2);
    note(e, "a", "1", 3);
    note(e, "c", NULL, 4);
    expect(e, "b=-@2 a=-@3 c=-@4 ");
    assert_int_equal(emission_count(e), 3);
    emission_destroy(e);
}

static void old_image_is_that_of_the_first_update_since_the_flush(void **state)
{
    struct emission *e = emission_create(1 << 20);

    note(e, "a", "before", 1);
    note(e, "a", "between", 2);
    expect(e, "a=before@2 ");
    emission_clear(e);
    expect(e, "");
    note(e, "a", "after", 3);
    expect(e, "a=after@3 ");
    emission_destroy(e);
}

static void empty_old_image_is_not_an_absent_one(void **state)
{
    struct emission *e = emission_create(1 << 20);

    note(e, "", "", 1);
    expect(e, "=@1 ");
    emission_destroy(e);
}

static void headers_are_those_of_the_last_update_and_outlive_it(void **state)
{
    struct emission *e = emission_create(1 << 20);
    char name[] = "h1";
    struct record_header headers[] = { { { name, 2 }, { NULL, 0 } } };
    struct row_origin origin = { .offset = 4, .header_count = 1, .headers = headers };
    const struct emission_change *change;
    uint32_t cursor = 0;

    note(e, "a", NULL, 1);
    emission_note(e, bytes_of("a"), bytes_of(NULL), 2, &origin);
    memset(name, 'x', 2);
    change = emission_next(e, &cursor);
    assert_int_equal(change->origin.offset, 4);
    assert_int_equal(change->origin.header_count, 1);
    assert_true(bytes_equal_text(change->origin.headers[0].key, "h1"));
    assert_null(change->origin.headers[0].value.data);
    emission_destroy(e);
}

static void full_is_said_when_the_budget_is_used_up(void **state)
{
    struct emission *e = emission_create(1000);
    int noted = 1;
    char key[16];

    snprintf(key, sizeof key, "%d", noted);
    while (!note(e, key, "some image", noted)) {
        snprintf(key, sizeof key, "%d", ++noted);
        assert_in_range(noted, 0, 100);
    }
    assert_in_range(noted, 5, 20);
    emission_clear(e);
    assert_false(note(e, "1", "some image", 1));
    emission_destroy(e);
}

static void updates_of_a_few_keys_do_not_pile_up(void **state)
{
    enum { KEYS = 50, UPDATES = 20000 };
    struct emission *e = emission_create(1 << 20);
    int last[KEYS] = { 0 };
    const struct emission_change *change;
    uint32_t cursor = 0;
    int64_t before = 0;
    uint32_t random = 1;

    for (int i = 1; i <= UPDATES; i++) {
        char key = 0;

        random = random * 1664525u + 1013904223u;
        key = (char)(random >> 16 & 0xff) % KEYS;
        key = (char)(key < 0 ? -key : key);
        last[(int)key] = i;
        assert_false(emission_note(e, (struct bytes){ &key, 1 }, bytes_of(NULL), i, &no_origin));
    }
    while ((change = emission_next(e, &cursor)) != NULL) {
        assert_int_equal(change->timestamp_ms, last[(int)change->key.data[0]]);
        assert_true(change->timestamp_ms > before);
        before = change->timestamp_ms;
    }
    assert_int_equal(emission_count(e), KEYS);
    assert_in_range(cursor, KEYS, 2000);
    emission_destroy(e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_come_in_order_of_their_last_update),
        cmocka_unit_test(old_image_is_that_of_the_first_update_since_the_flush),
        cmocka_unit_test(empty_old_image_is_not_an_absent_one),
        cmocka_unit_test(headers_are_those_of_the_last_update_and_outlive_it),
        cmocka_unit_test(full_is_said_when_the_budget_is_used_up),
        cmocka_unit_test(updates_of_a_few_keys_do_not_pile_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
