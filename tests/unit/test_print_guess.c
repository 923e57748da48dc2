/*
 * test_print_guess.c: which formats a topic's bytes leave possible, and how PRINT shows them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/command/print_guess.h"

static void assert_formats(const struct guess *guess, const char *wanted)
{
    struct buffer text = { 0 };

    guess_print_formats(guess, &text);
    if (!bytes_equal_text(buffer_bytes(&text), wanted)) {
        fail_msg("wanted %s, got %.*s", wanted, (int)text.len, text.data);
    }
    buffer_fini(&text);
}

static void assert_shown(const struct guess *guess, struct bytes datum, const char *wanted)
{
    struct buffer text = { 0 };

    guess_print(guess, datum, &text);
    if (!bytes_equal_text(buffer_bytes(&text), wanted)) {
        fail_msg("wanted %s, got %.*s", wanted, (int)text.len, text.data);
    }
    buffer_fini(&text);
}

static void candidates_go_when_a_datum_refutes_them(void **state)
{
    struct guess guess = { .side = GUESS_VALUE };

    assert_formats(&guess, "no data processed");
    assert_false(guess_see(&guess, (struct bytes){ NULL, 0 }));
    assert_formats(&guess, "no data processed");
    assert_true(guess_see(&guess, bytes_of("1234")));
    assert_formats(&guess, "JSON or KAFKA_INT or KAFKA_STRING");
    assert_false(guess_see(&guess, bytes_of("5678")));
    assert_true(guess_see(&guess, bytes_of("{\"a\": [1, 1.50]}")));
    assert_formats(&guess, "JSON or KAFKA_STRING");
    assert_shown(&guess, bytes_of("{\"a\": [1, 1.50]}"), "{\"a\": [1, 1.50]}");
    assert_true(guess_see(&guess, bytes_of("plain")));
    assert_formats(&guess, "KAFKA_STRING");
    assert_true(guess_see(&guess, bytes_of("\xFFx")));
    assert_formats(&guess, "no supported format: printed as bytes");
    assert_shown(&guess, bytes_of("\xFFx"), "\\xFFx");
    assert_shown(&guess, (struct bytes){ NULL, 0 }, "<null>");
}

static void numbers_are_known_by_their_length(void **state)
{
    static const char eight[] = "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFE";
    static const char four[] = { 0, 0, 1, 0 };
    struct guess guess = { .side = GUESS_VALUE };
    struct guess small = { .side = GUESS_VALUE };

    (void)guess_see(&guess, bytes_of(eight));
    assert_formats(&guess, "KAFKA_BIGINT or KAFKA_DOUBLE");
    assert_shown(&guess, bytes_of(eight), "-2");
    (void)guess_see(&small, (struct bytes){ four, sizeof four });
    assert_formats(&small, "KAFKA_INT or KAFKA_STRING");
    assert_shown(&small, (struct bytes){ four, sizeof four }, "256");
}

static void an_empty_datum_is_no_text(void **state)
{
    struct guess guess = { .side = GUESS_VALUE };

    (void)guess_see(&guess, bytes_of(""));
    assert_formats(&guess, "no supported format: printed as bytes");
    assert_shown(&guess, bytes_of(""), "");
}

static void a_key_may_have_a_window_behind_it(void **state)
{
    static const char time[] = { 'k', 0, 0, 0, 0, 0, 0, 3, (char)0xE8 };
    static const char session[] = { 'k', 0, 0, 0, 0, 0, 0, 7,         (char)0xD0,
                                    0,   0, 0, 0, 0, 0, 3, (char)0xE8 };
    struct guess key = { .side = GUESS_KEY };
    struct guess longer = { .side = GUESS_KEY };

    (void)guess_see(&key, (struct bytes){ time, sizeof time });
    assert_formats(&key, "HOPPING(KAFKA_STRING) or TUMBLING(KAFKA_STRING)");
    assert_shown(&key, (struct bytes){ time, sizeof time }, "[k@1000/-]");
    (void)guess_see(&longer, (struct bytes){ session, sizeof session });
    assert_shown(&longer, (struct bytes){ session, sizeof session }, "[k@1000/2000]");
}

static void text_is_no_window(void **state)
{
    struct guess key = { .side = GUESS_KEY };

    (void)guess_see(&key, bytes_of("a rather long key"));
    assert_formats(&key, "KAFKA_STRING");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(candidates_go_when_a_datum_refutes_them),
        cmocka_unit_test(numbers_are_known_by_their_length),
        cmocka_unit_test(an_empty_datum_is_no_text),
        cmocka_unit_test(a_key_may_have_a_window_behind_it),
        cmocka_unit_test(text_is_no_window),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
