/*
 * test_media.c: which form of answer an Accept header asks for.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/http/ksql/media.h"

#define D "application/vnd.ksqlapi.delimited.v1"
#define J "application/json"
#define V "application/vnd.ksql.v1+json"

static enum media choose(const char *accept)
{
    static const enum media offered[] = { MEDIA_DELIMITED, MEDIA_KSQL, MEDIA_JSON };

    return media_choose(bytes_of(accept), offered, 3, MEDIA_KSQL);
}

static void without_a_header_the_usual_form_is_taken(void **state)
{
    assert_int_equal(choose(NULL), MEDIA_KSQL);
    assert_int_equal(choose(""), MEDIA_KSQL);
    assert_int_equal(choose("  "), MEDIA_KSQL);
}

static void a_wildcard_takes_the_first_that_is_offered(void **state)
{
    assert_int_equal(choose("*/*"), MEDIA_DELIMITED);
    assert_int_equal(choose("application/*"), MEDIA_DELIMITED);
}

static void the_clients_order_counts(void **state)
{
    assert_int_equal(choose(J ", " V), MEDIA_JSON);
    assert_int_equal(choose(V "," J), MEDIA_KSQL);
    assert_int_equal(choose("text/html, " J ", text/plain, */*"), MEDIA_JSON);
    assert_int_equal(choose(D "," D), MEDIA_DELIMITED);
}

static void weights_count_more_than_the_order(void **state)
{
    assert_int_equal(choose(J ";q=0.5, " V ";q=0.9"), MEDIA_KSQL);
    assert_int_equal(choose(J "; charset=utf-8 ; q=0.9, " V ";q=0.85"), MEDIA_JSON);
    assert_int_equal(choose("*/*;q=0.1, " J), MEDIA_JSON);
    assert_int_equal(choose(J ";q=0, " V ";q=0.001"), MEDIA_KSQL);
}

static void what_nobody_offers_is_refused(void **state)
{
    assert_int_equal(choose("text/html"), MEDIA_NONE);
    assert_int_equal(choose(J ";q=0"), MEDIA_NONE);
    assert_int_equal(choose(",;,;q=1,"), MEDIA_NONE);
}

static void case_and_parameters_do_not_matter(void **state)
{
    assert_int_equal(choose("Application/JSON;charset=utf-8"), MEDIA_JSON);
    assert_int_equal(choose(J ";q=nonsense"), MEDIA_JSON);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_header_the_usual_form_is_taken),
        cmocka_unit_test(a_wildcard_takes_the_first_that_is_offered),
        cmocka_unit_test(the_clients_order_counts),
        cmocka_unit_test(weights_count_more_than_the_order),
        cmocka_unit_test(what_nobody_offers_is_refused),
        cmocka_unit_test(case_and_parameters_do_not_matter),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
